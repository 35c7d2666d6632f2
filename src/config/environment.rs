//! The process environment, read once.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use crate::language::Language;
use crate::picture::Drawing;
use crate::secret::Secret;
use crate::width::terminal_size;

use super::error::Error;

/// The variables with which the user logs in.
const SESSION_UUID: &str = "ZSTACK_SESSION_UUID";
const ACCESS_KEY_ID: &str = "ZSTACK_ACCESS_KEY_ID";
const ACCESS_KEY_SECRET: &str = "ZSTACK_ACCESS_KEY_SECRET";
const PASSWORD: &str = "ZSTACK_PASSWORD";
const CREDENTIALS: [&str; 4] = [SESSION_UUID, ACCESS_KEY_ID, ACCESS_KEY_SECRET, PASSWORD];

/// The variables of the environment that users set, and what they are for.
pub const VARIABLES: [(&[&str], &str); 10] = [
    (&["ZSTACK_URL", "ZSTACK_HOST", "ZSTACK_PORT", "ZSTACK_CONTEXT"], "which node"),
    (&[PASSWORD, SESSION_UUID], "how to log in"),
    (&[ACCESS_KEY_ID, ACCESS_KEY_SECRET], "or how to sign requests"),
    (&["ZSTACK_OUTPUT", "ZSTACK_ERRORS"], "formats of results and of errors"),
    (&["ZSTACK_LANG"], "language of help and hints: en or zh_CN; default that of the locale"),
    (&["ZSTACK_CLI_HOME"], "one directory for all files of the program"),
    (&["ZSTACK_SANDBOX_SPEED"], "how many times faster the jobs of --sandbox are"),
    (&["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR"], "colours, as usual"),
    (&["PAGER", "LESS"], "as usual"),
    (&["http_proxy", "https_proxy", "no_proxy"], "as usual"),
];

/// A program to start, without the variables with which the user logs in: it does not need them, and the programs that it
/// starts in turn may show them.
pub fn program(name: &str) -> std::process::Command {
    let mut command = std::process::Command::new(name);
    for variable in CREDENTIALS {
        command.env_remove(variable);
    }
    command
}

/// What the program takes from the environment's variables. Empty ones count as not set.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    /// `ZSTACK_HOST`.
    pub host: Option<String>,
    /// `ZSTACK_PORT`, not yet checked.
    pub port: Option<String>,
    /// `ZSTACK_URL`.
    pub url: Option<String>,
    /// `ZSTACK_CONTEXT`.
    pub context: Option<String>,
    /// `ZSTACK_SESSION_UUID`.
    pub session_uuid: Option<Secret>,
    /// `ZSTACK_ACCESS_KEY_ID`.
    pub access_key_id: Option<String>,
    /// `ZSTACK_ACCESS_KEY_SECRET`.
    pub access_key_secret: Option<Secret>,
    /// `ZSTACK_PASSWORD`.
    pub password: Option<Secret>,
    /// `ZSTACK_OUTPUT`.
    pub output: Option<String>,
    /// `ZSTACK_ERRORS`, not yet checked.
    pub errors: Option<String>,
    /// `ZSTACK_SANDBOX_SPEED`, if it is a number above zero.
    pub sandbox_speed: Option<f64>,
    /// Whether to use colours, as `NO_COLOR`, `CLICOLOR_FORCE`, `FORCE_COLOR` and `CLICOLOR` say; the first that is set
    /// counts.
    pub color: Option<bool>,
    /// `PAGER`.
    pub pager: Option<String>,
    /// `LESS`, the options of a pager.
    pub less: Option<String>,
    /// `TERM`.
    pub term: Option<String>,
    /// How the terminal shows pictures, if it does.
    pub drawing: Option<Drawing>,
    /// `http_proxy`, or `all_proxy`. In lower case only, as for curl: a web server may set `HTTP_PROXY` from a header.
    pub http_proxy: Option<Secret>,
    /// `https_proxy` or `HTTPS_PROXY`, or `all_proxy`.
    pub https_proxy: Option<Secret>,
    /// `no_proxy` or `NO_PROXY`.
    pub no_proxy: Option<String>,
    /// What the user reads, as `ZSTACK_LANG` says, or the locale of `LC_ALL`, `LC_MESSAGES` or `LANG`.
    pub language: Language,
    /// Whether `LC_ALL`, `LC_CTYPE` or `LANG` name a locale of UTF-8.
    pub unicode: bool,
}

