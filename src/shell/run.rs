//! The loop: prompt, line, command.

use std::cell::RefCell;
use std::io::{self, Write};

use rustyline::config::{BellStyle, Builder};
use rustyline::error::ReadlineError;
use rustyline::{ColorMode, CompletionType, Editor};
use unicode_width::UnicodeWidthStr;

use crate::catalog::Catalog;
use crate::syntax::lex;

use super::complete::{Files, LiveValues};
use super::editor::Assistant;
use super::history::History;
use super::prompt::Prompt;
use super::recall::Recall;

/// Whether the shell goes on after a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It goes on.
    Continue,
    /// The user wants to leave.
    Leave,
}

/// What the shell asks of the program around it.
pub trait Session {
    /// What the prompt tells now.
    fn prompt(&mut self) -> Prompt;

    /// The names of the saved contexts, for completion.
    fn contexts(&mut self) -> Vec<String>;

    /// Runs one complete command. It prints its result and its errors itself.
    fn evaluate(&mut self, line: &str) -> Flow;
}

/// What the shell works with.
pub struct Options<'a> {
    /// What the node offers.
    pub catalog: Catalog,
    /// The resources that the node holds, for completion.
    pub live: &'a dyn LiveValues,
    /// The files that values may name, for completion.
    pub files: &'a dyn Files,
    /// The commands typed before.
    pub history: History,
    /// Whether to colour.
    pub colour: bool,
}

impl std::fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("history", &self.history).field("colour", &self.colour).finish_non_exhaustive()
    }
}

/// Why the shell could not go on.
#[derive(Debug, thiserror::Error)]
pub enum ShellError {
    /// The terminal cannot be read or written.
    #[error("the terminal cannot be used: {0}")]
    Terminal(#[source] ReadlineError),
    /// Something could not be printed.
    #[error("cannot write: {0}")]
    Write(#[from] io::Error),
}

/// Reads commands from the terminal and runs them until the user leaves. `talk` takes what is said beside
/// results.
///
/// # Errors
/// `Terminal` when the terminal breaks, `Write` when `talk` does.
pub fn run(options: Options<'_>, session: &mut dyn Session, talk: &mut dyn Write) -> Result<(), ShellError> {
    let config = Builder::new()
        .completion_type(CompletionType::List)
        .completion_show_all_if_ambiguous(true)
        .completion_prompt_limit(usize::MAX)
        .bell_style(BellStyle::None)
        .bracketed_paste(true)
        .color_mode(if options.colour { ColorMode::Enabled } else { ColorMode::Disabled })
        .build();
    let mut editor: Editor<Assistant<'_>, Recall> =
        Editor::with_history(config, Recall::default()).map_err(ShellError::Terminal)?;
    editor.set_helper(Some(Assistant {
        catalog: options.catalog,
        live: options.live,
        files: options.files,
        contexts: Vec::new(),
        colour: options.colour,
        prompt_width: 0,
        last_api: RefCell::new(None),
    }));
    let mut history = options.history;
    let mut trouble = false;
    loop {
        match history.news() {
            Ok(lines) => editor.history_mut().extend(lines),
            Err(error) => warn_once(&mut trouble, talk, &error)?,
        }
        let (plain, styled) = session.prompt().texts();
        if let Some(assistant) = editor.helper_mut() {
            assistant.contexts = session.contexts();
            assistant.prompt_width = plain.width();
        }
        let text = match editor.readline(&(plain, styled)) {
            Ok(text) => text,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => return Ok(()),
            Err(error) => return Err(ShellError::Terminal(error)),
        };
        for line in commands(&text) {
            match history.add(line) {
                Ok(lines) => editor.history_mut().extend(lines),
                Err(error) => warn_once(&mut trouble, talk, &error)?,
            }
            editor.history_mut().push(line.to_owned());
            if let Some(partial) = asks_for_list(line) {
                if let Some(assistant) = editor.helper() {
                    for row in assistant.rows(partial) {
                        writeln!(talk, "{row}")?;
                    }
                }
            } else if session.evaluate(line) == Flow::Leave {
                return Ok(());
            }
        }
    }
}

/// A history that cannot be kept is worth one line, not one at every prompt.
fn warn_once(trouble: &mut bool, talk: &mut dyn Write, error: &io::Error) -> io::Result<()> {
    if !std::mem::replace(trouble, true) {
        writeln!(talk, "warning: the history of commands cannot be kept: {error}")?;
    }
    Ok(())
}

/// The commands of a text that was typed or pasted: a line each, unless a quote or a backslash continues it.
pub(super) fn commands(text: &str) -> Vec<&str> {
    let mut commands = Vec::new();
    let mut start = 0;
    let ends = text.match_indices('\n').map(|(at, _)| at).chain([text.len()]);
    for end in ends {
        let piece = &text[start..end];
        // The line end decides whether a backslash before it continues; at the very end nothing follows.
        if end < text.len() && lex(piece).is_incomplete() {
            continue;
        }
        if !piece.trim().is_empty() {
            commands.push(piece.trim_end_matches('\r').trim_start());
        }
        start = (end + 1).min(text.len());
    }
    commands
}

/// The partial command of which `line` asks what may follow: it ends in a `?` of its own.
fn asks_for_list(line: &str) -> Option<&str> {
    let partial = line.trim_end().strip_suffix('?')?;
    let alone = partial.is_empty() || partial.ends_with(char::is_whitespace);
    let in_name = !partial.contains(char::is_whitespace) && partial.chars().all(|c| c.is_ascii_alphanumeric());
    (alone || in_name).then_some(partial)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pasted_text_is_taken_command_by_command() {
        assert_eq!(commands("QueryZone\nQueryHost name=a\n"), ["QueryZone", "QueryHost name=a"]);
        assert_eq!(commands("CreateZone \\\n name='a\nb'\nQueryZone"), ["CreateZone \\\n name='a\nb'", "QueryZone"]);
        assert_eq!(commands("  \n\n"), Vec::<&str>::new());
        assert_eq!(commands("QueryZone\r\nQueryHost"), ["QueryZone", "QueryHost"]);
        // An unfinished end stays one command, whose error the user shall see.
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
