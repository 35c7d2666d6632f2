//! The preferences of users: keys of a context, settings of the shell, or both, each defined once.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::named::named;
use crate::nearness::closest;
use crate::render::{Border, Format};

named! {
    /// When to use colours.
    #[derive(Default)]
    pub enum ColorChoice {
        /// On terminals, unless NO_COLOR or CLICOLOR_FORCE is set
        #[default]
        Auto = "auto",
        /// Everywhere
        Always = "always",
        /// Nowhere
        Never = "never",
    }
}

named! {
    /// How errors are written on standard error.
    #[derive(Default)]
    pub enum ErrorFormat {
        /// For people
        #[default]
        Text = "text",
        /// For programs, one line each
        Json = "json",
    }
}

named! {
    /// Where sessions and access keys are kept.
    #[derive(Default)]
    pub enum Keeper {
        /// In files that only their owner can read
        #[default]
        Files = "file",
        /// In the system's keyring
        Keyring = "keyring",
    }
}

/// When to ask before something is destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirm {
    /// Never.
    Off,
    /// A yes is enough.
    On,
    /// The name has to be typed.
    Strict,
}

/// The names of colours that a prompt may have.
pub const PROMPT_COLORS: [&str; 6] = ["red", "green", "yellow", "blue", "magenta", "cyan"];

/// Where a setting can be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// `context set`.
    Context,
    /// `set`, in the shell or a script.
    Shell,
    /// Either.
    Both,
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    OneOf(&'static [&'static str]),
    Number,
    /// A number up to this one.
    UpTo(u32),
    Flag,
    /// On, off or `strict`.
    Confirmation,
    /// A program in a context; on or off in the shell.
    Pager,
    Url,
    /// Names separated by commas.
    Names,
    Version,
    /// A file.
    File,
}

impl Kind {
    /// The largest number.
    fn most(self) -> u32 {
        if let Kind::UpTo(most) = self { most } else { 1_000_000_000 }
    }
}

/// How many pages of a query may be requested at once: they are held in memory, and a node has other users.
const MOST_PARALLEL: u32 = 8;

/// Defines the settings, one per line. Help, completion and the option of the same name use the text above the line;
/// after the arrow is the field of [`Preferences`], for keys of a context.
macro_rules! settings {
    ($(#[doc = $summary:literal] $variant:ident = $name:literal, $place:expr, $kind:expr $(=> $field:ident: $type:ty)?;)+) => {
        /// A key of a context or a setting of the shell.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Setting {
            $(#[doc = $summary] $variant,)+
        }

        impl Setting {
            const ALL: [Setting; [$($name),+].len()] = [$(Setting::$variant),+];

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Setting::$variant => $name,)+
                }
            }

            /// What it decides.
            pub fn summary(self) -> &'static str {
                match self {
                    $(Setting::$variant => $summary,)+
                }
                .trim_start()
            }

            fn place(self) -> Place {
                match self {
                    $(Setting::$variant => $place,)+
                }
            }

            fn kind(self) -> Kind {
                match self {
                    $(Setting::$variant => $kind,)+
                }
            }

            /// Sets a value from the configuration.
            ///
            /// # Errors
            /// A description of what is wrong with the value.
            pub(super) fn read(self, value: &toml_edit::Value, into: &mut Preferences) -> Result<(), String> {
                match self {
                    $(Setting::$variant => {
                        $(into.$field = Some(<$type>::read(value, self.kind())?);)?
                    })+
                }
                Ok(())
            }
        }

        /// The preferences of a context, or the defaults.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Preferences {
            $($(
                #[doc = concat!("See [`Setting::", stringify!($variant), "`].")]
                pub $field: Option<$type>,
            )?)+
            /// Columns for single queries, by the names of those.
            pub columns_of: BTreeMap<String, String>,
        }

        impl Preferences {
            /// A preference as text, as in the file.
            pub fn get(&self, setting: Setting) -> Option<String> {
                match setting {
                    $($(Setting::$variant => self.$field.as_ref().map(Kept::text),)?)+
                    _ => None,
                }
            }

            /// These preferences, completed by others.
            pub fn or(self, others: Preferences) -> Preferences {
                let mut columns_of = others.columns_of;
                columns_of.extend(self.columns_of);
                Preferences {
                    $($($field: self.$field.or(others.$field),)?)+
                    columns_of,
                }
            }
        }
    };
}

