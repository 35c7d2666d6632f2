//! Looking entries up by name without decoding the others.

use std::cmp::Ordering;

use super::api::{Api, Method};
use super::builtin;
use super::inventory::{Field, Inventory};

/// One version of the catalog: its text and where each entry lies in it.
pub(super) struct Data {
    pub(super) version: &'static str,
    pub(super) text: &'static str,
    pub(super) apis: &'static [ApiEntry],
    pub(super) inventories: &'static [Entry],
    pub(super) structs: &'static [Entry],
    pub(super) enums: &'static [Entry],
}

/// Where an API's line lies. `name` and `path` are (offset in the line, length); all count bytes.
pub(super) struct ApiEntry {
    pub(super) start: u32,
    pub(super) len: u32,
    pub(super) name: (u16, u16),
    pub(super) path: (u16, u16),
    pub(super) flags: u16,
}

/// Where a keyed line lies: (offset in the text, length) of its name and of its value, in bytes.
pub(super) struct Entry {
    pub(super) name: (u32, u32),
    pub(super) value: (u32, u32),
}

const FLAG_QUERY: u16 = 1 << 8;
const FLAG_SESSION: u16 = 1 << 9;
const FLAG_ASYNC: u16 = 1 << 10;
const FLAG_DEPRECATED: u16 = 1 << 11;

fn slice(text: &'static str, (start, len): (u32, u32)) -> &'static str {
    &text[start as usize..(start + len) as usize]
}

/// What a node of one ZStack version offers.
#[derive(Clone, Copy)]
pub struct Catalog {
    data: &'static Data,
}

impl std::fmt::Debug for Catalog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Catalog").field("version", &self.data.version).finish_non_exhaustive()
    }
}

impl Catalog {
    /// The catalog of the newest ZStack version that the program carries.
    pub fn newest() -> Catalog {
        Catalog { data: &builtin::VERSIONS[0] }
    }

    /// The catalog of exactly that ZStack version, such as `5.2.1`.
    pub fn of_version(version: &str) -> Option<Catalog> {
        builtin::VERSIONS.iter().find(|data| data.version == version).map(|data| Catalog { data })
    }

    /// The ZStack versions that the program carries, newest first.
    pub fn versions() -> impl Iterator<Item = &'static str> {
        builtin::VERSIONS.iter().map(|data| data.version)
    }

    /// The ZStack version that this catalog describes.
    pub fn version(self) -> &'static str {
        self.data.version
    }

    /// All API names, sorted, with what is known of each without decoding it.
    pub fn api_names(self) -> impl ExactSizeIterator<Item = ApiName> + Clone {
        self.data.apis.iter().map(move |entry| ApiName { text: self.data.text, entry })
    }

    /// The API called exactly `name`.
    pub fn api(self, name: &str) -> Option<Api> {
        let at = self.data.apis.binary_search_by(|entry| self.api_name(entry).cmp(name)).ok()?;
        Some(self.decode(&self.data.apis[at]))
    }

    /// The API called `name`, or, where there is none, the one called so when case is ignored.
    pub fn api_ignoring_case(self, name: &str) -> Option<Api> {
        self.api(name).or_else(|| {
            let entry = self.data.apis.iter().find(|entry| self.api_name(entry).eq_ignore_ascii_case(name))?;
            Some(self.decode(entry))
        })
    }

    /// The inventory called exactly `name`, such as `ZoneInventory`.
    pub fn inventory(self, name: &str) -> Option<Inventory> {
        let entry = self.find(self.data.inventories, name)?;
        let mut inventory: Inventory = decode(slice(self.data.text, entry.value));
        inventory.name = slice(self.data.text, entry.name);
        Some(inventory)
    }

    /// The inventories that may specialise the one called `general`. They are few, and found in the text before
    /// any is decoded: one without parents, or that does not mention the name, is none of them.
    pub(super) fn may_specialise(self, general: &str) -> impl Iterator<Item = Inventory> {
        let finder = |text: &str| memchr::memmem::Finder::new(text).into_owned();
        let (parents, name) = (finder("\"parents\""), finder(&format!("\"{general}\"")));
        let entries = self.data.inventories.iter().filter(move |entry| {
            let line = slice(self.data.text, entry.value).as_bytes();
            parents.find(line).is_some_and(|at| name.find(&line[at..]).is_some())
        });
        entries.filter_map(move |entry| self.inventory(slice(self.data.text, entry.name)))
    }

    /// The names of all inventories, sorted.
    pub fn inventory_names(self) -> impl ExactSizeIterator<Item = &'static str> + Clone {
        self.data.inventories.iter().map(move |entry| slice(self.data.text, entry.name))
    }

    /// The members of the struct called exactly `name`.
    pub fn struct_fields(self, name: &str) -> Option<Vec<Field>> {
        self.find(self.data.structs, name).map(|entry| decode(slice(self.data.text, entry.value)))
    }

    /// The names of all structs, sorted.
    pub fn struct_names(self) -> impl ExactSizeIterator<Item = &'static str> + Clone {
        self.data.structs.iter().map(move |entry| slice(self.data.text, entry.name))
    }

    /// The values of the enum called exactly `name`.
    pub fn enum_values(self, name: &str) -> Option<Vec<&'static str>> {
        self.find(self.data.enums, name).map(|entry| decode(slice(self.data.text, entry.value)))
    }

    /// The names of all enums, sorted.
    pub fn enum_names(self) -> impl ExactSizeIterator<Item = &'static str> + Clone {
        self.data.enums.iter().map(move |entry| slice(self.data.text, entry.name))
    }

    /// The entry of an API or inventory as the data file has it: JSON text.
    pub fn source_text(self, name: &str) -> Option<&'static str> {
        let api = self.data.apis.binary_search_by(|entry| self.api_name(entry).cmp(name)).ok();
        match api {
            Some(at) => {
                let entry = &self.data.apis[at];
                Some(slice(self.data.text, (entry.start, entry.len)))
            }
            None => self.find(self.data.inventories, name).map(|entry| slice(self.data.text, entry.value)),
        }
    }

    fn find(self, entries: &'static [Entry], name: &str) -> Option<&'static Entry> {
        let at = entries.binary_search_by(|entry| slice(self.data.text, entry.name).cmp(name)).ok()?;
        Some(&entries[at])
    }

    fn api_name(self, entry: &'static ApiEntry) -> &'static str {
        ApiName { text: self.data.text, entry }.as_str()
    }

    fn decode(self, entry: &'static ApiEntry) -> Api {
        decode(slice(self.data.text, (entry.start, entry.len)))
    }
}

/// Decodes one entry. The text is part of the program, and a test decodes every entry of every version, so
/// a failure here is a defect of the build and not a state that a user can reach.
fn decode<T: serde::Deserialize<'static>>(text: &'static str) -> T {
    match serde_json::from_str(text) {
        Ok(value) => value,
        Err(error) => unreachable!("a catalog entry does not decode: {error}"),
    }
}

/// An API as the index knows it: name, verb, path and flags, without its parameters.
#[derive(Clone, Copy)]
pub struct ApiName {
    text: &'static str,
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

    /// Whether the platform advises against it.
    pub fn is_deprecated(self) -> bool {
        self.entry.flags & FLAG_DEPRECATED != 0
    }

    fn part(self, (start, len): (u16, u16)) -> &'static str {
        slice(self.text, (self.entry.start + u32::from(start), u32::from(len)))
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
