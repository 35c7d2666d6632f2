//! Options and results of calls.

use std::io::{Cursor, Read};
use std::time::Duration;

use super::failure::ApiFailure;
use crate::json::{MEMORY_LIMIT, Piece, Pieces, ReadError, Scanner};
use crate::plan::Subject;

/// Options of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallOptions {
    /// Whether to wait for a job's end.
    pub wait: bool,
    /// How long to wait for it; `None` for the time limit of the node.
    pub timeout: Option<Duration>,
    /// The uuid to send the call under, if it is known already; `None` for a new one.
    pub job: Option<JobUuid>,
    /// Whether the call was sent under that uuid before.
    pub is_repeat: bool,
    /// How many pages of a long query are requested at once; `None` for two, and up to four while the node answers as
    /// fast.
    pub page_parallel: Option<u32>,
}

impl Default for CallOptions {
    fn default() -> CallOptions {
        CallOptions { wait: true, timeout: None, job: None, is_repeat: false, page_parallel: None }
    }
}

/// The uuid that a call is sent under, and that identifies its job at the node (J2). It is printed as 32 characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobUuid(uuid::Uuid);

impl JobUuid {
    /// A new uuid.
    pub fn fresh() -> JobUuid {
        JobUuid(uuid::Uuid::new_v4())
    }

    /// The uuid of that text.
    pub fn parse(text: &str) -> Option<JobUuid> {
        uuid::Uuid::parse_str(text).ok().map(JobUuid)
    }

    /// As [`JobUuid::parse`].
    #[cfg(test)]
    pub(super) fn of(text: &str) -> JobUuid {
        JobUuid(uuid::Uuid::parse_str(text).expect("a uuid"))
    }
}

impl std::fmt::Display for JobUuid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.simple().fmt(f)
    }
}

/// The outcome of a call.
#[derive(Debug)]
pub enum Answer {
    /// The result.
    Reply(Reply),
    /// The node says that the API failed.
    Failed(ApiFailure),
    /// A job that is still running, since the caller did not want to wait.
    Detached(Job),
}

/// An asynchronous action in progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its uuid.
    pub uuid: String,
    /// The API that was called.
    pub api: String,
    /// How long the node lets it run.
    pub timeout: Option<Duration>,
    /// When it was submitted, since 1970 in UTC, where that is known.
    pub submitted: Option<Duration>,
}

/// The result of a call, which is read in pieces.
pub struct Reply {
    pieces: Box<dyn Pieces + Send>,
    job: Option<String>,
}

impl Reply {
    /// A reply from its whole text.
    pub fn of_text(text: Vec<u8>) -> Reply {
        Reply::of_reader(Box::new(Cursor::new(text)))
    }

    /// A reply that is still being received.
    pub fn of_reader(reader: Box<dyn Read + Send>) -> Reply {
        Reply::of_pieces(Box::new(Scanner::new(reader)))
    }

    /// A reply from another source of pieces, such as several pages.
    pub fn of_pieces(pieces: Box<dyn Pieces + Send>) -> Reply {
        Reply { pieces, job: None }
    }

    /// The same reply, as the result of a job.
    pub(super) fn with_job(mut self, uuid: &str) -> Reply {
        self.job = Some(uuid.to_owned());
        self
    }

    /// The job whose result this is.
    pub fn job(&self) -> Option<&str> {
        self.job.as_deref()
    }

    /// The whole reply as JSON text, for replies that are known to be small. A reply that is too large is an error.
    ///
    /// # Errors
    /// As [`Pieces::next_piece`].
    pub fn into_text(mut self) -> Result<Vec<u8>, ReadError> {
        let mut out = vec![b'{'];
        let mut first_row = false;
        while let Some(piece) = self.pieces.next_piece()? {
            if out.len() > MEMORY_LIMIT {
                return Err(ReadError::TooMuch { limit: MEMORY_LIMIT });
            }
            if matches!(piece, Piece::Member { .. } | Piece::Rows { .. }) && out.len() > 1 {
                out.push(b',');
            }
            match piece {
                Piece::Member { name, text } => {
                    out.extend_from_slice(format!("\"{name}\":").as_bytes());
                    out.extend_from_slice(text);
                }
                Piece::Rows { name } => {
                    out.extend_from_slice(format!("\"{name}\":[").as_bytes());
                    first_row = true;
                }
                Piece::Row(text) => {
                    if !std::mem::take(&mut first_row) {
                        out.push(b',');
                    }
                    out.extend_from_slice(text);
                }
                Piece::EndRows => out.push(b']'),
            }
        }
        out.push(b'}');
        Ok(out)
    }
}

impl Pieces for Reply {
    fn next_piece(&mut self) -> Result<Option<Piece<'_>>, ReadError> {
        self.pieces.next_piece()
    }
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply").field("job", &self.job).finish_non_exhaustive()
    }
}

/// The progress of a job, as reported by the node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// From 0 to 100.
    pub percent: Option<u8>,
    /// The current step, in the node's language; without control characters.
    pub step: Option<String>,
}

/// The state of a job that is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Waiting<'a> {
    /// The job waited for.
    pub job: &'a str,
    /// Since it was submitted.
    pub elapsed: Duration,
    /// Its progress, if known.
    pub progress: Option<&'a Progress>,
}

/// An observer of the wait for a job or an answer, such as a spinner.
pub trait Watch {
    /// Called about ten times a second.
    fn waiting(&mut self, state: Waiting<'_>);

    /// Called repeatedly while a request has had no answer for more than a second. `_endpoint` is the host and port
    /// that it was sent to.
    fn silent(&mut self, _endpoint: &str, _elapsed: Duration) {}

    /// Whether to ask the node for the progress of the job.
    fn wants_progress(&self) -> bool {
        false
    }

    /// Called at the end of the wait, to clear what was drawn.
    fn done(&mut self) {}
}

/// An observer that does nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn waiting(&mut self, _state: Waiting<'_>) {}
}

/// A record of submitted jobs. Times are since 1970 in UTC.
pub trait JobRecord: Send {
    /// Called before an action is sent, since its answer may be lost.
    fn submitted(&mut self, job: &Job, at: Duration);

    /// Called with what the action acts on, where that is known.
    fn acts_on(&mut self, _uuid: &str, _subject: &Subject) {}

    /// Called with the outcome.
    fn ended(&mut self, uuid: &str, outcome: JobOutcome, at: Duration);
}

/// The outcome of a job, as far as this program knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobOutcome {
    /// It succeeded.
    Succeeded,
    /// It failed.
    Failed,
    /// It was refused before it ran, or it never reached the node.
    NotRun,
    /// The outcome is not known, or the program did not wait for it.
    Unknown,
}

const OUTCOMES: [(JobOutcome, &str); 4] = [
    (JobOutcome::Succeeded, "succeeded"),
    (JobOutcome::Failed, "failed"),
    (JobOutcome::NotRun, "not run"),
    (JobOutcome::Unknown, "unknown"),
];

impl JobOutcome {
    /// The name of the outcome.
    pub fn as_str(self) -> &'static str {
        OUTCOMES.iter().find(|(outcome, _)| *outcome == self).map_or("", |(_, name)| name)
    }

    /// The outcome of that name.
    pub fn parse(name: &str) -> Option<JobOutcome> {
        OUTCOMES.iter().find(|(_, known)| *known == name).map(|(outcome, _)| *outcome)
    }
}
