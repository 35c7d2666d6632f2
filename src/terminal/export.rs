//! The file after `>`, which is replaced when the command has succeeded.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A file for the output of a command.
pub(crate) enum Export {
    /// Written directly: appended files, devices, pipes.
    Direct(File),
    /// A temporary file in the same directory, which replaces the file in [`Export::keep`].
    Beside(tempfile::NamedTempFile, PathBuf),
}

impl Export {
    /// Opens the file for the output of a command.
    pub(crate) fn open(path: &Path, append: bool) -> io::Result<Export> {
        if append {
            return OpenOptions::new().create(true).append(true).open(path).map(Export::Direct);
        }
        let known = fs::metadata(path).ok();
        if known.as_ref().is_some_and(|known| !known.is_file()) {
            return OpenOptions::new().write(true).open(path).map(Export::Direct);
        }
        // A symbolic link is kept.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        match (beside(folder, known.as_ref()), &known) {
            // The file may be written, but its directory may not.
            (Err(error), Some(_)) if error.kind() == io::ErrorKind::PermissionDenied => {
                OpenOptions::new().write(true).truncate(true).open(path).map(Export::Direct)
            }
            // A read-only file is not replaced.
            (Ok(_), Some(known)) if known.permissions().readonly() => Err(io::ErrorKind::PermissionDenied.into()),
            (file, _) => Ok(Export::Beside(file?, target)),
        }
    }

    /// Completes the file. Some file systems report write errors only now.
    pub(crate) fn keep(self) -> io::Result<()> {
        match self {
            Export::Direct(file) if file.metadata()?.is_file() => file.sync_all(),
            Export::Direct(_) => Ok(()),
            Export::Beside(file, target) => {
                file.as_file().sync_all()?;
                file.persist(target).map(drop).map_err(|error| error.error)
            }
        }
    }
}

/// A temporary file with the permissions of the file that it will replace.
fn beside(folder: &Path, known: Option<&fs::Metadata>) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.permissions(fs::Permissions::from_mode(0o666));
    let file = builder.prefix(".zstack-cli-").tempfile_in(folder)?;
    if let Some(known) = known {
        file.as_file().set_permissions(known.permissions())?;
    }
    Ok(file)
}

impl Write for Export {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Export::Direct(file) => file.write(bytes),
            Export::Beside(file, _) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Export::Direct(file) => file.flush(),
            Export::Beside(file, _) => file.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_only_when_it_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out");
        let write = |text: &str, append: bool, keep: bool| {
            let mut export = Export::open(&path, append).expect("opens");
            export.write_all(text.as_bytes()).expect("writes");
            if keep {
                export.keep().expect("is kept");
            }
        };
        write("lost", false, false);
        assert!(!path.exists());
        write("first", false, true);
        write("lost", false, false);
        assert_eq!(fs::read_to_string(&path).expect("a file"), "first");
        write(" and more", true, false);
        write("", true, true);
        assert_eq!(fs::read_to_string(&path).expect("a file"), "first and more");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn modes_and_links_stay_and_devices_are_written_to() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().expect("a folder");
        let (path, link) = (folder.path().join("out"), folder.path().join("link"));
        fs::write(&path, "old").expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("its mode");
        symlink(&path, &link).expect("a link");
        let mut export = Export::open(&link, false).expect("opens");
        export.write_all(b"new").expect("writes");
        export.keep().expect("is kept");
        assert!(link.is_symlink() && fs::read_to_string(&path).expect("a file") == "new");
        assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o640);
        assert!(matches!(Export::open(Path::new("/dev/null"), false), Ok(Export::Direct(_))));
    }
}
