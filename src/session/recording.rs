//! Records results while they are printed, for `more` and `save`.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::client::Reply;
use crate::error::Error;
use crate::json::{Piece, Pieces, ReadError};
use crate::results::{Recording, Results, ResultsError};
use crate::secret::KnownSecrets;

/// The recorded result of a command; shared by the command and by the reply that is printed.
#[derive(Clone)]
pub(crate) struct SharedRecording {
    recording: Arc<Mutex<Recording>>,
    /// Whether a complete reply was recorded.
    whole: Arc<AtomicBool>,
}

impl SharedRecording {
    pub(super) fn new(results: &Results, command: &str) -> SharedRecording {
        SharedRecording { recording: Arc::new(Mutex::new(results.record(command))), whole: Arc::default() }
    }

    fn write(&self, bytes: &[u8]) {
        // Writing to memory does not fail.
        let _ = self.recording.lock().unwrap_or_else(PoisonError::into_inner).write_all(bytes);
    }

    fn is_whole(&self) -> bool {
        self.whole.load(Ordering::Relaxed)
    }

    /// Adds the error of a call without a reply.
    fn add_failure(&self, error: &Error) {
        if !self.recording.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
            return;
        }
        match error {
            Error::Api(failure) => self.write(failure.reply().as_bytes()),
            Error::Client(error) => match error.failure() {
                Some(failure) => self.write(failure.reply().as_bytes()),
                None => self.write(error.to_string().as_bytes()),
            },
            // Calls that were not sent have no result.
            _ => {}
        }
    }

    /// A reply that is recorded while it is read.
    pub(super) fn of(&self, reply: Reply) -> Box<dyn Pieces> {
        Box::new(RecordedReply { reply, recording: self.clone(), begun: false, in_rows: false, done: false })
    }

    /// Records a complete reply.
    pub(crate) fn whole(&self, text: &[u8]) {
        self.write(text);
        self.whole.store(true, Ordering::Relaxed);
    }

    /// Keeps what was recorded of a command that ended so, without the known secrets, unless that is nothing.
    pub(super) fn keep(self, result: Result<(), &Error>, known: &KnownSecrets) -> Result<(), ResultsError> {
        let success = match result {
            // A reply that was not read to its end is not stored; that of an action always is.
            Err(error) if error.is_closed_pipe() && !self.is_whole() => return Ok(()),
            Err(error) => {
                self.add_failure(error);
                error.is_closed_pipe() || matches!(error, Error::NotWritten { .. })
            }
            Ok(()) => true,
        };
        let Some(recording) = Arc::into_inner(self.recording) else { return Ok(()) };
        let recording = recording.into_inner().unwrap_or_else(PoisonError::into_inner);
        if recording.is_empty() { Ok(()) } else { recording.finish(success, known).map(drop) }
    }
}

/// Passes pieces on and records them as JSON text.
struct RecordedReply {
    reply: Reply,
    recording: SharedRecording,
    /// Whether a member was recorded.
    begun: bool,
    /// Whether a row of the current list was recorded.
    in_rows: bool,
    done: bool,
}

impl Pieces for RecordedReply {
    fn next_piece(&mut self) -> Result<Option<Piece<'_>>, ReadError> {
        let piece = self.reply.next_piece()?;
        let comma = |is_first: bool| if is_first { "" } else { "," };
        match &piece {
            Some(Piece::Member { name, text }) => {
                let opening = if std::mem::replace(&mut self.begun, true) { "," } else { "{" };
                self.recording.write(format!("{opening}\"{name}\":").as_bytes());
                self.recording.write(text);
            }
            Some(Piece::Rows { name }) => {
                let opening = if std::mem::replace(&mut self.begun, true) { "," } else { "{" };
                self.recording.write(format!("{opening}\"{name}\":[").as_bytes());
                self.in_rows = false;
            }
            Some(Piece::Row(text)) => {
                self.recording.write(comma(!std::mem::replace(&mut self.in_rows, true)).as_bytes());
                self.recording.write(text);
            }
            Some(Piece::EndRows) => self.recording.write(b"]"),
            None => {
                if !std::mem::replace(&mut self.done, true) {
                    self.recording.write(if self.begun { b"}" } else { b"{}" });
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

    fn kept(run: impl FnOnce(&SharedRecording)) -> Option<Kept> {
        let folder = tempfile::tempdir().expect("a folder");
        let results = Results::new(folder.path().to_owned(), Limits::default(), false);
        let recording = SharedRecording::new(&results, "QueryZone");
        run(&recording);
        let recording =
            Arc::into_inner(recording.recording).expect("nobody else has it").into_inner().expect("no panic");
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
            let reply = kept(|recording| {
                let reply = Reply::of_text(text.as_bytes().to_vec());
                let mut reply =
                    RecordedReply { reply, recording: recording.clone(), begun: false, in_rows: false, done: false };
                while reply.next_piece().expect("well formed").is_some() {}
            });
            assert_eq!(reply, Some(Kept::Whole(text.to_owned())));
        }
    }

    #[test]
    fn a_call_without_a_reply_keeps_why() {
        let error = Error::Client(client::Error::NoSession { api: "QueryZone" });
        let reply = kept(|recording| recording.add_failure(&error));
        assert_eq!(reply, Some(Kept::Text("QueryZone needs a session, and nobody is logged in".to_owned())));
        assert_eq!(kept(|recording| recording.add_failure(&Error::Empty)), None);
    }
}
