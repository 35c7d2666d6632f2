//! What the commands of one run share: settings, contexts, connected nodes, and what is known of them.
//!
//! A [`Session`] lives as long as the program. Before a [`Line`] runs, [`Session::settle`] says what holds for it; the
//! command then gets an [`Invocation`], and from [`nodes::node`] the node that its [`Settings`] mean.

pub(crate) mod accounts;
mod bases;
pub(crate) mod catalogs;
pub(crate) mod credentials;
mod held;
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
mod state;
mod stored_session;
mod turn;

pub(crate) use held::Held;
pub(crate) use line::Line;
pub(crate) use live_prompt::LivePrompt;
pub(crate) use log_in::{ADMIN, Captcha, LogIn, Proofs, who_of};
pub(crate) use lookups::{lookup, refresh};
pub(crate) use nearby::{Lookup, fetch};
pub(crate) use settings::{Settings, Target, ViewSettings, error_format, errors_of_environment};
pub(crate) use state::{Invocation, SANDBOX, Session};
pub(crate) use turn::{Turned, turn};
