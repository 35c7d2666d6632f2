//! Names and uuids of resources, for completion and for questions.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::catalog::{Catalog, Offers, Type};
use crate::client::{Answer, CallOptions, Client, Unwatched};
use crate::json;
use crate::plan::{self, Plan};
use crate::shell::complete::LiveValue;
use crate::shell::{self, Unreachable};
use crate::syntax::Command;

/// How long the node may take to answer what is asked in passing.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// The resources that a query finds with these conditions, at most `limit`; `None` where the node cannot be asked.
pub(super) fn resources(
    client: &mut Client,
    catalog: Catalog,
    query: &str,
    conditions: &[String],
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
    let has = |name: &&str| inventory.field(name).is_some_and(|field| field.kind == Type::String);
    let mut fields = vec!["uuid"];
    let has_name = has(&"name");
    // What has no name is called by its address.
    let called = has_name.then_some("name").or(Some("ip").filter(has));
    fields.extend(called);
    fields.extend(STATES.into_iter().filter(has));
    fields.extend(ADDRESSES.into_iter().find(has).filter(|address| called != Some(*address)));
    let mut values: Vec<LiveValue> = rows(client, catalog, query, conditions, &fields, limit)?
        .into_iter()
        .filter_map(|row| {
            let mut row = row.into_iter();
            let uuid = row.next()??;
            let name = if called.is_some() { row.next()?.unwrap_or_default() } else { String::new() };
            let about: Vec<String> = row.flatten().filter(|text| !text.is_empty()).collect();
            Some(LiveValue { uuid, name, about: about.join(", ") })
        })
        .collect();
    match query {
        "QueryVmInstance" => tell_addresses(client, catalog, &mut values),
        "QueryVmNic" => tell_vms(client, catalog, &mut values),
        _ => {}
    }
    Some(values)
}

/// What tells resources from others of that name.
const STATES: [&str; 2] = ["state", "status"];

/// Where a resource is reached; the first that it has.
const ADDRESSES: [&str; 4] = ["managementIp", "ip", "hostname", "networkCidr"];

/// The most VMs whose addresses are asked for: all stand in the address of one request.
const MOST_ADDRESSED: usize = 100;

/// Adds the addresses of VMs, which their own rows hold among much else.
fn tell_addresses(client: &mut Client, catalog: Catalog, vms: &mut [LiveValue]) {
    if vms.is_empty() || vms.len() > MOST_ADDRESSED {
        return;
    }
    let uuids: Vec<&str> = vms.iter().map(|vm| vm.uuid.as_str()).collect();
    let condition = [format!("vmInstanceUuid?={}", uuids.join(","))];
    let fields = ["vmInstanceUuid", "ip"];
    for nic in rows(client, catalog, "QueryVmNic", &condition, &fields, 2 * MOST_ADDRESSED).unwrap_or_default() {
        let [Some(vm), Some(ip)] = nic.as_slice() else { continue };
        if let Some(vm) = vms.iter_mut().find(|known| known.uuid == *vm) {
            let gap = if vm.about.is_empty() { "" } else { ", " };
            vm.about.push_str(gap);
            vm.about.push_str(ip);
        }
    }
}

/// Says of nics whose they are.
fn tell_vms(client: &mut Client, catalog: Catalog, nics: &mut [LiveValue]) {
    if nics.is_empty() || nics.len() > MOST_ADDRESSED {
        return;
    }
    let uuids = |values: &[LiveValue]| values.iter().map(|it| it.uuid.as_str()).collect::<Vec<_>>().join(",");
    let condition = [format!("vmNics.uuid?={}", uuids(nics))];
    let nic_condition = [format!("uuid?={}", uuids(nics))];
    let owners = rows(client, catalog, "QueryVmNic", &nic_condition, &["uuid", "vmInstanceUuid"], MOST_ADDRESSED);
    let vms = rows(client, catalog, "QueryVmInstance", &condition, &["uuid", "name"], MOST_ADDRESSED);
    for owner in owners.unwrap_or_default() {
        let [Some(nic), Some(vm)] = owner.as_slice() else { continue };
        let name = vms.iter().flatten().find(|row| row.first() == Some(&Some(vm.clone()))).and_then(|row| row.last());
        let told = nics.iter_mut().find(|known| known.uuid == *nic).zip(name.cloned().flatten());
        if let Some((nic, name)) = told {
            nic.name = format!("{} {name}", nic.name);
        }
    }
}

