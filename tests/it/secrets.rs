//! No secret leaves through the program: after a session full of them, none is in what it printed or wrote.

use std::sync::Mutex;
use std::time::Duration;

use crate::harness::Home;
use crate::node::{Node, Recorded, Reply};
use crate::terminal::{CTRL_L, ENTER, Terminal, UP};

/// Every secret begins so, whoever told it.
const MARK: &str = "Hunter2";

const SESSION: &str = "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37";

const UUID: &str = "36c27e8ff05c4780bf6d2fa65700f22e";

/// A node that gives secrets away in all places where one may.
fn talkative(request: &Recorded) -> Reply {
    let path = request.path().strip_prefix("/zstack/v1").unwrap_or_default();
    match (request.method.as_str(), path) {
        ("PUT", "/accounts/login") => Reply::ok(format!(
            r#"{{"inventory":{{"uuid":"{SESSION}","accountUuid":"{UUID}","userUuid":"{UUID}","expiredDate":"Mar 4, 2025 4:10:07 PM"}}}}"#
        )),
        ("POST", "/hosts/kvm") => {
            Reply::error("SYS.1006", "cannot reach http://root:Hunter2A@10.0.0.1 with password=Hunter2B")
        }
        ("GET", "/backup-storage") => Reply::ok(
            r#"{"inventories":[{"uuid":"1f6d","name":"a","sshPassword":"Hunter2C","url":"root:Hunter2D@10.0.0.2"}]}"#,
        ),
        ("GET", "/zones") => Reply::error("ID.1001", "expired"),
        _ if path.starts_with("/api-jobs/") => Reply::ok(
            r#"{"inventory":{"uuid":"1f6d","AccessKeyID":"key","AccessKeySecret":"Hunter2E","sshPassword":"Hunter2F"}}"#,
        ),
        ("DELETE", _) => Reply::ok("{}"),
        _ => Reply::Send(202, "{}".to_owned()),
    }
}

/// Commands with secrets in every quoting and place, right and wrong ones.
fn commands() -> Vec<String> {
    [
        "LogInByAccount accountName=admin password='Hunter2 a'",
        "LogInByAccount accountName=admin password=\"Hunter2 \\\"b\\\"\"",
        "LogInByAccount accountName=admin password=Hunter2\\ c",
        "LogInByAccount accountName=admin 'password=Hunter2 d'",
        "CreateUser name=bob password=Hunter2e",
        "UpdateUser uuid=UUID password=Hunter2f oldPassword=Hunter2g",
        "AddKVMHost name=h managementIp=10.0.0.1 clusterUuid=UUID username=root password=Hunter2h",
        "AddKVMHost name=h managementIp=10.0.0.1 clusterUuid=UUID username=root sshPassword=Hunter2i sshPort=x",
        "AddCephBackupStorage name=c monUrls=root:Hunter2j@10.0.0.1,root:Hunter2k@10.0.0.2",
        "CreateZone name=z systemTags=consolePassword::Hunter2l",
        "CreateAccessKey accountUuid=UUID userUuid=UUID",
        "SubmitLongJob jobName=APIAddKVMHostMsg jobData='{\"sshPassword\":\"Hunter2m\"}'",
        "LogInByAcount accountName=admin password=Hunter2n",
        "LogInByAccount accountName=admin pasword=Hunter2o",
        "LogInByAccount accountName=admin password=Hunter2p password=Hunter2q",
        "QueryBackupStorage limit=1",
        "QueryZone limit=1",
        "LogInByAccount accountName=admin password=Hunter2r",
        "LogOut",
        "LogInByAccount accountName=admin password='Hunter2s",
    ]
    .map(|line| line.replace("UUID", UUID))
    .to_vec()
}

/// What must not be seen: the secrets, a hash that serves as the password, the session.
fn secrets() -> [&'static str; 3] {
    // The first half of the SHA-512 of `Hunter2e`.
    [MARK, "d6fca842f12c139a78cc9648d78e95448e52614d84e3e1c6413dfcbd07075ca0", SESSION]
}

