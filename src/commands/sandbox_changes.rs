//! What is different between two states of the sandbox: rows for programs, a report for people.

use std::collections::HashMap;

use crate::calls::view;
use crate::error::Error;
use crate::json::{self, Value};
use crate::render::{FieldKind, Tone, counts_bytes, human_size};
use crate::sandbox::{Change, Changes, Member, What};
use crate::session::Invocation;
use crate::terminal::Paging;

use super::report::{self, Report};
use super::sandbox_states::print;

/// How many lines, and how many names in a line, a section of the report has.
const MOST_LINES: usize = 20;
const MOST_NAMES: usize = 40;
/// The longest value that is told whole, in characters.
const LONGEST: usize = 60;

/// Prints changes: a report for people, otherwise a row for each, or for each member that is different. Other rows, such
/// as failures, stand behind them.
pub(super) fn show(cx: &mut Invocation<'_>, changes: &Changes, others: Vec<Value>) -> Result<(), Error> {
    let view = view::of_settings(cx)?;
    if report::wanted(&cx.settings.view, &view) {
        let mut report = Report::new(&view);
        for section in changes.all.chunk_by(|one, next| (one.what, &one.kind) == (next.what, &next.kind)) {
            tell(section, changes, &mut report);
        }
        let text = report.text();
        return cx.write_paged(Paging::Lines, |out| Ok(out.write_all(text.as_bytes())?));
    }
    let text = |text: &str| Some(Value::text(text));
    let mut rows = Vec::new();
    for change in &changes.all {
        let row = |member: Option<&Member>| {
            let value = |of: fn(&Member) -> &String| member.and_then(|member| json::parse(of(member).as_bytes()).ok());
            let members = [
                ("change", text(word(change.what))),
                ("kind", text(&change.kind)),
                ("name", change.name.as_deref().and_then(text)),
                ("uuid", change.uuid.as_deref().and_then(text)),
                ("member", member.and_then(|member| text(&member.name))),
                ("before", value(|member| &member.before)),
                ("after", value(|member| &member.after)),
            ];
            let given = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
            Value::Map(given.collect())
        };
        if change.members.is_empty() {
            rows.push(row(None));
        }
        rows.extend(change.members.iter().map(|member| row(Some(member))));
    }
    let columns = ["change", "kind", "name", "uuid", "member", "before", "after", "line", "message"];
    let shown = if others.is_empty() { &columns[..7] } else { &columns[..] };
    rows.extend(others);
    let kinds: Vec<_> = shown.iter().map(|name| (*name, FieldKind::Text)).collect();
    print(cx, &Value::Map(vec![("inventories".to_owned(), Value::List(rows))]), &kinds)
}

/// How much is different.
pub(super) fn summary(changes: &Changes) -> String {
    let count = |what| changes.all.iter().filter(|change| change.what == what).count();
    let [created, changed, deleted] = [What::Created, What::Changed, What::Deleted].map(count);
    format!("{created} created, {changed} changed, {deleted} deleted")
}

/// The changes of one sort to one kind. Rows to which the same happened share a line.
fn tell(section: &[Change], changes: &Changes, report: &mut Report) {
    let Some(first) = section.first() else { return };
    let tone = match first.what {
        What::Created => Tone::Good,
        What::Changed => Tone::Between,
        What::Deleted => Tone::Bad,
        What::Capacity => Tone::Heading,
    };
    report.section(tone, word(first.what), &first.kind, section.len());
    let named = |uuid: &str| changes.names.get(uuid).map_or(uuid, String::as_str).to_owned();
    let mut lines: Vec<(String, Vec<String>)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for change in section {
        let what: Vec<String> = change.members.iter().map(|member| told(member, &named)).collect();
        let what = what.join(", ");
        let name = change.name.as_ref().or(change.uuid.as_ref()).map(|name| named(name));
        let at = *places.entry(what.clone()).or_insert(lines.len());
        if at == lines.len() {
            lines.push((what, Vec::new()));
        }
        lines[at].1.extend(name);
    }
    for (what, names) in lines.iter().take(MOST_LINES) {
        let mut told = names[..names.len().min(MOST_NAMES)].join(", ");
        if names.len() > MOST_NAMES {
            told.push_str(&format!(" and {} more", names.len() - MOST_NAMES));
        }
        // Rows that only say what belongs together have no names.
        match (told.is_empty(), what.is_empty()) {
            (true, true) => {}
            (false, false) => report.line(&format!("{told}: {what}")),
            _ => report.line(&format!("{told}{what}")),
        }
    }
    report.more(lines.iter().skip(MOST_LINES).map(|(_, names)| names.len()).sum());
    report.end();
}

/// `state Running -> Stopped`, with sizes and names.
fn told(member: &Member, named: &dyn Fn(&str) -> String) -> String {
    let value = |text: &str| {
        let size = if counts_bytes(&member.name, FieldKind::Long) { human_size(text) } else { None };
        let text = match json::kind(text.as_bytes()) {
            json::Kind::Text => named(&json::unescape(text.as_bytes())),
            json::Kind::Null => "none".to_owned(),
            _ => size.unwrap_or_else(|| text.to_owned()),
        };
        match text.char_indices().nth(LONGEST) {
            Some((at, _)) => format!("{}...", &text[..at]),
            None => text,
        }
    };
    format!("{} {} -> {}", member.name, value(&member.before), value(&member.after))
}

fn word(what: What) -> &'static str {
    match what {
        What::Created => "created",
        What::Changed => "changed",
        What::Deleted => "deleted",
        What::Capacity => "capacity",
    }
}
