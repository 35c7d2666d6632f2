//! `more [N]`: earlier results.

use std::io::{self, Write};

use jiff::Timestamp;

use crate::calls::{shape, shape_of_zql, show, view};
use crate::catalog::Catalog;
use crate::cli::{self, OwnCommand};
use crate::client::Reply;
use crate::dates;
use crate::error::Error;
use crate::json::{Value, escape_unprintable};
use crate::plan;
use crate::render::{Failed, Shape, View};
use crate::results::{Kept, Record, Results, Summary};
use crate::session::{Invocation, Line};
use crate::shell::Flow;
use crate::syntax::Command;

/// Shows an earlier result again, or lists them.
pub(super) fn run(cx: &mut Invocation<'_>, number: Option<i64>) -> Result<Flow, Error> {
    let results = cx.session.results(cx.settings.view.secrets)?;
    // It is not stored as a new result.
    cx.session.recording = None;
    let view = view::of_settings(cx)?;
    match number {
        Some(number) => again(cx, &results.load(numbered(&results, number)?)?, view)?,
        None => {
            let mut summaries = results.latest(usize::MAX)?;
            summaries.reverse();
            if cx.settings.view.output.is_none() && cx.settings.view.jq.is_none() {
                let is_local = cx.out.screen(&cx.settings.ui).terminal;
                let now = is_local.then(Timestamp::now);
                cx.write(|out| Ok(list(&summaries, now, out)?))?;
            } else {
                show::print(cx, Reply::of_text(rows(&summaries)), &Shape::default(), &view)?;
            }
        }
    }
    Ok(Flow::Continue)
}

/// The number of a result; negative ones count from the last.
fn numbered(results: &Results, number: i64) -> Result<u64, Error> {
    let back = usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX);
    if number >= 0 {
        return Ok(number.unsigned_abs());
    }
    let latest = results.latest(back)?;
    Ok(if latest.len() < back { 0 } else { latest.first().map_or(0, |first| first.number) })
}

fn again(cx: &mut Invocation<'_>, record: &Record, view: View) -> Result<(), Error> {
    let summary = &record.summary;
    cx.say(&title(summary));
    match &record.reply {
        Kept::Whole(text) => {
            let shape = shape_of_line(cx.session.catalog, &summary.command);
            let view = View { failed: Failed::new(!summary.success), ..view };
            show::print(cx, Reply::of_text(text.clone().into_bytes()), &shape, &view)
        }
        Kept::Text(text) => cx.write(|out| Ok(writeln!(out, "{}", escape_unprintable(text))?)),
        Kept::Start(text) => {
            cx.write(|out| Ok(writeln!(out, "{}", escape_unprintable(text))?))?;
            cx.say(&only_the_start(summary));
            Ok(())
        }
    }
}

/// The shape of the rows of an earlier line; empty if it is not known any more.
fn shape_of_line(catalog: Catalog, line: &str) -> Shape {
    let mut line = Line::parse(line);
    if let Some(kept) = line.kept.take() {
        line = *kept;
    }
    if let Ok(cli::Line::Own(OwnCommand::Zql { query })) = &line.command {
        return shape_of_zql(catalog, &query.join(" "));
    }
    let how = plan::Options { no_check: true, ..plan::Options::default() };
    let command = Command::from_words(line.command_text(), &line.words).ok().flatten();
    let planned = command.and_then(|command| plan::plan(&command, catalog, &how).ok());
    planned.map(|planned| shape::of_plan(catalog, &planned).0).unwrap_or_default()
}

/// Lists results, one a line: number, `!` where it failed, when it ended, the size of the reply, the command. People who
/// read it `now` get ages of what is not old, and dates in the zone of this machine; programs get dates in UTC.
///
/// # Errors
/// When `out` cannot be written.
fn list(summaries: &[Summary], now: Option<Timestamp>, out: &mut dyn Write) -> io::Result<()> {
    let width = summaries.iter().map(|summary| summary.number.to_string().len()).max().unwrap_or(1);
    let time = |summary: &Summary| match now {
        Some(now) => dates::age_or_date(moment(summary), now),
        None => moment(summary).strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
    };
    let times: Vec<String> = summaries.iter().map(time).collect();
    let longest = times.iter().map(String::len).max().unwrap_or_default();
    for (summary, time) in summaries.iter().zip(times) {
        let mark = if summary.success { ' ' } else { '!' };
        let command = summary.command.replace('\n', " ");
        let size = size(summary.size);
        writeln!(
            out,
            "{:>width$} {mark} {time:<longest$}  {size:>9}  {}",
            summary.number,
            escape_unprintable(&command)
        )?;
    }
    Ok(())
}

/// The list as a reply: `{"inventories": [{"number", "time", "success", "size", "command"}]}`. Times are UTC.
fn rows(summaries: &[Summary]) -> Vec<u8> {
    let row = |summary: &Summary| {
        let members = [
            ("number", Value::Number(summary.number.to_string())),
            ("time", Value::text(moment(summary).to_string())),
            ("success", Value::Bool(summary.success)),
            ("size", Value::Number(summary.size.to_string())),
            ("command", Value::text(&summary.command)),
        ];
        Value::Map(members.map(|(name, value)| (name.to_owned(), value)).into())
    };
    let rows = Value::List(summaries.iter().map(row).collect());
    Value::Map(vec![("inventories".to_owned(), rows)]).to_json(None).into_bytes()
}

fn moment(summary: &Summary) -> Timestamp {
    i64::try_from(summary.time).ok().and_then(|time| Timestamp::from_second(time).ok()).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Which result is shown.
fn title(summary: &Summary) -> String {
    let failed = if summary.success { "" } else { " (failed)" };
    format!("result {}{failed}: {}", summary.number, escape_unprintable(&summary.command))
}

/// The message for a reply of which only the start was stored.
fn only_the_start(summary: &Summary) -> String {
    format!("({} were received; only the start is kept)", size(summary.size))
}

/// A byte count for messages.
fn size(bytes: u64) -> String {
    let mut unit = 0;
    let mut shown = bytes;
    while shown >= 10 * 1024 && unit < 3 {
        shown /= 1024;
        unit += 1;
    }
    format!("{shown} {}", ["B", "KiB", "MiB", "GiB"][unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(number: u64, command: &str, success: bool, size: u64) -> Summary {
        Summary { number, command: command.into(), success, time: 1_741_097_521, size }
    }

    fn text(run: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        run(&mut out).expect("memory takes it");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn results_are_listed_with_their_times() {
        let all = [summary(9, "QueryZone", true, 312), summary(10, "DeleteZone uuid=x\\\n", false, 41_000_000)];
        assert_eq!(
            text(|out| list(&all, None, out)),
            " 9   2025-03-04 14:12:01Z      312 B  QueryZone\n10 ! 2025-03-04 14:12:01Z     39 MiB  DeleteZone uuid=x\\ \n"
        );
        assert_eq!(
            String::from_utf8(rows(&all[..1])).expect("text"),
            r#"{"inventories":[{"number":9,"time":"2025-03-04T14:12:01Z","success":true,"size":312,"command":"QueryZone"}]}"#
        );
    }

    #[test]
    fn what_is_shown_is_told() {
        let cut = summary(1, "QueryZone", false, 5 << 20);
        assert_eq!(title(&cut), "result 1 (failed): QueryZone");
        assert_eq!(only_the_start(&cut), "(5120 KiB were received; only the start is kept)");
    }
}
