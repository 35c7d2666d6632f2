//! Why there is no reply, other than that the node says the API failed.

use std::time::Duration;

use super::call::JobUuid;
use super::failure::ApiFailure;
use super::wire::TransportError;
use crate::json::ReadError;

/// Why a call has no reply. The variants carry what is known; [`Error::class`] says what it means for the caller.
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
    /// A call that only reads was sent, and no whole answer came, also when it was repeated.
    #[error("no answer from {endpoint}: {source}")]
    NoAnswer {
        /// Host and port.
        endpoint: String,
        /// Why.
        source: TransportError,
    },
    /// An action was sent, and what became of it is not known. It was not sent again.
    #[error("the outcome of {api} is unknown: {reason}")]
    OutcomeUnknown {
        /// The API called.
        api: &'static str,
        /// The job to look at, where the action is one.
        job: Option<String>,
        /// Why nothing is known.
        reason: Uncertainty,
    },
    /// The user stopped waiting. An action goes on.
    #[error("interrupted")]
    Interrupted {
        /// The job that goes on, where one was submitted.
        job: Option<String>,
    },
    /// The user stopped waiting before the node had answered an action: it may have received it, or not.
    #[error("interrupted before {api} was answered; whether it is carried out is unknown")]
    Unanswered {
        /// The API called.
        api: &'static str,
        /// The job to look at, where the action is one.
        job: Option<String>,
    },
    /// The call needs a session and there is none.
    #[error("{api} needs a session, and nobody is logged in")]
    NoSession {
        /// The API called.
        api: &'static str,
    },
    /// The node refused the log-in that the environment's password allows.
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
        /// The uuid of an action that the node refused and has no record of. With another session it is sent again under
        /// that uuid, and no other.
        refused_job: Option<JobUuid>,
    },
    /// The front end of the node refused the request in plain text. Nothing ran.
    #[error("the node refused the request with status {status}{}", said(text))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What the node says; often nothing.
        text: String,
    },
    /// The node has no such API.
    #[error("the node{} has no API {api}", in_brackets(version.as_deref()))]
    NoSuchApi {
        /// The API called.
        api: &'static str,
        /// The ZStack version of the node, where known.
        version: Option<String>,
        /// What the node said instead, where it was asked and failed in its own words.
        failure: Option<Box<ApiFailure>>,
    },
    /// The node has no API at a path that the catalog does not know either.
    #[error("the node has no API at {path}")]
    NoSuchPath {
        /// The path below `/v1`.
        path: String,
    },
    /// A node without this API would run another one in its place, and the node does not say which APIs it has (R1).
    /// Nothing was sent.
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
        /// What came instead.
        what: Oddity,
        /// The job of an action that was sent there: behind that address it may have been carried out all the same.
        job: Option<String>,
    },
    /// The address answers that another one is meant. Nothing was sent there.
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
    /// The connection failed while a reply was read, of which a part may have been used.
    #[error("the connection failed while the reply was read: {source}")]
    CutShort {
        /// Why.
        source: TransportError,
    },
    /// The reply, or a part of it that has to be held as a whole, is longer than is sensible.
    #[error("the reply is too long: {flaw}")]
    TooLong {
        /// What is too long.
        flaw: String,
    },
    /// An API failed while a reply was already being read: a later page of a query.
    #[error("a later page of the query failed")]
    Failed {
        /// What the node says.
        failure: Box<ApiFailure>,
    },
    /// The request cannot be sent as it is: a path value that would change the path, or TLS that cannot be set up.
    #[error("the request cannot be sent: {source}")]
    NotSent {
        /// Why.
        source: TransportError,
    },
}

