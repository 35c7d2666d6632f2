//! Moments: stored so that they compare, printed as a node prints them. The sandbox's time zone is UTC.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The present moment in the stored form.
pub fn now() -> String {
    of(SystemTime::now())
}

/// A moment in the stored form `YYYY-MM-DD hh:mm:ss`.
pub fn of(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// The date of a number of days after 1970-01-01, in the proleptic Gregorian calendar.
fn civil(days: u64) -> (u64, u64, u64) {
    // Counting from 0000-03-01 puts the leap day at the end of each year, era (400 years) and century.
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// The stored form as a node prints it: `Mar 4, 2025 2:12:01 PM` (N3). Other text stays as it is.
pub fn to_wire(stored: &str) -> String {
    let Some([year, month, day, hour, minute, second]) = parts(stored) else { return stored.to_owned() };
    let Some(name) = usize::try_from(month).ok().and_then(|month| MONTHS.get(month.wrapping_sub(1))) else {
        return stored.to_owned();
    };
    let half = if hour < 12 { "AM" } else { "PM" };
    let hour = if hour % 12 == 0 { 12 } else { hour % 12 };
    format!("{name} {day}, {year} {hour}:{minute:02}:{second:02} {half}")
}

/// A date as a user may write it in a condition, in the stored form. Text that is no date becomes the zero
/// date, which lies before every other: the database that a node stands on compares so, without an error
/// (Q10).
pub(super) fn from_condition(text: &str) -> String {
    parts(text).map_or_else(
        || "0000-00-00 00:00:00".to_owned(),
        |[year, month, day, hour, minute, second]| {
            format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
        },
    )
}

/// Year, month, day, hour, minute, second of `YYYY-MM-DD[ hh:mm[:ss[.fraction]]]`.
fn parts(text: &str) -> Option<[u32; 6]> {
    let text = text.trim();
    let (date, time) = text.split_once([' ', 'T']).unwrap_or((text, ""));
    let mut result = [0; 6];
    let number = |text: &str, most: u32| {
        let digits = !text.is_empty() && text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u32>().ok().filter(|number| digits && *number <= most)
    };
    let mut pieces = date.split('-');
    for (slot, most) in result.iter_mut().take(3).zip([9999, 12, 31]) {
        *slot = number(pieces.next()?, most)?;
    }
    if pieces.next().is_some() {
        return None;
    }
    let time = time.split_once('.').map_or(time, |(whole, _)| whole).trim();
    if !time.is_empty() {
        let mut pieces = time.split(':');
        for (slot, most) in result.iter_mut().skip(3).zip([23, 59, 59]) {
            let Some(piece) = pieces.next() else { break };
            *slot = number(piece, most)?;
        }
        if pieces.next().is_some() {
            return None;
        }
    }
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_stored_so_that_they_compare() {
        assert_eq!(of(UNIX_EPOCH), "1970-01-01 00:00:00");
        assert_eq!(of(UNIX_EPOCH + Duration::from_secs(1_709_210_096)), "2024-02-29 12:34:56");
        assert_eq!(of(UNIX_EPOCH + Duration::from_secs(1_735_689_599)), "2024-12-31 23:59:59");
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
        assert_eq!(from_condition("2025-03-04T14:12:01.0"), "2025-03-04 14:12:01");
        for text in ["Mar 4, 2025 2:12:01 PM", "", "2025", "2025-13-01", "2025-03-04 1:2:3:4", "yesterday"] {
            assert_eq!(from_condition(text), "0000-00-00 00:00:00", "{text}");
        }
    }
}
