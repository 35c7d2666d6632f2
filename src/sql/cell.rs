//! Values of rows as SQL sees them, and back.

use rusqlite::types::ValueRef;

use crate::dates;
use crate::json::{self, Kind};
use crate::nearness::closest;
use crate::plan::ErrorKind;
use crate::render::integral;
use crate::syntax::{Operator, is_number};

use super::table::{Column, ColumnKind};

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(Box<str>),
}

/// A comparison that a node may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Like,
    IsNull,
    NotNull,
    In,
}

impl Comparison {
    /// Whether it compares with nothing.
    pub(super) fn is_unary(self) -> bool {
        matches!(self, Comparison::IsNull | Comparison::NotNull)
    }
}

impl Cell {
    /// The value that SQLite supplies.
    pub(super) fn of_sql(value: ValueRef<'_>) -> Cell {
        match value {
            ValueRef::Null => Cell::Null,
            ValueRef::Integer(number) => Cell::Integer(number),
            ValueRef::Real(number) => Cell::Real(number),
            ValueRef::Text(text) | ValueRef::Blob(text) => Cell::Text(String::from_utf8_lossy(text).into()),
        }
    }

    /// The value of a column from its JSON text.
    pub(super) fn read(text: &[u8], kind: ColumnKind) -> Cell {
        let whole = || String::from_utf8_lossy(text).into_owned().into_boxed_str();
        match (json::kind(text), kind) {
            (Kind::Null, _) => Cell::Null,
            (Kind::Text, ColumnKind::Time) => {
                let text = json::unescape(text);
                let date = dates::printed(&text).map(dates::compared);
                Cell::Text(date.unwrap_or_else(|| text.into_owned()).into_boxed_str())
            }
            (Kind::Text, _) => Cell::Text(json::unescape(text).into()),
            (Kind::Bool, ColumnKind::Bool | ColumnKind::Any) => Cell::Integer(i64::from(text == b"true")),
            (Kind::Bool, _) => Cell::Text(whole()),
            (Kind::Number, kind) if kind.is_text() => Cell::Text(whole()),
            (Kind::Number, kind) => {
                let text = String::from_utf8_lossy(text);
                let whole = integral(&text).filter(|_| kind != ColumnKind::Real);
                match (whole, text.parse()) {
                    (Some(number), _) => Cell::Integer(number),
                    (None, Ok(number)) => Cell::Real(number),
                    (None, Err(_)) => Cell::Text(text.into()),
                }
            }
            (Kind::List | Kind::Map, _) => {
                let mut compact = Vec::with_capacity(text.len());
                json::compact(&mut compact, text);
                Cell::Text(String::from_utf8_lossy(&compact).into())
            }
        }
    }

    /// The bytes that it takes beside its own.
    pub(super) fn size(&self) -> usize {
        match self {
            Cell::Text(text) => text.len(),
            _ => 0,
        }
    }

    /// What rows of a column are looked up by; `None` if none is equal to it, or it cannot be told.
    pub(super) fn key(&self, kind: ColumnKind) -> Option<String> {
        match self {
            Cell::Null => None,
            Cell::Integer(number) => Some(number.to_string()),
            Cell::Real(number) => {
                let whole = (number.fract() == 0.0 && number.abs() < 9e15 && !kind.is_text()).then_some(*number as i64);
                whole.map(|number| number.to_string())
            }
            Cell::Text(text) if kind.is_text() => Some(text.to_string()),
            Cell::Text(text) => text.trim().parse::<i64>().ok().map(|number| number.to_string()),
        }
    }
}

impl ColumnKind {
    pub(super) fn is_text(self) -> bool {
        matches!(self, ColumnKind::Text | ColumnKind::Secret | ColumnKind::Time | ColumnKind::Json)
    }

    fn is_whole(self) -> bool {
        matches!(self, ColumnKind::Integer | ColumnKind::Bytes)
    }
}

