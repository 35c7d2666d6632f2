//! All APIs of the catalog, called with whatever fits.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::harness::{NOTHING, Reply, Sandbox};
use crate::catalog::{Api, Catalog, Method, Parameter, Type};

/// Of the platform's own running, or destructive for what other calls of the sweep need.
const SKIPPED: [&str; 3] = ["LogOut", "ResetGlobalConfig", "UpdateAccount"];

/// The uuids that queries gave.
type Known = HashMap<&'static str, String>;

/// A value that a parameter may take.
fn value(sandbox: &Sandbox, parameter: &Parameter, known: &mut Known) -> Value {
    if parameter.resource.is_some() || parameter.reference.is_some() {
        let uuid = uuid_for(sandbox, parameter, known);
        return if matches!(parameter.kind, Type::List(_)) { json!([uuid]) } else { json!(uuid) };
    }
    if let Some(first) = parameter.values.first() {
        return json!(first);
    }
    match &parameter.kind {
        Type::Int | Type::Long => json!(parameter.range.map_or(1, |(least, most)| 64.clamp(least, most))),
        Type::Double => json!(1.5),
        Type::Bool => json!(true),
        Type::List(_) => json!([]),
        Type::Map(_) => json!({}),
        _ if parameter.name.ends_with("Uuid") || parameter.name == "uuid" => json!(NOTHING),
        _ => json!("x1"),
    }
}

/// The uuid of the first resource that a parameter may name.
fn uuid_for(sandbox: &Sandbox, parameter: &Parameter, known: &mut Known) -> String {
    let by_resource = parameter.resource.map(|kind| format!("Query{kind}"));
    let name = by_resource.filter(|name| Catalog::newest().api(name).is_some());
    let query = name.as_deref().or(parameter.reference).and_then(|name| Catalog::newest().api(name));
    let Some(api) = query.filter(|api| !api.path.contains('{')) else { return NOTHING.to_owned() };
    let uuid = known.entry(api.name).or_insert_with(|| {
        let reply = sandbox.call("GET", &format!("{}?limit=1", api.path), "");
        assert_eq!(reply.status, 200, "{}: {reply:?}", api.name);
        reply.json()["inventories"][0]["uuid"].as_str().unwrap_or(NOTHING).to_owned()
    });
    uuid.clone()
}

fn call(sandbox: &Sandbox, api: &Api, known: &mut Known) -> Reply {
    let mut path = api.path.to_owned();
    let mut parameters = Map::new();
    for parameter in &api.parameters {
        let is_in_path = path.contains(&format!("{{{}}}", parameter.name));
        if !is_in_path && !parameter.required {
            continue;
        }
        let value = value(sandbox, parameter, known);
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        path = path.replace(&format!("{{{}}}", parameter.name), &text);
        parameters.insert(parameter.name.to_owned(), value);
    }
    while let (Some(start), Some(end)) = (path.find('{'), path.find('}')) {
        path.replace_range(start..=end, NOTHING);
    }
    let (query, body) = match api.method {
        Method::Get | Method::Delete => {
            let pairs: Vec<String> = parameters
                .iter()
                .flat_map(|(name, value)| {
                    let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
                    values.into_iter().filter(|value| !value.is_object()).map(move |value| {
                        format!("{name}={}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                    })
                })
                .collect();
            (if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }, String::new())
        }
        Method::Post | Method::Put => (String::new(), json!({ (api.body): parameters }).to_string()),
    };
    let reply = sandbox.call(api.method.as_str(), &format!("{path}{query}"), &body);
    if reply.status == 202 { sandbox.finish(&reply) } else { reply }
}

#[test]
fn every_api_answers_as_a_node_does() {
    let sandbox = Sandbox::new();
    let catalog = Catalog::newest();
    let mut known = Known::new();
    let (mut done, mut not_simulated) = (0, 0);
    let listed = sandbox.call("PUT", "/management-nodes/actions", r#"{"getSupportAPIs":{}}"#).body.to_string();
    for api in catalog.api_names().filter_map(|name| catalog.api(name.as_str())) {
        if SKIPPED.contains(&api.name) {
            continue;
        }
        let reply = call(&sandbox, &api, &mut known);
        let is_listed = listed.contains(&format!("\"API{}Msg\"", api.name));
        match reply.status {
            200 => {
                let is_unlisted = catalog.api_name(api.name).is_some_and(|name| name.is_unlisted());
                assert!(is_listed != is_unlisted, "{}", api.name);
                done += 1;
            }
            503 => match reply.code().as_str() {
                "SANDBOX.1000" => {
                    assert!(!is_listed, "{}", api.name);
                    not_simulated += 1;
                }
                // The sweep has no ZQL to say.
                "SYS.1000" => assert_eq!(api.name, "ZQLQuery", "{reply:?}"),
                _ => assert!(!api.is_query, "{}: {reply:?}", api.name),
            },
            _ => panic!("{}: {reply:?}", api.name),
        }
    }
    // Of what is called with what happens to be there, many calls succeed; what is not simulated says so.
    assert!(done > 500, "{done}");
    assert!((300..1100).contains(&not_simulated), "{not_simulated}");
}
