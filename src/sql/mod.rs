//! SQL over the inventories of a node: SQLite runs a statement, and its tables are queries.
//!
//! Each inventory that a query lists is a virtual table (`table`, `vtab`). SQLite offers its comparisons to a table,
//! which passes those on that the node can make (`scan`, `cell`); all are made once more by SQLite, whose rules for case
//! and order differ. Rows are fetched page by page as SQLite reads them (`fetch`, `rows`), and those of the inner side of a join
//! by lists of keys (`keyed`). A statement runs in a thread of its own, and its rows come as pieces of a reply (`run`).

mod batch;
mod block;
mod cell;
mod error;
mod explain;
mod fetch;
mod keyed;
mod rows;
mod run;
mod scan;
mod statement;
mod table;
mod vtab;

pub(crate) use batch::{Batch, NamedValues};
pub use error::{Error, StatementError};
pub(crate) use explain::explain;
pub(crate) use fetch::{Shown, Source};
pub(crate) use run::{Options, Running, start};
pub(crate) use statement::Statement;
