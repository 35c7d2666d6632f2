//! Replies in the formats that people and programs read.
//!
//! A reply comes in [`Pieces`](crate::json::Pieces), and what is made of it goes to a writer at once: memory does
//! not grow with the number of rows. How it looks is a [`View`]; what is known of its rows is a [`Shape`]. The
//! JSON formats lay the reply's own text out again; the others pick values out of that text.
//!
//! This module knows no API, no HTTP and no terminal: the caller says how wide the terminal is, whether there is
//! one, and which members are secret. Tables are drawn here and not by a table library, since those need every
//! row before they print the first; the one table whose size is bounded, the summary, is laid out by comfy-table.

mod cell;
mod columns;
mod defaults;
mod delimited;
mod error;
mod grid;
mod json;
mod jsonl;
mod output;
mod project;
mod rows;
mod size;
mod style;
mod table;
#[cfg(test)]
mod testing;
mod vertical;
mod view;
mod yaml;

use std::io::Write;

pub use columns::{Column, Selection, SelectionError};
pub use error::Error;
pub use size::human_size;
pub use view::{Border, Field, FieldKind, Format, Shape, View};

use crate::json::Pieces;

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
    let mut counted = rows::Counted::new(pieces);
    let mut hidden = Vec::new();
    match view.format {
        Format::Json | Format::Yaml | Format::Jsonl => {
            let chosen = view.columns.as_ref().is_some_and(|selection| !selection.added);
            if chosen {
                document(&mut project::Projected::new(&mut counted, shape, view)?, view, &mut output)?;
            } else {
                document(&mut counted, view, &mut output)?;
            }
        }
        Format::Csv | Format::Tsv | Format::Value => {
            rows::walk(&mut counted, &mut delimited::Delimited::new(shape, view, &mut output))?;
        }
        Format::Table | Format::Wide => {
            let mut table = table::Table::new(shape, view, &mut output);
            rows::walk(&mut counted, &mut table)?;
            hidden = table.into_hidden();
        }
        Format::Vertical => rows::walk(&mut counted, &mut vertical::Vertical::new(shape, view, &mut output))?,
    }
    output.finish()?;
    Ok(Rendered { hidden, ..counted.rendered() })
}

/// The formats that print the reply and not a choice of it.
fn document(pieces: &mut dyn Pieces, view: &View, output: &mut output::Output<'_>) -> Result<(), Error> {
    match view.format {
        Format::Yaml => yaml::write(pieces, view, output),
        Format::Jsonl => jsonl::write(pieces, view, output),
        _ => json::write(pieces, view, output),
    }
}
