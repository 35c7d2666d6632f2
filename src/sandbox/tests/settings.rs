//! Settings of virtual machines and other resources that trainers show.

use serde_json::{Value, json};

use super::harness::Sandbox;

fn uuid(sandbox: &Sandbox, path: &str) -> String {
    sandbox.rows(path)[0]["uuid"].as_str().expect("a uuid").to_owned()
}

#[track_caller]
fn done(sandbox: &Sandbox, verb: &str, path: &str, body: &Value) -> Value {
    let reply = sandbox.change(verb, path, &body.to_string());
    assert_eq!(reply.status, 200, "{verb} {path}: {reply:?}");
    reply.json()
}

#[test]
fn settings_of_virtual_machines_are_read_as_they_were_set() {
    let sandbox = Sandbox::new();
    let vm = uuid(&sandbox, "/vm-instances?q=name%3Dweb-1");
    let actions = format!("/vm-instances/{vm}/actions");
    let set = |body: &Value| done(&sandbox, "PUT", &actions, body);
    set(&json!({ "setVmBootOrder": { "bootOrder": ["CdRom", "HardDisk"] } }));
    let read = |what: &str| sandbox.call("GET", &format!("/vm-instances/{vm}/{what}"), "").json();
    assert_eq!(read("boot-orders")["orders"], json!(["CdRom", "HardDisk"]));
    set(&json!({ "setVmConsolePassword": { "consolePassword": "open sesame" } }));
    assert_eq!(read("console-passwords")["password"], "open sesame");
    let row = sandbox.row(&format!("/vm-instances?q=uuid%3D{vm}"));
    assert!(!row.to_string().contains("sesame"), "{row}");
    set(&json!({ "setVmQga": { "enable": true } }));
    assert_eq!(read("qga")["enable"], true);
    set(&json!({ "setVmBootMode": { "bootMode": "UEFI" } }));
    let tags = sandbox.rows(&format!("/system-tags?q=resourceUuid%3D{vm}"));
    assert!(tags.iter().any(|tag| tag["tag"] == "bootMode::UEFI"), "{tags:?}");
    set(&json!({ "changeVmPassword": { "account": "root", "password": "new-one" } }));
    assert_eq!(read("guest-tools-infos")["status"], "Running");
    done(&sandbox, "PUT", &actions, &json!({ "stopVmInstance": {} }));
    assert_eq!(read("guest-tools-infos")["status"], "Not Connected");
    let password = json!({ "changeVmPassword": { "account": "root", "password": "new-one" } });
    assert_eq!(sandbox.change("PUT", &actions, &password.to_string()).code(), "SYS.1006");
}

#[test]
fn limits_of_volumes_and_nics_are_kept_apart() {
    let sandbox = Sandbox::new();
    let vm = sandbox.rows("/vm-instances?q=name%3Dweb-1")[0].clone();
    let (volume, nic) = (vm["rootVolumeUuid"].as_str(), vm["vmNics"][0]["uuid"].as_str());
    let (volume, nic) = (volume.expect("a volume"), nic.expect("a nic"));
    let limits = json!({ "setVolumeQos": { "volumeBandwidth": 1_048_576, "readIOPS": 500 } });
    done(&sandbox, "PUT", &format!("/volumes/{volume}/actions"), &limits);
    let found = sandbox.call("GET", &format!("/volumes/{volume}/qos"), "").json();
    let values = ["volumeBandwidth", "iopsRead", "iopsWrite"].map(|name| found[name].as_i64());
    assert_eq!(values, [Some(1_048_576), Some(500), Some(-1)], "{found}");
    done(&sandbox, "DELETE", &format!("/volumes/{volume}/qos?mode=all"), &Value::Null);
    let found = sandbox.call("GET", &format!("/volumes/{volume}/qos"), "").json();
    assert_eq!(found["volumeBandwidth"], -1);
    let limits = json!({ "setNicQos": { "outboundBandwidth": 8_192 } });
    done(&sandbox, "PUT", &format!("/vm-instances/{nic}/actions"), &limits);
    let found = sandbox.call("GET", &format!("/vm-instances/{nic}/nic-qos"), "").json();
    assert_eq!((&found["outboundBandwidth"], &found["inboundBandwidth"]), (&8192.into(), &(-1).into()));
}

#[test]
fn rules_of_security_groups_have_an_order() {
    let sandbox = Sandbox::new();
    let made = done(&sandbox, "POST", "/security-groups", &json!({ "params": { "name": "ordered" } }));
    let group = made["inventory"]["uuid"].as_str().expect("a uuid").to_owned();
    let rule = |port: &str| json!({ "type": "Ingress", "protocol": "TCP", "dstPortRange": port });
    let path = format!("/security-groups/{group}/rules");
    done(&sandbox, "POST", &path, &json!({ "params": { "rules": [rule("22"), rule("80")] } }));
    done(&sandbox, "POST", &path, &json!({ "params": { "rules": [rule("443")], "priority": 1 } }));
    let order = || -> Vec<(i64, String)> {
        let rows = sandbox.rows(&format!("/security-groups/rules?q=securityGroupUuid%3D{group}&q=priority%3E0"));
        let mut order: Vec<_> = rows
            .iter()
            .map(|row| (row["priority"].as_i64().unwrap_or(0), row["dstPortRange"].as_str().unwrap_or("").to_owned()))
            .collect();
        order.sort();
        order
    };
    let named = |names: [&str; 3]| (1_i64..).zip(names.map(str::to_owned)).collect::<Vec<_>>();
    assert_eq!(order(), named(["443", "22", "80"]));
    let last = uuid(&sandbox, &format!("/security-groups/rules?q=securityGroupUuid%3D{group}&q=dstPortRange%3D80"));
    let body = json!({ "changeSecurityGroupRule": { "priority": 1, "state": "Disabled" } });
    done(&sandbox, "PUT", &format!("/security-groups/rules/{last}/actions"), &body);
    assert_eq!(order(), named(["80", "443", "22"]));
    let default = uuid(&sandbox, &format!("/security-groups/rules?q=securityGroupUuid%3D{group}&q=priority%3D0"));
    let refused = sandbox.change("PUT", &format!("/security-groups/rules/{default}/actions"), &body.to_string());
    assert_eq!(refused.code(), "SYS.1007");
}

