//! Attaching and detaching: rows of reference inventories.

use super::super::answer::Failure;
use super::super::store::Scalar;
use super::update::decapitalised;
use super::{Change, subject};
use crate::catalog::{Api, Catalog};

/// A reference between two resources, and its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Relation {
    inventory: &'static str,
    /// A list parameter creates several rows.
    sides: Sides,
    attaches: bool,
}

/// Parameter and member of each side of a reference.
type Sides = [(&'static str, &'static str); 2];

/// References that cannot be derived from the parameters: the API, the reference, and its sides.
const TOLD: [(&str, &str, Sides); 14] = [
    ("AddActionToAlarm", "AlarmActionInventory", [ALARM, ("actionUuid", "actionUuid")]),
    ("AddHostRouteToL3Network", "L3NetworkHostRouteInventory", [NETWORK, ("prefix", "prefix")]),
    ("AddSchedulerJobToSchedulerTrigger", "SchedulerJobSchedulerTriggerInventory", [JOB, TRIGGER]),
    ("AddUserToGroup", "UserGroupUserRefInventory", [("userUuid", "userUuid"), GROUP]),
    ("AddVmToAffinityGroup", "AffinityGroupUsageInventory", [AFFINITY_GROUP, ("uuid", "resourceUuid")]),
    ("AttachPolicyToUserGroup", "UserGroupPolicyRefInventory", [("policyUuid", "policyUuid"), GROUP]),
    ("AttachSshKeyPairToVmInstance", "SshKeyPairRefInventory", [KEY_PAIR, ("vmInstanceUuid", "resourceUuid")]),
    ("DetachPolicyFromUserGroup", "UserGroupPolicyRefInventory", [("policyUuid", "policyUuid"), GROUP]),
    ("DetachSshKeyPairFromVmInstance", "SshKeyPairRefInventory", [KEY_PAIR, ("vmInstanceUuid", "resourceUuid")]),
    ("RemoveActionFromAlarm", "AlarmActionInventory", [ALARM, ("actionUuid", "actionUuid")]),
    ("RemoveHostRouteFromL3Network", "L3NetworkHostRouteInventory", [NETWORK, ("prefix", "prefix")]),
    ("RemoveSchedulerJobFromSchedulerTrigger", "SchedulerJobSchedulerTriggerInventory", [JOB, TRIGGER]),
    ("RemoveUserFromGroup", "UserGroupUserRefInventory", [("userUuid", "userUuid"), GROUP]),
    ("RemoveVmFromAffinityGroup", "AffinityGroupUsageInventory", [AFFINITY_GROUP, ("uuid", "resourceUuid")]),
];

const AFFINITY_GROUP: (&str, &str) = ("affinityGroupUuid", "affinityGroupUuid");
const ALARM: (&str, &str) = ("alarmUuid", "alarmUuid");
const GROUP: (&str, &str) = ("groupUuid", "groupUuid");
const JOB: (&str, &str) = ("schedulerJobUuid", "schedulerJobUuid");
const KEY_PAIR: (&str, &str) = ("sshKeyPairUuid", "sshKeyPairUuid");
const NETWORK: (&str, &str) = ("l3NetworkUuid", "l3NetworkUuid");
const TRIGGER: (&str, &str) = ("schedulerTriggerUuid", "schedulerTriggerUuid");

/// APIs whose names look like attachments but are not.
const NONE: [&str; 2] = ["AttachVmNicToVm", "DeleteExportedImageFromBackupStorage"];

