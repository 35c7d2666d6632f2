//! Reading a reply piece by piece while its bytes arrive.

use std::io::Read;

use super::check::{Checker, ParseError, Progress};
use super::lexis::skip_blanks;
use super::memory::MEMORY_LIMIT;

/// How many bytes are read at a time. Chunk and output fit the second-level cache of common processors.
const CHUNK: usize = 128 * 1024;

/// The size of the first read, in bytes.
const FIRST: usize = 8 * 1024;

/// Up to this length, in bytes, the buffer doubles when it is full; a longer one grows by a quarter.
const DOUBLES: usize = 8 << 20;

/// The maximum size of a single row or member, in bytes. Results of jobs and of ZQL arrive as one member and reach
/// about a hundred million bytes.
const PIECE_LIMIT: usize = 128 << 20;

/// The overhead counted for each member in addition to its name and text, for callers that keep it in memory.
const MEMBER_COST: usize = 256;

/// A piece of a reply object. Members come in the order of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A member of the reply that is not a list.
    Member {
        /// Its name as written between the quotes, escapes kept.
        name: &'a str,
        /// The text of its value, without surrounding spaces.
        text: &'a [u8],
    },
    /// A member that is a list begins; its rows follow.
    Rows {
        /// Its name as written between the quotes, escapes kept.
        name: &'a str,
    },
    /// The text of one row, without surrounding spaces.
    Row(&'a [u8]),
    /// The list ends.
    EndRows,
}

/// Something that yields a reply in pieces: a [`Scanner`], or several replies merged into one.
///
/// Rows lie between a `Rows` and an `EndRows`, members outside. Every text is valid JSON.
pub trait Pieces {
    /// The next piece; `None` after the last.
    ///
    /// # Errors
    /// When reading fails or the text is not a JSON object. Reading cannot continue after that.
    fn next_piece(&mut self) -> Result<Option<Piece<'_>>, ReadError>;
}

impl<P: Pieces + ?Sized> Pieces for &mut P {
    fn next_piece(&mut self) -> Result<Option<Piece<'_>>, ReadError> {
        (**self).next_piece()
    }
}

impl<P: Pieces + ?Sized> Pieces for Box<P> {
    fn next_piece(&mut self) -> Result<Option<Piece<'_>>, ReadError> {
        (**self).next_piece()
    }
}

/// Why a reply could not be read. Offsets count bytes from the start of the reply.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Reading its bytes failed, with the reader's error.
    #[error("the reply could not be read")]
    Read(#[source] std::io::Error),
    /// It ends before the object does.
    #[error("the reply is cut off after {offset} bytes")]
    Truncated {
        /// The number of bytes received.
        offset: u64,
    },
    /// It is not JSON.
    #[error("the reply is not JSON: {expected} expected at byte {offset}")]
    Syntax {
        /// The byte offset.
        offset: u64,
        /// What was expected.
        expected: &'static str,
    },
    /// It is nested too deeply.
    #[error("the reply is nested too deeply at byte {offset}")]
    TooDeep {
        /// The byte offset.
        offset: u64,
    },
    /// A single row or member is too long.
    #[error("the reply holds a value of over {} MiB at byte {offset}", limit >> 20)]
    TooLong {
        /// The byte offset of its start.
        offset: u64,
        /// The maximum, in bytes.
        limit: usize,
    },
    /// More of it would have to be held in memory than is allowed.
    #[error("over {} MiB of the reply would have to be held in memory", limit >> 20)]
    TooMuch {
        /// The maximum, in bytes.
        limit: usize,
    },
}

/// The state of the scanner between pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    Start,
    FirstMember,
    BehindMember,
    FirstRow,
    BehindRow,
    End,
}

