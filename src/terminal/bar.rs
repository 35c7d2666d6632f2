//! The progress display for many calls: a bar on a terminal, else a line from time to time.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use crate::width::start;

use super::spinner::clock;

/// How often a line is printed where there is no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(30);

/// How often the bar is drawn.
const FRAME: Duration = Duration::from_millis(100);

/// The width of the bar itself, in columns.
const CELLS: usize = 20;

/// How many calls ended, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) done: usize,
    pub(crate) failed: usize,
    /// The outcome is not known.
    pub(crate) unknown: usize,
}

impl Counts {
    pub(crate) fn ended(self) -> usize {
        self.done + self.failed + self.unknown
    }
}

/// The progress of many calls on standard error.
pub(crate) struct Bar {
    of: usize,
    /// The width of the terminal; `None` to draw no bar.
    width: Option<usize>,
    /// Whether lines are printed instead.
    prints_lines: bool,
    started: Instant,
    shown: Instant,
    is_drawn: bool,
}

impl Bar {
    /// A bar for that many calls.
    pub(crate) fn new(of: usize, width: Option<usize>, prints_lines: bool) -> Bar {
        let now = Instant::now();
        Bar { of, width, prints_lines, started: now, shown: now, is_drawn: false }
    }

    /// Shows how far the calls are, if it is time.
    pub(crate) fn show(&mut self, counts: Counts) {
        let interval = if self.width.is_some() { FRAME } else { LINE_INTERVAL };
        if self.shown.elapsed() < interval || (self.width.is_none() && !self.prints_lines) {
            return;
        }
        self.shown = Instant::now();
        let text = told(counts, self.of, self.started.elapsed());
        let mut out = io::stderr().lock();
        // Errors are ignored: the terminal may be closed.
        let _ = match self.width {
            Some(width) => {
                let text = format!("{} {text}  (Ctrl-C stops)", drawn(counts, self.of));
                self.is_drawn = true;
                write!(out, "\r\u{1b}[K{}", start(&text, width.saturating_sub(1)))
            }
            None => writeln!(out, "{text}"),
        };
        let _ = out.flush();
    }

    /// Removes the bar, so that something else can be printed.
    pub(crate) fn clear(&mut self) {
        if std::mem::take(&mut self.is_drawn) {
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.clear();
    }
}

/// `[#####...............]`
fn drawn(counts: Counts, of: usize) -> String {
    let full = (counts.ended() * CELLS).checked_div(of).unwrap_or(CELLS).min(CELLS);
    format!("[{}{}]", "#".repeat(full), ".".repeat(CELLS - full))
}

/// `120 of 500 done, 3 failed, 1 unknown, 25/s, 0:15 left`
fn told(counts: Counts, of: usize, elapsed: Duration) -> String {
    let mut text = format!("{} of {of} done", counts.done);
    for (count, what) in [(counts.failed, "failed"), (counts.unknown, "unknown")] {
        if count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    }
    let rate = counts.ended() as f64 / elapsed.as_secs_f64().max(0.001);
    if counts.ended() > 0 {
        let left = of.saturating_sub(counts.ended()) as f64 / rate;
        let rate = if rate < 10.0 { format!("{rate:.1}") } else { format!("{rate:.0}") };
        text.push_str(&format!(", {rate}/s, {} left", clock(Duration::from_secs_f64(left.ceil()))));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_tells_what_ended_and_what_is_left() {
        let counts = Counts { done: 120, failed: 4, unknown: 1 };
        assert_eq!(told(counts, 500, Duration::from_secs(5)), "120 of 500 done, 4 failed, 1 unknown, 25/s, 0:15 left");
        assert_eq!(drawn(counts, 500), "[#####...............]");
        let few = Counts { done: 3, ..Counts::default() };
        assert_eq!(told(few, 10, Duration::from_secs(6)), "3 of 10 done, 0.5/s, 0:14 left");
        assert_eq!(told(Counts::default(), 10, Duration::ZERO), "0 of 10 done");
        assert_eq!(drawn(few, 3), "[####################]");
    }
}
