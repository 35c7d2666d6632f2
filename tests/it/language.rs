//! Several commands on a line, variables, aliases, and the words of scripts.

use crate::harness::Home;
use crate::node::{Node, Reply};
use crate::terminal::{CTRL_D, ENTER, TAB, Terminal};

const ZONE: &str = "140ebc2fbdb74ae197323a69d432f25e";
const SECRET: &str = "k3jH8sLq0pZx7vBn2mWc";

#[test]
fn a_semicolon_separates_commands_wherever_lines_are_read() {
    let home = Home::with_cloud();
    let line =
        "QueryZone name='a; b' count=true -o value; QueryHost count=true | .total > 5 ; QueryZone name=x;y -o csv;";
    let expected = "0\ntrue\nuuid,name,description,state,type,isDefault,createDate,lastOpDate\n";
    home.run(["--sandbox"]).input(line).succeeds().stdout(expected).stderr("");
    std::fs::write(home.path().join("s.zs"), line).expect("a script");
    home.run(["--sandbox", "run", "s.zs"]).succeeds().stdout(expected);
    // In the arguments of a Unix shell it is no separator.
    home.run(["--sandbox", "QueryZone", "name=x;", "count=true", "-o", "value"]).succeeds().stdout("0\n");
}

#[test]
fn a_failure_ends_the_line_of_a_script_and_an_open_quote_runs_nothing() {
    let home = Home::with_cloud();
    let script = "QueryZone count=true -o value; QueryZone nmae=x; QueryHost count=true -o value\nQueryZone\n";
    home.run(["--sandbox"])
        .input(script)
        .fails(1)
        .stdout("2\n")
        .stderr_has("error: line 1: QueryZone has no queryable");
    home.run(["--sandbox", "-k"]).input(script).fails(1).stdout_has("2\n6\n{");
    let open = "QueryZone count=true -o value; QueryZone name='x";
    home.run(["--sandbox"]).input(open).fails(1).stdout("").stderr("error: line 1: the quote is never closed\n");
}

#[test]
fn a_variable_keeps_one_value_which_stays_one_word() {
    let home = Home::with_cloud();
    let script = "let zone = QueryZone name=zone-1; let zone\n\
         let n=QueryHost count=true\n\
         let odd = QueryZone name=zone-1 | \"a b; $n '\" \n\
         CreateZone name=\"${n}-x\" description=$odd -o value --columns name,description\n\
         QueryZone name='$n' count=true -o value; QueryZone name=\\$n count=true -o value\n\
         QueryCluster zoneUuid=$zone fields=name sortBy=name -o value > $n.txt\n\
         unlet n; let\n";
    let expected = format!("{ZONE}\n6-x\ta b; $n '\n0\n0\nodd   a b; $n '\nzone  {ZONE}\n");
    home.run(["--sandbox"]).input(script).succeeds().stdout(&expected).stderr("");
    let written = std::fs::read_to_string(home.path().join("6.txt")).expect("a file named by a variable");
    assert_eq!(written, "cluster-1\ncluster-2\n");
}

#[test]
fn several_rows_or_none_are_no_value() {
    let home = Home::with_cloud();
    for (command, told) in [
        ("QueryHost", "$x is not set: there are several rows"),
        ("QueryHost name=none", "$x is not set: there is no row"),
        ("QueryHost name=none | .inventories[0].uuid", "$x is not set: the filter yields null"),
        ("QueryHost | .inventories[].uuid", "$x is not set: the filter yields several values"),
        ("QueryHost nmae=x", "QueryHost has no queryable field nmae"),
        ("let y = QueryZone", "x: `let NAME = COMMAND` keeps the result of one command"),
    ] {
        let done = home.run(["--sandbox", "-k"]).input(format!("let x = {command}\nlet x\n")).fails(1).stdout("");
        assert!(done.err().contains(told) && done.err().contains("there is no variable called x"), "{}", done.err());
    }
    home.run(["--sandbox", "let", "x", "=", "QueryZone"]).fails(1).stderr_has("`let` changes later lines");
}

#[test]
fn a_name_without_a_value_stays_and_is_told_where_it_looks_like_a_mistake() {
    let home = Home::with_cloud();
    let run = |script: &str| home.run(["--sandbox"]).input(script).succeeds();
    run("QueryZone name=$zone count=true -o value").stdout("0\n").stderr_has("warning: $zone is not a variable");
    run("QueryZone name='$zone' count=true -o value").stdout("0\n").stderr("");
    run("QueryZone name=pa$$w0rd count=true -o value").stdout("0\n").stderr("");
    // A password is not quoted in a warning.
    home.run(["--sandbox"]).input("CreateAccount name=a password=$ecret -o value").done().never_shows("$ecret is not");
}

