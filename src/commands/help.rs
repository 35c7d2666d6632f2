//! `help [API|TOPIC]`: pages about APIs, inventories, own commands and topics.

use std::fmt::Write;

use crate::catalog::{Api, Catalog, Field, Inventory, Method, Parameter, QueryParameter, Type};
use crate::cli;
use crate::config::Setting;
use crate::error::{Error, OwnError};
use crate::json::escape_unprintable;
use crate::plan::near_names;
use crate::session::{Invocation, catalogs};
use crate::shell::Flow;
use crate::shell::{TOPICS, Topic};

/// There is no page of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no API, inventory, command or topic of that name")]
pub struct UnknownSubject {
    /// The names that may be meant, best first.
    pub near: Vec<String>,
}

/// Shows the page about a subject.
pub(super) fn run(cx: &mut Invocation<'_>, subject: &[String]) -> Result<Flow, Error> {
    let subject = (!subject.is_empty()).then(|| subject.join(" "));
    catalogs::follow_name(cx.session, subject.as_deref().unwrap_or_default(), Some(cx.settings));
    let aliases = cx.session.defined().aliases;
    let page = match (page(cx.session.catalog, subject.as_deref()), subject) {
        (Ok(overview), None) => overview + &alias_list(&aliases),
        (Ok(page), _) => page,
        (Err(error), subject) => {
            let name = subject.unwrap_or_default();
            let alias = aliases.iter().find(|(known, _)| *known == name);
            alias.map(|(name, line)| format!("{name}: an alias\n\n  {}\n", escape_unprintable(line))).ok_or_else(
                || {
                    let near = error.near;
                    Error::Own(OwnError::NotFound { kind: "API, command or topic", name, near })
                },
            )?
        }
    };
    cx.write(|out| Ok(out.write_all(page.as_bytes())?))?;
    Ok(Flow::Continue)
}

/// The aliases for the overview; empty where there are none.
fn alias_list(aliases: &[(String, String)]) -> String {
    let mut out = if aliases.is_empty() { String::new() } else { "\nALIASES\n".to_owned() };
    let row = |(name, line): &(String, String)| [name.clone(), escape_unprintable(line).into_owned()];
    table(&mut out, aliases.iter().map(row).collect());
    out
}

/// The page about `subject`; without one the overview. Ends with a line end.
///
/// # Errors
/// [`UnknownSubject`] if there is no page.
pub fn page(catalog: Catalog, subject: Option<&str>) -> Result<String, UnknownSubject> {
    let Some(subject) = subject else { return Ok(overview(catalog)) };
    // Commands are lowercase. An API of the same letters is found by its capitals.
    if let Some(usage) = command_page(subject) {
        return Ok(usage);
    }
    if let Some(api) = catalog.api(subject) {
        return Ok(api_page(catalog, &api));
    }
    let topic = |topic: &&Topic| topic.name.eq_ignore_ascii_case(subject);
    if let Some(topic) = TOPICS.iter().find(topic) {
        return Ok(topic.text.to_owned());
    }
    if let Some(usage) = command_page(&subject.to_lowercase()) {
        return Ok(usage);
    }
    if let Some(api) = catalog.api_ignoring_case(subject) {
        return Ok(api_page(catalog, &api));
    }
    if let Some(inventory) = inventory_called(catalog, subject) {
        return Ok(inventory_page(catalog, &inventory));
    }
    if let Some(fields) = catalog.struct_fields(subject) {
        let mut out = format!("{subject}: a struct; write it as JSON\n\n");
        list_fields(&mut out, &fields, false, catalog);
        return Ok(out);
    }
    if let Some(values) = catalog.enum_values(subject) {
        return Ok(format!("{subject}: one of\n\n  {}\n", values.join("\n  ")));
    }
    let others: Vec<&str> = cli::command_names().into_iter().chain(TOPICS.iter().map(|topic| topic.name)).collect();
    Err(UnknownSubject { near: near_names(subject, catalog, &others) })
}

