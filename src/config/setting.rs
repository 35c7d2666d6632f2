//! The keys of a context, with what their values may be.

use std::time::Duration;

use crate::nearness::closest;

/// The names of the output formats.
pub const FORMATS: [&str; 9] = ["table", "wide", "vertical", "json", "jsonl", "yaml", "csv", "tsv", "value"];

/// A key of a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// The node's base URL.
    Url,
    /// The account to log in as.
    Account,
    /// The user within the account.
    User,
    /// How to log in: `account`, `user`, `ldap`, `iam2` or `iam2-ldap`.
    LogIn,
    /// The output format.
    Output,
    /// The columns of tables.
    Columns,
    /// How errors are written: `text` or `json`.
    Errors,
    /// When to use colours.
    Color,
    /// The program that pages long output; `off` or empty for none.
    Pager,
    /// Rows per request.
    PageSize,
    /// How long to wait for a job, in seconds.
    Timeout,
    /// Whether and how to ask before something is deleted.
    Confirm,
    /// The colour of the context's name in the prompt.
    PromptColor,
    /// Where sessions and access keys are kept: `file` or `keyring`.
    Credentials,
    /// Certificates to trust.
    CaCert,
    /// Whether any certificate will do.
    Insecure,
    /// The node's time zone, for access keys.
    TimeZone,
    /// The ZStack version to take the node for.
    Catalog,
}

/// What a value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    OneOf(&'static [&'static str]),
    Number,
    Flag,
    /// True, false or `strict`.
    Confirmation,
    Url,
    Names,
    Version,
}

/// When to use colours, as a context says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorWish {
    /// On terminals.
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

/// When to ask before something is destroyed, as a context says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfirmWish {
    /// Never.
    Off,
    /// A yes is enough.
    On,
    /// The name has to be typed.
    Strict,
}

/// Where sessions and access keys are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keeper {
    /// In files that only their owner reads.
    #[default]
    Files,
    /// In the system's keyring.
    Keyring,
}

/// The names of colours that a prompt may have.
pub const PROMPT_COLORS: [&str; 6] = ["red", "green", "yellow", "blue", "magenta", "cyan"];

/// What a context, or the defaults for all of them, say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    /// See [`Setting::Url`].
    pub url: Option<String>,
    /// See [`Setting::Account`].
    pub account: Option<String>,
    /// See [`Setting::User`].
    pub user: Option<String>,
    /// See [`Setting::LogIn`].
    pub log_in: Option<String>,
    /// See [`Setting::Output`]: one of [`FORMATS`].
    pub output: Option<String>,
    /// See [`Setting::Columns`]: names separated by commas.
    pub columns: Option<String>,
    /// See [`Setting::Errors`].
    pub errors: Option<String>,
    /// See [`Setting::Color`].
    pub color: Option<ColorWish>,
    /// See [`Setting::Pager`].
    pub pager: Option<String>,
    /// See [`Setting::PageSize`].
    pub page_size: Option<u32>,
    /// See [`Setting::Timeout`].
    pub timeout: Option<Duration>,
    /// See [`Setting::Confirm`].
    pub confirm: Option<ConfirmWish>,
    /// See [`Setting::PromptColor`]: one of [`PROMPT_COLORS`].
    pub prompt_color: Option<String>,
    /// See [`Setting::Credentials`].
    pub credentials: Option<Keeper>,
    /// See [`Setting::CaCert`].
    pub cacert: Option<String>,
    /// See [`Setting::Insecure`].
    pub insecure: Option<bool>,
    /// See [`Setting::TimeZone`].
    pub time_zone: Option<String>,
    /// See [`Setting::Catalog`].
    pub catalog: Option<String>,
}

/// All keys with their names.
const SETTINGS: [(Setting, &str, Kind); 18] = [
    (Setting::Url, "url", Kind::Url),
    (Setting::Account, "account", Kind::Text),
    (Setting::User, "user", Kind::Text),
    (Setting::LogIn, "login", Kind::OneOf(&["account", "user", "ldap", "iam2", "iam2-ldap"])),
    (Setting::Output, "output", Kind::OneOf(&FORMATS)),
    (Setting::Columns, "columns", Kind::Names),
    (Setting::Errors, "errors", Kind::OneOf(&["text", "json"])),
    (Setting::Color, "color", Kind::OneOf(&["auto", "always", "never"])),
    (Setting::Pager, "pager", Kind::Text),
    (Setting::PageSize, "page-size", Kind::Number),
    (Setting::Timeout, "timeout", Kind::Number),
    (Setting::Confirm, "confirm", Kind::Confirmation),
    (Setting::PromptColor, "prompt-color", Kind::OneOf(&PROMPT_COLORS)),
    (Setting::Credentials, "credentials", Kind::OneOf(&["file", "keyring"])),
    (Setting::CaCert, "cacert", Kind::Text),
    (Setting::Insecure, "insecure", Kind::Flag),
    (Setting::TimeZone, "time-zone", Kind::Text),
    (Setting::Catalog, "catalog", Kind::Version),
];

