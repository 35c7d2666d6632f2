//! Behaviour seen on running nodes that the catalog does not describe: `facts.json`.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde::Deserialize;

const TEXT: &str = include_str!("data/facts.json");

/// Members by inventory.
type Members<'a> = HashMap<&'a str, Vec<&'a str>>;

/// Facts about single APIs and inventories. An inventory's facts apply to its specialised inventories too.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Facts<'a> {
    /// Inventories without a total (R15).
    #[serde(borrow)]
    uncounted: Vec<&'a str>,
    /// Members that are 0 or false instead of absent when they were not requested (R4).
    #[serde(borrow)]
    primitive: Members<'a>,
}

impl Facts<'_> {
    pub(super) fn is_uncounted(&self, inventory: &str) -> bool {
        self.uncounted.contains(&inventory)
    }

    pub(super) fn is_primitive(&self, inventory: &str, member: &str) -> bool {
        has(&self.primitive, inventory, member)
    }
}

fn has(members: &Members<'_>, inventory: &str, member: &str) -> bool {
    members.get(inventory).is_some_and(|names| names.contains(&member))
}

/// The facts. Their text is compiled in, and a test parses it.
pub(super) fn facts() -> &'static Facts<'static> {
    static FACTS: OnceLock<Facts<'static>> = OnceLock::new();
    FACTS.get_or_init(|| serde_json::from_str(TEXT).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn the_facts_are_about_what_the_catalog_has() {
        let facts: Facts<'_> = serde_json::from_str(TEXT).expect("the facts are JSON");
        for name in &facts.uncounted {
            assert!(Catalog::newest().inventory(name).is_some(), "{name}");
        }
        for (inventory, members) in &facts.primitive {
            let inventory = Catalog::newest().inventory(inventory).expect("an inventory of the catalog");
            for member in members {
                assert!(inventory.field(member).is_some(), "{} {member}", inventory.name);
            }
        }
    }
}
