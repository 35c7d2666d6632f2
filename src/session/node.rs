//! A node that the program is connected to.

use crate::client::{Client, NodeZone};
use crate::config::Owner;
use crate::sandbox::Running;

use super::log_in::{ADMIN, LogIn};
use super::settings::Target;

/// The connected nodes; more than one if lines name other nodes.
#[derive(Default)]
pub(crate) struct Nodes {
    pub(super) connected: Vec<Node>,
}

/// A node with the client that calls it.
pub(crate) struct Node {
    pub(crate) client: Client,
    pub(super) target: Target,
    /// The sandbox, if the node is one; it ends with this value.
    pub(super) _sandbox: Option<Running>,
    /// The owner of the credentials; `None` for the sandbox.
    pub(crate) owner: Option<Owner>,
    /// The account that is logged in, if known.
    pub(crate) account: Option<String>,
    /// The log-in for renewals.
    pub(crate) log_in: LogIn,
    /// Whether the session is the one of `ZSTACK_SESSION_UUID`.
    pub(crate) has_foreign_session: bool,
    /// Whether the user declined to log in.
    pub(crate) declined_log_in: bool,
    /// Whether a new session is for this run only.
    pub(crate) single_run: bool,
    /// Whether the other base, with or without `/zstack`, was tried.
    pub(super) was_turned: bool,
    /// Its time zone, as far as it was asked.
    pub(super) zone: Option<Option<NodeZone>>,
}

impl Node {
    /// A node without credentials.
    pub(super) fn new(client: Client, target: Target, owner: Option<Owner>) -> Node {
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
            zone: None,
        }
    }

    /// The node's time zone, for which it is asked once. `None` if it does not say.
    pub(crate) fn zone(&mut self) -> Option<NodeZone> {
        self.zone.get_or_insert_with(|| self.client.zone()).clone()
    }

    /// The name of the node for messages.
    pub(crate) fn name(&self) -> String {
        match &self.target.context {
            _ if self.target.is_sandbox() => "the sandbox".to_owned(),
            Some(context) if self.target.is_of_context => format!("context {context}"),
            _ => self.client.endpoint().authority(),
        }
    }

    /// The name in the prompt: the context, or the address if it is not that of the current context.
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

    /// The node of a target, if it is connected.
    pub(crate) fn known(&mut self, target: &Target) -> Option<&mut Node> {
        self.connected.iter_mut().find(|node| node.target.is_same(target))
    }

    /// Drops the connection to a node; the next use creates another one.
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
