//! Plans every API of every catalog version with all its parameters and checks the requests against the catalog.

use crate::catalog::{Api, Catalog, Method, Parameter, Type};
use crate::json::Value;
use crate::secret::Secrets;
use crate::syntax::{Command, parse_literal, quote_word};

use super::{Cursor, Options, Plan, Request, plan};

const UUID: &str = "1ab3b836a88342e1bbc1b1a17d092f0f";

/// A value that the catalog allows for the parameter, as typed.
pub(crate) fn sample(catalog: Catalog, parameter: &Parameter) -> String {
    if let Some(value) = parameter.values.first() {
        return value.to_string();
    }
    let by_pattern = match parameter.regex.as_deref() {
        Some(pattern) if pattern.contains(r"\s([0-5]") => Some("20250304 10:00:00"),
        Some("[XxlL]{1}arge.(\\d+)") => Some("Large.1"),
        Some("[A-Za-z0-9]{6}") => Some("abc123"),
        Some(pattern) if pattern.starts_with("^/") => Some("/path"),
        Some(_) => Some("ab"),
        None => None,
    };
    let number = parameter.range.map_or(1, |(least, _)| least.max(1)).to_string();
    match &parameter.kind {
        Type::Bool => "true".to_owned(),
        Type::Int | Type::Long | Type::Double => number,
        Type::List(Some(element)) if **element == Type::Long => number,
        Type::List(Some(element)) => match &**element {
            Type::Named(name) if catalog.enum_values(name).is_none() => "[{}]".to_owned(),
            Type::Map(_) => "[{'a': 'b'}]".to_owned(),
            _ => "a,b".to_owned(),
        },
        Type::List(None) => "a,b".to_owned(),
        Type::Map(Some(inner)) if matches!(**inner, Type::List(_)) => "{'k': ['a', 'b']}".to_owned(),
        Type::Map(_) => "{'k': 'v'}".to_owned(),
        Type::Named(name) => match catalog.enum_values(name) {
            Some(values) => values[0].to_owned(),
            None => "{}".to_owned(),
        },
        Type::String | Type::Timestamp | Type::Any => by_pattern.map_or_else(
            || UUID[..parameter.max_length.map_or(32, |most| most.min(32) as usize)].to_owned(),
            str::to_owned,
        ),
    }
}

fn request(catalog: Catalog, api: &Api) -> Request {
    let mut line = api.name.to_owned();
    for parameter in &api.parameters {
        let word = format!("{}={}", parameter.name, sample(catalog, parameter));
        line.push(' ');
        line.push_str(&quote_word(&word));
    }
    if api.is_query {
        for variable in api.path_variables() {
            line.push_str(&format!(" {variable}={UUID}"));
        }
    }
    let command = Command::parse(&line).expect("it parses").expect("a command");
    match plan(&command, catalog, &Options::default()).unwrap_or_else(|error| panic!("{line}: {error}")) {
        Plan::Call(request) => request,
        Plan::Query(query) => query.request(0, &Cursor::Start),
    }
}

#[test]
fn every_request_has_exactly_the_catalogs_verb_path_and_parameters() {
    for catalog in Catalog::versions().filter_map(Catalog::of_version) {
        for known in catalog.api_names() {
            let api = catalog.api(known.as_str()).expect("an indexed API is found");
            let request = request(catalog, &api);
            let target = request.target(Secrets::Shown);
            let path = target.split('?').next().unwrap_or_default();
            let shape: Vec<&str> = path.split('/').collect();
            let template: Vec<&str> = api.path.split('/').collect();
            assert_eq!(request.method, api.method, "{}", api.name);
            assert_eq!(shape.len(), template.len(), "{}: {path}", api.name);
            for (segment, wanted) in shape.iter().zip(&template) {
                // Variables fill whole segments, but for the few whose template says otherwise.
                match wanted.split_once('{') {
                    None => assert_eq!(segment, wanted, "{}", api.name),
                    Some((before, _)) => {
                        assert!(segment.starts_with(before) && segment.len() > before.len(), "{}: {path}", api.name);
                    }
                }
            }
            assert_eq!(request.needs_session, api.session, "{}", api.name);
            assert_eq!(request.is_async, api.is_async, "{}", api.name);
            check_parameters(&api, &request);
        }
    }
}

/// Every parameter is in the path, the query string or under the body key, and nothing else is.
fn check_parameters(api: &Api, request: &Request) {
    if api.is_query {
        assert!(request.body.is_none(), "{}", api.name);
        return;
    }
    let in_path: Vec<&str> = api.path_variables().collect();
    let mut expected: Vec<&str> =
        api.parameters.iter().map(|parameter| parameter.name).filter(|name| !in_path.contains(name)).collect();
    let mut sent: Vec<String> = match api.method {
        Method::Get | Method::Delete => {
            assert!(request.body.is_none(), "{}", api.name);
            request.query.iter().map(|(name, _)| name.split('.').next().unwrap_or_default().to_owned()).collect()
        }
        Method::Post | Method::Put => {
            assert!(request.query.is_empty(), "{}", api.name);
            let text = request.body_text(Secrets::Shown).expect("a body");
            let Ok(Value::Map(outer)) = parse_literal(&text) else { panic!("{}: {text}", api.name) };
            let [(key, Value::Map(members))] = outer.as_slice() else { panic!("{}: {text}", api.name) };
            assert_eq!(key, api.body, "{}", api.name);
            members.iter().map(|(name, _)| name.clone()).collect()
        }
    };
    expected.sort_unstable();
    sent.sort_unstable();
    sent.dedup();
    assert_eq!(sent, expected, "{}", api.name);
}

#[test]
fn no_secret_shows_in_any_masked_request() {
    for catalog in Catalog::versions().filter_map(Catalog::of_version) {
        for known in catalog.api_names() {
            let api = catalog.api(known.as_str()).expect("an indexed API is found");
            for parameter in api.parameters.iter().filter(|parameter| parameter.secret) {
                let mut line = api.name.to_owned();
                for other in &api.parameters {
                    let text = sample(catalog, other);
                    let text = if other.name == parameter.name { "hunter2".to_owned() } else { text };
                    line.push_str(&format!(" {}", quote_word(&format!("{}={text}", other.name))));
                }
                let command = Command::parse(&line).expect("it parses").expect("a command");
                let options = Options { no_check: true, ..Options::default() };
                let Ok(Plan::Call(request)) = plan(&command, catalog, &options) else { continue };
                let shown =
                    format!("{} {:?} {request:?}", request.target(Secrets::Masked), request.body_text(Secrets::Masked));
                assert!(!shown.contains("hunter2"), "{} {}", api.name, parameter.name);
            }
        }
    }
}
