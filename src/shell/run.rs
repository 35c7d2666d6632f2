//! The main loop: prompt, line, command.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::Arc;

use rustyline::config::{BellStyle, Builder, Configurer};
use rustyline::error::ReadlineError;
use rustyline::{ColorMode, CompletionType, Editor, Event, EventHandler};

use crate::catalog::{Catalog, Offers};
use crate::language::Language;
use crate::tty;
use crate::width::width;

use super::complete::{Defined, Files, Kept, LiveValues};
use super::editor::Assistant;
use super::history::History;
use super::keys::{EditorState, HAND_OVER, Keys, SharedState, lock};
use super::outcomes::Outcomes;
use super::prompt::Prompt;
use super::recall::Recall;
use super::unfinished::is_unfinished;

/// Whether the shell continues after a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Shows the next prompt.
    Continue,
    /// Ends the shell or the script, with an exit code where one was given.
    Leave(Option<u8>),
}

/// What the shell needs from the program around it.
pub trait Evaluator {
    /// Returns the current content of the prompt.
    fn prompt(&mut self) -> Prompt;

    /// Returns what completion uses: the catalog, the node's offers, the contexts.
    fn known(&mut self) -> Known;

    /// Whether to colour the typed line and lists.
    fn colour(&mut self) -> bool;

    /// Runs the commands of a complete line. It prints their results and errors itself.
    fn evaluate(&mut self, line: &str) -> LineOutcome;
}

/// The outcome of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineOutcome {
    /// Whether the shell continues.
    pub flow: Flow,
    /// Whether the command succeeded, so that it may be suggested again.
    pub succeeded: bool,
    /// The line that was probably meant; `None` where there is no correction.
    pub corrected: Option<String>,
}

/// The data that completion uses besides live values and files.
#[derive(Clone, Debug)]
pub struct Known {
    /// The APIs, as of the version of the current node.
    pub catalog: Catalog,
    /// What the current node said that it offers.
    pub offers: Option<Arc<Offers>>,
    /// The names of the saved contexts.
    pub contexts: Vec<String>,
    /// What the user defined.
    pub defined: Defined,
    /// The language of descriptions.
    pub language: Language,
}

impl Default for Known {
    fn default() -> Known {
        Known {
            catalog: Catalog::newest(),
            offers: None,
            contexts: Vec::new(),
            defined: Defined::default(),
            language: Language::English,
        }
    }
}

/// The parts that the shell is built from.
pub struct Options<'a> {
    /// The resources of the node, for completion.
    pub live: &'a dyn LiveValues,
    /// The files that values may name, for completion.
    pub files: &'a dyn Files,
    /// What this machine keeps, for completion.
    pub kept: &'a dyn Kept,
    /// The command history.
    pub history: History,
    /// Opens a line in the user's editor and returns the changed text.
    pub edit: &'a dyn Fn(&str) -> io::Result<String>,
}

impl std::fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("history", &self.history).finish_non_exhaustive()
    }
}

