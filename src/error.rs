//! Everything that can end a command, and the exit code that it means.

mod hint;
mod kind;
mod name;

use std::io;
use std::ops::Range;

use crate::catalog::import::ImportError;
use crate::client::{self, ApiFailure, EndpointError, FailedPart};
use crate::syntax::{CommandError, FileError};
use crate::{cli, config, plan, render, results, sandbox, shell};

pub(crate) use hint::{Circumstances, SECOND_FACTOR_DUE, SECOND_FACTOR_WRONG, hint};
pub use kind::Kind;
pub use name::{NameError, NameProblem};

/// How the program ends. The numbers are part of its contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// Done.
    Done = 0,
    /// The command is wrong; nothing was sent.
    Command = 1,
    /// The options are wrong, the configuration cannot be read (nothing was sent then), or the output cannot be written.
    Options = 2,
    /// The node answered, and the answer is a failure.
    Failed = 3,
    /// No usable answer.
    NoAnswer = 4,
    /// Not logged in.
    NoSession = 5,
    /// The outcome of a job is not known.
    Unknown = 6,
    /// With `--fail-empty`: a query found nothing.
    Empty = 7,
    /// A bug in the program.
    Bug = 70,
    /// Interrupted.
    Interrupted = 130,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        std::process::ExitCode::from(code as u8)
    }
}