#[test]
fn a_value_is_neither_an_option_nor_a_file_nor_a_command() {
    let home = Home::with_cloud();
    std::fs::write(home.path().join("f"), "contents").expect("a file");
    let script = "let at = QueryZone name=zone-1 | \"@f\"\nlet option = QueryZone name=zone-1 | \"--sandbox\"\n\
                  CreateZone name=a description=$at -o value --columns description\nQueryZone $option\n";
    let told = "error: line 4: the value of $option begins with `-`";
    home.run(["--sandbox"]).input(script).fails(1).stdout("@f\n").stderr_has(told);
}

#[test]
fn the_secret_of_a_reply_stays_secret_in_a_variable() {
    let home = Home::new();
    let node = Node::start(|request| match request.path() {
        "/zstack/v1/zones" => Reply::error("SYS.1000", &format!("no {SECRET} here")),
        _ => Reply::ok(format!(r#"{{"inventory":{{"uuid":"1f","AccessKeySecret":"{SECRET}"}}}}"#)),
    });
    let key = "let key = CreateAccessKey accountUuid=36c27e8ff05c4780bf6d2fa65700f22e \
               userUuid=36c27e8ff05c4780bf6d2fa65700f22e | .inventory.AccessKeySecret";
    let script = format!("{key}; let\nQueryZone name=$key\nQueryZone name=$key --dry-run\n");
    let run = home
        .run([node.options(), vec!["-k".to_owned()]].concat())
        .input(script)
        .variable("ZSTACK_SESSION_UUID", "1111");
    let done = run.fails(3).never_shows(SECRET).stderr_has("error: line 2: no ****** here");
    assert!(done.out().starts_with("key  ******\n") && done.out().contains("q=name%3D******"), "{}", done.out());
    // It was sent, and is kept nowhere.
    assert!(node.calls().last().is_some_and(|request| request.target.contains(SECRET)));
    for (path, bytes) in home.files() {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(SECRET), "{}", path.display());
    }
}

#[test]
fn a_dry_run_says_what_a_variable_would_be() {
    let home = Home::with_cloud();
    let script = "let zone = QueryZone name=zone-1\nCreateCluster name=c hypervisorType=KVM zoneUuid=$zone\n";
    let done = home.run(["--sandbox", "--dry-run"]).input(script).succeeds();
    assert!(done.err().contains("$zone would be set to the result"), "{}", done.err());
    assert!(
        done.out().contains("\"zoneUuid\":\"$zone\"") || done.out().contains("\"zoneUuid\": \"$zone\""),
        "{}",
        done.out()
    );
}

#[test]
fn an_alias_is_kept_and_takes_words() {
    let home = Home::with_cloud();
    let alias = |words: &[&str]| home.run(["alias"].iter().chain(words));
    alias(&["vms", "=", "QueryVmInstance name~=$1 fields=name sortBy=name limit=$2 -o value"]).succeeds().stdout("");
    alias(&["both=QueryZone count=true; QueryHost count=true"]).succeeds();
    home.run(["--sandbox"]).input("alias names = QueryZone sortBy=name | .inventories[].name\n").succeeds();
    home.run(["--sandbox", "vms", "cache", "1"]).succeeds().stdout("cache-1\n");
    home.run(["--sandbox", "-o", "value", "both"]).succeeds().stdout("2\n6\n");
    // Words and filters are added, and options count.
    let script = "names name=zone-2 | ascii_upcase -r\nnames -r > n.txt\nlet one = names name=zone-1; let one\n";
    home.run(["--sandbox"]).input(script.replace(" -r\n", "\n")).succeeds().stdout("\"ZONE-2\"\nzone-1\n");
    assert_eq!(std::fs::read_to_string(home.path().join("n.txt")).expect("a file"), "zone-1\nzone-2\n");
    home.run(["alias", "keep", "=", "let kept = QueryZone name=$1"]).succeeds();
    let script = "keep zone-2 | .inventories[0].name; let kept; unalias keep\n";
    home.run(["--sandbox"]).input(script).succeeds().stdout("zone-2\n");
    home.run(["--sandbox", "vms", "cache"]).fails(1).stderr_has("$2 has no value: word 2 was not given");
    home.run(["--sandbox", "vms", "a", "b", "c"]).fails(1).stderr_has("the alias vms takes 2 words");
    alias(&[]).succeeds().stdout(
        "alias both = 'QueryZone count=true; QueryHost count=true'\n\
         alias names = QueryZone sortBy=name | .inventories[].name\n\
         alias vms = QueryVmInstance name~=$1 fields=name sortBy=name limit=$2 -o value\n",
    );
    home.run(["help", "names"]).succeeds().stdout_has("UUIDS BY NAME");
    home.run(["vms", "--help"]).succeeds().stdout_has("vms: an alias\n\n  QueryVmInstance name~=$1");
    home.run(["complete", "na"]).succeeds().stdout_has("names\tcommand\tQueryZone");
    home.run(["unalias", "both"]).succeeds();
    home.run(["--sandbox", "both"]).fails(1).stderr_has("there is no API called both");
}

#[test]
fn an_alias_hides_nothing_holds_no_secret_and_does_not_call_itself() {
    let home = Home::with_cloud();
    for (name, line, told) in [
        ("QueryZone", "QueryHost", "a command has that name already"),
        ("queryzone", "QueryHost", "a command has that name already"),
        ("help", "QueryHost", "a command has that name already"),
        ("a b", "QueryHost", "a name begins with a letter"),
        ("l", "LogInByAccount accountName=admin password=hunter2", "the line holds a secret"),
        ("l", "LogInByAccount accountName=admin password=$1", "the line holds a secret"),
        ("l", "QueryZone 'a", "the quote is never closed"),
    ] {
        home.run(["alias", name, "=", line]).fails(1).stderr_has(told).never_shows("hunter2");
    }
    for (name, line) in [("a1", "a2 $1"), ("a2", "a1 $1")] {
        home.run(["alias", name, "=", line]).succeeds();
    }
    home.run(["--sandbox", "a1", "x"]).fails(1).stderr_has("the alias a1 calls itself");
}

#[test]
fn the_words_of_a_script_and_its_exit_code() {
    let home = Home::with_cloud();
    let file = |name: &str, text: &str| std::fs::write(home.path().join(name), text).expect("a script");
    file("outer.zs", "run inner.zs $2 \"$*\"\nQueryZone name=$1 fields=name -o value\n");
    file(
        "inner.zs",
        "QueryZone name=$1 fields=name -o value\nQueryZone name='$2' name!=$2 count=true -o value; exit; QueryX\n",
    );
    home.run(["--sandbox", "run", "outer.zs", "zone-1", "zone-2"]).succeeds().stdout("zone-2\n0\nzone-1\n").stderr("");
    home.run(["--sandbox", "run", "outer.zs", "zone-1"])
        .fails(1)
        .stderr_has("outer.zs:1: $2 has no value: word 2 was not given");
    // `exit` has the code of the last failure; the end of a script that of the first.
    let failing = "QueryZone name=none --fail-empty\nQueryX\nQueryZone count=true\n";
    home.run(["--sandbox", "-k"]).input(failing).fails(7);
    home.run(["--sandbox", "-k"]).input(format!("{failing}exit\n")).fails(1);
    home.run(["--sandbox"]).input("exit 42; QueryZone\n").fails(42).stdout("");
    home.run(["--sandbox", "-k"]).input("QueryX; exit 0\n").succeeds();
}

#[test]
fn names_in_structures_are_looked_up() {
    let home = Home::with_cloud();
    let rules = r#"rules=[{"type":"Ingress","protocol":"TCP","remoteSecurityGroupUuid":"nobody"}]"#;
    let words = ["--sandbox", "AddSecurityGroupRule", "securityGroupUuid=name:none", rules];
    home.run(words.iter().chain(&["--dry-run"]))
        .succeeds()
        .stderr_has("rules: nobody would be looked up with QuerySecurityGroup");
    home.run(words).fails(1).stderr_has("none");
}

#[test]
fn the_prompt_knows_commands_variables_and_aliases() {
    let home = Home::with_cloud();
    let terminal = Terminal::run(&home, 100, 30, env!("CARGO_BIN_EXE_zstack-cli"), &["--sandbox", "--color", "never"]);
    let prompt = "admin@sandbox >>>";
    terminal.prompt(prompt);
    // Each command runs, whether or not the one before failed, and the mark is below its own words.
    terminal.keys(&format!("QueryZone nmae=x; let myzone = QueryZone name=zone-1; let{ENTER}"));
    terminal.sees("  QueryZone nmae=x\n            ^^^^");
    terminal.sees(&format!("myzone  {ZONE}"));
    terminal.prompt(prompt);
    terminal.keys(&format!("QueryHost; QueryCluster zoneUuid=$my{TAB}"));
    terminal.row("admin@sandbox >>> QueryHost; QueryCluster zoneUuid=$myzone");
    terminal.keys(&format!("fields=name -o value{ENTER}"));
    terminal.sees("cluster-1");
    terminal.prompt(prompt);
    let line = "QueryHost; QueryCluster zoneUuid=$myzone fields=name -o value";
    let history = std::fs::read_to_string(home.path().join("state/history")).expect("a history");
    assert!(history.lines().any(|kept| kept == line), "{history}");
    terminal.keys(CTRL_D);
    assert_eq!(terminal.ends().1, Some(0));
}
