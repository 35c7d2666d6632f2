//! How a line ended, told where that is a failure.

use crate::error::{Error, ExitCode};
use crate::session::{Line, Session};
use crate::shell::Flow;
use crate::terminal::Source;

/// Tells what went wrong with a command, if anything did, and what that means for the exit code. `source` is where it
/// stands.
pub(super) fn conclude(
    session: &mut Session,
    result: Result<Flow, Error>,
    line: &Line,
    source: Option<&Source<'_>>,
) -> (ExitCode, Flow) {
    match result {
        Ok(flow) => (ExitCode::Done, flow),
        // The reader has what it wanted.
        Err(error) if error.is_closed_pipe() => (ExitCode::Done, Flow::Leave(None)),
        Err(error) => {
            // What is wrong may be the configuration itself.
            let settings = session.settle_if_possible(&line.options);
            (session.report(error, &settings, source, Some(&line.text)), Flow::Continue)
        }
    }
}
