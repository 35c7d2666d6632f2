//! How the catalog's inventories are mapped to tables: families, columns and joins.
//!
//! An inventory and its specialised ones form a family, which is stored in one table named after the general inventory.
//! Scalar members are columns; lists of inventories and of uuids are read from the table of their items; other lists
//! and maps are columns of JSON text.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::facts::facts;
use crate::catalog::{Catalog, Expanded, Field, Inventory, Type};

/// Specialised inventories without a general inventory in the catalog.
const ALSO_SPECIAL: [(&str, &str); 3] = [
    ("ExternalPrimaryStorageInventory", "PrimaryStorageInventory"),
    ("SimulatorHostInventory", "HostInventory"),
    ("VirtualRouterOfferingInventory", "InstanceOfferingInventory"),
];

/// Stored members that are neither printed nor queryable.
const HIDDEN: [(&str, &str); 9] = [
    ("AccountInventory", "password"),
    ("UserInventory", "password"),
    ("HostInventory", "password"),
    ("IAM2ProjectInventory", "virtualIDUuids"),
    ("IAM2VirtualIDInventory", "password"),
    ("IAM2VirtualIDInventory", "projectUuids"),
    ("BackupStorageInventory", "password"),
    ("VmInstanceInventory", "consolePassword"),
    ("LongJobInventory", "apiTimeout"),
];

/// Joins that neither keys nor names tell: the inventory and its member, the other inventory, the members that are equal.
/// A list has the value of the other.
const JOINS: [(&str, &str, &str, &str, &str); 4] = [
    ("AutoScalingRuleInventory", "ruleTriggers", "AutoScalingRuleTriggerInventory", "uuid", "ruleUuid"),
    ("IAM2ProjectInventory", "virtualIDs", "IAM2VirtualIDInventory", "virtualIDUuids", "uuid"),
    ("IAM2VirtualIDInventory", "projects", "IAM2ProjectInventory", "projectUuids", "uuid"),
    ("VpcRouterVmInventory", "dns", "VpcRouterDnsInventory", "uuid", "vpcRouterUuid"),
];

/// The join of `JOINS`.
fn told(owner: &Inventory, name: &str) -> Option<Join> {
    let (.., inventory, key, foreign) = *JOINS.iter().find(|(of, member, ..)| *of == owner.name && *member == name)?;
    Some(Join { inventory, key, key_is_list: key.ends_with("Uuids"), foreign })
}

/// How a member is stored.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// A column of text.
    Text,
    /// A column of whole numbers.
    Integer,
    /// A column of other numbers.
    Double,
    /// A column of 0 and 1.
    Bool,
    /// A column of dates in the stored form.
    Timestamp,
    /// A column of JSON text: a list or map without a table.
    Json,
    /// The members `value` of the joined rows: `attachedZoneUuids`.
    Values { join: Join, value: &'static str },
    /// The joined rows: `vmNics`; or the only one: `tagPattern`.
    Rows { join: Join, many: bool },
}

impl Kind {
    pub(crate) fn is_column(&self) -> bool {
        !matches!(self, Kind::Values { .. } | Kind::Rows { .. })
    }
}

/// A join of two inventories.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Join {
    /// The target.
    pub(crate) inventory: &'static str,
    /// The column of this inventory, and whether it is a JSON list of keys.
    pub(crate) key: &'static str,
    pub(crate) key_is_list: bool,
    /// The column of the other inventory.
    pub(crate) foreign: &'static str,
}

/// A member of an inventory in the store.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Whether `fields` may name it, if it is a column (Q20, R5).
    pub(crate) selectable: bool,
    /// Whether `sort` may name it, if it is a column (Q19, R5).
    pub(crate) sortable: bool,
    /// Whether it is 0 or false instead of absent when it was not requested (R4).
    pub(crate) primitive: bool,
    /// Whether the node is too old to have it.
    pub(crate) newer: bool,
    /// Whether it is a list of inventories: a relation, which conditions cannot compare (R6).
    pub(crate) relation: bool,
    /// Whether no condition may name it.
    pub(crate) unqueryable: bool,
}

