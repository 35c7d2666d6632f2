//! A node that answers what a test says, and a clock that takes no time.

use std::collections::VecDeque;
use std::io::{Cursor, Read};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::catalog::Method;
use crate::client::{
    Client, Clock, Credentials, Endpoint, Transport, TransportError, Waiting, Watch, WireRequest, WireResponse,
};
use crate::interrupt::Interrupt;
use crate::json::Value;
use crate::plan::{Effect, PathPart, Request, SecretText};

/// What the node does with a request.
#[derive(Clone, Debug)]
pub(in crate::client) enum Step {
    /// Answers.
    Answer(u16, String),
    /// Answers 200, but the body is cut.
    CutBody(String),
    /// Fails to.
    Fail(TransportError),
    /// Says nothing for as long as anybody waits.
    Silent,
    /// Answers, and never ends, for as long as anybody reads.
    Drip(u16, String),
    /// Has the user press Ctrl-C, then answers.
    Interrupt(u16, String),
}

pub(in crate::client) fn ok(body: &str) -> Step {
    Step::Answer(200, body.to_owned())
}

pub(in crate::client) fn answer(status: u16, body: &str) -> Step {
    Step::Answer(status, body.to_owned())
}

pub(in crate::client) fn cut() -> Step {
    Step::Fail(TransportError::Cut { reason: "connection reset".to_owned() })
}

pub(in crate::client) fn refused() -> Step {
    Step::Fail(TransportError::Refused)
}

pub(in crate::client) fn accepted() -> Step {
    answer(202, "{}")
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(in crate::client) struct Seen {
    pub(in crate::client) line: String,
    pub(in crate::client) headers: Vec<(String, String)>,
    pub(in crate::client) body: Option<String>,
    pub(in crate::client) at: Duration,
    /// How long the whole answer may take.
    pub(in crate::client) whole: Option<Duration>,
}

impl Seen {
    pub(in crate::client) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Default)]
struct State {
    steps: VecDeque<Step>,
    seen: Vec<Seen>,
    now: Duration,
    overrun: bool,
}

/// The node and the clock of one test.
#[derive(Clone, Default)]
pub(in crate::client) struct Node {
    state: Arc<Mutex<State>>,
    pub(in crate::client) interrupt: Interrupt,
}

impl Node {
    pub(in crate::client) fn new(steps: impl IntoIterator<Item = Step>) -> Node {
        let node = Node::default();
        node.state.lock().expect("a state").steps = steps.into_iter().collect();
        node
    }

    /// A client of the node with a session.
    pub(in crate::client) fn client(&self) -> Client {
        let endpoint = Endpoint::parse("http://node:8080/zstack").expect("a URL");
        let mut client = Client::new(endpoint, Box::new(self.clone()), Box::new(self.clone()), self.interrupt.clone());
        client.set_credentials(Credentials::Session("5d0c8a4f".into()));
        client
    }

    /// The requests so far; fails if there were more than the script has answers for, or fewer.
    pub(in crate::client) fn seen(&self) -> Vec<Seen> {
        let state = self.state.lock().expect("a state");
        assert!(!state.overrun, "more requests than expected: {:?}", state.seen);
        assert!(state.steps.is_empty(), "not asked: {:?}, asked: {:?}", state.steps, state.seen);
        state.seen.clone()
    }

    /// The requests so far, however many were expected.
    pub(in crate::client) fn seen_so_far(&self) -> Vec<Seen> {
        self.state.lock().expect("a state").seen.clone()
    }

    /// The request lines so far.
    pub(in crate::client) fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }
}

