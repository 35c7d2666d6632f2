//! Commands that come one per line, from standard input or from a file.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use crate::cli::Options;
use crate::error::{Error, ExitCode, OwnError};
use crate::session::{Line, Session};
use crate::shell::Flow;
use crate::terminal::{Output, Source, stdin_is_taken};

use super::conclude::conclude;
use super::script_lines::{Lines, ScriptLine};
use super::sequence::Sequence;

/// How many scripts may run inside each other. One that runs itself would not end.
const MOST_SCRIPTS: usize = 16;

/// How a line is run.
pub(super) type RunLine = fn(&mut Session, &Line, &mut Output<'_>) -> Result<Flow, Error>;

/// Runs the commands that standard input brings.
pub(super) fn stdin(session: &mut Session, out: &mut Output<'_>, run_line: RunLine) -> ExitCode {
    // A lock on it would be waited for by whatever else wants to read it, for ever.
    session.reads_stdin = true;
    let code = run(session, &mut io::stdin().lock(), None, out, run_line);
    session.reads_stdin = false;
    code
}

/// Runs the commands of a file as if they had been typed, with the words that `$1` to `$9` and `$*` stand for. The
/// options of the line hold for all of them.
pub(super) fn file(
    session: &mut Session,
    (path, words): (&Path, Vec<String>),
    options: &Options,
    out: &mut Output<'_>,
    run_line: RunLine,
) -> Result<Flow, Error> {
    if session.scripts == MOST_SCRIPTS {
        return Err(Error::Own(OwnError::NestedScripts { most: MOST_SCRIPTS }));
    }
    let has_options = *options != Options::default();
    let held = session.base.with(options);
    let before = has_options.then(|| std::mem::replace(&mut session.base, held));
    session.scripts += 1;
    let outer_words = session.words.replace(words);
    let code = lines_of(session, path, out, run_line);
    session.words = outer_words;
    session.scripts -= 1;
    if let Some(before) = before {
        session.base = before;
    }
    match code? {
        ExitCode::Done => Ok(Flow::Continue),
        code => Err(Error::Reported(code)),
    }
}

fn lines_of(session: &mut Session, path: &Path, out: &mut Output<'_>, run_line: RunLine) -> Result<ExitCode, Error> {
    let name = path.display().to_string();
    if name != "-" {
        let file = File::open(path).map_err(|source| Error::Script { path: name.clone(), source })?;
        return Ok(run(session, &mut BufReader::new(file), Some(&name), out, run_line));
    }
    if session.reads_stdin {
        return Err(Error::Script { path: name, source: stdin_is_taken() });
    }
    Ok(stdin(session, out, run_line))
}

/// Runs the commands of a script; the first failure ends it unless `--keep-going` says otherwise, and is
/// the exit code. `exit` ends it with the code of the last failure.
fn run(
    session: &mut Session,
    reader: &mut dyn BufRead,
    name: Option<&str>,
    out: &mut Output<'_>,
    run_line: RunLine,
) -> ExitCode {
    let mut failures = Failures::default();
    for line in Lines::new(reader) {
        let ScriptLine { text, number } = match line {
            Ok(line) => line,
            Err(source) => {
                let settings = session.settle_if_possible(&Options::default());
                let path = name.unwrap_or("standard input").to_owned();
                return session.report(Error::Script { path, source }, &settings, None, None);
            }
        };
        let source = Source::Script { name, line: number };
        let mut commands = Sequence::of(&text);
        while let Some(line) = commands.next(session) {
            let result = session.recording(&line.text, |session| run_line(session, &line, out));
            let (code, flow) = conclude(session, result, &line, Some(&source));
            failures.add(code);
            match flow {
                Flow::Leave(Some(code)) => return ExitCode::said(code),
                Flow::Leave(None) => return failures.last,
                Flow::Continue => {}
            }
            let stops = code != ExitCode::Done && !session.base.options.keep_going;
            if stops || code == ExitCode::Interrupted {
                return failures.first;
            }
        }
    }
    failures.first
}

/// The codes of the failures of a script.
struct Failures {
    first: ExitCode,
    last: ExitCode,
}

impl Default for Failures {
    fn default() -> Failures {
        Failures { first: ExitCode::Done, last: ExitCode::Done }
    }
}

impl Failures {
    fn add(&mut self, code: ExitCode) {
        if code != ExitCode::Done {
            self.last = code;
        }
        if self.first == ExitCode::Done {
            self.first = code;
        }
    }
}
