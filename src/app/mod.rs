//! Where all modules meet: a line, or the words of one, becomes an outcome, whoever typed it.

mod arrange;
mod bases;
mod call;
mod capacity;
mod completion;
mod confirm;
mod connect;
mod error_object;
mod export;
mod full_screen;
mod interactive;
mod jobs;
mod lines;
mod login;
mod missing;
mod nearby;
mod no_echo;
mod offers;
mod offers_store;
mod output;
mod own;
mod pager;
mod program;
mod raw;
mod recorder;
mod report;
mod script;
mod secrets;
mod session_store;
mod set;
mod settings;
mod several;
mod shape;
mod spinner;
mod view;
mod waiting;
mod watch;
mod zql;
mod zql_results;

use std::ffi::OsString;
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::thread;

use crate::catalog::Catalog;
use crate::cli::{self, Line, Options, OwnCommand, UsageError};
use crate::client::{Attended, Interrupt};
use crate::config::{Contexts, Environment};
use crate::error::{Error, ExitCode};
use crate::json;
use crate::plan;
use crate::render;
use crate::secret::KnownSecrets;
use crate::shell::Flow;
use crate::syntax::{self, Command, Word};
use crate::terminal;

use connect::Node;
use output::Output;
use recorder::Tape;
use report::{Reporter, Source};
use settings::errors_of_environment;

/// Runs the program with the arguments that follow its name.
pub fn run(environment: Environment, arguments: &[OsString]) -> ExitCode {
    let texts: Vec<_> = arguments.iter().map(|argument| argument.to_string_lossy()).collect();
    let errors = cli::errors_among(&texts).or_else(|| errors_of_environment(&environment).unwrap_or_default());
    panic::set_hook(Box::new(move |panic| {
        terminal::restore();
        let _ = writeln!(io::stderr(), "{}", report::bug(panic.location(), errors.unwrap_or_default()));
    }));
    let options = Options { errors, ..Options::default() };
    panic::catch_unwind(AssertUnwindSafe(|| start(environment, arguments, options))).unwrap_or(ExitCode::Bug)
}

fn start(environment: Environment, arguments: &[OsString], mut options: Options) -> ExitCode {
    let texts = arguments.iter().map(|argument| argument.to_str().ok_or_else(|| UsageError::not_text(argument)));
    let words = texts.map(|text| text.map(str::to_owned)).collect::<Result<Vec<String>, UsageError>>();
    let line = words.and_then(|words| Ok((cli::parse(&words, &mut options)?, words))).map_err(Error::from);
    // A wrong value in the environment is told before anything else can go wrong, unless the option decides.
    let checked = if options.errors.is_none() { errors_of_environment(&environment).map(drop) } else { Ok(()) };
    let (line, words) = match line.and_then(|line| checked.map(|()| line)) {
        Ok(line) => line,
        Err(error) => {
            let mut app = App::new(environment);
            app.options.errors = options.errors;
            return app.conclude(Err(error), None, None).0;
        }
    };
    let may_filter = options.jq.is_some() || matches!(line, Line::Nothing | Line::Own(OwnCommand::Run { .. }));
    if !may_filter {
        return evaluate(environment, line, &words, options);
    }
    let evaluated = || evaluate(environment.clone(), line.clone(), &words, options.clone());
    thread::scope(|scope| match thread::Builder::new().stack_size(render::STACK).spawn_scoped(scope, evaluated) {
        Ok(thread) => thread.join().unwrap_or(ExitCode::Bug),
        // Where there is no room for it, no jq expression recurses deeply either.
        Err(_) => evaluated(),
    })
}

/// Evaluates the line that the arguments came to.
fn evaluate(environment: Environment, line: Line, arguments: &[String], options: Options) -> ExitCode {
    let mut app = App::new(environment);
    app.options = options;
    if matches!(line, Line::Nothing) {
        return app.shell_or_script();
    }
    let (text, words) = match &line {
        Line::Call(words) => Command::words_from_args(words),
        _ => Default::default(),
    };
    let options = app.options.clone();
    match &line {
        Line::Call(words) => app.warn_of_visible_secrets(words, &options),
        Line::Own(OwnCommand::Raw(call)) => app.warn_of_visible_body(call.body.as_deref().unwrap_or("{}"), &options),
        _ => {}
    }
    let command = if words.is_empty() { Command::words_from_args(arguments).0 } else { text.clone() };
    let run = |app: &mut App| app.evaluate(line, &text, &words, &options, &mut Output::Screen);
    let result = app.recording(&command, run);
    let (code, _) = app.conclude_with(result, &options, None, Some(&text));
    app.close();
    code
}

