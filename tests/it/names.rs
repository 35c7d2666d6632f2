//! Names in the place of uuids.

use crate::harness::{Done, Home, Run};
use crate::node::{Node, Recorded, Reply};
use crate::terminal::{ENTER, Terminal};

const SESSION: &str = "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37";
const WEB: &str = "16a76fa529d2413d92d791487f7f27f7";
const DB: &str = "1becb26d47a540dfbec38ee202695ba1";
const HOST: &str = "07515c21ad85486b8ad60c599a48d9b9";

/// A node with two machines and a host, whatever a query asks for, which knows no ZQL unless a test says what it
/// answers.
fn node_with(zql: &'static str) -> Node {
    Node::start(move |request| match request.path() {
        "/zstack/v1/vm-instances" => {
            let rows = format!(r#"{{"uuid":"{WEB}","name":"web-1"}},{{"uuid":"{DB}","name":"db-1"}}"#);
            Reply::ok(format!(r#"{{"inventories":[{rows}]}}"#))
        }
        "/zstack/v1/hosts" => Reply::ok(format!(r#"{{"inventories":[{{"uuid":"{HOST}","name":"host-1"}}]}}"#)),
        "/zstack/v1/zql" if !zql.is_empty() => Reply::ok(zql),
        "/zstack/v1/zql" => Reply::error("SYS.1000", "no viable alternative"),
        path if path.ends_with("/actions") || path.contains("/api-jobs/") => {
            Reply::ok(r#"{"inventory":{"uuid":"1","name":"x"}}"#)
        }
        _ => Reply::ok(r#"{"inventories":[]}"#),
    })
}

fn call(node: &Node, words: &[&str]) -> Run {
    Home::new().run_once(node.call(words)).variable("ZSTACK_SESSION_UUID", SESSION)
}

/// The conditions or the statement of a request.
fn asked(request: &Recorded) -> Vec<String> {
    let pairs = request.query().into_iter();
    pairs.filter(|(name, _)| ["q", "zql"].contains(&name.as_str())).map(|(_, value)| value).collect()
}

#[test]
fn a_name_is_looked_up_and_its_uuid_sent() {
    let node = node_with("");
    let done = call(&node, &["StopVmInstance", "uuid=web-1", "-o", "json", "-c"]).succeeds();
    assert_eq!(done.json()["inventory"]["name"], "x");
    assert!(done.err().starts_with(&format!("uuid: web-1 -> {WEB}\ncurl ")), "{}", done.err());
    assert!(done.err().contains(&format!("vm-instances/{WEB}/actions")), "{}", done.err());
    let requests = node.calls();
    assert_eq!(requests.len(), 2);
    assert_eq!(asked(&requests[0]), ["name?=web-1"]);
    assert_eq!(requests[0].header("authorization"), Some(format!("OAuth {SESSION}").as_str()));
    assert_eq!(requests[1].path(), format!("/zstack/v1/vm-instances/{WEB}/actions"));
    // It is looked up again each time, and `-q` says nothing of it.
    call(&node, &["StopVmInstance", "uuid=name:db-1", "-q", "-o", "json"]).succeeds().stderr("");
    assert_eq!(node.calls()[3].path(), format!("/zstack/v1/vm-instances/{DB}/actions"));
}

#[test]
fn one_request_answers_all_names_of_a_line() {
    let node = node_with("");
    let words = ["QueryVmInstance", &format!("uuid?=web-1,{HOST},db-1"), "rootVolumeUuid=null", "-o", "jsonl"];
    call(&node, &words).succeeds().stderr(&format!("uuid: web-1 -> {WEB}\nuuid: db-1 -> {DB}\n"));
    let requests = node.calls();
    assert_eq!(requests.len(), 2);
    assert_eq!(asked(&requests[0]), ["name?=web-1,db-1"]);
    assert_eq!(asked(&requests[1]), [format!("uuid?={WEB},{HOST},{DB}"), "rootVolumeUuid is null".to_owned()]);

    const ZQL: &str = r#"{"results":[
        {"inventories":[{"uuid":"07515c21ad85486b8ad60c599a48d9b9","name":"host-1"}]},
        {"inventories":[{"uuid":"16a76fa529d2413d92d791487f7f27f7","name":"web-1"},
                        {"uuid":"1becb26d47a540dfbec38ee202695ba1","name":"web-2"}]}]}"#;
    let node = node_with(ZQL);
    let words = ["QueryVmInstance", "hostUuid=host-1", "uuid?=name:web_%", "-o", "jsonl"];
    call(&node, &words).succeeds().stderr_has(&format!("uuid: web-1 -> {WEB}\nuuid: web-2 -> {DB}\n"));
    let requests = node.calls();
    assert_eq!(requests.len(), 2);
    let statement = "query host.uuid,name where name in ('host-1') ; \
                     query vminstance.uuid,name where name like 'web\\\\_%'";
    assert_eq!(asked(&requests[0]), [statement]);
    assert_eq!(asked(&requests[1]), [format!("hostUuid={HOST}"), format!("uuid?={WEB},{DB}")]);
}

#[test]
fn a_node_that_fails_on_zql_is_asked_with_a_query_for_each_kind() {
    let node = node_with("");
    let words = ["QueryVmInstance", "hostUuid=host-1", "uuid!=web-1", "-o", "jsonl"];
    call(&node, &words).succeeds().stderr(&format!("hostUuid: host-1 -> {HOST}\nuuid: web-1 -> {WEB}\n"));
    let paths: Vec<String> = node.requests().iter().map(|request| request.path().to_owned()).collect();
    let expected = ["zql", "hosts", "vm-instances", "vm-instances"].map(|path| format!("/zstack/v1/{path}"));
    assert_eq!(paths, expected);
    // So is one that has none.
    let node = Node::start(|request| match request.path() {
        "/zstack/v1/zql" => Reply::Send(404, "no api mapping".to_owned()),
        path => {
            let (uuid, name) = if path.ends_with("hosts") { (HOST, "host-1") } else { (WEB, "web-1") };
            Reply::ok(format!(r#"{{"inventories":[{{"uuid":"{uuid}","name":"{name}"}}]}}"#))
        }
    });
    call(&node, &words).succeeds().stderr_has("uuid: web-1 -> ");
}

#[test]
fn a_name_that_is_not_there_leads_to_the_closest() {
    let node = node_with("");
    let done = call(&node, &["DestroyVmInstance", "uuid=wbe-1"]).fails(1).stdout("");
    done.stderr(&format!(
        "error: uuid: QueryVmInstance finds nothing called wbe-1\n  hint: did you mean `web-1` ({WEB})?\n"
    ));
    // A database takes letters of either case for the same, and the user may not.
    call(&node, &["DestroyVmInstance", "uuid=Web-1"]).fails(1).stderr_has("finds nothing called Web-1");
    let done = call(&node, &["DestroyVmInstance", "uuid=entirely-different", "--errors", "json"]).fails(1);
    done.stderr_has(r#""kind": "unknown-name", "exitCode": 1"#).stderr_has("--no-check sends the value as typed");
    assert!(node.requests().iter().all(|request| request.method == "GET"));
}

#[test]
fn a_word_that_is_the_uuid_of_something_is_that() {
    let node = Node::start(|request| match &asked(request)[..] {
        [condition] if condition == "uuid?=built-in" => Reply::ok(r#"{"inventories":[{"uuid":"built-in"}]}"#),
        _ => Reply::ok(r#"{"inventories":[]}"#),
    });
    call(&node, &["QueryVmInstance", "hostUuid=built-in", "-o", "jsonl"]).succeeds().stderr("");
    assert_eq!(asked(&node.requests()[2]), ["hostUuid=built-in"]);
    call(&node, &["QueryVmInstance", "hostUuid=name:built-in"]).fails(1);
}

#[test]
fn several_of_a_name_are_told_apart() {
    let home = Home::with_cloud();
    let run = |words: &[&str]| home.run([&["--sandbox"], words].concat());
    run(&["UpdateVmInstance", "uuid=web-2", "name=web-1"]).succeeds();
    let uuid = |name: &str| {
        let words = ["QueryVmInstance", name, "fields=uuid", "sortBy=uuid", "-o", "value"];
        run(&words).succeeds().out().split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let of = uuid("name=web-1");
    assert_eq!(of.len(), 2);
    let done = run(&["StopVmInstance", "uuid=web-1"]).fails(1).stdout("");
    let err = done.err();
    let lines: Vec<&str> = err.lines().collect();
    assert_eq!(lines[0], "error: uuid: QueryVmInstance finds 2 called web-1");
    assert!(lines[1].starts_with(&format!("  {} web-1 (", of[0])) && lines[1].contains("host host-"), "{err}");
    assert!(lines[2].starts_with(&format!("  {} web-1 (", of[1])) && lines[2].contains("address "), "{err}");
    assert_eq!(lines[3..], ["  hint: the uuid says which is meant"]);
    let json = run(&["StopVmInstance", "uuid=web-1", "--errors", "json"]).fails(1);
    json.stderr_has(r#""kind": "ambiguous-name""#).stderr_has(&format!("the uuid says which is meant: {}", of[0]));
    // Nothing was done to either, and a list says that all are meant.
    let states = |done: Done| done.out().matches("Running").count();
    assert_eq!(states(run(&["QueryVmInstance", "uuid?=name:web-1%", "fields=state", "-o", "value"]).succeeds()), 2);
}

#[test]
fn names_are_asked_for_exactly() {
    let home = Home::with_cloud();
    let run = |words: &[&str]| home.run([&["--sandbox"], words].concat());
    for (name, other) in
        [("10%", "100"), ("a_b", "axb"), ("it's, so", "so"), ("back\\slash", "backslash"), ("null", "x")]
    {
        run(&["CreateInstanceOffering", "cpuNum=1", "memorySize=1G", &format!("name={name}")]).succeeds();
        run(&["CreateInstanceOffering", "cpuNum=1", "memorySize=1G", &format!("name={other}")]).succeeds();
        let words = ["QueryInstanceOffering", &format!("uuid=name:{name}"), "fields=name", "-o", "value"];
        run(&words).succeeds().stdout(&format!("{name}\n")).stderr_has(&format!("uuid: {name} -> "));
    }
    let words = ["QueryInstanceOffering", r#"uuid?=a_b,"it's, so""#, "fields=name", "sortBy=name", "-o", "value"];
    run(&words).succeeds().stdout("a_b\nit's, so\n");
}

#[test]
fn tags_and_conditions_in_a_list_hold_names_too() {
    let home = Home::with_cloud();
    let run = |words: &[&str]| home.run([&["--sandbox"], words].concat());
    let value = |query: &str, name: &str| {
        run(&[query, &format!("name={name}"), "fields=uuid", "-o", "value"]).succeeds().out().trim().to_owned()
    };
    let networks = run(&["QueryL3Network", "fields=name", "-o", "value", "limit=1"]).succeeds().out();
    let network = networks.trim();
    let uuid = value("QueryL3Network", network);
    let words = ["--no-check", "--dry-run", "CreateVmInstance", "name=x", "systemTags=staticIp::lan::10.0.0.9"];
    run(&words).succeeds().stdout_has("staticIp::lan::10.0.0.9").stderr("");
    let node = Node::start({
        let (network, uuid) = (network.to_owned(), uuid.clone());
        move |request| match request.method.as_str() {
            "GET" => Reply::ok(format!(r#"{{"inventories":[{{"uuid":"{uuid}","name":"{network}"}}]}}"#)),
            _ => Reply::ok("{}"),
        }
    });
    let tags = format!("systemTags=staticIp::{network}::10.0.0.9,ha::NeverStop");
    call(&node, &["CreateVmInstance", "name=x", &format!("imageUuid={WEB}"), &tags, "--no-wait"])
        .succeeds()
        .stderr_has(&format!("systemTags: {network} -> {uuid}\n"));
    let sent = node.requests()[1].json();
    let expected = serde_json::json!([format!("staticIp::{uuid}::10.0.0.9"), "ha::NeverStop"]);
    assert_eq!(sent["params"]["systemTags"], expected);
    let words = ["QueryVmInstance", r#"conditions=["hostUuid=host-1","state=Running"]"#, "count=true", "-o", "json"];
    run(&words).succeeds().stderr_has("hostUuid: host-1 -> ");
}

#[test]
fn nothing_is_asked_for_a_command_that_is_wrong_or_only_shown() {
    let node = node_with("");
    call(&node, &["StopVmInstance", "uuid=web-1", "nope=1"]).fails(1).stderr_has("has no parameter nope");
    call(&node, &["StopVmInstance", "uuid=web-1", "--columns", "a..b"]).done();
    let done = call(&node, &["--dry-run", "DestroyVmInstance", "uuid=name:web 1"]).succeeds();
    done.stdout_has("/vm-instances/web%201").stderr("uuid: web 1 would be looked up with QueryVmInstance\n");
    assert!(node.requests().is_empty(), "{:?}", node.requests());
    // What may be a uuid, and what is of no known kind, is sent as typed; so is all with `--no-check`.
    call(&node, &["QueryVmInstance", "uuid=web-1", "--no-check", "-o", "jsonl"]).succeeds().stderr("");
    call(&node, &["QueryVmInstance", &format!("uuid={WEB}"), "-o", "jsonl"]).succeeds().stderr("");
    call(&node, &["QueryVmNic", "uuid=nic-1", "-o", "jsonl"]).succeeds().stderr("");
    let asked: Vec<Vec<String>> = node.requests().iter().map(asked).collect();
    assert_eq!(asked, [["uuid=web-1".to_owned()], [format!("uuid={WEB}")], ["uuid=nic-1".to_owned()]]);
}

#[test]
fn a_node_that_cannot_look_up_a_name_did_nothing() {
    let node = Node::start(|_| Reply::error("ID.1002", "denied"));
    call(&node, &["DestroyVmInstance", "uuid=web-1"]).fails(3).stderr(
        "error: denied\n  code: ID.1002 (failed)\n  \
         hint: the node failed to look up a name, and nothing was done; a uuid needs no look-up\n",
    );
    assert!(node.requests().iter().all(|request| request.method == "GET"));
}

#[test]
fn a_machine_is_made_of_what_has_names() {
    let home = Home::with_cloud();
    let words = ["CreateVmInstance", "name=web-4", "instanceOfferingUuid=tiny", "imageUuid=vyos-router"];
    let words = [&["--sandbox"], &words[..], &["l3NetworkUuids=flat-net", "-o", "json"]].concat();
    let done = home.run(words).succeeds();
    assert_eq!(done.json()["inventory"]["vmNics"].as_array().map(Vec::len), Some(1));
    let told: Vec<String> =
        done.err().lines().map(|line| line.split(" -> ").next().unwrap_or_default().into()).collect();
    assert_eq!(told, ["instanceOfferingUuid: tiny", "imageUuid: vyos-router", "l3NetworkUuids: flat-net"]);
}

#[test]
fn without_a_session_the_error_is_that_of_any_query() {
    let node = node_with("");
    Home::new().run_once(node.call(&["StopVmInstance", "uuid=web-1"])).fails(5).stderr_has("log in");
    assert!(node.requests().is_empty());
}

#[test]
fn at_the_prompt_a_wrong_name_is_marked_and_what_is_destroyed_is_named() {
    let home = Home::with_cloud();
    let terminal = Terminal::shell(&home, &["--sandbox"]);
    terminal.prompt("admin@sandbox >>>");
    terminal.line("QueryVmInstance uuid?=web-1,wbe-2");
    let screen = terminal.sees("hint: did you mean");
    assert!(screen.contains("wbe-2\n") && screen.contains("                             ^^^^^\n"), "{screen}");
    terminal.prompt("admin@sandbox >>>");
    terminal.line("describe vm wbe-2");
    terminal.sees("\n              ^^^^^\n");
    terminal.prompt("admin@sandbox >>>");
    terminal.line("describe vn web-1");
    terminal.sees("\n           ^^\n");
    terminal.prompt("admin@sandbox >>>");
    terminal.line("QueryVmInstance name~=b_1");
    terminal.sees("\n                  ^^^^^^^^^\n");
    terminal.prompt("admin@sandbox >>>");
    terminal.line("DestroyVmInstance uuid=web-1");
    let screen = terminal.sees("[y/N]");
    let uuid = screen.split_once("uuid: web-1 -> ").expect("a note").1.get(..32).expect("a uuid").to_owned();
    assert!(screen.contains(&format!("uuid  {uuid}  web-1")), "{screen}");
    terminal.keys(&format!("n{ENTER}"));
    terminal.sees("not confirmed");
}

#[test]
fn a_query_that_finds_nothing_says_what_its_condition_means() {
    let home = Home::with_cloud();
    let screen = |words: &[&str]| {
        let words = [&["--sandbox"], words].concat();
        Terminal::run(&home, 100, 50, env!("CARGO_BIN_EXE_zstack-cli"), &words).ends().0
    };
    let told = screen(&["QueryZone", "name==zone-1"]);
    assert!(told.contains("no rows\nname==zone-1 looks for the text =zone-1; name=zone-1 looks for zone-1"), "{told}");
    let told = screen(&["QueryZone", "name~=x_1", "-o", "vertical"]);
    assert!(told.contains("name~=x_1: _ is any one character"), "{told}");
    assert!(!screen(&["QueryZone", "name~=zone_1"]).contains("one character"));
    let quiet = screen(&["-q", "QueryZone", "name==zone-1"]);
    assert!(!quiet.contains("looks for"), "{quiet}");
    home.run(["--sandbox", "QueryZone", "name==zone-1", "-o", "table"]).succeeds().stderr("");
}
