//! A line of the prompt in the user's own editor.

use std::io::{self, Write};

use crate::interrupt::Interrupt;

use super::program::Program;

/// The editor that the environment names, as `sh` starts it.
const EDITOR: &str = "exec ${VISUAL:-${EDITOR:-vi}} \"$1\"";

/// Has the user change a text in an editor, and gives what became of it.
pub(crate) fn edit(text: &str, interrupt: &Interrupt) -> io::Result<String> {
    // Only the owner may read it: the line may hold a secret.
    let mut file = tempfile::Builder::new().prefix("zstack-cli-").suffix(".txt").tempfile()?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.flush()?;
    let handed_over = interrupt.hand_over()?;
    let status = Program::command(EDITOR).arg("sh").arg(file.path()).status()?;
    drop(handed_over);
    if !status.success() {
        return Err(io::Error::other(format!("the editor ended with {status}")));
    }
    let text = std::fs::read_to_string(file.path())?;
    Ok(text.trim_end().to_owned())
}
