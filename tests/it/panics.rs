//! A bug inside the line editor: the terminal is what it was before.
//!
//! The program has no bug that could be called for, so a test of this binary is the program: an editor whose live
//! values panic at Tab.

use std::panic::{self, AssertUnwindSafe};

use zstack_cli::shell::complete::{Disk, Live, LiveValues, NothingKept};
use zstack_cli::shell::{self, Evaluator, Flow, History, Known, LineOutcome, Prompt};

use crate::harness::Home;
use crate::terminal::{TAB, Terminal};

struct Bug;

impl LiveValues for Bug {
    fn lookup(&self, _: &str, _: &str) -> Live {
        panic!("a bug at Tab")
    }
}

struct Nobody;

impl Evaluator for Nobody {
    fn prompt(&mut self) -> Prompt {
        Prompt::default()
    }

    fn known(&mut self) -> Known {
        Known::default()
    }

    fn colour(&mut self) -> bool {
        false
    }

    fn evaluate(&mut self, _: &str) -> LineOutcome {
        LineOutcome { flow: Flow::Leave(None), succeeded: true, corrected: None }
    }
}

#[test]
#[ignore = "the program that the test below runs"]
fn an_editor_with_a_bug() {
    let history = History::new(None, Box::new(str::to_owned));
    let options =
        shell::Options { live: &Bug, files: &Disk, kept: &NothingKept, history, edit: &|text| Ok(text.to_owned()) };
    let run = AssertUnwindSafe(|| shell::run(options, &mut Nobody, &mut std::io::stderr()).map(drop));
    panic::catch_unwind(run).expect_err("it panicked").downcast::<&str>().expect("by the bug");
}

#[test]
fn a_panic_in_the_line_editor_restores_the_terminal() {
    let home = Home::new();
    let binary = std::env::current_exe().expect("this binary");
    let program = format!("{} --exact panics::an_editor_with_a_bug --ignored --nocapture", binary.display());
    let script = format!("stty -g; {program}; echo status $?; stty -g");
    let terminal = Terminal::script(&home, (120, 40), &script, &[]);
    terminal.prompt("- >>>");
    terminal.keys(&format!("QueryZone uuid={TAB}"));
    let screen = terminal.told();
    assert!(screen.contains("a bug at Tab") && screen.contains("status 0"), "{screen}");
    let modes = |line: Option<&str>| line.expect("a line").trim().to_owned();
    let (before, after) = (modes(screen.lines().next()), modes(screen.trim_end().lines().next_back()));
    assert!(before.contains(':'), "{screen}");
    assert_eq!(before, after, "{screen}");
}
