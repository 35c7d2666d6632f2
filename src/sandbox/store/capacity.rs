//! Capacities, computed from the rows that use them.
//!
//! The stored capacity of a host or storage is what it offers when nothing is on it. Reads go through a view of its
//! table that subtracts what its virtual machines, volumes, snapshots and images use, so no counter can be wrong.

use rusqlite::Connection;

use super::error::StoreError;
use super::model::{InventoryModel, Kind, Model};
use super::schema::{self, quoted};

/// A table with computed columns: each with the SQL of its value, in which `t` is the row and `{}` its stored value.
struct Computed {
    table: &'static str,
    columns: &'static [(&'static str, &'static str)],
    /// The inventories whose tables the expressions read.
    reads: &'static [&'static str],
}

/// The ratio of a global configuration; 1 unless it is a positive number.
macro_rules! ratio {
    ($category:literal, $name:literal) => {
        concat!(
            "(SELECT coalesce(max(CAST(value AS REAL)), 1) FROM GlobalConfig WHERE category = '",
            $category,
            "' AND name = '",
            $name,
            "' AND CAST(value AS REAL) > 0)"
        )
    };
}

/// The processors that a host offers.
macro_rules! processors {
    () => {
        concat!("CAST(t.cpuNum * ", ratio!("host", "cpu.overProvisioning.ratio"), " AS INTEGER)")
    };
}

const COMPUTED: [Computed; 3] = [
    Computed {
        table: "Host",
        columns: &[
            ("totalCpuCapacity", concat!("coalesce(", processors!(), ", {})")),
            (
                "availableCpuCapacity",
                concat!(
                    "max(0, {} + coalesce(",
                    processors!(),
                    " - t.totalCpuCapacity, 0) - (SELECT coalesce(sum(vm.cpuNum), 0) FROM VmInstance vm \
                     WHERE vm.hostUuid = t.uuid))"
                ),
            ),
            (
                "availableMemoryCapacity",
                concat!(
                    "max(0, {} - (SELECT CAST(coalesce(sum(vm.memorySize), 0) / ",
                    ratio!("mevoco", "overProvisioning.memory"),
                    " AS INTEGER) FROM VmInstance vm WHERE vm.hostUuid = t.uuid))"
                ),
            ),
        ],
        reads: &["VmInstanceInventory", "GlobalConfigInventory"],
    },
    Computed {
        table: "PrimaryStorage",
        columns: &[
            (
                "availableCapacity",
                concat!(
                    "max(0, {} - (SELECT CAST(coalesce(sum(v.size), 0) / ",
                    ratio!("mevoco", "overProvisioning.primaryStorage"),
                    " AS INTEGER) FROM Volume v WHERE v.primaryStorageUuid = t.uuid) \
                     - (SELECT coalesce(sum(s.size), 0) FROM VolumeSnapshot s WHERE s.primaryStorageUuid = t.uuid))"
                ),
            ),
            (
                "availablePhysicalCapacity",
                "max(0, {} - (SELECT coalesce(sum(v.actualSize), 0) FROM Volume v \
                 WHERE v.primaryStorageUuid = t.uuid) \
                 - (SELECT coalesce(sum(s.size), 0) FROM VolumeSnapshot s WHERE s.primaryStorageUuid = t.uuid))",
            ),
        ],
        reads: &["VolumeInventory", "VolumeSnapshotInventory", "GlobalConfigInventory"],
    },
    Computed {
        table: "BackupStorage",
        columns: &[(
            "availableCapacity",
            "max(0, {} - (SELECT coalesce(sum(i.actualSize), 0) FROM ImageBackupStorageRef r \
             JOIN Image i ON i.uuid = r.imageUuid WHERE r.backupStorageUuid = t.uuid))",
        )],
        reads: &["ImageBackupStorageRefInventory", "ImageInventory"],
    },
];

/// Indexes with all that the sums need, so that they are read from the index alone.
const INDEXES: [(&str, &str, &str); 3] = [
    ("VmInstance", "hostUuid", "cpuNum, memorySize"),
    ("Volume", "primaryStorageUuid", "size, actualSize"),
    ("VolumeSnapshot", "primaryStorageUuid", "size"),
];

