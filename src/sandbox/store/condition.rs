//! Reading the text of a `q` as a node does: operators are searched in a fixed order, anywhere in the text (Q1 to Q3).

use super::error::ServerError;

/// The operators in the order of the search (Q1), with their ZQL form.
const OPERATORS: [(&str, &str); 12] = [
    ("!=", "!="),
    (">=", ">="),
    ("<=", "<="),
    ("!?=", "not in"),
    ("!~=", "not like"),
    ("~=", "like"),
    ("?=", "in"),
    ("=", "="),
    (">", ">"),
    ("<", "<"),
    ("is null", "is null"),
    ("not null", "is not null"),
];

/// A condition as the node reads it, which may differ from what was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReadCondition {
    /// The text before the operator, trimmed; not necessarily a field.
    pub(super) field: String,
    /// The operator as ZQL writes it.
    pub(super) operator: &'static str,
    /// The text after the operator, not trimmed.
    pub(super) value: String,
}

impl ReadCondition {
    /// The condition as inserted into ZQL: the field unchanged, the value as a string (Q4, Q6).
    pub(super) fn to_zql(&self) -> String {
        let ReadCondition { field, operator, value } = self;
        match *operator {
            "is null" | "is not null" => format!("{field} {operator}"),
            "in" | "not in" => {
                // An item with a comma cannot be expressed (Q7).
                let members: Vec<String> = value.split(',').map(string).collect();
                format!("{field} {operator} ({})", members.join(", "))
            }
            _ => format!("{field} {operator} {}", string(value)),
        }
    }
}

/// A value as a ZQL string. The grammar has no escaped quote, so a value with a quote is always a syntax error (Q6).
fn string(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// Splits the text of a `q` into field, operator and value.
///
/// # Errors
/// 400 with a text when there is no operator, or nothing before it.
pub(super) fn read(text: &str) -> Result<ReadCondition, ServerError> {
    let found = OPERATORS.iter().find_map(|(typed, zql)| text.split_once(typed).map(|halves| (*typed, *zql, halves)));
    let Some((typed, operator, (field, mut value))) = found else {
        let all: Vec<&str> = OPERATORS.iter().map(|(typed, _)| *typed).collect();
        return Err(ServerError::text(format!(
            "Invalid query parameter q[{text}]: it contains no operator, which is one of {}",
            all.join(" ")
        )));
    };
    let field = field.trim();
    if field.is_empty() {
        return Err(ServerError::text(format!("Invalid query parameter q[{text}]: no field stands before {typed}")));
    }
    // Operators repeated at the split collapse (Q2).
    while let Some(rest) = value.strip_prefix(typed) {
        value = rest;
    }
    Ok(ReadCondition { field: field.to_owned(), operator, value: value.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_operator_of_the_order_splits_the_text_wherever_it_stands() {
        for (text, field, operator, value) in [
            ("name=a=b", "name", "=", "a=b"),
            ("name=a!=b", "name=a", "!=", "b"),
            ("name=x>=1", "name=x", ">=", "1"),
            ("name=a~=b", "name=a", "like", "b"),
            ("url=http://h/?=1", "url=http://h/", "in", "1"),
            ("url=http://h/p?x=1", "url", "=", "http://h/p?x=1"),
            ("description=<b>", "description", "=", "<b>"),
            ("size>1>2", "size", ">", "1>2"),
            ("cpuNum>a=b", "cpuNum>a", "=", "b"),
            ("name!=a=b", "name", "!=", "a=b"),
            ("name?=a?=b", "name", "in", "a?=b"),
            ("name=not null", "name", "=", "not null"),
            (" name = a ", "name", "=", " a "),
            ("name=", "name", "=", ""),
            ("uuid!?=", "uuid", "not in", ""),
            ("name==a", "name", "=", "a"),
            ("name===a", "name", "=", "a"),
            ("name!~=a%", "name", "not like", "a%"),
            ("hostUuid is null", "hostUuid", "is null", ""),
            ("hostUuid not null", "hostUuid", "is not null", ""),
            ("hostUuid is not null", "hostUuid is", "is not null", ""),
        ] {
            let wanted = ReadCondition { field: field.into(), operator, value: value.into() };
            assert_eq!(read(text), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn texts_without_operator_or_field_are_refused_by_the_front_end() {
        for text in ["name", "", "=a", "  =a", "name IS NULL", "is null"] {
            assert!(matches!(read(text), Err(ServerError::Text { status: 400, .. })), "{text}");
        }
    }

    #[test]
    fn values_are_pasted_as_strings() {
        for (text, zql) in [
            ("name=it's", "name = 'it\\'s'"),
            ("name=a\\b", "name = 'a\\\\b'"),
            ("name?=a,b", "name in ('a', 'b')"),
            ("name?=", "name in ('')"),
            ("name is null", "name is null"),
        ] {
            assert_eq!(read(text).expect("the text has an operator").to_zql(), zql, "{text}");
        }
    }
}
