//! The rules of section 9.

use serde_json::{Value as Json, json};

use super::super::{ServerError, Viewer};
use super::{shared, store};

fn results(text: &str) -> Json {
    let reply = shared().zql(text, &Viewer::admin()).unwrap_or_else(|error| panic!("{text} is refused: {error}"));
    serde_json::from_str::<Json>(&reply).expect("the reply is JSON")["results"].take()
}

fn names(text: &str) -> Vec<String> {
    let results = results(text);
    let rows = results[0]["inventories"].as_array().expect("there are inventories");
    rows.iter().map(|row| row["name"].as_str().unwrap_or_default().to_owned()).collect()
}

fn refused(text: &str) -> String {
    match shared().zql(text, &Viewer::admin()) {
        Err(ServerError::Failed { code: "SYS.1000", details, .. }) => details,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn queries_find_what_their_conditions_say() {
    for (text, wanted) in [
        ("query zone order by name desc", vec!["zone-2", "zone-1"]),
        ("query ZONE.name,uuid where name = 'zone-1'", vec!["zone-1"]),
        ("query zone where isDefault = false", vec!["zone-2"]),
        ("query cluster where name = 'cluster-1' or name = 'cluster-2' and state = 'x'", vec!["cluster-1"]),
        ("query cluster where name = 'x' and name = 'y' or name = 'cluster-2'", vec![]),
        ("query cluster where (name = 'x' and name = 'y') or name = 'cluster-2'", vec!["cluster-2"]),
        ("query instanceoffering where cpuNum in (1, 16) order by cpuNum asc", vec!["tiny", "xlarge"]),
        (
            "query instanceoffering where cpuNum not in (1, 16) order by cpuNum asc limit 1 offset 1",
            vec!["router-offering"],
        ),
        ("query vminstance where host.name = 'host-4' order by name asc limit 2", vec!["db-1", "db-2"]),
        ("query zone where uuid in (query cluster.zoneUuid where name = 'cluster-3')", vec!["zone-2"]),
        ("query zone where uuid = (query cluster.zoneUuid where name = 'cluster-3')", vec!["zone-2"]),
        (
            "query vminstance where __userTag__ has ('production') and name like 'db-%' order by name asc",
            vec!["db-1", "db-2", "db-3"],
        ),
        ("query backupstorage where __systemTag__ not has ('remote')", vec!["image-store"]),
        ("query cluster where description is null", vec!["cluster-3"]),
        ("query cluster where description is not null order by name asc", vec!["cluster-1", "cluster-2"]),
        ("query cluster where name not like '%-1' order by name asc", vec!["cluster-2", "cluster-3"]),
        ("query kvmhost where username = 'root' and managementIp = '172.20.21.16'", vec!["host-6"]),
        ("query cluster restrict by (zone.name = 'zone-2')", vec!["cluster-3"]),
        ("query zone restrict by (__userTag__ = 'main')", vec!["zone-1"]),
        ("query zone where name = 'it''s'", vec![]),
    ] {
        assert_eq!(names(text), wanted, "{text}");
    }
}

#[test]
fn counts_sums_and_functions() {
    for (text, wanted) in [
        ("count zone", json!([{"total": 2}])),
        ("count cluster.description", json!([{"total": 2}])),
        (
            "count cluster where zoneUuid = '140ebc2fbdb74ae197323a69d432f25e' named as 'n'",
            json!([{"total": 2, "name": "n"}]),
        ),
        (
            "count vminstance where state != 'Running' group by state order by groupCount desc limit 1",
            json!([{"inventoryCounts": [[{"state": "Stopped"}, 4]], "total": 7}]),
        ),
        (
            "sum diskoffering.diskSize,sortKey by state",
            json!([{"inventories": [["Enabled", 1_228_360_646_656_i64, 0]]}]),
        ),
        // Null has a group that counts 0, and is missing from the total (R7).
        (
            "count cluster group by description order by groupCount asc limit 1",
            json!([{"inventoryCounts": [[{}, 0]], "total": 2}]),
        ),
        (
            "count zone group by state",
            json!([{"inventoryCounts": [[{"state": "Enabled", "isDefault": false}, 2]], "total": 2}]),
        ),
        ("query zone.name group by type", json!([{"inventories": [{"name": "zone-1", "isDefault": false}]}])),
        ("query max(instanceoffering.cpuNum)", json!([{"inventoryAggregateFunctions": [[{"cpuNum": 16}, 16]]}])),
        ("query min(instanceoffering.cpuNum)", json!([{"inventoryAggregateFunctions": [[{"cpuNum": 1}, 1]]}])),
        ("query distinct(zone.state)", json!([{"inventories": [{"state": "Enabled", "isDefault": false}]}])),
        ("query avg(zone.state)", json!([{"inventoryAggregateFunctions": [[{"state": 0.0}, 0.0]]}])),
        ("count zone;count cluster", json!([{"total": 2}, {"total": 3}])),
        (
            "query zone.name return with (total) order by name asc limit 1",
            json!([{"inventories": [{"name": "zone-1", "isDefault": false}], "total": 2}]),
        ),
    ] {
        assert_eq!(results(text), wanted, "{text}");
    }
}

#[test]
fn there_is_no_default_limit_and_secrets_are_hidden() {
    let store = store();
    store.seed_vms(1100).expect("rows are added");
    let reply = store.zql("query vminstance.uuid", &Viewer::admin()).expect("the query is answered");
    let reply: Json = serde_json::from_str(&reply).expect("the reply is JSON");
    assert_eq!(reply["results"][0]["inventories"].as_array().map(Vec::len), Some(1125));
    let storages = results("query cephbackupstorage");
    assert_eq!(storages[0]["inventories"][0]["mons"][0]["sshPassword"], "*****");
    let passwords = results("query distinct(cephbackupstoragemon.sshPassword)");
    assert_eq!(passwords[0]["inventories"], json!([{"sshPassword": "*****"}]));
}

#[test]
fn errors_are_told_in_the_servers_manner() {
    let text = refused("query zone where name = 'x' order by name");
    assert_eq!(text, "failed to parse the ZQL at line 1:41, near [ name]: expected asc or desc");
    for text in ["query nozone", "query zone where nmae = 'x'", "query zone.nmae", "query zone order by nmae asc"] {
        refused(text);
    }
    // A node without the service that searches has an internal error.
    assert!(refused("search 'web'").contains("Unable to find field name in "));
    let refused = shared().zql("query zone return with (zwatch)", &Viewer::admin());
    assert!(matches!(refused, Err(ServerError::Failed { code: "SANDBOX.1000", .. })), "{refused:?}");
}
