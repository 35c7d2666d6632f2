//! The process environment, contexts and stored credentials.
//!
//! `main` creates the [`Environment`] once, and other code does not query the process, so that tests can use their own.
//! `config.toml` contains the [`Contexts`]: addresses and preferences, but no secrets. Sessions and access keys are in
//! private files or in the system's keyring ([`Credentials`]).
//!
//! This module does not know about APIs or HTTP.

mod contexts;
mod credentials;
mod environment;
mod error;
mod files;
mod keyring;
mod node;
mod origin;
mod setting;

pub use contexts::{Context, Contexts};
pub use credentials::{Credentials, Entry, Login, Owner, Who, node_name};
pub use environment::{Environment, Folders, VARIABLES, Variables, program};
pub use error::Error;
pub use files::{append_line, lock_folder, read_private, write_private};
pub use node::{Address, ChosenNode, NodeChoice, choose_node};
pub use origin::{Origin, Sourced};
pub use setting::{ColorChoice, Confirm, ErrorFormat, Keeper, PROMPT_COLORS, Preferences, Setting};
