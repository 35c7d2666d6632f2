//! Why a reply could not be printed.

use crate::json::ReadError;

/// Why a reply could not be printed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be read.
    #[error(transparent)]
    Read(ReadError),
    /// What was made of it could not be written.
    #[error("the output could not be written")]
    Write(#[source] std::io::Error),
    /// A jq expression failed on this reply.
    #[error("jq: {message}")]
    Filter {
        /// What it says.
        message: String,
    },
    /// The user did not want the end of it.
    #[error("interrupted")]
    Interrupted,
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

impl From<ReadError> for Error {
    /// An error of this module that had to pass as one of reading comes out again.
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
