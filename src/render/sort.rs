//! `--sort-by`: rows sorted by the program, also in ways that a node does not support.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::io;
use std::iter::Peekable;
use std::str::Chars;

use jiff::civil::DateTime;

use crate::dates;
use crate::json::{self, Kind, MEMORY_LIMIT, Piece, Pieces, ReadError};
use crate::nearness::near;

use super::columns::{Column, Selection, SelectionError};
use super::error::Error;
use super::piece::{OwnedPiece, is_inventories};
use super::runs::{Runs, SortedRows};
use super::view::{Format, Shape, View};

/// What to sort rows by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortKey {
    column: Column,
    descending: bool,
    /// Whether it is a saved preference: rows without that column are then left in their order.
    saved: bool,
}

impl SortKey {
    /// Reads a column, as [`Selection::parse`] does; with a `-` before it the order is descending.
    ///
    /// # Errors
    /// When the name is missing.
    pub fn parse(text: &str) -> Result<SortKey, SelectionError> {
        let (descending, name, shift) = match text.strip_prefix('-') {
            Some(rest) => (true, rest, 1),
            None => (false, text, 0),
        };
        let mut columns = Selection::parse(name)?.columns;
        columns.truncate(1);
        let column = columns.pop().ok_or(SelectionError::NameMissing { at: shift })?;
        Ok(SortKey { column: Column { at: column.at + shift, ..column }, descending, saved: false })
    }

    /// The members that lead to the values.
    pub fn path(&self) -> &[String] {
        &self.column.path
    }

    /// The same as a saved preference.
    pub fn saved(self) -> SortKey {
        SortKey { saved: true, ..self }
    }

    /// The value that a row is sorted by.
    pub(super) fn key_of(&self, row: &[u8]) -> Key {
        Key::of(row, &self.column.path)
    }

    /// Compares two such values. Rows without one come last.
    pub(super) fn compare(&self, a: &Key, b: &Key) -> Ordering {
        match (a, b) {
            (Key::Missing, _) | (_, Key::Missing) => a.compare(b),
            _ if self.descending => b.compare(a),
            _ => a.compare(b),
        }
    }
}

/// A reply with sorted inventories. All rows are read before the first one is handed on.
pub struct Sorted {
    /// The pieces before and after the rows; a `Row` in it stands for all of them.
    frame: VecDeque<OwnedPiece>,
    rows: SortedRows,
    /// How many rows are left out before the first one that is handed on.
    skipped: u64,
    /// How many rows are handed on at most.
    left: u64,
    current: OwnedPiece,
}

impl Sorted {
    /// Reads and sorts the reply. The sort is stable; rows without a value come last.
    pub(super) fn new(pieces: &mut dyn Pieces, key: &SortKey, shape: &Shape, view: &View) -> Result<Sorted, Error> {
        Sorted::within(MEMORY_LIMIT, pieces, key, shape, view)
    }

    /// As [`Sorted::new`], with rows beyond `limit` bytes in a file.
    fn within(
        limit: usize,
        pieces: &mut dyn Pieces,
        key: &SortKey,
        shape: &Shape,
        view: &View,
    ) -> Result<Sorted, Error> {
        let mut frame = VecDeque::new();
        let mut rows = Runs::new(key.clone(), limit);
        let mut inside = false;
        let has_head = key.column.path.first().is_some_and(|head| shape.field(head).is_some());
        let mut found = key.saved || has_head || view.knows(shape, &key.column.path);
        let mut names: Vec<String> = Vec::new();
        while let Some(piece) = pieces.next_piece()? {
            match piece {
                Piece::Row(row) if inside => {
                    let value = key.key_of(row);
                    if !found {
                        found = value != Key::Missing
                            || key.column.path.first().is_some_and(|head| json::member(row, head).is_some());
                        note(row, &mut names);
                    }
                    rows.push(value, row)?;
                    continue;
                }
                Piece::Rows { name } => inside = is_inventories(name),
                Piece::EndRows if inside => {
                    inside = false;
                    frame.push_back(OwnedPiece::Row(Vec::new()));
                }
                _ => {}
            }
            frame.push_back(OwnedPiece::of(piece));
        }
        if !found && !rows.is_empty() {
            let known = shape.fields.iter().map(|field| field.name.as_str()).chain(names.iter().map(String::as_str));
            return Err(Error::UnknownColumn {
                name: key.column.path.join("."),
                at: key.column.at,
                near: near(key.column.path.first().map_or("", String::as_str), known),
            });
        }
        Ok(Sorted { frame, rows: rows.sorted()?, skipped: 0, left: u64::MAX, current: OwnedPiece::EndRows })
    }

