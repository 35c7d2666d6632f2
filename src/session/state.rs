//! The state of the program and of the current command.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::catalog::Catalog;
use crate::cli::Options;
use crate::client::{JobOutcome, JobRecord as _, JobUuid, Reply};
use crate::config::{Address, Contexts, Environment, Variables};
use crate::error::{Circumstances, Error, ExitCode};
use crate::interrupt::{Attended, Interrupt};
use crate::journal::Journal;
use crate::json::Pieces;
use crate::results::{Limits, Results};
use crate::secret::{KnownSecrets, Secrets};
use crate::shell::complete::Defined;
use crate::terminal::{Output, Paging, Reporter, Source, Terminal};
use crate::tty;

use super::base_options::BaseOptions;
use super::bases::TurnedBases;
use super::imports::Imports;
use super::known_offers::KnownOffers;
use super::live_prompt::LivePrompt;
use super::node::Nodes;
use super::recording::SharedRecording;
use super::settings::{self, Settings, Target};
use super::variables;

/// The name of the sandbox in the journal, since its port changes.
pub(crate) const SANDBOX: &str = "sandbox";

/// The state of the program.
pub(crate) struct Session {
    pub(crate) environment: Environment,
    /// The catalog, in the version of the line's node.
    pub(crate) catalog: Catalog,
    /// Catalogs that were imported, as far as they were read.
    pub(super) imports: Imports,
    /// What holds for every line.
    pub(crate) base: BaseOptions,
    /// The saved contexts, read when first needed.
    contexts: Option<Contexts>,
    pub(crate) nodes: Nodes,
    /// The known versions and APIs of nodes.
    pub(super) offers: KnownOffers,
    /// The bases of nodes that have to be switched.
    pub(super) bases: TurnedBases,
    /// The node that the program was started for, once known; the inner `None` is the sandbox.
    pub(super) started_for: Option<Option<String>>,
    pub(crate) interrupt: Interrupt,
    /// Secrets that are masked wherever they turn up.
    pub(crate) known: KnownSecrets,
    /// What was probably meant by the command that has just failed.
    pub(crate) advice: Option<String>,
    /// The uuid of an action that was refused for its session, while its line runs once more: it is sent again under that
    /// uuid.
    pub(crate) refused_job: Option<JobUuid>,
    /// The names that the last command with names gave, with the uuids that they stood for.
    pub(crate) names: Vec<(String, String)>,
    /// The last action of the line whose result was printed.
    pub(crate) printed_action: Option<PrintedAction>,
    /// The recorded result of the current command.
    pub(crate) recording: Option<SharedRecording>,
    /// Whether commands are read from standard input, so that nothing else can be read there.
    pub(crate) reads_stdin: bool,
    /// The number of nested scripts.
    pub(crate) scripts: usize,
    /// What `let` keeps.
    pub(crate) variables: variables::Variables,
    /// The words that the script was given; `None` where no file is run.
    pub(crate) words: Option<Vec<String>>,
    /// The state of the interactive shell.
    pub(crate) prompt: Option<LivePrompt>,
    /// Whether the warning about an invalid configuration was printed.
    warned_of_configuration: bool,
}

/// What a session for another thread begins with.
pub(crate) struct SessionSeed {
    environment: Environment,
    base: BaseOptions,
    interrupt: Interrupt,
    known: KnownSecrets,
}

/// An action that was carried out and whose result was printed.
#[derive(Clone, Debug)]
pub(crate) struct PrintedAction {
    pub(crate) api: &'static str,
    /// What it made, in brackets, such as ` (uuid 0b5c, name lab)`; empty where it made nothing.
    pub(crate) made: String,
}

/// The current command.
pub(crate) struct Invocation<'a> {
    pub(crate) session: &'a mut Session,
    /// The settings of its line.
    pub(crate) settings: &'a Settings,
    /// The output for its results.
    pub(crate) out: Output<'a>,
}

impl Invocation<'_> {
    /// Prints a message, unless `--quiet` is set.
    pub(crate) fn say(&self, text: &str) {
        self.settings.ui.say(text);
    }

    /// Calls `write` with the writer for results.
    pub(crate) fn write<T>(
        &mut self,
        write: impl FnOnce(&mut dyn std::io::Write) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.write_paged(Paging::Lines, write)
    }

    /// As [`Invocation::write`], where it is known what is to become of what does not fit.
    pub(crate) fn write_paged<T>(
        &mut self,
        paging: Paging,
        write: impl FnOnce(&mut dyn std::io::Write) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.out.write(paging, &self.settings.ui, &self.session.interrupt, write)
    }
}

