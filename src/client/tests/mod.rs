//! The client against nodes that cut, delay and lie: scripted ones on a clock that takes no time, and a few on real
//! sockets.

mod encrypted;
pub(super) mod fake;
mod faults;
mod jobs;
mod lost;
mod paging;
mod sessions;
mod sockets;
