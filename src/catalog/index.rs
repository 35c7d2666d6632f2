//! Looking entries up by name without decoding the others.

use std::cmp::Ordering;

use super::api::{Api, Method, Parameter, RemovedApi};
use super::builtin;
use super::flags::{
    FLAG_ASYNC, FLAG_CHANGED, FLAG_DEPRECATED, FLAG_MISTAKABLE, FLAG_QUERY, FLAG_SESSION, FLAG_UNLISTED,
};
use super::inventory::{Field, Inventory};
use super::notes::{self, Note};

/// The text of the catalog and the position of each entry.
pub(super) struct Data {
    pub(super) text: &'static str,
    /// The versions of ZStack that were compared, oldest first.
    pub(super) versions: &'static [&'static str],
    pub(super) apis: &'static [ApiEntry],
    pub(super) inventories: &'static [Entry],
    pub(super) structs: &'static [Entry],
    pub(super) enums: &'static [Entry],
    pub(super) resource_tags: &'static [Entry],
    pub(super) api_tags: &'static [Entry],
    pub(super) removed: &'static [Entry],
}

/// The position of an API's line. `name` and `path` are (offset in the line, length); all count bytes.
#[derive(Clone, Copy)]
pub(super) struct ApiEntry {
    pub(super) start: u32,
    pub(super) len: u32,
    pub(super) name: (u16, u16),
    pub(super) path: (u16, u16),
    pub(super) flags: u16,
    /// The index of the first version that has it.
    pub(super) since: u8,
}

/// The position of a keyed line: (offset in the text, length) of its name and of its value, in bytes.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) name: (u32, u32),
    pub(super) value: (u32, u32),
}

fn slice(text: &'static str, (start, len): (u32, u32)) -> &'static str {
    &text[start as usize..(start + len) as usize]
}

/// The APIs and inventories of nodes as of one ZStack version: requests have the form of that version, and newer
/// entries are marked as newer.
#[derive(Clone, Copy)]
pub struct Catalog {
    data: &'static Data,
    /// The index of the version.
    at: usize,
    /// The file that it was imported from, if it was.
    from: Option<&'static str>,
}

impl std::fmt::Debug for Catalog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Catalog").field("version", &self.version()).finish_non_exhaustive()
    }
}

/// The numbers of a version such as `5.2.1`, without trailing zeros; `None` for other text.
pub(crate) fn numbers(version: &str) -> Option<Vec<u32>> {
    // Builds have names such as `4.8.0-c76`.
    let digits = version.split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
    let mut numbers: Vec<u32> = digits.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    numbers.truncate(numbers.iter().rposition(|number| *number > 0)? + 1);
    Some(numbers)
}

impl Catalog {
    /// The catalog of the newest ZStack version.
    pub fn newest() -> Catalog {
        Catalog::of_data(&builtin::DATA, builtin::DATA.versions.len() - 1, None)
    }

    /// The catalog of the oldest known ZStack version.
    pub fn oldest() -> Catalog {
        Catalog::of_data(&builtin::DATA, 0, None)
    }

    /// The catalog of a ZStack version such as `5.2.1`; an unknown version is treated as the known one before it.
    /// `None` if the text is not a version.
    pub fn of_version(version: &str) -> Option<Catalog> {
        Catalog::newest().at_version(version)
    }

    /// The same catalog as another ZStack version has it. Nothing where the text is no version.
    pub fn at_version(self, version: &str) -> Option<Catalog> {
        let wanted = numbers(version)?;
        let older = |known: &&&str| numbers(known).is_some_and(|known| known <= wanted);
        Some(Catalog { at: self.data.versions.iter().filter(older).count().saturating_sub(1), ..self })
    }

    pub(super) fn of_data(data: &'static Data, at: usize, from: Option<&'static str>) -> Catalog {
        Catalog { data, at, from }
    }

