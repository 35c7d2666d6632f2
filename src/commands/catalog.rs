//! `catalog …`: the APIs that the program knows, and those that a node has.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use crate::calls::{show, view};
use crate::catalog::import::{ImportError, Imported, MAX_JAR, import as import_jar, is_version};
use crate::catalog::{Api, ApiName, Catalog, Offers, Parameter, version_numbers};
use crate::cli::CatalogCommand;
use crate::client::Reply;
use crate::config::{Contexts, Origin, Sourced};
use crate::error::{Error, OwnError};
use crate::json::{self, Value, escape_unprintable};
use crate::nearness::nearest;
use crate::render::{Field, FieldKind, Shape};
use crate::secret::MASK;
use crate::session::{Invocation, ViewSettings, catalogs, offers};
use crate::shell::Flow;

/// Runs a `catalog` command.
pub(super) fn run(cx: &mut Invocation<'_>, command: &CatalogCommand) -> Result<Flow, Error> {
    // The output is not stored as a result.
    cx.session.recording = None;
    match command {
        CatalogCommand::Import { file, of } => import(cx, file, of.as_deref())?,
        CatalogCommand::Show { name } => {
            catalogs::follow_name(cx.session, name, Some(cx.settings));
            let catalog = cx.session.catalog;
            cx.write(|out| describe(catalog, name, out))?;
        }
        CatalogCommand::Version => {
            let imported = catalogs::imported_versions(cx.session);
            cx.write(|out| Ok(version(&imported, out)?))?;
        }
        CatalogCommand::List { part, since } => {
            let rows = list(cx.session.catalog, part.as_deref(), since.as_deref())?;
            print(cx, rows)?;
        }
        CatalogCommand::Diff { from, to } => {
            let rows = diff(named(cx, from)?, named(cx, to)?);
            print(cx, rows)?;
        }
        CatalogCommand::Use { version } => follow(cx, version)?,
        CatalogCommand::Sync => sync(cx)?,
    }
    Ok(Flow::Continue)
}

/// Reads an SDK and keeps its catalog.
fn import(cx: &mut Invocation<'_>, file: &Path, version: Option<&str>) -> Result<(), Error> {
    if let Some(version) = version.filter(|version| !is_version(version)) {
        return Err(no_version(version));
    }
    let shown = || file.display().to_string();
    let mut jar = Vec::new();
    let read = File::open(file).and_then(|file| file.take(MAX_JAR + 1).read_to_end(&mut jar));
    read.map_err(|source| Error::Script { path: shown(), source })?;
    let refused = |problem| Error::Import { path: shown(), problem };
    if jar.len() as u64 > MAX_JAR {
        return Err(refused(ImportError::TooMuch));
    }
    let name = file.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let imported = import_jar(&jar, &name, version).map_err(refused)?;
    let (path, is_new) = catalogs::keep(cx.session, &imported, cx.settings)?;
    for note in notes_of_import(&imported) {
        cx.say(&note);
    }
    cx.out.write_text(&summary_of_import(&imported, &path, is_new))?;
    Ok(())
}

/// The catalog that a version means; with `builtin:` before it, the one of the program itself.
fn named(cx: &mut Invocation<'_>, version: &str) -> Result<Catalog, Error> {
    let (version, catalog) = match version.strip_prefix("builtin:") {
        Some(version) => (version, Catalog::of_version(version)),
        None => (version, catalogs::of_version(cx.session, version, Some(cx.settings))),
    };
    catalog.ok_or_else(|| no_version(version))
}

