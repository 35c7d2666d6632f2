//! Reading an API's arguments out of a path, a query string or a body (P1 to P8).

use serde_json::{Map, Number, Value};

use super::answer::Answer;
use super::target::Target;
use crate::catalog::{Candidate, Parameter, Type};

/// The arguments of a call: only parameters that the API has, with values of their types. `Debug` shows names only,
/// since values may be secret.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Arguments {
    values: Map<String, Value>,
}

impl std::fmt::Debug for Arguments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

impl Arguments {
    /// Arguments that were checked before, as stored with a job.
    pub(super) fn from_values(values: Map<String, Value>) -> Arguments {
        Arguments { values }
    }

    pub(super) fn values(&self) -> &Map<String, Value> {
        &self.values
    }

    /// The value of a parameter; `None` if it is absent or null.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name).filter(|value| !value.is_null())
    }

    /// The value of a text parameter.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// The value of a whole-number parameter.
    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        self.get(name).and_then(Value::as_i64)
    }

    /// The texts of a list parameter; empty if it is absent.
    pub(super) fn texts(&self, name: &str) -> Vec<&str> {
        self.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Whether any text has characters beyond U+FFFF.
    pub(super) fn has_wide_text(&self) -> bool {
        fn is_wide(value: &Value) -> bool {
            match value {
                Value::String(text) => text.chars().any(|character| character > '\u{ffff}'),
                Value::Array(items) => items.iter().any(is_wide),
                Value::Object(members) => members.values().any(is_wide),
                _ => false,
            }
        }
        self.values.values().any(is_wide)
    }

    pub(super) fn set(&mut self, name: &str, value: Value) {
        self.values.insert(name.to_owned(), value);
    }

    /// Reads a body: the member under the API's body key, and the tags next to it (P2, P3, P8).
    ///
    /// # Errors
    /// 400 text for a value of the wrong type (P7); 500 text for a body that is not an object.
    pub(super) fn from_body(candidate: &Candidate, body: Option<&Value>) -> Result<Arguments, Answer> {
        let mut arguments = Arguments::default();
        let members = match body {
            None | Some(Value::Null) => None,
            Some(Value::Object(members)) => Some(members),
            Some(_) => return Err(Answer::text(500, "the body is not a JSON object")),
        };
        let parameters = match members.and_then(|members| members.get(candidate.api.body)) {
            None | Some(Value::Null) => None,
            Some(Value::Object(parameters)) => Some(parameters),
            Some(_) => {
                return Err(Answer::text(500, format!("the member {} is not a JSON object", candidate.api.body)));
            }
        };
        for parameter in &candidate.api.parameters {
            let beside = members.filter(|_| is_tags(parameter.name)).and_then(|members| members.get(parameter.name));
            let beside = beside.filter(|value| !value.is_null());
            let value = beside.or_else(|| parameters.and_then(|parameters| parameters.get(parameter.name)));
            if let Some(value) = value.filter(|value| !value.is_null()) {
                // An unexpected list or object is an error of the JSON parser (R14).
                let status = if value.is_array() || value.is_object() { 500 } else { 400 };
                let value = typed(&parameter.kind, value)
                    .ok_or_else(|| Answer::text(status, wrong_type(parameter, &value.to_string())))?;
                arguments.set(parameter.name, trimmed(parameter, value));
            }
        }
        arguments.read_path(candidate)?;
        Ok(arguments)
    }

    /// Reads a query string (P4).
    ///
    /// # Errors
    /// 400 text for a scalar that is given twice, 500 text for an invalid number.
    pub(super) fn from_query(candidate: &Candidate, target: &Target) -> Result<Arguments, Answer> {
        let mut arguments = Arguments::default();
        for parameter in &candidate.api.parameters {
            let value = match &parameter.kind {
                Type::List(element) => read_list(parameter, element.as_deref(), target)?,
                Type::Map(value) => read_map(parameter, value.as_deref(), target),
                kind => {
                    let mut all = target.all(parameter.name);
                    let first = all.next();
                    if all.next().is_some() {
                        return Err(Answer::text(400, format!("duplicate parameter {}", parameter.name)));
                    }
                    first.map(|text| from_text(parameter, kind, text)).transpose()?
                }
            };
            if let Some(value) = value {
                arguments.set(parameter.name, trimmed(parameter, value));
            }
        }
        arguments.read_path(candidate)?;
        Ok(arguments)
    }

    /// Path variables override other arguments (P1).
    fn read_path(&mut self, candidate: &Candidate) -> Result<(), Answer> {
        for (name, text) in &candidate.variables {
            let value = match candidate.api.parameter(name) {
                Some(parameter) => from_text(parameter, &parameter.kind, text)?,
                None => Value::from(text.as_str()),
            };
            self.set(name, value);
        }
        Ok(())
    }
}