fn holds_a_secret(bytes: &[u8]) -> Option<&'static str> {
    secrets().into_iter().find(|secret| bytes.windows(secret.len()).any(|window| window == secret.as_bytes()))
}

/// Every file but the credentials, which are for their owner only.
fn no_file_holds_a_secret(home: &Home) {
    let mut looked_at = 0;
    for (path, bytes) in home.files() {
        if path.parent().is_some_and(|folder| folder.ends_with("credentials")) {
            continue;
        }
        looked_at += 1;
        let found = holds_a_secret(&bytes);
        assert_eq!(found, None, "{}:\n{}", path.display(), String::from_utf8_lossy(&bytes));
    }
    assert!(looked_at > 0);
}

#[test]
fn a_filter_that_fails_quotes_no_secret() {
    let done = Home::with_cloud().run_once(["--sandbox", "QueryBackupStorage", "--jq", ".inventories.foo"]).fails(2);
    done.never_shows("sshPassword\":\"password").stderr_has("error: jq: cannot index [{").stderr_has(" with \"foo\"");
    let done = Home::with_cloud().run_once(["--sandbox", "QueryBackupStorage", "--jq", ".inventories.foo"]).fails(2);
    assert!(done.err().len() < 300, "{}", done.err());
}

#[test]
fn a_batch_full_of_secrets_prints_and_writes_none() {
    let node = Node::start(talkative);
    let home = Home::new();
    for format in ["table", "vertical", "wide"] {
        let words = node.call(&["-v", "-c", "-k", "-o", format]);
        let done = home.run(words).input(commands().join("\n")).done();
        for printed in [done.out(), done.err()] {
            for line in printed.lines() {
                assert_eq!(holds_a_secret(line.as_bytes()), None, "{line}");
            }
        }
        assert!(done.err().contains("******") && done.out().contains("******"), "{}", done.err());
        assert!(done.err().contains("PUT ") && done.err().contains("curl "), "traces and curl commands are there");
        no_file_holds_a_secret(&home);
    }
    // They did go out to the node, which is what they are for.
    let sent = node.requests().iter().any(|request| String::from_utf8_lossy(&request.body).contains("Hunter2h"));
    assert!(sent);
}

/// Quotes a value in the ways in which agents and databases do.
fn quoted(value: &str) -> String {
    let json = serde_json::to_string(value).expect("JSON");
    format!(
        "sshpass -p {value} ssh root@h, with password {value}; [{value}] ansible_ssh_pass={value} -u root:{value} \
         mysql -p{value} {{u'password': u'{value}'}} {{\"x\":{json}}} {value}"
    )
}

/// A node that quotes all that it is sent, in an error or in what it made, and says the same of the job.
fn echoing(fails: bool) -> Node {
    fn texts(value: &serde_json::Value, found: &mut Vec<String>) {
        match value {
            serde_json::Value::String(text) => found.push(text.clone()),
            serde_json::Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
            serde_json::Value::Object(members) => members.values().for_each(|member| texts(member, found)),
            _ => {}
        }
    }
    let told = Mutex::new(Reply::ok("{}"));
    Node::start(move |request| {
        if request.path().contains("/api-jobs/") {
            return told.lock().expect("no panic").clone();
        }
        let mut values: Vec<String> = request.query().into_iter().map(|(_, value)| value).collect();
        if !request.body.is_empty() {
            texts(&request.json(), &mut values);
        }
        let inner: Vec<String> = values
            .iter()
            .flat_map(|value| value.split(['\'', '"', '@', ':']).map(str::to_owned).collect::<Vec<_>>())
            .filter(|piece| piece.len() > 5)
            .collect();
        values.extend(inner);
        let text: Vec<String> = values.iter().map(|value| quoted(value)).collect();
        let text = text.join("\n");
        let error = serde_json::json!({"code": "SYS.1006", "description": "failed", "details": text,
            "cause": {"code": "X.1", "details": text}});
        let reply = match fails {
            true => Reply::Send(503, serde_json::json!({"error": error}).to_string()),
            false => Reply::ok(serde_json::json!({"inventory": {"uuid": UUID, "description": text}}).to_string()),
        };
        told.lock().expect("no panic").clone_from(&reply);
        reply
    })
}

