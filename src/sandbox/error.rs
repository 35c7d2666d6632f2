//! Why a sandbox could not be started or used.

use std::net::SocketAddr;
use std::path::PathBuf;

use thiserror::Error;

use super::store::StoreError;

/// Why a sandbox could not be started or used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// Listening failed: the address is in use, or is not an address of this machine.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The requested address.
        address: SocketAddr,
        /// The system's error.
        source: std::io::Error,
    },
    /// A thread or the event loop could not be created.
    #[error("cannot run the sandbox's server")]
    Run(#[source] std::io::Error),
    /// A file or directory cannot be created, moved or removed.
    #[error("{}: cannot be used by the sandbox", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The database of sessions and jobs cannot be used.
    #[error("the sandbox's database of sessions and jobs failed")]
    Ledger(#[from] rusqlite::Error),
    /// The database of the cloud cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The text cannot be written.
    #[error("cannot write")]
    Write(#[source] std::io::Error),
}
