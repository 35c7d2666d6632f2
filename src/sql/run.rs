//! Runs a statement in a thread, and hands out its rows as pieces of a reply.

use std::collections::HashMap;
use std::io::Write;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use jiff::civil::DateTime;
use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use crate::catalog::Catalog;
use crate::client::{self, Reply};
use crate::dates;
use crate::interrupt::Interrupt;
use crate::json::{self, Piece, Pieces, ReadError};
use crate::lost::Lost;
use crate::render::{Field, FieldKind, Shape, human_size};

use super::error::Error;
use super::fetch::{Shared, Source, State};
use super::statement::Statement;
use super::table::{ColumnKind, Table};
use super::vtab::{OneTable, lock, register};

/// How many steps SQLite takes before it looks whether the user wants to stop.
const STEPS: i32 = 20_000;

/// How often somebody who waits is told how far it is.
const TICK: Duration = Duration::from_millis(100);

/// How many bytes of rows are handed over at once.
const CHUNK: usize = 64 << 10;

/// What a statement runs with.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) page_size: u32,
    /// How many pages are fetched at once.
    pub(crate) page_parallel: Option<u32>,
    /// Whether values are passed on that the catalog does not know.
    pub(crate) no_check: bool,
    pub(crate) interrupt: Interrupt,
    /// What the node's clock shows.
    pub(crate) now: DateTime,
    /// Whether the sources are several contexts. Those that fail are left out.
    pub(crate) of_several: bool,
    pub(crate) lost: Lost<Error>,
    /// How many rows were read so far.
    pub(crate) rows_read: Arc<AtomicUsize>,
}

/// A statement that runs.
pub(crate) struct Running {
    /// What its rows are.
    pub(crate) shape: Shape,
    /// Its rows.
    pub(crate) reply: Reply,
}

/// What the thread says.
enum News {
    /// The columns.
    Shape(Shape),
    /// The texts of some rows, one after the other, and where each ends.
    Rows(Vec<u8>, Vec<usize>),
    /// It ended early.
    Failed(Error),
}

/// Runs a statement on the rows of these sources, up to its first row. `wait` is told meanwhile how long that takes, and how
/// many rows were read.
///
/// # Errors
/// What is wrong with the statement, or why its first row cannot be found. Of several sources all failed then.
pub(crate) fn start(
    statement: Statement,
    catalog: Catalog,
    mut sources: Vec<Source>,
    options: Options,
    wait: &mut dyn FnMut(Duration, usize),
) -> Result<Running, Error> {
    let (sender, receiver) = sync_channel(2);
    let (began, rows_read) = (Instant::now(), Arc::clone(&options.rows_read));
    let task = move || {
        while !sources.is_empty() {
            let state = State::new(catalog, std::mem::take(&mut sources), &options);
            let Err(error) = run(&statement, &state, &options, &sender) else { return };
            let mut state = lock(&state);
            let Some(lost) = state.lost else {
                // A reader that left needs no reason.
                let _ = sender.send(News::Failed(error));
                return;
            };
            options.lost.add(state.sources.remove(lost).context, error);
            // Before the first row it starts anew without that source.
            if !state.has_begun {
                sources = std::mem::take(&mut state.sources);
            }
        }
    };
    let thread = thread::Builder::new().name("sql".to_owned()).spawn(task);
    thread.map_err(|error| client::Error::Reply { flaw: format!("no thread to run the statement in: {error}") })?;
    let news = loop {
        match receiver.recv_timeout(TICK) {
            Err(RecvTimeoutError::Timeout) => wait(began.elapsed(), rows_read.load(Ordering::Relaxed)),
            news => break news,
        }
    };
    match news {
        Ok(News::Shape(shape)) => {
            let reply = Reply::of_pieces(Box::new(SqlRows {
                receiver,
                text: Vec::new(),
                ends: Vec::new(),
                row: 0,
                place: Place::Start,
            }));
            Ok(Running { shape, reply })
        }
        Ok(News::Failed(error)) => Err(error),
        Ok(News::Rows(..)) | Err(_) => Err(ended().into()),
    }
}

fn ended() -> client::Error {
    client::Error::Reply { flaw: "the statement ends unexpectedly".to_owned() }
}

