//! Why a reply could not be printed.

use crate::json::ReadError;

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
