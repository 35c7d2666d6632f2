//! The parts of a query that a node does not support: selecting members, and some orders.

use crate::client::Reply;
use crate::json::{self, Kind, Piece, Pieces, ReadError};
use crate::plan::QueryPlan;
use crate::render::{self, Sorted};

/// The reply with the members and in the order of the query.
///
/// # Errors
/// When the reply has to be sorted and cannot be read.
pub(crate) fn arranged(mut reply: Reply, query: &QueryPlan) -> Result<Reply, render::Error> {
    if let Some(order) = &query.order_here {
        let sorted = Sorted::by_member(&mut reply, &order.sort.field, order.sort.descending)?;
        reply = Reply::of_pieces(Box::new(sorted.window(order.start, order.limit)));
    }
    if let Some(names) = &query.select {
        reply = Reply::of_pieces(Box::new(Selected::new(reply, names)));
    }
    Ok(reply)
}

/// A reply whose inventories have the selected members only. Some nodes also send others, with wrong values (R4).
pub(crate) struct Selected {
    reply: Reply,
    names: Vec<String>,
    inside: bool,
    row: Vec<u8>,
}

impl Selected {
    /// Selects the first member of each path.
    fn new(reply: Reply, names: &[String]) -> Selected {
        let mut heads: Vec<String> = Vec::new();
        for name in names {
            let head = name.split('.').next().unwrap_or(name);
            if !heads.iter().any(|known| known == head) {
                heads.push(head.to_owned());
            }
        }
        Selected { reply, names: heads, inside: false, row: Vec::new() }
    }
}

impl Pieces for Selected {
    fn next_piece(&mut self) -> Result<Option<Piece<'_>>, ReadError> {
        let piece = self.reply.next_piece()?;
        match piece {
            Some(Piece::Rows { name }) => self.inside = name == "inventories",
            Some(Piece::Row(row)) if self.inside => {
                select(row, &self.names, &mut self.row);
                return Ok(Some(Piece::Row(&self.row)));
            }
            _ => {}
        }
        Ok(piece)
    }
}

/// Writes the named members of a row, in the order of the names.
pub(crate) fn select(row: &[u8], names: &[String], out: &mut Vec<u8>) {
    out.clear();
    if json::kind(row) != Kind::Map {
        return out.extend_from_slice(row);
    }
    let mut values: Vec<Option<&[u8]>> = vec![None; names.len()];
    let mut missing = names.len();
    for (name, value) in json::members(row) {
        if let Some(index) = names.iter().position(|known| known.as_bytes() == name) {
            missing -= usize::from(values[index].replace(value).is_none());
            if missing == 0 {
                break;
            }
        }
    }
    out.push(b'{');
    for (name, value) in names.iter().zip(values) {
        let Some(value) = value else { continue };
        if out.len() > 1 {
            out.push(b',');
        }
        json::write_literal(out, name);
        out.push(b':');
        out.extend_from_slice(value);
    }
    out.push(b'}');
}
