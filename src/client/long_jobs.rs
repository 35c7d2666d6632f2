//! Looking at jobs later, and following long jobs to their end.

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

/// What is known of a job at one moment.
#[derive(Debug)]
pub enum JobState {
    /// It runs.
    Running,
    /// It ended with this result.
    Succeeded(Reply),
    /// It failed.
    Failed(ApiFailure),
    /// The node does not know it: it ended long ago, or never was (J5).
    NoRecord,
}

/// A long job as the node has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LongJob {
    /// Its uuid.
    pub uuid: String,
    /// What it does, such as `APIAddImageMsg`.
    pub name: String,
    /// `Waiting`, `Running`, `Suspended`, `Canceling`, `Succeeded`, `Failed`, `Canceled`.
    pub state: String,
    /// By which its progress is asked for.
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

    /// The long job that a reply tells of: the inventory of SubmitLongJob, and of APIs that become one.
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

    /// The API whose work it does: `AddImage` of `APIAddImageMsg`.
    pub fn api(&self) -> &str {
        self.name.strip_prefix("API").and_then(|name| name.strip_suffix("Msg")).unwrap_or(&self.name)
    }

    /// What the API answered: the JSON object in the result of a job that succeeded.
    pub fn reply(&self) -> Option<Reply> {
        let text = self.result.as_deref().filter(|text| self.state == "Succeeded" && is_object(text))?;
        Some(Reply::of_text(text.as_bytes().to_vec()))
    }

    /// Why it did not succeed: the result of a job that ended otherwise, `{"message", "detail", "cause"}`.
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

/// What an error means that befell a look at a job, where it may pass: the node is away, starts, or something else
/// answers in its place.
fn absence(error: Error) -> Result<Uncertainty, Error> {
    match error {
        Error::Unreachable { source, .. } | Error::NoAnswer { source, .. } | Error::CutShort { source } => {
            Ok(Uncertainty::Unreachable(source))
        }
        Error::NotTheNode { status, .. } => Ok(Uncertainty::Strange(status)),
        // It answers with that status to every call until it is ready (T9).
        Error::Starting { .. } => Ok(Uncertainty::Strange(404)),
        other => Err(other),
    }
}

fn is_object(text: &str) -> bool {
    text.trim_start().starts_with('{') && json::parse(text.as_bytes()).is_ok()
}

impl Client {
    /// Looks at a job once.
    ///
    /// # Errors
    /// When the node does not answer, or not as it should.
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

    /// Looks at a long job once; `None` where the node has no such one, or nobody is logged in to ask.
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

    /// Waits until a long job has ended, for as long as the options say; without, however long it takes.
    ///
    /// # Errors
    /// As [`Client::execute`]. At the end of the time, and when the long job is gone, the outcome is unknown.
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

    /// Asks for the long job until it has ended, or until the deadline.
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

    /// The long job of that uuid, where there is one.
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
