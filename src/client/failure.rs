//! The error object that a node sends when an API failed.

use super::call::JobOutcome;
use crate::json::{self, Kind, Piece, Pieces, ReadError, unescape};
use crate::language::Language;
use crate::parts::{self, Part};

/// The maximum depth of a chain of causes.
const DEEPEST_CAUSE: usize = 32;

/// The maximum number of causes in a list, one for each host or volume.
const MOST_CAUSES: usize = 100;

/// The failure of an API, as reported by the node (E1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiFailure {
    /// The error object's own text.
    pub text: String,
    /// The error and its causes.
    pub error: ErrorCode,
}

/// One error: the failed API's, or a cause of it. Absent members are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorCode {
    /// The error code, such as `SYS.1006`. Decisions are made by the code only (E3).
    pub code: String,
    /// The fixed text of the code, often translated.
    pub description: String,
    /// The details, often translated.
    pub details: String,
    /// Advice for people; may have several lines.
    pub elaboration: String,
    /// That advice in English.
    pub message_en: String,
    /// That advice in Chinese.
    pub message_cn: String,
    /// The cause.
    pub cause: Option<Box<ErrorCode>>,
    /// The causes, if there are several: one for each host, volume and so on.
    pub causes: Vec<ErrorCode>,
}

impl ApiFailure {
    /// Reads the body of a failed call: `{"error": {..}}`. `None` where the body is no such object.
    ///
    /// Source: E1; doc/protocol.md, "Status codes".
    pub fn of_body(body: &[u8]) -> Option<ApiFailure> {
        let body = body.trim_ascii();
        json::parse(body).ok()?;
        let text = json::member(body, "error").filter(|text| json::kind(text) == Kind::Map)?;
        Some(ApiFailure { text: String::from_utf8_lossy(text).into_owned(), error: ErrorCode::of(text, 0) })
    }

    /// The reply as the node sends it: `{"error": {..}}`.
    pub fn reply(&self) -> String {
        format!("{{\"error\":{}}}", self.text)
    }

    /// The most specific code: that of the error inside an internal error (E4), or the error's own.
    pub fn code(&self) -> &str {
        self.error.inner_code().unwrap_or(&self.error.code)
    }

    /// Whether the node refused the session itself: the call did not run (J7).
    pub fn refused_session(&self) -> bool {
        self.error.code == SESSION_INVALID
    }

    /// Whether the session is invalid, also as the cause of an internal error.
    pub fn session_expired(&self) -> bool {
        self.code() == SESSION_INVALID
    }

    /// The outcome of a job that failed this way. It is unknown if the session expired while the action was running.
    pub fn outcome(&self) -> JobOutcome {
        match (self.refused_session(), self.session_expired()) {
            (true, _) => JobOutcome::NotRun,
            (false, true) => JobOutcome::Unknown,
            (false, false) => JobOutcome::Failed,
        }
    }
}

/// A part of a batch that failed (M2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedPart {
    /// Its uuid, and its name if the reply has it.
    pub what: String,
    /// Why.
    pub failure: ApiFailure,
}

impl FailedPart {
    /// The parts that failed of a reply that was read whole.
    pub fn all_of(reply: &[u8]) -> Vec<FailedPart> {
        let mut parts = Parts::new(json::Scanner::new(reply));
        while let Ok(Some(_)) = parts.next_piece() {}
        parts.into_failed()
    }

    /// The failed part at position `number` of the reply.
    fn of(part: Part<'_>, number: usize) -> FailedPart {
        let text = |value: &[u8]| unescape(value).into_owned();
        let what = match (part.name().map(text), part.uuid().map(text)) {
            (Some(name), Some(uuid)) => format!("{name} ({uuid})"),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => format!("part {number}"),
        };
        let told = part.error().unwrap_or_default();
        let error = match json::kind(told) {
            Kind::Map => ErrorCode::of(told, 0),
            Kind::Text => ErrorCode { details: text(told), ..ErrorCode::default() },
            _ => ErrorCode::default(),
        };
        FailedPart { what, failure: ApiFailure { text: String::from_utf8_lossy(told).into_owned(), error } }
    }
}

/// Passes the pieces of a reply on and collects the parts that failed.
pub struct Parts<P> {
    pieces: P,
    inside: bool,
    count: usize,
    failed: Vec<FailedPart>,
}

