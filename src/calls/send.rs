//! Sends calls, or shows what would be sent.

use crate::client::{self, Answer, CallOptions, Client, JobUuid, Watch};
use crate::error::Error;
use crate::plan::{self, Cursor, Effect, Plan, QueryPlan, Request};
use crate::session::{Invocation, Turned, nodes, turn};

use super::arrange;
use super::secrets::shown;

/// Prints the requests of a plan without sending them.
pub(crate) fn dry_run(cx: &mut Invocation<'_>, planned: &Plan) -> Result<(), Error> {
    let secrets = cx.settings.view.secrets;
    let node = nodes::node(cx.session, cx.settings)?;
    let texts: Vec<String> =
        first_requests(planned).iter().map(|request| node.client.dry_run(request, secrets)).collect();
    let texts = texts.join("\n");
    let text = shown(secrets, &cx.session.known_secrets(), &texts).into_owned();
    cx.out.write_text(&text)?;
    show_curl(cx, planned, JobUuid::fresh())?;
    if pages_follow(planned) {
        cx.say("further pages follow as long as the node returns full ones");
    }
    Ok(())
}

/// Prints the `curl` commands for the requests, with `-c`. The uuid is the one that they will be sent under.
pub(crate) fn show_curl(cx: &mut Invocation<'_>, planned: &Plan, job: JobUuid) -> Result<(), Error> {
    if cx.settings.call.curl_example {
        let mut client = nodes::node(cx.session, cx.settings)?.client.fork();
        curl(cx).iter().for_each(|curl| curl(&mut client, &first_requests(planned), job));
    }
    Ok(())
}

/// Prints the `curl` commands for requests that a client sends.
pub(crate) type Curl = Box<dyn Fn(&mut Client, &[Request], JobUuid) + Send>;

/// What prints `curl` commands; `None` without `-c`.
pub(crate) fn curl(cx: &Invocation<'_>) -> Option<Curl> {
    if !cx.settings.call.curl_example {
        return None;
    }
    let (secrets, known) = (cx.settings.view.secrets, cx.session.known_secrets());
    let (ui, tls) = (cx.settings.ui.clone(), cx.settings.target.tls.clone());
    let print = move |client: &mut Client, requests: &[Request], job: JobUuid| {
        let texts: Vec<String> =
            requests.iter().map(|request| client.curl_command(request, job, &tls, secrets)).collect();
        // Asked for, so it is said also to whoever wants quiet.
        ui.insist(&shown(secrets, &known, &texts.join("\n")));
    };
    Some(Box::new(print))
}

/// The uuid that a call is sent under.
#[derive(Clone, Copy)]
pub(super) struct CallUuid {
    pub(super) job: JobUuid,
    /// Whether the call was sent under it before.
    is_repeat: bool,
}

impl CallUuid {
    fn fresh() -> CallUuid {
        CallUuid { job: JobUuid::fresh(), is_repeat: false }
    }

    /// The uuid for a planned call. An action that was refused because of its session keeps its uuid: a copy of the
    /// first attempt may still arrive.
    pub(super) fn of(cx: &mut Invocation<'_>, planned: &Plan) -> CallUuid {
        let is_job = matches!(planned, Plan::Call(request) if request.effect == Effect::Action && request.is_async);
        match cx.session.refused_job.take_if(|_| is_job) {
            Some(job) => CallUuid { job, is_repeat: true },
            None => CallUuid::fresh(),
        }
    }
}

/// Sends a request, with a spinner while a job runs.
pub(crate) fn execute(cx: &mut Invocation<'_>, request: &Request) -> Result<Answer, Error> {
    execute_as(cx, request, CallUuid::fresh())
}

/// As [`execute`], with the `curl` command if the user wants it.
pub(crate) fn execute_shown(cx: &mut Invocation<'_>, request: &Request) -> Result<Answer, Error> {
    let uuid = CallUuid::fresh();
    show_curl(cx, &Plan::Call(request.clone()), uuid.job)?;
    execute_as(cx, request, uuid)
}