settings! {
    /// Base URL of the node, such as `https://cloud.example:8443/zstack`
    Url = "url", Place::Context, Kind::Url => url: String;
    /// The account that logs in
    Account = "account", Place::Context, Kind::Text => account: String;
    /// The user of the account
    User = "user", Place::Context, Kind::Text => user: String;
    /// How to log in
    LogIn = "login", Place::Context, Kind::OneOf(&["account", "user", "ldap", "iam2", "iam2-ldap"]) => log_in: String;
    /// Lines of a table
    Border = "border", Place::Both, Kind::OneOf(&Border::NAMES) => border: String;
    /// For https: certificates (PEM) to trust as well
    CaCert = "cacert", Place::Context, Kind::File => cacert: String;
    /// The ZStack version whose catalog is used
    Catalog = "catalog", Place::Context, Kind::Version => catalog: String;
    /// When to use colours
    Color = "color", Place::Both, Kind::OneOf(&ColorChoice::NAMES) => color: ColorChoice;
    /// Columns, in that order; dotted paths reach into nested values, ip=vmNics.ip renames, +NAME adds
    Columns = "columns", Place::Both, Kind::Names => columns: String;
    /// Ask before something is destroyed
    Confirm = "confirm", Place::Both, Kind::Confirmation => confirm: Confirm;
    /// Where sessions and access keys are kept
    Credentials = "credentials", Place::Context, Kind::OneOf(&Keeper::NAMES) => credentials: Keeper;
    /// How errors are written on standard error; json writes one line each
    Errors = "errors", Place::Both, Kind::OneOf(&ErrorFormat::NAMES) => errors: ErrorFormat;
    /// For https: do not check the server's certificate
    Insecure = "insecure", Place::Context, Kind::Flag => insecure: bool;
    /// Ask the node for values on Tab
    Live = "live", Place::Shell, Kind::Flag;
    /// Maximum width of a table, in characters
    MaxWidth = "max-width", Place::Both, Kind::Number => max_width: u32;
    /// Names in place of uuids in tables on a terminal
    Names = "names", Place::Both, Kind::Flag => names: bool;
    /// Output format; default table on a terminal, else json
    Output = "output", Place::Both, Kind::OneOf(&Format::NAMES) => output: String;
    /// Rows per request of a paged query; default 1000
    PageSize = "page-size", Place::Both, Kind::Number => page_size: u32;
    /// Pages of a long query that are requested at once; default 2, and up to 4 while the node answers as fast
    PageParallel = "page-parallel", Place::Both, Kind::UpTo(MOST_PARALLEL) => page_parallel: u32;
    /// The pager for long output; off for none
    Pager = "pager", Place::Both, Kind::Pager => pager: String;
    /// Colour of the prompt
    PromptColor = "prompt-color", Place::Context, Kind::OneOf(&PROMPT_COLORS) => prompt_color: String;
    /// Mask secrets
    Secure = "secure", Place::Shell, Kind::Flag;
    /// Sort the rows that were received by a column; -NAME in descending order
    SortBy = "sort-by", Place::Both, Kind::Text => sort_by: String;
    /// The node's time zone, for access keys and dates
    TimeZone = "time-zone", Place::Context, Kind::Text => time_zone: String;
    /// Seconds to wait for a job; default set by the node
    Timeout = "timeout", Place::Both, Kind::Number => timeout: Duration;
    /// Wrap wide cells instead of cutting them
    Wrap = "wrap", Place::Both, Kind::Flag => wrap: bool;
}

impl Setting {
    /// The keys of a context.
    pub fn of_context() -> impl Iterator<Item = Setting> {
        Setting::ALL.into_iter().filter(|setting| setting.place() != Place::Shell)
    }

    /// Whether it can be kept in the configuration.
    pub fn is_kept(self) -> bool {
        self.place() != Place::Shell
    }

    /// The query in a key such as `columns.QueryHost`, whose columns it sets.
    pub fn query_of_key(key: &str) -> Option<&str> {
        key.strip_prefix(Setting::Columns.name())?.strip_prefix('.')
    }

    /// The settings of the shell.
    pub fn of_shell() -> impl Iterator<Item = Setting> {
        Setting::ALL.into_iter().filter(|setting| setting.place() != Place::Context)
    }

