//! Ctrl-C and the signals that end the process, as a flag that whoever waits checks.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{SigId, flag, low_level};

/// Whether the user wants the waiting to end. Clones share one flag.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    requested: Arc<AtomicBool>,
    /// Whether Ctrl-C was pressed while it was nobody else's.
    pressed: Arc<AtomicBool>,
    handlers: Arc<Mutex<Handlers>>,
    ends: Arc<Ends>,
}

/// Signals that want the process to end.
#[derive(Debug)]
struct Ends {
    /// Whether they end it at once: nobody waits for anything, or one came before.
    at_once: Arc<AtomicBool>,
    /// The one that came; 0 for none.
    came: Arc<AtomicUsize>,
}

impl Default for Ends {
    fn default() -> Ends {
        Ends { at_once: Arc::new(AtomicBool::new(true)), came: Arc::default() }
    }
}

/// What happens when Ctrl-C is pressed.
#[derive(Debug, Default)]
struct Handlers {
    /// Sets the flag.
    note: Option<SigId>,
    /// Ends the process if Ctrl-C was pressed before, and notes that it was now.
    end: Option<[SigId; 2]>,
    /// How many others have Ctrl-C to themselves.
    others: usize,
    /// Whether signals that end the process have handlers.
    notes_ends: bool,
    /// How many wait such signals out.
    attending: usize,
}

/// The exit code of whoever is interrupted.
const INTERRUPTED: i32 = 130;

impl Handlers {
    fn note(&mut self, requested: &Arc<AtomicBool>) -> io::Result<()> {
        if self.note.is_none() {
            self.note = Some(flag::register(SIGINT, Arc::clone(requested))?);
        }
        Ok(())
    }

    /// The order matters: handlers run in the order in which they came, and the first Ctrl-C must not end anything.
    fn arm(&mut self, pressed: &Arc<AtomicBool>) -> io::Result<()> {
        if self.end.is_none() {
            // A press that was meant for somebody else may still be on its way here.
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
    /// A flag that is not set.
    pub fn new() -> Interrupt {
        Interrupt::default()
    }

    /// Sets the flag when Ctrl-C is pressed, instead of ending the process. Pressed again before the flag is cleared, it
    /// ends the process at once: whatever goes on does not look at the flag.
    ///
    /// # Errors
    /// When the system refuses the signal handler.
    pub fn on_ctrl_c(&self) -> io::Result<()> {
        let mut handlers = self.handlers();
        handlers.note(&self.requested)?;
        if handlers.others == 0 { handlers.arm(&self.pressed) } else { Ok(()) }
    }

    /// Sets the flag also when the process is told to end or its terminal is gone, instead of ending at once, until what
    /// is returned is dropped: what waits can say what goes on without it. Told again, it ends.
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

    /// Whether signals that end the process are seen to here, now that [`Interrupt::on_end`] was called.
    pub fn sees_to_ends(&self) -> bool {
        self.handlers().notes_ends
    }

    /// Ends the process with the exit code of the signal that wanted that, if there was one, now that all is said.
    pub fn end_by_signal(&self) {
        if let Ok(signal @ 1..) = i32::try_from(self.ends.came.load(Ordering::SeqCst)) {
            low_level::exit(128 + signal);
        }
    }

    /// Leaves Ctrl-C to somebody else, such as a program that has the terminal, until what is returned is dropped:
    /// it only sets the flag, however often it is pressed.
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

    /// Asks for an end.
    pub fn set(&self) {
        self.requested.store(true, Ordering::Relaxed);
    }

    /// Clears the flag, before the next command.
    pub fn clear(&self) {
        self.requested.store(false, Ordering::Relaxed);
        self.pressed.store(false, Ordering::Relaxed);
    }

    /// Whether an end was asked for.
    pub fn is_set(&self) -> bool {
        self.requested.load(Ordering::Relaxed)
    }

    fn handlers(&self) -> MutexGuard<'_, Handlers> {
        self.handlers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time during which a signal that ends the process is waited out.
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

/// The time during which Ctrl-C is somebody else's.
#[derive(Debug)]
pub struct HandedOver(Interrupt);

impl Drop for HandedOver {
    fn drop(&mut self) {
        let mut handlers = self.0.handlers();
        handlers.others -= 1;
        if handlers.others == 0 {
            // A system that gave the handlers once gives them again; without them nothing ends too early.
            let _ = handlers.arm(&self.0.pressed);
        }
    }
}