impl State {
    pub(super) fn new(catalog: Catalog, sources: Vec<Source>, options: &Options) -> Shared {
        Arc::new(Mutex::new(State {
            catalog,
            options: options.clone(),
            sources,
            lost: None,
            has_begun: false,
            scans: Vec::new(),
            open: Vec::new(),
            failure: None,
            unsent: None,
            shared: HashMap::new(),
        }))
    }
}

/// A connection that has these tables and can only read.
pub(super) fn connect(
    tables: &[(String, Arc<Table>)],
    state: &Shared,
    options: &Options,
) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open_in_memory()?;
    // A misspelled name in double quotes is an error and not a text.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    for (name, table) in tables {
        register(&connection, name, OneTable { table: Arc::clone(table), state: Arc::clone(state) })?;
    }
    connection.authorizer(Some(allowed))?;
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    let now = options.now;
    connection.create_scalar_function("now", 0, flags, move |_| Ok(dates::compared(now)))?;
    connection.create_scalar_function("ago", 1, flags, move |arguments| {
        let time: String = arguments.get(0)?;
        let wrong = || format!("ago('{time}') is no time: a number of m, h, d or w, such as ago('7d')");
        dates::ago(&format!("-{time}"), now).ok_or_else(|| rusqlite::Error::UserFunctionError(wrong().into()))
    })?;
    connection.create_scalar_function("size", 1, flags, |arguments| {
        Ok(arguments.get::<Option<f64>>(0)?.and_then(|bytes| human_size(&format!("{bytes:.0}"))))
    })?;
    connection.create_scalar_function("ip_number", 1, flags, |arguments| {
        let text: Option<String> = arguments.get(0)?;
        Ok(text.and_then(|text| text.parse::<Ipv4Addr>().ok()).map(|address| i64::from(u32::from(address))))
    })?;
    let interrupt = options.interrupt.clone();
    connection.progress_handler(STEPS, Some(move || interrupt.is_set()))?;
    Ok(connection)
}

/// Nothing but reading is allowed.
fn allowed(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => Authorization::Allow,
        AuthAction::Function { function_name } if !function_name.eq_ignore_ascii_case("load_extension") => {
            Authorization::Allow
        }
        _ => Authorization::Deny,
    }
}

/// The error of a statement: that of a table where one could not be read.
pub(super) fn explained(error: rusqlite::Error, statement: &Statement, state: &Shared, interrupt: &Interrupt) -> Error {
    if let Some(failure) = lock(state).failure.take() {
        return failure;
    }
    if interrupt.is_set() {
        return client::Error::Interrupted { job: None }.into();
    }
    match error {
        rusqlite::Error::SqlInputError { msg, offset, .. } => statement.wrong(&msg, offset).into(),
        rusqlite::Error::SqliteFailure(_, Some(message)) => statement.wrong(&message, -1).into(),
        other => statement.wrong(&other.to_string(), -1).into(),
    }
}

fn run(statement: &Statement, state: &Shared, options: &Options, sender: &SyncSender<News>) -> Result<(), Error> {
    let explained = |error| explained(error, statement, state, &options.interrupt);
    let connection = connect(&statement.tables, state, options).map_err(explained)?;
    let mut prepared = connection.prepare(&statement.text).map_err(explained)?;
    let columns = columns(statement, &prepared);
    let shape = Shape { fields: columns.iter().map(|column| column.field.clone()).collect(), ..Shape::default() };
    let mut rows = prepared.query([]).map_err(explained)?;
    // What fails before the first row is told before anything is printed.
    let mut row = rows.next().map_err(explained)?;
    lock(state).has_begun = true;
    if sender.send(News::Shape(shape)).is_err() {
        return Ok(());
    }
    let (mut text, mut ends) = (Vec::with_capacity(CHUNK), Vec::new());
    while let Some(found) = row {
        write_row(&mut text, found, &columns).map_err(explained)?;
        ends.push(text.len());
        if text.len() >= CHUNK {
            let full = News::Rows(std::mem::take(&mut text), std::mem::take(&mut ends));
            if sender.send(full).is_err() {
                return Ok(());
            }
        }
        row = match rows.next() {
            Ok(next) => next,
            Err(error) => {
                let _ = sender.send(News::Rows(text, ends));
                return Err(explained(error));
            }
        };
    }
    let _ = sender.send(News::Rows(text, ends));
    Ok(())
}

