//! `--jq`: a jq expression that is applied to the reply before it is printed.

use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;

use jaq_json::Val;
use jaq_json::write::Pp;

use crate::json::{self, Kind, MapWriter, Piece, Pieces, ReadError, Sorter};

use super::error::Error;
use super::output::Output;
use super::program::{FilterError, Program, value};
use super::view::{Format, View};
use super::yaml;

/// A compiled jq expression.
#[derive(Clone)]
pub struct Filter {
    expression: Rc<str>,
    /// What an expression that begins with `.inventories[]` does to each row.
    each: Option<Rc<RowProgram>>,
    whole: Rc<Program>,
    is_interrupted: Rc<dyn Fn() -> bool>,
}

/// A program for each row.
struct RowProgram {
    /// The whole expression.
    expression: String,
    /// The member that the expression begins with, if any: `name` in `.name | rest`. Only that member is parsed then.
    member: Option<String>,
    /// The program that is applied to that member, or to the row.
    program: Program,
}

impl RowProgram {
    fn compile(expression: String) -> Option<RowProgram> {
        let name: String =
            expression.strip_prefix('.')?.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        // The rest applies to the member's value: `.b`, `[0]`, `| ...`.
        let rest = &expression[1 + name.len()..];
        let (member, program) = match rest.chars().next() {
            _ if name.is_empty() => (None, Program::compile(&expression).ok()?),
            None | Some(' ' | '.') => {
                (Some(name), Program::compile(format!(".{}", rest.trim_start_matches('.')).trim_end()).ok()?)
            }
            Some('[') => (Some(name), Program::compile(&format!(".{rest}")).ok()?),
            Some(_) => (None, Program::compile(&expression).ok()?),
        };
        Some(RowProgram { expression, member, program })
    }

    fn run(
        &self,
        row: &[u8],
        reader: &mut ValueReader,
        is_interrupted: &dyn Fn() -> bool,
        found: &mut dyn FnMut(Val) -> Result<(), Error>,
    ) -> Result<bool, Error> {
        match &self.member {
            None => self.program.run(reader.value(row)?, is_interrupted, found),
            Some(name) if json::kind(row) == Kind::Map => {
                let member = json::member(row, name).map_or(Ok(Val::Null), |text| reader.value(text))?;
                self.program.run(member, is_interrupted, found)
            }
            // Rows that are not objects are rare, and usually an error.
            Some(_) => match Program::compile(&self.expression) {
                Ok(program) => program.run(reader.value(row)?, is_interrupted, found),
                Err(error) => Err(Error::Filter { message: error.message }),
            },
        }
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Filter").field(&self.expression).finish()
    }
}

impl Filter {
    /// Compiles an expression. Modules cannot be imported, and the process environment is not visible to it.
    ///
    /// # Errors
    /// The first error, with its position.
    pub fn compile(expression: &str) -> Result<Filter, FilterError> {
        let whole = Rc::new(Program::compile(expression)?);
        let each = each_row(expression).and_then(RowProgram::compile).map(Rc::new);
        Ok(Filter { expression: expression.into(), each, whole, is_interrupted: Rc::new(|| false) })
    }

    /// Stops with [`Error::Interrupted`] when `is_interrupted`, which is polled, returns `true`.
    pub fn until(self, is_interrupted: impl Fn() -> bool + 'static) -> Filter {
        Filter { is_interrupted: Rc::new(is_interrupted), ..self }
    }
}

