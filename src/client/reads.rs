//! Sends calls that only read, which may be repeated.

use super::answer::Understood;
use super::call::{Answer, CallOptions, Job, JobUuid, Reply, Watch};
use super::caller::{Client, back_off};
use super::error::{Error, Oddity};
use super::outgoing::has_job;
use super::wire::TransportError;
use crate::plan::{Effect, Request};

/// The maximum number of times that such a call is sent.
const TRIES: u32 = 3;

impl Client {
    pub(super) fn read(
        &mut self,
        request: &Request,
        options: &CallOptions,
        watch: &mut dyn Watch,
    ) -> Result<Answer, Error> {
        let mut tries = 0;
        loop {
            tries += 1;
            let first_contact = !self.reached;
            // A node refuses a job uuid that it received before, so each attempt has its own (J2).
            let job = options.job.filter(|_| tries == 1).unwrap_or_else(JobUuid::fresh);
            let wire = self.wire(request, job)?;
            let error = match self.exchange_watched(&wire, watch) {
                Ok(Understood::Result(reader)) => return Ok(Answer::Reply(Reply::of_reader(reader))),
                Ok(Understood::Failed(failure)) => return Ok(Answer::Failed(failure)),
                // On this node another API has the path and method of this query (D3, R3). Its job is not followed.
                Ok(Understood::Accepted { .. }) if request.effect == Effect::Query => {
                    return Err(Error::NoSuchApi { api: request.api, version: None, failure: None });
                }
                Ok(Understood::Accepted { job: location, timeout }) => {
                    // Two APIs that only read have jobs (J1).
                    let Some(uuid) = location.or_else(|| has_job(request).then(|| job.to_string())) else {
                        return Err(Error::Reply { flaw: "an accepted job without a location".to_owned() });
                    };
                    let job = Job { uuid, api: request.api.to_owned(), timeout, submitted: None };
                    return self.wait_for_new_job(request.api, job, options, watch);
                }
                Ok(Understood::Odd { status: 502..=504, .. }) if tries < TRIES => None,
                Ok(Understood::Broken(_)) if tries < TRIES => None,
                Ok(Understood::Lost(error)) | Err(error) => Some(error),
                Ok(other) => return Err(self.unusable(request.api, other)),
            };
            if let Some(error) = error {
                let again = match &error {
                    TransportError::Cut { .. } => true,
                    TransportError::Refused
                    | TransportError::ConnectTimeout { .. }
                    | TransportError::Connect { .. }
                    | TransportError::Proxy { .. } => !first_contact,
                    _ => false,
                };
                if !again || tries == TRIES {
                    return Err(self.no_answer(error));
                }
            }
            if !self.pause(back_off(tries - 1)) {
                return Err(Error::Interrupted { job: None });
            }
        }
    }

    /// The error for a failed connection if nothing was changed.
    pub(super) fn no_answer(&self, error: TransportError) -> Error {
        let endpoint = self.authority();
        match error {
            TransportError::Interrupted => Error::Interrupted { job: None },
            TransportError::Unsendable | TransportError::TlsSetup { .. } => Error::NotSent { source: error },
            error if error.nothing_was_sent() => Error::Unreachable { endpoint, source: error },
            error => Error::NoAnswer { endpoint, source: error },
        }
    }

    /// The error for an answer that is neither a result nor an error object.
    pub(super) fn unusable(&mut self, api: &'static str, answer: Understood) -> Error {
        let endpoint = self.authority();
        // A starting node, or a proxy in front of it, answers the same (T9).
        let may_start =
            matches!(answer, Understood::Refused { status: 404, .. } | Understood::Odd { status: 404 | 502..=504, .. });
        let readiness = may_start.then(|| self.readiness());
        if readiness == Some(Readiness::Starting) {
            return Error::Starting { endpoint };
        }
        match answer {
            Understood::Refused { status: 404, text } if is_no_mapping(&text) => {
                Error::NoSuchApi { api, version: None, failure: None }
            }
            Understood::Refused { status: status @ 404, .. } if readiness == Some(Readiness::NoNode) => {
                Error::NotTheNode { endpoint, status, what: Oddity::Text, job: None }
            }
            Understood::Refused { status, text } => Error::Refused { status, text },
            Understood::Redirect { location, .. } => Error::Redirect { endpoint, location, job: None },
            Understood::Odd { status, what } => Error::NotTheNode { endpoint, status, what, job: None },
            Understood::Lost(error) => self.no_answer(error),
            Understood::Broken(flaw) => Error::Reply { flaw: flaw.to_string() },
            Understood::Result(_) | Understood::Accepted { .. } | Understood::Failed(_) => {
                Error::NotTheNode { endpoint, status: 200, what: Oddity::Object, job: None }
            }
        }
    }

    /// Whether a node answers here and is ready for calls.
    pub fn is_ready(&mut self) -> bool {
        self.readiness() == Readiness::Ready
    }

    /// Asks whether the node is ready. The call needs no session and distinguishes a node from other servers.
    pub(super) fn readiness(&mut self) -> Readiness {
        let probe = self.plain_get("/management-nodes/ready", std::time::Duration::from_secs(10));
        match self.exchange(&probe) {
            Ok(Understood::Refused { status: 404, text }) if is_no_mapping(&text) => Readiness::Starting,
            Ok(Understood::Failed(failure)) if failure.code() == "SYS.1010" => Readiness::Starting,
            Ok(Understood::Result(_) | Understood::Failed(_) | Understood::Accepted { .. }) => Readiness::Ready,
            Ok(Understood::Odd { .. } | Understood::Redirect { .. } | Understood::Refused { .. }) => Readiness::NoNode,
            Ok(Understood::Lost(_) | Understood::Broken(_)) | Err(_) => Readiness::Silent,
        }
    }
}

/// The answer to the question whether the node is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readiness {
    /// A node that is ready.
    Ready,
    /// A node that is starting and has no API yet (T9).
    Starting,
    /// A server other than a node.
    NoNode,
    /// No server.
    Silent,
}

/// Whether a 404 says that no API has the path (D6). There is no error code for it.
pub(super) fn is_no_mapping(text: &str) -> bool {
    text.contains("no api mapping")
}
