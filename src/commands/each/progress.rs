//! What became of the rows so far: told to the user, written to the results file, and passed on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::calls::learn_call;
use crate::client::{self, JobUuid, Uncertainty};
use crate::error::{Error, ExitCode};
use crate::interrupt::Interrupt;
use crate::json::{self, Kind};
use crate::plan::{Effect, Plan};
use crate::render::Failed;
use crate::secret::KnownSecrets;
use crate::session::Invocation;
use crate::terminal::{Bar, Counts, Reporter, Source, Ui};

use super::output::InOrder;
use super::pool::{Ended, Overseer, Task, What};
use super::results::{Entry, ResultsFile};

/// The state of a run.
pub(super) struct Progress<'a> {
    counts: Counts,
    bar: Bar,
    started: Instant,
    /// How many rows there are, and how many of them an earlier run did.
    rows: usize,
    done_before: usize,
    /// The exit code of the first failure.
    first_failure: ExitCode,
    keeps_going: bool,
    /// Set when no more rows are to be started.
    pub(super) stop: Arc<AtomicBool>,
    /// Rows that run again because a look at their jobs said so, those that keep their uuid with it.
    pub(super) again: Vec<(usize, Option<JobUuid>)>,
    results: Option<&'a mut ResultsFile>,
    replies: Option<InOrder>,
    failed: Failed,
    reporter: Reporter,
    known: KnownSecrets,
    ui: Ui,
    interrupt: Interrupt,
}

impl<'a> Progress<'a> {
    /// The state before the first of that many rows.
    pub(super) fn new(
        cx: &mut Invocation<'_>,
        replies: InOrder,
        results: Option<&'a mut ResultsFile>,
        failed: Failed,
        rows: usize,
        done_before: usize,
    ) -> Progress<'a> {
        Progress {
            counts: Counts::default(),
            bar: cx.settings.ui.bar(rows),
            started: Instant::now(),
            rows,
            done_before,
            first_failure: ExitCode::Done,
            keeps_going: cx.settings.call.keep_going,
            stop: Arc::default(),
            again: Vec::new(),
            results,
            replies: Some(replies),
            failed,
            reporter: cx.session.reporter(cx.settings, false),
            known: cx.session.known.clone(),
            ui: cx.settings.ui.clone(),
            interrupt: cx.session.interrupt.clone(),
        }
    }

    /// Passes on the replies that wait for rows before them: no more come.
    pub(super) fn all_ended(&mut self) {
        self.bar.clear();
        if self.left() > 0 {
            self.failed.set();
        }
        if let Some(replies) = self.replies.take() {
            replies.finish();
        }
    }

    /// Tells how the run ended; the exit code is that of the first failure.
    pub(super) fn finish(&self) -> ExitCode {
        let left = self.left();
        self.ui.say(&summary(self.counts, self.done_before, left, self.started.elapsed().as_secs_f64()));
        if let Some(results) = self.results.as_ref().filter(|_| left > 0 || self.first_failure != ExitCode::Done) {
            self.ui.say(&format!("`--resume {}` instead of --results continues", results.path().display()));
        }
        if self.interrupt.is_set() { ExitCode::Interrupted } else { self.first_failure }
    }

    /// The number of rows that have not run.
    fn left(&self) -> usize {
        self.rows.saturating_sub(self.counts.ended())
    }

    /// Counts, tells and writes down a row that failed.
    pub(super) fn fail(&mut self, row: usize, line: &str, job: Option<&str>, error: Error) -> Result<(), Error> {
        self.failed.set();
        let code = error.exit_code();
        if self.first_failure == ExitCode::Done {
            self.first_failure = code;
        }
        if is_unknown(&error) {
            self.counts.unknown += 1;
        } else {
            self.counts.failed += 1;
        }
        let object = self.results.is_some().then(|| self.reporter.object_of(&error).text());
        self.bar.clear();
        self.reporter.tell(error, Some(&Source::Part { of: None, what: &format!("row {row}") }), None);
        match &mut self.results {
            Some(results) => {
                let exit_code = Some(code.number());
                results.end(&Entry { row, line, exit_code, uuid: None, job, error: object })
            }
            None => Ok(()),
        }
    }

    fn succeed(&mut self, task: &Task, reply: Vec<u8>) -> Result<(), Error> {
        self.counts.done += 1;
        let written = match &mut self.results {
            Some(results) => {
                let job = task.job();
                results.end(&Entry {
                    row: task.row,
                    line: &task.line,
                    exit_code: Some(ExitCode::Done.number()),
                    uuid: uuid_of(&reply),
                    job: job.as_deref(),
                    error: None,
                })
            }
            None => Ok(()),
        };
        self.pass_on(task.row, Some(reply));
        written
    }

    fn pass_on(&mut self, row: usize, reply: Option<Vec<u8>>) {
        if let Some(replies) = &mut self.replies {
            replies.put(row, reply);
        }
    }
}

