//! The kinds of errors for `--errors json`.

use super::{Error, ExitCode, NameProblem, OwnError};
use crate::plan::ErrorKind;
use crate::{client, render};

/// Declares the kinds: name, exit code and meaning.
macro_rules! kinds {
    ($($name:ident $word:literal $code:ident $meaning:literal)*) => {
        /// The kind of an error, whose name does not change. doc/errors.md lists them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind {
            $(#[doc = $meaning] $name,)*
        }

        impl Kind {
            /// All kinds, by exit code.
            #[cfg(test)]
            const ALL: &[Kind] = &[$(Kind::$name,)*];

            /// Its name.
            pub fn word(self) -> &'static str {
                match self {
                    $(Kind::$name => $word,)*
                }
            }

            /// The exit code that it means.
            pub fn exit_code(self) -> ExitCode {
                match self {
                    $(Kind::$name => ExitCode::$code,)*
                }
            }

            /// When it is told, in a sentence.
            #[cfg(test)]
            fn meaning(self) -> &'static str {
                match self {
                    $(Kind::$name => $meaning,)*
                }
            }
        }
    };
}

kinds! {
    Arguments "arguments" Command "The arguments of one of the program's own commands are invalid."
    Syntax "syntax" Command "The line cannot be split into words, or a word is not of the form name=value."
    UnknownApi "unknown-api" Command "There is no such API."
    UnknownParameter "unknown-parameter" Command "The API has no such parameter."
    UnknownField "unknown-field" Command "The query has no such field, or the field cannot be used that way."
    MissingParameter "missing-parameter" Command "A parameter or condition that must be given is missing."
    BadValue "bad-value" Command "A value is not allowed, too long, out of range or of the wrong type."
    BadQuery "bad-query" Command "The query cannot be asked of a node as it is written."
    BadRequest "bad-request" Command "The catalog does not know the request of `raw`."
    UnknownName "unknown-name" Command "No resource has the name that was given instead of a uuid."
    AmbiguousName "ambiguous-name" Command "Several resources have the name that was given instead of a uuid."
    NotFound "not-found" Command "Nothing of that name is known: a topic, a job, a setting."
    NotHere "not-here" Command "The command works elsewhere only, such as in the interactive shell."
    NotOneValue "not-one-value" Command "The result that `let` is to keep is not one value; the command was carried out."
    NotConfirmed "not-confirmed" Command "The user did not confirm; nothing was sent."
    NoPassword "no-password" Command "A password is needed and cannot be asked for."
    NoContext "no-context" Command "A context is needed and none is in use."
    NestedScripts "nested-scripts" Command "Scripts are nested too deeply."
    File "file" Command "A file that the command names cannot be read or written."
    Redirection "redirection" Command "The text after `|`, `|!` or `>` is invalid, or its program cannot be run."
    Results "results" Command "An earlier result cannot be shown or saved."
    NotShown "not-shown" Command "The action was sent, and its result cannot be shown as requested; it was shown unchanged."
    Option "option" Options "An option of the program is unknown, or its value is invalid."
    Preference "preference" Options "A value of the environment, a context or a setting is invalid."
    Address "address" Options "The address of the node is invalid."
    Configuration "configuration" Options "The configuration or a stored session cannot be read or written."
    Filter "filter" Options "The jq expression fails on the reply."
    Column "column" Options "The rows have no such column."
    Terminal "terminal" Options "The interactive shell cannot continue."
    Output "output" Options "The output cannot be written."
    ApiFailed "api-failed" Failed "The node answered that the API failed; code and causes say why."
    Refused "refused" Failed "The node refused the request without an error code."
    NoSuchApi "no-such-api" Failed "The node has no such API."
    MayBeAnother "may-be-another" Failed "The node does not say whether it has the API, and may run another; nothing was sent."
    Unreachable "unreachable" NoAnswer "The node cannot be reached; nothing was sent."
    NoAnswer "no-answer" NoAnswer "A call that only reads was sent, and no answer came."
    AnswerLost "answer-lost" NoAnswer "An action was sent, its answer was lost, and it has no job to look at."
    Starting "starting" NoAnswer "The node is starting."
    NotANode "not-a-node" NoAnswer "A server other than a management node answers at that address."
    Redirect "redirect" NoAnswer "The address redirects to another one."
    BadReply "bad-reply" NoAnswer "The reply is not what the protocol says."
    CutShort "cut-short" NoAnswer "The connection failed while the reply was read."
    TooLong "too-long" NoAnswer "The reply is too long."
    NotSent "not-sent" NoAnswer "The request could not be sent."
    Sandbox "sandbox" NoAnswer "The sandbox cannot be started or changed."
    NotLoggedIn "not-logged-in" NoSession "The API needs a session, and nobody is logged in."
    LogInRefused "log-in-refused" NoSession "The node refused the log-in."
    SessionExpired "session-expired" NoSession "The session has expired and could not be renewed."
    OutcomeUnknown "outcome-unknown" Unknown "An action was sent and its outcome is not known; job names its job."
    NothingFound "nothing-found" Empty "A query found nothing, with --fail-empty."
    Findings "findings" Findings "An inspection found something that matters, with --fail-on."
    Bug "bug" Bug "A bug in the program."
    Interrupted "interrupted" Interrupted "The user interrupted the command; job names an action that goes on."
}

