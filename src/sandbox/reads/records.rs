//! Events, alarms and audits: records of what happened, newest first.

use serde_json::{Map, Value, json};

use super::super::answer::Failure;
use super::super::change::{Change, Handler};
use super::super::store::{Row, Scalar};
use super::filter::Filter;
use super::metrics::seconds;

/// The APIs of records.
pub(in super::super) const WORK: &[(&str, Handler)] =
    &[("GetAlarmData", records), ("GetAuditData", records), ("GetEventData", records)];

/// Where the records of an API come from, and how its reply names them.
struct Records {
    api: &'static str,
    inventory: &'static str,
    member: &'static str,
}

const RECORDS: [Records; 3] = [
    Records { api: "GetAlarmData", inventory: "AlarmRecordsInventory", member: "histories" },
    Records { api: "GetAuditData", inventory: "AuditsInventory", member: "audits" },
    Records { api: "GetEventData", inventory: "EventRecordsInventory", member: "events" },
];

fn records(change: &Change<'_>) -> Result<String, Failure> {
    let found = RECORDS.iter().find(|records| records.api == change.api.name);
    let found = found.ok_or_else(|| Failure::not_simulated(change.api.name))?;
    let number = |parameter: &str| change.arguments.integer(parameter);
    let now = change.now.0.div_euclid(1000);
    // The offset is in milliseconds here.
    let back = number("offsetAheadOfCurrentTime").map(|offset| now - offset / 1000);
    let start = number("startTime").map(seconds).or(back).unwrap_or_default();
    let end = number("endTime").map_or(now, seconds);
    let filters = Filter::all(change, "conditions")?;
    let mut fitting = Vec::new();
    for row in change.find(found.inventory, &[])? {
        let time = row.get("createTime").as_integer().unwrap_or_default();
        let is_login = row.text("apiName").is_some_and(|api| api.contains(".APILog"));
        let has_kind = match change.arguments.text("auditType") {
            Some("Login") => is_login,
            Some(_) => !is_login,
            None => true,
        };
        let is_own = [row.text("accountUuid"), row.text("operatorAccountUuid")].contains(&Some(&change.caller.account));
        let others_too = change.caller.is_admin
            && change.arguments.get("excludeOtherAccount").and_then(Value::as_bool) != Some(true);
        if !(start..=end).contains(&seconds(time)) || !has_kind || !(is_own || others_too) {
            continue;
        }
        let record = record(&row);
        let text = |name: &str| {
            let value = record.get(name).or_else(|| record.get("labels").and_then(|labels| labels.get(name)))?;
            Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        };
        if filters.iter().all(|filter| filter.fits(text(&filter.name).as_deref())) {
            fitting.push((time, record));
        }
    }
    if change.arguments.get("count").and_then(Value::as_bool) == Some(true) {
        return Ok(json!({ "total": fitting.len(), "success": true }).to_string());
    }
    fitting.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
    let size = |parameter: &str, usual: usize| number(parameter).map_or(usual, |n| usize::try_from(n).unwrap_or(usual));
    let page = fitting.into_iter().skip(size("start", 0)).take(size("limit", 100));
    let page: Vec<Value> = page.map(|(_, record)| Value::Object(record)).collect();
    Ok(json!({ (found.member): page, "success": true }).to_string())
}

/// A stored record as the reply has it: the time in milliseconds, labels as an object.
fn record(row: &Row) -> Map<String, Value> {
    let mut record = Map::new();
    for (name, value) in row.iter() {
        let value = match value {
            Scalar::Null => continue,
            Scalar::Bool(value) => Value::from(*value),
            Scalar::Integer(number) => Value::from(*number),
            Scalar::Double(number) => Value::from(*number),
            Scalar::Text(text) if name == "labels" => {
                serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.as_str()))
            }
            Scalar::Text(text) => Value::from(text.as_str()),
        };
        match name {
            "id" => {}
            "createTime" => drop(record.insert("time".to_owned(), value)),
            name => drop(record.insert(name.to_owned(), value)),
        }
    }
    record
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn the_table_names_inventories_and_members_of_replies() {
        for records in RECORDS {
            let api = Catalog::newest().api(records.api).expect("an API of the catalog");
            assert!(api.result.iter().any(|member| member.name == records.member), "{}", records.api);
            let inventory = Catalog::newest().inventory(records.inventory).expect("an inventory of the catalog");
            assert!(inventory.field("createTime").is_some(), "{}", records.inventory);
        }
    }
}
