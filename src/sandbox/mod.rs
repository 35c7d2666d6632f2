//! The sandbox: an embedded management node that speaks the REST protocol over loopback.
//!
//! It shares no code with the program's planner, client or shell, so that the two check each other; it uses
//! the catalog and the JSON values only.

pub mod store;