    /// The key of a context of that name; `-` and `_` are the same.
    pub fn of_name(name: &str) -> Option<Setting> {
        let name = name.replace('_', "-");
        Setting::of_context().find(|setting| setting.name() == name)
    }

    /// The allowed values in a context; empty if other values are possible, too.
    pub fn values(self) -> &'static [&'static str] {
        match self.kind() {
            Kind::OneOf(values) => values,
            Kind::Flag => &["true", "false"],
            Kind::Confirmation => &["true", "false", "strict"],
            _ => &[],
        }
    }

    /// As [`Setting::values`], in the shell.
    pub fn shell_values(self) -> &'static [&'static str] {
        match self.kind() {
            Kind::Flag | Kind::Pager => &["on", "off"],
            Kind::Confirmation => &["on", "off", "strict"],
            _ => self.values(),
        }
    }

    /// A value of the configuration as the shell says it.
    pub fn in_shell(self, kept: String) -> String {
        match kept.as_str() {
            "true" if self.shell_values().contains(&"on") => "on".to_owned(),
            "false" if self.shell_values().contains(&"off") => "off".to_owned(),
            _ => kept,
        }
    }

    /// The largest number, where the value is one.
    pub fn most(self) -> u32 {
        self.kind().most()
    }

    /// Whether its value is a file name.
    pub fn is_file(self) -> bool {
        self.kind() == Kind::File
    }

    /// The key with the most similar name.
    pub(super) fn closest(name: &str) -> Option<&'static str> {
        closest(name, Setting::of_context().map(Setting::name))
    }

    /// The value in TOML.
    ///
    /// # Errors
    /// A description of what is wrong with the value.
    pub(super) fn value(self, text: &str) -> Result<toml_edit::Value, String> {
        Ok(match (self.kind(), text) {
            (Kind::Flag | Kind::Confirmation, "true" | "yes" | "on") => true.into(),
            (Kind::Flag | Kind::Confirmation, "false" | "no" | "off") => false.into(),
            (Kind::Confirmation, "strict") => text.into(),
            (Kind::Flag | Kind::Confirmation, _) => return Err(not_one_of(text, self.values())),
            (Kind::Number | Kind::UpTo(_), _) => number(text)?.into(),
            _ => text.into(),
        })
    }
}

/// The type of a preference.
trait Kept: Sized {
    /// Reads it from the configuration.
    fn read(value: &toml_edit::Value, kind: Kind) -> Result<Self, String>;

    /// The text for `context set`.
    fn text(&self) -> String;
}

impl Kept for String {
    fn read(value: &toml_edit::Value, kind: Kind) -> Result<String, String> {
        if kind == Kind::Names {
            return names(value);
        }
        let text = value.as_str().ok_or_else(|| format!("text is expected, not {}", value.type_name()))?;
        check(kind, text)?;
        Ok(text.to_owned())
    }

    fn text(&self) -> String {
        self.clone()
    }
}

