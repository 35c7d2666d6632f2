//! A JSON value as typed or as sent.

use std::fmt;

use super::text::push_escape;

/// A JSON value that keeps the text of its numbers and the order of its members.
///
/// `Debug` hides secrets.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as text that is valid JSON.
    Number(String),
    /// A string, unescaped.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// A map, in the order written; a name may occur once.
    Map(Vec<(String, Value)>),
    /// A value that must not be shown, stored or logged.
    Secret(Box<Value>),
}

impl Value {
    /// A string value.
    pub fn text(text: impl Into<String>) -> Value {
        Value::Text(text.into())
    }

    /// Whether the predicate holds for any text in the value, including names of members and secrets.
    pub fn any_text(&self, holds: fn(&str) -> bool) -> bool {
        match self {
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
            Value::Text(text) => holds(text),
            Value::List(items) => items.iter().any(|item| item.any_text(holds)),
            Value::Map(members) => members.iter().any(|(name, value)| holds(name) || value.any_text(holds)),
            Value::Secret(value) => value.any_text(holds),
        }
    }

    /// Compact JSON in ASCII: other characters are written as `\u` escapes, which no charset can damage. A mask is written
    /// in place of each secret.
    pub fn to_json(&self, mask: Option<&str>) -> String {
        let mut out = String::new();
        self.write_json(&mut out, mask);
        out
    }

    fn write_json(&self, out: &mut String, mask: Option<&str>) {
        match self {
            Value::Null => out.push_str("null"),
            Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Value::Number(text) => out.push_str(text),
            Value::Text(text) => write_string(out, text),
            Value::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write_json(out, mask);
                }
                out.push(']');
            }
            Value::Map(members) => {
                out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_string(out, name);
                    out.push(':');
                    value.write_json(out, mask);
                }
                out.push('}');
            }
            Value::Secret(value) => match mask {
                None => value.write_json(out, mask),
                Some(mask) => write_string(out, mask),
            },
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json(Some("******")))
    }
}

/// Writes a JSON string literal in ASCII.
pub fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            ' '..='~' => out.push(c),
            _ => push_escape(out, c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_ascii_and_keeps_numbers_and_order() {
        let value = Value::Map(vec![
            ("z".into(), Value::Number("1.073741824E9".into())),
            ("a".into(), Value::text("é\"\\\u{1F600}\u{7f}\n")),
            ("list".into(), Value::List(vec![Value::Null, Value::Bool(true)])),
        ]);
        assert_eq!(
            value.to_json(None),
            r#"{"z":1.073741824E9,"a":"\u00e9\"\\\ud83d\ude00\u007f\n","list":[null,true]}"#
        );
    }

    #[test]
    fn secrets_are_masked_unless_asked_for() {
        let value = Value::Secret(Box::new(Value::text("hunter2")));
        assert_eq!(value.to_json(None), "\"hunter2\"");
        assert_eq!(value.to_json(Some("******")), "\"******\"");
        assert_eq!(format!("{value:?}"), "\"******\"");
    }
}
