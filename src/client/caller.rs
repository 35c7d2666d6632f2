//! The client: an endpoint, a transport and credentials.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::answer::{Understood, understand};
use super::call::{Answer, CallOptions, JobRecord, Unwatched, Watch};
use super::clock::Clock;
use super::endpoint::Endpoint;
use super::error::Error;
use super::session::{Session, SessionStore};
use super::signing::AccessKey;
use super::trace::Trace;
use super::wire::{Transport, TransportError, WireRequest};
use crate::interrupt::Interrupt;
use crate::plan::{Effect, Request};
use crate::secret::{KnownSecrets, Secret, Secrets};

/// How long the first byte of an answer may take: the node's own limit is 5 minutes (T8).
const PATIENCE: Duration = Duration::from_secs(330);

/// The time after which an answer is reported as slow.
const SILENCE: Duration = Duration::from_secs(1);

/// The minimum time for an answer after the deadline, for a last check of the job.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// How requests are authenticated.
#[derive(Clone, Debug, Default)]
pub enum Credentials {
    /// Nothing.
    #[default]
    None,
    /// A session's uuid.
    Session(Secret),
    /// An access key, with which each request is signed.
    AccessKey(AccessKey),
}

/// The state that forks of a client share.
pub(super) struct Shared {
    pub(super) credentials: Credentials,
    /// A session that was opened by a renewal and that no store keeps.
    pub(super) renewed: Option<Session>,
    /// By how many seconds the node's clock is ahead; `None` until the node was asked.
    pub(super) clock_skew: Option<i64>,
    /// How long the last job of each API took.
    pub(super) job_times: HashMap<&'static str, Duration>,
}

/// Sends requests to one node and interprets the answers.
///
/// It sends only what the plan says: it does not repeat calls that may have run, does not follow redirects, and sends
/// credentials to its endpoint only.
pub struct Client {
    pub(super) endpoint: Endpoint,
    pub(super) transport: Box<dyn Transport>,
    pub(super) clock: Box<dyn Clock>,
    pub(super) interrupt: Interrupt,
    pub(super) shared: Arc<Mutex<Shared>>,
    /// Held by the thread that opens a new session.
    pub(super) renewal: Arc<Mutex<()>>,
    pub(super) log_in: Option<Request>,
    pub(super) session_store: Option<Arc<dyn SessionStore>>,
    pub(super) record: Option<Box<dyn JobRecord>>,
    pub(super) trace: Option<Trace>,
    /// Whether the node has answered before. If not, a refused connection means a wrong address.
    pub(super) reached: bool,
    /// How long the first byte of an answer may take.
    pub(super) patience: Duration,
    /// The deadline for all requests of the current job, by the clock.
    pub(super) deadline: Option<Duration>,
}

impl Client {
    /// A client without credentials.
    pub fn new(
        endpoint: Endpoint,
        transport: Box<dyn Transport>,
        clock: Box<dyn Clock>,
        interrupt: Interrupt,
    ) -> Client {
        let shared =
            Shared { credentials: Credentials::None, renewed: None, clock_skew: None, job_times: HashMap::new() };
        Client {
            endpoint,
            transport,
            clock,
            interrupt,
            shared: Arc::new(Mutex::new(shared)),
            renewal: Arc::default(),
            log_in: None,
            session_store: None,
            record: None,
            trace: None,
            reached: false,
            patience: PATIENCE,
            deadline: None,
        }
    }

    /// Uses these credentials from now on.
    pub fn set_credentials(&mut self, credentials: Credentials) {
        self.shared().credentials = credentials;
    }

    /// Sets the log-in that is sent when the session has expired: once, then the call is repeated (J7).
    pub fn set_log_in(&mut self, request: Option<Request>) {
        self.log_in = request;
    }

    /// Shares renewed sessions with other processes.
    pub fn set_session_store(&mut self, store: Arc<dyn SessionStore>) {
        self.session_store = Some(store);
    }

    /// Sets the time-out for the first byte of an answer.
    pub fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Keeps a record of submitted jobs.
    pub fn set_job_record(&mut self, record: Option<Box<dyn JobRecord>>) {
        self.record = record;
    }

    /// Writes what is sent and received to `out`; secrets masked unless they may be shown, the known ones wherever they
    /// stand.
    pub fn set_trace(&mut self, out: Option<Box<dyn Write + Send>>, secrets: Secrets, known: KnownSecrets) {
        self.trace = out.map(|out| Trace::new(out, secrets, known));
    }

    /// The node that is called.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Whether there are credentials.
    pub fn has_credentials(&self) -> bool {
        !matches!(self.shared().credentials, Credentials::None)
    }

    /// The uuid of the session in use.
    pub fn session_uuid(&self) -> Option<Secret> {
        match &self.shared().credentials {
            Credentials::Session(uuid) => Some(uuid.clone()),
            Credentials::None | Credentials::AccessKey(_) => None,
        }
    }

    /// The session that a renewal opened for this client alone; `None` when asked again.
    pub fn take_renewed_session(&mut self) -> Option<Session> {
        self.shared().renewed.take()
    }

    /// Creates another client for the same node with the same credentials, for another thread. It does not record jobs.
    pub fn fork(&self) -> Client {
        Client {
            endpoint: self.endpoint.clone(),
            transport: self.transport.fork(),
            clock: self.clock.fork(),
            interrupt: self.interrupt.clone(),
            shared: Arc::clone(&self.shared),
            renewal: Arc::clone(&self.renewal),
            log_in: self.log_in.clone(),
            session_store: self.session_store.clone(),
            record: None,
            trace: self.trace.clone(),
            reached: self.reached,
            patience: self.patience,
            deadline: None,
        }
    }

