//! Rows as they are read: fetched page by page, held, or looked up.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::client::{Error as ClientError, Reply};
use crate::json::{Piece, Pieces, ReadError};

use super::block::Block;
use super::error::Error;
use super::fetch::{Begun, Conditions, State};
use super::scan::Scan;

/// How many bytes of rows are kept in case that a table is read again.
const KEPT_BYTES: usize = 8 << 20;

/// Rows that are fetched as they are read, from one source after the other.
pub(super) struct Rows {
    at: usize,
    scan: Arc<Scan>,
    conditions: Conditions,
    /// The sources that are left, the next one first.
    sources: VecDeque<usize>,
    reply: Option<Reply>,
    /// Whether no more than the wanted rows are asked for.
    limited: bool,
    /// The rows of the source that came before all were asked for.
    given: HashSet<i64>,
}

impl Rows {
    pub(super) fn new(state: &State, at: usize, scan: &Arc<Scan>, conditions: Conditions) -> Rows {
        let (sources, limited) = (state.sources_of(scan).into(), scan.limit.is_some());
        Rows { at, scan: Arc::clone(scan), conditions, sources, reply: None, limited, given: HashSet::new() }
    }

    /// The next rows; `None` after the last.
    pub(super) fn next_block(&mut self, state: &mut State) -> Result<Option<Block>, Error> {
        let mut block = Block::new(&self.scan);
        while let Some(source) = self.sources.front().copied() {
            let is_end = match self.read(state, source, &mut block) {
                Ok(is_end) => is_end,
                Err(error) => {
                    state.lose(source, error)?;
                    // No more of it is asked for.
                    self.limited = false;
                    true
                }
            };
            if self.limited {
                self.given.extend((0..block.len()).map(|row| block.id(row)));
            } else if !self.given.is_empty() {
                block.retain(|id| !self.given.contains(&id));
            }
            if is_end {
                self.reply = None;
                let was_all = (self.given.len() as u64) < self.scan.limit.unwrap_or_default();
                // SQLite may leave some of them out and ask for more.
                if !std::mem::take(&mut self.limited) || was_all {
                    self.sources.pop_front();
                    self.limited = self.scan.limit.is_some();
                    self.given.clear();
                }
            }
            if block.len() > 0 {
                return Ok(Some(block));
            }
        }
        Ok(None)
    }

    /// Reads rows of a source into a block; whether they ended.
    fn read(&mut self, state: &mut State, source: usize, block: &mut Block) -> Result<bool, Error> {
        if self.reply.is_none() {
            let ask = state.ask(source, &self.scan, &self.conditions, self.limited)?;
            self.reply = state.send(self.at, source, &ask)?;
        }
        match &mut self.reply {
            Some(reply) if self.scan.counts => {
                *block = Block::of_count(count(reply)?);
                Ok(true)
            }
            Some(reply) => state.fill(block, reply, &self.scan, source),
            None => Ok(true),
        }
    }
}

impl State {
    /// Reads rows of a source into a block until it is full; whether the reply ended.
    pub(super) fn fill(&self, block: &mut Block, reply: &mut Reply, scan: &Scan, source: usize) -> Result<bool, Error> {
        let broken = |error: ReadError| ClientError::of_read(&error);
        while let Some(piece) = reply.next_piece().map_err(broken)? {
            // A call that is no query may return one row as a member of its own.
            if let Piece::Row(row) | Piece::Member { name: "inventory", text: row } = piece {
                block.push(row, scan, &self.sources[source].context);
                self.options.rows_read.fetch_add(1, Ordering::Relaxed);
                if block.is_full() {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

/// The number of rows in the answer to a query that counts.
pub(super) fn count(reply: &mut Reply) -> Result<usize, Error> {
    let broken = |error: ReadError| ClientError::of_read(&error);
    let mut count = 0;
    while let Some(piece) = reply.next_piece().map_err(broken)? {
        if let Piece::Member { name: "total", text } = piece {
            count = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or_default();
        }
    }
    Ok(count)
}

/// Reads a table: the rows from where it is on.
pub(super) struct Reading {
    pub(super) at: usize,
    rows: Option<Box<Rows>>,
    held: std::vec::IntoIter<Arc<Block>>,
    /// The rows so far, in case that the table is read again.
    kept: Option<(Vec<Arc<Block>>, usize)>,
}

impl Reading {
    pub(super) fn nothing() -> Reading {
        Reading { at: 0, rows: None, held: Vec::new().into_iter(), kept: None }
    }

    pub(super) fn of(at: usize, begun: Begun) -> (Reading, Option<Arc<Vec<Arc<Block>>>>) {
        match begun {
            Begun::Rows(rows) => {
                (Reading { at, rows: Some(rows), kept: Some((Vec::new(), 0)), ..Reading::nothing() }, None)
            }
            Begun::Held(blocks) => {
                let held = blocks.iter().cloned().collect::<Vec<_>>().into_iter();
                (Reading { at, held, ..Reading::nothing() }, None)
            }
            Begun::Found(block, batch) => {
                (Reading { at, held: vec![block].into_iter(), ..Reading::nothing() }, Some(batch))
            }
        }
    }

    /// The next rows; `None` after the last.
    pub(super) fn next_block(&mut self, state: &mut State) -> Result<Option<Arc<Block>>, Error> {
        if let Some(block) = self.held.find(|block| block.len() > 0) {
            return Ok(Some(block));
        }
        let Some(rows) = &mut self.rows else { return Ok(None) };
        match rows.next_block(state)? {
            Some(block) => {
                let block = Arc::new(block);
                if let Some((kept, size)) = &mut self.kept {
                    *size += block.size;
                    kept.push(Arc::clone(&block));
                }
                // More than this is fetched anew.
                self.kept.take_if(|(_, size)| *size > KEPT_BYTES);
                Ok(Some(block))
            }
            None => {
                self.rows = None;
                if let Some((kept, _)) = self.kept.take() {
                    state.keep(self.at, kept);
                }
                Ok(None)
            }
        }
    }
}