    /// The file that the catalog was imported from; nothing where it is the program's own.
    pub fn imported_from(self) -> Option<&'static str> {
        self.from
    }

    /// The ZStack versions that the program knows, newest first.
    pub fn versions() -> impl Iterator<Item = &'static str> {
        builtin::DATA.versions.iter().rev().copied()
    }

    /// The ZStack version that this catalog describes.
    pub fn version(self) -> &'static str {
        self.data.versions.get(self.at).copied().unwrap_or_default()
    }

    /// Whether something that exists since a version is newer than this catalog's.
    pub fn lacks(self, since: Option<&str>) -> bool {
        since.is_some_and(|since| self.index_of(since) > self.at)
    }

    fn index_of(self, version: &str) -> usize {
        self.data.versions.iter().position(|known| *known == version).unwrap_or_default()
    }

    /// All APIs in the order of their names, with the data of the index.
    pub fn api_names(self) -> impl ExactSizeIterator<Item = ApiName> + Clone {
        self.data.apis.iter().map(move |entry| ApiName { data: self.data, entry })
    }

    /// The index entry of the API called exactly `name`.
    pub fn api_name(self, name: &str) -> Option<ApiName> {
        let at = self.data.apis.binary_search_by(|entry| self.name_of(entry).cmp(name)).ok()?;
        Some(ApiName { data: self.data, entry: &self.data.apis[at] })
    }

    /// The API called exactly `name`.
    pub fn api(self, name: &str) -> Option<Api> {
        match self.api_name(name) {
            Some(known) => self.decode(known.entry),
            // An older node may still have it.
            None => self.removed(name).filter(|gone| self.index_of(gone.until) >= self.at).map(|gone| gone.api),
        }
    }

    /// The API of that name that was removed in a later version.
    pub fn removed(self, name: &str) -> Option<RemovedApi> {
        self.find(self.data.removed, name).and_then(|entry| decode(slice(self.data.text, entry.value)))
    }

    /// The names of the APIs that were removed.
    pub fn removed_names() -> impl Iterator<Item = &'static str> {
        builtin::DATA.removed.iter().map(|entry| slice(builtin::DATA.text, entry.name))
    }

    /// The patterns of system tags that an API understands, such as `staticIp::{l3NetworkUuid}::{staticIp}`.
    pub fn api_tags(self, api: &str) -> Vec<&'static str> {
        self.tags(self.data.api_tags, api)
    }

    /// What is worth knowing of a parameter besides its type, for common APIs.
    pub fn note(self, api: &str, parameter: &str) -> Option<Note> {
        notes::of_parameter(api, parameter)
    }

    /// The patterns of system tags that a kind of resource understands, called as its inventory without `Inventory`;
    /// `any` are those of all kinds.
    pub fn resource_tags(self, kind: &str) -> Vec<&'static str> {
        self.tags(self.data.resource_tags, kind)
    }

    fn tags(self, entries: &'static [Entry], name: &str) -> Vec<&'static str> {
        self.find(entries, name).and_then(|entry| decode(slice(self.data.text, entry.value))).unwrap_or_default()
    }

    /// The API called `name`, or, where there is none, the one called so when case is ignored.
    pub fn api_ignoring_case(self, name: &str) -> Option<Api> {
        self.api(name).or_else(|| {
            let entry = self.data.apis.iter().find(|entry| self.name_of(entry).eq_ignore_ascii_case(name))?;
            self.decode(entry)
        })
    }

    /// The inventory called exactly `name`, such as `ZoneInventory`.
    pub fn inventory(self, name: &str) -> Option<Inventory> {
        let entry = self.find(self.data.inventories, name)?;
        let mut inventory: Inventory = decode(slice(self.data.text, entry.value))?;
        inventory.name = slice(self.data.text, entry.name);
        Some(inventory)
    }

    /// The inventories that may specialise `general`. To decode only those, entries whose text lacks parents or that
    /// name are skipped.
    pub(super) fn may_specialise(self, general: &str) -> impl Iterator<Item = Inventory> {
        let finder = |text: &str| memchr::memmem::Finder::new(text).into_owned();
        let (parents, name) = (finder("\"parents\""), finder(&format!("\"{general}\"")));
        let entries = self.data.inventories.iter().filter(move |entry| {
            let line = slice(self.data.text, entry.value).as_bytes();
            parents.find(line).is_some_and(|at| name.find(&line[at..]).is_some())
        });
        entries.filter_map(move |entry| self.inventory(slice(self.data.text, entry.name)))
    }

    /// The inventories whose description has that name in it. Only those are decoded.
    pub(super) fn mentioning(self, name: &str) -> impl Iterator<Item = Inventory> {
        let finder = memchr::memmem::Finder::new(&format!("\"{name}\"")).into_owned();
        let entries = self.data.inventories.iter();
        let entries = entries.filter(move |entry| finder.find(slice(self.data.text, entry.value).as_bytes()).is_some());
        entries.filter_map(move |entry| self.inventory(slice(self.data.text, entry.name)))
    }

    /// The names of all inventories, sorted.
    pub fn inventory_names(self) -> impl ExactSizeIterator<Item = &'static str> + Clone {
        self.data.inventories.iter().map(move |entry| slice(self.data.text, entry.name))
    }

    /// The members of the struct called exactly `name`.
    pub fn struct_fields(self, name: &str) -> Option<Vec<Field>> {
        self.find(self.data.structs, name).and_then(|entry| decode(slice(self.data.text, entry.value)))
    }

    /// The names of all structs, sorted.
    #[cfg(test)]
    pub(super) fn struct_names(self) -> impl ExactSizeIterator<Item = &'static str> + Clone {
        self.data.structs.iter().map(move |entry| slice(self.data.text, entry.name))
    }

    /// The values of the enum called exactly `name`.
    pub fn enum_values(self, name: &str) -> Option<Vec<&'static str>> {
        self.find(self.data.enums, name).and_then(|entry| decode(slice(self.data.text, entry.value)))
    }

    /// The names of all enums, sorted.
    #[cfg(test)]
    pub(super) fn enum_names(self) -> impl ExactSizeIterator<Item = &'static str> + Clone {
        self.data.enums.iter().map(move |entry| slice(self.data.text, entry.name))
    }

    /// The entry of an API or inventory as the data has it: JSON text.
    pub fn source_text(self, name: &str) -> Option<&'static str> {
        match self.api_name(name) {
            Some(known) => Some(slice(self.data.text, (known.entry.start, known.entry.len))),
            None => self.find(self.data.inventories, name).map(|entry| slice(self.data.text, entry.value)),
        }
    }

    fn find(self, entries: &'static [Entry], name: &str) -> Option<&'static Entry> {
        let at = entries.binary_search_by(|entry| slice(self.data.text, entry.name).cmp(name)).ok()?;
        Some(&entries[at])
    }

    fn name_of(self, entry: &'static ApiEntry) -> &'static str {
        ApiName { data: self.data, entry }.as_str()
    }

    /// An API with the request that a node of this version takes.
    fn decode(self, entry: &'static ApiEntry) -> Option<Api> {
        let mut api: Api = decode(slice(self.data.text, (entry.start, entry.len)))?;
        if !std::iter::once(&api.path).chain(&api.optional_paths).all(|path| path.starts_with('/')) {
            return None;
        }
        if let Some(was) = api.was.iter().find(|was| self.index_of(was.until) >= self.at) {
            api.method = was.method.unwrap_or(api.method);
            api.path = was.path.unwrap_or(api.path);
            api.body = was.body.unwrap_or(api.body);
        }
        for (name, text) in TAGS {
            if !api.is_query && api.parameter(name).is_none() {
                api.parameters.extend(decode::<Parameter>(text));
            }
        }
        Some(api)
    }
}

/// The parameters of every call except queries (P8), which the data lacks for APIs known from the manual only.
const TAGS: [(&str, &str); 2] = [
    ("systemTags", r#"{"name":"systemTags","type":"list<string>"}"#),
    ("userTags", r#"{"name":"userTags","type":"list<string>"}"#),
];

/// Decodes one entry. Those that are compiled in all decode: a test checks that for every version. One of an imported
/// file may have been damaged since, and counts as none then.
fn decode<T: serde::Deserialize<'static>>(text: &'static str) -> Option<T> {
    serde_json::from_str(text).ok()
}

/// The index entry of an API: name, verb, path and flags, without its parameters.
#[derive(Clone, Copy)]
pub struct ApiName {
    data: &'static Data,
    entry: &'static ApiEntry,
}

impl ApiName {
    /// The name that the user types.
    pub fn as_str(self) -> &'static str {
        self.part(self.entry.name)
    }

    /// The path below `/zstack/v1`, with its variables.
    pub fn path(self) -> &'static str {
        self.part(self.entry.path)
    }

    /// The REST verb.
    pub fn method(self) -> Method {
        match self.entry.flags & 0xff {
            0 => Method::Get,
            1 => Method::Post,
            2 => Method::Put,
            _ => Method::Delete,
        }
    }

    /// Whether it is a query.
    pub fn is_query(self) -> bool {
        self.entry.flags & FLAG_QUERY != 0
    }

    /// Whether the call needs a session.
    pub fn needs_session(self) -> bool {
        self.entry.flags & FLAG_SESSION != 0
    }

    /// Whether the node may answer with a job.
    pub fn is_async(self) -> bool {
        self.entry.flags & FLAG_ASYNC != 0
    }

    /// Whether it is deprecated.
    pub fn is_deprecated(self) -> bool {
        self.entry.flags & FLAG_DEPRECATED != 0
    }

    /// Whether its request was different in older versions.
    pub fn has_changed(self) -> bool {
        self.entry.flags & FLAG_CHANGED != 0
    }

    /// Whether a node that does not have it runs another API in its place (R1).
    pub fn is_mistakable(self) -> bool {
        self.entry.flags & FLAG_MISTAKABLE != 0
    }

    /// Whether nodes have it without listing it among the APIs that they offer (R2).
    pub fn is_unlisted(self) -> bool {
        self.entry.flags & FLAG_UNLISTED != 0
    }

    /// The first version that has it, where that is not the oldest known.
    pub fn since(self) -> Option<&'static str> {
        let at = usize::from(self.entry.since);
        self.data.versions.get(at).copied().filter(|_| at > 0)
    }

    fn part(self, (start, len): (u16, u16)) -> &'static str {
        slice(self.data.text, (self.entry.start + u32::from(start), u32::from(len)))
    }
}

impl std::fmt::Debug for ApiName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq for ApiName {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for ApiName {}

impl PartialOrd for ApiName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ApiName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}
