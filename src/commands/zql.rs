//! `zql`: statements of the node's query language.

use crate::calls::{self, nothing_to_validate, view};
use crate::error::{Error, OwnError};
use crate::plan::{self, Plan, ZQL_API};
use crate::session::Invocation;
use crate::shell::Flow;
use crate::syntax::{Command, Operator};

/// Runs statements of the node's query language.
pub(super) fn run(cx: &mut Invocation<'_>, text: &str) -> Result<Flow, Error> {
    if cx.settings.call.validate {
        return Err(nothing_to_validate("a ZQL statement"));
    }
    // A node may have entities that the catalog does not know, but a name similar to a known one is a mistake.
    if !cx.settings.call.no_check
        && let Some((name, closest)) = plan::closest_entity(text, cx.session.catalog)
    {
        let (name, near) = (name.to_owned(), vec![closest]);
        return Err(Error::Own(OwnError::NotFound { kind: "ZQL entity", name, near }));
    }
    let view = view::of_settings(cx)?;
    let command = Command::of(ZQL_API, [("zql", Operator::Equal, text.to_owned())]);
    calls::run(cx, &command, Plan::Call(plan::zql_request(text, false)), view)?;
    Ok(Flow::Continue)
}
