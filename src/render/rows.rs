//! Which parts of a reply are rows, for the formats that print rows.
//!
//! Most replies are `{"inventories": [..]}` or `{"inventory": {..}}`. Others list something under another name,
//! or are a handful of members; ZQL nests lists of inventories in `results`, one for each statement.

use crate::json::{self, Kind, Piece, Pieces, ReadError};

use super::Rendered;
use super::error::Error;

/// A list of rows within a reply.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section<'a> {
    /// The name of the member that holds it; empty for the reply itself.
    pub(super) name: &'a str,
    /// Whether its rows are the inventories that the reply is about, so that the shape describes them.
    pub(super) known: bool,
    /// Whether it is a record and not a list.
    pub(super) single: bool,
}

/// Something that prints rows.
pub(super) trait RowWriter {
    /// Rows follow.
    fn begin(&mut self, section: Section<'_>) -> Result<(), Error>;
    /// The text of a row.
    fn row(&mut self, row: &[u8]) -> Result<(), Error>;
    /// No more rows in this section.
    fn end(&mut self) -> Result<(), Error>;
    /// The reply had rows and, beside them, this record: its `total`, for example.
    fn beside(&mut self, record: &[u8]) -> Result<(), Error>;
}

/// Whether a member says nothing about the cloud: class names (N6), and what the exit code says already.
pub(super) fn is_bookkeeping(name: &str) -> bool {
    matches!(name, "schema" | "success")
}

/// Hands the rows of a reply to a writer, as they come.
pub(super) fn walk(pieces: &mut dyn Pieces, writer: &mut dyn RowWriter) -> Result<(), Error> {
    let mut beside = Record::default();
    let mut sections = 0;
    let mut results = false;
    while let Some(piece) = pieces.next_piece()? {
        match piece {
            Piece::Rows { name } => {
                results = name == "results";
                if !results {
                    sections += 1;
                    let known = matches!(name, "inventories" | "inventory");
                    writer.begin(Section { name, known, single: false })?;
                }
            }
            Piece::Row(row) if results => {
                sections += 1;
                result(row, writer, &mut beside)?;
            }
            Piece::Row(row) => writer.row(row)?,
            Piece::EndRows if results => results = false,
            Piece::EndRows => writer.end()?,
            Piece::Member { name: name @ ("inventory" | "inventories"), text } if json::kind(text) == Kind::Map => {
                sections += 1;
                single(Section { name, known: true, single: true }, text, writer)?;
            }
            Piece::Member { name, text } => {
                if !is_bookkeeping(name) {
                    beside.push(name.as_bytes(), text);
                }
            }
        }
    }
    let record = beside.finish();
    if record == b"{}" {
        return Ok(());
    }
    if sections > 0 {
        return writer.beside(&record);
    }
    // A reply that is one map under one name is about that map.
    let mut members = json::members(&record);
    let only = members.next().filter(|(_, value)| members.next().is_none() && json::kind(value) == Kind::Map);
    match only {
        Some((name, value)) if json::members(value).next().is_some() => {
            let name = String::from_utf8_lossy(name);
            single(Section { name: &name, known: false, single: true }, value, writer)
        }
        _ => single(Section { name: "", known: false, single: true }, &record, writer),
    }
}

fn single(section: Section<'_>, row: &[u8], writer: &mut dyn RowWriter) -> Result<(), Error> {
    writer.begin(section)?;
    writer.row(row)?;
    writer.end()
}

/// One element of a ZQL reply's `results`, or a row of another list of that name.
fn result(row: &[u8], writer: &mut dyn RowWriter, beside: &mut Record) -> Result<(), Error> {
    let inventories = json::member(row, "inventories").filter(|text| json::kind(text) == Kind::List);
    let counts = json::member(row, "inventoryCounts").filter(|text| json::kind(text) == Kind::List);
    if inventories.is_none() && counts.is_none() {
        return single(Section { name: "results", known: false, single: false }, row, writer);
    }
    if let Some(list) = inventories {
        writer.begin(Section { name: "inventories", known: true, single: false })?;
        for item in json::items(list) {
            writer.row(item)?;
        }
        writer.end()?;
    }
    if let Some(list) = counts {
        writer.begin(Section { name: "inventoryCounts", known: false, single: false })?;
        for item in json::items(list) {
            writer.row(&count_row(item))?;
        }
        writer.end()?;
    }
    for (name, value) in json::members(row) {
        if !matches!(name, b"inventories" | b"inventoryCounts") && json::kind(value) != Kind::Null {
            beside.push(name, value);
        }
    }
    Ok(())
}

/// `[{"type":"UserVm"},12]`, the count of a group (Z5), as one record.
fn count_row(pair: &[u8]) -> Vec<u8> {
    let mut items = json::items(pair);
    match (items.next(), items.next()) {
        (Some(key), Some(count)) if json::kind(key) == Kind::Map => {
            let mut row = Record::default();
            for (name, value) in json::members(key) {
                row.push(name, value);
            }
            row.push(b"count", count);
            row.finish()
        }
        _ => pair.to_vec(),
    }
}

/// A record in the making: the text of a map.
#[derive(Default)]
pub(super) struct Record {
    text: Vec<u8>,
}

impl Record {
    /// Adds a member; the name as it stands between the quotes.
    pub(super) fn push(&mut self, name: &[u8], value: &[u8]) {
        self.text.extend_from_slice(if self.text.is_empty() { b"{\"" } else { b",\"" });
        self.text.extend_from_slice(name);
        self.text.extend_from_slice(b"\":");
        self.text.extend_from_slice(value);
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        if self.text.is_empty() {
            self.text.push(b'{');
        }
        self.text.push(b'}');
        self.text
    }
}

/// Passes pieces on and counts what they hold.
pub(super) struct Counted<'p> {
    pieces: &'p mut dyn Pieces,
    rows: u64,
    total: Option<u64>,
    lists: bool,
    members: bool,
    results: bool,
}

impl<'p> Counted<'p> {
    pub(super) fn new(pieces: &'p mut dyn Pieces) -> Counted<'p> {
        Counted { pieces, rows: 0, total: None, lists: false, members: false, results: false }
    }

    /// What was counted.
    pub(super) fn rendered(&self) -> Rendered {
        let rows = match self.total {
            _ if self.lists => self.rows,
            Some(total) => total,
            None => u64::from(self.members),
        };
        Rendered { rows, total: self.total, hidden: Vec::new() }
    }
}

impl Pieces for Counted<'_> {
    fn next_piece(&mut self) -> Result<Option<Piece<'_>>, ReadError> {
        let piece = self.pieces.next_piece()?;
        match piece {
            Some(Piece::Rows { name }) => {
                self.lists = true;
                self.results = name == "results";
            }
            Some(Piece::Row(row)) => {
                let inner = if self.results { json::member(row, "inventories") } else { None };
                match inner {
                    Some(list) if json::kind(list) == Kind::List => self.rows += json::items(list).count() as u64,
                    _ if self.results && total(row).is_some() => {
                        self.rows += total(row).unwrap_or_default();
                        self.total = total(row);
                    }
                    _ => self.rows += 1,
                }
            }
            Some(Piece::Member { name: "total", text }) => {
                self.members = true;
                self.total = integer(text);
            }
            Some(Piece::Member { name, .. }) => self.members |= !is_bookkeeping(name),
            Some(Piece::EndRows) | None => {}
        }
        Ok(piece)
    }
}

fn total(row: &[u8]) -> Option<u64> {
    json::member(row, "total").and_then(integer)
}

fn integer(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    super::size::integral(text).and_then(|count| u64::try_from(count).ok())
}
