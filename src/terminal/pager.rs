//! Sends output through a pager if it does not fit the screen.

use std::io::{self, Write};

use crate::interrupt::Interrupt;

use super::program::Program;

/// More than the buffer of a pipe: a pager that has read so much is running.
const KEPT: usize = 1 << 20;

/// The user's pager.
#[derive(Clone, Debug)]
pub(crate) struct PagerProgram<'a> {
    /// The shell command.
    pub(crate) command: &'a str,
    /// How the user wants `less`, as `LESS` says.
    pub(crate) less: Option<&'a str>,
    /// Whether long lines are to be scrolled and not broken.
    pub(crate) sideways: bool,
    /// Whether the user wants colours, whatever the pager makes of them.
    pub(crate) colours: bool,
    /// Whose Ctrl-C is the pager's while that runs.
    pub(crate) interrupt: &'a Interrupt,
}

/// A writer that buffers a screenful; if there is more output, it starts a pager.
pub(crate) struct Pager<'a, W: Write> {
    out: W,
    /// Width and height of the terminal; `None` for no pager.
    size: Option<(usize, usize)>,
    program: PagerProgram<'a>,
    held: Vec<u8>,
    /// The number of terminal lines of the buffered output.
    lines: usize,
    column: usize,
    in_escape: bool,
    /// Whether a line is to be scrolled sideways.
    too_long: bool,
    /// Whether the bytes for the pager end within an escape sequence that it does not get.
    in_dropped: bool,
    child: Option<Program>,
    /// The output written to the pager, until it is known to be running.
    kept: Option<Vec<u8>>,
    missing: bool,
    /// The user left the pager before the end of the output.
    left: bool,
}

/// The pagers that show colours.
const SHOW_COLOURS: [&str; 9] = ["less", "bat", "batcat", "cat", "moar", "moor", "most", "ov", "tee"];

impl PagerProgram<'_> {
    /// What `less` is told: colours as they are, long lines as the output wants them, and what the user says, or else
    /// to leave the text on the screen.
    fn less(&self) -> String {
        let chop = if self.sideways { "S" } else { "" };
        format!("-R{chop} {}", self.less.unwrap_or("-X")).trim_end().to_owned()
    }

    fn shows_colours(&self) -> bool {
        let program = self.command.split_whitespace().next().unwrap_or_default();
        self.colours || SHOW_COLOURS.contains(&program.rsplit('/').next().unwrap_or(program))
    }
}

/// How many lines of the terminal are left to what is said below the output, and to the prompt.
const BELOW: usize = 4;

impl<'a, W: Write> Pager<'a, W> {
    /// A writer for `out`, a terminal of that size.
    pub(crate) fn new(out: W, size: Option<(usize, usize)>, program: PagerProgram<'a>) -> Pager<'a, W> {
        // The pager `cat` means no pager.
        let size = size.filter(|_| !matches!(program.command.trim(), "" | "cat"));
        Pager {
            out,
            size,
            program,
            held: Vec::new(),
            lines: 0,
            column: 0,
            in_escape: false,
            too_long: false,
            in_dropped: false,
            child: None,
            kept: None,
            missing: false,
            left: false,
        }
    }

    /// Counts the terminal lines of the bytes. Each character counts as one column, so that the pager starts a little
    /// late for wide characters.
    fn count(&mut self, bytes: &[u8], width: usize) {
        for &byte in bytes {
            match byte {
                b'\n' => {
                    self.lines += 1;
                    self.column = 0;
                }
                0x1b => self.in_escape = true,
                _ if self.in_escape => self.in_escape = !byte.is_ascii_alphabetic(),
                // The continuation bytes of a character.
                0x80..=0xbf => {}
                _ => {
                    self.column += 1;
                    self.too_long |= self.column > width && self.program.sideways;
                    if self.column > width {
                        self.lines += 1;
                        self.column = 1;
                    }
                }
            }
        }
    }

    /// Starts the pager and writes the buffered output to it.
    fn start(&mut self) -> io::Result<()> {
        self.size = None;
        let mut command = Program::command(self.program.command);
        command.env("LESS", self.program.less());
        self.child = Program::start(command, self.program.interrupt).ok();
        self.missing = self.child.is_none();
        self.kept = Some(Vec::new());
        let held = std::mem::take(&mut self.held);
        self.pass(&held)
    }

    fn pass(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.left {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let Some(child) = &mut self.child else {
            return self.out.write_all(bytes);
        };
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(bytes);
        }
        let plain;
        let shown = if self.program.shows_colours() {
            bytes
        } else {
            plain = without_colours(bytes, &mut self.in_dropped);
            &plain
        };
        match child.write_all(shown) {
            Ok(()) => {
                self.kept.take_if(|kept| kept.len() > KEPT);
                Ok(())
            }
            // The user left the pager, or the shell could not run it.
            Err(error) => {
                self.end_pager()?;
                self.left = !self.missing;
                if self.left { Err(error) } else { Ok(()) }
            }
        }
    }

    /// Waits for the end of the pager. If it never ran, the output is written directly.
    fn end_pager(&mut self) -> io::Result<()> {
        let Some(child) = self.child.take() else { return Ok(()) };
        let status = child.wait()?;
        // The exit codes of a shell for a program that is missing or not executable.
        if matches!(status.code(), Some(126 | 127))
            && let Some(kept) = self.kept.take()
        {
            self.missing = true;
            self.out.write_all(&kept)?;
        }
        Ok(())
    }

    /// Writes the buffered output, and waits until the user leaves the pager. Returns the name of the pager if it could
    /// not be run; then the output is on the screen.
    pub(crate) fn finish(mut self) -> io::Result<Option<String>> {
        let held = std::mem::take(&mut self.held);
        if self.child.is_none() && !self.left {
            self.out.write_all(&held)?;
        }
        self.end_pager()?;
        self.out.flush()?;
        Ok(self.missing.then(|| self.program.command.to_owned()))
    }
}

/// The bytes without the sequences for colours. `inside` says that one began before, or goes on behind.
fn without_colours(bytes: &[u8], inside: &mut bool) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        if byte == 0x1b {
            *inside = true;
        } else if *inside {
            *inside = !byte.is_ascii_alphabetic();
        } else {
            plain.push(byte);
        }
    }
    plain
}

