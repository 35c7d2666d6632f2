//! Which ZStack version a node has, and which APIs: what decides the form of requests, and whether one that another
//! API could be run for may be sent at all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::catalog::{Catalog, Offers};
use crate::cli::Options;
use crate::client::{self, Class, Client, Uncertainty};
use crate::error::Error;
use crate::json::Secrets;
use crate::plan::{self, Effect, Plan};
use crate::syntax::Command;

use super::bases::Turned;
use super::offers_store::OffersStore;
use super::{App, nearby};

/// How long a node that has said what it offers is not asked again: less than it takes to start one of another
/// version.
const FRESH: Duration = Duration::from_secs(10);

/// What is known of nodes, by their base URLs.
#[derive(Default)]
pub(super) struct KnownOffers {
    of: HashMap<String, Known>,
    /// What the background has found out since it was looked at last.
    news: Arc<Mutex<Vec<(String, Offers)>>>,
}

struct Known {
    /// What the node said; nothing where it was never asked.
    offers: Option<Arc<Offers>>,
    /// When it was asked, where this process did.
    asked: Option<Instant>,
}

impl Known {
    fn is_fresh(&self) -> bool {
        self.asked.is_some_and(|asked| asked.elapsed() < FRESH)
    }
}

impl App {
    /// Has requests, help and completion follow the version of the node that a line means, as far as it is known: the
    /// one that a context says, or else the one that the node said last.
    pub(super) fn follow_version(&mut self, options: &Options) {
        self.catalog =
            self.version_of_node(options).as_deref().and_then(Catalog::of_version).unwrap_or(Catalog::newest());
    }

    /// Has the request of an API follow the version of the node, unless it is the same for all versions: then what is
    /// known of the node is not read.
    pub(super) fn follow_version_for(&mut self, api: &str, options: &Options) {
        match Catalog::newest().api_name(api).filter(|api| !api.has_changed()) {
            Some(_) => self.catalog = Catalog::newest(),
            None => self.follow_version(options),
        }
    }

    fn version_of_node(&mut self, options: &Options) -> Option<String> {
        if let Some(chosen) = self.preferences(options).ok()?.catalog {
            return Some(chosen);
        }
        self.known_offers(options)?.version.clone()
    }

    /// What the node that a line means said of itself, in this run or an earlier one. Nothing is asked.
    pub(super) fn known_offers(&mut self, options: &Options) -> Option<Arc<Offers>> {
        self.take_news();
        let url = self.node_url(options).ok()?;
        if !self.offers.of.contains_key(&url) {
            let kept = if options.sandbox { None } else { self.offers_store().ok()?.load(&url) };
            self.offers.of.insert(url.clone(), Known { offers: kept.map(Arc::new), asked: None });
        }
        self.offers.of.get(&url)?.offers.clone()
    }

    /// What the node that a line means offers: its version is asked for, and its APIs where the version is another
    /// than before.
    ///
    /// # Errors
    /// When the node gives no answer at all.
    pub(super) fn ask_offers(&mut self, options: &Options) -> Result<Arc<Offers>, Error> {
        let known = self.known_offers(options);
        let url = self.node_url(options)?;
        if let Some(fresh) = self.offers.of.get(&url).filter(|known| known.is_fresh())
            && let Some(offers) = &fresh.offers
        {
            return Ok(Arc::clone(offers));
        }
        let _attended = self.attend_to_ends()?;
        let offers = match ask(&mut self.node(options)?.client, known.as_deref()) {
            // The node is called elsewhere from now on.
            Err(error) => match self.turn(&error, None, options)? {
                Turned::NotRun => return self.ask_offers(options),
                Turned::No | Turned::PerhapsRun => return Err(error.into()),
            },
            Ok(offers) => offers,
        };
        self.keep_offers(url, offers, options)
    }

    /// Asks a node anew, whatever is known of it.
    pub(super) fn ask_offers_anew(&mut self, options: &Options) -> Result<Arc<Offers>, Error> {
        let url = self.node_url(options)?;
        self.offers.of.insert(url, Known { offers: None, asked: None });
        self.ask_offers(options)
    }

