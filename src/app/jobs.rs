//! `job …`: the jobs that this machine submitted, whichever node they were sent to.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::cli::{JobCommand, JobLine, Options};
use crate::client::{self, Answer, Job, JobOutcome, JobRecord, JobState, LongJob, Reply, Uncertainty};
use crate::commands::job::{self, JobRow};
use crate::config::Address;
use crate::error::{Error, ExitCode, OwnError};
use crate::journal::{JobEntry, Journal};
use crate::render::Shape;

use super::output::Output;
use super::waiting::{is_unrecorded, tells_of_long_job, wait_for};
use super::{App, shape};

/// What the journal calls the sandbox, whose port is another one each time.
const SANDBOX: &str = "sandbox";

/// A job that somebody named.
pub(super) struct Named {
    pub(super) uuid: String,
    /// What this machine knows of it.
    entry: Option<JobEntry>,
}

impl App {
    /// The journal, for jobs that are sent to the node at that address.
    pub(super) fn journal(&self, url: Option<&str>, context: Option<&str>) -> Result<Journal, Error> {
        Ok(Journal::new(self.environment.folders()?, url.unwrap_or(SANDBOX), context))
    }

    /// Runs a `job` command.
    pub(super) fn job(&mut self, line: &JobLine, options: &Options, out: &mut Output<'_>) -> Result<(), Error> {
        match (&line.command, &line.uuid) {
            (Some(JobCommand::List), _) | (None, None) => self.list_jobs(options, out),
            (Some(JobCommand::Show { uuid }), _) | (None, Some(uuid)) => self.show_job(uuid, options, out),
            (Some(JobCommand::Wait { uuids }), _) => match &uuids[..] {
                [uuid] => self.wait_for_job(uuid, options, out),
                uuids => self.wait_for_jobs(uuids, options, out),
            },
        }
    }

    fn list_jobs(&mut self, options: &Options, out: &mut Output<'_>) -> Result<(), Error> {
        let view = self.view(options, out)?;
        let entries = self.journal(None, None)?.entries()?;
        // How old something is changes by itself: nothing for programs.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok().filter(|_| view.format.is_for_people());
        let shape = if now.is_some() { job::aged_shape() } else { job::list_shape() };
        self.print(Reply::of_text(job::list(&entries, now)), &shape, &view, options, out)
    }

    fn show_job(&mut self, name: &str, options: &Options, out: &mut Output<'_>) -> Result<(), Error> {
        let view = self.view(options, out)?;
        let named = self.named_job(name)?;
        let options = &self.options_for(&named, options)?;
        let _attended = self.attend_to_ends()?;
        let client = &mut self.node(options)?.client;
        let (answer, outcome) = match client.look_at_job(&named.uuid)? {
            JobState::Running => {
                let progress = client.job_progress(&named.uuid);
                if let Some(started) = named.job().submitted.and_then(|at| client.started_since(at)) {
                    let text = format!(
                        "warning: the node started on {started}, after the job was submitted; the job probably died"
                    );
                    self.say(options, &text);
                }
                let row = JobRow { state: Some("running"), progress: progress.as_ref(), ..named.row() };
                return self.print(Reply::of_text(job::one(&row)), &job::shape(), &view, options, out);
            }
            JobState::Succeeded(reply) => (Answer::Reply(reply), JobOutcome::Succeeded),
            JobState::Failed(failure) => {
                let outcome = failure.outcome();
                (Answer::Failed(failure), outcome)
            }
            JobState::NoRecord => {
                if let Some(long_job) = client.look_at_long_job(&named.uuid)? {
                    let (answer, shape) = match (long_job.has_ended(), &long_job.api_id) {
                        (true, _) => self.unpacked(&long_job),
                        (false, api_id) => {
                            let progress = api_id.as_deref().and_then(|id| client.job_progress(id));
                            let state = long_job.state.to_lowercase();
                            let row = JobRow { state: Some(&state), progress: progress.as_ref(), ..named.row() };
                            (Answer::Reply(Reply::of_text(job::one(&row))), job::shape())
                        }
                    };
                    return self.conclude_call(answer, &shape, &view, options, out);
                }
                return self.without_record(&named, options, out);
            }
        };
        self.note_end(&named, Some(outcome));
        let shape = self.shape_of_job(&named);
        self.say(options, &format!("job {} has ended", named.uuid));
        self.conclude_call(answer, &shape, &view, options, out)
    }

    /// The node has forgotten the job, or never had it: what this machine saw is all there is (J5).
    fn without_record(&mut self, named: &Named, options: &Options, out: &mut Output<'_>) -> Result<(), Error> {
        let Some(outcome) = named.seen_end().filter(|outcome| *outcome != JobOutcome::Unknown) else {
            return Err(no_record(self.api_of(named), &named.uuid).into());
        };
        self.say(options, "the node has no record of the job any more; this is what was seen of it here");
        let view = self.view(options, out)?;
        self.print(Reply::of_text(job::one(&named.row())), &job::shape(), &view, options, out)?;
        match outcome {
            JobOutcome::Failed | JobOutcome::NotRun => Err(Error::Reported(ExitCode::Failed)),
            JobOutcome::Succeeded | JobOutcome::Unknown => Ok(()),
        }
    }

