//! Names and uuids of resources, for completion and for questions.

use std::sync::{Arc, Mutex, PoisonError};

use crate::catalog::{ApiName, Catalog, Offers};
use crate::client::{Answer, CallOptions, Client, Unwatched};
use crate::json::{self, Piece, Pieces};
use crate::plan::{self, Wanted};
use crate::shell::complete::LiveValue;
use crate::shell::{self, Unreachable};
use crate::syntax::Operator;

/// More rows than that are never looked for.
const PAGE_SIZE: u32 = 1000;

/// What resources are looked for by: field, operator, value.
pub(crate) type Condition = (&'static str, Operator, String);

/// Looks resources up in passing, with a connection of its own.
pub(crate) struct Lookup {
    client: Client,
    catalog: Catalog,
    /// What is known of the node's APIs.
    offers: Option<Arc<Offers>>,
}

impl Lookup {
    /// One that asks with that client, of whose node so much is known.
    pub(super) fn new(client: Client, catalog: Catalog, offers: Option<Arc<Offers>>) -> Lookup {
        Lookup { client, catalog, offers }
    }

    /// Another one, for another thread.
    fn fork(&self) -> Lookup {
        Lookup { client: self.client.fork(), catalog: self.catalog, offers: self.offers.clone() }
    }

    /// The resources that a query finds with these conditions, at most `limit`; `None` where the node cannot be asked.
    pub(crate) fn resources(&mut self, query: &str, conditions: &[Condition], limit: usize) -> Option<Vec<LiveValue>> {
        let api = self.catalog.api_name(query)?;
        if api.is_mistakable() && !self.has(api) {
            return None;
        }
        let inventory = self.catalog.api(query).and_then(|api| self.catalog.inventory(api.inventory?))?;
        inventory.field("uuid")?;
        let fields: &[&str] = if inventory.field("name").is_some() { &["uuid", "name"] } else { &["uuid"] };
        let member = |row: &[u8], name: &str| json::member(row, name).map(|text| json::unescape(text).into_owned());
        let mut found = Vec::new();
        self.ask(query, &Wanted { conditions, fields, limit: Some(limit) }, &mut |row| {
            if let Some(uuid) = member(row, "uuid") {
                found.push(LiveValue { uuid, name: member(row, "name").unwrap_or_default() });
            }
        })?;
        Some(found)
    }

    /// Hands each row that a query finds with these conditions to `found`, with these members; all of them where none
    /// is named. `None` where the node cannot be asked.
    pub(crate) fn rows(
        &mut self,
        query: &str,
        conditions: &[Condition],
        fields: &[&str],
        found: &mut dyn FnMut(&[u8]),
    ) -> Option<()> {
        let api = self.catalog.api_name(query)?;
        if api.is_mistakable() && !self.has(api) {
            return None;
        }
        self.ask(query, &Wanted { conditions, fields, limit: None }, found)
    }

    fn ask(&mut self, query: &str, wanted: &Wanted<'_>, found: &mut dyn FnMut(&[u8])) -> Option<()> {
        let planned = plan::rows(query, wanted, PAGE_SIZE, self.catalog).ok()?;
        let Ok(Answer::Reply(mut reply)) = self.client.query(&planned, &CallOptions::default(), &mut Unwatched) else {
            return None;
        };
        while let Some(piece) = reply.next_piece().ok()? {
            if let Piece::Row(row) = piece {
                found(row);
            }
        }
        Some(())
    }

    /// Whether the node has an API. One that lacks it could run another in its place (R1). It is asked once where it
    /// has not said so before.
    fn has(&mut self, api: ApiName) -> bool {
        if self.offers.as_ref().is_none_or(|offers| offers.apis.is_none()) {
            self.offers = Some(Arc::new(Offers::new(None, self.client.offered_apis().ok().flatten())));
        }
        self.offers.as_ref().is_some_and(|offers| offers.apis.is_some() && !offers.lacks(api))
    }
}

/// Asks the node for resources by name, for Tab, with the one that stands in `lookup` at that moment.
pub(crate) fn fetch(lookup: Arc<Mutex<Option<Lookup>>>) -> Box<shell::Fetch> {
    Box::new(move |query, typed, limit| {
        let held = || lookup.lock().unwrap_or_else(PoisonError::into_inner);
        // A fork of its own, so that nobody who changes the lookup waits for an answer.
        let forked = held().as_ref().map(Lookup::fork);
        let mut forked = forked.ok_or(Unreachable)?;
        let mut values: Vec<LiveValue> = Vec::new();
        for conditions in searches(typed) {
            let found = forked.resources(query, &conditions, limit).ok_or(Unreachable)?;
            let new: Vec<LiveValue> = found.into_iter().filter(|value| !values.contains(value)).collect();
            values.extend(new);
        }
        if let Some(lookup) = &mut *held()
            && lookup.client.endpoint().base() == forked.client.endpoint().base()
        {
            // What the node has just said need not be asked at the next Tab.
            lookup.offers = lookup.offers.take().or(forked.offers);
        }
        Ok(values)
    })
}

/// The conditions that find what somebody who typed this could mean: part of a name, or the beginning of a uuid.
fn searches(typed: &str) -> Vec<Vec<Condition>> {
    if typed.is_empty() {
        return vec![Vec::new()];
    }
    let escaped = typed.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    let mut searches = vec![vec![("name", Operator::Like, format!("%{escaped}%"))]];
    if typed.bytes().all(|byte| byte.is_ascii_hexdigit()) && typed.len() <= 32 {
        searches.push(vec![("uuid", Operator::Like, format!("{typed}%"))]);
    }
    searches
}
