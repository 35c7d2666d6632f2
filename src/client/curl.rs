//! Requests as text: a `curl` command to paste, and what a dry run shows.

use super::call::JobUuid;
use super::caller::Client;
use super::tls::TlsOptions;
use super::wire::WireRequest;
use crate::catalog::Method;
use crate::json::indent;
use crate::plan::Request;
use crate::secret::Secrets;

impl Client {
    /// The request as a `curl` command, under that uuid. If secrets are masked, the user has to fill them in.
    pub fn curl_command(&mut self, request: &Request, job: JobUuid, tls: &TlsOptions, secrets: Secrets) -> String {
        // If this fails, sending fails as well and reports the error.
        let _ = self.prepare_to_sign(request);
        curl_command(&self.preview(request, job), self.endpoint.base(), tls, secrets)
    }

    /// The request as a dry run prints it: method and URL, headers, an empty line, the body. Nothing is sent.
    pub fn dry_run(&self, request: &Request, secrets: Secrets) -> String {
        dry_run(&self.preview(request, JobUuid::fresh()), self.endpoint.base(), secrets)
    }
}

fn curl_command(wire: &WireRequest, base: &str, tls: &TlsOptions, secrets: Secrets) -> String {
    let mut words = vec!["curl".to_owned(), "-sS".to_owned()];
    if tls.insecure {
        words.push("--insecure".to_owned());
    }
    if let Some(file) = &tls.ca_file {
        words.extend(["--cacert".to_owned(), quoted(&file.display().to_string())]);
    }
    if wire.method != Method::Get {
        words.extend(["-X".to_owned(), wire.method.to_string()]);
    }
    for (name, value) in &wire.headers {
        words.extend(["-H".to_owned(), quoted(&format!("{name}: {}", value.show(secrets)))]);
    }
    if let Some(body) = wire.body_text(secrets) {
        words.extend(["--data-binary".to_owned(), quoted(body)]);
    }
    words.push(quoted(&format!("{base}{}", wire.target_text(secrets))));
    words.join(" ")
}

fn dry_run(wire: &WireRequest, base: &str, secrets: Secrets) -> String {
    let mut text = format!("{} {base}{}\n", wire.method, wire.target_text(secrets));
    for (name, value) in &wire.headers {
        text.push_str(&format!("{name}: {}\n", value.show(secrets)));
    }
    if let Some(body) = wire.body_text(secrets) {
        let mut pretty = Vec::new();
        indent(&mut pretty, body.as_bytes(), 0);
        text.push_str(&format!("\n{}\n", String::from_utf8_lossy(&pretty)));
    }
    text
}

/// The text as one word for a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::fake::{Node, accepted, action, log_in, ok, query};
    use super::*;
    use crate::client::{AccessKey, CallOptions, Credentials, NodeZone, Unwatched};
    use crate::json::Value;

    #[test]
    fn curl_commands_can_be_pasted() {
        let mut client = Node::new([]).client();
        let job = JobUuid::fresh();
        let tls = TlsOptions::default();
        assert_eq!(
            client.curl_command(&action(), job, &tls, Secrets::Masked).replace(&job.to_string(), "JOB"),
            concat!(
                "curl -sS -X POST -H 'Authorization: OAuth ******' -H 'Content-Type: application/json; charset=utf-8' ",
                "-H 'X-Job-UUID: JOB' -H 'User-Agent: zstack-cli/",
                env!("CARGO_PKG_VERSION"),
                "' -H 'Accept: */*' --data-binary '{\"params\":{\"name\":\"lab\"}}' 'http://node:8080/zstack/v1/zones'"
            )
        );
        let get = client.curl_command(&query(), job, &tls, Secrets::Shown);
        assert!(get.contains("'Authorization: OAuth 5d0c8a4f'") && !get.contains("-X "), "{get}");
        assert!(get.ends_with("'http://node:8080/zstack/v1/zones?q=name%3Da%20b'"), "{get}");
        let tls = TlsOptions { ca_file: Some("/a'b".into()), insecure: true };
        assert!(client.curl_command(&query(), job, &tls, Secrets::Masked).contains("--insecure --cacert '/a'\\''b' "));
    }

    #[test]
    fn quotes_in_values_survive_the_shell() {
        let mut request = action();
        request.body = Some(Value::text("it's"));
        let text =
            Node::new([]).client().curl_command(&request, JobUuid::fresh(), &TlsOptions::default(), Secrets::Masked);
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

    /// The headers of a dry run, names in lower case.
    fn headers(text: &str) -> Vec<(String, String)> {
        let lines = text.lines().skip(1).take_while(|line| !line.is_empty());
        lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.into()))
            .collect()
    }

    #[test]
    fn what_is_shown_is_what_is_sent() {
        // The node is an hour ahead.
        let clock = r#"{"currentTime":{"MillionSeconds":1741072207000}}"#;
        let node = Node::new([ok(clock), accepted(), ok("{}"), ok("{}")]);
        let mut client = node.client();
        let zone = NodeZone::parse("+08:00").expect("a zone");
        client.set_credentials(Credentials::AccessKey(AccessKey { id: "AK".into(), secret: "key".into(), zone }));
        let (tls, job) = (TlsOptions::default(), JobUuid::fresh());
        let shown = client.curl_command(&action(), job, &tls, Secrets::Shown);
        let how = CallOptions { job: Some(job), ..CallOptions::default() };
        client.execute(&action(), &how, &mut Unwatched).expect("an answer");
        client.execute(&query(), &how, &mut Unwatched).expect("an answer");
        let seen = node.seen();
        assert_eq!(seen[1].header("date"), Some("Tue, 04 Mar 2025 15:10:07 GMT+08:00"));
        assert_eq!(seen[1].header("x-job-uuid"), Some(job.to_string().as_str()));
        let words: Vec<&str> =
            shown.split("-H '").skip(1).filter_map(|word| word.split_once('\'')).map(|it| it.0).collect();
        assert_eq!(headers(&format!("\n{}", words.join("\n"))), seen[1].headers);
        // Once it is known, the node's clock counts for a dry run too.
        assert_eq!(headers(&client.dry_run(&query(), Secrets::Shown)), seen[3].headers);
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
