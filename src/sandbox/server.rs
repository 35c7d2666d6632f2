//! The HTTP server of the sandbox.

use std::cell::RefCell;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::{Mutex, oneshot};
use tokio::task::LocalSet;

use super::answer::Answer;
use super::big_change::BigChange;
use super::error::Error;
use super::ledger::new_uuid;
use super::node::{ConnectionFault, Node, Outcome, ReceivedRequest, Reply};
use super::pending_query::Rest;
use super::web_hook::{self, WebHook};
use super::wire::{ReplyBody, Wire};

/// The maximum size of a request line with its headers, in bytes (T6).
const MAX_HEAD: usize = 65_536;
/// The maximum size of a body in bytes; no API needs that much.
const MAX_BODY: usize = 64 << 20;
/// How long a connection may be idle (T6).
const IDLE: Duration = Duration::from_secs(120);

/// How long queries may take to end when the server stops.
const LAST_READS: Duration = Duration::from_millis(200);

/// A served node.
struct Served {
    node: RefCell<Node>,
    /// Held while the cloud is changed. It is handed out in order, so that others get turns between the parts of a big
    /// change.
    turn: Mutex<()>,
}

impl Served {
    /// Answers a request, in its turn if it changes something.
    async fn answer(self: &Rc<Served>, received: &ReceivedRequest) -> Outcome {
        let entry = self.node.borrow_mut().enter(received);
        let turn = if entry.is_change() { Some(self.turn.lock().await) } else { self.turn.try_lock().ok() };
        let mut node = self.node.borrow_mut();
        // Jobs that are due wait for their turn as well.
        let ran = if turn.is_some() { node.run_due_jobs() } else { Ok(()) };
        let outcome = match ran {
            Ok(()) => node.answer(received, &entry),
            Err(failure) => Outcome { reply: Answer::failed(&failure).into(), trouble: None, delay: None },
        };
        let web_hooks = std::mem::take(&mut node.web_hooks);
        let begun = std::mem::take(&mut node.begun);
        drop(node);
        for web_hook in web_hooks {
            tokio::task::spawn_local(tell(Rc::clone(self), web_hook));
        }
        self.carry_out(begun);
        outcome
    }

    /// Carries out big changes in the background.
    fn carry_out(self: &Rc<Served>, changes: Vec<BigChange>) {
        for change in changes {
            tokio::task::spawn_local(carry_out(Rc::clone(self), Arc::new(change)));
        }
    }
}

/// Carries out a big change in parts, each in its turn and in a thread of its own.
async fn carry_out(served: Rc<Served>, change: Arc<BigChange>) {
    let mut is_first = true;
    loop {
        let _turn = served.turn.lock().await;
        let part = tokio::task::spawn_blocking({
            let change = Arc::clone(&change);
            move || change.run_part(is_first)
        });
        let part = part.await;
        // Jobs that became due meanwhile have their turn between two parts.
        let mut node = served.node.borrow_mut();
        let _ = node.run_due_jobs();
        let begun = std::mem::take(&mut node.begun);
        drop(node);
        served.carry_out(begun);
        match part {
            Ok(Ok(false)) => is_first = false,
            Ok(outcome) => {
                // An error of the database is told by later requests too.
                let _ = served.node.borrow_mut().end_change(&change, outcome.map(|_| ()), !is_first);
                return;
            }
            // The server stops; the change is carried on at the next start.
            Err(_) => return,
        }
    }
}