fn computed(table: &str) -> Option<&'static Computed> {
    COMPUTED.iter().find(|computed| computed.table == table)
}

/// The tables with computed columns.
pub(super) fn tables() -> impl Iterator<Item = &'static str> {
    COMPUTED.iter().map(|computed| computed.table)
}

/// The computed columns of a table.
pub(super) fn columns(table: &str) -> impl Iterator<Item = &'static str> {
    computed(table).into_iter().flat_map(|computed| computed.columns).map(|(column, _)| *column)
}

fn view_name(table: &str) -> String {
    quoted(&format!("_{table}"))
}

/// What a family's rows are read from: its table, or the view with its capacities. Quoted.
pub(super) fn source(table: &str) -> String {
    if computed(table).is_some() { view_name(table) } else { quoted(table) }
}

/// The statements that create the indexes of a table for the sums.
pub(super) fn indexes(table: &str) -> impl Iterator<Item = String> {
    INDEXES.iter().filter(move |(on, ..)| *on == table).map(|(on, column, others)| {
        let index = quoted(&format!("{on}.{column} used"));
        format!("CREATE INDEX IF NOT EXISTS {index} ON {} ({column}, {others}) WHERE {column} IS NOT NULL", quoted(on))
    })
}

/// Creates the view of a table that has one, and the tables that it reads.
pub(super) fn ensure_view(
    connection: &Connection,
    model: &Model,
    shape: &InventoryModel,
    columns: &[(&'static str, Kind)],
) -> Result<(), StoreError> {
    let Some(computed) = computed(shape.table()) else { return Ok(()) };
    for inventory in computed.reads {
        let read = model.shape(inventory).ok_or_else(|| StoreError::UnknownInventory((*inventory).to_owned()))?;
        schema::ensure_table(connection, model, &read)?;
    }
    let mut selected = vec!["t._id".to_owned(), "t._inventory".to_owned()];
    for (name, _) in columns {
        let stored = format!("t.{}", quoted(name));
        let expression = computed.columns.iter().find(|(column, _)| column == name);
        selected.push(match expression {
            Some((_, sql)) => {
                // Null stays null: the host or storage never said what it has.
                format!("CASE WHEN {stored} IS NOT NULL THEN {} END AS {}", sql.replace("{}", &stored), quoted(name))
            }
            None => format!("{stored} AS {}", quoted(name)),
        });
    }
    connection.execute_batch(&format!(
        "DROP VIEW IF EXISTS {view}; CREATE VIEW {view} AS SELECT {} FROM {} t",
        selected.join(", "),
        quoted(shape.table()),
        view = view_name(shape.table()),
    ))?;
    Ok(())
}

/// Takes the stored capacities for those with everything that is on the hosts and storages now, as a node told them.
///
/// After it, reads return what is stored at present.
pub(super) fn settle(connection: &Connection) -> Result<(), StoreError> {
    for computed in &COMPUTED {
        if !schema::table_exists(connection, computed.table)? {
            continue;
        }
        let (table, view) = (quoted(computed.table), view_name(computed.table));
        for (column, _) in computed.columns.iter().filter(|(column, _)| column.starts_with("available")) {
            // What is used is what the view subtracts from a large number.
            connection.execute_batch(&format!(
                "CREATE TEMP TABLE settled AS SELECT _id, {column} AS told FROM {table};
                 UPDATE {table} SET {column} = {LARGE} WHERE {column} IS NOT NULL;
                 CREATE TEMP TABLE used AS SELECT _id, {LARGE} - {column} AS amount FROM {view};
                 UPDATE {table} SET {column} = (SELECT told FROM temp.settled s WHERE s._id = {table}._id)
                   + (SELECT amount FROM temp.used u WHERE u._id = {table}._id);
                 DROP TABLE temp.settled; DROP TABLE temp.used;"
            ))?;
        }
    }
    Ok(())
}

/// More than any capacity.
const LARGE: i64 = 1 << 60;
