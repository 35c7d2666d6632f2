//! Sends actions: once, and again only if the node certainly never received them.

use std::time::Duration;

use super::answer::{Understood, read_whole};
use super::call::{Answer, CallOptions, Job, JobOutcome, JobUuid, Reply, Watch};
use super::caller::{Client, back_off};
use super::error::{Error, Oddity, Uncertainty};
use super::failure::ApiFailure;
use super::reads::{Readiness, is_no_mapping};
use super::session::{is_log_in, is_log_out};
use super::wire::{Lane, TransportError};
use crate::plan::Request;
use crate::secret::Secret;

/// The maximum number of times that an asynchronous action is sent, always under the same job uuid.
const SENDS: u32 = 3;

/// How long to look for the job of a lost submission while the node does not answer.
const SEARCH: Duration = Duration::from_secs(60);

/// As [`SEARCH`], while a server other than the node answers.
const SEARCH_BEHIND_PROXY: Duration = Duration::from_secs(15);

/// The state of a submission that was not answered.
enum Found {
    /// The node knows the job.
    Known,
    /// The node has no record of the job: it has not received the submission, or not yet.
    Never,
}

/// An action that is being submitted. Its uuid never changes: a node runs an action once per uuid (J2), so that a
/// delayed attempt cannot run in addition to a later one.
struct Submission<'a> {
    request: &'a Request,
    options: &'a CallOptions,
    uuid: JobUuid,
    job: Job,
    /// The number of times that it was sent.
    sends: u32,
    /// Whether the session may still be renewed for it.
    may_renew: bool,
}

impl Submission<'_> {
    fn unknown(&self, reason: Uncertainty) -> Error {
        let job = self.request.is_async.then(|| self.job.uuid.clone());
        Error::OutcomeUnknown { api: self.request.api, job, reason }
    }

    /// The error for an interruption before the node has confirmed that it received the action.
    fn unanswered(&self) -> Error {
        Error::Unanswered { api: self.request.api, job: self.request.is_async.then(|| self.job.uuid.clone()) }
    }

    /// The error for a refusal of an action that had been sent before.
    fn refused_again(&self, refusal: String) -> Error {
        self.unknown(Uncertainty::RefusedAgain { sends: self.sends, refusal })
    }
}

impl Client {
    pub(super) fn act(
        &mut self,
        request: &Request,
        options: &CallOptions,
        watch: &mut dyn Watch,
    ) -> Result<Answer, Error> {
        let uuid = options.job.unwrap_or_else(JobUuid::fresh);
        let at = self.clock.unix_time();
        let job =
            Job { uuid: uuid.to_string(), api: request.api.to_owned(), timeout: request.timeout, submitted: Some(at) };
        self.prepare_to_sign(request)?;
        if request.is_async
            && let Some(record) = &mut self.record
        {
            record.submitted(&job, at);
            record.acts_on(&job.uuid, &request.subject());
        }
        let mut submission =
            Submission { request, options, uuid, job, sends: u32::from(options.is_repeat), may_renew: true };
        let result = match self.submit(&mut submission, watch) {
            Ok(Answer::Failed(failure)) if request.needs_session && failure.outcome() == JobOutcome::Unknown => {
                Err(submission.unknown(Uncertainty::Session(Box::new(failure))))
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
                // The node has the job, and it is still running.
                Ok(Answer::Detached(_)) | Err(Error::Interrupted { job: Some(_) }) => None,
                Err(error) if error.nothing_ran() => Some(JobOutcome::NotRun),
                Err(_) => Some(JobOutcome::Unknown),
            };
            if let Some(outcome) = outcome {
                record.ended(&submission.job.uuid, outcome, self.clock.unix_time());
            }
        }
        result
    }

