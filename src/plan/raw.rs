//! A request typed as verb, path and body.
//!
//! A path that has one API runs it whatever the verb (D3), and a PUT under a wrong key runs it without parameters (P3).
//! So verb, path and key are held against the catalog before anything is sent.

use crate::catalog::{Candidate, Catalog, Method, Routes};
use crate::json::{self, Flaw, Value};
use crate::secret::{Secrecy, name_secrecy};

use super::Options;
use super::error::{Error, ErrorKind};
use super::request::{Effect, PathPart, Request, SecretText};

const METHODS: [Method; 4] = [Method::Get, Method::Post, Method::Put, Method::Delete];

/// What stands in front of a path that was copied from a whole URL.
const PREFIXES: [&str; 2] = ["/zstack/v1/", "/v1/"];

/// A request as it was typed.
#[derive(Clone, Copy, Debug)]
pub struct RawCall<'a> {
    /// The verb, in any case.
    pub method: &'a str,
    /// The path below `/v1`, with its query string.
    pub path: &'a str,
    /// JSON text.
    pub body: Option<&'a str>,
}

/// A planned request of that kind.
#[derive(Clone, Debug)]
pub struct RawPlan {
    /// What is sent.
    pub request: Request,
    /// Whether the catalog knows the path.
    pub is_known: bool,
    /// Names and texts of the parameters that are no secrets, wherever they stand.
    pub arguments: Vec<(String, String)>,
}

