//! The session of a context, as other processes of its owner share it.

use crate::client::{Session, SessionStore};
use crate::config::{Credentials, Entry, Login, Owner, Who};
use crate::secret::Secret;

/// Keeps renewed sessions among the stored credentials.
pub(crate) struct StoredSession {
    pub(crate) credentials: Credentials,
    pub(crate) owner: Owner,
    /// The node's base URL.
    pub(crate) url: String,
    /// The API that opens the session, and for whom.
    pub(crate) api: String,
    pub(crate) who: Who,
}

impl SessionStore for StoredSession {
    fn lock(&self) -> Option<Box<dyn Send>> {
        // Without it a session more than needed is opened, no more.
        let lock = self.credentials.lock_renewal(&self.owner).ok()?;
        Some(Box::new(lock))
    }

    fn kept(&self) -> Option<Secret> {
        let entry = self.credentials.load(&self.owner, &self.url).ok()??;
        // Somebody else may have logged in there meanwhile.
        if entry.api.as_deref() != Some(&self.api) || entry.who != self.who {
            return None;
        }
        match entry.login {
            Login::Session { uuid, .. } => Some(uuid),
            Login::AccessKey { .. } => None,
        }
    }

    fn keep(&self, session: &Session) {
        let entry = Entry {
            url: self.url.clone(),
            login: Login::Session { uuid: session.uuid.clone(), expires: session.expired_date.clone() },
            api: Some(self.api.clone()),
            who: self.who.clone(),
        };
        // The command goes on with it; where it cannot be kept, the next one opens another.
        let _ = self.credentials.save(&self.owner, &entry);
    }
}
