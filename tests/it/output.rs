//! What is printed: every format, wide characters, readers that leave early, watching, capacities.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::harness::Home;
use crate::node::{Node, Reply};
use crate::terminal::Terminal;

const SESSION: (&str, &str) = ("ZSTACK_SESSION_UUID", "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37");
const A: &str = "0b5c1de0c6f54a1f9b7d0a4f3d1c2b61";
const B: &str = "1c6d2ef1d7054b20ac8e1b504e2d3c72";

/// A node whose zones are these rows.
fn zones(rows: &str) -> Node {
    let body = format!(r#"{{"inventories":[{rows}],"schema":{{}}}}"#);
    Node::start(move |_| Reply::ok(body.clone()))
}

fn two_zones() -> Node {
    zones(&format!(
        r#"{{"uuid":"{A}","name":"机房, \"one\"","state":"Enabled","isDefault":true}},{{"uuid":"{B}","name":"b","state":"Disabled","isDefault":false}}"#
    ))
}

#[test]
fn every_format_prints_the_same_rows() {
    let node = two_zones();
    let home = Home::new();
    let print = |format: &str| {
        let arguments = node.call(&["QueryZone", "--columns", "name,state,uuid", "-o", format]);
        home.run(arguments).variable(SESSION.0, SESSION.1).succeeds().stderr("").out()
    };
    assert_eq!(print("csv"), format!("name,state,uuid\n\"机房, \"\"one\"\"\",Enabled,{A}\nb,Disabled,{B}\n"));
    assert_eq!(print("tsv"), format!("name\tstate\tuuid\n机房, \"one\"\tEnabled\t{A}\nb\tDisabled\t{B}\n"));
    assert_eq!(
        print("table"),
        format!(
            "name         state     uuid\n-----------  --------  {}\n机房, \"one\"  Enabled   {A}\nb            Disabled  {B}\n",
            "-".repeat(32)
        )
    );
    assert_eq!(
        print("vertical"),
        format!("name  | 机房, \"one\"\nstate | Enabled\nuuid  | {A}\n\nname  | b\nstate | Disabled\nuuid  | {B}\n")
    );
    assert!(print("jsonl").starts_with(r#"{"name":"机房, \"one\"","state":"Enabled","uuid":""#));
    assert!(print("yaml").contains("state: Enabled"));
    let value: serde_json::Value = serde_json::from_str(&print("json")).expect("is JSON");
    assert_eq!((&value["inventories"][0]["name"], &value["success"]), (&"机房, \"one\"".into(), &true.into()));
}

#[test]
fn every_format_reads_the_sandbox() {
    let home = Home::with_cloud();
    for format in ["table", "wide", "vertical", "json", "jsonl", "yaml", "csv", "tsv", "value"] {
        home.run(["--sandbox", "QueryBackupStorage", "-o", format])
            .succeeds()
            .stdout_has("image-store")
            .stdout_has("ceph-bs");
    }
    home.run(["--sandbox", "QueryBackupStorage", "--jq", ".inventories[].name", "-r", "sortBy=name"])
        .succeeds()
        .stdout("ceph-bs\nimage-store\n");
}

/// A node leaves null members out, and some members are of special kinds of a resource alone.
#[test]
fn no_row_is_lost_to_a_missing_member() {
    let rows = format!(r#"{{"uuid":"{A}","name":"vm","state":"Running","vmNics":[{{"uuid":"{B}","mac":"fa:01"}}]}}"#);
    let node = zones(&rows);
    let home = Home::new();
    let run = |words: &[&str]| home.run(node.call(words)).variable(SESSION.0, SESSION.1);
    for format in ["table", "wide", "vertical", "csv", "tsv", "value"] {
        run(&["QueryVmInstance", "limit=1", "-o", format]).succeeds().stderr("").stdout_has("vm");
    }
    // A default column of the table is empty, as its header says.
    let two = zones(&format!("{rows},{rows}"));
    let table = home.run(two.call(&["QueryVmInstance", "limit=2", "-o", "table"])).variable(SESSION.0, SESSION.1);
    table.succeeds().stderr("").stdout_has("ip");
    let csv = |columns: &str| run(&["QueryVmInstance", "limit=1", "-o", "csv", "--columns", columns]);
    csv("name,vmNics.ip,vmNics.l3Network.name").succeeds().stdout("name,vmNics.ip,vmNics.l3Network.name\nvm,,\n");
    csv("name,host.name,description").succeeds().stdout("name,host.name,description\nvm,,\n");
    csv("name,applianceVmType").succeeds().stdout("name,applianceVmType\nvm,\n");
    csv("name,vmNics.ipp").fails(2).stdout("").stderr("error: no column vmNics.ipp\n");
    csv("name,vmNics.mca").fails(2).stderr("error: no column vmNics.mca\n  hint: did you mean `mac`?\n");
    csv("nme").fails(2).stdout("").stderr("error: no column nme\n  hint: did you mean `name`?\n");
    run(&["QueryVmInstance", "limit=1", "-o", "jsonl", "--columns", "name,vmNics.ip"])
        .succeeds()
        .stdout("{\"name\":\"vm\",\"vmNics.ip\":[]}\n");
    run(&["QueryVmInstance", "fields=name", "limit=1", "-o", "csv", "--columns", "name,hostUuid"])
        .succeeds()
        .stdout("name,hostUuid\nvm,\n");
    run(&["QueryVmInstance", "limit=1", "-o", "value", "--columns", "name", "--sort-by", "memorySize"])
        .succeeds()
        .stdout("vm\n");
    run(&["QueryVmInstance", "limit=1", "--sort-by", "memorySzie"]).fails(2).stderr_has("no column memorySzie");
}

#[test]
fn an_action_may_show_what_a_special_kind_has() {
    let home = Home::with_cloud();
    let zone = home.run(["--sandbox", "QueryZone", "limit=1", "-o", "value", "--columns", "uuid"]).succeeds().out();
    let create = |columns: &str| {
        let zone = format!("zoneUuid={}", zone.trim());
        let words = ["CreateL2VlanNetwork", "name=l2", &zone, "physicalInterface=eth0", "vlan=7"];
        let view = ["--sandbox", "-o", "csv", "--columns", columns];
        home.run([&view[..], &words].concat())
    };
    create("name,vlan").succeeds().stderr("").stdout("name,vlan\nl2,7\n");
    create("name,vlna").fails(2).stdout("").stderr_has("no column vlna");
}

/// A filter that cannot be compiled is told before anything is sent.
#[test]
fn a_wrong_filter_sends_nothing() {
    let node = two_zones();
    let done = Home::new().run_once(node.call(&["QueryZone", "--jq", ".inventories[] | nope"])).fails(2);
    done.stderr_has("nope").stdout("");
    assert!(node.requests().is_empty());
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let rows: Vec<String> = (0..50_000).map(|number| format!(r#"{{"uuid":"{number:032x}","name":"z"}}"#)).collect();
    let node = zones(&rows.join(","));
    let home = Home::new();
    for format in ["json", "csv", "table", "value"] {
        let mut run = home.run(node.call(&["QueryZone", "-o", format])).variable(SESSION.0, SESSION.1);
        let mut child = run.start();
        let mut first = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        stdout.read_line(&mut first).expect("a line");
        assert!(!first.is_empty());
        drop(stdout);
        let output = child.wait_with_output().expect("it ends");
        assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""), "{format}");
    }
}

/// Presses Ctrl-C.
fn interrupt(child: &Child) {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).stdout(Stdio::null()).status();
    assert!(sent.expect("kill runs").success());
}

#[test]
fn watching_prints_what_changes_and_ends_with_ctrl_c() {
    let answers = AtomicUsize::new(0);
    let node = Node::start(move |_| {
        let row = |uuid: &str, state: &str| format!(r#"{{"uuid":"{uuid}","name":"z","state":"{state}"}}"#);
        let rows = match answers.fetch_add(1, Ordering::SeqCst) {
            0 => row(A, "Enabled"),
            1 => format!("{},{}", row(A, "Disabled"), row(B, "Enabled")),
            _ => row(B, "Enabled"),
        };
        Reply::ok(format!(r#"{{"inventories":[{rows}]}}"#))
    });
    let home = Home::new();
    let mut run = home.run(node.call(&["QueryZone", "--watch", "0.1"])).variable(SESSION.0, SESSION.1);
    let mut child = run.start();
    let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = || {
        let mut line = String::new();
        stdout.read_line(&mut line).expect("a line");
        line
    };
    assert_eq!(
        line(),
        format!("{{\"event\":\"changed\",\"uuid\":\"{A}\",\"changes\":{{\"state\":[\"Enabled\",\"Disabled\"]}}}}\n")
    );
    assert_eq!(
        line(),
        format!(
            "{{\"event\":\"new\",\"uuid\":\"{B}\",\"row\":{{\"uuid\":\"{B}\",\"name\":\"z\",\"state\":\"Enabled\"}}}}\n"
        )
    );
    assert!(line().starts_with(&format!("{{\"event\":\"gone\",\"uuid\":\"{A}\"")));
    interrupt(&child);
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).expect("text");
    assert_eq!((rest.as_str(), child.wait().expect("it ends").code()), ("", Some(0)));
}

#[test]
fn only_queries_are_watched() {
    let home = Home::new();
    home.run(["CreateZone", "name=x", "--watch"]).fails(2).stderr_has("CreateZone is not a query").stdout("");
    home.run(["QueryZone", "count=true", "--watch"]).fails(2).stderr_has("no rows to watch");
    home.run(["QueryZone", "--jq", ".", "--watch"]).fails(2).stderr_has("--jq");
}

#[test]
fn capacities_come_as_a_picture_and_as_numbers() {
    let home = Home::with_cloud();
    home.run(["--sandbox", "capacity", "-o", "table"])
        .succeeds()
        .stdout_has("hosts:\n")
        .stdout_has("backupStorages:\n")
        .stdout_has(" of 9.1 TiB");
    let value = home.run(["--sandbox", "capacity"]).succeeds().json();
    let stores = value["backupStorages"].as_array().expect("a list");
    let store = stores.iter().find(|store| store["name"] == "image-store").expect("the storage");
    assert_eq!(store["capacityTotal"], 9_992_857_976_832_u64);
    assert_eq!(store["capacityUsed"], 9_992_857_976_832_u64 - 4_931_431_059_456);
    assert!(value["hosts"].as_array().is_some_and(|hosts| !hosts.is_empty()));
}

#[test]
fn a_filter_may_recurse_and_not_without_end() {
    let home = Home::with_cloud();
    let run = |filter: &str| home.run(["--sandbox", "QueryZone", "--jq", filter]);
    run("def f: if . == 0 then 0 else 1 + (. - 1 | f) end; 3000 | f").succeeds().stdout("3000\n");
    run("def f: if . == 0 then 0 else . - 1 | f end; 300000 | f").succeeds().stdout("0\n");
    run("reduce range(100000) as $i (0; [.]) | length").succeeds().stdout("1\n");
    for endless in ["def f: 1 + f; f", "def f: [f]; f", "def f: reduce f as $x (0; 1); f", "def f: f | f; f"] {
        run(endless).fails(2).stderr("error: jq: the recursion is too deep, or too much memory is needed\n");
    }
    run("\"x\" * 9000000000").fails(2).stderr("error: jq: the recursion is too deep, or too much memory is needed\n");
    // Nor does a long expression end the program.
    for (open, close) in [("[", "]"), ("(", ")"), ("1 + ", ""), ("1 | ", ""), ("-", "")] {
        run(&format!("{}1{} | empty", open.repeat(20_000), close.repeat(20_000))).ends_itself();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_is_no_missing_answer() {
    let home = Home::with_cloud();
    for words in [&["--sandbox", "QueryZone"][..], &["--sandbox", "QueryZone", "-o", "csv"], &["man"], &["--help"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("a full device");
        let run = home.run(words).output_to(full);
        run.fails(2).stderr("error: cannot write the output: No space left on device\n");
    }
    for format in ["json", "csv"] {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("a full device");
        let run = home.run(["--sandbox", "CreateZone", "name=lab", "-o", format]).output_to(full).fails(2);
        run.stderr_has("error: CreateZone was done, but its result cannot be written: No space left on device (uuid ")
            .stderr_has(", name lab)\n");
    }
    // The same of a file behind `>`.
    let done =
        home.run(["--sandbox", "-k"]).input("CreateZone name=lab > /dev/full\nCreateZone name=lab >> /dev/full\n");
    let done = done.fails(2);
    let told = "CreateZone was done, but its result cannot be written: No space left on device (uuid ";
    assert_eq!(done.err().matches(told).count(), 2, "{}", done.err());
    // Nobody reads what an action made: it is kept all the same.
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let closed = std::fs::File::from(std::os::fd::OwnedFd::from(writer));
    home.run(["--sandbox", "CreateZone", "name=lab-2"]).output_to(closed).succeeds().stderr("");
    let kept = home.run(["more"]).succeeds().out();
    let kept: Vec<&str> = kept.lines().filter(|line| line.contains("CreateZone name=lab")).collect();
    assert!(kept.len() == 5 && kept.iter().all(|line| !line.contains('!')), "{kept:?}");
}

#[test]
fn the_list_of_apis_is_printed_as_rows() {
    let home = Home::new();
    let run = |line: &str| home.run(line.split(' '));
    run("catalog list queryzone -o value").succeeds().stdout("QueryZone\n").stderr("");
    run("catalog list createzone -o csv")
        .succeeds()
        .stdout("name,method,path,async,session,query,deprecated\nCreateZone,POST,/zones,true,true,false,false\n");
    run("catalog list createzone").succeeds().stdout("CreateZone\tPOST\t/zones\n").stderr("");
    let all = run("catalog list -o json").succeeds().json();
    let apis = all["inventories"].as_array().expect("a list");
    assert!(apis.len() > 1500 && apis.iter().all(|api| api["name"].is_string() && api["async"].is_boolean()));
    run("catalog list nothing -o value").succeeds().stdout("");
    run("catalog list nothing --fail-empty").fails(7);
    let table = Terminal::run(&home, 100, 24, env!("CARGO_BIN_EXE_zstack-cli"), &["catalog", "list", "zone"]);
    let (screen, _) = table.ends();
    assert!(screen.contains("AddIdentityZoneFromRemote ") && screen.contains("method"), "{screen}");
}