/// The program while it runs: what it knows, and the nodes that it talks to.
struct App {
    environment: Environment,
    catalog: Catalog,
    /// The options that hold for every line.
    options: Options,
    /// The saved contexts, read when first needed.
    contexts: Option<Contexts>,
    /// Connected nodes; more than one only where lines name others.
    nodes: Vec<Node>,
    /// What is known of the versions and the APIs of nodes.
    offers: offers::KnownOffers,
    interrupt: Interrupt,
    /// Secrets that are masked wherever they turn up.
    known: KnownSecrets,
    /// What was probably meant by the command that has just failed.
    meant: Option<String>,
    /// Whether it was said that the configuration is wrong, where a command goes on without.
    warned_of_configuration: bool,
    /// Whether nothing may be said, since another shell shows what is printed while its user types.
    is_silent: bool,
    /// The node that the program was started for, once known; none inside where that is the sandbox.
    started_for: Option<Option<String>>,
    /// Bases of addresses below or above whose `/zstack` the node lies, once read.
    turned_bases: Option<Vec<String>>,
    /// Whether commands come from standard input, so that nothing else can be read there.
    reads_stdin: bool,
    /// How many scripts are running, each started by the one before.
    scripts: usize,
    /// What the command that runs led to so far.
    tape: Option<Tape>,
    /// What only the interactive shell has.
    shell: Option<interactive::State>,
}

impl App {
    fn new(environment: Environment) -> App {
        App {
            environment,
            catalog: Catalog::newest(),
            options: Options::default(),
            contexts: None,
            nodes: Vec::new(),
            offers: offers::KnownOffers::default(),
            interrupt: Interrupt::new(),
            known: KnownSecrets::default(),
            meant: None,
            warned_of_configuration: false,
            is_silent: false,
            started_for: None,
            turned_bases: None,
            reads_stdin: false,
            scripts: 0,
            tape: None,
            shell: None,
        }
    }

    /// Evaluates one line of text.
    fn evaluate_text(&mut self, text: &str, out: &mut Output<'_>) -> Result<Flow, Error> {
        let words = syntax::split(text).map_err(syntax::CommandError::from)?;
        let texts: Vec<String> = words.iter().map(|word| word.text.clone()).collect();
        let mut options = self.options.clone();
        let line = cli::parse(&texts, &mut options)?;
        let called = match &line {
            Line::Call(called) => words_of(called, &words),
            _ => Vec::new(),
        };
        self.evaluate(line, text, &called, &options, out)
    }

    /// Evaluates what the words of a line came to. `words` are those of a call, with their places in `text`.
    fn evaluate(
        &mut self,
        line: Line,
        text: &str,
        words: &[Word],
        options: &Options,
        out: &mut Output<'_>,
    ) -> Result<Flow, Error> {
        if matches!(line, Line::Own(OwnCommand::Help { .. } | OwnCommand::Catalog(_))) {
            self.follow_version(options);
        }
        match line {
            Line::Nothing => {}
            Line::Text(text) => out.write_text(&text)?,
            Line::Own(command) => return self.own(command, options, out),
            Line::Call(_) => {
                self.follow_version_for(words.first().map_or("", |word| &word.text), options);
                plan::check_name(words, self.catalog, &cli::OwnCommand::NAMES)?;
                let command = Command::from_words(text, words).map_err(|error| self.explained(error, text, words))?;
                if let Some(command) = command {
                    let options = self.settle(options)?;
                    self.call(command, &options, out)?;
                }
            }
        }
        Ok(Flow::Continue)
    }

