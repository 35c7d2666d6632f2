//! The program's own commands.

use std::fs::File;
use std::io::{self, BufReader, Write};

use crate::cli::{self, CatalogCommand, Options, OwnCommand, SandboxCommand};
use crate::commands;
use crate::error::{Error, ExitCode};
use crate::sandbox;

use super::{App, Flow};

impl App {
    /// Runs one of the program's own commands.
    pub(super) fn own(&mut self, command: OwnCommand, options: &Options, out: &mut dyn Write) -> Result<Flow, Error> {
        match command {
            OwnCommand::Exit | OwnCommand::Quit => return Ok(Flow::Leave),
            OwnCommand::Man => out.write_all(&cli::man_page())?,
            OwnCommand::Catalog(CatalogCommand::List { part }) => {
                commands::catalog::list(self.catalog, part.as_deref(), out)?;
            }
            OwnCommand::Catalog(CatalogCommand::Show { name }) => {
                commands::catalog::show(self.catalog, &name, out)?;
            }
            OwnCommand::Catalog(CatalogCommand::Version) => commands::catalog::version(out)?,
            OwnCommand::Sandbox(command) => self.sandbox_command(&command, options, out)?,
            OwnCommand::Zql { query } => self.zql(&query.join(" "), options, out)?,
            OwnCommand::Run { file } => return self.run_file(&file, out),
            _ => {}
        }
        Ok(Flow::Continue)
    }

    fn sandbox_command(
        &mut self,
        command: &SandboxCommand,
        options: &Options,
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        let directory = self.sandbox_directory();
        match command {
            SandboxCommand::Serve(typed) => {
                let serve = commands::sandbox::Serve {
                    bind: &typed.bind,
                    port: options.port.unwrap_or(8080),
                    speed: typed.speed,
                    faults: &typed.fault,
                    seed: typed.seed,
                };
                self.watch_ctrl_c()?;
                commands::sandbox::serve(&directory, &serve, &self.interrupt, &mut io::stderr().lock())?;
            }
            SandboxCommand::Reset => sandbox::reset(&directory)?,
            SandboxCommand::Seed { vms } => sandbox::seed(&directory, *vms)?,
            SandboxCommand::Path => commands::sandbox::path(&directory, out)?,
        }
        Ok(())
    }

    /// Runs the commands of a file as if they had been typed.
    fn run_file(&mut self, path: &std::path::Path, out: &mut dyn Write) -> Result<Flow, Error> {
        let name = path.display().to_string();
        let code = if name == "-" {
            self.run_script(&mut io::stdin().lock(), None, out)
        } else {
            let file = File::open(path).map_err(|source| Error::Script { path: name.clone(), source })?;
            self.run_script(&mut BufReader::new(file), Some(&name), out)
        };
        match code {
            ExitCode::Done => Ok(Flow::Continue),
            code => Err(Error::Reported(code)),
        }
    }
}