    fn wait_for_job(&mut self, name: &str, options: &Options, out: &mut Output<'_>) -> Result<(), Error> {
        let view = self.view(options, out)?;
        let named = self.named_job(name)?;
        let api = self.api_of(&named);
        let options = &self.options_for(&named, options)?;
        let _attended = self.attend_to_ends()?;
        let follow = options.follow && tells_of_long_job(&self.shape_of_job(&named));
        let mut spinner = self.spinner(options);
        let client = &mut self.node(options)?.client;
        let waited = wait_for(client, (api, named.job()), follow, options, &mut spinner);
        self.note_end(&named, waited.outcome);
        self.say_what_goes_on(&waited, options);
        match waited.end {
            Err(error) if is_unrecorded(&error) => self.without_record(&named, options, out),
            end => {
                let (answer, shape) = self.end_to_print(end?, self.shape_of_job(&named));
                self.conclude_call(answer, &shape, &view, options, out)
            }
        }
    }

    /// What a long job that has ended came to, in the shape of the API whose work it did.
    pub(super) fn unpacked(&self, long_job: &LongJob) -> (Answer, Shape) {
        if long_job.state != "Succeeded" {
            return (Answer::Failed(long_job.failure()), Shape::default());
        }
        match long_job.reply() {
            Some(reply) => (Answer::Reply(reply), self.shape_of_api(long_job.api())),
            None => {
                let row = JobRow { uuid: &long_job.uuid, state: Some("succeeded"), ..JobRow::default() };
                (Answer::Reply(Reply::of_text(job::one(&row))), job::shape())
            }
        }
    }

    /// The job of that uuid, or the only one of this machine whose uuid begins so.
    pub(super) fn named_job(&self, name: &str) -> Result<Named, Error> {
        let mut found = self.journal(None, None)?.find(name)?;
        found.dedup_by(|one, other| one.uuid == other.uuid);
        match found.len() {
            1 => Ok(Named { uuid: name_of(&found), entry: found.pop() }),
            0 if name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                Ok(Named { uuid: name.to_ascii_lowercase(), entry: None })
            }
            0 => Err(Error::Own(OwnError::NotFound { kind: "job", name: name.to_owned(), closest: None })),
            count => {
                let problem = format!("{count} jobs begin so; `job list` shows them");
                Err(Error::Own(OwnError::Value { name: name.to_owned(), problem }))
            }
        }
    }

    /// The options that lead to the node that has the job: what was typed, else what the journal says.
    pub(super) fn options_for(&mut self, named: &Named, options: &Options) -> Result<Options, Error> {
        let is_chosen = options.url.is_some()
            || options.host.is_some()
            || options.port.is_some()
            || options.context.is_some()
            || options.sandbox;
        let Some(entry) = named.entry.as_ref().filter(|_| !is_chosen) else { return Ok(options.clone()) };
        if entry.url == SANDBOX {
            return Ok(Options { sandbox: true, context: None, url: None, host: None, port: None, ..options.clone() });
        }
        // Credentials belong to the context where its address is meant, else to the address.
        let selected = self.selection(options)?.address;
        if self.endpoint_of(&selected).is_ok_and(|endpoint| endpoint.base() == entry.url) {
            return Ok(options.clone());
        }
        let contexts = self.contexts()?;
        let context = entry.context.as_deref().and_then(|name| contexts.get(name));
        let named = context.and_then(|context| Some((context.name.clone(), context.own.url.clone()?)));
        let named = named.filter(|(_, url)| {
            self.endpoint_of(&Address::Url(url.clone())).is_ok_and(|endpoint| endpoint.base() == entry.url)
        });
        Ok(match named {
            Some((name, _)) => Options { context: Some(name), ..options.clone() },
            // The slash says that the path, or none, is the whole one.
            None => Options { url: Some(format!("{}/", entry.url)), ..options.clone() },
        })
    }

    /// Notes what became of a job that this machine submitted, where it does not know already.
    pub(super) fn note_end(&self, named: &Named, outcome: Option<JobOutcome>) {
        let Some(outcome) = outcome.filter(|outcome| named.entry.is_some() && named.seen_end() != Some(*outcome))
        else {
            return;
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // A journal that cannot be written does not take the result away.
        if let Ok(mut journal) = self.journal(None, None) {
            journal.ended(&named.uuid, outcome, now);
        }
    }

    /// The name of the API that the job runs.
    pub(super) fn api_of(&self, named: &Named) -> &'static str {
        let api = named.entry.as_ref().and_then(|entry| self.catalog.api(&entry.api));
        api.map_or("the job", |api| api.name)
    }

    pub(super) fn shape_of_job(&self, named: &Named) -> Shape {
        named.entry.as_ref().map(|entry| self.shape_of_api(&entry.api)).unwrap_or_default()
    }

    fn shape_of_api(&self, api: &str) -> Shape {
        self.catalog.api(api).map(|api| shape::of_api(self.catalog, &api)).unwrap_or_default()
    }
}

impl Named {
    /// What this machine saw of its end.
    pub(super) fn seen_end(&self) -> Option<JobOutcome> {
        self.entry.as_ref().and_then(|entry| entry.end).map(|(outcome, _)| outcome)
    }

    pub(super) fn row(&self) -> JobRow<'_> {
        JobRow { uuid: &self.uuid, entry: self.entry.as_ref(), ..JobRow::default() }
    }

    pub(super) fn job(&self) -> Job {
        let api = self.entry.as_ref().map(|entry| entry.api.clone()).unwrap_or_default();
        let submitted = self.entry.as_ref().map(|entry| entry.submitted);
        Job { uuid: self.uuid.clone(), api, timeout: None, submitted }
    }
}

fn name_of(found: &[JobEntry]) -> String {
    found.first().map(|entry| entry.uuid.clone()).unwrap_or_default()
}

fn no_record(api: &'static str, uuid: &str) -> client::Error {
    client::Error::OutcomeUnknown { api, job: Some(uuid.to_owned()), reason: Uncertainty::NoRecord }
}
