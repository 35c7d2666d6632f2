//! Conditions of the monitoring calls: `VMUuid=0b5c…`, `CPUNum=~[01]`, `>80`.

use super::super::answer::Failure;
use super::super::change::Change;
use crate::pattern;

/// An operator of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Matches,
    MatchesNot,
    GreaterOrEqual,
    LessOrEqual,
    Greater,
    Less,
}

/// Longer operators first, so that `>=` is not read as `>`.
const OPERATORS: [(&str, Operator); 8] = [
    ("=~", Operator::Matches),
    ("!~", Operator::MatchesNot),
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
];

impl Operator {
    /// Whether it holds between two numbers.
    pub(super) fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Operator::Equal | Operator::Matches => (left - right).abs() < f64::EPSILON,
            Operator::NotEqual | Operator::MatchesNot => (left - right).abs() >= f64::EPSILON,
            Operator::GreaterOrEqual => left >= right,
            Operator::LessOrEqual => left <= right,
            Operator::Greater => left > right,
            Operator::Less => left < right,
        }
    }
}

/// A condition on a named text.
#[derive(Debug)]
pub(super) struct Filter {
    pub(super) name: String,
    operator: Operator,
    value: String,
}

impl Filter {
    /// The conditions in a list parameter.
    ///
    /// # Errors
    /// `SYS.1007` for a text without an operator.
    pub(super) fn all(change: &Change<'_>, parameter: &str) -> Result<Vec<Filter>, Failure> {
        let texts = change.arguments.texts(parameter);
        texts.iter().map(|text| read(text).ok_or_else(|| bad(parameter, text))).collect()
    }

    /// The conditions on values: an operator and a number.
    ///
    /// # Errors
    /// `SYS.1007` for another text.
    pub(super) fn of_values(change: &Change<'_>) -> Result<Vec<(Operator, f64)>, Failure> {
        let mut conditions = Vec::new();
        for text in change.arguments.texts("valueConditions") {
            let filter = read(text).filter(|filter| matches!(filter.name.as_str(), "" | "value"));
            let number = filter.as_ref().and_then(|filter| filter.value.trim().parse().ok());
            let (Some(filter), Some(number)) = (filter, number) else { return Err(bad("valueConditions", text)) };
            conditions.push((filter.operator, number));
        }
        Ok(conditions)
    }

    /// The value that a text must have.
    pub(super) fn equals(&self, name: &str) -> Option<&str> {
        (self.operator == Operator::Equal && self.name == name).then_some(self.value.as_str())
    }

    /// Whether the condition holds for a text; a missing one is like an empty one.
    pub(super) fn fits(&self, text: Option<&str>) -> bool {
        let text = text.unwrap_or_default();
        match self.operator {
            Operator::Equal => text == self.value,
            Operator::NotEqual => text != self.value,
            Operator::Matches => pattern::matches(&self.value, text) == Some(true),
            Operator::MatchesNot => pattern::matches(&self.value, text) == Some(false),
            operator => match (text.parse(), self.value.parse()) {
                (Ok(left), Ok(right)) => operator.holds(left, right),
                _ => false,
            },
        }
    }
}

fn read(text: &str) -> Option<Filter> {
    let at = text.find(['=', '!', '<', '>'])?;
    let (name, rest) = text.split_at(at);
    let (symbol, operator) = OPERATORS.iter().find(|(symbol, _)| rest.starts_with(symbol))?;
    Some(Filter { name: name.trim().to_owned(), operator: *operator, value: rest[symbol.len()..].trim().to_owned() })
}

fn bad(parameter: &str, text: &str) -> Failure {
    Failure::argument(format!("field[{parameter}] has a condition[{text}] that is not a name, an operator and a value"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read_by_their_first_operator() {
        for (text, fitting, other) in [
            ("VMUuid=a", "a", "b"),
            ("VMUuid!=a", "b", "a"),
            ("CPUNum=~[01]", "1", "2"),
            ("CPUNum!~[01]", "2", "1"),
            ("time>=5", "5", "4"),
            ("time<5", "4.5", "x"),
            ("url=a=b", "a=b", "a"),
        ] {
            let filter = read(text).expect("a condition");
            assert!(filter.fits(Some(fitting)) && !filter.fits(Some(other)), "{text}");
        }
        assert!(read("VMUuid").is_none());
    }
}
