//! Turns off the terminal's echo for questions for secrets.

use std::io;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// Standard input without echo until this is dropped. rpassword turns the echo off only after the prompt was written,
/// so that fast input would be shown.
pub(crate) struct NoEcho {
    before: Option<Termios>,
}

impl NoEcho {
    /// Turns the echo off. If that fails, rpassword reports it.
    pub(crate) fn new() -> NoEcho {
        let before = tcgetattr(io::stdin()).ok();
        if let Some(mut silent) = before.clone() {
            silent.local_modes.remove(LocalModes::ECHO);
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &silent);
        }
        NoEcho { before }
    }
}

impl Drop for NoEcho {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // Errors are ignored: the terminal may be closed.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}
