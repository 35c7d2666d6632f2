//! Names in the place of uuids: which values of a command are names of resources, and the command with their uuids.
//!
//! Nothing is asked here. A value that has the form of a uuid is one, and so is any value of which the catalog does not
//! know whose uuid it would be.

use std::borrow::Cow;
use std::ops::Range;

use crate::catalog::{Api, Catalog, FieldPath, Inventory, Parameter, QueryParameter, Type, references};
use crate::json::{Value, write_string};
use crate::syntax::{Argument, Command, Operator, join_list, parse_literal, split_list};

use super::error::{Error, ErrorKind};
use super::query::listed_conditions;
use super::value::{is_uuid, names_uuids, quoted_uuid};

/// What says outright that a name follows.
const PREFIX: &str = "name:";

/// A uuid for checking a command whose names are not looked up yet.
const ANY_UUID: &str = "00000000000000000000000000000000";

/// A value of a command that is the name of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub text: String,
    /// Whether `%` in it stands for any characters, so that it may mean several resources.
    pub is_pattern: bool,
    /// Whether `name:` said that it is one. Another value may be a uuid of an unusual form.
    pub is_said: bool,
    /// The parameter or field that it was given for.
    pub argument: String,
    /// The query that lists the resources that may be meant.
    pub query: &'static str,
    /// Where it stands in the line.
    pub span: Range<usize>,
}

/// A command with names in it.
#[derive(Clone, Debug)]
pub struct Names {
    /// The names, in the order typed.
    pub names: Vec<Name>,
    command: Command,
    values: Vec<NamedValue>,
}

/// The value of an argument that holds names.
#[derive(Clone, Debug)]
struct NamedValue {
    /// The argument's place in the command.
    argument: usize,
    is_list: bool,
    items: Vec<Vec<Part>>,
}

/// A part of a value. Most values have one.
#[derive(Clone, Debug)]
enum Part {
    Text(String),
    /// The name at this place.
    Name(usize),
    /// The same, as a string of JSON.
    InJson(usize),
}

/// The names in a command; `None` where there are none, which is decided from the command alone for most.
pub fn names(command: &Command, catalog: Catalog) -> Option<Names> {
    let may_hold = |argument: &Argument| {
        let last = argument.name.rsplit('.').next().unwrap_or_default();
        let uuids = names_uuids(last) || last.contains("Uuid");
        uuids && !is_plain(&argument.value)
            || ["systemTags", "conditions"].contains(&last)
            || is_structure(&argument.value) && argument.value.to_ascii_lowercase().contains("uuid")
    };
    if !command.arguments.iter().any(may_hold) {
        return None;
    }
    let api = catalog.api_ignoring_case(&command.name)?;
    let mut finder = Finder { catalog, line: &command.line, names: Vec::new() };
    let mut arguments = Vec::new();
    let mut values = Vec::new();
    for argument in &command.arguments {
        let is_listed = argument.name == QueryParameter::Conditions.name() && argument.operator == Operator::Equal;
        let listed = if api.is_query && is_listed { listed_conditions(argument).ok() } else { None };
        for argument in listed.unwrap_or_else(|| vec![argument.clone()]) {
            if let Some((is_list, items)) = finder.in_argument(&api, &argument) {
                values.push(NamedValue { argument: arguments.len(), is_list, items });
            }
            arguments.push(argument);
        }
    }
    let names = finder.names;
    (!names.is_empty()).then(|| Names { names, command: Command { arguments, ..command.clone() }, values })
}

impl Names {
    /// The command with the uuids that were found for each name.
    pub fn resolved(&self, found: &[Vec<String>]) -> Command {
        let mut command = self.command.clone();
        let of = |name: usize| found.get(name).map_or(&[][..], Vec::as_slice);
        for value in &self.values {
            let mut items: Vec<String> = Vec::new();
            for parts in &value.items {
                match &parts[..] {
                    [Part::Name(name)] if value.is_list => {
                        // A pattern may find what stands there already.
                        let new: Vec<String> = of(*name).iter().filter(|uuid| !items.contains(uuid)).cloned().collect();
                        items.extend(new);
                    }
                    parts => items.push(parts.iter().map(|part| part.text(of)).collect()),
                }
            }
            if let Some(argument) = command.arguments.get_mut(value.argument) {
                argument.value = if value.is_list { join_list(&items) } else { items.concat() };
                argument.from_file = false;
            }
        }
        command
    }

