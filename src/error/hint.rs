//! The hints of all errors, chosen by kinds and codes, never by texts (E3).

use std::net::IpAddr;

use super::{Error, OwnError};
use crate::catalog::Catalog;
use crate::client::{self, ApiFailure, TransportError, Uncertainty};
use crate::json::{self, escape_unprintable};
use crate::language::Language;
use crate::nearness::{did_you_mean, nearest};
use crate::plan::{self, ErrorKind, RawError};
use crate::render::Holder;
use crate::syntax::{CommandError, LexError};
use crate::{config, render};

/// The codes of a log-in with a missing or wrong second factor (A10).
pub(crate) const SECOND_FACTOR_DUE: &str = "ID.2001";
pub(crate) const SECOND_FACTOR_WRONG: &str = "ID.2002";

/// The answer of a node to a signature with a wrong time (A11).
const TIME_TOO_SKEWED: &str = "requestTimeTooSkewed";

/// The circumstances of an error.
#[derive(Clone, Debug, Default)]
pub(crate) struct Circumstances {
    /// A hint that was found when the error happened.
    pub(crate) advice: Option<String>,
    /// The variable that the session came from, if it did.
    pub(crate) session_variable: Option<&'static str>,
    /// Whether the command was typed at the prompt, where commands have no program name.
    pub(crate) at_prompt: bool,
}

/// The hint for an error, in a language.
pub(crate) fn hint(error: &Error, circumstances: &Circumstances, language: Language) -> Option<String> {
    if let Some(advice) = &circumstances.advice {
        return Some(language.say(advice).into_owned());
    }
    let refused = matches!(error, Error::Client(client::Error::SessionExpired { .. }));
    if let Some(variable) = circumstances.session_variable.filter(|_| refused) {
        let hint = format!("the session of {variable} is not valid any more: unset it, or set another");
        return Some(language.say(&hint).into_owned());
    }
    let hint = of_error(error)?;
    let hint = language.say(&hint);
    Some(if circumstances.at_prompt { hint.replace("`zstack-cli ", "`") } else { hint.into_owned() })
}

fn of_error(error: &Error) -> Option<String> {
    let text = match error {
        Error::Plan(error) => return error.hint(),
        Error::Sql(error) => return error.hint.clone(),
        Error::Name(error) => return Some(error.hint()),
        Error::Usage(error) => return Some(error.hint.clone()),
        Error::Preference { option, origin, .. } => return origin.undo(option),
        Error::Own(OwnError::NothingFollows("set")) => {
            "`zstack-cli context set NAME KEY=VALUE` keeps preferences; `help set` lists settings"
        }
        Error::Own(OwnError::NothingFollows(_)) => {
            "`zstack-cli run FILE` and the prompt have later lines; variables are not kept"
        }
        Error::Own(OwnError::NotOneValue { hint, .. }) if !hint.is_empty() => hint,
        Error::Syntax(CommandError::Lex(LexError::MissingWord { .. })) => {
            "give it behind the alias or the file; \\$ and '...' keep a `$` as it is"
        }
        Error::Own(OwnError::NotFound { kind: "metric", near, .. }) if near.is_empty() => {
            "`zstack-cli metrics KIND` lists those of a kind"
        }
        Error::Own(OwnError::NotFound { near, .. }) => return did_you_mean(near),
        Error::Render(render::Error::UnknownColumn { near, .. })
        | Error::NotShown(render::Error::UnknownColumn { near, .. }) => return did_you_mean(near),
        Error::Render(render::Error::TooManyRows { what: Holder::Filter, .. }) => {
            "an expression that begins with `.inventories[]` takes one row at a time; conditions and fields= make the \
             reply smaller"
        }
        Error::Render(render::Error::TooManyRows { what: Holder::Watch, .. }) => {
            "conditions, limit= and fields= make the answer smaller"
        }
        Error::Render(render::Error::Spill(_)) => {
            "TMPDIR names another folder for temporary files; conditions and fields= make the reply smaller"
        }
        Error::Config(config::Error::NoKeyring { tool: "secret-tool", .. }) => {
            "it comes with libsecret (package libsecret-tools or libsecret); \
             `zstack-cli context set NAME credentials=file` does without"
        }
        Error::Config(config::Error::NoKeyring { .. } | config::Error::Keyring { .. }) => {
            "`zstack-cli context set NAME credentials=file` does without it"
        }
        Error::Own(OwnError::NoPassword) => "set ZSTACK_PASSWORD, or pipe the password into `login`",
        Error::Api(failure) => return failure_hint(failure),
        Error::Client(error) => return client_hint(error),
        Error::PipeFilter { expression, .. } => {
            return Some(format!("`|` is a jq filter here; a program is `|! {expression}`"));
        }
        Error::Argument { hint, .. } => return Some(hint.clone()),
        Error::Syntax(CommandError::NotAnArgument { .. }) => "quote values with blanks: name='two words'",
        _ => return None,
    };
    Some(text.to_owned())
}

