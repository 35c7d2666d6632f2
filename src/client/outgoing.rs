//! Converts planned requests to HTTP requests.
//!
//! [`wire_request`] makes the request that is sent, the one that a dry run prints and the one of the curl example, so
//! that they cannot differ.

use std::time::Duration;

use super::call::JobUuid;
use super::caller::{Client, Credentials};
use super::error::Error;
use super::wire::{HeaderText, Lane, Shown, WireRequest};
use crate::catalog::Method;
use crate::plan::{Effect, Request};
use crate::secret::{MASK, Secret, Secrets};

/// In its audit log, a node calls a client whose name contains `cli` a command line.
const USER_AGENT: &str = concat!("zstack-cli/", env!("CARGO_PKG_VERSION"));

/// How much later than the node's own time limit an answer may arrive.
const GRACE: Duration = Duration::from_secs(30);

/// How long the rest of an answer that is not streamed may take after its first byte.
const WHOLE: Duration = Duration::from_secs(300);

/// The parameters for sending a request.
struct Terms<'a> {
    credentials: &'a Credentials,
    /// The uuid, for calls that have one.
    job: JobUuid,
    /// The time of the node's clock, in seconds since 1970.
    time: i64,
    /// How long the first byte of the answer may take.
    patience: Duration,
}

/// The HTTP request.
fn wire_request(request: &Request, terms: &Terms<'_>) -> WireRequest {
    let body = request.body_text(Secrets::Shown).map(Secret::new);
    let mut headers = Vec::new();
    if request.needs_session {
        headers.extend(authorization(request, terms));
    }
    if body.is_some() {
        headers.push(("Content-Type", HeaderText::plain("application/json; charset=utf-8")));
    }
    if has_job(request) {
        headers.push(("X-Job-UUID", HeaderText::plain(terms.job.to_string())));
    }
    if let Some(timeout) = request.timeout.filter(|_| request.effect != Effect::Query) {
        headers.push(("X-API-Timeout", HeaderText::plain(timeout.as_secs().max(1).to_string())));
    }
    headers.extend(common_headers());
    let patience = request.timeout.map_or(Duration::ZERO, |timeout| timeout.saturating_add(GRACE)).max(terms.patience);
    WireRequest {
        method: request.method,
        target: Secret::new(format!("/v1{}", request.target(Secrets::Shown))),
        headers,
        body,
        patience,
        whole: (request.effect != Effect::Query).then(|| patience.saturating_add(WHOLE)),
        lane: (request.effect == Effect::Action).then(|| Lane { of: terms.job.to_string(), is_new: true }),
        shown: Shown {
            target: format!("/v1{}", request.target(Secrets::Masked)),
            body: request.body_text(Secrets::Masked),
        },
    }
}

/// The headers with the credentials.
fn authorization(request: &Request, terms: &Terms<'_>) -> Vec<(&'static str, HeaderText)> {
    match terms.credentials {
        Credentials::None => Vec::new(),
        Credentials::Session(uuid) => {
            let value = HeaderText::secret(format!("OAuth {}", uuid.expose()), format!("OAuth {MASK}"));
            vec![("Authorization", value)]
        }
        Credentials::AccessKey(key) => key.headers(request, terms.time).into(),
    }
}

/// Whether the call has a job uuid: all except GET requests (J2).
pub(super) fn has_job(request: &Request) -> bool {
    request.effect == Effect::Action || request.method != Method::Get
}

/// The headers of every request.
fn common_headers() -> [(&'static str, HeaderText); 2] {
    [("User-Agent", HeaderText::plain(USER_AGENT)), ("Accept", HeaderText::plain("*/*"))]
}

impl Client {
    /// The HTTP request with the current credentials and that uuid. Before the first request is signed, the node is
    /// asked for its time.
    pub(super) fn wire(&mut self, request: &Request, job: JobUuid) -> Result<WireRequest, Error> {
        self.prepare_to_sign(request)?;
        let credentials = self.shared().credentials.clone();
        Ok(self.wire_with(request, job, &credentials))
    }

    /// Gets the node's time, if the request will be signed.
    pub(super) fn prepare_to_sign(&mut self, request: &Request) -> Result<(), Error> {
        let has_key = matches!(self.shared().credentials, Credentials::AccessKey(_));
        if request.needs_session && has_key { self.learn_clock_skew() } else { Ok(()) }
    }

    /// The HTTP request as it would be sent now. Nothing is sent, not even to get the node's time. If nobody is logged
    /// in, the session is shown as a mask.
    pub(super) fn preview(&self, request: &Request, job: JobUuid) -> WireRequest {
        let credentials = match self.shared().credentials.clone() {
            Credentials::None => Credentials::Session(Secret::new(MASK)),
            known => known,
        };
        self.wire_with(request, job, &credentials)
    }

    fn wire_with(&self, request: &Request, job: JobUuid, credentials: &Credentials) -> WireRequest {
        let skew = self.shared().clock_skew.unwrap_or_default();
        let now = i64::try_from(self.clock.unix_time().as_secs()).unwrap_or_default();
        let terms = Terms { credentials, job, time: now.saturating_add(skew), patience: self.patience };
        wire_request(request, &terms)
    }

    /// A GET request below `/v1` without credentials.
    pub(super) fn plain_get(&self, path: &str, patience: Duration) -> WireRequest {
        WireRequest {
            method: Method::Get,
            target: Secret::new(format!("/v1{path}")),
            headers: common_headers().into(),
            body: None,
            patience,
            whole: Some(patience),
            lane: None,
            shown: Shown { target: format!("/v1{path}"), body: None },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::fake::{action, query};
    use super::*;

    fn terms(patience: u64) -> Terms<'static> {
        let patience = Duration::from_secs(patience);
        Terms { credentials: &Credentials::None, job: JobUuid::fresh(), time: 0, patience }
    }

    #[test]
    fn the_answer_may_take_as_long_as_the_node_works() {
        let timed = |timeout| Request { timeout, ..action() };
        for (timeout, patience) in [
            (None, Duration::from_secs(60)),
            (Some(Duration::from_secs(5)), Duration::from_secs(60)),
            (Some(Duration::from_secs(100)), Duration::from_secs(130)),
            (Some(Duration::MAX), Duration::MAX),
        ] {
            assert_eq!(wire_request(&timed(timeout), &terms(60)).patience, patience, "{timeout:?}");
        }
    }

    #[test]
    fn reads_carry_no_job_and_actions_do() {
        let names = |request: &Request| -> Vec<&str> {
            wire_request(request, &terms(60)).headers.iter().map(|(name, _)| *name).collect()
        };
        assert_eq!(names(&query()), ["User-Agent", "Accept"]);
        assert_eq!(names(&action()), ["Content-Type", "X-Job-UUID", "User-Agent", "Accept"]);
        let delete = Request { method: Method::Delete, body: None, ..action() };
        assert_eq!(names(&delete), ["X-Job-UUID", "User-Agent", "Accept"]);
        let put = Request { method: Method::Put, effect: Effect::Read, ..action() };
        assert_eq!(names(&put), ["Content-Type", "X-Job-UUID", "User-Agent", "Accept"]);
    }
}
