//! `--jq`: a jq expression between the reply and its printing.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;

use crate::jq::{self, FilterError, Layout, Made, Step, Way, Worker};
use crate::json::{self, DEPTH_LIMIT, HELD_COST, Kind, MEMORY_LIMIT, MapWriter, Piece, Pieces, ReadError, Sorter};

use super::error::{Error, Holder};
use super::output::Output;
use super::view::{Format, View};
use super::yaml;

/// How many bytes of rows are collected before the expression is run on them. What it yields waits until about as many
/// bytes of it can be written.
const ENOUGH: usize = 32 * 1024;

/// A compiled jq expression.
#[derive(Clone)]
pub struct Filter {
    expression: Rc<str>,
    /// The process that runs it, while no reply is filtered.
    idle: Rc<Cell<Option<Worker>>>,
    is_interrupted: Rc<dyn Fn() -> bool>,
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
    /// The first error, with its place.
    pub fn compile(expression: &str) -> Result<Filter, FilterError> {
        let worker = Worker::start(expression)?;
        let idle = Rc::new(Cell::new(Some(worker)));
        Ok(Filter { expression: expression.into(), idle, is_interrupted: Rc::new(|| false) })
    }

    /// Ends with [`Error::Interrupted`] when `is_interrupted` says so, which is asked again and again.
    pub fn until(self, is_interrupted: impl Fn() -> bool + 'static) -> Filter {
        Filter { is_interrupted: Rc::new(is_interrupted), ..self }
    }

    /// The process, for one reply.
    fn worker(&self, layout: Layout) -> Result<Worker, Error> {
        let mut worker = match self.idle.take() {
            Some(worker) => worker,
            // It ended with an earlier reply.
            None => Worker::start(&self.expression).map_err(|error| Error::Filter { message: error.message })?,
        };
        worker.begin(layout, Rc::clone(&self.is_interrupted));
        Ok(worker)
    }
}

impl From<jq::Error> for Error {
    fn from(error: jq::Error) -> Error {
        match error {
            jq::Error::Interrupted => Error::Interrupted,
            jq::Error::Failed(message) => Error::Filter { message },
        }
    }
}

/// Where the outputs of a filter come from, some rows at a time.
pub(super) struct Outputs<'p> {
    pieces: &'p mut dyn Pieces,
    filter: Filter,
    layout: Layout,
    worker: Option<Worker>,
    values: Values,
    /// How many more bytes of a whole reply the process may be told to hold.
    left: usize,
    /// Whether the expression is being run.
    running: bool,
    streaming: bool,
    in_inventories: bool,
    /// Whether the first row went to the expression: it goes alone, so that what it yields is there at once.
    started: bool,
    done: bool,
    /// Why there are no more pieces, told behind what the last rows yield.
    broken: Option<ReadError>,
}

impl<'p> Outputs<'p> {
    fn new(pieces: &'p mut dyn Pieces, filter: &Filter, layout: Layout) -> Outputs<'p> {
        Outputs {
            pieces,
            filter: filter.clone(),
            layout,
            worker: None,
            values: Values { sorter: layout.sorted.then(Sorter::default), sorted: Vec::new() },
            left: MEMORY_LIMIT,
            running: false,
            streaming: false,
            in_inventories: false,
            started: false,
            done: false,
            broken: None,
        }
    }

    /// The next output; `None` when there are no more.
    pub(super) fn next(&mut self) -> Result<Option<Made<'_>>, Error> {
        // After an error it is not put back: it may be anywhere.
        let mut worker = match self.worker.take() {
            Some(worker) => worker,
            None => self.filter.worker(self.layout)?,
        };
        loop {
            if !self.running {
                if let Some(error) = self.broken.take() {
                    return Err(error.into());
                }
                if self.done || !self.collect(&mut worker)? {
                    self.filter.idle.set(Some(worker));
                    return Ok(None);
                }
                worker.run()?;
                self.running = true;
            }
            match worker.advance()? {
                Step::Made => return Ok(Some(self.worker.insert(worker).made())),
                Step::Done => self.running = false,
                Step::Halted => (self.running, self.done) = (false, true),
            }
        }
    }

