//! `describe`: a resource, what it belongs to and what belongs to it; and how much of that a question counts.

use crate::harness::{Home, Run};
use crate::node::{Node, Reply};
use crate::terminal::{ENTER, Terminal};

const SESSION: &str = "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37";
const HOST: &str = "0a0000000000000000000000000000ff";
const CLUSTER: &str = "0c0000000000000000000000000000ff";

fn uuid(number: u32) -> String {
    format!("{number:032x}")
}

/// A node with one host, on which 25 machines run.
fn host_with_machines() -> Node {
    Node::start(|request| {
        let query = request.query();
        let of = |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        match request.path().rsplit('/').next() {
            Some("hosts") => Reply::ok(format!(
                r#"{{"inventories":[{{"uuid":"{HOST}","name":"host-1","state":"Enabled","clusterUuid":"{CLUSTER}","totalMemoryCapacity":68719476736,"createDate":"Mar 4, 2025 2:12:01 PM"}}]}}"#
            )),
            Some("clusters") => Reply::ok(format!(r#"{{"inventories":[{{"uuid":"{CLUSTER}","name":"cluster-1"}}]}}"#)),
            Some("vm-instances") if of("count") == Some("true") => Reply::ok(r#"{"total":25}"#),
            Some("vm-instances") => {
                let limit = of("limit").and_then(|limit| limit.parse().ok()).unwrap_or(25).min(25);
                let row = |number| {
                    format!(
                        r#"{{"uuid":"{}","name":"vm-{number:02}","state":"Running","hostUuid":"{HOST}","clusterUuid":"{CLUSTER}"}}"#,
                        uuid(number)
                    )
                };
                let rows: Vec<String> = (1..=limit).map(row).collect();
                Reply::ok(format!(r#"{{"inventories":[{}],"total":25}}"#, rows.join(",")))
            }
            Some("user-tags") => Reply::ok(r#"{"inventories":[{"uuid":"a","tag":"rack 7"}]}"#),
            Some("system-tags") => Reply::error("SYS.1000", "broken"),
            _ => Reply::Send(404, String::new()),
        }
    })
}

fn run(node: &Node, words: &[&str]) -> Run {
    Home::new().run_once(node.call(words)).variable("ZSTACK_SESSION_UUID", SESSION)
}

#[test]
fn a_page_has_members_owners_and_the_first_of_what_belongs_to_it() {
    let node = host_with_machines();
    let done = run(&node, &["describe", "host", "host-1", "-o", "table"]).succeeds();
    let page = done.out();
    let lines: Vec<&str> = page.lines().collect();
    assert_eq!(
        lines[..6],
        [
            "name                 host-1",
            &format!("uuid                 {HOST}"),
            "state                Enabled",
            "totalMemoryCapacity  64 GiB",
            "userTags             rack 7",
            "createDate           2025-03-04 14:12",
        ]
    );
    assert!(page.contains("\nbelongs to:\n  kind     name       uuid\n"), "{page}");
    assert!(page.contains(&format!("\n  cluster  cluster-1  {CLUSTER}\n")), "{page}");
    assert!(page.contains("\nVMs (25):\n") && page.contains("\n  vm-10  Running"), "{page}");
    // Neither what the heading says nor what nobody can read is repeated.
    assert!(!page.contains("vm-11") && !page.contains(&uuid(3)) && page.matches("host-1").count() == 1, "{page}");
    assert!(page.ends_with(&format!("  +15 more: QueryVmInstance hostUuid={HOST}\n")), "{page}");
    done.stderr("warning: left out, since the node did not answer: QuerySystemTag\n");
}

#[test]
fn programs_get_one_document() {
    let node = host_with_machines();
    let document = run(&node, &["describe", "hosts", HOST]).succeeds().json();
    assert_eq!(document["inventory"]["uuid"], HOST);
    assert_eq!(document["belongsTo"]["cluster"], serde_json::json!({"uuid": CLUSTER, "name": "cluster-1"}));
    let machines = &document["belongings"]["vmInstance"];
    assert_eq!((&machines["total"], machines["inventories"].as_array().map(Vec::len)), (&25.into(), Some(25)));
    // The rows are as the node sent them.
    assert_eq!(machines["inventories"][0].get("cluster"), None);
    assert_eq!(document["userTags"], serde_json::json!(["rack 7"]));
    run(&node, &["describe", "host", HOST, "-o", "value"]).succeeds().stdout("host-1\n");
    let last = run(&node, &["describe", "host", HOST, "--jq", ".belongings.vmInstance.inventories[-1].name", "-r"]);
    last.succeeds().stdout("vm-25\n");
}

#[test]
fn wrong_kinds_and_names_are_explained_and_a_dry_run_sends_nothing() {
    let node = host_with_machines();
    run(&node, &["describe", "hsot", "x"]).fails(1).stderr_has("no kind of resource called hsot").stderr_has("`host`");
    run(&node, &["describe", "host", "host-2"]).fails(1).stderr_has("did you mean `host-1`");
    let refused = run(&node, &["describe", "host", "host-1", "-o", "table", "--columns", "name"]).fails(2);
    refused.stderr_has("describe");
    let before = node.requests().len();
    let shown = run(&node, &["describe", "host", "host-1", "--dry-run"]).succeeds();
    let shown = shown.stdout_has("/hosts?q=uuid%3Dhost-1&limit=1\n");
    shown.stdout_has("/vm-instances?q=hostUuid%3Dhost-1&limit=1000").stderr_has("looked up with QueryHost");
    assert_eq!(node.requests().len(), before);
}

#[test]
fn jobs_say_on_what_they_acted() {
    let home = Home::with_cloud();
    let run = |words: &[&str]| home.run(["--sandbox"].iter().chain(words)).succeeds();
    run(&["CreateZone", "name=lab"]);
    let uuid = run(&["QueryZone", "name=lab", "--columns", "uuid", "-o", "value"]).out().trim().to_owned();
    run(&["DeleteZone", "uuid=lab"]);
    run(&["StopVmInstance", "uuid=web-1"]);
    let jobs = run(&["job", "list"]).json();
    let told: Vec<String> = jobs["inventories"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|job| format!("{} {}", job["api"].as_str().unwrap_or_default(), job["name"].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(told, ["StopVmInstance web-1", "DeleteZone lab", "CreateZone lab"]);
    assert_eq!(
        (&jobs["inventories"][1]["resource"], &jobs["inventories"][2]["resource"]),
        (&uuid.clone().into(), &uuid.into())
    );
    let table = run(&["job", "list", "-o", "table"]).out();
    assert!(table.lines().any(|line| line.contains("StopVmInstance  web-1")), "{table}");
    // A page tells the jobs of its resource.
    let page = run(&["describe", "vm", "web-1", "-o", "table"]).out();
    assert!(page.contains("\nlast jobs from here:\n") && page.contains("\n  StopVmInstance  succeeded"), "{page}");
}

#[test]
fn kinds_and_names_are_completed() {
    let home = Home::with_cloud();
    let offered = |line: &str| home.run(["--sandbox", "complete", line]).succeeds().out().to_owned();
    assert!(offered("describe v").starts_with("vm\tvalue\t"), "{}", offered("describe v"));
    let words: Vec<String> =
        offered("describe vm web-").lines().map(|line| line.split('\t').next().unwrap_or_default().into()).collect();
    assert_eq!(words, ["web-1", "web-2", "web-3"]);
}

#[test]
fn the_question_before_a_host_is_deleted_counts_its_machines() {
    let home = Home::with_cloud();
    let terminal = Terminal::shell(&home, &["--sandbox"]);
    terminal.prompt("admin@sandbox >>>");
    terminal.line("DeleteHost uuid=host-1");
    let screen = terminal.sees("[y/N]");
    assert!(screen.contains("host-1\n7 VMs belong to it.\nIt may not be"), "{screen}");
    terminal.keys(&format!("n{ENTER}"));
    terminal.prompt("admin@sandbox >>>");
    // A machine has nothing but its own parts.
    terminal.line("StopVmInstance uuid=web-1");
    let screen = terminal.sees("Stop? [y/N]");
    assert_eq!(screen.matches("belong").count(), 1, "{screen}");
    terminal.keys(&format!("n{ENTER}"));
}
