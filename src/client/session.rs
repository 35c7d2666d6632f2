//! Opening and renewing sessions.

use std::sync::{Arc, PoisonError};

use super::answer::Understood;
use super::call::{Answer, CallOptions, Unwatched};
use super::caller::{Client, Credentials};
use super::error::Error;
use crate::json::{self, Kind, unescape};
use crate::plan::Request;
use crate::secret::{MASK, Secret};

/// A session, as a log-in returns it (A6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The uuid, which authorises calls.
    pub uuid: Secret,
    /// The uuid of its account.
    pub account_uuid: Option<String>,
    /// The uuid of the user; that of the account if there is none.
    pub user_uuid: Option<String>,
    /// When it expires if it is not used, in the node's format and time zone. Each use extends it (A3).
    pub expired_date: Option<String>,
}

impl Session {
    /// The session in the reply of a log-in: `{"inventory": {"uuid", "accountUuid", ...}}`.
    pub fn of_log_in(reply: &[u8]) -> Option<Session> {
        json::parse(reply).ok()?;
        let inventory = json::member(reply.trim_ascii(), "inventory")?;
        let text = |name: &str| {
            json::member(inventory, name)
                .filter(|value| json::kind(value) == Kind::Text)
                .map(|value| unescape(value).into_owned())
        };
        // It is used in a header and in a path.
        let uuid = text("uuid").filter(|uuid| {
            !uuid.is_empty()
                && uuid.len() <= 128
                && uuid.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })?;
        Some(Session {
            uuid: Secret::new(uuid),
            account_uuid: text("accountUuid"),
            user_uuid: text("userUuid"),
            expired_date: text("expiredDate"),
        })
    }
}

/// Storage for the current session, shared by all processes of its owner.
pub trait SessionStore: Send + Sync {
    /// Locks the session against renewal by other processes until the returned value is dropped.
    fn lock(&self) -> Option<Box<dyn Send>>;

    /// The stored session, which another process may have renewed.
    fn kept(&self) -> Option<Secret>;

    /// Replaces the stored session.
    fn keep(&self, session: &Session);
}

/// The APIs that open a session (A6).
const LOG_INS: [&str; 9] = [
    "LogInByAccount",
    "LogInByUser",
    "LogIn",
    "LogInByLdap",
    "LoginIAM2VirtualID",
    "LoginIAM2VirtualIDWithLdap",
    "LoginIAM2Project",
    "LoginIAM2Platform",
    "LoginByCas",
];

/// Whether the API opens a session.
pub fn is_log_in(api: &str) -> bool {
    LOG_INS.contains(&api)
}

/// Whether the API ends a session.
pub fn is_log_out(api: &str) -> bool {
    api == "LogOut"
}

impl Client {
    /// Sends a log-in; on success the session is used from now on.
    ///
    /// The reply of a failed log-in comes back as it is.
    ///
    /// # Errors
    /// As [`Client::execute`]; a reply without a session is [`Error::Reply`].
    pub fn log_in(&mut self, request: &Request) -> Result<Result<Session, super::failure::ApiFailure>, Error> {
        match self.execute(request, &CallOptions::default(), &mut Unwatched)? {
            Answer::Failed(failure) => Ok(Err(failure)),
            Answer::Reply(reply) => {
                let text = reply.into_text().map_err(|error| Error::of_read(&error))?;
                let session = Session::of_log_in(&text)
                    .ok_or_else(|| Error::Reply { flaw: "a log-in without a session".to_owned() })?;
                self.set_credentials(Credentials::Session(session.uuid.clone()));
                Ok(Ok(session))
            }
            Answer::Detached(_) => Err(Error::Reply { flaw: "a log-in that became a job".to_owned() }),
        }
    }

    /// Replaces an expired session: by one that another process renewed, or else by logging in again. `false` if that
    /// is not possible without asking the user.
    ///
    /// # Errors
    /// [`Error::LogInRefused`] if the node refuses the password.
    pub(super) fn renew(&mut self, expired: Option<&Secret>) -> Result<bool, Error> {
        // A log-in that needs a session itself comes here again, without a log-in: it must not wait for itself.
        let renewal = Arc::clone(&self.renewal);
        let _turn = self.log_in.is_some().then(|| renewal.lock().unwrap_or_else(PoisonError::into_inner));
        let store = self.session_store.clone();
        let _lock = store.as_ref().and_then(|store| store.lock());
        // Another thread was faster.
        if self.session_uuid().as_ref() != expired {
            return Ok(true);
        }
        let kept = store.as_ref().and_then(|store| store.kept());
        if let Some(kept) = kept.filter(|kept| Some(kept) != expired) {
            self.set_credentials(Credentials::Session(kept));
            return Ok(true);
        }
        // Removed meanwhile, so that a log-in that needs a session itself does not renew it again.
        let Some(request) = self.log_in.take() else { return Ok(false) };
        let result = self.log_in(&request);
        self.log_in = Some(request);
        match result? {
            Ok(session) => {
                match &store {
                    Some(store) => store.keep(&session),
                    None => self.shared().renewed = Some(session),
                }
                Ok(true)
            }
            Err(failure) => Err(Error::LogInRefused { failure: Box::new(failure) }),
        }
    }

    /// Closes a session that was opened for a single run. Errors are ignored, since sessions expire.
    #[cfg(test)]
    pub(crate) fn log_out(&mut self) {
        let credentials = std::mem::take(&mut self.shared().credentials);
        if let Credentials::Session(uuid) = credentials {
            self.end_session(&uuid);
        }
    }

    /// Ends a session that is not needed any more. It does not matter whether that works.
    pub fn end_session(&mut self, uuid: &Secret) {
        let mut wire = self.plain_get("", std::time::Duration::from_secs(10));
        wire.method = crate::catalog::Method::Delete;
        wire.target = Secret::new(format!("/v1/accounts/sessions/{}", uuid.expose()));
        wire.shown.target = format!("/v1/accounts/sessions/{MASK}");
        let _: Result<Understood, _> = self.exchange(&wire);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn log_in_replies_tell_a_session() {
        let session = Session::of_log_in(
            br#"{"inventory":{"uuid":"5d0c8a4f","accountUuid":"36c2","userUuid":"36c2","expiredDate":"Mar 4, 2025 4:10:07 PM"}}"#,
        )
        .expect("a session");
        assert_eq!(session.uuid.expose(), "5d0c8a4f");
        assert_eq!(session.expired_date.as_deref(), Some("Mar 4, 2025 4:10:07 PM"));
        assert!(!format!("{session:?}").contains("5d0c"));
        for reply in
            ["{}", "", r#"{"inventory":{}}"#, r#"{"inventory":{"uuid":"a\r\nb"}}"#, r#"{"inventory":{"uuid":"../x"}}"#]
        {
            assert_eq!(Session::of_log_in(reply.as_bytes()), None, "{reply}");
        }
    }

    #[test]
    fn the_log_ins_are_apis_of_the_catalog() {
        let catalog = Catalog::newest();
        for api in LOG_INS {
            assert!(catalog.api(api).is_some(), "{api}");
        }
        assert!(is_log_out("LogOut") && catalog.api("LogOut").is_some());
    }
}
