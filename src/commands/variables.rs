//! `let` and `unlet`: the variables, and the value that the result of a command comes to.

use std::io::Write;

use crate::error::{Error, OwnError};
use crate::json::{self, Kind, Value, escape_unprintable};
use crate::nearness::nearest;
use crate::render::{Filter, Format, Shape, View, render};
use crate::secret::{MASK, Secrecy, name_secrecy};
use crate::session::{Invocation, Session, Variable};
use crate::shell::Flow;
use crate::syntax::is_name;

use crate::client::Reply;

/// Lists the variables, or shows one.
pub(super) fn show(cx: &mut Invocation<'_>, name: Option<&str>, line: &[String]) -> Result<Flow, Error> {
    if line.first().is_some_and(|word| word.starts_with('=')) {
        return Err(Error::Own(OwnError::NothingFollows("let")));
    }
    if let Some(name) = name.filter(|_| !line.is_empty()) {
        let problem = "`let NAME = COMMAND` keeps a result, and `let NAME` shows it".to_owned();
        return Err(Error::Own(OwnError::Value { name: name.to_owned(), problem }));
    }
    let text = match name {
        Some(name) => format!("{}\n", shown(find(cx.session, name)?)),
        None => {
            let width = cx.session.variables.keys().map(String::len).max().unwrap_or_default();
            let row = |(name, variable): (&String, &Variable)| format!("{name:<width$}  {}\n", shown(variable));
            cx.session.variables.iter().map(row).collect()
        }
    };
    cx.out.write_text(&text)?;
    Ok(Flow::Continue)
}

/// Forgets a variable.
pub(super) fn forget(cx: &mut Invocation<'_>, name: &str) -> Result<Flow, Error> {
    find(cx.session, name)?;
    cx.session.variables.remove(name);
    Ok(Flow::Continue)
}

fn find<'s>(session: &'s Session, name: &str) -> Result<&'s Variable, Error> {
    session.variables.get(name).ok_or_else(|| {
        let near = nearest(name, session.variables.keys().map(String::as_str)).into_iter().map(str::to_owned).collect();
        Error::Own(OwnError::NotFound { kind: "variable", name: name.to_owned(), near })
    })
}

fn shown(variable: &Variable) -> String {
    if variable.is_secret { MASK.to_owned() } else { escape_unprintable(&variable.text).into_owned() }
}

/// Checks that a result can be kept under that name.
///
/// # Errors
/// When the text cannot be a name, or when no line follows in which it could be used.
pub(crate) fn check(session: &Session, name: &str) -> Result<(), Error> {
    if !is_name(name) {
        let problem = "the name of a variable consists of letters, digits and `_`, and begins with no digit".to_owned();
        return Err(Error::Own(OwnError::Value { name: name.to_owned(), problem }));
    }
    if session.has_later_lines() { Ok(()) } else { Err(Error::Own(OwnError::NothingFollows("let"))) }
}

/// Keeps what a command printed: what the filter makes of it, or the one value in it.
///
/// # Errors
/// When the filter fails, or when that is not one value.
pub(crate) fn keep(session: &mut Session, name: &str, printed: &[u8], filter: Option<&str>) -> Result<(), Error> {
    let value = match filter {
        Some(expression) => filtered(session, printed, expression)?,
        None => one_value(printed),
    };
    let text = value.map_err(|(problem, hint)| {
        Error::Own(OwnError::NotOneValue { name: name.to_owned(), problem: problem.to_owned(), hint })
    })?;
    let is_secret = name_secrecy(name) == Secrecy::Whole || is_secret(session, &text, printed);
    if is_secret {
        session.known.learn(&text);
    }
    session.variables.insert(name.to_owned(), Variable { text, is_secret });
    Ok(())
}

/// Whether a value is masked in the reply that it comes from.
fn is_secret(session: &Session, value: &str, printed: &[u8]) -> bool {
    let known = session.known_secrets();
    let places = |text: &str| text.matches(value).count();
    !value.is_empty()
        && (known.mask(value) != value || places(&known.mask_json(printed)) < places(&String::from_utf8_lossy(printed)))
}

/// What is wrong with a result, and what to type instead.
type Problem = (&'static str, &'static str);