/// The page of an own command, such as `job` or `job list`.
fn command_page(path: &str) -> Option<String> {
    let command = cli::command_called(path.split(' '))?;
    let mut page = String::new();
    // Details of a command are in the topic of the same name.
    if let Some(topic) = TOPICS.iter().find(|topic| topic.name == path) {
        let _ = writeln!(page, "{}", topic.text);
    }
    let _ = writeln!(page, "{path}: {}", command.summary());
    let mut rows = command.usage(path);
    // The summary is printed above already.
    rows.iter_mut().filter(|(_, summary)| *summary == command.summary()).for_each(|(_, summary)| summary.clear());
    let words = command.words().map(|word| (format!("    {}", word.value_name()), word.described()));
    rows.splice(rows.len().min(1)..rows.len().min(1), words);
    if rows.iter().any(|(form, _)| form != path) {
        page.push('\n');
        table(&mut page, rows.into_iter().map(|(form, summary)| [form, summary]).collect());
    }
    if path == "set" {
        let _ = write!(page, "\n{}", settings());
    }
    Some(page)
}

/// The settings of the shell, with their values.
pub(crate) fn settings() -> String {
    let mut out = String::from("SETTINGS (VALUE `default` resets one)\n");
    let row = |setting: Setting| {
        let values = setting.shell_values().join(" | ");
        let values = if values.is_empty() { values } else { format!(" [{values}]") };
        [setting.name().to_owned(), format!("{}{values}", setting.summary())]
    };
    table(&mut out, Setting::of_shell().map(row).collect());
    out
}

fn inventory_called(catalog: Catalog, name: &str) -> Option<Inventory> {
    let whole = format!("{name}Inventory");
    let found =
        catalog.inventory_names().find(|known| known.eq_ignore_ascii_case(name) || known.eq_ignore_ascii_case(&whole));
    catalog.inventory(found?)
}

fn overview(catalog: Catalog) -> String {
    let apis = catalog.api_names().filter(|api| !catalog.lacks(api.since()));
    let (all, queries) = (apis.clone().count(), apis.filter(|api| api.is_query()).count());
    let mut out = format!(
        "An API call is its name and its parameters: CreateZone name=lab. A query takes conditions:\n\
         QueryVmInstance state=Running. {all} APIs of ZStack {} are known, {queries} of them queries.\n\n\
         help API describes an API, help COMMAND a command. Tab shows what can follow.\n\nTOPICS\n",
        catalog.version()
    );
    table(&mut out, TOPICS.iter().map(|topic| [topic.name.to_owned(), topic.summary.to_owned()]).collect());
    out.push_str("\nCOMMANDS\n");
    let commands = cli::program().commands().map(|command| [command.name().to_owned(), command.summary()]);
    table(&mut out, commands.collect());
    out
}

fn api_page(catalog: Catalog, api: &Api) -> String {
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
    let since = api.since.map(|since| since_when(since, catalog));
    facts.extend(since.as_deref());
    let _ = writeln!(out, "{}.", facts.join("; "));

    let inventory = api.inventory.and_then(|name| catalog.inventory(name));
    if api.is_query {
        match &inventory {
            Some(inventory) => {
                let _ = writeln!(out, "\nFIELDS of {}, for conditions and fields=", inventory.name);
                list_fields(&mut out, &inventory.fields, true, catalog);
                list_relations(&mut out, inventory, catalog);
                list_specialisations(&mut out, catalog, inventory);
            }
            None => out.push_str("\nThe fields of its rows are unknown; --no-check sends any.\n"),
        }
        out.push_str("\nPARAMETERS\n");
        let row = |parameter: QueryParameter| [format!("{}=", parameter.name()), parameter.summary().to_owned()];
        let taken = QueryParameter::ALL.into_iter().filter(|parameter| parameter.is_taken(inventory.as_ref()));
        table(&mut out, taken.map(row).collect());
    } else if api.parameters.is_empty() {
        out.push_str("\nNo parameters.\n");
    } else {
        out.push_str("\nPARAMETERS (* required)\n");
        table(&mut out, ordered(api).map(|parameter| parameter_row(parameter, catalog)).collect());
    }
    for parameter in ordered(api) {
        let name = structure(&parameter.kind);
        if let Some(members) = name.and_then(|name| catalog.struct_fields(name)) {
            let _ = writeln!(out, "\nMEMBERS of {}= (* required), as JSON", parameter.name);
            list_fields(&mut out, &members, false, catalog);
        }
    }
    list_tags(&mut out, &catalog.api_tags(api.name), "for systemTags=");
    request(&mut out, api);
    let _ = writeln!(out, "\nEXAMPLE\n  {}", example(api, inventory.as_ref()));
    result(&mut out, catalog, api);
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
    let mut sentence = words(api.name).join(" ");
    if let Some(first) = sentence.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    sentence + "."
}

