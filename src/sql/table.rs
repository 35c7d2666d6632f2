//! Inventories as tables: their columns and the query that lists their rows.

use std::ffi::c_int;
use std::fmt::Write;

use crate::catalog::references::{Listing, listing};
use crate::catalog::{Catalog, Field, Inventory, Type};
use crate::plan::{self, Wanted};
use crate::render::{FieldKind, counts_bytes};
use crate::secret::member_is_secret;
use crate::syntax::Operator;

/// The name of the column for the context of a row.
pub(super) const CONTEXT: &str = "context";

/// An inventory as a table.
#[derive(Debug)]
pub(crate) struct Table {
    pub(super) inventory: &'static str,
    /// The API that returns its rows.
    pub(crate) api: &'static str,
    /// Whether that is a query, which can be asked for some of them.
    pub(super) is_query: bool,
    /// What chooses its rows among those of a more general query: the field and its value.
    pub(super) special: Option<(&'static str, &'static str)>,
    pub(crate) columns: Vec<Column>,
    /// The column that identifies a row.
    pub(super) key: Option<usize>,
}

/// A column: a field of the inventory.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: ColumnKind,
    /// Whether all nodes have it. One that lacks it fails on requests that name it.
    everywhere: bool,
    /// Whether a query can return it alone.
    pub(super) selectable: bool,
    pub(super) sortable: bool,
    /// All values that it may have, where these are known.
    pub(super) values: Vec<&'static str>,
}

/// The type of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    Text,
    /// Text that is masked where people see it.
    Secret,
    Integer,
    /// An integer that counts bytes.
    Bytes,
    Real,
    /// 0 or 1.
    Bool,
    /// A date and time as `YYYY-MM-DD hh:mm:ss`.
    Time,
    /// A list or map, as JSON text.
    Json,
    /// Anything.
    Any,
}

impl ColumnKind {
    const ALL: [ColumnKind; 9] = [
        ColumnKind::Text,
        ColumnKind::Secret,
        ColumnKind::Integer,
        ColumnKind::Bytes,
        ColumnKind::Real,
        ColumnKind::Bool,
        ColumnKind::Time,
        ColumnKind::Json,
        ColumnKind::Any,
    ];

    /// The type that SQLite is told, and that it tells of a selected column. Its last word decides on the affinity.
    pub(super) fn declared(self) -> &'static str {
        match self {
            ColumnKind::Text => "TEXT",
            ColumnKind::Secret => "SECRET TEXT",
            ColumnKind::Integer => "INT",
            ColumnKind::Bytes => "BYTES INT",
            ColumnKind::Real => "REAL",
            ColumnKind::Bool => "BOOL INT",
            ColumnKind::Time => "TIME TEXT",
            ColumnKind::Json => "JSON TEXT",
            ColumnKind::Any => "BLOB",
        }
    }

    /// The kind that was declared so.
    pub(super) fn of_declared(text: &str) -> Option<ColumnKind> {
        ColumnKind::ALL.into_iter().find(|kind| kind.declared() == text)
    }

    fn of(catalog: Catalog, field: &Field) -> ColumnKind {
        match &field.kind {
            _ if member_is_secret(field.name) => ColumnKind::Secret,
            Type::String => ColumnKind::Text,
            Type::Long if counts_bytes(field.name, FieldKind::Long) => ColumnKind::Bytes,
            Type::Int | Type::Long => ColumnKind::Integer,
            Type::Double => ColumnKind::Real,
            Type::Bool => ColumnKind::Bool,
            Type::Timestamp => ColumnKind::Time,
            Type::List(_) | Type::Map(_) => ColumnKind::Json,
            Type::Named(name) if name.ends_with("Inventory") => ColumnKind::Json,
            Type::Named(name) if catalog.enum_values(name).is_some() => ColumnKind::Text,
            Type::Named(_) | Type::Any => ColumnKind::Any,
        }
    }
}

impl Table {
    /// The table of an inventory; `None` if no query lists its rows.
    pub(super) fn of(catalog: Catalog, inventory: &Inventory) -> Option<Table> {
        let Listing { api, is_query, special } = listing(catalog, inventory)?;
        let mut columns: Vec<Column> = Vec::new();
        for field in &inventory.fields {
            // SQL ignores the case of names.
            if columns.iter().any(|known| known.name.eq_ignore_ascii_case(field.name)) {
                continue;
            }
            let kind = ColumnKind::of(catalog, field);
            let everywhere = field.since.is_none();
            columns.push(Column {
                name: field.name,
                kind,
                everywhere,
                selectable: everywhere && inventory.can_select(field),
                sortable: everywhere && inventory.can_sort(field),
                values: match &field.kind {
                    Type::Named(name) if field.values.is_empty() => catalog.enum_values(name).unwrap_or_default(),
                    _ => field.values.clone(),
                },
            });
        }
        let key = ["uuid", "id"].iter().find_map(|key| columns.iter().position(|column| column.name == *key));
        Some(Table { inventory: inventory.name, api, is_query, special, columns, key })
    }

