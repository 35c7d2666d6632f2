//! Planning a query: its conditions, what is asked of the answer, and the requests that fetch it.

use std::time::Duration;

use crate::catalog::{Api, Catalog, Inventory};
use crate::json::{Secrets, Value};
use crate::syntax::{Argument, Command, Operator, closest, is_integer, parse_literal, split_list};

use super::condition::{Condition, ConditionValue, Reader, zql_string};
use super::error::{Error, ErrorKind};
use super::request::{Effect, PathPart, Request, SecretText};
use super::{Options, call, fields, zql};

/// The parameters that every query takes besides conditions.
pub(super) const COMMON: [&str; 11] = [
    "conditions",
    "count",
    "limit",
    "start",
    "timeout",
    "replyWithCount",
    "sortBy",
    "sortDirection",
    "fields",
    "groupBy",
    "filterName",
];

/// The longest path and query that is safe everywhere, in bytes (T6).
const LONGEST: usize = 7000;
/// What a page's own condition, limit and offset may add to a request, in bytes.
const PAGE_ROOM: usize = 200;

/// What a query answers with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Rows, with the total where that was asked for.
    Rows {
        /// Whether the number of all matching rows comes with them.
        with_total: bool,
    },
    /// The number of rows only.
    Count,
    /// The number of rows for each value of a field.
    Groups {
        /// The field.
        field: String,
    },
}

/// How many rows are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of them, in pages.
    All {
        /// Rows per request.
        page_size: u32,
    },
    /// Exactly so many at most, in one request.
    Limit(u64),
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// At the first row that was asked for.
    Start,
    /// After the row whose key is this.
    After(String),
    /// After so many rows.
    Offset(u64),
}

/// A planned query.
#[derive(Clone, Debug)]
pub struct QueryPlan {
    /// The API.
    pub api: &'static str,
    /// The inventory of the rows, the specialised one where a condition chooses it.
    pub inventory: Option<&'static str>,
    /// What the answer holds.
    pub answer: Answer,
    /// How many rows are asked for.
    pub extent: Extent,
    /// The members of a row that the user wants, in that order; all when `None`.
    pub select: Option<Vec<String>>,
    /// Whether the node returns other members too, so that the shell has to select.
    pub must_select: bool,
    /// The member by whose order pages follow each other; without it they follow by offset.
    pub key: Option<&'static str>,
    /// Whether replies are those of ZQL: `{"results": [{"inventories": [..], "total": n}]}`.
    pub is_zql: bool,
    path: Vec<PathPart>,
    /// Conditions of each request; several where a long list had to be split.
    parts: Vec<Vec<Condition>>,
    entity: String,
    fields: Option<Vec<String>>,
    sort: Option<Sort>,
    start: u64,
    filter_name: Option<String>,
    timeout: Option<Duration>,
}

#[derive(Clone, Debug)]
struct Sort {
    field: String,
    descending: bool,
}

/// The common parameters as typed.
#[derive(Default)]
struct Common<'a> {
    given: Vec<&'a Argument>,
}

impl<'a> Common<'a> {
    fn get(&self, name: &str) -> Option<&'a Argument> {
        self.given.iter().copied().find(|argument| argument.name == name)
    }

    fn flag(&self, name: &str) -> Result<bool, Error> {
        match self.get(name).map(|argument| (argument, argument.value.as_str())) {
            None | Some((_, "false" | "False")) => Ok(false),
            Some((_, "true" | "True")) => Ok(true),
            Some((argument, _)) => Err(wrong_type(argument, "true or false")),
        }
    }

    fn number(&self, name: &str) -> Result<Option<u64>, Error> {
        let Some(argument) = self.get(name) else { return Ok(None) };
        // The node counts rows in 32 bits.
        let number = argument.value.parse::<u64>().ok().filter(|number| i32::try_from(*number).is_ok());
        match number.filter(|_| is_integer(&argument.value)) {
            Some(number) => Ok(Some(number)),
            None => Err(wrong_type(argument, "a whole number, zero or above")),
        }
    }
}

fn wrong_type(argument: &Argument, expected: &'static str) -> Error {
    Error::at(ErrorKind::WrongType { name: argument.name.clone(), expected }, argument.value_span.clone())
}

