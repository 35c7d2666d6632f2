//! `json`: the reply as sent, indented, with sorted members.

use crate::json::{self, Piece, Pieces, Sorter};

use super::error::Error;
use super::ordered::Ordered;
use super::output::Output;
use super::view::View;

/// Writes a reply without its `schema` and, unless it is a failure, with `"success": true`.
pub(super) fn write(pieces: &mut dyn Pieces, view: &View, out: &mut Output<'_>) -> Result<(), Error> {
    out.buffer.push(b'{');
    let mut sorter = Sorter::default();
    let mut members = Ordered::new(b",");
    let mut first_row = true;
    let mut success = false;
    while let Some(piece) = pieces.next_piece()? {
        match piece {
            Piece::Member { name: "schema", .. } => continue,
            Piece::Member { name, text } => {
                success |= name == "success";
                members.begin(name);
                let buffer = members.buffer(out);
                begin(buffer, name, view);
                safe(text, view, |text| sorter.indent(buffer, text, 1));
                members.end();
            }
            Piece::Rows { name } => {
                members.begin(name);
                let buffer = members.buffer(out);
                begin(buffer, name, view);
                buffer.push(b'[');
                first_row = true;
            }
            Piece::Row(row) => {
                let buffer = members.buffer(out);
                if !first_row {
                    buffer.push(b',');
                }
                first_row = false;
                json::line_break(buffer, 2);
                safe(row, view, |row| sorter.indent(buffer, row, 2));
                members.row_done(out)?;
            }
            Piece::EndRows => {
                let buffer = members.buffer(out);
                if !first_row {
                    json::line_break(buffer, 1);
                }
                buffer.push(b']');
                members.end();
            }
        }
    }
    if !success && !view.failed.is_set() {
        members.begin("success");
        let buffer = members.buffer(out);
        begin(buffer, "success", view);
        buffer.extend_from_slice(b"true");
        members.end();
    }
    members.finish(out)?;
    out.buffer.extend_from_slice(b"\n}\n");
    Ok(())
}

fn begin(out: &mut Vec<u8>, name: &str, view: &View) {
    json::line_break(out, 1);
    out.push(b'"');
    safe(name.as_bytes(), view, |name| out.extend_from_slice(name));
    out.extend_from_slice(b"\": ");
}

/// Passes JSON text on, with control characters escaped if the output goes to a terminal.
pub(super) fn safe(text: &[u8], view: &View, mut put: impl FnMut(&[u8])) {
    if view.terminal { put(&json::terminal_safe(text)) } else { put(text) }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{REPLY, print};
    use super::super::{Failed, Format, View};

    #[test]
    fn the_reply_keeps_its_text_sorted_and_without_the_schema() {
        let expected = r#"{
    "inventories": [
        {
            "name": "a",
            "nics": [
                {
                    "ip": "1"
                },
                {
                    "ip": "2"
                }
            ],
            "size": 1.073741824E9
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
            "{\n    \"success\": true,\n    \"version\": \"<5\"\n}\n"
        );
        assert_eq!(
            print(r#"{"inventories":[],"total":0}"#, &view),
            "{\n    \"inventories\": [],\n    \"success\": true,\n    \"total\": 0\n}\n"
        );
    }

    #[test]
    fn a_failure_has_no_success() {
        let view = View { failed: Failed::new(true), ..View::new(Format::Json) };
        let reply = r#"{"error":{"details":"no","code":"SYS.1"}}"#;
        let lines = "{\n    \"error\": {\n        \"code\": \"SYS.1\",\n        \"details\": \"no\"\n    }\n}\n";
        assert_eq!(print(reply, &view), lines);
        let view = View { failed: Failed::new(true), ..View::new(Format::Yaml) };
        assert_eq!(print(reply, &view), "error:\n  code: SYS.1\n  details: \"no\"\n");
    }

    #[test]
    fn members_are_sorted_wherever_they_come() {
        let reply = r#"{"total":2,"schema":{"b":1},"inventories":[{"uuid":"u","name":"n"}],"error":{"z":1,"a":2}}"#;
        let expected = r#"{
    "error": {
        "a": 2,
        "z": 1
    },
    "inventories": [
        {
            "name": "n",
            "uuid": "u"
        }
    ],
    "success": true,
    "total": 2
}
"#;
        assert_eq!(print(reply, &View::new(Format::Json)), expected);
    }

    #[test]
    fn terminals_get_escapes_and_pipes_the_reply() {
        let reply = "{\"a\":\"x\u{202e}\u{9b}y\"}";
        assert!(print(reply, &View::new(Format::Json)).contains("x\u{202e}\u{9b}y"));
        let view = View { terminal: true, ..View::new(Format::Json) };
        assert!(print(reply, &view).contains(r"x\u202e\u009by"));
    }
}
