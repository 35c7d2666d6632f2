//! From a planned request to the one that goes over the wire.
//!
//! What is sent, what a dry run prints and what the curl example calls all come from [`wire_request`], so that nothing
//! is shown that is not sent.

use std::time::Duration;

use super::call::JobUuid;
use super::caller::{Client, Credentials};
use super::error::Error;
use super::wire::{HeaderText, Shown, WireRequest};
use crate::catalog::Method;
use crate::plan::{Effect, Request};
use crate::secret::{MASK, Secret, Secrets};

/// The node audits a caller whose name holds `cli` as a command line.
const USER_AGENT: &str = concat!("zstack-cli/", env!("CARGO_PKG_VERSION"));

/// How much longer than the node may work on a call its answer may take.
const GRACE: Duration = Duration::from_secs(30);

/// How long the rest of an answer that is not used as it comes may take behind its first byte.
const WHOLE: Duration = Duration::from_secs(300);

/// With what a request is sent.
struct Terms<'a> {
    credentials: &'a Credentials,
    /// Under which uuid, where calls of its kind have one.
    job: JobUuid,
    /// The time by the node's clock, in seconds since 1970.
    time: i64,
    /// How long the first byte of the answer may take.
    patience: Duration,
}

/// The request as it goes over the wire.
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
        reuse_connection: request.effect != Effect::Action,
        shown: Shown {
            target: format!("/v1{}", request.target(Secrets::Masked)),
            body: request.body_text(Secrets::Masked),
        },
    }
}

/// The headers that prove who the user is.
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

/// Whether calls of its kind carry a job uuid: all but those that only read by GET (J2).
pub(super) fn has_job(request: &Request) -> bool {
    request.effect == Effect::Action || request.method != Method::Get
}

/// The headers of every request.
fn common_headers() -> [(&'static str, HeaderText); 2] {
    [("User-Agent", HeaderText::plain(USER_AGENT)), ("Accept", HeaderText::plain("*/*"))]
}

impl Client {
    /// The request as it goes over the wire now, under that uuid. Where it is signed, the node is asked for its time
    /// first, once.
    pub(super) fn wire(&mut self, request: &Request, job: JobUuid) -> Result<WireRequest, Error> {
        self.prepare_to_sign(request)?;
        let credentials = self.shared().credentials.clone();
        Ok(self.wire_with(request, job, &credentials))
    }

    /// Learns what signing a request takes, where it will be signed.
    pub(super) fn prepare_to_sign(&mut self, request: &Request) -> Result<(), Error> {
        let has_key = matches!(self.shared().credentials, Credentials::AccessKey(_));
        if request.needs_session && has_key { self.learn_clock_skew() } else { Ok(()) }
    }

    /// The request as it would go over the wire now; nothing is sent. While the node's clock is not known it counts
    /// as right. Where nobody is logged in, the mask stands where a session will be.
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

    /// A GET below `/v1` that carries no credentials.
    pub(super) fn plain_get(&self, path: &str, patience: Duration) -> WireRequest {
        WireRequest {
            method: Method::Get,
            target: Secret::new(format!("/v1{path}")),
            headers: common_headers().into(),
            body: None,
            patience,
            whole: Some(patience),
            reuse_connection: true,
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
