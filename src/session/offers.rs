//! The ZStack version and the APIs of a node. They determine the form of requests, and whether a request is refused
//! because the node would run another API.

use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::Instant;

use crate::catalog::{Api, Catalog, Offers};
use crate::client::{self, Class, Client, Uncertainty};
use crate::error::Error;
use crate::plan::Effect;
use crate::secret::{KnownSecrets, Secrets};

use super::catalogs;
use super::known_offers::{Known, OffersStore};
use super::nodes::{PATIENCE, node};
use super::settings::{Settings, Target};
use super::state::Session;
use super::turn::{Turned, turn};

/// Adapts requests, help and completion to the version of the node of a line, if it is known: that of the context, or
/// else the one that the node reported last.
pub(crate) fn follow_version(session: &mut Session, settings: Option<&Settings>) {
    let version = settings.and_then(|settings| version_of_node(session, settings));
    let of_node = version.and_then(|version| catalogs::of_version(session, &version, settings));
    session.catalog = of_node.unwrap_or_else(|| catalogs::usual(session, settings));
}

/// Has the request of an API follow the version of the node, unless it is the same for all versions and none was
/// imported: then what is known of the node is not read.
pub(crate) fn follow_version_for(session: &mut Session, api: &str, settings: Option<&Settings>) {
    match Catalog::newest().api_name(api).filter(|api| !api.has_changed()) {
        Some(_) if catalogs::imported_versions(session).is_empty() => session.catalog = Catalog::newest(),
        _ => {
            follow_version(session, settings);
            catalogs::follow_name(session, api, settings);
        }
    }
}

fn version_of_node(session: &mut Session, settings: &Settings) -> Option<String> {
    match &settings.preferences.catalog {
        Some(chosen) => Some(chosen.clone()),
        None => known(session, &settings.target)?.version.clone(),
    }
}

/// What a node reported in this run or an earlier one. The node is not asked.
pub(crate) fn known(session: &mut Session, target: &Target) -> Option<Arc<Offers>> {
    take_news(session);
    let url = key(session, target).ok()?;
    if !session.offers.of.contains_key(&url) {
        let kept = if target.is_sandbox() { None } else { store(session).ok()?.load(&url) };
        session.offers.of.insert(url.clone(), Known { offers: kept.map(Arc::new), asked: None });
    }
    session.offers.of.get(&url)?.offers.clone()
}

/// What the node of a line has: asks it for its version, and for its APIs if the version has changed.
///
/// # Errors
/// When the node gives no answer at all.
fn asked(session: &mut Session, settings: &Settings) -> Result<Arc<Offers>, Error> {
    let known = known(session, &settings.target);
    let url = key(session, &settings.target)?;
    if let Some(fresh) = session.offers.of.get(&url).filter(|known| known.is_fresh())
        && let Some(offers) = &fresh.offers
    {
        return Ok(Arc::clone(offers));
    }
    let _attended = session.attend_to_ends()?;
    let offers = match ask(&mut node(session, settings)?.client, known.as_deref()) {
        // The base of the node has changed.
        Err(error) => match turn(session, settings, &error, None)? {
            Turned::NotRun => return asked(session, settings),
            Turned::No | Turned::PerhapsRun => return Err(error.into()),
        },
        Ok(offers) => offers,
    };
    keep(session, url, offers, &settings.target)
}

/// Asks a node, even if the answer is known.
pub(crate) fn asked_anew(session: &mut Session, settings: &Settings) -> Result<Arc<Offers>, Error> {
    let url = key(session, &settings.target)?;
    session.offers.of.insert(url, Known { offers: None, asked: None });
    asked(session, settings)
}

fn keep(session: &mut Session, url: String, offers: Offers, target: &Target) -> Result<Arc<Offers>, Error> {
    let old = known(session, target);
    if !target.is_sandbox() && old.as_deref() != Some(&offers) {
        // If it cannot be stored, the node is asked again next time.
        let _ = store(session)?.save(&url, &offers);
    }
    let offers = Arc::new(offers);
    let known = Known { offers: Some(Arc::clone(&offers)), asked: Some(Instant::now()) };
    session.offers.of.insert(url, known);
    Ok(offers)
}

/// Asks a node in the background what it has, for the next prompts.
pub(crate) fn ask_at_tab(session: &mut Session, target: &Target, mut client: Client) {
    let known = known(session, target);
    let (Ok(url), Some(prompt)) = (key(session, target), &session.prompt) else { return };
    client.set_patience(PATIENCE);
    // The user types meanwhile.
    client.set_trace(None, Secrets::Masked, KnownSecrets::default());
    let news = Arc::clone(&session.offers.news);
    prompt.live.at_next_tab(move || {
        let asked = move || {
            if let Ok(offers) = ask(&mut client, known.as_deref()) {
                news.lock().unwrap_or_else(PoisonError::into_inner).push((url, offers));
            }
        };
        // Without a thread only the marks in completion are missing.
        let _ = thread::Builder::new().name("offers".to_owned()).spawn(asked);
    });
}

fn take_news(session: &mut Session) {
    let news: Vec<_> = session.offers.news.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect();
    for (url, offers) in news {
        if let Ok(store) = store(session)
            && !url.is_empty()
        {
            let _ = store.save(&url, &offers);
        }
        let known = Known { offers: Some(Arc::new(offers)), asked: Some(Instant::now()) };
        session.offers.of.insert(url, known);
    }
}

