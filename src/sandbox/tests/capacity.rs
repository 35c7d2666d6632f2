//! Hosts and storages fill and free, and what does not fit is refused.

use serde_json::Value;

use super::changes::{inventory, uuid};
use super::harness::{Reply, Sandbox};

const CLUSTER: &str = "cd1940d9ae404154ac16f8fcc3bb8162";
const OTHER_ZONE: &str = "195ae9157b9248e3889cc56cfd7d0f8d";
const CEPH: &str = "8884d71aee94466a85047c4cc4205e9d";
const GIB: i64 = 1 << 30;

fn image(sandbox: &Sandbox, session: &str) -> String {
    let path = "/images?q=mediaType%3DRootVolumeTemplate&q=state%3DEnabled&q=status%3DReady";
    uuid(&sandbox.call_as(session, "GET", path, "").json()["inventories"][0])
}

/// Creates a virtual machine with a root volume of 10 GiB in a cluster.
fn create(sandbox: &Sandbox, session: &str, cpus: i64, memory: i64, more: &str) -> Reply {
    let body = format!(
        r#"{{"params":{{"name":"c","cpuNum":{cpus},"memorySize":{memory},"imageUuid":"{}","rootDiskSize":{},
        "l3NetworkUuids":[],"clusterUuid":"{CLUSTER}"{more}}}}}"#,
        image(sandbox, session),
        10 * GIB
    );
    sandbox.change_as(session, "POST", "/vm-instances", &body)
}

fn number(row: &Value, field: &str) -> i64 {
    row[field].as_i64().unwrap_or_else(|| panic!("{field} of {row}"))
}

/// The available processors, memory and storage of a host and a primary storage.
fn left(sandbox: &Sandbox, host: &str, storage: &str) -> (i64, i64, i64) {
    let host = sandbox.row(&format!("/hosts?q=uuid%3D{host}"));
    let storage = sandbox.row(&format!("/primary-storage?q=uuid%3D{storage}"));
    (
        number(&host, "availableCpuCapacity"),
        number(&host, "availableMemoryCapacity"),
        number(&storage, "availableCapacity"),
    )
}

