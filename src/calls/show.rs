//! Prints and records the results of calls.

use crate::client::{self, Answer, Parts, Reply};
use crate::error::Error;
use crate::json::{self, Kind, Pieces};
use crate::render::{self, Failed, Format, Selection, Shape, View};
use crate::session::Invocation;
use crate::terminal::Paging;

use super::relations;

use super::secrets;

/// Prints what a query found. `why_none` is a likely reason for no rows.
pub(crate) fn found(
    cx: &mut Invocation<'_>,
    found: Answer,
    shape: &Shape,
    view: &View,
    why_none: Option<String>,
) -> Result<(), Error> {
    let Answer::Reply(reply) = found else { return answer(cx, found, shape, view) };
    let mut reply = cx.session.recorded(reply);
    let says_none = print_rows(cx, &mut *reply, shape, view)?;
    if let Some(reason) = why_none.filter(|_| says_none) {
        cx.say(&reason);
    }
    Ok(())
}

/// Prints rows that are complete.
pub(super) fn print_rows_as_they_are(
    cx: &mut Invocation<'_>,
    reply: Reply,
    shape: &Shape,
    view: &View,
) -> Result<(), Error> {
    let mut reply = cx.session.recorded(reply);
    print_parts(cx, &mut *reply, shape, view, paging(view)).map(drop)
}

/// Prints rows with the names of what they refer to, where the view wants those.
fn print_rows(cx: &mut Invocation<'_>, reply: &mut dyn Pieces, shape: &Shape, view: &View) -> Result<bool, Error> {
    match relations::wanted(cx, shape, view) {
        Some((completion, view)) => {
            let mut completed = relations::Completed::new(reply, completion);
            print_parts(cx, &mut completed, shape, &view, paging(&view))
        }
        None => print_parts(cx, reply, shape, view, paging(view)),
    }
}

/// Prints what a call led to.
pub(crate) fn answer(cx: &mut Invocation<'_>, answer: Answer, shape: &Shape, view: &View) -> Result<(), Error> {
    match answer {
        Answer::Reply(reply) => {
            let mut reply = cx.session.recorded(reply);
            print_rows(cx, &mut *reply, shape, view).map(drop)
        }
        Answer::Failed(failure) => {
            if matches!(view.format, Format::Json | Format::Jsonl | Format::Yaml) {
                // Scripts could take a member `success` for success.
                let view = View { format: view.format, failed: Failed::new(true), ..view.plain() };
                let reply = secrets::shown_json(cx, failure.reply());
                print(cx, Reply::of_text(reply.into_bytes()), &Shape::default(), &view)?;
            }
            Err(Error::Api(Box::new(failure)))
        }
        Answer::Detached(job) => {
            let text = format!("{{\"job\":{{\"uuid\":\"{}\",\"api\":\"{}\"}}}}", job.uuid, job.api);
            cx.say(&format!("the job goes on; `zstack-cli job {}` looks at it", job.uuid));
            // The columns are for the result of the job.
            let view = View { columns: None, sort_by: None, summary: false, ..view.clone() };
            result(cx, text.as_bytes(), &Shape::default(), &view)
        }
    }
}

/// Prints a reply.
pub(crate) fn print(cx: &mut Invocation<'_>, reply: Reply, shape: &Shape, view: &View) -> Result<(), Error> {
    let mut reply = cx.session.recorded(reply);
    print_pieces(cx, &mut *reply, shape, view, paging(view)).map(drop)
}

/// How a view is paged.
fn paging(view: &View) -> Paging {
    if view.format == Format::Wide { Paging::Sideways } else { Paging::Lines }
}

/// The view of what an action led to: on a terminal who it was and its state, unless more was asked for.
fn of_result(text: &[u8], view: &View) -> View {
    let made = json::member(text, "inventory");
    let is_short = view.terminal && view.format == Format::Table && view.columns.is_none() && view.filter.is_none();
    let has = |made: &[u8], name: &str| json::member(made, name).is_some_and(|value| json::kind(value) != Kind::Null);
    // Without a name it is no resource that could be looked at again: an access key is told this once.
    let Some(made) = made.filter(|made| is_short && has(made, "name") && has(made, "uuid")) else {
        return view.clone();
    };
    let names: Vec<&str> = ["name", "uuid", "state", "status"].into_iter().filter(|name| has(made, name)).collect();
    View { columns: Selection::parse(&names.join(",")).ok(), ..view.clone() }
}

