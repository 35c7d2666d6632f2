//! Reads all rows of a query page by page, as one reply.
//!
//! Each request asks for the rows after the key of the last one, so that no row is missed or duplicated while others
//! are created and deleted. If the user wants another order, pages are requested by offset and duplicates are dropped.
//! While one page is printed, the next is fetched; the rest of a long query is requested in ranges, several at once. A
//! node that ignores limits sends everything as the first page, which is streamed.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use super::call::{Answer, CallOptions, Reply, Unwatched, Watch};
use super::caller::Client;
use super::error::Error;
use super::failure::ApiFailure;
use super::page::{Key, Page, Rows, Seen, are_sorted};
use super::ranges::{Beginning, ONE_BY_ONE, Ranges};
use super::totals::WithTotal;
use crate::json::{Piece, Pieces, ReadError};
use crate::plan::{self, Cursor, Extent, QueryPlan};

impl Client {
    /// Runs a planned query. If it asks for all rows, further pages are fetched while the reply is read;
    /// [`Error::of_read`] gets the error of a later page from the [`ReadError`].
    ///
    /// # Errors
    /// As [`Client::execute`].
    pub fn query(&mut self, plan: &QueryPlan, options: &CallOptions, watch: &mut dyn Watch) -> Result<Answer, Error> {
        let answer = match &plan.answer {
            plan::Answer::Groups { field } => return self.groups(plan, field),
            plan::Answer::Count => {
                return Ok(match self.count(plan)? {
                    Ok(total) => Answer::Reply(Reply::of_text(format!("{{\"total\":{total}}}").into_bytes())),
                    Err(failure) => Answer::Failed(failure),
                });
            }
            plan::Answer::Rows { .. } => self.rows(plan, options, watch)?,
        };
        match answer {
            Answer::Reply(reply) if plan.answer == (plan::Answer::Rows { with_total: true }) => {
                Ok(Answer::Reply(Reply::of_pieces(Box::new(WithTotal::new(reply, self.fork(), plan.clone())))))
            }
            answer => Ok(answer),
        }
    }

    fn rows(&mut self, plan: &QueryPlan, options: &CallOptions, watch: &mut dyn Watch) -> Result<Answer, Error> {
        let one_request = plan.parts() <= 1 && !matches!(plan.extent, Extent::All { .. });
        if one_request && !plan.is_zql {
            return self.execute(&plan.request(0, &Cursor::Start), options, watch);
        }
        let mut fetcher = Fetcher::new(self.fork(), plan.clone());
        let first = match fetcher.next_watched(watch) {
            Ok(page) => page,
            Err(Error::Failed { failure }) => return Ok(Answer::Failed(*failure)),
            Err(error) => return Err(error),
        };
        self.reached = true;
        let more = (!fetcher.done).then(|| fetcher.spawn(options.page_parallel));
        Ok(Answer::Reply(Reply::of_pieces(Box::new(Pages::new(first, more, plan.parts() > 1)))))
    }
}

pub(super) fn fetch(
    client: &mut Client,
    plan: &QueryPlan,
    part: usize,
    cursor: &Cursor,
    watch: &mut dyn Watch,
) -> Result<Result<Page, ApiFailure>, Error> {
    // A page is read completely before its rows are used, so that it can be fetched again if it is cut off.
    let mut tries = 0;
    // After the first page, and if the conditions were split, rows may be duplicates and have to be compared.
    let most = match plan.extent {
        Extent::All { page_size } if plan.parts() <= 1 && *cursor == Cursor::Start => page_size as usize,
        _ => usize::MAX,
    };
    loop {
        tries += 1;
        match client.execute(&plan.request(part, cursor), &CallOptions::default(), watch)? {
            Answer::Failed(failure) => return Ok(Err(failure)),
            Answer::Detached(_) => return Err(Error::Reply { flaw: "a query that became a job".to_owned() }),
            Answer::Reply(mut reply) => {
                let page = if plan.is_zql { Page::read_zql(&mut reply) } else { Page::read_at_most(reply, most) };
                match page {
                    Err(Error::Reply { .. } | Error::CutShort { .. }) if tries < 3 => {}
                    page => return page.map(Ok),
                }
            }
        }
    }
}

/// A page, `None` at the end, or an error.
type Fetched = Result<Option<Page>, Error>;

/// Fetches pages one after the other.
pub(super) struct Fetcher {
    client: Client,
    plan: QueryPlan,
    part: usize,
    cursor: Cursor,
    /// The last row's key, if pages are requested by key.
    last: Option<Key>,
    /// The first row's key.
    first: Option<Key>,
    /// The number of rows received for this part, including duplicates.
    received: u64,
    /// The number of pages received for this part.
    pages: u32,
    /// How long they took together.
    time: Duration,
    /// The number of rows returned.
    given: u64,
    seen: Seen,
    pub(super) done: bool,
}