impl Setting {
    /// The key of that name; `-` and `_` are the same.
    pub fn of_name(name: &str) -> Option<Setting> {
        let name = name.replace('_', "-");
        SETTINGS.iter().find(|(_, known, _)| *known == name).map(|(setting, _, _)| *setting)
    }

    /// The names of all keys.
    pub fn names() -> impl Iterator<Item = &'static str> {
        SETTINGS.iter().map(|(_, name, _)| *name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        SETTINGS.iter().find(|(setting, _, _)| *setting == self).map_or("", |(_, name, _)| *name)
    }

    /// What its value must be one of; nothing where it may be more than that.
    #[cfg(test)]
    pub(crate) fn values(self) -> &'static [&'static str] {
        match self.kind() {
            Kind::OneOf(values) => values,
            Kind::Flag => &["true", "false"],
            Kind::Confirmation => &["true", "false", "strict"],
            _ => &[],
        }
    }

    fn kind(self) -> Kind {
        SETTINGS.iter().find(|(setting, _, _)| *setting == self).map_or(Kind::Text, |(_, _, kind)| *kind)
    }

    /// The key whose name looks most like this one.
    pub(super) fn closest(name: &str) -> Option<&'static str> {
        closest(name, Setting::names())
    }

    /// The value as TOML has it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn value(self, text: &str) -> Result<toml_edit::Value, String> {
        Ok(match self.kind() {
            Kind::Flag => match text {
                "true" | "yes" | "on" => true.into(),
                "false" | "no" | "off" => false.into(),
                _ => return Err(format!("`{text}` is neither true nor false")),
            },
            Kind::Confirmation => match text {
                "true" | "yes" | "on" => true.into(),
                "false" | "no" | "off" => false.into(),
                "strict" => text.into(),
                _ => return Err(format!("`{text}` is none of true, false, strict")),
            },
            Kind::Number => number(text)?.into(),
            _ => text.into(),
        })
    }

    /// Takes a value of the configuration over.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn read(self, value: &toml_edit::Value, into: &mut Preferences) -> Result<(), String> {
        let kind = self.kind();
        let text = || {
            value.as_str().map(str::to_owned).ok_or_else(|| format!("a text is expected, not {}", value.type_name()))
        };
        let flag = || value.as_bool().ok_or_else(|| format!("true or false is expected, not {}", value.type_name()));
        let positive = || match value.as_integer() {
            Some(number @ 1..=1_000_000_000) => Ok(number),
            Some(number) => Err(format!("{number} is out of range")),
            None => Err(format!("a number is expected, not {}", value.type_name())),
        };
        let checked = || {
            let text = text()?;
            check(kind, &text).map(|()| text)
        };
        match self {
            Setting::Url => into.url = Some(checked()?),
            Setting::Account => into.account = Some(checked()?),
            Setting::User => into.user = Some(checked()?),
            Setting::LogIn => into.log_in = Some(checked()?),
            Setting::Output => into.output = Some(checked()?),
            Setting::Columns => into.columns = Some(names(value)?),
            Setting::Errors => into.errors = Some(checked()?),
            Setting::Color => {
                into.color = Some(match checked()?.as_str() {
                    "always" => ColorWish::Always,
                    "never" => ColorWish::Never,
                    _ => ColorWish::Auto,
                });
            }
            Setting::Pager => into.pager = Some(checked()?),
            Setting::PageSize => {
                into.page_size = Some(u32::try_from(positive()?).map_err(|error| error.to_string())?);
            }
            Setting::Timeout => {
                into.timeout =
                    Some(Duration::from_secs(u64::try_from(positive()?).map_err(|error| error.to_string())?));
            }
            Setting::Confirm => {
                into.confirm = Some(match (value.as_bool(), value.as_str()) {
                    (Some(true), _) => ConfirmWish::On,
                    (Some(false), _) => ConfirmWish::Off,
                    (None, Some("strict")) => ConfirmWish::Strict,
                    (None, _) => {
                        return Err(format!("true, false or \"strict\" is expected, not {}", value.type_name()));
                    }
                });
            }
            Setting::PromptColor => into.prompt_color = Some(checked()?),
            Setting::Credentials => {
                let keyring = checked()? == "keyring";
                into.credentials = Some(if keyring { Keeper::Keyring } else { Keeper::Files });
            }
            Setting::CaCert => into.cacert = Some(checked()?),
            Setting::Insecure => into.insecure = Some(flag()?),
            Setting::TimeZone => into.time_zone = Some(checked()?),
            Setting::Catalog => into.catalog = Some(checked()?),
        }
        Ok(())
    }
}

