//! Matching of names: prefix, then CamelCase initials, then substring, then fuzzy.

use std::ops::Range;

/// How a name matches what was typed, best first. Case only decides between otherwise equal matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// The name is what was typed.
    Exact,
    /// The name is what was typed, ignoring case.
    ExactIgnoringCase,
    /// The name starts with what was typed.
    Prefix,
    /// The name starts with what was typed, ignoring case.
    PrefixIgnoringCase,
    /// What was typed abbreviates the CamelCase words of the name: `QBS` or `QueBaSt` for `QueryBackupStorage`.
    Humps,
    /// Like `Humps`, with some of the words left out: `QStorage`.
    HumpsLeftOut,
    /// The last field of a path through relations starts with what was typed.
    Related,
    /// The name contains what was typed, ignoring case.
    Substring,
    /// The name contains the typed characters in that order.
    Fuzzy,
}

impl Fit {
    /// Returns the class of the match, which ignores case.
    pub(crate) fn class(self) -> Class {
        match self {
            Fit::Exact | Fit::ExactIgnoringCase | Fit::Prefix | Fit::PrefixIgnoringCase => Class::Start,
            Fit::Humps | Fit::HumpsLeftOut => Class::Humps,
            Fit::Related | Fit::Substring | Fit::Fuzzy => Class::Middle,
        }
    }

    /// Whether the name starts with what was typed, so that further typing can complete it.
    pub fn extends(self) -> bool {
        self <= Fit::PrefixIgnoringCase
    }
}

/// A coarser grading of matches, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// The name starts with what was typed.
    Start,
    /// What was typed abbreviates the CamelCase words of the name.
    Humps,
    /// The name contains what was typed.
    Middle,
}

/// The typed text, prepared for matching many names.
#[derive(Clone, Debug)]
pub(crate) struct Pattern<'t> {
    typed: &'t str,
    /// The typed text in ASCII lower case; names in the catalog are ASCII.
    lower: Vec<u8>,
}

impl<'t> Pattern<'t> {
    pub(crate) fn new(typed: &'t str) -> Pattern<'t> {
        Pattern { typed, lower: typed.to_ascii_lowercase().into_bytes() }
    }

    pub(crate) fn typed(&self) -> &'t str {
        self.typed
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lower.is_empty()
    }

    /// Returns how `name` matches, except for fuzzy matches: these are many and poor, so they are asked for separately.
    pub(crate) fn fit(&self, name: &str) -> Option<Fit> {
        let (typed, bytes) = (self.typed.as_bytes(), name.as_bytes());
        if typed.is_empty() {
            return Some(Fit::Prefix);
        }
        if bytes.len() < typed.len() {
            return None;
        }
        if bytes.starts_with(typed) {
            return Some(if bytes.len() == typed.len() { Fit::Exact } else { Fit::Prefix });
        }
        if bytes[..typed.len()].eq_ignore_ascii_case(typed) {
            let whole = bytes.len() == typed.len();
            return Some(if whole { Fit::ExactIgnoringCase } else { Fit::PrefixIgnoringCase });
        }
        if bytes[0].eq_ignore_ascii_case(&typed[0])
            && let Some(left_out) = humps(typed, bytes, &mut |_| {})
        {
            return Some(if left_out { Fit::HumpsLeftOut } else { Fit::Humps });
        }
        self.find(bytes).map(|_| Fit::Substring)
    }

    /// Returns the number of bytes of `name` that a fuzzy match spans; `None` where the typed characters do not all
    /// occur in order.
    pub(crate) fn fuzzy(&self, name: &str) -> Option<usize> {
        if self.lower.len() < 2 {
            return None;
        }
        let mut wanted = self.lower.iter();
        let mut next = wanted.next()?;
        let mut first = None;
        for (at, byte) in name.bytes().enumerate() {
            if byte.to_ascii_lowercase() == *next {
                let start = *first.get_or_insert(at);
                match wanted.next() {
                    Some(byte) => next = byte,
                    None => return Some(at + 1 - start),
                }
            }
        }
        None
    }

    /// Whether `name` matches in any way, including fuzzily.
    pub(crate) fn fits_at_all(&self, name: &str) -> bool {
        self.fit(name).is_some() || self.fuzzy(name).is_some()
    }

    /// Returns the byte ranges of `name` that match what was typed, for highlighting.
    pub(crate) fn matched(&self, name: &str) -> Vec<Range<usize>> {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        let mut push = |at: usize| match ranges.last_mut() {
            Some(last) if last.end == at => last.end = at + 1,
            _ => ranges.push(at..at + 1),
        };
        match self.fit(name) {
            _ if self.is_empty() => {}
            Some(fit) if fit.extends() => (0..self.typed.len()).for_each(push),
            Some(Fit::Humps | Fit::HumpsLeftOut) => {
                let mut places = Vec::new();
                humps(self.typed.as_bytes(), name.as_bytes(), &mut |at| places.push(at));
                // The innermost call reports its match first.
                places.into_iter().rev().for_each(push);
            }
            Some(_) => {
                if let Some(at) = self.find(name.as_bytes()) {
                    (at..at + self.typed.len()).for_each(push);
                }
            }
            None if self.fuzzy(name).is_none() => {}
            None => {
                let mut wanted = self.lower.iter().peekable();
                for (at, byte) in name.bytes().enumerate() {
                    if wanted.peek().is_some_and(|next| **next == byte.to_ascii_lowercase()) {
                        wanted.next();
                        push(at);
                    }
                }
            }
        }
        // Text other than ASCII is matched byte by byte; ranges must not cut a character.
        ranges.retain(|range| name.is_char_boundary(range.start) && name.is_char_boundary(range.end));
        ranges
    }