/// What is wrong with such a request.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[allow(missing_docs)]
pub enum RawError {
    #[error("`{typed}` is not one of GET, POST, PUT and DELETE")]
    Method { typed: String },
    #[error("the path must be one below /v1, not a whole URL")]
    WholeUrl,
    #[error("the path cannot hold {problem}")]
    Path { problem: &'static str },
    #[error("the escape `{escape}` is broken")]
    Escape { escape: String },
    #[error("{method} {path} would run {api}: that path has no other API")]
    Lone { method: Method, path: String, api: &'static str, right: Method },
    #[error("{path} takes no {method}")]
    NotTaken { method: Method, path: String, right: Vec<Method> },
    #[error("{method} takes its parameters from the query string, and no body")]
    Body { method: Method },
    #[error("{method} needs a body")]
    NoBody { method: Method, keys: Vec<&'static str> },
    #[error("the body is not JSON: {0}")]
    NotJson(Flaw),
    #[error("the body is not a JSON object")]
    NoObject,
    #[error("the body has no member that an API of {path} takes its parameters from")]
    Key { path: String, typed: Vec<String>, keys: Vec<&'static str> },
}

/// Plans a request that is typed as verb, path and body.
///
/// # Errors
/// [`ErrorKind::Raw`]. With `no_check` only what cannot be sent at all.
pub fn raw(typed: RawCall<'_>, catalog: Catalog, options: &Options) -> Result<RawPlan, Error> {
    plan(typed, catalog, options).map_err(|error| Error { kind: ErrorKind::Raw(error), span: None })
}

fn plan(typed: RawCall<'_>, catalog: Catalog, options: &Options) -> Result<RawPlan, RawError> {
    let method = METHODS.into_iter().find(|method| method.as_str().eq_ignore_ascii_case(typed.method));
    let method = method.ok_or_else(|| RawError::Method { typed: typed.method.to_owned() })?;
    let (segments, query) = target(typed.path)?;
    let path = format!("/{}", segments.join("/"));
    let takes_body = matches!(method, Method::Post | Method::Put);
    let body = match typed.body {
        Some(_) if !takes_body => return Err(RawError::Body { method }),
        Some(text) => Some(json::parse(text.as_bytes()).map_err(RawError::NotJson)?),
        None => None,
    };
    let found = Routes::new(catalog).find(&path);
    let keys = || -> Vec<&'static str> {
        found.iter().filter(|found| found.api.method == method).map(|found| found.api.body).collect()
    };
    let meant = found.iter().find(|found| {
        found.api.method == method && (!takes_body || members(&body).iter().any(|(name, _)| *name == found.api.body))
    });
    if meant.is_none() && !options.no_check && !found.is_empty() {
        if keys().is_empty() {
            return Err(not_taken(method, path, &found));
        }
        return Err(match body {
            None => RawError::NoBody { method, keys: keys() },
            Some(Value::Map(members)) => {
                let typed = members.into_iter().map(|(name, _)| name).collect();
                RawError::Key { path, typed, keys: keys() }
            }
            Some(_) => RawError::NoObject,
        });
    }
    // What a path alone has runs there, whatever was sent (D3).
    let runs = meant.or(match &found[..] {
        [lone] => Some(lone),
        _ => None,
    });
    let reads = meant.is_some() && method == Method::Get;
    let is_secret = |name: &str| name_secrecy(name) == Secrecy::Whole;
    let variables = runs.map_or(&[][..], |runs| &runs.variables);
    let parts = segments.iter().flat_map(|segment| {
        let secret = variables.iter().any(|(name, value)| is_secret(name) && segment.ends_with(value.as_str()));
        [PathPart::Fixed("/"), PathPart::Variable(SecretText { text: segment.clone(), secret })]
    });
    let in_path = variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    let in_body =
        runs.into_iter().flat_map(|runs| match members(&body).iter().find(|(name, _)| *name == runs.api.body) {
            Some((_, Value::Map(parameters))) => texts(parameters),
            _ => Vec::new(),
        });
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    let arguments = in_path.chain(query.iter().cloned()).chain(in_body);
    let arguments = arguments.filter(|(name, _)| is_name(name) && !is_secret(name)).collect();
    let request = Request {
        api: runs.map_or("raw", |runs| runs.api.name),
        method,
        path: parts.collect(),
        query: query.into_iter().map(|(name, value)| (name, SecretText::plain(value))).collect(),
        body,
        needs_session: runs.is_none_or(|runs| runs.api.session),
        effect: match runs {
            Some(runs) if reads && runs.api.is_query => Effect::Query,
            _ if reads => Effect::Read,
            // Nobody knows what runs at an unknown path, whatever the verb.
            _ => Effect::Action,
        },
        // Only of what surely leaves a record can be told that it never ran (J6).
        is_async: runs.is_some_and(|runs| runs.api.is_async),
        timeout: options.timeout,
    };
    Ok(RawPlan { request, is_known: !found.is_empty(), arguments })
}

fn not_taken(method: Method, path: String, found: &[Candidate]) -> RawError {
    match found {
        [lone] => RawError::Lone { method, path, api: lone.api.name, right: lone.api.method },
        _ => {
            let right = METHODS.into_iter().filter(|right| found.iter().any(|found| found.api.method == *right));
            RawError::NotTaken { method, path, right: right.collect() }
        }
    }
}

/// The members of a body that is an object.
fn members(body: &Option<Value>) -> &[(String, Value)] {
    match body {
        Some(Value::Map(members)) => members,
        _ => &[],
    }
}

/// The parameters that are texts.
fn texts(parameters: &[(String, Value)]) -> Vec<(String, String)> {
    let text = |(name, value): &(String, Value)| match value {
        Value::Text(text) => Some((name.clone(), text.clone())),
        _ => None,
    };
    parameters.iter().filter_map(text).collect()
}

/// Path segments and pairs of a query string, decoded.
type Target = (Vec<String>, Vec<(String, String)>);

/// Takes a target apart. It is encoded again completely, so that what a node refuses, or would drop without a word (T3),
/// is never sent.
fn target(typed: &str) -> Result<Target, RawError> {
    if typed.contains("://") && !typed.starts_with('/') {
        return Err(RawError::WholeUrl);
    }
    let rooted = format!("/{}", typed.trim_start_matches('/'));
    let below = PREFIXES.iter().find_map(|prefix| rooted.strip_prefix(prefix)).unwrap_or(&rooted[1..]);
    let (path, query) = below.split_once('?').map_or((below, None), |(path, query)| (path, Some(query)));
    let bad = |problem| Err(RawError::Path { problem });
    if path.is_empty() {
        return bad("nothing");
    }
    let segments = path.split('/').map(|segment| decoded(segment, false)).collect::<Result<Vec<String>, RawError>>()?;
    for segment in &segments {
        if segment == "." || segment == ".." {
            return bad("`.` or `..`");
        }
        if segment.contains(['/', '\\']) {
            return bad("an encoded slash");
        }
        if segment.chars().any(char::is_control) {
            return bad("a control character");
        }
    }
    let pairs = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Ok((decoded(name, true)?, decoded(value, true)?))
    });
    Ok((segments, pairs.collect::<Result<_, RawError>>()?))
}

/// The text without percent escapes; `+` is a blank in a query string.
fn decoded(text: &str, in_query: bool) -> Result<String, RawError> {
    let broken = |at: usize| {
        let escape: String = text[at..].chars().take(3).collect();
        Err(RawError::Escape { escape })
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes().enumerate();
    let mut last_escape = 0;
    while let Some((at, byte)) = rest.next() {
        match byte {
            b'%' => {
                let digits = text.get(at + 1..at + 3).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
                let Some(value) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) else {
                    return broken(at);
                };
                last_escape = at;
                rest.nth(1);
                bytes.push(value);
            }
            b'+' if in_query => bytes.push(b' '),
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).or_else(|_| broken(last_escape))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secrets;

    fn planned(method: &str, path: &str, body: Option<&str>, no_check: bool) -> Result<RawPlan, Error> {
        raw(RawCall { method, path, body }, Catalog::newest(), &Options { no_check, ..Options::default() })
    }

    fn sent(method: &str, path: &str, body: Option<&str>) -> Request {
        planned(method, path, body, false).unwrap_or_else(|error| panic!("{method} {path}: {error}")).request
    }

    fn refused(method: &str, path: &str, body: Option<&str>) -> String {
        let error = planned(method, path, body, false).expect_err(path);
        format!("{error} ({})", error.hint().unwrap_or_default())
    }

    #[test]
    fn paths_are_below_v1_however_they_are_written() {
        for path in ["zones", "/zones", "/v1/zones", "/zstack/v1/zones", "v1/zones", "//zones"] {
            let request = sent("get", path, None);
            assert_eq!((request.target(Secrets::Shown).as_str(), request.api), ("/zones", "QueryZone"), "{path}");
            assert_eq!(request.effect, Effect::Query);
        }
        let target = |path: &str| sent("GET", path, None).target(Secrets::Shown);
        assert_eq!(target("zones?q=name~=%25a%25&limit=1"), "/zones?q=name~%3D%25a%25&limit=1");
        assert_eq!(target("zones?q=name=a+b c{é}'"), "/zones?q=name%3Da%20b%20c%7B%C3%A9%7D%27");
        assert_eq!(target("zones?count"), "/zones?count=");
        assert_eq!(target("/zones/1f6d"), "/zones/1f6d");
    }

    #[test]
    fn what_would_be_read_as_another_path_is_refused() {
        for (path, message) in [
            ("zones?q=name~=%foo%", "the escape `%fo` is broken (`%25` stands for a percent sign)"),
            ("zones?q=%", "the escape `%` is broken (`%25` stands for a percent sign)"),
            ("zones/%ff", "the escape `%ff` is broken (`%25` stands for a percent sign)"),
            ("zones/a%2Fb", "the path cannot hold an encoded slash ()"),
            ("zones/../hosts", "the path cannot hold `.` or `..` ()"),
            ("zones/%2e%2E", "the path cannot hold `.` or `..` ()"),
            ("", "the path cannot hold nothing ()"),
            ("http://h/zstack/v1/zones", "the path must be one below /v1, not a whole URL (--url names the node)"),
        ] {
            assert_eq!(refused("GET", path, None), message, "{path}");
        }
        assert!(refused("HEAD", "zones", None).starts_with("`HEAD` is not one of GET, POST, PUT and DELETE"));
    }

    #[test]
    fn a_verb_that_would_run_another_api_is_refused() {
        let said = refused("GET", "/primary-storage/1f6d", None);
        assert!(said.starts_with("GET /primary-storage/1f6d would run DeletePrimaryStorage: that path"), "{said}");
        assert!(said.ends_with("(the method there is DELETE; --no-check sends it all the same)"), "{said}");
        let said = refused("DELETE", "/zones", None);
        assert_eq!(said, "/zones takes no DELETE (the methods there are GET, POST; --no-check sends it all the same)");
        let forced = planned("GET", "/primary-storage/1f6d", None, true).expect("it is wanted").request;
        assert_eq!((forced.api, forced.effect, forced.is_async), ("DeletePrimaryStorage", Effect::Action, true));
        let unknown = planned("GET", "/no/such/path", None, false).expect("a newer node may have it");
        assert!(!unknown.is_known);
        let unknown = unknown.request;
        assert_eq!((unknown.api, unknown.effect, unknown.is_async), ("raw", Effect::Action, false));
    }

    #[test]
    fn no_lone_deletion_of_the_catalog_answers_a_get() {
        let catalog = Catalog::newest();
        let mut routes = Routes::new(catalog);
        let mut lone = 0;
        for name in catalog.api_names().filter(|name| name.method() == Method::Delete) {
            let path = name.path().replace(['{', '}'], "");
            if let [only] = &routes.find(&path)[..] {
                lone += 1;
                let error = planned("GET", &path, None, false).expect_err(only.api.name);
                assert!(matches!(error.kind, ErrorKind::Raw(RawError::Lone { .. })), "{path}: {error}");
            }
        }
        assert!(lone > 10, "{lone}");
    }

    #[test]
    fn the_key_of_a_body_is_that_of_an_api_of_the_path() {
        let request = sent("PUT", "vm-instances/1f6d/actions", Some(r#"{"stopVmInstance":{"type":"cold"}}"#));
        assert_eq!((request.api, request.effect, request.is_async), ("StopVmInstance", Effect::Action, true));
        let said = refused("PUT", "vm-instances/1f6d/actions", Some(r#"{"stopVmInstanc":{}}"#));
        assert!(said.ends_with("(did you mean `stopVmInstance`?)"), "{said}");
        let said = refused("POST", "zones", Some(r#"{"name":"lab"}"#));
        let message = "the body has no member that an API of /zones takes its parameters from (write `{\"params\":{}}`, \
                       with the parameters inside; --no-check sends it all the same)";
        assert_eq!(said, message);
        assert_eq!(refused("POST", "zones", None), "POST needs a body (without parameters write `{\"params\":{}}`)");
        assert_eq!(refused("POST", "zones", Some("[]")), "the body is not a JSON object ()");
        assert!(refused("POST", "zones", Some("{")).starts_with("the body is not JSON: "));
        assert!(refused("DELETE", "zones/1f6d", Some("{}")).starts_with("DELETE takes its parameters from the query"));
    }

    #[test]
    fn parameters_are_told_and_secrets_are_not() {
        let arguments = |method: &str, path: &str, body: Option<&str>| {
            let mut found = planned(method, path, body, false).expect(path).arguments;
            found.sort();
            found.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(arguments("DELETE", "zones/1f6d?deleteMode=Enforcing", None), "deleteMode=Enforcing uuid=1f6d");
        let body = r#"{"logInByAccount":{"accountName":"admin","password":"x"}}"#;
        assert_eq!(arguments("PUT", "accounts/login", Some(body)), "accountName=admin");
        let request = sent("DELETE", "accounts/sessions/5d0c", None);
        assert_eq!(request.target(Secrets::Masked), "/accounts/sessions/******");
        let request = sent("PUT", "accounts/login", Some(body));
        assert!(!request.body_text(Secrets::Masked).expect("a body").contains('x'));
        assert!(!request.needs_session);
    }
}
