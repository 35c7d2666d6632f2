//! JSON text: values that keep their number text and member order, and reading replies piece by piece.
//!
//! A node prints `1.073741824E9` and 64-bit integers; turning them into floating-point numbers and back
//! would change what the user reads. So numbers stay text here, and members keep their order, unless a [`Sorter`] is
//! asked to sort them.
//!
//! Replies are read as text too: [`Scanner`] checks a reply while its bytes arrive and hands it out in
//! [`Piece`]s, one row at a time, so that memory does not grow with the number of rows. What is picked out
//! of a row ([`members()`], [`items`], [`pick`]) or laid out again ([`indent`], [`compact`]) is that same
//! text; a tree ([`parse()`]) is built for small values only.

mod check;
mod layout;
mod lexis;
mod members;
mod parse;
mod record;
mod scanner;
mod sorted;
mod text;
mod value;

pub use check::{DEPTH_LIMIT, Flaw};
pub use layout::{compact, indent, line_break};
pub use members::{Items, Kind, Members, items, kind, maps, member, members, pick};
pub use parse::parse;
pub use record::Record;
pub use scanner::{Piece, Pieces, ReadError, Scanner};
pub use sorted::{Sorter, compare_names};
pub use text::{escape_unprintable, is_printable, is_unprintable, terminal_safe, unescape, write_literal};
pub use value::{Value, write_string};