impl Kind {
    /// The kind of an error; none for one that was told before.
    pub(super) fn of(error: &Error) -> Option<Kind> {
        Some(match error {
            Error::Usage(error) if error.in_command => Kind::Arguments,
            Error::Usage(_) | Error::Option { .. } => Kind::Option,
            Error::Preference { .. } => Kind::Preference,
            Error::NotShown(_) => Kind::NotShown,
            Error::Syntax(_) | Error::Argument { .. } => Kind::Syntax,
            Error::File(_) | Error::Script { .. } | Error::Import { .. } | Error::Export { .. } => Kind::File,
            Error::Plan(error) => Kind::of_plan(&error.kind),
            Error::Sql(_) => Kind::BadQuery,
            Error::Name(error) => match error.problem {
                NameProblem::Unknown { .. } => Kind::UnknownName,
                NameProblem::Ambiguous { .. } => Kind::AmbiguousName,
            },
            Error::Endpoint(_) => Kind::Address,
            Error::Config(_) => Kind::Configuration,
            Error::Results(_) | Error::Save(_) => Kind::Results,
            Error::Redirect(_) | Error::PipeFilter { .. } | Error::Program { .. } => Kind::Redirection,
            Error::Shell(_) => Kind::Terminal,
            Error::Client(error) => Kind::of_client(error),
            Error::Api(_) | Error::Parts(_) => Kind::ApiFailed,
            Error::Render(error) => Kind::of_render(error),
            Error::Empty => Kind::NothingFound,
            Error::Findings { .. } => Kind::Findings,
            Error::Sandbox(_) => Kind::Sandbox,
            Error::Own(error) => Kind::of_own(error),
            Error::Reported(_) => return None,
            Error::Write(_) | Error::NotWritten { .. } => Kind::Output,
        })
    }

    fn of_plan(kind: &ErrorKind) -> Kind {
        match kind {
            ErrorKind::UnknownApi { .. } => Kind::UnknownApi,
            ErrorKind::UnknownParameter { .. } => Kind::UnknownParameter,
            ErrorKind::UnknownField { .. }
            | ErrorKind::FieldNeedsMember { .. }
            | ErrorKind::BadFieldName { .. }
            | ErrorKind::ReservedField { .. }
            | ErrorKind::NotSelectable { .. }
            | ErrorKind::NotGroupable { .. }
            | ErrorKind::BrokenField { .. }
            | ErrorKind::NotSortable { .. } => Kind::UnknownField,
            ErrorKind::MissingParameters { .. } | ErrorKind::NoCondition { .. } => Kind::MissingParameter,
            ErrorKind::GivenTwice { .. }
            | ErrorKind::NotACondition { .. }
            | ErrorKind::NotAllowed { .. }
            | ErrorKind::NotFoundByName { .. }
            | ErrorKind::WrongType { .. }
            | ErrorKind::TooLong { .. }
            | ErrorKind::TooShort { .. }
            | ErrorKind::OutOfRange { .. }
            | ErrorKind::Empty { .. }
            | ErrorKind::Pattern { .. }
            | ErrorKind::Literal { .. }
            | ErrorKind::List { .. }
            | ErrorKind::BadPathValue { .. }
            | ErrorKind::UnknownMember { .. }
            | ErrorKind::BadMapKey { .. }
            | ErrorKind::Nested { .. }
            | ErrorKind::NotANumber { .. }
            | ErrorKind::NotADate { .. }
            | ErrorKind::NotABoolean { .. } => Kind::BadValue,
            ErrorKind::Raw(_) => Kind::BadRequest,
            ErrorKind::QueryTakesNoTags { .. }
            | ErrorKind::BooleanOperator { .. }
            | ErrorKind::BadConditions { .. }
            | ErrorKind::SemicolonsInConditions { .. }
            | ErrorKind::NoFields
            | ErrorKind::BadFilterName
            | ErrorKind::Unsayable { .. }
            | ErrorKind::RequestTooLong { .. }
            | ErrorKind::GroupByWith { .. } => Kind::BadQuery,
        }
    }