/// Has requests follow one version for the context, or for nodes without one.
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
    let chosen = version.and_then(|version| catalogs::of_version(cx.session, version, Some(cx.settings)));
    let source =
        chosen.and_then(Catalog::imported_from).map(|file| format!(", imported from {file},")).unwrap_or_default();
    let whose = context.map_or("nodes without a context".to_owned(), |name| format!("context {name}"));
    cx.say(&match version {
        Some(version) => format!("the catalog of ZStack {version}{source} is used for {whose}"),
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

/// How many names are told where there may be many.
const MOST_NAMES: usize = 10;

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

/// What a user named as a version is none.
fn no_version(text: &str) -> Error {
    let newest = Catalog::newest().version();
    let problem =
        format!("`{text}` is not a ZStack version such as {newest}; `catalog version` lists those that are known");
    Error::Own(OwnError::Value { name: "version".to_owned(), problem })
}

/// The APIs, or those whose name holds `part` and that exist since `since` or later: `{"name", "since"?, "method",
/// "path", "async", "session", "query", "deprecated"}`.
///
/// # Errors
/// When `since` is no version.
fn list(catalog: Catalog, part: Option<&str>, since: Option<&str>) -> Result<Rows, Error> {
    let part = part.unwrap_or_default().to_lowercase();
    let version = |text: &str| catalog.at_version(text).ok_or_else(|| no_version(text));
    let first = since.map(version).transpose()?;
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
    let unknown: Vec<&String> = apis.iter().filter(|name| !known.contains(name.as_str())).collect();
    if !unknown.is_empty() {
        text.push_str(&format!(", and has {} that are not: {}", unknown.len(), first_of(&unknown)));
    }
    text
}

/// The version that `catalog use` sets; `None` to use that of the node.
///
/// # Errors
/// When it is no version.
fn version_to_use(text: &str) -> Result<Option<&str>, Error> {
    match text {
        "auto" => Ok(None),
        _ if is_version(text) => Ok(Some(text)),
        _ => Err(no_version(text)),
    }
}

/// What is different between two catalogs: `{"change", "kind", "name", "since"?, "before"?, "after"?}`. `change` is
/// `new`, `gone` or `changed`, as seen from the first to the second.
fn diff(from: Catalog, to: Catalog) -> Rows {
    let mut found = one_sided(to, from, "new");
    found.extend(one_sided(from, to, "gone"));
    found.extend(changed_requests(from, to));
    let text = ["change", "kind", "name", "since", "before", "after"];
    rows(found, &text, &[], "change,kind,name")
}

/// What one catalog has and another has not.
fn one_sided(catalog: Catalog, other: Catalog, change: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut add = |kind: &str, name: String, since: Option<&str>| {
        let mut members = vec![("change", change), ("kind", kind), ("name", &name)];
        members.extend(since.map(|since| ("since", since)));
        found.push(Value::Map(members.into_iter().map(|(name, text)| (name.to_owned(), Value::text(text))).collect()));
    };
    for known in catalog.api_names().filter(|known| !catalog.lacks(known.since())) {
        let name = known.as_str();
        let others = other.api_name(name).filter(|known| !other.lacks(known.since()));
        let (Some(api), Some(others)) = (catalog.api(name), others.and_then(|_| other.api(name))) else {
            add("api", name.to_owned(), known.since());
            continue;
        };
        for parameter in api.parameters.iter().filter(|parameter| !catalog.lacks(parameter.since)) {
            if others.parameter(parameter.name).is_none_or(|parameter| other.lacks(parameter.since)) {
                add("parameter", format!("{name}.{}", parameter.name), parameter.since);
            }
        }
    }
    for name in catalog.inventory_names() {
        let Some(inventory) = catalog.inventory(name).filter(|known| !catalog.lacks(known.since)) else { continue };
        let Some(others) = other.inventory(name).filter(|known| !other.lacks(known.since)) else {
            add("inventory", name.to_owned(), inventory.since);
            continue;
        };
        for field in inventory.fields.iter().filter(|field| !catalog.lacks(field.since)) {
            if others.field(field.name).is_none_or(|field| other.lacks(field.since)) {
                add("field", format!("{name}.{}", field.name), field.since);
            }
        }
        for (relation, expanded) in inventory.expanded.iter().filter(|(_, expanded)| !catalog.lacks(expanded.since)) {
            if others.expanded.get(relation).is_none_or(|expanded| other.lacks(expanded.since)) {
                add("relation", format!("{name}.{relation}"), expanded.since);
            }
        }
    }
    found
}

/// The APIs and parameters that have another form in the second version, and APIs that only one of them has still.
fn changed_requests(from: Catalog, to: Catalog) -> Vec<Value> {
    let request = |api: &Api| format!("{} {} {{\"{}\": ...}}", api.method, api.path, api.body);
    let mut rows = Vec::new();
    let mut add = |change: &str, kind: &str, name: &str, before: Option<String>, after: Option<String>| {
        let text = |name: &str, text: &str| (name.to_owned(), Value::text(text));
        let mut members = vec![text("change", change), text("kind", kind), text("name", name)];
        members.extend(before.map(|form| text("before", &form)));
        members.extend(after.map(|form| text("after", &form)));
        rows.push(Value::Map(members));
    };
    // The views of one catalog differ by what is dated; an imported one may differ in anything.
    let is_imported = from.imported_from() != to.imported_from();
    let changed = to.api_names().filter(|known| is_imported || known.has_changed()).map(ApiName::as_str);
    for name in changed.chain(Catalog::removed_names()) {
        let (before, after) = (from.api(name), to.api(name));
        let (old, new) = (before.as_ref().map(request), after.as_ref().map(request));
        match (&before, &after) {
            (Some(_), None) => add("gone", "api", name, old, new),
            (None, Some(_)) if !is_imported => add("new", "api", name, old, new),
            (Some(_), Some(_)) if old != new => add("changed", "request", name, old, new),
            _ => {}
        }
        let (Some(before), Some(after)) = (before.filter(|_| is_imported), after) else { continue };
        for parameter in &after.parameters {
            let Some(old) = before.parameter(parameter.name).map(form) else { continue };
            let new = form(parameter);
            if old != new {
                add("changed", "parameter", &format!("{name}.{}", parameter.name), Some(old), Some(new));
            }
        }
    }
    rows
}

/// What a parameter takes, in short.
fn form(parameter: &Parameter) -> String {
    let mut text = parameter.kind.to_string();
    let mut add = |word: Option<String>| text.extend(word.map(|word| format!(" {word}")));
    add(parameter.required.then(|| "required".to_owned()));
    add((!parameter.values.is_empty()).then(|| format!("values={}", parameter.values.join(","))));
    add(parameter.regex.as_ref().map(|regex| format!("regex={regex}")));
    add(parameter.min_length.map(|least| format!("minLength={least}")));
    add(parameter.max_length.map(|most| format!("maxLength={most}")));
    add(parameter.range.map(|(least, most)| format!("range={least}..{most}")));
    add(parameter.nonempty.then(|| "nonempty".to_owned()));
    add(parameter.no_empty_string.then(|| "noEmptyString".to_owned()));
    text
}

/// What came of an import, for whoever asked for it.
fn summary_of_import(imported: &Imported, path: &Path, is_new: bool) -> String {
    let Imported { version, apis, new_apis, changed_apis, inventories, new_inventories, .. } = imported;
    let mut text = format!(
        "ZStack {version}: {apis} {}, {} new, {} changed; {inventories} {}, {} new\n",
        if *apis == 1 { "API" } else { "APIs" },
        new_apis.len(),
        changed_apis.len(),
        if *inventories == 1 { "inventory" } else { "inventories" },
        new_inventories.len(),
    );
    for (what, names) in [("new", new_apis), ("changed", changed_apis)] {
        if !names.is_empty() {
            text.push_str(&format!("{what}: {}\n", first_of(names)));
        }
    }
    let verb = if is_new { "kept as" } else { "replaced" };
    text.push_str(&format!("{verb} {}\n", path.display()));
    text
}

/// What an import left out.
fn notes_of_import(imported: &Imported) -> Vec<String> {
    let mut notes = Vec::new();
    // Names in a jar may be anything.
    let told = |(class, reason): &(String, &str)| format!("{} ({reason})", escape_unprintable(class));
    let skipped: Vec<String> = imported.skipped.iter().map(told).collect();
    if !skipped.is_empty() {
        notes.push(format!("left out: {}", first_of(&skipped)));
    }
    if imported.unreadable > 0 {
        notes.push(format!("{} class files cannot be read", imported.unreadable));
    }
    if !imported.new_inventories.is_empty() {
        let names = first_of(&imported.new_inventories);
        notes.push(format!("the jar does not tell how new inventories are related to others: {names}"));
    }
    notes
}

/// The first of some names, and that there are more.
fn first_of<T: AsRef<str>>(names: &[T]) -> String {
    let mut shown: Vec<&str> = names.iter().map(AsRef::as_ref).take(MOST_NAMES).collect();
    shown.extend((names.len() > MOST_NAMES).then_some("..."));
    shown.join(", ")
}

/// Prints an API or an inventory as the catalog has it.
fn describe(catalog: Catalog, name: &str, out: &mut dyn Write) -> Result<(), Error> {
    let Some(text) = catalog.source_text(name) else {
        let names = catalog.api_names().map(|api| api.as_str()).chain(catalog.inventory_names());
        let near = nearest(name, names).into_iter().map(str::to_owned).collect();
        return Err(Error::Own(OwnError::NotFound { kind: "API or inventory", name: name.to_owned(), near }));
    };
    let mut laid_out = Vec::new();
    json::indent(&mut laid_out, text.as_bytes(), 0);
    laid_out.push(b'\n');
    out.write_all(&laid_out)?;
    Ok(())
}

/// Lists the ZStack versions that the program knows, newest first, with a mark at those that were imported.
fn version(imported: &[String], out: &mut dyn Write) -> io::Result<()> {
    let own = Catalog::versions().filter(|own| !imported.iter().any(|known| known == own));
    let mut all: Vec<(&str, &str)> = own.map(|version| (version, "")).collect();
    all.extend(imported.iter().map(|version| (version.as_str(), "\timported")));
    all.sort_by_key(|(version, _)| (version_numbers(version), *version));
    all.iter().rev().try_for_each(|(version, mark)| writeln!(out, "{version}{mark}"))
}
