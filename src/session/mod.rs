//! What the commands of one run share: settings, contexts, connected nodes, and what is known of them.
//!
//! A [`Session`] lives as long as the program. Before a line runs, [`Session::settle`] says what holds for it; the
//! command then gets an [`Invocation`], and from [`nodes`] the node that its settings mean.

mod bases;
pub(crate) mod credentials;
mod line;
mod live;
mod log_in;
pub(crate) mod nearby;
pub(crate) mod nodes;
pub(crate) mod offers;
mod offers_store;
mod recording;
mod settings;
mod stored_session;

use std::time::{SystemTime, UNIX_EPOCH};

use crate::catalog::Catalog;
use crate::cli::{ErrorFormat, Options};
use crate::client::{JobOutcome, JobRecord as _};
use crate::config::{Contexts, Environment, Variables};
use crate::error::{Circumstances, Error, ExitCode};
use crate::interrupt::{Attended, Interrupt};
use crate::journal::Journal;
use crate::results::{Limits, Results};
use crate::secret::{Secret, Secrets};
use crate::terminal::{Output, Reporter, Source, Terminal};

pub(crate) use bases::{Turned, leads_to, turn};
pub(crate) use line::Line;
pub(crate) use live::{LivePrompt, refresh};
pub(crate) use log_in::{ADMIN, Captcha, LogIn, Proofs, who_of};
pub(crate) use recording::{SharedRecording, record, recorded, recording};
pub(crate) use settings::{Held, Settings, Target, ViewSettings, errors_of_environment};

/// What the journal calls the sandbox, whose port is another one each time.
pub(crate) const SANDBOX: &str = "sandbox";

/// What lives as long as the program.
pub(crate) struct Session {
    pub(crate) environment: Environment,
    /// What nodes offer, as the version of the node of the line has it.
    pub(crate) catalog: Catalog,
    /// What holds for every line.
    pub(crate) held: Held,
    /// The saved contexts, read when first needed.
    contexts: Option<Contexts>,
    pub(crate) nodes: nodes::Nodes,
    pub(crate) interrupt: Interrupt,
    /// What was probably meant by the command that has just failed.
    pub(crate) advice: Option<String>,
    /// What the command that runs led to so far.
    pub(crate) recording: Option<SharedRecording>,
    /// Whether commands come from standard input, so that nothing else can be read there.
    pub(crate) reads_stdin: bool,
    /// How many scripts are running, each started by the one before.
    pub(crate) scripts: usize,
    /// What only the interactive shell has.
    pub(crate) prompt: Option<LivePrompt>,
    /// Whether it was said that the configuration is wrong, where a command goes on without.
    warned_of_configuration: bool,
}

/// A command that runs.
pub(crate) struct Invocation<'a> {
    pub(crate) session: &'a mut Session,
    /// What holds for its line.
    pub(crate) settings: &'a Settings,
    /// Where its results go.
    pub(crate) out: Output<'a>,
}

impl Invocation<'_> {
    /// Says something beside results, unless the user wants quiet.
    pub(crate) fn say(&self, text: &str) {
        self.settings.ui.say(text);
    }

    /// Hands `write` the writer of the results.
    pub(crate) fn write<T>(
        &mut self,
        write: impl FnOnce(&mut dyn std::io::Write) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.out.write(&self.settings.ui, &self.session.interrupt, write)
    }
}

impl Session {
    /// What a program knows that has just been started.
    pub(crate) fn new(environment: Environment, options: Options) -> Session {
        Session {
            environment,
            catalog: Catalog::newest(),
            held: Held::new(options),
            contexts: None,
            nodes: nodes::Nodes::default(),
            interrupt: Interrupt::new(),
            advice: None,
            recording: None,
            reads_stdin: false,
            scripts: 0,
            prompt: None,
            warned_of_configuration: false,
        }
    }

    /// What holds for a line with these options. The sandbox needs no configuration, so that one which is wrong is only
    /// warned of there.
    pub(crate) fn settle(&mut self, line: &Options) -> Result<Settings, Error> {
        let terminal = Terminal::of(&self.environment);
        let with = |session: &Session, contexts: &Contexts| {
            settings::settle(line, &session.held, &session.environment.variables, contexts, terminal)
        };
        match self.contexts().map(drop) {
            Ok(()) => with(self, self.contexts.as_ref().unwrap_or(&Contexts::default())),
            Err(error) if line.sandbox || self.held.options.sandbox => {
                let settings = with(self, &Contexts::default())?;
                if !std::mem::replace(&mut self.warned_of_configuration, true) {
                    settings.ui.warn(&format!("{error}; the sandbox goes on without the configuration"));
                }
                Ok(settings)
            }
            Err(error) => Err(error),
        }
    }

    /// As [`Session::settle`], for what works whatever the configuration says: one that is wrong fills in nothing.
    pub(crate) fn settle_if_possible(&mut self, line: &Options) -> Settings {
        self.settle(line).unwrap_or_else(|_| self.settle_without_contexts(line))
    }

