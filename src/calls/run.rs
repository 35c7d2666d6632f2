//! Runs a plan and prints its result.

use std::io;
use std::time::Instant;

use crate::client::{Answer, JobRecord as _, Reply, is_log_in, is_log_out};
use crate::error::Error;
use crate::json::{self, Kind};
use crate::plan::{self, Cursor, Effect, Plan, QueryPlan, Request, Subject, ZQL_API};
use crate::render::{self, Selection, Shape, View};
use crate::secret::mask_command;
use crate::session::{Invocation, PrintedAction, Settings, accounts, who_of};
use crate::syntax::Command;
use crate::terminal::{Marked, marked};

use super::belongings::text_of;
use super::send::CallUuid;
use super::watch::{self, Watched};
use super::{confirm, missing, secrets, send, shape, show, waiting, zql};

/// Runs the plan of a command and prints its result.
pub(crate) fn run(cx: &mut Invocation<'_>, command: &Command, planned: Plan, view: View) -> Result<(), Error> {
    secrets::learn_of_plan(cx.session, &planned);
    let settings = &cx.settings.call;
    let planned = if settings.validate { Plan::Call(validation(&planned)?) } else { planned };
    if settings.dry_run {
        return send::dry_run(cx, &planned);
    }
    let uuid = CallUuid::of(cx, &planned);
    send::show_curl(cx, &planned, uuid.job)?;
    let (shape, select) = shape::of_plan(cx.session.catalog, &planned);
    let view = view_of_rows(view, &planned, select, settings.watch.is_some());
    let view = secrets::left_out(cx.session, view, &planned);
    if acts(&planned) && !settings.no_check {
        render::check_columns(&shape, &view)?;
    }
    if !settings.validate {
        confirm::confirm(cx, command, &planned)?;
    }
    if let Some(every) = settings.watch {
        let (query, title) = (watched_query(command, &planned)?, &watched_title(command));
        return watch::watch(cx, &Watched { query, shape: &shape, view: &view, title, every });
    }
    if acts(&planned) && holds_wide_text(&planned) {
        cx.settings.ui.warn("the node's database may not store characters beyond U+FFFF, such as emoji");
    }
    match planned {
        Plan::Query(query) => {
            let answer = send::query(cx, &query)?;
            explain_wide_text(cx, &Plan::Query(query), &answer);
            let why_none = why_none(command, cx.settings);
            show::found(cx, answer, &shape, &view, why_none)
        }
        Plan::Call(request) => {
            let (acts, started) = (request.effect == Effect::Action, Instant::now());
            let answer = send::execute_as(cx, &request, uuid);
            note_name(cx, &request, uuid);
            let answer = answer?;
            let done = !matches!(answer, Answer::Detached(_));
            finish_call(cx, command, (request, uuid), answer, shape, &view)?;
            // At a terminal the end of what took a while is told.
            if acts && done && view.terminal && view.format.is_for_people() && !cx.settings.call.validate {
                cx.say(&format!("({:.1} s)", started.elapsed().as_secs_f64()));
            }
            Ok(())
        }
    }
}

/// Why a query may have found nothing. On a terminal the condition is marked in the line.
fn why_none(query: &Command, settings: &Settings) -> Option<String> {
    let (span, reason) = plan::why_none(query)?;
    Some(match marked(&query.line, span).filter(|_| settings.ui.terminal.stderr) {
        Some(Marked { text, indent, width }) => {
            format!("{reason}\n  {text}\n  {}{}", " ".repeat(indent), "^".repeat(width))
        }
        None => reason,
    })
}

