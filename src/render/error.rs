//! Why a reply could not be printed.

use crate::json::ReadError;

/// What holds rows in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A jq expression that takes the whole reply.
    Filter,
    /// The comparison of two answers.
    Watch,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Holder::Filter => "this jq expression",
            Holder::Watch => "--watch",
        })
    }
}

/// Why a reply could not be printed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be read.
    #[error(transparent)]
    Read(ReadError),
    /// The output could not be written.
    #[error("the output could not be written")]
    Write(#[source] std::io::Error),
    /// A jq expression failed on this reply.
    #[error("jq: {message}")]
    Filter {
        /// The message.
        message: String,
    },
    /// The rows do not fit the memory that is used for them, and have to be held.
    #[error("{what} holds all rows in memory, and they take more than {} MiB", limit >> 20)]
    TooManyRows {
        /// What holds them.
        what: Holder,
        /// The most that is held, in bytes.
        limit: usize,
    },
    /// Rows that are sorted do not fit into memory, and the temporary file for them cannot be used.
    #[error("cannot use a temporary file to sort the rows: {0}")]
    Spill(#[source] std::io::Error),
    /// The user interrupted it.
    #[error("interrupted")]
    Interrupted,
    /// Neither the inventory nor the rows have that column.
    #[error("no column {name}")]
    UnknownColumn {
        /// The requested name.
        name: String,
        /// The byte offset of that column in the text of the selection.
        at: usize,
        /// Similar names, best first.
        near: Vec<String>,
    },
}

impl From<ReadError> for Error {
    /// Unwraps an error of this module that was wrapped in a read error.
    fn from(error: ReadError) -> Error {
        match error {
            ReadError::Read(inner) => match inner.downcast::<Error>() {
                Ok(own) => own,
                Err(inner) => Error::Read(ReadError::Read(inner)),
            },
            other => Error::Read(other),
        }
    }
}