    fn keep_offers(&mut self, url: String, offers: Offers, options: &Options) -> Result<Arc<Offers>, Error> {
        let old = self.known_offers(options);
        if !options.sandbox && old.as_deref() != Some(&offers) {
            // What cannot be kept is asked for again.
            let _ = self.offers_store()?.save(&url, &offers);
        }
        let offers = Arc::new(offers);
        self.offers.of.insert(url, Known { offers: Some(Arc::clone(&offers)), asked: Some(Instant::now()) });
        Ok(offers)
    }

    /// Has the next Tab ask a node in the background what it offers, for the prompts that follow.
    pub(super) fn ask_offers_at_tab(&mut self, options: &Options, mut client: Client) {
        let known = self.known_offers(options);
        let (Ok(url), Some(shell)) = (self.node_url(options), &self.shell) else { return };
        client.set_patience(nearby::PATIENCE);
        // The user types meanwhile.
        client.set_trace(None, Secrets::Masked, crate::secret::KnownSecrets::default());
        let news = Arc::clone(&self.offers.news);
        shell.live.at_next_tab(move || {
            let asked = move || {
                if let Ok(offers) = ask(&mut client, known.as_deref()) {
                    news.lock().unwrap_or_else(PoisonError::into_inner).push((url, offers));
                }
            };
            // Without another thread the marks in completion are missing, no more.
            let _ = thread::Builder::new().name("offers".to_owned()).spawn(asked);
        });
    }

    fn take_news(&mut self) {
        let news: Vec<_> = self.offers.news.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect();
        for (url, offers) in news {
            if let Ok(store) = self.offers_store()
                && !url.is_empty()
            {
                let _ = store.save(&url, &offers);
            }
            self.offers.of.insert(url, Known { offers: Some(Arc::new(offers)), asked: Some(Instant::now()) });
        }
    }

    /// Makes sure that the node runs the API that is sent and no other, and that the request has the form that its
    /// version takes. Most calls need neither, and ask the node nothing.
    pub(super) fn fit_to_node(&mut self, command: &Command, planned: Plan, options: &Options) -> Result<Plan, Error> {
        let (name, effect) = match &planned {
            Plan::Call(request) => (request.api, request.effect),
            Plan::Query(query) => (query.api, Effect::Query),
        };
        self.check_offered(name, effect, options)?;
        let has_changed = self.catalog.api_name(name).is_some_and(|api| api.has_changed());
        if options.dry_run || !has_changed || self.preferences(options)?.catalog.is_some() {
            return Ok(planned);
        }
        self.ask_offers(options)?;
        let before = self.catalog.version();
        self.follow_version(options);
        if self.catalog.version() == before { Ok(planned) } else { self.plan(command, options) }
    }

    /// Refuses a call that the node would take for another one, because it does not have this API (R1).
    pub(super) fn check_offered(&mut self, name: &'static str, effect: Effect, options: &Options) -> Result<(), Error> {
        let Some(api) = self.catalog.api_name(name).filter(|api| api.is_mistakable()) else { return Ok(()) };
        if options.dry_run || options.no_check {
            return Ok(());
        }
        let url = self.node_url(options)?;
        let is_news = !self.offers.of.get(&url).is_some_and(Known::is_fresh);
        let mut offers = self.ask_offers(options)?;
        if offers.lacks(api) && !is_news {
            // Nothing is refused for what was true a while ago.
            if let Some(known) = self.offers.of.get_mut(&url) {
                known.asked = None;
            }
            offers = self.ask_offers(options)?;
        }
        if offers.lacks(api) {
            let version = offers.version.clone();
            return Err(client::Error::NoSuchApi { api: name, version, failure: None }.into());
        }
        let is_known = offers.apis.is_some() || self.catalog.api(name).is_some_and(|api| offers.has_by_version(&api));
        match effect {
            _ if is_known => Ok(()),
            Effect::Action => Err(client::Error::MayBeAnother { api: name }.into()),
            // What a query runs instead finds nothing to change: its uuid is a word of the path.
            Effect::Query | Effect::Read => {
                let text = format!(
                    "warning: the node does not say whether it has {name}; one without it answers something else"
                );
                self.say(options, &text);
                Ok(())
            }
        }
    }

