//! The result options of a query: how many rows, in which order, with which members.

use crate::catalog::{Api, Field, Inventory, QueryParameter};
use crate::nearness::nearest;
use crate::syntax::{Argument, integer, split_list};

use super::requests::{Answer, Extent, LocalOrder, Sort};
use crate::plan::Options;
use crate::plan::condition::ConditionReader;
use crate::plan::error::{Error, ErrorKind};

/// The common parameters as typed.
#[derive(Default)]
pub(super) struct CommonParameters<'a> {
    pub(super) given: Vec<(QueryParameter, &'a Argument)>,
}

impl<'a> CommonParameters<'a> {
    pub(super) fn get(&self, parameter: QueryParameter) -> Option<&'a Argument> {
        self.given.iter().find(|(given, _)| *given == parameter).map(|(_, argument)| *argument)
    }

    fn flag(&self, parameter: QueryParameter) -> Result<bool, Error> {
        match self.get(parameter).map(|argument| (argument, argument.value.as_str())) {
            None | Some((_, "false" | "False")) => Ok(false),
            Some((_, "true" | "True")) => Ok(true),
            Some((argument, _)) => Err(wrong_type(argument, "true or false")),
        }
    }

    fn number(&self, parameter: QueryParameter) -> Result<Option<u64>, Error> {
        let Some(argument) = self.get(parameter) else { return Ok(None) };
        // The node counts rows in 32 bits.
        match integer(&argument.value).filter(|number| (0..=i64::from(i32::MAX)).contains(number)) {
            Some(number) => Ok(Some(number.unsigned_abs())),
            None => Err(wrong_type(argument, "a whole number, zero or above")),
        }
    }
}

fn wrong_type(argument: &Argument, expected: &'static str) -> Error {
    Error::at(ErrorKind::WrongType { name: argument.name.clone(), expected }, argument.value_span.clone())
}

/// The checked result options.
pub(super) struct ResultOptions {
    pub(super) answer: Answer,
    pub(super) extent: Extent,
    pub(super) start: u64,
    pub(super) sort: Option<Sort>,
    pub(super) order_here: Option<LocalOrder>,
    pub(super) fields: Option<Vec<String>>,
    pub(super) select: Option<Vec<String>>,
    pub(super) filter_name: Option<String>,
}

impl ResultOptions {
    pub(super) fn read(
        common: &CommonParameters<'_>,
        api: &Api,
        reader: &ConditionReader<'_>,
        options: &Options,
    ) -> Result<ResultOptions, Error> {
        let count = common.flag(QueryParameter::Count)?;
        let with_total = common.flag(QueryParameter::ReplyWithCount)?;
        let limit = common.number(QueryParameter::Limit)?;
        let start = common.number(QueryParameter::Start)?.unwrap_or(0);
        let sorted = sort(common, api, reader, options)?;
        let (mut fields, select) = match common.get(QueryParameter::Fields) {
            Some(argument) => selected(argument, api, reader, options)?,
            None => (None, None),
        };
        let filter_name = match common.get(QueryParameter::FilterName) {
            Some(argument) if !argument.value.contains(':') => {
                return Err(Error::at(ErrorKind::BadFilterName, argument.value_span.clone()));
            }
            filter => filter.map(|argument| argument.value.clone()),
        };
        let answer = match common.get(QueryParameter::GroupBy) {
            Some(argument) => {
                let with = [("fields", select.is_some()), ("sortBy", sorted.is_some())]
                    .into_iter()
                    .chain([
                        ("replyWithCount", with_total),
                        ("filterName", filter_name.is_some()),
                        ("start", start > 0),
                    ])
                    .find_map(|(name, given)| given.then_some(name));
                if let Some(with) = with {
                    return Err(Error::at(ErrorKind::GroupByWith { with }, argument.span.clone()));
                }
                let (field, found) = own_field(argument, argument.value.trim(), api, reader, options)?;
                if found.is_some_and(|(inventory, field)| !inventory.can_select(field)) {
                    return Err(Error::at(ErrorKind::NotGroupable { name: field }, argument.value_span.clone()));
                }
                Answer::Groups { field }
            }
            None if count => Answer::Count,
            None => Answer::Rows { with_total },
        };
        let all = Extent::All { page_size: options.page_size.max(1) };
        let mut shape = ResultOptions {
            answer,
            extent: limit.map_or(all, Extent::Limit),
            start,
            sort: None,
            order_here: None,
            fields: None,
            select,
            filter_name,
        };
        match sorted {
            Some((sort, false)) if matches!(shape.answer, Answer::Rows { .. }) => {
                // The first rows are known only after all were fetched.
                shape.extent = all;
                shape.start = 0;
                shape.order_here = Some(LocalOrder { sort, start, limit });
                fields = None;
            }
            sorted => shape.sort = sorted.map(|(sort, _)| sort),
        }
        Ok(ResultOptions { fields, ..shape })
    }

    /// The member to page by: only if no other order is requested.
    pub(super) fn key(&self, rows: Option<&Inventory>) -> Option<&'static str> {
        let key = ["uuid", "id"].into_iter().find(|name| rows.is_some_and(|rows| rows.field(name).is_some()))?;
        let is_other = |sort: &Sort| sort.descending || sort.field != key;
        (!self.sort.as_ref().is_some_and(is_other)).then_some(key)
    }
}

