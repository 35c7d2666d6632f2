//! The tables as SQLite calls them.
//!
//! rusqlite's traits for virtual tables are unsafe to implement, since SQLite sees the structs as C structs that begin
//! with its own. Nothing else in the program is unsafe.

use std::borrow::Cow;
use std::ffi::{CStr, CString, c_int};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError};

use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::types::{ToSqlOutput, Value as SqlValue, ValueRef};
use rusqlite::vtab::{
    Context, Filters, IndexInfo, Module, VTab, VTabConnection, VTabCursor, sqlite3_vtab, sqlite3_vtab_cursor,
};
use rusqlite::{Connection, Error, Result};

use super::block::Block;
use super::cell::{Cell, Comparison};
use super::fetch::{Open, Shared, State, Value};
use super::rows::Reading;
use super::scan::Scan;
use super::table::Table;

/// A module of SQLite: one table.
#[derive(Clone)]
pub(super) struct OneTable {
    pub(super) table: Arc<Table>,
    pub(super) state: Shared,
}

/// Makes a table known to a connection.
pub(super) fn register(connection: &Connection, name: &str, table: OneTable) -> Result<()> {
    const MODULE: Module<'_, NodeTable> = Module::eponymous_only_module();
    connection.create_module(name, &MODULE, Some(table))
}

/// A table of a connection.
#[repr(C)]
struct NodeTable {
    base: sqlite3_vtab,
    of: OneTable,
}

/// A place in the rows of a table.
#[repr(C)]
struct Cursor {
    base: sqlite3_vtab_cursor,
    state: Shared,
    number: usize,
    /// For each column of the declaration, its place among those that are needed.
    slots: Vec<Option<usize>>,
    reading: Reading,
    block: Arc<Block>,
    row: Arc<AtomicUsize>,
}

// SAFETY: the struct is `repr(C)` and begins with `sqlite3_vtab`.
#[allow(unsafe_code)]
unsafe impl VTab<'_> for NodeTable {
    type Aux = OneTable;
    type Cursor = Cursor;

    fn connect(
        _: &mut VTabConnection,
        aux: Option<&OneTable>,
        _: &[u8],
        _: &[u8],
        _: &[u8],
        _: &[&[u8]],
    ) -> Result<(Cow<'static, CStr>, NodeTable)> {
        let of = aux.cloned().ok_or_else(|| Error::ModuleError("no table".to_owned()))?;
        let declaration =
            CString::new(of.table.declaration(lock(&of.state).options.of_several)).map_err(|_| Error::InvalidQuery)?;
        Ok((Cow::Owned(declaration), NodeTable { base: sqlite3_vtab::default(), of }))
    }

    fn best_index(&self, info: &mut IndexInfo) -> Result<bool> {
        let mut state = lock(&self.of.state);
        let scan = Scan::plan(&self.of.table, &state, info)?;
        let number = state.add(scan);
        info.set_idx_num(c_int::try_from(number).map_err(|_| Error::InvalidQuery)?);
        Ok(true)
    }

    fn open(&mut self) -> Result<Cursor> {
        let mut state = lock(&self.of.state);
        let number = state.open.last().map_or(0, |last| last.cursor + 1);
        let (block, row): (Arc<Block>, Arc<AtomicUsize>) = Default::default();
        let open = Open { cursor: number, scan: None, block: Arc::clone(&block), row: Arc::clone(&row), batch: None };
        state.open.push(open);
        let (state, slots, reading) = (Arc::clone(&self.of.state), Vec::new(), Reading::nothing());
        Ok(Cursor { base: sqlite3_vtab_cursor::default(), state, number, slots, reading, block, row })
    }
}

// SAFETY: the struct is `repr(C)` and begins with `sqlite3_vtab_cursor`.
#[allow(unsafe_code)]
unsafe impl VTabCursor for Cursor {
    fn filter(&mut self, number: c_int, _: Option<&str>, arguments: &Filters<'_>) -> Result<()> {
        let at = usize::try_from(number).map_err(|_| Error::InvalidQuery)?;
        let shared = Arc::clone(&self.state);
        let mut state = lock(&shared);
        let scan = Arc::clone(&state.scans.get(at).ok_or(Error::InvalidQuery)?.scan);
        let mut values = Vec::with_capacity(scan.terms.len());
        for ((index, term), value) in scan.terms.iter().enumerate().zip(arguments.iter()) {
            values.push(match term.comparison {
                Comparison::In => {
                    Value::List(arguments.in_values(index)?.map(|value| Ok(Cell::of_sql(value))).collect()?)
                }
                _ => Value::One(Cell::of_sql(value)),
            });
        }
        let place = |column| scan.needed.iter().position(|needed| Some(*needed) == scan.table.column(column));
        self.slots = (0..).take(scan.table.columns.len() + 1).map(place).collect();
        let begun = state.begin(at, values).map_err(|error| failed(&mut state, error))?;
        let (reading, batch) = Reading::of(at, begun);
        self.reading = reading;
        if let Some(open) = state.open.iter_mut().find(|open| open.cursor == self.number) {
            (open.scan, open.batch) = (Some(at), batch);
        }
        self.turn(&mut state)
    }

    fn next(&mut self) -> Result<()> {
        let row = self.row.fetch_add(1, Ordering::Relaxed) + 1;
        if row < self.block.len() {
            return Ok(());
        }
        let shared = Arc::clone(&self.state);
        self.turn(&mut lock(&shared))
    }

    fn eof(&self) -> bool {
        self.row.load(Ordering::Relaxed) >= self.block.len()
    }

    fn column(&self, context: &mut Context, column: c_int) -> Result<()> {
        let slot = usize::try_from(column).ok().and_then(|column| *self.slots.get(column)?);
        let cell = slot.map_or(&Cell::Null, |slot| self.block.cell(self.row.load(Ordering::Relaxed), slot));
        match cell {
            Cell::Null => context.set_result(SqlValue::Null),
            Cell::Integer(number) => context.set_result(*number),
            Cell::Real(number) => context.set_result(*number),
            Cell::Text(text) => context.set_result(ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes()))),
        }
    }

    fn rowid(&self) -> Result<i64> {
        Ok(self.block.id(self.row.load(Ordering::Relaxed)))
    }
}

impl Cursor {
    /// Goes to the first row of the next block.
    fn turn(&mut self, state: &mut State) -> Result<()> {
        let block = self.reading.next_block(state).map_err(|error| failed(state, error))?;
        self.block = block.unwrap_or_default();
        self.row.store(0, Ordering::Relaxed);
        if let Some(open) = state.open.iter_mut().find(|open| open.cursor == self.number) {
            open.block = Arc::clone(&self.block);
        }
        Ok(())
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        let number = self.number;
        lock(&self.state).open.retain(|open| open.cursor != number);
    }
}

/// Keeps an error for the caller of SQLite, which passes on texts only.
fn failed(state: &mut State, error: super::error::Error) -> Error {
    state.failure = Some(error);
    Error::ModuleError("a table cannot be read".to_owned())
}

pub(super) fn lock(state: &Shared) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