/// Prints the result of an action. If it cannot be shown as requested, it is shown unchanged: otherwise the uuid would
/// be lost, and users would repeat an action that seems to have failed.
pub(super) fn result(cx: &mut Invocation<'_>, text: &[u8], shape: &Shape, view: &View) -> Result<(), Error> {
    if let Some(recording) = &cx.session.recording {
        recording.whole(text);
    }
    let reply = || Reply::of_text(text.to_vec());
    match print_parts(cx, &mut reply(), shape, &of_result(text, view), Paging::Never) {
        Err(Error::Render(error)) => {
            let error = Error::NotShown(error);
            // A failed part is more important than the view.
            if let Err(failed) = print_parts(cx, &mut reply(), &Shape::default(), &view.plain(), Paging::Never) {
                cx.session.report(error, cx.settings, None, None);
                return Err(failed);
            }
            Err(error)
        }
        result => result.map(drop),
    }
}

/// Prints the reply of a call, parts of which may have failed (M2).
fn print_parts(
    cx: &mut Invocation<'_>,
    reply: &mut dyn Pieces,
    shape: &Shape,
    view: &View,
    paging: Paging,
) -> Result<bool, Error> {
    let mut parts = Parts::new(reply);
    let says_none = print_pieces(cx, &mut parts, shape, view, paging)?;
    let failed = parts.into_failed();
    if failed.is_empty() { Ok(says_none) } else { Err(Error::Parts(failed)) }
}

/// Prints pieces; returns whether it said that there are no rows.
fn print_pieces(
    cx: &mut Invocation<'_>,
    reply: &mut dyn Pieces,
    shape: &Shape,
    view: &View,
    paging: Paging,
) -> Result<bool, Error> {
    let rendered = cx.write_paged(paging, |writer| {
        let rendered = render::render(reply, shape, view, writer)?;
        writer.flush()?;
        Ok(rendered)
    })?;
    // Only a reply with a count has as many rows as its total.
    let is_table = matches!(view.format, Format::Table | Format::Wide) && view.filter.is_none() && !view.summary;
    if view.terminal && is_table && rendered.rows > 1 && rendered.total != Some(rendered.rows) {
        cx.say(&format!("({} rows)", rendered.rows));
    }
    if !rendered.hidden.is_empty() && view.format == Format::Table {
        let text = format!("columns left out: {} (-o wide, --columns)", rendered.hidden.join(", "));
        let ui = &cx.settings.ui;
        ui.say(&in_lines(&text, ui.width().filter(|_| ui.terminal.stderr)));
    }
    if rendered.rows == 0 && cx.settings.view.fail_empty {
        return Err(Error::Empty);
    }
    // On a terminal no output at all would be confusing.
    let says_none = rendered.rows == 0 && view.terminal && view.format.is_for_people();
    if says_none {
        let is_change = shape.inventory.is_none() && shape.fields.is_empty();
        cx.say(if is_change { "done" } else { "no rows" });
    }
    Ok(says_none)
}

/// The whole text of a reply.
pub(crate) fn text(reply: Reply) -> Result<Vec<u8>, Error> {
    Ok(reply.into_text().map_err(|error| client::Error::of_read(&error))?)
}

/// Wraps text for a terminal of that width; further lines are indented.
fn in_lines(text: &str, width: Option<usize>) -> String {
    let Some(width) = width else { return text.to_owned() };
    let mut out = String::new();
    let mut taken = 0;
    for word in text.split(' ') {
        if taken > 0 && taken + 1 + word.len() >= width {
            out.push_str("\n  ");
            taken = 2;
        } else if taken > 0 {
            out.push(' ');
            taken += 1;
        }
        out.push_str(word);
        taken += word.len();
    }
    out
}
