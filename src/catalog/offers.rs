//! What one node reports: its version and its APIs.

use super::api::Api;
use super::index::{ApiName, Catalog};

/// The version and APIs that a node reported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offers {
    /// Its ZStack version, such as `5.2.1`.
    pub version: Option<String>,
    /// The names of its APIs, sorted; `None` if it did not list them.
    pub apis: Option<Vec<String>>,
}

impl Offers {
    /// Checks a node's report. Texts that cannot be a name or version are dropped, since the rest is printed and
    /// stored.
    pub fn new(version: Option<String>, apis: Option<Vec<String>>) -> Offers {
        let is_plain = |text: &str| {
            (1..=100).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        };
        let mut apis = apis;
        if let Some(apis) = &mut apis {
            apis.retain(|name| is_plain(name));
            apis.sort();
        }
        // A list without any known API is treated as no list.
        let apis = apis.filter(|apis| apis.iter().any(|name| Catalog::newest().api_name(name).is_some()));
        Offers { version: version.filter(|version| is_plain(version)), apis }
    }

    /// Whether the node lacks an API: it does not list it, or it lists nothing and is older than the API. Some APIs
    /// exist without being listed (R2).
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

    /// Whether the version alone proves that the node has an API: it is public and older than the node. An API of the
    /// same version is not certain, since the version of an API is derived from source history.
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
