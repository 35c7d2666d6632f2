//! The page of an API.

use std::fmt::Write;

use crate::catalog::{Api, Inventory, Method, Parameter, QueryParameter, ReplyMember, Type, words};

use super::Reader;
use super::inventory::{list_fields, list_relations, list_specialisations, list_tags, since_when};
use super::table::table;

pub(super) fn api_page(reader: Reader, api: &Api) -> String {
    let catalog = reader.catalog;
    let mut out = format!("{}: {}\n\n", api.name, sentence(api));
    let mut facts = vec![if api.is_query {
        "A query"
    } else if api.is_action() {
        "An action"
    } else {
        "A read"
    }];
    facts.push(if api.is_async { "asynchronous: the program waits for its job" } else { "synchronous" });
    facts.push(if api.session { "requires a session" } else { "requires no session" });
    if api.deprecated {
        facts.push("deprecated");
    }
    let since = api.since.map(|since| since_when(since, reader));
    facts.extend(since.as_deref());
    let facts: Vec<_> = facts.into_iter().map(|fact| reader.say(fact)).collect();
    let (joint, end) = reader.language.choose(("; ", "."), ("；", "。"));
    let _ = writeln!(out, "{}{end}", facts.join(joint));

    let inventory = api.inventory.and_then(|name| catalog.inventory(name));
    if api.is_query {
        match &inventory {
            Some(inventory) => {
                reader.heading(&mut out, &format!("FIELDS of {}, for conditions and fields=", inventory.name));
                list_fields(&mut out, &inventory.fields, true, reader);
                list_relations(&mut out, inventory, reader);
                list_specialisations(&mut out, reader, inventory);
            }
            None => reader.heading(&mut out, "The fields of its rows are unknown; --no-check sends any."),
        }
        reader.heading(&mut out, "PARAMETERS");
        let row = |parameter: QueryParameter| [format!("{}=", parameter.name()), parameter.summary().to_owned()];
        let taken = QueryParameter::ALL.into_iter().filter(|parameter| parameter.is_taken(inventory.as_ref()));
        table(&mut out, taken.map(row).collect(), reader);
    } else if api.parameters.is_empty() {
        reader.heading(&mut out, "No parameters.");
    } else {
        reader.heading(&mut out, "PARAMETERS (* required)");
        table(&mut out, ordered(api).map(|parameter| parameter_row(api, parameter, reader)).collect(), reader);
    }
    for parameter in ordered(api) {
        let name = structure(&parameter.kind);
        if let Some(members) = name.and_then(|name| catalog.struct_fields(name)) {
            reader.heading(&mut out, &format!("MEMBERS of {}= (* required), as JSON", parameter.name));
            list_fields(&mut out, &members, false, reader);
        }
    }
    list_tags(&mut out, &catalog.api_tags(api.name), "SYSTEM TAGS, for systemTags=", reader);
    request(&mut out, api, reader);
    reader.heading(&mut out, "EXAMPLE");
    let _ = writeln!(out, "  {}", example(api, inventory.as_ref()));
    result(&mut out, api, reader);
    out
}

/// The struct that a value holds, alone or in a list.
fn structure(kind: &Type) -> Option<&'static str> {
    match kind {
        Type::Named(name) => Some(name),
        Type::List(Some(element)) => structure(element),
        _ => None,
    }
}

/// Required parameters first, otherwise in the order of the catalog.
fn ordered(api: &Api) -> impl Iterator<Item = &Parameter> {
    let required = api.parameters.iter().filter(|parameter| parameter.required);
    required.chain(api.parameters.iter().filter(|parameter| !parameter.required))
}

/// A description of an API, made from its name: `Attach ISO to VM instance.`
fn sentence(api: &Api) -> String {
    let mut sentence = words(api.name);
    if let Some(first) = sentence.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    sentence + "."
}

fn parameter_row(api: &Api, parameter: &Parameter, reader: Reader) -> [String; 3] {
    let mark = if parameter.required { "*" } else { "" };
    let note = reader.catalog.note(api.name, parameter.name);
    let note = note.map(|note| reader.language.choose(note.english, note.chinese).to_owned());
    let mut facts: Vec<String> = note.into_iter().chain(constraints(parameter)).collect();
    facts.extend(parameter.since.map(|since| since_when(since, reader)));
    [format!("{}={mark}", parameter.name), parameter.kind.to_string(), facts.join("; ")]
}

/// The constraints of a parameter in words.
fn constraints(parameter: &Parameter) -> Vec<String> {
    let mut all = Vec::new();
    if !parameter.values.is_empty() {
        all.push(parameter.values.join(" | "));
    }
    if let Some((least, greatest)) = parameter.range {
        match (least, greatest) {
            (least, i64::MAX) => all.push(format!("at least {least}")),
            (i64::MIN, greatest) => all.push(format!("at most {greatest}")),
            _ => all.push(format!("{least} to {greatest}")),
        }
    }
    match (parameter.min_length.filter(|least| *least > 0), parameter.max_length) {
        (Some(least), Some(most)) => all.push(format!("{least} to {most} characters")),
        (Some(least), None) => all.push(format!("at least {least} characters")),
        (None, Some(most)) => all.push(format!("at most {most} characters")),
        (None, None) => {}
    }
    if let Some(regex) = &parameter.regex {
        all.push(format!("matches {regex}"));
    }
    if parameter.nonempty || parameter.no_empty_string {
        all.push("not empty".to_owned());
    }
    if let Some(query) = parameter.reference {
        all.push(format!("uuid from {query}"));
    }
    if parameter.secret {
        all.push("secret".to_owned());
    }
    if let Some(default) = &parameter.default {
        all.push(format!("default {default}"));
    }
    all
}

