//! The program's own commands.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use crate::catalog::Catalog;
use crate::cli::{CatalogCommand, ContextCommand, Options, OwnCommand, SandboxCommand, Shell};
use crate::client::Reply;
use crate::commands;
use crate::config::{Contexts, Credentials, Keeper, Owner};
use crate::error::{Error, ExitCode, OwnError};
use crate::json::escape_unprintable;
use crate::render::{Shape, View};
use crate::results::{Kept, Limits, Results};
use crate::sandbox;
use crate::shell::last_entries;

use super::output::Output;
use super::{App, Flow};

/// How many scripts may run inside each other. One that runs itself would not end.
const MOST_SCRIPTS: usize = 16;

impl App {
    /// Runs one of the program's own commands.
    pub(super) fn own(&mut self, command: OwnCommand, options: &Options, out: &mut Output<'_>) -> Result<Flow, Error> {
        // What the program knows by itself is no result.
        if matches!(command, OwnCommand::Catalog(_) | OwnCommand::Context(_)) {
            self.tape = None;
        }
        let typed = options;
        let settled;
        let options = match command {
            // What needs no configuration works whatever it says.
            OwnCommand::Context(_) | OwnCommand::Complete { .. } | OwnCommand::Sandbox(_) => options,
            OwnCommand::Help { .. }
            | OwnCommand::Catalog(_)
            | OwnCommand::Man
            | OwnCommand::Completions { .. }
            | OwnCommand::History { .. }
            | OwnCommand::Set { .. }
            | OwnCommand::Run { .. }
            | OwnCommand::Exit
            | OwnCommand::Quit => {
                settled = self.settle_if_possible(options);
                &settled
            }
            _ => {
                settled = self.settle(options)?;
                &settled
            }
        };
        match command {
            OwnCommand::Exit | OwnCommand::Quit => return Ok(Flow::Leave),
            OwnCommand::Help { subject } => self.help(&subject, options, out)?,
            OwnCommand::Login(with) => self.login(&with, options, out)?,
            OwnCommand::Logout => self.logout(options, out)?,
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
                let entries = last_entries(&path, count.unwrap_or(usize::MAX))
                    .map_err(|source| Error::Script { path: path.display().to_string(), source })?;
                self.with_writer(out, options, |out| Ok(commands::history::list(&entries, out)?))?;
            }
            OwnCommand::Set { name, value } => self.set(name.as_deref(), &value.join(" "), out)?,
            OwnCommand::Run { file } => return self.run_file(&file, typed, out),
            OwnCommand::Capacity => self.capacity(options, out)?,
            OwnCommand::Raw(call) => self.raw(&call, options, out)?,
            OwnCommand::Zql { query } => self.zql(&query.join(" "), options, out)?,
            OwnCommand::Catalog(command) => self.catalog_command(command, typed, options, out)?,
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
        self.follow_name(subject.as_deref().unwrap_or_default(), options);
        match commands::help::page(self.catalog, subject.as_deref()) {
            Ok(page) => self.with_writer(out, options, |out| Ok(out.write_all(page.as_bytes())?)),
            Err(error) => Err(Error::Own(OwnError::NotFound {
                kind: "API, command or topic",
                name: subject.unwrap_or_default(),
                closest: error.closest,
            })),
        }
    }

