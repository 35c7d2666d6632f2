//! The errors that can end a command, and their exit codes.

mod hint;
mod kind;
mod name;

use std::io;
use std::ops::Range;

use crate::catalog::import::ImportError;
use crate::client::{self, ApiFailure, EndpointError, FailedPart};
use crate::json::ReadError;
use crate::syntax::{CommandError, FileError, lex};
use crate::{cli, config, plan, render, results, sandbox, shell, sql};

pub(crate) use hint::{Circumstances, SECOND_FACTOR_DUE, SECOND_FACTOR_WRONG, hint};
pub use kind::Kind;
pub use name::{NameError, NameProblem};

/// The exit codes of the program. The numbers do not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// Done.
    Done,
    /// The command is wrong; nothing was sent.
    Command,
    /// The options are wrong, the configuration cannot be read (nothing was sent then), or the output cannot be written.
    Options,
    /// The node answered, and the answer is a failure.
    Failed,
    /// No usable answer.
    NoAnswer,
    /// Not logged in.
    NoSession,
    /// The outcome of a job is not known.
    Unknown,
    /// With `--fail-empty`: a query found nothing.
    Empty,
    /// With `--fail-on`: an inspection found something.
    Findings,
    /// A bug in the program.
    Bug,
    /// Interrupted.
    Interrupted,
    /// What `exit` said, other than 0.
    Said(u8),
}

impl ExitCode {
    /// The code of an `exit`.
    pub fn said(number: u8) -> ExitCode {
        if number == 0 { ExitCode::Done } else { ExitCode::Said(number) }
    }

