//! The program's commands, one file each: its own, and the call of an API.
//!
//! Each is a function of an `Invocation` (session, settings, output) and of its arguments. Only `run FILE` is in `app`,
//! since it runs further lines.

pub(crate) mod alias;
pub(crate) mod call;
mod capacity;
mod capacity_rows;
mod captcha;
mod catalog;
mod checks;
mod complete;
mod completions;
mod context;
mod describe;
mod describe_page;
mod each;
mod events;
mod events_rows;
pub mod help;
mod history;
mod inspect;
mod inspect_report;
mod job;
mod job_named;
mod job_wait;
pub(crate) mod login;
mod man;
mod metrics;
mod more;
mod raw;
pub(crate) mod rehearse;
mod report;
mod sandbox;
mod sandbox_changes;
mod sandbox_clone;
mod sandbox_states;
mod save;
mod set;
mod sql;
mod top;
pub(crate) mod variables;
mod zql;

use crate::cli::{Options, OwnCommand, SandboxCommand};
use crate::error::Error;
use crate::session::{Invocation, Session, Settings};
use crate::shell::Flow;

/// The settings of one of the program's own commands. Commands that need no configuration work even if it is invalid.
pub(crate) fn settings(
    session: &Session,
    command: &OwnCommand,
    options: &Options,
    settled: Result<Settings, Error>,
) -> Result<Settings, Error> {
    match command {
        OwnCommand::Sandbox(SandboxCommand::Clone { .. }) => settled,
        OwnCommand::Context(_) | OwnCommand::Complete { .. } | OwnCommand::Sandbox(_) => {
            Ok(session.settle_typed(options))
        }
        OwnCommand::Help { .. }
        | OwnCommand::Catalog(_)
        | OwnCommand::Man
        | OwnCommand::Completions { .. }
        | OwnCommand::History { .. }
        | OwnCommand::Set { .. }
        | OwnCommand::Run { .. }
        | OwnCommand::Let { .. }
        | OwnCommand::Unlet { .. }
        | OwnCommand::Exit { .. }
        | OwnCommand::Quit => Ok(settled.unwrap_or_else(|_| session.settle_without_contexts(options))),
        _ => settled,
    }
}

/// Runs one of the program's own commands.
pub(crate) fn run(cx: &mut Invocation<'_>, command: &OwnCommand) -> Result<Flow, Error> {
    match command {
        OwnCommand::Exit { code } => Ok(Flow::Leave(*code)),
        OwnCommand::Quit => Ok(Flow::Leave(None)),
        OwnCommand::Help { subject } => help::run(cx, subject),
        OwnCommand::Login(with) => login::run(cx, with),
        OwnCommand::Logout => login::out(cx),
        OwnCommand::Context(command) => context::run(cx, command),
        OwnCommand::More { number } => more::run(cx, *number),
        OwnCommand::Save { numbers, target, json_only } => {
            save::run(cx, numbers, target.as_deref(), json_only.is_some())
        }
        OwnCommand::History { count } => history::run(cx, *count),
        OwnCommand::Set { save, name, value } => set::run(cx, name.as_deref(), value, *save),
        OwnCommand::Capacity => capacity::run(cx),
        OwnCommand::Describe { kind, name } => describe::run(cx, kind, name),
        OwnCommand::Metrics(line) => metrics::run(cx, line),
        OwnCommand::Top { of } => top::run(cx, *of),
        OwnCommand::Events { since } => events::run(cx, *since),
        OwnCommand::Each(line) => each::run(cx, line),
        OwnCommand::Raw(call) => raw::run(cx, call),
        OwnCommand::Inspect(line) => inspect::run(cx, line),
        OwnCommand::Sql { statement } => sql::run(cx, &statement.join(" ")),
        OwnCommand::Zql { query } => zql::run(cx, &query.join(" ")),
        OwnCommand::Catalog(command) => catalog::run(cx, command),
        OwnCommand::Complete { line } => complete::run(cx, &line.join(" ")),
        OwnCommand::Completions { shell } => write(cx, completions::script(*shell)),
        OwnCommand::Man => man::run(cx),
        OwnCommand::Sandbox(command) => sandbox::run(cx, command),
        OwnCommand::Job(line) => job::run(cx, line),
        OwnCommand::Let { name, line } => variables::show(cx, name.as_deref(), line),
        OwnCommand::Unlet { name } => variables::forget(cx, name),
        OwnCommand::Alias { name, line } => alias::run(cx, name.as_deref(), line),
        OwnCommand::Unalias { name } => alias::forget(cx, name),
        // `app` runs scripts itself, and what was rehearsed.
        OwnCommand::Run { .. } | OwnCommand::Rehearse(_) => Ok(Flow::Continue),
    }
}

fn write(cx: &mut Invocation<'_>, text: &str) -> Result<Flow, Error> {
    cx.out.write_text(text)?;
    Ok(Flow::Continue)
}