    fn catalog_command(
        &mut self,
        command: CatalogCommand,
        typed: &Options,
        options: &Options,
        out: &mut Output<'_>,
    ) -> Result<(), Error> {
        match command {
            CatalogCommand::Import { file, of } => self.import_catalog(&file, of.as_deref(), options, out),
            CatalogCommand::Show { name } => {
                self.follow_name(&name, options);
                self.with_writer(out, options, |out| commands::catalog::show(self.catalog, &name, out))
            }
            CatalogCommand::Version => {
                let imported = self.imported_versions();
                self.with_writer(out, options, |out| Ok(commands::catalog::version(&imported, out)?))
            }
            CatalogCommand::List { part, since } => {
                let rows = commands::catalog::list(self.catalog, part.as_deref(), since.as_deref())?;
                self.print_listed(rows, typed, options, out)
            }
            CatalogCommand::Diff { from, to } => {
                let [from, to] = [from, to].map(|version| match version.strip_prefix("builtin:") {
                    Some(own) => Catalog::of_version(own).ok_or_else(|| commands::catalog::no_version(own)),
                    None => self.catalog_of(&version, options).ok_or_else(|| commands::catalog::no_version(&version)),
                });
                let rows = commands::catalog::diff(from?, to?);
                self.print_listed(rows, typed, options, out)
            }
            CatalogCommand::Use { version } => {
                let version = commands::catalog::version_to_use(&version)?;
                let folders = self.environment.folders()?.clone();
                let context = self.context_name(options)?;
                let changes = [("catalog", version)];
                self.contexts = Some(match &context {
                    Some(name) => Contexts::set(&folders, name, &changes)?,
                    None => Contexts::set_defaults(&folders, &changes)?,
                });
                let source = version.and_then(|version| self.catalog_of(version, options)?.imported_from());
                let source = source.map(|file| format!(", imported from {file},")).unwrap_or_default();
                let whose = context.map_or("nodes without a context".to_owned(), |name| format!("context {name}"));
                self.say(
                    options,
                    &match version {
                        Some(version) => format!("the catalog of ZStack {version}{source} is used for {whose}"),
                        None => format!("the version is asked of the node for {whose}"),
                    },
                );
                Ok(())
            }
            CatalogCommand::Sync => {
                let offers = self.ask_offers_anew(options)?;
                self.follow_version(options);
                let summary = commands::catalog::summary(self.catalog, &offers);
                let rows = commands::catalog::lacking(self.catalog, &offers);
                self.say(options, &summary);
                match rows {
                    Some(rows) => self.print_listed(rows, typed, options, out),
                    None => Ok(()),
                }
            }
        }
    }

    /// Prints rows about APIs: a table on a terminal, and elsewhere these columns, a line for each row, for `grep` and
    /// `cut`.
    fn print_listed(
        &mut self,
        rows: commands::catalog::Rows,
        typed: &Options,
        options: &Options,
        out: &mut Output<'_>,
    ) -> Result<(), Error> {
        // The columns of a context are those of inventories.
        let mut options = Options { columns: typed.columns.clone(), ..options.clone() };
        if options.output.is_none() && options.jq.is_none() && !self.screen_of(out, &options).terminal {
            options.output = Some("tsv".to_owned());
            options.no_header = true;
            options.columns = options.columns.or_else(|| Some(rows.columns.to_owned()));
        }
        let view = self.view(&options, out)?;
        self.print(Reply::of_text(rows.reply), &rows.shape, &view, &options, out)
    }

    fn context(&mut self, command: &ContextCommand, options: &Options, out: &mut Output<'_>) -> Result<(), Error> {
        let folders = self.environment.folders()?.clone();
        match command {
            ContextCommand::List => {
                let reply = commands::context::list(self.contexts()?);
                let view = self.view(options, out)?;
                self.print(Reply::of_text(reply), &commands::context::list_shape(), &view, options, out)?;
            }
            ContextCommand::Show { name } => {
                let reply = commands::context::show(self.contexts()?, name.as_deref())?;
                let view = self.view(options, out)?;
                self.print(Reply::of_text(reply), &commands::context::shape(), &view, options, out)?;
            }
            ContextCommand::Use { name } => {
                // The environment's credentials do not move along.
                self.started_for()?;
                self.contexts = Some(Contexts::make_current(&folders, name)?);
                // In the shell it holds from now on, whatever the shell was started with.
                let chosen = Options::default();
                (self.options.url, self.options.host, self.options.port) = (chosen.url, chosen.host, chosen.port);
                (self.options.context, self.options.sandbox) = (None, false);
                let chosen = self.selection(&self.options.clone())?;
                let is_in_use = chosen.address_of_context && chosen.context.as_ref() == Some(name);
                let note = match self.environment.variables.node() {
                    Some(variable) if !is_in_use => {
                        format!("{name} is the current context now, but {variable} is set and decides before it")
                    }
                    _ => format!("using context {name}"),
                };
                self.say(options, &note);
            }
            ContextCommand::Set { name, values } => {
                let owner = Owner::Context(name.clone());
                let before = self.credentials(&owner)?;
                // A keyring that does not work is worth knowing now.
                if values.iter().any(|value| value == "credentials=keyring") {
                    Credentials::new(&folders, Keeper::Keyring).probe(&owner)?;
                }
                let old = self.contexts()?.clone();
                let new = commands::context::set(&folders, name, options.url.as_deref(), values)?;
                let notes = commands::context::notes_of_set(&old, &new, name);
                self.contexts = Some(new);
                self.credentials(&owner)?.take_over(&before, &owner)?;
                notes.iter().for_each(|note| self.say(options, note));
            }
            ContextCommand::Delete { name } => {
                let owner = Owner::Context(name.clone());
                let credentials = self.credentials(&owner)?;
                let was_current = self.contexts()?.current().is_some_and(|current| current.name == *name);
                self.contexts = Some(Contexts::delete(&folders, name)?);
                credentials.delete(&owner, None)?;
                let further = if was_current { "; it was the current one, and none is now" } else { "" };
                self.say(options, &format!("context {name} deleted{further}"));
            }
        }
        Ok(())
    }

