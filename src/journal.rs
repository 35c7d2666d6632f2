//! The jobs that this machine submitted, across restarts of the program.
//!
//! An append-only file with one JSON object per line. A job is recorded before it is sent, so that its uuid cannot be
//! lost. Of its parameters the file has the uuid and the name of the resource. The client writes it as a [`JobRecord`]; the `job` commands read it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::client::{Job, JobOutcome, JobRecord};
use crate::config::{Error, Folders, append_line, lock_folder, read_private, write_private};
use crate::plan::Subject;

/// The size in bytes beyond which old jobs are removed.
const LONGEST: u64 = 1 << 20;

/// By how many bytes a larger file grows before it is checked for old jobs again.
const STEP: u64 = 1 << 16;

/// The number of jobs that are kept.
const KEPT: usize = 1000;

/// A job that was submitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobEntry {
    /// Its uuid.
    pub uuid: String,
    /// The API called.
    pub api: String,
    /// What it acts on.
    pub subject: Subject,
    /// The base URL of the node.
    pub url: String,
    /// The context in which it was submitted.
    pub context: Option<String>,
    /// When it was submitted, since 1970 in UTC.
    pub submitted: Duration,
    /// The user's time-out.
    pub timeout: Option<Duration>,
    /// Its outcome and when it was recorded; `None` while a process waits for it, or if that was killed.
    pub end: Option<(JobOutcome, Duration)>,
}

/// Shows a warning to the user.
type Warn = Arc<dyn Fn(&str) + Send + Sync>;

/// The journal of jobs.
#[derive(Clone)]
pub struct Journal {
    folder: PathBuf,
    path: PathBuf,
    url: String,
    context: Option<String>,
    /// Called once if the journal cannot be written.
    warn: Option<Warn>,
}

/// The size of the file before and after a line was added.
#[derive(Clone, Copy)]
struct Grown {
    from: u64,
    to: u64,
}

/// A line of the file. Unused members are left out.
#[derive(Serialize, Deserialize, Default)]
struct Line {
    /// The job's uuid: it ties the lines of one job together.
    job: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    api: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<u64>,
}

impl Journal {
    /// The journal in the state directory, for jobs sent to the node at `url`.
    pub fn new(folders: &Folders, url: &str, context: Option<&str>) -> Journal {
        let folder = folders.state.join("jobs");
        let context = context.map(str::to_owned);
        Journal { path: folder.join("jobs.jsonl"), folder, url: url.to_owned(), context, warn: None }
    }

    /// Sets the function that is called the first time that a job cannot be recorded.
    pub fn on_failure(&mut self, warn: impl Fn(&str) + Send + Sync + 'static) {
        self.warn = Some(Arc::new(warn));
    }

    /// The jobs of all nodes, the oldest first. Damaged lines are skipped.
    ///
    /// # Errors
    /// When the file cannot be read, or others can read it.
    pub fn entries(&self) -> Result<Vec<JobEntry>, Error> {
        let bytes = read_private(&self.path)?.unwrap_or_default();
        let mut entries: Vec<JobEntry> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for line in bytes.split(|byte| *byte == b'\n') {
            let Ok(line) = serde_json::from_slice::<Line>(line) else { continue };
            let at = Duration::from_secs(line.at.unwrap_or_default());
            if let (Some(api), Some(url)) = (line.api, line.url) {
                let entry = JobEntry {
                    uuid: line.job.clone(),
                    api,
                    subject: Subject { resource: line.resource, name: line.name },
                    url,
                    context: line.context,
                    submitted: at,
                    timeout: line.timeout.map(Duration::from_secs),
                    end: None,
                };
                match places.get(&line.job).and_then(|place| entries.get_mut(*place)) {
                    // It was sent again, to another address.
                    Some(known) => *known = entry,
                    None => {
                        places.insert(line.job, entries.len());
                        entries.push(entry);
                    }
                }
                continue;
            }
            let Some(entry) = places.get(&line.job).and_then(|place| entries.get_mut(*place)) else { continue };
            let subject = &mut entry.subject;
            subject.resource = line.resource.or(subject.resource.take());
            subject.name = line.name.or(subject.name.take());
            let outcome = line.outcome.as_deref().and_then(JobOutcome::parse);
            // A known outcome is kept when another process gives up waiting.
            if let Some(outcome) = outcome
                && (outcome != JobOutcome::Unknown || entry.end.is_none())
            {
                entry.end = Some((outcome, at));
            }
        }
        Ok(entries)
    }

    /// The jobs whose uuid has that prefix, the newest first.
    ///
    /// # Errors
    /// As [`Journal::entries`].
    pub fn find(&self, start: &str) -> Result<Vec<JobEntry>, Error> {
        let start = start.to_ascii_lowercase();
        let mut found = self.entries()?;
        found.retain(|entry| entry.uuid.starts_with(&start));
        found.reverse();
        Ok(found)
    }

