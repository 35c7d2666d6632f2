//! What becomes of calls of APIs that a node lacks (R1, R2, R19).

use super::harness::{NOTHING, Sandbox, ZONE};
use crate::sandbox::{Edition, Options};

fn playing(version: &str) -> Sandbox {
    let version = Some(version.parse().expect("a version"));
    Sandbox::with(Options { version, ..Options::default() })
}

fn open() -> Sandbox {
    Sandbox::with(Options { edition: Edition::Open, ..Options::default() })
}

#[test]
fn an_open_node_lists_what_it_offers() {
    let body = r#"{"getSupportAPIs":{}}"#;
    let reply = open().call("PUT", "/management-nodes/actions", body).json();
    let names: Vec<&str> = reply["supportApis"].as_array().into_iter().flatten().filter_map(|it| it.as_str()).collect();
    // Of the 547 APIs that it has, those that are simulated.
    assert_eq!(names.len(), 403);
    assert!(names.contains(&"APIQueryZoneMsg"));
    for missing in ["APIGetLicenseInfoMsg", "APISyncVCenterMsg", "APIGetVersionMsg", "APIIsReadyToGoMsg"] {
        assert!(!names.contains(&missing), "{missing}");
    }
}

#[test]
fn a_missing_api_whose_path_nobody_else_has_is_not_found() {
    let sandbox = open();
    let reply = sandbox.call("GET", "/licenses", "");
    assert_eq!((reply.status, reply.body.as_str()), (404, "no api mapping to /v1/licenses"));
    assert_eq!(sandbox.call("GET", "/zones", "").status, 200);
}

#[test]
fn a_missing_api_runs_another_one_whose_path_fits() {
    let sandbox = open();
    // AddSharedBlockGroupPrimaryStorage runs DeletePrimaryStorage, as its queries do.
    for (verb, path) in [
        ("POST", "/primary-storage/sharedblockgroup"),
        ("GET", "/primary-storage/sharedblockgroup"),
        ("GET", "/primary-storage/mini"),
    ] {
        let reply = sandbox.call(verb, path, "");
        assert_eq!(reply.status, 202, "{verb} {path}: {reply:?}");
    }
    // QueryHostNetworkBonding and the like read one uuid.
    for path in ["/hosts/bondings", "/hosts/physicalmemory", "/l2-networks/port-group"] {
        let reply = sandbox.call("GET", path, "");
        assert_eq!((reply.status, reply.json()["inventories"].as_array().map(Vec::len)), (200, Some(0)), "{path}");
    }
    // ChangeHostPassword runs UpdateKVMHost without parameters: nothing changes, and the host is returned.
    let host = sandbox.row("/hosts?q=hypervisorType%3DKVM&limit=1");
    let path = format!("/hosts/kvm/{}/actions", host["uuid"].as_str().expect("a uuid"));
    let reply = sandbox.change("PUT", &path, r#"{"changeHostPassword":{"password":"new"}}"#);
    assert_eq!((reply.status, &reply.json()["inventory"]["uuid"]), (200, &host["uuid"]));
}

#[test]
fn an_open_node_has_no_access_keys() {
    let headers = ["Authorization: ZStack key:signature", "Date: Tue, 04 Mar 2025 14:10:07 UTC"];
    let reply = open().send("GET /zstack/v1/zones", &headers, "");
    assert_eq!(reply.code(), "SYS.1000");
    assert!(reply.body.contains("RestAuthenticationType"), "{reply:?}");
}

#[test]
fn queries_answer_for_one_uuid_and_ignore_the_query_string() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.row(&format!("/zones/{ZONE}?fields=name&limit=0"))["uuid"], ZONE);
    assert_eq!(sandbox.row(&format!("/zones//{ZONE}"))["uuid"], ZONE);
    assert_eq!(sandbox.rows(&format!("/zones/{NOTHING}")).len(), 0);
    assert_eq!(sandbox.call("GET", &format!("/zones/{ZONE}/"), "").status, 404);
}

#[test]
fn an_older_node_lacks_what_is_newer() {
    let sandbox = playing("4.8.0");
    let tell =
        |action: &str| sandbox.call("PUT", "/management-nodes/actions", &format!("{{\"{action}\":{{}}}}")).json();
    assert_eq!(tell("getVersion")["version"], "4.8.0");
    let offered = tell("getSupportAPIs")["supportApis"].to_string();
    assert!(offered.contains("\"APIQueryZoneMsg\"") && !offered.contains("APIGetGuestOsMetadataMsg"));
    // A newer API is not found, or another one runs in its place.
    assert_eq!(sandbox.call("GET", "/guest-os/metadata", "").status, 404);
    assert_eq!(sandbox.call("GET", "/vm-instances/xml-hook-script", "").body, r#"{"schema":{},"inventories":[]}"#);
    // A newer parameter is ignored.
    assert_eq!(sandbox.call("GET", "/zones", "").status, 200);
    // A newer member is unknown to conditions and to `fields`, and no reply has it.
    for query in ["q=cpuStatus%3Dx", "fields=cpuStatus", "sort=cpuStatus"] {
        assert_eq!(sandbox.call("GET", &format!("/hosts?{query}"), "").code(), "SYS.1000", "{query}");
    }
    assert!(sandbox.rows("/l3-networks").iter().all(|network| network.get("reservedIpRanges").is_none()));
    assert!(Sandbox::new().rows("/l3-networks").iter().all(|network| network.get("reservedIpRanges").is_some()));
}

#[test]
fn an_older_node_takes_the_requests_of_its_time() {
    let vm = Sandbox::new().rows("/vm-instances?limit=1")[0]["uuid"].clone();
    let body = format!(r#"{{"params":{{"vmUuids":[{vm}]}}}}"#);
    let path = "/vm-instances/capabilities";
    // Up to that version GetVmsCapabilities was a POST; newer ones want nothing of the body.
    assert_ne!(playing("4.8.0").call("POST", path, &body).code(), "SYS.1007");
    assert_eq!(Sandbox::new().call("POST", path, &body).code(), "SYS.1007");
}

#[test]
fn what_is_no_version_is_said_to_be_none() {
    let error = "newest".parse::<crate::sandbox::Version>().expect_err("no version").to_string();
    assert_eq!(error, "`newest` is not a ZStack version such as 5.5.6");
}
