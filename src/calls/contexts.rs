//! One question to the nodes of several contexts at the same time, and their rows as one reply.
//!
//! Each context is asked by a thread with a session of its own: its node, its log-in, its version. The rows come in the
//! order of the contexts, and each begins with a member `context`.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::cli::Options;
use crate::client::{self, Answer, Reply};
use crate::error::{Error, ExitCode};
use crate::json::{self, Kind, MapWriter, Piece, Pieces, ReadError};
use crate::render::{Failed, Field, FieldKind, Selection, Shape, View};
use crate::session::{Invocation, Session, SessionSeed};
use crate::terminal::{Output, Source};

use super::rows::rows_of;
use super::{relations, show};

/// The member and the column that name the context.
const COLUMN: &str = "context";

/// How many rows of a context are held until it is its turn.
const HELD: usize = 1000;

/// What a context answered.
pub(crate) struct Asked {
    pub(crate) answer: Answer,
    pub(crate) shape: Shape,
    pub(crate) view: View,
}

/// What a thread sends.
enum Part {
    /// What is known of the rows. It comes first.
    Layout(Box<Layout>),
    Row(Vec<u8>),
}

/// What is known of the rows, and what the view takes from that.
struct Layout {
    shape: Shape,
    columns: Option<Selection>,
    named: Vec<(String, String)>,
    taken_from: Option<String>,
}

/// What a thread sends: parts, and an error at the end if there was one.
type Sent = Result<Part, Box<Error>>;

