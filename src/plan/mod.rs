//! Turns a command and the catalog into requests, without side effects: the same input gives the same request.
//!
//! A node runs the only API of a path for any verb, and a path with only a DELETE runs it for a GET (D3, D4). So a
//! request has exactly the verb and path of the catalog, and nothing is appended to a path.

mod call;
mod condition;
mod correct;
mod error;
mod names;
mod newer;
mod own;
mod password;
mod query;
mod raw;
mod reading;
mod request;
mod suggest;
mod value;
mod zql;

#[cfg(test)]
pub(crate) mod every_api;

pub use condition::{Condition, zql_string};
pub use correct::corrected;
pub use error::{Error, ErrorKind};
pub use names::{Name, Names, names};
pub use newer::newer;
pub use own::{Wanted, call, rows};
pub use query::{Answer, Cursor, Extent, LocalOrder, QueryPlan, Sort};
pub use raw::{RawCall, RawError, RawPlan, raw};
#[cfg(any(test, fuzzing))]
pub(crate) use reading::read as read_condition;
pub use request::{Effect, PathPart, Request, SecretText, Subject};
pub use suggest::{argument_hint, near_names, why_none};
pub(crate) use value::is_uuid;
pub use zql::statement_request as zql_request;
pub use zql::{API as ZQL_API, closest_entity};

use std::ops::Range;
use std::time::Duration;

use jiff::civil::DateTime;

use crate::catalog::Catalog;
use crate::syntax::{Command, Word};

/// What planning depends on besides the command and the catalog.
#[derive(Clone, Debug)]
pub struct Options {
    /// Send what the catalog does not know (newer nodes).
    pub no_check: bool,
    /// Rows per request where a query is paged.
    pub page_size: u32,
    /// How long to wait for the call; the `timeout=` argument beats it.
    pub timeout: Option<Duration>,
    /// The open session, for calls that name it in their path.
    pub session: Option<String>,
    /// What the node's clock shows, for dates that are told by how long ago they were.
    pub now: Option<DateTime>,
    /// Whether names may stand where uuids belong: the request is shown and never sent.
    pub holds_names: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { no_check: false, page_size: 1000, timeout: None, session: None, now: None, holds_names: false }
    }
}

/// What a command comes to.
#[derive(Clone, Debug)]
pub enum Plan {
    /// One call.
    Call(Request),
    /// A query, which may take several requests.
    Query(Box<QueryPlan>),
}

/// Plans a command.
///
/// # Errors
/// The first thing that is wrong with it, with the span of the offending words.
pub fn plan(command: &Command, catalog: Catalog, options: &Options) -> Result<Plan, Error> {
    let Some(api) = catalog.api_ignoring_case(&command.name) else {
        return Err(unknown_api(&command.name, command.name_span.clone(), catalog, &[]));
    };
    if api.is_query {
        query::plan(command, &api, catalog, options).map(|plan| Plan::Query(Box::new(plan)))
    } else {
        call::plan(command, &api, catalog, options).map(Plan::Call)
    }
}

/// Whether the first word of a command names an API, before anything is said of the other words. `commands` are
/// names that may have been meant too.
///
/// # Errors
/// [`ErrorKind::UnknownApi`].
pub fn check_name(words: &[Word], catalog: Catalog, commands: impl FnOnce() -> Vec<&'static str>) -> Result<(), Error> {
    match words.first() {
        Some(name) if catalog.api_ignoring_case(&name.text).is_none() => {
            Err(unknown_api(&name.text, name.span.clone(), catalog, &commands()))
        }
        _ => Ok(()),
    }
}

fn unknown_api(name: &str, span: Range<usize>, catalog: Catalog, commands: &[&str]) -> Error {
    let near = near_names(name, catalog, commands);
    let until = catalog.removed(name).map(|gone| gone.until);
    let version = Catalog::newest().version();
    Error::at(ErrorKind::UnknownApi { name: name.to_owned(), near, version, until }, span)
}
