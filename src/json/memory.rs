//! How much of a reply is held in memory.

/// The most that is held of one reply where its rows cannot be handed on as they come, in bytes.
pub const MEMORY_LIMIT: usize = 256 << 20;

/// The overhead counted for each row or value that is held, in bytes.
pub const HELD_COST: usize = 64;
