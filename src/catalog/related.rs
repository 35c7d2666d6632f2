//! What stands one relation away: fields, and the resources that belong to one.

use super::fields::TAG_FIELDS;
use super::index::Catalog;
use super::inventory::{Field, Inventory};
use super::{kinds, references};

/// Resources that belong to one, and how they are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Belonging {
    /// The query that lists them.
    pub(crate) query: &'static str,
    /// The description of its rows.
    pub(crate) inventory: &'static str,
    /// Their field or path that has the uuid of the one: `hostUuid`, `cluster.uuid`.
    pub(crate) field: String,
    /// The member of the one that holds them all, if one does.
    pub(crate) member: Option<&'static str>,
}

impl Catalog {
    /// The fields of the inventories that relations of `inventory` lead to, with their paths: `vmNics.ip` of a VM for a
    /// `wanted` that takes `ip`.
    pub(crate) fn related_fields(self, inventory: &Inventory, wanted: impl Fn(&str) -> bool) -> Vec<(String, Field)> {
        let mut found = Vec::new();
        for (relation, target, _) in inventory.relations() {
            let Some(target) = self.inventory(target) else { continue };
            let fields = target.comparable().filter(|field| wanted(field.name) && !TAG_FIELDS.contains(&field.name));
            found.extend(fields.map(|field| (format!("{relation}.{}", field.name), field.clone())));
        }
        found
    }

    /// The resources that belong to one of `inventory`, by its relations and by those that lead to it. Records of a
    /// relation itself, such as `L2NetworkClusterRefInventory`, are left out.
    pub(crate) fn belongings(self, inventory: &Inventory) -> Vec<Belonging> {
        let mut found: Vec<Belonging> = Vec::new();
        for (name, expanded) in &inventory.expanded {
            let Some(foreign_key) = expanded.foreign_key.filter(|foreign_key| *foreign_key != "uuid") else { continue };
            let Some(target) = self.inventory(expanded.inventory) else { continue };
            let is_kept = expanded.key == Some("uuid") && !expanded.hidden && !inventory.is_broken(name);
            if !is_kept || is_relation(&target) || target.field(foreign_key).is_none() {
                continue;
            }
            let member = inventory.field(name).map(|field| field.name);
            if let Some(query) = references::of_inventory(self, &target) {
                found.push(Belonging { query, inventory: target.name, field: foreign_key.to_owned(), member });
            }
        }
        let owners: Vec<&str> = inventory
            .expanded
            .values()
            .filter(|expanded| expanded.foreign_key == Some("uuid") && expanded.key != Some("uuid"))
            .map(|expanded| expanded.inventory)
            .collect();
        for other in self.mentioning(inventory.name).filter(|other| !is_relation(other) && other.parents.is_empty()) {
            let own = other.name.strip_suffix("Inventory").map(|stem| format!("Query{stem}"));
            let Some(query) = own.and_then(|query| Some(self.api(&query)?.name)) else { continue };
            let leads = |(name, target): (&&str, &str)| target == inventory.name && !other.is_broken(name);
            let keys = other.expanded.iter().filter(|(name, expanded)| leads((name, expanded.inventory)));
            // A volume has the VM that it is the root volume of as its owner already.
            let keys = keys.filter(|(_, expanded)| expanded.foreign_key == Some("uuid") && !expanded.hidden);
            for key in keys.filter_map(|(_, expanded)| expanded.key).filter(|_| !owners.contains(&other.name)) {
                let is_known = found.iter().any(|known| known.query == query && known.field == key);
                if !is_known && key != "uuid" && other.field(key).is_some() {
                    found.push(Belonging { query, inventory: other.name, field: key.to_owned(), member: None });
                }
            }
            let alias = other.aliases.iter().find(|(name, alias)| leads((name, alias.inventory)));
            if let Some((alias, _)) = alias.filter(|_| !found.iter().any(|known| known.query == query)) {
                let field = format!("{alias}.uuid");
                found.push(Belonging { query, inventory: other.name, field, member: None });
            }
        }
        found.sort_by_key(|belonging| kinds::place(belonging.inventory));
        found
    }
}

/// Whether the records only say that two resources are related.
fn is_relation(inventory: &Inventory) -> bool {
    inventory.name.ends_with("RefInventory")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_a_related_row_is_found() {
        let catalog = Catalog::newest();
        let vm = catalog.inventory("VmInstanceInventory").expect("it is known");
        let paths: Vec<String> = catalog.related_fields(&vm, |name| name == "ip").into_iter().map(|it| it.0).collect();
        assert_eq!(paths, ["vmNics.ip"]);
    }

    #[test]
    fn what_belongs_to_a_resource_is_found_by_relations_in_both_directions() {
        let catalog = Catalog::newest();
        let of = |inventory: &str| -> Vec<String> {
            let inventory = catalog.inventory(inventory).expect("it is known");
            catalog.belongings(&inventory).iter().map(|it| format!("{} {}", it.query, it.field)).collect()
        };
        assert_eq!(of("HostInventory"), ["QueryVmInstance hostUuid"]);
        assert_eq!(
            of("VmInstanceInventory"),
            ["QueryVmNic vmInstanceUuid", "QueryVolume vmInstanceUuid", "QueryVmCdRom vmInstanceUuid"]
        );
        assert_eq!(
            of("PrimaryStorageInventory"),
            [
                "QueryCluster primaryStorage.uuid",
                "QueryVolume primaryStorageUuid",
                "QueryVolumeSnapshot primaryStorageUuid"
            ]
        );
        assert_eq!(of("ImageInventory")[..2], ["QueryVmInstance imageUuid", "QueryVolume rootImageUuid"]);
        // The VM of a volume owns it.
        assert!(!of("VolumeInventory").iter().any(|found| found.starts_with("QueryVmInstance")));
    }
}
