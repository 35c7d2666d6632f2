//! Names and uuids of resources, for completion and for questions.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::catalog::{Catalog, Offers};
use crate::client::{Answer, CallOptions, Client, Unwatched};
use crate::json;
use crate::plan::{self, Wanted};
use crate::shell::complete::LiveValue;
use crate::shell::{self, Unreachable};
use crate::syntax::Operator;

/// What resources are looked for by: field, operator, value.
pub(super) type Condition = (&'static str, Operator, String);

/// More rows than that are never looked for.
const PAGE_SIZE: u32 = 1000;

/// How long the node may take to answer what is asked in passing.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// The resources that a query finds with these conditions, at most `limit`; `None` where the node cannot be asked.
pub(super) fn resources(
    client: &mut Client,
    catalog: Catalog,
    query: &str,
    conditions: &[Condition],
    limit: usize,
) -> Option<Vec<LiveValue>> {
    // A node that lacks the query could run another API in its place (R1).
    let api = catalog.api_name(query)?;
    if api.is_mistakable() {
        let offers = Offers::new(None, client.offered_apis().ok().flatten());
        if offers.apis.is_none() || offers.lacks(api) {
            return None;
        }
    }
    let inventory = catalog.api(query).and_then(|api| catalog.inventory(api.inventory?))?;
    inventory.field("uuid")?;
    let fields: &[&str] = if inventory.field("name").is_some() { &["uuid", "name"] } else { &["uuid"] };
    let wanted = Wanted { conditions, fields, limit: Some(limit) };
    let planned = plan::rows(query, &wanted, PAGE_SIZE, catalog).ok()?;
    let Ok(Answer::Reply(reply)) = client.query(&planned, &CallOptions::default(), &mut Unwatched) else { return None };
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

/// Asks the node for resources by name, for Tab, with the client that stands in `lookup` at that moment.
pub(super) fn fetch(catalog: Catalog, lookup: Arc<Mutex<Option<Client>>>) -> Box<shell::Fetch> {
    Box::new(move |query, typed, limit| {
        // A fork of its own, so that nobody who changes the client waits for an answer.
        let client = lookup.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(Client::fork);
        let mut client = client.ok_or(Unreachable)?;
        let mut values: Vec<LiveValue> = Vec::new();
        for conditions in searches(typed) {
            let found = resources(&mut client, catalog, query, &conditions, limit).ok_or(Unreachable)?;
            let new: Vec<LiveValue> = found.into_iter().filter(|value| !values.contains(value)).collect();
            values.extend(new);
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
