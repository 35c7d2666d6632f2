//! `--watch`: repeats a query and shows what has changed.
//!
//! On a terminal the rows are redrawn in place, and new, removed and changed values are marked until the next answer.
//! Elsewhere one line of JSON is printed for each change since the first answer.

use std::io;
use std::time::Duration;

use crate::client::{self, Answer, Clock, SystemClock};
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::json::{Piece, Pieces, Scanner, escape_unprintable};
use crate::plan::{self, QueryPlan};
use crate::render::{self, Border, Change, Marks, Shape, Snapshot, View};
use crate::width::start;

use crate::session::Invocation;
use crate::terminal::{FullScreen, Output, WatchKeys};

use super::send;

/// How often to check whether the screen must be redrawn.
const TICK: Duration = Duration::from_millis(50);

/// What is watched, and its view.
pub(crate) struct Watched<'a> {
    /// The member that identifies rows.
    pub(crate) key: &'a str,
    pub(crate) shape: &'a Shape,
    pub(crate) view: &'a View,
    /// The command as typed, secrets masked, for the screen's first line.
    pub(crate) title: &'a str,
    /// How long to wait between an answer and the next request.
    pub(crate) every: Duration,
    /// Whether a terminal shows what is new; not where nearly everything is.
    pub(crate) marks: bool,
}

/// Reads the rows as they are now, and tells what is missing.
pub(crate) type Read<'a> = dyn FnMut(&mut Invocation<'_>) -> Result<(Snapshot, Option<String>), Error> + 'a;

/// Two answers and their differences.
#[derive(Default)]
struct Comparison {
    before: Snapshot,
    now: Snapshot,
    changes: Vec<Change>,
}

/// Repeats a query, as [`repeat`] does.
pub(super) fn watch(cx: &mut Invocation<'_>, query: &QueryPlan, watched: &Watched<'_>) -> Result<(), Error> {
    if query.answer == plan::Answer::Count {
        return refuse("a count has no rows to watch");
    }
    repeat(cx, watched, &mut |cx| Ok((snapshot(cx, query, watched.key)?, None)))
}

/// Reads and shows rows again and again until the user interrupts, which is not a failure.
pub(crate) fn repeat(cx: &mut Invocation<'_>, watched: &Watched<'_>, read: &mut Read<'_>) -> Result<(), Error> {
    match read_repeatedly(cx, watched, read) {
        Err(error) if is_interruption(&error) => Ok(()),
        result => result,
    }
}

fn read_repeatedly(cx: &mut Invocation<'_>, watched: &Watched<'_>, read: &mut Read<'_>) -> Result<(), Error> {
    let terminal = cx.settings.ui.terminal;
    let on_terminal = matches!(cx.out, Output::Screen) && terminal.stdout && !terminal.is_dumb;
    check(watched, on_terminal)?;
    // The screen is restored before a signal ends the program.
    let _attended = cx.session.attend_to_ends()?;
    let (now, mut trouble) = read(cx)?;
    let mut screen = on_terminal.then(|| FullScreen::new(io::stdout(), &cx.session.interrupt)).transpose()?;
    if screen.is_none() {
        cx.say(&format!("watching {}; Ctrl-C ends it", rows(now.len())));
    }
    let keys = screen.as_ref().and_then(|_| WatchKeys::new());
    let mut comparison = Comparison { now, ..Comparison::default() };
    loop {
        if let Some(screen) = &mut screen {
            let size = cx.session.environment.measure_terminal().unwrap_or((80, 24));
            screen.draw(&lines(watched, &comparison, trouble.as_deref(), size)?)?;
        }
        match pause(&cx.session.interrupt, watched.every, screen.as_ref(), keys.as_ref()) {
            Pause::Over => {}
            Pause::Redraw => {
                keys.iter().for_each(WatchKeys::resume);
                continue;
            }
            Pause::Ended => return Ok(()),
        }
        match read(cx) {
            // On a terminal errors are shown, and the query is repeated: the node may restart.
            Err(error) if screen.is_some() && !is_interruption(&error) => trouble = Some(error.to_string()),
            now => {
                let next;
                (next, trouble) = now?;
                comparison = comparison.with(next, watched);
                if screen.is_some() && !watched.marks {
                    comparison.changes.clear();
                }
                if screen.is_none() {
                    cx.out.write_text(&comparison.events(watched.key))?;
                }
            }
        }
    }
}