    fn submit(&mut self, action: &mut Submission<'_>, watch: &mut dyn Watch) -> Result<Answer, Error> {
        let (request, api) = (action.request, action.request.api);
        if self.interrupt.is_set() {
            return Err(if action.sends == 0 { Error::Interrupted { job: None } } else { action.unanswered() });
        }
        loop {
            action.sends += 1;
            let session = self.session_uuid();
            let lost = match self.send_action(action, watch)? {
                Ok(Understood::Accepted { timeout, .. }) => {
                    // The uuid that was sent decides. If the answer names another one, it belongs to another job (J3).
                    action.job.timeout = timeout.or(action.job.timeout);
                    return self.wait_for_new_job(api, action.job.clone(), action.options, watch);
                }
                Ok(Understood::Result(reader)) => match read_whole(reader) {
                    Ok(reply) if request.is_async => return self.after_direct_result(action, reply, watch),
                    Ok(reply) => return Ok(Answer::Reply(reply)),
                    Err(error) => return self.after_cut_result(action, error, watch),
                },
                Ok(Understood::Lost(error)) => return self.after_cut_result(action, error, watch),
                Ok(Understood::Broken(flaw)) => {
                    let error = TransportError::Flawed { flaw: flaw.to_string() };
                    return self.after_cut_result(action, error, watch);
                }
                Ok(Understood::Failed(failure)) if !request.is_async => return Ok(Answer::Failed(failure)),
                Ok(Understood::Failed(failure)) => {
                    // This may be the answer to a copy of the action that a proxy sent.
                    if matches!(self.search(api, &action.job, None)?, Found::Known) {
                        return self.wait_for_job(api, action.job.clone(), action.options, watch);
                    }
                    if request.needs_session && failure.refused_session() {
                        // Only a poll of that uuid could show that it cannot be used again (J7).
                        self.renew_for(action, session.as_ref(), failure)?;
                        continue;
                    }
                    if action.sends > 1 {
                        return Err(action.refused_again(failure.code().to_owned()));
                    }
                    return Ok(Answer::Failed(failure));
                }
                Ok(other) if !request.is_async => return Err(self.unrecorded(api, other)),
                // The node does not have this path, so nothing ran (D6).
                Ok(Understood::Refused { status: 404, text }) if is_no_mapping(&text) && action.sends == 1 => {
                    return Err(self.unusable(api, Understood::Refused { status: 404, text }));
                }
                // The node says that nothing ran. But an action that was sent twice, by this program or by a proxy, is
                // refused as a duplicate (J2), and a front end that failed may have failed after the submission.
                Ok(Understood::Refused { status, text }) => {
                    return match self.search(api, &action.job, None)? {
                        Found::Known => self.wait_for_job(api, action.job.clone(), action.options, watch),
                        Found::Never if is_duplicate(&text) => Err(action.unknown(Uncertainty::Duplicate)),
                        Found::Never if action.sends > 1 => {
                            let text = if text.is_empty() { text } else { format!(": {text}") };
                            Err(action.refused_again(format!("status {status}{text}")))
                        }
                        Found::Never if status == 404 && self.readiness() == Readiness::NoNode => {
                            Err(self.stranger(Understood::Refused { status, text }, &action.job))
                        }
                        Found::Never if request.holds_wide_text() || (status == 500 && text.is_empty()) => {
                            Err(action.unknown(Uncertainty::Broke { status, text }))
                        }
                        Found::Never => Err(Error::Refused { status, text }),
                    };
                }
                // A proxy that got no answer from the node: the same as no answer.
                Ok(Understood::Odd { status: status @ 502..=504, what }) => Uncertainty::Answer { status, what },
                Ok(other) => {
                    let (status, what) = oddity(&other);
                    let stranger = is_lasting(status).then(|| self.stranger(other, &action.job));
                    return match self.search(api, &action.job, stranger)? {
                        Found::Known => self.wait_for_job(api, action.job.clone(), action.options, watch),
                        Found::Never => Err(action.unknown(Uncertainty::Answer { status, what })),
                    };
                }
                // The outcome of these does not have to be checked.
                Err(TransportError::Interrupted) if is_log_in(api) || is_log_out(api) => {
                    return Err(Error::Interrupted { job: None });
                }
                Err(TransportError::Interrupted) => return Err(action.unanswered()),
                Err(error) if action.sends == 1 && error.nothing_was_sent() => return Err(self.no_answer(error)),
                Err(error) if !request.is_async => return Err(action.unknown(Uncertainty::Lost(error))),
                Err(error) => Uncertainty::Lost(error),
            };
            match self.search(api, &action.job, None)? {
                Found::Known => return self.wait_for_job(api, action.job.clone(), action.options, watch),
                Found::Never if request.holds_wide_text() => {
                    return Err(action.unknown(Uncertainty::Unrecordable));
                }
                Found::Never if action.sends < SENDS && !self.is_late() => {
                    if !self.pause(back_off(action.sends)) {
                        return Err(action.unanswered());
                    }
                }
                Found::Never => return Err(action.unknown(lost)),
            }
        }
    }

    /// Sends an action once, with the current credentials, over its own connection.
    fn send_action(
        &mut self,
        action: &Submission<'_>,
        watch: &mut dyn Watch,
    ) -> Result<Result<Understood, TransportError>, Error> {
        let request = action.request;
        let mut wire = match self.wire(request, action.uuid) {
            Ok(wire) => wire,
            Err(error) if action.sends == 1 => return Err(error),
            Err(_) => return Err(action.refused_again("it could not be signed".to_owned())),
        };
        // A node accepts a job immediately, however long the job runs.
        if let Some(timeout) = action.options.timeout.filter(|_| request.is_async) {
            wire.patience = self.patience.min(timeout);
        }
        Ok(self.exchange_watched(&wire, watch))
    }

