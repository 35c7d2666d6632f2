//! The program: from its arguments, its prompt or a script to lines, and from each line to an outcome.

mod conclude;
mod evaluate;
mod one_shot;
mod prompt;
mod script;
mod script_lines;
mod sequence;
#[cfg(test)]
mod translations;

use std::ffi::OsString;
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};

use crate::cli::{self, Options, UsageError};
use crate::config::Environment;
use crate::error::{Error, ExitCode};
use crate::jq;
use crate::session::{Session, error_format, errors_of_environment};
use crate::terminal;
use crate::tty;

/// Runs the program with the arguments that follow its name.
pub fn run(environment: Environment, arguments: &[OsString]) -> ExitCode {
    if let Some(served) = jq::serve_if_asked(arguments) {
        // The process that started this one sees the pipe end.
        return if served.is_ok() { ExitCode::Done } else { ExitCode::NoAnswer };
    }
    let texts: Vec<_> = arguments.iter().map(|argument| argument.to_string_lossy()).collect();
    let format = error_format(cli::errors_among(&texts), &environment.variables);
    panic::set_hook(Box::new(move |panic| {
        tty::restore();
        let _ = writeln!(io::stderr(), "{}", terminal::bug(panic.location(), format));
    }));
    panic::catch_unwind(AssertUnwindSafe(|| start(environment, arguments))).unwrap_or(ExitCode::Bug)
}

fn start(environment: Environment, arguments: &[OsString]) -> ExitCode {
    let mut options = Options::default();
    let text = |line: &cli::Line| match line {
        cli::Line::Text(text) => Some(text.clone()),
        cli::Line::Help(words) => Some(cli::help(words, environment.variables.language, environment.output_width())),
        _ => None,
    };
    match read(&environment, arguments, &mut options) {
        // `--help` and `--version` need nothing of what follows, unless they cannot be written: that is told as always.
        Ok((line, _)) if text(&line).is_some_and(|text| terminal::Output::Screen.write_text(&text).is_ok()) => {
            ExitCode::Done
        }
        Ok((line, words)) => run_line(Session::new(environment, options), line, &words),
        Err(error) => {
            let options = Options { errors: options.errors, ..Options::default() };
            let mut session = Session::new(environment, options);
            let settings = session.settle_if_possible(&Options::default());
            session.report(error, &settings, None, None)
        }
    }
}

/// What the arguments come to, with their texts. Where they make no sense, `options` say how to tell it.
fn read(
    environment: &Environment,
    arguments: &[OsString],
    options: &mut Options,
) -> Result<(cli::Line, Vec<String>), Error> {
    let texts: Vec<_> = arguments.iter().map(|argument| argument.to_string_lossy()).collect();
    options.errors = cli::errors_among(&texts);
    let texts = arguments.iter().map(|argument| argument.to_str().ok_or_else(|| UsageError::not_text(argument)));
    let words = texts.map(|text| text.map(str::to_owned)).collect::<Result<Vec<String>, UsageError>>();
    let line = words.and_then(|words| Ok((cli::parse(&words, options)?, words))).map_err(Error::from);
    // A wrong value in the environment is told before anything else can go wrong, unless the option decides.
    if options.errors.is_none() {
        errors_of_environment(&environment.variables)?;
    }
    line
}

/// Runs the line of the arguments, or the shell, or a script.
fn run_line(mut session: Session, line: cli::Line, arguments: &[String]) -> ExitCode {
    let code = match line {
        cli::Line::Nothing if session.environment.stdin_terminal => prompt::run(&mut session),
        cli::Line::Nothing => script::stdin(&mut session, &mut terminal::Output::Screen, evaluate::run_line),
        line => one_shot::run(&mut session, line, arguments),
    };
    session.close();
    code
}
