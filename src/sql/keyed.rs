//! Rows that are looked up by a key: the inner side of a join.
//!
//! SQLite asks for the rows of one key at a time. The keys that it will ask for next are guessed: a column of another
//! table, whose rows are ahead, that has this key now. A wrong guess costs a request and no more. Where lists of keys
//! would take more requests than the whole table, that is fetched.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::syntax::{Operator, join_list};

use super::block::Block;
use super::cell::Cell;
use super::error::Error;
use super::fetch::{Conditions, State};
use super::rows::count;
use super::scan::Scan;

/// How many keys are looked up together: those of one row each, and others.
const UNIQUE_KEYS: usize = 1000;
const OTHER_KEYS: usize = 100;

/// How many bytes of rows are kept for further keys.
const KEPT_BYTES: usize = 16 << 20;

/// The most rows of a table that is fetched whole.
const WHOLE_ROWS: u64 = 100_000;

/// How many keys fit the address of one request.
const KEYS_OF_REQUEST: usize = 190;

/// How many requests are sent before it is asked how many rows there are.
const REQUESTS: u64 = 3;

/// What was looked up so far.
#[derive(Default)]
pub(super) struct Keyed {
    found: HashMap<String, Arc<Block>>,
    /// The rows that came last.
    batch: Arc<Vec<Arc<Block>>>,
    /// The columns that the keys may come from: a scan, and the place of the column among those it needs.
    guesses: Vec<(usize, usize)>,
    requests: u64,
    /// How many rows there are, if it was asked.
    total: Option<u64>,
    /// Whether all rows are there.
    whole: bool,
    size: usize,
}

/// The rows of a key, and those that were fetched with them.
type Found = (Arc<Block>, Arc<Vec<Arc<Block>>>);

impl State {
    /// The rows of a scan with that key.
    pub(super) fn look_up(&mut self, at: usize, key: &str, known: Conditions) -> Result<Found, Error> {
        let keyed = &self.scans[at].keyed;
        if let Some(block) = keyed.found.get(key) {
            return Ok((Arc::clone(block), Arc::clone(&keyed.batch)));
        }
        if keyed.whole {
            return Ok(Default::default());
        }
        let scan = Arc::clone(&self.scans[at].scan);
        let keys = self.keys(at, &scan, key);
        if let Some(rows) = self.shared_rows(at)? {
            self.take(at, &scan, &rows);
        } else if self.unsent.is_none() && self.is_whole_cheaper(at, &scan, &known, keys.len())? {
            self.fetch(at, &scan, known, &[])?;
        } else {
            self.fetch(at, &scan, known, &keys)?;
        }
        let keyed = &self.scans[at].keyed;
        Ok((keyed.found.get(key).cloned().unwrap_or_default(), Arc::clone(&keyed.batch)))
    }

    /// The keys to look up together with one: those that come next.
    fn keys(&mut self, at: usize, scan: &Scan, key: &str) -> Vec<String> {
        let is_now = |state: &State, (of, slot): (usize, usize)| {
            state.open.iter().find(|open| open.scan == Some(of)).is_some_and(|open| {
                let cell = open.block.cell(open.row.load(Ordering::Relaxed), slot);
                is_key(cell, key)
            })
        };
        let mut guesses = std::mem::take(&mut self.scans[at].keyed.guesses);
        guesses.retain(|guess| is_now(self, *guess));
        if guesses.is_empty() {
            let others = self.open.iter().filter_map(|open| open.scan).filter(|of| *of != at);
            let slots = others.flat_map(|of| (0..self.scans[of].scan.needed.len()).map(move |slot| (of, slot)));
            guesses = slots.filter(|guess| is_now(self, *guess)).collect();
        }
        let column = &scan.table.columns[scan.terms[scan.key.unwrap_or_default()].column];
        let most = if column.name == "uuid" { UNIQUE_KEYS } else { OTHER_KEYS };
        let mut keys = vec![key.to_owned()];
        let mut seen = HashSet::from([key.to_owned()]);
        if let Some((of, slot)) = guesses.first()
            && let Some(open) = self.open.iter().find(|open| open.scan == Some(*of))
        {
            let found = &self.scans[at].keyed.found;
            for (block, row) in open.ahead() {
                let Some(next) = block.cell(row, *slot).key(column.kind) else { continue };
                if !found.contains_key(&next) && seen.insert(next.clone()) {
                    keys.push(next);
                }
                if keys.len() >= most {
                    break;
                }
            }
        }
        self.scans[at].keyed.guesses = guesses;
        keys
    }