/// Whether a node may be asked for a comparison at all. What it finds is always compared once more by SQLite, so that it
/// may find more, but never less: the node ignores case (Q9), orders text otherwise, and leaves out nulls.
pub(super) fn is_askable(column: &Column, comparison: Comparison) -> bool {
    let orders = column.kind.is_whole() || matches!(column.kind, ColumnKind::Time | ColumnKind::Real);
    match comparison {
        Comparison::IsNull | Comparison::NotNull => true,
        Comparison::Equal | Comparison::In => {
            column.kind.is_whole() || matches!(column.kind, ColumnKind::Text | ColumnKind::Secret | ColumnKind::Bool)
        }
        Comparison::NotEqual => column.kind.is_whole() || column.kind == ColumnKind::Bool || !column.values.is_empty(),
        Comparison::Like => column.kind == ColumnKind::Text && column.values.is_empty(),
        _ => orders,
    }
}

/// A comparison as a condition of a query; `None` if the node cannot be trusted to find all that SQLite would.
pub(super) fn asked(column: &Column, comparison: Comparison, value: &Cell) -> Option<(Operator, String)> {
    let operator = match comparison {
        Comparison::IsNull => return Some((Operator::Equal, "null".to_owned())),
        Comparison::NotNull => return Some((Operator::NotEqual, "null".to_owned())),
        Comparison::Equal => Operator::Equal,
        Comparison::NotEqual => Operator::NotEqual,
        Comparison::Less => Operator::Less,
        Comparison::LessOrEqual => Operator::LessOrEqual,
        Comparison::Greater => Operator::Greater,
        Comparison::GreaterOrEqual => Operator::GreaterOrEqual,
        Comparison::Like => return liked(value),
        Comparison::In => Operator::In,
    };
    match (column.kind, value) {
        (ColumnKind::Time, Cell::Text(text)) => {
            // Part of a date is compared as text here, and as a moment there.
            let operator = match operator {
                Operator::Less | Operator::LessOrEqual => Operator::LessOrEqual,
                _ => Operator::GreaterOrEqual,
            };
            let is_date = |text: &str| {
                matches!(text.len(), 10 | 16 | 19) && dates::normalise(text).is_some_and(|date| date.starts_with(text))
            };
            is_date(text).then(|| (operator, text.to_string()))
        }
        (ColumnKind::Bool, Cell::Integer(value @ (0 | 1))) => Some((operator, (*value == 1).to_string())),
        (kind, Cell::Integer(number)) if kind.is_whole() || kind == ColumnKind::Real => {
            Some((operator, number.to_string()))
        }
        (ColumnKind::Real, Cell::Real(number)) => {
            let text = number.to_string();
            is_number(&text).then_some((operator, text))
        }
        (kind, Cell::Real(number)) if kind.is_whole() => {
            let fits = number.abs() < 9e15;
            match operator {
                // The whole numbers on that side.
                Operator::Less | Operator::LessOrEqual if fits => {
                    Some((Operator::LessOrEqual, format!("{}", number.floor() as i64)))
                }
                Operator::Greater | Operator::GreaterOrEqual if fits => {
                    Some((Operator::GreaterOrEqual, format!("{}", number.ceil() as i64)))
                }
                _ => None,
            }
        }
        (ColumnKind::Text | ColumnKind::Secret, value) => {
            let text = value.key(column.kind)?;
            // The planner reads `null` as no value at all.
            let is_known = column.values.is_empty() || column.values.contains(&text.as_str());
            // A node's database may not compare characters beyond U+FFFF (R9).
            let is_plain = text != "null" && text.chars().all(|c| c <= '\u{ffff}');
            (is_known && is_plain).then_some((operator, text))
        }
        _ => None,
    }
}

/// A pattern as a condition. Without a wildcard it would be looked for anywhere in the value.
fn liked(value: &Cell) -> Option<(Operator, String)> {
    let Cell::Text(text) = value else { return None };
    match text.contains(['%', '_']) {
        // The node escapes with it.
        _ if text.contains('\\') || &**text == "null" || text.chars().any(|c| c > '\u{ffff}') => None,
        true => Some((Operator::Like, text.to_string())),
        false => Some((Operator::Equal, text.to_string())),
    }
}

