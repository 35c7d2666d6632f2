//! `top hosts|vms`: how busy hosts or VMs are.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::calls::belongings::text_of;
use crate::calls::monitoring::{self, Metric, Question, Series};
use crate::calls::resource::kind_called;
use crate::calls::several::{Several, in_context};
use crate::calls::watch::{self, Watched};
use crate::calls::{send, show, view};
use crate::catalog::ResourceKind;
use crate::cli::TopOf;
use crate::client::{self, Answer, Class, Reply};
use crate::error::{Error, OwnError};
use crate::json::{MapWriter, Piece, Pieces};
use crate::plan::{self, Wanted};
use crate::render::{Field, FieldKind, Format, Shape, Snapshot, View};
use crate::session::{Invocation, offers};
use crate::shell::Flow;
use crate::syntax::Operator;
use crate::terminal::Output;

use super::metrics::{literal, reply};

/// The time between two readings; nodes measure every 10 seconds.
const EVERY: Duration = Duration::from_secs(5);

/// How far back the last measurement may be, and the seconds between two points.
const BACK: i64 = 30;
const PERIOD: i64 = 10;

/// A column.
struct Column {
    member: &'static str,
    /// The metrics that it may be taken from: the first that the node has.
    metrics: &'static [&'static str],
    /// Whether the series of a resource are added up: those of processors are averaged.
    adds_up: bool,
}

/// The columns; the first sorts the rows.
const COLUMNS: [Column; 6] = [
    Column { member: "cpuPercent", metrics: &["CPUAverageUsedUtilization", "CPUUsedUtilization"], adds_up: false },
    Column { member: "memoryPercent", metrics: &["MemoryUsedInPercent"], adds_up: false },
    Column { member: "diskReadBytes", metrics: &["DiskAllReadBytes", "DiskReadBytes"], adds_up: true },
    Column { member: "diskWriteBytes", metrics: &["DiskAllWriteBytes", "DiskWriteBytes"], adds_up: true },
    Column { member: "networkInBytes", metrics: &["NetworkAllInBytes", "NetworkInBytes"], adds_up: true },
    Column { member: "networkOutBytes", metrics: &["NetworkAllOutBytes", "NetworkOutBytes"], adds_up: true },
];

/// Shows how busy hosts or VMs are.
pub(super) fn run(cx: &mut Invocation<'_>, of: TopOf) -> Result<Flow, Error> {
    let view = view::of_settings(cx)?;
    let mut several = Several::of(cx, || None);
    let found = several.each(cx, &|cx, top: &mut Option<Top>| {
        *top = Top::find(cx, of)?;
        Ok(())
    })?;
    if found.is_empty() || cx.settings.call.dry_run {
        return several.or(Ok(Flow::Continue));
    }
    let is_for_people = view.format.is_for_people() && view.filter.is_none() && !view.summary;
    let terminal = cx.settings.ui.terminal;
    let on_screen = matches!(cx.out, Output::Screen) && terminal.stdout && terminal.stdin && !terminal.is_dumb;
    let every = cx.settings.call.watch.or((on_screen && is_for_people).then_some(EVERY));
    // A list of one row is a table, too. Programs and wide tables get the uuids.
    let section = (view.format == Format::Table).then(|| vec!["uuid".to_owned()]);
    let (shape, view) = several.shown(shape(), View { section, ..view });
    let result = match every {
        Some(every) => {
            let title = format!("top {}", name(of));
            let watched = Watched { key: "uuid", shape: &shape, view: &view, title: &title, every, marks: false };
            watch::repeat(cx, &watched, &mut |cx| {
                let (rows, trouble) = read(cx, &mut several, on_screen)?;
                let mut snapshot = Snapshot::default();
                rows.iter().try_for_each(|row| snapshot.push(row, "uuid"))?;
                Ok((snapshot, trouble))
            })
        }
        None => {
            let (rows, _) = read(cx, &mut several, false)?;
            show::print(cx, Reply::of_text(reply(&rows)), &shape, &view)
        }
    };
    several.or(result.map(|()| Flow::Continue))
}

