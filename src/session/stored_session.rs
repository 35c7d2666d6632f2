//! A stored session, which is shared with other processes.

use crate::client::{Session, SessionStore};
use crate::config::{Credentials, Entry, Login, Owner, Who};
use crate::secret::Secret;

/// Stores renewed sessions with the credentials.
pub(crate) struct StoredSession {
    pub(crate) credentials: Credentials,
    pub(crate) owner: Owner,
    /// The node's base URL.
    pub(crate) url: String,
    /// The API that opens the session, and its user.
    pub(crate) api: String,
    pub(crate) who: Who,
}

impl SessionStore for StoredSession {
    fn lock(&self) -> Option<Box<dyn Send>> {
        // Without the lock an additional session may be opened.
        let lock = self.credentials.lock_renewal(&self.owner).ok()?;
        Some(Box::new(lock))
    }

    fn kept(&self) -> Option<Secret> {
        let entry = self.credentials.load(&self.owner, &self.url).ok()??;
        // Another user may have logged in meanwhile.
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
        // If it cannot be stored, the next command opens another session.
        let _ = self.credentials.save(&self.owner, &entry);
    }
}
