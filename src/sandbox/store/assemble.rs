//! Printing stored rows as inventories.
//!
//! Each row is read by its key and written at once, in one text with what it nests. The rows of a nested list are found
//! in the index of the member that refers to the row around them, and then printed in the same way.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::Arc;

use rusqlite::{CachedStatement, Connection};

use super::error::StoreError;
use super::json_text::{Secrecy, write_column, write_string};
use super::model::{InventoryModel, Join, Kind, Member, Model};
use super::schema::{self, quoted};
use super::{capacity, class_name};

/// The maximum nesting of inventories: a VM, its nics, their addresses.
const DEEPEST: usize = 3;

/// What is printed of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The JSON text and the classes.
    Whole,
    /// The JSON text.
    Rows,
    /// The classes alone, for the `schema` before a reply that is too long to be kept.
    Classes,
}

/// Printed rows.
#[derive(Debug, Default)]
pub(super) struct Printed {
    /// The inventories as JSON text, separated by commas, perhaps after other text.
    pub(super) json: String,
    /// The number of rows, including those that were printed elsewhere.
    pub(super) rows: usize,
    classes: String,
    /// Where the classes of each row end.
    ends: Vec<usize>,
}

impl Printed {
    /// Nothing yet, after other text and rows that were or will be printed elsewhere.
    pub(super) fn after(json: String, rows: usize) -> Printed {
        Printed { json, rows, ..Printed::default() }
    }

    /// The classes of each row and of what it nests by path (N6): `,"inventories[0]":"..","inventories[0].vmNics[0]":".."`.
    pub(super) fn classes(&self) -> impl DoubleEndedIterator<Item = &str> {
        let begins = |at: usize| at.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.ends.iter().enumerate().map(move |(at, end)| &self.classes[begins(at)..*end])
    }
}

/// Prints rows as inventories.
pub(super) struct Printer<'a> {
    pub(super) connection: &'a Connection,
    pub(super) model: &'a Model,
    pub(super) secrecy: Secrecy,
    pub(super) part: Part,
}

/// The rows of a table, as one inventory and those that specialise it.
struct Source<'a> {
    general: Arc<InventoryModel>,
    columns: HashSet<String>,
    fields: Option<&'a [&'a str]>,
    depth: usize,
    plans: Vec<Plan<'a>>,
    /// The plan of the last row, which is mostly that of the next one.
    last: usize,
}

/// How the rows of one inventory are read and printed.
struct Plan<'a> {
    shape: Arc<InventoryModel>,
    /// The stored names of the inventories that are printed so.
    names: Vec<String>,
    class: String,
    statement: CachedStatement<'a>,
    members: Vec<PlannedMember<'a>>,
}

struct PlannedMember<'a> {
    /// `,"name":`
    prefix: String,
    content: Content<'a>,
}

enum Content<'a> {
    /// A column of the statement.
    Column { at: usize, kind: Kind, is_hidden: bool },
    /// A fixed text.
    Fixed(&'static str),
    /// A list of values of another table for the key in a column, unless there is no such table yet.
    Values { key: usize, statement: Option<CachedStatement<'a>> },
    /// The rows of another table for the key in a column.
    Rows { key: usize, nested: NestedRows<'a> },
}

/// Rows within a row.
struct NestedRows<'a> {
    name: &'static str,
    many: bool,
    target: Arc<InventoryModel>,
    depth: usize,
    /// The `_id`s of the rows with a key, unless there is no such table yet.
    statement: Option<CachedStatement<'a>>,
    ids: Vec<i64>,
    source: Option<Box<Source<'a>>>,
}

impl<'a> Printer<'a> {
    /// Adds the rows with these `_id`s to `out`, in this order; deleted rows are left out. With `fields`, only those
    /// members.
    pub(super) fn print(
        &self,
        shape: &Arc<InventoryModel>,
        ids: &[i64],
        fields: Option<&'a [&'a str]>,
        out: &mut Printed,
    ) -> Result<(), StoreError> {
        let mut source = Source::new(self, shape, fields, 1)?;
        let mut path = String::new();
        for id in ids {
            let before = out.json.len();
            if out.rows > 0 {
                out.json.push(',');
            }
            path.clear();
            // Writing to a string cannot fail.
            let _ = write!(path, "inventories[{}]", out.rows);
            let is_there = source.write(self, *id, &mut path, out)?;
            if is_there {
                out.rows += 1;
                out.ends.push(out.classes.len());
            }
            if !is_there || self.part == Part::Classes {
                out.json.truncate(before);
            }
        }
        Ok(())
    }

    /// A statement on the rows of a table whose `foreign` is the parameter; `None` if there is no such table yet.
    fn related(
        &self,
        target: &InventoryModel,
        join: &Join,
        selected: &str,
        tail: &str,
    ) -> Result<Option<CachedStatement<'a>>, StoreError> {
        if !schema::table_exists(self.connection, target.table())? {
            return Ok(None);
        }
        let (table, foreign) = (quoted(target.table()), quoted(join.foreign));
        let sql = format!("SELECT {selected} FROM {table} WHERE {foreign} = ?1{tail}");
        Ok(Some(self.connection.prepare_cached(&sql)?))
    }

    /// How a member that is not stored in the row itself is printed; `None` if it is left out.
    fn nested(&self, member: &Member, key: usize, depth: usize) -> Result<Option<Content<'a>>, StoreError> {
        let Some(target) = join(member).and_then(|join| self.model.shape(join.inventory)) else { return Ok(None) };
        Ok(match &member.kind {
            Kind::Values { join, value } => {
                let value = quoted(value);
                let tail = format!(" AND {value} IS NOT NULL ORDER BY _id");
                Some(Content::Values { key, statement: self.related(&target, join, &value, &tail)? })
            }
            Kind::Rows { join, many } => {
                let statement = self.related(&target, join, "_id", "")?;
                let (name, many, ids, depth) = (member.name, *many, Vec::new(), depth + 1);
                let nested = NestedRows { name, many, target, depth, statement, ids, source: None };
                Some(Content::Rows { key, nested })
            }
            _ => None,
        })
    }
}

