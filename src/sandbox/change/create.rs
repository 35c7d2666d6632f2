//! Creating resources from parameters, defaults and parent resources.

use super::super::answer::Failure;
use super::super::ledger::new_uuid;
use super::super::store::{Row, Scalar};
use super::{Change, fill, scalar, subject};
use crate::catalog::{Api, Catalog, Inventory, Type};

/// Create APIs whose names do not end in the noun of their result.
const OTHERWISE_NAMED: [(&str, &str); 13] = [
    ("CreateTag", "TagPatternInventory"),
    ("CreateAutoScalingGroupAddingNewInstanceRule", "AutoScalingRuleInventory"),
    ("CreateAutoScalingGroupRemovalInstanceRule", "AutoScalingRuleInventory"),
    ("CreateL2NoVlanNetwork", "L2NetworkInventory"),
    ("CreateL2VlanNetwork", "L2VlanNetworkInventory"),
    ("CreateL2VxlanNetwork", "VxlanNetworkInventory"),
    ("CreateL2VxlanNetworkPool", "L2VxlanNetworkPoolInventory"),
    ("AddIpv6Range", "IpRangeInventory"),
    ("CreateSNSHttpEndpoint", "SNSHttpEndpointInventory"),
    ("CreateSNSEmailEndpoint", "SNSEmailEndpointInventory"),
    ("AddSimulatorHost", "HostInventory"),
    ("AddSimulatorPrimaryStorage", "PrimaryStorageInventory"),
    ("AddSimulatorBackupStorage", "BackupStorageInventory"),
];

/// Initial states, in order of preference.
const FIRST_STATES: [&str; 8] = ["Connected", "Ready", "Enabled", "enable", "Completed", "Running", "Active", "OK"];

/// The inventory of the resource that an API creates.
pub(super) fn created(catalog: Catalog, api: &Api) -> Option<&'static str> {
    if subject::is_elsewhere(api) {
        return None;
    }
    if let Some((_, inventory)) = OTHERWISE_NAMED.iter().find(|(name, _)| *name == api.name) {
        return subject::resource_inventory(catalog, inventory);
    }
    let noun = ["Create", "Add"].iter().find_map(|verb| api.name.strip_prefix(verb))?;
    let result = subject::result_inventory(catalog, api)?;
    // The noun may name a special inventory: `ImageStoreBackupStorage`.
    if let Some(special) = subject::resource_inventory(catalog, &format!("{noun}Inventory")) {
        return Some(special);
    }
    // `AddVmToAffinityGroup` does not create an affinity group.
    let is_whole =
        !noun.match_indices("To").any(|(at, _)| noun[at + 2..].starts_with(|c: char| c.is_ascii_uppercase()));
    (is_whole && noun.ends_with(result.strip_suffix("Inventory")?)).then_some(result)
}

/// Creates the resource.
pub(super) fn run(change: &Change<'_>) -> Result<String, Failure> {
    let inventory = created(change.catalog, change.api).ok_or_else(|| Failure::not_simulated(change.api.name))?;
    let row = change.new_row(inventory)?;
    let uuid = change.create(inventory, row)?;
    change.reply(inventory, &uuid)
}

