//! Errors of calls, except the failures that the node reports.

use std::time::Duration;

use super::call::JobUuid;
use super::failure::ApiFailure;
use super::wire::TransportError;
use crate::json::ReadError;

/// Why a call has no reply. [`Error::class`] says what it means for the caller.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The node received nothing.
    #[error("cannot reach {endpoint}: {source}")]
    Unreachable {
        /// Host and port.
        endpoint: String,
        /// Why.
        source: TransportError,
    },
    /// A call that only reads was sent and repeated, and no complete answer came.
    #[error("no answer from {endpoint}: {source}")]
    NoAnswer {
        /// Host and port.
        endpoint: String,
        /// Why.
        source: TransportError,
    },
    /// An action was sent, and its outcome is not known. It was not sent again.
    #[error("the outcome of {api} is unknown: {reason}")]
    OutcomeUnknown {
        /// The API called.
        api: &'static str,
        /// The job, if the action is asynchronous.
        job: Option<String>,
        /// Why the outcome is not known.
        reason: Uncertainty,
    },
    /// The user stopped waiting. An action continues.
    #[error("interrupted")]
    Interrupted {
        /// The job that continues, if one was submitted.
        job: Option<String>,
    },
    /// The user stopped waiting before the node answered an action. The node may have received it.
    #[error("interrupted before {api} was answered; whether it is carried out is unknown")]
    Unanswered {
        /// The API called.
        api: &'static str,
        /// The job, if the action is asynchronous.
        job: Option<String>,
    },
    /// The call needs a session and there is none.
    #[error("{api} needs a session, and nobody is logged in")]
    NoSession {
        /// The API called.
        api: &'static str,
    },
    /// The node refused the log-in with the password of the environment.
    #[error("the log-in was refused")]
    LogInRefused {
        /// What the node says.
        failure: Box<ApiFailure>,
    },
    /// The session is unknown to the node or has expired, and could not be renewed.
    #[error("the session has expired")]
    SessionExpired {
        /// What the node says.
        failure: Box<ApiFailure>,
        /// The uuid of an action that the node refused and has no record of. If it is sent again with another session,
        /// it must keep that uuid.
        refused_job: Option<JobUuid>,
    },
    /// The front end of the node refused the request in plain text. Nothing ran.
    #[error("the node refused the request with status {status}{}", said(text))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The text of the node; often empty.
        text: String,
    },
    /// The node has no such API.
    #[error("the node{} has no API {api}", in_brackets(version.as_deref()))]
    NoSuchApi {
        /// The API called.
        api: &'static str,
        /// The ZStack version of the node, where known.
        version: Option<String>,
        /// The error of the node, if it answered with one.
        failure: Option<Box<ApiFailure>>,
    },
    /// The node has no API at a path that the catalog does not know either.
    #[error("the node has no API at {path}")]
    NoSuchPath {
        /// The path below `/v1`.
        path: String,
    },
    /// A node without this API would run another one instead, and this node does not list its APIs (R1). Nothing was
    /// sent.
    #[error(
        "{api} was not sent: the node does not say whether it has this API, and one without it runs another instead"
    )]
    MayBeAnother {
        /// The API called.
        api: &'static str,
    },
    /// The node is starting: it answers, but not yet to API calls.
    #[error("the node at {endpoint} is starting")]
    Starting {
        /// Host and port.
        endpoint: String,
    },
    /// A proxy or the web server of the node answers instead of the node.
    #[error("{endpoint} answers with status {status}, and not as a management node does: {what}")]
    NotTheNode {
        /// Host and port.
        endpoint: String,
        /// The HTTP status.
        status: u16,
        /// What it answered.
        what: Oddity,
        /// The job of an action that was sent there. It may have been forwarded and carried out.
        job: Option<String>,
    },
    /// The address redirects to another one. Nothing was sent there.
    #[error("{endpoint} redirects to {location}")]
    Redirect {
        /// Host and port.
        endpoint: String,
        /// Where to, without secrets.
        location: String,
        /// As in [`Error::NotTheNode`].
        job: Option<String>,
    },
    /// The body of a reply cannot be read, or is not a JSON object.
    #[error("the reply is not what a management node sends: {flaw}")]
    Reply {
        /// What is wrong with it.
        flaw: String,
    },
    /// The connection failed while a reply was read. A part of it may have been printed.
    #[error("the connection failed while the reply was read: {source}")]
    CutShort {
        /// Why.
        source: TransportError,
    },
    /// The reply, or a part of it that has to be held in memory, is too long.
    #[error("the reply is too long: {flaw}")]
    TooLong {
        /// What is too long.
        flaw: String,
    },
    /// A later page of a query failed while the reply was being read.
    #[error("a later page of the query failed")]
    Failed {
        /// What the node says.
        failure: Box<ApiFailure>,
    },
    /// The request cannot be sent: a value would change the path, or TLS cannot be set up.
    #[error("the request cannot be sent: {source}")]
    NotSent {
        /// Why.
        source: TransportError,
    },
}

