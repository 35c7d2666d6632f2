//! The line of `each`, whose words hold places for the values of a row.
//!
//! The line is split into words first, and the values are put into the words, so that nothing in a value can begin
//! another word, a redirection or an option. `{name}` stands for a column and `{}` for the whole row; `{{` is a brace.
//! Other braces are text, such as those of JSON values.

use crate::error::Error;
use crate::nearness::closest;
use crate::syntax::{Argument, Command, CommandError, Word};

use super::rows::{Row, Rows, wrong};

/// A line with places for values.
#[derive(Debug)]
pub(super) struct Template {
    words: Vec<TemplateWord>,
}

/// A word of the line.
#[derive(Debug)]
struct TemplateWord {
    /// The argument that it is, where its name and its operator are fixed.
    argument: Option<Argument>,
    /// What stands before the value of that argument.
    head: String,
    /// The value, or the whole word.
    parts: Vec<Part>,
}

/// A part of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Column(String),
    Whole,
}

impl Template {
    /// Whether the words name columns.
    pub(super) fn names_columns(words: &[String]) -> bool {
        let none = |_: &str| false;
        words.iter().any(|word| parts(word, &none).is_err())
    }

    /// The line of these words, for rows with these columns.
    ///
    /// # Errors
    /// Where a word names a column that the rows do not have.
    pub(super) fn new(words: &[String], rows: &Rows) -> Result<Template, Error> {
        let has = |name: &str| rows.has(name);
        let unknown = |name: String| unknown(&name, rows);
        let mut template = Template { words: Vec::new() };
        for (at, word) in words.iter().enumerate() {
            let argument = if at == 0 { None } else { argument_of(word) };
            let value = argument.as_ref().map_or(word.as_str(), |argument| argument.value.as_str());
            let head = word[..word.len() - value.len()].to_owned();
            template.words.push(TemplateWord { parts: parts(value, &has).map_err(unknown)?, head, argument });
        }
        Ok(template)
    }

    /// The command for a row. Its line quotes the values where that is necessary.
    ///
    /// # Errors
    /// The column of which the row has no value, or what is wrong with a word.
    pub(super) fn fill(&self, rows: &Rows, row: &Row) -> Result<Command, FillError> {
        let texts = self.words.iter().map(|word| word.fill(rows, row)).collect::<Result<Vec<String>, _>>()?;
        let (line, words) = Command::words_from_args(&texts);
        let command = Command::from_words(&line, &words).map_err(FillError::Word)?;
        let mut command = command.unwrap_or_else(|| Command::of("", []));
        // A value that begins like an operator does not change the operator.
        for (filled, word) in command.arguments.iter_mut().zip(self.words.iter().skip(1)) {
            match &word.argument {
                Some(fixed) => {
                    filled.name.clone_from(&fixed.name);
                    filled.operator = fixed.operator;
                    filled.value = word.fill(rows, row)?.split_off(word.head.len());
                }
                None if filled.value.starts_with('@') => filled.value.insert(0, '@'),
                None => {}
            }
        }
        Ok(command)
    }
}

/// Why a row does not make a command.
#[derive(Debug)]
pub(super) enum FillError {
    /// The row has no value of that name.
    NoValue(String),
    /// A word is not an argument.
    Word(CommandError),
}

impl From<FillError> for Error {
    fn from(error: FillError) -> Error {
        match error {
            FillError::NoValue(name) => wrong(&format!("{{{name}}}"), "the row has no such value".to_owned()),
            FillError::Word(error) => Error::Syntax(error),
        }
    }
}

impl TemplateWord {
    fn fill(&self, rows: &Rows, row: &Row) -> Result<String, FillError> {
        let mut text = self.head.clone();
        for (at, part) in self.parts.iter().enumerate() {
            let value = match part {
                Part::Text(fixed) => fixed.clone(),
                Part::Whole => row.whole.clone(),
                Part::Column(name) => rows.value(row, name).ok_or_else(|| FillError::NoValue(name.clone()))?,
            };
            // A value never names a file.
            if at == 0 && self.argument.is_some() && value.starts_with('@') && !matches!(part, Part::Text(_)) {
                text.push('@');
            }
            text.push_str(&value);
        }
        Ok(text)
    }
}

