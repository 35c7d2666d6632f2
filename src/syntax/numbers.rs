//! Numbers as text, and byte counts with a suffix.

/// Whether the text is a decimal integer: an optional minus sign and digits.
fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The value of a decimal integer, which may be written with a fraction of zeros: `2.0` is 2.
pub fn integer(text: &str) -> Option<i64> {
    let all_zeros = |fraction: &str| !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0');
    let whole = text.split_once('.').filter(|(_, fraction)| all_zeros(fraction)).map_or(text, |(whole, _)| whole);
    whole.parse().ok().filter(|_| is_integer(whole))
}

/// Whether the text is a number as JSON writes one.
pub fn is_number(text: &str) -> bool {
    let rest = text.strip_prefix('-').unwrap_or(text);
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest.starts_with('0')) {
        return false;
    }
    let mut rest = &rest[whole..];
    if let Some(fraction) = rest.strip_prefix('.') {
        let length = digits(fraction);
        if length == 0 {
            return false;
        }
        rest = &fraction[length..];
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let length = digits(exponent);
        return length > 0 && length == exponent.len();
    }
    rest.is_empty()
}

/// Reads a byte count: digits, perhaps a fraction, and a suffix `B`, `K`, `M`, `G`, `T`, `P`, `E`, each also
/// with `iB` or `B`, in powers of 1024, ignoring case. `None` when it is none, or no whole number of bytes,
/// or more than 64 bits hold.
pub fn byte_count(text: &str) -> Option<i64> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-').unwrap_or(text.len());
    let (number, suffix) = text.split_at(split);
    let suffix = suffix.to_ascii_uppercase();
    let unit = suffix.strip_suffix("IB").filter(|unit| !unit.is_empty()).unwrap_or(suffix.trim_end_matches('B'));
    let power = match unit {
        "" => 0,
        "K" => 1,
        "M" => 2,
        "G" => 3,
        "T" => 4,
        "P" => 5,
        "E" => 6,
        _ => return None,
    };
    let scale = 1_i128.checked_shl(10 * power)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if !is_integer(whole) || (number.contains('.') && fraction.is_empty()) || fraction.len() > 18 {
        return None;
    }
    let negative = whole.starts_with('-');
    let mut bytes = whole.parse::<i128>().ok()?.checked_mul(scale)?;
    if !fraction.is_empty() {
        let numerator = fraction.parse::<u64>().ok()?;
        let part = i128::from(numerator).checked_mul(scale)?;
        let denominator = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
        if part % denominator != 0 {
            return None;
        }
        bytes += if negative { -(part / denominator) } else { part / denominator };
    }
    i64::try_from(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_and_numbers_are_recognised() {
        for text in ["0", "-1", "007", "9223372036854775808"] {
            assert!(is_integer(text), "{text}");
        }
        for text in ["", "-", "+1", "1.0", "1e3", "٣", " 1"] {
            assert!(!is_integer(text), "{text}");
        }
        for text in ["0", "-0.5", "1.073741824E9", "1e+9", "10"] {
            assert!(is_number(text), "{text}");
        }
        for text in ["", "01", ".5", "1.", "1e", "NaN", "0x1", "1 ", "1.5.2"] {
            assert!(!is_number(text), "{text}");
        }
    }

    #[test]
    fn integers_may_have_a_fraction_of_zeros() {
        for (text, expected) in [
            ("2", Some(2)),
            ("2.0", Some(2)),
            ("-3.000", Some(-3)),
            ("007", Some(7)),
            ("2.5", None),
            ("2.", None),
            (".0", None),
            ("2.0.0", None),
            ("2e0", None),
            ("+2", None),
            ("9223372036854775808.0", None),
        ] {
            assert_eq!(integer(text), expected, "{text}");
        }
    }

    #[test]
    fn byte_counts_are_powers_of_1024() {
        for (text, expected) in [
            ("512", Some(512)),
            ("10G", Some(10 << 30)),
            ("512MiB", Some(512 << 20)),
            ("512mb", Some(512 << 20)),
            ("1.5T", Some(3 << 39)),
            ("1k", Some(1024)),
            ("7B", Some(7)),
            ("0.1K", None),
            ("8E", None),
            ("7E", Some(7 << 60)),
            ("iB", None),
            ("1iB", None),
            ("G", None),
            ("1X", None),
            ("1GG", None),
            ("", None),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
        ] {
            assert_eq!(byte_count(text), expected, "{text}");
        }
    }
}
