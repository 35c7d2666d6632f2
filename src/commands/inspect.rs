//! `inspect`: what is wrong in the cloud, found by statements in SQL.

use std::time::Instant;

use crate::calls::several::{Several, in_context};
use crate::calls::{show, view};
use crate::cli::{InspectLine, Weight};
use crate::client::{self, Reply, Watch};
use crate::error::{Error, OwnError};
use crate::json::{self, MapWriter};
use crate::nearness::nearest;
use crate::render::{Field, FieldKind, Format, Selection, Shape, View};
use crate::session::{Invocation, offers};
use crate::shell::Flow;
use crate::sql::{self, Batch, NamedValues, Statement};
use crate::terminal::Paging;

use super::checks::{self, Check, filled};
use super::sql as command;
use super::{inspect_report, report};

/// The columns of a finding; people see the first ones.
const COLUMNS: [&str; 6] = ["weight", "check", "resource", "message", "uuid", "hint"];
const FOR_PEOPLE: usize = 4;

/// The columns of a check.
const LISTED: [&str; 5] = ["name", "severity", "message", "hint", "sql"];

/// What a check found.
pub(super) struct Finding {
    /// Its context, where there are several.
    pub(super) context: String,
    pub(super) weight: Weight,
    pub(super) check: String,
    pub(super) resource: String,
    uuid: Option<String>,
    pub(super) message: String,
    pub(super) hint: String,
}

/// Makes checks and prints what they find.
pub(super) fn run(cx: &mut Invocation<'_>, line: &InspectLine) -> Result<Flow, Error> {
    let checks = chosen(checks::all(line.checks.as_deref())?, &line.names)?;
    let view = view::of_settings(cx)?;
    if line.list {
        return list(cx, &checks, &view);
    }
    let mut several = Several::of(cx, || ());
    if cx.settings.call.dry_run {
        // The others are sent the same.
        several.keep_first();
        for (_, rows) in several.each(cx, &|cx, ()| explain(cx, &checks))? {
            show_rows(cx, shape(&["check", "step", "request", "sent"]), rows.into_iter(), &view)?;
        }
        return several.or(Ok(Flow::Continue));
    }
    let found = several.each(cx, &|cx, ()| findings(cx, &checks))?;
    let Some(made) = found.iter().map(|(_, (made, _))| *made).max() else { return several.or(Ok(Flow::Continue)) };
    let of_context = |(context, (_, found)): (String, (usize, Vec<Finding>))| {
        found.into_iter().map(move |finding| Finding { context: context.clone(), ..finding })
    };
    let mut findings: Vec<Finding> = found.into_iter().flat_map(of_context).collect();
    // The order of the checks stays among those of one weight.
    findings.sort_by_key(|finding| (finding.weight, checks.iter().position(|check| check.name == finding.check)));
    let shown = if report::wanted(&cx.settings.view, &view) {
        let text = inspect_report::text(&findings, made, &view);
        cx.write_paged(Paging::Lines, |out| Ok(out.write_all(text.as_bytes())?))
    } else {
        let (shape, view) = several.shown(shape(&COLUMNS), for_people(&view));
        let rows = findings.iter().map(|finding| in_context(&finding.context, &finding.row()));
        show_rows(cx, shape, rows, &view)
    };
    let worst = findings.iter().filter(|finding| line.fail_on.is_some_and(|weight| finding.weight <= weight)).count();
    several.or(shown.and(match line.fail_on {
        Some(weight) if worst > 0 => Err(Error::Findings { count: worst, weight: weight.name() }),
        _ => Ok(Flow::Continue),
    }))
}

/// The checks whose tables the node has, with their statements.
fn planned<'c>(cx: &mut Invocation<'_>, checks: &'c [Check]) -> Result<Vec<(&'c Check, Statement)>, Error> {
    let mut planned = Vec::new();
    for check in checks {
        match command::statement(cx, &check.sql).and_then(|statement| offered(cx, statement)) {
            Ok(statement) => planned.push((check, statement)),
            Err(error) => left_out(cx, check, error)?,
        }
    }
    Ok(planned)
}

/// The statement, if the node says that it has all its tables.
fn offered(cx: &mut Invocation<'_>, statement: Statement) -> Result<Statement, Error> {
    statement.tables.iter().try_for_each(|(_, table)| offers::check_offered(cx.session, cx.settings, table.api))?;
    Ok(statement)
}

/// The checks of these names; all where there are none.
fn chosen(all: Vec<Check>, names: &[String]) -> Result<Vec<Check>, Error> {
    if let Some(wrong) = names.iter().find(|name| !all.iter().any(|check| check.name == **name)) {
        let near = nearest(wrong, all.iter().map(|check| check.name.as_str())).into_iter().map(str::to_owned).collect();
        return Err(Error::Own(OwnError::NotFound { kind: "check", name: wrong.clone(), near }));
    }
    Ok(all.into_iter().filter(|check| names.is_empty() || names.contains(&check.name)).collect())
}

/// Says that a check is left out because of what the node does not offer. Other errors end the inspection.
fn left_out(cx: &mut Invocation<'_>, check: &Check, error: Error) -> Result<(), Error> {
    match &error {
        Error::Client(client::Error::NoSuchApi { .. } | client::Error::MayBeAnother { .. }) | Error::Api(_) => {
            cx.say(&format!("{} is left out: {}", check.name, json::escape_unprintable(&error.to_string())));
            Ok(())
        }
        _ => Err(of_check(check, error)),
    }
}

