//! `context list|set|show`: saved nodes, accounts and preferences.

use crate::config::{Contexts, Folders, Preferences, Setting};
use crate::error::{Error, OwnError};
use crate::json::{Secrets, Value};
use crate::render::{Field, FieldKind, Shape};
use crate::secret::mask_url;

/// What is known of the rows of [`list`] and [`show`].
pub(crate) fn shape() -> Shape {
    let own = ["name", "current"].into_iter().chain(Setting::of_context().map(Setting::name));
    let field = |name: &str| Field { name: name.to_owned(), kind: FieldKind::Text, secret: false };
    Shape { fields: own.map(field).collect(), ..Shape::default() }
}

/// As [`shape`], for lists: what tells contexts apart.
pub(crate) fn list_shape() -> Shape {
    let mut shape = shape();
    shape.fields.retain(|field| ["name", "current", "url", "account"].contains(&field.name.as_str()));
    shape
}

/// The contexts as a reply: `{"inventories": [{"name", "current", "url", "account", ..}]}`.
pub(crate) fn list(contexts: &Contexts) -> Vec<u8> {
    let current = contexts.current().map(|context| context.name.as_str());
    let rows = contexts
        .all()
        .iter()
        .map(|context| row(&context.name, Some(context.name.as_str()) == current, &context.own))
        .collect();
    reply("inventories", Value::List(rows))
}

/// A context as a reply, with the defaults that hold in it: `{"inventory": {"name", "current", "url", ..}}`.
pub(crate) fn show(contexts: &Contexts, name: Option<&str>) -> Result<Vec<u8>, Error> {
    let context = match name {
        Some(name) => Some(contexts.find(name)?),
        None => contexts.current(),
    };
    let Some(context) = context else {
        return Err(Error::Own(OwnError::NoContext));
    };
    let is_current = contexts.current().is_some_and(|current| current.name == context.name);
    let preferences = contexts.preferences(Some(&context.name));
    Ok(reply("inventory", row(&context.name, is_current, &preferences)))
}

fn row(name: &str, is_current: bool, preferences: &Preferences) -> Value {
    let mut members = vec![("name".to_owned(), Value::text(name)), ("current".to_owned(), Value::Bool(is_current))];
    for setting in Setting::of_context() {
        if let Some(value) = preferences.get(setting) {
            members.push((setting.name().to_owned(), Value::text(mask_url(&value).into_owned())));
        }
    }
    Value::Map(members)
}

fn reply(name: &str, value: Value) -> Vec<u8> {
    Value::Map(vec![(name.to_owned(), value)]).to_json(Secrets::Masked).into_bytes()
}

/// Creates or changes a context: an address, and `KEY=VALUE` texts of which `KEY=` removes.
pub(crate) fn set(folders: &Folders, name: &str, url: Option<&str>, values: &[String]) -> Result<Contexts, Error> {
    let mut changes: Vec<(&str, Option<&str>)> = url.map(|url| ("url", Some(url))).into_iter().collect();
    for value in values {
        let Some((key, value)) = value.split_once('=') else {
            let problem = "write KEY=VALUE, or KEY= to remove it".to_owned();
            return Err(Error::Own(OwnError::Value { name: value.clone(), problem }));
        };
        changes.push((key, (!value.is_empty()).then_some(value)));
    }
    Ok(Contexts::set(folders, name, &changes)?)
}

/// What [`set`] has made of a context.
pub(crate) fn notes_of_set(old: &Contexts, new: &Contexts, name: &str) -> Vec<String> {
    let (before, now) = (old.get(name), new.get(name));
    let became_current = old.current().is_none() && new.current().is_some_and(|current| current.name == name);
    let done = match before {
        None => "created",
        Some(_) if before == now => "is as it was",
        Some(_) => "changed",
    };
    let further = if became_current { "; it is the current one now" } else { "" };
    let mut notes = vec![format!("context {name} {done}{further}")];
    if before.is_none() && new.preferences(Some(name)).url.is_none() {
        notes.push(format!("warning: context {name} names no node; url=http://HOST:8080/zstack adds one"));
    }
    notes
}
