//! `complete LINE`: prints the candidates of Tab, also for the completion of other shells.

use std::cell::{OnceCell, RefCell};
use std::sync::{Arc, Mutex};

use crate::calls::KeptHere;
use crate::error::Error;
use crate::language::Language;
use crate::session::{Invocation, Line, Session, Settings, fetch, lookup, nodes, offers};
use crate::shell::complete::{Disk, Fitting, Live, LiveValues, Sources, complete_lines};
use crate::shell::{Flow, LiveCache, LiveLimits};
use crate::syntax::commands;

/// Prints the candidates at the end of a line.
pub(super) fn run(cx: &mut Invocation<'_>, line: &str) -> Result<Flow, Error> {
    let (contexts, defined) = (cx.session.context_names(), cx.session.defined());
    // What holds for the line is what the program would be started with. Nobody reads here what is said.
    let last = commands(line).pop().unwrap_or_default();
    cx.session.base = cx.session.base.with(&Line::parse(&line[last]).options);
    let held = &mut cx.session.base;
    held.silent = true;
    (held.options.quiet, held.options.verbose) = (true, false);
    let settings = cx.session.settle(&Default::default()).ok();
    offers::follow_version(cx.session, settings.as_ref());
    let offers = settings.as_ref().and_then(|settings| offers::known(cx.session, &settings.target));
    let catalog = cx.session.catalog;
    let kept = KeptHere::new(cx.session);
    let live = LiveAtNeed { session: RefCell::new(cx.session), settings, cache: OnceCell::new() };
    let (offers, contexts, defined) = (offers.as_deref(), &contexts, &defined);
    // Other programs read what is printed, so it is the same in every locale.
    let language = Language::English;
    let sources = Sources { catalog, offers, live: &live, files: &Disk, contexts, kept: &kept, defined, language };
    let text = complete_lines(line, &sources);
    cx.out.write_text(&text)?;
    Ok(Flow::Continue)
}

/// Asks the node of a line for live values. The look-up is created on first use, since most completions do not need it.
struct LiveAtNeed<'a> {
    session: RefCell<&'a mut Session>,
    /// The settings; without them there is no node to ask.
    settings: Option<Settings>,
    /// `None` if nobody is logged in.
    cache: OnceCell<Option<LiveCache>>,
}

impl LiveAtNeed<'_> {
    fn cache(&self) -> Option<&LiveCache> {
        let make = || {
            let settings = self.settings.as_ref()?;
            let session = &mut **self.session.borrow_mut();
            if !nodes::node(session, settings).ok()?.client.has_credentials() {
                return None;
            }
            let lookup = lookup(session, settings).ok()?;
            let fetch = fetch(Arc::new(Mutex::new(Some(lookup))));
            Some(LiveCache::new(LiveLimits::default(), fetch))
        };
        self.cache.get_or_init(make).as_ref()
    }
}

impl LiveValues for LiveAtNeed<'_> {
    fn lookup(&self, query_api: &str, typed: &str) -> Live {
        self.cache().map_or(Live::Unavailable, |cache| cache.lookup(query_api, typed))
    }

    fn fitting(&self, query_api: &str, fitting: &Fitting, typed: &str) -> Live {
        self.cache().map_or(Live::Unavailable, |cache| cache.fitting(query_api, fitting, typed))
    }

    fn metrics(&self, inventory: &str) -> Live {
        self.cache().map_or(Live::Unavailable, |cache| cache.metrics(inventory))
    }

    fn values(&self, query_api: &str, field: &str) -> Live {
        self.cache().map_or(Live::Unavailable, |cache| cache.values(query_api, field))
    }
}
