//! `help [API|TOPIC]`: pages about APIs, inventories, own commands and topics.

use std::borrow::Cow;
use std::fmt::Write;

use crate::catalog::{Api, Catalog, Field, Inventory, Method, Parameter, QueryParameter, ReplyMember, Type};
use crate::cli;
use crate::config::Setting;
use crate::error::{Error, OwnError};
use crate::json::escape_unprintable;
use crate::language::Language;
use crate::plan::near_names;
use crate::session::{Invocation, catalogs};
use crate::shell::Flow;
use crate::shell::{TOPICS, Topic};
use crate::width::width;

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
    let reader = Reader { catalog: cx.session.catalog, language: cx.settings.ui.language };
    let aliases = cx.session.defined().aliases;
    let page = match (page(reader, subject.as_deref()), subject) {
        (Ok(overview), None) => overview + &alias_list(&aliases, reader),
        (Ok(page), _) => page,
        (Err(error), subject) => {
            let name = subject.unwrap_or_default();
            let alias = aliases.iter().find(|(known, _)| *known == name);
            let page = |(name, line): &(String, String)| {
                let title = format!("{name}: an alias");
                format!("{}\n\n  {}\n", reader.say(&title), escape_unprintable(line))
            };
            alias.map(page).ok_or_else(|| {
                let near = error.near;
                Error::Own(OwnError::NotFound { kind: "API, command or topic", name, near })
            })?
        }
    };
    cx.write(|out| Ok(out.write_all(page.as_bytes())?))?;
    Ok(Flow::Continue)
}

/// Who reads a page.
#[derive(Clone, Copy, Debug)]
pub struct Reader {
    /// The APIs, as of the version of the reader's node.
    pub catalog: Catalog,
    /// The language that they read.
    pub language: Language,
}

impl Reader {
    fn say<'t>(&self, english: &'t str) -> Cow<'t, str> {
        self.language.say(english)
    }

    /// A cell in the reader's language: as a whole, without the values in brackets at its end, or clause by clause.
    fn cell(&self, english: &str) -> String {
        let said = self.say(english);
        if said != english {
            return said.into_owned();
        }
        if let Some((summary, values)) = english.rsplit_once(" [") {
            return format!("{} [{values}", self.say(summary));
        }
        english.split("; ").map(|clause| self.say(clause)).collect::<Vec<_>>().join("; ")
    }

    /// Adds a line.
    fn line(&self, out: &mut String, english: &str) {
        out.push_str(&self.say(english));
        out.push('\n');
    }

    /// Adds the heading of a section.
    fn heading(&self, out: &mut String, english: &str) {
        out.push('\n');
        self.line(out, english);
    }
}

/// The aliases for the overview; empty where there are none.
fn alias_list(aliases: &[(String, String)], reader: Reader) -> String {
    let mut out = String::new();
    if !aliases.is_empty() {
        reader.heading(&mut out, "ALIASES");
    }
    let row = |(name, line): &(String, String)| [name.clone(), escape_unprintable(line).into_owned()];
    table(&mut out, aliases.iter().map(row).collect(), reader);
    out
}

/// The page about `subject`; without one the overview. Ends with a line end.
///
/// # Errors
/// [`UnknownSubject`] if there is no page.
pub fn page(reader: Reader, subject: Option<&str>) -> Result<String, UnknownSubject> {
    let catalog = reader.catalog;
    let Some(subject) = subject else { return Ok(overview(reader)) };
    // Commands are lowercase. An API of the same letters is found by its capitals.
    if let Some(usage) = command_page(reader, subject) {
        return Ok(usage);
    }
    if let Some(api) = catalog.api(subject) {
        return Ok(api_page(reader, &api));
    }
    let topic = |topic: &&Topic| topic.name.eq_ignore_ascii_case(subject);
    if let Some(topic) = TOPICS.iter().find(topic) {
        return Ok(topic.text_in(reader.language).to_owned());
    }
    if let Some(usage) = command_page(reader, &subject.to_lowercase()) {
        return Ok(usage);
    }
    if let Some(api) = catalog.api_ignoring_case(subject) {
        return Ok(api_page(reader, &api));
    }
    if let Some(inventory) = inventory_called(catalog, subject) {
        return Ok(inventory_page(reader, &inventory));
    }
    if let Some(fields) = catalog.struct_fields(subject) {
        let mut out = reader.say(&format!("{subject}: a struct; write it as JSON")).into_owned() + "\n\n";
        list_fields(&mut out, &fields, false, reader);
        return Ok(out);
    }
    if let Some(values) = catalog.enum_values(subject) {
        let title = format!("{subject}: one of");
        return Ok(format!("{}\n\n  {}\n", reader.say(&title), values.join("\n  ")));
    }
    let others: Vec<&str> = cli::command_names().into_iter().chain(TOPICS.iter().map(|topic| topic.name)).collect();
    Err(UnknownSubject { near: near_names(subject, catalog, &others) })
}

