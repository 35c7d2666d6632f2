//! What rows refer to is shown by name: at a terminal by itself, elsewhere where it was asked for.

use crate::harness::{Home, Run};
use crate::node::{Node, Recorded, Reply};
use crate::terminal::Terminal;

const SESSION: &str = "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37";

fn uuid(number: u32) -> String {
    format!("{number:032x}")
}

/// A node with four machines on two hosts in one cluster, one of them stopped.
fn machines() -> Node {
    Node::start(|request| {
        let row = |uuid: String, name: &str, more: String| format!(r#"{{"uuid":"{uuid}","name":"{name}"{more}}}"#);
        let rows: Vec<String> = match request.path().rsplit('/').next() {
            Some("vm-instances") => (1..=4)
                .map(|number| {
                    let host = format!(r#","hostUuid":"{}""#, uuid(10 + number % 2));
                    let more = if number == 4 { String::new() } else { host };
                    row(uuid(number), &format!("vm-{number}"), format!(r#","clusterUuid":"{}"{more}"#, uuid(20)))
                })
                .collect(),
            Some("hosts") => (10..=11)
                .map(|number| {
                    let more = format!(r#","clusterUuid":"{}""#, uuid(20));
                    row(uuid(number), &format!("host-{number}"), more)
                })
                .collect(),
            Some("clusters") => return Reply::error("identity.1002", "operation[API] is denied"),
            _ => return Reply::Send(404, String::new()),
        };
        Reply::ok(format!(r#"{{"inventories":[{}]}}"#, rows.join(",")))
    })
}

fn run(node: &Node, words: &[&str]) -> Run {
    Home::new().run_once(node.call(words)).variable("ZSTACK_SESSION_UUID", SESSION)
}

/// The last segments of the paths that were asked for, in order.
fn asked(node: &Node) -> Vec<String> {
    let last = |request: &Recorded| request.path().rsplit('/').next().unwrap_or_default().to_owned();
    node.requests().iter().map(last).filter(|last| ["vm-instances", "hosts", "clusters"].contains(&&**last)).collect()
}

#[test]
fn columns_reach_through_relations_in_every_format() {
    let node = machines();
    let columns = ["QueryVmInstance", "--columns", "name,host.name"];
    let done = run(&node, &[&columns[..], &["-o", "csv"]].concat()).succeeds();
    done.stdout("name,host.name\nvm-1,host-11\nvm-2,host-10\nvm-3,host-11\nvm-4,\n").stderr("");
    assert_eq!(asked(&node), ["vm-instances", "hosts"]);
    // Each host is asked for once.
    let hosts = node.requests().into_iter().find(|request| request.path().ends_with("hosts")).expect("was asked");
    let conditions: Vec<String> = hosts.query().into_iter().filter(|(name, _)| name == "q").map(|(_, q)| q).collect();
    assert_eq!(conditions, [format!("uuid?={},{}", uuid(10), uuid(11))]);
    let json = run(&node, &[&columns[..], &["-o", "json"]].concat()).succeeds().json();
    assert_eq!(json["inventories"][1], serde_json::json!({ "name": "vm-2", "host.name": "host-10" }));
    assert_eq!(json["inventories"][3]["host.name"], serde_json::Value::Null);
    run(&node, &["QueryVmInstance", "--columns", "name", "--sort-by", "host.name", "-o", "value"])
        .succeeds()
        .stdout("vm-2\nvm-1\nvm-3\nvm-4\n");
}

#[test]
fn a_page_asks_for_what_the_pages_before_did_not() {
    let node = machines();
    run(&node, &["QueryVmInstance", "--page-size", "2", "limit=4", "--columns", "host.name", "-o", "value"])
        .succeeds()
        .stdout("host-11\nhost-10\nhost-11\n\n");
    assert_eq!(asked(&node), ["vm-instances", "hosts"]);
}

#[test]
fn what_cannot_be_asked_stays_a_uuid() {
    let node = machines();
    let words = ["QueryVmInstance", "limit=4", "--columns", "name,cluster.name,host.cluster.name", "-o", "csv"];
    let done = run(&node, &words).succeeds();
    let cluster = uuid(20);
    assert!(done.out().contains(&format!("vm-1,{cluster},{cluster}\n")), "{}", done.out());
    done.stderr_has("warning: QueryCluster cannot be asked, so clusterUuid stands for cluster\n");
}

#[test]
fn in_a_pipe_nothing_more_is_sent() {
    for words in
        [&["-o", "table"][..], &["-o", "csv"], &["-o", "json"], &["-o", "vertical"], &["--columns", "hostUuid"]]
    {
        let node = machines();
        let words = [&["QueryVmInstance", "limit=4"], words].concat();
        run(&node, &words).succeeds().stdout_has("hostUuid").never_shows("host-1");
        assert_eq!(asked(&node), ["vm-instances"], "{words:?}");
    }
}

#[test]
fn terminals_show_names_unless_they_are_not_wanted() {
    let (home, node) = (Home::new(), machines());
    let variables = [("ZSTACK_SESSION_UUID", SESSION)];
    let options = node.options();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let program = env!("CARGO_BIN_EXE_zstack-cli");
    let terminal = Terminal::run_with(&home, (120, 40), program, &options, &variables);
    terminal.line("QueryVmInstance limit=4");
    let screen = terminal.sees("(4 rows)");
    assert!(screen.contains("  host\n") && screen.contains("  host-11") && !screen.contains("hostUuid"), "{screen}");
    // The node does not tell the names of clusters.
    assert!(screen.contains(&uuid(20)) && !screen.contains("warning"), "{screen}");
    terminal.line("set names off");
    terminal.line("QueryVmInstance limit=5");
    terminal.sees("hostUuid");
    terminal.sees("every row: clusterUuid");
    terminal.line("exit");
    terminal.ends();
    assert_eq!(asked(&node), ["vm-instances", "hosts", "clusters", "vm-instances"]);
}
