//! HTTP requests and answers, and the trait of transports.

use std::io::Read;

use crate::catalog::Method;
use crate::secret::{Secret, Secrets};

/// An HTTP request to the endpoint of its transport.
#[derive(Clone, Debug)]
pub struct WireRequest {
    /// The method.
    pub method: Method,
    /// Path and query after the base URL, percent-encoded: `/v1/zones?q=name%3Dlab`. They may contain secrets.
    pub target: Secret,
    /// Headers in order. The transport adds `Host` and `Content-Length`.
    pub headers: Vec<(&'static str, HeaderText)>,
    /// The body of a POST or PUT, JSON in ASCII.
    pub body: Option<Secret>,
    /// How long the first byte of the answer may take.
    pub patience: std::time::Duration,
    /// The time-out for the whole answer, from the moment of sending; `None` for a streamed reply, whose pieces have
    /// time-outs of their own.
    pub whole: Option<std::time::Duration>,
    /// The connection of an action, if the request belongs to one; else the shared connection.
    pub lane: Option<Lane>,
    /// The parts of the request with secrets masked.
    pub shown: Shown,
}

/// A connection for one action and the polls of its job.
///
/// A node may close a connection just when it is reused, and then it is not known whether the request arrived. And a
/// late copy of an earlier answer would be taken for the answer to the next request. So an action uses a new
/// connection, and all later requests over it are about the same job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// The uuid of the job.
    pub of: String,
    /// Whether the connection must be new.
    pub is_new: bool,
}

impl WireRequest {
    /// Path and query after the base URL.
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

/// The value of a header. `Debug` hides its secret part.
#[derive(Clone)]
pub struct HeaderText {
    text: Secret,
    /// The value with the secret part masked; `None` if nothing is secret.
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

    /// The value, masked unless secrets are shown.
    pub fn show(&self, secrets: Secrets) -> &str {
        self.masked.as_deref().filter(|_| secrets == Secrets::Masked).unwrap_or(self.expose())
    }
}

impl std::fmt::Debug for HeaderText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self.show(Secrets::Masked), f)
    }
}

/// The parts of a request that may contain secrets, masked.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// As [`WireRequest::target`].
    pub target: String,
    /// As [`WireRequest::body`].
    pub body: Option<String>,
}

/// An answer whose body has not been read yet.
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

/// Why there is no complete answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The host name has no address. Nothing was sent.
    #[error("the host name cannot be resolved: {reason}")]
    Lookup {
        /// What the resolver says.
        reason: String,
    },
    /// The connection was refused. Nothing was sent.
    #[error("the connection was refused")]
    Refused,
    /// The connection timed out. Nothing was sent.
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
    /// No connection through a proxy: either to it or from it to the node. Nothing was sent.
    #[error("{source} (through the proxy {proxy})")]
    Proxy {
        /// The proxy's host and port.
        proxy: String,
        /// What went wrong.
        source: Box<TransportError>,
    },
    /// The TLS handshake failed. Nothing was sent.
    #[error("TLS failed: {reason}")]
    Tls {
        /// What the TLS library says.
        reason: String,
        /// Whether the certificate is the reason.
        certificate: bool,
    },
    /// TLS cannot be set up, for example because a certificate file cannot be read. Nothing was sent.
    #[error("TLS cannot be set up: {reason}")]
    TlsSetup {
        /// What is wrong.
        reason: String,
    },
    /// The connection ended before the whole answer came. The request may have been sent.
    #[error("the connection was cut: {reason}")]
    Cut {
        /// What the system says.
        reason: String,
    },
    /// The node sent nothing for this long.
    #[error("no answer for {} seconds", after.as_secs())]
    Silent {
        /// How long was waited.
        after: std::time::Duration,
    },
    /// The answer was not complete within the time-out.
    #[error("no whole answer within {} seconds", after.as_secs())]
    Slow {
        /// How long was waited.
        after: std::time::Duration,
    },
    /// The answer is not HTTP.
    #[error("the answer is not HTTP: {reason}")]
    NotHttp {
        /// What the parser says.
        reason: String,
    },
    /// The answer is complete but invalid.
    #[error("{flaw}")]
    Flawed {
        /// What is wrong with it.
        flaw: String,
    },
    /// The user stopped waiting.
    #[error("interrupted")]
    Interrupted,
    /// The request cannot be sent unchanged: its path would be normalized, or a header contains invalid characters.
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
            | TransportError::Flawed { .. }
            | TransportError::Interrupted => false,
        }
    }

    /// The transport error inside an error of a body's reader; other errors count as a cut connection.
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

/// Sends requests to one management node.
pub trait Transport: Send {
    /// Sends a request once and returns when the head of the answer was received. Until then `silent` is called
    /// repeatedly with the time since the request was sent.
    ///
    /// A transport never repeats a request on its own, never follows a redirect, and never sends to another
    /// host than its own.
    ///
    /// # Errors
    /// See [`TransportError`]: its variants distinguish whether the node may have received the request.
    fn send(
        &mut self,
        request: &WireRequest,
        silent: &mut dyn FnMut(std::time::Duration),
    ) -> Result<WireResponse, TransportError>;

    /// Another transport to the same node, for use by another thread. It may share connections with this one.
    fn fork(&self) -> Box<dyn Transport>;
}
