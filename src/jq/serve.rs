//! The worker process: runs one expression on the values that it is sent.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::os::fd::AsFd;

use jaq_json::Val;
use jaq_json::write::Pp;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use signal_hook::consts::SIGINT;

use crate::json::MEMORY_LIMIT;

use super::frame;
use super::program::{End, FilterError, Program, value};
use super::worker::Layout;

/// The argument that makes this program a worker.
pub(super) const WORKER: &str = "--run-jq";

/// The stack limit of an expression, in bytes. Its calls need stack, and so do deeply nested values, which are written
/// and dropped by recursion.
const STACK: u64 = 128 << 20;

/// How much memory the process may use, in bytes. As values a reply takes about eight times as much as its text.
const MEMORY: u64 = 12 * MEMORY_LIMIT as u64;

/// How many bytes of answers are collected before they are written.
const ENOUGH: usize = 64 * 1024;

/// Runs as a worker if the arguments say so; otherwise returns `None`.
pub fn serve_if_asked(arguments: &[OsString]) -> Option<io::Result<()>> {
    if arguments != [WORKER] {
        return None;
    }
    Some(limit().and_then(|()| {
        let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        let output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        serve(input, output)
    }))
}

/// Limits the resources of the process and disables core files.
fn limit() -> io::Result<()> {
    // The stack of the main thread grows up to this limit. Beyond it a signal ends the process.
    let stack = getrlimit(Resource::Stack);
    let most = stack.maximum.map_or(STACK, |maximum| maximum.min(STACK));
    setrlimit(Resource::Stack, Rlimit { current: Some(most), ..stack })?;
    // An expression such as `[repeat(1)]` would else use up the memory of the machine.
    let memory = getrlimit(Resource::As);
    let most = memory.maximum.map_or(MEMORY, |maximum| maximum.min(MEMORY));
    setrlimit(Resource::As, Rlimit { current: Some(most), ..memory })?;
    // Replies have no business in a core file.
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, Signal, set_dumpable_behavior, set_parent_process_death_signal};
        set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
        set_parent_process_death_signal(Some(Signal::KILL))?;
    }
    // The main program decides what Ctrl-C means: it may be meant for a pager.
    signal_hook::flag::register(SIGINT, Default::default())?;
    Ok(())
}

/// Answers frames until the input ends.
pub(super) fn serve(input: impl Read, output: impl Write) -> io::Result<()> {
    let mut input = BufReader::with_capacity(ENOUGH, input);
    let mut body = Vec::new();
    let mut compiled = Compiled::default();
    let mut reply = Reply::default();
    let mut answers = Answers { output, waiting: Vec::new(), layout: Layout::default(), started: false };
    while let Some(kind) = frame::read(&mut input, &mut body)? {
        match kind {
            frame::EXPRESSION => {
                let expression = String::from_utf8_lossy(&body).into_owned();
                match Compiled::new(expression) {
                    Ok(new) => {
                        compiled = new;
                        answers.end(frame::COMPILED, compiled.way().as_bytes())?;
                    }
                    Err(error) => {
                        let mut body = Vec::new();
                        for offset in [error.span.start, error.span.end] {
                            body.extend_from_slice(&(offset as u64).to_le_bytes());
                        }
                        body.extend_from_slice(error.message.as_bytes());
                        answers.end(frame::WRONG, &body)?;
                    }
                }
            }
            frame::BEGIN => {
                reply = Reply::default();
                answers.layout = Layout::from_bytes(&body);
                answers.started = false;
            }
            frame::WHOLE => {
                let end = match (std::mem::take(&mut reply).finish(answers.layout.sorted), compiled.whole()) {
                    (Ok(reply), Ok(program)) => program.run(reply, &mut |value| answers.value(value))?,
                    (Err(message), _) | (_, Err(message)) => End::Failed(message),
                };
                answers.end_run(end)?;
            }
            frame::BATCH => {
                let end = compiled.run_batch(&body, &mut answers)?;
                answers.end_run(end)?;
            }
            _ => reply.take(kind, &body),
        }
    }
    Ok(())
}

/// A reply, collected for an expression that needs all of it.
#[derive(Default)]
struct Reply {
    members: jaq_json::Map,
    name: Option<Val>,
    rows: Vec<Val>,
    in_list: bool,
    /// The error of the first part of the reply that is not a valid value.
    flaw: Option<String>,
}

impl Reply {
    fn take(&mut self, kind: u8, body: &[u8]) {
        match kind {
            frame::NAME => self.name = Some(Val::from(String::from_utf8_lossy(body).into_owned())),
            frame::LIST => self.in_list = true,
            frame::END => {
                self.in_list = false;
                let rows = std::mem::take(&mut self.rows);
                self.insert(rows.into_iter().collect());
            }
            _ => match value(body) {
                Ok(value) if self.in_list => self.rows.push(value),
                Ok(value) => self.insert(value),
                Err(message) => self.flaw = self.flaw.take().or(Some(message)),
            },
        }
    }

    fn insert(&mut self, value: Val) {
        if let Some(name) = self.name.take() {
            self.members.insert(name, value);
        }
    }

    fn finish(mut self, sorted: bool) -> Result<Val, String> {
        if let Some(flaw) = self.flaw {
            return Err(flaw);
        }
        let success = Val::from("success".to_owned());
        if !self.members.contains_key(&success) {
            self.members.insert(success, Val::Bool(true));
        }
        if sorted {
            self.members.sort_keys();
        }
        Ok(Val::obj(self.members))
    }
}

/// The buffered answers.
struct Answers<W> {
    output: W,
    waiting: Vec<u8>,
    layout: Layout,
    started: bool,
}