/// Splits the reply that `reader` supplies into pieces, checking that it is one JSON object.
///
/// Top-level lists are returned row by row, other members as a whole. At most one row or member and one chunk are in
/// memory.
pub struct Scanner<R> {
    reader: R,
    buffer: Vec<u8>,
    /// The start and end of the unread part of the buffer.
    start: usize,
    end: usize,
    /// The offset of the buffer's first byte in the reply.
    offset: u64,
    place: Position,
    /// The counted size of the members so far, in bytes.
    members: usize,
    piece_limit: usize,
    members_limit: usize,
}

impl<R: Read> Scanner<R> {
    /// A scanner at the start of a reply.
    pub fn new(reader: R) -> Scanner<R> {
        Scanner {
            reader,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            offset: 0,
            place: Position::Start,
            members: 0,
            piece_limit: PIECE_LIMIT,
            members_limit: MEMORY_LIMIT,
        }
    }

    /// Moves the unread part to the front of the buffer and reads more after it; `false` at the end.
    fn fill(&mut self) -> Result<bool, ReadError> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.offset += self.start as u64;
            self.end -= self.start;
            self.start = 0;
        }
        if self.end > self.piece_limit {
            return Err(ReadError::TooLong { offset: self.offset, limit: self.piece_limit });
        }
        if self.buffer.is_empty() {
            // Most replies are short, and clearing a large buffer would take a noticeable part of a run of one
            // millisecond.
            self.buffer = vec![0; FIRST];
        } else if self.buffer.len() - self.end < self.buffer.len().min(CHUNK) / 2 {
            let more = if self.buffer.len() < DOUBLES { self.buffer.len() } else { self.buffer.len() / 4 };
            let length = (self.buffer.len() + more).max(CHUNK);
            self.buffer.reserve_exact(length - self.buffer.len());
            self.buffer.resize(length, 0);
        }
        loop {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(0) => return Ok(false),
                Ok(count) => {
                    self.end += count.min(self.buffer.len() - self.end);
                    return Ok(true);
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ReadError::Read(error)),
            }
        }
    }

    fn offset_of(&self, at: usize) -> u64 {
        self.offset + at as u64
    }

    fn truncated(&self) -> ReadError {
        ReadError::Truncated { offset: self.offset_of(self.end) }
    }

    fn syntax(&self, expected: &'static str) -> ReadError {
        ReadError::Syntax { offset: self.offset_of(self.start), expected }
    }

    fn flaw(&self, flaw: ParseError) -> ReadError {
        match flaw {
            ParseError::Syntax { at, expected } => ReadError::Syntax { offset: self.offset_of(at), expected },
            ParseError::TooDeep { at } => ReadError::TooDeep { offset: self.offset_of(at) },
            ParseError::Unfinished => self.truncated(),
        }
    }

    /// Peeks at the next byte that is not whitespace; `None` at the end.
    fn peek(&mut self) -> Result<Option<u8>, ReadError> {
        loop {
            self.start = skip_blanks(&self.buffer[..self.end], self.start);
            if self.start < self.end {
                return Ok(self.buffer.get(self.start).copied());
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// As `peek`, but the end is an error.
    fn peek_more(&mut self) -> Result<u8, ReadError> {
        self.peek()?.ok_or_else(|| self.truncated())
    }

    /// Reads until the value at `start` is complete in the buffer and returns its length. `lead` bytes before it are
    /// kept.
    fn value(&mut self, lead: usize, depth: usize) -> Result<usize, ReadError> {
        let mut checker = Checker::new(depth);
        // Positions are kept relative to the start, which `fill` moves.
        let mut from = lead;
        loop {
            let at = self.start + from;
            match checker.check(&self.buffer[..self.end], at, depth).map_err(|flaw| self.flaw(flaw))? {
                Progress::Done(end) => return Ok(end - self.start - lead),
                Progress::More(at) => {
                    from = at - self.start;
                    if !self.fill()? {
                        return Err(self.truncated());
                    }
                }
            }
        }
    }

    /// Reads a member's name, its colon and the first byte of its value into the buffer. Returns the length of the name
    /// with quotes and the offset of the value from the start.
    fn name(&mut self) -> Result<(usize, usize), ReadError> {
        let length = self.value(0, 1)?;
        let mut colon = false;
        let mut ahead = length;
        loop {
            ahead = skip_blanks(&self.buffer[..self.end], self.start + ahead) - self.start;
            match self.buffer[..self.end].get(self.start + ahead) {
                Some(b':') if !colon => {
                    colon = true;
                    ahead += 1;
                }
                Some(_) if colon => return Ok((length, ahead)),
                Some(_) => {
                    self.start += ahead;
                    return Err(self.syntax("`:`"));
                }
                None => {
                    if !self.fill()? {
                        return Err(self.truncated());
                    }
                }
            }
        }
    }

    fn name_text(&self, from: usize, length: usize) -> Result<&str, ReadError> {
        std::str::from_utf8(&self.buffer[from + 1..from + length - 1])
            .map_err(|_| ReadError::Syntax { offset: self.offset_of(from), expected: "a member name in UTF-8" })
    }

    /// Reads the row at the start of the unread part.
    fn row(&mut self) -> Result<Option<Piece<'_>>, ReadError> {
        let length = self.value(0, 2)?;
        let from = self.start;
        self.start += length;
        self.place = Position::BehindRow;
        Ok(Some(Piece::Row(&self.buffer[from..from + length])))
    }

    /// Counts a member of that length, name included.
    fn count_member(&mut self, length: usize) -> Result<(), ReadError> {
        self.members = self.members.saturating_add(length + MEMBER_COST);
        if self.members > self.members_limit {
            return Err(ReadError::TooMuch { limit: self.members_limit });
        }
        Ok(())
    }

    /// Reads the member at the start of the unread part.
    fn member(&mut self) -> Result<Option<Piece<'_>>, ReadError> {
        if self.peek_more()? != b'"' {
            return Err(self.syntax("a member"));
        }
        let (name, ahead) = self.name()?;
        if self.buffer.get(self.start + ahead) == Some(&b'[') {
            self.count_member(name)?;
            let from = self.start;
            self.start += ahead + 1;
            self.place = Position::FirstRow;
            return Ok(Some(Piece::Rows { name: self.name_text(from, name)? }));
        }
        let length = self.value(ahead, 1)?;
        self.count_member(name + length)?;
        let from = self.start;
        self.start += ahead + length;
        self.place = Position::BehindMember;
        let text = &self.buffer[from + ahead..from + ahead + length];
        Ok(Some(Piece::Member { name: self.name_text(from, name)?, text }))
    }
}

