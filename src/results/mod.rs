//! Results at hand: the last commands with their replies, for `more` and `save`, whichever process ran them.
//!
//! Each result is a file of valid JSON in a folder that only the owner may read, secrets masked. The numbers rise;
//! the oldest results make room for new ones, so that neither their count nor their size on disk grows for ever.

mod record;
mod save;
mod store;

pub use record::{Kept, Record, Summary};
pub use save::{SaveError, save};
pub use store::{Limits, Recording, Results, ResultsError};
