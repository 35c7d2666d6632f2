//! Virtual machines: creation, nics, size.

use serde_json::Value;

use super::super::answer::Failure;
use super::super::ledger::new_uuid;
use super::super::store::{Row, Scalar};
use super::allocate::Demand;
use super::{Change, Handler};

/// The APIs of virtual machines with a handler of their own.
pub(super) const WORK: &[(&str, Handler)] = &[
    ("AttachIsoToVmInstance", attach_iso),
    ("ChangeInstanceOffering", change_offering),
    ("ChangeVmImage", change_image),
    ("CreateVmInstance", create),
    ("CreateVmInstanceFromVolume", create),
    ("DetachIsoFromVmInstance", detach_iso),
    ("GetCandidateZonesClustersHostsForCreatingVm", candidates),
    ("RequestConsoleAccess", open_console),
];

const VM: &str = "VmInstanceInventory";

/// The placement of a new virtual machine.
struct Placement {
    zone: Scalar,
    cluster: String,
    host: String,
    primary_storage: String,
}

/// What a new virtual machine is made from.
pub(super) struct Parts<'a> {
    pub(super) image: Option<Row>,
    /// The volume that becomes its root volume.
    pub(super) origin: Option<Row>,
    pub(super) networks: Vec<&'a str>,
}

fn create(change: &Change<'_>) -> Result<String, Failure> {
    let mut row = change.new_row(VM)?;
    change.set_size(&mut row)?;
    row.set("type", change.arguments.text("type").unwrap_or("UserVm"));
    let image = match change.arguments.text("imageUuid") {
        Some(image) => Some(change.usable_image(image)?),
        None => None,
    };
    let origin = match change.arguments.text("volumeUuid") {
        Some(volume) => Some(change.free_volume(volume)?),
        None => None,
    };
    change.make_vm(VM, row, &Parts { image, origin, networks: change.arguments.texts("l3NetworkUuids") })
}

/// The zones, clusters and hosts that could take such a virtual machine.
fn candidates(change: &Change<'_>) -> Result<String, Failure> {
    let mut row = Row::new();
    for field in ["cpuNum", "memorySize"] {
        row.set(field, change.arguments.integer(field).map_or(Scalar::Null, Scalar::from));
    }
    change.set_size(&mut row)?;
    let image = change.usable_image(change.text("imageUuid"))?;
    let disks = change.data_disks()?;
    let disk = disks.iter().fold(change.root_disk_size(Some(&image))?, |sum, (size, _)| sum.saturating_add(*size));
    let networks = change.arguments.texts("l3NetworkUuids");
    // No room is no failure here.
    let hosts = change.hosts_for(&networks, Demand { disk, ..Demand::of(&row) }, None).unwrap_or_default();
    let list = |inventory: &str, field: &str| -> Result<String, Failure> {
        let mut uuids: Vec<&str> = hosts.iter().filter_map(|host| host.text(field)).collect();
        uuids.sort_unstable();
        uuids.dedup();
        let mut texts = Vec::new();
        for uuid in uuids {
            texts.extend(change.tx.inventory_json(inventory, uuid)?);
        }
        Ok(texts.join(","))
    };
    Ok(format!(
        "{{\"zones\":[{}],\"clusters\":[{}],\"hosts\":[{}],\"success\":true}}",
        list("ZoneInventory", "zoneUuid")?,
        list("ClusterInventory", "clusterUuid")?,
        list("HostInventory", "uuid")?
    ))
}

fn change_offering(change: &Change<'_>) -> Result<String, Failure> {
    let vm = change.text("vmInstanceUuid");
    let offering = change.get("InstanceOfferingInventory", change.text("instanceOfferingUuid"))?;
    let size = |field: &str| offering.get(field).as_integer();
    change.check_growth(&change.get(VM, vm)?, size("cpuNum"), size("memorySize"))?;
    let mut changes = Row::new().with("instanceOfferingUuid", change.text("instanceOfferingUuid"));
    for field in ["cpuNum", "memorySize", "cpuSpeed"] {
        changes.set(field, offering.get(field).clone());
    }
    change.update(VM, vm, changes)?;
    change.reply(VM, vm)
}

/// The maximum number of CD drives of a virtual machine.
const CD_DRIVES: i64 = 3;