/// Commands whose secrets stand in places of every kind.
fn secret_places() -> Vec<String> {
    [
        "CreateAccount name=bob password=Hunter2e",
        "AddKVMHost name=h managementIp=10.0.0.1 clusterUuid=UUID username=root password=Hunter2\\ b",
        "UpdateGlobalConfig category=mail name=smtp.password value=Hunter2c",
        "SubmitLongJob jobName=X jobData=\"{'sshPassword':'Hunter2d'}\"",
        "SubmitLongJob jobName=X jobData=\"{u'password': u'Hunter2e'}\"",
        "SubmitLongJob jobName=X jobData='{\"mdsUrls\":[\"root:Hunter2f@10.0.0.1\"]}'",
        "AddCephBackupStorage name=c monUrls=root:Hunter2g@10.0.0.1,root:Hunter2h@10.0.0.2",
        "CreateZone name='-----BEGIN RSA PRIVATE KEY-----\\nHunter2i\\n-----END RSA PRIVATE KEY-----'",
        "CreateZone name=z systemTags=consolePassword::Hunter2j",
        "raw POST zones '{\"params\":{\"name\":\"z\",\"systemTags\":[\"consolePassword::Hunter2k\"]}}'",
        "QueryUser password=Hunter2l",
    ]
    .map(|line| line.replace("UUID", UUID))
    .to_vec()
}

#[test]
fn what_a_node_quotes_of_the_secrets_of_a_command_is_masked() {
    for (fails, format) in [(true, "json"), (true, "table"), (false, "table"), (false, "vertical")] {
        let (node, home) = (echoing(fails), Home::new());
        for flags in [&["-v", "-c"][..], &["--dry-run", "-c"], &["--errors", "json"]] {
            let words = node.call(&[&["-k", "-o", format], flags].concat());
            let run = home.run(words).input(secret_places().join("\n")).variable("ZSTACK_SESSION_UUID", SESSION);
            let done = run.done();
            for line in done.out().lines().chain(done.err().lines()) {
                assert_eq!(holds_a_secret(line.as_bytes()), None, "{line}");
            }
        }
        no_file_holds_a_secret(&home);
        let count = home.files().iter().filter(|(path, _)| path.extension().is_some_and(|end| end == "json")).count();
        assert!(count >= secret_places().len(), "results are there");
        for number in 1..=5 {
            home.run(["save", &number.to_string(), &format!("saved-{number}.json")]).succeeds();
        }
        no_file_holds_a_secret(&home);
    }
    // The machine formats of what succeeds carry it as it is, and so does everything for whoever asks.
    let (node, home) = (echoing(false), Home::new());
    let line = &secret_places()[1];
    let session = |run: crate::harness::Run| run.variable("ZSTACK_SESSION_UUID", SESSION);
    let done = session(home.run(node.call(&["-o", "json"])).input(line)).succeeds();
    assert!(done.out().contains("Hunter2 "), "{}", done.out());
    let done = session(home.run(node.call(&["-o", "json", "-s", "-v", "-c"])).input(line)).succeeds();
    assert!(done.err().contains("Hunter2 "), "{}", done.err());
}

#[test]
fn masked_secrets_are_not_proposed_again() {
    let (node, home) = (Node::start(talkative), Home::new());
    let options = node.options();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let state = home.path().join("state");
    std::fs::create_dir(&state).expect("a folder");
    let kept = "LogInByUser userName=u password=****** accountName=a\nQueryZone name=\u{1b}]52;c;eA==\u{7}\n";
    std::fs::write(state.join("history"), kept).expect("a history");
    let terminal = Terminal::shell_with(&home, &options, &[("ZSTACK_SESSION_UUID", SESSION)]);
    terminal.prompt("session >>>");
    // What acts on the terminal is passed over.
    terminal.keys(UP);
    terminal.row("session >>> LogInByUser userName=u password=");
    terminal.keys("\u{15}");
    terminal.prompt("session >>>");
    terminal.line("CreateUser name=bob password=Hunter2z");
    terminal.prompt("session >>>");
    terminal.keys(CTRL_L);
    terminal.until_gone("Hunter2");
    terminal.keys("CreateUser n");
    let screen = terminal.sees("CreateUser name=bob password=");
    assert!(!screen.contains("Hunter2"), "{screen}");
}

