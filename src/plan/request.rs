//! A planned REST request, with its secret parts marked.

use std::fmt;

use crate::catalog::Method;
use crate::json::Value;
use crate::percent;
use crate::secret::{MASK, Secret, Secrets, mask_json, mask_value, secrets_of_value};

/// The effect of a request on the cloud, which decides whether it may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A query: safe to repeat.
    Query,
    /// Another call that only reads: safe to repeat.
    Read,
    /// A call that may change something: never repeated blindly.
    Action,
}

/// Text that may be secret. `Debug` hides it then.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText {
    /// The text as sent, before encoding.
    pub text: String,
    /// Whether it must not be shown, stored or logged.
    pub secret: bool,
}

impl SecretText {
    /// Text that may be shown.
    pub fn plain(text: impl Into<String>) -> SecretText {
        SecretText { text: text.into(), secret: false }
    }

    /// The text, or its mask.
    pub fn show(&self, secrets: Secrets) -> &str {
        if self.secret && secrets == Secrets::Masked { MASK } else { &self.text }
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.show(Secrets::Masked), f)
    }
}

/// A piece of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathPart {
    /// Text of the catalog's path.
    Fixed(&'static str),
    /// The value of a path variable: one segment.
    Variable(SecretText),
}

/// What a call acts on, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// The uuid of the resource.
    pub resource: Option<String>,
    /// Its name.
    pub name: Option<String>,
}

/// One request to a management node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The API that it calls.
    pub api: &'static str,
    /// The verb of the catalog.
    pub method: Method,
    /// The path below `BASE/v1`.
    pub path: Vec<PathPart>,
    /// The query string's pairs, in order, not encoded.
    pub query: Vec<(String, SecretText)>,
    /// The JSON body of a POST or PUT.
    pub body: Option<Value>,
    /// Whether the call needs a session.
    pub needs_session: bool,
    /// Its effect on the cloud.
    pub effect: Effect,
    /// Whether the node may answer with a job to poll.
    pub is_async: bool,
    /// The time-out on the node, for the `X-API-Timeout` header.
    pub timeout: Option<std::time::Duration>,
}

/// The system tag that makes a node only validate an action (P10).
const VALIDATION_ONLY: &str = "ephemeral::validationOnly";

impl Request {
    /// The request that makes the node only validate this one. It changes nothing, so it may be repeated. `None` for
    /// synchronous APIs and for bodies that cannot have a tag.
    pub fn for_validation(&self) -> Option<Request> {
        let mut request = Request { effect: Effect::Read, ..self.clone() };
        if !request.is_async {
            return None;
        }
        match &mut request.body {
            None => request.query.push(("systemTags".to_owned(), SecretText::plain(VALIDATION_ONLY))),
            Some(Value::Map(members)) => {
                let [(_, Value::Map(parameters))] = &mut members[..] else { return None };
                let tag = Value::text(VALIDATION_ONLY);
                match parameters.iter_mut().find(|(name, _)| name == "systemTags") {
                    Some((_, Value::List(tags))) => tags.push(tag),
                    Some(_) => return None,
                    None => parameters.push(("systemTags".to_owned(), Value::List(vec![tag]))),
                }
            }
            Some(_) => return None,
        }
        Some(request)
    }

    /// The path below `BASE/v1` and the query string, percent-encoded: `/zones?q=name%3Dlab`.
    pub fn target(&self, secrets: Secrets) -> String {
        let mut out = String::new();
        for part in &self.path {
            match part {
                PathPart::Fixed(text) => out.push_str(text),
                PathPart::Variable(value) => encode(&mut out, value, secrets),
            }
        }
        for (index, (name, value)) in self.query.iter().enumerate() {
            out.push(if index == 0 { '?' } else { '&' });
            percent::encode(&mut out, name);
            out.push('=');
            match secrets {
                // A condition, a tag or a URL may contain a secret.
                Secrets::Masked if !value.secret => percent::encode(&mut out, &mask_value(name, &value.text)),
                _ => encode(&mut out, value, secrets),
            }
        }
        out
    }

    /// What the call acts on: the resource in its path, or what it creates by its name.
    pub fn subject(&self) -> Subject {
        let variable = self.path.iter().find_map(|part| match part {
            PathPart::Variable(SecretText { text, secret: false }) => Some(text.clone()),
            PathPart::Fixed(_) | PathPart::Variable(_) => None,
        });
        let Some(Value::Map(members)) = self.body.as_ref().filter(|_| variable.is_none()) else {
            return Subject { resource: variable, name: None };
        };
        let name = members.iter().find_map(|(_, parameters)| match parameters {
            Value::Map(parameters) => parameters.iter().find_map(|parameter| match parameter {
                (name, Value::Text(text)) if name == "name" => Some(text.clone()),
                _ => None,
            }),
            _ => None,
        });
        Subject { resource: None, name }
    }

    /// The secrets that it carries.
    pub fn secrets(&self) -> Vec<Secret> {
        let in_path = self.path.iter().filter_map(|part| match part {
            PathPart::Variable(SecretText { text, secret: true }) => Some(Secret::new(text.as_str())),
            PathPart::Fixed(_) | PathPart::Variable(_) => None,
        });
        // A condition that is secret as a whole has given its value as an argument.
        let in_query = self.query.iter().filter(|(name, value)| value.secret && name != "q");
        let in_query = in_query.map(|(_, value)| Secret::new(value.text.as_str()));
        // The outermost member is called as the API is, which may be `changeVmPassword`.
        let parameters = match &self.body {
            Some(Value::Map(members)) => members.iter().map(|(_, parameters)| parameters).collect(),
            body => body.iter().collect::<Vec<_>>(),
        };
        let in_body = parameters.into_iter().flat_map(|value| secrets_of_value("", value));
        in_path.chain(in_query).chain(in_body).collect()
    }