/// Asks the nodes of contexts and prints their rows. The errors of some go to standard error, and the exit code is that of
/// the first.
pub(crate) fn ask(
    cx: &mut Invocation<'_>,
    contexts: &[String],
    options: &Options,
    view: View,
    ask: &(dyn Fn(&mut Invocation<'_>) -> Result<Asked, Error> + Sync),
) -> Result<(), Error> {
    let failed = Failed::default();
    let errors = Errors::default();
    let _attended = cx.session.attend_to_ends()?;
    let shown = thread::scope(|scope| {
        let mut answers = Vec::new();
        for context in contexts {
            let (to, from) = sync_channel(HELD);
            let seed = cx.session.seed(context);
            let options = Options { context: Some(context.clone()), ..options.clone() };
            scope.spawn(move || {
                if let Err(error) = ask_one(seed, &options, ask, &to) {
                    // Whoever does not read any more does not want to know.
                    let _ = to.send(Err(Box::new(error)));
                }
            });
            answers.push((context.clone(), from));
        }
        let mut stream =
            Contexts { left: answers.into(), errors: errors.clone(), failed: failed.clone(), ..Contexts::default() };
        let Some(Layout { shape, columns, named, taken_from }) = stream.first_layout() else { return Ok(()) };
        let leading = Some(COLUMN.to_owned());
        let view = View { failed: failed.clone(), leading, columns, named, taken_from, folds: true, ..view };
        show::print_rows_as_they_are(cx, Reply::of_pieces(Box::new(stream)), &shape, &view)
    });
    let mut first = ExitCode::Done;
    for (context, error) in errors.take() {
        let code = cx.session.report(error, cx.settings, Some(&Source::Part { of: None, what: &context }), None);
        first = if first == ExitCode::Done { code } else { first };
    }
    match first {
        ExitCode::Done => shown,
        code => Err(Error::Reported(code)),
    }
}

/// Asks the node of a context and sends its rows.
fn ask_one(
    seed: SessionSeed,
    options: &Options,
    ask: &(dyn Fn(&mut Invocation<'_>) -> Result<Asked, Error> + Sync),
    to: &SyncSender<Sent>,
) -> Result<(), Error> {
    let mut session = Session::grow(seed);
    let mut settings = session.settle(options)?;
    // Several threads would draw on the same line.
    settings.ui.terminal.stderr = false;
    let result = {
        let mut cx = Invocation { session: &mut session, settings: &settings, out: Output::Screen };
        ask(&mut cx).and_then(|asked| send_rows(&mut cx, asked, to))
    };
    session.close();
    result
}

fn send_rows(cx: &mut Invocation<'_>, asked: Asked, to: &SyncSender<Sent>) -> Result<(), Error> {
    let Asked { answer, shape, view } = asked;
    let mut reply = match answer {
        Answer::Reply(reply) => reply,
        Answer::Failed(failure) => return Err(Error::Api(Box::new(failure))),
        // A query is never a job.
        Answer::Detached(_) => return Ok(()),
    };
    let context = cx.settings.target.context.clone().unwrap_or_default();
    let Some((completion, view)) = relations::wanted(cx, &shape, &view) else {
        return send_pieces(&mut reply, &context, shape, view, to);
    };
    send_pieces(&mut relations::Completed::new(&mut reply, completion), &context, shape, view, to)
}

fn send_pieces(
    pieces: &mut dyn Pieces,
    context: &str,
    shape: Shape,
    view: View,
    to: &SyncSender<Sent>,
) -> Result<(), Error> {
    let mut name = Vec::new();
    json::write_literal(&mut name, context);
    let send = |part| to.send(Ok(part)).is_ok();
    let View { columns, named, taken_from, .. } = view;
    let layout = |shape| Part::Layout(Box::new(Layout { shape, columns, named, taken_from }));
    let mut layout = Some(layout);
    let mut goes_on = true;
    let mut beside = MapWriter::default();
    while goes_on {
        let piece = pieces.next_piece().map_err(|error| Error::Client(client::Error::of_read(&error)))?;
        match piece {
            Some(Piece::Row(row)) => goes_on = send(Part::Row(row_of(&name, row))),
            Some(Piece::Member { name, text }) => beside.push(name.as_bytes(), text),
            Some(Piece::Rows { .. }) => {
                goes_on = layout.take().is_none_or(|layout| send(layout(with_context(shape.clone()))));
            }
            Some(Piece::EndRows) => {}
            None => break,
        }
    }
    // Without a list, the members are the row, such as a count.
    if let Some(layout) = layout.take().filter(|_| goes_on)
        && send(layout(Shape::default()))
    {
        rows_of(&beside.finish()).iter().all(|row| send(Part::Row(row_of(&name, row))));
    }
    Ok(())
}

/// A row that begins with its context.
fn row_of(context: &[u8], row: &[u8]) -> Vec<u8> {
    if json::kind(row) != Kind::Map {
        return row.to_vec();
    }
    let mut written = MapWriter::default();
    written.push(COLUMN.as_bytes(), context);
    json::members(row)
        .filter(|(name, _)| *name != COLUMN.as_bytes())
        .for_each(|(name, value)| written.push(name, value));
    written.finish()
}

/// The shape with the context as its first field.
fn with_context(mut shape: Shape) -> Shape {
    if !shape.fields.is_empty() {
        shape.fields.insert(0, Field { name: COLUMN.to_owned(), kind: FieldKind::Text, secret: false });
    }
    shape
}

/// The contexts that failed, in their order.
#[derive(Clone, Default)]
struct Errors(Arc<Mutex<Vec<(String, Error)>>>);

impl Errors {
    fn add(&self, context: String, error: Error) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((context, error));
    }

    fn take(&self) -> Vec<(String, Error)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The rows of all contexts as one reply.
#[derive(Default)]
struct Contexts {
    left: std::collections::VecDeque<(String, Receiver<Sent>)>,
    errors: Errors,
    failed: Failed,
    has_begun: bool,
    has_ended: bool,
    row: Vec<u8>,
}

impl Contexts {
    /// What the first context that answers knows of its rows; `None` if none answers.
    fn first_layout(&mut self) -> Option<Layout> {
        loop {
            match self.next_part()? {
                Part::Layout(layout) => return Some(*layout),
                Part::Row(_) => {}
            }
        }
    }

    /// What comes next; `None` after the last context.
    fn next_part(&mut self) -> Option<Part> {
        loop {
            let (_, from) = self.left.front()?;
            match from.recv() {
                Ok(Ok(part)) => return Some(part),
                Ok(Err(error)) => {
                    if let Some((context, _)) = self.left.pop_front() {
                        self.failed.set();
                        self.errors.add(context, *error);
                    }
                }
                Err(_) => drop(self.left.pop_front()),
            }
        }
    }
}

impl Pieces for Contexts {
    fn next_piece(&mut self) -> Result<Option<Piece<'_>>, ReadError> {
        if !std::mem::replace(&mut self.has_begun, true) {
            return Ok(Some(Piece::Rows { name: "inventories" }));
        }
        while let Some(part) = self.next_part() {
            if let Part::Row(row) = part {
                self.row = row;
                return Ok(Some(Piece::Row(&self.row)));
            }
        }
        Ok((!std::mem::replace(&mut self.has_ended, true)).then_some(Piece::EndRows))
    }
}