/// The argument that a word is before values are put into it.
fn argument_of(word: &str) -> Option<Argument> {
    let words = [Word::plain("X", 0), Word::plain(word, 0)];
    Command::from_words("", &words).ok()??.arguments.pop()
}

/// The parts of a text, or the name in braces that is no column.
fn parts(text: &str, has: &dyn Fn(&str) -> bool) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut fixed = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        fixed.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('{') {
            fixed.push('{');
            rest = after;
            continue;
        }
        let place = rest
            .split_once('}')
            .map(|(name, after)| (if name.is_empty() { Part::Whole } else { Part::Column(name.to_owned()) }, after));
        match place {
            Some((Part::Column(name), _)) if !has(&name) && looks_like_name(&name) => return Err(name),
            Some((Part::Column(name), _)) if !has(&name) => fixed.push('{'),
            Some((part, after)) => {
                if !fixed.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut fixed)));
                }
                parts.push(part);
                rest = after;
            }
            None => fixed.push('{'),
        }
    }
    fixed.push_str(rest);
    if !fixed.is_empty() {
        parts.push(Part::Text(fixed));
    }
    Ok(parts)
}

/// Whether text in braces was meant as the name of a column. JSON has a quote, a colon or a comma there.
fn looks_like_name(text: &str) -> bool {
    !text.contains(['"', '\'', ':', ',', '{', '\n']) && text.trim() == text
}

/// The error for a column that the rows do not have.
fn unknown(name: &str, rows: &Rows) -> Error {
    let columns = &rows.columns;
    let near = closest(name, columns.iter().map(String::as_str));
    let near = near.map(|near| format!("; did you mean {{{near}}}?")).unwrap_or_default();
    let known = match &columns[..] {
        [] => "the rows have no columns, only {}".to_owned(),
        columns => format!("the columns are {}", columns.join(", ")),
    };
    wrong(&format!("{{{name}}}"), format!("there is no such column: {known}{near} (`{{{{` writes a brace)"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::Operator;

    fn text(text: &str) -> Part {
        Part::Text(text.to_owned())
    }

    #[test]
    fn only_columns_in_braces_are_places() {
        let has = |name: &str| ["a", "b c", "n.ip"].contains(&name);
        let column = |name: &str| Part::Column(name.to_owned());
        for (word, expected) in [
            ("x", vec![text("x")]),
            ("x-{a}-{b c}", vec![text("x-"), column("a"), text("-"), column("b c")]),
            ("{}", vec![Part::Whole]),
            ("{{}{{a}", vec![text("{}{a}")]),
            (r#"{"a":1,"b":{"c":2}}"#, vec![text(r#"{"a":1,"b":{"c":2}}"#)]),
            (r#"[{"a":"{a}"}]"#, vec![text(r#"[{"a":""#), column("a"), text(r#""}]"#)]),
            ("[{'uuid':'{n.ip}'}]", vec![text("[{'uuid':'"), column("n.ip"), text("'}]")]),
            ("{ x } {", vec![text("{ x } {")]),
            ("", vec![]),
        ] {
            assert_eq!(parts(word, &has), Ok(expected), "{word}");
        }
        assert_eq!(parts("{nme}", &has), Err("nme".to_owned()));
        assert_eq!(parts(r#"{"a":{x}}"#, &has), Err("x".to_owned()));
    }

    #[test]
    fn values_are_text_whatever_they_hold() {
        let json = r#"{"v":"=5 ; x | > 'y' $Z \\","f":"@/etc/hosts","w":"name=lab 2"}"#;
        let rows = super::super::rows::tests_of_json(json);
        let filled = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            Template::new(&words, &rows).expect("known columns").fill(&rows, &rows.rows[0])
        };
        let command = filled(&["QueryZone", "name>{v}", "description={f}", "{w}"]).expect("a command");
        let told: Vec<_> =
            command.arguments.iter().map(|one| (one.name.as_str(), one.operator, one.value.as_str())).collect();
        assert_eq!(
            told,
            [
                ("name", Operator::Greater, "=5 ; x | > 'y' $Z \\"),
                ("description", Operator::Equal, "@@/etc/hosts"),
                ("name", Operator::Equal, "lab 2"),
            ]
        );
        assert!(matches!(filled(&["X", "{v}"]), Err(FillError::Word(_))));
    }
}
