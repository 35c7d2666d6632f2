//! Which APIs a node has.

use std::fmt;
use std::str::FromStr;

use super::store::facts;
use crate::catalog::{Api, Catalog};

/// What was built into a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Edition {
    /// Everything, the premium modules too.
    #[default]
    Full,
    /// The public sources alone.
    Open,
}

const EDITIONS: [(&str, Edition); 2] = [("full", Edition::Full), ("open", Edition::Open)];

/// Why an edition cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown edition `{0}`; there are full, open")]
pub struct EditionError(String);

impl FromStr for Edition {
    type Err = EditionError;

    fn from_str(text: &str) -> Result<Edition, EditionError> {
        let found = EDITIONS.iter().find(|(name, _)| *name == text).map(|(_, edition)| *edition);
        found.ok_or_else(|| EditionError(text.to_owned()))
    }
}

impl fmt::Display for Edition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EDITIONS.iter().find(|(_, edition)| edition == self).map_or("", |(name, _)| name))
    }
}

/// What a node offers of the catalog. What it lacks it does not merely refuse: the call runs whatever API has a
/// path that fits (R1).
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer {
    pub(super) catalog: Catalog,
    pub(super) edition: Edition,
}

impl Offer {
    /// Whether the node has an API.
    pub(super) fn has(&self, api: &Api) -> bool {
        match self.edition {
            Edition::Full => true,
            // The client side alone is known of what is not public.
            Edition::Open => api.source == Some("open"),
        }
    }

    /// The names that the node lists as offered: a few that every node has are left out (R2).
    pub(super) fn listed(&self) -> impl Iterator<Item = &'static str> {
        let offer = *self;
        let names = self.catalog.api_names().map(|name| name.as_str());
        names.filter(move |name| {
            !facts().unlisted.contains(name)
                && (offer.edition == Edition::Full || offer.catalog.api(name).is_some_and(|api| offer.has(&api)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editions_are_read_and_written_alike() {
        for (text, edition) in EDITIONS {
            assert_eq!((text.parse(), edition.to_string()), (Ok(edition), text.to_owned()));
        }
        let error = "closed".parse::<Edition>().expect_err("no edition").to_string();
        assert_eq!(error, "unknown edition `closed`; there are full, open");
    }

    #[test]
    fn what_every_node_has_is_in_the_catalog() {
        for name in &facts().unlisted {
            assert!(Catalog::newest().api(name).is_some(), "{name}");
        }
    }
}
