//! Opening the database: a file that processes can share, or memory.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::change::Transaction;
use super::error::StoreError;
use super::import::Import;
use super::model::Model;
use super::schema;
use super::text;
use crate::catalog::Catalog;
use crate::private;

/// How long a process waits for another one's write lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How many pages of a database are copied before others may look at it.
const PAGES_AT_ONCE: std::ffi::c_int = 4096;

/// How much of the file is kept in memory during a big change, in KiB.
const BIG_CACHE: u64 = 48 << 10;

/// The number of pages that are written to the log before they are copied to the file during a big change.
const BIG_LOG: u64 = 64_000;

/// The number of idle connections that are kept for readers.
const IDLE_READERS: usize = 8;

/// Databases up to this size in bytes are checked completely when they are opened.
const CHECKED_SIZE: u64 = 8 << 20;

/// The sandbox's resources: the state of an embedded management node.
///
/// Several processes may have the same file open.
#[derive(Debug)]
pub struct Store {
    connection: Mutex<Connection>,
    /// Idle connections for reading, which neither wait for changes nor hold them up.
    readers: Mutex<Vec<Connection>>,
    model: Model,
    /// The file; none in memory.
    path: Option<PathBuf>,
    set_aside: OnceLock<PathBuf>,
}

impl Store {
    /// Opens the database at `path`; creates it with the seed if it does not exist.
    ///
    /// A damaged file is renamed and replaced by a new one; `set_aside` returns its new name.
    ///
    /// # Errors
    /// `File` when the file or its directory cannot be used, `Layout` when another version of the program wrote it,
    /// `Database` for other errors of SQLite.
    pub fn open(path: &Path) -> Result<Store, StoreError> {
        if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
            std::fs::create_dir_all(directory).map_err(at(directory))?;
        }
        let _lock = lock(path)?;
        match Store::open_once(path) {
            Err(error) if error.is_damage() => {
                let aside = set_aside(path).map_err(at(path))?;
                let store = Store::open_once(path)?;
                store.note_set_aside(aside);
                Ok(store)
            }
            other => other,
        }
    }

    /// A store in memory with the seed.
    ///
    /// # Errors
    /// `Database` when SQLite refuses, which it does only when memory runs out.
    pub fn in_memory() -> Result<Store, StoreError> {
        let store = Store::empty()?;
        store.seed()?;
        Ok(store)
    }

    /// An empty store in memory.
    ///
    /// # Errors
    /// `Database` when SQLite refuses, which it does only when memory runs out.
    pub fn empty() -> Result<Store, StoreError> {
        let store = Store::over(Connection::open_in_memory()?)?;
        schema::create(&store.lock())?;
        Ok(store)
    }

    /// Creates a database without rows at `path`, where there is no file.
    ///
    /// # Errors
    /// `File` when the file cannot be created, `Database` for errors of SQLite.
    pub(in crate::sandbox) fn create(path: &Path) -> Result<Store, StoreError> {
        private::options().create_new(true).append(true).open(path).map_err(at(path))?;
        let store = Store::over(Connection::open(path)?)?;
        {
            let connection = store.lock();
            // A file that was not completed is never used.
            connection.pragma_update(None, "journal_mode", "off")?;
            connection.pragma_update(None, "synchronous", "off")?;
            connection.execute_batch(&format!("PRAGMA cache_size = -{BIG_CACHE}"))?;
            schema::create(&connection)?;
        }
        Ok(store)
    }

    /// Creates a database whose rows `fill` brings. `inventories` are those of the queries that they come from.
    ///
    /// # Errors
    /// As `create`, and the error of `fill`.
    pub(in crate::sandbox) fn fill<E: From<StoreError>>(
        path: &Path,
        inventories: &[&str],
        fill: impl FnOnce(&mut Import<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let store = Store::create(path)?;
        store.transaction(|tx| {
            let mut import = Import::new(tx, inventories);
            fill(&mut import)?;
            Ok::<(), E>(import.finish()?)
        })?;
        // Without statistics the query planner assumes that a state is as selective as an address.
        let analysed = store.lock().execute_batch("PRAGMA analysis_limit = 1000; ANALYZE");
        Ok(analysed.map_err(StoreError::from)?)
    }

    fn open_once(path: &Path) -> Result<Store, StoreError> {
        let size = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        if size == 0 {
            // Readable by its owner only, since it shows what was tried. SQLite gives its other files the same
            // permissions.
            private::options().create(true).append(true).open(path).map_err(at(path))?;
        }
        let mut store = Store::over(Connection::open(path)?)?;
        store.path = Some(path.to_owned());
        {
            let connection = store.lock();
            connection.pragma_update(None, "journal_mode", "wal")?;
            connection.pragma_update(None, "synchronous", "normal")?;
            if size > 0 && size <= CHECKED_SIZE {
                let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
                if verdict != "ok" {
                    return Err(rusqlite::Error::SqliteFailure(
                        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT),
                        None,
                    )
                    .into());
                }
            }
        }
        let layout: i64 = store.lock().pragma_query_value(None, "user_version", |row| row.get(0))?;
        match layout {
            schema::LAYOUT => Ok(store),
            1 => {
                store.transaction(|tx| schema::upgrade(tx.connection(), tx.model()))?;
                Ok(store)
            }
            0 => {
                store.transaction(|tx| {
                    schema::create(tx.connection())?;
                    super::seed::insert_missing(tx)
                })?;
                Ok(store)
            }
            found => Err(StoreError::Layout { path: path.to_owned(), found, wanted: schema::LAYOUT }),
        }
    }

    /// Writes a copy to an empty file. It is consistent while the database is in use.
    ///
    /// # Errors
    /// `Database` when SQLite cannot write it.
    pub(in crate::sandbox) fn copy_to(&self, file: &Path) -> Result<(), StoreError> {
        self.lock().execute("VACUUM INTO ?1", [file.to_string_lossy()])?;
        Ok(())
    }

    /// Replaces everything by the database in a file, in one step for other processes.
    ///
    /// # Errors
    /// `Layout` when another version of the program wrote the file, `Database` for errors of SQLite.
    pub(in crate::sandbox) fn replace_by(&self, file: &Path) -> Result<(), StoreError> {
        let source = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let layout: i64 = source.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if layout != schema::LAYOUT {
            return Err(StoreError::Layout { path: file.to_owned(), found: layout, wanted: schema::LAYOUT });
        }
        let mut connection = self.lock();
        Backup::new(&source, &mut connection)?.run_to_completion(PAGES_AT_ONCE, Duration::ZERO, None)?;
        Ok(())
    }

    fn over(connection: Connection) -> Result<Store, StoreError> {
        prepare(&connection)?;
        Ok(Store {
            connection: Mutex::new(connection),
            readers: Mutex::default(),
            model: Model::new(Catalog::newest()),
            path: None,
            set_aside: OnceLock::new(),
        })
    }

    /// Sets the version of the catalog for later queries. Stored rows are unchanged.
    pub(in crate::sandbox) fn answer_as(&mut self, catalog: Catalog) {
        self.model = Model::new(catalog);
    }

    /// The new name of a damaged database that this store replaced.
    pub fn set_aside(&self) -> Option<&Path> {
        self.set_aside.get().map(PathBuf::as_path)
    }

    /// Restores missing rows of the seed; other rows are unchanged.
    ///
    /// # Errors
    /// `Database` when SQLite refuses.
    pub fn seed(&self) -> Result<(), StoreError> {
        self.transaction(super::seed::insert_missing)
    }

    /// Deletes all resources and inserts the seed. A damaged file is renamed and replaced, as in `open`.
    ///
    /// # Errors
    /// `Database` when SQLite refuses, `File` when the damaged file cannot be set aside.
    pub fn reset(&self) -> Result<(), StoreError> {
        match (self.clear(), &self.path) {
            (Err(error), Some(path)) if error.is_damage() => {
                let mut connection = self.lock();
                let _lock = lock(path)?;
                // The file must be closed before it is renamed.
                *connection = Connection::open_in_memory()?;
                self.readers.lock().unwrap_or_else(PoisonError::into_inner).clear();
                let aside = set_aside(path).map_err(at(path))?;
                let fresh = Store::open_once(path)?.connection.into_inner().unwrap_or_else(PoisonError::into_inner);
                *connection = fresh;
                self.note_set_aside(aside);
                Ok(())
            }
            (outcome, _) => outcome,
        }
    }

    /// Keeps the name of the first damaged file, which is the one with the user's data.
    fn note_set_aside(&self, aside: PathBuf) {
        self.set_aside.get_or_init(|| aside);
    }

    fn clear(&self) -> Result<(), StoreError> {
        self.transaction(|tx| {
            for table in schema::tables(tx.connection())? {
                tx.connection().execute_batch(&format!("DROP TABLE {}", schema::quoted(&table)))?;
            }
            super::seed::insert_missing(tx)
        })
    }

    /// Adds `count` virtual machines with a nic and a root volume each, for load tests.
    ///
    /// # Errors
    /// `Database` when SQLite refuses.
    pub fn seed_vms(&self, count: u64) -> Result<(), StoreError> {
        self.transaction(|tx| super::seed::insert_vms(tx, count))?;
        // Without statistics the query planner assumes that a state is as selective as an address.
        self.lock().execute_batch("PRAGMA analysis_limit = 1000; ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)")?;
        Ok(())
    }

    /// Runs `work` in a transaction, which is rolled back if it returns an error. Reads in it are consistent.
    ///
    /// # Errors
    /// The error of `work`, and `Database` when SQLite fails to begin or commit.
    pub fn transaction<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.lock();
        let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(StoreError::from)?;
        let outcome = work(&Transaction::new(&begun, &self.model))?;
        begun.commit().map_err(StoreError::from)?;
        Ok(outcome)
    }

    /// Like `transaction`, for a part of a big change. Until `settle`, more pages are kept in memory and fewer are written
    /// twice: the rows of many resources are all over the file.
    ///
    /// # Errors
    /// As `transaction`.
    pub(in crate::sandbox) fn big_transaction<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let limits = format!("PRAGMA cache_size = -{BIG_CACHE}; PRAGMA wal_autocheckpoint = {BIG_LOG}");
        self.lock().execute_batch(&limits).map_err(StoreError::from)?;
        self.transaction(work)
    }

    /// Goes back to the usual limits after a big change.
    ///
    /// # Errors
    /// `Database` when SQLite refuses.
    pub(in crate::sandbox) fn settle(&self) -> Result<(), StoreError> {
        let limits = "PRAGMA cache_size = -2000; PRAGMA shrink_memory; PRAGMA wal_autocheckpoint = 1000; \
                      PRAGMA wal_checkpoint(PASSIVE)";
        Ok(self.lock().execute_batch(limits)?)
    }

    /// Reads in a transaction that sees one state, whatever changes meanwhile. In memory, changes wait for it.
    ///
    /// # Errors
    /// The error of `work`, and `Database` when SQLite fails to open the file or to begin.
    pub(super) fn reading<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let Some(path) = &self.path else { return read_once(&self.lock(), work) };
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = idle.map_or_else(|| open_reader(path), Ok)?;
        let outcome = read_once(&connection, work);
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < IDLE_READERS {
            readers.push(connection);
        }
        outcome
    }

    /// Reads resources in a transaction that sees one state, as `transaction` does, without waiting for changes.
    ///
    /// # Errors
    /// As `reading`.
    pub fn read<T, E: From<StoreError>>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, E>) -> Result<T, E> {
        self.reading(|connection| work(&Transaction::new(connection, &self.model)))
    }

    /// Whether it is in memory, where readers and changes share one connection.
    pub(in crate::sandbox) fn is_in_memory(&self) -> bool {
        self.path.is_none()
    }

    pub(super) fn model(&self) -> &Model {
        &self.model
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Connection> {
        // The connection is usable after a panic elsewhere: open transactions roll back when dropped.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn prepare(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(256);
    Ok(text::register(connection)?)
}

fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(path)?;
    prepare(&connection)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn read_once<T, E: From<StoreError>>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, E>,
) -> Result<T, E> {
    // Dropping the transaction ends it.
    let _reading = connection.unchecked_transaction().map_err(StoreError::from)?;
    work(connection)
}

/// Locks the opening of the database against other processes: of two that find the same damage, the second would rename
/// the new file of the first. The lock is released when the value is dropped.
fn lock(path: &Path) -> Result<File, StoreError> {
    let path = beside(path, ".lock");
    private::lock(&path).map_err(at(&path))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> StoreError + use<> {
    let path = path.to_owned();
    move |source| StoreError::File { path, source }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Renames a damaged database and its auxiliary files to a free name.
fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let aside = (0..)
        .map(|attempt: u64| beside(path, &format!(".damaged-{}", seconds + attempt)))
        .find(|aside| !aside.exists())
        .unwrap_or_else(|| beside(path, ".damaged"));
    std::fs::rename(path, &aside)?;
    for suffix in ["-wal", "-shm"] {
        match std::fs::rename(beside(path, suffix), beside(&aside, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(aside)
}
