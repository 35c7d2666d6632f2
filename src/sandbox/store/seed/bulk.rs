//! Inserting many virtual machines, for load tests.

use rusqlite::params;
use rusqlite::types::Value as Sql;

use super::super::change::Transaction;
use super::super::error::StoreError;
use super::super::row::{Row, Scalar};
use super::super::schema;

/// Above this count indexes are dropped and recreated, which is faster for many rows.
const MANY: u64 = 5_000;

/// The most virtual machines on a new host.
const VMS_PER_HOST: u64 = 40;

/// The size of a root volume in bytes.
const ROOT_SIZE: i64 = 8 << 30;

/// The states of the virtual machines: most are running.
const STATES: [&str; 10] =
    ["Running", "Running", "Running", "Stopped", "Running", "Running", "Running", "Running", "Paused", "Stopped"];

/// The families of the inserted rows.
const FAMILIES: [&str; 4] = ["VmInstanceInventory", "VmNicInventory", "VolumeInventory", "AccountResourceRefInventory"];

/// The parents of new virtual machines: the first of each kind in the store.
struct Infrastructure {
    zone: String,
    cluster: String,
    hosts: Vec<String>,
    image: String,
    offering: String,
    network: String,
    storage: String,
}

/// Adds `count` virtual machines with a nic and a root volume each.
pub(in crate::sandbox::store) fn insert_vms(tx: &Transaction<'_>, count: u64) -> Result<(), StoreError> {
    let mut site = site(tx)?;
    grow(tx, &mut site, count)?;
    let mut indexes = Vec::new();
    for family in FAMILIES {
        let shape = tx.shape(family)?;
        schema::ensure_table(tx.connection(), tx.model(), &shape)?;
        if count >= MANY {
            indexes.extend(schema::drop_indexes(tx.connection(), shape.table(), |_| true)?);
        }
    }
    insert_rows(tx, &site, count)?;
    for index in indexes {
        tx.connection().execute_batch(&index)?;
    }
    Ok(())
}

fn site(tx: &Transaction<'_>) -> Result<Infrastructure, StoreError> {
    let missing = |what: &str| StoreError::Seed(format!("there is no {what} to build virtual machines on"));
    let uuids = |inventory: &str, conditions: &[(&str, Scalar)]| -> Result<Vec<String>, StoreError> {
        let rows = tx.find_where(inventory, conditions)?;
        Ok(rows.iter().filter_map(|row: &Row| row.text("uuid")).map(str::to_owned).collect())
    };
    let first = |inventory: &str, conditions: &[(&str, Scalar)]| -> Result<String, StoreError> {
        uuids(inventory, conditions)?.into_iter().next().ok_or_else(|| missing(inventory))
    };
    let cluster = first("ClusterInventory", &[])?;
    let clusters = tx.get("ClusterInventory", &cluster)?.unwrap_or_default();
    let zone = clusters.text("zoneUuid").ok_or_else(|| missing("zone"))?.to_owned();
    let usable =
        [("clusterUuid", cluster.as_str().into()), ("state", "Enabled".into()), ("status", "Connected".into())];
    let hosts = uuids("HostInventory", &usable)?;
    if hosts.is_empty() {
        return Err(missing("host"));
    }
    let in_zone = [("zoneUuid", Scalar::from(zone.as_str()))];
    let private = [("zoneUuid", Scalar::from(zone.as_str())), ("category", "Private".into())];
    Ok(Infrastructure {
        hosts,
        image: first("ImageInventory", &[("mediaType", "RootVolumeTemplate".into())])?,
        offering: first("InstanceOfferingInventory", &[("type", "UserVm".into())])?,
        network: first("L3NetworkInventory", &private)?,
        storage: first("PrimaryStorageInventory", &in_zone)?,
        cluster,
        zone,
    })
}

/// Adds the hosts and the storage that the virtual machines need.
fn grow(tx: &Transaction<'_>, site: &mut Infrastructure, count: u64) -> Result<(), StoreError> {
    let cluster = [("clusterUuid", Scalar::from(site.cluster.as_str()))];
    let present = tx.texts("VmInstanceInventory", "uuid", &cluster)?.len() as u64;
    if present + count > site.hosts.len() as u64 * VMS_PER_HOST {
        let first = tx.texts("HostInventory", "uuid", &[])?.len() as u64;
        let model = tx.get("HostInventory", &site.hosts[0])?.unwrap_or_default();
        site.hosts.clear();
        for at in first..first + count.div_ceil(VMS_PER_HOST) {
            let mut row = model.clone();
            let host = uuid(at, 0);
            row.set("uuid", host.as_str());
            row.set("name", format!("host-{}", at + 1));
            row.set("managementIp", format!("172.21.{}.{}", at / 250 % 256, at % 250 + 1));
            row.set("cpuNum", 64);
            for (field, size) in [("CpuCapacity", 640), ("MemoryCapacity", 512 << 30)] {
                row.set(&format!("total{field}"), size);
                row.set(&format!("available{field}"), size);
            }
            tx.insert("KVMHostInventory", &row)?;
            site.hosts.push(host);
        }
    }
    // What it already offers stays free.
    let more = i64::try_from(count).unwrap_or_default().saturating_mul(ROOT_SIZE);
    tx.connection().execute(
        "UPDATE PrimaryStorage SET totalCapacity = totalCapacity + ?2, availableCapacity = availableCapacity + ?2, \
         totalPhysicalCapacity = totalPhysicalCapacity + ?2, \
         availablePhysicalCapacity = availablePhysicalCapacity + ?2 WHERE uuid = ?1",
        params![site.storage, more],
    )?;
    Ok(())
}

