//! Turns the classes of an SDK into entries of a catalog.

mod writer;

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::class::{Class, Field, Param, flag};
use super::code::Constant;
use super::{Budget, ImportError, Imported, MAX_KEPT};
use crate::catalog::Api;
use crate::catalog::index::Catalog;

use writer::{Writer, routes};

/// The maximum length of a chain of superclasses.
const MAX_ANCESTORS: usize = 32;
/// The maximum length of a path, body key or default, in bytes.
const MAX_TEXT: usize = 512;

/// Parameters of the SDK client itself, which every class has (P8).
const CLIENT_SIDE: [&str; 6] =
    ["sessionId", "accessKeyId", "accessKeySecret", "requestIp", "timeout", "pollingInterval"];

const NO_REQUEST: &str = "it has no getRestInfo";
const UNTOLD: &str = "its getRestInfo does more than set constants";
const BAD_NAME: &str = "its name is none of an API";
const BAD_PATH: &str = "its path makes no sense";
const BAD_VERB: &str = "its verb is none that an API has";
const BAD_BODY: &str = "the key of its body makes no sense";
const TWICE: &str = "another class has the same name";

/// The classes of a jar by their full names.
pub(super) struct Classes<'c> {
    by_name: HashMap<&'c str, &'c Class>,
    /// All classes, those in shorter packages first. Of several with the same simple name the first one is used.
    sorted: Vec<&'c Class>,
    catalog: Catalog,
}

impl<'c> Classes<'c> {
    fn get(&self, name: &str) -> Option<&'c Class> {
        self.by_name.get(name).copied()
    }

    /// Returns the class and its superclasses, nearest first, as far as they are in the jar.
    fn family(&self, class: &'c Class) -> impl Iterator<Item = &'c Class> {
        let next = |class: &&'c Class| class.parent.as_deref().and_then(|parent| self.get(parent));
        std::iter::successors(Some(class), next).take(MAX_ANCESTORS)
    }

    /// Whether a class extends the one of that simple name, directly or not. The superclass need not be in the jar.
    fn extends(&self, class: &'c Class, simple: &str) -> bool {
        self.family(class).any(|class| class.parent.as_deref().is_some_and(|parent| simple_name(parent) == simple))
    }

    /// Returns the simple name of a class that a catalog describes: an enum, a record, or a name of the built-in
    /// catalog.
    pub(super) fn described<'n>(&self, name: &'n str) -> Option<&'n str> {
        let simple = simple_name(name);
        let known = || {
            let catalog = self.catalog;
            catalog.enum_values(simple).is_some()
                || catalog.inventory(simple).is_some()
                || catalog.struct_fields(simple).is_some()
        };
        let is_described = match self.get(name) {
            Some(class) => is_enum(class) || members(self, class).next().is_some(),
            None => !name.starts_with("java/") && known(),
        };
        (is_described && is_name(simple)).then_some(simple)
    }
}

/// The contents of an SDK.
pub(super) struct Sdk<'c> {
    classes: Classes<'c>,
    /// The classes of APIs, by API name.
    actions: BTreeMap<&'c str, Action<'c>>,
    /// The simple names of the inventories.
    inventories: HashSet<&'c str>,
    skipped: Vec<(String, &'static str)>,
    /// The defaults of the members of `@Param`.
    defaults: Param,
}

struct Action<'c> {
    class: &'c Class,
    request: Request,
}

/// The request that `getRestInfo` describes.
struct Request {
    method: &'static str,
    path: String,
    session: bool,
    is_async: bool,
    body: String,
}

