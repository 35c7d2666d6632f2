//! Compiles the catalog under `src/catalog/data` into one text and an index of it.
//!
//! `zstack-*.json` has an API, inventory, struct or enum a line. What other files know of an entry is added to its
//! line: `versions.json` says since when it and its members exist, and how its requests were before. The structs
//! of `structs.json` and the system tags of `system-tags.json` are lines of their own. What is compiled in beside that text is where each line lies,
//! sorted by name, so that looking one entry up decodes one line and starting the program decodes none. The tables
//! hold numbers only (no pointers), which keeps them out of the work that the loader does at every start.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use serde_json::Value;

use flags::{FLAG_ASYNC, FLAG_CHANGED, FLAG_DEPRECATED, FLAG_MISTAKABLE, FLAG_QUERY, FLAG_SESSION, FLAG_UNLISTED};

#[path = "src/catalog/flags.rs"]
mod flags;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new("src/catalog/data");
    println!("cargo::rerun-if-changed={}", folder.display());
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/catalog/flags.rs");
    println!("cargo::rustc-env=ZSTACK_CLI_COMMIT={}", commit().unwrap_or_default());

    let catalog = folder.join("zstack-5.5.6.json");
    let versions: Value = serde_json::from_str(&fs::read_to_string(folder.join("versions.json"))?)?;
    let observed: Value = serde_json::from_str(&fs::read_to_string(folder.join("observed.json"))?)?;
    let tags = fs::read_to_string(folder.join("system-tags.json"))?;
    let catalog = with_observed(&without_blanks(&fs::read_to_string(catalog)?), &observed["inventories"])?;
    let structs = without_blanks(&fs::read_to_string(folder.join("structs.json"))?);
    let text = merge(&catalog, &versions, &without_blanks(&tags), &structs)?;
    let compact = Path::new(&env::var("OUT_DIR")?).join("catalog.json");
    fs::write(&compact, &text)?;
    let code = format!("pub(super) static DATA: Data = {};\n", index(&text, &compact, &versions, &observed)?);
    fs::write(Path::new(&env::var("OUT_DIR")?).join("catalog_index.rs"), code)?;
    Ok(())
}

/// The commit that a release is built from, in a clone or in a published package. Other builds do without, so that a new
/// commit alone compiles nothing again.
fn commit() -> Option<String> {
    if env::var("PROFILE").ok()? != "release" {
        return None;
    }
    let published = Path::new(".cargo_vcs_info.json");
    if let Ok(text) = fs::read_to_string(published) {
        let facts: Value = serde_json::from_str(&text).ok()?;
        return Some(facts["git"]["sha1"].as_str()?.get(..12)?.to_owned());
    }
    // A package unpacked inside some other repository has nothing of its own.
    if !Path::new(".git").exists() {
        return None;
    }
    println!("cargo::rerun-if-changed={}", git(&["rev-parse", "--git-path", "logs/HEAD"])?);
    git(&["rev-parse", "--short=12", "HEAD"])
}

/// The line that git prints, if it succeeds.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let line = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| line.trim_end().to_owned())
}

