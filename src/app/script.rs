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
use super::script_lines::Lines;

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

/// Runs the commands of a file as if they had been typed. The options of the line hold for all of them.
pub(super) fn file(
    session: &mut Session,
    path: &Path,
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
    let code = lines_of(session, path, out, run_line);
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
/// the exit code.
fn run(
    session: &mut Session,
    reader: &mut dyn BufRead,
    name: Option<&str>,
    out: &mut Output<'_>,
    run_line: RunLine,
) -> ExitCode {
    let mut first_failure = ExitCode::Done;
    for line in Lines::new(reader) {
        let line = match line {
            Ok(line) => line,
            Err(source) => {
                let settings = session.settle_if_possible(&Options::default());
                let path = name.unwrap_or("standard input").to_owned();
                return session.report(Error::Script { path, source }, &settings, None, None);
            }
        };
        let source = Source::Script { name, line: line.number };
        let line = Line::parse(&line.text);
        let result = session.recording(&line.text, |session| run_line(session, &line, out));
        let (code, flow) = conclude(session, result, &line, Some(&source));
        if first_failure == ExitCode::Done {
            first_failure = code;
        }
        let stops = code != ExitCode::Done && !session.base.options.keep_going;
        if flow == Flow::Leave || stops || code == ExitCode::Interrupted {
            break;
        }
    }
    first_failure
}
