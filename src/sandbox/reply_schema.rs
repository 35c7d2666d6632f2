//! The `schema` of a reply: the Java class of each inventory in it, by its path (N6). Queries always have one;
//! other replies where `X-JSON-Schema` asks for it.

use serde_json::Value;

use super::answer::Answer;
use super::store::class_of;
use crate::catalog::{Api, Catalog, Inventory, Type};

/// The maximum nesting of inventories.
const DEEPEST: usize = 4;

/// Adds the schema to a result.
pub(super) fn add(catalog: Catalog, api: &Api, answer: &mut Answer) {
    if answer.status != 200 || api.is_query {
        return;
    }
    let Ok(Value::Object(members)) = serde_json::from_slice(&answer.body) else { return };
    let mut classes = Vec::new();
    for (name, value) in &members {
        let known = api.result.iter().find(|member| member.name == name);
        let Some(inventory) = known.and_then(|member| element(member.type_name)).and_then(|it| catalog.inventory(it))
        else {
            continue;
        };
        describe(catalog, &inventory, name, value, 1, &mut classes);
    }
    let schema = classes.iter().map(|(path, class)| format!("\"{path}\":\"{class}\"")).collect::<Vec<_>>().join(",");
    let rest = answer.body.get(1..).unwrap_or_default();
    let comma = if members.is_empty() { "" } else { "," };
    answer.body = [format!("{{\"schema\":{{{schema}}}{comma}").as_bytes(), rest].concat();
}

/// The inventory that a member's type names, alone or in a list.
fn element(type_name: &str) -> Option<&str> {
    let name = type_name.strip_prefix("list<").and_then(|rest| rest.strip_suffix('>')).unwrap_or(type_name);
    name.ends_with("Inventory").then_some(name)
}

fn describe(
    catalog: Catalog,
    inventory: &Inventory,
    path: &str,
    value: &Value,
    depth: usize,
    classes: &mut Vec<(String, String)>,
) {
    match value {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                describe(catalog, inventory, &format!("{path}[{at}]"), item, depth, classes);
            }
        }
        Value::Object(members) if depth <= DEEPEST => {
            let special = inventory
                .fields
                .iter()
                .filter(|field| field.type_field)
                .find_map(|field| catalog.specialised(inventory, field.name, members.get(field.name)?.as_str()?));
            let inventory = special.as_ref().unwrap_or(inventory);
            classes.push((path.to_owned(), class_of(inventory.name)));
            for field in &inventory.fields {
                let kind = match &field.kind {
                    Type::List(Some(element)) => element,
                    kind => kind,
                };
                let Type::Named(name) = kind else { continue };
                if let (Some(nested), Some(value)) = (catalog.inventory(name), members.get(field.name)) {
                    describe(catalog, &nested, &format!("{path}.{}", field.name), value, depth + 1, classes);
                }
            }
        }
        _ => (),
    }
}
