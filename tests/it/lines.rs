//! Lines as people have them from manuals, scripts and the original program.

use crate::harness::Home;
use crate::node::{Node, Reply};
use crate::terminal::Terminal;

const UUID: &str = "1ab3b836a88342e1bbc1b1a17d092f0f";

fn node() -> Node {
    Node::start(|_| Reply::ok(r#"{"inventories":[{"uuid":"1f6d","name":"one"}]}"#))
}

const SESSION: (&str, &str) = ("ZSTACK_SESSION_UUID", "5e55000000000000000000000000c0de");

#[test]
fn a_uuid_may_come_in_quotes() {
    let node = node();
    let home = Home::new();
    let run = |words: &[&str]| home.run(node.call(words)).variable(SESSION.0, SESSION.1).succeeds();
    run(&["QueryHost", &format!("zoneUuid=\"{UUID}\""), "limit=1"]);
    run(&["QueryL3Network", "ipRanges.name=lab", &format!("uuid?=\"{UUID}\",\"{UUID}\""), "limit=1"]);
    run(&["StartVmInstance", &format!("uuid=\"{UUID}\"")]);
    let requests = node.requests();
    assert_eq!(requests[0].query()[0].1, format!("zoneUuid={UUID}"));
    assert_eq!(requests[1].query()[0].1, "ipRanges.name=lab");
    assert_eq!(requests[1].query()[1].1, format!("uuid?={UUID},{UUID}"));
    assert_eq!(requests[2].path(), format!("/zstack/v1/vm-instances/{UUID}/actions"));
}

#[test]
fn an_option_given_twice_counts_as_given_last() {
    let node = node();
    let home = Home::new();
    let run = |words: &[&str]| home.run(words).variable(SESSION.0, SESSION.1).succeeds();
    let url = format!("http://127.0.0.1:{}/zstack", node.port);
    let port = node.port.to_string();
    let words =
        ["-o", "json", "--url", "http://127.0.0.1:9/zstack", "QueryZone", "--url", &url, "-o", "csv", "-o", "value"];
    run(&words).stdout("one\n");
    let words = ["-H", "nowhere", "-p", "9", "QueryZone", "-H", "127.0.0.1", "-p", &port, "-o", "value"];
    run(&[&words[..], &["--columns", "name", "--columns", "uuid"]].concat()).stdout("1f6d\n");
    let words = ["--page-size", "7", "-q", "-q", "-H", "127.0.0.1", "-p", &port, "QueryZone", "--page-size", "3"];
    run(&[&words[..], &["--color", "always", "--color", "never"]].concat());
    let last = node.requests().last().expect("a request").query();
    assert!(last.contains(&("limit".to_owned(), "3".to_owned())), "{last:?}");
    // Own commands, too, and lines of scripts.
    run(&["-o", "json", "catalog", "list", "CreateZone", "-o", "csv", "-o", "value"]).stdout("CreateZone\n");
    let words = ["-o", "json", "-H", "127.0.0.1", "-p", &port];
    let done = home.run(words).variable(SESSION.0, SESSION.1).input("QueryZone -o csv -o value\n").succeeds();
    done.stdout("one\n");
}

#[test]
fn what_the_original_took_is_accepted_or_explained() {
    let home = Home::with_cloud();
    let run = |words: &[&str]| home.run(["--sandbox"].iter().chain(words));
    run(&["--dry-run", "SetVmMonitorNumber", &format!("uuid={UUID}"), "monitorNumber=2.0"])
        .succeeds()
        .stdout_has("\"monitorNumber\": 2\n");
    run(&["SetVmMonitorNumber", &format!("uuid={UUID}"), "monitorNumber=2.5"]).fails(1).stdout("");
    run(&["QueryVmInstance", "conditions=name~=web;cpuNum>2"]).fails(1).stdout("").stderr(
        "error: conditions: several conditions are not separated by `;`\n  \
         hint: each condition is a word of its own: name~=web 'cpuNum>2'\n",
    );
    for (option, message) in [
        ("-d", "-d: deploying a cloud from an XML file is not supported"),
        ("--template=lab.tmpl", "--template: deploying a cloud from an XML file is not supported"),
        ("-D", "-D: dumping a cloud to an XML file is not supported"),
        ("--dump", "--dump: dumping a cloud to an XML file is not supported"),
        (
            "-Psecret",
            "-P: it was the password for deploying from XML files and dumping to them, which is not supported",
        ),
    ] {
        let done = run(&[option, "lab.xml"]).fails(2).stdout("").stderr_has(&format!("error: {message}\n  hint: "));
        done.never_shows("secret");
    }
    run(&["-j", "QueryImage"]).fails(2).stdout("").stderr(
        "error: -j: there is no such option\n  hint: `-o json` prints JSON; it is the default in pipes and scripts\n",
    );
    run(&["-s", "192.168.0.212", "save", "1"]).fails(1).stdout("").stderr(
        "error: there is no API called 192.168.0.212 in ZStack (up to 5.5.6)\n  hint: `-H 192.168.0.212` names a node\n",
    );
    run(&["QueryVmInstance", "__sysTag__=a::b"])
        .fails(1)
        .stdout("")
        .stderr_has("hint: did you mean `__systemTag__`?\n");
    run(&["QueryVmInstance", "vmNics.nosuch=1"]).fails(1).stdout("").stderr(
        "error: VmNicInventory has no queryable field nosuch\n  \
         hint: `help QueryVmNic` lists the fields; --no-check sends it all the same\n",
    );
    for (line, hint) in [
        ("zstack-cli QueryZone", "leave `zstack-cli` out: a line begins with its command"),
        ("$ zstack-cli QueryZone", "leave `$` out: a line begins with its command"),
        (">>>QueryZone", "leave `>>>` out: a line begins with its command"),
    ] {
        home.run(["--sandbox"]).input(format!("{line}\n")).fails(1).stdout("").stderr_has(&format!("  hint: {hint}\n"));
    }
    for fields in [r#"["name", "uuid"]"#, "['name','uuid']", "[name,uuid]"] {
        run(&["--dry-run", "QueryZone", "limit=1", &format!("fields={fields}")])
            .succeeds()
            .stdout_has("?limit=1&fields=name%2Cuuid\n");
    }
    // Tags go with every call, also where the manual does not say so.
    run(&["--dry-run", "DeleteCbtTask", &format!("uuid={UUID}"), "systemTags=a,b"])
        .succeeds()
        .stdout_has("?systemTags=a&systemTags=b");
    run(&["StartVmInstanceScheduler", "vmUuid=x"]).fails(1).stdout("").stderr(
        "error: there is no API called StartVmInstanceScheduler in ZStack (up to 5.5.6)\n  \
         hint: did you mean `StartVmInstance`?\n",
    );
    run(&["CreateInstanceOffering", "name=a", "cpuNum=1", "memorySize=1G", "cpuSpeed=1"]).fails(1).stdout("").stderr(
        "error: CreateInstanceOffering has no parameter cpuSpeed\n  hint: `help CreateInstanceOffering` \
         lists those of ZStack 5.5.6; --no-check sends it all the same\n",
    );
}

#[test]
fn the_help_of_an_api_is_an_option_behind_it() {
    let home = Home::with_cloud();
    let page = home.run(["help", "CreateZone"]).succeeds().out();
    for words in [
        &["CreateZone", "--help"][..],
        &["CreateZone", "-h"],
        &["CreateZone", "name=x", "nmae=y", "--help"],
        &["-o", "json", "createzone", "-h", "--nope"],
        &["--help", "CreateZone"],
    ] {
        home.run(words).succeeds().stdout(&page).stderr("");
    }
    home.run(["--sandbox"]).input("CreateZone name=x --help\n").succeeds().stdout(&page).stderr("");
    home.run(["CreateZoen", "--help"])
        .fails(1)
        .stdout("")
        .stderr("error: there is no API, command or topic called CreateZoen\n  hint: did you mean `CreateZone`?\n");
    for words in [&["--help"][..], &["-o", "json", "-h"]] {
        home.run(words).succeeds().stdout_has("Usage: zstack-cli [OPTIONS]");
    }
    home.run(["login", "--help"]).succeeds().stdout_has("--access-key").never_shows("REQUEST");
}

#[test]
fn results_of_earlier_commands_are_at_hand_in_later_ones() {
    let home = Home::with_cloud();
    let run = |words: &[&str]| home.run(["--sandbox"].iter().chain(words));
    run(&["more"]).succeeds().stdout("");
    run(&["QueryZone", "name=zone-1", "-o", "value", "-s"]).succeeds().stdout_has("\n");
    run(&["StopVmInstance", "uuid=1f6d0e5a8d4b4f60a1f3a1d1c7f0b2e4"]).fails(3);
    run(&["zql", "query zone where name = 'zone-2'"]).succeeds();
    run(&[]).input("QueryZone fields=name\nQueryZone count=true\n").succeeds();
    run(&["CreateAccount", "name=a", "password=hunter2"]).succeeds();
    // None of these leads to a result.
    run(&["--dry-run", "QueryZone"]).succeeds();
    run(&["QueryZoen"]).fails(1);
    run(&["catalog", "list", "CreateZone"]).succeeds();
    run(&["more", "1", "-o", "jsonl"]).succeeds().stdout_has("zone-1").stderr("result 1: QueryZone name=zone-1\n");

    let listed = run(&["more"]).succeeds().out();
    let commands: Vec<&str> = listed.lines().map(|line| line.split_once(" B  ").expect("a size").1).collect();
    let expected = [
        "CreateAccount name=a password=******",
        "QueryZone count=true",
        "QueryZone fields=name",
        "--sandbox zql 'query zone where name = '\\''zone-2'\\'''",
        "StopVmInstance uuid=1f6d0e5a8d4b4f60a1f3a1d1c7f0b2e4",
        "QueryZone name=zone-1",
    ];
    assert_eq!(commands, expected, "{listed}");
    assert!(listed.lines().nth(4).is_some_and(|line| line.starts_with("2 !")), "{listed}");
    run(&["more", "-1"]).succeeds().stderr("result 6: CreateAccount name=a password=******\n");
    run(&["more", "-2", "-o", "json"]).succeeds().stderr("result 5: QueryZone count=true\n");
    run(&["more", "-7"]).fails(1).stdout("");
    run(&["more", "2"]).succeeds().stdout_has("SYS.1003");
    run(&["more", "3", "-o", "csv"]).succeeds().stdout_has("zone-2");
    run(&["more", "9"]).fails(1).stdout("");
    run(&["save", "1", "one.json", "json_only"]).succeeds().stderr("saved one.json\n");
    run(&["save", "4,5"]).succeeds().stderr("saved QueryZone-4.json\nsaved QueryZone-5.json\n");
    let saved = std::fs::read_to_string(home.path().join("one.json")).expect("a file");
    assert!(saved.contains("\"zone-1\""), "{saved}");
    for (path, bytes) in home.files() {
        assert!(!bytes.windows(7).any(|window| window == b"hunter2"), "{}", path.display());
    }
}

#[cfg(unix)]
#[test]
fn a_command_works_where_no_result_can_be_kept() {
    let home = Home::new();
    let node = node();
    std::fs::create_dir_all(home.path().join("state")).expect("a folder");
    // A file where the folder of results belongs.
    std::fs::write(home.path().join("state/results"), "").expect("a file");
    let done = home.run(node.call(&["QueryZone", "-o", "value"])).variable(SESSION.0, SESSION.1);
    done.succeeds().stdout("one\n").stderr("");
    let done = home.run(node.options()).variable(SESSION.0, SESSION.1).input("QueryZone -o value\n");
    done.succeeds().stdout("one\n").stderr("");
}

#[test]
fn a_visible_password_is_warned_of_on_a_terminal_only() {
    let node = Node::start(|_| Reply::ok(r#"{"inventory":{"uuid":"5e55","accountUuid":"36c2"}}"#));
    let home = Home::new();
    let words = |last: &str| node.call(&["LogInByAccount", "accountName=admin", last, "-o", "json"]);
    home.run(words("password=x")).succeeds().stderr("");
    std::fs::write(home.path().join("secret"), "x").expect("a file");
    for (last, warns) in [("password=x", true), ("password=@secret", false)] {
        let words = words(last);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (screen, code) = Terminal::run(&home, 200, 24, env!("CARGO_BIN_EXE_zstack-cli"), &words).ends();
        assert_eq!(code, Some(0), "{screen}");
        assert_eq!(screen.contains("can see password= among"), warns, "{screen}");
    }
}
