//! Rows of a table that are held in memory.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::json;

use super::cell::Cell;
use super::scan::Scan;

/// How many rows a block has, and how many bytes; whichever is reached first.
pub(super) const BLOCK_ROWS: usize = 1000;
pub(super) const BLOCK_BYTES: usize = 1 << 20;

/// The values of some rows, in the order of the columns that a scan needs.
#[derive(Debug, Default)]
pub(super) struct Block {
    width: usize,
    cells: Vec<Cell>,
    /// What identifies each row.
    ids: Vec<i64>,
    /// The number of rows, which have no values where only their number matters.
    count: usize,
    /// The bytes that it takes.
    pub(super) size: usize,
}

impl Block {
    pub(super) fn new(scan: &Scan) -> Block {
        Block { width: scan.needed.len(), ..Block::default() }
    }

    /// Rows without values.
    pub(super) fn of_count(count: usize) -> Block {
        Block { count, ..Block::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn is_full(&self) -> bool {
        self.count >= BLOCK_ROWS || self.size >= BLOCK_BYTES
    }

    pub(super) fn id(&self, row: usize) -> i64 {
        self.ids.get(row).copied().unwrap_or(row as i64)
    }

    /// The value in a row; `slot` is the place of its column among those that are needed.
    pub(super) fn cell(&self, row: usize, slot: usize) -> &Cell {
        let at = row * self.width + slot;
        self.cells.get(at).filter(|_| slot < self.width).unwrap_or(&Cell::Null)
    }

    /// Adds a row from its JSON text.
    pub(super) fn push(&mut self, row: &[u8], scan: &Scan, context: &str) {
        let columns = &scan.table.columns;
        let key = scan.table.key.map(|key| columns[key].name.as_bytes());
        let start = self.cells.len();
        self.cells.resize(start + self.width, Cell::Null);
        let mut identity = None;
        for (name, value) in json::members(row) {
            if Some(name) == key {
                identity = Some(value);
            }
            let slot = scan.needed.iter().position(|at| columns.get(*at).is_some_and(|it| it.name.as_bytes() == name));
            let Some(slot) = slot else { continue };
            let cell = Cell::read(value, columns[scan.needed[slot]].kind);
            self.size += cell.size();
            self.cells[start + slot] = cell;
        }
        if let Some(slot) = scan.needed.iter().position(|at| *at == columns.len()) {
            self.cells[start + slot] = if context.is_empty() { Cell::Null } else { Cell::Text(context.into()) };
        }
        let mut hasher = DefaultHasher::new();
        (context, identity.unwrap_or(row)).hash(&mut hasher);
        self.ids.push(hasher.finish() as i64);
        self.count += 1;
        self.size += self.width * size_of::<Cell>() + size_of::<i64>();
    }

    /// Adds a row of another block.
    pub(super) fn push_row(&mut self, other: &Block, row: usize) {
        let cells = &other.cells[row * other.width..(row + 1) * other.width];
        self.size += cells.iter().map(|cell| cell.size() + size_of::<Cell>()).sum::<usize>() + size_of::<i64>();
        self.cells.extend_from_slice(cells);
        self.ids.push(other.id(row));
        self.count += 1;
    }

    /// Leaves out the rows that the test refuses.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(i64) -> bool) {
        let kept: Vec<usize> = (0..self.count).filter(|row| keep(self.ids[*row])).collect();
        if kept.len() == self.count {
            return;
        }
        let cells = kept.iter().flat_map(|row| self.cells[row * self.width..(row + 1) * self.width].to_vec());
        self.cells = cells.collect();
        self.ids = kept.iter().map(|row| self.ids[*row]).collect();
        self.count = kept.len();
    }
}
