//! `context …`: saved nodes, accounts and preferences.

use crate::calls::{self, view};
use crate::catalog::Catalog;
use crate::cli::{ContextCommand, Options};
use crate::client::Reply;
use crate::config::{Contexts, Credentials, Folders, Keeper, Owner, Preferences, Setting};
use crate::error::{Error, OwnError};
use crate::json::Value;
use crate::render::{Field, FieldKind, Shape};
use crate::secret::{MASK, mask_url};
use crate::session::{Invocation, credentials};
use crate::shell::Flow;

use super::set;

/// Runs a `context` command.
pub(super) fn run(cx: &mut Invocation<'_>, command: &ContextCommand) -> Result<Flow, Error> {
    // The output is not stored as a result.
    cx.session.recording = None;
    match command {
        ContextCommand::List => {
            let reply = list(cx.session.contexts()?);
            print(cx, reply, &list_shape())?;
        }
        ContextCommand::Show { name } => {
            let reply = show(cx.session.contexts()?, name.as_deref())?;
            print(cx, reply, &shape())?;
        }
        ContextCommand::Use { name } => make_current(cx, name)?,
        ContextCommand::Set { name, values } => change(cx, name, values)?,
        ContextCommand::Delete { name } => delete(cx, name)?,
    }
    Ok(Flow::Continue)
}

fn print(cx: &mut Invocation<'_>, reply: Vec<u8>, shape: &Shape) -> Result<(), Error> {
    let view = view::of_settings(cx)?;
    calls::show::print(cx, Reply::of_text(reply), shape, &view)
}

/// Makes a context the current one. In the shell it replaces the node of the program's options.
fn make_current(cx: &mut Invocation<'_>, name: &str) -> Result<(), Error> {
    let folders = cx.session.environment.folders()?.clone();
    // The environment's credentials are not used for the other node.
    cx.session.started_for()?;
    cx.session.set_contexts(Contexts::make_current(&folders, name)?);
    cx.session.base.forget_node();
    let target = cx.session.settle(&Options::default())?.target;
    let is_in_use = target.is_of_context && target.context.as_deref() == Some(name);
    cx.say(&match cx.session.environment.variables.node() {
        Some(variable) if !is_in_use => {
            format!("{name} is the current context now, but {variable} is set and decides before it")
        }
        _ => format!("using context {name}"),
    });
    Ok(())
}

/// Creates or changes a context.
fn change(cx: &mut Invocation<'_>, name: &str, values: &[String]) -> Result<(), Error> {
    let folders = cx.session.environment.folders()?.clone();
    let owner = Owner::Context(name.to_owned());
    let before = credentials::store(cx.session, &owner)?;
    // A keyring that fails is reported now.
    if values.iter().any(|value| value == "credentials=keyring") {
        Credentials::new(&folders, Keeper::Keyring).probe(&owner)?;
    }
    let old = cx.session.contexts()?.clone();
    let new = set(&folders, name, cx.settings.target.typed_url.as_deref(), values)?;
    let notes = notes_of_set(&old, &new, name);
    cx.session.set_contexts(new);
    credentials::store(cx.session, &owner)?.take_over(&before, &owner)?;
    notes.iter().for_each(|note| cx.say(note));
    Ok(())
}

fn delete(cx: &mut Invocation<'_>, name: &str) -> Result<(), Error> {
    let folders = cx.session.environment.folders()?.clone();
    let owner = Owner::Context(name.to_owned());
    let credentials = credentials::store(cx.session, &owner)?;
    let was_current = cx.session.contexts()?.current().is_some_and(|current| current.name == name);
    cx.session.set_contexts(Contexts::delete(&folders, name)?);
    credentials.delete(&owner, None)?;
    let further = if was_current { "; it was the current one, and none is now" } else { "" };
    cx.say(&format!("context {name} deleted{further}"));
    Ok(())
}

/// The shape of the rows of [`list`] and [`show`].
fn shape() -> Shape {
    let own = ["name", "current"].into_iter().chain(Setting::of_context().map(Setting::name));
    let field = |name: &str| Field { name: name.to_owned(), kind: FieldKind::Text, secret: false };
    Shape { fields: own.map(field).collect(), ..Shape::default() }
}

/// As [`shape`], for lists: the members that distinguish contexts.
fn list_shape() -> Shape {
    let mut shape = shape();
    shape.fields.retain(|field| ["name", "current", "url", "account"].contains(&field.name.as_str()));
    shape
}

/// The contexts as a reply: `{"inventories": [{"name", "current", "url", "account", ..}]}`.
fn list(contexts: &Contexts) -> Vec<u8> {
    let current = contexts.current().map(|context| context.name.as_str());
    let rows = contexts
        .all()
        .iter()
        .map(|context| row(&context.name, Some(context.name.as_str()) == current, &context.own))
        .collect();
    reply("inventories", Value::List(rows))
}

/// A context as a reply, completed by the defaults: `{"inventory": {"name", "current", "url", ..}}`.
fn show(contexts: &Contexts, name: Option<&str>) -> Result<Vec<u8>, Error> {
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
    let columns = preferences.columns_of.iter();
    members.extend(columns.map(|(query, value)| (format!("columns.{query}"), Value::text(value))));
    Value::Map(members)
}

fn reply(name: &str, value: Value) -> Vec<u8> {
    Value::Map(vec![(name.to_owned(), value)]).to_json(Some(MASK)).into_bytes()
}

/// Creates or changes a context: an address, and `KEY=VALUE` texts of which `KEY=` removes.
fn set(folders: &Folders, name: &str, url: Option<&str>, values: &[String]) -> Result<Contexts, Error> {
    let mut changes: Vec<(&str, Option<&str>)> = url.map(|url| ("url", Some(url))).into_iter().collect();
    for value in values {
        let Some((key, value)) = value.split_once('=') else {
            let problem = "write KEY=VALUE, or KEY= to remove it".to_owned();
            return Err(Error::Own(OwnError::Value { name: value.clone(), problem }));
        };
        if let Some(query) = Setting::query_of_key(key).filter(|_| !value.is_empty()) {
            set::query_called(Catalog::newest(), query)?;
        }
        changes.push((key, (!value.is_empty()).then_some(value)));
    }
    Ok(Contexts::set(folders, name, &changes)?)
}

/// The result of [`set`].
fn notes_of_set(old: &Contexts, new: &Contexts, name: &str) -> Vec<String> {
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
