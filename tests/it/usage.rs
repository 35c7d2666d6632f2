//! Wrong commands, options and files: one clear error each, the right exit code, and nothing sent.

use std::os::unix::ffi::OsStrExt;

use crate::harness::Home;
use crate::node::{Node, Reply};

#[test]
fn a_wrong_command_says_what_is_wrong_and_sends_nothing() {
    let node = Node::start(|_| Reply::ok("{}"));
    let home = Home::new();
    for (words, message) in [
        (
            &["QueryZoen"][..],
            "error: there is no API called QueryZoen in ZStack (up to 5.5.6)\n  hint: did you mean `QueryZone`?\n",
        ),
        (&["CreateZone", "nmae=x"], "error: CreateZone has no parameter nmae\n  hint: did you mean `name`?\n"),
        (&["CreateZone"], "error: CreateZone needs name\n  hint: `help CreateZone` describes it\n"),
        (&["QueryZone", "nmae=x"], "error: QueryZone has no queryable field nmae\n  hint: did you mean `name`?\n"),
        (
            &["QueryVol"],
            "error: there is no API called QueryVol in ZStack (up to 5.5.6)\n  hint: did you mean `QueryVolume` or `QueryVolumeSnapshot`?\n",
        ),
        (
            &["ShareResource", "resourceUuids=name:x", "toPublic=true"],
            "error: resourceUuids: no query is known that finds these resources by name, so `name:` cannot be looked up\n  \
             hint: write resourceUuids=UUID; --no-check sends the value as typed\n",
        ),
        (&["QueryZone", "state=On"], "error: state: On is not allowed\n  hint: allowed are: Enabled, Disabled\n"),
        (
            &["QueryZone", "name"],
            "error: `name` is not of the form name=value\n  hint: a value is missing: name=VALUE\n",
        ),
        (
            &["CreateZone", "name=two", "words"],
            "error: `words` is not of the form name=value\n  hint: quote values with blanks: name='two words'\n",
        ),
        (
            &["contxt", "list"],
            "error: there is no API called contxt in ZStack (up to 5.5.6)\n  hint: did you mean `context`?\n",
        ),
        (
            &["DeleteVmInstance", "uuid=x"],
            "error: there is no API called DeleteVmInstance in ZStack (up to 5.5.6)\n  hint: did you mean `DestroyVmInstance`?\n",
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
        (
            "login admin hunter2",
            1,
            "login takes one name; the password is asked for, or read from standard input\n  \
             hint: `zstack-cli login --help` tells more",
        ),
        ("context lsit", 1, "unrecognized subcommand 'lsit'\n  hint: did you mean `list`?"),
        (
            "context",
            1,
            "a subcommand is missing: one of list, use, set, show, delete\n  \
             hint: `zstack-cli context --help` tells more",
        ),
        (
            "QueryZone --timeout 18446744073709551615",
            2,
            "invalid value '18446744073709551615' for '--timeout <SECONDS>': a whole number from 0 to \
             1000000000 is expected\n  hint: `zstack-cli --help` tells more",
        ),
    ] {
        home.run(line.split(' ')).fails(code).stdout("").stderr(&format!("error: {message}\n"));
    }
}

#[test]
fn numbers_are_asked_for_in_words() {
    let home = Home::new();
    for (line, limits) in [
        ("more x", "-100000 to 9223372036854775807"),
        ("history clear", "0 to 18446744073709551615"),
        ("sandbox seed --vms abc", "1 to 1000000000000"),
        ("sandbox serve --seed 1.5", "0 to 18446744073709551615"),
        ("-p 99999 QueryZone", "0 to 65535"),
        ("-p 0.5 QueryZone", "0 to 65535"),
        ("QueryZone --page-size -1", "1 to 2147483647"),
        ("QueryZone --max-width wide", "1 to 1000000"),
    ] {
        let told = format!(": a whole number from {limits} is expected\n");
        let done = home.run(line.split(' ')).ends_itself().stdout("").stderr_has(&told);
        done.never_shows("digit").never_shows("..=");
    }
}

#[test]
fn an_argument_that_is_no_text_is_told_so() {
    let argument = std::ffi::OsStr::from_bytes(b"\x1b[31m\xff");
    let done = Home::new().run_once([argument]).fails(2).stdout("").never_shows("\u{1b}");
    done.stderr_has("error: an argument is not UTF-8: ");
}

#[test]
fn the_sandbox_is_not_asked_for_together_with_a_node() {
    let home = Home::new();
    home.run(["context", "set", "lab", "--url", "http://127.0.0.1:9/zstack"]).succeeds();
    for words in [["--url", "http://127.0.0.1:9/zstack"], ["-H", "h"], ["-p", "81"], ["--context", "lab"]] {
        home.run(["--sandbox"].iter().chain(&words).chain(&["QueryZone"]))
            .fails(2)
            .stdout("")
            .stderr_has("it names another node than --sandbox does");
    }
}

#[test]
fn version_and_help_need_nothing() {
    let home = Home::new();
    let version = format!("zstack-cli {}\n", env!("CARGO_PKG_VERSION"));
    home.run(["-V"]).succeeds().stdout(&version).stderr("");
    let long = home.run(["--version"]).succeeds().stderr("").stdout_has(&version);
    long.stdout_has("\nZStack 3.10.0 to 5.5.6\n");
    home.run(["--help"]).succeeds().stdout_has("Usage: zstack-cli [OPTIONS]").stdout_has("--fail-empty").stderr("");
    assert!(home.files().is_empty());
}

#[test]
fn the_environment_chooses_colours_as_for_other_programs() {
    let home = Home::new();
    let coloured = "\u{1b}[1;31merror:";
    let run = |variables: &[(&str, &str)]| {
        variables.iter().fold(home.run(["QueryZoen"]), |run, (name, value)| run.variable(name, value))
    };
    run(&[("CLICOLOR_FORCE", "1")]).fails(1).stderr_has(coloured);
    run(&[("FORCE_COLOR", "1")]).fails(1).stderr_has(coloured);
    run(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]).fails(1).stderr_has("error: ");
    run(&[("CLICOLOR", "1")]).fails(1).stderr_has("error: ");
}

