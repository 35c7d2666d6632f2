//! Files and folders that only their owner may use: sessions, results, histories, and the locks that guard them.
//!
//! What is made here has mode `0600` or `0700` from the start. Where a file is found instead, its user decides whether
//! a looser mode is mended ([`tighten`]) or refused ([`looser_mode`]). One that belongs to somebody else is refused
//! ([`check_owner`]), as `ssh` does.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

/// What of a mode concerns others than the owner.
const OTHERS: u32 = 0o077;

/// How often a lock is tried.
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// Options that make files for their owner only.
pub(crate) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Makes a folder, with all above it that is missing, for its owner only. One that exists stays as it is.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// The mode of a file or folder that others can use; `None` where nobody else can.
pub(crate) fn looser_mode(path: &Path) -> io::Result<Option<u32>> {
    let mode = fs::metadata(path)?.permissions().mode() & 0o7777;
    Ok(Some(mode).filter(|mode| mode & OTHERS != 0))
}

/// Why a file or folder of somebody else is not used.
#[derive(Debug, thiserror::Error)]
#[error("{what} belongs to another user (uid {uid})")]
struct ForeignOwner {
    what: &'static str,
    uid: u32,
}

/// Refuses a file or folder that belongs neither to this user nor to the system: who owns it says what it holds. A link
/// of somebody else is refused as well, wherever it leads; in a folder that all share it may lead anywhere. What is
/// missing is nobody's.
pub(crate) fn check_owner(path: &Path) -> io::Result<()> {
    let ours = rustix::process::geteuid().as_raw();
    for (what, metadata) in [("it", fs::symlink_metadata(path)), ("what it leads to", fs::metadata(path))] {
        match metadata.map(|metadata| metadata.uid()) {
            Ok(0) => {}
            Ok(uid) if uid == ours => {}
            Ok(uid) => return Err(io::Error::new(io::ErrorKind::PermissionDenied, ForeignOwner { what, uid })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// As [`check_owner`], for a file and the folder that it lies in.
pub(crate) fn check_owners(path: &Path) -> io::Result<()> {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).map_or(Ok(()), check_owner)?;
    check_owner(path)
}

/// Takes an open file from others that can use it.
pub(crate) fn tighten(file: &File) -> io::Result<()> {
    let mut permissions = file.metadata()?.permissions();
    if permissions.mode() & OTHERS != 0 {
        permissions.set_mode(0o600);
        file.set_permissions(permissions)?;
    }
    Ok(())
}

/// Locks a file without content of its own, however long another process holds it. The lock ends with the value.
pub(crate) fn lock(path: &Path) -> io::Result<File> {
    let file = open_lock(path)?;
    file.lock()?;
    Ok(file)
}

/// As [`lock`]; `None` where another process still holds it after `longest`.
pub(crate) fn lock_within(path: &Path, longest: Duration) -> io::Result<Option<File>> {
    let file = open_lock(path)?;
    let started = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) if started.elapsed() < longest => thread::sleep(LOCK_PAUSE),
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

fn open_lock(path: &Path) -> io::Result<File> {
    check_owners(path)?;
    options().write(true).create(true).truncate(false).open(path)
}

/// Replaces a file: whoever reads it sees the old text or the new one, whole.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<File> {
    Ok(replacement(path, bytes)?.persist(path)?)
}

/// What [`replace`] puts in the place of `path`, before it is there.
pub(crate) fn replacement(path: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new_in(path.parent().unwrap_or(Path::new("")))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("it exists").permissions().mode() & 0o7777
    }

    #[test]
    fn what_is_made_is_its_owners() {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join("a/b");
        make_folder(&folder).expect("made");
        make_folder(&folder).expect("there already");
        let path = folder.join("file");
        options().write(true).create(true).truncate(true).open(&path).expect("made");
        assert_eq!((mode(&home.path().join("a")), mode(&folder), mode(&path)), (0o700, 0o700, 0o600));
        replace(&path, b"new").expect("replaced");
        assert_eq!((fs::read(&path).expect("read"), mode(&path)), (b"new".to_vec(), 0o600));
    }

    #[test]
    fn looser_modes_are_told_and_mended() {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("file");
        fs::write(&path, "").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("opened up");
        assert_eq!(looser_mode(&path).expect("a mode"), Some(0o640));
        tighten(&File::open(&path).expect("open")).expect("mended");
        assert_eq!((looser_mode(&path).expect("a mode"), mode(&path)), (None, 0o600));
    }

    #[test]
    fn what_belongs_to_others_is_refused() {
        let home = tempfile::tempdir().expect("a folder");
        let (path, link) = (home.path().join("file"), home.path().join("link"));
        check_owners(&path).expect("nothing there");
        fs::write(&path, "").expect("written");
        std::os::unix::fs::symlink(&path, &link).expect("linked");
        check_owners(&link).expect("both are ours");
        // Only the system's user can give files away.
        if std::os::unix::fs::chown(&path, Some(12345), None).is_err() {
            return;
        }
        let error = check_owners(&path).expect_err("not ours").to_string();
        assert_eq!(error, "it belongs to another user (uid 12345)");
        let error = check_owners(&link).expect_err("not ours").to_string();
        assert_eq!(error, "what it leads to belongs to another user (uid 12345)");
        std::os::unix::fs::chown(&path, Some(0), None).expect("given back");
        std::os::unix::fs::lchown(&link, Some(12345), None).expect("given away");
        assert!(check_owner(&link).is_err() && lock(&link).is_err());
        std::os::unix::fs::chown(home.path(), Some(12345), None).expect("given away");
        assert!(check_owners(&path).is_err());
    }

    #[test]
    fn a_second_lock_waits() {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("lock");
        let first = lock(&path).expect("locked");
        assert!(lock_within(&path, Duration::ZERO).expect("tried").is_none());
        drop(first);
        assert!(lock_within(&path, Duration::ZERO).expect("tried").is_some());
    }
}
