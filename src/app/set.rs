//! `set`: the settings of the shell.

use crate::cli::{ColorChoice, ErrorFormat, Origin};
use crate::config::{ConfirmWish, Setting};
use crate::error::{Error, OwnError};
use crate::nearness::closest;
use crate::render::{Format, Selection, SortKey};

use super::App;
use super::output::Output;

impl App {
    /// Shows or changes a setting of the shell.
    pub(super) fn set(&mut self, name: Option<&str>, value: &str, out: &mut Output<'_>) -> Result<(), Error> {
        let Some(name) = name else {
            let width = Setting::of_shell().map(|setting| setting.name().len()).max().unwrap_or_default();
            let row = |setting: Setting| format!("{:<width$}  {}\n", setting.name(), self.setting(setting));
            let text: String = Setting::of_shell().map(row).collect();
            return Ok(out.write_text(&text)?);
        };
        let Some(setting) = Setting::of_shell().find(|setting| setting.name() == name) else {
            let closest = closest(name, Setting::of_shell().map(Setting::name)).map(str::to_owned);
            return Err(Error::Own(OwnError::NotFound { kind: "setting", name: name.to_owned(), closest }));
        };
        if value.is_empty() {
            return Ok(out.write_text(&format!("{}\n", self.setting(setting)))?);
        }
        // One command alone is not followed by anything that it could hold for.
        if self.shell.is_none() && self.scripts == 0 && !self.reads_stdin {
            return Err(Error::Own(OwnError::NothingFollows));
        }
        let bad = |problem: String| Error::Own(OwnError::Value { name: name.to_owned(), problem });
        // What resets a setting is not a value of it.
        let value = Some(value).filter(|value| *value != "default");
        let values = setting.shell_values();
        if let Some(value) = value.filter(|value| !values.is_empty() && !values.contains(value)) {
            return Err(bad(format!("`{value}` is not one of {}", values.join(", "))));
        }
        let is_on = value == Some("on");
        let number = |value: &str| match value.parse::<u32>() {
            Ok(number @ 1..) => Ok(number),
            _ => Err(bad(format!("a whole number from 1 to {} is expected", u32::MAX))),
        };
        let options = &mut self.options;
        match setting {
            Setting::Border => options.border = value.map(str::to_owned),
            Setting::Color => options.color = value.and_then(ColorChoice::from_name),
            Setting::Columns => {
                value.map(Selection::parse).transpose().map_err(|error| bad(error.to_string()))?;
                (options.columns, options.columns_from) = (value.map(str::to_owned), Origin::Set);
            }
            Setting::Errors => options.errors = value.and_then(ErrorFormat::from_name),
            Setting::MaxWidth => options.max_width = value.map(number).transpose()?.map(|width| width as usize),
            Setting::Output => {
                let format = value.and_then(Format::from_name).map(|format| format.name().to_owned());
                (options.output, options.output_from) = (format, Origin::Set);
            }
            Setting::PageSize => options.page_size = value.map(number).transpose()?,
            Setting::SortBy => {
                value.map(SortKey::parse).transpose().map_err(|error| bad(error.to_string()))?;
                (options.sort_by, options.sort_by_from) = (value.map(str::to_owned), Origin::Set);
            }
            Setting::Timeout => options.timeout = value.map(number).transpose()?.map(u64::from),
            Setting::Pager => options.no_pager = value == Some("off"),
            Setting::Secure => options.no_secure = value == Some("off"),
            Setting::Wrap => options.wrap = is_on,
            Setting::Confirm | Setting::Live => {
                let Some(shell) = &mut self.shell else {
                    return Err(Error::Own(OwnError::ShellOnly("this setting")));
                };
                match (setting, value) {
                    (Setting::Live, _) => shell.live.set_enabled(value != Some("off")),
                    (_, Some("strict")) => shell.confirm = Some(ConfirmWish::Strict),
                    (_, Some(_)) => shell.confirm = Some(if is_on { ConfirmWish::On } else { ConfirmWish::Off }),
                    (_, None) => shell.confirm = None,
                }
            }
            // Keys of contexts alone are not found above.
            _ => {}
        }
        Ok(())
    }

    /// What a setting is now.
    fn setting(&mut self, setting: Setting) -> String {
        let options = self.options.clone();
        let on = |flag: bool| if flag { "on" } else { "off" }.to_owned();
        let text = |value: Option<String>| value.unwrap_or_else(|| "default".to_owned());
        match setting {
            Setting::Border => text(options.border),
            Setting::Color => options.color.unwrap_or_default().name().to_owned(),
            Setting::Columns => text(options.columns),
            Setting::Errors => text(options.errors.map(|format| format.name().to_owned())),
            Setting::MaxWidth => text(options.max_width.map(|width| width.to_string())),
            Setting::Output => text(options.output),
            Setting::PageSize => options.page_size.unwrap_or(1000).to_string(),
            Setting::SortBy => text(options.sort_by),
            Setting::Timeout => text(options.timeout.map(|seconds| seconds.to_string())),
            Setting::Pager => on(!options.no_pager),
            Setting::Secure => on(!options.no_secure),
            Setting::Wrap => on(options.wrap),
            Setting::Confirm => match self.confirm_wish(&options) {
                Ok(ConfirmWish::Strict) => "strict".to_owned(),
                Ok(ConfirmWish::On) => "on".to_owned(),
                _ => "off".to_owned(),
            },
            Setting::Live => on(self.shell.as_ref().is_some_and(|shell| shell.live.is_enabled())),
            _ => String::new(),
        }
    }
}