impl<W: Write> Write for Pager<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some((width, height)) = self.size else {
            self.pass(bytes)?;
            return Ok(bytes.len());
        };
        self.held.extend_from_slice(bytes);
        self.count(bytes, width.max(1));
        // The heading is still to be seen when all is said. A small terminal is filled.
        if self.lines > height.saturating_sub(BELOW).max(height / 2) || self.too_long {
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
        let interrupt = Interrupt::new();
        let program =
            PagerProgram { command: program, less: None, sideways: false, colours: false, interrupt: &interrupt };
        let mut pager = Pager::new(&mut screen, size, program.clone());
        // A pager that is left early breaks its pipe.
        let _ = pager.write_all(text.as_bytes());
        let missing = pager.finish().expect("it can be written");
        assert_eq!(missing.is_some(), program.command.contains("nosuch"));
        String::from_utf8(screen).expect("text")
    }

    #[test]
    fn what_fits_is_printed() {
        assert_eq!(paged("a\nb\n", Some((80, 24)), "exit 9"), "a\nb\n");
        assert_eq!(paged("\u{1b}[31mred\u{1b}[0m\n", Some((4, 3)), "exit 9"), "\u{1b}[31mred\u{1b}[0m\n");
        assert_eq!(paged(&"x\n".repeat(99), None, "exit 9"), "x\n".repeat(99));
    }

    #[test]
    fn less_gets_colours_and_what_the_user_says() {
        let interrupt = Interrupt::new();
        let program =
            |less, sideways| PagerProgram { command: "", less, sideways, colours: false, interrupt: &interrupt };
        assert_eq!(program(None, false).less(), "-R -X");
        assert_eq!(program(None, true).less(), "-RS -X");
        assert_eq!(program(Some("FS"), false).less(), "-R FS");
        assert_eq!(program(Some(""), false).less(), "-R");
    }

    #[test]
    fn a_pager_that_shows_no_colours_gets_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("paged");
        let text = "\u{1b}[38;5;28mx\u{1b}[0m\n".repeat(30);
        for (program, shown) in [("cat", &text), ("sed -n p", &"x\n".repeat(30))] {
            paged(&text, Some((80, 24)), &format!("{program} > '{}'", file.display()));
            assert_eq!(&std::fs::read_to_string(&file).expect("it was paged"), shown);
        }
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

    #[test]
    fn what_a_missing_pager_should_have_shown_is_printed() {
        let text = "x\n".repeat(30);
        assert_eq!(paged(&text, Some((80, 24)), "nosuchpager -X"), text);
        // More than a pipe holds, so that the shell ends while it is written.
        let long = "x\n".repeat(100_000);
        assert_eq!(paged(&long, Some((80, 24)), "nosuchpager"), long);
        // Left early: seen enough.
        assert_eq!(paged(&long, Some((80, 24)), "exit 0"), "");
        assert_eq!(paged(&long.repeat(10), Some((80, 24)), "head -c 1 > /dev/null"), "");
    }
}