/// Whether a parameter may be next to the body's own member.
fn is_tags(name: &str) -> bool {
    name == "systemTags" || name == "userTags"
}

fn wrong_type(parameter: &Parameter, value: &str) -> String {
    let value = if parameter.secret { "******" } else { value };
    format!("the value {value} of the parameter {} is not of the type {}", parameter.name, parameter.kind)
}

/// Converts a value of a body to its parameter's type; `None` if that is not possible (P7).
fn typed(kind: &Type, value: &Value) -> Option<Value> {
    match (kind, value) {
        (_, Value::Null) => Some(Value::Null),
        (Type::String, Value::String(_)) => Some(value.clone()),
        (Type::String, Value::Number(_) | Value::Bool(_)) => Some(Value::from(value.to_string())),
        (Type::String, _) => None,
        (Type::Int, _) => whole(value).filter(|number| i32::try_from(*number).is_ok()).map(Value::from),
        (Type::Long, _) => whole(value).map(Value::from),
        (Type::Double, Value::Number(_)) => Some(value.clone()),
        (Type::Double, Value::String(text)) => text.trim().parse().ok().and_then(Number::from_f64).map(Value::Number),
        (Type::Double, _) => None,
        (Type::Bool, Value::Bool(_)) => Some(value.clone()),
        (Type::Bool, Value::String(text)) => match text.as_str() {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            _ => None,
        },
        (Type::Bool, _) => None,
        (Type::List(element), Value::Array(items)) => match element {
            Some(kind) => items.iter().map(|item| typed(kind, item)).collect::<Option<_>>().map(Value::Array),
            None => Some(value.clone()),
        },
        (Type::List(_), _) => None,
        (Type::Map(_), Value::Object(_)) => Some(value.clone()),
        (Type::Map(_), _) => None,
        (Type::Timestamp | Type::Any | Type::Named(_), _) => Some(value.clone()),
    }
}

/// An integer: a number or its text, also `4.0`, but not `4.5`.
fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(whole_double)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A double without a fraction; beyond 2^53 it is not exact, as on the node (P4).
fn whole_double(number: f64) -> Option<i64> {
    const LIMIT: f64 = 9_223_372_036_854_775_807.0;
    #[allow(clippy::cast_possible_truncation)]
    (number.fract() == 0.0 && number.abs() <= LIMIT).then_some(number as i64)
}

/// A value of a query string or path.
fn from_text(parameter: &Parameter, kind: &Type, text: &str) -> Result<Value, Answer> {
    let broken = || Answer::text(500, wrong_type(parameter, text));
    match kind {
        // Numbers are parsed as doubles, and any text except `true` means false (P4).
        Type::Int | Type::Long => {
            let number: f64 = text.trim().parse().map_err(|_| broken())?;
            whole_double(number).map(Value::from).ok_or_else(broken)
        }
        Type::Double => text.trim().parse().ok().and_then(Number::from_f64).map(Value::Number).ok_or_else(broken),
        Type::Bool => Ok(Value::Bool(text.eq_ignore_ascii_case("true"))),
        _ => Ok(Value::from(text)),
    }
}

/// A list: the key repeated, or numbered as `key.0` (P4). Commas are not split.
fn read_list(parameter: &Parameter, element: Option<&Type>, target: &Target) -> Result<Option<Value>, Answer> {
    let kind = element.unwrap_or(&Type::String);
    let mut items: Vec<(usize, &str)> = target.all(parameter.name).map(|text| (0, text)).collect();
    let numbered = target.query.iter().filter_map(|(key, text)| {
        let number = key.strip_prefix(parameter.name)?.strip_prefix('.')?;
        Some((number.parse().ok()?, text.as_str()))
    });
    items.extend(numbered);
    items.sort_by_key(|(number, _)| *number);
    if items.is_empty() {
        return Ok(None);
    }
    items
        .into_iter()
        .map(|(_, text)| from_text(parameter, kind, text))
        .collect::<Result<_, _>>()
        .map(Value::Array)
        .map(Some)
}

/// A map: `key.name=value`, a name more than once where the values are lists (P4).
fn read_map(parameter: &Parameter, value: Option<&Type>, target: &Target) -> Option<Value> {
    let is_list = matches!(value, Some(Type::List(_)));
    let mut map = Map::new();
    for (key, text) in &target.query {
        let Some(name) = key.strip_prefix(parameter.name).and_then(|rest| rest.strip_prefix('.')) else { continue };
        match map.get_mut(name) {
            Some(Value::Array(items)) => items.push(Value::from(text.as_str())),
            _ if is_list => {
                map.insert(name.to_owned(), Value::from(vec![text.as_str()]));
            }
            _ => {
                map.insert(name.to_owned(), Value::from(text.as_str()));
            }
        }
    }
    (!map.is_empty()).then_some(Value::Object(map))
}

