//! Requests in ZQL, the node's other query language: for what `q` cannot say.

use crate::catalog::Method;

use super::request::{Effect, PathPart, Request, SecretText};

/// The entity that an inventory is called in ZQL: its name without `Inventory`, in lower case (Z1).
pub(super) fn entity(inventory: &str) -> String {
    inventory.strip_suffix("Inventory").unwrap_or(inventory).to_ascii_lowercase()
}

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
    use crate::catalog::Catalog;

    #[test]
    fn the_request_is_the_catalogs() {
        let api = Catalog::newest().api("ZQLQuery").expect("it is an API");
        let request = statement_request("query zone", false);
        assert_eq!((api.method, api.path), (request.method, "/zql"));
        assert_eq!(request.target(crate::json::Secrets::Shown), "/zql?zql=query%20zone");
    }
}
