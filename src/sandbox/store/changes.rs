//! What is different between two databases.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, Row as SqlRow};

use super::super::checks::is_uuid;
use super::capacity;
use super::error::StoreError;
use super::json_text::{Secrecy, member_value};
use super::model::{InventoryModel, Model};
use super::schema::{self, quoted};
use crate::catalog::Catalog;
use crate::json::Value;

/// Members that every change of a row changes.
const ALWAYS: [&str; 2] = ["_id", "lastOpDate"];

/// What is different in one database, compared with another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// By kind; capacities last.
    pub all: Vec<Change>,
    /// The names of the resources whose uuids are values in it, by uuid.
    pub names: BTreeMap<String, String>,
}

/// A row that is different, or a capacity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What happened to it.
    pub what: What,
    /// The inventory without `Inventory`: `VmInstance`.
    pub kind: String,
    /// The uuid of the row, if it has one.
    pub uuid: Option<String>,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// The members that are different, if the row is in both.
    pub members: Vec<Member>,
}

/// A member that is different. Values are JSON; `null` if there is none. Secrets are hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// The value before.
    pub before: String,
    /// The value after.
    pub after: String,
}

/// What happened to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It is in the second database only.
    Created,
    /// Some of its members are different.
    Changed,
    /// It is in the first database only.
    Deleted,
    /// What all rows of a kind have together is different; there is no single row.
    Capacity,
}

/// What is different in `after`, compared with `before`.
///
/// # Errors
/// `Database` if a file cannot be read.
pub(in crate::sandbox) fn changes(before: &Path, after: &Path) -> Result<Changes, StoreError> {
    let connection = Connection::open_in_memory()?;
    for (file, name) in [(before, "before"), (after, "after")] {
        // A file that is missing would be created.
        std::fs::metadata(file).map_err(|source| StoreError::File { path: file.to_owned(), source })?;
        connection.execute(&format!("ATTACH ?1 AS {name}"), [file.to_string_lossy()])?;
    }
    let comparison = Comparison { connection: &connection, model: Model::new(Catalog::newest()) };
    let mut found = Vec::new();
    let tables: BTreeSet<String> =
        comparison.tables("before")?.into_iter().chain(comparison.tables("after")?).collect();
    for table in &tables {
        comparison.compare(table, &mut found)?;
    }
    for table in capacity::tables() {
        comparison.capacities(table, &mut found)?;
    }
    let names = comparison.names(&tables, &found)?;
    Ok(Changes { all: found, names })
}

struct Comparison<'a> {
    connection: &'a Connection,
    model: Model,
}

/// How the rows of a table are told apart.
struct Table<'a> {
    name: &'a str,
    shape: Arc<InventoryModel>,
    columns: Vec<&'static str>,
    keys: Vec<&'static str>,
}

