//! The inventory that a query's conditions refer to.

use crate::catalog::{Api, Catalog, Inventory};
use crate::syntax::Operator;

use super::cursor::Argument;

/// Returns the inventory of a query's rows, narrowed by the conditions on its type field among `arguments` (Q14).
pub(crate) fn rows<'w>(
    catalog: Catalog,
    api: &Api,
    arguments: impl Iterator<Item = Argument<'w>> + Clone,
) -> Option<Inventory> {
    let mut inventory = catalog.inventory(api.inventory?)?;
    // A narrower inventory may have a type field of its own. Each field narrows once, so that the loop ends.
    let mut used = Vec::new();
    while let Some(field) = inventory.type_field().map(|field| field.name).filter(|name| !used.contains(name)) {
        let mut given = arguments.clone().filter(|it| it.operator == Operator::Equal && it.name == field);
        let Some(narrower) = given.find_map(|it| catalog.specialised(&inventory, field, it.value)) else {
            break;
        };
        used.push(field);
        inventory = narrower;
    }
    Some(inventory)
}
