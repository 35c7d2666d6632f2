//! Continues an earlier run: what is done is skipped, and the node is asked after what is unknown.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::client::{self, Client, Job, JobUuid, Uncertainty};
use crate::error::Error;
use crate::plan::Plan;
use crate::session::Session;

use super::Prepared;
use super::pool::{self, How, Task, What};
use super::progress::{Progress, reads};
use super::results::{Earlier, State};
use super::rows::wrong;

/// For how long a node certainly keeps the record of a job; it keeps it for some three hours (J5).
const KEPT: Duration = Duration::from_secs(2 * 3600);

/// The rows of an earlier run.
#[derive(Default)]
pub(super) struct Sorted {
    /// How many are done.
    pub(super) done: usize,
    /// Those whose outcome is not known: the job, if there is one, and when it was submitted.
    pub(super) uncertain: BTreeMap<usize, (Option<String>, Option<Duration>)>,
}

/// Takes the rows that are done out of `prepared`, and finds those whose outcome is not known.
///
/// # Errors
/// Where a row is not the one of the earlier run.
pub(super) fn sort(
    session: &Session,
    rows: usize,
    prepared: &mut Vec<Prepared>,
    earlier: Option<BTreeMap<usize, Earlier>>,
) -> Result<Sorted, Error> {
    let mut sorted = Sorted::default();
    let Some(earlier) = earlier else { return Ok(sorted) };
    if let Some((last, _)) = earlier.last_key_value().filter(|(last, _)| **last > rows) {
        let problem = format!("the results have row {last}, and there are only {rows} rows");
        return Err(wrong("--resume", problem));
    }
    for one in &*prepared {
        let Some(earlier) = earlier.get(&one.row) else { continue };
        if earlier.line != one.line {
            let problem = format!("row {} was `{}`, and is now `{}`", one.row, earlier.line, one.line);
            return Err(wrong("--resume", problem));
        }
        match &earlier.state {
            State::Done => sorted.done += 1,
            State::Uncertain { job, at } if !reads(&one.plan) => {
                let at = at.or_else(|| submitted(session, job.as_deref()?));
                sorted.uncertain.insert(one.row, (job.clone(), at));
            }
            State::Uncertain { .. } | State::Open => {}
        }
    }
    prepared.retain(|one| !matches!(earlier.get(&one.row), Some(Earlier { state: State::Done, .. })));
    Ok(sorted)
}

/// When a job was submitted, as the journal has it.
fn submitted(session: &Session, job: &str) -> Option<Duration> {
    let journal = session.journal(None, None).ok()?;
    Some(journal.find(job).ok()?.first()?.submitted)
}

/// Asks the node after the rows whose outcome is not known. Returns the rows that are to be run now, and the uuids of those
/// that were sent before and never arrived.
///
/// # Errors
/// Where the results file cannot be written.
pub(super) fn ask(
    prepared: Vec<Prepared>,
    uncertain: BTreeMap<usize, (Option<String>, Option<Duration>)>,
    clients: &mut [Client],
    how: &How<'_>,
    progress: &mut Progress<'_>,
) -> Result<(Vec<Prepared>, BTreeMap<usize, JobUuid>), Error> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut tasks = Vec::new();
    let mut unrecorded = Vec::new();
    for one in &prepared {
        let (Some((job, at)), Plan::Call(request)) = (uncertain.get(&one.row), &one.plan) else { continue };
        let known = job.as_ref().and_then(|job| Some((job, JobUuid::parse(job)?)));
        let Some((text, job)) = known else {
            unrecorded.push((one, request.api));
            continue;
        };
        // Later the record may be gone although the action was carried out, and some text cannot be recorded (R9).
        let is_recorded = at.is_some_and(|at| now.saturating_sub(at) < KEPT) && !request.holds_wide_text();
        let what = Job { uuid: text.clone(), api: request.api.to_owned(), timeout: request.timeout, submitted: *at };
        tasks.push(Task {
            row: one.row,
            line: one.line.clone(),
            command: one.command.clone(),
            what: What::Wait(request.api, what),
            job,
            is_repeat: is_recorded,
        });
    }
    for (one, api) in unrecorded {
        let error = client::Error::OutcomeUnknown { api, job: None, reason: Uncertainty::Stopped };
        progress.fail(one.row, &one.line, None, error.into())?;
    }
    pool::run(clients, tasks, how, progress)?;
    let again: BTreeMap<usize, Option<JobUuid>> = std::mem::take(&mut progress.again).into_iter().collect();
    let runs = |one: &Prepared| !uncertain.contains_key(&one.row) || again.contains_key(&one.row);
    let prepared = prepared.into_iter().filter(runs).collect();
    let repeats = again.into_iter().filter_map(|(row, job)| Some((row, job?)));
    Ok((prepared, repeats.collect()))
}
