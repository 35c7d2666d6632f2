//! Resources as own commands name them: a kind, and a name or uuid.

use crate::catalog::{Catalog, ResourceKind};
use crate::error::{Error, OwnError};
use crate::nearness::nearest;
use crate::plan;
use crate::session::Invocation;
use crate::syntax::{Command, Operator};

use super::names;

/// The kind of that name.
///
/// # Errors
/// [`OwnError::NotFound`], with the closest kinds.
pub(crate) fn kind_called(catalog: Catalog, name: &str) -> Result<ResourceKind, Error> {
    catalog.kind(name).ok_or_else(|| {
        let names: Vec<String> = catalog.kind_names().map(|(name, _)| name).collect();
        let near = nearest(name, names.iter().map(String::as_str)).into_iter().map(str::to_owned).collect();
        Error::Own(OwnError::NotFound { kind: "kind of resource", name: name.to_owned(), near })
    })
}

/// The query for one resource, as somebody would type it.
pub(crate) fn query_of(kind: &ResourceKind, name: &str) -> Command {
    Command::of(kind.query, [("uuid", Operator::Equal, name.to_owned())])
}

/// The uuid of the resource with that name or uuid. Only a name is looked up.
///
/// # Errors
/// As [`names::resolve_untold`].
pub(crate) fn uuid_of(cx: &mut Invocation<'_>, kind: &ResourceKind, name: &str) -> Result<String, Error> {
    let typed = query_of(kind, name);
    let command = match plan::names(&typed, cx.session.catalog).filter(|_| !cx.settings.call.no_check) {
        Some(names) => {
            let (mut resolved, _) = names::resolve_untold(cx, &[&names])?;
            resolved.pop().unwrap_or(Ok(typed))?
        }
        None => typed,
    };
    Ok(command.arguments.into_iter().map(|argument| argument.value).collect())
}