    /// Whether a condition of the query may name a column, as far as the planner knows.
    pub(super) fn compares(&self, catalog: Catalog, column: usize) -> bool {
        let Some(column) = self.columns.get(column).filter(|column| column.everywhere) else { return false };
        let mut conditions = self.conditions();
        conditions.push((column.name, Operator::Equal, "null".to_owned()));
        let wanted = Wanted { conditions: &conditions, ..Wanted::default() };
        column.kind != ColumnKind::Json && plan::rows(self.api, &wanted, 1, catalog).is_ok()
    }

    /// The conditions that all its rows meet.
    pub(super) fn conditions(&self) -> Vec<(&'static str, Operator, String)> {
        let special = self.special.map(|(field, value)| (field, Operator::Equal, value.to_owned()));
        special.into_iter().collect()
    }

    /// The statement that declares it.
    ///
    /// Its first column is the context, which `*` leaves out where there is one alone.
    pub(super) fn declaration(&self, of_several: bool) -> String {
        let hidden = if of_several { "" } else { " HIDDEN" };
        // An inventory may have a field of that name.
        let is_taken = |name: &str| name.eq_ignore_ascii_case(CONTEXT);
        let has_own = self.columns.iter().any(|column| is_taken(column.name));
        let second = format!("{CONTEXT}_2");
        let first = if has_own && !of_several { &second } else { CONTEXT };
        let mut text = format!("CREATE TABLE t(\"{first}\" TEXT{hidden}");
        for column in &self.columns {
            let name = if is_taken(column.name) && of_several { &second } else { column.name };
            // Text takes what is written.
            let _ = write!(text, ", \"{name}\" {}", column.kind.declared());
        }
        text.push(')');
        text
    }

    /// The index of a column of the declaration; that of the context is the number of columns.
    pub(super) fn column(&self, declared: c_int) -> Option<usize> {
        let declared = usize::try_from(declared).ok()?;
        Some(declared.checked_sub(1).unwrap_or(self.columns.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::statement::table_names;

    fn table(entity: &str) -> Table {
        let catalog = Catalog::newest();
        let inventory = catalog.zql_inventory(entity).and_then(|name| catalog.inventory(name)).expect("an inventory");
        Table::of(catalog, &inventory).expect("a table")
    }

    #[test]
    fn every_inventory_with_a_query_is_a_table_that_sqlite_accepts() {
        let catalog = Catalog::newest();
        let connection = rusqlite::Connection::open_in_memory().expect("a database");
        let names = table_names(catalog);
        for entity in &names {
            let table = table(entity);
            let declaration = table.declaration(false).replacen("TABLE t(", &format!("TABLE \"{entity}\"("), 1);
            connection.execute_batch(&declaration).unwrap_or_else(|error| panic!("{entity}: {error}"));
        }
        assert!(names.len() > 200, "{} tables", names.len());
        let inventories = catalog.inventory_names().filter_map(|name| catalog.inventory(name));
        assert_eq!(inventories.filter(|inventory| listing(catalog, inventory).is_some()).count(), names.len());
    }

    #[test]
    fn columns_have_the_types_of_their_fields() {
        let vms = table("vminstance");
        let kind = |name: &str| vms.columns.iter().find(|column| column.name == name).map(|column| column.kind);
        assert_eq!(kind("memorySize"), Some(ColumnKind::Bytes));
        assert_eq!(kind("cpuNum"), Some(ColumnKind::Integer));
        assert_eq!(kind("createDate"), Some(ColumnKind::Time));
        assert_eq!(kind("vmNics"), Some(ColumnKind::Json));
        assert_eq!(kind("state"), Some(ColumnKind::Text));
        let vlan = table("l2vlannetwork");
        assert_eq!((vlan.api, vlan.special), ("QueryL2VlanNetwork", None));
        let hosts = table("kvmhost");
        assert_eq!((hosts.api, hosts.special), ("QueryHost", Some(("hypervisorType", "KVM"))));
    }
}
