//! Named nodes with preferences, in `config.toml`.
//!
//! ```toml
//! context = "prod"            # the current one
//!
//! [defaults]                  # preferences for all contexts
//! color = "auto"
//!
//! [defaults.columns-of]       # columns for single queries
//! QueryHost = "name,managementIp,status"
//!
//! [contexts.prod]
//! url = "https://cloud.example:8443/zstack"
//! account = "admin"
//!
//! [aliases]                   # commands of one's own
//! down = "QueryHost status!=Connected"
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use toml_edit::{Document, DocumentMut, Item, Table, TableLike};

use super::environment::Folders;
use super::error::Error;
use super::files::{lock_file, write_public};
use super::setting::{Preferences, Setting};
use crate::nearness::closest;
use crate::private;

/// The top-level keys of the file.
const TOP_KEYS: [&str; 4] = ["aliases", "context", "contexts", "defaults"];

/// The key of a context or of the defaults that has the columns of single queries.
const COLUMNS_OF: &str = "columns-of";

/// A named node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// Its name.
    pub name: String,
    /// Its preferences, without the defaults for all contexts.
    pub own: Preferences,
}

/// The validated contexts of `config.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contexts {
    current: Option<String>,
    defaults: Preferences,
    contexts: Vec<Context>,
    aliases: BTreeMap<String, String>,
}

impl Contexts {
    /// Reads the configuration. Without a file there are no contexts.
    ///
    /// # Errors
    /// When the file cannot be read, is not TOML, or contains an unknown key or an invalid value; with the line, if
    /// there is one.
    pub fn load(folders: &Folders) -> Result<Contexts, Error> {
        let path = path(folders);
        Contexts::parse(&read(&path)?, &path)
    }

    fn parse(text: &str, path: &Path) -> Result<Contexts, Error> {
        if text.trim().is_empty() {
            return Ok(Contexts::default());
        }
        let document = Document::parse(text).map_err(|error| syntax(path, text, &error))?;
        let place = CheckedFile { path, text };
        let mut read = Contexts::default();
        for (key, item) in document.as_table().iter() {
            match key {
                "context" => {
                    let name = item.as_str().ok_or_else(|| place.bad(item, key, "a name is expected"))?;
                    read.current = Some(name.to_owned());
                }
                "defaults" => read.defaults = place.preferences(item, key)?,
                "contexts" => {
                    let table = item.as_table_like().ok_or_else(|| place.bad(item, key, "a table is expected"))?;
                    for (name, item) in table.iter() {
                        let own = place.preferences(item, name)?;
                        read.contexts.push(Context { name: name.to_owned(), own });
                    }
                }
                "aliases" => {
                    let table = item.as_table_like().ok_or_else(|| place.bad(item, key, "a table is expected"))?;
                    for (name, item) in table.iter() {
                        let line = item.as_str().ok_or_else(|| place.bad(item, name, "a line is expected"))?;
                        read.aliases.insert(name.to_owned(), line.to_owned());
                    }
                }
                _ => return Err(place.unknown(document.as_table(), key, closest(key, TOP_KEYS))),
            }
        }
        if let Some(current) = &read.current
            && read.get(current).is_none()
            && let Some(item) = document.get("context")
        {
            return Err(place.bad(item, "context", &format!("there is no context `{current}`")));
        }
        Ok(read)
    }

    /// The context of that name.
    pub fn get(&self, name: &str) -> Option<&Context> {
        self.contexts.iter().find(|context| context.name == name)
    }

    /// As [`Contexts::get`], with an error for an unknown name.
    ///
    /// # Errors
    /// [`Error::NoContext`] with the closest name.
    pub fn find(&self, name: &str) -> Result<&Context, Error> {
        self.get(name).ok_or_else(|| Error::NoContext {
            name: name.to_owned(),
            closest: closest(name, self.contexts.iter().map(|context| context.name.as_str())).map(str::to_owned),
        })
    }

    /// All contexts, in the order of the file.
    pub fn all(&self) -> &[Context] {
        &self.contexts
    }

    /// The current context.
    pub fn current(&self) -> Option<&Context> {
        self.current.as_deref().and_then(|name| self.get(name))
    }

    /// The lines of the aliases, by name.
    pub fn aliases(&self) -> &BTreeMap<String, String> {
        &self.aliases
    }

