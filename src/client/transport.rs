//! Requests over HTTP/1.1, on reqwest and a runtime of one thread.

use std::error::Error as _;
use std::future::Future;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{NoProxy, Proxy, Url};

use super::endpoint::Endpoint;
use super::tls::{self, TlsOptions};
use super::wire::{Transport, TransportError, WireRequest, WireResponse};
use crate::catalog::Method;
use crate::interrupt::Interrupt;
use crate::secret::Secret;

/// How long a connection may take to come about (T8).
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the body of an answer may stay silent.
const BODY_TIMEOUT: Duration = Duration::from_secs(120);

/// How long an unused connection is kept: much shorter than the 120 s of a node (T6), so that a connection is
/// hardly ever used again while the node closes it.
const KEEP_UNUSED: Duration = Duration::from_secs(15);

/// How often a wish to stop is looked for.
const TICK: Duration = Duration::from_millis(40);

/// Which proxies to go through, as the environment's values say: `http_proxy`, `https_proxy`, `no_proxy`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxyOptions {
    /// The proxy's URL for plain http.
    pub http: Option<Secret>,
    /// The proxy's URL for https.
    pub https: Option<Secret>,
    /// Hosts that are reached directly, separated by commas.
    pub exceptions: Option<String>,
}

/// How to reach a node.
#[derive(Clone, Debug, Default)]
pub struct TransportOptions {
    /// Whom to trust over https.
    pub tls: TlsOptions,
    /// Which proxies to go through.
    pub proxies: ProxyOptions,
    /// Set when the user presses Ctrl-C.
    pub interrupt: Interrupt,
}

/// Sends with reqwest. Everything that reqwest might do on its own is off: redirects, repeats, proxies of the
/// environment, referers.
pub struct ReqwestTransport {
    shared: Arc<Shared>,
}

struct Shared {
    runtime: tokio::runtime::Runtime,
    endpoint: Endpoint,
    options: TransportOptions,
    /// With connections that are kept, and without; each is made when first needed.
    clients: Mutex<[Option<reqwest::Client>; 2]>,
}

impl ReqwestTransport {
    /// A transport to one node. Nothing is connected yet.
    ///
    /// # Errors
    /// When the system gives no event queue to wait on.
    pub fn new(endpoint: Endpoint, options: TransportOptions) -> Result<ReqwestTransport, TransportError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(|error| TransportError::Connect { reason: error.to_string() })?;
        let shared = Shared { runtime, endpoint, options, clients: Mutex::new([None, None]) };
        Ok(ReqwestTransport { shared: Arc::new(shared) })
    }
}

