//! Accounts, ownership and sharing, quotas and global settings.

use serde_json::Value;

use super::super::answer::Failure;
use super::super::store::{ADMIN_ACCOUNT, Row, Scalar};
use super::{Change, Handler, allocate};

/// The APIs of accounts and settings with a handler of their own.
pub(super) const WORK: &[(&str, Handler)] = &[
    ("ChangeResourceOwner", change_owner),
    ("ResetGlobalConfig", reset_config),
    ("RevokeResourceSharing", revoke),
    ("ShareResource", share),
    ("UpdateAccount", update_account),
    ("UpdateGlobalConfig", update_config),
    ("UpdateQuota", update_quota),
    ("UpdateUser", update_user),
];

const SHARED: &str = "SharedResourceInventory";

fn update_account(change: &Change<'_>) -> Result<String, Failure> {
    change.update_login("AccountInventory")
}

fn update_user(change: &Change<'_>) -> Result<String, Failure> {
    change.update_login("UserInventory")
}

/// Changes the value of a setting, which has an effect if the sandbox uses it.
fn update_config(change: &Change<'_>) -> Result<String, Failure> {
    let (category, name) = (change.text("category"), change.text("name"));
    let condition = [("category", Scalar::from(category)), ("name", Scalar::from(name))];
    let found = change.tx.find_where("GlobalConfigInventory", &condition)?;
    let row = found
        .first()
        .ok_or_else(|| Failure::argument(format!("there is no global config[category:{category}, name:{name}]")))?;
    let value = change.arguments.text("value").or_else(|| row.text("defaultValue")).unwrap_or_default();
    check_config(category, name, row.text("defaultValue").unwrap_or_default(), value)?;
    change.tx.update_where("GlobalConfigInventory", &condition, &Row::new().with("value", value))?;
    let mut inventory = serde_json::Map::new();
    for (field, scalar) in row.iter() {
        let json = match scalar {
            Scalar::Text(text) => Value::from(text.as_str()),
            Scalar::Integer(number) => Value::from(*number),
            _ => continue,
        };
        inventory.insert(field.to_owned(), json);
    }
    inventory.insert("value".into(), value.into());
    Ok(serde_json::json!({ "inventory": inventory }).to_string())
}

/// Fails for a value that a setting cannot have: its default tells the type.
fn check_config(category: &str, name: &str, default: &str, value: &str) -> Result<(), Failure> {
    const POLICIES: [&str; 5] = ["Direct", "Delay", "Never", "KeepVolume", "DBOnly"];
    let bad = |wanted: &str| {
        Err(Failure::argument(format!("the value[{value}] of the global config[{category}, {name}] is not {wanted}")))
    };
    let number = |text: &str| text.parse::<f64>().is_ok();
    let size = |text: &str| allocate::bytes(text).is_some();
    match default {
        _ if name == "deletionPolicy" && !POLICIES.contains(&value) => bad("one of [Direct, Delay, Never]"),
        "true" | "false" if !matches!(value, "true" | "false") => bad("a boolean"),
        _ if default.parse::<i64>().is_ok() && !size(value) && !number(value) => bad("a number"),
        _ if number(default) && !number(value) => bad("a number"),
        _ if size(default) && !size(value) => bad("a size, such as 1G"),
        _ => Ok(()),
    }
}

/// Resets all settings.
fn reset_config(change: &Change<'_>) -> Result<String, Failure> {
    for row in change.find("GlobalConfigInventory", &[])? {
        let condition = [("category", row.get("category").clone()), ("name", row.get("name").clone())];
        let value = Row::new().with("value", row.get("defaultValue").clone());
        change.tx.update_where("GlobalConfigInventory", &condition, &value)?;
    }
    Ok("{}".to_owned())
}

fn update_quota(change: &Change<'_>) -> Result<String, Failure> {
    let (account, name) = (change.text("identityUuid"), change.text("name"));
    let found = change.find("QuotaInventory", &[("identityUuid", account), ("name", name)])?;
    let row = found
        .first()
        .ok_or_else(|| Failure::argument(format!("the account[uuid:{account}] has no quota of the name {name}")))?;
    let uuid = row.text("uuid").unwrap_or_default();
    let value = change.arguments.integer("value").unwrap_or_default();
    change.update("QuotaInventory", uuid, Row::new().with("value", value))?;
    change.reply("QuotaInventory", uuid)
}