/// Why the outcome of an action is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Uncertainty {
    /// The connection failed after the action was sent, and there is no job to look for.
    #[error("{0} after the action was sent; it may have been carried out")]
    Lost(TransportError),
    /// The action was sent, and the answer is not that of a node.
    #[error("{what} came back with status {status} after the action was sent; it may have been carried out")]
    Answer {
        /// The HTTP status.
        status: u16,
        /// What came.
        what: Oddity,
    },
    /// The program ended before the answer came, and there is no job to look for.
    #[error("the program ended before it was answered; it may have been carried out")]
    Stopped,
    /// The front end of the node failed, and there is no job to look for (T8).
    #[error("the node broke off with status {status}{}; the action may have been carried out", said(text))]
    Broke {
        /// The HTTP status.
        status: u16,
        /// The text of the node; often empty.
        text: String,
    },
    /// It was sent more than once, and only the last attempt was refused. An earlier one may still arrive.
    #[error("it was sent {sends} times, and the refusal of the last ({refusal}) says nothing of the others")]
    RefusedAgain {
        /// How often it was sent.
        sends: u32,
        /// The refusal of the last attempt.
        refusal: String,
    },
    /// The node refused its uuid as a duplicate, and has no record of the job (J2).
    #[error("the node received it before, and has no record of it")]
    Duplicate,
    /// The session ended while the action was running (E4). What was done before that is not known.
    #[error("its session ended within the node ({}); the action may have begun", .0.code())]
    Session(Box<ApiFailure>),
    /// The job has ended, and its result cannot be read.
    #[error("the job has ended, and its result cannot be read: {flaw}")]
    Unreadable {
        /// What is wrong with it.
        flaw: String,
    },
    /// The action was sent, and the node does not answer polls of its job any more.
    #[error("the node does not answer any more ({0})")]
    Unreachable(TransportError),
    /// The action was sent, and the answers to polls of its job are unusable.
    #[error("the node answers with status {0} when asked for the job")]
    Strange(u16),
    /// The node is starting, and its jobs cannot be polled yet (T9).
    #[error("the node is starting, and cannot be asked for the job yet")]
    Starting,
    /// The node reports the job as running, but started after it was submitted (R20).
    #[error("the node started on {started}, after the job was submitted; the job probably died with the node before")]
    Restarted {
        /// The start time, as reported by the node.
        started: String,
    },
    /// The job is still running at the end of the time-out.
    #[error("the job still runs after {}", seconds(*waited))]
    StillRunning {
        /// How long was waited.
        waited: Duration,
    },
    /// The node does not know the job: it ended long ago, or its record was lost (J5).
    #[error("the node has no record of the job: it ended long ago, or the node never had it")]
    NoRecord,
    /// The node has no record of a job whose parameters its database may not store. It may have run it (R9).
    #[error(
        "the node has no record of the job, and may be unable to keep one with characters beyond U+FFFF; the action may \
         have been carried out"
    )]
    Unrecordable,
}

