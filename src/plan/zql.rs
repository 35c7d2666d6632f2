//! Requests in ZQL, the node's other query language: for what `q` cannot say.

use crate::catalog::{Catalog, Method};
use crate::nearness::closest;
use crate::syntax::zql::statements;

use super::request::{Effect, PathPart, Request, SecretText};

/// The first entity that there is not, with the one that was probably meant; `None` also where all exist.
pub fn closest_entity(text: &str, catalog: Catalog) -> Option<(&str, String)> {
    let mut named = statements(text).into_iter().filter_map(|statement| Some(statement.entity?.text));
    let name = named.find(|name| catalog.zql_inventory(name).is_none())?;
    let entities = || catalog.zql_entities();
    let lower = name.to_ascii_lowercase();
    let shorter = lower.strip_suffix("inventory").filter(|name| catalog.zql_inventory(name).is_some());
    let longer = entities().filter(|known| lower.len() > 3 && known.starts_with(&lower)).min_by_key(String::len);
    let all: Vec<String> = entities().collect();
    let near = shorter
        .map(str::to_owned)
        .or(longer)
        .or_else(|| closest(&lower, all.iter().map(String::as_str)).map(str::to_owned));
    near.map(|near| (name, near))
}

/// The API that runs ZQL statements.
pub const API: &str = "ZQLQuery";

/// The request that runs ZQL statements.
pub fn statement_request(statement: &str, secret: bool) -> Request {
    Request {
        api: API,
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
    fn entities_are_checked() {
        let catalog = Catalog::newest();
        for (statement, near) in [
            ("query vminstanc", Some(("vminstanc", "vminstance"))),
            ("count zoen where x=1", Some(("zoen", "zone"))),
            ("query zone; count zoen", Some(("zoen", "zone"))),
            ("query max(vminstanc.cpuNum)", Some(("vminstanc", "vminstance"))),
            ("query zone", None),
            ("query ZoneInventory", Some(("ZoneInventory", "zone"))),
            ("query frobnicate", None),
            ("query distinct vminstance.state", None),
            ("query distinct(vminstance.state) where cpuNum > 1", None),
            ("query avg (vminstance.cpuNum)", None),
            ("search 'x' from zone", None),
            ("getapi uuid='x'", None),
            ("query zone named as 'a'; count zone named as 'b'", None),
        ] {
            let near = near.map(|(name, near)| (name, near.to_owned()));
            assert_eq!(closest_entity(statement, catalog), near, "{statement}");
        }
    }

    #[test]
    fn the_request_is_the_catalogs() {
        let api = Catalog::newest().api(API).expect("it is an API");
        let request = statement_request("query zone", false);
        assert_eq!((api.method, api.path), (request.method, "/zql"));
        assert_eq!(request.target(crate::secret::Secrets::Shown), "/zql?zql=query%20zone");
    }
}
