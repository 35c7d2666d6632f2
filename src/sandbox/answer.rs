//! Replies of the node: status, body and error objects.

use super::store::escape_markup;
use crate::json;

/// A reply of the node.
///
/// Replies of the API have no `Content-Type` (T4); pages of the servlet container do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) is_page: bool,
}

impl Answer {
    /// A reply in JSON.
    pub(super) fn json(status: u16, body: &str) -> Answer {
        Answer { status, body: escape_markup(body).into_owned().into_bytes(), is_page: false }
    }

    /// A reply in JSON that the store printed.
    pub(super) fn complete(body: String) -> Answer {
        Answer { status: 200, body: body.into_bytes(), is_page: false }
    }

    /// A rejection by the front end: plain text, nothing was done (section 5).
    pub(super) fn text(status: u16, text: impl Into<String>) -> Answer {
        Answer { status, body: text.into().into_bytes(), is_page: false }
    }

    /// A page of the servlet container, as for a URL that it does not accept.
    pub(super) fn page(status: u16) -> Answer {
        let title = match status {
            400 => "HTTP Status 400 \u{2013} Bad Request",
            404 => "HTTP Status 404 \u{2013} Not Found",
            405 => "HTTP Status 405 \u{2013} Method Not Allowed",
            502 => "502 Bad Gateway",
            503 => "503 Service Temporarily Unavailable",
            _ => "HTTP Status 500 \u{2013} Internal Server Error",
        };
        let body = format!(
            "<!doctype html><html lang=\"en\"><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
        );
        Answer { status, body: body.into_bytes(), is_page: true }
    }

    /// A failed API.
    pub(super) fn failed(failure: &Failure) -> Answer {
        Answer::json(503, &format!("{{\"error\":{}}}", failure.to_text()))
    }

    /// The result of a job: its reply in JSON, or its failure, which always has a list of causes (R17).
    pub(super) fn of_job(outcome: Result<String, Failure>) -> Answer {
        let error = |failure: Failure| match failure.to_json() {
            json::Value::Map(mut members) if failure.causes.is_empty() => {
                members.insert(0, ("causes".to_owned(), json::Value::List(Vec::new())));
                json::Value::Map(members)
            }
            other => other,
        };
        outcome.map_or_else(
            |failure| Answer::json(503, &format!("{{\"error\":{}}}", error(failure).to_json(None))),
            |reply| Answer::json(200, &reply),
        )
    }

    /// The result of an API: its reply in JSON, or its failure.
    pub(super) fn of(outcome: Result<String, Failure>) -> Answer {
        match outcome {
            Ok(reply) => Answer::json(200, &reply),
            Err(failure) => Answer::failed(&failure),
        }
    }
}

/// An error object of the node (E1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) code: &'static str,
    pub(super) details: String,
    pub(super) cause: Option<Box<Failure>>,
    pub(super) causes: Vec<Failure>,
}

impl Failure {
    /// A failure with a code of the table in doc/protocol.md, "Errors".
    pub(super) fn new(code: &'static str, details: impl Into<String>) -> Failure {
        Failure { code, details: details.into(), cause: None, causes: Vec::new() }
    }

    /// `SYS.1000`: an internal error.
    pub(super) fn internal(details: impl Into<String>) -> Failure {
        Failure::new("SYS.1000", details)
    }

    /// `SYS.1003`: a uuid that does not exist.
    pub(super) fn not_found(details: impl Into<String>) -> Failure {
        Failure::new("SYS.1003", details)
    }

    /// `SYS.1006`: an operation that the state of a resource does not allow.
    pub(super) fn refused(details: impl Into<String>) -> Failure {
        Failure::new("SYS.1006", details)
    }

    /// `SYS.1007`: a bad argument.
    pub(super) fn argument(details: impl Into<String>) -> Failure {
        Failure::new("SYS.1007", details)
    }

    /// `ID.1001`: no such session, or it has expired.
    pub(super) fn no_session() -> Failure {
        Failure::new("ID.1001", "Session expired")
    }

    /// `SANDBOX.1000`: the sandbox does not do this; nothing was changed.
    pub(super) fn not_simulated(api: &str) -> Failure {
        Failure::new("SANDBOX.1000", format!("the sandbox does not simulate {api}; nothing was changed"))
    }

    /// The same failure with a cause.
    pub(super) fn because(mut self, cause: Failure) -> Failure {
        self.cause = Some(Box::new(cause));
        self
    }

    /// The same failure with several causes.
    pub(super) fn with_causes(mut self, causes: Vec<Failure>) -> Failure {
        self.causes = causes;
        self
    }

    /// The error object. Absent members mean null (N2).
    pub(super) fn to_json(&self) -> json::Value {
        // The node truncates details to 4,096 characters (E1).
        let details: String = self.details.chars().take(4096).collect();
        let mut error = vec![
            ("code".to_owned(), json::Value::text(self.code)),
            ("description".to_owned(), json::Value::text(description(self.code))),
            ("details".to_owned(), json::Value::text(details)),
        ];
        if let Some(cause) = &self.cause {
            error.push(("cause".to_owned(), cause.to_json()));
        }
        if !self.causes.is_empty() {
            error.push(("causes".to_owned(), json::Value::List(self.causes.iter().map(Failure::to_json).collect())));
        }
        json::Value::Map(error)
    }

    /// The error object as text.
    pub(super) fn to_text(&self) -> String {
        self.to_json().to_json(None)
    }
}

/// The fixed text of a code.
fn description(code: &str) -> &'static str {
    match code {
        "SYS.1000" => "An internal error happened in system",
        "SYS.1001" => "A message or an operation timed out",
        "SYS.1002" => "Unable to create a resource",
        "SYS.1003" => "The resource cannot be found",
        "SYS.1004" => "Unable to delete a resource",
        "SYS.1005" => "Unable to change the state of a resource",
        "SYS.1006" => "The operation failed",
        "SYS.1007" => "An invalid argument",
        "SYS.1010" => "The management node is not ready",
        "SYS.1016" => "An I/O error happened",
        "SYS.1017" => "The operation was cancelled",
        "ID.1000" => "Wrong account name or password",
        "ID.1001" => "The session is invalid",
        "ID.1002" => "Permission denied",
        "ID.1003" => "The quota is exceeded",
        "LONG_JOB.1000" => "The long job was cancelled",
        "LONG_JOB.1001" => "The long job cannot be cancelled",
        "LONG_JOB.1003" => "The long job does not support this",
        "PORTAL.1000" => "No service handles this API",
        "SANDBOX.1000" => "The sandbox does not simulate this",
        _ => "The operation failed",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn error_objects_omit_what_is_null_and_nest_their_causes() {
        let failure = Failure::refused("cannot stop").because(Failure::new("SYS.1016", "host agent: a=<b>"));
        let answer = Answer::failed(&failure);
        assert_eq!(answer.status, 503);
        let text = String::from_utf8(answer.body).expect("replies are UTF-8");
        assert!(text.contains("a\\u003d\\u003cb\\u003e"), "{text}");
        let value: Value = serde_json::from_str(&text).expect("an error is JSON");
        assert_eq!(value["error"]["code"], "SYS.1006");
        assert_eq!(value["error"]["cause"]["details"], "host agent: a=<b>");
        assert!(value["error"]["cause"].get("cause").is_none());
    }

    #[test]
    fn details_are_cut() {
        let failure = Failure::internal("x".repeat(5000));
        let error: Value = serde_json::from_str(&failure.to_text()).expect("an error is JSON");
        assert_eq!(error["details"].as_str().map(str::len), Some(4096));
    }
}