/// The words of a name in lower case, abbreviations as they are: `add KVM host`.
fn words(name: &str) -> Vec<String> {
    let bytes = name.as_bytes();
    let mut starts: Vec<usize> = (0..bytes.len())
        .filter(|&at| {
            let upper = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_uppercase);
            let lower = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_lowercase);
            // A word begins at a capital after or before a lowercase letter: `KVM|Host`.
            at == 0 || (upper(at) && (!upper(at - 1) || lower(at + 1)))
        })
        .collect();
    starts.push(name.len());
    let words = starts.windows(2).map(|pair| &name[pair[0]..pair[1]]);
    words
        .map(|word| match word {
            "Vm" | "Iso" | "Ip" | "Dns" | "Cdp" => word.to_uppercase(),
            _ if word.len() > 1 && word.chars().all(|c| !c.is_ascii_lowercase()) => word.to_owned(),
            _ => word.to_lowercase(),
        })
        .collect()
}

fn parameter_row(parameter: &Parameter, catalog: Catalog) -> [String; 3] {
    let mark = if parameter.required { "*" } else { "" };
    let mut facts = constraints(parameter);
    facts.extend(parameter.since.map(|since| since_when(since, catalog)));
    [format!("{}={mark}", parameter.name), parameter.kind.to_string(), facts.join("; ")]
}

/// The version that introduced something, marked if the node is older.
fn since_when(since: &str, catalog: Catalog) -> String {
    match catalog.lacks(Some(since)) {
        true => format!("since {since}, the node has {}", catalog.version()),
        false => format!("since {since}"),
    }
}