    /// Tells the process of pieces until it can be run. `false` where nothing is left to be run.
    fn collect(&mut self, worker: &mut Worker) -> Result<bool, Error> {
        loop {
            let piece = match self.pieces.next_piece() {
                Ok(Some(piece)) => piece,
                Ok(None) => {
                    self.done = true;
                    return Ok(!self.streaming || worker.taken() > 0);
                }
                Err(error) if worker.taken() > 0 => {
                    self.broken = Some(error);
                    return Ok(true);
                }
                Err(error) => return Err(error.into()),
            };
            let values = &mut self.values;
            match piece {
                Piece::Rows { name: "inventories" } if *worker.way() != Way::Whole => {
                    self.streaming = true;
                    self.in_inventories = true;
                }
                Piece::Row(row) if self.in_inventories => {
                    match worker.way() {
                        Way::Member(name) if json::kind(row) == Kind::Map => {
                            let member = json::member(row, name).map_or(&b"null"[..], |text| values.compact(text));
                            worker.take(member, true);
                        }
                        _ => worker.take(values.compact(row), false),
                    }
                    if !self.started || worker.taken() >= ENOUGH {
                        self.started = true;
                        return Ok(true);
                    }
                }
                Piece::EndRows if self.in_inventories => self.in_inventories = false,
                _ if self.streaming => {}
                Piece::Member { name: "schema", .. } => {}
                Piece::Member { name, text } => {
                    hold(&mut self.left, text)?;
                    worker.member(&json::unescape(name.as_bytes()), values.compact(text))?
                }
                Piece::Rows { name } => worker.begin_list(&json::unescape(name.as_bytes())),
                Piece::Row(row) => {
                    hold(&mut self.left, row)?;
                    worker.row(values.compact(row))?
                }
                Piece::EndRows => worker.end_list(),
            }
        }
    }
}

/// Counts a text that the process has to hold.
fn hold(left: &mut usize, text: &[u8]) -> Result<(), Error> {
    match left.checked_sub(text.len() + HELD_COST) {
        Some(rest) => *left = rest,
        None => return Err(Error::TooManyRows { what: Holder::Filter, limit: MEMORY_LIMIT }),
    }
    Ok(())
}

/// Lays values out for the expression.
struct Values {
    /// Where members are to be sorted: as they are for a filter behind `-o json |`.
    sorter: Option<Sorter>,
    sorted: Vec<u8>,
}

impl Values {
    fn compact<'t>(&'t mut self, text: &'t [u8]) -> &'t [u8] {
        match &mut self.sorter {
            Some(sorter) if matches!(json::kind(text), Kind::List | Kind::Map) => {
                self.sorted.clear();
                sorter.compact(&mut self.sorted, text);
                &self.sorted
            }
            _ => text,
        }
    }
}

/// What is nested as deeply as no reply is cannot be walked here.
fn check_depth(text: &[u8]) -> Result<(), Error> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_LIMIT {
            let message = format!("a value is nested deeper than {DEPTH_LIMIT} levels, which only JSON can show");
            return Err(Error::Filter { message });
        }
    }
    Ok(())
}

/// Writes the outputs of a filter one after the other, in a format that needs no columns.
pub(super) fn write(pieces: &mut dyn Pieces, filter: &Filter, view: &View, out: &mut Output<'_>) -> Result<(), Error> {
    let bare = view.raw || view.format == Format::Value;
    let layout = Layout { sorted: true, pretty: view.format == Format::Json, bare };
    let mut outputs = Outputs::new(pieces, filter, layout);
    let mut first = true;
    while let Some(made) = outputs.next()? {
        match made {
            Made::Text(string) => raw(string, view, &mut out.buffer),
            Made::Json(text) if view.format == Format::Yaml => {
                check_depth(text)?;
                if !std::mem::take(&mut first) {
                    out.buffer.extend_from_slice(b"---\n");
                }
                yaml::document(&mut out.buffer, text);
                out.row_done()?;
                continue;
            }
            Made::Json(text) => super::json::safe(text, view, |text| out.buffer.extend_from_slice(text)),
        }
        out.buffer.push(b'\n');
        out.row_done()?;
    }
    Ok(())
}

/// A string as it is; on a terminal only line feeds and tabs act.
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
    /// Further rows of the same output.
    waiting: VecDeque<Vec<u8>>,
    current: Vec<u8>,
    phase: Phase,
}

#[derive(PartialEq, Eq)]
enum Phase {
    Start,
    FilteredRows,
    End,
}

