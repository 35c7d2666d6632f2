//! Shows the requests of a statement without sending them.

use std::sync::Arc;

use rusqlite::Connection;

use crate::catalog::Catalog;
use crate::json::{self, MapWriter};
use crate::plan::{Request, SecretText};
use crate::render::{Field, FieldKind, Shape};
use crate::secret::{Secrets, mask_value};

use super::cell::Comparison;
use super::error::Error;
use super::fetch::{Source, State};
use super::run::{Options, connect, explained};
use super::scan::Scan;
use super::statement::Statement;
use super::vtab::lock;

/// How SQLite tells that a table is read; the number of the scan follows.
const READS: &str = " VIRTUAL TABLE INDEX ";

/// The steps of a statement as a reply, `{"inventories": [{"step", "request", "sent"}, ..]}`, and the shape of its rows.
///
/// # Errors
/// What is wrong with the statement.
pub(crate) fn explain(
    statement: &Statement,
    catalog: Catalog,
    sources: Vec<Source>,
    options: &Options,
) -> Result<(Shape, Vec<u8>), Error> {
    let state = State::new(catalog, sources, options);
    lock(&state).unsent = Some(Vec::new());
    let explained = |error| explained(error, statement, &state, &options.interrupt);
    let connection = connect(&statement.tables, &state, options).map_err(explained)?;
    // Tables without rows: the first queries come to light, with values that only SQLite computes.
    let mut prepared = connection.prepare(&statement.text).map_err(explained)?;
    let mut rows = prepared.query([]).map_err(explained)?;
    while rows.next().map_err(explained)?.is_some() {}
    let steps = steps(&connection, statement).map_err(explained)?;
    let state = lock(&state);
    let mut list = Vec::new();
    for step in steps {
        let step = match read(&step) {
            Some((name, number)) => {
                let Some(progress) = state.scans.get(number) else { continue };
                told(&state, &progress.scan, name)?
            }
            None => Step { step: step.to_lowercase(), request: None, sent: "" },
        };
        list.push(step.record());
    }
    let mut reply = MapWriter::default();
    reply.push_list(b"inventories", list);
    let field = |name: &str| Field { name: name.to_owned(), kind: FieldKind::Text, secret: false };
    Ok((Shape { fields: ["step", "request", "sent"].map(field).to_vec(), ..Shape::default() }, reply.finish()))
}

/// The steps of a statement as SQLite tells them.
fn steps(connection: &Connection, statement: &Statement) -> rusqlite::Result<Vec<String>> {
    let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", statement.text))?;
    let steps = plan.query_map([], |row| row.get::<_, String>(3))?;
    steps.collect()
}

/// The name of the table that a step reads, and the number of the scan.
fn read(step: &str) -> Option<(&str, usize)> {
    let (what, number) = step.split_once(READS)?;
    Some((what.split(' ').nth(1).unwrap_or(what), number.split(':').next()?.parse().ok()?))
}

/// The scans of a statement, for each step that is one.
pub(super) fn reads(connection: &Connection, statement: &Statement) -> rusqlite::Result<Vec<Option<(String, usize)>>> {
    let steps = steps(connection, statement)?;
    Ok(steps.iter().map(|step| read(step).map(|(name, at)| (name.to_owned(), at))).collect())
}

struct Step {
    step: String,
    request: Option<String>,
    sent: &'static str,
}

impl Step {
    fn record(&self) -> Vec<u8> {
        let mut record = MapWriter::default();
        let mut add = |name: &[u8], value: Option<&str>| {
            let mut text = Vec::new();
            match value {
                Some(value) => json::write_literal(&mut text, value),
                None => text.extend_from_slice(b"null"),
            }
            record.push(name, &text);
        };
        add(b"step", Some(&self.step));
        add(b"request", self.request.as_deref());
        add(b"sent", Some(self.sent));
        record.finish()
    }
}

/// What reading a table means. SQLite plans a statement twice, with the same result, so that the first query is found by
/// the table and not by the number of the scan.
fn told(state: &State, scan: &Arc<Scan>, name: &str) -> Result<Step, Error> {
    let same = |other: &Scan| format!("{other:?}") == format!("{scan:?}");
    let unsent = state.unsent.iter().flatten();
    let recorded = unsent.filter(|(at, _)| same(&state.scans[*at].scan)).map(|(_, ask)| ask).next();
    let conditions = || state.conditions(scan, None);
    let open = |request: &mut Request, column: &str| {
        request.query.insert(0, ("q".to_owned(), SecretText::plain(format!("{column}?=..."))));
    };
    let step = |step: String, request: String, sent| Step { step, request: Some(request), sent };
    if let Some(term) = scan.key.map(|key| &scan.terms[key]) {
        let column = scan.table.columns[term.column].name;
        let mut request = state.ask(0, scan, &conditions()?, false)?.request(0);
        open(&mut request, column);
        return Ok(step(
            format!("look up {name} by {column}"),
            shown(&request),
            "for lists of values from the other rows",
        ));
    }
    let ask = match recorded {
        Some(ask) => ask.clone(),
        None => state.ask(0, scan, &conditions()?, true)?,
    };
    let sent = match () {
        () if scan.counts => "once, for the number of rows",
        () if scan.limit.is_some() => "once",
        () if !scan.table.is_query => "once",
        () if ask.parts() > 1 => "page by page, for parts of the list",
        () => "page by page",
    };
    let mut request = ask.request(0);
    for term in scan.terms.iter().filter(|term| term.comparison == Comparison::In) {
        // The values come from another table.
        let column = scan.table.columns[term.column].name;
        let is_asked = |(name, value): &(String, SecretText)| name == "q" && value.text.starts_with(column);
        if !request.query.iter().any(is_asked) {
            open(&mut request, column);
        }
    }
    Ok(step(format!("read {name}"), shown(&request), sent))
}

/// A request to be read by people: its query string is not encoded.
fn shown(request: &Request) -> String {
    let pair =
        |(name, value): &(String, SecretText)| format!("{name}={}", mask_value(name, value.show(Secrets::Masked)));
    let pairs: Vec<String> = request.query.iter().map(pair).collect();
    let path = Request { query: Vec::new(), ..request.clone() }.target(Secrets::Masked);
    let mark = if pairs.is_empty() { "" } else { "?" };
    format!("{} /v1{path}{mark}{}", request.method.as_str(), pairs.join("&"))
}
