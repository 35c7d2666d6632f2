//! Planning a query: its conditions, its result options, and the requests for its pages.

mod listed;
mod requests;
mod shape;
mod split;
#[cfg(test)]
mod tests;

use crate::catalog::{Api, Catalog, Inventory, QueryParameter, is_tag_parameter, zql_entity};
use crate::json::Value;
use crate::syntax::{Argument, Command, Operator};

use super::condition::{Condition, ConditionReader, ConditionValue};
use super::error::{Error, ErrorKind};
use super::request::PathPart;
use super::{Options, call};

pub(super) use listed::conditions as listed_conditions;
pub use requests::{Answer, Cursor, Extent, LocalOrder, QueryPlan, Sort};
use shape::{CommonParameters, ResultOptions};

/// Plans a query.
pub(super) fn plan(command: &Command, api: &Api, catalog: Catalog, options: &Options) -> Result<QueryPlan, Error> {
    let general = api.inventory.and_then(|name| catalog.inventory(name));
    let mut common = CommonParameters::default();
    let mut typed: Vec<&Argument> = Vec::new();
    for argument in &command.arguments {
        let name = argument.name.as_str();
        if is_tag_parameter(name) {
            let kind = ErrorKind::QueryTakesNoTags { name: name.to_owned() };
            return Err(Error::at(kind, argument.span.clone()));
        }
        let Some(parameter) = QueryParameter::from_name(name).filter(|_| argument.operator == Operator::Equal) else {
            typed.push(argument);
            continue;
        };
        if common.get(parameter).is_some() {
            let kind = ErrorKind::GivenTwice { name: name.to_owned() };
            return Err(Error::at(kind, argument.name_span.clone()));
        }
        common.given.push((parameter, argument));
    }
    let listed = match common.get(QueryParameter::Conditions) {
        Some(argument) => listed::conditions(argument)?,
        None => Vec::new(),
    };
    typed.extend(&listed);

    let specialised = general.as_ref().and_then(|inventory| {
        typed
            .iter()
            .filter(|argument| argument.operator == Operator::Equal)
            .find_map(|argument| catalog.specialised(inventory, &argument.name, &argument.value))
    });
    let reader = ConditionReader {
        api: api.name,
        inventory: general.as_ref(),
        specialised: specialised.as_ref(),
        catalog,
        no_check: options.no_check,
        now: options.now,
    };
    let conditions: Vec<Condition> = typed.iter().map(|argument| reader.read(argument)).collect::<Result<_, _>>()?;
    let path = query_path(api, &conditions)?;

    let shape = ResultOptions::read(&common, api, &reader, options)?;
    let unsayable = conditions.iter().find(|condition| !condition.is_sayable());
    let is_zql = unsayable.is_some() || matches!(shape.answer, Answer::Groups { .. });
    let rows = specialised.as_ref().or(general.as_ref());
    if is_zql {
        check_zql(unsayable, rows, &shape)?;
    }

    let mut plan = QueryPlan {
        api: api.name,
        inventory: rows.map(|inventory| inventory.name),
        key: shape.key(rows),
        answer: shape.answer,
        extent: shape.extent,
        select: shape.select,
        order_here: shape.order_here,
        is_zql,
        path,
        parts: vec![conditions],
        entity: rows.map(|inventory| zql_entity(inventory.name)).unwrap_or_default(),
        fields: shape.fields,
        sort: shape.sort,
        start: shape.start,
        page_size: options.page_size.max(1),
        filter_name: shape.filter_name,
        timeout: match common.get(QueryParameter::Timeout) {
            Some(argument) => Some(call::milliseconds(argument)?),
            None => options.timeout,
        },
    };
    plan.arrange_fields();
    plan.split_long_lists()?;
    Ok(plan)
}

/// The condition of `name` that fills a variable of the query's path; two APIs have one.
fn query_path(api: &Api, conditions: &[Condition]) -> Result<Vec<PathPart>, Error> {
    let mut parts = Vec::new();
    let mut rest = api.path;
    while let Some((fixed, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        rest = after;
        let value = conditions.iter().find_map(|condition| match &condition.value {
            ConditionValue::One(value) if condition.field == name && condition.operator == Operator::Equal => {
                Some((condition, value.text()))
            }
            _ => None,
        });
        let Some((condition, text)) = value else {
            return Err(Error { kind: ErrorKind::NoCondition { name, api: api.name }, span: None });
        };
        let text =
            call::path_value(name, &Value::text(text)).map_err(|kind| Error::at(kind, condition.span.clone()))?;
        parts.extend([PathPart::Fixed(fixed), PathPart::Variable(text)]);
    }
    if !rest.is_empty() {
        parts.push(PathPart::Fixed(rest));
    }
    Ok(parts)
}

fn check_zql(unsayable: Option<&Condition>, rows: Option<&Inventory>, shape: &ResultOptions) -> Result<(), Error> {
    let refuse = |reason| match unsayable {
        Some(condition) => {
            Error::at(ErrorKind::Unsayable { name: condition.field.clone(), reason }, condition.span.clone())
        }
        None => Error { kind: ErrorKind::GroupByWith { with: "this query, whose inventory is not known" }, span: None },
    };
    if rows.is_none() {
        return Err(refuse("what the query returns is not known well enough to ask another way"));
    }
    if shape.filter_name.is_some() {
        return Err(refuse("the other way to ask, ZQL, knows no filterName"));
    }
    Ok(())
}