/// For `.inventories[].a.b | rest`, which does the same to each row: `.a.b | rest`.
fn each_row(expression: &str) -> Option<String> {
    let rest = expression.trim_start().strip_prefix(".inventories[]")?;
    let mut end = 0;
    let bytes = rest.as_bytes();
    // The path continues through members, indexes and `?`; anything else except a pipe has another precedence.
    loop {
        match bytes.get(end) {
            Some(b'.') => {
                let name =
                    rest[end + 1..].bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
                if name == 0 {
                    return None;
                }
                end += 1 + name;
            }
            Some(b'[') => end += rest[end..].find(']').filter(|close| !rest[end..end + close].contains('"'))? + 1,
            Some(b'?') if bytes.get(end + 1) != Some(&b'/') => end += 1,
            _ => break,
        }
    }
    let (path, tail) = rest.split_at(end);
    // A `?` directly after `[]` handles a reply without inventories.
    let path = path.trim_start_matches('?');
    let path = if path.starts_with('.') { path.to_owned() } else { format!(".{path}") };
    let tail = tail.trim_start();
    if tail.is_empty() {
        return Some(path);
    }
    let after = tail.strip_prefix('|').filter(|after| !after.starts_with('='))?;
    Some(format!("{path} | {after}"))
}

/// Parses JSON text into values of jq.
#[derive(Default)]
struct ValueReader {
    /// Set when members are sorted first, as they would be for `-o json | jq`.
    sorter: Option<Sorter>,
    sorted: Vec<u8>,
}

impl ValueReader {
    fn value(&mut self, text: &[u8]) -> Result<Val, Error> {
        match &mut self.sorter {
            Some(sorter) if matches!(json::kind(text), Kind::List | Kind::Map) => {
                self.sorted.clear();
                sorter.compact(&mut self.sorted, text);
                value(&self.sorted)
            }
            _ => value(text),
        }
    }
}

/// The outputs of a filter, one batch at a time.
pub(super) struct Outputs<'p> {
    pieces: &'p mut dyn Pieces,
    filter: Filter,
    reader: ValueReader,
    /// The members of the reply, as far as they are needed.
    reply: jaq_json::Map,
    list: Option<(Val, Vec<Val>)>,
    streaming: bool,
    in_inventories: bool,
    done: bool,
}

