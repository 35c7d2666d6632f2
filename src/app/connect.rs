//! The node that the program talks to.

use std::path::PathBuf;

use crate::cli::Options;
use crate::client::{
    Client, Credentials, Endpoint, ProxyOptions, ReqwestTransport, SystemClock, TlsOptions, TransportOptions,
};
use crate::error::Error;
use crate::sandbox::{self, Database, Running};
use crate::secret::Secret;

use super::App;

/// A node with the client that calls it.
pub(super) struct Node {
    pub(super) client: Client,
    /// The sandbox that is the node, where it is one; it ends with this.
    pub(super) sandbox: Option<Running>,
}

impl App {
    /// The node that the options mean, connected on first use.
    pub(super) fn node(&mut self, options: &Options) -> Result<&mut Node, Error> {
        if self.node.is_none() {
            self.node = Some(self.connect(options)?);
        }
        self.node.as_mut().ok_or(Error::Empty)
    }

    fn connect(&self, options: &Options) -> Result<Node, Error> {
        let sandbox = if options.sandbox { Some(self.start_sandbox()?) } else { None };
        let endpoint = match &sandbox {
            Some(sandbox) => Endpoint::parse(&sandbox.base_url())?,
            None => self.endpoint(options)?,
        };
        let transport = ReqwestTransport::new(
            endpoint.clone(),
            TransportOptions {
                tls: TlsOptions { ca_file: options.cacert.clone(), insecure: options.insecure },
                proxies: ProxyOptions::default(),
                interrupt: self.interrupt.clone(),
            },
        )
        .map_err(|source| crate::client::Error::NotSent { source })?;
        let mut client =
            Client::new(endpoint, Box::new(transport), Box::new(SystemClock::new()), self.interrupt.clone());
        if let Some(sandbox) = &sandbox {
            client.set_credentials(Credentials::Session(Secret::new(sandbox.session_uuid().to_owned())));
        } else if let Some(session) = self.environment.variable("ZSTACK_SESSION_UUID") {
            client.set_credentials(Credentials::Session(Secret::new(session.to_owned())));
        }
        Ok(Node { client, sandbox })
    }

    fn endpoint(&self, options: &Options) -> Result<Endpoint, Error> {
        if let Some(url) = options.url.as_deref() {
            return Ok(Endpoint::parse(url)?);
        }
        let host = options.host.as_deref().unwrap_or("localhost");
        Ok(Endpoint::of_host(host, options.port.unwrap_or(8080))?)
    }

    /// Where the sandbox keeps its state.
    pub(super) fn sandbox_directory(&self) -> PathBuf {
        self.environment.state.join("sandbox")
    }

    fn start_sandbox(&self) -> Result<Running, Error> {
        let options =
            sandbox::Options { database: Database::Directory(self.sandbox_directory()), ..sandbox::Options::default() };
        Ok(sandbox::start(options)?)
    }

    /// Ends what was opened for this run.
    pub(super) fn close(&mut self) {
        self.node = None;
    }
}
