//! Named nodes: which one a command goes to, and whose credentials go along.

use crate::harness::Home;
use crate::node::{Node, Reply};

fn node(session: &'static str) -> Node {
    Node::start(move |request| match request.method.as_str() {
        "PUT" => Reply::ok(format!(r#"{{"inventory":{{"uuid":"{session}","accountUuid":"36c2"}}}}"#)),
        _ => Reply::ok(r#"{"inventories":[]}"#),
    })
}

fn url(node: &Node) -> String {
    format!("http://127.0.0.1:{}/zstack", node.port)
}

#[test]
fn contexts_never_mix_their_credentials() {
    let (first, second) = (node("11111111111111111111111111111111"), node("22222222222222222222222222222222"));
    let home = Home::new();
    home.run(["context", "set", "one", "--url", &url(&first)]).succeeds();
    home.run(["context", "set", "two", "--url", &url(&second)]).succeeds();
    home.run(["--context", "one", "login", "-q"]).input("x\n").succeeds();
    home.run(["--context", "two", "QueryZone"]).fails(5);
    // Neither is the session of a context that of its address, nor does it follow to another one.
    home.run(["--url", &url(&first), "QueryZone"]).fails(5);
    home.run(["--context", "one", "--url", &url(&second), "QueryZone"]).fails(5);
    home.run(["--context", "two", "login", "-q"]).input("x\n").succeeds();
    for name in ["one", "two"] {
        home.run(["--context", name, "QueryZone", "limit=1"]).succeeds();
    }
    home.run(["context", "set", "one", "--url", &url(&second)]).succeeds();
    home.run(["--context", "one", "QueryZone"]).fails(5);
    for (node, other) in [(&first, "2222"), (&second, "1111")] {
        for request in node.requests() {
            let authorization = request.header("authorization").unwrap_or_default();
            assert!(!authorization.contains(other), "{request:?}");
        }
    }
    assert_eq!(second.requests().iter().filter(|request| request.header("authorization").is_some()).count(), 1);
}

#[test]
fn using_a_context_says_when_something_else_decides() {
    let home = Home::new();
    for name in ["one", "two"] {
        home.run(["context", "set", name, "--url", &format!("http://{name}.test/zstack")]).succeeds();
    }
    home.run(["context", "use", "two"]).succeeds().stderr("using context two\n");
    home.run(["context", "use", "one"])
        .variable("ZSTACK_URL", "http://other.test/zstack")
        .succeeds()
        .stderr("one is the current context now, but ZSTACK_URL is set and decides before it\n");
    // In a script it holds for what follows, whatever the program was started with.
    let script = "context use two\nQueryZone --dry-run\n";
    home.run(["-H", "option.test"])
        .input(script)
        .variable("ZSTACK_SESSION_UUID", "x")
        .succeeds()
        .stdout_has("http://two.test/zstack/v1/zones");
}

#[test]
fn options_beat_the_environment_and_that_beats_the_context() {
    let home = Home::new();
    home.run(["context", "set", "one", "--url", "http://one.test/zstack", "output=csv"]).succeeds();
    home.run(["context", "set", "two", "--url", "http://two.test/zstack"]).succeeds();
    let asked = |words: &[&str]| home.run(words.iter().chain(&["QueryZone", "--dry-run"]));
    let session = |run: crate::harness::Run| run.variable("ZSTACK_SESSION_UUID", "x").succeeds();
    session(asked(&[])).stdout_has("http://one.test/zstack/v1/zones");
    session(asked(&[]).variable("ZSTACK_CONTEXT", "two")).stdout_has("http://two.test/");
    session(asked(&[]).variable("ZSTACK_URL", "http://env.test/zstack")).stdout_has("http://env.test/");
    session(asked(&["--context", "two"]).variable("ZSTACK_URL", "http://env.test/zstack"))
        .stdout_has("http://two.test/");
    session(asked(&["-H", "opt.test"]).variable("ZSTACK_URL", "http://env.test/zstack"))
        .stdout_has("http://opt.test:8080/");
    home.run(["--context", "three", "QueryZone"]).fails(2).stderr_has("there is no context `three`");
}

#[test]
fn changes_keep_comments_and_mistakes_have_a_line() {
    let home = Home::new();
    let file = home.path().join("config.toml");
    std::fs::write(&file, "# mine\n[contexts.one] # first\nurl = \"http://one.test/zstack\" # where\n")
        .expect("written");
    home.run(["context", "set", "two", "--url", "http://two.test/zstack", "account=ops"]).succeeds();
    home.run(["context", "use", "two"]).succeeds();
    let text = std::fs::read_to_string(&file).expect("readable");
    assert!(text.contains("# mine\n") && text.contains("# first") && text.contains("# where"), "{text}");
    home.run(["context", "show", "-o", "value", "--columns", "name,account"]).succeeds().stdout("two\tops\n");
    let listed = home.run(["context", "list", "-o", "csv"]).succeeds();
    listed.stdout_has("name,current,url,account\n").stdout_has("\ntwo,true,http://two.test/zstack,ops\n");
    home.run(["context", "delete", "two"]).succeeds();
    home.run(["context", "show", "two"]).fails(2);

    std::fs::write(&file, "[contexts.one]\nurl = \"http://one.test\"\npasword = \"x\"\n").expect("written");
    home.run(["QueryZone"]).fails(2).stdout("").stderr_has("config.toml:3: unknown key `pasword`");
    home.run(["context", "set", "one", "output=tabel"]).fails(2);
    assert!(std::fs::read_to_string(&file).expect("readable").contains("pasword"), "a wrong file is left alone");
}

#[test]
fn what_needs_no_configuration_works_with_a_wrong_one() {
    let home = Home::with_cloud();
    let broken = "context = \"one\"\n[contexts.one\n";
    std::fs::write(home.path().join("config.toml"), broken).expect("written");
    for words in ["help zql", "help", "catalog version", "man", "completions bash", "complete Quer", "sandbox path"] {
        home.run(words.split(' ')).succeeds().stderr("");
    }
    // A script says so once.
    for (words, input) in [(&["--sandbox", "QueryZone"][..], ""), (&["--sandbox"], "QueryZone\nQueryCluster\nexit")] {
        let done = home.run(words).input(input).succeeds().stdout_has("inventories");
        let said = done.err();
        let line = said.strip_suffix('\n').expect("a line");
        assert!(line.starts_with("warning: ") && line.contains("config.toml:2: ") && !line.contains('\n'), "{said}");
    }
    home.run(["--sandbox", "-q", "QueryZone"]).succeeds().stderr("");
    for words in ["QueryZone", "login", "context list", "--sandbox context list", "zql query_zone"] {
        home.run(words.split(' ')).fails(2).stdout("").stderr_has("config.toml:2: ");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn credentials_may_be_kept_in_the_keyring() {
    let uuid = "11111111111111111111111111111111";
    let (home, node, keyring) = (Home::new(), node(uuid), tempfile::tempdir().expect("a folder"));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/keyring:/usr/bin:/bin");
    let place = keyring.path().to_str().expect("a path");
    let run = |words: &[&str]| home.run(words).variable("PATH", path).variable("HOME", place);
    let holds_uuid = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(uuid);
    let in_files = || home.files().iter().any(|(_, bytes)| holds_uuid(bytes));

    run(&["context", "set", "lab", "--url", &url(&node)]).succeeds();
    run(&["login"]).input("x\n").succeeds();
    assert!(in_files());
    // What was stored before moves there, and back again.
    run(&["context", "set", "lab", "credentials=keyring"]).succeeds();
    assert!(!in_files());
    run(&["QueryZone", "limit=1"]).succeeds();
    run(&["context", "set", "lab", "credentials=file"]).succeeds();
    assert!(in_files());
    run(&["context", "set", "lab", "credentials=keyring"]).succeeds();
    run(&["QueryZone", "limit=1"]).succeeds();
    run(&["logout"]).succeeds();
    run(&["QueryZone", "limit=1"]).fails(5);
    assert!(!in_files());
    let calls = std::fs::read_to_string(keyring.path().join("calls")).expect("it was called");
    assert!(calls.contains("store --label=zstack-cli: context lab application zstack-cli") && !calls.contains(uuid));

    // Nothing falls back to files by itself.
    home.run(["context", "set", "other", "credentials=keyring"])
        .variable("PATH", "/nowhere")
        .fails(2)
        .stderr_has("error: secret-tool, which reaches the system's keyring, cannot be run")
        .stderr_has("credentials=file");
    run(&["QueryZone"])
        .variable("LOCKED", "1")
        .fails(2)
        .stderr_has("the system's keyring does not work: the collection is locked (secret-tool)");
}

#[test]
fn a_mistake_that_was_not_typed_with_the_line_is_told_by_where_it_stands() {
    let home = Home::with_cloud();
    let sandbox = |words: &[&str]| home.run([&["--sandbox"], words].concat());
    sandbox(&["-o", "csv"])
        .input("set columns name\nQueryZone --columns nmae")
        .fails(2)
        .stderr("error: line 2: no column nmae\n  hint: did you mean `name`?\n");
    sandbox(&[]).input("set columns a,,b").fails(1).stderr_has("error: line 1: columns: ");

    sandbox(&["QueryZone"])
        .variable("ZSTACK_OUTPUT", "tabel")
        .fails(2)
        .stderr_has("error: ZSTACK_OUTPUT: invalid output format \"tabel\": expected table, ")
        .stderr_has("\n  hint: `unset ZSTACK_OUTPUT` does without\n");
    sandbox(&["QueryZone", "-o", "tabel"]).fails(2).stderr_has("error: --output: invalid output format \"tabel\"");

    let node = node("11111111111111111111111111111111");
    home.run(["context", "set", "lab", "--url", &url(&node), "columns=a,,b"]).succeeds();
    home.run(["QueryZone", "-o", "csv"])
        .variable("ZSTACK_SESSION_UUID", "11111111111111111111111111111111")
        .fails(2)
        .stderr_has("error: `columns` of context lab: ")
        .stderr_has("hint: `zstack-cli context set lab columns=` undoes it\n");
}

/// It is for rows of any kind, and these have what they have.
#[test]
fn a_saved_column_that_the_rows_lack_is_left_out() {
    let home = Home::with_cloud();
    let script = |text: &str| home.run(["--sandbox", "-o", "csv"]).input(text).succeeds().stderr("");
    script("set columns name,hypervisorType\nQueryZone name=zone-1\nQueryCluster sortBy=name limit=1")
        .stdout("name\nzone-1\nname,hypervisorType\ncluster-1,KVM\n");
    // Known, though these rows have none: a table keeps its columns.
    script("set columns name,vmNics.ip\nQueryVmInstance name=qa-1 vmNics.ip=10.0.3.21")
        .stdout("name,vmNics.ip\nqa-1,10.0.3.21\n");
    // Nothing is left of it: what is shown without.
    script("set columns hypervisorType\nQueryZone name=zone-1 -o value").stdout("zone-1\n");
    let rows = script("set columns nmae\nQueryZone name=zone-1 -o jsonl").out();
    assert!(rows.contains("\"uuid\":"), "{rows}");
    script("set columns +nmae\nQueryZone name=zone-1 -o vertical").stdout_has("zone-1");
    script("set columns nmae\nQueryZone name=zone-1 -o vertical").stdout_has("zone-1");
    script("set columns nmae,name\nCreateZone name=lab").stdout("name\nlab\n");
    script("set sort-by hypervisorType\nQueryZone name=zone-1 -o value").stdout("zone-1\n");
    script("set sort-by -name\nQueryZone -o value --columns name").stdout_has("zone-1\n");
    std::fs::write(home.path().join("config.toml"), "[defaults]\ncolumns = \"nmae,name\"\n").expect("written");
    home.run(["--sandbox", "QueryZone", "name=zone-1", "-o", "csv"]).succeeds().stderr("").stdout("name\nzone-1\n");
}

#[test]
fn set_says_where_it_holds_for_nothing() {
    let home = Home::new();
    home.run(["set", "output", "json"])
        .fails(1)
        .stdout("")
        .stderr_has("error: `set` changes later lines of the shell or of a script, and there are none here\n")
        .stderr_has("`zstack-cli context set NAME KEY=VALUE` keeps preferences");
    home.run(["set", "output"]).succeeds().stdout("default\n");
    let file = home.path().join("script");
    std::fs::write(&file, "set output csv\nset output\n").expect("written");
    home.run(["run", "script"]).succeeds().stdout("csv\n");
    home.run::<_, &str>([]).input("set output csv\nset output").succeeds().stdout("csv\n");
}

#[test]
fn every_setting_is_shown_and_changed_by_its_name() {
    let home = Home::with_cloud();
    let run = |script: &str| home.run(["--sandbox", "-q"]).input(script);
    let settings = [
        ("border", "none"),
        ("color", "never"),
        ("columns", "name"),
        ("errors", "json"),
        ("max-width", "40"),
        ("names", "off"),
        ("output", "table"),
        ("page-parallel", "3"),
        ("page-size", "50"),
        ("pager", "off"),
        ("secure", "off"),
        ("sort-by", "-name"),
        ("timeout", "9"),
        ("wrap", "on"),
    ];
    let changes: String = settings.iter().map(|(name, value)| format!("set {name} {value}\n")).collect();
    let undone: String = settings.iter().map(|(name, _)| format!("set {name} default\n")).collect();
    let before = run("set").succeeds().out();
    let after = run(&format!("{changes}set")).succeeds().out();
    for (name, value) in settings {
        assert!(after.contains(&format!("{name:<13}  {value}\n")), "{after}");
        assert!(!before.contains(&format!("{name:<13}  {value}\n")), "{before}");
    }
    assert_eq!(before.lines().count(), settings.len() + 2, "but for what only the shell has");
    assert_eq!(run(&format!("{changes}{undone}set")).succeeds().out(), before);

    let shown = run("set output table\nset border none\nset columns name\nset sort-by -name\nQueryZone");
    let names: Vec<String> = shown.succeeds().out().lines().map(str::to_owned).collect();
    assert_eq!(names[0], "name");
    assert!(names.len() > 2 && names[1..].is_sorted_by(|one, other| one >= other), "{names:?}");
    run("set sort-by nmae\nQueryZone").succeeds().stdout_has("zone-1");
    run("set max-width wide").fails(1).stderr_has("max-width: a whole number from 1 to 1000000000 is expected");
    run("set page-parallel 9").fails(1).stderr_has("page-parallel: a whole number from 1 to 8 is expected");
    run("set border double").fails(1).stderr_has("border: `double` is not one of ascii, unicode, markdown, none");
    run("set sort-by -name -v\nset sort-by").succeeds().stdout("-name\n");
}

#[test]
fn what_was_done_is_said() {
    let home = Home::new();
    let says = |line: &str, text: &str| {
        home.run(line.split(' ')).succeeds().stdout("").stderr(text);
    };
    says("context set lab url=http://lab.test/zstack", "context lab created; it is the current one now\n");
    says("context set lab account=ops", "context lab changed\n");
    says("context set lab account=ops", "context lab is as it was\n");
    says(
        "context set bare output=csv",
        "context bare created\nwarning: context bare names no node; url=http://HOST:8080/zstack adds one\n",
    );
    says("context set bare output=json", "context bare changed\n");
    says("context delete bare", "context bare deleted\n");
    says("context delete lab", "context lab deleted; it was the current one, and none is now\n");
    says("sandbox reset", "the sandbox was reset to the small cloud\n");
    says("sandbox seed", "the sandbox has all of the small cloud again\n");
    says("sandbox seed --vms 3", "the sandbox has 3 VMs more\n");
    for line in ["context set lab account=ops", "context delete lab", "sandbox reset", "sandbox seed"] {
        says(&format!("-q {line}"), "");
    }
}

#[test]
fn settings_hold_for_one_query_and_are_kept_for_good() {
    let home = Home::with_cloud();
    let columns = |words: &[&str]| {
        let words = [&["--sandbox", "-o", "csv", "QueryHost", "name=host-1"], words].concat();
        home.run(words).succeeds().out().lines().next().unwrap_or_default().to_owned()
    };
    let script = "set columns queryhost name,managementIp\nQueryHost limit=1 -o csv\nset columns name\n\
                  QueryHost limit=1 -o csv\nset columns QueryHost default\nQueryHost limit=1 -o csv\n\
                  set columns QueryHost\n";
    let done = home.run(["--sandbox"]).input(script).succeeds().out();
    let heads: Vec<&str> = done.lines().filter(|line| line.starts_with("name") || *line == "default").collect();
    assert_eq!(heads, ["name,managementIp", "name,managementIp", "name", "default"]);
    home.run(["set", "--save", "columns", "QueryHost", "name,status"]).succeeds().stdout("");
    assert_eq!(columns(&[]), "name,status");
    assert_eq!(columns(&["--columns", "uuid"]), "uuid");
    home.run(["context", "set", "lab", "url=http://127.0.0.1:1/zstack", "columns.QueryHost=name,state"]).succeeds();
    assert_eq!(columns(&[]), "name,status");
    home.run(["context", "show", "lab"]).succeeds().stdout_has("\"columns.QueryHost\": \"name,state\"");
    home.run(["set", "--save", "wrap", "on"]).succeeds();
    let shown = home.run(["--sandbox", "set"]).succeeds().out();
    assert!(shown.contains("\ncolumns QueryHost  name,status\n"), "{shown}");
    assert!(shown.lines().any(|line| line.starts_with("wrap ") && line.ends_with(" on")), "{shown}");
    home.run(["set", "--save", "columns", "QueryHost", "default"]).succeeds();
    assert_ne!(columns(&[]), "name,status");
    home.run(["set", "--save", "secure", "off"]).fails(1).stderr_has("cannot be saved");
    home.run(["context", "set", "lab", "columns.QueryHots=name"]).fails(1).stderr_has("`QueryHost`");
}
