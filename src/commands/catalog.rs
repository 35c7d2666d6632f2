//! `catalog …`: the APIs that the program knows, and those that a node has.

use std::collections::HashSet;
use std::io::{self, Write};

use crate::calls::{show, view};
use crate::catalog::{ApiName, Catalog, Offers};
use crate::cli::CatalogCommand;
use crate::client::Reply;
use crate::config::{Contexts, Origin, Sourced};
use crate::error::{Error, OwnError};
use crate::json::{self, Value};
use crate::nearness::closest;
use crate::render::{Field, FieldKind, Shape};
use crate::secret::MASK;
use crate::session::{Invocation, ViewSettings, offers};
use crate::shell::Flow;

/// Runs a `catalog` command.
pub(super) fn run(cx: &mut Invocation<'_>, command: &CatalogCommand) -> Result<Flow, Error> {
    // The output is not stored as a result.
    cx.session.recording = None;
    let catalog = cx.session.catalog;
    match command {
        CatalogCommand::Show { name } => cx.write(|out| describe(catalog, name, out))?,
        CatalogCommand::Version => cx.write(|out| Ok(version(out)?))?,
        CatalogCommand::List { part, since } => {
            print(cx, list(catalog, part.as_deref(), since.as_deref())?)?;
        }
        CatalogCommand::Diff { from, to } => print(cx, diff(from, to)?)?,
        CatalogCommand::Use { version } => follow(cx, version)?,
        CatalogCommand::Sync => sync(cx)?,
    }
    Ok(Flow::Continue)
}

/// Sets the version of the catalog for the context, or for nodes without one.
fn follow(cx: &mut Invocation<'_>, version: &str) -> Result<(), Error> {
    let version = version_to_use(version)?;
    let folders = cx.session.environment.folders()?;
    let context = cx.settings.target.context.clone();
    let changes = [("catalog", version)];
    let contexts = match &context {
        Some(name) => Contexts::set(folders, name, &changes)?,
        None => Contexts::set_defaults(folders, &changes)?,
    };
    cx.session.set_contexts(contexts);
    let whose = context.map_or("nodes without a context".to_owned(), |name| format!("context {name}"));
    cx.say(&match version {
        Some(version) => format!("the catalog of ZStack {version} is used for {whose}"),
        None => format!("the version is asked of the node for {whose}"),
    });
    Ok(())
}

/// Asks the node for its APIs and lists the missing ones.
fn sync(cx: &mut Invocation<'_>) -> Result<(), Error> {
    let said = offers::asked_anew(cx.session, cx.settings)?;
    offers::follow_version(cx.session, Some(cx.settings));
    let catalog = cx.session.catalog;
    cx.say(&summary(catalog, &said));
    lacking(catalog, &said).map_or(Ok(()), |rows| print(cx, rows))
}

/// Prints rows about APIs: as a table on a terminal, elsewhere one line for each row with these columns, for `grep` and
/// `cut`.
fn print(cx: &mut Invocation<'_>, rows: Rows) -> Result<(), Error> {
    let settings = &cx.settings.view;
    // The columns of a context are for inventories.
    let typed = settings.columns.clone().filter(|columns| matches!(columns.origin, Origin::Typed | Origin::Set));
    let mut settings = ViewSettings { columns: typed, ..settings.clone() };
    if settings.output.is_none() && settings.jq.is_none() && !cx.out.screen(&cx.settings.ui).terminal {
        let typed = |value: &str| Some(Sourced { value: value.to_owned(), origin: Origin::Typed });
        settings.output = typed("tsv");
        settings.header = false;
        settings.columns = settings.columns.or_else(|| typed(rows.columns));
    }
    let view = view::with(cx, &settings)?;
    show::print(cx, Reply::of_text(rows.reply), &rows.shape, &view)
}

/// The maximum number of unknown APIs that are named.
const MOST_UNKNOWN: usize = 10;

/// Rows and their members.
struct Rows {
    /// `{"inventories": [..]}`
    reply: Vec<u8>,
    /// Their members.
    shape: Shape,
    /// The columns for programs.
    columns: &'static str,
}

