//! Named states: copies of the cloud's database, and filling one with the rows of a node.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::error::Error;
use super::ledger::Ledger;
use super::running::{file_error, ledger_path, path};
use super::store::{self, Changes, Import, Store};
use crate::private;

/// The directory of the named states, in that of the sandbox.
const STATES: &str = "states";
/// How their files end.
const ENDING: &str = ".sqlite3";

/// A named state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Its name.
    pub name: String,
    /// When it was saved.
    pub saved: SystemTime,
    /// The size of its file in bytes.
    pub size: u64,
}

/// Whether a text can be the name of a state: letters, digits, `.`, `-` and `_`, no `.` first.
pub fn is_state_name(name: &str) -> bool {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
    plain && !name.is_empty() && name.len() <= 100 && !name.starts_with('.')
}

/// The file of a named state of the sandbox in a directory.
pub fn state_path(directory: &Path, name: &str) -> PathBuf {
    directory.join(STATES).join(format!("{name}{ENDING}"))
}

/// Whether the sandbox in a directory was used before.
pub fn exists(directory: &Path) -> bool {
    path(directory).exists()
}

/// Saves the state of the sandbox in a directory under a name. An earlier state of that name is replaced.
///
/// # Errors
/// `File` and `Store` if a database cannot be read or written.
pub fn save(directory: &Path, name: &str) -> Result<(), Error> {
    std::fs::create_dir_all(directory.join(STATES)).map_err(file_error(directory))?;
    let store = Store::open(&path(directory))?;
    let file = state_path(directory, name);
    let part = part_of(&file);
    remove(&part)?;
    private::options().create_new(true).append(true).open(&part).map_err(file_error(&part))?;
    store.copy_to(&part).inspect_err(|_| drop(remove(&part)))?;
    std::fs::rename(&part, &file).map_err(file_error(&file))
}

/// Replaces the sandbox in a directory by the database of another file. Processes that serve it see the change. Jobs
/// that are still running are forgotten.
///
/// # Errors
/// `File` and `Store` if a database cannot be read or written; the sandbox is unchanged then.
pub fn load(directory: &Path, file: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(directory).map_err(file_error(directory))?;
    Store::open(&path(directory))?.replace_by(file)?;
    forget_jobs(directory)
}

fn forget_jobs(directory: &Path) -> Result<(), Error> {
    let ledger = ledger_path(directory);
    if ledger.exists() {
        Ledger::open(&ledger)?.clear_jobs()?;
    }
    Ok(())
}

/// Copies the present state of the sandbox in a directory to another directory.
///
/// # Errors
/// `File` and `Store` if a database cannot be read or written.
pub fn copy(directory: &Path, to: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(directory).map_err(file_error(directory))?;
    std::fs::create_dir_all(to).map_err(file_error(to))?;
    let file = part_of(&path(to));
    private::options().create_new(true).append(true).open(&file).map_err(file_error(&file))?;
    Store::open(&path(directory))?.copy_to(&file)?;
    place(to, file)
}

/// The named states of the sandbox in a directory, by name.
///
/// # Errors
/// `File` if the directory cannot be read.
pub fn states(directory: &Path) -> Result<Vec<State>, Error> {
    let folder = directory.join(STATES);
    let entries = match std::fs::read_dir(&folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(file_error(&folder))?,
    };
    let mut states = Vec::new();
    for entry in entries {
        let entry = entry.map_err(file_error(&folder))?;
        let file = entry.file_name();
        let Some(name) = file.to_str().and_then(|name| name.strip_suffix(ENDING)) else { continue };
        let metadata = entry.metadata().map_err(file_error(&entry.path()))?;
        let saved = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        states.push(State { name: name.to_owned(), saved, size: metadata.len() });
    }
    states.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(states)
}

/// Replaces the sandbox in a directory by the rows of a node, which `fill` brings. `inventories` are those of the
/// queries that they come from. If it fails, the sandbox is unchanged.
///
/// # Errors
/// `File` and `Store` if a database cannot be written, and the errors of `fill`.
pub fn clone<E: From<Error>>(
    directory: &Path,
    inventories: &[&str],
    fill: impl FnOnce(&mut Import<'_>) -> Result<(), E>,
) -> Result<(), E> {
    std::fs::create_dir_all(directory).map_err(file_error(directory))?;
    let part = part_of(&path(directory));
    remove(&part)?;
    let filled = Store::fill(&part, inventories, |import| fill(import).map_err(Filling::Rows));
    match filled {
        Ok(()) => place(directory, part).map_err(E::from),
        Err(error) => {
            remove(&part)?;
            Err(match error {
                Filling::Store(error) => E::from(error),
                Filling::Rows(error) => error,
            })
        }
    }
}

/// Makes a database the sandbox of a directory. Where there is one already, processes may serve it: its content is
/// replaced.
fn place(directory: &Path, part: PathBuf) -> Result<(), Error> {
    // Unlike a renamed file, a link never takes the place of another.
    let placed = match std::fs::hard_link(&part, path(directory)) {
        Ok(()) => forget_jobs(directory),
        Err(_) => load(directory, &part),
    };
    remove(&part)?;
    placed
}

/// What is different between the databases of two files: in the second, compared with the first.
///
/// # Errors
/// `Store` if a file cannot be read.
pub fn changes(before: &Path, after: &Path) -> Result<Changes, Error> {
    Ok(store::changes(before, after)?)
}

/// What can fail while a database is filled.
enum Filling<E> {
    Store(Error),
    Rows(E),
}

impl<E> From<super::store::StoreError> for Filling<E> {
    fn from(error: super::store::StoreError) -> Filling<E> {
        Filling::Store(error.into())
    }
}

/// A file that is being written, next to the one that it becomes. Each process has its own.
fn part_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".part-{}", std::process::id()));
    PathBuf::from(name)
}

fn remove(file: &Path) -> Result<(), Error> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(file_error(file)(error)),
        _ => Ok(()),
    }
}
