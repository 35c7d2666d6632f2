//! Calls that read without being queries.

use serde_json::Value;

use super::harness::{Sandbox, ZONE};

fn first(sandbox: &Sandbox, path: &str) -> String {
    sandbox.rows(path)[0]["uuid"].as_str().expect("a uuid").to_owned()
}

#[test]
fn capacities_are_the_sums_of_what_is_listed() {
    let sandbox = Sandbox::new();
    let sum = |rows: &[Value], field: &str| rows.iter().filter_map(|row| row[field].as_i64()).sum::<i64>();
    let hosts = sandbox.rows(&format!("/hosts?q=zoneUuid%3D{ZONE}"));
    let reply = sandbox.call("GET", &format!("/hosts/capacities/cpu-memory?zoneUuids={ZONE}"), "").json();
    assert_eq!(reply["totalMemory"], sum(&hosts, "totalMemoryCapacity"));
    let storages = sandbox.rows("/primary-storage");
    let reply = sandbox.call("GET", "/primary-storage/capacities?all=true", "").json();
    assert_eq!(reply["totalCapacity"], sum(&storages, "totalCapacity"));
    let reply = sandbox.call("GET", &format!("/backup-storage/capacities?zoneUuids={ZONE}"), "").json();
    assert_eq!(reply["totalCapacity"], 9_992_857_976_832_i64);
    let network = first(&sandbox, "/l3-networks?q=name%3Dflat-net");
    let reply = sandbox.call("GET", &format!("/ip-capacity?l3NetworkUuids={network}"), "").json();
    let (all, free) = (reply["totalCapacity"].as_i64(), reply["availableCapacity"].as_i64());
    assert!(all > free && free > Some(0), "{reply}");
}

#[test]
fn candidates_are_what_a_change_would_take() {
    let sandbox = Sandbox::new();
    let vm = &sandbox.rows("/vm-instances?q=name%3Dweb-1")[0];
    let uuid = vm["uuid"].as_str().expect("a uuid");
    let hosts = sandbox.rows(&format!("/vm-instances/{uuid}/migration-target-hosts"));
    assert!(!hosts.is_empty() && hosts.iter().all(|host| host["uuid"] != vm["hostUuid"]), "{hosts:?}");
    let networks = sandbox.rows(&format!("/vm-instances/{uuid}/l3-networks-candidates"));
    let network = networks[0]["uuid"].as_str().expect("a network");
    let attached = sandbox.change("POST", &format!("/vm-instances/{uuid}/l3-networks/{network}"), r#"{"params":{}}"#);
    assert_eq!(attached.status, 200, "{attached:?}");
    let left = sandbox.rows(&format!("/vm-instances/{uuid}/l3-networks-candidates"));
    assert_eq!(left.len(), networks.len() - 1);
    let free = sandbox.rows(&format!("/l3-networks/{network}/ip/free?limit=3"));
    assert_eq!(free.len(), 3);
    let ip = free[0]["ip"].as_str().expect("an address");
    let check = |ip: &str| sandbox.call("GET", &format!("/l3-networks/{network}/ip/{ip}/availability"), "").json();
    assert_eq!(check(ip)["available"], true);
    let taken = sandbox.rows(&format!("/vm-instances/nics?q=l3NetworkUuid%3D{network}"))[0]["ip"].clone();
    assert_eq!(check(taken.as_str().expect("an address"))["available"], false);
}

#[test]
fn settings_and_kinds_are_told() {
    let sandbox = Sandbox::new();
    let vm = first(&sandbox, "/vm-instances?q=state%3DRunning");
    let body = r#"{"setVmHostname":{"hostname":"db.example"}}"#;
    assert_eq!(sandbox.change("PUT", &format!("/vm-instances/{vm}/actions"), body).status, 200);
    let hostname = sandbox.call("GET", &format!("/vm-instances/{vm}/hostnames"), "").json();
    assert_eq!(hostname["hostname"], "db.example");
    let kinds = sandbox.call("GET", "/hosts/hypervisor-types", "").json();
    assert_eq!(kinds["hypervisorTypes"], Value::from(vec!["KVM"]));
    let names = sandbox.call("GET", &format!("/resources/names?uuids={ZONE}&uuids={vm}"), "").json();
    assert_eq!(names["inventories"][0]["resourceName"], "zone-1");
    assert_eq!(names["inventories"][1]["resourceType"], "VmInstanceVO");
    let console = sandbox.call("GET", &format!("/vm-instances/{vm}/console-addresses"), "").json();
    assert_eq!(console["protocol"], "vnc");
}

#[test]
fn zql_answers_by_get_and_by_post_z8() {
    let sandbox = Sandbox::new();
    let by_get = sandbox.call("GET", "/zql?zql=count%20zone", "").json();
    assert_eq!(by_get["results"][0]["total"], 2);
    let by_post = sandbox.call("POST", "/zql", r#"{"":{"zql":"count zone"}}"#).json();
    assert_eq!(by_post, by_get);
    assert_eq!(sandbox.call("GET", "/zql?zql=count%20zone%20where", "").code(), "SYS.1000");
}

#[test]
fn capacities_of_hosts_need_a_place_and_tell_its_parts_r18() {
    let sandbox = Sandbox::new();
    let path = "/hosts/capacities/cpu-memory";
    for query in ["", "?all=yes", "?nope=1"] {
        assert_eq!(sandbox.call("GET", &format!("{path}{query}"), "").code(), "SYS.1007", "{query}");
    }
    let all = sandbox.call("GET", &format!("{path}?all=TRUE"), "").json();
    let parts = all["capacityData"].as_array().expect("parts");
    assert_eq!((all["resourceType"].as_str(), parts.len()), (Some("ZoneVO"), 2), "{all}");
    let sum: i64 = parts.iter().filter_map(|part| part["totalCpu"].as_i64()).sum();
    assert_eq!(all["totalCpu"], sum);
    let host = first(&sandbox, "/hosts");
    let one = sandbox.call("GET", &format!("{path}?hostUuids={host}"), "").json();
    assert_eq!((&one["resourceType"], &one["capacityData"][0]["resourceUuid"]), (&"HostVO".into(), &host.into()));
}

#[test]
fn settings_are_those_of_a_node() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.call("GET", "/global-configurations?count=true", "").json()["total"], 315);
    let row = sandbox.row("/global-configurations?q=category%3Dkvm&q=name%3Dredhat.liveSnapshotOn");
    assert_eq!((&row["defaultValue"], &row["value"]), (&"false".into(), &"false".into()), "{row}");
    let set = |name: &str| {
        let path = format!("/global-configurations/kvm/{name}/actions");
        sandbox.change("PUT", &path, r#"{"updateGlobalConfig":{"value":"true"}}"#)
    };
    assert_eq!(set("redhat.liveSnapshotOn").json()["inventory"]["value"], "true");
    assert_eq!(set("no.such.setting").code(), "SYS.1007");
}
