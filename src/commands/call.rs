//! Calls of APIs by name, the most common commands.

use jiff::civil::DateTime;

use crate::calls::contexts::Asked;
use crate::calls::several::Several;
use crate::calls::{self, send, shape, view};
use crate::catalog::Catalog;
use crate::cli;
use crate::client::{self, JobUuid};
use crate::dates;
use crate::error::Error;
use crate::plan::{self, Effect, Names, Plan};
use crate::render::View;
use crate::session::{Invocation, Line, credentials, nodes, offers};
use crate::syntax::{Command, CommandError};
use crate::terminal::{Screen, read_text};

/// The command of a line that calls an API, checked as far as possible without its settings.
pub(crate) fn command(line: &Line, catalog: Catalog) -> Result<Option<Command>, Error> {
    plan::check_name(&line.words, catalog, cli::command_names)?;
    Command::from_words(line.command_text(), &line.words).map_err(|error| explained(error, line, catalog))
}

/// The error for the words of a call, with a hint for the API if there is one.
fn explained(error: CommandError, line: &Line, catalog: Catalog) -> Error {
    match plan::argument_hint(&error, line.command_text(), line.api(), catalog) {
        Some(hint) => Error::Argument { error, hint },
        None => error.into(),
    }
}

/// Runs an API call and prints its result.
pub(crate) fn run(cx: &mut Invocation<'_>, command: Command) -> Result<(), Error> {
    let name = command.name.clone();
    run_as_typed(cx, command).map_err(|error| offers::explain(cx.session, cx.settings, &name, error))
}

/// Runs a query, or another call that only reads, in several contexts at the same time and prints their rows as one reply.
pub(crate) fn run_in(cx: &mut Invocation<'_>, command: &Command) -> Result<(), Error> {
    let refused = |option, problem: String| Err(Error::Option { option, problem });
    if cx.settings.call.watch.is_some() {
        return refused("watch", "it repeats a query in one context".to_owned());
    }
    let mut command = command.clone();
    let holds_commands = cx.session.reads_stdin;
    command.resolve_files(&mut |path| read_text(path, holds_commands))?;
    calls::learn_secrets(cx.session, &command);
    // What is wrong with the command is told once.
    let names = if cx.settings.call.no_check { None } else { plan::names(&command, cx.session.catalog) };
    let checked = names.as_ref().map_or_else(|| command.clone(), Names::with_any_uuids);
    // Only a check: each node is asked what its clock shows.
    let planned = planned_at(cx, &checked, Some(credentials::zone_of(None).now()), false)?;
    if matches!(&planned, Plan::Call(request) if request.effect == Effect::Action) {
        let problem = format!("{} changes something, and only reads run in several contexts", command.name);
        return refused("context", problem);
    }
    let view = view::of_settings(cx)?;
    if cx.settings.call.dry_run {
        return Several::of(cx, || ()).each(cx, &|cx, ()| run_as_typed(cx, command.clone())).map(drop);
    }
    let screen = cx.out.screen(&cx.settings.ui);
    calls::contexts::ask(cx, view, &|cx| {
        let asked = asked(cx, command.clone(), screen);
        asked.map_err(|error| offers::explain(cx.session, cx.settings, &command.name, error))
    })
}

/// What the node of a context answers to a command that only reads.
fn asked(cx: &mut Invocation<'_>, command: Command, screen: Screen) -> Result<Asked, Error> {
    offers::follow_version_for(cx.session, &command.name, Some(cx.settings));
    let names = if cx.settings.call.no_check { None } else { plan::names(&command, cx.session.catalog) };
    let checked = names.as_ref().map_or_else(|| command.clone(), Names::with_any_uuids);
    let mut plan = planned(cx, &checked, false)?;
    plan = fit_to_node(cx, &checked, plan)?;
    if let Some(names) = &names {
        (_, plan) = with_uuids(cx, names)?;
    }
    let (shape, select) = shape::of_plan(cx.session.catalog, &plan);
    let view = calls::view_of_rows(view::on_screen(&cx.settings.view, screen)?, &plan, select, false);
    // The rows are in the order of the contexts.
    let view = View { by_name: false, ..view };
    send::show_curl(cx, &plan, JobUuid::fresh())?;
    let answer = match &plan {
        Plan::Query(query) => send::query(cx, query)?,
        Plan::Call(request) => send::execute(cx, request)?,
    };
    Ok(Asked { answer, shape, view })
}