fn rows(rows: Vec<Value>, text: &[&str], flags: &[&str], columns: &'static str) -> Rows {
    let field = |name: &&str, kind| Field { name: (*name).to_owned(), kind, secret: false };
    let text = text.iter().map(|name| field(name, FieldKind::Text));
    let flags = flags.iter().map(|name| field(name, FieldKind::Bool));
    let shape = Shape { inventory: Some("Api".to_owned()), fields: text.chain(flags).collect(), ..Shape::default() };
    Rows { reply: reply(rows), shape, columns }
}

/// The flags of an API.
const FLAGS: [&str; 4] = ["async", "session", "query", "deprecated"];

fn reply(rows: Vec<Value>) -> Vec<u8> {
    Value::Map(vec![("inventories".to_owned(), Value::List(rows))]).to_json(Some(MASK)).into_bytes()
}

fn row(api: ApiName) -> Value {
    let flag = |name: &str, is_set| (name.to_owned(), Value::Bool(is_set));
    let text = |name: &str, text: &str| (name.to_owned(), Value::text(text));
    let mut members = vec![text("name", api.as_str())];
    members.extend(api.since().map(|since| text("since", since)));
    members.extend([
        text("method", api.method().as_str()),
        text("path", api.path()),
        flag("async", api.is_async()),
        flag("session", api.needs_session()),
        flag("query", api.is_query()),
        flag("deprecated", api.is_deprecated()),
    ]);
    Value::Map(members)
}

/// The version that a user names.
fn version_of(text: &str) -> Result<Catalog, Error> {
    Catalog::of_version(text).ok_or_else(|| {
        let newest = Catalog::newest().version();
        let problem =
            format!("`{text}` is not a ZStack version such as {newest}; `catalog version` lists those that are known");
        Error::Own(OwnError::Value { name: "version".to_owned(), problem })
    })
}

/// The APIs, or those whose name holds `part` and that exist since `since` or later: `{"name", "since"?, "method",
/// "path", "async", "session", "query", "deprecated"}`.
///
/// # Errors
/// When `since` is no version.
fn list(catalog: Catalog, part: Option<&str>, since: Option<&str>) -> Result<Rows, Error> {
    let part = part.unwrap_or_default().to_lowercase();
    let first = since.map(version_of).transpose()?;
    let is_new = |api: &ApiName| {
        first.is_none_or(|first| api.since().is_some_and(|since| since == first.version() || first.lacks(Some(since))))
    };
    let fits = |api: &ApiName| api.as_str().to_lowercase().contains(&part) && is_new(api);
    let text: &[&str] =
        if since.is_some() { &["name", "since", "method", "path"] } else { &["name", "method", "path"] };
    Ok(rows(catalog.api_names().filter(fits).map(row).collect(), text, &FLAGS, "name,method,path"))
}

/// The APIs that a node does not have, as rows of [`list`]; `None` if it does not list its APIs.
fn lacking(catalog: Catalog, offers: &Offers) -> Option<Rows> {
    offers.apis.as_ref()?;
    let lacking = catalog.api_names().filter(|api| offers.lacks(*api)).map(row).collect();
    Some(rows(lacking, &["name", "since", "method", "path"], &FLAGS, "name,since,method,path"))
}

/// A summary of what a node reported.
fn summary(catalog: Catalog, offers: &Offers) -> String {
    let version =
        offers.version.as_ref().map_or("of an unknown version".to_owned(), |version| format!("ZStack {version}"));
    let Some(apis) = &offers.apis else {
        return format!("the node is {version}, and does not say which APIs it has");
    };
    let known: HashSet<&str> = catalog.api_names().map(ApiName::as_str).collect();
    let lacks = catalog.api_names().filter(|api| offers.lacks(*api)).count();
    let mut text = format!("the node is {version}; it lacks {lacks} of the {} APIs that are known", known.len());
    let unknown: Vec<&str> = apis.iter().map(String::as_str).filter(|name| !known.contains(name)).collect();
    if !unknown.is_empty() {
        let more = if unknown.len() > MOST_UNKNOWN { ", ..." } else { "" };
        let names = unknown[..unknown.len().min(MOST_UNKNOWN)].join(", ");
        text.push_str(&format!(", and has {} that are not: {names}{more}", unknown.len()));
    }
    text
}

/// The version that `catalog use` sets; `None` to use that of the node.
///
/// # Errors
/// When it is no version.
fn version_to_use(text: &str) -> Result<Option<&str>, Error> {
    if text == "auto" { Ok(None) } else { version_of(text).map(|_| Some(text)) }
}

