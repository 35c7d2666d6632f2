//! The patterns that the catalog has for values, which are Java's.

use fancy_regex::Regex;

/// Whether a pattern matches the whole of a text, as Java's `matches` does. `None` where it cannot be read here.
pub(crate) fn matches(pattern: &str, text: &str) -> Option<bool> {
    Regex::new(&whole(pattern)).ok()?.is_match(text).ok()
}

/// The pattern for the whole text. Java's short classes are of ASCII; spelled out, they need no tables of Unicode,
/// which are most of what the loader has to correct when a program starts.
fn whole(pattern: &str) -> String {
    let mut whole = String::from(r"\A(?:");
    let mut rest = pattern;
    while let Some(at) = rest.find('\\') {
        let class = match rest.as_bytes().get(at + 1) {
            Some(b'd') => "[0-9]",
            Some(b'D') => "[^0-9]",
            Some(b's') => r"[ \t\n\x0B\f\r]",
            Some(b'S') => r"[^ \t\n\x0B\f\r]",
            Some(b'w') => "[0-9A-Z_a-z]",
            Some(b'W') => "[^0-9A-Z_a-z]",
            _ => "",
        };
        whole.push_str(&rest[..at]);
        let escaped = rest[at + 1..].chars().next().map_or(0, char::len_utf8);
        let end = at + 1 + escaped;
        whole.push_str(if class.is_empty() { &rest[at..end] } else { class });
        rest = &rest[end..];
    }
    whole + rest + r")\z"
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
                Regex::new(&whole(pattern)).unwrap_or_else(|error| panic!("{} {pattern}: {error}", api.name));
            }
        }
        assert!(patterns > 0);
    }

    #[test]
    fn patterns_mean_what_java_makes_of_them() {
        for (pattern, text, expected) in [
            (r"\d{2}", "42", Some(true)),
            // ARABIC-INDIC DIGIT FOUR and TWO, EM SPACE, e with an accent.
            (r"\d{2}", "\u{664}\u{662}", Some(false)),
            (r"a\sb", "a\u{2003}b", Some(false)),
            (r"a[\sx]b", "a\tb", Some(true)),
            (r"\w+", "\u{e9}", Some(false)),
            (r"[^\w]", "\u{e9}", Some(true)),
            (r"[\w-]+", "a-b", Some(true)),
            (r"\S\D\W", "\u{e9}\u{664}-", Some(true)),
            (r"[\u4e00-\u9fa5a-z]+", "\u{6d4b}a", Some(true)),
            (r"^(?! )[a-z ]*(?<! )$", " a", Some(false)),
            (r"\\d", r"\d", Some(true)),
            (r"a", "ab", Some(false)),
            (r"a|ab", "ab", Some(true)),
            (r"(", "(", None),
            (r"\", "", None),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
