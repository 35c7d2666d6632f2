//! Buffered output whose first row is written immediately.

use std::io::Write;

use super::error::Error;

/// The size at which the buffer is written, in bytes: large enough that system calls cost little.
const ENOUGH: usize = 64 * 1024;

/// A buffer in front of a writer.
pub(super) struct Output<'a> {
    /// The text that is written next.
    pub(super) buffer: Vec<u8>,
    out: &'a mut dyn Write,
    started: bool,
}

impl<'a> Output<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Output<'a> {
        Output { buffer: Vec::with_capacity(ENOUGH + ENOUGH / 2), out, started: false }
    }

    /// Called after each row. The first row is written immediately, so that a reader can start and a closed pipe is
    /// noticed early.
    pub(super) fn row_done(&mut self) -> Result<(), Error> {
        if self.buffer.len() >= ENOUGH || !self.started { self.flush() } else { Ok(()) }
    }

    /// Whether anything was written.
    pub(super) fn is_started(&self) -> bool {
        self.started
    }

    /// Writes the buffer and then the text; long text is not copied into the buffer.
    pub(super) fn write(&mut self, text: &[u8]) -> Result<(), Error> {
        if text.len() < ENOUGH {
            self.buffer.extend_from_slice(text);
            return Ok(());
        }
        self.flush()?;
        self.out.write_all(text).map_err(Error::Write)
    }

    pub(super) fn flush(&mut self) -> Result<(), Error> {
        self.started = true;
        self.out.write_all(&self.buffer).map_err(Error::Write)?;
        self.buffer.clear();
        Ok(())
    }

    /// Writes the rest of the buffer.
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        self.out.write_all(&self.buffer).map_err(Error::Write)?;
        self.buffer.clear();
        self.out.flush().map_err(Error::Write)
    }
}
