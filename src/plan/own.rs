//! Requests that the program makes by itself, from names and values instead of a line.

use crate::catalog::Catalog;
use crate::syntax::{Command, Operator};

use super::error::{Error, ErrorKind};
use super::query::QueryPlan;
use super::request::Request;
use super::{Options, Plan, plan};

/// The rows that a query is to find.
#[derive(Clone, Debug, Default)]
pub struct Wanted<'a> {
    /// Conditions: field, operator, value.
    pub conditions: &'a [(&'a str, Operator, String)],
    /// Only these fields; all of them where it is empty.
    pub fields: &'a [&'a str],
    /// At most so many rows.
    pub limit: Option<usize>,
    /// The different values of this field, with the number of rows that have each, instead of the rows.
    pub group_by: Option<&'a str>,
    /// In the order of this field, descending where the flag is set, instead of that of the key.
    pub sort_by: Option<(&'a str, bool)>,
    /// The number of rows besides those, and all of them count.
    pub with_total: bool,
    /// The number of rows instead of the rows.
    pub count: bool,
}

/// The request of an API that is no query.
///
/// # Errors
/// As [`plan`], without a place; [`ErrorKind::UnknownApi`] for a query.
pub fn call(api: &str, parameters: &[(&str, String)], catalog: Catalog) -> Result<Request, Error> {
    let arguments = parameters.iter().map(|(name, value)| (*name, Operator::Equal, value.clone()));
    match planned(&Command::of(api, arguments), catalog, &Options::default())? {
        Plan::Call(request) => Ok(request),
        Plan::Query(_) => Err(no_such(api)),
    }
}

/// The plan of a query that finds rows, `page_size` of them at a time.
///
/// # Errors
/// As [`plan`], without a place; [`ErrorKind::UnknownApi`] for what is no query.
pub fn rows(query: &str, wanted: &Wanted<'_>, page_size: u32, catalog: Catalog) -> Result<QueryPlan, Error> {
    let fields = (!wanted.fields.is_empty()).then(|| ("fields", wanted.fields.join(",")));
    let limit = wanted.limit.map(|limit| ("limit", limit.to_string()));
    let group_by = wanted.group_by.map(|field| ("groupBy", field.to_owned()));
    let sort_by = wanted.sort_by.map(|(field, descends)| {
        let sign = if descends { '-' } else { '+' };
        ("sortBy", format!("{sign}{field}"))
    });
    let total = wanted.with_total.then(|| ("replyWithCount", "true".to_owned()));
    let count = wanted.count.then(|| ("count", "true".to_owned()));
    let further = fields.into_iter().chain(limit).chain(group_by).chain(sort_by).chain(total).chain(count);
    let further = further.map(|(name, value)| (name, Operator::Equal, value));
    let command = Command::of(query, wanted.conditions.iter().cloned().chain(further));
    match planned(&command, catalog, &Options { page_size, ..Options::default() })? {
        Plan::Query(plan) => Ok(*plan),
        Plan::Call(_) => Err(no_such(query)),
    }
}

/// Places in a line that nobody typed would be shown in the one that was.
fn planned(command: &Command, catalog: Catalog, options: &Options) -> Result<Plan, Error> {
    plan(command, catalog, options).map_err(|error| Error { span: None, ..error })
}

fn no_such(api: &str) -> Error {
    let kind = ErrorKind::UnknownApi {
        name: api.to_owned(),
        near: Vec::new(),
        version: Catalog::newest().version(),
        until: None,
    };
    Error { kind, span: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secrets;

    #[test]
    fn values_are_taken_as_they_are() {
        let parameters = [("accountName", "a b".to_owned()), ("password", "@x".to_owned())];
        let request = call("LogInByAccount", &parameters, Catalog::newest()).expect("a request");
        let body = request.body_text(Secrets::Shown).expect("a body");
        assert!(body.contains("\"accountName\":\"a b\"") && body.contains("\"password\":\""), "{body}");
        assert!(call("QueryZone", &[], Catalog::newest()).is_err());
    }

    #[test]
    fn rows_are_asked_for_by_conditions_and_fields() {
        let conditions = [("name", Operator::Like, "100\\%%".to_owned())];
        let wanted = Wanted { conditions: &conditions, fields: &["uuid", "name"], limit: Some(7), ..Wanted::default() };
        let plan = rows("QueryZone", &wanted, 1000, Catalog::newest()).expect("a plan");
        let target = plan.request(0, &super::super::Cursor::Start).target(Secrets::Shown);
        assert!(target.contains("q=name~%3D100%5C%25%25") && target.contains("limit=7"), "{target}");
        let error = rows("QueryZone", &Wanted { fields: &["nme"], ..Wanted::default() }, 1000, Catalog::newest());
        assert_eq!(error.expect_err("no field").span, None);
        assert!(rows("CreateZone", &Wanted::default(), 1000, Catalog::newest()).is_err());
    }
}