/// The join of a member that is read from another table.
fn join(member: &Member) -> Option<&Join> {
    match &member.kind {
        Kind::Rows { join, .. } | Kind::Values { join, .. } => Some(join),
        _ => None,
    }
}

impl<'a> Source<'a> {
    fn new(
        printer: &Printer<'a>,
        general: &Arc<InventoryModel>,
        fields: Option<&'a [&'a str]>,
        depth: usize,
    ) -> Result<Source<'a>, StoreError> {
        // An earlier version of the program may have created the table with fewer columns.
        let sql = format!("SELECT * FROM {}", quoted(general.table()));
        let columns = printer.connection.prepare_cached(&sql)?.column_names().map(str::to_owned).collect();
        let general = Arc::clone(general);
        let mut source = Source { general, columns, fields, depth, plans: Vec::new(), last: 0 };
        source.plans.push(source.plan(printer, &source.general)?);
        Ok(source)
    }

    fn plan(&self, printer: &Printer<'a>, shape: &Arc<InventoryModel>) -> Result<Plan<'a>, StoreError> {
        let mut selected = vec!["_inventory"];
        let mut select = |name: &'static str| {
            selected.iter().position(|known| *known == name).unwrap_or_else(|| {
                selected.push(name);
                selected.len() - 1
            })
        };
        let mut members = Vec::new();
        for member in &shape.members {
            let is_asked = self.fields.is_none_or(|fields| fields.contains(&member.name));
            if member.newer || !is_asked && !member.primitive {
                continue;
            }
            let content = if !is_asked {
                // Java's primitive types cannot be null (R4).
                Content::Fixed(if member.kind == Kind::Bool { "false" } else { "0" })
            } else if member.kind.is_column() {
                if printer.part == Part::Classes || !self.columns.contains(member.name) {
                    continue;
                }
                let (kind, is_hidden) = (member.kind.clone(), printer.secrecy.hides(member.name));
                Content::Column { at: select(member.name), kind, is_hidden }
            } else {
                let key = join(member).map(|join| join.key).filter(|key| self.columns.contains(*key));
                let (Some(key), None, true) = (key, self.fields, self.depth <= DEEPEST) else { continue };
                let Some(content) = printer.nested(member, select(key), self.depth)? else { continue };
                content
            };
            members.push(PlannedMember { prefix: format!(",\"{}\":", member.name), content });
        }
        let selected = selected.into_iter().map(quoted).collect::<Vec<_>>().join(", ");
        let sql = format!("SELECT {selected} FROM {} WHERE _id = ?1", capacity::source(shape.table()));
        let statement = printer.connection.prepare_cached(&sql)?;
        let (shape, names, class) = (Arc::clone(shape), vec![shape.name.to_owned()], class_name::of(shape.name));
        Ok(Plan { shape, names, class, statement, members })
    }

    /// The plan of a row's most special inventory.
    fn plan_of(&mut self, printer: &Printer<'a>, name: String) -> Result<usize, StoreError> {
        if let Some(at) = self.plans.iter().position(|plan| plan.names.contains(&name)) {
            return Ok(at);
        }
        let shape = printer.model.shape(&name).unwrap_or_else(|| Arc::clone(&self.general));
        if let Some(at) = self.plans.iter().position(|plan| plan.shape.name == shape.name) {
            self.plans[at].names.push(name);
            return Ok(at);
        }
        self.plans.push(self.plan(printer, &shape)?);
        Ok(self.plans.len() - 1)
    }

    /// Writes the row with this `_id`, which is at `path`. Returns `false` if there is none.
    fn write(
        &mut self,
        printer: &Printer<'a>,
        id: i64,
        path: &mut String,
        out: &mut Printed,
    ) -> Result<bool, StoreError> {
        loop {
            let Plan { names, class, statement, members, .. } = &mut self.plans[self.last];
            let mut rows = statement.query([id])?;
            let Some(row) = rows.next()? else { return Ok(false) };
            let name = row.get_ref(0)?.as_str().unwrap_or_default();
            if !names.iter().any(|known| known == name) {
                let name = name.to_owned();
                drop(rows);
                self.last = self.plan_of(printer, name)?;
                continue;
            }
            if printer.part != Part::Rows {
                // Writing to a string cannot fail.
                let _ = write!(out.classes, ",\"{path}\":\"{class}\"");
            }
            out.json.push('{');
            let first = out.json.len();
            for PlannedMember { prefix, content } in members {
                let before = out.json.len();
                out.json.push_str(&prefix[usize::from(before == first)..]);
                let key = |at: usize| row.get_ref(at).map(|key| key.as_str().unwrap_or_default());
                let is_there = match content {
                    Content::Fixed(value) => {
                        out.json.push_str(value);
                        true
                    }
                    Content::Column { at, kind, is_hidden } => {
                        write_column(&mut out.json, kind, row.get_ref(*at)?, *is_hidden)
                    }
                    Content::Values { key: at, statement } => {
                        write_values(&mut out.json, statement.as_mut(), key(*at)?)?;
                        true
                    }
                    Content::Rows { key: at, nested } => nested.write(printer, key(*at)?, path, out)?,
                };
                if !is_there {
                    // Members without a value are left out (N2).
                    out.json.truncate(before);
                }
            }
            out.json.push('}');
            return Ok(true);
        }
    }
}

