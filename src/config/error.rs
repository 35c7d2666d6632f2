//! Why the configuration cannot be used.

use std::io;
use std::path::PathBuf;

/// Why the configuration cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The home directory is not known.
    #[error("no home directory is known; set ZSTACK_CLI_HOME to a directory for the program's files")]
    NoHome,
    /// The configuration is not TOML.
    #[error("{}:{line}: {reason}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What the parser says.
        reason: String,
    },
    /// The configuration has an unknown key.
    #[error("{}:{line}: unknown key `{key}`{}", path.display(), closest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default())]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The key.
        key: String,
        /// A key that looks like it.
        closest: Option<&'static str>,
    },
    /// A value in the configuration is invalid.
    #[error("{}:{line}: `{key}`: {problem}", path.display())]
    BadValue {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The key.
        key: String,
        /// What is wrong with its value.
        problem: String,
    },
    /// A value that was given for a key is invalid.
    #[error("`{key}`: {problem}")]
    Value {
        /// The key.
        key: String,
        /// What is wrong.
        problem: String,
    },
    /// There is no such key.
    #[error("unknown key `{key}`{}", closest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default())]
    NoKey {
        /// The key.
        key: String,
        /// A key that looks like it.
        closest: Option<&'static str>,
    },
    /// There is no such context.
    #[error("there is no context `{name}`{}", closest.as_ref().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default())]
    NoContext {
        /// The name.
        name: String,
        /// A context with a similar name.
        closest: Option<String>,
    },
    /// The name is not allowed for a context.
    #[error("`{name}` cannot be the name of a context: letters, digits, `-`, `_` and `.` only")]
    ContextName {
        /// The name.
        name: String,
    },
    /// An environment variable is invalid.
    #[error("{name}: {problem}")]
    Variable {
        /// Its name.
        name: &'static str,
        /// What is wrong with its value.
        problem: String,
    },
    /// A file or directory with secrets can be read by others.
    #[error("{} can be read by others (mode {mode:04o}); `chmod {mend:o} {}` mends it", path.display(), path.display())]
    TooOpen {
        /// The file or directory.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// The mode that it must have.
        mend: u32,
    },
    /// The program that reaches the system's keyring cannot be run.
    #[error("{tool}, which reaches the system's keyring, cannot be run: {source}")]
    NoKeyring {
        /// The program.
        tool: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The system's keyring failed.
    #[error("the system's keyring does not work: {reason} ({tool})")]
    Keyring {
        /// The program.
        tool: &'static str,
        /// What it says.
        reason: String,
    },
    /// Another process holds a lock for too long.
    #[error("another process holds the lock {}", path.display())]
    Locked {
        /// The lock.
        path: PathBuf,
    },
    /// A file with credentials is damaged.
    #[error("{} is damaged: {reason}; delete it and log in again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, without any of its text.
        reason: String,
    },
}
