//! The interactive shell: what the program is for the prompt.

use std::cell::Cell;
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::Arc;

use crate::calls::KeptHere;
use crate::cli::Options;
use crate::client::{self, JobUuid};
use crate::commands::login;
use crate::error::{Error, ExitCode};
use crate::plan;
use crate::session::{Invocation, Line, LivePrompt, Session, nodes, offers, refresh, to_keep};
use crate::shell::complete::Disk;
use crate::shell::{self, Colour, Evaluator, Flow, History, Known, LineOutcome, Prompt};
use crate::terminal::{self, Output};

use super::conclude::conclude;
use super::evaluate::run_line;
use super::sequence::Sequence;

/// Runs the shell until the user leaves.
pub(super) fn run(session: &mut Session) -> ExitCode {
    match converse(session) {
        Ok(code) => code.map_or(ExitCode::Done, ExitCode::said),
        Err(error) => {
            let settings = session.settle_if_possible(&Options::default());
            session.report(error, &settings, None, None)
        }
    }
}

fn converse(session: &mut Session) -> Result<Option<u8>, Error> {
    // What is wrong with the configuration or the sandbox is worth knowing before the first prompt.
    let settings = session.settle(&Options::default())?;
    if settings.target.is_sandbox() {
        nodes::node(session, &settings)?;
    }
    session.interrupt.on_ctrl_c()?;
    let keeps_secrets = Rc::new(Cell::new(session.base.options.no_secure));
    let history = session.environment.folders()?.state.join("history");
    let history = History::new(Some(history), mask(&keeps_secrets));
    let prompt = LivePrompt::new();
    let live = Arc::clone(&prompt.live);
    let kept = KeptHere::new(session);
    session.prompt = Some(prompt);
    settings.ui.say("zstack-cli: `help` explains, Tab completes, Ctrl-D leaves");
    let interrupt = session.interrupt.clone();
    let edit = |text: &str| terminal::edit(text, &interrupt);
    let shell_options = shell::Options { live: &*live, files: &Disk, kept: &kept, history, edit: &edit };
    Ok(shell::run(shell_options, &mut AtPrompt { session, keeps_secrets }, &mut io::stderr())?)
}

/// Masks the secrets of a line for the history, unless those of all lines are to be kept.
fn mask(keeps_secrets: &Rc<Cell<bool>>) -> shell::Mask {
    let keeps = Rc::clone(keeps_secrets);
    Box::new(move |text| if keeps.get() { text.to_owned() } else { to_keep(text) })
}

/// The program, as the prompt asks it to do things.
struct AtPrompt<'s> {
    session: &'s mut Session,
    /// Whether the history keeps the secrets of all lines.
    keeps_secrets: Rc<Cell<bool>>,
}

impl AtPrompt<'_> {
    /// Runs one line, and keeps what it led to among the results.
    fn run_recorded(&mut self, line: &Line) -> Result<Flow, Error> {
        self.session.interrupt.clear();
        let on_terminal = self.session.environment.stdout_terminal;
        self.session.recording(&line.text, |session| match run_line(session, line, &mut Output::Screen) {
            // A terminal is always read: it was a pager that was left.
            Err(error) if error.is_closed_pipe() && on_terminal => Ok(Flow::Continue),
            result => result,
        })
    }

    /// Runs one command, again after a log-in where it failed for want of a session, and tells how it ended.
    fn run_to_its_end(&mut self, line: &Line) -> (ExitCode, LineOutcome) {
        let mut result = self.run_recorded(line);
        if let Err(error) = &result
            && self.logs_in_again(line, error)
        {
            self.session.refused_job = refused_job(error);
            result = self.run_recorded(line);
            self.session.refused_job = None;
        }
        if matches!(&result, Err(error) if error.exit_code() == ExitCode::Interrupted) {
            // The terminal has just shown `^C` there.
            let _ = writeln!(io::stderr());
        }
        let succeeded = result.as_ref().err().is_none_or(|error| error.exit_code() == ExitCode::Interrupted);
        let corrected = match &result {
            Err(Error::Plan(error)) => plan::corrected(&line.text, error),
            Err(Error::Name(error)) => error.corrected(&line.text),
            _ => None,
        };
        let (code, flow) = conclude(self.session, result, line, None);
        (code, LineOutcome { flow, succeeded, corrected })
    }

    /// Lets the user log in when a command failed for want of a session. Whether to repeat the command: only where it
    /// surely did not run.
    fn logs_in_again(&mut self, line: &Line, error: &Error) -> bool {
        let never_ran = match error {
            Error::Client(client::Error::NoSession { .. }) => true,
            Error::Client(client::Error::SessionExpired { failure, .. }) => failure.refused_session(),
            _ => return false,
        };
        let environment = &self.session.environment;
        if !environment.stdin_terminal || !environment.stderr_terminal {
            return false;
        }
        let settings = self.session.settle_if_possible(&line.options);
        let mut cx = Invocation { session: self.session, settings: &settings, out: Output::Screen };
        match login::again(&mut cx, error) {
            Ok(true) if never_ran => true,
            Ok(true) => {
                cx.say("the command may have been carried out before, and is not repeated");
                false
            }
            Ok(false) => false,
            Err(error) => {
                self.session.report(error, &settings, None, None);
                false
            }
        }
    }
}