/// Plans a query.
pub(super) fn plan(command: &Command, api: &Api, catalog: Catalog, options: &Options) -> Result<QueryPlan, Error> {
    let general = api.inventory.and_then(|name| catalog.inventory(name));
    let mut common = Common::default();
    let mut typed: Vec<&Argument> = Vec::new();
    for argument in &command.arguments {
        let name = argument.name.as_str();
        if matches!(name, "systemTags" | "userTags") {
            let kind = ErrorKind::QueryTakesNoTags { name: name.to_owned() };
            return Err(Error::at(kind, argument.span.clone()));
        }
        if !COMMON.contains(&name) || argument.operator != Operator::Equal {
            typed.push(argument);
        } else if common.get(name).is_some() {
            let kind = ErrorKind::GivenTwice { name: name.to_owned() };
            return Err(Error::at(kind, argument.name_span.clone()));
        } else {
            common.given.push(argument);
        }
    }
    let listed = match common.get("conditions") {
        Some(argument) => listed_conditions(argument)?,
        None => Vec::new(),
    };
    typed.extend(&listed);

    let specialised = general.as_ref().and_then(|inventory| {
        typed
            .iter()
            .filter(|argument| argument.operator == Operator::Equal)
            .find_map(|argument| catalog.specialised(inventory, &argument.name, &argument.value))
    });
    let reader = Reader {
        api: api.name,
        inventory: general.as_ref(),
        specialised: specialised.as_ref(),
        catalog,
        no_check: options.no_check,
    };
    let conditions: Vec<Condition> = typed.iter().map(|argument| reader.read(argument)).collect::<Result<_, _>>()?;
    let path = query_path(api, &conditions)?;

    let shape = Shape::read(&common, api, &reader, options)?;
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
        must_select: shape.select.is_some() && shape.fields.is_none(),
        select: shape.select,
        is_zql,
        path,
        parts: vec![conditions],
        entity: rows.map(|inventory| zql::entity(inventory.name)).unwrap_or_default(),
        fields: shape.fields,
        sort: shape.sort,
        start: shape.start,
        filter_name: shape.filter_name,
        timeout: match common.get("timeout") {
            Some(argument) => Some(call::milliseconds(argument)?),
            None => options.timeout,
        },
    };
    plan.arrange_fields();
    plan.split_long_lists()?;
    Ok(plan)
}

/// What is asked of the answer, checked.
struct Shape {
    answer: Answer,
    extent: Extent,
    start: u64,
    sort: Option<Sort>,
    fields: Option<Vec<String>>,
    select: Option<Vec<String>>,
    filter_name: Option<String>,
}

impl Shape {
    fn read(common: &Common<'_>, api: &Api, reader: &Reader<'_>, options: &Options) -> Result<Shape, Error> {
        let count = common.flag("count")?;
        let with_total = common.flag("replyWithCount")?;
        let limit = common.number("limit")?;
        let start = common.number("start")?.unwrap_or(0);
        let sort = sort(common, api, reader, options)?;
        let (fields, select) = match common.get("fields") {
            Some(argument) => selected(argument, api, reader, options)?,
            None => (None, None),
        };
        let filter_name = match common.get("filterName") {
            Some(argument) if !argument.value.contains(':') => {
                return Err(Error::at(ErrorKind::BadFilterName, argument.value_span.clone()));
            }
            filter => filter.map(|argument| argument.value.clone()),
        };
        let answer = match common.get("groupBy") {
            Some(argument) => {
                let with = [("fields", select.is_some()), ("sortBy", sort.is_some())]
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
                let field = own_field(argument, argument.value.trim(), api, reader, options)?;
                Answer::Groups { field }
            }
            None if count => Answer::Count,
            None => Answer::Rows { with_total },
        };
        let extent = match limit {
            Some(limit) => Extent::Limit(limit),
            None => Extent::All { page_size: options.page_size.max(1) },
        };
        Ok(Shape { answer, extent, start, sort, fields, select, filter_name })
    }

