//! Which parts of a reply are rows, for the formats that print rows.
//!
//! Most replies are `{"inventories": [..]}` or `{"inventory": {..}}`. Others list something under another name,
//! or are a handful of members; ZQL nests lists of inventories in `results`, one for each statement.

use std::borrow::Cow;

use crate::json::{self, Kind, MapWriter, Piece, Pieces, ReadError};
use crate::parts::{self, Part};

use super::Rendered;
use super::error::Error;
use super::view::{Field, FieldKind, Shape};

/// A list of rows within a reply.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section<'a> {
    /// The name of the member that holds it; empty for the reply itself.
    pub(super) name: &'a str,
    /// The kind of its rows.
    pub(super) kind: RowKind,
    /// Whether it is a single record and not a list.
    pub(super) single: bool,
}

/// The kind of the rows of a list.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum RowKind {
    /// The inventories that the reply is about, which its shape describes.
    Inventories,
    /// The rows of one of several results, each of which has a shape of its own.
    Result(usize),
    /// The points of a metric.
    Points,
    /// The parts of a batch.
    Parts,
    /// Something else.
    #[default]
    Other,
}

impl RowKind {
    /// The shape of such rows, given the shape of the inventories.
    pub(super) fn shape(self, of_inventories: &Shape) -> Cow<'_, Shape> {
        match self {
            RowKind::Inventories => Cow::Borrowed(of_inventories),
            RowKind::Result(index) => Cow::Borrowed(of_inventories.results.get(index).unwrap_or(of_inventories)),
            RowKind::Points => Cow::Owned(shape_of_points()),
            RowKind::Parts => Cow::Owned(shape_of_parts()),
            RowKind::Other => Cow::Owned(Shape::default()),
        }
    }
}

