//! Hosts that are powered off, trash, backups, settings of single resources, subscriptions.

use serde_json::{Value, json};

use super::super::answer::Failure;
use super::super::ledger::new_uuid;
use super::super::store::{ADMIN_ACCOUNT, Row, Scalar};
use super::{Change, Handler};

/// The APIs of the platform with a handler of their own.
pub(super) const WORK: &[(&str, Handler)] = &[
    ("ChangeLoadBalancerListener", change_listener),
    ("CleanUpTrashOnPrimaryStorage", clean_trash),
    ("CreateVmBackup", back_up),
    ("DeleteResourceConfig", delete_config),
    ("GetResourceConfig", config),
    ("GetTrashOnPrimaryStorage", trash),
    ("GetVipUsedPorts", used_ports),
    ("LocalStorageMigrateVolume", move_to_host),
    ("PowerOffHost", power_off),
    ("PrimaryStorageMigrateVm", move_to_storage),
    ("SubscribeEvent", subscribe),
    ("UnsubscribeEvent", unsubscribe),
    ("UpdateResourceConfig", update_config),
];

const VM: &str = "VmInstanceInventory";
const VOLUME: &str = "VolumeInventory";
const CONFIG: &str = "ResourceConfigInventory";
const TRASH: &str = "InstallPathRecycleInventory";

/// Parameters of listeners that are stored as system tags under another name.
const TAGS_OF_LISTENERS: [(&str, &str); 2] = [("nbprocess", "Nbprocess"), ("aclStatus", "accessControlStatus")];

/// Stores the parameters that are no members as system tags.
fn change_listener(change: &Change<'_>) -> Result<String, Failure> {
    const LISTENER: &str = "LoadBalancerListenerInventory";
    let uuid = change.text("uuid");
    change.get(LISTENER, uuid)?;
    let members = change.members(LISTENER)?;
    for (name, value) in change.arguments.values() {
        if name == "uuid" || name.ends_with("Tags") || value.is_null() || members.contains(name) {
            continue;
        }
        let tag =
            TAGS_OF_LISTENERS.iter().find(|(parameter, _)| parameter == name).map_or(name.as_str(), |(_, tag)| tag);
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        change.replace_tag(uuid, "LoadBalancerListenerVO", &format!("{tag}::"), &text)?;
    }
    change.update(LISTENER, uuid, members)?;
    change.reply(LISTENER, uuid)
}

fn power_off(change: &Change<'_>) -> Result<String, Failure> {
    let accounts = change.find("AccountInventory", &[("uuid", ADMIN_ACCOUNT)])?;
    if accounts.first().and_then(|account| account.text("password")) != change.arguments.text("adminPassword") {
        return Err(Failure::new("ID.1000", "wrong account name or password"));
    }
    let mut results = Vec::new();
    for host in change.arguments.texts("hostUuids") {
        change.get("HostInventory", host)?;
        let stopped = Row::new().with("state", "Stopped").with("hostUuid", Scalar::Null).with("lastHostUuid", host);
        change.tx.update_where(VM, &[("hostUuid", Scalar::from(host))], &stopped)?;
        change.update("HostInventory", host, Row::new().with("status", "Disconnected"))?;
        results.push(json!({ "hostUuid": host, "success": true }));
    }
    Ok(json!({ "results": results }).to_string())
}

fn trash(change: &Change<'_>) -> Result<String, Failure> {
    let mut rows = change.find(TRASH, &[("storageUuid", change.text("uuid"))])?;
    let fits = |row: &Row, field: &str| change.arguments.text(field).is_none_or(|text| row.text(field) == Some(text));
    rows.retain(|row| ["resourceUuid", "resourceType", "trashType"].iter().all(|field| fits(row, field)));
    let rows = rows.iter().map(|row| {
        json!({
            "trashId": row.get("trashId").as_integer(),
            "resourceUuid": row.text("resourceUuid"),
            "storageUuid": row.text("storageUuid"),
            "resourceType": row.text("resourceType"),
            "trashType": row.text("trashType"),
            "installPath": row.text("installPath"),
            "size": row.get("size").as_integer(),
        })
    });
    Ok(json!({ "inventories": rows.collect::<Vec<_>>() }).to_string())
}

fn clean_trash(change: &Change<'_>) -> Result<String, Failure> {
    let storage = change.text("uuid");
    change.get("PrimaryStorageInventory", storage)?;
    let wanted = change.arguments.integer("trashId");
    let mut rows = change.find(TRASH, &[("storageUuid", storage)])?;
    rows.retain(|row| wanted.is_none_or(|id| row.get("trashId").as_integer() == Some(id)));
    if rows.is_empty() && wanted.is_some() {
        return Err(Failure::argument(format!("field[trashId] names no trash on the primary storage[uuid:{storage}]")));
    }
    for row in &rows {
        change.tx.delete_where(TRASH, &[("trashId", row.get("trashId").clone())])?;
    }
    let uuids: Vec<_> = rows.iter().filter_map(|row| row.text("resourceUuid")).collect();
    let size: i64 = rows.iter().filter_map(|row| row.get("size").as_integer()).sum();
    Ok(json!({ "result": { "resourceUuids": uuids, "details": [], "size": size }, "results": [] }).to_string())
}

