//! Looks up names and uuids of resources, for completion and for confirmations.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::catalog::{ApiName, Catalog, Inventory, Offers, Type};
use crate::client::{Answer, CallOptions, Client, Unwatched};
use crate::json::{self, Piece, Pieces};
use crate::plan::{self, Wanted};
use crate::shell::complete::LiveValue;
use crate::shell::{self, Question, Unreachable};
use crate::syntax::Operator;

/// The maximum number of rows of a look-up.
const PAGE_SIZE: u32 = 1000;

/// What tells resources from others of that name.
const STATES: [&str; 2] = ["state", "status"];

/// Where a resource is reached; the first that it has.
const ADDRESSES: [&str; 4] = ["managementIp", "ip", "hostname", "networkCidr"];

/// The most VMs whose addresses are asked for: all stand in the address of one request.
const MOST_ADDRESSED: usize = 100;

/// What resources are looked for by: field, operator, value.
pub(crate) type Condition = (&'static str, Operator, String);

/// The members of a row that tell a resource from others.
pub(super) struct Columns {
    pub(super) fields: Vec<&'static str>,
    /// Whether the second one is the name.
    named: bool,
}

impl Columns {
    /// Those of the rows of an inventory.
    pub(super) fn of(inventory: &Inventory) -> Columns {
        let has = |name: &&str| inventory.field(name).is_some_and(|field| field.kind == Type::String);
        // What has no name is called by its address.
        let called = ["name", "ip"].into_iter().find(has);
        let mut fields = vec!["uuid"];
        fields.extend(called);
        fields.extend(STATES.into_iter().filter(has));
        fields.extend(ADDRESSES.into_iter().find(has).filter(|address| called != Some(*address)));
        Columns { fields, named: called.is_some() }
    }

    /// The resource of a row; `None` if it has no uuid.
    pub(super) fn value(&self, row: &[u8]) -> Option<LiveValue> {
        let mut members = self.fields.iter().map(|name| text(row, name));
        let uuid = members.next()??;
        let name = if self.named { members.next()?.unwrap_or_default() } else { String::new() };
        let about: Vec<String> = members.flatten().filter(|text| !text.is_empty()).collect();
        Some(LiveValue { uuid, name, about: about.join(", ") })
    }
}

/// The text of a member of a row; `None` where it has none.
fn text(row: &[u8], name: &str) -> Option<String> {
    let text = json::member(row, name).filter(|text| *text != b"null")?;
    Some(json::unescape(text).into_owned())
}

/// Looks up resources with its own connection.
pub(crate) struct Lookup {
    pub(super) client: Client,
    pub(super) catalog: Catalog,
    /// What the node reported about its APIs.
    offers: Option<Arc<Offers>>,
}

impl Lookup {
    /// A look-up with that client.
    pub(super) fn new(client: Client, catalog: Catalog, offers: Option<Arc<Offers>>) -> Lookup {
        Lookup { client, catalog, offers }
    }

    /// Another look-up, for another thread.
    pub(crate) fn fork(&self) -> Lookup {
        Lookup { client: self.client.fork(), catalog: self.catalog, offers: self.offers.clone() }
    }

    /// The resources that match the conditions, at most `limit`; `None` if the node cannot be asked.
    pub(crate) fn resources(&mut self, query: &str, conditions: &[Condition], limit: usize) -> Option<Vec<LiveValue>> {
        let inventory = self.inventory(query)?;
        inventory.field("uuid")?;
        let columns = Columns::of(&inventory);
        let wanted = Wanted { conditions, fields: &columns.fields, limit: Some(limit), ..Wanted::default() };
        let mut values: Vec<LiveValue> = Vec::new();
        self.each_row(query, &wanted, &mut |row| values.extend(columns.value(row)))?;
        if query == "QueryVmNic" {
            self.tell_vms(&mut values);
        }
        Some(values)
    }

    /// What somebody who typed this could mean, at most `limit` for each way to mean it.
    fn meant(&mut self, query: &str, typed: &str, limit: usize) -> Option<Vec<LiveValue>> {
        let mut values: Vec<LiveValue> = Vec::new();
        for conditions in self.searches(query, typed) {
            let found = self.resources(query, &conditions, limit)?;
            let new: Vec<LiveValue> = found.into_iter().filter(|value| !values.contains(value)).collect();
            values.extend(new);
        }
        if query == "QueryVmInstance" {
            self.tell_addresses(&mut values);
        }
        Some(values)
    }

    /// Adds to resources of a query what their own rows do not say: the addresses of VMs, the VMs of nics.
    pub(super) fn tell(&mut self, query: &str, values: &mut [LiveValue]) {
        match query {
            "QueryVmInstance" => self.tell_addresses(values),
            "QueryVmNic" => self.tell_vms(values),
            _ => {}
        }
    }

    /// The conditions that find what somebody who typed this could mean: part of a name, of an address where there are no
    /// names, or the beginning of a uuid.
    pub(super) fn searches(&self, query: &str, typed: &str) -> Vec<Vec<Condition>> {
        if typed.is_empty() {
            return vec![Vec::new()];
        }
        let inventory = self.inventory(query);
        let has = |name: &str| inventory.as_ref().is_some_and(|inventory| inventory.field(name).is_some());
        let names: &[&str] = match query {
            _ if has("name") => &["name"],
            "QueryVmNic" => &["ip", "vmInstance.name"],
            _ if has("ip") => &["ip"],
            _ => &[],
        };
        let escaped = typed.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let part = |name: &&'static str| vec![(*name, Operator::Like, format!("%{escaped}%"))];
        let mut searches: Vec<Vec<Condition>> = names.iter().map(part).collect();
        if typed.bytes().all(|byte| byte.is_ascii_hexdigit()) && typed.len() <= 32 {
            searches.push(vec![("uuid", Operator::Like, format!("{typed}%"))]);
        }
        searches
    }

    /// The different values of a field, with the number of rows that have each. What the node cannot count it has none of.
    fn distinct(&mut self, query: &str, field: &str, limit: usize) -> Vec<LiveValue> {
        let wanted = Wanted { group_by: Some(field), ..Wanted::default() };
        let mut values = self.rows(query, &wanted, &[field, "count"]).unwrap_or_default();
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

    /// The metrics of the resources of an inventory; `None` if the node cannot be asked.
    fn metrics(&mut self, inventory: &str) -> Option<Vec<LiveValue>> {
        let request = plan::call("GetAllMetricMetadata", &[], self.catalog).ok()?;
        let Answer::Reply(mut reply) = self.client.execute(&request, &CallOptions::default(), &mut Unwatched).ok()?
        else {
            return None;
        };
        let mut values: Vec<LiveValue> = Vec::new();
        while let Some(piece) = reply.next_piece().ok()? {
            let Piece::Row(row) = piece else { continue };
            let text = |name: &str| json::member(row, name).map(|text| json::unescape(text).into_owned());
            let (Some(name), Some(about)) = (text("name"), text("namespace")) else { continue };
            let is_its = self.catalog.kind_of_namespace(&about).is_some_and(|kind| kind.inventory.name == inventory);
            if is_its && !values.iter().any(|known| known.name == name) {
                values.push(LiveValue { name, about, ..LiveValue::default() });
            }
        }
        Some(values)
    }

    /// Adds the addresses of VMs, which their own rows hold among much else.
    fn tell_addresses(&mut self, vms: &mut [LiveValue]) {
        if vms.is_empty() || vms.len() > MOST_ADDRESSED {
            return;
        }
        let conditions = [("vmInstanceUuid", Operator::In, uuids(vms))];
        let fields = ["vmInstanceUuid", "ip"];
        let limit = Some(2 * MOST_ADDRESSED);
        let wanted = Wanted { conditions: &conditions, fields: &fields, limit, ..Wanted::default() };
        for nic in self.rows("QueryVmNic", &wanted, &fields).unwrap_or_default() {
            let [Some(vm), Some(ip)] = nic.as_slice() else { continue };
            if let Some(vm) = vms.iter_mut().find(|known| known.uuid == *vm) {
                let gap = if vm.about.is_empty() { "" } else { ", " };
                vm.about.push_str(gap);
                vm.about.push_str(ip);
            }
        }
    }

    /// Says of nics whose they are.
    fn tell_vms(&mut self, nics: &mut [LiveValue]) {
        if nics.is_empty() || nics.len() > MOST_ADDRESSED {
            return;
        }
        let mut ask = |query: &str, field: &'static str, fields: [&str; 2]| {
            let conditions = [(field, Operator::In, uuids(nics))];
            let limit = Some(MOST_ADDRESSED);
            let wanted = Wanted { conditions: &conditions, fields: &fields, limit, ..Wanted::default() };
            self.rows(query, &wanted, &fields).unwrap_or_default()
        };
        let owners = ask("QueryVmNic", "uuid", ["uuid", "vmInstanceUuid"]);
        let vms = ask("QueryVmInstance", "vmNics.uuid", ["uuid", "name"]);
        for owner in owners {
            let [Some(nic), Some(vm)] = owner.as_slice() else { continue };
            let name = vms.iter().find(|row| row.first() == Some(&Some(vm.clone()))).and_then(|row| row.last());
            let told = nics.iter_mut().find(|known| known.uuid == *nic).zip(name.cloned().flatten());
            if let Some((nic, name)) = told {
                nic.name = format!("{} {name}", nic.name);
            }
        }
    }

    /// These members of the rows that a query finds; `None` where the node cannot be asked.
    fn rows(&mut self, query: &str, wanted: &Wanted<'_>, members: &[&str]) -> Option<Vec<Vec<Option<String>>>> {
        let mut rows = Vec::new();
        self.each_row(query, wanted, &mut |row| rows.push(members.iter().map(|name| text(row, name)).collect()))?;
        Some(rows)
    }

    /// As this look-up, but it does not wait longer for an answer.
    pub(crate) fn within(mut self, patience: Duration) -> Lookup {
        self.client.set_patience(patience);
        self
    }

    /// Calls `found` with each row that a query finds; `None` where the node cannot be asked. The inner number is the
    /// total, where one was wanted.
    pub(crate) fn each_row(
        &mut self,
        query: &str,
        wanted: &Wanted<'_>,
        found: &mut dyn FnMut(&[u8]),
    ) -> Option<Option<u64>> {
        let api = self.catalog.api_name(query)?;
        if api.is_mistakable() && !self.has(api) {
            return None;
        }
        let planned = plan::rows(query, wanted, PAGE_SIZE, self.catalog).ok()?;
        let Ok(Answer::Reply(mut reply)) = self.client.query(&planned, &CallOptions::default(), &mut Unwatched) else {
            return None;
        };
        let mut total = None;
        while let Some(piece) = reply.next_piece().ok()? {
            match piece {
                Piece::Row(row) => found(row),
                Piece::Member { name: "total", text } => total = std::str::from_utf8(text).ok()?.parse().ok(),
                _ => {}
            }
        }
        Some(total)
    }

    /// What the rows of a query are.
    pub(super) fn inventory(&self, query: &str) -> Option<Inventory> {
        self.catalog.api(query).and_then(|api| self.catalog.inventory(api.inventory?))
    }

    /// Whether the node has an API. One that lacks it could run another in its place (R1). It is asked once if this is
    /// not known.
    pub(super) fn has(&mut self, api: ApiName) -> bool {
        if self.offers.as_ref().is_none_or(|offers| offers.apis.is_none()) {
            self.offers = Some(Arc::new(Offers::new(None, self.client.offered_apis().ok().flatten())));
        }
        self.offers.as_ref().is_some_and(|offers| offers.apis.is_some() && !offers.lacks(api))
    }
}

/// Asks the node for resources by name, for Tab, with the current value of `lookup`.
pub(crate) fn fetch(lookup: Arc<Mutex<Option<Lookup>>>) -> Box<shell::Fetch> {
    Box::new(move |question, limit| {
        let held = || lookup.lock().unwrap_or_else(PoisonError::into_inner);
        // A fork, so that changing the look-up does not wait for an answer.
        let forked = held().as_ref().map(Lookup::fork);
        let mut forked = forked.ok_or(Unreachable)?;
        let values = match question {
            Question::Values { query, field } => forked.distinct(query, field, limit),
            // All of them come with one answer.
            Question::Metrics { inventory } => forked.metrics(inventory).ok_or(Unreachable)?,
            // What fits is a help; without an answer all resources are offered.
            Question::Resources { query, fitting: Some(fitting), typed } => {
                forked.fitting(query, fitting, typed, limit).unwrap_or_default()
            }
            Question::Resources { query, fitting: None, typed } => {
                forked.meant(query, typed, limit).ok_or(Unreachable)?
            }
        };
        if let Some(lookup) = &mut *held()
            && lookup.client.endpoint().base() == forked.client.endpoint().base()
        {
            // The answer is kept for the next Tab.
            lookup.offers = lookup.offers.take().or(forked.offers);
        }
        Ok(values)
    })
}

/// The uuids of resources, as the value of a condition.
fn uuids(values: &[LiveValue]) -> String {
    values.iter().map(|value| value.uuid.as_str()).collect::<Vec<_>>().join(",")
}
