//! `job wait` for several jobs at once.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::calls::job_rows::{self, JobRow};
use crate::calls::waiting::{End, Waited, is_unrecorded, say_what_goes_on, tells_of_long_job, wait_for};
use crate::calls::{show, view};
use crate::client::{
    self, Answer, ApiFailure, Client, Clock, FailedPart, JobOutcome, Progress, Reply, SystemClock, Waiting, Watch,
};
use crate::error::{Error, ExitCode};
use crate::session::{Invocation, nodes};
use crate::terminal::{JobsProgress, Source};

use super::job_named::Named;

/// The number of jobs that are waited for in parallel.
const AT_ONCE: usize = 32;

/// How often the progress line is drawn.
const FRAME: Duration = Duration::from_millis(100);

/// A job to wait for.
struct Task {
    named: Named,
    api: &'static str,
    client: Client,
    /// Whether to wait for the long job in its result, too.
    follow: bool,
}

/// Waits for jobs and lists their outcomes.
pub(super) fn several(cx: &mut Invocation<'_>, names: &[String]) -> Result<(), Error> {
    let view = view::of_settings(cx)?;
    let mut tasks = tasks(cx, names)?;
    let _attended = cx.session.attend_to_ends()?;
    let all_waited = wait_for_tasks(cx, &mut tasks);
    let mut verdicts = Vec::new();
    for (task, waited) in tasks.iter().zip(all_waited) {
        task.named.note_end(cx.session, waited.outcome);
        say_what_goes_on(cx, &waited);
        verdicts.push(judge(task.named.seen_end(), waited));
    }
    let code = report_all(cx, &tasks, &mut verdicts);
    let rows: Vec<JobRow<'_>> =
        tasks.iter().zip(&verdicts).map(|(task, verdict)| verdict.row(task.named.row())).collect();
    show::print(cx, Reply::of_text(job_rows::several(&rows)), &job_rows::list_shape(), &view)?;
    if code == ExitCode::Done { Ok(()) } else { Err(Error::Reported(code)) }
}

fn tasks(cx: &mut Invocation<'_>, names: &[String]) -> Result<Vec<Task>, Error> {
    let mut tasks = Vec::new();
    for name in names {
        let named = Named::find(cx.session, name)?;
        let api = named.api(cx.session.catalog);
        let follow = cx.settings.call.follow && tells_of_long_job(&named.shape(cx.session.catalog));
        let target = named.target(cx.session, cx.settings)?;
        let there = target.map(|target| cx.session.aimed_at(cx.settings, target));
        let client = nodes::node(cx.session, there.as_ref().unwrap_or(cx.settings))?.client.fork();
        tasks.push(Task { named, api, client, follow });
    }
    Ok(tasks)
}

/// Waits for all jobs; returns their outcomes in order.
fn wait_for_tasks(cx: &Invocation<'_>, tasks: &mut [Task]) -> Vec<Waited> {
    let mut spinner = cx.settings.ui.spinner();
    let mut clock = SystemClock::new();
    let started = clock.now();
    let sights = JobsSeen::new(tasks, spinner.wants_progress());
    let mut all_waited = Vec::new();
    for (round, some) in tasks.chunks_mut(AT_ONCE).enumerate() {
        // The time-out is for all jobs: later rounds have the rest of it, and a last check.
        let waited = clock.now().saturating_sub(started);
        let patience = cx.settings.call.patience().map(|patience| patience.saturating_sub(waited));
        thread::scope(|scope| {
            let threads: Vec<_> = some
                .iter_mut()
                .enumerate()
                .map(|(at, task)| {
                    let place = JobWatch { sights: &sights, at: round * AT_ONCE + at };
                    scope.spawn(move || task.wait(place, patience))
                })
                .collect();
            while threads.iter().any(|thread| !thread.is_finished())
                && clock.wait(&cx.session.interrupt, FRAME, &mut |_| {})
            {
                let elapsed = clock.now().saturating_sub(started);
                sights.draw(elapsed, |standing| spinner.several(standing));
            }
            // A panic in a thread is propagated.
            let ended = threads.into_iter().map(|one| one.join().unwrap_or_else(|it| std::panic::resume_unwind(it)));
            all_waited.extend(ended);
        });
    }
    all_waited
}

