//! The catalog's patterns for values, which are Java regular expressions.

use regex_bites::Regex;

/// Whether a pattern matches the whole text, like Java's `matches`. `None` where the engine cannot parse the pattern.
pub(crate) fn matches(pattern: &str, text: &str) -> Option<bool> {
    let mut parts = Parts::of(pattern).into_regexes()?.into_iter();
    let whole = parts.next()?.is_match(text);
    Some(whole && !parts.any(|forbidden| forbidden.is_match(text)))
}

/// A pattern split at its look-arounds, which the engine does not support. The patterns of the catalog have them only
/// at the start and the end.
struct Parts<'p> {
    whole: &'p str,
    /// What the text must not start with.
    not_before: Option<&'p str>,
    /// What the text must not end with.
    not_behind: Option<&'p str>,
}

impl<'p> Parts<'p> {
    fn of(pattern: &'p str) -> Parts<'p> {
        let (mut whole, mut not_before, mut not_behind) = (pattern, None, None);
        // Next to a `|`, a look-around applies to one branch only.
        if !pattern.contains('|') {
            let inner = whole.strip_prefix('^').unwrap_or(whole);
            if let Some((forbidden, rest)) = inner.strip_prefix("(?!").and_then(|rest| rest.split_once(')')) {
                (whole, not_before) = (rest, Some(forbidden));
            }
            let inner = whole.strip_suffix('$').unwrap_or(whole);
            if let Some((rest, forbidden)) = inner.strip_suffix(')').and_then(|rest| rest.rsplit_once("(?<!")) {
                (whole, not_behind) = (rest, Some(forbidden));
            }
        }
        Parts { whole, not_before, not_behind }
    }

    /// Returns the expression that must match, followed by those that must not.
    fn into_regexes(self) -> Option<Vec<Regex>> {
        let whole = format!(r"\A(?:{})\z", self.whole);
        let before = self.not_before.map(|forbidden| format!(r"\A(?:{forbidden})"));
        let behind = self.not_behind.map(|forbidden| format!(r"(?:{forbidden})\z"));
        [Some(whole), before, behind].into_iter().flatten().map(|part| Regex::new(&part).ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn every_pattern_of_the_catalog_compiles() {
        let catalog = Catalog::newest();
        let mut patterns = 0;
        for known in catalog.api_names() {
            let api = catalog.api(known.as_str()).expect("an indexed API is found");
            for pattern in api.parameters.iter().filter_map(|parameter| parameter.regex.as_deref()) {
                patterns += 1;
                assert!(matches(pattern, "").is_some(), "{} {pattern}", api.name);
            }
        }
        assert!(patterns > 0);
    }

    #[test]
    fn patterns_mean_what_java_makes_of_them() {
        for (pattern, text, expected) in [
            (r"\d{2}", "42", Some(true)),
            // Character classes are ASCII only: ARABIC-INDIC DIGIT FOUR and TWO, EM SPACE, e with an accent.
            (r"\d{2}", "\u{664}\u{662}", Some(false)),
            (r"a\sb", "a\u{2003}b", Some(false)),
            (r"a[\sx]b", "a\tb", Some(true)),
            (r"\w+", "\u{e9}", Some(false)),
            (r"[^\w]", "\u{e9}", Some(true)),
            (r"[\w-]+", "a-b", Some(true)),
            (r"\S\D\W", "\u{e9}\u{664}-", Some(true)),
            (r"[\u4e00-\u9fa5a-z]+", "\u{6d4b}a", Some(true)),
            (r"^(?! )[a-z ]*(?<! )$", " a", Some(false)),
            (r"^(?! )[a-z ]*(?<! )$", "a ", Some(false)),
            (r"^(?! )[a-z ]*(?<! )$", "a b", Some(true)),
            (r"^(?! )[a-z ]*(?<! )$", "", Some(true)),
            (r"^(?![0-9])[A-Za-z0-9_-]+$", "a9", Some(true)),
            (r"^(?![0-9])[A-Za-z0-9_-]+$", "9a", Some(false)),
            (r"(?!a)x|y", "y", None),
            (r"x(?=y)y", "xy", None),
            (r"\\d", r"\d", Some(true)),
            (r"\$", "$", Some(true)),
            (r"a", "ab", Some(false)),
            (r"^a|ab$", "ab", Some(true)),
            (r"(", "(", None),
            (r"\", "", None),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
