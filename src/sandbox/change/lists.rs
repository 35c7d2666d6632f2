//! Lists of uuids that are members: what belongs together without rows of its own.

use serde_json::Value;

use super::super::answer::Failure;
use super::super::store::Row;
use super::Change;

/// The members that list resources: the listed kind, the inventory, its member.
pub(super) const LISTS: [(&str, &str, &str); 6] = [
    ("AutoScalingTemplateInventory", "AutoScalingGroupInventory", "attachedTemplates"),
    ("IAM2ProjectInventory", "IAM2VirtualIDInventory", "projectUuids"),
    ("IAM2VirtualIDInventory", "IAM2ProjectInventory", "virtualIDUuids"),
    ("L3NetworkInventory", "AutoScalingVmTemplateInventory", "l3NetworkUuids"),
    ("SchedulerJobInventory", "SchedulerTriggerInventory", "jobsUuid"),
    ("SchedulerTriggerInventory", "SchedulerJobInventory", "triggersUuid"),
];

/// A list of uuids as it is stored.
pub(in super::super) fn uuids(row: &Row, member: &str) -> Vec<String> {
    row.text(member).and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}

impl Change<'_> {
    /// Adds a uuid to a list, unless it has it; or removes it. Returns whether the list is different.
    pub(super) fn change_list(
        &self,
        (inventory, member): (&str, &str),
        of: &str,
        uuid: &str,
        adds: bool,
    ) -> Result<bool, Failure> {
        let mut list = uuids(&self.get(inventory, of)?, member);
        let has = list.iter().any(|listed| listed == uuid);
        if has == adds {
            return Ok(false);
        }
        if adds {
            list.push(uuid.to_owned());
        } else {
            list.retain(|listed| listed != uuid);
        }
        self.update(inventory, of, Row::new().with(member, Value::from(list).to_string()))?;
        Ok(true)
    }

    /// Removes deleted resources from the lists that have them.
    pub(super) fn leave_lists(&self, root: &str, deleted: &[String]) -> Result<(), Failure> {
        for (_, inventory, member) in LISTS.iter().filter(|(listed, ..)| *listed == root) {
            for row in self.find(inventory, &[])? {
                let of = row.text("uuid").unwrap_or_default();
                for uuid in uuids(&row, member).iter().filter(|uuid| deleted.contains(uuid)) {
                    self.change_list((inventory, member), of, uuid, false)?;
                }
            }
        }
        Ok(())
    }
}
