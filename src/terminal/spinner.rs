//! The progress display for jobs.

use std::io::Write;
use std::time::Duration;

use crate::client::{Waiting, Watch};
use crate::json::escape_unprintable;
use crate::width::start;

/// The progress of several jobs.
pub(crate) struct JobsProgress<'a> {
    pub(crate) ended: usize,
    pub(crate) of: usize,
    /// The time since the wait began.
    pub(crate) elapsed: Duration,
    /// The job that takes longest.
    pub(crate) slowest: Waiting<'a>,
}

/// Draws a line on a terminal's standard error repeatedly.
pub(crate) struct Spinner<W: Write> {
    out: W,
    /// `None` to draw nothing.
    width: Option<usize>,
    frame: usize,
    drawn: bool,
}

impl<W: Write> Spinner<W> {
    /// A spinner for a terminal of that width; `None` for one that draws nothing.
    pub(crate) fn new(out: W, width: Option<usize>) -> Spinner<W> {
        Spinner { out, width, frame: 0, drawn: false }
    }
}

impl<W: Write> Spinner<W> {
    /// Draws the progress of several jobs.
    pub(crate) fn several(&mut self, standing: JobsProgress<'_>) {
        let counts = format!("  {} of {} ended", standing.ended, standing.of);
        self.draw(standing.elapsed, &counts, standing.slowest);
    }

    /// Draws how far something is that is no job.
    pub(crate) fn progress(&mut self, elapsed: Duration, text: &str) {
        self.show(elapsed, &format!("  {text}"));
    }

    fn draw(&mut self, elapsed: Duration, counts: &str, state: Waiting<'_>) {
        let mut text = counts.to_owned();
        if let Some(percent) = state.progress.and_then(|progress| progress.percent) {
            text.push_str(&format!("  {percent}%"));
        }
        if let Some(step) = state.progress.and_then(|progress| progress.step.as_deref()) {
            text.push_str(&format!("  {}", escape_unprintable(step)));
        }
        text.push_str(&format!("  job {} (Ctrl-C stops waiting)", state.job));
        self.show(elapsed, &text);
    }

    fn show(&mut self, elapsed: Duration, text: &str) {
        const FRAMES: [char; 4] = ['|', '/', '-', '\\'];
        // Short waits are not shown.
        let Some(width) = self.width.filter(|_| elapsed >= Duration::from_millis(300)) else { return };
        self.frame = (self.frame + 1) % FRAMES.len();
        let text = format!("{} {}{text}", FRAMES[self.frame], clock(elapsed));
        let text = start(&text, width.saturating_sub(1));
        // Errors are ignored: the terminal may be closed.
        let _ = write!(self.out, "\r\u{1b}[K{text}");
        let _ = self.out.flush();
        self.drawn = true;
    }
}

impl<W: Write> Watch for Spinner<W> {
    fn waiting(&mut self, state: Waiting<'_>) {
        self.draw(state.elapsed, "", state);
    }

    fn silent(&mut self, endpoint: &str, elapsed: Duration) {
        self.show(elapsed, &format!("  no answer from {endpoint} yet (Ctrl-C stops waiting)"));
    }

    fn wants_progress(&self) -> bool {
        self.width.is_some()
    }

    fn done(&mut self) {
        if std::mem::take(&mut self.drawn) {
            let _ = write!(self.out, "\r\u{1b}[K");
            let _ = self.out.flush();
        }
    }
}

impl<W: Write> Drop for Spinner<W> {
    fn drop(&mut self) {
        self.done();
    }
}

/// `0:07`, `12:30`, `1:02:03`.
pub(super) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, minutes, seconds) => format!("{minutes}:{seconds:02}"),
        (hours, minutes, seconds) => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Progress;

    #[test]
    fn the_line_fits_and_is_cleared() {
        let mut screen = Vec::new();
        let progress = Progress { percent: Some(42), step: Some("创建 volume".to_owned()) };
        let mut spinner = Spinner::new(&mut screen, Some(30));
        spinner.waiting(Waiting { job: "0b5c", elapsed: Duration::from_secs(67), progress: Some(&progress) });
        drop(spinner);
        let text = String::from_utf8(screen).expect("text");
        assert_eq!(text, "\r\u{1b}[K/ 1:07  42%  创建 volume  job\r\u{1b}[K");
    }

    #[test]
    fn several_jobs_have_one_line() {
        let mut screen = Vec::new();
        let progress = Progress { percent: Some(42), step: Some("copying".to_owned()) };
        let elapsed = Duration::from_secs(67);
        let slowest = Waiting { job: "0b5c", elapsed, progress: Some(&progress) };
        Spinner::new(&mut screen, Some(50)).several(JobsProgress { ended: 2, of: 5, elapsed, slowest });
        let text = String::from_utf8(screen).expect("text");
        assert_eq!(text, "\r\u{1b}[K/ 1:07  2 of 5 ended  42%  copying  job 0b5c (Ctr\r\u{1b}[K");
    }

    #[test]
    fn nothing_is_drawn_off_a_terminal_or_for_short_waits() {
        let mut screen = Vec::new();
        let state = |millis| Waiting { job: "0b5c", elapsed: Duration::from_millis(millis), progress: None };
        Spinner::new(&mut screen, None).waiting(state(5000));
        Spinner::new(&mut screen, Some(80)).waiting(state(100));
        assert!(screen.is_empty());
    }
}