    /// The command with some uuid for each name, to check all else that is said in it.
    pub fn with_any_uuids(&self) -> Command {
        self.resolved(&vec![vec![ANY_UUID.to_owned()]; self.names.len()])
    }

    /// The command with the names themselves.
    pub fn with_names(&self) -> Command {
        self.resolved(&self.names.iter().map(|name| vec![name.text.clone()]).collect::<Vec<_>>())
    }
}

impl Part {
    fn text<'p>(&'p self, of: impl Fn(usize) -> &'p [String]) -> Cow<'p, str> {
        let first = |name: usize| of(name).first().map_or("", String::as_str);
        match self {
            Part::Text(text) => Cow::Borrowed(text),
            Part::Name(name) => Cow::Borrowed(first(*name)),
            Part::InJson(name) => {
                let mut literal = String::new();
                write_string(&mut literal, first(*name));
                Cow::Owned(literal)
            }
        }
    }
}

/// What a text names: its parts, and whether a name is among them.
struct Finder<'a> {
    catalog: Catalog,
    line: &'a str,
    names: Vec<Name>,
}

impl Finder<'_> {
    /// The items of an argument's value, where there are names among them, and whether they are a list.
    fn in_argument(&mut self, api: &Api, argument: &Argument) -> Option<(bool, Vec<Vec<Part>>)> {
        let before = self.names.len();
        let (is_list, items) = if api.is_query {
            let is_list = matches!(argument.operator, Operator::In | Operator::NotIn);
            let query = self.query_of_condition(api, argument)?;
            let items = items(argument, is_list, false)?;
            (is_list, items.into_iter().map(|item| vec![self.name(item, query, argument, is_list)]).collect())
        } else {
            let parameter = api.parameter(&argument.name).filter(|_| argument.operator == Operator::Equal)?;
            let is_list = matches!(parameter.kind, Type::List(_));
            if parameter.name == "systemTags" {
                let patterns = tag_patterns(api, self.catalog);
                let items = items(argument, is_list, true)?;
                (is_list, items.into_iter().map(|item| self.in_tag(item, &patterns, argument)).collect())
            } else if holds_structures(parameter) && is_structure(&argument.value) {
                let value = parse_literal(&argument.value).ok().filter(|_| api.session)?;
                let mut parts = Vec::new();
                self.in_structure(value, None, argument, &mut parts);
                (false, vec![parts])
            } else {
                let query = query_of_parameter(api, parameter, self.catalog)?;
                let items = items(argument, is_list, true)?;
                (is_list, items.into_iter().map(|item| vec![self.name(item, query, argument, is_list)]).collect())
            }
        };
        (self.names.len() > before).then_some((is_list, items))
    }

    /// The query that lists what the uuids of a condition name.
    fn query_of_condition(&self, api: &Api, argument: &Argument) -> Option<&'static str> {
        let last = argument.name.rsplit('.').next()?;
        let compares =
            matches!(argument.operator, Operator::Equal | Operator::NotEqual | Operator::In | Operator::NotIn);
        let is_null = matches!(argument.operator, Operator::Equal | Operator::NotEqual) && argument.value == "null";
        if !compares || is_null || !names_uuids(last) {
            return None;
        }
        let rows = self.catalog.inventory(api.inventory?)?;
        let Ok(FieldPath::Field { inventory, field }) = self.catalog.field_path(&rows, &argument.name) else {
            return None;
        };
        let own = (!argument.name.contains('.')).then_some(api.name);
        let query = references::of_field(self.catalog, &inventory, &field, own)?.query;
        lists_names(query, self.catalog).then_some(query)
    }

    fn name(&mut self, item: String, query: &'static str, argument: &Argument, is_list: bool) -> Part {
        let typed = item.trim();
        if typed.is_empty() || has_form_of_uuid(quoted_uuid(typed).unwrap_or(typed)) {
            return Part::Text(item);
        }
        let (text, is_said) = match typed.strip_prefix(PREFIX).filter(|text| !text.is_empty()) {
            Some(text) => (text, true),
            None => (typed, false),
        };
        let span = &argument.value_span;
        // Quotes shift places in the line.
        let value = self.line.get(span.clone()).unwrap_or_default();
        let at = value.find(typed).filter(|at| !value[at + typed.len()..].contains(typed));
        self.names.push(Name {
            text: text.to_owned(),
            is_pattern: is_said && is_list && text.contains('%'),
            is_said,
            argument: argument.name.clone(),
            query,
            span: at.map_or(span.clone(), |at| span.start + at..span.start + at + typed.len()),
        });
        Part::Name(self.names.len() - 1)
    }

    /// Adds the parts of a structure's JSON. The names of its members tell which resources their uuids are of; `member`
    /// is the one that the value belongs to.
    fn in_structure(&mut self, value: Value, member: Option<&str>, argument: &Argument, parts: &mut Vec<Part>) {
        let text = |parts: &mut Vec<Part>, text: &str| parts.push(Part::Text(text.to_owned()));
        match value {
            Value::List(items) => {
                text(parts, "[");
                for (index, item) in items.into_iter().enumerate() {
                    text(parts, if index > 0 { "," } else { "" });
                    self.in_structure(item, member, argument, parts);
                }
                text(parts, "]");
            }
            Value::Map(members) => {
                text(parts, "{");
                for (index, (name, value)) in members.into_iter().enumerate() {
                    let mut before = if index > 0 { "," } else { "" }.to_owned();
                    write_string(&mut before, &name);
                    text(parts, &(before + ":"));
                    self.in_structure(value, Some(&name), argument, parts);
                }
                text(parts, "}");
            }
            Value::Text(typed) => {
                let query = member.and_then(|member| references::of_name(self.catalog, member));
                match query.filter(|query| lists_names(query, self.catalog)) {
                    Some(query) => match self.name(typed, query, argument, false) {
                        Part::Name(name) => parts.push(Part::InJson(name)),
                        part => parts.push(Part::Text(Value::text(part.text(|_| &[])).to_json(None))),
                    },
                    None => text(parts, &Value::Text(typed).to_json(None)),
                }
            }
            value => text(parts, &value.to_json(None)),
        }
    }

    /// The parts of a tag that one of the patterns describes: `staticIp::{l3NetworkUuid}::{staticIp}`.
    fn in_tag(&mut self, tag: String, patterns: &[&'static str], argument: &Argument) -> Vec<Part> {
        let segments: Vec<&str> = tag.split("::").collect();
        let fits = |pattern: &&&str| {
            let described: Vec<&str> = pattern.split("::").collect();
            described.len() == segments.len()
                && described.iter().zip(&segments).all(|(described, segment)| {
                    variable(described).map_or(described == segment, |_| !segment.is_empty())
                })
        };
        let Some(pattern) = patterns.iter().find(fits) else { return vec![Part::Text(tag)] };
        let mut parts = Vec::new();
        for (index, (described, segment)) in pattern.split("::").zip(&segments).enumerate() {
            if index > 0 {
                parts.push(Part::Text("::".to_owned()));
            }
            let query = variable(described).filter(|name| names_uuids(name));
            let query = query.and_then(|name| references::of_name(self.catalog, name));
            parts.push(match query.filter(|query| lists_names(query, self.catalog)) {
                Some(query) => self.name((*segment).to_owned(), query, argument, false),
                None => Part::Text((*segment).to_owned()),
            });
        }
        parts
    }
}

