//! `zql`: statements of the node's query language, and what is known of their results.

use crate::cli::Options;
use crate::client::{Answer, JobUuid, Reply};
use crate::dates;
use crate::error::{Error, OwnError};
use crate::json::{self, Kind, Record};
use crate::plan::{self, Plan, Rows, Statement};
use crate::render::{self, Format, Shape};

use super::call::nothing_to_validate;
use super::output::Output;
use super::zql_results::{COUNT, ZqlResults};
use super::{App, shape};

impl App {
    /// Runs statements of the node's query language.
    pub(super) fn zql(&mut self, text: &str, options: &Options, out: &mut Output<'_>) -> Result<(), Error> {
        if options.validate {
            return Err(nothing_to_validate("a ZQL statement"));
        }
        // A node may know entities that the catalog does not; one that is nearly right is a mistake.
        if !options.no_check
            && let Some((name, closest)) = plan::closest_entity(text, self.catalog)
        {
            let (name, closest) = (name.to_owned(), Some(closest));
            return Err(Error::Own(OwnError::NotFound { kind: "ZQL entity", name, closest }));
        }
        let planned = Plan::Call(plan::zql_request(text, false));
        let view = self.view_without_secrets(self.view(options, out)?, &planned);
        if options.dry_run {
            return self.dry_run(&planned, options, out);
        }
        let job = JobUuid::fresh();
        if options.curl_example {
            self.say_curl(&planned, job, options)?;
        }
        let Plan::Call(request) = planned else { return Ok(()) };
        let answer = self.execute_as(&request, job, options)?;
        self.explain_wide_text(request.holds_wide_text(), &answer);
        let answer = self.zql_results(answer, text, &view, options)?;
        self.conclude_call(answer, &self.shape_of_zql(text), &view, options, out)
    }

    /// What is known of the rows of statements: of one, or of the result of each.
    pub(super) fn shape_of_zql(&self, text: &str) -> Shape {
        let mut shapes: Vec<Shape> = plan::statements(text).iter().map(|statement| self.shape_of(statement)).collect();
        match shapes.len() {
            0 | 1 => shapes.pop().unwrap_or_default(),
            _ => Shape { results: shapes, ..Shape::default() },
        }
    }

    fn shape_of(&self, statement: &Statement<'_>) -> Shape {
        let name = statement.entity.and_then(|entity| plan::zql_inventory(entity.text, self.catalog));
        let whole = name.and_then(|name| self.catalog.inventory(name)).as_ref().map(shape::of_inventory);
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

    /// What came of statements: without what nobody asked for, and with the groups counted that the node does not count.
    pub(super) fn zql_results(
        &mut self,
        answer: Answer,
        text: &str,
        view: &render::View,
        options: &Options,
    ) -> Result<Answer, Error> {
        let statements = plan::statements(text);
        let Answer::Reply(mut reply) = answer else { return Ok(answer) };
        if statements.iter().any(|statement| matches!(statement.rows, Rows::Groups(_))) {
            let text = reply.into_text().map_err(|error| crate::client::Error::of_read(&error))?;
            match self.counted_groups(&text, &statements, options)? {
                Ok(text) => reply = Reply::of_text(text),
                Err(failed) => return Ok(failed),
            }
        }
        let in_rows = view.filter.is_none() && !matches!(view.format, Format::Json | Format::Yaml);
        Ok(Answer::Reply(Reply::of_pieces(Box::new(ZqlResults::new(reply, &statements, in_rows)))))
    }

    /// The reply with the right counts of groups without a value: a node says that they have no rows, and leaves them
    /// out of the total as well (R7).
    fn counted_groups(
        &mut self,
        reply: &[u8],
        statements: &[Statement<'_>],
        options: &Options,
    ) -> Result<Result<Vec<u8>, Answer>, Error> {
        let mut results = Vec::new();
        let list = json::member(reply, "results").unwrap_or(b"[]");
        for (index, result) in json::items(list).enumerate() {
            let counts = json::member(result, "inventoryCounts").filter(|list| json::kind(list) == Kind::List);
            let (Some(Statement { rows: Rows::Groups(names), .. }), Some(counts)) = (statements.get(index), counts)
            else {
                results.push(result.to_vec());
                continue;
            };
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
                let count = match self.count_apart(&statements[index].count_of(values), options)? {
                    Ok(count) => count,
                    Err(failed) => return Ok(Err(failed)),
                };
                let before = json::items(pair).nth(1).and_then(number).unwrap_or_default();
                added += count.saturating_sub(before);
                pairs.push([b"[", group, format!(",{count}]").as_bytes()].concat());
            }
            let mut record = Record::default();
            for (name, value) in json::members(result) {
                match name {
                    b"inventoryCounts" => record.push_list(name, &pairs),
                    b"total" => match number(value) {
                        Some(total) => record.push(name, (total + added).to_string().as_bytes()),
                        None => record.push(name, value),
                    },
                    _ => record.push(name, value),
                }
            }
            results.push(record.finish());
        }
        let mut record = Record::default();
        for (name, value) in json::members(reply) {
            match name {
                b"results" => record.push_list(name, &results),
                _ => record.push(name, value),
            }
        }
        Ok(Ok(record.finish()))
    }

    /// The number that a statement counts.
    fn count_apart(&mut self, statement: &str, options: &Options) -> Result<Result<u64, Answer>, Error> {
        match self.execute(&plan::zql_request(statement, false), options)? {
            Answer::Reply(reply) => {
                let text = reply.into_text().map_err(|error| crate::client::Error::of_read(&error))?;
                let result = json::member(&text, "results").and_then(|list| json::items(list).next());
                let total = result.and_then(|result| json::member(result, "total")).and_then(number);
                let flaw = || crate::client::Error::Reply { flaw: "a count without a total".to_owned() };
                Ok(Ok(total.ok_or_else(flaw)?))
            }
            other => Ok(Err(other)),
        }
    }
}

fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// A value of a reply as ZQL writes it; `None` for null.
fn literal(value: &[u8]) -> Option<String> {
    match json::kind(value) {
        Kind::Null => None,
        Kind::Text => {
            let text = json::unescape(value);
            // Dates are told in one form and compared in another (Q10, N3).
            let date = dates::printed(&text).map(|moment| moment.to_string());
            Some(plan::zql_string(date.as_deref().unwrap_or(&text)))
        }
        _ => Some(String::from_utf8_lossy(value).into_owned()),
    }
}
