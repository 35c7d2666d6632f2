//! The sandbox's resources: rows of an SQLite database, and queries on them.
//!
//! The tables are derived from the catalog: one for each family of inventories. `Store::query` reads a query's
//! parameters as a node does, including its quirks; `Store::zql` is the query language that it uses;
//! `Store::transaction` reads and changes single resources. The store does not know about actions, sessions or HTTP.
//!
//! Source: doc/protocol.md, "Queries" (Q1 to Q23), "ZQL" (Z1 to Z8) and "Replies" (N1 to N7).

mod assemble;
mod capacity;
mod change;
mod changes;
mod class_name;
mod comparison;
mod compile;
mod condition;
mod database;
mod error;
mod facts;
mod import;
mod json_text;
mod model;
mod ownership;
mod query;
#[cfg(any(test, fuzzing))]
mod reading;
mod references;
mod request;
mod row;
mod run;
mod schema;
mod seed;
mod snapshot_tree;
#[cfg(test)]
mod tests;
mod text;
pub mod timestamp;
mod zql;

pub use change::{TagKind, Transaction};
pub(super) use changes::changes;
pub use changes::{Change, Changes, Member, What};
pub(super) use class_name::of as class_of;
pub use database::Store;
pub use error::{ServerError, StoreError};
pub use import::Import;
pub(super) use json_text::escape_markup;
pub use query::Pieces;
#[cfg(any(test, fuzzing))]
pub(crate) use reading::{Reading, read_q, read_zql};
pub(super) use references::references_to;
pub use request::{ADMIN_ACCOUNT, QueryRequest, Viewer};
pub use row::{Row, Scalar};
