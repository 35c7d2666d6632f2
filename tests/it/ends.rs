//! However the program ends, the terminal is left as it was.

use std::process::Command;

use crate::harness::Home;
use crate::terminal::Terminal;

const SIGNALS: [&str; 4] = ["TERM", "HUP", "QUIT", "ABRT"];

/// A terminal where the program runs with these words, and its modes are printed behind its end.
fn terminal(home: &Home, words: &str, variables: &[(&str, &str)]) -> Terminal {
    let program = format!("echo $$ > pid; exec {} {words}", env!("CARGO_BIN_EXE_zstack-cli"));
    Terminal::script(home, (80, 40), &format!("sh -c '{program}'; echo; stty -a"), variables)
}

/// Sends the program a signal, and says what is wrong with the terminal afterwards.
fn is_left_as_it_was(home: &Home, terminal: Terminal, signal: &str) {
    let pid = std::fs::read_to_string(home.path().join("pid")).expect("it runs");
    let sent = Command::new("kill").args(["-s", signal, pid.trim()]).status();
    assert!(sent.expect("kill runs").success());
    let screen = terminal.told();
    terminal.shows_other_screen(false);
    let written = terminal.written();
    assert!(written.rfind("\u{1b}[?2004h") <= written.rfind("\u{1b}[?2004l"), "{written:?}");
    let modes: Vec<&str> = screen.split_whitespace().collect();
    for mode in ["icanon", "echo", "isig", "icrnl", "opost"] {
        assert!(modes.contains(&mode), "{signal}: no {mode}\n{screen}");
    }
}

#[test]
fn at_the_prompt_at_a_question_and_while_watching() {
    let home = Home::with_cloud();
    let zone = home.run(["--sandbox", "QueryZone", "name=zone-2", "-o", "value", "--columns", "uuid"]).succeeds();
    let zone = zone.out().trim().to_owned();
    for signal in SIGNALS {
        let prompt = terminal(&home, "--sandbox", &[]);
        prompt.prompt("admin@sandbox >>>");
        prompt.keys("QueryZone na");
        prompt.ends_line("QueryZone na");
        is_left_as_it_was(&home, prompt, signal);

        let password = terminal(&home, "--url http://127.0.0.1:1/zstack login", &[]);
        password.sees("password of admin:");
        password.reads_keys();
        is_left_as_it_was(&home, password, signal);

        let question = terminal(&home, "--sandbox", &[]);
        question.prompt("admin@sandbox >>>");
        question.line(&format!("DeleteZone uuid={zone}"));
        question.ends_line("[y/N]");
        is_left_as_it_was(&home, question, signal);

        let watch = terminal(&home, "--sandbox QueryZone --watch=60", &[]);
        watch.sees("zone-2");
        watch.shows_other_screen(true);
        is_left_as_it_was(&home, watch, signal);
    }
}

#[test]
fn under_a_pager() {
    let home = Home::with_cloud();
    // Puts the terminal in a mode of its own, and ends at a signal without a word, as the worst of pagers.
    let pager = ("PAGER", "stty raw -echo < /dev/tty; echo paged > paged; read key < /dev/tty");
    for (at_prompt, signal) in [(false, "TERM"), (true, "TERM"), (false, "HUP"), (true, "QUIT")] {
        let _ = std::fs::remove_file(home.path().join("paged"));
        let words = if at_prompt { "--sandbox" } else { "--sandbox help QueryVmInstance" };
        let terminal = terminal(&home, words, &[pager]);
        if at_prompt {
            terminal.prompt("admin@sandbox >>>");
            terminal.line("help QueryVmInstance");
        }
        while !home.path().join("paged").exists() {
            std::thread::yield_now();
        }
        is_left_as_it_was(&home, terminal, signal);
    }
}
