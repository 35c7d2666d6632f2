//! The state that the commands of a run share: settings, contexts and connected nodes.
//!
//! A [`Session`] lives as long as the program. Before a [`Line`] runs, [`Session::settle`] determines its [`Settings`];
//! the command then gets an [`Invocation`], and its node from [`nodes::node`].

pub(crate) mod accounts;
mod base_options;
mod bases;
pub(crate) mod catalogs;
pub(crate) mod credentials;
mod fitting;
mod imports;
mod known_offers;
mod line;
mod live_prompt;
mod log_in;
mod lookups;
mod nearby;
mod node;
pub(crate) mod nodes;
pub(crate) mod offers;
mod recording;
mod settings;
mod several;
mod state;
mod stored_session;
mod turn;
mod variables;

pub(crate) use base_options::BaseOptions;
pub(crate) use imports::ImportStore;
pub(crate) use line::{Line, to_keep};
pub(crate) use live_prompt::LivePrompt;
pub(crate) use log_in::{ADMIN, Captcha, LogIn, Proofs, who_of};
pub(crate) use lookups::{lookup, refresh};
pub(crate) use nearby::{Lookup, fetch};
pub(crate) use settings::{Settings, Target, ViewSettings, error_format, errors_of_environment};
pub(crate) use several::settle_several;
pub(crate) use state::{Invocation, PrintedAction, SANDBOX, Session, SessionSeed};
pub(crate) use turn::{Turned, turn};
pub(crate) use variables::{Scope, Variable};
