//! Why a reply could not be printed.

use crate::json::ReadError;

/// Why a reply could not be printed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What was made of it could not be written.
    #[error("the output could not be written")]
    Write(#[source] std::io::Error),
    /// Neither the inventory nor the rows have that column.
    #[error("no column {name}")]
    UnknownColumn {
        /// What was asked for.
        name: String,
        /// The byte offset of that column in the text of the selection.
        at: usize,
        /// Names that resemble it, best first.
        near: Vec<String>,
    },
}

impl Error {
    /// Whether the reader of the output went away.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Error::Write(error) if error.kind() == std::io::ErrorKind::BrokenPipe)
    }
}