    /// Adds a line and returns the sizes of the file.
    fn append(&self, line: &Line) -> Result<Grown, Error> {
        let mut text =
            serde_json::to_vec(line).map_err(|error| Error::Write { path: self.path.clone(), source: error.into() })?;
        text.push(b'\n');
        // A line that is added while another process removes old jobs would go to the replaced file. If the file system
        // does not support locks, the line is added anyway, although it may get lost.
        let _lock = lock_folder(&self.folder).ok();
        append_line(&self.path, &text)?;
        let to = std::fs::metadata(&self.path).map_or(0, |metadata| metadata.len());
        Ok(Grown { from: to.saturating_sub(text.len() as u64), to })
    }

    /// Adds a line, and warns the first time that this fails.
    fn note(&mut self, line: &Line) {
        let noted = self.append(line).and_then(|length| if is_due(length) { self.trim() } else { Ok(()) });
        if let Err(error) = noted
            && let Some(warn) = self.warn.take()
        {
            warn(&format!("job {} is not in the list of jobs: {error}", line.job));
        }
    }

    /// Removes old jobs, except those whose outcome is not known: the journal is needed to look for them.
    fn trim(&self) -> Result<(), Error> {
        let _lock = lock_folder(&self.folder)?;
        let mut text = Vec::new();
        let entries = self.entries()?;
        let old = entries.len().saturating_sub(KEPT);
        for (at, entry) in entries.iter().enumerate() {
            if at < old && !entry.is_open() {
                continue;
            }
            let line = Line {
                job: entry.uuid.clone(),
                api: Some(entry.api.clone()),
                url: Some(entry.url.clone()),
                resource: entry.subject.resource.clone(),
                name: entry.subject.name.clone(),
                context: entry.context.clone(),
                timeout: entry.timeout.map(|timeout| timeout.as_secs()),
                at: Some(entry.submitted.as_secs()),
                ..Line::default()
            };
            let end = entry.end.map(|(outcome, at)| Line {
                job: entry.uuid.clone(),
                outcome: Some(outcome.as_str().to_owned()),
                at: Some(at.as_secs()),
                ..Line::default()
            });
            for line in [Some(line), end].into_iter().flatten() {
                if serde_json::to_writer(&mut text, &line).is_ok() {
                    text.push(b'\n');
                }
            }
        }
        write_private(&self.path, &text)
    }
}

impl JobEntry {
    /// Whether its outcome is not known.
    fn is_open(&self) -> bool {
        self.end.is_none_or(|(outcome, _)| outcome == JobOutcome::Unknown)
    }
}

/// Whether to remove old jobs from a file of that size. If it stays large because outcomes are not known, this is done
/// from time to time only.
fn is_due(grown: Grown) -> bool {
    grown.to > LONGEST && grown.to / STEP != grown.from / STEP
}

/// If the journal cannot be written, the action is sent nevertheless; the warning contains its uuid.
impl JobRecord for Journal {
    fn submitted(&mut self, job: &Job, at: Duration) {
        let line = Line {
            job: job.uuid.clone(),
            api: Some(job.api.clone()),
            url: Some(self.url.clone()),
            context: self.context.clone(),
            timeout: job.timeout.map(|timeout| timeout.as_secs()),
            at: Some(at.as_secs()),
            ..Line::default()
        };
        self.note(&line);
    }

    fn acts_on(&mut self, uuid: &str, subject: &Subject) {
        if *subject != Subject::default() {
            let Subject { resource, name } = subject.clone();
            self.note(&Line { job: uuid.to_owned(), resource, name, ..Line::default() });
        }
    }

