//! Files and folders that only their owner may use: sessions, results, histories, and the locks that guard them.
//!
//! Files and folders are created with mode `0600` or `0700`. For an existing file the caller decides whether a looser
//! mode is corrected ([`tighten`]) or refused ([`looser_mode`]). Files of another user are refused ([`check_owner`]),
//! as `ssh` does.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

/// The mode bits for group and others.
const OTHERS: u32 = 0o077;

/// The pause between two attempts to take a lock.
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// Returns options that create files for their owner only.
pub(crate) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Creates a folder and its missing parents, for their owner only. An existing folder is left unchanged.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Returns the mode of a file or folder that other users can access; `None` where they cannot.
pub(crate) fn looser_mode(path: &Path) -> io::Result<Option<u32>> {
    let mode = fs::metadata(path)?.permissions().mode() & 0o7777;
    Ok(Some(mode).filter(|mode| mode & OTHERS != 0))
}

/// A file or folder is refused because of its owner.
#[derive(Debug, thiserror::Error)]
#[error("{what} belongs to another user (uid {uid})")]
struct ForeignOwner {
    what: &'static str,
    uid: u32,
}

/// Refuses a file or folder that belongs neither to this user nor to root, as its owner controls the content. A
/// symbolic link of another user is refused as well, whatever its target: in a shared folder it may point anywhere. A
/// missing file is accepted.
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

/// Like [`check_owner`], for a file and its folder.
pub(crate) fn check_owners(path: &Path) -> io::Result<()> {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).map_or(Ok(()), check_owner)?;
    check_owner(path)
}

/// Removes the access of other users to an open file.
pub(crate) fn tighten(file: &File) -> io::Result<()> {
    let mut permissions = file.metadata()?.permissions();
    if permissions.mode() & OTHERS != 0 {
        permissions.set_mode(0o600);
        file.set_permissions(permissions)?;
    }
    Ok(())
}

/// Takes a lock file, however long another process holds it. The lock is released when the value is dropped.
pub(crate) fn lock(path: &Path) -> io::Result<File> {
    let file = open_lock(path)?;
    file.lock()?;
    Ok(file)
}

/// Like [`lock`]; `None` where another process still holds it after `longest`.
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

/// Replaces a file atomically: readers see either the old content or the new one.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<File> {
    Ok(replacement(path, bytes)?.persist(path)?)
}

/// Returns the new content of `path` as a temporary file that is not in its place yet.
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
        // Only root can give files away.
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
