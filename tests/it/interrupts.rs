//! Ctrl-C on a terminal, in what does not wait for a node.

#[cfg(target_os = "linux")]
use std::process::Command;
#[cfg(target_os = "linux")]
use std::time::Duration;

use crate::harness::Home;
use crate::terminal::{CTRL_C, CTRL_D, CTRL_L, ENTER, Terminal};

/// The first row is printed at once: the filter goes on.
const BUSY: &str = "\"busy\"";

/// Then works on and on: by calls, and without any.
const ENDLESS: [&str; 2] = ["last(repeat(1))", "last(range(infinite))"];

#[test]
fn ctrl_c_ends_any_filter() {
    let home = Home::with_cloud();
    for endless in ENDLESS {
        let filter = format!("{BUSY}, {endless}");
        let words = ["--sandbox", "--no-pager", "QueryZone", "--jq", &filter];
        let terminal = Terminal::run(&home, 80, 24, env!("CARGO_BIN_EXE_zstack-cli"), &words);
        terminal.sees("\"busy\"");
        terminal.keys(CTRL_C);
        let (screen, code) = terminal.ends();
        assert!(screen.contains("error: interrupted"), "{screen}");
        assert_eq!(code, Some(130), "{screen}");
    }
}

#[test]
fn the_shell_goes_on_after_a_filter_that_was_stopped() {
    let home = Home::with_cloud();
    // The script goes on although Ctrl-C is its own too.
    let script =
        format!("trap : INT; {} --sandbox --no-pager; echo status $?; stty -a", env!("CARGO_BIN_EXE_zstack-cli"));
    let terminal = Terminal::script(&home, (80, 40), &script, &[]);
    terminal.prompt("admin@sandbox >>>");
    for endless in ENDLESS {
        terminal.keys(&format!("QueryZone | {BUSY}, {endless}{ENTER}"));
        terminal.sees("\n\"busy\"");
        terminal.keys(CTRL_C);
        terminal.sees("error: interrupted");
        terminal.prompt("admin@sandbox >>>");
        terminal.keys(CTRL_L);
        terminal.until_gone("busy");
    }
    terminal.keys(CTRL_D);
    let screen = terminal.told();
    assert!(screen.contains("status 0"), "{screen}");
    let modes: Vec<&str> = screen.split_whitespace().collect();
    assert!(["icanon", "echo", "isig", "icrnl"].iter().all(|mode| modes.contains(mode)), "{screen}");
}

#[test]
fn a_program_that_has_the_terminal_has_ctrl_c_too() {
    let home = Home::with_cloud();
    let patient = |name: &str| {
        let trap = format!("trap 'n=$((n+1)); echo {name} caught $n' INT");
        format!("{trap}; echo {name} began; while test \"$n\" != 2; do sleep 1; done; echo {name} ended")
    };
    let variables = [("PAGER", &*patient("pager"))];
    let program = env!("CARGO_BIN_EXE_zstack-cli");
    let terminal = Terminal::run_with(&home, (80, 12), program, &["--sandbox"], &variables);
    for (name, line) in
        [("pager", "help shell".to_owned()), ("program", format!("QueryZone |! {}", patient("program")))]
    {
        terminal.prompt("admin@sandbox >>>");
        terminal.keys(&format!("{line}{ENTER}"));
        terminal.sees(&format!("\n{name} began"));
        terminal.keys(CTRL_C);
        terminal.sees(&format!("{name} caught 1"));
        terminal.keys(CTRL_C);
        terminal.sees(&format!("\n{name} ended"));
    }
    terminal.prompt("admin@sandbox >>>");
    terminal.keys(CTRL_D);
    assert_eq!(terminal.ends().1, Some(0));
}

/// The process that runs a filter for another one.
#[cfg(target_os = "linux")]
fn filter_of(program: u32) -> String {
    let children = format!("/proc/{program}/task/{program}/children");
    std::fs::read_to_string(children).expect("a process that runs").trim().to_owned()
}

/// Sends a signal.
#[cfg(target_os = "linux")]
fn send(signal: &str, process: &str) {
    assert!(Command::new("kill").args([signal, process]).status().expect("kill runs").success());
}

#[cfg(target_os = "linux")]
#[test]
fn a_filter_knows_no_secret_and_ends_alone_or_with_the_program() {
    let home = Home::with_cloud();
    let secret = ("ZSTACK_PASSWORD", "password");
    let words = ["--sandbox", "--no-pager", "QueryZone", "--jq", &format!("{BUSY}, {}", ENDLESS[1])];
    let run = || {
        let program = env!("CARGO_BIN_EXE_zstack-cli");
        let terminal = Terminal::run_with(&home, (80, 24), program, &words, &[secret, ("TZ", "UTC")]);
        terminal.sees("\"busy\"");
        let filter = filter_of(terminal.process());
        (terminal, filter)
    };
    let (terminal, filter) = run();
    // Others may not even look at what it was started with.
    if let Ok(variables) = std::fs::read_to_string(format!("/proc/{filter}/environ")) {
        assert_eq!(variables, "TZ=UTC\0");
    }
    let limits = std::fs::read_to_string(format!("/proc/{filter}/limits")).expect("limits");
    assert!(
        limits.lines().any(|line| line.split_whitespace().take(6).eq("Max core file size 0 0".split(' '))),
        "{limits}"
    );
    send("-KILL", &filter);
    let (screen, code) = terminal.ends();
    assert!(screen.contains("error: jq: the filter has ended: signal: 9"), "{screen}");
    assert_eq!(code, Some(2), "{screen}");

    let (terminal, filter) = run();
    send("-KILL", &terminal.process().to_string());
    terminal.ends();
    // Whoever adopts it may take a while to notice its end.
    let is_gone = || {
        let status = std::fs::read_to_string(format!("/proc/{filter}/stat")).unwrap_or_default();
        status.is_empty() || status.contains(") Z ") || status.contains(") X ")
    };
    while !is_gone() {
        std::thread::sleep(Duration::from_millis(10));
    }
}
