//! Nodes that lie below `/zstack` where an address was given without, or the other way round.
//!
//! Which way is right is found out once, when what answers is no node, and remembered in a file: the bases that are
//! turned, a line each.

use std::path::{Path, PathBuf};

use crate::client::{self, Endpoint, JobOutcome, JobState};
use crate::config::{Address, Environment, lock_folder, read_private, write_private};
use crate::error::Error;
use crate::plan::Request;

use super::Session;
use super::nodes::{self, client_at};
use super::settings::Settings;

/// How many bases are remembered.
const MOST: usize = 100;

/// Bases of addresses below or above whose `/zstack` the node lies, once read.
pub(super) type TurnedBases = Option<Vec<String>>;

/// What became of a call whose address was no node's.
pub(crate) enum Turned {
    /// The node is not there either way.
    No,
    /// The node is there the other way. It surely has not run the call yet.
    NotRun,
    /// The node is there the other way, and the call may have run.
    PerhapsRun,
}

/// The endpoint of an address, below or above `/zstack` as was found out before.
pub(super) fn endpoint_of(session: &mut Session, address: &Address) -> Result<Endpoint, Error> {
    let typed = typed_endpoint(address)?;
    Ok(match typed.other_way().filter(|_| turned_bases(session).iter().any(|base| base == typed.base())) {
        Some(other) => other,
        None => typed,
    })
}

/// Whether an address leads to the node at that base URL.
pub(crate) fn leads_to(session: &mut Session, address: &Address, base: &str) -> bool {
    endpoint_of(session, address).is_ok_and(|endpoint| endpoint.base() == base)
}

/// Looks for the node the other way where something else answered a call, which is an `action` unless it only reads.
/// Where the node is there, it is called there from now on.
pub(crate) fn turn(
    session: &mut Session,
    settings: &Settings,
    error: &client::Error,
    action: Option<&Request>,
) -> Result<Turned, Error> {
    let Some(address) = settings.target.address.as_ref().filter(|_| error.may_be_elsewhere()) else {
        return Ok(Turned::No);
    };
    let node = nodes::node(session, settings)?;
    let was_at = node.client.endpoint().clone();
    let Some(other) = was_at.other_way().filter(|_| !std::mem::replace(&mut node.was_turned, true)) else {
        return Ok(Turned::No);
    };
    let mut client = client_at(session, other.clone(), settings)?;
    if !client.is_ready() {
        return Ok(Turned::No);
    }
    remember_base(session, address, &other)?;
    session.nodes.forget(&settings.target);
    let started_for = &mut session.nodes.started_for;
    if started_for.as_ref().is_some_and(|started_for| started_for.as_deref() == Some(was_at.base())) {
        *started_for = Some(Some(other.base().to_owned()));
    }
    nodes::node(session, settings)?.was_turned = true;
    settings.ui.say(&format!("the node answers at {other}, and is called there from now on"));
    let Some(action) = action else { return Ok(Turned::NotRun) };
    let Some(job) = error.job() else {
        return Ok(if error.has_not_run() { Turned::NotRun } else { Turned::PerhapsRun });
    };
    // Only the node knows whether what answered has handed the action on (J6).
    if action.holds_wide_text() || !matches!(client.look_at_job(job), Ok(JobState::NoRecord)) {
        return Ok(Turned::PerhapsRun);
    }
    session.note_end(job, JobOutcome::NotRun, Some(was_at.base()));
    Ok(Turned::NotRun)
}

/// The bases as typed that are turned, read once. A file that cannot be read costs another try, and nothing else.
fn turned_bases(session: &mut Session) -> &[String] {
    let path = turned_file(&session.environment);
    session.nodes.turned.get_or_insert_with(|| {
        let bytes = path.and_then(|path| read_private(&path).ok().flatten()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
    })
}

fn turned_file(environment: &Environment) -> Option<PathBuf> {
    Some(environment.folders().ok()?.state.join("bases").join("turned"))
}

/// Remembers that the node of an address lies at that base.
fn remember_base(session: &mut Session, address: &Address, right: &Endpoint) -> Result<(), Error> {
    let typed = typed_endpoint(address)?;
    let path = turned_file(&session.environment);
    // Another process may have found out more.
    let _lock = path.as_deref().and_then(Path::parent).map(lock_folder);
    session.nodes.turned = None;
    let mut bases = turned_bases(session).to_vec();
    bases.retain(|base| base != typed.base());
    if right != &typed {
        bases.push(typed.base().to_owned());
    }
    bases.drain(..bases.len().saturating_sub(MOST));
    if let Some(path) = path {
        // Where it cannot be written, it is found out again next time.
        let text: String = bases.iter().map(|base| format!("{base}\n")).collect();
        let _ = write_private(&path, text.as_bytes());
    }
    session.nodes.turned = Some(bases);
    Ok(())
}

/// The endpoint of an address as it was given.
fn typed_endpoint(address: &Address) -> Result<Endpoint, Error> {
    Ok(match address {
        Address::Url(url) => Endpoint::parse(url)?,
        Address::Host { host, port } => Endpoint::of_host(host, *port)?,
    })
}
