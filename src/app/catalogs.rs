//! Catalogs that were imported, and which catalog a version means.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::catalog::import::{self, ImportError, MAX_CATALOG, MAX_JAR};
use crate::catalog::{Catalog, version_numbers};
use crate::cli::Options;
use crate::commands;
use crate::config::{lock_folder, read_private, write_private};
use crate::error::Error;

use super::App;
use super::output::Output;

/// What was read of imported catalogs, by their versions; nothing inside where a file is damaged.
#[derive(Default)]
pub(super) struct Imports(HashMap<String, Option<Catalog>>);

impl App {
    /// The versions that were imported, those that were imported last before others.
    pub(super) fn imported_versions(&self) -> Vec<String> {
        let Ok(folder) = self.import_folder() else { return Vec::new() };
        let Ok(files) = fs::read_dir(folder) else { return Vec::new() };
        let mut found: Vec<(SystemTime, String)> = files
            .flatten()
            .filter_map(|file| {
                let name = file.file_name().into_string().ok()?;
                let version = name.strip_suffix(".json").filter(|version| import::is_version(version))?;
                Some((file.metadata().ok()?.modified().ok()?, version.to_owned()))
            })
            .collect();
        found.sort();
        found.into_iter().rev().map(|(_, version)| version).collect()
    }

    /// The catalog of a version: an imported one of that very version, or else the one of the last version up to it
    /// that is known. Nothing where the text is no version.
    pub(super) fn catalog_of(&mut self, version: &str, options: &Options) -> Option<Catalog> {
        let own = Catalog::of_version(version)?;
        let wanted = version_numbers(version);
        let imported = self.imported_versions();
        // Of several with the same number the one that was imported last counts.
        let closest = imported.iter().rev().map(|known| (version_numbers(known), known));
        let closest = closest.filter(|(numbers, _)| *numbers <= wanted).max_by(|a, b| a.0.cmp(&b.0));
        let own_numbers = version_numbers(own.version());
        let closest = closest.filter(|(numbers, _)| own_numbers > wanted || *numbers >= own_numbers);
        let chosen = imported.iter().find(|known| *known == version).or(closest.map(|(_, known)| known));
        Some(chosen.and_then(|chosen| self.imported(chosen, options)).unwrap_or(own))
    }

    /// The catalog where the version of the node is not known: the one that was imported last, or else the newest.
    pub(super) fn usual_catalog(&mut self, options: &Options) -> Catalog {
        let last = if options.sandbox { None } else { self.imported_versions().into_iter().next() };
        last.and_then(|version| self.imported(&version, options)).unwrap_or(Catalog::newest())
    }

    /// Has what is called `name` be known where an imported catalog has it and the one in use has not.
    pub(super) fn follow_name(&mut self, name: &str, options: &Options) {
        let knows = |catalog: Catalog| catalog.api_ignoring_case(name).is_some() || catalog.inventory(name).is_some();
        if knows(self.catalog) || options.sandbox {
            return;
        }
        let versions = self.imported_versions();
        let found = versions.iter().find_map(|version| self.imported(version, options).filter(|own| knows(*own)));
        self.catalog = found.unwrap_or(self.catalog);
    }

    fn imported(&mut self, version: &str, options: &Options) -> Option<Catalog> {
        if let Some(known) = self.imports.0.get(version) {
            return *known;
        }
        let path = self.import_path(version).ok()?;
        let read = || {
            let is_short = fs::metadata(&path).is_ok_and(|metadata| metadata.len() <= MAX_CATALOG);
            let bytes = if is_short { read_private(&path).map_err(|error| error.to_string())? } else { None };
            let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
            let catalog = text.and_then(|text| Catalog::with_imported(&text));
            catalog.ok_or_else(|| format!("{} is damaged; import it again", path.display()))
        };
        let read = read();
        if let Err(problem) = &read
            && !self.is_silent
        {
            self.say(options, &format!("warning: the imported catalog is left out: {problem}"));
        }
        self.imports.0.insert(version.to_owned(), read.as_ref().ok().copied());
        read.ok()
    }

    /// `catalog import`: reads an SDK and keeps its catalog.
    pub(super) fn import_catalog(
        &mut self,
        file: &Path,
        version: Option<&str>,
        options: &Options,
        out: &mut Output<'_>,
    ) -> Result<(), Error> {
        if let Some(version) = version.filter(|version| !import::is_version(version)) {
            return Err(commands::catalog::no_version(version));
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
        let imported = import::import(&jar, &name, version).map_err(refused)?;
        let path = self.import_path(&imported.version)?;
        let is_new = {
            let _lock = lock_folder(&self.import_folder()?)?;
            let is_new = !path.exists();
            write_private(&path, imported.text.as_bytes())?;
            is_new
        };
        // It is read as in every later run; what cannot be read so is said now.
        self.imports.0.remove(&imported.version);
        self.imported(&imported.version, options);
        for note in commands::catalog::notes_of_import(&imported) {
            self.say(options, &note);
        }
        let summary = commands::catalog::summary_of_import(&imported, &path, is_new);
        Ok(out.write_text(&summary)?)
    }

    fn import_folder(&self) -> Result<PathBuf, Error> {
        Ok(self.environment.folders()?.data.join("catalogs"))
    }

    /// The file of a version. The version has no separators, so that nothing lies elsewhere.
    fn import_path(&self, version: &str) -> Result<PathBuf, Error> {
        Ok(self.import_folder()?.join(format!("{version}.json")))
    }
}
