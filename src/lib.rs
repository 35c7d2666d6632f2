//! `zstack-cli`: the shell with which operators run a ZStack cloud.

pub mod app;
pub mod catalog;
pub mod cli;
pub mod client;
pub mod commands;
pub mod config;
mod dates;
pub mod error;
pub mod journal;
pub mod json;
mod nearness;
mod parts;
mod percent;
pub mod picture;
pub mod plan;
mod private;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod properties;
pub mod render;
pub mod results;
pub mod sandbox;
pub mod secret;
pub mod shell;
pub mod syntax;
mod terminal;
mod width;
