//! The rows that a line is run for: csv, jsonl, JSON or plain lines.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use crate::error::{Error, OwnError};
use crate::json::{self, Kind};
use crate::terminal::stdin_is_taken;

/// How a file holds its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// RFC 4180, with a header row.
    Csv,
    /// A JSON object on each line.
    Jsonl,
    /// One JSON document: a list of objects, or a reply with `inventories`.
    Json,
    /// Lines without columns.
    Plain,
}

/// Rows and their columns.
#[derive(Debug)]
pub(super) struct Rows {
    /// The columns of csv; of JSON the members of the rows, in the order of their first appearance.
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Row>,
}

/// A row.
#[derive(Debug)]
pub(super) struct Row {
    /// Its text as the file has it, without the line end.
    pub(super) whole: String,
    /// The fields of csv; empty for other forms.
    fields: Vec<String>,
}

impl Rows {
    /// Whether rows have values of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column == name)
            || (name.contains('.') && self.rows.iter().any(|row| self.value(row, name).is_some()))
    }

    /// The value of a row; `None` where JSON has none, or null. Several values that a path leads to are a list.
    pub(super) fn value(&self, row: &Row, name: &str) -> Option<String> {
        if !row.fields.is_empty() {
            let at = self.columns.iter().position(|column| column == name)?;
            return row.fields.get(at).cloned();
        }
        let text = row.whole.as_bytes();
        let mut found: Vec<&[u8]> = json::member(text, name).into_iter().collect();
        if found.is_empty() {
            let path: Vec<String> = name.split('.').map(str::to_owned).collect();
            json::pick(text, &path, &mut |value| found.push(value));
        }
        found.retain(|value| json::kind(value) != Kind::Null);
        let texts = found.iter().map(|value| match json::kind(value) {
            Kind::Text => json::unescape(value).into_owned(),
            _ => String::from_utf8_lossy(value).into_owned(),
        });
        if found.is_empty() { None } else { Some(texts.collect::<Vec<_>>().join(",")) }
    }
}

/// Reads the rows of a file, or of standard input. `is_named` says whether the line names columns, so that a file of
/// unknown form has a header row.
pub(super) fn read(from: Option<&Path>, stdin: Stdin, is_named: bool) -> Result<Rows, Error> {
    let path = from.filter(|path| *path != Path::new("-"));
    let name = path.map_or("standard input".to_owned(), |path| path.display().to_string());
    let failed = |source| Error::Script { path: name.clone(), source };
    let mut bytes = match path {
        Some(path) => fs::read(path).map_err(failed)?,
        None => match stdin {
            Stdin::Commands => return Err(failed(stdin_is_taken())),
            Stdin::Terminal if from.is_none() => {
                let problem = "the rows are missing: --from FILE names their file, or a pipe brings them".to_owned();
                return Err(wrong("each", problem));
            }
            Stdin::Terminal | Stdin::Open => {
                let mut bytes = Vec::new();
                io::stdin().lock().read_to_end(&mut bytes).map_err(failed)?;
                bytes
            }
        },
    };
    if bytes.starts_with("\u{feff}".as_bytes()) {
        bytes.drain(.."\u{feff}".len());
    }
    let not_text = |_| failed(io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"));
    let text = String::from_utf8(bytes).map_err(not_text)?;
    match form(path, &text, is_named) {
        Form::Csv => csv(&text),
        Form::Jsonl => jsonl(&text),
        Form::Json => of_json(&text),
        Form::Plain => Ok(plain(&text)),
    }
}

/// What standard input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stdin {
    /// A terminal.
    Terminal,
    /// The commands that run.
    Commands,
    /// A file or a pipe.
    Open,
}

/// The form of a file: by its extension, or else by its content.
fn form(path: Option<&Path>, text: &str, is_named: bool) -> Form {
    let extension = path.and_then(Path::extension).map(|extension| extension.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("csv") => Form::Csv,
        Some("jsonl" | "ndjson") => Form::Jsonl,
        Some("json") => Form::Json,
        _ => {
            let text = text.trim_start();
            let first = text.lines().next().unwrap_or_default();
            match text.as_bytes().first() {
                Some(b'{') if json::parse(first.trim_end().as_bytes()).is_ok() => Form::Jsonl,
                Some(b'{' | b'[') if json::parse(text.as_bytes()).is_ok() => Form::Json,
                _ if is_named => Form::Csv,
                _ => Form::Plain,
            }
        }
    }
}

