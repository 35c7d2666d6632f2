//! Reads what is left of a long query in ranges of uuids, several at once.
//!
//! A range is requested by two conditions, `uuid>A` and `uuid<=B`, so that every row belongs to one range, whatever
//! comes and goes meanwhile. Ranges are as wide as is likely to fill a page, judged by the rows that were received: a
//! range that turns out to have more is continued after its last row, and after an empty one the next request has no
//! end, so that it finds where rows go on. The pages are handed out in the order of their uuids, and only a few are
//! fetched ahead of the reader.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::call::Unwatched;
use super::caller::Client;
use super::error::Error;
use super::page::{Key, Page};
use super::pages::fetch;
use crate::plan::{Cursor, QueryPlan};

/// The number of pages that are fetched one after the other before the rest is requested in ranges.
pub(super) const ONE_BY_ONE: u32 = 10;

/// How many requests are sent at once, unless the user says how many.
const GENTLE: usize = 2;
/// How many at most while the node answers as fast as it did before.
const BRISK: usize = 4;

/// What the first pages tell about the rest.
pub(super) struct Beginning {
    pub(super) first: u128,
    pub(super) last: u128,
    pub(super) rows: u64,
    /// How long a page took.
    pub(super) time: Duration,
}

/// The rest of a query.
pub(super) struct Ranges {
    plan: QueryPlan,
    page_size: u32,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// In the order of the uuids.
    parts: VecDeque<Part>,
    /// The number of parts that were asked for and that the reader does not have yet.
    ahead: usize,
    /// The number of parts that were asked for so far.
    asked: u64,
    pace: Pace,
    /// Whether nothing more is needed.
    closed: bool,
}

enum Part {
    Open(Range),
    /// Requested, as the request of that number.
    Asked(u64),
    Read(Box<Result<Page, Error>>),
}

#[derive(Clone, Debug, PartialEq)]
struct Range {
    after: Key,
    /// The last uuid; `None` for no end.
    to: Option<u128>,
    /// How wide a range is likely to fill a page; `None` if nothing is known.
    width: Option<u128>,
}

impl Range {
    /// Cuts off the beginning that is likely to fill a page; returns the rest.
    fn cut(&mut self) -> Option<Range> {
        let (Key::Uuid(after), Some(width)) = (&self.after, self.width) else { return None };
        let middle = after.checked_add(width.max(1))?;
        if self.to.is_some_and(|to| middle >= to) {
            return None;
        }
        let rest = Range { after: Key::Uuid(middle), to: self.to, width: self.width };
        self.to = Some(middle);
        Some(rest)
    }

    fn cursor(&self) -> Cursor {
        let after = self.after.text();
        match self.to {
            Some(to) => Cursor::Between { after, to: Key::Uuid(to).text() },
            None => Cursor::After(after),
        }
    }
}