    /// Its number.
    pub fn number(self) -> u8 {
        match self {
            ExitCode::Done => 0,
            ExitCode::Command => 1,
            ExitCode::Options => 2,
            ExitCode::Failed => 3,
            ExitCode::NoAnswer => 4,
            ExitCode::NoSession => 5,
            ExitCode::Unknown => 6,
            ExitCode::Empty => 7,
            ExitCode::Findings => 8,
            ExitCode::Bug => 70,
            ExitCode::Interrupted => 130,
            ExitCode::Said(number) => number,
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        std::process::ExitCode::from(code.number())
    }
}

/// What ended a command.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The arguments are invalid.
    #[error(transparent)]
    Usage(#[from] cli::UsageError),
    /// The value of an option is invalid.
    #[error("--{option}: {problem}")]
    Option {
        /// The option's long name.
        option: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// A value that was not typed with the line is invalid.
    #[error("{}: {problem}", origin.name(.option))]
    Preference {
        /// The long name of the corresponding option.
        option: &'static str,
        /// The origin of the value.
        origin: config::Origin,
        /// What is wrong with it.
        problem: String,
    },
    /// An action was sent, but its result cannot be shown as requested. It was shown unchanged.
    #[error("the action was sent, but its result cannot be shown as requested: {0}")]
    NotShown(render::Error),
    /// The line is not a command.
    #[error(transparent)]
    Syntax(#[from] CommandError),
    /// A word of a call is not an argument.
    #[error("{error}")]
    Argument {
        /// What is wrong with it.
        error: CommandError,
        /// A suggestion, based on the parameters of the API.
        hint: String,
    },
    /// The file of an `@FILE` value cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The command cannot be planned.
    #[error(transparent)]
    Plan(#[from] plan::Error),
    /// A statement in SQL is wrong.
    #[error(transparent)]
    Sql(#[from] sql::StatementError),
    /// A name that was given instead of a uuid does not identify one resource.
    #[error(transparent)]
    Name(Box<NameError>),
    /// The address of the node is invalid.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The configuration, or a stored session, cannot be read or written.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// A stored result cannot be shown.
    #[error(transparent)]
    Results(#[from] results::ResultsError),
    /// Stored results cannot be saved.
    #[error(transparent)]
    Save(#[from] results::SaveError),
    /// The redirection of a command is invalid.
    #[error(transparent)]
    Redirect(#[from] shell::RedirectError),
    /// The interactive shell cannot continue.
    #[error(transparent)]
    Shell(#[from] shell::ShellError),
    /// There is no reply.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// The node reported that the API failed.
    #[error("{}", headline(.0))]
    Api(Box<ApiFailure>),
    /// The node reported that parts of a batch failed; the others were done.
    #[error("{} of the parts failed", .0.len())]
    Parts(Vec<FailedPart>),
    /// The reply could not be printed.
    #[error(transparent)]
    Render(render::Error),
    /// A query found nothing, with `--fail-empty`.
    #[error("nothing found")]
    Empty,
    /// An inspection found something, with `--fail-on`.
    #[error("{count} of the findings are {weight}{}", if *weight == "urgent" { "" } else { " or worse" })]
    Findings {
        /// How many.
        count: usize,
        /// The weight that they have at least.
        weight: &'static str,
    },
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
    /// The text after `|` is not a filter.
    #[error("`{expression}` cannot be a filter: {problem}")]
    PipeFilter {
        /// What is wrong with it.
        problem: String,
        /// The text after the sign.
        expression: String,
    },
    /// What is wrong with one of the program's own commands.
    #[error("{0}")]
    Own(OwnError),
    /// Something that was reported already, such as a failed command of a script.
    #[error("a command failed")]
    Reported(ExitCode),
    /// An action was done, but its result cannot be written.
    #[error("{api} was done, but its result cannot be written: {}{made}", cause(.source))]
    NotWritten {
        /// The action.
        api: &'static str,
        /// What it created, in brackets; empty if it created nothing.
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
    /// It works in the interactive shell only.
    #[error("{0} works in the interactive shell only")]
    ShellOnly(&'static str),
    /// It changes later lines, and there are none.
    #[error("`{0}` changes later lines of the shell or of a script, and there are none here")]
    NothingFollows(&'static str),
    /// There is nothing of that name.
    #[error("there is no {kind} called {name}")]
    NotFound {
        /// What was looked for.
        kind: &'static str,
        /// The name.
        name: String,
        /// The names that may be meant, best first.
        near: Vec<String>,
    },
    /// A password is needed, and there is no terminal to ask for it.
    #[error("a password is needed, and there is no terminal to ask for it")]
    NoPassword,
    /// No context is in use.
    #[error("no context is in use")]
    NoContext,
    /// The user did not confirm.
    #[error("not confirmed; nothing was sent")]
    NotConfirmed,
    /// Something must be confirmed, and there is no terminal to ask.
    #[error("{0}")]
    Unasked(String),
    /// Scripts are nested too deeply.
    #[error("scripts are nested more than {most} levels deep")]
    NestedScripts {
        /// How deep.
        most: usize,
    },
    /// The result of a command is not one value that a variable could keep.
    #[error("${name} is not set: {problem}")]
    NotOneValue {
        /// The name of the variable.
        name: String,
        /// What the result is.
        problem: String,
        /// What to type instead.
        hint: &'static str,
    },
    /// A value is invalid.
    #[error("{name}: {problem}")]
    Value {
        /// The name of the value.
        name: String,
        /// What is wrong.
        problem: String,
    },
}

/// The headline: the outer details, or the fixed text of the code.
fn headline(failure: &ApiFailure) -> String {
    let text = failure.error.what();
    if text.is_empty() {
        "the API failed".to_owned()
    } else {
        crate::json::escape_unprintable(&crate::secret::mask_text(text)).into_owned()
    }
}

/// The text of a system error without its number.
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
            render::Error::Read(ReadError::Read(read)) => match read.downcast::<sql::Error>() {
                Ok(error) => error.into(),
                Err(read) => Error::Client(client::Error::of_read(&ReadError::Read(read))),
            },
            render::Error::Read(read) => Error::Client(client::Error::of_read(&read)),
            render::Error::Write(error) => Error::Write(error),
            render::Error::Interrupted => Error::Client(client::Error::Interrupted { job: None }),
            other => Error::Render(other),
        }
    }
}

impl From<sql::Error> for Error {
    fn from(error: sql::Error) -> Error {
        match error {
            sql::Error::Statement(error) => Error::Sql(error),
            sql::Error::Plan(error) => Error::Plan(error),
            sql::Error::Client(error) => Error::Client(error),
            sql::Error::Api { failure, .. } => Error::Api(failure),
        }
    }
}

impl Error {
    /// The kind of the error; `None` if it was reported before.
    pub fn kind(&self) -> Option<Kind> {
        Kind::of(self)
    }

    /// The exit code for the error.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Error::Reported(code) => *code,
            error => error.kind().map_or(ExitCode::Bug, Kind::exit_code),
        }
    }

    /// Whether the reader of the output closed the pipe, which is not reported.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Error::Write(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The wrong words in `line`, as a byte range. A name that a command of the program's own took from the line has no
    /// place of its own.
    pub fn span_in(&self, line: &str) -> Option<Range<usize>> {
        let span = self.span();
        let name = match self {
            Error::Own(OwnError::NotFound { name, .. }) => name,
            Error::Name(error) if !line.get(error.span.clone()).is_some_and(|text| text.contains(&error.name)) => {
                &error.name
            }
            _ => return span,
        };
        lex(line).words.into_iter().find(|word| word.text == *name).map(|word| word.span).or(span)
    }

    /// The wrong words, as a byte range of the command's line.
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
