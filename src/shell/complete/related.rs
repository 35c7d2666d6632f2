//! Offers fields behind relations when the rows themselves have no field of the typed name.

use crate::catalog::{Catalog, Inventory};

use super::candidate::{Candidate, CandidateKind, Group};
use super::describe;
use super::engine::CandidateList;
use super::rank::Class;

/// The shortest text to search for, in bytes; with less too many fields would match.
const SHORTEST: usize = 2;

/// Offers the fields behind relations whose names start with what was typed, unless a candidate of the rows matches
/// well.
pub(super) fn offer(inventory: &Inventory, catalog: Catalog, found: &mut CandidateList<'_>) {
    let typed = found.typed().to_owned();
    if typed.len() < SHORTEST || found.best().is_some_and(|class| class < Class::Middle) {
        return;
    }
    let begins = |name: &str| name.get(..typed.len()).is_some_and(|start| start.eq_ignore_ascii_case(&typed));
    for (path, field) in catalog.related_fields(inventory, begins) {
        let told = describe::value(field.name, &field.kind, None);
        let candidate = Candidate::new(path, CandidateKind::Field, Group::Conditions).describe(told).open("=");
        found.put_related(field.name.len(), candidate);
    }
}