/// The error of a statement, which says what check it is.
fn of_check(check: &Check, error: Error) -> Error {
    match error {
        Error::Sql(mut error) => {
            error.problem = format!("check {}: {}", check.name, error.problem);
            Error::Sql(error)
        }
        error => error,
    }
}

/// The number of checks that were made, and what they found.
fn findings(cx: &mut Invocation<'_>, checks: &[Check]) -> Result<(usize, Vec<Finding>), Error> {
    let planned = planned(cx, checks)?;
    let _attended = cx.session.attend_to_ends()?;
    let (source, options) = (command::source(cx)?, command::options(cx));
    let statements: Vec<&Statement> = planned.iter().map(|(_, statement)| statement).collect();
    let batch = Batch::new(&statements, cx.session.catalog, vec![source], &options)?;
    let mut findings = Vec::new();
    let (began, mut spinner) = (Instant::now(), cx.settings.ui.spinner());
    for (check, statement) in &planned {
        spinner.progress(began.elapsed(), &format!("{} (Ctrl-C ends it)", check.name));
        match batch.rows(statement) {
            Ok(rows) => {
                for row in rows {
                    findings.push(finding(check, &row)?);
                }
            }
            Err(error) => {
                spinner.done();
                let error = command::explained(cx, error);
                left_out(cx, check, error)?;
            }
        }
    }
    Ok((planned.len(), findings))
}

fn finding(check: &Check, row: &NamedValues) -> Result<Finding, Error> {
    let value = |name: &str| row.iter().find(|(column, _)| column == name).and_then(|(_, value)| value.clone());
    let filled = |text: &str| {
        filled(text, row).map_err(|name| {
            let problem = format!("the statement selects no column {name}, which the message or the hint names");
            Error::Own(OwnError::Value { name: format!("check {}", check.name), problem })
        })
    };
    Ok(Finding {
        context: String::new(),
        weight: value("weight").and_then(|name| Weight::from_name(&name)).unwrap_or(check.weight),
        check: check.name.clone(),
        resource: value("name").or_else(|| value("uuid")).unwrap_or_default(),
        uuid: value("uuid"),
        message: filled(&check.message)?,
        hint: filled(&check.hint)?,
    })
}

impl Finding {
    fn row(&self) -> Vec<u8> {
        let (uuid, weight) = (self.uuid.as_deref(), self.weight.name());
        let values =
            [Some(weight), Some(&self.check), Some(&self.resource), Some(&self.message), uuid, Some(&self.hint)];
        record(&COLUMNS, &values)
    }
}

/// The view with the columns for people, unless others were asked for.
fn for_people(view: &View) -> View {
    let chooses = view.format == Format::Table && view.columns.is_none();
    let columns = if chooses { Selection::parse(&COLUMNS[..FOR_PEOPLE].join(",")).ok() } else { view.columns.clone() };
    // One finding is a table, too.
    let format = if view.format == Format::Table { Format::Wide } else { view.format };
    View { format, columns, ..view.clone() }
}

fn list(cx: &mut Invocation<'_>, checks: &[Check], view: &View) -> Result<Flow, Error> {
    let rows = checks.iter().map(|check| {
        let fields = [check.name.as_str(), check.weight.name(), &check.message, &check.hint, &check.sql];
        record(&LISTED, &fields.map(Some))
    });
    let columns = Selection::parse("name,severity,message").ok().filter(|_| view.format == Format::Table);
    let view = View { columns: view.columns.clone().or(columns), ..view.clone() };
    show_rows(cx, shape(&LISTED), rows, &view)?;
    Ok(Flow::Continue)
}

/// The requests of the checks as rows.
fn explain(cx: &mut Invocation<'_>, checks: &[Check]) -> Result<Vec<Vec<u8>>, Error> {
    let mut rows = Vec::new();
    for (check, statement) in planned(cx, checks)? {
        let (source, options) = (command::source(cx)?, command::options(cx));
        let explained = sql::explain(&statement, cx.session.catalog, vec![source], &options);
        let (_, reply) = explained.map_err(|error| of_check(check, error.into()))?;
        for step in json::items(json::member(&reply, "inventories").unwrap_or_default()) {
            let mut name = Vec::new();
            json::write_literal(&mut name, &check.name);
            let mut row = MapWriter::default();
            row.push(b"check", &name);
            json::members(step).for_each(|(name, value)| row.push(name, value));
            rows.push(row.finish());
        }
    }
    Ok(rows)
}

fn record(names: &[&str], values: &[Option<&str>]) -> Vec<u8> {
    let mut record = MapWriter::default();
    for (name, value) in names.iter().zip(values) {
        let mut text = Vec::new();
        match value {
            Some(value) => json::write_literal(&mut text, value),
            None => text.extend_from_slice(b"null"),
        }
        record.push(name.as_bytes(), &text);
    }
    record.finish()
}

fn show_rows(
    cx: &mut Invocation<'_>,
    shape: Shape,
    rows: impl Iterator<Item = Vec<u8>>,
    view: &View,
) -> Result<(), Error> {
    let mut reply = MapWriter::default();
    reply.push_list(b"inventories", rows);
    show::print(cx, Reply::of_text(reply.finish()), &shape, view)
}

fn shape(columns: &[&str]) -> Shape {
    let field = |name: &&str| Field { name: (*name).to_owned(), kind: FieldKind::Text, secret: false };
    Shape { fields: columns.iter().map(field).collect(), ..Shape::default() }
}
