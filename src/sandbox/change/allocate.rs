//! Finding room: hosts for virtual machines, storages for volumes and images.

use std::collections::HashMap;

use super::super::answer::Failure;
use super::super::store::Row;
use super::Change;

/// The most hosts whose refusals an error lists.
const MOST_CAUSES: usize = 20;

/// What a virtual machine needs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Demand {
    pub(super) cpus: i64,
    /// In bytes, as is `disk`: the sizes of volumes that are still to be created.
    pub(super) memory: i64,
    pub(super) disk: i64,
}

impl Demand {
    /// What a row of a virtual machine needs of a host.
    pub(super) fn of(vm: &Row) -> Demand {
        let number = |field: &str| vm.get(field).as_integer().unwrap_or_default();
        Demand { cpus: number("cpuNum"), memory: number("memorySize"), disk: 0 }
    }
}

impl Change<'_> {
    /// Those of some hosts that have room for a virtual machine, the one with the fewest of them first.
    /// `refuses` is the reason why no host of a cluster can take it.
    ///
    /// # Errors
    /// `HOST_ALLOCATION.1001` with the reason of each host, if there is none.
    pub(super) fn with_room(
        &self,
        hosts: Vec<Row>,
        demand: Demand,
        refuses: impl Fn(&str) -> Result<Option<String>, Failure>,
    ) -> Result<Vec<Row>, Failure> {
        let mut clusters: HashMap<String, Option<String>> = HashMap::new();
        let (mut fitting, mut refusals) = (Vec::new(), Vec::new());
        let room = self.room()?;
        for host in hosts {
            let cluster = host.text("clusterUuid").unwrap_or_default();
            if !clusters.contains_key(cluster) {
                let reason = match self.disabled(cluster)? {
                    Some(reason) => Some(reason),
                    None => refuses(cluster)?,
                };
                clusters.insert(cluster.to_owned(), reason);
            }
            match clusters.get(cluster).cloned().flatten().or_else(|| room.lack(&host, demand)) {
                Some(reason) if refusals.len() < MOST_CAUSES => refusals.push(Failure::refused(format!(
                    "the host[uuid:{}, name:{}] cannot take the vm: {reason}",
                    host.text("uuid").unwrap_or_default(),
                    host.text("name").unwrap_or_default(),
                ))),
                Some(_) => {}
                None => fitting.push(host),
            }
        }
        if fitting.is_empty() {
            return Err(no_host(demand, refusals));
        }
        let counts = self.tx.count_by("VmInstanceInventory", "hostUuid")?;
        fitting.sort_by_key(|host| host.text("uuid").and_then(|uuid| counts.get(uuid)).copied().unwrap_or_default());
        Ok(fitting)
    }

    /// Fails if the host of a running virtual machine has no room for its new size.
    pub(super) fn check_growth(&self, vm: &Row, cpus: Option<i64>, memory: Option<i64>) -> Result<(), Failure> {
        let Some(host) = vm.text("hostUuid") else { return Ok(()) };
        let now = Demand::of(vm);
        let more = Demand {
            cpus: (cpus.unwrap_or(now.cpus) - now.cpus).max(0),
            memory: (memory.unwrap_or(now.memory) - now.memory).max(0),
            disk: 0,
        };
        let room = self.room()?;
        let Some(row) = self.tx.get("HostInventory", host)? else { return Ok(()) };
        match room.lack_of_capacity(&row, more) {
            Some(reason) => Err(no_host(more, vec![Failure::refused(format!("the host[uuid:{host}]: {reason}"))])),
            None => Ok(()),
        }
    }

    /// Why virtual machines cannot run in a cluster: it or its zone is disabled.
    fn disabled(&self, cluster: &str) -> Result<Option<String>, Failure> {
        let Some(row) = self.tx.get("ClusterInventory", cluster)? else { return Ok(None) };
        if row.text("state") == Some("Disabled") {
            return Ok(Some(format!("its cluster[uuid:{cluster}] is disabled")));
        }
        let zone = self.referred("ZoneInventory", &row, "zoneUuid")?;
        Ok(zone.filter(|zone| zone.text("state") == Some("Disabled")).map(|_| "its zone is disabled".to_owned()))
    }

    /// Why a primary or backup storage cannot take that many bytes more.
    pub(super) fn lack_of_space(&self, inventory: &str, storage: &Row, size: i64) -> Result<Option<String>, Failure> {
        let (state, status) = (storage.text("state").unwrap_or_default(), storage.text("status").unwrap_or_default());
        if state != "Enabled" || status != "Connected" {
            return Ok(Some(format!("it is {state} and {status}")));
        }
        let is_primary = inventory == "PrimaryStorageInventory";
        let ratio = if is_primary { self.ratio("overProvisioning.primaryStorage")? } else { 1.0 };
        let category = if is_primary { "primaryStorage" } else { "backupStorage" };
        let reserved = self.config(category, "reservedCapacity")?.and_then(|text| bytes(&text)).unwrap_or_default();
        let Some(left) = storage.get("availableCapacity").as_integer() else { return Ok(None) };
        let needed = divided(size, ratio);
        Ok((needed > 0 && left - reserved < needed)
            .then(|| format!("it has {left} bytes left, of which {reserved} are reserved; {needed} bytes are needed")))
    }

    /// Fails if a primary or backup storage cannot take that many bytes more.
    pub(super) fn check_space(&self, inventory: &str, uuid: &str, size: i64) -> Result<(), Failure> {
        let Some(storage) = self.tx.get(inventory, uuid)? else { return Ok(()) };
        let kind = if inventory == "PrimaryStorageInventory" { "primary" } else { "backup" };
        match self.lack_of_space(inventory, &storage, size)? {
            Some(reason) => Err(Failure::refused(format!("cannot allocate the {kind} storage[uuid:{uuid}]"))
                .because(Failure::refused(reason))),
            None => Ok(()),
        }
    }

    /// The value of a global configuration.
    pub(super) fn config(&self, category: &str, name: &str) -> Result<Option<String>, Failure> {
        let found = self.find("GlobalConfigInventory", &[("category", category), ("name", name)])?;
        Ok(found.first().and_then(|row| row.text("value")).map(str::to_owned))
    }

    fn ratio(&self, name: &str) -> Result<f64, Failure> {
        let ratio = self.config("mevoco", name)?.and_then(|text| text.parse::<f64>().ok());
        Ok(ratio.filter(|ratio| *ratio > 0.0).unwrap_or(1.0))
    }

    /// The rules for the room on hosts, by the global configurations.
    pub(super) fn room(&self) -> Result<Room, Failure> {
        let reserved = self.config("kvm", "reservedMemory")?.and_then(|text| bytes(&text)).unwrap_or_default();
        Ok(Room { memory_ratio: self.ratio("overProvisioning.memory")?, reserved })
    }
}

