//! Where candidates come from that neither the line nor the catalog holds.

use std::fs;
use std::path::Path;

use crate::catalog::{Catalog, Offers};

/// What completion may draw on.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// What nodes offer, as the version of the node at hand has it.
    pub catalog: Catalog,
    /// What the node at hand said that it offers.
    pub offers: Option<&'a Offers>,
    /// The resources that the node holds.
    pub live: &'a dyn LiveValues,
    /// The files that `@FILE` may name.
    pub files: &'a dyn Files,
    /// The names of the saved contexts.
    pub contexts: &'a [String],
}

impl std::fmt::Debug for Sources<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sources").field("catalog", &self.catalog).field("contexts", &self.contexts).finish()
    }
}

/// A resource that the node holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveValue {
    /// Its uuid.
    pub uuid: String,
    /// Its name; empty where it has none.
    pub name: String,
    /// What else tells it from others, such as its state and its address.
    pub about: String,
}

/// What is known of the node's resources of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Live {
    /// These, perhaps more than fit what was typed.
    Ready(Vec<LiveValue>),
    /// Some of them; the node holds more that may fit.
    Part(Vec<LiveValue>),
    /// The node has been asked and has not answered yet.
    Pending,
    /// The node cannot be asked: nobody is logged in, it does not answer, or the user does not want it.
    Unavailable,
}

/// Looks up resources that a value may name. It never takes longer than a prompt may wait.
pub trait LiveValues {
    /// The resources that `query_api` lists and whose name or uuid may fit `typed`.
    fn lookup(&self, query_api: &str, typed: &str) -> Live;

    /// The different values of a field among the rows that `query_api` lists, each as a name.
    fn values(&self, query_api: &str, field: &str) -> Live {
        let _ = (query_api, field);
        Live::Unavailable
    }

    /// Tab was pressed: what only completion needs to know of the node may be asked for from now on.
    fn wake(&self) {}
}

/// Knows no live values: where there is no node, or none should be asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLiveValues;

impl LiveValues for NoLiveValues {
    fn lookup(&self, _: &str, _: &str) -> Live {
        Live::Unavailable
    }
}

/// A file or folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// Its name in its folder.
    pub name: String,
    /// Whether it is a folder.
    pub is_folder: bool,
}

/// Lists folders.
pub trait Files {
    /// What a folder holds, in any order; the empty text is the current folder. Nothing where it cannot be read.
    fn list(&self, folder: &str) -> Vec<FileEntry>;
}

/// The most files offered from one folder: listing a huge one must not be felt.
const MOST_FILES: usize = 4096;

/// The files of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Files for Disk {
    fn list(&self, folder: &str) -> Vec<FileEntry> {
        let folder = if folder.is_empty() { Path::new(".") } else { Path::new(folder) };
        let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
        let named = entries.take(MOST_FILES).flatten().filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            // A link to a folder counts as one, so the link is followed.
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