impl<R: Read> Pieces for Scanner<R> {
    fn next_piece(&mut self) -> Result<Option<Piece<'_>>, ReadError> {
        loop {
            match self.place {
                Position::Start => {
                    if self.peek_more()? != b'{' {
                        return Err(self.syntax("an object"));
                    }
                    self.start += 1;
                    self.place = Position::FirstMember;
                }
                Position::FirstMember => {
                    if self.peek_more()? != b'}' {
                        return self.member();
                    }
                    self.start += 1;
                    self.place = Position::End;
                }
                Position::BehindMember => match self.peek_more()? {
                    b',' => {
                        self.start += 1;
                        return self.member();
                    }
                    b'}' => {
                        self.start += 1;
                        self.place = Position::End;
                    }
                    _ => return Err(self.syntax("`,` or `}`")),
                },
                Position::FirstRow => {
                    if self.peek_more()? != b']' {
                        return self.row();
                    }
                    self.start += 1;
                    self.place = Position::BehindMember;
                    return Ok(Some(Piece::EndRows));
                }
                Position::BehindRow => match self.peek_more()? {
                    b',' => {
                        self.start += 1;
                        self.peek_more()?;
                        return self.row();
                    }
                    b']' => {
                        self.start += 1;
                        self.place = Position::BehindMember;
                        return Ok(Some(Piece::EndRows));
                    }
                    _ => return Err(self.syntax("`,` or `]`")),
                },
                Position::End => {
                    return match self.peek()? {
                        None => Ok(None),
                        Some(_) => Err(self.syntax("nothing behind the object")),
                    };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out its text in chunks of one size.
    struct Chunks<'a>(&'a [u8], usize);

    impl Read for Chunks<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            let (now, later) = self.0.split_at(count);
            buffer[..count].copy_from_slice(now);
            self.0 = later;
            Ok(count)
        }
    }

