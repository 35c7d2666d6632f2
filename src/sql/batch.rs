//! Several statements in one run, which share the tables that one of them reads whole.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::catalog::Catalog;

use super::block::Block;
use super::error::Error;
use super::explain::reads;
use super::fetch::{Shared, Source, State};
use super::run::{Options, connect, explained};
use super::scan::Scan;
use super::statement::Statement;
use super::table::Table;
use super::vtab::lock;

/// A table that is read more than once.
#[derive(Default)]
pub(super) struct SharedTable {
    /// The columns that any of them needs.
    pub(super) needed: Vec<usize>,
    /// How often it is read.
    uses: u64,
    /// Whether one of them reads all its rows.
    is_read_whole: bool,
    /// Its rows, once they were fetched.
    rows: Option<Arc<Vec<Arc<Block>>>>,
}

/// Statements that can be run.
pub(crate) struct Batch<'a> {
    connection: Connection,
    state: Shared,
    options: &'a Options,
}

/// The values of a row, with the names of their columns; `None` for null.
pub(crate) type NamedValues = Vec<(String, Option<String>)>;

impl<'a> Batch<'a> {
    /// Prepares for these statements. Nothing is sent. Statements that are wrong are told when they are run.
    ///
    /// # Errors
    /// When SQLite cannot be set up.
    pub(crate) fn new(
        statements: &[&Statement],
        catalog: Catalog,
        sources: Vec<Source>,
        options: &'a Options,
    ) -> Result<Batch<'a>, Error> {
        let state = State::new(catalog, sources, options);
        let mut tables: Vec<(String, Arc<Table>)> = Vec::new();
        for (name, table) in statements.iter().flat_map(|statement| &statement.tables) {
            if !tables.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
                tables.push((name.clone(), Arc::clone(table)));
            }
        }
        let connected = connect(&tables, &state, options);
        let failed = |error: rusqlite::Error| Error::Client(crate::client::Error::Reply { flaw: error.to_string() });
        let batch = Batch { connection: connected.map_err(failed)?, state, options };
        batch.share(statements);
        Ok(batch)
    }

    /// Finds the tables that are read more than once, and that may take fewer requests if they are fetched whole.
    fn share(&self, statements: &[&Statement]) {
        let mut uses: HashMap<&'static str, SharedTable> = HashMap::new();
        for statement in statements {
            for (_, at) in reads(&self.connection, statement).unwrap_or_default().into_iter().flatten() {
                let state = lock(&self.state);
                let Some(scan) = state.scans.get(at).map(|progress| &progress.scan) else { continue };
                let table = uses.entry(scan.table.inventory).or_default();
                table.uses += 1;
                table.is_read_whole |= scan.terms.is_empty() && scan.limit.is_none() && !scan.counts;
                table.needed.extend(&scan.needed);
            }
        }
        let mut state = lock(&self.state);
        state.scans.clear();
        for (inventory, mut table) in uses {
            if table.uses > if table.is_read_whole { 1 } else { 2 } {
                table.needed.sort_unstable();
                table.needed.dedup();
                state.shared.insert(inventory, table);
            }
        }
    }

    /// The rows of a statement.
    ///
    /// # Errors
    /// As [`super::start`].
    pub(crate) fn rows(&self, statement: &Statement) -> Result<Vec<NamedValues>, Error> {
        let explained = |error| explained(error, statement, &self.state, &self.options.interrupt);
        let mut prepared = self.connection.prepare(&statement.text).map_err(explained)?;
        let names: Vec<String> = prepared.column_names().map(str::to_owned).collect();
        let mut rows = prepared.query([]).map_err(explained)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(explained)? {
            let value = |at: usize| -> rusqlite::Result<Option<String>> {
                Ok(match row.get_ref(at)? {
                    ValueRef::Null => None,
                    ValueRef::Integer(number) => Some(number.to_string()),
                    // Rounded numbers are whole ones.
                    ValueRef::Real(number) => Some(number.to_string()),
                    ValueRef::Text(text) | ValueRef::Blob(text) => Some(String::from_utf8_lossy(text).into_owned()),
                })
            };
            let values = names.iter().enumerate().map(|(at, name)| Ok((name.clone(), value(at)?)));
            found.push(values.collect::<rusqlite::Result<_>>().map_err(explained)?);
        }
        Ok(found)
    }
}

impl State {
    /// All rows of a table that statements share; `None` for another table.
    pub(super) fn shared_rows(&mut self, at: usize) -> Result<Option<Arc<Vec<Arc<Block>>>>, Error> {
        let scan = Arc::clone(&self.scans[at].scan);
        let Some(shared) = self.shared.get(scan.table.inventory) else { return Ok(None) };
        if let Some(rows) = &shared.rows {
            return Ok(Some(Arc::clone(rows)));
        }
        let (whole, uses) = (Scan::whole(&scan.table, shared.needed.clone()), shared.uses);
        if !shared.is_read_whole {
            // The number of rows is a request of its own.
            let total = self.total(at, &scan.table.conditions(), &scan)?;
            if total.div_ceil(u64::from(self.options.page_size)).saturating_add(1) >= uses {
                self.shared.remove(scan.table.inventory);
                return Ok(None);
            }
        }
        let rows = Arc::new(self.all(at, &Arc::new(whole))?);
        if let Some(shared) = self.shared.get_mut(scan.table.inventory) {
            shared.rows = Some(Arc::clone(&rows));
        }
        Ok(Some(rows))
    }
}
