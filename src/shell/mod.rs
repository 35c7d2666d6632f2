//! The interactive shell: the prompt, completion, hints, colours, history.
//!
//! It knows the catalog and the syntax, not how a command is run: that is a function it is given.

pub mod complete;
mod topics;
