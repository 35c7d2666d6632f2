//! Polls jobs until they end.

use std::time::Duration;

use super::answer::Understood;
use super::call::{Answer, CallOptions, Job, Progress, Waiting, Watch};
use super::caller::{Client, with_margin};
use super::error::{Error, Uncertainty};
use super::reads::is_no_mapping;
use super::wire::TransportError;

/// The time from the submission to the first poll: most jobs end within 100 ms (R10).
const FIRST_PAUSE: Duration = Duration::from_millis(15);

/// The minimum and maximum time between two polls (J4).
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The minimum time to the next poll about when a job is expected to end.
const CLOSE_PAUSE: Duration = Duration::from_millis(3);

/// The time limit of a job if the node does not report one (J8: 30 minutes for most).
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1800);

/// How long the node may be unreachable during the wait: a restart takes minutes.
const ABSENCE: Duration = Duration::from_secs(300);

/// The age of a job at its first poll from which it may be older than its node, and how long a node was unreachable if
/// it may have restarted.
const OLD: Duration = Duration::from_secs(60);
const AWAY: Duration = Duration::from_secs(2);

/// How often a job is polled whose result cannot be read.
const UNREADABLE: u32 = 9;

/// When the node is first asked for the progress of a job, how often, and how soon again if it did not report any.
const PROGRESS_AFTER: Duration = Duration::from_secs(1);
const PROGRESS_INTERVAL: Duration = Duration::from_secs(2);
const PROGRESS_PAUSE: Duration = Duration::from_secs(60);

impl Client {
    /// Waits for a job that was submitted before, perhaps by another process.
    ///
    /// # Errors
    /// As [`Client::execute`]; a job that the node does not know is [`Uncertainty::NoRecord`].
    pub fn wait_for_job(
        &mut self,
        api: &'static str,
        job: Job,
        options: &CallOptions,
        watch: &mut dyn Watch,
    ) -> Result<Answer, Error> {
        self.wait_from(api, job, Duration::ZERO, options, watch)
    }

    /// Waits for a job that was submitted just now.
    pub(super) fn wait_for_new_job(
        &mut self,
        api: &'static str,
        job: Job,
        options: &CallOptions,
        watch: &mut dyn Watch,
    ) -> Result<Answer, Error> {
        self.wait_from(api, job, FIRST_PAUSE, options, watch)
    }

    /// Waits for a job that is first polled after a pause.
    fn wait_from(
        &mut self,
        api: &'static str,
        job: Job,
        pause: Duration,
        options: &CallOptions,
        watch: &mut dyn Watch,
    ) -> Result<Answer, Error> {
        if !options.wait {
            return Ok(Answer::Detached(job));
        }
        let time = options.timeout.map_or_else(
            || {
                let timeout = job.timeout.unwrap_or(DEFAULT_TIMEOUT);
                // The node ends the job at its limit and reports it a little later.
                timeout.saturating_add((timeout / 10).clamp(Duration::from_secs(2), Duration::from_secs(30)))
            },
            with_margin,
        );
        let result = self.within(Some(time), |client| client.poll(api, &job, pause, watch));
        watch.done();
        result
    }

    /// Polls the job until it has ended, or until the deadline; first after a pause.
    fn poll(
        &mut self,
        api: &'static str,
        job: &Job,
        mut pause: Duration,
        watch: &mut dyn Watch,
    ) -> Result<Answer, Error> {
        let unknown = |reason| Error::OutcomeUnknown { api, job: Some(job.uuid.clone()), reason };
        let interrupted = || Error::Interrupted { job: Some(job.uuid.clone()) };
        let now = self.clock.now();
        let mut vigil = Vigil::new(now, self.deadline.map(|deadline| deadline.saturating_sub(now)));
        let is_new = !pause.is_zero();
        if is_new {
            vigil.expected = self.shared().job_times.get(api).copied();
        }
        let mut unreadable = 0;
        loop {
            if !pause.is_zero() && !self.idle(&job.uuid, Some(&job.uuid), pause, &mut vigil, watch) {
                return Err(interrupted());
            }
            let asked = self.clock.now();
            let trouble = match self.ask(&job.uuid) {
                Ok(Understood::Accepted { .. }) => {
                    // A node keeps reporting a job as running that it does not run any more (J8).
                    if let Some(submitted) = job.submitted.filter(|at| self.may_be_dead(*at, &vigil))
                        && let Some(started) = self.started_since(submitted)
                    {
                        return Err(unknown(Uncertainty::Restarted { started }));
                    }
                    None
                }
                Ok(Understood::Result(reader)) => match Client::result_of(reader, &job.uuid) {
                    Ok(reply) => {
                        if is_new {
                            self.shared().job_times.insert(api, vigil.time_of_next(asked));
                        }
                        return Ok(Answer::Reply(reply));
                    }
                    Err(TransportError::Interrupted) => return Err(interrupted()),
                    Err(error) => Some(Uncertainty::Unreadable { flaw: error.to_string() }),
                },
                Ok(Understood::Failed(failure)) => return Ok(Answer::Failed(failure)),
                Ok(Understood::Refused { status: 404, text }) if !is_no_mapping(&text) => {
                    return Err(unknown(Uncertainty::NoRecord));
                }
                Ok(Understood::Odd { status: 200, what }) => Some(Uncertainty::Unreadable { flaw: what.to_string() }),
                Ok(
                    Understood::Refused { status, .. }
                    | Understood::Odd { status, .. }
                    | Understood::Redirect { status, .. },
                ) => Some(Uncertainty::Strange(status)),
                Ok(Understood::Broken(flaw)) => Some(Uncertainty::Unreadable { flaw: flaw.to_string() }),
                Ok(Understood::Lost(TransportError::Interrupted)) | Err(TransportError::Interrupted) => {
                    return Err(interrupted());
                }
                Ok(Understood::Lost(error)) => Some(Uncertainty::Unreadable { flaw: error.to_string() }),
                Err(error) => Some(Uncertainty::Unreachable(error)),
            };
            // The job has ended, and the node will send the same result again. It is polled again in case a proxy cut
            // it off.
            unreadable = if matches!(trouble, Some(Uncertainty::Unreadable { .. })) { unreadable + 1 } else { 0 };
            if let Some(reason) = trouble.clone().filter(|_| unreadable >= UNREADABLE) {
                return Err(unknown(reason));
            }
            if let Some(reason) = vigil.end(self.clock.now(), trouble) {
                return Err(unknown(reason));
            }
            pause = vigil.pause(self.clock.now());
        }
    }

