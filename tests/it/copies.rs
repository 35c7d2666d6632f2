//! A copy of a node in the sandbox, named states, and scripts that are rehearsed in them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Done, Home};
use crate::node::{Node, Recorded, Reply};
use crate::served::Served;
use crate::terminal::Terminal;

/// How long a copy of a node may take on a busy machine: it is some three hundred queries.
const LONG: Duration = Duration::from_secs(300);

/// A node that records what it is sent; its answers are those of a served sandbox.
fn recording(served: &Served) -> Node {
    let address = served.url.trim_start_matches("http://").split('/').next().expect("an address").to_owned();
    Node::start(move |request| forwarded(&address, request))
}

fn forwarded(address: &str, request: &Recorded) -> Reply {
    let mut stream = TcpStream::connect(address).expect("the sandbox listens");
    let mut text = format!("{} {} HTTP/1.1\r\nConnection: close\r\n", request.method, request.target);
    for (name, value) in request.headers.iter().filter(|(name, _)| name != "connection" && name != "cookie") {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{text}\r\n").as_bytes()).expect("sent");
    stream.write_all(&request.body).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Reply::Send(status, body.to_owned())
}

/// Nothing but reads, log-ins and the ends of their sessions came.
fn only_reads(node: &Node) {
    let reads = ["/zstack/v1/accounts/login", "/zstack/v1/management-nodes/actions"];
    for request in node.requests() {
        let is_read = match request.method.as_str() {
            "GET" => true,
            "DELETE" => request.path().starts_with("/zstack/v1/accounts/sessions/"),
            "PUT" => {
                let body = String::from_utf8_lossy(&request.body).into_owned();
                reads.contains(&request.path())
                    && ["logInByAccount", "getVersion", "getSupportAPIs"].iter().any(|key| body.contains(key))
            }
            _ => false,
        };
        assert!(is_read, "{} {}", request.method, request.target);
    }
}

/// The rows of a query, each as text, in the order of the text.
fn rows(done: &Done) -> Vec<String> {
    let mut rows: Vec<String> = done.out().lines().map(str::to_owned).collect();
    rows.sort();
    rows
}

#[test]
fn a_copy_of_a_node_answers_as_the_node_does_and_has_no_secrets() {
    let served = Served::start(&[]);
    let node = recording(&served);
    let home = Home::new();
    let with = |words: &[&str]| home.run(node.call(words)).variable("ZSTACK_PASSWORD", "password").within(LONG);
    with(&["sandbox", "clone"]).succeeds().stderr_has("the sandbox is a copy of the node: ");
    only_reads(&node);
    for query in
        ["QueryHost", "QueryVolume", "QueryVmNic", "QueryL3Network", "QueryQuota", "QuerySystemTag", "QueryAccount"]
    {
        let told = with(&[query, "-o", "jsonl"]).succeeds();
        let copied = home.run(["--sandbox", query, "-o", "jsonl"]).succeeds();
        assert_eq!(rows(&copied), rows(&told), "{query}");
        assert!(!rows(&told).is_empty(), "{query}");
    }
    let capacities = ["QueryPrimaryStorage", "-o", "csv", "--columns", "uuid,availableCapacity,attachedClusterUuids"];
    let copied = home.run([&["--sandbox"], &capacities[..]].concat()).succeeds();
    assert_eq!(rows(&copied), rows(&with(&capacities).succeeds()));
    // The monitors of a storage have passwords.
    let monitors = ["QueryCephPrimaryStorage", "-o", "json"];
    with(&monitors).succeeds().stdout_has("sshPassword");
    home.run([&["--sandbox"], &monitors[..]].concat()).succeeds().stdout_has("monAddr").never_shows("sshPassword");

    // Everything works on the copy, and the administrator can log in to it.
    home.run(["--sandbox", "StopVmInstance", "uuid=web-1"]).succeeds().stdout_has("Stopped");
    let log_in = ["--sandbox", "LogInByAccount", "accountName=admin", "password=password"];
    home.run(log_in).succeeds();

    // It is not replaced without a word.
    with(&["sandbox", "clone"]).fails(1).stderr_has("--yes does so without asking");
    with(&["sandbox", "clone", "--yes", "--only", "zone,QueryCluster"]).succeeds();
    let count = |query: &str| home.run(["--sandbox", query, "-o", "value", "--columns", "name"]).succeeds().out();
    assert!(!count("QueryZone").is_empty() && !count("QueryCluster").is_empty());
    assert_eq!(count("QueryHost"), "");
    with(&["sandbox", "clone", "--yes", "--only", "hots"]).fails(1).stderr_has("there is no kind called hots");
    home.run(["--sandbox", "sandbox", "clone"]).fails(2).stderr_has("cannot be a copy of itself");
    only_reads(&node);
}

#[test]
fn a_copy_that_fails_leaves_the_sandbox_as_it_was() {
    let home = Home::with_cloud();
    let node = Node::start(|request| match request.path() {
        "/zstack/v1/management-nodes/actions" if String::from_utf8_lossy(&request.body).contains("getVersion") => {
            Reply::ok(r#"{"version":"5.2.1","success":true}"#)
        }
        "/zstack/v1/management-nodes/actions" => Reply::ok(r#"{"supportApis":["APIQueryZoneMsg","APIQueryHostMsg"]}"#),
        "/zstack/v1/zones" => Reply::ok(r#"{"inventories":[{"uuid":"a","name":"copied"}]}"#),
        _ => Reply::Cut,
    });
    let before = home.run(["--sandbox", "QueryZone", "-o", "jsonl"]).succeeds().out();
    home.run(node.call(&["sandbox", "clone", "--yes"]))
        .variable("ZSTACK_SESSION_UUID", "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37")
        .fails(4);
    home.run(["--sandbox", "QueryZone", "-o", "jsonl"]).succeeds().stdout(&before);
    let files = home.files();
    assert!(files.iter().all(|(path, _)| !path.to_string_lossy().contains(".part-")), "{files:?}");
}

/// The rows of a comparison that are about one kind of change.
fn of_change<'a>(reply: &'a Value, change: &str) -> Vec<&'a Value> {
    let rows = reply["inventories"].as_array().expect("rows");
    rows.iter().filter(|row| row["change"] == change).collect()
}

#[test]
fn states_have_names_and_are_compared() {
    let home = Home::with_cloud();
    let run = |words: &[&str]| home.run(words);
    run(&["sandbox", "list", "-o", "json"]).succeeds().stdout_has("\"inventories\": []");
    run(&["sandbox", "save", "a/b"]).fails(1);
    run(&["sandbox", "save", "first"]).succeeds().stderr("the state of the sandbox was saved as first\n");
    run(&["--sandbox", "CreateZone", "name=lab"]).succeeds();
    run(&["--sandbox", "UpdateHost", "uuid=host-1", "name=renamed"]).succeeds();
    run(&["--sandbox", "DestroyVmInstance", "uuid=web-1"]).succeeds();
    run(&["sandbox", "save", "second"]).succeeds();
    run(&["sandbox", "list", "-o", "csv", "--columns", "name"]).succeeds().stdout("name\nfirst\nsecond\n");

    let changes = run(&["sandbox", "changes", "first", "second", "-o", "json"]).succeeds().json();
    let created = of_change(&changes, "created");
    assert!(created.iter().any(|row| row["kind"] == "Zone" && row["name"] == "lab"), "{changes}");
    let changed = of_change(&changes, "changed");
    let renamed = changed.iter().find(|row| row["kind"] == "KVMHost").expect("the host");
    assert_eq!(
        (&renamed["member"], &renamed["before"], &renamed["after"]),
        (&"name".into(), &"host-1".into(), &"renamed".into())
    );
    assert!(changed.iter().any(|row| row["name"] == "web-1" && row["member"] == "state"), "{changes}");
    let back = run(&["sandbox", "changes", "second", "first", "-o", "json"]).succeeds().json();
    assert_eq!(of_change(&back, "deleted").len(), created.len());
    run(&["sandbox", "changes", "second"]).succeeds().stdout_has("\"inventories\": []");
    run(&["sandbox", "changes", "frist"])
        .fails(1)
        .stderr_has("there is no saved state called frist")
        .stderr_has("first");

    run(&["sandbox", "load", "first"]).fails(1).stderr_has("--yes");
    run(&["sandbox", "load", "first", "--yes"]).succeeds();
    run(&["sandbox", "changes", "first"]).succeeds().stdout_has("\"inventories\": []");
    run(&["--sandbox", "QueryZone", "name=lab", "--fail-empty"]).fails(7);
}

#[test]
fn a_script_is_rehearsed_in_a_copy_and_the_node_is_left_alone() {
    let served = Served::start(&[]);
    let node = recording(&served);
    let home = Home::with_cloud();
    let with = |words: &[&str]| home.run(node.call(words)).variable("ZSTACK_PASSWORD", "password").within(LONG);
    let script = home.path().join("script");
    std::fs::write(&script, "CreateZone name=lab\nStopVmInstance uuid=web-1\nQueryZone name=lab\n").expect("written");
    let done = with(&["rehearse", "script", "-o", "json"]).succeeds();
    let reply = done.json();
    assert!(of_change(&reply, "created").iter().any(|row| row["name"] == "lab"), "{reply}");
    assert!(
        of_change(&reply, "changed").iter().any(|row| row["name"] == "web-1" && row["after"] == "Stopped"),
        "{reply}"
    );
    let capacity = of_change(&reply, "capacity");
    assert!(capacity.iter().any(|row| row["kind"] == "Host" && row["member"] == "availableMemoryCapacity"), "{reply}");

    only_reads(&node);
    home.run(["--sandbox", "QueryZone", "name=lab", "--fail-empty"]).fails(7);

    // From a saved state no node is asked.
    home.run(["sandbox", "save", "own"]).succeeds();
    let before = node.requests().len();
    // A line by itself; what fails and what is not simulated is told, with the exit code of the script.
    with(&["rehearse", "--from", "own", "DeleteZone", "uuid=zone-1", "-o", "csv"]).succeeds().stdout_has("deleted,");
    std::fs::write(&script, "CreateZone name=lab\nStopVmInstance uuid=nobody\nCreateZone name=later\n")
        .expect("written");
    let failed = with(&["rehearse", "--from", "own", "script", "-o", "json"]).fails(1).stderr_has("line 2: ");
    assert_eq!(of_change(&failed.json(), "failed")[0]["line"], 2);
    failed.never_shows("later");
    with(&["rehearse", "--from", "own", "QueryZoen"]).fails(1).stderr_has("\n  hint: did you mean `QueryZone`?\n");
    with(&["rehearse", "--from", "own", "gone.zs"]).fails(1).stderr_has("error: cannot read gone.zs: ").stdout("");

    // Whatever a line says, it goes to the copy.
    let url = format!("http://127.0.0.1:{}/zstack", node.port);
    std::fs::write(&script, format!("CreateZone name=real --url {url}\n")).expect("written");
    with(&["rehearse", "--from", "own", "script"]).fails(2).stderr_has("it names another node than --sandbox does");

    // What is not simulated is no success.
    let unknown = ["AddHybridKeySecret", "name=k", "type=aliyun", "key=a", "secret=b"];
    let told = with(&[&["rehearse", "--from", "own", "-o", "json"], &unknown[..]].concat()).fails(3);
    assert_eq!(of_change(&told.json(), "not simulated").len(), 1);

    // For real only on demand.
    with(&["rehearse", "--from", "own", "CreateZone", "name=lab"]).succeeds().stdout_has("lab");
    with(&["rehearse", "--from", "own", "--then-run", "CreateZone", "name=lab"]).fails(1).stderr_has("--yes");
    assert_eq!(node.requests().len(), before);
    with(&["rehearse", "--from", "own", "--then-run", "--yes", "CreateZone", "name=lab"]).succeeds();
    with(&["QueryZone", "name=lab", "-o", "value", "--columns", "name"]).succeeds().stdout("lab\n");
}

#[test]
fn a_terminal_gets_a_report_of_what_is_different() {
    let home = Home::with_cloud();
    let words = ["--sandbox", "rehearse", "DeleteHost", "uuid=host-1"];
    let (screen, code) = Terminal::run(&home, 70, 40, env!("CARGO_BIN_EXE_zstack-cli"), &words).ends();
    assert_eq!(code, Some(0), "{screen}");
    let screen: String = screen.lines().map(|line| line.trim_end().to_owned() + "\n").collect();
    for section in [
        "deleted KVMHost\n  host-1\n\n",
        // The same happened to six VMs; names stand for uuids.
        "changed VmInstance (8)\n  web-1, cache-1, monitor, bastion, dev-1, dev-build: hostUuid\n    \
         host-1 -> host-2, lastHostUuid host-1 -> none\n  old-intranet, dev-scratch: lastHostUuid host-1 -> none\n\n",
        "capacity Host\n  totalCpuCapacity 1920 -> 1600, availableCpuCapacity 1832 -> 1512,\n    \
         availableMemoryCapacity 624.7 GiB -> 496.7 GiB\n\n0 created, 9 changed, 7 deleted, 0 failed\n",
    ] {
        assert!(screen.contains(section), "{section}\n{screen}");
    }
}
