//! The command history: one file, shared by all shells of a user.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::private;

/// The largest number of commands kept.
const MOST_ENTRIES: usize = 10_000;

/// Returns the form of a typed command that may be stored, without secrets.
pub type Mask = Box<dyn Fn(&str) -> String>;

/// The history file.
///
/// Every shell appends to it under a lock and reads what others appended, so that no shell loses lines. An entry is one
/// line of text, in which `\n` stands for a line end and `\\` for a backslash. Only the owner may read the file.
pub struct History {
    path: Option<PathBuf>,
    mask: Mask,
    /// How much of the file has been read, in bytes.
    offset: u64,
    /// The number of entries read so far.
    entries: usize,
    /// The identity of the file that was read; a file that replaced it has another one.
    identity: u64,
}

impl std::fmt::Debug for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("History").field("path", &self.path).field("offset", &self.offset).finish_non_exhaustive()
    }
}

impl History {
    /// Returns the history kept in `path`; without a path nothing is stored. `mask` turns each command into what is
    /// written.
    pub fn new(path: Option<PathBuf>, mask: Mask) -> History {
        History { path, mask, offset: 0, entries: 0, identity: 0 }
    }

    /// Returns the entries that were added to the file since the last call, oldest first. The first call returns all of
    /// them.
    ///
    /// # Errors
    /// When the file exists and cannot be read.
    pub fn news(&mut self) -> io::Result<Vec<String>> {
        let Some(path) = self.path.clone() else { return Ok(Vec::new()) };
        private::check_owners(&path)?;
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let metadata = file.metadata()?;
        if identity(&metadata) == self.identity && metadata.len() == self.offset {
            return Ok(Vec::new());
        }
        file.lock_shared()?;
        self.read_from(&mut file)
    }

    /// Appends a command and returns the entries that other shells appended meanwhile. An empty command is not stored.
    ///
    /// # Errors
    /// When the file or its folder cannot be created or written.
    pub fn add(&mut self, line: &str) -> io::Result<Vec<String>> {
        let Some(path) = self.path.clone() else { return Ok(Vec::new()) };
        let line = (self.mask)(line.trim());
        if line.is_empty() {
            return Ok(Vec::new());
        }
        let mut file = open_locked(&path)?;
        let news = self.read_from(&mut file)?;
        file.write_all((encode(&line) + "\n").as_bytes())?;
        self.offset = file.stream_position()?;
        self.entries += 1;
        if self.entries > 2 * MOST_ENTRIES {
            self.shorten(&path, &mut file)?;
        }
        Ok(news)
    }

    /// Returns the form of a command that may be stored.
    pub(super) fn masked(&self, line: &str) -> String {
        (self.mask)(line)
    }

    /// Returns the path of a file in the same folder.
    pub(super) fn beside(&self, name: &str) -> Option<PathBuf> {
        self.path.as_ref().map(|path| path.with_file_name(name))
    }

    /// Reads the file from the offset on, and moves the offset to its end.
    fn read_from(&mut self, file: &mut File) -> io::Result<Vec<String>> {
        let metadata = file.metadata()?;
        if identity(&metadata) != self.identity || metadata.len() < self.offset {
            self.identity = identity(&metadata);
            (self.offset, self.entries) = (0, 0);
        }
        file.seek(SeekFrom::Start(self.offset))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        self.offset += bytes.len() as u64;
        let text = String::from_utf8_lossy(&bytes);
        let news: Vec<String> = text.lines().filter(|line| !line.is_empty()).map(decode).collect();
        self.entries += news.len();
        Ok(news)
    }

    /// Replaces a file that has grown too long with a shorter one. The caller holds its lock.
    fn shorten(&mut self, path: &Path, file: &mut File) -> io::Result<()> {
        self.offset = 0;
        let entries = latest(self.read_from(file)?);
        let kept = &entries[entries.len().saturating_sub(MOST_ENTRIES)..];
        let text: String = kept.iter().map(|entry| encode(entry) + "\n").collect();
        let metadata = private::replace(path, text.as_bytes())?.metadata()?;
        (self.identity, self.offset, self.entries) = (identity(&metadata), metadata.len(), kept.len());
        Ok(())
    }
}

