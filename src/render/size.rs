//! Byte counts that people can read.

use std::fmt::Write;

use super::view::FieldKind;

const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/// A byte count in the largest unit that leaves at least one: `9.1 TiB`, `4 GiB`, `512 B`. `number` is the text
/// of a JSON number; `None` when it is not an integral count of 64 bits.
pub fn human_size(number: &str) -> Option<String> {
    let (negative, bytes) = match integral(number)? {
        count if count < 0 => (true, count.unsigned_abs()),
        count => (false, count.unsigned_abs()),
    };
    let mut unit = 0;
    let mut divisor = 1u128;
    let bytes = u128::from(bytes);
    // Tenths are rounded half up; a value that rounds to 1,024 is shown in the next unit.
    let tenths = |divisor: u128| (bytes * 20 / divisor).div_ceil(2);
    while tenths(divisor) >= 10_240 && unit + 1 < UNITS.len() {
        unit += 1;
        divisor *= 1024;
    }
    let sign = if negative { "-" } else { "" };
    let (whole, tenth) = (tenths(divisor) / 10, tenths(divisor) % 10);
    Some(if bytes % divisor == 0 || unit == 0 {
        format!("{sign}{whole} {}", UNITS[unit])
    } else {
        format!("{sign}{whole}.{tenth} {}", UNITS[unit])
    })
}

/// Appends a byte count and what it is a part of, both in the unit of the latter: `63/128 GiB`, `0.5/9.1 TiB`.
pub(super) fn part_of_size(part: i64, whole: i64, out: &mut String) {
    let mut unit = 0;
    // What would round to 1,024 is shown in the next unit.
    while unit + 1 < UNITS.len() && whole.unsigned_abs() as f64 / 1024_f64.powi(unit as i32) >= 1023.5 {
        unit += 1;
    }
    let scaled = |count: i64| {
        let count = count as f64 / 1024_f64.powi(unit as i32);
        // Two digits say enough.
        (count, usize::from(count.abs() < 9.95 && count.fract() != 0.0))
    };
    let ((part, part_digits), (whole, whole_digits)) = (scaled(part), scaled(whole));
    // Memory takes what is written.
    let _ = write!(out, "{part:.part_digits$}/{whole:.whole_digits$} {}", UNITS[unit]);
}

/// The integer that a JSON number spells: `1.073741824E9` is one (N4).
pub(crate) fn integral(number: &str) -> Option<i64> {
    if let Ok(count) = number.parse::<i64>() {
        return Some(count);
    }
    let value: f64 = number.parse().ok()?;
    // Below 2^63 a double without a fraction is an integer of 64 bits.
    (value.fract() == 0.0 && value.abs() < 9.2e18).then_some(value as i64)
}

/// Whether a field counts bytes. CPU capacities and bandwidths do not, and a few sizes of public clouds are
/// counted in GB.
pub(crate) fn counts_bytes(name: &str, kind: FieldKind) -> bool {
    if kind == FieldKind::Bytes {
        return true;
    }
    if !matches!(kind, FieldKind::Long | FieldKind::Unknown) {
        return false;
    }
    let lower = name.to_ascii_lowercase();
    let measures = lower.ends_with("capacity") || lower.ends_with("size") || lower.ends_with("memory");
    measures
        && !["cpu", "bandwidth", "ecs", "page", "replicated", "batch"].iter().any(|other| lower.contains(other))
        && lower != "capacity"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_counts_read_well() {
        let cases: &[(&str, Option<&str>)] = &[
            ("0", Some("0 B")),
            ("1", Some("1 B")),
            ("1023", Some("1023 B")),
            ("1024", Some("1 KiB")),
            ("1536", Some("1.5 KiB")),
            ("1048575", Some("1.0 MiB")),
            ("8589934592", Some("8 GiB")),
            ("9992857976832", Some("9.1 TiB")),
            ("4931431059456", Some("4.5 TiB")),
            ("305863802880", Some("284.9 GiB")),
            ("1.073741824E9", Some("1 GiB")),
            ("1.0", Some("1 B")),
            ("9223372036854775807", Some("8.0 EiB")),
            ("-1073741824", Some("-1 GiB")),
            ("1.5", None),
            ("1e30", None),
            ("x", None),
        ];
        for (number, text) in cases {
            assert_eq!(human_size(number).as_deref(), *text, "{number}");
        }
    }

    #[test]
    fn a_part_has_the_unit_of_the_whole() {
        for (part, whole, text) in [
            (63 << 30, 128 << 30, "63/128 GiB"),
            (4_931_431_059_456, 9_992_857_976_832, "4.5/9.1 TiB"),
            (512 << 20, 128 << 30, "0.5/128 GiB"),
            (1 << 20, 128 << 30, "0.0/128 GiB"),
            (0, 1_099_000_000_000, "0/1.0 TiB"),
            (-(1 << 30), 2 << 30, "-1/2 GiB"),
            (0, 0, "0/0 B"),
            (i64::MAX, i64::MAX, "8/8 EiB"),
        ] {
            let mut out = String::new();
            part_of_size(part, whole, &mut out);
            assert_eq!(out, text);
        }
    }

    #[test]
    fn what_counts_bytes_is_told_by_name_and_type() {
        for name in ["totalCapacity", "memorySize", "size", "actualSize", "availableMemoryCapacity", "diskSize"] {
            assert!(counts_bytes(name, FieldKind::Long), "{name}");
            assert!(!counts_bytes(name, FieldKind::Integer), "{name}");
        }
        for name in ["totalCpuCapacity", "cpuNum", "bandwidthSize", "value", "executeTime", "capacity"] {
            assert!(!counts_bytes(name, FieldKind::Long), "{name}");
        }
    }
}