    /// What is wrong with the words of a call, with advice that fits the API where there is some.
    fn explained(&self, error: syntax::CommandError, text: &str, words: &[Word]) -> Error {
        let name = words.first().map_or("", |word| &word.text);
        match plan::argument_hint(&error, text, name, self.catalog) {
            Some(hint) => Error::Argument { error, hint },
            None => error.into(),
        }
    }

    /// Says what went wrong with a line, if anything did, and what that means for the exit code.
    fn conclude(
        &mut self,
        result: Result<Flow, Error>,
        source: Option<&Source<'_>>,
        line: Option<&str>,
    ) -> (ExitCode, Flow) {
        let options = match line.filter(|_| result.is_err()) {
            Some(line) => interactive::line_options(line, &self.options),
            None => self.options.clone(),
        };
        self.conclude_with(result, &options, source, line)
    }

    /// The same, where the options of the line are known.
    fn conclude_with(
        &mut self,
        result: Result<Flow, Error>,
        options: &Options,
        source: Option<&Source<'_>>,
        line: Option<&str>,
    ) -> (ExitCode, Flow) {
        let error = match result {
            Ok(flow) => return (ExitCode::Done, flow),
            // The reader has what it wanted.
            Err(error) if error.is_closed_pipe() => return (ExitCode::Done, Flow::Leave),
            Err(Error::Reported(code)) => return (code, Flow::Continue),
            Err(error) => error,
        };
        // What is wrong may be the configuration itself.
        let settled = self.settle_if_possible(options);
        let terminal = self.environment.stderr_terminal;
        let reporter = Reporter {
            format: settled.errors.unwrap_or_default(),
            terminal,
            colour: self.colour(terminal, &settled),
            chinese: self.environment.variables.chinese,
            at_prompt: self.shell.is_some() && source.is_none(),
            session_variable: self.nodes.iter().any(|node| node.has_foreign_session).then_some("ZSTACK_SESSION_UUID"),
            known: self.known_secrets(),
            meant: self.meant.take(),
        };
        let code = error.exit_code();
        let error = self.without_quoted_secrets(error);
        // Where errors cannot be written there is nobody to tell.
        let out = &mut io::stderr().lock();
        match error {
            Error::Parts(parts) => {
                for part in parts {
                    let source = Source::Part { of: source, what: &part.what };
                    let _ = reporter.report(&Error::Api(Box::new(part.failure)), Some(&source), None, out);
                }
            }
            error => {
                let _ = reporter.report(&error, source, line, out);
            }
        }
        (code, Flow::Continue)
    }

    /// The secrets in use: of the commands, of the environment, and the open sessions.
    fn known_secrets(&self) -> KnownSecrets {
        let variables = &self.environment.variables;
        let of_environment = [&variables.session_uuid, &variables.access_key_secret, &variables.password];
        let sessions = self.nodes.iter().filter_map(|node| node.client.session_uuid());
        let secrets = of_environment.into_iter().flatten().cloned().chain(sessions);
        secrets.for_each(|secret| self.known.learn(secret.expose()));
        self.known.clone()
    }

    /// Makes Ctrl-C ask for an end instead of ending the process, and signals that end it, too, for as long as what comes
    /// back is kept.
    fn attend_to_ends(&self) -> Result<Option<Attended>, Error> {
        self.interrupt.on_ctrl_c()?;
        // Whoever ends a shell ends it at once.
        if self.shell.is_some() {
            return Ok(None);
        }
        terminal::leave_ends_to_others();
        Ok(Some(self.interrupt.on_end()?))
    }

    /// Says something beside results, unless the user wants quiet.
    fn say(&self, options: &Options, text: &str) {
        if !options.quiet {
            // Nobody reads it where it cannot be written.
            let lines: Vec<_> = text.split('\n').map(json::escape_unprintable).collect();
            let _ = writeln!(io::stderr(), "{}", lines.join("\n"));
        }
    }
}

/// The words of a call among those of its line, which may hold options too.
fn words_of(called: &[String], words: &[Word]) -> Vec<Word> {
    let mut rest = words.iter();
    called.iter().filter_map(|text| rest.by_ref().find(|word| word.text == *text).cloned()).collect()
}