    /// Changes an alias; without a line it is removed.
    ///
    /// # Errors
    /// When the file cannot be changed.
    pub fn set_alias(folders: &Folders, name: &str, line: Option<&str>) -> Result<Contexts, Error> {
        edit(folders, |document| {
            let aliases = document.entry("aliases").or_insert_with(|| implicit_table(false));
            let aliases = aliases.as_table_like_mut().ok_or_else(|| not_a_table("aliases"))?;
            match (line, aliases.get_mut(name).and_then(Item::as_value_mut)) {
                (Some(line), Some(old)) => {
                    let decor = old.decor().clone();
                    *old = line.into();
                    *old.decor_mut() = decor;
                }
                (Some(line), None) => drop(aliases.insert(name, toml_edit::value(line))),
                (None, _) => drop(aliases.remove(name)),
            }
            Ok(())
        })
    }

    /// The preferences of a context, or of no context: its own, then the defaults.
    pub fn preferences(&self, context: Option<&str>) -> Preferences {
        let own = context.and_then(|name| self.get(name)).map(|context| context.own.clone()).unwrap_or_default();
        own.or(self.defaults.clone())
    }

    /// Changes keys of a context, which is created if it is missing; a key without a value is removed. Comments in the
    /// file are kept. The first context becomes the current one.
    ///
    /// # Errors
    /// When a name, key or value is invalid, or the file cannot be changed. Then it is unchanged.
    pub fn set(folders: &Folders, name: &str, changes: &[(&str, Option<&str>)]) -> Result<Contexts, Error> {
        check_name(name)?;
        edit(folders, |document| {
            let first = document.get("contexts").is_none();
            let contexts = document.entry("contexts").or_insert_with(|| implicit_table(true));
            let contexts = contexts.as_table_like_mut().ok_or_else(|| not_a_table("contexts"))?;
            let context = contexts.entry(name).or_insert_with(|| implicit_table(false));
            let context = context.as_table_like_mut().ok_or_else(|| not_a_table(name))?;
            for (key, value) in changes {
                change(context, key, *value)?;
            }
            if first && document.get("context").is_none() {
                document.insert("context", toml_edit::value(name));
            }
            Ok(())
        })
    }

    /// Changes keys of the defaults.
    ///
    /// # Errors
    /// As [`Contexts::set`].
    pub fn set_defaults(folders: &Folders, changes: &[(&str, Option<&str>)]) -> Result<Contexts, Error> {
        edit(folders, |document| {
            let defaults = document.entry("defaults").or_insert_with(|| implicit_table(false));
            let defaults = defaults.as_table_like_mut().ok_or_else(|| not_a_table("defaults"))?;
            changes.iter().try_for_each(|(key, value)| change(defaults, key, *value))
        })
    }

    /// Makes a context the current one.
    ///
    /// # Errors
    /// When there is no such context, or the file cannot be changed.
    pub fn make_current(folders: &Folders, name: &str) -> Result<Contexts, Error> {
        Contexts::load(folders)?.find(name)?;
        edit(folders, |document| {
            match document.get_mut("context").and_then(Item::as_value_mut) {
                // In place, so that a comment after it is kept.
                Some(value) => {
                    let decor = value.decor().clone();
                    *value = name.into();
                    *value.decor_mut() = decor;
                }
                None => {
                    document.insert("context", toml_edit::value(name));
                }
            }
            Ok(())
        })
    }

    /// Removes a context. If it was the current one, there is no current one afterwards.
    ///
    /// # Errors
    /// When there is no such context, or the file cannot be changed.
    pub fn delete(folders: &Folders, name: &str) -> Result<Contexts, Error> {
        Contexts::load(folders)?.find(name)?;
        edit(folders, |document| {
            if let Some(contexts) = document.get_mut("contexts").and_then(Item::as_table_like_mut) {
                contexts.remove(name);
            }
            if document.get("context").and_then(Item::as_str) == Some(name) {
                document.remove("context");
            }
            Ok(())
        })
    }
}

/// The path of the file.
fn path(folders: &Folders) -> PathBuf {
    folders.config.join("config.toml")
}

