//! What the program finds around it: the process environment, contexts, stored credentials.
//!
//! [`Environment`] is made once, in `main`; nothing below asks the process again, so that a test builds its own.
//! `config.toml` holds [`Contexts`]: addresses and preferences, never a secret. Sessions and access keys lie apart,
//! in files that only their owner reads or in the system's keyring ([`Credentials`]).
//!
//! This module knows no API and no HTTP.

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
pub use setting::{ColorChoice, ConfirmWish, ErrorFormat, Keeper, PROMPT_COLORS, Preferences, Setting};