#[test]
fn errors_are_coloured_as_their_line_and_their_context_say() {
    let home = Home::new();
    let (plain, coloured) = ("error: ", "\u{1b}[1;31merror:\u{1b}[0m ");
    home.run(["run", "-"]).input("QueryZoen --color always").fails(1).stderr_has(coloured);
    home.run(["-k"]).input("QueryZoen --color always\nQueryHots").fails(1).stderr_has("\nerror: line 2");
    home.run(["QueryZoen", "--color", "always"]).fails(1).stderr_has(coloured);
    // The first one is the current one.
    home.run(["context", "set", "main", "--url", "http://10.0.0.4:8080/zstack"]).succeeds();
    home.run(["context", "set", "lab", "--url", "http://10.0.0.5:8080/zstack", "color=always"]).succeeds();
    home.run(["QueryZoen"]).fails(1).stderr_has(plain);
    home.run(["--context", "lab", "QueryZoen"]).fails(1).stderr_has(coloured);
    home.run(["--context", "lab", "--color", "never", "QueryZoen"]).fails(1).stderr_has(plain);
    home.run(Vec::<&str>::new()).input("QueryZoen --context lab").fails(1).stderr_has(coloured);
    home.run(["context", "use", "lab"]).succeeds();
    home.run(["QueryZoen"]).fails(1).stderr_has(coloured);
}

#[test]
fn the_help_of_an_own_command_is_its_own() {
    let home = Home::new();
    for command in ["login", "logout", "sandbox"] {
        home.run(["help", command]).succeeds().stdout_has(&format!("{command}: ")).never_shows("REQUEST");
    }
    home.run(["help", "login"]).succeeds().stdout_has("  login [ACCOUNT]\n").stdout_has("--access-key");
    home.run(["help", "sandbox"]).succeeds().stdout_has("  --fault KIND").stdout_has("  --vms N");
    home.run(["help", "LogOut"]).succeeds().stdout_has("REQUEST");
    // The page of a subcommand holds what its `--help` does.
    let page = home.run(["help", "job", "wait"]).succeeds().stdout_has("job wait: Wait for jobs to finish").stderr("");
    page.stdout_has("  job wait UUID ...\n").stdout_has("The uuids, or their first characters").never_shows("job list");
    home.run(["job", "wait", "--help"]).succeeds().stdout_has("Usage: zstack-cli job wait <UUID>...");
    home.run(["help", "job", "wiat"])
        .fails(1)
        .stdout("")
        .stderr_has("there is no API, command or topic called job wiat");
}
