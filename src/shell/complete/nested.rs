//! Members of records within a row, for `fields=` and `--columns`: `vmNics.ip`.

use crate::catalog::{Catalog, Inventory};

use super::candidate::{Candidate, CandidateKind, Group};
use super::describe;
use super::engine::CandidateList;

/// Follows the path that starts at byte `start` of a text into nested records. Returns the byte offset of its last
/// name, and the inventory that has that name.
pub(super) fn descend(catalog: Catalog, inventory: Inventory, text: &str, start: usize) -> Option<(usize, Inventory)> {
    let (mut start, mut inventory) = (start, inventory);
    while let Some((head, _)) = text[start..].split_once('.') {
        inventory = catalog.inventory(inventory.field(head)?.kind.record()?)?;
        start += head.len() + 1;
    }
    Some((start, inventory))
}

/// Offers the fields that hold records, each followed by `.` for one of their members.
pub(super) fn offer(inventory: &Inventory, found: &mut CandidateList<'_>) {
    for field in &inventory.fields {
        let Some(target) = field.kind.record() else { continue };
        found.offer(field.name, || {
            let told = describe::relation(target);
            Candidate::new(field.name, CandidateKind::Expanded, Group::Expanded).describe(told).open(".")
        });
    }
}