impl Ranges {
    /// `most` is how many requests the user wants at once.
    pub(super) fn new(plan: QueryPlan, page_size: u32, beginning: &Beginning, most: Option<usize>) -> Ranges {
        let width = width(beginning.last.saturating_sub(beginning.first), beginning.rows, page_size);
        let rest = Range { after: Key::Uuid(beginning.last), to: None, width };
        let state = State {
            parts: VecDeque::from([Part::Open(rest)]),
            ahead: 0,
            asked: 0,
            pace: Pace::new(most, beginning.time),
            closed: false,
        };
        Ranges { plan, page_size, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Hands out the pages in order; the last may be an error. `give` says whether more are wanted. Returns whether all
    /// pages were handed out.
    pub(super) fn read(&self, client: &Client, mut give: impl FnMut(Result<Page, Error>) -> bool) -> bool {
        std::thread::scope(|scope| {
            let mut threads = 0;
            loop {
                while threads < self.state().pace.allowed {
                    let own = client.fork();
                    let builder = std::thread::Builder::new().name("page".to_owned());
                    match builder.spawn_scoped(scope, move || self.work(own)) {
                        Err(error) if threads == 0 => {
                            let flaw = format!("no thread to read further pages with: {error}");
                            give(Err(Error::Reply { flaw }));
                            return false;
                        }
                        // Fewer are enough.
                        Err(_) => break,
                        Ok(_) => threads += 1,
                    }
                }
                let Some(page) = self.next() else { return true };
                let failed = page.is_err();
                if !give(page) || failed {
                    self.close();
                    return false;
                }
                self.given();
            }
        })
    }

    /// The next page in order; `None` after the last.
    fn next(&self) -> Option<Result<Page, Error>> {
        let mut state = self.state();
        loop {
            match state.parts.pop_front()? {
                Part::Read(page) => return Some(*page),
                part => state.parts.push_front(part),
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets another page take the place of one that the reader has.
    fn given(&self) {
        self.state().ahead -= 1;
        self.changed.notify_all();
    }

    /// Reads ranges until none is left.
    fn work(&self, mut client: Client) {
        while let Some((number, range)) = self.take() {
            let mut task = Task { ranges: self, number, result: None };
            let started = client.clock.now();
            let page = self.fetch(&mut client, &range);
            let time = client.clock.now().saturating_sub(started);
            task.result = Some(page.map(|(page, rest)| (page, rest, time)));
        }
    }

    /// The next range to ask for; waits while enough is asked for already.
    fn take(&self) -> Option<(u64, Range)> {
        let mut state = self.state();
        loop {
            if state.closed || state.parts.iter().all(|part| matches!(part, Part::Read(_))) {
                return None;
            }
            if let Some(task) = state.take() {
                return Some(task);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Requests a range; returns the page and what is left of the range.
    fn fetch(&self, client: &mut Client, range: &Range) -> Result<(Page, Rest), Error> {
        let mut page = match fetch(client, &self.plan, 0, &range.cursor(), &mut Unwatched)? {
            Ok(page) => page,
            Err(failure) => return Err(Error::Failed { failure: Box::new(failure) }),
        };
        let is_full = page.rows.len() == self.page_size as usize;
        let mut last = range.after.clone();
        let (mut in_order, mut beyond) = (true, false);
        page.rows.retain(|row| {
            let Some(key) = Key::of_row(row, "uuid") else {
                in_order = false;
                return false;
            };
            in_order &= key.is_behind(&last);
            last = key;
            // A node that ignores the end of the range has sent all of it, and more.
            beyond |= matches!((&last, range.to), (Key::Uuid(last), Some(to)) if *last > to);
            !beyond
        });
        if !in_order {
            return Err(Error::Reply { flaw: "its rows are not those after the key that was asked for".to_owned() });
        }
        let rows = page.rows.len() as u64;
        let end = if is_full { last.uuid() } else { range.to };
        let span = end.zip(range.after.uuid()).map(|(end, after)| end.saturating_sub(after));
        let width = span.and_then(|span| width(span, rows, self.page_size));
        let left = (is_full && !beyond).then_some(Range { after: last, to: range.to, width });
        if let Some(left) = &left
            && !left.after.is_sendable()
        {
            return Err(Error::Reply { flaw: "it has a key after which no rows can be asked for".to_owned() });
        }
        Ok((page, Rest { width, left }))
    }

    /// Puts a page, or an error, in the place of its request.
    fn put(&self, number: u64, result: Result<(Page, Rest, Duration), Error>) {
        let mut state = self.state();
        let Some(at) = state.parts.iter().position(|part| matches!(part, Part::Asked(asked) if *asked == number))
        else {
            return;
        };
        match result {
            Ok((page, rest, time)) => {
                state.pace.note(time);
                if let Some(next) = state.parts.iter_mut().skip(at).find_map(Part::open) {
                    next.width = mean(next.width, rest.width);
                }
                state.parts[at] = Part::Read(Box::new(Ok(page)));
                if let Some(left) = rest.left {
                    state.parts.insert(at + 1, Part::Open(left));
                }
            }
            Err(error) => {
                // What follows is not needed.
                state.parts.truncate(at);
                state.parts.push_back(Part::Read(Box::new(Err(error))));
            }
        }
        self.changed.notify_all();
    }

    fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the page of a range tells about the rest.
struct Rest {
    /// How wide a range is likely to fill a page; `None` if the range was empty.
    width: Option<u128>,
    /// The part of the range that was not received.
    left: Option<Range>,
}

/// A range that is being read. A thread that panics leaves an error in its place.
struct Task<'a> {
    ranges: &'a Ranges,
    number: u64,
    result: Option<Result<(Page, Rest, Duration), Error>>,
}

impl Drop for Task<'_> {
    fn drop(&mut self) {
        let gone = || Err(Error::Reply { flaw: "the pages end unexpectedly".to_owned() });
        self.ranges.put(self.number, self.result.take().unwrap_or_else(gone));
    }
}

impl Part {
    fn open(&mut self) -> Option<&mut Range> {
        match self {
            Part::Open(range) => Some(range),
            Part::Asked(_) | Part::Read(_) => None,
        }
    }
}

impl State {
    /// The first range that nobody asked for yet, if another request may be sent.
    fn take(&mut self) -> Option<(u64, Range)> {
        let in_flight = self.parts.iter().filter(|part| matches!(part, Part::Asked(_))).count();
        let at = self.parts.iter().position(|part| matches!(part, Part::Open(_)))?;
        // The reader waits for the first part, so that one is always asked for.
        if at > 0 && (in_flight >= self.pace.allowed || self.ahead >= self.pace.allowed) {
            return None;
        }
        let mut range = self.parts.get_mut(at).and_then(Part::open)?.clone();
        if let Some(rest) = range.cut() {
            self.parts.insert(at + 1, Part::Open(rest));
        }
        self.asked += 1;
        self.ahead += 1;
        self.parts[at] = Part::Asked(self.asked);
        Some((self.asked, range))
    }
}

/// How many requests are sent at once: if the user does not say, two, and more while the node answers as fast as it did
/// when there was one.
struct Pace {
    allowed: usize,
    least: usize,
    most: usize,
    /// How long a page took when it was the only one.
    alone: Duration,
    /// The pages since the last change, and how long they took together.
    pages: u32,
    time: Duration,
}

impl Pace {
    fn new(most: Option<usize>, alone: Duration) -> Pace {
        let (least, most) = most.map_or((GENTLE, BRISK), |most| (most, most));
        Pace { allowed: least, least, most, alone, pages: 0, time: Duration::ZERO }
    }

    /// Notes how long a page took.
    fn note(&mut self, time: Duration) {
        self.pages += 1;
        self.time += time;
        // The answers to as many requests as are sent at once, twice.
        if (self.pages as usize) < 2 * self.allowed {
            return;
        }
        let mean = self.time / self.pages;
        if mean <= self.alone * 5 / 4 {
            self.allowed = (self.allowed + 1).min(self.most);
        } else if mean > self.alone * 2 {
            self.allowed = (self.allowed - 1).max(self.least);
        }
        (self.pages, self.time) = (0, Duration::ZERO);
    }
}

/// The width of a range that is likely to fill a page, by the number of rows in another one.
fn width(span: u128, rows: u64, page_size: u32) -> Option<u128> {
    let rows = u128::from(rows);
    let page = u128::from(page_size);
    // Uuids are random: the number of rows in a range varies by its square root, and a second request for the last few
    // rows takes as long as one for a page.
    let target = page.saturating_sub(page.isqrt() * 5 / 2).max(page.div_ceil(2));
    (rows > 0).then(|| (span / rows).saturating_mul(target).max(1))
}

/// The mean of an estimate and a newer one, which is as good as three older ones.
fn mean(old: Option<u128>, new: Option<u128>) -> Option<u128> {
    match (old, new) {
        (Some(old), Some(new)) => Some((old / 4).saturating_mul(3).saturating_add(new / 4)),
        (_, new) => new,
    }
}
