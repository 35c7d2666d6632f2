//! Audits: a record of each call that changes something, and of each log-in (M8).

use serde_json::Value;

use super::answer::Failure;
use super::arguments::Arguments;
use super::change::{self, making};
use super::clock::UnixMillis;
use super::jobs::Job;
use super::node::Node;
use super::store::{Row, Scalar, class_of};
use crate::catalog::Api;
use crate::secret::mask_json;

/// The number of audits that are kept: with all of a big run the database would grow without end.
const KEPT: i64 = 1000;

/// The most characters of a request or a reply that an audit holds.
const LONGEST: usize = 16_000;

/// A call that is audited.
pub(super) struct Audited<'a> {
    api: &'a Api,
    arguments: &'a Arguments,
    /// The account that calls, if it is known.
    account: Option<String>,
    /// The address that the call comes from.
    client: Option<&'a str>,
    job: Option<&'a str>,
    began: UnixMillis,
    subject: Option<Subject>,
}

/// What a call is about.
struct Subject {
    inventory: &'static str,
    uuid: String,
    name: Option<String>,
}

/// Whether an API logs in or out: the only ones that are audited although they are no jobs.
pub(super) fn is_log_in(api: &str) -> bool {
    api.starts_with("Log")
}

impl Node {
    /// The call of a job, before it is made: it may delete what it is about.
    pub(super) fn audited_job<'a>(
        &self,
        job: &'a Job,
        api: &'a Api,
        arguments: &'a Arguments,
    ) -> Result<Audited<'a>, Failure> {
        let account = Some(job.account.clone()).filter(|account| !account.is_empty());
        let subject = self.subject(api, arguments)?;
        let (client, began) = (job.client.as_deref(), job.requested);
        Ok(Audited { api, arguments, account, client, job: Some(&job.uuid), began, subject })
    }

    /// A log-in or log-out, before it is made.
    pub(super) fn audited_log_in<'a>(
        &self,
        api: &'a Api,
        arguments: &'a Arguments,
        client: Option<&'a str>,
    ) -> Result<Audited<'a>, Failure> {
        let began = self.now();
        let session = self.ledger.session(arguments.text("sessionUuid").unwrap_or_default(), began)?;
        let account = session.map(|session| session.account);
        Ok(Audited { api, arguments, account, client, job: None, began, subject: None })
    }

    /// What the arguments of a call say that it is about.
    fn subject(&self, api: &Api, arguments: &Arguments) -> Result<Option<Subject>, Failure> {
        let Some((parameter, inventory)) = change::subject(self.catalog, api) else { return Ok(None) };
        let Some(uuid) = arguments.text(parameter) else { return Ok(None) };
        let row = self.store.read(|tx| tx.get(inventory, uuid))?;
        let name = row.and_then(|row| row.text("name").map(str::to_owned));
        Ok(Some(Subject { inventory, uuid: uuid.to_owned(), name }))
    }

    /// Records how a call ended.
    pub(super) fn audit(
        &self,
        call: Audited<'_>,
        outcome: &Result<String, Failure>,
        ended: UnixMillis,
    ) -> Result<(), Failure> {
        let reply: Value = outcome.as_ref().ok().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let made = &reply["inventory"];
        let text = |name: &str| made[name].as_str().map(str::to_owned);
        let (subject, account) = if is_log_in(call.api.name) {
            (None, call.account.or_else(|| text("accountUuid")))
        } else {
            let of_reply = || {
                let inventory = change::result_inventory(self.catalog, call.api)?;
                Some(Subject { inventory, uuid: text("uuid")?, name: text("name") })
            };
            // What is created is in the reply; its parents are in the arguments.
            let is_first = change::creates(call.api.name);
            let subject = if is_first { of_reply().or(call.subject) } else { call.subject.or_else(of_reply) };
            (subject, call.account)
        };
        let names: &[&str] =
            if is_log_in(call.api.name) { &["accountName", "userName", "username", "name"] } else { &[] };
        let tried = names.iter().find_map(|name| call.arguments.text(name));
        let request = Value::Object(making::without_mark(call.arguments)).to_string();
        self.store.transaction(|tx| {
            let account = account.map_or(Scalar::Null, Scalar::from);
            let caller = if account.is_null() { None } else { tx.find("AccountInventory", "uuid", &account)?.pop() };
            let operator = caller.map(|caller| caller.get("name").clone());
            let inventory = subject.as_ref().map_or("AccountInventory", |subject| subject.inventory);
            let root = tx.root(inventory)?;
            let class = class_of(root);
            let package = class.rsplit_once('.').map_or(class.as_str(), |(package, _)| package);
            let mut row = Row::new()
                .with("createTime", ended.0)
                .with("startTime", call.began.0)
                .with("duration", ended.0 - call.began.0)
                .with("apiName", format!("{package}.API{}Msg", call.api.name))
                .with("operator", operator.or(tried.map(Scalar::from)).unwrap_or(Scalar::Null))
                .with("operatorAccountUuid", account)
                .with("clientIp", call.client.map_or(Scalar::Null, Scalar::from))
                .with("requestUuid", call.job.map_or(Scalar::Null, Scalar::from))
                .with("requestDump", masked(&request))
                .with("success", outcome.is_ok());
            match outcome {
                Ok(reply) => row.set("responseDump", masked(reply)),
                Err(failure) => row.set("error", masked(&failure.to_text())),
            }
            if let Some(subject) = subject {
                row.set("resourceUuid", subject.uuid);
                row.set("resourceType", format!("{}VO", root.trim_end_matches("Inventory")));
                row.set("resourceName", subject.name.map_or(Scalar::Null, Scalar::from));
            }
            Ok(tx.append("AuditsInventory", &row, KEPT)?)
        })
    }
}

/// JSON without its secrets, and not longer than an audit may be.
fn masked(text: &str) -> String {
    mask_json(text.as_bytes()).chars().take(LONGEST).collect()
}
