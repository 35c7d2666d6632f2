//! The client of a worker process.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::process::Child;
use std::rc::Rc;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use signal_hook::consts::{SIGABRT, SIGBUS, SIGINT, SIGSEGV};

use super::frame;
use super::program::FilterError;
use crate::json::MEMORY_LIMIT;

/// How long to wait for output before checking for an interrupt. A signal that reaches the waiting thread is noticed at
/// once.
const PATIENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// How many bytes of answers are read at once.
const ENOUGH: usize = 64 * 1024;

/// Why an expression stopped early.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The user interrupted it.
    #[error("interrupted")]
    Interrupted,
    /// The expression failed, or its process ended.
    #[error("{0}")]
    Failed(String),
}

/// The layout of outputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Whether the members of a reply are sorted before the expression sees them.
    pub sorted: bool,
    /// Whether values are indented over several lines, as jq does by default.
    pub pretty: bool,
    /// Whether strings are written without quotes, like `jq -r`.
    pub bare: bool,
}

impl Layout {
    fn to_bytes(self) -> [u8; 3] {
        [self.sorted, self.pretty, self.bare].map(u8::from)
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Layout {
        let is_set = |at: usize| bytes.get(at).is_some_and(|byte| *byte != 0);
        Layout { sorted: is_set(0), pretty: is_set(1), bare: is_set(2) }
    }
}

/// How an expression takes the rows of a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// It needs the whole reply.
    Whole,
    /// It runs on each row.
    Rows,
    /// It runs on this member of each row.
    Member(String),
}

/// An output of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made<'a> {
    /// JSON text.
    Json(&'a [u8]),
    /// A string without quotes, where [`Layout::bare`] is set.
    Text(&'a [u8]),
}

/// What a run comes to next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// An output, which is [`Worker::made`].
    Made,
    /// All outputs came.
    Done,
    /// All outputs came, and the expression wants nothing more to be done.
    Halted,
}

/// A process that runs one expression. It ends with this.
#[derive(Debug)]
pub struct Worker {
    child: Option<Child>,
    input: File,
    answers: BufReader<Answers>,
    way: Way,
    /// The frames to send next.
    waiting: Vec<u8>,
    /// The rows of the next run, as frames.
    batch: Vec<u8>,
    /// The last answer.
    body: Vec<u8>,
    /// Whether that is a string, where strings are wanted bare.
    is_text: bool,
}

impl Worker {
    /// Starts a process that compiles an expression.
    ///
    /// # Errors
    /// The message and position of an error in the expression.
    pub fn start(expression: &str) -> Result<Worker, FilterError> {
        let error = |message: String| FilterError { message, span: 0..0 };
        let started = start().map_err(|cause| error(format!("its process cannot be started: {cause}")))?;
        let (child, input, output) = started;
        let is_interrupted: Rc<dyn Fn() -> bool> = Rc::new(|| false);
        let answers = Answers { pipe: output.into(), is_interrupted, was_interrupted: false };
        let answers = BufReader::with_capacity(ENOUGH, answers);
        let (waiting, batch, body) = (Vec::new(), Vec::new(), Vec::new());
        let (input, way, is_text) = (input.into(), Way::Whole, false);
        let mut worker = Worker { child, input, answers, way, waiting, batch, body, is_text };
        frame::put(&mut worker.waiting, frame::EXPRESSION, expression.as_bytes());
        let answer = worker.send().and_then(|()| worker.answer());
        let kind = answer.map_err(|ended| error(ended.to_string()))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match (kind, &worker.body[..]) {
            (frame::COMPILED, b"") => worker.way = Way::Whole,
            (frame::COMPILED, b"*") => worker.way = Way::Rows,
            (frame::COMPILED, [b'.', name @ ..]) => worker.way = Way::Member(text(name)),
            (frame::WRONG, told) => {
                let Some((start, rest)) = told.split_first_chunk() else { return Err(error(text(told))) };
                let Some((end, message)) = rest.split_first_chunk() else { return Err(error(text(told))) };
                let offset = |bytes: &[u8; 8]| usize::try_from(u64::from_le_bytes(*bytes)).unwrap_or(0);
                return Err(FilterError { message: text(message), span: offset(start)..offset(end) });
            }
            _ => return Err(error("its process answers something else".to_owned())),
        }
        Ok(worker)
    }

    /// Returns how the expression takes rows.
    pub fn way(&self) -> &Way {
        &self.way
    }

    /// Begins a reply. Runs stop when `is_interrupted` returns true.
    pub fn begin(&mut self, layout: Layout, is_interrupted: Rc<dyn Fn() -> bool>) {
        self.answers.get_mut().is_interrupted = is_interrupted;
        self.batch.clear();
        frame::put(&mut self.waiting, frame::BEGIN, &layout.to_bytes());
    }

    /// Sends a member of the reply.
    pub fn member(&mut self, name: &str, value: &[u8]) -> Result<(), Error> {
        frame::put(&mut self.waiting, frame::NAME, name.as_bytes());
        frame::put(&mut self.waiting, frame::MEMBER, value);
        self.send_much()
    }

    /// Begins a list of the reply; its rows follow.
    pub fn begin_list(&mut self, name: &str) {
        frame::put(&mut self.waiting, frame::NAME, name.as_bytes());
        frame::put(&mut self.waiting, frame::LIST, b"");
    }

