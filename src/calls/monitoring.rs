//! Metrics, events, alarms and audits of a node, and the names of the resources that they are about.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::catalog::{Catalog, ResourceKind};
use crate::client::{self, Answer};
use crate::error::Error;
use crate::json::{self, Kind};
use crate::plan::{self, Effect, Plan, Wanted};
use crate::session::{Invocation, Lookup, lookup, offers};
use crate::syntax::{Operator, join_list};

use super::belongings::text_of;
use super::{send, show};

/// The most resources whose names are looked up with one query.
const MOST_NAMED: usize = 500;

/// A metric that a node offers.
#[derive(Clone, Debug)]
pub(crate) struct Metric {
    /// Its namespace, `ZStack/VM`.
    pub(crate) namespace: String,
    /// Its name, `CPUUsedUtilization`.
    pub(crate) name: String,
    /// What it measures, where the node says so.
    pub(crate) description: Option<String>,
    /// The names of its labels.
    pub(crate) labels: Vec<String>,
}

/// The points of a metric that have the same labels.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    /// Labels and their values.
    pub(crate) labels: BTreeMap<String, String>,
    /// Seconds since 1970 and values, the oldest first; not empty.
    pub(crate) points: Vec<(i64, f64)>,
}

impl Series {
    /// The value of the last point.
    pub(crate) fn last(&self) -> Option<f64> {
        self.points.last().map(|(_, value)| *value)
    }
}

/// What is asked of a metric.
pub(crate) struct Question<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) metric: &'a str,
    /// The label that must have a value; `None` for all resources.
    pub(crate) label: Option<(&'a str, &'a str)>,
    /// How far back, in seconds.
    pub(crate) back: i64,
    /// The seconds between two points.
    pub(crate) period: i64,
}

impl Metric {
    /// The label that holds the uuid of a resource of that kind: `VMUuid`.
    pub(crate) fn label_of(&self, catalog: Catalog, kind: &ResourceKind) -> Option<&str> {
        let is_it = |label: &&String| {
            label.strip_suffix("Uuid").and_then(|name| catalog.kind(name)).is_some_and(|of| is_same(&of, kind))
        };
        // Not every name of a kind is known here.
        let or_any = || self.labels.iter().find(|label| label.ends_with("Uuid"));
        self.labels.iter().find(is_it).or_else(or_any).map(String::as_str)
    }
}

fn is_same(one: &ResourceKind, other: &ResourceKind) -> bool {
    one.inventory.name == other.inventory.name
}

/// The metrics that a node has of a kind of resource, and the kinds that it has any of.
pub(crate) fn metrics(cx: &mut Invocation<'_>, kind: &ResourceKind) -> Result<(Vec<Metric>, BTreeSet<String>), Error> {
    let catalog = cx.session.catalog;
    let rows = list(cx, "GetAllMetricMetadata", &[], "metrics")?;
    let mut metrics: Vec<Metric> = rows.iter().filter_map(|row| metric(row)).collect();
    let namespaces: BTreeSet<String> = metrics.iter().map(|metric| metric.namespace.clone()).collect();
    metrics.retain(|metric| catalog.kind_of_namespace(&metric.namespace).is_some_and(|of| is_same(&of, kind)));
    metrics.sort_by(|one, other| one.name.cmp(&other.name));
    metrics.dedup_by(|one, other| one.name == other.name && one.namespace == other.namespace);
    Ok((metrics, namespaces))
}

fn metric(row: &[u8]) -> Option<Metric> {
    let labels = json::member(row, "labelNames").filter(|labels| json::kind(labels) == Kind::List);
    let labels = labels.map(json::items).into_iter().flatten();
    Some(Metric {
        namespace: text_of(row, "namespace")?,
        name: text_of(row, "name")?,
        description: text_of(row, "description").filter(|text| !text.is_empty()),
        labels: labels.map(|label| json::unescape(label).into_owned()).collect(),
    })
}

/// The series of a metric, ordered by their labels.
pub(crate) fn series(cx: &mut Invocation<'_>, question: &Question<'_>) -> Result<Vec<Series>, Error> {
    // Relative to the node's clock, so that another clock here changes nothing (M5).
    let mut parameters = vec![
        ("namespace", question.namespace.to_owned()),
        ("metricName", question.metric.to_owned()),
        ("offsetAheadOfCurrentTime", question.back.to_string()),
        ("period", question.period.to_string()),
    ];
    parameters.extend(question.label.map(|(name, value)| ("labels", format!("{name}={value}"))));
    let mut by_labels: BTreeMap<BTreeMap<String, String>, Vec<(i64, f64)>> = BTreeMap::new();
    for point in list(cx, "GetMetricData", &parameters, "data")? {
        let (Some(value), Some(time)) = (number(&point, "value"), number(&point, "time")) else { continue };
        let labels = json::member(&point, "labels").map(json::members).into_iter().flatten();
        let labels = labels.map(|(name, value)| (json::unescape(name).into_owned(), scalar(value)));
        by_labels.entry(labels.collect()).or_default().push((seconds(time), value));
    }
    let series = by_labels.into_iter().map(|(labels, mut points)| {
        points.sort_by_key(|(time, _)| *time);
        Series { labels, points }
    });
    Ok(series.collect())
}