    fn ended(&mut self, uuid: &str, outcome: JobOutcome, at: Duration) {
        let line = Line {
            job: uuid.to_owned(),
            outcome: Some(outcome.as_str().to_owned()),
            at: Some(at.as_secs()),
            ..Line::default()
        };
        self.note(&line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal() -> (tempfile::TempDir, Journal) {
        let home = tempfile::tempdir().expect("a folder");
        let journal = Journal::new(&Folders::under(home.path()), "http://h/zstack", Some("prod"));
        (home, journal)
    }

    fn job(uuid: &str) -> Job {
        Job { uuid: uuid.into(), api: "CreateZone".into(), timeout: Some(Duration::from_secs(60)), submitted: None }
    }

    #[test]
    fn jobs_are_remembered_with_what_became_of_them() {
        let (_home, mut journal) = journal();
        assert_eq!(journal.entries().expect("nothing yet"), []);
        let second = Duration::from_secs;
        journal.submitted(&job("aa"), second(10));
        journal.submitted(&job("ab"), second(20));
        journal.ended("aa", JobOutcome::Failed, second(30));
        append_line(&journal.path, b"{\"job\":\"damag\n\xff\n").expect("appended");
        journal.ended("ab", JobOutcome::Unknown, second(35));
        journal.ended("ab", JobOutcome::Succeeded, second(40));
        journal.ended("ab", JobOutcome::Unknown, second(50));
        let entries = journal.entries().expect("readable");
        assert_eq!(entries.len(), 2);
        let first = JobEntry {
            uuid: "aa".into(),
            api: "CreateZone".into(),
            subject: Subject::default(),
            url: "http://h/zstack".into(),
            context: Some("prod".into()),
            submitted: second(10),
            timeout: Some(second(60)),
            end: Some((JobOutcome::Failed, second(30))),
        };
        assert_eq!(entries[0], first);
        assert_eq!((entries[1].uuid.as_str(), entries[1].end), ("ab", Some((JobOutcome::Succeeded, second(40)))));
        assert_eq!(journal.find("AB").expect("readable").len(), 1);
        assert_eq!(journal.find("c").expect("readable"), []);
    }

    #[test]
    fn a_line_that_a_crash_has_torn_swallows_no_other() {
        let (_home, mut journal) = journal();
        journal.submitted(&job("aa"), Duration::from_secs(10));
        append_line(&journal.path, b"{\"job\":\"ab\",\"ap").expect("appended");
        journal.submitted(&job("ac"), Duration::from_secs(20));
        let uuids: Vec<String> = journal.entries().expect("readable").into_iter().map(|entry| entry.uuid).collect();
        assert_eq!(uuids, ["aa", "ac"]);
        let text = std::fs::read_to_string(&journal.path).expect("readable");
        assert_eq!(text.lines().count(), 3, "{text}");
    }

    #[test]
    fn nothing_is_noted_while_another_process_forgets_old_jobs() {
        let (_home, mut journal) = journal();
        journal.submitted(&job("aa"), Duration::from_secs(10));
        let lock = lock_folder(&journal.folder).expect("locked");
        let (sender, receiver) = std::sync::mpsc::channel();
        let mut other = journal.clone();
        let appending = std::thread::spawn(move || {
            other.submitted(&job("ab"), Duration::from_secs(20));
            let _ = sender.send(());
        });
        assert!(receiver.recv_timeout(Duration::from_millis(300)).is_err(), "it does not wait");
        // As the other process does: what it has read takes the place of the file.
        let text = std::fs::read(&journal.path).expect("readable");
        write_private(&journal.path, &text).expect("written");
        drop(lock);
        appending.join().expect("no panic");
        assert_eq!(journal.entries().expect("readable").len(), 2);
    }

    #[test]
    fn old_jobs_are_forgotten_and_open_ones_never() {
        let (_home, mut journal) = journal();
        let at = Duration::from_secs(1);
        let submit = |uuid: &str| {
            format!("{{\"job\":\"{uuid}\",\"api\":\"CreateZone\",\"url\":\"http://h/zstack\",\"at\":1}}\n")
        };
        let end = |uuid: &str, outcome: &str| format!("{{\"job\":\"{uuid}\",\"outcome\":\"{outcome}\",\"at\":2}}\n");
        let mut text = submit("open") + &submit("unknown") + &end("unknown", "unknown");
        for number in 0.. {
            let uuid = format!("old{number}");
            text += &(submit(&uuid) + &end(&uuid, "succeeded"));
            // The next two lines lead beyond a step.
            if text.len() as u64 > LONGEST + STEP - 120 {
                break;
            }
        }
        append_line(&journal.path, text.as_bytes()).expect("appended");
        journal.submitted(&job("bb"), at);
        journal.ended("bb", JobOutcome::Succeeded, at);
        let entries = journal.entries().expect("readable");
        let uuids: Vec<&str> = entries.iter().map(|entry| entry.uuid.as_str()).collect();
        assert_eq!((uuids.len(), &uuids[..2]), (KEPT + 2, &["open", "unknown"][..]));
        let last = entries.last().map(|entry| (entry.uuid.as_str(), entry.end));
        assert_eq!(last, Some(("bb", Some((JobOutcome::Succeeded, at)))));
    }

    #[test]
    fn a_long_file_is_looked_through_from_time_to_time() {
        let due = |from: u64, to: u64| is_due(Grown { from, to });
        assert!(!due(LONGEST - 200, LONGEST) && due(LONGEST - 1, LONGEST + 100));
        assert!(!due(LONGEST + 100, LONGEST + 200) && due(LONGEST + STEP - 1, LONGEST + STEP + 80));
    }
}
