//! Printing stored rows as inventories.
//!
//! Nested lists are read for all rows of a page at once, one statement for each kind of list.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, Row as SqlRow};

use super::error::StoreError;
use super::model::{InventoryModel, Kind, Member, Model};
use super::schema::{self, quoted};
use super::{capacity, class_name, timestamp};

/// The maximum nesting of inventories: a VM, its nics, their addresses.
const DEEPEST: usize = 3;

/// Whether secret members are printed or hidden (Z6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Secrecy {
    Shown,
    Hidden,
}

/// One inventory as JSON text, with its class and those of nested inventories by path (N6).
#[derive(Debug)]
pub(super) struct InventoryJson {
    pub(super) json: String,
    pub(super) classes: Vec<(String, String)>,
}

/// Rows of one table, each with its most special inventory.
struct LoadedRows {
    columns: HashMap<String, usize>,
    rows: Vec<(Arc<InventoryModel>, Vec<Sql>)>,
}

impl LoadedRows {
    fn value<'loaded>(&self, values: &'loaded [Sql], name: &str) -> &'loaded Sql {
        self.columns.get(name).and_then(|at| values.get(*at)).unwrap_or(&Sql::Null)
    }
}

/// Prints the rows with these `_id`s, in this order; deleted rows are left out. With `fields`, only those members.
pub(super) fn print(
    connection: &Connection,
    model: &Model,
    shape: &Arc<InventoryModel>,
    ids: &[i64],
    fields: Option<&[&str]>,
    secrecy: Secrecy,
) -> Result<Vec<InventoryJson>, StoreError> {
    let sql = format!("SELECT * FROM {} WHERE _id = ?1", capacity::source(shape.table()));
    let mut statement = connection.prepare_cached(&sql)?;
    let mut loaded = LoadedRows { columns: columns(&statement), rows: Vec::with_capacity(ids.len()) };
    for id in ids {
        let mut rows = statement.query([id])?;
        if let Some(row) = rows.next()? {
            loaded.rows.push(load(model, shape, row, loaded.columns.len())?);
        }
    }
    Printer { connection, model, secrecy }.print(&loaded, fields, 1)
}

fn columns(statement: &rusqlite::Statement<'_>) -> HashMap<String, usize> {
    statement.column_names().enumerate().map(|(at, name)| (name.to_owned(), at)).collect()
}

fn load(
    model: &Model,
    general: &Arc<InventoryModel>,
    row: &SqlRow<'_>,
    width: usize,
) -> Result<(Arc<InventoryModel>, Vec<Sql>), StoreError> {
    let values = (0..width).map(|at| row.get(at)).collect::<Result<Vec<Sql>, _>>()?;
    let special = match row.get_ref("_inventory")?.as_str() {
        Ok(name) if name != general.name => model.shape(name),
        _ => None,
    };
    Ok((special.unwrap_or_else(|| Arc::clone(general)), values))
}

struct Printer<'a> {
    connection: &'a Connection,
    model: &'a Model,
    secrecy: Secrecy,
}

