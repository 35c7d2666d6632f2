//! How an error reads: `error: <what happened>`, the word that is wrong, indented lines, and a hint.

use std::fmt;
use std::io::{self, Write};
use std::panic::Location;

use crate::cli::ErrorFormat;
use crate::client::{self, ApiFailure, ErrorCode, TransportError, Uncertainty};
use crate::commands::login::{SECOND_FACTOR_DUE, SECOND_FACTOR_WRONG};
use crate::config;
use crate::error::{Error, Kind, OwnError};
use crate::json::{self, escape_unprintable};
use crate::render;
use crate::secret::{KnownSecrets, mask_command, mask_text};
use crate::syntax::CommandError;
use crate::width::width;

use super::error_object::ErrorObject;

/// How much of a text that quotes a value is shown from its beginning and its end, in characters.
const QUOTED_HEAD: usize = 160;
const QUOTED_TAIL: usize = 60;

/// Where a command stands that was not typed by itself.
pub(super) enum Source<'a> {
    /// In a script; standard input has no name.
    Script { name: Option<&'a str>, line: usize },
    /// It is the wait for one of several jobs.
    Job(&'a str),
    /// It is a part of a batch.
    Part { of: Option<&'a Source<'a>>, what: &'a str },
}

impl Source<'_> {
    /// The number of the line in its script.
    fn line(&self) -> Option<usize> {
        match self {
            Source::Script { line, .. } => Some(*line),
            Source::Job(_) => None,
            Source::Part { of, .. } => of.and_then(Source::line),
        }
    }
}

impl fmt::Display for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Script { name: Some(name), line } => write!(f, "{name}:{line}"),
            Source::Script { name: None, line } => write!(f, "line {line}"),
            Source::Job(uuid) => write!(f, "job {uuid}"),
            Source::Part { of: Some(source), what } => write!(f, "{source}: {what}"),
            Source::Part { of: None, what } => f.write_str(what),
        }
    }
}

/// How errors are shown.
pub(super) struct Reporter {
    pub(super) format: ErrorFormat,
    /// Whether errors go to a terminal.
    pub(super) terminal: bool,
    pub(super) colour: bool,
    /// Whether the user reads Chinese: the advice that a node finds comes in two languages (E3).
    pub(super) chinese: bool,
    /// Whether the user sits at the prompt, where commands are typed without the program's name.
    pub(super) at_prompt: bool,
    /// The variable that the session in use came from, where it did.
    pub(super) session_variable: Option<&'static str>,
    /// What was probably meant, where the node told and was asked.
    pub(super) meant: Option<String>,
    /// Secrets in use: a node may quote them anywhere.
    pub(super) known: KnownSecrets,
}

impl Reporter {
    /// Writes an error. `line` is the command, and `source` where it stands.
    pub(super) fn report(
        &self,
        error: &Error,
        source: Option<&Source<'_>>,
        line: Option<&str>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        if self.format == ErrorFormat::Json {
            return writeln!(out, "{}", self.object(error, source).line());
        }
        let (red, reset) = if self.colour { ("\u{1b}[1;31m", "\u{1b}[0m") } else { ("", "") };
        let place = source.map(|source| format!("{source}: ")).unwrap_or_default();
        writeln!(out, "{red}error:{reset} {}", self.clean(&format!("{place}{}", headline(error))))?;
        if let (Some(line), Some(span)) = (line, error.span()) {
            self.point_at(line, span, out)?;
        }
        for text in self.lines(error) {
            writeln!(out, "  {}", self.clean(&text))?;
        }
        if let Some(hint) = self.hint(error) {
            writeln!(out, "  hint: {}", self.clean(&hint))?;
        }
        Ok(())
    }

    /// Shows the line with the wrong word marked. A line with a secret is not shown: the masked one is another.
    fn point_at(&self, line: &str, span: std::ops::Range<usize>, out: &mut dyn Write) -> io::Result<()> {
        if !self.terminal || mask_command(line) != line {
            return Ok(());
        }
        // Places of a command that the program made up itself need not fit.
        let Some(before) = line.get(..span.start.min(line.len())) else { return Ok(()) };
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let end = line[start..].find('\n').map_or(line.len(), |at| start + at);
        let text = &line[start..end];
        let from = span.start.clamp(start, end);
        let to = span.end.clamp(from, end);
        // What stands far to the right would wrap; the word alone is enough then.
        if width(text) > 100 {
            return Ok(());
        }
        let (bold, reset) = if self.colour { ("\u{1b}[1m", "\u{1b}[0m") } else { ("", "") };
        writeln!(out, "  {}", escape_unprintable(text))?;
        let (Some(indent), Some(marked)) = (line.get(start..from), line.get(from..to)) else { return Ok(()) };
        let marks = width(marked).max(1);
        writeln!(out, "  {}{bold}{}{reset}", " ".repeat(width(indent)), "^".repeat(marks))
    }

