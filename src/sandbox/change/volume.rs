//! Volumes, images, snapshots and groups of snapshots.

use serde_json::json;

use super::super::answer::Failure;
use super::super::ledger::new_uuid;
use super::super::store::{Row, Scalar};
use super::{Change, Handler};

/// The APIs of volumes and images with a handler of their own.
pub(super) const WORK: &[(&str, Handler)] = &[
    ("AttachDataVolumeToVm", attach),
    ("BatchDeleteVolumeSnapshot", delete_snapshots),
    ("CreateDataVolumeFromVolumeSnapshot", create_from_snapshot),
    ("CreateDataVolumeFromVolumeTemplate", create_from_template),
    ("CreateDataVolumeTemplateFromVolume", create_template),
    ("CreateRootVolumeTemplateFromRootVolume", create_template),
    ("CreateRootVolumeTemplateFromVolumeSnapshot", create_template),
    ("CreateVolumeSnapshot", create_snapshot),
    ("CreateVolumeSnapshotGroup", create_group),
    ("DeleteVolumeSnapshotGroup", delete_group),
    ("DetachDataVolumeFromVm", detach),
    ("ExportImageFromBackupStorage", export),
    ("ExpungeDataVolume", expunge_volume),
    ("ExpungeImage", expunge_image),
    ("PrimaryStorageMigrateVolume", migrate),
    ("RecoverDataVolume", recover_volume),
    ("RecoverImage", recover_image),
    ("ResizeDataVolume", resize),
    ("ResizeRootVolume", resize),
    ("RevertVmFromSnapshotGroup", revert_group),
    ("RevertVolumeFromSnapshot", revert),
    ("UngroupVolumeSnapshotGroup", ungroup),
];

const VOLUME: &str = "VolumeInventory";
const IMAGE: &str = "ImageInventory";
const SHARE: &str = "ShareableVolumeVmInstanceRefInventory";
const SNAPSHOT: &str = "VolumeSnapshotInventory";
const GROUP: &str = "VolumeSnapshotGroupInventory";
const GROUP_REF: &str = "VolumeSnapshotGroupRefInventory";

