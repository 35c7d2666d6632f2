//! `jsonl`: one inventory a line.

use crate::json::{self, Kind, Piece, Pieces, Record};

use super::error::Error;
use super::json::safe;
use super::output::Output;
use super::view::View;

/// Writes one line for each inventory; a reply that lists none is itself one line.
pub(super) fn write(pieces: &mut dyn Pieces, view: &View, out: &mut Output<'_>) -> Result<(), Error> {
    // Members that came before it was clear what the reply is.
    let mut held = Record::default();
    let mut lines = false;
    let mut list = List::Lines;
    let mut object = false;
    let mut first_row = true;
    while let Some(piece) = pieces.next_piece()? {
        match piece {
            Piece::Member { name: "schema", .. } => {}
            Piece::Member { name: "inventory" | "inventories", text } if !object && json::kind(text) == Kind::Map => {
                lines = true;
                line(out, text, view)?;
            }
            Piece::Member { name, text } if !object => held.push(name.as_bytes(), text),
            Piece::Member { name, text } => {
                member(&mut out.buffer, name, view);
                safe(text, view, |text| json::compact(&mut out.buffer, text));
            }
            Piece::Rows { name } => {
                list = match name {
                    "inventories" | "inventory" if !object => List::Lines,
                    "results" if !object => List::Results,
                    _ if lines => List::Skipped,
                    _ => List::Inside,
                };
                lines |= matches!(list, List::Lines | List::Results);
                if list == List::Inside {
                    if !object {
                        object = true;
                        let begun = std::mem::take(&mut held).finish();
                        let begun = begun.strip_suffix(b"}").unwrap_or(&begun);
                        safe(begun, view, |text| json::compact(&mut out.buffer, text));
                    }
                    member(&mut out.buffer, name, view);
                    out.buffer.push(b'[');
                    first_row = true;
                }
            }
            Piece::Row(row) => match list {
                List::Lines => line(out, row, view)?,
                List::Results => match json::member(row, "inventories") {
                    Some(inventories) if json::kind(inventories) == Kind::List => {
                        for item in json::items(inventories) {
                            line(out, item, view)?;
                        }
                    }
                    _ => line(out, row, view)?,
                },
                List::Skipped => {}
                List::Inside => {
                    if !first_row {
                        out.buffer.push(b',');
                    }
                    first_row = false;
                    safe(row, view, |text| json::compact(&mut out.buffer, text));
                    out.row_done()?;
                }
            },
            Piece::EndRows => {
                if list == List::Inside {
                    out.buffer.push(b']');
                }
            }
        }
    }
    if object {
        out.buffer.extend_from_slice(b"}\n");
    } else if !lines {
        line(out, &held.finish(), view)?;
    }
    Ok(())
}

/// What becomes of a list's rows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    /// A line each.
    Lines,
    /// The results of ZQL statements: a line for each inventory in them.
    Results,
    /// They stay part of the reply, which is one line.
    Inside,
    /// They stand beside inventories, and are left to the other formats.
    Skipped,
}

fn line(out: &mut Output<'_>, text: &[u8], view: &View) -> Result<(), Error> {
    safe(text, view, |text| json::compact(&mut out.buffer, text));
    out.buffer.push(b'\n');
    out.row_done()
}

fn member(out: &mut Vec<u8>, name: &str, view: &View) {
    if !out.ends_with(b"{") {
        out.push(b',');
    }
    out.push(b'"');
    safe(name.as_bytes(), view, |name| out.extend_from_slice(name));
    out.extend_from_slice(b"\":");
}

#[cfg(test)]
mod tests {
    use super::super::testing::{REPLY, print};
    use super::super::{Format, View};

    #[test]
    fn each_inventory_is_a_line() {
        let view = View::new(Format::Jsonl);
        for (reply, lines) in [
            (
                REPLY,
                "{\"name\":\"a\",\"size\":1.073741824E9,\"nics\":[{\"ip\":\"1\"},{\"ip\":\"2\"}]}\n{\"name\":\"b\",\"state\":\"Running\"}\n",
            ),
            (r#"{"total": 17, "inventories": [ {"a" : 1} ] }"#, "{\"a\":1}\n"),
            (r#"{"inventories":[],"total":0}"#, ""),
            (r#"{"inventory":{"a": "b c"}}"#, "{\"a\":\"b c\"}\n"),
            (r#"{"version":"5.2.1","success":true,"schema":{}}"#, "{\"version\":\"5.2.1\",\"success\":true}\n"),
            (r#"{"supportApis":["a", "b"],"success":true}"#, "{\"supportApis\":[\"a\",\"b\"],\"success\":true}\n"),
            (r#"{"success":true,"a":[],"b":[1]}"#, "{\"success\":true,\"a\":[],\"b\":[1]}\n"),
            ("{}", "{}\n"),
            (r#"{"inventories":[1],"more":[2],"x":[]}"#, "1\n"),
            (
                r#"{"results":[{"inventories":[{"a":1},{"a":2}],"total":2},{"total":3}]}"#,
                "{\"a\":1}\n{\"a\":2}\n{\"total\":3}\n",
            ),
        ] {
            assert_eq!(print(reply, &view), lines, "{reply}");
        }
    }
}
