//! What Tab offers: through `complete LINE`, and in the real shells by typing.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::harness::Home;
use crate::node::{Node, Reply};
use crate::terminal::{TAB, Terminal};

use zstack_cli::catalog::Catalog;

fn complete(home: &Home, line: &str) -> Vec<(String, String)> {
    let done = home.run(["complete", "--", line]).succeeds().stderr("");
    done.out()
        .lines()
        .map(|row| {
            let mut cells = row.split('\t');
            let mut cell = || cells.next().expect("three columns").to_owned();
            let (word, kind, _) = (cell(), cell(), cell());
            (word, kind)
        })
        .collect()
}

fn words(home: &Home, line: &str) -> BTreeSet<String> {
    complete(home, line).into_iter().map(|(word, _)| word.trim_end().to_owned()).collect()
}

#[test]
fn every_position_offers_its_kind() {
    let home = Home::new();
    home.run(["context", "set", "lab", "url=http://lab.example/zstack"]).succeeds();
    std::fs::write(home.path().join("rules.json"), "[]").expect("a file");
    for (line, word, kind) in [
        ("QBS", "QueryBackupStorage", "api"),
        ("queBaSt", "QueryBackupStorage", "api"),
        ("vminstanc", "CreateVmInstance", "api"),
        ("hist", "history", "command"),
        ("context us", "use", "command"),
        ("context use ", "lab", "value"),
        ("--context ", "lab", "value"),
        ("set output ve", "vertical", "value"),
        ("set outp", "output", "param"),
        ("context set lab outp", "output=", "param"),
        ("context set lab color=al", "color=always", "value"),
        ("raw P", "POST", "value"),
        ("catalog use 4.8", "4.8.0", "value"),
        ("catalog show ZoneInv", "ZoneInventory", "value"),
        ("sandbox serve --edition o", "open", "value"),
        ("login --plat", "--platform", "param"),
        ("help job", "job", "command"),
        ("QueryZone -o js", "json", "value"),
        ("help CreateZ", "CreateZone", "api"),
        ("CreateZone na", "name=", "param"),
        ("QueryVmInstance hostU", "hostUuid=", "field"),
        ("QueryVmInstance vmN", "vmNics.", "expanded"),
        ("QueryVmInstance vmNics.l3Network.na", "vmNics.l3Network.name=", "field"),
        ("QueryVmInstance __sys", "__systemTag__=", "field"),
        ("QueryVmInstance state", "state!=", "operator"),
        ("QueryVmInstance state=Run", "state=Running", "value"),
        ("QueryVmInstance sortB", "sortBy=", "param"),
        ("QueryVmInstance sortBy=cr", "sortBy=createDate", "field"),
        ("QueryVmInstance fields=name,uu", "fields=name,uuid,", "field"),
        ("QueryVmInstance sortDirection=d", "sortDirection=desc", "value"),
        ("QueryVmInstance count=t", "count=true", "value"),
        ("AddSecurityGroupRule rules=@ru", "rules=@rules.json", "value"),
    ] {
        let offered = complete(&home, line);
        let found = offered.iter().find(|(offered, _)| offered.trim_end() == word);
        assert_eq!(found.map(|(_, kind)| kind.as_str()), Some(kind), "{line:?} offers {offered:?}");
    }
}

#[test]
fn what_is_given_or_secret_is_not_offered() {
    let home = Home::new();
    let offered = words(&home, "CreateZone name=a ");
    assert!(!offered.contains("name=") && offered.contains("description="), "{offered:?}");
    assert!(words(&home, "LogInByAccount ").contains("password="));
    // A query refuses the parameters that set tags, and a condition on a member that is a record.
    let offered = words(&home, "QueryZone sys");
    assert!(!offered.contains("systemTags=") && offered.contains("__systemTag__="), "{offered:?}");
    assert!(!words(&home, "QueryVmInstance vmNics").contains("vmNics="));
    assert!(words(&home, "LogInByAccount password=").is_empty());
    assert!(!words(&home, "QueryZone fields=name,").contains("fields=name,name"));
}