/// An inventory in the store.
#[derive(Debug)]
pub(crate) struct InventoryModel {
    pub(crate) name: &'static str,
    /// The general inventory of its family.
    pub(crate) root: &'static str,
    /// The ancestors, nearest first.
    pub(crate) ancestors: Vec<&'static str>,
    pub(crate) inventory: Inventory,
    pub(crate) members: Vec<Member>,
}

impl InventoryModel {
    /// The family's table.
    pub(crate) fn table(&self) -> &'static str {
        base(self.root)
    }

    pub(crate) fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }

    /// Whether a member of that name is a column.
    pub(crate) fn has_column(&self, name: &str) -> bool {
        self.member(name).is_some_and(|member| member.kind.is_column())
    }

    pub(crate) fn hidden(&self) -> impl Iterator<Item = &'static str> {
        let root = self.root;
        HIDDEN.iter().filter(move |(inventory, _)| *inventory == root).map(|(_, name)| *name)
    }
}

/// The name of an inventory without `Inventory`.
pub(crate) fn base(inventory: &'static str) -> &'static str {
    inventory.strip_suffix("Inventory").unwrap_or(inventory)
}

/// `VmInstance` as the start of a member's name: `vmInstance`.
fn decapitalised(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}

/// The models of a catalog's inventories, computed on demand.
#[derive(Debug)]
pub(crate) struct Model {
    catalog: Catalog,
    shapes: Mutex<HashMap<&'static str, Arc<InventoryModel>>>,
    families: OnceLock<HashMap<&'static str, Vec<&'static str>>>,
}

impl Model {
    pub(crate) fn new(catalog: Catalog) -> Model {
        Model { catalog, shapes: Mutex::default(), families: OnceLock::new() }
    }

    pub(crate) fn catalog(&self) -> Catalog {
        self.catalog
    }

    /// The model of the inventory called exactly `name`.
    pub(crate) fn shape(&self, name: &str) -> Option<Arc<InventoryModel>> {
        if let Some(shape) = self.shapes.lock().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Some(Arc::clone(shape));
        }
        // Computed without the lock: a model needs the models of its ancestors.
        let shape = Arc::new(self.work_out(self.catalog.inventory(name)?));
        let mut shapes = self.shapes.lock().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(shapes.entry(shape.name).or_insert(shape)))
    }

    /// The inventories in the table of `root`, including `root`.
    pub(crate) fn family(&self, root: &'static str) -> Vec<&'static str> {
        let families = self.families.get_or_init(|| {
            let mut families: HashMap<&'static str, Vec<&'static str>> = HashMap::new();
            for name in self.catalog.inventory_names() {
                if let Some(inventory) = self.catalog.inventory(name) {
                    let root = self.ancestors(&inventory).last().copied().unwrap_or(inventory.name);
                    families.entry(root).or_default().push(inventory.name);
                }
            }
            families
        });
        families.get(root).cloned().unwrap_or_else(|| vec![root])
    }

    /// The inventory itself and those that specialise it.
    pub(crate) fn descendants(&self, shape: &InventoryModel) -> Vec<&'static str> {
        let mut found = self.family(shape.root);
        found.retain(|name| {
            *name == shape.name
                || self
                    .catalog
                    .inventory(name)
                    .is_some_and(|inventory| self.ancestors(&inventory).contains(&shape.name))
        });
        found
    }

    /// The special inventory that a condition `field=value` selects (Q14).
    pub(crate) fn specialised(&self, shape: &InventoryModel, field: &str, value: &str) -> Option<Arc<InventoryModel>> {
        let inventory = &shape.inventory;
        if !inventory.field(field)?.type_field {
            return None;
        }
        if let Some(special) = self.catalog.specialised(inventory, field, value) {
            return self.shape(special.name);
        }
        // For inventories known from the client side only, the value of the type field is unknown; by convention it is
        // the inventory's name.
        let special = self.shape(&format!("{value}Inventory"))?;
        special.ancestors.contains(&shape.name).then_some(special)
    }

    fn parent(&self, inventory: &Inventory) -> Option<&'static str> {
        if let Some(parent) = inventory.parents.first() {
            return Some(parent.inventory);
        }
        let also = ALSO_SPECIAL.iter().find(|(special, _)| *special == inventory.name).map(|(_, general)| *general);
        also.or_else(|| inventory.extends.filter(|name| self.catalog.inventory(name).is_some()))
    }

    fn ancestors(&self, inventory: &Inventory) -> Vec<&'static str> {
        let mut found = Vec::new();
        let mut next = self.parent(inventory);
        while let Some(name) = next {
            if found.contains(&name) {
                break;
            }
            found.push(name);
            next = self.catalog.inventory(name).and_then(|parent| self.parent(&parent));
        }
        found
    }

    fn work_out(&self, inventory: Inventory) -> InventoryModel {
        let ancestors = self.ancestors(&inventory);
        let root = ancestors.last().copied().unwrap_or(inventory.name);
        let lineage: Vec<Inventory> = ancestors.iter().filter_map(|name| self.catalog.inventory(name)).collect();
        let members = inventory
            .fields
            .iter()
            .map(|field| {
                // A member of the general inventory is stored as that inventory defines it, so that the column has one
                // type.
                let (owner, original) = lineage
                    .iter()
                    .rev()
                    .find_map(|ancestor| ancestor.field(field.name).map(|original| (ancestor, original)))
                    .unwrap_or((&inventory, field));
                Member {
                    name: field.name,
                    kind: self.kind(owner, original),
                    selectable: !inventory.unselectable.contains(&field.name),
                    sortable: !inventory.unsortable.contains(&field.name),
                    primitive: facts().is_primitive(root, field.name),
                    newer: self.catalog.lacks(field.since),
                    relation: self.is_relation(&original.kind),
                    unqueryable: field.unqueryable,
                }
            })
            .collect();
        InventoryModel { name: inventory.name, root, ancestors, inventory, members }
    }

    fn is_relation(&self, kind: &Type) -> bool {
        matches!(kind, Type::List(Some(element)) if matches!(&**element, Type::Named(name) if self.catalog.inventory(name).is_some()))
    }

    fn kind(&self, owner: &Inventory, field: &Field) -> Kind {
        match &field.kind {
            Type::String | Type::Any => Kind::Text,
            Type::Int | Type::Long => Kind::Integer,
            Type::Double => Kind::Double,
            Type::Bool => Kind::Bool,
            Type::Timestamp => Kind::Timestamp,
            Type::Map(_) => Kind::Json,
            Type::Named(name) => match self.catalog.inventory(name) {
                Some(target) => match self.join_of_member(owner, field.name, &target) {
                    Some(join) => Kind::Rows { join, many: false },
                    None => Kind::Json,
                },
                None if self.catalog.struct_fields(name).is_some() || *name == "ErrorCode" => Kind::Json,
                None => Kind::Text,
            },
            Type::List(Some(element)) => match **element {
                Type::Named(name) => {
                    let target = self.catalog.inventory(name);
                    let join = target.and_then(|target| self.join_of_member(owner, field.name, &target));
                    join.map_or(Kind::Json, |join| Kind::Rows { join, many: true })
                }
                Type::String => self.values(owner, field.name),
                _ => Kind::Json,
            },
            Type::List(None) => {
                let expanded = owner.expanded.get(field.name).and_then(|to| self.catalog.inventory(to.inventory));
                let join = expanded.and_then(|target| self.join_of_member(owner, field.name, &target));
                join.or_else(|| told(owner, field.name))
                    .map_or_else(|| self.values(owner, field.name), |join| Kind::Rows { join, many: true })
            }
        }
    }

    /// A list of uuids such as `attachedZoneUuids`, read from a reference inventory: `zoneUuid` of the target of a
    /// hidden expanded field.
    fn values(&self, owner: &Inventory, name: &str) -> Kind {
        let wanted = ["attached", "peer"]
            .iter()
            .find_map(|prefix| name.strip_prefix(prefix)?.strip_suffix("Uuids"))
            .map(|subject| format!("{}Uuid", decapitalised(subject)));
        let found = wanted.and_then(|wanted| {
            owner.expanded.values().find_map(|to| {
                let target = self.catalog.inventory(to.inventory)?;
                let value = target.field(&wanted)?.name;
                let join = self.join(owner, to, "")?;
                (base(target.name).ends_with("Ref") && join.key == "uuid").then_some(Kind::Values { join, value })
            })
        });
        found.unwrap_or(Kind::Json)
    }

    /// The join of a member that contains inventories.
    fn join_of_member(&self, owner: &Inventory, name: &str, target: &Inventory) -> Option<Join> {
        if let Some(expanded) = owner.expanded.get(name).filter(|to| to.inventory == target.name) {
            return self.join(owner, expanded, name);
        }
        let by_target = owner.expanded.values().find(|to| to.inventory == target.name);
        by_target.and_then(|to| self.join(owner, to, name)).or_else(|| self.guess(owner, target, name))
    }

    /// The join of an expanded field.
    fn join(&self, owner: &Inventory, expanded: &Expanded, name: &str) -> Option<Join> {
        let target = self.catalog.inventory(expanded.inventory)?;
        match (expanded.key, expanded.foreign_key) {
            (Some(key), Some(foreign)) => {
                // Some annotations of the server name columns that do not exist; these relations have no rows.
                let exist = owner.field(key).is_some() && target.field(foreign).is_some();
                exist.then_some(Join { inventory: target.name, key, key_is_list: false, foreign })
            }
            _ => self.guess(owner, &target, name),
        }
    }

    /// The join of a relation without known keys, derived from the names of members.
    fn guess(&self, owner: &Inventory, target: &Inventory, name: &str) -> Option<Join> {
        if let Some(join) = told(owner, name) {
            return Some(join);
        }
        let scalar = |inventory: &Inventory, name: &str| {
            inventory.field(name).filter(|field| field.kind.is_scalar()).map(|field| field.name)
        };
        let join = |key, foreign| Join { inventory: target.name, key, key_is_list: false, foreign };
        if let (Some(key), Some(foreign)) = (scalar(owner, &format!("{name}Uuid")), scalar(target, "uuid")) {
            return Some(join(key, foreign));
        }
        if let Some(uuid) = scalar(owner, "uuid") {
            let mut owners = vec![owner.name];
            owners.extend(self.ancestors(owner));
            for kind in owners {
                if let Some(foreign) = scalar(target, &format!("{}Uuid", decapitalised(base(kind)))) {
                    return Some(join(uuid, foreign));
                }
            }
            if target.name == "SystemTagInventory" {
                return scalar(target, "resourceUuid").map(|foreign| join(uuid, foreign));
            }
        }
        let foreign = scalar(target, "uuid")?;
        if let Some(key) = scalar(owner, &format!("{}Uuid", decapitalised(base(target.name)))) {
            return Some(join(key, foreign));
        }
        let list = [format!("{name}sUuid"), format!("{name}Uuids")];
        let key = owner.fields.iter().find(|field| list.iter().any(|list| list == field.name))?.name;
        Some(Join { inventory: target.name, key, key_is_list: true, foreign })
    }

    /// The joins of an expanded field or alias, in order. The outer `None` means that there is no such field, the inner
    /// one that its join is unknown.
    pub(crate) fn relation(&self, shape: &InventoryModel, name: &str) -> Option<Relation> {
        // Only fields of the inventory itself: the server's data repeats inherited ones.
        let since = shape.inventory.expanded.get(name).map(|expanded| expanded.since);
        let since = since.or_else(|| shape.inventory.aliases.contains_key(name).then_some(None))?;
        if self.catalog.lacks(since) {
            return None;
        }
        let lineage = shape.ancestors.iter().filter_map(|ancestor| self.catalog.inventory(ancestor));
        let lineage: Vec<Inventory> = std::iter::once(shape.inventory.clone()).chain(lineage).collect();
        let mut known = None;
        for owner in &lineage {
            if let Some(alias) = owner.aliases.get(name) {
                return Some(Relation::Alias { owner: owner.name, path: alias.path });
            }
            if let Some(expanded) = owner.expanded.get(name) {
                if let Some(join) = self.join(owner, expanded, name) {
                    return Some(Relation::Join(join));
                }
                // An ancestor may have the join that an old client's data lacks.
                known = known.or(Some(Relation::Nothing { inventory: expanded.inventory }));
            }
        }
        known
    }
}

