//! What a query asks of its rows and a node does not do: selecting members, and orders that it cannot give.

use crate::client::Reply;
use crate::json::{self, Kind, Piece, Pieces, ReadError};
use crate::plan::QueryPlan;
use crate::render::{self, Sorted};

/// The reply as the query asked for it.
///
/// # Errors
/// When it has to be sorted and cannot be read.
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

/// A reply whose inventories have the members asked for and no others. With some of them a node also sends members
/// that nobody asked for, with values that are false (R4).
pub(crate) struct Selected {
    reply: Reply,
    names: Vec<String>,
    inside: bool,
    row: Vec<u8>,
}

impl Selected {
    /// Of a path the whole member that it begins with stays.
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

/// Writes the members of a row that are called so, in the order of the names.
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
