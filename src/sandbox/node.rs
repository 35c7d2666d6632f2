//! The node: from a request to its answer.

use std::time::Duration;

use super::answer::{Answer, Failure};
use super::clock::Moment;
use super::dispatch::Dispatched;
use super::faults::{FaultKind, Faults, POLL};
use super::jobs::Progress;
use super::ledger::Ledger;
use super::options::Options;
use super::sessions::Session;
use super::store::Store;
use super::target::{Target, read_body};
use crate::catalog::{Catalog, Routes};

/// How far the clock of a node with a wrong clock is ahead, in milliseconds.
const CLOCK_OFF: i64 = 20 * 60 * 1000;
/// How long the fault `slow` holds an answer back at speed 1.
const SLOW: Duration = Duration::from_secs(3);

/// A request as it came over the connection.
#[derive(Clone, Default)]
pub(super) struct Received {
    pub(super) verb: String,
    /// Path and query string, not decoded.
    pub(super) target: String,
    pub(super) authorization: Option<String>,
    pub(super) date: Option<String>,
    pub(super) content_type: Option<String>,
    pub(super) job_uuid: Option<String>,
    pub(super) api_timeout: Option<String>,
    pub(super) body: Vec<u8>,
}

/// What happens to an answer on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It is not sent; the connection is cut.
    Cut,
    /// The connection is cut in its middle.
    Truncated,
}

/// An answer, and how it is to be sent.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) answer: Answer,
    pub(super) trouble: Option<Trouble>,
    pub(super) delay: Option<Duration>,
}

/// A management node: its cloud, its sessions and jobs, its faults.
pub(super) struct Node {
    pub(super) catalog: Catalog,
    pub(super) store: Store,
    pub(super) ledger: Ledger,
    pub(super) options: Options,
    routes: Routes,
    faults: Faults,
    /// The session that was opened for the owner of the sandbox; it ends with the node.
    own_session: Option<String>,
}

impl Node {
    pub(super) fn new(store: Store, ledger: Ledger, options: Options, own_session: Option<String>) -> Node {
        let catalog = Catalog::newest();
        let faults = Faults::new(options.faults.clone(), options.fault_seed);
        Node { catalog, store, ledger, options, routes: Routes::new(catalog), faults, own_session }
    }

    /// Ends what only lived with the node.
    pub(super) fn close(&mut self) {
        if let Some(uuid) = self.own_session.take() {
            // A session that stays behind expires by itself.
            let _ = self.ledger.close_session(&uuid);
        }
    }

    /// The node's own clock.
    pub(super) fn now(&self) -> Moment {
        let now = Moment::now();
        if self.faults.is_clock_off() { now.plus(CLOCK_OFF) } else { now }
    }

    /// A duration of the real world at the sandbox's speed, in milliseconds.
    pub(super) fn scaled(&self, duration: Duration) -> i64 {
        let milliseconds = duration.as_secs_f64() * 1000.0 / self.options.speed.max(f64::MIN_POSITIVE);
        #[allow(clippy::cast_possible_truncation)]
        let whole = milliseconds.min(1e15) as i64;
        whole
    }

    /// Answers a request.
    pub(super) fn answer(&mut self, received: &Received) -> Outcome {
        let plain = |answer| Outcome { answer, trouble: None, delay: None };
        if !matches!(received.verb.as_str(), "GET" | "POST" | "PUT" | "DELETE" | "HEAD") {
            return plain(Answer::page(405));
        }
        let target = match Target::read(&received.target, &self.options.context) {
            Ok(target) => target,
            Err(answer) => return plain(answer),
        };
        if let Err(failure) = self.run_due_jobs() {
            return plain(Answer::failed(&failure));
        }
        if let Some(uuid) = target.path.strip_prefix("/v1/api-jobs/") {
            return self.with_faults(POLL, &target, |node, _| node.poll(received, uuid));
        }
        let body = read_body(&received.body, received.content_type.as_deref());
        match Dispatched::resolve(&mut self.routes, &received.verb, &target, &body) {
            Ok(dispatched) => self.with_faults(dispatched.api().name, &target, |node, is_lost| {
                node.call(received, &target, &dispatched, is_lost).unwrap_or_else(|answer| answer)
            }),
            Err(answer) => plain(answer),
        }
    }

    /// Answers through `work`, unless a fault comes before it; lets faults befall the answer. `work` is told
    /// whether the record of its job is to be lost.
    fn with_faults(&mut self, api: &str, target: &Target, work: impl FnOnce(&mut Node, bool) -> Answer) -> Outcome {
        let drawn = self.faults.draw(api);
        let has = |kind| drawn.contains(&kind);
        let delay =
            has(FaultKind::Slow).then(|| Duration::from_millis(u64::try_from(self.scaled(SLOW)).unwrap_or_default()));
        let mut trouble = None;
        let answer = if has(FaultKind::CutBefore) {
            trouble = Some(Trouble::Cut);
            Answer::text(500, "")
        } else if has(FaultKind::Starting) {
            if api == "IsReadyToGo" {
                Answer::failed(&Failure::new("SYS.1010", "management node is not ready"))
            } else {
                Answer::text(404, format!("no api mapping to {}", target.path))
            }
        } else if has(FaultKind::Html) {
            Answer::page(502)
        } else if has(FaultKind::Empty500) {
            Answer::text(500, "")
        } else {
            let answer = work(self, has(FaultKind::JobLost));
            if has(FaultKind::CutAfter) {
                trouble = Some(Trouble::Cut);
            } else if has(FaultKind::Truncated) {
                trouble = Some(Trouble::Truncated);
            }
            answer
        };
        Outcome { answer, trouble, delay }
    }

    /// Answers a poll (J4). No `Authorization` is looked at.
    fn poll(&self, received: &Received, uuid: &str) -> Answer {
        if received.verb != "GET" {
            return Answer::text(405, "jobs are polled with GET");
        }
        match self.ledger.job_progress(uuid, self.now()) {
            Ok(Some(Progress::Running(..))) => Answer::json(202, "{}"),
            Ok(Some(Progress::Finished(answer))) => answer,
            Ok(None) => Answer::text(404, format!("no job {uuid}: it is unknown or has expired")),
            Err(error) => Answer::failed(&error.into()),
        }
    }

    /// The session that an `Authorization` header names, extended by this call (A3).
    pub(super) fn authenticate(&self, uuid: &str) -> Result<Session, Failure> {
        let now = self.now();
        let session = self.ledger.session(uuid, now)?.ok_or_else(Failure::no_session)?;
        let expires = now.plus(session.lifetime);
        if expires > session.expires {
            self.ledger.move_session_end(uuid, expires)?;
        }
        Ok(session)
    }

    /// How long a session lives after its last use, in milliseconds.
    pub(super) fn session_lifetime(&self) -> i64 {
        i64::try_from(self.options.session_lifetime.as_millis()).unwrap_or(i64::MAX)
    }
}