    /// Whether it contains characters beyond U+FFFF, which a node's database may reject (R9).
    pub fn holds_wide_text(&self) -> bool {
        let is_wide = |text: &str| text.chars().any(|c| c > '\u{ffff}');
        let in_path = self.path.iter().any(|part| match part {
            PathPart::Fixed(text) => is_wide(text),
            PathPart::Variable(value) => is_wide(&value.text),
        });
        in_path
            || self.query.iter().any(|(name, value)| is_wide(name) || is_wide(&value.text))
            || self.body.as_ref().is_some_and(|body| body.any_text(is_wide))
    }

    /// The body as compact ASCII JSON.
    pub fn body_text(&self, secrets: Secrets) -> Option<String> {
        let text = self.body.as_ref()?.to_json(secrets.mask());
        Some(match secrets {
            Secrets::Shown => text,
            // Values that are not secret may contain a secret: a tag, a URL, JSON in text.
            Secrets::Masked => mask_json(text.as_bytes()),
        })
    }
}

fn encode(out: &mut String, value: &SecretText, secrets: Secrets) {
    if value.secret && secrets == Secrets::Masked {
        out.push_str(MASK);
    } else {
        percent::encode(out, &value.text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_hide_what_stands_inside_their_values() {
        let tags = Value::List(vec![Value::Text("consolePassword::x1".into()), Value::Text("ha::y1".into())]);
        let request = Request {
            api: "CreateZone",
            method: Method::Post,
            path: vec![PathPart::Fixed("/zones")],
            query: Vec::new(),
            body: Some(Value::Map(vec![("systemTags".into(), tags)])),
            needs_session: true,
            effect: Effect::Action,
            is_async: true,
            timeout: None,
        };
        let shown = |secrets| request.body_text(secrets).expect("a body");
        assert_eq!(shown(Secrets::Shown), r#"{"systemTags":["consolePassword::x1","ha::y1"]}"#);
        assert_eq!(shown(Secrets::Masked), r#"{"systemTags":["consolePassword::******","ha::y1"]}"#);
    }

    #[test]
    fn a_validation_is_the_same_request_with_a_tag() {
        let put = |parameters: &str| Request {
            api: "StartVmInstance",
            method: Method::Put,
            path: vec![PathPart::Fixed("/vm-instances/1f6d/actions")],
            query: Vec::new(),
            body: crate::json::parse(format!("{{\"startVmInstance\":{parameters}}}").as_bytes()).ok(),
            needs_session: true,
            effect: Effect::Action,
            is_async: true,
            timeout: None,
        };
        for (typed, sent) in [
            ("{}", r#"{"startVmInstance":{"systemTags":["ephemeral::validationOnly"]}}"#),
            (
                r#"{"systemTags":["a::b"],"x":1}"#,
                r#"{"startVmInstance":{"systemTags":["a::b","ephemeral::validationOnly"],"x":1}}"#,
            ),
        ] {
            let request = put(typed).for_validation().expect("it can be validated");
            assert_eq!(request.body_text(Secrets::Shown).as_deref(), Some(sent));
            assert_eq!(request.effect, Effect::Read);
        }
        let delete = Request { method: Method::Delete, body: None, ..put("{}") };
        let target = delete.for_validation().expect("it can be validated").target(Secrets::Shown);
        assert_eq!(target, "/vm-instances/1f6d/actions?systemTags=ephemeral%3A%3AvalidationOnly");
        for other in [put("7"), put(r#"{"systemTags":"a::b"}"#), Request { is_async: false, ..put("{}") }] {
            assert_eq!(other.for_validation(), None);
        }
    }

    #[test]
    fn targets_are_encoded_completely_and_masked_on_demand() {
        let request = Request {
            api: "LogOut",
            method: Method::Delete,
            path: vec![
                PathPart::Fixed("/accounts/sessions/"),
                PathPart::Variable(SecretText { text: "5d0c".into(), secret: true }),
            ],
            query: vec![
                ("q".into(), SecretText::plain("name~=%a b+ü%")),
                ("q".into(), SecretText::plain("sshPassword=x1")),
                ("systemTags".into(), SecretText::plain("consolePassword::x1")),
            ],
            body: None,
            needs_session: false,
            effect: Effect::Action,
            is_async: false,
            timeout: None,
        };
        let shown = request.target(Secrets::Shown);
        assert!(shown.starts_with("/accounts/sessions/5d0c?q=name~%3D%25a%20b%2B%C3%BC%25&"), "{shown}");
        assert!(shown.ends_with("&q=sshPassword%3Dx1&systemTags=consolePassword%3A%3Ax1"), "{shown}");
        let masked = request.target(Secrets::Masked);
        assert!(masked.starts_with("/accounts/sessions/******?q=name~%3D%25a%20b%2B%C3%BC%25&"), "{masked}");
        assert!(!masked.contains("x1"), "{masked}");
        assert!(!format!("{request:?}").contains("5d0c"));
    }
}
