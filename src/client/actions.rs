//! Actions: sent once, and never again unless the node surely never received them.

use std::time::Duration;

use super::answer::{Understood, read_whole};
use super::call::{Answer, CallOptions, Job, JobOutcome, JobUuid, Reply, Watch};
use super::caller::{Client, back_off};
use super::error::{Error, Oddity, Uncertainty};
use super::reads::{Readiness, is_no_mapping};
use super::session::{is_log_in, is_log_out};
use super::wire::TransportError;
use crate::plan::Request;

/// How often an asynchronous action is sent at most, always under the same job uuid.
const SENDS: u32 = 3;

/// How long the node is asked for a job whose submission got lost, while it does not answer.
const SEARCH: Duration = Duration::from_secs(60);

/// As [`SEARCH`], while something else than the node answers.
const SEARCH_BEHIND_PROXY: Duration = Duration::from_secs(15);

/// What became of a submission that got no answer.
enum Found {
    /// The node knows the job.
    Known,
    /// The node never received it.
    Never,
}

impl Client {
    pub(super) fn act(
        &mut self,
        request: &Request,
        options: &CallOptions,
        watch: &mut dyn Watch,
    ) -> Result<Answer, Error> {
        let sent_under = options.job.unwrap_or_else(JobUuid::fresh);
        let uuid = sent_under.to_string();
        let mut job = Job { uuid: uuid.clone(), api: request.api.to_owned(), timeout: request.timeout };
        let mut wire = self.wire(request, sent_under)?;
        // A job is accepted at once, however long it may run.
        if let Some(timeout) = options.timeout.filter(|_| request.is_async) {
            wire.patience = self.patience.min(timeout);
        }
        if request.is_async
            && let Some(record) = &mut self.record
        {
            record.submitted(&job, self.clock.unix_time());
        }
        let result = match self.submit(request, &wire, &mut job, options, watch) {
            Ok(Answer::Failed(failure)) if request.needs_session && failure.outcome() == JobOutcome::Unknown => {
                let job = request.is_async.then_some(job.uuid);
                let reason = Uncertainty::Session(Box::new(failure));
                Err(Error::OutcomeUnknown { api: request.api, job, reason })
            }
            Err(Error::OutcomeUnknown { api, job, reason: Uncertainty::NoRecord }) if request.holds_wide_text() => {
                Err(Error::OutcomeUnknown { api, job, reason: Uncertainty::Unrecordable })
            }
            other => other,
        };
        if request.is_async
            && let Some(record) = &mut self.record
        {
            let outcome = match &result {
                Ok(Answer::Reply(_)) => Some(JobOutcome::Succeeded),
                Ok(Answer::Failed(failure)) => Some(failure.outcome()),
                // The node has it, and it goes on.
                Ok(Answer::Detached(_)) | Err(Error::Interrupted { job: Some(_) }) => None,
                Err(error) if error.nothing_ran() => Some(JobOutcome::NotRun),
                Err(_) => Some(JobOutcome::Unknown),
            };
            if let Some(outcome) = outcome {
                record.ended(&uuid, outcome, self.clock.unix_time());
            }
        }
        result
    }