/// Why the shell had to stop.
#[derive(Debug, thiserror::Error)]
pub enum ShellError {
    /// The terminal cannot be read or written.
    #[error("the terminal cannot be used: {0}")]
    Terminal(#[source] ReadlineError),
    /// A message could not be written.
    #[error("cannot write: {0}")]
    Write(#[from] io::Error),
}

/// Reads commands from the terminal and runs them until the user leaves, and returns the exit code that was given.
/// `talk` is the stream for messages other than results.
///
/// # Errors
/// `Terminal` when the terminal cannot be used, `Write` when writing to `talk` fails.
pub fn run(
    options: Options<'_>,
    evaluator: &mut dyn Evaluator,
    talk: &mut dyn Write,
) -> Result<Option<u8>, ShellError> {
    let config = Builder::new()
        .completion_type(CompletionType::List)
        .keyseq_timeout(Some(ESCAPE_MILLISECONDS))
        .bell_style(BellStyle::None)
        .bracketed_paste(true)
        .build();
    let mut editor: Terminal<'_> = Editor::with_history(config, Recall::default()).map_err(ShellError::Terminal)?;
    let state = SharedState::default();
    editor.set_helper(Some(Assistant {
        known: Known::default(),
        live: options.live,
        files: options.files,
        kept: options.kept,
        colour: false,
        prompt_width: 0,
        decoded: RefCell::new(None),
        state: SharedState::clone(&state),
        proposal: None,
        place: String::new(),
        outcomes: Outcomes::read(options.history.beside("outcomes")),
        edit: options.edit,
    }));
    editor.bind_sequence(Event::Any, EventHandler::Conditional(Box::new(Keys(SharedState::clone(&state)))));
    editor.bind_sequence(Event::KeySeq(HAND_OVER.to_vec()), EventHandler::Conditional(Box::new(Keys(state))));
    // It prints nothing. While it exists, the editor waits for signals as well as keys, so that it redraws the line at
    // once when the terminal is resized, whichever thread receives the signal.
    let _waits_for_signals = editor.create_external_printer().ok();
    converse(&mut editor, options.history, evaluator, talk)
}

/// How long the editor waits after Escape for the rest of a key's escape sequence, in milliseconds.
const ESCAPE_MILLISECONDS: u16 = 100;

/// The input at a prompt.
enum Input {
    /// One or more lines.
    Text(String),
    /// Ctrl-C: the typed line is discarded.
    Dropped,
    /// Ctrl-D, or the end of the input.
    End,
    /// The line could not be opened in the user's editor.
    NotEdited(io::Error),
}

/// The source of commands: the terminal, or a test.
trait LineReader {
    /// Shows the prompt and waits for a line.
    fn read(&mut self, prompt: &Prompt, colour: bool, known: Known) -> Result<Input, ShellError>;

    /// Adds commands to the history of the following prompts, oldest first.
    fn remember(&mut self, commands: Vec<String>);

    /// Records the outcome of a command, which the history stores as `kept`.
    fn learn(&mut self, command: &str, kept: &str, ran: &LineOutcome);

    /// Returns the rows of the list of what may follow `partial`.
    fn list(&self, partial: &str) -> Vec<String>;
}

type Terminal<'a> = Editor<Assistant<'a>, Recall>;

impl LineReader for Terminal<'_> {
    fn read(&mut self, prompt: &Prompt, colour: bool, known: Known) -> Result<Input, ShellError> {
        let (plain, styled) = prompt.texts();
        self.set_color_mode(if colour { ColorMode::Enabled } else { ColorMode::Disabled });
        if let Some(assistant) = self.helper_mut() {
            if assistant.known.catalog.version() != known.catalog.version() {
                assistant.decoded.take();
            }
            assistant.known = known;
            assistant.colour = colour;
            assistant.prompt_width = width(&plain);
            assistant.place = prompt.place.clone().unwrap_or_default();
        }
        let _kept = tty::keep();
        let mut begun = String::new();
        loop {
            if let Some(assistant) = self.helper() {
                *lock(&assistant.state) = EditorState::default();
            }
            let typed = self.readline_with_initial(&(plain.as_str(), styled.as_str()), (&begun, ""));
            let handed_over = self.helper().and_then(|it| Some((it.edit, lock(&it.state).hand_over.take()?)));
            match (typed, handed_over) {
                (Ok(_), Some((edit, line))) => match edit(&line) {
                    Ok(text) => begun = text,
                    Err(error) => return Ok(Input::NotEdited(error)),
                },
                (Ok(text), None) => return Ok(Input::Text(text)),
                (Err(ReadlineError::Interrupted), _) => return Ok(Input::Dropped),
                (Err(ReadlineError::Eof), _) => return Ok(Input::End),
                (Err(error), _) => return Err(ShellError::Terminal(error)),
            }
        }
    }

    fn learn(&mut self, command: &str, kept: &str, ran: &LineOutcome) {
        if let Some(assistant) = self.helper_mut() {
            assistant.outcomes.add(command, kept, &assistant.place, ran.succeeded);
            assistant.proposal = ran.corrected.clone();
        }
    }

    fn remember(&mut self, commands: Vec<String>) {
        self.history_mut().extend(commands);
    }

    fn list(&self, partial: &str) -> Vec<String> {
        self.helper().map(|assistant| assistant.rows(partial)).unwrap_or_default()
    }
}

/// Reads and runs commands until the user leaves or the input ends.
fn converse(
    desk: &mut dyn LineReader,
    mut history: History,
    evaluator: &mut dyn Evaluator,
    talk: &mut dyn Write,
) -> Result<Option<u8>, ShellError> {
    let mut trouble = false;
    loop {
        match history.news() {
            Ok(commands) if commands.is_empty() => {}
            Ok(commands) => desk.remember(commands),
            Err(error) => warn_once(&mut trouble, talk, &error)?,
        }
        let text = match desk.read(&evaluator.prompt(), evaluator.colour(), evaluator.known())? {
            Input::Text(text) => text,
            Input::Dropped => continue,
            Input::End => return Ok(None),
            Input::NotEdited(error) => {
                writeln!(talk, "warning: the line cannot be edited: {error}")?;
                continue;
            }
        };
        for line in commands(&text) {
            // In memory the line stays as typed, so that it can be run again; the file gets the masked form.
            let mut known = match history.add(line) {
                Ok(others) => others,
                Err(error) => {
                    warn_once(&mut trouble, talk, &error)?;
                    Vec::new()
                }
            };
            known.push(line.to_owned());
            desk.remember(known);
            if let Some(partial) = asks_for_list(line) {
                for row in desk.list(partial) {
                    writeln!(talk, "{row}")?;
                }
                continue;
            }
            let ran = evaluator.evaluate(line);
            desk.learn(line, &history.masked(line), &ran);
            if let Flow::Leave(code) = ran.flow {
                return Ok(code);
            }
        }
    }
}

/// Warns that the history cannot be stored: once, not at every prompt.
fn warn_once(trouble: &mut bool, talk: &mut dyn Write, error: &io::Error) -> io::Result<()> {
    if !std::mem::replace(trouble, true) {
        writeln!(talk, "warning: the history of commands cannot be kept: {error}")?;
    }
    Ok(())
}

/// Splits text that was typed or pasted into commands: one for each line, unless an open quote, a backslash or an open
/// bracket continues it.
pub(super) fn commands(text: &str) -> Vec<&str> {
    let mut commands = Vec::new();
    let mut start = 0;
    let ends = text.match_indices('\n').map(|(at, _)| at).chain([text.len()]);
    for end in ends {
        let piece = &text[start..end];
        // A backslash continues only before a line end; at the very end of the text nothing follows.
        if end < text.len() && is_unfinished(piece) {
            continue;
        }
        if !piece.trim().is_empty() {
            commands.push(piece.trim_end_matches('\r').trim_start());
        }
        start = (end + 1).min(text.len());
    }
    commands
}

/// Returns the part of `line` before a final `?` that is a word of its own; it asks for a list of what may follow.
fn asks_for_list(line: &str) -> Option<&str> {
    let partial = line.trim_end().strip_suffix('?')?;
    let alone = partial.is_empty() || partial.ends_with(char::is_whitespace);
    let in_name = !partial.contains(char::is_whitespace) && partial.chars().all(|c| c.is_ascii_alphanumeric());
    (alone || in_name).then_some(partial)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that returns these texts.
    struct Script {
        texts: Vec<Input>,
        remembered: Vec<String>,
        prompts: Vec<String>,
        learnt: Vec<(String, bool)>,
    }

    impl Script {
        fn new(texts: Vec<Input>) -> Script {
            Script { texts, remembered: Vec::new(), prompts: Vec::new(), learnt: Vec::new() }
        }
    }

    impl LineReader for Script {
        fn read(&mut self, prompt: &Prompt, _: bool, _: Known) -> Result<Input, ShellError> {
            self.prompts.push(prompt.texts().0);
            Ok(if self.texts.is_empty() { Input::End } else { self.texts.remove(0) })
        }

        fn remember(&mut self, commands: Vec<String>) {
            self.remembered.extend(commands);
        }

        fn learn(&mut self, command: &str, _: &str, ran: &LineOutcome) {
            self.learnt.push((command.to_owned(), ran.succeeded));
        }

        fn list(&self, partial: &str) -> Vec<String> {
            vec![format!("what follows {partial:?}")]
        }
    }

    /// Records the commands that it is asked to run, and leaves at `quit`.
    #[derive(Default)]
    struct Echo {
        ran: Vec<String>,
    }

    impl Evaluator for Echo {
        fn prompt(&mut self) -> Prompt {
            Prompt { account: (!self.ran.is_empty()).then(|| "admin".to_owned()), ..Prompt::default() }
        }

        fn known(&mut self) -> Known {
            Known::default()
        }

        fn colour(&mut self) -> bool {
            false
        }

        fn evaluate(&mut self, line: &str) -> LineOutcome {
            self.ran.push(line.to_owned());
            let flow = if line == "quit" { Flow::Leave(None) } else { Flow::Continue };
            LineOutcome { flow, succeeded: line != "QueryHost", corrected: None }
        }
    }

    fn talk_of(script: &mut Script, history: History, evaluator: &mut Echo) -> String {
        let mut talk = Vec::new();
        converse(script, history, evaluator, &mut talk).expect("the desk works");
        String::from_utf8(talk).expect("text")
    }

    fn kept_nowhere() -> History {
        History::new(None, Box::new(str::to_owned))
    }

    #[test]
    fn commands_run_one_after_the_other_until_the_end() {
        let text = |text: &str| Input::Text(text.to_owned());
        let mut script = Script::new(vec![text("QueryZone\nQueryHost"), Input::Dropped, text(""), text("Q ?")]);
        let mut evaluator = Echo::default();
        let talk = talk_of(&mut script, kept_nowhere(), &mut evaluator);
        assert_eq!(evaluator.ran, ["QueryZone", "QueryHost"]);
        assert_eq!(script.learnt, [("QueryZone".to_owned(), true), ("QueryHost".to_owned(), false)]);
        assert_eq!(talk, "what follows \"Q \"\n");
        assert_eq!(script.remembered, ["QueryZone", "QueryHost", "Q ?"]);
        assert_eq!(script.prompts[..2], ["- >>> ", "admin >>> "]);
    }

    #[test]
    fn quit_leaves_what_was_pasted_behind_it() {
        let mut script = Script::new(vec![Input::Text("quit\nDeleteZone uuid=x".to_owned())]);
        let mut evaluator = Echo::default();
        talk_of(&mut script, kept_nowhere(), &mut evaluator);
        assert_eq!(evaluator.ran, ["quit"]);
    }

    #[test]
    fn the_history_is_written_before_a_command_runs() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("history");
        let mask = |line: &str| line.replace("hunter2", "******");
        let mut script =
            Script::new(vec![Input::Text("LogIn password=hunter2".to_owned()), Input::Text("quit".into())]);
        talk_of(&mut script, History::new(Some(path.clone()), Box::new(mask)), &mut Echo::default());
        let kept = std::fs::read_to_string(&path).expect("it was written");
        assert_eq!(kept, "LogIn password=******\nquit\n");
        assert_eq!(script.remembered[0], "LogIn password=hunter2");
    }

