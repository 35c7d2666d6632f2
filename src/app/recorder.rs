//! Results kept on their way to the screen, for `more` and `save`.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::client::Reply;
use crate::error::Error;
use crate::json::{Piece, Pieces, ReadError};
use crate::results::{Recording, Results};

use super::App;

/// What a command led to so far; shared by the command and by the reply that is printed.
#[derive(Clone)]
pub(super) struct Tape {
    recording: Arc<Mutex<Recording>>,
    /// Whether a reply was written as a whole.
    whole: Arc<AtomicBool>,
}

impl Tape {
    pub(super) fn new(results: &Results, command: &str) -> Tape {
        Tape { recording: Arc::new(Mutex::new(results.record(command))), whole: Arc::default() }
    }

    fn write(&self, bytes: &[u8]) {
        // Memory takes whatever is written.
        let _ = self.recording.lock().unwrap_or_else(PoisonError::into_inner).write_all(bytes);
    }

    fn is_whole(&self) -> bool {
        self.whole.load(Ordering::Relaxed)
    }

    /// Adds why a call failed, where no reply told it.
    pub(super) fn add_failure(&self, error: &Error) {
        if !self.recording.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
            return;
        }
        match error {
            Error::Api(failure) => self.write(failure.reply().as_bytes()),
            Error::Client(error) => match error.failure() {
                Some(failure) => self.write(failure.reply().as_bytes()),
                None => self.write(error.to_string().as_bytes()),
            },
            // What was not sent leads to nothing.
            _ => {}
        }
    }
}

impl App {
    /// Runs a command, and keeps what it led to among the results. The ones that it runs itself have results of their own.
    pub(super) fn recording<T>(
        &mut self,
        command: &str,
        run: impl FnOnce(&mut App) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.known.learn_line(command);
        // Where no folder is known there is no place for results.
        let Ok(results) = self.results(&self.options) else { return run(self) };
        let tape = Tape::new(&results, command);
        let outer = self.tape.replace(tape.clone());
        let result = run(self);
        self.tape = outer;
        match &result {
            // What was not read to its end is no result; the one of an action always was.
            Err(error) if error.is_closed_pipe() && !tape.is_whole() => return result,
            Err(error) => tape.add_failure(error),
            Ok(_) => {}
        }
        let is_done = |error: &Error| error.is_closed_pipe() || matches!(error, Error::NotWritten { .. });
        self.keep_result(tape, result.as_ref().err().is_none_or(is_done));
        result
    }

    /// The reply, recorded on its way where results are kept.
    pub(super) fn recorded(&mut self, reply: Reply) -> Box<dyn Pieces> {
        match self.tape.clone() {
            Some(tape) => Box::new(Recorder { reply, tape, begun: false, in_rows: false, done: false }),
            None => Box::new(reply),
        }
    }

    /// Records a reply that is there as a whole.
    pub(super) fn record(&self, text: &[u8]) {
        if let Some(tape) = &self.tape {
            tape.write(text);
            tape.whole.store(true, Ordering::Relaxed);
        }
    }

    /// Keeps what a command led to among the results, unless that is nothing.
    fn keep_result(&mut self, tape: Tape, success: bool) {
        let Some(recording) = Arc::into_inner(tape.recording) else { return };
        let recording = recording.into_inner().unwrap_or_else(PoisonError::into_inner);
        if recording.is_empty() {
            return;
        }
        // A command of a script does its work also where nothing can be kept.
        if let Err(error) = recording.finish(success, &self.known_secrets())
            && self.shell.is_some()
        {
            self.say(&self.options, &format!("warning: the result cannot be kept: {error}"));
        }
    }
}

/// Hands pieces on and keeps them as JSON text.
struct Recorder {
    reply: Reply,
    tape: Tape,
    /// Whether a member was kept.
    begun: bool,
    /// Whether a row of the list that is being read was kept.
    in_rows: bool,
    done: bool,
}

impl Pieces for Recorder {
    fn next_piece(&mut self) -> Result<Option<Piece<'_>>, ReadError> {
        let piece = self.reply.next_piece()?;
        let comma = |is_first: bool| if is_first { "" } else { "," };
        match &piece {
            Some(Piece::Member { name, text }) => {
                let opening = if std::mem::replace(&mut self.begun, true) { "," } else { "{" };
                self.tape.write(format!("{opening}\"{name}\":").as_bytes());
                self.tape.write(text);
            }
            Some(Piece::Rows { name }) => {
                let opening = if std::mem::replace(&mut self.begun, true) { "," } else { "{" };
                self.tape.write(format!("{opening}\"{name}\":[").as_bytes());
                self.in_rows = false;
            }
            Some(Piece::Row(text)) => {
                self.tape.write(comma(!std::mem::replace(&mut self.in_rows, true)).as_bytes());
                self.tape.write(text);
            }
            Some(Piece::EndRows) => self.tape.write(b"]"),
            None => {
                if !std::mem::replace(&mut self.done, true) {
                    self.tape.write(if self.begun { b"}" } else { b"{}" });
                }
            }
        }
        Ok(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client;
    use crate::results::{Kept, Limits};
    use crate::secret::KnownSecrets;

    fn kept(run: impl FnOnce(&Tape)) -> Option<Kept> {
        let folder = tempfile::tempdir().expect("a folder");
        let results = Results::new(folder.path().to_owned(), Limits::default(), false);
        let tape = Tape::new(&results, "QueryZone");
        run(&tape);
        let recording = Arc::into_inner(tape.recording).expect("nobody else has it").into_inner().expect("no panic");
        if recording.is_empty() {
            return None;
        }
        let number = recording.finish(true, &KnownSecrets::default()).expect("the folder takes it");
        Some(results.load(number).expect("it is there").reply)
    }

    #[test]
    fn a_reply_is_kept_as_it_is_read() {
        for text in [
            r#"{"total":2,"inventories":[{"uuid":"a"},{"uuid":"b"}]}"#,
            r#"{"inventories":[],"success":true}"#,
            r#"{"inventory":{"size":1.0E3}}"#,
            "{}",
        ] {
            let reply = kept(|tape| {
                let reply = Reply::of_text(text.as_bytes().to_vec());
                let mut recorder = Recorder { reply, tape: tape.clone(), begun: false, in_rows: false, done: false };
                while recorder.next_piece().expect("well formed").is_some() {}
            });
            assert_eq!(reply, Some(Kept::Whole(text.to_owned())));
        }
    }

    #[test]
    fn a_call_without_a_reply_keeps_why() {
        let error = Error::Client(client::Error::NoSession { api: "QueryZone" });
        let reply = kept(|tape| tape.add_failure(&error));
        assert_eq!(reply, Some(Kept::Text("QueryZone needs a session, and nobody is logged in".to_owned())));
        assert_eq!(kept(|tape| tape.add_failure(&Error::Empty)), None);
    }
}
