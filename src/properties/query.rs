//! Conditions: what the planner means by one is what a node reads, in `q` and in ZQL.
//!
//! The planner and the sandbox each have their own reading of a `q`; they must agree on any text, and whatever the
//! planner sends must come back from the sandbox as the condition that was typed.

use crate::catalog::Catalog;
use crate::plan::{self, Cursor, Options, Plan, read_condition};
use crate::sandbox::store::{Reading, read_q, read_zql};
use crate::syntax::{Argument, Command, Operator, split_list};

/// Fields whose values are any text, so that what was typed is what must arrive.
const TEXT_FIELDS: [&str; 6] = ["name", "description", "vmNics.ip", "zone.name", "__userTag__", "__systemTag__"];

/// What separates the conditions of a query in the input of [`check`].
pub const SEPARATOR: char = '\u{0}';

/// Checks one text of conditions, or several that [`SEPARATOR`] separates.
pub fn check(text: &str) {
    agree_on(text);
    let _ = read_zql(text);
    let words: Vec<&str> = std::iter::once("QueryVmInstance").chain(text.split(SEPARATOR)).collect();
    let (line, words) = Command::words_from_args(&words);
    let Ok(Some(command)) = Command::from_words(&line, &words) else { return };
    if command.arguments.iter().any(|argument| !TEXT_FIELDS.contains(&argument.name.as_str())) {
        return;
    }
    let Ok(Plan::Query(query)) = plan::plan(&command, Catalog::newest(), &Options::default()) else { return };
    let meant: Vec<Reading> = command.arguments.iter().map(meant).collect();
    let mut arrived: Vec<Reading> = Vec::new();
    for part in 0..query.parts() {
        let request = query.request(part, &Cursor::Start);
        let mut read: Vec<Reading> = Vec::new();
        for (name, value) in &request.query {
            match name.as_str() {
                "q" => read.push(read_q(&value.text).unwrap_or_else(|| panic!("a node refuses {}", value.text))),
                "zql" => read.extend(read_zql(&value.text).unwrap_or_else(|| panic!("a node refuses {}", value.text))),
                _ => {}
            }
        }
        if arrived.is_empty() {
            arrived = read;
        } else {
            for (one, other) in arrived.iter_mut().zip(read) {
                assert_eq!((&one.field, one.operator), (&other.field, other.operator));
                one.values.extend(other.values);
            }
        }
    }
    if query.parts() == 1 {
        assert_eq!(meant, arrived, "{line}");
        return;
    }
    // A long list arrives in pieces: ordered, and without what the node takes for doubles (Q9).
    assert_eq!(meant.len(), arrived.len(), "{line}");
    for (meant, arrived) in meant.iter().zip(&arrived) {
        assert_eq!((&meant.field, meant.operator), (&arrived.field, arrived.operator));
        assert_eq!(sorted(&meant.values), sorted(&arrived.values), "{line}");
    }
}

fn agree_on(text: &str) {
    match (read_condition(text), read_q(text)) {
        (None, read) => assert_eq!(read, None, "{text:?}"),
        (Some(planner), Some(node)) => {
            // What is no field may yet be legal in the language that a condition is pasted into.
            if planner.field != node.field {
                return;
            }
            assert_eq!(zql_operator(planner.operator), node.operator, "{text:?}");
            let values: Vec<&str> = match node.operator {
                "is null" | "is not null" => Vec::new(),
                "in" | "not in" => planner.value.split(',').collect(),
                _ => vec![planner.value],
            };
            assert_eq!(values, node.values, "{text:?}");
        }
        // The text of the condition is one, and yet what it is pasted into is no ZQL: a quote, a bad field.
        (Some(_), None) => {}
    }
}

/// The operator of a `q` as ZQL writes it.
fn zql_operator(typed: &str) -> &str {
    match typed {
        "?=" => "in",
        "!?=" => "not in",
        "~=" => "like",
        "!~=" => "not like",
        "not null" => "is not null",
        other => other,
    }
}

/// What a condition of a text field means.
fn meant(argument: &Argument) -> Reading {
    let one = || vec![argument.value.clone()];
    let (operator, values) = match (argument.operator, argument.value.as_str()) {
        (Operator::Equal, "null") => ("is null", Vec::new()),
        (Operator::NotEqual, "null") => ("is not null", Vec::new()),
        (Operator::Like | Operator::NotLike, value) => {
            let operator = if argument.operator == Operator::Like { "like" } else { "not like" };
            let wild = value.contains(['%', '_']);
            (operator, if wild { one() } else { vec![format!("%{value}%")] })
        }
        (Operator::In | Operator::NotIn, value) => {
            let operator = if argument.operator == Operator::In { "in" } else { "not in" };
            let mut values = split_list(value).expect("the planner split it");
            if values.is_empty() {
                // An empty list is said as one empty text (Q7).
                values.push(String::new());
            }
            (operator, values)
        }
        (other, _) => (other.as_typed(), one()),
    };
    Reading { field: argument.name.clone(), operator, values }
}

fn sorted(values: &[String]) -> Vec<String> {
    let mut values: Vec<String> = values.iter().map(|value| value.trim_end_matches(' ').to_lowercase()).collect();
    values.sort();
    values.dedup();
    values
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A condition as somebody means it.
    fn condition() -> impl Strategy<Value = String> {
        let field = proptest::sample::select(TEXT_FIELDS.to_vec());
        let operator = proptest::sample::select(vec!["=", "!=", ">", "<", ">=", "<=", "?=", "!?=", "~=", "!~="]);
        let value = prop_oneof![
            "[ab!?~=<>',\"\\\\% ]{0,8}",
            "\\PC{0,8}",
            Just("null".to_owned()),
            Just("is null".to_owned()),
            Just("not null".to_owned()),
        ];
        (field, operator, value).prop_map(|(field, operator, value)| format!("{field}{operator}{value}"))
    }

    proptest! {
        #![proptest_config(crate::properties::config(192))]

        #[test]
        fn a_planned_condition_is_read_back_as_it_was_meant(conditions in proptest::collection::vec(condition(), 1..4)) {
            check(&conditions.join(&SEPARATOR.to_string()));
        }

        #[test]
        fn both_readings_of_any_text_agree(text in "[a-c.=!<>?~' ]{0,12}|[ab]? ?(is|not) null.{0,3}|\\PC{0,12}") {
            check(&text);
        }
    }

    #[test]
    fn a_long_list_arrives_in_pieces() {
        let names: Vec<String> = (0..600).map(|number| format!("a name that is long {number}")).collect();
        check(&format!("name?={}", names.join(",")));
    }
}