/// As [`execute`], under a given uuid.
pub(super) fn execute_as(cx: &mut Invocation<'_>, request: &Request, uuid: CallUuid) -> Result<Answer, Error> {
    let how = CallOptions { job: Some(uuid.job), is_repeat: uuid.is_repeat, ..CallOptions::default() };
    let error = match execute_here(cx, request, how)? {
        Ok(answer) => return Ok(answer),
        Err(error) => error,
    };
    // The uuid is kept, so that a delayed first attempt does not run in addition.
    let how = CallOptions { is_repeat: how.is_repeat || error.job().is_some(), ..how };
    let action = Some(request).filter(|request| request.effect == Effect::Action);
    match turn(cx.session, cx.settings, &error, action)? {
        Turned::No => Err(error.into()),
        Turned::NotRun => Ok(execute_here(cx, request, how)??),
        Turned::PerhapsRun => {
            let node = nodes::node(cx.session, cx.settings)?;
            let base = node.client.endpoint().base().to_owned();
            cx.session.advice = Some(format!("the node answers at {base}: look there before you repeat the action"));
            Err(error.into())
        }
    }
}

/// Sends a request to the current base of the node.
fn execute_here(
    cx: &mut Invocation<'_>,
    request: &Request,
    how: CallOptions,
) -> Result<Result<Answer, client::Error>, Error> {
    let _attended = cx.session.attend_to_ends()?;
    let mut spinner = cx.settings.ui.spinner();
    let settings = &cx.settings.call;
    // A validation has no result before its job has ended.
    let how = CallOptions { wait: !settings.no_wait || settings.validate, timeout: request.timeout, ..how };
    let node = nodes::node(cx.session, cx.settings)?;
    let result = node.client.execute(request, &how, &mut spinner);
    if request.effect == Effect::Action {
        cx.session.forget_live_values();
    }
    Ok(result)
}

/// Runs a query, with as many requests as needed.
pub(crate) fn query(cx: &mut Invocation<'_>, query: &QueryPlan) -> Result<Answer, Error> {
    let error = match query_here(cx, query)? {
        Ok(answer) => return Ok(answer),
        Err(error) => error,
    };
    match turn(cx.session, cx.settings, &error, None)? {
        Turned::NotRun => Ok(query_here(cx, query)??),
        Turned::No | Turned::PerhapsRun => Err(error.into()),
    }
}

fn query_here(cx: &mut Invocation<'_>, query: &QueryPlan) -> Result<Result<Answer, client::Error>, Error> {
    let _attended = cx.session.attend_to_ends()?;
    let mut spinner = cx.settings.ui.spinner();
    let settings = &cx.settings.call;
    let node = nodes::node(cx.session, cx.settings)?;
    let how = CallOptions { page_parallel: settings.page_parallel, ..CallOptions::default() };
    query_with(&mut node.client, query, &how, &mut spinner)
}

fn query_with(
    client: &mut Client,
    query: &QueryPlan,
    how: &CallOptions,
    watch: &mut dyn Watch,
) -> Result<Result<Answer, client::Error>, Error> {
    Ok(match client.query(query, how, watch) {
        Ok(Answer::Reply(reply)) => Ok(Answer::Reply(arrange::arranged(reply, query)?)),
        result => result,
    })
}

/// Runs a plan with a client of its own, for a thread of its own.
pub(crate) fn run_with(
    client: &mut Client,
    planned: &Plan,
    how: &CallOptions,
    watch: &mut dyn Watch,
) -> Result<Answer, Error> {
    match planned {
        Plan::Query(query) => Ok(query_with(client, query, how, watch)??),
        Plan::Call(request) => Ok(client.execute(request, how, watch)?),
    }
}

/// The requests that are certain to be sent; further pages depend on what comes.
pub(super) fn first_requests(planned: &Plan) -> Vec<Request> {
    match planned {
        Plan::Call(request) => vec![request.clone()],
        Plan::Query(query) => (0..query.parts()).map(|part| query.request(part, &Cursor::Start)).collect(),
    }
}

fn pages_follow(planned: &Plan) -> bool {
    match planned {
        Plan::Query(query) => {
            matches!(query.extent, plan::Extent::All { .. }) && matches!(query.answer, plan::Answer::Rows { .. })
        }
        Plan::Call(_) => false,
    }
}