/// A column of the result.
struct ResultColumn {
    field: Field,
    /// The beginning of its member: `"name":`.
    member: Vec<u8>,
    is_bool: bool,
}

fn columns(statement: &Statement, prepared: &rusqlite::Statement<'_>) -> Vec<ResultColumn> {
    let mut columns: Vec<ResultColumn> = Vec::new();
    let count = prepared.column_count();
    for (index, column) in prepared.columns().enumerate() {
        let kind = match column.decl_type() {
            Some(declared) => ColumnKind::of_declared(declared),
            None => statement.counts_bytes(index, count).then_some(ColumnKind::Bytes),
        };
        // Members of a row need names of their own: `h_name` beside `name`.
        let mut name = column.name().to_owned();
        let mut number = 1;
        if columns.iter().any(|known| known.field.name == name)
            && let Some(qualified) = statement.qualified(index, count)
        {
            name = qualified;
        }
        while columns.iter().any(|known| known.field.name == name) {
            number += 1;
            name = format!("{}_{number}", column.name());
        }
        let field = Field {
            kind: kind.map_or(FieldKind::Unknown, ColumnKind::shown),
            secret: kind == Some(ColumnKind::Secret),
            name,
        };
        let mut member = Vec::new();
        json::write_literal(&mut member, &field.name);
        member.push(b':');
        columns.push(ResultColumn { field, member, is_bool: kind == Some(ColumnKind::Bool) });
    }
    columns
}

impl ColumnKind {
    /// The kind for printing.
    fn shown(self) -> FieldKind {
        match self {
            ColumnKind::Text | ColumnKind::Secret | ColumnKind::Json => FieldKind::Text,
            ColumnKind::Integer => FieldKind::Integer,
            ColumnKind::Bytes => FieldKind::Bytes,
            ColumnKind::Real => FieldKind::Decimal,
            ColumnKind::Bool => FieldKind::Bool,
            ColumnKind::Time => FieldKind::Time,
            ColumnKind::Any => FieldKind::Unknown,
        }
    }
}

/// Writes a row as JSON.
fn write_row(text: &mut Vec<u8>, row: &Row<'_>, columns: &[ResultColumn]) -> rusqlite::Result<()> {
    for (index, column) in columns.iter().enumerate() {
        text.push(if index == 0 { b'{' } else { b',' });
        text.extend_from_slice(&column.member);
        // A vector takes what is written.
        let _ = match row.get_ref(index)? {
            ValueRef::Integer(0) if column.is_bool => write!(text, "false"),
            ValueRef::Integer(1) if column.is_bool => write!(text, "true"),
            ValueRef::Integer(number) => write!(text, "{number}"),
            ValueRef::Real(number) if number.is_finite() => write!(text, "{number:?}"),
            ValueRef::Null | ValueRef::Real(_) => write!(text, "null"),
            ValueRef::Text(value) | ValueRef::Blob(value) => {
                json::write_literal(text, &String::from_utf8_lossy(value));
                Ok(())
            }
        };
    }
    text.push(b'}');
    Ok(())
}

/// The rows of a statement as a reply: `{"inventories": [..]}`.
struct SqlRows {
    receiver: Receiver<News>,
    text: Vec<u8>,
    ends: Vec<usize>,
    row: usize,
    place: Place,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    Rows,
    End,
}

impl Pieces for SqlRows {
    fn next_piece(&mut self) -> Result<Option<Piece<'_>>, ReadError> {
        match self.place {
            Place::Start => {
                self.place = Place::Rows;
                return Ok(Some(Piece::Rows { name: "inventories" }));
            }
            Place::End => return Ok(None),
            Place::Rows => {}
        }
        if self.row >= self.ends.len() {
            match self.receiver.recv() {
                Ok(News::Rows(text, ends)) => (self.text, self.ends, self.row) = (text, ends, 0),
                Ok(News::Failed(error)) => {
                    self.place = Place::End;
                    return Err(ReadError::Read(std::io::Error::other(error)));
                }
                // After the last rows the thread ends.
                Ok(News::Shape(_)) | Err(_) => self.ends.clear(),
            }
        }
        let Some(end) = self.ends.get(self.row) else {
            self.place = Place::End;
            return Ok(Some(Piece::EndRows));
        };
        let start = self.row.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.row += 1;
        Ok(Some(Piece::Row(&self.text[start..*end])))
    }
}