    /// Opens another session for an action that was refused because of its session. The action may be sent again under
    /// its uuid.
    fn renew_for(
        &mut self,
        action: &mut Submission<'_>,
        session: Option<&Secret>,
        failure: ApiFailure,
    ) -> Result<(), Error> {
        let may_renew = std::mem::take(&mut action.may_renew);
        match if may_renew { self.renew(session) } else { Ok(false) } {
            Ok(true) => Ok(()),
            Ok(false) if action.sends == 1 => {
                Err(Error::SessionExpired { failure: Box::new(failure), refused_job: Some(action.uuid) })
            }
            Err(error) if action.sends == 1 => Err(error),
            Ok(false) | Err(_) => Err(action.refused_again(failure.code().to_owned())),
        }
    }

    /// Checks a result that came immediately. A node accepts an asynchronous action with 202, so the answer may not be
    /// from a node: the record of the job decides, and the answer counts only if there is no record.
    fn after_direct_result(
        &mut self,
        action: &Submission<'_>,
        reply: Reply,
        watch: &mut dyn Watch,
    ) -> Result<Answer, Error> {
        match self.search(action.request.api, &action.job, None)? {
            Found::Known => self.wait_for_job(action.request.api, action.job.clone(), action.options, watch),
            Found::Never => Ok(Answer::Reply(reply)),
        }
    }

    /// Handles a result that was cut off: the action ran, and only its result is lost.
    fn after_cut_result(
        &mut self,
        action: &Submission<'_>,
        error: TransportError,
        watch: &mut dyn Watch,
    ) -> Result<Answer, Error> {
        if error == TransportError::Interrupted {
            return Err(action.unanswered());
        }
        let api = action.request.api;
        if action.request.is_async && matches!(self.search(api, &action.job, None)?, Found::Known) {
            return self.wait_for_job(api, action.job.clone(), action.options, watch);
        }
        Err(action.unknown(Uncertainty::Lost(error)))
    }

    /// The error for an unusable answer to an action that leaves no record.
    fn unrecorded(&mut self, api: &'static str, answer: Understood) -> Error {
        let reason = match &answer {
            Understood::Refused { status: 404, text } if is_no_mapping(text) => return self.unusable(api, answer),
            Understood::Refused { status, text } if matches!(status, 404 | 500) => {
                Uncertainty::Broke { status: *status, text: text.clone() }
            }
            // The front end refuses such requests before anything runs (doc/protocol.md, "Status codes").
            Understood::Refused { .. } => return self.unusable(api, answer),
            other => {
                let (status, what) = oddity(other);
                Uncertainty::Answer { status, what }
            }
        };
        // The user does not have to find out whether a session was opened or closed.
        let harmless = is_log_in(api) || is_log_out(api);
        if harmless || (is_lasting(oddity(&answer).0) && self.readiness() == Readiness::NoNode) {
            return self.unusable(api, answer);
        }
        Error::OutcomeUnknown { api, job: None, reason }
    }

    /// The error for an unusable answer if there is no node at the address.
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

    /// Asks the node whether it has received a job (J6). If another server has answered, `stranger` is the error in
    /// case all other answers from the address are of that kind, too.
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
                // A result that is cut off is a result.
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

    /// Asks for a job, without credentials: a node does not check them there (J4).
    pub(super) fn ask(&mut self, uuid: &str) -> Result<Understood, TransportError> {
        let mut wire = self.plain_get(&format!("/api-jobs/{uuid}"), Duration::from_secs(60));
        wire.lane = Some(Lane { of: uuid.to_owned(), is_new: false });
        self.exchange(&wire)
    }

    /// The whole result of a job as a reply.
    pub(super) fn result_of(reader: Box<dyn std::io::Read + Send>, uuid: &str) -> Result<Reply, TransportError> {
        read_whole(reader).map(|reply| reply.with_job(uuid))
    }
}

/// Whether a refusal says that the node received the uuid before (J2). There is no error code for it.
fn is_duplicate(text: &str) -> bool {
    text.contains("Duplicate job uuid")
}

/// The status and the kind of an answer that is neither a result nor an error object.
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

/// Whether a status describes a permanent condition, and not a temporary one.
fn is_lasting(status: u16) -> bool {
    !matches!(status, 408 | 425 | 429 | 500..)
}
