//! Converts settings to views.

use crate::config::{Origin, Sourced};
use crate::error::Error;
use crate::nearness::closest;
use crate::render::{Border, Filter, Format, Selection, SortKey, View};
use crate::secret;

use super::shape;
use crate::session::{Invocation, ViewSettings};
use crate::terminal::Screen;

/// The format of the settings.
fn format(settings: &ViewSettings, screen: Screen) -> Result<Format, Error> {
    let Some(Sourced { value: name, origin }) = &settings.output else {
        // The outputs of a filter have any shape.
        return Ok(if screen.terminal && settings.jq.is_none() { Format::Table } else { Format::Json });
    };
    Format::from_name(name).ok_or_else(|| {
        let names = Format::ALL.map(Format::name);
        let meant = closest(name, names).map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        let problem = format!("invalid output format \"{name}\": expected {}{meant}", names.join(", "));
        wrong("output", origin, problem)
    })
}

/// The view for the output of a command. Ctrl-C ends its filter.
pub(crate) fn of_settings(cx: &Invocation<'_>) -> Result<View, Error> {
    with(cx, &cx.settings.view)
}

/// As [`of_settings`], for the rows of an API.
pub(crate) fn of_api(cx: &Invocation<'_>, api: &str) -> Result<View, Error> {
    with(cx, &cx.settings.view.of_api(api))
}

/// As [`of_settings`], with other settings of the view.
pub(crate) fn with(cx: &Invocation<'_>, settings: &ViewSettings) -> Result<View, Error> {
    let mut view = view(settings, cx.out.screen(&cx.settings.ui))?;
    let interrupt = cx.session.interrupt.clone();
    view.filter = view.filter.map(|filter| filter.until(move || interrupt.is_set()));
    Ok(view)
}

/// As [`of_settings`], for an output with these properties.
pub(crate) fn on_screen(settings: &ViewSettings, screen: Screen) -> Result<View, Error> {
    view(settings, screen)
}

/// The view of the settings.
fn view(settings: &ViewSettings, screen: Screen) -> Result<View, Error> {
    let columns = match &settings.columns {
        Some(Sourced { value: text, origin }) => {
            let selection = Selection::parse(text).map_err(|error| wrong("columns", origin, error.to_string()))?;
            Some(Selection { saved: *origin != Origin::Typed, ..selection })
        }
        None => None,
    };
    let border = match settings.border.as_deref() {
        Some(name) => Some(Border::from_name(name).ok_or_else(|| {
            let names = Border::ALL.map(Border::name).join(", ");
            Error::Option { option: "border", problem: format!("invalid border \"{name}\": expected {names}") }
        })?),
        None => None,
    };
    let sort_by = match &settings.sort_by {
        Some(Sourced { value: text, origin }) => {
            let key = SortKey::parse(text).map_err(|error| wrong("sort-by", origin, error.to_string()))?;
            Some(if *origin == Origin::Typed { key } else { key.saved() })
        }
        None => None,
    };
    let filter = match settings.jq.as_deref() {
        Some(expression) => Some(Filter::compile(expression).map_err(|error| Error::Option {
            option: "jq",
            problem: format!("{} at character {} of {expression}", error.message, error.span.start + 1),
        })?),
        None => None,
    };
    Ok(View {
        columns,
        sort_by,
        filter,
        raw: settings.raw,
        summary: settings.summary,
        width: screen.width.filter(|_| screen.terminal),
        max_width: settings.max_width,
        terminal: screen.terminal,
        colour: screen.colour,
        ascii: screen.ascii,
        secrets: settings.secrets,
        is_secret: secret::member_is_secret,
        mask: secret::mask_value,
        header: settings.header,
        wrap: settings.wrap,
        border,
        knows: shape::knows,
        ..View::new(format(settings, screen)?)
    })
}

/// The error for a value, with the name under which it was given.
fn wrong(option: &'static str, origin: &Origin, problem: String) -> Error {
    match origin {
        Origin::Typed => Error::Option { option, problem },
        origin => Error::Preference { option, origin: origin.clone(), problem },
    }
}