    fn scan(text: &[u8], chunk: usize) -> Result<Vec<String>, ReadError> {
        let mut scanner = Scanner::new(Chunks(text, chunk));
        let mut seen = Vec::new();
        while let Some(piece) = scanner.next_piece()? {
            seen.push(match piece {
                Piece::Member { name, text } => format!("{name}={}", String::from_utf8_lossy(text)),
                Piece::Rows { name } => format!("{name}["),
                Piece::Row(text) => String::from_utf8_lossy(text).into_owned(),
                Piece::EndRows => "]".to_owned(),
            });
        }
        // The end stays the end.
        assert!(scanner.next_piece()?.is_none());
        Ok(seen)
    }

    const REPLY: &str = concat!(
        r#" { "total" : 17 , "inventories" : [ {"uuid":"a","name":"]}\"","nics":[{"ip":"1"}]} , "#,
        "\r\n\t",
        r#"{"size":1.073741824E9} , [1,[2]], 3, "x", null ] , "#,
        r#""empty":[],"\u0061":{},"schema":{"inventories[0]":"C"},"success":true } "#,
        "\n"
    );

    #[test]
    fn replies_come_in_pieces_whatever_the_chunks() {
        let expected = [
            "total=17",
            "inventories[",
            r#"{"uuid":"a","name":"]}\"","nics":[{"ip":"1"}]}"#,
            r#"{"size":1.073741824E9}"#,
            "[1,[2]]",
            "3",
            r#""x""#,
            "null",
            "]",
            "empty[",
            "]",
            r"\u0061={}",
            r#"schema={"inventories[0]":"C"}"#,
            "success=true",
        ];
        for chunk in 1..=REPLY.len() {
            assert_eq!(scan(REPLY.as_bytes(), chunk).expect("is JSON"), expected, "in chunks of {chunk}");
        }
        assert_eq!(scan(b"{}", 1).expect("is JSON"), Vec::<String>::new());
    }

    #[test]
    fn a_reply_cut_anywhere_is_an_error() {
        let text = REPLY.trim_end().as_bytes();
        for length in 0..text.len() {
            for chunk in [1, 7, text.len()] {
                match scan(&text[..length], chunk) {
                    Err(ReadError::Truncated { offset }) => assert_eq!(offset, length as u64),
                    other => panic!("cut after {length}: {other:?}"),
                }
            }
        }
    }

