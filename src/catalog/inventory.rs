//! Inventories: the records that a node returns, and what a condition may name in them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::api::Type;

/// A record that a node returns, such as `ZoneInventory`.
#[derive(Clone, Debug, Deserialize)]
pub struct Inventory {
    /// Its name; filled in by the catalog, since the line is keyed by it.
    #[serde(skip)]
    pub name: &'static str,
    /// The record's own members, in the server's order.
    pub fields: Vec<Field>,
    /// Fields that lead to another inventory.
    #[serde(default, borrow)]
    pub expanded: BTreeMap<&'static str, Expanded>,
    /// Short names for longer paths of expanded fields.
    #[serde(default, borrow)]
    pub aliases: BTreeMap<&'static str, Alias>,
    /// The general inventories that this one specialises.
    #[serde(default)]
    pub parents: Vec<Parent>,
    /// The parent class, where only the client side is public.
    #[serde(default)]
    pub extends: Option<&'static str>,
    /// The kind of resource that the record describes.
    #[serde(default)]
    pub resource: Option<&'static str>,
    /// `open` where the server's class is public, `sdk` where only the client side is known.
    pub source: &'static str,
    /// The first version that has it, where not all do.
    #[serde(default)]
    pub since: Option<&'static str>,
}

impl Inventory {
    /// The record's own member called exactly `name`.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The member whose value chooses a more specific inventory, where there is one.
    pub fn type_field(&self) -> Option<&Field> {
        self.fields.iter().find(|field| field.type_field)
    }
}

/// A member of an inventory.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// The member's name.
    pub name: &'static str,
    /// The type of its value.
    #[serde(rename = "type")]
    pub kind: Type,
    /// The values of a state or type field, where known.
    #[serde(default, borrow)]
    pub values: Vec<&'static str>,
    /// Whether its value chooses a more specific inventory.
    #[serde(default)]
    pub type_field: bool,
    /// Whether a condition may not name it.
    #[serde(default)]
    pub unqueryable: bool,
    /// The first version that has it, where not all do.
    #[serde(default)]
    pub since: Option<&'static str>,
}

/// A field that leads to another inventory: `vmNics` of a VM.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Expanded {
    /// Where it leads.
    pub inventory: &'static str,
    /// The member of this inventory that the two are joined by, where known.
    #[serde(default)]
    pub key: Option<&'static str>,
    /// The member of the other inventory that the two are joined by, where known.
    #[serde(default)]
    pub foreign_key: Option<&'static str>,
    /// Whether it works but is not offered to users.
    #[serde(default)]
    pub hidden: bool,
    /// Set for relations known only from an old client.
    #[serde(default)]
    pub source: Option<&'static str>,
    /// The first version that has it, where not all do.
    #[serde(default)]
    pub since: Option<&'static str>,
}

/// A short name for a longer path: `zone` for `zoneRef.zone`.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Alias {
    /// The path of expanded fields that it stands for.
    pub path: &'static str,
    /// Where it leads.
    pub inventory: &'static str,
}

/// A general inventory, and the value of its type field that means the special one.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Parent {
    /// The general inventory.
    pub inventory: &'static str,
    /// The value of its type field.
    #[serde(rename = "type")]
    pub type_value: &'static str,
}
