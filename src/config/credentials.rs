//! Stored sessions and access keys: one file or keyring item for each context or node.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::environment::Folders;
use super::error::Error;
use super::files::{lock_file, lock_folder, read_private, remove, write_private};
use super::keyring::{Item, Keyring};
use super::setting::Keeper;
use crate::secret::Secret;

/// The owner of credentials: a context, or a node that was given by its address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// A context.
    Context(String),
    /// A node, by its base URL.
    Node(String),
}

/// The credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// A session.
    Session {
        /// Its uuid.
        uuid: Secret,
        /// When it expires, in the node's format; each use extends it.
        expires: Option<String>,
    },
    /// An access key.
    AccessKey {
        /// Its public part.
        id: String,
        /// Its secret part.
        secret: Secret,
        /// The node's time zone.
        time_zone: Option<String>,
    },
}

/// Stored credentials. They are sent to the node with this URL only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The node's base URL.
    pub url: String,
    /// The credentials.
    pub login: Login,
    /// The API that opened the session, to renew it.
    pub api: Option<String>,
    /// The user who logged in.
    pub who: Who,
}

/// The names given at a log-in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// The account, or the only name that was given: a uid, a virtual id, a project.
    pub account: Option<String>,
    /// The user within the account.
    pub user: Option<String>,
    /// The type of the log-in, if its API has one.
    pub kind: Option<String>,
}

impl Who {
    /// The name for messages: `account` or `account/user`.
    pub fn label(&self) -> Option<String> {
        match (&self.account, &self.user) {
            (Some(account), Some(user)) => Some(format!("{account}/{user}")),
            (account, user) => account.clone().or_else(|| user.clone()),
        }
    }
}

/// The content of its file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key_secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
}

/// The store of credentials: files of mode 0600 in a directory of mode 0700, or the system's keyring.
#[derive(Clone, Debug)]
pub struct Credentials {
    folder: PathBuf,
    keeper: Keeper,
}

impl Credentials {
    /// The store of the state directory.
    pub fn new(folders: &Folders, keeper: Keeper) -> Credentials {
        Credentials { folder: folders.state.join("credentials"), keeper }
    }

    /// The credentials of a context or node, for use with the node at `url`. Credentials that were stored for another
    /// URL are not returned: if the URL of a context is changed, its session does not go to the new node.
    ///
    /// # Errors
    /// When the file cannot be read, is readable by others, or is damaged; when the keyring fails.
    pub fn load(&self, owner: &Owner, url: &str) -> Result<Option<Entry>, Error> {
        Ok(self.read(owner)?.filter(|entry| entry.url == url))
    }

    fn read(&self, owner: &Owner) -> Result<Option<Entry>, Error> {
        let entry = self.look(owner)?;
        // A file from before the keyring was chosen is moved there.
        if self.keeper == Keeper::Keyring
            && self.path(owner).exists()
            && let Some(entry) = &entry
        {
            self.save(owner, entry)?;
        }
        Ok(entry)
    }

    /// Checks that credentials can be kept here.
    ///
    /// # Errors
    /// When the file cannot be read; when the keyring fails.
    pub fn probe(&self, owner: &Owner) -> Result<(), Error> {
        self.look(owner).map(drop)
    }

    fn look(&self, owner: &Owner) -> Result<Option<Entry>, Error> {
        let path = self.path(owner);
        if let Some(bytes) = read_private(&path)? {
            return parse(&bytes, &path).map(Some);
        }
        if self.keeper == Keeper::Files {
            return Ok(None);
        }
        let text = self.with_item(owner, |item| Keyring::of_system().read(item))?;
        text.map(|text| parse(text.expose().as_bytes(), &path)).transpose()
    }

    /// Stores credentials in place of the old ones.
    ///
    /// # Errors
    /// When the file cannot be written, or its directory is accessible to others; when the keyring fails.
    pub fn save(&self, owner: &Owner, entry: &Entry) -> Result<(), Error> {
        let _lock = lock_folder(&self.folder)?;
        let path = self.path(owner);
        let text = serde_json::to_string_pretty(&Stored::of(entry))
            .map(Secret::from)
            .map_err(|error| Error::Write { path: path.clone(), source: error.into() })?;
        match self.keeper {
            Keeper::Files => write_private(&path, text.expose().as_bytes()),
            Keeper::Keyring => {
                self.with_item(owner, |item| Keyring::of_system().write(item, &text))?;
                remove(path)
            }
        }
    }

    /// Moves the credentials of an owner here from another store.
    ///
    /// # Errors
    /// As for loading and storing.
    pub fn take_over(&self, before: &Credentials, owner: &Owner) -> Result<(), Error> {
        if before.keeper == self.keeper {
            return Ok(());
        }
        if let Some(entry) = before.read(owner)? {
            self.save(owner, &entry)?;
            if before.keeper == Keeper::Keyring {
                before.with_item(owner, |item| Keyring::of_system().delete(item))?;
            }
        }
        Ok(())
    }

    fn with_item<T>(&self, owner: &Owner, run: impl FnOnce(Item<'_>) -> T) -> T {
        let owner = match owner {
            Owner::Context(name) => format!("context {name}"),
            Owner::Node(url) => url.clone(),
        };
        run(Item { home: &self.folder.to_string_lossy(), owner: &owner })
    }

    /// Locks the session of an owner against renewal by other processes until the lock is dropped.
    ///
    /// # Errors
    /// When it cannot be locked, or another process holds the lock for too long.
    pub fn lock_renewal(&self, owner: &Owner) -> Result<File, Error> {
        lock_file(&self.path(owner).with_extension("renewal"))
    }

    /// Removes credentials, if there are any. If a session uuid is given, only credentials with that uuid are removed,
    /// so that a session that another process opened meanwhile is kept.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn delete(&self, owner: &Owner, session: Option<&Secret>) -> Result<(), Error> {
        let path = self.path(owner);
        if self.keeper == Keeper::Files && !path.exists() {
            return Ok(());
        }
        let _lock = lock_folder(&self.folder)?;
        if let Some(expected) = session
            && let Ok(Some(Entry { login: Login::Session { uuid, .. }, .. })) = self.look(owner)
            && uuid != *expected
        {
            return Ok(());
        }
        if self.keeper == Keeper::Keyring {
            self.with_item(owner, |item| Keyring::of_system().delete(item))?;
        }
        remove(path)
    }