    /// The error for programs.
    fn object(&self, error: &Error, source: Option<&Source<'_>>) -> ErrorObject {
        let failure = failure_of(error);
        let advice = || {
            let advice = mask_text(failure?.error.advice(self.chinese)).into_owned();
            (!advice.is_empty()).then_some(advice)
        };
        let job = match (source, error) {
            (Some(Source::Job(uuid)), _) => Some(*uuid),
            (_, Error::Client(error)) => error.job(),
            _ => None,
        };
        // What a node says is told as it is: JSON has escapes of its own.
        let message = match error {
            Error::Api(failure) if !failure.error.what().is_empty() => mask_text(failure.error.what()).into_owned(),
            error => headline(error),
        };
        let message = match source {
            Some(Source::Part { what, .. }) => format!("{what}: {message}"),
            _ => message,
        };
        let mut causes = Vec::new();
        if let Some(failure) = failure {
            push_error_causes(&mut causes, &failure.error);
        }
        for (_, message) in &mut causes {
            *message = self.without_secrets(message);
        }
        ErrorObject {
            kind: error.kind().unwrap_or(Kind::Bug),
            message: self.without_secrets(&message),
            hint: self.hint(error).or_else(advice).map(|hint| self.without_secrets(&hint)),
            code: failure.map(|failure| failure.code().to_owned()).filter(|code| !code.is_empty()),
            line: source.and_then(Source::line),
            job: job.map(str::to_owned),
            causes,
        }
    }

    /// The text without secrets in use and without control characters.
    fn clean(&self, text: &str) -> String {
        self.without_secrets(text).split('\n').map(escape_unprintable).collect::<Vec<_>>().join("\n")
    }

    /// The text without secrets in use.
    fn without_secrets(&self, text: &str) -> String {
        self.known.mask(text).into_owned()
    }

    fn hint(&self, error: &Error) -> Option<String> {
        if self.meant.is_some() {
            return self.meant.clone();
        }
        let refused = matches!(error, Error::Client(client::Error::SessionExpired { .. }));
        if let Some(variable) = self.session_variable.filter(|_| refused) {
            return Some(format!("the session of {variable} is not valid any more: unset it, or set another"));
        }
        let hint = hint(error)?;
        Some(if self.at_prompt { hint.replace("`zstack-cli ", "`") } else { hint })
    }

    fn lines(&self, error: &Error) -> Vec<String> {
        let mut lines = failure_of(error).map(|failure| self.failure_lines(failure)).unwrap_or_default();
        if let Error::Client(error) = error {
            lines.extend(error.job().map(|job| format!("job: {job}")));
        }
        lines
    }

    fn failure_lines(&self, failure: &ApiFailure) -> Vec<String> {
        let mut lines = Vec::new();
        let error = &failure.error;
        // Long jobs fail without one.
        if !error.code.is_empty() {
            lines.push(format!("code: {}", with_description(error)));
        }
        if let Some(inner) = Some(failure.code()).filter(|code| *code != error.code) {
            lines.push(format!("inner code: {inner}"));
        }
        push_text(&mut lines, "advice", error.advice(self.chinese));
        push_causes(&mut lines, error, 0);
        lines
    }
}

/// What the node says, where the error is its answer.
fn failure_of(error: &Error) -> Option<&ApiFailure> {
    match error {
        Error::Api(failure) => Some(failure),
        Error::Client(error) => error.failure(),
        _ => None,
    }
}

/// What is said of a panic.
pub(super) fn bug(place: Option<&Location<'_>>, format: ErrorFormat) -> String {
    let place = place.map(|place| format!(" ({}:{})", place.file(), place.line())).unwrap_or_default();
    let message = format!("a bug in zstack-cli{place}");
    let hint = "please report the command and this line, with `zstack-cli --version`";
    match format {
        ErrorFormat::Text => format!("error: {message}\n  hint: {hint}"),
        ErrorFormat::Json => ErrorObject { hint: Some(hint.to_owned()), ..ErrorObject::new(Kind::Bug, message) }.line(),
    }
}

/// What happened.
fn headline(error: &Error) -> String {
    let text = error.to_string();
    match error {
        // A filter that cannot do something with a value quotes it: a whole reply, with its secrets.
        Error::Render(_) | Error::NotShown(_) => shortened(&mask_text(&text)),
        _ => text,
    }
}

