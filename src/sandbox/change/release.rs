//! What remains of the references to deleted resources: nothing that leads nowhere.

use super::super::answer::Failure;
use super::super::store::{Row, Scalar, references_to};
use super::Change;

/// Members that a node leaves as they are: what something was made from, and records of the past.
const KEPT: [(&str, &str); 7] = [
    ("ImageCacheInventory", "imageUuid"),
    ("VmInstanceInventory", "imageUuid"),
    ("VolumeInventory", "lastVmInstanceUuid"),
    ("VolumeInventory", "rootImageUuid"),
    // The reference notes that its snapshot is deleted.
    ("VolumeSnapshotGroupRefInventory", "volumeSnapshotUuid"),
    ("AlertDataAckInventory", ""),
    ("AuditsInventory", ""),
];

/// Rows that exist only for a resource of any kind.
const OF_ANY_KIND: [(&str, &str); 7] = [
    ("AffinityGroupUsageInventory", "resourceUuid"),
    ("LocalStorageResourceRefInventory", "resourceUuid"),
    ("ResourceConfigInventory", "resourceUuid"),
    ("ResourceDirectoryRefInventory", "resourceUuid"),
    ("SchedulerJobInventory", "targetResourceUuid"),
    ("SharedResourceInventory", "resourceUuid"),
    ("SshKeyPairRefInventory", "resourceUuid"),
];

/// The ends of the names of inventories that record the past.
const RECORDS: [&str; 4] = ["RecordsInventory", "HistoryInventory", "BillingInventory", "DetailInventory"];

/// Whether a member keeps the uuid of a deleted resource.
fn is_kept(inventory: &str, member: &str) -> bool {
    KEPT.iter().any(|(name, field)| *name == inventory && (field.is_empty() || *field == member))
        || RECORDS.iter().any(|end| inventory.ends_with(end))
}