impl Overseer for Progress<'_> {
    fn before(&mut self, tasks: &[&Task]) -> Result<(), Error> {
        let Some(results) = &mut self.results else { return Ok(()) };
        let acting: Vec<(&Task, Option<String>)> =
            tasks.iter().filter(|task| task.acts()).map(|task| (*task, task.job())).collect();
        results.intend(acting.iter().map(|(task, job)| Entry {
            row: task.row,
            line: &task.line,
            job: job.as_deref(),
            ..Entry::default()
        }))
    }

    fn ended(&mut self, ended: Ended) -> Result<(), Error> {
        let Ended { task, result } = ended;
        let error = match result {
            Ok(reply) => return self.succeed(&task, reply),
            Err(error) => error,
        };
        if let What::Call(planned) = &task.what {
            learn_call(&self.known, &task.command, planned);
        }
        match (&task.what, &error) {
            // It was not sent.
            (What::Call(_), Error::Client(client::Error::Interrupted { job: None })) => return Ok(()),
            (What::Wait(..), Error::Api(_)) => {
                self.again.push((task.row, None));
                return Ok(());
            }
            (What::Wait(..), Error::Client(client::Error::OutcomeUnknown { reason: Uncertainty::NoRecord, .. }))
                if task.is_repeat =>
            {
                self.again.push((task.row, Some(task.job)));
                return Ok(());
            }
            _ => {}
        }
        self.pass_on(task.row, None);
        self.fail(task.row, &task.line, task.job().as_deref(), error)
    }

    fn tick(&mut self) {
        self.bar.show(self.counts);
    }

    fn goes_on(&self) -> bool {
        (self.keeps_going || self.first_failure == ExitCode::Done)
            // Without a session no row can succeed.
            && self.first_failure != ExitCode::NoSession
            && !self.interrupt.is_set()
            && !self.stop.load(Ordering::Relaxed)
    }
}

/// Whether an action may have been carried out.
fn is_unknown(error: &Error) -> bool {
    match error {
        Error::Client(client::Error::OutcomeUnknown { .. } | client::Error::Unanswered { .. }) => true,
        Error::Client(error) => error.job().is_some(),
        _ => false,
    }
}

/// The uuid of the resource in a reply.
fn uuid_of(reply: &[u8]) -> Option<String> {
    let uuid = json::member(json::member(reply, "inventory")?, "uuid")?;
    (json::kind(uuid) == Kind::Text).then(|| json::unescape(uuid).into_owned())
}

/// The last line: `500 rows: 496 done, 3 failed, 1 not run (20.3 s)`.
fn summary(counts: Counts, done_before: usize, left: usize, seconds: f64) -> String {
    let all = counts.ended() + left + done_before;
    let mut text = format!("{all} {}: {} done", if all == 1 { "row" } else { "rows" }, counts.done);
    let others =
        [(done_before, "done before"), (counts.failed, "failed"), (counts.unknown, "unknown"), (left, "not run")];
    for (count, what) in others {
        if count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    }
    format!("{text} ({seconds:.1} s)")
}

/// The last line where there was nothing to do.
pub(super) fn nothing_to_do(done_before: usize) -> String {
    match done_before {
        0 => "no rows".to_owned(),
        count => format!("{count} rows: all done before"),
    }
}

/// Whether a plan only reads.
pub(super) fn reads(planned: &Plan) -> bool {
    !matches!(planned, Plan::Call(request) if request.effect == Effect::Action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_tells_what_there_is() {
        let counts = Counts { done: 3, failed: 1, unknown: 0 };
        assert_eq!(summary(counts, 0, 0, 1.25), "4 rows: 3 done, 1 failed (1.2 s)");
        assert_eq!(
            summary(Counts { unknown: 2, ..counts }, 5, 6, 0.0),
            "17 rows: 3 done, 5 done before, 1 failed, 2 unknown, 6 not run (0.0 s)"
        );
        assert_eq!(summary(Counts { done: 1, ..Counts::default() }, 0, 0, 0.0), "1 row: 1 done (0.0 s)");
        assert_eq!(nothing_to_do(2), "2 rows: all done before");
    }
}
