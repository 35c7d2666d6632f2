//! Traces of requests and answers (`-v`).

use std::io::{Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::wire::{TransportError, WireRequest, WireResponse};
use crate::json::escape_unprintable;
use crate::secret::{KnownSecrets, MASK, Secrets, header_is_secret, mask_text};

/// The longest part of a body that is shown, in bytes.
const LONGEST_BODY: usize = 16 * 1024;

/// A trace to one writer. Clones write to the same.
#[derive(Clone)]
pub(super) struct Trace {
    out: Arc<Mutex<Box<dyn Write + Send>>>,
    secrets: Secrets,
    /// Secrets that are masked wherever they stand.
    known: KnownSecrets,
}

impl Trace {
    pub(super) fn new(out: Box<dyn Write + Send>, secrets: Secrets, known: KnownSecrets) -> Trace {
        Trace { out: Arc::new(Mutex::new(out)), secrets, known }
    }

    /// Writes lines with a prefix. Write errors are ignored: a trace must not make a call fail.
    fn write(&self, mark: char, text: &str) {
        let mut block = String::new();
        let text = match self.secrets {
            Secrets::Masked => self.known.mask(text),
            Secrets::Shown => text.into(),
        };
        for line in text.lines() {
            block.push(mark);
            block.push(' ');
            block.push_str(&escape_unprintable(line));
            block.push('\n');
        }
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = out.write_all(block.as_bytes()).and_then(|()| out.flush());
    }

    pub(super) fn request(&self, base: &str, request: &WireRequest) {
        let mut text = format!("{} {base}{}\n", request.method, request.target_text(self.secrets));
        for (name, value) in &request.headers {
            if let Some(session) = value.expose().strip_prefix("OAuth ").filter(|_| value.is_secret()) {
                self.known.learn(session);
            }
            text.push_str(&format!("{name}: {}\n", value.show(self.secrets)));
        }
        if let Some(body) = request.body_text(self.secrets) {
            text.push('\n');
            text.push_str(body);
        }
        self.write('>', &text);
    }

    /// Traces the head immediately, and the body when it was read completely or is dropped.
    pub(super) fn response(&self, response: WireResponse) -> WireResponse {
        let mut text = format!("{}\n", response.status);
        for (name, value) in &response.headers {
            let hidden = self.secrets == Secrets::Masked && header_is_secret(name);
            let value = if hidden { MASK.into() } else { mask_text(value) };
            text.push_str(&format!("{name}: {value}\n"));
        }
        self.write('<', &text);
        let body = TracedBody { body: response.body, trace: self.clone(), seen: Vec::new(), length: 0 };
        WireResponse { body: Box::new(body), ..response }
    }

    pub(super) fn failure(&self, error: &TransportError) {
        self.write('!', &error.to_string());
    }
}

/// A body that is recorded while it is read.
struct TracedBody {
    body: Box<dyn Read + Send>,
    trace: Trace,
    seen: Vec<u8>,
    length: usize,
}

impl Read for TracedBody {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.body.read(buffer)?;
        let room = LONGEST_BODY.saturating_sub(self.seen.len());
        self.seen.extend_from_slice(&buffer[..count.min(room)]);
        self.length += count;
        Ok(count)
    }
}

impl Drop for TracedBody {
    fn drop(&mut self) {
        if self.length == 0 {
            return;
        }
        let mut text = match self.trace.secrets {
            Secrets::Masked if self.length > self.seen.len() => self.trace.known.mask_cut_json(&self.seen),
            Secrets::Masked => self.trace.known.mask_json(&self.seen),
            Secrets::Shown => String::from_utf8_lossy(&self.seen).into_owned(),
        };
        if self.length > self.seen.len() {
            text.push_str(&format!("\n[{} bytes in all]", self.length));
        }
        self.trace.write('<', &text);
    }
}
