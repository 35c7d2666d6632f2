//! An imported catalog on top of the built-in one.
//!
//! Entries of the import take precedence; the built-in catalog supplies the others. The text of both stays in memory as
//! long as the program runs, as that of the built-in catalog does anyway.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::flags::{
    FLAG_ASYNC, FLAG_CHANGED, FLAG_DEPRECATED, FLAG_MISTAKABLE, FLAG_QUERY, FLAG_SESSION, FLAG_UNLISTED,
};
use super::index::{ApiEntry, Catalog, Data, Entry, numbers};
use super::{Method, builtin};

/// The members of an API's entry that the index needs.
#[derive(Deserialize)]
struct Head<'t> {
    name: &'t str,
    method: Method,
    path: &'t str,
    session: bool,
    #[serde(rename = "async")]
    is_async: bool,
    #[serde(default, rename = "query")]
    is_query: bool,
    #[serde(default)]
    deprecated: bool,
    #[serde(default)]
    mistakable: bool,
    #[serde(default)]
    since: Option<&'t str>,
    #[serde(default)]
    was: Option<serde::de::IgnoredAny>,
}

impl Catalog {
    /// Returns the built-in catalog with the entries of an imported one, as of the version of the import. `None` where
    /// the text is not such a catalog, or is damaged.
    pub fn with_imported(text: &str) -> Option<Catalog> {
        let own = &builtin::DATA;
        let base = u32::try_from(own.text.len()).ok()?;
        u32::try_from(own.text.len() + text.len()).ok()?;
        let whole: &'static str = Box::leak([own.text, text].concat().into_boxed_str());
        let text = &whole[own.text.len()..];

        let mut lines = text.split_inclusive('\n');
        let mut header = |key: &str| {
            let line = lines.by_ref().find_map(|line| line.trim_end().strip_prefix(&format!("\"{key}\":\"")))?;
            line.strip_suffix("\",")
        };
        let (version, from) = (header("zstack")?, header("from")?);
        // The version is added to the known versions at its place in their order.
        let wanted = numbers(version)?;
        let mut versions = own.versions.to_vec();
        let known = versions.iter().position(|known| *known == version);
        let at =
            known.unwrap_or_else(|| own.versions.iter().filter(|known| numbers(known) <= Some(wanted.clone())).count());
        if known.is_none() {
            versions.insert(at, version);
        }
        let shifted = |since: u8| since + u8::from(known.is_none() && usize::from(since) >= at);

        let name_of = |api: &ApiEntry| part(whole, (api.start + u32::from(api.name.0), u32::from(api.name.1)));
        let own_apis = own.apis.iter().map(|api| ApiEntry { since: shifted(api.since), ..*api });
        let mut apis: BTreeMap<&str, ApiEntry> = own_apis.map(|api| (name_of(&api), api)).collect();
        let keyed = |entries: &[Entry]| entries.iter().map(|entry| (part(whole, entry.name), *entry)).collect();
        let mut tables: [BTreeMap<&str, Entry>; 3] = [keyed(own.inventories), keyed(own.structs), keyed(own.enums)];
        let mut section = None;
        let (mut start, mut is_whole) = (base, false);
        for line in text.split_inclusive('\n') {
            let here = start;
            start += u32::try_from(line.len()).ok()?;
            let body = line.trim_end().trim_end_matches(',');
            match body {
                "\"apis\":[" => section = Some(Section::Apis),
                "\"inventories\":{" => section = Some(Section::Table(0)),
                "\"structs\":{" => section = Some(Section::Table(1)),
                "\"enums\":{" => section = Some(Section::Table(2)),
                "" | "{" | "]" => {}
                "}" => is_whole = matches!(section, Some(Section::Table(2))),
                _ => match section {
                    None => {}
                    Some(Section::Apis) => {
                        let mut entry = api_entry(body, here, &versions)?;
                        let name = name_of(&entry);
                        entry.flags |= apis.get(name).map_or(0, |own| own.flags & FLAG_UNLISTED);
                        apis.insert(name, entry);
                    }
                    Some(Section::Table(at)) => {
                        let (name, value) = body.strip_prefix('"')?.split_once("\":")?;
                        let name_at = here + 1;
                        let value_at = here + u32::try_from(name.len()).ok()? + 3;
                        let place = |at: u32, text: &str| Some((at, u32::try_from(text.len()).ok()?));
                        let entry = Entry { name: place(name_at, name)?, value: place(value_at, value)? };
                        tables[at].insert(part(whole, entry.name), entry);
                    }
                },
            }
        }
        if !is_whole {
            return None;
        }
        let [inventories, structs, enums] = tables.map(|table| table.into_values().collect::<Vec<Entry>>());
        let data = Data {
            text: whole,
            versions: versions.leak(),
            apis: apis.into_values().collect::<Vec<ApiEntry>>().leak(),
            inventories: inventories.leak(),
            structs: structs.leak(),
            enums: enums.leak(),
            ..*own
        };
        Some(Catalog::of_data(Box::leak(Box::new(data)), at, Some(from)))
    }
}

enum Section {
    Apis,
    Table(usize),
}

fn part(text: &'static str, (start, len): (u32, u32)) -> &'static str {
    &text[start as usize..(start + len) as usize]
}

fn api_entry(line: &str, start: u32, versions: &[&str]) -> Option<ApiEntry> {
    let head: Head<'_> =
        serde_json::from_str(line).ok().filter(|head: &Head<'_>| head.path.starts_with('/') && head.name.is_ascii())?;
    let place = |part: &str| {
        let at = (part.as_ptr() as usize).checked_sub(line.as_ptr() as usize)?;
        Some((u16::try_from(at).ok()?, u16::try_from(part.len()).ok()?))
    };
    let mut flags = match head.method {
        Method::Get => 0,
        Method::Post => 1,
        Method::Put => 2,
        Method::Delete => 3,
    };
    for (is_set, flag) in [
        (head.is_query, FLAG_QUERY),
        (head.session, FLAG_SESSION),
        (head.is_async, FLAG_ASYNC),
        (head.deprecated, FLAG_DEPRECATED),
        (head.was.is_some(), FLAG_CHANGED),
        (head.mistakable, FLAG_MISTAKABLE),
    ] {
        flags |= if is_set { flag } else { 0 };
    }
    let since = head.since.and_then(|since| versions.iter().position(|known| *known == since)).unwrap_or(0);
    let len = u32::try_from(line.len()).ok()?;
    Some(ApiEntry {
        start,
        len,
        name: place(head.name)?,
        path: place(head.path)?,
        flags,
        since: u8::try_from(since).ok()?,
    })
}
