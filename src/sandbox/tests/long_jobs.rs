//! Long jobs (section 10).

use serde_json::Value;

use super::harness::Sandbox;
use crate::sandbox::Options;

const IMAGE_STORE: &str = "1ab3b836a88342e1bbc1b1a17d092f0f";

fn submit(sandbox: &Sandbox, name: &str, data: &Value) -> super::harness::Reply {
    let body = serde_json::json!({ "params": { "jobName": name, "jobData": data.to_string(), "name": "later" } });
    sandbox.change("POST", "/longjobs", &body.to_string())
}

fn image(name: &str) -> Value {
    serde_json::json!({ "name": name, "url": "http://x/i.qcow2", "format": "qcow2", "backupStorageUuids": [IMAGE_STORE] })
}

fn record(sandbox: &Sandbox, uuid: &str) -> Value {
    sandbox.row(&format!("/longjobs?q=uuid%3D{uuid}"))
}

fn action(sandbox: &Sandbox, uuid: &str, action: &str) -> super::harness::Reply {
    sandbox.change("PUT", &format!("/longjobs/{uuid}/actions"), &format!("{{\"{action}\":{{}}}}"))
}

#[test]
fn a_long_job_works_on_after_its_submission() {
    let sandbox = Sandbox::new();
    let reply = submit(&sandbox, "APIAddImageMsg", &image("long"));
    assert_eq!(reply.status, 200, "{reply:?}");
    let job = reply.json()["inventory"].clone();
    assert_eq!((&job["state"], &job["jobName"]), (&"Running".into(), &"APIAddImageMsg".into()));
    let uuid = job["uuid"].as_str().expect("a uuid");
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(30);
    let ended = loop {
        let row = record(&sandbox, uuid);
        if row["state"] != "Running" {
            break row;
        }
        assert!(std::time::Instant::now() < patience, "the long job does not end");
    };
    assert_eq!(ended["state"], "Succeeded");
    let result: Value = serde_json::from_str(ended["jobResult"].as_str().expect("a result")).expect("JSON");
    assert_eq!(result["inventory"]["name"], "long");
    assert_eq!(sandbox.rows("/images?q=name%3Dlong").len(), 1);
    assert_eq!(action(&sandbox, uuid, "cancelLongJob").code(), "LONG_JOB.1001");
    assert_eq!(action(&sandbox, uuid, "resumeLongJob").code(), "LONG_JOB.1003");
    assert_eq!(sandbox.change("DELETE", &format!("/longjobs/{uuid}"), "").status, 200);
    assert!(sandbox.rows(&format!("/longjobs?q=uuid%3D{uuid}")).is_empty());
}

#[test]
fn a_long_job_is_followed_cancelled_and_run_again() {
    // Adding an image takes a minute at this speed, submitting it a few seconds.
    let sandbox = Sandbox::with(Options { speed: 0.1, ..Options::default() });
    let reply = submit(&sandbox, "APIAddImageMsg", &image("long"));
    let job = reply.json()["inventory"].clone();
    let uuid = job["uuid"].as_str().expect("a uuid");
    let progress = sandbox.rows(&format!("/task-progresses/{}", job["apiId"].as_str().expect("an apiId")));
    assert_eq!(progress[0]["taskName"], "AddImage");
    assert_eq!(sandbox.change("DELETE", &format!("/longjobs/{uuid}"), "").code(), "SYS.1006");
    assert_eq!(action(&sandbox, uuid, "cancelLongJob").status, 200);
    let cancelled = record(&sandbox, uuid);
    assert_eq!(cancelled["state"], "Canceled");
    let result: Value = serde_json::from_str(cancelled["jobResult"].as_str().expect("a result")).expect("JSON");
    assert_eq!(result["cause"]["code"], "LONG_JOB.1000");
    assert!(sandbox.rows("/images?q=name%3Dlong").is_empty());
    assert_eq!(action(&sandbox, uuid, "rerunLongJob").json()["inventory"]["state"], "Running");
}

#[test]
fn what_is_no_long_job_is_refused() {
    let sandbox = Sandbox::new();
    assert_eq!(submit(&sandbox, "APICreateZoneMsg", &serde_json::json!({"name": "lab"})).code(), "SYS.1007");
    assert_eq!(submit(&sandbox, "AddImage", &image("x")).code(), "SYS.1007");
    let refused = submit(&sandbox, "APIAddImageMsg", &serde_json::json!({"name": "x"}));
    assert_eq!(refused.code(), "SYS.1007");
    assert!(refused.body.contains("[url]"), "{refused:?}");
}
