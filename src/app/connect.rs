//! The nodes that the program talks to.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::cli::Options;
use crate::client::{
    AccessKey, Client, Credentials, Endpoint, ProxyOptions, ReqwestTransport, SystemClock, TlsOptions, TransportOptions,
};
use crate::commands::login::{ADMIN, LogIn};
use crate::config::{self, Address, ChosenNode, Entry, Login, NodeChoice, Owner, choose_node};
use crate::error::Error;
use crate::sandbox::{self, Database, Running};
use crate::secret::Secret;

use super::session_store::StoredSession;
use super::view::secrets;
use super::{App, login, settings};

/// What tells one connection from another.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    sandbox: bool,
    address: Option<Address>,
    context: Option<String>,
    tls: TlsOptions,
}

/// A node with the client that calls it.
pub(super) struct Node {
    key: Key,
    pub(super) client: Client,
    /// The sandbox that is the node, where it is one; it ends with this.
    _sandbox: Option<Running>,
    /// Whose credentials are used; none for the sandbox.
    pub(super) owner: Option<Owner>,
    /// Who is logged in, as far as is known.
    pub(super) account: Option<String>,
    /// Who would log in again.
    pub(super) log_in: LogIn,
    /// The context whose preferences hold.
    pub(super) context: Option<String>,
    /// Whether the context names this node; else an option or the environment does.
    is_of_context: bool,
    /// Whether the session is the one of `ZSTACK_SESSION_UUID`.
    pub(super) has_foreign_session: bool,
    /// Whether the user does not want to log in to it now.
    pub(super) declined_log_in: bool,
    /// Whether a session that is opened now is for this run only.
    pub(super) single_run: bool,
    /// Whether it was looked for above or below `/zstack`, the other way than it was called.
    pub(super) was_turned: bool,
    pub(super) tls: TlsOptions,
}

impl Node {
    /// What the node is called for people.
    pub(super) fn name(&self) -> String {
        match (&self.context, self.key.sandbox) {
            (_, true) => "the sandbox".to_owned(),
            (Some(context), false) if self.is_of_context => format!("context {context}"),
            _ => self.client.endpoint().authority(),
        }
    }

    /// Takes over what other processes make of a stored session, and the other way round.
    pub(super) fn share_session(&mut self, credentials: config::Credentials, entry: &Entry) {
        if let (Some(owner), Some(api), Login::Session { .. }) = (&self.owner, &entry.api, &entry.login) {
            let store = StoredSession {
                credentials,
                owner: owner.clone(),
                url: entry.url.clone(),
                api: api.clone(),
                who: entry.who.clone(),
            };
            self.client.set_session_store(Arc::new(store));
        }
    }

    /// What the prompt calls it: the context, or the address where it is another than that of the current context.
    pub(super) fn place(&self) -> Option<String> {
        let context = self.context.as_ref()?;
        Some(if self.is_of_context { context.clone() } else { self.client.endpoint().authority() })
    }
}

impl App {
    /// The node that the options mean, connected on first use.
    pub(super) fn node(&mut self, options: &Options) -> Result<&mut Node, Error> {
        let key = self.key(options)?;
        let at = match self.nodes.iter().position(|node| node.key == key) {
            Some(at) => at,
            None => {
                let node = self.connect(key, options)?;
                self.nodes.push(node);
                self.nodes.len() - 1
            }
        };
        Ok(&mut self.nodes[at])
    }

    /// The node that the options mean, if it was used before.
    pub(super) fn known_node(&mut self, options: &Options) -> Option<&mut Node> {
        let key = self.key(options).ok()?;
        self.nodes.iter_mut().find(|node| node.key == key)
    }

    /// Which node the options, the environment and the contexts choose.
    pub(super) fn selection(&mut self, options: &Options) -> Result<ChosenNode, Error> {
        let choice = NodeChoice {
            url: options.url.clone(),
            host: options.host.clone(),
            port: options.port,
            context: options.context.clone(),
        };
        let contexts = settings::loaded(&mut self.contexts, &self.environment)?;
        Ok(choose_node(&choice, &self.environment.variables, contexts)?)
    }

