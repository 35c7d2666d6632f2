//! How SQLite reads a table: which comparisons the node makes, and what is expected to come.

use std::ffi::c_int;
use std::sync::Arc;

use rusqlite::Result;
use rusqlite::vtab::{IndexConstraintOp, IndexFlags, IndexInfo};

use super::cell::{Cell, Comparison, is_askable};
use super::fetch::State;
use super::table::Table;

/// How many rows a table is supposed to have. The node is not asked before a statement is run.
const ROWS: f64 = 100_000.0;

/// A way to read a table.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) table: Arc<Table>,
    /// The columns that the statement uses.
    pub(super) needed: Vec<usize>,
    /// The comparisons, in the order of the values that SQLite supplies.
    pub(super) terms: Vec<Term>,
    /// The index of the term whose value changes with the rows of other tables: rows are looked up by it.
    pub(super) key: Option<usize>,
    /// How many rows are wanted at most, where that is known and few.
    pub(super) limit: Option<u64>,
    /// The column that the node sorts by, and whether it descends.
    pub(super) order: Option<(usize, bool)>,
    /// Whether only the number of rows matters.
    pub(super) counts: bool,
    /// The context whose rows are wanted; those of all where there is none.
    pub(super) context: Option<Box<str>>,
}

/// A comparison of a column.
#[derive(Clone, Debug)]
pub(super) struct Term {
    pub(super) column: usize,
    pub(super) comparison: Comparison,
    /// The value, where the statement has it. Others may differ each time that the table is read.
    pub(super) value: Option<Cell>,
}

impl Scan {
    /// Decides how to read a table, and tells SQLite.
    pub(super) fn plan(table: &Arc<Table>, state: &State, info: &mut IndexInfo) -> Result<Scan> {
        let (catalog, most) = (state.catalog, u64::from(state.options.page_size));
        let shared = state.shared.get(table.inventory);
        let mut found: Vec<(usize, Term)> = Vec::new();
        let mut limit: Option<u64> = None;
        let mut takes_limit = Vec::new();
        let mut offset: Option<u64> = Some(0);
        let mut contexts: Vec<Box<str>> = Vec::new();
        let constraints: Vec<(i32, IndexConstraintOp, bool)> =
            info.constraints().map(|one| (one.column(), one.operator(), one.is_usable())).collect();
        for (at, (column, operator, _)) in constraints.iter().enumerate().filter(|(_, (.., usable))| *usable) {
            let known = info.rhs_value(at).ok().flatten().map(Cell::of_sql);
            let comparison = match operator {
                IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_LIMIT
                | IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_OFFSET => {
                    let number = match known {
                        Some(Cell::Integer(number)) => u64::try_from(number).ok(),
                        _ => None,
                    };
                    match operator {
                        IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_LIMIT => limit = number,
                        _ => offset = number,
                    }
                    takes_limit.push(at);
                    continue;
                }
                IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_EQ if info.is_in_constraint(at)? => Comparison::In,
                IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_EQ => Comparison::Equal,
                IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_NE => Comparison::NotEqual,
                IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_LT => Comparison::Less,
                IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_LE => Comparison::LessOrEqual,
                IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_GT => Comparison::Greater,
                IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_GE => Comparison::GreaterOrEqual,
                IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_LIKE => Comparison::Like,
                IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_ISNULL => Comparison::IsNull,
                IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_ISNOTNULL => Comparison::NotNull,
                _ => continue,
            };
            // Another collation finds more than the node does.
            let is_exact = matches!(comparison, Comparison::IsNull | Comparison::NotNull | Comparison::Like)
                || info.collation(at)? == "BINARY";
            let Some(column) = table.column(*column) else { continue };
            if let (true, true, Comparison::Equal, Some(Cell::Text(context))) =
                (column == table.columns.len(), is_exact, comparison, &known)
            {
                contexts.push(context.clone());
                continue;
            }
            let is_askable = table.columns.get(column).is_some_and(|known| is_askable(known, comparison));
            if is_exact && is_askable && table.compares(catalog, column) {
                found.push((at, Term { column, comparison, value: known }));
            }
        }
        let key = choose_key(table, &mut found);
        // Rows that SQLite leaves out afterwards are no reason to stop earlier.
        let takes_all = found.len() + takes_limit.len() + contexts.len() == constraints.len() && contexts.len() < 2;
        let counts = table.is_query && shared.is_none() && info.col_used() == 0 && key.is_none() && found.is_empty();
        let mut scan = Scan {
            table: Arc::clone(table),
            needed: shared.map_or_else(|| needed(table, info.col_used()), |shared| shared.needed.clone()),
            terms: Vec::new(),
            key,
            limit: None,
            order: None,
            counts,
            context: contexts.pop(),
        };
        let limit = limit.zip(offset).map(|(limit, offset)| limit.saturating_add(offset));
        if takes_all
            && table.is_query
            && shared.is_none()
            && limit.is_some_and(|limit| limit <= most)
            && key.is_none()
            && !counts
        {
            let order: Vec<(i32, bool)> = info.order_bys().map(|by| (by.column(), by.is_order_by_desc())).collect();
            let is_of_one = !state.options.of_several || scan.context.is_some();
            // A list that is too long for one request cannot be split together with an order.
            let has_list = found.iter().any(|(_, term)| term.comparison == Comparison::In);
            scan.order = match order[..] {
                // The rows of several nodes come one after the other.
                [(column, descends)] if !has_list && is_of_one => {
                    table.column(column).filter(|at| scan.sorts(*at)).map(|at| (at, descends))
                }
                _ => None,
            };
            if order.is_empty() || scan.order.is_some() {
                scan.limit = limit;
                info.set_order_by_consumed(scan.order.is_some());
            }
        }
        let lists: Vec<usize> =
            found.iter().filter(|(_, term)| term.comparison == Comparison::In).map(|(at, _)| *at).collect();
        let limits = takes_limit.into_iter().filter(|_| scan.limit.is_some());
        let places: Vec<usize> = found.iter().map(|(at, _)| *at).chain(limits).collect();
        for (place, at) in (1..).zip(places) {
            info.constraint_usage(at).set_argv_index(place);
        }
        for at in lists {
            info.set_in_constraint(at, true)?;
        }
        scan.terms = found.into_iter().map(|(_, term)| term).collect();
        scan.estimate(info);
        Ok(scan)
    }