impl Comparison {
    /// The comparison of a later answer with this one.
    fn with(self, next: Snapshot, watched: &Watched<'_>) -> Comparison {
        let changes = self.now.changes(&next, watched.view.columns.as_ref());
        Comparison { before: self.now, now: next, changes }
    }

    /// A line of JSON for each change.
    fn events(&self, key: &str) -> String {
        let events: Vec<u8> = self.changes.iter().flat_map(|change| change.event(key)).collect();
        String::from_utf8_lossy(&events).into_owned()
    }
}

/// The rows as they are now.
fn snapshot(cx: &mut Invocation<'_>, query: &QueryPlan, key: &str) -> Result<Snapshot, Error> {
    let mut reply = match send::query(cx, &query.with_key())? {
        Answer::Reply(reply) => reply,
        Answer::Failed(failure) => return Err(Error::Api(Box::new(failure))),
        Answer::Detached(_) => return Ok(Snapshot::default()),
    };
    let mut rows = Snapshot::default();
    while let Some(piece) = reply.next_piece().map_err(|error| client::Error::of_read(&error))? {
        if let Piece::Row(row) = piece {
            rows.push(row, key)?;
        }
    }
    Ok(rows)
}

/// Waits, until the user ends it or the screen must be redrawn.
fn pause(interrupt: &Interrupt, time: Duration, screen: Option<&FullScreen>, keys: Option<&WatchKeys>) -> Pause {
    let mut clock = SystemClock::new();
    while clock.now() < time {
        if screen.is_some_and(FullScreen::is_lost) {
            return Pause::Redraw;
        }
        if keys.is_some_and(|keys| keys.pressed(b'q')) {
            return Pause::Ended;
        }
        let rest = time.saturating_sub(clock.now());
        if !clock.wait(interrupt, rest.min(TICK), &mut |_| {}) {
            return Pause::Ended;
        }
    }
    Pause::Over
}

/// How the time between two requests ended.
enum Pause {
    Over,
    /// The screen must be redrawn.
    Redraw,
    /// The user interrupted or pressed `q`.
    Ended,
}

fn check(watched: &Watched<'_>, on_terminal: bool) -> Result<(), Error> {
    if !on_terminal && (watched.view.filter.is_some() || watched.view.summary) {
        return refuse("with --jq or --summary it needs a terminal");
    }
    Ok(())
}

fn refuse(problem: &str) -> Result<(), Error> {
    Err(Error::Option { option: "watch", problem: problem.to_owned() })
}

fn is_interruption(error: &Error) -> bool {
    matches!(error, Error::Client(error) if error.class() == client::Class::Interrupted)
}

fn rows(count: usize) -> String {
    if count == 1 { "1 row".to_owned() } else { format!("{count} rows") }
}

/// The lines for a terminal of that width and height.
fn lines(
    watched: &Watched<'_>,
    comparison: &Comparison,
    trouble: Option<&str>,
    (width, height): (usize, usize),
) -> Result<Vec<String>, Error> {
    let mut lines = vec![fit(&headline(watched, comparison), width)];
    if let Some(trouble) = trouble {
        lines.push(fit(&format!("error: {trouble}"), width));
    }
    lines.push(String::new());
    let room = height.saturating_sub(lines.len());
    let whole = watched.view.summary || watched.view.filter.is_some() || watched.view.sort_by.is_some();
    let Comparison { before, now, changes } = comparison;
    let reply = now.reply(before, changes, if whole { usize::MAX } else { room });
    let marks = Marks::of(changes, watched.key);
    let view = View { width: Some(width), marks: Some(marks), ..watched.view.clone() };
    let mut text = Vec::new();
    let drawn = render::render(&mut Scanner::new(&reply[..]), watched.shape, &view, &mut text)?.rows;
    let text = String::from_utf8_lossy(&text);
    let count = text.lines().count();
    lines.extend(text.lines().take(room).map(str::to_owned));
    let is_cut = count > room || !whole && now.len() > room;
    if is_cut && let Some(last) = lines.last_mut() {
        *last = match usize::try_from(drawn).ok().filter(|_| !watched.view.summary && watched.view.filter.is_none()) {
            Some(drawn) => {
                let gone = changes.iter().filter(|change| matches!(change, Change::Gone { .. })).count();
                let ends = usize::from(matches!(view.border, Some(Border::Ascii | Border::Unicode)));
                let above = rows_within(room.saturating_sub(1), drawn, count.saturating_sub(ends));
                let below = (now.len() + gone).saturating_sub(above);
                format!("… {below} more row{}", if below == 1 { "" } else { "s" })
            }
            None => "… more than fits on the screen".to_owned(),
        };
    }
    Ok(lines)
}