impl Comparison<'_> {
    fn tables(&self, database: &str) -> Result<Vec<String>, StoreError> {
        let sql = format!(
            "SELECT name FROM {database}.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' \
             AND name NOT LIKE '!_%' ESCAPE '!'"
        );
        let mut statement = self.connection.prepare(&sql)?;
        let names = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(names)
    }

    fn has(&self, database: &str, table: &str) -> Result<bool, StoreError> {
        Ok(self.tables(database)?.iter().any(|name| name == table))
    }

    fn compare(&self, name: &str, found: &mut Vec<Change>) -> Result<(), StoreError> {
        let Some(shape) = self.model.shape(&format!("{name}Inventory")) else { return Ok(()) };
        let columns: Vec<&'static str> = schema::columns(&self.model, shape.root)
            .into_iter()
            .map(|(column, _)| column)
            .filter(|column| !ALWAYS.contains(column))
            .collect();
        let has = |name: &str| columns.contains(&name);
        let (was, is) = (self.has("before", name)?, self.has("after", name)?);
        // Rows that only say what belongs together may have no uuid although their inventory does.
        let mut all_named = has("uuid");
        for (database, _) in [("before", was), ("after", is)].iter().filter(|(_, exists)| *exists && has("uuid")) {
            let sql = format!("SELECT count(*) FROM {database}.{} WHERE uuid IS NULL", quoted(name));
            all_named = all_named && self.connection.query_row(&sql, [], |row| row.get::<_, i64>(0))? == 0;
        }
        let keys = if all_named {
            vec!["uuid"]
        } else if has("category") && has("name") {
            vec!["category", "name"]
        } else {
            columns.iter().copied().filter(|column| !matches!(*column, "createDate" | "id")).collect()
        };
        let table = Table { name, shape, columns, keys };
        if is {
            self.only("after", was.then_some("before"), &table, What::Created, found)?;
        }
        if was && is && table.keys.len() <= 2 {
            self.changed(&table, found)?;
        }
        if was {
            self.only("before", is.then_some("after"), &table, What::Deleted, found)?;
        }
        Ok(())
    }

    /// The rows of one database that another one does not have.
    fn only(
        &self,
        of: &str,
        other: Option<&str>,
        table: &Table<'_>,
        what: What,
        found: &mut Vec<Change>,
    ) -> Result<(), StoreError> {
        let name = quoted(table.name);
        let mut sql = format!("SELECT one.* FROM {of}.{name} one");
        if let Some(other) = other {
            let same = same_key(&table.keys);
            sql.push_str(&format!(" WHERE NOT EXISTS (SELECT 1 FROM {other}.{name} other WHERE {same})"));
        }
        sql.push_str(" ORDER BY one._id");
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            found.push(self.change(what, row)?);
        }
        Ok(())
    }

    /// The rows of both databases with different members.
    fn changed(&self, table: &Table<'_>, found: &mut Vec<Change>) -> Result<(), StoreError> {
        let different = table.columns.iter().map(|column| {
            let column = quoted(column);
            format!("one.{column} IS NOT other.{column} COLLATE BINARY")
        });
        let others: Vec<String> = table
            .columns
            .iter()
            .map(|column| format!("other.{0} AS {1}", quoted(column), quoted(&format!("after {column}"))))
            .collect();
        let sql = format!(
            "SELECT one.*, {} FROM before.{name} one JOIN after.{name} other ON {} WHERE {} ORDER BY one._id",
            others.join(", "),
            same_key(&table.keys),
            different.collect::<Vec<_>>().join(" OR "),
            name = quoted(table.name),
        );
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let mut change = self.change(What::Changed, row)?;
            for column in &table.columns {
                let before: Sql = row.get(*column)?;
                let after: Sql = row.get(format!("after {column}").as_str())?;
                if before != after {
                    let value = |value| member_value(&table.shape, column, value, Secrecy::Hidden);
                    let (before, after) = (value(&before), value(&after));
                    change.members.push(Member { name: (*column).to_owned(), before, after });
                }
            }
            found.push(change);
        }
        Ok(())
    }

    fn change(&self, what: What, row: &SqlRow<'_>) -> Result<Change, StoreError> {
        let inventory: String = row.get("_inventory")?;
        // Rows without names of their own are known by what they belong to.
        let text = |name: &str| row.get::<_, Option<String>>(name).ok().flatten();
        let name = ["name", "tag", "ip", "resourceUuid"].iter().find_map(|name| text(name));
        let kind = inventory.strip_suffix("Inventory").unwrap_or(&inventory).to_owned();
        Ok(Change { what, kind, uuid: text("uuid"), name, members: Vec::new() })
    }

    /// The names of the resources of these tables whose uuids are values in the changes.
    fn names(&self, tables: &BTreeSet<String>, found: &[Change]) -> Result<BTreeMap<String, String>, StoreError> {
        let values = found.iter().flat_map(|change| {
            let members = change.members.iter().flat_map(|member| [member.before.as_str(), member.after.as_str()]);
            members.map(|value| value.trim_matches('"')).chain(change.name.as_deref())
        });
        let uuids: Vec<Value> = values.filter(|value| is_uuid(value)).map(Value::text).collect();
        let uuids = Value::List(uuids).to_json(None);
        let mut names = BTreeMap::new();
        for (database, table) in ["before", "after"].iter().flat_map(|one| tables.iter().map(move |table| (one, table)))
        {
            let sql = format!(
                "SELECT uuid, name FROM {database}.{} WHERE uuid IN (SELECT value FROM json_each(?1)) AND name NOT NULL",
                quoted(table)
            );
            // Not every table has these columns, or is in both.
            let Ok(mut statement) = self.connection.prepare(&sql) else { continue };
            let rows = statement.query_map([&uuids], |row| Ok((row.get(0)?, row.get(1)?)))?;
            for row in rows {
                names.extend([row?]);
            }
        }
        Ok(names)
    }

    /// The sums of the capacities of a table.
    fn capacities(&self, table: &str, found: &mut Vec<Change>) -> Result<(), StoreError> {
        if !self.has("before", table)? || !self.has("after", table)? {
            return Ok(());
        }
        let mut members = Vec::new();
        for column in capacity::columns(table) {
            let sum = |database: &str| -> rusqlite::Result<Option<i64>> {
                let sql = format!("SELECT sum({}) FROM {database}.{}", quoted(column), capacity::source(table));
                self.connection.query_row(&sql, [], |row| row.get(0))
            };
            let (before, after) = (sum("before")?, sum("after")?);
            if before != after {
                let text = |sum: Option<i64>| sum.map_or_else(|| "null".to_owned(), |sum| sum.to_string());
                members.push(Member { name: column.to_owned(), before: text(before), after: text(after) });
            }
        }
        if !members.is_empty() {
            found.push(Change { what: What::Capacity, kind: table.to_owned(), uuid: None, name: None, members });
        }
        Ok(())
    }
}

/// Whether two rows are the same one.
fn same_key(keys: &[&str]) -> String {
    let same = keys.iter().map(|key| format!("other.{0} IS one.{0}", quoted(key)));
    same.collect::<Vec<_>>().join(" AND ")
}
