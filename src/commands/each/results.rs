//! The results file of `each`: one line of JSON for each row.
//!
//! Before an action is sent, a line with its row and its job is written and synced to disk, so that a later run can ask
//! the node for it. A second line has the outcome. When a run ends, the lines without an outcome are removed.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;

use crate::error::{Error, Kind};
use crate::json::write_literal;
use crate::private;

use super::rows::wrong;

/// The results file of a run.
pub(super) struct ResultsFile {
    path: PathBuf,
    file: File,
}

/// What is written about a row.
#[derive(Debug, Default)]
pub(super) struct Entry<'a> {
    pub(super) row: usize,
    /// The command, secrets masked.
    pub(super) line: &'a str,
    /// `None` before it is sent.
    pub(super) exit_code: Option<u8>,
    /// The uuid of the resource in the result.
    pub(super) uuid: Option<String>,
    pub(super) job: Option<&'a str>,
    /// The text of an error object.
    pub(super) error: Option<String>,
}

/// What an earlier run wrote about a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Earlier {
    pub(super) line: String,
    pub(super) state: State,
}

/// How far a row is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    Done,
    /// It failed, or was not sent, so that it runs again.
    Open,
    /// Its outcome is not known; the job, if it has one, and when it was submitted, if known.
    Uncertain {
        job: Option<String>,
        at: Option<Duration>,
    },
}

/// The kinds of errors after which an action may have been carried out.
const UNCERTAIN: [Kind; 9] = [
    Kind::AnswerLost,
    Kind::OutcomeUnknown,
    Kind::Interrupted,
    Kind::NotANode,
    Kind::Redirect,
    Kind::SessionExpired,
    Kind::BadReply,
    Kind::CutShort,
    Kind::TooLong,
];

/// A line of the file.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    row: usize,
    line: String,
    exit_code: Option<u8>,
    job: Option<String>,
    error: Option<WrittenError>,
    at: Option<u64>,
}

#[derive(Deserialize)]
struct WrittenError {
    kind: String,
}

impl ResultsFile {
    /// Creates a results file.
    ///
    /// # Errors
    /// When it has content already, or cannot be written.
    pub(super) fn create(path: &Path) -> Result<ResultsFile, Error> {
        let file = open(path)?;
        if file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0) {
            let name = path.display();
            let problem = format!("{name} has results already: `--resume {name}` continues that run");
            return Err(wrong("--results", problem));
        }
        Ok(ResultsFile { path: path.to_owned(), file })
    }

    /// Opens the results file of an earlier run, with what it says of its rows.
    ///
    /// # Errors
    /// When it cannot be read or written, or is no results file, or another run uses it.
    pub(super) fn resume(path: &Path) -> Result<(ResultsFile, BTreeMap<usize, Earlier>), Error> {
        if let Err(source) = fs::metadata(path) {
            return Err(Error::Script { path: path.display().to_string(), source });
        }
        let mut file = open(path)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(|source| Error::Script { path: path.display().to_string(), source })?;
        let earlier = read(&text, path)?;
        if text.last().is_some_and(|last| *last != b'\n') {
            file.write_all(b"\n").map_err(|source| not_written(path, source))?;
        }
        Ok((ResultsFile { path: path.to_owned(), file }, earlier))
    }

    /// Where the file is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes lines before actions are sent. After this they are on disk, whatever happens.
    pub(super) fn intend<'a>(&mut self, entries: impl Iterator<Item = Entry<'a>>) -> Result<(), Error> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let lines: String = entries.map(|entry| entry.text(Some(now))).collect();
        if lines.is_empty() {
            return Ok(());
        }
        let synced = self.file.write_all(lines.as_bytes()).and_then(|()| self.file.sync_data());
        match synced {
            // Pipes and devices cannot be synced.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            synced => synced.map_err(|source| not_written(&self.path, source)),
        }
    }

    /// Writes the outcome of a row.
    pub(super) fn end(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
        self.file.write_all(entry.text(None).as_bytes()).map_err(|source| not_written(&self.path, source))
    }

    /// Removes the lines without an outcome at the end of a run. The file is replaced; if that is not possible, it keeps
    /// those lines, which do no harm.
    pub(super) fn finish(self) -> io::Result<()> {
        let path = fs::canonicalize(&self.path)?;
        if !fs::metadata(&path)?.is_file() {
            return Ok(());
        }
        let text = fs::read(&path)?;
        let has_outcome =
            |line: &&[u8]| serde_json::from_slice::<Written>(line).is_ok_and(|line| line.exit_code.is_some());
        let kept: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').filter(has_outcome).collect();
        let kept = kept.concat();
        if kept.len() == text.len() {
            return Ok(());
        }
        let replacement = private::replacement(&path, &kept)?;
        replacement.as_file().set_permissions(fs::metadata(&path)?.permissions())?;
        replacement.persist(&path).map(drop).map_err(|error| error.error)
    }
}

