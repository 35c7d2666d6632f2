//! The program's own commands. Each is a function of what it needs and of the writer that it prints to.

pub mod completions;
pub mod help;
pub mod history;
pub mod more;
pub mod save;
