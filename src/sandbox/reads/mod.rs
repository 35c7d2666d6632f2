//! Reads that are not queries (section 13 and others).

pub(super) mod candidates;
pub(super) mod capacity;
mod node;
pub(super) mod settings;

pub(super) use node::{APIS, MANAGEMENT_NODE};
