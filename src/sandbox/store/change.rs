//! Reading and changing single resources, inside one transaction.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use super::assemble::{Part, Printed, Printer};
use super::error::StoreError;
use super::json_text::{Secrecy, json_keys};
use super::model::{InventoryModel, Kind, Model};
use super::row::{Row, Scalar};
use super::schema::{self, quoted};
use super::{capacity, timestamp};

/// The number of resources with a member up to which they are looked at.
const FEW: usize = 50;

/// The kind of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagKind {
    /// Free text set by users.
    User,
    /// `name::value` text interpreted by the node.
    System,
}

impl TagKind {
    fn inventory(self) -> &'static str {
        match self {
            TagKind::User => "UserTagInventory",
            TagKind::System => "SystemTagInventory",
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            TagKind::User => "User",
            TagKind::System => "System",
        }
    }
}

/// A transaction on the store.
///
/// Inventories are named as in the catalog, `ZoneInventory`. A general inventory includes its specialised ones, except
/// in `insert`, which needs the most special one.
#[derive(Debug)]
pub struct Transaction<'store> {
    connection: &'store Connection,
    model: &'store Model,
}

impl<'store> Transaction<'store> {
    pub(super) fn new(connection: &'store Connection, model: &'store Model) -> Self {
        Transaction { connection, model }
    }