fn name(of: TopOf) -> &'static str {
    match of {
        TopOf::Hosts => "hosts",
        TopOf::Vms => "vms",
    }
}

/// The rows of all contexts, the busiest first. A context without an answer `is_awaited` where that is told as well.
fn read(
    cx: &mut Invocation<'_>,
    several: &mut Several<Option<Top>>,
    is_awaited: bool,
) -> Result<(Vec<Vec<u8>>, Option<String>), Error> {
    let is_one = cx.settings.contexts.is_empty();
    let found = several.each(cx, &|cx, top| {
        let Some(top) = top else { return Ok((Vec::new(), None)) };
        match top.rows(cx) {
            Err(Error::Client(error)) if is_awaited && !is_one && error.class() == Class::NoAnswer => {
                Ok((Vec::new(), Some(error.to_string())))
            }
            rows => Ok((rows?, None)),
        }
    })?;
    let mut rows: Vec<(f64, Vec<u8>)> = Vec::new();
    let mut troubles = Vec::new();
    for (context, (of_context, trouble)) in found {
        rows.extend(of_context.into_iter().map(|(load, row)| (load, in_context(&context, &row))));
        troubles.extend(trouble.map(|trouble| format!("{context}: {trouble}")));
    }
    rows.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let trouble = Some(troubles.join("; ")).filter(|trouble| !trouble.is_empty());
    Ok((rows.into_iter().map(|(_, row)| row).collect(), trouble))
}

impl Column {
    fn metric(&self, known: &[Metric]) -> Option<Metric> {
        self.metrics.iter().find_map(|name| known.iter().find(|metric| metric.name == *name)).cloned()
    }
}

fn shape() -> Shape {
    let field = |name: &str, kind| Field { name: name.to_owned(), kind, secret: false };
    let of_column = |column: &Column| {
        let kind = if column.member.ends_with("Bytes") { FieldKind::Long } else { FieldKind::Decimal };
        field(column.member, kind)
    };
    let mut fields = vec![field("name", FieldKind::Text)];
    fields.extend(COLUMNS.iter().map(of_column));
    fields.push(field("uuid", FieldKind::Text));
    Shape { fields, ..Shape::default() }
}

/// What is shown.
struct Top {
    kind: ResourceKind,
    /// The state of the resources; any if there is none.
    state: Option<&'static str>,
    /// The columns that the node has a metric for.
    measured: Vec<(&'static Column, Metric)>,
    /// The uuids that had values when the resources were read; `None` before that.
    uuids: Option<HashSet<String>>,
    /// The uuids and names of the resources.
    resources: Vec<(String, String)>,
}

impl Top {
    /// What is shown of a node; `None` in a dry run.
    fn find(cx: &mut Invocation<'_>, of: TopOf) -> Result<Option<Top>, Error> {
        offers::follow_version(cx.session, Some(cx.settings));
        let kind = kind_called(cx.session.catalog, name(of))?;
        let (known, _) = monitoring::metrics(cx, &kind)?;
        if cx.settings.call.dry_run {
            cx.say(
                "then the last values of each metric would be asked for with GetMetricData, one request for all rows",
            );
            return Ok(None);
        }
        let measured: Vec<_> = COLUMNS.iter().filter_map(|column| Some((column, column.metric(&known)?))).collect();
        if measured.is_empty() {
            let problem = format!("the node has none of the metrics that it shows for the rows of {}", kind.query);
            return Err(Error::Own(OwnError::Value { name: "top".to_owned(), problem }));
        }
        let state = (of == TopOf::Vms).then_some("Running");
        Ok(Some(Top { kind, state, measured, uuids: None, resources: Vec::new() }))
    }

