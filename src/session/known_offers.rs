//! The versions and APIs of nodes, as they reported them in this run or, stored in files, in earlier ones.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::catalog::Offers;
use crate::config::{Error, Folders, lock_folder, node_name, read_private, write_private};

/// How long a node is not asked again: less than it takes to upgrade one.
const FRESH: Duration = Duration::from_secs(10);

/// The known nodes, by their base URLs.
#[derive(Default)]
pub(super) struct KnownOffers {
    pub(super) of: HashMap<String, Known>,
    /// Results of background requests that were not processed yet.
    pub(super) news: Arc<Mutex<Vec<(String, Offers)>>>,
}

pub(super) struct Known {
    /// What the node reported; `None` if it was never asked.
    pub(super) offers: Option<Arc<Offers>>,
    /// When this process asked it, if it did.
    pub(super) asked: Option<Instant>,
}

impl Known {
    /// Whether it need not be asked again now.
    pub(super) fn is_fresh(&self) -> bool {
        self.asked.is_some_and(|asked| asked.elapsed() < FRESH)
    }
}

/// The files, one for each node, beside its session.
#[derive(Clone, Debug)]
pub(super) struct OffersStore {
    folder: PathBuf,
}

impl OffersStore {
    /// The store of the state directory.
    pub(super) fn new(folders: &Folders) -> OffersStore {
        OffersStore { folder: folders.state.join("nodes") }
    }

    /// What the node at a base URL reported. A damaged file counts as missing: the node can be asked again.
    pub(super) fn load(&self, url: &str) -> Option<Offers> {
        let text = String::from_utf8(read_private(&self.path(url)).ok()??).ok()?;
        let mut lines = text.lines();
        let (known, version) = (lines.next()?, lines.next()?);
        let apis: Vec<String> = lines.map(str::to_owned).collect();
        let version = (!version.is_empty()).then(|| version.to_owned());
        (known == url).then(|| Offers::new(version, (!apis.is_empty()).then_some(apis)))
    }

    /// Stores what the node at a base URL reported.
    ///
    /// # Errors
    /// When the file cannot be written, or its directory is accessible to others.
    pub(super) fn save(&self, url: &str, offers: &Offers) -> Result<(), Error> {
        let _lock = lock_folder(&self.folder)?;
        let mut text = format!("{url}\n{}\n", offers.version.as_deref().unwrap_or_default());
        for api in offers.apis.iter().flatten() {
            text.push_str(api);
            text.push('\n');
        }
        write_private(&self.path(url), text.as_bytes())
    }

    fn path(&self, url: &str) -> PathBuf {
        self.folder.join(node_name(url))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_node_said_is_kept_for_its_address_alone() {
        let home = tempfile::tempdir().expect("a directory");
        let store = OffersStore::new(&Folders::under(home.path()));
        let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
        let said = Offers::new(Some("5.2.1".to_owned()), names(&["QueryZone", "CreateZone", "two\nlines", ""]));
        let (url, other) = ("http://a:8080/zstack", "http://b:8080/zstack");
        store.save(url, &said).expect("it can be written");
        assert_eq!(store.load(url), Some(said));
        assert_eq!(store.load(other), None);
        let silent = Offers::new(None, None);
        store.save(other, &silent).expect("it can be written");
        assert_eq!(store.load(other), Some(silent));
    }
}