/// Why the outcome of an action is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Uncertainty {
    /// The connection failed after the action was sent, and an action of this kind leaves no record to ask for.
    #[error("{0} after the action was sent; it may have been carried out")]
    Lost(TransportError),
    /// The action was sent, and what came back is no answer of a node.
    #[error("{what} came back with status {status} after the action was sent; it may have been carried out")]
    Answer {
        /// The HTTP status.
        status: u16,
        /// What came.
        what: Oddity,
    },
    /// The front end of the node broke, and an action of this kind leaves no record to ask for (T8).
    #[error("the node broke off with status {status}{}; the action may have been carried out", said(text))]
    Broke {
        /// The HTTP status.
        status: u16,
        /// What the node says; often nothing.
        text: String,
    },
    /// It was sent more than once, and only the last try was refused. An earlier one may be on its way still.
    #[error("it was sent {sends} times, and the refusal of the last ({refusal}) says nothing of the others")]
    RefusedAgain {
        /// How often it was sent.
        sends: u32,
        /// With what the last try was refused.
        refusal: String,
    },
    /// The node refused its uuid as one that it has received before, and has no record of it (J2).
    #[error("the node received it before, and has no record of it")]
    Duplicate,
    /// The session ended somewhere within the action (E4): what was done before, nobody says.
    #[error("its session ended within the node ({}); the action may have begun", .0.code())]
    Session(Box<ApiFailure>),
    /// The node says that the job has ended, and what it says of the end cannot be read.
    #[error("the job has ended, and its result cannot be read: {flaw}")]
    Unreadable {
        /// What is wrong with it.
        flaw: String,
    },
    /// The action was sent, and the node does not answer any more when asked for its job.
    #[error("the node does not answer any more ({0})")]
    Unreachable(TransportError),
    /// The action was sent, and the answer when asked for its job makes no sense.
    #[error("the node answers with status {0} when asked for the job")]
    Strange(u16),
    /// The node is starting, and has no API yet by which it can be asked for the job (T9).
    #[error("the node is starting, and cannot be asked for the job yet")]
    Starting,
    /// The node calls it running, and started only after the job had been submitted (R20).
    #[error("the node started on {started}, after the job was submitted; the job probably died with the node before")]
    Restarted {
        /// When, as the node tells it.
        started: String,
    },
    /// The job still runs at the end of the time to wait for it.
    #[error("the job still runs after {}", seconds(*waited))]
    StillRunning {
        /// How long was waited.
        waited: Duration,
    },
    /// The node does not know the job: it ended long ago, or its record is lost (J5).
    #[error("the node has no record of the job: it ended long ago, or the node never had it")]
    NoRecord,
    /// The node has no record of a job whose parameters it may be unable to keep, and may have run it (R9).
    #[error(
        "the node has no record of the job, and may be unable to keep one with characters beyond U+FFFF; the action may \
         have been carried out"
    )]
    Unrecordable,
}

/// What came instead of an answer of a node.
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
    /// A JSON object, but not one that the protocol has here.
    #[error("an object that is no error and no result")]
    Object,
    /// A request to log in at a proxy.
    #[error("a request to log in")]
    LogIn,
    /// The way to another address.
    #[error("a redirect")]
    Redirect,
}

/// What an error means for whoever called. The crate's exit codes follow it.
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
    /// What the error means for whoever called.
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

    /// The job that may go on though there is no reply.
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

    /// Whether the address may be one below or above which the node lies: something else answered, and not because the
    /// node is away.
    pub fn may_be_elsewhere(&self) -> bool {
        match self {
            Error::NotTheNode { status, .. }
            | Error::OutcomeUnknown { job: None, reason: Uncertainty::Answer { status, .. }, .. } => {
                !matches!(status, 502..=504)
            }
            // A node that serves the root says so of any path below another (T9).
            Error::Starting { .. } | Error::Redirect { .. } => true,
            Error::OutcomeUnknown { reason: Uncertainty::Broke { status, .. }, .. } => *status == 404,
            _ => false,
        }
    }

    /// Whether nothing of an action ran that has no job to ask for: a log-in that something else answered counts as
    /// such, since nobody has to look what became of it.
    pub fn has_not_run(&self) -> bool {
        self.nothing_ran() || matches!(self, Error::NotTheNode { job: None, .. } | Error::Redirect { job: None, .. })
    }

    /// Whether it is certain that nothing ran: the call never left, or the node's own front end turned it away.
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
            // Without a job, it was before anything was sent.
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

    /// What the node says, where the error is its answer.
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

/// A time for people: `30 s`, `5 min`, `1 h 20 min`.
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
