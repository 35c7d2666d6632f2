//! Waiting for the end of a job.

use std::time::Duration;

use super::answer::Understood;
use super::call::{Answer, CallOptions, Job, Progress, Waiting, Watch};
use super::caller::{Client, with_margin};
use super::error::{Error, Uncertainty};
use super::reads::is_no_mapping;
use super::wire::TransportError;

/// How long after its submission a job is looked at first: most are done within 100 ms (R10).
const FIRST_PAUSE: Duration = Duration::from_millis(15);

/// The shortest and the longest time between two looks at a job (J4).
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How long a job may take if the node does not say (J8: 30 minutes for most).
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1800);

/// For how long the node may be unreachable while its job is waited for: a restart takes minutes.
const ABSENCE: Duration = Duration::from_secs(300);

/// After which time the node is asked how far a job is, how often, and how soon again when it did not say.
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

    /// Waits for a job that is looked at first after a pause.
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
                // The node ends the job at its limit and says so a little later.
                timeout.saturating_add((timeout / 10).clamp(Duration::from_secs(2), Duration::from_secs(30)))
            },
            with_margin,
        );
        let result = self.within(Some(time), |client| client.poll(api, &job, pause, watch));
        watch.done();
        result
    }

    /// Asks for the job until it has ended, or until the deadline; for the first time after a pause.
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
        loop {
            if !pause.is_zero() && !self.idle(&job.uuid, Some(&job.uuid), pause, &mut vigil, watch) {
                return Err(interrupted());
            }
            let trouble = match self.ask(&job.uuid) {
                Ok(Understood::Accepted { .. }) => None,
                Ok(Understood::Result(reader)) => match Client::result_of(reader, &job.uuid) {
                    Ok(reply) => return Ok(Answer::Reply(reply)),
                    Err(TransportError::Interrupted) => return Err(interrupted()),
                    Err(error) => Some(Uncertainty::Unreachable(error)),
                },
                Ok(Understood::Failed(failure)) => return Ok(Answer::Failed(failure)),
                Ok(Understood::Refused { status: 404, text }) if !is_no_mapping(&text) => {
                    return Err(unknown(Uncertainty::NoRecord));
                }
                Ok(
                    Understood::Refused { status, .. }
                    | Understood::Odd { status, .. }
                    | Understood::Redirect { status, .. },
                ) => Some(Uncertainty::Strange(status)),
                Ok(Understood::Broken(flaw)) => {
                    Some(Uncertainty::Unreachable(TransportError::Cut { reason: flaw.to_string() }))
                }
                Ok(Understood::Lost(TransportError::Interrupted)) | Err(TransportError::Interrupted) => {
                    return Err(interrupted());
                }
                Ok(Understood::Lost(error)) | Err(error) => Some(Uncertainty::Unreachable(error)),
            };
            if let Some(reason) = vigil.end(self.clock.now(), trouble) {
                return Err(unknown(reason));
            }
            pause = vigil.pause(self.clock.now());
        }
    }

    /// Waits between two looks at a job and tells the watch; `false` when the user interrupts. `api_id` is what its
    /// progress is asked for by, where it is.
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

/// The waiting for one job: how long it has lasted, and whether the node was there meanwhile.
pub(super) struct Vigil {
    started: Duration,
    /// When the node last said that the job goes on.
    last_seen: Duration,
    limit: Option<Duration>,
    progress: Option<Progress>,
    /// When to ask for the progress next.
    next_progress: Duration,
}

impl Vigil {
    /// Waiting that begins now and ends at the limit, where there is one.
    pub(super) fn new(now: Duration, limit: Option<Duration>) -> Vigil {
        Vigil { started: now, last_seen: now, limit, progress: None, next_progress: now + PROGRESS_AFTER }
    }

    /// Why the waiting ends after a look at the job, if it does. `trouble` is why the look told nothing; without, the
    /// job goes on.
    pub(super) fn end(&mut self, now: Duration, trouble: Option<Uncertainty>) -> Option<Uncertainty> {
        let waited = now.saturating_sub(self.started);
        if trouble.is_none() {
            self.last_seen = now;
        }
        if self.limit.is_some_and(|limit| waited >= limit) {
            return Some(trouble.unwrap_or(Uncertainty::StillRunning { waited }));
        }
        trouble.filter(|_| now.saturating_sub(self.last_seen) >= ABSENCE)
    }

    /// How long to wait until the next look: what was waited so far grows by three fifths, so that nothing takes much
    /// longer than it needs.
    pub(super) fn pause(&self, now: Duration) -> Duration {
        (now.saturating_sub(self.started) * 3 / 5).clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
    }

    /// How long the waiting may last from now on.
    fn rest(&self, now: Duration) -> Option<Duration> {
        self.limit.map(|limit| limit.saturating_sub(now.saturating_sub(self.started)))
    }
}
