//! `conditions=`: conditions as a list.

use crate::json::Value;
use crate::secret::{MASK, mask_command};
use crate::syntax::{Argument, Command, Operator, parse_literal, quote_word, split_list};

use crate::plan::error::{Error, ErrorKind};

/// `conditions=`: a list of condition texts, or of the maps that users of the original type.
pub(in crate::plan) fn conditions(argument: &Argument) -> Result<Vec<Argument>, Error> {
    let bad = |problem: String| Error::at(ErrorKind::BadConditions { problem }, argument.value_span.clone());
    let text = argument.value.trim();
    let items = if text.starts_with(['[', '(', '{']) {
        match parse_literal(text).map_err(|error| bad(error.to_string()))? {
            Value::List(items) => items,
            single => vec![single],
        }
    } else {
        if let Some(separate) = separated_by_semicolons(text) {
            return Err(Error::at(ErrorKind::SemicolonsInConditions { separate }, argument.value_span.clone()));
        }
        split_list(text).map_err(|error| bad(error.to_string()))?.into_iter().map(Value::Text).collect()
    };
    items.iter().map(|item| listed_condition(argument, item).map_err(bad)).collect()
}

/// Conditions separated by `;` as the words of a command, for a hint. `None` unless every part is a condition.
fn separated_by_semicolons(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split(';').map(str::trim).filter(|part| !part.is_empty()).collect();
    let is_condition = |part: &&str| condition_in(part).is_ok();
    // A Unix shell reads `>` and `<` as redirections.
    let word = |part: &&str| if part.contains(['<', '>']) { format!("'{part}'") } else { quote_word(part) };
    let separated = parts.len() > 1 && parts.iter().all(is_condition);
    separated.then(|| mask_command(&parts.iter().map(word).collect::<Vec<_>>().join(" ")))
}

/// The condition in a text.
fn condition_in(text: &str) -> Result<(String, Operator, String), String> {
    let (_, words) = Command::words_from_args(&["Query", text]);
    let parsed = Command::from_words("", &words).map_err(|error| error.to_string())?;
    let parsed = parsed.and_then(|command| command.arguments.into_iter().next());
    let parsed = parsed.ok_or_else(|| "an empty condition".to_owned())?;
    Ok((parsed.name, parsed.operator, parsed.value))
}

fn listed_condition(argument: &Argument, item: &Value) -> Result<Argument, String> {
    let (name, operator, value) = match item {
        Value::Text(text) => condition_in(text)?,
        Value::Map(members) => map_condition(members)?,
        other => return Err(format!("{} is no condition", other.to_json(Some(MASK)))),
    };
    Ok(Argument { name, operator, value, ..argument.clone() })
}

/// Reads `{"name": .., "op": .., "value": ..}`; `op` is an operator of the old protocol or of the command line.
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
