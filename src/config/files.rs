//! Files with secrets: private to their owner, replaced atomically, with locks.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::Error;
use crate::private;

/// How long another process may hold a lock. Writing a file takes milliseconds, a log-in some seconds.
const LONGEST_LOCK: Duration = Duration::from_secs(15);

/// Creates a private directory with its parents; refuses one that is accessible to others.
fn private_folder(folder: &Path) -> Result<(), Error> {
    let failed = |source| Error::Write { path: folder.to_owned(), source };
    private::check_owners(folder).map_err(failed)?;
    if folder.is_dir() {
        return check_mode(folder, 0o700);
    }
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    private::make_folder(folder).map_err(failed)?;
    // Another process may have created it.
    check_mode(folder, 0o700)
}

/// Refuses a file or directory that is accessible to others.
fn check_mode(path: &Path, allowed: u32) -> Result<(), Error> {
    match private::looser_mode(path).map_err(|source| Error::Read { path: path.to_owned(), source })? {
        Some(mode) => Err(Error::TooOpen { path: path.to_owned(), mode, mend: allowed }),
        None => Ok(()),
    }
}

/// Locks a directory against other processes until the lock is dropped. If it is missing, it is created as a private
/// one.
///
/// # Errors
/// When it cannot be created or written to, or is accessible to others.
pub fn lock_folder(folder: &Path) -> Result<File, Error> {
    private_folder(folder)?;
    lock_file(&folder.join(".lock"))
}

/// Locks an empty file in a directory that may be accessible to others.
pub(super) fn lock_file(path: &Path) -> Result<File, Error> {
    let failed = |source| Error::Write { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let lock = private::lock_within(path, LONGEST_LOCK).map_err(failed)?;
    lock.ok_or_else(|| Error::Locked { path: path.to_owned() })
}

/// Reads a file with secrets; `None` if it does not exist.
///
/// # Errors
/// When it cannot be read, or when others can read it.
pub fn read_private(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    private::check_owners(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    match fs::read(path) {
        Ok(bytes) => {
            // The directory first: others who have access to it may replace the file.
            if let Some(folder) = path.parent() {
                check_mode(folder, 0o700)?;
            }
            check_mode(path, 0o600)?;
            Ok(Some(bytes))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Read { path: path.to_owned(), source }),
    }
}

/// Replaces a file in a private directory atomically.
///
/// # Errors
/// When it cannot be written, or its directory is accessible to others.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    private_folder(path.parent().unwrap_or(Path::new("")))?;
    private::replace(path, bytes).map_err(|source| Error::Write { path: path.to_owned(), source })?;
    Ok(())
}

/// Replaces a file that others may read, atomically. Its mode is kept.
pub(super) fn write_public(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(Path::new(""));
    private::check_owners(path).map_err(|source| Error::Write { path: path.to_owned(), source })?;
    fs::create_dir_all(folder).map_err(|source| Error::Write { path: folder.to_owned(), source })?;
    // A symbolic link is kept: some users keep their configuration elsewhere.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let failed = |source| Error::Write { path: path.clone(), source };
    let file = private::replacement(path, bytes).map_err(failed)?;
    public_mode(file.as_file(), path).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Gives a new file the mode of the one that it replaces, or the default mode.
fn public_mode(file: &File, path: &Path) -> io::Result<()> {
    let mode = fs::metadata(path).map_or(0o644, |metadata| metadata.permissions().mode() & 0o7777);
    file.set_permissions(fs::Permissions::from_mode(mode))
}

/// Appends a line to a file in a private directory, in one write, so that lines of several processes do not mix. An
/// incomplete line at the end, left by a crash, is ended first.
///
/// # Errors
/// When it cannot be written, or when it or its directory is accessible to others.
pub fn append_line(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    if let Some(folder) = path.parent() {
        private_folder(folder)?;
    }
    let failed = |source| Error::Write { path: path.to_owned(), source };
    private::check_owner(path).map_err(failed)?;
    let mut file = private::options().append(true).read(true).create(true).open(path).map_err(failed)?;
    check_mode(path, 0o600)?;
    if is_torn(&mut file).map_err(failed)? {
        return file.write_all(&[b"\n", bytes].concat()).map_err(failed);
    }
    file.write_all(bytes).map_err(failed)
}

/// Whether the last line of a file is incomplete.
fn is_torn(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(io::SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

/// Removes a file, if it exists.
pub(super) fn remove(path: PathBuf) -> Result<(), Error> {
    match fs::remove_file(&path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(Error::Write { path, source }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_folders_are_their_owners() {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("a/secrets/file");
        write_private(&path, b"one").expect("written");
        write_private(&path, b"two").expect("written again");
        assert_eq!(read_private(&path).expect("readable"), Some(b"two".to_vec()));
        for made in [path.as_path(), path.parent().expect("a parent")] {
            assert_eq!(private::looser_mode(made).expect("a mode"), None);
        }
        append_line(&path, b"more").expect("appended");
        assert_eq!(fs::read(&path).expect("readable"), b"two\nmore");
    }

    #[test]
    fn looser_modes_are_refused_with_the_command_that_mends_them() {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("secrets/file");
        write_private(&path, b"x").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("changed");
        let error = read_private(&path).expect_err("too open").to_string();
        assert!(
            error.contains("mode 0640") && error.contains("`chmod 600 ") && error.contains("file` mends"),
            "{error}"
        );
        assert!(append_line(&path, b"x").is_err());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("changed");
        let folder = path.parent().expect("a parent");
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("changed");
        assert!(read_private(&path).expect_err("too open").to_string().contains("chmod 700"));
        assert!(write_private(&path, b"y").is_err());
        assert_eq!(read_private(&home.path().join("none")).expect("nothing there"), None);
    }
}