impl<P: Pieces> Parts<P> {
    /// Wraps `pieces`.
    pub fn new(pieces: P) -> Parts<P> {
        Parts { pieces, inside: false, count: 0, failed: Vec::new() }
    }

    /// The parts that failed, as far as they were read.
    pub fn into_failed(self) -> Vec<FailedPart> {
        self.failed
    }
}

impl<P: Pieces> Pieces for Parts<P> {
    fn next_piece(&mut self) -> Result<Option<Piece<'_>>, ReadError> {
        let piece = self.pieces.next_piece()?;
        match piece {
            Some(Piece::Rows { name }) => (self.inside, self.count) = (name == parts::LIST, 0),
            Some(Piece::Row(row)) if self.inside => {
                self.count += 1;
                if let Some(part) = Part::of(row).filter(Part::has_failed) {
                    self.failed.push(FailedPart::of(part, self.count));
                }
            }
            _ => {}
        }
        Ok(piece)
    }
}

/// The code of a session that is unknown or expired.
const SESSION_INVALID: &str = "ID.1001";

impl ErrorCode {
    fn of(object: &[u8], depth: usize) -> ErrorCode {
        let text = |name: &str| {
            json::member(object, name)
                .filter(|value| json::kind(value) == Kind::Text)
                .map(|value| unescape(value).into_owned())
                .unwrap_or_default()
        };
        let message = |name: &str| {
            json::member(object, "messages")
                .and_then(|messages| json::member(messages, name))
                .filter(|value| json::kind(value) == Kind::Text)
                .map(|value| unescape(value).into_owned())
                .unwrap_or_default()
        };
        let deeper = depth < DEEPEST_CAUSE;
        let cause = json::member(object, "cause").filter(|cause| deeper && json::kind(cause) == Kind::Map);
        let causes = json::member(object, "causes").filter(|_| deeper).unwrap_or_default();
        ErrorCode {
            code: text("code"),
            description: text("description"),
            details: text("details"),
            elaboration: text("elaboration"),
            message_en: message("message_en"),
            message_cn: message("message_cn"),
            cause: cause.map(|cause| Box::new(ErrorCode::of(cause, depth + 1))),
            causes: json::items(causes)
                .filter(|cause| json::kind(cause) == Kind::Map)
                .take(MOST_CAUSES)
                .map(|cause| ErrorCode::of(cause, depth + 1))
                .collect(),
        }
    }

    /// Reads the result of a long job that failed: `{"message", "detail", "cause"}`. It has no code of its own.
    ///
    /// Source: doc/protocol.md, "Long jobs".
    pub(super) fn of_long_job(result: &[u8]) -> ErrorCode {
        let member = |name: &str, wanted: Kind| json::member(result, name).filter(|value| json::kind(value) == wanted);
        let text = |name: &str| member(name, Kind::Text).map(|value| unescape(value).into_owned()).unwrap_or_default();
        let cause = match (member("cause", Kind::Map), text("cause")) {
            (Some(cause), _) => Some(ErrorCode::of(cause, 1)),
            (None, details) if !details.is_empty() => Some(ErrorCode { details, ..ErrorCode::default() }),
            (None, _) => None,
        };
        let (message, detail) = (text("message"), text("detail"));
        let details = if message.is_empty() || detail.is_empty() {
            format!("{message}{detail}")
        } else {
            format!("{message}: {detail}")
        };
        ErrorCode { details, cause: cause.map(Box::new), ..ErrorCode::default() }
    }

    /// The code of the error that an internal error contains as JSON in its details: `...{"code":"ID.1006",...}` (E4).
    pub fn inner_code(&self) -> Option<&str> {
        if self.code != "SYS.1000" {
            return None;
        }
        self.details.match_indices("\"code\"").find_map(|(at, name)| {
            let rest =
                self.details[at + name.len()..].trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
            let code = &rest[..rest.find('"')?];
            let shaped = code.contains('.') && code.chars().all(|c| c.is_ascii_alphanumeric() || "._".contains(c));
            shaped.then_some(code)
        })
    }

    /// The error and its chain of causes.
    #[cfg(test)]
    pub(super) fn chain(&self) -> impl Iterator<Item = &ErrorCode> {
        std::iter::successors(Some(self), |error| error.cause.as_deref())
    }

    /// What happened, in the fewest words that there are: the details, else the description.
    pub fn what(&self) -> &str {
        if self.details.trim().is_empty() { self.description.trim() } else { self.details.trim() }
    }

