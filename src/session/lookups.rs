//! Creates look-ups of names and uuids at the node of a line.

use std::sync::PoisonError;

use crate::error::Error;

use super::nearby::Lookup;
use super::nodes::{self, PATIENCE};
use super::offers;
use super::settings::Settings;
use super::state::Session;

/// A look-up at the node of a line.
pub(crate) fn lookup(session: &mut Session, settings: &Settings) -> Result<Lookup, Error> {
    let offers = offers::known(session, &settings.target);
    let mut client = nodes::node(session, settings)?.client.fork();
    client.set_patience(PATIENCE);
    Ok(Lookup::new(client, session.catalog, offers))
}

/// Sets the look-up for Tab to the current node, and clears the values of another node or account.
pub(crate) fn refresh(session: &mut Session, settings: &Settings) {
    let node = session.nodes.known(&settings.target).filter(|node| node.client.has_credentials());
    let live_of = node.as_ref().map(|node| (node.client.endpoint().base().to_owned(), node.account.clone()));
    let asks = node.map(|node| node.client.fork());
    let lookup = asks.as_ref().and_then(|_| lookup(session, settings).ok());
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