impl Entry<'_> {
    /// The line of the file. `at` is the time before an action is sent, in seconds since 1970.
    fn text(&self, at: Option<u64>) -> String {
        let mut out = format!("{{\"row\": {}, \"line\": ", self.row).into_bytes();
        write_literal(&mut out, self.line);
        if let Some(code) = self.exit_code {
            out.extend_from_slice(format!(", \"exitCode\": {code}").as_bytes());
        }
        for (name, text) in [("uuid", self.uuid.as_deref()), ("job", self.job)] {
            if let Some(text) = text {
                out.extend_from_slice(format!(", \"{name}\": ").as_bytes());
                write_literal(&mut out, text);
            }
        }
        if let Some(at) = at {
            out.extend_from_slice(format!(", \"at\": {at}").as_bytes());
        }
        let error = self.error.as_ref().map(|error| format!(", \"error\": {error}")).unwrap_or_default();
        out.extend_from_slice(error.as_bytes());
        out.extend_from_slice(b"}\n");
        String::from_utf8_lossy(&out).into_owned()
    }
}

fn open(path: &Path) -> Result<File, Error> {
    let file = OpenOptions::new().read(true).append(true).create(true).open(path);
    let file = file.map_err(|source| not_written(path, source))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            Err(wrong("--resume", format!("another run writes to {} at the moment", path.display())))
        }
        // Some file systems have no locks.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}

fn not_written(path: &Path, source: io::Error) -> Error {
    Error::Export { path: path.display().to_string(), source }
}

/// What the lines of a results file say of each row, the last ones first. A crash may have torn the last line.
fn read(text: &[u8], path: &Path) -> Result<BTreeMap<usize, Earlier>, Error> {
    let mut earlier: BTreeMap<usize, Earlier> = BTreeMap::new();
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    let last = lines.len().saturating_sub(1);
    for (at, line) in lines.into_iter().enumerate().filter(|(_, line)| !line.trim_ascii().is_empty()) {
        let written = match serde_json::from_slice::<Written>(line) {
            Ok(written) => written,
            Err(_) if at == last => continue,
            Err(_) => {
                let problem = format!("line {} of {} is no result of a row", at + 1, path.display());
                return Err(wrong("--resume", problem));
            }
        };
        let is_done = earlier.get(&written.row).is_some_and(|earlier| earlier.state == State::Done);
        if !is_done {
            let state = written.state();
            earlier.insert(written.row, Earlier { line: written.line, state });
        }
    }
    Ok(earlier)
}

impl Written {
    fn state(&self) -> State {
        let kind = self.error.as_ref().map_or("", |error| error.kind.as_str());
        match self.exit_code {
            Some(0) => State::Done,
            Some(_) if !UNCERTAIN.iter().any(|one| one.word() == kind) => State::Open,
            // A node that refused the session may still get a copy of the action.
            Some(_) if kind == Kind::SessionExpired.word() && self.job.is_none() => State::Open,
            _ => State::Uncertain { job: self.job.clone(), at: self.at.map(Duration::from_secs) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_a_row_counts_and_what_is_done_stays_done() {
        let text = concat!(
            "{\"row\": 1, \"line\": \"X\", \"job\": \"a\", \"at\": 7}\n{\"row\": 1, \"line\": \"X\", \"exitCode\": 0}\n",
            "{\"row\": 2, \"line\": \"X\", \"job\": \"b\", \"at\": 7}\n",
            "{\"row\": 3, \"line\": \"X\", \"exitCode\": 3, \"job\": \"c\", \"error\": {\"kind\": \"api-failed\"}}\n",
            "{\"row\": 4, \"line\": \"X\", \"exitCode\": 4, \"error\": {\"kind\": \"answer-lost\"}}\n",
            "{\"row\": 5, \"line\": \"X\", \"exitCode\": 4, \"job\": \"e\", \"error\": {\"kind\": \"unreachable\"}}\n",
            "{\"row\": 6, \"li",
        );
        let earlier = read(text.as_bytes(), Path::new("r")).expect("results");
        let states: Vec<State> = earlier.into_values().map(|earlier| earlier.state).collect();
        let at = Some(Duration::from_secs(7));
        assert_eq!(
            states,
            [
                State::Done,
                State::Uncertain { job: Some("b".into()), at },
                State::Open,
                State::Uncertain { job: None, at: None },
                State::Open,
            ]
        );
        let error = read(b"{\"row\": 1}\n{}\n", Path::new("r")).expect_err("no results").to_string();
        assert_eq!(error, "--resume: line 1 of r is no result of a row");
    }

    #[test]
    fn what_has_no_outcome_is_removed_at_the_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("results");
        let mut results = ResultsFile::create(&path).expect("a new file");
        assert!(ResultsFile::resume(&path).is_err(), "it is in use");
        let entry = |row, exit_code| Entry { row, line: "X 'a b'", exit_code, job: Some("j"), ..Entry::default() };
        results.intend([entry(1, None), entry(2, None)].into_iter()).expect("written");
        results.end(&entry(1, Some(0))).expect("written");
        results.finish().expect("replaced");
        let text = fs::read_to_string(&path).expect("readable");
        assert_eq!(text, "{\"row\": 1, \"line\": \"X 'a b'\", \"exitCode\": 0, \"job\": \"j\"}\n");
        assert!(ResultsFile::create(&path).is_err(), "it has results");
    }
}
