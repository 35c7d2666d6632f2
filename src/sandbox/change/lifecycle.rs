//! States of virtual machines and their transitions.

use std::collections::HashMap;
use std::time::Instant;

use super::super::answer::Failure;
use super::super::store::{Row, Scalar};
use super::Change;
use super::allocate::Demand;

/// A state transition.
#[derive(Debug)]
pub(super) struct Transition {
    api: &'static str,
    parameter: &'static str,
    from: &'static [&'static str],
    /// The state while the job runs.
    during: Option<&'static str>,
    to: &'static str,
}

const VM: &str = "VmInstanceInventory";

/// The number of virtual machines that are moved together.
const BATCH: usize = 500;

const TRANSITIONS: [Transition; 10] = [
    transition_of("StartVmInstance", "uuid", &["Stopped", "Created", "Crashed"], Some("Starting"), "Running"),
    transition_of("StopVmInstance", "uuid", &["Running", "Paused", "Unknown", "Stopped"], Some("Stopping"), "Stopped"),
    transition_of("RebootVmInstance", "uuid", &["Running"], Some("Rebooting"), "Running"),
    transition_of("PauseVmInstance", "uuid", &["Running"], Some("Pausing"), "Paused"),
    transition_of("ResumeVmInstance", "uuid", &["Paused"], Some("Resuming"), "Running"),
    transition_of("MigrateVm", "vmInstanceUuid", &["Running"], Some("Migrating"), "Running"),
    transition_of("ReimageVmInstance", "vmInstanceUuid", &["Stopped"], None, "Stopped"),
    transition_of(
        "DestroyVmInstance",
        "uuid",
        &["Running", "Paused", "Stopped", "Created", "Crashed", "Unknown", "Error", "Destroyed"],
        Some("Destroying"),
        "Destroyed",
    ),
    transition_of("RecoverVmInstance", "uuid", &["Destroyed"], None, "Stopped"),
    transition_of("ExpungeVmInstance", "uuid", &["Destroyed"], Some("Expunging"), ""),
];

const fn transition_of(
    api: &'static str,
    parameter: &'static str,
    from: &'static [&'static str],
    during: Option<&'static str>,
    to: &'static str,
) -> Transition {
    Transition { api, parameter, from, during, to }
}

/// The transition of an API.
pub(super) fn transition(api: &str) -> Option<&'static Transition> {
    TRANSITIONS.iter().find(|transition| transition.api == api)
}

/// Moves the virtual machine to its new state.
pub(super) fn run(change: &Change<'_>) -> Result<String, Failure> {
    let transition = transition(change.api.name).ok_or_else(|| Failure::not_simulated(change.api.name))?;
    let uuid = change.text(transition.parameter);
    let Some(vm) = change.tx.get(VM, uuid)? else {
        // Destroying a missing one succeeds (J10); other calls were rejected before.
        return if transition.api == "DestroyVmInstance" {
            Ok("{}".to_owned())
        } else {
            change.get(VM, uuid).map(|_| String::new())
        };
    };
    let state = vm.text("state").unwrap_or_default();
    if !transition.from.contains(&state) && transition.during != Some(state) {
        return Err(change.wrong_state(uuid, state, transition));
    }
    let mut changes = Row::new().with("state", transition.to);
    match transition.api {
        "StartVmInstance" | "RebootVmInstance" | "ResumeVmInstance" if vm.get("hostUuid").is_null() => {
            let host = change.host_for(&vm, change.arguments.text("hostUuid"))?;
            changes.set("hostUuid", host);
        }
        "MigrateVm" => {
            let host = change.destination(&vm)?;
            changes.set("lastHostUuid", vm.get("hostUuid").clone());
            changes.set("hostUuid", host);
        }
        "StopVmInstance" | "DestroyVmInstance" => {
            if !vm.get("hostUuid").is_null() {
                changes.set("lastHostUuid", vm.get("hostUuid").clone());
            }
            changes.set("hostUuid", Scalar::Null);
            if transition.api == "DestroyVmInstance" && change.is_deleted_directly("vm")? {
                change.delete_tree(VM, uuid)?;
                return Ok("{}".to_owned());
            }
            if transition.api == "DestroyVmInstance" {
                change.set_root_volume(uuid, "Deleted")?;
            }
        }
        "RecoverVmInstance" => change.set_root_volume(uuid, "Ready")?,
        "ExpungeVmInstance" => {
            change.delete_tree(VM, uuid)?;
            return Ok("{}".to_owned());
        }
        _ => {}
    }
    change.update(VM, uuid, changes)?;
    if change.api.result.is_empty() { Ok("{}".to_owned()) } else { change.reply(VM, uuid) }
}

/// Whether an API may move all virtual machines of a host away.
pub(super) fn empties_host(api: &str) -> bool {
    api == "ChangeHostState"
}

/// Moves virtual machines away from a host that goes into maintenance.
pub(super) fn empty_in_parts(change: &Change<'_>, until: Instant) -> Result<bool, Failure> {
    if change.text("stateEvent") != "maintain" {
        return Ok(true);
    }
    let host = change.text("uuid");
    change.update("HostInventory", host, Row::new().with("state", "PreMaintenance"))?;
    change.empty_host(host, Some(until))
}