    /// The member that pages follow each other by: only when all rows are wanted and no other order.
    fn key(&self, rows: Option<&Inventory>) -> Option<&'static str> {
        let inventory = rows.filter(|_| self.sort.is_none() && matches!(self.answer, Answer::Rows { .. }))?;
        ["uuid", "id"].into_iter().find(|name| inventory.field(name).is_some())
    }
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

/// A member of the inventory itself, for sorting and grouping.
fn own_field(
    argument: &Argument,
    name: &str,
    api: &Api,
    reader: &Reader<'_>,
    options: &Options,
) -> Result<String, Error> {
    let error = |kind| Error::at(kind, argument.value_span.clone());
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err(error(ErrorKind::NotSortable { name: name.to_owned() }));
    }
    let inventories: Vec<&Inventory> = reader.inventory.into_iter().chain(reader.specialised).collect();
    let found = inventories.iter().find_map(|inventory| Some((*inventory, inventory.field(name)?)));
    match found {
        Some((inventory, field)) if !fields::is_stored(inventory, field) => {
            Err(error(ErrorKind::NotSortable { name: name.to_owned() }))
        }
        None if !inventories.is_empty() && !options.no_check => {
            let names = inventories.iter().flat_map(|inventory| inventory.fields.iter().map(|field| field.name));
            let closest = closest(name, names).map(str::to_owned);
            Err(error(ErrorKind::UnknownField { api: api.name, name: name.to_owned(), closest }))
        }
        _ => Ok(name.to_owned()),
    }
}

fn sort(common: &Common<'_>, api: &Api, reader: &Reader<'_>, options: &Options) -> Result<Option<Sort>, Error> {
    let direction = match common.get("sortDirection") {
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
    let Some(argument) = common.get("sortBy") else {
        return match common.get("sortDirection") {
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
    let field = own_field(argument, name, api, reader, options)?;
    Ok(Some(Sort { field, descending: direction.or(sign).unwrap_or(false) }))
}

/// What `fields=` comes to: what the node can select, and what the user wants.
type Selected = (Option<Vec<String>>, Option<Vec<String>>);

fn selected(argument: &Argument, api: &Api, reader: &Reader<'_>, options: &Options) -> Result<Selected, Error> {
    let error = |kind| Error::at(kind, argument.value_span.clone());
    let mut names: Vec<String> = split_list(argument.value.trim())
        .map_err(|source| error(ErrorKind::List { name: argument.name.clone(), error: source }))?
        .into_iter()
        .map(|name| name.trim().to_owned())
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
                by_node &= head.len() == name.len() && fields::is_stored(inventory, field);
            }
            None if inventories.iter().any(|inventory| reader.catalog.follow(inventory, head).is_some()) => {
                return Err(error(ErrorKind::NotSelectable { name: name.clone() }));
            }
            None if options.no_check => {}
            None => {
                let known = inventories.iter().flat_map(|inventory| inventory.fields.iter().map(|field| field.name));
                let closest = closest(head, known).map(str::to_owned);
                return Err(error(ErrorKind::UnknownField { api: api.name, name: name.clone(), closest }));
            }
        }
    }
    Ok((by_node.then(|| names.clone()), Some(names)))
}

/// `conditions=`: a list of condition texts, or of the maps that users of the original type.
fn listed_conditions(argument: &Argument) -> Result<Vec<Argument>, Error> {
    let bad = |problem: String| Error::at(ErrorKind::BadConditions { problem }, argument.value_span.clone());
    let text = argument.value.trim();
    let items = if text.starts_with(['[', '(', '{']) {
        match parse_literal(text).map_err(|error| bad(error.to_string()))? {
            Value::List(items) => items,
            single => vec![single],
        }
    } else {
        split_list(text).map_err(|error| bad(error.to_string()))?.into_iter().map(Value::Text).collect()
    };
    items.iter().map(|item| listed_condition(argument, item).map_err(bad)).collect()
}