/// The catalog's text with what the other files know of its entries, one entry a line as before.
fn merge(catalog: &str, versions: &Value, tags: &str, structs: &str) -> Result<String, Box<dyn Error>> {
    let (since, was) = (&versions["since"], &versions["was"]);
    let mut text = String::with_capacity(catalog.len() * 11 / 10);
    let mut section = String::new();
    for line in catalog.lines() {
        if let Some(name) = section_of(line) {
            section = name;
            text.push_str(line);
            if section == "structs" {
                let entries = structs.trim().trim_start_matches('{').trim_end_matches('}').trim();
                write!(text, "\n{entries},")?;
            }
        } else if section == "apis" && line.starts_with('{') && line.len() > 1 {
            let name = name_of(line)?;
            let mut line = line.to_owned();
            for (parameter, version) in of_owner(&since["parameters"], &name) {
                let at = format!("{{\"name\":\"{parameter}\",");
                add(&mut line, "\"params\":[", &at, &format!("\"since\":{version},"))?;
            }
            let own = format!("{{\"name\":\"{name}\",");
            if let Some(requests) = was.get(&name) {
                add(&mut line, "", &own, &format!("\"was\":{requests},"))?;
            }
            if let Some(version) = since["apis"].get(&name) {
                add(&mut line, "", &own, &format!("\"since\":{version},"))?;
            }
            text.push_str(&line);
        } else if section == "inventories" && line.starts_with('"') {
            let (name, _) = keyed(line)?;
            let mut line = line.to_owned();
            for (field, version) in of_owner(&since["fields"], &name) {
                let at = format!("{{\"name\":\"{field}\",");
                add(&mut line, "\"fields\":[", &at, &format!("\"since\":{version},"))?;
            }
            for (relation, version) in of_owner(&since["relations"], &name) {
                let at = format!("\"{relation}\":{{");
                add(&mut line, "\"expanded\":{", &at, &format!("\"since\":{version},"))?;
            }
            if let Some(version) = since["inventories"].get(&name) {
                add(&mut line, "", &format!("\"{name}\":{{"), &format!("\"since\":{version},"))?;
            }
            text.push_str(&line);
        } else {
            text.push_str(line);
        }
        text.push('\n');
    }
    // The lists of system tags become two more sections of the same object.
    let sections = tags.trim().trim_start_matches('{').trim_end_matches('}').trim();
    let sections = sections.replace("\"resources\":{", "\"resourceTags\":{").replace("\"apis\":{", "\"apiTags\":{");
    let end = text.rfind('}').ok_or("the catalog is no object")?;
    text.truncate(end);
    text.truncate(text.trim_end().len());
    let mut gone = String::new();
    for (name, entry) in versions["removed"].as_object().into_iter().flatten() {
        let api = &entry["api"];
        let separator = if gone.is_empty() { "" } else { ",\n" };
        write!(gone, "{separator}\"{name}\":{{\"until\":{},\"api\":{}}}", entry["until"], api)?;
    }
    write!(text, ",\n{sections},\n\"removed\":{{\n{gone}\n}}\n}}\n")?;
    Ok(text)
}

/// Adds text behind the first place of `at` that follows `begin`.
fn add(line: &mut String, begin: &str, at: &str, text: &str) -> Result<(), Box<dyn Error>> {
    let start = line.find(begin).ok_or_else(|| format!("no {begin} in {line:.80}"))?;
    let found = line[start..].find(at).ok_or_else(|| format!("no {at} in {line:.80}"))?;
    line.insert_str(start + found + at.len(), text);
    Ok(())
}

/// The entries `Owner.member` of one owner, as member and value.
fn of_owner<'v>(entries: &'v Value, owner: &str) -> Vec<(&'v str, &'v Value)> {
    let split = |(key, value)| {
        let (of, member): (&str, &str) = str::split_once(key, '.')?;
        (of == owner).then_some((member, value))
    };
    entries.as_object().into_iter().flatten().filter_map(|(key, value)| split((key.as_str(), value))).collect()
}

/// The section that a line begins, such as `"apis":[`.
fn section_of(line: &str) -> Option<String> {
    let name = line.strip_suffix(":[").or_else(|| line.strip_suffix(":{"))?;
    Some(name.trim().trim_matches('"').to_owned())
}

/// The `Data { .. }` expression of the merged text.
fn index(text: &str, compact: &Path, versions: &Value, observed: &Value) -> Result<String, Box<dyn Error>> {
    let whole: Value = serde_json::from_str(text)?;
    let known: Vec<&str> = versions["versions"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let unlisted: BTreeSet<&str> =
        observed["unlistedApis"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mistakable = mistakable(&whole, &known, &unlisted);

    let mut apis = Rows::new();
    let mut tables: [(&str, &str, Rows); 6] = [
        ("inventories", "inventories", Rows::new()),
        ("structs", "structs", Rows::new()),
        ("enums", "enums", Rows::new()),
        ("resourceTags", "resource_tags", Rows::new()),
        ("apiTags", "api_tags", Rows::new()),
        ("removed", "removed", Rows::new()),
    ];
    let mut section = String::new();
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let body = line.trim_end().trim_end_matches(',');
        if let Some(name) = section_of(body) {
            section = name;
        } else if section == "apis" && body.starts_with('{') && body.len() > 1 {
            let name = name_of(body)?;
            let mut flags = 0;
            if mistakable.contains(&name) {
                flags |= FLAG_MISTAKABLE;
            }
            if unlisted.contains(name.as_str()) {
                flags |= FLAG_UNLISTED;
            }
            apis.push((name, api_entry(body, start, flags, &known)?));
        } else if let Some((_, _, rows)) = tables.iter_mut().find(|(name, _, _)| *name == section)
            && body.starts_with('"')
        {
            let (name, value) = keyed(body)?;
            rows.push((name.clone(), keyed_entry(&name, value, body, start)));
        }
    }

    let mut code = String::new();
    writeln!(code, "Data {{\n    text: include_str!({compact:?}),\n    versions: &{known:?},")?;
    let count = |key: &str| whole[key].as_array().map(Vec::len).or(whole[key].as_object().map(|map| map.len()));
    if Some(apis.len()) != count("apis") {
        return Err("not one API per line".into());
    }
    apis.sort();
    writeln!(code, "    apis: &[{}],", join(&apis))?;
    for (name, member, rows) in &mut tables {
        if Some(rows.len()) != count(name) {
            return Err(format!("not one entry of {name} per line").into());
        }
        rows.sort();
        writeln!(code, "    {member}: &[{}],", join(rows))?;
    }
    write!(code, "}}")?;
    Ok(code)
}

/// An API as a node's front end looks at it.
struct Route<'v> {
    name: &'v str,
    method: &'v str,
    body: &'v str,
    paths: Vec<Vec<&'v str>>,
    since: usize,
    is_open: bool,
}

