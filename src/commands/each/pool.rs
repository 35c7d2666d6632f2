//! Runs calls on several threads, each with a client of its own. The clients share the session.

use std::collections::VecDeque;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use crate::calls::rows::rows_of;
use crate::calls::{send, show, waiting};
use crate::catalog::Catalog;
use crate::client::{Answer, CallOptions, Client, FailedPart, Job, JobUuid, Unwatched};
use crate::error::Error;
use crate::plan::{Effect, Plan};
use crate::render::Shape;
use crate::syntax::Command;

/// How often the progress is shown.
const FRAME: Duration = Duration::from_millis(100);

/// A row that is to be run.
pub(super) struct Task {
    pub(super) row: usize,
    /// The command, secrets masked.
    pub(super) line: String,
    pub(super) command: Command,
    pub(super) what: What,
    /// The uuid that the action is sent under.
    pub(super) job: JobUuid,
    /// Whether it was sent under that uuid before.
    pub(super) is_repeat: bool,
}

/// What is done for a row.
pub(super) enum What {
    /// A call.
    Call(Plan),
    /// The wait for the job of a call that was sent before.
    Wait(&'static str, Job),
}

/// How calls are made.
#[derive(Clone, Copy)]
pub(super) struct How<'a> {
    pub(super) waits: bool,
    pub(super) patience: Option<Duration>,
    /// Whether long jobs are waited for, too; the shape of the results tells of them.
    pub(super) follows: bool,
    pub(super) shape: &'a Shape,
    pub(super) catalog: Catalog,
    /// Whether a query that finds nothing has failed.
    pub(super) fails_if_empty: bool,
}

/// The end of a row.
pub(super) struct Ended {
    pub(super) task: Task,
    /// The reply.
    pub(super) result: Result<Vec<u8>, Error>,
}

/// What the pool tells, and what it asks for.
pub(super) trait Overseer {
    /// Called before tasks are run, with those that may run next. An error ends the run.
    fn before(&mut self, tasks: &[&Task]) -> Result<(), Error>;

    /// Called when a row has ended.
    fn ended(&mut self, ended: Ended) -> Result<(), Error>;

    /// Called ten times a second and after each row.
    fn tick(&mut self);

    /// Whether more rows may be started.
    fn goes_on(&self) -> bool;
}

impl Task {
    /// Whether it sends an action.
    pub(super) fn acts(&self) -> bool {
        matches!(&self.what, What::Call(Plan::Call(request)) if request.effect == Effect::Action)
    }

    /// The job that tells what became of it, if it has one.
    pub(super) fn job(&self) -> Option<String> {
        match &self.what {
            What::Call(Plan::Call(request)) if self.acts() && request.is_async => Some(self.job.to_string()),
            What::Call(_) => None,
            What::Wait(_, job) => Some(job.uuid.clone()),
        }
    }

    fn run(&self, client: &mut Client, how: &How<'_>) -> Result<Vec<u8>, Error> {
        let mut options = CallOptions {
            wait: how.waits,
            timeout: how.patience,
            job: Some(self.job),
            is_repeat: self.is_repeat,
            // The rows are what runs at the same time.
            page_parallel: Some(1),
        };
        let mut answer = match &self.what {
            What::Call(planned) => {
                if let Plan::Call(request) = planned {
                    options.timeout = request.timeout;
                }
                send::run_with(client, planned, &options, &mut Unwatched)?
            }
            What::Wait(api, job) => client.wait_for_job(api, job.clone(), &options, &mut Unwatched)?,
        };
        if how.follows {
            let (followed, _) =
                waiting::follow_with(client, answer, how.shape, how.catalog, how.patience, &mut Unwatched);
            answer = followed?;
        }
        let text = match answer {
            Answer::Reply(reply) => show::text(reply)?,
            Answer::Failed(failure) => return Err(Error::Api(Box::new(failure))),
            Answer::Detached(job) => {
                return Ok(format!("{{\"job\":{{\"uuid\":\"{}\",\"api\":\"{}\"}}}}", job.uuid, job.api).into_bytes());
            }
        };
        let failed = FailedPart::all_of(&text);
        if !failed.is_empty() {
            return Err(Error::Parts(failed));
        }
        if how.fails_if_empty && matches!(self.what, What::Call(Plan::Query(_))) && rows_of(&text).is_empty() {
            return Err(Error::Empty);
        }
        Ok(text)
    }
}

/// Runs tasks in their order, at most one for each client at the same time.
///
/// # Errors
/// What the overseer says; running tasks end before that.
pub(super) fn run(
    clients: &mut [Client],
    tasks: Vec<Task>,
    how: &How<'_>,
    overseer: &mut dyn Overseer,
) -> Result<(), Error> {
    let ahead = clients.len();
    let mut waiting: VecDeque<Task> = tasks.into();
    // How many of the first waiting tasks the overseer was told of.
    let mut announced = 0;
    let mut failed = Ok(());
    thread::scope(|scope| {
        let (end, ends) = channel();
        let mut workers = Vec::new();
        for (at, client) in clients.iter_mut().enumerate() {
            let (give, given) = channel::<Task>();
            let end = end.clone();
            scope.spawn(move || {
                for task in given {
                    let result = task.run(client, how);
                    if end.send((at, Ended { task, result })).is_err() {
                        return;
                    }
                }
            });
            workers.push(give);
        }
        // A thread that fails is noticed by the end of the channel.
        drop(end);
        let mut idle: Vec<usize> = (0..workers.len()).rev().collect();
        loop {
            while !idle.is_empty() && !waiting.is_empty() && failed.is_ok() && overseer.goes_on() {
                if announced == 0 {
                    let next: Vec<&Task> = waiting.iter().take(ahead).collect();
                    announced = next.len();
                    failed = overseer.before(&next);
                    continue;
                }
                let (Some(worker), Some(task)) = (idle.pop(), waiting.pop_front()) else { break };
                announced -= 1;
                // A worker waits for tasks until its channel is dropped.
                let _ = workers[worker].send(task);
            }
            if idle.len() == workers.len() {
                break;
            }
            match ends.recv_timeout(FRAME) {
                Ok((worker, ended)) => {
                    idle.push(worker);
                    let told = overseer.ended(ended);
                    if failed.is_ok() {
                        failed = told;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            overseer.tick();
        }
    });
    failed
}