/// A member, with the inventory that has it.
type Member<'a> = (&'a Inventory, &'a Field);

/// A member of the inventory itself, for sorting and grouping: its name, and its description if known.
fn own_field<'r>(
    argument: &Argument,
    name: &str,
    api: &Api,
    reader: &ConditionReader<'r>,
    options: &Options,
) -> Result<(String, Option<Member<'r>>), Error> {
    let error = |kind| Error::at(kind, argument.value_span.clone());
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err(error(ErrorKind::NotSortable { name: name.to_owned() }));
    }
    let inventories: Vec<&Inventory> = reader.inventory.into_iter().chain(reader.specialised).collect();
    let found = inventories.iter().find_map(|inventory| Some((*inventory, inventory.field(name)?)));
    match found {
        Some((_, field)) if !field.has_order() => Err(error(ErrorKind::NotSortable { name: name.to_owned() })),
        None if !inventories.is_empty() && !options.no_check => {
            let names = inventories.iter().flat_map(|inventory| inventory.fields.iter().map(|field| field.name));
            let near = nearest(name, names).into_iter().map(str::to_owned).collect();
            Err(error(ErrorKind::UnknownField { api: api.name, owner: api.name, name: name.to_owned(), near }))
        }
        _ => Ok((name.to_owned(), found)),
    }
}

/// The order that is asked for, and whether the node can give it.
fn sort(
    common: &CommonParameters<'_>,
    api: &Api,
    reader: &ConditionReader<'_>,
    options: &Options,
) -> Result<Option<(Sort, bool)>, Error> {
    let direction = match common.get(QueryParameter::SortDirection) {
        None => None,
        Some(argument) => match argument.value.to_ascii_lowercase().as_str() {
            "asc" => Some(false),
            "desc" => Some(true),
            _ => {
                return Err(Error::at(
                    ErrorKind::NotAllowed {
                        name: argument.name.clone(),
                        value: argument.value.clone(),
                        allowed: vec!["asc".to_owned(), "desc".to_owned()],
                        closest: None,
                    },
                    argument.value_span.clone(),
                ));
            }
        },
    };
    let Some(argument) = common.get(QueryParameter::SortBy) else {
        return match common.get(QueryParameter::SortDirection) {
            Some(lone) => {
                let kind = ErrorKind::MissingParameters { api: api.name, names: vec!["sortBy"] };
                Err(Error::at(kind, lone.span.clone()))
            }
            None => Ok(None),
        };
    };
    let text = argument.value.trim();
    let (name, sign) = match text.strip_prefix(['+', '-']) {
        Some(name) => (name, Some(text.starts_with('-'))),
        None => (text, None),
    };
    let (field, found) = own_field(argument, name, api, reader, options)?;
    let by_node = found.is_none_or(|(inventory, field)| inventory.can_sort(field));
    Ok(Some((Sort { field, descending: direction.or(sign).unwrap_or(false) }, by_node)))
}

/// The result of `fields=`: the fields that the node can select, and the fields that the user requested.
type Selected = (Option<Vec<String>>, Option<Vec<String>>);

fn selected(
    argument: &Argument,
    api: &Api,
    reader: &ConditionReader<'_>,
    options: &Options,
) -> Result<Selected, Error> {
    let error = |kind| Error::at(kind, argument.value_span.clone());
    // Names contain no brackets or quotes, so a list in JSON or Python notation is accepted too.
    let text = argument.value.trim();
    let text = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let mut names: Vec<String> = split_list(text)
        .map_err(|source| error(ErrorKind::List { name: argument.name.clone(), error: source }))?
        .into_iter()
        .map(|name| name.trim().trim_matches(['"', '\'']).to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    let mut seen = Vec::new();
    names.retain(|name| {
        !seen.contains(name) && {
            seen.push(name.clone());
            true
        }
    });
    if names.is_empty() {
        return Err(error(ErrorKind::NoFields));
    }
    let inventories: Vec<&Inventory> = reader.inventory.into_iter().chain(reader.specialised).collect();
    let mut by_node = true;
    for name in &names {
        let head = name.split('.').next().unwrap_or(name);
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte));
        if head.is_empty() || !plain {
            return Err(error(ErrorKind::BadFieldName { name: name.clone() }));
        }
        if inventories.is_empty() {
            by_node &= head.len() == name.len();
            continue;
        }
        let found = inventories.iter().find_map(|inventory| Some((*inventory, inventory.field(head)?)));
        match found {
            Some((inventory, field)) => {
                by_node &= head.len() == name.len() && inventory.can_select(field);
            }
            None if inventories.iter().any(|inventory| reader.catalog.follow(inventory, head).is_some()) => {
                return Err(error(ErrorKind::NotSelectable { name: name.clone() }));
            }
            None if options.no_check => {}
            None => {
                let known = inventories.iter().flat_map(|inventory| inventory.fields.iter().map(|field| field.name));
                let near = nearest(head, known).into_iter().map(str::to_owned).collect();
                return Err(error(ErrorKind::UnknownField {
                    api: api.name,
                    owner: api.name,
                    name: name.clone(),
                    near,
                }));
            }
        }
    }
    Ok((by_node.then(|| names.clone()), Some(names)))
}
