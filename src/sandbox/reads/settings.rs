//! Settings of resources, types, and ownership.

use serde_json::{Map, Value, json};

use super::super::answer::Failure;
use super::super::change::{Change, Handler};

/// The APIs that read settings and types.
pub(in super::super) const WORK: &[(&str, Handler)] = &[
    ("CheckApiPermission", permissions),
    ("GetBackupStorageTypes", kinds),
    ("GetGlobalConfigOptions", config_options),
    ("GetHostAllocatorStrategies", kinds),
    ("GetHypervisorTypes", kinds),
    ("GetL2NetworkTypes", kinds),
    ("GetL3NetworkTypes", kinds),
    ("GetPrimaryStorageAllocatorStrategies", kinds),
    ("GetPrimaryStorageTypes", kinds),
    ("GetResourceAccount", owners),
    ("GetResourceNames", names),
    ("GetVmBootOrder", boot_order),
    ("GetVmCapabilities", vm_capabilities),
    ("GetVmConsoleAddress", console),
    ("GetVmHostname", setting),
    ("GetVmInstanceHaLevel", setting),
    ("GetVmSshKey", setting),
    ("GetVolumeCapabilities", volume_capabilities),
    ("GetVolumeFormat", formats),
    ("GetZone", zone),
];

/// Types that the cloud supports: the API, the member of its reply, the types.
const KINDS: [(&str, &str, &[&str]); 7] = [
    ("GetBackupStorageTypes", "types", &["ImageStoreBackupStorage", "SftpBackupStorage", "Ceph"]),
    (
        "GetHostAllocatorStrategies",
        "strategies",
        &[
            "LeastVmPreferredHostAllocatorStrategy",
            "DefaultHostAllocatorStrategy",
            "LastHostPreferredAllocatorStrategy",
        ],
    ),
    ("GetHypervisorTypes", "hypervisorTypes", &["KVM"]),
    ("GetL2NetworkTypes", "types", &["L2NoVlanNetwork", "L2VlanNetwork", "VxlanNetwork", "VxlanNetworkPool"]),
    ("GetL3NetworkTypes", "types", &["L3BasicNetwork", "L3VpcNetwork"]),
    ("GetPrimaryStorageAllocatorStrategies", "strategies", &["DefaultPrimaryStorageAllocationStrategy"]),
    ("GetPrimaryStorageTypes", "types", &["LocalStorage", "NFS", "Ceph", "SharedMountPoint", "SharedBlock"]),
];

/// Settings of virtual machines stored as system tags: the API, the prefix of the tag, the member of the reply.
const SETTINGS: [(&str, &str, &str); 3] = [
    ("GetVmHostname", "hostname::", "hostname"),
    ("GetVmInstanceHaLevel", "ha::", "level"),
    ("GetVmSshKey", "sshkey::", "sshKey"),
];

fn kinds(change: &Change<'_>) -> Result<String, Failure> {
    let found = KINDS.iter().find(|(api, ..)| *api == change.api.name);
    let (_, member, kinds) = found.ok_or_else(|| Failure::not_simulated(change.api.name))?;
    Ok(json!({ (*member): kinds }).to_string())
}

fn setting(change: &Change<'_>) -> Result<String, Failure> {
    let found = SETTINGS.iter().find(|(api, ..)| *api == change.api.name);
    let (_, prefix, member) = found.ok_or_else(|| Failure::not_simulated(change.api.name))?;
    let tags = change.find("SystemTagInventory", &[("resourceUuid", change.text("uuid"))])?;
    let value = tags.iter().filter_map(|row| row.text("tag")).find_map(|tag| tag.strip_prefix(prefix));
    let mut reply = Map::new();
    if let Some(value) = value {
        reply.insert((*member).to_owned(), value.into());
    }
    Ok(Value::Object(reply).to_string())
}

fn boot_order(change: &Change<'_>) -> Result<String, Failure> {
    let tags = change.find("SystemTagInventory", &[("resourceUuid", change.text("uuid"))])?;
    let order = tags.iter().filter_map(|row| row.text("tag")).find_map(|tag| tag.strip_prefix("bootOrder::"));
    let orders: Vec<&str> = order.unwrap_or("HardDisk,CdRom,Network").split(',').collect();
    Ok(json!({ "orders": orders }).to_string())
}

