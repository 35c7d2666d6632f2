//! What a management node offers: its APIs, their parameters, its inventories and their fields.
//!
//! The facts are data: one file per ZStack version under `data/`, compiled into the binary as text, with
//! an index of where each entry lies. Looking up one entry decodes that entry alone. Supporting another
//! ZStack version means adding its file.
//!
//! Beside those files, `data/observed.json` has what running nodes do otherwise than their sources say. Under the name
//! of an inventory it lists members that a node cannot select (`unselectable`) or sort by (`unsortable`), and relations
//! and tag fields on which every query fails (`broken`). It holds for the inventories that specialise that one, too,
//! and the build puts it into their entries.
//!
//! This module knows nothing of the network, the terminal, or what a user typed.

mod api;
mod builtin;
mod fields;
mod index;
#[cfg(test)]
mod invariants;
mod inventory;

pub use api::{Api, Member, Method, Parameter, Type};
pub use fields::{FieldError, FieldPath, TAG_FIELDS};
pub use index::{ApiName, Catalog};
pub use inventory::{Alias, Expanded, Field, Inventory, Parent};
