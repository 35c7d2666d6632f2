//! Runs jq expressions in a process of their own.
//!
//! An expression may loop or recurse without end, and jaq cannot stop it, but its process can be killed: a [`Worker`]
//! starts this program once more, sends it the expression and the values, and reads the outputs. Ctrl-C kills the
//! process, and a stack overflow ends only that process. It has no credentials, as it gets neither the environment nor
//! the configuration.
//!
//! Both pipes carry frames. A process can be used for several replies, one after another.

mod frame;
mod program;
mod serve;
mod worker;

pub use program::FilterError;
pub use serve::serve_if_asked;
pub use worker::{Error, Layout, Made, Step, Way, Worker, own_program};
