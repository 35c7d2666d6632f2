//! Running parsed statements.

use std::sync::Arc;

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, params_from_iter};

use super::assemble::{Part, Printed, Printer};
use super::compile::{Compiler, selectable};
use super::error::{NOT_SIMULATED, ServerError, StoreError};
use super::json_text::{self, Secrecy};
use super::model::{InventoryModel, Kind, Model};
use super::request::Viewer;
use super::schema::quoted;
use super::zql::{Function, Select, Statement, Verb};

/// The result of a statement (section 9).
#[derive(Debug, Default)]
pub(super) struct StatementResult {
    pub(super) inventories: Option<Page>,
    pub(super) total: Option<i64>,
    /// JSON: pairs of key object and count.
    pub(super) counts: Option<String>,
    /// JSON: the result of `max` and similar functions (R16).
    pub(super) aggregate: Option<String>,
    /// JSON: the rows of `sum`, which are lists, and of `distinct`.
    pub(super) values: Option<String>,
    pub(super) name: Option<String>,
}

/// The rows of a result, which are read and printed when they are written.
#[derive(Debug)]
pub(super) struct Page {
    shape: Arc<InventoryModel>,
    pub(super) ids: Vec<i64>,
    fields: Option<Vec<String>>,
}

/// Runs statements for a viewer.
pub(super) struct Runner<'a> {
    pub(super) connection: &'a Connection,
    pub(super) model: &'a Model,
    pub(super) viewer: &'a Viewer,
    pub(super) secrecy: Secrecy,
}

/// What a node says that cannot search.
const SEARCHES_NOTHING: &str = "unhandled exception happened when calling private void \
    org.zstack.query.QueryFacadeImpl.1.doCall(org.zstack.header.core.ReturnValueCompletion), Unable to find field name \
    in org.zstack.sdnController.header.VxlanClusterMappingVO";