    /// What holds for a line by what was typed and by the environment.
    pub(crate) fn settle_without_contexts(&self, line: &Options) -> Settings {
        let terminal = Terminal::of(&self.environment);
        settings::settle_typed(line, &self.held, &self.environment.variables, terminal)
    }

    /// What holds for a line by what was typed alone.
    pub(crate) fn settle_typed(&self, line: &Options) -> Settings {
        settings::settle_typed(line, &self.held, &Variables::default(), Terminal::of(&self.environment))
    }

    /// The same settings for another node.
    pub(crate) fn aimed_at(&mut self, settings: &Settings, target: Target) -> Settings {
        let context = target.context.as_deref();
        let preferences = self.contexts().map(|contexts| contexts.preferences(context)).unwrap_or_default();
        Settings { target, preferences, ..settings.clone() }
    }

    /// The saved contexts.
    pub(crate) fn contexts(&mut self) -> Result<&Contexts, Error> {
        let loaded = match self.contexts.take() {
            Some(loaded) => loaded,
            None => Contexts::load(self.environment.folders()?)?,
        };
        Ok(self.contexts.insert(loaded))
    }

    /// Takes over contexts that were changed.
    pub(crate) fn set_contexts(&mut self, contexts: Contexts) {
        self.contexts = Some(contexts);
    }

    /// The names of the saved contexts; none where they cannot be read.
    pub(crate) fn context_names(&mut self) -> Vec<String> {
        let names = |contexts: &Contexts| contexts.all().iter().map(|context| context.name.clone()).collect();
        self.contexts().map(names).unwrap_or_default()
    }

    /// The kept results.
    pub(crate) fn results(&self, secrets: Secrets) -> Result<Results, Error> {
        let folder = self.environment.folders()?.state.join("results");
        Ok(Results::new(folder, Limits::default(), secrets == Secrets::Shown))
    }

    /// The journal, for jobs that are sent to the node at that address.
    pub(crate) fn journal(&self, url: Option<&str>, context: Option<&str>) -> Result<Journal, Error> {
        Ok(Journal::new(self.environment.folders()?, url.unwrap_or(SANDBOX), context))
    }

    /// Notes in the journal what became of a job. A journal that cannot be written does not take the result away.
    pub(crate) fn note_end(&self, job: &str, outcome: JobOutcome, url: Option<&str>) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        if let Ok(mut journal) = self.journal(url, None) {
            journal.ended(job, outcome, now);
        }
    }

    /// Makes Ctrl-C ask for an end instead of ending the process, and signals that end it, too, for as long as what comes
    /// back is kept.
    pub(crate) fn attend_to_ends(&self) -> Result<Option<Attended>, Error> {
        self.interrupt.on_ctrl_c()?;
        // Whoever ends a shell ends it at once.
        Ok(if self.prompt.is_none() { Some(self.interrupt.on_end()?) } else { None })
    }

    /// Forgets live values: something was changed on the node.
    pub(crate) fn forget_live_values(&self) {
        if let Some(prompt) = &self.prompt {
            prompt.live.forget();
        }
    }

    /// Tells an error, and what it means for the exit code. `source` is where the command stands, and `line` its text.
    pub(crate) fn report(
        &mut self,
        error: Error,
        settings: &Settings,
        source: Option<&Source<'_>>,
        line: Option<&str>,
    ) -> ExitCode {
        let code = error.exit_code();
        if matches!(error, Error::Reported(_)) {
            return code;
        }
        let has_foreign_session = self.nodes.connected().iter().any(|node| node.has_foreign_session);
        let stderr = settings.ui.terminal.stderr;
        let reporter = Reporter {
            format: settings.ui.errors.value,
            terminal: stderr,
            colour: settings.ui.colour(stderr),
            chinese: self.environment.variables.chinese,
            circumstances: Circumstances {
                advice: self.advice.take(),
                session_variable: has_foreign_session.then_some("ZSTACK_SESSION_UUID"),
                at_prompt: self.prompt.is_some() && source.is_none(),
            },
            known: self.known_secrets(),
        };
        reporter.tell(error, source, line);
        code
    }

    /// The secrets in use: of the environment, and the open sessions.
    fn known_secrets(&self) -> Vec<Secret> {
        let variables = &self.environment.variables;
        let of_environment = [&variables.session_uuid, &variables.access_key_secret, &variables.password];
        let sessions = self.nodes.connected().iter().filter_map(|node| node.client.session_uuid());
        of_environment.into_iter().flatten().cloned().chain(sessions).collect()
    }

    /// Ends what was opened for this run alone.
    pub(crate) fn close(&mut self) {
        // Whoever pressed Ctrl-C still wants the session of the run closed.
        self.interrupt.clear();
        self.nodes.close();
        self.interrupt.end_by_signal();
    }
}

/// How errors are written when a line asks for it, or else the environment, before anything is settled.
pub(crate) fn error_format(typed: Option<ErrorFormat>, variables: &Variables) -> ErrorFormat {
    typed.or_else(|| errors_of_environment(variables).unwrap_or_default()).unwrap_or_default()
}
