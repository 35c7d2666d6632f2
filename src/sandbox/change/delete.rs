//! Deleting resources, with cascades and references that become null.

use std::time::Instant;

use super::super::answer::Failure;
use super::super::checks;
use super::super::store::{Row, Scalar};
use super::{Change, subject};
use crate::catalog::{Api, Catalog};

/// Cascades: a resource, the inventory that is deleted with it, and the member that refers to it. Reference inventories
/// follow from the catalog and are not listed.
const GOES_WITH: [(&str, &str, &str); 67] = [
    ("ZoneInventory", "ClusterInventory", "zoneUuid"),
    ("ZoneInventory", "PrimaryStorageInventory", "zoneUuid"),
    ("ZoneInventory", "L2NetworkInventory", "zoneUuid"),
    ("ZoneInventory", "VmInstanceInventory", "zoneUuid"),
    ("ZoneInventory", "DirectoryInventory", "zoneUuid"),
    ("ZoneInventory", "VirtualRouterOfferingInventory", "zoneUuid"),
    ("ClusterInventory", "HostInventory", "clusterUuid"),
    ("ClusterInventory", "VmInstanceInventory", "clusterUuid"),
    ("ClusterInventory", "RemoteVtepInventory", "clusterUuid"),
    ("HostInventory", "PciDeviceInventory", "hostUuid"),
    ("HostInventory", "UsbDeviceInventory", "hostUuid"),
    ("HostInventory", "V2VConversionHostInventory", "hostUuid"),
    ("HostInventory", "VtepInventory", "hostUuid"),
    // With a root volume goes its virtual machine.
    ("VolumeInventory", "VmInstanceInventory", "rootVolumeUuid"),
    ("PrimaryStorageInventory", "VolumeInventory", "primaryStorageUuid"),
    ("PrimaryStorageInventory", "VolumeSnapshotInventory", "primaryStorageUuid"),
    ("PrimaryStorageInventory", "ImageCacheInventory", "primaryStorageUuid"),
    ("PrimaryStorageInventory", "CephPrimaryStorageMonInventory", "primaryStorageUuid"),
    ("PrimaryStorageInventory", "CephPrimaryStoragePoolInventory", "primaryStorageUuid"),
    ("PrimaryStorageInventory", "SharedBlockInventory", "sharedBlockGroupUuid"),
    ("ImageInventory", "VirtualRouterOfferingInventory", "imageUuid"),
    ("L2NetworkInventory", "L2VxlanNetworkInventory", "poolUuid"),
    ("L2NetworkInventory", "VniRangeInventory", "l2NetworkUuid"),
    ("L2NetworkInventory", "VtepInventory", "poolUuid"),
    ("L2NetworkInventory", "RemoteVtepInventory", "poolUuid"),
    ("L3NetworkInventory", "VirtualRouterOfferingInventory", "managementNetworkUuid"),
    ("L3NetworkInventory", "VirtualRouterOfferingInventory", "publicNetworkUuid"),
    ("L3NetworkInventory", "VmNicInventory", "l3NetworkUuid"),
    ("L3NetworkInventory", "VipInventory", "l3NetworkUuid"),
    ("L3NetworkInventory", "UsedIpInventory", "l3NetworkUuid"),
    ("L3NetworkInventory", "L3NetworkDnsInventory", "l3NetworkUuid"),
    ("L3NetworkInventory", "L3NetworkHostRouteInventory", "l3NetworkUuid"),
    ("BackupStorageInventory", "CephBackupStorageMonInventory", "backupStorageUuid"),
    ("L2NetworkInventory", "L3NetworkInventory", "l2NetworkUuid"),
    ("L3NetworkInventory", "IpRangeInventory", "l3NetworkUuid"),
    ("L3NetworkInventory", "ReservedIpRangeInventory", "l3NetworkUuid"),
    ("IpRangeInventory", "UsedIpInventory", "ipRangeUuid"),
    ("VipInventory", "EipInventory", "vipUuid"),
    ("VipInventory", "PortForwardingRuleInventory", "vipUuid"),
    ("VipInventory", "LoadBalancerInventory", "vipUuid"),
    ("VipInventory", "IPsecConnectionInventory", "vipUuid"),
    ("VipInventory", "LoadBalancerInventory", "ipv6VipUuid"),
    ("LoadBalancerInventory", "LoadBalancerListenerInventory", "loadBalancerUuid"),
    ("LoadBalancerInventory", "LoadBalancerServerGroupInventory", "loadBalancerUuid"),
    ("SecurityGroupInventory", "SecurityGroupRuleInventory", "securityGroupUuid"),
    ("SecurityGroupInventory", "SecurityGroupRuleInventory", "remoteSecurityGroupUuid"),
    ("VmInstanceInventory", "VmNicInventory", "vmInstanceUuid"),
    ("VmInstanceInventory", "VirtualRouterVipInventory", "virtualRouterVmUuid"),
    ("VmInstanceInventory", "VpcRouterDnsInventory", "vpcRouterUuid"),
    ("VmInstanceInventory", "VmCdRomInventory", "vmInstanceUuid"),
    ("VmInstanceInventory", "VolumeSnapshotGroupInventory", "vmInstanceUuid"),
    ("VmNicInventory", "UsedIpInventory", "vmNicUuid"),
    ("VolumeInventory", "VolumeSnapshotInventory", "volumeUuid"),
    ("VolumeInventory", "VolumeSnapshotTreeInventory", "volumeUuid"),
    // A snapshot holds what changed after its parent, so its descendants go with it.
    ("VolumeSnapshotInventory", "VolumeSnapshotInventory", "parentUuid"),
    ("TagPatternInventory", "UserTagInventory", "tagPatternUuid"),
    ("AccountInventory", "UserInventory", "accountUuid"),
    ("AccountInventory", "UserGroupInventory", "accountUuid"),
    ("AccountInventory", "PolicyInventory", "accountUuid"),
    ("AccountInventory", "QuotaInventory", "identityUuid"),
    ("AlarmInventory", "AlarmActionInventory", "alarmUuid"),
    ("AlarmInventory", "AutoScalingRuleAlarmTriggerInventory", "alarmUuid"),
    ("SchedulerJobInventory", "AutoScalingRuleSchedulerJobTriggerInventory", "schedulerJobUuid"),
    ("AutoScalingGroupInventory", "AutoScalingRuleInventory", "scalingGroupUuid"),
    ("AutoScalingGroupInventory", "AutoScalingGroupActivityInventory", "scalingGroupUuid"),
    ("AutoScalingGroupInventory", "AutoScalingGroupInstanceInventory", "scalingGroupUuid"),
    ("AutoScalingRuleInventory", "AutoScalingRuleTriggerInventory", "ruleUuid"),
];

