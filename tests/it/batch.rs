//! Commands from standard input and from files.

use crate::harness::Home;

#[test]
fn a_script_stops_at_the_first_failure_and_names_its_line() {
    let home = Home::with_cloud();
    let script = "# zones\nQueryZone name=none -o csv\n\nQueryZone nmae=x\nQueryZone\n";
    let done = home.run(["--sandbox"]).input(script).fails(1);
    done.stdout("uuid,name,description,state,type,isDefault,createDate,lastOpDate\n")
        .stderr("error: line 4: QueryZone has no queryable field nmae\n  hint: did you mean `name`?\n");
}

#[test]
fn with_keep_going_the_exit_code_is_that_of_the_first_failure() {
    let home = Home::with_cloud();
    let script = "QueryZone nmae=x\nQueryZone count=true -o jsonl\nDeleteZone uuid=''\n";
    let done = home.run(["--sandbox", "--keep-going"]).input(script).fails(1);
    assert!(done.out().contains("\"total\":2"), "{}", done.out());
    assert!(done.err().contains("error: line 1: ") && done.err().contains("error: line 3: "), "{}", done.err());
}

#[test]
fn a_file_is_run_with_its_name_in_errors() {
    let home = Home::with_cloud();
    let file = home.path().join("zones.zs");
    std::fs::write(&file, "QueryZone \\\n  name=nothing -o jsonl\nexit\nQueryZoen\n").expect("a script");
    home.run(["--sandbox", "run", "zones.zs"]).succeeds().stdout("").stderr("");
    std::fs::write(&file, "QueryZone 'open\n").expect("a script");
    home.run(["--sandbox", "run", "zones.zs"]).fails(1).stderr_has("error: zones.zs:1: the quote is never closed");
}

#[test]
fn the_end_of_input_is_no_failure() {
    Home::new().run_once([""; 0]).input("").succeeds().stdout("").stderr("");
    Home::new().run_once([""; 0]).input("# nothing\n\n").succeeds().stdout("").stderr("");
}

#[test]
fn a_script_on_standard_input_is_not_also_read_as_a_value() {
    let home = Home::with_cloud();
    let taken = "standard input holds the commands that run";
    home.run(["--sandbox"]).input("CreateZone name=@-\nQueryZone\n").fails(1).stdout("").stderr_has(taken);
    home.run(["--sandbox"]).input("run -\nQueryZone\n").fails(1).stdout("").stderr_has(taken);
    home.run(["--url", "http://127.0.0.1:9/zstack"]).input("login\nsecret\n").fails(1).stderr(
        "error: line 1: a password is needed, and there is no terminal to ask for it\n  \
                 hint: set ZSTACK_PASSWORD, or pipe the password into `login`\n",
    );
    home.run(["--sandbox", "run", "-"]).input("QueryZone count=true -o jsonl\n").succeeds().stdout_has("\"total\":2");
}

#[test]
fn a_script_that_runs_itself_ends() {
    let home = Home::with_cloud();
    std::fs::write(home.path().join("loop.zs"), "run loop.zs\n").expect("a script");
    home.run(["run", "loop.zs"]).fails(1).stderr_has("loop.zs:1: scripts are nested more than 16 levels deep");
}

#[test]
fn the_options_of_a_run_hold_for_its_commands() {
    let home = Home::with_cloud();
    std::fs::write(home.path().join("zones.zs"), "QueryZoen\nQueryZone name=zone-1\n").expect("a script");
    let done = home.run(["--sandbox"]).input("run -k zones.zs -o value --columns name\n").fails(1);
    assert_eq!(done.out(), "zone-1\n");
    // They end with it.
    let done = home.run(["--sandbox", "-k"]).input("run -k zones.zs -o value\nQueryZone count=true\n").fails(1);
    assert!(done.out().contains("\"total\": 2"), "{}", done.out());
}

#[test]
fn lines_of_scripts_end_in_pipes_and_files_as_at_the_prompt() {
    let home = Home::with_cloud();
    let script = "QueryZone | .inventories | length\nQueryZone -o value |! sort -r | head -1\nQueryZone -o value > zones\n\
                  QueryZone count=true -o jsonl >> zones\n";
    home.run(["--sandbox"]).input(script).succeeds().stdout("2\nzone-2\n").stderr("");
    let zones = || std::fs::read_to_string(home.path().join("zones")).expect("a file");
    let before = zones();
    assert!(before.starts_with("zone-1\nzone-2\n{\"total\":2"), "{before}");
    // A command that fails leaves a file as it was, and none where none was.
    std::fs::write(home.path().join("script"), "QueryZone name=none --fail-empty > zones\n").expect("a script");
    home.run(["--sandbox", "run", "script"]).fails(7);
    home.run(["--sandbox"]).input("QueryZone nmae=x > new\n").fails(1);
    assert!(zones() == before && !home.path().join("new").exists());
    // What an action led to is kept whatever it was to look like.
    home.run(["--sandbox"]).input("CreateZone name=lab --jq .inventory.name|tonumber > made\n").fails(1);
    assert!(std::fs::read_to_string(home.path().join("made")).expect("a file").contains("\"name\": \"lab\""));
    home.run(["--sandbox"]).input("QueryZone > /dev/null\n").succeeds().stdout("").stderr("");
    // A program that reads nothing does not end the script.
    home.run(["--sandbox"]).input("QueryVmInstance |! true\nQueryZone | 1\n").succeeds().stdout("1\n").stderr("");
}

#[test]
fn programs_and_files_that_cannot_be_are_explained() {
    let home = Home::with_cloud();
    for (line, message) in [
        ("QueryZone | grep x", "  hint: `|` is a jq filter here; a program is `|! grep x`\n"),
        ("QueryZone | wc -l", "  hint: `|` is a jq filter here; a program is `|! wc -l`\n"),
        ("QueryZone | sort", "  hint: `|` is a jq filter here; a program is `|! sort`\n"),
        ("QueryZone > /nosuch/dir/x", "error: line 1: cannot write /nosuch/dir/x: No such file or directory"),
    ] {
        home.run(["--sandbox"]).input(format!("{line}\n")).fails(1).stdout("").stderr_has(message);
    }
}