/// How many of the rows that take so many lines, with a heading before them, stand within the first `room` of those.
fn rows_within(room: usize, rows: usize, lines: usize) -> usize {
    match lines.checked_div(rows).unwrap_or(1) {
        0 | 1 => room.saturating_sub(lines.saturating_sub(rows)).min(rows),
        // On a narrow terminal each row is a block.
        block => (room / block).min(rows),
    }
}

/// `QueryZone  every 2s  3 rows  1 new  2 changed`.
fn headline(watched: &Watched<'_>, comparison: &Comparison) -> String {
    let mut text = format!("{}  every {}s  {}", watched.title, watched.every.as_secs_f64(), rows(comparison.now.len()));
    let count = |test: fn(&Change) -> bool| comparison.changes.iter().filter(|change| test(change)).count();
    for (number, what) in [
        (count(|change| matches!(change, Change::New { .. })), "new"),
        (count(|change| matches!(change, Change::Gone { .. })), "gone"),
        (count(|change| matches!(change, Change::Changed { .. })), "changed"),
    ] {
        if number > 0 {
            text.push_str(&format!("  {number} {what}"));
        }
    }
    text
}

/// The beginning of a text that fits a line of the terminal.
fn fit(text: &str, room: usize) -> String {
    start(&escape_unprintable(text), room).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Format;

    fn snapshot(rows: &[&str]) -> Snapshot {
        let mut snapshot = Snapshot::default();
        for row in rows {
            snapshot.push(row.as_bytes(), "uuid").expect("few rows");
        }
        snapshot
    }

    fn screen(before: &[&str], now: &[&str], size: (usize, usize)) -> Vec<String> {
        let shape = Shape::default();
        let view = View { terminal: true, ..View::new(Format::Table) };
        let every = Duration::from_millis(1500);
        let watched = Watched { key: "uuid", shape: &shape, view: &view, title: "QueryZone", every, marks: true };
        let (before, now) = (snapshot(before), snapshot(now));
        let changes = before.changes(&now, None);
        lines(&watched, &Comparison { before, now, changes }, None, size).expect("lines")
    }

    const A: &str = r#"{"uuid":"a","name":"one","state":"Enabled"}"#;
    const B: &str = r#"{"uuid":"b","name":"two","state":"Enabled"}"#;
    const B_OFF: &str = r#"{"uuid":"b","name":"two","state":"Disabled"}"#;
    const C: &str = r#"{"uuid":"c","name":"new","state":"Enabled"}"#;

    #[test]
    fn changes_are_marked_and_counted() {
        let shown = screen(&[A, B], &[B_OFF, C], (80, 24));
        assert_eq!(shown[0], "QueryZone  every 1.5s  2 rows  1 new  1 gone  1 changed");
        let row = |name: &str| shown[1..].iter().find(|line| line.contains(name)).expect("the row").clone();
        assert!(row("one").contains("\u{1b}[2;9mone\u{1b}[0m"), "{shown:?}");
        assert!(row("two").contains("\u{1b}[7mDisabled\u{1b}[0m") && !row("two").starts_with('\u{1b}'), "{shown:?}");
        assert!(row("new").contains("\u{1b}[1;4mnew\u{1b}[0m"), "{shown:?}");
        // The next answer, which is the same, clears the marks.
        assert!(!screen(&[A, B], &[A, B], (80, 24)).join("").contains('\u{1b}'));
    }

    #[test]
    fn rows_above_the_fold_are_counted() {
        // Two lines of heading, and a row a line.
        assert_eq!(rows_within(10, 40, 42), 8);
        assert_eq!(rows_within(1, 40, 42), 0);
        // Blocks of four lines.
        assert_eq!(rows_within(10, 40, 160), 2);
    }

    #[test]
    fn a_screen_holds_what_it_has_room_for() {
        let shown = screen(&[], &[A, B, C], (80, 5));
        assert_eq!(shown.len(), 5);
        assert_eq!(shown[4], "… 3 more rows");
        let shown = screen(&[], &[A, B, C], (80, 6));
        assert!(shown[4].contains("one") && shown[5] == "… 2 more rows", "{shown:?}");
        assert_eq!(screen(&[], &[A, B, C], (9, 24))[0], "QueryZone");
    }
}