    fn submit(
        &mut self,
        request: &Request,
        wire: &super::wire::WireRequest,
        job: &mut Job,
        options: &CallOptions,
        watch: &mut dyn Watch,
    ) -> Result<Answer, Error> {
        let api = request.api;
        let unknown = |reason: Uncertainty, uuid: Option<&str>| Error::OutcomeUnknown {
            api,
            job: uuid.map(str::to_owned),
            reason,
        };
        if self.interrupt.is_set() {
            return Err(Error::Interrupted { job: None });
        }
        let mut sends = 0;
        loop {
            sends += 1;
            let lost = match self.exchange(wire) {
                Ok(Understood::Accepted { job: location, timeout }) => {
                    if let Some(uuid) = location.filter(|uuid| *uuid != job.uuid) {
                        if let Some(record) = self.record.as_mut().filter(|_| request.is_async) {
                            record.renamed(&job.uuid, &uuid);
                        }
                        job.uuid = uuid;
                    }
                    job.timeout = timeout.or(job.timeout);
                    return self.wait_for_new_job(api, job.clone(), options, watch);
                }
                Ok(Understood::Result(reader)) => match read_whole(reader) {
                    Ok(reply) => return Ok(Answer::Reply(reply)),
                    Err(error) => return self.after_cut_result(request, error, job, options, watch),
                },
                Ok(Understood::Lost(error)) => return self.after_cut_result(request, error, job, options, watch),
                Ok(Understood::Broken(flaw)) => {
                    let error = TransportError::Cut { reason: flaw.to_string() };
                    return self.after_cut_result(request, error, job, options, watch);
                }
                Ok(Understood::Failed(failure)) => return Ok(Answer::Failed(failure)),
                Ok(other) if !request.is_async => return Err(self.unrecorded(api, other)),
                // A path that the node does not have leads to nothing (D6).
                Ok(Understood::Refused { status: 404, text }) if is_no_mapping(&text) && sends == 1 => {
                    return Err(self.unusable(api, Understood::Refused { status: 404, text }));
                }
                // The node says that nothing ran, and has no reason to know the job. Yet what was sent twice, by this
                // program or by a proxy, is refused as a duplicate (J2), and a front end that broke may have broken
                // behind the submission.
                Ok(Understood::Refused { status, text }) => {
                    return match self.search(api, job, None)? {
                        Found::Known => self.wait_for_job(api, job.clone(), options, watch),
                        Found::Never if status == 404 && self.readiness() == Readiness::NoNode => {
                            Err(self.stranger(Understood::Refused { status, text }, job))
                        }
                        Found::Never if request.holds_wide_text() => {
                            Err(unknown(Uncertainty::Broke { status, text }, Some(&job.uuid)))
                        }
                        Found::Never => Err(Error::Refused { status, text }),
                    };
                }
                // A proxy that got no answer from the node: as good as none.
                Ok(Understood::Odd { status: status @ 502..=504, what }) => Uncertainty::Answer { status, what },
                Ok(other) => {
                    let (status, what) = oddity(&other);
                    let stranger = is_lasting(status).then(|| self.stranger(other, job));
                    return match self.search(api, job, stranger)? {
                        Found::Known => self.wait_for_job(api, job.clone(), options, watch),
                        Found::Never => Err(unknown(Uncertainty::Answer { status, what }, Some(&job.uuid))),
                    };
                }
                // Nobody has to look what became of those.
                Err(TransportError::Interrupted) if is_log_in(api) || is_log_out(api) => {
                    return Err(Error::Interrupted { job: None });
                }
                Err(TransportError::Interrupted) => return Err(unanswered(request, job)),
                Err(error) if sends == 1 && error.nothing_was_sent() => return Err(self.no_answer(error)),
                Err(error) if !request.is_async => return Err(unknown(Uncertainty::Lost(error), None)),
                Err(error) => Uncertainty::Lost(error),
            };
            match self.search(api, job, None)? {
                Found::Known => return self.wait_for_job(api, job.clone(), options, watch),
                Found::Never if request.holds_wide_text() => {
                    return Err(unknown(Uncertainty::Unrecordable, Some(&job.uuid)));
                }
                Found::Never if sends < SENDS && !self.is_late() => {
                    if !self.pause(back_off(sends)) {
                        return Err(unanswered(request, job));
                    }
                }
                Found::Never => return Err(unknown(lost, Some(&job.uuid))),
            }
        }
    }

    /// The node answered with a result, so the action ran; only the result is lost.
    fn after_cut_result(
        &mut self,
        request: &Request,
        error: TransportError,
        job: &Job,
        options: &CallOptions,
        watch: &mut dyn Watch,
    ) -> Result<Answer, Error> {
        if error == TransportError::Interrupted {
            return Err(unanswered(request, job));
        }
        let known = request.is_async && matches!(self.search(request.api, job, None)?, Found::Known);
        if known {
            return self.wait_for_job(request.api, job.clone(), options, watch);
        }
        let job = request.is_async.then(|| job.uuid.clone());
        Err(Error::OutcomeUnknown { api: request.api, job, reason: Uncertainty::Lost(error) })
    }

    /// What an answer that is none means for an action that leaves no record.
    fn unrecorded(&mut self, api: &'static str, answer: Understood) -> Error {
        let reason = match &answer {
            Understood::Refused { status: 404, text } if is_no_mapping(text) => return self.unusable(api, answer),
            Understood::Refused { status, text } if matches!(status, 404 | 500) => {
                Uncertainty::Broke { status: *status, text: text.clone() }
            }
            // The front end turns away what it does not take before anything runs (doc/protocol.md, "Status codes").
            Understood::Refused { .. } => return self.unusable(api, answer),
            other => {
                let (status, what) = oddity(other);
                Uncertainty::Answer { status, what }
            }
        };
        // Whether a session was opened or closed is no question to leave anybody with.
        let harmless = is_log_in(api) || is_log_out(api);
        if harmless || (is_lasting(oddity(&answer).0) && self.readiness() == Readiness::NoNode) {
            return self.unusable(api, answer);
        }
        Error::OutcomeUnknown { api, job: None, reason }
    }

