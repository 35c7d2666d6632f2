//! `set`: the settings of the shell.

use crate::calls::confirm;
use crate::catalog::Catalog;
use crate::cli::{ColorChoice, ErrorFormat};
use crate::config::{Confirm, Contexts, Setting};
use crate::error::{Error, OwnError};
use crate::nearness::nearest;
use crate::render::{Format, Selection, SortKey};
use crate::session::{BaseOptions, Invocation, Session};
use crate::shell::Flow;

/// Shows or changes a setting of the shell. With `save` it is kept for good.
pub(super) fn run(cx: &mut Invocation<'_>, name: Option<&str>, value: &[String], save: bool) -> Result<Flow, Error> {
    let Some(name) = name else {
        let rows: Vec<(String, String)> = Setting::of_shell().flat_map(|setting| rows(cx, setting)).collect();
        let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        let text: String = rows.iter().map(|(name, value)| format!("{name:<width$}  {value}\n")).collect();
        cx.out.write_text(&text)?;
        return Ok(Flow::Continue);
    };
    let Some(setting) = Setting::of_shell().find(|setting| setting.name() == name) else {
        let near = nearest(name, Setting::of_shell().map(Setting::name)).into_iter().map(str::to_owned).collect();
        return Err(Error::Own(OwnError::NotFound { kind: "setting", name: name.to_owned(), near }));
    };
    let (query, value) = match value.split_first() {
        // Columns are one word, and what stands before them is a query.
        Some((first, rest)) if setting == Setting::Columns => match query_called(cx.session.catalog, first) {
            Ok(query) => (Some(query), rest.join(" ")),
            Err(_) if rest.is_empty() => (None, first.clone()),
            Err(error) => return Err(error),
        },
        _ => (None, value.join(" ")),
    };
    if value.is_empty() {
        let text = match query {
            Some(query) => columns_of(cx, query).unwrap_or_else(|| "default".to_owned()),
            None => shown(cx, setting),
        };
        cx.out.write_text(&format!("{text}\n"))?;
        return Ok(Flow::Continue);
    }
    // A single command has no later lines.
    if !cx.session.has_later_lines() && !save {
        return Err(Error::Own(OwnError::NothingFollows("set")));
    }
    // The word that resets a setting is not a value.
    let value = Some(value.as_str()).filter(|value| *value != "default");
    let values = setting.shell_values();
    if let Some(value) = value.filter(|value| !values.is_empty() && !values.contains(value)) {
        return Err(bad(name, format!("`{value}` is not one of {}", values.join(", "))));
    }
    if save && !setting.is_kept() {
        return Err(bad(name, "it holds for this shell only and cannot be saved".to_owned()));
    }
    match (setting, query) {
        (_, Some(query)) => set_columns_of(cx, query, value)?,
        (Setting::Confirm, _) if save && cx.session.prompt.is_none() => {}
        (Setting::Confirm | Setting::Live, _) => set_of_shell(cx.session, setting, value)?,
        _ => set(&mut cx.session.base, setting, value)?,
    }
    if save {
        keep(cx, setting, query, value)?;
    }
    Ok(Flow::Continue)
}

/// The query of that name.
///
/// # Errors
/// [`OwnError::NotFound`] with the closest names.
pub(super) fn query_called(catalog: Catalog, name: &str) -> Result<&'static str, Error> {
    let api = catalog.api_ignoring_case(name).filter(|api| api.is_query);
    api.map(|api| api.name).ok_or_else(|| {
        let queries = catalog.api_names().filter(|api| api.is_query()).map(|api| api.as_str());
        let near = nearest(name, queries).into_iter().map(str::to_owned).collect();
        Error::Own(OwnError::NotFound { kind: "query", name: name.to_owned(), near })
    })
}

/// Changes the columns of one query. Without a value those of all queries hold for it again.
fn set_columns_of(cx: &mut Invocation<'_>, query: &'static str, value: Option<&str>) -> Result<(), Error> {
    value.map(Selection::parse).transpose().map_err(|error| bad("columns", error.to_string()))?;
    let columns = &mut cx.session.base.columns_of;
    match value {
        Some(value) => columns.insert(query, value.to_owned()),
        None => columns.remove(query),
    };
    Ok(())
}

