//! The terminal without echo, while a secret is asked for.

use std::io;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// Standard input without echo until this is dropped. The reader of passwords turns the echo off only after its prompt
/// was written, and would show what a quick script answers.
pub(crate) struct NoEcho {
    before: Option<Termios>,
}

impl NoEcho {
    /// Turns the echo off. Where that fails the reader of passwords says so.
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
            // A terminal that is gone needs no echo.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}
