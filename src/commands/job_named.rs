//! Finds a job by its uuid: its journal entry and its node.

use crate::calls::job_rows::JobRow;
use crate::calls::shape;
use crate::catalog::Catalog;
use crate::client::{Job, JobOutcome};
use crate::config::Address;
use crate::error::{Error, OwnError};
use crate::journal::JobEntry;
use crate::render::Shape;
use crate::session::{SANDBOX, Session, Settings, Target};

/// A job that the user named.
pub(super) struct Named {
    pub(super) uuid: String,
    /// Its journal entry.
    entry: Option<JobEntry>,
}

impl Named {
    /// The job with that uuid, or the only one in the journal with that prefix.
    pub(super) fn find(session: &Session, name: &str) -> Result<Named, Error> {
        let mut found = session.journal(None, None)?.find(name)?;
        found.dedup_by(|one, other| one.uuid == other.uuid);
        match &found[..] {
            [entry] => Ok(Named { uuid: entry.uuid.clone(), entry: found.pop() }),
            [] if name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                Ok(Named { uuid: name.to_ascii_lowercase(), entry: None })
            }
            [] => Err(Error::Own(OwnError::NotFound { kind: "job", name: name.to_owned(), near: Vec::new() })),
            several => {
                let problem = format!("{} jobs begin so; `job list` shows them", several.len());
                Err(Error::Own(OwnError::Value { name: name.to_owned(), problem }))
            }
        }
    }

    /// The node of the job, if none was typed and the journal has another one than the settings.
    pub(super) fn target(&self, session: &mut Session, settings: &Settings) -> Result<Option<Target>, Error> {
        let chosen = &settings.target;
        let Some(entry) = self.entry.as_ref().filter(|_| !chosen.is_named) else { return Ok(None) };
        if entry.url == SANDBOX {
            return Ok(Some(Target { tls: chosen.tls.clone(), ..Target::default() }));
        }
        // Credentials belong to the context if the address is the same, else to the address.
        if chosen.address.as_ref().is_some_and(|address| session.leads_to(address, &entry.url)) {
            return Ok(None);
        }
        let contexts = session.contexts()?;
        let context = entry.context.as_deref().and_then(|name| contexts.get(name));
        let named = context.and_then(|context| Some((context.name.clone(), context.own.url.clone()?)));
        let named = named.map(|(name, url)| (name, Address::Url(url)));
        let named = named.filter(|(_, address)| session.leads_to(address, &entry.url));
        let (context, address, is_of_context) = match named {
            Some((name, address)) => (Some(name), address, true),
            // The slash prevents that a default path is added.
            None => (chosen.context.clone(), Address::Url(format!("{}/", entry.url)), false),
        };
        Ok(Some(Target {
            address: Some(address),
            context,
            is_of_context,
            tls: chosen.tls.clone(),
            ..Target::default()
        }))
    }

    /// Records the outcome of a job in the journal, if it is not known yet.
    pub(super) fn note_end(&self, session: &Session, outcome: Option<JobOutcome>) {
        if let Some(outcome) = outcome.filter(|outcome| self.entry.is_some() && self.seen_end() != Some(*outcome)) {
            session.note_end(&self.uuid, outcome, None);
        }
    }

    /// The API of the job.
    pub(super) fn api(&self, catalog: Catalog) -> &'static str {
        let api = self.entry.as_ref().and_then(|entry| catalog.api(&entry.api));
        api.map_or("the job", |api| api.name)
    }

    /// The shape of its result.
    pub(super) fn shape(&self, catalog: Catalog) -> Shape {
        self.entry.as_ref().map(|entry| shape::of_api_called(catalog, &entry.api)).unwrap_or_default()
    }

    /// Its outcome in the journal.
    pub(super) fn seen_end(&self) -> Option<JobOutcome> {
        self.entry.as_ref().and_then(|entry| entry.end).map(|(outcome, _)| outcome)
    }

    pub(super) fn row(&self) -> JobRow<'_> {
        JobRow { uuid: &self.uuid, entry: self.entry.as_ref(), ..JobRow::default() }
    }

    pub(super) fn job(&self) -> Job {
        let api = self.entry.as_ref().map(|entry| entry.api.clone()).unwrap_or_default();
        let submitted = self.entry.as_ref().map(|entry| entry.submitted);
        Job { uuid: self.uuid.clone(), api, timeout: None, submitted }
    }
}
