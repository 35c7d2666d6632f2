//! `capacity`: the used capacity of hosts, primary storages and backup storages.

use crate::calls::{send, view};
use crate::client::{self, Answer};
use crate::error::Error;
use crate::json::{HELD_COST, MEMORY_LIMIT, Piece, Pieces, ReadError, Scanner};
use crate::plan::{self, Wanted};
use crate::render::{self, Format, Shape, View};
use crate::session::Invocation;
use crate::shell::Flow;

use super::capacity_rows::{KINDS, Style, reply};

/// Prints the used capacity.
pub(super) fn run(cx: &mut Invocation<'_>) -> Result<Flow, Error> {
    let view = view::of_settings(cx)?;
    let style = match view.format {
        Format::Table | Format::Wide => {
            let width = view.max_width.or(view.width);
            Style::Bars { terminal: view.terminal, roomy: width.is_none_or(|width| width >= 110) }
        }
        _ => Style::Numbers,
    };
    let mut lists = Vec::new();
    for kinds in &KINDS {
        lists.push(rows_of(cx, kinds.api)?);
    }
    let reply = reply(&lists, style);
    // A list of one row is printed as a table, too.
    let format = if view.format == Format::Table { Format::Wide } else { view.format };
    let view = View { format, ..view };
    cx.write(|writer| {
        render::render(&mut Scanner::new(&reply[..]), &Shape::default(), &view, writer)?;
        Ok(writer.flush()?)
    })?;
    Ok(Flow::Continue)
}

/// The texts of all rows of a query.
fn rows_of(cx: &mut Invocation<'_>, api: &str) -> Result<Vec<Vec<u8>>, Error> {
    let query = plan::rows(api, &Wanted::default(), cx.settings.call.page_size.value, cx.session.catalog)?;
    let mut reply = match send::query(cx, &query)? {
        Answer::Reply(reply) => reply,
        Answer::Failed(failure) => return Err(Error::Api(Box::new(failure))),
        Answer::Detached(_) => return Ok(Vec::new()),
    };
    Ok(held_rows(&mut reply, MEMORY_LIMIT).map_err(|error| client::Error::of_read(&error))?)
}

/// The rows of a reply, unless they take more than `limit` bytes.
fn held_rows(reply: &mut dyn Pieces, limit: usize) -> Result<Vec<Vec<u8>>, ReadError> {
    let mut rows = Vec::new();
    let mut size = 0;
    while let Some(piece) = reply.next_piece()? {
        if let Piece::Row(row) = piece {
            size += row.len() + HELD_COST;
            if size > limit {
                return Err(ReadError::TooMuch { limit });
            }
            rows.push(row.to_vec());
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_beyond_the_limit_are_an_error() {
        let held = |limit| held_rows(&mut Scanner::new(&br#"{"inventories":[{"a":1},{"a":2}]}"#[..]), limit);
        assert_eq!(held(2 * (7 + HELD_COST)).expect("they fit").len(), 2);
        assert!(matches!(held(HELD_COST), Err(ReadError::TooMuch { limit: HELD_COST })));
    }
}
