//! Metrics, events, alarms and audits.

use serde_json::{Value, json};

use super::harness::{PASSWORD, Sandbox};

fn vm(sandbox: &Sandbox, name: &str) -> String {
    sandbox.row(&format!("/vm-instances?q=name%3D{name}"))["uuid"].as_str().expect("a uuid").to_owned()
}

fn list(reply: &Value, member: &str) -> Vec<Value> {
    reply[member].as_array().unwrap_or_else(|| panic!("{member}: {reply}")).clone()
}

#[test]
fn metrics_are_the_same_whenever_they_are_read() {
    let sandbox = Sandbox::new();
    let vm = vm(&sandbox, "web-1");
    let (from, to) = (1_741_075_200_i64, 1_741_078_800_i64);
    let path = format!(
        "/zwatch/metrics?namespace=ZStack%2FVM&metricName=CPUUsedUtilization&labels=VMUuid%3D{vm}\
         &labels=CPUNum%3D1&period=600&startTime={from}&endTime={to}"
    );
    let points = list(&sandbox.call("GET", &path, "").json(), "data");
    assert_eq!(points.len(), 7, "{points:?}");
    for (at, point) in points.iter().enumerate() {
        assert_eq!(point["time"], from + 600 * i64::try_from(at).expect("a small number"));
        assert_eq!((&point["labels"]["VMUuid"], &point["labels"]["CPUNum"]), (&vm.clone().into(), &"1".into()));
        assert!(point["value"].as_f64().is_some_and(|value| (0.0..=100.0).contains(&value)), "{point}");
    }
    assert!(points.windows(2).any(|pair| pair[0]["value"] != pair[1]["value"]), "{points:?}");
    assert_eq!(list(&sandbox.call("GET", &path, "").json(), "data"), points);
    // A longer period tells some of the same points, and milliseconds mean the same time.
    let longer = path.replace("period=600", "period=1200").replace(&from.to_string(), &(from * 1000).to_string());
    let longer = list(&sandbox.call("GET", &longer, "").json(), "data");
    assert_eq!(longer, points.iter().step_by(2).cloned().collect::<Vec<_>>());
    let top = list(&sandbox.call("GET", &format!("{path}&functions=top(num%3D1)"), "").json(), "data");
    let most = points.iter().filter_map(|point| point["value"].as_f64()).fold(0.0, f64::max);
    assert_eq!((top.len(), &top[0]["value"]), (1, &most.into()));
    let none = sandbox.call("GET", &format!("{path}&valueConditions=%3E{most}"), "").json();
    assert_eq!(none["data"], serde_json::json!([]));
}

#[test]
fn metrics_are_of_resources_that_run_and_have_names_and_labels() {
    let sandbox = Sandbox::new();
    let stopped = sandbox.rows("/vm-instances?q=state%3DStopped")[0]["uuid"].as_str().expect("a uuid").to_owned();
    let path = "/zwatch/metrics?namespace=ZStack%2FVM&metricName=MemoryUsedInPercent";
    let reply = sandbox.call("GET", &format!("{path}&labels=VMUuid%3D{stopped}"), "").json();
    assert_eq!(reply["data"], serde_json::json!([]));
    let names = list(&sandbox.call("GET", "/zwatch/metrics/meta-data?namespace=ZStack%2FHost", "").json(), "metrics");
    assert!(names.len() > 10 && names.iter().all(|metric| metric["labelNames"][0] == "HostUuid"), "{names:?}");
    let vm = vm(&sandbox, "web-1");
    let path = "/zwatch/metrics/label-values?namespace=ZStack%2FVM&metricName=CPUIdleUtilization";
    let path = format!("{path}&labelNames=CPUNum&filterLabels=VMUuid%3D{vm}");
    let labels = sandbox.call("GET", &path, "").json();
    assert_eq!(labels["labels"], serde_json::json!([{ "CPUNum": "0" }, { "CPUNum": "1" }]));
    let unknown = sandbox.call("GET", "/zwatch/metrics?namespace=ZStack%2FVM&metricName=Nothing", "");
    assert_eq!(unknown.code(), "SYS.1007");
    let function = "/zwatch/metrics?namespace=ZStack%2FVM&metricName=DiskReadOps&functions=derive()";
    assert_eq!(sandbox.call("GET", function, "").code(), "SANDBOX.1000");
}

#[test]
fn events_and_alarms_are_those_of_the_records() {
    let sandbox = Sandbox::new();
    let events = list(&sandbox.call("GET", "/zwatch/events", "").json(), "events");
    assert_eq!(
        (&events[1]["name"], &events[1]["labels"]["NewStatus"]),
        (&"HostStatusChanged".into(), &"Disconnected".into())
    );
    // The first ones happened shortly before the sandbox began.
    let time = events[0]["time"].as_i64().expect("a time");
    let ago = jiff::Timestamp::now().as_millisecond() - time;
    assert!((7_140_000..7_200_000).contains(&ago), "{ago}");
    let fitting = "/zwatch/events?conditions=NewStatus%3DDisconnected&conditions=name%3D~Host.*&count=true";
    assert_eq!(sandbox.call("GET", fitting, "").json()["total"], 1);
    let later = sandbox.call("GET", &format!("/zwatch/events?startTime={}", time + 1000), "").json();
    assert_eq!(later["events"], serde_json::json!([]));
    let alarms = list(&sandbox.call("GET", "/zwatch/alarm-histories", "").json(), "histories");
    assert_eq!((&alarms[0]["alarmName"], &alarms[0]["time"]), (&"Host disconnected".into(), &(time - 120_000).into()));
    assert_eq!(sandbox.call("GET", "/zwatch/audits", "").json()["audits"], serde_json::json!([]));
}