fn vm_capabilities(change: &Change<'_>) -> Result<String, Failure> {
    let vm = change.get("VmInstanceInventory", change.text("uuid"))?;
    let is_linux = vm.text("platform") == Some("Linux");
    Ok(json!({ "capabilities": {
        "LiveMigration": true,
        "VolumeMigration": true,
        "Reimage": !vm.get("imageUuid").is_null(),
        "MemorySnapshot": is_linux,
    } })
    .to_string())
}

fn volume_capabilities(change: &Change<'_>) -> Result<String, Failure> {
    let volume = change.get("VolumeInventory", change.text("uuid"))?;
    Ok(json!({ "capabilities": {
        "MigrationToOtherPrimaryStorage": volume.text("status") == Some("Ready"),
        "MigrationInCurrentPrimaryStorage": true,
    } })
    .to_string())
}

fn formats(_: &Change<'_>) -> Result<String, Failure> {
    let format =
        |name: &str| json!({ "format": name, "masterHypervisorType": "KVM", "supportingHypervisorTypes": ["KVM"] });
    Ok(json!({ "formats": [format("qcow2"), format("raw")] }).to_string())
}

/// The console address of a running virtual machine.
fn console(change: &Change<'_>) -> Result<String, Failure> {
    let vm = change.get("VmInstanceInventory", change.text("uuid"))?;
    let host = change.referred("HostInventory", &vm, "hostUuid")?.ok_or_else(|| {
        Failure::refused(format!("the vm[uuid:{}] is not running, it has no console", change.text("uuid")))
    })?;
    Ok(json!({ "hostIp": host.text("managementIp"), "port": 5900, "protocol": "vnc", "success": true }).to_string())
}

fn names(change: &Change<'_>) -> Result<String, Failure> {
    let mut found = Vec::new();
    for uuid in change.arguments.texts("uuids") {
        let Some(inventory) = change.tx.kind_of(uuid)? else { continue };
        let row = change.get(&inventory, uuid)?;
        found.push(json!({
            "uuid": uuid,
            "resourceName": row.text("name"),
            "resourceType": change.resource_type(&inventory),
        }));
    }
    Ok(json!({ "inventories": found }).to_string())
}

fn owners(change: &Change<'_>) -> Result<String, Failure> {
    let mut found = Map::new();
    for uuid in change.arguments.texts("resourceUuids") {
        let Some(owner) = change.tx.owner(uuid)? else { continue };
        let json = change.tx.inventory_json("AccountInventory", &owner)?;
        found.insert(uuid.to_owned(), json.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default());
    }
    Ok(json!({ "inventories": found }).to_string())
}

fn config_options(change: &Change<'_>) -> Result<String, Failure> {
    let condition = [("category", change.text("category")), ("name", change.text("name"))];
    let found = change.find("GlobalConfigInventory", &condition)?;
    if found.is_empty() {
        let what = format!("there is no global config[category:{}, name:{}]", condition[0].1, condition[1].1);
        return Err(Failure::argument(what));
    }
    Ok(json!({ "options": { "validValue": [] } }).to_string())
}

fn permissions(change: &Change<'_>) -> Result<String, Failure> {
    let mut allowed = Map::new();
    for name in change.arguments.texts("apiNames") {
        let is_allowed = change.caller.is_admin || !super::super::change::is_platforms(name);
        allowed.insert(name.to_owned(), if is_allowed { "Allow" } else { "Deny" }.into());
    }
    Ok(json!({ "inventory": allowed }).to_string())
}

/// Zones with their states; all zones without a uuid.
fn zone(change: &Change<'_>) -> Result<String, Failure> {
    let zones = match change.arguments.text("uuid") {
        Some(uuid) => vec![change.get("ZoneInventory", uuid)?],
        None => change.find("ZoneInventory", &[])?,
    };
    let mut texts = Vec::new();
    for uuid in zones.iter().filter_map(|zone| zone.text("uuid")) {
        texts.extend(change.tx.inventory_json("ZoneInventory", uuid)?);
    }
    Ok(format!("{{\"inventories\":[{}]}}", texts.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn the_tables_name_apis_of_the_catalog_and_members_of_their_replies() {
        for (api, member) in KINDS
            .iter()
            .map(|(api, member, _)| (api, member))
            .chain(SETTINGS.iter().map(|(api, _, member)| (api, member)))
        {
            let api = Catalog::newest().api(api).expect("an API of the catalog");
            assert!(api.result.iter().any(|result| result.name == *member), "{} {member}", api.name);
        }
    }
}
