//! The cache of the interactive shell: names and uuids for Tab.

use std::sync::{Arc, Mutex};

use crate::shell::{LiveCache, LiveLimits};

use super::nearby::{self, Lookup};

/// The state of the interactive shell.
pub(crate) struct LivePrompt {
    pub(crate) live: Arc<LiveCache>,
    /// The look-up for live values, if there is a node to ask.
    pub(super) lookup: Arc<Mutex<Option<Lookup>>>,
    /// The node and the account of the cached values.
    pub(super) live_of: Option<(String, Option<String>)>,
}

impl LivePrompt {
    /// An empty cache.
    pub(crate) fn new() -> LivePrompt {
        let lookup: Arc<Mutex<Option<Lookup>>> = Arc::default();
        let live = Arc::new(LiveCache::new(LiveLimits::default(), nearby::fetch(Arc::clone(&lookup))));
        LivePrompt { live, lookup, live_of: None }
    }
}
