//! Requests as text: a `curl` command to paste, and what a dry run shows.

use super::caller::{Client, Credentials, USER_AGENT, fresh_job_uuid};
use super::tls::TlsOptions;
use crate::catalog::Method;
use crate::json::{MASK, Secrets, indent};
use crate::plan::{Effect, Request};

/// A request with its headers, as it would be sent.
struct Sketch {
    url: String,
    headers: Vec<(&'static str, String)>,
    body: Option<String>,
}

impl Client {
    /// The request as a `curl` command. Where secrets are masked, it works once they are put back.
    pub fn curl_command(&self, request: &Request, tls: &TlsOptions, secrets: Secrets) -> String {
        let sketch = self.sketch(request, secrets);
        let mut words = vec!["curl".to_owned(), "-sS".to_owned()];
        if tls.insecure {
            words.push("--insecure".to_owned());
        }
        if let Some(file) = &tls.ca_file {
            words.extend(["--cacert".to_owned(), quoted(&file.display().to_string())]);
        }
        if request.method != Method::Get {
            words.extend(["-X".to_owned(), request.method.to_string()]);
        }
        for (name, value) in &sketch.headers {
            words.extend(["-H".to_owned(), quoted(&format!("{name}: {value}"))]);
        }
        if let Some(body) = &sketch.body {
            words.extend(["--data-binary".to_owned(), quoted(body)]);
        }
        words.push(quoted(&sketch.url));
        words.join(" ")
    }

    /// The request as a dry run shows it: method and URL, headers, an empty line, the body.
    pub fn dry_run(&self, request: &Request, secrets: Secrets) -> String {
        let sketch = self.sketch(request, secrets);
        let mut text = format!("{} {}\n", request.method, sketch.url);
        for (name, value) in &sketch.headers {
            text.push_str(&format!("{name}: {value}\n"));
        }
        if let Some(body) = &sketch.body {
            let mut pretty = Vec::new();
            indent(&mut pretty, body.as_bytes(), 0);
            text.push_str(&format!("\n{}\n", String::from_utf8_lossy(&pretty)));
        }
        text
    }

    fn sketch(&self, request: &Request, secrets: Secrets) -> Sketch {
        let mut headers = Vec::new();
        if request.needs_session {
            let credentials = self.shared().credentials.clone();
            match credentials {
                Credentials::Session(uuid) => {
                    let uuid = if secrets == Secrets::Shown { uuid.expose() } else { MASK };
                    headers.push(("Authorization", format!("OAuth {uuid}")));
                }
                Credentials::AccessKey(key) => {
                    let (authorization, date) = self.signature(&key, request, 0);
                    let masked = format!("ZStack {}:{MASK}", key.id);
                    headers
                        .push(("Authorization", if secrets == Secrets::Shown { authorization.text } else { masked }));
                    headers.push(("Date", date));
                }
                // Nobody is logged in: the mask stands where a session will be.
                Credentials::None => headers.push(("Authorization", format!("OAuth {MASK}"))),
            }
        }
        let body = request.body_text(secrets);
        if body.is_some() {
            headers.push(("Content-Type", "application/json; charset=utf-8".to_owned()));
        }
        if request.method != Method::Get {
            headers.push(("X-Job-UUID", fresh_job_uuid()));
        }
        if let Some(timeout) = request.timeout.filter(|_| request.effect != Effect::Query) {
            headers.push(("X-API-Timeout", timeout.as_secs().max(1).to_string()));
        }
        headers.push(("User-Agent", USER_AGENT.to_owned()));
        Sketch { url: format!("{}/v1{}", self.endpoint.base(), request.target(secrets)), headers, body }
    }
}

/// The text as one word for a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::fake::{Node, action, log_in, query};
    use super::*;
    use crate::client::{AccessKey, NodeZone};
    use crate::json::Value;

    /// The text with the job uuid, which is another each time, replaced.
    fn stable(text: &str) -> String {
        let Some(at) = text.find("X-Job-UUID: ") else { return text.to_owned() };
        format!("{}JOB{}", &text[..at + 12], &text[at + 44..])
    }

    #[test]
    fn curl_commands_can_be_pasted() {
        let client = Node::new([]).client();
        let tls = TlsOptions::default();
        assert_eq!(
            stable(&client.curl_command(&action(), &tls, Secrets::Masked)),
            concat!(
                "curl -sS -X POST -H 'Authorization: OAuth ******' -H 'Content-Type: application/json; charset=utf-8' ",
                "-H 'X-Job-UUID: JOB' -H 'User-Agent: zstack-cli/",
                env!("CARGO_PKG_VERSION"),
                "' --data-binary '{\"params\":{\"name\":\"lab\"}}' 'http://node:8080/zstack/v1/zones'"
            )
        );
        let get = client.curl_command(&query(), &tls, Secrets::Shown);
        assert!(get.contains("'Authorization: OAuth 5d0c8a4f'") && !get.contains("-X "), "{get}");
        assert!(get.ends_with("'http://node:8080/zstack/v1/zones?q=name%3Da%20b'"), "{get}");
        let tls = TlsOptions { ca_file: Some("/a'b".into()), insecure: true };
        assert!(client.curl_command(&query(), &tls, Secrets::Masked).contains("--insecure --cacert '/a'\\''b' "));
    }

    #[test]
    fn quotes_in_values_survive_the_shell() {
        let mut request = action();
        request.body = Some(Value::text("it's"));
        let text = Node::new([]).client().curl_command(&request, &TlsOptions::default(), Secrets::Masked);
        assert!(text.contains(r#"--data-binary '"it'\''s"'"#), "{text}");
    }

    #[test]
    fn dry_runs_show_everything_but_secrets() {
        let client = Node::new([]).client();
        let text = client.dry_run(&log_in(), Secrets::Masked);
        assert!(text.starts_with("PUT http://node:8080/zstack/v1/accounts/login\nContent-Type: "), "{text}");
        assert!(text.contains("\"password\": \"******\"") && !text.contains("b109f3"), "{text}");
        assert!(!text.contains("Authorization"), "{text}");
        assert!(client.dry_run(&log_in(), Secrets::Shown).contains("b109f3"));
        let mut timed = action();
        timed.timeout = Some(std::time::Duration::from_secs(90));
        assert!(client.dry_run(&timed, Secrets::Masked).contains("X-API-Timeout: 90\n"));
    }

    #[test]
    fn signatures_are_masked() {
        let mut client = Node::new([]).client();
        let zone = NodeZone::parse("+00:00").expect("a zone");
        client.set_credentials(Credentials::AccessKey(AccessKey { id: "AK".into(), secret: "key".into(), zone }));
        let text = client.dry_run(&query(), Secrets::Masked);
        assert!(text.contains("Authorization: ZStack AK:******\nDate: Tue, 04 Mar 2025 "), "{text}");
        client.set_credentials(Credentials::None);
        assert!(client.dry_run(&query(), Secrets::Shown).contains("Authorization: OAuth ******\n"));
    }
}