    /// Sorts by a member that the rows are known to have.
    ///
    /// # Errors
    /// When the reply cannot be read.
    pub fn by_member(pieces: &mut dyn Pieces, name: &str, descending: bool) -> Result<Sorted, Error> {
        let column = Column { title: name.to_owned(), path: vec![name.to_owned()], at: 0 };
        // Rows that lack it come last.
        let key = SortKey { column, descending, saved: true };
        Sorted::new(pieces, &key, &Shape::default(), &View::new(Format::Json))
    }

    /// Keeps `limit` rows after the first `start` ones.
    pub fn window(self, start: u64, limit: Option<u64>) -> Sorted {
        Sorted { skipped: start, left: limit.unwrap_or(u64::MAX), ..self }
    }

    /// Goes to the next row; `false` after the last.
    fn advance(&mut self) -> Result<bool, Error> {
        while self.skipped > 0 && self.rows.advance()? {
            self.skipped -= 1;
        }
        if self.left == 0 || self.skipped > 0 {
            return Ok(false);
        }
        self.left -= 1;
        self.rows.advance()
    }
}

/// Collects the names of a row's members, for the suggestion if no row has the column.
fn note(row: &[u8], names: &mut Vec<String>) {
    for (name, _) in json::members(row) {
        if names.len() < 1000 && !names.iter().any(|known| known.as_bytes() == name) {
            names.push(String::from_utf8_lossy(name).into_owned());
        }
    }
}

impl Pieces for Sorted {
    fn next_piece(&mut self) -> Result<Option<Piece<'_>>, ReadError> {
        loop {
            match self.frame.front() {
                None => return Ok(None),
                Some(OwnedPiece::Row(row)) if row.is_empty() => {
                    match self.advance() {
                        Ok(true) => return Ok(Some(Piece::Row(self.rows.row()))),
                        Ok(false) => {}
                        // Whoever asked for the order takes the error out again.
                        Err(error) => return Err(ReadError::Read(io::Error::other(error))),
                    }
                    self.frame.pop_front();
                }
                Some(_) => {
                    if let Some(held) = self.frame.pop_front() {
                        self.current = held;
                    }
                    return Ok(Some(self.current.piece()));
                }
            }
        }
    }
}

/// A value to sort by.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Key {
    Bool(bool),
    Number(f64, i64),
    Time(DateTime),
    Text(String),
    Missing,
}

impl Key {
    pub(super) fn of(row: &[u8], path: &[String]) -> Key {
        let mut key = Key::Missing;
        json::pick(row, path, &mut |value| {
            if key == Key::Missing {
                key = Key::value(value);
            }
        });
        key
    }

    fn value(value: &[u8]) -> Key {
        match json::kind(value) {
            Kind::Null => Key::Missing,
            Kind::Bool => Key::Bool(value.first() == Some(&b't')),
            Kind::Number => {
                let text = String::from_utf8_lossy(value);
                let number: f64 = text.parse().unwrap_or(0.0);
                // Doubles are not exact beyond 2^53 (N4).
                Key::Number(number, super::size::integral(&text).unwrap_or(0))
            }
            Kind::Text => {
                let text = json::unescape(value);
                dates::printed(&text).map_or_else(|| Key::Text(text.into_owned()), Key::Time)
            }
            Kind::List => json::items(value).next().map_or(Key::Missing, Key::value),
            Kind::Map => json::members(value).next().map_or(Key::Missing, |(_, value)| Key::value(value)),
        }
    }

