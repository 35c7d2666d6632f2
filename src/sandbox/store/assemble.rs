//! Printing stored rows as inventories.
//!
//! Nested lists are read for all rows of a page at once, one statement for each kind of list.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, Row as SqlRow};

use super::error::StoreError;
use super::json_text::{Secrecy, json_keys, write_column, write_string};
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
    /// The classes alone, for the `schema` before a reply that is too long to be kept.
    Classes,
}

/// One inventory as JSON text, with its class and those of nested inventories by path (N6).
#[derive(Debug, Default)]
pub(super) struct InventoryJson {
    pub(super) json: String,
    pub(super) classes: Vec<(String, Arc<str>)>,
}

/// Prints rows as inventories.
pub(super) struct Printer<'a> {
    pub(super) connection: &'a Connection,
    pub(super) model: &'a Model,
    pub(super) secrecy: Secrecy,
    pub(super) part: Part,
}

/// How the rows of one inventory in a statement's result are printed.
struct Plan {
    shape: Arc<InventoryModel>,
    class: Arc<str>,
    members: Vec<PlannedMember>,
    nested: Vec<NestedMember>,
    /// The columns with the keys of nested members.
    keys: Vec<usize>,
}

struct PlannedMember {
    /// `,"name":`
    prefix: String,
    content: Content,
}

enum Content {
    /// A column of the result.
    Column { at: usize, kind: Kind, is_hidden: bool },
    /// A fixed text.
    Fixed(&'static str),
    /// The next nested member.
    Nested,
}

/// A list member, and the position of its key among those of a row.
struct NestedMember {
    at: usize,
    name: &'static str,
    prefix: String,
    key: usize,
}

/// A printed row: the text of its own members, with the places of nested ones.
struct PrintedRow {
    plan: usize,
    text: String,
    gaps: Vec<usize>,
    keys: Vec<String>,
}

/// The values of a list member, by the key of the row.
enum NestedValues {
    Values(HashMap<String, Vec<String>>),
    Rows { many: bool, rows: HashMap<String, Vec<InventoryJson>> },
}

impl Printer<'_> {
    /// Prints the rows with these `_id`s, in this order; deleted rows are left out. With `fields`, only those members.
    pub(super) fn print(
        &self,
        shape: &Arc<InventoryModel>,
        ids: &[i64],
        fields: Option<&[&str]>,
    ) -> Result<Vec<InventoryJson>, StoreError> {
        let sql =
            format!("SELECT {} FROM {} WHERE _id = ?1", self.selected(shape, None), capacity::source(shape.table()));
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut batch = Batch::new(self, shape, &statement, fields, 1);
        for id in ids {
            let mut rows = statement.query([id])?;
            if let Some(row) = rows.next()? {
                batch.add(row)?;
            }
        }
        batch.finish()
    }

