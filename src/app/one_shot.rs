//! The one line that the program's arguments came to.

use crate::cli::{self, Options, OwnCommand};
use crate::error::ExitCode;
use crate::secret::{mask_json, mask_value};
use crate::session::{Line, Session, Settings};
use crate::shell::Flow;
use crate::syntax::Command;
use crate::terminal::Output;

use super::conclude::conclude;
use super::evaluate::run_line;
use super::sequence::Sequence;

/// Runs the line, which may be an alias of several commands, and ends.
pub(super) fn run(session: &mut Session, line: cli::Line, arguments: &[String]) -> ExitCode {
    let line = Line::of_arguments(line);
    warn_of_visible_secrets(session, &line);
    let command = if line.words.is_empty() { Command::words_from_args(arguments).0 } else { line.text.clone() };
    let mut commands = Sequence::of_line(line);
    let mut code = ExitCode::Done;
    while let Some(line) = commands.next(session) {
        let result = session.recording(&command, |session| run_line(session, &line, &mut Output::Screen));
        let (ended, flow) = conclude(session, result, &line, None);
        if let Flow::Leave(Some(said)) = flow {
            return ExitCode::said(said);
        }
        if code == ExitCode::Done {
            code = ended;
        }
        let stops = ended != ExitCode::Done && !session.base.options.keep_going;
        if stops || flow != Flow::Continue {
            break;
        }
    }
    code
}

/// Warns whoever sits at a terminal when a secret stands among the program's arguments, which other users of the
/// machine can list. A script would repeat it at every call. The sandbox's passwords are known to everybody.
fn warn_of_visible_secrets(session: &Session, line: &Line) {
    if !session.environment.stderr_terminal || session.base.options.sandbox {
        return;
    }
    let settings = || session.settle_without_contexts(&Options::default());
    match &line.command {
        Ok(cli::Line::Call(words)) => warn_of_arguments(words, settings),
        Ok(cli::Line::Own(OwnCommand::Raw(call))) => warn_of_body(call.body.as_deref().unwrap_or("{}"), settings),
        _ => {}
    }
}

fn warn_of_arguments(words: &[String], settings: impl FnOnce() -> Settings) {
    let visible = words.iter().find_map(|word| {
        let (name, value) = word.split_once('=')?;
        let from_file = value.starts_with('@') && !value.starts_with("@@");
        let is_visible = mask_value(name, value) != value && !from_file;
        is_visible.then_some(name)
    });
    if let Some(name) = visible {
        settings().ui.warn(&format!(
            "other users of this machine can see {name}= among the arguments; {name}=@FILE and {name}=@- read it from a \
             file or from standard input"
        ));
    }
}

fn warn_of_body(body: &str, settings: impl FnOnce() -> Settings) {
    if mask_json(body.as_bytes()) != body {
        settings().ui.warn(
            "other users of this machine can see the secrets of the body among the arguments; @FILE and @- read it from \
             a file or from standard input",
        );
    }
}
