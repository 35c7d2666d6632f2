//! Batches: actions on several things, each of which fails or succeeds by itself.

use crate::harness::{Done, Home};
use crate::node::{Node, Recorded, Reply};

const SESSION: &str = "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37";
const A: &str = "0b5c1de0c6f54a1f9b7d0a4f3d1c2b61";
const B: &str = "1c6d2ef1d7054b20ac8e1b504e2d3c72";
const C: &str = "2d7e3f02e8165c31bd9f2c615f3e4d83";

/// What a node answers that could do only a part.
fn partly() -> String {
    format!(
        r#"{{"results":[{{"success":true,"snapshotUuid":"{A}","volumeUuid":"v1"}},{{"success":false,"snapshotUuid":"{B}","error":{{"code":"SYS.1006","description":"An operation failed","details":"in use, \"twice\"","cause":{{"code":"HOST.1","details":"busy"}}}}}},{{"success":false,"uuid":"{C}","name":"web-1"}}],"success":true}}"#
    )
}

/// A node that answers each action with a job that led to that.
fn node(result: String) -> Node {
    Node::start(move |request: &Recorded| {
        if request.path().contains("/api-jobs/") { Reply::ok(result.clone()) } else { Reply::Send(202, "{}".into()) }
    })
}

fn run(node: &Node, words: &[&str], code: i32) -> Done {
    let call = ["BatchDeleteVolumeSnapshot", "uuids=0b5c1de0c6f54a1f9b7d0a4f3d1c2b61,1c6d2ef1d7054b20ac8e1b504e2d3c72"];
    let words = node.call(&[&call, words].concat());
    Home::new().run_once(words).variable("ZSTACK_SESSION_UUID", SESSION).fails(code)
}

/// What is said of the parts that failed.
fn said() -> String {
    format!(
        "error: {B}: in use, \"twice\"\n  code: SYS.1006 (An operation failed)\n  cause: HOST.1: busy\nerror: web-1 ({C}): the API failed\n"
    )
}

#[test]
fn a_part_that_failed_is_a_failure_and_the_whole_reply_is_printed() {
    let node = node(partly());
    let done = run(&node, &[], 3).stderr(&said());
    let reply = done.json();
    assert_eq!(reply["results"].as_array().map(Vec::len), Some(3));
    assert_eq!(reply["results"][1]["error"]["cause"]["code"], "HOST.1");
    assert!(done.out().ends_with("    ],\n    \"success\": true\n}\n"), "{}", done.out());
    assert!(run(&node, &["-o", "yaml"], 3).stderr(&said()).out().starts_with("results:\n- snapshotUuid: \""));
    run(&node, &["--jq", ".results | map(.success) | all"], 3).stderr(&said()).stdout("false\n");
}

#[test]
fn parts_are_rows() {
    let node = node(partly());
    let print = |format: &str, words: &[&str]| run(&node, &[&["-o", format], words].concat(), 3).stderr(&said()).out();
    assert_eq!(
        print("csv", &[]),
        format!(
            "uuid,name,success,error\n{A},,true,\n{B},,false,\"SYS.1006: in use, \"\"twice\"\"\"\n{C},web-1,false,\n"
        )
    );
    assert_eq!(print("tsv", &["--no-header"]).lines().next(), Some(format!("{A}\t\ttrue\t").as_str()));
    assert_eq!(print("value", &[]), format!("{A}\n{B}\n{C}\n"));
    let table = print("table", &[]);
    assert!(table.starts_with("uuid                              name   success  error\n------"), "{table}");
    assert!(table.contains(&format!("\n{B}         false    SYS.1006: in use, \"twice\"\n")), "{table}");
    assert!(print("wide", &[]).contains("volumeUuid"));
    let blocks = print("vertical", &[]);
    assert!(blocks.contains(&format!("\nuuid         | {B}\n")), "{blocks}");
    assert_eq!(
        print("jsonl", &[]).lines().next(),
        Some(format!(r#"{{"snapshotUuid":"{A}","success":true,"volumeUuid":"v1"}}"#).as_str())
    );
    let chosen = print("jsonl", &["--columns", "uuid,success"]);
    assert_eq!(chosen.lines().nth(1), Some(format!(r#"{{"success":false,"uuid":"{B}"}}"#).as_str()));
    assert_eq!(print("csv", &["--columns", "volumeUuid,success"]).lines().nth(1), Some("v1,true"));
}

#[test]
fn parts_that_all_succeeded_are_a_success() {
    let node = node(format!(r#"{{"results":[{{"inventory":{{"uuid":"{A}","name":"t"}},"success":true}}]}}"#));
    run(&node, &[], 0).stderr("");
    run(&node, &["-o", "csv"], 0).stdout(&format!("uuid,name,success,error\n{A},t,true,\n")).stderr("");
}

/// A result that cannot be shown as requested is shown unchanged, and a part that failed is reported as well.
#[test]
fn a_wrong_column_hides_no_part_that_failed() {
    let done = run(&node(partly()), &["-o", "csv", "--columns", "nme"], 3);
    done.stderr_has("cannot be shown as requested: no column nme").stderr_has(&said()).stdout_has("\"HOST.1\"");
}

#[test]
fn parts_are_told_in_scripts_and_by_jobs() {
    let node = node(partly());
    let home = Home::new();
    let line = format!("BatchDeleteVolumeSnapshot uuids={A},{B} -o value\n");
    home.run(node.options())
        .variable("ZSTACK_SESSION_UUID", SESSION)
        .input(line)
        .fails(3)
        .stderr_has(&format!("error: line 1: {B}: in use"));
    let job = home.run(["job", "list", "-o", "value", "--columns", "uuid"]).succeeds().out();
    home.run(["job", "wait", job.trim()]).fails(3).stderr(&said());
    home.run(["job", "show", job.trim(), "-q"]).fails(3).stderr(&said());
    let done = home.run(["job", "wait", job.trim(), job.trim()]).fails(3);
    let done = done.stderr_has(&format!("error: job {}: {B}: in use", job.trim()));
    assert_eq!(done.json()["inventories"][0]["state"], "failed");
}

#[test]
fn parts_of_a_long_job_are_told_where_it_is_followed() {
    let result = partly().replace('\\', "\\\\").replace('"', "\\\"");
    let long_job = move |state: &str, result: &str| {
        format!(r#"{{"uuid":"{A}","jobName":"APIBatchDeleteVolumeSnapshotMsg","state":"{state}"{result}}}"#)
    };
    let node = Node::start(move |request| match request.method.as_str() {
        "GET" if request.path().contains("/api-jobs/") => {
            Reply::ok(format!(r#"{{"inventory":{}}}"#, long_job("Running", "")))
        }
        "GET" => {
            let ended = long_job("Succeeded", &format!(r#","jobResult":"{result}""#));
            Reply::ok(format!(r#"{{"inventories":[{ended}]}}"#))
        }
        _ => Reply::Send(202, "{}".into()),
    });
    let words = ["--follow", "SubmitLongJob", "jobName=APIBatchDeleteVolumeSnapshotMsg", "jobData={}", "-o", "value"];
    Home::new()
        .run_once(node.call(&words))
        .variable("ZSTACK_SESSION_UUID", SESSION)
        .fails(3)
        .stdout(&format!("{A}\n{B}\n{C}\n"))
        .stderr(&said());
}
