//! Reading a catalog out of the platform's Java SDK, as it lies on a management node: `sdk-*.jar`.
//!
//! Each API is a class there, such as `CreateZoneAction`. Its fields with a `@Param` are the parameters, what its
//! `getRestInfo` returns is the request, and the members of its result name the inventories. Queries extend
//! `QueryAction`. The result is text of the form that `data/` has, one entry a line; what a jar cannot tell is added
//! from the catalog of the program: relations between inventories, aliases, what a uuid refers to, which values are
//! secret.
//!
//! A jar may come from anywhere. How much is unpacked and kept of one is bounded, and nothing is run or written.

mod class;
mod code;
mod jar;
mod sdk;
mod types;

use super::index::Catalog;
use class::Unreadable;
use sdk::Sdk;

/// The longest jar that is read.
pub const MAX_JAR: u64 = 128 << 20;
/// The longest catalog that comes of one.
pub const MAX_CATALOG: u64 = 64 << 20;
/// How much is kept of the classes of a jar, and how much of a catalog.
const MAX_KEPT: usize = 48 << 20;

/// Why a file is no SDK.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// It has no bytes.
    #[error("it is empty")]
    Empty,
    /// It begins as something else.
    #[error("it is no jar")]
    NotAJar,
    /// It ends early, or its directory is damaged.
    #[error("it is cut short or damaged")]
    Truncated,
    /// It is a jar of something else.
    #[error("it has no class of an API, such as CreateZoneAction{0}")]
    NoActions(String),
    /// It would take too much memory.
    #[error("it holds more than an SDK does")]
    TooMuch,
    /// It does not say its version.
    #[error("its ZStack version is not known; say it with --version")]
    NoVersion,
    /// The version is none.
    #[error("`{0}` is no ZStack version such as 5.4.0")]
    BadVersion(String),
}

/// What came of a jar.
#[derive(Debug)]
pub struct Imported {
    /// The ZStack version that it is of.
    pub version: String,
    /// The catalog, as text.
    pub text: String,
    /// How many APIs it has.
    pub apis: usize,
    /// Those that the program does not know by itself.
    pub new_apis: Vec<String>,
    /// Those whose request or parameters are other than the program knows them.
    pub changed_apis: Vec<String>,
    /// How many inventories it has.
    pub inventories: usize,
    /// Those that the program does not know by itself. No relations are known of them.
    pub new_inventories: Vec<String>,
    /// Classes of APIs that were left out, with the reason.
    pub skipped: Vec<(String, &'static str)>,
    /// How many class files could not be read.
    pub unreadable: usize,
}

/// What may still be kept.
struct Budget(usize);

impl Budget {
    fn spend(&mut self, bytes: usize) -> bool {
        let left = self.0.checked_sub(bytes);
        self.0 = left.unwrap_or(0);
        left.is_some()
    }
}

/// Reads an SDK. `name` is that of the file; `version` is what the user says of it, if anything.
///
/// # Errors
/// When it is none, or its version is not known.
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

/// Whether a file within an archive is an SDK by its name, as in the `zstack.war` of a management node.
fn is_sdk(path: &str) -> bool {
    let is_plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte));
    let name = path.rsplit('/').next().unwrap_or_default();
    is_plain && path.len() <= 200 && name.starts_with("sdk-") && name.ends_with(".jar")
}

/// Files that may say the version. What Maven says of other projects is of no use.
fn is_about_the_jar(path: &str) -> bool {
    let is_of_maven = path.starts_with("META-INF/maven/org.zstack") && path.ends_with("/pom.properties");
    path == "META-INF/MANIFEST.MF" || is_of_maven
}

/// Whether a text is a version that a catalog can be kept under.
pub fn is_version(text: &str) -> bool {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    let numbers = text.split('-').next().unwrap_or_default();
    is_plain
        && text.len() <= 40
        && numbers.split('.').all(|part| part.parse::<u32>().is_ok())
        && Catalog::of_version(text).is_some()
}

/// The version in a file's name: `5.4.0` of `sdk-5.4.0.jar`.
fn version_of_name(name: &str) -> Option<String> {
    let mut numbers = name.split(|c: char| !c.is_ascii_digit() && c != '.').map(|text| text.trim_matches('.'));
    numbers.find(|text| text.contains('.') && is_version(text)).map(str::to_owned)
}

/// The version in a manifest, or in what Maven says of a jar.
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
