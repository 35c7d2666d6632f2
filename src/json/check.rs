//! Incremental validation of JSON text: finds the end of a value and syntax errors.

use super::lexis::{is_blank, string_stop};

/// The maximum nesting of lists and maps. Replies nest a dozen levels; recursion over a value of this depth is far from
/// the stack limit.
pub const DEPTH_LIMIT: usize = 512;

/// What is wrong with JSON text. Offsets count bytes from the start of the text that was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Unexpected text.
    #[error("{expected} expected at byte {at}")]
    Syntax {
        /// The byte offset.
        at: usize,
        /// What was expected.
        expected: &'static str,
    },
    /// Lists and maps are nested deeper than [`DEPTH_LIMIT`].
    #[error("nested deeper than {DEPTH_LIMIT} levels at byte {at}")]
    TooDeep {
        /// The byte offset.
        at: usize,
    },
    /// The text ends within a value.
    #[error("the text ends within a value")]
    Unfinished,
}

/// The progress of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// The value ends before this offset.
    Done(usize),
    /// More text is needed: continue from this offset.
    More(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Value,
    ValueOrEnd,
    NameOrEnd,
    Name,
    Colon,
    CommaOrEnd,
    /// The rest of a string.
    InName,
    InText,
}

/// Checks one value whose text arrives in any number of chunks.
pub(super) struct Checker {
    due: Expected,
    depth: usize,
    /// One bit a level: whether it is a map.
    maps: [u64; DEPTH_LIMIT / 64],
}

impl Checker {
    /// A checker for a value inside `outer` levels of other values.
    pub(super) fn new(outer: usize) -> Checker {
        Checker { due: Expected::Value, depth: outer.min(DEPTH_LIMIT), maps: [0; DEPTH_LIMIT / 64] }
    }

    /// Continues at `at`. `base` is the depth at which the value is complete: the argument of `new`.
    #[inline]
    pub(super) fn check(&mut self, bytes: &[u8], mut at: usize, base: usize) -> Result<Progress, ParseError> {
        loop {
            if matches!(self.due, Expected::InName | Expected::InText) {
                match string_rest(bytes, at)? {
                    Progress::More(from) => return Ok(Progress::More(from)),
                    Progress::Done(end) => at = end,
                }
                if self.due == Expected::InName {
                    self.due = Expected::Colon;
                } else {
                    self.due = Expected::CommaOrEnd;
                    if self.depth == base {
                        return Ok(Progress::Done(at));
                    }
                }
            }
            let Some(&byte) = bytes.get(at) else { return Ok(Progress::More(at)) };
            if is_blank(byte) {
                at += 1;
                continue;
            }
            match self.due {
                Expected::CommaOrEnd => match byte {
                    b',' => {
                        self.due = if self.in_map() { Expected::Name } else { Expected::Value };
                        at += 1;
                    }
                    b'}' if self.in_map() => {
                        at += 1;
                        if self.close(base) {
                            return Ok(Progress::Done(at));
                        }
                    }
                    b']' if !self.in_map() => {
                        at += 1;
                        if self.close(base) {
                            return Ok(Progress::Done(at));
                        }
                    }
                    _ => {
                        let expected = if self.in_map() { "`,` or `}`" } else { "`,` or `]`" };
                        return Err(ParseError::Syntax { at, expected });
                    }
                },
                Expected::Colon => {
                    if byte != b':' {
                        return Err(ParseError::Syntax { at, expected: "`:`" });
                    }
                    self.due = Expected::Value;
                    at += 1;
                }
                Expected::Name | Expected::NameOrEnd => match byte {
                    b'"' => {
                        self.due = Expected::InName;
                        at += 1;
                    }
                    b'}' if self.due == Expected::NameOrEnd => {
                        at += 1;
                        if self.close(base) {
                            return Ok(Progress::Done(at));
                        }
                    }
                    _ => return Err(ParseError::Syntax { at, expected: "a member" }),
                },
                Expected::Value | Expected::ValueOrEnd => match byte {
                    b'"' => {
                        self.due = Expected::InText;
                        at += 1;
                    }
                    b'{' => {
                        self.open(true, at)?;
                        self.due = Expected::NameOrEnd;
                        at += 1;
                    }
                    b'[' => {
                        self.open(false, at)?;
                        self.due = Expected::ValueOrEnd;
                        at += 1;
                    }
                    b']' if self.due == Expected::ValueOrEnd => {
                        at += 1;
                        if self.close(base) {
                            return Ok(Progress::Done(at));
                        }
                    }
                    _ => match scalar_end(bytes, at, byte)? {
                        None => return Ok(Progress::More(at)),
                        Some(end) => {
                            at = end;
                            self.due = Expected::CommaOrEnd;
                            if self.depth == base {
                                return Ok(Progress::Done(at));
                            }
                        }
                    },
                },
                // Handled above; another iteration is correct in any case.
                Expected::InName | Expected::InText => {}
            }
        }
    }