/// These members of the rows that a query finds with these conditions, at most `limit`.
fn rows(
    client: &mut Client,
    catalog: Catalog,
    query: &str,
    conditions: &[String],
    fields: &[&str],
    limit: usize,
) -> Option<Vec<Vec<Option<String>>>> {
    let mut words = vec![query.to_owned()];
    words.extend(conditions.iter().cloned());
    words.extend([format!("fields={}", fields.join(",")), format!("limit={limit}")]);
    asked(client, catalog, &words, fields)
}

/// These members of the rows that a query given by its words finds.
fn asked(
    client: &mut Client,
    catalog: Catalog,
    words: &[String],
    members: &[&str],
) -> Option<Vec<Vec<Option<String>>>> {
    let (line, words) = Command::words_from_args(words);
    let command = Command::from_words(&line, &words).ok().flatten()?;
    let Ok(Plan::Query(planned)) = plan::plan(&command, catalog, &plan::Options::default()) else { return None };
    let Ok(Answer::Reply(reply)) = client.query(&planned, &CallOptions::default(), &mut Unwatched) else { return None };
    let text = reply.into_text().ok()?;
    let rows = json::member(&text, "inventories")?;
    let member = |row: &[u8], name: &str| {
        let text = json::member(row, name).filter(|text| *text != b"null")?;
        Some(json::unescape(text).into_owned())
    };
    Some(json::items(rows).map(|row| members.iter().map(|name| member(row, name)).collect()).collect())
}

/// The different values of a field, with the number of rows that have each. What the node cannot count it has none of.
fn distinct(client: &mut Client, catalog: Catalog, query: &str, field: &str, limit: usize) -> Vec<LiveValue> {
    let words = vec![query.to_owned(), format!("groupBy={field}")];
    let mut values = asked(client, catalog, &words, &[field, "count"]).unwrap_or_default();
    values.truncate(limit);
    let value = |row: Vec<Option<String>>| match <[Option<String>; 2]>::try_from(row) {
        Ok([Some(name), Some(count)]) => {
            let rows = if count == "1" { "row" } else { "rows" };
            Some(LiveValue { name, about: format!("{count} {rows}"), ..LiveValue::default() })
        }
        _ => None,
    };
    values.into_iter().filter_map(value).collect()
}

/// As [`searches`], by the address of what has no name.
fn searches_in(catalog: Catalog, query: &str, typed: &str) -> Vec<Vec<String>> {
    let inventory = catalog.api(query).and_then(|api| catalog.inventory(api.inventory?));
    let has = |name: &str| inventory.as_ref().is_some_and(|inventory| inventory.field(name).is_some());
    let mut searches = searches(typed);
    if !typed.is_empty() && !has("name") {
        let by_name = searches.remove(0);
        if has("ip") {
            searches.extend(by_name.first().map(|condition| vec![condition.replacen("name", "ip", 1)]));
        }
        if query == "QueryVmNic" {
            searches.extend(by_name.first().map(|condition| vec![format!("vmInstance.{condition}")]));
        }
    }
    searches
}

/// Asks the node for resources by name, for Tab, with the client that stands in `lookup` at that moment.
pub(super) fn fetch(catalog: Catalog, lookup: Arc<Mutex<Option<Client>>>) -> Box<shell::Fetch> {
    Box::new(move |query, typed, limit| {
        // A fork of its own, so that nobody who changes the client waits for an answer.
        let client = lookup.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(Client::fork);
        let mut client = client.ok_or(Unreachable)?;
        if let Some((query, field)) = query.split_once(' ') {
            return Ok(distinct(&mut client, catalog, query, field, limit));
        }
        let mut values: Vec<LiveValue> = Vec::new();
        for conditions in searches_in(catalog, query, typed) {
            let found = resources(&mut client, catalog, query, &conditions, limit).ok_or(Unreachable)?;
            let new: Vec<LiveValue> = found.into_iter().filter(|value| !values.contains(value)).collect();
            values.extend(new);
        }
        Ok(values)
    })
}

/// The conditions that find what somebody who typed this could mean: part of a name, or the beginning of a uuid.
pub(super) fn searches(typed: &str) -> Vec<Vec<String>> {
    if typed.is_empty() {
        return vec![Vec::new()];
    }
    let escaped = typed.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    let mut searches = vec![vec![format!("name~=%{escaped}%")]];
    if typed.bytes().all(|byte| byte.is_ascii_hexdigit()) && typed.len() <= 32 {
        searches.push(vec![format!("uuid~={typed}%")]);
    }
    searches
}
