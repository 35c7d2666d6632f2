//! Shows the state of jobs, and waits for long jobs.

use super::answer::Understood;
use super::call::{Answer, CallOptions, Reply, Unwatched, Watch};
use super::caller::{Client, with_margin};
use super::error::{Error, Uncertainty};
use super::failure::{ApiFailure, ErrorCode};
use super::follow::Vigil;
use super::reads::is_no_mapping;
use crate::catalog::Method;
use crate::json::{self, Kind, Piece, Pieces, unescape};
use crate::plan::{Effect, PathPart, Request, SecretText};

/// The state of a job.
#[derive(Debug)]
pub enum JobState {
    /// It is running.
    Running,
    /// It ended with this result.
    Succeeded(Reply),
    /// It failed.
    Failed(ApiFailure),
    /// The node does not know it: it ended long ago, or never existed (J5).
    NoRecord,
}

/// A long job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LongJob {
    /// Its uuid.
    pub uuid: String,
    /// Its API message, such as `APIAddImageMsg`.
    pub name: String,
    /// `Waiting`, `Running`, `Suspended`, `Canceling`, `Succeeded`, `Failed`, `Canceled`.
    pub state: String,
    /// The id for its progress.
    pub api_id: Option<String>,
    /// Its result: JSON text of the result, or of `{"message", "detail", "cause"}` where it failed. Other text
    /// is kept as it is.
    pub result: Option<String>,
}

impl LongJob {
    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        matches!(self.state.as_str(), "Succeeded" | "Failed" | "Canceled")
    }

    /// The long job in a reply: the inventory of SubmitLongJob, or of an API that starts one.
    pub fn of_inventory(inventory: &[u8]) -> Option<LongJob> {
        let text = |name: &str| {
            json::member(inventory, name)
                .filter(|value| json::kind(value) == Kind::Text)
                .map(|value| unescape(value).into_owned())
        };
        Some(LongJob {
            name: text("jobName")?,
            uuid: text("uuid")?,
            state: text("state")?,
            api_id: text("apiId"),
            result: text("jobResult"),
        })
    }

    /// The name of its API: `AddImage` for `APIAddImageMsg`.
    pub fn api(&self) -> &str {
        self.name.strip_prefix("API").and_then(|name| name.strip_suffix("Msg")).unwrap_or(&self.name)
    }

    /// The result of a successful job as a JSON object.
    pub fn reply(&self) -> Option<Reply> {
        let text = self.result.as_deref().filter(|text| self.state == "Succeeded" && is_object(text))?;
        Some(Reply::of_text(text.as_bytes().to_vec()))
    }

    /// The error of a job that failed: `{"message", "detail", "cause"}`.
    pub fn failure(&self) -> ApiFailure {
        let result = self.result.as_deref().unwrap_or_default();
        let (text, mut error) = match is_object(result).then(|| ErrorCode::of_long_job(result.as_bytes())) {
            Some(error) => (result.to_owned(), error),
            None => {
                let mut text = String::from("{\"details\":");
                json::write_string(&mut text, result);
                text.push('}');
                (text, ErrorCode { details: result.to_owned(), ..ErrorCode::default() })
            }
        };
        if error.details.is_empty() {
            error.details = format!("the long job ended as {}", self.state);
        }
        ApiFailure { text, error }
    }
}

/// The reason for a temporary error of a poll: the node is unreachable or starting, or another server answers.
fn absence(error: Error) -> Result<Uncertainty, Error> {
    match error {
        Error::Unreachable { source, .. } | Error::NoAnswer { source, .. } | Error::CutShort { source } => {
            Ok(Uncertainty::Unreachable(source))
        }
        Error::NotTheNode { status, .. } => Ok(Uncertainty::Strange(status)),
        // A node answers every call with that status until it is ready (T9).
        Error::Starting { .. } => Ok(Uncertainty::Strange(404)),
        other => Err(other),
    }
}

fn is_object(text: &str) -> bool {
    text.trim_start().starts_with('{') && json::parse(text.as_bytes()).is_ok()
}

impl Client {
    /// Polls a job once.
    ///
    /// # Errors
    /// When there is no usable answer.
    pub fn look_at_job(&mut self, uuid: &str) -> Result<JobState, Error> {
        // It becomes a segment of a path.
        if !super::answer::is_uuid(uuid) {
            return Ok(JobState::NoRecord);
        }
        match self.ask(uuid) {
            Ok(Understood::Accepted { .. }) => Ok(JobState::Running),
            Ok(Understood::Result(reader)) => match Client::result_of(reader, uuid) {
                Ok(reply) => Ok(JobState::Succeeded(reply)),
                Err(error) => Err(self.no_answer(error)),
            },
            Ok(Understood::Failed(failure)) => Ok(JobState::Failed(failure)),
            Ok(Understood::Refused { status: 404, text }) if !is_no_mapping(&text) => Ok(JobState::NoRecord),
            Ok(Understood::Lost(error)) | Err(error) => Err(self.no_answer(error)),
            Ok(other) => Err(self.unusable("GetApiJob", other)),
        }
    }

