//! Members and dependent records of new resources that do not come from parameters.

use super::super::answer::Failure;
use super::super::ledger::new_uuid;
use super::super::store::{Row, Scalar};
use super::{Change, sense};

/// Default members of new resources.
const MEMBERS: [(&str, &str, Default); 40] = [
    ("ZoneInventory", "type", Default::Text("zstack")),
    ("ClusterInventory", "type", Default::Text("zstack")),
    ("ClusterInventory", "hypervisorType", Default::Text("KVM")),
    ("ClusterInventory", "architecture", Default::Text("x86_64")),
    ("HostInventory", "hypervisorType", Default::Text("KVM")),
    ("HostInventory", "architecture", Default::Text("x86_64")),
    ("HostInventory", "totalCpuCapacity", Default::Number(320)),
    ("HostInventory", "availableCpuCapacity", Default::Number(320)),
    ("HostInventory", "cpuNum", Default::Number(32)),
    ("HostInventory", "cpuSockets", Default::Number(2)),
    ("HostInventory", "totalMemoryCapacity", Default::Number(128 << 30)),
    ("HostInventory", "availableMemoryCapacity", Default::Number(128 << 30)),
    ("HostInventory", "sshPort", Default::Number(22)),
    ("BackupStorageInventory", "totalCapacity", Default::Number(10 << 40)),
    ("BackupStorageInventory", "availableCapacity", Default::Number(10 << 40)),
    ("BackupStorageInventory", "sshPort", Default::Number(22)),
    ("PrimaryStorageInventory", "totalCapacity", Default::Number(10 << 40)),
    ("PrimaryStorageInventory", "availableCapacity", Default::Number(10 << 40)),
    ("PrimaryStorageInventory", "totalPhysicalCapacity", Default::Number(10 << 40)),
    ("PrimaryStorageInventory", "availablePhysicalCapacity", Default::Number(10 << 40)),
    ("PrimaryStorageInventory", "systemUsedCapacity", Default::Number(0)),
    ("ImageInventory", "type", Default::Text("zstack")),
    ("ImageInventory", "size", Default::Number(2 << 30)),
    ("ImageInventory", "actualSize", Default::Number(1 << 30)),
    ("ImageInventory", "mediaType", Default::Text("RootVolumeTemplate")),
    ("ImageInventory", "format", Default::Text("qcow2")),
    ("ImageInventory", "platform", Default::Text("Linux")),
    ("ImageInventory", "architecture", Default::Text("x86_64")),
    ("InstanceOfferingInventory", "type", Default::Text("UserVm")),
    ("InstanceOfferingInventory", "cpuSpeed", Default::Number(0)),
    ("InstanceOfferingInventory", "sortKey", Default::Number(0)),
    ("InstanceOfferingInventory", "allocatorStrategy", Default::Text("LeastVmPreferredHostAllocatorStrategy")),
    ("DiskOfferingInventory", "type", Default::Text("DefaultDiskOfferingType")),
    ("DiskOfferingInventory", "sortKey", Default::Number(0)),
    ("L2NetworkInventory", "vSwitchType", Default::Text("LinuxBridge")),
    ("L3NetworkInventory", "type", Default::Text("L3BasicNetwork")),
    ("L3NetworkInventory", "category", Default::Text("Private")),
    ("L3NetworkInventory", "ipVersion", Default::Number(4)),
    ("AccountInventory", "type", Default::Text("Normal")),
    ("TagPatternInventory", "type", Default::Text("simple")),
];

