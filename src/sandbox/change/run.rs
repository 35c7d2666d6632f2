//! Finding the handler of an API, and running or validating a call.

use super::super::answer::Failure;
use super::super::arguments::Arguments;
use super::super::calls::Caller;
use super::super::node::Node;
use super::super::reads::{self, candidates, capacity, licence, metrics, records, settings};
use super::super::store::{StoreError, Transaction};
use super::super::{login, long_jobs};
use super::{
    Change, Handler, Part, account, clone, create, delete, guest, lifecycle, making, network, nic, platform, project,
    relate, scaling, storage, tags, update, vm, volume, vpc,
};
use crate::catalog::{Api, Catalog};

/// APIs with a handler of their own.
const SPECIAL: [&[(&str, Handler)]; 19] = [
    account::WORK,
    clone::WORK,
    guest::WORK,
    network::WORK,
    nic::WORK,
    platform::WORK,
    project::WORK,
    scaling::WORK,
    storage::WORK,
    tags::WORK,
    vm::WORK,
    volume::WORK,
    vpc::WORK,
    candidates::WORK,
    capacity::WORK,
    licence::WORK,
    metrics::WORK,
    records::WORK,
    settings::WORK,
];

/// The handler of an API; `None` if it is not simulated.
pub(in super::super) fn work_of(catalog: Catalog, api: &Api) -> Option<Handler> {
    let special = SPECIAL.iter().copied().flatten().find(|(name, _)| *name == api.name).map(|(_, work)| *work);
    special
        .or_else(|| lifecycle::transition(api.name).map(|_| lifecycle::run as Handler))
        .or_else(|| relate::relation(catalog, api).map(|_| relate::run as Handler))
        .or_else(|| create::created(catalog, api).map(|_| create::run as Handler))
        .or_else(|| delete::deleted(catalog, api).map(|_| delete::run as Handler))
        .or_else(|| update::updated(catalog, api).map(|_| update::run as Handler))
}

/// How an API's work is done in parts; `None` if it is done at once.
pub(in super::super) fn part_of(catalog: Catalog, api: &Api) -> Option<Part> {
    if lifecycle::empties_host(api.name) {
        return Some(lifecycle::empty_in_parts);
    }
    let work = work_of(catalog, api)?;
    std::ptr::fn_addr_eq(work, delete::run as Handler).then_some(delete::run_part as Part)
}

impl Node {
    /// Whether an API is simulated.
    pub(in super::super) fn is_simulated(&self, api: &Api) -> bool {
        let tables: [&[&str]; 3] = [&login::APIS, &reads::APIS, &long_jobs::STEERING];
        tables.iter().any(|table| table.contains(&api.name)) || work_of(self.catalog, api).is_some()
    }

    /// Runs an API whose parameters and session were checked.
    pub(in super::super) fn run(
        &mut self,
        api: &Api,
        arguments: &Arguments,
        caller: &Caller,
    ) -> Result<String, Failure> {
        if let Some(outcome) = self.run_log_in(api.name, arguments, caller) {
            return outcome;
        }
        if let Some(outcome) = self.read(api.name, arguments) {
            return outcome;
        }
        let work = work_of(self.catalog, api).ok_or_else(|| Failure::not_simulated(api.name))?;
        let reply = self.change(api, arguments, caller, |change| match making::finish(change)? {
            Some(reply) => Ok(reply),
            None => work(change),
        })?;
        if matches!(api.name, "DeleteAccount" | "DeleteIAM2VirtualID" | "DeleteUser") {
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
        let work = |tx: &Transaction<'_>| {
            let change = Change::new(self, tx, api, arguments, caller);
            change.check_permission()?;
            work(&change)
        };
        self.store.transaction(work)
    }

    /// Checks whether a call can run, and makes its immediate changes, such as the state `Starting`.
    pub(in super::super) fn prepare(
        &mut self,
        api: &Api,
        arguments: &Arguments,
        caller: &Caller,
    ) -> Result<(), Failure> {
        // A call that would fail now fails immediately, without changes.
        self.rehearse(api, arguments, caller)?;
        if let Some(transition) = lifecycle::transition(api.name) {
            return self.change(api, arguments, caller, |change| change.begin(transition));
        }
        if let Some(work) = work_of(self.catalog, api).filter(|_| making::shows(arguments)) {
            return self.change(api, arguments, caller, |change| making::begin(change, work));
        }
        if api.name.starts_with("Reconnect") {
            return self.change(api, arguments, caller, |change| change.begin_to_reconnect());
        }
        Ok(())
    }

    /// Runs a call and rolls it back, to find out whether it fails (P10).
    pub(in super::super) fn rehearse(
        &mut self,
        api: &Api,
        arguments: &Arguments,
        caller: &Caller,
    ) -> Result<(), Failure> {
        /// Why the transaction is rolled back.
        enum Undone {
            Rehearsed,
            Failed(Failure),
        }
        impl From<StoreError> for Undone {
            fn from(error: StoreError) -> Undone {
                Undone::Failed(error.into())
            }
        }
        if api.name == "RenewSession" {
            return Ok(());
        }
        if long_jobs::STEERING.contains(&api.name) {
            return self.check_long_job(api.name, arguments);
        }
        let work = work_of(self.catalog, api).ok_or_else(|| Failure::not_simulated(api.name))?;
        let end: Result<(), Undone> = self.store.transaction(|tx| {
            let change = Change::new(self, tx, api, arguments, caller);
            // Big changes are not tried: they take long.
            let rehearse = || match work {
                work if std::ptr::fn_addr_eq(work, delete::run as Handler) => delete::check(&change),
                _ if lifecycle::empties_host(api.name) => update::check(&change),
                work => work(&change).map(|_| ()),
            };
            match change.check_permission().and_then(|()| rehearse()) {
                Ok(()) => Err(Undone::Rehearsed),
                Err(failure) => Err(Undone::Failed(failure)),
            }
        });
        match end {
            Ok(()) | Err(Undone::Rehearsed) => Ok(()),
            Err(Undone::Failed(failure)) => Err(failure),
        }
    }
}