/// The rules for the room on hosts.
#[derive(Debug)]
pub(super) struct Room {
    memory_ratio: f64,
    reserved: i64,
}

impl Room {
    /// Why a host cannot take a virtual machine; `None` if it can.
    pub(super) fn lack(&self, host: &Row, demand: Demand) -> Option<String> {
        let (state, status) = (host.text("state").unwrap_or_default(), host.text("status").unwrap_or_default());
        if state != "Enabled" || status != "Connected" {
            return Some(format!("it is {state} and {status}"));
        }
        self.lack_of_capacity(host, demand)
    }

    /// Counts a virtual machine in the row of its host.
    pub(super) fn take(&self, host: &mut Row, demand: Demand) {
        for (field, size) in [
            ("availableCpuCapacity", demand.cpus),
            ("availableMemoryCapacity", divided(demand.memory, self.memory_ratio)),
        ] {
            if let Some(left) = host.get(field).as_integer() {
                host.set(field, left - size);
            }
        }
    }

    fn lack_of_capacity(&self, host: &Row, demand: Demand) -> Option<String> {
        let left = host.get("availableCpuCapacity").as_integer().unwrap_or(i64::MAX);
        if left < demand.cpus {
            return Some(format!("it has {left} cpus left, {} are needed", demand.cpus));
        }
        let left = host.get("availableMemoryCapacity").as_integer().unwrap_or(i64::MAX).saturating_sub(self.reserved);
        let needed = divided(demand.memory, self.memory_ratio);
        (left < needed).then(|| format!("it has {} bytes of memory left, {needed} are needed", left.max(0)))
    }
}

/// The error if no host was found.
fn no_host(demand: Demand, refusals: Vec<Failure>) -> Failure {
    let details = if refusals.is_empty() {
        "there is no such host".to_owned()
    } else {
        format!("no host can take a vm with {} cpus and {} bytes of memory", demand.cpus, demand.memory)
    };
    Failure::new("HOST_ALLOCATION.1001", details).with_causes(refusals)
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
fn divided(size: i64, ratio: f64) -> i64 {
    (size as f64 / ratio) as i64
}

/// A size such as `1G`, in bytes.
pub(super) fn bytes(text: &str) -> Option<i64> {
    let text = text.trim().trim_end_matches(['B', 'b']);
    let shift = match text.chars().last()?.to_ascii_uppercase() {
        'K' => 10,
        'M' => 20,
        'G' => 30,
        'T' => 40,
        'P' => 50,
        _ => 0,
    };
    let digits = if shift == 0 { text } else { &text[..text.len() - 1] };
    digits.parse::<i64>().ok()?.checked_shl(shift)
}
