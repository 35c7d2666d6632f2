//! The output for results.

use std::io::{self, Write};

use crate::cli::ColorChoice;
use crate::error::Error;
use crate::interrupt::Interrupt;

use super::pager::{Pager, PagerProgram};
use super::ui::{Screen, Ui};

/// What becomes of results that do not fit the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paging {
    /// They are printed all the same: a few lines that matter.
    Never,
    /// They go through the pager where they have too many lines.
    Lines,
    /// The same where they have too long lines, which the pager does not break.
    Sideways,
}

/// The output for the results of a line.
pub(crate) enum Output<'a> {
    /// Standard output, through the pager if the results do not fit the terminal.
    Screen,
    /// A file or a program.
    Writer(&'a mut dyn Write),
}

impl Output<'_> {
    /// The same output, reborrowed.
    pub(crate) fn again(&mut self) -> Output<'_> {
        match self {
            Output::Screen => Output::Screen,
            Output::Writer(out) => Output::Writer(&mut **out),
        }
    }

    /// Writes text that is not the result of a call, such as help.
    pub(crate) fn write_text(&mut self, text: &str) -> io::Result<()> {
        match self {
            Output::Screen => {
                let mut out = io::stdout().lock();
                out.write_all(text.as_bytes())?;
                out.flush()
            }
            Output::Writer(out) => out.write_all(text.as_bytes()),
        }
    }

    /// The properties for the renderers.
    pub(crate) fn screen(&self, ui: &Ui) -> Screen {
        match self {
            Output::Screen => ui.screen(),
            Output::Writer(_) => ui.no_screen(),
        }
    }

    /// Calls `write` with the writer for results. A running pager handles Ctrl-C.
    pub(crate) fn write<T>(
        &mut self,
        paging: Paging,
        ui: &Ui,
        interrupt: &Interrupt,
        write: impl FnOnce(&mut dyn Write) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match self {
            Output::Writer(writer) => write(*writer),
            Output::Screen => {
                let terminal = &ui.terminal;
                let may_page = terminal.stdout
                    && terminal.stdin
                    && !terminal.is_dumb
                    && ui.pager.is_some()
                    && paging != Paging::Never;
                let program = PagerProgram {
                    command: ui.pager.as_deref().unwrap_or_default(),
                    less: ui.less.as_deref(),
                    sideways: paging == Paging::Sideways,
                    colours: ui.color.value == ColorChoice::Always,
                    interrupt,
                };
                let mut pager = Pager::new(io::stdout().lock(), terminal.size.filter(|_| may_page), program);
                let result = write(&mut pager);
                if let Some(program) = pager.finish()? {
                    ui.say(&format!("the pager cannot be run: {program} (PAGER, --no-pager)"));
                }
                result
            }
        }
    }
}
