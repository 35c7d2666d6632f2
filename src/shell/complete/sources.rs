//! Sources of candidates other than the line and the catalog.

use std::fs;
use std::path::Path;

use crate::catalog::{Catalog, Offers};
use crate::language::Language;
use crate::syntax::Operator;

/// The data that completion uses.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// The APIs, as of the version of the current node.
    pub catalog: Catalog,
    /// What the current node said that it offers.
    pub offers: Option<&'a Offers>,
    /// The resources of the node.
    pub live: &'a dyn LiveValues,
    /// The files that `@FILE` may name.
    pub files: &'a dyn Files,
    /// The names of the saved contexts.
    pub contexts: &'a [String],
    /// What else this machine keeps.
    pub kept: &'a dyn Kept,
    /// The language of descriptions.
    pub language: Language,
    /// What the user defined.
    pub defined: &'a Defined,
}

/// The names that the user defined.
#[derive(Clone, Debug, Default)]
pub struct Defined {
    /// The variables.
    pub variables: Vec<String>,
    /// The aliases, each with its line.
    pub aliases: Vec<(String, String)>,
}

impl Defined {
    /// No names.
    pub fn nothing() -> &'static Defined {
        static NOTHING: Defined = Defined { variables: Vec::new(), aliases: Vec::new() };
        &NOTHING
    }
}

impl Sources<'static> {
    /// The catalog and the files of this machine alone.
    pub fn of_catalog(catalog: Catalog) -> Sources<'static> {
        Sources {
            catalog,
            offers: None,
            live: &NoLiveValues,
            files: &Disk,
            contexts: &[],
            kept: &NothingKept,
            language: Language::English,
            defined: Defined::nothing(),
        }
    }
}

impl std::fmt::Debug for Sources<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sources").field("catalog", &self.catalog).field("contexts", &self.contexts).finish()
    }
}

/// A resource of the node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveValue {
    /// The uuid; empty for values that are not resources.
    pub uuid: String,
    /// The name; empty where the resource has none.
    pub name: String,
    /// What distinguishes it from others, such as its state and its address.
    pub about: String,
}

/// The answer to a look-up of the node's resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Live {
    /// All that match, perhaps with some that do not.
    Ready(Vec<LiveValue>),
    /// Some of those that match; the node has more.
    Part(Vec<LiveValue>),
    /// The node has not answered yet.
    Pending,
    /// The node cannot be asked: nobody is logged in, it does not answer, or live values are switched off.
    Unavailable,
}

/// What narrows the resources down to those that fit a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Fitting {
    /// Those that meet all conditions: field, operator, value.
    Rows(Vec<(&'static str, Operator, Given)>),
    /// Those that another API lists.
    Listed {
        /// The API.
        api: &'static str,
        /// The member of its reply that has the list.
        member: &'static str,
        /// Its parameters with their values.
        arguments: Vec<(&'static str, Given)>,
    },
}

/// The value of an argument, which may be a name where a uuid belongs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Given {
    /// The value as typed.
    pub value: String,
    /// The query that lists the resources that it may name.
    pub query: Option<&'static str>,
}

/// Looks up resources that a value may refer to. It never blocks longer than a prompt may wait.
pub trait LiveValues {
    /// Returns the resources that `query_api` lists and whose name or uuid may match `typed`.
    fn lookup(&self, query_api: &str, typed: &str) -> Live;

    /// Returns the distinct values of a field among the rows that `query_api` lists, each as a name.
    fn values(&self, query_api: &str, field: &str) -> Live {
        let _ = (query_api, field);
        Live::Unavailable
    }

    /// Returns the metrics that the node has of the resources of an inventory, each as a name.
    fn metrics(&self, inventory: &str) -> Live {
        let _ = inventory;
        Live::Unavailable
    }

    /// As [`LiveValues::lookup`], without the resources that do not fit.
    fn fitting(&self, query_api: &str, fitting: &Fitting, typed: &str) -> Live {
        let _ = (query_api, fitting, typed);
        Live::Unavailable
    }

    /// Called when Tab is pressed: from now on the node may be asked for what only completion needs.
    fn wake(&self) {}
}

/// Has no live values: where there is no node, or where none should be asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLiveValues;

impl LiveValues for NoLiveValues {
    fn lookup(&self, _: &str, _: &str) -> Live {
        Live::Unavailable
    }
}

/// Lists what this machine keeps and arguments of own commands name. It is read when it is asked for, from files.
pub trait Kept {
    /// Returns the earlier results, the newest first: the number as the name, and what led to it.
    fn results(&self) -> Vec<LiveValue>;

    /// Returns the jobs of the journal, the newest first: uuid, API, state and age.
    fn jobs(&self) -> Vec<LiveValue>;

    /// Returns the ZStack versions whose catalogs were imported.
    fn imported_versions(&self) -> Vec<String>;
}

/// Nothing is kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct NothingKept;

impl Kept for NothingKept {
    fn results(&self) -> Vec<LiveValue> {
        Vec::new()
    }

    fn jobs(&self) -> Vec<LiveValue> {
        Vec::new()
    }

    fn imported_versions(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A file or folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// The name without the path of its folder.
    pub name: String,
    /// Whether it is a folder.
    pub is_folder: bool,
}

/// Lists the files of folders.
pub trait Files {
    /// Returns the files of a folder in any order; an empty path is the current folder. Returns nothing where the
    /// folder cannot be read.
    fn list(&self, folder: &str) -> Vec<FileEntry>;
}

/// The largest number of files offered from one folder, so that a huge one causes no delay.
const MOST_FILES: usize = 4096;

/// The files of the local machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Files for Disk {
    fn list(&self, folder: &str) -> Vec<FileEntry> {
        let folder = if folder.is_empty() { Path::new(".") } else { Path::new(folder) };
        let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
        let named = entries.take(MOST_FILES).flatten().filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            // A link to a folder counts as a folder, so the link is followed.
            let is_folder = match entry.file_type() {
                Ok(kind) if kind.is_symlink() => entry.path().is_dir(),
                Ok(kind) => kind.is_dir(),
                Err(_) => false,
            };
            Some(FileEntry { name, is_folder })
        });
        named.collect()
    }
}