fn client_hint(error: &client::Error) -> Option<String> {
    let text = match error {
        client::Error::NoSession { .. } => "log in with `zstack-cli login`, or try --sandbox",
        client::Error::SessionExpired { .. } => "log in again with `zstack-cli login`",
        client::Error::Unreachable { source: TransportError::Lookup { .. }, .. } => "check the host name (-H, --url)",
        client::Error::Unreachable { source: TransportError::Tls { certificate: true, .. }, .. } => {
            "--cacert FILE trusts another certificate, --insecure checks none"
        }
        client::Error::Unreachable { source: TransportError::Proxy { .. }, .. } => {
            "check the proxy (http_proxy, https_proxy, no_proxy) and the address (-H, -p, --url)"
        }
        client::Error::Unreachable { .. } => "check the address (-H, -p, --url), or try --sandbox",
        client::Error::Refused { status: 404, .. } => {
            "the address may be wrong, or that of another server than a management node: see -H, -p and --url"
        }
        client::Error::Starting { .. } => "wait until IsReadyToGo succeeds",
        client::Error::NotTheNode { status: 502..=504, .. } => {
            "a node that is starting answers so, or a proxy that does not reach it: try again later. If it stays so, is \
             this the address of a management node? See -H, -p and --url"
        }
        client::Error::NotTheNode { job: Some(job), .. } => {
            return Some(format!(
                "is this the address of a management node? See -H, -p and --url. If it is, `zstack-cli job {job}` \
                 looks whether the action ran"
            ));
        }
        client::Error::NotTheNode { .. } => "is this the address of a management node? See -H, -p and --url",
        client::Error::TooLong { .. } => {
            "a query can ask for less at a time (limit=, fields=, --page-size); an action was carried out all the same"
        }
        client::Error::Redirect { .. } => "if that address is right, give it with --url",
        // Access keys sign the digits of the node's own clock, whatever zone that shows (A11).
        client::Error::Refused { text, .. } if text.trim() == TIME_TOO_SKEWED => {
            "the node's clock shows the time of another zone: `zstack-cli context set NAME time-zone=Asia/Shanghai`, \
             or whichever zone it is, tells"
        }
        client::Error::NoSuchApi { .. } => {
            "this node is of another version or edition; `zstack-cli catalog sync` lists what it lacks"
        }
        client::Error::MayBeAnother { .. } => "--no-check sends it all the same; look first that the node has it",
        // The record of the job contains this failure, so looking at it does not help.
        client::Error::OutcomeUnknown { reason: Uncertainty::Session(_), .. } => {
            "query the resource before you repeat the action; `zstack-cli login` opens another session"
        }
        client::Error::OutcomeUnknown { job: Some(job), .. } => {
            return Some(format!("`zstack-cli job {job}` looks again"));
        }
        client::Error::OutcomeUnknown { job: None, .. } => "query the resource before you repeat the action",
        client::Error::Interrupted { job: Some(job) } => {
            return Some(format!("this ends the waiting and not the job; `zstack-cli job {job}` looks again"));
        }
        client::Error::Unanswered { job: Some(job), .. } => {
            return Some(format!("`zstack-cli job {job}` looks whether the node has it"));
        }
        client::Error::Unanswered { job: None, .. } => "query the resource before you repeat the action",
        client::Error::Failed { failure } | client::Error::LogInRefused { failure } => return failure_hint(failure),
        _ => return None,
    };
    Some(text.to_owned())
}

