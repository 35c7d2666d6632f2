//! Errors of the store, and error replies of a node to queries.

use std::path::PathBuf;

use thiserror::Error;

/// The code of an internal error, which most rejected queries have.
pub(super) const INTERNAL: &str = "SYS.1000";
/// The code of a bad argument.
pub(super) const BAD_ARGUMENT: &str = "SYS.1007";
/// The code of an API that the sandbox does not simulate.
pub(super) const NOT_SIMULATED: &str = "SANDBOX.1000";

/// An error of the store.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// An error of SQLite.
    #[error("the sandbox's database failed")]
    Database(#[from] rusqlite::Error),
    /// A file could not be created, locked or renamed.
    #[error("{}: cannot be used as the sandbox's database", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The database was written by another version of the program.
    #[error("{}: the sandbox's database has layout {found}, this program reads layout {wanted}", path.display())]
    Layout {
        /// The database.
        path: PathBuf,
        /// The layout version of the file.
        found: i64,
        /// The layout version of this program.
        wanted: i64,
    },
    /// The catalog has no inventory of that name.
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
    /// Whether the file is not a database, or is damaged.
    pub(super) fn is_damage(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        matches!(self, StoreError::Database(error)
            if matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase)))
    }
}

/// The error reply of a node to a query.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ServerError {
    /// A rejection by the front end: this status with plain text (section 5).
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
        /// The details.
        details: String,
    },
}

impl ServerError {
    /// A rejection by the front end: 400 with plain text.
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

    /// An internal error, as for most rejected queries.
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
