//! The program's own commands, one file each. They print to the writers they are given.

pub(crate) mod catalog;
pub(crate) mod sandbox;