impl Fetcher {
    pub(super) fn new(client: Client, plan: QueryPlan) -> Fetcher {
        Fetcher {
            client,
            plan,
            part: 0,
            cursor: Cursor::Start,
            last: None,
            first: None,
            received: 0,
            pages: 0,
            time: Duration::ZERO,
            given: 0,
            seen: Seen::default(),
            done: false,
        }
    }

    /// The next page. It may be empty although others follow.
    pub(super) fn next(&mut self) -> Result<Page, Error> {
        self.next_watched(&mut Unwatched)
    }

    /// As [`Fetcher::next`], with an observer that is told when the answer is slow.
    fn next_watched(&mut self, watch: &mut dyn Watch) -> Result<Page, Error> {
        let started = self.client.clock.now();
        let mut page = match fetch(&mut self.client, &self.plan, self.part, &self.cursor, watch)? {
            Ok(page) => page,
            Err(failure) => return Err(Error::Failed { failure: Box::new(failure) }),
        };
        self.pages += 1;
        self.time += self.client.clock.now().saturating_sub(started);
        let count = page.rows.len() as u64;
        let ends_part = match self.plan.extent {
            _ if !matches!(self.plan.answer, plan::Answer::Rows { .. }) => true,
            // More rows than requested: the node ignores limits, and this is everything.
            Extent::All { page_size } => count != u64::from(page_size),
            Extent::Limit(_) => true,
        };
        let by_key = matches!(self.cursor, Cursor::After(_));
        let ignored = by_key && !self.follows(&page.rows);
        let several = !ends_part || self.cursor != Cursor::Start;
        if (several && (!by_key || ignored)) || self.plan.parts() > 1 {
            let doubles = self.seen.drop_known(&mut page.rows, self.plan.key.unwrap_or("uuid"))?;
            let by_offset = matches!(self.cursor, Cursor::Offset(_));
            if by_offset && !ends_part && doubles as u64 == count {
                return Err(Error::Reply { flaw: "the node sends the same rows again and again".to_owned() });
            }
        }
        if let Extent::Limit(limit) = self.plan.extent {
            let rest = limit.saturating_sub(self.given);
            page.rows.truncate(usize::try_from(rest).unwrap_or(usize::MAX));
        }
        self.given += page.rows.len() as u64;
        if ends_part && !ignored {
            self.next_part();
        } else {
            self.advance(&page.rows, count, ignored);
        }
        Ok(page)
    }

    /// Whether the rows come after the last one, as requested.
    fn follows(&self, rows: &Rows) -> bool {
        let (Some(key), Some(last), Some(row)) = (self.plan.key, &self.last, rows.get(0)) else { return true };
        Key::of_row(row, key).is_some_and(|first| first.is_behind(last))
    }

    /// Decides where the next page of this part begins.
    fn advance(&mut self, rows: &Rows, count: u64, ignored: bool) {
        if ignored {
            // The node ignores the condition on the key. It sent the first page again, without new rows.
            self.last = None;
            self.cursor = Cursor::Offset(self.plan.start() + self.received);
            return;
        }
        self.received += count;
        let by_key = match self.cursor {
            Cursor::Start => self.plan.key.is_some_and(|key| are_sorted(rows, key)),
            Cursor::After(_) | Cursor::Between { .. } => true,
            Cursor::Offset(_) => false,
        };
        let last = self.plan.key.filter(|_| by_key).and_then(|key| {
            let index = rows.len().checked_sub(1)?;
            Key::of_row(rows.get(index)?, key)
        });
        if self.cursor == Cursor::Start {
            self.first = self.plan.key.and_then(|key| Key::of_row(rows.get(0)?, key));
        }
        self.last = last.filter(Key::is_sendable);
        self.cursor = match &self.last {
            Some(last) => Cursor::After(last.text()),
            None => Cursor::Offset(self.plan.start() + self.received),
        };
    }

    fn next_part(&mut self) {
        self.part += 1;
        self.cursor = Cursor::Start;
        self.last = None;
        self.received = 0;
        self.pages = 0;
        self.time = Duration::ZERO;
        let full = matches!(self.plan.extent, Extent::Limit(limit) if self.given >= limit);
        self.done = self.part >= self.plan.parts() || full;
    }

    /// Continues in a thread, ahead of the reader. The thread ends when the reader is dropped.
    fn spawn(self, page_parallel: Option<u32>) -> Receiver<Fetched> {
        let (sender, receiver) = sync_channel(0);
        let task = move || self.read(page_parallel, &sender);
        // Without a thread the reader gets the error.
        if let Err(error) = std::thread::Builder::new().name("pages".to_owned()).spawn(task) {
            let (sender, receiver) = sync_channel(1);
            let flaw = format!("no thread to read further pages with: {error}");
            let _ = sender.send(Err(Error::Reply { flaw }));
            return receiver;
        }
        receiver
    }