fn plain(text: &str) -> Rows {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    Rows { columns: Vec::new(), rows: lines.map(|line| Row { whole: line.to_owned(), fields: Vec::new() }).collect() }
}

fn jsonl(text: &str) -> Result<Rows, Error> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    objects(lines.map(str::as_bytes))
}

fn of_json(text: &str) -> Result<Rows, Error> {
    let text = text.trim().as_bytes();
    json::parse(text).map_err(|error| wrong("the rows", format!("they are not JSON: {error}")))?;
    let list = if json::kind(text) == Kind::Map { json::member(text, "inventories") } else { Some(text) };
    let Some(list) = list.filter(|list| json::kind(list) == Kind::List) else {
        return Err(wrong("the rows", "JSON rows are a list of objects, or a reply with inventories".to_owned()));
    };
    objects(json::items(list))
}

/// Rows from the texts of JSON objects.
fn objects<'t>(texts: impl Iterator<Item = &'t [u8]>) -> Result<Rows, Error> {
    let mut rows = Rows { columns: Vec::new(), rows: Vec::new() };
    for text in texts {
        let number = rows.rows.len() + 1;
        if let Err(error) = json::parse(text) {
            return Err(wrong_row(number, format!("it is not JSON: {error}")));
        }
        if json::kind(text) != Kind::Map {
            return Err(wrong_row(number, "it is not a JSON object".to_owned()));
        }
        for (name, _) in json::members(text) {
            let quoted = [b"\"", name, b"\""].concat();
            let name = json::unescape(&quoted);
            if !rows.columns.iter().any(|column| *column == name) {
                rows.columns.push(name.into_owned());
            }
        }
        rows.rows.push(Row { whole: String::from_utf8_lossy(text).into_owned(), fields: Vec::new() });
    }
    Ok(rows)
}

/// Reads csv (RFC 4180). The first record names the columns; empty lines are left out.
fn csv(text: &str) -> Result<Rows, Error> {
    let mut rows = Rows { columns: Vec::new(), rows: Vec::new() };
    let mut rest = text;
    while !rest.is_empty() {
        // The header row is row 0.
        let number = if rows.columns.is_empty() { 0 } else { rows.rows.len() + 1 };
        let Some(record) = Record::read(rest) else {
            return Err(wrong_row(number, "a quote is never closed".to_owned()));
        };
        rest = &rest[record.end..];
        if record.text.is_empty() {
            continue;
        }
        if rows.columns.is_empty() {
            rows.columns = record.fields.into_iter().map(|field| field.trim().to_owned()).collect();
            for (at, column) in rows.columns.iter().enumerate() {
                if rows.columns[..at].contains(column) {
                    return Err(wrong("the header row", format!("it has two columns `{column}`")));
                }
            }
            continue;
        }
        if record.fields.len() != rows.columns.len() {
            let problem = format!("it has {} fields, and the header row {}", record.fields.len(), rows.columns.len());
            return Err(wrong_row(number, problem));
        }
        rows.rows.push(Row { whole: record.text.to_owned(), fields: record.fields });
    }
    Ok(rows)
}

/// A record of csv.
struct Record<'t> {
    /// Its text without the line end.
    text: &'t str,
    fields: Vec<String>,
    /// Where the next one begins, in bytes.
    end: usize,
}