    /// Returns the byte offset at which `name` contains what was typed.
    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        if self.is_empty() { Some(0) } else { self.find(name.as_bytes()).filter(|at| name.is_char_boundary(*at)) }
    }

    fn find(&self, name: &[u8]) -> Option<usize> {
        let (first, rest) = self.lower.split_first()?;
        let last = name.len().checked_sub(self.lower.len())?;
        (0..=last).find(|&at| {
            name[at].to_ascii_lowercase() == *first
                && name[at + 1..].iter().zip(rest).all(|(byte, wanted)| byte.to_ascii_lowercase() == *wanted)
        })
    }
}

/// Whether `typed` abbreviates the CamelCase words of `name`, starting with the first. Returns whether words were left
/// out in between. Calls `place` with the matched byte offsets, last first.
fn humps(typed: &[u8], name: &[u8], place: &mut dyn FnMut(usize)) -> Option<bool> {
    // Each step continues inside a word or jumps to the start of a later one. The budget limits backtracking, which
    // could take long in a name of many equal words.
    fn step(typed: &[u8], name: &[u8], at: usize, budget: &mut u32, place: &mut dyn FnMut(usize)) -> Option<bool> {
        let Some((wanted, rest)) = typed.split_first() else { return Some(false) };
        *budget = budget.checked_sub(1)?;
        if at < name.len()
            && name[at].eq_ignore_ascii_case(wanted)
            && (at == 0 || !wanted.is_ascii_uppercase() || is_hump(name, at))
            && let Some(left_out) = step(rest, name, at + 1, budget, place)
        {
            place(at);
            return Some(left_out);
        }
        let mut starts = (at + 1..name.len()).filter(|&start| is_hump(name, start));
        // `at` itself may be the start of a word; a jump to the next one leaves it out.
        let mut skipped = is_hump(name, at);
        for start in &mut starts {
            if name[start].eq_ignore_ascii_case(wanted)
                && let Some(left_out) = step(rest, name, start + 1, budget, place)
            {
                place(start);
                return Some(left_out || skipped);
            }
            skipped = true;
        }
        None
    }
    if !name.first()?.eq_ignore_ascii_case(typed.first()?) {
        return None;
    }
    let mut budget = 64;
    let left_out = step(&typed[1..], name, 1, &mut budget, place)?;
    place(0);
    Some(left_out)
}

fn is_hump(name: &[u8], at: usize) -> bool {
    let Some(byte) = name.get(at) else { return false };
    let before = at.checked_sub(1).map(|before| name[before]);
    let starts_word = before.is_none_or(|before| !before.is_ascii_alphanumeric());
    byte.is_ascii_uppercase() || (byte.is_ascii_alphanumeric() && starts_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_what_was_typed() {
        for (typed, name, expected) in [
            ("", "QueryZone", Some(Fit::Prefix)),
            ("QueryZone", "QueryZone", Some(Fit::Exact)),
            ("queryzone", "QueryZone", Some(Fit::ExactIgnoringCase)),
            ("QueryZ", "QueryZone", Some(Fit::Prefix)),
            ("queryz", "QueryZone", Some(Fit::PrefixIgnoringCase)),
            ("QBS", "QueryBackupStorage", Some(Fit::Humps)),
            ("qbs", "QueryBackupStorage", Some(Fit::Humps)),
            ("QueBaSt", "QueryBackupStorage", Some(Fit::Humps)),
            ("QL3N", "QueryL3Network", Some(Fit::Humps)),
            ("QStor", "QueryBackupStorage", Some(Fit::HumpsLeftOut)),
            ("kust", "QueryBackupStorage", None),
            ("backupst", "QueryBackupStorage", Some(Fit::Substring)),
            ("BS", "QueryBackupStorage", None),
            ("zones", "Zone", None),
            ("host-1", "kvm-host-1", Some(Fit::Substring)),
            ("机", "一号机", Some(Fit::Substring)),
        ] {
            assert_eq!(Pattern::new(typed).fit(name), expected, "{typed} {name}");
        }
    }

    #[test]
    fn fuzzy_needs_all_characters_in_order() {
        assert_eq!(Pattern::new("qyzn").fuzzy("QueryZone"), Some(8));
        assert_eq!(Pattern::new("zq").fuzzy("QueryZone"), None);
        assert_eq!(Pattern::new("q").fuzzy("QueryZone"), None);
    }

    #[test]
    fn the_matching_part_is_told() {
        for (typed, name, expected) in [
            ("que", "QueryZone", &[(0, 3)][..]),
            ("QBS", "QueryBackupStorage", &[(0, 1), (5, 6), (11, 12)]),
            ("QueBaSt", "QueryBackupStorage", &[(0, 3), (5, 7), (11, 13)]),
            ("zone", "QueryZone", &[(5, 9)]),
            ("qzn", "QueryZone", &[(0, 1), (5, 6), (7, 8)]),
            ("号", "一号机", &[(3, 6)]),
            ("xyz", "QueryZone", &[]),
        ] {
            let matched: Vec<(usize, usize)> =
                Pattern::new(typed).matched(name).into_iter().map(|range| (range.start, range.end)).collect();
            assert_eq!(matched, expected, "{typed} {name}");
        }
    }

    #[test]
    fn a_name_of_equal_humps_takes_no_time() {
        let name = "Aa".repeat(400);
        let typed = format!("{}z", "a".repeat(300));
        assert_eq!(Pattern::new(&typed).fit(&name), None);
    }
}
