//! Keys that are pressed while a screen is redrawn.

use std::io::{self, IsTerminal};

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

use crate::tty::{self, Kept};

/// Reads keys as they are pressed, without showing them. The modes of the terminal are restored when it is dropped.
pub(crate) struct WatchKeys {
    before: Termios,
    _kept: Kept,
}

impl WatchKeys {
    /// Starts to read keys; `None` where standard input is no terminal.
    pub(crate) fn new() -> Option<WatchKeys> {
        if !io::stdin().is_terminal() {
            return None;
        }
        let kept = tty::keep();
        let keys = WatchKeys { before: tcgetattr(io::stdin()).ok()?, _kept: kept };
        keys.resume();
        Some(keys)
    }

    /// Sets the modes again, after the program was stopped and continued.
    pub(crate) fn resume(&self) {
        let mut modes = self.before.clone();
        modes.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        // A read returns at once, also where no key was pressed.
        modes.special_codes[SpecialCodeIndex::VMIN] = 0;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        // Without these modes Ctrl-C still ends it.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &modes);
    }

    /// Whether this key was pressed since the last look. Other keys are dropped.
    pub(crate) fn pressed(&self, key: u8) -> bool {
        let mut typed = [0; 64];
        rustix::io::read(io::stdin(), &mut typed).is_ok_and(|count| typed[..count].contains(&key))
    }
}

impl Drop for WatchKeys {
    fn drop(&mut self) {
        // It fails where the terminal is gone.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}
