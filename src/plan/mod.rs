//! From a command and the catalog to requests: pure, so that the same input gives the same request.
//!
//! A path that has one API runs it whatever the verb, and a lone DELETE answers a GET (D3, D4): so a request
//! has exactly the verb and path of the catalog, and nothing is ever appended to a path.

mod call;
mod condition;
mod error;
mod fields;
mod password;
mod query;
mod reading;
mod request;
mod value;
mod zql;

#[cfg(test)]
mod every_api;

pub use condition::Condition;
pub use error::{Error, ErrorKind};
pub use query::{Answer, Cursor, Extent, QueryPlan};
#[cfg(any(test, fuzzing))]
pub(crate) use reading::read as read_condition;
pub use request::{Effect, PathPart, Request, SecretText};
pub use value::is_byte_count;
pub use zql::statement_request as zql_request;

use std::time::Duration;

use crate::catalog::Catalog;
use crate::syntax::{Command, closest};

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
}

impl Default for Options {
    fn default() -> Self {
        Options { no_check: false, page_size: 1000, timeout: None, session: None }
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
        let names = catalog.api_names().map(|api| api.as_str());
        let kind = ErrorKind::UnknownApi {
            name: command.name.clone(),
            closest: closest_api(&command.name, names).map(str::to_owned),
        };
        return Err(Error::at(kind, command.name_span.clone()));
    };
    if api.is_query {
        query::plan(command, &api, catalog, options).map(|plan| Plan::Query(Box::new(plan)))
    } else {
        call::plan(command, &api, catalog, options).map(Plan::Call)
    }
}

/// The shortest API name that begins with what was typed, or else the closest one; the class names of the old
/// protocol (`APIQueryZoneMsg`) lead to theirs.
fn closest_api<'a>(typed: &str, names: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let bare = typed.strip_prefix("API").unwrap_or(typed);
    let bare = bare.strip_suffix("Msg").unwrap_or(bare);
    let begins = |name: &&str| name.get(..bare.len()).is_some_and(|start| start.eq_ignore_ascii_case(bare));
    let unfinished = names.clone().filter(begins).min_by_key(|name| name.len()).filter(|_| !bare.is_empty());
    unfinished.or_else(|| closest(bare, names))
}