impl<'c> Sdk<'c> {
    pub(super) fn new(found: &'c [Class]) -> Sdk<'c> {
        let mut by_name = HashMap::new();
        for class in found {
            by_name.entry(class.name.as_str()).or_insert(class);
        }
        let mut sorted: Vec<&Class> = by_name.values().copied().collect();
        sorted.sort_by_key(|class| (class.name.matches('/').count(), class.name.as_str()));
        let classes = Classes { by_name, sorted, catalog: Catalog::newest() };
        let annotation = |class: &&Class| class.flags & flag::ANNOTATION != 0 && simple_name(&class.name) == "Param";
        let defaults = found.iter().find(annotation).map(|class| class.annotation.clone()).unwrap_or_default();
        let (mut actions, mut skipped) = (BTreeMap::new(), Vec::new());
        for class in classes.sorted.iter().copied() {
            let Some(read) = action(&classes, class) else { continue };
            let simple = simple_name(&class.name);
            let name = simple.strip_suffix("Action").filter(|name| !name.is_empty()).unwrap_or(simple);
            match read {
                _ if !is_name(name) || !name.starts_with(|c: char| c.is_ascii_uppercase()) => {
                    skipped.push((simple.to_owned(), BAD_NAME));
                }
                Err(reason) => skipped.push((simple.to_owned(), reason)),
                Ok(_) if actions.contains_key(name) => skipped.push((simple.to_owned(), TWICE)),
                Ok(request) => {
                    actions.insert(name, Action { class, request });
                }
            }
        }
        let inventories = classes.by_name.values().filter_map(|class| inventory_name(class)).collect();
        Sdk { classes, actions, inventories, skipped, defaults }
    }

    #[cfg(test)]
    pub(super) fn classes(&self) -> &Classes<'c> {
        &self.classes
    }

    pub(super) fn has_actions(&self) -> bool {
        !self.actions.is_empty()
    }

    /// Builds the catalog.
    pub(super) fn import(self, name: &str, version: String, unreadable: usize) -> Result<Imported, ImportError> {
        let before = Catalog::of_version(&version).unwrap_or(Catalog::newest());
        let mut writer = Writer {
            sdk: &self,
            routes: routes(None),
            before,
            version: &version,
            needed: Vec::new(),
            budget: Budget(MAX_KEPT),
        };
        let (mut apis, mut changed_apis) = (Vec::new(), Vec::new());
        for (name, action) in &self.actions {
            let entry = writer.api(name, action);
            if before.api(name).is_some_and(|old| differs(before, &old, &entry)) {
                changed_apis.push((*name).to_owned());
            }
            apis.push(writer.line(entry)?);
        }
        let (inventories, new_inventories) = writer.inventories()?;
        let structs = writer.structs()?;
        let enums = writer.enums()?;
        let source: String = name.chars().filter(|c| !c.is_control() && !['"', '\\'].contains(c)).take(100).collect();
        let count = inventories.len();
        let text = format!(
            "{{\n\"zstack\":\"{version}\",\n\"from\":\"{source}\",\n\"apis\":[\n{}\n],\n\"inventories\":{{\n{}\n}},\n\
             \"structs\":{{\n{}\n}},\n\"enums\":{{\n{}\n}}\n}}\n",
            apis.join(",\n"),
            inventories.join(",\n"),
            structs.join(",\n"),
            enums.join(",\n"),
        );
        let is_new = |name: &&str| Catalog::newest().api_name(name).is_none();
        let new_apis = self.actions.keys().copied().filter(is_new).map(str::to_owned).collect();
        Ok(Imported {
            apis: self.actions.len(),
            new_apis,
            changed_apis,
            inventories: count,
            new_inventories,
            skipped: self.skipped,
            unreadable,
            text,
            version,
        })
    }
}

/// Whether the request or the parameters of an API differ from the catalog of its version.
fn differs(before: Catalog, old: &Api, new: &Map<String, Value>) -> bool {
    fn texts(list: &Value) -> Vec<&str> {
        list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    }
    let request = json!([old.method.as_str(), old.path, old.body, old.session, old.is_async]);
    let told = |name: &str, required: bool, values: Vec<&str>| format!("{name} {required} {values:?}");
    // Every API accepts tags, whether its class has them or not (P8).
    let is_tags = |name: &str| name == "systemTags" || name == "userTags";
    let there = old.parameters.iter().filter(|parameter| !before.lacks(parameter.since) && !is_tags(parameter.name));
    let mut parameters: Vec<String> = there
        .map(|parameter| told(parameter.name, parameter.required, parameter.values.iter().map(AsRef::as_ref).collect()))
        .collect();
    let named = new["params"].as_array().into_iter().flatten().filter_map(|new| Some((new["name"].as_str()?, new)));
    let mut new_parameters: Vec<String> = named
        .filter(|(name, _)| !is_tags(name))
        .map(|(name, new)| told(name, new["required"] == true, texts(&new["values"])))
        .collect();
    parameters.sort();
    new_parameters.sort();
    let new_request = ["method", "path", "body", "session", "async"].map(|key| &new[key]);
    request != json!(new_request) || parameters != new_parameters
}