/// The values of a list member, by the key of the row.
enum NestedValues<'a> {
    Values(&'a Member, HashMap<String, Vec<String>>),
    Rows(&'a Member, HashMap<String, Vec<InventoryJson>>),
}

impl Printer<'_> {
    fn print(
        &self,
        loaded: &LoadedRows,
        fields: Option<&[&str]>,
        depth: usize,
    ) -> Result<Vec<InventoryJson>, StoreError> {
        let mut by_shape: HashMap<&'static str, Vec<usize>> = HashMap::new();
        for (at, (shape, _)) in loaded.rows.iter().enumerate() {
            by_shape.entry(shape.name).or_default().push(at);
        }
        let mut printed: Vec<Option<InventoryJson>> = loaded.rows.iter().map(|_| None).collect();
        for positions in by_shape.values() {
            let Some((shape, _)) = positions.first().and_then(|at| loaded.rows.get(*at)) else { continue };
            let nested = if fields.is_none() && depth <= DEEPEST {
                self.nested(shape, loaded, positions, depth)?
            } else {
                HashMap::new()
            };
            let class = class_name::of(shape.name);
            for at in positions {
                let (_, values) = &loaded.rows[*at];
                printed[*at] = Some(self.print_one(shape, loaded, values, &nested, fields, &class));
            }
        }
        Ok(printed.into_iter().flatten().collect())
    }

    fn print_one(
        &self,
        shape: &InventoryModel,
        loaded: &LoadedRows,
        values: &[Sql],
        nested: &HashMap<&'static str, NestedValues<'_>>,
        fields: Option<&[&str]>,
        class: &str,
    ) -> InventoryJson {
        let mut json = String::with_capacity(512);
        let mut classes = vec![(String::new(), class.to_owned())];
        json.push('{');
        for member in &shape.members {
            let asked = fields.is_none_or(|fields| fields.contains(&member.name));
            if member.newer || !asked && !member.primitive {
                continue;
            }
            let before = json.len();
            if before > 1 {
                json.push(',');
            }
            write_string(&mut json, member.name);
            json.push(':');
            let written = if !asked {
                // Java's primitive types cannot be null (R4).
                json.push_str(if member.kind == Kind::Bool { "false" } else { "0" });
                true
            } else if member.kind.is_column() {
                write_column(&mut json, member.name, &member.kind, loaded.value(values, member.name), self.secrecy)
            } else {
                write_nested(&mut json, &mut classes, loaded, values, nested.get(member.name))
            };
            if !written {
                // Members without a value are left out (N2).
                json.truncate(before);
            }
        }
        json.push('}');
        InventoryJson { json, classes }
    }

    fn nested<'shape>(
        &self,
        shape: &'shape InventoryModel,
        loaded: &LoadedRows,
        positions: &[usize],
        depth: usize,
    ) -> Result<HashMap<&'static str, NestedValues<'shape>>, StoreError> {
        let mut found = HashMap::new();
        for member in &shape.members {
            let (Kind::Rows { join, .. } | Kind::Values { join, .. }) = &member.kind else { continue };
            let Some(target) = self.model.shape(join.inventory) else { continue };
            let keys = json_keys(positions.iter().map(|at| loaded.value(&loaded.rows[*at].1, join.key)));
            let exists = schema::table_exists(self.connection, target.table())?;
            let nested = match &member.kind {
                Kind::Values { value, .. } => {
                    let mut lists: HashMap<String, Vec<String>> = HashMap::new();
                    if exists {
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
                            lists.entry(folded(&row.get::<_, String>(0)?)).or_default().push(row.get(1)?);
                        }
                    }
                    NestedValues::Values(member, lists)
                }
                _ => {
                    let mut lists: HashMap<String, Vec<InventoryJson>> = HashMap::new();
                    if exists {
                        let (owners, rows) = self.joined(&target, join.foreign, &keys)?;
                        for (owner, printed) in owners.into_iter().zip(self.print(&rows, None, depth + 1)?) {
                            lists.entry(owner).or_default().push(printed);
                        }
                    }
                    NestedValues::Rows(member, lists)
                }
            };
            found.insert(member.name, nested);
        }
        Ok(found)
    }

    /// The rows of `target` whose `foreign` is one of the keys, each with its key.
    fn joined(
        &self,
        target: &Arc<InventoryModel>,
        foreign: &str,
        keys: &str,
    ) -> Result<(Vec<String>, LoadedRows), StoreError> {
        let sql = format!(
            "SELECT * FROM {} WHERE {} IN (SELECT value FROM json_each(?1)) ORDER BY _id",
            capacity::source(target.table()),
            quoted(foreign),
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut loaded = LoadedRows { columns: columns(&statement), rows: Vec::new() };
        let mut owners = Vec::new();
        let mut rows = statement.query([keys])?;
        while let Some(row) = rows.next()? {
            owners.push(folded(&row.get::<_, String>(foreign)?));
            loaded.rows.push(load(self.model, target, row, loaded.columns.len())?);
        }
        Ok((owners, loaded))
    }
}

