//! Paths in `fields=` and `--columns`: members of records within a row, and of rows that relations lead to.

use crate::catalog::{Catalog, Inventory};

use super::candidate::{Candidate, CandidateKind, Group};
use super::describe;
use super::engine::CandidateList;

/// Where a path has come to.
pub(super) struct Reached {
    /// The byte offset of its last name.
    pub(super) start: usize,
    /// The inventory that has that name.
    pub(super) inventory: Inventory,
    /// Whether a relation may follow.
    pub(super) relations: bool,
}

/// Follows the path at the end of a text into nested records, and through relations as soon as one may follow: always
/// in columns, which other queries complete, and in `fields=` within records. `None` where it leads nowhere.
pub(super) fn descend(catalog: Catalog, text: &str, from: Reached) -> Option<Reached> {
    let mut here = from;
    while let Some((head, _)) = text[here.start..].split_once('.') {
        let record = here.inventory.field(head).and_then(|field| field.kind.record());
        here.inventory = match record {
            Some(record) => catalog.inventory(record)?,
            None if here.relations => catalog.follow(&here.inventory, head)??,
            None => return None,
        };
        here.start += head.len() + 1;
        here.relations = true;
    }
    Some(here)
}

/// Returns the last names of the members of a list that begin with a path.
pub(super) fn given_below<'t>(path: &str, given: Vec<&'t str>) -> Vec<&'t str> {
    given.into_iter().filter_map(|member| member.strip_prefix(path)).collect()
}

/// Offers the fields that hold records and, where they may follow, the relations, each followed by `.`.
pub(super) fn offer(inventory: &Inventory, relations: bool, found: &mut CandidateList<'_>) {
    let records = inventory.fields.iter().filter_map(|field| Some((field.name, field.kind.record()?)));
    let related = inventory.relations().filter(|_| relations).map(|(name, target, _)| (name, target));
    let related = related.filter(|(name, _)| inventory.field(name).is_none());
    for (name, target) in records.chain(related) {
        found.offer(name, || {
            let told = describe::relation(target);
            Candidate::new(name, CandidateKind::Expanded, Group::Expanded).describe(told).open(".")
        });
    }
}
