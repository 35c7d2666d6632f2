//! `metrics KIND NAME METRIC…`: the course of metrics of a resource; without metrics, those that the node has of a kind.

use std::collections::BTreeMap;

use crate::calls::monitoring::{self, Metric, Question, Series};
use crate::calls::resource::{kind_called, uuid_of};
use crate::calls::{show, view};
use crate::catalog::ResourceKind;
use crate::cli::MetricsLine;
use crate::client::Reply;
use crate::dates::span_text;
use crate::error::{Error, OwnError};
use crate::json::{MapWriter, write_literal};
use crate::nearness::near;
use crate::render::{Field, FieldKind, Format, Shape, View, human_size};
use crate::session::{Invocation, offers};
use crate::shell::Flow;

/// How many points programs get of a series.
const POINTS: i64 = 60;

/// How many characters a course has at least and at most.
const COURSE: (usize, usize) = (10, 60);

/// How many characters the labels and the numbers beside a course take.
const BESIDE: usize = 45;

/// The least number of seconds between two points: nodes measure every 10 seconds.
const LEAST_PERIOD: i64 = 10;

/// Prints metrics.
pub(super) fn run(cx: &mut Invocation<'_>, line: &MetricsLine) -> Result<Flow, Error> {
    let view = view::of_settings(cx)?;
    if cx.settings.call.watch.is_some() {
        let problem = "`metrics` shows the past; `top` shows what is now, again and again".to_owned();
        return Err(Error::Option { option: "watch", problem });
    }
    offers::follow_version(cx.session, Some(cx.settings));
    let kind = kind_called(cx.session.catalog, &line.kind)?;
    let (known, namespaces) = monitoring::metrics(cx, &kind)?;
    if cx.settings.call.dry_run {
        cx.say("then the uuid of the resource would be looked up, and each metric asked for with GetMetricData");
        return Ok(Flow::Continue);
    }
    if known.is_empty() {
        let namespaces: Vec<String> = namespaces.into_iter().collect();
        cx.say(&format!("the node has no metrics of {}; it has those of {}", line.kind, namespaces.join(", ")));
    }
    if line.metric.is_empty() {
        list(cx, &known, &view)?;
        return Ok(Flow::Continue);
    }
    let wanted = chosen(&known, &line.metric)?;
    let resource = line.name.as_deref().unwrap_or_default();
    if resource.is_empty() {
        let (name, problem) = (line.kind.clone(), "the name of the resource is empty".to_owned());
        return Err(Error::Own(OwnError::Value { name, problem }));
    }
    let uuid = uuid_of(cx, &kind, resource)?;
    courses(cx, line, &kind, (resource, &uuid), &wanted, &view)?;
    Ok(Flow::Continue)
}

/// The metrics of these names, in any case.
fn chosen<'m>(known: &'m [Metric], names: &[String]) -> Result<Vec<&'m Metric>, Error> {
    let find = |name: &String| {
        known.iter().find(|metric| metric.name.eq_ignore_ascii_case(name)).ok_or_else(|| {
            let near = near(name, known.iter().map(|metric| metric.name.as_str()));
            Error::Own(OwnError::NotFound { kind: "metric", name: name.clone(), near })
        })
    };
    names.iter().map(find).collect()
}

/// Prints the metrics of a kind.
fn list(cx: &mut Invocation<'_>, known: &[Metric], view: &View) -> Result<(), Error> {
    let is_described = known.iter().any(|metric| metric.description.is_some());
    let is_single = known.windows(2).all(|pair| pair[0].namespace == pair[1].namespace);
    let for_people = view.format.is_for_people();
    let mut members = vec!["name"];
    members.extend((!is_single || !for_people).then_some("namespace"));
    members.push("labels");
    members.extend(is_described.then_some("description"));
    let rows: Vec<Vec<u8>> = known
        .iter()
        .map(|metric| {
            let mut row = MapWriter::default();
            row.push(b"name", &literal(&metric.name));
            if !is_single || !for_people {
                row.push(b"namespace", &literal(&metric.namespace));
            }
            if for_people {
                row.push(b"labels", &literal(&metric.labels.join(", ")));
            } else {
                row.push_list(b"labels", metric.labels.iter().map(|label| literal(label)));
            }
            if is_described {
                row.push(b"description", &literal(metric.description.as_deref().unwrap_or_default()));
            }
            row.finish()
        })
        .collect();
    print(cx, &rows, &shape(&members, &[]), view)
}

