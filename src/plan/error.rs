//! Errors of a command, with the data for their messages.

use std::ops::Range;

use super::raw::RawError;
use crate::syntax::{ListError, LiteralError, Operator};

/// Why a command cannot be planned. Nothing was sent.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{kind}")]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// The range of the wrong text in the line, in bytes; `None` if something is missing.
    pub span: Option<Range<usize>>,
}

impl Error {
    pub(super) fn at(kind: ErrorKind, span: Range<usize>) -> Error {
        Error { kind, span: Some(span) }
    }
}

/// What is wrong with a command. In `near` are the names that may be meant, best first.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[allow(missing_docs)]
pub enum ErrorKind {
    #[error("there is no API called {name} in ZStack (up to {version})")]
    UnknownApi { name: String, near: Vec<String>, version: &'static str, until: Option<&'static str> },
    #[error("{api} has no parameter {name}")]
    UnknownParameter { api: &'static str, name: String, near: Vec<String>, version: &'static str },
    #[error("{api} needs {}", and_list(.names))]
    MissingParameters { api: &'static str, names: Vec<&'static str> },
    #[error("{name} is given twice")]
    GivenTwice { name: String },
    #[error("{name} is a parameter and takes `=`, not `{operator}`")]
    NotACondition { name: String, operator: Operator },
    #[error("{name}: {value} is not allowed")]
    NotAllowed { name: String, value: String, allowed: Vec<String>, closest: Option<String> },
    #[error("{name}: no query is known that finds these resources by name, so `name:` cannot be looked up")]
    NotFoundByName { name: &'static str },
    #[error("{name} must be {expected}")]
    WrongType { name: String, expected: &'static str },
    #[error("{name} is {length} characters long; at most {most} are allowed")]
    TooLong { name: String, length: usize, most: u32 },
    #[error("{name} is {length} characters long; at least {least} are needed")]
    TooShort { name: String, length: usize, least: u32 },
    #[error("{name} must be between {least} and {greatest}")]
    OutOfRange { name: String, least: i64, greatest: i64 },
    #[error("{name} must not be empty")]
    Empty { name: String },
    #[error("{name} does not match the pattern {pattern}")]
    Pattern { name: String, pattern: String },
    #[error("{name}: {error}")]
    Literal { name: String, error: LiteralError },
    #[error("{name}: {error}")]
    List { name: String, error: ListError },
    #[error("{name} is part of the path and cannot be {problem}")]
    BadPathValue { name: String, problem: &'static str },
    #[error("{name} has no member {member}")]
    UnknownMember { name: String, member: String, near: Vec<String> },
    #[error(
        "{name}: the key \"{key}\" cannot be sent with this API, since keys with a dot or made of digits are misread"
    )]
    BadMapKey { name: String, key: String },
    #[error("{name}: nested values cannot be sent with this API")]
    Nested { name: String },
    #[error("{owner} has no queryable field {name}")]
    UnknownField { api: &'static str, owner: &'static str, name: String, near: Vec<String> },
    #[error("{name} leads to {inventory} and is no field by itself")]
    FieldNeedsMember { name: String, inventory: &'static str, hint: Option<String> },
    #[error("the node fails on every query by {name} of {owner}")]
    BrokenField { name: String, owner: &'static str },
    #[error("{name} is no field name")]
    BadFieldName { name: String },
    #[error("{name} is a keyword of the query language, so the node cannot query it")]
    ReservedField { name: String },
    #[error("a query takes no {name}")]
    QueryTakesNoTags { name: String },
    #[error("{name} must be a number")]
    NotANumber { name: String },
    #[error("{name} must be a date")]
    NotADate { name: String },
    #[error("{name} must be true or false")]
    NotABoolean { name: String },
    #[error("{name} is true or false; only `=` and `!=` make sense for it")]
    BooleanOperator { name: String },
    #[error("conditions: {problem}")]
    BadConditions { problem: String },
    #[error("conditions: several conditions are not separated by `;`")]
    SemicolonsInConditions { separate: String },
    #[error("{name} cannot be selected: it is not part of the inventory that the node returns")]
    NotSelectable { name: String },
    #[error("the node cannot sort by {name}")]
    NotSortable { name: String },
    #[error("the node cannot group by {name}")]
    NotGroupable { name: String },
    #[error("fields names no field")]
    NoFields,
    #[error("filterName has the form KIND:ARGUMENTS")]
    BadFilterName,
    #[error("{name}: the node would misread this value, and {reason}")]
    Unsayable { name: String, reason: &'static str },
    #[error("the path of {api} names {name}, so a condition must give it")]
    NoCondition { name: &'static str, api: &'static str },
    #[error("the request is too long for a URL ({length} bytes, {most} are safe){reason}")]
    RequestTooLong { length: usize, most: usize, reason: &'static str },
    #[error("{0}")]
    Raw(RawError),
    #[error("groupBy cannot be combined with {with}")]
    GroupByWith { with: &'static str },
}

fn and_list(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
