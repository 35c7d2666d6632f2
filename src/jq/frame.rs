//! The frames that a worker and the program exchange: a kind, the length of the body, and the body.

use std::io::{self, Read};

use crate::json::MEMORY_LIMIT;

/// Asked: compile this expression. Answered by [`COMPILED`] or [`WRONG`].
pub(super) const EXPRESSION: u8 = b'x';
/// Request: drop the last reply and begin another one, with this layout of its outputs.
pub(super) const BEGIN: u8 = b'b';
/// The name of the member or list that follows.
pub(super) const NAME: u8 = b'n';
/// The value of a member.
pub(super) const MEMBER: u8 = b'm';
/// The start of a list.
pub(super) const LIST: u8 = b'l';
/// A row of the list, or a row to run the expression on.
pub(super) const ROW: u8 = b'r';
/// The end of the list.
pub(super) const END: u8 = b'.';
/// Request: run the expression on the members sent so far.
pub(super) const WHOLE: u8 = b'w';
/// Request: run the expression on each of these [`ROW`]s and [`MEMBER`]s of rows; the body consists of frames.
pub(super) const BATCH: u8 = b'*';

/// Answer: the expression was compiled; the body says how it takes rows.
pub(super) const COMPILED: u8 = b'c';
/// Answer: the expression is invalid; the body has two offsets and the message.
pub(super) const WRONG: u8 = b'?';
/// Answer: an output as JSON text.
pub(super) const VALUE: u8 = b'v';
/// Answer: an output that is a string, without quotes.
pub(super) const TEXT: u8 = b't';
/// Answer: all outputs were sent.
pub(super) const DONE: u8 = b'd';
/// Answer: all outputs were sent, and the expression asked to stop.
pub(super) const HALTED: u8 = b'h';
/// Answer: the expression failed, with this message.
pub(super) const FAILED: u8 = b'!';

/// The length of a frame's header in bytes: the kind, and the length of the body.
const HEAD: usize = 9;

/// Appends a frame.
pub(super) fn put(out: &mut Vec<u8>, kind: u8, body: &[u8]) {
    put_with(out, kind, |out| out.extend_from_slice(body));
}

/// Appends a frame whose body is written in place.
pub(super) fn put_with<T>(out: &mut Vec<u8>, kind: u8, body: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    let start = out.len();
    out.push(kind);
    out.extend_from_slice(&[0; HEAD - 1]);
    let result = body(out);
    let length = (out.len() - start - HEAD) as u64;
    out[start + 1..start + HEAD].copy_from_slice(&length.to_le_bytes());
    result
}

/// Reads a frame's body into `body`, and tells its kind; `None` at the end. A body that is too long to be held is
/// [`io::ErrorKind::FileTooLarge`].
pub(super) fn read(input: &mut impl Read, body: &mut Vec<u8>) -> io::Result<Option<u8>> {
    body.clear();
    let mut kind = [0];
    if input.read(&mut kind)? == 0 {
        return Ok(None);
    }
    let mut length = [0; HEAD - 1];
    input.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    if length > MEMORY_LIMIT as u64 {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    if input.take(length).read_to_end(body)? as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(kind[0]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_as_they_were_put() {
        let mut bytes = Vec::new();
        put(&mut bytes, ROW, b"{}");
        put(&mut bytes, DONE, b"");
        put(&mut bytes, VALUE, &[7; 100_000]);
        let mut input = &bytes[..];
        let mut body = Vec::new();
        for (kind, length) in [(ROW, 2), (DONE, 0), (VALUE, 100_000)] {
            assert_eq!(read(&mut input, &mut body).expect("a frame"), Some(kind));
            assert_eq!(body.len(), length);
        }
        assert_eq!(read(&mut input, &mut body).expect("the end"), None);
        for cut in [1, 5, HEAD, HEAD + 1] {
            assert!(read(&mut &bytes[..cut], &mut body).is_err(), "{cut}");
        }
    }
}
