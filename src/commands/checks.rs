//! The checks of `inspect`: those of the program, and files of users.

use std::path::Path;

use toml_edit::{Document, Item, Table};

use crate::cli::Weight;
use crate::error::{Error, OwnError};

/// The checks that the program has.
const BUILT_IN: &str = include_str!("data/checks.toml");

/// A check: a statement that selects a row for each finding.
#[derive(Clone, Debug)]
pub(super) struct Check {
    pub(super) name: String,
    pub(super) weight: Weight,
    pub(super) sql: String,
    /// What is told of a finding; columns stand in braces.
    pub(super) message: String,
    /// What may be done about it, in the same form.
    pub(super) hint: String,
}

/// The checks of the program, and those of a file. One of the same name replaces that of the program.
///
/// # Errors
/// When the file cannot be read, or is not one of checks.
pub(super) fn all(file: Option<&Path>) -> Result<Vec<Check>, Error> {
    let mut checks = read(BUILT_IN, "the checks of the program")?;
    if let Some(path) = file {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| Error::Script { path: name.clone(), source })?;
        for check in read(&text, &name)? {
            match checks.iter_mut().find(|known| known.name == check.name) {
                Some(known) => *known = check,
                None => checks.push(check),
            }
        }
    }
    Ok(checks)
}

/// The checks of a text; `name` is that of its file.
fn read(text: &str, name: &str) -> Result<Vec<Check>, Error> {
    let wrong = |problem: String| Error::Own(OwnError::Value { name: name.to_owned(), problem });
    let document: Document<&str> = Document::parse(text).map_err(|error| wrong(error.message().to_owned()))?;
    if let Some((other, _)) = document.iter().find(|(key, _)| *key != "check") {
        return Err(wrong(format!("only [[check]] is expected, and not {other}")));
    }
    let tables = document.get("check").and_then(Item::as_array_of_tables);
    let tables = tables.ok_or_else(|| wrong("there is no [[check]] in it".to_owned()))?;
    tables
        .iter()
        .enumerate()
        .map(|(at, table)| check(table).map_err(|problem| wrong(place(table, at) + &problem)))
        .collect()
}

/// Which check it is.
fn place(table: &Table, at: usize) -> String {
    match table.get("name").and_then(Item::as_str) {
        Some(name) => format!("check {name}: "),
        None => format!("check {}: ", at + 1),
    }
}

fn check(table: &Table) -> Result<Check, String> {
    const KEYS: [&str; 5] = ["name", "severity", "sql", "message", "hint"];
    if let Some((other, _)) = table.iter().find(|(key, _)| !KEYS.contains(key)) {
        return Err(format!("there is no {other}; a check has {}", KEYS.join(", ")));
    }
    let text = |key: &str| match table.get(key) {
        Some(item) => item.as_str().map(str::to_owned).ok_or_else(|| format!("{key} must be text")),
        None => Err(format!("{key} is missing")),
    };
    let severity = text("severity")?;
    let weights = || Weight::NAMES.join(", ");
    Ok(Check {
        name: text("name")?,
        weight: Weight::from_name(&severity).ok_or_else(|| format!("severity must be one of {}", weights()))?,
        sql: text("sql")?,
        message: text("message")?,
        hint: if table.contains_key("hint") { text("hint")? } else { String::new() },
    })
}

/// The text with columns in the place of their names in braces.
///
/// # Errors
/// The name that is no column.
pub(super) fn filled(text: &str, row: &[(String, Option<String>)]) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or_else(|| after.to_owned())?;
        let value = row.iter().find(|(column, _)| column == name).map(|(_, value)| value);
        out.push_str(before);
        out.push_str(value.ok_or_else(|| name.to_owned())?.as_deref().unwrap_or("?"));
        rest = after;
    }
    Ok(out + rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::sql::Statement;

    #[test]
    fn every_check_of_the_program_is_a_statement() {
        let checks = all(None).expect("checks");
        assert!(checks.len() >= 25, "{} checks", checks.len());
        for check in &checks {
            Statement::read(&check.sql, Catalog::newest()).unwrap_or_else(|error| panic!("{}: {error}", check.name));
            assert!(check.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", check.name);
            assert!(!check.hint.is_empty(), "{}", check.name);
            assert_eq!(checks.iter().filter(|other| other.name == check.name).count(), 1, "{}", check.name);
        }
    }

    #[test]
    fn a_file_must_be_one_of_checks() {
        let whole = "name = 'a'\nseverity = 'urgent'\nsql = 'select 1'\nmessage = 'm'\n";
        assert_eq!(read(&format!("[[check]]\n{whole}"), "f").expect("a check")[0].weight, Weight::Urgent);
        for (text, told) in [
            ("", "f: there is no [[check]] in it"),
            ("x = 1", "f: only [[check]] is expected, and not x"),
            ("[[check]]\nname = 7", "f: check 1: severity is missing"),
            (
                "[[check]]\nname = 'a'\nseverity = 'bad'",
                "f: check a: severity must be one of urgent, important, normal",
            ),
            (
                "[[check]]\nname = 'a'\nfix = 'b'",
                "f: check a: there is no fix; a check has name, severity, sql, message, hint",
            ),
            ("[[check", "f: "),
        ] {
            let error = read(text, "f").expect_err(text).to_string();
            assert!(error.starts_with(told), "{error}");
        }
    }

    #[test]
    fn columns_stand_in_braces() {
        let row = [("name".to_owned(), Some("h".to_owned())), ("free".to_owned(), None)];
        assert_eq!(filled("{name} has {free}", &row).as_deref(), Ok("h has ?"));
        assert_eq!(filled("{size} and {name}", &row), Err("size".to_owned()));
        assert_eq!(filled("a {name", &row), Err("name".to_owned()));
    }
}
