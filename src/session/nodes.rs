//! The nodes that the program talks to: from a target to a connected node.

use std::io;
use std::path::PathBuf;

use crate::cli::Options;
use crate::client::{Client, Credentials, Endpoint, ProxyOptions, ReqwestTransport, SystemClock, TransportOptions};
use crate::config::{NodeChoice, Owner, choose_node};
use crate::error::Error;
use crate::sandbox::{self, Database, Running};
use crate::secret::Secret;
use crate::terminal::Ui;

use super::bases::{self, TurnedBases};
use super::log_in::{ADMIN, LogIn};
use super::offers::KnownOffers;
use super::settings::{Settings, Target};
use super::{Session, credentials};

/// What is known of nodes.
#[derive(Default)]
pub(crate) struct Nodes {
    /// More than one only where lines name others.
    connected: Vec<Node>,
    pub(super) turned: TurnedBases,
    pub(super) offers: KnownOffers,
    /// The node that the program was started for, once known; none inside where that is the sandbox.
    pub(super) started_for: Option<Option<String>>,
}

/// A node with the client that calls it.
pub(crate) struct Node {
    pub(crate) client: Client,
    pub(super) target: Target,
    /// The sandbox that is the node, where it is one; it ends with this.
    _sandbox: Option<Running>,
    /// Whose credentials are used; none for the sandbox.
    pub(crate) owner: Option<Owner>,
    /// Who is logged in, as far as is known.
    pub(crate) account: Option<String>,
    /// Who would log in again.
    pub(crate) log_in: LogIn,
    /// Whether the session is the one of `ZSTACK_SESSION_UUID`.
    pub(crate) has_foreign_session: bool,
    /// Whether the user does not want to log in to it now.
    pub(crate) declined_log_in: bool,
    /// Whether a session that is opened now is for this run only.
    pub(crate) single_run: bool,
    /// Whether it was looked for above or below `/zstack`, the other way than it was called.
    pub(super) was_turned: bool,
}

impl Node {
    /// What the node is called for people.
    pub(crate) fn name(&self) -> String {
        match &self.target.context {
            _ if self.target.is_sandbox() => "the sandbox".to_owned(),
            Some(context) if self.target.is_of_context => format!("context {context}"),
            _ => self.client.endpoint().authority(),
        }
    }

    /// What the prompt calls it: the context, or the address where it is another than that of the current context.
    pub(crate) fn place(&self) -> Option<String> {
        let context = self.target.context.as_ref()?;
        Some(if self.target.is_of_context { context.clone() } else { self.client.endpoint().authority() })
    }
}

impl Nodes {
    /// The nodes that are connected.
    pub(crate) fn connected(&self) -> &[Node] {
        &self.connected
    }

    /// The node of a target, if it was used before.
    pub(crate) fn known(&mut self, target: &Target) -> Option<&mut Node> {
        self.connected.iter_mut().find(|node| node.target.is_same(target))
    }

    /// Forgets the connection to a node; the next use makes another.
    pub(super) fn forget(&mut self, target: &Target) {
        self.connected.retain(|node| !node.target.is_same(target));
    }

    /// Closes the sessions that were opened for this run alone.
    pub(super) fn close(&mut self) {
        for mut node in std::mem::take(&mut self.connected) {
            let Some(session) = node.client.take_renewed_session() else { continue };
            node.client.end_session(&session.uuid);
        }
    }
}

/// The node that a line means, connected on first use.
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
    let endpoint = bases::endpoint_of(session, address)?;
    if target.tls.insecure && endpoint.is_https() {
        settings.ui.insist("warning: the server's certificate is not checked (--insecure)");
    }
    let url = endpoint.base().to_owned();
    let context = target.context.clone().filter(|_| target.is_of_context);
    let owner = context.clone().map_or_else(|| Owner::Node(url.clone()), Owner::Context);
    let client = client_at(session, endpoint, settings)?;
    let mut node = unknown(client, target.clone(), Some(owner));
    let journal = session.journal(Some(&url), context.as_deref())?;
    node.client.set_job_record(Some(Box::new(journal)));
    credentials::give(session, &mut node, &settings.preferences)?;
    Ok(node)
}

fn connect_sandbox(session: &Session, settings: &Settings) -> Result<Node, Error> {
    let running = start_sandbox(session, &settings.ui)?;
    let endpoint = Endpoint::parse(&running.base_url())?;
    let mut client = client_at(session, endpoint, settings)?;
    client.set_job_record(Some(Box::new(session.journal(None, None)?)));
    client.set_credentials(Credentials::Session(Secret::new(running.session_uuid().to_owned())));
    let node = unknown(client, settings.target.clone(), None);
    Ok(Node { account: Some(ADMIN.to_owned()), _sandbox: Some(running), ..node })
}

/// A node with whose credentials nothing was done yet.
fn unknown(client: Client, target: Target, owner: Option<Owner>) -> Node {
    Node {
        client,
        target,
        _sandbox: None,
        owner,
        account: None,
        log_in: LogIn::Account(ADMIN.to_owned()),
        has_foreign_session: false,
        declined_log_in: false,
        single_run: true,
        was_turned: false,
    }
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
        client.set_trace(Some(Box::new(io::stderr())), settings.view.secrets);
    }
    Ok(client)
}

/// The base URL of the node that a line means; none for the sandbox, whose address is another at every start.
pub(crate) fn url(session: &mut Session, target: &Target) -> Result<Option<String>, Error> {
    let endpoint = target.address.as_ref().map(|address| bases::endpoint_of(session, address)).transpose()?;
    Ok(endpoint.map(|endpoint| endpoint.base().to_owned()))
}

/// Whether the credentials of the environment are meant for the node at that URL: the one that the program was
/// started for, unless `--context` names it and the environment names another. Lines that name further nodes,
/// and jobs that run on such, do without.
pub(super) fn environment_is_for(session: &mut Session, url: &str) -> Result<bool, Error> {
    if started_for(session)?.as_deref() != Some(url) {
        return Ok(false);
    }
    if session.held.options.context.is_none() || session.environment.variables.node().is_none() {
        return Ok(true);
    }
    let variables = session.environment.variables.clone();
    let of_environment = choose_node(&NodeChoice::default(), &variables, session.contexts()?)?;
    Ok(bases::endpoint_of(session, &of_environment.address)?.base() == url)
}

/// The node that the program was started for; `None` where that is the sandbox.
pub(crate) fn started_for(session: &mut Session) -> Result<Option<String>, Error> {
    if let Some(known) = &session.nodes.started_for {
        return Ok(known.clone());
    }
    let target = session.settle(&Options::default())?.target;
    let url = url(session, &target)?;
    session.nodes.started_for = Some(url.clone());
    Ok(url)
}

/// Where the sandbox keeps its state.
pub(crate) fn sandbox_directory(session: &Session) -> Result<PathBuf, Error> {
    Ok(session.environment.folders()?.data.join("sandbox"))
}

fn start_sandbox(session: &Session, ui: &Ui) -> Result<Running, Error> {
    let running = sandbox::start(sandbox::Options {
        database: Database::Directory(sandbox_directory(session)?),
        ..sandbox::Options::default()
    })?;
    for file in running.set_aside() {
        ui.warn(&format!("a damaged sandbox was set aside as {}", file.display()));
    }
    Ok(running)
}
