//! The HTTP/1.1 transport, which uses reqwest and a single-threaded runtime.

use std::error::Error as _;
use std::future::Future;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{NoProxy, Proxy, Url};

use super::endpoint::Endpoint;
use super::tls::{self, TlsOptions};
use super::wire::{Lane, Transport, TransportError, WireRequest, WireResponse};
use crate::catalog::Method;
use crate::interrupt::Interrupt;
use crate::secret::Secret;

/// The time-out for establishing a connection (T8).
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the body of an answer may stay silent.
const BODY_TIMEOUT: Duration = Duration::from_secs(120);

/// How long an idle connection is kept: much shorter than the 120 s of a node (T6), so that a connection is rarely
/// reused while the node closes it.
const KEEP_UNUSED: Duration = Duration::from_secs(15);

/// How many idle connections are kept: as many as requests of one query are sent at once, unless the user wants more.
const KEPT: usize = 4;

/// How often a flag is checked.
const TICK: Duration = Duration::from_millis(40);

/// The proxies of the environment: `http_proxy`, `https_proxy`, `no_proxy`.
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
    /// Which certificates to trust.
    pub tls: TlsOptions,
    /// Which proxies to use.
    pub proxies: ProxyOptions,
    /// Set when the user presses Ctrl-C.
    pub interrupt: Interrupt,
}

/// Sends requests with reqwest. Its automatic features are disabled: redirects, retries, proxies of the environment,
/// referers.
pub struct ReqwestTransport {
    shared: Arc<Shared>,
    /// The connection of the current action, with the uuid of its job.
    lane: Option<(String, reqwest::Client)>,
}

struct Shared {
    runtime: tokio::runtime::Runtime,
    endpoint: Endpoint,
    options: TransportOptions,
    /// The TLS configuration of all clients, created with the first one.
    tls: Mutex<Option<rustls::ClientConfig>>,
    /// The client for all requests that do not belong to an action; created on first use.
    client: Mutex<Option<reqwest::Client>>,
}

impl ReqwestTransport {
    /// A transport to one node. Nothing is connected yet.
    ///
    /// # Errors
    /// When the runtime cannot be created.
    pub fn new(endpoint: Endpoint, options: TransportOptions) -> Result<ReqwestTransport, TransportError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(|error| TransportError::Connect { reason: error.to_string() })?;
        let shared = Shared { runtime, endpoint, options, tls: Mutex::default(), client: Mutex::default() };
        Ok(ReqwestTransport { shared: Arc::new(shared), lane: None })
    }
}

impl Shared {
    /// The client for all requests that do not belong to an action.
    fn client(&self) -> Result<reqwest::Client, TransportError> {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*client {
            return Ok(client.clone());
        }
        Ok(client.insert(self.new_client()?).clone())
    }

    /// A client without a connection, which keeps those that it opens.
    fn new_client(&self) -> Result<reqwest::Client, TransportError> {
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(self.tls()?)
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(KEEP_UNUSED)
            .pool_max_idle_per_host(KEPT);
        if let Some(proxy) = self.proxy()? {
            builder = builder.proxy(proxy);
        }
        if self.endpoint.host() == "localhost" {
            // A node may listen on either address, and the hosts file may contain only one of them.
            let both = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
            builder = builder.resolve_to_addrs("localhost", &both.map(|address| SocketAddr::from((address, 0))));
        }
        builder.build().map_err(|error| TransportError::Connect { reason: reason(&error) })
    }

    /// The TLS configuration. Its copies share the session tickets.
    fn tls(&self) -> Result<rustls::ClientConfig, TransportError> {
        let mut tls = self.tls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tls) = &*tls {
            return Ok(tls.clone());
        }
        let made = if self.endpoint.is_https() { tls::client_config(&self.options.tls)? } else { tls::unused()? };
        Ok(tls.insert(made).clone())
    }

    fn proxy(&self) -> Result<Option<Proxy>, TransportError> {
        let Some(full) = self.proxy_url() else { return Ok(None) };
        let make = if self.endpoint.is_https() { Proxy::https } else { Proxy::http };
        let proxy: Proxy = make(full.expose()).map_err(|_| TransportError::Connect {
            reason: format!("`{}` is not a proxy URL", crate::secret::mask_url(full.expose())),
        })?;
        Ok(Some(proxy.no_proxy(NoProxy::from_string(&self.exceptions()))))
    }

    /// The proxy for the endpoint's scheme, whether or not the endpoint is an exception.
    fn proxy_url(&self) -> Option<Secret> {
        let proxies = &self.options.proxies;
        let url = if self.endpoint.is_https() { &proxies.https } else { &proxies.http };
        // A proxy cannot reach a loopback address of this machine.
        let url = url.as_ref().filter(|url| !url.is_empty() && !self.endpoint.is_loopback())?;
        // `proxy:3128` is as good as `http://proxy:3128`.
        let is_whole = url.expose().contains("://");
        Some(if is_whole { url.clone() } else { Secret::new(format!("http://{}", url.expose())) })
    }

    /// The hosts that are reached directly, without ports. Entries for other ports than the endpoint's are left out.
    fn exceptions(&self) -> String {
        let own = self.endpoint.port_in_use();
        let without_port = |exception: &str| {
            let exception = exception.trim();
            // Without brackets, the last colon is part of an IPv6 address.
            let is_bare = exception.parse::<std::net::Ipv6Addr>().is_ok();
            let port = exception.rsplit_once(':').filter(|_| !is_bare);
            match port.and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?))) {
                Some((host, port)) => (port == own).then(|| host.trim_matches(['[', ']']).to_owned()),
                None => Some(exception.trim_matches(['[', ']']).to_owned()),
            }
        };
        let exceptions = self.options.proxies.exceptions.as_deref().unwrap_or_default();
        exceptions.split(',').filter_map(without_port).collect::<Vec<_>>().join(",")
    }

    /// Host and port of the proxy in use, by the rules of reqwest.
    fn proxy_in_use(&self) -> Option<String> {
        let url = self.proxy_url()?;
        let matcher = Matcher::builder().all(url.expose().to_owned()).no(self.exceptions()).build();
        let found = matcher.intercept(&self.endpoint.base().parse().ok()?)?;
        let host = found.uri().host()?;
        Some(found.uri().port_u16().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
    }

    /// The transport error for an error of reqwest, with the proxy if one is used.
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

    /// Runs a future until it completes, times out or the user interrupts.
    fn wait<T>(
        &self,
        limit: Duration,
        silent: &mut dyn FnMut(Duration),
        future: impl Future<Output = T>,
    ) -> Result<T, TransportError> {
        self.runtime.block_on(async {
            let mut future = std::pin::pin!(future);
            let started = tokio::time::Instant::now();
            // A time-out beyond the clock's range is none.
            let deadline = tokio::time::Instant::now().checked_add(limit);
            loop {
                // Interruptions are checked for before anything is sent, too.
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
                silent(started.elapsed());
            }
        })
    }

    /// The URL. It is an error if the URL parser changes it: it resolves `..` segments, also as `%2E%2E`.
    fn url(&self, target: &str) -> Result<Url, TransportError> {
        let text = format!("{}{target}", self.endpoint.base());
        let url = Url::parse(&text).map_err(|_| TransportError::Unsendable)?;
        if url.as_str() == text { Ok(url) } else { Err(TransportError::Unsendable) }
    }
}

