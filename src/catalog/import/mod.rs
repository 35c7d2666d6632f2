//! Imports a catalog from the platform's Java SDK, `sdk-*.jar` on a management node.
//!
//! Each API is a class there, such as `CreateZoneAction`. Its fields with a `@Param` are the parameters, the return
//! value of `getRestInfo` is the request, and the members of its result name the inventories. Queries extend
//! `QueryAction`. The result is text in the format of `data/`, one entry a line. Whatever a jar does not contain is
//! added from the built-in catalog: relations between inventories, aliases, what a uuid refers to, which values are
//! secret.
//!
//! A jar is not trusted. The amount that is unpacked and kept is limited, and nothing is run or written.

mod class;
mod code;
mod jar;
mod sdk;
mod types;

use super::index::Catalog;
use class::Unreadable;
use sdk::Sdk;

/// The maximum size of a jar, in bytes.
pub const MAX_JAR: u64 = 128 << 20;
/// The maximum size of an imported catalog, in bytes.
pub const MAX_CATALOG: u64 = 64 << 20;
/// The maximum size of what is kept of the classes of a jar, and of the catalog, in bytes.
const MAX_KEPT: usize = 48 << 20;

/// Why a file cannot be imported as an SDK.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The file is empty.
    #[error("it is empty")]
    Empty,
    /// The file does not start like a jar.
    #[error("it is not a jar file")]
    NotAJar,
    /// The file is cut off, or its directory is damaged.
    #[error("it is cut short or damaged")]
    Truncated,
    /// The jar is not an SDK.
    #[error("it has no class of an API, such as CreateZoneAction{0}")]
    NoActions(String),
    /// The import would need too much memory.
    #[error("it holds more than an SDK does")]
    TooMuch,
    /// Neither the jar nor the user gives the version.
    #[error("its ZStack version is not known; say it with --version")]
    NoVersion,
    /// The given version is not valid.
    #[error("`{0}` is not a ZStack version such as 5.4.0")]
    BadVersion(String),
}

/// The result of an import.
#[derive(Debug)]
pub struct Imported {
    /// The ZStack version of the SDK.
    pub version: String,
    /// The catalog as text.
    pub text: String,
    /// The number of APIs.
    pub apis: usize,
    /// The APIs that the built-in catalog does not have.
    pub new_apis: Vec<String>,
    /// The APIs whose request or parameters differ from the built-in catalog.
    pub changed_apis: Vec<String>,
    /// The number of inventories.
    pub inventories: usize,
    /// The inventories that the built-in catalog does not have. Their relations are unknown.
    pub new_inventories: Vec<String>,
    /// The API classes that were left out, with the reason.
    pub skipped: Vec<(String, &'static str)>,
    /// The number of class files that could not be read.
    pub unreadable: usize,
}

/// The number of bytes that may still be kept.
struct Budget(usize);

impl Budget {
    fn spend(&mut self, bytes: usize) -> bool {
        let left = self.0.checked_sub(bytes);
        self.0 = left.unwrap_or(0);
        left.is_some()
    }
}

/// Imports an SDK. `name` is the file name; `version` is the version given by the user, if any.
///
/// # Errors
/// When the file is not an SDK, or its version is not known.
pub fn import(jar: &[u8], name: &str, version: Option<&str>) -> Result<Imported, ImportError> {
    let mut budget = Budget(MAX_KEPT);
    let (mut classes, mut unreadable, mut said, mut inner) = (Vec::new(), 0, None, None);
    let wanted = |path: &str| {
        if inner.is_none() && is_sdk(path) {
            inner = Some(path.to_owned());
        }
        path.ends_with(".class") && !path.starts_with("META-INF/") || is_about_the_jar(path)
    };
    let damaged = jar::each_file(jar, wanted, |path, content| {
        if is_about_the_jar(path) {
            said = said.take().or_else(|| version_said(content));
            return Ok(());
        }
        match class::read(content, &mut budget) {
            Ok(class) => classes.push(class),
            Err(Unreadable::TooMuch) => return Err(ImportError::TooMuch),
            Err(Unreadable::Nonsense) => unreadable += 1,
        }
        Ok(())
    })?;
    unreadable += damaged.0;
    let sdk = Sdk::new(&classes);
    if !sdk.has_actions() {
        return Err(ImportError::NoActions(match inner {
            Some(inner) => format!("; take {inner} out of it, which is an SDK by its name"),
            None if unreadable > 0 => format!("; {unreadable} of its classes cannot be read"),
            None => String::new(),
        }));
    }
    let version = match version {
        Some(version) => version.to_owned(),
        None => version_of_name(name).or(said).ok_or(ImportError::NoVersion)?,
    };
    if !is_version(&version) {
        return Err(ImportError::BadVersion(version));
    }
    sdk.import(name, version, unreadable)
}

/// Whether a file in an archive has the name of an SDK, as in the `zstack.war` of a management node.
fn is_sdk(path: &str) -> bool {
    let is_plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte));
    let name = path.rsplit('/').next().unwrap_or_default();
    is_plain && path.len() <= 200 && name.starts_with("sdk-") && name.ends_with(".jar")
}

/// Whether a file may contain the version. Maven's files about other projects do not.
fn is_about_the_jar(path: &str) -> bool {
    let is_of_maven = path.starts_with("META-INF/maven/org.zstack") && path.ends_with("/pom.properties");
    path == "META-INF/MANIFEST.MF" || is_of_maven
}

/// Whether a text is a version for which a catalog can be stored.
pub fn is_version(text: &str) -> bool {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    let numbers = text.split('-').next().unwrap_or_default();
    is_plain
        && text.len() <= 40
        && numbers.split('.').all(|part| part.parse::<u32>().is_ok())
        && Catalog::of_version(text).is_some()
}

/// Returns the version in a file name: `5.4.0` of `sdk-5.4.0.jar`.
fn version_of_name(name: &str) -> Option<String> {
    let mut numbers = name.split(|c: char| !c.is_ascii_digit() && c != '.').map(|text| text.trim_matches('.'));
    numbers.find(|text| text.contains('.') && is_version(text)).map(str::to_owned)
}

/// Returns the version in a manifest or in Maven's properties of a jar.
fn version_said(content: &[u8]) -> Option<String> {
    const NAMES: [&str; 4] = ["Implementation-Version", "Bundle-Version", "Specification-Version", "version"];
    let text = String::from_utf8_lossy(content);
    NAMES.iter().find_map(|name| {
        let said = text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix([':', '=']))?;
        version_of_name(said.trim())
    })
}

#[cfg(test)]
mod tests;