impl<'p> Outputs<'p> {
    fn new(pieces: &'p mut dyn Pieces, filter: &Filter, reader: ValueReader) -> Outputs<'p> {
        Outputs {
            pieces,
            filter: filter.clone(),
            reader,
            reply: jaq_json::Map::default(),
            list: None,
            streaming: false,
            in_inventories: false,
            done: false,
        }
    }

    /// Hands the next outputs to `found`: those of one row, or of the whole reply. `false` when there are no more.
    pub(super) fn next(&mut self, found: &mut dyn FnMut(Val) -> Result<(), Error>) -> Result<bool, Error> {
        while !self.done {
            let Some(piece) = self.pieces.next_piece()? else {
                self.done = true;
                if self.streaming {
                    return Ok(false);
                }
                let mut reply = std::mem::take(&mut self.reply);
                let success = Val::from("success".to_owned());
                if !reply.contains_key(&success) {
                    reply.insert(success, Val::Bool(true));
                }
                if self.reader.sorter.is_some() {
                    reply.sort_keys();
                }
                self.filter.whole.run(Val::obj(reply), &*self.filter.is_interrupted, found)?;
                return Ok(true);
            };
            match piece {
                Piece::Rows { name: "inventories" } if self.filter.each.is_some() => {
                    self.streaming = true;
                    self.in_inventories = true;
                }
                Piece::Row(row) if self.in_inventories => {
                    if let Some(each) = &self.filter.each {
                        self.done = !each.run(row, &mut self.reader, &*self.filter.is_interrupted, found)?;
                        return Ok(true);
                    }
                }
                Piece::EndRows if self.in_inventories => self.in_inventories = false,
                _ if self.streaming => {}
                Piece::Member { name: "schema", .. } => {}
                Piece::Member { name, text } => {
                    self.reply.insert(name_value(name), self.reader.value(text)?);
                }
                Piece::Rows { name } => self.list = Some((name_value(name), Vec::new())),
                Piece::Row(row) => {
                    let row = self.reader.value(row)?;
                    if let Some((_, rows)) = &mut self.list {
                        rows.push(row);
                    }
                }
                Piece::EndRows => {
                    if let Some((name, rows)) = self.list.take() {
                        self.reply.insert(name, rows.into_iter().collect());
                    }
                }
            }
        }
        Ok(false)
    }
}

fn name_value(name: &str) -> Val {
    Val::from(json::unescape(name.as_bytes()).into_owned())
}

/// Writes a value as one line of JSON, or indented by two spaces as jq does.
fn write_value(out: &mut Vec<u8>, value: &Val, pretty: bool) -> Result<(), Error> {
    let indent = pretty.then(|| "  ".to_owned());
    let style = Pp { indent, sort_keys: false, styles: Default::default(), sep_space: pretty };
    jaq_json::write::write(out, &style, 0, value).map_err(Error::Write)
}

/// Writes the outputs of a filter one after the other, in a format that needs no columns.
pub(super) fn write(pieces: &mut dyn Pieces, filter: &Filter, view: &View, out: &mut Output<'_>) -> Result<(), Error> {
    let reader = ValueReader { sorter: Some(Sorter::default()), ..ValueReader::default() };
    let mut outputs = Outputs::new(pieces, filter, reader);
    let mut first = true;
    let mut text = Vec::new();
    loop {
        let more = outputs.next(&mut |value| {
            text.clear();
            match &value {
                Val::TStr(string) | Val::BStr(string) if view.raw || view.format == Format::Value => {
                    raw(string, view, &mut out.buffer);
                }
                _ if view.format == Format::Yaml => {
                    write_value(&mut text, &value, false)?;
                    if !first {
                        out.buffer.extend_from_slice(b"---\n");
                    }
                    yaml::document(&mut out.buffer, &text);
                    first = false;
                    return out.row_done();
                }
                _ => {
                    write_value(&mut text, &value, view.format == Format::Json)?;
                    super::json::safe(&text, view, |text| out.buffer.extend_from_slice(text));
                }
            }
            out.buffer.push(b'\n');
            out.row_done()
        })?;
        if !more {
            return Ok(());
        }
    }
}

/// Writes a string without quotes; on a terminal control characters other than line feeds and tabs are escaped.
fn raw(string: &[u8], view: &View, out: &mut Vec<u8>) {
    if !view.terminal {
        return out.extend_from_slice(string);
    }
    let text = String::from_utf8_lossy(string);
    for part in text.split_inclusive(['\n', '\t']) {
        let (body, end) = match part.as_bytes().last() {
            Some(b'\n' | b'\t') => part.split_at(part.len() - 1),
            _ => (part, ""),
        };
        out.extend_from_slice(json::escape_unprintable(body).as_bytes());
        out.extend_from_slice(end.as_bytes());
    }
}

/// The outputs of a filter as the rows of a reply, for the formats that print columns.
pub(super) struct FilteredRows<'p> {
    outputs: Outputs<'p>,
    waiting: VecDeque<Vec<u8>>,
    current: Vec<u8>,
    phase: Phase,
}

#[derive(PartialEq, Eq)]
enum Phase {
    Start,
    Rows,
    End,
}

impl<'p> FilteredRows<'p> {
    pub(super) fn new(pieces: &'p mut dyn Pieces, filter: &Filter) -> FilteredRows<'p> {
        FilteredRows {
            outputs: Outputs::new(pieces, filter, ValueReader::default()),
            waiting: VecDeque::new(),
            current: Vec::new(),
            phase: Phase::Start,
        }
    }
}

impl Pieces for FilteredRows<'_> {
    fn next_piece(&mut self) -> Result<Option<Piece<'_>>, ReadError> {
        match self.phase {
            Phase::End => return Ok(None),
            Phase::Start => {
                self.phase = Phase::Rows;
                return Ok(Some(Piece::Rows { name: "inventories" }));
            }
            Phase::Rows => {}
        }
        loop {
            if let Some(row) = self.waiting.pop_front() {
                self.current = row;
                return Ok(Some(Piece::Row(&self.current)));
            }
            let waiting = &mut self.waiting;
            let more = self.outputs.next(&mut |value| {
                let mut text = Vec::new();
                write_value(&mut text, &value, false)?;
                spread(text, waiting);
                Ok(())
            });
            match more {
                Ok(true) => {}
                Ok(false) => {
                    self.phase = Phase::End;
                    return Ok(Some(Piece::EndRows));
                }
                Err(Error::Read(error)) => return Err(error),
                // The caller converts the error back; see `error.rs`.
                Err(error) => return Err(ReadError::Read(std::io::Error::other(error))),
            }
        }
    }
}