    #[inline(always)]
    fn in_map(&self) -> bool {
        let level = self.depth.saturating_sub(1);
        self.maps[level / 64 % self.maps.len()] >> (level % 64) & 1 == 1
    }

    #[inline(always)]
    fn open(&mut self, is_map: bool, at: usize) -> Result<(), ParseError> {
        if self.depth >= DEPTH_LIMIT {
            return Err(ParseError::TooDeep { at });
        }
        let bit = 1u64 << (self.depth % 64);
        let word = &mut self.maps[self.depth / 64];
        if is_map {
            *word |= bit
        } else {
            *word &= !bit
        }
        self.depth += 1;
        Ok(())
    }

    /// Leaves a level. Returns whether the value is complete.
    #[inline(always)]
    fn close(&mut self, base: usize) -> bool {
        self.depth = self.depth.saturating_sub(1);
        self.due = Expected::CommaOrEnd;
        self.depth <= base
    }
}

/// Checks the rest of a string up to its closing quote.
#[inline(always)]
fn string_rest(bytes: &[u8], mut at: usize) -> Result<Progress, ParseError> {
    loop {
        at = string_stop(bytes, at);
        match bytes.get(at) {
            None => return Ok(Progress::More(at)),
            Some(b'"') => return Ok(Progress::Done(at + 1)),
            Some(b'\\') => match escape_end(bytes, at)? {
                None => return Ok(Progress::More(at)),
                Some(end) => at = end,
            },
            Some(_) => return Err(ParseError::Syntax { at, expected: "no raw control character in a string" }),
        }
    }
}

/// The offset after the escape that starts at `at`; `None` when the text ends within it.
fn escape_end(bytes: &[u8], at: usize) -> Result<Option<usize>, ParseError> {
    match bytes.get(at + 1) {
        None => Ok(None),
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(Some(at + 2)),
        Some(b'u') => {
            for digit in at + 2..at + 6 {
                match bytes.get(digit) {
                    None => return Ok(None),
                    Some(byte) if byte.is_ascii_hexdigit() => {}
                    Some(_) => return Err(ParseError::Syntax { at: digit, expected: "a hexadecimal digit" }),
                }
            }
            Ok(Some(at + 6))
        }
        Some(_) => Err(ParseError::Syntax { at: at + 1, expected: "an escape" }),
    }
}

/// The offset after a number, `true`, `false` or `null`; `None` when more text is needed to tell.
#[inline(always)]
fn scalar_end(bytes: &[u8], at: usize, first: u8) -> Result<Option<usize>, ParseError> {
    match first {
        b'-' | b'0'..=b'9' => number_end(bytes, at),
        b't' => word_end(bytes, at, b"true"),
        b'f' => word_end(bytes, at, b"false"),
        b'n' => word_end(bytes, at, b"null"),
        _ => Err(ParseError::Syntax { at, expected: "a value" }),
    }
}

fn word_end(bytes: &[u8], at: usize, word: &'static [u8]) -> Result<Option<usize>, ParseError> {
    for (index, expected) in word.iter().enumerate() {
        match bytes.get(at + index) {
            None => return Ok(None),
            Some(byte) if byte == expected => {}
            Some(_) => return Err(ParseError::Syntax { at, expected: "a value" }),
        }
    }
    Ok(Some(at + word.len()))
}

/// The maximum number of digits; a number is scanned again for each chunk.
const NUMBER_LIMIT: usize = 4096;

#[inline(always)]
fn number_end(bytes: &[u8], start: usize) -> Result<Option<usize>, ParseError> {
    let end = number(bytes, start)?;
    if end.unwrap_or(bytes.len()) - start > NUMBER_LIMIT {
        return Err(ParseError::Syntax { at: start, expected: "a number of at most 4096 digits" });
    }
    Ok(end)
}

