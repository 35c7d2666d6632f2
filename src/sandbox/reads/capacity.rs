//! Total and available capacities.

use serde_json::{Value, json};

use super::super::answer::Failure;
use super::super::change::{Change, Handler};
use super::super::store::Row;

/// The APIs that sum up capacities.
pub(in super::super) const WORK: &[(&str, Handler)] = &[
    ("GetAccountQuotaUsage", quota_usage),
    ("GetBackupStorageCapacity", backup_storage),
    ("GetCpuMemoryCapacity", cpu_memory),
    ("GetIpAddressCapacity", addresses),
    ("GetPrimaryStorageCapacity", primary_storage),
];

/// The sum of a member over rows.
fn sum(rows: &[Row], field: &str) -> i64 {
    rows.iter().filter_map(|row| row.get(field).as_integer()).sum()
}

fn has(list: &[&str], row: &Row, field: &str) -> bool {
    list.is_empty() || row.text(field).is_some_and(|value| list.contains(&value))
}

/// The rows that a call's lists of uuids select.
fn selected(change: &Change<'_>, inventory: &str, lists: &[(&str, &str)]) -> Result<Vec<Row>, Failure> {
    let lists: Vec<_> = lists.iter().map(|(parameter, field)| (change.arguments.texts(parameter), *field)).collect();
    let mut rows = change.find(inventory, &[])?;
    rows.retain(|row| lists.iter().all(|(list, field)| has(list, row, field)));
    Ok(rows)
}

fn cpu_memory(change: &Change<'_>) -> Result<String, Failure> {
    let lists = [("hostUuids", "uuid"), ("clusterUuids", "clusterUuid"), ("zoneUuids", "zoneUuid")];
    // The rows of the reply: the narrowest kind of resource in the call, or all zones (R18).
    let narrowest = lists.iter().position(|(list, _)| !change.arguments.texts(list).is_empty());
    let is_all = change.arguments.get("all").and_then(Value::as_bool) == Some(true);
    if narrowest.is_none() && !is_all {
        return Err(Failure::argument("zoneUuids, clusterUuids and hostUuids cannot all be null"));
    }
    let hosts = if is_all { change.find("HostInventory", &[])? } else { selected(change, "HostInventory", &lists)? };
    let kind = if is_all { 2 } else { narrowest.unwrap_or(2) };
    let mut parts: Vec<(&str, Vec<Row>)> = Vec::new();
    for host in &hosts {
        let of = host.text(lists[kind].1).unwrap_or_default();
        match parts.iter_mut().find(|(uuid, _)| *uuid == of) {
            Some((_, rows)) => rows.push(host.clone()),
            None => parts.push((of, vec![host.clone()])),
        }
    }
    let sums = |hosts: &[Row]| {
        json!({
            "totalCpu": sum(hosts, "totalCpuCapacity"),
            "availableCpu": sum(hosts, "availableCpuCapacity"),
            "totalMemory": sum(hosts, "totalMemoryCapacity"),
            "availableMemory": sum(hosts, "availableMemoryCapacity"),
            "managedCpuNum": sum(hosts, "cpuNum"),
        })
    };
    let mut reply = sums(&hosts);
    let part = |(uuid, rows): &(&str, Vec<Row>)| {
        let mut part = sums(rows);
        part["resourceUuid"] = (*uuid).into();
        part
    };
    reply["capacityData"] = parts.iter().map(part).collect();
    reply["resourceType"] = ["HostVO", "ClusterVO", "ZoneVO"][kind].into();
    reply["success"] = true.into();
    Ok(reply.to_string())
}

fn primary_storage(change: &Change<'_>) -> Result<String, Failure> {
    let mut storages =
        selected(change, "PrimaryStorageInventory", &[("zoneUuids", "zoneUuid"), ("primaryStorageUuids", "uuid")])?;
    let clusters = change.arguments.texts("clusterUuids");
    if !clusters.is_empty() {
        let references = change.find("PrimaryStorageClusterRefInventory", &[])?;
        storages.retain(|storage| {
            references.iter().any(|reference| {
                reference.get("primaryStorageUuid") == storage.get("uuid") && has(&clusters, reference, "clusterUuid")
            })
        });
    }
    Ok(json!({
        "totalCapacity": sum(&storages, "totalCapacity"),
        "availableCapacity": sum(&storages, "availableCapacity"),
        "totalPhysicalCapacity": sum(&storages, "totalPhysicalCapacity"),
        "availablePhysicalCapacity": sum(&storages, "availablePhysicalCapacity"),
        "success": true,
    })
    .to_string())
}

fn backup_storage(change: &Change<'_>) -> Result<String, Failure> {
    let mut storages = selected(change, "BackupStorageInventory", &[("backupStorageUuids", "uuid")])?;
    let zones = change.arguments.texts("zoneUuids");
    if !zones.is_empty() {
        let references = change.find("BackupStorageZoneRefInventory", &[])?;
        storages.retain(|storage| {
            references.iter().any(|reference| {
                reference.get("backupStorageUuid") == storage.get("uuid") && has(&zones, reference, "zoneUuid")
            })
        });
    }
    Ok(json!({
        "totalCapacity": sum(&storages, "totalCapacity"),
        "availableCapacity": sum(&storages, "availableCapacity"),
        "success": true,
    })
    .to_string())
}

fn addresses(change: &Change<'_>) -> Result<String, Failure> {
    let mut ranges =
        selected(change, "IpRangeInventory", &[("l3NetworkUuids", "l3NetworkUuid"), ("ipRangeUuids", "uuid")])?;
    let zones = change.arguments.texts("zoneUuids");
    if !zones.is_empty() {
        let networks = selected(change, "L3NetworkInventory", &[("zoneUuids", "zoneUuid")])?;
        ranges.retain(|range| networks.iter().any(|network| network.get("uuid") == range.get("l3NetworkUuid")));
    }
    let total: i64 = ranges.iter().map(size_of).sum();
    let used = change.find("UsedIpInventory", &[])?;
    let used = used.iter().filter(|ip| ranges.iter().any(|range| range.get("uuid") == ip.get("ipRangeUuid"))).count();
    let used = i64::try_from(used).unwrap_or(i64::MAX);
    Ok(json!({
        "totalCapacity": total,
        "availableCapacity": (total - used).max(0),
        "usedIpAddressNumber": used,
        "ipv4TotalCapacity": total,
        "ipv4AvailableCapacity": (total - used).max(0),
        "ipv4UsedIpAddressNumber": used,
        "ipv6TotalCapacity": 0,
        "ipv6AvailableCapacity": 0,
        "ipv6UsedIpAddressNumber": 0,
        "success": true,
    })
    .to_string())
}

/// The number of IPv4 addresses of a range.
fn size_of(range: &Row) -> i64 {
    let bound = |field: &str| range.text(field).and_then(|text| text.parse::<std::net::Ipv4Addr>().ok()).map(u32::from);
    match (bound("startIp"), bound("endIp")) {
        (Some(first), Some(last)) => i64::from(last.saturating_sub(first)) + 1,
        _ => 0,
    }
}

fn quota_usage(change: &Change<'_>) -> Result<String, Failure> {
    let account = change.text("uuid");
    let mut usages = Vec::new();
    for quota in change.find("QuotaInventory", &[("identityUuid", account)])? {
        let name = quota.text("name").unwrap_or_default();
        if let Some(used) = change.used_of_quota(account, name)? {
            usages.push(json!({ "name": name, "used": used, "total": quota.get("value").as_integer() }));
        }
    }
    Ok(json!({ "usages": Value::from(usages) }).to_string())
}
