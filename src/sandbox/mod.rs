//! The sandbox: an embedded management node that speaks the REST protocol over loopback.
//!
//! Whoever has no ZStack at hand gets a node from the same binary, and the program's own tests get their
//! server. It answers as doc/protocol.md says a node does, misreadings and traps included. What it does not simulate
//! fails with `SANDBOX.1000` and changes nothing.
//!
//! It shares no code with the program's planner, client or shell, so that the two check each other; it uses
//! the catalog and the JSON values only, and they meet it over a socket like any node.

mod access_keys;
mod answer;
mod arguments;
mod calls;
mod change;
mod checks;
mod clock;
mod dispatch;
mod durations;
mod error;
mod faults;
mod jobs;
mod ledger;
mod login;
mod long_jobs;
mod node;
mod options;
mod reads;
mod running;
mod server;
mod sessions;
pub mod store;
mod target;
#[cfg(test)]
mod tests;
mod wire;

pub use error::Error;
pub use faults::{Fault, FaultError, FaultKind};
pub use options::{Database, Options};
pub use running::{Running, path, reset, seed, serve, start};
