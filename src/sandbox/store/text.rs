//! Comparing text as the database of a node does: ignoring case and trailing spaces (Q9).
//!
//! SQLite's own comparisons ignore the case of ASCII letters only. They are used for ASCII, since they can use indexes;
//! these functions are for other text.

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;

/// Adds the SQL functions `same_text(a, b)` and `like_text(text, pattern)`, which return null if an argument is null.
pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    let function = |compare: fn(&str, &str) -> bool| {
        move |context: &rusqlite::functions::Context<'_>| -> rusqlite::Result<Option<bool>> {
            match (context.get_raw(0), context.get_raw(1)) {
                (ValueRef::Text(left), ValueRef::Text(right)) => {
                    Ok(Some(compare(&String::from_utf8_lossy(left), &String::from_utf8_lossy(right))))
                }
                _ => Ok(None),
            }
        }
    };
    super::snapshot_tree::register(connection)?;
    connection.create_scalar_function("same_text", 2, flags, function(same))?;
    connection.create_scalar_function("like_text", 2, flags, function(like))
}

/// Whether two texts are equal, ignoring case and trailing spaces.
pub(super) fn same(left: &str, right: &str) -> bool {
    let fold = |text: &str| -> Vec<char> { text.trim_end_matches(' ').chars().map(folded).collect() };
    fold(left) == fold(right)
}

/// Whether the whole text matches the pattern, ignoring case: `%` matches any text, `_` one character, `\` escapes the
/// next character.
pub(super) fn like(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.chars().map(folded).collect();
    let mut tokens = Vec::new();
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        tokens.push(match character {
            '%' => Token::Any,
            '_' => Token::One,
            '\\' => Token::Exactly(folded(characters.next().unwrap_or('\\'))),
            other => Token::Exactly(folded(other)),
        });
    }
    // On a mismatch only the last `%` needs to match one more character.
    let (mut at, mut token, mut retry) = (0, 0, None);
    while at < text.len() {
        match tokens.get(token) {
            Some(Token::Any) => {
                token += 1;
                retry = Some((at, token));
            }
            Some(Token::One) => (at, token) = (at + 1, token + 1),
            Some(Token::Exactly(wanted)) if text[at] == *wanted => (at, token) = (at + 1, token + 1),
            _ => match retry {
                Some((from, after)) => {
                    retry = Some((from + 1, after));
                    (at, token) = (from + 1, after);
                }
                None => return false,
            },
        }
    }
    tokens[token..].iter().all(|token| matches!(token, Token::Any))
}

enum Token {
    Any,
    One,
    Exactly(char),
}

/// The lower-case form of a character, if that is a single character.
fn folded(character: char) -> char {
    let mut lower = character.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(single), None) => single,
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_the_same_without_regard_to_case_and_trailing_blanks() {
        assert!(same("Web-1", "wEB-1  "));
        assert!(same("BÜRO", "büro"));
        assert!(!same(" web", "web"));
        assert!(!same("web", "webb"));
    }

    #[test]
    fn patterns_cover_the_whole_text() {
        for (text, pattern, fits) in [
            ("web-1", "web%", true),
            ("web-1", "WEB-_", true),
            ("web-1", "web", false),
            ("a web", "web%", false),
            ("", "%", true),
            ("", "_", false),
            ("", "", true),
            ("aXbXc", "a%x%c", true),
            ("aaab", "%aab", true),
            ("100%", "100\\%", true),
            ("1000", "100\\%", false),
            ("a_b", "a\\_b", true),
            ("axb", "a\\_b", false),
            ("a\\b", "a\\\\b", true),
            ("ab", "a\\b", true),
            ("Ärger", "ä%", true),
            ("web ", "web", false),
        ] {
            assert_eq!(like(text, pattern), fits, "{text} like {pattern}");
        }
    }
}