fn listed_condition(argument: &Argument, item: &Value) -> Result<Argument, String> {
    let (name, operator, value) = match item {
        Value::Text(text) => {
            let (_, words) = Command::words_from_args(&["Query", text]);
            let parsed = Command::from_words("", &words).map_err(|error| error.to_string())?;
            let parsed = parsed.and_then(|command| command.arguments.into_iter().next());
            let parsed = parsed.ok_or_else(|| "an empty condition".to_owned())?;
            (parsed.name, parsed.operator, parsed.value)
        }
        Value::Map(members) => map_condition(members)?,
        other => return Err(format!("{} is no condition", other.to_json(Secrets::Masked))),
    };
    Ok(Argument { name, operator, value, ..argument.clone() })
}

/// `{"name": .., "op": .., "value": ..}`; `op` is an operator of the old protocol or one as typed here.
fn map_condition(members: &[(String, Value)]) -> Result<(String, Operator, String), String> {
    let text = |key: &str| {
        members.iter().find(|(name, _)| name == key).and_then(|(_, value)| match value {
            Value::Text(text) | Value::Number(text) => Some(text.clone()),
            Value::Bool(value) => Some(value.to_string()),
            _ => None,
        })
    };
    if let Some((unknown, _)) = members.iter().find(|(name, _)| !["name", "op", "value"].contains(&name.as_str())) {
        return Err(format!("a condition has name, op and value, but not {unknown}"));
    }
    let name = text("name").ok_or("a condition without a name")?;
    let op = text("op").unwrap_or_else(|| "=".to_owned());
    let operator = match op.as_str() {
        "in" => Operator::In,
        "not in" => Operator::NotIn,
        "like" => Operator::Like,
        "not like" => Operator::NotLike,
        "is null" => Operator::IsNull,
        "is not null" | "not null" => Operator::NotNull,
        other => Operator::TYPED
            .iter()
            .find(|(typed, _)| *typed == other)
            .map(|(_, operator)| *operator)
            .ok_or_else(|| format!("{other} is no operator"))?,
    };
    let value = text("value").unwrap_or_default();
    Ok(match operator {
        Operator::IsNull => (name, Operator::Equal, "null".to_owned()),
        Operator::NotNull => (name, Operator::NotEqual, "null".to_owned()),
        operator => (name, operator, value),
    })
}