impl Change<'_> {
    /// Removes references to deleted resources of one kind: rows of reference inventories, and the members of others.
    pub(super) fn release(&self, root: &str, uuids: &[String]) -> Result<(), Failure> {
        for (inventory, member) in OF_ANY_KIND {
            if inventory == "SchedulerJobInventory" {
                self.delete_trees(inventory, &self.tx.texts_among(inventory, "uuid", (member, uuids), &[])?)?;
            }
            self.tx.delete_among(inventory, (member, uuids))?;
        }
        for reference in references_to(root).iter().filter(|it| !is_kept(it.inventory, it.member)) {
            if reference.is_row {
                self.tx.delete_among(reference.inventory, (reference.member, uuids))?;
            } else {
                self.tx.clear_among(reference.inventory, (reference.member, uuids))?;
            }
        }
        Ok(())
    }

    /// The rows that `tidy` needs after their deletion.
    pub(super) fn rows_to_tidy(&self, root: &str, uuids: &[String]) -> Result<Vec<Row>, Failure> {
        let mut rows = Vec::new();
        if matches!(root, "VipInventory" | "VolumeSnapshotInventory") {
            for uuid in uuids {
                rows.extend(self.tx.get(root, uuid)?);
            }
        }
        Ok(rows)
    }

    /// Deletes what served deleted resources only.
    pub(super) fn tidy(&self, root: &str, deleted: &[Row]) -> Result<(), Failure> {
        for row in deleted {
            match root {
                "VipInventory" => {
                    let address = [("l3NetworkUuid", row.get("l3NetworkUuid").clone()), ("ip", row.get("ip").clone())];
                    self.tx.delete_where("UsedIpInventory", &address)?;
                }
                "VolumeSnapshotInventory" => self.tidy_snapshot(row)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// The nics and virtual IPs with addresses of a range, which go with it: each inventory with the uuids.
    pub(super) fn with_addresses_of(&self, range: &str) -> Result<[(&'static str, Vec<String>); 2], Failure> {
        let of_range = [("ipRangeUuid", Scalar::from(range))];
        let nics = self.tx.texts("UsedIpInventory", "vmNicUuid", &of_range)?;
        let addresses = self.tx.texts("UsedIpInventory", "ip", &of_range)?;
        let row = self.tx.get("IpRangeInventory", range)?.unwrap_or_default();
        let in_network = [("l3NetworkUuid", row.text("l3NetworkUuid").unwrap_or_default())];
        let vips = self.tx.texts_among("VipInventory", "uuid", ("ip", &addresses), &in_network)?;
        Ok([("VmNicInventory", nics), ("VipInventory", vips)])
    }

    /// Makes the parent of a deleted snapshot the latest one, and deletes its tree and group if they are empty.
    fn tidy_snapshot(&self, row: &Row) -> Result<(), Failure> {
        const SNAPSHOT: &str = "VolumeSnapshotInventory";
        const GROUP: &str = "VolumeSnapshotGroupInventory";
        const GROUP_REF: &str = "VolumeSnapshotGroupRefInventory";
        let uuid = row.text("uuid").unwrap_or_default();
        if let Some(parent) = row.text("parentUuid").filter(|_| row.get("latest").as_integer() == Some(1)) {
            self.update(SNAPSHOT, parent, Row::new().with("latest", true))?;
        }
        let tree = row.text("treeUuid").unwrap_or_default();
        if self.find(SNAPSHOT, &[("treeUuid", tree)])?.is_empty() {
            self.tx.delete("VolumeSnapshotTreeInventory", tree)?;
        }
        let of_snapshot = [("volumeSnapshotUuid", Scalar::from(uuid))];
        for reference in self.find(GROUP_REF, &[("volumeSnapshotUuid", uuid)])? {
            self.tx.update_where(GROUP_REF, &of_snapshot, &Row::new().with("snapshotDeleted", true))?;
            let group = reference.text("volumeSnapshotGroupUuid").unwrap_or_default();
            let left = self.find(GROUP_REF, &[("volumeSnapshotGroupUuid", group)])?;
            if left.iter().all(|reference| reference.get("snapshotDeleted").as_integer() == Some(1)) {
                self.tx.delete_where(GROUP_REF, &[("volumeSnapshotGroupUuid", Scalar::from(group))])?;
                self.delete_tree(GROUP, group)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use serde_json::{Map, Value, json};

    use super::super::super::arguments::Arguments;
    use super::super::super::calls::Caller;
    use super::super::super::clock::UnixMillis;
    use super::super::super::ledger::new_uuid;
    use super::super::super::store::{ADMIN_ACCOUNT, Store, StoreError, Transaction};
    use super::super::lists;
    use super::super::run::work_of;
    use super::super::subject;
    use super::*;
    use crate::catalog::{Api, Catalog, Type};

    /// Why a transaction of the test ends: it always rolls back.
    enum End {
        Failed(Failure),
        Done(Vec<String>),
    }

    impl From<StoreError> for End {
        fn from(error: StoreError) -> End {
            End::Failed(error.into())
        }
    }

    impl From<Failure> for End {
        fn from(failure: Failure) -> End {
            End::Failed(failure)
        }
    }

    /// The parameter with the uuids of what an API deletes, and their inventory.
    fn subject_of(api: &Api) -> Option<(&'static str, &'static str)> {
        let catalog = Catalog::newest();
        if api.name == "ExpungeImage" {
            return Some(("imageUuid", "ImageInventory"));
        }
        subject::subject(catalog, api).or_else(|| {
            let list = api.parameters.iter().find(|parameter| parameter.required && parameter.resource.is_some())?;
            Some((list.name, subject::resource_inventory(catalog, &format!("{}Inventory", list.resource?))?))
        })
    }

    /// The members that refer to resources that do not exist.
    fn dangling(tx: &Transaction<'_>, present: &HashSet<&str>) -> Result<Vec<String>, StoreError> {
        let mut all = HashSet::new();
        let mut lost = Vec::new();
        let mut kinds: HashMap<&str, HashSet<String>> = HashMap::new();
        for name in present.iter().copied() {
            if subject::has_field(tx, name, "uuid") {
                let uuids: HashSet<String> = tx.texts(name, "uuid", &[])?.into_iter().collect();
                all.extend(uuids.iter().cloned());
                kinds.insert(name, uuids);
            }
        }
        for (root, uuids) in &kinds {
            let references = references_to(root).iter().filter(|it| present.contains(it.inventory));
            for reference in references.filter(|it| !is_kept(it.inventory, it.member)) {
                let found = tx.texts(reference.inventory, reference.member, &[])?;
                let missing = found.iter().filter(|uuid| !uuids.contains(*uuid));
                lost.extend(missing.map(|uuid| format!("{}.{} {uuid}", reference.inventory, reference.member)));
            }
        }
        for (listed, inventory, member) in lists::LISTS {
            for row in tx.find_where(inventory, &[])? {
                let missing = lists::uuids(&row, member).into_iter().filter(|uuid| !kinds[listed].contains(uuid));
                lost.extend(missing.map(|uuid| format!("{inventory}.{member} {uuid}")));
            }
        }
        let also = ["AccountResourceRefInventory", "UserTagInventory", "SystemTagInventory"];
        for (inventory, member) in OF_ANY_KIND.into_iter().chain(also.map(|inventory| (inventory, "resourceUuid"))) {
            let found = tx.texts(inventory, member, &[])?;
            lost.extend(found.iter().filter(|uuid| !all.contains(*uuid)).map(|uuid| format!("{inventory} {uuid}")));
        }
        // The first ones tell enough.
        lost.truncate(5);
        Ok(lost)
    }

    /// Stores a row with nothing but a uuid and a reference.
    fn make(tx: &Transaction<'_>, inventory: &str, member: &str, uuid: &str) -> Result<(), StoreError> {
        let mut row = Row::new().with(member, uuid);
        if member != "uuid" && subject::has_field(tx, inventory, "uuid") {
            row.set("uuid", new_uuid());
        }
        tx.insert(inventory, &row)
    }

    /// Deletes one resource, to which a row of each kind in the seed refers, and rolls back.
    fn try_deletion(
        store: &Store,
        present: &HashSet<&str>,
        api: &Api,
        (parameter, inventory): (&str, &str),
        uuid: &str,
    ) -> End {
        let is_list = api.parameter(parameter).is_some_and(|it| matches!(it.kind, Type::List(_)));
        // A setting of a resource is found by its category and name.
        let usual = [("deleteMode", "Enforcing"), ("category", "vm"), ("name", "numa")];
        let mut values: Map<_, _> = usual.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
        values.insert(parameter.to_owned(), if is_list { json!([uuid]) } else { Value::from(uuid) });
        let arguments = Arguments::from_values(values);
        let caller = Caller { account: ADMIN_ACCOUNT.to_owned(), is_admin: true };
        let catalog = Catalog::newest();
        let work = work_of(catalog, api).expect("it is simulated");
        let end: Result<(), End> = store.transaction(|tx| {
            let now = UnixMillis::now();
            let change = Change { tx, catalog, api, arguments: &arguments, caller: &caller, now };
            let root = change.root(inventory);
            if tx.get(inventory, uuid)?.is_none() {
                make(tx, inventory, "uuid", uuid)?;
            }
            if api.name.starts_with("Expunge") {
                let (field, value) =
                    if root == "VmInstanceInventory" { ("state", "Destroyed") } else { ("status", "Deleted") };
                tx.update(inventory, uuid, &Row::new().with(field, value))?;
            } else if root == "VolumeInventory" {
                tx.update(inventory, uuid, &Row::new().with("type", "Data"))?;
            }
            for reference in references_to(&root).iter().filter(|it| !is_kept(it.inventory, it.member)) {
                if present.contains(reference.inventory) {
                    make(tx, reference.inventory, reference.member, uuid)?;
                }
            }
            work(&change)?;
            Err(End::Done(dangling(tx, present)?))
        });
        end.err().unwrap_or(End::Done(Vec::new()))
    }

    /// Adds a resource of each kind that the seed does not have.
    fn add_others(store: &Store) {
        let uuid = |inventory: &str| {
            let uuids = store.transaction(|tx| tx.texts(inventory, "uuid", &[])).expect("the store can be read");
            uuids.last().cloned().unwrap_or_default()
        };
        let catalog = Catalog::newest();
        let make = |api: &str, values: Value| {
            let api = catalog.api(api).expect("an API of the catalog");
            let arguments = Arguments::from_values(values.as_object().cloned().unwrap_or_default());
            let caller = Caller { account: ADMIN_ACCOUNT.to_owned(), is_admin: true };
            let work = work_of(catalog, &api).expect("it is simulated");
            let done = store.transaction(|tx| -> Result<String, Failure> {
                let now = UnixMillis::now();
                work(&Change { tx, catalog, api: &api, arguments: &arguments, caller: &caller, now })
            });
            done.unwrap_or_else(|failure| panic!("{}: {failure:?}", api.name));
        };
        let offering = uuid("VirtualRouterOfferingInventory");
        make("CreateVpcVRouter", json!({ "name": "vpc", "virtualRouterOfferingUuid": offering }));
        make("AddDnsToVpcRouter", json!({ "uuid": uuid("VpcRouterVmInventory"), "dns": "10.0.0.1" }));
        make("CreateAutoScalingGroup", json!({ "name": "group", "minResourceSize": 1, "maxResourceSize": 2 }));
        let group = uuid("AutoScalingGroupInventory");
        let networks = json!([uuid("L3NetworkInventory")]);
        make("CreateAutoScalingVmTemplate", json!({ "name": "template", "l3NetworkUuids": networks }));
        let template = uuid("AutoScalingTemplateInventory");
        make("AttachAutoScalingTemplateToGroup", json!({ "uuid": template, "groupUuid": group }));
        make("CreateAutoScalingGroupAddingNewInstanceRule", json!({ "name": "rule", "autoScalingGroupUuid": group }));
        let (rule, alarm) = (uuid("AutoScalingRuleInventory"), uuid("AlarmInventory"));
        make("CreateAutoScalingRuleAlarmTrigger", json!({ "name": "on", "ruleUuid": rule, "alarmUuid": alarm }));
        make("CreateIAM2Project", json!({ "name": "project" }));
        let project = uuid("IAM2ProjectInventory");
        make("CreateIAM2VirtualID", json!({ "name": "ann", "password": "x", "projectUuid": project }));
    }

    #[test]
    fn no_deletion_leaves_a_reference_to_what_is_gone() {
        let store = Store::in_memory().expect("a store in memory");
        add_others(&store);
        let catalog = Catalog::newest();
        let mut present = HashSet::new();
        store
            .transaction(|tx| -> Result<(), StoreError> {
                for name in catalog.inventory_names() {
                    if !tx.find_where(name, &[])?.is_empty() {
                        present.insert(name);
                    }
                }
                Ok(())
            })
            .expect("the store can be read");
        let before = store.transaction(|tx| dangling(tx, &present)).expect("the store can be read");
        assert!(before.is_empty(), "{before:?}");
        let mut checked = HashMap::new();
        for api in catalog.api_names().filter_map(|name| catalog.api(name.as_str())) {
            let deletes = ["Delete", "Expunge", "Destroy", "BatchDelete", "Ungroup"];
            if !deletes.iter().any(|verb| api.name.starts_with(verb)) || work_of(catalog, &api).is_none() {
                continue;
            }
            let Some((parameter, inventory)) = subject_of(&api) else { continue };
            let mut uuids = store.transaction(|tx| tx.texts(inventory, "uuid", &[])).expect("the store can be read");
            uuids.truncate(2);
            uuids.push(new_uuid());
            let mut refused = Vec::new();
            for uuid in uuids {
                match try_deletion(&store, &present, &api, (parameter, inventory), &uuid) {
                    End::Done(lost) => {
                        assert!(lost.is_empty(), "{} of {uuid}: {lost:?}", api.name);
                        *checked.entry(api.name).or_insert(0) += 1;
                    }
                    // Some cannot be deleted: the administrator, what lacks a member that a real one has.
                    End::Failed(failure) => refused.push(failure),
                }
            }
            assert!(checked.contains_key(api.name), "{} was never done: {refused:?}", api.name);
        }
        assert!(checked.len() > 60, "{} deletions: {checked:?}", checked.len());
    }
}
