//! Rows sorted in memory, or in a temporary file where they are too many.
//!
//! Rows that fit the limit are sorted in memory. Beyond it each run of rows is sorted and written to the file, and the
//! runs are merged while they are read. The file is readable by its owner only and has no name, so that it is gone with
//! the program; `TMPDIR` says where it lies.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::error::Error;
use super::sort::{Key, SortKey};

/// How much of the file is written or read at a time, in bytes.
const BUFFER: usize = 64 * 1024;

/// Collects the rows.
pub(super) struct Runs {
    order: SortKey,
    /// The most that is held in memory, in bytes.
    limit: usize,
    run: Run,
    spilled: Option<Spilled>,
}

impl Runs {
    pub(super) fn new(order: SortKey, limit: usize) -> Runs {
        Runs { order, limit, run: Run::default(), spilled: None }
    }

    /// Whether no row was collected.
    pub(super) fn is_empty(&self) -> bool {
        self.run.rows.is_empty() && self.spilled.is_none()
    }

    pub(super) fn push(&mut self, key: Key, row: &[u8]) -> Result<(), Error> {
        if self.run.size() + row.len() > self.limit && !self.run.rows.is_empty() {
            self.spill()?;
        }
        self.run.push(key, row);
        Ok(())
    }

    fn spill(&mut self) -> Result<(), Error> {
        self.run.sort(&self.order);
        let write = |spilled: Option<Spilled>, run: &Run| {
            let mut spilled = spilled.map_or_else(Spilled::new, Ok)?;
            spilled.write(run)?;
            io::Result::Ok(spilled)
        };
        self.spilled = Some(write(self.spilled.take(), &self.run).map_err(Error::Spill)?);
        self.run.clear();
        Ok(())
    }

    /// The rows in their order.
    pub(super) fn sorted(mut self) -> Result<SortedRows, Error> {
        if self.spilled.is_some() {
            self.spill()?;
        }
        let Some(spilled) = self.spilled else {
            self.run.sort(&self.order);
            return Ok(SortedRows::Memory { run: self.run, next: 0 });
        };
        let file = Arc::new(spilled.file);
        let sources = spilled.runs.into_iter().map(|(at, end)| Source::new(Part { file: Arc::clone(&file), at, end }));
        let mut sources: Vec<Source> = sources.collect();
        for source in &mut sources {
            source.advance(&self.order).map_err(Error::Spill)?;
        }
        Ok(SortedRows::Spilled { order: self.order, sources, current: None })
    }
}

/// Rows in memory: their texts one after the other, their keys and offsets.
#[derive(Default)]
pub(super) struct Run {
    text: Vec<u8>,
    rows: Vec<(Key, usize, usize)>,
    key_size: usize,
}

impl Run {
    fn push(&mut self, key: Key, row: &[u8]) {
        let start = self.text.len();
        self.text.extend_from_slice(row);
        self.key_size += key.size();
        self.rows.push((key, start, self.text.len()));
    }

    /// How much memory it takes, in bytes.
    fn size(&self) -> usize {
        self.text.len() + self.key_size + self.rows.len() * size_of::<(Key, usize, usize)>()
    }

    fn sort(&mut self, order: &SortKey) {
        self.rows.sort_by(|(a, ..), (b, ..)| order.compare(a, b));
    }

    fn row(&self, index: usize) -> &[u8] {
        self.rows.get(index).and_then(|(_, start, end)| self.text.get(*start..*end)).unwrap_or_default()
    }

    fn clear(&mut self) {
        self.text.clear();
        self.rows.clear();
        self.key_size = 0;
    }
}

/// Sorted runs in a file: each row is preceded by its length.
struct Spilled {
    file: File,
    /// The offsets where each run begins and ends.
    runs: Vec<(u64, u64)>,
}

impl Spilled {
    fn new() -> io::Result<Spilled> {
        Ok(Spilled { file: tempfile::tempfile()?, runs: Vec::new() })
    }

    fn write(&mut self, run: &Run) -> io::Result<()> {
        let start = self.runs.last().map_or(0, |(_, end)| *end);
        let mut end = start;
        let mut out = BufWriter::with_capacity(BUFFER, &self.file);
        for index in 0..run.rows.len() {
            let row = run.row(index);
            out.write_all(&(row.len() as u64).to_le_bytes())?;
            out.write_all(row)?;
            end += (size_of::<u64>() + row.len()) as u64;
        }
        out.flush()?;
        self.runs.push((start, end));
        Ok(())
    }
}

/// A part of a file, read from its start to its end.
struct Part {
    file: Arc<File>,
    at: u64,
    end: u64,
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.file.read_at(&mut buffer[..left], self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

/// A run that is read back.
pub(super) struct Source {
    reader: BufReader<Part>,
    /// The current row.
    row: Vec<u8>,
    /// Its key; `None` after the last row.
    key: Option<Key>,
}

impl Source {
    fn new(part: Part) -> Source {
        Source { reader: BufReader::with_capacity(BUFFER, part), row: Vec::new(), key: None }
    }

    /// Reads the next row.
    fn advance(&mut self, order: &SortKey) -> io::Result<()> {
        self.row.clear();
        self.key = None;
        if self.reader.fill_buf()?.is_empty() {
            return Ok(());
        }
        let mut length = [0; size_of::<u64>()];
        self.reader.read_exact(&mut length)?;
        let length = u64::from_le_bytes(length);
        if self.reader.by_ref().take(length).read_to_end(&mut self.row)? as u64 != length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.key = Some(order.key_of(&self.row));
        Ok(())
    }
}

/// The rows in their order, one at a time.
pub(super) enum SortedRows {
    Memory {
        run: Run,
        next: usize,
    },
    Spilled {
        order: SortKey,
        sources: Vec<Source>,
        /// The source of the current row.
        current: Option<usize>,
    },
}

impl SortedRows {
    /// Goes to the next row; `false` after the last.
    pub(super) fn advance(&mut self) -> Result<bool, Error> {
        match self {
            SortedRows::Memory { run, next } => {
                *next += 1;
                Ok(*next <= run.rows.len())
            }
            SortedRows::Spilled { order, sources, current } => {
                if let Some(source) = current.and_then(|current| sources.get_mut(current)) {
                    source.advance(order).map_err(Error::Spill)?;
                }
                let keys = sources.iter().enumerate().filter_map(|(index, source)| Some((index, source.key.as_ref()?)));
                // Of equal rows the first is chosen: it came first.
                *current = keys.min_by(|(_, a), (_, b)| order.compare(a, b)).map(|(index, _)| index);
                Ok(current.is_some())
            }
        }
    }

    /// The current row.
    pub(super) fn row(&self) -> &[u8] {
        match self {
            SortedRows::Memory { run, next } => run.row(next.saturating_sub(1)),
            SortedRows::Spilled { sources, current, .. } => {
                current.and_then(|current| sources.get(current)).map_or(&[], |source| &source.row)
            }
        }
    }
}