impl Change<'_> {
    /// A row for a new volume.
    pub(super) fn volume_row(&self, uuid: &str, name: &str, kind: &str, size: i64, primary_storage: &str) -> Row {
        let now = self.now.to_stored();
        Row::new()
            .with("uuid", uuid)
            .with("name", name)
            .with("type", kind)
            .with("size", size)
            .with("actualSize", size / 8)
            .with("format", "qcow2")
            .with("primaryStorageUuid", primary_storage)
            .with("installPath", format!("/zstack_ps/volumes/{uuid}.qcow2"))
            .with("state", "Enabled")
            .with("status", "Ready")
            .with("isShareable", false)
            .with("createDate", now.as_str())
            .with("lastOpDate", now)
    }

    /// Creates a data volume on a primary storage.
    fn create_data_volume(&self, size: i64, primary_storage: &str) -> Result<String, Failure> {
        self.check_space("PrimaryStorageInventory", primary_storage, size)?;
        let uuid = self.chosen_uuid()?;
        let mut row = self.volume_row(&uuid, self.text("name"), "Data", size, primary_storage);
        if let Some(description) = self.arguments.text("description") {
            row.set("description", description);
        }
        self.create(VOLUME, row)?;
        self.reply(VOLUME, &uuid)
    }

    /// Creates a snapshot of a volume, the latest of its tree.
    pub(super) fn take_snapshot(
        &self,
        volume: &Row,
        uuid: &str,
        name: &str,
        description: Scalar,
    ) -> Result<Row, Failure> {
        let volume_uuid = volume.text("uuid").unwrap_or_default();
        let size = volume.get("actualSize").as_integer().unwrap_or_default();
        self.check_space("PrimaryStorageInventory", volume.text("primaryStorageUuid").unwrap_or_default(), size)?;
        let now = self.now.to_stored();
        let previous = self.find(SNAPSHOT, &[("volumeUuid", volume_uuid)])?;
        let latest = previous.iter().rev().find(|row| row.get("latest").as_integer() == Some(1));
        let tree = match latest.and_then(|row| row.text("treeUuid")) {
            Some(tree) => tree.to_owned(),
            None => {
                let tree = new_uuid();
                let row = Row::new()
                    .with("uuid", tree.as_str())
                    .with("volumeUuid", volume_uuid)
                    .with("current", true)
                    .with("status", "Completed")
                    .with("createDate", now.as_str())
                    .with("lastOpDate", now.as_str());
                self.tx.insert("VolumeSnapshotTreeInventory", &row)?;
                tree
            }
        };
        let parent = latest.map_or(Scalar::Null, |row| row.get("uuid").clone());
        let distance = latest.and_then(|row| row.get("distance").as_integer()).unwrap_or(0) + 1;
        let condition = [("volumeUuid", Scalar::from(volume_uuid)), ("latest", Scalar::Bool(true))];
        self.tx.update_where(SNAPSHOT, &condition, &Row::new().with("latest", false))?;
        let row = Row::new()
            .with("uuid", uuid)
            .with("name", name)
            .with("description", description)
            .with("type", "Hypervisor")
            .with("volumeUuid", volume_uuid)
            .with("treeUuid", tree)
            .with("parentUuid", parent)
            .with("primaryStorageUuid", volume.get("primaryStorageUuid").clone())
            .with("primaryStorageInstallPath", format!("/zstack_ps/snapshots/{uuid}.qcow2"))
            .with("volumeType", volume.get("type").clone())
            .with("format", "qcow2")
            .with("latest", true)
            .with("size", size)
            .with("distance", distance)
            .with("state", "Enabled")
            .with("status", "Ready")
            .with("createDate", now.as_str())
            .with("lastOpDate", now);
        self.insert(SNAPSHOT, &row)?;
        Ok(row)
    }

    fn revert_to(&self, snapshot: &str) -> Result<(), Failure> {
        let volume = self.get(SNAPSHOT, snapshot)?.text("volumeUuid").unwrap_or_default().to_owned();
        let row = self.get(VOLUME, &volume)?;
        let vm = self.referred("VmInstanceInventory", &row, "vmInstanceUuid")?;
        if vm.is_some_and(|vm| vm.text("state") != Some("Stopped")) {
            return Err(Failure::refused(format!(
                "cannot revert the volume[uuid:{volume}] of a vm that is not stopped"
            )));
        }
        let condition = [("volumeUuid", Scalar::from(volume.as_str()))];
        self.tx.update_where(SNAPSHOT, &condition, &Row::new().with("latest", false))?;
        self.update(SNAPSHOT, snapshot, Row::new().with("latest", true))?;
        self.update(VOLUME, &volume, Row::new())
    }

    /// Recovers a deleted volume or image.
    fn recover(&self, inventory: &str, uuid: &str) -> Result<String, Failure> {
        self.check_deleted(inventory, uuid)?;
        self.update(inventory, uuid, Row::new().with("status", "Ready"))?;
        if inventory == IMAGE {
            let status = Row::new().with("status", "Ready");
            self.tx.update_where("ImageBackupStorageRefInventory", &[("imageUuid", Scalar::from(uuid))], &status)?;
        }
        self.reply(inventory, uuid)
    }

    fn expunge(&self, inventory: &str, uuid: &str) -> Result<String, Failure> {
        self.check_deleted(inventory, uuid)?;
        self.delete_tree(inventory, uuid)?;
        Ok("{}".to_owned())
    }

    fn check_deleted(&self, inventory: &str, uuid: &str) -> Result<(), Failure> {
        let row = self.get(inventory, uuid)?;
        let status = row.text("status").unwrap_or_default();
        if status != "Deleted" {
            let kind = inventory.trim_end_matches("Inventory").to_lowercase();
            return Err(Failure::refused(format!("the {kind}[uuid:{uuid}] is not deleted, its status is {status}")));
        }
        Ok(())
    }
}

fn attach(change: &Change<'_>) -> Result<String, Failure> {
    let (volume, vm) = (change.text("volumeUuid"), change.text("vmInstanceUuid"));
    let row = change.get(VOLUME, volume)?;
    let vm_row = change.get("VmInstanceInventory", vm)?;
    let refuse = |why: String| {
        Err(Failure::refused(format!("cannot attach the volume[uuid:{volume}]"))
            .because(Failure::new("VOLUME.1001", why)))
    };
    if row.text("type") != Some("Data") {
        return refuse("it is no data volume".to_owned());
    }
    if let Some(other) = row.text("vmInstanceUuid") {
        return refuse(format!("it is attached to the vm[uuid:{other}] already"));
    }
    if !matches!(row.text("status"), Some("Ready" | "NotInstantiated")) || row.text("state") != Some("Enabled") {
        return refuse("it is disabled or not ready".to_owned());
    }
    let state = vm_row.text("state").unwrap_or_default();
    if !matches!(state, "Running" | "Stopped" | "Paused") {
        return refuse(format!("the vm is in the state {state}"));
    }
    if row.get("isShareable").as_integer() == Some(1) {
        return change.share_volume(volume, vm);
    }
    let others = change.find(VOLUME, &[("vmInstanceUuid", vm)])?;
    let taken: Vec<i64> = others.iter().filter_map(|other| other.get("deviceId").as_integer()).collect();
    let mut changes = Row::new()
        .with("vmInstanceUuid", vm)
        .with("deviceId", (1..).find(|device| !taken.contains(device)).unwrap_or_default())
        .with("lastAttachDate", change.now.to_stored())
        .with("status", "Ready");
    if row.get("primaryStorageUuid").is_null() {
        // A volume is created on the primary storage of the first VM's root volume.
        let root = others.iter().find(|other| other.text("type") == Some("Root"));
        let storage = root.and_then(|root| root.text("primaryStorageUuid")).unwrap_or_default();
        change.check_space("PrimaryStorageInventory", storage, row.get("size").as_integer().unwrap_or_default())?;
        changes.set("primaryStorageUuid", storage);
        changes.set("installPath", format!("/zstack_ps/volumes/{volume}.qcow2"));
    }
    change.update(VOLUME, volume, changes)?;
    change.reply(VOLUME, volume)
}

