//! Copies of virtual machines.

use serde_json::Value;

use super::super::answer::Failure;
use super::super::ledger::new_uuid;
use super::super::store::{Row, Scalar};
use super::{Change, Handler};

/// The APIs that clone.
pub(super) const WORK: &[(&str, Handler)] = &[("CloneVmInstance", clone)];

const VM: &str = "VmInstanceInventory";

/// Clones a virtual machine for each name, with its volumes, and nics with new addresses.
fn clone(change: &Change<'_>) -> Result<String, Failure> {
    let original = change.get(VM, change.text("vmInstanceUuid"))?;
    let state = original.text("state").unwrap_or_default();
    if !matches!(state, "Running" | "Stopped" | "Paused") {
        return Err(Failure::refused(format!(
            "cannot clone the vm[uuid:{}] in the state {state}",
            change.text("vmInstanceUuid")
        )));
    }
    let mut clones = Vec::new();
    for name in change.arguments.texts("names") {
        let uuid = change.copy_vm(&original, name)?;
        let json = change.tx.inventory_json(VM, &uuid)?;
        let inventory: Value = json.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
        clones.push(serde_json::json!({ "inventory": inventory }));
    }
    let result = serde_json::json!({ "numberOfClonedVm": clones.len(), "inventories": clones });
    Ok(serde_json::json!({ "result": result }).to_string())
}

impl Change<'_> {
    fn copy_vm(&self, original: &Row, name: &str) -> Result<String, Failure> {
        let uuid = new_uuid();
        let now = self.now.to_stored();
        let of_original = original.text("uuid").unwrap_or_default();
        let starts = self.arguments.text("strategy").unwrap_or("InstantStart") == "InstantStart";
        let mut row = original.clone();
        row.set("uuid", uuid.as_str());
        row.set("name", name);
        row.set("state", if starts { "Running" } else { "Stopped" });
        if !starts {
            row.set("hostUuid", Scalar::Null);
        } else {
            row.set("hostUuid", self.host_for(original, self.arguments.text("hostUuid"))?);
        }
        row.set("createDate", now.as_str());
        row.set("lastOpDate", now.as_str());
        let root = new_uuid();
        row.set("rootVolumeUuid", root.as_str());
        self.insert(VM, &row)?;
        let is_full = self.arguments.get("full").and_then(Value::as_bool) == Some(true);
        for volume in self.find("VolumeInventory", &[("vmInstanceUuid", of_original)])? {
            let is_root = volume.text("type") == Some("Root");
            if !is_root && !is_full {
                continue;
            }
            let copy = if is_root { root.clone() } else { new_uuid() };
            let storage = volume.text("primaryStorageUuid").unwrap_or_default();
            self.check_space("PrimaryStorageInventory", storage, volume.get("size").as_integer().unwrap_or_default())?;
            let mut row = volume.clone();
            row.set("uuid", copy.as_str());
            row.set("name", format!("{}-for-{name}", if is_root { "ROOT" } else { "DATA" }));
            row.set("vmInstanceUuid", uuid.as_str());
            row.set("installPath", format!("/zstack_ps/volumes/{copy}.qcow2"));
            row.set("createDate", now.as_str());
            row.set("lastOpDate", now.as_str());
            self.insert("VolumeInventory", &row)?;
        }
        for nic in self.find("VmNicInventory", &[("vmInstanceUuid", of_original)])? {
            self.add_nic(&uuid, nic.text("l3NetworkUuid").unwrap_or_default(), None)?;
        }
        Ok(uuid)
    }
}