#[test]
fn each_change_and_log_in_leaves_an_audit() {
    let sandbox = Sandbox::new();
    let audits = |path: &str| list(&sandbox.call("GET", &format!("/zwatch/audits{path}"), "").json(), "audits");
    let newest = || audits("?limit=1").remove(0);
    let body = format!(r#"{{"params":{{"name":"staff","password":"{PASSWORD}"}}}}"#);
    let account = sandbox.change("POST", "/accounts", &body).json()["inventory"]["uuid"].clone();
    let audit = newest();
    assert_eq!(audit["apiName"], "org.zstack.header.identity.APICreateAccountMsg");
    assert_eq!(
        [&audit["operator"], &audit["clientIp"], &audit["success"], &audit["resourceName"], &audit["resourceType"]],
        [&json!("admin"), &json!("127.0.0.1"), &json!(true), &json!("staff"), &json!("AccountVO")]
    );
    assert_eq!(audit["resourceUuid"], account);
    assert_eq!(audit["requestDump"], r#"{"name":"staff","password":"******"}"#);
    assert!(audit["responseDump"].as_str().is_some_and(|reply| reply.contains("staff")), "{audit}");
    let duration = audit["time"].as_i64().expect("a time") - audit["startTime"].as_i64().expect("a time");
    assert_eq!(audit["duration"], duration);

    // What was deleted has its name in the audit, what was refused its error, as does a log-in that failed.
    let zone = sandbox.change("POST", "/zones", r#"{"params":{"name":"lab"}}"#).json()["inventory"]["uuid"].clone();
    let path = format!("/zones/{}", zone.as_str().expect("a uuid"));
    assert_eq!(sandbox.change("DELETE", &path, "").status, 200);
    let audit = newest();
    assert_eq!((&audit["resourceName"], &audit["resourceUuid"]), (&json!("lab"), &zone));
    let staff = sandbox.log_in("staff", PASSWORD).json()["inventory"]["uuid"].clone();
    let staff = staff.as_str().expect("a session");
    assert_eq!(sandbox.change_as(staff, "POST", "/zones", r#"{"params":{"name":"mine"}}"#).code(), "SYS.1006");
    let audit = newest();
    assert_eq!((&audit["operator"], &audit["success"]), (&json!("staff"), &json!(false)));
    assert!(audit["error"].as_str().is_some_and(|error| error.contains("permission denied")), "{audit}");
    assert_eq!(sandbox.log_in("staff", "wrong").code(), "ID.1000");
    let log_ins = audits("?auditType=Login");
    let ends: Vec<_> = log_ins.iter().map(|audit| (&audit["operator"], &audit["success"])).collect();
    assert_eq!(ends, [(&json!("staff"), &json!(false)), (&json!("staff"), &json!(true))]);

    // Nothing secret is kept, and reads and rehearsals leave none. Others see their own.
    let all = sandbox.call("GET", "/zwatch/audit-records", "").body;
    assert!(!all.contains(PASSWORD) && !all.contains(staff), "{all}");
    let count = audits("").len();
    let rehearsal = r#"{"params":{"name":"x"},"systemTags":["ephemeral::validationOnly"]}"#;
    assert_eq!(sandbox.change("POST", "/zones", rehearsal).status, 200);
    assert_eq!(sandbox.call("GET", "/zones", "").status, 200);
    assert_eq!(audits("").len(), count);
    let own = list(&sandbox.call_as(staff, "GET", "/zwatch/audits", "").json(), "audits");
    assert!(own.len() == 2 && own.iter().all(|audit| audit["operator"] == "staff"), "{own:?}");
}

#[test]
fn alarms_get_actions_and_events_subscribers() {
    let sandbox = Sandbox::new();
    let alarm = sandbox.rows("/zwatch/alarms")[0]["uuid"].as_str().expect("a uuid").to_owned();
    let action = r#"{"params":{"actionUuid":"0b5c1de0c6f54a1f9b7d0a4f3d1c2b61","actionType":"sns"}}"#;
    let path = format!("/zwatch/alarms/{alarm}/actions");
    let reply = sandbox.change("POST", &path, action);
    assert_eq!((reply.status, &reply.json()["inventory"]["uuid"]), (200, &alarm.clone().into()), "{reply:?}");
    assert_eq!(sandbox.change("POST", &path, action).code(), "SYS.1006", "it has the action already");
    let body = r#"{"params":{"name":"crashes","namespace":"ZStack/VM","eventName":"VMCrashed",
        "actions":[{"actionUuid":"0b5c1de0c6f54a1f9b7d0a4f3d1c2b61","actionType":"sns"}]}}"#;
    let reply = sandbox.change("POST", "/zwatch/events/subscriptions", body);
    assert_eq!((reply.status, &reply.json()["inventory"]["state"]), (200, &"Enabled".into()), "{reply:?}");
    let uuid = reply.json()["inventory"]["uuid"].as_str().expect("a uuid").to_owned();
    let rows = sandbox.rows("/zwatch/events/subscriptions?q=name%3Dcrashes");
    assert_eq!(rows[0]["eventName"], "VMCrashed");
    assert_eq!(sandbox.change("DELETE", &format!("/zwatch/events/subscriptions/{uuid}"), "").status, 200);
    assert!(sandbox.rows("/zwatch/events/subscriptions?q=name%3Dcrashes").is_empty());
}
