//! Every API of the catalog through batch mode, recorded by a server that knows nothing of the planner.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::harness::Home;
use crate::node::{Node, Recorded, Reply};

const UUID: &str = "1ab3b836a88342e1bbc1b1a17d092f0f";

fn catalog() -> Value {
    let text = include_str!("../../src/catalog/data/zstack-5.5.6.json");
    serde_json::from_str(text).expect("the catalog is JSON")
}

/// The text typed for a parameter, and what must arrive for it.
fn sample(catalog: &Value, parameter: &Value) -> (String, Value) {
    let text = |key: &str| parameter[key].as_str().unwrap_or_default().to_owned();
    if let Some(value) = parameter["values"].get(0).and_then(Value::as_str) {
        let arrives = match text("type").as_str() {
            "int" | "long" => Value::from(value.parse::<i64>().expect("a number")),
            list if list.starts_with("list") => Value::from(vec![value]),
            _ => Value::from(value),
        };
        return (value.to_owned(), arrives);
    }
    let number = parameter["range"].get(0).and_then(Value::as_i64).unwrap_or(1).max(1);
    let plain = match text("regex").as_str() {
        "" => UUID[..parameter["maxLength"].as_u64().unwrap_or(32).min(32) as usize].to_owned(),
        pattern if pattern.contains(r"\s([0-5]") => "20250304 10:00:00".to_owned(),
        pattern if pattern.starts_with("[XxlL]") => "Large.1".to_owned(),
        "[A-Za-z0-9]{6}" => "abc123".to_owned(),
        pattern if pattern.starts_with("^/") => "/path".to_owned(),
        _ => "ab".to_owned(),
    };
    match text("type").as_str() {
        "bool" => ("true".to_owned(), Value::from(true)),
        "int" | "long" | "double" => (number.to_string(), Value::from(number)),
        "list<long>" => ("1,2".to_owned(), serde_json::json!([1, 2])),
        "list" | "list<string>" if parameter["ref"].is_string() => {
            (format!("{UUID},{UUID}"), serde_json::json!([UUID, UUID]))
        }
        "list" | "list<string>" => (r#"'x y,"p,q"'"#.to_owned(), serde_json::json!(["x y", "p,q"])),
        "list<map<string,string>>" => (r#""[{'a': 'b'}]""#.to_owned(), serde_json::json!([{"a": "b"}])),
        "map<string,list<string>>" => (r#"'{"k": ["a", "b"]}'"#.to_owned(), serde_json::json!({"k": ["a", "b"]})),
        "map" | "map<string,string>" => (r#"'{"k": "v"}'"#.to_owned(), serde_json::json!({"k": "v"})),
        "string" | "timestamp" | "any" => (format!("'{plain}'"), Value::from(plain)),
        list if list.starts_with("list<") => ("[{}]".to_owned(), serde_json::json!([{}])),
        name => match catalog["enums"][name].get(0).and_then(Value::as_str) {
            Some(value) => (value.to_owned(), Value::from(value)),
            None => ("'{}'".to_owned(), serde_json::json!({})),
        },
    }
}

/// What must arrive for an API: path, and the parameters that are not in it.
struct Expected {
    name: String,
    method: String,
    path: String,
    body_key: String,
    parameters: BTreeMap<String, Value>,
}

#[test]
fn each_request_is_what_the_platforms_own_client_would_send() {
    let catalog = catalog();
    let mut script = String::new();
    let mut expected = Vec::new();
    for api in catalog["apis"].as_array().expect("a list of APIs") {
        let name = api["name"].as_str().expect("a name");
        let mut path = api["path"].as_str().expect("a path").to_owned();
        let mut line = name.to_owned();
        let mut parameters = BTreeMap::new();
        for parameter in api["params"].as_array().expect("a list of parameters") {
            let key = parameter["name"].as_str().expect("a name");
            let (mut typed, mut arrives) = sample(&catalog, parameter);
            let variable = format!("{{{key}}}");
            if path.contains(&variable) {
                if parameter["values"].is_null() {
                    typed = UUID.to_owned();
                }
                path = path.replace(&variable, &typed);
                arrives = Value::Null;
            }
            line.push_str(&format!(" {key}={typed}"));
            if !arrives.is_null() {
                parameters.insert(key.to_owned(), arrives);
            }
        }
        if api["query"] == Value::Bool(true) {
            line.push_str(" limit=3");
            if let Some((_, rest)) = path.clone().split_once('{') {
                let variable = rest.split('}').next().expect("a closed variable").to_owned();
                line.push_str(&format!(" {variable}={UUID}"));
                path = path.replace(&format!("{{{variable}}}"), UUID);
                parameters.insert("q".to_owned(), Value::from(format!("{variable}={UUID}")));
            }
            parameters.insert("limit".to_owned(), Value::from(3));
        }
        script.push_str(&line);
        script.push('\n');
        expected.push(Expected {
            name: name.to_owned(),
            method: api["method"].as_str().expect("a verb").to_owned(),
            path: format!("/zstack/v1{path}"),
            body_key: api["body"].as_str().expect("a body key").to_owned(),
            parameters,
        });
    }

    // A node says which APIs it has before one is sent that another could be run for.
    let names: Vec<String> = expected.iter().map(|expected| format!("\"API{}Msg\"", expected.name)).collect();
    let offered = format!(r#"{{"supportApis":[{}]}}"#, names.join(","));
    let node = Node::start(move |request| {
        match String::from_utf8_lossy(&request.body).as_ref() {
            r#"{"getVersion":{}}"# => return Reply::ok(r#"{"version":"5.5.6"}"#),
            r#"{"getSupportAPIs":{}}"# => return Reply::ok(&offered),
            _ => {}
        }
        // Log-ins answer with a session, so that the calls after them have one.
        if request.path().contains("login") {
            return Reply::ok(format!(r#"{{"inventory":{{"uuid":"{UUID}"}}}}"#));
        }
        Reply::ok(r#"{"inventories":[]}"#)
    });
    let home = Home::new();
    home.run(node.options().into_iter().chain(["-k".to_owned()]))
        .variable("ZSTACK_SESSION_UUID", UUID)
        .input(&script)
        .within(Duration::from_secs(300))
        .succeeds();

    let requests = node.calls();
    let is_typed = |action: &str| expected.iter().any(|expected| expected.body_key == action);
    assert!(is_typed("getVersion") && is_typed("getSupportAPIs"));
    // Besides those that were typed, it was asked for its version and for its APIs, and for its version again after
    // some seconds.
    let first = requests.iter().position(|request| request.body == br#"{"getVersion":{}}"#).expect("it was asked");
    assert_eq!(requests[first + 1].body, br#"{"getSupportAPIs":{}}"#);
    let asks =
        |request: &Recorded| request.body == br#"{"getVersion":{}}"# || request.body == br#"{"getSupportAPIs":{}}"#;
    let mut requests = requests.iter();
    for expected in &expected {
        let asks_too = matches!(expected.body_key.as_str(), "getVersion" | "getSupportAPIs");
        check(requests.find(|request| asks_too || !asks(request)).expect("a request"), expected);
    }
    assert!(requests.next().is_none());
}

fn check(request: &Recorded, expected: &Expected) {
    let name = &expected.name;
    assert_eq!(request.method, expected.method, "{name}");
    assert_eq!(request.path(), expected.path, "{name}");
    let changes = request.method != "GET";
    let job = request.header("x-job-uuid");
    if changes {
        let job = job.unwrap_or_else(|| panic!("{name} without a job uuid"));
        assert!(job.len() == 32 && job.chars().all(|c| c.is_ascii_hexdigit()), "{name}: {job}");
    }
    match request.method.as_str() {
        "GET" | "DELETE" => {
            assert!(request.body.is_empty(), "{name}");
            let mut arrived: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (key, value) in request.query() {
                arrived.entry(key).or_default().push(value);
            }
            let mut wanted: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (key, value) in &expected.parameters {
                match arrived.get(key).map(Vec::as_slice) {
                    // The hash itself is tested where it is made.
                    Some([hash]) if key == "password" && hash.len() == 128 => {
                        wanted.insert(key.clone(), vec![hash.clone()]);
                    }
                    _ => flatten(key, value, &mut wanted),
                }
            }
            assert_eq!(arrived, wanted, "{name}");
        }
        _ => {
            assert_eq!(request.header("content-type"), Some("application/json; charset=utf-8"), "{name}");
            assert!(!request.target.contains('?') && request.body.is_ascii(), "{name}");
            let body = request.json();
            let outer = body.as_object().expect("an object");
            assert_eq!(outer.keys().collect::<Vec<_>>(), [&expected.body_key], "{name}");
            let mut arrived: BTreeMap<String, Value> =
                serde_json::from_value(body[&expected.body_key].clone()).expect("an object of parameters");
            for (key, value) in &expected.parameters {
                let mut value = value.clone();
                if let Some(hash) = arrived.get(key).and_then(Value::as_str).filter(|text| text.len() == 128) {
                    // The hash itself is tested where it is made.
                    assert!(key.to_lowercase().contains("password"), "{name} {key}");
                    value = Value::from(hash);
                }
                assert_eq!(arrived.remove(key), Some(value), "{name} {key}");
            }
            assert!(arrived.is_empty(), "{name}: {arrived:?}");
        }
    }
}

fn flatten(key: &str, value: &Value, into: &mut BTreeMap<String, Vec<String>>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| flatten(key, item, into)),
        Value::Object(members) => {
            members.iter().for_each(|(member, value)| flatten(&format!("{key}.{member}"), value, into));
        }
        Value::String(text) => into.entry(key.to_owned()).or_default().push(text.clone()),
        other => into.entry(key.to_owned()).or_default().push(other.to_string()),
    }
}