fn request(out: &mut String, api: &Api, reader: Reader) {
    reader.heading(out, "REQUEST");
    let _ = writeln!(out, "  {} /zstack/v1{}", api.method, api.path);
    if api.is_query {
        let _ = writeln!(out, "  {}", reader.say("conditions as q=, for example ?q=name%3Dlab"));
        return;
    }
    let in_path: Vec<&str> = api.path_variables().collect();
    let required = || ordered(api).filter(|parameter| parameter.required && !in_path.contains(&parameter.name));
    match api.method {
        Method::Post | Method::Put => {
            let members: Vec<String> =
                required().map(|parameter| format!("\"{}\": {}", parameter.name, json_example(parameter))).collect();
            let _ = writeln!(out, "  {{\"{}\": {{{}}}}}", api.body, members.join(", "));
        }
        Method::Get | Method::Delete => {
            if !api.parameters.iter().all(|parameter| in_path.contains(&parameter.name)) {
                let _ = writeln!(
                    out,
                    "  {}",
                    reader.say("parameters that are not part of the path go into the query string")
                );
            }
        }
    }
}

/// An example of a value of a parameter.
fn value_example(parameter: &Parameter) -> String {
    if let Some(value) = parameter.values.first() {
        return value.to_string();
    }
    if let Some(query) = parameter.reference {
        return format!("{}_UUID", upper_snake(query.strip_prefix("Query").unwrap_or(query)));
    }
    match &parameter.kind {
        Type::Bool => "true".to_owned(),
        Type::Int | Type::Long | Type::Double => {
            parameter.range.map_or(1, |(least, greatest)| least.max(1).min(greatest)).to_string()
        }
        Type::List(Some(element)) if !element.is_scalar() => "'[{...}]'".to_owned(),
        Type::Map(_) | Type::Named(_) | Type::Any => "'{...}'".to_owned(),
        _ => upper_snake(parameter.name),
    }
}

fn json_example(parameter: &Parameter) -> String {
    let value = value_example(parameter);
    match &parameter.kind {
        Type::Bool | Type::Int | Type::Long | Type::Double => value,
        Type::List(Some(element)) if !element.is_scalar() => "[{...}]".to_owned(),
        Type::List(_) => format!("[\"{value}\"]"),
        Type::Map(_) | Type::Any => "{...}".to_owned(),
        Type::Named(_) if parameter.values.is_empty() => "{...}".to_owned(),
        _ => format!("\"{value}\""),
    }
}

/// `zoneUuid` as the placeholder `ZONE_UUID`.
fn upper_snake(name: &str) -> String {
    words(name).replace(' ', "_").to_uppercase()
}

fn example(api: &Api, inventory: Option<&Inventory>) -> String {
    let mut out = api.name.to_owned();
    if api.is_query {
        let fields = inventory.map_or(&[][..], |inventory| &inventory.fields);
        let has = |name: &str| fields.iter().any(|field| field.name == name);
        match fields.iter().find(|field| !field.values.is_empty()) {
            Some(field) => out.push_str(&format!(" {}={}", field.name, field.values.first().unwrap_or(&""))),
            None if has("name") => out.push_str(" name~=lab"),
            None => out.push_str(" limit=10"),
        }
        if has("uuid") && has("name") {
            out.push_str(" fields=uuid,name sortBy=name");
        }
        return out;
    }
    for parameter in api.parameters.iter().filter(|parameter| parameter.required) {
        out.push_str(&format!(" {}={}", parameter.name, value_example(parameter)));
    }
    out
}

fn result(out: &mut String, api: &Api, reader: Reader) {
    if api.is_query {
        return;
    }
    reader.heading(out, "RESULT");
    if api.result.is_empty() {
        let _ = writeln!(out, "  {}", reader.say("no members"));
        return;
    }
    // The types are not words of a language.
    let row = |member: &ReplyMember| [member.name.to_owned(), member.type_name.to_owned(), String::new()];
    table(out, api.result.iter().map(row).collect(), reader);
    for member in &api.result {
        let name = match Type::parse(member.type_name) {
            Type::Named(name) => name,
            Type::List(Some(element)) => match *element {
                Type::Named(name) => name,
                _ => continue,
            },
            _ => continue,
        };
        if let Some(inventory) = reader.catalog.inventory(name) {
            reader.heading(out, &format!("FIELDS of {name}"));
            list_fields(out, &inventory.fields, false, reader);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::catalog::Catalog;

    #[test]
    fn names_become_sentences() {
        for (name, expected) in [
            ("AddKVMHost", "Add KVM host."),
            ("AttachIsoToVmInstance", "Attach ISO to VM instance."),
            ("QueryL3Network", "Query L3 network."),
            ("IsReadyToGo", "Is ready to go."),
            ("DestroyVmInstance", "Destroy VM instance."),
        ] {
            let api = Catalog::newest().api(name).expect("the API is known");
            assert_eq!(sentence(&api), expected);
        }
        assert_eq!(upper_snake("defaultL3NetworkUuid"), "DEFAULT_L3_NETWORK_UUID");
    }
}