    /// What an answer that is none means if no node is at the address at all.
    fn stranger(&mut self, answer: Understood, job: &Job) -> Error {
        let (endpoint, job) = (self.authority(), Some(job.uuid.clone()));
        match answer {
            Understood::Redirect { location, .. } => Error::Redirect { endpoint, location, job },
            other => {
                let (status, what) = oddity(&other);
                Error::NotTheNode { endpoint, status, what, job }
            }
        }
    }

    /// Asks the node whether it has received a job (J6). Where something else than a node answered already, `stranger`
    /// is what that means if the same holds for everything that the address is asked.
    fn search(&mut self, api: &'static str, job: &Job, mut stranger: Option<Error>) -> Result<Found, Error> {
        let started = self.clock.now();
        let mut tries = 0;
        loop {
            let mut limit = SEARCH;
            let reason = match self.ask(&job.uuid) {
                Ok(Understood::Accepted { .. } | Understood::Result(_) | Understood::Failed(_)) => {
                    return Ok(Found::Known);
                }
                Ok(Understood::Refused { status: 404, text }) if !is_no_mapping(&text) => return Ok(Found::Never),
                Ok(
                    Understood::Refused { status, .. }
                    | Understood::Odd { status, .. }
                    | Understood::Redirect { status, .. },
                ) => {
                    if is_lasting(status)
                        && let Some(error) = stranger.take()
                    {
                        match self.readiness() {
                            Readiness::NoNode => return Err(error),
                            Readiness::Ready | Readiness::Starting => {}
                            Readiness::Silent => stranger = Some(error),
                        }
                    }
                    limit = SEARCH_BEHIND_PROXY;
                    Uncertainty::Strange(status)
                }
                Ok(Understood::Lost(TransportError::Interrupted)) => {
                    return Err(Error::Unanswered { api, job: Some(job.uuid.clone()) });
                }
                // A result that breaks off is a result.
                Ok(Understood::Lost(_) | Understood::Broken(_)) => return Ok(Found::Known),
                Err(TransportError::Interrupted) => return Err(Error::Unanswered { api, job: Some(job.uuid.clone()) }),
                Err(error) => Uncertainty::Unreachable(error),
            };
            if self.clock.now().saturating_sub(started) >= limit || self.is_late() {
                let is_strange = matches!(reason, Uncertainty::Strange(_));
                let is_starting = is_strange && self.readiness() == Readiness::Starting;
                let reason = if is_starting { Uncertainty::Starting } else { reason };
                return Err(Error::OutcomeUnknown { api, job: Some(job.uuid.clone()), reason });
            }
            if !self.pause(back_off(tries)) {
                return Err(Error::Unanswered { api, job: Some(job.uuid.clone()) });
            }
            tries += 1;
        }
    }

    /// Asks for a job. Nobody looks at credentials there (J4), so none are sent.
    pub(super) fn ask(&mut self, uuid: &str) -> Result<Understood, TransportError> {
        let wire = self.plain_get(&format!("/api-jobs/{uuid}"), Duration::from_secs(60));
        self.exchange(&wire)
    }

    /// The whole result of a job as a reply.
    pub(super) fn result_of(reader: Box<dyn std::io::Read + Send>, uuid: &str) -> Result<Reply, TransportError> {
        read_whole(reader).map(|reply| reply.with_job(uuid))
    }
}

/// What an interruption means before the node has said that it has the action.
fn unanswered(request: &Request, job: &Job) -> Error {
    Error::Unanswered { api: request.api, job: request.is_async.then(|| job.uuid.clone()) }
}

/// The status and the kind of an answer that is neither result nor failure.
fn oddity(answer: &Understood) -> (u16, Oddity) {
    match answer {
        Understood::Odd { status, what } => (*status, *what),
        Understood::Redirect { status, .. } => (*status, Oddity::Redirect),
        Understood::Refused { status, .. } => (*status, Oddity::Text),
        Understood::Result(_)
        | Understood::Accepted { .. }
        | Understood::Failed(_)
        | Understood::Lost(_)
        | Understood::Broken(_) => (200, Oddity::Object),
    }
}

/// Whether a status says how things are, and not that they go wrong at the moment.
fn is_lasting(status: u16) -> bool {
    !matches!(status, 408 | 425 | 429 | 500..)
}