impl Session {
    /// The state at the start of the program.
    pub(crate) fn new(environment: Environment, options: Options) -> Session {
        let bases = TurnedBases::new(environment.folders().ok());
        Session {
            environment,
            catalog: Catalog::newest(),
            imports: Imports::default(),
            base: BaseOptions::new(options),
            contexts: None,
            nodes: Nodes::default(),
            offers: KnownOffers::default(),
            bases,
            started_for: None,
            interrupt: Interrupt::new(),
            known: KnownSecrets::default(),
            advice: None,
            refused_job: None,
            names: Vec::new(),
            printed_action: None,
            recording: None,
            reads_stdin: false,
            scripts: 0,
            variables: variables::Variables::new(),
            words: None,
            prompt: None,
            warned_of_configuration: false,
        }
    }

    /// What a session for a context begins with, for a thread of its own.
    pub(crate) fn seed(&self, context: &str) -> SessionSeed {
        let mut base = self.base.clone();
        base.options.context = Some(context.to_owned());
        let (interrupt, known) = (self.interrupt.clone(), self.known.clone());
        SessionSeed { environment: self.environment.clone(), base, interrupt, known }
    }

    /// A session for one of several contexts. The credentials of the environment are for one node, and not used.
    pub(crate) fn grow(seed: SessionSeed) -> Session {
        let SessionSeed { environment, base, interrupt, known } = seed;
        let session = Session::new(environment, Options::default());
        Session { base, interrupt, known, started_for: Some(None), ..session }
    }

    /// The settings of a line with these options. The sandbox needs no configuration, so that an invalid one is only a
    /// warning there.
    pub(crate) fn settle(&mut self, line: &Options) -> Result<Settings, Error> {
        let terminal = Terminal::of(&self.environment);
        let with = |session: &Session, contexts: &Contexts| {
            settings::settle(line, &session.base, &session.environment.variables, contexts, terminal)
        };
        match self.contexts().map(drop) {
            Ok(()) => with(self, self.contexts.as_ref().unwrap_or(&Contexts::default())),
            Err(error) if line.sandbox || self.base.options.sandbox => {
                let settings = with(self, &Contexts::default())?;
                if !std::mem::replace(&mut self.warned_of_configuration, true) {
                    settings.ui.warn(&format!("{error}; the sandbox goes on without the configuration"));
                }
                Ok(settings)
            }
            Err(error) => Err(error),
        }
    }

    /// As [`Session::settle`], but ignores an invalid configuration.
    pub(crate) fn settle_if_possible(&mut self, line: &Options) -> Settings {
        self.settle(line).unwrap_or_else(|_| self.settle_without_contexts(line))
    }

    /// The settings of a line without contexts.
    pub(crate) fn settle_without_contexts(&self, line: &Options) -> Settings {
        let terminal = Terminal::of(&self.environment);
        settings::settle_typed(line, &self.base, &self.environment.variables, terminal)
    }