/// The differences between two versions: `{"change", "kind", "name", "since"?, "before"?, "after"?}`. `change` is
/// `new`, `gone` or `changed`, as seen from the first to the second.
///
/// # Errors
/// When one of them is no version.
fn diff(from: &str, to: &str) -> Result<Rows, Error> {
    let (from, to) = (version_of(from)?, version_of(to)?);
    // What only the newer version has is new, or gone if the second version is the older one.
    let goes_back = to.lacks(Some(from.version()));
    let (older, newer, change) = if goes_back { (to, from, "gone") } else { (from, to, "new") };
    let brought =
        |since: Option<&'static str>| since.filter(|since| older.lacks(Some(since)) && !newer.lacks(Some(since)));
    let mut found = Vec::new();
    let mut add = |kind: &str, name: String, since: &str| {
        let members = [("change", change), ("kind", kind), ("name", &name), ("since", since)];
        found.push(Value::Map(members.map(|(name, text)| (name.to_owned(), Value::text(text))).into()));
    };
    for known in newer.api_names() {
        if let Some(since) = brought(known.since()) {
            add("api", known.as_str().to_owned(), since);
            continue;
        }
        let Some(api) = newer.api(known.as_str()) else { continue };
        for parameter in &api.parameters {
            if let Some(since) = brought(parameter.since) {
                add("parameter", format!("{}.{}", api.name, parameter.name), since);
            }
        }
    }
    for name in newer.inventory_names() {
        let Some(inventory) = newer.inventory(name) else { continue };
        if let Some(since) = brought(inventory.since) {
            add("inventory", name.to_owned(), since);
            continue;
        }
        for field in &inventory.fields {
            if let Some(since) = brought(field.since) {
                add("field", format!("{name}.{}", field.name), since);
            }
        }
        for (relation, expanded) in &inventory.expanded {
            if let Some(since) = brought(expanded.since) {
                add("relation", format!("{name}.{relation}"), since);
            }
        }
    }
    found.extend(changed_requests(from, to));
    let text = ["change", "kind", "name", "since", "before", "after"];
    Ok(rows(found, &text, &[], "change,kind,name"))
}

/// The APIs whose requests differ between the versions, or that one of them does not have any more.
fn changed_requests(from: Catalog, to: Catalog) -> Vec<Value> {
    let request = |catalog: Catalog, name: &str| {
        catalog.api(name).map(|api| format!("{} {} {{\"{}\": ...}}", api.method, api.path, api.body))
    };
    let mut rows = Vec::new();
    let changed = to.api_names().filter(|known| known.has_changed()).map(ApiName::as_str);
    for name in changed.chain(Catalog::removed_names()) {
        let (before, after) = (request(from, name), request(to, name));
        if before == after {
            continue;
        }
        let (change, kind) = match (&before, &after) {
            (Some(_), None) => ("gone", "api"),
            (None, _) => ("new", "api"),
            (Some(_), Some(_)) => ("changed", "request"),
        };
        let text = |name: &str, text: &str| (name.to_owned(), Value::text(text));
        let mut members = vec![text("change", change), text("kind", kind), text("name", name)];
        members.extend(before.map(|request| text("before", &request)));
        members.extend(after.map(|request| text("after", &request)));
        rows.push(Value::Map(members));
    }
    rows
}

/// Prints the catalog's entry of an API or inventory.
fn describe(catalog: Catalog, name: &str, out: &mut dyn Write) -> Result<(), Error> {
    let Some(text) = catalog.source_text(name) else {
        let names = catalog.api_names().map(|api| api.as_str()).chain(catalog.inventory_names());
        let closest = closest(name, names).map(str::to_owned);
        return Err(Error::Own(OwnError::NotFound { kind: "API or inventory", name: name.to_owned(), closest }));
    };
    let mut laid_out = Vec::new();
    json::indent(&mut laid_out, text.as_bytes(), 0);
    laid_out.push(b'\n');
    out.write_all(&laid_out)?;
    Ok(())
}

/// Lists the ZStack versions that the program knows, newest first.
fn version(out: &mut dyn Write) -> io::Result<()> {
    Catalog::versions().try_for_each(|version| writeln!(out, "{version}"))
}
