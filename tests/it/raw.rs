//! `raw`: any request to the node.

use crate::harness::{Home, Run};
use crate::node::{Node, Reply};
use crate::terminal::Terminal;

const SESSION: &str = "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37";

fn node() -> Node {
    Node::start(|request| match (request.method.as_str(), request.path()) {
        ("GET", path) if path.contains("/api-jobs/") => Reply::ok(r#"{"inventory":{"uuid":"1f6d","name":"lab"}}"#),
        ("GET", _) => Reply::ok(r#"{"inventories":[{"uuid":"1f6d","name":"lab"}],"schema":{}}"#),
        _ => Reply::Send(202, "{}".to_owned()),
    })
}

fn raw(home: &Home, node: &Node, words: &[&str]) -> Run {
    home.run(node.call(&[&["raw"], words].concat())).variable("ZSTACK_SESSION_UUID", SESSION)
}

#[test]
fn a_request_is_sent_as_typed_and_its_job_waited_for() {
    let (home, node) = (Home::new(), node());
    let done = raw(&home, &node, &["post", "/zones", r#"{"params": {"name": "lab"}}"#, "--jq", ".inventory.uuid"]);
    done.succeeds().stdout("\"1f6d\"\n").stderr("");
    let sent = node.requests();
    assert_eq!((sent[0].method.as_str(), sent[0].target.as_str()), ("POST", "/zstack/v1/zones"));
    assert_eq!(sent[0].body, br#"{"params":{"name":"lab"}}"#);
    assert_eq!(sent[0].header("authorization"), Some(format!("OAuth {SESSION}").as_str()));
    let job = sent[0].header("x-job-uuid").expect("an action has a job").to_owned();
    let listed = home.run(["job", "list", "-o", "json"]).succeeds().json();
    assert_eq!(listed["inventories"][0]["uuid"], job.as_str());
    assert_eq!(
        (&listed["inventories"][0]["api"], &listed["inventories"][0]["state"]),
        (&"CreateZone".into(), &"succeeded".into())
    );
    let done = raw(&home, &node, &["GET", "v1/zones?q=name~=%25l a%25&limit=1", "-o", "csv", "--columns", "name"]);
    done.succeeds().stdout("name\nlab\n");
    let query = node.requests().last().expect("a request").query();
    assert_eq!(query, [("q".to_owned(), "name~=%l a%".to_owned()), ("limit".to_owned(), "1".to_owned())]);
    let no_wait = raw(&home, &node, &["DELETE", "zones/1f6d?deleteMode=Enforcing", "--no-wait", "-o", "json"]);
    assert_eq!(no_wait.succeeds().json()["job"]["api"], "DeleteZone");
    std::fs::write(home.path().join("body"), r#"{"params":{"name":"b"}}"#).expect("written");
    raw(&home, &node, &["POST", "zones", "@body", "--validate"]).succeeds().stderr_has("warning: the node answered");
    raw(&home, &node, &["POST", "zones", "@-"]).input(r#"{"params":{"name":"c"}}"#).succeeds();
}

#[test]
fn what_would_run_another_api_is_not_sent_unless_asked() {
    let (home, node) = (Home::new(), node());
    let done = raw(&home, &node, &["GET", "/primary-storage/1f6d"]).fails(1).stdout("");
    done.stderr(
        "error: GET /primary-storage/1f6d would run DeletePrimaryStorage: that path has no other API\n  \
         hint: the method there is DELETE; --no-check sends it all the same\n",
    );
    raw(&home, &node, &["PUT", "zones/1f6d/actions", r#"{"changeZone":{}}"#]).fails(1).stderr_has("the body has no");
    raw(&home, &node, &["GET", "zones?q=name~=%foo%"]).fails(1).stderr_has("`%25` stands for a percent sign");
    raw(&home, &node, &["HEAD", "zones"]).fails(1).stderr_has("`HEAD` is not one of GET, POST, PUT and DELETE");
    assert!(node.requests().is_empty());
    raw(&home, &node, &["GET", "/primary-storage/1f6d", "--no-check"]).succeeds();
    assert!(node.requests()[0].header("x-job-uuid").is_some(), "it may delete");
    raw(&home, &node, &["GET", "/no/such/path"]).succeeds().stderr("warning: the catalog knows no API at this path\n");
    let error = "error: the node has no API at /no/such/path\n";
    Home::with_cloud().run(["--sandbox", "raw", "GET", "/no/such/path"]).fails(3).stderr_has(error);
}

#[test]
fn secrets_of_a_raw_request_are_not_shown() {
    let (home, node) = (Home::new(), node());
    let body = r#"{"logInByAccount":{"accountName":"admin","password":"hunter2"}}"#;
    let done = raw(&home, &node, &["PUT", "accounts/login", body, "--dry-run", "-c"]).succeeds();
    done.stdout_has("******").stderr_has("******").never_shows("hunter2");
    raw(&home, &node, &["DELETE", &format!("accounts/sessions/{SESSION}"), "--dry-run"])
        .succeeds()
        .never_shows(SESSION);
    assert!(node.requests().is_empty());
    let session = r#"{"inventory":{"uuid":"11111111111111111111111111111111","accountUuid":"36c2","userUuid":"36c2"}}"#;
    let node = Node::start(move |_| Reply::ok(session));
    // A log-in opens a session however it is sent.
    home.run(node.call(&["raw", "PUT", "accounts/login", body, "-v"])).succeeds().never_shows("hunter2");
    assert!(!home.files().iter().any(|(_, bytes)| bytes.windows(7).any(|window| window == b"hunter2")));
    // On a terminal whoever sits there is warned.
    let words = node.call(&["raw", "PUT", "accounts/login", body, "-o", "value"]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (screen, _) = Terminal::run(&home, 200, 20, env!("CARGO_BIN_EXE_zstack-cli"), &words).ends();
    assert!(screen.contains("can see the secrets of the body among the arguments"), "{screen}");
    home.run(node.call(&["raw", "GET", "zones", "-q"])).succeeds();
    let last = node.requests().pop().expect("a request");
    assert_eq!(last.header("authorization"), Some("OAuth 11111111111111111111111111111111"));
}
