//! `--watch` on a terminal: the screen is left as it was, however the program ends or stops.

use std::process::Command;

use crate::harness::Home;
use crate::terminal::{CTRL_C, CTRL_Z, ENTER, Terminal};

const WATCH: [&str; 3] = ["--sandbox", "QueryZone", "--watch=60"];

fn watching(home: &Home) -> Terminal {
    let terminal = Terminal::run(home, 80, 24, env!("CARGO_BIN_EXE_zstack-cli"), &WATCH);
    terminal.sees("zone-2");
    terminal.shows_other_screen(true);
    terminal
}

#[test]
fn signals_leave_the_screen_and_end_the_program() {
    let home = Home::with_cloud();
    for (signal, code) in [("TERM", 143), ("HUP", 129)] {
        let terminal = watching(&home);
        let sent = Command::new("kill").args(["-s", signal, &terminal.process().to_string()]).status();
        assert!(sent.expect("kill runs").success());
        terminal.shows_other_screen(false);
        assert_eq!(terminal.ends().1, Some(code));
    }
    let terminal = watching(&home);
    // Nobody could make it go on.
    terminal.keys(CTRL_Z);
    terminal.keys(CTRL_C);
    terminal.shows_other_screen(false);
    assert_eq!(terminal.ends().1, Some(0));
}

#[test]
fn the_screen_is_left_while_the_program_is_stopped_and_drawn_again() {
    let home = Home::with_cloud();
    let terminal = Terminal::run_with(&home, (80, 24), "bash", &["--norc", "-i"], &[("PS1", "ready> ")]);
    terminal.prompt("ready>");
    terminal.keys(&format!("{} {}{ENTER}", env!("CARGO_BIN_EXE_zstack-cli"), WATCH.join(" ")));
    terminal.sees("zone-2");
    for _ in 0..2 {
        terminal.shows_other_screen(true);
        terminal.keys(CTRL_Z);
        terminal.shows_other_screen(false);
        terminal.prompt("ready>");
        terminal.keys(&format!("fg{ENTER}"));
        terminal.shows_other_screen(true);
        terminal.sees("zone-2");
    }
    terminal.keys(CTRL_C);
    terminal.shows_other_screen(false);
    terminal.prompt("ready>");
}

#[test]
fn after_a_watch_the_shell_is_as_before() {
    let home = Home::with_cloud();
    let terminal = Terminal::shell(&home, &["--sandbox"]);
    for _ in 0..2 {
        terminal.prompt("admin@sandbox >>>");
        terminal.keys(&format!("QueryZone --watch=60{ENTER}"));
        terminal.shows_other_screen(true);
        terminal.sees("zone-2");
        terminal.keys(CTRL_C);
        terminal.shows_other_screen(false);
    }
    terminal.prompt("admin@sandbox >>>");
    terminal.keys(&format!("QueryZone --watch=60{ENTER}"));
    terminal.shows_other_screen(true);
    terminal.sees("zone-2");
    terminal.keys("xq");
    terminal.shows_other_screen(false);
    // The prompt reads keys and shows them again.
    terminal.line("set max-width");
    terminal.sees("default");
    terminal.prompt("admin@sandbox >>>");
    let sent = Command::new("kill").arg(terminal.process().to_string()).status();
    assert!(sent.expect("kill runs").success());
    // By the signal itself, as any program.
    assert_eq!(terminal.ends().1, None);
}