/// Backs up the root volume of a virtual machine and its data volumes as a group.
fn back_up(change: &Change<'_>) -> Result<String, Failure> {
    const BACKUP: &str = "VolumeBackupInventory";
    let (root, storage) = (change.text("rootVolumeUuid"), change.text("backupStorageUuid"));
    let root = change.get(VOLUME, root)?;
    let vm = root.text("vmInstanceUuid").filter(|_| root.text("type") == Some("Root"));
    let vm = vm.ok_or_else(|| Failure::argument("field[rootVolumeUuid] names no root volume of a vm"))?;
    change.get("BackupStorageInventory", storage)?;
    let (group, now) = (new_uuid(), change.now.to_stored());
    let mut texts = Vec::new();
    for volume in change.find(VOLUME, &[("vmInstanceUuid", vm), ("status", "Ready")])? {
        let uuid = new_uuid();
        let row = Row::new()
            .with("uuid", uuid.as_str())
            .with("volumeUuid", volume.get("uuid").clone())
            .with("vmInstanceUuid", vm)
            .with("name", change.text("name"))
            .with("description", change.arguments.text("description").map_or(Scalar::Null, Scalar::from))
            .with("type", volume.get("type").clone())
            .with("state", "Enabled")
            .with("status", "Ready")
            .with("size", volume.get("actualSize").clone())
            .with("groupUuid", group.as_str())
            .with("mode", change.arguments.text("mode").unwrap_or("incremental"))
            .with("createDate", now.as_str())
            .with("lastOpDate", now.as_str());
        change.insert(BACKUP, &row)?;
        let reference = Row::new()
            .with("volumeBackupUuid", uuid.as_str())
            .with("backupStorageUuid", storage)
            .with("installPath", format!("zstore://{uuid}/backup"))
            .with("status", "Ready");
        change.tx.insert("VolumeBackupStorageRefInventory", &reference)?;
        texts.extend(change.tx.inventory_json(BACKUP, &uuid)?);
    }
    Ok(format!("{{\"inventories\":[{}]}}", texts.join(",")))
}

/// The setting that a call names, which must be one of the node's.
fn global(change: &Change<'_>) -> Result<Row, Failure> {
    let (category, name) = (change.text("category"), change.text("name"));
    let found = change.find("GlobalConfigInventory", &[("category", category), ("name", name)])?;
    let missing = || Failure::argument(format!("there is no global config[category:{category}, name:{name}]"));
    found.into_iter().next().ok_or_else(missing)
}

/// The value of a setting for a single resource, if it has one of its own.
fn own(change: &Change<'_>) -> Result<Option<Row>, Failure> {
    let names = ["category", "name", "resourceUuid"].map(|field| (field, change.text(field)));
    Ok(change.find(CONFIG, &names)?.into_iter().next())
}

fn update_config(change: &Change<'_>) -> Result<String, Failure> {
    let setting = global(change)?;
    let uuid = match own(change)? {
        Some(row) => {
            let uuid = row.text("uuid").unwrap_or_default().to_owned();
            change.update(CONFIG, &uuid, Row::new().with("value", change.text("value")))?;
            uuid
        }
        None => {
            let (uuid, resource) = (new_uuid(), change.text("resourceUuid"));
            let kind = change.tx.kind_of(resource)?.unwrap_or_default();
            let row = Row::new()
                .with("uuid", uuid.as_str())
                .with("resourceUuid", resource)
                .with("resourceType", change.resource_type(&kind))
                .with("category", change.text("category"))
                .with("name", change.text("name"))
                .with("description", setting.get("description").clone())
                .with("value", change.text("value"));
            change.tx.insert(CONFIG, &row)?;
            uuid
        }
    };
    change.reply(CONFIG, &uuid)
}

fn config(change: &Change<'_>) -> Result<String, Failure> {
    let setting = global(change)?;
    let own = own(change)?;
    let effective: Vec<Value> = match own.as_ref().and_then(|row| row.text("uuid")) {
        Some(uuid) => change.tx.inventory_json(CONFIG, uuid)?.and_then(|json| serde_json::from_str(&json).ok()),
        None => None,
    }
    .into_iter()
    .collect();
    let value = own.as_ref().unwrap_or(&setting).text("value");
    Ok(json!({ "value": value, "effectiveConfigs": effective, "success": true }).to_string())
}

fn delete_config(change: &Change<'_>) -> Result<String, Failure> {
    global(change)?;
    if let Some(row) = own(change)? {
        change.tx.delete(CONFIG, row.text("uuid").unwrap_or_default())?;
    }
    Ok("{}".to_owned())
}