fn insert_rows(tx: &Transaction<'_>, site: &Infrastructure, count: u64) -> Result<(), StoreError> {
    let connection = tx.connection();
    // A row's number is its key minus one, so numbers of existing rows are unique.
    let offset: i64 = connection.query_row("SELECT coalesce(max(_id), 0) FROM VmInstance", [], |row| row.get(0))?;
    let offset = offset.unsigned_abs();
    let now = super::super::timestamp::now();
    let mut machine = connection.prepare(
        "INSERT INTO VmInstance (_inventory, uuid, name, zoneUuid, clusterUuid, imageUuid, hostUuid, lastHostUuid, \
         instanceOfferingUuid, rootVolumeUuid, platform, architecture, defaultL3NetworkUuid, type, hypervisorType, \
         memorySize, reservedMemorySize, cpuNum, cpuSpeed, allocatorStrategy, createDate, lastOpDate, state, \
         guestOsType) VALUES ('VmInstanceInventory', ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'Linux', 'x86_64', ?10, \
         'UserVm', 'KVM', ?11, 0, ?12, 0, 'LeastVmPreferredHostAllocatorStrategy', ?13, ?13, ?14, 'CentOS 7')",
    )?;
    let mut nic = connection.prepare(
        "INSERT INTO VmNic (_inventory, uuid, vmInstanceUuid, l3NetworkUuid, ip, mac, hypervisorType, netmask, \
         gateway, ipVersion, driverType, internalName, deviceId, type, state, createDate, lastOpDate) \
         VALUES ('VmNicInventory', ?1, ?2, ?3, ?4, ?5, 'KVM', '255.0.0.0', '10.0.0.1', 4, 'virtio', ?6, 0, 'VNIC', \
         'enable', ?7, ?7)",
    )?;
    let mut volume = connection.prepare(
        "INSERT INTO Volume (_inventory, uuid, name, description, primaryStorageUuid, vmInstanceUuid, rootImageUuid, \
         installPath, type, format, size, actualSize, deviceId, state, status, createDate, lastOpDate, isShareable) \
         VALUES ('VolumeInventory', ?1, ?2, ?3, ?4, ?5, ?6, ?7, 'Root', 'qcow2', 8589934592, 1503238553, 0, \
         'Enabled', 'Ready', ?8, ?8, 0)",
    )?;
    let mut owner = connection.prepare(
        "INSERT INTO AccountResourceRef (_inventory, accountUuid, resourceUuid, resourceType, concreteResourceType, \
         createDate, lastOpDate) VALUES ('AccountResourceRefInventory', ?1, ?2, ?3, ?3, ?4, ?4)",
    )?;
    let sizes: [(i64, i64); 4] = [(1, 1 << 30), (2, 4 << 30), (4, 8 << 30), (8, 16 << 30)];
    for at in offset..offset + count {
        let spread = usize::try_from(at).unwrap_or(0);
        let (machine_uuid, volume_uuid, nic_uuid) = (uuid(at, 1), uuid(at, 2), uuid(at, 3));
        let state = STATES[spread % STATES.len()];
        let host = &site.hosts[spread / STATES.len() % site.hosts.len()];
        let runs_on = if state == "Stopped" { Sql::Null } else { Sql::Text(host.clone()) };
        let (cpus, memory) = sizes[spread / 7 % sizes.len()];
        machine.execute(params![
            machine_uuid,
            format!("vm-{at:06}"),
            site.zone,
            site.cluster,
            site.image,
            runs_on,
            host,
            site.offering,
            volume_uuid,
            site.network,
            memory,
            cpus,
            now,
            state,
        ])?;
        let low = at & 0xff_ffff;
        let (a, b, c) = (low >> 16, low >> 8 & 0xff, low & 0xff);
        nic.execute(params![
            nic_uuid,
            machine_uuid,
            site.network,
            format!("10.{}.{b}.{c}", 64 + a % 192),
            format!("fa:5c:{:02x}:{a:02x}:{b:02x}:{c:02x}", at >> 24 & 0xff),
            format!("vnic{at}.0"),
            now,
        ])?;
        volume.execute(params![
            volume_uuid,
            format!("ROOT-for-vm-{at:06}"),
            format!("Root volume for VM[uuid:{machine_uuid}]"),
            site.storage,
            machine_uuid,
            site.image,
            format!("/zstack_ps/rootVolumes/vol-{volume_uuid}/{volume_uuid}.qcow2"),
            now,
        ])?;
        for (resource, kind) in [(&machine_uuid, "VmInstanceVO"), (&volume_uuid, "VolumeVO")] {
            owner.execute(params![crate::sandbox::store::ADMIN_ACCOUNT, resource, kind, now])?;
        }
    }
    Ok(())
}

/// A reproducible version-4 uuid for a number and kind.
fn uuid(number: u64, kind: u64) -> String {
    // SplitMix64, a bijection with well-distributed output.
    let mix = |value: u64| {
        let value = value.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ value >> 31
    };
    let low = mix(number * 4 + kind);
    let high = mix(low ^ kind);
    let high = high & 0xffff_ffff_ffff_0fff | 0x4000;
    let low = low & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000;
    format!("{high:016x}{low:016x}")
}
