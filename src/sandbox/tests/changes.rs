//! What operators see after their changes.

use serde_json::Value;

use super::harness::{NOTHING, Reply, Sandbox, ZONE};

const IMAGE_STORE: &str = "1ab3b836a88342e1bbc1b1a17d092f0f";
const CEPH_STORE: &str = "eed424abee694bcda5a5e414a61ea3d3";
const OTHER_ZONE: &str = "195ae9157b9248e3889cc56cfd7d0f8d";

#[track_caller]
pub(super) fn inventory(reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["inventory"].clone()
}

#[track_caller]
pub(super) fn uuid(value: &Value) -> String {
    value["uuid"].as_str().expect("an inventory has a uuid").to_owned()
}

/// A virtual machine in that state.
fn vm_in(sandbox: &Sandbox, state: &str) -> String {
    uuid(&sandbox.rows(&format!("/vm-instances?q=state%3D{state}&q=type%3DUserVm&sort=%2Bname"))[0])
}

fn vm_action(sandbox: &Sandbox, vm: &str, action: &str) -> Reply {
    sandbox.change("PUT", &format!("/vm-instances/{vm}/actions"), &format!("{{\"{action}\":{{}}}}"))
}

fn state_of(sandbox: &Sandbox, vm: &str) -> Value {
    sandbox.row(&format!("/vm-instances?q=uuid%3D{vm}"))["state"].clone()
}