impl<W: Write> Answers<W> {
    /// The first output is written at once, as the following ones may take any time.
    fn value(&mut self, value: &Val) -> io::Result<()> {
        match value {
            Val::TStr(string) | Val::BStr(string) if self.layout.bare => {
                frame::put(&mut self.waiting, frame::TEXT, string);
            }
            _ => {
                let indent = self.layout.pretty.then(|| "  ".to_owned());
                let style = Pp { indent, sort_keys: false, styles: Default::default(), sep_space: self.layout.pretty };
                frame::put_with(&mut self.waiting, frame::VALUE, |out| jaq_json::write::write(out, &style, 0, value))?;
            }
        }
        if self.started && self.waiting.len() < ENOUGH {
            return Ok(());
        }
        self.started = true;
        self.flush()
    }

    fn end_run(&mut self, end: End) -> io::Result<()> {
        match end {
            End::Done => self.end(frame::DONE, b""),
            End::Halted => self.end(frame::HALTED, b""),
            End::Failed(message) => self.end(frame::FAILED, message.as_bytes()),
        }
    }

    fn end(&mut self, kind: u8, body: &[u8]) -> io::Result<()> {
        frame::put(&mut self.waiting, kind, body);
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.write_all(&self.waiting)?;
        self.waiting.clear();
        Ok(())
    }
}

/// An expression, compiled as far as needed.
#[derive(Default)]
struct Compiled {
    expression: String,
    /// The part of an expression after `.inventories[]`, which runs on each row.
    each: Option<Each>,
    whole: Option<Program>,
}

impl Compiled {
    fn new(expression: String) -> Result<Compiled, FilterError> {
        let each = each_row(&expression).and_then(Each::compile);
        // If it compiles for a row, it compiles for a whole reply too; that is only done when needed.
        let whole = if each.is_some() { None } else { Some(Program::compile(&expression)?) };
        Ok(Compiled { expression, each, whole })
    }

    /// Returns how it takes rows: an empty text for the whole reply, `*` for each row, `.name` for that member of each
    /// row.
    fn way(&self) -> String {
        match &self.each {
            None => String::new(),
            Some(Each { member: None, .. }) => "*".to_owned(),
            Some(Each { member: Some(name), .. }) => format!(".{name}"),
        }
    }

    fn whole(&mut self) -> Result<&Program, String> {
        let program = match self.whole.take() {
            Some(program) => program,
            None => Program::compile(&self.expression).map_err(|error| error.message)?,
        };
        Ok(self.whole.insert(program))
    }

    fn run_batch<W: Write>(&self, batch: &[u8], answers: &mut Answers<W>) -> io::Result<End> {
        let mut batch = batch;
        let mut text = Vec::new();
        while let (Some(each), Some(kind)) = (&self.each, frame::read(&mut batch, &mut text)?) {
            let end = match value(&text) {
                Err(message) => End::Failed(message),
                Ok(value) => each.run(kind, value, &mut |output| answers.value(output))?,
            };
            if end != End::Done {
                return Ok(end);
            }
        }
        Ok(End::Done)
    }
}

/// A program that runs on each row.
struct Each {
    /// The whole expression for a row.
    expression: String,
    /// The member that the expression starts with: `name` of `.name | rest`. Nothing else of the row is read then.
    /// `None` where it needs the whole row.
    member: Option<String>,
    /// The program that runs on that member, or on the row.
    program: Program,
}

impl Each {
    fn compile(expression: String) -> Option<Each> {
        let name: String =
            expression.strip_prefix('.')?.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        // What follows applies to the member's value: `.b`, `[0]`, `| ...`.
        let rest = &expression[1 + name.len()..];
        let (member, program) = match rest.chars().next() {
            _ if name.is_empty() => (None, Program::compile(&expression).ok()?),
            None | Some(' ' | '.') => {
                (Some(name), Program::compile(format!(".{}", rest.trim_start_matches('.')).trim_end()).ok()?)
            }
            Some('[') => (Some(name), Program::compile(&format!(".{rest}")).ok()?),
            Some(_) => (None, Program::compile(&expression).ok()?),
        };
        Some(Each { expression, member, program })
    }

    fn run(&self, kind: u8, input: Val, found: &mut dyn FnMut(&Val) -> io::Result<()>) -> io::Result<End> {
        if kind == frame::MEMBER || self.member.is_none() {
            return self.program.run(input, found);
        }
        // Rows that are not objects are rare and usually lead to an error, so the whole expression is compiled only
        // then.
        match Program::compile(&self.expression) {
            Ok(program) => program.run(input, found),
            Err(error) => Ok(End::Failed(error.message)),
        }
    }
}

/// Returns `.a.b | rest` for `.inventories[].a.b | rest`, which does the same to each row.
fn each_row(expression: &str) -> Option<String> {
    let rest = expression.trim_start().strip_prefix(".inventories[]")?;
    let mut end = 0;
    let bytes = rest.as_bytes();
    // The path continues through members, indexes and `?`. Apart from a pipe, anything else binds differently.
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
    // A `?` directly after `[]` is for replies without inventories.
    let path = path.trim_start_matches('?');
    let path = if path.starts_with('.') { path.to_owned() } else { format!(".{path}") };
    let tail = tail.trim_start();
    if tail.is_empty() {
        return Some(path);
    }
    let after = tail.strip_prefix('|').filter(|after| !after.starts_with('='))?;
    Some(format!("{path} | {after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(Compiled::new(".inventories[].name".to_owned()).expect("compiles").way(), ".name");
    }
}
