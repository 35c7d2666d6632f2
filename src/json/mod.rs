//! JSON text: values that keep their number text and member order, and reading replies piece by piece.
//!
//! A node prints `1.073741824E9` and 64-bit integers; turning them into floating-point numbers and back
//! would change what the user reads. So numbers stay text here, and members keep their order.

mod value;

pub use value::{MASK, Secrets, Value, write_string};
