//! ZQL text as tokens.

use super::super::error::ServerError;

/// Keywords; none of them can be a field's name (Z2). Those of two or three words have exactly one space between them
/// (Z1), and stand before the words that they begin with.
const KEYWORDS: [&str; 35] = [
    "is not null",
    "is null",
    "not in",
    "not like",
    "not has",
    "order by",
    "group by",
    "restrict by",
    "return with",
    "named as",
    "limit",
    "offset",
    "count",
    "sum",
    "query",
    "search",
    "by",
    "in",
    "on",
    "like",
    "has",
    "and",
    "or",
    "asc",
    "desc",
    "from",
    "left",
    "right",
    "inner",
    "join",
    "where",
    "api",
    "output",
    "true",
    "false",
];

/// A keyword outside of the grammar.
const RESERVED: &str = "getapi";

const SYMBOLS: [&str; 11] = ["!=", ">=", "<=", "=", ">", "<", "(", ")", ",", ".", ";"];

/// One token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Keyword(&'static str),
    Word(String),
    Number(String),
    Text(String),
    Symbol(&'static str),
    End,
}

/// A token and its byte offset.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Placed {
    pub(super) token: Token,
    pub(super) at: usize,
}

/// Splits a text into tokens, the last of which is `End`.
pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, ServerError> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(first) = rest.chars().next() else { break };
        if first.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let (token, length) = if first == '\'' {
            string(rest).ok_or_else(|| malformed(text, at, "a string that does not end"))?
        } else if let Some(number) = number(rest) {
            (Token::Number(number.to_owned()), number.len())
        } else if is_word(first) {
            word(rest)
        } else if let Some(symbol) = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol)) {
            (Token::Symbol(symbol), symbol.len())
        } else {
            return Err(malformed(text, at, "a character that no word begins with"));
        };
        found.push(Placed { token, at });
        at += length;
    }
    found.push(Placed { token: Token::End, at: text.len() });
    Ok(found)
}

/// A syntax error with the ten characters around its position (Z7).
pub(super) fn malformed(text: &str, at: usize, what: &str) -> ServerError {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|character| *character != '\n').count();
    let lead: Vec<char> = before.chars().rev().take(5).collect();
    let around: String = lead.into_iter().rev().chain(text.get(at..).unwrap_or_default().chars().take(5)).collect();
    ServerError::internal(format!("failed to parse the ZQL at line {line}:{column}, near [{around}]: {what}"))
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

fn word(rest: &str) -> (Token, usize) {
    let keyword = KEYWORDS
        .into_iter()
        .chain([RESERVED])
        .find(|keyword| rest.strip_prefix(keyword).is_some_and(|after| !after.chars().next().is_some_and(is_word)));
    match keyword {
        Some(keyword) => (Token::Keyword(keyword), keyword.len()),
        None => {
            let length = rest.find(|character| !is_word(character)).unwrap_or(rest.len());
            (Token::Word(rest[..length].to_owned()), length)
        }
    }
}

/// The number at the start of a text: `12`, `-3`, `1.5`. Digits before a letter are a word.
fn number(rest: &str) -> Option<&str> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let sign = usize::from(rest.starts_with('-'));
    let whole = digits(&rest[sign..]);
    if whole == 0 {
        return None;
    }
    let mut length = sign + whole;
    if let Some(fraction) = rest[length..].strip_prefix('.').map(digits).filter(|fraction| *fraction > 0) {
        length += 1 + fraction;
    }
    (!rest[length..].chars().next().is_some_and(is_word)).then(|| &rest[..length])
}

/// The string at the start of a text, and its length. A quote in it is doubled (Z2). Backslashes are handled as the
/// database does: before `%` and `_` they are kept, for patterns.
fn string(rest: &str) -> Option<(Token, usize)> {
    let mut value = String::new();
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '\'' => {
                if characters.next_if(|(_, next)| *next == '\'').is_none() {
                    return Some((Token::Text(value), at + 1));
                }
                value.push('\'');
            }
            '\\' => match characters.peek().map(|(_, next)| *next) {
                // The grammar has no escaped quote: the quote ends the string (Q6).
                None | Some('\'') => value.push('\\'),
                Some(next) => {
                    characters.next();
                    match next {
                        'n' => value.push('\n'),
                        't' => value.push('\t'),
                        'r' => value.push('\r'),
                        'b' => value.push('\u{8}'),
                        '0' => value.push('\0'),
                        'Z' => value.push('\u{1a}'),
                        '%' | '_' => value.extend(['\\', next]),
                        other => value.push(other),
                    }
                }
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Token> {
        tokens(text).expect("the text has tokens only").into_iter().map(|placed| placed.token).collect()
    }

    #[test]
    fn keywords_have_exactly_one_blank() {
        let word = |text: &str| Token::Word(text.to_owned());
        assert_eq!(kinds("order by"), [Token::Keyword("order by"), Token::End]);
        assert_eq!(kinds("order  by"), [word("order"), Token::Keyword("by"), Token::End]);
        assert_eq!(kinds("is not null"), [Token::Keyword("is not null"), Token::End]);
        assert_eq!(
            kinds("Order input orx or"),
            [word("Order"), word("input"), word("orx"), Token::Keyword("or"), Token::End]
        );
    }

    #[test]
    fn strings_double_their_quotes_and_backslashes() {
        for (text, value) in [
            ("'it''s'", "it's"),
            ("''", ""),
            ("'a\\\\b'", "a\\b"),
            ("'50\\%'", "50\\%"),
            ("'a\\\\%'", "a\\%"),
            ("'é'", "é"),
        ] {
            assert_eq!(kinds(text), [Token::Text(value.to_owned()), Token::End], "{text}");
        }
        for text in ["'a", "'it\\'s'", "'a''"] {
            assert!(tokens(text).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_are_not_words() {
        assert_eq!(
            kinds("12 -3 1.5 1a")[..3],
            [Token::Number("12".into()), Token::Number("-3".into()), Token::Number("1.5".into())]
        );
        assert_eq!(kinds("1a")[0], Token::Word("1a".into()));
    }

    #[test]
    fn errors_tell_the_place_and_what_is_around_it() {
        let error = tokens("query zone where name ? 'x'").expect_err("a question mark is no token");
        assert_eq!(
            error.to_string(),
            "SYS.1000: failed to parse the ZQL at line 1:22, near [name ? 'x']: a character that no word begins with"
        );
    }
}
