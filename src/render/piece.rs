//! Pieces of a reply that are held in memory.

use crate::json::Piece;

/// Whether this member of a reply contains its inventories.
pub(super) fn is_inventories(name: &str) -> bool {
    matches!(name, "inventories" | "inventory")
}

/// A piece that owns its text.
pub(super) enum OwnedPiece {
    Member(String, Vec<u8>),
    Rows(String),
    Row(Vec<u8>),
    EndRows,
}

impl OwnedPiece {
    pub(super) fn of(piece: Piece<'_>) -> OwnedPiece {
        match piece {
            Piece::Member { name, text } => OwnedPiece::Member(name.to_owned(), text.to_vec()),
            Piece::Rows { name } => OwnedPiece::Rows(name.to_owned()),
            Piece::Row(row) => OwnedPiece::Row(row.to_vec()),
            Piece::EndRows => OwnedPiece::EndRows,
        }
    }

    pub(super) fn piece(&self) -> Piece<'_> {
        match self {
            OwnedPiece::Member(name, text) => Piece::Member { name, text },
            OwnedPiece::Rows(name) => Piece::Rows { name },
            OwnedPiece::Row(row) => Piece::Row(row),
            OwnedPiece::EndRows => Piece::EndRows,
        }
    }
}