/// The segments of a path; a variable is `{`. One at the end that is empty counts: a node minds the slash there.
fn segments(path: &str) -> Vec<&str> {
    path.split('/').map(|part| if part.starts_with('{') { "{" } else { part }).collect()
}

/// The APIs for which some node runs another API: it does not have this one, and a path that it has fits. The nodes
/// looked at are those of every version that is known, with all APIs and with those of the public sources only.
fn mistakable(whole: &Value, versions: &[&str], unlisted: &BTreeSet<&str>) -> BTreeSet<String> {
    let routes: Vec<Route<'_>> = whole["apis"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|api| {
            let text = |key: &str| api[key].as_str().unwrap_or_default();
            let others = api["optionalPaths"].as_array().into_iter().flatten().filter_map(Value::as_str);
            Route {
                name: text("name"),
                method: text("method"),
                body: text("body"),
                paths: std::iter::once(text("path")).chain(others).map(segments).collect(),
                since: versions.iter().position(|version| *version == text("since")).unwrap_or(0),
                is_open: text("source") == "open",
            }
        })
        .collect();
    let mut found = BTreeSet::new();
    for is_open_only in [false, true] {
        for version in 0..versions.len() {
            let (offered, missing): (Vec<&Route<'_>>, Vec<&Route<'_>>) =
                routes.iter().partition(|route| route.since <= version && (route.is_open || !is_open_only));
            let mut paths: BTreeMap<&[&str], Vec<&Route<'_>>> = BTreeMap::new();
            for route in offered {
                for path in &route.paths {
                    paths.entry(path).or_default().push(route);
                }
            }
            let runs_another = |route: &&&Route<'_>| {
                let own = route.paths[0].as_slice();
                let fits = |path: &[&str]| {
                    path.len() == own.len() && path.iter().zip(own).all(|(known, part)| *known == "{" || known == part)
                };
                let takes = |candidates: &Vec<&Route<'_>>| {
                    // A path with one API runs that one, whatever the verb.
                    candidates.len() == 1
                        || candidates.iter().any(|other| {
                            other.method == route.method && (route.method != "PUT" || other.body == route.body)
                        })
                };
                match paths.get(own) {
                    Some(candidates) => takes(candidates),
                    None => paths.iter().any(|(path, candidates)| fits(path) && takes(candidates)),
                }
            };
            let swallowed = missing.iter().filter(|route| !unlisted.contains(route.name)).filter(runs_another);
            found.extend(swallowed.map(|route| route.name.to_owned()));
        }
    }
    found
}

/// JSON without the blanks between its tokens, a tenth of it. Line ends stay.
fn without_blanks(text: &str) -> String {
    let mut compact = String::with_capacity(text.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in text.chars() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else {
            in_string = c == '"';
            if c == ' ' {
                continue;
            }
        }
        compact.push(c);
    }
    compact
}