impl Change<'_> {
    /// Attaches a shareable volume, which several virtual machines can have.
    fn share_volume(&self, volume: &str, vm: &str) -> Result<String, Failure> {
        let pair = [("volumeUuid", volume), ("vmInstanceUuid", vm)];
        if !self.find(SHARE, &pair)?.is_empty() {
            return Err(Failure::refused(format!(
                "the volume[uuid:{volume}] is attached to the vm[uuid:{vm}] already"
            )));
        }
        let device = i64::try_from(self.find(SHARE, &[("vmInstanceUuid", vm)])?.len()).unwrap_or_default();
        let row = Row::new()
            .with("uuid", new_uuid())
            .with("volumeUuid", volume)
            .with("vmInstanceUuid", vm)
            .with("deviceId", device + 1);
        self.tx.insert(SHARE, &row)?;
        self.update(VOLUME, volume, Row::new().with("status", "Ready"))?;
        self.reply(VOLUME, volume)
    }
}

fn detach(change: &Change<'_>) -> Result<String, Failure> {
    if let (volume, Some(vm)) = (change.text("uuid"), change.arguments.text("vmUuid")) {
        let pair = [("volumeUuid", Scalar::from(volume)), ("vmInstanceUuid", Scalar::from(vm))];
        if change.tx.delete_where(SHARE, &pair)? > 0 {
            return change.reply(VOLUME, volume);
        }
    }
    let uuid = change.text("uuid");
    let row = change.get(VOLUME, uuid)?;
    if row.text("type") == Some("Root") {
        return Err(Failure::refused(format!("the volume[uuid:{uuid}] is a root volume, it cannot be detached")));
    }
    if row.get("vmInstanceUuid").is_null() {
        return Err(Failure::refused(format!("the volume[uuid:{uuid}] is attached to no vm")));
    }
    let changes = Row::new()
        .with("lastVmInstanceUuid", row.get("vmInstanceUuid").clone())
        .with("lastDetachDate", change.now.to_stored())
        .with("vmInstanceUuid", Scalar::Null)
        .with("deviceId", Scalar::Null);
    change.update(VOLUME, uuid, changes)?;
    change.reply(VOLUME, uuid)
}

fn resize(change: &Change<'_>) -> Result<String, Failure> {
    let uuid = match change.arguments.text("uuid") {
        Some(uuid) => uuid.to_owned(),
        None => {
            let vm = change.get("VmInstanceInventory", change.text("vmInstanceUuid"))?;
            vm.text("rootVolumeUuid").unwrap_or_default().to_owned()
        }
    };
    let row = change.get(VOLUME, &uuid)?;
    let size = change.arguments.integer("size").unwrap_or_default();
    let now = row.get("size").as_integer().unwrap_or_default();
    if size <= now {
        return Err(Failure::argument(format!("field[size] must be more than the present size {now}")));
    }
    change.check_space("PrimaryStorageInventory", row.text("primaryStorageUuid").unwrap_or_default(), size - now)?;
    change.update(VOLUME, &uuid, Row::new().with("size", size))?;
    change.reply(VOLUME, &uuid)
}

fn recover_volume(change: &Change<'_>) -> Result<String, Failure> {
    change.recover(VOLUME, change.text("uuid"))
}

fn expunge_volume(change: &Change<'_>) -> Result<String, Failure> {
    change.expunge(VOLUME, change.text("uuid"))
}

fn recover_image(change: &Change<'_>) -> Result<String, Failure> {
    change.recover(IMAGE, change.text("imageUuid"))
}

