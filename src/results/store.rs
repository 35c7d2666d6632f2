//! The folder of results.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::private;
use crate::secret::{KnownSecrets, mask_command};

use super::record::{self, Record, Summary};

/// Limits of the stored results.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The maximum number of results.
    pub results: u64,
    /// The maximum size of a reply in bytes; only the start of a longer one is kept.
    pub reply: usize,
    /// The maximum size of all results in bytes.
    pub total: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { results: 1000, reply: 1 << 20, total: 64 << 20 }
    }
}

/// How many bytes of a reply that is too long are kept.
const KEPT_START: usize = 64 << 10;

/// Why a result cannot be kept or shown.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// There is no result of that number.
    #[error("there is no result {number}")]
    Missing {
        /// The requested number.
        number: u64,
        /// The existing numbers, from the oldest to the newest.
        known: Option<(u64, u64)>,
    },
    /// The file of a result is damaged.
    #[error("the result in {} is damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// A file or folder cannot be used.
    #[error("cannot use {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> ResultsError {
    let path = path.to_owned();
    move |source| ResultsError::Io { path, source }
}

/// The results kept in a folder.
#[derive(Clone, Debug)]
pub struct Results {
    folder: PathBuf,
    limits: Limits,
    keep_secrets: bool,
}

impl Results {
    /// The results kept in `folder`, which is created with the first one. With `keep_secrets` commands are kept as
    /// typed; replies are masked all the same.
    pub fn new(folder: PathBuf, limits: Limits, keep_secrets: bool) -> Results {
        Results { folder, limits, keep_secrets }
    }

    /// Begins to record a result; its reply is written to what this returns.
    pub fn record(&self, command: &str) -> Recording {
        Recording { results: self.clone(), command: command.to_owned(), kept: Vec::new(), size: 0 }
    }

    /// The results from the oldest to the newest, at most `count` of them. Damaged ones are left out.
    ///
    /// # Errors
    /// `Io` when the folder exists and cannot be read.
    pub fn latest(&self, count: usize) -> Result<Vec<Summary>, ResultsError> {
        let numbers = self.numbers()?;
        let from = numbers.len().saturating_sub(count);
        Ok(numbers[from..].iter().filter_map(|(number, _)| self.head(*number)).collect())
    }

    /// The result of that number.
    ///
    /// # Errors
    /// `Missing` if there is none, `Damaged` if its file has another format, `Io` if it cannot be read.
    pub fn load(&self, number: u64) -> Result<Record, ResultsError> {
        let path = self.path(number);
        private::check_owners(&path).map_err(io_error(&path))?;
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let numbers = self.numbers()?;
                let known = numbers.first().zip(numbers.last()).map(|(first, last)| (first.0, last.0));
                return Err(ResultsError::Missing { number, known });
            }
            Err(source) => return Err(ResultsError::Io { path, source }),
        };
        record::read(number, &text).ok_or(ResultsError::Damaged { path })
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number}.json"))
    }

    fn head(&self, number: u64) -> Option<Summary> {
        let mut bytes = Vec::new();
        // The head rarely exceeds this; if it does, the whole file is read.
        File::open(self.path(number)).ok()?.take(8192).read_to_end(&mut bytes).ok()?;
        let head = record::read_head(number, &String::from_utf8_lossy(&bytes));
        head.or_else(|| self.load(number).ok().map(|record| record.summary))
    }

    /// The numbers and sizes of all results, oldest first.
    fn numbers(&self) -> Result<Vec<(u64, u64)>, ResultsError> {
        private::check_owners(&self.folder).map_err(io_error(&self.folder))?;
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io_error(&self.folder)(error)),
        };
        let mut numbers: Vec<(u64, u64)> = entries
            .flatten()
            .filter_map(|entry| {
                let name = entry.file_name();
                let number = name.to_str()?.strip_suffix(".json")?.parse().ok()?;
                Some((number, entry.metadata().map_or(0, |metadata| metadata.len())))
            })
            .collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Adds a result to the folder and removes the oldest ones beyond the limits, under a lock against other processes.
    fn add(&self, text: &str) -> Result<u64, ResultsError> {
        private::check_owners(&self.folder).map_err(io_error(&self.folder))?;
        private::make_folder(&self.folder).map_err(io_error(&self.folder))?;
        let lock_path = self.folder.join("lock");
        let _lock = private::lock(&lock_path).map_err(io_error(&lock_path))?;
        let size = text.len() as u64;
        let mut tally = self.tally().map_or_else(|| self.count(), Ok)?;
        if !self.write_new(tally.next, text)? {
            // Another process added a result without updating the totals.
            tally = self.count()?;
            self.write_new(tally.next, text)?;
        }
        let number = tally.next;
        tally.next = number.saturating_add(1);
        tally.total += size;
        while tally.first < number
            && (tally.next - tally.first > self.limits.results || tally.total > self.limits.total)
        {
            let path = self.path(tally.first);
            let freed = fs::metadata(&path).map_or(0, |metadata| metadata.len());
            tally = match fs::remove_file(&path) {
                Ok(()) => FolderState { first: tally.first + 1, total: tally.total.saturating_sub(freed), ..tally },
                // The folder was removed.
                Err(error) if error.kind() == io::ErrorKind::NotFound => self.count()?,
                Err(error) => return Err(io_error(&path)(error)),
            };
        }
        let path = self.folder.join(TALLY);
        // Some file systems flush a file that is truncated first, which takes milliseconds.
        let written = private::options().write(true).create(true).truncate(false).open(&path);
        written.and_then(|mut file| file.write_all(tally.text().as_bytes())).map_err(io_error(&path))?;
        Ok(number)
    }

    /// Writes the file of a new result. Returns `false` if a result of that number exists.
    fn write_new(&self, number: u64, text: &str) -> Result<bool, ResultsError> {
        let path = self.path(number);
        match private::options().write(true).create_new(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            file => file.and_then(|mut file| file.write_all(text.as_bytes())).map(|()| true).map_err(io_error(&path)),
        }
    }

    /// The totals as stored by the last process; `None` if they are missing or incomplete.
    fn tally(&self) -> Option<FolderState> {
        FolderState::read(&fs::read_to_string(self.folder.join(TALLY)).ok()?)
    }

    /// The totals, counted.
    fn count(&self) -> Result<FolderState, ResultsError> {
        let numbers = self.numbers()?;
        let next = numbers.last().map_or(1, |(last, _)| last.saturating_add(1));
        let first = numbers.first().map_or(next, |(first, _)| *first);
        Ok(FolderState { first, next, total: numbers.iter().map(|(_, size)| size).sum() })
    }
}