    /// Whether all rows of the table take fewer requests than were sent for its keys.
    fn is_whole_cheaper(&mut self, at: usize, scan: &Scan, known: &Conditions, keys: usize) -> Result<bool, Error> {
        let keyed = &self.scans[at].keyed;
        let requests = keyed.requests + keys.div_ceil(KEYS_OF_REQUEST) as u64;
        if keyed.total.is_none() && (requests > REQUESTS || keys > KEYS_OF_REQUEST) {
            let total = self.total(at, known, scan)?;
            self.scans[at].keyed.total = Some(total);
        }
        let total = self.scans[at].keyed.total;
        Ok(total
            .is_some_and(|total| total <= WHOLE_ROWS && total.div_ceil(u64::from(self.options.page_size)) <= requests))
    }

    /// How many rows of a table meet conditions; no end of them where the node does not say.
    pub(super) fn total(&mut self, at: usize, conditions: &Conditions, scan: &Scan) -> Result<u64, Error> {
        let counting = Scan { counts: true, ..Scan::whole(&scan.table, Vec::new()) };
        let mut total = 0_u64;
        for source in self.sources_of(scan) {
            let ask = self.ask(source, &counting, conditions, false)?;
            let counted = match self.send(at, source, &ask) {
                Ok(Some(mut reply)) => count(&mut reply).ok(),
                _ => None,
            };
            total = total.saturating_add(counted.map_or(u64::MAX, |count| count as u64));
        }
        Ok(total)
    }

    /// Takes the rows of a table that was fetched whole.
    fn take(&mut self, at: usize, scan: &Scan, rows: &[Arc<Block>]) {
        let mut found = HashMap::new();
        for block in rows {
            sort(block, scan, &mut found);
        }
        let keyed = &mut self.scans[at].keyed;
        keyed.whole = true;
        keyed.found = found.into_iter().map(|(key, block)| (key, Arc::new(block))).collect();
    }

    /// Fetches the rows of these keys; all rows where there are none.
    fn fetch(&mut self, at: usize, scan: &Scan, known: Conditions, keys: &[String]) -> Result<(), Error> {
        let term = &scan.terms[scan.key.unwrap_or_default()];
        let column = &scan.table.columns[term.column];
        let mut conditions = known;
        match keys {
            [] => {}
            // In a list `null` is a text as well.
            [key] if key != "null" => conditions.push((column.name, Operator::Equal, key.clone())),
            keys => conditions.push((column.name, Operator::In, join_list(keys))),
        }
        let mut found: HashMap<String, Block> = HashMap::new();
        for source in self.sources_of(scan) {
            if let Err(error) = self.fetch_of(at, source, scan, &conditions, &mut found) {
                self.lose(source, error)?;
            }
        }
        let keyed = &mut self.scans[at].keyed;
        keyed.whole = keys.is_empty();
        if keyed.whole || keyed.size > KEPT_BYTES {
            keyed.found.clear();
            keyed.size = 0;
        }
        let blocks: Vec<(String, Arc<Block>)> = found.into_iter().map(|(key, block)| (key, Arc::new(block))).collect();
        keyed.size += blocks.iter().map(|(key, block)| key.len() + block.size + size_of::<Block>()).sum::<usize>();
        keyed.batch = Arc::new(if keyed.whole {
            Vec::new()
        } else {
            blocks.iter().map(|(_, block)| Arc::clone(block)).collect()
        });
        // Keys without rows are known as well.
        keyed.found.extend(keys.iter().map(|key| (key.clone(), Arc::default())));
        keyed.found.extend(blocks);
        Ok(())
    }
}

impl State {
    /// Adds the rows of a source that meet the conditions to those of their keys.
    fn fetch_of(
        &mut self,
        at: usize,
        source: usize,
        scan: &Scan,
        conditions: &Conditions,
        found: &mut HashMap<String, Block>,
    ) -> Result<(), Error> {
        let ask = self.ask(source, scan, conditions, false)?;
        self.scans[at].keyed.requests += ask.parts() as u64;
        let Some(mut reply) = self.send(at, source, &ask)? else { return Ok(()) };
        loop {
            let mut block = Block::new(scan);
            let is_end = self.fill(&mut block, &mut reply, scan, source)?;
            sort(&block, scan, found);
            if is_end {
                return Ok(());
            }
        }
    }
}

/// Adds the rows of a block to those of their keys.
fn sort(block: &Block, scan: &Scan, found: &mut HashMap<String, Block>) {
    let at = scan.terms[scan.key.unwrap_or_default()].column;
    let slot = scan.needed.iter().position(|needed| *needed == at).unwrap_or_default();
    for row in 0..block.len() {
        if let Some(key) = block.cell(row, slot).key(scan.table.columns[at].kind) {
            found.entry(key).or_insert_with(|| Block::new(scan)).push_row(block, row);
        }
    }
}

fn is_key(cell: &Cell, key: &str) -> bool {
    match cell {
        Cell::Text(text) => &**text == key,
        Cell::Integer(number) => number.to_string() == key,
        _ => false,
    }
}
