//! Processes the results of ZQL statements.

use crate::catalog::Catalog;
use crate::client::{self, Answer, Reply};
use crate::dates;
use crate::error::Error;
use crate::json::{self, Kind, MapWriter};
use crate::plan;
use crate::render::{Format, Shape, View};
use crate::session::Invocation;
use crate::syntax::zql::{Rows, Statement, statements};

use super::zql_results::{COUNT, ZqlResults};
use super::{send, shape, show};

/// The shape of the rows of one statement, or of the results of several.
pub(crate) fn shape(catalog: Catalog, text: &str) -> Shape {
    let mut shapes: Vec<Shape> = statements(text).iter().map(|statement| shape_of(catalog, statement)).collect();
    match shapes.len() {
        0 | 1 => shapes.pop().unwrap_or_default(),
        _ => Shape { results: shapes, ..Shape::default() },
    }
}

fn shape_of(catalog: Catalog, statement: &Statement<'_>) -> Shape {
    let name = statement.entity.and_then(|entity| catalog.zql_inventory(entity.text));
    let whole = name.and_then(|name| catalog.inventory(name)).as_ref().map(shape::of_inventory);
    let whole = whole.unwrap_or_default();
    let selected = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        shape::selected(&whole, &names)
    };
    match &statement.rows {
        Rows::Whole => whole,
        Rows::Members(names) | Rows::Sums(names) | Rows::Aggregates(names) => selected(names),
        Rows::Groups(names) => selected(&[&names[..], &[COUNT]].concat()),
        Rows::Other => Shape::default(),
    }
}

/// The results of statements, without members that were not requested, and with the counts that the node gets wrong.
pub(super) fn results(cx: &mut Invocation<'_>, answer: Answer, text: &str, view: &View) -> Result<Answer, Error> {
    let statements = statements(text);
    let Answer::Reply(mut reply) = answer else { return Ok(answer) };
    if statements.iter().any(|statement| matches!(statement.rows, Rows::Groups(_))) {
        reply = match counted_groups(cx, &show::text(reply)?, &statements) {
            Err(Error::Api(failure)) => return Ok(Answer::Failed(*failure)),
            text => Reply::of_text(text?),
        };
    }
    let in_rows = view.filter.is_none() && !matches!(view.format, Format::Json | Format::Yaml);
    Ok(Answer::Reply(Reply::of_pieces(Box::new(ZqlResults::new(reply, &statements, in_rows)))))
}

/// Corrects the counts of groups without a value: a node reports 0 rows for them, also in the total (R7).
fn counted_groups(cx: &mut Invocation<'_>, reply: &[u8], statements: &[Statement<'_>]) -> Result<Vec<u8>, Error> {
    let mut results = Vec::new();
    let list = json::member(reply, "results").unwrap_or(b"[]");
    for (index, result) in json::items(list).enumerate() {
        let counts = json::member(result, "inventoryCounts").filter(|list| json::kind(list) == Kind::List);
        let (Some(statement @ Statement { rows: Rows::Groups(names), .. }), Some(counts)) =
            (statements.get(index), counts)
        else {
            results.push(result.to_vec());
            continue;
        };
        let (pairs, added) = counted(cx, statement, names, counts)?;
        results.push(with_counts(result, &pairs, added));
    }
    let mut record = MapWriter::default();
    for (name, value) in json::members(reply) {
        match name {
            b"results" => record.push_list(name, &results),
            _ => record.push(name, value),
        }
    }
    Ok(record.finish())
}

/// The pairs of a group and its count, and the number of rows that the node did not count.
fn counted(
    cx: &mut Invocation<'_>,
    statement: &Statement<'_>,
    names: &[&str],
    counts: &[u8],
) -> Result<(Vec<Vec<u8>>, u64), Error> {
    let mut pairs = Vec::new();
    let mut added = 0;
    for pair in json::items(counts) {
        let group = json::items(pair).next().unwrap_or(b"{}");
        let values = names.iter().map(|name| (*name, json::member(group, name).and_then(literal)));
        let values: Vec<(&str, Option<String>)> = values.collect();
        if values.iter().all(|(_, value)| value.is_some()) {
            pairs.push(pair.to_vec());
            continue;
        }
        let count = count_apart(cx, &statement.count_of(values))?;
        let before = json::items(pair).nth(1).and_then(number).unwrap_or_default();
        added += count.saturating_sub(before);
        pairs.push([b"[", group, format!(",{count}]").as_bytes()].concat());
    }
    Ok((pairs, added))
}

/// A result with these counts, and `added` more rows in total.
fn with_counts(result: &[u8], pairs: &[Vec<u8>], added: u64) -> Vec<u8> {
    let mut record = MapWriter::default();
    for (name, value) in json::members(result) {
        match name {
            b"inventoryCounts" => record.push_list(name, pairs),
            b"total" => match number(value) {
                Some(total) => record.push(name, (total + added).to_string().as_bytes()),
                None => record.push(name, value),
            },
            _ => record.push(name, value),
        }
    }
    record.finish()
}

/// The result of a statement that counts.
fn count_apart(cx: &mut Invocation<'_>, statement: &str) -> Result<u64, Error> {
    let text = match send::execute(cx, &plan::zql_request(statement, false))? {
        Answer::Reply(reply) => show::text(reply)?,
        Answer::Failed(failure) => return Err(Error::Api(Box::new(failure))),
        Answer::Detached(_) => Vec::new(),
    };
    let result = json::member(&text, "results").and_then(|list| json::items(list).next());
    let total = result.and_then(|result| json::member(result, "total")).and_then(number);
    let flaw = || client::Error::Reply { flaw: "a count without a total".to_owned() };
    Ok(total.ok_or_else(flaw)?)
}

fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// A value of a reply in ZQL; `None` for null.
fn literal(value: &[u8]) -> Option<String> {
    match json::kind(value) {
        Kind::Null => None,
        Kind::Text => {
            let text = json::unescape(value);
            // Dates in replies have another format than dates in conditions (Q10, N3).
            let date = dates::printed(&text).map(dates::compared);
            Some(plan::zql_string(date.as_deref().unwrap_or(&text)))
        }
        _ => Some(String::from_utf8_lossy(value).into_owned()),
    }
}
