//! `job …`: the jobs that this machine submitted, whichever node they were sent to.

use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::cli::{JobCommand, JobLine, Options};
use crate::client::{
    self, Answer, CallOptions, Client, Endpoint, Job, JobEntry, JobOutcome, JobRecord, JobState, Journal, LongJob,
    Reply, Uncertainty, Unwatched,
};
use crate::commands::job::{self, JobRow};
use crate::config::Address;
use crate::error::{Error, ExitCode, OwnError};
use crate::json;
use crate::render::Shape;

use super::output::Output;
use super::{App, Flow, shape, view};

/// What the journal calls the sandbox, whose port is another one each time.
const SANDBOX: &str = "sandbox";

/// For how long `job wait` waits unless told otherwise: the longest time that a node lets an API run (J8).
const LONGEST_WAIT: Duration = Duration::from_secs(72 * 3600);

/// How many jobs are waited for at a time.
const AT_ONCE: usize = 32;

/// A job that somebody named.
struct Named {
    uuid: String,
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
        let view = view::view(options, self.screen_of(out, options))?;
        let entries = self.journal(None, None)?.entries()?;
        // How old something is changes by itself: nothing for programs.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok().filter(|_| view.format.is_for_people());
        let shape = if now.is_some() { job::aged_shape() } else { job::list_shape() };
        self.print(Reply::of_text(job::list(&entries, now)), &shape, &view, options, out)
    }

    fn show_job(&mut self, name: &str, options: &Options, out: &mut Output<'_>) -> Result<(), Error> {
        let view = view::view(options, self.screen_of(out, options))?;
        let named = self.named_job(name)?;
        let options = &self.options_for(&named, options)?;
        self.watch_ctrl_c()?;
        let client = &mut self.node(options)?.client;
        let answer = match client.look_at_job(&named.uuid)? {
            JobState::Running => {
                let progress = client.job_progress(&named.uuid);
                let row = JobRow { state: Some("running"), progress: progress.as_ref(), ..named.row() };
                return self.print(Reply::of_text(job::one(&row)), &job::shape(), &view, options, out);
            }
            JobState::Succeeded(reply) => Answer::Reply(reply),
            JobState::Failed(failure) => Answer::Failed(failure),
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
        self.note_end(&named, &answer)?;
        let shape = self.shape_of_job(&named);
        self.say(options, &format!("job {} has ended", named.uuid));
        self.conclude_call(answer, &shape, &view, options, out)
    }

    /// The node has forgotten the job, or never had it: what this machine saw is all there is (J5).
    fn without_record(&mut self, named: &Named, options: &Options, out: &mut Output<'_>) -> Result<(), Error> {
        let seen = named.entry.as_ref().and_then(|entry| entry.end).map(|(outcome, _)| outcome);
        let Some(outcome) = seen.filter(|outcome| *outcome != JobOutcome::Unknown) else {
            return Err(no_record(self.api_of(named), &named.uuid).into());
        };
        self.say(options, "the node has no record of the job any more; this is what was seen of it here");
        let view = view::view(options, self.screen_of(out, options))?;
        self.print(Reply::of_text(job::one(&named.row())), &job::shape(), &view, options, out)?;
        match outcome {
            JobOutcome::Failed | JobOutcome::NotRun => Err(Error::Reported(ExitCode::Failed)),
            JobOutcome::Succeeded | JobOutcome::Unknown => Ok(()),
        }
    }

    fn wait_for_job(&mut self, name: &str, options: &Options, out: &mut Output<'_>) -> Result<(), Error> {
        let view = view::view(options, self.screen_of(out, options))?;
        let named = self.named_job(name)?;
        let api = self.api_of(&named);
        let options = &self.options_for(&named, options)?;
        self.watch_ctrl_c()?;
        let mut spinner = self.spinner(options);
        let client = &mut self.node(options)?.client;
        let waited = client.wait_for_job(api, named.job(), &how_long(options), &mut spinner);
        let answer = match waited {
            Err(error) if is_unrecorded(&error) => {
                if client.look_at_long_job(&named.uuid)?.is_some() {
                    let (answer, shape) = self.end_of_long_job(&named.uuid, options)?;
                    return self.conclude_call(answer, &shape, &view, options, out);
                }
                return self.without_record(&named, options, out);
            }
            other => other?,
        };
        self.note_end(&named, &answer)?;
        let (answer, shape) = self.follow_long_job(answer, self.shape_of_job(&named), options)?;
        self.conclude_call(answer, &shape, &view, options, out)
    }

    fn wait_for_jobs(&mut self, names: &[String], options: &Options, out: &mut Output<'_>) -> Result<(), Error> {
        let view = view::view(options, self.screen_of(out, options))?;
        let mut jobs: Vec<(Named, &'static str, Client)> = Vec::new();
        for name in names {
            let named = self.named_job(name)?;
            let api = self.api_of(&named);
            let options = self.options_for(&named, options)?;
            let client = self.node(&options)?.client.fork();
            jobs.push((named, api, client));
        }
        self.watch_ctrl_c()?;
        let how = how_long(options);
        let mut outcomes = Vec::new();
        for some in jobs.chunks_mut(AT_ONCE) {
            thread::scope(|scope| {
                let waiting: Vec<_> = some
                    .iter_mut()
                    .map(|(named, api, client)| {
                        scope.spawn(|| client.wait_for_job(api, named.job(), &how, &mut Unwatched))
                    })
                    .collect();
                // A panic of theirs is one of ours.
                let ended =
                    waiting.into_iter().map(|one| one.join().unwrap_or_else(|it| std::panic::resume_unwind(it)));
                outcomes.extend(ended);
            });
        }
        let mut first = ExitCode::Done;
        let mut ends = Vec::new();
        for ((named, ..), outcome) in jobs.iter().zip(outcomes) {
            let mut end = End { state: "succeeded", result: None, failure: None };
            let seen = named.entry.as_ref().and_then(|entry| entry.end).map(|(outcome, _)| outcome);
            let error = match outcome {
                Ok(answer) => {
                    self.note_end(named, &answer)?;
                    match answer {
                        Answer::Reply(reply) => {
                            let text = reply.into_text().map_err(|error| client::Error::of_read(&error))?;
                            end.result = Some(text);
                            None
                        }
                        Answer::Failed(failure) => {
                            end.state = "failed";
                            end.failure = Some(failure.clone());
                            Some(Error::Api(Box::new(failure)))
                        }
                        Answer::Detached(_) => None,
                    }
                }
                Err(error) if is_unrecorded(&error) && seen == Some(JobOutcome::Succeeded) => None,
                Err(error) if is_unrecorded(&error) && seen == Some(JobOutcome::Failed) => {
                    end.state = "failed";
                    Some(Error::Reported(ExitCode::Failed))
                }
                Err(error) => {
                    end.state = "unknown";
                    Some(error.into())
                }
            };
            if let Some(error) = error {
                let (code, _) = self.conclude(Err::<Flow, _>(error), Some(&format!("job {}", named.uuid)), None);
                first = if first == ExitCode::Done { code } else { first };
            }
            ends.push(end);
        }
        let rows: Vec<JobRow<'_>> = jobs
            .iter()
            .zip(&ends)
            .map(|((named, ..), end)| JobRow {
                state: Some(end.state),
                result: end.result.as_deref(),
                failure: end.failure.as_ref(),
                ..named.row()
            })
            .collect();
        self.print(Reply::of_text(job::several(&rows)), &job::list_shape(), &view, options, out)?;
        if first == ExitCode::Done { Ok(()) } else { Err(Error::Reported(first)) }
    }

    /// Where an answer tells of a long job and the user wants it followed: its end instead.
    pub(super) fn follow_long_job(
        &mut self,
        answer: Answer,
        shape: Shape,
        options: &Options,
    ) -> Result<(Answer, Shape), Error> {
        let tells = shape.inventory.as_deref() == Some("LongJobInventory");
        let Answer::Reply(reply) = answer else { return Ok((answer, shape)) };
        if !tells || !options.follow {
            return Ok((Answer::Reply(reply), shape));
        }
        let text = reply.into_text().map_err(|error| client::Error::of_read(&error))?;
        match json::member(&text, "inventory").and_then(LongJob::of_inventory) {
            Some(long_job) => self.end_of_long_job(&long_job.uuid, options),
            None => Ok((Answer::Reply(Reply::of_text(text)), shape)),
        }
    }

    /// Waits for the end of a long job, and unpacks its result.
    fn end_of_long_job(&mut self, uuid: &str, options: &Options) -> Result<(Answer, Shape), Error> {
        let mut spinner = self.spinner(options);
        let how = CallOptions { wait: true, timeout: options.timeout.map(Duration::from_secs) };
        match self.node(options)?.client.follow_long_job(uuid, &how, &mut spinner)? {
            Ok(long_job) => Ok(self.unpacked(&long_job)),
            Err(failure) => Ok((Answer::Failed(failure), Shape::default())),
        }
    }

    /// What a long job that has ended came to, in the shape of the API whose work it did.
    fn unpacked(&self, long_job: &LongJob) -> (Answer, Shape) {
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
    fn named_job(&self, name: &str) -> Result<Named, Error> {
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
    fn options_for(&mut self, named: &Named, options: &Options) -> Result<Options, Error> {
        let is_chosen = options.url.is_some()
            || options.host.is_some()
            || options.port.is_some()
            || options.context.is_some()
            || options.sandbox;
        let Some(entry) = named.entry.as_ref().filter(|_| !is_chosen) else { return Ok(options.clone()) };
        if entry.url == SANDBOX {
            return Ok(Options { sandbox: true, ..options.clone() });
        }
        let base = |url: &str| Endpoint::parse(url).ok().map(|endpoint| endpoint.base().to_owned());
        let is_there = |address: &Address| match address {
            Address::Url(url) => base(url).as_deref() == Some(entry.url.as_str()),
            Address::Host { host, port } => {
                Endpoint::of_host(host, *port).is_ok_and(|endpoint| endpoint.base() == entry.url)
            }
        };
        // Credentials belong to the context where its address is meant, else to the address.
        if is_there(&self.selection(options)?.address) {
            return Ok(options.clone());
        }
        let contexts = self.contexts()?;
        let context = entry.context.as_deref().and_then(|name| contexts.get(name));
        let context = context.filter(|context| context.own.url.as_deref().and_then(base).as_ref() == Some(&entry.url));
        Ok(match context {
            Some(context) => Options { context: Some(context.name.clone()), ..options.clone() },
            None => Options { url: Some(entry.url.clone()), ..options.clone() },
        })
    }

    /// Notes what became of a job that this machine submitted.
    fn note_end(&self, named: &Named, answer: &Answer) -> Result<(), Error> {
        let outcome = match answer {
            Answer::Reply(_) => JobOutcome::Succeeded,
            Answer::Failed(_) => JobOutcome::Failed,
            Answer::Detached(_) => return Ok(()),
        };
        let known = named.entry.as_ref().and_then(|entry| entry.end).is_some_and(|(known, _)| known == outcome);
        if named.entry.is_some() && !known {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            self.journal(None, None)?.ended(&named.uuid, outcome, now);
        }
        Ok(())
    }

    /// The name of the API that the job runs.
    fn api_of(&self, named: &Named) -> &'static str {
        let api = named.entry.as_ref().and_then(|entry| self.catalog.api(&entry.api));
        api.map_or("the job", |api| api.name)
    }

    fn shape_of_job(&self, named: &Named) -> Shape {
        named.entry.as_ref().map(|entry| self.shape_of_api(&entry.api)).unwrap_or_default()
    }

    fn shape_of_api(&self, api: &str) -> Shape {
        self.catalog.api(api).map(|api| shape::of_api(self.catalog, &api)).unwrap_or_default()
    }
}

/// How a job ended that was waited for together with others.
struct End {
    state: &'static str,
    result: Option<Vec<u8>>,
    failure: Option<client::ApiFailure>,
}

impl Named {
    fn row(&self) -> JobRow<'_> {
        JobRow { uuid: &self.uuid, entry: self.entry.as_ref(), ..JobRow::default() }
    }

    fn job(&self) -> Job {
        let api = self.entry.as_ref().map(|entry| entry.api.clone()).unwrap_or_default();
        Job { uuid: self.uuid.clone(), api, timeout: None }
    }
}

fn name_of(found: &[JobEntry]) -> String {
    found.first().map(|entry| entry.uuid.clone()).unwrap_or_default()
}

fn how_long(options: &Options) -> CallOptions {
    CallOptions { wait: true, timeout: Some(options.timeout.map_or(LONGEST_WAIT, Duration::from_secs)) }
}

fn no_record(api: &'static str, uuid: &str) -> client::Error {
    client::Error::OutcomeUnknown { api, job: Some(uuid.to_owned()), reason: Uncertainty::NoRecord }
}

fn is_unrecorded(error: &client::Error) -> bool {
    matches!(error, client::Error::OutcomeUnknown { reason: Uncertainty::NoRecord, .. })
}
