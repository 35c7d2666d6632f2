//! `set`: the settings of the shell.

use crate::cli::{ColorChoice, Origin};
use crate::config::ConfirmWish;
use crate::error::{Error, OwnError};
use crate::render::{Format, Selection};
use crate::shell::complete::SETTINGS;
use crate::syntax::closest;

use super::App;
use super::output::Output;

impl App {
    /// Shows or changes a setting of the shell.
    pub(super) fn set(&mut self, name: Option<&str>, value: &str, out: &mut Output<'_>) -> Result<(), Error> {
        let Some(name) = name else {
            let text: String =
                SETTINGS.iter().map(|setting| format!("{}\t{}\n", setting.name, self.setting(setting.name))).collect();
            return Ok(out.write_text(&text)?);
        };
        let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) else {
            let closest = closest(name, SETTINGS.iter().map(|setting| setting.name)).map(str::to_owned);
            return Err(Error::Own(OwnError::NotFound { kind: "setting", name: name.to_owned(), closest }));
        };
        if value.is_empty() {
            return Ok(out.write_text(&format!("{}\n", self.setting(name)))?);
        }
        // One command alone is not followed by anything that it could hold for.
        if self.shell.is_none() && self.scripts == 0 && !self.reads_stdin {
            return Err(Error::Own(OwnError::NothingFollows));
        }
        let bad = |problem: String| Error::Own(OwnError::Value { name: name.to_owned(), problem });
        if !setting.values.is_empty() && !setting.values.contains(&value) {
            return Err(bad(format!("{value} is none of {}", setting.values.join(", "))));
        }
        let is_on = value == "on";
        let number = || value.parse::<u32>().ok().filter(|number| *number > 0);
        match name {
            "color" => {
                self.options.color = Some(match value {
                    "always" => ColorChoice::Always,
                    "never" => ColorChoice::Never,
                    _ => ColorChoice::Auto,
                });
            }
            "columns" => {
                let columns = (value != "default").then(|| value.to_owned());
                columns.as_deref().map(Selection::parse).transpose().map_err(|error| bad(error.to_string()))?;
                (self.options.columns, self.options.columns_from) = (columns, Origin::Set);
            }
            "output" => {
                let format = Format::from_name(value).map(|format| format.name().to_owned());
                (self.options.output, self.options.output_from) = (format, Origin::Set);
            }
            "page-size" => {
                self.options.page_size = Some(number().ok_or_else(|| bad("a number above zero is needed".to_owned()))?);
            }
            "timeout" => {
                let seconds = number().ok_or_else(|| bad("a number of seconds above zero is needed".to_owned()))?;
                self.options.timeout = Some(u64::from(seconds));
            }
            "pager" => self.options.no_pager = !is_on,
            "secure" => self.options.no_secure = !is_on,
            "confirm" | "live" => {
                let Some(shell) = &mut self.shell else {
                    return Err(Error::Own(OwnError::ShellOnly("this setting")));
                };
                match (name, value) {
                    ("live", _) => shell.live.set_enabled(is_on),
                    (_, "strict") => shell.confirm = Some(ConfirmWish::Strict),
                    _ => shell.confirm = Some(if is_on { ConfirmWish::On } else { ConfirmWish::Off }),
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What a setting is now.
    fn setting(&mut self, name: &str) -> String {
        let options = self.options.clone();
        let on = |flag: bool| if flag { "on" } else { "off" }.to_owned();
        match name {
            "color" => format!("{:?}", options.color.unwrap_or_default()).to_lowercase(),
            "columns" => options.columns.clone().unwrap_or_else(|| "default".to_owned()),
            "output" => options.output.clone().unwrap_or_else(|| "default".to_owned()),
            "page-size" => options.page_size.unwrap_or(1000).to_string(),
            "timeout" => options.timeout.map_or_else(|| "default".to_owned(), |seconds| seconds.to_string()),
            "pager" => on(!options.no_pager),
            "secure" => on(!options.no_secure),
            "confirm" => match self.confirm_wish(&options) {
                Ok(ConfirmWish::Strict) => "strict".to_owned(),
                Ok(ConfirmWish::On) => "on".to_owned(),
                _ => "off".to_owned(),
            },
            "live" => on(self.shell.as_ref().is_some_and(|shell| shell.live.is_enabled())),
            _ => String::new(),
        }
    }
}