/// Writes a stored value. Returns `false`, and writes nothing, for null.
fn write_column(json: &mut String, name: &str, kind: &Kind, value: &Sql, secrecy: Secrecy) -> bool {
    match value {
        Sql::Null | Sql::Blob(_) => return false,
        Sql::Integer(number) if *kind == Kind::Bool => json.push_str(if *number == 0 { "false" } else { "true" }),
        Sql::Integer(number) => json.push_str(&number.to_string()),
        // As Java prints doubles: 2.0, never 2.
        Sql::Real(number) => json.push_str(&format!("{number:?}")),
        Sql::Text(_) if secrecy == Secrecy::Hidden && is_secret(name) => write_string(json, "*****"),
        Sql::Text(text) => match kind {
            Kind::Json => json.push_str(text),
            Kind::Timestamp => write_string(json, &timestamp::to_wire(text)),
            _ => write_string(json, text),
        },
    }
    true
}

/// A computed value as JSON; `null` if there is none.
pub(super) fn value(kind: &Kind, value: &Sql) -> String {
    let mut json = String::new();
    if write_column(&mut json, "", kind, value, Secrecy::Shown) { json } else { "null".to_owned() }
}

/// An object with some members of a row, and the primitive members of the others with default values (R4).
pub(super) fn partial(shape: &InventoryModel, values: &[(&str, String)]) -> String {
    let mut json = String::from("{");
    for member in &shape.members {
        let value = values.iter().find(|(name, _)| *name == member.name).map(|(_, value)| value.as_str());
        let default = member.primitive.then_some(if member.kind == Kind::Bool { "false" } else { "0" });
        // Members without a value are left out (N2).
        let Some(value) = value.filter(|value| *value != "null").or(default) else { continue };
        if json.len() > 1 {
            json.push(',');
        }
        write_string(&mut json, member.name);
        json.push(':');
        json.push_str(value);
    }
    json.push('}');
    json
}

/// The value of a member as JSON; `null` if there is none.
pub(super) fn member_value(shape: &InventoryModel, name: &str, value: &Sql, secrecy: Secrecy) -> String {
    let mut json = String::new();
    let kind = shape.member(name).map_or(&Kind::Text, |member| &member.kind);
    if write_column(&mut json, name, kind, value, secrecy) { json } else { "null".to_owned() }
}

fn write_nested(
    json: &mut String,
    classes: &mut Vec<(String, String)>,
    loaded: &LoadedRows,
    values: &[Sql],
    nested: Option<&NestedValues<'_>>,
) -> bool {
    let key = |member: &Member| match &member.kind {
        Kind::Rows { join, .. } | Kind::Values { join, .. } => match loaded.value(values, join.key) {
            Sql::Text(text) => folded(text),
            _ => String::new(),
        },
        _ => String::new(),
    };
    match nested {
        Some(NestedValues::Values(member, lists)) => {
            json.push('[');
            for (at, text) in lists.get(&key(member)).into_iter().flatten().enumerate() {
                if at > 0 {
                    json.push(',');
                }
                write_string(json, text);
            }
            json.push(']');
            true
        }
        Some(NestedValues::Rows(member, lists)) => {
            let rows = lists.get(&key(member));
            let name = member.name;
            if matches!(member.kind, Kind::Rows { many: false, .. }) {
                let Some(row) = rows.and_then(|rows| rows.first()) else { return false };
                json.push_str(&row.json);
                classes.extend(row.classes.iter().map(|(path, class)| (format!(".{name}{path}"), class.clone())));
                return true;
            }
            json.push('[');
            for (at, row) in rows.into_iter().flatten().enumerate() {
                if at > 0 {
                    json.push(',');
                }
                json.push_str(&row.json);
                classes.extend(row.classes.iter().map(|(path, class)| (format!(".{name}[{at}]{path}"), class.clone())));
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

/// The keys as a JSON list, which is one parameter of a statement for any number of keys.
fn json_keys<'a>(keys: impl Iterator<Item = &'a Sql>) -> String {
    let mut json = String::from("[");
    for key in keys {
        if let Sql::Text(key) = key {
            if json.len() > 1 {
                json.push(',');
            }
            write_string(&mut json, key);
        }
    }
    json.push(']');
    json
}

/// Whether a member's value is a secret, by its name: the catalog marks parameters only.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["password", "secret", "token", "privatekey"].iter().any(|end| name.ends_with(end))
}

/// Writes a JSON string like the server's JSON library, which also escapes `<`, `>`, `&`, `=` and `'` (N5).
pub(super) fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '=' | '\'' | '\0'..='\u{1f}' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}
