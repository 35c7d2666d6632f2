//! The node, which turns a request into a reply.

use std::sync::Arc;
use std::time::Duration;

use super::answer::{Answer, Failure};
use super::big_change::BigChange;
use super::clock::UnixMillis;
use super::dispatch::ResolvedCall;
use super::faults::{FaultKind, Faults, POLL};
use super::jobs::Progress;
use super::ledger::Ledger;
use super::offer::{OfferedApis, Version};
use super::options::Options;
use super::pending_query::PendingQuery;
use super::pending_read::PendingRead;
use super::reply_schema;
use super::sessions::Session;
use super::store::Store;
use super::target::{Target, read_body};
use super::web_hook::WebHook;
use crate::catalog::{Catalog, Routes};

/// The offset of a wrong clock, in milliseconds.
const CLOCK_OFF: i64 = 20 * 60 * 1000;
/// The delay of the fault `slow` at speed 1.
const SLOW: Duration = Duration::from_secs(3);

/// A received request.
#[derive(Clone, Default)]
pub(super) struct ReceivedRequest {
    pub(super) verb: String,
    /// Path and query string, not decoded.
    pub(super) target: String,
    /// The host that the client asked for.
    pub(super) host: Option<String>,
    /// The address that it comes from.
    pub(super) client: Option<String>,
    pub(super) authorization: Option<String>,
    pub(super) date: Option<String>,
    pub(super) content_type: Option<String>,
    pub(super) job_uuid: Option<String>,
    pub(super) api_timeout: Option<String>,
    pub(super) web_hook: Option<String>,
    pub(super) wants_schema: bool,
    pub(super) body: Vec<u8>,
}

/// A fault while a reply is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConnectionFault {
    /// The connection is closed before the reply.
    Cut,
    /// The connection is closed in the middle of the reply.
    Truncated,
}

/// What a request leads to.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// The complete reply.
    Ready(Answer),
    /// A query, which the server runs without the node.
    Query(Box<PendingQuery>),
    /// Another read, which the server runs without the node too.
    Read(Box<PendingRead>),
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Reply {
        Reply::Ready(answer)
    }
}

/// A reply, and how it is sent.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) reply: Reply,
    pub(super) trouble: Option<ConnectionFault>,
    pub(super) delay: Option<Duration>,
}

/// A request whose API is known.
pub(super) enum Entry {
    /// It is answered already.
    Answered(Answer),
    /// It asks for a job with this uuid.
    Poll(Target, String),
    /// It calls an API.
    Call(Target, ResolvedCall),
}

impl Entry {
    /// Whether the request may change the cloud, so that it takes turns with other changes.
    pub(super) fn is_change(&self) -> bool {
        matches!(self, Entry::Call(_, call) if call.api().is_async)
    }
}

/// A management node: its cloud, its sessions and jobs, its faults.
pub(super) struct Node {
    pub(super) catalog: Catalog,
    pub(super) offer: OfferedApis,
    pub(super) store: Arc<Store>,
    pub(super) ledger: Ledger,
    pub(super) options: Options,
    /// Results to post; the server takes and posts them.
    pub(super) web_hooks: Vec<WebHook>,
    /// Big changes that have begun; the server takes and carries them out.
    pub(super) begun: Vec<BigChange>,
    routes: Routes,
    faults: Faults,
    /// The session that was opened for the owner of the sandbox; it ends with the node.
    own_session: Option<String>,
}

impl Node {
    pub(super) fn new(mut store: Store, ledger: Ledger, options: Options, own_session: Option<String>) -> Node {
        let catalog = options.version.as_ref().map_or_else(Catalog::newest, Version::catalog);
        if options.version.is_some() {
            store.answer_as(catalog);
        }
        let faults = Faults::new(options.faults.clone(), options.fault_seed);
        let offer = OfferedApis { catalog, edition: options.edition };
        let (routes, web_hooks) = (Routes::offering(catalog, move |name| offer.api(name)), Vec::new());
        let store = Arc::new(store);
        Node { catalog, offer, store, ledger, options, web_hooks, begun: Vec::new(), routes, faults, own_session }
    }

    /// Ends the owner's session.
    pub(super) fn close(&mut self) {
        if let Some(uuid) = self.own_session.take() {
            // If this fails, the session expires.
            let _ = self.ledger.close_session(&uuid);
        }
    }