/// An answer that is not that of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Oddity {
    /// A web page.
    #[error("a web page")]
    Page,
    /// Nothing.
    #[error("an empty reply")]
    Empty,
    /// Text that is not a JSON object.
    #[error("text that is not a JSON object")]
    Text,
    /// A JSON object that the protocol does not have here.
    #[error("an object that is neither a result nor an error")]
    Object,
    /// A log-in page of a proxy.
    #[error("a request to log in")]
    LogIn,
    /// A redirect to another address.
    #[error("a redirect")]
    Redirect,
}

/// What an error means for the caller. The exit codes follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The node answered, and the answer is a failure.
    Failure,
    /// No usable answer.
    NoAnswer,
    /// No session.
    NoSession,
    /// The outcome of a job is not known.
    Unknown,
    /// Interrupted.
    Interrupted,
}

impl Error {
    /// What the error means for the caller.
    pub fn class(&self) -> Class {
        match self {
            Error::Refused { .. }
            | Error::NoSuchApi { .. }
            | Error::NoSuchPath { .. }
            | Error::MayBeAnother { .. }
            | Error::Failed { .. } => Class::Failure,
            Error::OutcomeUnknown { job: Some(_), .. } => Class::Unknown,
            Error::Unreachable { .. }
            | Error::NoAnswer { .. }
            | Error::OutcomeUnknown { job: None, .. }
            | Error::Starting { .. }
            | Error::NotTheNode { .. }
            | Error::Redirect { .. }
            | Error::Reply { .. }
            | Error::CutShort { .. }
            | Error::TooLong { .. }
            | Error::NotSent { .. } => Class::NoAnswer,
            Error::NoSession { .. } | Error::LogInRefused { .. } | Error::SessionExpired { .. } => Class::NoSession,
            Error::Interrupted { .. } | Error::Unanswered { .. } => Class::Interrupted,
        }
    }

    /// The job that may continue although there is no reply.
    pub fn job(&self) -> Option<&str> {
        match self {
            Error::OutcomeUnknown { job, .. }
            | Error::Interrupted { job }
            | Error::Unanswered { job, .. }
            | Error::NotTheNode { job, .. }
            | Error::Redirect { job, .. } => job.as_deref(),
            _ => None,
        }
    }

    /// Whether the node may be at the same address with or without `/zstack`: another server answered, and not because
    /// the node is down.
    pub fn may_be_elsewhere(&self) -> bool {
        match self {
            Error::NotTheNode { status, .. }
            | Error::OutcomeUnknown { job: None, reason: Uncertainty::Answer { status, .. }, .. } => {
                !matches!(status, 502..=504)
            }
            // A node that serves the root answers this for any other path (T9).
            Error::Starting { .. } | Error::Redirect { .. } => true,
            Error::OutcomeUnknown { reason: Uncertainty::Broke { status, .. }, .. } => *status == 404,
            _ => false,
        }
    }

    /// Whether an action without a job did not run. A log-in that another server answered counts as such, since its
    /// outcome does not matter.
    pub fn has_not_run(&self) -> bool {
        self.nothing_ran() || matches!(self, Error::NotTheNode { job: None, .. } | Error::Redirect { job: None, .. })
    }

    /// Whether it is certain that nothing ran: the call was not sent, or the node's front end refused it.
    pub(super) fn nothing_ran(&self) -> bool {
        match self {
            Error::Unreachable { .. }
            | Error::NotSent { .. }
            | Error::NoSession { .. }
            | Error::LogInRefused { .. }
            | Error::SessionExpired { .. }
            | Error::Refused { .. }
            | Error::NoSuchApi { .. }
            | Error::NoSuchPath { .. }
            | Error::MayBeAnother { .. }
            | Error::Starting { .. } => true,
            // Without a job, nothing had been sent yet.
            Error::Interrupted { job } => job.is_none(),
            Error::NoAnswer { .. }
            | Error::OutcomeUnknown { .. }
            | Error::Unanswered { .. }
            | Error::NotTheNode { .. }
            | Error::Redirect { .. }
            | Error::Reply { .. }
            | Error::CutShort { .. }
            | Error::TooLong { .. }
            | Error::Failed { .. } => false,
        }
    }

