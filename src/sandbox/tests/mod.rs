//! The node over real sockets, with requests written by hand.

mod harness;
mod protocol;
