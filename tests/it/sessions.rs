//! Opening, keeping, renewing and closing sessions.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::harness::Home;
use crate::node::{Node, Recorded, Reply};
use crate::served::Served;
use crate::terminal::{ENTER, Terminal};

const FIRST: &str = "11111111111111111111111111111111";
const SECOND: &str = "22222222222222222222222222222222";

fn session(uuid: &str) -> Reply {
    Reply::ok(format!(
        r#"{{"inventory":{{"uuid":"{uuid}","accountUuid":"36c2","userUuid":"36c2","expiredDate":"Mar 4, 2025 4:10:07 PM"}}}}"#
    ))
}

fn is_log_in(request: &Recorded) -> bool {
    request.path() == "/zstack/v1/accounts/login"
}

fn has_session(request: &Recorded, uuid: &str) -> bool {
    request.header("authorization") == Some(format!("OAuth {uuid}").as_str())
}

/// The only file with credentials.
fn credentials(home: &Home) -> std::path::PathBuf {
    let mut found = stored(home);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// All files of credentials.
fn stored(home: &Home) -> Vec<std::path::PathBuf> {
    let is_one = |path: &std::path::PathBuf| {
        let holds = path.parent().is_some_and(|folder| folder.ends_with("credentials"));
        holds && path.extension().is_some_and(|end| end == "json")
    };
    home.files().into_iter().map(|(path, _)| path).filter(is_one).collect()
}

#[test]
fn a_session_is_kept_for_its_owner_and_used_by_the_next_process() {
    let served = Served::start(&[]);
    let home = Home::new();
    served.run(&home, &["QueryZone", "count=true"]).fails(5).stderr_has("nobody is logged in");
    served.run(&home, &["LogInByAccount", "accountName=admin", "password=@-"]).input("password").succeeds();
    let path = credentials(&home);
    assert_eq!(std::fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
    served.run(&home, &["QueryZone", "count=true", "--jq", ".total"]).succeeds().stdout("2\n");

    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("changed");
    let mend = format!("chmod 600 {}", path.display());
    served.run(&home, &["QueryZone"]).fails(2).stdout("").stderr_has(&mend);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("changed");

    served.run(&home, &["LogOut"]).succeeds();
    assert!(!path.exists());
    served.run(&home, &["QueryZone"]).fails(5);
}

#[test]
fn the_words_login_and_logout_do_the_same() {
    let served = Served::start(&[]);
    let home = Home::new();
    served.run(&home, &["login"]).input("wrong\n").fails(3).stderr_has("code: ID.1000").stderr_has("wrong name or");
    served.run(&home, &["login", "admin"]).input("password\n").succeeds().stdout("").stderr_has("logged in as admin");
    served.run(&home, &["QueryZone", "count=true"]).succeeds();
    served.run(&home, &["logout"]).succeeds().stdout("").stderr("logged out\n");
    served.run(&home, &["QueryZone", "count=true"]).fails(5);
    served.run(&home, &["login"]).fails(1).stderr_has("a password is needed");
}

#[test]
fn a_password_that_begins_like_a_file_name_is_a_password() {
    let node = Node::start(|_| session(FIRST));
    let home = Home::new();
    home.run(node.call(&["login"])).input("@/etc/hostname\n").succeeds();
    // The SHA-512 of the text itself, from another program.
    let hash = "1e311055f16afbcd5188f35bf0062d65eb1673aef3b08e83099caafbab7fd509\
                1241b463d063e885d27ea4bc26545f6d961e4c49ba4745deb7fe2f8035d9b03a";
    assert_eq!(node.requests()[0].json()["logInByAccount"]["password"], hash);
}

#[test]
fn a_session_of_a_single_run_is_closed_again() {
    let node = Node::start(|request| match request.method.as_str() {
        "PUT" => session(FIRST),
        "DELETE" => Reply::ok("{}"),
        _ => Reply::ok(r#"{"inventories":[]}"#),
    });
    let home = Home::new();
    home.run(node.call(&["QueryZone", "limit=1"])).variable("ZSTACK_PASSWORD", "secret-word").succeeds();
    let lines: Vec<String> =
        node.requests().iter().map(|request| format!("{} {}", request.method, request.path())).collect();
    assert_eq!(
        lines,
        [
            "PUT /zstack/v1/accounts/login".to_owned(),
            "GET /zstack/v1/zones".to_owned(),
            format!("DELETE /zstack/v1/accounts/sessions/{FIRST}"),
        ]
    );
    assert!(stored(&home).is_empty());
}

#[test]
fn an_expired_session_is_renewed_once_and_the_call_repeated_under_a_new_job() {
    let log_ins = AtomicUsize::new(0);
    let refused = Mutex::new(BTreeSet::new());
    let node = Node::start(move |request| {
        if is_log_in(request) {
            return session(if log_ins.fetch_add(1, Ordering::SeqCst) == 0 { FIRST } else { SECOND });
        }
        // The job of a session that has expired was accepted, and fails.
        if let Some(job) = request.path().strip_prefix("/zstack/v1/api-jobs/") {
            let is_refused = refused.lock().expect("no panic").contains(job);
            return if is_refused {
                Reply::error("ID.1001", "expired")
            } else {
                Reply::ok(r#"{"inventory":{"uuid":"1f6d"}}"#)
            };
        }
        if !has_session(request, SECOND) {
            let job = request.header("x-job-uuid").expect("a job uuid");
            refused.lock().expect("no panic").insert(job.to_owned());
        }
        Reply::Send(202, "{}".to_owned())
    });
    let home = Home::new();
    home.run(node.call(&["login"])).input("x\n").succeeds();
    let done = home.run(node.call(&["CreateZone", "name=a"])).variable("ZSTACK_PASSWORD", "x").succeeds();
    assert_eq!(done.json()["inventory"]["uuid"], "1f6d");
    let posts: Vec<Recorded> = node.requests().into_iter().filter(|request| request.method == "POST").collect();
    assert_eq!(posts.len(), 2);
    assert_ne!(posts[0].header("x-job-uuid"), posts[1].header("x-job-uuid"));
    // It is the stored session that was replaced: the next run has the new one.
    home.run(node.call(&["CreateZone", "name=b"])).succeeds();
    assert_eq!(node.requests().iter().filter(|request| is_log_in(request)).count(), 2);
}

#[test]
fn without_a_password_an_expired_session_says_so_and_nothing_is_repeated() {
    let node =
        Node::start(|request| if is_log_in(request) { session(FIRST) } else { Reply::error("ID.1001", "expired") });
    let home = Home::new();
    home.run(node.call(&["login"])).input("x\n").succeeds();
    home.run(node.call(&["CreateZone", "name=a"]))
        .fails(5)
        .stdout("")
        .stderr_has("the session has expired")
        .stderr_has("hint: log in again");
    assert_eq!(node.requests().iter().filter(|request| request.method == "POST").count(), 1);
}

#[test]
fn whoever_logged_in_is_who_logs_in_again() {
    let node = Node::start(|request| match request.method.as_str() {
        "PUT" => session(FIRST),
        _ => Reply::error("ID.1001", "expired"),
    });
    let home = Home::new();
    home.run(node.call(&["login", "--ldap", "bob"])).input("x\n").succeeds();
    home.run(node.call(&["QueryZone", "limit=1"])).variable("ZSTACK_PASSWORD", "x").fails(5);
    let log_ins: Vec<String> =
        node.requests().iter().filter(|one| one.method == "PUT").map(|one| one.target.clone()).collect();
    assert_eq!(log_ins, ["/zstack/v1/ldap/login", "/zstack/v1/ldap/login"]);
}

#[test]
fn every_way_to_log_in_has_its_option() {
    let node = Node::start(|_| session(FIRST));
    // Only what the node keeps as a hash is hashed.
    let hash = "a4abd4448c49562d828115d13a1fccea927f52b4d5459297f8b43e42da89238b\
                c13626e43dcb38ddb082488927ec904fb42057443983e88585179d50551afe62";
    for (words, path, body) in [
        (vec!["bob"], "accounts/login", json!({"logInByAccount": {"accountName": "bob", "password": hash}})),
        (
            vec!["lab", "--user", "bob"],
            "accounts/users/login",
            json!({"logInByUser": {"userName": "bob", "accountName": "lab", "password": hash}}),
        ),
        (vec!["--ldap", "bob"], "ldap/login", json!({"logInByLdap": {"uid": "bob", "password": "x"}})),
        (
            vec!["--iam2", "bob"],
            "iam2/virtual-ids/login",
            json!({"loginIAM2VirtualID": {"name": "bob", "password": hash}}),
        ),
        (
            vec!["--iam2-ldap", "bob"],
            "iam2/login/virtual-ids/ldap",
            json!({"loginIAM2VirtualIDWithLdap": {"uid": "bob", "password": "x"}}),
        ),
        (
            vec!["--cas", "bob", "--type", "corporate"],
            "cas/login/",
            json!({"loginByCas": {"name": "bob", "type": "corporate", "password": "x"}}),
        ),
        (
            vec!["bob", "--type", "account"],
            "login",
            json!({"logIn": {"username": "bob", "loginType": "account", "password": hash}}),
        ),
        (
            vec!["bob", "--type", "ldap"],
            "login",
            json!({"logIn": {"username": "bob", "loginType": "ldap", "password": "x"}}),
        ),
    ] {
        let line: Vec<&str> = std::iter::once("login").chain(words).collect();
        let name = "logged in as bob";
        Home::new().run_once(node.call(&line)).input("x\n").succeeds().stderr_has(name);
        let sent = node.requests().pop().expect("a request");
        assert_eq!((sent.method.as_str(), sent.path()), ("PUT", format!("/zstack/v1/{path}").as_str()));
        assert_eq!(sent.json(), body);
    }
    for words in
        [&["login", "--ldap", "a", "--iam2", "b"][..], &["login", "a", "--ldap", "b"], &["login", "--cas", "a"]]
    {
        Home::new().run_once(node.call(words)).input("x\n").fails(2);
    }
}

#[test]
fn a_log_in_without_a_session_is_no_log_in() {
    for reply in [r#"{"inventory":{}}"#, r#"{"inventory":{"uuid":"../x"}}"#] {
        let node = Node::start(move |_| Reply::ok(reply));
        let home = Home::new();
        home.run(node.call(&["login"])).input("x\n").fails(4).stderr_has("a log-in without a session");
        home.run(node.call(&["LogInByAccount", "accountName=a", "password=@-"]))
            .input("x")
            .succeeds()
            .stderr_has("nobody is logged in");
        home.run(node.call(&["QueryZone"])).fails(5);
    }
}

#[test]
fn a_new_log_in_ends_the_session_before() {
    let log_ins = AtomicUsize::new(0);
    let node = Node::start(move |request| match request.method.as_str() {
        "PUT" => session(if log_ins.fetch_add(1, Ordering::SeqCst) == 0 { FIRST } else { SECOND }),
        _ => Reply::ok("{}"),
    });
    let home = Home::new();
    home.run(node.call(&["login"])).input("x\n").succeeds();
    home.run(node.call(&["login", "bob"])).input("x\n").succeeds();
    let last = node.requests().pop().expect("a request");
    let ended = format!("/zstack/v1/accounts/sessions/{FIRST}");
    assert_eq!((last.method.as_str(), last.path()), ("DELETE", ended.as_str()));
}

#[test]
fn processes_share_the_session_that_one_of_them_renewed() {
    const LOG_INS: usize = 1 + 1;
    let log_ins = AtomicUsize::new(0);
    let node = Node::start(move |request| {
        if is_log_in(request) {
            return session(if log_ins.fetch_add(1, Ordering::SeqCst) == 0 { FIRST } else { SECOND });
        }
        if has_session(request, SECOND) {
            Reply::ok(r#"{"inventories":[]}"#)
        } else {
            Reply::error("ID.1001", "expired")
        }
    });
    let home = Home::new();
    home.run(node.call(&["login"])).input("x\n").succeeds();
    let mut runs: Vec<_> = (0..6)
        .map(|_| home.run(node.call(&["QueryZone", "limit=1"])).variable("ZSTACK_PASSWORD", "x").start())
        .collect();
    assert!(runs.iter_mut().all(|run| run.wait().expect("it ends").success()));
    assert_eq!(node.requests().iter().filter(|request| is_log_in(request)).count(), LOG_INS);
}

#[test]
fn a_session_of_the_environment_that_expired_is_told_as_such() {
    let node = Node::start(|_| Reply::error("ID.1001", &format!("Session[uuid:{FIRST}] expired")));
    Home::new()
        .run_once(node.call(&["QueryZone", "limit=1"]))
        .variable("ZSTACK_SESSION_UUID", FIRST)
        .fails(5)
        .never_shows(FIRST)
        .stderr_has("hint: the session of ZSTACK_SESSION_UUID is not valid any more: unset it, or set another");
}

#[test]
fn credentials_of_the_environment_go_to_the_node_it_was_started_for() {
    let (first, second) = (Node::start(|_| Reply::ok(r#"{"inventories":[]}"#)), Node::start(|_| Reply::ok("{}")));
    let url = |node: &Node| format!("http://127.0.0.1:{}/zstack", node.port);
    let home = Home::new();
    home.run(["context", "set", "second", "--url", &url(&second)]).succeeds();
    let with =
        |words: &[&str]| home.run(words).variable("ZSTACK_URL", &url(&first)).variable("ZSTACK_SESSION_UUID", FIRST);
    with(&["--context", "second", "QueryZone"]).fails(5).stderr_has("nobody is logged in");
    let script = format!("QueryZone limit=1\nQueryZone limit=1 --url {}\n", url(&second));
    with(&[]).input(script).fails(5);
    // Where the environment names no node, its session is for whichever is chosen.
    home.run(["--context", "second", "GetVersion"]).variable("ZSTACK_SESSION_UUID", FIRST).done();
    home.run(["--url", &url(&first), "QueryZone", "limit=1"]).variable("ZSTACK_SESSION_UUID", FIRST).succeeds();
    assert_eq!(first.requests().len(), 2);
    assert!(second.requests().iter().all(|request| request.header("authorization").is_none()));
}

#[test]
fn a_project_is_entered_with_the_session_in_use() {
    let node = Node::start(|request| match (request.method.as_str(), request.path()) {
        ("PUT", "/zstack/v1/iam2/projects/login" | "/zstack/v1/iam2/platform/login") => session(SECOND),
        ("PUT", _) => session(FIRST),
        _ => Reply::ok(r#"{"inventories":[]}"#),
    });
    let home = Home::new();
    home.run(node.call(&["login", "--iam2", "bob", "--project", "blue"]))
        .input("x\n")
        .succeeds()
        .stderr_has("working in project blue from now on");
    home.run(node.call(&["QueryZone", "limit=1"])).succeeds();
    // Nobody is asked for a password again.
    home.run(node.call(&["login", "--platform"])).succeeds().stderr("working in the platform from now on\n");
    let lines: Vec<(String, String)> = node
        .requests()
        .iter()
        .map(|one| {
            let session = one.header("authorization").unwrap_or("nobody").replace("OAuth ", "");
            (one.path().replace("/zstack/v1/", ""), session)
        })
        .collect();
    let expected = [
        ("iam2/virtual-ids/login", "nobody"),
        ("iam2/projects/login", FIRST),
        ("zones", SECOND),
        ("iam2/platform/login", SECOND),
    ];
    assert_eq!(lines, expected.map(|(path, session)| (path.to_owned(), session.to_owned())));
    let sent = node.requests().swap_remove(1).json();
    assert_eq!(sent, json!({"loginIAM2Project": {"projectName": "blue"}}));
}

#[test]
fn a_context_says_who_logs_in() {
    let node = Node::start(|_| session(FIRST));
    let home = Home::new();
    let url = format!("http://127.0.0.1:{}/zstack", node.port);
    home.run(["context", "set", "lab", "--url", &url, "login=ldap", "user=bob"]).succeeds();
    home.run(["login"]).input("x\n").succeeds().stderr("logged in as bob at context lab\n");
    home.run(["context", "set", "lab", "login=", "account=lab"]).succeeds();
    home.run(["login"]).input("x\n").succeeds();
    let paths: Vec<String> = node.requests().iter().map(|one| one.path().to_owned()).collect();
    assert_eq!(paths, ["/zstack/v1/ldap/login", "/zstack/v1/accounts/users/login"]);
}

#[test]
fn a_log_out_of_another_session_leaves_ours() {
    let node = Node::start(|request| match request.method.as_str() {
        "PUT" => session(FIRST),
        _ => Reply::ok(r#"{"inventories":[]}"#),
    });
    let home = Home::new();
    home.run(node.call(&["login"])).input("x\n").succeeds();
    home.run(node.call(&["LogOut", &format!("sessionUuid={SECOND}")])).succeeds();
    home.run(node.call(&["QueryZone"])).succeeds();
    home.run(node.call(&["LogOut"])).succeeds();
    home.run(node.call(&["QueryZone"])).fails(5);
}

#[test]
fn the_code_of_a_second_factor_is_sent_and_never_shown() {
    let node = Node::start(|request| {
        match &serde_json::from_slice::<serde_json::Value>(&request.body).unwrap_or_default()["logInByAccount"]["systemTags"]
            [0]
        {
            _ if !is_log_in(request) => Reply::ok("{}"),
            tag if tag == "twofatoken::123456" => session(FIRST),
            serde_json::Value::Null => Reply::error("ID.2001", r#"{\"authentications\":[\"twofa\"]}"#),
            _ => Reply::error("ID.2002", "wrong code"),
        }
    });
    let home = Home::new();
    let run = |words: &[&str]| home.run(node.call(words)).variable("ZSTACK_PASSWORD", "x");
    let done = run(&["login", "--code", "123 456", "-v", "-c"]).succeeds();
    done.stderr_has("logged in as admin").stderr_has("twofatoken::******").never_shows("123456").never_shows("123 456");
    run(&["LogInByAccount", "accountName=admin", "password=x", "systemTags=twofatoken::123456"]).succeeds();
    let hint = "hint: the code of the second factor is wrong or has expired; `zstack-cli login --code DIGITS` sends";
    run(&["login", "--code", "000000"]).fails(3).stderr_has(hint);
    run(&["login"]).fails(3).stderr_has("a second factor is due: twofa;");
    run(&["login", "--code", "12,34"]).fails(2).stderr_has("--code: digits are expected").never_shows("12,34");
    let sent = node.requests().len();
    let done = run(&["login", "--code", "123456", "--dry-run"]).succeeds();
    done.stdout_has("twofatoken::******").never_shows("123456").never_shows("logged in");
    run(&["logout", "--dry-run"]).succeeds().stdout_has("DELETE").never_shows("logged out");
    assert_eq!(node.requests().len(), sent);
}

#[test]
fn the_code_of_a_second_factor_is_asked_for_on_a_terminal_and_again_where_it_is_wrong() {
    let node = Node::start(|request| match &request.json()["logInByAccount"]["systemTags"][0] {
        tag if tag == "twofatoken::123456" => session(FIRST),
        serde_json::Value::Null => Reply::error("ID.2001", r#"{\"authentications\":[\"twofa\"]}"#),
        _ => Reply::error("ID.2002", "wrong code"),
    });
    let login = |home: &Home| {
        let words = node.call(&["login"]);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let program = env!("CARGO_BIN_EXE_zstack-cli");
        Terminal::run_with(home, (100, 20), program, &words, &[("ZSTACK_PASSWORD", "x")])
    };
    let home = Home::new();
    let terminal = login(&home);
    terminal.ends_line("code of the second factor of admin:");
    terminal.keys("000000\r");
    terminal.sees("the code is wrong or has expired");
    terminal.ends_line("code of the second factor of admin:");
    terminal.keys("123456\r");
    terminal.sees("logged in as admin");
    let (screen, code) = terminal.ends();
    assert!(code == Some(0) && !screen.contains("123456") && !screen.contains("000000"), "{screen}");
    let home = Home::new();
    let terminal = login(&home);
    terminal.sees("code of the second factor of admin:");
    terminal.keys(ENTER);
    let (screen, code) = terminal.ends();
    assert!(code == Some(3) && screen.contains("a second factor is due: twofa"), "{screen}");
}

#[test]
fn what_a_log_in_lacks_is_named() {
    let node =
        Node::start(|_| Reply::error("ID.2001", r#"{\"authentications\":[\"totp\",\"sms\\u001b[31m\"],\"x\":1}"#));
    Home::new()
        .run_once(node.call(&["login"]))
        .input("x\n")
        .fails(3)
        .stderr_has("hint: a second factor is due: totp, sms")
        .never_shows("\u{1b}");
    let node = Node::start(|_| Reply::error("LOGIN_CONTROL.1003", "wrong code"));
    Home::new().run_once(node.call(&["login"])).input("x\n").fails(3).stderr_has("GetLoginCaptcha");
    assert_eq!(node.requests().len(), 1);
}

#[test]
fn requests_are_signed_with_an_access_key_until_it_is_forgotten() {
    let node = Node::start(|_| Reply::ok(r#"{"inventories":[]}"#));
    let home = Home::new();
    let done = home.run(node.call(&["login", "--access-key", "key-id"])).input("key-secret\n");
    done.variable("ZSTACK_PASSWORD", "not-this").succeeds().never_shows("key-secret");
    home.run(node.call(&["QueryZone", "limit=1"])).succeeds();
    let requests = node.requests();
    let signed = requests.iter().find(|request| request.path() == "/zstack/v1/zones").expect("a query");
    assert!(signed.header("authorization").is_some_and(|value| value.starts_with("ZStack key-id:")), "{signed:?}");
    assert!(signed.header("date").is_some());
    let stored = std::fs::read_to_string(credentials(&home)).expect("readable");
    assert!(stored.contains("key-secret") && !stored.contains("not-this"));
    home.run(node.call(&["logout"])).succeeds().stderr("the access key is forgotten\n");
    home.run(node.call(&["QueryZone", "limit=1"])).fails(5);
}

#[test]
fn another_time_zone_of_the_node_is_told_with_its_cure() {
    let node = Node::start(|_| Reply::Send(403, "requestTimeTooSkewed".to_owned()));
    let done = Home::new()
        .run_once(node.call(&["QueryZone", "limit=1"]))
        .variable("ZSTACK_ACCESS_KEY_ID", "key")
        .variable("ZSTACK_ACCESS_KEY_SECRET", "key-secret");
    done.fails(3).never_shows("key-secret").stderr_has("context set NAME time-zone=Asia/Shanghai");
}

#[test]
fn a_wrong_password_of_the_environment_is_told_as_such() {
    let node = Node::start(|_| Reply::error("ID.1000", "wrong account name or password"));
    let done =
        Home::new().run_once(node.call(&["QueryZone", "limit=1"])).variable("ZSTACK_PASSWORD", "hunter2").fails(5);
    done.stdout("")
        .never_shows("hunter2")
        .stderr("error: the log-in was refused\n  code: ID.1000 (failed)\n  hint: wrong name or password\n");
    assert_eq!(node.requests().len(), 1);
}
