//! Time and interruption, behind types that tests replace.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A clock to wait by.
pub trait Clock: Send {
    /// The time since some moment in the past.
    fn now(&self) -> Duration;

    /// Waits.
    fn sleep(&mut self, time: Duration);

    /// The time since 1970 in UTC, for records and signatures.
    fn unix_time(&self) -> Duration;

    /// Another hand of the same clock.
    fn fork(&self) -> Box<dyn Clock>;
}

/// The system's clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock(Instant);

impl SystemClock {
    /// A clock that starts now.
    pub fn new() -> SystemClock {
        SystemClock(Instant::now())
    }
}

impl Default for SystemClock {
    fn default() -> SystemClock {
        SystemClock::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&mut self, time: Duration) {
        std::thread::sleep(time);
    }

    fn unix_time(&self) -> Duration {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
    }

    fn fork(&self) -> Box<dyn Clock> {
        Box::new(*self)
    }
}

/// Whether the user wants the waiting to end. Clones share one flag.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// A flag that is not set.
    pub fn new() -> Interrupt {
        Interrupt::default()
    }

    /// Sets the flag whenever Ctrl-C is pressed, instead of ending the process.
    ///
    /// # Errors
    /// When the system refuses the signal handler.
    pub fn on_ctrl_c(&self) -> std::io::Result<()> {
        signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&self.0)).map(drop)
    }

    /// Asks for an end.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Forgets the wish, before the next command.
    pub fn clear(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    /// Whether an end was asked for.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
