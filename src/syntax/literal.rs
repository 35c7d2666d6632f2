//! Structured values: JSON, or the Python literals that users of the original type.
//!
//! Both are one grammar here: strings in either quote, `true` and `True`, `null` and `None`, lists and
//! tuples, trailing commas. It is a grammar only; nothing is evaluated.

use crate::json::Value;

use super::numbers::is_number;

/// How deep lists and maps may nest.
const DEPTH: usize = 128;

/// Why a text is no literal. `at` is a byte offset in the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LiteralError {
    /// Something else stands where a value, a comma or a bracket belongs.
    #[error("{expected} expected at character {}", .at + 1)]
    Expected {
        /// What belongs there.
        expected: &'static str,
        /// The byte offset.
        at: usize,
    },
    /// A string is never closed.
    #[error("the string that starts at character {} is never closed", .at + 1)]
    OpenString {
        /// The byte offset of its quote.
        at: usize,
    },
    /// An escape in a string means nothing.
    #[error("bad escape at character {}", .at + 1)]
    Escape {
        /// The byte offset of its backslash.
        at: usize,
    },
    /// A bare word that is no constant, perhaps a string without quotes.
    #[error("`{word}` at character {} is neither a number nor true, false or null; strings need quotes", .at + 1)]
    BareWord {
        /// The word.
        word: String,
        /// The byte offset.
        at: usize,
    },
    /// A map has a name twice.
    #[error("the name \"{name}\" occurs twice")]
    Duplicate {
        /// The name.
        name: String,
        /// The byte offset of its second occurrence.
        at: usize,
    },
    /// Lists and maps nest too deeply.
    #[error("nested more than {DEPTH} levels deep")]
    TooDeep {
        /// The byte offset.
        at: usize,
    },
}

impl LiteralError {
    /// Where it is wrong, in bytes of the text.
    pub fn at(&self) -> usize {
        match self {
            LiteralError::Expected { at, .. }
            | LiteralError::OpenString { at }
            | LiteralError::Escape { at }
            | LiteralError::BareWord { at, .. }
            | LiteralError::Duplicate { at, .. }
            | LiteralError::TooDeep { at } => *at,
        }
    }
}