    /// The node's own clock.
    pub(super) fn now(&self) -> UnixMillis {
        let now = UnixMillis::now();
        if self.faults.is_clock_off() { now.plus(CLOCK_OFF) } else { now }
    }

    /// A duration divided by the speed-up factor, in milliseconds.
    pub(super) fn scaled(&self, duration: Duration) -> i64 {
        let milliseconds = duration.as_secs_f64() * 1000.0 / self.options.speed.max(f64::MIN_POSITIVE);
        #[allow(clippy::cast_possible_truncation)]
        let whole = milliseconds.min(1e15) as i64;
        whole
    }

    /// Finds what a request asks for.
    pub(super) fn enter(&mut self, received: &ReceivedRequest) -> Entry {
        if !matches!(received.verb.as_str(), "GET" | "POST" | "PUT" | "DELETE" | "HEAD") {
            return Entry::Answered(Answer::page(405));
        }
        let target = match Target::read(&received.target, &self.options.context) {
            Ok(target) => target,
            Err(answer) => return Entry::Answered(answer),
        };
        if let Some(uuid) = target.path.strip_prefix("/v1/api-jobs/") {
            let uuid = uuid.to_owned();
            return Entry::Poll(target, uuid);
        }
        let body = read_body(&received.body, received.content_type.as_deref());
        match ResolvedCall::resolve(&mut self.routes, &received.verb, &target, &body) {
            Ok(call) => Entry::Call(target, call),
            Err(answer) => Entry::Answered(answer),
        }
    }

    /// Answers a request.
    pub(super) fn answer(&mut self, received: &ReceivedRequest, entry: &Entry) -> Outcome {
        match entry {
            Entry::Answered(answer) => Outcome { reply: answer.clone().into(), trouble: None, delay: None },
            Entry::Poll(target, uuid) => self.with_faults(POLL, target, |node, _| {
                let mut answer = node.poll(received, uuid);
                if received.wants_schema {
                    let api = node.ledger.job_api(uuid).ok().flatten().and_then(|api| node.catalog.api(&api));
                    api.inspect(|api| reply_schema::add(node.catalog, api, &mut answer));
                }
                answer.into()
            }),
            Entry::Call(target, call) => self.with_faults(call.api().name, target, |node, faults| {
                let mut reply = node.call(received, target, call, faults).unwrap_or_else(Reply::Ready);
                if let (true, Reply::Ready(answer)) = (received.wants_schema, &mut reply) {
                    reply_schema::add(node.catalog, call.api(), answer);
                }
                reply
            }),
        }
    }

    /// Applies the drawn faults around `work`, which makes the reply. `work` gets the faults too, for those of jobs.
    fn with_faults(
        &mut self,
        api: &str,
        target: &Target,
        work: impl FnOnce(&mut Node, &[FaultKind]) -> Reply,
    ) -> Outcome {
        let drawn = self.faults.draw(api);
        let has = |kind| drawn.contains(&kind);
        let delay =
            has(FaultKind::Slow).then(|| Duration::from_millis(u64::try_from(self.scaled(SLOW)).unwrap_or_default()));
        let mut trouble = None;
        let reply = if has(FaultKind::CutBefore) {
            trouble = Some(ConnectionFault::Cut);
            Answer::text(500, "").into()
        } else if has(FaultKind::Starting) {
            if api == "IsReadyToGo" {
                Answer::failed(&Failure::new("SYS.1010", "management node is not ready")).into()
            } else {
                Answer::text(404, format!("no api mapping to {}", target.path)).into()
            }
        } else if has(FaultKind::Html) {
            Answer::page(502).into()
        } else if has(FaultKind::Empty500) {
            Answer::text(500, "").into()
        } else {
            let reply = work(self, &drawn);
            if has(FaultKind::CutAfter) {
                trouble = Some(ConnectionFault::Cut);
            } else if has(FaultKind::Truncated) {
                trouble = Some(ConnectionFault::Truncated);
            }
            reply
        };
        Outcome { reply, trouble, delay }
    }

    /// The result of a job that has ended.
    pub(super) fn result_of(&mut self, job: &str) -> Option<Answer> {
        self.run_due_jobs().ok()?;
        match self.ledger.job_progress(job, self.now()) {
            Ok(Some(Progress::Finished(answer))) => Some(answer),
            _ => None,
        }
    }

    /// Answers a poll (J4), which needs no `Authorization`.
    fn poll(&self, received: &ReceivedRequest, uuid: &str) -> Answer {
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
