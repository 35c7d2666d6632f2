//! What calls change in the cloud.
//!
//! Most follow from an API's name and the catalog: a create fills the members of the result's inventory from
//! parameters of the same names, an update changes them, an attachment is a row of the reference that holds
//! both uuids. Tables say what the names do not: the states of virtual machines, what goes with what when
//! something is deleted, what else belongs to a new resource. What neither tells is not simulated.

pub(super) use subject::is_platforms;

mod account;
mod clone;
mod create;
mod delete;
mod fill;
mod lifecycle;
mod network;
mod relate;
mod storage;
mod subject;
mod tags;
mod update;
mod vm;
mod volume;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use serde_json::Value;

use super::answer::Failure;
use super::arguments::Arguments;
use super::calls::Caller;
use super::clock::Moment;
use super::node::Node;
use super::reads::{self, candidates, capacity, settings};
use super::store::{Row, Scalar, StoreError, Transaction};
use super::{login, long_jobs};
use crate::catalog::{Api, Catalog};

/// A change in the making: the call, and the transaction that it happens in. Calls that only read use it, too.
pub(super) struct Change<'a> {
    pub(super) tx: &'a Transaction<'a>,
    pub(super) catalog: Catalog,
    pub(super) api: &'a Api,
    pub(super) arguments: &'a Arguments,
    pub(super) caller: &'a Caller,
    now: Moment,
    /// The references to each kind of resource, as deletions have found them.
    references: RefCell<HashMap<String, References>>,
    /// The general inventories of those that were asked for.
    roots: RefCell<HashMap<String, String>>,
}

