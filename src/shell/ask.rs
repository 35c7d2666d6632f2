//! Asks a question between two commands and reads the answer from the terminal.

use rustyline::Editor;
use rustyline::config::{BellStyle, Builder};
use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;

use crate::tty;

use super::ShellError;

/// Asks a question and returns the line that was typed, or `None` after Ctrl-C or Ctrl-D. The answer is not added to
/// the history. `question` is one line; the caller prints any lines that come before it.
///
/// # Errors
/// `Terminal` when the terminal cannot be read or written.
pub fn ask(question: &str) -> Result<Option<String>, ShellError> {
    let config = Builder::new().bell_style(BellStyle::None).build();
    let mut editor: Editor<(), MemHistory> =
        Editor::with_history(config, MemHistory::new()).map_err(ShellError::Terminal)?;
    let _kept = tty::keep();
    match editor.readline(question) {
        Ok(answer) => Ok(Some(answer)),
        Err(ReadlineError::Interrupted | ReadlineError::Eof) => Ok(None),
        Err(error) => Err(ShellError::Terminal(error)),
    }
}
