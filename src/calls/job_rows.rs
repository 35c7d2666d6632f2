//! The output of `job list|show|wait`, as JSON text that is rendered like a reply.

use std::time::Duration;

use jiff::Timestamp;

use crate::client::{ApiFailure, JobOutcome, Progress};
use crate::dates::age;
use crate::journal::JobEntry;
use crate::json::write_string;
use crate::plan::Subject;
use crate::render::{Field, FieldKind, Shape};

/// The members of a job's record, in the order of their columns.
const MEMBERS: [(&str, FieldKind); 11] = [
    ("uuid", FieldKind::Text),
    ("api", FieldKind::Text),
    ("resource", FieldKind::Text),
    ("name", FieldKind::Text),
    ("state", FieldKind::Text),
    ("percent", FieldKind::Integer),
    ("step", FieldKind::Text),
    ("submitted", FieldKind::Time),
    ("ended", FieldKind::Time),
    ("node", FieldKind::Text),
    ("context", FieldKind::Text),
];

/// A job in the output. Times are UTC: `2026-03-04T14:12:01Z`.
#[derive(Clone, Debug, Default)]
pub(crate) struct JobRow<'a> {
    pub(crate) uuid: &'a str,
    /// The journal's entry; `None` for a job of another machine.
    pub(crate) entry: Option<&'a JobEntry>,
    /// `running`, `succeeded`, `failed`, `unknown` ...; `None` for the state in the journal.
    pub(crate) state: Option<&'a str>,
    /// The name of the resource, which another job may have told.
    pub(crate) called: Option<&'a str>,
    pub(crate) progress: Option<&'a Progress>,
    /// The current time since 1970, to print the age of the job.
    pub(crate) now: Option<Duration>,
    /// The result's own JSON text.
    pub(crate) result: Option<&'a [u8]>,
    pub(crate) failure: Option<&'a ApiFailure>,
}

/// The shape of a job.
pub(crate) fn shape() -> Shape {
    let field = |(name, kind): (&str, FieldKind)| Field { name: name.to_owned(), kind, secret: false };
    Shape { fields: MEMBERS.map(field).to_vec(), ..Shape::default() }
}

/// As [`shape`], for lists, which have no progress.
pub(crate) fn list_shape() -> Shape {
    let mut shape = shape();
    shape.fields.retain(|field| !matches!(field.name.as_str(), "percent" | "step"));
    shape
}

/// As [`list_shape`], with ages: state and age fit a narrow terminal.
pub(crate) fn aged_shape() -> Shape {
    let mut shape = list_shape();
    // A name says more than a uuid; what has none is told by its uuid.
    shape.fields.retain(|field| field.name != "name");
    shape.fields.push(Field { name: "age".to_owned(), kind: FieldKind::Text, secret: false });
    shape.fields.sort_by_key(|field| match field.name.as_str() {
        "uuid" => 0,
        "state" => 1,
        "api" => 2,
        "resource" => 3,
        "age" => 4,
        _ => 5,
    });
    shape
}

/// The journal as a reply, the newest job first: `{"inventories": [{"uuid", "api", "state", ...}]}`. With `now`, the
/// time since 1970, jobs have their age.
pub(crate) fn list(entries: &[JobEntry], now: Option<Duration>) -> Vec<u8> {
    let rows: Vec<JobRow<'_>> = entries
        .iter()
        .rev()
        .map(|entry| JobRow {
            uuid: &entry.uuid,
            entry: Some(entry),
            now,
            called: called(entries, entry),
            ..JobRow::default()
        })
        .collect();
    several(&rows)
}

/// The name that the newest job gave the resource of a job.
fn called<'e>(entries: &'e [JobEntry], of: &JobEntry) -> Option<&'e str> {
    let resource = of.subject.resource.as_ref()?;
    let mut same = entries.iter().rev().filter(|entry| entry.subject.resource.as_ref() == Some(resource));
    same.find_map(|entry| entry.subject.name.as_deref())
}

/// Several jobs as a reply.
pub(crate) fn several(rows: &[JobRow<'_>]) -> Vec<u8> {
    let mut out = String::from("{\"inventories\":[");
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        row.write(&mut out);
    }
    out.push_str("]}");
    out.into_bytes()
}

/// One job as a reply: `{"inventory": {"uuid", "api", "state", ...}}`.
pub(crate) fn one(row: &JobRow<'_>) -> Vec<u8> {
    let mut out = String::from("{\"inventory\":");
    row.write(&mut out);
    out.push('}');
    out.into_bytes()
}

