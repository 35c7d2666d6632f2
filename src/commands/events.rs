//! `events`: events, alarms and audits in one stream.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::calls::monitoring::{self, Names, is_left_out};
use crate::calls::several::{Several, in_context};
use crate::calls::{show, view};
use crate::catalog::ResourceKind;
use crate::client::{self, Class, Clock, Reply, SystemClock};
use crate::error::Error;
use crate::json::Scanner;
use crate::render::{self, Border, Format, Shape, View};
use crate::session::{Invocation, offers};
use crate::shell::Flow;
use crate::terminal::Output;
use crate::width::width;

use super::events_rows::{Record, Source, Widths};
use super::metrics::{reply, shape};

/// The time between two looks for what is new, unless `--watch` says another.
const EVERY: Duration = Duration::from_secs(5);

/// How far back each look goes, in milliseconds: records may be written late.
const OVERLAP: i64 = 10 * 60 * 1000;

/// Prints what happened, and with `--follow` what happens.
pub(super) fn run(cx: &mut Invocation<'_>, since: SignedDuration) -> Result<Flow, Error> {
    let view = view::of_settings(cx)?;
    let settings = &cx.settings.call;
    let follows = (settings.follow || settings.watch.is_some()) && !settings.dry_run;
    if follows && (view.sort_by.is_some() || view.summary) {
        let problem = "what happens is printed as it comes, without --sort-by and --summary".to_owned();
        return Err(Error::Option { option: "follow", problem });
    }
    let from = Timestamp::now().as_millisecond().saturating_sub(i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    let stream = || Stream { sources: Source::ALL.to_vec(), from, ..Stream::default() };
    let mut streams = Several::of(cx, stream);
    let for_people = is_for_people(&view);
    let widths = (for_people && follows).then_some(Widths::USUAL);
    let found = streams.each(cx, &|cx, stream| stream.rows(cx, for_people, widths))?;
    if found.is_empty() || cx.settings.call.dry_run {
        return streams.or(Ok(Flow::Continue));
    }
    let rows = merged(found, widths.is_some());
    let (shape, view) = streams.shown(row_shape(for_people), View { section: Some(Vec::new()), ..view });
    if follows {
        let result = follow(cx, &mut streams, rows, &shape, &view);
        return streams.or(result);
    }
    let shown = show::print(cx, Reply::of_text(reply(&rows)), &shape, &view);
    streams.or(shown.map(|()| Flow::Continue))
}

/// The rows of all contexts, the newest last. Contexts `fill` a column where rows are printed one after the other.
fn merged(found: Vec<(String, Vec<Timed>)>, fill: bool) -> Vec<Vec<u8>> {
    let longest = found.iter().map(|(context, _)| width(context)).max().filter(|_| fill).unwrap_or_default();
    let mut rows: Vec<Timed> = Vec::new();
    for (context, of_context) in found {
        let context = format!("{context}{}", " ".repeat(longest.saturating_sub(width(&context))));
        rows.extend(of_context.into_iter().map(|(time, row)| (time, in_context(&context, &row))));
    }
    rows.sort_by_key(|(time, _)| *time);
    rows.into_iter().map(|(_, row)| row).collect()
}

/// A row with the time of its record.
type Timed = (i64, Vec<u8>);

/// Whether rows are made for reading: not where somebody asks for members by their names.
fn is_for_people(view: &View) -> bool {
    view.format.is_for_people() && view.filter.is_none() && view.sort_by.is_none() && view.columns.is_none()
}

fn row_shape(for_people: bool) -> Shape {
    let members: &[&str] = if for_people {
        &["time", "type", "status", "name", "resource", "details"]
    } else {
        &["time", "type", "emergencyLevel", "status", "name", "resourceName", "resourceUuid", "details"]
    };
    shape(members, &[])
}

/// Prints what happens, until the user interrupts, which is not a failure.
fn follow(
    cx: &mut Invocation<'_>,
    streams: &mut Several<Stream>,
    mut rows: Vec<Vec<u8>>,
    shape: &Shape,
    view: &View,
) -> Result<Flow, Error> {
    let _attended = cx.session.attend_to_ends()?;
    let for_people = is_for_people(view);
    // A document has an end.
    let format = if matches!(view.format, Format::Json | Format::Yaml) { Format::Jsonl } else { view.format };
    let border = view.border.or(Some(Border::None));
    // Each record is a line of a log, which the terminal breaks.
    let mut view = View { format, border, width: None, ..view.clone() };
    let widths = for_people.then_some(Widths::USUAL);
    let every = cx.settings.call.watch.unwrap_or(EVERY);
    if matches!(cx.out, Output::Screen) && cx.settings.ui.terminal.stdout {
        cx.say("Ctrl-C ends it");
    }
    loop {
        if !rows.is_empty() {
            let text = reply(&rows);
            cx.write(|out| {
                render::render(&mut Scanner::new(&text[..]), shape, &view, out)?;
                Ok(out.flush()?)
            })?;
            view.header = false;
        }
        if !SystemClock::new().wait(&cx.session.interrupt, every, &mut |_| {}) {
            return Ok(Flow::Continue);
        }
        rows = match streams.each(cx, &|cx, stream| stream.further_rows(cx, for_people, widths, every)) {
            Ok(found) if found.is_empty() => return Ok(Flow::Continue),
            Ok(found) => merged(found, for_people),
            Err(Error::Client(client::Error::Interrupted { .. })) => return Ok(Flow::Continue),
            Err(error) => return Err(error),
        };
    }
}

/// What was read of a node so far.
#[derive(Default)]
struct Stream {
    /// Those that the node has.
    sources: Vec<Source>,
    /// Where it begins, in milliseconds since 1970.
    from: i64,
    /// The time of the newest record, which the node's clock told.
    newest: i64,
    names: Names,
    /// The texts of the records of the last look.
    seen: HashSet<(&'static str, Vec<u8>)>,
    /// Whether the last look had no answer.
    is_troubled: bool,
}

impl Stream {
    /// The records that the last look did not find, as rows.
    fn rows(&mut self, cx: &mut Invocation<'_>, for_people: bool, widths: Option<Widths>) -> Result<Vec<Timed>, Error> {
        offers::follow_version(cx.session, Some(cx.settings));
        let records = self.look(cx)?;
        self.name(cx, &records)?;
        self.is_troubled = false;
        Ok(records.iter().map(|record| (record.time, record.row(&self.names, for_people, widths))).collect())
    }

    /// As [`Stream::rows`], of a node that may restart meanwhile.
    fn further_rows(
        &mut self,
        cx: &mut Invocation<'_>,
        for_people: bool,
        widths: Option<Widths>,
        every: Duration,
    ) -> Result<Vec<Timed>, Error> {
        match self.rows(cx, for_people, widths) {
            Err(Error::Client(error)) if error.class() == Class::NoAnswer => {
                if !std::mem::replace(&mut self.is_troubled, true) {
                    cx.settings.ui.warn(&format!("{error}; looking again every {} seconds", every.as_secs_f64()));
                }
                Ok(Vec::new())
            }
            rows => rows,
        }
    }

    /// The records that the last look did not find, the newest last. What the node does not offer is said, once.
    fn look(&mut self, cx: &mut Invocation<'_>) -> Result<Vec<Record>, Error> {
        let from = self.from.max(self.newest - OVERLAP);
        let most = cx.settings.call.page_size.value;
        let mut records = Vec::new();
        let mut seen = HashSet::new();
        let mut left_out = Vec::new();
        for source in self.sources.clone() {
            let (api, member) = source.api();
            let rows = match monitoring::list(cx, api, &source.parameters(from, most), member) {
                Err(error) if is_left_out(&error) => {
                    left_out.push((source, error));
                    continue;
                }
                rows => rows?,
            };
            if rows.len() >= most as usize && self.newest == 0 {
                cx.say(&format!("only {} of the {member} are shown; --page-size N shows more", rows.len()));
            }
            for row in rows {
                let record = Record::of(source, &row).filter(|record| record.time >= from);
                let key = (api, row);
                if !self.seen.contains(&key) && !seen.contains(&key) {
                    records.extend(record);
                }
                seen.insert(key);
            }
        }
        if left_out.len() == self.sources.len() && !left_out.is_empty() {
            return Err(left_out.remove(0).1);
        }
        for (source, error) in left_out {
            cx.settings.ui.warn(&format!("{} are left out: {error}", source.api().1));
            self.sources.retain(|other| *other != source);
        }
        self.seen = seen;
        records.sort_by_key(|record| record.time);
        self.newest = records.last().map_or(self.newest, |record| record.time.max(self.newest));
        Ok(records)
    }

    /// Looks up the names of what the records are about: one query for each kind.
    fn name(&mut self, cx: &mut Invocation<'_>, records: &[Record]) -> Result<(), Error> {
        let catalog = cx.session.catalog;
        let mut by_kind: HashMap<&'static str, (ResourceKind, Vec<String>)> = HashMap::new();
        for record in records.iter().filter(|record| !record.resource_uuid.is_empty()) {
            let Some(kind) = record.kind(catalog) else { continue };
            by_kind.entry(kind.query).or_insert((kind, Vec::new())).1.push(record.resource_uuid.clone());
        }
        for (kind, uuids) in by_kind.into_values() {
            self.names.look_up(cx, &kind, uuids)?;
        }
        Ok(())
    }
}