/// The uuid of the action that a node refused for its session, where that was the error.
fn refused_job(error: &Error) -> Option<JobUuid> {
    match error {
        Error::Client(client::Error::SessionExpired { refused_job, .. }) => *refused_job,
        _ => None,
    }
}

impl Evaluator for AtPrompt<'_> {
    fn prompt(&mut self) -> Prompt {
        // The Ctrl-C that ended the last command must not end look-ups.
        self.session.interrupt.clear();
        let Ok(settings) = self.session.settle(&Options::default()) else { return Prompt::default() };
        let target = &settings.target;
        let colour = match target.is_of_context || target.is_sandbox() {
            true => settings.preferences.prompt_color.clone(),
            false => self.session.contexts().ok().and_then(|contexts| contexts.preferences(None).prompt_color),
        };
        // What is wrong with the node is said when a command needs it. Nothing is connected here.
        let node = nodes::node(self.session, &settings).ok();
        let place = node.as_ref().and_then(|node| node.place());
        let account = node.filter(|node| node.client.has_credentials()).map(|node| {
            let unnamed = if node.client.session_uuid().is_some() { "session" } else { "access-key" };
            node.account.clone().unwrap_or_else(|| unnamed.to_owned())
        });
        refresh(self.session, &settings);
        let colour = colour.and_then(|name| Colour::parse(&name));
        Prompt { account, place, sandbox: settings.target.is_sandbox(), colour }
    }

    fn known(&mut self) -> Known {
        let settings = self.session.settle(&Options::default()).ok();
        offers::follow_version(self.session, settings.as_ref());
        let offers = settings.and_then(|settings| offers::known(self.session, &settings.target));
        let contexts = self.session.context_names();
        let language = self.session.environment.variables.language;
        Known { catalog: self.session.catalog, offers, contexts, defined: self.session.defined(), language }
    }

    fn colour(&mut self) -> bool {
        let settings = self.session.settle(&Options::default());
        settings.is_ok_and(|settings| settings.ui.colour(settings.ui.terminal.stdout))
    }

    /// Runs the commands of a line, as a Unix shell does: each after the other, whether or not it fails.
    fn evaluate(&mut self, text: &str) -> LineOutcome {
        self.session.environment.measure_terminal();
        let mut outcome = LineOutcome { flow: Flow::Continue, succeeded: true, corrected: None };
        let mut commands = Sequence::of(text);
        while let Some(line) = commands.next(self.session) {
            let (code, of_command) = self.run_to_its_end(&line);
            outcome.flow = of_command.flow;
            outcome.succeeded &= of_command.succeeded;
            outcome.corrected = of_command.corrected.or(outcome.corrected);
            if outcome.flow != Flow::Continue || code == ExitCode::Interrupted {
                break;
            }
        }
        self.keeps_secrets.set(self.session.base.options.no_secure);
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::PROMPT_COLORS;

    #[test]
    fn the_history_keeps_secrets_only_when_told() {
        let keeps_secrets = Rc::new(Cell::new(false));
        let mask = mask(&keeps_secrets);
        let line = "LogInByAccount accountName=admin password=hunter2";
        assert_eq!(mask(line), "LogInByAccount accountName=admin password=******");
        assert_eq!(mask(&format!("{line} -s")), format!("{line} -s"));
        assert_eq!(mask("LogInByAccount password='hunter2 -s"), "LogInByAccount password=******");
        keeps_secrets.set(true);
        assert_eq!(mask(line), line);
    }

    #[test]
    fn the_colours_of_contexts_are_those_of_the_prompt() {
        assert!(PROMPT_COLORS.iter().all(|name| Colour::parse(name).is_some()));
    }
}
