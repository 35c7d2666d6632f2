//! Members of records within a row, for `fields=` and `--columns`: `vmNics.ip`.

use crate::catalog::{Catalog, Inventory};

use super::candidate::{Candidate, Group, Kind};
use super::describe;
use super::engine::Shelf;

/// Follows the path that begins at byte `start` of a text into the records that it leads to. The answer is where the last
/// name of the path begins, and the inventory that has it.
pub(super) fn descend(catalog: Catalog, inventory: Inventory, text: &str, start: usize) -> Option<(usize, Inventory)> {
    let (mut start, mut inventory) = (start, inventory);
    while let Some((head, _)) = text[start..].split_once('.') {
        inventory = catalog.inventory(inventory.field(head)?.kind.record()?)?;
        start += head.len() + 1;
    }
    Some((start, inventory))
}

/// Offers the fields that hold records, to go on with one of their members.
pub(super) fn offer(inventory: &Inventory, shelf: &mut Shelf<'_>) {
    for field in &inventory.fields {
        let Some(target) = field.kind.record() else { continue };
        shelf.offer(field.name, || {
            let told = describe::relation(target);
            Candidate::new(field.name, Kind::Expanded, Group::Expanded).describe(told).open(".")
        });
    }
}