fn run_as_typed(cx: &mut Invocation<'_>, mut command: Command) -> Result<(), Error> {
    let holds_commands = cx.session.reads_stdin;
    command.resolve_files(&mut |path| read_text(path, holds_commands))?;
    calls::learn_secrets(cx.session, &command);
    let names = if cx.settings.call.no_check { None } else { plan::names(&command, cx.session.catalog) };
    if let Some(names) = &names {
        command = if cx.settings.call.dry_run { names.with_names() } else { names.with_any_uuids() };
    }
    let is_shown = names.is_some() && cx.settings.call.dry_run;
    let planned = planned(cx, &command, is_shown)?;
    // A wrong format or column is reported before anything is sent.
    let view = view::of_api(cx, &command.name)?;
    let mut planned = fit_to_node(cx, &command, planned)?;
    warn_of_newer(cx, &command);
    match names {
        Some(names) if cx.settings.call.dry_run => calls::names::tell_unasked(cx, &names),
        Some(names) => (command, planned) = with_uuids(cx, &names)?,
        None => {}
    }
    calls::run(cx, &command, planned, view)
}

/// The command with uuids for its names, and what it comes to.
fn with_uuids(cx: &mut Invocation<'_>, names: &Names) -> Result<(Command, Plan), Error> {
    let command = calls::names::resolve(cx, names)?;
    let planned = planned(cx, &command, false)?;
    Ok((command, planned))
}

/// What the node's clock shows, for a condition that tells a date by how long ago it was. The zone is that of the
/// context, or else what the node says; without either, this machine's.
fn node_time(cx: &mut Invocation<'_>, command: &Command) -> Result<Option<DateTime>, Error> {
    let is_query = cx.session.catalog.api_ignoring_case(&command.name).is_some_and(|api| api.is_query);
    let is_ago = |value: &str| dates::ago(value, DateTime::default()).is_some();
    if !is_query || !command.arguments.iter().any(|argument| is_ago(&argument.value)) {
        return Ok(None);
    }
    let named = cx.settings.preferences.time_zone.as_deref();
    let zone = match named {
        None if !cx.settings.call.dry_run => nodes::node(cx.session, cx.settings)?.zone(),
        _ => None,
    };
    Ok(Some(zone.unwrap_or_else(|| credentials::zone_of(named)).now()))
}

/// What a command comes to. One that is shown and never sent may hold names where uuids belong.
pub(super) fn planned(cx: &mut Invocation<'_>, command: &Command, holds_names: bool) -> Result<Plan, Error> {
    let now = node_time(cx, command)?;
    planned_at(cx, command, now, holds_names)
}

fn planned_at(
    cx: &mut Invocation<'_>,
    command: &Command,
    now: Option<DateTime>,
    holds_names: bool,
) -> Result<Plan, Error> {
    let settings = &cx.settings.call;
    let mut how = plan::Options {
        no_check: settings.no_check,
        page_size: settings.page_size.value,
        timeout: settings.patience(),
        session: None,
        now,
        holds_names,
    };
    let api = cx.session.catalog.api_ignoring_case(&command.name);
    let names_session = api.filter(|api| api.path_variables().any(|variable| variable == "sessionUuid"));
    if let Some(api) = names_session
        && !command.arguments.iter().any(|argument| argument.name == "sessionUuid")
    {
        let uuid = nodes::node(cx.session, cx.settings)?.client.session_uuid();
        how.session = uuid.map(|uuid| uuid.expose().to_owned());
        if how.session.is_none() {
            return Err(client::Error::NoSession { api: api.name }.into());
        }
    }
    Ok(plan::plan(command, cx.session.catalog, &how)?)
}

/// Checks that the node does not run another API instead, and adapts the request to its version. For most calls neither
/// is necessary, and the node is not asked.
fn fit_to_node(cx: &mut Invocation<'_>, command: &Command, plan: Plan) -> Result<Plan, Error> {
    let (name, effect) = match &plan {
        Plan::Call(request) => (request.api, request.effect),
        Plan::Query(query) => (query.api, Effect::Query),
    };
    offers::check(cx.session, cx.settings, name, effect)?;
    if offers::fit_catalog(cx.session, cx.settings, name)? { planned(cx, command, false) } else { Ok(plan) }
}

/// Warns of parameters and fields that the node's version does not have: a node ignores such parameters (P6), and fails
/// on such fields.
pub(super) fn warn_of_newer(cx: &mut Invocation<'_>, command: &Command) {
    if plan::newer(command, Catalog::oldest()).is_empty() {
        return;
    }
    offers::follow_version(cx.session, Some(cx.settings));
    for (name, since) in plan::newer(command, cx.session.catalog) {
        let version = cx.session.catalog.version();
        let ui = &cx.settings.ui;
        ui.warn(&format!("the node (ZStack {version}) does not have {name}, which is new in ZStack {since}"));
    }
}
