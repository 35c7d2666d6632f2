//! The system's keyring, accessed with its command line tool: `secret-tool` for the Secret Service of Linux desktops,
//! `security` for the keychain of macOS.
//!
//! A library for the Secret Service would make the program an eighth larger and slow down each start, also for users
//! without a keyring. Secrets are passed through a pipe, never as arguments, which other users can see.

use std::io::{self, Write};
use std::process::{Output, Stdio};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::environment::program;
use super::error::Error;
use crate::secret::{Secret, mask_text};

/// The name of this program's items in the keyring.
const SERVICE: &str = "zstack-cli";

/// The exit code of `security` if there is no such item.
const NOT_IN_KEYCHAIN: i32 = 44;

/// The tool that accesses the keyring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tool {
    SecretTool,
    Security,
}

/// The keyring of the user who runs the program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keyring {
    tool: Tool,
}

/// The attributes of an item.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'a> {
    /// The state directory: two homes do not share their credentials.
    pub(super) home: &'a str,
    /// Whose credentials it holds.
    pub(super) owner: &'a str,
}

impl Keyring {
    /// The tool of this platform.
    pub(super) fn of_system() -> Keyring {
        Keyring { tool: if cfg!(target_os = "macos") { Tool::Security } else { Tool::SecretTool } }
    }

    /// The content of an item; `None` if there is none.
    pub(super) fn read(self, item: Item<'_>) -> Result<Option<Secret>, Error> {
        let output = match self.tool {
            Tool::SecretTool => self.run(&secret_tool_arguments("lookup", item), None)?,
            Tool::Security => self.run(&security_arguments("find-generic-password", item, &["-w"]), None)?,
        };
        let text = Secret::new(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        if self.found_nothing(&output) || (output.status.success() && text.expose().is_empty()) {
            return Ok(None);
        }
        self.check(&output)?;
        let bytes = BASE64_STANDARD.decode(text.expose()).map_err(|_| self.refused("its item is damaged"))?;
        String::from_utf8(bytes).map(|text| Some(Secret::new(text))).map_err(|_| self.refused("its item is damaged"))
    }

    /// Replaces the content of an item.
    pub(super) fn write(self, item: Item<'_>, text: &Secret) -> Result<(), Error> {
        // Neither tool accepts all texts.
        let encoded = Secret::new(BASE64_STANDARD.encode(text.expose()));
        let output = match self.tool {
            Tool::SecretTool => {
                let label = format!("--label={SERVICE}: {}", item.owner);
                let mut arguments = secret_tool_arguments("store", item);
                arguments.insert(1, label);
                self.run(&arguments, Some(encoded.expose()))?
            }
            Tool::Security => {
                let words = security_arguments("add-generic-password", item, &["-U", "-w", encoded.expose()]);
                let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                let line = Secret::new(format!("{}\n", quoted.join(" ")));
                self.run(&["-i".to_owned()], Some(line.expose()))?
            }
        };
        self.check(&output)
    }

    /// Removes an item, if it exists.
    pub(super) fn delete(self, item: Item<'_>) -> Result<(), Error> {
        let output = match self.tool {
            Tool::SecretTool => self.run(&secret_tool_arguments("clear", item), None)?,
            Tool::Security => self.run(&security_arguments("delete-generic-password", item, &[]), None)?,
        };
        if self.found_nothing(&output) { Ok(()) } else { self.check(&output) }
    }

    fn run(self, arguments: &[String], input: Option<&str>) -> Result<Output, Error> {
        let failed = |source| Error::NoKeyring { tool: self.name(), source };
        let mut child = program(self.name())
            .args(arguments)
            .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
            match stdin.write_all(input.as_bytes()) {
                // If the tool stops reading, its own error explains why.
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(failed(error)),
                _ => {}
            }
        }
        child.wait_with_output().map_err(failed)
    }

    fn name(self) -> &'static str {
        match self.tool {
            Tool::SecretTool => "secret-tool",
            Tool::Security => "security",
        }
    }

    fn found_nothing(self, output: &Output) -> bool {
        match self.tool {
            Tool::SecretTool => output.status.code() == Some(1) && output.stderr.trim_ascii().is_empty(),
            Tool::Security => output.status.code() == Some(NOT_IN_KEYCHAIN),
        }
    }

    fn check(self, output: &Output) -> Result<(), Error> {
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim();
        Err(self.refused(if said.is_empty() { "it gives no reason" } else { said }))
    }

    fn refused(self, reason: &str) -> Error {
        let reason = reason.trim_start_matches(self.name()).trim_start_matches(':').trim_start();
        Error::Keyring { tool: self.name(), reason: mask_text(reason).into_owned() }
    }
}

/// `secret-tool ACTION application zstack-cli ...`
fn secret_tool_arguments(action: &str, item: Item<'_>) -> Vec<String> {
    [action, "application", SERVICE, "home", item.home, "owner", item.owner].map(str::to_owned).to_vec()
}

/// `security ACTION -s zstack-cli -a OWNER@HOME OPTION ...`
fn security_arguments(action: &str, item: Item<'_>, options: &[&str]) -> Vec<String> {
    let account = format!("{}@{}", item.owner, item.home);
    let mut words = vec![action.to_owned(), "-s".to_owned(), SERVICE.to_owned(), "-a".to_owned(), account];
    words.extend(options.iter().map(|option| (*option).to_owned()));
    words
}