    /// How much memory it takes besides its own, in bytes.
    pub(super) fn size(&self) -> usize {
        if let Key::Text(text) = self { text.capacity() } else { 0 }
    }

    pub(super) fn compare(&self, other: &Key) -> Ordering {
        match (self, other) {
            (Key::Bool(a), Key::Bool(b)) => a.cmp(b),
            (Key::Number(a, x), Key::Number(b, y)) => a.total_cmp(b).then(x.cmp(y)),
            (Key::Time(a), Key::Time(b)) => a.cmp(b),
            (Key::Text(a), Key::Text(b)) => natural(a, b),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Key::Bool(_) => 0,
            Key::Number(..) => 1,
            Key::Time(_) => 2,
            Key::Text(_) => 3,
            Key::Missing => 4,
        }
    }
}

/// Compares texts ignoring case and runs of digits by their value: `web-2` before `web-10`, `10.0.0.9` before
/// `10.0.0.10`.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.chars().peekable(), b.chars().peekable());
    loop {
        match (left.peek().copied(), right.peek().copied()) {
            (None, None) => return a.cmp(b),
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let (x, y) = (digits(&mut left), digits(&mut right));
                let order = x.len().cmp(&y.len()).then_with(|| x.cmp(&y));
                if order != Ordering::Equal {
                    return order;
                }
            }
            (Some(x), Some(y)) => {
                let order = x.to_lowercase().cmp(y.to_lowercase());
                if order != Ordering::Equal {
                    return order;
                }
                left.next();
                right.next();
            }
        }
    }
}

/// A run of digits, without leading zeros.
fn digits(chars: &mut Peekable<Chars<'_>>) -> String {
    let mut run = String::new();
    while let Some(digit) = chars.next_if(char::is_ascii_digit) {
        if !(run.is_empty() && digit == '0') {
            run.push(digit);
        }
    }
    run
}

#[cfg(test)]
mod tests {
    use super::super::testing::{try_print, zone_shape};
    use super::*;
    use crate::json::Scanner;

