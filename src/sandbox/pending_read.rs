//! Reads that are not queries, which run in threads of their own as queries do.

use std::sync::Arc;

use super::answer::Answer;
use super::arguments::Arguments;
use super::calls::Caller;
use super::change::{Change, Handler, work_of};
use super::clock::UnixMillis;
use super::node::Node;
use super::reply_schema;
use super::store::Store;
use crate::catalog::{Api, Catalog};

/// A read that was admitted and is still to be run.
#[derive(Clone, Debug)]
pub(super) struct PendingRead {
    catalog: Catalog,
    api: Api,
    arguments: Arguments,
    caller: Caller,
    work: Handler,
    now: UnixMillis,
    wants_schema: bool,
}

impl Node {
    /// The read of a synchronous call; `None` for calls that need the node itself.
    pub(super) fn pending_read(
        &self,
        api: &Api,
        arguments: &Arguments,
        caller: &Caller,
        wants_schema: bool,
    ) -> Option<PendingRead> {
        let work = work_of(self.catalog, api)?;
        let (api, arguments, caller) = (api.clone(), arguments.clone(), caller.clone());
        Some(PendingRead { catalog: self.catalog, api, arguments, caller, work, now: self.now(), wants_schema })
    }
}

impl PendingRead {
    /// Runs the read.
    pub(super) async fn run(self, store: Arc<Store>) -> Answer {
        let answer = tokio::task::spawn_blocking(move || {
            let reply = store.read(|tx| {
                let change = Change::at(self.now, self.catalog, tx, &self.api, &self.arguments, &self.caller);
                change.check_permission()?;
                (self.work)(&change)
            });
            let mut answer = Answer::of(reply);
            if self.wants_schema {
                reply_schema::add(self.catalog, &self.api, &mut answer);
            }
            answer
        });
        answer.await.unwrap_or_else(|_| Answer::text(500, ""))
    }
}

#[cfg(test)]
mod tests {
    use super::super::clock::UnixMillis;
    use super::super::ledger::Ledger;
    use super::super::node::{ReceivedRequest, Reply};
    use super::super::options::Options;
    use super::super::store::{ADMIN_ACCOUNT, Store};
    use super::*;

    #[test]
    fn only_calls_that_need_the_node_are_answered_by_it() {
        let ledger = Ledger::in_memory().expect("a ledger");
        let session = ledger.open_session(ADMIN_ACCOUNT, ADMIN_ACCOUNT, true, UnixMillis::now(), 60_000);
        let authorization = Some(format!("OAuth {}", session.expect("a session").uuid));
        let mut node = Node::new(Store::in_memory().expect("a store"), ledger, Options::default(), None);
        let mut is_ready = |verb: &str, path: &str, body: &str| {
            let received = ReceivedRequest {
                verb: verb.to_owned(),
                target: format!("/zstack/v1{path}"),
                authorization: authorization.clone(),
                body: body.as_bytes().to_vec(),
                ..ReceivedRequest::default()
            };
            let entry = node.enter(&received);
            matches!(node.answer(&received, &entry).reply, Reply::Ready(_))
        };
        assert!(!is_ready("GET", "/ip-capacity?all=true", ""));
        assert!(!is_ready("GET", "/hosts/capacities/cpu-memory?all=true", ""));
        assert!(!is_ready("GET", "/zwatch/audits", ""));
        assert!(!is_ready("GET", "/zones", ""));
        assert!(is_ready("GET", "/management-nodes/ready", ""));
        assert!(is_ready("POST", "/zones", r#"{"params":{"name":"lab"}}"#));
        // What is wrong is said at once.
        assert!(is_ready("GET", "/hosts/capacities/cpu-memory?zoneUuids=none", ""));
    }
}
