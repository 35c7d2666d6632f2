//! Catalogs that were imported, as files and as far as they were read.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::catalog::Catalog;
use crate::catalog::import::{MAX_CATALOG, is_version};
use crate::config::{Error, Folders, lock_folder, read_private, write_private};

/// What was read of imported catalogs, by their versions; nothing inside where a file is damaged.
pub(super) type Imports = HashMap<String, Option<Catalog>>;

/// Where they are kept: a file for each version.
pub(crate) struct ImportStore {
    folder: PathBuf,
}

impl ImportStore {
    /// The store of the data directory.
    pub(super) fn new(folders: &Folders) -> ImportStore {
        ImportStore { folder: folders.data.join("catalogs") }
    }

    /// The versions that were imported, those that were imported last before others.
    pub(crate) fn versions(&self) -> Vec<String> {
        let Ok(files) = fs::read_dir(&self.folder) else { return Vec::new() };
        let mut found: Vec<(SystemTime, String)> = files
            .flatten()
            .filter_map(|file| {
                let name = file.file_name().into_string().ok()?;
                let version = name.strip_suffix(".json").filter(|version| is_version(version))?;
                Some((file.metadata().ok()?.modified().ok()?, version.to_owned()))
            })
            .collect();
        found.sort();
        found.into_iter().rev().map(|(_, version)| version).collect()
    }

    /// The catalog of a version, or what is wrong with its file.
    pub(super) fn load(&self, version: &str) -> Result<Catalog, String> {
        let path = self.path(version);
        let is_short = fs::metadata(&path).is_ok_and(|metadata| metadata.len() <= MAX_CATALOG);
        let bytes = if is_short { read_private(&path).map_err(|error| error.to_string())? } else { None };
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        let catalog = text.and_then(|text| Catalog::with_imported(&text));
        catalog.ok_or_else(|| format!("{} is damaged; import it again", path.display()))
    }

    /// Keeps the catalog of a version. Where it lies now, and whether there was none before.
    ///
    /// # Errors
    /// When the file cannot be written, or others can enter its directory.
    pub(super) fn save(&self, version: &str, catalog: &str) -> Result<(PathBuf, bool), Error> {
        let _lock = lock_folder(&self.folder)?;
        let path = self.path(version);
        let is_new = !path.exists();
        write_private(&path, catalog.as_bytes())?;
        Ok((path, is_new))
    }

    /// The file of a version. The version has no separators, so that nothing lies elsewhere.
    fn path(&self, version: &str) -> PathBuf {
        self.folder.join(format!("{version}.json"))
    }
}