    pub(super) fn connection(&self) -> &'store Connection {
        self.connection
    }

    pub(super) fn model(&self) -> &'store Model {
        self.model
    }

    pub(super) fn shape(&self, inventory: &str) -> Result<Arc<InventoryModel>, StoreError> {
        self.model.shape(inventory).ok_or_else(|| StoreError::UnknownInventory(inventory.to_owned()))
    }

    /// The general inventory of a family, whose table has the rows of all.
    ///
    /// # Errors
    /// `UnknownInventory`.
    pub fn root(&self, inventory: &str) -> Result<&'static str, StoreError> {
        Ok(self.shape(inventory)?.root)
    }

    /// The stored members of an inventory: those that `insert` and `update` take.
    ///
    /// # Errors
    /// `UnknownInventory`.
    pub fn stored_fields(&self, inventory: &str) -> Result<Vec<&'static str>, StoreError> {
        let shape = self.shape(inventory)?;
        let members = shape.members.iter().filter(|member| member.kind.is_column()).map(|member| member.name);
        Ok(members.chain(shape.hidden()).collect())
    }

    /// The stored members of the resource with that uuid.
    ///
    /// # Errors
    /// `UnknownInventory`, `UnknownField` when the inventory has no `uuid`, `Database`.
    pub fn get(&self, inventory: &str, uuid: &str) -> Result<Option<Row>, StoreError> {
        Ok(self.find(inventory, "uuid", &Scalar::from(uuid))?.into_iter().next())
    }

    /// The resources whose member has that value (is null, for `Scalar::Null`), in order of creation.
    ///
    /// # Errors
    /// `UnknownInventory`, `UnknownField`, `Database`.
    pub fn find(&self, inventory: &str, field: &str, value: &Scalar) -> Result<Vec<Row>, StoreError> {
        self.find_where(inventory, &[(field, value.clone())])
    }

    /// The resources whose members have all those values, in order of creation. Without conditions, all resources.
    ///
    /// # Errors
    /// `UnknownInventory`, `UnknownField`, `Database`.
    pub fn find_where(&self, inventory: &str, conditions: &[(&str, Scalar)]) -> Result<Vec<Row>, StoreError> {
        let shape = self.shape(inventory)?;
        let condition = self.condition(&shape, conditions)?;
        if !schema::table_exists(self.connection, shape.table())? {
            return Ok(Vec::new());
        }
        let sql = format!("SELECT * FROM {} WHERE {condition} ORDER BY _id", capacity::source(shape.table()));
        let mut statement = self.connection.prepare_cached(&sql)?;
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let values = conditions.iter().map(|(_, value)| value.to_sql()).filter(|value| *value != Sql::Null);
        let mut rows = statement.query(params_from_iter(values))?;
        let booleans: Vec<&str> =
            shape.members.iter().filter(|member| member.kind == Kind::Bool).map(|member| member.name).collect();
        let mut found = Vec::new();
        while let Some(stored) = rows.next()? {
            let mut row = Row::new();
            for (at, name) in names.iter().enumerate().filter(|(_, name)| !name.starts_with('_')) {
                match Scalar::from_sql(stored.get(at)?) {
                    Scalar::Null => {}
                    Scalar::Integer(number) if booleans.contains(&name.as_str()) => row.set(name, number != 0),
                    value => row.set(name, value),
                }
            }
            found.push(row);
        }
        Ok(found)
    }

    /// The texts of one member of the resources whose members have all those values; null is left out.
    ///
    /// # Errors
    /// `UnknownInventory`, `UnknownField`, `Database`.
    pub fn texts(
        &self,
        inventory: &str,
        field: &str,
        conditions: &[(&str, Scalar)],
    ) -> Result<Vec<String>, StoreError> {
        let shape = self.shape(inventory)?;
        let (column, condition) = (quoted(self.column(&shape, field)?), self.condition(&shape, conditions)?);
        if !schema::table_exists(self.connection, shape.table())? {
            return Ok(Vec::new());
        }
        let table = quoted(shape.table());
        let sql = format!("SELECT {column} FROM {table} WHERE {condition} AND {column} IS NOT NULL ORDER BY _id");
        let values = conditions.iter().map(|(_, value)| value.to_sql()).filter(|value| *value != Sql::Null);
        let mut statement = self.connection.prepare_cached(&sql)?;
        let texts = statement.query_map(params_from_iter(values), |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(texts)
    }

    /// The resources of an inventory that an account owns, with these members only.
    ///
    /// # Errors
    /// `UnknownInventory`, `UnknownField`, `Database`.
    pub fn owned(&self, account: &str, inventory: &str, fields: &[&str]) -> Result<Vec<Row>, StoreError> {
        let shape = self.shape(inventory)?;
        if !schema::table_exists(self.connection, shape.table())? {
            return Ok(Vec::new());
        }
        let mut columns = vec!["t._id".to_owned()];
        for field in fields {
            columns.push(format!("t.{}", quoted(self.column(&shape, field)?)));
        }
        let sql = format!(
            "SELECT {} FROM AccountResourceRef r CROSS JOIN {} t ON t.uuid = r.resourceUuid WHERE r.accountUuid = ?1",
            columns.join(", "),
            quoted(shape.table())
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([account])?;
        let mut owned = Vec::new();
        while let Some(stored) = rows.next()? {
            let mut row = Row::new();
            for (at, field) in fields.iter().enumerate() {
                row.set(field, Scalar::from_sql(stored.get(at + 1)?));
            }
            owned.push(row);
        }
        Ok(owned)
    }

    /// How many resources have each value of a member; null is left out.
    ///
    /// # Errors
    /// `UnknownInventory`, `UnknownField`, `Database`.
    pub fn count_by(&self, inventory: &str, field: &str) -> Result<HashMap<String, i64>, StoreError> {
        let shape = self.shape(inventory)?;
        let column = quoted(self.column(&shape, field)?);
        if !schema::table_exists(self.connection, shape.table())? {
            return Ok(HashMap::new());
        }
        let table = quoted(shape.table());
        let sql = format!("SELECT {column}, count(*) FROM {table} WHERE {column} IS NOT NULL GROUP BY {column}");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let counts = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        Ok(counts)
    }

    /// The most special inventory of the resource with that uuid: `CephBackupStorageInventory` for a
    /// `BackupStorageInventory`.
    ///
    /// # Errors
    /// `UnknownInventory`, `UnknownField` when the inventory has no `uuid`, `Database`.
    pub fn special_inventory(&self, inventory: &str, uuid: &str) -> Result<Option<String>, StoreError> {
        let shape = self.shape(inventory)?;
        let condition = self.condition(&shape, &[("uuid", Scalar::from(uuid))])?;
        if !schema::table_exists(self.connection, shape.table())? {
            return Ok(None);
        }
        let sql = format!("SELECT _inventory FROM {} WHERE {condition}", quoted(shape.table()));
        Ok(self.connection.prepare_cached(&sql)?.query_row([uuid], |row| row.get(0)).optional()?)
    }

    /// Adds a resource. `createDate` and `lastOpDate` are the current time unless the row says otherwise.
    ///
    /// # Errors
    /// `UnknownInventory`, `UnknownField` for a member that is not stored, `Database`, also for a uuid that
    /// the inventory has already.
    pub fn insert(&self, inventory: &str, row: &Row) -> Result<(), StoreError> {
        let shape = self.shape(inventory)?;
        schema::ensure_table(self.connection, self.model, &shape)?;
        let mut row = row.clone();
        for date in ["createDate", "lastOpDate"] {
            if shape.has_column(date) && row.get(date).is_null() {
                row.set(date, timestamp::now());
            }
        }
        let mut names = vec!["_inventory".to_owned()];
        let mut values = vec![Sql::Text(shape.name.to_owned())];
        for (name, value) in row.iter() {
            names.push(quoted(self.column(&shape, name)?));
            values.push(value.to_sql());
        }
        let marks = vec!["?"; values.len()].join(", ");
        let sql = format!("INSERT INTO {} ({}) VALUES ({marks})", quoted(shape.table()), names.join(", "));
        self.connection.prepare_cached(&sql)?.execute(params_from_iter(values))?;
        Ok(())
    }

    /// Adds a record with the next `id`, and removes the oldest ones until there are not more than `most`.
    ///
    /// # Errors
    /// As `insert`; `UnknownField` for an inventory without `id`.
    pub fn append(&self, inventory: &str, row: &Row, most: i64) -> Result<(), StoreError> {
        self.insert(inventory, row)?;
        let last = self.connection.last_insert_rowid();
        let shape = self.shape(inventory)?;
        let (table, id) = (quoted(shape.table()), quoted(self.column(&shape, "id")?));
        let before = format!("SELECT {id} FROM {table} WHERE _id < ?1 ORDER BY _id DESC LIMIT 1");
        let sql = format!("UPDATE {table} SET {id} = coalesce(({before}), 0) + 1 WHERE _id = ?1");
        self.connection.prepare_cached(&sql)?.execute([last])?;
        let sql = format!("DELETE FROM {table} WHERE _id <= ?1");
        self.connection.prepare_cached(&sql)?.execute([last - most])?;
        Ok(())
    }

    /// Changes members of the resource with that uuid, and its `lastOpDate` unless `changes` has one.
    /// Returns whether there is such a resource.
    ///
    /// # Errors
    /// `UnknownInventory`, `UnknownField`, `Database`.
    pub fn update(&self, inventory: &str, uuid: &str, changes: &Row) -> Result<bool, StoreError> {
        Ok(self.update_where(inventory, &[("uuid", Scalar::from(uuid))], changes)? > 0)
    }

    /// Changes members of the resources whose members all have those values, as `update` does. Returns how
    /// many there are.
    ///
    /// # Errors
    /// `UnknownInventory`, `UnknownField`, `Database`.
    pub fn update_where(
        &self,
        inventory: &str,
        conditions: &[(&str, Scalar)],
        changes: &Row,
    ) -> Result<usize, StoreError> {
        let shape = self.shape(inventory)?;
        let condition = self.condition(&shape, conditions)?;
        if !schema::table_exists(self.connection, shape.table())? {
            return Ok(0);
        }
        let mut changes = changes.clone();
        if shape.has_column("lastOpDate") && !changes.contains("lastOpDate") {
            changes.set("lastOpDate", timestamp::now());
        }
        let mut assignments = Vec::new();
        let mut values: Vec<Sql> =
            conditions.iter().map(|(_, value)| value.to_sql()).filter(|value| *value != Sql::Null).collect();
        for (name, value) in changes.iter() {
            values.push(value.to_sql());
            assignments.push(format!("{} = ?{}", quoted(self.column(&shape, name)?), values.len()));
        }
        if assignments.is_empty() {
            return Ok(self.find_where(inventory, conditions)?.len());
        }
        let sql = format!("UPDATE {} SET {} WHERE {condition}", quoted(shape.table()), assignments.join(", "));
        Ok(self.connection.prepare_cached(&sql)?.execute(params_from_iter(values))?)
    }

    /// Removes the resource with that uuid. Returns whether there was one. References to it are kept.
    ///
    /// # Errors
    /// `UnknownInventory`, `UnknownField` when the inventory has no `uuid`, `Database`.
    pub fn delete(&self, inventory: &str, uuid: &str) -> Result<bool, StoreError> {
        Ok(self.delete_where(inventory, &[("uuid", Scalar::from(uuid))])? > 0)
    }

    /// Removes the resources whose members all have those values. Returns how many there were.
    ///
    /// # Errors
    /// `UnknownInventory`, `UnknownField`, `Database`.
    pub fn delete_where(&self, inventory: &str, conditions: &[(&str, Scalar)]) -> Result<usize, StoreError> {
        let shape = self.shape(inventory)?;
        let condition = self.condition(&shape, conditions)?;
        if !schema::table_exists(self.connection, shape.table())? {
            return Ok(0);
        }
        let sql = format!("DELETE FROM {} WHERE {condition}", quoted(shape.table()));
        let values = conditions.iter().map(|(_, value)| value.to_sql()).filter(|value| *value != Sql::Null);
        Ok(self.connection.prepare_cached(&sql)?.execute(params_from_iter(values))?)
    }

    /// The texts of `member` of the resources that have all those values and of which a member has one of some values;
    /// null is left out.
    ///
    /// # Errors
    /// `UnknownInventory`, `UnknownField`, `Database`.
    pub fn texts_among(
        &self,
        inventory: &str,
        member: &str,
        (field, values): (&str, &[String]),
        also: &[(&str, &str)],
    ) -> Result<Vec<String>, StoreError> {
        let shape = self.shape(inventory)?;
        let column = quoted(self.column(&shape, member)?);
        let values = self.candidates(&shape, field, values)?;
        if values.is_empty() {
            return Ok(Vec::new());
        }
        let mut condition = self.among(&shape, field)?;
        let mut parameters = vec![json_list(&values)];
        for (field, value) in also {
            parameters.push((*value).to_owned());
            condition.push_str(&format!(" AND {} = ?{}", quoted(self.column(&shape, field)?), parameters.len()));
        }
        let table = quoted(shape.table());
        let sql = format!("SELECT {column} FROM {table} WHERE {condition} AND {column} IS NOT NULL");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let texts = statement.query_map(params_from_iter(parameters), |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(texts)
    }

    /// Changes the resources of which a member has one of some values, as `update` does.
    ///
    /// # Errors
    /// `UnknownInventory`, `UnknownField`, `Database`.
    pub fn update_among(
        &self,
        inventory: &str,
        (field, values): (&str, &[String]),
        changes: &Row,
    ) -> Result<(), StoreError> {
        let shape = self.shape(inventory)?;
        let values = self.candidates(&shape, field, values)?;
        if values.is_empty() {
            return Ok(());
        }
        let condition = self.among(&shape, field)?;
        let mut changes = changes.clone();
        if shape.has_column("lastOpDate") && !changes.contains("lastOpDate") {
            changes.set("lastOpDate", timestamp::now());
        }
        let mut parameters = vec![Sql::Text(json_list(&values))];
        let mut assignments = Vec::new();
        for (name, value) in changes.iter() {
            parameters.push(value.to_sql());
            assignments.push(format!("{} = ?{}", quoted(self.column(&shape, name)?), parameters.len()));
        }
        let sql = format!("UPDATE {} SET {} WHERE {condition}", quoted(shape.table()), assignments.join(", "));
        self.connection.prepare_cached(&sql)?.execute(params_from_iter(parameters))?;
        Ok(())
    }

    /// Sets a member to null where it has one of some values. Dates are unchanged.
    ///
    /// # Errors
    /// `UnknownInventory`, `UnknownField`, `Database`.
    pub fn clear_among(&self, inventory: &str, (field, values): (&str, &[String])) -> Result<(), StoreError> {
        let shape = self.shape(inventory)?;
        let values = self.candidates(&shape, field, values)?;
        if !values.is_empty() {
            let condition = self.among(&shape, field)?;
            let sql = format!("UPDATE {} SET {} = NULL WHERE {condition}", quoted(shape.table()), quoted(field));
            self.connection.prepare_cached(&sql)?.execute([json_list(&values)])?;
        }
        Ok(())
    }

    /// Removes the resources of which a member has one of some values.
    ///
    /// # Errors
    /// `UnknownInventory`, `UnknownField`, `Database`.
    pub fn delete_among(&self, inventory: &str, (field, values): (&str, &[String])) -> Result<(), StoreError> {
        let shape = self.shape(inventory)?;
        let mut values = self.candidates(&shape, field, values)?.into_owned();
        if values.is_empty() {
            return Ok(());
        }
        // One after the other in the order of most indexes. SQLite would find all rows first and then delete them in
        // their order of creation, in which they are all over the indexes.
        values.sort_unstable();
        let condition = self.condition(&shape, &[(field, Scalar::from(""))])?;
        let sql = format!("DELETE FROM {} WHERE {condition}", quoted(shape.table()));
        let mut statement = self.connection.prepare_cached(&sql)?;
        for value in &values {
            statement.execute([value])?;
        }
        Ok(())
    }

    /// Takes the stored capacities of hosts and storages for those with everything that is on them now.
    ///
    /// For rows that were copied from a node: after it they have the capacities that the node told.
    ///
    /// # Errors
    /// `Database`.
    pub fn settle_capacities(&self) -> Result<(), StoreError> {
        capacity::settle(self.connection)
    }

    /// The most special inventory of the resource with that uuid, of any kind.
    ///
    /// # Errors
    /// `Database`.
    pub fn kind_of(&self, uuid: &str) -> Result<Option<String>, StoreError> {
        for table in schema::tables(self.connection)? {
            let Some(shape) = self.model.shape(&format!("{table}Inventory")) else { continue };
            if !shape.has_column("uuid") {
                continue;
            }
            if let Some(inventory) = self.special_inventory(shape.name, uuid)? {
                return Ok(Some(inventory));
            }
        }
        Ok(None)
    }

    /// The resource with that uuid as a JSON object, as in replies.
    ///
    /// # Errors
    /// `UnknownInventory`, `UnknownField` when the inventory has no `uuid`, `Database`.
    pub fn inventory_json(&self, inventory: &str, uuid: &str) -> Result<Option<String>, StoreError> {
        let shape = self.shape(inventory)?;
        let condition = self.condition(&shape, &[("uuid", Scalar::from(uuid))])?;
        if !schema::table_exists(self.connection, shape.table())? {
            return Ok(None);
        }
        let sql = format!("SELECT _id FROM {} WHERE {condition}", quoted(shape.table()));
        let id: Option<i64> = self.connection.prepare_cached(&sql)?.query_row([uuid], |row| row.get(0)).optional()?;
        let Some(id) = id else { return Ok(None) };
        let (secrecy, part) = (Secrecy::Shown, Part::Rows);
        let printer = Printer { connection: self.connection, model: self.model, secrecy, part };
        let mut printed = Printed::default();
        printer.print(&shape, &[id], None, &mut printed)?;
        Ok((printed.rows > 0).then_some(printed.json))
    }

    /// Attaches a tag to a resource and returns the tag's uuid.
    ///
    /// `resource_type` is the resource type in tags, such as `VmInstanceVO`.
    ///
    /// # Errors
    /// `Database`.
    pub fn add_tag(
        &self,
        kind: TagKind,
        resource_uuid: &str,
        resource_type: &str,
        tag: &str,
    ) -> Result<String, StoreError> {
        let uuid = uuid::Uuid::new_v4().simple().to_string();
        let mut row = Row::new()
            .with("uuid", uuid.as_str())
            .with("resourceUuid", resource_uuid)
            .with("resourceType", resource_type)
            .with("tag", tag)
            .with("type", kind.as_str());
        if kind == TagKind::System {
            row.set("inherent", false);
        }
        self.insert(kind.inventory(), &row)?;
        Ok(uuid)
    }

    /// Removes all tags of both kinds from a resource.
    ///
    /// # Errors
    /// `Database`.
    pub fn remove_tags(&self, resource_uuid: &str) -> Result<(), StoreError> {
        for kind in [TagKind::User, TagKind::System] {
            self.delete_where(kind.inventory(), &[("resourceUuid", Scalar::from(resource_uuid))])?;
        }
        Ok(())
    }

    /// Sets the owner of a resource, which has one owner only.
    ///
    /// # Errors
    /// `Database`.
    pub fn set_owner(&self, resource_uuid: &str, resource_type: &str, account_uuid: &str) -> Result<(), StoreError> {
        self.remove_owner(resource_uuid)?;
        let row = Row::new()
            .with("accountUuid", account_uuid)
            .with("resourceUuid", resource_uuid)
            .with("resourceType", resource_type)
            .with("concreteResourceType", resource_type);
        self.insert("AccountResourceRefInventory", &row)
    }

    /// The uuid of the account that owns a resource.
    ///
    /// # Errors
    /// `Database`.
    pub fn owner(&self, resource_uuid: &str) -> Result<Option<String>, StoreError> {
        let found = self.find("AccountResourceRefInventory", "resourceUuid", &Scalar::from(resource_uuid))?;
        Ok(found.first().and_then(|row| row.text("accountUuid")).map(str::to_owned))
    }

    /// Removes the owner of a resource.
    ///
    /// # Errors
    /// `Database`.
    pub fn remove_owner(&self, resource_uuid: &str) -> Result<(), StoreError> {
        self.delete_where("AccountResourceRefInventory", &[("resourceUuid", Scalar::from(resource_uuid))])?;
        Ok(())
    }

    /// Those of the values that a resource may have in a member, perhaps others too.
    fn candidates<'values>(
        &self,
        shape: &InventoryModel,
        field: &str,
        values: &'values [String],
    ) -> Result<Cow<'values, [String]>, StoreError> {
        let column = quoted(self.column(shape, field)?);
        if values.is_empty() || !schema::table_exists(self.connection, shape.table())? {
            return Ok(Cow::Borrowed(&[]));
        }
        if values.len() > FEW {
            // Most members are set in few resources. Looking at these is faster than looking for each value.
            let table = quoted(shape.table());
            let sql = format!("SELECT {column} FROM {table} WHERE {column} IS NOT NULL LIMIT {}", FEW + 1);
            let mut statement = self.connection.prepare_cached(&sql)?;
            let set: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            if set.len() <= FEW {
                let is_set = |value: &&String| set.iter().any(|set| set.eq_ignore_ascii_case(value));
                return Ok(values.iter().filter(is_set).cloned().collect());
            }
        }
        Ok(Cow::Borrowed(values))
    }

    /// The SQL for "one of the values in a JSON list", which is the first parameter.
    fn among(&self, shape: &InventoryModel, field: &str) -> Result<String, StoreError> {
        let column = quoted(self.column(shape, field)?);
        let kind = self.condition(shape, &[])?;
        Ok(format!("{column} IN (SELECT value FROM json_each(?1)) AND {kind}"))
    }

    fn column<'shape>(&self, shape: &'shape InventoryModel, name: &str) -> Result<&'shape str, StoreError> {
        let member = shape.members.iter().find(|member| member.name == name && member.kind.is_column());
        member
            .map(|member| member.name)
            .or_else(|| shape.hidden().find(|hidden| *hidden == name))
            .ok_or_else(|| StoreError::UnknownField { inventory: shape.name, field: name.to_owned() })
    }

    /// The SQL of a conjunction; its parameters are the values that are not null, in order.
    fn condition(&self, shape: &InventoryModel, conditions: &[(&str, Scalar)]) -> Result<String, StoreError> {
        let mut parts = Vec::new();
        let mut parameters = 0;
        for (name, value) in conditions {
            let column = quoted(self.column(shape, name)?);
            if value.is_null() {
                parts.push(format!("{column} IS NULL"));
            } else {
                parameters += 1;
                parts.push(format!("{column} = ?{parameters}"));
            }
        }
        if shape.name != shape.root {
            let names: Vec<String> = self.model.descendants(shape).iter().map(|name| format!("'{name}'")).collect();
            parts.push(format!("_inventory IN ({})", names.join(", ")));
        }
        Ok(if parts.is_empty() { "1".to_owned() } else { parts.join(" AND ") })
    }
}

fn json_list(values: &[String]) -> String {
    json_keys(values.iter().map(String::as_str))
}
