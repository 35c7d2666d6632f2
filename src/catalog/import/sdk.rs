//! Turns the classes of an SDK into entries of a catalog.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::class::{Class, Field, Param, flag};
use super::code::Constant;
use super::types::{class_of, in_words, mentioned};
use super::{Budget, ImportError, Imported, MAX_KEPT};
use crate::catalog::index::Catalog;
use crate::catalog::{Api, Routes};
use crate::secret::{Secrecy, name_secrecy};

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

struct Writer<'s, 'c> {
    sdk: &'s Sdk<'c>,
    routes: [Routes; 2],
    /// The built-in catalog as of the version of the SDK.
    before: Catalog,
    version: &'s str,
    /// The full names of the classes that occur in the types of parameters.
    needed: Vec<&'c str>,
    budget: Budget,
}

impl<'c> Writer<'_, 'c> {
    /// Writes the entry of an API as a line. The members that the index reads come first.
    fn line(&mut self, mut entry: Map<String, Value>) -> Result<String, ImportError> {
        let first =
            ["name", "method", "path"].map(|key| format!("\"{key}\":{}", entry.remove(key).unwrap_or_default()));
        let rest = Value::Object(entry).to_string();
        let line = format!("{{{},{}", first.join(","), rest.trim_start_matches('{'));
        if self.budget.spend(line.len()) { Ok(line) } else { Err(ImportError::TooMuch) }
    }

    fn keyed(&mut self, name: &str, entry: &Value) -> Result<String, ImportError> {
        let line = format!("\"{name}\":{entry}");
        if self.budget.spend(line.len()) { Ok(line) } else { Err(ImportError::TooMuch) }
    }

    /// Returns the built-in catalog's entry of that name.
    fn known(&self, name: &str) -> Option<Map<String, Value>> {
        let text = self.before.source_text(name)?;
        serde_json::from_str(text).ok()
    }

    /// Sets the version since which something exists: that of the jar, unless the built-in catalog has an older one.
    fn date(&self, entry: &mut Map<String, Value>, is_known: bool) {
        let since = entry.get("since").and_then(Value::as_str);
        // A built-in entry without a version exists in all of them.
        let is_older = is_known && !self.before.lacks(since);
        if !is_older {
            entry.insert("since".to_owned(), self.version.into());
        }
    }

    fn api(&mut self, name: &str, action: &Action<'c>) -> Map<String, Value> {
        let (class, request) = (action.class, &action.request);
        let known = self.known(name);
        let is_known = known.is_some();
        let old = self.before.api(name);
        let mut entry = known.unwrap_or_default();
        let text = |text: &str| Value::String(text.to_owned());
        entry.insert("name".to_owned(), text(name));
        if entry.get("path").and_then(Value::as_str) != Some(&request.path) {
            entry.remove("optionalPaths");
        }
        entry.insert("method".to_owned(), text(request.method));
        entry.insert("path".to_owned(), text(&request.path));
        entry.insert("session".to_owned(), request.session.into());
        entry.insert("async".to_owned(), request.is_async.into());
        entry.insert("body".to_owned(), text(&request.body));
        if class.is_deprecated {
            entry.insert("deprecated".to_owned(), true.into());
        }
        let is_query = request.method == "GET" && self.sdk.classes.extends(class, "QueryAction");
        let (result, inventory) = self.result(class);
        let known_inventory = entry.remove("inventory");
        let known_params = match entry.remove("params") {
            Some(Value::Array(params)) => params,
            _ => Vec::new(),
        };
        if is_query {
            entry.insert("query".to_owned(), true.into());
            let stem = name.strip_prefix("Query").unwrap_or(name);
            let by_name = || Some(format!("{stem}Inventory")).filter(|name| self.has_inventory(name));
            let inventory = inventory.map(Value::from).or(known_inventory).or_else(|| by_name().map(Value::from));
            entry.extend(inventory.map(|inventory| ("inventory".to_owned(), inventory)));
        } else {
            entry.remove("query");
        }
        let params =
            if is_query { Vec::new() } else { self.params(name, class, request, is_known.then_some(&known_params)) };
        entry.insert("params".to_owned(), params.into());
        if !result.is_empty() || !entry.contains_key("result") {
            entry.insert("result".to_owned(), result.into());
        }
        // From this version on the request is the imported one; only older forms are kept.
        if let Some(Value::Array(was)) = entry.get_mut("was") {
            was.retain(|was| {
                was["until"]
                    .as_str()
                    .is_some_and(|until| !self.before.lacks(Some(until)) && until != self.before.version())
            });
            if was.is_empty() {
                entry.remove("was");
            }
        }
        self.date(&mut entry, is_known);
        let is_same = old.as_ref().is_some_and(|old| {
            (old.method.as_str(), old.path, old.body) == (request.method, request.path.as_str(), request.body.as_str())
        });
        let is_mistakable = match self.before.api_name(name) {
            Some(known) if is_same => known.is_mistakable(),
            Some(_) => runs_another(&mut routes(Some(name)), request),
            None => runs_another(&mut self.routes, request),
        };
        if is_mistakable {
            entry.insert("mistakable".to_owned(), true.into());
        }
        entry
    }

    fn has_inventory(&self, name: &str) -> bool {
        self.sdk.inventories.contains(name) || self.before.inventory(name).is_some()
    }

    /// Returns the members of the reply, and the inventory of its rows.
    fn result(&self, class: &'c Class) -> (Vec<Value>, Option<String>) {
        let classes = &self.sdk.classes;
        let named = classes.family(class).find_map(|class| {
            let result = classes.get(&format!("{}$Result", class.name))?;
            let value = result.fields.iter().find(|field| field.name == "value")?;
            classes.get(class_of(&value.signature)?)
        });
        let by_name = || classes.get(&format!("{}Result", class.name.strip_suffix("Action")?));
        let Some(result) = named.or_else(by_name) else { return (Vec::new(), None) };
        let mut inventory = None;
        let members = members(classes, result).map(|field| {
            let kind = in_words(&field.signature, classes);
            if field.name == "inventories" {
                let element = kind.strip_prefix("list<").and_then(|rest| rest.strip_suffix('>'));
                inventory = element.filter(|element| self.has_inventory(element)).map(str::to_owned);
            }
            json!({"name": field.name, "type": kind})
        });
        (members.collect(), inventory)
    }

    /// Returns the parameters of an API. `known` are those in the built-in catalog.
    fn params(&mut self, api: &str, class: &'c Class, request: &Request, known: Option<&Vec<Value>>) -> Vec<Value> {
        let classes = &self.sdk.classes;
        let mut params: Vec<Value> = Vec::new();
        let variables: Vec<&str> = variables(&request.path).collect();
        let initial: HashMap<&str, &Constant> = classes
            .family(class)
            .flat_map(|class| &class.initial)
            .map(|(name, value)| (name.as_str(), value))
            .collect();
        let mut seen = HashSet::new();
        // In each class the client's own fields come last, followed by inherited ones.
        for field in classes.family(class).flat_map(|class| &class.fields) {
            let name = field.name.as_str();
            let Some(param) = &field.param else { continue };
            let known_param = known.and_then(|params| params.iter().find(|param| param["name"] == name));
            let is_client_side = field.is_client_side || (CLIENT_SIDE.contains(&name) && known_param.is_none());
            let is_client_side = is_client_side && !variables.contains(&name);
            if field.flags & flag::STATIC != 0 || is_client_side || !is_name(name) || !seen.insert(name) {
                continue;
            }
            self.needed.extend(
                mentioned(&field.signature).filter_map(|name| classes.get(name)).map(|class| class.name.as_str()),
            );
            let default = initial.get(name).copied();
            let mut entry = self.param(api, field, param, default, known_param);
            // In an API that is new itself, parameters need no version.
            if known.is_some() {
                self.date(&mut entry, known_param.is_some());
            }
            params.push(Value::Object(entry));
        }
        // The variables of a path are required, whatever the class says.
        for variable in variables.into_iter().filter(|variable| !seen.contains(variable)) {
            params.push(json!({"name": variable, "type": "string", "required": true}));
        }
        params
    }

    fn param(
        &self,
        api: &str,
        field: &Field,
        param: &Param,
        initial: Option<&Constant>,
        known: Option<&Value>,
    ) -> Map<String, Value> {
        let (name, defaults) = (field.name.as_str(), &self.sdk.defaults);
        let said = |key: &str| known.and_then(|known| known.get(key));
        let kind = finer(in_words(&field.signature, &self.sdk.classes), said("type").and_then(Value::as_str));
        let mut entry = Map::new();
        let mut set = |key: &str, value: Value| {
            entry.insert(key.to_owned(), value);
        };
        set("name", name.into());
        set("type", kind.as_str().into());
        if param.required.or(defaults.required).unwrap_or(true) {
            set("required", true.into());
        }
        let values = param.values.as_ref().or(defaults.values.as_ref()).filter(|values| !values.is_empty());
        let of_enum = || class_of(&field.signature).and_then(|name| self.sdk.classes.get(name)).and_then(constants);
        if let Some(values) = values.cloned().or_else(of_enum) {
            set("values", values.into());
        }
        let regex = param.regex.as_ref().or(defaults.regex.as_ref()).map(|regex| regex.trim());
        if let Some(regex) = regex.filter(|regex| !regex.is_empty()) {
            set("regex", regex.into());
        }
        let length = |length: Option<i64>| length.filter(|length| (1..=i64::from(u32::MAX)).contains(length));
        if let Some(most) = length(param.max_length.or(defaults.max_length)) {
            set("maxLength", most.into());
        }
        if let Some(least) = length(param.min_length.or(defaults.min_length)) {
            set("minLength", least.into());
        }
        if let Some([least, most, ..]) = param.range.as_deref().or(defaults.range.as_deref())
            && least <= most
        {
            set("range", json!([least, most]));
        }
        if param.nonempty.or(defaults.nonempty).unwrap_or(false) {
            set("nonempty", true.into());
        }
        if !param.empty_string.or(defaults.empty_string).unwrap_or(true) {
            set("noEmptyString", true.into());
        }
        if param.no_trim.or(defaults.no_trim).unwrap_or(false) {
            set("noTrim", true.into());
        }
        match initial {
            Some(Constant::Int(number)) if kind == "bool" => set("default", (*number != 0).into()),
            Some(Constant::Int(number)) => set("default", (*number).into()),
            Some(Constant::Double(number)) if number.is_finite() => set("default", (*number).into()),
            Some(Constant::Text(text)) if text.len() <= MAX_TEXT => set("default", text.as_str().into()),
            _ => {}
        }
        for key in ["default", "secret", "resource", "ref", "since"] {
            if let Some(value) = said(key).filter(|_| !entry.contains_key(key)) {
                entry.insert(key.to_owned(), value.clone());
            }
        }
        // Tags are shown, with only the secrets in them masked.
        let may_be = known.is_none() && !["systemTags", "userTags"].contains(&name);
        if name_secrecy(name) == Secrecy::Whole || (may_be && name_secrecy(name) == Secrecy::Inside) {
            entry.insert("secret".to_owned(), true.into());
        }
        if known.is_none()
            && let Some(query) = self.query_of(api, name)
        {
            entry.insert("ref".to_owned(), query.into());
        }
        entry
    }

    /// Returns the query that lists what a uuid refers to: the one named after the longest suffix of the parameter's
    /// name, as in `rootDiskOffering`; for a bare `uuid`, of the API's name.
    fn query_of(&self, api: &str, parameter: &str) -> Option<String> {
        let mut kind = match parameter {
            "uuid" | "uuids" => api.to_owned(),
            _ => parameter.strip_suffix("Uuid").or_else(|| parameter.strip_suffix("Uuids"))?.to_owned(),
        };
        kind.get_mut(..1)?.make_ascii_uppercase();
        let starts = kind.match_indices(|c: char| c.is_ascii_uppercase()).map(|(at, _)| at);
        starts.map(|at| format!("Query{}", &kind[at..])).find(|query| {
            self.sdk.actions.contains_key(query.as_str())
                || self.before.api_name(query).is_some_and(|known| known.is_query())
        })
    }

    /// Returns the entries of the inventories, and the names of the new ones.
    fn inventories(&mut self) -> Result<(Vec<String>, Vec<String>), ImportError> {
        let (mut lines, mut new) = (BTreeMap::new(), Vec::new());
        for class in &self.sdk.classes.sorted {
            let Some(name) = inventory_name(class).filter(|name| !lines.contains_key(name)) else { continue };
            let known = self.known(name);
            let is_known = known.is_some();
            let mut entry = known.unwrap_or_default();
            let fields = match entry.remove("fields") {
                Some(Value::Array(fields)) => fields,
                _ => Vec::new(),
            };
            entry.insert("fields".to_owned(), self.fields(class, fields, is_known).into());
            if !is_known {
                new.push(name.to_owned());
                entry.insert("source".to_owned(), "sdk".into());
            }
            self.date(&mut entry, is_known);
            lines.insert(name, self.keyed(name, &Value::Object(entry))?);
        }
        new.sort();
        Ok((lines.into_values().collect(), new))
    }

    /// Returns the built-in fields, followed by those that the class has in addition.
    fn fields(&self, class: &'c Class, mut fields: Vec<Value>, is_known: bool) -> Vec<Value> {
        let known_count = fields.len();
        for field in members(&self.sdk.classes, class) {
            let kind = in_words(&field.signature, &self.sdk.classes);
            match fields[..known_count].iter_mut().find(|known| known["name"] == field.name.as_str()) {
                Some(known) => {
                    known["type"] = finer(kind, known["type"].as_str()).into();
                    if let Value::Object(known) = known {
                        self.date(known, true);
                    }
                }
                None if is_known => fields.push(json!({"name": field.name, "type": kind, "since": self.version})),
                None => fields.push(json!({"name": field.name, "type": kind})),
            }
        }
        fields
    }

    /// Returns the entries of the records that occur in parameters, and of records nested in those.
    fn structs(&mut self) -> Result<Vec<String>, ImportError> {
        let mut lines = BTreeMap::new();
        let mut seen = HashSet::new();
        let mut next = std::mem::take(&mut self.needed);
        next.retain(|name| seen.insert(*name));
        while let Some(name) = next.pop() {
            let Some(class) = self.sdk.classes.get(name) else { continue };
            let simple = simple_name(name);
            if is_enum(class) || simple.ends_with("Inventory") || self.sdk.classes.described(name).is_none() {
                continue;
            }
            let fields = self.fields(class, Vec::new(), false);
            let line = self.keyed(simple, &Value::Array(fields))?;
            lines.entry(simple).or_insert(line);
            for field in members(&self.sdk.classes, class) {
                let within = mentioned(&field.signature).filter_map(|name| self.sdk.classes.get(name));
                next.extend(within.map(|class| class.name.as_str()).filter(|name| seen.insert(name)));
            }
        }
        Ok(lines.into_values().collect())
    }

    fn enums(&mut self) -> Result<Vec<String>, ImportError> {
        let mut lines = BTreeMap::new();
        for class in &self.sdk.classes.sorted {
            let simple = simple_name(&class.name);
            if let Some(values) = constants(class).filter(|_| is_name(simple) && !lines.contains_key(simple)) {
                let line = self.keyed(simple, &values.into())?;
                lines.insert(simple, line);
            }
        }
        Ok(lines.into_values().collect())
    }
}

