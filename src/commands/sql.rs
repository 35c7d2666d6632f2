//! `sql`: SELECT over the inventories.

use crate::calls::{nothing_to_validate, show, view};
use crate::client::Reply;
use crate::error::Error;
use crate::plan::Effect;
use crate::session::{Invocation, credentials, nodes, offers};
use crate::shell::Flow;
use crate::sql::{self, Options, Source, Statement};

/// Runs a statement and prints its rows.
pub(super) fn run(cx: &mut Invocation<'_>, text: &str) -> Result<Flow, Error> {
    if cx.settings.call.validate {
        return Err(nothing_to_validate("a statement in SQL"));
    }
    let view = view::of_settings(cx)?;
    let statement = statement(cx, text)?;
    let _attended = cx.session.attend_to_ends()?;
    let (sources, options) = source(cx)?;
    if statement.explains || cx.settings.call.dry_run {
        let explained = sql::explain(&statement, cx.session.catalog, sources, &options);
        let (shape, reply) = explained.map_err(|error| self::explained(cx, error))?;
        show::print(cx, Reply::of_text(reply), &shape, &view)?;
        return Ok(Flow::Continue);
    }
    let running = sql::start(statement, cx.session.catalog, sources, options).map_err(|error| explained(cx, error))?;
    show::print(cx, running.reply, &running.shape, &view)?;
    Ok(Flow::Continue)
}

/// The node of the line, and what statements on it run with.
pub(super) fn source(cx: &mut Invocation<'_>) -> Result<(Vec<Source>, Options), Error> {
    let options = Options {
        page_size: cx.settings.call.page_size.value,
        page_parallel: cx.settings.call.page_parallel,
        no_check: cx.settings.call.no_check,
        interrupt: cx.session.interrupt.clone(),
        now: credentials::zone_of(cx.settings.preferences.time_zone.as_deref()).now(),
    };
    let client = nodes::node(cx.session, cx.settings)?.client.fork();
    Ok((vec![Source { context: String::new(), client }], options))
}

/// The statement, if the node has what it names.
pub(super) fn statement(cx: &mut Invocation<'_>, text: &str) -> Result<Statement, Error> {
    let read = Statement::read(text, cx.session.catalog)?;
    let mut has_changed = false;
    for (_, table) in &read.tables {
        offers::check(cx.session, cx.settings, table.api, Effect::Query)?;
        has_changed |= offers::fit_catalog(cx.session, cx.settings, table.api)?;
    }
    Ok(if has_changed { Statement::read(text, cx.session.catalog)? } else { read })
}

/// The error of a statement, which says so where the node lacks a table.
pub(super) fn explained(cx: &mut Invocation<'_>, error: sql::Error) -> Error {
    match error {
        sql::Error::Api { api, .. } => offers::explain(cx.session, cx.settings, api, error.into()),
        error => error.into(),
    }
}
