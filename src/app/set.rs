//! `set`: the settings of the shell.

use crate::cli::{ColorChoice, ErrorFormat, Origin};
use crate::config::ConfirmWish;
use crate::error::{Error, OwnError};
use crate::nearness::closest;
use crate::render::{Format, Selection, SortKey};
use crate::shell::complete::{SETTINGS, Setting};

use super::App;
use super::output::Output;

impl App {
    /// Shows or changes a setting of the shell.
    pub(super) fn set(&mut self, name: Option<&str>, value: &str, out: &mut Output<'_>) -> Result<(), Error> {
        let Some(name) = name else {
            let width = SETTINGS.iter().map(|setting| setting.name.len()).max().unwrap_or_default();
            let row = |setting: &Setting| format!("{:<width$}  {}\n", setting.name, self.setting(setting.name));
            let text: String = SETTINGS.iter().map(row).collect();
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
        // What undoes a setting is no value of it.
        let value = Some(value).filter(|value| *value != "default");
        if let Some(value) = value
            && !setting.values.is_empty()
            && !setting.values.contains(&value)
        {
            return Err(bad(format!("{value} is none of {}", setting.values.join(", "))));
        }
        let is_on = value == Some("on");
        let number = |value: &str| match value.parse::<u32>() {
            Ok(number @ 1..) => Ok(number),
            _ => Err(bad(format!("a whole number from 1 to {} is expected", u32::MAX))),
        };
        let options = &mut self.options;
        match name {
            "border" => options.border = value.map(str::to_owned),
            "color" => {
                options.color = value.map(|value| match value {
                    "always" => ColorChoice::Always,
                    "never" => ColorChoice::Never,
                    _ => ColorChoice::Auto,
                });
            }
            "columns" => {
                value.map(Selection::parse).transpose().map_err(|error| bad(error.to_string()))?;
                (options.columns, options.columns_from) = (value.map(str::to_owned), Origin::Set);
            }
            "errors" => options.errors = value.and_then(ErrorFormat::of_name),
            "max-width" => options.max_width = value.map(number).transpose()?.map(|width| width as usize),
            "output" => {
                let format = value.and_then(Format::from_name).map(|format| format.name().to_owned());
                (options.output, options.output_from) = (format, Origin::Set);
            }
            "page-size" => options.page_size = value.map(number).transpose()?,
            "sort-by" => {
                value.map(SortKey::parse).transpose().map_err(|error| bad(error.to_string()))?;
                (options.sort_by, options.sort_by_from) = (value.map(str::to_owned), Origin::Set);
            }
            "timeout" => options.timeout = value.map(number).transpose()?.map(u64::from),
            "pager" => options.no_pager = value == Some("off"),
            "secure" => options.no_secure = value == Some("off"),
            "wrap" => options.wrap = is_on,
            "confirm" | "live" => {
                let Some(shell) = &mut self.shell else {
                    return Err(Error::Own(OwnError::ShellOnly("this setting")));
                };
                match (name, value) {
                    ("live", _) => shell.live.set_enabled(value != Some("off")),
                    (_, Some("strict")) => shell.confirm = Some(ConfirmWish::Strict),
                    (_, Some(_)) => shell.confirm = Some(if is_on { ConfirmWish::On } else { ConfirmWish::Off }),
                    (_, None) => shell.confirm = None,
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
        let text = |value: Option<String>| value.unwrap_or_else(|| "default".to_owned());
        match name {
            "border" => text(options.border),
            "color" => format!("{:?}", options.color.unwrap_or_default()).to_lowercase(),
            "columns" => text(options.columns),
            "errors" => text(options.errors.map(|format| format.name().to_owned())),
            "max-width" => text(options.max_width.map(|width| width.to_string())),
            "output" => text(options.output),
            "page-size" => options.page_size.unwrap_or(1000).to_string(),
            "sort-by" => text(options.sort_by),
            "timeout" => text(options.timeout.map(|seconds| seconds.to_string())),
            "pager" => on(!options.no_pager),
            "secure" => on(!options.no_secure),
            "wrap" => on(options.wrap),
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
