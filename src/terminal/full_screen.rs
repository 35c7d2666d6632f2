//! The terminal's alternate screen, which is left however the program ends or stops.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use signal_hook::consts::{SIGINT, SIGTSTP};
use signal_hook::iterator::Signals;
use signal_hook::low_level;

use crate::interrupt::{HandedOver, Interrupt};
use crate::tty;

/// Enters the alternate screen and hides the cursor.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l";

/// Shows the cursor and leaves the alternate screen.
const LEAVE: &[u8] = b"\x1b[?25h\x1b[?1049l";

/// The current screen. It is global, since signals are sent to the process.
static SHOWN: Mutex<Option<Shown>> = Mutex::new(None);

/// Whether the signal thread was started.
static ATTENDED: Mutex<bool> = Mutex::new(false);

struct Shown {
    out: Box<dyn Write + Send>,
    /// Whether the screen must be redrawn.
    is_lost: bool,
    /// Whether Ctrl-C was pressed.
    is_interrupted: bool,
}

fn held<T>(mutex: &'static Mutex<T>) -> MutexGuard<'static, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The terminal while its content is redrawn repeatedly. There is only one at a time.
pub(crate) struct FullScreen {
    /// The first Ctrl-C interrupts the command; the second one leaves the screen and ends the program.
    _handed_over: HandedOver,
}

impl FullScreen {
    /// Enters the alternate screen.
    pub(crate) fn new(out: impl Write + Send + 'static, interrupt: &Interrupt) -> io::Result<FullScreen> {
        let handed_over = interrupt.hand_over()?;
        start_to_attend()?;
        let mut out: Box<dyn Write + Send> = Box::new(out);
        put(&mut out, ENTER)?;
        *held(&SHOWN) = Some(Shown { out, is_lost: false, is_interrupted: false });
        Ok(FullScreen { _handed_over: handed_over })
    }

    /// Redraws the screen in one write, so that it does not flicker.
    pub(crate) fn draw(&mut self, lines: &[String]) -> io::Result<()> {
        // With these sequences, terminals that support them update the screen at once.
        let mut text = String::from("\x1b[?2026h\x1b[H");
        for (index, line) in lines.iter().enumerate() {
            if index > 0 {
                text.push_str("\r\n");
            }
            text.push_str(line);
            text.push_str("\x1b[K");
        }
        text.push_str("\x1b[J\x1b[?2026l");
        match &mut *held(&SHOWN) {
            Some(shown) => {
                shown.is_lost = false;
                put(&mut shown.out, text.as_bytes())
            }
            None => Ok(()),
        }
    }

    /// Whether the screen must be redrawn, since the program was stopped and continued.
    pub(crate) fn is_lost(&self) -> bool {
        held(&SHOWN).as_ref().is_some_and(|shown| shown.is_lost)
    }
}

impl Drop for FullScreen {
    fn drop(&mut self) {
        if let Some(mut shown) = held(&SHOWN).take() {
            // Errors are ignored: the terminal may be closed.
            let _ = put(&mut shown.out, LEAVE);
        }
    }
}

fn put(out: &mut impl Write, text: &[u8]) -> io::Result<()> {
    out.write_all(text)?;
    out.flush()
}

/// Has signals attended to, from the first screen on for as long as the program runs: a signal that had a handler once
/// is lost where nobody attends to it.
fn start_to_attend() -> io::Result<()> {
    let mut attended = held(&ATTENDED);
    if !*attended {
        let mut signals = Signals::new([SIGINT, SIGTSTP])?;
        thread::Builder::new().spawn(move || signals.forever().for_each(attend))?;
        tty::leave_first(leave)?;
        *attended = true;
    }
    Ok(())
}

/// Leaves the screen for good, where there is one: the program is about to end.
fn leave() -> bool {
    let shown = held(&SHOWN).take();
    // A terminal that is gone needs no cleaning.
    shown.map(|mut shown| put(&mut shown.out, LEAVE)).is_some()
}

/// Does what a signal asks for, with the screen left before.
fn attend(signal: i32) {
    // Nothing is drawn while this is held.
    let mut shown = held(&SHOWN);
    match (&mut *shown, signal) {
        (Some(Shown { is_interrupted, .. }), SIGINT) if !*is_interrupted => *is_interrupted = true,
        (_, SIGTSTP) if !may_stop() => {}
        (Some(shown), SIGTSTP) => {
            // Errors are ignored: the terminal may be closed.
            let _ = put(&mut shown.out, LEAVE);
            stop_or_end(SIGTSTP);
            // The program was continued.
            let _ = put(&mut shown.out, ENTER);
            shown.is_lost = true;
        }
        (Some(shown), signal) => {
            let _ = put(&mut shown.out, LEAVE);
            low_level::exit(128 + signal);
        }
        // Without a screen Ctrl-C is handled elsewhere.
        (None, SIGINT) => {}
        (None, signal) => stop_or_end(signal),
    }
}

/// Performs the default action of a signal.
fn stop_or_end(signal: i32) {
    // This fails for unknown signals only.
    let _ = low_level::emulate_default_handler(signal);
}

/// Whether the program can be continued by a shell with job control, which started it in its own process group.
/// Otherwise the system does not stop it at Ctrl-Z either.
fn may_stop() -> bool {
    rustix::process::getsid(None).is_ok_and(|session| session != rustix::process::getpgrp())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// What was written, for a writer that is given away.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_screen_is_left_as_it_was() {
        let written = Written::default();
        let mut screen = FullScreen::new(written.clone(), &Interrupt::new()).expect("a screen");
        screen.draw(&["a".to_owned(), "b".to_owned()]).expect("drawn");
        drop(screen);
        let text = String::from_utf8(written.0.lock().expect("no panic").clone()).expect("text");
        assert!(text.contains("\u{1b}[Ha\u{1b}[K\r\nb\u{1b}[K\u{1b}[J"), "{text:?}");
        assert!(text.starts_with("\u{1b}[?1049h") && text.ends_with("\u{1b}[?1049l"), "{text:?}");
    }
}
