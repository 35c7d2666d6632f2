//! A comparison of a stored member as SQL with the semantics of MySQL (Q9 to Q12).

use rusqlite::types::Value as Sql;

use super::json_text::write_string;
use super::model::Kind;
use super::timestamp;
use super::zql::{Literal, Operator};

/// Lists up to this length are passed as single parameters, longer ones as a JSON list, since SQLite limits parameters.
const SHORT_LIST: usize = 50;

/// The parameters of a statement under construction.
#[derive(Debug, Default)]
pub(super) struct Parameters(pub(super) Vec<Sql>);

impl Parameters {
    /// Adds a parameter and returns how SQL names it.
    pub(super) fn add(&mut self, value: Sql) -> String {
        self.0.push(value);
        format!("?{}", self.0.len())
    }
}

/// A stored value in SQL, and how to read it.
#[derive(Clone, Copy, Debug)]
pub(super) struct StoredValue<'a> {
    pub(super) expression: &'a str,
    pub(super) kind: &'a Kind,
}

impl StoredValue<'_> {
    /// The SQL of a test with one value. Null members match only `is null`.
    pub(super) fn compare(&self, operator: Operator, value: &Literal, parameters: &mut Parameters) -> String {
        let expression = self.expression;
        let symbol = match operator {
            Operator::Equal | Operator::In | Operator::Has => "=",
            Operator::NotEqual | Operator::NotIn | Operator::NotHas => "<>",
            Operator::Greater => ">",
            Operator::GreaterOrEqual => ">=",
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::Like => return self.like(value, parameters),
            Operator::NotLike => return format!("NOT ({})", self.like(value, parameters)),
            Operator::IsNull => return format!("{expression} IS NULL"),
            Operator::IsNotNull => return format!("{expression} IS NOT NULL"),
        };
        match self.plain(operator, value) {
            Sql::Text(text) if !text.is_ascii() && *self.kind == Kind::Text && matches!(symbol, "=" | "<>") => {
                let parameter = parameters.add(Sql::Text(text));
                let not = if symbol == "=" { "" } else { "NOT " };
                format!("{not}same_text({expression}, {parameter})")
            }
            plain => format!("{expression} {symbol} {}", parameters.add(plain)),
        }
    }

    /// The SQL of `in`, or of `not in`.
    pub(super) fn among(&self, negated: bool, values: &[Literal], parameters: &mut Parameters) -> String {
        let not = if negated { "NOT " } else { "" };
        let plain: Vec<Sql> = values.iter().map(|value| self.plain(Operator::In, value)).collect();
        if plain.iter().any(|value| matches!(value, Sql::Text(text) if !text.is_ascii())) {
            let any: Vec<String> =
                values.iter().map(|value| self.compare(Operator::Equal, value, parameters)).collect();
            return format!("{not}({})", any.join(" OR "));
        }
        let list = if plain.len() <= SHORT_LIST {
            plain.into_iter().map(|value| parameters.add(value)).collect::<Vec<_>>().join(", ")
        } else {
            format!("SELECT value FROM json_each({})", parameters.add(Sql::Text(json_list(&plain))))
        };
        format!("{} {not}IN ({list})", self.expression)
    }

    fn like(&self, value: &Literal, parameters: &mut Parameters) -> String {
        let pattern = match value {
            Literal::Text(text) | Literal::Number(text) => text.clone(),
            Literal::Bool(value) => u8::from(*value).to_string(),
        };
        let expression = match self.kind {
            Kind::Integer | Kind::Double | Kind::Bool => format!("CAST({} AS TEXT)", self.expression),
            _ => self.expression.to_owned(),
        };
        // For ASCII, SQLite's own operator gives the same result and is faster.
        let plain = pattern.is_ascii() && !pattern.contains('\\') && pattern.len() < 1000;
        let parameter = parameters.add(Sql::Text(pattern));
        if plain { format!("{expression} LIKE {parameter}") } else { format!("like_text({expression}, {parameter})") }
    }

    /// The value in the type of the stored one.
    fn plain(&self, operator: Operator, value: &Literal) -> Sql {
        match (self.kind, value) {
            (Kind::Bool, Literal::Text(text)) if matches!(operator, Operator::Equal | Operator::NotEqual) => {
                if text.eq_ignore_ascii_case("true") {
                    Sql::Integer(1)
                } else if text.eq_ignore_ascii_case("false") {
                    Sql::Integer(0)
                } else {
                    number(text)
                }
            }
            // In a list, `true` is text that is not a number, which is 0 (Q11).
            (Kind::Integer | Kind::Double | Kind::Bool, Literal::Text(text) | Literal::Number(text)) => number(text),
            (Kind::Integer | Kind::Double | Kind::Bool, Literal::Bool(value)) => Sql::Integer(i64::from(*value)),
            (Kind::Timestamp, Literal::Text(text) | Literal::Number(text)) => {
                Sql::Text(timestamp::from_condition(text))
            }
            (_, Literal::Text(text) | Literal::Number(text)) => Sql::Text(text.trim_end_matches(' ').to_owned()),
            (_, Literal::Bool(value)) => Sql::Text(u8::from(*value).to_string()),
        }
    }
}

/// The number at the start of a text, as MySQL reads it: `12 GB` is 12, `many` is 0 (Q10).
fn number(text: &str) -> Sql {
    let text = text.trim_start();
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let sign = usize::from(text.starts_with(['-', '+']));
    let whole = digits(&text[sign..]);
    let mut length = sign + whole;
    let mut is_whole = true;
    let fraction = text[length..].strip_prefix('.').map_or(0, digits);
    if fraction > 0 {
        length += 1 + fraction;
        is_whole = false;
    }
    if whole + fraction == 0 {
        return Sql::Integer(0);
    }
    if let Some(exponent) = text[length..].strip_prefix(['e', 'E']) {
        let sign = usize::from(exponent.starts_with(['-', '+']));
        let count = digits(&exponent[sign..]);
        if count > 0 {
            length += 1 + sign + count;
            is_whole = false;
        }
    }
    let prefix = &text[..length];
    match prefix.parse::<i64>() {
        Ok(number) if is_whole => Sql::Integer(number),
        _ => Sql::Real(prefix.parse().unwrap_or(0.0)),
    }
}

fn json_list(values: &[Sql]) -> String {
    let mut json = String::from("[");
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            json.push(',');
        }
        match value {
            Sql::Integer(number) => json.push_str(&number.to_string()),
            Sql::Real(number) => json.push_str(&format!("{number:?}")),
            Sql::Text(text) => write_string(&mut json, text),
            Sql::Null | Sql::Blob(_) => json.push_str("null"),
        }
    }
    json.push(']');
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_the_number_that_it_begins_with() {
        for (text, value) in [
            ("12", Sql::Integer(12)),
            (" 12 GB", Sql::Integer(12)),
            ("-3", Sql::Integer(-3)),
            ("1.5x", Sql::Real(1.5)),
            (".5", Sql::Real(0.5)),
            ("1e3", Sql::Real(1000.0)),
            ("1e", Sql::Integer(1)),
            ("9223372036854775807", Sql::Integer(i64::MAX)),
            ("many", Sql::Integer(0)),
            ("", Sql::Integer(0)),
            ("-", Sql::Integer(0)),
            ("é1", Sql::Integer(0)),
        ] {
            assert_eq!(number(text), value, "{text}");
        }
    }
}
