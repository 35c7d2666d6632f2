//! Where all modules meet: a line, or the words of one, becomes an outcome, whoever typed it.

mod call;
mod connect;
mod lines;
mod own;
mod process;
mod report;
mod script;
mod shape;
mod spinner;
mod view;

use std::io::{self, Write};

use crate::catalog::Catalog;
use crate::cli::{self, ColorChoice, Line, Options};
use crate::client::Interrupt;
use crate::error::{Error, ExitCode};
use crate::syntax::{self, Command, Word};

use connect::Node;
pub use process::Environment;
use report::Reporter;
use view::Screen;

/// Whether there is more to come after a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Continue,
    Leave,
}

/// Runs the program with the arguments that follow its name.
pub fn run(environment: Environment, arguments: &[String]) -> ExitCode {
    let mut app = App::new(environment);
    let mut options = Options::default();
    let outcome = match cli::parse(arguments, &mut options) {
        Ok(Line::Nothing) => return app.shell_or_script(options),
        Ok(line) => {
            app.options = options.clone();
            let (text, words) = match &line {
                Line::Call(words) => Command::words_from_args(words),
                _ => (String::new(), Vec::new()),
            };
            let result = app.evaluate(line, &text, &words, &options, &mut io::stdout().lock());
            app.conclude(result, None, Some(&text))
        }
        Err(error) => app.conclude(Err(error.into()), None, None),
    };
    app.close();
    outcome.0
}

/// The program while it runs: what it knows, and the node that it talks to.
struct App {
    environment: Environment,
    catalog: Catalog,
    /// The options that hold for every line.
    options: Options,
    node: Option<Node>,
    interrupt: Interrupt,
    watches_ctrl_c: bool,
}

impl App {
    fn new(environment: Environment) -> App {
        let catalog = Catalog::newest();
        App {
            environment,
            catalog,
            options: Options::default(),
            node: None,
            interrupt: Interrupt::new(),
            watches_ctrl_c: false,
        }
    }

    /// Evaluates one line of text.
    fn evaluate_text(&mut self, text: &str, out: &mut dyn Write) -> Result<Flow, Error> {
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
        out: &mut dyn Write,
    ) -> Result<Flow, Error> {
        match line {
            Line::Nothing => Ok(Flow::Continue),
            Line::Text(text) => {
                out.write_all(text.as_bytes())?;
                Ok(Flow::Continue)
            }
            Line::Own(command) => self.own(command, options, out),
            Line::Call(_) => {
                if let Some(command) = Command::from_words(text, words)? {
                    self.call(command, options, out)?;
                }
                Ok(Flow::Continue)
            }
        }
    }

    /// Says what went wrong, if anything did, and what that means for the exit code.
    fn conclude(&mut self, result: Result<Flow, Error>, place: Option<&str>, line: Option<&str>) -> (ExitCode, Flow) {
        match result {
            Ok(flow) => (ExitCode::Done, flow),
            // The reader has what it wanted.
            Err(error) if error.is_closed_pipe() => (ExitCode::Done, Flow::Leave),
            Err(Error::Reported(code)) => (code, Flow::Continue),
            Err(error) => {
                let reporter = Reporter {
                    terminal: self.environment.stderr_is_terminal,
                    colour: self.colour(self.environment.stderr_is_terminal, &self.options),
                    chinese: self.speaks_chinese(),
                };
                // Where errors cannot be written there is nobody to tell.
                let _ = reporter.report(&error, place, line, &mut io::stderr().lock());
                (error.exit_code(), Flow::Continue)
            }
        }
    }

    /// Makes Ctrl-C ask for an end instead of ending the process.
    fn watch_ctrl_c(&mut self) -> Result<(), Error> {
        if !std::mem::replace(&mut self.watches_ctrl_c, true) {
            self.interrupt.on_ctrl_c()?;
        }
        Ok(())
    }

    fn screen(&self, options: &Options) -> Screen {
        let terminal = self.environment.stdout_is_terminal;
        Screen { terminal, width: self.environment.width, colour: self.colour(terminal, options) }
    }

    fn colour(&self, terminal: bool, options: &Options) -> bool {
        match options.color.unwrap_or_default() {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                let dumb = self.environment.variable("TERM") == Some("dumb");
                terminal && !dumb && self.environment.variable("NO_COLOR").is_none()
            }
        }
    }

    fn speaks_chinese(&self) -> bool {
        ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .find_map(|name| self.environment.variable(name))
            .is_some_and(|language| language.starts_with("zh"))
    }
}

/// The words of a call among those of its line, which may hold options too.
fn words_of(called: &[String], words: &[Word]) -> Vec<Word> {
    let mut rest = words.iter();
    called.iter().filter_map(|text| rest.by_ref().find(|word| word.text == *text).cloned()).collect()
}
