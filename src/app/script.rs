//! Commands that come one per line.

use std::io::{self, BufRead};

use crate::error::{Error, ExitCode};

use super::lines::Lines;
use super::output::Output;
use super::report::Source;
use super::{App, Flow};

impl App {
    /// The shell on a terminal, else commands from standard input.
    pub(super) fn shell_or_script(&mut self) -> ExitCode {
        let code =
            if self.environment.stdin_terminal { self.interactive() } else { self.run_stdin(&mut Output::Screen) };
        self.close();
        code
    }

    /// Runs the commands that standard input brings.
    pub(super) fn run_stdin(&mut self, out: &mut Output<'_>) -> ExitCode {
        // A lock on it would be waited for by whatever else wants to read it, for ever.
        self.reads_stdin = true;
        let code = self.run_script(&mut io::stdin().lock(), None, out);
        self.reads_stdin = false;
        code
    }

    /// Runs the commands of a script; the first failure ends it unless `--keep-going` says otherwise, and is
    /// the exit code.
    pub(super) fn run_script(
        &mut self,
        reader: &mut dyn BufRead,
        name: Option<&str>,
        out: &mut Output<'_>,
    ) -> ExitCode {
        let mut first_failure = ExitCode::Done;
        for line in Lines::new(reader) {
            let line = match line {
                Ok(line) => line,
                Err(source) => {
                    let path = name.unwrap_or("standard input").to_owned();
                    return self.conclude(Err(Error::Script { path, source }), None, None).0;
                }
            };
            let result = self.recording(&line.text, |app| app.run_line(&line.text, out));
            let source = Source::Script { name, line: line.number };
            let (code, flow) = self.conclude(result, Some(&source), Some(&line.text));
            if first_failure == ExitCode::Done {
                first_failure = code;
            }
            let stops = code != ExitCode::Done && !self.options.keep_going;
            if flow == Flow::Leave || stops || code == ExitCode::Interrupted {
                break;
            }
        }
        first_failure
    }
}