/// A thread that serves a node until it is dropped.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens, and serves the node that `make` builds, in a thread of its own.
    ///
    /// # Errors
    /// `Listen` if listening fails, `Run` if the thread cannot be started.
    pub(super) fn start(address: SocketAddr, make: impl FnOnce() -> Node + Send + 'static) -> Result<Server, Error> {
        let listen = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Run)?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("sandbox".to_owned())
            .spawn(move || {
                let served = Rc::new(Served { node: RefCell::new(make()), turn: Mutex::default() });
                let tasks = LocalSet::new();
                tasks.block_on(&runtime, async {
                    let unfinished = served.node.borrow_mut().unfinished_changes();
                    served.carry_out(unfinished);
                    tokio::task::spawn_local(accept(listener, Rc::clone(&served)));
                    // An error means that the server was dropped, which stops it as well.
                    let _ = stopped.await;
                });
                drop(tasks);
                served.node.borrow_mut().close();
                // A query may be running for a client that has gone.
                runtime.shutdown_timeout(LAST_READS);
            })
            .map_err(Error::Run)?;
        Ok(Server { address, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // Sending fails if the thread has ended already.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, served: Rc<Served>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            // Probably out of file descriptors: wait until connections are closed.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let served = Rc::clone(&served);
        tokio::task::spawn_local(async move {
            let service = service_fn(|request| serve(Rc::clone(&served), request, peer));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(IDLE)
                .max_buf_size(MAX_HEAD)
                .writev(false)
                .serve_connection(TokioIo::new(Wire::new(stream)), service);
            // A broken connection is a matter of the client, or an injected fault.
            let _ = connection.await;
        });
    }
}

/// Handles one request; an error closes the connection.
async fn serve(
    served: Rc<Served>,
    request: Request<Incoming>,
    peer: SocketAddr,
) -> Result<Response<ReplyBody>, io::Error> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MAX_BODY).collect().await else {
        return Ok(response(&head.headers, Answer::page(413), None));
    };
    let text = |name: header::HeaderName| header_text(&head.headers, name.as_str());
    let received = ReceivedRequest {
        verb: head.method.as_str().to_owned(),
        target: head
            .uri
            .path_and_query()
            .map_or_else(|| head.uri.path().to_owned(), |target| target.as_str().to_owned()),
        host: text(header::HOST),
        client: Some(peer.ip().to_string()),
        authorization: text(header::AUTHORIZATION),
        date: text(header::DATE),
        content_type: text(header::CONTENT_TYPE),
        job_uuid: header_text(&head.headers, "x-job-uuid"),
        api_timeout: header_text(&head.headers, "x-api-timeout"),
        web_hook: header_text(&head.headers, "x-web-hook"),
        wants_schema: head.headers.contains_key("x-json-schema"),
        body: body.to_bytes().to_vec(),
    };
    let outcome = served.answer(&received).await;
    if let Some(delay) = outcome.delay {
        tokio::time::sleep(delay).await;
    }
    if outcome.trouble == Some(ConnectionFault::Cut) {
        return Err(io::ErrorKind::ConnectionAborted.into());
    }
    let (answer, rest) = match outcome.reply {
        Reply::Ready(answer) => (answer, None),
        Reply::Query(query) => {
            let store = Arc::clone(&served.node.borrow().store);
            query.run(store).await
        }
        Reply::Read(read) => {
            let store = Arc::clone(&served.node.borrow().store);
            (read.run(store).await, None)
        }
    };
    if outcome.trouble == Some(ConnectionFault::Truncated) {
        let mut half = response(&head.headers, answer.clone(), None);
        *half.body_mut() = ReplyBody::half(answer.body);
        return Ok(half);
    }
    Ok(response(&head.headers, answer, rest))
}

/// Waits until a job ends and posts its result.
async fn tell(served: Rc<Served>, web_hook: WebHook) {
    tokio::time::sleep(Duration::from_millis(web_hook.after)).await;
    let pause = served.node.borrow().scaled(web_hook::PAUSE);
    for _ in 0..web_hook::TRIES {
        let turn = served.turn.lock().await;
        let result = served.node.borrow_mut().result_of(&web_hook.job);
        let begun = std::mem::take(&mut served.node.borrow_mut().begun);
        served.carry_out(begun);
        drop(turn);
        if let Some(answer) = result
            && web_hook.post(&answer).await
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(u64::try_from(pause).unwrap_or_default().max(1))).await;
    }
}

fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// The HTTP response: with a content type only for pages of the container (T4), and a cookie if the client sent none
/// (T5).
fn response(request: &HeaderMap, answer: Answer, rest: Option<Rest>) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::whole(answer.body, rest));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if answer.is_page {
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/html;charset=utf-8"));
    }
    if !request.contains_key(header::COOKIE) {
        let cookie = format!("JSESSIONID={}; Path=/zstack; HttpOnly", new_uuid().to_uppercase());
        if let Ok(cookie) = header::HeaderValue::from_str(&cookie) {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
    }
    response
}
