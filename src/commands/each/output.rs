//! The replies to the rows as one reply: their rows one after another, in the order of the rows.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::calls::rows::rows_of;
use crate::json::{Piece, Pieces, ReadError};

/// Passes replies on in the order of their rows.
pub(super) struct InOrder {
    to: Sender<Vec<u8>>,
    /// The rows that are not passed on yet, in order.
    expected: VecDeque<usize>,
    /// Replies that came before their turn; `None` for rows without one.
    early: BTreeMap<usize, Option<Vec<u8>>>,
}

/// A reply whose inventories are the rows of all replies.
pub(super) struct Stream {
    from: Receiver<Vec<u8>>,
    rows: VecDeque<Vec<u8>>,
    place: Place,
    row: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Before,
    Rows,
    End,
}

/// The two ends of a channel for the replies to these rows.
pub(super) fn in_order(rows: impl IntoIterator<Item = usize>) -> (InOrder, Stream) {
    let (to, from) = channel();
    let mut expected: Vec<usize> = rows.into_iter().collect();
    expected.sort_unstable();
    let stream = Stream { from, rows: VecDeque::new(), place: Place::Before, row: Vec::new() };
    (InOrder { to, expected: expected.into(), early: BTreeMap::new() }, stream)
}

impl InOrder {
    /// Adds the reply to a row, or that it has none.
    pub(super) fn put(&mut self, row: usize, reply: Option<Vec<u8>>) {
        self.early.insert(row, reply);
        while let Some(reply) = self.expected.front().and_then(|next| self.early.remove(next)) {
            self.expected.pop_front();
            self.send(reply);
        }
    }

    /// Passes on what is left, where rows before it have not run.
    pub(super) fn finish(mut self) {
        for reply in std::mem::take(&mut self.early).into_values() {
            self.send(reply);
        }
    }

    fn send(&self, reply: Option<Vec<u8>>) {
        if let Some(reply) = reply {
            // Nobody may read it any more.
            let _ = self.to.send(reply);
        }
    }
}

impl Stream {
    /// Whether no reply has rows. Waits for the first that has.
    pub(super) fn is_empty(&mut self) -> bool {
        while self.rows.is_empty() {
            match self.from.recv() {
                Ok(reply) => self.rows = rows_of(&reply).into(),
                Err(_) => return true,
            }
        }
        false
    }
}

impl Pieces for Stream {
    fn next_piece(&mut self) -> Result<Option<Piece<'_>>, ReadError> {
        loop {
            match self.place {
                Place::Before => {
                    self.place = Place::Rows;
                    return Ok(Some(Piece::Rows { name: "inventories" }));
                }
                Place::Rows => {
                    if let Some(row) = self.rows.pop_front() {
                        self.row = row;
                        return Ok(Some(Piece::Row(&self.row)));
                    }
                    match self.from.recv() {
                        Ok(reply) => self.rows = rows_of(&reply).into(),
                        Err(_) => {
                            self.place = Place::End;
                            return Ok(Some(Piece::EndRows));
                        }
                    }
                }
                Place::End => return Ok(None),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Reply;

    #[test]
    fn rows_come_in_order_whenever_their_replies_come() {
        let (mut replies, stream) = in_order([1, 2, 4, 5]);
        replies.put(4, Some(br#"{"inventory":{"d":1}}"#.to_vec()));
        replies.put(2, Some(br#"{"inventories":[{"b":1},{"c":1}],"total":2}"#.to_vec()));
        replies.put(1, Some(br#"{"total":7,"success":true}"#.to_vec()));
        replies.finish();
        let text = Reply::of_pieces(Box::new(stream)).into_text().expect("readable");
        assert_eq!(String::from_utf8_lossy(&text), r#"{"inventories":[{"total":7},{"b":1},{"c":1},{"d":1}]}"#);
    }
}
