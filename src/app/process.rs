//! What the process was started with.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::PathBuf;

/// Variables, terminals and directories, read once.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// The variables.
    pub variables: BTreeMap<String, String>,
    /// Whether standard input is a terminal.
    pub stdin_is_terminal: bool,
    /// Whether standard output is a terminal.
    pub stdout_is_terminal: bool,
    /// Whether standard error is a terminal.
    pub stderr_is_terminal: bool,
    /// How wide the terminal is, in columns.
    pub width: Option<usize>,
    /// Where state is kept.
    pub state: PathBuf,
}

impl Environment {
    /// Reads the process.
    pub fn of_process() -> Environment {
        let variables: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let state = variables.get("ZSTACK_CLI_HOME").map(PathBuf::from).unwrap_or_else(|| PathBuf::from("/tmp/zs"));
        Environment {
            stdin_is_terminal: std::io::stdin().is_terminal(),
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            width: terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)),
            state,
            variables,
        }
    }

    /// A variable that is set and not empty.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}
