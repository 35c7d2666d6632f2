//! A terminal at which a test types and whose screen it reads.

use std::io::{Read, Write};
use std::ops::RangeBounds;
use std::process::Child;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::{Command, Pty, open};

use crate::harness::Home;

pub(crate) const TAB: &str = "\t";
pub(crate) const ENTER: &str = "\r";
pub(crate) const CTRL_C: &str = "\u{3}";
pub(crate) const CTRL_D: &str = "\u{4}";
pub(crate) const CTRL_E: &str = "\u{5}";
pub(crate) const CTRL_G: &str = "\u{7}";
pub(crate) const CTRL_L: &str = "\u{c}";
pub(crate) const CTRL_R: &str = "\u{12}";
pub(crate) const CTRL_U: &str = "\u{15}";
pub(crate) const CTRL_X: &str = "\u{18}";
pub(crate) const CTRL_Z: &str = "\u{1a}";
pub(crate) const ESCAPE: &str = "\u{1b}";
pub(crate) const UP: &str = "\u{1b}[A";
pub(crate) const DOWN: &str = "\u{1b}[B";
pub(crate) const END: &str = "\u{1b}[F";
pub(crate) const SHIFT_TAB: &str = "\u{1b}[Z";
pub(crate) const ALT_F: &str = "\u{1b}f";
pub(crate) const ALT_DOT: &str = "\u{1b}.";

/// The last line of a script.
const TOLD: &str = "that was all";

/// A test waits for what it wants to see, and gives up only when something hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the reading thread tells.
struct Shown {
    parser: Mutex<(vt100::Parser, bool)>,
    changed: Condvar,
    written: Mutex<Vec<u8>>,
}

pub(crate) struct Terminal {
    pty: Arc<Pty>,
    child: Child,
    shown: Arc<Shown>,
}

impl Terminal {
    /// Runs a program at a terminal of so many columns and rows, in the home's folder and a clean environment.
    pub(crate) fn run(home: &Home, columns: u16, rows: u16, program: &str, words: &[&str]) -> Terminal {
        Terminal::run_with(home, (columns, rows), program, words, &[])
    }

