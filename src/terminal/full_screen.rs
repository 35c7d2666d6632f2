//! The terminal's other screen, which is left as it was however the program ends or stops.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use signal_hook::consts::{SIGINT, SIGTSTP};
use signal_hook::iterator::Signals;
use signal_hook::low_level;

use crate::interrupt::{HandedOver, Interrupt};
use crate::tty;

/// Turns to the other screen and hides the cursor.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l";

/// Shows the cursor and turns back.
const LEAVE: &[u8] = b"\x1b[?25h\x1b[?1049l";

/// The screen that is shown. Signals come to the process, and so this is the process's.
static SHOWN: Mutex<Option<Shown>> = Mutex::new(None);

/// Whether somebody waits for signals already.
static ATTENDED: Mutex<bool> = Mutex::new(false);

struct Shown {
    out: Box<dyn Write + Send>,
    /// Whether what was drawn is there no more.
    is_lost: bool,
    /// Whether Ctrl-C was pressed.
    is_interrupted: bool,
}

fn held<T>(mutex: &'static Mutex<T>) -> MutexGuard<'static, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The terminal while it shows something that is drawn again and again. There is one at a time.
pub(crate) struct FullScreen {
    /// The first Ctrl-C asks for an end, and the screen is left before the second one ends the program.
    _handed_over: HandedOver,
}

impl FullScreen {
    /// Turns to the other screen.
    pub(crate) fn new(out: impl Write + Send + 'static, interrupt: &Interrupt) -> io::Result<FullScreen> {
        let handed_over = interrupt.hand_over()?;
        start_to_attend()?;
        let mut out: Box<dyn Write + Send> = Box::new(out);
        put(&mut out, ENTER)?;
        *held(&SHOWN) = Some(Shown { out, is_lost: false, is_interrupted: false });
        Ok(FullScreen { _handed_over: handed_over })
    }

    /// Draws over what is there, in one write, so that nothing flickers.
    pub(crate) fn draw(&mut self, lines: &[String]) -> io::Result<()> {
        // Between these two a terminal that knows them shows nothing half drawn.
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

    /// Whether it has to be drawn anew: the program was stopped, and goes on.
    pub(crate) fn is_lost(&self) -> bool {
        held(&SHOWN).as_ref().is_some_and(|shown| shown.is_lost)
    }
}

impl Drop for FullScreen {
    fn drop(&mut self) {
        if let Some(mut shown) = held(&SHOWN).take() {
            // A terminal that is gone needs no cleaning.
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
            // A terminal that is gone shows nothing.
            let _ = put(&mut shown.out, LEAVE);
            stop_or_end(SIGTSTP);
            // Here it goes on.
            let _ = put(&mut shown.out, ENTER);
            shown.is_lost = true;
        }
        (Some(shown), signal) => {
            let _ = put(&mut shown.out, LEAVE);
            low_level::exit(128 + signal);
        }
        // Without a screen others see to Ctrl-C.
        (None, SIGINT) => {}
        (None, signal) => stop_or_end(signal),
    }
}

/// Does what a signal does by itself.
fn stop_or_end(signal: i32) {
    // It fails for unknown signals only.
    let _ = low_level::emulate_default_handler(signal);
}

/// Whether somebody could make the program go on: a shell with job control, which gave it a group of its own. The
/// system itself stops nobody else at Ctrl-Z.
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
