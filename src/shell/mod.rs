//! The interactive shell: prompt, completion, suggestions, highlighting, history.
//!
//! It knows the catalog and the syntax, but not how a command is run: that is up to [`Evaluator`]. It prints lists,
//! suggestions and its own warnings, but no results.

mod ask;
mod colours;
pub mod complete;
mod danger;
mod editor;
mod hint;
mod history;
mod keys;
mod list;
mod live;
mod menu;
mod outcomes;
mod prompt;
mod recall;
mod redirect;
mod run;
mod topics;
mod unfinished;
mod used;

pub use ask::ask;
#[cfg(test)]
pub(crate) use danger::dangerous_questions;
pub use danger::{Danger, Harm, Hit, Target, agrees, danger, question};
pub use history::{History, Mask, last_entries};
pub use live::{Fetch, LiveCache, LiveLimits, Question, Unreachable};
pub use prompt::{Colour, Prompt};
pub use redirect::{RedirectError, Redirection, redirection};
pub use run::{Evaluator, Flow, Known, LineOutcome, Options, ShellError, run};
pub use topics::{TOPICS, Topic};