/// Writes a setting to the configuration, for all contexts.
fn keep(cx: &mut Invocation<'_>, setting: Setting, query: Option<&str>, value: Option<&str>) -> Result<(), Error> {
    let key = query.map_or_else(|| setting.name().to_owned(), |query| format!("{}.{query}", setting.name()));
    // The pager of the system is none that is named.
    let value = value.filter(|value| setting != Setting::Pager || *value != "on");
    let folders = cx.session.environment.folders()?.clone();
    let contexts = Contexts::set_defaults(&folders, &[(&key, value)])?;
    let context = cx.settings.target.context.as_deref().and_then(|name| contexts.get(name));
    let differs = context.filter(|context| match query {
        Some(query) => context.own.columns_of.contains_key(query),
        None => context.own.get(setting).is_some(),
    });
    if let Some(context) = differs {
        let name = &context.name;
        cx.settings.ui.warn(&format!("context {name} has its own; `context set {name} {key}=` removes it"));
    }
    cx.session.set_contexts(contexts);
    Ok(())
}

/// The settings of a name with their values: columns can be set for single queries.
fn rows(cx: &Invocation<'_>, setting: Setting) -> Vec<(String, String)> {
    let name = setting.name();
    let mut rows = vec![(name.to_owned(), shown(cx, setting))];
    if setting == Setting::Columns {
        let columns = cx.settings.view.columns_of.iter();
        rows.extend(columns.map(|(query, columns)| (format!("{name} {query}"), columns.value.clone())));
    }
    rows
}

/// The columns that were set for one query.
fn columns_of(cx: &Invocation<'_>, query: &str) -> Option<String> {
    let mut columns = cx.settings.view.columns_of.iter();
    columns.find(|(known, _)| known.eq_ignore_ascii_case(query)).map(|(_, columns)| columns.value.clone())
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
        Setting::Names => base.names = value.map(|value| value == "on"),
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

/// The current value of a setting: what `set` or an option said, what is kept, or the default.
fn shown(cx: &Invocation<'_>, setting: Setting) -> String {
    let base = &cx.session.base;
    let options = &base.options;
    let on = |flag: bool| if flag { "on" } else { "off" }.to_owned();
    let said = match setting {
        Setting::Border => options.border.clone(),
        Setting::Color => options.color.map(|color| color.name().to_owned()),
        Setting::Columns => options.columns.clone(),
        Setting::Errors => options.errors.map(|format| format.name().to_owned()),
        Setting::MaxWidth => options.max_width.map(|width| width.to_string()),
        Setting::Output => options.output.clone(),
        Setting::PageSize => options.page_size.map(|rows| rows.to_string()),
        Setting::PageParallel => options.page_parallel.map(|pages| pages.to_string()),
        Setting::SortBy => options.sort_by.clone(),
        Setting::Timeout => options.timeout.map(|seconds| seconds.to_string()),
        Setting::Names => base.names.map(on),
        Setting::Pager => options.no_pager.then(|| on(false)),
        Setting::Secure => Some(on(!options.no_secure)),
        Setting::Wrap => (options.wrap || base.has_set(setting.name())).then(|| on(options.wrap)),
        Setting::Confirm => Some(match confirm::confirmation(cx.session, cx.settings) {
            Confirm::Strict => "strict".to_owned(),
            Confirm::On => on(true),
            Confirm::Off => on(false),
        }),
        Setting::Live => Some(on(cx.session.prompt.as_ref().is_some_and(|prompt| prompt.live.is_enabled()))),
        _ => None,
    };
    let kept = || cx.settings.preferences.get(setting).map(|value| setting.in_shell(value));
    said.or_else(kept).unwrap_or_else(|| match setting {
        Setting::Color => ColorChoice::default().name().to_owned(),
        Setting::PageSize => "1000".to_owned(),
        Setting::Names | Setting::Pager => on(true),
        Setting::Wrap => on(false),
        _ => "default".to_owned(),
    })
}
