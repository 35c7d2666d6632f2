//! The program's own commands.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use crate::cli::{CatalogCommand, ContextCommand, Options, OwnCommand, SandboxCommand, Shell};
use crate::client::Reply;
use crate::commands;
use crate::config::{Contexts, Credentials, Owner};
use crate::error::{Error, ExitCode, OwnError};
use crate::json::escape_unprintable;
use crate::render::Shape;
use crate::results::{Kept, Limits, Results};
use crate::sandbox;
use crate::shell::last_entries;

use super::output::Output;
use super::{App, Flow, view};

impl App {
    /// Runs one of the program's own commands.
    pub(super) fn own(&mut self, command: OwnCommand, options: &Options, out: &mut Output<'_>) -> Result<Flow, Error> {
        let settled;
        let options = match command {
            // These must work whatever the configuration says.
            OwnCommand::Context(_) | OwnCommand::Complete { .. } | OwnCommand::Sandbox(_) => options,
            _ => {
                settled = self.settle(options)?;
                &settled
            }
        };
        match command {
            OwnCommand::Exit | OwnCommand::Quit => return Ok(Flow::Leave),
            OwnCommand::Help { subject } => self.help(&subject, options, out)?,
            OwnCommand::Login(with) => self.login(&with, options)?,
            OwnCommand::Logout => self.logout(options)?,
            OwnCommand::Context(command) => self.context(&command, options, out)?,
            OwnCommand::More { number } => self.more(number, options, out)?,
            OwnCommand::Save { numbers, target, json_only } => {
                let files =
                    commands::save::save(&self.results(options)?, &numbers, target.as_deref(), json_only.is_some())?;
                for file in files {
                    self.say(options, &format!("saved {}", file.display()));
                }
            }
            OwnCommand::History { count } => {
                let path = self.environment.folders()?.state.join("history");
                let entries = last_entries(&path, count.unwrap_or(usize::MAX))?;
                self.with_writer(out, options, |out| Ok(commands::history::list(&entries, out)?))?;
            }
            OwnCommand::Set { name, value } => self.set(name.as_deref(), &value.join(" "), out)?,
            OwnCommand::Run { file } => return self.run_file(&file, out),
            OwnCommand::Capacity => self.capacity(options, out)?,
            OwnCommand::Zql { query } => self.zql(&query.join(" "), options, out)?,
            OwnCommand::Catalog(command) => self.with_writer(out, options, |out| match &command {
                CatalogCommand::List { part } => {
                    Ok(commands::catalog::list(crate::catalog::Catalog::newest(), part.as_deref(), out)?)
                }
                CatalogCommand::Show { name } => commands::catalog::show(crate::catalog::Catalog::newest(), name, out),
                CatalogCommand::Version => Ok(commands::catalog::version(out)?),
            })?,
            OwnCommand::Complete { line } => self.complete(&line.join(" "), out)?,
            OwnCommand::Completions { shell } => out.write_text(commands::completions::script(match shell {
                Shell::Bash => commands::completions::Shell::Bash,
                Shell::Zsh => commands::completions::Shell::Zsh,
                Shell::Fish => commands::completions::Shell::Fish,
            }))?,
            OwnCommand::Man => out.write_text(&commands::man::page())?,
            OwnCommand::Sandbox(command) => self.sandbox_command(&command, options, out)?,
            OwnCommand::Job(line) => self.job(&line, options, out)?,
        }
        Ok(Flow::Continue)
    }

    fn help(&mut self, subject: &[String], options: &Options, out: &mut Output<'_>) -> Result<(), Error> {
        let subject = (!subject.is_empty()).then(|| subject.join(" "));
        match commands::help::page(self.catalog, subject.as_deref()) {
            Ok(page) => self.with_writer(out, options, |out| Ok(out.write_all(page.as_bytes())?)),
            Err(error) => Err(Error::Own(OwnError::NotFound {
                kind: "API, command or topic",
                name: subject.unwrap_or_default(),
                closest: error.closest,
            })),
        }
    }

    fn context(&mut self, command: &ContextCommand, options: &Options, out: &mut Output<'_>) -> Result<(), Error> {
        let folders = self.environment.folders()?.clone();
        match command {
            ContextCommand::List => {
                let reply = commands::context::list(self.contexts()?);
                let view = view::view(options, self.screen_of(out, options))?;
                self.print(Reply::of_text(reply), &commands::context::list_shape(), &view, options, out)?;
            }
            ContextCommand::Show { name } => {
                let reply = commands::context::show(self.contexts()?, name.as_deref())?;
                let view = view::view(options, self.screen_of(out, options))?;
                self.print(Reply::of_text(reply), &commands::context::shape(), &view, options, out)?;
            }
            ContextCommand::Use { name } => {
                self.contexts = Some(Contexts::make_current(&folders, name)?);
                self.options.context = None;
                self.say(options, &format!("using context {name}"));
            }
            ContextCommand::Set { name, values } => {
                self.contexts = Some(commands::context::set(&folders, name, options.url.as_deref(), values)?);
            }
            ContextCommand::Delete { name } => {
                self.contexts = Some(Contexts::delete(&folders, name)?);
                Credentials::new(&folders).delete(&Owner::Context(name.clone()), None)?;
            }
        }
        Ok(())
    }

    fn results(&self, options: &Options) -> Result<Results, Error> {
        let folder = self.environment.folders()?.state.join("results");
        Ok(Results::new(folder, Limits::default(), options.no_secure))
    }

    fn more(&mut self, number: Option<u64>, options: &Options, out: &mut Output<'_>) -> Result<(), Error> {
        let results = self.results(options)?;
        // What is shown again is no new result.
        if let Some(shell) = &mut self.shell {
            shell.tape = None;
        }
        let view = view::view(options, self.screen_of(out, options))?;
        let Some(number) = number else {
            let summaries = results.latest(usize::MAX)?;
            if options.output.is_none() && options.jq.is_none() {
                return self.with_writer(out, options, |out| Ok(commands::more::list(&summaries, out)?));
            }
            let rows = Reply::of_text(commands::more::rows(&summaries));
            return self.print(rows, &Shape::default(), &view, options, out);
        };
        let record = results.load(number)?;
        self.say(options, &commands::more::title(&record.summary));
        match record.reply {
            Kept::Whole(text) => {
                let shape = self.shape_of_line(&record.summary.command);
                self.print(Reply::of_text(text.into_bytes()), &shape, &view, options, out)
            }
            Kept::Text(text) => {
                self.with_writer(out, options, |out| Ok(writeln!(out, "{}", escape_unprintable(&text))?))
            }
            Kept::Start(text) => {
                self.with_writer(out, options, |out| Ok(writeln!(out, "{}", escape_unprintable(&text))?))?;
                self.say(options, &commands::more::only_the_start(&record.summary));
                Ok(())
            }
        }
    }

    fn sandbox_command(
        &mut self,
        command: &SandboxCommand,
        options: &Options,
        out: &mut Output<'_>,
    ) -> Result<(), Error> {
        let directory = self.sandbox_directory()?;
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
            SandboxCommand::Path => out.write_text(&format!("{}\n", sandbox::path(&directory).display()))?,
        }
        Ok(())
    }

    /// Runs the commands of a file as if they had been typed.
    fn run_file(&mut self, path: &Path, out: &mut Output<'_>) -> Result<Flow, Error> {
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
