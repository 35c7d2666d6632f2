//! Which members of which inventories refer to a kind of resource.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::OnceLock;

use super::model::{InventoryModel, Kind, Model, Relation, base};
use crate::catalog::Catalog;

/// A member that holds the uuid of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reference {
    /// The general inventory of its table, or the special one that has it.
    pub(crate) inventory: &'static str,
    /// Its name.
    pub(crate) member: &'static str,
    /// Whether the row is nothing but a reference.
    pub(crate) is_row: bool,
}

/// Members whose names and relations do not tell what they refer to.
const TOLD: [(&str, (&str, &str)); 11] = [
    ("VolumeSnapshotInventory", ("VolumeSnapshotInventory", "parentUuid")),
    ("VolumeSnapshotGroupInventory", ("VolumeSnapshotInventory", "groupUuid")),
    ("AccountInventory", ("QuotaInventory", "identityUuid")),
    ("UserGroupInventory", ("UserGroupPolicyRefInventory", "groupUuid")),
    ("UserGroupInventory", ("UserGroupUserRefInventory", "groupUuid")),
    ("PrimaryStorageInventory", ("SharedBlockInventory", "sharedBlockGroupUuid")),
    ("AutoScalingGroupInventory", ("AutoScalingRuleInventory", "scalingGroupUuid")),
    ("AutoScalingRuleInventory", ("AutoScalingRuleTriggerInventory", "ruleUuid")),
    ("IAM2ProjectInventory", ("IAM2ProjectAccountRefInventory", "projectUuid")),
    ("IAM2ProjectInventory", ("IAM2VirtualIDGroupInventory", "projectUuid")),
    ("VmInstanceInventory", ("VpcRouterDnsInventory", "vpcRouterUuid")),
];

/// The members that refer to a general inventory by its uuid: by the relations of the catalog, or by their name,
/// `lastHostUuid`.
pub(crate) fn references_to(root: &str) -> &'static [Reference] {
    static REFERENCES: OnceLock<HashMap<&'static str, Vec<Reference>>> = OnceLock::new();
    REFERENCES.get_or_init(find).get(root).map_or(&[], Vec::as_slice)
}

/// Whether a member refers to resources of any kind. Tags, ownership and shares do, and are removed with each resource.
fn is_of_any_kind(member: &str) -> bool {
    member.ends_with("esourceUuid")
}

fn find() -> HashMap<&'static str, Vec<Reference>> {
    let model = Model::new(Catalog::newest());
    let names = || model.catalog().inventory_names();
    let reference = |shape: &InventoryModel, member| {
        let is_of_all = model.shape(shape.root).is_some_and(|root| root.has_column(member));
        let inventory = if is_of_all { shape.root } else { shape.name };
        Reference { inventory, member, is_row: inventory.ends_with("RefInventory") || !shape.has_column("uuid") }
    };
    let mut found: BTreeMap<&'static str, BTreeSet<Reference>> = BTreeMap::new();
    let by_base: HashMap<&'static str, &'static str> = names().map(|name| (base(name), name)).collect();
    for shape in names().filter_map(|name| model.shape(name)) {
        for relation in shape.inventory.expanded.keys() {
            let Some(Relation::Join(join)) = model.relation(&shape, relation) else { continue };
            let Some(target) = model.shape(join.inventory) else { continue };
            let (from, member, to) = match (join.key, join.foreign) {
                ("uuid", foreign) => (&target, foreign, &shape),
                (key, "uuid") => (&shape, key, &target),
                _ => continue,
            };
            let is_uuid = from.member(member).is_some_and(|member| member.kind == Kind::Text) && member != "uuid";
            if is_uuid && !join.key_is_list && !is_of_any_kind(member) {
                found.entry(to.root).or_default().insert(reference(from, member));
            }
        }
        for member in shape.members.iter().filter(|member| member.kind == Kind::Text) {
            let Some(noun) = member.name.strip_suffix("Uuid").filter(|_| !is_of_any_kind(member.name)) else {
                continue;
            };
            // The longest end of the name that names an inventory: `VolumeSnapshot`, not `Snapshot`.
            let target = noun.char_indices().find_map(|(at, first)| {
                let is_start = at == 0 || first.is_ascii_uppercase();
                let end = first.to_ascii_uppercase().to_string() + noun.get(at + 1..)?;
                by_base.get(end.as_str()).filter(|_| is_start).copied()
            });
            if let Some(target) = target.and_then(|name| model.shape(name)).filter(|to| to.has_column("uuid")) {
                found.entry(target.root).or_default().insert(reference(&shape, member.name));
            }
        }
    }
    for (root, (inventory, member)) in TOLD {
        let shape = model.shape(inventory);
        found.entry(root).or_default().extend(shape.map(|shape| reference(&shape, member)));
    }
    found.into_iter().map(|(root, references)| (root, references.into_iter().collect())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relations_and_names_tell_what_refers_to_what() {
        let has = |root: &str, wanted: (&str, &str)| {
            references_to(root).iter().any(|found| (found.inventory, found.member) == wanted)
        };
        assert!(has("HostInventory", ("VmInstanceInventory", "lastHostUuid")));
        assert!(has("PrimaryStorageInventory", ("VolumeInventory", "primaryStorageUuid")));
        assert!(has("VipInventory", ("VipPeerL3NetworkRefInventory", "vipUuid")));
        assert!(has("VolumeSnapshotInventory", ("VolumeSnapshotInventory", "parentUuid")));
        assert!(!has("ZoneInventory", ("ZoneInventory", "uuid")));
        for (root, (inventory, member)) in TOLD {
            let catalog = Catalog::newest();
            assert!(catalog.inventory(root).is_some(), "{root}");
            assert!(catalog.inventory(inventory).is_some_and(|it| it.field(member).is_some()), "{inventory} {member}");
        }
    }
}