/// Members that become null with the reference to a deleted resource, which itself becomes null in any case.
const LETS_GO: [(&str, &str, &str, &[&str]); 4] = [
    ("VmNicInventory", "EipInventory", "vmNicUuid", &["guestIp"]),
    ("VmNicInventory", "PortForwardingRuleInventory", "vmNicUuid", &["guestIp"]),
    ("EipInventory", "VipInventory", "", &["useFor", "serviceProvider"]),
    ("VmInstanceInventory", "VolumeInventory", "vmInstanceUuid", &["deviceId"]),
];

/// Resources with very many others below them, which are deleted one by one.
const HOLDERS: [&str; 5] =
    ["ClusterInventory", "IpRangeInventory", "L2NetworkInventory", "L3NetworkInventory", "PrimaryStorageInventory"];

/// The number of resources that are deleted together. With fewer, more pages are written more often.
const BATCH: usize = 4000;

/// The parameter with the uuid of the resource that an API deletes, and its inventory.
pub(super) fn deleted(catalog: Catalog, api: &Api) -> Option<(&'static str, &'static str)> {
    if !api.name.starts_with("Delete") || subject::is_elsewhere(api) {
        return None;
    }
    let (parameter, inventory) = subject::subject(catalog, api)?;
    // `DeleteVmHostname` has the uuid of a virtual machine and deletes only its host name.
    let noun = api.name.trim_start_matches("Delete");
    let kind = inventory.strip_suffix("Inventory")?;
    (noun.ends_with(kind) || kind.ends_with(noun)).then_some((parameter, inventory))
}