    /// The settings of a line without contexts and environment.
    pub(crate) fn settle_typed(&self, line: &Options) -> Settings {
        settings::settle_typed(line, &self.base, &Variables::default(), Terminal::of(&self.environment))
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

    /// Replaces the contexts after a change.
    pub(crate) fn set_contexts(&mut self, contexts: Contexts) {
        self.contexts = Some(contexts);
    }

    /// Whether other lines may follow that of the current command.
    pub(crate) fn has_later_lines(&self) -> bool {
        self.prompt.is_some() || self.scripts > 0 || self.reads_stdin
    }

    /// The names of the saved contexts; empty if they cannot be read.
    pub(crate) fn context_names(&mut self) -> Vec<String> {
        let names = |contexts: &Contexts| contexts.all().iter().map(|context| context.name.clone()).collect();
        self.contexts().map(names).unwrap_or_default()
    }

    /// The names of variables and aliases, without the latter if they cannot be read.
    pub(crate) fn defined(&mut self) -> Defined {
        let variables = self.variables.keys().cloned().collect();
        let pair = |(name, line): (&String, &String)| (name.clone(), line.clone());
        let aliases = self.contexts().map(|contexts| contexts.aliases().iter().map(pair).collect());
        Defined { variables, aliases: aliases.unwrap_or_default() }
    }

    /// The base URL of a node; `None` for the sandbox, whose address changes at each start.
    pub(crate) fn url_of(&mut self, target: &Target) -> Result<Option<String>, Error> {
        let endpoint = target.address.as_ref().map(|address| self.bases.endpoint_of(address)).transpose()?;
        Ok(endpoint.map(|endpoint| endpoint.base().to_owned()))
    }

    /// Whether an address is that of the node at a base URL.
    pub(crate) fn leads_to(&mut self, address: &Address, base: &str) -> bool {
        self.bases.endpoint_of(address).is_ok_and(|endpoint| endpoint.base() == base)
    }

    /// The node that the program was started for; `None` for the sandbox.
    pub(crate) fn started_for(&mut self) -> Result<Option<String>, Error> {
        if let Some(known) = &self.started_for {
            return Ok(known.clone());
        }
        let target = self.settle(&Options::default())?.target;
        let url = self.url_of(&target)?;
        self.started_for = Some(url.clone());
        Ok(url)
    }

    /// The stored results.
    pub(crate) fn results(&self, secrets: Secrets) -> Result<Results, Error> {
        let folder = self.environment.folders()?.state.join("results");
        Ok(Results::new(folder, Limits::default(), secrets == Secrets::Shown))
    }

    /// The journal for jobs of the node at that address.
    pub(crate) fn journal(&self, url: Option<&str>, context: Option<&str>) -> Result<Journal, Error> {
        Ok(Journal::new(self.environment.folders()?, url.unwrap_or(SANDBOX), context))
    }

    /// Records the outcome of a job in the journal. Errors of the journal are ignored.
    pub(crate) fn note_end(&self, job: &str, outcome: JobOutcome, url: Option<&str>) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        if let Ok(mut journal) = self.journal(url, None) {
            journal.ended(job, outcome, now);
        }
    }

    /// Handles Ctrl-C, so that it interrupts the command and does not end the process, and signals that end the process
    /// while the returned value lives.
    pub(crate) fn attend_to_ends(&self) -> Result<Option<Attended>, Error> {
        self.interrupt.on_ctrl_c()?;
        // Whoever ends a shell ends it at once.
        if self.prompt.is_some() {
            return Ok(None);
        }
        tty::leave_ends_to_others();
        Ok(Some(self.interrupt.on_end()?))
    }

    /// Clears the cached values after a change on the node.
    pub(crate) fn forget_live_values(&self) {
        if let Some(prompt) = &self.prompt {
            prompt.live.forget();
        }
    }

    /// Runs a command and stores its result. Commands that it runs itself have their own results.
    pub(crate) fn recording<T>(
        &mut self,
        command: &str,
        run: impl FnOnce(&mut Session) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.known.learn_line(command);
        let secrets = if self.base.options.no_secure { Secrets::Shown } else { Secrets::Masked };
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

    /// A reply that is recorded, if results are stored.
    pub(crate) fn recorded(&self, reply: Reply) -> Box<dyn Pieces> {
        match &self.recording {
            Some(recording) => recording.of(reply),
            None => Box::new(reply),
        }
    }

    /// Prints an error and returns the exit code. `source` is the place of the command, and `line` its text.
    pub(crate) fn report(
        &mut self,
        error: Error,
        settings: &Settings,
        source: Option<&Source<'_>>,
        line: Option<&str>,
    ) -> ExitCode {
        let code = error.exit_code();
        if !matches!(error, Error::Reported(_)) {
            self.reporter(settings, source.is_none()).tell(error, source, line);
        }
        code
    }

    /// What prints errors. `is_typed` says whether the command was typed itself.
    pub(crate) fn reporter(&mut self, settings: &Settings, is_typed: bool) -> Reporter {
        let has_foreign_session = self.nodes.connected().iter().any(|node| node.has_foreign_session);
        let stderr = settings.ui.terminal.stderr;
        Reporter {
            format: settings.ui.errors.value,
            terminal: stderr,
            colour: settings.ui.colour(stderr),
            language: self.environment.variables.language,
            circumstances: Circumstances {
                advice: self.advice.take(),
                session_variable: has_foreign_session.then_some("ZSTACK_SESSION_UUID"),
                at_prompt: self.prompt.is_some() && is_typed,
            },
            known: self.known_secrets(),
        }
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

    /// Closes the sessions that were opened for this run.
    pub(crate) fn close(&mut self) {
        // The session of the run is closed after Ctrl-C, too.
        self.interrupt.clear();
        self.nodes.close();
        self.interrupt.end_by_signal();
    }
}
