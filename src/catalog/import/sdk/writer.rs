//! The text of a catalog, written from the classes of an SDK.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::super::class::{Class, Field, Param, flag};
use super::super::code::Constant;
use super::super::types::{class_of, in_words, mentioned};
use super::super::{Budget, ImportError};
use super::{Action, CLIENT_SIDE, MAX_TEXT, Request, Sdk, inventory_name, is_enum, is_name, members, simple_name};
use crate::catalog::index::Catalog;
use crate::catalog::{Api, Routes};
use crate::secret::{Secrecy, name_secrecy};

pub(super) struct Writer<'s, 'c> {
    pub(super) sdk: &'s Sdk<'c>,
    pub(super) routes: [Routes; 2],
    /// The built-in catalog as of the version of the SDK.
    pub(super) before: Catalog,
    pub(super) version: &'s str,
    /// The full names of the classes that occur in the types of parameters.
    pub(super) needed: Vec<&'c str>,
    pub(super) budget: Budget,
}

impl<'c> Writer<'_, 'c> {
    /// Writes the entry of an API as a line. The members that the index reads come first.
    pub(super) fn line(&mut self, mut entry: Map<String, Value>) -> Result<String, ImportError> {
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

    pub(super) fn api(&mut self, name: &str, action: &Action<'c>) -> Map<String, Value> {
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
    pub(super) fn inventories(&mut self) -> Result<(Vec<String>, Vec<String>), ImportError> {
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
    pub(super) fn structs(&mut self) -> Result<Vec<String>, ImportError> {
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

    pub(super) fn enums(&mut self) -> Result<Vec<String>, ImportError> {
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
pub(super) fn routes(without: Option<&str>) -> [Routes; 2] {
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
