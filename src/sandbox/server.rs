//! The HTTP server of the sandbox.

use std::cell::RefCell;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::thread::JoinHandle;
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::oneshot;
use tokio::task::LocalSet;

use super::answer::Answer;
use super::error::Error;
use super::ledger::new_uuid;
use super::node::{ConnectionFault, Node, ReceivedRequest};
use super::web_hook::{self, WebHook};
use super::wire::{ReplyBody, Wire};

/// The maximum size of a request line with its headers, in bytes (T6).
const MAX_HEAD: usize = 65_536;
/// The maximum size of a body in bytes; no API needs that much.
const MAX_BODY: usize = 64 << 20;
/// How long a connection may be idle (T6).
const IDLE: Duration = Duration::from_secs(120);

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
                let node = Rc::new(RefCell::new(make()));
                let tasks = LocalSet::new();
                tasks.block_on(&runtime, async {
                    tokio::task::spawn_local(accept(listener, Rc::clone(&node)));
                    // An error means that the server was dropped, which stops it as well.
                    let _ = stopped.await;
                });
                drop(tasks);
                node.borrow_mut().close();
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

async fn accept(listener: TcpListener, node: Rc<RefCell<Node>>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Probably out of file descriptors: wait until connections are closed.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let node = Rc::clone(&node);
        tokio::task::spawn_local(async move {
            let service = service_fn(|request| serve(Rc::clone(&node), request));
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
async fn serve(node: Rc<RefCell<Node>>, request: Request<Incoming>) -> Result<Response<ReplyBody>, io::Error> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MAX_BODY).collect().await else {
        return Ok(response(&head.headers, Answer::page(413)));
    };
    let text = |name: header::HeaderName| header_text(&head.headers, name.as_str());
    let received = ReceivedRequest {
        verb: head.method.as_str().to_owned(),
        target: head
            .uri
            .path_and_query()
            .map_or_else(|| head.uri.path().to_owned(), |target| target.as_str().to_owned()),
        host: text(header::HOST),
        authorization: text(header::AUTHORIZATION),
        date: text(header::DATE),
        content_type: text(header::CONTENT_TYPE),
        job_uuid: header_text(&head.headers, "x-job-uuid"),
        api_timeout: header_text(&head.headers, "x-api-timeout"),
        web_hook: header_text(&head.headers, "x-web-hook"),
        wants_schema: head.headers.contains_key("x-json-schema"),
        body: body.to_bytes().to_vec(),
    };
    let outcome = node.borrow_mut().answer(&received);
    let web_hooks = std::mem::take(&mut node.borrow_mut().web_hooks);
    for web_hook in web_hooks {
        tokio::task::spawn_local(tell(Rc::clone(&node), web_hook));
    }
    if let Some(delay) = outcome.delay {
        tokio::time::sleep(delay).await;
    }
    match outcome.trouble {
        None => Ok(response(&head.headers, outcome.answer)),
        Some(ConnectionFault::Cut) => Err(io::ErrorKind::ConnectionAborted.into()),
        Some(ConnectionFault::Truncated) => {
            let mut half = response(&head.headers, outcome.answer.clone());
            *half.body_mut() = ReplyBody::half(outcome.answer.body);
            Ok(half)
        }
    }
}

/// Waits until a job ends and posts its result.
async fn tell(node: Rc<RefCell<Node>>, web_hook: WebHook) {
    tokio::time::sleep(Duration::from_millis(web_hook.after)).await;
    let pause = node.borrow().scaled(web_hook::PAUSE);
    for _ in 0..web_hook::TRIES {
        let result = node.borrow_mut().result_of(&web_hook.job);
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
fn response(request: &HeaderMap, answer: Answer) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::whole(answer.body));
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