/// Attaches an ISO to the first empty drive; adds a drive if there is none.
fn attach_iso(change: &Change<'_>) -> Result<String, Failure> {
    let (vm, iso) = (change.text("vmInstanceUuid"), change.text("isoUuid"));
    if change.usable_image(iso)?.text("mediaType") != Some("ISO") {
        return Err(Failure::argument("field[isoUuid] names no ISO"));
    }
    let drives = change.find("VmCdRomInventory", &[("vmInstanceUuid", vm)])?;
    if drives.iter().any(|drive| drive.text("isoUuid") == Some(iso)) {
        return Err(Failure::refused(format!("the ISO[uuid:{iso}] is attached to the vm[uuid:{vm}] already")));
    }
    let path = format!("/zstack_ps/iso/{iso}.iso");
    if let Some(drive) = drives.iter().find(|drive| drive.get("isoUuid").is_null()) {
        let changes = Row::new().with("isoUuid", iso).with("isoInstallPath", path);
        change.update("VmCdRomInventory", drive.text("uuid").unwrap_or_default(), changes)?;
        return change.reply(VM, vm);
    }
    let taken: Vec<i64> = drives.iter().filter_map(|drive| drive.get("deviceId").as_integer()).collect();
    let Some(device) = (0..CD_DRIVES).find(|device| !taken.contains(device)) else {
        return Err(Failure::refused(format!("all CD drives of the vm[uuid:{vm}] are taken")));
    };
    let row = Row::new()
        .with("uuid", new_uuid())
        .with("vmInstanceUuid", vm)
        .with("deviceId", device)
        .with("name", format!("vm-{vm}-cdRom-{device}"))
        .with("isoUuid", iso)
        .with("isoInstallPath", path)
        .with("createDate", change.now.to_stored())
        .with("lastOpDate", change.now.to_stored());
    change.insert("VmCdRomInventory", &row)?;
    change.reply(VM, vm)
}

/// Detaches an ISO, by default the only one.
fn detach_iso(change: &Change<'_>) -> Result<String, Failure> {
    let vm = change.text("vmInstanceUuid");
    change.get(VM, vm)?;
    let wanted = change.arguments.text("isoUuid");
    let mut drives = change.find("VmCdRomInventory", &[("vmInstanceUuid", vm)])?;
    drives.retain(|drive| drive.text("isoUuid").is_some_and(|iso| wanted.is_none_or(|wanted| wanted == iso)));
    match drives.as_slice() {
        [] => Err(Failure::refused(format!("no such ISO is attached to the vm[uuid:{vm}]"))),
        [drive] => {
            let changes = Row::new().with("isoUuid", Scalar::Null).with("isoInstallPath", Scalar::Null);
            change.update("VmCdRomInventory", drive.text("uuid").unwrap_or_default(), changes)?;
            change.reply(VM, vm)
        }
        _ => Err(Failure::argument("field[isoUuid] cannot be null: several ISOs are attached")),
    }
}

fn change_image(change: &Change<'_>) -> Result<String, Failure> {
    let vm = change.text("vmInstanceUuid");
    let row = change.get(VM, vm)?;
    let image = change.usable_image(change.text("imageUuid"))?;
    if row.text("state") != Some("Stopped") {
        return Err(Failure::refused(format!("the vm[uuid:{vm}] is not stopped, its image cannot be changed")));
    }
    let mut changes = Row::new().with("imageUuid", change.text("imageUuid"));
    for field in ["platform", "guestOsType", "architecture"] {
        changes.set(field, image.get(field).clone());
    }
    change.update(VM, vm, changes)?;
    let root = row.text("rootVolumeUuid").unwrap_or_default();
    change.update("VolumeInventory", root, Row::new().with("rootImageUuid", change.text("imageUuid")))?;
    change.reply(VM, vm)
}

/// Returns a console address; nothing listens there.
fn open_console(change: &Change<'_>) -> Result<String, Failure> {
    let vm = change.text("vmInstanceUuid");
    if change.get(VM, vm)?.text("state") != Some("Running") {
        return Err(Failure::refused(format!("the vm[uuid:{vm}] is not running, it has no console")));
    }
    Ok(serde_json::json!({ "inventory": {
        "scheme": "http",
        "hostname": "console.sandbox.invalid",
        "port": 4900,
        "token": new_uuid(),
        "version": "vnc",
    } })
    .to_string())
}