fn check_zql(unsayable: Option<&Condition>, rows: Option<&Inventory>, shape: &Shape) -> Result<(), Error> {
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

impl QueryPlan {
    /// The number of requests that the conditions had to be split over; each is paged by itself.
    pub fn parts(&self) -> usize {
        self.parts.len()
    }

    /// The number of rows that are skipped before the first one.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// The request for the page of a part that begins at the cursor.
    pub fn request(&self, part: usize, cursor: &Cursor) -> Request {
        let conditions = self.parts.get(part).map_or(&[][..], Vec::as_slice);
        let mut request = if self.is_zql {
            let secret = conditions.iter().any(|condition| condition.secret);
            zql::statement_request(&self.zql(conditions, cursor), secret)
        } else {
            Request {
                api: self.api,
                method: crate::catalog::Method::Get,
                path: self.path.clone(),
                query: self.pairs(conditions, cursor),
                body: None,
                needs_session: true,
                effect: Effect::Query,
                is_async: false,
                timeout: None,
            }
        };
        request.timeout = self.timeout;
        request
    }

    fn pairs(&self, conditions: &[Condition], cursor: &Cursor) -> Vec<(String, SecretText)> {
        let mut pairs: Vec<(String, SecretText)> = conditions
            .iter()
            .map(|condition| ("q".to_owned(), SecretText { text: condition.q_text(), secret: condition.secret }))
            .collect();
        let mut add = |name: &str, text: String| pairs.push((name.to_owned(), SecretText::plain(text)));
        if let (Cursor::After(last), Some(key)) = (cursor, self.key) {
            add("q", format!("{key}>{last}"));
        }
        if let Some(filter) = &self.filter_name {
            add("filterName", filter.clone());
        }
        let Answer::Rows { with_total } = self.answer else {
            add("count", "true".to_owned());
            return pairs;
        };
        add("limit", self.limit().to_string());
        let offset = self.offset(cursor);
        if offset > 0 {
            add("start", offset.to_string());
        }
        if let Some((field, descending)) = self.order() {
            add("sort", format!("{}{field}", if descending { '-' } else { '+' }));
        }
        if let Some(fields) = &self.fields {
            add("fields", fields.join(","));
        }
        if with_total && *cursor == Cursor::Start {
            add("replyWithCount", "true".to_owned());
        }
        pairs
    }

    fn zql(&self, conditions: &[Condition], cursor: &Cursor) -> String {
        let mut wheres: Vec<String> = conditions.iter().map(Condition::zql).collect();
        if let (Cursor::After(last), Some(key)) = (cursor, self.key) {
            let value = if key == "uuid" { zql_string(last) } else { last.clone() };
            wheres.push(format!("({key} > {value})"));
        }
        let entity = &self.entity;
        let mut text = match &self.answer {
            Answer::Rows { .. } => match &self.fields {
                Some(fields) => format!("query {entity}.{}", fields.join(",")),
                None => format!("query {entity}"),
            },
            Answer::Count | Answer::Groups { .. } => format!("count {entity}"),
        };
        // `a and b and c` binds to the right, which means the same for one connective.
        if !wheres.is_empty() {
            text.push_str(&format!(" where {}", wheres.join(" and ")));
        }
        match &self.answer {
            Answer::Count => {}
            Answer::Groups { field } => {
                text.push_str(&format!(" group by {field}"));
                if let Extent::Limit(limit) = self.extent {
                    text.push_str(&format!(" limit {limit}"));
                }
            }
            Answer::Rows { with_total } => {
                if *with_total && *cursor == Cursor::Start {
                    text.push_str(" return with (total)");
                }
                if let Some((field, descending)) = self.order() {
                    text.push_str(&format!(" order by {field} {}", if descending { "desc" } else { "asc" }));
                }
                text.push_str(&format!(" limit {}", self.limit()));
                let offset = self.offset(cursor);
                if offset > 0 {
                    text.push_str(&format!(" offset {offset}"));
                }
            }
        }
        text
    }

    fn limit(&self) -> u64 {
        match self.extent {
            Extent::All { page_size } => u64::from(page_size),
            Extent::Limit(limit) => limit,
        }
    }

    fn offset(&self, cursor: &Cursor) -> u64 {
        match cursor {
            Cursor::Start => self.start,
            Cursor::After(_) => 0,
            Cursor::Offset(offset) => *offset,
        }
    }

    /// The order that is asked for: the user's, or one by key where pages or an offset need one (Q17).
    fn order(&self) -> Option<(&str, bool)> {
        match &self.sort {
            Some(sort) => Some((&sort.field, sort.descending)),
            None if matches!(self.extent, Extent::All { .. }) || self.start > 0 => self.key.map(|key| (key, false)),
            None => None,
        }
    }

    /// Pages that follow by key need it in every row, and a total counts only rows whose first selected field is
    /// not null (Q18): so the key goes first, and the shell drops it where nobody asked for it.
    fn arrange_fields(&mut self) {
        if !matches!(self.answer, Answer::Rows { .. }) {
            self.fields = None;
            self.select = None;
            self.must_select = false;
            return;
        }
        let needs_key = matches!(self.extent, Extent::All { .. }) || self.answer == (Answer::Rows { with_total: true });
        let key = self.key.or(self.inventory.is_some().then_some("uuid"));
        if let (Some(fields), Some(key), true) = (&mut self.fields, key, needs_key) {
            let typed = fields.len();
            fields.retain(|field| field != key);
            fields.insert(0, key.to_owned());
            self.must_select |= fields.len() != typed;
        }
    }

    /// Splits the longest list of a request that no URL could hold (T6).
    fn split_long_lists(&mut self) -> Result<(), Error> {
        let most = LONGEST - PAGE_ROOM;
        let mut done = Vec::new();
        let mut open = std::mem::take(&mut self.parts);
        while let Some(conditions) = open.pop() {
            self.parts = vec![conditions];
            let length = self.request(0, &Cursor::Start).target(Secrets::Shown).len();
            let Some(mut conditions) = self.parts.pop() else { break };
            if length <= most {
                done.push(conditions);
                continue;
            }
            let too_long = |reason| Error { kind: ErrorKind::RequestTooLong { length, most, reason }, span: None };
            if self.start > 0 || self.sort.is_some() || matches!(self.answer, Answer::Groups { .. }) {
                return Err(too_long("; it cannot be split together with start, sortBy or groupBy"));
            }
            let size = |condition: &Condition| match (condition.operator, &condition.value) {
                (Operator::In, ConditionValue::List(items)) if items.len() > 1 => {
                    items.iter().map(|item| item.text().len() + 1).sum::<usize>()
                }
                _ => 0,
            };
            let longest = (0..conditions.len()).max_by_key(|index| size(&conditions[*index]));
            let Some(index) = longest.filter(|index| size(&conditions[*index]) > 0) else {
                return Err(too_long(""));
            };
            // A row may have several related rows, and so belong to both halves of such a list.
            let related = conditions[index].field.contains('.') || conditions[index].field.starts_with("__");
            if related && self.answer != (Answer::Rows { with_total: false }) {
                return Err(too_long("; rows of a split list of related fields cannot be counted"));
            }
            let mut rest = conditions.clone();
            if let (ConditionValue::List(first), ConditionValue::List(second)) =
                (&mut conditions[index].value, &mut rest[index].value)
            {
                // In order and without doubles, the parts of a list of uuids hold different rows and follow
                // each other in the order of the whole.
                first.sort_by(|a, b| a.text().cmp(b.text()));
                first.dedup();
                *second = first.split_off(first.len() / 2);
            }
            open.push(rest);
            open.push(conditions);
        }
        self.parts = done;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Plan, plan};
    use super::*;

    fn planned(line: &str) -> Result<QueryPlan, Error> {
        let command = Command::parse(line).expect("it parses").expect("a command");
        match plan(&command, Catalog::newest(), &Options::default())? {
            Plan::Query(query) => Ok(*query),
            Plan::Call(_) => panic!("{line} is no query"),
        }
    }

    /// The pairs of the first request, decoded.
    fn asked(line: &str) -> String {
        let query = planned(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        let request = query.request(0, &Cursor::Start);
        request.query.iter().map(|(name, value)| format!("{name}={}", value.text)).collect::<Vec<_>>().join("&")
    }

    fn refused(line: &str) -> (String, Option<&str>) {
        let error = planned(line).expect_err(line);
        (error.to_string(), error.span.map(|span| &line[span]))
    }

    #[test]
    fn conditions_are_sent_as_q() {
        for (conditions, expected) in [
            ("name=lab", "q=name=lab"),
            ("name~=web uuid!=1", "q=name~=%web%&q=uuid!=1"),
            ("name~=web_1", "q=name~=web_1"),
            ("name!~=a%", "q=name!~=a%"),
            ("name?=a,b name!?=c", "q=name?=a,b&q=name!?=c"),
            ("hostUuid=null zoneUuid!=null", "q=hostUuid is null&q=zoneUuid not null"),
            ("cpuNum>=4 memorySize<8G", "q=cpuNum>=4&q=memorySize<8589934592"),
            ("createDate>2020", "q=createDate>2020-01-01 00:00:00"),
            ("createDate<'Mar 4, 2025 2:12:01 PM'", "q=createDate<2025-03-04 14:12:01"),
            ("state=running", "q=state=running"),
            ("vmNics.l3Network.name=x vmNics.ip~=10.%", "q=vmNics.l3Network.name=x&q=vmNics.ip~=10.%"),
            ("__systemTag__=a::b host.__userTag__!=c", "q=__systemTag__=a::b&q=host.__userTag__!=c"),
            ("name=a=b", "q=name=a=b"),
            ("name=", "q=name="),
            (
                "conditions=\"[{'name':'state','op':'=','value':'Running'},{'name':'hostUuid','op':'is null'}]\"",
                "q=state=Running&q=hostUuid is null",
            ),
            ("conditions='[\"name~=a\",\"uuid?=b,c\"]'", "q=name~=%a%&q=uuid?=b,c"),
        ] {
            let line = format!("QueryVmInstance {conditions} limit=5");
            assert_eq!(asked(&line), format!("{expected}&limit=5"), "{line}");
        }
    }

    #[test]
    fn what_the_node_would_misread_goes_through_zql() {
        for (condition, expected) in [
            ("name='a!=b'", "(name = 'a!=b')"),
            ("name='x>=1'", "(name = 'x>=1')"),
            ("name='it'\\''s'", "(name = 'it''s')"),
            ("name==a", "(name = '=a')"),
            ("name='a\\b!=c'", "(name = 'a\\\\b!=c')"),
            ("name?='\"a,b\",c'", "(name in ('a,b', 'c'))"),
            ("'cpuNum>1' name='a~=b'", "(cpuNum > 1) and (name = 'a~=b')"),
            ("name='a!=b' hostUuid=null", "(name = 'a!=b') and (hostUuid is null)"),
            ("name~='a!=b'", "(name like '%a!=b%')"),
        ] {
            let line = format!("QueryVmInstance {condition}");
            let expected = format!("zql=query vminstance where {expected} order by uuid asc limit 1000");
            assert_eq!(asked(&line), expected, "{line}");
        }
        assert_eq!(
            asked("QueryHost hypervisorType=KVM name='a!=b' count=true"),
            "zql=count kvmhost where (hypervisorType = 'KVM') and (name = 'a!=b')"
        );
        assert_eq!(
            asked("QueryVmInstance groupBy=state state!=Stopped"),
            "zql=count vminstance where (state != 'Stopped') group by state"
        );
        assert_eq!(refused("QueryBuildApp name='a!=b'").1, Some("name='a!=b'"));
    }

    #[test]
    fn without_a_limit_all_rows_are_paged_by_uuid() {
        let query = planned("QueryZone name!=x").expect("it plans");
        let pages: Vec<String> = [Cursor::Start, Cursor::After("5f".into()), Cursor::Offset(2000)]
            .iter()
            .map(|cursor| query.request(0, cursor))
            .map(|request| request.target(Secrets::Shown))
            .collect();
        assert_eq!(
            pages,
            [
                "/zones?q=name%21%3Dx&limit=1000&sort=%2Buuid",
                "/zones?q=name%21%3Dx&q=uuid%3E5f&limit=1000&sort=%2Buuid",
                "/zones?q=name%21%3Dx&limit=1000&start=2000&sort=%2Buuid",
            ]
        );
    }

    #[test]
    fn the_shape_of_the_answer_is_asked_for() {
        for (typed, expected) in [
            ("", "limit=1000&sort=+uuid"),
            ("limit=10", "limit=10"),
            ("limit=5000 start=5", "limit=5000&start=5&sort=+uuid"),
            ("limit=2 sortBy=name", "limit=2&sort=+name"),
            ("limit=2 sortBy=name sortDirection=desc", "limit=2&sort=-name"),
            ("limit=2 sortBy=-name", "limit=2&sort=-name"),
            ("count=true limit=3 fields=name", "count=true"),
            ("limit=2 fields=name,uuid,", "limit=2&fields=name,uuid"),
            ("fields=name", "limit=1000&sort=+uuid&fields=uuid,name"),
            ("limit=2 fields=name replyWithCount=true", "limit=2&fields=uuid,name&replyWithCount=true"),
            ("limit=2 fields=name,vmNics", "limit=2"),
            ("limit=2 fields=vmNics.ip", "limit=2"),
            ("limit=1 filterName=a:b", "filterName=a:b&limit=1"),
        ] {
            assert_eq!(asked(&format!("QueryVmInstance {typed}")), expected, "{typed}");
        }
        let select = |typed: &str| {
            let query = planned(&format!("QueryVmInstance {typed}")).expect("it plans");
            (query.select.unwrap_or_default().join(","), query.must_select)
        };
        assert_eq!(select("fields=name"), ("name".to_owned(), true));
        assert_eq!(select("fields=name limit=1"), ("name".to_owned(), false));
        assert_eq!(select("fields=name,uuid"), ("name,uuid".to_owned(), false));
        assert_eq!(select("fields=name,vmNics"), ("name,vmNics".to_owned(), true));
        assert_eq!(select("count=true fields=vmNics"), (String::new(), false));
        assert_eq!(select(""), (String::new(), false));
        assert_eq!(asked("QueryHost limit=1 fields=name,totalCpuCapacity"), "limit=1");
    }

    #[test]
    fn long_lists_are_split_without_losing_a_member() {
        let uuids: Vec<String> = (0..1000).map(|number| format!("{number:032x}")).collect();
        let query = planned(&format!("QueryVmInstance uuid?={}", uuids.join(","))).expect("it plans");
        let mut seen = Vec::new();
        for part in 0..query.parts() {
            let request = query.request(part, &Cursor::Start);
            assert!(request.target(Secrets::Shown).len() < LONGEST);
            let (_, list) = request.query.iter().find(|(name, _)| name == "q").expect("a condition");
            seen.extend(list.text["uuid?=".len()..].split(',').map(str::to_owned));
        }
        assert!(query.parts() > 1);
        assert_eq!(seen, uuids);
        let long = format!("QueryVmInstance name={}", "x".repeat(8000));
        assert!(refused(&long).0.starts_with("the request is too long"));
    }

    #[test]
    fn two_queries_take_their_path_from_a_condition() {
        let query = planned("QueryVmInstancePciDeviceSpecRef vmInstanceUuid=abc limit=1").expect("it plans");
        let target = query.request(0, &Cursor::Start).target(Secrets::Shown);
        assert!(target.starts_with("/vm-instances/abc/pci-device-specs?"), "{target}");
        assert_eq!(
            refused("QueryVmInstancePciDeviceSpecRef").0,
            "the path of QueryVmInstancePciDeviceSpecRef names vmInstanceUuid, so a condition must give it"
        );
    }

    #[test]
    fn a_condition_on_the_type_opens_the_special_fields() {
        assert_eq!(
            asked("QueryHost hypervisorType=KVM username=root limit=1"),
            "q=hypervisorType=KVM&q=username=root&limit=1"
        );
        assert_eq!(refused("QueryHost username=root").1, Some("username"));
    }

    #[test]
    fn what_is_wrong_is_said_at_the_word() {
        for (typed, message, word) in [
            ("nmae=a", "QueryVmInstance has no queryable field nmae", Some("nmae")),
            ("vmNics.pi=a", "QueryVmInstance has no queryable field pi", Some("vmNics.pi")),
            ("vmNics=a", "vmNics leads to VmNicInventory", Some("vmNics")),
            ("cpuNum>two", "cpuNum must be a number", Some("two")),
            ("createDate>soon", "createDate must be a date", Some("soon")),
            ("state=Runing", "state: Runing is not allowed", Some("Runing")),
            ("limit=-1", "limit must be a whole number", Some("-1")),
            ("limit=1 limit=2", "limit is given twice", Some("limit")),
            ("limt=1", "QueryVmInstance has no queryable field limt", Some("limt")),
            ("count=yes", "count must be true or false", Some("yes")),
            ("sortBy=vmNics", "the node cannot sort by vmNics", Some("vmNics")),
            ("sortDirection=up sortBy=name", "sortDirection: up is not allowed", Some("up")),
            ("fields=", "fields names no field", Some("")),
            ("fields=nmae", "QueryVmInstance has no queryable field nmae", Some("nmae")),
            ("fields=host.name", "host.name cannot be selected", Some("host.name")),
            ("systemTags=a", "a query takes no systemTags", Some("systemTags=a")),
            ("filterName=x", "filterName has the form", Some("x")),
            ("groupBy=state fields=name", "groupBy cannot be combined with fields", Some("groupBy=state")),
            ("vmNics..ip=1", "vmNics..ip is no field name", Some("vmNics..ip")),
            ("conditions=[", "conditions: ", Some("[")),
        ] {
            let line = format!("QueryVmInstance {typed}");
            let error = planned(&line).expect_err(&line);
            assert!(error.to_string().starts_with(message), "{line}: {error}");
            assert_eq!(error.span.map(|span| &line[span]), word, "{line}");
        }
        let error = planned("QueryVmInstance limt=1").expect_err("unknown");
        assert_eq!(error.hint().as_deref(), Some("did you mean `limit`?"));
    }
}
