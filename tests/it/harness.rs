//! Runs the binary with a clean environment and reads as one chain: arguments, input, expected output.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::time::{Duration, Instant};

/// A home of its own for the program, removed at the end.
pub(crate) struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    pub(crate) fn new() -> Home {
        Home { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// A home that has the sandbox's cloud already, copied, so that not every test has to build it.
    pub(crate) fn with_cloud() -> Home {
        static CLOUD: OnceLock<Home> = OnceLock::new();
        let original = CLOUD.get_or_init(|| {
            let home = Home::new();
            home.run(["--sandbox", "QueryZone", "count=true"]).succeeds();
            // Results begin with those of the test.
            std::fs::remove_dir_all(home.path().join("state/results")).expect("a result");
            home
        });
        let home = Home::new();
        copy_folder(original.path(), home.path());
        home
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The text of every file below the home, with its path.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        fn walk(folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
            for entry in std::fs::read_dir(folder).expect("a readable folder") {
                let path = entry.expect("a readable entry").path();
                if path.is_dir() {
                    walk(&path, files);
                } else {
                    files.push((path.clone(), std::fs::read(&path).expect("a readable file")));
                }
            }
        }
        let mut files = Vec::new();
        walk(self.path(), &mut files);
        files
    }

    /// A run of the binary with these arguments.
    pub(crate) fn run<I, S>(&self, arguments: I) -> Run
    where
        I: IntoIterator<Item = S>,
        S: AsRef<std::ffi::OsStr>,
    {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zstack-cli"));
        command.args(arguments).env_clear().env("ZSTACK_CLI_HOME", self.path()).env("LANG", "en_US.UTF-8");
        command.current_dir(self.path());
        Run { command, input: None, output: None, home: None, patience: PATIENCE }
    }

    /// As `run`, for a home that nobody else needs.
    pub(crate) fn run_once<I, S>(self, arguments: I) -> Run
    where
        I: IntoIterator<Item = S>,
        S: AsRef<std::ffi::OsStr>,
    {
        let run = self.run(arguments);
        Run { home: Some(self), ..run }
    }
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("a readable folder") {
        let entry = entry.expect("a readable entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir_all(&target).expect("a new folder");
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).expect("a copied file");
        }
    }
}

/// A run that has not begun.
pub(crate) struct Run {
    command: Command,
    input: Option<Vec<u8>>,
    output: Option<std::fs::File>,
    home: Option<Home>,
    patience: Duration,
}

impl Run {
    pub(crate) fn input(mut self, text: impl AsRef<[u8]>) -> Run {
        self.input = Some(text.as_ref().to_vec());
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Run {
        self.command.env(name, value);
        self
    }

    /// Gives it more time to end than a test usually takes.
    pub(crate) fn within(mut self, patience: Duration) -> Run {
        self.patience = patience;
        self
    }

    /// Has its standard output written there.
    pub(crate) fn output_to(mut self, file: std::fs::File) -> Run {
        self.output = Some(file);
        self
    }

    /// Starts it and leaves it running.
    pub(crate) fn start(&mut self) -> Child {
        self.command.stdin(if self.input.is_some() { Stdio::piped() } else { Stdio::null() });
        self.command.stdout(self.output.take().map_or_else(Stdio::piped, Stdio::from)).stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("the binary starts");
        if let (Some(input), Some(mut stdin)) = (self.input.take(), child.stdin.take()) {
            // In a thread, since the program may want its output read before it reads on. One that stops
            // reading early is no mistake of the test.
            std::thread::spawn(move || stdin.write_all(&input));
        }
        child
    }

    /// Starts it with an input that the test writes, and that stays open.
    pub(crate) fn start_open(&mut self) -> Child {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        self.command.spawn().expect("the binary starts")
    }

    /// Runs it to its end.
    pub(crate) fn done(mut self) -> Done {
        let (arguments, patience) = (format!("{:?}", self.command), self.patience);
        let (output, ended) = output_of(self.start(), self.patience);
        // The home is needed until here.
        drop(self.home);
        let done = Done { arguments, output };
        assert!(ended, "it did not end in {patience:?}\n{}", done.story());
        done
    }

    pub(crate) fn succeeds(self) -> Done {
        self.done().code(0)
    }

    /// Runs it to its end, which may be a failure, but no crash.
    pub(crate) fn ends_itself(self) -> Done {
        let done = self.done();
        assert!(done.output.status.code().is_some_and(|code| code < 64), "{}", done.story());
        done
    }

    pub(crate) fn fails(self, code: i32) -> Done {
        self.done().code(code)
    }
}

/// How long a run may take. Only one that hangs takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a program printed, and whether it ended by itself: after `limit` it is killed.
fn output_of(mut child: Child, limit: Duration) -> (Output, bool) {
    let end = Instant::now() + limit;
    let printed = [child.stdout.take().map(Collected::new), child.stderr.take().map(Collected::new)];
    let closed = printed.iter().flatten().all(|printed| printed.is_complete(end));
    let mut status = None;
    // Its output ends with it, as a rule; then there is nothing to wait for here.
    while closed && status.is_none() && Instant::now() < end {
        status = child.try_wait().expect("a child of ours");
        std::thread::sleep(Duration::from_millis(if status.is_none() { 1 } else { 0 }));
    }
    let ended = status.is_some();
    if !ended {
        child.kill().expect("a child of ours");
    }
    let [stdout, stderr] = printed.map(|printed| printed.map(|printed| printed.bytes()).unwrap_or_default());
    let status = child.wait().expect("a child of ours");
    (Output { status, stdout, stderr }, ended)
}

/// What comes out of a pipe, read by a thread of its own.
struct Collected {
    bytes: Arc<Mutex<Vec<u8>>>,
    /// Closed at the end.
    complete: mpsc::Receiver<()>,
}

impl Collected {
    fn new(mut pipe: impl Read + Send + 'static) -> Collected {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let (end, complete) = mpsc::channel();
        let collected = Arc::clone(&bytes);
        std::thread::spawn(move || {
            let _end: mpsc::Sender<()> = end;
            let mut piece = [0; 1 << 16];
            while let Ok(count @ 1..) = pipe.read(&mut piece) {
                collected.lock().expect("no panic").extend_from_slice(&piece[..count]);
            }
        });
        Collected { bytes, complete }
    }