/// Fails if the deletion would fail, without trying it: a zone can have very many resources.
pub(super) fn check(change: &Change<'_>) -> Result<(), Failure> {
    let (parameter, inventory) =
        deleted(change.catalog, change.api).ok_or_else(|| Failure::not_simulated(change.api.name))?;
    match change.tx.get(inventory, change.text(parameter))? {
        Some(row) if change.text("deleteMode") != "Enforcing" => change.check_deletable(inventory, &row),
        Some(row) if row.text("type") == Some("SystemAdmin") => change.check_deletable(inventory, &row),
        Some(_) => Ok(()),
        None => {
            let forgiven = change.api.parameter(parameter).is_some_and(|it| checks::forgives_absence(change.api, it));
            if forgiven { Ok(()) } else { change.get(inventory, change.text(parameter)).map(|_| ()) }
        }
    }
}

/// Deletes what goes with the resource until a point in time. Returns whether only the resource is left.
pub(super) fn run_part(change: &Change<'_>, until: Instant) -> Result<bool, Failure> {
    let (parameter, inventory) =
        deleted(change.catalog, change.api).ok_or_else(|| Failure::not_simulated(change.api.name))?;
    check(change)?;
    let uuid = change.text(parameter);
    if change.is_recoverable(inventory)? || change.tx.get(inventory, uuid)?.is_none() {
        return Ok(true);
    }
    change.delete_dependents(inventory, uuid, until)
}

/// The inventories that are deleted with a kind of resource, and the member that refers to it: virtual machines first,
/// so that they are not moved from hosts that are deleted too.
fn cascades(root: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let all = || GOES_WITH.iter().filter(move |(parent, ..)| *parent == root).map(|(_, child, field)| (*child, *field));
    let is_first = |(child, _): &(&str, &str)| *child == "VmInstanceInventory";
    all().filter(is_first).chain(all().filter(move |child| !is_first(child)))
}

/// Deletes the resource. Deleting one that does not exist succeeds (J10).
pub(super) fn run(change: &Change<'_>) -> Result<String, Failure> {
    let (parameter, inventory) =
        deleted(change.catalog, change.api).ok_or_else(|| Failure::not_simulated(change.api.name))?;
    check(change)?;
    let uuid = change.text(parameter);
    let Some(row) = change.tx.get(inventory, uuid)? else { return Ok("{}".to_owned()) };
    if change.is_recoverable(inventory)? {
        change.mark_deleted(inventory, &row)?;
    } else {
        change.delete_tree(inventory, uuid)?;
    }
    change.reply_without(inventory, uuid)
}

