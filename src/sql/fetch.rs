//! Gets the rows of tables from the node: as a stream, or looked up by keys.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::catalog::Catalog;
use crate::client::{Answer, CallOptions, Class, Client, Reply, Unwatched};
use crate::json::{MEMORY_LIMIT, ReadError};
use crate::plan::{self, Cursor, QueryPlan, Request, Wanted};
use crate::syntax::{Operator, join_list};

use super::batch::SharedTable;
use super::block::Block;
use super::cell::{Cell, asked, impossible};
use super::error::Error;
use super::keyed::Keyed;
use super::rows::Rows;
use super::run::Options;
use super::scan::Scan;

/// The longest list of values that a query is given. A longer one is compared here.
const LONGEST_LIST: usize = 2000;

/// What the tables of a statement share.
pub(super) type Shared = Arc<Mutex<State>>;

/// A node that rows come from.
pub(crate) struct Source {
    /// The context; empty where there is none.
    pub(crate) context: String,
    pub(crate) client: Client,
    /// The catalog of its version.
    pub(crate) catalog: Catalog,
    /// What shows the requests that it is sent, if anything does.
    pub(crate) shown: Option<Shown>,
}

/// Shows requests.
pub(crate) type Shown = Box<dyn Fn(&mut Client, &[Request]) + Send>;

/// The state of a statement that is run.
pub(super) struct State {
    pub(super) catalog: Catalog,
    pub(super) options: Options,
    pub(super) sources: Vec<Source>,
    /// The source that failed last, where others are left.
    pub(super) lost: Option<usize>,
    /// Whether there is a row that was handed out.
    pub(super) has_begun: bool,
    pub(super) scans: Vec<Progress>,
    /// The cursors in the order in which they were opened.
    pub(super) open: Vec<Open>,
    /// Why a table could not be read: SQLite only learns that it could not.
    pub(super) failure: Option<Error>,
    /// The first queries of each scan, where they are not sent.
    pub(super) unsent: Option<Vec<(usize, Ask)>>,
    /// The tables that several statements share, by inventory.
    pub(super) shared: HashMap<&'static str, SharedTable>,
}

/// What came of a scan so far.
pub(super) struct Progress {
    pub(super) scan: Arc<Scan>,
    /// How often it was begun.
    begun: usize,
    /// Values that the statement does not have, at the first time.
    values: Vec<Value>,
    /// All its rows.
    kept: Option<Arc<Vec<Arc<Block>>>>,
    /// Whether those are the rows for any values.
    for_all: bool,
    pub(super) keyed: Keyed,
}

/// A value that SQLite supplies: one, or those of a list.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    One(Cell),
    List(Vec<Cell>),
}

/// The position of a cursor.
pub(super) struct Open {
    pub(super) cursor: usize,
    /// The scan, once it began.
    pub(super) scan: Option<usize>,
    pub(super) block: Arc<Block>,
    pub(super) row: Arc<AtomicUsize>,
    /// The rows that were fetched together with those of the block, where it was looked up by a key.
    pub(super) batch: Option<Arc<Vec<Arc<Block>>>>,
}

/// The rows of a scan from its beginning.
pub(super) enum Begun {
    /// They are still being fetched.
    Rows(Box<Rows>),
    /// They are all there.
    Held(Arc<Vec<Arc<Block>>>),
    /// They were looked up by a key, together with others.
    Found(Arc<Block>, Arc<Vec<Arc<Block>>>),
}

impl State {
    pub(super) fn add(&mut self, scan: Scan) -> usize {
        self.scans.push(Progress {
            scan: Arc::new(scan),
            begun: 0,
            values: Vec::new(),
            kept: None,
            for_all: false,
            keyed: Keyed::default(),
        });
        self.scans.len() - 1
    }