fn set(sandbox: &Sandbox, category: &str, name: &str, value: &str) {
    let body = format!(r#"{{"updateGlobalConfig":{{"value":"{value}"}}}}"#);
    inventory(&sandbox.change("PUT", &format!("/global-configurations/{category}/{name}/actions"), &body));
}

#[test]
fn hosts_and_storages_fill_and_free() {
    let sandbox = Sandbox::new();
    set(&sandbox, "mevoco", "overProvisioning.memory", "1.0");
    let session = sandbox.running.session_uuid().to_owned();
    // Which host and storage it gets is found out with a first one.
    let first = inventory(&create(&sandbox, &session, 4, 8 * GIB, ""));
    let (vm, host) = (uuid(&first), first["hostUuid"].as_str().expect("a host").to_owned());
    let root = first["rootVolumeUuid"].as_str().expect("a root volume").to_owned();
    let storage = sandbox.row(&format!("/volumes?q=uuid%3D{root}"))["primaryStorageUuid"].clone();
    let storage = storage.as_str().expect("a primary storage").to_owned();
    let full = left(&sandbox, &host, &storage);
    let action = |action: &str| {
        let body = format!("{{\"{action}\":{{}}}}");
        assert_eq!(sandbox.change("PUT", &format!("/vm-instances/{vm}/actions"), &body).status, 200, "{action}");
        left(&sandbox, &host, &storage)
    };
    let stopped = (full.0 + 4, full.1 + 8 * GIB, full.2);
    assert_eq!(action("stopVmInstance"), stopped);
    assert_eq!(action("startVmInstance"), full);
    // A snapshot takes its size, a bigger volume the difference.
    let body = r#"{"params":{"name":"s"}}"#;
    let snapshot = inventory(&sandbox.change("POST", &format!("/volumes/{root}/volume-snapshots"), body));
    assert_eq!(left(&sandbox, &host, &storage).2, full.2 - number(&snapshot, "size"));
    sandbox.change("DELETE", &format!("/volume-snapshots/{}", uuid(&snapshot)), "");
    assert_eq!(left(&sandbox, &host, &storage), full);
    let body = format!(r#"{{"resizeRootVolume":{{"size":{}}}}}"#, 15 * GIB);
    inventory(&sandbox.change("PUT", &format!("/volumes/resize/{root}/actions"), &body));
    assert_eq!(left(&sandbox, &host, &storage).2, full.2 - 5 * GIB);
    // A destroyed one keeps its disk until it is expunged.
    assert_eq!(sandbox.change("DELETE", &format!("/vm-instances/{vm}"), "").status, 200);
    assert_eq!(left(&sandbox, &host, &storage), (stopped.0, stopped.1, full.2 - 5 * GIB));
    assert_eq!(action("expungeVmInstance"), (stopped.0, stopped.1, full.2 + 10 * GIB));
    // Conditions see the same numbers as rows, and a ratio counts at once.
    let path = format!("/hosts?q=availableCpuCapacity%3D{}&q=uuid%3D{host}", stopped.0);
    assert_eq!(sandbox.rows(&path).len(), 1);
    set(&sandbox, "host", "cpu.overProvisioning.ratio", "5");
    let halved = sandbox.row(&format!("/hosts?q=uuid%3D{host}"));
    assert_eq!((number(&halved, "totalCpuCapacity"), number(&halved, "availableCpuCapacity")), (160, stopped.0 - 160));
}

#[test]
fn what_no_host_can_take_is_refused_with_the_reason_of_each() {
    let sandbox = Sandbox::new();
    let session = sandbox.running.session_uuid().to_owned();
    let before = sandbox.rows("/vm-instances").len();
    let refused = |cpus, memory, more: &str| {
        let reply = create(&sandbox, &session, cpus, memory, more);
        assert_eq!(reply.code(), "SYS.1002");
        let cause = reply.json()["error"]["cause"].clone();
        assert_eq!(cause["code"], "HOST_ALLOCATION.1001", "{cause}");
        let causes: Vec<_> = cause["causes"].as_array().expect("causes").clone();
        causes.iter().map(|cause| cause["details"].as_str().expect("details").to_owned()).collect::<Vec<_>>()
    };
    let has = |details: &[String], text: &str| assert!(details.iter().any(|line| line.contains(text)), "{details:?}");
    let details = refused(1000, GIB, "");
    assert_eq!(details.len(), 3, "one for each host of the cluster: {details:?}");
    has(&details, "cpus left, 1000 are needed");
    has(&details, "it is Maintenance and Connected");
    has(&refused(1, 1 << 40, ""), "bytes of memory left");
    has(&refused(1, GIB, &format!(r#","dataDiskSizes":[{}]"#, 1_i64 << 50)), "has no room");
    let storage = sandbox.row("/primary-storage?q=type%3DNFS");
    has(&refused(1, GIB, &format!(r#","primaryStorageUuidForRootVolume":"{}""#, uuid(&storage))), "not attached");
    let body = r#"{"changeClusterState":{"stateEvent":"disable"}}"#;
    inventory(&sandbox.change("PUT", &format!("/clusters/{CLUSTER}/actions"), body));
    has(&refused(1, GIB, ""), "is disabled");
    assert_eq!(sandbox.rows("/vm-instances").len(), before);
    // Volumes need room too.
    let body = format!(r#"{{"params":{{"name":"d","diskSize":{},"primaryStorageUuid":"{CEPH}"}}}}"#, 1_i64 << 50);
    assert_eq!(sandbox.change("POST", "/volumes/data", &body).code(), "SYS.1006");
    // A host that is full takes no more on a start or a migration either.
    let zone = r#"{"changeZoneState":{"stateEvent":"disable"}}"#;
    inventory(&sandbox.change("PUT", &format!("/zones/{OTHER_ZONE}/actions"), zone));
    let stopped = sandbox.row("/vm-instances?q=name%3Dbranch-pos-2");
    let body = r#"{"startVmInstance":{}}"#;
    let reply = sandbox.change("PUT", &format!("/vm-instances/{}/actions", uuid(&stopped)), body);
    assert_eq!(reply.json()["error"]["cause"]["code"], "HOST_ALLOCATION.1001", "{reply:?}");
}

#[test]
fn every_quota_of_a_new_account_holds() {
    let sandbox = Sandbox::new();
    let secret = "2".repeat(128);
    let body = format!(r#"{{"params":{{"name":"team","password":"{secret}"}}}}"#);
    let account = uuid(&inventory(&sandbox.change("POST", "/accounts", &body)));
    let session = uuid(&inventory(&sandbox.log_in("team", &secret)));
    assert_eq!(sandbox.rows(&format!("/accounts/quotas?q=identityUuid%3D{account}")).len(), 18);
    let quota = |name: &str, value: i64| {
        let body = format!(r#"{{"updateQuota":{{"identityUuid":"{account}","name":"{name}","value":{value}}}}}"#);
        inventory(&sandbox.change("PUT", "/accounts/quotas/actions", &body));
    };
    let make = |cpus, memory| create(&sandbox, &session, cpus, memory, "");
    quota("vm.cpuNum", 3);
    assert_eq!(make(4, GIB).code(), "ID.1003");
    let vm = uuid(&inventory(&make(3, GIB)));
    assert_eq!(make(1, GIB).code(), "ID.1003");
    let usage = sandbox.call_as(&session, "GET", &format!("/accounts/quota/{account}/usages"), "").json();
    let used = |name: &str| {
        usage["usages"].as_array().expect("usages").iter().find(|usage| usage["name"] == name).expect(name)["used"]
            .clone()
    };
    assert_eq!(
        [used("vm.num"), used("vm.totalNum"), used("vm.cpuNum"), used("vm.memorySize"), used("volume.capacity")],
        [1, 1, 3, GIB, 10 * GIB].map(Value::from)
    );
    // What rests does not count as running, and cannot start beyond the quota.
    let act = |vm: &str, action: &str| {
        let body = format!("{{\"{action}\":{{}}}}");
        sandbox.change_as(&session, "PUT", &format!("/vm-instances/{vm}/actions"), &body)
    };
    assert_eq!(act(&vm, "stopVmInstance").status, 200);
    inventory(&make(3, GIB));
    assert_eq!(act(&vm, "startVmInstance").code(), "ID.1003");
    for (name, value) in [("vm.memorySize", GIB), ("vm.num", 1), ("vm.totalNum", 2)] {
        quota("vm.cpuNum", 80);
        quota(name, value);
        assert_eq!(make(1, GIB).code(), "ID.1003", "{name}");
        quota(name, 1 << 40);
    }
    quota("volume.capacity", 25 * GIB);
    assert_eq!(make(1, GIB).code(), "ID.1003");
    let disk = |size: i64| {
        let body = format!(r#"{{"params":{{"name":"d","diskSize":{size}}}}}"#);
        sandbox.change_as(&session, "POST", "/volumes/data", &body)
    };
    assert_eq!(disk(6 * GIB).code(), "ID.1003");
    assert_eq!(disk(5 * GIB).status, 200);
    quota("securityGroup.num", 0);
    let body = r#"{"params":{"name":"g"}}"#;
    assert_eq!(sandbox.change_as(&session, "POST", "/security-groups", body).code(), "ID.1003");
}
