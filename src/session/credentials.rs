//! The credentials of a node: given when it is connected, kept when somebody logs in, forgotten when they log out.

use std::sync::Arc;

use crate::client::{AccessKey, Credentials, NodeZone, Session as OpenSession};
use crate::config::{self, Entry, Login, Owner, Preferences, Who};
use crate::error::Error;
use crate::plan::Request;
use crate::secret::{Secret, Secrets};

use super::Session;
use super::log_in::{LogIn, Proofs};
use super::nodes::{self, Node};
use super::settings::Settings;
use super::stored_session::StoredSession;

/// Where the credentials of an owner are kept.
pub(crate) fn store(session: &mut Session, owner: &Owner) -> Result<config::Credentials, Error> {
    let context = match owner {
        Owner::Context(name) => Some(name.as_str()),
        Owner::Node(_) => None,
    };
    let keeper = session.contexts()?.preferences(context).credentials.unwrap_or_default();
    Ok(config::Credentials::new(session.environment.folders()?, keeper))
}

/// Gives a node the credentials of the environment, or else the stored ones.
pub(super) fn give(session: &mut Session, node: &mut Node, preferences: &Preferences) -> Result<(), Error> {
    let url = node.client.endpoint().base().to_owned();
    let is_meant = nodes::environment_is_for(session, &url)?;
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

/// Gives a node the stored credentials, where there are any. Whether its session may be put in place of one that
/// expired: nobody else's is.
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

/// Has a node take over what other processes make of a stored session, and the other way round.
fn share_session(node: &mut Node, credentials: config::Credentials, entry: &Entry) {
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

/// An access key of a node in a zone by its name, or else in this machine's.
fn access_key(id: &str, secret: &Secret, zone: Option<&str>) -> Credentials {
    let zone = zone.and_then(NodeZone::parse).unwrap_or_else(NodeZone::of_this_machine);
    Credentials::AccessKey(AccessKey { id: id.to_owned(), secret: secret.clone(), zone })
}

/// Takes the session that a log-in opened: it is used and kept from now on. `false` where the reply tells none.
pub(crate) fn logged_in(
    session: &mut Session,
    settings: &Settings,
    request: &Request,
    reply: &[u8],
    who: Who,
) -> Result<bool, Error> {
    let Some(opened) = OpenSession::of_log_in(reply) else { return Ok(false) };
    let node = nodes::node(session, settings)?;
    // One session is enough; the one of a project may live by that of its virtual id.
    let is_exchange = matches!(request.api, "LoginIAM2Project" | "LoginIAM2Platform");
    let former = node.client.session_uuid().filter(|_| !node.has_foreign_session && !is_exchange);
    node.has_foreign_session = false;
    node.declined_log_in = false;
    node.client.set_credentials(Credentials::Session(opened.uuid.clone()));
    node.account = who.label();
    node.single_run = false;
    if let Some(who) = LogIn::of_stored(Some(request.api), &who) {
        node.log_in = who;
    }
    let entry = Entry {
        url: node.client.endpoint().base().to_owned(),
        login: Login::Session { uuid: opened.uuid.clone(), expires: opened.expired_date.clone() },
        api: Some(request.api.to_owned()),
        who,
    };
    if let Some(owner) = node.owner.clone() {
        let store = store(session, &owner)?;
        store.save(&owner, &entry)?;
        share_session(nodes::node(session, settings)?, store, &entry);
    }
    if let Some(former) = former.filter(|former| *former != opened.uuid) {
        nodes::node(session, settings)?.client.end_session(&former);
    }
    Ok(true)
}

/// Forgets the session that a log-out closed; one of somebody else is none of ours.
pub(crate) fn logged_out(session: &mut Session, settings: &Settings, request: &Request) -> Result<(), Error> {
    let node = nodes::node(session, settings)?;
    let target = Secret::new(request.target(Secrets::Shown));
    let Some(closed) = node.client.session_uuid().filter(|uuid| target.expose().ends_with(uuid.expose())) else {
        return Ok(());
    };
    node.client.set_credentials(Credentials::None);
    node.account = None;
    if let Some(owner) = node.owner.clone() {
        // Another process may have logged in meanwhile.
        store(session, &owner)?.delete(&owner, Some(&closed))?;
    }
    Ok(())
}

/// Uses and keeps an access key: requests are signed with it from now on.
pub(crate) fn use_access_key(
    session: &mut Session,
    settings: &Settings,
    id: &str,
    secret: &Secret,
) -> Result<(), Error> {
    let time_zone = settings.preferences.time_zone.clone();
    let node = nodes::node(session, settings)?;
    node.client.set_credentials(access_key(id, secret, time_zone.as_deref()));
    let entry = Entry {
        url: node.client.endpoint().base().to_owned(),
        login: Login::AccessKey { id: id.to_owned(), secret: secret.clone(), time_zone },
        api: None,
        who: Who::default(),
    };
    if let Some(owner) = node.owner.clone() {
        store(session, &owner)?.save(&owner, &entry)?;
    }
    Ok(())
}

/// Forgets the access key that is in use.
pub(crate) fn forget_access_key(session: &mut Session, settings: &Settings) -> Result<(), Error> {
    let node = nodes::node(session, settings)?;
    node.client.set_credentials(Credentials::None);
    node.account = None;
    if let Some(owner) = node.owner.clone() {
        store(session, &owner)?.delete(&owner, None)?;
    }
    Ok(())
}
