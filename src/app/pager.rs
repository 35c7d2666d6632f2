//! Output that goes through a pager when it does not fit the screen, and only then.

use std::io::{self, Write};
use std::process::{Child, Command, Stdio};

/// A writer that holds back up to a screenful; when more comes, a pager gets it all.
pub(super) struct Pager<W: Write> {
    out: W,
    /// Width and height of the terminal; `None` never pages.
    size: Option<(usize, usize)>,
    program: String,
    held: Vec<u8>,
    /// Lines that what is held fills on the terminal.
    lines: usize,
    column: usize,
    in_escape: bool,
    child: Option<Child>,
}

impl<W: Write> Pager<W> {
    /// A writer to `out`, a terminal of that size, where `program` is the user's pager.
    pub(super) fn new(out: W, size: Option<(usize, usize)>, program: Option<&str>) -> Pager<W> {
        let program = program.unwrap_or("less").to_owned();
        // `cat` as a pager means that none is wanted.
        let size = size.filter(|_| !matches!(program.trim(), "" | "cat"));
        Pager { out, size, program, held: Vec::new(), lines: 0, column: 0, in_escape: false, child: None }
    }

    /// Counts the terminal lines that the bytes fill. Characters count as one column each: a screenful of wide
    /// ones is paged a little late, which costs a scroll and no data.
    fn count(&mut self, bytes: &[u8], width: usize) {
        for &byte in bytes {
            match byte {
                b'\n' => {
                    self.lines += 1;
                    self.column = 0;
                }
                0x1b => self.in_escape = true,
                _ if self.in_escape => self.in_escape = !byte.is_ascii_alphabetic(),
                // The further bytes of a character.
                0x80..=0xbf => {}
                _ => {
                    self.column += 1;
                    if self.column > width {
                        self.lines += 1;
                        self.column = 1;
                    }
                }
            }
        }
    }

    /// Starts the pager; where that fails, the rest is written as it comes.
    fn start(&mut self) -> io::Result<()> {
        self.size = None;
        let mut command = Command::new("sh");
        command.args(["-c", &self.program]).stdin(Stdio::piped());
        // Colours as they are; leave the text on the screen.
        command.env("LESS", "RX");
        self.child = command.spawn().ok();
        let held = std::mem::take(&mut self.held);
        self.pass(&held)
    }

    fn pass(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.child.as_mut().and_then(|child| child.stdin.as_mut()) {
            Some(stdin) => stdin.write_all(bytes),
            None => self.out.write_all(bytes),
        }
    }

    /// Writes what was held back, and waits until the user leaves the pager.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let held = std::mem::take(&mut self.held);
        let passed = self.pass(&held);
        match self.child.as_mut() {
            Some(child) => {
                drop(child.stdin.take());
                child.wait()?;
                // Whoever leaves the pager early has seen enough.
                Ok(())
            }
            None => passed.and_then(|()| self.out.flush()),
        }
    }
}

impl<W: Write> Write for Pager<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some((width, height)) = self.size else {
            self.pass(bytes)?;
            return Ok(bytes.len());
        };
        self.held.extend_from_slice(bytes);
        self.count(bytes, width.max(1));
        // The prompt wants a line too.
        if self.lines >= height.saturating_sub(1) {
            self.start()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.size.is_none() && self.child.is_none() { self.out.flush() } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paged(text: &str, size: Option<(usize, usize)>, program: &str) -> String {
        let mut screen = Vec::new();
        let mut pager = Pager::new(&mut screen, size, Some(program));
        pager.write_all(text.as_bytes()).expect("it can be written");
        pager.finish().expect("it can be written");
        String::from_utf8(screen).expect("text")
    }

    #[test]
    fn what_fits_is_printed() {
        assert_eq!(paged("a\nb\n", Some((80, 24)), "exit 9"), "a\nb\n");
        assert_eq!(paged("\u{1b}[31mred\u{1b}[0m\n", Some((4, 3)), "exit 9"), "\u{1b}[31mred\u{1b}[0m\n");
        assert_eq!(paged(&"x\n".repeat(99), None, "exit 9"), "x\n".repeat(99));
    }

    #[test]
    fn what_does_not_fit_goes_to_the_pager() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("paged");
        let program = format!("cat > '{}'", file.display());
        assert_eq!(paged(&"x\n".repeat(30), Some((80, 24)), &program), "");
        assert_eq!(std::fs::read_to_string(&file).expect("it was paged"), "x\n".repeat(30));
        // One long line fills several of the terminal's.
        assert_eq!(paged(&"x".repeat(200), Some((10, 5)), &program), "");
    }
}
