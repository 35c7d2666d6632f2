//! Stored results: the last commands with their replies, for `more` and `save`, from any process.
//!
//! Each result is a JSON file with masked secrets, in a folder that only the owner may read. Numbers increase; the
//! oldest results are removed, so that neither their number nor their size on disk is unbounded.

mod record;
mod save;
mod store;

pub use record::{Kept, Record, Summary};
pub use save::{SaveError, save};
pub use store::{Limits, Recording, Results, ResultsError};