impl Variables {
    /// The variable that chooses the node, if one is set.
    pub fn node(&self) -> Option<&'static str> {
        let set = [
            ("ZSTACK_URL", self.url.is_some()),
            ("ZSTACK_HOST", self.host.is_some()),
            ("ZSTACK_PORT", self.port.is_some()),
            ("ZSTACK_CONTEXT", self.context.is_some()),
        ];
        set.into_iter().find(|(_, is_set)| *is_set).map(|(name, _)| name)
    }

    /// Reads the variables with a function.
    pub fn read(mut value: impl FnMut(&str) -> Option<OsString>) -> Variables {
        let mut text = |name: &str| {
            let value = value(name)?.into_string().ok()?;
            (!value.is_empty()).then_some(value)
        };
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(&mut text);
        let characters = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(&mut text).unwrap_or_default();
        let characters = characters.to_ascii_lowercase();
        let unicode = characters.contains("utf-8") || characters.contains("utf8");
        // All text is UTF-8, which a locale of another character set garbles.
        let is_shown = unicode || !characters.contains('.');
        let language = text("ZSTACK_LANG").or_else(|| locale.filter(|_| is_shown));
        let all_proxies = text("all_proxy").or_else(|| text("ALL_PROXY"));
        Variables {
            host: text("ZSTACK_HOST"),
            port: text("ZSTACK_PORT"),
            url: text("ZSTACK_URL"),
            context: text("ZSTACK_CONTEXT"),
            session_uuid: text(SESSION_UUID).map(Secret::from),
            access_key_id: text(ACCESS_KEY_ID),
            access_key_secret: text(ACCESS_KEY_SECRET).map(Secret::from),
            password: text(PASSWORD).map(Secret::from),
            output: text("ZSTACK_OUTPUT"),
            errors: text("ZSTACK_ERRORS"),
            sandbox_speed: text("ZSTACK_SANDBOX_SPEED")
                .and_then(|text| text.parse().ok())
                .filter(|speed: &f64| speed.is_finite() && *speed > 0.0),
            color: wanted_color(&mut text),
            pager: text("PAGER"),
            less: text("LESS"),
            term: text("TERM"),
            http_proxy: text("http_proxy").or_else(|| all_proxies.clone()).map(Secret::from),
            https_proxy: text("https_proxy").or_else(|| text("HTTPS_PROXY")).or(all_proxies).map(Secret::from),
            no_proxy: text("no_proxy").or_else(|| text("NO_PROXY")),
            unicode,
            language: language.map(|name| Language::of_locale(&name)).unwrap_or_default(),
            drawing: Drawing::of_terminal(text),
        }
    }
}

/// Whether the user wants colours everywhere (`Some(true)`), nowhere (`Some(false)`), or on terminals.
fn wanted_color(mut variable: impl FnMut(&str) -> Option<String>) -> Option<bool> {
    if variable("NO_COLOR").is_some() {
        return Some(false);
    }
    match variable("CLICOLOR_FORCE").or_else(|| variable("FORCE_COLOR")).as_deref() {
        Some("0" | "false") | None => variable("CLICOLOR").is_some_and(|value| value == "0").then_some(false),
        Some(_) => Some(true),
    }
}

/// The directories of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// `config.toml`.
    pub config: PathBuf,
    /// Sessions, history, jobs and other state of this machine.
    pub state: PathBuf,
    /// The sandbox's database.
    pub data: PathBuf,
}

impl Folders {
    /// All of it under one directory.
    pub fn under(home: &Path) -> Folders {
        Folders { config: home.to_owned(), state: home.join("state"), data: home.join("data") }
    }

    /// The platform's directories for this user.
    fn of_platform() -> Option<Folders> {
        let known = directories::ProjectDirs::from("", "", "zstack-cli")?;
        Some(Folders {
            config: known.config_dir().to_owned(),
            state: known.state_dir().unwrap_or_else(|| known.data_local_dir()).to_owned(),
            data: known.data_dir().to_owned(),
        })
    }
}

/// The environment of the process. `main` creates it once; tests create their own.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// The environment variables.
    pub variables: Variables,
    /// Whether standard input is a terminal.
    pub stdin_terminal: bool,
    /// Whether standard output is a terminal.
    pub stdout_terminal: bool,
    /// Whether standard error is a terminal.
    pub stderr_terminal: bool,
    /// The terminal's width and height in characters.
    pub terminal_size: Option<(usize, usize)>,
    folders: Option<Folders>,
}

impl Environment {
    /// The width of the terminal that standard output is.
    pub fn output_width(&self) -> Option<usize> {
        self.terminal_size.filter(|_| self.stdout_terminal).map(|(width, _)| width)
    }

    /// Reads the environment of this process.
    pub fn of_process() -> Environment {
        let home = std::env::var_os("ZSTACK_CLI_HOME").filter(|home| !home.is_empty());
        let folders = match home {
            Some(home) => Some(Folders::under(Path::new(&home))),
            None => Folders::of_platform(),
        };
        Environment {
            variables: Variables::read(|name| std::env::var_os(name)),
            stdin_terminal: std::io::stdin().is_terminal(),
            stdout_terminal: std::io::stdout().is_terminal(),
            stderr_terminal: std::io::stderr().is_terminal(),
            terminal_size: terminal_size(),
            folders,
        }
    }