#[derive(Clone, Copy)]
enum Default {
    Text(&'static str),
    Number(i64),
}

/// The type in an API's name.
const TYPES: [(&str, &str); 21] = [
    ("AddImageStoreBackupStorage", "ImageStoreBackupStorage"),
    ("AddSftpBackupStorage", "SftpBackupStorage"),
    ("AddCephBackupStorage", "Ceph"),
    ("AddSimulatorBackupStorage", "SimulatorBackupStorage"),
    ("AddLocalPrimaryStorage", "LocalStorage"),
    ("AddNfsPrimaryStorage", "NFS"),
    ("AddCephPrimaryStorage", "Ceph"),
    ("AddSharedMountPointPrimaryStorage", "SharedMountPoint"),
    ("AddSharedBlockGroupPrimaryStorage", "SharedBlock"),
    ("AddSimulatorPrimaryStorage", "SimulatorPrimaryStorage"),
    ("CreateL2NoVlanNetwork", "L2NoVlanNetwork"),
    ("CreateL2VlanNetwork", "L2VlanNetwork"),
    ("CreateL2VxlanNetwork", "VxlanNetwork"),
    ("CreateL2VxlanNetworkPool", "VxlanNetworkPool"),
    ("CreateVirtualRouterOffering", "VirtualRouter"),
    ("CreateDataVolume", "Data"),
    ("CreateAutoScalingGroupAddingNewInstanceRule", "AddingNewInstance"),
    ("CreateAutoScalingGroupRemovalInstanceRule", "RemovalInstance"),
    ("CreateAutoScalingRuleAlarmTrigger", "Alarm"),
    ("CreateAutoScalingRuleSchedulerJobTrigger", "SchedulerJob"),
    ("CreateAutoScalingVmTemplate", "VmInstance"),
];

/// Completes the row of a new resource.
pub(super) fn before(change: &Change<'_>, inventory: &str, row: &mut Row) -> Result<(), Failure> {
    let root = change.root(inventory);
    let stored = change.tx.stored_fields(inventory)?;
    if let Some((_, kind)) = TYPES.iter().find(|(api, _)| *api == change.api.name) {
        row.set("type", *kind);
    }
    for (_, field, default) in MEMBERS.iter().filter(|(of, field, _)| *of == root && stored.contains(field)) {
        if row.get(field).is_null() {
            match default {
                Default::Text(text) => row.set(field, *text),
                Default::Number(number) => row.set(field, *number),
            }
        }
    }
    match root.as_str() {
        "L2NetworkInventory" => {
            let vlan = row.get("vlan").clone();
            row.set("virtualNetworkId", if vlan.is_null() { Scalar::Integer(0) } else { vlan });
        }
        "L3NetworkInventory"
            if row.get("enableIPAM") == &Scalar::Bool(false) && change.arguments.get("enableIPAM").is_none() =>
        {
            row.set("enableIPAM", true);
        }
        "IpRangeInventory" => fill_range(row),
        "VipInventory" => {
            let network = row.text("l3NetworkUuid").unwrap_or_default().to_owned();
            let address = change.free_address(&network, change.arguments.text("requiredIp"))?;
            row.set("ip", address.ip.as_str());
            row.set("gateway", address.range.get("gateway").clone());
            row.set("netmask", address.range.get("netmask").clone());
            row.set("system", false);
            change.use_address(&address, &network, None)?;
        }
        "EipInventory" | "PortForwardingRuleInventory" => {
            if let Some(vip) = change.referred("VipInventory", row, "vipUuid")? {
                row.set("vipIp", vip.get("ip").clone());
            }
            if let Some(nic) = change.referred("VmNicInventory", row, "vmNicUuid")? {
                row.set("guestIp", nic.get("ip").clone());
            }
        }
        "VolumeInventory" => fill_volume(change, row)?,
        "AccessKeyInventory" => {
            // The maximum length that callers may choose.
            for (field, length) in [("AccessKeyID", 20), ("AccessKeySecret", 40)] {
                if row.get(field).is_null() {
                    let random = new_uuid() + &new_uuid();
                    row.set(field, random.get(..length).unwrap_or_default());
                }
            }
        }
        "VmNicInventory" => {
            let network = row.text("l3NetworkUuid").unwrap_or_default().to_owned();
            let address = change.free_address(&network, change.arguments.text("ip"))?;
            let nic = row.text("uuid").unwrap_or_default().to_owned();
            change.use_address(&address, &network, Some(&nic))?;
            row.set("ip", address.ip.as_str());
            row.set("netmask", address.range.get("netmask").clone());
            row.set("gateway", address.range.get("gateway").clone());
            row.set("ipVersion", 4);
            row.set("mac", format!("fa:{}:{}:{}:{}:00", &nic[0..2], &nic[2..4], &nic[4..6], &nic[6..8]));
            row.set("type", "VNIC");
        }
        "BackupStorageInventory" | "PrimaryStorageInventory" => {
            if stored.contains(&"fsid") {
                row.set("fsid", uuid::Uuid::new_v4().to_string());
            }
            if row.get("url").is_null() {
                row.set("url", "not used");
            }
        }
        "AutoScalingRuleInventory" => row.set("scalingGroupUuid", change.text("autoScalingGroupUuid")),
        "AutoScalingRuleTriggerInventory" => {
            change.get("AutoScalingRuleInventory", row.text("ruleUuid").unwrap_or_default())?;
        }
        "LoadBalancerInventory" if row.get("type").is_null() => row.set("type", "Shared"),
        "UserTagInventory" => row.set("type", "User"),
        "SystemTagInventory" => row.set("type", "System"),
        _ => {}
    }
    sense::check(change, &root, row)?;
    check_unique(change, &root, row)
}

/// Creates the dependent records of a new resource.
pub(super) fn after(change: &Change<'_>, inventory: &str, row: &Row) -> Result<(), Failure> {
    let uuid = row.text("uuid").unwrap_or_default();
    match change.root(inventory).as_str() {
        "ImageInventory" => {
            for storage in change.arguments.texts("backupStorageUuids") {
                let size = row.get("actualSize").as_integer().unwrap_or_default();
                change.check_space("BackupStorageInventory", storage, size)?;
                let reference = Row::new()
                    .with("imageUuid", uuid)
                    .with("backupStorageUuid", storage)
                    .with("installPath", format!("zstore://{uuid}/image"))
                    .with("status", "Ready")
                    .with("createDate", change.now.to_stored())
                    .with("lastOpDate", change.now.to_stored());
                change.tx.insert("ImageBackupStorageRefInventory", &reference)?;
            }
        }
        "EipInventory" | "PortForwardingRuleInventory" => {
            let used_for = if inventory == "EipInventory" { "Eip" } else { "PortForwarding" };
            if let Some(vip) = row.text("vipUuid") {
                change.update("VipInventory", vip, Row::new().with("useFor", used_for))?;
            }
        }
        "AccountInventory" => change.add_quotas(uuid)?,
        "IAM2ProjectInventory" => change.add_project_account(row)?,
        "IAM2VirtualIDInventory" => {
            if let Some(project) = change.arguments.text("projectUuid") {
                change.change_member(project, uuid, true)?;
            }
        }
        "BackupStorageInventory" | "PrimaryStorageInventory" => change.add_monitors(uuid)?,
        "SecurityGroupInventory" => change.add_default_rules(uuid)?,
        _ => {}
    }
    Ok(())
}

fn fill_range(row: &mut Row) {
    use std::net::Ipv4Addr;
    if row.get("ipVersion").is_null() {
        row.set("ipVersion", if row.text("startIp").is_some_and(|ip| ip.contains(':')) { 6 } else { 4 });
    }
    let parse = |field: &str| row.text(field).and_then(|text| text.parse::<Ipv4Addr>().ok()).map(u32::from);
    if let (Some(start), Some(mask)) = (parse("startIp"), parse("netmask")) {
        let network = Ipv4Addr::from(start & mask);
        let cidr = format!("{network}/{}", mask.leading_ones());
        row.set("prefixLen", i64::from(mask.leading_ones()));
        if row.get("networkCidr").is_null() {
            row.set("networkCidr", cidr);
        }
    }
    if row.get("ipRangeType").is_null() {
        row.set("ipRangeType", "Normal");
    }
}

fn fill_volume(change: &Change<'_>, row: &mut Row) -> Result<(), Failure> {
    if change.api.name != "CreateDataVolume" {
        return Ok(());
    }
    let size = match change.referred("DiskOfferingInventory", row, "diskOfferingUuid")? {
        Some(offering) if offering.text("state") == Some("Disabled") => {
            return Err(Failure::refused("the disk offering is disabled"));
        }
        Some(offering) => offering.get("diskSize").as_integer(),
        None => change.arguments.integer("diskSize"),
    };
    let size =
        size.ok_or_else(|| Failure::argument("field[diskOfferingUuid] and field[diskSize] cannot both be null"))?;
    row.set("size", size);
    row.set("actualSize", 0);
    row.set("isShareable", change.arguments.texts("systemTags").contains(&"ephemeral::shareable"));
    if row.get("primaryStorageUuid").is_null() {
        // It is instantiated when it is first attached.
        row.set("status", "NotInstantiated");
    } else {
        change.check_space("PrimaryStorageInventory", row.text("primaryStorageUuid").unwrap_or_default(), size)?;
        row.set("format", "qcow2");
        let path = format!("/zstack_ps/volumes/{}.qcow2", row.text("uuid").unwrap_or_default());
        row.set("installPath", path);
    }
    Ok(())
}

/// Fails if the name or address of an account, user or host is taken.
fn check_unique(change: &Change<'_>, root: &str, row: &Row) -> Result<(), Failure> {
    let fields: &[&str] = match root {
        "AccountInventory" | "IAM2ProjectInventory" | "IAM2VirtualIDInventory" => &["name"],
        "UserInventory" => &["accountUuid", "name"],
        "HostInventory" => &["managementIp"],
        "EipInventory" => &["vipUuid"],
        _ => return Ok(()),
    };
    let condition: Vec<_> = fields.iter().map(|field| (*field, row.get(field).clone())).collect();
    if condition.iter().any(|(_, value)| value.is_null()) || change.tx.find_where(root, &condition)?.is_empty() {
        return Ok(());
    }
    let last = fields.last().copied().unwrap_or_default();
    let kind = root.trim_end_matches("Inventory");
    Err(Failure::argument(format!(
        "field[{last}] is not unique: there is a {kind} with the {last} {}",
        row.text(last).unwrap_or_default()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn the_tables_name_members_and_apis_of_the_catalog() {
        let catalog = Catalog::newest();
        for (inventory, field, _) in MEMBERS {
            let has = |name: &str| catalog.inventory(name).is_some_and(|inventory| inventory.field(field).is_some());
            // Members such as `sshPort` are of specialised inventories.
            let known = has(inventory)
                || catalog.inventory_names().any(|name| name.ends_with(inventory) && has(name))
                || field == "sshPort";
            assert!(known, "{inventory}.{field}");
        }
        for (api, _) in TYPES {
            assert!(catalog.api(api).is_some(), "{api}");
        }
    }
}
