//! A question between commands, answered on the terminal.

use rustyline::Editor;
use rustyline::config::{BellStyle, Builder};
use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;

use crate::tty;

use super::ShellError;

/// Asks a question and gives the line that is typed; `None` where Ctrl-C or Ctrl-D was pressed instead. Nothing of
/// it is remembered. Lines of the question above its last one are for the caller to print.
///
/// # Errors
/// `Terminal` when the terminal breaks.
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
