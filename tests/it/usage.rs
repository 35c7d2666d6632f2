//! Wrong commands, options and files: one clear error each, the right exit code, and nothing sent.

use crate::harness::Home;
use crate::node::{Node, Reply};

#[test]
fn a_wrong_command_says_what_is_wrong_and_sends_nothing() {
    let node = Node::start(|_| Reply::ok("{}"));
    let home = Home::new();
    for (words, message) in [
        (&["QueryZoen"][..], "error: there is no API called QueryZoen\n  hint: did you mean `QueryZone`?\n"),
        (&["CreateZone", "nmae=x"], "error: CreateZone has no parameter nmae\n  hint: did you mean `name`?\n"),
        (&["CreateZone"], "error: CreateZone needs name\n  hint: `help CreateZone` describes them\n"),
        (&["QueryZone", "nmae=x"], "error: QueryZone has no queryable field nmae\n  hint: did you mean `name`?\n"),
        (&["QueryZone", "state=On"], "error: state: On is not allowed\n  hint: allowed are: Enabled, Disabled\n"),
        (
            &["QueryZone", "name"],
            "error: `name` is not of the form name=value\n  hint: a value is missing: name=VALUE\n",
        ),
        (
            &["CreateZone", "name=two", "words"],
            "error: `words` is not of the form name=value\n  hint: quote values with blanks: name='two words'\n",
        ),
        (&["contxt", "list"], "error: there is no API called contxt\n  hint: did you mean `context`?\n"),
        (
            &["DeleteVmInstance", "uuid=x"],
            "error: there is no API called DeleteVmInstance\n  hint: did you mean `DestroyVmInstance`?\n",
        ),
        (
            &["help", "QueryVm"],
            "error: there is no API, command or topic called QueryVm\n  hint: did you mean `QueryVmInstance`?\n",
        ),
        (
            &["CreateZone", "name=@/no/such/file"],
            "error: cannot read /no/such/file: No such file or directory (os error 2)\n",
        ),
        (&["run", "/no/such/script"], "error: cannot read /no/such/script: No such file or directory (os error 2)\n"),
    ] {
        home.run(node.call(words)).fails(1).stdout("").stderr(message);
    }
    for words in [&["QueryZone", "--nope"][..], &["QueryZone", "-o", "xml"], &["--url", "ftp://x", "QueryZone"]] {
        home.run(node.call(words)).fails(2).stdout("").stderr_has("error: ");
    }
    assert!(node.requests().is_empty());
}

#[test]
fn mistakes_in_options_are_told_in_two_lines() {
    let home = Home::new();
    for (line, code, message) in [
        ("QueryZone --outputt json", 2, "unexpected argument '--outputt' found\n  hint: did you mean `--output`?"),
        ("login --account x", 2, "unexpected argument '--account' found\n  hint: `zstack-cli login --help` tells more"),
        ("context lsit", 1, "unrecognized subcommand 'lsit'\n  hint: did you mean `list`?"),
        (
            "context",
            1,
            "the word that is to follow is missing: one of list, use, set, show, delete\n  \
             hint: `zstack-cli context --help` tells more",
        ),
        (
            "QueryZone --timeout 18446744073709551615",
            2,
            "invalid value '18446744073709551615' for '--timeout <SECONDS>': 18446744073709551615 is not in \
             0..=1000000000\n  hint: `zstack-cli --help` tells more",
        ),
    ] {
        home.run(line.split(' ')).fails(code).stdout("").stderr(&format!("error: {message}\n"));
    }
}

#[test]
fn version_and_help_need_nothing() {
    let home = Home::new();
    home.run(["--version"]).succeeds().stdout(&format!("zstack-cli {}\n", env!("CARGO_PKG_VERSION"))).stderr("");
    home.run(["--help"]).succeeds().stdout_has("Usage: zstack-cli [OPTIONS]").stdout_has("--fail-empty").stderr("");
    assert!(home.files().is_empty());
}

#[test]
fn the_help_of_an_own_command_is_its_own() {
    let home = Home::new();
    for command in ["login", "logout", "sandbox"] {
        home.run(["help", command]).succeeds().stdout_has(&format!("{command}: ")).never_shows("REQUEST");
    }
    home.run(["help", "login"]).succeeds().stdout_has("\nOPTIONS\n").stdout_has("--access-key");
    home.run(["help", "sandbox"]).succeeds().stdout_has("  serve --fault").stdout_has("  seed --vms");
    home.run(["help", "LogOut"]).succeeds().stdout_has("REQUEST");
}
