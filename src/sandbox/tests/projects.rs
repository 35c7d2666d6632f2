//! VPC routers, auto-scaling groups, projects and their members.

use serde_json::{Value, json};

use super::harness::{NOTHING, PASSWORD, Sandbox, ZONE};

#[track_caller]
fn done(sandbox: &Sandbox, verb: &str, path: &str, parameters: &Value) -> Value {
    let body = if parameters.is_null() { String::new() } else { json!({ "params": parameters }).to_string() };
    let reply = sandbox.change(verb, path, &body);
    assert_eq!(reply.status, 200, "{path}: {reply:?}");
    reply.json()["inventory"].clone()
}

fn uuid(row: &Value) -> &str {
    row["uuid"].as_str().expect("a uuid")
}

/// A VPC network with the gateway 192.168.77.1.
fn vpc_network(sandbox: &Sandbox, name: &str) -> Value {
    let flat = sandbox.row("/l3-networks?q=name%3Dflat-net");
    let l3 = json!({ "name": name, "l2NetworkUuid": flat["l2NetworkUuid"], "type": "L3VpcNetwork" });
    let l3 = done(sandbox, "POST", "/l3-networks", &l3);
    let range = json!({ "name": name, "networkCidr": "192.168.77.0/24" });
    done(sandbox, "POST", &format!("/l3-networks/{}/ip-ranges/by-cidr", uuid(&l3)), &range);
    l3
}

