//! What every query takes besides conditions, and the inventory that its conditions speak of.

use crate::catalog::{Api, Catalog, Inventory};
use crate::syntax::Operator;

use super::cursor::Argument;

/// What a query parameter's value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QueryValue {
    /// Something that cannot be guessed.
    Any,
    /// `true` or `false`.
    Bool,
    /// `asc` or `desc`.
    Direction,
    /// Fields of the inventory, comma by comma.
    Fields,
}

/// A parameter that every query takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueryParameter {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it means, in a few words.
    pub(crate) summary: &'static str,
    /// What it may be.
    pub(crate) value: QueryValue,
}

const fn parameter(name: &'static str, value: QueryValue, summary: &'static str) -> QueryParameter {
    QueryParameter { name, summary, value }
}

/// The parameters that every query takes.
pub(crate) const PARAMETERS: [QueryParameter; 13] = [
    parameter("conditions", QueryValue::Any, "conditions as a list"),
    parameter("count", QueryValue::Bool, "bool: only the number of rows"),
    parameter("fields", QueryValue::Fields, "the members to show"),
    parameter("filterName", QueryValue::Any, "kind:arguments of a plug-in's filter"),
    parameter("groupBy", QueryValue::Fields, "group rows by a field"),
    parameter("limit", QueryValue::Any, "int: at most so many rows"),
    parameter("replyWithCount", QueryValue::Bool, "bool: the rows and their number"),
    parameter("sortBy", QueryValue::Fields, "the field to sort by"),
    parameter("sortDirection", QueryValue::Direction, "asc or desc"),
    parameter("start", QueryValue::Any, "int: rows to leave out"),
    parameter("systemTags", QueryValue::Any, "for a condition on tags use __systemTag__"),
    parameter("timeout", QueryValue::Any, "long: milliseconds to wait"),
    parameter("userTags", QueryValue::Any, "for a condition on tags use __userTag__"),
];

/// The parameters that every query takes and what they mean.
pub fn query_parameters() -> impl Iterator<Item = (&'static str, &'static str)> {
    PARAMETERS.iter().map(|parameter| (parameter.name, parameter.summary))
}

/// The inventory of a query's rows, narrowed by the conditions on its type field among `arguments` (Q14).
pub(crate) fn rows<'w>(
    catalog: Catalog,
    api: &Api,
    arguments: impl Iterator<Item = Argument<'w>> + Clone,
) -> Option<Inventory> {
    let mut inventory = catalog.inventory(api.inventory?)?;
    // Each narrowing may bring a type field of its own; a field that was used says no more.
    let mut used = Vec::new();
    while let Some(field) = inventory.type_field().map(|field| field.name).filter(|name| !used.contains(name)) {
        let mut given = arguments.clone().filter(|it| it.operator == Operator::Equal && it.name == field);
        let Some(narrower) = given.find_map(|it| catalog.specialised(&inventory, field, it.value)) else {
            break;
        };
        used.push(field);
        inventory = narrower;
    }
    Some(inventory)
}