/// Patterns of system tags, under a heading.
fn list_tags(out: &mut String, patterns: &[&str], purpose: &str) {
    if !patterns.is_empty() {
        let _ = writeln!(out, "\nSYSTEM TAGS, {purpose}\n  {}", patterns.join("\n  "));
    }
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

fn request(out: &mut String, api: &Api) {
    let _ = writeln!(out, "\nREQUEST\n  {} /zstack/v1{}", api.method, api.path);
    if api.is_query {
        out.push_str("  conditions as q=, for example ?q=name%3Dlab\n");
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
                out.push_str("  parameters that are not part of the path go into the query string\n");
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
    words(name).join("_").to_uppercase()
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

fn result(out: &mut String, catalog: Catalog, api: &Api) {
    if api.is_query {
        return;
    }
    if api.result.is_empty() {
        out.push_str("\nRESULT\n  no members\n");
        return;
    }
    out.push_str("\nRESULT\n");
    table(out, api.result.iter().map(|member| [member.name.to_owned(), member.type_name.to_owned()]).collect());
    for member in &api.result {
        let name = match Type::parse(member.type_name) {
            Type::Named(name) => name,
            Type::List(Some(element)) => match *element {
                Type::Named(name) => name,
                _ => continue,
            },
            _ => continue,
        };
        if let Some(inventory) = catalog.inventory(name) {
            let _ = writeln!(out, "\nFIELDS of {name}");
            list_fields(out, &inventory.fields, false, catalog);
        }
    }
}

fn inventory_page(catalog: Catalog, inventory: &Inventory) -> String {
    let mut out = format!("{}: a record that the node returns\n\nFIELDS\n", inventory.name);
    list_fields(&mut out, &inventory.fields, true, catalog);
    list_relations(&mut out, inventory, catalog);
    for parent in &inventory.parents {
        let _ = writeln!(out, "\nA {} whose type is {}.", parent.inventory, parent.type_value);
    }
    let kind = inventory.name.strip_suffix("Inventory").unwrap_or(inventory.name);
    list_tags(&mut out, &catalog.resource_tags(kind), "that such a resource may carry");
    out
}

fn list_fields(out: &mut String, fields: &[Field], conditions: bool, catalog: Catalog) {
    let row = |field: &Field| {
        let mut notes = Vec::new();
        if !field.values.is_empty() {
            notes.push(field.values.join(" | "));
        }
        if conditions && (field.unqueryable || field.kind.record().is_some()) {
            notes.push("not in conditions".to_owned());
        }
        notes.extend(field.since.map(|since| since_when(since, catalog)));
        let mark = if field.required { "*" } else { "" };
        [format!("{}{mark}", field.name), field.kind.to_string(), notes.join("; ")]
    };
    table(out, fields.iter().map(row).collect());
}

fn list_relations(out: &mut String, inventory: &Inventory, catalog: Catalog) {
    let rows: Vec<[String; 2]> = inventory
        .relations()
        .map(|(name, target, since)| {
            let by = inventory.aliases.get(name).map(|alias| format!(", by {}", alias.path)).unwrap_or_default();
            let since = since.map(|since| format!("; {}", since_when(since, catalog))).unwrap_or_default();
            [format!("{name}."), format!("{target}{by}{since}")]
        })
        .collect();
    if !rows.is_empty() {
        out.push_str("\nRELATIONS to the fields of other inventories\n");
        table(out, rows);
    }
}

fn list_specialisations(out: &mut String, catalog: Catalog, inventory: &Inventory) {
    let Some(field) = inventory.type_field() else { return };
    for (value, narrower) in catalog.specialisations(inventory) {
        let known: Vec<&str> = inventory.fields.iter().map(|field| field.name).collect();
        let own: Vec<&str> =
            narrower.fields.iter().map(|field| field.name).filter(|name| !known.contains(name)).collect();
        if !own.is_empty() {
            let _ = writeln!(out, "\nWith {}={value} also\n  {}", field.name, own.join(", "));
        }
    }
}

/// The width of pages.
const WIDTH: usize = 100;

/// Adds rows of aligned columns; the last one is wrapped.
fn table<const N: usize>(out: &mut String, rows: Vec<[String; N]>) {
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    // One very long name must not make the column too wide.
    let widths = widths.map(|width| width.min(40));
    let before: usize = widths[..N - 1].iter().map(|width| width + 2).sum::<usize>() + 2;
    for row in rows {
        let mut line = String::from("  ");
        for (column, cell) in row[..N - 1].iter().enumerate() {
            line.push_str(cell);
            let missing = (widths[column] + 2).saturating_sub(cell.chars().count()).max(1);
            line.extend(std::iter::repeat_n(' ', missing));
        }
        for (index, part) in wrap(&row[N - 1], WIDTH.saturating_sub(before).max(30)).into_iter().enumerate() {
            if index > 0 {
                line = " ".repeat(before);
            }
            line.push_str(&part);
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
}

/// Breaks text after `;` and `|`, so that a regular expression with spaces is not broken. Parts that are too long are
/// not broken either.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let clauses = text.split("; ").enumerate();
    let parts = clauses.flat_map(|(index, clause)| {
        let whole = clause.starts_with("matches ");
        let alternatives = clause.split(if whole { "\n" } else { " | " }).enumerate();
        alternatives.map(move |(nth, part)| match (index, nth) {
            (0, 0) => ("", "", part),
            (_, 0) => ("; ", ";", part),
            _ => (" | ", " |", part),
        })
    });
    for (joint, end, part) in parts {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if line.is_empty() || line.chars().count() + joint.len() + part.chars().count() <= width {
            line.push_str(joint);
            line.push_str(part);
        } else {
            line.push_str(end);
            lines.push(part.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page_of(subject: &str) -> String {
        page(Catalog::newest(), Some(subject)).expect("there is a page")
    }

    #[track_caller]
    fn assert_has(page: &str, lines: &[&str]) {
        for line in lines {
            assert!(page.contains(line), "{line:?} is missing in\n{page}");
        }
    }

    #[test]
    fn an_action_shows_what_it_takes_and_gives() {
        assert_has(
            &page_of("createcluster"),
            &[
                "CreateCluster: Create cluster.\n",
                "An action; asynchronous: the program waits for its job; requires a session.\n",
                "zoneUuid=*",
                "uuid from QueryZone",
                "POST /zstack/v1/clusters\n  {\"params\": {\"zoneUuid\": \"ZONE_UUID\", ",
                "EXAMPLE\n  CreateCluster zoneUuid=ZONE_UUID ",
                "inventory  ClusterInventory\n",
                "FIELDS of ClusterInventory\n",
            ],
        );
    }

    #[test]
    fn a_query_shows_fields_and_relations() {
        assert_has(
            &page_of("QueryVmInstance"),
            &[
                "Query VM instance.",
                "Created | Starting | Running",
                "vmNics.",
                "VmNicInventory",
                "limit=",
                "?q=name%3Dlab",
            ],
        );
        assert_has(&page_of("QueryHost"), &["With hypervisorType=KVM also\n  username"]);
        assert_has(&page_of("QueryBuildApp"), &["unknown"]);
    }

    #[test]
    fn every_api_and_inventory_has_a_page_that_fits() {
        let catalog = Catalog::newest();
        let apis = catalog.api_names().map(|api| api.as_str());
        for name in apis.chain(catalog.inventory_names()) {
            let page = page_of(name);
            assert!(page.starts_with(name) && page.ends_with('\n'), "{name}");
            for line in page.lines() {
                assert!(line.chars().count() <= 160 || !line.trim_start().contains("  "), "{name}: {line}");
            }
        }
    }

    #[test]
    fn cells_break_between_values_and_never_inside_a_pattern() {
        assert_eq!(
            wrap("Linux | Windows | Other; at most 9 characters", 16),
            ["Linux | Windows |", "Other;", "at most 9 characters"]
        );
        assert_eq!(
            wrap("at most 255 characters; matches ^(?! )[a | b]*$", 10),
            ["at most 255 characters;", "matches ^(?! )[a | b]*$"]
        );
        assert_eq!(wrap("", 10), [""]);
    }

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

    #[test]
    fn other_subjects_have_pages_too() {
        assert_has(&page(Catalog::newest(), None).expect("an overview"), &["TOPICS", "exit-codes", "COMMANDS", "save"]);
        assert_has(&page_of("query"), &["~="]);
        assert_has(&page_of("context"), &["context use"]);
        assert_has(&page_of("login"), &["login [ACCOUNT]", "--access-key ID"]);
        assert_has(&page_of("LogIn"), &["loginType=*"]);
        assert_has(&page_of("zone"), &["ZoneInventory: a record"]);
        assert_has(&page_of("PolicyStatement"), &["a struct"]);
        assert_has(&page_of("StateEvent"), &["one of", "enable"]);
        let unknown = page(Catalog::newest(), Some("QueryZoen")).expect_err("no such thing");
        assert_eq!(unknown.near, ["QueryZone"]);
    }
}
