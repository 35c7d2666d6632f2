//! Output formats for people and programs.
//!
//! A reply is read as [`Pieces`] and written immediately, so that memory does not grow with the number of rows. A
//! [`View`] says how it is printed, a [`Shape`] what is known about its rows. The JSON formats reformat the reply's own
//! text; the others pick values out of that text.
//!
//! This module does not know about APIs, HTTP or terminals: the caller passes the terminal width, whether there is a
//! terminal, and which members are secret. Tables of rows are laid out here and not by a library, since libraries need
//! all rows before they print the first (see ARCHITECTURE.md for figures); the summary, whose size is bounded, is laid
//! out by comfy-table.

mod cell;
mod columns;
mod defaults;
mod delimited;
mod error;
mod filter;
mod fit;
mod frame;
mod grid;
mod json;
mod jsonl;
mod marks;
mod ordered;
mod output;
mod piece;
mod project;
mod rows;
mod runs;
mod size;
mod sort;
mod style;
mod summary;
mod table;
#[cfg(test)]
mod testing;
mod vertical;
mod view;
mod yaml;

use std::io::Write;

pub use columns::{Column, Selection, SelectionError};
pub(crate) use defaults::common_columns;
pub use error::{Error, Holder};
pub use filter::Filter;
pub(crate) use fit::wrapped;
pub use grid::{check_columns, default_members};
pub use marks::{Change, Marks, Snapshot};
pub use size::human_size;
pub(crate) use size::{counts_bytes, integral};
pub use sort::{SortKey, Sorted};
pub(crate) use style::Tone;
pub use view::{Border, Failed, Field, FieldKind, Format, Shape, View};

use crate::json::{Pieces, Scanner};

/// What was printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// How many rows the reply had; of a reply that only counts, how many it counted. 1 for a reply without a
    /// list, 0 for one without anything.
    pub rows: u64,
    /// The reply's `total`, where it has one.
    pub total: Option<u64>,
    /// The columns of a table that did not fit the terminal and were left out.
    pub hidden: Vec<String>,
}

/// Prints the reply that `pieces` yields to `out`, as `view` says.
///
/// # Errors
/// [`Error::Read`] when the reply breaks off or is not JSON, [`Error::Write`] when `out` fails (a closed pipe at
/// once), [`Error::UnknownColumn`] before anything is printed.
pub fn render(pieces: &mut dyn Pieces, shape: &Shape, view: &View, out: &mut dyn Write) -> Result<Rendered, Error> {
    let mut output = output::Output::new(out);
    let mut sorted;
    let pieces = match &view.sort_by {
        Some(key) => {
            sorted = sort::Sorted::new(pieces, key, shape, view)?;
            &mut sorted
        }
        None => pieces,
    };
    let mut counted = rows::CountedRows::new(pieces);
    if view.summary {
        let mut summary = summary::Summary::new(shape);
        rows::walk(&mut counted, &mut summary)?;
        if view.format.is_for_people() {
            summary.print(view, &mut output)?;
        } else {
            print(&mut Scanner::new(&summary.reply()[..]), &Shape::default(), view, &mut output)?;
        }
        output.finish()?;
        return Ok(counted.rendered());
    }
    let printed = match &view.filter {
        None => print(&mut counted, shape, view, &mut output),
        Some(filter) => match view.format {
            Format::Json | Format::Jsonl | Format::Yaml | Format::Value => {
                filter::write(&mut counted, filter, view, &mut output).map(|()| Vec::new())
            }
            // What a filter yields has whatever shape it likes.
            _ => print(&mut filter::FilteredRows::new(&mut counted, filter), &Shape::default(), view, &mut output),
        },
    };
    // What a filter yielded before it failed stands, as with jq. Of a reply that broke off nothing more is written.
    if matches!(printed, Ok(_) | Err(Error::Filter { .. })) {
        output.finish()?;
    }
    Ok(Rendered { hidden: printed?, ..counted.rendered() })
}

/// Prints a reply in a format; the titles of columns that were left out.
fn print(
    pieces: &mut dyn Pieces,
    shape: &Shape,
    view: &View,
    output: &mut output::Output<'_>,
) -> Result<Vec<String>, Error> {
    match view.format {
        Format::Json | Format::Yaml | Format::Jsonl => {
            let chosen = view.columns.as_ref().is_some_and(|selection| !selection.added);
            if chosen {
                document(&mut project::Projected::new(pieces, shape, view)?, view, output)?;
            } else {
                document(pieces, view, output)?;
            }
        }
        Format::Csv | Format::Tsv | Format::Value => {
            rows::walk(pieces, &mut delimited::Delimited::new(shape, view, output))?;
        }
        Format::Table | Format::Wide => {
            let mut table = table::Table::new(shape, view, output);
            rows::walk(pieces, &mut table)?;
            return Ok(table.into_hidden());
        }
        Format::Vertical => rows::walk(pieces, &mut vertical::Vertical::new(shape, view, output))?,
    }
    Ok(Vec::new())
}

/// The formats that print the reply and not a choice of it.
fn document(pieces: &mut dyn Pieces, view: &View, output: &mut output::Output<'_>) -> Result<(), Error> {
    match view.format {
        Format::Yaml => yaml::write(pieces, view, output),
        Format::Jsonl => jsonl::write(pieces, view, output),
        _ => json::write(pieces, view, output),
    }
}
