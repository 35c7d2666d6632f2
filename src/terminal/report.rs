//! Prints errors: `error: <what happened>`, the wrong word, indented details, and a hint.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};
use std::ops::Range;
use std::panic::Location;

use crate::cli::ErrorFormat;
use crate::client::{ApiFailure, ErrorCode};
use crate::error::{Circumstances, Error, Kind, hint};
use crate::json::escape_unprintable;
use crate::language::Language;
use crate::secret::{KnownSecrets, mask_command, mask_text};
use crate::sql::StatementError;
use crate::width::width;

use super::error_object::ErrorObject;

/// How much of a text that quotes a value is shown from its beginning and its end, in characters.
const QUOTED_HEAD: usize = 160;
const QUOTED_TAIL: usize = 60;

/// How much of a statement is shown around a wrong word, in characters.
const EXCERPT: usize = 76;

/// The place of a command in a script or batch.
pub(crate) enum Source<'a> {
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

/// A line of a command with words to mark in it.
pub(crate) struct Marked<'l> {
    pub(crate) text: &'l str,
    /// The columns before the words.
    pub(crate) indent: usize,
    /// The columns of the words.
    pub(crate) width: usize,
}

/// The line in which words of a command stand, which `span` gives in bytes; `None` where it cannot be shown: a line with
/// a secret, since offsets differ in the masked line, one that would wrap, and one that the span does not fit, since the
/// program created the command.
pub(crate) fn marked(line: &str, span: Range<usize>) -> Option<Marked<'_>> {
    if mask_command(line) != line {
        return None;
    }
    let before = line.get(..span.start.min(line.len()))?;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let end = line[start..].find('\n').map_or(line.len(), |at| start + at);
    let text = &line[start..end];
    let from = span.start.clamp(start, end);
    let to = span.end.clamp(from, end);
    let (indent, words) = (line.get(start..from)?, line.get(from..to)?);
    (!text.is_empty() && width(text) <= 100).then(|| Marked { text, indent: width(indent), width: width(words).max(1) })
}

/// How errors are printed.
pub(crate) struct Reporter {
    pub(crate) format: ErrorFormat,
    /// Whether errors go to a terminal.
    pub(crate) terminal: bool,
    pub(crate) colour: bool,
    /// The language of hints; nodes give theirs in both (E3).
    pub(crate) language: Language,
    /// The circumstances of the error.
    pub(crate) circumstances: Circumstances,
    /// Secrets in use: a node may quote them anywhere.
    pub(crate) known: KnownSecrets,
}

impl Reporter {
    /// Prints an error on standard error; each failed part of a batch is an error of its own.
    pub(crate) fn tell(&self, error: Error, source: Option<&Source<'_>>, line: Option<&str>) {
        // Write errors are ignored: there is no other place to report them.
        let out = &mut io::stderr().lock();
        match self.without_quoted_secrets(error) {
            Error::Parts(parts) => {
                for part in parts {
                    let source = Source::Part { of: source, what: &part.what };
                    let _ = self.report(&Error::Api(Box::new(part.failure)), Some(&source), None, out);
                }
            }
            error => {
                let _ = self.report(&error, source, line, out);
            }
        }
    }

    /// Writes an error. `line` is the command, and `source` its place.
    fn report(
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
        if let Some((line, span)) = line.and_then(|line| Some((line, error.span_in(line)?))) {
            self.point_at(line, span, out)?;
        }
        if let Error::Sql(error) = error {
            self.point_into(error, out)?;
        }
        for text in self.lines(error) {
            writeln!(out, "  {}", self.clean(&text))?;
        }
        if let Some(hint) = self.hint(error) {
            let label = self.language.choose("hint: ", "提示：");
            writeln!(out, "  {label}{}", self.clean(&hint))?;
        }
        Ok(())
    }

    /// Shows the line with the wrong word marked.
    fn point_at(&self, line: &str, span: Range<usize>, out: &mut dyn Write) -> io::Result<()> {
        let Some(Marked { text, indent, width }) = marked(line, span).filter(|_| self.terminal) else {
            return Ok(());
        };
        let (bold, reset) = if self.colour { ("\u{1b}[1m", "\u{1b}[0m") } else { ("", "") };
        writeln!(out, "  {}", escape_unprintable(text))?;
        writeln!(out, "  {}{bold}{}{reset}", " ".repeat(indent), "^".repeat(width))
    }

    /// The error for programs, without secrets.
    pub(crate) fn object_of(&self, error: &Error) -> ErrorObject {
        match error {
            Error::Api(failure) => {
                let error = self.without_quoted_secrets(Error::Api(failure.clone()));
                self.object(&error, None)
            }
            error => self.object(error, None),
        }
    }

    /// Shows the part of a statement around the wrong word, which is marked.
    fn point_into(&self, error: &StatementError, out: &mut dyn Write) -> io::Result<()> {
        let Some((text, marked)) = error.excerpt(EXCERPT) else { return Ok(()) };
        // In a masked text the columns would differ.
        if mask_command(&error.text) != error.text || self.without_secrets(&text) != text {
            return Ok(());
        }
        let (bold, reset) = if self.colour { ("\u{1b}[1m", "\u{1b}[0m") } else { ("", "") };
        let columns = |range: Range<usize>| width(&text.chars().take(range.end).skip(range.start).collect::<String>());
        let (indent, marks) = (columns(0..marked.start), columns(marked).max(1));
        writeln!(out, "  {}", escape_unprintable(&text))?;
        writeln!(out, "  {}{bold}{}{reset}", " ".repeat(indent), "^".repeat(marks))
    }