/// Puts what `observed.json` says of an inventory, and of those that it specialises, at the head of its line.
fn with_observed(text: &str, observed: &Value) -> Result<String, Box<dyn Error>> {
    let whole: Value = serde_json::from_str(text)?;
    let inventories = &whole["inventories"];
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let name = line.strip_prefix('"').and_then(|rest| rest.split_once("\":{\"fields\":")).map(|(name, _)| name);
        let Some(name) = name.filter(|name| inventories[*name].is_object()) else {
            out.push_str(line);
            continue;
        };
        let mut family = vec![name];
        let mut next = 0;
        while let Some(own) = family.get(next).map(|name| &inventories[*name]) {
            let parents = own["parents"].as_array().into_iter().flatten().map(|parent| &parent["inventory"]);
            for general in parents.chain([&own["extends"]]).filter_map(Value::as_str) {
                if !family.contains(&general) {
                    family.push(general);
                }
            }
            next += 1;
        }
        let (head, rest) = line.split_at(name.len() + 4);
        out.push_str(head);
        for key in ["unselectable", "unsortable", "broken"] {
            let said = family.iter().filter_map(|name| observed[*name][key].as_array()).flatten();
            let mut names: Vec<&str> = said.filter_map(Value::as_str).collect();
            // A special inventory need not have all that a general one has.
            names.retain(|name| name.starts_with("__") || line.contains(&format!("\"{name}\"")));
            names.sort_unstable();
            names.dedup();
            if !names.is_empty() {
                write!(out, "\"{key}\":{},", serde_json::to_string(&names)?)?;
            }
        }
        out.push_str(rest);
    }
    Ok(out)
}

/// Names with their index entries.
type Rows = Vec<(String, String)>;

fn join(rows: &[(String, String)]) -> String {
    rows.iter().map(|(_, entry)| entry.as_str()).collect()
}

/// The name that an API's line begins with.
fn name_of(body: &str) -> Result<String, Box<dyn Error>> {
    let rest = body.strip_prefix("{\"name\":\"").ok_or_else(|| format!("no name first: {body:.60}"))?;
    Ok(rest.split('"').next().unwrap_or_default().to_owned())
}

/// `ApiEntry` of one line: where it lies, and its name, verb, path, flags and first version.
fn api_entry(body: &str, start: usize, mut flags: u16, versions: &[&str]) -> Result<String, Box<dyn Error>> {
    let api: Value = serde_json::from_str(body)?;
    let text = |key: &str| api[key].as_str().ok_or_else(|| format!("an API without {key}: {body:.60}"));
    let (name, method, path) = (text("name")?, text("method")?, text("path")?);
    let verb = ["GET", "POST", "PUT", "DELETE"]
        .iter()
        .position(|known| *known == method)
        .ok_or_else(|| format!("{name}: unknown verb {method}"))?;
    flags |= u16::try_from(verb)?;
    for (key, flag) in
        [("query", FLAG_QUERY), ("session", FLAG_SESSION), ("async", FLAG_ASYNC), ("deprecated", FLAG_DEPRECATED)]
    {
        if api[key].as_bool() == Some(true) {
            flags |= flag;
        }
    }
    if api.get("was").is_some() {
        flags |= FLAG_CHANGED;
    }
    let since = match api["since"].as_str() {
        None => 0,
        Some(since) => versions
            .iter()
            .position(|version| *version == since)
            .ok_or_else(|| format!("{name}: unknown version {since}"))?,
    };
    let place = |value: &str| body.find(&format!("\"{value}\"")).map(|at| at + 1).ok_or("moved text");
    // The path also stands in what the requests were before.
    let path_at = body.find(&format!("\"path\":\"{path}\",\"session\"")).ok_or("moved path")? + "\"path\":\"".len();
    Ok(format!(
        "ApiEntry{{start:{start},len:{},name:({},{}),path:({path_at},{}),flags:{flags},since:{since}}},",
        body.len(),
        place(name)?,
        name.len(),
        path.len(),
    ))
}

/// The name and the value of a line `"Name":value`.
fn keyed(body: &str) -> Result<(String, &str), Box<dyn Error>> {
    let (name, value) = body[1..].split_once("\":").ok_or_else(|| format!("not `\"name\":value`: {body:.60}"))?;
    Ok((name.to_owned(), value))
}

/// `Entry` of such a line: where the name and the value lie.
fn keyed_entry(name: &str, value: &str, body: &str, start: usize) -> String {
    format!(
        "Entry{{name:({},{}),value:({},{})}},",
        start + 1,
        name.len(),
        start + body.len() - value.len(),
        value.len()
    )
}
