//! Dates: stored so that they compare, printed as a node prints them. The sandbox's time zone is UTC.

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::json_text::write_string;

const STORED: &str = "%Y-%m-%d %H:%M:%S";
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const HOURS: [&str; 12] = ["12", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"];

/// The present date in the stored form.
pub fn now() -> String {
    of(Timestamp::now())
}

/// A date in the stored form `YYYY-MM-DD hh:mm:ss`.
pub fn of(time: Timestamp) -> String {
    time.strftime(STORED).to_string()
}

/// The stored form as a node prints it: `Mar 4, 2025 2:12:01 PM` (N3). Other text stays as it is.
pub fn to_wire(stored: &str) -> String {
    let mut out = String::new();
    if !write_date(&mut out, stored) {
        out.push_str(stored);
    }
    out
}

/// Writes a stored date as a JSON string in the form of `to_wire`.
pub(super) fn write_wire(json: &mut String, stored: &str) {
    let before = json.len();
    json.push('"');
    if write_date(json, stored) {
        json.push('"');
    } else {
        json.truncate(before);
        write_string(json, stored);
    }
}

/// Writes a stored date in the form of `to_wire`. Returns `false`, and writes nothing, for other text. Dates are a large
/// part of the text of rows, so they are neither parsed nor formatted by a library.
fn write_date(out: &mut String, stored: &str) -> bool {
    let bytes = stored.as_bytes();
    let separators = [(4, b'-'), (7, b'-'), (10, b' '), (13, b':'), (16, b':')];
    if bytes.len() != 19 || separators.iter().any(|(at, separator)| bytes[*at] != *separator) {
        return false;
    }
    let number = |from: usize, to: usize| {
        bytes[from..to]
            .iter()
            .try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + usize::from(digit - b'0')))
    };
    let [Some(_), Some(month @ 1..=12), Some(1..=31), Some(hour @ ..24), Some(..60), Some(..60)] =
        [number(0, 4), number(5, 7), number(8, 10), number(11, 13), number(14, 16), number(17, 19)]
    else {
        return false;
    };
    let day = stored[8..10].trim_start_matches('0');
    let half = if hour < 12 { " AM" } else { " PM" };
    let texts = [MONTHS[month - 1], " ", day, ", ", &stored[..4], " ", HOURS[hour % 12], &stored[13..], half];
    texts.into_iter().for_each(|text| out.push_str(text));
    true
}

/// A date as a user may write it in a condition, in the stored form. Text that is no date becomes the zero
/// date, which is before every other: the database of a node compares so, without an error (Q10).
pub(super) fn from_condition(text: &str) -> String {
    // Fractions of a second are not stored.
    let text = text.trim().replacen('T', " ", 1);
    let text = text.split_once('.').map_or(text.as_str(), |(whole, _)| whole);
    let formats = [STORED, "%Y-%m-%d %H:%M", "%Y-%m-%d %H", "%Y-%m-%d"];
    let date = formats.iter().find_map(|format| DateTime::strptime(format, text).ok());
    date.map_or_else(|| "0000-00-00 00:00:00".to_owned(), |date| date.strftime(STORED).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_stored_so_that_they_compare() {
        let of = |seconds| of(Timestamp::from_second(seconds).expect("a second in range"));
        assert_eq!(of(0), "1970-01-01 00:00:00");
        assert_eq!(of(1_709_210_096), "2024-02-29 12:34:56");
        assert_eq!(of(1_735_689_599), "2024-12-31 23:59:59");
    }

    #[test]
    fn moments_are_printed_as_a_node_prints_them() {
        assert_eq!(to_wire("2025-03-04 14:12:01"), "Mar 4, 2025 2:12:01 PM");
        assert_eq!(to_wire("2025-12-31 00:05:09"), "Dec 31, 2025 12:05:09 AM");
        assert_eq!(to_wire("2025-01-01 12:00:00"), "Jan 1, 2025 12:00:00 PM");
        assert_eq!(to_wire("never"), "never");
        assert_eq!(to_wire("0000-00-00 00:00:00"), "0000-00-00 00:00:00");
    }

    #[test]
    fn dates_in_conditions_may_be_short_and_nonsense_is_the_zero_date() {
        assert_eq!(from_condition("2025-03-04"), "2025-03-04 00:00:00");
        assert_eq!(from_condition(" 2025-3-4 2:12 "), "2025-03-04 02:12:00");
        assert_eq!(from_condition("2025-03-04 2"), "2025-03-04 02:00:00");
        assert_eq!(from_condition("2025-03-04T14:12:01.0"), "2025-03-04 14:12:01");
        for text in ["Mar 4, 2025 2:12:01 PM", "", "2025", "2025-13-01", "2025-03-04 1:2:3:4", "yesterday"] {
            assert_eq!(from_condition(text), "0000-00-00 00:00:00", "{text}");
        }
    }
}
