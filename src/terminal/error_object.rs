//! An error as a line of JSON, for programs.

use crate::error::Kind;
use crate::json::write_literal;

/// An error for programs: `{"error": {"kind": .., "exitCode": .., "message": .., ..}}`. Members without a value are
/// left out.
pub(crate) struct ErrorObject {
    pub(crate) kind: Kind,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    /// The node's error code.
    pub(crate) code: Option<String>,
    /// The number of the command's line in its script.
    pub(crate) line: Option<usize>,
    /// The uuid of the job that the error is about.
    pub(crate) job: Option<String>,
    /// The code and the message of each cause, the outermost first.
    pub(crate) causes: Vec<(String, String)>,
}

impl ErrorObject {
    pub(crate) fn new(kind: Kind, message: String) -> ErrorObject {
        ErrorObject { kind, message, hint: None, code: None, line: None, job: None, causes: Vec::new() }
    }

    /// The line without its end. It contains no control characters.
    pub(crate) fn line(&self) -> String {
        format!("{{\"error\": {}}}", self.text())
    }

    /// The object itself, the value of `error`.
    pub(crate) fn text(&self) -> String {
        let mut out = format!("{{\"kind\": \"{}\"", self.kind.word()).into_bytes();
        let mut member = |name: &str, value: &[u8]| {
            out.extend_from_slice(format!(", \"{name}\": ").as_bytes());
            out.extend_from_slice(value);
        };
        member("exitCode", self.kind.exit_code().number().to_string().as_bytes());
        member("message", &literal(&self.message));
        for (name, text) in [("hint", &self.hint), ("code", &self.code)] {
            if let Some(text) = text {
                member(name, &literal(text));
            }
        }
        if let Some(line) = self.line {
            member("line", line.to_string().as_bytes());
        }
        if let Some(job) = &self.job {
            member("job", &literal(job));
        }
        if !self.causes.is_empty() {
            let causes = self.causes.iter().map(|(code, message)| {
                let text = [&b"{\"code\": "[..], &literal(code), b", \"message\": ", &literal(message), b"}"];
                text.concat()
            });
            member("causes", &[&b"["[..], &causes.collect::<Vec<_>>().join(&b", "[..]), b"]"].concat());
        }
        out.push(b'}');
        String::from_utf8_lossy(&out).into_owned()
    }
}

fn literal(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    write_literal(&mut out, text);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_whatever_its_texts_hold() {
        let bare = ErrorObject::new(Kind::NothingFound, "nothing found".to_owned());
        let expected = r#"{"error": {"kind": "nothing-found", "exitCode": 7, "message": "nothing found"}}"#;
        assert_eq!(bare.line(), expected);
        let whole = ErrorObject {
            hint: Some("a\u{2028}b\u{85}".to_owned()),
            code: Some("SYS.1006".to_owned()),
            line: Some(3),
            job: Some("5d".to_owned()),
            causes: vec![("HOST.1".to_owned(), "c".to_owned()), (String::new(), "d".to_owned())],
            ..ErrorObject::new(Kind::ApiFailed, "失败 \"x\"\r\n\u{1b}[31m".to_owned())
        };
        let expected = concat!(
            r#"{"error": {"kind": "api-failed", "exitCode": 3, "message": "失败 \"x\"\r\n\u001b[31m", "#,
            r#""hint": "a\u2028b\u0085", "code": "SYS.1006", "line": 3, "job": "5d", "#,
            r#""causes": [{"code": "HOST.1", "message": "c"}, {"code": "", "message": "d"}]}}"#
        );
        assert_eq!(whole.line(), expected);
        serde_json::from_str::<serde_json::Value>(&whole.line()).expect("JSON");
    }
}
