//! Ctrl-C and the signals that end the process, as a flag for waiting code to check.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{SigId, flag, low_level};

/// Whether the user wants to stop waiting. Clones share one flag.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    requested: Arc<AtomicBool>,
    /// Whether Ctrl-C was pressed while it was not handed over.
    pressed: Arc<AtomicBool>,
    handlers: Arc<Mutex<Handlers>>,
    ends: Arc<Ends>,
}

/// The state of signals that ask the process to end.
#[derive(Debug)]
struct Ends {
    /// Whether such a signal ends the process at once: because nothing attends to it, or because it is not the first.
    at_once: Arc<AtomicBool>,
    /// The number of the signal that arrived; 0 for none.
    came: Arc<AtomicUsize>,
}

impl Default for Ends {
    fn default() -> Ends {
        Ends { at_once: Arc::new(AtomicBool::new(true)), came: Arc::default() }
    }
}

/// The signal handlers and who needs them.
#[derive(Debug, Default)]
struct Handlers {
    /// The handler that sets the flag.
    note: Option<SigId>,
    /// The handlers that end the process if Ctrl-C was pressed before, and record that it was pressed now.
    end: Option<[SigId; 2]>,
    /// How many [`HandedOver`] values exist.
    others: usize,
    /// Whether handlers for SIGTERM and SIGHUP are registered.
    notes_ends: bool,
    /// How many [`Attended`] values exist.
    attending: usize,
}

/// The exit code after an interrupt.
const INTERRUPTED: i32 = 130;

impl Handlers {
    fn note(&mut self, requested: &Arc<AtomicBool>) -> io::Result<()> {
        if self.note.is_none() {
            self.note = Some(flag::register(SIGINT, Arc::clone(requested))?);
        }
        Ok(())
    }

    /// Handlers run in the order of their registration, and the first Ctrl-C must not end the process, so the order
    /// matters.
    fn arm(&mut self, pressed: &Arc<AtomicBool>) -> io::Result<()> {
        if self.end.is_none() {
            // Resets a key press that was meant for another program but arrived late.
            pressed.store(false, Ordering::SeqCst);
            let end = flag::register_conditional_shutdown(SIGINT, INTERRUPTED, Arc::clone(pressed))?;
            self.end = Some([end, flag::register(SIGINT, Arc::clone(pressed))?]);
        }
        Ok(())
    }

    fn disarm(&mut self) {
        for id in self.end.take().into_iter().flatten() {
            low_level::unregister(id);
        }
    }
}

impl Interrupt {
    /// Returns a flag that is not set.
    pub fn new() -> Interrupt {
        Interrupt::default()
    }

    /// Makes Ctrl-C set the flag instead of ending the process. A second Ctrl-C before the flag is cleared ends the
    /// process at once, as the running code does not check the flag.
    ///
    /// # Errors
    /// When the system refuses the signal handler.
    pub fn on_ctrl_c(&self) -> io::Result<()> {
        let mut handlers = self.handlers();
        handlers.note(&self.requested)?;
        if handlers.others == 0 { handlers.arm(&self.pressed) } else { Ok(()) }
    }

    /// Makes SIGTERM and SIGHUP set the flag too, instead of ending the process at once, until the returned value is
    /// dropped. The waiting code can then report what continues without it. A second signal ends the process.
    ///
    /// # Errors
    /// When the system refuses the signal handlers.
    pub fn on_end(&self) -> io::Result<Attended> {
        let mut handlers = self.handlers();
        if !std::mem::replace(&mut handlers.notes_ends, true) {
            for signal in [SIGTERM, SIGHUP] {
                flag::register_conditional_default(signal, Arc::clone(&self.ends.at_once))?;
                flag::register(signal, Arc::clone(&self.ends.at_once))?;
                flag::register(signal, Arc::clone(&self.requested))?;
                let number = usize::try_from(signal).unwrap_or_default();
                flag::register_usize(signal, Arc::clone(&self.ends.came), number)?;
            }
        }
        handlers.attending += 1;
        if self.ends.came.load(Ordering::SeqCst) == 0 {
            self.ends.at_once.store(false, Ordering::SeqCst);
        }
        Ok(Attended(self.clone()))
    }

    /// Whether [`Interrupt::on_end`] was called, so that SIGTERM and SIGHUP are handled here.
    pub fn sees_to_ends(&self) -> bool {
        self.handlers().notes_ends
    }

    /// Ends the process with the exit code of the SIGTERM or SIGHUP that arrived, if any. Called after everything was
    /// reported.
    pub fn end_by_signal(&self) {
        if let Ok(signal @ 1..) = i32::try_from(self.ends.came.load(Ordering::SeqCst)) {
            low_level::exit(128 + signal);
        }
    }

    /// Hands Ctrl-C over to another program, such as one that uses the terminal, until the returned value is dropped.
    /// Ctrl-C then only sets the flag, however often it is pressed.
    ///
    /// # Errors
    /// When the system refuses the signal handler.
    pub fn hand_over(&self) -> io::Result<HandedOver> {
        let mut handlers = self.handlers();
        handlers.note(&self.requested)?;
        handlers.disarm();
        handlers.others += 1;
        Ok(HandedOver(self.clone()))
    }

    /// Sets the flag.
    pub fn set(&self) {
        self.requested.store(true, Ordering::Relaxed);
    }

    /// Clears the flag before the next command.
    pub fn clear(&self) {
        self.requested.store(false, Ordering::Relaxed);
        self.pressed.store(false, Ordering::Relaxed);
    }

    /// Whether the flag is set.
    pub fn is_set(&self) -> bool {
        self.requested.load(Ordering::Relaxed)
    }

    fn handlers(&self) -> MutexGuard<'_, Handlers> {
        self.handlers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// While it exists, signals that end the process only set the flag.
#[derive(Debug)]
pub struct Attended(Interrupt);

impl Drop for Attended {
    fn drop(&mut self) {
        let mut handlers = self.0.handlers();
        handlers.attending -= 1;
        if handlers.attending == 0 {
            self.0.ends.at_once.store(true, Ordering::SeqCst);
        }
    }
}

/// While it exists, Ctrl-C belongs to another program.
#[derive(Debug)]
pub struct HandedOver(Interrupt);

impl Drop for HandedOver {
    fn drop(&mut self) {
        let mut handlers = self.0.handlers();
        handlers.others -= 1;
        if handlers.others == 0 {
            // Registering a handler again does not fail. If it did, Ctrl-C would merely not end the process early.
            let _ = handlers.arm(&self.0.pressed);
        }
    }
}