/// Returns a class name without package and outer class.
fn simple_name(name: &str) -> &str {
    name.rsplit(['/', '$']).next().unwrap_or(name)
}

/// Whether a text is valid as a name in a catalog.
fn is_name(text: &str) -> bool {
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    begins && text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn is_enum(class: &Class) -> bool {
    class.flags & flag::ENUM != 0 && class.parent.as_deref() == Some("java/lang/Enum")
}

/// Returns the request of an API's class, or why it cannot be determined; `None` where the class is not an API.
fn action<'c>(classes: &Classes<'c>, class: &'c Class) -> Option<Result<Request, &'static str>> {
    let is_anonymous = simple_name(&class.name).starts_with(|c: char| c.is_ascii_digit());
    if class.flags & (flag::ABSTRACT | flag::INTERFACE | flag::ANNOTATION | flag::ENUM) != 0 || is_anonymous {
        return None;
    }
    let found = classes.family(class).find_map(|class| class.request.as_ref());
    let is_action = classes.extends(class, "AbstractAction") || classes.extends(class, "QueryAction");
    let is_like_one = || found.is_some() || class.fields.iter().any(|field| field.param.is_some());
    if !is_action && (!class.name.ends_with("Action") || !is_like_one()) {
        return None;
    }
    Some(match found {
        None => Err(NO_REQUEST),
        Some(None) => Err(UNTOLD),
        Some(Some(members)) => request(members),
    })
}

fn request(members: &[(String, Constant)]) -> Result<Request, &'static str> {
    let member = |name: &str| members.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    let flag = |name: &str| matches!(member(name), Some(Constant::Int(number)) if *number != 0);
    let text = |name: &str| match member(name) {
        Some(Constant::Text(text)) => Some(text.as_str()),
        _ => None,
    };
    let verb = text("httpMethod").ok_or(UNTOLD)?;
    let method = ["GET", "POST", "PUT", "DELETE"].into_iter().find(|known| known.eq_ignore_ascii_case(verb));
    let method = method.ok_or(BAD_VERB)?;
    let path = text("path").ok_or(UNTOLD)?;
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    if !is_path(&path) {
        return Err(BAD_PATH);
    }
    let body = match method {
        "GET" | "DELETE" => "",
        // A missing key is written as the word `null`.
        _ => text("parameterName").unwrap_or("null"),
    };
    if body.len() > MAX_TEXT || body.contains(['"', '\\']) || body.contains(char::is_control) {
        return Err(BAD_BODY);
    }
    Ok(Request { method, path, session: flag("needSession"), is_async: flag("needPoll"), body: body.to_owned() })
}

/// Whether a path can be sent: its segments have plain characters only, or are variables.
fn is_path(path: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@%".contains(c);
    let is_segment = |segment: &str| match segment.split_once('{') {
        None => segment.chars().all(is_plain) && segment != "." && segment != "..",
        Some((before, rest)) => before.chars().all(is_plain) && rest.strip_suffix('}').is_some_and(is_name),
    };
    let segments = path.split('/').skip(1);
    path.len() <= MAX_TEXT && !path.contains("//") && path.len() > 1 && segments.into_iter().all(is_segment)
}

/// Returns the fields of a record, inherited ones included.
fn members<'c>(classes: &Classes<'c>, class: &'c Class) -> impl Iterator<Item = &'c Field> {
    let mut seen = HashSet::new();
    let fields = classes.family(class).flat_map(|class| &class.fields);
    let fields = fields.filter(|field| field.flags & (flag::STATIC | flag::TRANSIENT | flag::SYNTHETIC) == 0);
    fields.filter(move |field| is_name(&field.name) && seen.insert(field.name.as_str()))
}

/// Returns the simple name of an inventory; `None` for another class.
fn inventory_name(class: &Class) -> Option<&str> {
    let simple = simple_name(&class.name);
    let is_record = class.flags & (flag::INTERFACE | flag::ENUM) == 0;
    (is_record && simple.ends_with("Inventory") && is_name(simple)).then_some(simple)
}
