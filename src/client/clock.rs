//! Time and interruption, behind types that tests replace.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often a wish to stop is looked for.
const SLICE: Duration = Duration::from_millis(50);

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

    /// Waits, unless an end is asked for; `false` then. `look` is told the clock's time about twenty times a second.
    pub fn sleep(&self, clock: &mut dyn Clock, time: Duration, look: &mut dyn FnMut(Duration)) -> bool {
        let end = clock.now().saturating_add(time);
        loop {
            if self.is_set() {
                return false;
            }
            let now = clock.now();
            look(now);
            let left = end.saturating_sub(now);
            if left.is_zero() {
                return true;
            }
            clock.sleep(left.min(SLICE));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::fake::Node;
    use super::*;

    #[test]
    fn sleeping_ends_in_time_or_when_an_end_is_asked_for() {
        let (mut clock, interrupt) = (Node::default(), Interrupt::new());
        let mut looks = Vec::new();
        assert!(interrupt.sleep(&mut clock, Duration::from_millis(120), &mut |now| looks.push(now.as_millis())));
        assert_eq!(looks, [0, 50, 100, 120]);
        let mut looks = 0;
        let slept = interrupt.sleep(&mut clock, Duration::MAX, &mut |_| {
            looks += 1;
            if looks == 3 {
                interrupt.set();
            }
        });
        assert!(!slept, "nobody sleeps for ever");
        assert_eq!(clock.now(), Duration::from_millis(270));
    }
}