    /// Reads all rows of a table.
    pub(super) fn whole(table: &Arc<Table>, needed: Vec<usize>) -> Scan {
        Scan {
            table: Arc::clone(table),
            needed,
            terms: Vec::new(),
            key: None,
            limit: None,
            order: None,
            counts: false,
            context: None,
        }
    }

    /// Whether the node sorts by a column as SQLite would: text it does not.
    fn sorts(&self, column: usize) -> bool {
        use super::table::ColumnKind::{Bytes, Integer, Real, Time};
        self.table
            .columns
            .get(column)
            .is_some_and(|column| column.sortable && matches!(column.kind, Integer | Bytes | Real | Time))
    }

    /// Tells SQLite how many rows to expect, so that it reads the table with the fewest first.
    fn estimate(&self, info: &mut IndexInfo) {
        let mut rows = ROWS;
        for (at, term) in self.terms.iter().enumerate() {
            let column = &self.table.columns[term.column];
            let is_unique = self.table.key == Some(term.column) && column.name == "uuid";
            let equal = match column {
                _ if is_unique => 1.0,
                _ if !column.values.is_empty() => ROWS * 0.2,
                _ if self.key == Some(at) => 20.0,
                _ => 50.0,
            };
            rows = match term.comparison {
                Comparison::Equal => equal.min(rows * 0.5).max(1.0),
                Comparison::In => (equal * 5.0).min(rows * 0.8),
                Comparison::Like => rows * 0.1,
                Comparison::NotEqual | Comparison::NotNull => rows * 0.95,
                Comparison::IsNull => rows * 0.1,
                _ => rows * 0.3,
            };
            if is_unique && term.comparison == Comparison::Equal {
                info.set_idx_flags(IndexFlags::SQLITE_INDEX_SCAN_UNIQUE);
            }
        }
        if let Some(limit) = self.limit {
            rows = rows.min(limit as f64);
        }
        let overhead = if self.key.is_some() { 1.0 } else { 100.0 };
        info.set_estimated_cost(rows.max(1.0) + overhead);
        info.set_estimated_rows(rows.max(1.0) as i64);
    }
}

/// Chooses the comparison that rows are looked up by, and drops what cannot be asked together with it. The index counts
/// the terms that stay.
fn choose_key(table: &Table, found: &mut Vec<(usize, Term)>) -> Option<usize> {
    let is_open = |term: &Term| term.comparison == Comparison::Equal && term.value.is_none();
    let rank = |term: &Term| match table.columns[term.column].name {
        // One row for each value.
        "uuid" => 0,
        name if name.ends_with("Uuid") => 1,
        _ => 2,
    };
    let suits = |term: &Term| is_open(term) && table.columns[term.column].values.is_empty();
    let chosen = found.iter().filter(|(_, term)| suits(term)).min_by_key(|(_, term)| rank(term)).map(|(at, _)| *at);
    match chosen {
        Some(chosen) => found.retain(|(at, term)| *at == chosen || term.value.is_some() || term.comparison.is_unary()),
        None => found.retain(|(_, term)| !is_open(term)),
    }
    chosen.and_then(|chosen| found.iter().position(|(at, _)| *at == chosen))
}

/// The columns of SQLite's mask, whose last bit stands for all from the 64th on.
fn needed(table: &Table, mask: u64) -> Vec<usize> {
    let is_used = |declared: &c_int| mask & (1 << (*declared).min(63)) != 0;
    (0..).take(table.columns.len() + 1).filter(is_used).filter_map(|declared| table.column(declared)).collect()
}
