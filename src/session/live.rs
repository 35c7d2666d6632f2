//! What the interactive shell keeps of the node in use: names and uuids for Tab.

use std::sync::{Arc, Mutex, PoisonError};

use crate::shell::{LiveCache, LiveLimits};

use super::nearby::{self, Lookup};
use super::settings::Settings;
use super::{Session, offers};

/// What only the interactive shell has.
pub(crate) struct LivePrompt {
    pub(crate) live: Arc<LiveCache>,
    /// Who is asked for live values, where somebody may be.
    lookup: Arc<Mutex<Option<Lookup>>>,
    /// The node and the account that live values are of.
    live_of: Option<(String, Option<String>)>,
}

impl LivePrompt {
    /// One that knows nothing yet.
    pub(crate) fn new() -> LivePrompt {
        let lookup: Arc<Mutex<Option<Lookup>>> = Arc::default();
        let live = Arc::new(LiveCache::new(LiveLimits::default(), nearby::fetch(Arc::clone(&lookup))));
        LivePrompt { live, lookup, live_of: None }
    }
}

/// Gives live look-ups a client of their own for the node in use, and forgets what another node or account has.
pub(crate) fn refresh(session: &mut Session, settings: &Settings) {
    let node = session.nodes.known(&settings.target).filter(|node| node.client.has_credentials());
    let live_of = node.as_ref().map(|node| (node.client.endpoint().base().to_owned(), node.account.clone()));
    let asks = node.map(|node| node.client.fork());
    let lookup = asks.as_ref().and_then(|_| Lookup::new(session, settings).ok());
    let Some(prompt) = &mut session.prompt else { return };
    let is_another = prompt.live_of != live_of;
    if is_another {
        prompt.live.forget();
        // Whoever logs in may be asked again when that ends.
        prompt.live_of = live_of;
    }
    *prompt.lookup.lock().unwrap_or_else(PoisonError::into_inner) = lookup;
    if let Some(client) = asks.filter(|_| is_another) {
        offers::ask_at_tab(session, &settings.target, client);
    }
}