/// Reads one literal that fills the whole text.
///
/// # Errors
/// Each variant says what is wrong and where.
pub fn parse(text: &str) -> Result<Value, LiteralError> {
    let mut parser = Parser { text, at: 0 };
    let value = parser.value(0)?;
    parser.skip_blanks();
    if parser.at < text.len() {
        return Err(LiteralError::Expected { expected: "nothing more", at: parser.at });
    }
    Ok(value)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.next();
        }
    }

    fn eat(&mut self, wanted: char) -> bool {
        self.skip_blanks();
        let found = self.peek() == Some(wanted);
        if found {
            self.next();
        }
        found
    }

    fn value(&mut self, depth: usize) -> Result<Value, LiteralError> {
        self.skip_blanks();
        if depth > DEPTH {
            return Err(LiteralError::TooDeep { at: self.at });
        }
        match self.peek() {
            Some('{') => self.map(depth),
            Some('[') => self.list(']', depth),
            Some('(') => self.list(')', depth),
            Some('"' | '\'') => self.string().map(Value::Text),
            Some(c) if c.is_alphanumeric() || "-+._".contains(c) => self.word(),
            _ => Err(LiteralError::Expected { expected: "a value", at: self.at }),
        }
    }

    fn list(&mut self, end: char, depth: usize) -> Result<Value, LiteralError> {
        self.next();
        let mut items = Vec::new();
        loop {
            if self.eat(end) {
                return Ok(Value::List(items));
            }
            items.push(self.value(depth + 1)?);
            if !self.eat(',') {
                if self.eat(end) {
                    return Ok(Value::List(items));
                }
                let expected = if end == ']' { "`,` or `]`" } else { "`,` or `)`" };
                return Err(LiteralError::Expected { expected, at: self.at });
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, LiteralError> {
        self.next();
        let mut members: Vec<(String, Value)> = Vec::new();
        loop {
            if self.eat('}') {
                return Ok(Value::Map(members));
            }
            let at = self.at;
            if self.prefixed_quote().is_none() {
                return Err(LiteralError::Expected { expected: "a name in quotes", at });
            }
            let name = self.string()?;
            if members.iter().any(|(known, _)| *known == name) {
                return Err(LiteralError::Duplicate { name, at });
            }
            if !self.eat(':') {
                return Err(LiteralError::Expected { expected: "`:`", at: self.at });
            }
            members.push((name, self.value(depth + 1)?));
            if !self.eat(',') {
                if self.eat('}') {
                    return Ok(Value::Map(members));
                }
                return Err(LiteralError::Expected { expected: "`,` or `}`", at: self.at });
            }
        }
    }

    /// The quote at the cursor, past the `u` that Python 2 prints before one.
    fn prefixed_quote(&mut self) -> Option<char> {
        let rest = &self.text[self.at..];
        if rest.starts_with("u'") || rest.starts_with("u\"") {
            self.at += 1;
        }
        self.peek().filter(|c| matches!(c, '"' | '\''))
    }

    fn string(&mut self) -> Result<String, LiteralError> {
        let start = self.at;
        let quote = self.next();
        let mut out = String::new();
        loop {
            let at = self.at;
            match self.next() {
                None => return Err(LiteralError::OpenString { at: start }),
                c if c == quote => return Ok(out),
                Some('\\') => self.escape(at, &mut out)?,
                Some(c) => out.push(c),
            }
        }
    }

    fn escape(&mut self, at: usize, out: &mut String) -> Result<(), LiteralError> {
        let bad = || LiteralError::Escape { at };
        match self.next().ok_or_else(bad)? {
            c @ ('"' | '\'' | '\\' | '/') => out.push(c),
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'x' => out.push(self.hex(2).and_then(char::from_u32).ok_or_else(bad)?),
            'U' => out.push(self.hex(8).and_then(char::from_u32).ok_or_else(bad)?),
            'u' => {
                let mut unit = self.hex(4).ok_or_else(bad)?;
                if (0xd800..0xdc00).contains(&unit) {
                    if !self.text[self.at..].starts_with("\\u") {
                        return Err(bad());
                    }
                    self.at += 2;
                    let low = self.hex(4).filter(|low| (0xdc00..0xe000).contains(low)).ok_or_else(bad)?;
                    unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                }
                out.push(char::from_u32(unit).ok_or_else(bad)?);
            }
            _ => return Err(bad()),
        }
        Ok(())
    }

    fn hex(&mut self, digits: usize) -> Option<u32> {
        let text = self.text.get(self.at..self.at + digits)?;
        let value = text.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(text, 16).ok())?;
        self.at += digits;
        value
    }

    fn word(&mut self) -> Result<Value, LiteralError> {
        if self.prefixed_quote().is_some() {
            return self.string().map(Value::Text);
        }
        let at = self.at;
        let rest = &self.text[at..];
        let length = rest.find(|c: char| !c.is_alphanumeric() && !"-+._".contains(c)).unwrap_or(rest.len());
        let word = &rest[..length];
        self.at += length;
        match word {
            "true" | "True" => Ok(Value::Bool(true)),
            "false" | "False" => Ok(Value::Bool(false)),
            "null" | "None" => Ok(Value::Null),
            _ if is_number(word) => Ok(Value::Number(word.to_owned())),
            _ => Err(LiteralError::BareWord { word: word.to_owned(), at }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_python_literals_are_one_grammar() {
        for (text, json) in [
            (r#"[{"a": 1.50, "b": [true, false, null]}]"#, r#"[{"a":1.50,"b":[true,false,null]}]"#),
            ("[{'uuid':'x'},{'k':['A','B']}]", r#"[{"uuid":"x"},{"k":["A","B"]}]"#),
            ("{'t': True, 'f': False, 'n': None,}", r#"{"t":true,"f":false,"n":null}"#),
            ("(1, 2,)", "[1,2]"),
            ("{u'k': u\"v\"}", r#"{"k":"v"}"#),
            (r#""\u0041\ud83d\ude00\n\x41""#, r#""A\ud83d\ude00\nA""#),
            ("'it\\'s \"x\"'", r#""it's \"x\"""#),
            ("[]", "[]"),
            (" {} ", "{}"),
            ("9223372036854775807", "9223372036854775807"),
            ("1.073741824E9", "1.073741824E9"),
        ] {
            let value = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(value.to_json(None), json, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_where() {
        for (text, at) in [
            ("", 0),
            ("[1 2]", 3),
            ("[1", 2),
            ("{'a' 1}", 5),
            ("{a: 1}", 1),
            ("{'a': b}", 6),
            ("'open", 0),
            (r#""\q""#, 1),
            (r#""\ud83d""#, 1),
            ("[1] x", 4),
            ("{'a':1,'a':2}", 7),
            ("__import__('os')", 0),
            ("[lambda: 0]", 1),
            ("[1,,2]", 3),
            ("'a' 'b'", 4),
            (r#""\u00é""#, 1),
        ] {
            let error = parse(text).expect_err(text);
            assert_eq!(error.at(), at, "{text}: {error}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let deep = "[".repeat(100_000);
        assert!(matches!(parse(&deep), Err(LiteralError::TooDeep { .. })));
    }
}
