//! What a management node offers: its APIs, their parameters, its inventories and their fields.
//!
//! The facts are data: one file per ZStack version under `data/`, compiled into the binary as text, with
//! an index of where each entry lies. Looking up one entry decodes that entry alone. Supporting another
//! ZStack version means adding its file.
//!
//! This module knows nothing of the network, the terminal, or what a user typed.

mod api;
mod builtin;
mod fields;
mod index;
#[cfg(test)]
mod invariants;
mod inventory;
mod routes;

pub use api::{Api, Member, Method, Parameter, Type};
pub use fields::{FieldError, FieldPath, TAG_FIELDS};
pub use index::{ApiName, Catalog};
pub use inventory::{Alias, Expanded, Field, Inventory, Parent};
pub(crate) use routes::{Candidate, Routes};
