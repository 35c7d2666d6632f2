//! `inspect`: findings, and how it ends.

use std::fs;

use crate::harness::{Home, Run};
use crate::node::{Node, Reply};
use crate::served::Served;
use crate::terminal::Terminal;

fn run(home: &Home, node: &Node, words: &[&str]) -> Run {
    home.run(node.call(words)).variable("ZSTACK_SESSION_UUID", "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37")
}

/// A cloud of two hosts, one of which is disconnected, and of one nearly full storage. It has nothing else.
fn cloud() -> Node {
    Node::start(|request| {
        let host = |name: &str, status: &str| {
            format!(
                r#"{{"uuid":"{name:0>32}","name":"{name}","managementIp":"10.0.0.1","status":"{status}","state":"Enabled",
                   "totalMemoryCapacity":100,"availableMemoryCapacity":50}}"#
            )
        };
        let rows = match request.path().trim_start_matches("/zstack/v1") {
            "/hosts" => format!("{},{}", host("a", "Connected"), host("b", "Disconnected")),
            "/primary-storage" => format!(
                r#"{{"uuid":"{:0>32}","name":"ps","status":"Connected","state":"Enabled","type":"Ceph",
                   "totalCapacity":1099511627776,"availableCapacity":109951162777,
                   "totalPhysicalCapacity":10,"availablePhysicalCapacity":9}}"#,
                "c"
            ),
            "/backup-storage" => String::new(),
            "/management-nodes/ready" => return Reply::ok("{}"),
            _ => return Reply::Send(404, "no api mapping to URL".to_owned()),
        };
        if request.query().iter().any(|(name, _)| name == "count") {
            return Reply::ok(r#"{"total":2}"#);
        }
        let is_asked = |row: &&str| {
            let asked = request.query();
            !asked.iter().any(|(_, value)| value == "status=Disconnected") || row.contains("Disconnected")
        };
        let rows: Vec<&str> = rows.split("},").filter(is_asked).collect();
        let rows = rows.iter().map(|row| format!("{}}}", row.trim_end_matches('}'))).filter(|row| row.len() > 1);
        Reply::ok(format!(r#"{{"inventories":[{}]}}"#, rows.collect::<Vec<_>>().join(",")))
    })
}

#[test]
fn findings_are_rows_and_the_exit_code_says_how_bad_they_are() {
    let (home, node) = (Home::new(), cloud());
    let hosts = ["host-disconnected", "host-disabled", "host-memory", "host-cpu"];
    let checks = [&["inspect"][..], &hosts, &["primary-storage-capacity", "license-ends"]].concat();
    let done = run(&home, &node, &[&checks[..], &["-o", "csv"]].concat()).succeeds();
    assert_eq!(
        done.out(),
        "weight,check,resource,message,uuid,hint\n\
         urgent,host-disconnected,b,the host (10.0.0.1) is disconnected,0000000000000000000000000000000b,\
         ReconnectHost uuid=0000000000000000000000000000000b\n\
         urgent,primary-storage-capacity,ps,\"90 % of the capacity is given to volumes, over-provisioning included; \
         102.4 GiB are left\",0000000000000000000000000000000c,\
         QueryVolume primaryStorageUuid=0000000000000000000000000000000c sortBy=-size limit=10\n"
    );
    // What the node lacks is told, and nothing else fails.
    done.stderr_has("license-ends is left out: ");
    // Four checks share the hosts, which are counted first.
    let hosts = node.requests().iter().filter(|request| request.path() == "/zstack/v1/hosts").count();
    assert_eq!(hosts, 2);

    let done = run(&home, &node, &[&checks[..], &["-o", "table"]].concat()).succeeds();
    assert!(done.out().starts_with("weight  check"), "{}", done.out());
    done.never_shows("ReconnectHost").never_shows("000b");
    for (weight, code) in [("urgent", 8), ("normal", 8)] {
        let words = [&checks[..], &["--fail-on", weight, "-o", "json"]].concat();
        run(&home, &node, &words)
            .fails(code)
            .stdout_has("host-disconnected")
            .stderr_has("error: 2 of the findings are ");
    }
    run(&home, &node, &["inspect", "host-memory", "--fail-on", "normal", "-o", "json"]).succeeds();
    run(&home, &node, &["inspect", "host-memry"]).fails(1).stderr_has("did you mean `host-memory`?");
}

#[test]
fn own_checks_are_made_with_those_of_the_program() {
    let (home, node) = (Home::new(), cloud());
    let file = home.path().join("own.toml");
    let write = |text: &str| fs::write(&file, text).expect("a file");
    let run = |words: &[&str]| run(&home, &node, words);
    write(
        "[[check]]\nname = 'hosts'\nseverity = 'normal'\nsql = 'select name, count(*) over () n from host'\n\
         message = '{name} is one of {n}'\n",
    );
    run(&["inspect", "--checks", "own.toml", "hosts", "--columns", "message", "-o", "value"])
        .succeeds()
        .stdout("a is one of 2\nb is one of 2\n");
    run(&["inspect", "--checks", "own.toml", "--list", "-o", "value"]).succeeds().stdout_has("hosts\n");
    write("[[check]]\nname = 'x'\nseverity = 'normal'\nsql = 'select nme from host'\nmessage = ''\n");
    run(&["inspect", "--checks", "own.toml", "x"]).fails(1).stderr_has("error: check x: no such column: nme");
    write("[[check]]\nname = 'x'\nseverity = 'normal'\nsql = 'select name from host'\nmessage = '{nme}'\n");
    run(&["inspect", "--checks", "own.toml", "x"]).fails(1).stderr_has("check x: the statement selects no column nme");
    run(&["inspect", "--checks", "none.toml"]).fails(1).stderr_has("none.toml");
}

