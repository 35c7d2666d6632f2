//! Moments as a node prints and compares them.

use std::fmt;

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// A moment in the node's own time zone. Later ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Moment { year, month, day, hour, minute, second } = self;
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }
}

/// Turns a moment into `YYYY-MM-DD hh:mm:ss`, the only form that a node compares rightly (Q10).
///
/// Taken are `YYYY`, `YYYY-MM`, `YYYY-MM-DD`, each of these with a time `hh:mm` or `hh:mm:ss` after a blank or
/// `T` where it names a day, and the form that replies print, `Mar 4, 2025 2:12:01 PM`. All are in the node's
/// own time zone. What is left out counts as its first value.
pub(crate) fn normalise(text: &str) -> Option<String> {
    iso(text.trim()).or_else(|| printed(text)).map(|moment| moment.to_string())
}

fn iso(text: &str) -> Option<Moment> {
    let (date, time) = match text.split_once(['T', ' ']) {
        Some((date, time)) => (date, Some(time.trim())),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let year = number(parts.next()?, 4, 1..=9999)?;
    let month = parts.next().map_or(Some(1), |part| number(part, 2, 1..=12))?;
    let day_part = parts.next();
    let day = day_part.map_or(Some(1), |part| number(part, 2, 1..=days_in(year, month)))?;
    if parts.next().is_some() || (time.is_some() && day_part.is_none()) {
        return None;
    }
    let (hour, minute, second) = match time {
        None => (0, 0, 0),
        Some(time) => clock(time, 0..=23)?,
    };
    Some(Moment { year, month, day, hour, minute, second })
}

/// `Mar 4, 2025 2:12:01 PM`; newer nodes put a comma after the year and a narrow blank before `PM` (N3).
pub(crate) fn printed(text: &str) -> Option<Moment> {
    let mut words = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty());
    let name = words.next()?;
    let month = u32::try_from(MONTHS.iter().position(|month| month.eq_ignore_ascii_case(name))?).ok()? + 1;
    let day_text = words.next()?;
    let year = number(words.next()?, 4, 1..=9999)?;
    let day = number(day_text, 2, 1..=days_in(year, month))?;
    let (hour, minute, second) = clock(words.next()?, 1..=12)?;
    let half = words.next()?;
    let hour = match (half.eq_ignore_ascii_case("AM"), half.eq_ignore_ascii_case("PM")) {
        (true, _) => hour % 12,
        (_, true) => hour % 12 + 12,
        _ => return None,
    };
    words.next().is_none().then_some(Moment { year, month, day, hour, minute, second })
}

fn clock(text: &str, hours: std::ops::RangeInclusive<u32>) -> Option<(u32, u32, u32)> {
    // MySQL keeps no fraction of a second here, and `.0` is what some tools append.
    let text = text.strip_suffix(".0").unwrap_or(text);
    let mut parts = text.split(':');
    let hour = number(parts.next()?, 2, hours)?;
    let minute = number(parts.next()?, 2, 0..=59)?;
    let second = parts.next().map_or(Some(0), |part| number(part, 2, 0..=59))?;
    parts.next().is_none().then_some((hour, minute, second))
}

fn number(text: &str, digits: usize, allowed: std::ops::RangeInclusive<u32>) -> Option<u32> {
    let plain = !text.is_empty() && text.len() <= digits && text.bytes().all(|byte| byte.is_ascii_digit());
    let full = digits != 4 || text.len() == 4;
    text.parse().ok().filter(|value| plain && full && allowed.contains(value))
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        ] {
            assert_eq!(normalise(text).as_deref(), Some(expected), "{text}");
        }
        for text in
            ["", "yesterday", "20", "2020-13", "2023-02-29", "2020 10:00", "Mar 4, 2025", "13:00", "2020-01-01 25:00"]
        {
            assert_eq!(normalise(text), None, "{text}");
        }
    }
}
