//! Metrics of resources: series that follow from the resource and the time alone, so that the same question always has
//! the same answer.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::Failure;
use super::super::change::{Change, Handler};
use super::super::store::Row;
use super::filter::Filter;

/// The APIs of metrics.
pub(in super::super) const WORK: &[(&str, Handler)] =
    &[("GetAllMetricMetadata", metadata), ("GetMetricData", data), ("GetMetricLabelValue", label_values)];

/// The seconds between two points, unless the call says otherwise.
const PERIOD: i64 = 60;
/// How far back a call without a start looks, in seconds.
const LOOK_BACK: i64 = 3600;
/// The most points of one series.
const LONGEST: i64 = 11_000;
/// The most points of one reply.
const MOST: i64 = 1_000_000;

/// The metrics of a kind of resource.
#[derive(Deserialize)]
struct Namespace {
    inventory: String,
    /// The label with the uuid of the resource.
    label: String,
    /// The states in which a resource has data; all if none is listed.
    states: Vec<String>,
    metrics: BTreeMap<String, Metric>,
}

/// How a metric is computed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Metric {
    /// A percentage, with the usual one.
    share: Option<f64>,
    /// An amount per second, with the usual one.
    rate: Option<f64>,
    /// 100 minus another metric.
    rest: Option<String>,
    /// A percentage of the member `of`.
    part: Option<String>,
    of: Option<String>,
    /// Another metric times the member `count`.
    total: Option<String>,
    /// A member; as the percentage of another that is used or left.
    stored: Option<String>,
    used: Option<String>,
    over: Option<String>,
    /// The metric with the same curve.
    like: Option<String>,
    /// A label of further series: one for each of `count`.
    each: Option<String>,
    count: Option<String>,
}

fn namespaces() -> &'static BTreeMap<String, Namespace> {
    static NAMESPACES: OnceLock<BTreeMap<String, Namespace>> = OnceLock::new();
    // The data is part of the program, and a test reads it.
    NAMESPACES.get_or_init(|| serde_json::from_str(include_str!("data/metrics.json")).unwrap_or_default())
}

impl Metric {
    fn labels<'a>(&'a self, namespace: &'a Namespace) -> Vec<&'a str> {
        std::iter::once(namespace.label.as_str()).chain(self.each.as_deref()).collect()
    }
}

/// The series of one resource, or of a part of it.
struct Series<'a> {
    namespace: &'a Namespace,
    row: &'a Row,
    /// The number of the part, such as a processor, and how many there are.
    part: Option<(i64, i64)>,
    labels: BTreeMap<&'a str, String>,
}

impl Series<'_> {
    fn member(&self, name: Option<&str>) -> f64 {
        #[allow(clippy::cast_precision_loss)]
        let number = name.and_then(|name| self.row.get(name).as_integer()).unwrap_or_default() as f64;
        number
    }

    /// The value of a metric at a time in seconds.
    fn value(&self, name: &str, time: i64) -> f64 {
        let Some(metric) = self.namespace.metrics.get(name) else { return 0.0 };
        let curve = metric.like.as_deref().unwrap_or(name);
        let uuid = self.row.text("uuid").unwrap_or_default();
        if let Some(usual) = metric.share {
            let load = usual * (0.5 + random(&[uuid, curve])) * wave(uuid, curve, time);
            let spread = self.part.map_or(0.0, |(at, count)| spread(at, count) * load * 0.4);
            (load + spread).clamp(0.1, 98.5)
        } else if let Some(usual) = metric.rate {
            usual * 10_f64.powf(random(&[uuid, curve]) * 1.6 - 0.8) * wave(uuid, curve, time)
        } else if let Some(other) = &metric.rest {
            100.0 - self.value(other, time)
        } else if let Some(other) = &metric.part {
            (self.value(other, time) / 100.0 * self.member(metric.of.as_deref())).round()
        } else if let Some(other) = &metric.total {
            self.value(other, time) * self.member(metric.count.as_deref())
        } else {
            let stored = self.member(metric.stored.as_deref());
            let whole = |name: &Option<String>| self.member(name.as_deref()).max(1.0);
            match (&metric.used, &metric.over) {
                (Some(_), _) => 100.0 - stored / whole(&metric.used) * 100.0,
                (_, Some(_)) => stored / whole(&metric.over) * 100.0,
                _ => stored,
            }
        }
    }
}

/// A number from 0 to 1 that follows from texts.
fn random(texts: &[&str]) -> f64 {
    // FNV-1a, and a mix of its result so that similar texts give different numbers.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in texts.iter().flat_map(|text| text.bytes().chain([0])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash = (hash ^ hash >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    f64::from(u32::try_from(hash >> 32).unwrap_or_default()) / f64::from(u32::MAX)
}