    fn key(&mut self, options: &Options) -> Result<Key, Error> {
        let tls = TlsOptions { ca_file: options.cacert.clone(), insecure: options.insecure };
        if options.sandbox {
            let other = [
                ("url", options.url.is_some()),
                ("host", options.host.is_some()),
                ("port", options.port.is_some()),
                ("context", options.context.is_some()),
            ];
            if let Some((option, _)) = other.into_iter().find(|(_, is_given)| *is_given) {
                let problem = "it names another node than --sandbox does".to_owned();
                return Err(Error::Option { option, problem });
            }
            return Ok(Key { sandbox: true, address: None, context: None, tls });
        }
        let selection = self.selection(options)?;
        Ok(Key { sandbox: false, address: Some(selection.address), context: selection.context, tls })
    }

    fn connect(&mut self, key: Key, options: &Options) -> Result<Node, Error> {
        let selection = if key.sandbox { None } else { Some(self.selection(options)?) };
        let sandbox = if key.sandbox { Some(self.start_sandbox(options)?) } else { None };
        let endpoint = match (&sandbox, selection.as_ref().map(|selection| &selection.address)) {
            (Some(sandbox), _) => Endpoint::parse(&sandbox.base_url())?,
            (None, Some(address)) => self.endpoint_of(address)?,
            (None, None) => Endpoint::of_host("localhost", 8080)?,
        };
        if options.insecure && endpoint.is_https() {
            // Also to whoever wants quiet.
            let aloud = Options { quiet: self.is_silent, ..options.clone() };
            self.say(&aloud, "warning: the server's certificate is not checked (--insecure)");
        }
        let tls = key.tls.clone();
        let url = endpoint.base().to_owned();
        let mut client = self.client_at(endpoint, &tls, options)?;
        let context = selection.as_ref().and_then(|selection| selection.context.clone());
        let is_of_context = selection.as_ref().is_some_and(|selection| selection.address_of_context);
        let named = context.as_deref().filter(|_| is_of_context);
        let journal = self.journal(selection.as_ref().map(|_| url.as_str()), named)?;
        client.set_job_record(Some(Box::new(journal)));
        let owner = selection.map(|selection| match selection.context {
            Some(context) if selection.address_of_context => Owner::Context(context),
            _ => Owner::Node(url.clone()),
        });
        let log_in = LogIn::Account(ADMIN.to_owned());
        let mut node = Node {
            key,
            client,
            _sandbox: None,
            owner,
            account: None,
            log_in,
            context,
            is_of_context,
            has_foreign_session: false,
            declined_log_in: false,
            single_run: true,
            was_turned: false,
            tls,
        };
        match sandbox {
            Some(running) => {
                let session = Secret::new(running.session_uuid().to_owned());
                node.client.set_credentials(Credentials::Session(session));
                node.account = Some("admin".to_owned());
                node._sandbox = Some(running);
            }
            None => self.give_credentials(&mut node, &url)?,
        }
        Ok(node)
    }

    /// A client for a node, without credentials.
    pub(super) fn client_at(&self, endpoint: Endpoint, tls: &TlsOptions, options: &Options) -> Result<Client, Error> {
        let variables = &self.environment.variables;
        let proxies = ProxyOptions {
            http: variables.http_proxy.clone(),
            https: variables.https_proxy.clone(),
            exceptions: variables.no_proxy.clone(),
        };
        let how = TransportOptions { tls: tls.clone(), proxies, interrupt: self.interrupt.clone() };
        let transport =
            ReqwestTransport::new(endpoint.clone(), how).map_err(|source| crate::client::Error::NotSent { source })?;
        let mut client =
            Client::new(endpoint, Box::new(transport), Box::new(SystemClock::new()), self.interrupt.clone());
        if options.verbose {
            client.set_trace(Some(Box::new(io::stderr())), secrets(options), self.known_secrets());
        }
        Ok(client)
    }

    /// Forgets the connection to the node that the options mean; the next use makes another.
    pub(super) fn forget_node(&mut self, options: &Options) -> Result<(), Error> {
        let key = self.key(options)?;
        self.nodes.retain(|node| node.key != key);
        Ok(())
    }

