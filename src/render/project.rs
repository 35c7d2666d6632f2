//! `--columns` for the JSON formats: rows with those members alone.

use std::collections::VecDeque;

use crate::json::{self, Kind, Piece, Pieces, ReadError};
use crate::parts::{self, Part};

use super::error::Error;
use super::grid::{Grid, Sample};
use super::piece::{OwnedPiece, is_inventories};
use super::rows::{RowKind, part_row};
use super::view::{Shape, View};

/// Passes a reply on with only the requested columns of its inventories, or of the parts of a batch.
pub(super) struct Projected<'p> {
    pieces: &'p mut dyn Pieces,
    grid: Grid,
    waiting: VecDeque<OwnedPiece>,
    current: OwnedPiece,
    /// Which kind of list the current rows belong to.
    inside: RowKind,
    row: Vec<u8>,
}

impl<'p> Projected<'p> {
    /// Reads enough rows to know whether the columns exist.
    pub(super) fn new(pieces: &'p mut dyn Pieces, shape: &Shape, view: &View) -> Result<Projected<'p>, Error> {
        let mut waiting = VecDeque::new();
        let grid = match Grid::without_sample(shape, view) {
            Some(grid) => grid,
            None => {
                let mut sample = Sample::default();
                let mut inside = RowKind::Other;
                let mut sampled = RowKind::Inventories;
                while !sample.is_full() {
                    let Some(piece) = pieces.next_piece()? else { break };
                    match piece {
                        Piece::Rows { name } => inside = kind_of(name),
                        Piece::Row(row) => match inside {
                            RowKind::Inventories => sample.push(row),
                            RowKind::Parts => {
                                if let Some(part) = Part::of(row) {
                                    sampled = RowKind::Parts;
                                    sample.push(&part_row(part));
                                }
                            }
                            _ => {}
                        },
                        Piece::Member { name, text } if is_inventories(name) => sample.push(text),
                        _ => {}
                    }
                    waiting.push_back(OwnedPiece::of(piece));
                }
                Grid::with_sample("inventories", &sampled.shape(shape), view, &sample)?
            }
        };
        Ok(Projected { pieces, grid, waiting, current: OwnedPiece::EndRows, inside: RowKind::Other, row: Vec::new() })
    }
}

/// The kind of the rows of a list, if columns can be selected from them.
fn kind_of(list: &str) -> RowKind {
    match list {
        parts::LIST => RowKind::Parts,
        _ if is_inventories(list) => RowKind::Inventories,
        _ => RowKind::Other,
    }
}

/// Writes the columns of a row as a map: `null` where a value is missing, a list where a path leads through one.
fn project(grid: &Grid, row: &[u8], out: &mut Vec<u8>) {
    out.clear();
    if json::kind(row) != Kind::Map || grid.fallback {
        return out.extend_from_slice(row);
    }
    let heads = grid.heads(row);
    out.push(b'{');
    for (index, column) in grid.columns.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        json::write_literal(out, &column.title);
        out.push(b':');
        let value = grid.value(column, row, &heads);
        if column.inner.is_empty() {
            out.extend_from_slice(value.unwrap_or(b"null"));
            continue;
        }
        let mut found = Vec::new();
        if let Some(value) = value {
            json::pick(value, &column.inner, &mut |value| found.push(value));
        }
        // One value of a map within the row is itself; those of a list's items are a list.
        let listed = value.is_some_and(|value| json::kind(value) == Kind::List) || found.len() > 1;
        if listed {
            out.push(b'[');
            for (index, value) in found.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                out.extend_from_slice(value);
            }
            out.push(b']');
        } else {
            out.extend_from_slice(found.first().copied().unwrap_or(b"null"));
        }
    }
    out.push(b'}');
}

impl Pieces for Projected<'_> {
    fn next_piece(&mut self) -> Result<Option<Piece<'_>>, ReadError> {
        let piece = match self.waiting.pop_front() {
            Some(held) => {
                self.current = held;
                Some(self.current.piece())
            }
            None => self.pieces.next_piece()?,
        };
        match piece {
            Some(Piece::Rows { name }) => self.inside = kind_of(name),
            Some(Piece::Row(row)) => match self.inside {
                RowKind::Inventories => {
                    project(&self.grid, row, &mut self.row);
                    return Ok(Some(Piece::Row(&self.row)));
                }
                RowKind::Parts => {
                    if let Some(part) = Part::of(row) {
                        project(&self.grid, &part_row(part), &mut self.row);
                        return Ok(Some(Piece::Row(&self.row)));
                    }
                }
                _ => {}
            },
            Some(Piece::Member { name, text }) if is_inventories(name) => {
                project(&self.grid, text, &mut self.row);
                return Ok(Some(Piece::Member { name, text: &self.row }));
            }
            _ => {}
        }
        Ok(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{REPLY, print, try_print, zone_shape};
    use super::super::{Error, Format, Selection, View};

    fn view(format: Format, columns: &str) -> View {
        View { columns: Some(Selection::parse(columns).expect("a selection")), ..View::new(format) }
    }

    #[test]
    fn json_rows_have_the_columns_asked_for() {
        assert_eq!(
            print(REPLY, &view(Format::Jsonl, "size,name,ip=nics.ip")),
            "{\"ip\":[\"1\",\"2\"],\"name\":\"a\",\"size\":1.073741824E9}\n{\"ip\":null,\"name\":\"b\",\"size\":null}\n"
        );
        assert_eq!(
            print(r#"{"inventory":{"a":{"b":1},"c":2}}"#, &view(Format::Yaml, "a.b")),
            "inventory:\n  a.b: 1\nsuccess: true\n"
        );
        // Rows are whole already.
        assert!(print(REPLY, &view(Format::Jsonl, "+size")).contains("nics"));
    }

    #[test]
    fn columns_that_nobody_has_are_errors_in_every_format() {
        for format in Format::ALL {
            match try_print(REPLY, &zone_shape(), &view(format, "name,stat")) {
                Err(Error::UnknownColumn { name, at: 5, near }) => {
                    assert_eq!((name.as_str(), near.as_slice()), ("stat", &["state".to_owned()][..]), "{format:?}");
                }
                other => panic!("{format:?}: {other:?}"),
            }
            // A newer node's field is no error, nor is a known one that the rows lack.
            assert!(try_print(r#"{"inventories":[{"new":1}]}"#, &zone_shape(), &view(format, "new,state")).is_ok());
            match try_print(REPLY, &zone_shape(), &view(format, "nics.mac")) {
                Err(Error::UnknownColumn { name, at: 5, .. }) => assert_eq!(name, "nics.mac"),
                other => panic!("{format:?}: {other:?}"),
            }
        }
    }
}
