//! Looks up names and uuids of resources, for completion and for confirmations.

use std::sync::{Arc, Mutex, PoisonError};

use crate::catalog::{ApiName, Catalog, Offers};
use crate::client::{Answer, CallOptions, Client, Unwatched};
use crate::json;
use crate::plan::{self, Wanted};
use crate::shell::complete::LiveValue;
use crate::shell::{self, Unreachable};
use crate::syntax::Operator;

/// The maximum number of rows of a look-up.
const PAGE_SIZE: u32 = 1000;

/// A condition: field, operator, value.
pub(crate) type Condition = (&'static str, Operator, String);

/// Looks up resources with its own connection.
pub(crate) struct Lookup {
    client: Client,
    catalog: Catalog,
    /// What the node reported about its APIs.
    offers: Option<Arc<Offers>>,
}

impl Lookup {
    /// A look-up with that client.
    pub(super) fn new(client: Client, catalog: Catalog, offers: Option<Arc<Offers>>) -> Lookup {
        Lookup { client, catalog, offers }
    }

    /// Another look-up, for another thread.
    fn fork(&self) -> Lookup {
        Lookup { client: self.client.fork(), catalog: self.catalog, offers: self.offers.clone() }
    }

    /// The resources that match the conditions, at most `limit`; `None` if the node cannot be asked.
    pub(crate) fn resources(&mut self, query: &str, conditions: &[Condition], limit: usize) -> Option<Vec<LiveValue>> {
        let api = self.catalog.api_name(query)?;
        if api.is_mistakable() && !self.has(api) {
            return None;
        }
        let inventory = self.catalog.api(query).and_then(|api| self.catalog.inventory(api.inventory?))?;
        inventory.field("uuid")?;
        let fields: &[&str] = if inventory.field("name").is_some() { &["uuid", "name"] } else { &["uuid"] };
        let wanted = Wanted { conditions, fields, limit: Some(limit) };
        let planned = plan::rows(query, &wanted, PAGE_SIZE, self.catalog).ok()?;
        let Ok(Answer::Reply(reply)) = self.client.query(&planned, &CallOptions::default(), &mut Unwatched) else {
            return None;
        };
        let text = reply.into_text().ok()?;
        let rows = json::member(&text, "inventories")?;
        let member = |row: &[u8], name: &str| json::member(row, name).map(|text| json::unescape(text).into_owned());
        Some(
            json::items(rows)
                .filter_map(|row| {
                    Some(LiveValue { uuid: member(row, "uuid")?, name: member(row, "name").unwrap_or_default() })
                })
                .collect(),
        )
    }

    /// Whether the node has an API. One that lacks it could run another in its place (R1). It is asked once if this is
    /// not known.
    fn has(&mut self, api: ApiName) -> bool {
        if self.offers.as_ref().is_none_or(|offers| offers.apis.is_none()) {
            self.offers = Some(Arc::new(Offers::new(None, self.client.offered_apis().ok().flatten())));
        }
        self.offers.as_ref().is_some_and(|offers| offers.apis.is_some() && !offers.lacks(api))
    }
}

/// Asks the node for resources by name, for Tab, with the current value of `lookup`.
pub(crate) fn fetch(lookup: Arc<Mutex<Option<Lookup>>>) -> Box<shell::Fetch> {
    Box::new(move |query, typed, limit| {
        let held = || lookup.lock().unwrap_or_else(PoisonError::into_inner);
        // A fork, so that changing the look-up does not wait for an answer.
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
            // The answer is kept for the next Tab.
            lookup.offers = lookup.offers.take().or(forked.offers);
        }
        Ok(values)
    })
}

/// The conditions for a typed text: a part of a name, or the beginning of a uuid.
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
