//! JSON text: values that keep their number text and member order, and reading replies piece by piece.
//!
//! A node prints `1.073741824E9` and 64-bit integers; converting them to floating-point numbers and back would change
//! them. So numbers are kept as text, and members keep their order, unless a [`Sorter`] sorts them.
//!
//! Replies are read as text too: [`Scanner`] checks a reply while its bytes arrive and splits it into [`Piece`]s, one
//! row at a time, so that memory does not grow with the number of rows. Functions that select values of a row
//! ([`members()`], [`items`], [`pick`]) or format it ([`indent`], [`compact`]) work on that text; a tree ([`parse()`])
//! is built for small values only.

mod check;
mod layout;
mod lexis;
mod members;
mod memory;
mod parse;
mod record;
mod scanner;
mod sorted;
mod text;
mod value;

pub use check::{DEPTH_LIMIT, ParseError};
pub use layout::{compact, line_break};
pub use members::{Items, Kind, Members, items, kind, maps, member, members, pick};
pub use memory::{HELD_COST, MEMORY_LIMIT};
pub use parse::parse;
pub use record::MapWriter;
pub use scanner::{Piece, Pieces, ReadError, Scanner};
pub use sorted::{Sorter, compare_names, indent};
pub use text::{escape_unprintable, is_printable, is_unprintable, terminal_safe, unescape, write_literal};
pub use value::{Value, write_string};
