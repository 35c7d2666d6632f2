//! JSON text to a value tree, for small values such as error objects.

use super::check::{Checker, Flaw, Progress};
use super::members::{Kind, items, kind, members};
use super::text::unescape;
use super::value::Value;

/// The value that `text` spells, blanks around it allowed. Of members with one name the last counts, as it does
/// for the node.
///
/// # Errors
/// A [`Flaw`] when `text` is not exactly one JSON value of at most [`super::DEPTH_LIMIT`] levels.
pub fn parse(text: &[u8]) -> Result<Value, Flaw> {
    // A blank behind the text shows the checker that a number has ended.
    let mut bounded = Vec::with_capacity(text.len() + 1);
    bounded.extend_from_slice(text);
    bounded.push(b' ');
    let end = match Checker::new(0).check(&bounded, 0, 0)? {
        Progress::Done(end) => end,
        Progress::More(_) => return Err(Flaw::Unfinished),
    };
    if let Some(more) = text[end..].iter().position(|byte| !byte.is_ascii_whitespace()) {
        return Err(Flaw::Syntax { at: end + more, expected: "the end of the value" });
    }
    Ok(tree(text[..end].trim_ascii_start()))
}

/// The depth was checked before, so that recursion is bounded.
fn tree(text: &[u8]) -> Value {
    match kind(text) {
        Kind::Null => Value::Null,
        Kind::Bool => Value::Bool(text.first() == Some(&b't')),
        Kind::Number => Value::Number(String::from_utf8_lossy(text).into_owned()),
        Kind::Text => Value::Text(unescape(text).into_owned()),
        Kind::List => Value::List(items(text).map(tree).collect()),
        Kind::Map => {
            let mut map: Vec<(String, Value)> = Vec::new();
            for (name, value) in members(text) {
                let name = unescape(name).into_owned();
                let value = tree(value);
                match map.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, known)) => *known = value,
                    None => map.push((name, value)),
                }
            }
            Value::Map(map)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_they_are_written() {
        for text in [
            r#"{"error":{"code":"SYS.1000","causes":[{"code":"ID.1001"},[]],"cost":1.0E3,"ok":false,"x":null}}"#,
            "[]",
            "{}",
            "-12.50",
            r#""a\"b""#,
        ] {
            assert_eq!(parse(text.as_bytes()).expect("is JSON").to_json(None), text);
        }
        assert_eq!(parse(b" \n 12 "), Ok(Value::Number("12".into())));
        assert_eq!(
            parse(br#"{"a":1,"b":2,"a":3}"#).expect("is JSON").to_json(None),
            r#"{"a":3,"b":2}"#,
            "the last one counts"
        );
        assert_eq!(parse(br#"{"\u0061":1}"#).expect("is JSON").to_json(None), r#"{"a":1}"#);
    }

    #[test]
    fn what_is_not_one_value_is_refused() {
        assert_eq!(parse(b""), Err(Flaw::Unfinished));
        assert_eq!(parse(b"  "), Err(Flaw::Unfinished));
        assert_eq!(parse(b"{\"a\":"), Err(Flaw::Unfinished));
        assert_eq!(parse(b"1 2"), Err(Flaw::Syntax { at: 2, expected: "the end of the value" }));
        assert!(matches!(parse("[".repeat(600).as_bytes()), Err(Flaw::TooDeep { at: 512 })));
    }

    #[test]
    fn deep_values_do_not_exhaust_the_stack() {
        let deep = format!("{}{}", "[".repeat(512), "]".repeat(512));
        let value = parse(deep.as_bytes()).expect("is JSON");
        assert_eq!(value.to_json(None), deep);
    }
}
