//! `yaml`: the content of `json`, in a form that YAML 1.1 and 1.2 readers agree on.

use crate::json::{self, Kind, Piece, Pieces, Sorter};

use super::error::Error;
use super::ordered::Ordered;
use super::output::Output;
use super::view::View;

/// Writes a reply without its `schema` and, unless it is a failure, with `success: true`. Members are sorted.
pub(super) fn write(pieces: &mut dyn Pieces, view: &View, out: &mut Output<'_>) -> Result<(), Error> {
    let mut sorter = Sorter::default();
    let mut sorted = Vec::new();
    let mut members = Ordered::new(b"");
    let mut success = false;
    let mut first_row = true;
    while let Some(piece) = pieces.next_piece()? {
        match piece {
            Piece::Member { name: "schema", .. } => {}
            Piece::Member { name, text } => {
                success |= name == "success";
                sorted.clear();
                sorter.compact(&mut sorted, text);
                members.begin(name);
                member(members.buffer(out), name.as_bytes(), &sorted, 0);
                members.end();
            }
            Piece::Rows { name } => {
                members.begin(name);
                key(members.buffer(out), name.as_bytes());
                first_row = true;
            }
            Piece::Row(row) => {
                sorted.clear();
                sorter.compact(&mut sorted, row);
                let buffer = members.buffer(out);
                if first_row {
                    buffer.push(b'\n');
                }
                first_row = false;
                item(buffer, &sorted, 0);
                members.row_done(out)?;
            }
            Piece::EndRows => {
                if first_row {
                    members.buffer(out).extend_from_slice(b" []\n");
                }
                members.end();
            }
        }
    }
    if !success && !view.failed.is_set() {
        members.begin("success");
        members.buffer(out).extend_from_slice(b"success: true\n");
        members.end();
    }
    members.finish(out)?;
    Ok(())
}

/// Writes one value as a document.
pub(super) fn document(out: &mut Vec<u8>, value: &[u8]) {
    match json::kind(value) {
        Kind::Map if json::members(value).next().is_some() => {
            for (name, value) in json::members(value) {
                member(out, name, value, 0);
            }
        }
        Kind::List if json::items(value).next().is_some() => {
            for value in json::items(value) {
                item(out, value, 0);
            }
        }
        _ => {
            scalar(out, value);
            out.push(b'\n');
        }
    }
}

fn blanks(out: &mut Vec<u8>, count: usize) {
    out.resize(out.len() + count, b' ');
}

fn key(out: &mut Vec<u8>, name: &[u8]) {
    scalar_text(out, &json::unescape(name));
    out.push(b':');
}

/// Writes `name: value` lines; the first begins at the end of `out`, the others with `level` blanks and more.
fn member(out: &mut Vec<u8>, name: &[u8], value: &[u8], level: usize) {
    key(out, name);
    match json::kind(value) {
        Kind::Map if json::members(value).next().is_some() => {
            out.push(b'\n');
            for (name, value) in json::members(value) {
                blanks(out, level + 2);
                member(out, name, value, level + 2);
            }
        }
        Kind::List if json::items(value).next().is_some() => {
            out.push(b'\n');
            for value in json::items(value) {
                item(out, value, level);
            }
        }
        _ => {
            out.push(b' ');
            scalar(out, value);
            out.push(b'\n');
        }
    }
}

/// Writes the lines of a list item whose `-` stands behind `level` blanks.
fn item(out: &mut Vec<u8>, value: &[u8], level: usize) {
    blanks(out, level);
    item_here(out, value, level);
}

fn item_here(out: &mut Vec<u8>, value: &[u8], level: usize) {
    out.extend_from_slice(b"- ");
    match json::kind(value) {
        Kind::Map if json::members(value).next().is_some() => {
            for (index, (name, value)) in json::members(value).enumerate() {
                if index > 0 {
                    blanks(out, level + 2);
                }
                member(out, name, value, level + 2);
            }
        }
        Kind::List if json::items(value).next().is_some() => {
            for (index, value) in json::items(value).enumerate() {
                if index > 0 {
                    blanks(out, level + 2);
                }
                item_here(out, value, level + 2);
            }
        }
        _ => {
            scalar(out, value);
            out.push(b'\n');
        }
    }
}

fn scalar(out: &mut Vec<u8>, value: &[u8]) {
    match json::kind(value) {
        Kind::Null => out.extend_from_slice(b"null"),
        Kind::Bool => out.extend_from_slice(value),
        Kind::Number => number(out, value),
        Kind::Text => scalar_text(out, &json::unescape(value)),
        Kind::List => out.extend_from_slice(b"[]"),
        Kind::Map => out.extend_from_slice(b"{}"),
    }
}

/// YAML 1.1 reads a number with an exponent as text unless it has a decimal point and a sign in the exponent.
fn number(out: &mut Vec<u8>, text: &[u8]) {
    let Some(at) = text.iter().position(|byte| matches!(byte, b'e' | b'E')) else {
        return out.extend_from_slice(text);
    };
    let (mantissa, exponent) = text.split_at(at);
    out.extend_from_slice(mantissa);
    if !mantissa.contains(&b'.') {
        out.extend_from_slice(b".0");
    }
    out.push(exponent[0]);
    if !matches!(exponent.get(1), Some(b'+' | b'-')) {
        out.push(b'+');
    }
    out.extend_from_slice(&exponent[1..]);
}

