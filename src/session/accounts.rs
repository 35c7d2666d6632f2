//! Logs users in and out: uses and stores sessions and access keys, or removes them.

use crate::client::{Credentials, Session as OpenSession};
use crate::config::{Entry, Login, Who};
use crate::error::Error;
use crate::plan::Request;
use crate::secret::{Secret, Secrets};

use super::credentials::{access_key, share_session, store};
use super::log_in::LogIn;
use super::nodes;
use super::settings::Settings;
use super::state::Session;

/// Uses and stores the session of a log-in. `false` if the reply has none.
pub(crate) fn logged_in(
    session: &mut Session,
    settings: &Settings,
    request: &Request,
    reply: &[u8],
    who: Who,
) -> Result<bool, Error> {
    let Some(opened) = OpenSession::of_log_in(reply) else { return Ok(false) };
    let node = nodes::node(session, settings)?;
    // One session is enough. The session of a project may depend on that of its virtual id.
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

/// Removes the session that a log-out closed, unless it is not the current one.
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

/// Uses and stores an access key: requests are signed with it from now on.
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

/// Removes the current access key.
pub(crate) fn forget_access_key(session: &mut Session, settings: &Settings) -> Result<(), Error> {
    let node = nodes::node(session, settings)?;
    node.client.set_credentials(Credentials::None);
    node.account = None;
    if let Some(owner) = node.owner.clone() {
        store(session, &owner)?.delete(&owner, None)?;
    }
    Ok(())
}
