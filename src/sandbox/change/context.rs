//! The context of a handler: the call, the caller, the transaction.

use std::time::Instant;

use serde_json::Value;

use super::super::answer::Failure;
use super::super::arguments::Arguments;
use super::super::calls::Caller;
use super::super::checks::is_uuid;
use super::super::clock::UnixMillis;
use super::super::node::Node;
use super::super::store::{Row, Scalar, Transaction};
use super::subject;
use crate::catalog::{Api, Catalog};

/// The implementation of an API. `Err` rolls its changes back.
pub(in super::super) type Handler = fn(&Change<'_>) -> Result<String, Failure>;

/// Does a part of an API's work until a point in time; `true` if the handler can do the rest at once.
pub(in super::super) type Part = fn(&Change<'_>, Instant) -> Result<bool, Failure>;

/// Resources that no account owns.
const UNOWNED: [&str; 11] = [
    "AccountInventory",
    "BackupStorageInventory",
    "ClusterInventory",
    "HostInventory",
    "IpRangeInventory",
    "L2NetworkInventory",
    "PolicyInventory",
    "PrimaryStorageInventory",
    "UserGroupInventory",
    "UserInventory",
    "ZoneInventory",
];

/// The call that is carried out, and its transaction. Reads use it too.
pub(in super::super) struct Change<'a> {
    pub(in super::super) tx: &'a Transaction<'a>,
    pub(in super::super) catalog: Catalog,
    pub(in super::super) api: &'a Api,
    pub(in super::super) arguments: &'a Arguments,
    pub(in super::super) caller: &'a Caller,
    pub(in super::super) now: UnixMillis,
}

impl<'a> Change<'a> {
    pub(super) fn new(
        node: &Node,
        tx: &'a Transaction<'a>,
        api: &'a Api,
        arguments: &'a Arguments,
        caller: &'a Caller,
    ) -> Self {
        Change::at(node.now(), node.catalog, tx, api, arguments, caller)
    }

    pub(in super::super) fn at(
        now: UnixMillis,
        catalog: Catalog,
        tx: &'a Transaction<'a>,
        api: &'a Api,
        arguments: &'a Arguments,
        caller: &'a Caller,
    ) -> Self {
        Change { tx, catalog, api, arguments, caller, now }
    }
}

impl Change<'_> {
    /// The text of a parameter; empty if it is absent. Required ones were checked before.
    pub(in super::super) fn text(&self, parameter: &str) -> &str {
        self.arguments.text(parameter).unwrap_or_default()
    }

    /// The resource with that uuid.
    pub(in super::super) fn get(&self, inventory: &str, uuid: &str) -> Result<Row, Failure> {
        self.tx.get(inventory, uuid)?.ok_or_else(|| {
            let kind = inventory.strip_suffix("Inventory").unwrap_or(inventory);
            Failure::not_found(format!("there is no resource[uuid:{uuid}, type:{kind}]"))
        })
    }

    /// The resource that a row refers to in one of its members.
    pub(in super::super) fn referred(&self, inventory: &str, row: &Row, field: &str) -> Result<Option<Row>, Failure> {
        match row.text(field) {
            Some(uuid) => Ok(self.tx.get(inventory, uuid)?),
            None => Ok(None),
        }
    }

    /// The rows with these values.
    pub(in super::super) fn find(&self, inventory: &str, conditions: &[(&str, &str)]) -> Result<Vec<Row>, Failure> {
        let conditions: Vec<_> = conditions.iter().map(|(field, value)| (*field, Scalar::from(*value))).collect();
        Ok(self.tx.find_where(inventory, &conditions)?)
    }

    /// The reply `{"inventory": {..}}`.
    pub(super) fn reply(&self, inventory: &str, uuid: &str) -> Result<String, Failure> {
        let json = self.tx.inventory_json(inventory, uuid)?.unwrap_or_else(|| "{}".to_owned());
        Ok(format!("{{\"inventory\":{json}}}"))
    }

    /// Creates a resource, owned by the caller unless it belongs to the platform or is an account.
    pub(super) fn insert(&self, inventory: &str, row: &Row) -> Result<(), Failure> {
        self.check_quotas(inventory, None, row)?;
        self.tx.insert(inventory, row)?;
        let uuid = row.text("uuid").filter(|_| !UNOWNED.contains(&self.root(inventory).as_str()));
        if let Some(uuid) = uuid {
            self.tx.set_owner(uuid, &self.resource_type(inventory), &self.caller.account)?;
        }
        Ok(())
    }

    /// Ordinary accounts may change their own resources and use shared ones, but not resources of the platform (Q23).
    pub(in super::super) fn check_permission(&self) -> Result<(), Failure> {
        if self.caller.is_admin || self.caller.account.is_empty() {
            return Ok(());
        }
        let denied = |why: String| Err(Failure::refused(format!("permission denied: {why}")));
        if subject::is_platforms(self.api.name) {
            return denied(format!("only the administrator may call {}", self.api.name));
        }
        for parameter in &self.api.parameters {
            let is_subject = matches!(parameter.name, "uuid" | "vmInstanceUuid" | "volumeUuid" | "vmNicUuid");
            let uuids = self.arguments.text(parameter.name).into_iter().chain(self.arguments.texts(parameter.name));
            for uuid in uuids.filter(|uuid| is_uuid(uuid)) {
                let is_others = self.tx.owner(uuid)?.is_some_and(|owner| owner != self.caller.account);
                if is_others && (is_subject || !self.is_shared(uuid)?) {
                    return denied(format!("the resource[uuid:{uuid}] is another account's"));
                }
            }
        }
        Ok(())
    }

    /// Whether a resource is shared with the caller.
    fn is_shared(&self, uuid: &str) -> Result<bool, Failure> {
        let shares = self.find("SharedResourceInventory", &[("resourceUuid", uuid)])?;
        Ok(shares.iter().any(|share| {
            share.get("toPublic").as_integer() == Some(1)
                || share.text("receiverAccountUuid") == Some(&self.caller.account)
        }))
    }
}

/// A value of a call in its stored form.
pub(super) fn scalar(value: &Value) -> Scalar {
    match value {
        Value::Null => Scalar::Null,
        Value::Bool(value) => Scalar::Bool(*value),
        Value::Number(number) => {
            number.as_i64().map_or_else(|| Scalar::Double(number.as_f64().unwrap_or_default()), Scalar::Integer)
        }
        Value::String(text) => Scalar::Text(text.clone()),
        Value::Array(_) | Value::Object(_) => Scalar::Text(value.to_string()),
    }
}
