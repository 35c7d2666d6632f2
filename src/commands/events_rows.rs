//! The rows of `events`: records of three APIs in one form.

use jiff::Timestamp;

use crate::calls::monitoring::{Names, number, scalar};
use crate::catalog::{Catalog, ResourceKind};
use crate::json::{self, Kind, MapWriter};

use super::metrics::{literal, rounded};

/// Where records come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Events,
    Alarms,
    Audits,
}

impl Source {
    pub(super) const ALL: [Source; 3] = [Source::Events, Source::Alarms, Source::Audits];

    /// The API, and the member of its reply that holds the records.
    pub(super) fn api(self) -> (&'static str, &'static str) {
        match self {
            Source::Events => ("GetEventData", "events"),
            Source::Alarms => ("GetAlarmData", "histories"),
            Source::Audits => ("GetAuditData", "audits"),
        }
    }

    /// The parameters for records from a time on, in milliseconds since 1970. Alarms are asked for by seconds
    /// (M7).
    pub(super) fn parameters(self, from: i64, most: u32) -> Vec<(&'static str, String)> {
        let start = if self == Source::Alarms { from / 1000 } else { from };
        vec![("startTime", start.to_string()), ("limit", most.to_string())]
    }

    fn name(self) -> &'static str {
        match self {
            Source::Events => "event",
            Source::Alarms => "alarm",
            Source::Audits => "audit",
        }
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Record {
    pub(super) source: Source,
    /// Milliseconds since 1970.
    pub(super) time: i64,
    level: String,
    status: String,
    name: String,
    pub(super) resource_uuid: String,
    resource_name: Option<String>,
    /// What kind of resource it is about, as a namespace or a type.
    about: String,
    details: String,
}

impl Record {
    /// A record of a reply; `None` without a time.
    #[allow(clippy::cast_possible_truncation)]
    pub(super) fn of(source: Source, row: &[u8]) -> Option<Record> {
        let text = |name: &str| {
            let value = json::member(row, name).filter(|value| json::kind(value) != Kind::Null);
            value.map(scalar).filter(|text| !text.is_empty())
        };
        let first = |names: &[&str]| names.iter().find_map(|name| text(name)).unwrap_or_default();
        let time = number(row, "time").or_else(|| number(row, "createTime"))?;
        let error = text("error").map(|error| error_text(&error));
        let (status, name, details) = match source {
            Source::Events => {
                let labels = json::member(row, "labels").map(labels_text).unwrap_or_default();
                (String::new(), first(&["name"]), joined(&[labels, error.unwrap_or_default()]))
            }
            Source::Alarms => {
                let number = |name: &str| number(row, name).map(rounded).unwrap_or_default();
                let comparison = comparison_sign(&first(&["comparisonOperator"])).to_owned();
                let measured = [first(&["metricName"]), number("metricValue"), comparison, number("threshold")];
                (first(&["alarmStatus"]), first(&["alarmName"]), joined_by(" ", &measured))
            }
            Source::Audits => {
                let has_failed = error.is_some() || text("success").is_some_and(|success| success == "false");
                let status = if has_failed { "Failed" } else { "Succeeded" };
                let from = text("clientIp").map(|address| format!("from {address}")).unwrap_or_default();
                let by = text("operator").map(|who| format!("by {who}")).unwrap_or_default();
                let who = joined_by(" ", &[by, from]);
                (status.to_owned(), api_name(&first(&["apiName"])), joined(&[who, error.unwrap_or_default()]))
            }
        };
        Some(Record {
            source,
            time: if time > 1e11 { time as i64 } else { (time * 1000.0) as i64 },
            level: first(&["emergencyLevel"]),
            status,
            name,
            resource_uuid: first(&["resourceUuid", "resourceId"]),
            resource_name: text("resourceName").filter(|name| !name.ends_with("VO")),
            about: first(&["resourceType", "namespace"]),
            details,
        })
    }

    /// What kind of resource it is about.
    pub(super) fn kind(&self, catalog: Catalog) -> Option<ResourceKind> {
        catalog.kind_of_namespace(self.about.strip_suffix("VO").unwrap_or(&self.about))
    }

    /// How much it matters: its emergency level, unless an alarm is over; how an audited call ended.
    fn weight(&self) -> &str {
        let is_over = self.source == Source::Alarms && !self.status.is_empty() && self.status != "Alarm";
        if self.level.is_empty() || is_over { &self.status } else { &self.level }
    }