impl<'p> FilteredRows<'p> {
    pub(super) fn new(pieces: &'p mut dyn Pieces, filter: &Filter) -> FilteredRows<'p> {
        FilteredRows {
            outputs: Outputs::new(pieces, filter, Layout::default()),
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
                self.phase = Phase::FilteredRows;
                return Ok(Some(Piece::Rows { name: "inventories" }));
            }
            Phase::FilteredRows => {}
        }
        loop {
            if let Some(row) = self.waiting.pop_front() {
                self.current = row;
                return Ok(Some(Piece::Row(&self.current)));
            }
            let output = self.outputs.next().and_then(|made| {
                let Some(Made::Json(text) | Made::Text(text)) = made else { return Ok(false) };
                check_depth(text)?;
                spread(text.to_vec(), &mut self.waiting);
                Ok(true)
            });
            match output {
                Ok(true) => {}
                Ok(false) => {
                    self.phase = Phase::End;
                    return Ok(Some(Piece::EndRows));
                }
                Err(Error::Read(error)) => return Err(error),
                // Whoever asked for rows takes the error out again.
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
    use crate::json::Scanner;

    fn view(format: Format, expression: &str) -> View {
        View { filter: Some(Filter::compile(expression).expect("compiles")), ..View::new(format) }
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
    fn what_needs_the_whole_reply_is_limited_and_rows_one_by_one_are_not() {
        for (expression, fits) in [("[.inventories[]] | length", false), (".inventories[].n", true)] {
            let filter = Filter::compile(expression).expect("compiles");
            let mut scanner = Scanner::new(&br#"{"inventories":[{"n":1},{"n":2},{"n":3}]}"#[..]);
            let mut outputs = Outputs { left: 200, ..Outputs::new(&mut scanner, &filter, Layout::default()) };
            let mut count = 0;
            let ended = loop {
                match outputs.next() {
                    Ok(Some(_)) => count += 1,
                    ended => break ended.map(drop),
                }
            };
            assert_eq!((count, ended.is_ok()), if fits { (3, true) } else { (0, false) }, "{expression}: {ended:?}");
        }
    }

    #[test]
    fn rows_of_an_expression_without_end_are_handed_on() {
        let filter = Filter::compile("repeat(1)").expect("compiles");
        let mut scanner = Scanner::new(&b"{}"[..]);
        let mut rows = FilteredRows::new(&mut scanner, &filter);
        for _ in 0..3 {
            assert!(rows.next_piece().expect("a piece").is_some());
        }
        assert!(rows.waiting.is_empty());
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

    #[test]
    fn many_rows_come_in_order_and_each_output_once() {
        let count = 20_000;
        let rows: Vec<String> = (0..count).map(|n| format!(r#"{{"name":"vm-{n}","n":{n}}}"#)).collect();
        let whole = format!(r#"{{"inventories":[{}],"total":{count}}}"#, rows.join(","));
        let all = (0..count).map(|n| format!("\"vm-{n}\"\n")).collect::<String>();
        for expression in [".inventories[].name", ".inventories[] | .name", "[.inventories[].name] | .[]"] {
            assert_eq!(print(&whole, &view(Format::Jsonl, expression)), all, "{expression}");
        }
        let until = ".inventories[] | if .n == 9000 then halt else .name end";
        let first = print(&whole, &view(Format::Jsonl, until));
        assert!(first.ends_with("\"vm-8999\"\n") && all.starts_with(&first));
        // A filter that fails does so before a reply that breaks off behind, and one filter does for two replies.
        let view = view(Format::Csv, ".inventories[] | if .n == 19000 then error(\"no\") else .name end");
        for reply in [&whole[..], &whole[..whole.len() - 9]] {
            match try_print(reply, &Shape::default(), &view) {
                Err(Error::Filter { message }) => assert_eq!(message, "no"),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn what_is_nested_too_deeply_for_a_format_is_told() {
        let expression = "reduce range(513) as $i (0; [.])";
        for format in [Format::Yaml, Format::Csv, Format::Table] {
            match try_print(REPLY, &Shape::default(), &view(format, expression)) {
                Err(Error::Filter { message }) => assert!(message.contains("deeper than 512 levels"), "{message}"),
                other => panic!("{other:?}"),
            }
        }
        let nested = print(REPLY, &view(Format::Jsonl, expression));
        assert_eq!(nested, format!("{}0{}\n", "[".repeat(513), "]".repeat(513)));
        assert!(try_print(REPLY, &Shape::default(), &view(Format::Yaml, "reduce range(512) as $i (0; [.])")).is_ok());
    }
}
