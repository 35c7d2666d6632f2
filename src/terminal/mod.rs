//! The terminal and other inputs and outputs: results, messages and questions.
//!
//! [`Ui`] prints messages for a line. This module does not know about nodes, sessions or commands.

mod bar;
mod error_object;
mod export;
mod full_screen;
mod input;
mod line_editor;
mod no_echo;
mod output;
mod pager;
mod program;
mod report;
mod spinner;
mod ui;
mod watch_keys;

pub(crate) use bar::{Bar, Counts};
pub(crate) use export::Export;
pub(crate) use full_screen::FullScreen;
pub(crate) use input::{ask_secret, read_text, stdin_is_taken};
pub(crate) use line_editor::edit;
pub(crate) use output::{Output, Paging};
pub(crate) use program::Program;
pub(crate) use report::{Marked, Reporter, Source, bug, marked};
pub(crate) use spinner::JobsProgress;
pub(crate) use ui::{Screen, Terminal, Ui};
pub(crate) use watch_keys::WatchKeys;
