//! Tries the other base, with or without `/zstack`, if a server other than a node answers.

use crate::client::{self, JobOutcome, JobState};
use crate::error::Error;
use crate::plan::Request;

use super::nodes::{self, client_at};
use super::settings::Settings;
use super::state::Session;

/// The result of trying the other base.
pub(crate) enum Turned {
    /// There is no node at the other base either.
    No,
    /// The node is at the other base. It certainly has not run the call.
    NotRun,
    /// The node is at the other base, and the call may have run.
    PerhapsRun,
}

/// Looks for the node at the other base if another server answered a call. If it is there, that base is used from now
/// on. `action` is the call, unless it only reads.
pub(crate) fn turn(
    session: &mut Session,
    settings: &Settings,
    error: &client::Error,
    action: Option<&Request>,
) -> Result<Turned, Error> {
    let Some(address) = settings.target.address.as_ref().filter(|_| error.may_be_elsewhere()) else {
        return Ok(Turned::No);
    };
    let node = nodes::node(session, settings)?;
    let was_at = node.client.endpoint().clone();
    let Some(other) = was_at.other_way().filter(|_| !std::mem::replace(&mut node.was_turned, true)) else {
        return Ok(Turned::No);
    };
    let mut client = client_at(session, other.clone(), settings)?;
    if !client.is_ready() {
        return Ok(Turned::No);
    }
    session.bases.remember(address, &other)?;
    session.nodes.forget(&settings.target);
    let started_for = &mut session.started_for;
    if started_for.as_ref().is_some_and(|started_for| started_for.as_deref() == Some(was_at.base())) {
        *started_for = Some(Some(other.base().to_owned()));
    }
    nodes::node(session, settings)?.was_turned = true;
    settings.ui.say(&format!("the node answers at {other}, and is called there from now on"));
    let Some(action) = action else { return Ok(Turned::NotRun) };
    let Some(job) = error.job() else {
        return Ok(if error.has_not_run() { Turned::NotRun } else { Turned::PerhapsRun });
    };
    // Only the node knows whether the other server forwarded the action (J6).
    if action.holds_wide_text() || !matches!(client.look_at_job(job), Ok(JobState::NoRecord)) {
        return Ok(Turned::PerhapsRun);
    }
    session.note_end(job, JobOutcome::NotRun, Some(was_at.base()));
    Ok(Turned::NotRun)
}