/// What ended a command.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The words are not understood.
    #[error(transparent)]
    Usage(#[from] cli::UsageError),
    /// The value of an option makes no sense.
    #[error("--{option}: {problem}")]
    Option {
        /// The option's long name.
        option: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// A value that nobody typed with the line makes no sense.
    #[error("{}: {problem}", origin.name(.option))]
    Preference {
        /// The long name of the option that has the same meaning.
        option: &'static str,
        /// Where the value comes from.
        origin: config::Origin,
        /// What is wrong with it.
        problem: String,
    },
    /// An action was sent, and what came of it cannot be shown in the way that was asked for. It was shown as
    /// it is.
    #[error("the action was sent, and what came of it cannot be shown as asked: {0}")]
    NotShown(render::Error),
    /// The line is no command.
    #[error(transparent)]
    Syntax(#[from] CommandError),
    /// A word of a call is no argument.
    #[error("{error}")]
    Argument {
        /// What is wrong with it.
        error: CommandError,
        /// What was probably meant, by what the API takes.
        hint: String,
    },
    /// The file of an `@FILE` value cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The command cannot be planned.
    #[error(transparent)]
    Plan(#[from] plan::Error),
    /// A name in the place of a uuid does not tell which resource is meant.
    #[error(transparent)]
    Name(Box<NameError>),
    /// The address of the node makes no sense.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The configuration, or a stored session, cannot be read or written.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// A kept result cannot be shown.
    #[error(transparent)]
    Results(#[from] results::ResultsError),
    /// Kept results cannot be saved.
    #[error(transparent)]
    Save(#[from] results::SaveError),
    /// What follows a command at the prompt, a pipe or a file, makes no sense.
    #[error(transparent)]
    Redirect(#[from] shell::RedirectError),
    /// The interactive shell cannot go on.
    #[error(transparent)]
    Shell(#[from] shell::ShellError),
    /// There is no reply.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// The node says that the API failed.
    #[error("{}", headline(.0))]
    Api(Box<ApiFailure>),
    /// The node says that parts of a batch failed; the others were done.
    #[error("{} of the parts failed", .0.len())]
    Parts(Vec<FailedPart>),
    /// The reply could not be printed.
    #[error(transparent)]
    Render(render::Error),
    /// A query found nothing, and the user wants that to count as a failure.
    #[error("nothing found")]
    Empty,
    /// The sandbox cannot be started or changed.
    #[error(transparent)]
    Sandbox(#[from] sandbox::Error),
    /// A script or its input cannot be read.
    #[error("cannot read {path}: {source}")]
    Script {
        /// The file.
        path: String,
        /// What went wrong.
        source: io::Error,
    },
    /// The file is no SDK that a catalog can be read from.
    #[error("cannot import {path}: {problem}")]
    Import {
        /// The file.
        path: String,
        /// What is wrong with it.
        problem: ImportError,
    },
    /// A program that a line names cannot be run.
    #[error("cannot run {program}: {source}")]
    Program {
        /// The program.
        program: String,
        /// What went wrong.
        source: io::Error,
    },
    /// The file behind `>` cannot be written.
    #[error("cannot write {path}: {source}")]
    Export {
        /// The file.
        path: String,
        /// What went wrong.
        source: io::Error,
    },
    /// What follows `|` is no filter.
    #[error("`{expression}` cannot be a filter: {problem}")]
    PipeFilter {
        /// What is wrong with it.
        problem: String,
        /// What follows the sign.
        expression: String,
    },
    /// What is wrong with one of the program's own commands.
    #[error("{0}")]
    Own(OwnError),
    /// Something that was reported already, such as a failed command of a script.
    #[error("a command failed")]
    Reported(ExitCode),
    /// An action was done, and what came of it cannot be written.
    #[error("{api} was done, but its result cannot be written: {}{made}", cause(.source))]
    NotWritten {
        /// The action.
        api: &'static str,
        /// What it made, in brackets; empty where it made nothing.
        made: String,
        /// What went wrong.
        source: io::Error,
    },
    /// Output cannot be written.
    #[error("cannot write the output: {}", cause(.0))]
    Write(#[from] io::Error),
}

/// What is wrong with one of the program's own commands.
#[derive(Debug, thiserror::Error)]
pub enum OwnError {
    /// It makes sense in the interactive shell only.
    #[error("{0} works in the interactive shell only")]
    ShellOnly(&'static str),
    /// It changes what holds for the lines that follow, and none does.
    #[error("`set` holds for what follows in the shell or in a script, and nothing follows here")]
    NothingFollows,
    /// There is nothing of that name.
    #[error("there is no {kind} called {name}")]
    NotFound {
        /// What was looked for.
        kind: &'static str,
        /// The name.
        name: String,
        /// The closest name.
        closest: Option<String>,
    },
    /// A password is needed and nobody can be asked.
    #[error("a password is needed, and there is no terminal to ask for it")]
    NoPassword,
    /// No context is in use.
    #[error("no context is in use")]
    NoContext,
    /// The user did not confirm.
    #[error("not confirmed; nothing was sent")]
    NotConfirmed,
    /// Scripts run each other without end, or nearly so.
    #[error("scripts may run each other {most} deep, not deeper")]
    NestedScripts {
        /// How deep.
        most: usize,
    },
    /// A value makes no sense.
    #[error("{name}: {problem}")]
    Value {
        /// What it is a value of.
        name: String,
        /// What is wrong.
        problem: String,
    },
}

/// What happened: the outer details, or the fixed text of the code.
fn headline(failure: &ApiFailure) -> String {
    let text = failure.error.what();
    if text.is_empty() {
        "the API failed".to_owned()
    } else {
        crate::json::escape_unprintable(&crate::secret::mask_text(text)).into_owned()
    }
}

/// What the system says, without its number.
fn cause(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error ") {
        Some((cause, _)) => cause.to_owned(),
        None => text,
    }
}

impl From<render::Error> for Error {
    fn from(error: render::Error) -> Error {
        match error {
            render::Error::Read(read) => Error::Client(client::Error::of_read(&read)),
            render::Error::Write(error) => Error::Write(error),
            render::Error::Interrupted => Error::Client(client::Error::Interrupted { job: None }),
            other => Error::Render(other),
        }
    }
}

impl Error {
    /// What sort of error it is; none for what was told before.
    pub fn kind(&self) -> Option<Kind> {
        Kind::of(self)
    }

    /// The exit code that the error means.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Error::Reported(code) => *code,
            error => error.kind().map_or(ExitCode::Bug, Kind::exit_code),
        }
    }

    /// Whether the reader of the output went away, which ends the program quietly.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Error::Write(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The words that are wrong, in bytes of the command's line.
    pub fn span(&self) -> Option<Range<usize>> {
        match self {
            Error::Syntax(error) | Error::Argument { error, .. } => Some(error.span()),
            Error::File(error) => Some(error.span.clone()),
            Error::Plan(error) => error.span.clone(),
            Error::Name(error) => Some(error.span.clone()),
            Error::Redirect(error) => Some(error.span()),
            _ => None,
        }
    }
}
