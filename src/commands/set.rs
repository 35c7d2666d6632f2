//! `set`: the settings of the shell.

use crate::calls::confirm;
use crate::cli::{ColorChoice, ErrorFormat};
use crate::config::ConfirmWish;
use crate::error::{Error, OwnError};
use crate::nearness::closest;
use crate::render::{Format, Selection, SortKey};
use crate::session::{Held, Invocation, Session};
use crate::shell::Flow;
use crate::shell::complete::{SETTINGS, Setting};

/// Shows or changes a setting of the shell.
pub(super) fn run(cx: &mut Invocation<'_>, name: Option<&str>, value: &str) -> Result<Flow, Error> {
    let Some(name) = name else {
        let width = SETTINGS.iter().map(|setting| setting.name.len()).max().unwrap_or_default();
        let row = |setting: &Setting| format!("{:<width$}  {}\n", setting.name, shown(cx, setting.name));
        let text: String = SETTINGS.iter().map(row).collect();
        cx.out.write_text(&text)?;
        return Ok(Flow::Continue);
    };
    let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) else {
        let closest = closest(name, SETTINGS.iter().map(|setting| setting.name)).map(str::to_owned);
        return Err(Error::Own(OwnError::NotFound { kind: "setting", name: name.to_owned(), closest }));
    };
    if value.is_empty() {
        let text = shown(cx, name);
        cx.out.write_text(&format!("{text}\n"))?;
        return Ok(Flow::Continue);
    }
    // One command alone is not followed by anything that it could hold for.
    if cx.session.prompt.is_none() && cx.session.scripts == 0 && !cx.session.reads_stdin {
        return Err(Error::Own(OwnError::NothingFollows));
    }
    // What undoes a setting is no value of it.
    let value = Some(value).filter(|value| *value != "default");
    if let Some(value) = value
        && !setting.values.is_empty()
        && !setting.values.contains(&value)
    {
        return Err(bad(name, format!("{value} is none of {}", setting.values.join(", "))));
    }
    match name {
        "confirm" | "live" => set_of_shell(cx.session, name, value)?,
        _ => set(&mut cx.session.held, setting.name, value)?,
    }
    Ok(Flow::Continue)
}

/// Changes what holds for every line. Without a value what `set` or the program's options said before is undone.
fn set(held: &mut Held, name: &'static str, value: Option<&str>) -> Result<(), Error> {
    let number = || value.map(|value| number(name, value)).transpose();
    match name {
        "max-width" => held.set(name).max_width = number()?.map(|width| width as usize),
        "page-size" => held.set(name).page_size = number()?,
        "timeout" => held.set(name).timeout = number()?.map(u64::from),
        "columns" => {
            value.map(Selection::parse).transpose().map_err(|error| bad(name, error.to_string()))?;
            held.set(name).columns = value.map(str::to_owned);
        }
        "sort-by" => {
            value.map(SortKey::parse).transpose().map_err(|error| bad(name, error.to_string()))?;
            held.set(name).sort_by = value.map(str::to_owned);
        }
        "border" => held.set(name).border = value.map(str::to_owned),
        "color" => {
            held.set(name).color = value.map(|value| match value {
                "always" => ColorChoice::Always,
                "never" => ColorChoice::Never,
                _ => ColorChoice::Auto,
            });
        }
        "errors" => held.set(name).errors = value.and_then(ErrorFormat::of_name),
        "output" => {
            held.set(name).output = value.and_then(Format::from_name).map(|format| format.name().to_owned());
        }
        "pager" => held.set(name).no_pager = value == Some("off"),
        "secure" => held.set(name).no_secure = value == Some("off"),
        "wrap" => held.set(name).wrap = value == Some("on"),
        _ => {}
    }
    Ok(())
}

/// Changes what the interactive shell alone has.
fn set_of_shell(session: &mut Session, name: &str, value: Option<&str>) -> Result<(), Error> {
    let Some(prompt) = &session.prompt else {
        return Err(Error::Own(OwnError::ShellOnly("this setting")));
    };
    if name == "live" {
        prompt.live.set_enabled(value != Some("off"));
        return Ok(());
    }
    session.held.confirm = value.map(|value| match value {
        "strict" => ConfirmWish::Strict,
        "on" => ConfirmWish::On,
        _ => ConfirmWish::Off,
    });
    Ok(())
}

fn number(name: &str, value: &str) -> Result<u32, Error> {
    match value.parse::<u32>() {
        Ok(number @ 1..) => Ok(number),
        _ => Err(bad(name, format!("a whole number from 1 to {} is expected", u32::MAX))),
    }
}

fn bad(name: &str, problem: String) -> Error {
    Error::Own(OwnError::Value { name: name.to_owned(), problem })
}

/// What a setting is now.
fn shown(cx: &Invocation<'_>, name: &str) -> String {
    let options = &cx.session.held.options;
    let on = |flag: bool| if flag { "on" } else { "off" }.to_owned();
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "default".to_owned());
    match name {
        "border" => text(&options.border),
        "color" => format!("{:?}", options.color.unwrap_or_default()).to_lowercase(),
        "columns" => text(&options.columns),
        "errors" => text(&options.errors.map(|format| format.name().to_owned())),
        "max-width" => text(&options.max_width.map(|width| width.to_string())),
        "output" => text(&options.output),
        "page-size" => options.page_size.unwrap_or(1000).to_string(),
        "sort-by" => text(&options.sort_by),
        "timeout" => text(&options.timeout.map(|seconds| seconds.to_string())),
        "pager" => on(!options.no_pager),
        "secure" => on(!options.no_secure),
        "wrap" => on(options.wrap),
        "confirm" => match confirm::wish(cx.session, cx.settings) {
            ConfirmWish::Strict => "strict".to_owned(),
            ConfirmWish::On => "on".to_owned(),
            ConfirmWish::Off => "off".to_owned(),
        },
        "live" => on(cx.session.prompt.as_ref().is_some_and(|prompt| prompt.live.is_enabled())),
        _ => String::new(),
    }
}