/// Something that prints rows.
pub(super) trait RowWriter {
    /// Starts a section of rows.
    fn begin(&mut self, section: Section<'_>) -> Result<(), Error>;
    /// The text of a row.
    fn row(&mut self, row: &[u8]) -> Result<(), Error>;
    /// Ends the section.
    fn end(&mut self) -> Result<(), Error>;
    /// The members of a reply in addition to its rows, such as `total`.
    fn beside(&mut self, record: &[u8]) -> Result<(), Error>;
}

/// Whether a member contains no data: class names (N6), and `success`, which the exit code tells.
pub(super) fn is_bookkeeping(name: &str) -> bool {
    matches!(name, "schema" | "success")
}

/// Passes the rows of a reply to a writer as they arrive.
pub(super) fn walk(pieces: &mut dyn Pieces, writer: &mut dyn RowWriter) -> Result<(), Error> {
    let mut beside = MapWriter::default();
    let mut sections = 0;
    let mut results = false;
    // Whether a section of results that are not results of ZQL is open.
    let mut open = false;
    let mut index = 0;
    while let Some(piece) = pieces.next_piece()? {
        match piece {
            Piece::Rows { name } => {
                results = name == parts::LIST;
                if !results {
                    sections += 1;
                    writer.begin(Section { name, kind: kind_of_list(name), single: false })?;
                }
            }
            Piece::Row(row) if results => {
                sections += 1;
                if is_of_zql(row) {
                    if std::mem::take(&mut open) {
                        writer.end()?;
                    }
                    result(index, row, writer, &mut beside)?;
                    index += 1;
                    continue;
                }
                let part = Part::of(row);
                if !std::mem::replace(&mut open, true) {
                    let kind = if part.is_some() { RowKind::Parts } else { RowKind::Other };
                    writer.begin(Section { name: parts::LIST, kind, single: false })?;
                }
                match part {
                    Some(part) => writer.row(&part_row(part))?,
                    None => writer.row(row)?,
                }
            }
            Piece::Row(row) => writer.row(row)?,
            Piece::EndRows if results => {
                results = false;
                if std::mem::take(&mut open) {
                    writer.end()?;
                }
            }
            Piece::EndRows => writer.end()?,
            Piece::Member { name: name @ ("inventory" | "inventories"), text } if json::kind(text) == Kind::Map => {
                sections += 1;
                single(Section { name, kind: RowKind::Inventories, single: true }, text, writer)?;
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
    // A reply with a single member that is an object is printed as that object.
    let mut members = json::members(&record);
    let only = members.next().filter(|(_, value)| members.next().is_none() && json::kind(value) == Kind::Map);
    match only {
        Some((name, value)) if json::members(value).next().is_some() => {
            let name = String::from_utf8_lossy(name);
            single(Section { name: &name, kind: RowKind::Other, single: true }, value, writer)
        }
        _ => single(Section { name: "", kind: RowKind::Other, single: true }, &record, writer),
    }
}

fn single(section: Section<'_>, row: &[u8], writer: &mut dyn RowWriter) -> Result<(), Error> {
    writer.begin(section)?;
    writer.row(row)?;
    writer.end()
}

fn kind_of_list(name: &str) -> RowKind {
    if matches!(name, "inventories" | "inventory") { RowKind::Inventories } else { RowKind::Other }
}

/// The shape of the parts of a batch; they may have more members than these.
fn shape_of_parts() -> Shape {
    let field = |(name, kind): (&str, FieldKind)| Field { name: name.to_owned(), kind, secret: false };
    let text = FieldKind::Text;
    let fields = [("uuid", text), ("name", text), ("success", FieldKind::Bool), ("error", text)];
    Shape { fields: fields.map(field).to_vec(), ..Shape::default() }
}

/// The shape of the points of a metric.
fn shape_of_points() -> Shape {
    let field = |name: &str| Field { name: name.to_owned(), kind: FieldKind::Unknown, secret: false };
    Shape { fields: ["time", "value", "labels"].map(field).to_vec(), ..Shape::default() }
}

/// A part as a row: its resource, whether it succeeded, its error as one text, and the other members.
pub(super) fn part_row(part: Part<'_>) -> Vec<u8> {
    let mut row = MapWriter::default();
    for (name, value) in [("uuid", part.uuid()), ("name", part.name())] {
        if let Some(value) = value {
            row.push(name.as_bytes(), value);
        }
    }
    row.push(b"success", if part.has_failed() { b"false" } else { b"true" });
    if let Some(error) = part.error() {
        row.push(b"error", &error_text(error));
    }
    for (name, value) in json::members(part.entry()) {
        if !matches!(name, b"uuid" | b"name" | b"success" | b"error") {
            row.push(name, value);
        }
    }
    row.finish()
}

/// `"CODE: DETAILS"` of an error object.
fn error_text(error: &[u8]) -> Cow<'_, [u8]> {
    if json::kind(error) != Kind::Map {
        return Cow::Borrowed(error);
    }
    let text = |name| {
        let value = json::member(error, name).filter(|value| json::kind(value) == Kind::Text)?;
        Some(json::unescape(value)).filter(|text| !text.trim().is_empty())
    };
    let told = [text("code"), text("details").or_else(|| text("description"))];
    let told: Vec<Cow<'_, str>> = told.into_iter().flatten().collect();
    let mut literal = Vec::new();
    json::write_literal(&mut literal, &told.join(": "));
    Cow::Owned(literal)
}

/// Whether an element of `results` is the result of a ZQL statement and not a part of a batch.
fn is_of_zql(row: &[u8]) -> bool {
    let has = |name| json::member(row, name).is_some();
    has("inventories") || has("inventoryCounts") || has("total")
}

/// Prints one element of a ZQL reply's `results`, or a row of another list of that name. The other members of a named
/// result are printed with its rows.
fn result(index: usize, row: &[u8], writer: &mut dyn RowWriter, beside: &mut MapWriter) -> Result<(), Error> {
    let name = json::member(row, "name").filter(|name| json::kind(name) == Kind::Text).map(json::unescape);
    let name = name.filter(|name| !name.is_empty());
    let title = name.as_deref().unwrap_or("inventories");
    let mut own = MapWriter::default();
    let mut lists = 0;
    for (name, value) in json::members(row) {
        match (name, json::kind(value)) {
            (_, Kind::Null) | (b"name", Kind::Text) => {}
            (b"inventories", Kind::List) => {
                lists += 1;
                list(Section { name: title, kind: RowKind::Result(index), single: false }, value, writer)?;
            }
            (b"returnWith", Kind::Map) => {
                for (name, value) in json::members(value) {
                    match json::kind(value) {
                        Kind::List => lists += 1,
                        // Some nodes send it twice.
                        _ if name == b"total" && json::member(row, "total").is_some() => {}
                        _ => own.push(name, value),
                    }
                }
            }
            _ => own.push(name, value),
        }
    }
    for (name, value) in json::member(row, "returnWith").into_iter().flat_map(json::members) {
        if json::kind(value) == Kind::List {
            let name = String::from_utf8_lossy(name);
            let kind = if json::items(value).all(is_point) { RowKind::Points } else { RowKind::Other };
            list(Section { name: &name, kind, single: false }, value, writer)?;
        }
    }
    let record = own.finish();
    let is_named = name.is_some();
    match lists {
        0 => {
            let title = name.as_deref().unwrap_or_default();
            single(Section { name: title, kind: RowKind::Other, single: false }, &record, writer)
        }
        _ if is_named && record != b"{}" => writer.beside(&record),
        _ => {
            json::members(&record).for_each(|(name, value)| beside.push(name, value));
            Ok(())
        }
    }
}

fn list(section: Section<'_>, items: &[u8], writer: &mut dyn RowWriter) -> Result<(), Error> {
    writer.begin(section)?;
    for item in json::items(items) {
        writer.row(&labelled(item))?;
    }
    writer.end()
}

fn is_point(row: &[u8]) -> bool {
    json::member(row, "value").is_some() && json::member(row, "time").is_some()
}

/// A point of a metric with its labels as text: `{"value": 3.0, "time": 1763730000, "labels": {"VMUuid": ".."}}`. Other
/// rows are unchanged.
fn labelled(row: &[u8]) -> Cow<'_, [u8]> {
    let Some(labels) = json::member(row, "labels").filter(|labels| json::kind(labels) == Kind::Map && is_point(row))
    else {
        return Cow::Borrowed(row);
    };
    let texts = json::members(labels).map(|(name, value)| {
        let value = match json::kind(value) {
            Kind::Text => json::unescape(value),
            _ => String::from_utf8_lossy(value),
        };
        format!("{}={value}", String::from_utf8_lossy(name))
    });
    let texts: Vec<String> = texts.collect();
    let mut record = MapWriter::default();
    for (name, value) in json::members(row) {
        if name == b"labels" {
            let mut text = Vec::new();
            json::write_literal(&mut text, &texts.join(", "));
            record.push(name, &text);
        } else {
            record.push(name, value);
        }
    }
    Cow::Owned(record.finish())
}

/// Passes pieces on and counts the rows in them.
pub(super) struct CountedRows<'p> {
    pieces: &'p mut dyn Pieces,
    rows: u64,
    total: Option<u64>,
    lists: bool,
    members: bool,
    results: bool,
}

impl<'p> CountedRows<'p> {
    pub(super) fn new(pieces: &'p mut dyn Pieces) -> CountedRows<'p> {
        CountedRows { pieces, rows: 0, total: None, lists: false, members: false, results: false }
    }

    /// The counts.
    pub(super) fn rendered(&self) -> Rendered {
        let rows = match self.total {
            _ if self.lists => self.rows,
            Some(total) => total,
            None => u64::from(self.members),
        };
        Rendered { rows, total: self.total, hidden: Vec::new() }
    }
}

impl Pieces for CountedRows<'_> {
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