/// The rows in one output: a list of maps is its maps, a reply is its inventories, a list of scalars is a row whose
/// columns are numbered, and anything else is itself.
fn spread(text: Vec<u8>, rows: &mut VecDeque<Vec<u8>>) {
    let inventories = json::member(&text, "inventories").filter(|list| json::kind(list) == Kind::List);
    let list = inventories.unwrap_or(&text);
    if json::kind(list) != Kind::List {
        return rows.push_back(text);
    }
    let flat = json::items(list).all(|item| !matches!(json::kind(item), Kind::Map | Kind::List));
    if flat && inventories.is_none() && json::items(list).next().is_some() {
        let mut record = MapWriter::default();
        for (index, item) in json::items(list).enumerate() {
            record.push((index + 1).to_string().as_bytes(), item);
        }
        return rows.push_back(record.finish());
    }
    rows.extend(json::items(list).map(<[u8]>::to_vec));
}

#[cfg(test)]
mod tests {
    use super::super::testing::{REPLY, print, try_print};
    use super::super::{Error, Format, Shape, View};
    use super::*;

    fn view(format: Format, expression: &str) -> View {
        View { filter: Some(Filter::compile(expression).expect("compiles")), ..View::new(format) }
    }

    #[test]
    fn rows_are_filtered_as_they_come_where_that_means_the_same() {
        for (expression, each) in [
            (".inventories[]", Some(".")),
            (" .inventories[].name", Some(".name")),
            (".inventories[].nics[0].ip", Some(".nics[0].ip")),
            (".inventories[][\"a\"]", None),
            (".inventories[]? | .name", Some(". |  .name")),
            (".inventories[] | .name, .size", Some(". |  .name, .size")),
            (".inventories[].a? | .", Some(".a? |  .")),
            (".inventories[][] | .", Some(".[] |  .")),
            (".inventories[] |= 1", None),
            (".inventories[].name, .total", None),
            (".inventories[] as $x | $x", None),
            (".inventories[].size + 1", None),
            (".inventories[].a // 1", None),
            (".inventories[].a ?// 1", None),
            (".inventories[]..", None),
            (".inventories", None),
            (".total", None),
        ] {
            assert_eq!(each_row(expression).as_deref(), each, "{expression}");
        }
        assert!(Filter::compile(".inventories[].name").expect("compiles").each.is_some());
    }

