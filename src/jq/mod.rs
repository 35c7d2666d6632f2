//! jq expressions, which run in a process of their own.
//!
//! An expression may run without end and recurse without end, and jaq has no way to stop it. The end of its process is
//! one: a [`Worker`] is this program once more, which is told the expression and the values, and tells what the
//! expression makes of them. Ctrl-C kills it, and where it has used up its stack, it alone is gone. It has no
//! credentials: neither the environment nor the configuration reach it.
//!
//! What is said on the two pipes is frames. A process can be lent for one reply after another.

mod frame;
mod program;
mod serve;
mod worker;

pub use program::FilterError;
pub use serve::serve_if_asked;
pub use worker::{Error, Layout, Made, Step, Way, Worker};
