//! Requests in ZQL, the node's other query language: for what `q` cannot say.

use std::ops::Range;

use crate::catalog::{Catalog, Method};
use crate::nearness::closest;

use super::request::{Effect, PathPart, Request, SecretText};

/// The entity that an inventory is called in ZQL: its name without `Inventory`, in lower case (Z1).
pub(super) fn entity(inventory: &str) -> String {
    inventory.strip_suffix("Inventory").unwrap_or(inventory).to_ascii_lowercase()
}

/// What a statement is about: the first word behind `query`, `count` or `sum`, and where it stands. Without the
/// members that `query vm.name,uuid` selects.
fn subject(statement: &str) -> Option<(&str, Range<usize>)> {
    let verb = statement.split_whitespace().next()?;
    if !VERBS.iter().any(|known| verb.eq_ignore_ascii_case(known)) {
        return None;
    }
    let verb_at = statement.find(verb)?;
    let rest = &statement[verb_at + verb.len()..];
    let from = statement.len() - rest.trim_start().len();
    let length = statement[from..].find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(statement.len() - from);
    (length > 0).then(|| (&statement[from..from + length], from..from + length))
}

/// The inventory that ZQL calls `entity`.
fn inventory_of(entity_name: &str, catalog: Catalog) -> Option<&'static str> {
    catalog.inventory_names().find(|name| entity(name) == entity_name.to_ascii_lowercase())
}

/// The inventory whose whole rows a statement asks for; `None` where it selects members, counts, or asks for more.
pub fn rows_of(statement: &str, catalog: Catalog) -> Option<&'static str> {
    let (name, span) = subject(statement)?;
    let whole =
        statement[span.end..].starts_with(|c: char| c.is_whitespace() || c == ';') || span.end == statement.len();
    let alone = !statement.trim_end().trim_end_matches(';').contains(';');
    let is_query = statement.trim_start().get(..5).is_some_and(|verb| verb.eq_ignore_ascii_case("query"));
    if whole && alone && is_query { inventory_of(name, catalog) } else { None }
}

/// The entity that was probably meant by one that there is not; `None` also where it exists.
pub fn closest_entity(statement: &str, catalog: Catalog) -> Option<(&str, String)> {
    let (name, _) = subject(statement)?;
    if inventory_of(name, catalog).is_some() {
        return None;
    }
    let entities = || catalog.inventory_names().map(entity);
    let lower = name.to_ascii_lowercase();
    let longer = entities().filter(|known| lower.len() > 3 && known.starts_with(&lower)).min_by_key(String::len);
    let all: Vec<String> = entities().collect();
    let near = longer.or_else(|| closest(&lower, all.iter().map(String::as_str)).map(str::to_owned));
    near.map(|near| (name, near))
}

/// The names that ZQL has for inventories.
pub fn entities(catalog: Catalog) -> impl Iterator<Item = String> {
    catalog.inventory_names().map(entity)
}

/// What statements begin with.
pub const VERBS: [&str; 3] = ["query", "count", "sum"];

/// The request that runs ZQL statements.
pub fn statement_request(statement: &str, secret: bool) -> Request {
    Request {
        api: "ZQLQuery",
        method: Method::Get,
        path: vec![PathPart::Fixed("/zql")],
        query: vec![("zql".to_owned(), SecretText { text: statement.to_owned(), secret })],
        body: None,
        needs_session: true,
        effect: Effect::Query,
        is_async: false,
        timeout: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_tell_what_they_are_about() {
        let catalog = Catalog::newest();
        for (statement, rows) in [
            ("query vminstance where state='Running' limit 2", Some("VmInstanceInventory")),
            (" QUERY zone;", Some("ZoneInventory")),
            ("query zone.name,uuid", None),
            ("query zone; query host", None),
            ("count zone", None),
            ("zone", None),
            ("", None),
        ] {
            assert_eq!(rows_of(statement, catalog), rows, "{statement}");
        }
        for (statement, near) in [
            ("query vminstanc", Some(("vminstanc", "vminstance"))),
            ("count zoen where x=1", Some(("zoen", "zone"))),
            ("query zone", None),
            ("query frobnicate", None),
        ] {
            let near = near.map(|(name, near)| (name, near.to_owned()));
            assert_eq!(closest_entity(statement, catalog), near, "{statement}");
        }
    }

    #[test]
    fn the_request_is_the_catalogs() {
        let api = Catalog::newest().api("ZQLQuery").expect("it is an API");
        let request = statement_request("query zone", false);
        assert_eq!((api.method, api.path), (request.method, "/zql"));
        assert_eq!(request.target(crate::json::Secrets::Shown), "/zql?zql=query%20zone");
    }
}