/// The load at a time relative to the usual one: higher in the afternoon, lower at weekends, and never quite still.
fn wave(uuid: &str, metric: &str, time: i64) -> f64 {
    let phase = random(&[uuid]) * 3.0;
    #[allow(clippy::cast_precision_loss)]
    let turn = |seconds: i64| (time.rem_euclid(seconds)) as f64 / seconds as f64 * std::f64::consts::TAU;
    let day = (turn(86_400) - std::f64::consts::PI * 4.0 / 3.0 + phase * 0.2).cos();
    let minutes = (turn(2_700) + phase * 2.0).sin();
    let noise = random(&[uuid, metric, &(time.div_euclid(10)).to_string()]) - 0.5;
    // 1970 began on a Thursday.
    let is_weekend = matches!(time.div_euclid(86_400).rem_euclid(7), 2 | 3);
    (1.0 + 0.3 * day + 0.1 * minutes + 0.2 * noise) * if is_weekend { 0.7 } else { 1.0 }
}

/// The part's deviation from the average of all parts; these add up to 0.
fn spread(at: i64, count: i64) -> f64 {
    #[allow(clippy::cast_precision_loss)]
    let turn = at as f64 / count.max(1) as f64 * std::f64::consts::TAU;
    if count > 1 { turn.sin() } else { 0.0 }
}

fn find<'a>(change: &Change<'_>) -> Result<(&'a Namespace, &'a Metric), Failure> {
    let (namespace, name) = (change.text("namespace"), change.text("metricName"));
    let found = namespaces().get(namespace).and_then(|found| Some((found, found.metrics.get(name)?)));
    found.ok_or_else(|| Failure::argument(format!("there is no metric[{name}] in the namespace[{namespace}]")))
}

