//! What a client sees of the store.

mod changes;
mod queries;
mod random;
mod seed;
mod zql;

use std::sync::OnceLock;

use serde_json::Value as Json;

use super::{QueryRequest, ServerError, Store, Viewer};

fn store() -> Store {
    Store::in_memory().expect("the seed loads")
}

/// A store that several tests read and none changes.
fn shared() -> &'static Store {
    static SHARED: OnceLock<Store> = OnceLock::new();
    SHARED.get_or_init(store)
}

fn conditions(texts: &[&str]) -> QueryRequest {
    QueryRequest { conditions: texts.iter().map(|text| (*text).to_owned()).collect(), ..QueryRequest::default() }
}

fn reply(store: &Store, inventory: &str, request: &QueryRequest) -> Json {
    let text = store
        .query(inventory, request, &Viewer::admin())
        .unwrap_or_else(|error| panic!("{request:?} is refused: {error}"));
    serde_json::from_str(&text).expect("the reply is JSON")
}

fn refusal(store: &Store, inventory: &str, request: &QueryRequest) -> ServerError {
    match store.query(inventory, request, &Viewer::admin()) {
        Ok(reply) => panic!("{request:?} is answered: {reply}"),
        Err(error) => error,
    }
}

/// The names of the rows of a reply, sorted.
fn names(reply: &Json) -> Vec<String> {
    let mut names: Vec<String> = column(reply, "name");
    names.sort();
    names
}

/// A text member of the rows of a reply, in their order.
fn column(reply: &Json, member: &str) -> Vec<String> {
    let rows = reply["inventories"].as_array().expect("there are inventories");
    rows.iter().map(|row| row[member].as_str().unwrap_or_default().to_owned()).collect()
}