impl Change<'_> {
    /// Sets the state during the transition.
    pub(super) fn begin(&self, transition: &Transition) -> Result<(), Failure> {
        let Some(during) = transition.during else { return Ok(()) };
        let uuid = self.text(transition.parameter);
        let state = self.tx.get(VM, uuid)?.and_then(|vm| vm.text("state").map(str::to_owned));
        // Stopping a stopped one does not change the state.
        if state.is_some_and(|state| {
            state != transition.to || transition.api == "MigrateVm" || transition.api == "RebootVmInstance"
        }) {
            self.update(VM, uuid, Row::new().with("state", during))?;
        }
        Ok(())
    }

    fn wrong_state(&self, uuid: &str, state: &str, transition: &Transition) -> Failure {
        let what = transition.api.trim_end_matches("VmInstance").trim_end_matches("Vm").to_lowercase();
        Failure::refused(format!("cannot {what} the vm[uuid:{uuid}]")).because(Failure::new(
            "VM.1001",
            format!("its state is {state}; this needs one of [{}]", transition.from.join(", ")),
        ))
    }

    fn set_root_volume(&self, vm: &str, status: &str) -> Result<(), Failure> {
        let condition = [("vmInstanceUuid", Scalar::from(vm)), ("type", Scalar::from("Root"))];
        self.tx.update_where("VolumeInventory", &condition, &Row::new().with("status", status))?;
        Ok(())
    }

    /// A host for a virtual machine: the requested one, the last one, or any of its cluster.
    pub(super) fn host_for(&self, vm: &Row, wanted: Option<&str>) -> Result<String, Failure> {
        let hosts = self.hosts_with_room(vm, wanted, None).map_err(|cause| {
            Failure::refused(format!("cannot start the vm[uuid:{}]", vm.text("uuid").unwrap_or_default()))
                .because(cause)
        })?;
        let last = vm.text("lastHostUuid").filter(|last| hosts.iter().any(|host| host.text("uuid") == Some(last)));
        let first = || hosts.first().and_then(|host| host.text("uuid"));
        Ok(last.or_else(first).unwrap_or_default().to_owned())
    }

    /// The host to migrate to: the requested one, or another of the cluster.
    fn destination(&self, vm: &Row) -> Result<String, Failure> {
        let current = vm.text("hostUuid");
        let wanted = self.arguments.text("hostUuid");
        let failed = |cause| {
            Failure::refused(format!("cannot migrate the vm[uuid:{}]", vm.text("uuid").unwrap_or_default()))
                .because(cause)
        };
        if wanted.is_some() && wanted == current {
            return Err(failed(Failure::argument("field[hostUuid] is the host that the vm runs on")));
        }
        let hosts = self.hosts_with_room(vm, wanted, current).map_err(failed)?;
        Ok(hosts.first().and_then(|host| host.text("uuid")).unwrap_or_default().to_owned())
    }

    /// The hosts of a virtual machine's cluster that have room for it, without one of them.
    ///
    /// # Errors
    /// `HOST_ALLOCATION.1001`, if there is none.
    pub(in super::super) fn hosts_with_room(
        &self,
        vm: &Row,
        wanted: Option<&str>,
        without: Option<&str>,
    ) -> Result<Vec<Row>, Failure> {
        let mut conditions = vec![("clusterUuid", vm.text("clusterUuid").unwrap_or_default())];
        conditions.extend(wanted.map(|uuid| ("uuid", uuid)));
        let mut hosts = self.find("HostInventory", &conditions)?;
        hosts.retain(|host| without.is_none() || host.text("uuid") != without);
        self.with_room(hosts, Demand::of(vm), |_| Ok(None))
    }

    /// Migrates the virtual machines of a host to those of its cluster with room, or stops them, until a point in time
    /// if there is one. Returns whether none is left.
    pub(super) fn empty_host(&self, host: &str, until: Option<Instant>) -> Result<bool, Failure> {
        let Some(cluster) = self.tx.get("HostInventory", host)? else { return Ok(true) };
        let vms = self.tx.texts(VM, "uuid", &[("hostUuid", Scalar::from(host))])?;
        if vms.is_empty() {
            return Ok(true);
        }
        let room = self.room()?;
        let mut others =
            self.find("HostInventory", &[("clusterUuid", cluster.text("clusterUuid").unwrap_or_default())])?;
        others.retain(|other| other.text("uuid") != Some(host));
        // The search goes on from the host that was found last, since those before it are full.
        let mut next = 0;
        for batch in vms.chunks(BATCH) {
            if until.is_some_and(|until| Instant::now() >= until) {
                return Ok(false);
            }
            let mut moved: HashMap<Option<usize>, Vec<String>> = HashMap::new();
            for uuid in batch {
                let demand = Demand::of(&self.get(VM, uuid)?);
                let mut places = (next..others.len()).chain(0..next);
                let found = places.find(|at| room.lack(&others[*at], demand).is_none());
                if let Some(at) = found {
                    room.take(&mut others[at], demand);
                    next = at;
                }
                moved.entry(found).or_default().push(uuid.clone());
            }
            for (place, vms) in moved {
                let mut changes = Row::new().with("lastHostUuid", host).with("lastOpDate", self.now.to_stored());
                match place {
                    Some(at) => changes.set("hostUuid", others[at].get("uuid").clone()),
                    None => {
                        changes.set("hostUuid", Scalar::Null);
                        changes.set("state", "Stopped");
                    }
                }
                self.tx.update_among(VM, ("uuid", &vms), &changes)?;
            }
        }
        Ok(true)
    }
}