    /// Advice in the user's language.
    pub fn advice(&self, language: Language) -> &str {
        let (first, second) =
            language.choose((&self.message_en, &self.elaboration), (&self.message_cn, &self.message_en));
        let found = [first, &self.elaboration, second].into_iter().find(|text| !text.trim().is_empty());
        found.map_or("", |text| text.trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(json: &str) -> ApiFailure {
        ApiFailure::of_body(json.as_bytes()).expect("an error object")
    }

    #[test]
    fn chains_and_several_causes_are_kept() {
        let read = failure(
            r#" {"error":{"code":"SYS.1006","details":"cannot attach","cause":{"code":"HOST.1","cause":{"code":"A.2","details":"no route"}},"causes":[{"code":"B.1"},{"code":"B.2"},7]}} "#,
        );
        let chain: Vec<(&str, &str)> = read.error.chain().map(|it| (it.code.as_str(), it.details.as_str())).collect();
        assert_eq!(chain, [("SYS.1006", "cannot attach"), ("HOST.1", ""), ("A.2", "no route")]);
        let causes: Vec<&str> = read.error.causes.iter().map(|cause| cause.code.as_str()).collect();
        assert_eq!(causes, ["B.1", "B.2"]);
        assert!(read.text.starts_with(r#"{"code":"SYS.1006""#) && read.text.ends_with("7]}"));
    }

    #[test]
    fn codes_inside_internal_errors_are_dug_out() {
        let inner = failure(
            r#"{"error":{"code":"SYS.1000","details":"org.x.Exception: {\"a\":1,\"code\" : \"ID.1006\",\"b\":2}"}}"#,
        );
        assert_eq!(inner.code(), "ID.1006");
        assert!(!inner.session_expired());
        let expired = failure(r#"{"error":{"code":"SYS.1000","details":"x {\"code\":\"ID.1001\"}"}}"#);
        assert!(expired.session_expired() && !expired.refused_session());
        let refused = failure(r#"{"error":{"code":"ID.1001"}}"#);
        assert!(refused.refused_session());
        let outcomes = [inner, expired, refused].map(|failure| failure.outcome());
        assert_eq!(outcomes, [JobOutcome::Failed, JobOutcome::Unknown, JobOutcome::NotRun]);
        let other = failure(r#"{"error":{"code":"SYS.1006","details":"{\"code\":\"ID.1001\"}"}}"#);
        assert_eq!(other.code(), "SYS.1006", "only internal errors hide another");
    }

    #[test]
    fn parts_that_failed_are_noted() {
        let reply = r#"{"success":true,"results":[{"uuid":"a","success":true},{"uuid":"b","success":false,"error":
            {"code":"SYS.1006","details":"busy"}},{"success":false,"reason":"no"},{"inventories":[{"success":false}]}],
            "others":[{"success":false}]}"#;
        let told: Vec<_> = FailedPart::all_of(reply.as_bytes())
            .into_iter()
            .map(|part| (part.what, part.failure.error.code, part.failure.error.details))
            .collect();
        let expected = [("b", "SYS.1006", "busy"), ("part 3", "", "no")];
        assert_eq!(told, expected.map(|(what, code, details)| (what.into(), code.into(), details.into())));
    }

    #[test]
    fn other_bodies_are_no_failure() {
        for body in ["", "{}", "[]", r#"{"error":"x"}"#, r#"{"error":{}"#, "<html>", r#"{"error":null}"#] {
            assert_eq!(ApiFailure::of_body(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn chains_are_followed_only_so_deep() {
        let deep =
            |causes: usize| format!("{{\"error\":{}{{}}{}", r#"{"cause":"#.repeat(causes), "}".repeat(causes + 1));
        assert_eq!(failure(&deep(3)).error.chain().count(), 4);
        assert_eq!(failure(&deep(60)).error.chain().count(), 1 + DEEPEST_CAUSE);
    }

    #[test]
    fn advice_follows_the_language() {
        let read =
            failure(r#"{"error":{"code":"A.1","elaboration":"e","messages":{"message_cn":"cn","message_en":"en"}}}"#);
        assert_eq!((read.error.advice(Language::English), read.error.advice(Language::Chinese)), ("en", "cn"));
        assert_eq!(failure(r#"{"error":{"elaboration":"e"}}"#).error.advice(Language::Chinese), "e");
    }
}