fn failure_hint(failure: &ApiFailure) -> Option<String> {
    match failure.code() {
        SECOND_FACTOR_DUE => Some(second_factors(&failure.error.details)),
        code => code_hint(code).map(str::to_owned),
    }
}

/// The missing proofs of a log-in. The details are JSON text in this case: `{"authentications": [".."]}` (A10).
fn second_factors(details: &str) -> String {
    let list = json::parse(details.as_bytes()).ok().and_then(|_| json::member(details.as_bytes(), "authentications"));
    let names: Vec<String> = json::items(list.unwrap_or_default())
        .filter(|item| json::kind(item) == json::Kind::Text)
        .map(|item| escape_unprintable(&json::unescape(item)).into_owned())
        .collect();
    let due = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
    format!("a second factor is due{due}; `zstack-cli login --code DIGITS` sends its code, an access key needs none")
}

/// Hints for common codes (doc/protocol.md, "Errors").
fn code_hint(code: &str) -> Option<&'static str> {
    let hint = match code {
        "ID.1000" => "wrong name or password",
        "ID.1001" => "log in again with `zstack-cli login`",
        "ID.1002" => "this account lacks the permission; an administrator can grant it",
        "ID.1003" => "the quota of the account is used up; QueryQuota shows it",
        "ID.1005" => "the password must be changed first: UpdateAccount or UpdateUser",
        "ID.1006" => "too many sessions are open for this user; they end by themselves after two hours",
        SECOND_FACTOR_WRONG => {
            "the code of the second factor is wrong or has expired; `zstack-cli login --code DIGITS` sends another"
        }
        "LOGIN_CONTROL.1003" => {
            "a verification code is due, or wrong: `login` on a terminal asks for it, and GetLoginCaptcha fetches the \
             picture for captchaUuid= and verifyCode="
        }
        "LOGIN_CONTROL.1002" => "the account is locked for some time after too many wrong passwords",
        "SYS.1001" => "the node gave up waiting; the action may have been carried out: look before you repeat it",
        "SYS.1003" => "the uuid names nothing; the matching query lists what there is",
        "SYS.1009" | "SYS.1010" | "SYS.1012" => "the node is starting or gone; try again later",
        "PORTAL.1000" => "the module that serves this API is not installed on the node",
        "SANDBOX.1000" => "the sandbox simulates no such thing; a real node does",
        _ if code.starts_with("LICENSE.") => "GetLicenseInfo shows the licence",
        _ => return None,
    };
    Some(hint)
}