    #[test]
    fn a_history_that_cannot_be_kept_is_told_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let history = History::new(Some(folder.path().to_owned()), Box::new(str::to_owned));
        let mut script = Script::new(vec![Input::Text("a".into()), Input::Text("b".into())]);
        let talk = talk_of(&mut script, history, &mut Echo::default());
        assert_eq!(talk.matches("warning: the history").count(), 1, "{talk}");
    }

    #[test]
    fn pasted_text_is_taken_command_by_command() {
        assert_eq!(commands("QueryZone\nQueryHost name=a\n"), ["QueryZone", "QueryHost name=a"]);
        assert_eq!(commands("CreateZone \\\n name='a\nb'\nQueryZone"), ["CreateZone \\\n name='a\nb'", "QueryZone"]);
        assert_eq!(commands("  \n\n"), Vec::<&str>::new());
        assert_eq!(commands("QueryZone\r\nQueryHost"), ["QueryZone", "QueryHost"]);
        // An unfinished end stays one command, so that the user sees its error.
        assert_eq!(commands("QueryZone 'a\nb"), ["QueryZone 'a\nb"]);
    }

    #[test]
    fn a_question_mark_of_its_own_asks_for_the_list() {
        assert_eq!(asks_for_list("?"), Some(""));
        assert_eq!(asks_for_list("QueryZone ?"), Some("QueryZone "));
        assert_eq!(asks_for_list("QueryZ?"), Some("QueryZ"));
        assert_eq!(asks_for_list("QueryZone name=a?"), None);
        assert_eq!(asks_for_list("QueryZone name?"), None);
    }
}
