//! Finds the query that lists the resources to which a value can refer.

use std::collections::HashSet;

use super::{Api, Catalog, Field, Inventory, Parameter, Type};

/// The query to ask, and whether the value is a name or a uuid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// The query API.
    pub(crate) query: &'static str,
    /// Whether the value is the resource's name; otherwise it is the uuid.
    pub(crate) by_name: bool,
}

/// Returns the resources to which a parameter can refer.
pub(crate) fn of_parameter(catalog: Catalog, api: &Api, parameter: &Parameter) -> Option<Reference> {
    let is_text = matches!(&parameter.kind, Type::String | Type::List(None))
        || matches!(&parameter.kind, Type::List(Some(inner)) if **inner == Type::String);
    if parameter.secret || !is_text {
        return None;
    }
    let query = match parameter.reference {
        Some(query) => Some(query),
        None if parameter.name == "uuid" => of_action(catalog, api.name),
        None => of_name(catalog, parameter.name),
    }?;
    Some(Reference { query, by_name: false })
}

/// Returns the query that lists the resources of a parameter's uuids.
pub(crate) fn query_of_parameter(catalog: Catalog, api: &Api, parameter: &Parameter) -> Option<&'static str> {
    of_parameter(catalog, api, parameter).map(|reference| reference.query)
}

/// Returns the resources to which a condition on a field can refer. `query` is the query itself where the field belongs
/// to its own rows.
pub(crate) fn of_field(
    catalog: Catalog,
    inventory: &Inventory,
    field: &Field,
    query: Option<&'static str>,
) -> Option<Reference> {
    let own = || query.or_else(|| of_inventory(catalog, inventory));
    match field.name {
        "uuid" => own().map(|query| Reference { query, by_name: false }),
        "name" => own().map(|query| Reference { query, by_name: true }),
        name => {
            let joined = inventory.expanded.values().find(|expanded| {
                expanded.key == Some(name) && expanded.foreign_key == Some("uuid") && expanded.key != Some("uuid")
            });
            let query = match joined {
                Some(expanded) => of_inventory(catalog, &catalog.inventory(expanded.inventory)?)?,
                None => of_name(catalog, name)?,
            };
            Some(Reference { query, by_name: false })
        }
    }
}

/// The query that lists what a member's uuids name.
pub(crate) fn query_of_field(catalog: Catalog, inventory: &Inventory, field: &Field) -> Option<&'static str> {
    of_field(catalog, inventory, field, None).filter(|reference| !reference.by_name).map(|reference| reference.query)
}

/// Returns the query that lists the rows of an inventory, or those of the more general inventory that it specialises.
pub(crate) fn of_inventory(catalog: Catalog, inventory: &Inventory) -> Option<&'static str> {
    let stem = inventory.name.strip_suffix("Inventory")?;
    if let Some(query) = query_called(catalog, stem) {
        return Some(query);
    }
    let listed = catalog
        .api_names()
        .filter(|api| api.is_query())
        .filter_map(|api| catalog.api(api.as_str()))
        .find(|api| api.inventory == Some(inventory.name));
    match listed {
        Some(api) => Some(api.name),
        None => {
            let parent = inventory.parents.first()?;
            query_called(catalog, parent.inventory.strip_suffix("Inventory")?)
        }
    }
}

/// An API that returns all rows of an inventory: a query, or for a few another call that reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) api: &'static str,
    pub(crate) is_query: bool,
    /// The type field and its value that choose the rows among those of a more general inventory.
    pub(crate) special: Option<(&'static str, &'static str)>,
}

/// Returns the API for all rows of an inventory. One whose path has variables returns those of one resource only.
pub(crate) fn listing(catalog: Catalog, inventory: &Inventory) -> Option<Listing> {
    let Some(query) = of_inventory(catalog, inventory) else { return reading(catalog, inventory.name) };
    let api = catalog.api(query).filter(|api| !api.path.contains('{'))?;
    if api.inventory == Some(inventory.name) {
        return Some(Listing { api: api.name, is_query: true, special: None });
    }
    let parent = inventory.parents.iter().find(|parent| api.inventory == Some(parent.inventory))?;
    let field = catalog.inventory(parent.inventory)?.type_field()?.name;
    Some(Listing { api: api.name, is_query: true, special: Some((field, parent.type_value)) })
}

/// Returns the call named after an inventory that no query lists: `GetLicenseInfo`, `GetLicenseAddOns`.
fn reading(catalog: Catalog, inventory: &str) -> Option<Listing> {
    let stem = inventory.strip_suffix("Inventory")?;
    let api = ["Info", "s"].into_iter().find_map(|end| catalog.api(&format!("Get{stem}{end}")))?;
    let needs_nothing = !api.path.contains('{') && api.parameters.iter().all(|parameter| !parameter.required);
    (needs_nothing && !api.is_action()).then_some(Listing { api: api.name, is_query: false, special: None })
}

