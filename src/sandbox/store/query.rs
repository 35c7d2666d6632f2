//! Queries: their parameters, and the replies to them (section 8).
//!
//! Like a node, the sandbox translates a query to ZQL and parses that. Therefore errors refer to positions in a text
//! that the user did not write.

use std::fmt::Write as _;

use super::assemble::{Part, Printed};
use super::condition::{self, ReadCondition};
use super::database::Store;
use super::error::{BAD_ARGUMENT, ServerError};
use super::facts::facts;
use super::json_text::{Secrecy, write_string};
use super::model::base;
use super::request::{QueryRequest, Viewer};
use super::run::{Page, Runner, StatementResult};
use super::zql;

/// The default limit of a query (Q16).
const DEFAULT_LIMIT: i64 = 1000;

/// The number of rows that are kept in memory while a reply is written. A reply with more is written in pieces.
const ROWS_AT_ONCE: usize = 1000;

/// Takes the text of a reply, in pieces.
pub trait Pieces {
    /// Takes the next piece, which is not empty. Returns `false` if nobody reads further ones.
    fn write(&mut self, piece: String) -> bool;
}

impl Pieces for String {
    fn write(&mut self, piece: String) -> bool {
        if self.is_empty() {
            *self = piece;
        } else {
            self.push_str(&piece);
        }
        true
    }
}

impl Store {
    /// The reply to a query as `write_query` writes it.
    ///
    /// # Errors
    /// As `write_query`.
    pub fn query(&self, inventory: &str, request: &QueryRequest, viewer: &Viewer) -> Result<String, ServerError> {
        let mut reply = String::new();
        self.write_query(inventory, request, viewer, &mut reply)?;
        Ok(reply)
    }

    /// Runs a query and writes the reply's JSON text to `out`, `{"schema": {..}, "inventories": [..]}`, with `"total"`
    /// if requested; `{"schema": {}, "total": n}` for a count.
    ///
    /// `inventory` is that of the API in the catalog; an unknown or empty one has no rows.
    ///
    /// # Errors
    /// The error reply of a node (section 8, table of mistakes). Once the first piece was written, only an error of
    /// the database.
    pub fn write_query(
        &self,
        inventory: &str,
        request: &QueryRequest,
        viewer: &Viewer,
        out: &mut dyn Pieces,
    ) -> Result<(), ServerError> {
        let conditions: Vec<ReadCondition> =
            request.conditions.iter().map(|text| condition::read(text)).collect::<Result<_, _>>()?;
        let limit = whole_number("limit", request.limit.as_deref())?.unwrap_or(DEFAULT_LIMIT);
        let start = whole_number("start", request.start.as_deref())?.unwrap_or(0);
        check_filter(request.filter_name.as_deref())?;
        let Some(mut shape) = self.model().shape(inventory) else {
            out.write(nothing(request));
            return Ok(());
        };
        // A condition on the type field selects a special inventory with more fields (Q14), which may have a type field
        // in turn.
        let chosen = |shape: &_| {
            let equal = conditions.iter().filter(|condition| condition.operator == "=");
            equal.filter_map(|ReadCondition { field, value, .. }| self.model().specialised(shape, field, value)).next()
        };
        while let Some(special) = chosen(&shape) {
            shape = special;
        }

        let mut text = String::from(if request.count { "count " } else { "query " });
        text.push_str(&base(shape.name).to_ascii_lowercase());
        if let Some(fields) = &request.fields {
            text.push('.');
            // Trailing commas are ignored (R14).
            text.push_str(fields.trim_end_matches(','));
        }
        for (at, condition) in conditions.iter().enumerate() {
            text.push_str(if at == 0 { " where " } else { " and " });
            text.push_str(&condition.to_zql());
        }
        if !request.count {
            if request.reply_with_count {
                text.push_str(" return with (total)");
            }
            if let Some(sort) = &request.sort {
                let (field, direction) = match (sort.strip_prefix('+'), sort.strip_prefix('-')) {
                    (Some(field), _) => (field, "asc"),
                    (_, Some(field)) => (field, "desc"),
                    _ => (sort.as_str(), "asc"),
                };
                text.push_str(&format!(" order by {field} {direction}"));
            }
            text.push_str(&format!(" limit {limit} offset {start}"));
        }
        self.run(&text, viewer, Secrecy::Shown, |runner, answers| {
            let mut answer = answers.into_iter().next().unwrap_or_default();
            if facts().is_uncounted(shape.name) {
                answer.total = None;
            }
            write_reply(runner, &answer, out)
        })
    }

    /// The reply to ZQL as `write_zql` writes it.
    ///
    /// # Errors
    /// As `write_zql`.
    pub fn zql(&self, text: &str, viewer: &Viewer) -> Result<String, ServerError> {
        let mut reply = String::new();
        self.write_zql(text, viewer, &mut reply)?;
        Ok(reply)
    }

    /// Runs ZQL and writes the reply's JSON text to `out`, `{"results": [..]}`, with one element per statement
    /// (section 9).
    ///
    /// # Errors
    /// 503 `SYS.1000` with the parser's text (Z7), or as for a query.
    pub fn write_zql(&self, text: &str, viewer: &Viewer, out: &mut dyn Pieces) -> Result<(), ServerError> {
        self.run(text, viewer, Secrecy::Hidden, |runner, answers| {
            let mut pending = String::from("{\"results\":[");
            for (at, answer) in answers.iter().enumerate() {
                if at > 0 {
                    pending.push(',');
                }
                pending = write_result(runner, answer, pending, out)?;
            }
            out.write(pending + "]}");
            Ok(())
        })
    }

