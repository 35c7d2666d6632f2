//! The member `tree` of a tree of snapshots: each snapshot with its children.

use std::collections::HashSet;

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use serde_json::{Map, Value, json};

use super::timestamp;

/// The SQL of the member, in which `t` is the tree.
pub(super) const SQL: &str = "(SELECT snapshot_tree(json_group_array(json_object('uuid', s.uuid, 'name', s.name, \
     'description', s.description, 'type', s.type, 'volumeUuid', s.volumeUuid, 'treeUuid', s.treeUuid, \
     'parentUuid', s.parentUuid, 'primaryStorageUuid', s.primaryStorageUuid, \
     'primaryStorageInstallPath', s.primaryStorageInstallPath, 'volumeType', s.volumeType, 'format', s.format, \
     'latest', s.latest, 'size', s.size, 'distance', s.distance, 'state', s.state, 'status', s.status, \
     'groupUuid', s.groupUuid, 'createDate', s.createDate, 'lastOpDate', s.lastOpDate))) \
     FROM VolumeSnapshot s WHERE s.treeUuid = t.uuid)";

/// Adds the SQL function `snapshot_tree(snapshots)`: the tree of a JSON list of snapshots; null without any.
pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("snapshot_tree", 1, flags, |context| {
        let list: String = context.get(0)?;
        let snapshots: Vec<Map<String, Value>> = serde_json::from_str(&list).unwrap_or_default();
        Ok(tree(&snapshots).map(|tree| tree.to_string()))
    })
}

fn tree(snapshots: &[Map<String, Value>]) -> Option<Value> {
    let uuids: HashSet<&str> = snapshots.iter().filter_map(|snapshot| text(snapshot, "uuid")).collect();
    let root = snapshots.iter().find(|snapshot| text(snapshot, "parentUuid").is_none_or(|it| !uuids.contains(it)))?;
    Some(leaf(root, snapshots, snapshots.len()))
}

/// A snapshot with its descendants, as deep as there are snapshots.
fn leaf(snapshot: &Map<String, Value>, all: &[Map<String, Value>], deepest: usize) -> Value {
    let children: Vec<Value> = all
        .iter()
        .filter(|other| deepest > 0 && text(other, "parentUuid").is_some_and(|it| Some(it) == text(snapshot, "uuid")))
        .map(|child| leaf(child, all, deepest - 1))
        .collect();
    let mut inventory = snapshot.clone();
    // Members without a value are left out (N2).
    inventory.retain(|_, value| !value.is_null());
    for (name, value) in &mut inventory {
        match (name.as_str(), &*value) {
            ("latest", Value::Number(number)) => *value = Value::Bool(number.as_i64() != Some(0)),
            ("createDate" | "lastOpDate", Value::String(date)) => *value = timestamp::to_wire(date).into(),
            _ => {}
        }
    }
    // No snapshot of the sandbox is on a backup storage.
    inventory.insert("backupStorageRefs".to_owned(), json!([]));
    let mut leaf = json!({ "inventory": inventory, "children": children });
    if let Some(parent) = text(snapshot, "parentUuid") {
        leaf["parentUuid"] = parent.into();
    }
    leaf
}

fn text<'a>(snapshot: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    snapshot.get(name).and_then(Value::as_str)
}
