//! Messages for command lines that cannot be parsed, built from the structure of the parser's error.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::UsageError;
use super::tree::{Entry, Way};
use crate::nearness::{did_you_mean, nearest};

/// Returns the error to show. `way` is the command that the words name.
pub(super) fn usage(error: &clap::Error, way: &Way<'_>) -> UsageError {
    let in_command = !way.path.is_empty();
    if let (ErrorKind::UnknownArgument, Some(option)) = (error.kind(), one(error, ContextKind::InvalidArg))
        && let Some(told) = not_offered(option).filter(|_| !in_command)
    {
        return told;
    }
    // A word that starts like an option counts as one anywhere, also after an own command.
    let is_option = |kind: ContextKind| {
        let names = all(error, kind);
        !names.is_empty() && names.iter().all(|name| name.starts_with('-'))
    };
    let in_option = is_option(ContextKind::InvalidArg) || is_option(ContextKind::PriorArg);
    // A second word there is probably a password, so it is not repeated in the message.
    let is_password = error.kind() == ErrorKind::UnknownArgument && !in_option && way.path == ["login"];
    let text = match is_password {
        true => "login takes one name; the password is asked for, or read from standard input".to_owned(),
        false => message(error, way.entry),
    };
    let hint = if is_password { None } else { suggestion(error) };
    let command: Vec<&str> = std::iter::once("zstack-cli").chain(way.path.iter().copied()).collect();
    let hint = hint.unwrap_or_else(|| format!("`{} --help` tells more", command.join(" ")));
    UsageError { text, hint, in_command: in_command && !in_option }
}

/// Returns the error message, in one line.
fn message(error: &clap::Error, entry: Entry) -> String {
    let argument = all(error, ContextKind::InvalidArg).join(", ");
    let value = one(error, ContextKind::InvalidValue).unwrap_or_default();
    let wrong = || format!("invalid value '{value}' for '{argument}'");
    match error.kind() {
        ErrorKind::UnknownArgument => format!("unexpected argument '{argument}' found"),
        ErrorKind::InvalidSubcommand => {
            format!("unrecognized subcommand '{}'", one(error, ContextKind::InvalidSubcommand).unwrap_or_default())
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let names: Vec<&str> = entry.commands().map(Entry::name).collect();
            format!("a subcommand is missing: one of {}", names.join(", "))
        }
        ErrorKind::MissingRequiredArgument => format!("required arguments are missing: {argument}"),
        ErrorKind::InvalidValue if value.is_empty() => format!("a value is required for '{argument}'"),
        ErrorKind::InvalidValue => {
            let valid = all(error, ContextKind::ValidValue);
            if valid.is_empty() { wrong() } else { format!("{}: it is not one of {}", wrong(), valid.join(", ")) }
        }
        ErrorKind::ValueValidation => match error.source() {
            Some(problem) => format!("{}: {problem}", wrong()),
            None => wrong(),
        },
        ErrorKind::NoEquals => format!("an equals sign is needed before the value of '{argument}'"),
        ErrorKind::ArgumentConflict => {
            let prior = all(error, ContextKind::PriorArg);
            let (argument, prior) = match argument.as_str() {
                "" => (one(error, ContextKind::InvalidSubcommand).unwrap_or_default(), prior.join(", ")),
                argument => (argument, prior.join(", ")),
            };
            format!("'{argument}' cannot be used with '{prior}'")
        }
        kind => kind.to_string(),
    }
}

/// Returns the question for the names that were probably meant.
fn suggestion(error: &clap::Error) -> Option<String> {
    let near = [
        (ContextKind::InvalidArg, ContextKind::SuggestedArg),
        (ContextKind::InvalidValue, ContextKind::SuggestedValue),
        (ContextKind::InvalidSubcommand, ContextKind::SuggestedSubcommand),
    ];
    // The nearest name is the last one.
    near.into_iter()
        .find_map(|(wrong, right)| did_you_mean(&nearest(one(error, wrong)?, all(error, right).into_iter().rev())))
}

fn one(error: &clap::Error, kind: ContextKind) -> Option<&str> {
    all(error, kind).first().copied()
}

fn all(error: &clap::Error, kind: ContextKind) -> Vec<&str> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text],
        Some(ContextValue::Strings(texts)) => texts.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Returns the message for an option that users expect, or know from the original program, and that does not exist.
fn not_offered(option: &str) -> Option<UsageError> {
    let (what, hint) = match option {
        "-d" | "--deploy" | "-t" | "--template" => (
            "deploying a cloud from an XML file is not supported",
            "`zstack-cli run FILE` runs a script of commands, such as `CreateZone name=lab`",
        ),
        "-D" | "--dump" => (
            "dumping a cloud to an XML file is not supported",
            "queries list what there is, such as `zstack-cli -o json QueryZone`",
        ),
        "-P" | "--password" => (
            "it was the password for deploying from XML files and dumping to them, which is not supported",
            "`zstack-cli login` asks for the password; scripts set ZSTACK_PASSWORD",
        ),
        "-j" | "--json" => ("there is no such option", "`-o json` prints JSON; it is the default in pipes and scripts"),
        _ => return None,
    };
    Some(UsageError { text: format!("{option}: {what}"), hint: hint.to_owned(), in_command: false })
}
