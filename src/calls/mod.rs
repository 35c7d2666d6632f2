//! A call to a node, from the plan to what is printed: what all commands share that talk to one.
//!
//! [`run()`] does the whole of it for what a command came to; [`send`] and [`show`] are its two halves for commands that
//! need one of them.

mod arrange;
pub(crate) mod confirm;
pub(crate) mod job_rows;
mod missing;
pub(crate) mod names;
mod run;
mod secrets;
pub(crate) mod send;
pub(crate) mod shape;
pub(crate) mod show;
pub(crate) mod view;
pub(crate) mod waiting;
mod watch;
mod zql;
mod zql_results;

pub(crate) use run::{nothing_to_validate, run};
pub(crate) use secrets::learn_secrets;
pub(crate) use zql::shape as shape_of_zql;