impl Change<'_> {
    /// Fails for resources that a node deletes only if forced (P5).
    fn check_deletable(&self, inventory: &str, row: &Row) -> Result<(), Failure> {
        let uuid = row.text("uuid").unwrap_or_default();
        match inventory {
            "PrimaryStorageInventory" => {
                let clusters = self.find("PrimaryStorageClusterRefInventory", &[("primaryStorageUuid", uuid)])?;
                if let Some(cluster) = clusters.first().and_then(|reference| reference.text("clusterUuid")) {
                    return Err(Failure::new("SYS.1004", format!("cannot delete the primary storage[uuid:{uuid}]"))
                        .because(Failure::refused(format!("it is still attached to the cluster[uuid:{cluster}]"))));
                }
            }
            "VolumeInventory" if row.text("type") == Some("Root") => {
                return Err(Failure::refused(format!("the volume[uuid:{uuid}] is a root volume, it goes with its vm")));
            }
            "AccountInventory" if row.text("type") == Some("SystemAdmin") => {
                return Err(Failure::refused("the administrator's account cannot be deleted"));
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether the deletion policy of a kind of resource says that nothing is left to recover or expunge.
    pub(super) fn is_deleted_directly(&self, category: &str) -> Result<bool, Failure> {
        Ok(self.config(category, "deletionPolicy")?.as_deref() == Some("Direct"))
    }

    /// Whether deleted resources of a kind keep their row until they are expunged.
    fn is_recoverable(&self, inventory: &str) -> Result<bool, Failure> {
        Ok(match inventory {
            "ImageInventory" => !self.is_deleted_directly("image")?,
            "VolumeInventory" => !self.is_deleted_directly("volume")?,
            _ => false,
        })
    }

    /// Marks an image or volume as deleted, so that it can be recovered or expunged.
    fn mark_deleted(&self, inventory: &str, row: &Row) -> Result<(), Failure> {
        let uuid = row.text("uuid").unwrap_or_default();
        let mut changes = Row::new().with("status", "Deleted");
        if inventory == "VolumeInventory" {
            changes.set("vmInstanceUuid", Scalar::Null);
            changes.set("deviceId", Scalar::Null);
        } else {
            let status = Row::new().with("status", "Deleted");
            self.tx.update_where("ImageBackupStorageRefInventory", &[("imageUuid", Scalar::from(uuid))], &status)?;
        }
        self.update(inventory, uuid, changes)
    }

    /// Deletes a resource with its cascades, tags and ownership.
    pub(super) fn delete_tree(&self, inventory: &str, uuid: &str) -> Result<(), Failure> {
        self.delete_trees(inventory, &[uuid.to_owned()])
    }

    /// Deletes resources of one kind with their cascades, tags and ownership, in few statements for any number.
    pub(super) fn delete_trees(&self, inventory: &str, uuids: &[String]) -> Result<(), Failure> {
        if uuids.is_empty() {
            return Ok(());
        }
        let root = self.root(inventory);
        let among =
            |inventory: &str, member: &str, field: &str| self.tx.texts_among(inventory, member, (field, uuids), &[]);
        match root.as_str() {
            "VmInstanceInventory" => {
                let of_vms = ("vmInstanceUuid", uuids);
                let volumes = self.tx.texts_among("VolumeInventory", "uuid", of_vms, &[("type", "Root")])?;
                // A virtual machine goes with its root volume: if its row did not go first, each would look for the
                // other without end.
                self.tx.delete_among(&root, ("uuid", uuids))?;
                self.delete_trees("VolumeInventory", &volumes)?;
            }
            "IpRangeInventory" => {
                for uuid in uuids {
                    for (inventory, found) in self.with_addresses_of(uuid)? {
                        self.delete_trees(inventory, &found)?;
                    }
                }
            }
            "HostInventory" => {
                for uuid in uuids {
                    self.empty_host(uuid, None)?;
                }
            }
            "AccountInventory" => {
                for resource in among("AccountResourceRefInventory", "resourceUuid", "accountUuid")? {
                    if let Some(kind) = self.tx.kind_of(&resource)? {
                        self.delete_tree(&kind, &resource)?;
                    }
                }
            }
            "IAM2ProjectInventory" => {
                let accounts = among("IAM2ProjectAccountRefInventory", "accountUuid", "projectUuid")?;
                self.delete_trees("AccountInventory", &accounts)?;
            }
            "VolumeSnapshotGroupInventory" => {
                let snapshots =
                    among("VolumeSnapshotGroupRefInventory", "volumeSnapshotUuid", "volumeSnapshotGroupUuid")?;
                self.delete_trees("VolumeSnapshotInventory", &snapshots)?;
            }
            _ => {}
        }
        for (child, field) in cascades(&root) {
            if subject::has_field(self.tx, child, "uuid") {
                self.delete_trees(child, &among(child, "uuid", field)?)?;
            } else {
                self.tx.delete_among(child, (field, uuids))?;
            }
        }
        for (_, other, field, members) in LETS_GO.iter().filter(|(parent, ..)| *parent == root) {
            let own;
            let (field, keys) = if field.is_empty() {
                own = among(&root, "vipUuid", "uuid")?;
                ("uuid", own.as_slice())
            } else {
                (*field, uuids)
            };
            let mut changes = Row::new();
            for member in *members {
                changes.set(member, Scalar::Null);
            }
            self.tx.update_among(other, (field, keys), &changes)?;
        }
        for of_resources in ["UserTagInventory", "SystemTagInventory", "AccountResourceRefInventory"] {
            self.tx.delete_among(of_resources, ("resourceUuid", uuids))?;
        }
        let rows = self.rows_to_tidy(&root, uuids)?;
        self.tx.delete_among(&root, ("uuid", uuids))?;
        self.release(&root, uuids)?;
        self.leave_lists(&root, uuids)?;
        self.tidy(&root, &rows)
    }

    /// Deletes what goes with a resource, until a point in time. Returns whether nothing is left but the resource.
    fn delete_dependents(&self, inventory: &str, uuid: &str, until: Instant) -> Result<bool, Failure> {
        let root = self.root(inventory);
        if root == "HostInventory" {
            return self.empty_host(uuid, Some(until));
        }
        if root == "IpRangeInventory" {
            for (child, children) in self.with_addresses_of(uuid)? {
                if !self.delete_in_batches(child, children, until)? {
                    return Ok(false);
                }
            }
        }
        for (child, field) in cascades(&root).filter(|(child, _)| subject::has_field(self.tx, child, "uuid")) {
            let children = self.tx.texts_among(child, "uuid", (field, &[uuid.to_owned()]), &[])?;
            if !self.delete_in_batches(child, children, until)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Deletes resources of one kind until a point in time. Returns whether none is left.
    fn delete_in_batches(&self, inventory: &str, mut uuids: Vec<String>, until: Instant) -> Result<bool, Failure> {
        let is_holder = HOLDERS.contains(&self.root(inventory).as_str());
        // In their order, neighbours are in the same pages of most indexes.
        uuids.sort_unstable();
        for batch in uuids.chunks(BATCH) {
            if is_holder {
                for uuid in batch {
                    if !self.delete_dependents(inventory, uuid, until)? {
                        return Ok(false);
                    }
                }
            }
            self.delete_trees(inventory, batch)?;
            if Instant::now() >= until {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The reply of a deletion, which may have the remaining inventory.
    fn reply_without(&self, inventory: &str, uuid: &str) -> Result<String, Failure> {
        match subject::result_inventory(self.catalog, self.api) {
            Some(result) if self.root(result) == self.root(inventory) && self.tx.get(inventory, uuid)?.is_some() => {
                self.reply(inventory, uuid)
            }
            _ => Ok("{}".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_name_members_of_the_catalog() {
        let catalog = Catalog::newest();
        let member = |inventory: &str, field: &str| {
            catalog.inventory(inventory).is_some_and(|inventory| inventory.field(field).is_some())
        };
        for (parent, child, field) in GOES_WITH {
            assert!(catalog.inventory(parent).is_some(), "{parent}");
            assert!(member(child, field), "{child}.{field}");
        }
        for (parent, other, field, members) in LETS_GO {
            assert!(catalog.inventory(parent).is_some(), "{parent}");
            assert!(field.is_empty() || member(other, field), "{other}.{field}");
            assert!(members.iter().all(|name| member(other, name)), "{other}");
        }
    }
}
