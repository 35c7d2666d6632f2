//! How results are to look, from the options.

use crate::cli::{Options, Origin};
use crate::error::Error;
use crate::nearness::closest;
use crate::render::{Border, Filter, Format, Selection, SortKey, View};
use crate::secret;
use crate::secret::Secrets;

use super::output::Output;
use super::{App, shape};

/// Where results go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Screen {
    /// Whether it is a terminal.
    pub(super) terminal: bool,
    /// How wide it is, in columns.
    pub(super) width: Option<usize>,
    /// Whether to colour.
    pub(super) colour: bool,
    /// Whether to draw in ASCII.
    pub(super) ascii: bool,
}

/// The format that the options ask for.
pub(super) fn format(options: &Options, screen: Screen) -> Result<Format, Error> {
    let Some(name) = options.output.as_deref() else {
        // What a filter yields has whatever shape it likes.
        return Ok(if screen.terminal && options.jq.is_none() { Format::Table } else { Format::Json });
    };
    Format::from_name(name).ok_or_else(|| {
        let names = Format::ALL.map(Format::name);
        let meant = closest(name, names).map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        let problem = format!("{name} is no format: {}{meant}", names.join(", "));
        wrong("output", &options.output_from, problem)
    })
}

impl App {
    /// The view that the options ask for, of what goes to `out`. Ctrl-C ends its filter.
    pub(super) fn view(&self, options: &Options, out: &Output<'_>) -> Result<View, Error> {
        let mut view = view(options, self.screen_of(out, options))?;
        let interrupt = self.interrupt.clone();
        view.filter = view.filter.map(|filter| filter.until(move || interrupt.is_set()));
        Ok(view)
    }
}

/// The view that the options ask for.
fn view(options: &Options, screen: Screen) -> Result<View, Error> {
    let columns = match options.columns.as_deref() {
        Some(text) => {
            let origin = &options.columns_from;
            let selection = Selection::parse(text).map_err(|error| wrong("columns", origin, error.to_string()))?;
            Some(Selection { saved: *origin != Origin::Typed, ..selection })
        }
        None => None,
    };
    let border = match options.border.as_deref() {
        Some(name) => Some(Border::from_name(name).ok_or_else(|| {
            let names = Border::ALL.map(Border::name).join(", ");
            Error::Option { option: "border", problem: format!("{name} is none of {names}") }
        })?),
        None => None,
    };
    let sort_by = match options.sort_by.as_deref() {
        Some(text) => {
            let origin = &options.sort_by_from;
            let key = SortKey::parse(text).map_err(|error| wrong("sort-by", origin, error.to_string()))?;
            Some(if *origin == Origin::Typed { key } else { key.saved() })
        }
        None => None,
    };
    let filter = match options.jq.as_deref() {
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
        raw: options.raw,
        summary: options.summary,
        width: screen.width.filter(|_| screen.terminal),
        max_width: options.max_width,
        terminal: screen.terminal,
        colour: screen.colour,
        ascii: screen.ascii,
        secrets: secrets(options),
        is_secret: secret::member_is_secret,
        mask: secret::mask_value,
        header: !options.no_header,
        wrap: options.wrap,
        border,
        knows: shape::knows,
        ..View::new(format(options, screen)?)
    })
}

/// What is wrong with a value, by the name under which it was given.
fn wrong(option: &'static str, origin: &Origin, problem: String) -> Error {
    match origin {
        Origin::Typed => Error::Option { option, problem },
        origin => Error::Preference { option, origin: origin.clone(), problem },
    }
}

/// Whether secrets may be shown.
pub(super) fn secrets(options: &Options) -> Secrets {
    if options.no_secure { Secrets::Shown } else { Secrets::Masked }
}