/// The error for a value that a column never has. The node would compare without regard to case, and SQLite does not.
pub(super) fn impossible(column: &Column, comparison: Comparison, value: &Cell) -> Option<ErrorKind> {
    let (Comparison::Equal, Cell::Text(text)) = (comparison, value) else { return None };
    let values = || column.values.iter().copied();
    let is_one = column.values.is_empty() || text.is_empty() || values().any(|known| known == &**text);
    let near = || values().find(|known| known.eq_ignore_ascii_case(text)).or_else(|| closest(text, values()));
    (!is_one).then(|| ErrorKind::NotAllowed {
        name: column.name.to_owned(),
        value: text.to_string(),
        closest: near().map(str::to_owned),
        allowed: values().map(str::to_owned).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::sql::table::Table;

    fn column(name: &str) -> Column {
        let catalog = Catalog::newest();
        let inventory = catalog.inventory("VmInstanceInventory").expect("an inventory");
        let columns = Table::of(catalog, &inventory).expect("a table").columns;
        columns.into_iter().find(|column| column.name == name).expect("a column")
    }

    #[test]
    fn the_node_is_asked_for_at_least_what_sqlite_would_find() {
        use Comparison::{Equal, Greater, GreaterOrEqual, Less, Like, NotEqual};
        let text = |text: &str| Cell::Text(text.into());
        for (name, comparison, value, expected) in [
            ("name", Equal, text("Web"), Some("=Web")),
            ("name", Equal, Cell::Integer(7), Some("=7")),
            // `null` would mean no value, and emoji a failure.
            ("name", Equal, text("null"), None),
            ("name", Equal, text("\u{1f600}"), None),
            ("name", Like, text("web%"), Some("~=web%")),
            // Without a wildcard the planner would add some.
            ("name", Like, text("web"), Some("=web")),
            ("name", Like, text("a\\%"), None),
            ("state", NotEqual, text("Running"), Some("!=Running")),
            ("state", NotEqual, text("running"), None),
            ("cpuNum", Greater, Cell::Integer(2), Some(">2")),
            ("cpuNum", Greater, Cell::Real(2.5), Some(">=3")),
            ("cpuNum", Less, Cell::Real(2.5), Some("<=2")),
            ("cpuNum", Equal, Cell::Real(2.5), None),
            ("cpuNum", Greater, text("2"), None),
            // SQLite compares dates as text: `2025-01-01 00:00:00` is more than `2025-01-01`.
            ("createDate", Greater, text("2025-01-01"), Some(">=2025-01-01")),
            ("createDate", Less, text("2025-01-01 10:00:00"), Some("<=2025-01-01 10:00:00")),
            ("createDate", GreaterOrEqual, text("2025-01-01T10:00:00"), None),
            ("createDate", Greater, text("yesterday"), None),
        ] {
            let asked = asked(&column(name), comparison, &value);
            let asked = asked.map(|(operator, text)| format!("{}{text}", operator.as_typed()));
            assert_eq!(asked.as_deref(), expected, "{name} {comparison:?} {value:?}");
        }
        for (name, comparison) in [("name", Less), ("name", NotEqual), ("createDate", Equal), ("state", Like)] {
            assert!(!is_askable(&column(name), comparison), "{name} {comparison:?}");
        }
    }

    #[test]
    fn values_are_read_by_the_kind_of_their_column() {
        let text = |text: &str| Cell::Text(text.into());
        for (json, kind, expected) in [
            ("null", ColumnKind::Text, Cell::Null),
            ("\"a\\nb\"", ColumnKind::Text, text("a\nb")),
            ("7", ColumnKind::Text, text("7")),
            ("1.073741824E9", ColumnKind::Bytes, Cell::Integer(1 << 30)),
            ("9223372036854775807", ColumnKind::Integer, Cell::Integer(i64::MAX)),
            ("0.5", ColumnKind::Real, Cell::Real(0.5)),
            ("2", ColumnKind::Real, Cell::Real(2.0)),
            ("true", ColumnKind::Bool, Cell::Integer(1)),
            ("\"Mar 4, 2025 2:12:01 PM\"", ColumnKind::Time, text("2025-03-04 14:12:01")),
            ("\"soon\"", ColumnKind::Time, text("soon")),
            ("[ {\"a\": 1} ]", ColumnKind::Json, text("[{\"a\":1}]")),
        ] {
            assert_eq!(Cell::read(json.as_bytes(), kind), expected, "{json}");
        }
    }
}
