//! Completion of names, parameters, conditions, operators and values.
//!
//! It has two pure steps: `cursor` reads the text and finds what kind of thing is expected at the cursor; `engine` and
//! the other modules turn that into ranked candidates, using the catalog and [`Sources`]. Tab, the hints of the prompt
//! and `zstack-cli complete` share this one function.

mod candidate;
mod common;
mod cursor;
mod describe;
mod engine;
#[cfg(test)]
mod every_offer;
mod fields;
mod filter;
mod lines;
mod names;
mod nested;
mod own;
mod query;
mod rank;
mod related;
mod sources;
mod sql;
mod structure;
mod tags;
#[cfg(test)]
mod tests;
mod values;
mod zql;

pub use candidate::{Candidate, CandidateKind, Completion, Group, Note};
pub use engine::complete;
pub use lines::complete_lines;
pub use rank::Fit;
pub use sources::{
    Defined, Disk, FileEntry, Files, Fitting, Given, Kept, Live, LiveValue, LiveValues, NoLiveValues, NothingKept,
    Sources,
};

pub(crate) use cursor::{Argument, name_length};
pub(crate) use own::find as own_command;
pub(crate) use query::rows;