/// The beginning and the end of a long text.
fn shortened(text: &str) -> String {
    let count = text.chars().count();
    if count <= QUOTED_HEAD + QUOTED_TAIL {
        return text.to_owned();
    }
    let head: String = text.chars().take(QUOTED_HEAD).collect();
    let tail: String = text.chars().skip(count - QUOTED_TAIL).collect();
    format!("{head} ... {tail}")
}

/// Adds what led to an error, the causes of a cause indented below it (E2).
fn push_causes(lines: &mut Vec<String>, error: &ErrorCode, depth: usize) {
    for cause in error.cause.as_deref().into_iter().chain(&error.causes) {
        push_text(lines, &format!("{}cause", "  ".repeat(depth)), &with_code(cause));
        push_causes(lines, cause, depth + 1);
    }
}

/// The codes and texts of what led to an error, the outermost first.
fn push_error_causes(causes: &mut Vec<(String, String)>, error: &ErrorCode) {
    for cause in error.cause.as_deref().into_iter().chain(&error.causes) {
        causes.push((cause.code.clone(), mask_text(cause.what()).into_owned()));
        push_error_causes(causes, cause);
    }
}

fn with_description(error: &ErrorCode) -> String {
    let description = mask_text(&error.description);
    if description.is_empty() || error.details.is_empty() {
        error.code.clone()
    } else {
        format!("{} ({description})", error.code)
    }
}

fn with_code(error: &ErrorCode) -> String {
    if error.code.is_empty() { error.what().to_owned() } else { format!("{}: {}", error.code, error.what()) }
}

/// Adds text under a label; further lines of it are indented.
fn push_text(lines: &mut Vec<String>, label: &str, text: &str) {
    // A node's words may quote what it was sent.
    let text = mask_text(text);
    for (index, line) in text.lines().filter(|line| !line.trim().is_empty()).enumerate() {
        lines.push(if index == 0 { format!("{label}: {line}") } else { format!("    {line}") });
    }
}

/// What the user can do about an error. Decided by kinds and codes, never by texts (E3).
fn hint(error: &Error) -> Option<String> {
    let text = match error {
        Error::Plan(error) => return error.hint(),
        Error::Usage(error) => return Some(error.hint.clone()),
        Error::Preference { option, origin, .. } => return origin.undo(option),
        Error::Own(OwnError::NothingFollows) => {
            "`zstack-cli context set NAME KEY=VALUE` keeps preferences; `help set` lists settings"
        }
        Error::Own(OwnError::NotFound { closest: Some(closest), .. }) => return did_you_mean(closest),
        Error::Render(render::Error::UnknownColumn { near, .. })
        | Error::NotShown(render::Error::UnknownColumn { near, .. }) => return did_you_mean(near.first()?),
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

fn did_you_mean(name: &str) -> Option<String> {
    Some(format!("did you mean `{name}`?"))
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
        client::Error::Refused { text, .. } if text.contains("requestTimeTooSkewed") => {
            "the node's clock shows the time of another zone: `zstack-cli context set NAME time-zone=Asia/Shanghai`, \
             or whichever zone it is, tells"
        }
        client::Error::NoSuchApi { .. } => {
            "this node is of another version or edition; `zstack-cli catalog sync` lists what it lacks"
        }
        client::Error::MayBeAnother { .. } => "--no-check sends it all the same; look first that the node has it",
        // What the node has kept of the job is this very failure.
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

/// Which further proofs a log-in lacks: the details are JSON text then, `{"authentications": [".."]}` (A10).
fn second_factors(details: &str) -> String {
    let list = json::parse(details.as_bytes()).ok().and_then(|_| json::member(details.as_bytes(), "authentications"));
    let names: Vec<String> = json::items(list.unwrap_or_default())
        .filter(|item| json::kind(item) == json::Kind::Text)
        .map(|item| escape_unprintable(&json::unescape(item)).into_owned())
        .collect();
    let due = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
    format!("a second factor is due{due}; `zstack-cli login --code DIGITS` sends its code, an access key needs none")
}

/// Advice for the commonest codes (doc/protocol.md, "Errors").
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_in_the_format_of_errors() {
        let place = Some(Location::caller());
        let text = bug(place, ErrorFormat::Text);
        assert!(text.starts_with("error: a bug in zstack-cli (src/app/report.rs:"), "{text}");
        let line = bug(place, ErrorFormat::Json);
        let object: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!((&object["error"]["kind"], &object["error"]["exitCode"]), (&"bug".into(), &70.into()));
        assert!(!line.contains('\n') && line.contains("please report"), "{line}");
    }
}
