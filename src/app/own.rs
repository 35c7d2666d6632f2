//! The program's own commands.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use crate::cli::{self, CatalogCommand, ColorChoice, ContextCommand, Options, OwnCommand, SandboxCommand, Shell};
use crate::commands;
use crate::config::{Contexts, Setting};
use crate::error::{Error, ExitCode, OwnError};
use crate::render::Format;
use crate::results::{Limits, Results};
use crate::sandbox;
use crate::shell::complete::{Disk, NoLiveValues, SETTINGS, Sources, complete_lines};
use crate::shell::last_entries;
use crate::syntax::closest;

use super::confirm::Confirm;
use super::output::Output;
use super::{App, Flow};

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
            OwnCommand::Man => out.write_text(&String::from_utf8_lossy(&cli::man_page()))?,
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
                let contexts = self.contexts()?;
                let current = contexts.current().map(|context| context.name.clone());
                let mut text = String::new();
                for context in contexts.all() {
                    let mark = if Some(&context.name) == current.as_ref() { '*' } else { ' ' };
                    let url = context.own.url.as_deref().unwrap_or("-");
                    let account = context.own.account.as_deref().unwrap_or("-");
                    text.push_str(&format!("{mark} {}\t{}\t{account}\n", context.name, crate::secret::mask_url(url)));
                }
                out.write_text(&text)?;
            }
            ContextCommand::Use { name } => {
                self.contexts = Some(Contexts::make_current(&folders, name)?);
                self.options.context = None;
                self.say(options, &format!("using context {name}"));
            }
            ContextCommand::Set { name, values } => {
                let mut changes: Vec<(&str, Option<&str>)> = Vec::new();
                if let Some(url) = &options.url {
                    changes.push(("url", Some(url)));
                }
                for value in values {
                    let Some((key, value)) = value.split_once('=') else {
                        let problem = "write KEY=VALUE, or KEY= to remove it".to_owned();
                        return Err(Error::Own(OwnError::Value { name: value.clone(), problem }));
                    };
                    changes.push((key, (!value.is_empty()).then_some(value)));
                }
                self.contexts = Some(Contexts::set(&folders, name, &changes)?);
            }
            ContextCommand::Show { name } => {
                let contexts = self.contexts()?;
                let context = match name {
                    Some(name) => Some(contexts.find(name)?),
                    None => contexts.current(),
                };
                let Some(context) = context else {
                    return Err(Error::Own(OwnError::NotFound {
                        kind: "context",
                        name: "in use".to_owned(),
                        closest: None,
                    }));
                };
                let preferences = contexts.preferences(Some(&context.name));
                let mut text = format!("name\t{}\n", context.name);
                for setting in Setting::names().filter_map(Setting::of_name) {
                    if let Some(value) = preferences.get(setting) {
                        text.push_str(&format!("{}\t{}\n", setting.name(), crate::secret::mask_url(&value)));
                    }
                }
                out.write_text(&text)?;
            }
            ContextCommand::Delete { name } => {
                self.contexts = Some(Contexts::delete(&folders, name)?);
                let owner = crate::config::Owner::Context(name.clone());
                crate::config::Credentials::new(&folders).delete(&owner, None)?;
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
        match number {
            Some(number) => {
                let record = results.load(number)?;
                self.with_writer(out, options, |out| Ok(commands::more::show(&record, out, &mut io::stderr())?))
            }
            None => {
                let summaries = results.latest(usize::MAX)?;
                self.with_writer(out, options, |out| Ok(commands::more::list(&summaries, out)?))
            }
        }
    }

    /// Shows or changes a setting of the shell.
    fn set(&mut self, name: Option<&str>, value: &str, out: &mut Output<'_>) -> Result<(), Error> {
        let Some(name) = name else {
            let text: String =
                SETTINGS.iter().map(|setting| format!("{}\t{}\n", setting.name, self.setting(setting.name))).collect();
            return Ok(out.write_text(&text)?);
        };
        let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) else {
            let closest = closest(name, SETTINGS.iter().map(|setting| setting.name)).map(str::to_owned);
            return Err(Error::Own(OwnError::NotFound { kind: "setting", name: name.to_owned(), closest }));
        };
        if value.is_empty() {
            return Ok(out.write_text(&format!("{}\n", self.setting(name)))?);
        }
        let bad = |problem: String| Error::Own(OwnError::Value { name: name.to_owned(), problem });
        if !setting.values.is_empty() && !setting.values.contains(&value) {
            return Err(bad(format!("{value} is none of {}", setting.values.join(", "))));
        }
        let is_on = value == "on";
        let number = || value.parse::<u32>().ok().filter(|number| *number > 0);
        match name {
            "color" => {
                self.options.color = Some(match value {
                    "always" => ColorChoice::Always,
                    "never" => ColorChoice::Never,
                    _ => ColorChoice::Auto,
                });
            }
            "columns" => self.options.columns = (value != "default").then(|| value.to_owned()),
            "output" => self.options.output = Format::from_name(value).map(|format| format.name().to_owned()),
            "page-size" => {
                self.options.page_size = Some(number().ok_or_else(|| bad("a number above zero is needed".to_owned()))?);
            }
            "timeout" => {
                let seconds = number().ok_or_else(|| bad("a number of seconds above zero is needed".to_owned()))?;
                self.options.timeout = Some(u64::from(seconds));
            }
            "pager" => self.options.no_pager = !is_on,
            "secure" => self.options.no_secure = !is_on,
            "confirm" | "live" => {
                let Some(shell) = &mut self.shell else {
                    return Err(Error::Own(OwnError::ShellOnly("this setting")));
                };
                match (name, value) {
                    ("live", _) => shell.live.set_enabled(is_on),
                    (_, "strict") => shell.confirm = Confirm::Strict,
                    _ => shell.confirm = if is_on { Confirm::On } else { Confirm::Off },
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What a setting is now.
    fn setting(&self, name: &str) -> String {
        let options = &self.options;
        let on = |flag: bool| if flag { "on" } else { "off" }.to_owned();
        match name {
            "color" => format!("{:?}", options.color.unwrap_or_default()).to_lowercase(),
            "columns" => options.columns.clone().unwrap_or_else(|| "default".to_owned()),
            "output" => options.output.clone().unwrap_or_else(|| "default".to_owned()),
            "page-size" => options.page_size.unwrap_or(1000).to_string(),
            "timeout" => options.timeout.map_or_else(|| "default".to_owned(), |seconds| seconds.to_string()),
            "pager" => on(!options.no_pager),
            "secure" => on(!options.no_secure),
            "confirm" => match self.shell.as_ref().map(|shell| shell.confirm) {
                Some(Confirm::Strict) => "strict".to_owned(),
                Some(Confirm::On) => "on".to_owned(),
                _ => "off".to_owned(),
            },
            _ => "on".to_owned(),
        }
    }

    /// What Tab would offer at the end of a line.
    fn complete(&mut self, line: &str, out: &mut Output<'_>) -> Result<(), Error> {
        let contexts: Vec<String> = self
            .contexts()
            .map(|contexts| contexts.all().iter().map(|context| context.name.clone()).collect())
            .unwrap_or_default();
        let sources = Sources { catalog: self.catalog, live: &NoLiveValues, files: &Disk, contexts: &contexts };
        Ok(out.write_text(&complete_lines(line, &sources))?)
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