    /// Opens a session if there is none and a log-in is known. `api` is what needs it.
    ///
    /// # Errors
    /// [`Error::NoSession`] if no log-in is known; else as [`Client::execute`].
    pub fn open_session(&mut self, api: &'static str) -> Result<(), Error> {
        if self.has_credentials() || self.renew(None)? { Ok(()) } else { Err(Error::NoSession { api }) }
    }

    /// Makes a call and, depending on the options, waits for its result.
    ///
    /// A call that only reads is repeated twice when the connection fails. An action is sent once; if its answer is
    /// lost, the client asks for its job. It sends the action again only if the node never received it, under the same
    /// uuid (J6). An expired session is renewed once if [`Client::set_log_in`] was called.
    ///
    /// # Errors
    /// See [`Error`]. A failed API is not an error but [`Answer::Failed`].
    pub fn execute(
        &mut self,
        request: &Request,
        options: &CallOptions,
        watch: &mut dyn Watch,
    ) -> Result<Answer, Error> {
        let time = options.timeout.filter(|_| request.is_async).map(with_margin);
        self.within(time, |client| client.call(request, options, watch))
    }

    /// As [`Client::execute`], without a deadline.
    fn call(&mut self, request: &Request, options: &CallOptions, watch: &mut dyn Watch) -> Result<Answer, Error> {
        if request.needs_session {
            self.open_session(request.api)?;
        }
        let mut may_renew = true;
        let mut options = *options;
        loop {
            let session = self.session_uuid();
            let answer = match request.effect {
                Effect::Query | Effect::Read => self.read(request, &options, watch)?,
                Effect::Action => self.act(request, &options, watch)?,
            };
            let Answer::Failed(failure) = answer else { return Ok(answer) };
            if !request.needs_session || !failure.session_expired() {
                return Ok(Answer::Failed(failure));
            }
            // Actions that may have begun do not get here: their outcome is unknown.
            if !(may_renew && self.renew(session.as_ref())?) {
                return Err(Error::SessionExpired { failure: Box::new(failure), refused_job: None });
            }
            may_renew = false;
            // The job was refused when it was polled, so that its uuid cannot be used again (J2, J7).
            (options.job, options.is_repeat) = (None, false);
        }
    }

    /// Runs `run` with a deadline, unless the current one is earlier.
    pub(super) fn within<T>(&mut self, time: Option<Duration>, run: impl FnOnce(&mut Client) -> T) -> T {
        let around = self.deadline;
        let own = time.map(|time| self.clock.now().saturating_add(time));
        self.deadline = around.into_iter().chain(own).min();
        let result = run(self);
        self.deadline = around;
        result
    }

    /// Whether the deadline has passed.
    pub(super) fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| self.clock.now() >= deadline)
    }

    /// The request with its time-outs limited by the deadline.
    fn hurried(&self, wire: &WireRequest) -> Option<WireRequest> {
        let left = self.deadline?.saturating_sub(self.clock.now()).max(LAST_LOOK);
        let whole = wire.whole.map_or(left, |whole| whole.min(left));
        Some(WireRequest { patience: wire.patience.min(left), whole: Some(whole), ..wire.clone() })
    }

    /// Sends a request with tracing and interprets the answer.
    pub(super) fn exchange(&mut self, wire: &WireRequest) -> Result<Understood, TransportError> {
        self.exchange_watched(wire, &mut Unwatched)
    }

    /// As [`Client::exchange`], with an observer that is told when the answer is slow.
    pub(super) fn exchange_watched(
        &mut self,
        wire: &WireRequest,
        watch: &mut dyn Watch,
    ) -> Result<Understood, TransportError> {
        let hurried = self.hurried(wire);
        let wire = hurried.as_ref().unwrap_or(wire);
        if let Some(trace) = &mut self.trace {
            trace.request(self.endpoint.base(), wire);
        }
        let endpoint = &self.endpoint;
        let mut was_silent = false;
        let sent = self.transport.send(wire, &mut |elapsed| {
            if elapsed >= SILENCE {
                was_silent = true;
                watch.silent(&endpoint.authority(), elapsed);
            }
        });
        if was_silent {
            watch.done();
        }
        let result = sent.and_then(|response| {
            self.reached = true;
            let response = match &mut self.trace {
                Some(trace) => trace.response(response),
                None => response,
            };
            understand(response)
        });
        if let (Some(trace), Err(error)) = (&mut self.trace, &result) {
            trace.failure(error);
        }
        result
    }

    pub(super) fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits; `false` if the user interrupts.
    pub(super) fn pause(&mut self, time: Duration) -> bool {
        self.clock.wait(&self.interrupt, time, &mut |_| {})
    }

    pub(super) fn authority(&self) -> String {
        self.endpoint.authority()
    }
}

/// The deadline for a job with that time-out. A node ends a job at its limit and reports it a little later.
pub(super) fn with_margin(timeout: Duration) -> Duration {
    timeout.saturating_add((timeout / 10).clamp(Duration::from_secs(2), Duration::from_secs(5)))
}

/// The pause before another attempt. It doubles each time, and a part of it is random, so that many clients that lost
/// the node together do not reconnect together.
pub(super) fn back_off(tries: u32) -> Duration {
    let base = 200 * (1 << tries.min(4));
    let random = u64::from(uuid::Uuid::new_v4().as_bytes()[0]);
    Duration::from_millis((base + base * random / 512).min(3000))
}
