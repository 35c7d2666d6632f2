//! What the catalog knows of a reply's rows, in the renderers' terms.

use crate::catalog::{Api, Catalog, Inventory, Type};
use crate::render::{Field, FieldKind, Shape};
use crate::secret;

/// The shape of rows of an inventory.
pub(super) fn of_inventory(inventory: &Inventory) -> Shape {
    Shape { inventory: Some(inventory.name.to_owned()), fields: fields(inventory), results: Vec::new() }
}

/// The shape of what a call that is no query returns: its `inventory` or `inventories`, where the catalog knows.
pub(super) fn of_api(catalog: Catalog, api: &Api) -> Shape {
    let named = api.inventory.or_else(|| {
        let member = api.result.iter().find(|member| member.name == "inventory" || member.name == "inventories")?;
        match Type::parse(member.type_name) {
            Type::Named(name) => Some(name),
            Type::List(Some(element)) => match *element {
                Type::Named(name) => Some(name),
                _ => None,
            },
            _ => None,
        }
    });
    named.and_then(|name| catalog.inventory(name)).map(|inventory| of_inventory(&inventory)).unwrap_or_default()
}

/// The shape of rows of which only some members, in this order, were asked for.
pub(super) fn selected(shape: &Shape, names: &[String]) -> Shape {
    let fields = names
        .iter()
        .map(|name| {
            let known = shape.field(name).cloned();
            known.unwrap_or_else(|| Field { name: name.clone(), kind: FieldKind::Unknown, secret: false })
        })
        .collect();
    // Without the inventory's name its default columns have no say: what was asked for is what is shown.
    Shape { fields, ..Shape::default() }
}

fn fields(inventory: &Inventory) -> Vec<Field> {
    let is_session = inventory.name == "SessionInventory";
    inventory
        .fields
        .iter()
        .map(|field| Field {
            name: field.name.to_owned(),
            kind: kind(&field.kind),
            // Whoever knows a session's uuid is that session.
            secret: secret::member_is_secret(field.name) || (is_session && field.name == "uuid"),
        })
        .collect()
}

fn kind(kind: &Type) -> FieldKind {
    match kind {
        Type::String => FieldKind::Text,
        Type::Int => FieldKind::Integer,
        Type::Long => FieldKind::Long,
        Type::Double => FieldKind::Decimal,
        Type::Bool => FieldKind::Bool,
        Type::Timestamp => FieldKind::Time,
        Type::List(_) | Type::Map(_) => FieldKind::Nested,
        Type::Named(name) if name.ends_with("Inventory") => FieldKind::Nested,
        // An enum's name.
        Type::Named(_) => FieldKind::Text,
        Type::Any => FieldKind::Unknown,
    }
}
