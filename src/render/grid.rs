//! The columns of a printed table, and finding their values in the text of a row.

use std::collections::HashSet;

use crate::json::{self, Kind};
use crate::nearness::near;

use super::columns::{Column, Selection};
use super::defaults::{self, Candidate};
use super::error::Error;
use super::size::counts_bytes;
use super::style::is_state;
use super::view::{Field, FieldKind, Format, Shape, View};

/// How many rows are examined before the first is printed, where columns or widths depend on them.
const SAMPLE_ROWS: usize = 1000;
/// The maximum size of these rows in bytes.
const SAMPLE_BYTES: usize = 8 << 20;

/// The first rows of a list.
#[derive(Default)]
pub(super) struct Sample {
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Sample {
    pub(super) fn push(&mut self, row: &[u8]) {
        self.text.extend_from_slice(row);
        self.ends.push(self.text.len());
    }

    pub(super) fn is_full(&self) -> bool {
        self.ends.len() >= SAMPLE_ROWS || self.text.len() >= SAMPLE_BYTES
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let row = &self.text[start..end];
            start = end;
            row
        })
    }

    /// The members that the rows have, in the order in which they appear first.
    fn fields(&self) -> Vec<Field> {
        let mut known: HashSet<&[u8]> = HashSet::new();
        let mut fields: Vec<Field> = Vec::new();
        for row in self.rows() {
            for (name, value) in json::members(row) {
                let nested = matches!(json::kind(value), Kind::List | Kind::Map);
                if known.insert(name) {
                    let kind = if nested { FieldKind::Nested } else { FieldKind::Unknown };
                    fields.push(Field { name: String::from_utf8_lossy(name).into_owned(), kind, secret: false });
                } else if nested && let Some(field) = fields.iter_mut().find(|field| field.name.as_bytes() == name) {
                    field.kind = FieldKind::Nested;
                }
            }
        }
        fields
    }

    /// Whether there are rows and none is a map.
    fn is_flat(&self) -> bool {
        self.len() > 0 && self.rows().all(|row| json::kind(row) != Kind::Map)
    }
}

/// A column of a printed table.
#[derive(Clone, Debug)]
pub(super) struct GridColumn {
    pub(super) title: String,
    /// The path to the values after its first member.
    pub(super) inner: Vec<String>,
    /// The name of the last member.
    pub(super) leaf: String,
    /// The index in the grid's heads of the first member of the path; `None` for the row itself.
    head: Option<usize>,
    /// The index there of the member that the value is a part of.
    whole: Option<usize>,
    /// How early the column gives way where there is no space; 0 for those that were asked for.
    pub(super) rank: usize,
    /// Whether the values count bytes.
    pub(super) bytes: bool,
    /// Whether the values are masked.
    pub(super) masked: bool,
    /// Whether the values are states.
    pub(super) state: bool,
    /// Whether the values are dates according to the catalog.
    time: bool,
    /// Whether dates are shortened.
    pub(super) shortens_dates: bool,
    /// Whether the rows are APIs, whose names are not chosen by users.
    of_apis: bool,
}

impl GridColumn {
    /// Whether the values are free text chosen by users, which is still useful when truncated.
    pub(super) fn is_text(&self) -> bool {
        let lower = self.leaf.to_ascii_lowercase();
        let called = self.leaf == "name" && !self.of_apis
            || self.leaf.strip_suffix("Name").is_some_and(|what| {
                let what = what.to_ascii_lowercase();
                !["api", "job", "class", "host", "domain", "task", "interface", "event", "metric"]
                    .iter()
                    .any(|word| what.ends_with(word))
            });
        let told = ["description", "content", "comment", "details", "message", "error", "reason", "publickey"];
        called || told.iter().any(|word| lower.ends_with(word))
    }

    /// Whether the values are dates.
    pub(super) fn is_time(&self) -> bool {
        let lower = self.leaf.to_ascii_lowercase();
        self.time || lower.ends_with("date") || lower.ends_with("time")
    }

    /// Whether a cell may hold several values, from nested lists.
    pub(super) fn is_list(&self) -> bool {
        !self.inner.is_empty()
    }
}

/// The columns of a printed table.
#[derive(Debug, Default)]
pub(super) struct Grid {
    pub(super) columns: Vec<GridColumn>,
    /// The members of a row that the columns need, without duplicates.
    heads: Vec<String>,
    /// Whether the columns are the default ones because the rows have none of the requested ones.
    pub(super) fallback: bool,
}