/// References that have a member for a kind of resource, and that member's name.
type References = Rc<Vec<(&'static str, String)>>;

impl<'a> Change<'a> {
    fn new(node: &Node, tx: &'a Transaction<'a>, api: &'a Api, arguments: &'a Arguments, caller: &'a Caller) -> Self {
        let (references, roots) = (RefCell::default(), RefCell::default());
        Change { tx, catalog: node.catalog, api, arguments, caller, now: node.now(), references, roots }
    }
}

/// How an API is carried out. `Err` undoes everything that was done.
pub(super) type Work = fn(&Change<'_>) -> Result<String, Failure>;

/// APIs whose work their names do not tell.
const SPECIAL: [&[(&str, Work)]; 10] = [
    account::WORK,
    clone::WORK,
    network::WORK,
    storage::WORK,
    tags::WORK,
    vm::WORK,
    volume::WORK,
    candidates::WORK,
    capacity::WORK,
    settings::WORK,
];

/// Resources that no account owns.
const UNOWNED: [&str; 11] = [
    "AccountInventory",
    "BackupStorageInventory",
    "ClusterInventory",
    "HostInventory",
    "IpRangeInventory",
    "L2NetworkInventory",
    "PolicyInventory",
    "PrimaryStorageInventory",
    "UserGroupInventory",
    "UserInventory",
    "ZoneInventory",
];

/// How an API is carried out; nothing for one that is not simulated.
fn work_of(catalog: Catalog, api: &Api) -> Option<Work> {
    let special = SPECIAL.iter().copied().flatten().find(|(name, _)| *name == api.name).map(|(_, work)| *work);
    special
        .or_else(|| lifecycle::transition(api.name).map(|_| lifecycle::run as Work))
        .or_else(|| relate::relation(catalog, api).map(|_| relate::run as Work))
        .or_else(|| create::created(catalog, api).map(|_| create::run as Work))
        .or_else(|| delete::deleted(catalog, api).map(|_| delete::run as Work))
        .or_else(|| update::updated(catalog, api).map(|_| update::run as Work))
}

impl Node {
    /// Whether the sandbox does what an API is for.
    pub(super) fn is_simulated(&self, api: &Api) -> bool {
        let tables: [&[&str]; 3] = [&login::APIS, &reads::APIS, &long_jobs::STEERING];
        tables.iter().any(|table| table.contains(&api.name)) || work_of(self.catalog, api).is_some()
    }

    /// Runs an API whose parameters and session are good.
    pub(super) fn run(&mut self, api: &Api, arguments: &Arguments, caller: &Caller) -> Result<String, Failure> {
        if let Some(outcome) = self.run_log_in(api.name, arguments) {
            return outcome;
        }
        if let Some(outcome) = self.read(api.name, arguments, caller) {
            return outcome;
        }
        let work = work_of(self.catalog, api).ok_or_else(|| Failure::not_simulated(api.name))?;
        let reply = self.change(api, arguments, caller, work)?;
        if api.name == "DeleteAccount" || api.name == "DeleteUser" {
            self.ledger.close_sessions_of(arguments.text("uuid").unwrap_or_default())?;
        }
        Ok(reply)
    }

    fn change<T>(
        &self,
        api: &Api,
        arguments: &Arguments,
        caller: &Caller,
        work: impl FnOnce(&Change<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.store.transaction(|tx| {
            let change = Change::new(self, tx, api, arguments, caller);
            change.check_permission()?;
            work(&change)
        })
    }

    /// What a call changes as soon as it is taken, such as a virtual machine that begins to start; and whether
    /// it can run at all.
    pub(super) fn prepare(&mut self, api: &Api, arguments: &Arguments, caller: &Caller) -> Result<(), Failure> {
        // What would fail now fails at once and leaves no trace.
        self.rehearse(api, arguments, caller)?;
        if let Some(transition) = lifecycle::transition(api.name) {
            return self.change(api, arguments, caller, |change| change.begin(transition));
        }
        if api.name.starts_with("Reconnect") {
            return self.change(api, arguments, caller, |change| change.begin_to_reconnect());
        }
        Ok(())
    }

    /// Does a call's work and undoes it again: only its failure is of interest (P10).
    pub(super) fn rehearse(&mut self, api: &Api, arguments: &Arguments, caller: &Caller) -> Result<(), Failure> {
        /// Why the transaction is undone.
        enum End {
            Rehearsed,
            Failed(Failure),
        }
        impl From<StoreError> for End {
            fn from(error: StoreError) -> End {
                End::Failed(error.into())
            }
        }
        if api.name == "RenewSession" {
            return Ok(());
        }
        if long_jobs::STEERING.contains(&api.name) {
            return self.check_long_job(api.name, arguments);
        }
        let work = work_of(self.catalog, api).ok_or_else(|| Failure::not_simulated(api.name))?;
        let end: Result<(), End> = self.store.transaction(|tx| {
            let change = Change::new(self, tx, api, arguments, caller);
            let is_deletion = std::ptr::fn_addr_eq(work, delete::run as Work);
            let rehearse = || if is_deletion { delete::check(&change) } else { work(&change).map(|_| ()) };
            match change.check_permission().and_then(|()| rehearse()) {
                Ok(()) => Err(End::Rehearsed),
                Err(failure) => Err(End::Failed(failure)),
            }
        });
        match end {
            Ok(()) | Err(End::Rehearsed) => Ok(()),
            Err(End::Failed(failure)) => Err(failure),
        }
    }
}

impl Change<'_> {
    /// The text of a parameter; empty where it is absent, which checks have refused where it matters.
    pub(super) fn text(&self, parameter: &str) -> &str {
        self.arguments.text(parameter).unwrap_or_default()
    }

    /// The resource with that uuid.
    pub(super) fn get(&self, inventory: &str, uuid: &str) -> Result<Row, Failure> {
        self.tx.get(inventory, uuid)?.ok_or_else(|| {
            let kind = inventory.strip_suffix("Inventory").unwrap_or(inventory);
            Failure::not_found(format!("there is no resource[uuid:{uuid}, type:{kind}]"))
        })
    }

    /// The resource that a row refers to in one of its members.
    pub(super) fn referred(&self, inventory: &str, row: &Row, field: &str) -> Result<Option<Row>, Failure> {
        match row.text(field) {
            Some(uuid) => Ok(self.tx.get(inventory, uuid)?),
            None => Ok(None),
        }
    }

    /// The rows whose members have those values.
    pub(super) fn find(&self, inventory: &str, conditions: &[(&str, &str)]) -> Result<Vec<Row>, Failure> {
        let conditions: Vec<_> = conditions.iter().map(|(field, value)| (*field, Scalar::from(*value))).collect();
        Ok(self.tx.find_where(inventory, &conditions)?)
    }

    /// The reply `{"inventory": {..}}`.
    fn reply(&self, inventory: &str, uuid: &str) -> Result<String, Failure> {
        let json = self.tx.inventory_json(inventory, uuid)?.unwrap_or_else(|| "{}".to_owned());
        Ok(format!("{{\"inventory\":{json}}}"))
    }

    /// Makes a resource, owned by the caller unless it is the platform's or an account itself.
    fn insert(&self, inventory: &str, row: &Row) -> Result<(), Failure> {
        self.tx.insert(inventory, row)?;
        let uuid = row.text("uuid").filter(|_| !UNOWNED.contains(&self.root(inventory).as_str()));
        if let Some(uuid) = uuid {
            self.tx.set_owner(uuid, &self.resource_type(inventory), &self.caller.account)?;
        }
        Ok(())
    }

    /// Other accounts than the administrator's change what is theirs, use what is shared with them, and nothing
    /// of the platform (Q23).
    fn check_permission(&self) -> Result<(), Failure> {
        if self.caller.is_admin || self.caller.account.is_empty() {
            return Ok(());
        }
        let denied = |why: String| Err(Failure::refused(format!("permission denied: {why}")));
        if subject::is_platforms(self.api.name) {
            return denied(format!("only the administrator may call {}", self.api.name));
        }
        for parameter in &self.api.parameters {
            let is_subject = matches!(parameter.name, "uuid" | "vmInstanceUuid" | "volumeUuid" | "vmNicUuid");
            let uuids = self.arguments.text(parameter.name).into_iter().chain(self.arguments.texts(parameter.name));
            for uuid in uuids.filter(|uuid| super::checks::is_uuid(uuid)) {
                let is_others = self.tx.owner(uuid)?.is_some_and(|owner| owner != self.caller.account);
                if is_others && (is_subject || !self.is_shared(uuid)?) {
                    return denied(format!("the resource[uuid:{uuid}] is another account's"));
                }
            }
        }
        Ok(())
    }

    /// Whether a resource is shared with the caller.
    fn is_shared(&self, uuid: &str) -> Result<bool, Failure> {
        let shares = self.find("SharedResourceInventory", &[("resourceUuid", uuid)])?;
        Ok(shares.iter().any(|share| {
            share.get("toPublic").as_integer() == Some(1)
                || share.text("receiverAccountUuid") == Some(&self.caller.account)
        }))
    }
}

/// A value of a call as rows keep it.
fn scalar(value: &Value) -> Scalar {
    match value {
        Value::Null => Scalar::Null,
        Value::Bool(value) => Scalar::Bool(*value),
        Value::Number(number) => {
            number.as_i64().map_or_else(|| Scalar::Double(number.as_f64().unwrap_or_default()), Scalar::Integer)
        }
        Value::String(text) => Scalar::Text(text.clone()),
        Value::Array(_) | Value::Object(_) => Scalar::Text(value.to_string()),
    }
}
