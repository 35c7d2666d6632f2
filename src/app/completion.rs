//! `complete LINE`: what Tab would offer, also for the command lines of other shells.

use std::cell::{OnceCell, RefCell};
use std::sync::{Arc, Mutex};

use crate::cli::Options;
use crate::error::Error;
use crate::shell::complete::{Disk, Live, LiveValues, Sources, complete_lines};
use crate::shell::{LiveCache, LiveLimits};

use super::interactive::line_options;
use super::output::Output;
use super::{App, nearby};

impl App {
    /// Prints what Tab would offer at the end of a line.
    pub(super) fn complete(&mut self, line: &str, out: &mut Output<'_>) -> Result<(), Error> {
        let contexts = self.context_names();
        let options = line_options(line, &self.options);
        self.follow_version(&options);
        let (catalog, offers) = (self.catalog, self.known_offers(&options));
        // What holds for the line is what the program would be started with.
        self.options = options.clone();
        self.is_silent = true;
        let live = LiveAtNeed { app: RefCell::new(self), options, cache: OnceCell::new() };
        let sources = Sources { catalog, offers: offers.as_deref(), live: &live, files: &Disk, contexts: &contexts };
        let text = complete_lines(line, &sources);
        Ok(out.write_text(&text)?)
    }
}

/// Asks the node of a line for live values, which is made up only where one is wanted: most Tabs want none, and
/// they shall cost nothing.
struct LiveAtNeed<'a> {
    app: RefCell<&'a mut App>,
    options: Options,
    /// `None` where nobody is logged in.
    cache: OnceCell<Option<LiveCache>>,
}

impl LiveAtNeed<'_> {
    fn cache(&self) -> Option<&LiveCache> {
        let make = || {
            let mut app = self.app.borrow_mut();
            let catalog = app.catalog;
            let options = app.settle(&self.options).ok()?;
            // Nobody reads here what is said about a node.
            let node = app.node(&Options { quiet: true, verbose: false, ..options }).ok()?;
            if !node.client.has_credentials() {
                return None;
            }
            let mut client = node.client.fork();
            client.set_patience(nearby::PATIENCE);
            let fetch = nearby::fetch(catalog, Arc::new(Mutex::new(Some(client))));
            Some(LiveCache::new(LiveLimits::default(), fetch))
        };
        self.cache.get_or_init(make).as_ref()
    }
}

impl LiveValues for LiveAtNeed<'_> {
    fn lookup(&self, query_api: &str, typed: &str) -> Live {
        self.cache().map_or(Live::Unavailable, |cache| cache.lookup(query_api, typed))
    }
}