/// The reference that an API adds or removes: the one with members for both uuids.
pub(super) fn relation(catalog: Catalog, api: &Api) -> Option<Relation> {
    if subject::is_elsewhere(api) || NONE.contains(&api.name) {
        return None;
    }
    let attaches = match api.name {
        name if name.starts_with("Attach") => true,
        name if name.starts_with("Add") && name.contains("To") => true,
        name if name.starts_with("Detach") => false,
        name if (name.starts_with("Remove") || name.starts_with("Delete")) && name.contains("From") => false,
        _ => return None,
    };
    if let Some((_, inventory, sides)) = TOLD.iter().find(|(name, ..)| *name == api.name) {
        return Some(Relation { inventory, sides: *sides, attaches });
    }
    let mut sides =
        api.parameters.iter().filter(|parameter| parameter.required && parameter.resource.is_some()).map(|parameter| {
            // `vmNicUuids` is stored as `vmNicUuid`, and `uuid` of a zone as `zoneUuid`.
            let kind = parameter.resource.map(|kind| decapitalised(kind) + "Uuid").unwrap_or_default();
            let field = if parameter.name == "uuid" { kind } else { parameter.name.trim_end_matches('s').to_owned() };
            (parameter.name, field)
        });
    let (Some(left), Some(right), None) = (sides.next(), sides.next(), sides.next()) else { return None };
    catalog.inventory_names().filter(|name| name.ends_with("RefInventory")).find_map(|name| {
        let inventory = catalog.inventory(name)?;
        let member = |side: &(&'static str, String)| Some((side.0, inventory.field(&side.1)?.name));
        Some(Relation { inventory: inventory.name, sides: [member(&left)?, member(&right)?], attaches })
    })
}

/// Adds or removes the rows.
pub(super) fn run(change: &Change<'_>) -> Result<String, Failure> {
    let relation = relation(change.catalog, change.api).ok_or_else(|| Failure::not_simulated(change.api.name))?;
    let [left, right] = relation.sides;
    for left_uuid in change.side(left.0) {
        for right_uuid in change.side(right.0) {
            let condition = [(left.1, Scalar::from(left_uuid)), (right.1, Scalar::from(right_uuid))];
            let exists = !change.tx.find_where(relation.inventory, &condition)?.is_empty();
            let names = format!("{}[{left_uuid}] and {}[{right_uuid}]", left.1, right.1);
            match (relation.attaches, exists) {
                (true, true) => return Err(Failure::refused(format!("{names} are attached already"))),
                (false, false) => return Err(Failure::refused(format!("{names} are not attached"))),
                (true, false) => {
                    // Other members, such as the next hop of a route, have parameters of the same names.
                    let mut row = change.members(relation.inventory)?;
                    row.set(left.1, left_uuid);
                    row.set(right.1, right_uuid);
                    if subject::has_field(change.tx, relation.inventory, "resourceType") {
                        let kind = change.tx.kind_of(right_uuid)?.unwrap_or_default();
                        row.set("resourceType", change.resource_type(&kind));
                    }
                    if subject::has_field(change.tx, relation.inventory, "uuid") {
                        row.set("uuid", super::super::ledger::new_uuid());
                    }
                    for date in ["createDate", "lastOpDate"] {
                        if subject::has_field(change.tx, relation.inventory, date) {
                            row.set(date, change.now.to_stored());
                        }
                    }
                    change.tx.insert(relation.inventory, &row)?;
                }
                (false, true) => {
                    change.tx.delete_where(relation.inventory, &condition)?;
                }
            }
        }
    }
    change.reply_of_either(&relation)
}

impl Change<'_> {
    /// The uuids of a parameter: one, or a list.
    fn side(&self, parameter: &str) -> Vec<&str> {
        self.arguments.text(parameter).into_iter().chain(self.arguments.texts(parameter)).collect()
    }

    /// The reply, with the inventory that the catalog names.
    fn reply_of_either(&self, relation: &Relation) -> Result<String, Failure> {
        let Some(result) = subject::result_inventory(self.catalog, self.api) else { return Ok("{}".to_owned()) };
        if result == relation.inventory {
            let sides = relation.sides.map(|(parameter, member)| (member, self.text(parameter)));
            let row = self.find(result, &sides)?.into_iter().next().unwrap_or_default();
            return self.reply(result, row.text("uuid").unwrap_or_default());
        }
        for (parameter, _) in relation.sides {
            let described = self.api.parameter(parameter);
            let by_reference = || described?.reference?.strip_prefix("Query");
            let kind = described.and_then(|parameter| parameter.resource).or_else(by_reference).unwrap_or_default();
            if self.resource_type(&format!("{kind}Inventory")) == self.resource_type(result) {
                return self.reply(result, self.text(parameter));
            }
        }
        Ok("{}".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(api: &str) -> Option<(&'static str, [&'static str; 2], bool)> {
        let catalog = Catalog::newest();
        let api = catalog.api(api).expect("an API of the catalog");
        relation(catalog, &api).map(|found| (found.inventory, [found.sides[0].1, found.sides[1].1], found.attaches))
    }

    #[test]
    fn references_follow_from_the_parameters() {
        for (api, inventory, sides, attaches) in [
            ("AttachBackupStorageToZone", "BackupStorageZoneRefInventory", ["zoneUuid", "backupStorageUuid"], true),
            ("DetachBackupStorageFromZone", "BackupStorageZoneRefInventory", ["backupStorageUuid", "zoneUuid"], false),
            (
                "AttachPrimaryStorageToCluster",
                "PrimaryStorageClusterRefInventory",
                ["clusterUuid", "primaryStorageUuid"],
                true,
            ),
            ("AttachL2NetworkToCluster", "L2NetworkClusterRefInventory", ["l2NetworkUuid", "clusterUuid"], true),
            (
                "AttachSecurityGroupToL3Network",
                "SecurityGroupL3NetworkRefInventory",
                ["securityGroupUuid", "l3NetworkUuid"],
                true,
            ),
            ("AddVmNicToSecurityGroup", "VmNicSecurityGroupRefInventory", ["securityGroupUuid", "vmNicUuid"], true),
            (
                "DeleteVmNicFromSecurityGroup",
                "VmNicSecurityGroupRefInventory",
                ["securityGroupUuid", "vmNicUuid"],
                false,
            ),
            ("AttachPolicyToUser", "UserPolicyRefInventory", ["userUuid", "policyUuid"], true),
            ("AddUserToGroup", "UserGroupUserRefInventory", ["userUuid", "groupUuid"], true),
            ("AddVmToAffinityGroup", "AffinityGroupUsageInventory", ["affinityGroupUuid", "resourceUuid"], true),
        ] {
            assert_eq!(found(api), Some((inventory, sides, attaches)), "{api}");
        }
        assert_eq!(found("AddDnsToL3Network"), None);
        assert_eq!(found("DeleteZone"), None);
    }
}
