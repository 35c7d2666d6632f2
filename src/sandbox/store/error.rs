//! What can go wrong in the store, and what a node answers to a query that it refuses.

use std::path::PathBuf;

use thiserror::Error;

/// The code of an internal error, which most refused queries carry.
pub(super) const INTERNAL: &str = "SYS.1000";
/// The code of a bad argument.
pub(super) const BAD_ARGUMENT: &str = "SYS.1007";
/// The code of what the sandbox does not simulate.
pub(super) const NOT_SIMULATED: &str = "SANDBOX.1000";

/// Why the store could not do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database refused, or could not be read or written.
    #[error("the sandbox's database failed")]
    Database(#[from] rusqlite::Error),
    /// A file beside the database could not be made, locked or renamed.
    #[error("{}: cannot be used as the sandbox's database", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database was written by another version of the program.
    #[error("{}: the sandbox's database has layout {found}, this program reads layout {wanted}", path.display())]
    Layout {
        /// The database.
        path: PathBuf,
        /// The layout's number in the file.
        found: i64,
        /// The layout's number that this program writes.
        wanted: i64,
    },
    /// No catalog describes an inventory of that name.
    #[error("no inventory is called {0}")]
    UnknownInventory(String),
    /// An inventory has no stored member of that name.
    #[error("{inventory} has no stored member {field}")]
    UnknownField {
        /// The inventory.
        inventory: &'static str,
        /// The requested member.
        field: String,
    },
    /// The seed data do not fit the catalog; a defect of the build.
    #[error("the seed data are wrong: {0}")]
    Seed(String),
}

impl StoreError {
    /// Whether the file is no database, or one that was damaged.
    pub(super) fn is_damage(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        matches!(self, StoreError::Database(error)
            if matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase)))
    }
}

/// What a node answers to a query that it refuses.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ServerError {
    /// The front end refused: this status with a plain text (section 5).
    #[error("{text}")]
    Text {
        /// The status, 400.
        status: u16,
        /// The body.
        text: String,
    },
    /// The API failed: 503 with an error object (E1).
    #[error("{code}: {details}")]
    Failed {
        /// The code, such as `SYS.1000`.
        code: &'static str,
        /// The fixed text of the code.
        description: &'static str,
        /// What happened.
        details: String,
    },
}

impl ServerError {
    /// A refusal of the front end: 400 with a plain text.
    pub(super) fn text(text: impl Into<String>) -> ServerError {
        ServerError::Text { status: 400, text: text.into() }
    }

    /// A failure with the code's own description.
    pub(super) fn failed(code: &'static str, details: impl Into<String>) -> ServerError {
        let description = match code {
            BAD_ARGUMENT => "One or more API argument is in invalid value",
            NOT_SIMULATED => "The sandbox does not simulate this",
            _ => "An internal error happened in system",
        };
        ServerError::Failed { code, description, details: details.into() }
    }

    /// An internal error, as most refused queries are.
    pub(super) fn internal(details: impl Into<String>) -> ServerError {
        ServerError::failed(INTERNAL, details)
    }
}

impl From<StoreError> for ServerError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Database(source) => ServerError::internal(format!("the sandbox's database failed: {source}")),
            other => ServerError::internal(other.to_string()),
        }
    }
}

impl From<rusqlite::Error> for ServerError {
    fn from(error: rusqlite::Error) -> Self {
        StoreError::from(error).into()
    }
}