fn expunge_image(change: &Change<'_>) -> Result<String, Failure> {
    change.expunge(IMAGE, change.text("imageUuid"))
}

/// Reverts a volume to a snapshot, which changes only dates and the latest snapshot.
fn revert(change: &Change<'_>) -> Result<String, Failure> {
    change.revert_to(change.text("uuid"))?;
    Ok("{}".to_owned())
}

/// Reverts all volumes of a virtual machine to a group of snapshots.
fn revert_group(change: &Change<'_>) -> Result<String, Failure> {
    let mut results = Vec::new();
    for row in change.find(GROUP_REF, &[("volumeSnapshotGroupUuid", change.text("uuid"))])? {
        let snapshot = row.text("volumeSnapshotUuid").unwrap_or_default();
        change.revert_to(snapshot)?;
        results.push(json!({ "snapshotUuid": snapshot, "volumeUuid": row.text("volumeUuid"), "success": true }));
    }
    Ok(json!({ "results": results }).to_string())
}

/// Creates an image from a volume.
fn create_template(change: &Change<'_>) -> Result<String, Failure> {
    let is_root = change.api.name.starts_with("CreateRootVolumeTemplate");
    let snapshot = change.arguments.text("snapshotUuid");
    let volume = match snapshot {
        Some(snapshot) => change.get(SNAPSHOT, snapshot)?.text("volumeUuid").unwrap_or_default().to_owned(),
        None => change.text(if is_root { "rootVolumeUuid" } else { "volumeUuid" }).to_owned(),
    };
    let source = snapshot.unwrap_or(&volume);
    let volume = change.get(VOLUME, &volume)?;
    let vm = change.referred("VmInstanceInventory", &volume, "vmInstanceUuid")?.unwrap_or_default();
    let mut row = change
        .new_row(IMAGE)?
        .with("mediaType", if is_root { "RootVolumeTemplate" } else { "DataVolumeTemplate" })
        .with("format", "qcow2")
        .with("size", volume.get("size").clone())
        .with("actualSize", volume.get("actualSize").clone())
        .with("url", format!("volume://{source}"));
    for field in ["platform", "guestOsType", "architecture"] {
        if row.get(field).is_null() {
            row.set(field, vm.get(field).clone());
        }
    }
    let uuid = change.create(IMAGE, row)?;
    change.reply(IMAGE, &uuid)
}

/// Creates a data volume from a snapshot.
fn create_from_snapshot(change: &Change<'_>) -> Result<String, Failure> {
    let snapshot = change.get(SNAPSHOT, change.text("volumeSnapshotUuid"))?;
    let storage =
        change.arguments.text("primaryStorageUuid").or(snapshot.text("primaryStorageUuid")).unwrap_or_default();
    let origin = change.referred(VOLUME, &snapshot, "volumeUuid")?.unwrap_or_default();
    let size = origin.get("size").as_integer().or(snapshot.get("size").as_integer()).unwrap_or_default();
    change.create_data_volume(size, storage)
}

/// Creates a data volume from an image.
fn create_from_template(change: &Change<'_>) -> Result<String, Failure> {
    let image = change.get(IMAGE, change.text("imageUuid"))?;
    if image.text("mediaType") != Some("DataVolumeTemplate") {
        return Err(Failure::argument("field[imageUuid] names no template of data volumes"));
    }
    change.create_data_volume(image.get("size").as_integer().unwrap_or_default(), change.text("primaryStorageUuid"))
}

fn migrate(change: &Change<'_>) -> Result<String, Failure> {
    let (volume, storage) = (change.text("volumeUuid"), change.text("dstPrimaryStorageUuid"));
    change.get("PrimaryStorageInventory", storage)?;
    let row = change.get(VOLUME, volume)?;
    if row.text("primaryStorageUuid") == Some(storage) {
        return Err(Failure::refused(format!("the volume[uuid:{volume}] is on that primary storage already")));
    }
    change.check_space("PrimaryStorageInventory", storage, row.get("size").as_integer().unwrap_or_default())?;
    change.update(VOLUME, volume, Row::new().with("primaryStorageUuid", storage))?;
    change.reply(VOLUME, volume)
}

/// Exports an image from its backup storage.
fn export(change: &Change<'_>) -> Result<String, Failure> {
    let (image, storage) = (change.text("imageUuid"), change.text("backupStorageUuid"));
    let condition = [("imageUuid", Scalar::from(image)), ("backupStorageUuid", Scalar::from(storage))];
    let url = format!("http://backup-storage.sandbox.invalid/export/{image}.qcow2");
    let sum = change.get(IMAGE, image)?.text("md5Sum").unwrap_or("d41d8cd98f00b204e9800998ecf8427e").to_owned();
    let changes = Row::new().with("exportUrl", url.as_str()).with("exportMd5Sum", sum.as_str());
    if change.tx.update_where("ImageBackupStorageRefInventory", &condition, &changes)? == 0 {
        return Err(Failure::refused(format!("the image[uuid:{image}] is not on the backup storage[uuid:{storage}]")));
    }
    Ok(json!({ "imageUrl": url, "exportMd5Sum": sum, "success": true }).to_string())
}

