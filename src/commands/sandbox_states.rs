//! `sandbox save|load|list|changes`: named states of the sandbox.

use std::path::{Path, PathBuf};

use crate::calls::{confirm, show, view};
use crate::client::Reply;
use crate::error::{Error, OwnError};
use crate::json::Value;
use crate::nearness::nearest;
use crate::render::{Field, FieldKind, Shape};
use crate::sandbox::{self, Change, What};
use crate::session::Invocation;

/// Saves the present state.
pub(super) fn save(cx: &mut Invocation<'_>, directory: &Path, name: &str) -> Result<(), Error> {
    if !sandbox::is_state_name(name) {
        let problem = "letters, digits, `.`, `-` and `_` are expected".to_owned();
        return Err(Error::Own(OwnError::Value { name: "NAME".to_owned(), problem }));
    }
    sandbox::save(directory, name)?;
    cx.say(&format!("the state of the sandbox was saved as {name}"));
    Ok(())
}

/// Replaces the sandbox by a saved state.
pub(super) fn load(cx: &mut Invocation<'_>, directory: &Path, name: &str, yes: bool) -> Result<(), Error> {
    let file = saved(directory, name)?;
    if sandbox::exists(directory) {
        confirm::replacing(cx, "the present state of the sandbox is replaced", yes)?;
    }
    sandbox::load(directory, &file)?;
    cx.session.forget_live_values();
    cx.say(&format!("the sandbox has the state {name}"));
    Ok(())
}

/// The file of a saved state.
pub(super) fn saved(directory: &Path, name: &str) -> Result<PathBuf, Error> {
    let states = sandbox::states(directory)?;
    if states.iter().any(|state| state.name == name) {
        return Ok(sandbox::state_path(directory, name));
    }
    let near = nearest(name, states.iter().map(|state| state.name.as_str())).into_iter().map(str::to_owned).collect();
    Err(Error::Own(OwnError::NotFound { kind: "saved state", name: name.to_owned(), near }))
}

/// Lists the saved states.
pub(super) fn list(cx: &mut Invocation<'_>, directory: &Path) -> Result<(), Error> {
    let states = sandbox::states(directory)?.into_iter().map(|state| {
        let saved = jiff::Timestamp::try_from(state.saved).unwrap_or_default();
        let saved = saved.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string();
        let members = [
            ("name", Value::text(state.name)),
            ("saved", Value::text(saved)),
            ("size", Value::Number(state.size.to_string())),
        ];
        Value::Map(members.map(|(name, value)| (name.to_owned(), value)).to_vec())
    });
    let kinds = [("name", FieldKind::Text), ("saved", FieldKind::Text), ("size", FieldKind::Long)];
    let reply = Value::Map(vec![("inventories".to_owned(), Value::List(states.collect()))]);
    print(cx, &reply, &kinds)
}

/// Shows what is different between two states.
pub(super) fn compare(
    cx: &mut Invocation<'_>,
    directory: &Path,
    before: &str,
    after: Option<&str>,
) -> Result<(), Error> {
    let before = saved(directory, before)?;
    let after = match after {
        Some(name) => saved(directory, name)?,
        None => sandbox::path(directory),
    };
    show_changes(cx, &sandbox::changes(&before, &after)?, Vec::new())
}

/// Prints changes, a row for each, or for each member that is different; then other rows, such as failures.
pub(super) fn show_changes(cx: &mut Invocation<'_>, changes: &[Change], others: Vec<Value>) -> Result<(), Error> {
    let text = |text: &str| Some(Value::text(text));
    let mut rows = Vec::new();
    for change in changes {
        let row = |member: Option<&sandbox::Member>| {
            let value = |of: fn(&sandbox::Member) -> &String| {
                member.and_then(|member| crate::json::parse(of(member).as_bytes()).ok())
            };
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

fn word(what: What) -> &'static str {
    match what {
        What::Created => "created",
        What::Changed => "changed",
        What::Deleted => "deleted",
        What::Capacity => "capacity",
    }
}

fn print(cx: &mut Invocation<'_>, reply: &Value, kinds: &[(&str, FieldKind)]) -> Result<(), Error> {
    // The output is not stored as a result.
    cx.session.recording = None;
    let field = |(name, kind): &(&str, FieldKind)| Field { name: (*name).to_owned(), kind: *kind, secret: false };
    let shape = Shape { fields: kinds.iter().map(field).collect(), ..Shape::default() };
    let view = view::of_settings(cx)?;
    show::print(cx, Reply::of_text(reply.to_json(None).into_bytes()), &shape, &view)
}
