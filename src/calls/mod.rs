//! Runs planned calls and prints their results, for all commands that call a node.
//!
//! [`run()`] runs and prints a plan; [`send`] and [`show`] are its two halves, for commands that need only one of them.

mod arrange;
pub(crate) mod belongings;
pub(crate) mod confirm;
pub(crate) mod contexts;
pub(crate) mod job_rows;
mod kept;
mod missing;
pub(crate) mod monitoring;
pub(crate) mod names;
mod relations;
pub(crate) mod resource;
pub(crate) mod rows;
mod run;
mod secrets;
pub(crate) mod send;
pub(crate) mod several;
pub(crate) mod shape;
pub(crate) mod show;
pub(crate) mod view;
pub(crate) mod waiting;
pub(crate) mod watch;
mod zql;
mod zql_results;

pub(crate) use kept::KeptHere;
pub(crate) use run::{nothing_to_validate, run, validation, view_of_rows};
pub(crate) use secrets::{learn_call, learn_secrets};
pub(crate) use zql::shape as shape_of_zql;