/// The original offers every API and command that contains what is typed, whatever its case.
#[test]
fn names_are_those_of_the_original() {
    let home = Home::new();
    for typed in ["", "query", "storage", "VmInst", "log", "zone"] {
        let offered = words(&home, typed);
        let expected = Catalog::newest().api_names().map(|api| api.as_str());
        for api in expected.filter(|api| api.to_lowercase().contains(&typed.to_lowercase())) {
            assert!(offered.contains(api), "{typed:?} does not offer {api}");
        }
    }
    for command in ["help", "more", "save", "quit", "exit", "history"] {
        assert!(words(&home, "").contains(command), "{command}");
    }
}

/// After an API the original offers each parameter, and for a query also fields, expanded fields and tags.
#[test]
fn parameters_and_fields_are_those_of_the_original() {
    let (home, catalog) = (Home::new(), Catalog::newest());
    for name in [
        "QueryVmInstance",
        "QueryBackupStorage",
        "QueryZone",
        "QueryHost",
        "QueryVolume",
        "QueryL3Network",
        "CreateVmInstance",
        "AddKVMHost",
        "DeleteZone",
        "AddSecurityGroupRule",
    ] {
        let offered = words(&home, &format!("{name} "));
        let api = catalog.api(name).expect("the API is known");
        let mut expected: Vec<String> = api.parameters.iter().map(|parameter| format!("{}=", parameter.name)).collect();
        expected.push("timeout=".to_owned());
        if let Some(inventory) = api.inventory.filter(|_| api.is_query).and_then(|name| catalog.inventory(name)) {
            expected.extend(inventory.comparable().map(|field| format!("{}=", field.name)));
            let expanded = inventory.expanded.iter().filter(|(_, expanded)| !expanded.hidden);
            expected.extend(expanded.map(|(name, _)| format!("{name}.")));
            expected.extend(
                ["count=", "limit=", "start=", "fields=", "sortBy=", "__systemTag__=", "__userTag__="]
                    .map(str::to_owned),
            );
        }
        for word in expected {
            assert!(offered.contains(&word), "{name} does not offer {word}: {offered:?}");
        }
    }
}