impl Shared {
    fn client(&self, reuse: bool) -> Result<reqwest::Client, TransportError> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = &mut clients[usize::from(reuse)];
        if let Some(client) = slot {
            return Ok(client.clone());
        }
        let tls = if self.endpoint.is_https() { tls::client_config(&self.options.tls)? } else { tls::unused()? };
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(KEEP_UNUSED)
            .pool_max_idle_per_host(usize::from(reuse));
        if let Some(proxy) = self.proxy()? {
            builder = builder.proxy(proxy);
        }
        let client = builder.build().map_err(|error| TransportError::Connect { reason: reason(&error) })?;
        Ok(slot.insert(client).clone())
    }

    fn proxy(&self) -> Result<Option<Proxy>, TransportError> {
        let Some(full) = self.proxy_url() else { return Ok(None) };
        let make = if self.endpoint.is_https() { Proxy::https } else { Proxy::http };
        let proxy: Proxy = make(full.expose()).map_err(|_| TransportError::Connect {
            reason: format!("`{}` is no proxy URL", crate::secret::mask_url(full.expose())),
        })?;
        Ok(Some(proxy.no_proxy(self.options.proxies.exceptions.as_deref().and_then(NoProxy::from_string))))
    }

    /// The proxy for the endpoint's scheme, whether or not the endpoint is an exception.
    fn proxy_url(&self) -> Option<Secret> {
        let proxies = &self.options.proxies;
        let url = if self.endpoint.is_https() { &proxies.https } else { &proxies.http };
        // What listens on this machine only cannot be reached from a proxy.
        let url = url.as_ref().filter(|url| !url.is_empty() && !self.endpoint.is_loopback())?;
        // `proxy:3128` is as good as `http://proxy:3128`.
        let is_whole = url.expose().contains("://");
        Some(if is_whole { url.clone() } else { Secret::new(format!("http://{}", url.expose())) })
    }

    /// Host and port of the proxy that requests go through, by the same rules as reqwest's.
    fn proxy_in_use(&self) -> Option<String> {
        let url = self.proxy_url()?;
        let exceptions = self.options.proxies.exceptions.clone().unwrap_or_default();
        let matcher = Matcher::builder().all(url.expose().to_owned()).no(exceptions).build();
        let found = matcher.intercept(&self.endpoint.base().parse().ok()?)?;
        let host = found.uri().host()?;
        Some(found.uri().port_u16().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
    }

    /// What an error means for the request, with the proxy where one stands between.
    fn classify(&self, error: &reqwest::Error) -> TransportError {
        let error = classify(error);
        let connecting = matches!(
            error,
            TransportError::Lookup { .. }
                | TransportError::Refused
                | TransportError::ConnectTimeout { .. }
                | TransportError::Connect { .. }
        );
        match self.proxy_in_use().filter(|_| connecting) {
            Some(proxy) => TransportError::Proxy { proxy, source: Box::new(error) },
            None => error,
        }
    }

    /// Runs a future to its end, its time-out or the user's interruption.
    fn wait<T>(&self, limit: Duration, future: impl Future<Output = T>) -> Result<T, TransportError> {
        self.runtime.block_on(async {
            tokio::pin!(future);
            // One that no clock reaches is none.
            let deadline = tokio::time::Instant::now().checked_add(limit);
            loop {
                // Whether to stop is asked before anything is sent, too.
                if self.options.interrupt.is_set() {
                    return Err(TransportError::Interrupted);
                }
                let tick = tokio::time::Instant::now() + TICK;
                let tick = deadline.map_or(tick, |deadline| deadline.min(tick));
                if let Ok(done) = tokio::time::timeout_at(tick, &mut future).await {
                    return Ok(done);
                }
                if deadline.is_some_and(|deadline| tokio::time::Instant::now() >= deadline) {
                    return Err(TransportError::Silent { after: limit });
                }
            }
        })
    }

    /// The URL, refused where the URL parser would send something else than what was meant: it resolves `..`
    /// segments, also as `%2E%2E`.
    fn url(&self, target: &str) -> Result<Url, TransportError> {
        let text = format!("{}{target}", self.endpoint.base());
        let url = Url::parse(&text).map_err(|_| TransportError::Unsendable)?;
        if url.as_str() == text { Ok(url) } else { Err(TransportError::Unsendable) }
    }
}

impl Transport for ReqwestTransport {
    fn send(&mut self, request: &WireRequest) -> Result<WireResponse, TransportError> {
        let url = self.shared.url(request.target.expose())?;
        let mut headers = HeaderMap::with_capacity(request.headers.len());
        for (name, value) in &request.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| TransportError::Unsendable)?;
            let mut text = HeaderValue::from_str(value.expose()).map_err(|_| TransportError::Unsendable)?;
            text.set_sensitive(value.is_secret());
            headers.append(name, text);
        }
        let client = self.shared.client(request.reuse_connection)?;
        let mut builder = client.request(method(request.method), url).headers(headers);
        if let Some(body) = &request.body {
            builder = builder.body(body.expose().to_owned());
        }
        let sent = Instant::now();
        let patience = request.whole.map_or(request.patience, |whole| whole.min(request.patience));
        let response = self.shared.wait(patience, builder.send())?.map_err(|error| self.shared.classify(&error))?;
        // What is no result is not used as it comes.
        let whole =
            request.whole.or((response.status() != reqwest::StatusCode::OK).then(|| sent.elapsed() + BODY_TIMEOUT));
        // An end that no clock reaches is none.
        let end = whole.and_then(|whole| sent.checked_add(whole).map(|at| End { at, after: whole }));
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        Ok(WireResponse {
            status: response.status().as_u16(),
            headers,
            body: Box::new(Body { shared: Arc::clone(&self.shared), response, chunk: Default::default(), end }),
        })
    }

    fn fork(&self) -> Box<dyn Transport> {
        Box::new(ReqwestTransport { shared: Arc::clone(&self.shared) })
    }
}

