//! Which catalog a version means, one that was imported or the program's own.

use std::path::PathBuf;

use crate::catalog::import::Imported;
use crate::catalog::{Catalog, version_numbers};
use crate::cli::Options;
use crate::error::Error;

use super::imports::ImportStore;
use super::settings::Settings;
use super::state::Session;

/// The versions that were imported, those that were imported last before others.
pub(crate) fn imported_versions(session: &Session) -> Vec<String> {
    store(session).map(|store| store.versions()).unwrap_or_default()
}

/// The catalog of a version: an imported one of that very version, or else the one of the last version up to it
/// that is known. Nothing where the text is no version.
pub(crate) fn of_version(session: &mut Session, version: &str, settings: Option<&Settings>) -> Option<Catalog> {
    let own = Catalog::of_version(version)?;
    let wanted = version_numbers(version);
    let versions = imported_versions(session);
    // Of several with the same number the one that was imported last counts.
    let closest = versions.iter().rev().map(|known| (version_numbers(known), known));
    let closest = closest.filter(|(numbers, _)| *numbers <= wanted).max_by(|a, b| a.0.cmp(&b.0));
    let own_numbers = version_numbers(own.version());
    let closest = closest.filter(|(numbers, _)| own_numbers > wanted || *numbers >= own_numbers);
    let chosen = versions.iter().find(|known| *known == version).or(closest.map(|(_, known)| known));
    Some(chosen.and_then(|chosen| imported(session, chosen, settings)).unwrap_or(own))
}

/// The catalog where the version of the node is not known: the one that was imported last, or else the newest.
pub(super) fn usual(session: &mut Session, settings: Option<&Settings>) -> Catalog {
    let last = if is_for_sandbox(settings) { None } else { imported_versions(session).into_iter().next() };
    last.and_then(|version| imported(session, &version, settings)).unwrap_or(Catalog::newest())
}

/// Has what is called `name` be known where an imported catalog has it and the one in use has not.
pub(crate) fn follow_name(session: &mut Session, name: &str, settings: Option<&Settings>) {
    let knows = |catalog: Catalog| catalog.api_ignoring_case(name).is_some() || catalog.inventory(name).is_some();
    if knows(session.catalog) || is_for_sandbox(settings) {
        return;
    }
    let versions = imported_versions(session);
    let found = versions.iter().find_map(|version| imported(session, version, settings).filter(|own| knows(*own)));
    session.catalog = found.unwrap_or(session.catalog);
}

/// Keeps a catalog. Where it lies now, and whether there was none of its version before.
pub(crate) fn keep(session: &mut Session, catalog: &Imported, settings: &Settings) -> Result<(PathBuf, bool), Error> {
    let kept = store(session)?.save(&catalog.version, &catalog.text)?;
    // It is read as in every later run; what cannot be read so is said now.
    session.imports.remove(&catalog.version);
    imported(session, &catalog.version, Some(settings));
    Ok(kept)
}

fn imported(session: &mut Session, version: &str, settings: Option<&Settings>) -> Option<Catalog> {
    if let Some(known) = session.imports.get(version) {
        return *known;
    }
    let read = store(session).ok()?.load(version);
    if let Err(problem) = &read {
        let text = format!("the imported catalog is left out: {problem}");
        match settings {
            Some(settings) => settings.ui.warn(&text),
            None => session.settle_without_contexts(&Options::default()).ui.warn(&text),
        }
    }
    let read = read.ok();
    session.imports.insert(version.to_owned(), read);
    read
}

fn is_for_sandbox(settings: Option<&Settings>) -> bool {
    settings.is_some_and(|settings| settings.target.is_sandbox())
}

/// The store of imported catalogs.
pub(crate) fn store(session: &Session) -> Result<ImportStore, Error> {
    Ok(ImportStore::new(session.environment.folders()?))
}
