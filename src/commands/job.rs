//! `job …`: the jobs that this machine submitted, whichever node they were sent to.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::calls::job_rows::{self, JobRow};
use crate::calls::waiting::{self, is_unrecorded, tells_of_long_job, unpacked, wait_for};
use crate::calls::{show, view};
use crate::cli::{JobCommand, JobLine};
use crate::client::{self, Answer, JobOutcome, JobState, LongJob, Reply, Uncertainty};
use crate::error::{Error, ExitCode};
use crate::session::{Invocation, nodes};
use crate::shell::Flow;

use super::job_named::Named;
use super::job_wait;

/// Runs a `job` command.
pub(super) fn run(cx: &mut Invocation<'_>, line: &JobLine) -> Result<Flow, Error> {
    match (&line.command, &line.uuid) {
        (Some(JobCommand::List), _) | (None, None) => list(cx)?,
        (Some(JobCommand::Show { uuid }), _) | (None, Some(uuid)) => at_its_node(cx, uuid, show_job)?,
        (Some(JobCommand::Wait { uuids }), _) => match &uuids[..] {
            [uuid] => at_its_node(cx, uuid, wait)?,
            uuids => job_wait::several(cx, uuids)?,
        },
    }
    Ok(Flow::Continue)
}

fn list(cx: &mut Invocation<'_>) -> Result<(), Error> {
    let view = view::of_settings(cx)?;
    let entries = cx.session.journal(None, None)?.entries()?;
    // Ages change all the time, so that programs do not get them.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok().filter(|_| view.format.is_for_people());
    let shape = if now.is_some() { job_rows::aged_shape() } else { job_rows::list_shape() };
    show::print(cx, Reply::of_text(job_rows::list(&entries, now)), &shape, &view)
}

/// Calls `run` for a job, with the settings for its node.
fn at_its_node(
    cx: &mut Invocation<'_>,
    name: &str,
    run: fn(&mut Invocation<'_>, &Named) -> Result<(), Error>,
) -> Result<(), Error> {
    // A wrong format or column is reported before the node is asked.
    view::of_settings(cx)?;
    let named = Named::find(cx.session, name)?;
    match named.target(cx.session, cx.settings)? {
        None => run(cx, &named),
        Some(target) => {
            let settings = cx.session.aimed_at(cx.settings, target);
            let mut there = Invocation { session: cx.session, settings: &settings, out: cx.out.again() };
            run(&mut there, &named)
        }
    }
}

fn show_job(cx: &mut Invocation<'_>, named: &Named) -> Result<(), Error> {
    let view = view::of_settings(cx)?;
    let _attended = cx.session.attend_to_ends()?;
    let client = &mut nodes::node(cx.session, cx.settings)?.client;
    let (answer, outcome) = match client.look_at_job(&named.uuid)? {
        JobState::Running => {
            let progress = client.job_progress(&named.uuid);
            if let Some(started) = named.job().submitted.and_then(|at| client.started_since(at)) {
                cx.settings.ui.warn(&format!(
                    "the node started on {started}, after the job was submitted; the job probably died with it"
                ));
            }
            let row = JobRow { state: Some("running"), progress: progress.as_ref(), ..named.row() };
            return show::print(cx, Reply::of_text(job_rows::one(&row)), &job_rows::shape(), &view);
        }
        JobState::Succeeded(reply) => (Answer::Reply(reply), JobOutcome::Succeeded),
        JobState::Failed(failure) => {
            let outcome = failure.outcome();
            (Answer::Failed(failure), outcome)
        }
        JobState::NoRecord => {
            return match client.look_at_long_job(&named.uuid)? {
                Some(long_job) => show_long_job(cx, named, &long_job),
                None => without_record(cx, named),
            };
        }
    };
    named.note_end(cx.session, Some(outcome));
    let shape = named.shape(cx.session.catalog);
    cx.say(&format!("job {} has ended", named.uuid));
    show::answer(cx, answer, &shape, &view)
}

fn show_long_job(cx: &mut Invocation<'_>, named: &Named, long_job: &LongJob) -> Result<(), Error> {
    let view = view::of_settings(cx)?;
    if long_job.has_ended() {
        let (answer, shape) = unpacked(cx.session.catalog, long_job);
        return show::answer(cx, answer, &shape, &view);
    }
    let client = &mut nodes::node(cx.session, cx.settings)?.client;
    let progress = long_job.api_id.as_deref().and_then(|id| client.job_progress(id));
    let state = long_job.state.to_lowercase();
    let row = JobRow { state: Some(&state), progress: progress.as_ref(), ..named.row() };
    let answer = Answer::Reply(Reply::of_text(job_rows::one(&row)));
    show::answer(cx, answer, &job_rows::shape(), &view)
}

/// The node has no record of the job: prints what the journal knows (J5).
fn without_record(cx: &mut Invocation<'_>, named: &Named) -> Result<(), Error> {
    let Some(outcome) = named.seen_end().filter(|outcome| *outcome != JobOutcome::Unknown) else {
        let (api, job) = (named.api(cx.session.catalog), Some(named.uuid.clone()));
        return Err(client::Error::OutcomeUnknown { api, job, reason: Uncertainty::NoRecord }.into());
    };
    cx.say("the node has no record of the job any more; this is what was seen of it here");
    let view = view::of_settings(cx)?;
    show::print(cx, Reply::of_text(job_rows::one(&named.row())), &job_rows::shape(), &view)?;
    match outcome {
        JobOutcome::Failed | JobOutcome::NotRun => Err(Error::Reported(ExitCode::Failed)),
        JobOutcome::Succeeded | JobOutcome::Unknown => Ok(()),
    }
}

fn wait(cx: &mut Invocation<'_>, named: &Named) -> Result<(), Error> {
    let view = view::of_settings(cx)?;
    let catalog = cx.session.catalog;
    let _attended = cx.session.attend_to_ends()?;
    let follow = cx.settings.call.follow && tells_of_long_job(&named.shape(catalog));
    let mut spinner = cx.settings.ui.spinner();
    let client = &mut nodes::node(cx.session, cx.settings)?.client;
    let job = (named.api(catalog), named.job());
    let waited = wait_for(client, job, follow, cx.settings.call.patience(), &mut spinner);
    named.note_end(cx.session, waited.outcome);
    waiting::say_what_goes_on(cx, &waited);
    match waited.end {
        Err(error) if is_unrecorded(&error) => without_record(cx, named),
        end => {
            let (answer, shape) = waiting::end_to_print(catalog, end?, named.shape(catalog));
            show::answer(cx, answer, &shape, &view)
        }
    }
}