/// Prints the error of each job; returns the exit code of the first error.
fn report_all(cx: &mut Invocation<'_>, tasks: &[Task], verdicts: &mut [Verdict]) -> ExitCode {
    let mut first = ExitCode::Done;
    for (task, verdict) in tasks.iter().zip(verdicts) {
        let Some(error) = verdict.error.take() else { continue };
        let code = cx.session.report(error, cx.settings, Some(&Source::Job(&task.named.uuid)), None);
        first = if first == ExitCode::Done { code } else { first };
    }
    first
}

impl Task {
    fn wait(&mut self, mut place: JobWatch<'_>, patience: Option<Duration>) -> Waited {
        let job = (self.api, self.named.job());
        let waited = wait_for(&mut self.client, job, self.follow, patience, &mut place);
        place.end();
        waited
    }
}

/// The end of one of several jobs.
#[derive(Default)]
struct Verdict {
    state: &'static str,
    result: Option<Vec<u8>>,
    failure: Option<ApiFailure>,
    error: Option<Error>,
}

impl Verdict {
    fn failed(failure: ApiFailure) -> Verdict {
        let error = Some(Error::Api(Box::new(failure.clone())));
        Verdict { state: "failed", failure: Some(failure), error, ..Verdict::default() }
    }

    fn unknown(error: Error) -> Verdict {
        Verdict { state: "unknown", error: Some(error), ..Verdict::default() }
    }

    /// A job whose result cannot be read has succeeded, too.
    fn succeeded(reply: Option<Reply>) -> Verdict {
        let result = match reply.map(Reply::into_text).transpose() {
            Ok(result) => result,
            Err(error) => {
                let error = Some(client::Error::of_read(&error).into());
                return Verdict { state: "succeeded", error, ..Verdict::default() };
            }
        };
        let failed = result.as_deref().map(FailedPart::all_of).unwrap_or_default();
        let state = if failed.is_empty() { "succeeded" } else { "failed" };
        let error = Some(failed).filter(|failed| !failed.is_empty()).map(Error::Parts);
        Verdict { state, result, failure: None, error }
    }

    fn row<'a>(&'a self, row: JobRow<'a>) -> JobRow<'a> {
        JobRow { state: Some(self.state), result: self.result.as_deref(), failure: self.failure.as_ref(), ..row }
    }
}

/// The outcome of a job after the wait. `seen` is its outcome in the journal.
fn judge(seen: Option<JobOutcome>, waited: Waited) -> Verdict {
    match waited.end {
        Ok(End::Answer(Answer::Reply(reply))) => Verdict::succeeded(Some(reply)),
        Ok(End::Answer(Answer::Failed(failure))) => Verdict::failed(failure),
        // This does not happen: the call waits.
        Ok(End::Answer(Answer::Detached(_))) => Verdict { state: "unknown", ..Verdict::default() },
        Ok(End::LongJob(long_job)) if long_job.state == "Succeeded" => Verdict::succeeded(long_job.reply()),
        Ok(End::LongJob(long_job)) => Verdict::failed(long_job.failure()),
        Ok(End::Untold(failure)) => Verdict::unknown(Error::Api(Box::new(failure))),
        Err(error) => match seen.filter(|_| is_unrecorded(&error)) {
            Some(JobOutcome::Succeeded) => Verdict::succeeded(None),
            Some(outcome @ (JobOutcome::Failed | JobOutcome::NotRun)) => {
                let error = Some(Error::Reported(ExitCode::Failed));
                Verdict { state: outcome.as_str(), error, ..Verdict::default() }
            }
            Some(JobOutcome::Unknown) | None => Verdict::unknown(error.into()),
        },
    }
}

/// The shared progress of the jobs.
struct JobsSeen {
    seen: Mutex<Vec<JobSeen>>,
    wants_progress: bool,
}

/// The last known state of a job.
struct JobSeen {
    job: String,
    has_ended: bool,
    progress: Option<Progress>,
}

