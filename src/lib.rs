//! `zstack-cli`: the shell with which operators run a ZStack cloud.
//!
//! [`app::run`] is the program. `session` parses a line and determines its settings, [`commands`] runs it, `calls`
//! sends requests and shows the replies. The parts below them are pure and use neither terminal nor network: [`syntax`]
//! splits lines, [`plan`] turns commands into requests with the facts of the [`catalog`], [`render`] writes replies.
//! [`client`] talks to a node, [`sandbox`] is one. Modules import only those below them in ARCHITECTURE.md.

pub mod app;
mod calls;
pub mod catalog;
pub mod cli;
pub mod client;
pub mod commands;
pub mod config;
mod dates;
pub mod error;
pub mod interrupt;
pub mod journal;
pub mod jq;
pub mod json;
pub mod language;
mod lost;
mod named;
mod nearness;
mod parts;
mod pattern;
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
mod session;
pub mod shell;
pub mod sql;
pub mod syntax;
mod terminal;
mod tty;
mod width;