    /// The rows with what they are sorted by, the busiest first: one request for each column, and one query for the names
    /// where others have values than before.
    fn rows(&mut self, cx: &mut Invocation<'_>) -> Result<Vec<(f64, Vec<u8>)>, Error> {
        let mut values: Vec<HashMap<String, f64>> = Vec::new();
        for (column, metric) in &self.measured {
            let namespace = &metric.namespace;
            let question = Question { namespace, metric: &metric.name, label: None, back: BACK, period: PERIOD };
            let label = metric.label_of(cx.session.catalog, &self.kind).unwrap_or_default().to_owned();
            values.push(of_resources(&monitoring::series(cx, &question)?, &label, column.adds_up));
        }
        // Whoever starts or stops begins or ceases to have values.
        let uuids: HashSet<String> = values.iter().flat_map(|values| values.keys().cloned()).collect();
        if self.uuids.as_ref() != Some(&uuids) {
            self.resources = self.read_resources(cx)?;
            self.uuids = Some(uuids);
        }
        let load = |uuid: &String| values.first().and_then(|values| values.get(uuid)).copied().unwrap_or(-1.0);
        let mut shown: Vec<&(String, String)> = self.resources.iter().collect();
        shown.sort_by(|one, other| load(&other.0).total_cmp(&load(&one.0)).then_with(|| one.1.cmp(&other.1)));
        Ok(shown.into_iter().map(|(uuid, name)| (load(uuid), self.row(uuid, name, &values))).collect())
    }

    fn row(&self, uuid: &str, name: &str, values: &[HashMap<String, f64>]) -> Vec<u8> {
        let mut row = MapWriter::default();
        row.push(b"name", &literal(name));
        for ((column, _), values) in self.measured.iter().zip(values) {
            let number = |value: &f64| {
                let text = if column.member.ends_with("Bytes") { format!("{value:.0}") } else { format!("{value:.1}") };
                text.into_bytes()
            };
            row.push(column.member.as_bytes(), &values.get(uuid).map_or(b"null".to_vec(), number));
        }
        row.push(b"uuid", &literal(uuid));
        row.finish()
    }

    fn read_resources(&self, cx: &mut Invocation<'_>) -> Result<Vec<(String, String)>, Error> {
        let conditions: Vec<_> =
            self.state.iter().map(|state| ("state", Operator::Equal, (*state).to_owned())).collect();
        let wanted = Wanted { conditions: &conditions, fields: &["uuid", "name"], ..Wanted::default() };
        let query = plan::rows(self.kind.query, &wanted, cx.settings.call.page_size.value, cx.session.catalog)?;
        let mut reply = match send::query(cx, &query)? {
            Answer::Reply(reply) => reply,
            Answer::Failed(failure) => return Err(Error::Api(Box::new(failure))),
            Answer::Detached(_) => return Ok(Vec::new()),
        };
        let mut resources = Vec::new();
        while let Some(piece) = reply.next_piece().map_err(|error| client::Error::of_read(&error))? {
            if let Piece::Row(row) = piece {
                resources.extend(text_of(row, "uuid").map(|uuid| (uuid, text_of(row, "name").unwrap_or_default())));
            }
        }
        Ok(resources)
    }
}

/// The last value of each resource, by its uuid in a label. Several series of one are added up, or averaged.
fn of_resources(series: &[Series], label: &str, adds_up: bool) -> HashMap<String, f64> {
    let mut sums: HashMap<&String, (f64, f64)> = HashMap::new();
    for (uuid, value) in series.iter().filter_map(|series| Some((series.labels.get(label)?, series.last()?))) {
        let sum = sums.entry(uuid).or_default();
        *sum = (sum.0 + value, sum.1 + 1.0);
    }
    let value = |(sum, count): (f64, f64)| if adds_up { sum } else { sum / count };
    sums.into_iter().map(|(uuid, sum)| (uuid.clone(), value(sum))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn series_of_one_resource_are_added_up_or_averaged() {
        let series = |uuid: &str, cpu: &str, value| Series {
            labels: BTreeMap::from([("VMUuid".to_owned(), uuid.to_owned()), ("CPUNum".to_owned(), cpu.to_owned())]),
            points: vec![(10, 99.0), (20, value)],
        };
        let all = [series("a", "0", 10.0), series("a", "1", 30.0), series("b", "0", 5.0)];
        let averages = of_resources(&all, "VMUuid", false);
        assert_eq!((averages["a"], averages["b"]), (20.0, 5.0));
        assert_eq!(of_resources(&all, "VMUuid", true)["a"], 40.0);
        assert!(of_resources(&all, "HostUuid", true).is_empty());
    }
}
