//! The terminal as it was, however the program ends while it made something else of it.
//!
//! Whoever changes the modes of the terminal holds a [`Kept`] meanwhile. A signal that ends the program then finds them
//! put back first: by a thread that attends to such signals, from the first use on. Without anything to put back a
//! signal does what it does by itself.

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

/// What a line editor may have asked for: shows the cursor, and takes pasted text as typed.
const USUAL: &[u8] = b"\x1b[?2004l\x1b[?25h";

/// How long a program that had the terminal may take to leave it.
const LEAVE_TIME: Duration = Duration::from_millis(500);

/// How often is looked whether it did.
const LOOK: Duration = Duration::from_millis(5);

/// Signals come to the process, and so this is the process's.
static STATE: Mutex<State> =
    Mutex::new(State { holders: 0, modes: None, programs: Vec::new(), leave: None, others: false, attended: false });

struct State {
    /// How many changed the modes.
    holders: usize,
    /// The modes before.
    modes: Option<Termios>,
    /// Programs that have the terminal.
    programs: Vec<Pid>,
    /// Leaves what else is shown; whether there was anything to leave.
    leave: Option<fn() -> bool>,
    /// Whether somebody else sees to what ends the program while nothing is to be put back.
    others: bool,
    /// Whether signals are attended to.
    attended: bool,
}

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The time during which the modes of the terminal may be others.
#[derive(Debug)]
pub(crate) struct Kept {
    program: Option<Pid>,
}

/// Notes the modes of the terminal, to be put back when the program ends before the value does.
pub(crate) fn keep() -> Kept {
    let mut state = state();
    // A system that refuses a handler or a thread refuses more than this; the end of a program restores its modes.
    let _ = state.attend();
    if state.holders == 0 {
        state.modes = tcgetattr(io::stdin()).ok();
    }
    state.holders += 1;
    Kept { program: None }
}

impl Kept {
    /// Has a program that has the terminal from now on ended first, so that it can leave it.
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

/// Has `leave` called before a signal ends the program; it tells whether there was anything to leave.
pub(crate) fn leave_first(leave: fn() -> bool) -> io::Result<()> {
    let mut state = state();
    state.leave = Some(leave);
    state.attend()
}

/// Leaves the signals that end the program to somebody else while nothing is to be put back.
pub(crate) fn leave_ends_to_others() {
    state().others = true;
}

/// Puts the terminal back now: the program has failed, and says so.
pub(crate) fn restore() {
    // Whoever holds it is about to do the same.
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
        // It fails for unknown signals only.
        let _ = low_level::emulate_default_handler(signal);
    }

    fn restore(&self) {
        let Some(modes) = &self.modes else { return };
        // A terminal that is gone needs nothing.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, modes);
        // Past the locks of the standard library, which whoever writes to a pager holds.
        let _ = match (io::stdout().is_terminal(), io::stderr().is_terminal()) {
            (true, _) => rustix::io::write(io::stdout(), USUAL),
            (false, true) => rustix::io::write(io::stderr(), USUAL),
            (false, false) => Ok(0),
        };
    }
}

/// Asks a program to end, and waits until it did: somebody else has its exit code read.
fn end_program(program: Pid) {
    let started = Instant::now();
    let _ = kill_process(program, Signal::TERM);
    while test_kill_process(program).is_ok() && started.elapsed() < LEAVE_TIME {
        thread::sleep(LOOK);
    }
}
