//! Bits of an index entry, which the build script writes and the index reads.

pub(crate) const FLAG_QUERY: u16 = 1 << 8;
pub(crate) const FLAG_SESSION: u16 = 1 << 9;
pub(crate) const FLAG_ASYNC: u16 = 1 << 10;
pub(crate) const FLAG_DEPRECATED: u16 = 1 << 11;
pub(crate) const FLAG_CHANGED: u16 = 1 << 12;
pub(crate) const FLAG_MISTAKABLE: u16 = 1 << 13;
pub(crate) const FLAG_UNLISTED: u16 = 1 << 14;
