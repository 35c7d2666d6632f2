//! Sessions that expire, and traces without secrets.

use std::io::Write;
use std::sync::{Arc, Mutex};

use super::fake::{Node, accepted, action, answer, log_in, ok, query, synchronous_action};
use crate::client::{
    AccessKey, Answer, CallOptions, Class, Client, Credentials, Error, NodeZone, Uncertainty, Unwatched,
};
use crate::plan::Request;
use crate::secret::Secrets;

const EXPIRED: &str = r#"{"error":{"code":"ID.1001","details":"Session expired"}}"#;
const LOGGED_IN: &str = r#"{"inventory":{"uuid":"90ab90ab","accountUuid":"36c2","userUuid":"36c2","expiredDate":"Mar 4, 2025 4:10:07 PM"}}"#;

fn run(client: &mut Client, request: &Request) -> Result<Answer, Error> {
    client.execute(request, &CallOptions::default(), &mut Unwatched)
}

#[test]
fn an_expired_session_is_renewed_once_and_the_call_repeated() {
    let node = Node::new([answer(503, EXPIRED), ok(LOGGED_IN), ok("{}")]);
    let mut client = node.client();
    client.set_log_in(Some(log_in()));
    run(&mut client, &query()).expect("an answer");
    let renewed = client.take_renewed_session().expect("a session to store");
    assert_eq!(renewed.uuid.expose(), "90ab90ab");
    assert!(client.take_renewed_session().is_none());
    let seen = node.seen();
    assert_eq!(seen[1].line, "PUT /v1/accounts/login");
    assert_eq!(seen[1].header("authorization"), None);
    assert_eq!(seen[2].header("authorization"), Some("OAuth 90ab90ab"));
}

#[test]
fn a_job_refused_for_its_session_is_sent_again_under_a_new_uuid() {
    let node = Node::new([accepted(), answer(503, EXPIRED), ok(LOGGED_IN), accepted(), ok("{}")]);
    let mut client = node.client();
    client.set_log_in(Some(log_in()));
    run(&mut client, &action()).expect("an answer");
    let seen = node.seen();
    assert_eq!(seen[0].line, seen[3].line);
    assert_ne!(seen[0].header("x-job-uuid"), seen[3].header("x-job-uuid"));
}

#[test]
fn only_a_poll_shows_that_a_uuid_is_spent() {
    // The first try is on its way still when the second is refused for its session.
    let unknown = || answer(404, "unknown job");
    let late = [ok(LOGGED_IN), answer(400, "Duplicate job uuid[x]"), answer(202, "{}"), ok("{}")];
    let node = Node::new([answer(504, ""), unknown(), answer(503, EXPIRED), unknown()].into_iter().chain(late));
    let mut client = node.client();
    client.set_log_in(Some(log_in()));
    run(&mut client, &action()).expect("an answer");
    let seen = node.seen();
    let posts: Vec<_> = seen.iter().filter(|seen| seen.line.starts_with("POST")).collect();
    assert_eq!(posts.len(), 3);
    assert!(posts.iter().all(|post| post.header("x-job-uuid") == posts[0].header("x-job-uuid")));
    assert_eq!(posts[2].header("authorization"), Some("OAuth 90ab90ab"));
    // The same where it was the only one.
    let node = Node::new([answer(503, EXPIRED), unknown(), ok(LOGGED_IN), accepted(), ok("{}")]);
    let mut client = node.client();
    client.set_log_in(Some(log_in()));
    run(&mut client, &action()).expect("an answer");
    let seen = node.seen();
    assert_eq!(seen[0].header("x-job-uuid"), seen[3].header("x-job-uuid"));
    let node = Node::new([answer(503, EXPIRED), unknown()]);
    let error = run(&mut node.client(), &action()).expect_err("nobody to log in");
    assert_eq!(error.class(), Class::NoSession);
    node.seen();
}

#[test]
fn a_session_that_expires_again_is_given_up() {
    let node = Node::new([answer(503, EXPIRED), ok(LOGGED_IN), answer(503, EXPIRED)]);
    let mut client = node.client();
    client.set_log_in(Some(log_in()));
    let error = run(&mut client, &query()).expect_err("expired");
    assert!(matches!(&error, Error::SessionExpired { .. }), "{error}");
    assert_eq!(error.class(), Class::NoSession);
    node.seen();
}

#[test]
fn without_a_log_in_an_expired_session_ends_the_call() {
    let wrapped = r#"{"error":{"code":"SYS.1000","details":"x {\"code\":\"ID.1001\"}"}}"#;
    for (request, steps) in [
        (query(), vec![answer(503, EXPIRED)]),
        (query(), vec![answer(503, wrapped)]),
        (action(), vec![accepted(), answer(503, EXPIRED)]),
    ] {
        let node = Node::new(steps);
        let error = run(&mut node.client(), &request).expect_err("expired");
        assert_eq!((error.class(), error.failure().is_some()), (Class::NoSession, true));
        node.seen();
    }
}