impl plan::Error {
    /// The hint, if there is one.
    pub fn hint(&self) -> Option<String> {
        match &self.kind {
            ErrorKind::UnknownApi { near, until: Some(until), .. } => {
                let meant = did_you_mean(near).map(|question| format!("; {question}")).unwrap_or_default();
                Some(format!("versions up to {until} had it{meant}"))
            }
            ErrorKind::UnknownApi { name, .. } if name.parse::<IpAddr>().is_ok() => {
                Some(format!("`-H {name}` names a node"))
            }
            ErrorKind::UnknownApi { name, .. } if name.ends_with("zstack-cli") || name.starts_with(['$', '>']) => {
                let prompt = if name.starts_with('>') { name.trim_end_matches(char::is_alphanumeric) } else { name };
                Some(format!("leave `{prompt}` out: a line begins with its command"))
            }
            ErrorKind::UnknownApi { near, .. } => did_you_mean(near)
                .or_else(|| Some("`zstack-cli catalog list`, or Tab at the prompt, lists the APIs".to_owned())),
            ErrorKind::UnknownParameter { api, near, version, .. } => {
                let unknown =
                    || format!("`help {api}` lists those of ZStack {version}; --no-check sends it all the same");
                did_you_mean(near).or_else(|| Some(unknown()))
            }
            ErrorKind::UnknownField { api, owner, near, .. } => did_you_mean(near).or_else(|| {
                // After a relation the fields are those of another query.
                let query = owner.strip_suffix("Inventory").map(|kind| format!("Query{kind}"));
                let query = query.filter(|query| Catalog::newest().api_name(query).is_some());
                let query = query.unwrap_or_else(|| (*api).to_owned());
                Some(format!("`help {query}` lists the fields; --no-check sends it all the same"))
            }),
            ErrorKind::UnknownMember { near, .. } => did_you_mean(near),
            ErrorKind::NotAllowed { allowed, closest, .. } => {
                did_you_mean(closest.as_slice()).or_else(|| Some(format!("allowed are: {}", allowed.join(", "))))
            }
            ErrorKind::MissingParameters { api, names } => {
                Some(format!("`help {api}` describes {}", if names.len() == 1 { "it" } else { "them" }))
            }
            ErrorKind::NotFoundByName { name } => {
                Some(format!("write {name}=UUID; --no-check sends the value as typed"))
            }
            ErrorKind::NoCondition { name, .. } => Some(format!("write {name}=VALUE")),
            ErrorKind::FieldNeedsMember { hint, .. } => {
                hint.as_ref().map(|member| format!("name one of their fields: `{member}`"))
            }
            ErrorKind::BrokenField { .. } => Some("--no-check sends it all the same".to_owned()),
            ErrorKind::QueryTakesNoTags { name } => {
                let field = if name == "userTags" { "__userTag__" } else { "__systemTag__" };
                Some(format!("a condition on tags is written {field}=TAG"))
            }
            ErrorKind::Raw(error) => error.hint(),
            ErrorKind::NotSortable { .. } => Some("--sort-by COLUMN sorts what was received".to_owned()),
            ErrorKind::SemicolonsInConditions { separate } => {
                Some(format!("each condition is a word of its own: {separate}"))
            }
            ErrorKind::NotADate { .. } => {
                Some("write 2025-03-04 or '2025-03-04 14:12:01', in the node's time zone".to_owned())
            }
            _ => None,
        }
    }
}

impl RawError {
    /// The hint, if there is one.
    pub(crate) fn hint(&self) -> Option<String> {
        const ALL_THE_SAME: &str = "--no-check sends it all the same";
        let example = |key: &str| format!("`{{\"{key}\":{{}}}}`");
        Some(match self {
            RawError::WholeUrl => "--url names the node".to_owned(),
            RawError::Escape { .. } => "`%25` stands for a percent sign".to_owned(),
            RawError::Lone { right, .. } => format!("the method there is {right}; {ALL_THE_SAME}"),
            RawError::NotTaken { right, .. } => {
                let right: Vec<&str> = right.iter().map(|method| method.as_str()).collect();
                format!("the methods there are {}; {ALL_THE_SAME}", right.join(", "))
            }
            RawError::NoBody { keys, .. } => match keys[..] {
                [key] => format!("without parameters write {}", example(key)),
                _ => format!("its member names the action: {}", keys.join(", ")),
            },
            RawError::Key { typed, keys, .. } => {
                let near = typed.iter().find_map(|name| did_you_mean(&nearest(name, keys.iter().copied())));
                match (near, &keys[..]) {
                    (Some(question), _) => question,
                    (None, [key]) => format!("write {}, with the parameters inside; {ALL_THE_SAME}", example(key)),
                    (None, keys) => format!("there are: {}; {ALL_THE_SAME}", keys.join(", ")),
                }
            }
            RawError::Method { .. }
            | RawError::Path { .. }
            | RawError::Body { .. }
            | RawError::NotJson(_)
            | RawError::NoObject => return None,
        })
    }
}