    #[test]
    fn what_is_not_json_says_where() {
        let cases: &[(&str, u64)] = &[
            ("<!DOCTYPE html>", 0),
            ("  [1]", 2),
            ("null", 0),
            (r#"{"a":1} x"#, 8),
            (r#"{"a":1}{}"#, 7),
            (r#"{"a":1,}"#, 7),
            (r#"{,}"#, 1),
            (r#"{"a" 1}"#, 5),
            (r#"{"a":1 "b":2}"#, 7),
            (r#"{"a":[1 2]}"#, 8),
            (r#"{"a":[1,]}"#, 8),
            (r#"{"a":[{"b":tru}]}"#, 11),
            (r#"{"a":["\q"]}"#, 8),
            (r#"{"a":[1}"#, 7),
        ];
        for (text, place) in cases {
            for chunk in [1, 3, 100] {
                match scan(text.as_bytes(), chunk) {
                    Err(ReadError::Syntax { offset, .. }) => assert_eq!(offset, *place, "{text} in {chunk}"),
                    other => panic!("{text}: {other:?}"),
                }
            }
        }
    }

    #[test]
    fn depth_counts_the_levels_around_a_row() {
        let nested = |levels: usize| format!(r#"{{"a":[{}{}]}}"#, "[".repeat(levels), "]".repeat(levels));
        assert!(scan(nested(510).as_bytes(), 64).is_ok());
        assert!(matches!(scan(nested(511).as_bytes(), 64), Err(ReadError::TooDeep { offset: 516 })));
    }

    #[test]
    fn rows_longer_than_the_buffer_come_whole() {
        let long = "x".repeat(3 * CHUNK);
        let text = format!(r#"{{"a":["{long}",1,"{long}"],"b":"{long}"}}"#);
        for chunk in [1000, CHUNK, usize::MAX] {
            let seen = scan(text.as_bytes(), chunk).expect("is JSON");
            assert_eq!(
                seen.iter().map(String::len).collect::<Vec<_>>(),
                [2, long.len() + 2, 1, long.len() + 2, 1, long.len() + 4]
            );
        }
    }

    /// Hands out a text, then another again and again.
    struct Endless(&'static [u8], &'static [u8]);

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if self.0.is_empty() {
                self.0 = self.1;
            }
            let count = self.0.len().min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    const BLANKS: [u8; 4096] = [b' '; 4096];
    const LETTERS: [u8; 4096] = [b'x'; 4096];

    #[test]
    fn memory_is_bounded_whatever_never_ends() {
        const LIMIT: usize = 12 << 20;
        let cases: [(&[u8], &'static [u8]); 6] = [
            (b"{\"a\":\"", &LETTERS),
            (b"{\"", &LETTERS),
            (b"{\"a\"", &BLANKS),
            (b"{\"a\":[{\"b\":[", b"[1,2],[\"three\"],{\"four\":5},"),
            (b"{\"a\":1", b",\"b\":2,\"c\":null"),
            (b"{\"a\":[]", b",\"b\":[],\"c\":[1]"),
        ];
        for (first, again) in cases {
            let limits = (LIMIT, 1 << 20);
            let mut scanner = Scanner::new(Endless(first, again));
            (scanner.piece_limit, scanner.members_limit) = limits;
            let error = loop {
                match scanner.next_piece() {
                    Ok(piece) => assert!(piece.is_some()),
                    Err(error) => break error,
                }
            };
            let what = String::from_utf8_lossy(first);
            assert!(matches!(error, ReadError::TooLong { .. } | ReadError::TooMuch { .. }), "{what}: {error}");
            assert!(scanner.buffer.capacity() < LIMIT * 3 / 2, "{what}: {}", scanner.buffer.capacity());
        }
    }

    #[test]
    fn rows_that_never_end_are_not_held() {
        let mut scanner = Scanner::new(Endless(b"{\"a\":[1", b",{\"uuid\":\"x\"}"));
        (scanner.piece_limit, scanner.members_limit) = (1 << 20, 1 << 20);
        for _ in 0..200_000 {
            assert!(scanner.next_piece().expect("a row").is_some());
        }
        assert!(scanner.buffer.capacity() <= 2 * CHUNK);
    }

    #[test]
    fn the_error_of_the_reader_is_kept() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::Error::other("cable"))
            }
        }
        let text: &[u8] = br#"{"a":[1,"#;
        match Scanner::new(text.chain(Broken)).next_piece() {
            Ok(Some(Piece::Rows { name: "a" })) => {}
            other => panic!("{other:?}"),
        }
        let mut scanner = Scanner::new(text.chain(Broken));
        let error = loop {
            match scanner.next_piece() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("accepted"),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, ReadError::Read(inner) if inner.to_string() == "cable"));
    }
}
