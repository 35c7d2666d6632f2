//! A program that uses the terminal and gets output of this program: a pager, or the program after `|!`.

use std::io::{self, Write};
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};

use crate::config;
use crate::interrupt::Interrupt;
use crate::tty;

/// A running program and its standard input.
pub(crate) struct Program {
    stdin: Option<ChildStdin>,
    end: JoinHandle<io::Result<ExitStatus>>,
}

impl Program {
    /// A command for the system's shell, not started yet.
    pub(crate) fn command(text: &str) -> Command {
        let mut command = config::program("sh");
        command.args(["-c", text]);
        command
    }

    /// Starts the program. It handles Ctrl-C until it ends, which may be before all output is written.
    pub(crate) fn start(mut command: Command, interrupt: &Interrupt) -> io::Result<Program> {
        let handed_over = interrupt.hand_over()?;
        // What ends this program at once would leave that one behind.
        let attended = interrupt.sees_to_ends().then(|| interrupt.on_end()).transpose()?;
        let mut kept = tty::keep();
        let mut child = command.stdin(Stdio::piped()).spawn()?;
        kept.end_first(&child);
        let stdin = child.stdin.take();
        let end = thread::Builder::new().spawn(move || {
            let status = child.wait();
            drop((handed_over, attended, kept));
            status
        })?;
        Ok(Program { stdin, end })
    }

    /// Closes its input and waits for its end.
    pub(crate) fn wait(mut self) -> io::Result<ExitStatus> {
        drop(self.stdin.take());
        self.end.join().unwrap_or_else(|_| Err(io::Error::other("nobody waited for the program")))
    }
}

impl Write for Program {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.stdin {
            Some(stdin) => stdin.write(bytes),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
