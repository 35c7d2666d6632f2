//! The tables: one for each family of inventories, created with its first row.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension};

use super::capacity;
use super::error::StoreError;
use super::model::{InventoryModel, Kind, Model};

/// The version of the table layout; a database with another one is not opened.
pub(super) const LAYOUT: i64 = 2;

/// Members with an index besides `uuid` and those that end in `Uuid`.
const INDEXED: [&str; 9] = ["name", "state", "status", "type", "ip", "hostname", "managementIp", "tag", "category"];

/// A quoted SQL name. Names come from the catalog and contain no quotes.
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
            // SQL ignores case in names.
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

/// Stores the layout version in an empty database; tables are created with their first rows.
pub(super) fn create(connection: &Connection) -> Result<(), StoreError> {
    connection.pragma_update(None, "user_version", LAYOUT)?;
    Ok(())
}

/// Brings a database of layout 1 up to date: it had fixed capacities.
pub(super) fn upgrade(connection: &Connection, model: &Model) -> Result<(), StoreError> {
    for table in tables(connection)? {
        for index in capacity::indexes(&table) {
            connection.execute_batch(&index)?;
        }
        if let Some(shape) = model.shape(&format!("{table}Inventory")) {
            capacity::ensure_view(connection, model, &shape, &columns(model, shape.root))?;
        }
    }
    capacity::settle(connection)?;
    create(connection)
}

/// Whether a family has a table yet.
pub(super) fn table_exists(connection: &Connection, table: &str) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1")?;
    Ok(statement.query_row([table], |_| Ok(())).optional()?.is_some())
}

/// All tables.
pub(super) fn tables(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' \
         AND name NOT LIKE '!_%' ESCAPE '!' ORDER BY name",
    )?;
    let names = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    Ok(names)
}

/// Creates the table of a family, if there is none yet.
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
            // Text is compared ignoring case (Q9), except dates and JSON.
            Kind::Text => "TEXT COLLATE NOCASE",
            _ => "TEXT",
        };
        sql.push_str(&format!(", {} {declared}", quoted(name)));
    }
    sql.push_str(");");
    for index in indexes(table, &columns).into_iter().chain(capacity::indexes(table)) {
        sql.push_str(&index);
        sql.push(';');
    }
    connection.execute_batch(&sql)?;
    capacity::ensure_view(connection, model, shape, &columns)
}

/// The statements that create the indexes of a table.
///
/// Each one except that of `uuid` also contains `uuid`, so that a page sorted by `uuid` is read from the index alone.
/// Indexes of references leave out null, which most rows have; indexes of names and similar have every row, since they
/// are used for sorting.
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

/// Drops the indexes of a table whose statements `which` accepts, and returns those statements, which recreate them.
pub(super) fn drop_indexes(
    connection: &Connection,
    table: &str,
    which: impl Fn(&str) -> bool,
) -> Result<Vec<String>, StoreError> {
    let mut statement = connection
        .prepare("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ?1 AND sql IS NOT NULL")?;
    let mut indexes: Vec<(String, String)> =
        statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    indexes.retain(|(_, sql)| which(sql));
    for (name, _) in &indexes {
        connection.execute_batch(&format!("DROP INDEX {}", quoted(name)))?;
    }
    Ok(indexes.into_iter().map(|(_, sql)| sql).collect())
}