    /// The rows of `target` whose `foreign` is one of the keys, by that key.
    fn joined(
        &self,
        target: &Arc<InventoryModel>,
        foreign: &'static str,
        keys: &str,
        depth: usize,
    ) -> Result<HashMap<String, Vec<InventoryJson>>, StoreError> {
        let sql = format!(
            "SELECT {} FROM {} WHERE {} IN (SELECT value FROM json_each(?1)) ORDER BY _id",
            self.selected(target, Some(foreign)),
            capacity::source(target.table()),
            quoted(foreign),
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut batch = Batch::new(self, target, &statement, None, depth);
        let mut owners = Vec::new();
        let column = batch.columns.get(foreign).copied().unwrap_or_default();
        let mut rows = statement.query([keys])?;
        while let Some(row) = rows.next()? {
            owners.push(folded(row.get_ref(column)?.as_str().unwrap_or_default()));
            batch.add(row)?;
        }
        let mut lists: HashMap<String, Vec<InventoryJson>> = HashMap::with_capacity(owners.len());
        for (owner, printed) in owners.into_iter().zip(batch.finish()?) {
            lists.entry(owner).or_default().push(printed);
        }
        Ok(lists)
    }

    /// The columns to select. For classes alone only keys are needed.
    fn selected(&self, shape: &InventoryModel, foreign: Option<&'static str>) -> String {
        if self.part == Part::Whole {
            return "*".to_owned();
        }
        let family = self.model.descendants(shape);
        let shapes = family.iter().filter_map(|name| self.model.shape(name));
        let keys =
            shapes.flat_map(|shape| shape.members.iter().filter_map(join).map(|join| join.key).collect::<Vec<_>>());
        let mut columns: Vec<&str> = std::iter::once("_inventory").chain(foreign).chain(keys).collect();
        columns.sort_unstable();
        columns.dedup();
        columns.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(", ")
    }

    fn plan(
        &self,
        shape: Arc<InventoryModel>,
        columns: &HashMap<String, usize>,
        fields: Option<&[&str]>,
        depth: usize,
    ) -> Plan {
        let (mut members, mut nested, mut keys) = (Vec::new(), Vec::new(), Vec::new());
        for (at, member) in shape.members.iter().enumerate() {
            let is_asked = fields.is_none_or(|fields| fields.contains(&member.name));
            if member.newer || !is_asked && !member.primitive {
                continue;
            }
            let prefix = format!(",\"{}\":", member.name);
            let content = if !is_asked {
                // Java's primitive types cannot be null (R4).
                Content::Fixed(if member.kind == Kind::Bool { "false" } else { "0" })
            } else if member.kind.is_column() {
                let Some(column) = columns.get(member.name).filter(|_| self.part == Part::Whole) else { continue };
                Content::Column { at: *column, kind: member.kind.clone(), is_hidden: self.secrecy.hides(member.name) }
            } else {
                let key = join(member).and_then(|join| columns.get(join.key));
                let (Some(key), None, true) = (key, fields, depth <= DEEPEST) else { continue };
                let position = keys.iter().position(|known| known == key).unwrap_or_else(|| {
                    keys.push(*key);
                    keys.len() - 1
                });
                nested.push(NestedMember { at, name: member.name, prefix: prefix.clone(), key: position });
                Content::Nested
            };
            members.push(PlannedMember { prefix, content });
        }
        let class = class_name::of(shape.name).into();
        Plan { shape, class, members, nested, keys }
    }

    /// The values of a nested member for rows with these keys.
    fn nested(&self, member: &Member, keys: &str, depth: usize) -> Result<Option<NestedValues>, StoreError> {
        let Some(target) = join(member).and_then(|join| self.model.shape(join.inventory)) else { return Ok(None) };
        let exists = schema::table_exists(self.connection, target.table())?;
        Ok(match &member.kind {
            Kind::Values { join, value } => {
                let mut lists: HashMap<String, Vec<String>> = HashMap::new();
                if exists && self.part == Part::Whole {
                    let sql = format!(
                        "SELECT {foreign}, {value} FROM {} WHERE {foreign} IN (SELECT value FROM json_each(?1)) \
                         AND {value} IS NOT NULL ORDER BY _id",
                        quoted(target.table()),
                        foreign = quoted(join.foreign),
                        value = quoted(value),
                    );
                    let mut statement = self.connection.prepare_cached(&sql)?;
                    let mut rows = statement.query([&keys])?;
                    while let Some(row) = rows.next()? {
                        lists
                            .entry(folded(row.get_ref(0)?.as_str().unwrap_or_default()))
                            .or_default()
                            .push(row.get(1)?);
                    }
                }
                Some(NestedValues::Values(lists))
            }
            Kind::Rows { join, many } => {
                let rows = if exists { self.joined(&target, join.foreign, keys, depth + 1)? } else { HashMap::new() };
                Some(NestedValues::Rows { many: *many, rows })
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

/// The rows of one statement, printed while they are read; nested lists are read for all of them at once.
struct Batch<'a> {
    printer: &'a Printer<'a>,
    general: &'a Arc<InventoryModel>,
    columns: HashMap<String, usize>,
    fields: Option<&'a [&'a str]>,
    depth: usize,
    plans: Vec<Plan>,
    rows: Vec<PrintedRow>,
}

impl<'a> Batch<'a> {
    fn new(
        printer: &'a Printer<'a>,
        general: &'a Arc<InventoryModel>,
        statement: &rusqlite::Statement<'_>,
        fields: Option<&'a [&'a str]>,
        depth: usize,
    ) -> Batch<'a> {
        let columns = statement.column_names().enumerate().map(|(at, name)| (name.to_owned(), at)).collect();
        Batch { printer, general, columns, fields, depth, plans: Vec::new(), rows: Vec::new() }
    }

    /// The plan of a row's most special inventory.
    fn plan_of(&mut self, row: &SqlRow<'_>) -> Result<usize, StoreError> {
        let column = self.columns.get("_inventory").copied().unwrap_or_default();
        let name = row.get_ref(column)?.as_str().unwrap_or_default();
        let is_known = |plan: &Plan| plan.shape.name == name;
        if let Some(at) = self.plans.iter().position(is_known) {
            return Ok(at);
        }
        let special = if name == self.general.name { None } else { self.printer.model.shape(name) };
        let shape = special.unwrap_or_else(|| Arc::clone(self.general));
        if let Some(at) = self.plans.iter().position(|plan| plan.shape.name == shape.name) {
            return Ok(at);
        }
        self.plans.push(self.printer.plan(shape, &self.columns, self.fields, self.depth));
        Ok(self.plans.len() - 1)
    }

    fn add(&mut self, row: &SqlRow<'_>) -> Result<(), StoreError> {
        let at = self.plan_of(row)?;
        let plan = &self.plans[at];
        // Most inventories fit; growing copies less than it would waste.
        let mut text = String::with_capacity(if self.printer.part == Part::Whole { 1024 } else { 0 });
        let mut gaps = Vec::with_capacity(plan.nested.len());
        for member in &plan.members {
            let before = text.len();
            match &member.content {
                Content::Nested => gaps.push(before),
                Content::Fixed(value) => {
                    text.push_str(&member.prefix);
                    text.push_str(value);
                }
                Content::Column { at, kind, is_hidden } => {
                    text.push_str(&member.prefix);
                    if !write_column(&mut text, kind, row.get_ref(*at)?, *is_hidden) {
                        // Members without a value are left out (N2).
                        text.truncate(before);
                    }
                }
            }
        }
        let mut keys = Vec::with_capacity(plan.keys.len());
        for column in &plan.keys {
            keys.push(folded(row.get_ref(*column)?.as_str().unwrap_or_default()));
        }
        self.rows.push(PrintedRow { plan: at, text, gaps, keys });
        Ok(())
    }

    fn finish(self) -> Result<Vec<InventoryJson>, StoreError> {
        let mut nested = Vec::new();
        for (at, plan) in self.plans.iter().enumerate() {
            let mut of_plan = Vec::new();
            for member in &plan.nested {
                let rows = self.rows.iter().filter(|row| row.plan == at);
                let keys = json_keys(rows.filter_map(|row| row.keys.get(member.key)).map(String::as_str));
                of_plan.push(self.printer.nested(&plan.shape.members[member.at], &keys, self.depth)?);
            }
            nested.push(of_plan);
        }
        Ok(self.rows.iter().map(|row| complete(row, &self.plans[row.plan], &nested[row.plan])).collect())
    }
}

/// The inventory of a row and its nested members.
fn complete(row: &PrintedRow, plan: &Plan, nested: &[Option<NestedValues>]) -> InventoryJson {
    let mut json = String::with_capacity(row.text.len() * 2 + 16);
    let mut classes = vec![(String::new(), Arc::clone(&plan.class))];
    let mut from = 0;
    json.push('{');
    for ((at, member), values) in row.gaps.iter().zip(&plan.nested).zip(nested) {
        json.push_str(&row.text[from..*at]);
        from = *at;
        let before = json.len();
        json.push_str(&member.prefix);
        let key = row.keys.get(member.key).map_or("", String::as_str);
        if !write_nested(&mut json, &mut classes, member.name, key, values.as_ref()) {
            json.truncate(before);
        }
    }
    json.push_str(&row.text[from..]);
    if json.len() > 1 {
        // Every member begins with a comma.
        json.remove(1);
    }
    json.push('}');
    InventoryJson { json, classes }
}

/// Writes the values of a nested member. Returns `false` if there are none.
fn write_nested(
    json: &mut String,
    classes: &mut Vec<(String, Arc<str>)>,
    name: &str,
    key: &str,
    nested: Option<&NestedValues>,
) -> bool {
    match nested {
        Some(NestedValues::Values(lists)) => {
            json.push('[');
            for (at, text) in lists.get(key).into_iter().flatten().enumerate() {
                if at > 0 {
                    json.push(',');
                }
                write_string(json, text);
            }
            json.push(']');
            true
        }
        Some(NestedValues::Rows { many: false, rows }) => {
            let Some(row) = rows.get(key).and_then(|rows| rows.first()) else { return false };
            json.push_str(&row.json);
            classes.extend(row.classes.iter().map(|(path, class)| (format!(".{name}{path}"), Arc::clone(class))));
            true
        }
        Some(NestedValues::Rows { many: true, rows }) => {
            json.push('[');
            for (at, row) in rows.get(key).into_iter().flatten().enumerate() {
                if at > 0 {
                    json.push(',');
                }
                json.push_str(&row.json);
                let nested = row.classes.iter();
                classes.extend(nested.map(|(path, class)| (format!(".{name}[{at}]{path}"), Arc::clone(class))));
            }
            json.push(']');
            true
        }
        None => false,
    }
}

/// A key in the form in which the tables compare it.
fn folded(key: &str) -> String {
    key.to_ascii_lowercase()
}