    /// Warns of what a command names that the node's version does not have: the node ignores such a parameter without
    /// a word (P6), and fails on such a field.
    pub(super) fn warn_of_newer(&mut self, command: &Command, options: &Options) {
        if plan::newer(command, Catalog::oldest()).is_empty() {
            return;
        }
        self.follow_version(options);
        for (name, since) in plan::newer(command, self.catalog) {
            let version = self.catalog.version();
            let text =
                format!("warning: the node (ZStack {version}) does not have {name}, which is new in ZStack {since}");
            self.say(options, &text);
        }
    }

    /// The error of a call in the words that say it best where the node does not have the API at all.
    pub(super) fn explain_failure(&mut self, api: &str, error: Error, options: &Options) -> Error {
        let is_answer = match &error {
            Error::Api(_) => true,
            Error::Client(error) => error.class() == Class::Failure || found_no_verb(error),
            _ => false,
        };
        let Some(decoded) = self.catalog.api_ignoring_case(api) else { return error };
        let Some(known) = self.catalog.api_name(decoded.name) else { return error };
        let is_everywhere = decoded.source == Some("open") && decoded.since.is_none();
        if !is_answer || is_everywhere || known.is_unlisted() {
            return error;
        }
        // What went wrong is told even where the node says no more.
        let Ok(offers) = self.ask_offers(options) else { return error };
        let is_missing = offers.lacks(known);
        match error {
            Error::Client(client::Error::NoSuchApi { api, failure, .. }) => {
                Error::Client(client::Error::NoSuchApi { api, version: offers.version.clone(), failure })
            }
            Error::Api(failure) if is_missing => {
                let version = offers.version.clone();
                Error::Client(client::Error::NoSuchApi { api: known.as_str(), version, failure: Some(failure) })
            }
            Error::Client(client::Error::Refused { .. } | client::Error::OutcomeUnknown { .. }) if is_missing => {
                let version = offers.version.clone();
                Error::Client(client::Error::NoSuchApi { api: known.as_str(), version, failure: None })
            }
            other => other,
        }
    }

    /// The base URL of the node that a line means; empty for the sandbox, whose address is another at every start.
    fn node_url(&mut self, options: &Options) -> Result<String, Error> {
        if options.sandbox {
            return Ok(String::new());
        }
        let address = self.selection(options)?.address;
        Ok(self.endpoint_of(&address)?.base().to_owned())
    }

    fn offers_store(&self) -> Result<OffersStore, Error> {
        Ok(OffersStore::new(self.environment.folders()?))
    }
}

/// Whether a node may have found no API of a verb at a path that has others (D2). It says so as if it had broken off.
fn found_no_verb(error: &client::Error) -> bool {
    matches!(
        error,
        client::Error::OutcomeUnknown { job: None, reason: Uncertainty::Broke { status: 500, text }, .. }
            if !text.is_empty()
    )
}

/// Asks a node for its version, and for its APIs unless it said them under the same version before.
fn ask(client: &mut Client, known: Option<&Offers>) -> Result<Offers, client::Error> {
    let version = Offers::new(client.node_version()?, None).version;
    let kept = known.filter(|known| version.is_some() && known.version == version).and_then(|known| known.apis.clone());
    let apis = match kept {
        Some(apis) => Some(apis),
        None => match client.offered_apis() {
            // What tells its version is a node, whatever it makes of the other question.
            Err(client::Error::NotTheNode { .. } | client::Error::Reply { .. } | client::Error::TooLong { .. })
                if version.is_some() =>
            {
                None
            }
            said => said?,
        },
    };
    Ok(Offers::new(version, apis))
}
