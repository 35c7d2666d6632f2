//! Which APIs a node has.

use std::fmt;
use std::str::FromStr;

use crate::catalog::{Api, Catalog};
use crate::named::named;

named! {
    /// What was built into a node.
    #[derive(Default)]
    pub enum Edition {
        /// Everything, the premium modules too
        #[default]
        Full = "full",
        /// The public sources alone, without the premium APIs
        Open = "open",
    }
}

/// Why an edition cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown edition `{0}`; there are {names}", names = Edition::NAMES.join(", "))]
pub struct EditionError(String);

impl FromStr for Edition {
    type Err = EditionError;

    fn from_str(text: &str) -> Result<Edition, EditionError> {
        Edition::from_name(text).ok_or_else(|| EditionError(text.to_owned()))
    }
}

impl fmt::Display for Edition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The ZStack version that the sandbox simulates.
#[derive(Clone, Debug)]
pub struct Version {
    text: String,
    catalog: Catalog,
}

/// Why a version cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a ZStack version such as {newest}", newest = Catalog::newest().version())]
pub struct VersionError(String);

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Version, VersionError> {
        let catalog = Catalog::of_version(text).ok_or_else(|| VersionError(text.to_owned()))?;
        Ok(Version { text: text.to_owned(), catalog })
    }
}

impl Version {
    /// The version as the node reports it.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// The catalog as that version has it.
    pub(super) fn catalog(&self) -> Catalog {
        self.catalog
    }
}

/// The part of the catalog that a node has. A call of an API that it lacks may run another API whose path matches (R1).
#[derive(Clone, Copy, Debug)]
pub(super) struct OfferedApis {
    /// The catalog of the node's version.
    pub(super) catalog: Catalog,
    pub(super) edition: Edition,
}

impl OfferedApis {
    /// An API as the node has it, without the parameters that newer ones take.
    pub(super) fn api(&self, name: &str) -> Option<Api> {
        let mut api = self.catalog.api(name)?;
        let is_built_in = match self.edition {
            Edition::Full => true,
            // APIs that are not public are marked in the catalog.
            Edition::Open => api.source == Some("open"),
        };
        if !is_built_in || self.catalog.lacks(api.since) {
            return None;
        }
        api.parameters.retain(|parameter| !self.catalog.lacks(parameter.since));
        Some(api)
    }

    /// The APIs that the node lists: a few that every node has are missing (R2).
    pub(super) fn listed(self) -> impl Iterator<Item = Api> {
        let names = self.catalog.api_names().filter(|name| !name.is_unlisted());
        names.filter_map(move |name| self.api(name.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editions_are_read_and_written_alike() {
        for edition in Edition::ALL {
            let text = edition.name();
            assert_eq!((text.parse(), edition.to_string()), (Ok(edition), text.to_owned()));
        }
        let error = "closed".parse::<Edition>().expect_err("no edition").to_string();
        assert_eq!(error, "unknown edition `closed`; there are full, open");
    }
}