/// Adapts the request to the node's version. Most requests are the same for all versions, and the node is not asked.
/// Returns whether the catalog has changed.
pub(crate) fn fit_catalog(session: &mut Session, settings: &Settings, api: &str) -> Result<bool, Error> {
    let has_changed = session.catalog.api_name(api).is_some_and(|api| api.has_changed());
    if settings.call.dry_run || !has_changed || settings.preferences.catalog.is_some() {
        return Ok(false);
    }
    asked(session, settings)?;
    let before = session.catalog.version();
    follow_version(session, Some(settings));
    Ok(session.catalog.version() != before)
}

/// Refuses a call if the node does not have its API and would run another one (R1).
pub(crate) fn check(
    session: &mut Session,
    settings: &Settings,
    name: &'static str,
    effect: Effect,
) -> Result<(), Error> {
    let Some(api) = session.catalog.api_name(name).filter(|api| api.is_mistakable()) else { return Ok(()) };
    if settings.call.dry_run || settings.call.no_check {
        return Ok(());
    }
    let url = key(session, &settings.target)?;
    let is_news = !session.offers.of.get(&url).is_some_and(Known::is_fresh);
    let mut offers = asked(session, settings)?;
    if offers.lacks(api) && !is_news {
        // Calls are not refused because of outdated information.
        if let Some(known) = session.offers.of.get_mut(&url) {
            known.asked = None;
        }
        offers = asked(session, settings)?;
    }
    if offers.lacks(api) {
        let version = offers.version.clone();
        return Err(client::Error::NoSuchApi { api: name, version, failure: None }.into());
    }
    let is_known = offers.apis.is_some() || session.catalog.api(name).is_some_and(|api| offers.has_by_version(&api));
    match effect {
        _ if is_known => Ok(()),
        Effect::Action => Err(client::Error::MayBeAnother { api: name }.into()),
        // An API that runs instead of a query changes nothing: it takes a part of the path for its uuid.
        Effect::Query | Effect::Read => {
            settings
                .ui
                .warn(&format!("the node does not say whether it has {name}; one without it answers something else"));
            Ok(())
        }
    }
}

/// Replaces the error of a call by a better one if the node does not have the API.
pub(crate) fn explain(session: &mut Session, settings: &Settings, api: &str, error: Error) -> Error {
    let is_answer = match &error {
        Error::Api(_) => true,
        Error::Client(error) => error.class() == Class::Failure || found_no_verb(error),
        _ => false,
    };
    let Some(decoded) = session.catalog.api_ignoring_case(api) else { return error };
    let Some(known) = session.catalog.api_name(decoded.name) else { return error };
    if !is_answer || is_everywhere(&decoded) || known.is_unlisted() {
        return error;
    }
    // The error is reported even if the node does not answer any more.
    let Ok(offers) = asked(session, settings) else { return error };
    let is_missing = offers.lacks(known);
    let version = || offers.version.clone();
    Error::Client(match error {
        Error::Client(client::Error::NoSuchApi { api, failure, .. }) => {
            client::Error::NoSuchApi { api, version: version(), failure }
        }
        Error::Api(failure) if is_missing => {
            client::Error::NoSuchApi { api: known.as_str(), version: version(), failure: Some(failure) }
        }
        Error::Client(client::Error::Refused { .. } | client::Error::OutcomeUnknown { .. }) if is_missing => {
            client::Error::NoSuchApi { api: known.as_str(), version: version(), failure: None }
        }
        other => return other,
    })
}

/// Refuses an API that the node says it does not have, before it is called. The node is asked only about those that not
/// every node has.
pub(crate) fn check_offered(session: &mut Session, settings: &Settings, name: &str) -> Result<(), Error> {
    let Some(known) = session.catalog.api_name(name).filter(|api| !api.is_unlisted()) else { return Ok(()) };
    if settings.call.dry_run
        || settings.call.no_check
        || session.catalog.api(name).is_some_and(|api| is_everywhere(&api))
    {
        return Ok(());
    }
    match asked(session, settings) {
        Ok(offers) if offers.lacks(known) => {
            let version = offers.version.clone();
            Err(client::Error::NoSuchApi { api: known.as_str(), version, failure: None }.into())
        }
        // The call itself tells what else is wrong.
        _ => Ok(()),
    }
}

fn is_everywhere(api: &Api) -> bool {
    api.source == Some("open") && api.since.is_none()
}

/// The key of a node: its base URL; `None` for the sandbox.
fn key(session: &mut Session, target: &Target) -> Result<String, Error> {
    Ok(session.url_of(target)?.unwrap_or_default())
}

fn store(session: &Session) -> Result<OffersStore, Error> {
    Ok(OffersStore::new(session.environment.folders()?))
}

/// Whether a path may have no API with that method (D2). A node answers this as if it had failed.
fn found_no_verb(error: &client::Error) -> bool {
    matches!(
        error,
        client::Error::OutcomeUnknown { job: None, reason: Uncertainty::Broke { status: 500, text }, .. }
            if !text.is_empty()
    )
}

/// Asks a node for its version, and for its APIs unless they are known for the same version.
fn ask(client: &mut Client, known: Option<&Offers>) -> Result<Offers, client::Error> {
    let version = Offers::new(client.node_version()?, None).version;
    let kept = known.filter(|known| version.is_some() && known.version == version).and_then(|known| known.apis.clone());
    let apis = match kept {
        Some(apis) => Some(apis),
        None => match client.offered_apis() {
            // A server that reports a version is a node, whatever it answers to the second request.
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