/// Prints the course of each metric.
fn courses(
    cx: &mut Invocation<'_>,
    line: &MetricsLine,
    kind: &ResourceKind,
    (resource, uuid): (&str, &str),
    wanted: &[&Metric],
    view: &View,
) -> Result<(), Error> {
    let is_drawn =
        view.format.is_for_people() && view.filter.is_none() && view.sort_by.is_none() && view.columns.is_none();
    let back = line.since.as_secs().max(LEAST_PERIOD);
    let longest = wanted.iter().map(|metric| metric.name.len()).max().unwrap_or_default();
    let room = view.max_width.or(view.width).map_or(COURSE.1, |width| width.saturating_sub(longest + BESIDE));
    let length = if is_drawn { i64::try_from(room.clamp(COURSE.0, COURSE.1)).unwrap_or(POINTS) } else { POINTS };
    let period = (back / length).max(LEAST_PERIOD);
    let mut rows = Vec::new();
    for metric in wanted {
        let label = metric.label_of(cx.session.catalog, kind).unwrap_or_default().to_owned();
        let question = Question {
            namespace: &metric.namespace,
            metric: &metric.name,
            label: Some((label.as_str(), uuid)).filter(|_| !label.is_empty()),
            back,
            period,
        };
        let found = monitoring::series(cx, &question)?;
        if found.is_empty() {
            let since = span_text(line.since);
            cx.say(&format!("{} of {resource}: nothing was measured in the last {since}", metric.name));
        }
        for mut series in found {
            series.labels.remove(&label);
            rows.push(Row { metric: &metric.name, series });
        }
    }
    let (course, numbers) = if is_drawn { (&["course"][..], &NUMBERS[..DRAWN]) } else { (&[][..], &NUMBERS[..]) };
    let shape = shape(&[&["metric", "labels"][..], course, numbers].concat(), if is_drawn { &[] } else { &NUMBERS });
    let texts: Vec<Vec<u8>> = if is_drawn {
        let times = || rows.iter().flat_map(|row| &row.series.points).map(|(time, _)| *time);
        let (start, end) = (times().min().unwrap_or_default(), times().max().unwrap_or_default());
        let length = ((end - start) / period + 1).min(length);
        let drawing = Drawing { end, period, length, is_ascii: view.ascii || !view.terminal };
        drawing.rows(&rows)
    } else {
        let has_points = matches!(view.format, Format::Json | Format::Jsonl | Format::Yaml) || view.filter.is_some();
        rows.iter().map(|row| row.for_programs(has_points)).collect()
    };
    print(cx, &texts, &shape, view)
}

/// The members that are numbers.
const NUMBERS: [&str; 4] = ["minimum", "average", "maximum", "last"];

/// How many of those are shown beside a course.
const DRAWN: usize = 3;

/// A series to print.
struct Row<'a> {
    metric: &'a str,
    series: Series,
}

impl Row<'_> {
    /// The minimum, the average, the maximum and the last value.
    fn numbers(&self) -> [f64; 4] {
        let values = || self.series.points.iter().map(|(_, value)| *value);
        #[allow(clippy::cast_precision_loss)]
        let average = values().sum::<f64>() / values().count().max(1) as f64;
        let last = self.series.last().unwrap_or_default();
        [values().fold(f64::INFINITY, f64::min), average, values().fold(f64::NEG_INFINITY, f64::max), last]
    }

    fn for_programs(&self, has_points: bool) -> Vec<u8> {
        let mut row = MapWriter::default();
        row.push(b"metric", &literal(self.metric));
        row.push(b"labels", &labels_map(&self.series.labels));
        for (name, value) in NUMBERS.iter().zip(self.numbers()) {
            row.push(name.as_bytes(), rounded(value).as_bytes());
        }
        if has_points {
            let point = |(time, value): &(i64, f64)| format!("{{\"time\":{time},\"value\":{value}}}");
            row.push_list(b"points", self.series.points.iter().map(point));
        }
        row.finish()
    }
}

/// How courses are drawn: all of them over the same time.
struct Drawing {
    end: i64,
    period: i64,
    length: i64,
    is_ascii: bool,
}