impl Record<'_> {
    /// The first record of a text; `None` if a quote is never closed.
    fn read(text: &str) -> Option<Record<'_>> {
        let mut fields = Vec::new();
        let mut field = String::new();
        let mut in_quotes = false;
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' if in_quotes && chars.next_if(|(_, next)| *next == '"').is_some() => field.push('"'),
                '"' if in_quotes => in_quotes = false,
                _ if in_quotes => field.push(c),
                // A quote has a meaning only where a field starts.
                '"' if field.is_empty() => in_quotes = true,
                ',' => fields.push(std::mem::take(&mut field)),
                '\r' if matches!(chars.peek(), Some((_, '\n'))) => {}
                '\n' => {
                    fields.push(field);
                    let text = text[..at].strip_suffix('\r').unwrap_or(&text[..at]);
                    return Some(Record { text, fields, end: at + 1 });
                }
                _ => field.push(c),
            }
        }
        fields.push(field);
        (!in_quotes).then_some(Record { text, fields, end: text.len() })
    }
}

/// The error for something that is wrong with the rows.
pub(super) fn wrong(name: &str, problem: String) -> Error {
    Error::Own(OwnError::Value { name: name.to_owned(), problem })
}

fn wrong_row(number: usize, problem: String) -> Error {
    if number == 0 { wrong("the header row", problem) } else { wrong(&format!("row {number}"), problem) }
}

#[cfg(test)]
pub(super) fn tests_of_json(text: &str) -> Rows {
    jsonl(text).expect("jsonl")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(rows: &Rows, name: &str) -> Vec<Option<String>> {
        rows.rows.iter().map(|row| rows.value(row, name)).collect()
    }

    #[test]
    fn csv_is_read_as_rfc_4180_says() {
        let rows = csv("name,note\r\na,\"x, \"\"y\"\"\nz\"\r\n\r\nb,\n").expect("csv");
        assert_eq!(rows.columns, ["name", "note"]);
        assert_eq!(values(&rows, "note"), [Some("x, \"y\"\nz".to_owned()), Some(String::new())]);
        assert_eq!(rows.rows[0].whole, "a,\"x, \"\"y\"\"\nz\"");
        assert_eq!(values(&csv("a\n1").expect("csv"), "a"), [Some("1".to_owned())]);
        for (text, problem) in [
            ("a,b\n1,2\n3\n", "row 2: it has 1 fields, and the header row 2"),
            ("a\n\"1\n", "row 1: a quote is never closed"),
            ("a,a\n", "the header row: it has two columns `a`"),
        ] {
            assert_eq!(csv(text).expect_err("wrong").to_string(), problem);
        }
    }

    #[test]
    fn json_rows_have_paths() {
        let rows = jsonl(
            "{\"name\":\"a\",\"n\":{\"ip\":\"1\"},\"size\":1.50}\n\n{\"name\":null,\"l\":[{\"x\":1},{\"x\":2}]}\n",
        );
        let rows = rows.expect("jsonl");
        assert_eq!(rows.columns, ["name", "n", "size", "l"]);
        assert!(rows.has("n.ip") && !rows.has("n.mac") && !rows.has("nme"));
        assert_eq!(values(&rows, "n.ip"), [Some("1".to_owned()), None]);
        assert_eq!(values(&rows, "size"), [Some("1.50".to_owned()), None]);
        assert_eq!(values(&rows, "name"), [Some("a".to_owned()), None]);
        assert_eq!(values(&rows, "l.x"), [None, Some("1,2".to_owned())]);
        assert_eq!(jsonl("{}\n[1]").expect_err("wrong").to_string(), "row 2: it is not a JSON object");
    }

    #[test]
    fn the_extension_decides_and_else_the_content() {
        let of = |path: &str, text: &str, is_named| form(Some(Path::new(path)), text, is_named);
        assert_eq!(of("a.csv", "{}", false), Form::Csv);
        assert_eq!(of("a.JSONL", "a,b", true), Form::Jsonl);
        assert_eq!(of("a.txt", "a,b\n1,2", true), Form::Csv);
        assert_eq!(of("a.txt", "a,b\n1,2", false), Form::Plain);
        assert_eq!(form(None, "\n{\"a\":1}\n{\"a\":2}", true), Form::Jsonl);
        assert_eq!(form(None, "{\n\"inventories\":[]\n}", true), Form::Json);
        assert_eq!(form(None, "[{\"a\":1}]", false), Form::Json);
        assert_eq!(form(None, "{a}", false), Form::Plain);
    }
}