fn create_snapshot(change: &Change<'_>) -> Result<String, Failure> {
    let volume = change.get(VOLUME, change.text("volumeUuid"))?;
    if volume.text("status") != Some("Ready") {
        return Err(Failure::refused(format!("the volume[uuid:{}] is not ready", change.text("volumeUuid"))));
    }
    let uuid = change.chosen_uuid()?;
    let description = change.arguments.text("description").map_or(Scalar::Null, Scalar::from);
    change.take_snapshot(&volume, &uuid, change.text("name"), description)?;
    change.add_tags_of_call(SNAPSHOT, &uuid)?;
    change.reply(SNAPSHOT, &uuid)
}

/// Takes a snapshot of all volumes of a virtual machine.
fn create_group(change: &Change<'_>) -> Result<String, Failure> {
    let root = change.get(VOLUME, change.text("rootVolumeUuid"))?;
    let Some(vm) = root.text("vmInstanceUuid").filter(|_| root.text("type") == Some("Root")) else {
        return Err(Failure::argument("field[rootVolumeUuid] names no root volume of a vm"));
    };
    let volumes = change.find(VOLUME, &[("vmInstanceUuid", vm)])?;
    let row = change.new_row(GROUP)?;
    let uuid = row.text("uuid").unwrap_or_default().to_owned();
    let count = i64::try_from(volumes.len()).unwrap_or_default();
    change.create(GROUP, row.with("vmInstanceUuid", vm).with("snapshotCount", count))?;
    let now = change.now.to_stored();
    for volume in &volumes {
        let snapshot = new_uuid();
        let volume_name = volume.text("name").unwrap_or_default();
        let name = format!("{}-{volume_name}", change.text("name"));
        let row = change.take_snapshot(volume, &snapshot, &name, Scalar::Null)?;
        let reference = Row::new()
            .with("volumeSnapshotUuid", snapshot.as_str())
            .with("volumeSnapshotGroupUuid", uuid.as_str())
            .with("deviceId", volume.get("deviceId").as_integer().unwrap_or_default())
            .with("snapshotDeleted", false)
            .with("volumeUuid", volume.get("uuid").clone())
            .with("volumeName", volume_name)
            .with("volumeType", volume.get("type").clone())
            .with("volumeSnapshotInstallPath", row.get("primaryStorageInstallPath").clone())
            .with("volumeSnapshotName", name)
            .with("createDate", now.as_str())
            .with("lastOpDate", now.as_str());
        change.tx.insert(GROUP_REF, &reference)?;
    }
    change.reply(GROUP, &uuid)
}

fn delete_group(change: &Change<'_>) -> Result<String, Failure> {
    let uuid = change.text("uuid");
    if change.tx.get(GROUP, uuid)?.is_none() {
        return Ok("{}".to_owned());
    }
    let results: Vec<_> = change
        .find(GROUP_REF, &[("volumeSnapshotGroupUuid", uuid)])?
        .iter()
        .map(|row| json!({ "snapshotUuid": row.text("volumeSnapshotUuid"), "volumeUuid": row.text("volumeUuid"), "success": true }))
        .collect();
    change.delete_tree(GROUP, uuid)?;
    Ok(json!({ "results": results }).to_string())
}

/// Deletes a group but keeps its snapshots.
fn ungroup(change: &Change<'_>) -> Result<String, Failure> {
    let uuid = change.text("uuid");
    change.get(GROUP, uuid)?;
    change.tx.delete_where(GROUP_REF, &[("volumeSnapshotGroupUuid", Scalar::from(uuid))])?;
    change.delete_tree(GROUP, uuid)?;
    Ok("{}".to_owned())
}

fn delete_snapshots(change: &Change<'_>) -> Result<String, Failure> {
    let mut results = Vec::new();
    for uuid in change.arguments.texts("uuids") {
        let volume = change.get(SNAPSHOT, uuid)?.text("volumeUuid").map(str::to_owned);
        change.delete_tree(SNAPSHOT, uuid)?;
        results.push(json!({ "snapshotUuid": uuid, "volumeUuid": volume, "success": true }));
    }
    Ok(json!({ "results": results }).to_string())
}
