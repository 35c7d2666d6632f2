//! Counts the rows of a query, also if the node does not report the total (R15).

use super::call::Reply;
use super::call::Unwatched;
use super::caller::Client;
use super::error::Error;
use super::failure::ApiFailure;
use super::page::Page;
use super::pages::{Fetcher, fetch};
use crate::json::{Piece, Pieces, ReadError};
use crate::plan::{Cursor, QueryPlan};

impl Client {
    /// The number of rows; the sum of all parts if the conditions had to be split. Some queries have no total in their
    /// answers (R15): their rows are fetched and counted.
    pub(super) fn count(&mut self, plan: &QueryPlan) -> Result<Result<u64, ApiFailure>, Error> {
        let mut total = 0;
        for part in 0..plan.parts().max(1) {
            match fetch(self, plan, part, &Cursor::Start, &mut Unwatched)? {
                Err(failure) => return Ok(Err(failure)),
                Ok(page) => match page.total() {
                    Some(number) => total += number,
                    None => return self.count_rows(plan),
                },
            }
        }
        Ok(Ok(total))
    }

    /// The number of rows, by fetching them.
    fn count_rows(&mut self, plan: &QueryPlan) -> Result<Result<u64, ApiFailure>, Error> {
        let mut fetcher = Fetcher::new(self.fork(), plan.counted_rows());
        let mut total = 0;
        while !fetcher.done {
            let mut page: Page = match fetcher.next() {
                Err(Error::Failed { failure }) => return Ok(Err(*failure)),
                page => page?,
            };
            total += page.rows.len() as u64;
            let Some(rest) = &mut page.rest else { continue };
            while let Some(piece) = rest.next_piece().map_err(|error| Error::of_read(&error))? {
                match piece {
                    Piece::Row(_) => total += 1,
                    Piece::EndRows => break,
                    Piece::Member { .. } | Piece::Rows { .. } => {}
                }
            }
        }
        Ok(Ok(total))
    }
}

/// Whether the requested total was received.
enum Total {
    /// Not yet. If it is missing, the rows are counted with this client.
    Awaited { client: Box<Client>, plan: Box<QueryPlan> },
    /// It was received or counted.
    Told,
}

/// Adds the total to a reply if the node left it out (R15).
pub(super) struct WithTotal {
    reply: Reply,
    total: Total,
    counted: String,
}

impl WithTotal {
    /// Wraps the reply of a plan. The client counts the rows if necessary.
    pub(super) fn new(reply: Reply, client: Client, plan: QueryPlan) -> WithTotal {
        let total = Total::Awaited { client: Box::new(client), plan: Box::new(plan) };
        WithTotal { reply, total, counted: String::new() }
    }
}

impl Pieces for WithTotal {
    fn next_piece(&mut self) -> Result<Option<Piece<'_>>, ReadError> {
        let WithTotal { reply, total, counted: text } = self;
        let piece = reply.next_piece()?;
        match (&piece, &mut *total) {
            (Some(Piece::Member { name: "total", .. }), _) => *total = Total::Told,
            (None, Total::Awaited { client, plan }) => {
                let counted = client
                    .count_rows(plan)
                    .and_then(|counted| counted.map_err(|failure| Error::Failed { failure: Box::new(failure) }));
                let counted = counted.map_err(|error| ReadError::Read(error.into()))?;
                *text = counted.to_string();
                *total = Total::Told;
                return Ok(Some(Piece::Member { name: "total", text: text.as_bytes() }));
            }
            _ => {}
        }
        Ok(piece)
    }
}