/// Processes the answer to a request that is not a query, and prints it.
fn finish_call(
    cx: &mut Invocation<'_>,
    command: &Command,
    (request, uuid): (Request, CallUuid),
    answer: Answer,
    shape: Shape,
    view: &View,
) -> Result<(), Error> {
    let answer = match answer {
        Answer::Reply(reply) if cx.settings.call.validate => return validated(cx, reply, &shape, view),
        Answer::Reply(reply) => keep_session(cx, command, &request, reply)?,
        answer => answer,
    };
    let (answer, shape) = match zql_of(&request) {
        Some(text) => (zql::results(cx, answer, text, view)?, zql::shape(cx.session.catalog, text)),
        None => waiting::follow_long_job(cx, answer, shape)?,
    };
    if let Answer::Failed(failure) = &answer {
        cx.session.advice = missing::meant_instead(cx, command, &request, failure);
    }
    let (api, subject) = (request.api, request.is_async.then(|| request.subject()));
    let planned = Plan::Call(request);
    explain_wide_text(cx, &planned, &answer);
    match answer {
        Answer::Reply(reply) if acts(&planned) => {
            let text = show::text(reply)?;
            if let Some(subject) = subject {
                note_subject(cx, uuid, &subject, &text);
            }
            let made = if is_log_in(&command.name) { String::new() } else { made_by(&text) };
            match show::result(cx, &text, &shape, view) {
                Err(Error::Write(source)) if source.kind() != io::ErrorKind::BrokenPipe => {
                    Err(Error::NotWritten { api, made, source })
                }
                result => {
                    cx.session.printed_action = Some(PrintedAction { api, made });
                    result
                }
            }
        }
        answer => show::answer(cx, answer, &shape, view),
    }
}

/// Records by which name the resource of an action was called.
fn note_name(cx: &mut Invocation<'_>, request: &Request, uuid: CallUuid) {
    let Some(resource) = request.subject().resource.filter(|_| request.effect == Effect::Action && request.is_async)
    else {
        return;
    };
    let name = cx.session.names.iter().find(|(uuid, _)| *uuid == resource).map(|(_, name)| name.clone());
    if name.is_some() {
        record(cx, uuid, &Subject { resource: None, name });
    }
}

/// Records what an action changed or made, as far as the result says more than the request did.
fn note_subject(cx: &mut Invocation<'_>, uuid: CallUuid, asked: &Subject, text: &[u8]) {
    let Some(made) = json::member(text, "inventory") else { return };
    let resource = text_of(made, "uuid");
    // The result of an action on a resource may be another one.
    if asked.resource.as_ref().is_none_or(|asked| resource.as_ref() == Some(asked)) {
        record(cx, uuid, &Subject { resource, name: text_of(made, "name") });
    }
}

fn record(cx: &mut Invocation<'_>, uuid: CallUuid, subject: &Subject) {
    // The list of jobs lacks the name if it cannot be written.
    if let Ok(mut journal) = cx.session.journal(None, None) {
        journal.acts_on(&uuid.job.to_string(), subject);
    }
}

/// Stores the session of a log-in, and removes that of a log-out. Other replies are unchanged.
fn keep_session(cx: &mut Invocation<'_>, command: &Command, request: &Request, reply: Reply) -> Result<Answer, Error> {
    if is_log_out(request.api) {
        accounts::logged_out(cx.session, cx.settings, request)?;
    }
    if !is_log_in(request.api) {
        return Ok(Answer::Reply(reply));
    }
    let text = show::text(reply)?;
    let typed = command.arguments.iter();
    let who = who_of(typed.map(|argument| (argument.name.as_str(), argument.value.as_str())));
    if !accounts::logged_in(cx.session, cx.settings, request, &text, who)? {
        cx.settings.ui.warn("the reply holds no session; nobody is logged in");
    }
    Ok(Answer::Reply(Reply::of_text(text)))
}

/// Prints that the validation succeeded.
fn validated(cx: &mut Invocation<'_>, reply: Reply, shape: &Shape, view: &View) -> Result<(), Error> {
    let text = show::text(reply)?;
    if json::members(&text).all(|(name, _)| json::unescape(name) == "success") {
        cx.say("valid: the node would run it; nothing was done");
        return Ok(());
    }
    cx.settings.ui.warn("the node answered with a result; it may have run the action in spite of --validate");
    show::print(cx, Reply::of_text(text), shape, view)
}