fn subscribe(change: &Change<'_>) -> Result<String, Failure> {
    const SUBSCRIPTION: &str = "EventSubscriptionInventory";
    let name = change.arguments.text("name").unwrap_or_else(|| change.text("eventName"));
    let row = change.members(SUBSCRIPTION)?.with("uuid", new_uuid()).with("name", name).with("state", "Enabled");
    let uuid = change.create(SUBSCRIPTION, row)?;
    for action in change.arguments.get("actions").and_then(Value::as_array).into_iter().flatten() {
        let text = |member: &str| action[member].as_str().map_or(Scalar::Null, Scalar::from);
        let row = Row::new()
            .with("subscriptionUuid", uuid.as_str())
            .with("actionUuid", text("actionUuid"))
            .with("actionType", text("actionType"));
        change.tx.insert("EventSubscriptionActionInventory", &row)?;
    }
    change.reply(SUBSCRIPTION, &uuid)
}

fn unsubscribe(change: &Change<'_>) -> Result<String, Failure> {
    let uuid = change.text("uuid");
    change.tx.delete_where("EventSubscriptionActionInventory", &[("subscriptionUuid", Scalar::from(uuid))])?;
    change.delete_tree("EventSubscriptionInventory", uuid)?;
    Ok("{}".to_owned())
}

fn used_ports(change: &Change<'_>) -> Result<String, Failure> {
    let (vip, protocol) = (change.text("uuid"), change.text("protocol"));
    change.get("VipInventory", vip)?;
    let mut ports = Vec::new();
    for rule in change.find("PortForwardingRuleInventory", &[("vipUuid", vip), ("protocolType", protocol)])? {
        let port = |field: &str| rule.get(field).as_integer().unwrap_or_default();
        ports.push((port("vipPortStart"), port("vipPortEnd")));
    }
    for balancer in change.find("LoadBalancerInventory", &[("vipUuid", vip)])? {
        let uuid = balancer.text("uuid").unwrap_or_default();
        for listener in change.find("LoadBalancerListenerInventory", &[("loadBalancerUuid", uuid)])? {
            // HTTP and HTTPS use TCP.
            let is_udp = listener.text("protocol").is_some_and(|text| text.eq_ignore_ascii_case("udp"));
            if is_udp == (protocol == "UDP") {
                ports.extend(listener.get("loadBalancerPort").as_integer().map(|port| (port, port)));
            }
        }
    }
    ports.sort_unstable();
    let ports: Vec<String> = ports.iter().map(|(first, last)| format!("{first}-{last}")).collect();
    Ok(json!({ "inventories": [{ "uuid": vip, "protocol": protocol, "usedPorts": ports }] }).to_string())
}

/// Moves a volume on the disks of a host to another host.
fn move_to_host(change: &Change<'_>) -> Result<String, Failure> {
    const REFERENCE: &str = "LocalStorageResourceRefInventory";
    let (volume, host) = (change.text("volumeUuid"), change.text("destHostUuid"));
    change.get(VOLUME, volume)?;
    change.get("HostInventory", host)?;
    let found = change.find(REFERENCE, &[("resourceUuid", volume)])?;
    let reference = found.first();
    let reference =
        reference.ok_or_else(|| Failure::refused(format!("the volume[uuid:{volume}] is on no local storage")))?;
    if reference.text("hostUuid") == Some(host) {
        return Err(Failure::refused(format!("the volume[uuid:{volume}] is on the host[uuid:{host}] already")));
    }
    change.tx.update_where(REFERENCE, &[("resourceUuid", Scalar::from(volume))], &Row::new().with("hostUuid", host))?;
    Ok(json!({ "inventory": {
        "resourceUuid": volume,
        "primaryStorageUuid": reference.text("primaryStorageUuid"),
        "hostUuid": host,
        "size": reference.get("size").as_integer(),
        "resourceType": reference.text("resourceType"),
    } })
    .to_string())
}

/// Moves the volumes of a virtual machine to another primary storage.
fn move_to_storage(change: &Change<'_>) -> Result<String, Failure> {
    let (vm, storage) = (change.text("vmInstanceUuid"), change.text("dstPrimaryStorageUuid"));
    let row = change.get(VM, vm)?;
    change.get("PrimaryStorageInventory", storage)?;
    let has_data = change.arguments.get("withDataVolumes").and_then(Value::as_bool) != Some(false);
    let mut volumes = change.find(VOLUME, &[("vmInstanceUuid", vm)])?;
    volumes.retain(|volume| {
        (has_data || volume.text("type") == Some("Root")) && volume.text("primaryStorageUuid") != Some(storage)
    });
    if volumes.is_empty() {
        return Err(Failure::refused(format!("the vm[uuid:{vm}] is on that primary storage already")));
    }
    let size = volumes.iter().filter_map(|volume| volume.get("size").as_integer()).sum();
    change.check_space("PrimaryStorageInventory", storage, size)?;
    for volume in &volumes {
        let uuid = volume.text("uuid").unwrap_or_default();
        change.update(VOLUME, uuid, Row::new().with("primaryStorageUuid", storage))?;
    }
    if let Some(host) = change.arguments.text("dstHostUuid").filter(|_| row.text("state") == Some("Running")) {
        change.get("HostInventory", host)?;
        let changes = Row::new().with("hostUuid", host).with("lastHostUuid", row.get("hostUuid").clone());
        change.update(VM, vm, changes)?;
    }
    change.reply(VM, vm)
}