    fn of_client(error: &client::Error) -> Kind {
        match error {
            client::Error::Unreachable { .. } => Kind::Unreachable,
            client::Error::NoAnswer { .. } => Kind::NoAnswer,
            client::Error::OutcomeUnknown { job: Some(_), .. } => Kind::OutcomeUnknown,
            client::Error::OutcomeUnknown { job: None, .. } => Kind::AnswerLost,
            client::Error::Interrupted { .. } | client::Error::Unanswered { .. } => Kind::Interrupted,
            client::Error::NoSession { .. } => Kind::NotLoggedIn,
            client::Error::LogInRefused { .. } => Kind::LogInRefused,
            client::Error::SessionExpired { .. } => Kind::SessionExpired,
            client::Error::Refused { .. } => Kind::Refused,
            client::Error::NoSuchApi { .. } | client::Error::NoSuchPath { .. } => Kind::NoSuchApi,
            client::Error::MayBeAnother { .. } => Kind::MayBeAnother,
            client::Error::Starting { .. } => Kind::Starting,
            client::Error::NotTheNode { .. } => Kind::NotANode,
            client::Error::Redirect { .. } => Kind::Redirect,
            client::Error::Reply { .. } => Kind::BadReply,
            client::Error::CutShort { .. } => Kind::CutShort,
            client::Error::TooLong { .. } => Kind::TooLong,
            client::Error::Failed { .. } => Kind::ApiFailed,
            client::Error::NotSent { .. } => Kind::NotSent,
        }
    }

    fn of_render(error: &render::Error) -> Kind {
        match error {
            render::Error::Filter { .. } => Kind::Filter,
            render::Error::UnknownColumn { .. } => Kind::Column,
            render::Error::TooManyRows { .. } => Kind::TooLong,
            render::Error::Spill(_) => Kind::Output,
            // These are errors of the client or of the output, and become such.
            render::Error::Read(_) | render::Error::Write(_) | render::Error::Interrupted => Kind::Output,
        }
    }

    fn of_own(error: &OwnError) -> Kind {
        match error {
            OwnError::ShellOnly(_) | OwnError::NothingFollows(_) => Kind::NotHere,
            OwnError::NotFound { .. } => Kind::NotFound,
            OwnError::NoPassword => Kind::NoPassword,
            OwnError::NoContext => Kind::NoContext,
            OwnError::NotConfirmed | OwnError::Unasked(_) => Kind::NotConfirmed,
            OwnError::NestedScripts { .. } => Kind::NestedScripts,
            OwnError::NotOneValue { .. } => Kind::NotOneValue,
            OwnError::Value { .. } => Kind::BadValue,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::TOPICS;

    #[test]
    fn the_documents_list_exactly_the_kinds() {
        let rows: Vec<String> = include_str!("../../doc/errors.md")
            .lines()
            .filter(|line| line.starts_with("| `"))
            .map(str::to_owned)
            .collect();
        let expected: Vec<String> = Kind::ALL
            .iter()
            .map(|kind| format!("| `{}` | {} | {} |", kind.word(), kind.exit_code().number(), kind.meaning()))
            .collect();
        assert_eq!(rows, expected, "doc/errors.md");

        let topic = TOPICS.iter().find(|topic| topic.name == "errors").expect("a topic");
        let (_, listed) = topic.text.split_once("KINDS").expect("a list of kinds");
        let mut listed: Vec<(u8, &str)> = listed.lines().flat_map(row).collect();
        // A line without a number goes on with the one above.
        for at in 1..listed.len() {
            listed[at].0 = if listed[at].0 == 0 { listed[at - 1].0 } else { listed[at].0 };
        }
        let expected: Vec<(u8, &str)> = Kind::ALL.iter().map(|kind| (kind.exit_code().number(), kind.word())).collect();
        assert_eq!(listed, expected, "help errors");
    }

    /// The kinds of a line, with the exit code before them.
    fn row(line: &str) -> Vec<(u8, &str)> {
        let mut words = line.split([' ', ',']).filter(|word| !word.is_empty()).peekable();
        let code = words.peek().and_then(|word| word.parse().ok());
        let words = words.skip(usize::from(code.is_some()));
        words.map(|word| (code.unwrap_or(0), word)).collect()
    }

    #[test]
    fn kinds_are_words_of_their_own() {
        for (at, kind) in Kind::ALL.iter().enumerate() {
            assert!(kind.word().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", kind.word());
            assert!(Kind::ALL[..at].iter().all(|before| before.word() != kind.word()), "{}", kind.word());
        }
        assert!(Kind::ALL.is_sorted_by_key(|kind| kind.exit_code().number()));
    }
}