impl Runner<'_> {
    /// Runs one statement.
    pub(super) fn run(&self, statement: &Statement) -> Result<StatementResult, ServerError> {
        let Statement::Select(select) = statement else {
            // So does a node without the service that searches.
            return Err(ServerError::internal(SEARCHES_NOTHING));
        };
        if let Some(other) = select.return_with.iter().find(|name| *name != "total") {
            return Err(ServerError::failed(
                NOT_SIMULATED,
                format!("the sandbox does not simulate [{other}] in return with"),
            ));
        }
        let shape = self.compiler().entity(&select.entity)?;
        let mut answer = match select.verb {
            Verb::Query if select.function.is_some() => self.aggregate(&shape, select)?,
            Verb::Query => self.rows(&shape, select)?,
            Verb::Count if select.group_by.is_empty() => {
                StatementResult { total: Some(self.count(&shape, select)?), ..StatementResult::default() }
            }
            Verb::Count => self.count_groups(&shape, select)?,
            Verb::Sum => self.sum(&shape, select)?,
        };
        if !select.return_with.is_empty() {
            answer.total = Some(self.count(&shape, select)?);
        }
        answer.name.clone_from(&select.name);
        Ok(answer)
    }

    fn compiler(&self) -> Compiler<'_> {
        Compiler::new(self.connection, self.model, self.viewer)
    }

    fn rows(&self, shape: &Arc<InventoryModel>, select: &Select) -> Result<StatementResult, ServerError> {
        let mut fields = fields(shape, select)?;
        if fields.is_empty() {
            // Of a group only its key is returned.
            fields = select.group_by.iter().map(|field| selectable(shape, field)).collect::<Result<_, _>>()?;
        }
        let mut compiler = self.compiler();
        compiler.cuts_in_other_order =
            select.limit.is_some() && select.order_by.first().is_some_and(|(field, _)| field != "uuid");
        let (source, alias) = compiler.source(shape)?;
        let filter = compiler.filter(shape, &alias, select)?;
        let tail = compiler.tail(shape, &alias, select)?;
        // Only the keys of the page are selected, mostly from an index alone; the rows are read later.
        let id = if select.group_by.is_empty() { format!("{alias}._id") } else { format!("min({alias}._id)") };
        let sql = format!("SELECT {id} FROM {source} WHERE {filter}{tail}");
        let ids: Vec<i64> = self.select(&sql, compiler, |row| row.get(0))?;
        let fields = (!fields.is_empty()).then(|| fields.iter().map(|field| (*field).to_owned()).collect());
        let page = Page { shape: Arc::clone(shape), ids, fields };
        Ok(StatementResult { inventories: Some(page), ..StatementResult::default() })
    }

    /// Adds some rows of a page to `out`; those that were deleted since are left out.
    pub(super) fn print(&self, page: &Page, ids: &[i64], part: Part, out: &mut Printed) -> Result<(), StoreError> {
        if ids.is_empty() {
            return Ok(());
        }
        let fields = page.fields.as_ref().map(|fields| fields.iter().map(String::as_str).collect::<Vec<_>>());
        let printer = Printer { connection: self.connection, model: self.model, secrecy: self.secrecy, part };
        printer.print(&page.shape, ids, fields.as_deref(), out)
    }

    /// The number of matching rows, ignoring limit and offset; with fields, only rows whose first field is not null
    /// (Q18).
    fn count(&self, shape: &Arc<InventoryModel>, select: &Select) -> Result<i64, ServerError> {
        let fields = fields(shape, select)?;
        let mut compiler = self.compiler();
        let (source, alias) = compiler.source(shape)?;
        let filter = compiler.filter(shape, &alias, select)?;
        let counted = fields.first().map_or_else(|| "*".to_owned(), |field| format!("{alias}.{}", quoted(field)));
        let sql = format!("SELECT count({counted}) FROM {source} WHERE {filter}");
        Ok(self.select(&sql, compiler, |row| row.get(0))?.first().copied().unwrap_or(0))
    }

    /// The counts of groups. Rows with null are not counted, neither in a group nor in the total (R7).
    fn count_groups(&self, shape: &Arc<InventoryModel>, select: &Select) -> Result<StatementResult, ServerError> {
        let mut compiler = self.compiler();
        let (source, alias) = compiler.source(shape)?;
        let filter = compiler.filter(shape, &alias, select)?;
        let tail = compiler.tail(shape, &alias, select)?;
        let mut keys = Vec::new();
        for field in &select.group_by {
            keys.push(selectable(shape, field)?);
        }
        let columns: Vec<String> = keys.iter().map(|key| format!("{alias}.{}", quoted(key))).collect();
        let counted = columns.first().map_or("*", String::as_str);
        let sql =
            format!("SELECT count({counted}) AS groupCount, {} FROM {source} WHERE {filter}{tail}", columns.join(", "));
        let pairs: Vec<String> = self.select(&sql, compiler, |row| {
            let mut values = Vec::new();
            for (at, key) in keys.iter().enumerate() {
                values.push((*key, self.value(shape, key, &row.get(at + 1)?)));
            }
            Ok(format!("[{},{}]", json_text::partial(shape, &values), row.get::<_, i64>(0)?))
        })?;
        let mut all = select.clone();
        all.fields = select.group_by.iter().take(1).map(|field| vec![field.clone()]).collect();
        let total = Some(self.count(shape, &all)?);
        Ok(StatementResult { counts: Some(format!("[{}]", pairs.join(","))), total, ..StatementResult::default() })
    }

    fn sum(&self, shape: &Arc<InventoryModel>, select: &Select) -> Result<StatementResult, ServerError> {
        let by = selectable(shape, select.by.as_deref().unwrap_or_default())?;
        let mut compiler = self.compiler();
        let (source, alias) = compiler.source(shape)?;
        let filter = compiler.filter(shape, &alias, select)?;
        let tail = compiler.tail(shape, &alias, select)?;
        let mut columns = vec![format!("{alias}.{}", quoted(by))];
        for field in fields(shape, select)? {
            columns.push(format!("sum({alias}.{})", quoted(field)));
        }
        let sql =
            format!("SELECT {} FROM {source} WHERE {filter} GROUP BY {alias}.{}{tail}", columns.join(", "), quoted(by));
        let rows: Vec<String> = self.select(&sql, compiler, |row| {
            let mut cells = vec![self.value(shape, by, &row.get(0)?)];
            for at in 1..columns.len() {
                cells.push(json_text::value(&Kind::Integer, &row.get(at)?));
            }
            Ok(format!("[{}]", cells.join(",")))
        })?;
        Ok(StatementResult { values: Some(format!("[{}]", rows.join(","))), ..StatementResult::default() })
    }

    fn aggregate(&self, shape: &Arc<InventoryModel>, select: &Select) -> Result<StatementResult, ServerError> {
        let fields = fields(shape, select)?;
        let (Some(field), Some(function)) = (fields.first(), select.function) else {
            return Ok(StatementResult::default());
        };
        let mut compiler = self.compiler();
        let (source, alias) = compiler.source(shape)?;
        let filter = compiler.filter(shape, &alias, select)?;
        let tail = compiler.tail(shape, &alias, select)?;
        let column = format!("{alias}.{}", quoted(field));
        let selected = match function {
            Function::Distinct => format!("DISTINCT {column}"),
            Function::Max => format!("max({column})"),
            Function::Min => format!("min({column})"),
            Function::Average => format!("avg({column})"),
        };
        let sql = format!("SELECT {selected} FROM {source} WHERE {filter}{tail}");
        let rows: Vec<String> = self.select(&sql, compiler, |row| {
            let value: Sql = row.get(0)?;
            let value = match function {
                Function::Average => json_text::value(&Kind::Double, &value),
                _ => self.value(shape, field, &value),
            };
            Ok(match function {
                Function::Distinct => json_text::partial(shape, &[(field, value)]),
                _ => format!("[{{\"{field}\":{value}}},{value}]"),
            })
        })?;
        let rows = Some(format!("[{}]", rows.join(",")));
        Ok(match function {
            Function::Distinct => StatementResult { values: rows, ..StatementResult::default() },
            _ => StatementResult { aggregate: rows, ..StatementResult::default() },
        })
    }

    fn value(&self, shape: &InventoryModel, field: &str, value: &Sql) -> String {
        json_text::member_value(shape, field, value, self.secrecy)
    }

    fn select<T>(
        &self,
        sql: &str,
        compiler: Compiler<'_>,
        read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, ServerError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        // A relation without rows drops its parameters from the text.
        let used = statement.parameter_count();
        let rows = statement.query_map(params_from_iter(compiler.parameters.0.iter().take(used)), read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// The columns of a statement's fields, which must be stored members of the inventory itself (Q20).
fn fields<'shape>(shape: &'shape InventoryModel, select: &Select) -> Result<Vec<&'shape str>, ServerError> {
    select.fields.iter().map(|path| selectable(shape, &path.join("."))).collect()
}