    fn run<T>(
        &self,
        text: &str,
        viewer: &Viewer,
        secrecy: Secrecy,
        write: impl FnOnce(&Runner<'_>, Vec<StatementResult>) -> Result<T, ServerError>,
    ) -> Result<T, ServerError> {
        if text.chars().any(|character| character > '\u{ffff}') {
            // The database stores at most three bytes per character (R9).
            return Err(ServerError::internal("failed to run the query: could not extract ResultSet"));
        }
        let statements = zql::parse(text)?;
        // One read transaction, so that a page and its total are consistent.
        self.reading(|connection| {
            let runner = Runner { connection, model: self.model(), viewer, secrecy };
            let answers = statements.iter().map(|statement| runner.run(statement)).collect::<Result<_, _>>()?;
            write(&runner, answers)
        })
    }
}

fn whole_number(name: &str, text: Option<&str>) -> Result<Option<i64>, ServerError> {
    text.map(|text| {
        text.parse::<i32>()
            .map(i64::from)
            .map_err(|_| ServerError::text(format!("Invalid query parameter {name}[{text}]: it must be an integer")))
    })
    .transpose()
}

/// `filterName` selects filters of plug-ins; the sandbox has none (Q22).
fn check_filter(text: Option<&str>) -> Result<(), ServerError> {
    match text.map(|text| (text, text.split_once(':'))) {
        None => Ok(()),
        Some((text, None)) => Err(ServerError::failed(
            BAD_ARGUMENT,
            format!("invalid filterName[{text}]: it must be in the form of kind:arguments"),
        )),
        Some((_, Some((kind, _)))) => Err(ServerError::internal(format!("cannot find a query filter of kind[{kind}]"))),
    }
}

/// The reply to a query on an unknown inventory.
fn nothing(request: &QueryRequest) -> String {
    let total = if request.count || request.reply_with_count { ",\"total\":0" } else { "" };
    let rows = if request.count { "" } else { ",\"inventories\":[]" };
    format!("{{\"schema\":{{}}{total}{rows}}}")
}

/// Writes the reply to a query. The schema comes first (R17), so a long reply is printed twice: its classes, and then
/// its rows. Only some rows are kept in memory.
fn write_reply(runner: &Runner<'_>, answer: &StatementResult, out: &mut dyn Pieces) -> Result<(), ServerError> {
    let mut pending = String::from("{\"schema\":{");
    let ids = answer.inventories.as_ref().map_or(&[][..], |page| page.ids.as_slice());
    let is_short = ids.len() <= ROWS_AT_ONCE;
    let part = if is_short { Part::Whole } else { Part::Classes };
    let mut printed = Printed::default();
    let chunks = ids.chunks(ROWS_AT_ONCE).enumerate().map(|(at, ids)| (at * ROWS_AT_ONCE, ids));
    let mut without_comma = 1;
    for ((rows, ids), page) in chunks.rev().zip(std::iter::repeat(&answer.inventories)) {
        let Some(page) = page else { break };
        printed = Printed::after(String::new(), rows);
        runner.print(page, ids, part, &mut printed)?;
        for classes in printed.classes().rev() {
            pending.push_str(&classes[std::mem::take(&mut without_comma)..]);
        }
        if !is_short && !out.write(std::mem::take(&mut pending)) {
            return Ok(());
        }
    }
    pending.push('}');
    if let Some(total) = answer.total {
        // Writing to a string cannot fail.
        let _ = write!(pending, ",\"total\":{total}");
    }
    if let Some(page) = &answer.inventories {
        pending.push_str(",\"inventories\":[");
        if is_short {
            // The rows stay where they are: memory that is used for the first time costs more than moving them.
            printed.json.insert_str(0, &pending);
            pending = printed.json;
        } else {
            pending = write_rows(runner, page, pending, out)?;
        }
        pending.push(']');
    }
    pending.push('}');
    out.write(pending);
    Ok(())
}

/// Writes the rows of a page, separated by commas, after the text that is pending. Returns the text that is pending
/// then.
fn write_rows(runner: &Runner<'_>, page: &Page, pending: String, out: &mut dyn Pieces) -> Result<String, ServerError> {
    let mut printed = Printed::after(pending, 0);
    for ids in page.ids.chunks(ROWS_AT_ONCE) {
        if printed.rows > 0 {
            let size = printed.json.len();
            if !out.write(std::mem::replace(&mut printed.json, String::with_capacity(size))) {
                break;
            }
        }
        runner.print(page, ids, Part::Rows, &mut printed)?;
    }
    Ok(printed.json)
}

/// Writes the result of a statement as `write_rows` does.
fn write_result(
    runner: &Runner<'_>,
    answer: &StatementResult,
    mut pending: String,
    out: &mut dyn Pieces,
) -> Result<String, ServerError> {
    let begin = |pending: &mut String, member: &str, is_first: &mut bool| {
        pending.push_str(if std::mem::take(is_first) { "\"" } else { ",\"" });
        pending.push_str(member);
        pending.push_str("\":");
    };
    let mut is_first = true;
    pending.push('{');
    if let Some(page) = &answer.inventories {
        begin(&mut pending, "inventories", &mut is_first);
        pending.push('[');
        pending = write_rows(runner, page, pending, out)?;
        pending.push(']');
    }
    let total = answer.total.map(|total| total.to_string());
    let members = [
        ("inventories", &answer.values),
        ("inventoryCounts", &answer.counts),
        ("total", &total),
        ("inventoryAggregateFunctions", &answer.aggregate),
    ];
    for (member, value) in members {
        if let Some(value) = value {
            begin(&mut pending, member, &mut is_first);
            pending.push_str(value);
        }
    }
    if let Some(name) = &answer.name {
        begin(&mut pending, "name", &mut is_first);
        write_string(&mut pending, name);
    }
    pending.push('}');
    Ok(pending)
}