impl Drawing {
    /// The rows for people, with numbers that end at the same place.
    fn rows(&self, rows: &[Row<'_>]) -> Vec<Vec<u8>> {
        let numbers: Vec<[String; 4]> =
            rows.iter().map(|row| row.numbers().map(|value| amount(row.metric, value))).collect();
        let width = |at: usize| numbers.iter().map(|texts| texts[at].chars().count()).max().unwrap_or_default();
        let widths = [0, 1, 2, 3].map(|at| width(at).max(NUMBERS[at].len()));
        let row = |(row, numbers): (&Row<'_>, &[String; 4])| {
            let labels: Vec<String> = row.series.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let mut text = MapWriter::default();
            text.push(b"metric", &literal(row.metric));
            text.push(b"labels", &literal(&labels.join(", ")));
            text.push(b"course", &literal(&self.course(&row.series.points)));
            for ((name, number), width) in NUMBERS.iter().zip(numbers).zip(widths).take(DRAWN) {
                text.push(name.as_bytes(), &literal(&format!("{number:>width$}")));
            }
            text.finish()
        };
        rows.iter().zip(&numbers).map(row).collect()
    }

    /// A character for each part of the time, as high as the average of its points; blank where there are none. Nothing
    /// is at the bottom, and the highest part at the top.
    fn course(&self, points: &[(i64, f64)]) -> String {
        const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        const MARKS: [char; 8] = ['_', '.', ':', '-', '=', '+', '*', '#'];
        let mut parts: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
        for (time, value) in points {
            let before_end = (self.end - time).div_euclid(self.period);
            if before_end < self.length {
                let part = parts.entry(before_end).or_default();
                *part = (part.0 + value, part.1 + 1.0);
            }
        }
        let highest = parts.values().map(|(sum, count)| sum / count).fold(0.0, f64::max);
        let character = |part: &(f64, f64)| {
            let share = if highest > 0.0 { (part.0 / part.1 / highest).clamp(0.0, 1.0) } else { 0.0 };
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let step = (share * 7.0).round() as usize;
            if self.is_ascii { MARKS[step] } else { BLOCKS[step] }
        };
        (0..self.length).rev().map(|at| parts.get(&at).map_or(' ', character)).collect()
    }
}

/// A value with the unit that the name of its metric says.
fn amount(metric: &str, value: f64) -> String {
    let size = || human_size(&format!("{value:.0}"));
    match metric {
        name if name.ends_with("Percent") || name.ends_with("Utilization") => format!("{value:.1} %"),
        name if name.contains("Bytes") => size().unwrap_or_else(|| rounded(value)),
        _ => rounded(value),
    }
}

/// A number with at most two digits after the point.
pub(super) fn rounded(value: f64) -> String {
    format!("{}", (value * 100.0).round() / 100.0)
}

fn labels_map(labels: &BTreeMap<String, String>) -> Vec<u8> {
    let mut map = MapWriter::default();
    for (name, value) in labels {
        let name = literal(name);
        map.push(&name[1..name.len() - 1], &literal(value));
    }
    map.finish()
}

/// A JSON string.
pub(super) fn literal(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    write_literal(&mut out, text);
    out
}

/// The shape of rows with these members.
pub(super) fn shape(members: &[&str], numbers: &[&str]) -> Shape {
    let kind = |name: &str| match name {
        "time" => FieldKind::Time,
        name if numbers.contains(&name) => FieldKind::Decimal,
        _ => FieldKind::Text,
    };
    let field = |name: &&str| Field { name: (*name).to_owned(), kind: kind(name), secret: false };
    Shape { fields: members.iter().map(field).collect(), ..Shape::default() }
}

/// Rows as a reply.
pub(super) fn reply(rows: &[Vec<u8>]) -> Vec<u8> {
    let mut reply = MapWriter::default();
    reply.push_list(b"inventories", rows);
    reply.finish()
}

fn print(cx: &mut Invocation<'_>, rows: &[Vec<u8>], shape: &Shape, view: &View) -> Result<(), Error> {
    let view = View { section: Some(Vec::new()), ..view.clone() };
    show::print(cx, Reply::of_text(reply(rows)), shape, &view)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn courses_show_gaps_and_start_at_nothing() {
        let drawing = Drawing { end: 1000, period: 10, length: 5, is_ascii: false };
        assert_eq!(drawing.course(&[(940, 9.0), (960, 100.0), (970, 50.0), (975, 50.0), (1000, 0.0)]), "█▅▅ ▁");
        assert_eq!(drawing.course(&[]), "     ");
        let marks = Drawing { is_ascii: true, ..drawing };
        assert_eq!(marks.course(&[(990, 3.0), (1000, 3.0)]), "   ##");
        assert_eq!(marks.course(&[(1000, 0.0)]), "    _");
    }

    #[test]
    fn values_have_the_units_of_their_metrics() {
        assert_eq!(amount("CPUUsedUtilization", 12.345), "12.3 %");
        assert_eq!(amount("MemoryUsedInPercent", 100.0), "100.0 %");
        assert_eq!(amount("NetworkAllInBytes", 1536.2), "1.5 KiB");
        assert_eq!(amount("DiskReadOps", 12.345), "12.35");
    }
}
