//! What the interactive shell keeps of the node in use: names and uuids for Tab.

use std::sync::{Arc, Mutex};

use crate::shell::{LiveCache, LiveLimits};

use super::nearby::{self, Lookup};

/// What only the interactive shell has.
pub(crate) struct LivePrompt {
    pub(crate) live: Arc<LiveCache>,
    /// Who is asked for live values, where somebody may be.
    pub(super) lookup: Arc<Mutex<Option<Lookup>>>,
    /// The node and the account that live values are of.
    pub(super) live_of: Option<(String, Option<String>)>,
}

impl LivePrompt {
    /// One that knows nothing yet.
    pub(crate) fn new() -> LivePrompt {
        let lookup: Arc<Mutex<Option<Lookup>>> = Arc::default();
        let live = Arc::new(LiveCache::new(LiveLimits::default(), nearby::fetch(Arc::clone(&lookup))));
        LivePrompt { live, lookup, live_of: None }
    }
}