impl Change<'_> {
    /// Stores a new resource with its dependent records, and returns its uuid.
    pub(super) fn create(&self, inventory: &str, mut row: Row) -> Result<String, Failure> {
        fill::before(self, inventory, &mut row)?;
        self.insert(inventory, &row)?;
        let uuid = row.text("uuid").unwrap_or_default().to_owned();
        fill::after(self, inventory, &row)?;
        self.add_tags_of_call(inventory, &uuid)?;
        Ok(uuid)
    }

    /// The uuid chosen by the caller, or a new one (P9).
    pub(super) fn chosen_uuid(&self) -> Result<String, Failure> {
        match self.arguments.text("resourceUuid") {
            None => Ok(new_uuid()),
            // The database reports this, not a check (R13).
            Some(uuid) if self.tx.kind_of(uuid)?.is_some() => {
                Err(Failure::internal(format!("ConstraintViolationException: there is a resource[uuid:{uuid}]")))
            }
            Some(uuid) => Ok(uuid.to_owned()),
        }
    }

    /// A row of an inventory, filled from the call and the catalog.
    pub(super) fn new_row(&self, inventory: &'static str) -> Result<Row, Failure> {
        let stored = self.tx.stored_fields(inventory)?;
        let description = self.catalog.inventory(inventory).ok_or_else(|| Failure::not_simulated(self.api.name))?;
        let mut row = Row::new();
        for field in stored.iter().copied() {
            let given = self.arguments.get(field).map(scalar);
            let value = given.or_else(|| self.default_of(field)).or_else(|| first_value(&description, field));
            if let Some(value) = value {
                row.set(field, value);
            }
        }
        let now = self.now.to_stored();
        for date in ["createDate", "lastOpDate"] {
            if stored.contains(&date) {
                row.set(date, now.as_str());
            }
        }
        row.set("uuid", self.chosen_uuid()?);
        if stored.contains(&"accountUuid") && (row.get("accountUuid").is_null() || !self.caller.is_admin) {
            row.set("accountUuid", self.caller.account.as_str());
        }
        if let Some(value) = special_type(&description).filter(|_| stored.contains(&"type")) {
            row.set("type", value);
        }
        self.inherit(&stored, &mut row)?;
        Ok(row)
    }

    /// The default of a parameter with the same name.
    fn default_of(&self, field: &str) -> Option<Scalar> {
        let parameter = self.api.parameter(field)?;
        let text = parameter.default.as_deref()?;
        Some(match parameter.kind {
            Type::Bool => Scalar::Bool(text == "true"),
            Type::Int | Type::Long => Scalar::Integer(text.parse().ok()?),
            _ => Scalar::from(text),
        })
    }

    /// Members copied from parent resources: the zone of a new host is that of its cluster, for example.
    fn inherit(&self, stored: &[&'static str], row: &mut Row) -> Result<(), Failure> {
        const INHERITED: [&str; 4] = ["zoneUuid", "clusterUuid", "hypervisorType", "architecture"];
        for parameter in &self.api.parameters {
            let (Some(kind), Some(uuid)) = (parameter.resource, self.arguments.text(parameter.name)) else { continue };
            let Some(inventory) = subject::resource_inventory(self.catalog, &format!("{kind}Inventory")) else {
                continue;
            };
            let Some(origin) = self.tx.get(inventory, uuid)? else { continue };
            for field in INHERITED.into_iter().filter(|field| stored.contains(field)) {
                if row.get(field).is_null() && !origin.get(field).is_null() {
                    row.set(field, origin.get(field).clone());
                }
            }
        }
        Ok(())
    }
}

/// The initial state or status, and `false` for flags that were not given.
fn first_value(inventory: &Inventory, field: &str) -> Option<Scalar> {
    let described = inventory.field(field)?;
    if described.kind == Type::Bool {
        return Some(Scalar::Bool(false));
    }
    if field == "state" || field == "status" {
        let best = FIRST_STATES.iter().find(|state| described.values.contains(state));
        return best
            .or(described.values.first())
            .map(|state| Scalar::from(*state))
            .or_else(|| Some(Scalar::from(if field == "state" { "Enabled" } else { first_status(inventory) })));
    }
    None
}

/// The status of a new resource, where the catalog has none: machines are connected, records are ready.
fn first_status(inventory: &Inventory) -> &'static str {
    let parent = inventory.parents.first().map(|parent| parent.inventory).or(inventory.extends);
    let root = parent.unwrap_or(inventory.name);
    if matches!(root, "HostInventory" | "PrimaryStorageInventory" | "BackupStorageInventory") {
        "Connected"
    } else {
        "Ready"
    }
}

/// The value of the type field that selects this inventory.
fn special_type(inventory: &Inventory) -> Option<&'static str> {
    inventory.parents.first().map(|parent| parent.type_value)
}
