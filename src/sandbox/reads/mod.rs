//! Reads that are not queries (section 13 and others).

pub(super) mod candidates;
pub(super) mod capacity;
mod filter;
pub(super) mod licence;
pub(super) mod metrics;
mod node;
pub(super) mod records;
pub(super) mod settings;

pub(super) use node::{APIS, MANAGEMENT_NODE};