    /// An environment without terminals whose files are below `home`.
    pub fn under(home: &Path) -> Environment {
        Environment { folders: Some(Folders::under(home)), ..Environment::default() }
    }

    /// The directories of the program.
    ///
    /// # Errors
    /// [`Error::NoHome`] if the home directory is not known.
    pub fn folders(&self) -> Result<&Folders, Error> {
        self.folders.as_ref().ok_or(Error::NoHome)
    }

    /// Updates the size of the terminal, which may have been resized; `None` without a terminal.
    pub fn measure_terminal(&mut self) -> Option<(usize, usize)> {
        self.terminal_size = self.terminal_size.and_then(|before| terminal_size().or(Some(before)));
        self.terminal_size
    }

    /// Whether the terminal supports cursor movement.
    pub fn is_dumb_terminal(&self) -> bool {
        self.variables.term.as_deref().is_none_or(|term| term == "dumb")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Variables {
        Variables::read(|name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()))
    }

    #[test]
    fn empty_variables_count_as_not_set() {
        let variables = read(&[("ZSTACK_HOST", ""), ("NO_COLOR", ""), ("ZSTACK_URL", "http://h")]);
        assert_eq!(variables.host, None);
        assert_eq!(variables.color, None);
        assert_eq!(variables.url.as_deref(), Some("http://h"));
    }

    #[test]
    fn the_first_variable_about_colours_counts() {
        let color = |pairs: &[(&str, &str)]| read(pairs).color;
        assert_eq!(color(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]), Some(false));
        assert_eq!(color(&[("CLICOLOR_FORCE", "1"), ("CLICOLOR", "0")]), Some(true));
        assert_eq!(color(&[("FORCE_COLOR", "3")]), Some(true));
        assert_eq!(color(&[("FORCE_COLOR", "0")]), None);
        assert_eq!(color(&[("CLICOLOR_FORCE", "0"), ("CLICOLOR", "0")]), Some(false));
        assert_eq!(color(&[("CLICOLOR", "1")]), None);
    }

    #[test]
    fn the_variables_that_are_documented_are_read() {
        let mut read = vec!["ZSTACK_CLI_HOME".to_owned()];
        Variables::read(|name| {
            read.push(name.to_owned());
            None
        });
        let documented: Vec<&str> = VARIABLES.iter().flat_map(|(names, _)| names.iter().copied()).collect();
        for name in &documented {
            assert!(read.iter().any(|known| known == name), "{name} is not read");
        }
        for name in read.iter().filter(|name| name.starts_with("ZSTACK_")) {
            assert!(documented.contains(&name.as_str()), "{name} is not documented");
        }
    }

    #[test]
    fn proxies_and_language() {
        let variables = read(&[("all_proxy", "http://a"), ("HTTPS_PROXY", "http://b"), ("HTTP_PROXY", "http://evil")]);
        assert_eq!(variables.http_proxy, Some(Secret::from("http://a")));
        assert_eq!(variables.https_proxy, Some(Secret::from("http://b")));
        let language = |pairs: &[(&str, &str)]| read(pairs).language;
        assert_eq!(language(&[("LANG", "zh_CN.UTF-8")]), Language::Chinese);
        assert_eq!(language(&[("LC_ALL", "en_US.UTF-8"), ("LANG", "zh_CN.UTF-8")]), Language::English);
        assert_eq!(language(&[("LC_ALL", "zh_CN.UTF-8"), ("ZSTACK_LANG", "en")]), Language::English);
        assert_eq!(language(&[("LC_ALL", "C"), ("ZSTACK_LANG", "zh_CN")]), Language::Chinese);
        assert_eq!(language(&[("LANG", "zh_CN")]), Language::Chinese);
        assert_eq!(language(&[("LANG", "zh_CN.GB18030")]), Language::English);
        assert!(read(&[("LANG", "C.utf8")]).unicode && read(&[("LC_CTYPE", "en_US.UTF-8"), ("LANG", "C")]).unicode);
        assert!(!read(&[("LC_ALL", "C"), ("LANG", "en_US.UTF-8")]).unicode && !read(&[]).unicode);
    }

    #[test]
    fn debug_hides_secrets() {
        let text = format!("{:?}", read(&[("ZSTACK_PASSWORD", "hunter2"), ("ZSTACK_SESSION_UUID", "5d0c")]));
        assert!(!text.contains("hunter2") && !text.contains("5d0c"), "{text}");
    }
}
