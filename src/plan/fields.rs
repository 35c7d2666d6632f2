//! `fields=`: what the node selects and what the shell does.

use crate::catalog::{Field, Inventory, Type};

/// Members that the node computes when it builds a row: it cannot select or sort by them (Q20).
///
/// Source: Q20; the capacities of hosts and primary storages stand in tables of their own.
const COMPUTED: [(&str, &[&str]); 2] = [
    (
        "Host",
        &[
            "totalCpuCapacity",
            "availableCpuCapacity",
            "cpuSockets",
            "totalMemoryCapacity",
            "availableMemoryCapacity",
            "cpuNum",
        ],
    ),
    (
        "PrimaryStorage",
        &[
            "totalCapacity",
            "availableCapacity",
            "totalPhysicalCapacity",
            "availablePhysicalCapacity",
            "systemUsedCapacity",
        ],
    ),
];

/// Whether the node can select and sort by a member of an inventory: a stored scalar.
pub(super) fn is_stored(inventory: &Inventory, field: &Field) -> bool {
    let scalar = !matches!(field.kind, Type::List(_) | Type::Map(_) | Type::Any)
        && !matches!(field.kind, Type::Named(name) if name.ends_with("Inventory"));
    let kind = inventory.name.trim_end_matches("Inventory");
    let computed = COMPUTED.iter().any(|(family, names)| kind.ends_with(family) && names.contains(&field.name));
    scalar && !computed && !field.unqueryable
}
