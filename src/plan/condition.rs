//! Conditions of a query: checking them and writing them so that the node reads them correctly.

use std::ops::Range;

use jiff::civil::DateTime;

use crate::catalog::{Catalog, Field, FieldError, FieldPath, Inventory, QueryParameter, TAG_FIELDS, Type};
use crate::dates;
use crate::nearness::closest;
use crate::syntax::{Argument, Operator, byte_count, is_number, split_list};

use super::error::{Error, ErrorKind};
use super::reading;
use super::suggest::{near_fields, one_of};
use super::value::{is_byte_count, names_uuids, quoted_uuid};

/// A condition whose field, operator and value have been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    pub(super) field: String,
    pub(super) operator: Operator,
    pub(super) value: ConditionValue,
    /// The position of the argument in the line.
    pub(super) span: Range<usize>,
    pub(super) secret: bool,
}

/// The right side of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ConditionValue {
    None,
    One(Scalar),
    List(Vec<Scalar>),
}

/// A scalar, by its notation in ZQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    Text(String),
    /// A number or boolean, as text.
    Bare(String),
}

impl Scalar {
    pub(super) fn text(&self) -> &str {
        match self {
            Scalar::Text(text) | Scalar::Bare(text) => text,
        }
    }
}

/// The field of a condition as the catalog describes it.
enum KnownField {
    Field(Box<Field>),
    Tag,
    Unknown,
}

/// The context in which conditions are read.
pub(super) struct ConditionReader<'a> {
    pub(super) api: &'static str,
    pub(super) inventory: Option<&'a Inventory>,
    /// The inventory that a condition on the type field chooses, where one does (Q14).
    pub(super) specialised: Option<&'a Inventory>,
    pub(super) catalog: Catalog,
    pub(super) no_check: bool,
    /// What the node's clock shows.
    pub(super) now: Option<DateTime>,
}