#[test]
fn a_session_at_hand_brings_live_values() {
    let home = Home::new();
    let node = Node::start(|request| {
        assert!(request.method == "GET", "completion changes nothing");
        Reply::ok(r#"{"inventories":[{"uuid":"928d495e5910427f9a07d957b95b678c","name":"存储-1"}]}"#)
    });
    let line = format!("--url http://127.0.0.1:{}/zstack CreateCluster zoneUuid=存", node.port);
    let run = || home.run(["complete", "--", &line]);
    // Nobody is logged in: nothing is asked.
    run().succeeds().stdout("");
    assert_eq!(node.requests().len(), 0);
    let session = "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37";
    run()
        .variable("ZSTACK_SESSION_UUID", session)
        .succeeds()
        .stdout_has("zoneUuid=928d495e5910427f9a07d957b95b678c")
        .stdout_has("存储-1")
        .stderr("");
    let asked = node.requests().len();
    home.run(["complete", "--", "CreateCluster hyperv"]).variable("ZSTACK_SESSION_UUID", session).succeeds();
    assert_eq!(node.requests().len(), asked);
}

#[test]
fn what_fits_is_offered_and_the_rest_when_it_is_typed() {
    let home = Home::with_cloud();
    let names = |line: &str| {
        let done = home.run(["complete", "--", &format!("--sandbox {line}")]).succeeds().stderr("");
        let out = done.out();
        out.lines().map(|row| row.rsplit('\t').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("StartVmInstance uuid="), ["branch-pos-2", "dev-3", "old-intranet", "win-desktop"]);
    assert_eq!(names("StartVmInstance uuid=db-"), ["db-1", "db-2", "db-3"]);
    assert_eq!(names("ResumeVmInstance uuid="), ["qa-load"]);
    assert_eq!(names("AttachDataVolumeToVm volumeUuid="), ["qa-not-yet", "spare-data"]);
    assert!(!names("DetachDataVolumeFromVm uuid=").contains(&"spare-data".to_owned()));
    assert_eq!(names("AttachIsoToVmInstance isoUuid="), ["centos-7.9-dvd"]);
    assert_eq!(names("ChangeHostState stateEvent=enable uuid="), ["host-3"]);
    // What another parameter says, by its name, goes to the node: to an API of candidates, or as a condition.
    assert_eq!(names("AttachL3NetworkToVm vmInstanceUuid=db-1 l3NetworkUuid="), ["router-net"]);
    assert_eq!(names("StartVmInstance uuid=db-1 hostUuid="), ["host-4"]);
    assert_eq!(names("AttachPrimaryStorageToCluster clusterUuid=cluster-1 primaryStorageUuid="), ["nfs-ps"]);
    assert_eq!(
        names("DetachPrimaryStorageFromCluster clusterUuid=cluster-1 primaryStorageUuid="),
        ["ceph-ps", "local-ps"]
    );
    // No other host can take it: all are offered.
    assert_eq!(names("MigrateVm vmInstanceUuid=db-1 hostUuid=").len(), 6);
    // The values that the rows have.
    assert_eq!(names("QueryVmInstance platform="), ["24 rows", "1 row"]);
}

#[test]
fn jobs_and_results_of_this_machine_are_offered() {
    let home = Home::with_cloud();
    home.run(["--sandbox"]).input("CreateZone name=one\nQueryZone name=one\n").succeeds();
    let told = |line: &str| home.run(["complete", "--", line]).succeeds().out();
    assert!(told("more ").starts_with("2\tvalue\t"), "{}", told("more "));
    assert!(told("more ").contains(": CreateZone name=one\n"));
    let jobs = told("job show ");
    let uuid = jobs.split('\t').next().expect("a uuid");
    assert!(uuid.len() == 32 && jobs.contains("\tvalue\tCreateZone, succeeded, "), "{jobs}");
    home.run(["job", "show", uuid]).succeeds();
    assert!(told(&format!("job wait {uuid} ")).is_empty());
}

/// A shell in which `zstack-cli` and its completion are known; `None` where it is not installed.
fn shell(home: &Home, program: &str, words: &[&str], set_up: &[&str]) -> Option<Terminal> {
    if Command::new(program).arg("--version").output().is_err() {
        // Nothing can be tried here; a machine that has the shell does.
        return None;
    }
    let folder = Path::new(env!("CARGO_BIN_EXE_zstack-cli")).parent().expect("a folder");
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").expect("a path"));
    let terminal = Terminal::run_with(home, (100, 40), program, words, &[("PATH", &path), ("PS1", "$ ")]);
    for line in set_up {
        terminal.keys(&format!("{line}\r"));
    }
    terminal.keys("clear; echo re''ady\r");
    terminal.sees("ready");
    Some(terminal)
}

fn type_in(terminal: &Terminal, typed: &str, becomes: &str) {
    terminal.keys(&format!("{typed}{TAB}"));
    terminal.ends_line(becomes);
    terminal.keys("\u{15}");
}

const TYPED: [(&str, &str); 8] = [
    ("zstack-cli QueryBackupS", "zstack-cli QueryBackupStorage"),
    ("zstack-cli QBS", "zstack-cli QueryBackupStorage"),
    ("zstack-cli QueryVmInstance hostU", "zstack-cli QueryVmInstance hostUuid="),
    ("zstack-cli QueryVmInstance state=Runn", "zstack-cli QueryVmInstance state=Running"),
    ("zstack-cli QueryVmInstance vmNics.l3Network.na", "zstack-cli QueryVmInstance vmNics.l3Network.name="),
    ("zstack-cli QueryVmInstance fields=name,uu", "zstack-cli QueryVmInstance fields=name,uuid,"),
    ("zstack-cli QueryVmInstance sortDirection=d", "zstack-cli QueryVmInstance sortDirection=desc"),
    ("zstack-cli -o verti", "zstack-cli -o vertical"),
];

#[test]
fn bash_completes() {
    let home = Home::new();
    let set_up = ["bind 'set enable-bracketed-paste off'", "source <(zstack-cli completions bash)"];
    let terminal = shell(&home, "bash", &["--norc", "--noprofile", "-i"], &set_up).expect("bash is everywhere");
    for (typed, becomes) in TYPED {
        type_in(&terminal, typed, becomes);
    }
    terminal.keys(&format!("zstack-cli QueryBackupStorage sta{TAB}{TAB}"));
    let screen = terminal.sees("status");
    assert!(screen.contains("state") && screen.contains("start"), "{screen}");
}

#[test]
fn bash_lists_uuids_with_names_and_inserts_them_without() {
    let home = Home::with_cloud();
    let set_up = ["bind 'set enable-bracketed-paste off'", "source <(zstack-cli completions bash)"];
    let terminal = shell(&home, "bash", &["--norc", "--noprofile", "-i"], &set_up).expect("bash is everywhere");
    terminal.keys(&format!("zstack-cli --sandbox DeleteZone uuid={TAB}{TAB}{TAB}"));
    terminal.sees("140ebc2fbdb74ae197323a69d432f25e  (zone-1)");
    // Only so much as the uuids have in common is put into the line.
    terminal.ends_line("$ zstack-cli --sandbox DeleteZone uuid=1");
    terminal.keys(&format!("4{TAB}"));
    terminal.ends_line("uuid=140ebc2fbdb74ae197323a69d432f25e");
}

#[test]
fn zsh_completes() {
    let home = Home::new();
    let set_up = ["autoload -U compinit; compinit -u -D; PS1='$ '", "source <(zstack-cli completions zsh)"];
    let Some(terminal) = shell(&home, "zsh", &["-f", "-i"], &set_up) else { return };
    for (typed, becomes) in TYPED {
        type_in(&terminal, typed, becomes);
    }
    terminal.keys(&format!("zstack-cli QueryBackupStorage sta{TAB}"));
    let screen = terminal.sees("status=");
    assert!(screen.contains("state=") && screen.contains("start="), "{screen}");
}

#[test]
fn fish_completes() {
    let home = Home::new();
    let set_up = ["function fish_prompt; echo '$ '; end", "zstack-cli completions fish | source"];
    let Some(terminal) = shell(&home, "fish", &["--no-config", "-i"], &set_up) else { return };
    for (typed, becomes) in TYPED {
        type_in(&terminal, typed, becomes);
    }
    terminal.keys(&format!("zstack-cli QueryBackupStorage sta{TAB}"));
    let screen = terminal.sees("status=");
    assert!(screen.contains("state=") && screen.contains("start="), "{screen}");
}

#[test]
fn metrics_of_the_kind_and_functions_of_sql_are_offered() {
    let home = Home::with_cloud();
    let offered = |line: &str| {
        let text = home.run(["--sandbox", "complete", "--", line]).succeeds().out();
        text.lines().map(|row| row.split('\t').map(str::to_owned).collect()).collect::<Vec<Vec<String>>>()
    };
    let of_vms = offered("metrics vm web-1 CPUU");
    assert!(
        of_vms.contains(&vec!["CPUUsedUtilization".to_owned(), "value".to_owned(), "ZStack/VM".to_owned()]),
        "{of_vms:?}"
    );
    let others = offered("metrics vm web-1 CPUUsedUtilization ");
    assert!(
        others.len() > 1 && others.iter().all(|row| row[0] != "CPUUsedUtilization" && row[2] == "ZStack/VM"),
        "{others:?}"
    );
    assert!(offered("metrics host host-1 ").iter().all(|row| row[2] == "ZStack/Host"));
    let functions = offered("sql select name from host where createDate > ag");
    assert_eq!(functions[0][0], "'ago(");
}