    pub(super) fn results(&self, options: &Options) -> Result<Results, Error> {
        let folder = self.environment.folders()?.state.join("results");
        Ok(Results::new(folder, Limits::default(), options.no_secure))
    }

    fn more(&mut self, number: Option<u64>, options: &Options, out: &mut Output<'_>) -> Result<(), Error> {
        let results = self.results(options)?;
        // What is shown again is no new result.
        self.tape = None;
        let view = self.view(options, out)?;
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
                let view = View { failed: !record.summary.success, ..view };
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
                    edition: typed.edition.as_deref(),
                    version: typed.plays.as_deref(),
                    speed: typed.speed,
                    faults: &typed.fault,
                    seed: typed.seed,
                };
                let _attended = self.attend_to_ends()?;
                commands::sandbox::serve(&directory, &serve, &self.interrupt, &mut io::stderr().lock())?;
            }
            SandboxCommand::Reset => {
                sandbox::reset(&directory)?;
                self.say(options, "the sandbox begins anew, with the small cloud");
            }
            SandboxCommand::Seed { vms } => {
                sandbox::seed(&directory, *vms)?;
                let note = vms.map(|count| format!("the sandbox has {count} VMs more"));
                self.say(options, note.as_deref().unwrap_or("the sandbox has all of the small cloud again"));
            }
            SandboxCommand::Path => out.write_text(&format!("{}\n", sandbox::path(&directory).display()))?,
        }
        Ok(())
    }

    /// Runs the commands of a file as if they had been typed. The options of the line hold for all of them.
    fn run_file(&mut self, path: &Path, typed: &Options, out: &mut Output<'_>) -> Result<Flow, Error> {
        let name = path.display().to_string();
        if self.scripts == MOST_SCRIPTS {
            return Err(Error::Own(OwnError::NestedScripts { most: MOST_SCRIPTS }));
        }
        let before = (*typed != self.options).then(|| std::mem::replace(&mut self.options, typed.clone()));
        self.scripts += 1;
        let code = self.run_commands_of(path, &name, out);
        self.scripts -= 1;
        if let Some(before) = before {
            self.options = before;
        }
        match code? {
            ExitCode::Done => Ok(Flow::Continue),
            code => Err(Error::Reported(code)),
        }
    }

    fn run_commands_of(&mut self, path: &Path, name: &str, out: &mut Output<'_>) -> Result<ExitCode, Error> {
        let failed = |source| Error::Script { path: name.to_owned(), source };
        if name != "-" {
            let file = File::open(path).map_err(failed)?;
            return Ok(self.run_script(&mut BufReader::new(file), Some(name), out));
        }
        if self.reads_stdin {
            return Err(failed(stdin_is_taken()));
        }
        Ok(self.run_stdin(out))
    }
}

/// Why standard input cannot be read while it is the script.
pub(super) fn stdin_is_taken() -> io::Error {
    io::Error::other("standard input holds the commands that run")
}
