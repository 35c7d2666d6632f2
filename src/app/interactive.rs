//! The interactive shell: what the program is for the prompt.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::cli::{self, Options};
use crate::client::Client;
use crate::config::ConfirmWish;
use crate::error::{Error, ExitCode};
use crate::plan;
use crate::render::{self, Filter};
use crate::secret::mask_command;
use crate::shell::complete::Disk;
use crate::shell::{
    self, Colour, Evaluator, Flow, History, Known, LiveCache, LiveLimits, Prompt, Ran, Redirection, redirection,
};
use crate::syntax;

use super::export::Export;
use super::output::Output;
use super::program::Program;
use super::{App, line_editor, nearby};

/// What only the interactive shell has.
pub(super) struct State {
    /// When to ask before something is destroyed, where `set confirm` said so.
    pub(super) confirm: Option<ConfirmWish>,
    pub(super) live: Arc<LiveCache>,
    /// Whether the history keeps secrets.
    keep_secrets: Arc<AtomicBool>,
    /// The client that live values are asked with, where there may be one.
    lookup: Arc<Mutex<Option<Client>>>,
    /// The node and the account that live values are of.
    live_of: Option<(String, Option<String>)>,
}

impl App {
    /// Runs the shell until the user leaves.
    pub(super) fn interactive(&mut self) -> ExitCode {
        match self.run_shell() {
            Ok(()) => ExitCode::Done,
            Err(error) => self.conclude(Err(error), None, None).0,
        }
    }

    fn run_shell(&mut self) -> Result<(), Error> {
        // What is wrong with the configuration or the sandbox is worth knowing before the first prompt.
        let options = self.settle(&self.options.clone())?;
        if options.sandbox {
            self.node(&options)?;
        }
        self.interrupt.on_ctrl_c()?;
        let folders = self.environment.folders()?.clone();
        let keep_secrets = Arc::new(AtomicBool::new(options.no_secure));
        let history = History::new(Some(folders.state.join("history")), masked_unless(Arc::clone(&keep_secrets)));
        let lookup: Arc<Mutex<Option<Client>>> = Arc::default();
        let fetch = nearby::fetch(self.catalog, Arc::clone(&lookup));
        let live = Arc::new(LiveCache::new(LiveLimits::default(), fetch));
        self.shell = Some(State { confirm: None, live: Arc::clone(&live), keep_secrets, lookup, live_of: None });
        let interrupt = self.interrupt.clone();
        let edit = move |text: &str| line_editor::edit(text, &interrupt);
        let shell_options = shell::Options { live: &*live, files: &Disk, history, edit: &edit };
        if !options.quiet {
            self.say(&options, "zstack-cli: `help` explains, Tab completes, Ctrl-D leaves");
        }
        shell::run(shell_options, self, &mut io::stderr())?;
        Ok(())
    }

    /// Runs one line of the prompt or of a script, with its redirection; without one its output goes to `out`.
    pub(super) fn run_line(&mut self, line: &str, out: &mut Output<'_>) -> Result<Flow, Error> {
        let (command, redirection) = redirection(line)?;
        match redirection {
            None => self.evaluate_text(command, out),
            Some(Redirection::File { path, append }) => {
                let failed = |source| Error::Export { path: path.clone(), source };
                let mut file = Export::open(path.as_ref(), append).map_err(failed)?;
                let result = self.evaluate_text(command, &mut Output::Writer(&mut file));
                // The result of an action is kept as it is, too.
                if matches!(result, Ok(_) | Err(Error::NotShown(_))) {
                    file.keep().map_err(failed)?;
                }
                result
            }
            Some(Redirection::Program(program)) => {
                let started = Program::start(Program::command(&program), &self.interrupt);
                let mut program = started.map_err(|source| Error::Program { program, source })?;
                let result = self.evaluate_text(command, &mut Output::Writer(&mut program));
                program.wait()?;
                match result {
                    // The program had seen enough; the shell's own output is another matter.
                    Err(error) if error.is_closed_pipe() => Ok(Flow::Continue),
                    result => result,
                }
            }
            Some(Redirection::Filter(expression)) => {
                if let Err(error) = Filter::compile(&expression) {
                    return Err(Error::PipeFilter { problem: error.message, expression });
                }
                let before = self.options.jq.replace(expression.clone());
                let result = self.evaluate_text(command, out);
                self.options.jq = before;
                match result {
                    // `sort` is a filter too, but not of a reply.
                    Err(Error::Render(render::Error::Filter { message })) if is_bare(&expression) => {
                        Err(Error::PipeFilter { problem: message, expression })
                    }
                    result => result,
                }
            }
        }
    }

    /// Runs one line, and keeps what it led to among the results.
    fn run_recorded(&mut self, line: &str) -> Result<Flow, Error> {
        self.interrupt.clear();
        self.recording(line, |app| match app.run_line(line, &mut Output::Screen) {
            // A terminal is always read: it was a pager that was left.
            Err(error) if error.is_closed_pipe() && app.environment.stdout_terminal => Ok(Flow::Continue),
            result => result,
        })
    }

