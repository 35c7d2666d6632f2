//! `raw`: any request to the node.

use crate::calls::{self, view};
use crate::cli::RawLine;
use crate::client;
use crate::error::Error;
use crate::plan::{self, Plan, RawCall};
use crate::session::{Invocation, offers};
use crate::shell::Flow;
use crate::syntax::{Command, Operator};
use crate::terminal::read_text;

/// Sends a request of method, path and body, and prints its result like that of any call.
pub(super) fn run(cx: &mut Invocation<'_>, typed: &RawLine) -> Result<Flow, Error> {
    let body = typed.body.as_deref().map(|body| body_of(cx, body)).transpose()?;
    let call = RawCall { method: &typed.method, path: &typed.path, body: body.as_deref() };
    let settings = &cx.settings.call;
    let how = plan::Options { no_check: settings.no_check, timeout: settings.patience(), ..plan::Options::default() };
    let planned = plan::raw(call, cx.session.catalog, &how)?;
    if !planned.is_known {
        cx.settings.ui.warn("the catalog knows no API at this path");
    }
    let view = view::of_settings(cx)?;
    offers::check(cx.session, cx.settings, planned.request.api, planned.request.effect)?;
    // The same call by the name of its API.
    let arguments = planned.arguments.iter().map(|(name, value)| (name.as_str(), Operator::Equal, value.clone()));
    let api = planned.request.api;
    let command = Command::of(api, arguments);
    let result = calls::run(cx, &command, Plan::Call(planned.request), view);
    result.map(|()| Flow::Continue).map_err(|error| match error {
        Error::Client(client::Error::NoSuchApi { .. }) if !planned.is_known => {
            let path = typed.path.split('?').next().unwrap_or_default();
            client::Error::NoSuchPath { path: path.to_owned() }.into()
        }
        error => offers::explain(cx.session, cx.settings, api, error),
    })
}

/// The typed JSON text, or that of the file after `@`.
fn body_of(cx: &Invocation<'_>, typed: &str) -> Result<String, Error> {
    let Some(path) = typed.strip_prefix('@') else { return Ok(typed.to_owned()) };
    read_text(path, cx.session.reads_stdin).map_err(|source| Error::Script { path: path.to_owned(), source })
}