    /// Gives a node the credentials of the environment, or else the stored ones.
    fn give_credentials(&mut self, node: &mut Node, url: &str) -> Result<(), Error> {
        let preferences = self.contexts()?.preferences(node.context.as_deref());
        let is_meant = self.environment_is_for(url)?;
        let variables = &self.environment.variables;
        if let Some(session) = variables.session_uuid.as_ref().filter(|_| is_meant) {
            node.client.set_credentials(Credentials::Session(session.clone()));
            node.has_foreign_session = true;
            return Ok(());
        }
        let key = variables.access_key_id.as_ref().zip(variables.access_key_secret.as_ref());
        if let Some((id, secret)) = key.filter(|_| is_meant) {
            let zone = preferences.time_zone;
            let key = AccessKey { id: id.clone(), secret: secret.clone(), zone: login::zone(zone.as_deref()) };
            node.client.set_credentials(Credentials::AccessKey(key));
            return Ok(());
        }
        let stored = match &node.owner {
            Some(owner) => self.credentials(owner)?.load(owner, url)?,
            None => None,
        };
        if let Some(who) = LogIn::of_preferences(&preferences) {
            node.account = Some(who.name().to_owned());
            node.log_in = who;
        }
        let mut may_renew = true;
        if let Some(entry) = stored {
            node.single_run = false;
            if let Some(owner) = &node.owner {
                node.share_session(self.credentials(&owner.clone())?, &entry);
            }
            // Nobody else's session is put in the place of one that expired.
            match LogIn::of_stored(entry.api.as_deref(), &entry.who) {
                Some(who) => node.log_in = who,
                None => may_renew = false,
            }
            node.account = entry.who.label();
            node.client.set_credentials(match entry.login {
                Login::Session { uuid, .. } => Credentials::Session(uuid),
                Login::AccessKey { id, secret, time_zone } => {
                    Credentials::AccessKey(AccessKey { id, secret, zone: login::zone(time_zone.as_deref()) })
                }
            });
        }
        if may_renew && is_meant && self.environment.variables.password.is_some() {
            let log_in = self.log_in_from_environment(&node.log_in)?;
            node.client.set_log_in(Some(log_in));
        }
        Ok(())
    }

    /// Whether the credentials of the environment are meant for the node at that URL: the one that the program was
    /// started for, unless `--context` names it and the environment names another. Lines that name further nodes,
    /// and jobs that run on such, do without.
    fn environment_is_for(&mut self, url: &str) -> Result<bool, Error> {
        if self.started_for()?.as_deref() != Some(url) {
            return Ok(false);
        }
        if self.options.context.is_none() || self.environment.variables.node().is_none() {
            return Ok(true);
        }
        let contexts = settings::loaded(&mut self.contexts, &self.environment)?;
        let of_environment = choose_node(&NodeChoice::default(), &self.environment.variables, contexts)?;
        Ok(self.endpoint_of(&of_environment.address)?.base() == url)
    }

    /// The node that the program was started for; `None` where that is the sandbox.
    pub(super) fn started_for(&mut self) -> Result<Option<String>, Error> {
        if self.started_for.is_none() {
            let options = self.options.clone();
            let base = match options.sandbox {
                true => None,
                false => {
                    let address = self.selection(&options)?.address;
                    Some(self.endpoint_of(&address)?.base().to_owned())
                }
            };
            self.started_for = Some(base);
        }
        Ok(self.started_for.clone().flatten())
    }

    /// Where the sandbox keeps its state.
    pub(super) fn sandbox_directory(&self) -> Result<PathBuf, Error> {
        Ok(self.environment.folders()?.data.join("sandbox"))
    }

    fn start_sandbox(&self, options: &Options) -> Result<Running, Error> {
        let running = sandbox::start(sandbox::Options {
            database: Database::Directory(self.sandbox_directory()?),
            ..sandbox::Options::default()
        })?;
        for file in running.set_aside() {
            self.say(options, &format!("warning: a damaged sandbox was set aside as {}", file.display()));
        }
        Ok(running)
    }

    /// Ends what was opened for this run alone.
    pub(super) fn close(&mut self) {
        // Whoever pressed Ctrl-C still wants the session of the run closed.
        self.interrupt.clear();
        for mut node in std::mem::take(&mut self.nodes) {
            let Some(session) = node.client.take_renewed_session() else { continue };
            node.client.end_session(&session.uuid);
        }
        self.interrupt.end_by_signal();
    }
}