#[test]
fn dry_runs_and_the_environment_give_nothing_away() {
    let node = Node::start(talkative);
    let home = Home::new();
    for command in commands() {
        let mut words = node.call(&["--dry-run", "-v"]);
        words.push("run".to_owned());
        words.push("-".to_owned());
        let run = home.run(words).input(command).variable("ZSTACK_SESSION_UUID", SESSION);
        let done = run.done();
        assert_eq!(holds_a_secret(format!("{}{}", done.out(), done.err()).as_bytes()), None, "{}", done.err());
    }
    let quiet = |words: &[&str], variables: &[(&str, &str)]| {
        let mut run = home.run(words);
        for (name, value) in variables {
            run = run.variable(name, value);
        }
        let done = run.done();
        assert_eq!(holds_a_secret(format!("{}{}", done.out(), done.err()).as_bytes()), None, "{}", done.err());
    };
    let url = format!("http://127.0.0.1:{}/zstack", node.port);
    let with_user = format!("http://root:Hunter2t@127.0.0.1:{}/zstack", node.port);
    quiet(&["--url", &url, "-v", "QueryZone"], &[("ZSTACK_PASSWORD", "Hunter2u")]);
    let key = [("ZSTACK_ACCESS_KEY_ID", "key"), ("ZSTACK_ACCESS_KEY_SECRET", "Hunter2v")];
    quiet(&["--url", &url, "-v", "-c", "QueryZone"], &key);
    quiet(&["--url", &with_user, "-v", "QueryZone"], &[("ZSTACK_PASSWORD", "x")]);
    quiet(&["context", "set", "a", "--url", &with_user], &[]);
    quiet(&["context", "set", "a", "password=Hunter2w"], &[]);
    quiet(&["LogInByAccount", "password=Hunter2x"], &[("ZSTACK_URL", &with_user)]);
    quiet(
        &["--url", "http://nowhere.test/zstack", "-v", "QueryZone"],
        &[("http_proxy", "http://u:Hunter2y@127.0.0.1:1"), ("ZSTACK_SESSION_UUID", SESSION)],
    );
    no_file_holds_a_secret(&home);
}

#[test]
fn the_shell_keeps_no_secret_in_its_history_and_results() {
    let node = Node::start(talkative);
    let home = Home::new();
    let options = node.call(&["-o", "json", "--no-pager", "-v", "-c"]);
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let terminal = Terminal::shell(&home, &options);
    let mut lines = commands();
    // An open quote would wait for more.
    lines.pop();
    for (number, line) in lines.into_iter().enumerate() {
        terminal.ends_line(">>>");
        terminal.keys(&format!("{line}{ENTER}"));
        // Whatever is asked (a password, a yes) is declined, until the prompt takes a command again.
        let told = format!("told-{number}");
        loop {
            terminal.keys(ENTER);
            terminal.keys(&format!("set {told}{ENTER}"));
            if terminal.shows_within(&format!("there is no setting called {told}"), Duration::from_secs(1)) {
                break;
            }
        }
    }
    terminal.ends_line(">>>");
    terminal.keys(&format!("exit{ENTER}"));
    let (shown, code) = terminal.ends();
    assert_eq!(code, Some(0), "{shown}");
    let read = |name: &str| {
        let files = home.files();
        let found = files.into_iter().find(|(path, _)| path.ends_with(name));
        found.map(|(_, bytes)| String::from_utf8_lossy(&bytes).into_owned())
    };
    let history = read("history").unwrap_or_else(|| panic!("a history\n{shown}"));
    assert!(history.contains("LogInByAccount accountName=admin password=******"), "{history}");
    assert!(home.files().iter().any(|(path, _)| path.parent().is_some_and(|folder| folder.ends_with("results"))));
    no_file_holds_a_secret(&home);
}
