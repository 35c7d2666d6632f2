//! A line, run: its redirection set up, its settings settled, its command called.

use crate::cli::{self, Options, OwnCommand};
use crate::commands::{self, call};
use crate::error::Error;
use crate::render::{self, Filter};
use crate::session::{Invocation, Line, PrintedAction, Session, offers};
use crate::shell::{Flow, Redirection};
use crate::terminal::{Export, Output, Program};

use super::script;

/// Runs a line, with its redirection; without one its output goes to `out`.
pub(super) fn run_line(session: &mut Session, line: &Line, out: &mut Output<'_>) -> Result<Flow, Error> {
    match &line.redirection {
        None => evaluate(session, line, out.again()),
        Some(Redirection::File { path, append }) => {
            let failed = |source| Error::Export { path: path.clone(), source };
            let mut file = Export::open(path.as_ref(), *append).map_err(failed)?;
            session.printed_action = None;
            let result = evaluate(session, line, Output::Writer(&mut file));
            // The result of an action is kept as it is, too.
            if matches!(result, Ok(_) | Err(Error::NotShown(_)))
                && let Err(source) = file.keep()
            {
                return Err(match session.printed_action.take() {
                    Some(PrintedAction { api, made }) => Error::NotWritten { api, made, source },
                    None => failed(source),
                });
            }
            result
        }
        Some(Redirection::Program(program)) => {
            let started = Program::start(Program::command(program), &session.interrupt);
            let mut program = started.map_err(|source| Error::Program { program: program.clone(), source })?;
            let result = evaluate(session, line, Output::Writer(&mut program));
            program.wait()?;
            match result {
                // The program had seen enough; the shell's own output is another matter.
                Err(error) if error.is_closed_pipe() => Ok(Flow::Continue),
                result => result,
            }
        }
        Some(Redirection::Filter(expression)) => {
            let expression = expression.clone();
            if let Err(error) = Filter::compile(&expression) {
                return Err(Error::PipeFilter { problem: error.message, expression });
            }
            match evaluate(session, line, out.again()) {
                // `sort` is a filter too, but not of a reply.
                Err(Error::Render(render::Error::Filter { message })) if is_bare(&expression) => {
                    Err(Error::PipeFilter { problem: message, expression })
                }
                result => result,
            }
        }
    }
}

/// Runs the command of a line.
fn evaluate(session: &mut Session, line: &Line, mut out: Output<'_>) -> Result<Flow, Error> {
    match line.command.clone()? {
        cli::Line::Nothing => {}
        cli::Line::Text(text) => out.write_text(&text)?,
        cli::Line::Help(words) => {
            out.write_text(&cli::help(&words, session.environment.variables.language))?;
        }
        cli::Line::Own(OwnCommand::Run { file }) => {
            return script::file(session, &file, &line.options, &mut out, run_line);
        }
        cli::Line::Own(command) => {
            let settled = session.settle(&line.options);
            if matches!(command, OwnCommand::Help { .. } | OwnCommand::Catalog(_)) {
                offers::follow_version(session, settled.as_ref().ok());
            }
            let settings = &commands::settings(session, &command, &line.options, settled)?;
            return commands::run(&mut Invocation { session, settings, out: out.again() }, &command);
        }
        cli::Line::Call(_) => {
            if let Some(contexts) = several_contexts(session, &line.options) {
                let Some(command) = call::command(line, session.catalog)? else { return Ok(Flow::Continue) };
                let options = Options { context: contexts.first().cloned(), ..line.options.clone() };
                let settings = &session.settle(&options)?;
                let mut cx = Invocation { session, settings, out: out.again() };
                return call::run_in(&mut cx, &command, &contexts, &line.options).map(|()| Flow::Continue);
            }
            let settled = session.settle(&line.options);
            offers::follow_version_for(session, line.api(), settled.as_ref().ok());
            // What is wrong with the command is told before what is wrong with the configuration.
            if let Some(command) = call::command(line, session.catalog)? {
                let settings = &settled?;
                call::run(&mut Invocation { session, settings, out: out.again() }, command)?;
            }
        }
    }
    Ok(Flow::Continue)
}

/// The contexts of a line, if it names several.
fn several_contexts(session: &Session, options: &Options) -> Option<Vec<String>> {
    let named = options.context.as_ref().or(session.base.options.context.as_ref())?;
    let mut contexts: Vec<String> = Vec::new();
    for name in named.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        if !contexts.iter().any(|known| known == name) {
            contexts.push(name.to_owned());
        }
    }
    named.contains(',').then_some(contexts)
}

/// Whether an expression is made of words alone, as a call of a program is.
fn is_bare(expression: &str) -> bool {
    expression.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
}