    /// Sends the pages to the reader.
    fn read(mut self, page_parallel: Option<u32>, sender: &SyncSender<Fetched>) {
        while !self.done {
            if let Some(ranges) = self.ranges(page_parallel) {
                if ranges.read(&self.client, |page| sender.send(page.map(Some)).is_ok()) {
                    let _ = sender.send(Ok(None));
                }
                return;
            }
            let page = self.next().map(Some);
            let failed = page.is_err();
            if sender.send(page).is_err() || failed {
                return;
            }
        }
        let _ = sender.send(Ok(None));
    }

    /// The rest in ranges, if much has been read and the rest can be divided.
    fn ranges(&self, page_parallel: Option<u32>) -> Option<Ranges> {
        let Extent::All { page_size } = self.plan.extent else { return None };
        let is_long = self.pages >= ONE_BY_ONE && matches!(self.cursor, Cursor::After(_));
        if !is_long || self.plan.parts() > 1 || self.plan.key != Some("uuid") || page_parallel == Some(1) {
            return None;
        }
        let (first, last) = (self.first.as_ref()?.uuid()?, self.last.as_ref()?.uuid()?);
        let beginning = Beginning { first, last, rows: self.received, time: self.time / self.pages };
        let most = page_parallel.map(|most| most as usize);
        Some(Ranges::new(self.plan.clone(), page_size, &beginning, most))
    }
}

/// Several pages as one reply: the members of the first, the rows of all.
struct Pages {
    before: std::vec::IntoIter<(String, Vec<u8>)>,
    rows_name: Option<String>,
    rows: Rows,
    /// The next row of the current page.
    row: usize,
    more: Option<Receiver<Fetched>>,
    /// The unread rest of a page with more rows than requested; it is the last page.
    rest: Option<Reply>,
    after: std::vec::IntoIter<(String, Vec<u8>)>,
    /// The sum of the totals of all parts, complete after the last page.
    total: Option<u64>,
    place: Place,
    /// The text of the last piece.
    held: (String, Vec<u8>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Before,
    Rows,
    Rest,
    After,
    End,
}

impl Pages {
    fn new(mut first: Page, more: Option<Receiver<Fetched>>, parts: bool) -> Pages {
        // If the conditions were split, the total is known only after the last part.
        let total = first.total().filter(|_| parts);
        if total.is_some() {
            first.without_total();
        }
        Pages {
            before: first.before.into_iter(),
            rows_name: first.rows_name,
            rows: first.rows,
            row: 0,
            more,
            rest: first.rest,
            after: first.after.into_iter(),
            total,
            place: Place::Before,
            held: Default::default(),
        }
    }

    /// Gets the next page; `false` after the last.
    fn turn(&mut self) -> Result<bool, ReadError> {
        let Some(more) = &self.more else { return Ok(false) };
        // A thread that ends without a result has failed.
        let gone = || Err(Error::Reply { flaw: "the pages end unexpectedly".to_owned() });
        match more.recv().unwrap_or_else(|_| gone()) {
            Ok(Some(page)) => {
                if let (Some(total), Some(part)) = (&mut self.total, page.total()) {
                    *total += part;
                }
                self.rows = page.rows;
                self.row = 0;
                Ok(true)
            }
            Ok(None) => {
                self.more = None;
                Ok(false)
            }
            Err(error) => {
                self.more = None;
                self.place = Place::End;
                Err(ReadError::Read(error.into()))
            }
        }
    }
}

impl Pieces for Pages {
    fn next_piece(&mut self) -> Result<Option<Piece<'_>>, ReadError> {
        loop {
            match self.place {
                Place::Before => {
                    if let Some(member) = self.before.next() {
                        self.held = member;
                        return Ok(Some(Piece::Member { name: &self.held.0, text: &self.held.1 }));
                    }
                    match self.rows_name.take() {
                        Some(name) => {
                            self.place = Place::Rows;
                            self.held.0 = name;
                            return Ok(Some(Piece::Rows { name: &self.held.0 }));
                        }
                        None => self.place = Place::After,
                    }
                }
                Place::Rows => {
                    if self.row < self.rows.len() {
                        self.row += 1;
                        return Ok(self.rows.get(self.row - 1).map(Piece::Row));
                    }
                    if self.rest.is_some() {
                        // These rows were returned already.
                        self.rows = Rows::default();
                        self.place = Place::Rest;
                        continue;
                    }
                    if !self.turn()? {
                        self.place = Place::After;
                        return Ok(Some(Piece::EndRows));
                    }
                }
                Place::Rest => {
                    return match &mut self.rest {
                        Some(rest) => rest.next_piece(),
                        None => Ok(None),
                    };
                }
                Place::After => {
                    if let Some(total) = self.total.take() {
                        self.held = ("total".to_owned(), total.to_string().into_bytes());
                        return Ok(Some(Piece::Member { name: &self.held.0, text: &self.held.1 }));
                    }
                    match self.after.next() {
                        Some(member) => {
                            self.held = member;
                            return Ok(Some(Piece::Member { name: &self.held.0, text: &self.held.1 }));
                        }
                        None => self.place = Place::End,
                    }
                }
                Place::End => return Ok(None),
            }
        }
    }
}