/// The page of an own command, such as `job` or `job list`.
fn command_page(reader: Reader, path: &str) -> Option<String> {
    let command = cli::command_called(path.split(' '))?;
    let mut page = String::new();
    // Details of a command are in the topic of the same name.
    if let Some(topic) = TOPICS.iter().find(|topic| topic.name == path) {
        let _ = writeln!(page, "{}", topic.text_in(reader.language));
    }
    let _ = writeln!(page, "{path}: {}", reader.say(&command.summary()));
    let mut rows = command.usage(path);
    // The summary is printed above already.
    rows.iter_mut().filter(|(_, summary)| *summary == command.summary()).for_each(|(_, summary)| summary.clear());
    let words = command.words().map(|word| (format!("    {}", word.value_name()), word.described()));
    rows.splice(rows.len().min(1)..rows.len().min(1), words);
    if rows.iter().any(|(form, _)| form != path) {
        page.push('\n');
        table(&mut page, rows.into_iter().map(|(form, summary)| [form, summary]).collect(), reader);
    }
    if path == "set" {
        let _ = write!(page, "\n{}", settings(reader.language));
    }
    Some(page)
}

/// The settings of the shell, with their values.
pub(crate) fn settings(language: Language) -> String {
    let reader = Reader { catalog: Catalog::newest(), language };
    let mut out = String::new();
    reader.line(&mut out, "SETTINGS (VALUE `default` resets one)");
    let row = |setting: Setting| {
        let values = setting.shell_values().join(" | ");
        let values = if values.is_empty() { values } else { format!(" [{values}]") };
        [setting.name().to_owned(), format!("{}{values}", setting.summary())]
    };
    table(&mut out, Setting::of_shell().map(row).collect(), reader);
    out
}

fn inventory_called(catalog: Catalog, name: &str) -> Option<Inventory> {
    let whole = format!("{name}Inventory");
    let found =
        catalog.inventory_names().find(|known| known.eq_ignore_ascii_case(name) || known.eq_ignore_ascii_case(&whole));
    catalog.inventory(found?)
}

fn overview(reader: Reader) -> String {
    let catalog = reader.catalog;
    let apis = catalog.api_names().filter(|api| !catalog.lacks(api.since()));
    let (all, queries) = (apis.clone().count(), apis.filter(|api| api.is_query()).count());
    let known = format!(
        "QueryVmInstance state=Running. {all} APIs of ZStack {} are known, {queries} of them queries.",
        catalog.version()
    );
    let mut out = String::new();
    reader.line(&mut out, "An API call is its name and its parameters: CreateZone name=lab. A query takes conditions:");
    reader.line(&mut out, &known);
    reader.heading(&mut out, "help API describes an API, help COMMAND a command. Tab shows what can follow.");
    reader.heading(&mut out, "TOPICS");
    table(&mut out, TOPICS.iter().map(|topic| [topic.name.to_owned(), topic.summary.to_owned()]).collect(), reader);
    reader.heading(&mut out, "COMMANDS");
    let commands = cli::program().commands().map(|command| [command.name().to_owned(), command.summary()]);
    table(&mut out, commands.collect(), reader);
    out
}

