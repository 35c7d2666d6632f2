//! The tables: one for each family of inventories that has rows, made when its first row comes.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension};

use super::error::StoreError;
use super::model::{InventoryModel, Kind, Model};

/// The number of the layout of the tables; a database with another one is not read.
pub(super) const LAYOUT: i64 = 1;

/// Members with an index besides `uuid` and those that end in `Uuid`.
const INDEXED: [&str; 9] = ["name", "state", "status", "type", "ip", "hostname", "managementIp", "tag", "category"];

/// A name as SQL writes it. Names come from the catalog, which has no quotes in them.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// The columns of a family's table besides `_id` and `_inventory`: the members of all its inventories.
pub(super) fn columns(model: &Model, root: &'static str) -> Vec<(&'static str, Kind)> {
    let mut seen = HashSet::new();
    let mut columns = Vec::new();
    for name in model.family(root) {
        let Some(shape) = model.shape(name) else { continue };
        for member in shape.members.iter().filter(|member| member.kind.is_column()) {
            // SQL knows no case in names.
            if seen.insert(member.name.to_ascii_lowercase()) {
                columns.push((member.name, member.kind.clone()));
            }
        }
        for name in shape.hidden() {
            if seen.insert(name.to_ascii_lowercase()) {
                columns.push((name, Kind::Text));
            }
        }
    }
    columns
}

/// Notes the layout in an empty database; tables come with their first rows.
pub(super) fn create(connection: &Connection) -> Result<(), StoreError> {
    connection.pragma_update(None, "user_version", LAYOUT)?;
    Ok(())
}

/// Whether a family has a table yet.
pub(super) fn table_exists(connection: &Connection, table: &str) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1")?;
    Ok(statement.query_row([table], |_| Ok(())).optional()?.is_some())
}

/// The tables of all families that have rows or once had.
pub(super) fn tables(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' \
         AND name NOT LIKE '!_%' ESCAPE '!' ORDER BY name",
    )?;
    let names = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    Ok(names)
}

/// Makes the table of a family, where there is none yet.
pub(super) fn ensure_table(connection: &Connection, model: &Model, shape: &InventoryModel) -> Result<(), StoreError> {
    if table_exists(connection, shape.table())? {
        return Ok(());
    }
    let table = shape.table();
    let columns = columns(model, shape.root);
    let mut sql = format!("CREATE TABLE {} (_id INTEGER PRIMARY KEY, _inventory TEXT NOT NULL", quoted(table));
    for (name, kind) in &columns {
        let declared = match kind {
            Kind::Integer | Kind::Bool => "INTEGER",
            Kind::Double => "REAL",
            // Text compares ignoring case (Q9); moments and JSON have one spelling only.
            Kind::Text => "TEXT COLLATE NOCASE",
            _ => "TEXT",
        };
        sql.push_str(&format!(", {} {declared}", quoted(name)));
    }
    sql.push_str(");");
    for index in indexes(table, &columns) {
        sql.push_str(&index);
        sql.push(';');
    }
    connection.execute_batch(&sql)?;
    Ok(())
}

/// The statements that make the indexes of a table.
///
/// Each one but that of `uuid` itself carries `uuid` as well, so that a page in the order of `uuid` is cut
/// from the index alone. Most references are null in most rows, which their indexes leave out; names and the
/// like are sorted by, for which an index must have every row.
pub(super) fn indexes(table: &str, columns: &[(&'static str, Kind)]) -> Vec<String> {
    let has_uuid = columns.iter().any(|(name, _)| *name == "uuid");
    let mut statements = Vec::new();
    for (name, kind) in columns {
        let index = quoted(&format!("{table}.{name}"));
        let (on, column) = (quoted(table), quoted(name));
        if *name == "uuid" {
            statements.push(format!("CREATE UNIQUE INDEX {index} ON {on} ({column})"));
        } else if *kind == Kind::Text && (name.ends_with("Uuid") || INDEXED.contains(name)) {
            let also = if has_uuid { ", uuid" } else { "" };
            let rows = if name.ends_with("Uuid") { format!(" WHERE {column} IS NOT NULL") } else { String::new() };
            statements.push(format!("CREATE INDEX {index} ON {on} ({column}{also}){rows}"));
        }
    }
    statements
}
