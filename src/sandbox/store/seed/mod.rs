//! The initial cloud: `cloud.json`, a list of rows for each inventory, and `global-configs.json`, the settings of a
//! node with their defaults by category and name. The times of records are seconds before the seeding.

mod bulk;

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use serde_json::{Map, Value as Json};

use super::ADMIN_ACCOUNT;
use super::change::Transaction;
use super::error::StoreError;
use super::row::{Row, Scalar};

pub(super) use bulk::insert_vms;

const CLOUD: &str = include_str!("../data/cloud.json");
const SETTINGS: &str = include_str!("../data/global-configs.json");

/// The creation date of rows without one.
const FOUNDED: &str = "2025-01-06 09:00:00";

/// The member with the time of a record, in milliseconds.
const RECORDED: &str = "createTime";

/// Adds the rows of the seed that the store does not have.
pub(super) fn insert_missing(tx: &Transaction<'_>) -> Result<(), StoreError> {
    let cloud: Map<String, Json> = serde_json::from_str(CLOUD).map_err(|error| StoreError::Seed(error.to_string()))?;
    let now = Timestamp::now().as_millisecond();
    for (inventory, rows) in &cloud {
        let shape = tx.shape(inventory)?;
        let stored = tx.stored_fields(inventory)?;
        let rows = rows.as_array().ok_or_else(|| StoreError::Seed(format!("{inventory} is no list")))?;
        for row in rows.iter().filter_map(Json::as_object) {
            let mut stored_row = Row::new();
            for date in ["createDate", "lastOpDate"] {
                if stored.contains(&date) {
                    stored_row.set(date, FOUNDED);
                }
            }
            for (name, value) in row {
                stored_row.set(name, scalar(value));
            }
            if let Some(seconds) = row.get(RECORDED).and_then(Json::as_i64) {
                stored_row.set(RECORDED, now + seconds * 1000);
            }
            if !is_present(tx, shape.name, row)? {
                tx.insert(inventory, &stored_row)?;
            }
        }
    }
    insert_missing_settings(tx)
}

/// Lets the administrator log in to rows that came without passwords, with the password of the seed.
pub(super) fn open_to_admin(tx: &Transaction<'_>) -> Result<(), StoreError> {
    const INVENTORY: &str = "AccountInventory";
    let cloud: Map<String, Json> = serde_json::from_str(CLOUD).map_err(|error| StoreError::Seed(error.to_string()))?;
    let accounts = cloud.get(INVENTORY).and_then(Json::as_array).into_iter().flatten();
    let is_admin = |account: &&Json| account.get("uuid").and_then(Json::as_str) == Some(ADMIN_ACCOUNT);
    let Some(admin) = accounts.filter_map(|account| is_admin(&account).then(|| account.as_object())?).next() else {
        return Err(StoreError::Seed("there is no administrator".to_owned()));
    };
    match tx.get(INVENTORY, ADMIN_ACCOUNT)? {
        Some(known) => {
            let password = admin.get("password").map_or(Scalar::Null, scalar);
            let changes = Row::new().with("password", password).with("lastOpDate", known.get("lastOpDate").clone());
            tx.update(INVENTORY, ADMIN_ACCOUNT, &changes)?;
        }
        None => {
            let mut row = Row::new();
            admin.iter().for_each(|(name, value)| row.set(name, scalar(value)));
            tx.insert(INVENTORY, &row)?;
        }
    }
    Ok(())
}

/// Adds missing settings, after those of the cloud, which have other values.
fn insert_missing_settings(tx: &Transaction<'_>) -> Result<(), StoreError> {
    const INVENTORY: &str = "GlobalConfigInventory";
    let settings: BTreeMap<&str, BTreeMap<&str, &str>> =
        serde_json::from_str(SETTINGS).map_err(|error| StoreError::Seed(error.to_string()))?;
    let present = tx.find_where(INVENTORY, &[])?;
    let mut id = present.iter().filter_map(|row| row.get("id").as_integer()).max().unwrap_or_default();
    let present: HashSet<_> = present.iter().map(|row| (row.text("category"), row.text("name"))).collect();
    for (category, names) in settings {
        for (name, value) in names {
            if !present.contains(&(Some(category), Some(name))) {
                id += 1;
                let row = Row::new().with("id", id).with("category", category).with("name", name);
                tx.insert(INVENTORY, &row.with("defaultValue", value).with("value", value))?;
            }
        }
    }
    Ok(())
}

/// Whether the store has the row: by uuid, or without one by all members except times and the value of a setting.
fn is_present(tx: &Transaction<'_>, inventory: &str, row: &Map<String, Json>) -> Result<bool, StoreError> {
    let conditions: Vec<(&str, Scalar)> = match row.get("uuid") {
        Some(uuid) => vec![("uuid", scalar(uuid))],
        None => {
            let changes = |name: &str| name.ends_with("Date") || name == "value" || name == RECORDED;
            let kept = row.iter().filter(|(name, _)| !changes(name));
            kept.map(|(name, value)| (name.as_str(), scalar(value))).collect()
        }
    };
    Ok(!tx.find_where(inventory, &conditions)?.is_empty())
}

fn scalar(value: &Json) -> Scalar {
    match value {
        Json::Null => Scalar::Null,
        Json::Bool(value) => Scalar::Bool(*value),
        Json::Number(number) => {
            number.as_i64().map_or_else(|| Scalar::Double(number.as_f64().unwrap_or_default()), Scalar::Integer)
        }
        Json::String(text) => Scalar::Text(text.clone()),
        Json::Array(_) | Json::Object(_) => Scalar::Text(value.to_string()),
    }
}