#[test]
fn a_list_and_a_dry_run_send_nothing() {
    let (home, node) = (Home::new(), cloud());
    let listed = run(&home, &node, &["inspect", "--list", "-o", "value"]).succeeds().out();
    assert!(listed.lines().count() >= 25 && listed.contains("vm-address-twice\n"), "{listed}");
    run(&home, &node, &["inspect", "--dry-run", "-o", "csv"])
        .succeeds()
        .stdout_has("host-disconnected,read host,\"GET /v1/hosts?q=status=Disconnected&");
    assert_eq!(node.requests().len(), 0);
}

#[test]
fn every_check_can_be_made_on_the_sandbox() {
    let home = Home::with_cloud();
    let done = home.run(["--sandbox", "inspect", "-o", "json"]).succeeds();
    let rows = done.json()["inventories"].as_array().expect("rows").clone();
    assert!(rows.iter().any(|row| row["check"] == "vm-unknown"), "{}", done.out());
}

#[test]
fn licences_that_end_are_found() {
    let home = Home::with_cloud();
    let all = home.run(["--sandbox", "inspect", "-o", "value", "--columns", "check,resource"]).succeeds();
    all.stdout_has("license-add-on-ends\tDisaster Recovery\n").never_shows("license-ends\t").stderr("");
    for (main, add_on, found) in [
        ("2001-02-03 04:05:06", "2999-01-01 00:00:00", "license-ends\tthe licence ends on 2001-02-03 04:05:06\n"),
        (
            "2999-01-01 00:00:00",
            "2001-02-03 04:05:06",
            "license-add-on-ends\tthe licence of the add-on ends on 2001-02-03 04:05:06\n",
        ),
        ("2999-01-01 00:00:00", "2999-01-01 00:00:00", ""),
    ] {
        let node = Node::start(move |request| match request.path().trim_start_matches("/zstack/v1") {
            "/licenses" => Reply::ok(format!(
                r#"{{"inventory":{{"uuid":"{:0>32}","licenseType":"Paid","expiredDate":"{main}","expired":false}},"additions":[]}}"#,
                "a"
            )),
            "/licenses/addons" => Reply::ok(format!(
                r#"{{"addons":[{{"uuid":"{:0>32}","name":"more","expiredDate":"{add_on}","expired":false}}]}}"#,
                "b"
            )),
            _ => Reply::Send(404, "no api mapping to URL".to_owned()),
        });
        let words = ["inspect", "license-ends", "license-add-on-ends", "-o", "value", "--columns", "check,message"];
        run(&Home::new(), &node, &words).succeeds().stdout(found).stderr("");
    }
}

#[test]
fn a_node_is_not_asked_for_what_it_lacks() {
    let (open, home) = (Served::start(&["--edition", "open"]), Home::new());
    open.log_in(&home);
    let checks = ["inspect", "host-disconnected", "alarm-triggered", "license-ends", "-v", "-o", "csv"];
    let done = open.run(&home, &checks).succeeds().stdout_has("host-disconnected");
    done.stderr_has("\nalarm-triggered is left out: the node (ZStack 5.2.1) has no API QueryAlarm\n")
        .stderr_has("/v1/hosts")
        .never_shows("/v1/zwatch/alarms")
        .never_shows("/v1/licenses");
}

#[test]
fn a_terminal_gets_a_report() {
    let home = Home::with_cloud();
    let inspect = |names: &[&str]| {
        let words = [&["--sandbox", "--no-pager", "inspect"], names].concat();
        let (screen, code) = Terminal::run(&home, 60, 24, env!("CARGO_BIN_EXE_zstack-cli"), &words).ends();
        assert_eq!(code, Some(0), "{screen}");
        screen.lines().map(|line| line.trim_end().to_owned() + "\n").collect::<String>()
    };
    let found = inspect(&["vm-without-guest-tools", "vm-unknown"]);
    let (unknown, others) = found.split_at(found.find("normal").expect("a section"));
    assert_eq!(
        unknown,
        "urgent vm-unknown\n  db-3: the state of the VM is not known since 2025-01-22\n    14:05:00\n  \
         hint: look at its host; ReconnectHost makes the node ask\n    it again\n\n"
    );
    // The findings differ in nothing but their names.
    assert!(others.starts_with("normal vm-without-guest-tools (17)\n  qa-1, branch-pos-1, "), "{others}");
    assert!(others.ends_with("\n\n18 findings: 1 urgent, 17 normal\n"), "{others}");
    assert_eq!(inspect(&["host-memory"]), "1 check found nothing\n");
    // Who asks for a table, or for an order, gets rows.
    for rows in [&["vm-unknown", "-o", "table"][..], &["vm-unknown", "--sort-by", "check"]] {
        assert!(inspect(rows).starts_with("weight"), "{rows:?}");
    }
}