impl Kept for bool {
    fn read(value: &toml_edit::Value, _: Kind) -> Result<bool, String> {
        value.as_bool().ok_or_else(|| format!("true or false is expected, not {}", value.type_name()))
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

impl Kept for u32 {
    fn read(value: &toml_edit::Value, kind: Kind) -> Result<u32, String> {
        let most = kind.most();
        match value.as_integer() {
            Some(number) if (1..=i64::from(most)).contains(&number) => {
                u32::try_from(number).map_err(|error| error.to_string())
            }
            Some(number) => Err(format!("{number} is out of range")),
            None => Err(format!("a number is expected, not {}", value.type_name())),
        }
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

/// In seconds.
impl Kept for Duration {
    fn read(value: &toml_edit::Value, kind: Kind) -> Result<Duration, String> {
        u32::read(value, kind).map(|seconds| Duration::from_secs(seconds.into()))
    }

    fn text(&self) -> String {
        self.as_secs().to_string()
    }
}

impl Kept for Confirm {
    fn read(value: &toml_edit::Value, _: Kind) -> Result<Confirm, String> {
        match (value.as_bool(), value.as_str()) {
            (Some(true), _) => Ok(Confirm::On),
            (Some(false), _) => Ok(Confirm::Off),
            (None, Some("strict")) => Ok(Confirm::Strict),
            (None, _) => Err(format!("true, false or \"strict\" is expected, not {}", value.type_name())),
        }
    }

    fn text(&self) -> String {
        match self {
            Confirm::Off => "false",
            Confirm::On => "true",
            Confirm::Strict => "strict",
        }
        .to_owned()
    }
}

/// Enumerations are stored by name.
macro_rules! kept_by_name {
    ($($choice:ident),+) => {
        $(impl Kept for $choice {
            fn read(value: &toml_edit::Value, kind: Kind) -> Result<$choice, String> {
                let name = String::read(value, kind)?;
                $choice::from_name(&name).ok_or_else(|| not_one_of(&name, &$choice::NAMES))
            }

            fn text(&self) -> String {
                self.name().to_owned()
            }
        })+
    };
}

kept_by_name!(ColorChoice, ErrorFormat, Keeper);

fn not_one_of(text: &str, values: &[&str]) -> String {
    format!("`{text}` is not one of {}", values.join(", "))
}

fn check(kind: Kind, text: &str) -> Result<(), String> {
    match kind {
        Kind::OneOf(values) if !values.contains(&text) => Err(not_one_of(text, values)),
        Kind::Url => {
            let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
            match rest.map(|rest| rest.split('/').next().unwrap_or_default()) {
                None | Some("") => Err("a URL such as https://cloud.example:8443/zstack is expected".to_owned()),
                Some(authority) if authority.contains('@') => Err("a URL must not contain a password".to_owned()),
                Some(_) => Ok(()),
            }
        }
        // A build has more behind its numbers: 4.8.0-h7.
        Kind::Version
            if !text.split('-').next().is_some_and(|text| text.split('.').all(|part| part.parse::<u32>().is_ok())) =>
        {
            Err(format!("`{text}` is not a ZStack version such as 4.8.0"))
        }
        _ => Ok(()),
    }
}

fn number(text: &str) -> Result<i64, String> {
    text.parse::<i64>().ok().filter(|number| *number > 0).ok_or_else(|| format!("`{text}` is not a number above 0"))
}

/// `"a,b"` or `["a", "b"]`.
fn names(value: &toml_edit::Value) -> Result<String, String> {
    if let Some(text) = value.as_str() {
        return Ok(text.to_owned());
    }
    let list = value.as_array().ok_or_else(|| format!("names are expected, not {}", value.type_name()))?;
    let names: Option<Vec<&str>> = list.iter().map(toml_edit::Value::as_str).collect();
    names.map(|names| names.join(",")).ok_or_else(|| "names are expected".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_lead_back() {
        for setting in Setting::of_context() {
            assert_eq!(Setting::of_name(setting.name()), Some(setting));
        }
        assert_eq!(Setting::of_name("page_size"), Some(Setting::PageSize));
        assert_eq!(Setting::closest("ouput"), Some("output"));
        assert_eq!(Setting::closest("password"), None);
    }

    #[test]
    fn values_are_checked_before_they_are_kept() {
        let mut preferences = Preferences::default();
        for (setting, text) in [
            (Setting::Output, "tabel"),
            (Setting::Url, "localhost"),
            (Setting::Url, "http://"),
            (Setting::Url, "http://admin:password@h/zstack"),
            (Setting::Color, "red"),
            (Setting::LogIn, "magic"),
            (Setting::PromptColor, "loud"),
        ] {
            let value = setting.value(text).expect("a text");
            assert!(setting.read(&value, &mut preferences).is_err(), "{text}");
        }
        for (setting, text) in [(Setting::Confirm, "maybe"), (Setting::PageSize, "0"), (Setting::Timeout, "soon")] {
            assert!(setting.value(text).is_err(), "{text}");
        }
        assert_eq!(preferences, Preferences::default());
        for (setting, text) in [(Setting::Confirm, "no"), (Setting::PageSize, "50"), (Setting::Url, "http://h/zstack")]
        {
            setting.read(&setting.value(text).expect("well formed"), &mut preferences).expect("well typed");
        }
        assert_eq!((preferences.confirm, preferences.page_size), (Some(Confirm::Off), Some(50)));
        let strict = Setting::Confirm.value("strict").expect("well formed");
        Setting::Confirm.read(&strict, &mut preferences).expect("well typed");
        assert_eq!(preferences.get(Setting::Confirm).as_deref(), Some("strict"));
    }
}