/// Totals of the folder, stored so that a new result does not need a directory listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FolderState {
    /// The number of the oldest result.
    first: u64,
    /// The number of the next one.
    next: u64,
    /// The size of all files in bytes.
    total: u64,
}

/// The name of the file of the totals.
const TALLY: &str = "tally";

impl FolderState {
    /// The stored text, which has a fixed length and overwrites the previous one.
    fn text(self) -> String {
        format!("{:>20} {:>20} {:>20}\n", self.first, self.next, self.total)
    }

    fn read(text: &str) -> Option<FolderState> {
        // Without the end mark it was not written completely.
        let mut numbers = text.strip_suffix('\n')?.split_whitespace().map(str::parse);
        let mut number = || numbers.next()?.ok();
        let tally = FolderState { first: number()?, next: number()?, total: number()? };
        (tally.first <= tally.next && numbers.next().is_none()).then_some(tally)
    }
}

/// A result whose reply is still being written.
#[derive(Debug)]
pub struct Recording {
    results: Results,
    command: String,
    kept: Vec<u8>,
    size: u64,
}

impl Recording {
    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.size == 0
    }

    /// Stores the result, without the known secrets, and returns its number.
    ///
    /// # Errors
    /// `Io` when the folder cannot be written.
    pub fn finish(self, success: bool, known: &KnownSecrets) -> Result<u64, ResultsError> {
        let command = if self.results.keep_secrets { self.command } else { mask_command(&self.command) };
        let text = record::write(&command, success, SystemTime::now(), self.size, &self.kept, known);
        self.results.add(&text)
    }
}

