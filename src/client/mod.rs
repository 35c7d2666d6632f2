//! From a planned request to a reply, over a connection that may fail at any moment.
//!
//! A [`Client`] makes calls ([`Client::execute`]) and runs queries over all their pages ([`Client::query`]) against one
//! [`Endpoint`]. It guarantees two things: no action is lost or repeated (each has a job uuid to look for it), and
//! credentials go to no other host. It uses a [`Clock`], a [`Transport`] and a [`JobRecord`], which tests replace; it
//! does not know about commands, formats, files or terminals.
//!
//! A reply is read in pieces while it arrives. A failed API is an [`Answer`], not an [`Error`]: an error means that
//! there is no usable answer, and its [`Class`] says what that means for the caller.
//!
//! Source: doc/protocol.md, from "Transport" to "Errors"; comments refer to its rules by their codes (`J6`).

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
mod groups;
mod long_jobs;
mod offers;
mod outgoing;
mod page;
mod pages;
mod progress;
mod ranges;
mod reads;
mod restarts;
mod session;
mod signing;
#[cfg(test)]
mod tests;
mod tls;
mod totals;
mod trace;
mod transport;
mod wire;

pub use call::{Answer, CallOptions, Job, JobOutcome, JobRecord, JobUuid, Progress, Reply, Unwatched, Waiting, Watch};
pub use caller::{Client, Credentials};
pub use clock::{Clock, SystemClock};
pub use endpoint::{Endpoint, EndpointError};
pub use error::{Class, Error, Oddity, Uncertainty};
pub use failure::{ApiFailure, ErrorCode, FailedPart, Parts};
pub use long_jobs::{JobState, LongJob};
pub use session::{Session, SessionStore, is_log_in, is_log_out};
pub use signing::{AccessKey, NodeZone};
pub use tls::TlsOptions;
pub use transport::{ProxyOptions, ReqwestTransport, TransportOptions};
pub use wire::{HeaderText, Lane, Shown, Transport, TransportError, WireRequest, WireResponse};
