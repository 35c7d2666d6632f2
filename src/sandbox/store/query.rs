//! Queries: their parameters, and the replies to them (section 8).
//!
//! Like a node, the sandbox translates a query to ZQL and parses that. Therefore errors refer to positions in a text
//! that the user did not write.

use super::assemble::{InventoryJson, Secrecy, write_string};
use super::condition::{self, ReadCondition};
use super::database::Store;
use super::error::{BAD_ARGUMENT, ServerError};
use super::facts::facts;
use super::model::base;
use super::request::{QueryRequest, Viewer};
use super::run::{Runner, StatementResult};
use super::zql;

/// The default limit of a query (Q16).
const DEFAULT_LIMIT: i64 = 1000;

impl Store {
    /// Runs a query and returns the reply's JSON text, `{"schema": {..}, "inventories": [..]}`, with `"total"` if
    /// requested; `{"schema": {}, "total": n}` for a count.
    ///
    /// `inventory` is that of the API in the catalog; an unknown or empty one has no rows.
    ///
    /// # Errors
    /// The error reply of a node (section 8, table of mistakes).
    pub fn query(&self, inventory: &str, request: &QueryRequest, viewer: &Viewer) -> Result<String, ServerError> {
        let conditions: Vec<ReadCondition> =
            request.conditions.iter().map(|text| condition::read(text)).collect::<Result<_, _>>()?;
        let limit = whole_number("limit", request.limit.as_deref())?.unwrap_or(DEFAULT_LIMIT);
        let start = whole_number("start", request.start.as_deref())?.unwrap_or(0);
        check_filter(request.filter_name.as_deref())?;
        let Some(mut shape) = self.model().shape(inventory) else { return Ok(nothing(request)) };
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
        let mut answer = self.run(&text, viewer, Secrecy::Shown)?.into_iter().next().unwrap_or_default();
        if facts().is_uncounted(shape.name) {
            answer.total = None;
        }
        Ok(reply(answer))
    }

    /// Runs ZQL and returns the reply's JSON text, `{"results": [..]}`, with one element per statement (section 9).
    ///
    /// # Errors
    /// 503 `SYS.1000` with the parser's text (Z7), or as for a query.
    pub fn zql(&self, text: &str, viewer: &Viewer) -> Result<String, ServerError> {
        let answers = self.run(text, viewer, Secrecy::Hidden)?;
        let results: Vec<String> = answers.into_iter().map(result).collect();
        Ok(format!("{{\"results\":[{}]}}", results.join(",")))
    }

    fn run(&self, text: &str, viewer: &Viewer, secrecy: Secrecy) -> Result<Vec<StatementResult>, ServerError> {
        if text.chars().any(|character| character > '\u{ffff}') {
            // The database stores at most three bytes per character (R9).
            return Err(ServerError::internal("failed to run the query: could not extract ResultSet"));
        }
        let statements = zql::parse(text)?;
        let connection = self.lock();
        // One read transaction, so that a page and its total are consistent.
        let _reading = connection.unchecked_transaction()?;
        let runner = Runner { connection: &connection, model: self.model(), viewer, secrecy };
        statements.iter().map(|statement| runner.run(statement)).collect()
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
    let total = (request.count || request.reply_with_count).then_some(0);
    reply(StatementResult { inventories: (!request.count).then(Vec::new), total, ..StatementResult::default() })
}

fn reply(answer: StatementResult) -> String {
    let rows = answer.inventories.as_deref().unwrap_or_default();
    let mut schema = Vec::new();
    for (at, row) in rows.iter().enumerate().rev() {
        for (path, class) in &row.classes {
            schema.push(format!("\"inventories[{at}]{path}\":\"{class}\""));
        }
    }
    let mut members = vec![format!("\"schema\":{{{}}}", schema.join(","))];
    members.extend(answer.total.map(|total| format!("\"total\":{total}")));
    members.extend(answer.inventories.as_deref().map(|rows| format!("\"inventories\":{}", list(rows))));
    format!("{{{}}}", members.join(","))
}

fn result(answer: StatementResult) -> String {
    let mut members = Vec::new();
    if let Some(rows) = &answer.inventories {
        members.push(format!("\"inventories\":{}", list(rows)));
    }
    if let Some(values) = &answer.values {
        members.push(format!("\"inventories\":{values}"));
    }
    if let Some(counts) = &answer.counts {
        members.push(format!("\"inventoryCounts\":{counts}"));
    }
    if let Some(total) = answer.total {
        members.push(format!("\"total\":{total}"));
    }
    if let Some(aggregate) = &answer.aggregate {
        members.push(format!("\"inventoryAggregateFunctions\":{aggregate}"));
    }
    if let Some(name) = &answer.name {
        let mut member = String::from("\"name\":");
        write_string(&mut member, name);
        members.push(member);
    }
    format!("{{{}}}", members.join(","))
}

fn list(rows: &[InventoryJson]) -> String {
    let rows: Vec<&str> = rows.iter().map(|row| row.json.as_str()).collect();
    format!("[{}]", rows.join(","))
}