#[inline(always)]
fn number(bytes: &[u8], start: usize) -> Result<Option<usize>, ParseError> {
    let mut at = start + usize::from(bytes.get(start) == Some(&b'-'));
    // The integer part: one zero, or digits without a leading zero.
    let whole = at;
    let Some(mut at) = digits_end(bytes, &mut at)? else { return Ok(None) };
    if bytes.get(whole) == Some(&b'0') && at > whole + 1 {
        return Err(ParseError::Syntax { at: whole + 1, expected: "no digit behind a leading zero" });
    }
    if bytes.get(at) == Some(&b'.') {
        at += 1;
        match digits_end(bytes, &mut at)? {
            None => return Ok(None),
            Some(end) => at = end,
        }
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1;
        if matches!(bytes.get(at), Some(b'+' | b'-')) {
            at += 1;
        }
        match digits_end(bytes, &mut at)? {
            None => return Ok(None),
            Some(end) => at = end,
        }
    }
    Ok(Some(at))
}

/// The offset after one or more digits; `None` when the text ends first.
#[inline(always)]
fn digits_end(bytes: &[u8], at: &mut usize) -> Result<Option<usize>, ParseError> {
    let start = *at;
    while let Some(byte) = bytes.get(*at) {
        if !byte.is_ascii_digit() {
            return if *at > start {
                Ok(Some(*at))
            } else {
                Err(ParseError::Syntax { at: start, expected: "a digit" })
            };
        }
        *at += 1;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks `text` followed by a space, since only more text shows that a number has ended.
    fn check(text: &str) -> Result<Progress, ParseError> {
        let text = format!("{text} ");
        Checker::new(0).check(text.as_bytes(), 0, 0)
    }

    #[test]
    fn values_are_taken_whole() {
        for text in [
            "0",
            "-0.5e+10",
            "1.073741824E9",
            "9223372036854775807",
            "true",
            "false",
            "null",
            r#""""#,
            r#""\u00e9\ud83d\ude00\/\"\\""#,
            "[]",
            "{}",
            "[ 1 , [ ] , { } ]",
            r#"{ "a" : { "b" : [ { } ] } , "c" : "d" }"#,
            "\"\u{7f}\u{202e} é\"",
        ] {
            assert_eq!(check(text), Ok(Progress::Done(text.len())), "{text}");
        }
    }

    #[test]
    fn flaws_are_found_where_they_are() {
        let cases: &[(&str, usize)] = &[
            ("tru ", 0),
            ("nul1", 0),
            ("01", 1),
            ("-", 1),
            ("1.", 2),
            ("1e", 2),
            ("1.e3", 2),
            ("+1", 0),
            (".5", 0),
            ("NaN", 0),
            ("<html>", 0),
            ("[1 2]", 3),
            ("[1,]", 3),
            ("[,1]", 1),
            ("[1}", 2),
            (r#"{"a":1]"#, 6),
            (r#"{"a" 1}"#, 5),
            (r#"{"a":1,}"#, 7),
            ("{1:2}", 1),
            (r#"{"a":}"#, 5),
            (&"9".repeat(5000), 0),
            (r#""\x""#, 2),
            (r#""\u12g4""#, 5),
            ("\"a\nb\"", 2),
            ("\"a\u{1b}[31m\"", 2),
        ];
        for (text, place) in cases {
            match check(text) {
                Err(ParseError::Syntax { at, .. }) => assert_eq!(at, *place, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn nesting_has_a_limit() {
        let deep = format!("{}{}", "[".repeat(DEPTH_LIMIT), "]".repeat(DEPTH_LIMIT));
        assert_eq!(check(&deep), Ok(Progress::Done(deep.len())));
        let deeper = format!("[{deep}]");
        assert_eq!(check(&deeper), Err(ParseError::TooDeep { at: DEPTH_LIMIT }));
        let maps = r#"{"a":"#.repeat(DEPTH_LIMIT + 1);
        assert_eq!(check(&maps), Err(ParseError::TooDeep { at: DEPTH_LIMIT * 5 }));
    }

    #[test]
    fn a_check_goes_on_wherever_the_text_was_cut() {
        let text = r#"{"a\u00e9\\":[1.5e-3,true,{"b":"c\"d"},null,[],""],"e":-12} "#;
        for step in 1..text.len() {
            let mut checker = Checker::new(0);
            let mut from = 0;
            let mut end = 0;
            let done = loop {
                end = (end + step).min(text.len());
                match checker.check(&text.as_bytes()[..end], from, 0).expect("is JSON") {
                    Progress::Done(end) => break end,
                    Progress::More(at) => {
                        assert!(end < text.len(), "never done in steps of {step}");
                        from = at;
                    }
                }
            };
            assert_eq!(done, text.len() - 1, "in steps of {step}");
        }
    }
}
