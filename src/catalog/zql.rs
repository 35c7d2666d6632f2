//! What ZQL, the node's query language, calls the inventories (Z1).

use super::Catalog;

/// The entity that an inventory is called in ZQL: its name without `Inventory`, in lower case.
pub fn zql_entity(inventory: &str) -> String {
    inventory.strip_suffix("Inventory").unwrap_or(inventory).to_ascii_lowercase()
}

impl Catalog {
    /// The inventory that ZQL calls `entity`.
    pub fn zql_inventory(self, entity: &str) -> Option<&'static str> {
        let lower = entity.to_ascii_lowercase();
        self.inventory_names().find(|name| zql_entity(name) == lower)
    }

    /// The names that ZQL has for inventories.
    pub fn zql_entities(self) -> impl Iterator<Item = String> {
        self.inventory_names().map(zql_entity)
    }
}