fn acts(planned: &Plan) -> bool {
    matches!(planned, Plan::Call(request) if request.effect == Effect::Action)
}

/// Sets the hint for a query that may have failed because of characters beyond U+FFFF (R9).
fn explain_wide_text(cx: &mut Invocation<'_>, planned: &Plan, answer: &Answer) {
    let failed = matches!(answer, Answer::Failed(_)) && cx.session.advice.is_none();
    if failed && !acts(planned) && holds_wide_text(planned) {
        let hint = "the node's database may not compare characters beyond U+FFFF, such as emoji: `%` stands for them";
        cx.session.advice = Some(hint.to_owned());
    }
}

/// The view for the rows of a plan.
pub(crate) fn view_of_rows(view: View, planned: &Plan, select: Option<Selection>, is_watched: bool) -> View {
    let taken_from = match planned {
        Plan::Query(query) => query.inventory.map(str::to_owned),
        Plan::Call(_) => None,
    };
    // The rows have the selected members only. Columns are needed to take a value out of a member, or to leave out the
    // key that `--watch` adds.
    let is_needed = |columns: &Selection| is_watched || columns.columns.iter().any(|column| column.path.len() > 1);
    let columns = view.columns.or_else(|| select.filter(is_needed));
    // An order that was asked for stays.
    let is_query = matches!(planned, Plan::Query(_)) && !is_watched;
    let is_ordered = matches!(planned, Plan::Query(query) if query.is_ordered());
    View { taken_from, columns, folds: is_query, by_name: is_query && !is_ordered && view.sort_by.is_none(), ..view }
}

/// The query to be repeated.
fn watched_query<'p>(command: &Command, planned: &'p Plan) -> Result<&'p QueryPlan, Error> {
    match planned {
        Plan::Query(query) => Ok(query),
        Plan::Call(_) => {
            let problem = format!("{} is not a query, and only queries can be repeated", command.name);
            Err(Error::Option { option: "watch", problem })
        }
    }
}

/// The command without its options, secrets masked.
fn watched_title(command: &Command) -> String {
    let end = command.arguments.last().map_or(command.name_span.end, |argument| argument.span.end);
    mask_command(command.line.get(command.name_span.start..end).unwrap_or(&command.name))
}

/// Whether a request holds characters beyond U+FFFF (R9).
fn holds_wide_text(planned: &Plan) -> bool {
    match planned {
        Plan::Call(request) => request.holds_wide_text(),
        Plan::Query(query) => (0..query.parts()).any(|part| query.request(part, &Cursor::Start).holds_wide_text()),
    }
}

/// The uuid and the name of the created resource, in brackets; empty if the reply has neither.
fn made_by(reply: &[u8]) -> String {
    let Some(made) = json::member(reply, "inventory") else { return String::new() };
    let told = ["uuid", "name"].into_iter().filter_map(|name| {
        let text = json::member(made, name).filter(|text| json::kind(text) == Kind::Text)?;
        Some(format!("{name} {}", json::escape_unprintable(&json::unescape(text))))
    });
    let told: Vec<String> = told.collect();
    if told.is_empty() { told.concat() } else { format!(" ({})", told.join(", ")) }
}

/// The request that lets the node check a plan without running it (P10).
pub(crate) fn validation(planned: &Plan) -> Result<Request, Error> {
    match planned {
        Plan::Call(request) => request.for_validation().ok_or_else(|| nothing_to_validate(request.api)),
        Plan::Query(query) => Err(nothing_to_validate(query.api)),
    }
}

/// The error for a call that cannot be checked: the node would fail with 500, or run it.
pub(crate) fn nothing_to_validate(what: &str) -> Error {
    let problem = format!("{what} is not an asynchronous action, and a node can check no others");
    Error::Option { option: "validate", problem }
}

/// The ZQL statements of a request, if it has any.
fn zql_of(request: &Request) -> Option<&str> {
    let (_, text) = request.query.iter().find(|(name, _)| request.api == ZQL_API && name == "zql")?;
    Some(&text.text)
}
