//! The program's own commands.

use std::io::Write;

use crate::cli::{self, Options, OwnCommand};
use crate::error::Error;

use super::{App, Flow};

impl App {
    /// Runs one of the program's own commands.
    pub(super) fn own(&mut self, command: OwnCommand, _options: &Options, out: &mut dyn Write) -> Result<Flow, Error> {
        match command {
            OwnCommand::Exit | OwnCommand::Quit => return Ok(Flow::Leave),
            OwnCommand::Man => out.write_all(&cli::man_page())?,
            _ => {}
        }
        Ok(Flow::Continue)
    }
}