impl Write for Recording {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let most = self.results.limits.reply;
        let was_whole = self.size <= most as u64;
        self.size += bytes.len() as u64;
        if self.size <= most as u64 {
            self.kept.extend_from_slice(bytes);
        } else if was_whole {
            // The reply exceeds the limit.
            let start = KEPT_START.min(most);
            let room = start.saturating_sub(self.kept.len());
            self.kept.extend_from_slice(&bytes[..room.min(bytes.len())]);
            self.kept.truncate(start);
            self.kept.shrink_to_fit();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Kept;
    use super::*;

    fn results(folder: &Path, limits: Limits) -> Results {
        Results::new(folder.join("results"), limits, false)
    }

    fn add(results: &Results, command: &str, reply: &str, success: bool) -> u64 {
        let mut recording = results.record(command);
        recording.write_all(reply.as_bytes()).expect("memory takes it");
        recording.finish(success, &KnownSecrets::default()).expect("the folder takes it")
    }

    #[test]
    fn results_are_numbered_and_read_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let results = results(folder.path(), Limits::default());
        assert!(results.latest(10).expect("nothing yet").is_empty());
        assert_eq!(add(&results, "QueryZone", "{\"inventories\":[]}", true), 1);
        assert_eq!(add(&results, "LogInByAccount password=hunter2", "{\"error\":{}}", false), 2);
        let record = results.load(1).expect("it is there");
        assert_eq!(record.reply, Kept::Whole("{\"inventories\":[]}".into()));
        let latest = results.latest(10).expect("they are there");
        let listed: Vec<(u64, &str, bool)> =
            latest.iter().map(|it| (it.number, it.command.as_str(), it.success)).collect();
        assert_eq!(listed, [(1, "QueryZone", true), (2, "LogInByAccount password=******", false)]);
        let error = results.load(9).expect_err("there is none");
        assert!(matches!(error, ResultsError::Missing { number: 9, known: Some((1, 2)) }));
    }

    #[test]
    fn the_oldest_make_room() {
        let folder = tempfile::tempdir().expect("a folder");
        let few = results(folder.path(), Limits { results: 2, ..Limits::default() });
        for _ in 0..4 {
            add(&few, "QueryZone", "{}", true);
        }
        let numbers: Vec<u64> = few.latest(9).expect("read").iter().map(|it| it.number).collect();
        assert_eq!(numbers, [3, 4]);
        let small = results(folder.path(), Limits { total: 1, ..Limits::default() });
        assert_eq!(add(&small, "QueryHost", "{}", true), 5);
        assert_eq!(small.latest(9).expect("read").len(), 1);
    }

    #[test]
    fn what_the_folder_holds_is_counted_where_that_was_not_written_down() {
        let folder = tempfile::tempdir().expect("a folder");
        let results = results(folder.path(), Limits { results: 3, ..Limits::default() });
        let numbers = || results.latest(9).expect("read").iter().map(|it| it.number).collect::<Vec<_>>();
        for _ in 0..4 {
            add(&results, "QueryZone", "{}", true);
        }
        assert_eq!(numbers(), [2, 3, 4]);
        for text in ["", "2 5", "9 5 1\n", "2 5 77", "x y z\n", "2 5 77\n5 6 7\n9"] {
            fs::write(results.folder.join(TALLY), text).expect("written");
            add(&results, "QueryZone", "{}", true);
        }
        assert_eq!(numbers(), [8, 9, 10]);
        // A result that was not counted, and one that was and is gone.
        fs::copy(results.path(10), results.path(11)).expect("copied");
        assert_eq!(add(&results, "QueryZone", "{}", true), 12);
        assert_eq!(numbers(), [10, 11, 12]);
        fs::remove_file(results.path(10)).expect("removed");
        assert_eq!(add(&results, "QueryZone", "{}", true), 13);
        assert_eq!(numbers(), [11, 12, 13]);
        let tally = results.tally().expect("written down");
        assert_eq!(tally, results.count().expect("read"));
    }

    #[test]
    fn a_large_reply_keeps_its_size_and_its_start() {
        let folder = tempfile::tempdir().expect("a folder");
        let results = results(folder.path(), Limits { reply: 16, ..Limits::default() });
        let number = add(&results, "QueryZone", "{\"inventories\":[{\"uuid\":\"x\"}]}", true);
        let record = results.load(number).expect("it is there");
        assert_eq!(record.summary.size, 30);
        assert_eq!(record.reply, Kept::Start("{\"inventories\":[".into()));
    }

    #[test]
    fn a_damaged_file_is_told_and_left_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let results = results(folder.path(), Limits::default());
        add(&results, "QueryZone", "{}", true);
        fs::write(results.path(2), "{").expect("written");
        assert_eq!(results.latest(9).expect("read").len(), 1);
        assert!(matches!(results.load(2), Err(ResultsError::Damaged { .. })));
        assert_eq!(add(&results, "QueryHost", "{}", true), 3);
    }

    #[test]
    fn only_the_owner_may_read_them() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let results = results(folder.path(), Limits::default());
        add(&results, "QueryZone", "{}", true);
        let mode = |path: &Path| fs::metadata(path).expect("it exists").permissions().mode() & 0o777;
        assert_eq!((mode(&results.folder), mode(&results.path(1))), (0o700, 0o600));
    }
}