impl Grid {
    /// The grid, if it does not depend on the rows; `None` if the rows decide which columns exist.
    pub(super) fn without_sample(shape: &Shape, view: &View) -> Option<Grid> {
        if shape.fields.is_empty() {
            return None;
        }
        let columns = columns(shape, &shape.fields, view, view.columns.as_ref());
        columns
            .iter()
            .all(|Candidate { column, .. }| column.path.len() == 1 && shape.field(&column.path[0]).is_some())
            .then(|| Grid::of_candidates(columns, shape, view))
    }

    /// The grid for a sample of rows. `name` is the name of their list.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`] for a requested column that neither the catalog nor the rows have.
    pub(super) fn with_sample(name: &str, shape: &Shape, view: &View, sample: &Sample) -> Result<Grid, Error> {
        if sample.is_flat() && view.columns.is_none() {
            let column = Column { title: name.to_owned(), path: Vec::new(), at: 0 };
            return Ok(Grid::of(vec![column], shape, view));
        }
        let seen = sample.fields();
        let mut fields = shape.fields.clone();
        if fields.is_empty() || view.format == Format::Wide {
            for field in &seen {
                if shape.field(&field.name).is_none() {
                    fields.push(field.clone());
                }
            }
        }
        let columns_of = |selection: Option<&Selection>| columns(shape, &fields, view, selection);
        let mut columns = columns_of(view.columns.as_ref());
        // Without rows and without a shape it is unknown which columns exist.
        if let Some(selection) = view.columns.as_ref().filter(|_| !(shape.fields.is_empty() && sample.len() == 0)) {
            let mut left = selection.clone();
            left.columns.clear();
            for column in &selection.columns {
                match lack(column, shape, view, &seen, sample) {
                    Some(error) if !selection.saved => return Err(error),
                    Some(_) => {}
                    None => left.columns.push(column.clone()),
                }
            }
            if left.columns.len() < selection.columns.len() {
                let fallback = left.columns.is_empty();
                columns = columns_of(Some(left).filter(|_| !fallback).as_ref());
                return Ok(Grid { fallback, ..Grid::of_candidates(columns, shape, view) });
            }
        }
        Ok(Grid::of_candidates(columns, shape, view))
    }

    /// A grid of columns that were asked for.
    pub(super) fn of(columns: Vec<Column>, shape: &Shape, view: &View) -> Grid {
        Grid::of_candidates(columns.into_iter().map(Candidate::asked).collect(), shape, view)
    }

    /// The index of a member among the heads.
    fn head_index(&mut self, head: &str) -> usize {
        self.heads.iter().position(|known| known == head).unwrap_or_else(|| {
            self.heads.push(head.to_owned());
            self.heads.len() - 1
        })
    }

    /// A grid of these columns.
    fn of_candidates(columns: Vec<Candidate>, shape: &Shape, view: &View) -> Grid {
        let mut grid = Grid::default();
        for Candidate { column, whole, rank, is_name } in columns {
            let head = column.path.first().map(|head| grid.head_index(head));
            let whole = whole.map(|whole| grid.head_index(&whole));
            let field = column.path.first().and_then(|head| shape.field(head));
            let inner = column.path.get(1..).unwrap_or_default().to_vec();
            let leaf = if is_name { "name" } else { column.path.last().unwrap_or(&column.title) };
            let leaf = leaf.to_owned();
            let kind = match field {
                Some(field) if inner.is_empty() => field.kind,
                _ => FieldKind::Unknown,
            };
            let secret = field.is_some_and(|field| field.secret);
            let masked = column.path.iter().any(|name| view.masks(name)) || secret && view.masks_secrets();
            grid.columns.push(GridColumn {
                bytes: view.format.is_for_people() && counts_bytes(&leaf, kind),
                state: is_state(&leaf),
                time: kind == FieldKind::Time,
                shortens_dates: false,
                of_apis: shape.inventory.as_deref() == Some("Api"),
                title: column.title,
                inner,
                leaf,
                head,
                whole,
                rank,
                masked,
            });
            let is_table = matches!(view.format, Format::Table | Format::Wide);
            if let Some(column) = grid.columns.last_mut().filter(|_| view.terminal && is_table) {
                column.shortens_dates = column.is_time();
            }
        }
        grid
    }