/// The outputs of a filter, which must be one.
fn filtered(session: &Session, printed: &[u8], expression: &str) -> Result<Result<String, Problem>, Error> {
    let interrupt = session.interrupt.clone();
    let filter = Filter::compile(expression)
        .map_err(|error| Error::PipeFilter { problem: error.message, expression: expression.to_owned() })?;
    let view = View { filter: Some(filter.until(move || interrupt.is_set())), ..View::new(Format::Jsonl) };
    let mut out = Vec::new();
    render(&mut Reply::of_text(printed.to_vec()), &Shape::default(), &view, &mut out)?;
    let mut outputs = out.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    Ok(match (outputs.next(), outputs.next()) {
        (None, _) => Err(("the filter yields nothing", "")),
        (Some(_), Some(_)) => {
            Err(("the filter yields several values", "[...] around the filter makes one list of them"))
        }
        (Some(output), None) => match json::kind(output) {
            Kind::Null => Err(("the filter yields null", "nothing was found, or the path is wrong")),
            Kind::Text => Ok(json::unescape(output).into_owned()),
            _ => Ok(String::from_utf8_lossy(output).into_owned()),
        },
    })
}

/// The one value in what a command printed: that of the only member, the uuid of the only row, or the only line.
fn one_value(printed: &[u8]) -> Result<String, Problem> {
    match json::parse(printed) {
        Ok(value) => of_value(&value),
        Err(_) => {
            let text = String::from_utf8_lossy(printed);
            let mut lines = text.lines();
            match (lines.next(), lines.next()) {
                (Some(line), None) if !line.is_empty() => Ok(line.to_owned()),
                (Some(_), Some(_)) => Err(("the command printed several lines", "")),
                _ => Err(("the command printed nothing", "")),
            }
        }
    }
}

fn of_value(value: &Value) -> Result<String, Problem> {
    const SEVERAL_ROWS: Problem =
        ("there are several rows", "more conditions leave one; `| [.inventories[].uuid] | join(\",\")` keeps all");
    match value {
        Value::Text(text) | Value::Number(text) => Ok(text.clone()),
        Value::Bool(value) => Ok(value.to_string()),
        Value::Null => Err(("the value is null", "")),
        Value::Secret(value) => of_value(value),
        Value::List(items) => match &items[..] {
            [] => Err(("there is no row", "--fail-empty makes a query that finds none a failure of its own")),
            [item] => of_value(item),
            _ => Err(SEVERAL_ROWS),
        },
        Value::Map(members) => {
            let member = |wanted: &str| members.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
            let rows = member("inventories").or_else(|| member("inventory"));
            if let Some(value) = rows.or_else(|| member("uuid")) {
                return of_value(value);
            }
            let mut values = members.iter().filter(|(name, _)| name != "success").map(|(_, value)| value);
            match (values.next(), values.next()) {
                (Some(value), None) => of_value(value),
                (None, _) => Err(("the result holds no value", "")),
                _ => Err(("the result holds several values", "`| .NAME` behind the command chooses one")),
            }
        }
    }
}

/// A writer into memory with a limit.
#[derive(Default)]
pub(crate) struct Printed(pub(crate) Vec<u8>);

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > json::MEMORY_LIMIT {
            return Err(std::io::Error::new(std::io::ErrorKind::OutOfMemory, "it is too long for a variable"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_comes_to_one_value_or_to_none() {
        for (printed, expected) in [
            (r#"{"inventories": [{"name": "a", "uuid": "1f"}], "success": true}"#, Ok("1f")),
            (r#"{"inventories": [{"name": "a"}], "success": true, "total": 1}"#, Ok("a")),
            (r#"{"inventory": {"uuid": "2f", "zoneUuid": "3f"}}"#, Ok("2f")),
            (r#"{"success": true, "total": 1.0E1}"#, Ok("1.0E1")),
            (r#"{"results": [{"inventories": [{"uuid": "4f"}]}]}"#, Ok("4f")),
            ("5.2.1\n", Ok("5.2.1")),
            (r#"{"inventories": [{"uuid": "1"}, {"uuid": "2"}]}"#, Err("there are several rows")),
            (r#"{"inventories": [], "success": true}"#, Err("there is no row")),
            (r#"{"a": 1, "b": 2}"#, Err("the result holds several values")),
            (r#"{"value": null}"#, Err("the value is null")),
            (r#"{"success": true}"#, Err("the result holds no value")),
            ("a\nb\n", Err("the command printed several lines")),
            ("", Err("the command printed nothing")),
        ] {
            let found = one_value(printed.as_bytes());
            let expected: Result<String, &str> = expected.map(str::to_owned);
            assert_eq!(found.map_err(|(problem, _)| problem), expected, "{printed}");
        }
    }
}
