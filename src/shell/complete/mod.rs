//! What could stand at the cursor: names, parameters, conditions, operators and values.
//!
//! In two steps, both pure: `cursor` reads the text and says what kind of thing is wanted there; the rest fills
//! in candidates from the catalog, and from what [`Sources`] know, best first. The prompt's Tab, its hints and
//! `zstack-cli complete` all ask the same function.

mod candidate;
mod common;
mod cursor;
mod describe;
mod engine;
#[cfg(test)]
mod every_offer;
mod fields;
mod lines;
mod names;
mod nested;
mod own;
mod query;
mod rank;
mod related;
mod sources;
#[cfg(test)]
mod tests;
mod values;
mod zql;

pub use candidate::{Candidate, CandidateKind, Completion, Group, Note};
pub use engine::complete;
pub use lines::complete_lines;
pub use rank::Fit;
pub use sources::{Disk, FileEntry, Files, Live, LiveValue, LiveValues, NoLiveValues, Sources};

pub(crate) use cursor::{Argument, name_length};
pub(crate) use own::find as own_command;
pub(crate) use query::rows;
