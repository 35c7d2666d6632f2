//! From a request to a reply.

mod actions;
mod answer;
mod call;
mod caller;
mod clock;

mod curl;
mod endpoint;
mod error;
mod failure;
mod follow;
mod page;
mod pages;
mod progress;
mod reads;
mod session;
mod signing;
#[cfg(test)]
mod tests;
mod tls;
mod trace;
mod transport;
mod wire;

pub use call::{Answer, CallOptions, Job, JobOutcome, JobRecord, Progress, Reply, Unwatched, Waiting, Watch};
pub use caller::{Client, Credentials};
pub use clock::{Clock, Interrupt, SystemClock};
pub use endpoint::{Endpoint, EndpointError};
pub use error::{Class, Error, Oddity, Uncertainty};
pub use failure::{ApiFailure, ErrorCode};
pub use session::{Session, is_log_in, is_log_out};
pub use signing::{AccessKey, NodeZone};
pub use tls::TlsOptions;
pub use transport::{CONNECT_TIMEOUT, ProxyOptions, ReqwestTransport, TransportOptions};
pub use wire::{Shown, Transport, TransportError, WireRequest, WireResponse};
