//! The database of sessions and jobs.
//!
//! It is a separate file, so that extending a session does not wait for a transaction on the cloud. Being a file, it
//! lets one process use sessions and jobs of another.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use super::answer::Failure;

/// The version of the schema; a file of another version is recreated, since its content is short-lived.
const VERSION: i64 = 3;

const TABLES: &str = "
    create table if not exists session (
        uuid text primary key, account text not null, user text not null, is_admin integer not null,
        created integer not null, expires integer not null, lifetime integer not null
    ) without rowid;
    create index if not exists session_of_user on session (user, expires);
    create table if not exists job (
        number integer primary key, uuid text not null unique, api text not null, arguments text,
        account text not null, is_admin integer not null, client text, long_job text,
        requested integer not null, due integer not null, state integer not null,
        status integer, body text
    );
    create index if not exists job_due on job (state, due);
    create index if not exists job_of_long_job on job (long_job) where long_job is not null;
";

/// The open database of sessions and jobs.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) connection: Connection,
}

impl Ledger {
    /// Opens the file, and creates it if it does not exist.
    ///
    /// # Errors
    /// When SQLite fails, also for a file that is damaged or not a database.
    pub(super) fn open(file: &Path) -> rusqlite::Result<Ledger> {
        let connection = Connection::open(file)?;
        // Processes may share the file. Losing it in a crash is acceptable: it has only sessions and jobs of a sandbox.
        connection.busy_timeout(Duration::from_secs(10))?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "off")?;
        Ledger::with(connection)
    }

    /// A database in memory.
    ///
    /// # Errors
    /// When SQLite fails.
    pub(super) fn in_memory() -> rusqlite::Result<Ledger> {
        Ledger::with(Connection::open_in_memory()?)
    }

    /// Deletes all sessions and jobs.
    ///
    /// # Errors
    /// When SQLite fails.
    pub(super) fn clear(&self) -> rusqlite::Result<()> {
        self.connection.execute_batch("delete from session; delete from job;")
    }

    /// Forgets all jobs, also those that are still running.
    ///
    /// # Errors
    /// When SQLite fails.
    pub(super) fn clear_jobs(&self) -> rusqlite::Result<()> {
        self.connection.execute_batch("delete from job;")
    }

    fn with(mut connection: Connection) -> rusqlite::Result<Ledger> {
        let version = |connection: &Connection| -> rusqlite::Result<i64> {
            connection.pragma_query_value(None, "user_version", |row| row.get(0))
        };
        if version(&connection)? != VERSION {
            let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            // Another process may have created and filled the tables in the meantime.
            if version(&change)? != VERSION {
                change.execute_batch("drop table if exists session; drop table if exists job;")?;
                change.execute_batch(TABLES)?;
                change.pragma_update(None, "user_version", VERSION)?;
            }
            change.commit()?;
        }
        Ok(Ledger { connection })
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Failure {
        Failure::internal(format!("the sandbox's database failed: {error}"))
    }
}

/// A new uuid of version 4, without dashes.
pub(super) fn new_uuid() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
