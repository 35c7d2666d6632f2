//! The class files of a jar.

use std::io::Read;

use flate2::bufread::DeflateDecoder;
use rawzip::{CompressionMethod, ZipArchive};

use super::ImportError;

/// The maximum number of files in a jar; the SDK of 5.5 has some 7,000.
const MAX_FILES: u64 = 100_000;
/// The maximum size of an unpacked file, in bytes; classes of an SDK have some 10 kB.
const MAX_FILE: u64 = 4 << 20;
/// The maximum total size of unpacked files, in bytes.
const MAX_UNPACKED: u64 = 128 << 20;

/// Passes each file of a jar whose name `wanted` accepts to `take`. A file that cannot be unpacked is skipped and
/// counted.
///
/// # Errors
/// When it is not a zip file, or exceeds a limit; or when `take` fails.
pub(super) fn each_file(
    jar: &[u8],
    mut wanted: impl FnMut(&str) -> bool,
    mut take: impl FnMut(&str, &[u8]) -> Result<(), ImportError>,
) -> Result<Damaged, ImportError> {
    let archive = ZipArchive::from_slice(jar).map_err(|_| match jar {
        [] => ImportError::Empty,
        [b'P', b'K', 3, 4, ..] => ImportError::Truncated,
        _ => ImportError::NotAJar,
    })?;
    let mut entries = archive.entries();
    let (mut files, mut unpacked, mut damaged) = (0, 0, Damaged(0));
    let mut content = Vec::new();
    while let Some(entry) = entries.next_entry().map_err(|_| ImportError::Truncated)? {
        files += 1;
        if files > MAX_FILES {
            return Err(ImportError::TooMuch);
        }
        let path = entry.file_path();
        let Ok(name) = std::str::from_utf8(path.as_ref()) else { continue };
        if !wanted(name) {
            continue;
        }
        // The size in the directory is not trusted.
        let Ok(local) = archive.get_entry(entry.wayfinder()) else {
            damaged.0 += 1;
            continue;
        };
        content.clear();
        let read = match entry.compression_method() {
            CompressionMethod::STORE => {
                local.verifying_reader(local.data()).take(MAX_FILE + 1).read_to_end(&mut content)
            }
            CompressionMethod::DEFLATE => {
                local.verifying_reader(DeflateDecoder::new(local.data())).take(MAX_FILE + 1).read_to_end(&mut content)
            }
            _ => {
                damaged.0 += 1;
                continue;
            }
        };
        unpacked += content.len() as u64;
        if unpacked > MAX_UNPACKED {
            return Err(ImportError::TooMuch);
        }
        if read.is_err() || content.len() as u64 > MAX_FILE {
            damaged.0 += 1;
            continue;
        }
        take(name, &content)?;
    }
    Ok(damaged)
}

/// The number of files that could not be unpacked.
pub(super) struct Damaged(pub(super) usize);