    /// Begins to read a table, with a value for each term.
    pub(super) fn begin(&mut self, at: usize, values: Vec<Value>) -> Result<Begun, Error> {
        let scan = Arc::clone(&self.scans[at].scan);
        let nothing = || Ok(Begun::Held(Arc::default()));
        let is_null = |(term, value): (&super::scan::Term, &Value)| {
            !term.comparison.is_unary() && matches!(value, Value::One(Cell::Null))
        };
        // Nothing is equal to null, or less or more.
        if scan.terms.iter().zip(&values).any(is_null) {
            return nothing();
        }
        if let Some(key) = scan.key {
            let column = &scan.table.columns[scan.terms[key].column];
            let Value::One(cell) = &values[key] else { return nothing() };
            let Some(text) = cell.key(column.kind) else { return nothing() };
            let known = self.conditions(&scan, None)?;
            let (block, batch) = self.look_up(at, &text, known)?;
            return Ok(Begun::Found(block, batch));
        }
        if let Some(rows) = self.shared_rows(at)? {
            return Ok(Begun::Held(rows));
        }
        let progress = &mut self.scans[at];
        if progress.begun == 0 {
            progress.values = values;
        } else {
            // Other values each time: it is compared with rows of another table.
            let is_same = progress.values == values;
            match &progress.kept {
                Some(kept) if is_same || progress.for_all => return Ok(Begun::Held(Arc::clone(kept))),
                _ => progress.for_all |= !is_same,
            }
        }
        progress.begun += 1;
        let (is_again, for_all) = (progress.begun > 1, progress.for_all);
        let values = (!for_all).then(|| progress.values.clone());
        let conditions = self.conditions(&scan, values.as_deref())?;
        let rows = Rows::new(self, at, &scan, conditions);
        if !is_again {
            return Ok(Begun::Rows(Box::new(rows)));
        }
        // Whoever reads it twice reads it for each row of another table.
        let held = Arc::new(self.read_all(rows)?);
        self.scans[at].kept = Some(Arc::clone(&held));
        Ok(Begun::Held(held))
    }

    /// All rows that a scan finds without the values of other tables.
    pub(super) fn all(&mut self, at: usize, scan: &Arc<Scan>) -> Result<Vec<Arc<Block>>, Error> {
        let conditions = self.conditions(scan, None)?;
        let rows = Rows::new(self, at, scan, conditions);
        self.read_all(rows)
    }

    fn read_all(&mut self, mut rows: Rows) -> Result<Vec<Arc<Block>>, Error> {
        let mut held = Vec::new();
        let mut size = 0;
        while let Some(block) = rows.next_block(self)? {
            size += block.size;
            if size > MEMORY_LIMIT {
                return Err(crate::client::Error::of_read(&ReadError::TooMuch { limit: MEMORY_LIMIT }).into());
            }
            held.push(Arc::new(block));
        }
        Ok(held)
    }

    /// Keeps the rows of a scan that was read to its end.
    pub(super) fn keep(&mut self, at: usize, blocks: Vec<Arc<Block>>) {
        self.scans[at].kept = Some(Arc::new(blocks));
    }

    /// The conditions of a query, as far as the values are known.
    pub(super) fn conditions(&self, scan: &Scan, values: Option<&[Value]>) -> Result<Conditions, Error> {
        let mut conditions = scan.table.conditions();
        for (at, term) in scan.terms.iter().enumerate().filter(|(at, _)| scan.key != Some(*at)) {
            let column = &scan.table.columns[term.column];
            let value = match (&term.value, values.and_then(|values| values.get(at))) {
                _ if term.comparison.is_unary() => Value::One(Cell::Null),
                (Some(known), _) => Value::One(known.clone()),
                (None, Some(value)) => value.clone(),
                (None, None) => continue,
            };
            match value {
                Value::One(value) => {
                    if let Some(kind) = impossible(column, term.comparison, &value).filter(|_| !self.options.no_check) {
                        return Err(plan::Error { kind, span: None }.into());
                    }
                    let asked = asked(column, term.comparison, &value);
                    conditions.extend(asked.map(|(operator, text)| (column.name, operator, text)));
                }
                Value::List(cells) => {
                    let texts: Option<Vec<String>> = cells
                        .iter()
                        .filter(|cell| **cell != Cell::Null)
                        .map(|cell| asked(column, term.comparison, cell).map(|(_, text)| text))
                        .collect();
                    if let Some(texts) = texts.filter(|texts| !texts.is_empty() && texts.len() <= LONGEST_LIST) {
                        conditions.push((column.name, Operator::In, join_list(texts)));
                    }
                }
            }
        }
        Ok(conditions)
    }

    /// What to ask a source for the rows of a scan.
    pub(super) fn ask(&self, source: usize, scan: &Scan, conditions: &Conditions, limited: bool) -> Result<Ask, Error> {
        let catalog = self.sources.get(source).map_or(self.catalog, |source| source.catalog);
        if !scan.table.is_query {
            return Ok(Ask::Read(Box::new(plan::call(scan.table.api, &[], catalog)?)));
        }
        let fields = scan.fields();
        let order = scan.order.map(|(column, descends)| (scan.table.columns[column].name, descends));
        let wanted = Wanted {
            conditions,
            fields: &fields,
            limit: scan.limit.filter(|_| limited).and_then(|limit| usize::try_from(limit).ok()),
            sort_by: order,
            count: scan.counts,
            ..Wanted::default()
        };
        Ok(Ask::Query(Box::new(plan::rows(scan.table.api, &wanted, self.options.page_size, catalog)?)))
    }

