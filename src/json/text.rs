//! Unescaping and escaping strings, for JSON and for terminals.

use std::borrow::Cow;

/// Unescapes a JSON string: a literal with its quotes, or the text between them.
///
/// Unpaired surrogates and bytes that are not UTF-8 become U+FFFD.
pub fn unescape(literal: &[u8]) -> Cow<'_, str> {
    // Text between quotes cannot start with a quote, but may end in an escaped one.
    let inner = match literal.strip_prefix(b"\"") {
        Some(inner) => inner.strip_suffix(b"\"").unwrap_or(inner),
        None => literal,
    };
    if memchr::memchr(b'\\', inner).is_none() {
        return String::from_utf8_lossy(inner);
    }
    let text = String::from_utf8_lossy(inner);
    let mut out = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let mut chars = rest.chars();
        match chars.next() {
            None => {}
            Some('u') => {
                let (c, length) = unicode_escape(rest);
                out.push(c);
                rest = rest.get(length..).unwrap_or("");
                continue;
            }
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some(other) => out.push(other),
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The character of the escape at the start of `text`, which starts with its `u`, and its length.
fn unicode_escape(text: &str) -> (char, usize) {
    let unit = |at: usize| text.get(at..at + 4).and_then(|digits| u16::from_str_radix(digits, 16).ok());
    let Some(first) = unit(1) else { return (char::REPLACEMENT_CHARACTER, 1) };
    if let Some(c) = char::from_u32(u32::from(first)) {
        return (c, 5);
    }
    if text.get(5..7) == Some("\\u")
        && let Some(second) = unit(7)
        && let Some(Ok(c)) = char::decode_utf16([first, second]).next()
    {
        return (c, 11);
    }
    (char::REPLACEMENT_CHARACTER, 5)
}

/// Whether a character controls a terminal, is invisible, or changes the order of others: control characters,
/// bidirectional marks and overrides, line separators, byte order marks, soft hyphens, fillers, tags. The joiner U+200D
/// depends on the characters that it joins: see [`escape_unprintable`].
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
                | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// What makes one picture of several.
const JOINER: char = '\u{200d}';

/// Whether a joiner that stands between these joins pictures; anywhere else nobody sees it.
fn joins(before: Option<char>, after: Option<char>) -> bool {
    let is_picture = |c: char| matches!(c, '\u{2190}'..='\u{2bff}' | '\u{fe0f}' | '\u{1f000}'..='\u{1faff}');
    before.is_some_and(is_picture) && after.is_some_and(is_picture)
}

/// The characters of a text, with whether each has to be written as an escape.
fn judged(text: &str) -> impl Iterator<Item = (char, bool)> {
    let mut before = None;
    let mut chars = text.chars().peekable();
    std::iter::from_fn(move || {
        let c = chars.next()?;
        let hides = if c == JOINER { !joins(before, chars.peek().copied()) } else { is_unprintable(c) };
        before = Some(c);
        Some((c, hides))
    })
}

/// Whether text has no such character.
#[inline]
pub fn is_printable(text: &str) -> bool {
    let bytes = text.as_bytes();
    // ASCII, nearly always: one pass without branches.
    if bytes.iter().fold(true, |fine, &byte| fine & (b' '..0x7f).contains(&byte)) {
        return true;
    }
    !judged(text).any(|(_, hides)| hides)
}

/// Text with unprintable characters written as JSON escapes: `\n`, `\u001b`, `\u202e`. In a JSON string the result has
/// the same meaning; elsewhere it makes them visible.
pub fn escape_unprintable(text: &str) -> Cow<'_, str> {
    if is_printable(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for (c, hides) in judged(text) {
        if hides { push_escape(&mut out, c) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// JSON text with unprintable characters in strings written as escapes, which have the same meaning. Control characters
/// below U+0020 are unchanged, since valid JSON has them only between tokens.
pub fn terminal_safe(text: &[u8]) -> Cow<'_, [u8]> {
    if text.iter().fold(true, |fine, &byte| fine & (byte < 0x7f)) {
        return Cow::Borrowed(text);
    }
    let text = String::from_utf8_lossy(text);
    let mut out = String::with_capacity(text.len() + 16);
    for (c, hides) in judged(&text) {
        if c > '~' && hides { push_escape(&mut out, c) } else { out.push(c) }
    }
    Cow::Owned(out.into_bytes())
}

/// Writes a character as an escape within a string literal.
pub(super) fn push_escape(out: &mut String, c: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        _ => {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
}

/// Writes a JSON string literal that escapes only unprintable characters, unlike [`super::write_string`], which writes
/// ASCII.
pub fn write_literal(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut escape = String::new();
    for c in text.chars() {
        match c {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            c if is_unprintable(c) => {
                escape.clear();
                push_escape(&mut escape, c);
                out.extend_from_slice(escape.as_bytes());
            }
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_unescaped() {
        let cases: &[(&str, &str)] = &[
            (r#""plain""#, "plain"),
            (r#""""#, ""),
            (r#""a\"b\\c\/d\n\t\r\b\f""#, "a\"b\\c/d\n\t\r\u{8}\u{c}"),
            (r#""\u003cb\u003e \u00e9""#, "<b> é"),
            (r#""\ud83d\ude00!""#, "\u{1f600}!"),
            (r#""\ud83d x \ude00""#, "\u{fffd} x \u{fffd}"),
            (r#""\ud83d\u0041""#, "\u{fffd}A"),
            (r#""\u12""#, "\u{fffd}12"),
            (r#""ü\"#, "ü"),
            (r#"\"between\""#, "\"between\""),
            ("between", "between"),
        ];
        for (literal, text) in cases {
            assert_eq!(unescape(literal.as_bytes()), *text, "{literal}");
        }
        assert_eq!(unescape(b"\"a\xffb\""), "a\u{fffd}b");
    }

    #[test]
    fn what_acts_on_a_terminal_is_escaped() {
        assert!(matches!(escape_unprintable("日本 é 👍🏽 👩\u{200d}👧 ❤\u{fe0f}\u{200d}🔥"), Cow::Borrowed(_)));
        assert_eq!(escape_unprintable("a\u{ad}b\u{200d}c👩\u{200d}"), "a\\u00adb\\u200dc👩\\u200d");
        assert_eq!(
            escape_unprintable("\u{1b}[31m\u{202e}x\n\u{9b}\u{7f}\u{feff}\u{e0001}"),
            "\\u001b[31m\\u202ex\\n\\u009b\\u007f\\ufeff\\udb40\\udc01"
        );
    }

    #[test]
    fn json_text_is_made_safe_without_changing_its_meaning() {
        let text = "{\n\t\"a\u{202e}\": \"é\u{9b}31m\u{7f}\"}";
        assert_eq!(terminal_safe(text.as_bytes()), "{\n\t\"a\\u202e\": \"é\\u009b31m\\u007f\"}".as_bytes());
        assert!(matches!(terminal_safe(b"{\n \"a\":1}"), Cow::Borrowed(_)));
    }

    #[test]
    fn literals_keep_what_prints() {
        let mut out = Vec::new();
        write_literal(&mut out, "日本 \"\\\u{1b}\n");
        assert_eq!(String::from_utf8_lossy(&out), r#""日本 \"\\\u001b\n""#);
    }
}
