//! The sandbox: an embedded management node that serves the REST protocol on loopback.
//!
//! It is a node for users without a ZStack, and the server of the program's own tests. It behaves as doc/protocol.md
//! describes, including the quirks of a node. APIs that it does not simulate fail with `SANDBOX.1000` and change
//! nothing.
//!
//! It shares no code with the program's planner, client or shell, so that each checks the other; it uses only the
//! catalog and the JSON values, and is reached over a socket like any node.

mod access_keys;
mod answer;
mod arguments;
mod big_change;
mod calls;
mod change;
mod checks;
mod clock;
mod dispatch;
mod durations;
mod error;
mod faults;
mod formats;
mod jobs;
mod ledger;
mod login;
mod long_jobs;
mod node;
mod offer;
mod options;
mod pending_query;
mod reads;
mod reply_schema;
mod running;
mod server;
mod sessions;
mod states;
pub mod store;
mod target;
#[cfg(test)]
mod tests;
mod web_hook;
mod wire;

pub use error::Error;
pub use faults::{Fault, FaultError, FaultKind};
pub use offer::{Edition, EditionError, Version, VersionError};
pub use options::{Database, Options};
pub use running::{Running, path, reset, seed, serve, start};
pub use states::{State, changes, clone, copy, exists, is_state_name, load, save, state_path, states};
pub use store::{Change, Changes, Import, Member, What};
