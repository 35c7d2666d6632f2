//! `help [API|TOPIC]`: pages about APIs, inventories, own commands and topics.

mod api;
mod inventory;
mod table;

use std::borrow::Cow;
use std::fmt::Write;

use crate::catalog::{Catalog, Inventory};
use crate::cli;
use crate::config::Setting;
use crate::error::{Error, OwnError};
use crate::json::escape_unprintable;
use crate::language::Language;
use crate::plan::near_names;
use crate::render::wrapped;
use crate::session::{Invocation, catalogs};
use crate::shell::Flow;
use crate::shell::{TOPICS, Topic};

use api::api_page;
use inventory::{inventory_page, list_fields};
use table::table;

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
    let reader = Reader {
        catalog: cx.session.catalog,
        language: cx.settings.ui.language,
        width: cx.settings.ui.terminal.size.map_or(WIDTH, |(width, _)| width.min(WIDTH)),
    };
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
    /// The greatest width of a line, in columns.
    pub width: usize,
}

/// The width of pages where no narrower terminal shows them.
pub(crate) const WIDTH: usize = 100;

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

    /// Adds a text of one line, or more where it is too long.
    fn line(&self, out: &mut String, english: &str) {
        for line in wrapped(&self.say(english), self.width) {
            out.push_str(&line);
            out.push('\n');
        }
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
        let _ = write!(page, "\n{}", settings(reader.language, reader.width));
    }
    Some(page)
}

/// The settings of the shell, with their values.
pub(crate) fn settings(language: Language, width: usize) -> String {
    let reader = Reader { catalog: Catalog::newest(), language, width };
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

#[cfg(test)]
mod tests {
    use super::*;

    fn reader() -> Reader {
        Reader { catalog: Catalog::newest(), language: Language::English, width: WIDTH }
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
    fn pages_fit_a_narrow_terminal() {
        let reader = Reader { width: 80, ..reader() };
        for name in [None, Some("CreateVmInstance"), Some("QueryVmInstance"), Some("job"), Some("set")] {
            let page = page(reader, name).expect("a page");
            for line in page.lines().filter(|line| !line.contains("PATH") && !line.starts_with("  {")) {
                assert!(line.chars().count() <= 80 || !line.trim_start().contains(' '), "{name:?}: {line}");
            }
        }
        assert_has(
            &page(reader, Some("CreateVmInstance")).expect("a page"),
            &["\n  cpuNum=                           int\n      needed without"],
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