    pub(crate) fn run_with(
        home: &Home,
        (columns, rows): (u16, u16),
        program: &str,
        words: &[&str],
        variables: &[(&str, &str)],
    ) -> Terminal {
        let (pty, pts) = open().expect("a pseudo terminal");
        pty.resize(Size::new(rows, columns)).expect("its size");
        let command = Command::new(program)
            .args(words)
            .env_clear()
            .env("ZSTACK_CLI_HOME", home.path())
            .env("HOME", home.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("LANG", "C.UTF-8")
            .env("TERM", "xterm")
            .envs(variables.iter().copied())
            .current_dir(home.path());
        let child = command.spawn(pts).expect("the program starts");
        let pty = Arc::new(pty);
        let parser = vt100::Parser::new(rows, columns, 0);
        let shown =
            Arc::new(Shown { parser: Mutex::new((parser, false)), changed: Condvar::new(), written: Mutex::default() });
        let (reader, seen) = (Arc::clone(&pty), Arc::clone(&shown));
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            loop {
                // The end of the program reads as an error.
                let count = (&*reader).read(&mut bytes).unwrap_or(0);
                seen.written.lock().expect("no panic").extend_from_slice(&bytes[..count]);
                let mut state = seen.parser.lock().expect("no panic");
                state.0.process(&bytes[..count]);
                state.1 |= count == 0;
                seen.changed.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        Terminal { pty, child, shown }
    }

    /// Runs a script of `sh`, which stays behind its end: a terminal may lose what is written just before its session
    /// ends.
    pub(crate) fn script(home: &Home, size: (u16, u16), script: &str, variables: &[(&str, &str)]) -> Terminal {
        let script = format!("{script}\necho {TOLD}; read line");
        Terminal::run_with(home, size, "sh", &["-c", &script], variables)
    }

    /// Waits for the end of the script, and gives what the screen shows.
    pub(crate) fn told(&self) -> String {
        self.sees(TOLD).replace(TOLD, "")
    }

    /// The interactive shell with these options.
    pub(crate) fn shell(home: &Home, options: &[&str]) -> Terminal {
        Terminal::shell_with(home, options, &[])
    }

    pub(crate) fn shell_with(home: &Home, options: &[&str], variables: &[(&str, &str)]) -> Terminal {
        Terminal::run_with(home, (80, 24), env!("CARGO_BIN_EXE_zstack-cli"), options, variables)
    }

    /// Gives the terminal another size.
    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        self.shown.parser.lock().expect("no panic").0.screen_mut().set_size(rows, columns);
        self.pty.resize(Size::new(rows, columns)).expect("its size");
    }

    /// Presses keys.
    pub(crate) fn keys(&self, keys: &str) {
        (&*self.pty).write_all(keys.as_bytes()).expect("the program reads");
    }

    /// Types a line at the prompt and presses Enter once all of it is there.
    pub(crate) fn line(&self, text: &str) {
        self.keys(text);
        self.ends_line(text);
        self.keys(ENTER);
    }

    /// Waits until the screen holds a text, and gives the screen.
    pub(crate) fn sees(&self, text: &str) -> String {
        self.until(text, |screen, _, _| screen.contains(text))
    }

    /// Waits until the screen no longer holds a text.
    pub(crate) fn until_gone(&self, text: &str) {
        self.until(text, |screen, _, _| !screen.contains(text));
    }

    /// Whether the screen holds a text in that time.
    pub(crate) fn shows_within(&self, text: &str, time: Duration) -> bool {
        let state = self.shown.parser.lock().expect("no panic");
        let hidden = |(parser, _): &mut (vt100::Parser, bool)| !parser.screen().contents().contains(text);
        !self.shown.changed.wait_timeout_while(state, time, hidden).expect("no panic").1.timed_out()
    }

    /// Waits for an empty prompt: this text alone in the row of the cursor.
    pub(crate) fn prompt(&self, text: &str) -> String {
        self.until(text, |_, row, _| row == text)
    }

    /// As `prompt`, in one of these rows of the screen.
    pub(crate) fn prompt_in(&self, text: &str, rows: impl RangeBounds<u16>) {
        self.until(text, |_, row, line| row == text && rows.contains(&line));
    }

    /// Waits until the row of the cursor reads so, as far as the cursor.
    pub(crate) fn row(&self, text: &str) -> String {
        self.prompt(text)
    }

    /// Waits until the row of the cursor ends so, as far as the cursor.
    pub(crate) fn ends_line(&self, text: &str) {
        self.until(text, |_, row, _| row.ends_with(text));
    }

    /// Waits until keys are read one by one: a question that shows nothing of its answer has begun.
    pub(crate) fn reads_keys(&self) {
        use rustix::termios::{LocalModes, tcgetattr};
        let end = Instant::now() + PATIENCE;
        while tcgetattr(&*self.pty).expect("a terminal").local_modes.contains(LocalModes::ICANON) {
            assert!(Instant::now() < end, "it reads lines");
            thread::yield_now();
        }
    }

    /// Waits until the screen is the usual one, with a cursor, or the other one, without.
    pub(crate) fn shows_other_screen(&self, other: bool) {
        let end = Instant::now() + PATIENCE;
        let mut state = self.shown.parser.lock().expect("no panic");
        while state.0.screen().alternate_screen() != other || state.0.screen().hide_cursor() != other {
            let left = end.saturating_duration_since(Instant::now());
            let contents = state.0.screen().contents();
            assert!(!left.is_zero(), "the wrong screen:\n{contents}");
            state = self.shown.changed.wait_timeout(state, left).expect("no panic").0;
        }
    }

    /// All that the program wrote to the terminal so far.
    pub(crate) fn written(&self) -> String {
        String::from_utf8_lossy(&self.shown.written.lock().expect("no panic")).into_owned()
    }

    /// The process of the program.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the end of the program, and gives the screen and the exit code.
    pub(crate) fn ends(mut self) -> (String, Option<i32>) {
        let mut state = self.shown.parser.lock().expect("no panic");
        let end = Instant::now() + PATIENCE;
        while !state.1 {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "it does not end:\n{}", state.0.screen().contents());
            state = self.shown.changed.wait_timeout(state, left).expect("no panic").0;
        }
        let screen = state.0.screen().contents();
        drop(state);
        (screen, self.child.wait().expect("it ends").code())
    }

    /// What the screen shows now, with its colours.
    pub(crate) fn screen(&self) -> vt100::Screen {
        self.shown.parser.lock().expect("no panic").0.screen().clone()
    }

    /// Waits for a screen: its text, the row of the cursor as far as the cursor, and where that row is.
    fn until(&self, wanted: &str, seen: impl Fn(&str, &str, u16) -> bool) -> String {
        let end = Instant::now() + PATIENCE;
        let mut state = self.shown.parser.lock().expect("no panic");
        loop {
            let screen = state.0.screen();
            let contents = screen.contents();
            // What stands behind the cursor is a hint.
            let (line, column) = screen.cursor_position();
            let row = screen.contents_between(line, 0, line, column);
            if seen(&contents, row.trim_end(), line) {
                return contents;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!(left.is_zero() || state.1), "no {wanted:?} on the screen:\n{contents}");
            state = self.shown.changed.wait_timeout(state, left).expect("no panic").0;
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A test that failed leaves nothing running.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
