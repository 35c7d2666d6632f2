//! The program's own commands, one file each. Each is a function of what it needs and of the writer that it
//! prints to.

pub(crate) mod capacity;
pub(crate) mod catalog;
pub mod completions;
pub(crate) mod context;
pub mod help;
pub mod history;
pub(crate) mod job;
pub(crate) mod login;
pub(crate) mod man;
pub mod more;
pub(crate) mod sandbox;
