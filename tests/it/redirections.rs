//! What follows a command at the prompt: programs and files. And pipes that somebody closes.

use crate::harness::Home;
use crate::node::{Node, Reply};
use crate::terminal::{CTRL_D, Terminal};

const PROMPT: &str = "admin@sandbox >>>";

#[test]
fn a_program_that_stops_reading_ends_its_command_only() {
    let home = Home::with_cloud();
    let script = format!("{} --sandbox | cat; echo the end", env!("CARGO_BIN_EXE_zstack-cli"));
    for script in [&*script, &script.replace("| cat", "")] {
        let terminal = Terminal::script(&home, (80, 24), script, &[]);
        // More than a pipe holds.
        terminal.keys("catalog list |! true\r");
        terminal.keys("QueryZone name=zone-1 -o csv --columns description\r");
        terminal.sees("\nthe ");
        terminal.keys("exit\r");
        terminal.sees("the end");
    }
}

#[test]
fn results_go_through_programs_and_into_files() {
    let home = Home::with_cloud();
    let terminal = Terminal::shell(&home, &["--sandbox"]);
    let file = |name: &str| std::fs::read_to_string(home.path().join(name)).expect("it was written");
    let run = |line: &str| {
        terminal.prompt(PROMPT);
        terminal.line(line);
        terminal.prompt(PROMPT);
    };
    run("QueryZone -o value --columns name |! sort -r > sorted");
    assert_eq!(file("sorted"), "zone-2\nzone-1\n");
    run("QueryZone name=zone-1 -o value > zones");
    run("QueryZone name=zone-2 -o value >> zones");
    assert_eq!(file("zones"), "zone-1\nzone-2\n");
    run("QueryZone name=zone-2 -o value > zones");
    assert_eq!(file("zones"), "zone-2\n");
    // A file gets no colours and no table that fits a terminal.
    run("QueryZone --color always > json");
    assert!(file("json").starts_with("{\n    \"inventories\""), "{}", file("json"));
    terminal.line("QueryZone > /no/such/file");
    terminal.sees("error: ");
    terminal.prompt(PROMPT);
    terminal.line("QueryZone name=zone-1 -o value |! nosuchprogram");
    terminal.sees("nosuchprogram: not found");
    terminal.prompt(PROMPT);
    terminal.keys(CTRL_D);
    assert_eq!(terminal.ends().1, Some(0));
}

#[test]
fn a_closed_pipe_is_a_quiet_end() {
    let home = Home::with_cloud();
    let program = env!("CARGO_BIN_EXE_zstack-cli");
    // The status is that of the program, not of `head`.
    for command in ["catalog list", "--sandbox QueryZone -o jsonl --jq 'repeat(1)'", "man"] {
        let script = format!("{{ {program} {command}; echo status $? >&2; }} | head -n 1");
        let screen = Terminal::script(&home, (80, 24), &script, &[]).told();
        // Which of the two says its line first is not told.
        assert!(screen.lines().any(|line| line.trim_end() == "status 0"), "{screen}");
        assert!(!screen.contains("error"), "{screen}");
    }
}

#[test]
fn a_file_that_cannot_take_its_place_does_not_hide_what_was_done() {
    let home = Home::new();
    let out = home.path().join("out");
    let node = Node::start(move |request| match request.path().contains("/api-jobs/") {
        true => Reply::ok(r#"{"inventory":{"uuid":"1f6d","name":"lab"}}"#),
        // Something else takes the name of the file while the action runs.
        false => {
            std::fs::create_dir_all(&out).expect("a folder");
            if request.method == "GET" { Reply::ok(r#"{"inventories":[]}"#) } else { Reply::Send(202, "{}".to_owned()) }
        }
    });
    let run = |line: &str, code: i32, told: &str| {
        let run = home.run(node.options()).input(format!("{line} > out\n")).variable("ZSTACK_SESSION_UUID", "1111");
        run.fails(code).stdout("").stderr_has(told);
        std::fs::remove_dir(home.path().join("out")).expect("an empty folder");
    };
    let told = "CreateZone was done, but its result cannot be written: Is a directory (uuid 1f6d, name lab)\n";
    run("CreateZone name=lab", 2, told);
    run("QueryZone", 1, "cannot write out: Is a directory");
    let kept = home.run(["more"]).succeeds().out();
    assert!(kept.lines().any(|line| line.contains("CreateZone") && !line.contains('!')), "{kept}");
}
