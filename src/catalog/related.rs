//! Fields that stand one relation away.

use super::fields::TAG_FIELDS;
use super::index::Catalog;
use super::inventory::{Field, Inventory};

impl Catalog {
    /// The fields of the inventories that relations of `inventory` lead to, with their paths: `vmNics.ip` of a VM for a
    /// `wanted` that takes `ip`.
    pub(crate) fn related_fields(self, inventory: &Inventory, wanted: impl Fn(&str) -> bool) -> Vec<(String, Field)> {
        let mut found = Vec::new();
        for (relation, target, _) in inventory.relations() {
            let Some(target) = self.inventory(target) else { continue };
            let fields = target.comparable().filter(|field| wanted(field.name) && !TAG_FIELDS.contains(&field.name));
            found.extend(fields.map(|field| (format!("{relation}.{}", field.name), field.clone())));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_a_related_row_is_found() {
        let catalog = Catalog::newest();
        let vm = catalog.inventory("VmInstanceInventory").expect("it is known");
        let paths: Vec<String> = catalog.related_fields(&vm, |name| name == "ip").into_iter().map(|it| it.0).collect();
        assert_eq!(paths, ["vmNics.ip"]);
    }
}