/// Whether a parameter of uuids is given a name with `name:` that can be looked up, or none.
///
/// # Errors
/// [`ErrorKind::NotFoundByName`].
pub(super) fn check(api: &Api, parameter: &Parameter, argument: &Argument, catalog: Catalog) -> Result<(), Error> {
    if !names_uuids(parameter.name) || !argument.value.contains(PREFIX) || !api.session {
        return Ok(());
    }
    let items = items(argument, matches!(parameter.kind, Type::List(_)), true).unwrap_or_default();
    let is_name = |item: &String| item.trim_start().starts_with(PREFIX);
    if items.iter().any(is_name) && query_of_parameter(api, parameter, catalog).is_none() {
        let kind = ErrorKind::NotFoundByName { name: parameter.name };
        return Err(Error::at(kind, argument.value_span.clone()));
    }
    Ok(())
}

/// The query that lists what a parameter's uuids name. A call without a session could not ask it.
fn query_of_parameter(api: &Api, parameter: &Parameter, catalog: Catalog) -> Option<&'static str> {
    let query = parameter.reference.filter(|_| api.session)?;
    references::query_of_parameter(catalog, api, parameter)?;
    lists_names(query, catalog).then_some(query)
}

/// Whether the rows of a query have a name and a uuid.
fn lists_names(query: &str, catalog: Catalog) -> bool {
    let rows = catalog.api(query).and_then(|api| catalog.inventory(api.inventory?));
    rows.is_some_and(|rows: Inventory| rows.field("uuid").is_some() && rows.field("name").is_some())
}