impl Transport for Node {
    fn send(&mut self, request: &WireRequest) -> Result<WireResponse, TransportError> {
        let step = {
            let mut state = self.state.lock().expect("a state");
            let now = state.now;
            state.seen.push(Seen {
                line: format!("{} {}", request.method, request.target.expose()),
                headers: request
                    .headers
                    .iter()
                    .map(|(name, value)| (name.to_ascii_lowercase(), value.expose().to_owned()))
                    .collect(),
                body: request.body.as_ref().map(|body| body.expose().to_owned()),
                at: now,
                whole: request.whole,
            });
            match state.steps.pop_front() {
                Some(step) => step,
                None => {
                    state.overrun = true;
                    return Err(TransportError::Unsendable);
                }
            }
        };
        let response = |status, body: Box<dyn Read + Send>| Ok(WireResponse { status, headers: Vec::new(), body });
        match step {
            Step::Answer(status, body) => response(status, Box::new(Cursor::new(body.into_bytes()))),
            Step::CutBody(body) => response(200, Box::new(Cursor::new(body.into_bytes()).chain(CutOff))),
            Step::Fail(error) => Err(error),
            Step::Silent => {
                self.sleep(request.patience);
                Err(TransportError::Silent { after: request.patience })
            }
            Step::Drip(status, body) => {
                let end = TooSlow { node: self.clone(), whole: request.whole.expect("an answer that has an end") };
                response(status, Box::new(Cursor::new(body.into_bytes()).chain(end)))
            }
            Step::Interrupt(status, body) => {
                self.interrupt.set();
                response(status, Box::new(Cursor::new(body.into_bytes())))
            }
        }
    }

    fn fork(&self) -> Box<dyn Transport> {
        Box::new(self.clone())
    }
}

/// Where the time for an answer ends within its body.
struct TooSlow {
    node: Node,
    whole: Duration,
}

impl Read for TooSlow {
    fn read(&mut self, _buffer: &mut [u8]) -> std::io::Result<usize> {
        self.node.sleep(self.whole);
        Err(TransportError::Slow { after: self.whole }.into())
    }
}

/// The end of a connection in the middle of a body.
struct CutOff;

impl Read for CutOff {
    fn read(&mut self, _buffer: &mut [u8]) -> std::io::Result<usize> {
        Err(TransportError::Cut { reason: "connection reset".to_owned() }.into())
    }
}

impl Clock for Node {
    fn now(&self) -> Duration {
        self.state.lock().expect("a state").now
    }

    fn sleep(&mut self, time: Duration) {
        self.state.lock().expect("a state").now += time;
    }

    fn unix_time(&self) -> Duration {
        Duration::from_secs(1_741_068_607)
    }

    fn fork(&self) -> Box<dyn Clock> {
        Box::new(self.clone())
    }
}

/// `CreateZone`.
pub(in crate::client) fn action() -> Request {
    Request {
        api: "CreateZone",
        method: Method::Post,
        path: vec![PathPart::Fixed("/zones")],
        query: Vec::new(),
        body: Some(Value::Map(vec![("params".into(), Value::Map(vec![("name".into(), Value::text("lab"))]))])),
        needs_session: true,
        effect: Effect::Action,
        is_async: true,
        timeout: None,
    }
}

/// An action that leaves no record.
pub(in crate::client) fn synchronous_action() -> Request {
    Request { is_async: false, ..action() }
}

/// `QueryZone`.
pub(in crate::client) fn query() -> Request {
    Request {
        api: "QueryZone",
        method: Method::Get,
        path: vec![PathPart::Fixed("/zones")],
        query: vec![("q".into(), SecretText::plain("name=a b"))],
        body: None,
        needs_session: true,
        effect: Effect::Query,
        is_async: false,
        timeout: None,
    }
}

/// A log-in.
pub(in crate::client) fn log_in() -> Request {
    let password = Value::Secret(Box::new(Value::text("b109f3")));
    let parameters = vec![("accountName".into(), Value::text("admin")), ("password".into(), password)];
    Request {
        api: "LogInByAccount",
        method: Method::Put,
        path: vec![PathPart::Fixed("/accounts/login")],
        query: Vec::new(),
        body: Some(Value::Map(vec![("logInByAccount".into(), Value::Map(parameters))])),
        needs_session: false,
        effect: Effect::Action,
        is_async: false,
        timeout: None,
    }
}

/// Notes what it is told.
#[derive(Default)]
pub(in crate::client) struct Witness {
    pub(in crate::client) calls: usize,
    pub(in crate::client) percent: Option<u8>,
    pub(in crate::client) done: bool,
    pub(in crate::client) wants_progress: bool,
}

impl Watch for Witness {
    fn waiting(&mut self, state: Waiting<'_>) {
        self.calls += 1;
        self.percent = state.progress.and_then(|progress| progress.percent).or(self.percent);
    }

    fn wants_progress(&self) -> bool {
        self.wants_progress
    }

    fn done(&mut self) {
        self.done = true;
    }
}
