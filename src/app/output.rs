//! Where results go.

use std::io::{self, Write};

use crate::cli::Options;
use crate::error::Error;

use super::App;
use super::pager::{Pager, PagerProgram};
use super::view::Screen;

/// Where the results of a line go.
pub(super) enum Output<'a> {
    /// Standard output, through the pager where they do not fit the terminal.
    Screen,
    /// A file or a program.
    Writer(&'a mut dyn Write),
}

impl Output<'_> {
    /// Writes text that is no result of a call, such as help.
    pub(super) fn write_text(&mut self, text: &str) -> io::Result<()> {
        match self {
            Output::Screen => {
                let mut out = io::stdout().lock();
                out.write_all(text.as_bytes())?;
                out.flush()
            }
            Output::Writer(out) => out.write_all(text.as_bytes()),
        }
    }
}

impl App {
    /// What the renderers must know of where results go.
    pub(super) fn screen_of(&self, out: &Output<'_>, options: &Options) -> Screen {
        match out {
            Output::Screen => self.screen(options),
            Output::Writer(_) => {
                Screen { terminal: false, width: None, colour: false, ascii: !self.environment.variables.unicode }
            }
        }
    }

    /// Hands `write` the writer of the results.
    pub(super) fn with_writer<T>(
        &self,
        out: &mut Output<'_>,
        options: &Options,
        write: impl FnOnce(&mut dyn Write) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match out {
            Output::Writer(writer) => write(*writer),
            Output::Screen => {
                let size = self.environment.terminal_size.filter(|_| {
                    self.environment.stdout_terminal && self.environment.stdin_terminal && !options.no_pager
                });
                let size = size.filter(|_| !self.environment.is_dumb_terminal());
                let variables = &self.environment.variables;
                let pager = variables.pager.as_deref().or(options.pager.as_deref());
                let program = PagerProgram {
                    command: pager.unwrap_or("less"),
                    less_is_set: variables.less.is_some(),
                    interrupt: &self.interrupt,
                };
                let mut pager = Pager::new(io::stdout().lock(), size, program);
                let result = write(&mut pager);
                if let Some(program) = pager.finish()? {
                    self.say(options, &format!("the pager cannot be run: {program} (PAGER, --no-pager)"));
                }
                result
            }
        }
    }
}