impl JobRow<'_> {
    /// Absent members are left out, as a node does (N2).
    fn write(&self, out: &mut String) {
        let mut separator = '{';
        let mut name = |out: &mut String, name: &str| {
            out.push(std::mem::replace(&mut separator, ','));
            out.push_str(&format!("\"{name}\":"));
        };
        let mut text = |out: &mut String, member: &str, value: Option<&str>| {
            if let Some(value) = value {
                name(out, member);
                write_string(out, value);
            }
        };
        let entry = self.entry;
        let subject = |of: fn(&Subject) -> Option<&str>| entry.and_then(|entry| of(&entry.subject));
        text(out, "uuid", Some(self.uuid));
        text(out, "api", entry.map(|entry| entry.api.as_str()));
        let (resource, called) = (subject(|it| it.resource.as_deref()), subject(|it| it.name.as_deref()));
        match self.now {
            Some(_) => text(out, "resource", called.or(self.called).or(resource)),
            None => {
                text(out, "resource", resource);
                text(out, "name", called);
            }
        }
        text(out, "state", Some(self.state.unwrap_or_else(|| entry.map_or("unknown", state))));
        text(out, "age", entry.zip(self.now).map(|(entry, now)| age(now.saturating_sub(entry.submitted))).as_deref());
        text(out, "step", self.progress.and_then(|progress| progress.step.as_deref()));
        text(out, "submitted", entry.map(|entry| moment(entry.submitted)).as_deref());
        let ended = entry.and_then(|entry| entry.end).filter(|(outcome, _)| *outcome != JobOutcome::Unknown);
        text(out, "ended", ended.map(|(_, at)| moment(at)).as_deref());
        text(out, "node", entry.map(|entry| entry.url.as_str()));
        text(out, "context", entry.and_then(|entry| entry.context.as_deref()));
        if let Some(percent) = self.progress.and_then(|progress| progress.percent) {
            name(out, "percent");
            out.push_str(&percent.to_string());
        }
        if let Some(result) = self.result {
            name(out, "result");
            out.push_str(&String::from_utf8_lossy(result));
        }
        if let Some(failure) = self.failure {
            name(out, "error");
            out.push_str(&failure.text);
        }
        out.push('}');
    }
}

/// The state of a job in the journal. Without an outcome, a process still waits for it or was killed.
pub(super) fn state(entry: &JobEntry) -> &'static str {
    entry.end.map_or("submitted", |(outcome, _)| outcome.as_str())
}

fn moment(since_1970: Duration) -> String {
    let seconds = i64::try_from(since_1970.as_secs()).unwrap_or_default();
    Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn entry() -> JobEntry {
        JobEntry {
            uuid: "0b5c".into(),
            api: "CreateZone".into(),
            subject: Subject { resource: Some("0a1b".into()), name: None },
            url: "http://h/zstack".into(),
            context: None,
            submitted: Duration::from_secs(1_741_097_521),
            timeout: None,
            end: Some((JobOutcome::Failed, Duration::from_secs(1_741_097_522))),
        }
    }

    #[test]
    fn the_newest_job_comes_first() {
        let older = entry();
        let newer = JobEntry { uuid: "ffff".into(), context: Some("a \"b\"".into()), end: None, ..entry() };
        let text = String::from_utf8(list(&[older, newer], None)).expect("text");
        assert_eq!(
            text,
            "{\"inventories\":[{\"uuid\":\"ffff\",\"api\":\"CreateZone\",\"resource\":\"0a1b\",\"state\":\"submitted\",\
             \"submitted\":\"2025-03-04T14:12:01Z\",\"node\":\"http://h/zstack\",\"context\":\"a \\\"b\\\"\"},\
             {\"uuid\":\"0b5c\",\"api\":\"CreateZone\",\"resource\":\"0a1b\",\"state\":\"failed\",\"submitted\":\"2025-03-04T14:12:01Z\",\
             \"ended\":\"2025-03-04T14:12:02Z\",\"node\":\"http://h/zstack\"}]}"
        );
        assert_eq!(list(&[], None), b"{\"inventories\":[]}");
    }

    #[test]
    fn people_read_how_old_a_job_is() {
        let text = String::from_utf8(list(&[entry()], Some(Duration::from_secs(1_741_097_521 + 7300)))).expect("text");
        assert!(text.contains(r#""age":"2 h""#), "{text}");
        for (seconds, expected) in [(0, "0 s"), (60, "1 min"), (3599, "59 min"), (172_800, "2 d")] {
            assert_eq!(age(Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn a_job_that_runs_tells_how_far_it_is() {
        let progress = Progress { percent: Some(40), step: Some("copying".into()) };
        let row = JobRow { uuid: "0b5c", state: Some("running"), progress: Some(&progress), ..JobRow::default() };
        let text = one(&row);
        assert!(json::parse(&text).is_ok());
        let expected = r#"{"inventory":{"uuid":"0b5c","state":"running","step":"copying","percent":40}}"#;
        assert_eq!(String::from_utf8(text).expect("text"), expected);
    }

    #[test]
    fn results_and_errors_are_the_nodes_own_text() {
        let failure = ApiFailure::of_body(br#"{"error":{"code":"SYS.1006"}}"#).expect("a failure");
        let rows = [
            JobRow { uuid: "a", state: Some("succeeded"), result: Some(br#"{"n":1.0E9}"#), ..JobRow::default() },
            JobRow { uuid: "b", state: Some("failed"), failure: Some(&failure), ..JobRow::default() },
        ];
        let text = String::from_utf8(several(&rows)).expect("text");
        assert!(text.contains(r#""result":{"n":1.0E9}"#) && text.contains(r#""error":{"code":"SYS.1006"}"#), "{text}");
    }
}