    #[test]
    fn outputs_are_printed_as_jq_prints_them() {
        for (expression, expected) in [
            (".inventories[].name", "\"a\"\n\"b\"\n"),
            (".inventories[] | .size", "1.073741824E9\nnull\n"),
            (".inventories[0].nics", "[\n  {\n    \"ip\": \"1\"\n  },\n  {\n    \"ip\": \"2\"\n  }\n]\n"),
            ("[.inventories[].name]", "[\n  \"a\",\n  \"b\"\n]\n"),
            (".inventories | length", "2\n"),
            ("keys", "[\n  \"inventories\",\n  \"success\"\n]\n"),
            (".success, {}, []", "true\n{}\n[]\n"),
            (".inventories[].nics[0].ip", "\"1\"\nnull\n"),
            (".inventories[].nics | length", "2\n0\n"),
            (".inventories[].nics[]?.ip", "\"1\"\n\"2\"\n"),
            (".inventories[].name.x?", ""),
            (".inventories[].nope.x", "null\nnull\n"),
            (
                ".inventories[] | select(.state == \"Running\") | {state, name}",
                "{\n  \"state\": \"Running\",\n  \"name\": \"b\"\n}\n",
            ),
            ("empty", ""),
            (".inventories[] | .name, halt", "\"a\"\n"),
            // As behind `-o json |`, where members are sorted.
            ("[.inventories[0] | to_entries[].key]", "[\n  \"name\",\n  \"nics\",\n  \"size\"\n]\n"),
            ("[keys_unsorted[]]", "[\n  \"inventories\",\n  \"success\"\n]\n"),
        ] {
            assert_eq!(print(REPLY, &view(Format::Json, expression)), expected, "{expression}");
        }
        assert_eq!(print(r#"{"version":"5.2.1"}"#, &view(Format::Json, ".inventories[]?")), "");
        assert_eq!(
            print(r#"{"a":9223372036854775807,"b":1e400}"#, &view(Format::Jsonl, ".a,.b")),
            "9223372036854775807\n1e400\n"
        );
    }

    #[test]
    fn raw_strings_are_bare() {
        let reply = r#"{"inventories":[{"name":"a\u001b\nb"}]}"#;
        let raw = View { raw: true, ..view(Format::Json, ".inventories[].name") };
        assert_eq!(print(reply, &raw), "a\u{1b}\nb\n");
        assert_eq!(print(reply, &View { terminal: true, ..raw }), "a\\u001b\nb\n");
        assert_eq!(print(reply, &view(Format::Json, ".inventories[].name")), "\"a\\u001b\\nb\"\n");
    }

    #[test]
    fn outputs_go_through_every_format() {
        let expression = ".inventories[] | {called: .name, s: .state}";
        assert_eq!(
            print(REPLY, &view(Format::Jsonl, expression)),
            "{\"called\":\"a\",\"s\":null}\n{\"called\":\"b\",\"s\":\"Running\"}\n"
        );
        assert_eq!(print(REPLY, &view(Format::Csv, expression)), "called,s\na,\nb,Running\n");
        assert_eq!(print(REPLY, &view(Format::Yaml, expression)), "called: a\ns: null\n---\ncalled: b\ns: Running\n");
        assert_eq!(print(REPLY, &view(Format::Table, expression)), "called  s\n------  -------\na\nb       Running\n");
        assert_eq!(print(REPLY, &view(Format::Value, ".inventories[].name")), "a\nb\n");
        let without = View { header: false, ..view(Format::Csv, ".inventories[] | [.name, .state]") };
        assert_eq!(print(REPLY, &without), "a,\nb,Running\n");
        assert_eq!(print(REPLY, &view(Format::Csv, "[.inventories[] | {name}]")), "name\na\nb\n");
        assert_eq!(print(REPLY, &view(Format::Tsv, ".")), "name\tsize\tstate\na\t1.073741824E9\t\nb\t\tRunning\n");
    }

    #[test]
    fn errors_point_into_the_expression() {
        for (expression, place, message) in [
            (".inventories[] | nope(1)", 17..21, "there is no filter nope"),
            (".a | $x", 5..7, "there is no variable $x"),
            (".a | ", 5..5, "term expected"),
            (".a ]", 3..4, "token expected"),
            ("[.a", 3..3, "closing bracket expected"),
            ("if . then 1", 11..11, "else or end expected"),
            ("env", 0..3, "there is no filter env"),
            ("é é", 0..2, "token expected"),
        ] {
            let error = Filter::compile(expression).expect_err(expression);
            assert_eq!((error.span.clone(), error.message.as_str()), (place, message), "{expression}");
        }
        assert!(Filter::compile("import \"a\" as a; .").is_err());
    }

    #[test]
    fn rows_that_are_no_maps_are_filtered_as_well() {
        let reply = r#"{"inventories":[1,[2],{"name":3}]}"#;
        assert_eq!(print(reply, &view(Format::Json, ".inventories[]? | numbers")), "1\n");
        match try_print(reply, &Shape::default(), &view(Format::Json, ".inventories[].name")) {
            Err(Error::Filter { message }) => assert!(message.contains("cannot index"), "{message}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn errors_at_work_keep_what_came_before() {
        for format in [Format::Json, Format::Csv] {
            let view = view(format, ".inventories[] | if .name == \"b\" then error(\"no\") else .name end");
            match try_print(REPLY, &Shape::default(), &view) {
                Err(Error::Filter { message }) => assert_eq!(message, "no"),
                other => panic!("{other:?}"),
            }
        }
    }
}