    /// Asks a source; `None` if nothing is sent.
    pub(super) fn send(&mut self, at: usize, source: usize, ask: &Ask) -> Result<Option<Reply>, Error> {
        let Some(source) = self.sources.get_mut(source) else { return Ok(None) };
        if let Some(shown) = &source.shown {
            shown(&mut source.client, &(0..ask.parts()).map(|part| ask.request(part)).collect::<Vec<_>>());
        }
        if let Some(unsent) = &mut self.unsent {
            unsent.push((at, ask.clone()));
            return Ok(None);
        }
        let how = CallOptions { page_parallel: self.options.page_parallel, ..CallOptions::default() };
        let (api, answer) = match ask {
            Ask::Query(query) => (query.api, source.client.query(query, &how, &mut Unwatched)?),
            Ask::Read(read) => (read.api, source.client.execute(read, &how, &mut Unwatched)?),
        };
        match answer {
            Answer::Reply(reply) => Ok(Some(reply)),
            Answer::Failed(failure) => Err(Error::Api { api, failure: Box::new(failure) }),
            Answer::Detached(_) => Ok(None),
        }
    }
}

impl State {
    /// The sources that have rows of a scan.
    pub(super) fn sources_of(&self, scan: &Scan) -> Vec<usize> {
        let has = |source: &Source| scan.context.as_deref().is_none_or(|context| source.context == context);
        (0..self.sources.len()).filter(|at| has(&self.sources[*at])).collect()
    }

    /// Goes on without a source that failed, where there may be others. Not if rows that it returned may have been joined
    /// with what is missing now.
    pub(super) fn lose(&mut self, source: usize, error: Error) -> Result<(), Error> {
        let is_of_node = match &error {
            Error::Client(error) => error.class() != Class::Interrupted,
            Error::Api { .. } => true,
            Error::Statement(_) | Error::Plan(_) => false,
        };
        if !self.options.of_several || !is_of_node {
            return Err(error);
        }
        if !self.has_begun || self.open.len() > 1 {
            self.lost = Some(source);
            return Err(error);
        }
        self.options.lost.add(self.sources[source].context.clone(), error);
        Ok(())
    }
}

/// What a node is asked for rows.
#[derive(Clone, Debug)]
pub(super) enum Ask {
    /// A query, which may take several requests.
    Query(Box<QueryPlan>),
    /// A call that returns all of them.
    Read(Box<Request>),
}

impl Ask {
    /// One of the requests that are certain to be sent.
    pub(super) fn request(&self, part: usize) -> Request {
        match self {
            Ask::Query(query) => query.request(part, &Cursor::Start),
            Ask::Read(request) => (**request).clone(),
        }
    }

    /// The number of requests that are certain to be sent.
    pub(super) fn parts(&self) -> usize {
        match self {
            Ask::Query(query) => query.parts(),
            Ask::Read(_) => 1,
        }
    }
}

/// Conditions of a query: field, operator, value.
pub(super) type Conditions = Vec<(&'static str, Operator, String)>;

impl Scan {
    /// The members that are asked for; none for whole rows.
    fn fields(&self) -> Vec<&'static str> {
        let columns = &self.table.columns;
        let needed: Vec<_> = self.needed.iter().filter_map(|at| columns.get(*at)).collect();
        let selects = needed.iter().all(|column| column.selectable);
        match self.table.key.map(|key| &columns[key]) {
            Some(key) if selects && key.selectable && !self.counts => {
                let others = needed.iter().map(|column| column.name).filter(|name| *name != key.name);
                std::iter::once(key.name).chain(others).collect()
            }
            _ => Vec::new(),
        }
    }
}

impl Open {
    /// The rows from its own on, which those of other tables are looked up for next.
    pub(super) fn ahead(&self) -> impl Iterator<Item = (&Block, usize)> {
        let row = self.row.load(Ordering::Relaxed);
        let own = (row..self.block.len()).map(|row| (&*self.block, row));
        let batch = self.batch.iter().flat_map(|batch| batch.iter());
        own.chain(batch.flat_map(|block| (0..block.len()).map(move |row| (&**block, row))))
    }
}