/// Returns the last `count` different entries of a history file, oldest first.
///
/// # Errors
/// When the file exists and cannot be read.
pub fn last_entries(path: &Path, count: usize) -> io::Result<Vec<String>> {
    let mut history = History::new(Some(path.to_owned()), Box::new(str::to_owned));
    let lines = latest(history.news()?);
    let skipped = lines.len().saturating_sub(count);
    Ok(lines.into_iter().skip(skipped).collect())
}

/// Opens the file for appending and locks it. Creates it and its folder, readable by the owner only, where they are
/// missing.
fn open_locked(path: &Path) -> io::Result<File> {
    loop {
        private::check_owners(path)?;
        let mut options = private::options();
        options.read(true).append(true).create(true);
        let file = match options.open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                private::make_folder(path.parent().unwrap_or(Path::new(".")))?;
                options.open(path)?
            }
            other => other?,
        };
        file.lock()?;
        private::tighten(&file)?;
        // Another shell may have replaced the file with a shorter one before this lock was taken.
        if fs::metadata(path).is_ok_and(|now| file.metadata().is_ok_and(|ours| identity(&now) == identity(&ours))) {
            return Ok(file);
        }
    }
}

fn identity(metadata: &fs::Metadata) -> u64 {
    metadata.ino()
}

pub(super) fn encode(line: &str) -> String {
    line.replace('\\', r"\\").replace('\n', r"\n").replace('\r', r"\r")
}

pub(super) fn decode(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some(other) => out.push(other),
            None => out.push('\\'),
        }
    }
    out
}

/// Returns each entry once, at the position of its last use.
pub(super) fn latest(entries: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut kept: Vec<String> = entries.into_iter().rev().filter(|entry| seen.insert(entry.clone())).collect();
    kept.reverse();
    kept
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn open(path: &Path) -> History {
        History::new(Some(path.to_owned()), Box::new(|line| line.replace("hunter2", "******")))
    }

    #[test]
    fn shells_share_the_file_and_lose_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("new/history");
        let (mut ours, mut theirs) = (open(&path), open(&path));
        assert!(ours.news().expect("no file yet").is_empty());
        assert!(ours.add("QueryZone").expect("written").is_empty());
        assert_eq!(theirs.add("QueryHost name='a\\b\n c'").expect("written"), ["QueryZone"]);
        assert_eq!(ours.news().expect("read"), ["QueryHost name='a\\b\n c'"]);
        assert!(ours.news().expect("read").is_empty());
        assert_eq!(open(&path).news().expect("read").len(), 2);
    }

    #[test]
    fn secrets_and_blanks_are_not_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("history");
        let mut history = open(&path);
        history.add("LogInByAccount password=hunter2").expect("written");
        history.add("  ").expect("nothing to write");
        assert_eq!(fs::read_to_string(&path).expect("read"), "LogInByAccount password=******\n");
    }

    #[test]
    fn only_the_owner_may_read_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("history");
        fs::write(&path, "QueryZone\n").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("opened up");
        open(&path).add("QueryHost").expect("written");
        assert_eq!(fs::metadata(&path).expect("it exists").permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_long_file_is_shortened_and_others_notice() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("history");
        let lines: String = (0..2 * MOST_ENTRIES + 5).map(|n| format!("QueryZone limit={n}\n")).collect();
        fs::write(&path, lines).expect("written");
        let mut other = open(&path);
        other.news().expect("read");
        open(&path).add("QueryHost").expect("written");
        let kept = last_entries(&path, usize::MAX).expect("read");
        assert_eq!(kept.last().map(String::as_str), Some("QueryHost"));
        assert!(kept.len() <= MOST_ENTRIES + 1);
        let news = other.news().expect("read");
        assert_eq!(news.last().map(String::as_str), Some("QueryHost"));
    }

    #[test]
    fn duplicates_count_once_at_their_last_use() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("history");
        fs::write(&path, "a\nb\na\n").expect("written");
        assert_eq!(last_entries(&path, 10).expect("read"), ["b", "a"]);
        assert_eq!(last_entries(&path, 1).expect("read"), ["a"]);
        assert!(last_entries(&folder.path().join("none"), 1).expect("nothing").is_empty());
    }
}