/// Strings are trimmed, also in lists, unless the catalog says otherwise (P7).
fn trimmed(parameter: &Parameter, value: Value) -> Value {
    match value {
        Value::String(text) if !parameter.no_trim => Value::String(text.trim().to_owned()),
        Value::Array(items) => Value::Array(items.into_iter().map(|item| trimmed(parameter, item)).collect()),
        value => value,
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use serde_json::json;

    use super::*;
    use crate::catalog::Catalog;

    fn candidate(api: &str, variables: &[(&'static str, &str)]) -> Candidate {
        let api = Catalog::newest().api(api).expect("an API of the catalog");
        let variables = variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Candidate { api: Rc::new(api), variables }
    }

    fn body(api: &str, body: &Value) -> Result<Value, (u16, String)> {
        Arguments::from_body(&candidate(api, &[]), Some(body))
            .map(|arguments| Value::Object(arguments.values))
            .map_err(|answer| (answer.status, String::from_utf8_lossy(&answer.body).into_owned()))
    }

    fn query(api: &str, query: &str) -> Result<Value, u16> {
        let target = Target::read(&format!("/v1/x?{query}"), "").expect("a good target");
        Arguments::from_query(&candidate(api, &[]), &target)
            .map(|arguments| Value::Object(arguments.values))
            .map_err(|answer| answer.status)
    }

    #[test]
    fn a_body_is_read_under_the_apis_own_key() {
        let sent = json!({"params": {"name": " lab ", "isDefault": "true", "nmae": "x"}});
        assert_eq!(body("CreateZone", &sent), Ok(json!({"name": "lab", "isDefault": true})));
        assert_eq!(body("CreateZone", &json!({"param": {"name": "lab"}})), Ok(json!({})));
        let sent = json!({"null": {"systemTags": ["a"]}});
        assert_eq!(body("AttachL2NetworkToCluster", &sent), Ok(json!({"systemTags": ["a"]})));
        assert_eq!(body("CreateZone", &json!([])).map_err(|error| error.0), Err(500));
    }

    #[test]
    fn tags_at_the_top_win() {
        let sent = json!({"params": {"userTags": ["inside"], "systemTags": ["inside"]}, "userTags": ["beside"]});
        assert_eq!(body("CreateZone", &sent), Ok(json!({"userTags": ["beside"], "systemTags": ["inside"]})));
        let sent = json!({"params": {"userTags": ["inside"]}, "userTags": null});
        assert_eq!(body("CreateZone", &sent), Ok(json!({"userTags": ["inside"]})));
    }

    #[test]
    fn numbers_and_booleans_may_be_text_but_not_fractions() {
        let create = |members: Value| body("CreateVmInstance", &json!({ "params": members }));
        assert_eq!(
            create(json!({"cpuNum": "4", "memorySize": 1e9})),
            Ok(json!({"cpuNum": 4, "memorySize": 1_000_000_000}))
        );
        for wrong in [json!({"cpuNum": 1.5}), json!({"cpuNum": "many"}), json!({"virtio": "yes"}), json!({"virtio": 1})]
        {
            assert_eq!(create(wrong.clone()).map_err(|error| error.0), Err(400), "{wrong}");
        }
    }

    #[test]
    fn a_secret_is_not_repeated() {
        let sent = json!({"logInByAccount": {"password": ["hunter2"]}});
        let (status, text) = body("LogInByAccount", &sent).expect_err("a list is no password");
        assert_eq!(status, 500);
        assert!(!text.contains("hunter2"), "{text}");
    }

    #[test]
    fn path_variables_win() {
        let sent = json!({"updateZone": {"uuid": "body", "name": "lab"}});
        let read = Arguments::from_body(&candidate("UpdateZone", &[("uuid", "path")]), Some(&sent));
        assert_eq!(read.map(|arguments| arguments.text("uuid").map(str::to_owned)), Ok(Some("path".to_owned())));
    }

    #[test]
    fn query_strings_repeat_or_number_lists_and_name_map_keys() {
        assert_eq!(query("DeleteZone", "systemTags=a,b&systemTags=c"), Ok(json!({"systemTags": ["a,b", "c"]})));
        assert_eq!(query("DeleteZone", "systemTags.1=b&systemTags.0=a"), Ok(json!({"systemTags": ["a", "b"]})));
        assert_eq!(query("LogOut", "clientInfo.ip=x"), Ok(json!({"clientInfo": {"ip": "x"}})));
        assert_eq!(query("DeleteZone", "deleteMode=a&deleteMode=b"), Err(400));
        assert_eq!(query("GetTaskProgress", "all=yes"), Ok(json!({"all": false})));
    }

    #[test]
    fn numbers_of_query_strings_are_doubles() {
        assert_eq!(query("GetFreeIp", "limit=2.0"), Ok(json!({"limit": 2})));
        assert_eq!(query("GetFreeIp", "limit=many"), Err(500));
    }
}