impl ConditionReader<'_> {
    /// Reads an argument as a condition.
    pub(super) fn read(&self, argument: &Argument) -> Result<Condition, Error> {
        let takes_uuids = names_uuids(&argument.name) && !self.no_check;
        let unquoted = quoted_uuid(&argument.value).filter(|_| takes_uuids);
        let unquoted = unquoted.map(|uuid| Argument { value: uuid.to_owned(), ..argument.clone() });
        let argument = unquoted.as_ref().unwrap_or(argument);
        let error = |kind| Error::at(kind, argument.value_span.clone());
        let kind = self.field_kind(argument)?;
        let (operator, value) = match (argument.operator, argument.value.as_str()) {
            // `is null` finds nothing on tags; a negated operator means that there is no such tag (R8).
            (Operator::Equal, "null") if matches!(kind, KnownField::Tag) => {
                (Operator::NotLike, ConditionValue::One(Scalar::Text("%".to_owned())))
            }
            (Operator::Equal, "null") => (Operator::IsNull, ConditionValue::None),
            (Operator::NotEqual, "null") => (Operator::NotNull, ConditionValue::None),
            (Operator::In | Operator::NotIn, text) => {
                let file;
                let text = if argument.from_file {
                    file = text.replace("\r\n", ",").replace('\n', ",");
                    file.as_str()
                } else {
                    text
                };
                let mut items = split_list(text)
                    .map_err(|source| error(ErrorKind::List { name: argument.name.clone(), error: source }))?;
                if argument.from_file {
                    items.retain(|item| !item.is_empty());
                }
                let items =
                    items.into_iter().map(|item| self.scalar(argument, &kind, &item)).collect::<Result<_, _>>()?;
                (argument.operator, ConditionValue::List(items))
            }
            (Operator::Like | Operator::NotLike, text) => {
                let wild = text.contains(['%', '_']);
                let text = if wild { text.to_owned() } else { format!("%{text}%") };
                (argument.operator, ConditionValue::One(Scalar::Text(text)))
            }
            (operator, text) => (operator, ConditionValue::One(self.scalar(argument, &kind, text)?)),
        };
        let compares = !matches!(
            operator,
            Operator::Equal
                | Operator::NotEqual
                | Operator::In
                | Operator::NotIn
                | Operator::IsNull
                | Operator::NotNull
        );
        if compares && matches!(&kind, KnownField::Field(field) if field.kind == Type::Bool) {
            return Err(error(ErrorKind::BooleanOperator { name: argument.name.clone() }));
        }
        let secret = argument.name.rsplit('.').next().is_some_and(crate::secret::member_is_secret);
        Ok(Condition { field: argument.name.clone(), operator, value, span: argument.span.clone(), secret })
    }

    /// Checks the field path, since the node inserts it into ZQL unchanged (Q4).
    fn field_kind(&self, argument: &Argument) -> Result<KnownField, Error> {
        let name = &argument.name;
        let error = |kind| Error::at(kind, argument.name_span.clone());
        let plain = |segment: &str| {
            !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        if !name.split('.').all(plain) {
            return Err(error(ErrorKind::BadFieldName { name: name.clone() }));
        }
        if let Some(keyword) = name.split('.').find(|segment| is_keyword(segment)) {
            return Err(error(ErrorKind::ReservedField { name: keyword.to_owned() }));
        }
        let Some(inventory) = self.inventory else { return Ok(KnownField::Unknown) };
        let mut found = self.catalog.field_path(inventory, name);
        if let (Err(_), Some(specialised)) = (&found, self.specialised) {
            found = self.catalog.field_path(specialised, name);
        }
        match found {
            Ok(FieldPath::Field { field, .. }) => Ok(KnownField::Field(Box::new(field))),
            Ok(FieldPath::Tag) => Ok(KnownField::Tag),
            Ok(FieldPath::Unknown) => Ok(KnownField::Unknown),
            Err(_) if self.no_check => Ok(KnownField::Unknown),
            Err(problem) => Err(self.unknown_field(problem, argument)),
        }
    }

    /// The error for a wrong segment of a path, with the inventory that lacks it.
    fn unknown_field(&self, problem: FieldError, argument: &Argument) -> Error {
        let whole = &argument.name_span;
        let (name, inventory, at) = match &problem {
            FieldError::NoField { name, inventory, at } => {
                if let Some(Some(target)) = self.catalog.follow(inventory, name) {
                    let kind = ErrorKind::FieldNeedsMember {
                        name: argument.name.clone(),
                        inventory: target.name,
                        hint: member_of(argument.name.clone(), &target),
                    };
                    return Error::at(kind, whole.clone());
                }
                (name, inventory, at)
            }
            FieldError::NoExpanded { name, inventory, at } => (name, inventory, at),
            FieldError::Record { name, inventory, at, target } => {
                // The relation mostly has the same name as the records.
                let offered = || inventory.relations().filter(|(_, leads_to, _)| leads_to == target);
                let relation = offered().find(|(relation, ..)| relation == name).or_else(|| offered().next());
                let hint = relation.zip(self.catalog.inventory(target)).and_then(|((relation, ..), target)| {
                    member_of(format!("{}{relation}", &argument.name[..*at]), &target)
                });
                let kind = ErrorKind::FieldNeedsMember { name: argument.name.clone(), inventory: target, hint };
                return Error::at(kind, whole.clone());
            }
            FieldError::Broken { name, inventory, .. } => {
                let kind = ErrorKind::BrokenField { name: name.clone(), owner: inventory.name };
                return Error::at(kind, whole.clone());
            }
        };
        let relations = inventory.expanded.keys().chain(inventory.aliases.keys()).copied();
        let relations = relations.filter(|name| !inventory.is_broken(name));
        let fields = inventory.comparable().map(|field| field.name);
        let first = *at == 0;
        let special = self.specialised.into_iter().filter(|_| first);
        let special = special.flat_map(|inventory| inventory.fields.iter().map(|field| field.name));
        let common = QueryParameter::NAMES.into_iter().filter(|_| first);
        let names = fields.chain(relations).chain(special).chain(common).chain(TAG_FIELDS);
        let kind = ErrorKind::UnknownField {
            api: self.api,
            owner: if first { self.api } else { inventory.name },
            near: near_fields(name, names, if first { self.api } else { inventory.name }, inventory, self.catalog),
            name: name.clone(),
        };
        // Quotes shift positions in the line.
        let plain = whole.len() == argument.name.len();
        let span = whole.start + at..whole.start + at + name.len();
        Error::at(kind, if plain { span } else { whole.clone() })
    }

    /// Checks a value against the field's type, which the node does not do (Q10, Q11).
    fn scalar(&self, argument: &Argument, kind: &KnownField, text: &str) -> Result<Scalar, Error> {
        let error = |kind| Error::at(kind, argument.value_span.clone());
        let name = || argument.name.clone();
        let KnownField::Field(field) = kind else { return Ok(Scalar::Text(text.to_owned())) };
        match &field.kind {
            Type::Int | Type::Long | Type::Double => {
                let bytes = || byte_count(text).filter(|_| is_byte_count(field.name, &field.kind));
                if is_number(text) {
                    Ok(Scalar::Bare(text.to_owned()))
                } else if let Some(bytes) = bytes() {
                    Ok(Scalar::Bare(bytes.to_string()))
                } else if self.no_check {
                    Ok(Scalar::Text(text.to_owned()))
                } else {
                    Err(error(ErrorKind::NotANumber { name: name() }))
                }
            }
            Type::Bool => {
                let is_list = matches!(argument.operator, Operator::In | Operator::NotIn);
                match (text, is_list) {
                    ("true" | "True", false) => Ok(Scalar::Bare("true".to_owned())),
                    ("false" | "False", false) => Ok(Scalar::Bare("false".to_owned())),
                    // In a list the node reads `true` and `false` as 0 and finds the wrong rows (Q11).
                    ("true" | "True", true) => Ok(Scalar::Bare("1".to_owned())),
                    ("false" | "False", true) => Ok(Scalar::Bare("0".to_owned())),
                    _ => Err(error(ErrorKind::NotABoolean { name: name() })),
                }
            }
            Type::Timestamp => match dates::normalise(text).or_else(|| dates::ago(text, self.now?)) {
                Some(date) => Ok(Scalar::Text(date)),
                None if self.no_check => Ok(Scalar::Text(text.to_owned())),
                None => Err(error(ErrorKind::NotADate { name: name() })),
            },
            _ => {
                let values = self.allowed(field);
                let known = values.iter().any(|value| value.eq_ignore_ascii_case(text));
                if values.is_empty() || known || self.no_check || text.is_empty() {
                    return Ok(Scalar::Text(text.to_owned()));
                }
                Err(error(ErrorKind::NotAllowed {
                    name: name(),
                    value: text.to_owned(),
                    closest: one_of(argument, text, &values)
                        .or_else(|| closest(text, values.iter().copied()).map(str::to_owned)),
                    allowed: values.into_iter().map(str::to_owned).collect(),
                }))
            }
        }
    }

    fn allowed(&self, field: &Field) -> Vec<&'static str> {
        match &field.kind {
            Type::Named(name) if field.values.is_empty() => self.catalog.enum_values(name).unwrap_or_default(),
            _ => field.values.clone(),
        }
    }
}

