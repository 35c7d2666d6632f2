//! Dates as a node prints and compares them.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Turns a date into `YYYY-MM-DD hh:mm:ss`, the only form that a node compares correctly (Q10).
///
/// Accepted are `YYYY`, `YYYY-MM`, `YYYY-MM-DD`, the last with a time `hh:mm` or `hh:mm:ss` after a space or `T`, and
/// the form that replies contain, `Mar 4, 2025 2:12:01 PM`. All are in the node's own time zone. What is omitted is the
/// first of its kind.
pub(crate) fn normalise(text: &str) -> Option<String> {
    let text = text.trim();
    iso(text).or_else(|| printed(text)).map(compared)
}

/// The moment so long before `now`, in the form that a node compares: `-7d`, with the units of [`span`].
pub(crate) fn ago(text: &str, now: DateTime) -> Option<String> {
    let past = span(text.trim().strip_prefix('-')?)?;
    now.checked_sub(past).ok().map(compared)
}

/// A time span: `7d`, with `m` for minutes, `h`, `d` and `w`.
pub(crate) fn span(text: &str) -> Option<SignedDuration> {
    let (count, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let minutes = match unit {
        "m" => 1,
        "h" => 60,
        "d" => 24 * 60,
        "w" => 7 * 24 * 60,
        _ => return None,
    };
    let count: i64 = count.parse().ok().filter(|_| count.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some(SignedDuration::from_mins(count.checked_mul(minutes).filter(|minutes| *minutes < 1 << 40)?))
}

/// A time span as [`span`] reads it: `90m`, `36h`, `7d`.
pub(crate) fn span_text(span: SignedDuration) -> String {
    let minutes = span.as_mins();
    match minutes {
        _ if minutes % (24 * 60) == 0 => format!("{}d", minutes / (24 * 60)),
        _ if minutes % 60 == 0 => format!("{}h", minutes / 60),
        _ => format!("{minutes}m"),
    }
}

/// A date in the form that a node compares.
pub(crate) fn compared(date: DateTime) -> String {
    date.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn iso(text: &str) -> Option<DateTime> {
    if let Some((date, time)) = text.split_once(['T', ' ']) {
        // MySQL stores no fraction of a second here, and `.0` is what some tools append.
        let text = format!("{date} {}", time.strip_suffix(".0").unwrap_or(time));
        let formats = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"];
        return formats.iter().find_map(|format| parse(format, &text));
    }
    ["", "-01", "-01-01"].iter().find_map(|rest| parse("%Y-%m-%d", &format!("{text}{rest}")))
}

/// Reads a date by a format. jiff also accepts years of two digits, which are rejected.
fn parse(format: &str, text: &str) -> Option<DateTime> {
    DateTime::strptime(format, text).ok().filter(|date| date.year() >= 1000)
}

/// Reads `Mar 4, 2025 2:12:01 PM`; newer nodes put a comma after the year and a narrow space before `PM` (N3).
pub(crate) fn printed(text: &str) -> Option<DateTime> {
    // Most texts are no dates, and jiff is slow to say so.
    if !text.ends_with(['M', 'm']) || !text.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return None;
    }
    let words = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty());
    let text = words.collect::<Vec<_>>().join(" ");
    ["%b %d %Y %I:%M:%S %p", "%b %d %Y %I:%M %p"].iter().find_map(|format| parse(format, &text))
}

/// A date as tables on a terminal show it, `2025-03-04 14:12`: one of a node as it stands, since a node does not tell its
/// zone (N3), as does one of `sql`, and one of this program, `2025-03-04T14:12:01Z`, in the zone of this machine.
pub(crate) fn short(text: &str) -> Option<String> {
    let of_program = || text.ends_with('Z').then(|| text.parse::<Timestamp>().ok()).flatten();
    let of_sql = || parse("%Y-%m-%d %H:%M:%S", text).filter(|_| text.len() == 19);
    let date = printed(text).or_else(|| of_program().map(here)).or_else(of_sql)?;
    Some(date.strftime("%Y-%m-%d %H:%M").to_string())
}

/// How long ago something was: `12 s`, `5 min`, `3 h`, `2 d`.
pub(crate) fn age(age: Duration) -> String {
    match age.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds / 60),
        seconds @ 3600..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

/// How long before `now` a moment was, or its date in the zone of this machine once it is days ago.
pub(crate) fn age_or_date(moment: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(moment).as_secs();
    match u64::try_from(seconds) {
        Ok(seconds @ 0..172_800) => format!("{} ago", age(Duration::from_secs(seconds))),
        _ => here(moment).strftime("%Y-%m-%d %H:%M").to_string(),
    }
}

/// A moment in the zone of this machine.
pub(crate) fn here(moment: Timestamp) -> DateTime {
    moment.to_zoned(TimeZone::system()).datetime()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_told_by_how_long_ago_they_were() {
        let now = printed("Mar 4, 2025 2:12:01 PM").expect("a date");
        for (text, expected) in [
            ("-7d", Some("2025-02-25 14:12:01")),
            ("-2w", Some("2025-02-18 14:12:01")),
            ("-36h", Some("2025-03-03 02:12:01")),
            ("-15m", Some("2025-03-04 13:57:01")),
            ("-0d", Some("2025-03-04 14:12:01")),
            ("7d", None),
            ("-d", None),
            ("-", None),
            ("--7d", None),
            ("-7y", None),
            ("-7日", None),
            ("-99999999999999999999d", None),
            ("-9999999999d", None),
        ] {
            assert_eq!(ago(text, now).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn tables_show_what_sorts_and_fits() {
        assert_eq!(short("Mar 4, 2025 2:12:01 PM").as_deref(), Some("2025-03-04 14:12"));
        assert_eq!(short("Mar 4, 2025, 12:02:01\u{202f}AM").as_deref(), Some("2025-03-04 00:02"));
        let moment: Timestamp = "2025-03-04T14:12:01Z".parse().expect("a moment");
        let expected = here(moment).strftime("%Y-%m-%d %H:%M").to_string();
        assert_eq!(short("2025-03-04T14:12:01Z"), Some(expected));
        for text in ["", "soon", "2025-03-04", "Z", "AM"] {
            assert_eq!(short(text), None, "{text}");
        }
    }

    #[test]
    fn moments_become_what_the_node_compares() {
        for (text, expected) in [
            ("2020", "2020-01-01 00:00:00"),
            ("2020-03", "2020-03-01 00:00:00"),
            ("2020-3-4", "2020-03-04 00:00:00"),
            ("2020-03-04 05:06", "2020-03-04 05:06:00"),
            ("2020-03-04T05:06:07", "2020-03-04 05:06:07"),
            ("Mar 4, 2025 2:12:01 PM", "2025-03-04 14:12:01"),
            ("Mar 4, 2025, 12:12:01\u{202f}AM", "2025-03-04 00:12:01"),
            ("2024-02-29", "2024-02-29 00:00:00"),
            (" 2020-03-04 5:6:7.0 ", "2020-03-04 05:06:07"),
            ("mar 4, 2025 2:12 pm", "2025-03-04 14:12:00"),
        ] {
            assert_eq!(normalise(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "",
            "yesterday",
            "20",
            "2020-13",
            "2020-1-2-3",
            "2020-03-04 5",
            "Mar 4, 25 2:12:01 PM",
            "25-03-04",
            "Mar 32, 2025 2:12:01 PM",
            "2023-02-29",
            "2020 10:00",
            "Mar 4, 2025",
            "13:00",
            "2020-01-01 25:00",
        ] {
            assert_eq!(normalise(text), None, "{text}");
        }
    }
}