#[test]
fn a_vpc_router_is_made_from_its_offering_and_has_the_gateways_of_its_networks() {
    let sandbox = Sandbox::new();
    let offering = sandbox.row("/instance-offerings/virtual-routers");
    let parameters = json!({ "name": "vpc", "virtualRouterOfferingUuid": offering["uuid"] });
    let router = done(&sandbox, "POST", "/vpc/virtual-routers", &parameters);
    assert_eq!(
        [&router["state"], &router["applianceVmType"], &router["memorySize"], &router["imageUuid"]],
        [&json!("Running"), &json!("vpcvrouter"), &offering["memorySize"], &offering["imageUuid"]]
    );
    let nics = router["vmNics"].as_array().expect("nics");
    let networks: Vec<_> = nics.iter().map(|nic| &nic["l3NetworkUuid"]).collect();
    assert_eq!(networks, [&offering["managementNetworkUuid"], &offering["publicNetworkUuid"]]);
    let (network, other) = (vpc_network(&sandbox, "inside"), vpc_network(&sandbox, "more"));
    let attachable = format!("/vpc/virtual-routers/{}/attachable-vpc-l3s", uuid(&router));
    let names = || {
        let reply = sandbox.call("POST", &attachable, r#"{"params":{}}"#).json();
        let rows = reply["inventories"].as_array().expect("inventories").clone();
        rows.iter().map(|row| row["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(), ["inside", "more"]);
    let attach = |router: &Value, network: &Value| {
        let path = format!("/vm-instances/{}/l3-networks/{}", uuid(router), uuid(network));
        sandbox.change("POST", &path, r#"{"params":{}}"#)
    };
    let attached = attach(&router, &network).json()["inventory"]["vmNics"][2].clone();
    assert_eq!((&attached["ip"], &attached["gateway"]), (&json!("192.168.77.1"), &json!("192.168.77.1")));
    assert_eq!(names(), ["more"]);

    // A network has one router; virtual machines have the other addresses.
    let second = json!({ "name": "second", "virtualRouterOfferingUuid": offering["uuid"] });
    let second = done(&sandbox, "POST", "/vpc/virtual-routers", &second);
    assert_eq!(attach(&second, &network).code(), "SYS.1006");
    assert_eq!(attach(&second, &other).status, 200);
    let vm = sandbox.row("/vm-instances?q=name%3Dweb-1");
    let nics = attach(&vm, &network).json()["inventory"]["vmNics"].clone();
    let inside = nics.as_array().into_iter().flatten().find(|nic| nic["l3NetworkUuid"] == network["uuid"]);
    assert_eq!(inside.expect("a nic")["ip"], "192.168.77.2");

    let dns = format!("/vpc/virtual-routers/{}/dns", uuid(&router));
    let with = done(&sandbox, "POST", &dns, &json!({ "dns": "223.5.5.5" }));
    assert_eq!(with["dns"][0]["dns"], "223.5.5.5");
    assert_eq!(sandbox.change("POST", &dns, r#"{"params":{"dns":"223.5.5.5"}}"#).code(), "SYS.1006");
    let without = done(&sandbox, "DELETE", &format!("{dns}?dns=223.5.5.5"), &Value::Null);
    assert_eq!(without.get("dns").and_then(Value::as_array).map_or(0, Vec::len), 0, "{without}");
    assert_eq!(sandbox.rows("/vpc/virtual-routers").len(), 2);
    assert_eq!(sandbox.rows("/vm-instances/appliances/virtual-routers").len(), 3);
    done(&sandbox, "DELETE", &format!("/l3-networks/{}", uuid(&network)), &Value::Null);
    assert_eq!(sandbox.row("/vpc/virtual-routers?q=name%3Dvpc")["vmNics"].as_array().map(Vec::len), Some(2));
}

#[test]
fn an_auto_scaling_group_has_templates_and_rules_with_triggers() {
    let sandbox = Sandbox::new();
    let mut group = json!({ "name": "shop", "scalingResourceType": "VmInstance", "minResourceSize": 5,
        "maxResourceSize": 4, "defaultCooldown": 60, "removalPolicy": "OldestInstance" });
    let reply = sandbox.change("POST", "/autoscaling/groups", &json!({ "params": group }).to_string());
    assert_eq!(reply.code(), "SYS.1007");
    group["minResourceSize"] = 1.into();
    let group = done(&sandbox, "POST", "/autoscaling/groups", &group);
    let network = sandbox.row("/l3-networks?q=name%3Dflat-net")["uuid"].clone();
    let image = sandbox.rows("/images?q=state%3DEnabled&limit=1")[0]["uuid"].clone();
    let offering = sandbox.rows("/instance-offerings?q=type%3DUserVm&limit=1")[0]["uuid"].clone();
    let template = json!({ "name": "small", "vmInstanceName": "shop", "vmInstanceOfferingUuid": offering,
        "imageUuid": image, "l3NetworkUuids": [network], "defaultL3NetworkUuid": network });
    let template = done(&sandbox, "POST", "/autoscaling/vmtemplate", &template);
    let attach = format!("/autoscaling/template/{}/groups/{}", uuid(&template), uuid(&group));
    let attached = done(&sandbox, "POST", &attach, &json!({}));
    assert_eq!(attached["attachedTemplates"], json!([template["uuid"]]));
    assert_eq!(sandbox.change("POST", &attach, r#"{"params":{}}"#).code(), "SYS.1006");
    let none = format!("/autoscaling/template/{NOTHING}/groups/{}", uuid(&group));
    assert_eq!(sandbox.change("POST", &none, r#"{"params":{}}"#).code(), "SYS.1003");

    let rule = json!({ "name": "grow", "autoScalingGroupUuid": group["uuid"],
        "adjustmentType": "QuantityChangeInCapacity", "adjustmentValue": 1 });
    let rule = done(&sandbox, "POST", "/autoscaling/rules/adding-new-instance", &rule);
    assert_eq!((&rule["type"], &rule["scalingGroupUuid"]), (&json!("AddingNewInstance"), &group["uuid"]));
    let alarm = sandbox.rows("/zwatch/alarms?limit=1")[0]["uuid"].as_str().expect("a uuid").to_owned();
    let trigger = format!("/zwatch/alarms/{alarm}/autoscaling/rules/{}", uuid(&rule));
    let trigger = done(&sandbox, "POST", &trigger, &json!({ "name": "busy" }));
    assert_eq!((&trigger["type"], &trigger["alarmUuid"]), (&json!("Alarm"), &json!(alarm)));
    let astray = format!("/zwatch/alarms/{alarm}/autoscaling/rules/{NOTHING}");
    assert_eq!(sandbox.change("POST", &astray, r#"{"params":{"name":"busy"}}"#).code(), "SYS.1003");
    assert_eq!(sandbox.row("/autoscaling/groups/rules")["ruleTriggers"][0]["name"], "busy");

    // Templates go from their groups, rules and triggers with theirs.
    done(&sandbox, "DELETE", &format!("/autoscaling/template/{}", uuid(&template)), &Value::Null);
    assert_eq!(sandbox.row("/autoscaling/groups")["attachedTemplates"], json!([]));
    done(&sandbox, "DELETE", &format!("/autoscaling/groups/{}", uuid(&group)), &Value::Null);
    assert!(sandbox.rows("/autoscaling/groups/rules").is_empty());
    assert!(sandbox.rows("/autoscaling/groups/rules/trigger").is_empty());
}

#[test]
fn members_of_a_project_log_in_and_enter_it() {
    let sandbox = Sandbox::new();
    let project = done(&sandbox, "POST", "/iam2/projects", &json!({ "name": "shop" }));
    let ann = done(&sandbox, "POST", "/iam2/virtual-ids", &json!({ "name": "ann", "password": PASSWORD }));
    assert!(ann.get("password").is_none(), "{ann}");
    let log_in = |password: &str| {
        let body = json!({ "loginIAM2VirtualID": { "name": "ann", "password": password } }).to_string();
        sandbox.call_as("", "PUT", "/iam2/virtual-ids/login", &body)
    };
    let enter = |session: &str| {
        let body = json!({ "loginIAM2Project": { "projectName": "shop" } }).to_string();
        sandbox.call_as(session, "PUT", "/iam2/projects/login", &body)
    };
    assert_eq!(log_in("wrong").code(), "ID.1000");
    let session = log_in(PASSWORD).json()["inventory"]["uuid"].as_str().expect("a session").to_owned();
    let audits = sandbox.call("GET", "/zwatch/audits?auditType=Login&limit=1", "").json();
    assert_eq!((&audits["audits"][0]["operator"], &audits["audits"][0]["success"]), (&json!("ann"), &json!(true)));
    assert_eq!(enter(&session).code(), "SYS.1006", "she is no member");
    let members = format!("/iam2/projects/{}/virtual-ids", uuid(&project));
    done(&sandbox, "POST", &members, &json!({ "virtualIDUuids": [ann["uuid"]] }));
    assert_eq!(sandbox.row("/iam2/virtual-ids?q=projects.name%3Dshop")["name"], "ann");
    assert_eq!(sandbox.row("/iam2/projects?q=virtualIDs.name%3Dann")["name"], "shop");
    let own = sandbox.call_as(&session, "GET", "/iam2/virtual-ids/projects", "").json();
    assert_eq!(own["inventories"][0]["name"], "shop");

    // What is made in the project belongs to it.
    let entered = enter(&session).json()["inventory"].clone();
    assert_eq!(entered["accountUuid"], sandbox.row("/iam2/projects?q=name%3Dshop")["linkedAccountUuid"]);
    let inside = uuid(&entered);
    let body = json!({ "params": { "name": "disk", "diskSize": 1_073_741_824 } }).to_string();
    assert_eq!(sandbox.change_as(inside, "POST", "/volumes/data", &body).status, 200);
    let seen = |session: &str| {
        sandbox.call_as(session, "GET", "/volumes?q=name%3Ddisk", "").json()["inventories"].as_array().map(Vec::len)
    };
    assert_eq!((seen(inside), seen(&session)), (Some(1), Some(0)));
    assert_eq!(sandbox.change_as(inside, "DELETE", &format!("/zones/{ZONE}"), "").code(), "SYS.1006");
    let leave = format!("{members}?virtualIDUuids={}", uuid(&ann));
    done(&sandbox, "DELETE", &leave, &Value::Null);
    assert_eq!(enter(&session).code(), "SYS.1006");
    done(&sandbox, "DELETE", &format!("/iam2/projects/{}", uuid(&project)), &Value::Null);
    assert!(sandbox.rows("/accounts?q=name%3Dproject-shop").is_empty());
    assert!(sandbox.rows("/volumes?q=name%3Ddisk").is_empty());
}
