//! What goes over the wire and comes back, whoever carries it.

use std::io::Read;

use crate::catalog::Method;
use crate::secret::{Secret, Secrets};

/// A request as it is sent: to the endpoint that its transport was made for, and to no other.
#[derive(Clone, Debug)]
pub struct WireRequest {
    /// The verb.
    pub method: Method,
    /// What follows the base URL, percent-encoded: `/v1/zones?q=name%3Dlab`. It may hold secrets.
    pub target: Secret,
    /// Headers in order, names as people write them. `Host` and `Content-Length` are the transport's.
    pub headers: Vec<(&'static str, HeaderText)>,
    /// The body of a POST or PUT, JSON in ASCII.
    pub body: Option<Secret>,
    /// How long the first byte of the answer may take.
    pub patience: std::time::Duration,
    /// How long the whole answer may take, from the moment of sending; nothing for a reply that is used as it comes,
    /// of which each piece has its time.
    pub whole: Option<std::time::Duration>,
    /// Whether the request may go over a connection that was used before. The far end may close such a connection
    /// at the very moment it is used again, and then nobody knows whether the request arrived; so only requests
    /// that can be repeated use one.
    pub reuse_connection: bool,
    /// The request as it may be shown.
    pub shown: Shown,
}

impl WireRequest {
    /// What follows the base URL.
    pub(super) fn target_text(&self, secrets: Secrets) -> &str {
        match secrets {
            Secrets::Shown => self.target.expose(),
            Secrets::Masked => &self.shown.target,
        }
    }

    /// The body, where there is one.
    pub(super) fn body_text(&self, secrets: Secrets) -> Option<&str> {
        match secrets {
            Secrets::Shown => self.body.as_ref().map(Secret::expose),
            Secrets::Masked => self.shown.body.as_deref(),
        }
    }
}

/// The value of a header. `Debug` hides what is secret of it.
#[derive(Clone)]
pub struct HeaderText {
    text: Secret,
    /// With the secret part masked; nothing where no part is secret.
    masked: Option<String>,
}

impl HeaderText {
    /// A value that may be shown.
    pub fn plain(text: impl Into<String>) -> HeaderText {
        HeaderText { text: Secret::new(text), masked: None }
    }

    /// A value with a secret part, and how it is shown.
    pub fn secret(text: String, masked: String) -> HeaderText {
        HeaderText { text: Secret::new(text), masked: Some(masked) }
    }

    /// The value as sent.
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// Whether a part of it must not be shown, stored or logged.
    pub fn is_secret(&self) -> bool {
        self.masked.is_some()
    }

    /// The value, or what may be shown of it.
    pub fn show(&self, secrets: Secrets) -> &str {
        self.masked.as_deref().filter(|_| secrets == Secrets::Masked).unwrap_or(self.expose())
    }
}

impl std::fmt::Debug for HeaderText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self.show(Secrets::Masked), f)
    }
}

/// The parts of a request that may hold secrets, with those masked.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// As [`WireRequest::target`].
    pub target: String,
    /// As [`WireRequest::body`].
    pub body: Option<String>,
}

/// An answer: its body is still on the way.
pub struct WireResponse {
    /// The HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body. Its errors hold a [`TransportError`] (see [`TransportError::of`]).
    pub body: Box<dyn Read + Send>,
}

impl WireResponse {
    /// The first header of that name, given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl std::fmt::Debug for WireResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WireResponse").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Why there is no answer, or not all of one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The host name has no address. Nothing was sent.
    #[error("the host name cannot be resolved: {reason}")]
    Lookup {
        /// What the resolver says.
        reason: String,
    },
    /// Nobody listens there. Nothing was sent.
    #[error("the connection was refused")]
    Refused,
    /// No connection within the time. Nothing was sent.
    #[error("no connection within {} seconds", after.as_secs())]
    ConnectTimeout {
        /// How long was waited.
        after: std::time::Duration,
    },
    /// No connection for another reason: no route, a proxy that refuses. Nothing was sent.
    #[error("no connection: {reason}")]
    Connect {
        /// What the system says.
        reason: String,
    },
    /// No connection through a proxy: to it, or onwards from it. Nothing was sent.
    #[error("{source} (through the proxy {proxy})")]
    Proxy {
        /// The proxy's host and port.
        proxy: String,
        /// What went wrong.
        source: Box<TransportError>,
    },
    /// The encrypted connection was not agreed on. Nothing was sent.
    #[error("TLS failed: {reason}")]
    Tls {
        /// What the TLS library says.
        reason: String,
        /// Whether the certificate is the reason.
        certificate: bool,
    },
    /// TLS cannot be set up here: a certificate file that cannot be read, for one. Nothing was sent.
    #[error("TLS cannot be set up: {reason}")]
    TlsSetup {
        /// What is wrong.
        reason: String,
    },
    /// The connection ended after the request was, perhaps, sent and before the whole answer had come.
    #[error("the connection was cut: {reason}")]
    Cut {
        /// What the system says.
        reason: String,
    },
    /// The node went silent: nothing came for this long.
    #[error("no answer for {} seconds", after.as_secs())]
    Silent {
        /// How long was waited.
        after: std::time::Duration,
    },
    /// The answer comes, but so slowly that nobody waits for its end.
    #[error("no whole answer within {} seconds", after.as_secs())]
    Slow {
        /// How long was waited.
        after: std::time::Duration,
    },
    /// What came is not HTTP.
    #[error("the answer is not HTTP: {reason}")]
    NotHttp {
        /// What the parser says.
        reason: String,
    },
    /// The user stopped waiting.
    #[error("interrupted")]
    Interrupted,
    /// The request cannot be sent as it is: its path would change on the way, or a header holds what no header can.
    /// Nothing was sent.
    #[error("a path or a header of it cannot be sent unchanged")]
    Unsendable,
}

impl TransportError {
    /// Whether it is certain that the node received nothing.
    pub fn nothing_was_sent(&self) -> bool {
        match self {
            TransportError::Lookup { .. }
            | TransportError::Refused
            | TransportError::ConnectTimeout { .. }
            | TransportError::Connect { .. }
            | TransportError::Proxy { .. }
            | TransportError::Tls { .. }
            | TransportError::TlsSetup { .. }
            | TransportError::Unsendable => true,
            TransportError::Cut { .. }
            | TransportError::Silent { .. }
            | TransportError::Slow { .. }
            | TransportError::NotHttp { .. }
            | TransportError::Interrupted => false,
        }
    }

    /// The transport error inside the error of a body's reader; another error counts as a cut connection.
    pub fn of(error: &std::io::Error) -> TransportError {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<TransportError>()) {
            Some(error) => error.clone(),
            None => TransportError::Cut { reason: error.to_string() },
        }
    }
}

impl From<TransportError> for std::io::Error {
    fn from(error: TransportError) -> std::io::Error {
        std::io::Error::other(error)
    }
}

/// Carries requests to one management node.
pub trait Transport: Send {
    /// Sends a request once and returns when the head of the answer is there.
    ///
    /// A transport never repeats a request on its own, never follows a redirect, and never sends to another
    /// host than its own.
    ///
    /// # Errors
    /// See [`TransportError`]: whether the node may have received the request is what its variants tell apart.
    fn send(&mut self, request: &WireRequest) -> Result<WireResponse, TransportError>;

    /// Another transport to the same node, for use by another thread. It may share connections with this one.
    fn fork(&self) -> Box<dyn Transport>;
}