impl Preferences {
    /// A preference as text, as it stands in the file.
    pub fn get(&self, setting: Setting) -> Option<String> {
        let flag = |value: Option<bool>| value.map(|value| value.to_string());
        match setting {
            Setting::Url => self.url.clone(),
            Setting::Account => self.account.clone(),
            Setting::User => self.user.clone(),
            Setting::LogIn => self.log_in.clone(),
            Setting::Output => self.output.clone(),
            Setting::Columns => self.columns.clone(),
            Setting::Errors => self.errors.clone(),
            Setting::Color => self.color.map(|wish| {
                match wish {
                    ColorWish::Auto => "auto",
                    ColorWish::Always => "always",
                    ColorWish::Never => "never",
                }
                .to_owned()
            }),
            Setting::Pager => self.pager.clone(),
            Setting::PageSize => self.page_size.map(|size| size.to_string()),
            Setting::Timeout => self.timeout.map(|timeout| timeout.as_secs().to_string()),
            Setting::Confirm => self.confirm.map(|wish| {
                match wish {
                    ConfirmWish::Off => "false",
                    ConfirmWish::On => "true",
                    ConfirmWish::Strict => "strict",
                }
                .to_owned()
            }),
            Setting::PromptColor => self.prompt_color.clone(),
            Setting::Credentials => self.credentials.map(|keeper| {
                match keeper {
                    Keeper::Files => "file",
                    Keeper::Keyring => "keyring",
                }
                .to_owned()
            }),
            Setting::CaCert => self.cacert.clone(),
            Setting::Insecure => flag(self.insecure),
            Setting::TimeZone => self.time_zone.clone(),
            Setting::Catalog => self.catalog.clone(),
        }
    }

    /// What these say, and the others where these say nothing.
    pub fn or(self, others: Preferences) -> Preferences {
        Preferences {
            url: self.url.or(others.url),
            account: self.account.or(others.account),
            user: self.user.or(others.user),
            log_in: self.log_in.or(others.log_in),
            output: self.output.or(others.output),
            columns: self.columns.or(others.columns),
            errors: self.errors.or(others.errors),
            color: self.color.or(others.color),
            pager: self.pager.or(others.pager),
            page_size: self.page_size.or(others.page_size),
            timeout: self.timeout.or(others.timeout),
            confirm: self.confirm.or(others.confirm),
            prompt_color: self.prompt_color.or(others.prompt_color),
            credentials: self.credentials.or(others.credentials),
            cacert: self.cacert.or(others.cacert),
            insecure: self.insecure.or(others.insecure),
            time_zone: self.time_zone.or(others.time_zone),
            catalog: self.catalog.or(others.catalog),
        }
    }
}

fn check(kind: Kind, text: &str) -> Result<(), String> {
    match kind {
        Kind::OneOf(values) if !values.contains(&text) => Err(format!("`{text}` is not one of {}", values.join(", "))),
        Kind::Url => {
            let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
            match rest.map(|rest| rest.split('/').next().unwrap_or_default()) {
                None | Some("") => Err("a URL such as https://cloud.example:8443/zstack is expected".to_owned()),
                Some(authority) if authority.contains('@') => Err("a URL holds no password here".to_owned()),
                Some(_) => Ok(()),
            }
        }
        // A build has more behind its numbers: 4.8.0-h7.
        Kind::Version
            if !text.split('-').next().is_some_and(|text| text.split('.').all(|part| part.parse::<u32>().is_ok())) =>
        {
            Err(format!("`{text}` is no ZStack version such as 4.8.0"))
        }
        _ => Ok(()),
    }
}

fn number(text: &str) -> Result<i64, String> {
    text.parse::<i64>().ok().filter(|number| *number > 0).ok_or_else(|| format!("`{text}` is no number above 0"))
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
        for (setting, name, _) in SETTINGS {
            assert_eq!(Setting::of_name(name), Some(setting));
            assert_eq!(setting.name(), name);
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
        assert_eq!((preferences.confirm, preferences.page_size), (Some(ConfirmWish::Off), Some(50)));
        let strict = Setting::Confirm.value("strict").expect("well formed");
        Setting::Confirm.read(&strict, &mut preferences).expect("well typed");
        assert_eq!(preferences.get(Setting::Confirm).as_deref(), Some("strict"));
    }
}