    /// The failure that the node reported, if it did.
    pub fn failure(&self) -> Option<&ApiFailure> {
        match self {
            Error::LogInRefused { failure }
            | Error::SessionExpired { failure, .. }
            | Error::Failed { failure }
            | Error::OutcomeUnknown { reason: Uncertainty::Session(failure), .. }
            | Error::NoSuchApi { failure: Some(failure), .. } => Some(failure),
            _ => None,
        }
    }

    /// The client's error inside the error of a reply's pieces.
    pub fn of_read(error: &ReadError) -> Error {
        let io = match error {
            ReadError::Read(io) => io,
            ReadError::TooLong { .. } | ReadError::TooMuch { .. } => return Error::TooLong { flaw: error.to_string() },
            flaw => return Error::Reply { flaw: flaw.to_string() },
        };
        if let Some(inner) = io.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            return inner.clone();
        }
        match TransportError::of(io) {
            TransportError::Interrupted => Error::Interrupted { job: None },
            source => Error::CutShort { source },
        }
    }
}

impl From<Error> for std::io::Error {
    fn from(error: Error) -> std::io::Error {
        std::io::Error::other(error)
    }
}

fn in_brackets(version: Option<&str>) -> String {
    version.map(|version| format!(" (ZStack {version})")).unwrap_or_default()
}

fn said(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

/// A duration for messages: `30 s`, `5 min`, `1 h 20 min`.
pub(super) fn seconds(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_follow_what_is_known() {
        let silent = TransportError::Silent { after: Duration::from_secs(3) };
        let lost = |job: Option<&str>| Error::OutcomeUnknown {
            api: "CreateZone",
            job: job.map(str::to_owned),
            reason: Uncertainty::Lost(silent.clone()),
        };
        assert_eq!(lost(None).class(), Class::NoAnswer);
        assert_eq!(lost(Some("a")).class(), Class::Unknown);
        assert_eq!(Error::NoSession { api: "QueryZone" }.class(), Class::NoSession);
        assert_eq!(Error::Interrupted { job: None }.class(), Class::Interrupted);
        assert_eq!(Error::Unanswered { api: "CreateZone", job: None }.class(), Class::Interrupted);
        assert_eq!(Error::Refused { status: 400, text: String::new() }.class(), Class::Failure);
    }

    #[test]
    fn errors_of_readers_are_found_again() {
        let inner = Error::NoSuchApi { api: "QueryZone", version: None, failure: None };
        let read = ReadError::Read(inner.into());
        assert!(matches!(Error::of_read(&read), Error::NoSuchApi { api: "QueryZone", .. }));
        let read = ReadError::Read(TransportError::Interrupted.into());
        assert!(matches!(Error::of_read(&read), Error::Interrupted { job: None }));
        let cut = Error::of_read(&ReadError::Read(std::io::Error::other("reset")));
        assert_eq!(cut.class(), Class::NoAnswer);
        assert_eq!(cut.to_string(), "the connection failed while the reply was read: the connection was cut: reset");
        assert!(matches!(Error::of_read(&ReadError::Truncated { offset: 3 }), Error::Reply { .. }));
    }

    #[test]
    fn times_for_people() {
        for (seconds_given, text) in
            [(5, "5 s"), (60, "1 min"), (90, "1 min 30 s"), (3600, "1 h"), (4800, "1 h 20 min")]
        {
            assert_eq!(seconds(Duration::from_secs(seconds_given)), text);
        }
    }
}
