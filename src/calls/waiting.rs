//! Waits for jobs and for the long jobs that they start.

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

/// The default time-out of `job wait`: the longest time limit of a node for an API (J8).
const LONGEST_WAIT: Duration = Duration::from_secs(72 * 3600);

/// The result of waiting for a job.
pub(crate) struct Waited {
    /// The outcome of the job itself; `None` if its end was not seen.
    pub(crate) outcome: Option<JobOutcome>,
    /// The long job that was followed.
    pub(crate) long_job: Option<String>,
    pub(crate) end: Result<End, client::Error>,
}

/// The end of the wait.
pub(crate) enum End {
    /// The job's.
    Answer(Answer),
    /// The long job's.
    LongJob(LongJob),
    /// The node refuses to report the state of the long job.
    Untold(ApiFailure),
}

/// Waits for the job or long job with that uuid. `follow` also waits for the long job that a job started.
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

/// There is no job with that uuid, but there may be a long job.
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

/// Waits for the long job in an answer; without one, the answer is the end.
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

/// Whether replies of that shape contain a long job.
pub(crate) fn tells_of_long_job(shape: &Shape) -> bool {
    shape.inventory.as_deref() == Some("LongJobInventory")
}

/// Whether the node does not know the job.
pub(crate) fn is_unrecorded(error: &client::Error) -> bool {
    matches!(error, client::Error::OutcomeUnknown { reason: Uncertainty::NoRecord, .. })
}

/// As [`follow_long_job`], with a client of its own, for a thread of its own. The long job is the second value.
pub(crate) fn follow_with(
    client: &mut Client,
    answer: Answer,
    shape: &Shape,
    catalog: Catalog,
    patience: Option<Duration>,
    watch: &mut dyn Watch,
) -> (Result<Answer, client::Error>, Option<String>) {
    if !tells_of_long_job(shape) {
        return (Ok(answer), None);
    }
    let waited = follow_to_the_end(client, answer, patience, watch);
    (waited.end.map(|end| end_to_print(catalog, end, Shape::default()).0), waited.long_job)
}

/// With `--follow`, replaces an answer with a long job by the end of that job.
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

/// Prints how to look at a long job again, if the wait ended before the job.
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

/// The end for printing; `shape` is that of the job's own result.
pub(crate) fn end_to_print(catalog: Catalog, end: End, shape: Shape) -> (Answer, Shape) {
    match end {
        End::Answer(answer) => (answer, shape),
        End::LongJob(long_job) => unpacked(catalog, &long_job),
        End::Untold(failure) => (Answer::Failed(failure), Shape::default()),
    }
}

/// The result of a long job, with the shape of its API.
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