/// Calls `each` with the series that the labels of a call select.
fn with_series(
    change: &Change<'_>,
    (namespace, metric): (&Namespace, &Metric),
    labels: &str,
    each: &mut dyn FnMut(&Series<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let filters = Filter::all(change, labels)?;
    let wanted = filters.iter().find_map(|filter| filter.equals(&namespace.label));
    let condition: Vec<_> = wanted.iter().map(|uuid| ("uuid", *uuid)).collect();
    for row in change.find(&namespace.inventory, &condition)? {
        let has_data = namespace.states.is_empty()
            || row.text("state").is_some_and(|state| namespace.states.iter().any(|other| other == state));
        let is_connected = row.text("status").is_none_or(|status| status == "Connected");
        let owner =
            if change.caller.is_admin { None } else { change.tx.owner(row.text("uuid").unwrap_or_default())? };
        if !has_data || !is_connected || owner.is_some_and(|owner| owner != change.caller.account) {
            continue;
        }
        let count = metric.count.as_deref().and_then(|count| row.get(count).as_integer()).unwrap_or(1);
        for at in 0..if metric.each.is_some() { count } else { 1 } {
            let mut labels =
                BTreeMap::from([(namespace.label.as_str(), row.text("uuid").unwrap_or_default().to_owned())]);
            labels.extend(metric.each.as_deref().map(|label| (label, at.to_string())));
            let part = metric.each.as_ref().map(|_| (at, count));
            let series = Series { namespace, row: &row, part, labels };
            if filters.iter().all(|filter| filter.fits(series.labels.get(filter.name.as_str()).map(String::as_str))) {
                each(&series)?;
            }
        }
    }
    Ok(())
}

fn metadata(change: &Change<'_>) -> Result<String, Failure> {
    let wanted = |parameter: &str, text: &str| change.arguments.text(parameter).is_none_or(|wanted| wanted == text);
    let mut metrics = Vec::new();
    for (namespace, found) in namespaces().iter().filter(|(name, _)| wanted("namespace", name)) {
        for (name, metric) in found.metrics.iter().filter(|(name, _)| wanted("name", name)) {
            metrics.push(json!({ "namespace": namespace, "name": name, "labelNames": metric.labels(found) }));
        }
    }
    Ok(json!({ "metrics": metrics, "success": true }).to_string())
}

/// A time of a call in seconds; clients give seconds or milliseconds.
pub(super) fn seconds(time: i64) -> i64 {
    if time > 100_000_000_000 { time / 1000 } else { time }
}

fn data(change: &Change<'_>) -> Result<String, Failure> {
    let found = find(change)?;
    let name = change.text("metricName");
    let number = |parameter: &str| change.arguments.integer(parameter);
    let period = number("period").filter(|period| *period > 0).unwrap_or(PERIOD);
    let now = change.now.0.div_euclid(1000);
    let end = number("endTime").map_or(now, seconds).min(now);
    let back = number("offsetAheadOfCurrentTime").map(|offset| now - offset.max(period));
    let start = number("startTime").map(seconds).or(back).unwrap_or(end - LOOK_BACK);
    let points = (end - start) / period + 1;
    if points > LONGEST {
        let text =
            format!("{points} points of one series were asked for, at most {LONGEST} are allowed: use a longer period");
        return Err(Failure::argument(text));
    }
    let conditions = Filter::of_values(change)?;
    let (mut data, mut all) = (Vec::new(), 0);
    with_series(change, found, "labels", &mut |series| {
        all += points;
        if all > MOST {
            return Err(Failure::argument(format!("more than {MOST} points were asked for: name resources in labels")));
        }
        let first = created(series.row).unwrap_or(start).max(start);
        // Points are at multiples of the period, whenever the call is made.
        let mut time = first.div_euclid(period) * period;
        time += if time < first { period } else { 0 };
        while time <= end {
            let value = (series.value(name, time) * 100.0).round() / 100.0;
            if conditions.iter().all(|(operator, wanted)| operator.holds(value, *wanted)) {
                data.push((value, json!({ "value": value, "time": time, "labels": series.labels })));
            }
            time += period;
        }
        Ok(())
    })?;
    for function in change.arguments.texts("functions") {
        apply(function, &mut data)?;
    }
    let data: Vec<Value> = data.into_iter().map(|(_, point)| point).collect();
    Ok(json!({ "data": data, "success": true }).to_string())
}

/// Applies a function to points: `limit(limit=10)` or `top(num=10)`.
fn apply(function: &str, data: &mut Vec<(f64, Value)>) -> Result<(), Failure> {
    let (name, argument) = function.trim().trim_end_matches(')').split_once('(').unwrap_or((function, ""));
    let count = argument.split_once('=').and_then(|(_, number)| number.trim().parse().ok());
    match (name.trim(), count) {
        ("limit", Some(count)) => data.truncate(count),
        ("top", Some(count)) => {
            data.sort_by(|(left, _), (right, _)| right.total_cmp(left));
            data.truncate(count);
        }
        ("limit" | "top", None) => return Err(Failure::argument(format!("the function[{function}] has no number"))),
        _ => return Err(Failure::not_simulated(&format!("the function {name} of GetMetricData"))),
    }
    Ok(())
}

/// When a resource was created, in seconds.
fn created(row: &Row) -> Option<i64> {
    let date: DateTime = row.text("createDate")?.parse().ok()?;
    date.to_zoned(TimeZone::UTC).ok().map(|date| date.timestamp().as_second())
}

fn label_values(change: &Change<'_>) -> Result<String, Failure> {
    let found = find(change)?;
    let names = change.arguments.texts("labelNames");
    let known = found.1.labels(found.0);
    if let Some(other) = names.iter().find(|name| !known.contains(name)) {
        return Err(Failure::argument(format!("the metric has no label[{other}], only [{}]", known.join(", "))));
    }
    let mut labels = Vec::new();
    with_series(change, found, "filterLabels", &mut |series| {
        let wanted: BTreeMap<_, _> = series.labels.iter().filter(|(name, _)| names.contains(name)).collect();
        let wanted = json!(wanted);
        if labels.last() != Some(&wanted) {
            labels.push(wanted);
        }
        Ok(())
    })?;
    labels.sort_by_key(Value::to_string);
    labels.dedup();
    Ok(json!({ "labels": labels, "success": true }).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn the_data_names_members_of_the_catalog_and_metrics_of_its_own() {
        let all = namespaces();
        assert_eq!(all.len(), 4);
        for namespace in all.values() {
            let inventory = Catalog::newest().inventory(&namespace.inventory).expect("an inventory of the catalog");
            for (name, metric) in &namespace.metrics {
                for member in
                    [&metric.of, &metric.count, &metric.stored, &metric.used, &metric.over].into_iter().flatten()
                {
                    assert!(inventory.field(member).is_some(), "{name} {member}");
                }
                for other in [&metric.rest, &metric.part, &metric.total, &metric.like].into_iter().flatten() {
                    assert!(namespace.metrics.contains_key(other), "{name} {other}");
                }
            }
        }
    }

    #[test]
    fn processors_differ_and_have_the_average_that_is_told() {
        let namespace = &namespaces()["ZStack/VM"];
        let row =
            Row::new().with("uuid", "ba1ca804bb964cc8ad701e65a947d44c").with("cpuNum", 4).with("memorySize", 1 << 30);
        let series = |part| Series { namespace, row: &row, part, labels: BTreeMap::new() };
        for time in [1_741_097_521, 1_741_130_000] {
            let single: Vec<f64> = (0..4).map(|at| series(Some((at, 4))).value("CPUUsedUtilization", time)).collect();
            let average = series(None).value("CPUAverageUsedUtilization", time);
            assert!((single.iter().sum::<f64>() / 4.0 - average).abs() < 0.01, "{single:?} {average}");
            assert!(single[0] != single[1] && (0.0..100.0).contains(&average), "{single:?}");
            let memory = ["MemoryUsedBytes", "MemoryFreeBytes"].map(|name| series(None).value(name, time));
            assert!((memory[0] + memory[1] - f64::from(1 << 30)).abs() < 2.0, "{memory:?}");
        }
    }
}
