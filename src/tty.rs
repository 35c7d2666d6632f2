//! Restores the terminal, however the program ends while its modes are changed.
//!
//! Code that changes the modes of the terminal holds a [`Kept`] value meanwhile. When a signal ends the program, a
//! thread restores the modes first; it runs from the first use on. With nothing to restore, a signal has its default
//! effect.

use std::io::{self, IsTerminal};
use std::process::Child;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGABRT, SIGHUP, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level;

/// Escape sequences that undo what a line editor may have set: they disable bracketed paste and show the cursor.
const USUAL: &[u8] = b"\x1b[?2004l\x1b[?25h";

/// How long a program that uses the terminal may take to end.
const LEAVE_TIME: Duration = Duration::from_millis(500);

/// How often to check whether it has ended.
const LOOK: Duration = Duration::from_millis(5);

/// Global, because signals are sent to the process as a whole.
static STATE: Mutex<State> =
    Mutex::new(State { holders: 0, modes: None, programs: Vec::new(), leave: None, others: false, attended: false });

struct State {
    /// How many [`Kept`] values exist.
    holders: usize,
    /// The modes to restore.
    modes: Option<Termios>,
    /// Programs that use the terminal.
    programs: Vec<Pid>,
    /// Leaves the full screen, for example. Returns whether there was anything to leave.
    leave: Option<fn() -> bool>,
    /// Whether other code handles SIGTERM and SIGHUP while there is nothing to restore.
    others: bool,
    /// Whether the thread for signals was started.
    attended: bool,
}

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// While it exists, the modes of the terminal may be changed.
#[derive(Debug)]
pub(crate) struct Kept {
    program: Option<Pid>,
}

/// Records the modes of the terminal, which are restored if the program ends before the returned value is dropped.
pub(crate) fn keep() -> Kept {
    let mut state = state();
    // Errors are ignored: a system that refuses a handler or a thread has worse problems, and a normal end restores the
    // modes anyway.
    let _ = state.attend();
    if state.holders == 0 {
        state.modes = tcgetattr(io::stdin()).ok();
    }
    state.holders += 1;
    Kept { program: None }
}

impl Kept {
    /// Ends a child process that uses the terminal before the modes are restored, so that it can restore what it
    /// changed.
    pub(crate) fn end_first(&mut self, child: &Child) {
        self.program = Some(Pid::from_child(child));
        state().programs.extend(self.program);
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let mut state = state();
        if let Some(at) = state.programs.iter().position(|program| Some(*program) == self.program) {
            state.programs.swap_remove(at);
        }
        state.holders -= 1;
        if state.holders == 0 {
            state.modes = None;
        }
    }
}

/// Registers a function to call before a signal ends the program. It returns whether there was anything to leave.
pub(crate) fn leave_first(leave: fn() -> bool) -> io::Result<()> {
    let mut state = state();
    state.leave = Some(leave);
    state.attend()
}

/// Lets other code handle SIGTERM and SIGHUP while there is nothing to restore.
pub(crate) fn leave_ends_to_others() {
    state().others = true;
}

/// Restores the terminal now, because the program has failed and is about to report that.
pub(crate) fn restore() {
    // If the lock is taken, its holder is about to do the same.
    if let Ok(state) = STATE.try_lock() {
        state.restore();
    }
}

impl State {
    fn attend(&mut self) -> io::Result<()> {
        if !self.attended {
            let mut signals = Signals::new([SIGHUP, SIGTERM, SIGQUIT, SIGABRT])?;
            thread::Builder::new().spawn(move || signals.forever().for_each(|signal| state().end(signal)))?;
            self.attended = true;
        }
        Ok(())
    }

    fn end(&self, signal: i32) {
        let has_left = self.leave.is_some_and(|leave| leave());
        for program in &self.programs {
            end_program(*program);
        }
        if self.holders == 0 && !has_left && self.others && matches!(signal, SIGTERM | SIGHUP) {
            return;
        }
        self.restore();
        if has_left {
            low_level::exit(128 + signal);
        }
        // This fails only for unknown signals.
        let _ = low_level::emulate_default_handler(signal);
    }

    fn restore(&self) {
        let Some(modes) = &self.modes else { return };
        // An error means that the terminal is gone, which needs no restoring.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, modes);
        // Written directly, as a thread that writes to a pager holds the locks of the standard library.
        let _ = match (io::stdout().is_terminal(), io::stderr().is_terminal()) {
            (true, _) => rustix::io::write(io::stdout(), USUAL),
            (false, true) => rustix::io::write(io::stderr(), USUAL),
            (false, false) => Ok(0),
        };
    }
}

/// Asks a program to end and waits until it has. Its exit code is read elsewhere.
fn end_program(program: Pid) {
    let started = Instant::now();
    let _ = kill_process(program, Signal::TERM);
    while test_kill_process(program).is_ok() && started.elapsed() < LEAVE_TIME {
        thread::sleep(LOOK);
    }
}
