//! `rehearse`: runs a script in a copy of the node and shows what would be different.
//!
//! The script runs in a process of its own, whose only node is the sandbox of a temporary directory, and which has
//! neither the contexts nor the credentials of the user: whatever its lines say, the real node gets queries only.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::calls::confirm;
use crate::cli::RehearseLine;
use crate::client;
use crate::config::{Contexts, Folders};
use crate::error::{Error, ExitCode, OwnError};
use crate::jq::own_program;
use crate::json::{self, Value};
use crate::sandbox::{self, Changes};
use crate::session::{Invocation, nodes};
use crate::syntax::quote_word;

use super::{sandbox_changes, sandbox_clone, sandbox_states};

/// The state in which the script began.
const BEFORE: &str = "before";
/// Jobs of the copy end at once.
const SPEED: &str = "1000000";
/// The code of what the sandbox does not simulate.
const NOT_SIMULATED: &str = "SANDBOX.1000";

/// A script that is to run for real.
pub(crate) struct Script {
    pub(crate) path: PathBuf,
    /// The directory of a line that was no file.
    _directory: TempDir,
}

/// A line that failed.
struct Failure {
    line: Option<String>,
    code: Option<String>,
    message: String,
    hint: Option<String>,
}

/// Rehearses a script; returns it if it is to run for real.
///
/// # Errors
/// If the copy cannot be made, or a line of the script failed, with the exit code of the script.
pub(crate) fn run(cx: &mut Invocation<'_>, typed: &RehearseLine) -> Result<Option<Script>, Error> {
    let terminal = cx.settings.ui.terminal;
    if typed.then_run && !typed.yes && !(terminal.stdin && terminal.stderr) {
        let what = "--then-run asks before it runs the script for real; --yes does so without asking";
        return Err(Error::Own(OwnError::Unasked(what.to_owned())));
    }
    let temporary = tempfile::Builder::new().prefix("zstack-cli-").tempdir()?;
    let script = script(&temporary, &typed.line)?;
    // As in a directory of ZSTACK_CLI_HOME.
    let home = temporary.path().join("home");
    let directory = home.join("data").join("sandbox");
    prepare(cx, &directory, typed.from.as_deref())?;
    let aliases = cx.session.contexts()?.aliases().clone();
    for (name, line) in aliases {
        Contexts::set_alias(&Folders::under(&home), &name, Some(&line))?;
    }
    sandbox::save(&directory, BEFORE)?;
    let (code, failures) = run_in_copy(cx, &home, &script)?;
    let changes = sandbox::changes(&sandbox::state_path(&directory, BEFORE), &sandbox::path(&directory))?;
    let rows = failures.iter().map(row).collect();
    sandbox_changes::show(cx, &changes, rows)?;
    tell(cx, &failures, &changes);
    if code != ExitCode::Done {
        return Err(Error::Reported(code));
    }
    if !typed.then_run {
        return Ok(None);
    }
    let node = nodes::node(cx.session, cx.settings)?.name();
    confirm::agreed(cx, &format!("run it for real on {node}"), typed.yes)?;
    Ok(Some(Script { path: script, _directory: temporary }))
}

/// The file with the lines: the one that was named, or one for the line that was typed.
fn script(temporary: &TempDir, words: &[String]) -> Result<PathBuf, Error> {
    let line = match words {
        [file] if Path::new(file).is_file() || is_path(file) => {
            File::open(file).map_err(|source| Error::Script { path: file.clone(), source })?;
            return Ok(std::path::absolute(file)?);
        }
        [line] if line.contains(char::is_whitespace) => line.clone(),
        words => words.iter().map(|word| quote_word(word)).collect::<Vec<_>>().join(" "),
    };
    let path = temporary.path().join("line");
    let mut file = File::create(&path)?;
    writeln!(file, "{line}")?;
    Ok(path)
}

/// Whether a word can only be a path: no command has a name with a dot or a slash.
fn is_path(word: &str) -> bool {
    word.contains(['.', '/']) && !word.contains(char::is_whitespace)
}

/// Fills the sandbox of a directory: with a saved state, or with a copy of the node.
fn prepare(cx: &mut Invocation<'_>, directory: &Path, from: Option<&str>) -> Result<(), Error> {
    let own = nodes::sandbox_directory(cx.session)?;
    match from {
        Some(name) => sandbox::load(directory, &sandbox_states::saved(&own, name)?)?,
        None if cx.settings.target.is_sandbox() => sandbox::copy(&own, directory)?,
        None => {
            let copied = sandbox_clone::copy(cx, directory, None)?;
            sandbox_clone::warn(cx, &copied);
        }
    }
    Ok(())
}

/// Runs the script in the sandbox below `home`. Returns its exit code and what failed.
fn run_in_copy(cx: &Invocation<'_>, home: &Path, script: &Path) -> Result<(ExitCode, Vec<Failure>), Error> {
    let _attended = cx.session.attend_to_ends()?;
    let needed = ["PATH", "TZ", "TZDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];
    let variables = needed.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
    let mut command = Command::new(own_program()?);
    command.env_clear().envs(variables).env("ZSTACK_CLI_HOME", home).env("ZSTACK_SANDBOX_SPEED", SPEED);
    command.args(["--sandbox", "--errors", "json"]);
    if cx.session.base.options.keep_going {
        command.arg("--keep-going");
    }
    command.arg("run").arg(script);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let mut failures = Vec::new();
    if let Some(told) = child.stderr.take() {
        for line in BufReader::new(told).lines() {
            let line = line?;
            match failure(&line) {
                Some(failure) => failures.push(failure),
                None => cx.say(&line),
            }
        }
    }
    let status = child.wait()?;
    if cx.session.interrupt.is_set() {
        return Err(client::Error::Interrupted { job: None }.into());
    }
    let number = status.code().and_then(|code| u8::try_from(code).ok());
    Ok((number.map_or(ExitCode::Bug, ExitCode::said), failures))
}

/// An error in the form of `--errors json`.
fn failure(line: &str) -> Option<Failure> {
    json::parse(line.as_bytes()).ok()?;
    let error = json::member(line.as_bytes(), "error")?;
    let text = |name: &str| match json::member(error, name) {
        Some(value) if json::kind(value) == json::Kind::Text => Some(json::unescape(value).into_owned()),
        Some(value) => Some(String::from_utf8_lossy(value).into_owned()),
        None => None,
    };
    Some(Failure { line: text("line"), code: text("code"), message: text("message")?, hint: text("hint") })
}

fn is_simulated(failure: &Failure) -> bool {
    failure.code.as_deref() != Some(NOT_SIMULATED)
}

fn row(failure: &Failure) -> Value {
    let change = if is_simulated(failure) { "failed" } else { "not simulated" };
    let line = failure.line.clone().map(|line| ("line", Value::Number(line)));
    let members = [("change", Value::text(change)), ("message", Value::text(failure.message.as_str()))];
    let members = members.into_iter().chain(line);
    Value::Map(members.map(|(name, value)| (name.to_owned(), value)).collect())
}

/// Says which lines failed, and how much is different.
fn tell(cx: &Invocation<'_>, failures: &[Failure], changes: &Changes) {
    for failure in failures {
        let place = failure.line.as_ref().map(|line| format!("line {line}: ")).unwrap_or_default();
        let why = if is_simulated(failure) { "" } else { "not simulated, so nobody knows what it would do: " };
        let hint = failure.hint.as_ref().map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
        cx.settings.ui.insist(&format!("{place}{why}{}{hint}", failure.message));
    }
    cx.say(&format!("{}, {} failed", sandbox_changes::summary(changes), failures.len()));
}
