//! Candidates for actions: hosts to migrate to, networks and volumes to attach, free addresses.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::super::answer::Failure;
use super::super::change::{Change, Handler};
use super::super::store::Row;

/// The APIs that list candidates.
pub(in super::super) const WORK: &[(&str, Handler)] = &[
    ("CheckIpAvailability", check_address),
    ("GetCandidateIsoForAttachingVm", isos),
    ("GetDataVolumeAttachableVm", vms_for_volume),
    ("GetEipAttachableVmNics", nics_for_eip),
    ("GetFreeIp", free_addresses),
    ("GetFreeIpOfIpRange", free_addresses),
    ("GetFreeIpOfL3Network", free_addresses),
    ("GetHostCandidatesForVmMigration", hosts_to_migrate_to),
    ("GetImageCandidatesForVmToChange", images_for_vm),
    ("GetVmAttachableDataVolume", volumes_for_vm),
    ("GetVmAttachableL3Network", networks_for_vm),
    ("GetVmMigrationCandidateHosts", hosts_to_migrate_to),
    ("GetVmStartingCandidateClustersHosts", hosts_to_start_on),
];

const VM: &str = "VmInstanceInventory";

/// The inventories of rows, as a JSON list.
fn list(change: &Change<'_>, inventory: &str, rows: &[Row]) -> Result<String, Failure> {
    let mut texts = Vec::new();
    for uuid in rows.iter().filter_map(|row| row.text("uuid")) {
        texts.extend(change.tx.inventory_json(inventory, uuid)?);
    }
    Ok(format!("[{}]", texts.join(",")))
}

fn reply(change: &Change<'_>, inventory: &str, rows: &[Row]) -> Result<String, Failure> {
    Ok(format!("{{\"inventories\":{}}}", list(change, inventory, rows)?))
}

fn hosts_to_migrate_to(change: &Change<'_>) -> Result<String, Failure> {
    let vm = change.get(VM, change.text("vmInstanceUuid"))?;
    let mut hosts = candidates(change, &vm, vm.text("hostUuid"))?;
    if let Some(storage) = change.arguments.text("dstPrimaryStorageUuid") {
        let attached = change.find("PrimaryStorageClusterRefInventory", &[("primaryStorageUuid", storage)])?;
        hosts.retain(|host| attached.iter().any(|reference| reference.get("clusterUuid") == host.get("clusterUuid")));
    }
    let limit = change.arguments.integer("limit").and_then(|limit| usize::try_from(limit).ok());
    hosts.truncate(limit.unwrap_or(usize::MAX));
    reply(change, "HostInventory", &hosts)
}

/// The images that a virtual machine can be changed to: others for its architecture.
fn images_for_vm(change: &Change<'_>) -> Result<String, Failure> {
    let vm = change.get(VM, change.text("vmInstanceUuid"))?;
    let ready = [("mediaType", "RootVolumeTemplate"), ("state", "Enabled"), ("status", "Ready")];
    let mut images = change.find("ImageInventory", &ready)?;
    images.retain(|image| {
        let fits = image.get("architecture").is_null() || image.get("architecture") == vm.get("architecture");
        fits && image.get("uuid") != vm.get("imageUuid")
    });
    reply(change, "ImageInventory", &images)
}

fn hosts_to_start_on(change: &Change<'_>) -> Result<String, Failure> {
    let vm = change.get(VM, change.text("uuid"))?;
    let cluster = vm.text("clusterUuid").unwrap_or_default();
    let hosts = list(change, "HostInventory", &candidates(change, &vm, None)?)?;
    let clusters = list(change, "ClusterInventory", &change.find("ClusterInventory", &[("uuid", cluster)])?)?;
    Ok(format!("{{\"hosts\":{hosts},\"clusters\":{clusters}}}"))
}

/// The hosts with room for a virtual machine, without one of them.
fn candidates(change: &Change<'_>, vm: &Row, without: Option<&str>) -> Result<Vec<Row>, Failure> {
    match change.hosts_with_room(vm, None, without) {
        Err(failure) if failure.code == "HOST_ALLOCATION.1001" => Ok(Vec::new()),
        outcome => outcome,
    }
}

