//! Changes of very many resources, which are made in parts.
//!
//! Each part is a transaction that leaves a consistent cloud: a zone with fewer virtual machines, a host that some have
//! left. What is left to do follows from the cloud alone, so a change that was broken off is carried on by whoever
//! starts the sandbox next: its job is in the ledger. The last part, which is small, is the call itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::answer::{Answer, Failure};
use super::arguments::Arguments;
use super::calls::Caller;
use super::change::{Change, Part, part_of};
use super::clock::UnixMillis;
use super::jobs::Job;
use super::node::Node;
use super::store::{Store, Transaction};
use crate::catalog::{Api, Catalog};

/// How long a part may take; others wait for it at most.
const PART: Duration = Duration::from_millis(300);

/// A job that is done in parts.
pub(super) struct BigChange {
    store: Arc<Store>,
    catalog: Catalog,
    api: Api,
    arguments: Arguments,
    caller: Caller,
    begun: UnixMillis,
    part: Part,
    job: Job,
}

impl BigChange {
    /// Does a part, of which several are done if the first did not suffice. Returns whether only the last one is left,
    /// which the node does.
    ///
    /// # Errors
    /// The failure of the call. Earlier parts stay done.
    pub(super) fn run_part(&self, is_first: bool) -> Result<bool, Failure> {
        let until = Instant::now() + PART;
        let work = |tx: &Transaction<'_>| {
            let change = Change::at(self.begun, self.catalog, tx, &self.api, &self.arguments, &self.caller);
            change.check_permission()?;
            (self.part)(&change, until)
        };
        if is_first { self.store.transaction(work) } else { self.store.big_transaction(work) }
    }
}

impl Node {
    /// Whether an API is done in parts.
    pub(super) fn is_in_parts(&self, api: &str) -> bool {
        self.catalog.api(api).is_some_and(|api| part_of(self.catalog, &api).is_some())
    }

    /// The change of a job, if it is made in parts.
    pub(super) fn big_change(&self, job: &Job) -> Option<BigChange> {
        let api = self.catalog.api(&job.api)?;
        let part = part_of(self.catalog, &api)?;
        let (arguments, caller) = (job.arguments(), job.caller());
        let (store, catalog, begun) = (Arc::clone(&self.store), self.catalog, self.now());
        Some(BigChange { store, catalog, api, arguments, caller, begun, part, job: job.clone() })
    }

    /// The changes that a process has begun and not ended.
    pub(super) fn unfinished_changes(&mut self) -> Vec<BigChange> {
        let jobs = self.ledger.jobs_in_parts().unwrap_or_default();
        jobs.iter().filter_map(|job| self.big_change(job)).collect()
    }

    /// Does the last part of a change and ends its job.
    pub(super) fn end_change(
        &mut self,
        change: &BigChange,
        outcome: Result<(), Failure>,
        has_parts: bool,
    ) -> Result<(), Failure> {
        let job = &change.job;
        let outcome = self.run_job(job, outcome, self.now());
        if has_parts {
            self.store.settle()?;
        }
        self.end_long_job(job, &outcome)?;
        Ok(self.ledger.finish_job(&job.uuid, &Answer::of_job(outcome))?)
    }
}