    /// Sends a row of that list.
    pub fn row(&mut self, row: &[u8]) -> Result<(), Error> {
        frame::put(&mut self.waiting, frame::ROW, row);
        self.send_much()
    }

    /// Ends the list.
    pub fn end_list(&mut self) {
        frame::put(&mut self.waiting, frame::END, b"");
    }

    /// Adds a row, or the member of a row that [`Way::Member`] names, to the next [`Worker::run`].
    pub fn take(&mut self, text: &[u8], is_member: bool) {
        frame::put(&mut self.batch, if is_member { frame::MEMBER } else { frame::ROW }, text);
    }

    /// Returns the size of the rows added so far, in bytes.
    pub fn taken(&self) -> usize {
        self.batch.len()
    }

    /// Has the expression run on the rows that were taken, or else on the whole reply. [`Worker::advance`] waits for
    /// what it yields. After an error there is no use for the worker.
    pub fn run(&mut self) -> Result<(), Error> {
        if self.batch.is_empty() {
            frame::put(&mut self.waiting, frame::WHOLE, b"");
        } else {
            frame::put(&mut self.waiting, frame::BATCH, &self.batch);
            self.batch.clear();
        }
        self.send()
    }

    /// Waits for the next output of a run.
    pub fn advance(&mut self) -> Result<Step, Error> {
        match self.answer()? {
            kind @ (frame::VALUE | frame::TEXT) => {
                self.is_text = kind == frame::TEXT;
                Ok(Step::Made)
            }
            frame::DONE => Ok(Step::Done),
            frame::HALTED => Ok(Step::Halted),
            _ => Err(Error::Failed(String::from_utf8_lossy(&self.body).into_owned())),
        }
    }

    /// The output that [`Worker::advance`] found.
    pub fn made(&self) -> Made<'_> {
        if self.is_text { Made::Text(&self.body) } else { Made::Json(&self.body) }
    }

    fn send_much(&mut self) -> Result<(), Error> {
        if self.waiting.len() < ENOUGH { Ok(()) } else { self.send() }
    }

    fn send(&mut self) -> Result<(), Error> {
        let sent = self.input.write_all(&self.waiting);
        self.waiting.clear();
        sent.map_err(|_| self.ended())
    }

    fn answer(&mut self) -> Result<u8, Error> {
        match frame::read(&mut self.answers, &mut self.body) {
            Ok(Some(kind)) => Ok(kind),
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                Err(Error::Failed(format!("an output takes more than {} MiB", MEMORY_LIMIT >> 20)))
            }
            Ok(None) | Err(_) => Err(self.ended()),
        }
    }

    /// Returns why the process does not answer any more.
    fn ended(&mut self) -> Error {
        if self.answers.get_ref().was_interrupted {
            return Error::Interrupted;
        }
        let Some(child) = &mut self.child else { return Error::Failed("the filter has ended".to_owned()) };
        match child.wait() {
            Ok(status) => {
                use std::os::unix::process::ExitStatusExt;
                match status.signal() {
                    Some(SIGINT) => Error::Interrupted,
                    // The end of the stack, or of the memory that it may use.
                    Some(SIGSEGV | SIGBUS | SIGABRT) => {
                        Error::Failed("the recursion is too deep, or too much memory is needed".to_owned())
                    }
                    _ => Error::Failed(format!("the filter has ended: {status}")),
                }
            }
            Err(error) => Error::Failed(format!("the filter has ended: {error}")),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The output of the process; reading it stops when the user interrupts.
struct Answers {
    pipe: File,
    is_interrupted: Rc<dyn Fn() -> bool>,
    was_interrupted: bool,
}

impl std::fmt::Debug for Answers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Answers").field(&self.pipe).finish()
    }
}

impl Read for Answers {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if (self.is_interrupted)() {
                self.was_interrupted = true;
                return Err(io::Error::other("interrupted"));
            }
            match poll(&mut [PollFd::new(&self.pipe, PollFlags::IN)], Some(&PATIENCE)) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return self.pipe.read(buffer),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// A process, its standard input and its standard output.
type Started = (Option<Child>, OwnedFd, OwnedFd);

/// This program. On Linux it is the running file itself, even if another one has replaced it under its name.
///
/// # Errors
/// When the system does not say where it is.
pub fn own_program() -> io::Result<std::path::PathBuf> {
    if cfg!(target_os = "linux") { Ok("/proc/self/exe".into()) } else { std::env::current_exe() }
}

/// Starts this program once more.
#[cfg(not(test))]
fn start() -> io::Result<Started> {
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};
    // The environment may contain passwords and session uuids; only the variables for time zones and libraries are
    // passed on.
    let needed = ["TZ", "TZDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];
    let variables = needed.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
    let mut command = Command::new(own_program()?);
    command.arg0("zstack-cli").arg(super::serve::WORKER).env_clear().envs(variables);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    match (child.stdin.take(), child.stdout.take()) {
        (Some(input), Some(output)) => Ok((Some(child), input.into(), output.into())),
        _ => Err(io::ErrorKind::BrokenPipe.into()),
    }
}

/// The test binary cannot be started as a worker, so a thread stands in for the process.
#[cfg(test)]
fn start() -> io::Result<Started> {
    let (read_input, input) = io::pipe()?;
    let (output, write_output) = io::pipe()?;
    std::thread::spawn(move || super::serve::serve(read_input, write_output));
    Ok((None, input.into(), output.into()))
}