    /// Whether a requested column is among them.
    pub(super) fn has(&self, column: &Column) -> bool {
        self.columns.iter().any(|known| known.title == column.title)
    }

    /// The values of the heads in a row, to be handed to [`Grid::value`].
    pub(super) fn heads<'r>(&self, row: &'r [u8]) -> Vec<Option<&'r [u8]>> {
        let mut found = vec![None; self.heads.len()];
        let mut missing = found.len();
        // Members mostly come in the order of the columns, so the search continues after the last hit.
        let mut next = 0;
        if missing == 0 {
            return found;
        }
        for (name, value) in json::members(row) {
            let (before, from) = self.heads.split_at(next);
            let hit = from
                .iter()
                .position(|head| head.as_bytes() == name)
                .map(|at| at + next)
                .or_else(|| before.iter().position(|head| head.as_bytes() == name));
            if let Some(index) = hit {
                if found[index].is_none() {
                    missing -= 1;
                }
                found[index] = Some(value);
                if missing == 0 {
                    break;
                }
                next = index + 1;
            }
        }
        found
    }

    /// The member that a column's path begins with; empty where it is the row itself.
    pub(super) fn head(&self, column: &GridColumn) -> &str {
        column.head.and_then(|index| self.heads.get(index)).map_or("", String::as_str)
    }

    /// The names under which `--columns` knows a column.
    pub(super) fn names(&self, column: &GridColumn) -> impl Iterator<Item = String> {
        let path = || column.inner.iter().fold(self.head(column).to_owned(), |path, name| format!("{path}.{name}"));
        let path = match self.head(column) {
            "" => column.title.clone(),
            // The name of another resource.
            head if column.inner.is_empty() && column.leaf != head => format!("{head}.{}", column.leaf),
            _ => path(),
        };
        let whole = column.whole.and_then(|index| self.heads.get(index).cloned());
        [Some(path), whole].into_iter().flatten()
    }

    /// What the value of a column is a part of, for one that shows both; the inner `None` where a row lacks it.
    pub(super) fn whole<'r>(&self, column: &GridColumn, heads: &[Option<&'r [u8]>]) -> Option<Option<&'r [u8]>> {
        column.whole.map(|index| heads.get(index).copied().flatten())
    }

    /// What a column's path begins with in a row: the value of its first member, or the row itself.
    pub(super) fn value<'r>(&self, column: &GridColumn, row: &'r [u8], heads: &[Option<&'r [u8]>]) -> Option<&'r [u8]> {
        match column.head {
            Some(index) => heads.get(index).copied().flatten(),
            None => Some(row),
        }
    }
}

/// The columns to print, with the one that goes first.
fn columns(shape: &Shape, fields: &[Field], view: &View, selection: Option<&Selection>) -> Vec<Candidate> {
    let mut columns = chosen_columns(shape, fields, view, selection);
    if let Some(leading) = view.leading.as_ref().filter(|_| view.format != Format::Value) {
        columns.retain(|candidate| candidate.column.path != [leading.as_str()]);
        let path = vec![leading.clone()];
        columns.insert(0, Candidate::asked(Column { title: leading.clone(), path, at: 0 }));
    }
    columns
}

/// The requested columns, or the default ones of the format.
fn chosen_columns(shape: &Shape, fields: &[Field], view: &View, selection: Option<&Selection>) -> Vec<Candidate> {
    let asked = |columns: &[Column]| columns.iter().cloned().map(Candidate::asked).collect();
    let mut columns = match selection {
        Some(selection) if !selection.added => return asked(&selection.columns),
        // Members requested with `fields=`.
        _ if shape.inventory.is_none() && view.taken_from.is_some() && !shape.fields.is_empty() => {
            asked(&default_columns(shape, fields, view.format))
        }
        _ => defaults::ranked(default_columns(shape, fields, view.format), shape.inventory.as_deref()),
    };
    for column in selection.iter().flat_map(|selection| &selection.columns) {
        match columns.iter_mut().find(|known| known.column.path == column.path && known.column.title == column.title) {
            Some(known) => known.rank = 0,
            None => columns.push(Candidate::asked(column.clone())),
        }
    }
    if let Some(told) = &view.section {
        columns.retain(|known| known.rank == 0 || !told.iter().any(|name| known.column.path == [name.as_str()]));
    }
    if view.terminal && view.format == Format::Table { defaults::on_terminal(columns, &view.named) } else { columns }
}

