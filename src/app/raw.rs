//! `raw`: any request to the node.

use std::time::Duration;

use crate::cli::{Options, RawLine};
use crate::client;
use crate::error::Error;
use crate::plan::{self, Plan, RawCall};
use crate::syntax::{Command, Operator};

use super::App;
use super::call::read_file;
use super::output::Output;
use super::own::stdin_is_taken;

impl App {
    /// Sends a request that is typed as verb, path and body, and prints what came of it as of any call.
    pub(super) fn raw(&mut self, typed: &RawLine, options: &Options, out: &mut Output<'_>) -> Result<(), Error> {
        let body = typed.body.as_deref().map(|body| self.body_of(body)).transpose()?;
        let call = RawCall { method: &typed.method, path: &typed.path, body: body.as_deref() };
        let how = plan::Options {
            no_check: options.no_check,
            timeout: options.timeout.map(Duration::from_secs),
            ..plan::Options::default()
        };
        let planned = plan::raw(call, self.catalog, &how)?;
        if !planned.is_known {
            self.say(options, "warning: the catalog knows no API at this path");
        }
        let view = self.view(options, out)?;
        self.check_offered(planned.request.api, planned.request.effect, options)?;
        // What the call would be by its API's name.
        let arguments = planned.arguments.iter().map(|(name, value)| (name.as_str(), Operator::Equal, value.clone()));
        let command = Command::of(planned.request.api, arguments);
        let api = planned.request.api;
        let result = self.run_planned(&command, Plan::Call(planned.request), view, options, out);
        result.map_err(|error| match error {
            Error::Client(client::Error::NoSuchApi { .. }) if !planned.is_known => {
                let path = typed.path.split('?').next().unwrap_or_default();
                client::Error::NoSuchPath { path: path.to_owned() }.into()
            }
            error => self.explain_failure(api, error, options),
        })
    }

    /// JSON text as typed, or that of the file behind `@`.
    fn body_of(&self, typed: &str) -> Result<String, Error> {
        let Some(path) = typed.strip_prefix('@') else { return Ok(typed.to_owned()) };
        let text = if path == "-" && self.reads_stdin { Err(stdin_is_taken()) } else { read_file(path) };
        text.map_err(|source| Error::Script { path: path.to_owned(), source })
    }
}
