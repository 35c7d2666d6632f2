//! Nodes that lie below `/zstack` where an address was given without, or the other way round.
//!
//! Which way is right is found out once, when what answers is no node, and remembered in a file: the bases that are
//! turned, a line each.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::cli::Options;
use crate::client::{self, Endpoint, JobOutcome, JobRecord, JobState};
use crate::config::{Address, lock_folder, read_private, write_private};
use crate::error::Error;
use crate::plan::{Effect, Request};

use super::App;

/// How many bases are remembered.
const MOST: usize = 100;

/// What became of a call whose address was no node's.
pub(super) enum Turned {
    /// The node is not there either way.
    No,
    /// The node is there the other way. It surely has not run the call yet.
    NotRun,
    /// The node is there the other way, and the call may have run.
    PerhapsRun,
}

impl App {
    /// The endpoint of an address, below or above `/zstack` as was found out before.
    pub(super) fn endpoint_of(&mut self, address: &Address) -> Result<Endpoint, Error> {
        let typed = typed_endpoint(address)?;
        Ok(match typed.other_way().filter(|_| self.turned_bases().iter().any(|base| base == typed.base())) {
            Some(other) => other,
            None => typed,
        })
    }

    /// Looks for the node the other way where something else answered a call. Where it is there, it is called there
    /// from now on.
    pub(super) fn turn(
        &mut self,
        error: &client::Error,
        request: &Request,
        options: &Options,
    ) -> Result<Turned, Error> {
        if options.sandbox || !error.may_be_elsewhere() {
            return Ok(Turned::No);
        }
        let node = self.node(options)?;
        let was_at = node.client.endpoint().clone();
        let Some(other) = was_at.other_way().filter(|_| !std::mem::replace(&mut node.was_turned, true)) else {
            return Ok(Turned::No);
        };
        let tls = node.tls.clone();
        let mut client = self.client_at(other.clone(), &tls, options)?;
        if !client.is_ready() {
            return Ok(Turned::No);
        }
        self.remember_base(&other, options)?;
        self.forget_node(options)?;
        if self.started_for.as_ref().is_some_and(|started_for| started_for.as_deref() == Some(was_at.base())) {
            self.started_for = Some(Some(other.base().to_owned()));
        }
        self.node(options)?.was_turned = true;
        self.say(options, &format!("the node answers at {other}, and is called there from now on"));
        let Some(job) = error.job().filter(|_| request.effect == Effect::Action) else {
            let is_told = request.effect != Effect::Action || error.has_not_run();
            return Ok(if is_told { Turned::NotRun } else { Turned::PerhapsRun });
        };
        // Only the node knows whether what answered has handed the action on (J6).
        if request.holds_wide_text() || !matches!(client.look_at_job(job), Ok(JobState::NoRecord)) {
            return Ok(Turned::PerhapsRun);
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.journal(Some(was_at.base()), None)?.ended(job, JobOutcome::NotRun, now);
        Ok(Turned::NotRun)
    }

    /// The bases as typed that are turned, read once. A file that cannot be read costs another try, and nothing else.
    pub(super) fn turned_bases(&mut self) -> &[String] {
        let path = self.turned_file();
        self.turned_bases.get_or_insert_with(|| {
            let bytes = path.and_then(|path| read_private(&path).ok().flatten()).unwrap_or_default();
            String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
        })
    }

    fn turned_file(&self) -> Option<PathBuf> {
        Some(self.environment.folders().ok()?.state.join("bases").join("turned"))
    }

    /// Remembers that the node of the options lies at that base.
    fn remember_base(&mut self, right: &Endpoint, options: &Options) -> Result<(), Error> {
        let typed = typed_endpoint(&self.selection(options)?.address)?;
        let path = self.turned_file();
        // Another process may have found out more.
        let _lock = path.as_deref().and_then(Path::parent).map(lock_folder);
        self.turned_bases = None;
        let mut bases = self.turned_bases().to_vec();
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
        self.turned_bases = Some(bases);
        Ok(())
    }
}

/// The endpoint of an address as it was given.
fn typed_endpoint(address: &Address) -> Result<Endpoint, Error> {
    Ok(match address {
        Address::Url(url) => Endpoint::parse(url)?,
        Address::Host { host, port } => Endpoint::of_host(host, *port)?,
    })
}