/// The name of the value that a segment of a pattern stands for.
fn variable(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}').filter(|name| !name.contains('|'))
}

/// The patterns of the tags that a call may set: those of the API, and those of what it returns.
fn tag_patterns(api: &Api, catalog: Catalog) -> Vec<&'static str> {
    let mut patterns = catalog.api_tags(api.name);
    let records = api.result.iter().filter_map(|member| Type::parse(member.type_name).record());
    for kind in records.filter_map(|name| name.strip_suffix("Inventory")) {
        patterns.extend(catalog.resource_tags(kind));
    }
    patterns
}

/// The items of a value, as far as it can be read; the planner says what is wrong with another one.
fn items(argument: &Argument, is_list: bool, may_be_json: bool) -> Option<Vec<String>> {
    let text = &argument.value;
    if !is_list {
        return Some(vec![text.clone()]);
    }
    if may_be_json && text.trim_start().starts_with(['[', '(', '{']) {
        let Ok(Value::List(items)) = parse_literal(text) else { return None };
        let text = |item| if let Value::Text(text) = item { Some(text) } else { None };
        return items.into_iter().map(text).collect();
    }
    if !argument.from_file {
        return split_list(text).ok();
    }
    let items = split_list(&text.replace("\r\n", ",").replace('\n', ",")).ok()?;
    Some(items.into_iter().filter(|item| !item.is_empty()).collect())
}

/// Whether the values of a parameter are maps, structs or lists of these. Some are JSON text by agreement only, and their
/// names say so: `vmNicParams`.
fn holds_structures(parameter: &Parameter) -> bool {
    fn may_be(kind: &Type) -> bool {
        match kind {
            Type::List(Some(element)) => may_be(element),
            Type::List(None) | Type::Map(_) | Type::Any | Type::Named(_) => true,
            _ => false,
        }
    }
    may_be(&parameter.kind) || parameter.name.ends_with("Params")
}

/// Whether a value is written as a map or as a list of maps.
fn is_structure(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with('{') || text.strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with('{'))
}

/// Whether a value is a uuid or a list of uuids, as most are.
fn is_plain(text: &str) -> bool {
    text.split(',').all(has_form_of_uuid)
}

/// Whether a text has the form of a uuid. Some resources of other systems keep the dashes.
fn has_form_of_uuid(text: &str) -> bool {
    is_uuid(text) || (text.len() == 36 && is_uuid(&text.replace('-', "")))
}

#[cfg(test)]
mod tests {
    use super::super::{Options, plan};
    use super::*;

    const UUID: &str = "1ab3b836a88342e1bbc1b1a17d092f0f";

    fn found(line: &str) -> Vec<(String, &'static str, bool)> {
        let command = Command::parse(line).expect(line).expect("a command");
        let names = names(&command, Catalog::newest()).map(|names| names.names).unwrap_or_default();
        names.into_iter().map(|name| (name.text, name.query, name.is_pattern)).collect()
    }

    #[test]
    fn values_that_cannot_be_uuids_are_names() {
        for (line, expected) in [
            ("StopVmInstance uuid=web-1", &[("web-1", "QueryVmInstance", false)][..]),
            ("StopVmInstance uuid=name:web-%", &[("web-%", "QueryVmInstance", false)]),
            ("QueryVmInstance hostUuid=host-1 state=Running", &[("host-1", "QueryHost", false)]),
            ("QueryVmInstance uuid?=a,name:b%", &[("a", "QueryVmInstance", false), ("b%", "QueryVmInstance", true)]),
            (
                "QueryVmInstance uuid?='a,\"b,c\"'",
                &[("a", "QueryVmInstance", false), ("b,c", "QueryVmInstance", false)],
            ),
            ("QueryVmInstance vmNics.l3NetworkUuid!=lan", &[("lan", "QueryL3Network", false)]),
            ("QueryVmInstance conditions='[\"hostUuid=host-1\"]'", &[("host-1", "QueryHost", false)]),
            (
                "CreateVmInstance l3NetworkUuids='[\"a\",\"b\"]'",
                &[("a", "QueryL3Network", false), ("b", "QueryL3Network", false)],
            ),
            ("CreateVmInstance systemTags=staticIp::lan::10.0.0.3,ha::NeverStop", &[("lan", "QueryL3Network", false)]),
            (
                "AddSecurityGroupRule rules=\"[{'type':'Ingress','remoteSecurityGroupUuid':'web'}]\"",
                &[("web", "QuerySecurityGroup", false)],
            ),
            (
                "CreateVmInstance vmNicParams='[{\"l3NetworkUuid\":\"lan\"},{\"l3NetworkUuid\":\"name:b c\"}]'",
                &[("lan", "QueryL3Network", false), ("b c", "QueryL3Network", false)],
            ),
        ] {
            let expected: Vec<_> = expected.iter().map(|(text, query, is)| ((*text).to_owned(), *query, *is)).collect();
            assert_eq!(found(line), expected, "{line}");
        }
    }

