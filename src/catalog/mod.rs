//! What a management node offers: its APIs, their parameters, its inventories and their fields.
//!
//! The facts are data under `data/`, compiled into the binary as one text with an index of where each entry lies.
//! Looking up one entry decodes that entry alone. `zstack-*.json` joins the facts of all versions up to its own;
//! `versions.json` says since when each exists and how requests were before, so that a [`Catalog`] can be looked at as
//! any of these versions has it. `system-tags.json` has the patterns of system tags, `observed.json` what only a
//! running node shows.
//!
//! Under the name of an inventory `observed.json` lists members that a node cannot select (`unselectable`) or sort by
//! (`unsortable`), and relations and tag fields on which every query fails (`broken`). It holds for the inventories that
//! specialise that one as well, and the build puts it into their entries. `unlistedApis` are those that a node has and
//! does not list.
//!
//! This module knows nothing of the network, the terminal, or what a user typed.

mod api;
mod builtin;
mod fields;
pub mod import;
mod imported;
mod index;
#[cfg(test)]
mod invariants;
mod inventory;
mod offers;
mod routes;

pub use api::{Api, Member, Method, Parameter, Removed, Type, Was};
pub use fields::{FieldError, FieldPath, TAG_FIELDS};
pub(crate) use index::numbers as version_numbers;
pub use index::{ApiName, Catalog};
pub use inventory::{Alias, Expanded, Field, Inventory, Parent};
pub use offers::Offers;
pub(crate) use routes::{Candidate, Routes};
