//! What lives as long as the program, and the command that runs.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::catalog::Catalog;
use crate::cli::Options;
use crate::client::{JobOutcome, JobRecord as _, Reply};
use crate::config::{Address, Contexts, Environment, Variables};
use crate::error::{Circumstances, Error, ExitCode};
use crate::interrupt::{Attended, Interrupt};
use crate::journal::Journal;
use crate::json::Pieces;
use crate::results::{Limits, Results};
use crate::secret::{KnownSecrets, Secrets};
use crate::terminal::{Output, Reporter, Source, Terminal};
use crate::tty;

use super::bases::TurnedBases;
use super::held::Held;
use super::imports::Imports;
use super::known_offers::KnownOffers;
use super::live_prompt::LivePrompt;
use super::node::Nodes;
use super::recording::SharedRecording;
use super::settings::{self, Settings, Target};

/// What the journal calls the sandbox, whose port is another one each time.
pub(crate) const SANDBOX: &str = "sandbox";

/// What lives as long as the program.
pub(crate) struct Session {
    pub(crate) environment: Environment,
    /// What nodes offer, as the version of the node of the line has it.
    pub(crate) catalog: Catalog,
    /// Catalogs that were imported, as far as they were read.
    pub(super) imports: Imports,
    /// What holds for every line.
    pub(crate) held: Held,
    /// The saved contexts, read when first needed.
    contexts: Option<Contexts>,
    pub(crate) nodes: Nodes,
    /// What is known of the versions and the APIs of nodes.
    pub(super) offers: KnownOffers,
    /// The addresses below or above whose `/zstack` the node lies.
    pub(super) bases: TurnedBases,
    /// The node that the program was started for, once known; none inside where that is the sandbox.
    pub(super) started_for: Option<Option<String>>,
    pub(crate) interrupt: Interrupt,
    /// Secrets that are masked wherever they turn up.
    pub(crate) known: KnownSecrets,
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
        let bases = TurnedBases::new(environment.folders().ok());
        Session {
            environment,
            catalog: Catalog::newest(),
            imports: Imports::default(),
            held: Held::new(options),
            contexts: None,
            nodes: Nodes::default(),
            offers: KnownOffers::default(),
            bases,
            started_for: None,
            interrupt: Interrupt::new(),
            known: KnownSecrets::default(),
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

    /// The base URL of a node; none for the sandbox, whose address is another at every start.
    pub(crate) fn url_of(&mut self, target: &Target) -> Result<Option<String>, Error> {
        let endpoint = target.address.as_ref().map(|address| self.bases.endpoint_of(address)).transpose()?;
        Ok(endpoint.map(|endpoint| endpoint.base().to_owned()))
    }

    /// Whether an address leads to the node at that base URL.
    pub(crate) fn leads_to(&mut self, address: &Address, base: &str) -> bool {
        self.bases.endpoint_of(address).is_ok_and(|endpoint| endpoint.base() == base)
    }

    /// The node that the program was started for; `None` where that is the sandbox.
    pub(crate) fn started_for(&mut self) -> Result<Option<String>, Error> {
        if let Some(known) = &self.started_for {
            return Ok(known.clone());
        }
        let target = self.settle(&Options::default())?.target;
        let url = self.url_of(&target)?;
        self.started_for = Some(url.clone());
        Ok(url)
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
        if self.prompt.is_some() {
            return Ok(None);
        }
        tty::leave_ends_to_others();
        Ok(Some(self.interrupt.on_end()?))
    }

    /// Forgets live values: something was changed on the node.
    pub(crate) fn forget_live_values(&self) {
        if let Some(prompt) = &self.prompt {
            prompt.live.forget();
        }
    }

    /// Runs a command, and keeps what it led to among the results. The ones that it runs itself have results of their own.
    pub(crate) fn recording<T>(
        &mut self,
        command: &str,
        run: impl FnOnce(&mut Session) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.known.learn_line(command);
        let secrets = if self.held.options.no_secure { Secrets::Shown } else { Secrets::Masked };
        // Where no folder is known there is no place for results.
        let Ok(results) = self.results(secrets) else { return run(self) };
        let recording = SharedRecording::new(&results, command);
        let outer = self.recording.replace(recording.clone());
        let result = run(self);
        self.recording = outer;
        // A command of a script does its work also where nothing can be kept.
        if let Err(error) = recording.keep(result.as_ref().map(drop), &self.known_secrets())
            && self.prompt.is_some()
        {
            self.settle_without_contexts(&Options::default()).ui.warn(&format!("the result cannot be kept: {error}"));
        }
        result
    }

    /// A reply, recorded on its way where results are kept.
    pub(crate) fn recorded(&self, reply: Reply) -> Box<dyn Pieces> {
        match &self.recording {
            Some(recording) => recording.of(reply),
            None => Box::new(reply),
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

    /// The secrets in use: of the commands, of the environment, and the open sessions.
    pub(crate) fn known_secrets(&self) -> KnownSecrets {
        let variables = &self.environment.variables;
        let of_environment = [&variables.session_uuid, &variables.access_key_secret, &variables.password];
        let sessions = self.nodes.connected().iter().filter_map(|node| node.client.session_uuid());
        let secrets = of_environment.into_iter().flatten().cloned().chain(sessions);
        secrets.for_each(|secret| self.known.learn(secret.expose()));
        self.known.clone()
    }

    /// Ends what was opened for this run alone.
    pub(crate) fn close(&mut self) {
        // Whoever pressed Ctrl-C still wants the session of the run closed.
        self.interrupt.clear();
        self.nodes.close();
        self.interrupt.end_by_signal();
    }
}