    /// Polls a long job once; `None` if the node does not have it, or if nobody is logged in.
    ///
    /// # Errors
    /// As [`Client::execute`].
    pub fn look_at_long_job(&mut self, uuid: &str) -> Result<Option<LongJob>, Error> {
        // It becomes the value of a condition.
        if !super::answer::is_uuid(uuid) || !self.has_credentials() {
            return Ok(None);
        }
        Ok(self.long_job(uuid)?.ok().flatten())
    }

    /// Waits until a long job has ended, or until the time-out of the options, if there is one.
    ///
    /// # Errors
    /// As [`Client::execute`]. After the time-out, and if the long job does not exist any more, the outcome is unknown.
    pub fn follow_long_job(
        &mut self,
        uuid: &str,
        options: &CallOptions,
        watch: &mut dyn Watch,
    ) -> Result<Result<LongJob, ApiFailure>, Error> {
        let time = options.timeout.map(with_margin);
        let result = self.within(time, |client| client.watch_long_job(uuid, watch));
        watch.done();
        result
    }

    /// Polls the long job until it has ended, or until the deadline.
    fn watch_long_job(&mut self, uuid: &str, watch: &mut dyn Watch) -> Result<Result<LongJob, ApiFailure>, Error> {
        let unknown = |reason| Error::OutcomeUnknown { api: "SubmitLongJob", job: Some(uuid.to_owned()), reason };
        let interrupted = || Error::Interrupted { job: Some(uuid.to_owned()) };
        let now = self.clock.now();
        let mut vigil = Vigil::new(now, self.deadline.map(|deadline| deadline.saturating_sub(now)));
        loop {
            let mut api_id = None;
            let trouble = match self.long_job(uuid) {
                Ok(Ok(Some(job))) if job.has_ended() => return Ok(Ok(job)),
                Ok(Ok(Some(job))) => {
                    api_id = job.api_id;
                    None
                }
                Ok(Ok(None)) => return Err(unknown(Uncertainty::NoRecord)),
                Ok(Err(failure)) => return Ok(Err(failure)),
                Err(Error::Interrupted { .. }) => return Err(interrupted()),
                Err(error) => Some(absence(error)?),
            };
            if let Some(reason) = vigil.end(self.clock.now(), trouble) {
                return Err(unknown(reason));
            }
            let pause = vigil.pause(self.clock.now());
            if !self.idle(uuid, api_id.as_deref(), pause, &mut vigil, watch) {
                return Err(interrupted());
            }
        }
    }

    /// The long job with that uuid, if it exists.
    fn long_job(&mut self, uuid: &str) -> Result<Result<Option<LongJob>, ApiFailure>, Error> {
        let request = Request {
            api: "QueryLongJob",
            method: Method::Get,
            path: vec![PathPart::Fixed("/longjobs")],
            query: vec![("q".to_owned(), SecretText::plain(format!("uuid={uuid}")))],
            body: None,
            needs_session: true,
            effect: Effect::Query,
            is_async: false,
            timeout: None,
        };
        let mut reply = match self.execute(&request, &CallOptions::default(), &mut Unwatched)? {
            Answer::Reply(reply) => reply,
            Answer::Failed(failure) => return Ok(Err(failure)),
            Answer::Detached(_) => return Err(Error::Reply { flaw: "a query that became a job".to_owned() }),
        };
        loop {
            match reply.next_piece().map_err(|error| Error::of_read(&error))? {
                Some(Piece::Row(row)) => return Ok(Ok(LongJob::of_inventory(row))),
                Some(_) => {}
                None => return Ok(Ok(None)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(state: &str, result: Option<&str>) -> LongJob {
        LongJob {
            uuid: "6c1e".into(),
            name: "APIAddImageMsg".into(),
            state: state.into(),
            api_id: None,
            result: result.map(str::to_owned),
        }
    }

    #[test]
    fn results_are_unpacked() {
        let job = ended("Succeeded", Some(r#"{"inventory":{"uuid":"1f6d"}}"#));
        assert_eq!(job.api(), "AddImage");
        let text = job.reply().expect("a reply").into_text().expect("whole");
        assert_eq!(text, br#"{"inventory":{"uuid":"1f6d"}}"#);
        for other in [None, Some("Succeeded"), Some("[1]"), Some("{broken")] {
            assert!(ended("Succeeded", other).reply().is_none(), "{other:?}");
        }
    }

    #[test]
    fn failures_say_what_happened() {
        let text = r#"{"message":"no image","detail":"404 of http://h","cause":{"code":"SYS.1006","details":"gone"}}"#;
        let failure = ended("Failed", Some(text)).failure();
        assert_eq!((failure.error.details.as_str(), failure.text.as_str()), ("no image: 404 of http://h", text));
        assert_eq!(failure.error.chain().last().expect("itself").code, "SYS.1006");
        let failure = ended("Failed", Some("it \"broke\"")).failure();
        assert_eq!(
            (failure.error.details.as_str(), failure.text.as_str()),
            ("it \"broke\"", r#"{"details":"it \"broke\""}"#)
        );
        let failure = ended("Canceled", None).failure();
        assert_eq!(failure.error.details, "the long job ended as Canceled");
        let failure = ended("Failed", Some(r#"{"cause":"no space"}"#)).failure();
        assert_eq!(failure.error.chain().last().expect("itself").details, "no space");
    }
}
