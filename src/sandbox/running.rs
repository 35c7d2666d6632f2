//! Starting and serving a sandbox, and its files.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;
use std::time::{SystemTime, UNIX_EPOCH};

use super::clock::UnixMillis;
use super::error::Error;
use super::ledger::Ledger;
use super::node::Node;
use super::offer::Edition;
use super::options::{Database, Options};
use super::server::Server;
use super::store::{ADMIN_ACCOUNT, Store};
use crate::private;

/// The cloud's database in its directory.
const CLOUD: &str = "cloud.sqlite3";
/// The database of sessions and jobs next to it.
const LEDGER: &str = "sessions.sqlite3";

/// A running sandbox, in a thread of this process. It stops when this is dropped. `Debug` hides the session.
pub struct Running {
    server: Server,
    context: String,
    session: String,
    set_aside: Vec<PathBuf>,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("address", &self.server.address).finish_non_exhaustive()
    }
}

impl Running {
    /// Where it listens.
    #[cfg(test)]
    pub(super) fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// The base URL for clients: `http://127.0.0.1:41234/zstack`.
    pub fn base_url(&self) -> String {
        format!("http://{}{}", self.server.address, self.context)
    }

    /// The uuid of a session of the administrator, which ends with the sandbox. It is a secret.
    pub fn session_uuid(&self) -> &str {
        &self.session
    }

    /// The new names of databases that were damaged, renamed and replaced.
    pub fn set_aside(&self) -> &[PathBuf] {
        &self.set_aside
    }
}

/// Starts a sandbox and logs the administrator in.
///
/// # Errors
/// `Listen` if listening fails; `File`, `Store` and `Ledger` if the databases cannot be used.
pub fn start(options: Options) -> Result<Running, Error> {
    let mut set_aside = Vec::new();
    let (store, ledger) = match &options.database {
        Database::Memory => (Store::in_memory()?, Ledger::in_memory()?),
        Database::Directory(directory) => {
            std::fs::create_dir_all(directory).map_err(file_error(directory))?;
            let store = Store::open(&path(directory))?;
            set_aside.extend(store.set_aside().map(Path::to_owned));
            (store, open_ledger(&ledger_path(directory), &mut set_aside)?)
        }
    };
    let lifetime = i64::try_from(options.session_lifetime.as_millis()).unwrap_or(i64::MAX);
    // Remove the session of a process that was killed.
    ledger.forget_expired_sessions(UnixMillis::now())?;
    let session = ledger.open_session(ADMIN_ACCOUNT, ADMIN_ACCOUNT, true, UnixMillis::now(), lifetime)?.uuid;
    let context = options.context.clone();
    let address = SocketAddr::new(options.bind, options.port);
    let own = session.clone();
    let server = Server::start(address, move || Node::new(store, ledger, options, Some(own)))?;
    Ok(Running { server, context, session, set_aside })
}

/// Serves a sandbox for other clients until `stop` receives something or its sender is dropped. Prints to `out` where
/// it listens and how to log in, and a warning if other machines can reach it.
///
/// # Errors
/// As `start`, and `Write` if `out` cannot be written.
pub fn serve(options: Options, out: &mut dyn Write, stop: &Receiver<()>) -> Result<(), Error> {
    let is_open = !options.bind.is_loopback();
    let faults: Vec<String> = options.faults.iter().map(ToString::to_string).collect();
    let state = match &options.database {
        Database::Directory(directory) => format!("in {}", path(directory).display()),
        Database::Memory => "in memory, until it stops".to_owned(),
    };
    let edition = (options.edition != Edition::Full).then(|| format!("  edition: {}\n", options.edition));
    let version = options.version.as_ref().map(|version| format!("  version: {}\n", version.as_str()));
    let running = start(options)?;
    let mut text = format!(
        "sandbox: listening on {}\n  log in as account `admin` with password `password`\n  its state is {state}\n",
        running.base_url()
    );
    for file in running.set_aside() {
        text.push_str(&format!("warning: a damaged database was set aside as {}\n", file.display()));
    }
    if is_open {
        text.push_str("warning: others than this machine can reach it, and everybody knows the password\n");
    }
    text.extend(edition.into_iter().chain(version));
    if !faults.is_empty() {
        text.push_str(&format!("  faults: {}\n", faults.join(" ")));
    }
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Error::Write)?;
    // An error means that the sender was dropped.
    let _ = stop.recv();
    Ok(())
}

/// The file that holds the cloud of the sandbox in a directory.
pub fn path(directory: &Path) -> PathBuf {
    directory.join(CLOUD)
}

/// Resets the sandbox in a directory to the initial cloud, without sessions and jobs. Processes that serve it see the
/// change.
///
/// # Errors
/// `File`, `Store` and `Ledger` if the databases cannot be used.
pub fn reset(directory: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(directory).map_err(file_error(directory))?;
    Store::open(&path(directory))?.reset()?;
    open_ledger(&ledger_path(directory), &mut Vec::new())?.clear()?;
    Ok(())
}

/// Adds `vms` virtual machines with nics and volumes to the sandbox in a directory; without a number, restores missing
/// resources of the initial cloud.
///
/// # Errors
/// `File` and `Store` if the database cannot be used.
pub fn seed(directory: &Path, vms: Option<u64>) -> Result<(), Error> {
    std::fs::create_dir_all(directory).map_err(file_error(directory))?;
    let store = Store::open(&path(directory))?;
    match vms {
        Some(count) => store.seed_vms(count)?,
        None => store.seed()?,
    }
    Ok(())
}

/// The database of the sessions and jobs of the sandbox in a directory.
pub(super) fn ledger_path(directory: &Path) -> PathBuf {
    directory.join(LEDGER)
}

/// Opens the database of sessions and jobs, which only its owner may read; a damaged one is renamed.
fn open_ledger(file: &Path, set_aside: &mut Vec<PathBuf>) -> Result<Ledger, Error> {
    keep_private(file).map_err(file_error(file))?;
    match Ledger::open(file) {
        Err(error) if is_damage(&error) => {
            let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            let aside = file.with_extension(format!("sqlite3.damaged-{seconds}"));
            std::fs::rename(file, &aside).map_err(file_error(file))?;
            set_aside.push(aside);
            keep_private(file).map_err(file_error(file))?;
            Ok(Ledger::open(file)?)
        }
        other => Ok(other?),
    }
}

/// Creates the file if needed, readable by its owner only, since it contains session uuids. SQLite gives its auxiliary
/// files the same permissions.
fn keep_private(file: &Path) -> std::io::Result<()> {
    private::tighten(&private::options().create(true).append(true).open(file)?)
}

fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}

pub(super) fn file_error(path: &Path) -> impl FnOnce(std::io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::File { path, source }
}