#[test]
fn resources_have_settings_of_their_own_beside_the_nodes() {
    let sandbox = Sandbox::new();
    let vm = uuid(&sandbox, "/vm-instances?q=name%3Dweb-1");
    let path = format!("/resource-configurations/vm/numa/{vm}/actions");
    let reply = done(&sandbox, "PUT", &path, &json!({ "updateResourceConfig": { "value": "false" } }));
    assert_eq!(reply["inventory"]["resourceType"], "VmInstanceVO");
    let read = || sandbox.call("GET", &format!("/resource-configurations/{vm}/vm/numa"), "").json()["value"].clone();
    assert_eq!(read(), "false");
    done(&sandbox, "DELETE", &format!("/resource-configurations/vm/numa/{vm}"), &Value::Null);
    assert_eq!(read(), "true");
    let none = format!("/resource-configurations/vm/nothing/{vm}/actions");
    assert_eq!(sandbox.change("PUT", &none, r#"{"updateResourceConfig":{"value":"1"}}"#).code(), "SYS.1007");
}

#[test]
fn volumes_and_machines_are_backed_up_moved_and_built_from_each_other() {
    let sandbox = Sandbox::new();
    let vm = sandbox.rows("/vm-instances?q=name%3Dweb-1")[0].clone();
    let root = vm["rootVolumeUuid"].as_str().expect("a volume");
    let storage = uuid(&sandbox, "/backup-storage");
    let body = json!({ "params": { "name": "weekly", "backupStorageUuid": storage } });
    let reply = done(&sandbox, "POST", &format!("/volumes/{root}/vm-backups"), &body);
    assert_eq!(reply["inventories"][0]["volumeUuid"], root);
    let snapshot =
        done(&sandbox, "POST", &format!("/volumes/{root}/volume-snapshots"), &json!({ "params": { "name": "s" } }));
    let snapshot = snapshot["inventory"]["uuid"].as_str().expect("a uuid").to_owned();
    let body = json!({ "params": { "name": "template", "backupStorageUuids": [storage] } });
    let image =
        done(&sandbox, "POST", &format!("/images/root-volume-templates/from/volume-snapshots/{snapshot}"), &body);
    assert_eq!(image["inventory"]["mediaType"], "RootVolumeTemplate");
    let disk = json!({ "params": { "name": "disk", "diskSize": 1_073_741_824,
        "primaryStorageUuid": sandbox.row(&format!("/volumes?q=uuid%3D{root}"))["primaryStorageUuid"] } });
    let disk = done(&sandbox, "POST", "/volumes/data", &disk)["inventory"]["uuid"].clone();
    let body =
        json!({ "params": { "name": "from-disk", "cpuNum": 1, "memorySize": 1_073_741_824, "volumeUuid": disk } });
    let made = done(&sandbox, "POST", "/vm-instances/from/volume", &body)["inventory"].clone();
    assert_eq!((&made["rootVolumeUuid"], &made["allVolumes"][0]["type"]), (&disk, &"Root".into()), "{made}");
    assert_eq!(sandbox.change("POST", "/vm-instances/from/volume", &body.to_string()).code(), "SYS.1006");
}

#[test]
fn the_licence_counts_what_there_is_and_has_add_ons() {
    let sandbox = Sandbox::new();
    let read = |path: &str| sandbox.call("GET", path, "").json();
    let licence = read("/licenses")["inventory"].clone();
    assert_eq!(
        (&licence["expired"], &licence["hostNum"], &licence["availableHostNum"]),
        (&json!(false), &json!(10_000), &json!(9_994))
    );
    let add_ons = read("/licenses/addons")["addons"].clone();
    assert_eq!(
        (&add_ons[0]["modules"], &add_ons[1]["name"]),
        (&json!(["project-management"]), &json!("Disaster Recovery"))
    );
    assert_eq!(read("/licenses/capabilities")["capabilities"]["modules"][1], "disaster-recovery");
    let records = read("/licenses/records?limit=1&sortBy=expiredDate&sortDirection=asc&replyWithCount=true");
    assert_eq!((&records["total"], &records["inventories"][0]["uuid"]), (&json!(3), &add_ons[1]["uuid"]));
    assert_eq!(read("/licenses/records?count=true"), json!({ "total": 3 }));
    let body = json!({ "reloadLicense": {} }).to_string();
    assert_eq!(sandbox.call("PUT", "/licenses/actions", &body).json()["inventory"]["uuid"], licence["uuid"]);
}