/// The kind of an expanded field or alias.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Relation {
    /// A join to another inventory.
    Join(Join),
    /// A short name for a path of the inventory that defines it, this one or an ancestor.
    Alias { owner: &'static str, path: &'static str },
    /// A relation to another inventory without rows.
    Nothing { inventory: &'static str },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> Model {
        Model::new(Catalog::newest())
    }

    fn kind(inventory: &str, member: &str) -> Kind {
        let shape = model().shape(inventory).expect("the inventory exists");
        shape.member(member).expect("the member exists").kind.clone()
    }

    #[test]
    fn families_share_the_table_of_their_general_inventory() {
        let model = model();
        for (name, table) in [
            ("ZoneInventory", "Zone"),
            ("ImageStoreBackupStorageInventory", "BackupStorage"),
            ("VpcRouterVmInventory", "VmInstance"),
            ("KVMHostInventory", "Host"),
        ] {
            assert_eq!(model.shape(name).expect("the inventory exists").table(), table);
        }
        let storage = model.shape("BackupStorageInventory").expect("the inventory exists");
        assert!(model.descendants(&storage).contains(&"CephBackupStorageInventory"));
        let ceph = model.shape("CephBackupStorageInventory").expect("the inventory exists");
        assert_eq!(model.descendants(&ceph), ["CephBackupStorageInventory"]);
    }

    #[test]
    fn lists_are_read_through_the_tables_that_they_come_from() {
        let rows = |inventory, key, foreign| Kind::Rows {
            join: Join { inventory, key, key_is_list: false, foreign },
            many: true,
        };
        assert_eq!(kind("VmInstanceInventory", "vmNics"), rows("VmNicInventory", "uuid", "vmInstanceUuid"));
        assert_eq!(kind("L3NetworkInventory", "ipRanges"), rows("IpRangeInventory", "uuid", "l3NetworkUuid"));
        assert_eq!(kind("ImageInventory", "systemTags"), rows("SystemTagInventory", "uuid", "resourceUuid"));
        assert_eq!(
            kind("VolumeSnapshotGroupInventory", "volumeSnapshotRefs"),
            rows("VolumeSnapshotGroupRefInventory", "uuid", "volumeSnapshotGroupUuid")
        );
        assert_eq!(kind("L3NetworkInventory", "dns"), Kind::Json);
        for (inventory, member, value) in [
            ("BackupStorageInventory", "attachedZoneUuids", "zoneUuid"),
            ("ImageStoreBackupStorageInventory", "attachedZoneUuids", "zoneUuid"),
            ("L2NetworkInventory", "attachedClusterUuids", "clusterUuid"),
            ("SecurityGroupInventory", "attachedL3NetworkUuids", "l3NetworkUuid"),
            ("VipInventory", "peerL3NetworkUuids", "l3NetworkUuid"),
        ] {
            assert!(
                matches!(kind(inventory, member), Kind::Values { value: found, .. } if found == value),
                "{inventory} {member}"
            );
        }
    }

    #[test]
    fn relations_known_from_an_old_client_are_joined_as_the_general_inventory_joins_them() {
        let model = model();
        let storage = model.shape("ImageStoreBackupStorageInventory").expect("the inventory exists");
        assert!(matches!(model.relation(&storage, "zone"), Some(Relation::Alias { path: "zoneRef.zone", .. })));
        assert!(model.relation(&storage, "nowhere").is_none());
    }
}