    /// Gives live look-ups a client of their own for the node in use, and forgets what another node or account has.
    fn refresh_lookup(&mut self, options: &Options) {
        let node = self.known_node(options).filter(|node| node.client.has_credentials());
        let live_of = node.as_ref().map(|node| (node.client.endpoint().base().to_owned(), node.account.clone()));
        let client = node.map(|node| {
            let mut client = node.client.fork();
            client.set_patience(nearby::PATIENCE);
            client
        });
        let mut is_another = false;
        let Some(shell) = &mut self.shell else { return };
        if shell.live_of != live_of {
            shell.live.forget();
            // Whoever logs in may be asked again when that ends.
            shell.live_of = live_of;
            is_another = client.is_some();
        }
        let asks = client.as_ref().filter(|_| is_another).map(Client::fork);
        *shell.lookup.lock().unwrap_or_else(PoisonError::into_inner) = client;
        if let Some(client) = asks {
            self.ask_offers_at_tab(options, client);
        }
    }

    /// Forgets live values: something was changed on the node.
    pub(super) fn forget_live_values(&self) {
        if let Some(shell) = &self.shell {
            shell.live.forget();
        }
    }
}

impl Evaluator for App {
    fn prompt(&mut self) -> Prompt {
        // The Ctrl-C that ended the last command must not end look-ups.
        self.interrupt.clear();
        let Ok(options) = self.settle(&self.options.clone()) else { return Prompt::default() };
        let selection = if options.sandbox { None } else { self.selection(&options).ok() };
        let context = selection.filter(|selection| selection.address_of_context).and_then(|chosen| chosen.context);
        let colour = self
            .contexts()
            .ok()
            .and_then(|contexts| contexts.preferences(context.as_deref()).prompt_color)
            .and_then(|name| Colour::parse(&name));
        // What is wrong with the node is said when a command needs it. Nothing is connected here.
        let node = self.node(&options).ok();
        let place = node.as_ref().and_then(|node| node.place());
        let account = node.filter(|node| node.client.has_credentials()).map(|node| {
            let unnamed = if node.client.session_uuid().is_some() { "session" } else { "access-key" };
            node.account.clone().unwrap_or_else(|| unnamed.to_owned())
        });
        self.refresh_lookup(&options);
        Prompt { account, place, sandbox: options.sandbox, colour }
    }

    fn known(&mut self) -> Known {
        let options = self.options.clone();
        self.follow_version(&options);
        Known { catalog: self.catalog, offers: self.known_offers(&options), contexts: self.context_names() }
    }

    fn colour(&mut self) -> bool {
        let terminal = self.environment.stdout_terminal;
        match self.settle(&self.options.clone()) {
            Ok(options) => App::colour(self, terminal, &options),
            Err(_) => false,
        }
    }

    fn evaluate(&mut self, line: &str) -> Ran {
        self.environment.measure_terminal();
        let mut result = self.run_recorded(line);
        if let Err(error) = &result
            && self.logs_in_again(line, error)
        {
            result = self.run_recorded(line);
        }
        if matches!(&result, Err(error) if error.exit_code() == ExitCode::Interrupted) {
            // The terminal has just shown `^C` there.
            self.say(&Options::default(), "");
        }
        let succeeded = result.as_ref().err().is_none_or(|error| error.exit_code() == ExitCode::Interrupted);
        let corrected = match &result {
            Err(Error::Plan(error)) => plan::corrected(line, error),
            _ => None,
        };
        let (_, flow) = self.conclude(result, None, Some(line));
        let no_secure = self.options.no_secure;
        if let Some(shell) = &mut self.shell {
            shell.keep_secrets.store(no_secure, Ordering::Relaxed);
        }
        Ran { flow, succeeded, corrected }
    }
}

/// Whether an expression is made of words alone, as a call of a program is.
fn is_bare(expression: &str) -> bool {
    expression.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
}

/// Masks the secrets of a command for the history, unless they are to be kept: for all commands, or for one that says
/// so itself.
fn masked_unless(keep_secrets: Arc<AtomicBool>) -> shell::Mask {
    Box::new(move |line| {
        let kept = keep_secrets.load(Ordering::Relaxed) || line_options(line, &Options::default()).no_secure;
        if kept { line.to_owned() } else { mask_command(line) }
    })
}

/// The options that hold for one line.
pub(super) fn line_options(line: &str, options: &Options) -> Options {
    let mut own = options.clone();
    let command = redirection(line).map_or(line, |(command, _)| command);
    let texts: Vec<String> = syntax::lex(command).words.into_iter().map(|word| word.text).collect();
    // A line that is wrong is told to be so when it runs, in the way that it asks for.
    if cli::parse(&texts, &mut own).is_err() { Options { errors: own.errors, ..options.clone() } } else { own }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::PROMPT_COLORS;

    #[test]
    fn the_history_keeps_secrets_only_when_told() {
        let keep = Arc::new(AtomicBool::new(false));
        let mask = masked_unless(Arc::clone(&keep));
        let line = "LogInByAccount accountName=admin password=hunter2";
        assert_eq!(mask(line), "LogInByAccount accountName=admin password=******");
        assert_eq!(mask(&format!("{line} -s")), format!("{line} -s"));
        assert_eq!(mask("LogInByAccount password='hunter2 -s"), "LogInByAccount password=******");
        keep.store(true, Ordering::Relaxed);
        assert_eq!(mask(line), line);
    }

    #[test]
    fn the_colours_of_contexts_are_those_of_the_prompt() {
        assert!(PROMPT_COLORS.iter().all(|name| Colour::parse(name).is_some()));
    }
}