#[test]
fn an_action_that_may_have_begun_is_not_repeated() {
    let wrapped = r#"{"error":{"code":"SYS.1000","details":"x {\"code\":\"ID.1001\"}"}}"#;
    let node = Node::new([accepted(), answer(503, wrapped)]);
    let mut client = node.client();
    client.set_log_in(Some(log_in()));
    let error = run(&mut client, &action()).expect_err("nobody knows");
    assert_eq!(error.class(), Class::Unknown);
    assert_eq!(error.job(), node.seen()[0].header("x-job-uuid"));
    assert_eq!(error.failure().map(|failure| failure.code()), Some("ID.1001"));
    let node = Node::new([answer(503, wrapped)]);
    let error = run(&mut node.client(), &synchronous_action()).expect_err("nobody knows");
    assert!(matches!(error, Error::OutcomeUnknown { job: None, reason: Uncertainty::Session(_), .. }));
    node.seen();
}

#[test]
fn nothing_is_sent_without_a_session() {
    let node = Node::new([]);
    let mut client = node.client();
    client.set_credentials(Credentials::None);
    assert!(matches!(run(&mut client, &query()), Err(Error::NoSession { api: "QueryZone" })));
    node.seen();
    let node = Node::new([ok(LOGGED_IN), ok("{}")]);
    let mut client = node.client();
    client.set_credentials(Credentials::None);
    client.set_log_in(Some(log_in()));
    run(&mut client, &query()).expect("logged in first");
    node.seen();
}

#[test]
fn logging_in_and_out() {
    let node = Node::new([ok(LOGGED_IN), ok("{}"), answer(503, r#"{"error":{"code":"ID.1000"}}"#), ok("{}")]);
    let mut client = node.client();
    let session = client.log_in(&log_in()).expect("an answer").expect("a session");
    assert_eq!(session.account_uuid.as_deref(), Some("36c2"));
    client.log_out();
    assert!(!client.has_credentials());
    assert_eq!(client.log_in(&log_in()).expect("an answer").expect_err("refused").code(), "ID.1000");
    assert!(matches!(client.log_in(&log_in()), Err(Error::Reply { .. })), "a reply without a session");
    let lines = node.lines();
    assert_eq!(lines[1], "DELETE /v1/accounts/sessions/90ab90ab");
}

#[test]
fn access_keys_sign_by_the_nodes_clock() {
    // The node is an hour ahead.
    let node =
        Node::new([ok(r#"{"currentTime":{"MillionSeconds":1741072207000,"Seconds":1741072207}}"#), ok("{}"), ok("{}")]);
    let mut client = node.client();
    client.set_credentials(Credentials::AccessKey(AccessKey {
        id: "AKID".into(),
        secret: "key".into(),
        zone: NodeZone::parse("+08:00").expect("a zone"),
    }));
    run(&mut client, &query()).expect("an answer");
    run(&mut client, &query()).expect("an answer");
    let seen = node.seen();
    assert_eq!((seen[0].line.as_str(), seen[0].header("authorization")), ("PUT /v1/management-nodes/actions", None));
    assert_eq!(seen[1].header("date"), Some("Tue, 04 Mar 2025 15:10:07 GMT+08:00"));
    assert!(seen[1].header("authorization").expect("signed").starts_with("ZStack AKID:"));
    assert_eq!(seen[1].header("authorization"), seen[2].header("authorization"), "one clock, one signature");
}

/// A writer that a test can read.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a page").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn traces_hold_no_secret_unless_asked() {
    for (secrets, shown) in [(Secrets::Masked, false), (Secrets::Shown, true)] {
        let node =
            Node::new([ok(LOGGED_IN), ok(r#"{"inventories":[{"sshPassword":"hunter2","name":"a"}]}"#), ok("{}")]);
        let page = Page::default();
        let mut client = node.client();
        client.set_trace(Some(Box::new(page.clone())), secrets, crate::secret::KnownSecrets::default());
        client.log_in(&log_in()).expect("an answer").expect("a session");
        drop(run(&mut client, &query()).expect("an answer"));
        client.log_out();
        let text = String::from_utf8(page.0.lock().expect("a page").clone()).expect("text");
        for secret in ["90ab90ab", "hunter2", "b109f3"] {
            assert_eq!(text.contains(secret), shown, "{secret} in {text}");
        }
        assert!(text.contains("> GET http://node:8080/zstack/v1/zones?q=name%3Da%20b"), "{text}");
        assert!(
            text.contains("\"accountName\":\"admin\"") && text.contains("< 200") && text.contains("\"name\":\"a\"")
        );
    }
}
