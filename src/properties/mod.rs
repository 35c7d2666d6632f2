//! What must hold for any text whatever: one function for each kind of hostile input.
//!
//! Each takes raw input and panics where a property is broken. The fuzz targets call them with what the fuzzer
//! makes up, the property tests beside them with what proptest does; the program itself does not have them.

pub mod command;
pub mod configuration;
pub mod literal;
pub mod query;
pub mod reply;
#[cfg(test)]
mod secret;