impl Change<'_> {
    /// Makes a virtual machine with its volumes and nics where there is room for it. The row has its size.
    pub(super) fn make_vm(&self, inventory: &str, mut row: Row, parts: &Parts<'_>) -> Result<String, Failure> {
        let Parts { image, origin, networks } = parts;
        let uuid = row.text("uuid").unwrap_or_default().to_owned();
        let failed =
            |cause| Failure::new("SYS.1002", format!("cannot create the vm {}", self.text("name"))).because(cause);
        let root_size = if origin.is_some() { 0 } else { self.root_disk_size(image.as_ref())? };
        let disks = self.data_disks()?;
        let disk = disks.iter().fold(root_size, |sum, (size, _)| sum.saturating_add(*size));
        let storage = origin.as_ref().and_then(|volume| volume.text("primaryStorageUuid"));
        let place = self.place(networks, Demand { disk, ..Demand::of(&row) }, storage).map_err(failed)?;
        if let Some(image) = image {
            for field in ["platform", "guestOsType", "architecture"] {
                if row.get(field).is_null() {
                    row.set(field, image.get(field).clone());
                }
            }
        }
        let strategy = self.arguments.text("strategy").unwrap_or("InstantStart");
        let (state, host) = match strategy {
            "CreateStopped" => ("Stopped", Scalar::Null),
            "JustCreate" => ("Created", Scalar::Null),
            _ => ("Running", Scalar::from(place.host.as_str())),
        };
        let root = origin.as_ref().and_then(|volume| volume.text("uuid")).map_or_else(new_uuid, str::to_owned);
        row.set("state", state);
        row.set("hostUuid", host);
        row.set("lastHostUuid", place.host.as_str());
        row.set("clusterUuid", place.cluster.as_str());
        row.set("zoneUuid", place.zone.clone());
        row.set("hypervisorType", "KVM");
        row.set("rootVolumeUuid", root.as_str());
        if let Some(network) = networks.first().filter(|_| row.get("defaultL3NetworkUuid").is_null()) {
            row.set("defaultL3NetworkUuid", *network);
        }
        self.create(inventory, row)?;
        let attached = Row::new().with("vmInstanceUuid", uuid.as_str()).with("deviceId", 0).with("type", "Root");
        if origin.is_some() {
            self.update("VolumeInventory", &root, attached)?;
        } else {
            let name = format!("ROOT-for-{}", self.text("name"));
            let mut volume = self.volume_row(&root, &name, "Root", root_size, &place.primary_storage);
            volume.set("rootImageUuid", image.as_ref().map_or(Scalar::Null, |image| image.get("uuid").clone()));
            for (field, value) in attached.iter() {
                volume.set(field, value.clone());
            }
            self.insert("VolumeInventory", &volume)?;
        }
        self.add_data_volumes(&uuid, disks, &place.primary_storage)?;
        for network in networks {
            let wanted = self.static_ip(network);
            self.add_nic(&uuid, network, wanted).map_err(failed)?;
        }
        self.reply(VM, &uuid)
    }

    /// Sets processors and memory from the offering or the call.
    fn set_size(&self, row: &mut Row) -> Result<(), Failure> {
        if let Some(offering) = self.arguments.text("instanceOfferingUuid") {
            let offering = self.get("InstanceOfferingInventory", offering)?;
            if offering.text("state") != Some("Enabled") {
                return Err(Failure::refused("the instance offering is disabled"));
            }
            for field in ["cpuNum", "cpuSpeed", "memorySize", "allocatorStrategy"] {
                row.set(field, offering.get(field).clone());
            }
        } else if self.arguments.get("cpuNum").is_none() || self.arguments.get("memorySize").is_none() {
            return Err(Failure::argument(
                "field[instanceOfferingUuid] is null, so field[cpuNum] and field[memorySize] cannot be null",
            ));
        } else {
            row.set("allocatorStrategy", "LeastVmPreferredHostAllocatorStrategy");
            row.set("cpuSpeed", 0);
        }
        Ok(())
    }

    pub(super) fn usable_image(&self, uuid: &str) -> Result<Row, Failure> {
        let image = self.get("ImageInventory", uuid)?;
        let (state, status) = (image.text("state"), image.text("status"));
        if state != Some("Enabled") || status != Some("Ready") {
            let (state, status) = (state.unwrap_or_default(), status.unwrap_or_default());
            return Err(Failure::refused(format!("the image[uuid:{uuid}] cannot be used, it is {state} and {status}")));
        }
        Ok(image)
    }

    /// A volume that is attached to no virtual machine.
    fn free_volume(&self, uuid: &str) -> Result<Row, Failure> {
        let volume = self.get("VolumeInventory", uuid)?;
        if !volume.get("vmInstanceUuid").is_null() || volume.text("status") != Some("Ready") {
            return Err(Failure::refused(format!("the volume[uuid:{uuid}] is attached to a vm, or it is not Ready")));
        }
        Ok(volume)
    }

    /// The hosts whose clusters have all L2 networks and a primary storage with room, or that one.
    fn hosts_for(&self, networks: &[&str], demand: Demand, storage: Option<&str>) -> Result<Vec<Row>, Failure> {
        let mut conditions = Vec::new();
        for (parameter, field) in [("hostUuid", "uuid"), ("clusterUuid", "clusterUuid"), ("zoneUuid", "zoneUuid")] {
            if let Some(uuid) = self.arguments.text(parameter) {
                conditions.push((field, uuid));
            }
        }
        let mut l2_networks = Vec::new();
        for network in networks {
            let row = self.get("L3NetworkInventory", network)?;
            if row.text("state") == Some("Disabled") {
                return Err(Failure::refused(format!("the L3 network[uuid:{network}] is disabled")));
            }
            l2_networks.push(row.text("l2NetworkUuid").unwrap_or_default().to_owned());
        }
        self.with_room(self.find("HostInventory", &conditions)?, demand, |cluster| {
            for l2_network in &l2_networks {
                let condition = [("clusterUuid", cluster), ("l2NetworkUuid", l2_network.as_str())];
                if self.find("L2NetworkClusterRefInventory", &condition)?.is_empty() {
                    return Ok(Some(format!("its cluster is not attached to the L2 network[uuid:{l2_network}]")));
                }
            }
            Ok(self.storage_of(cluster, storage, demand.disk)?.err())
        })
    }

    /// A place for a virtual machine, on that primary storage if there is one.
    fn place(&self, networks: &[&str], demand: Demand, storage: Option<&str>) -> Result<Placement, Failure> {
        let wanted = storage.or(self.arguments.text("primaryStorageUuidForRootVolume"));
        let hosts = self.hosts_for(networks, demand, wanted)?;
        let host = hosts.first().cloned().unwrap_or_default();
        let cluster = host.text("clusterUuid").unwrap_or_default();
        let primary_storage = self.storage_of(cluster, wanted, demand.disk)?.map_err(Failure::refused)?;
        Ok(Placement {
            zone: host.get("zoneUuid").clone(),
            cluster: cluster.to_owned(),
            host: host.text("uuid").unwrap_or_default().to_owned(),
            primary_storage,
        })
    }

    /// A primary storage of a cluster with room for volumes of that size; or why there is none.
    fn storage_of(&self, cluster: &str, wanted: Option<&str>, size: i64) -> Result<Result<String, String>, Failure> {
        let mut reasons = Vec::new();
        for reference in self.find("PrimaryStorageClusterRefInventory", &[("clusterUuid", cluster)])? {
            let Some(storage) = self.referred("PrimaryStorageInventory", &reference, "primaryStorageUuid")? else {
                continue;
            };
            let uuid = storage.text("uuid").unwrap_or_default();
            if wanted.is_some_and(|wanted| wanted != uuid) {
                continue;
            }
            match self.lack_of_space("PrimaryStorageInventory", &storage, size)? {
                None => return Ok(Ok(uuid.to_owned())),
                Some(reason) => reasons.push(format!("the primary storage[uuid:{uuid}] has no room: {reason}")),
            }
        }
        Ok(Err(if reasons.is_empty() {
            "its cluster is not attached to such a primary storage".to_owned()
        } else {
            reasons.join("; ")
        }))
    }

    /// The size of the root volume: of the offering, the call, or the image.
    fn root_disk_size(&self, image: Option<&Row>) -> Result<i64, Failure> {
        let size = match self.arguments.text("rootDiskOfferingUuid") {
            Some(offering) => self.get("DiskOfferingInventory", offering)?.get("diskSize").as_integer(),
            None => self
                .arguments
                .integer("rootDiskSize")
                .or_else(|| image.and_then(|image| image.get("size").as_integer())),
        };
        Ok(size.unwrap_or(10 << 30))
    }

    /// The sizes of the data volumes of the call, with their offerings.
    fn data_disks(&self) -> Result<Vec<(i64, Scalar)>, Failure> {
        let mut sizes = Vec::new();
        for offering in self.arguments.texts("dataDiskOfferingUuids") {
            let row = self.get("DiskOfferingInventory", offering)?;
            sizes.push((row.get("diskSize").as_integer().unwrap_or_default(), Scalar::from(offering)));
        }
        let plain = self.arguments.get("dataDiskSizes").and_then(Value::as_array).into_iter().flatten();
        sizes.extend(plain.filter_map(Value::as_i64).map(|size| (size, Scalar::Null)));
        Ok(sizes)
    }

    fn add_data_volumes(&self, vm: &str, disks: Vec<(i64, Scalar)>, primary_storage: &str) -> Result<(), Failure> {
        for (at, (size, offering)) in (1_i64..).zip(disks) {
            let name = format!("DATA-for-{}-{at}", self.text("name"));
            let row = self.volume_row(&new_uuid(), &name, "Data", size, primary_storage);
            self.insert(
                "VolumeInventory",
                &row.with("vmInstanceUuid", vm).with("deviceId", at).with("diskOfferingUuid", offering),
            )?;
        }
        Ok(())
    }
}
