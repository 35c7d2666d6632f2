//! What nodes said of themselves when they were asked, kept for the next run.

use std::path::PathBuf;

use crate::catalog::Offers;
use crate::config::{Error, Folders, lock_folder, node_name, read_private, write_private};

/// Where that is kept: a file for each node, beside its session.
#[derive(Clone, Debug)]
pub(crate) struct OffersStore {
    folder: PathBuf,
}

impl OffersStore {
    /// The store of the state directory.
    pub(crate) fn new(folders: &Folders) -> OffersStore {
        OffersStore { folder: folders.state.join("nodes") }
    }

    /// What the node at a base URL said. A file that is damaged counts as none: the node can be asked again.
    pub(crate) fn load(&self, url: &str) -> Option<Offers> {
        let text = String::from_utf8(read_private(&self.path(url)).ok()??).ok()?;
        let mut lines = text.lines();
        let (known, version) = (lines.next()?, lines.next()?);
        let apis: Vec<String> = lines.map(str::to_owned).collect();
        let version = (!version.is_empty()).then(|| version.to_owned());
        (known == url).then(|| Offers::new(version, (!apis.is_empty()).then_some(apis)))
    }

    /// Keeps what the node at a base URL said.
    ///
    /// # Errors
    /// When the file cannot be written, or others can enter its directory.
    pub(crate) fn save(&self, url: &str, offers: &Offers) -> Result<(), Error> {
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