/// Writes the list of the values for a key.
fn write_values(json: &mut String, statement: Option<&mut CachedStatement<'_>>, key: &str) -> Result<(), StoreError> {
    json.push('[');
    if let Some(statement) = statement.filter(|_| !key.is_empty()) {
        let mut rows = statement.query([key])?;
        let mut comma = "";
        while let Some(row) = rows.next()? {
            json.push_str(std::mem::replace(&mut comma, ","));
            write_string(json, &row.get::<_, String>(0)?);
        }
    }
    json.push(']');
    Ok(())
}

impl<'a> NestedRows<'a> {
    /// Writes the rows for a key, which are in the row at `path`. Returns `false` if the only one is missing.
    fn write(
        &mut self,
        printer: &Printer<'a>,
        key: &str,
        path: &mut String,
        out: &mut Printed,
    ) -> Result<bool, StoreError> {
        self.ids.clear();
        if let Some(statement) = self.statement.as_mut().filter(|_| !key.is_empty()) {
            let mut rows = statement.query([key])?;
            while let Some(row) = rows.next()? {
                self.ids.push(row.get(0)?);
            }
        }
        // The index has them in another order.
        self.ids.sort_unstable();
        if !self.many {
            self.ids.truncate(1);
        }
        if self.many {
            out.json.push('[');
        }
        let length = path.len();
        for (at, id) in self.ids.iter().enumerate() {
            let source = match &mut self.source {
                Some(source) => source,
                none => none.insert(Box::new(Source::new(printer, &self.target, None, self.depth)?)),
            };
            if at > 0 {
                out.json.push(',');
            }
            path.push('.');
            path.push_str(self.name);
            if self.many {
                // Writing to a string cannot fail.
                let _ = write!(path, "[{at}]");
            }
            source.write(printer, *id, path, out)?;
            path.truncate(length);
        }
        if self.many {
            out.json.push(']');
        }
        Ok(self.many || !self.ids.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn what_a_row_nests_is_found_in_an_index() {
        let model = Model::new(Catalog::newest());
        let shapes = || model.catalog().inventory_names().filter_map(|name| model.shape(name));
        let mut checked = 0;
        for shape in shapes() {
            for join in shape.members.iter().filter_map(join) {
                let Some(target) = model.shape(join.inventory) else { continue };
                let (table, columns) = (target.table(), schema::columns(&model, target.root));
                let begins = format!("({}", quoted(join.foreign));
                let found = schema::indexes(table, &columns).iter().any(|index| index.contains(&begins));
                assert!(found, "{} of {}: {}", join.foreign, target.name, shape.name);
                checked += 1;
            }
        }
        assert!(checked > 50, "{checked}");
    }
}