    fn is_complete(&self, end: Instant) -> bool {
        let left = end.saturating_duration_since(Instant::now());
        self.complete.recv_timeout(left) == Err(mpsc::RecvTimeoutError::Disconnected)
    }

    fn bytes(self) -> Vec<u8> {
        self.bytes.lock().expect("no panic").clone()
    }
}

#[cfg(unix)]
#[test]
fn a_program_that_hangs_is_killed_and_what_it_printed_is_kept() {
    let mut command = Command::new("sh");
    command.args(["-c", "echo begun; exec sleep 1000"]).stdout(Stdio::piped());
    let (output, ended) = output_of(command.spawn().expect("it starts"), Duration::from_millis(300));
    assert!(!ended);
    assert_eq!(output.stdout, b"begun\n");
}

/// A run that has ended.
pub(crate) struct Done {
    arguments: String,
    output: Output,
}

impl Done {
    pub(crate) fn code(self, code: i32) -> Done {
        assert_eq!(self.output.status.code(), Some(code), "{}", self.story());
        self
    }

    /// Standard output, exactly.
    pub(crate) fn stdout(self, expected: &str) -> Done {
        assert_eq!(self.out(), expected, "{}", self.story());
        self
    }

    /// Standard error, exactly.
    pub(crate) fn stderr(self, expected: &str) -> Done {
        assert_eq!(self.err(), expected, "{}", self.story());
        self
    }

    pub(crate) fn stdout_has(self, part: &str) -> Done {
        assert!(self.out().contains(part), "no {part:?} in\n{}", self.story());
        self
    }

    pub(crate) fn stderr_has(self, part: &str) -> Done {
        assert!(self.err().contains(part), "no {part:?} in\n{}", self.story());
        self
    }

    pub(crate) fn never_shows(self, part: &str) -> Done {
        assert!(!self.out().contains(part) && !self.err().contains(part), "{part:?} in\n{}", self.story());
        self
    }

    pub(crate) fn out(&self) -> String {
        String::from_utf8(self.output.stdout.clone()).expect("text on standard output")
    }

    pub(crate) fn err(&self) -> String {
        String::from_utf8(self.output.stderr.clone()).expect("text on standard error")
    }

    /// Standard output as JSON, checked by a parser that is not ours.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.output.stdout).unwrap_or_else(|error| panic!("{error}\n{}", self.story()))
    }

    fn story(&self) -> String {
        format!(
            "{}\nstatus: {:?}\nstdout: {}\nstderr: {}",
            self.arguments,
            self.output.status.code(),
            String::from_utf8_lossy(&self.output.stdout),
            String::from_utf8_lossy(&self.output.stderr)
        )
    }
}
