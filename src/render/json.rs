//! `json`: the reply as sent, indented.

use crate::json::{self, Piece, Pieces};

use super::error::Error;
use super::output::Output;
use super::view::View;

/// Writes a reply without its `schema` and with `"success": true`.
pub(super) fn write(pieces: &mut dyn Pieces, view: &View, out: &mut Output<'_>) -> Result<(), Error> {
    out.buffer.push(b'{');
    let mut first = true;
    let mut first_row = true;
    let mut success = false;
    while let Some(piece) = pieces.next_piece()? {
        let buffer = &mut out.buffer;
        match piece {
            Piece::Member { name: "schema", .. } => continue,
            Piece::Member { name, text } => {
                success |= name == "success";
                begin(buffer, &mut first, name, view);
                put(buffer, text, 1, view);
            }
            Piece::Rows { name } => {
                begin(buffer, &mut first, name, view);
                buffer.push(b'[');
                first_row = true;
            }
            Piece::Row(row) => {
                if !first_row {
                    buffer.push(b',');
                }
                first_row = false;
                json::line_break(buffer, 2);
                put(buffer, row, 2, view);
                out.row_done()?;
            }
            Piece::EndRows => {
                if !first_row {
                    json::line_break(buffer, 1);
                }
                buffer.push(b']');
            }
        }
    }
    if !success {
        begin(&mut out.buffer, &mut first, "success", view);
        out.buffer.extend_from_slice(b"true");
    }
    out.buffer.extend_from_slice(b"\n}\n");
    Ok(())
}

fn begin(out: &mut Vec<u8>, first: &mut bool, name: &str, view: &View) {
    if !*first {
        out.push(b',');
    }
    *first = false;
    json::line_break(out, 1);
    out.push(b'"');
    safe(name.as_bytes(), view, |name| out.extend_from_slice(name));
    out.extend_from_slice(b"\": ");
}

fn put(out: &mut Vec<u8>, text: &[u8], level: usize, view: &View) {
    safe(text, view, |text| json::indent(out, text, level));
}

/// Passes JSON text on, with what acts on a terminal escaped if it goes to one.
pub(super) fn safe(text: &[u8], view: &View, mut put: impl FnMut(&[u8])) {
    if view.terminal { put(&json::terminal_safe(text)) } else { put(text) }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{REPLY, print};
    use super::super::{Format, View};

    #[test]
    fn the_reply_keeps_its_text_without_the_schema() {
        let expected = r#"{
    "inventories": [
        {
            "name": "a",
            "size": 1.073741824E9,
            "nics": [
                {
                    "ip": "1"
                },
                {
                    "ip": "2"
                }
            ]
        },
        {
            "name": "b",
            "state": "Running"
        }
    ],
    "success": true
}
"#;
        assert_eq!(print(REPLY, &View::new(Format::Json)), expected);
    }

    #[test]
    fn success_is_added_only_where_it_is_missing() {
        let view = View::new(Format::Json);
        assert_eq!(print("{}", &view), "{\n    \"success\": true\n}\n");
        assert_eq!(
            print(r#"{"success":true,"version":"\u003c5"}"#, &view),
            "{\n    \"success\": true,\n    \"version\": \"\\u003c5\"\n}\n"
        );
        assert_eq!(
            print(r#"{"inventories":[],"total":0}"#, &view),
            "{\n    \"inventories\": [],\n    \"total\": 0,\n    \"success\": true\n}\n"
        );
    }

    #[test]
    fn terminals_get_escapes_and_pipes_the_reply() {
        let reply = "{\"a\":\"x\u{202e}\u{9b}y\"}";
        assert!(print(reply, &View::new(Format::Json)).contains("x\u{202e}\u{9b}y"));
        let view = View { terminal: true, ..View::new(Format::Json) };
        assert!(print(reply, &view).contains(r"x\u202e\u009by"));
    }
}