fn api_page(reader: Reader, api: &Api) -> String {
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

fn parameter_row(api: &Api, parameter: &Parameter, reader: Reader) -> [String; 3] {
    let mark = if parameter.required { "*" } else { "" };
    let note = reader.catalog.note(api.name, parameter.name);
    let note = note.map(|note| reader.language.choose(note.english, note.chinese).to_owned());
    let mut facts: Vec<String> = note.into_iter().chain(constraints(parameter)).collect();
    facts.extend(parameter.since.map(|since| since_when(since, reader)));
    [format!("{}={mark}", parameter.name), parameter.kind.to_string(), facts.join("; ")]
}

/// The version that introduced something, marked if the node is older.
fn since_when(since: &str, reader: Reader) -> String {
    match reader.catalog.lacks(Some(since)) {
        true => format!("since {since}, the node has {}", reader.catalog.version()),
        false => format!("since {since}"),
    }
}

/// Patterns of system tags, under a heading.
fn list_tags(out: &mut String, patterns: &[&str], heading: &str, reader: Reader) {
    if !patterns.is_empty() {
        reader.heading(out, heading);
        let _ = writeln!(out, "  {}", patterns.join("\n  "));
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

fn inventory_page(reader: Reader, inventory: &Inventory) -> String {
    let mut out = String::new();
    reader.line(&mut out, &format!("{}: a record that the node returns", inventory.name));
    reader.heading(&mut out, "FIELDS");
    list_fields(&mut out, &inventory.fields, true, reader);
    list_relations(&mut out, inventory, reader);
    for parent in &inventory.parents {
        reader.heading(&mut out, &format!("A {} whose type is {}.", parent.inventory, parent.type_value));
    }
    let kind = inventory.name.strip_suffix("Inventory").unwrap_or(inventory.name);
    let tags = reader.catalog.resource_tags(kind);
    list_tags(&mut out, &tags, "SYSTEM TAGS, that such a resource may carry", reader);
    out
}

fn list_fields(out: &mut String, fields: &[Field], conditions: bool, reader: Reader) {
    let row = |field: &Field| {
        let mut notes = Vec::new();
        if !field.values.is_empty() {
            notes.push(field.values.join(" | "));
        }
        if conditions && (field.unqueryable || field.kind.record().is_some()) {
            notes.push("not in conditions".to_owned());
        }
        notes.extend(field.since.map(|since| since_when(since, reader)));
        let mark = if field.required { "*" } else { "" };
        [format!("{}{mark}", field.name), field.kind.to_string(), notes.join("; ")]
    };
    table(out, fields.iter().map(row).collect(), reader);
}

fn list_relations(out: &mut String, inventory: &Inventory, reader: Reader) {
    let rows: Vec<[String; 2]> = inventory
        .relations()
        .map(|(name, target, since)| {
            let by = inventory.aliases.get(name).map(|alias| format!(", by {}", alias.path)).unwrap_or_default();
            let since = since.map(|since| format!("; {}", since_when(since, reader))).unwrap_or_default();
            [format!("{name}."), format!("{target}{by}{since}")]
        })
        .collect();
    if !rows.is_empty() {
        reader.heading(out, "RELATIONS to the fields of other inventories");
        table(out, rows, reader);
    }
}

fn list_specialisations(out: &mut String, reader: Reader, inventory: &Inventory) {
    let Some(field) = inventory.type_field() else { return };
    for (value, narrower) in reader.catalog.specialisations(inventory) {
        let known: Vec<&str> = inventory.fields.iter().map(|field| field.name).collect();
        let own: Vec<&str> =
            narrower.fields.iter().map(|field| field.name).filter(|name| !known.contains(name)).collect();
        if !own.is_empty() {
            reader.heading(out, &format!("With {}={value} also", field.name));
            let _ = writeln!(out, "  {}", own.join(", "));
        }
    }
}

/// The width of pages.
const WIDTH: usize = 100;

/// Adds rows of aligned columns; the last one is in the reader's language, and wrapped.
fn table<const N: usize>(out: &mut String, rows: Vec<[String; N]>, reader: Reader) {
    let mut widths = [0; N];
    for row in &rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(width(cell));
        }
    }
    // One very long name must not make the column too wide.
    let widths = widths.map(|width| width.min(40));
    let before: usize = widths[..N - 1].iter().map(|width| width + 2).sum::<usize>() + 2;
    for row in rows {
        let mut line = String::from("  ");
        for (column, cell) in row[..N - 1].iter().enumerate() {
            line.push_str(cell);
            let missing = (widths[column] + 2).saturating_sub(width(cell)).max(1);
            line.extend(std::iter::repeat_n(' ', missing));
        }
        for (index, part) in
            wrap(&reader.cell(&row[N - 1]), WIDTH.saturating_sub(before).max(30)).into_iter().enumerate()
        {
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
fn wrap(text: &str, room: usize) -> Vec<String> {
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
        if line.is_empty() || width(line) + joint.len() + width(part) <= room {
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

    fn reader() -> Reader {
        Reader { catalog: Catalog::newest(), language: Language::English }
    }

    fn page_of(subject: &str) -> String {
        page(reader(), Some(subject)).expect("there is a page")
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
        assert_has(&page(reader(), None).expect("an overview"), &["TOPICS", "exit-codes", "COMMANDS", "save"]);
        assert_has(&page_of("query"), &["~="]);
        assert_has(&page_of("context"), &["context use"]);
        assert_has(&page_of("login"), &["login [ACCOUNT]", "--access-key ID"]);
        assert_has(&page_of("LogIn"), &["loginType=*"]);
        assert_has(&page_of("zone"), &["ZoneInventory: a record"]);
        assert_has(&page_of("PolicyStatement"), &["a struct"]);
        assert_has(&page_of("StateEvent"), &["one of", "enable"]);
        let unknown = page(reader(), Some("QueryZoen")).expect_err("no such thing");
        assert_eq!(unknown.near, ["QueryZone"]);
    }
}
