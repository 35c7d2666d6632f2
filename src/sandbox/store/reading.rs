//! What a node reads in the text of a condition, for tests that hold it against what was meant.

use super::condition;
use super::zql::{self, Condition, Literal, Operand, Operator, Statement};

/// One test of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// The field, perhaps a path.
    pub(crate) field: String,
    /// The operator as ZQL writes it.
    pub(crate) operator: &'static str,
    /// What the field is compared with; nothing in a null test.
    pub(crate) values: Vec<String>,
}

/// Reads a `q`; `None` where a node refuses it, or where it comes to more than one plain test.
pub(crate) fn read_q(text: &str) -> Option<Reading> {
    let pasted = condition::read(text).ok()?.to_zql();
    let mut readings = read_zql(&format!("query zone where {pasted}"))?;
    readings.pop().filter(|_| readings.is_empty())
}

/// Reads the tests of a ZQL statement that joins them with `and`; `None` where a node refuses it, or where it is
/// no such statement.
pub(crate) fn read_zql(text: &str) -> Option<Vec<Reading>> {
    let mut statements = zql::parse(text).ok()?;
    let Some(Statement::Select(select)) = statements.pop().filter(|_| statements.is_empty()) else { return None };
    let mut readings = Vec::new();
    let mut open: Vec<Condition> = select.condition.into_iter().collect();
    while let Some(condition) = open.pop() {
        match condition {
            Condition::And(left, right) => open.extend([*right, *left]),
            Condition::Test { path, operator, operand, further } if further.is_empty() => {
                let values = match operand {
                    Operand::None => Vec::new(),
                    Operand::Value(value) => vec![text_of(value)],
                    Operand::List(values) => values.into_iter().map(text_of).collect(),
                    Operand::Query(_) | Operand::Field(_) => return None,
                };
                readings.push(Reading { field: path.join("."), operator: written(operator), values });
            }
            Condition::Or(..) | Condition::Test { .. } => return None,
        }
    }
    Some(readings)
}

fn text_of(literal: Literal) -> String {
    match literal {
        Literal::Text(text) | Literal::Number(text) => text,
        Literal::Bool(value) => value.to_string(),
    }
}

fn written(operator: Operator) -> &'static str {
    match operator {
        Operator::Equal => "=",
        Operator::NotEqual => "!=",
        Operator::Greater => ">",
        Operator::GreaterOrEqual => ">=",
        Operator::Less => "<",
        Operator::LessOrEqual => "<=",
        Operator::In => "in",
        Operator::NotIn => "not in",
        Operator::Like => "like",
        Operator::NotLike => "not like",
        Operator::Has => "has",
        Operator::NotHas => "not has",
        Operator::IsNull => "is null",
        Operator::IsNotNull => "is not null",
    }
}
