//! The stored members of one resource.

use std::collections::BTreeMap;

use rusqlite::types::{ToSqlOutput, Value as Sql};

use crate::json::Value;

/// A stored value. Moments are text in the form `YYYY-MM-DD hh:mm:ss`, lists and maps are JSON text.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// No value; left out of replies (N2).
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Another number.
    Double(f64),
    /// Text, a moment, or the JSON text of a list or map.
    Text(String),
}

impl Scalar {
    /// The text, where it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Scalar::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The whole number, where it is one.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Scalar::Integer(number) => Some(*number),
            Scalar::Bool(value) => Some(i64::from(*value)),
            _ => None,
        }
    }

    /// Whether there is no value.
    pub fn is_null(&self) -> bool {
        matches!(self, Scalar::Null)
    }

    pub(super) fn to_sql(&self) -> Sql {
        match self {
            Scalar::Null => Sql::Null,
            Scalar::Bool(value) => Sql::Integer(i64::from(*value)),
            Scalar::Integer(number) => Sql::Integer(*number),
            Scalar::Double(number) => Sql::Real(*number),
            Scalar::Text(text) => Sql::Text(text.clone()),
        }
    }

    pub(super) fn from_sql(value: Sql) -> Scalar {
        match value {
            Sql::Null => Scalar::Null,
            Sql::Integer(number) => Scalar::Integer(number),
            Sql::Real(number) => Scalar::Double(number),
            Sql::Text(text) => Scalar::Text(text),
            Sql::Blob(bytes) => Scalar::Text(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }
}

impl rusqlite::ToSql for Scalar {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(Scalar::to_sql(self)))
    }
}

impl From<&str> for Scalar {
    fn from(text: &str) -> Self {
        Scalar::Text(text.to_owned())
    }
}

impl From<String> for Scalar {
    fn from(text: String) -> Self {
        Scalar::Text(text)
    }
}

impl From<i64> for Scalar {
    fn from(number: i64) -> Self {
        Scalar::Integer(number)
    }
}

impl From<bool> for Scalar {
    fn from(value: bool) -> Self {
        Scalar::Bool(value)
    }
}

impl From<&Value> for Scalar {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Scalar::Null,
            Value::Bool(value) => Scalar::Bool(*value),
            Value::Number(text) => match (text.parse(), text.parse()) {
                (Ok(number), _) => Scalar::Integer(number),
                (_, Ok(number)) => Scalar::Double(number),
                _ => Scalar::Text(text.clone()),
            },
            Value::Text(text) => Scalar::Text(text.clone()),
            Value::Secret(inner) => Scalar::from(&**inner),
            Value::List(_) | Value::Map(_) => Scalar::Text(value.to_json(None)),
        }
    }
}

/// The stored members of one resource, by name. Members without a value may be absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row(BTreeMap<String, Scalar>);

impl Row {
    /// A row without members.
    pub fn new() -> Row {
        Row::default()
    }

    /// The same row with one member more, for building rows in one expression.
    #[must_use]
    pub fn with(mut self, field: &str, value: impl Into<Scalar>) -> Row {
        self.set(field, value);
        self
    }

    /// Sets a member.
    pub fn set(&mut self, field: &str, value: impl Into<Scalar>) {
        self.0.insert(field.to_owned(), value.into());
    }

    /// The member's value; `Null` where it is absent.
    pub fn get(&self, field: &str) -> &Scalar {
        self.0.get(field).unwrap_or(&Scalar::Null)
    }

    /// The member's text, where it has one.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.get(field).as_text()
    }

    /// Whether the member was set, be it to null.
    pub fn contains(&self, field: &str) -> bool {
        self.0.contains_key(field)
    }

    /// All members, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Scalar)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}
