//! One question to the nodes of several contexts at the same time, and their rows as one reply.
//!
//! Each context is asked by a thread with a session of its own: its node, its log-in, its version. The rows come in the
//! order of the contexts, and each begins with a member `context`.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use crate::client::{self, Answer, Reply};
use crate::error::Error;
use crate::json::{MapWriter, Piece, Pieces, ReadError};
use crate::lost::Lost;
use crate::render::{Selection, Shape, View};
use crate::session::{Invocation, Session, SessionSeed, Settings};
use crate::terminal::Output;

use super::rows::rows_of;
use super::several::{CONTEXT, Failures, in_context, with_context};
use super::{relations, show};

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
    view: View,
    ask: &(dyn Fn(&mut Invocation<'_>) -> Result<Asked, Error> + Sync),
) -> Result<(), Error> {
    let lost = Lost::default();
    let _attended = cx.session.attend_to_ends()?;
    let shown = thread::scope(|scope| {
        let mut answers = Vec::new();
        for settings in &cx.settings.contexts {
            let (to, from) = sync_channel(HELD);
            let (seed, settings) = settings.apart(cx.session);
            let context = settings.context().unwrap_or_default().to_owned();
            scope.spawn(move || {
                if let Err(error) = ask_one(seed, &settings, ask, &to) {
                    // Whoever does not read any more does not want to know.
                    let _ = to.send(Err(Box::new(error)));
                }
            });
            answers.push((context, from));
        }
        let mut stream = Contexts { left: answers.into(), lost: lost.clone(), ..Contexts::default() };
        let Some(Layout { shape, columns, named, taken_from }) = stream.first_layout() else { return Ok(()) };
        let leading = Some(CONTEXT.to_owned());
        let view = View { failed: lost.failed.clone(), leading, columns, named, taken_from, folds: true, ..view };
        show::print_rows_as_they_are(cx, Reply::of_pieces(Box::new(stream)), &shape, &view)
    });
    let mut failures = Failures::default();
    for (context, error) in lost.take() {
        failures.tell(cx, &context, error);
    }
    failures.or(shown)
}

/// Asks the node of a context and sends its rows.
fn ask_one(
    seed: SessionSeed,
    settings: &Settings,
    ask: &(dyn Fn(&mut Invocation<'_>) -> Result<Asked, Error> + Sync),
    to: &SyncSender<Sent>,
) -> Result<(), Error> {
    let mut session = Session::grow(seed);
    let result = {
        let mut cx = Invocation { session: &mut session, settings, out: Output::Screen };
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
    let send = |part| to.send(Ok(part)).is_ok();
    let View { columns, named, taken_from, .. } = view;
    let layout = |shape| Part::Layout(Box::new(Layout { shape, columns, named, taken_from }));
    let mut layout = Some(layout);
    let mut goes_on = true;
    let mut beside = MapWriter::default();
    while goes_on {
        let piece = pieces.next_piece().map_err(|error| Error::Client(client::Error::of_read(&error)))?;
        match piece {
            Some(Piece::Row(row)) => goes_on = send(Part::Row(in_context(context, row))),
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
        rows_of(&beside.finish()).iter().all(|row| send(Part::Row(in_context(context, row))));
    }
    Ok(())
}

/// The rows of all contexts as one reply.
#[derive(Default)]
struct Contexts {
    left: std::collections::VecDeque<(String, Receiver<Sent>)>,
    lost: Lost<Error>,
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
                        self.lost.add(context, *error);
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