impl JobsSeen {
    fn new(tasks: &[Task], wants_progress: bool) -> JobsSeen {
        let sight = |task: &Task| JobSeen { job: task.named.uuid.clone(), has_ended: false, progress: None };
        JobsSeen { seen: Mutex::new(tasks.iter().map(sight).collect()), wants_progress }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<JobSeen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The progress of the jobs; `None` if all have ended.
    fn draw(&self, elapsed: Duration, draw: impl FnOnce(JobsProgress<'_>)) {
        let sights = self.lock();
        // Jobs without progress are left out.
        let slowness = |sight: &&JobSeen| {
            let percent = sight.progress.as_ref().map(|progress| progress.percent.unwrap_or_default());
            (percent.is_none(), percent)
        };
        let running = sights.iter().filter(|sight| !sight.has_ended);
        if let Some(slowest) = running.min_by_key(slowness) {
            draw(JobsProgress {
                ended: sights.iter().filter(|sight| sight.has_ended).count(),
                of: sights.len(),
                elapsed,
                slowest: Waiting { job: &slowest.job, elapsed, progress: slowest.progress.as_ref() },
            });
        }
    }
}

/// The state of one job.
struct JobWatch<'a> {
    sights: &'a JobsSeen,
    at: usize,
}

impl JobWatch<'_> {
    fn end(&self) {
        if let Some(sight) = self.sights.lock().get_mut(self.at) {
            sight.has_ended = true;
        }
    }
}

impl Watch for JobWatch<'_> {
    fn waiting(&mut self, state: Waiting<'_>) {
        if let Some(sight) = self.sights.lock().get_mut(self.at) {
            if sight.job != state.job {
                state.job.clone_into(&mut sight.job);
            }
            if sight.progress.as_ref() != state.progress {
                sight.progress = state.progress.cloned();
            }
        }
    }

    fn wants_progress(&self) -> bool {
        self.sights.wants_progress
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sight(job: &str, has_ended: bool, progress: Option<(Option<u8>, &str)>) -> JobSeen {
        let progress = progress.map(|(percent, step)| Progress { percent, step: Some(step.to_owned()) });
        JobSeen { job: job.to_owned(), has_ended, progress }
    }

    #[test]
    fn the_slowest_job_is_told() {
        let told = |seen: Vec<JobSeen>| {
            let sights = JobsSeen { seen: Mutex::new(seen), wants_progress: true };
            let mut told = None;
            sights.draw(Duration::from_secs(3), |standing| {
                told = Some((standing.ended, standing.of, standing.slowest.job.to_owned()))
            });
            told
        };
        let all = vec![
            sight("a", true, Some((Some(1), "over"))),
            sight("b", false, None),
            sight("c", false, Some((Some(70), "copying"))),
            sight("d", false, Some((Some(30), "downloading"))),
        ];
        assert_eq!(told(all), Some((1, 4, "d".to_owned())));
        let silent = vec![sight("a", false, None), sight("b", false, None)];
        assert_eq!(told(silent), Some((0, 2, "a".to_owned())));
        assert_eq!(told(vec![sight("a", true, None)]), None);
    }

    #[test]
    fn what_was_seen_before_counts_where_the_node_has_forgotten() {
        let forgotten = || Waited {
            outcome: None,
            long_job: None,
            end: Err(client::Error::OutcomeUnknown {
                api: "CreateZone",
                job: Some("a".into()),
                reason: client::Uncertainty::NoRecord,
            }),
        };
        for (seen, state, code) in [
            (Some(JobOutcome::Succeeded), "succeeded", None),
            (Some(JobOutcome::Failed), "failed", Some(ExitCode::Failed)),
            (Some(JobOutcome::NotRun), "not run", Some(ExitCode::Failed)),
            (Some(JobOutcome::Unknown), "unknown", Some(ExitCode::Unknown)),
            (None, "unknown", Some(ExitCode::Unknown)),
        ] {
            let verdict = judge(seen, forgotten());
            assert_eq!((verdict.state, verdict.error.map(|error| error.exit_code())), (state, code), "{seen:?}");
        }
    }
}