impl ReqwestTransport {
    /// The client whose connection a request uses.
    fn client_for(&mut self, lane: Option<&Lane>) -> Result<reqwest::Client, TransportError> {
        let Some(lane) = lane else { return self.shared.client() };
        match &self.lane {
            Some((of, client)) if !lane.is_new && *of == lane.of => Ok(client.clone()),
            _ => Ok(self.lane.insert((lane.of.clone(), self.shared.new_client()?)).1.clone()),
        }
    }
}

impl Transport for ReqwestTransport {
    fn send(
        &mut self,
        request: &WireRequest,
        silent: &mut dyn FnMut(Duration),
    ) -> Result<WireResponse, TransportError> {
        let url = self.shared.url(request.target.expose())?;
        let mut headers = HeaderMap::with_capacity(request.headers.len());
        for (name, value) in &request.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| TransportError::Unsendable)?;
            let mut text = HeaderValue::from_str(value.expose()).map_err(|_| TransportError::Unsendable)?;
            text.set_sensitive(value.is_secret());
            headers.append(name, text);
        }
        let client = self.client_for(request.lane.as_ref())?;
        let mut builder = client.request(method(request.method), url).headers(headers);
        if let Some(body) = &request.body {
            builder = builder.body(body.expose().to_owned());
        }
        let sent = Instant::now();
        let patience = request.whole.map_or(request.patience, |whole| whole.min(request.patience));
        let response = self
            .shared
            .wait(patience, silent, async {
                look_at_connections().await;
                builder.send().await
            })?
            .map_err(|error| self.shared.classify(&error))?;
        // Only results are streamed.
        let whole =
            request.whole.or((response.status() != reqwest::StatusCode::OK).then(|| sent.elapsed() + BODY_TIMEOUT));
        // A deadline beyond the clock's range is none.
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
        Box::new(ReqwestTransport { shared: Arc::clone(&self.shared), lane: None })
    }
}

/// Lets kept connections process what arrived: a connection with unexpected data, or one that was closed, is not
/// reused. Nothing runs between two requests that would notice this. The first yield delivers the events to the
/// connections, and the second lets them react.
async fn look_at_connections() {
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
}

/// The body of an answer, which is streamed.
struct Body {
    shared: Arc<Shared>,
    response: reqwest::Response,
    chunk: Chunk,
    /// The deadline for the whole body.
    end: Option<End>,
}

/// The deadline for an answer.
#[derive(Clone, Copy)]
struct End {
    at: Instant,
    /// The time-out, from the moment of sending.
    after: Duration,
}

impl Body {
    /// The next bytes; `None` after the last.
    fn next(&mut self) -> Result<Option<impl AsRef<[u8]> + Into<Vec<u8>> + use<>>, TransportError> {
        let left = self.end.map(|end| (end.at.saturating_duration_since(Instant::now()), end.after));
        let next = match left {
            // Bytes that have arrived already would be read without checking the time.
            Some((left, after)) if left.is_zero() => return Err(TransportError::Slow { after }),
            Some((left, after)) if left < BODY_TIMEOUT => {
                self.shared.wait(left, &mut |_| {}, self.response.chunk()).map_err(|error| match error {
                    TransportError::Silent { .. } => TransportError::Slow { after },
                    other => other,
                })?
            }
            _ => self.shared.wait(BODY_TIMEOUT, &mut |_| {}, self.response.chunk())?,
        };
        next.map_err(|error| classify(&error))
    }
}

/// Bytes that were received but not read yet.
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

/// The transport error for an error of reqwest.
fn classify(error: &reqwest::Error) -> TransportError {
    if error.is_dns() {
        return TransportError::Lookup { reason: reason(error) };
    }
    if let Some(tls) = find::<rustls::Error>(error) {
        let certificate = matches!(tls, rustls::Error::InvalidCertificate(_));
        // A handshake fails before the request is sent; later TLS errors are cut connections.
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

/// The text of the innermost error: the outer ones repeat the URL or are generic.
fn reason(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
