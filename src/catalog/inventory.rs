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
    /// The members, in the server's order.
    pub fields: Vec<Field>,
    /// Fields that lead to another inventory.
    #[serde(default, borrow)]
    pub expanded: BTreeMap<&'static str, Expanded>,
    /// Short names for longer paths of expanded fields.
    #[serde(default, borrow)]
    pub aliases: BTreeMap<&'static str, Alias>,
    /// Members that a node cannot select, although it stores them or shows them in whole rows.
    #[serde(default, borrow)]
    pub unselectable: Vec<&'static str>,
    /// Members that a node cannot sort by.
    #[serde(default, borrow)]
    pub unsortable: Vec<&'static str>,
    /// Relations and tag fields on which a node fails.
    #[serde(default, borrow)]
    pub broken: Vec<&'static str>,
    /// The general inventories that this one specialises.
    #[serde(default)]
    pub parents: Vec<Parent>,
    /// The parent class, where only the client side is public.
    #[serde(default)]
    pub extends: Option<&'static str>,
    /// The first version that has it, where not all do.
    #[serde(default)]
    pub since: Option<&'static str>,
}

impl Inventory {
    /// Whether a node can select a member: stored texts, numbers, booleans and dates, except those on which nodes are
    /// known to fail (Q20, R5).
    pub fn can_select(&self, field: &Field) -> bool {
        field.kind.is_scalar() && !field.unqueryable && !self.unselectable.contains(&field.name)
    }

    /// Whether a node can sort by a member (Q20, R5).
    pub fn can_sort(&self, field: &Field) -> bool {
        field.has_order() && !field.unqueryable && !self.unsortable.contains(&field.name)
    }

    /// The record's own member called exactly `name`.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Whether a node fails on each query that goes through the relation or tag field called `name`.
    pub fn is_broken(&self, name: &str) -> bool {
        self.broken.contains(&name)
    }

    /// The relations offered to users, with their target and first version: expanded fields and aliases, except hidden
    /// and failing ones.
    pub fn relations(&self) -> impl Iterator<Item = (&'static str, &'static str, Option<&'static str>)> {
        let expanded = self.expanded.iter().filter(|(_, expanded)| !expanded.hidden);
        let expanded = expanded.map(|(name, expanded)| (*name, expanded.inventory, expanded.since));
        let aliases = self.aliases.iter().map(|(name, alias)| (*name, alias.inventory, None));
        expanded.chain(aliases).filter(|(name, ..)| !self.is_broken(name))
    }

    /// The members that a condition may compare. Nested records are relations, and a condition must name one of their
    /// members (R6).
    pub fn comparable(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| !field.unqueryable && field.kind.record().is_none())
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
    /// Whether a struct must have it in a request.
    #[serde(default)]
    pub required: bool,
    /// The first version that has it, where not all do.
    #[serde(default)]
    pub since: Option<&'static str>,
}

impl Field {
    /// Whether its values have an order.
    pub fn has_order(&self) -> bool {
        !matches!(self.kind, Type::List(_) | Type::Map(_) | Type::Any) && self.kind.record().is_none()
    }
}

/// A field that leads to another inventory: `vmNics` of a VM.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Expanded {
    /// The target.
    pub inventory: &'static str,
    /// The join member of this inventory, where known.
    #[serde(default)]
    pub key: Option<&'static str>,
    /// The join member of the other inventory, where known.
    #[serde(default)]
    pub foreign_key: Option<&'static str>,
    /// Whether it works but is not offered to users.
    #[serde(default)]
    pub hidden: bool,
    /// The first version that has it, where not all do.
    #[serde(default)]
    pub since: Option<&'static str>,
}

/// A short name for a longer path: `zone` for `zoneRef.zone`.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Alias {
    /// The path of expanded fields that it stands for.
    pub path: &'static str,
    /// The target.
    pub inventory: &'static str,
}

/// A general inventory, and the value of its type field that selects the special one.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Parent {
    /// The general inventory.
    pub inventory: &'static str,
    /// The value of its type field.
    #[serde(rename = "type")]
    pub type_value: &'static str,
}
