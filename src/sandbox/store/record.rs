//! Records of the server that outlive the process and are no resources: sessions, jobs.

use rusqlite::OptionalExtension;

use super::change::Transaction;
use super::error::StoreError;

impl Transaction<'_> {
    /// The text kept under `key` among the records of a kind.
    ///
    /// # Errors
    /// `Database`.
    pub fn record(&self, kind: &str, key: &str) -> Result<Option<String>, StoreError> {
        let mut statement =
            self.connection().prepare_cached("SELECT value FROM _record WHERE kind = ?1 AND key = ?2")?;
        Ok(statement.query_row([kind, key], |row| row.get(0)).optional()?)
    }

    /// All records of a kind, as pairs of key and text, in the order of their keys.
    ///
    /// # Errors
    /// `Database`.
    pub fn records(&self, kind: &str) -> Result<Vec<(String, String)>, StoreError> {
        let mut statement =
            self.connection().prepare_cached("SELECT key, value FROM _record WHERE kind = ?1 ORDER BY key")?;
        let found = statement.query_map([kind], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Keeps a text under `key`, in place of what was there.
    ///
    /// # Errors
    /// `Database`.
    pub fn put_record(&self, kind: &str, key: &str, value: &str) -> Result<(), StoreError> {
        let mut statement =
            self.connection().prepare_cached("REPLACE INTO _record (kind, key, value) VALUES (?1, ?2, ?3)")?;
        statement.execute([kind, key, value])?;
        Ok(())
    }

    /// Removes a record. Returns whether there was one.
    ///
    /// # Errors
    /// `Database`.
    pub fn remove_record(&self, kind: &str, key: &str) -> Result<bool, StoreError> {
        let mut statement = self.connection().prepare_cached("DELETE FROM _record WHERE kind = ?1 AND key = ?2")?;
        Ok(statement.execute([kind, key])? > 0)
    }
}
