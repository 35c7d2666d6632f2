//! The APIs of a management node with their parameters, and its inventories with their fields.
//!
//! The data under `data/` is compiled into the binary as one text with an index of its entries, and looking up an entry
//! decodes only that entry. `zstack-*.json` contains all versions up to its own; `versions.json` says since when each
//! entry exists and how its request was before, so that a [`Catalog`] can represent any of these versions.
//! `system-tags.json` has the patterns of system tags, `kinds.txt` short names of kinds of resources, `observed.json` the
//! behaviour seen on running nodes, `candidates.txt` which resources fit a parameter, `notes.txt` what is worth
//! knowing of one, `structs.json` the structs of parameters that the catalog only names.
//!
//! Under the name of an inventory `observed.json` lists members that a node cannot select (`unselectable`) or sort by
//! (`unsortable`), and relations and tag fields on which every query fails (`broken`). It holds for the inventories that
//! specialise that one as well, and the build puts it into their entries. `unlistedApis` are those that a node has and
//! does not list.
//!
//! This module does not know about the network, the terminal, or what a user typed.

mod api;
mod builtin;
pub(crate) mod candidates;
mod fields;
mod flags;
pub mod import;
mod imported;
mod index;
#[cfg(test)]
mod invariants;
mod inventory;
mod kinds;
mod notes;
mod offers;
mod query_parameter;
pub(crate) mod references;
mod related;
mod routes;
mod zql;

pub use api::{Api, EarlierRequest, Method, Parameter, RemovedApi, ReplyMember, Type};
pub use fields::{FieldError, FieldPath, TAG_FIELDS};
pub(crate) use index::numbers as version_numbers;
pub use index::{ApiName, Catalog};
pub use inventory::{Alias, Expanded, Field, Inventory, Parent};
pub(crate) use kinds::{ResourceKind, in_words, place as kind_place, words};
pub use notes::Note;
pub use offers::Offers;
pub use query_parameter::QueryParameter;
pub(crate) use query_parameter::{QueryValue, condition_fields, is_tag_parameter};
pub(crate) use related::Belonging;
pub(crate) use routes::{Candidate, Routes};
pub use zql::zql_entity;