    /// The record as a row. For people resources have names, or else uuids; with `widths` texts are filled with blanks
    /// up to those, so that rows that are printed one after the other stand below each other.
    pub(super) fn row(&self, names: &Names, for_people: bool, widths: Option<Widths>) -> Vec<u8> {
        let resource = self.resource_name.as_deref().or_else(|| names.of(&self.resource_uuid));
        let time = Timestamp::from_millisecond(self.time).map(|time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        let wide = |text: &str, width: usize| match widths {
            Some(_) => literal(&format!("{text:width$}")),
            None if text.is_empty() && !for_people => b"null".to_vec(),
            None => literal(text),
        };
        let widths = widths.unwrap_or_default();
        let mut row = MapWriter::default();
        row.push(b"time", &literal(&time.unwrap_or_default()));
        row.push(b"type", &literal(self.source.name()));
        if for_people {
            row.push(b"status", &wide(self.weight(), widths.status));
        } else {
            row.push(b"emergencyLevel", &wide(&self.level, 0));
            row.push(b"status", &wide(&self.status, 0));
        }
        row.push(b"name", &wide(&self.name, widths.name));
        if for_people {
            row.push(b"resource", &wide(resource.unwrap_or(&self.resource_uuid), widths.resource));
        } else {
            row.push(b"resourceName", &resource.map_or(b"null".to_vec(), literal));
            row.push(b"resourceUuid", &literal(&self.resource_uuid));
        }
        row.push(b"details", &literal(&self.details));
        row.finish()
    }
}

/// How wide columns are that vary.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Widths {
    status: usize,
    name: usize,
    resource: usize,
}

impl Widths {
    /// Usual widths, for rows that are not known yet.
    pub(super) const USUAL: Widths = Widths { status: 9, name: 24, resource: 16 };
}

/// The name of an API in an audit, which is that of a Java class: `org.zstack.header.vm.APIStartVmInstanceMsg`.
fn api_name(class: &str) -> String {
    let name = class.rsplit('.').next().unwrap_or(class);
    let inner = name.strip_prefix("API").map(|name| name.strip_suffix("Msg").unwrap_or(name));
    inner.unwrap_or(name).to_owned()
}

/// What an error says; some nodes send it as JSON.
fn error_text(error: &str) -> String {
    let member = |name: &str| json::member(error.as_bytes(), name).map(scalar).filter(|text| !text.is_empty());
    member("details").or_else(|| member("description")).unwrap_or_else(|| error.to_owned())
}

/// Labels, which are an object or a text (M8).
fn labels_text(labels: &[u8]) -> String {
    if json::kind(labels) == Kind::Text {
        let text = json::unescape(labels);
        return if text.starts_with('{') { labels_text(text.as_bytes()) } else { text.into_owned() };
    }
    let label = |(name, value): (&[u8], &[u8])| format!("{}={}", json::unescape(name), scalar(value));
    json::members(labels).map(label).collect::<Vec<_>>().join(", ")
}

fn comparison_sign(operator: &str) -> &str {
    match operator {
        "GreaterThan" => ">",
        "GreaterThanOrEqualTo" => ">=",
        "LessThan" => "<",
        "LessThanOrEqualTo" => "<=",
        other => other,
    }
}

fn joined(parts: &[String]) -> String {
    joined_by("; ", parts)
}

fn joined_by(between: &str, parts: &[String]) -> String {
    parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join(between)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(source: Source, record: &str) -> serde_json::Value {
        let record = Record::of(source, record.as_bytes()).expect("a record");
        serde_json::from_slice(&record.row(&Names::default(), false, None)).expect("JSON")
    }

    #[test]
    fn records_of_three_kinds_have_one_form() {
        let event = r#"{"time":1.741075260000E12,"name":"HostStatusChanged","emergencyLevel":"Emergent","namespace":"ZStack/Host","resourceId":"h1","resourceName":"HostVO","labels":"{\"NewStatus\":\"Disconnected\"}"}"#;
        let event = row(Source::Events, event);
        assert_eq!((&event["time"], &event["type"]), (&"2025-03-04T08:01:00Z".into(), &"event".into()));
        assert_eq!((&event["details"], &event["resourceUuid"]), (&"NewStatus=Disconnected".into(), &"h1".into()));
        assert_eq!(event["resourceName"], serde_json::Value::Null);
        let alarm = r#"{"time":1741075200,"alarmName":"CPU high","alarmStatus":"Alarm","metricName":"CPUUsedUtilization","metricValue":91.234,"threshold":80.0,"comparisonOperator":"GreaterThan"}"#;
        let alarm = row(Source::Alarms, alarm);
        assert_eq!((&alarm["time"], &alarm["status"]), (&"2025-03-04T08:00:00Z".into(), &"Alarm".into()));
        assert_eq!(alarm["details"], "CPUUsedUtilization 91.23 > 80");
        let audit = r#"{"time":1741075200000,"apiName":"org.zstack.header.vm.APIStartVmInstanceMsg","operator":"admin","clientIp":"10.0.0.9","requestDump":"{\"password\":\"x\"}","resourceName":"web-1","success":true}"#;
        let audit = row(Source::Audits, audit);
        assert_eq!((&audit["name"], &audit["status"]), (&"StartVmInstance".into(), &"Succeeded".into()));
        assert_eq!((&audit["details"], &audit["resourceName"]), (&"by admin from 10.0.0.9".into(), &"web-1".into()));
        assert!(!audit.to_string().contains("password"), "{audit}");
        let failed =
            r#"{"time":1,"apiName":"APILogInMsg","error":"{\"code\":\"ID.1\",\"details\":\"no such account\"}"}"#;
        let failed = row(Source::Audits, failed);
        assert_eq!((&failed["status"], &failed["details"]), (&"Failed".into(), &"no such account".into()));
    }
}
