//! The clock, which tests replace.

use std::time::{Duration, Instant};

use crate::interrupt::Interrupt;

/// How often a flag is checked.
const SLICE: Duration = Duration::from_millis(50);

/// A clock that can wait.
pub trait Clock: Send {
    /// The time since some moment in the past.
    fn now(&self) -> Duration;

    /// Waits.
    fn sleep(&mut self, time: Duration);

    /// The time since 1970 in UTC, for records and signatures.
    fn unix_time(&self) -> Duration;

    /// Another handle of the same clock.
    fn fork(&self) -> Box<dyn Clock>;

    /// Waits; `false` if the user interrupts. `look` is called with the clock's time about twenty times a second.
    fn wait(&mut self, interrupt: &Interrupt, time: Duration, look: &mut dyn FnMut(Duration)) -> bool {
        let end = self.now().saturating_add(time);
        loop {
            if interrupt.is_set() {
                return false;
            }
            let now = self.now();
            look(now);
            let left = end.saturating_sub(now);
            if left.is_zero() {
                return true;
            }
            self.sleep(left.min(SLICE));
        }
    }
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

#[cfg(test)]
mod tests {
    use super::super::tests::fake::Node;
    use super::*;

    #[test]
    fn sleeping_ends_in_time_or_when_an_end_is_asked_for() {
        let (mut clock, interrupt) = (Node::default(), Interrupt::new());
        let mut looks = Vec::new();
        assert!(clock.wait(&interrupt, Duration::from_millis(120), &mut |now| looks.push(now.as_millis())));
        assert_eq!(looks, [0, 50, 100, 120]);
        let mut looks = 0;
        let slept = clock.wait(&interrupt, Duration::MAX, &mut |_| {
            looks += 1;
            if looks == 3 {
                interrupt.set();
            }
        });
        assert!(!slept, "nobody sleeps for ever");
        assert_eq!(clock.now(), Duration::from_millis(270));
    }
}
