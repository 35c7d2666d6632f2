//! `sql`: SELECT over the inventories.

use std::sync::Arc;

use crate::calls::several::Several;
use crate::calls::{nothing_to_validate, send, show, view};
use crate::client::{JobUuid, Reply};
use crate::error::Error;
use crate::lost::Lost;
use crate::plan::Effect;
use crate::render::{Shape, View};
use crate::session::{Invocation, credentials, nodes, offers};
use crate::shell::Flow;
use crate::sql::{self, Options, Running, Shown, Source, Statement};

/// Runs a statement and prints its rows.
pub(super) fn run(cx: &mut Invocation<'_>, text: &str) -> Result<Flow, Error> {
    if cx.settings.call.validate {
        return Err(nothing_to_validate("a statement in SQL"));
    }
    let view = view::of_settings(cx)?;
    let explains = Statement::read(text, cx.session.catalog).is_ok_and(|statement| statement.explains);
    let mut several = Several::of(cx, || ());
    if explains || cx.settings.call.dry_run {
        // The others are sent the same.
        several.keep_first();
        for (_, (shape, reply)) in several.each(cx, &|cx, ()| explain(cx, text))? {
            show::print(cx, Reply::of_text(reply), &shape, &view)?;
        }
        return several.or(Ok(Flow::Continue));
    }
    let sources = several.each(cx, &|cx, ()| statement(cx, text).and_then(|_| source(cx)))?;
    if sources.is_empty() {
        return several.or(Ok(Flow::Continue));
    }
    let sources = sources.into_iter().map(|(_, source)| source).collect();
    // Of several versions the newest has all columns.
    let statement = Statement::read(text, cx.session.catalog)?;
    let options = options(cx);
    let statement = if options.of_several { statement.with_context() } else { statement };
    // As with `fields=`, none of the columns that it names is left out.
    let taken_from = statement.names_columns().then(String::new);
    let view = View { taken_from, ..view };
    let _attended = cx.session.attend_to_ends()?;
    let (catalog, lost) = (cx.session.catalog, options.lost.clone());
    let mut spinner = cx.settings.ui.spinner();
    let started = sql::start(statement, catalog, sources, options, &mut |elapsed, rows| {
        spinner.progress(elapsed, &format!("rows read: {rows} (Ctrl-C ends it)"));
    });
    drop(spinner);
    let shown = match started {
        Ok(Running { shape, reply }) => show::print(cx, reply, &shape, &View { failed: lost.failed.clone(), ..view }),
        // Each of them is told why.
        Err(_) if lost.failed.is_set() => Ok(()),
        Err(error) => Err(explained(cx, error)),
    };
    for (context, error) in lost.take() {
        several.lose(cx, &context, |cx| explained(cx, error));
    }
    several.or(shown.map(|()| Flow::Continue))
}

/// The requests of a statement as rows, with their shape.
fn explain(cx: &mut Invocation<'_>, text: &str) -> Result<(Shape, Vec<u8>), Error> {
    let statement = statement(cx, text)?;
    let (source, options) = (source(cx)?, options(cx));
    let explained = sql::explain(&statement, cx.session.catalog, vec![source], &options);
    explained.map_err(|error| self::explained(cx, error))
}

/// What statements run with.
pub(super) fn options(cx: &Invocation<'_>) -> Options {
    Options {
        page_size: cx.settings.call.page_size.value,
        page_parallel: cx.settings.call.page_parallel,
        no_check: cx.settings.call.no_check,
        interrupt: cx.session.interrupt.clone(),
        now: credentials::zone_of(cx.settings.preferences.time_zone.as_deref()).now(),
        of_several: !cx.settings.contexts.is_empty(),
        lost: Lost::default(),
        rows_read: Arc::default(),
    }
}

/// The node of the line.
pub(super) fn source(cx: &mut Invocation<'_>) -> Result<Source, Error> {
    let context = cx.settings.context().unwrap_or_default().to_owned();
    let client = nodes::node(cx.session, cx.settings)?.client.fork();
    let shown = send::curl(cx)
        .map(|curl| -> Shown { Box::new(move |client, requests| curl(client, requests, JobUuid::fresh())) });
    Ok(Source { context, client, catalog: cx.session.catalog, shown })
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
