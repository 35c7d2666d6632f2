//! Chooses the credentials for a node when it is connected.

use std::sync::Arc;

use crate::client::{AccessKey, Credentials, NodeZone};
use crate::config::{self, Entry, Login, NodeChoice, Owner, Preferences, choose_node};
use crate::error::Error;
use crate::secret::Secret;

use super::log_in::{LogIn, Proofs};
use super::node::Node;
use super::state::Session;
use super::stored_session::StoredSession;

/// The store for the credentials of an owner.
pub(crate) fn store(session: &mut Session, owner: &Owner) -> Result<config::Credentials, Error> {
    let context = match owner {
        Owner::Context(name) => Some(name.as_str()),
        Owner::Node(_) => None,
    };
    let keeper = session.contexts()?.preferences(context).credentials.unwrap_or_default();
    Ok(config::Credentials::new(session.environment.folders()?, keeper))
}

/// Sets the credentials of a node: those of the environment, or else the stored ones.
pub(super) fn give(session: &mut Session, node: &mut Node, preferences: &Preferences) -> Result<(), Error> {
    let url = node.client.endpoint().base().to_owned();
    let is_meant = environment_is_for(session, &url)?;
    let variables = &session.environment.variables;
    if let Some(uuid) = variables.session_uuid.as_ref().filter(|_| is_meant) {
        node.client.set_credentials(Credentials::Session(uuid.clone()));
        node.has_foreign_session = true;
        return Ok(());
    }
    let key = variables.access_key_id.as_ref().zip(variables.access_key_secret.as_ref());
    if let Some((id, secret)) = key.filter(|_| is_meant) {
        node.client.set_credentials(access_key(id, secret, preferences.time_zone.as_deref()));
        return Ok(());
    }
    if let Some(who) = LogIn::of_preferences(preferences) {
        node.account = Some(who.name().to_owned());
        node.log_in = who;
    }
    let may_renew = give_stored(session, node, &url)?;
    let password = session.environment.variables.password.as_ref().filter(|_| may_renew && is_meant);
    if let Some(password) = password {
        let log_in = node.log_in.request(password, &Proofs::default(), session.catalog)?;
        node.client.set_log_in(Some(log_in));
    }
    Ok(())
}

/// Sets the stored credentials of a node, if there are any. Returns whether the session belongs to this program, so
/// that it may be replaced when it has expired.
fn give_stored(session: &mut Session, node: &mut Node, url: &str) -> Result<bool, Error> {
    let Some(owner) = node.owner.clone() else { return Ok(true) };
    let store = store(session, &owner)?;
    let Some(entry) = store.load(&owner, url)? else { return Ok(true) };
    node.single_run = false;
    node.account = entry.who.label();
    share_session(node, store, &entry);
    let who = LogIn::of_stored(entry.api.as_deref(), &entry.who);
    node.client.set_credentials(match entry.login {
        Login::Session { uuid, .. } => Credentials::Session(uuid),
        Login::AccessKey { id, secret, time_zone } => access_key(&id, &secret, time_zone.as_deref()),
    });
    let may_renew = who.is_some();
    if let Some(who) = who {
        node.log_in = who;
    }
    Ok(may_renew)
}

/// Shares renewals of a stored session with other processes.
pub(super) fn share_session(node: &mut Node, credentials: config::Credentials, entry: &Entry) {
    if let (Some(owner), Some(api), Login::Session { .. }) = (&node.owner, &entry.api, &entry.login) {
        let store = StoredSession {
            credentials,
            owner: owner.clone(),
            url: entry.url.clone(),
            api: api.clone(),
            who: entry.who.clone(),
        };
        node.client.set_session_store(Arc::new(store));
    }
}

/// The zone of a node by its name, or else this machine's.
pub(crate) fn zone_of(name: Option<&str>) -> NodeZone {
    name.and_then(NodeZone::parse).unwrap_or_else(NodeZone::of_this_machine)
}

/// An access key of a node in a zone by its name, or else in this machine's.
pub(super) fn access_key(id: &str, secret: &Secret, zone: Option<&str>) -> Credentials {
    let zone = zone_of(zone);
    Credentials::AccessKey(AccessKey { id: id.to_owned(), secret: secret.clone(), zone })
}

/// Whether the credentials of the environment are for the node at that URL: only for the node that the program was
/// started for, and not if `--context` chose it while the environment chooses another one. Lines for other nodes, and
/// their jobs, do not use them.
fn environment_is_for(session: &mut Session, url: &str) -> Result<bool, Error> {
    if session.started_for()?.as_deref() != Some(url) {
        return Ok(false);
    }
    if session.base.options.context.is_none() || session.environment.variables.node().is_none() {
        return Ok(true);
    }
    let variables = session.environment.variables.clone();
    let of_environment = choose_node(&NodeChoice::default(), &variables, session.contexts()?)?;
    Ok(session.leads_to(&of_environment.address, url))
}
