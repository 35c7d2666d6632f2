//! Which members of an inventory a node can select and sort by.

use crate::catalog::{Field, Inventory, Type};

/// Whether the node can select a member: stored texts, numbers, booleans and dates, except those on which nodes are
/// known to fail (Q20, R5).
pub(super) fn is_selectable(inventory: &Inventory, field: &Field) -> bool {
    field.kind.is_scalar() && !field.unqueryable && !inventory.unselectable.contains(&field.name)
}

/// Whether the values of a member have an order at all.
pub(super) fn has_order(field: &Field) -> bool {
    !matches!(field.kind, Type::List(_) | Type::Map(_) | Type::Any) && field.kind.record().is_none()
}

/// Whether the node can sort by a member (Q20, R5).
pub(super) fn is_sortable(inventory: &Inventory, field: &Field) -> bool {
    has_order(field) && !field.unqueryable && !inventory.unsortable.contains(&field.name)
}