    fn path(&self, owner: &Owner) -> PathBuf {
        let name = match owner {
            Owner::Context(name) => format!("context-{}.json", readable(name)),
            Owner::Node(url) => format!("node-{}.json", node_name(url)),
        };
        self.folder.join(name)
    }
}

fn parse(text: &[u8], path: &Path) -> Result<Entry, Error> {
    // The parser's message may quote the text.
    let damaged = |reason: &str| Error::Damaged { path: path.to_owned(), reason: reason.to_owned() };
    let stored: Stored = serde_json::from_slice(text).map_err(|_| damaged("it is not what this program writes"))?;
    let login = match (stored.session, stored.access_key_id, stored.access_key_secret) {
        (Some(uuid), None, None) => Login::Session { uuid: uuid.into(), expires: stored.expires },
        (None, Some(id), Some(secret)) => Login::AccessKey { id, secret: secret.into(), time_zone: stored.time_zone },
        _ => return Err(damaged("it holds neither a session nor an access key")),
    };
    let who = Who { account: stored.account, user: stored.user, kind: stored.kind };
    Ok(Entry { url: stored.url, login, api: stored.api, who })
}

impl Stored {
    fn of(entry: &Entry) -> Stored {
        let mut stored = Stored {
            url: entry.url.clone(),
            session: None,
            expires: None,
            access_key_id: None,
            access_key_secret: None,
            time_zone: None,
            api: entry.api.clone(),
            account: entry.who.account.clone(),
            user: entry.who.user.clone(),
            kind: entry.who.kind.clone(),
        };
        match &entry.login {
            Login::Session { uuid, expires } => {
                stored.session = Some(uuid.expose().to_owned());
                stored.expires = expires.clone();
            }
            Login::AccessKey { id, secret, time_zone } => {
                stored.access_key_id = Some(id.clone());
                stored.access_key_secret = Some(secret.expose().to_owned());
                stored.time_zone = time_zone.clone();
            }
        }
        stored
    }
}

/// The part of a file name that stands for the node at a base URL.
pub fn node_name(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    format!("{}-{:016x}", readable(rest), fingerprint(url))
}

/// Text as a part of a file name. Names of contexts are unchanged.
fn readable(text: &str) -> String {
    text.chars().take(64).map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect()
}

/// FNV-1a, to distinguish the file names of similar URLs. The URL inside the file decides.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Credentials) {
        let home = tempfile::tempdir().expect("a folder");
        let store = Credentials::new(&Folders::under(home.path()), Keeper::Files);
        (home, store)
    }

    fn entry(url: &str, uuid: &str) -> Entry {
        Entry {
            url: url.to_owned(),
            login: Login::Session { uuid: uuid.into(), expires: Some("Mar 4, 2025 4:10:07 PM".to_owned()) },
            api: Some("LogInByAccount".to_owned()),
            who: Who { account: Some("admin".to_owned()), ..Who::default() },
        }
    }

    #[test]
    fn credentials_are_kept_apart_and_go_to_their_own_node_only() {
        let (_home, store) = store();
        let (prod, node) = (Owner::Context("prod".into()), Owner::Node("http://h:8080/zstack".into()));
        store.save(&prod, &entry("http://a/zstack", "one")).expect("saved");
        store.save(&node, &entry("http://h:8080/zstack", "two")).expect("saved");
        assert_eq!(store.load(&prod, "http://a/zstack").expect("readable"), Some(entry("http://a/zstack", "one")));
        assert_eq!(store.load(&prod, "http://b/zstack").expect("readable"), None, "the context points elsewhere now");
        assert_eq!(store.load(&Owner::Node("http://i/".into()), "http://i/").expect("readable"), None);
        store.delete(&prod, Some(&"other".into())).expect("left alone");
        assert!(store.load(&prod, "http://a/zstack").expect("readable").is_some());
        store.delete(&prod, Some(&"one".into())).expect("deleted");
        store.delete(&prod, None).expect("nothing there");
        assert_eq!(store.load(&prod, "http://a/zstack").expect("readable"), None);
        assert!(store.load(&node, "http://h:8080/zstack").expect("readable").is_some());
    }

    #[test]
    fn access_keys_are_kept_as_well() {
        let (_home, store) = store();
        let owner = Owner::Context("key".into());
        let login = Login::AccessKey { id: "AK".into(), secret: "s".into(), time_zone: Some("+08:00".into()) };
        let entry = Entry { login, ..entry("http://a", "") };
        store.save(&owner, &entry).expect("saved");
        assert_eq!(store.load(&owner, "http://a").expect("readable"), Some(entry));
    }

    #[test]
    fn a_damaged_file_is_reported_without_its_text() {
        let (_home, store) = store();
        let owner = Owner::Context("prod".into());
        for text in ["{\"url\": hunter2", "{\"url\":\"http://a\"}", "{\"url\":\"u\",\"hunter2\":1}"] {
            write_private(&store.path(&owner), text.as_bytes()).expect("written");
            let error = store.load(&owner, "http://a").expect_err("damaged").to_string();
            assert!(error.contains("damaged") && !error.contains("hunter2"), "{error}");
        }
    }
}
