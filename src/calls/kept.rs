//! What this machine keeps and completion offers: results, jobs, imported catalogs.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::dates::age;
use crate::journal::{JobEntry, Journal};
use crate::results::{Results, Summary};
use crate::secret::Secrets;
use crate::session::{ImportStore, Session, catalogs};
use crate::shell::complete::{Kept, LiveValue};

use super::job_rows;

/// The most results whose files are read for a Tab.
const MOST_RESULTS: usize = 200;

/// The files of this machine, each read when something of it is offered.
pub(crate) struct KeptHere {
    results: Option<Results>,
    journal: Option<Journal>,
    catalogs: Option<ImportStore>,
}

impl KeptHere {
    /// The files in the folders of the session.
    pub(crate) fn new(session: &Session) -> KeptHere {
        KeptHere {
            results: session.results(Secrets::Masked).ok(),
            journal: session.journal(None, None).ok(),
            catalogs: catalogs::store(session).ok(),
        }
    }
}

impl Kept for KeptHere {
    fn results(&self) -> Vec<LiveValue> {
        let mut found = self.results.as_ref().and_then(|results| results.latest(MOST_RESULTS).ok()).unwrap_or_default();
        found.reverse();
        let now = since_1970();
        let value = |summary: Summary| {
            let failed = if summary.success { "" } else { "failed, " };
            let age = age(now.saturating_sub(Duration::from_secs(summary.time)));
            let about = format!("{failed}{age}: {}", summary.command);
            LiveValue { name: summary.number.to_string(), about, ..LiveValue::default() }
        };
        found.into_iter().map(value).collect()
    }

    fn jobs(&self) -> Vec<LiveValue> {
        let entries = self.journal.as_ref().and_then(|journal| journal.entries().ok()).unwrap_or_default();
        let now = since_1970();
        let value = |entry: JobEntry| {
            let about = format!("{}, {}", job_rows::state(&entry), age(now.saturating_sub(entry.submitted)));
            LiveValue { uuid: entry.uuid, name: entry.api, about }
        };
        entries.into_iter().rev().map(value).collect()
    }

    fn imported_versions(&self) -> Vec<String> {
        self.catalogs.as_ref().map(ImportStore::versions).unwrap_or_default()
    }
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