/// Text is written without quotes if every reader takes it as text, and as a JSON-like literal otherwise.
fn scalar_text(out: &mut Vec<u8>, text: &str) {
    if is_bare(text) { out.extend_from_slice(text.as_bytes()) } else { literal(out, text) }
}

fn is_bare(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some(first) = bytes.first() else { return false };
    if !(first.is_ascii_alphabetic() || matches!(first, b'/' | b'_')) || bytes.ends_with(b" ") {
        return false;
    }
    let fine = |(at, byte): (usize, &u8)| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'_' | b'-' | b'.' | b'/' | b' ' | b'+' | b'@' | b'(' | b')' | b'=')
            // A colon starts a value unless a non-space follows.
            || *byte == b':' && bytes.get(at + 1).is_some_and(|next| !matches!(next, b' ' | b':'))
    };
    if !bytes.iter().enumerate().all(fine) {
        return false;
    }
    const WORDS: [&str; 10] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n", "nan"];
    !WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

fn literal(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for c in text.chars() {
        match c {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            // Unlike JSON, YAML names characters and not halves of surrogate pairs. U+FFFE and U+FFFF may not
            // stand in a YAML text at all.
            c if json::is_unprintable(c) || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                let code = u32::from(c);
                let escape = if code > 0xffff { format!("\\U{code:08x}") } else { format!("\\u{code:04x}") };
                out.extend_from_slice(escape.as_bytes());
            }
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::super::testing::{REPLY, print};
    use super::super::{Format, View};
    use super::*;

    #[test]
    fn replies_are_laid_out_as_yaml() {
        let expected = "\
inventories:
- name: a
  nics:
  - ip: \"1\"
  - ip: \"2\"
  size: 1.073741824E+9
- name: b
  state: Running
success: true
";
        assert_eq!(print(REPLY, &View::new(Format::Yaml)), expected);
        assert_eq!(print(r#"{"inventories":[]}"#, &View::new(Format::Yaml)), "inventories: []\nsuccess: true\n");
    }

    #[test]
    fn nesting_of_all_kinds() {
        let reply = r#"{"a":{"b":{},"c":[],"d":[[1,[2,{"e":null,"f":[true]}]],{}],"g":{"h":-0.5}},"l":[[],[{"x":1,"w":2}],"z"]}"#;
        let expected = "\
a:
  b: {}
  c: []
  d:
  - - 1
    - - 2
      - e: null
        f:
        - true
  - {}
  g:
    h: -0.5
l:
- []
- - w: 2
    x: 1
- z
success: true
";
        assert_eq!(print(reply, &View::new(Format::Yaml)), expected);
    }

    #[test]
    fn text_stays_text() {
        let cases: &[(&str, &str)] = &[
            ("plain text", "plain text"),
            ("/zstack_ps/x", "/zstack_ps/x"),
            ("http://h:80/p", "http://h:80/p"),
            ("yes", "\"yes\""),
            ("No", "\"No\""),
            ("NULL", "\"NULL\""),
            ("y", "\"y\""),
            ("~", "\"~\""),
            ("", "\"\""),
            ("1.0", "\"1.0\""),
            ("0x1f", "\"0x1f\""),
            ("2025-03-04", "\"2025-03-04\""),
            ("12e45", "\"12e45\""),
            (".inf", "\".inf\""),
            (" lead", "\" lead\""),
            ("trail ", "\"trail \""),
            ("a: b", "\"a: b\""),
            ("a:", "\"a:\""),
            ("a #b", "\"a #b\""),
            ("- a", "\"- a\""),
            ("*a", "\"*a\""),
            ("=", "\"=\""),
            ("a\nb\t\"\\", "\"a\\nb\\t\\\"\\\\\""),
            ("\u{1b}\u{202e}\u{7f}", "\"\\u001b\\u202e\\u007f\""),
            ("日本", "\"日本\""),
            ("\u{1f600}", "\"\u{1f600}\""),
        ];
        for (text, written) in cases {
            let mut out = Vec::new();
            scalar_text(&mut out, text);
            assert_eq!(String::from_utf8_lossy(&out), *written, "{text:?}");
        }
        let mut out = Vec::new();
        scalar(&mut out, br#""\ud83d\ude00\u003c""#);
        assert_eq!(String::from_utf8_lossy(&out), "\"\u{1f600}<\"");
    }

    #[test]
    fn numbers_stay_numbers_for_old_readers() {
        for (number_text, written) in
            [("1.073741824E9", "1.073741824E+9"), ("1e5", "1.0e+5"), ("1E-5", "1.0E-5"), ("12", "12"), ("-0.5", "-0.5")]
        {
            let mut out = Vec::new();
            number(&mut out, number_text.as_bytes());
            assert_eq!(String::from_utf8_lossy(&out), written);
        }
    }
}
