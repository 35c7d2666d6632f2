//! The licence of the sandbox and its add-ons.

use serde_json::{Value, json};

use super::super::answer::Failure;
use super::super::change::{Change, Handler};
use super::MANAGEMENT_NODE;

/// The APIs that read the licence.
pub(in super::super) const WORK: &[(&str, Handler)] = &[
    ("GetLicenseAddOns", add_ons),
    ("GetLicenseCapabilities", capabilities),
    ("GetLicenseInfo", info),
    ("GetLicenseRecords", records),
    ("ReloadLicense", info),
];

/// What the licence allows: hosts, CPUs and virtual machines.
const ALLOWED: (i64, i64, i64) = (10_000, 100_000, 10_000_000);

const ISSUED: &str = "2025-01-06 09:00:00";

const DAY: i64 = 24 * 3600 * 1000;

/// The add-ons: uuid, name, module, and after how many days each ends. One always ends soon.
const ADD_ONS: [(&str, &str, &str, i64); 2] = [
    ("8b1f0a6c3d5e4f728190a2b3c4d5e6f7", "Tenant Management", "project-management", 400),
    ("c4d7e9f0a1b24c35968778695a4b3c2d", "Disaster Recovery", "disaster-recovery", 14),
];

/// What the licence and its add-ons have alike.
fn licence(uuid: &str, product: &str, kind: &str, ends: &str) -> Value {
    json!({
        "uuid": uuid,
        "user": "sandbox",
        "prodInfo": product,
        "licenseType": kind,
        "issuedDate": ISSUED,
        "uploadDate": ISSUED,
        "expiredDate": ends,
        "expired": false,
        "managementNodeUuid": MANAGEMENT_NODE,
    })
}

fn main(change: &Change<'_>) -> Result<Value, Failure> {
    let hosts = change.find("HostInventory", &[])?;
    let cpus: i64 = hosts.iter().filter_map(|host| host.get("cpuSockets").as_integer()).sum();
    let vms: i64 = change.tx.count_by("VmInstanceInventory", "type")?.values().sum();
    let mut main = licence("5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37", "sandbox", "Paid", "2099-12-31 23:59:59");
    let used = [i64::try_from(hosts.len()).unwrap_or(i64::MAX), cpus, vms];
    let allowed = [ALLOWED.0, ALLOWED.1, ALLOWED.2];
    for (at, name) in ["Host", "Cpu", "Vm"].iter().enumerate() {
        main[format!("{}Num", name.to_lowercase())] = allowed[at].into();
        main[format!("available{name}Num")] = (allowed[at] - used[at]).into();
    }
    Ok(main)
}

fn all_add_ons(change: &Change<'_>) -> Vec<Value> {
    let add_on = |(uuid, name, module, days): &(&str, &str, &str, i64)| {
        let end = change.now.plus(days * DAY).to_stored();
        let day = end.split(' ').next().unwrap_or_default();
        let mut add_on = licence(uuid, module, "AddOn", &format!("{day} 23:59:59"));
        add_on["name"] = (*name).into();
        add_on["modules"] = json!([module]);
        add_on
    };
    ADD_ONS.iter().map(add_on).collect()
}

fn info(change: &Change<'_>) -> Result<String, Failure> {
    let inventory = main(change)?;
    Ok(if change.api.name == "GetLicenseInfo" {
        json!({ "inventory": inventory, "additions": [] })
    } else {
        json!({ "inventory": inventory })
    }
    .to_string())
}

fn add_ons(change: &Change<'_>) -> Result<String, Failure> {
    Ok(json!({ "addons": all_add_ons(change) }).to_string())
}

fn capabilities(_: &Change<'_>) -> Result<String, Failure> {
    let modules: Vec<&str> = ADD_ONS.iter().map(|(_, _, module, _)| *module).collect();
    let (hosts, cpus, vms) = ALLOWED;
    Ok(json!({ "capabilities": { "hostNum": hosts, "cpuNum": cpus, "vmNum": vms, "modules": modules } }).to_string())
}

/// The licences that were uploaded, the last that ends first unless the call says otherwise.
fn records(change: &Change<'_>) -> Result<String, Failure> {
    let mut all = all_add_ons(change);
    all.insert(0, main(change)?);
    let is_true = |name: &str| change.arguments.get(name).and_then(Value::as_bool) == Some(true);
    if is_true("count") {
        return Ok(json!({ "total": all.len() }).to_string());
    }
    let by = change.arguments.text("sortBy").unwrap_or("expiredDate");
    all.sort_by(|one, other| one[by].as_str().cmp(&other[by].as_str()));
    if change.arguments.text("sortDirection") != Some("asc") {
        all.reverse();
    }
    let number = |name: &str| change.arguments.integer(name).and_then(|number| usize::try_from(number).ok());
    let total = all.len();
    let page = all.into_iter().skip(number("start").unwrap_or(0)).take(number("limit").unwrap_or(20));
    let mut reply = json!({ "inventories": page.collect::<Vec<_>>() });
    if is_true("replyWithCount") {
        reply["total"] = total.into();
    }
    Ok(reply.to_string())
}
