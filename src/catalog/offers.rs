//! What one node says that it has: its version and its APIs.

use super::api::Api;
use super::index::{ApiName, Catalog};

/// What a node said of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offers {
    /// Its ZStack version, such as `5.2.1`.
    pub version: Option<String>,
    /// The names of the APIs that it offers, sorted; nothing where it did not say.
    pub apis: Option<Vec<String>>,
}

impl Offers {
    /// What a node's own words come to. What could be no name or version is left out: it is shown and kept.
    pub fn new(version: Option<String>, apis: Option<Vec<String>>) -> Offers {
        let is_plain = |text: &str| {
            (1..=100).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        };
        let mut apis = apis;
        if let Some(apis) = &mut apis {
            apis.retain(|name| is_plain(name));
            apis.sort();
        }
        // A list of nothing that is known tells as little as none.
        let apis = apis.filter(|apis| apis.iter().any(|name| Catalog::newest().api_name(name).is_some()));
        Offers { version: version.filter(|version| is_plain(version)), apis }
    }

    /// Whether the node does not have an API: it does not list it, or does not say what it has and is of an older
    /// version. Some are there without being listed (R2).
    pub fn lacks(&self, api: ApiName) -> bool {
        if api.is_unlisted() {
            return false;
        }
        match (&self.apis, &self.version) {
            (Some(apis), _) => apis.binary_search_by(|known| known.as_str().cmp(api.as_str())).is_err(),
            (None, Some(version)) => Catalog::of_version(version).is_some_and(|catalog| catalog.lacks(api.since())),
            (None, None) => false,
        }
    }

    /// Whether its version alone tells that the node has an API: it is a public one and older than the node. What came
    /// with that very version may have come with the next, as versions are known by their history only.
    pub(crate) fn has_by_version(&self, api: &Api) -> bool {
        let at = self.version.as_deref().and_then(Catalog::of_version);
        let is_older = |at: Catalog| !at.lacks(api.since) && api.since != Some(at.version());
        api.source == Some("open") && at.is_some_and(is_older)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_lacks_what_it_does_not_list() {
        let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
        let offers = Offers::new(Some("5.2.1".to_owned()), names(&["QueryZone", "CreateZone", "two\nlines", ""]));
        assert_eq!(offers.apis, names(&["CreateZone", "QueryZone"]));
        let lacks = |offers: &Offers, api: &str| offers.lacks(Catalog::newest().api_name(api).expect("it is an API"));
        assert!(!lacks(&offers, "QueryZone") && lacks(&offers, "QueryHost"));
        assert!(!lacks(&offers, "GetVersion"), "it is there without being listed");
        let silent = Offers::new(Some("bad version\u{1b}".to_owned()), None);
        assert_eq!(silent.version, None);
        assert!(!lacks(&silent, "QueryHost") && !lacks(&silent, "QueryBlockPrimaryStorage"));
        let old = Offers::new(Some("4.3.8".to_owned()), names(&["two\nlines", "junk"]));
        assert_eq!(old.apis, None);
        assert!(!lacks(&old, "QueryHost") && lacks(&old, "QueryBlockPrimaryStorage"));
    }
}
