//! A line, run: its redirection set up, its settings settled, its command called.

use crate::cli::{self, OwnCommand};
use crate::commands::{self, call, rehearse, variables};
use crate::error::{Error, OwnError};
use crate::render::{self, Filter};
use crate::session::{Invocation, Line, PrintedAction, Session, Variable, offers, settle_several};
use crate::shell::{Flow, Redirection};
use crate::terminal::{Export, Output, Program};

use super::script;
use super::sequence::Sequence;

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
            let environment = &session.environment;
            out.write_text(&cli::help(&words, environment.variables.language, environment.output_width()))?;
        }
        cli::Line::Own(OwnCommand::Run { file, words }) => {
            return script::file(session, (&file, words), &line.options, &mut out, run_line);
        }
        cli::Line::Own(OwnCommand::Let { name: Some(name), .. }) if line.kept.is_some() => {
            keep(session, &name, line, &mut out)?;
        }
        cli::Line::Own(OwnCommand::Rehearse(typed)) => {
            let settings = &session.settle(&line.options)?;
            let rehearsed = rehearse::run(&mut Invocation { session, settings, out: out.again() }, &typed)?;
            if let Some(script) = rehearsed {
                return script::file(session, (&script.path, Vec::new()), &line.options, &mut out, run_line);
            }
        }
        cli::Line::Own(command) => {
            let several = if reads_several(&command) { settle_several(session, &line.options)? } else { None };
            let settled = several.map_or_else(|| session.settle(&line.options), Ok);
            if matches!(command, OwnCommand::Help { .. } | OwnCommand::Catalog(_)) {
                offers::follow_version(session, settled.as_ref().ok());
            }
            let settings = &commands::settings(session, &command, &line.options, settled)?;
            return commands::run(&mut Invocation { session, settings, out: out.again() }, &command);
        }
        cli::Line::Call(_) => {
            if let Some(settings) = &settle_several(session, &line.options)? {
                let Some(command) = call::command(line, session.catalog)? else { return Ok(Flow::Continue) };
                let mut cx = Invocation { session, settings, out: out.again() };
                return call::run_in(&mut cx, &command).map(|()| Flow::Continue);
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

/// Whether a command reads in several contexts at once.
fn reads_several(command: &OwnCommand) -> bool {
    matches!(
        command,
        OwnCommand::Sql { .. } | OwnCommand::Inspect(_) | OwnCommand::Events { .. } | OwnCommand::Top { .. }
    )
}

/// Runs the command of a `let`, and keeps its result.
fn keep(session: &mut Session, name: &str, line: &Line, out: &mut Output<'_>) -> Result<(), Error> {
    variables::check(session, name)?;
    let kept = line.kept.as_deref().cloned().unwrap_or_else(|| Line::parse(""));
    let mut commands = Sequence::of_line(kept);
    let mut command = commands.next(session);
    let single = command.as_mut().filter(|command| commands.is_empty() && gives_a_result(command));
    let Some(command) = single else {
        let problem = "`let NAME = COMMAND` keeps the result of one command that prints one".to_owned();
        return Err(Error::Own(OwnError::Value { name: name.to_owned(), problem }));
    };
    let settings = session.settle(&command.options)?;
    if settings.call.dry_run {
        let result = run_line(session, command, out);
        settings.ui.say(&format!("${name} would be set to the result"));
        // Later lines show where it would stand.
        let variable = Variable { text: format!("${name}"), is_secret: false };
        session.variables.insert(name.to_owned(), variable);
        return result.map(drop);
    }
    let filter = command.options.jq.take();
    if command.options.output.is_none() || filter.is_some() {
        command.options.output = Some("json".to_owned());
    }
    command.redirection = None;
    let mut printed = variables::Printed::default();
    run_line(session, command, &mut Output::Writer(&mut printed))?;
    variables::keep(session, name, &printed.0, filter.as_deref())
}

/// Whether a command can have a result to keep.
fn gives_a_result(line: &Line) -> bool {
    let is_redirected = matches!(line.redirection, Some(Redirection::File { .. } | Redirection::Program(_)));
    let acts = matches!(
        line.command,
        Ok(cli::Line::Nothing
            | cli::Line::Own(
                OwnCommand::Let { .. } | OwnCommand::Alias { .. } | OwnCommand::Exit { .. } | OwnCommand::Quit
            ))
    );
    !is_redirected && !acts
}

/// Whether an expression is made of words alone, as a call of a program is.
fn is_bare(expression: &str) -> bool {
    expression.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
}