    fn sorted(values: &[&str], key: &str) -> Vec<String> {
        let rows: Vec<String> =
            values.iter().enumerate().map(|(index, value)| format!(r#"{{"id":{index},"v":{value}}}"#)).collect();
        let reply = format!(r#"{{"total":9,"inventories":[{}],"schema":{{}}}}"#, rows.join(","));
        let view = View {
            sort_by: Some(SortKey::parse(key).expect("a column")),
            columns: Some(Selection::parse("v").expect("a selection")),
            ..View::new(Format::Value)
        };
        let (text, rendered) = try_print(&reply, &Shape::default(), &view).expect("prints");
        assert_eq!(rendered.rows, values.len() as u64);
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn rows_are_sorted_by_what_the_values_mean() {
        assert_eq!(sorted(&["10", "9", "1.5", "-1"], "v"), ["-1", "1.5", "9", "10"]);
        assert_eq!(
            sorted(&["9223372036854775807", "9223372036854775806"], "v"),
            ["9223372036854775806", "9223372036854775807"]
        );
        assert_eq!(sorted(&[r#""web-10""#, r#""Web-2""#, r#""web-1""#], "v"), ["web-1", "Web-2", "web-10"]);
        assert_eq!(sorted(&[r#""10.0.0.10""#, r#""10.0.0.9""#], "v"), ["10.0.0.9", "10.0.0.10"]);
        assert_eq!(
            sorted(
                &[r#""Mar 4, 2025 2:12:01 PM""#, r#""Apr 1, 2024 1:00:00 AM""#, r#""Mar 4, 2025 12:12:01 PM""#],
                "v"
            ),
            ["Apr 1, 2024 1:00:00 AM", "Mar 4, 2025 12:12:01 PM", "Mar 4, 2025 2:12:01 PM"]
        );
        assert_eq!(sorted(&["[3]", "[1,2]", "[]"], "v"), ["1,2", "3", ""]);
    }

    #[test]
    fn missing_values_come_last_and_equals_keep_their_order() {
        assert_eq!(sorted(&["null", "1", "2"], "v"), ["1", "2", ""]);
        assert_eq!(sorted(&["null", "1", "2"], "-v"), ["2", "1", ""]);
        assert_eq!(sorted(&[r#""a""#, r#""b""#], "-id"), ["b", "a"]);
        let reply = r#"{"inventories":[{"a":1,"b":"x"},{"a":0,"b":"x"},{"a":2,"b":"w"}],"more":[3,1]}"#;
        let view = View { sort_by: Some(SortKey::parse("b").expect("a column")), ..View::new(Format::Jsonl) };
        let (text, _) = try_print(reply, &Shape::default(), &view).expect("prints");
        assert_eq!(text, "{\"a\":2,\"b\":\"w\"}\n{\"a\":1,\"b\":\"x\"}\n{\"a\":0,\"b\":\"x\"}\n");
    }

    #[test]
    fn rows_beyond_the_limit_are_sorted_in_a_file() {
        // Every eleventh row has no value, and many are equal.
        let row = |at: usize| match at % 11 {
            0 => format!(r#"{{"at":{at}}}"#),
            _ => format!(r#"{{"at":{at},"v":"v-{}"}}"#, at * 7919 % 101),
        };
        let rows: Vec<String> = (0..2000).map(row).collect();
        let reply = format!(r#"{{"total":7,"inventories":[{}],"more":true}}"#, rows.join(","));
        let text = |limit: usize, key: &str, window: (u64, Option<u64>)| {
            let key = SortKey::parse(key).expect("a column");
            let mut pieces = Scanner::new(reply.as_bytes());
            let sorted = Sorted::within(limit, &mut pieces, &key, &Shape::default(), &View::new(Format::Json));
            let mut sorted = sorted.expect("it is sorted").window(window.0, window.1);
            assert_eq!(matches!(sorted.rows, SortedRows::Spilled { .. }), limit < 100_000);
            let mut out = String::new();
            while let Some(piece) = sorted.next_piece().expect("a piece") {
                match piece {
                    Piece::Row(row) => out.push_str(&String::from_utf8_lossy(row)),
                    other => out.push_str(&format!("{other:?}")),
                }
                out.push('\n');
            }
            out
        };
        for (key, window) in [("v", (0, None)), ("-v", (0, None)), ("at", (0, Some(5))), ("v", (1995, Some(9)))] {
            let in_memory = text(MEMORY_LIMIT, key, window);
            assert_eq!(
                in_memory.lines().count(),
                4 + usize::try_from(window.1.unwrap_or(2000).min(2000 - window.0)).expect("small")
            );
            for limit in [1, 1000, 60_000] {
                assert_eq!(text(limit, key, window), in_memory, "{key} {window:?} {limit}");
            }
        }
        assert!(text(1000, "v", (3000, None)).lines().count() == 4);
    }

    #[test]
    fn an_unknown_column_is_an_error() {
        let reply = r#"{"inventories":[{"name":"b"},{"name":"a"}]}"#;
        let view =
            |key: &str| View { sort_by: Some(SortKey::parse(key).expect("a column")), ..View::new(Format::Json) };
        assert!(try_print(reply, &zone_shape(), &view("size")).is_ok());
        // Saved for rows of any kind, it is ignored.
        let saved = SortKey::parse("-nam").expect("a column").saved();
        let view_of_saved = View { sort_by: Some(saved), ..View::new(Format::Value) };
        assert_eq!(try_print(reply, &Shape::default(), &view_of_saved).expect("prints").0, "b\na\n");
        match try_print(reply, &Shape::default(), &view("-nam")) {
            Err(Error::UnknownColumn { name, at: 1, near }) => {
                assert_eq!((name.as_str(), near), ("nam", vec!["name".to_owned()]))
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(SortKey::parse(""), Err(SelectionError::NameMissing { at: 0 }));
    }
}