fn change_owner(change: &Change<'_>) -> Result<String, Failure> {
    let (account, resource) = (change.text("accountUuid"), change.text("resourceUuid"));
    let kind = change.tx.kind_of(resource)?.ok_or_else(|| {
        Failure::not_found(format!("invalid field[resourceUuid], there is no resource[uuid:{resource}]"))
    })?;
    let row = change.get(&kind, resource)?;
    if account != ADMIN_ACCOUNT && change.tx.owner(resource)?.as_deref() != Some(account) {
        change.check_quotas_of(account, &kind, None, &row)?;
    }
    change.tx.set_owner(resource, &change.resource_type(&kind), account)?;
    Ok(serde_json::json!({ "inventory": {
        "accountUuid": account,
        "resourceUuid": resource,
        "resourceType": change.resource_type(&kind),
    } })
    .to_string())
}

fn share(change: &Change<'_>) -> Result<String, Failure> {
    let is_public = change.arguments.get("toPublic").and_then(Value::as_bool) == Some(true);
    let receivers: Vec<Scalar> = if is_public {
        vec![Scalar::Null]
    } else {
        change.arguments.texts("accountUuids").into_iter().map(Scalar::from).collect()
    };
    for resource in change.arguments.texts("resourceUuids") {
        let kind = change.tx.kind_of(resource)?.unwrap_or_default();
        let owner = change.tx.owner(resource)?.unwrap_or_else(|| change.caller.account.clone());
        for receiver in &receivers {
            let condition = [("resourceUuid", Scalar::from(resource)), ("receiverAccountUuid", receiver.clone())];
            if !change.tx.find_where(SHARED, &condition)?.is_empty() {
                continue;
            }
            let row = Row::new()
                .with("ownerAccountUuid", owner.as_str())
                .with("receiverAccountUuid", receiver.clone())
                .with("toPublic", is_public)
                .with("resourceType", change.resource_type(&kind))
                .with("resourceUuid", resource)
                .with("createDate", change.now.to_stored())
                .with("lastOpDate", change.now.to_stored());
            change.tx.insert(SHARED, &row)?;
        }
    }
    Ok("{}".to_owned())
}

fn revoke(change: &Change<'_>) -> Result<String, Failure> {
    let is_set = |name: &str| change.arguments.get(name).and_then(Value::as_bool) == Some(true);
    for resource in change.arguments.texts("resourceUuids") {
        let resource = ("resourceUuid", Scalar::from(resource));
        if is_set("all") {
            change.tx.delete_where(SHARED, &[resource])?;
            continue;
        }
        if is_set("toPublic") {
            change.tx.delete_where(SHARED, &[resource.clone(), ("toPublic", Scalar::Bool(true))])?;
        }
        for account in change.arguments.texts("accountUuids") {
            change.tx.delete_where(SHARED, &[resource.clone(), ("receiverAccountUuid", Scalar::from(account))])?;
        }
    }
    Ok("{}".to_owned())
}

impl Change<'_> {
    /// Changes an account; a password only if the given old one is correct.
    pub(super) fn update_login(&self, inventory: &str) -> Result<String, Failure> {
        // Without a uuid the caller's account is changed.
        let uuid = self.arguments.text("uuid").unwrap_or(&self.caller.account);
        let row = self.get(inventory, uuid)?;
        let own = row.text("accountUuid").unwrap_or(uuid);
        if !self.caller.is_admin && own != self.caller.account {
            return Err(Failure::refused(format!("permission denied: [uuid:{uuid}] is another account's")));
        }
        let old = self.arguments.text("oldPassword");
        if old.is_some() && row.text("password") != old {
            return Err(Failure::refused("the old password is wrong"));
        }
        let changes = self.members(inventory)?;
        self.update(inventory, uuid, changes)?;
        self.reply(inventory, uuid)
    }
}
