//! A node that the program is connected to.

use crate::client::Client;
use crate::config::Owner;
use crate::sandbox::Running;

use super::log_in::{ADMIN, LogIn};
use super::settings::Target;

/// The nodes that are connected; more than one only where lines name others.
#[derive(Default)]
pub(crate) struct Nodes {
    pub(super) connected: Vec<Node>,
}

/// A node with the client that calls it.
pub(crate) struct Node {
    pub(crate) client: Client,
    pub(super) target: Target,
    /// The sandbox that is the node, where it is one; it ends with this.
    pub(super) _sandbox: Option<Running>,
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
    /// A node with whose credentials nothing was done yet.
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
        }
    }

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
