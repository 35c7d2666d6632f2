//! Sessions (A1 to A9).

use rusqlite::{OptionalExtension, params};

use super::clock::UnixMillis;
use super::ledger::{Ledger, new_uuid};

/// A log-in. `Debug` hides its uuid.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) uuid: String,
    pub(super) account: String,
    /// The user, or the account's own uuid.
    pub(super) user: String,
    pub(super) is_admin: bool,
    pub(super) created: UnixMillis,
    pub(super) expires: UnixMillis,
    /// The time after its last use at which it expires, in milliseconds.
    pub(super) lifetime: i64,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("account", &self.account).field("user", &self.user).finish_non_exhaustive()
    }
}

impl Ledger {
    /// Opens a session that expires after `lifetime` milliseconds.
    pub(super) fn open_session(
        &self,
        account: &str,
        user: &str,
        is_admin: bool,
        now: UnixMillis,
        lifetime: i64,
    ) -> rusqlite::Result<Session> {
        let session = Session {
            uuid: new_uuid(),
            account: account.to_owned(),
            user: user.to_owned(),
            is_admin,
            created: now,
            expires: now.plus(lifetime),
            lifetime,
        };
        self.connection.prepare_cached("insert into session values (?, ?, ?, ?, ?, ?, ?)")?.execute(params![
            session.uuid,
            account,
            user,
            is_admin,
            session.created.0,
            session.expires.0,
            lifetime
        ])?;
        Ok(session)
    }

    /// The session with that uuid, unless it has expired.
    pub(super) fn session(&self, uuid: &str, now: UnixMillis) -> rusqlite::Result<Option<Session>> {
        self.connection
            .prepare_cached("select * from session where uuid = ? and expires > ?")?
            .query_row(params![uuid, now.0], |row| {
                Ok(Session {
                    uuid: row.get(0)?,
                    account: row.get(1)?,
                    user: row.get(2)?,
                    is_admin: row.get(3)?,
                    created: UnixMillis(row.get(4)?),
                    expires: UnixMillis(row.get(5)?),
                    lifetime: row.get(6)?,
                })
            })
            .optional()
    }

    /// Sets the time at which a session expires (A3).
    pub(super) fn move_session_end(&self, uuid: &str, expires: UnixMillis) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached("update session set expires = ? where uuid = ?")?
            .execute(params![expires.0, uuid])?;
        Ok(())
    }

    /// Ends a session; an unknown one is not an error (A9).
    pub(super) fn close_session(&self, uuid: &str) -> rusqlite::Result<()> {
        self.connection.execute("delete from session where uuid = ?", [uuid])?;
        Ok(())
    }

    /// Ends all sessions of a user (A5) or of a deleted account.
    pub(super) fn close_sessions_of(&self, account_or_user: &str) -> rusqlite::Result<()> {
        self.connection.execute("delete from session where user = ?1 or account = ?1", [account_or_user])?;
        Ok(())
    }

    /// Deletes expired sessions.
    pub(super) fn forget_expired_sessions(&self, now: UnixMillis) -> rusqlite::Result<()> {
        self.connection.execute("delete from session where expires <= ?", [now.0])?;
        Ok(())
    }

    /// The number of a user's sessions, after deleting expired ones.
    pub(super) fn count_sessions(&self, user: &str, now: UnixMillis) -> rusqlite::Result<u64> {
        self.forget_expired_sessions(now)?;
        self.connection
            .query_row("select count(*) from session where user = ?", [user], |row| row.get::<_, i64>(0))
            .map(i64::unsigned_abs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_expire_and_are_extended() {
        let ledger = Ledger::in_memory().expect("a database in memory");
        let session = ledger.open_session("a", "u", false, UnixMillis(0), 100).expect("a session");
        assert_eq!(ledger.session(&session.uuid, UnixMillis(99)).expect("a look-up"), Some(session.clone()));
        assert_eq!(ledger.session(&session.uuid, UnixMillis(100)).expect("a look-up"), None);
        ledger.move_session_end(&session.uuid, UnixMillis(150)).expect("an extension");
        assert!(ledger.session(&session.uuid, UnixMillis(149)).expect("a look-up").is_some());
        assert_eq!(ledger.count_sessions("u", UnixMillis(149)).expect("a count"), 1);
        assert_eq!(ledger.count_sessions("u", UnixMillis(150)).expect("a count"), 0);
    }

    #[test]
    fn debug_output_hides_the_uuid() {
        let ledger = Ledger::in_memory().expect("a database in memory");
        let session = ledger.open_session("a", "u", true, UnixMillis(0), 100).expect("a session");
        assert!(!format!("{session:?}").contains(&session.uuid));
    }
}