/// The body of an answer, read as it comes.
struct Body {
    shared: Arc<Shared>,
    response: reqwest::Response,
    chunk: Chunk,
    /// Until when all of it has to be there.
    end: Option<End>,
}

/// The end of the time for an answer.
#[derive(Clone, Copy)]
struct End {
    at: Instant,
    /// How long that is from the moment of sending.
    after: Duration,
}

impl Body {
    /// The next bytes; `None` behind the last.
    fn next(&mut self) -> Result<Option<impl AsRef<[u8]> + Into<Vec<u8>> + use<>>, TransportError> {
        let left = self.end.map(|end| (end.at.saturating_duration_since(Instant::now()), end.after));
        let next = match left {
            // Bytes that are there already would be taken without a look at the time.
            Some((left, after)) if left.is_zero() => return Err(TransportError::Slow { after }),
            Some((left, after)) if left < BODY_TIMEOUT => {
                self.shared.wait(left, self.response.chunk()).map_err(|error| match error {
                    TransportError::Silent { .. } => TransportError::Slow { after },
                    other => other,
                })?
            }
            _ => self.shared.wait(BODY_TIMEOUT, self.response.chunk())?,
        };
        next.map_err(|error| classify(&error))
    }
}

/// Bytes that came and were not read yet.
#[derive(Default)]
struct Chunk {
    bytes: Vec<u8>,
    read: usize,
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.chunk.read == self.chunk.bytes.len() {
            match self.next()? {
                None => return Ok(0),
                Some(bytes) if bytes.as_ref().len() <= buffer.len() => {
                    let bytes = bytes.as_ref();
                    buffer[..bytes.len()].copy_from_slice(bytes);
                    if !bytes.is_empty() {
                        return Ok(bytes.len());
                    }
                }
                Some(bytes) => self.chunk = Chunk { bytes: bytes.into(), read: 0 },
            }
        }
        let rest = &self.chunk.bytes[self.chunk.read..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.chunk.read += count;
        Ok(count)
    }
}

fn method(method: Method) -> reqwest::Method {
    match method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Delete => reqwest::Method::DELETE,
    }
}

/// What an error of reqwest means for the request.
fn classify(error: &reqwest::Error) -> TransportError {
    if error.is_dns() {
        return TransportError::Lookup { reason: reason(error) };
    }
    if let Some(tls) = find::<rustls::Error>(error) {
        let certificate = matches!(tls, rustls::Error::InvalidCertificate(_));
        // A handshake fails before anything of the request is sent; later, TLS errors are cuts.
        return if error.is_connect() {
            TransportError::Tls { reason: tls.to_string(), certificate }
        } else {
            TransportError::Cut { reason: tls.to_string() }
        };
    }
    if error.is_connect() {
        if error.is_timeout() {
            return TransportError::ConnectTimeout { after: CONNECT_TIMEOUT };
        }
        return match find::<std::io::Error>(error).map(std::io::Error::kind) {
            Some(std::io::ErrorKind::ConnectionRefused) => TransportError::Refused,
            Some(std::io::ErrorKind::TimedOut) => TransportError::ConnectTimeout { after: CONNECT_TIMEOUT },
            _ => TransportError::Connect { reason: reason(error) },
        };
    }
    if error.is_builder() {
        return TransportError::Unsendable;
    }
    match find::<hyper::Error>(error) {
        Some(hyper) if hyper.is_parse() => TransportError::NotHttp { reason: hyper.to_string() },
        _ => TransportError::Cut { reason: reason(error) },
    }
}

/// The first error of that type in the chain of causes, also inside I/O errors.
fn find<E: std::error::Error + 'static>(error: &reqwest::Error) -> Option<&E> {
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref::<E>() {
            return Some(found);
        }
        let inner = cause.downcast_ref::<std::io::Error>().and_then(|error| error.get_ref());
        if let Some(found) = inner.and_then(|inner| inner.downcast_ref::<E>()) {
            return Some(found);
        }
        next = match inner {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    None
}

/// The innermost text of an error: the outer ones repeat the URL or say nothing.
fn reason(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
