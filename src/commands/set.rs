//! `set`: the settings of the shell.

use crate::calls::confirm;
use crate::cli::{ColorChoice, ErrorFormat};
use crate::config::{Confirm, Setting};
use crate::error::{Error, OwnError};
use crate::nearness::closest;
use crate::render::{Format, Selection, SortKey};
use crate::session::{BaseOptions, Invocation, Session};
use crate::shell::Flow;

/// Shows or changes a setting of the shell.
pub(super) fn run(cx: &mut Invocation<'_>, name: Option<&str>, value: &str) -> Result<Flow, Error> {
    let Some(name) = name else {
        let width = Setting::of_shell().map(|setting| setting.name().len()).max().unwrap_or_default();
        let row = |setting: Setting| format!("{:<width$}  {}\n", setting.name(), shown(cx, setting));
        let text: String = Setting::of_shell().map(row).collect();
        cx.out.write_text(&text)?;
        return Ok(Flow::Continue);
    };
    let Some(setting) = Setting::of_shell().find(|setting| setting.name() == name) else {
        let closest = closest(name, Setting::of_shell().map(Setting::name)).map(str::to_owned);
        return Err(Error::Own(OwnError::NotFound { kind: "setting", name: name.to_owned(), closest }));
    };
    if value.is_empty() {
        let text = shown(cx, setting);
        cx.out.write_text(&format!("{text}\n"))?;
        return Ok(Flow::Continue);
    }
    // A single command has no later lines.
    if cx.session.prompt.is_none() && cx.session.scripts == 0 && !cx.session.reads_stdin {
        return Err(Error::Own(OwnError::NothingFollows));
    }
    // The word that resets a setting is not a value.
    let value = Some(value).filter(|value| *value != "default");
    let values = setting.shell_values();
    if let Some(value) = value.filter(|value| !values.is_empty() && !values.contains(value)) {
        return Err(bad(name, format!("`{value}` is not one of {}", values.join(", "))));
    }
    match setting {
        Setting::Confirm | Setting::Live => set_of_shell(cx.session, setting, value)?,
        _ => set(&mut cx.session.base, setting, value)?,
    }
    Ok(Flow::Continue)
}

/// Changes what holds for every line. Without a value what `set` or the program's options said before is undone.
fn set(base: &mut BaseOptions, setting: Setting, value: Option<&str>) -> Result<(), Error> {
    let name = setting.name();
    let number = || value.map(|value| number(name, value, setting.most())).transpose();
    match setting {
        Setting::MaxWidth => base.set(name).max_width = number()?.map(|width| width as usize),
        Setting::PageSize => base.set(name).page_size = number()?,
        Setting::PageParallel => base.set(name).page_parallel = number()?,
        Setting::Timeout => base.set(name).timeout = number()?.map(u64::from),
        Setting::Columns => {
            value.map(Selection::parse).transpose().map_err(|error| bad(name, error.to_string()))?;
            base.set(name).columns = value.map(str::to_owned);
        }
        Setting::SortBy => {
            value.map(SortKey::parse).transpose().map_err(|error| bad(name, error.to_string()))?;
            base.set(name).sort_by = value.map(str::to_owned);
        }
        Setting::Border => base.set(name).border = value.map(str::to_owned),
        Setting::Color => {
            base.set(name).color = value.and_then(ColorChoice::from_name);
        }
        Setting::Errors => base.set(name).errors = value.and_then(ErrorFormat::from_name),
        Setting::Output => {
            base.set(name).output = value.and_then(Format::from_name).map(|format| format.name().to_owned());
        }
        Setting::Names => base.no_names = value == Some("off"),
        Setting::Pager => base.set(name).no_pager = value == Some("off"),
        Setting::Secure => base.set(name).no_secure = value == Some("off"),
        Setting::Wrap => base.set(name).wrap = value == Some("on"),
        _ => {}
    }
    Ok(())
}

/// Changes a setting of the interactive shell.
fn set_of_shell(session: &mut Session, setting: Setting, value: Option<&str>) -> Result<(), Error> {
    let Some(prompt) = &session.prompt else {
        return Err(Error::Own(OwnError::ShellOnly("this setting")));
    };
    if setting == Setting::Live {
        prompt.live.set_enabled(value != Some("off"));
        return Ok(());
    }
    session.base.confirm = value.map(|value| match value {
        "strict" => Confirm::Strict,
        "on" => Confirm::On,
        _ => Confirm::Off,
    });
    Ok(())
}

fn number(name: &str, value: &str, most: u32) -> Result<u32, Error> {
    match value.parse::<u32>() {
        Ok(number) if (1..=most).contains(&number) => Ok(number),
        _ => Err(bad(name, format!("a whole number from 1 to {most} is expected"))),
    }
}

fn bad(name: &str, problem: String) -> Error {
    Error::Own(OwnError::Value { name: name.to_owned(), problem })
}

/// The current value of a setting.
fn shown(cx: &Invocation<'_>, setting: Setting) -> String {
    let options = &cx.session.base.options;
    let on = |flag: bool| if flag { "on" } else { "off" }.to_owned();
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "default".to_owned());
    match setting {
        Setting::Border => text(&options.border),
        Setting::Color => options.color.unwrap_or_default().name().to_owned(),
        Setting::Columns => text(&options.columns),
        Setting::Errors => text(&options.errors.map(|format| format.name().to_owned())),
        Setting::MaxWidth => text(&options.max_width.map(|width| width.to_string())),
        Setting::Output => text(&options.output),
        Setting::PageSize => options.page_size.unwrap_or(1000).to_string(),
        Setting::PageParallel => text(&options.page_parallel.map(|pages| pages.to_string())),
        Setting::SortBy => text(&options.sort_by),
        Setting::Timeout => text(&options.timeout.map(|seconds| seconds.to_string())),
        Setting::Names => on(!cx.session.base.no_names),
        Setting::Pager => on(!options.no_pager),
        Setting::Secure => on(!options.no_secure),
        Setting::Wrap => on(options.wrap),
        Setting::Confirm => match confirm::confirmation(cx.session, cx.settings) {
            Confirm::Strict => "strict".to_owned(),
            Confirm::On => "on".to_owned(),
            Confirm::Off => "off".to_owned(),
        },
        Setting::Live => on(cx.session.prompt.as_ref().is_some_and(|prompt| prompt.live.is_enabled())),
        _ => String::new(),
    }
}
