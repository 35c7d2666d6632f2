//! `sandbox save|load|list|changes`: named states of the sandbox.

use std::path::{Path, PathBuf};

use crate::calls::{confirm, show, view};
use crate::client::Reply;
use crate::error::{Error, OwnError};
use crate::json::Value;
use crate::nearness::nearest;
use crate::render::{Field, FieldKind, Shape};
use crate::sandbox;
use crate::session::Invocation;

use super::sandbox_changes;

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
    let changes = sandbox::changes(&before, &after)?;
    sandbox_changes::show(cx, &changes, Vec::new())?;
    cx.say(&sandbox_changes::summary(&changes));
    Ok(())
}

/// Prints rows with members of these kinds.
pub(super) fn print(cx: &mut Invocation<'_>, reply: &Value, kinds: &[(&str, FieldKind)]) -> Result<(), Error> {
    // The output is not stored as a result.
    cx.session.recording = None;
    let field = |(name, kind): &(&str, FieldKind)| Field { name: (*name).to_owned(), kind: *kind, secret: false };
    let shape = Shape { fields: kinds.iter().map(field).collect(), ..Shape::default() };
    let view = view::of_settings(cx)?;
    show::print(cx, Reply::of_text(reply.to_json(None).into_bytes()), &shape, &view)
}
