//! Changing members: updates, states and reconnections.

use super::super::answer::Failure;
use super::super::store::Row;
use super::{Change, scalar, subject};
use crate::catalog::{Api, Catalog};

/// The kinds of updates.
#[derive(Clone, Copy)]
enum Kind {
    /// Sets members from parameters of the same names.
    Members,
    /// Sets the state from a state event.
    State,
    /// Reconnects.
    Reconnect,
    /// Changes only the date of the last change.
    Nothing,
}

/// APIs that need a real guest or volume.
const UNSEEN: [&str; 4] = ["FlattenVolume", "SyncImageSize", "SyncPrimaryStorageCapacity", "SyncVolumeSize"];

fn kind(api: &str) -> Option<Kind> {
    if api.starts_with("Update") {
        Some(Kind::Members)
    } else if api.starts_with("Change") && api.ends_with("State") {
        Some(Kind::State)
    } else if api.starts_with("Reconnect") {
        Some(Kind::Reconnect)
    } else if UNSEEN.contains(&api) {
        Some(Kind::Nothing)
    } else {
        None
    }
}

/// The parameter with the uuid of the resource that an API changes, and its inventory.
pub(super) fn updated(catalog: Catalog, api: &Api) -> Option<(&'static str, &'static str)> {
    let kind = kind(api.name).filter(|_| !subject::is_elsewhere(api))?;
    let (parameter, inventory) = subject::subject(catalog, api)?;
    let described = catalog.inventory(inventory)?;
    let fits = match kind {
        Kind::Members => api
            .parameters
            .iter()
            .any(|parameter| described.field(parameter.name).is_some_and(|field| field.name != "uuid")),
        Kind::State => described.field("state").is_some(),
        Kind::Reconnect => described.field("status").is_some(),
        Kind::Nothing => true,
    };
    fits.then_some((parameter, inventory))
}

/// Fails if a change of state would fail, without trying it.
pub(super) fn check(change: &Change<'_>) -> Result<(), Failure> {
    let (parameter, inventory) =
        updated(change.catalog, change.api).ok_or_else(|| Failure::not_simulated(change.api.name))?;
    change.get(inventory, change.text(parameter))?;
    change.next_state(inventory).map(|_| ())
}

/// Changes the resource.
pub(super) fn run(change: &Change<'_>) -> Result<String, Failure> {
    let (Some((parameter, inventory)), Some(kind)) = (updated(change.catalog, change.api), kind(change.api.name))
    else {
        return Err(Failure::not_simulated(change.api.name));
    };
    let uuid = change.text(parameter);
    change.get(inventory, uuid)?;
    let changes = match kind {
        Kind::Members => {
            if change.root(inventory) == "VmInstanceInventory" {
                let wanted = |name: &str| change.arguments.integer(name);
                change.check_growth(&change.get(inventory, uuid)?, wanted("cpuNum"), wanted("memorySize"))?;
            }
            change.members(inventory)?
        }
        Kind::State => Row::new().with("state", change.next_state(inventory)?),
        Kind::Reconnect => Row::new().with("status", "Connected"),
        Kind::Nothing => Row::new(),
    };
    change.update(inventory, uuid, changes)?;
    if change.text("stateEvent") == "maintain" && change.root(inventory) == "HostInventory" {
        change.empty_host(uuid, None)?;
    }
    change.add_tags_of_call(inventory, uuid)?;
    change.reply_of_result(inventory, uuid)
}

impl Change<'_> {
    /// Sets the status during a reconnection.
    pub(super) fn begin_to_reconnect(&self) -> Result<(), Failure> {
        let Some((parameter, inventory)) = updated(self.catalog, self.api) else { return Ok(()) };
        self.update(inventory, self.text(parameter), Row::new().with("status", "Connecting"))
    }

    /// Changes members and the date of the last change.
    pub(super) fn update(&self, inventory: &str, uuid: &str, mut changes: Row) -> Result<(), Failure> {
        if subject::has_field(self.tx, inventory, "lastOpDate") {
            changes.set("lastOpDate", self.now.to_stored());
        }
        if !self.caller.is_admin {
            let before = self.tx.get(inventory, uuid)?.unwrap_or_default();
            let mut after = before.clone();
            changes.iter().for_each(|(name, value)| after.set(name, value.clone()));
            self.check_quotas(inventory, Some(&before), &after)?;
        }
        self.tx.update(inventory, uuid, &changes)?;
        Ok(())
    }

    /// The parameters that are members of an inventory.
    pub(super) fn members(&self, inventory: &str) -> Result<Row, Failure> {
        let stored = self.tx.stored_fields(inventory)?;
        let mut row = Row::new();
        for (name, value) in self.arguments.values() {
            if name != "uuid" && name != "createDate" && stored.contains(&name.as_str()) {
                row.set(name, scalar(value));
            }
        }
        Ok(row)
    }

    /// The state after a state event: `Enabled` after `enable`, `Maintenance` after `maintain`.
    fn next_state(&self, inventory: &str) -> Result<String, Failure> {
        let event = self.arguments.text("stateEvent").or_else(|| self.arguments.text("state")).unwrap_or_default();
        let described = self.catalog.inventory(inventory);
        let values =
            described.as_ref().and_then(|inventory| inventory.field("state")).map(|field| field.values.as_slice());
        let wanted = event.to_lowercase();
        let begins_so = |state: &&&str| state.to_lowercase().starts_with(wanted.get(..5).unwrap_or(&wanted));
        let found = values.unwrap_or_default().iter().find(|state| state.eq_ignore_ascii_case(event));
        let found = found.or_else(|| values.unwrap_or_default().iter().find(begins_so).filter(|_| !wanted.is_empty()));
        match (found, event) {
            (Some(state), _) => Ok((*state).to_owned()),
            (None, "enable") => Ok("Enabled".to_owned()),
            (None, "disable") => Ok("Disabled".to_owned()),
            (None, _) => Err(Failure::argument(format!("field[stateEvent] has an unknown value {event}"))),
        }
    }

    /// The reply as the catalog describes it: the inventory of the changed resource, of its parent, or none.
    pub(super) fn reply_of_result(&self, inventory: &str, uuid: &str) -> Result<String, Failure> {
        let Some(result) = self.api.result.iter().find(|member| member.name == "inventory") else {
            return Ok("{}".to_owned());
        };
        if self.resource_type(result.type_name) == self.resource_type(inventory) {
            return self.reply(inventory, uuid);
        }
        // `ChangeVmNicState` returns the virtual machine of the nic.
        let owner = decapitalised(result.type_name.strip_suffix("Inventory").unwrap_or_default()) + "Uuid";
        let row = self.get(inventory, uuid)?;
        match (row.text(&owner).or_else(|| self.arguments.text(&owner)), self.catalog.inventory(result.type_name)) {
            (Some(uuid), Some(inventory)) => self.reply(inventory.name, uuid),
            _ => Ok("{}".to_owned()),
        }
    }
}

/// `VmInstance` as the start of a member's name: `vmInstance`.
pub(super) fn decapitalised(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}
