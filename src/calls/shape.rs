//! Converts the catalog's knowledge of rows to shapes for the renderers.

use crate::catalog::{Api, Catalog, Inventory, Type};
use crate::plan::{Answer, Plan};
use crate::render::{Field, FieldKind, Selection, Shape};
use crate::secret;

use super::zql_results::COUNT;

/// The shape of rows of an inventory.
pub(crate) fn of_inventory(inventory: &Inventory) -> Shape {
    Shape { inventory: Some(inventory.name.to_owned()), fields: fields(inventory), results: Vec::new() }
}

/// The shape of the `inventory` or `inventories` of a call that is not a query, if the catalog knows it.
pub(crate) fn of_api(catalog: Catalog, api: &Api) -> Shape {
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

/// The shape of the rows of a plan, and the selected members.
pub(crate) fn of_plan(catalog: Catalog, planned: &Plan) -> (Shape, Option<Selection>) {
    let query = match planned {
        Plan::Query(query) => query,
        Plan::Call(request) => return (of_api_called(catalog, request.api), None),
    };
    let inventory = query.inventory.and_then(|name| catalog.inventory(name));
    // Rows that the catalog does not describe are rows, too.
    let unknown = || Shape { inventory: Some(query.api.to_owned()), ..Shape::default() };
    let whole = inventory.as_ref().map_or_else(unknown, of_inventory);
    if let Answer::Groups { field } = &query.answer {
        return (selected(&whole, &[field.clone(), COUNT.to_owned()]), None);
    }
    match &query.select {
        None => (whole, None),
        Some(names) => {
            let selection = Selection::parse(&names.join(",")).ok();
            (selected(&whole, names), selection)
        }
    }
}

/// As [`of_api`], for an API by its name.
pub(crate) fn of_api_called(catalog: Catalog, api: &str) -> Shape {
    catalog.api(api).map(|api| of_api(catalog, &api)).unwrap_or_default()
}

/// Whether the catalog knows a path in rows of an inventory of that name: through its members, its relations, and those
/// of the inventories that specialise it. If it does not describe the content of a member, any path is accepted.
pub(crate) fn knows(inventory: &str, path: &[String]) -> bool {
    let catalog = Catalog::newest();
    catalog.inventory(inventory).is_some_and(|inventory| leads(catalog, &inventory, path))
}

fn leads(catalog: Catalog, from: &Inventory, path: &[String]) -> bool {
    let Some((name, rest)) = path.split_first() else { return true };
    let goes_on = |target: Option<Inventory>| target.is_none_or(|target| leads(catalog, &target, rest));
    let is_member = from.field(name).is_some_and(|field| match &field.kind {
        _ if rest.is_empty() => true,
        Type::List(Some(element)) => leads_on(catalog, element).is_some_and(goes_on),
        kind => leads_on(catalog, kind).is_some_and(goes_on),
    });
    is_member
        || catalog.follow(from, name).is_some_and(goes_on)
        || catalog.specialisations(from).any(|(_, special)| leads(catalog, &special, path))
}

/// The inventory of a member of that type; the inner `None` is a map without description.
fn leads_on(catalog: Catalog, kind: &Type) -> Option<Option<Inventory>> {
    match kind {
        Type::Named(name) if catalog.enum_values(name).is_none() => Some(catalog.inventory(name)),
        Type::List(None) | Type::Map(_) | Type::Any => Some(None),
        _ => None,
    }
}

/// The shape of rows with selected members, in this order.
pub(crate) fn selected(shape: &Shape, names: &[String]) -> Shape {
    let fields = names
        .iter()
        .map(|name| {
            let known = shape.field(name).cloned();
            known.unwrap_or_else(|| Field { name: name.clone(), kind: FieldKind::Unknown, secret: false })
        })
        .collect();
    // Without the inventory's name, the selected members are shown and not its default columns.
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
            // The uuid of a session is a secret.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_known_through_relations_and_special_kinds() {
        let knows =
            |inventory: &str, path: &str| knows(inventory, &path.split('.').map(str::to_owned).collect::<Vec<_>>());
        for (inventory, path) in [
            ("ZoneInventory", "name"),
            ("VmInstanceInventory", "vmNics.ip"),
            ("VmInstanceInventory", "vmNics.l3Network.name"),
            ("VmInstanceInventory", "host.name"),
            ("L2NetworkInventory", "vlan"),
            // A virtual router is an appliance VM, which is a VM.
            ("VmInstanceInventory", "applianceVmType"),
        ] {
            assert!(knows(inventory, path), "{inventory} {path}");
        }
        for (inventory, path) in [
            ("ZoneInventory", "nme"),
            ("ZoneInventory", "name.x"),
            ("ZoneInventory", "state.x"),
            ("VmInstanceInventory", "vmNics.ipp"),
            ("L2NetworkInventory", "vmNics"),
            ("NoInventory", "name"),
        ] {
            assert!(!knows(inventory, path), "{inventory} {path}");
        }
    }
}