    /// The error for programs.
    fn object(&self, error: &Error, source: Option<&Source<'_>>) -> ErrorObject {
        let failure = failure_of(error);
        let advice = || {
            let advice = mask_text(failure?.error.advice(self.language)).into_owned();
            (!advice.is_empty()).then_some(advice)
        };
        let job = match (source, error) {
            (Some(Source::Job(uuid)), _) => Some(*uuid),
            (_, Error::Client(error)) => error.job(),
            _ => None,
        };
        // Text of a node is unchanged: JSON escapes it.
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
            hint: self
                .hint(error)
                .or_else(advice)
                .map(|hint| with_candidates(hint, error))
                .map(|hint| self.without_secrets(&hint)),
            code: failure.map(|failure| failure.code().to_owned()).filter(|code| !code.is_empty()),
            line: source.and_then(Source::line),
            job: job.map(str::to_owned),
            causes,
        }
    }

    /// The error, with the secrets left out that the node quotes.
    fn without_quoted_secrets(&self, mut error: Error) -> Error {
        match &mut error {
            Error::Api(failure) => self.leave_out(&mut failure.error),
            Error::Parts(parts) => parts.iter_mut().for_each(|part| self.leave_out(&mut part.failure.error)),
            _ => {}
        }
        error
    }

    fn leave_out(&self, error: &mut ErrorCode) {
        let texts = [
            &mut error.description,
            &mut error.details,
            &mut error.elaboration,
            &mut error.message_en,
            &mut error.message_cn,
        ];
        for text in texts {
            if let Cow::Owned(masked) = self.known.mask(text) {
                *text = masked;
            }
        }
        error.cause.iter_mut().for_each(|cause| self.leave_out(cause));
        error.causes.iter_mut().for_each(|cause| self.leave_out(cause));
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
        // Programs read the same text in every locale.
        let language = if self.format == ErrorFormat::Json { Language::English } else { self.language };
        hint(error, &self.circumstances, language)
    }

    fn lines(&self, error: &Error) -> Vec<String> {
        let mut lines = failure_of(error).map(|failure| self.failure_lines(failure)).unwrap_or_default();
        if let Error::Name(error) = error {
            lines.extend(error.candidates());
        }
        if let Error::Client(error) = error {
            lines.extend(error.job().map(|job| format!("job: {job}")));
        }
        lines
    }

    fn failure_lines(&self, failure: &ApiFailure) -> Vec<String> {
        let mut lines = Vec::new();
        let error = &failure.error;
        // Failures of long jobs have no code.
        if !error.code.is_empty() {
            lines.push(format!("code: {}", with_description(error)));
        }
        if let Some(inner) = Some(failure.code()).filter(|code| *code != error.code) {
            lines.push(format!("inner code: {inner}"));
        }
        push_text(&mut lines, "advice", error.advice(self.language));
        push_causes(&mut lines, error, 0);
        lines
    }
}

/// The hint with the candidates of a name: programs read no other lines.
fn with_candidates(hint: String, error: &Error) -> String {
    match error {
        Error::Name(error) if !error.candidates().is_empty() => format!("{hint}: {}", error.candidates().join("; ")),
        _ => hint,
    }
}

/// The failure that the node reported, if it did.
fn failure_of(error: &Error) -> Option<&ApiFailure> {
    match error {
        Error::Api(failure) => Some(failure),
        Error::Client(error) => error.failure(),
        _ => None,
    }
}

/// The message for a panic.
pub(crate) fn bug(place: Option<&Location<'_>>, format: ErrorFormat) -> String {
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
        // A filter error may quote a value: a whole reply with its secrets.
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

/// Adds the causes of an error, with nested causes indented (E2).
fn push_causes(lines: &mut Vec<String>, error: &ErrorCode, depth: usize) {
    for cause in error.cause.as_deref().into_iter().chain(&error.causes) {
        push_text(lines, &format!("{}cause", "  ".repeat(depth)), &with_code(cause));
        push_causes(lines, cause, depth + 1);
    }
}

/// The codes and texts of the causes, the outermost first.
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
    // Text of a node may quote the request.
    let text = mask_text(text);
    for (index, line) in text.lines().filter(|line| !line.trim().is_empty()).enumerate() {
        lines.push(if index == 0 { format!("{label}: {line}") } else { format!("    {line}") });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_in_the_format_of_errors() {
        let place = Some(Location::caller());
        let text = bug(place, ErrorFormat::Text);
        assert!(text.starts_with("error: a bug in zstack-cli (src/terminal/report.rs:"), "{text}");
        let line = bug(place, ErrorFormat::Json);
        let object: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!((&object["error"]["kind"], &object["error"]["exitCode"]), (&"bug".into(), &70.into()));
        assert!(!line.contains('\n') && line.contains("please report"), "{line}");
    }
}
