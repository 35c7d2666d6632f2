//! Waiting for the end of a job.

use std::time::Duration;

use super::answer::Understood;
use super::call::{Answer, CallOptions, Job, Progress, Waiting, Watch};
use super::caller::{Client, SLICE, with_margin};
use super::error::{Error, Uncertainty};
use super::reads::is_no_mapping;
use super::wire::TransportError;

/// The first and the longest time between two polls (J4).
const FIRST_INTERVAL: Duration = Duration::from_millis(200);
const LONGEST_INTERVAL: Duration = Duration::from_secs(2);

/// How long a job may take if the node does not say (J8: 30 minutes for most).
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1800);

/// For how long the node may be unreachable while its job is waited for: a restart takes minutes.
const ABSENCE: Duration = Duration::from_secs(300);

/// After which time the node is asked how far a job is, and how often.
const PROGRESS_AFTER: Duration = Duration::from_secs(2);
const PROGRESS_INTERVAL: Duration = Duration::from_secs(2);

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
        let result = self.within(Some(time), |client| client.poll(api, &job, watch));
        watch.done();
        result
    }

    /// Asks for the job until it has ended, or until the deadline.
    fn poll(&mut self, api: &'static str, job: &Job, watch: &mut dyn Watch) -> Result<Answer, Error> {
        let unknown = |reason| Error::OutcomeUnknown { api, job: Some(job.uuid.clone()), reason };
        let interrupted = || Error::Interrupted { job: Some(job.uuid.clone()) };
        let started = self.clock.now();
        let deadline = self.deadline.unwrap_or(Duration::MAX);
        let mut last_seen = started;
        let mut interval = FIRST_INTERVAL;
        let mut progress = ProgressState::default();
        loop {
            let reason = match self.ask(&job.uuid) {
                Ok(Understood::Accepted { .. }) => {
                    last_seen = self.clock.now();
                    None
                }
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
            let now = self.clock.now();
            if now >= deadline {
                return Err(unknown(reason.unwrap_or(Uncertainty::StillRunning { waited: now - started })));
            }
            if let Some(reason) = reason
                && now.saturating_sub(last_seen) >= ABSENCE
            {
                return Err(unknown(reason));
            }
            let rest = deadline.saturating_sub(now);
            if !self.idle(job, interval.min(rest), started, &mut progress, watch) {
                return Err(interrupted());
            }
            interval = (interval * 3 / 2).min(LONGEST_INTERVAL);
        }
    }

    /// Waits between two polls and tells the watch; `false` when the user interrupts.
    fn idle(
        &mut self,
        job: &Job,
        time: Duration,
        started: Duration,
        progress: &mut ProgressState,
        watch: &mut dyn Watch,
    ) -> bool {
        let end = self.clock.now() + time;
        loop {
            let now = self.clock.now();
            let elapsed = now.saturating_sub(started);
            if self.interrupt.is_set() {
                return false;
            }
            watch.waiting(Waiting { job: &job.uuid, elapsed, progress: progress.known.as_ref() });
            let left = end.saturating_sub(now);
            if left.is_zero() {
                break;
            }
            self.clock.sleep(left.min(SLICE));
        }
        let elapsed = self.clock.now().saturating_sub(started);
        if elapsed >= progress.next && !progress.given_up && watch.wants_progress() {
            progress.next = elapsed + PROGRESS_INTERVAL;
            match self.job_progress(&job.uuid) {
                Some(known) => progress.known = Some(known),
                None => progress.given_up = true,
            }
        }
        true
    }
}

struct ProgressState {
    known: Option<Progress>,
    /// When to ask next, counted from the start.
    next: Duration,
    given_up: bool,
}

impl Default for ProgressState {
    fn default() -> ProgressState {
        ProgressState { known: None, next: PROGRESS_AFTER, given_up: false }
    }
}
