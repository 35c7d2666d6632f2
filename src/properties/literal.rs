//! Structured values: JSON and Python literals come to the same, print and read back, and lists split.

use crate::dates;
use crate::json::{self, Value};
use crate::syntax::{byte_count, integer, is_number, parse_literal, split_list};

/// Checks one value as typed.
pub fn check(text: &str) {
    match parse_literal(text) {
        Ok(value) => check_value(&value),
        Err(error) => {
            let _ = error.to_string();
            assert!(text.is_char_boundary(error.at()), "no character begins at {}", error.at());
        }
    }
    // Everything that is JSON is a literal, and means the same; only JSON may nest deeper and repeat a name.
    if let Ok(value) = json::parse(text.as_bytes())
        && let Ok(literal) = parse_literal(text)
    {
        assert_eq!(value, literal);
    }
    if let Ok(items) = split_list(text) {
        let joined: Vec<String> =
            items.iter().map(|item| item.replace('\\', "\\\\").replace(',', "\\,").replace('"', "\\\"")).collect();
        // One empty member cannot be told from none.
        if items != [""] {
            assert_eq!(split_list(&joined.join(",")), Ok(items));
        }
    }
    let _ = (byte_count(text), integer(text), is_number(text), dates::normalise(text));
}

fn check_value(value: &Value) {
    let printed = value.to_json(None);
    assert!(printed.is_ascii());
    assert_eq!(json::parse(printed.as_bytes()).as_ref(), Ok(value), "JSON reads {printed} as another value");
    assert_eq!(parse_literal(&printed).as_ref(), Ok(value), "{printed} is another literal");
    let foreign: Result<serde::de::IgnoredAny, _> = serde_json::from_str(&printed);
    assert!(foreign.is_ok(), "another reader does not take {printed}");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(|number| Value::Number(number.to_string())),
            "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,6})?([eE][+-]?[0-9]{1,2})?".prop_map(Value::Number),
            "\\PC{0,8}|[\\x00-\\x1f'\"\\\\/]{0,5}".prop_map(Value::Text),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
                proptest::collection::btree_map("\\PC{0,6}", inner, 0..4)
                    .prop_map(|members| Value::Map(members.into_iter().collect())),
            ]
        })
    }

    /// The value as Python prints it.
    fn python(value: &Value) -> String {
        let string = |text: &str| {
            let escaped = text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n");
            format!("'{escaped}'")
        };
        match value {
            Value::Null => "None".to_owned(),
            Value::Bool(true) => "True".to_owned(),
            Value::Bool(false) => "False".to_owned(),
            Value::Text(text) => string(text),
            Value::List(items) => format!("[{}]", items.iter().map(python).collect::<Vec<_>>().join(", ")),
            Value::Map(members) => {
                let members = members.iter().map(|(name, value)| format!("{}: {}", string(name), python(value)));
                format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
            }
            other => other.to_json(None),
        }
    }

    proptest! {
        #![proptest_config(crate::properties::config(128))]

        #[test]
        fn values_print_and_read_back(value in value()) {
            check_value(&value);
            prop_assert_eq!(parse_literal(&python(&value)), Ok(value));
        }

        #[test]
        fn any_text_is_harmless(text in "\\PC{0,24}|[\\[\\]{}()'\":,0-9a-zNT\\\\ .-]{0,24}") {
            check(&text);
        }
    }
}
