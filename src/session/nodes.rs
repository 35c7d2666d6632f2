//! Connects the node of a line.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::client::{Client, Credentials, Endpoint, ProxyOptions, ReqwestTransport, SystemClock, TransportOptions};
use crate::config::Owner;
use crate::error::Error;
use crate::journal::Journal;
use crate::sandbox::{self, Database, Running};
use crate::secret::Secret;
use crate::terminal::Ui;

use super::credentials;
use super::log_in::ADMIN;
use super::node::Node;
use super::settings::Settings;
use super::state::Session;

/// The time-out for requests that nothing depends on.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// The node of a line, connected on first use.
pub(crate) fn node<'s>(session: &'s mut Session, settings: &Settings) -> Result<&'s mut Node, Error> {
    let target = &settings.target;
    let at = match session.nodes.connected.iter().position(|node| node.target.is_same(target)) {
        Some(at) => at,
        None => {
            let node = connect(session, settings)?;
            session.nodes.connected.push(node);
            session.nodes.connected.len() - 1
        }
    };
    Ok(&mut session.nodes.connected[at])
}

fn connect(session: &mut Session, settings: &Settings) -> Result<Node, Error> {
    let target = &settings.target;
    if let Some(option) = target.contradiction {
        return Err(Error::Option { option, problem: "it names another node than --sandbox does".to_owned() });
    }
    let Some(address) = &target.address else { return connect_sandbox(session, settings) };
    let endpoint = session.bases.endpoint_of(address)?;
    if target.tls.insecure && endpoint.is_https() {
        settings.ui.insist("warning: the server's certificate is not checked (--insecure)");
    }
    let url = endpoint.base().to_owned();
    let context = target.context.clone().filter(|_| target.is_of_context);
    let owner = context.clone().map_or_else(|| Owner::Node(url.clone()), Owner::Context);
    let client = client_at(session, endpoint, settings)?;
    let mut node = Node::new(client, target.clone(), Some(owner));
    let journal = journal(session, Some(&url), context.as_deref(), &settings.ui)?;
    node.client.set_job_record(Some(Box::new(journal)));
    credentials::give(session, &mut node, &settings.preferences)?;
    Ok(node)
}

/// The journal of a node, which warns when it cannot be written.
pub(crate) fn journal(session: &Session, url: Option<&str>, context: Option<&str>, ui: &Ui) -> Result<Journal, Error> {
    let mut journal = session.journal(url, context)?;
    let ui = ui.clone();
    journal.on_failure(move |text| ui.warn(text));
    Ok(journal)
}

fn connect_sandbox(session: &Session, settings: &Settings) -> Result<Node, Error> {
    let running = start_sandbox(session, &settings.ui)?;
    let endpoint = Endpoint::parse(&running.base_url())?;
    let mut client = client_at(session, endpoint, settings)?;
    client.set_job_record(Some(Box::new(journal(session, None, None, &settings.ui)?)));
    client.set_credentials(Credentials::Session(Secret::new(running.session_uuid().to_owned())));
    let node = Node::new(client, settings.target.clone(), None);
    Ok(Node { account: Some(ADMIN.to_owned()), _sandbox: Some(running), ..node })
}

/// A client for a node, without credentials.
pub(super) fn client_at(session: &Session, endpoint: Endpoint, settings: &Settings) -> Result<Client, Error> {
    let variables = &session.environment.variables;
    let proxies = ProxyOptions {
        http: variables.http_proxy.clone(),
        https: variables.https_proxy.clone(),
        exceptions: variables.no_proxy.clone(),
    };
    let how = TransportOptions { tls: settings.target.tls.clone(), proxies, interrupt: session.interrupt.clone() };
    let transport =
        ReqwestTransport::new(endpoint.clone(), how).map_err(|source| crate::client::Error::NotSent { source })?;
    let mut client =
        Client::new(endpoint, Box::new(transport), Box::new(SystemClock::new()), session.interrupt.clone());
    if settings.ui.verbose {
        client.set_trace(Some(Box::new(io::stderr())), settings.view.secrets, session.known_secrets());
    }
    Ok(client)
}

/// The directory of the sandbox's state.
pub(crate) fn sandbox_directory(session: &Session) -> Result<PathBuf, Error> {
    Ok(session.environment.folders()?.data.join("sandbox"))
}

fn start_sandbox(session: &Session, ui: &Ui) -> Result<Running, Error> {
    let defaults = sandbox::Options::default();
    let running = sandbox::start(sandbox::Options {
        database: Database::Directory(sandbox_directory(session)?),
        speed: session.environment.variables.sandbox_speed.unwrap_or(defaults.speed),
        ..defaults
    })?;
    for file in running.set_aside() {
        ui.warn(&format!("a damaged sandbox was set aside as {}", file.display()));
    }
    Ok(running)
}
