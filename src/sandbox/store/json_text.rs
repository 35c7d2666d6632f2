//! Writing JSON as the node's library does, which also escapes `<`, `>`, `&`, `=` and `'` (N5).

use std::borrow::Cow;
use std::fmt::Write as _;

use rusqlite::types::{Value as Sql, ValueRef};

use super::model::{InventoryModel, Kind};
use super::timestamp;

/// Writes a JSON string.
pub(super) fn write_string(out: &mut String, text: &str) {
    out.push('"');
    write_escaped(out, text, is_special);
    out.push('"');
}

/// A JSON text with the characters escaped that only this library escapes. They occur in JSON only within strings.
pub(in crate::sandbox) fn escape_markup(json: &str) -> Cow<'_, str> {
    if position(json, is_markup).is_none() {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 64);
    write_escaped(&mut out, json, is_markup);
    Cow::Owned(out)
}

#[inline(always)]
fn is_markup(byte: u8) -> bool {
    (byte == b'<') | (byte == b'>') | (byte == b'&') | (byte == b'=') | (byte == b'\'')
}

/// Whether a character beginning with this byte may need an escape: U+2028 and U+2029 begin with 0xE2.
#[inline(always)]
fn is_special(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\') | (byte == 0xe2) | is_markup(byte)
}

/// The first of the bytes that are special. Most text has none, which is seen for many bytes at once if the test has no
/// branches.
#[inline(always)]
fn position(text: &str, is_special: impl Fn(u8) -> bool) -> Option<usize> {
    const AT_ONCE: usize = 16;
    let bytes = text.as_bytes();
    let has_special = |bytes: &[u8]| bytes.iter().fold(false, |found, byte| found | is_special(*byte));
    let plain = bytes.chunks_exact(AT_ONCE).take_while(|bytes| !has_special(bytes)).count() * AT_ONCE;
    bytes[plain..].iter().position(|byte| is_special(*byte)).map(|at| plain + at)
}

/// Copies text in runs without special characters; copying single characters takes several times as long.
fn write_escaped(out: &mut String, text: &str, is_special: impl Fn(u8) -> bool) {
    let mut rest = text;
    while let Some(at) = position(rest, &is_special) {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        let mut characters = special.chars();
        match characters.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some('\u{8}') => out.push_str("\\b"),
            Some('\u{c}') => out.push_str("\\f"),
            Some(other @ ('<' | '>' | '&' | '=' | '\'' | '\0'..='\u{1f}' | '\u{2028}' | '\u{2029}')) => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(other));
            }
            Some(other) => out.push(other),
            None => {}
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
}

/// Whether secret members are printed or hidden (Z6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Secrecy {
    Shown,
    Hidden,
}

impl Secrecy {
    /// Whether a member's value is hidden: a secret by its name, since the catalog marks parameters only.
    pub(super) fn hides(self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        self == Secrecy::Hidden && ["password", "secret", "token", "privatekey"].iter().any(|end| name.ends_with(end))
    }
}

/// Writes a stored value. Returns `false`, and writes nothing, for null.
pub(super) fn write_column(json: &mut String, kind: &Kind, value: ValueRef<'_>, is_hidden: bool) -> bool {
    // Writing to a string cannot fail.
    let _ = match value {
        ValueRef::Null | ValueRef::Blob(_) => return false,
        ValueRef::Integer(number) if *kind == Kind::Bool => write!(json, "{}", number != 0),
        ValueRef::Integer(number) => write!(json, "{number}"),
        // As Java prints doubles: 2.0, never 2.
        ValueRef::Real(number) => write!(json, "{number:?}"),
        ValueRef::Text(bytes) => {
            // Checking first is much faster for the text that is stored.
            let text = std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed);
            match kind {
                _ if is_hidden => write_string(json, "*****"),
                Kind::Json => json.push_str(&escape_markup(&text)),
                Kind::Timestamp => timestamp::write_wire(json, &text),
                _ => write_string(json, &text),
            }
            Ok(())
        }
    };
    true
}

/// A computed value as JSON; `null` if there is none.
pub(super) fn value(kind: &Kind, value: &Sql) -> String {
    let mut json = String::new();
    if write_column(&mut json, kind, value.into(), false) { json } else { "null".to_owned() }
}

/// An object with some members of a row, and the primitive members of the others with default values (R4).
pub(super) fn partial(shape: &InventoryModel, values: &[(&str, String)]) -> String {
    let mut json = String::from("{");
    for member in &shape.members {
        let value = values.iter().find(|(name, _)| *name == member.name).map(|(_, value)| value.as_str());
        let default = member.primitive.then_some(if member.kind == Kind::Bool { "false" } else { "0" });
        // Members without a value are left out (N2).
        let Some(value) = value.filter(|value| *value != "null").or(default) else { continue };
        if json.len() > 1 {
            json.push(',');
        }
        write_string(&mut json, member.name);
        json.push(':');
        json.push_str(value);
    }
    json.push('}');
    json
}

/// The value of a member as JSON; `null` if there is none.
pub(super) fn member_value(shape: &InventoryModel, name: &str, value: &Sql, secrecy: Secrecy) -> String {
    let mut json = String::new();
    let kind = shape.member(name).map_or(&Kind::Text, |member| &member.kind);
    if write_column(&mut json, kind, value.into(), secrecy.hides(name)) { json } else { "null".to_owned() }
}

/// The keys as a JSON list, which is one parameter of a statement for any number of keys.
pub(super) fn json_keys<'a>(keys: impl Iterator<Item = &'a str>) -> String {
    let mut json = String::from("[");
    for key in keys.filter(|key| !key.is_empty()) {
        if json.len() > 1 {
            json.push(',');
        }
        write_string(&mut json, key);
    }
    json.push(']');
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped_as_the_node_escapes_them() {
        let mut out = String::new();
        write_string(&mut out, "a<b>&c='d' \"e\"\\\n\t\u{1}\u{2028}\u{2022}é机");
        assert_eq!(
            out,
            "\"a\\u003cb\\u003e\\u0026c\\u003d\\u0027d\\u0027 \\\"e\\\"\\\\\\n\\t\\u0001\\u2028\u{2022}é机\""
        );
    }

    #[test]
    fn markup_in_json_is_escaped_and_the_rest_unchanged() {
        assert!(matches!(escape_markup(r#"{"a":"b\n\"c"}"#), Cow::Borrowed(_)));
        assert_eq!(escape_markup(r#"{"a":"b=\"<é\u003c"}"#), r#"{"a":"b\u003d\"\u003cé\u003c"}"#);
    }
}