    /// Whether a job that is reported as running may have died, before the first poll of an older job or while the node
    /// was unreachable.
    fn may_be_dead(&self, submitted: Duration, vigil: &Vigil) -> bool {
        let now = self.clock.now();
        let is_older = self.clock.unix_time().saturating_sub(submitted) >= OLD && vigil.looks == 0;
        is_older || now.saturating_sub(vigil.last_seen) >= AWAY && vigil.in_trouble
    }

    /// Waits between two polls and informs the observer; `false` when the user interrupts. `api_id` identifies the
    /// progress of the job.
    pub(super) fn idle(
        &mut self,
        job: &str,
        api_id: Option<&str>,
        time: Duration,
        vigil: &mut Vigil,
        watch: &mut dyn Watch,
    ) -> bool {
        let time = vigil.rest(self.clock.now()).map_or(time, |rest| time.min(rest));
        let mut tell = |now: Duration| {
            let elapsed = now.saturating_sub(vigil.started);
            watch.waiting(Waiting { job, elapsed, progress: vigil.progress.as_ref() });
        };
        if !self.clock.wait(&self.interrupt, time, &mut tell) {
            return false;
        }
        let now = self.clock.now();
        if let Some(api_id) = api_id.filter(|_| now >= vigil.next_progress && watch.wants_progress()) {
            let known = self.job_progress(api_id);
            vigil.next_progress = now + if known.is_some() { PROGRESS_INTERVAL } else { PROGRESS_PAUSE };
            vigil.progress = known.or(vigil.progress.take());
        }
        true
    }
}

/// The wait for one job: its duration, and whether the node was reachable.
pub(super) struct Vigil {
    started: Duration,
    /// When the node last reported the job as running.
    last_seen: Duration,
    /// The number of polls, and whether the last one was unusable.
    looks: u32,
    in_trouble: bool,
    limit: Option<Duration>,
    /// How long the job probably takes: as long as the last one of its API.
    expected: Option<Duration>,
    progress: Option<Progress>,
    /// When to ask for the progress next.
    next_progress: Duration,
}

impl Vigil {
    /// A wait that begins now and ends at the limit, if there is one.
    pub(super) fn new(now: Duration, limit: Option<Duration>) -> Vigil {
        let next_progress = now + PROGRESS_AFTER;
        Vigil {
            started: now,
            last_seen: now,
            looks: 0,
            in_trouble: false,
            limit,
            expected: None,
            progress: None,
            next_progress,
        }
    }

    /// Why the wait ends after a poll, if it does. `trouble` is why the poll was unusable; `None` if the job is
    /// running.
    pub(super) fn end(&mut self, now: Duration, trouble: Option<Uncertainty>) -> Option<Uncertainty> {
        let waited = now.saturating_sub(self.started);
        self.looks += 1;
        self.in_trouble = trouble.is_some();
        if trouble.is_none() {
            self.last_seen = now;
        }
        if self.limit.is_some_and(|limit| waited >= limit) {
            return Some(trouble.unwrap_or(Uncertainty::StillRunning { waited }));
        }
        trouble.filter(|_| now.saturating_sub(self.last_seen) >= ABSENCE)
    }

    /// The time until the next poll. The whole wait grows by three fifths each time, so that the end of a job is
    /// noticed soon in proportion to its duration. About when the job is expected to end, polls are closer together.
    pub(super) fn pause(&self, now: Duration) -> Duration {
        let waited = now.saturating_sub(self.started);
        let usual = (waited * 3 / 5).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
        match self.expected {
            Some(expected) if waited < expected => usual.min((expected - waited).max(CLOSE_PAUSE)),
            Some(expected) if waited < expected * 2 => usual.min((expected / 8).max(CLOSE_PAUSE)),
            _ => usual,
        }
    }

    /// How long the next job of the API probably takes, after this one had ended by the time of a poll. It may have
    /// ended some time before, so that the next one is looked for a little sooner.
    fn time_of_next(&self, asked: Duration) -> Duration {
        let waited = asked.saturating_sub(self.started);
        waited - waited / 32
    }

    /// How long the wait may last from now on.
    fn rest(&self, now: Duration) -> Option<Duration> {
        self.limit.map(|limit| limit.saturating_sub(now.saturating_sub(self.started)))
    }
}
