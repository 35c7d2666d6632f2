//! Waiting for the end of a job, and of the long job that it may have begun.

use std::time::Duration;

use crate::catalog::Catalog;
use crate::client::{
    self, Answer, ApiFailure, CallOptions, Client, Job, JobOutcome, LongJob, Reply, Uncertainty, Watch,
};
use crate::error::Error;
use crate::json;
use crate::render::Shape;

use super::job_rows::{self, JobRow};
use super::shape;
use crate::session::{Invocation, nodes};

/// For how long `job wait` waits unless told otherwise: the longest time that a node lets an API run (J8).
const LONGEST_WAIT: Duration = Duration::from_secs(72 * 3600);

/// What waiting for a job came to.
pub(crate) struct Waited {
    /// What became of the job itself; nothing where nobody saw its end.
    pub(crate) outcome: Option<JobOutcome>,
    /// The long job that was followed.
    pub(crate) long_job: Option<String>,
    pub(crate) end: Result<End, client::Error>,
}

/// The end that was waited for.
pub(crate) enum End {
    /// The job's.
    Answer(Answer),
    /// The long job's.
    LongJob(LongJob),
    /// The node refuses to tell how the long job is.
    Untold(ApiFailure),
}

/// Waits for a job, or a long job, of that uuid. `follow` is for jobs whose result tells of a long job.
pub(crate) fn wait_for(
    client: &mut Client,
    (api, job): (&'static str, Job),
    follow: bool,
    patience: Option<Duration>,
    watch: &mut dyn Watch,
) -> Waited {
    let uuid = job.uuid.clone();
    let how = CallOptions { timeout: Some(patience.unwrap_or(LONGEST_WAIT)), ..CallOptions::default() };
    let answer = match client.wait_for_job(api, job, &how, watch) {
        Ok(answer) => answer,
        Err(error) if is_unrecorded(&error) => return wait_for_unrecorded(client, &uuid, error, patience, watch),
        Err(error) => return Waited { outcome: None, long_job: None, end: Err(error) },
    };
    let outcome = match &answer {
        Answer::Reply(_) => Some(JobOutcome::Succeeded),
        Answer::Failed(failure) => Some(failure.outcome()),
        Answer::Detached(_) => None,
    };
    if !follow {
        return Waited { outcome, long_job: None, end: Ok(End::Answer(answer)) };
    }
    Waited { outcome, ..follow_to_the_end(client, answer, patience, watch) }
}

/// The node does not know a job of that uuid; it may know a long job.
fn wait_for_unrecorded(
    client: &mut Client,
    uuid: &str,
    error: client::Error,
    patience: Option<Duration>,
    watch: &mut dyn Watch,
) -> Waited {
    let not_there = |error| Waited { outcome: None, long_job: None, end: Err(error) };
    match client.look_at_long_job(uuid) {
        Ok(Some(_)) => end_of_long_job(client, uuid, patience, watch),
        Err(interrupted @ client::Error::Interrupted { .. }) => not_there(interrupted),
        Ok(None) | Err(_) => not_there(error),
    }
}

/// Waits for the end of the long job that an answer tells of; without one, the answer is the end.
fn follow_to_the_end(client: &mut Client, answer: Answer, patience: Option<Duration>, watch: &mut dyn Watch) -> Waited {
    let at_its_end = |end| Waited { outcome: None, long_job: None, end };
    let reply = match answer {
        Answer::Reply(reply) => reply,
        other => return at_its_end(Ok(End::Answer(other))),
    };
    let text = match reply.into_text() {
        Ok(text) => text,
        Err(error) => return at_its_end(Err(client::Error::of_read(&error))),
    };
    match json::member(&text, "inventory").and_then(LongJob::of_inventory) {
        Some(long_job) => end_of_long_job(client, &long_job.uuid, patience, watch),
        None => at_its_end(Ok(End::Answer(Answer::Reply(Reply::of_text(text))))),
    }
}

fn end_of_long_job(client: &mut Client, uuid: &str, patience: Option<Duration>, watch: &mut dyn Watch) -> Waited {
    let how = CallOptions { timeout: patience, ..CallOptions::default() };
    let end = client.follow_long_job(uuid, &how, watch).map(|end| match end {
        Ok(long_job) => End::LongJob(long_job),
        Err(failure) => End::Untold(failure),
    });
    Waited { outcome: None, long_job: Some(uuid.to_owned()), end }
}

/// Whether replies of that shape tell of a long job.
pub(crate) fn tells_of_long_job(shape: &Shape) -> bool {
    shape.inventory.as_deref() == Some("LongJobInventory")
}

/// Whether the node does not know the job.
pub(crate) fn is_unrecorded(error: &client::Error) -> bool {
    matches!(error, client::Error::OutcomeUnknown { reason: Uncertainty::NoRecord, .. })
}

/// Where an answer tells of a long job and the user wants it followed: its end instead.
pub(super) fn follow_long_job(cx: &mut Invocation<'_>, answer: Answer, shape: Shape) -> Result<(Answer, Shape), Error> {
    if !cx.settings.call.follow || !tells_of_long_job(&shape) {
        return Ok((answer, shape));
    }
    let mut spinner = cx.settings.ui.spinner();
    let client = &mut nodes::node(cx.session, cx.settings)?.client;
    let waited = follow_to_the_end(client, answer, cx.settings.call.patience(), &mut spinner);
    say_what_goes_on(cx, &waited);
    Ok(end_to_print(cx.session.catalog, waited.end?, shape))
}

/// Says where to look for a long job again, where the waiting for it ended otherwise than with it.
pub(crate) fn say_what_goes_on(cx: &Invocation<'_>, waited: &Waited) {
    let is_told = match &waited.end {
        Ok(End::Untold(_)) => false,
        Ok(_) => true,
        // Such an error names its job.
        Err(error) => error.job().is_some(),
    };
    if let Some(uuid) = waited.long_job.as_ref().filter(|_| !is_told) {
        cx.say(&format!("the long job goes on; `zstack-cli job {uuid}` looks at it"));
    }
}

/// The end as it is printed; `shape` is that of the job's own result.
pub(crate) fn end_to_print(catalog: Catalog, end: End, shape: Shape) -> (Answer, Shape) {
    match end {
        End::Answer(answer) => (answer, shape),
        End::LongJob(long_job) => unpacked(catalog, &long_job),
        End::Untold(failure) => (Answer::Failed(failure), Shape::default()),
    }
}

/// What a long job that has ended came to, in the shape of the API whose work it did.
pub(crate) fn unpacked(catalog: Catalog, long_job: &LongJob) -> (Answer, Shape) {
    if long_job.state != "Succeeded" {
        return (Answer::Failed(long_job.failure()), Shape::default());
    }
    match long_job.reply() {
        Some(reply) => (Answer::Reply(reply), shape::of_api_called(catalog, long_job.api())),
        None => {
            let row = JobRow { uuid: &long_job.uuid, state: Some("succeeded"), ..JobRow::default() };
            (Answer::Reply(Reply::of_text(job_rows::one(&row))), job_rows::shape())
        }
    }
}
