//! What a caller says about a call, and what comes back.

use std::io::{Cursor, Read};
use std::time::Duration;

use super::failure::ApiFailure;
use crate::json::{MEMORY_LIMIT, Piece, Pieces, ReadError, Scanner};

/// How a call is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallOptions {
    /// Whether to wait for a job's end.
    pub wait: bool,
    /// How long to wait for it; without, as long as the node says that it may take.
    pub timeout: Option<Duration>,
    /// The uuid to send the call under, where it was told before; without, a fresh one.
    pub job: Option<JobUuid>,
    /// Whether it was sent under that uuid before, by another client.
    pub is_repeat: bool,
}

impl Default for CallOptions {
    fn default() -> CallOptions {
        CallOptions { wait: true, timeout: None, job: None, is_repeat: false }
    }
}

/// The uuid that a call is sent under, and by which the node knows its job (J2). It reads as 32 characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobUuid(uuid::Uuid);

impl JobUuid {
    /// One that nobody has used.
    pub fn fresh() -> JobUuid {
        JobUuid(uuid::Uuid::new_v4())
    }

    /// The one that reads so.
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

/// What a call led to.
#[derive(Debug)]
pub enum Answer {
    /// The result.
    Reply(Reply),
    /// The node says that the API failed.
    Failed(ApiFailure),
    /// A job that goes on, because nobody wanted to wait.
    Detached(Job),
}

/// An asynchronous action in progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// By which the node knows it.
    pub uuid: String,
    /// The API that was called.
    pub api: String,
    /// How long the node lets it run.
    pub timeout: Option<Duration>,
    /// When it was submitted, since 1970 in UTC, where that is known.
    pub submitted: Option<Duration>,
}

/// The result of a call, to be read in pieces.
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

    /// A reply from pieces of another origin, such as several pages.
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

    /// The whole reply as JSON text, for replies that are known to be small; one that is not is an error.
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

/// How far a job is, as the node tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// From 0 to 100.
    pub percent: Option<u8>,
    /// What it is doing, in the node's language; without control characters.
    pub step: Option<String>,
}

/// A moment of waiting.
#[derive(Clone, Copy, Debug)]
pub struct Waiting<'a> {
    /// The job waited for.
    pub job: &'a str,
    /// Since it was submitted.
    pub elapsed: Duration,
    /// How far it is, where known.
    pub progress: Option<&'a Progress>,
}

/// Somebody who is told while a job or an answer is waited for, such as a spinner.
pub trait Watch {
    /// Called about ten times a second.
    fn waiting(&mut self, state: Waiting<'_>);

    /// Called now and then while one request has had no answer for more than a second, with the host and port that are
    /// to give it.
    fn silent(&mut self, _endpoint: &str, _elapsed: Duration) {}

    /// Whether it is worth asking the node how far the job is.
    fn wants_progress(&self) -> bool {
        false
    }

    /// The waiting is over; clears what was drawn.
    fn done(&mut self) {}
}

/// Nobody is told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn waiting(&mut self, _state: Waiting<'_>) {}
}

/// Somebody who keeps a record of submitted jobs. Moments are times since 1970 in UTC.
pub trait JobRecord: Send {
    /// An action is about to be sent; its answer may never come.
    fn submitted(&mut self, job: &Job, at: Duration);

    /// What became of it.
    fn ended(&mut self, uuid: &str, outcome: JobOutcome, at: Duration);
}

/// What became of a job, as far as this program knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobOutcome {
    /// It succeeded.
    Succeeded,
    /// It failed.
    Failed,
    /// It was refused before it ran, or never reached the node.
    NotRun,
    /// Nobody knows, or nobody waited.
    Unknown,
}

const OUTCOMES: [(JobOutcome, &str); 4] = [
    (JobOutcome::Succeeded, "succeeded"),
    (JobOutcome::Failed, "failed"),
    (JobOutcome::NotRun, "not run"),
    (JobOutcome::Unknown, "unknown"),
];

impl JobOutcome {
    /// In a word or two.
    pub fn as_str(self) -> &'static str {
        OUTCOMES.iter().find(|(outcome, _)| *outcome == self).map_or("", |(_, name)| name)
    }

    /// The outcome that [`JobOutcome::as_str`] calls so.
    pub fn parse(name: &str) -> Option<JobOutcome> {
        OUTCOMES.iter().find(|(_, known)| *known == name).map(|(outcome, _)| *outcome)
    }
}
