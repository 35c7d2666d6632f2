//! The sandbox's resources: rows in an embedded SQLite database, and the queries that a node answers on them.
//!
//! The tables are derived from the catalog: one for each family of inventories. `Store::query` reads a query's
//! parameters as a node does, misreadings included; `Store::zql` is the query language beneath it;
//! `Store::transaction` reads and changes single resources. What it means to start a virtual machine, who
//! may log in and what HTTP is, the store does not know.
//!
//! Source: doc/protocol.md, "Queries" (Q1 to Q23), "ZQL" (Z1 to Z8) and "Replies" (N1 to N7).

mod assemble;
mod change;
mod class_name;
mod comparison;
mod compile;
mod condition;
mod database;
mod error;
mod facts;
mod model;
mod ownership;
mod query;
#[cfg(any(test, fuzzing))]
mod reading;
mod request;
mod row;
mod run;
mod schema;
mod seed;
#[cfg(test)]
mod tests;
mod text;
pub mod timestamp;
mod zql;

pub use change::{TagKind, Transaction};
pub(super) use class_name::of as class_of;
pub use database::Store;
pub use error::{ServerError, StoreError};
#[cfg(any(test, fuzzing))]
pub(crate) use reading::{Reading, read_q, read_zql};
pub use request::{ADMIN_ACCOUNT, QueryRequest, Viewer};
pub use row::{Row, Scalar};