    #[test]
    fn what_may_be_a_uuid_or_is_of_no_known_kind_stays() {
        for line in [
            "StopVmInstance uuid=1ab3b836a88342e1bbc1b1a17d092f0f",
            "StopVmInstance uuid='\"1ab3b836a88342e1bbc1b1a17d092f0f\"'",
            "StopVmInstance uuid=1ab3b836-a883-42e1-bbc1-b1a17d092f0f",
            "StopVmInstance uuid=",
            "QueryVmInstance hostUuid=null",
            "QueryVmInstance uuid~=1ab name=web-1",
            "QueryVmNic uuid=nic-1",
            "CreateZone name=lab resourceUuid=lab",
            "LogOut sessionUuid=mine",
            "CreateVmInstance systemTags=ha::NeverStop,hostname::web-1",
            "Frobnicate uuid=x",
        ] {
            assert_eq!(found(line), [], "{line}");
        }
    }

    #[test]
    fn uuids_take_the_places_of_names() {
        let resolved = |line: &str, uuids: &[&[&str]]| {
            let command = Command::parse(line).expect(line).expect("a command");
            let names = names(&command, Catalog::newest()).expect(line);
            let uuids: Vec<Vec<String>> =
                uuids.iter().map(|uuids| uuids.iter().map(|uuid| (*uuid).to_owned()).collect()).collect();
            let resolved = names.resolved(&uuids);
            let values: Vec<String> = resolved.arguments.into_iter().map(|argument| argument.value).collect();
            values.join(" ")
        };
        assert_eq!(resolved("StopVmInstance uuid=web-1", &[&[UUID]]), UUID);
        assert_eq!(resolved("QueryVmInstance uuid?=a,u1,name:b% limit=3", &[&["1"], &["u1"], &["1", "2"]]), "1,u1,2 3");
        assert_eq!(
            resolved("CreateVmInstance systemTags=staticIp::lan::10.0.0.3,'\"a,b\"'", &[&[UUID]]),
            format!("staticIp::{UUID}::10.0.0.3,\"a,b\"")
        );
    }

    #[test]
    fn a_name_of_an_unknown_kind_is_refused() {
        let error = |line: &str, no_check: bool| {
            let command = Command::parse(line).expect(line).expect("a command");
            let options = Options { no_check, ..Options::default() };
            plan(&command, Catalog::newest(), &options).err()
        };
        let line = "ShareResource resourceUuids=name:x toPublic=true";
        let refused = error(line, false).expect("it is refused");
        assert_eq!(refused.kind, ErrorKind::NotFoundByName { name: "resourceUuids" });
        assert_eq!(refused.span.map(|span| &line[span]), Some("name:x"));
        assert!(error("ShareResource resourceUuids='[\"u\",\"name:x\"]'", false).is_some());
        assert_eq!(error(line, true), None);
        assert_eq!(error("ShareResource resourceUuids=u toPublic=true", false), None);
        assert_eq!(error("CreateZone name=name:x description=name:x", false), None);
    }

    #[test]
    fn a_name_is_pointed_at() {
        let line = "QueryVmInstance uuid?=web-1,'web 2'";
        let command = Command::parse(line).expect(line).expect("a command");
        let names = names(&command, Catalog::newest()).expect("names").names;
        assert_eq!(&line[names[0].span.clone()], "web-1");
        assert_eq!(&line[names[1].span.clone()], "web 2");
    }
}