/// Returns the inventories that have a [`Listing`].
pub(crate) fn listed(catalog: Catalog) -> Vec<&'static str> {
    let queries = catalog.api_names().filter(|api| api.is_query() && !api.path().contains('{'));
    let direct: HashSet<&str> = queries.filter_map(|api| catalog.api(api.as_str())?.inventory).collect();
    let is_special = |name: &'static str| {
        let inventory = catalog.inventory(name).filter(|inventory| !inventory.parents.is_empty());
        inventory.is_some_and(|inventory| listing(catalog, &inventory).is_some())
    };
    let is_listed = |name: &&'static str| direct.contains(name) || reading(catalog, name).is_some() || is_special(name);
    catalog.inventory_names().filter(is_listed).collect()
}

/// Returns the query for the resources that an action changes: `QueryVmInstance` for `StopVmInstance`.
fn of_action(catalog: Catalog, action: &str) -> Option<&'static str> {
    let verb = action.char_indices().skip(1).find(|(_, c)| c.is_ascii_uppercase())?.0;
    query_called(catalog, &action[verb..])
}

/// Returns the query for a name such as `defaultL3NetworkUuid` or `hostUuids`: the one named after its longest ending.
pub(crate) fn of_name(catalog: Catalog, name: &str) -> Option<&'static str> {
    let stem = name.strip_suffix("Uuid").or_else(|| name.strip_suffix("Uuids"))?;
    let humps = stem.char_indices().filter(|(at, c)| *at == 0 || c.is_ascii_uppercase());
    humps.map(|(at, _)| &stem[at..]).find_map(|ending| query_called(catalog, ending))
}

/// Returns the query named after `stem`, ignoring the case of its first letter.
fn query_called(catalog: Catalog, stem: &str) -> Option<&'static str> {
    let mut chars = stem.chars();
    let first = chars.next()?.to_ascii_uppercase();
    let wanted = format!("Query{first}{}", chars.as_str());
    catalog.api(&wanted).filter(|api| api.is_query).map(|api| api.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(api: &str, name: &str) -> Option<&'static str> {
        let catalog = Catalog::newest();
        let api = catalog.api(api).expect("the API is known");
        of_parameter(catalog, &api, api.parameter(name).expect("the parameter is known")).map(|found| found.query)
    }

    fn field(query: &'static str, name: &str) -> Option<(&'static str, bool)> {
        let catalog = Catalog::newest();
        let api = catalog.api(query).expect("the API is known");
        let inventory = catalog.inventory(api.inventory.expect("it is described")).expect("it is known");
        let field = inventory.field(name).expect("the field is known");
        of_field(catalog, &inventory, field, Some(query)).map(|found| (found.query, found.by_name))
    }

    #[test]
    fn parameters_lead_to_queries() {
        assert_eq!(parameter("CreateVmInstance", "hostUuid"), Some("QueryHost"));
        assert_eq!(parameter("CreateVmInstance", "l3NetworkUuids"), Some("QueryL3Network"));
        assert_eq!(parameter("CreateVmInstance", "defaultL3NetworkUuid"), Some("QueryL3Network"));
        assert_eq!(parameter("StopVmInstance", "uuid"), Some("QueryVmInstance"));
        assert_eq!(parameter("CreateVmInstance", "name"), None);
        assert_eq!(parameter("CreateZone", "resourceUuid"), None);
    }

    #[test]
    fn fields_lead_to_queries() {
        assert_eq!(field("QueryVmInstance", "hostUuid"), Some(("QueryHost", false)));
        assert_eq!(field("QueryVmInstance", "lastHostUuid"), Some(("QueryHost", false)));
        assert_eq!(field("QueryVmInstance", "rootVolumeUuid"), Some(("QueryVolume", false)));
        assert_eq!(field("QueryVmInstance", "uuid"), Some(("QueryVmInstance", false)));
        assert_eq!(field("QueryVmInstance", "name"), Some(("QueryVmInstance", true)));
        assert_eq!(field("QueryBackupStorage", "attachedZoneUuids"), Some(("QueryZone", false)));
        assert_eq!(field("QueryVmInstance", "platform"), None);
    }

    #[test]
    fn inventories_without_a_query_of_their_own_use_the_general_one() {
        let catalog = Catalog::newest();
        let kvm = catalog.inventory("KVMHostInventory").expect("it is known");
        assert_eq!(of_inventory(catalog, &kvm), Some("QueryHost"));
        let ip = catalog.inventory("UsedIpInventory").expect("it is known");
        assert_eq!(of_inventory(catalog, &ip), Some("QueryIpAddress"));
    }
}
