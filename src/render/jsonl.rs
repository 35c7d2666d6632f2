//! `jsonl`: one inventory a line, its members sorted.

use crate::json::{self, Kind, Piece, Pieces, Sorter};

use super::error::Error;
use super::json::safe;
use super::ordered::Ordered;
use super::output::Output;
use super::view::View;

/// Writes one line for each inventory; a reply that lists none is itself one line.
pub(super) fn write(pieces: &mut dyn Pieces, view: &View, out: &mut Output<'_>) -> Result<(), Error> {
    let mut sorter = Sorter::default();
    // The reply as one line, until it is clear that it lists inventories.
    let mut members = Ordered::new(b",");
    let mut lines = false;
    let mut list = List::Lines;
    let mut object = false;
    let mut first_row = true;
    let line = |out: &mut Output<'_>, sorter: &mut Sorter, text: &[u8]| {
        safe(text, view, |text| sorter.compact(&mut out.buffer, text));
        out.buffer.push(b'\n');
        out.row_done()
    };
    while let Some(piece) = pieces.next_piece()? {
        match piece {
            Piece::Member { name: "schema", .. } => {}
            Piece::Member { name: "inventory" | "inventories", text } if !object && json::kind(text) == Kind::Map => {
                lines = true;
                line(out, &mut sorter, text)?;
            }
            Piece::Member { .. } if lines => {}
            Piece::Member { name, text } => {
                members.begin(name);
                let buffer = members.buffer(out);
                begin(buffer, name, view);
                safe(text, view, |text| sorter.compact(buffer, text));
                members.end();
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
                        out.buffer.push(b'{');
                    }
                    members.begin(name);
                    let buffer = members.buffer(out);
                    begin(buffer, name, view);
                    buffer.push(b'[');
                    first_row = true;
                }
            }
            Piece::Row(row) => match list {
                List::Lines => line(out, &mut sorter, row)?,
                List::Results => match json::member(row, "inventories") {
                    Some(inventories) if json::kind(inventories) == Kind::List => {
                        for item in json::items(inventories) {
                            line(out, &mut sorter, item)?;
                        }
                    }
                    _ => line(out, &mut sorter, row)?,
                },
                List::Skipped => {}
                List::Inside => {
                    let buffer = members.buffer(out);
                    if !first_row {
                        buffer.push(b',');
                    }
                    first_row = false;
                    safe(row, view, |row| sorter.compact(buffer, row));
                    members.row_done(out)?;
                }
            },
            Piece::EndRows => {
                if list == List::Inside {
                    members.buffer(out).push(b']');
                    members.end();
                }
            }
        }
    }
    if lines {
        return Ok(());
    }
    if !object {
        out.buffer.push(b'{');
    }
    members.finish(out)?;
    out.buffer.extend_from_slice(b"}\n");
    Ok(())
}

fn begin(out: &mut Vec<u8>, name: &str, view: &View) {
    out.push(b'"');
    safe(name.as_bytes(), view, |name| out.extend_from_slice(name));
    out.extend_from_slice(b"\":");
}

/// How a list's rows are printed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    /// A line each.
    Lines,
    /// As results of ZQL statements: a line for each inventory in them.
    Results,
    /// Inside the reply, which is one line.
    Inside,
    /// Not at all: they come in addition to inventories, and only the other formats print them.
    Skipped,
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
                "{\"name\":\"a\",\"nics\":[{\"ip\":\"1\"},{\"ip\":\"2\"}],\"size\":1.073741824E9}\n{\"name\":\"b\",\"state\":\"Running\"}\n",
            ),
            (r#"{"total": 17, "inventories": [ {"a" : 1} ] }"#, "{\"a\":1}\n"),
            (r#"{"inventories":[],"total":0}"#, ""),
            (r#"{"inventory":{"a": "b c"}}"#, "{\"a\":\"b c\"}\n"),
            (r#"{"version":"5.2.1","success":true,"schema":{}}"#, "{\"success\":true,\"version\":\"5.2.1\"}\n"),
            (r#"{"supportApis":["a", "b"],"success":true}"#, "{\"success\":true,\"supportApis\":[\"a\",\"b\"]}\n"),
            (r#"{"success":true,"a":[],"b":[1]}"#, "{\"a\":[],\"b\":[1],\"success\":true}\n"),
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