/// A condition that names a member of the records of `target`, which `path` leads to.
fn member_of(path: String, target: &Inventory) -> Option<String> {
    let named = ["name", "uuid"].into_iter().find_map(|name| target.comparable().find(|field| field.name == name));
    named.or_else(|| target.comparable().next()).map(|field| format!("{path}.{}=", field.name))
}

/// Words that cannot be field names in the node's query language (Z2).
pub(super) fn is_keyword(word: &str) -> bool {
    const KEYWORDS: [&str; 26] = [
        "limit", "offset", "count", "sum", "query", "search", "by", "in", "on", "like", "has", "and", "or", "asc",
        "desc", "from", "left", "right", "inner", "join", "where", "api", "output", "true", "false", "getapi",
    ];
    KEYWORDS.contains(&word)
}

impl Condition {
    /// The condition that a field has no value.
    pub(super) fn null(field: &str) -> Condition {
        Condition {
            field: field.to_owned(),
            operator: Operator::IsNull,
            value: ConditionValue::None,
            span: 0..0,
            secret: false,
        }
    }

    /// The condition as the text of a `q` parameter.
    pub(super) fn q_text(&self) -> String {
        let field = &self.field;
        match (&self.operator, &self.value) {
            (Operator::IsNull, _) => format!("{field} is null"),
            (Operator::NotNull, _) => format!("{field} not null"),
            (operator, ConditionValue::None) => format!("{field}{operator}"),
            (operator, ConditionValue::One(value)) => format!("{field}{operator}{}", value.text()),
            (operator, ConditionValue::List(items)) => {
                let items: Vec<&str> = items.iter().map(Scalar::text).collect();
                format!("{field}{operator}{}", items.join(","))
            }
        }
    }

    /// Whether the node reads the `q` text correctly (Q5-Q7). If not, ZQL is used.
    pub(super) fn is_sayable(&self) -> bool {
        let text = self.q_text();
        // The node's grammar has no escape for a single quote (Q6) and splits lists at every comma (Q7).
        if text.contains('\'') {
            return false;
        }
        if let ConditionValue::List(items) = &self.value
            && items.iter().any(|item| item.text().contains(','))
        {
            return false;
        }
        if matches!(self.operator, Operator::IsNull | Operator::NotNull) {
            return true;
        }
        let typed = self.operator.as_typed();
        reading::read(&text).is_some_and(|reading| {
            reading.field == self.field
                && reading.operator == typed
                && reading.value == &text[self.field.len() + typed.len()..]
        })
    }

    /// The condition in ZQL, in parentheses because `and` and `or` have no precedence (Z3).
    pub(super) fn zql(&self) -> String {
        let operator = match self.operator {
            Operator::In => "in",
            Operator::NotIn => "not in",
            Operator::Like => "like",
            Operator::NotLike => "not like",
            Operator::IsNull => return format!("({} is null)", self.field),
            Operator::NotNull => return format!("({} is not null)", self.field),
            other => other.as_typed(),
        };
        let value = match &self.value {
            ConditionValue::None => "''".to_owned(),
            ConditionValue::One(value) => zql_scalar(value),
            ConditionValue::List(items) if items.is_empty() => "('')".to_owned(),
            ConditionValue::List(items) => {
                format!("({})", items.iter().map(zql_scalar).collect::<Vec<_>>().join(", "))
            }
        };
        format!("({} {operator} {value})", self.field)
    }
}

fn zql_scalar(value: &Scalar) -> String {
    match value {
        Scalar::Bare(text) => text.clone(),
        Scalar::Text(text) => zql_string(text),
    }
}

/// A ZQL string: single quotes and backslashes are doubled (Z2).
pub fn zql_string(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}
