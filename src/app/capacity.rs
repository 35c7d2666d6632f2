//! `capacity`: from the queries to the picture.

use crate::cli::Options;
use crate::client::{self, Answer};
use crate::commands::capacity::{self, KINDS, Style};
use crate::error::Error;
use crate::json::{Piece, Pieces, Scanner};
use crate::plan::{self, Wanted};
use crate::render::{self, Format, Shape, View};

use super::App;
use super::output::Output;

impl App {
    /// Prints how full the cloud is.
    pub(super) fn capacity(&mut self, options: &Options, out: &mut Output<'_>) -> Result<(), Error> {
        let view = self.view(options, out)?;
        let style = match view.format {
            Format::Table | Format::Wide => {
                let width = view.max_width.or(view.width);
                Style::Bars { terminal: view.terminal, roomy: width.is_none_or(|width| width >= 110) }
            }
            _ => Style::Numbers,
        };
        let mut lists = Vec::new();
        for kinds in &KINDS {
            lists.push(self.rows_of(kinds.api, options)?);
        }
        let reply = capacity::reply(&lists, style);
        // A list of one is a list still, and not a record in a block of lines.
        let format = if view.format == Format::Table { Format::Wide } else { view.format };
        let view = View { format, ..view };
        self.with_writer(out, options, |writer| {
            render::render(&mut Scanner::new(&reply[..]), &Shape::default(), &view, writer)?;
            Ok(writer.flush()?)
        })
    }

    /// The texts of all rows that a query finds.
    fn rows_of(&mut self, api: &str, options: &Options) -> Result<Vec<Vec<u8>>, Error> {
        let query = plan::rows(api, &Wanted::default(), options.page_size.unwrap_or(1000), self.catalog)?;
        let mut reply = match self.query(&query, options)? {
            Answer::Reply(reply) => reply,
            Answer::Failed(failure) => return Err(Error::Api(Box::new(failure))),
            Answer::Detached(_) => return Ok(Vec::new()),
        };
        let mut rows = Vec::new();
        while let Some(piece) = reply.next_piece().map_err(|error| client::Error::of_read(&error))? {
            if let Piece::Row(row) = piece {
                rows.push(row.to_vec());
            }
        }
        Ok(rows)
    }
}