/// The members that the default columns of a table show as they are.
pub fn default_members(shape: &Shape) -> Vec<String> {
    let columns = default_columns(shape, &shape.fields, Format::Table).into_iter();
    columns.filter(|column| column.path.len() == 1).flat_map(|column| column.path).collect()
}

fn default_columns(shape: &Shape, fields: &[Field], format: Format) -> Vec<Column> {
    match format {
        Format::Table | Format::Value => {
            let mut columns = match shape.inventory.as_deref() {
                // Members requested with `fields=`.
                None if !shape.fields.is_empty() => fields.iter().map(plain).collect(),
                None => defaults::by_rule(fields),
                Some(inventory) => match defaults::chosen(inventory) {
                    None => defaults::by_rule(fields),
                    // Rows with only some members cannot fill the default columns.
                    Some(chosen) if !shape.fields.is_empty() && chosen.iter().any(|column| lacks(shape, column)) => {
                        fields.iter().map(plain).collect()
                    }
                    Some(chosen) => chosen,
                },
            };
            if columns.is_empty() {
                columns = fields.iter().map(plain).collect();
            }
            if format == Format::Value {
                columns.truncate(1);
            }
            columns
        }
        _ => {
            let mut columns: Vec<Column> = fields.iter().filter(|field| field.kind.is_scalar()).map(plain).collect();
            if columns.is_empty() {
                columns = fields.iter().map(plain).collect();
            }
            if format == Format::Wide {
                columns.sort_by_key(|column| match column.title.as_str() {
                    "name" => 0,
                    "uuid" => 1,
                    "state" | "status" => 2,
                    _ => 3,
                });
            }
            columns
        }
    }
}

/// Whether a shape does not have the member that a column begins with.
fn lacks(shape: &Shape, column: &Column) -> bool {
    column.path.first().is_some_and(|head| shape.field(head).is_none())
}

fn plain(field: &Field) -> Column {
    Column { title: field.name.clone(), path: vec![field.name.clone()], at: 0 }
}

/// The error for a requested column that the rows do not have, if so.
fn lack(column: &Column, shape: &Shape, view: &View, seen: &[Field], sample: &Sample) -> Option<Error> {
    let head = column.path.first()?;
    let known = || seen.iter().chain(&shape.fields).map(|field| field.name.as_str());
    let missing = if known().any(|name| name == head) {
        unknown_inside(column, sample)
    } else {
        Some(Error::UnknownColumn { name: column.path.join("."), at: column.at, near: near(head, known()) })
    };
    missing.filter(|_| !view.knows(shape, &column.path))
}

/// Checks the requested columns against what is known about the rows before there are any. If nothing is known, every
/// column is accepted.
///
/// # Errors
/// [`Error::UnknownColumn`] for the first one that the rows will not have.
pub fn check_columns(shape: &Shape, view: &View) -> Result<(), Error> {
    let typed = view.columns.iter().filter(|selection| !selection.saved && !shape.fields.is_empty());
    for column in typed.flat_map(|selection| &selection.columns) {
        let Some(head) = column.path.first().filter(|head| shape.field(head).is_none()) else { continue };
        if view.knows(shape, &column.path) {
            continue;
        }
        let known = shape.fields.iter().map(|field| field.name.as_str());
        return Err(Error::UnknownColumn { name: column.path.join("."), at: column.at, near: near(head, known) });
    }
    Ok(())
}

/// A nested member that no row has although some rows have an object there.
fn unknown_inside(column: &Column, sample: &Sample) -> Option<Error> {
    let mut at = column.at;
    for depth in 1..column.path.len() {
        at += column.path[depth - 1].len() + 1;
        let mut names: Vec<String> = Vec::new();
        for row in sample.rows() {
            json::pick(row, &column.path[..depth], &mut |value| {
                json::maps(value, &mut |map| {
                    for (name, _) in json::members(map) {
                        if !names.iter().any(|known| known.as_bytes() == name) {
                            names.push(String::from_utf8_lossy(name).into_owned());
                        }
                    }
                });
            });
        }
        if !names.is_empty() && !names.contains(&column.path[depth]) {
            return Some(Error::UnknownColumn {
                name: column.path.join("."),
                at,
                near: near(&column.path[depth], names.iter().map(String::as_str)),
            });
        }
    }
    None
}