/// The items of a list that a call returns. A dry run prints the request, and has none.
///
/// # Errors
/// Also where the node does not have the API, which is said.
pub(crate) fn list(
    cx: &mut Invocation<'_>,
    api: &'static str,
    parameters: &[(&str, String)],
    member: &str,
) -> Result<Vec<Vec<u8>>, Error> {
    let answered = answered(cx, api, parameters);
    let text = answered.map_err(|error| offers::explain(cx.session, cx.settings, api, error))?;
    let items = json::member(&text, member).filter(|items| json::kind(items) == Kind::List);
    Ok(items.map(json::items).into_iter().flatten().map(<[u8]>::to_vec).collect())
}

fn answered(cx: &mut Invocation<'_>, api: &'static str, parameters: &[(&str, String)]) -> Result<Vec<u8>, Error> {
    offers::check(cx.session, cx.settings, api, Effect::Read)?;
    let request = plan::call(api, parameters, cx.session.catalog)?;
    if cx.settings.call.dry_run {
        send::dry_run(cx, &Plan::Call(request))?;
        return Ok(Vec::new());
    }
    match send::execute_shown(cx, &request)? {
        Answer::Reply(reply) => show::text(reply),
        Answer::Failed(failure) => Err(Error::Api(Box::new(failure))),
        Answer::Detached(_) => Ok(Vec::new()),
    }
}

/// Names of resources, each looked up once.
#[derive(Default)]
pub(crate) struct Names {
    known: HashMap<String, Option<String>>,
}

impl Names {
    /// The name of a resource, if it was found.
    pub(crate) fn of(&self, uuid: &str) -> Option<&str> {
        self.known.get(uuid)?.as_deref()
    }

    /// Looks up the names of resources of one kind that are not known yet. Without an answer they stay unknown.
    pub(crate) fn look_up(
        &mut self,
        cx: &mut Invocation<'_>,
        kind: &ResourceKind,
        uuids: impl IntoIterator<Item = String>,
    ) -> Result<(), Error> {
        let new: BTreeSet<String> = uuids.into_iter().filter(|uuid| !self.known.contains_key(uuid)).collect();
        if new.is_empty() || kind.inventory.field("name").is_none() || cx.settings.call.dry_run {
            return Ok(());
        }
        let mut lookup = lookup(cx.session, cx.settings)?;
        let new: Vec<String> = new.into_iter().collect();
        for part in new.chunks(MOST_NAMED) {
            self.ask(&mut lookup, kind, part);
        }
        Ok(())
    }

    fn ask(&mut self, lookup: &mut Lookup, kind: &ResourceKind, uuids: &[String]) {
        let conditions = [("uuid", Operator::In, join_list(uuids))];
        let wanted = Wanted { conditions: &conditions, fields: &["uuid", "name"], ..Wanted::default() };
        let found = &mut |row: &[u8]| {
            if let Some(uuid) = text_of(row, "uuid") {
                self.known.insert(uuid, text_of(row, "name"));
            }
        };
        // What was deleted is not asked for again either.
        if lookup.each_row(kind.query, &wanted, found).is_some() {
            for uuid in uuids {
                self.known.entry(uuid.clone()).or_default();
            }
        }
    }
}

/// The number of a member. Nodes print some integers as doubles (N4).
pub(crate) fn number(row: &[u8], member: &str) -> Option<f64> {
    std::str::from_utf8(json::member(row, member)?).ok()?.parse().ok()
}

/// A time of a reply in seconds: nodes tell seconds or milliseconds.
#[allow(clippy::cast_possible_truncation)]
pub(crate) fn seconds(time: f64) -> i64 {
    (if time > 1e11 { time / 1000.0 } else { time }) as i64
}

/// A value as text: a string without its quotes.
pub(crate) fn scalar(value: &[u8]) -> String {
    match json::kind(value) {
        Kind::Text => json::unescape(value).into_owned(),
        _ => String::from_utf8_lossy(value).into_owned(),
    }
}

/// Whether a part of what was asked for may be left out because of an error: the node answered that it has no such API,
/// or that this account may not call it.
pub(crate) fn is_left_out(error: &Error) -> bool {
    match error {
        Error::Api(_) => true,
        Error::Client(error) => error.class() == client::Class::Failure,
        _ => false,
    }
}