/// Returns the simple name of an inventory; `None` for another class.
fn inventory_name(class: &Class) -> Option<&str> {
    let simple = simple_name(&class.name);
    let is_record = class.flags & (flag::INTERFACE | flag::ENUM) == 0;
    (is_record && simple.ends_with("Inventory") && is_name(simple)).then_some(simple)
}

/// Returns the constants of an enum; `None` where the class is not one, or has none.
fn constants(class: &Class) -> Option<Vec<String>> {
    if !is_enum(class) {
        return None;
    }
    let constants = class.fields.iter().filter(|field| field.flags & flag::ENUM != 0 && is_name(&field.name));
    let constants: Vec<String> = constants.map(|field| field.name.clone()).collect();
    (!constants.is_empty()).then_some(constants)
}

/// Returns the more precise of two types: a class file does not always give the element type of a list.
fn finer(kind: String, known: Option<&str>) -> String {
    match known {
        Some(known) if kind == "any" => known.to_owned(),
        Some(known) if (kind == "list" || kind == "map") && known.starts_with(&format!("{kind}<")) => known.to_owned(),
        _ => kind,
    }
}

/// Returns the variables of a path.
fn variables(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

/// Returns two routing tables of a node without one API: with all other built-in APIs, and with those of the public
/// sources only.
fn routes(without: Option<&str>) -> [Routes; 2] {
    let catalog = Catalog::newest();
    [false, true].map(|is_open_only| {
        let without = without.map(str::to_owned);
        let is_offered = move |api: &Api| !is_open_only || api.source == Some("open");
        let others =
            move |name: &str| catalog.api(name).filter(|api| Some(api.name) != without.as_deref() && is_offered(api));
        Routes::offering(catalog, others)
    })
}

/// Whether a node with these paths runs another API in place of one that it lacks (R1).
fn runs_another(routes: &mut [Routes; 2], request: &Request) -> bool {
    const UUID: &str = "0b5c1de0c6f54a1f9b7d0a4f3d1c2b61";
    let segments = request.path.split('/').map(|segment| match segment.split_once('{') {
        Some((before, _)) => format!("{before}{UUID}"),
        None => segment.to_owned(),
    });
    let path = segments.collect::<Vec<String>>().join("/");
    let is_meant =
        |api: &Api| api.method.as_str() == request.method && (request.method != "PUT" || api.body == request.body);
    routes.iter_mut().any(|routes| {
        let candidates = routes.find(&path);
        candidates.len() == 1 || candidates.iter().any(|other| is_meant(&other.api))
    })
}