fn networks_for_vm(change: &Change<'_>) -> Result<String, Failure> {
    let vm = change.get(VM, change.text("vmInstanceUuid"))?;
    let cluster = vm.text("clusterUuid").unwrap_or_default();
    let reached = change.find("L2NetworkClusterRefInventory", &[("clusterUuid", cluster)])?;
    let nics = change.find("VmNicInventory", &[("vmInstanceUuid", change.text("vmInstanceUuid"))])?;
    let mut networks = change.find("L3NetworkInventory", &[("state", "Enabled")])?;
    networks.retain(|network| {
        network.get("system").as_integer() != Some(1)
            && reached.iter().any(|reference| reference.get("l2NetworkUuid") == network.get("l2NetworkUuid"))
            && !nics.iter().any(|nic| nic.get("l3NetworkUuid") == network.get("uuid"))
    });
    reply(change, "L3NetworkInventory", &networks)
}

fn volumes_for_vm(change: &Change<'_>) -> Result<String, Failure> {
    change.get(VM, change.text("vmInstanceUuid"))?;
    let mut volumes = change.find("VolumeInventory", &[("type", "Data"), ("state", "Enabled")])?;
    volumes.retain(|volume| {
        volume.get("vmInstanceUuid").is_null() && matches!(volume.text("status"), Some("Ready" | "NotInstantiated"))
    });
    reply(change, "VolumeInventory", &volumes)
}

fn vms_for_volume(change: &Change<'_>) -> Result<String, Failure> {
    change.get("VolumeInventory", change.text("volumeUuid"))?;
    let mut vms = change.find(VM, &[("type", "UserVm")])?;
    vms.retain(|vm| matches!(vm.text("state"), Some("Running" | "Stopped")));
    reply(change, VM, &vms)
}

fn isos(change: &Change<'_>) -> Result<String, Failure> {
    change.get(VM, change.text("vmInstanceUuid"))?;
    let isos = change.find("ImageInventory", &[("mediaType", "ISO"), ("state", "Enabled"), ("status", "Ready")])?;
    reply(change, "ImageInventory", &isos)
}

fn nics_for_eip(change: &Change<'_>) -> Result<String, Failure> {
    let bound = change.find("EipInventory", &[])?;
    let public = change.find("L3NetworkInventory", &[("category", "Private")])?;
    let mut nics = change.find("VmNicInventory", &[])?;
    nics.retain(|nic| {
        !bound.iter().any(|eip| eip.get("vmNicUuid") == nic.get("uuid"))
            && public.iter().any(|network| network.get("uuid") == nic.get("l3NetworkUuid"))
    });
    Ok(format!("{{\"inventories\":{},\"more\":false,\"success\":true}}", list(change, "VmNicInventory", &nics)?))
}

/// The first free addresses.
fn free_addresses(change: &Change<'_>) -> Result<String, Failure> {
    let limit = usize::try_from(change.arguments.integer("limit").unwrap_or(100)).unwrap_or_default();
    let ranges = match (change.arguments.text("ipRangeUuid"), change.arguments.text("l3NetworkUuid")) {
        (Some(range), _) => vec![change.get("IpRangeInventory", range)?],
        (None, Some(network)) => change.find("IpRangeInventory", &[("l3NetworkUuid", network)])?,
        (None, None) => {
            return Err(Failure::argument("field[l3NetworkUuid] and field[ipRangeUuid] cannot both be null"));
        }
    };
    let start: Option<Ipv4Addr> = change.arguments.text("start").and_then(|text| text.parse().ok());
    let mut free = Vec::new();
    for range in &ranges {
        let network = range.text("l3NetworkUuid").unwrap_or_default();
        let left = limit.saturating_sub(free.len());
        for ip in change
            .free_in(range, &change.taken_addresses(network)?)
            .filter(|ip| start.is_none_or(|start| *ip >= start))
            .take(left)
        {
            free.push(json!({
                "ipRangeUuid": range.text("uuid"),
                "ip": ip.to_string(),
                "netmask": range.text("netmask"),
                "gateway": range.text("gateway"),
            }));
        }
    }
    Ok(json!({ "inventories": Value::from(free) }).to_string())
}

fn check_address(change: &Change<'_>) -> Result<String, Failure> {
    Ok(match change.free_address(change.text("l3NetworkUuid"), Some(change.text("ip"))) {
        Ok(_) => json!({ "available": true, "success": true }),
        Err(failure) if failure.code == "SYS.1007" => return Err(failure),
        Err(failure) => {
            json!({ "available": false, "reason": failure.cause.map(|cause| cause.details), "success": true })
        }
    }
    .to_string())
}
