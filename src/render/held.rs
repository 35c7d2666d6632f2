//! Pieces of a reply that wait for later ones.

use crate::json::Piece;

/// Whether a reply's inventories are under this name.
pub(super) fn is_inventories(name: &str) -> bool {
    matches!(name, "inventories" | "inventory")
}

/// A piece that waits.
pub(super) enum Held {
    Member(String, Vec<u8>),
    Rows(String),
    Row(Vec<u8>),
    EndRows,
}

impl Held {
    pub(super) fn of(piece: Piece<'_>) -> Held {
        match piece {
            Piece::Member { name, text } => Held::Member(name.to_owned(), text.to_vec()),
            Piece::Rows { name } => Held::Rows(name.to_owned()),
            Piece::Row(row) => Held::Row(row.to_vec()),
            Piece::EndRows => Held::EndRows,
        }
    }

    pub(super) fn piece(&self) -> Piece<'_> {
        match self {
            Held::Member(name, text) => Piece::Member { name, text },
            Held::Rows(name) => Piece::Rows { name },
            Held::Row(row) => Piece::Row(row),
            Held::EndRows => Piece::EndRows,
        }
    }
}