fn read(path: &Path) -> Result<String, Error> {
    // Who writes it chooses the node that passwords go to.
    private::check_owners(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    match fs::read(path) {
        Ok(bytes) => String::from_utf8(bytes).map_err(|error| {
            let line = line_of(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
            Error::Syntax { path: path.to_owned(), line, reason: "not UTF-8".to_owned() }
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(source) => Err(Error::Read { path: path.to_owned(), source }),
    }
}

/// Changes the file under a lock, unless the result is invalid.
fn edit(folders: &Folders, change: impl FnOnce(&mut DocumentMut) -> Result<(), Error>) -> Result<Contexts, Error> {
    let path = path(folders);
    let _lock = lock_file(&path.with_extension("lock"))?;
    let text = read(&path)?;
    let mut document: DocumentMut = text.parse().map_err(|error| syntax(&path, &text, &error))?;
    change(&mut document)?;
    let text = document.to_string();
    let contexts = Contexts::parse(&text, &path)?;
    write_public(&path, text.as_bytes())?;
    Ok(contexts)
}

fn change(table: &mut dyn TableLike, key: &str, value: Option<&str>) -> Result<(), Error> {
    if let Some(query) = Setting::query_of_key(key) {
        return change_columns(table, query, value);
    }
    let Some(setting) = Setting::of_name(key) else {
        return Err(Error::NoKey { key: key.to_owned(), closest: Setting::closest(key) });
    };
    let Some(text) = value else {
        table.remove(setting.name());
        return Ok(());
    };
    let bad = |problem| Error::Value { key: key.to_owned(), problem };
    let mut value = setting.value(text).map_err(bad)?;
    setting.read(&value, &mut Preferences::default()).map_err(bad)?;
    match table.get_mut(setting.name()).and_then(Item::as_value_mut) {
        Some(old) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        None => {
            table.insert(setting.name(), Item::Value(value));
        }
    }
    Ok(())
}

/// Changes the columns of a query, which are in a table of their own.
fn change_columns(table: &mut dyn TableLike, query: &str, value: Option<&str>) -> Result<(), Error> {
    let columns = table.entry(COLUMNS_OF).or_insert_with(|| implicit_table(false));
    let columns = columns.as_table_like_mut().ok_or_else(|| not_a_table(COLUMNS_OF))?;
    match value {
        Some(value) => drop(columns.insert(query, toml_edit::value(value))),
        None => drop(columns.remove(query)),
    }
    if columns.is_empty() {
        table.remove(COLUMNS_OF);
    }
    Ok(())
}

fn implicit_table(implicit: bool) -> Item {
    let mut table = Table::new();
    table.set_implicit(implicit);
    Item::Table(table)
}

fn not_a_table(key: &str) -> Error {
    Error::Value { key: key.to_owned(), problem: "it is not a table in the configuration".to_owned() }
}

fn check_name(name: &str) -> Result<(), Error> {
    let good = !name.is_empty()
        && name.len() <= 64
        && !name.starts_with(['-', '.'])
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if good { Ok(()) } else { Err(Error::ContextName { name: name.to_owned() }) }
}

fn syntax(path: &Path, text: &str, error: &toml_edit::TomlError) -> Error {
    let at = error.span().map_or(0, |span| span.start.min(text.len()));
    let reason = error.message().lines().next().unwrap_or("not TOML").to_owned();
    Error::Syntax { path: path.to_owned(), line: line_of(&text.as_bytes()[..at]), reason }
}

/// The number of the line that follows this text, from 1.
fn line_of(before: &[u8]) -> usize {
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

/// A file that is being checked.
struct CheckedFile<'a> {
    path: &'a Path,
    text: &'a str,
}

impl CheckedFile<'_> {
    fn line(&self, span: Option<std::ops::Range<usize>>) -> usize {
        line_of(&self.text.as_bytes()[..span.map_or(0, |span| span.start.min(self.text.len()))])
    }

    fn bad(&self, item: &Item, key: &str, problem: &str) -> Error {
        Error::BadValue {
            path: self.path.to_owned(),
            line: self.line(item.span()),
            key: key.to_owned(),
            problem: problem.to_owned(),
        }
    }

    fn unknown(&self, table: &dyn TableLike, key: &str, closest: Option<&'static str>) -> Error {
        let span = table.get_key_value(key).and_then(|(key, item)| key.span().or_else(|| item.span()));
        Error::UnknownKey { path: self.path.to_owned(), line: self.line(span), key: key.to_owned(), closest }
    }

    fn preferences(&self, item: &Item, name: &str) -> Result<Preferences, Error> {
        let table = item.as_table_like().ok_or_else(|| self.bad(item, name, "a table is expected"))?;
        let mut preferences = Preferences::default();
        for (key, item) in table.iter() {
            if key == COLUMNS_OF {
                let columns = item.as_table_like().ok_or_else(|| self.bad(item, key, "a table is expected"))?;
                for (query, item) in columns.iter() {
                    let value = item.as_str().ok_or_else(|| self.bad(item, query, "columns are expected"))?;
                    preferences.columns_of.insert(query.to_owned(), value.to_owned());
                }
                continue;
            }
            let setting = Setting::of_name(key).ok_or_else(|| self.unknown(table, key, Setting::closest(key)))?;
            let value = item.as_value().ok_or_else(|| self.bad(item, key, "a single value is expected"))?;
            setting.read(value, &mut preferences).map_err(|problem| self.bad(item, key, &problem))?;
        }
        Ok(preferences)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Contexts, String> {
        Contexts::parse(text, Path::new("config.toml")).map_err(|error| error.to_string())
    }

    fn folders() -> (tempfile::TempDir, Folders) {
        let home = tempfile::tempdir().expect("a folder");
        let folders = Folders::under(home.path());
        (home, folders)
    }

    #[test]
    fn contexts_and_defaults_are_read() {
        let contexts = parse(
            "context = \"b\"\n[defaults]\ncolor = 'never'\noutput = \"json\"\n[contexts.a]\nurl=\"http://a/zstack\"\n\
             [contexts.b]\nurl = \"https://b/\"\noutput = \"table\"\ncolumns = ['name', 'uuid']\n",
        )
        .expect("well formed");
        assert_eq!(contexts.current().expect("one").name, "b");
        let preferences = contexts.preferences(Some("b"));
        assert_eq!(preferences.output.as_deref(), Some("table"));
        assert_eq!(preferences.color, Some(super::super::ColorChoice::Never));
        assert_eq!(preferences.columns.as_deref(), Some("name,uuid"));
        assert_eq!(contexts.preferences(None).output.as_deref(), Some("json"));
        assert_eq!(parse("# nothing\n"), Ok(Contexts::default()));
    }

    #[test]
    fn mistakes_are_told_with_their_lines() {
        for (text, message) in [
            ("\ncontxt = 'a'\n", "config.toml:2: unknown key `contxt`; did you mean `context`?"),
            (
                "[contexts.a]\nurl='http://h'\nouput='json'\n",
                "config.toml:3: unknown key `ouput`; did you mean `output`?",
            ),
            ("[contexts.a]\npassword='x'\n", "config.toml:2: unknown key `password`"),
            ("context = 'a'\n", "config.toml:1: `context`: there is no context `a`"),
            ("[contexts]\na = 1\n", "config.toml:2: `a`: a table is expected"),
            (
                "[contexts.a]\n\nconfirm = 'x'\n",
                "config.toml:3: `confirm`: true, false or \"strict\" is expected, not string",
            ),
            ("contexts = 3\n", "config.toml:1: `contexts`: a table is expected"),
        ] {
            assert_eq!(parse(text), Err(message.to_owned()));
        }
        assert!(parse("a = 1\n[contexts.a\n").expect_err("not TOML").starts_with("config.toml:2: "));
        assert!(parse("[contexts.a]\noutput = 'x'\n").expect_err("no format").contains("table, wide"));
    }

    #[test]
    fn comments_stay_when_the_program_changes_the_file() {
        let (_home, folders) = folders();
        fs::create_dir_all(&folders.config).expect("made");
        let text = "# mine\ncontext = \"a\" # now\n\n[contexts.a] # first\nurl = \"http://a\" # where\n";
        fs::write(path(&folders), text).expect("written");
        Contexts::set(&folders, "b", &[("url", Some("https://b/zstack")), ("confirm", Some("no"))]).expect("changed");
        Contexts::set(&folders, "a", &[("url", Some("http://c"))]).expect("changed");
        let contexts = Contexts::make_current(&folders, "b").expect("changed");
        assert_eq!(contexts.current().map(|context| context.own.confirm), Some(Some(super::super::Confirm::Off)));
        let now = fs::read_to_string(path(&folders)).expect("readable");
        assert_eq!(
            now,
            "# mine\ncontext = \"b\" # now\n\n[contexts.a] # first\nurl = \"http://c\" # where\n\n\
             [contexts.b]\nurl = \"https://b/zstack\"\nconfirm = false\n"
        );
        let contexts = Contexts::delete(&folders, "b").expect("deleted");
        assert_eq!((contexts.all().len(), contexts.current()), (1, None));
    }

    #[test]
    fn a_change_that_makes_no_sense_changes_nothing() {
        let (_home, folders) = folders();
        let contexts = Contexts::set(&folders, "prod", &[("url", Some("http://h"))]).expect("made");
        assert_eq!(contexts.current().expect("the first is current").name, "prod");
        let before = fs::read(path(&folders)).expect("readable");
        assert!(Contexts::set(&folders, "prod", &[("output", Some("tabel"))]).is_err());
        assert!(Contexts::set(&folders, "prod", &[("colour", Some("x"))]).is_err());
        assert!(Contexts::set(&folders, "../x", &[]).is_err());
        let error = Contexts::make_current(&folders, "prd").expect_err("none").to_string();
        assert_eq!(error, "there is no context `prd`; did you mean `prod`?");
        assert!(Contexts::delete(&folders, "x").is_err());
        assert_eq!(fs::read(path(&folders)).expect("readable"), before);
        Contexts::set(&folders, "prod", &[("url", None)]).expect("removed");
        assert_eq!(Contexts::load(&folders).expect("readable").preferences(Some("prod")).url, None);
    }
}