#[test]
fn a_zone_is_made_changed_and_deleted() {
    let sandbox = Sandbox::new();
    let body = r#"{"params":{"name":"lab","description":"rack 7","userTags":["mine"]}}"#;
    let zone = inventory(&sandbox.change("POST", "/zones", body));
    assert_eq!((&zone["name"], &zone["state"], &zone["type"]), (&"lab".into(), &"Enabled".into(), &"zstack".into()));
    assert!(zone["createDate"].is_string() && zone["isDefault"] == false, "{zone}");
    let uuid = uuid(&zone);
    assert_eq!(sandbox.row("/zones?q=name%3Dlab"), zone);
    assert_eq!(sandbox.row("/zones?q=__userTag__%3Dmine")["uuid"], uuid.as_str());
    let path = format!("/zones/{uuid}/actions");
    let renamed = inventory(&sandbox.change("PUT", &path, r#"{"updateZone":{"name":"attic"}}"#));
    assert_eq!((&renamed["name"], &renamed["description"]), (&"attic".into(), &"rack 7".into()));
    let disabled = inventory(&sandbox.change("PUT", &path, r#"{"changeZoneState":{"stateEvent":"disable"}}"#));
    assert_eq!(disabled["state"], "Disabled");
    let deleted = sandbox.change("DELETE", &format!("/zones/{uuid}"), "");
    assert_eq!((deleted.status, deleted.body.as_str()), (200, "{}"));
    assert!(sandbox.rows(&format!("/zones?q=uuid%3D{uuid}")).is_empty());
    assert!(sandbox.rows(&format!("/user-tags?q=resourceUuid%3D{uuid}")).is_empty());
    // Deleting what is not there succeeds (J10).
    assert_eq!(sandbox.change("DELETE", &format!("/zones/{uuid}"), "").status, 200);
    assert_eq!(sandbox.change("DELETE", "/zones/zone-1", "").code(), "SYS.1003");
}

#[test]
fn a_uuid_may_be_chosen_once_p9() {
    let sandbox = Sandbox::new();
    let chosen = "0b5c1de0c6f54a1f9b7d0a4f3d1c2b61";
    let body = format!(r#"{{"params":{{"name":"lab","resourceUuid":"{chosen}"}}}}"#);
    assert_eq!(inventory(&sandbox.change("POST", "/zones", &body))["uuid"], chosen);
    assert_eq!(sandbox.change("POST", "/zones", &body).code(), "SYS.1000");
    assert_eq!(sandbox.rows("/zones?q=name%3Dlab").len(), 1);
}

#[test]
fn unknown_system_tags_are_refused_and_change_nothing_p8() {
    let sandbox = Sandbox::new();
    let body = r#"{"params":{"name":"lab"},"systemTags":["colour::blue"]}"#;
    assert_eq!(sandbox.change("POST", "/zones", body).code(), "SYS.1007");
    assert!(sandbox.rows("/zones?q=name%3Dlab").is_empty());
}

#[test]
fn a_call_can_be_checked_only_p10() {
    let sandbox = Sandbox::new();
    let send = |name: &str| {
        let body = format!(r#"{{"params":{{"name":"{name}"}},"systemTags":["ephemeral::validationOnly"]}}"#);
        sandbox.call("POST", "/zones", &body)
    };
    let good = sandbox.finish(&send("lab"));
    assert_eq!((good.status, good.body.as_str()), (200, "{}"));
    assert_eq!(sandbox.finish(&send("a/b")).code(), "SYS.1007");
    assert!(sandbox.rows("/zones?q=name%3Dlab").is_empty());
}

#[test]
fn backup_storages_are_attached_detached_reconnected_and_deleted() {
    let sandbox = Sandbox::new();
    let path = format!("/zones/{OTHER_ZONE}/backup-storage/{IMAGE_STORE}");
    let attached = inventory(&sandbox.change("POST", &path, r#"{"params":{}}"#));
    assert_eq!(attached["attachedZoneUuids"].as_array().map(Vec::len), Some(2), "{attached}");
    assert_eq!(sandbox.change("POST", &path, r#"{"params":{}}"#).code(), "SYS.1006");
    let detached = inventory(&sandbox.change("DELETE", &path, ""));
    assert_eq!(detached["attachedZoneUuids"], Value::from(vec![ZONE]));
    assert_eq!(sandbox.change("DELETE", &path, "").code(), "SYS.1006");

    let path = format!("/backup-storage/{CEPH_STORE}/actions");
    let reply = sandbox.change("PUT", &path, r#"{"reconnectBackupStorage":{}}"#);
    assert_eq!(inventory(&reply)["status"], "Connected");
    let path = format!("/backup-storage/image-store/{IMAGE_STORE}/actions");
    let reply = sandbox.change("PUT", &path, r#"{"reconnectImageStoreBackupStorage":{}}"#);
    assert_eq!(inventory(&reply)["hostname"], "172.20.1.115");

    assert_eq!(sandbox.change("DELETE", &format!("/backup-storage/{IMAGE_STORE}"), "").status, 200);
    assert!(sandbox.rows(&format!("/backup-storage?q=uuid%3D{IMAGE_STORE}")).is_empty());
    assert!(sandbox.rows(&format!("/zones?q=backupStorage.uuid%3D{IMAGE_STORE}")).is_empty());
}

#[test]
fn snapshot_groups_hold_a_snapshot_of_each_volume() {
    let sandbox = Sandbox::new();
    let vm = vm_in(&sandbox, "Running");
    let row = sandbox.row(&format!("/vm-instances?q=uuid%3D{vm}"));
    let volumes = row["allVolumes"].as_array().map(Vec::len).expect("a vm has volumes");
    let root = row["rootVolumeUuid"].as_str().expect("a vm has a root volume");
    let body = format!(r#"{{"params":{{"rootVolumeUuid":"{root}","name":"before"}}}}"#);
    let group = inventory(&sandbox.change("POST", "/volume-snapshots/group", &body));
    assert_eq!(group["snapshotCount"], volumes);
    assert_eq!(group["volumeSnapshotRefs"].as_array().map(Vec::len), Some(volumes), "{group}");
    let uuid = uuid(&group);
    let path = format!("/volume-snapshots/group/{uuid}");
    let renamed =
        sandbox.change("PUT", &format!("{path}/actions"), r#"{"updateVolumeSnapshotGroup":{"name":"after"}}"#);
    assert_eq!(inventory(&renamed)["name"], "after");
    let snapshot = group["volumeSnapshotRefs"][0]["volumeSnapshotUuid"].as_str().expect("a snapshot").to_owned();
    assert_eq!(sandbox.rows(&format!("/volume-snapshots?q=uuid%3D{snapshot}")).len(), 1);
    let deleted = sandbox.change("DELETE", &path, "").json();
    assert_eq!(deleted["results"].as_array().map(Vec::len), Some(volumes), "{deleted}");
    assert_eq!(deleted["results"][0]["success"], true);
    assert!(sandbox.rows(&format!("/volume-snapshots?q=uuid%3D{snapshot}")).is_empty());
    let wrong = format!(r#"{{"params":{{"rootVolumeUuid":"{NOTHING}","name":"x"}}}}"#);
    let failed = sandbox.change("POST", "/volume-snapshots/group", &wrong);
    assert_eq!(failed.code(), "SYS.1003");
    assert!(failed.body.contains("rootVolumeUuid") && failed.body.contains(NOTHING), "{failed:?}");
}

#[test]
fn virtual_machines_go_from_state_to_state() {
    let sandbox = Sandbox::new();
    let vm = vm_in(&sandbox, "Running");
    assert_eq!(inventory(&vm_action(&sandbox, &vm, "pauseVmInstance"))["state"], "Paused");
    assert_eq!(inventory(&vm_action(&sandbox, &vm, "resumeVmInstance"))["state"], "Running");
    let refused = vm_action(&sandbox, &vm, "expungeVmInstance");
    assert_eq!(refused.code(), "SYS.1006");
    assert!(
        refused.json()["error"]["cause"]["details"].as_str().is_some_and(|text| text.contains("Running")),
        "{refused:?}"
    );
    let stopped = inventory(&vm_action(&sandbox, &vm, "stopVmInstance"));
    assert_eq!(stopped["state"], "Stopped");
    assert!(stopped.get("hostUuid").is_none() && stopped["lastHostUuid"].is_string(), "{stopped}");
    assert_eq!(vm_action(&sandbox, &vm, "rebootVmInstance").code(), "SYS.1006");
    let started = inventory(&vm_action(&sandbox, &vm, "startVmInstance"));
    assert_eq!((&started["state"], &started["hostUuid"]), (&"Running".into(), &stopped["lastHostUuid"]));
    assert_eq!(vm_action(&sandbox, &vm, "startVmInstance").code(), "SYS.1006");

    assert_eq!(sandbox.change("DELETE", &format!("/vm-instances/{vm}"), "").status, 200);
    assert_eq!(state_of(&sandbox, &vm), "Destroyed");
    assert_eq!(inventory(&vm_action(&sandbox, &vm, "recoverVmInstance"))["state"], "Stopped");
    assert_eq!(sandbox.change("DELETE", &format!("/vm-instances/{vm}"), "").status, 200);
    assert_eq!(vm_action(&sandbox, &vm, "expungeVmInstance").status, 200);
    assert!(sandbox.rows(&format!("/vm-instances?q=uuid%3D{vm}")).is_empty());
    assert!(sandbox.rows(&format!("/vm-instances/nics?q=vmInstanceUuid%3D{vm}")).is_empty());
    assert!(sandbox.rows(&format!("/volumes?q=vmInstanceUuid%3D{vm}")).is_empty());
}

#[test]
fn a_virtual_machine_is_on_its_way_while_the_job_runs() {
    // At this speed the job takes minutes.
    let sandbox = Sandbox::with(crate::sandbox::Options { speed: 0.01, ..Default::default() });
    let vm = vm_in(&sandbox, "Running");
    let taken = sandbox.call("PUT", &format!("/vm-instances/{vm}/actions"), r#"{"stopVmInstance":{}}"#);
    let job = taken.json()["location"].as_str().and_then(|url| url.rsplit('/').next()).map(str::to_owned);
    let job = job.expect("a job");
    assert_eq!(state_of(&sandbox, &vm), "Stopping");
    let poll = sandbox.send(&format!("GET /zstack/v1/api-jobs/{job}"), &[], "");
    assert_eq!((poll.status, poll.body.as_str()), (202, "{}"));
    let progress = sandbox.call("GET", &format!("/task-progresses/{job}"), "").json();
    assert_eq!(
        (&progress["inventories"][0]["type"], &progress["inventories"][0]["taskName"]),
        (&"Progress".into(), &"StopVmInstance".into())
    );
    let percent = progress["inventories"][0]["content"].as_str().and_then(|text| text.parse::<u8>().ok());
    assert!(percent.is_some_and(|percent| percent < 100), "{progress}");
    let trail = sandbox.call("GET", &format!("/task-progresses/{job}?all=true"), "").json();
    assert_eq!(trail["inventories"][0]["type"], "Task");
    assert_eq!(sandbox.rows("/task-progresses/short").len(), 0);
    assert_eq!(sandbox.rows(&format!("/task-progresses/{NOTHING}")).len(), 0);
}

#[test]
fn virtual_machines_migrate_within_their_cluster() {
    let sandbox = Sandbox::new();
    let vm = vm_in(&sandbox, "Running");
    let before = sandbox.row(&format!("/vm-instances?q=uuid%3D{vm}"));
    let after = inventory(&vm_action(&sandbox, &vm, "migrateVm"));
    assert_ne!(after["hostUuid"], before["hostUuid"]);
    assert_eq!((&after["lastHostUuid"], &after["clusterUuid"]), (&before["hostUuid"], &before["clusterUuid"]));
    let host = after["hostUuid"].as_str().expect("a host");
    let body = format!(r#"{{"migrateVm":{{"hostUuid":"{host}"}}}}"#);
    let refused = sandbox.change("PUT", &format!("/vm-instances/{vm}/actions"), &body);
    assert_eq!(refused.json()["error"]["cause"]["code"], "SYS.1007", "{refused:?}");
}

#[test]
fn a_virtual_machine_is_made_with_nics_and_volumes() {
    let sandbox = Sandbox::new();
    let offering = uuid(&sandbox.rows("/instance-offerings?q=type%3DUserVm")[0]);
    let image = uuid(&sandbox.rows("/images?q=mediaType%3DRootVolumeTemplate&q=status%3DReady&q=state%3DEnabled")[0]);
    let disk = uuid(&sandbox.rows("/disk-offerings")[0]);
    let nic = &sandbox.rows("/vm-instances/nics?q=vmInstance.state%3DRunning")[0];
    let network = nic["l3NetworkUuid"].as_str().expect("a nic has a network");
    let body = format!(
        r#"{{"params":{{"name":"new","instanceOfferingUuid":"{offering}","imageUuid":"{image}",
            "l3NetworkUuids":["{network}"],"dataDiskOfferingUuids":["{disk}"]}}}}"#
    );
    let vm = inventory(&sandbox.change("POST", "/vm-instances", &body));
    assert_eq!((&vm["state"], &vm["name"]), (&"Running".into(), &"new".into()));
    assert!(vm["hostUuid"].is_string() && vm["zoneUuid"].is_string(), "{vm}");
    assert_eq!(vm["vmNics"][0]["l3NetworkUuid"], network);
    let ip = vm["vmNics"][0]["ip"].as_str().expect("a nic has an address");
    assert_eq!(sandbox.rows(&format!("/vm-instances?q=vmNics.ip%3D{ip}")).len(), 1);
    assert_eq!(vm["allVolumes"].as_array().map(Vec::len), Some(2), "{vm}");
    let without = format!(r#"{{"params":{{"name":"new","imageUuid":"{image}","l3NetworkUuids":["{network}"]}}}}"#);
    assert_eq!(sandbox.change("POST", "/vm-instances", &without).code(), "SYS.1007");
}

#[test]
fn data_volumes_are_made_attached_detached_deleted_and_recovered() {
    let sandbox = Sandbox::new();
    let vm = vm_in(&sandbox, "Running");
    let made = inventory(&sandbox.change("POST", "/volumes/data", r#"{"params":{"name":"d","diskSize":1073741824}}"#));
    assert_eq!((&made["status"], &made["size"]), (&"NotInstantiated".into(), &1_073_741_824.into()));
    let volume = uuid(&made);
    let attach = || sandbox.change("POST", &format!("/volumes/{volume}/vm-instances/{vm}"), r#"{"params":{}}"#);
    let attached = inventory(&attach());
    assert_eq!((&attached["vmInstanceUuid"], &attached["status"]), (&vm.as_str().into(), &"Ready".into()));
    assert_eq!(attach().code(), "SYS.1006");
    let detached = inventory(&sandbox.change("DELETE", &format!("/volumes/{volume}/vm-instances"), ""));
    assert!(detached.get("vmInstanceUuid").is_none(), "{detached}");
    let action =
        |name: &str| sandbox.change("PUT", &format!("/volumes/{volume}/actions"), &format!("{{\"{name}\":{{}}}}"));
    assert_eq!(action("expungeDataVolume").code(), "SYS.1006");
    assert_eq!(sandbox.change("DELETE", &format!("/volumes/{volume}"), "").status, 200);
    assert_eq!(sandbox.row(&format!("/volumes?q=uuid%3D{volume}"))["status"], "Deleted");
    assert_eq!(inventory(&action("recoverDataVolume"))["status"], "Ready");
    assert_eq!(sandbox.change("DELETE", &format!("/volumes/{volume}"), "").status, 200);
    assert_eq!(action("expungeDataVolume").status, 200);
    assert!(sandbox.rows(&format!("/volumes?q=uuid%3D{volume}")).is_empty());
}

#[test]
fn images_are_added_disabled_deleted_and_expunged() {
    let sandbox = Sandbox::new();
    let body = format!(
        r#"{{"params":{{"name":"i","url":"http://x/i.qcow2","format":"qcow2","backupStorageUuids":["{IMAGE_STORE}"]}}}}"#
    );
    let image = inventory(&sandbox.change("POST", "/images", &body));
    assert_eq!((&image["status"], &image["format"]), (&"Ready".into(), &"qcow2".into()));
    assert_eq!(image["backupStorageRefs"][0]["backupStorageUuid"], IMAGE_STORE);
    let path = format!("/images/{}", uuid(&image));
    let disabled =
        sandbox.change("PUT", &format!("{path}/actions"), r#"{"changeImageState":{"stateEvent":"disable"}}"#);
    assert_eq!(inventory(&disabled)["state"], "Disabled");
    assert_eq!(sandbox.change("PUT", &format!("{path}/actions"), r#"{"expungeImage":{}}"#).code(), "SYS.1006");
    assert_eq!(sandbox.change("DELETE", &path, "").status, 200);
    assert_eq!(sandbox.row("/images?q=name%3Di")["status"], "Deleted");
    assert_eq!(sandbox.change("PUT", &format!("{path}/actions"), r#"{"expungeImage":{}}"#).status, 200);
    assert!(sandbox.rows("/images?q=name%3Di").is_empty());
}

#[test]
fn deleting_takes_along_what_hangs_on_it() {
    let sandbox = Sandbox::new();
    for path in ["/clusters", "/hosts", "/vm-instances", "/primary-storage", "/l3-networks"] {
        assert!(!sandbox.rows(&format!("{path}?q=zoneUuid%3D{ZONE}")).is_empty(), "{path}");
    }
    assert_eq!(sandbox.change("DELETE", &format!("/zones/{ZONE}"), "").status, 200);
    for path in ["/clusters", "/hosts", "/vm-instances", "/primary-storage", "/l3-networks"] {
        assert!(sandbox.rows(&format!("{path}?q=zoneUuid%3D{ZONE}")).is_empty(), "{path}");
    }
    let storage = sandbox.row(&format!("/backup-storage?q=uuid%3D{IMAGE_STORE}"));
    assert!(!storage.to_string().contains(ZONE), "{storage}");
}

#[test]
fn an_attached_primary_storage_is_deleted_only_by_force_p5() {
    let sandbox = Sandbox::new();
    let storage = uuid(&sandbox.rows("/primary-storage?q=name%3Dlocal-ps")[0]);
    let path = format!("/primary-storage/{storage}");
    let refused = sandbox.change("DELETE", &path, "");
    assert_eq!(refused.code(), "SYS.1004");
    assert!(refused.json()["error"]["cause"]["details"].is_string(), "{refused:?}");
    // A GET on this path deletes as well, for no other API is there (D4).
    assert_eq!(sandbox.change("GET", &format!("{path}?deleteMode=Enforcing"), "").status, 200);
    assert!(sandbox.rows(&format!("/primary-storage?q=uuid%3D{storage}")).is_empty());
}

#[test]
fn networks_addresses_and_eips() {
    let sandbox = Sandbox::new();
    let body = format!(r#"{{"params":{{"name":"l2","zoneUuid":"{ZONE}","physicalInterface":"eth7","vlan":"77"}}}}"#);
    let l2 = inventory(&sandbox.change("POST", "/l2-networks/vlan", &body));
    assert_eq!((&l2["type"], &l2["vlan"]), (&"L2VlanNetwork".into(), &77.into()));
    let body = format!(r#"{{"params":{{"name":"l3","l2NetworkUuid":"{}","category":"Public"}}}}"#, uuid(&l2));
    let l3 = inventory(&sandbox.change("POST", "/l3-networks", &body));
    assert_eq!((&l3["zoneUuid"], &l3["state"]), (&ZONE.into(), &"Enabled".into()));
    let l3 = uuid(&l3);
    let vip = || sandbox.change("POST", "/vips", &format!(r#"{{"params":{{"name":"v","l3NetworkUuid":"{l3}"}}}}"#));
    let none = vip();
    assert_eq!(none.json()["error"]["cause"]["code"], "L3.1001", "{none:?}");
    let body = r#"{"params":{"name":"r","networkCidr":"10.77.0.0/29"}}"#;
    let range = inventory(&sandbox.change("POST", &format!("/l3-networks/{l3}/ip-ranges/by-cidr"), body));
    assert_eq!((&range["startIp"], &range["endIp"]), (&"10.77.0.2".into(), &"10.77.0.6".into()));
    let first = inventory(&vip());
    assert_eq!(first["ip"], "10.77.0.2");
    assert_eq!(inventory(&vip())["ip"], "10.77.0.3");
    let body = format!(r#"{{"params":{{"name":"e","vipUuid":"{}"}}}}"#, uuid(&first));
    let eip = inventory(&sandbox.change("POST", "/eips", &body));
    assert_eq!(eip["vipIp"], "10.77.0.2");
    let nic = &sandbox.rows("/vm-instances/nics")[0];
    let path = format!("/eips/{}/vm-instances/nics", uuid(&eip));
    let bound = inventory(&sandbox.change("POST", &format!("{path}/{}", uuid(nic)), r#"{"params":{}}"#));
    assert_eq!(bound["guestIp"], nic["ip"]);
    assert!(inventory(&sandbox.change("DELETE", &path, "")).get("guestIp").is_none());
    let dns = inventory(&sandbox.change("POST", &format!("/l3-networks/{l3}/dns"), r#"{"params":{"dns":"9.9.9.9"}}"#));
    assert_eq!(dns["dns"], Value::from(vec!["9.9.9.9"]));
    // The L2 network goes, and all that stands on it.
    assert_eq!(sandbox.change("DELETE", &format!("/l2-networks/{}", uuid(&l2)), "").status, 200);
    assert!(sandbox.rows("/vips?q=name%3Dv").is_empty() && sandbox.rows("/eips?q=name%3De").is_empty());
}

#[test]
fn accounts_see_and_change_what_is_theirs() {
    let sandbox = Sandbox::new();
    let secret = "0".repeat(128);
    let body = format!(r#"{{"params":{{"name":"team","password":"{secret}"}}}}"#);
    let account = inventory(&sandbox.change("POST", "/accounts", &body));
    assert!(!account.to_string().contains(&secret), "{account}");
    let reply = sandbox.log_in("team", &secret);
    let session = uuid(&inventory(&reply));
    let list = |path: &str| sandbox.call_as(&session, "GET", path, "").json()["inventories"].as_array().map(Vec::len);
    assert_eq!(list("/vm-instances"), Some(0));
    let made = sandbox.change_as(&session, "POST", "/volumes/data", r#"{"params":{"name":"d","diskSize":1048576}}"#);
    assert_eq!(made.status, 200, "{made:?}");
    assert_eq!(list("/volumes"), Some(1));
    let denied = sandbox.change_as(&session, "POST", "/zones", r#"{"params":{"name":"lab"}}"#);
    assert_eq!(denied.code(), "SYS.1006");
    let vm = vm_in(&sandbox, "Running");
    let denied = sandbox.change_as(&session, "DELETE", &format!("/vm-instances/{vm}"), "");
    assert_eq!(denied.code(), "SYS.1006");
    assert_eq!(state_of(&sandbox, &vm), "Running");
    // The account goes with what it owns and its sessions.
    assert_eq!(sandbox.change("DELETE", &format!("/accounts/{}", uuid(&account)), "").status, 200);
    assert_eq!(sandbox.call_as(&session, "GET", "/volumes", "").code(), "ID.1001");
    assert!(sandbox.rows("/volumes?q=name%3Dd").is_empty());
}

#[test]
fn quotas_and_other_accounts_passwords_hold() {
    let sandbox = Sandbox::new();
    let secret = "1".repeat(128);
    let body = format!(r#"{{"params":{{"name":"team","password":"{secret}"}}}}"#);
    let account = uuid(&inventory(&sandbox.change("POST", "/accounts", &body)));
    let session = uuid(&inventory(&sandbox.log_in("team", &secret)));
    let body = format!(r#"{{"updateQuota":{{"identityUuid":"{account}","name":"volume.data.num","value":1}}}}"#);
    assert_eq!(inventory(&sandbox.change("PUT", "/accounts/quotas/actions", &body))["value"], 1);
    let volume =
        || sandbox.change_as(&session, "POST", "/volumes/data", r#"{"params":{"name":"d","diskSize":1048576}}"#);
    assert_eq!(volume().status, 200);
    assert_eq!(volume().code(), "ID.1003");
    let usage = sandbox.call_as(&session, "GET", &format!("/accounts/quota/{account}/usages"), "").json();
    let usages = usage["usages"].as_array().expect("usages");
    assert!(usages.iter().any(|usage| usage["name"] == "volume.data.num" && usage["used"] == 1), "{usage}");
    let admin = "36c27e8ff05c4780bf6d2fa65700f22e";
    let body = format!(r#"{{"updateAccount":{{"password":"{secret}"}}}}"#);
    assert_eq!(sandbox.change_as(&session, "PUT", &format!("/accounts/{admin}"), &body).code(), "SYS.1006");
    assert_eq!(sandbox.log_in("admin", &secret).code(), "ID.1000");
}

#[test]
fn a_host_in_maintenance_is_empty() {
    let sandbox = Sandbox::new();
    let vm = vm_in(&sandbox, "Running");
    let host = sandbox.row(&format!("/vm-instances?q=uuid%3D{vm}"))["hostUuid"].as_str().expect("a host").to_owned();
    let body = r#"{"changeHostState":{"stateEvent":"maintain"}}"#;
    let changed = inventory(&sandbox.change("PUT", &format!("/hosts/{host}/actions"), body));
    assert_eq!(changed["state"], "Maintenance");
    assert!(sandbox.rows(&format!("/vm-instances?q=hostUuid%3D{host}")).is_empty());
    assert!(sandbox.row(&format!("/vm-instances?q=uuid%3D{vm}"))["lastHostUuid"] == host.as_str());
}

#[test]
fn tags_are_attached_changed_and_deleted() {
    let sandbox = Sandbox::new();
    let tag = inventory(&sandbox.change("POST", "/tags", r#"{"params":{"name":"hot","value":"hot","color":"red"}}"#));
    let body = format!(r#"{{"params":{{"resourceUuids":["{ZONE}"]}}}}"#);
    let attached = sandbox.change("POST", &format!("/tags/{}/resources", uuid(&tag)), &body);
    assert_eq!(attached.json()["results"][0]["inventory"]["resourceType"], "ZoneVO", "{attached:?}");
    assert_eq!(sandbox.row("/zones?q=__userTag__%3Dhot")["uuid"], ZONE);
    let body = format!(r#"{{"params":{{"resourceType":"ZoneVO","resourceUuid":"{ZONE}","tag":"cold"}}}}"#);
    let plain = inventory(&sandbox.change("POST", "/user-tags", &body));
    assert_eq!((&plain["tag"], &plain["type"]), (&"cold".into(), &"User".into()));
    assert_eq!(sandbox.change("DELETE", &format!("/tags/{}", uuid(&plain)), "").status, 200);
    assert_eq!(sandbox.change("DELETE", &format!("/tags/{}", uuid(&tag)), "").status, 200);
    assert!(sandbox.rows(&format!("/user-tags?q=resourceUuid%3D{ZONE}&q=tag%3Dhot")).is_empty());
}

#[test]
fn isos_go_into_drives_and_out() {
    let sandbox = Sandbox::new();
    let vm = uuid(&sandbox.row("/vm-instances?q=name%3Dbastion"));
    let iso = uuid(&sandbox.rows("/images?q=mediaType%3DISO&q=status%3DReady")[0]);
    let attach = || sandbox.change("POST", &format!("/vm-instances/{vm}/iso/{iso}"), r#"{"null":{}}"#);
    let attached = inventory(&attach());
    assert!(attached["vmCdRoms"].to_string().contains(&iso), "{attached}");
    assert_eq!(attach().code(), "SYS.1006");
    let detached = inventory(&sandbox.change("DELETE", &format!("/vm-instances/{vm}/iso?isoUuid={iso}"), ""));
    assert!(!detached["vmCdRoms"].to_string().contains(&iso), "{detached}");
}

#[test]
fn volumes_come_from_snapshots_and_images_from_volumes() {
    let sandbox = Sandbox::new();
    let volume = sandbox.row("/volumes?q=vmInstance.name%3Dweb-1&q=type%3DRoot");
    let path = format!("/volumes/{}/volume-snapshots", uuid(&volume));
    let snapshot = inventory(&sandbox.change("POST", &path, r#"{"params":{"name":"s"}}"#));
    assert_eq!((&snapshot["volumeUuid"], &snapshot["latest"]), (&volume["uuid"], &true.into()));
    let path = format!("/volumes/data/from/volume-snapshots/{}", uuid(&snapshot));
    let copy = inventory(&sandbox.change("POST", &path, r#"{"params":{"name":"copy"}}"#));
    assert_eq!((&copy["type"], &copy["size"], &copy["status"]), (&"Data".into(), &volume["size"], &"Ready".into()));
    let path = format!("/images/root-volume-templates/from/volumes/{}", uuid(&volume));
    let body = format!(r#"{{"params":{{"name":"golden","backupStorageUuids":["{IMAGE_STORE}"]}}}}"#);
    let image = inventory(&sandbox.change("POST", &path, &body));
    assert_eq!((&image["mediaType"], &image["size"]), (&"RootVolumeTemplate".into(), &volume["size"]));
    let body = format!(r#"{{"exportImageFromBackupStorage":{{"imageUuid":"{}"}}}}"#, uuid(&image));
    let exported = sandbox.change("PUT", &format!("/backup-storage/{IMAGE_STORE}/actions"), &body).json();
    assert!(exported["imageUrl"].as_str().is_some_and(|url| url.contains(&uuid(&image))), "{exported}");
    let path = format!("/volumes/resize/{}/actions", uuid(&volume));
    assert_eq!(sandbox.change("PUT", &path, r#"{"resizeRootVolume":{"size":1}}"#).code(), "SYS.1007");
}

#[test]
fn security_groups_hold_rules_and_nics() {
    let sandbox = Sandbox::new();
    let group = uuid(&inventory(&sandbox.change("POST", "/security-groups", r#"{"params":{"name":"g"}}"#)));
    let body = r#"{"params":{"rules":[{"type":"Ingress","protocol":"TCP","startPort":22,"endPort":22}]}}"#;
    let with_rule = inventory(&sandbox.change("POST", &format!("/security-groups/{group}/rules"), body));
    // After four default rules.
    assert_eq!(with_rule["rules"][4]["startPort"], 22, "{with_rule}");
    let nic = uuid(&sandbox.rows("/vm-instances/nics")[0]);
    let path = format!("/security-groups/{group}/vm-instances/nics");
    let body = format!(r#"{{"params":{{"vmNicUuids":["{nic}"]}}}}"#);
    assert_eq!(sandbox.change("POST", &path, &body).status, 200);
    assert_eq!(sandbox.rows(&format!("/vm-instances/nics?q=securityGroup.uuid%3D{group}")).len(), 1);
    assert_eq!(sandbox.change("DELETE", &format!("{path}?vmNicUuids={nic}"), "").status, 200);
    assert!(sandbox.rows(&format!("/vm-instances/nics?q=securityGroup.uuid%3D{group}")).is_empty());
}

#[test]
fn ceph_storages_have_monitors_whose_addresses_are_not_repeated() {
    let sandbox = Sandbox::new();
    let body = r#"{"params":{"name":"c","monUrls":["root:p@ss@10.1.1.1:2222/?monPort=7000"]}}"#;
    let storage = inventory(&sandbox.change("POST", "/backup-storage/ceph", body));
    let monitor = &storage["mons"][0];
    assert_eq!(
        (&monitor["hostname"], &monitor["monPort"], &monitor["sshPort"]),
        (&"10.1.1.1".into(), &7000.into(), &2222.into())
    );
    let path = format!("/backup-storage/ceph/{}/mons", uuid(&storage));
    let more = inventory(&sandbox.change("POST", &path, r#"{"params":{"monUrls":["root:x@10.1.1.2"]}}"#));
    assert_eq!(more["mons"].as_array().map(Vec::len), Some(2), "{more}");
    let wrong = sandbox.change("POST", &path, r#"{"params":{"monUrls":["hunter2@"]}}"#);
    assert_eq!(wrong.code(), "SYS.1007");
    assert!(!wrong.body.contains("hunter2"), "{wrong:?}");
    let fewer = inventory(&sandbox.change("DELETE", &format!("{path}?monHostnames=10.1.1.1"), ""));
    assert_eq!(fewer["mons"][0]["hostname"], "10.1.1.2");
    assert_eq!(sandbox.change("DELETE", &format!("{path}?monHostnames=10.1.1.2"), "").code(), "SYS.1006");
}

#[test]
fn clones_have_volumes_and_addresses_of_their_own() {
    let sandbox = Sandbox::new();
    let original = sandbox.row("/vm-instances?q=name%3Dweb-1");
    let body = r#"{"cloneVmInstance":{"names":["copy-1","copy-2"]}}"#;
    let cloned = sandbox.change("PUT", &format!("/vm-instances/{}/actions", uuid(&original)), body).json();
    assert_eq!(cloned["result"]["numberOfClonedVm"], 2);
    let copy = sandbox.row("/vm-instances?q=name%3Dcopy-2");
    assert_eq!((&copy["cpuNum"], &copy["state"]), (&original["cpuNum"], &"Running".into()));
    assert_ne!(copy["rootVolumeUuid"], original["rootVolumeUuid"]);
    assert_eq!(copy["vmNics"].as_array().map(Vec::len), original["vmNics"].as_array().map(Vec::len));
    assert_ne!(copy["vmNics"][0]["ip"], original["vmNics"][0]["ip"]);
}

#[test]
fn a_reconnection_passes_through_connecting() {
    let sandbox = Sandbox::with(crate::sandbox::Options { speed: 0.01, ..Default::default() });
    let host = sandbox.row("/hosts?q=status%3DDisconnected");
    let path = format!("/hosts/{}/actions", uuid(&host));
    assert_eq!(sandbox.call("PUT", &path, r#"{"reconnectHost":{}}"#).status, 202);
    assert_eq!(sandbox.row(&format!("/hosts?q=uuid%3D{}", uuid(&host)))["status"], "Connecting");
}

#[test]
fn nics_change_their_addresses_and_networks() {
    let sandbox = Sandbox::new();
    let vm = sandbox.row("/vm-instances?q=name%3Dweb-1");
    let nic = vm["vmNics"][0].clone();
    let network = nic["l3NetworkUuid"].as_str().expect("a network");
    let free = sandbox.rows(&format!("/l3-networks/{network}/ip/free?limit=9"));
    let ip = free[8]["ip"].as_str().expect("an address");
    let body = format!(r#"{{"setVmStaticIp":{{"l3NetworkUuid":"{network}","ip":"{ip}"}}}}"#);
    assert_eq!(sandbox.change("PUT", &format!("/vm-instances/{}/actions", uuid(&vm)), &body).status, 200);
    let changed = sandbox.row(&format!("/vm-instances/nics?q=uuid%3D{}", uuid(&nic)));
    assert_eq!(changed["ip"], ip);
    assert_eq!(sandbox.rows(&format!("/eips?q=vmNicUuid%3D{}", uuid(&nic)))[0]["guestIp"], ip);
    let other = uuid(&sandbox.rows(&format!("/vm-instances/{}/l3-networks-candidates", uuid(&vm)))[0]);
    let path = format!("/vm-instances/nics/{}/l3-networks/{other}", uuid(&nic));
    let moved = inventory(&sandbox.change("POST", &path, r#"{"params":{}}"#));
    assert_eq!(moved["l3NetworkUuid"], other.as_str());
    assert_ne!(moved["ip"], ip);
    assert_eq!(sandbox.row("/vm-instances?q=name%3Dweb-1")["defaultL3NetworkUuid"], other.as_str());
}

#[test]
fn a_virtual_machine_goes_back_to_a_group_of_snapshots() {
    let sandbox = Sandbox::new();
    let group = &sandbox.rows("/volume-snapshots/group?q=name%3Ddb-1-weekly-1")[0];
    let path = format!("/volume-snapshots/group/{}/actions", uuid(group));
    let revert = || sandbox.change("PUT", &path, r#"{"revertVmFromSnapshotGroup":{}}"#);
    assert_eq!(revert().code(), "SYS.1006");
    let vm = group["vmInstanceUuid"].as_str().expect("a vm");
    assert_eq!(vm_action(&sandbox, vm, "stopVmInstance").status, 200);
    assert_eq!(revert().json()["results"][0]["success"], true);
    let first = group["volumeSnapshotRefs"][0]["volumeSnapshotUuid"].as_str().expect("a snapshot");
    assert_eq!(sandbox.row(&format!("/volume-snapshots?q=uuid%3D{first}"))["latest"], true);
}

#[test]
fn a_snapshot_goes_with_its_descendants_and_the_tree_shows_them() {
    let sandbox = Sandbox::new();
    let volume = uuid(&sandbox.row("/volumes?q=name%3Dspare-data"));
    let take = |name: &str| {
        let body = format!(r#"{{"params":{{"name":"{name}"}}}}"#);
        uuid(&inventory(&sandbox.change("POST", &format!("/volumes/{volume}/volume-snapshots"), &body)))
    };
    let path = format!("/volume-snapshots/trees?q=volumeUuid%3D{volume}");
    assert!(sandbox.rows(&path).is_empty());
    let [first, second, third] = ["a", "b", "c"].map(take);
    let tree = sandbox.row(&path)["tree"].clone();
    assert_eq!(tree["inventory"]["uuid"], first.as_str(), "{tree}");
    assert!(tree["inventory"]["latest"] == false && tree.get("parentUuid").is_none(), "{tree}");
    let child = &tree["children"][0];
    assert_eq!((&child["inventory"]["name"], &child["parentUuid"]), (&"b".into(), &first.as_str().into()));
    assert_eq!(child["children"][0]["inventory"]["uuid"], third.as_str());
    // The member is the row itself, also after a change of it.
    assert_eq!(tree["inventory"], sandbox.row(&format!("/volume-snapshots?q=uuid%3D{first}")));
    assert_eq!(sandbox.change("DELETE", &format!("/volume-snapshots/{second}"), "").status, 200);
    let left = sandbox.row(&format!("/volume-snapshots?q=volumeUuid%3D{volume}"));
    assert_eq!((&left["uuid"], &left["latest"]), (&first.as_str().into(), &true.into()), "{left}");
    assert_eq!(sandbox.row(&path)["tree"]["children"], Value::Array(Vec::new()));
    assert_eq!(sandbox.change("DELETE", &format!("/volume-snapshots/{first}"), "").status, 200);
    assert!(sandbox.rows(&path).is_empty());
}

#[test]
fn nonsense_is_refused_and_changes_nothing() {
    let sandbox = Sandbox::new();
    let range = sandbox.rows("/l3-networks/ip-ranges?q=ipVersion%3D4")[0].clone();
    let network = range["l3NetworkUuid"].as_str().expect("a network").to_owned();
    let add_range = |start: &str, end: &str, netmask: &str, gateway: &str| {
        let body = format!(
            r#"{{"params":{{"name":"r","startIp":"{start}","endIp":"{end}","netmask":"{netmask}","gateway":"{gateway}"}}}}"#
        );
        sandbox.change("POST", &format!("/l3-networks/{network}/ip-ranges"), &body)
    };
    let mask = "255.255.255.0";
    let refused = |reply: Reply, text: &str| {
        assert_eq!(reply.code(), "SYS.1007", "{text}");
        let details = reply.json()["error"]["details"].to_string();
        assert!(details.contains(text), "{details}");
    };
    let ranges = sandbox.rows("/l3-networks/ip-ranges").len();
    refused(add_range("10.99.0.300", "10.99.0.20", mask, "10.99.0.1"), "field[startIp]");
    refused(add_range("10.99.0.10", "10.99.0.20", "255.0.255.0", "10.99.0.1"), "field[netmask]");
    refused(add_range("10.99.0.20", "10.99.0.10", mask, "10.99.0.1"), "is behind");
    refused(add_range("10.99.0.10", "10.99.1.20", mask, "10.99.0.1"), "not in one network");
    refused(add_range("10.99.0.10", "10.99.0.20", mask, "10.99.0.15"), "part of the range");
    let own = |field: &str| range[field].as_str().expect("an address").to_owned();
    refused(add_range(&own("startIp"), &own("endIp"), &own("netmask"), &own("gateway")), "overlaps");
    let body = format!(r#"{{"params":{{"name":"r","networkCidr":"10.99.0.0/40","l3NetworkUuid":"{network}"}}}}"#);
    refused(sandbox.change("POST", &format!("/l3-networks/{network}/ip-ranges/by-cidr"), &body), "field[networkCidr]");
    assert_eq!(sandbox.rows("/l3-networks/ip-ranges").len(), ranges);
    let image = format!(r#"{{"params":{{"name":"i","url":"i.qcow2","backupStorageUuids":["{IMAGE_STORE}"]}}}}"#);
    refused(sandbox.change("POST", "/images", &image), "field[url]");
    let cluster = uuid(&sandbox.rows("/clusters")[0]);
    let host = format!(
        r#"{{"params":{{"name":"h","managementIp":"10.0.0.300","username":"root","password":"p","clusterUuid":"{cluster}"}}}}"#
    );
    refused(sandbox.change("POST", "/hosts/kvm", &host), "field[managementIp]");
    let group = uuid(&sandbox.rows("/security-groups")[0]);
    for (rule, text) in [
        (r#"{"type":"Sideways","protocol":"TCP"}"#, "type"),
        (r#"{"type":"Ingress","protocol":"TCP","startPort":80,"endPort":70}"#, "behind"),
        (r#"{"type":"Ingress","protocol":"TCP","startPort":80,"endPort":70000}"#, "65535"),
        (r#"{"type":"Ingress","protocol":"TCP","startPort":80,"endPort":80,"allowedCidr":"10.0.0.0/99"}"#, "CIDR"),
    ] {
        let body = format!(r#"{{"params":{{"rules":[{rule}]}}}}"#);
        refused(sandbox.change("POST", &format!("/security-groups/{group}/rules"), &body), text);
    }
    let used = sandbox.row("/port-forwarding?limit=1");
    let port = |start: i64, end: i64| {
        let body = format!(
            r#"{{"params":{{"name":"p","vipUuid":{},"vipPortStart":{start},"vipPortEnd":{end},"privatePortStart":{start},"privatePortEnd":{end},"protocolType":{}}}}}"#,
            used["vipUuid"], used["protocolType"]
        );
        sandbox.change("POST", "/port-forwarding", &body)
    };
    let taken = used["vipPortStart"].as_i64().expect("a port");
    refused(port(taken, taken), "are used by");
    refused(port(30, 20), "is behind");
    refused(port(taken + 1, 70_000), "range of");
    let body = format!(r#"{{"params":{{"name":"e","vipUuid":{}}}}}"#, used["vipUuid"]);
    assert_eq!(sandbox.change("POST", "/eips", &body).code(), "SYS.1006");
    let listener = sandbox.rows("/load-balancers/listeners")[0].clone();
    let body =
        format!(r#"{{"params":{{"name":"l","loadBalancerPort":{},"protocol":"tcp"}}}}"#, listener["loadBalancerPort"]);
    let path = format!("/load-balancers/{}/listeners", listener["loadBalancerUuid"].as_str().expect("a balancer"));
    refused(sandbox.change("POST", &path, &body), "is used by the listener");
}

#[test]
fn the_deletion_policy_is_obeyed_and_values_of_settings_are_checked() {
    let sandbox = Sandbox::new();
    let set = |category: &str, name: &str, value: &str| {
        let body = format!(r#"{{"updateGlobalConfig":{{"value":"{value}"}}}}"#);
        sandbox.change("PUT", &format!("/global-configurations/{category}/{name}/actions"), &body)
    };
    for (category, name, value) in [
        ("vm", "deletionPolicy", "Later"),
        ("vm", "numa", "perhaps"),
        ("host", "cpu.overProvisioning.ratio", "many"),
        ("primaryStorage", "reservedCapacity", "some"),
    ] {
        assert_eq!(set(category, name, value).code(), "SYS.1007", "{category} {name}");
    }
    let vm = vm_in(&sandbox, "Stopped");
    assert_eq!(sandbox.change("DELETE", &format!("/vm-instances/{vm}"), "").status, 200);
    assert_eq!(state_of(&sandbox, &vm), "Destroyed");
    for (category, path) in [("vm", "/vm-instances"), ("volume", "/volumes"), ("image", "/images")] {
        assert_eq!(set(category, "deletionPolicy", "Direct").status, 200);
        let condition = match category {
            "vm" => "state%3DRunning&q=type%3DUserVm",
            "volume" => "type%3DData",
            _ => "status%3DReady",
        };
        let gone = uuid(&sandbox.rows(&format!("{path}?q={condition}"))[0]);
        assert_eq!(sandbox.change("DELETE", &format!("{path}/{gone}"), "").status, 200);
        assert!(sandbox.rows(&format!("{path}?q=uuid%3D{gone}")).is_empty(), "{category}");
    }
}

#[test]
fn what_is_created_shows_while_its_job_runs() {
    // At this speed the jobs take minutes.
    let sandbox = Sandbox::with(crate::sandbox::Options { speed: 0.01, ..Default::default() });
    let body =
        format!(r#"{{"params":{{"name":"i","url":"http://h/i.qcow2","backupStorageUuids":["{IMAGE_STORE}"]}}}}"#);
    assert_eq!(sandbox.call("POST", "/images", &body).status, 202);
    let image = sandbox.row("/images?q=name%3Di");
    assert_eq!(
        (&image["status"], &image["backupStorageRefs"][0]["status"]),
        (&"Downloading".into(), &"Downloading".into())
    );
    let create = |image: &str, name: &str| {
        let body = format!(
            r#"{{"params":{{"name":"{name}","cpuNum":1,"memorySize":1073741824,"imageUuid":"{image}","l3NetworkUuids":[]}}}}"#
        );
        sandbox.call("POST", "/vm-instances", &body)
    };
    let ready = uuid(&sandbox.rows("/images?q=mediaType%3DRootVolumeTemplate&q=status%3DReady")[0]);
    assert_eq!(create(&ready, "v").status, 202);
    assert_eq!(sandbox.row("/vm-instances?q=name%3Dv")["state"], "Starting");
    // It cannot be used before it is complete.
    let refused = create(&uuid(&image), "w");
    assert_eq!(sandbox.finish(&refused).code(), "SYS.1006");
}
