//! Errors for programs: each is one line of JSON, whatever went wrong.

use serde_json::{Value, json};

use crate::harness::{Done, Home};
use crate::node::{Node, Reply};
use crate::terminal::{CTRL_C, Terminal};

const SESSION: &str = "5e55000000000000000000000000c0de";

/// The error objects on standard error, which holds nothing else.
fn errors(done: &Done) -> Vec<Value> {
    let object = |line: &str| serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    done.err().lines().map(|line| object(line)["error"].clone()).collect()
}

/// The only one, checked against the exit code.
fn error(done: &Done, code: i32) -> Value {
    let mut all = errors(done);
    assert_eq!(all.len(), 1, "{}", done.err());
    let error = all.remove(0);
    assert_eq!(error["exitCode"], code, "{error}");
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{error}");
    error
}

#[test]
fn each_exit_code_comes_with_an_object() {
    let node = Node::start(|request| match request.path() {
        "/zstack/v1/clusters" => {
            let cause = r#"{"code":"HOST.1001","details":"no\nroute","cause":{"code":"SYS.1","description":"cable"}}"#;
            Reply::Send(
                503,
                format!(r#"{{"error":{{"code":"SYS.1006","details":"sent \u001b[31m{SESSION}","cause":{cause}}}}}"#),
            )
        }
        "/zstack/v1/hosts" => Reply::ok(r#"{"inventories":[{]}"#),
        "/zstack/v1/volumes" => Reply::error("ID.1001", "expired"),
        "/zstack/v1/zones" if request.method == "POST" => Reply::Send(202, "{}".to_owned()),
        path if path.contains("/api-jobs/") => Reply::Send(202, "{}".to_owned()),
        _ => Reply::ok(r#"{"inventories":[]}"#),
    });
    let home = Home::new();
    let run = |words: &[&str]| home.run(node.call(words)).variable("ZSTACK_ERRORS", "json");
    let with_session = |words: &[&str]| run(words).variable("ZSTACK_SESSION_UUID", SESSION);

    let found = error(&run(&["QueryZoen"]).fails(1).stdout(""), 1);
    let expected = json!({
        "kind": "unknown-api",
        "exitCode": 1,
        "message": "there is no API called QueryZoen in ZStack (up to 5.5.6)",
        "hint": "did you mean `QueryZone`?"
    });
    assert_eq!(found, expected);
    assert_eq!(error(&run(&["QueryZone", "--nope"]).fails(2), 2)["kind"], "option");
    assert_eq!(error(&run(&["-d", "cloud.xml"]).fails(2), 2)["kind"], "option");
    assert_eq!(error(&run(&["context", "frob"]).fails(1), 1)["kind"], "arguments");
    assert_eq!(error(&run(&["QueryZone"]).fails(5), 5)["kind"], "not-logged-in");
    assert_eq!(error(&with_session(&["QueryVolume"]).fails(5), 5)["code"], "ID.1001");
    assert_eq!(error(&with_session(&["QueryHost"]).fails(4), 4)["kind"], "bad-reply");
    assert_eq!(error(&with_session(&["QueryZone", "--fail-empty"]).fails(7), 7)["kind"], "nothing-found");
    assert_eq!(error(&with_session(&["QueryZone", "--jq", "1 + {}"]).fails(2), 2)["kind"], "filter");

    let failed = with_session(&["QueryCluster", "-o", "csv"]).fails(3).never_shows(SESSION).never_shows("\u{1b}");
    let found = error(&failed, 3);
    assert_eq!(found["code"], "SYS.1006");
    assert_eq!(found["message"], "sent \u{1b}[31m******");
    let causes = json!([{"code": "HOST.1001", "message": "no\nroute"}, {"code": "SYS.1", "message": "cable"}]);
    assert_eq!(found["causes"], causes);

    let found = error(&with_session(&["CreateZone", "name=a", "--timeout", "0", "-q"]).fails(6), 6);
    assert_eq!(found["kind"], "outcome-unknown");
    assert_eq!(found["job"].as_str().map(str::len), Some(32));
    let unreachable = ["--url", "http://127.0.0.1:9/zstack", "--errors", "json", "QueryZone"];
    let done = home.run(unreachable).variable("ZSTACK_SESSION_UUID", SESSION).fails(4);
    assert_eq!(error(&done, 4)["kind"], "unreachable");
}

#[test]
fn the_lines_of_a_script_are_numbered() {
    let home = Home::with_cloud();
    let script = "QueryZone count=true -o jsonl\nQueryZoen\nCreateZone --nope\n\nQueryZone 'open\n\
                  set errors text\nQueryZoen\nset errors default\nQueryZone --fail-empty name=none -o jsonl\n\
                  set errors text\nQueryZone --errors json --nope\n";
    let done = home.run(["--sandbox", "-k", "--errors", "json"]).input(script).fails(1);
    let err = done.err();
    let lines: Vec<&str> = err.lines().collect();
    let numbers: Vec<Value> = lines
        .iter()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["error"]["line"].clone())
        .collect();
    assert_eq!(numbers, [2, 3, 5, 11], "{err}");
    assert!(lines.contains(&"error: line 7: there is no API called QueryZoen in ZStack (up to 5.5.6)"), "{err}");
    assert!(lines.contains(&"error: line 9: nothing found"), "{err}");

    std::fs::write(home.path().join("zones.zs"), "QueryZone nmae=x\n").expect("a script");
    let found = error(&home.run(["--sandbox", "run", "zones.zs", "--errors=json"]).fails(1), 1);
    assert_eq!((&found["line"], &found["kind"]), (&json!(1), &json!("unknown-field")));
}

#[test]
fn the_jobs_that_failed_are_named() {
    let node = Node::start(|_| Reply::error("SYS.1006", "no space left"));
    let (one, other) = ("a".repeat(32), "b".repeat(32));
    let done = Home::new().run_once(node.call(&["job", "wait", &one, &other, "--errors", "json"])).fails(3);
    let jobs: Vec<Value> = errors(&done).iter().map(|error| error["job"].clone()).collect();
    assert_eq!(jobs, [json!(one), json!(other)]);
}

#[test]
fn the_parts_of_a_batch_that_failed_are_named() {
    let node = Node::start(|_| {
        let part = |name: &str| {
            format!(r#"{{"success":false,"uuid":"{name}","error":{{"code":"SYS.1006","details":"busy"}}}}"#)
        };
        Reply::ok(format!(r#"{{"results":[{},{{"success":true,"uuid":"c"}},{}]}}"#, part("a"), part("b")))
    });
    let words = node.call(&["--errors", "json", "DestroyVmInstance", "uuid=1f6d0e5a8d4b4f60a1f3a1d1c7f0b2e4"]);
    let done = Home::new().run_once(words).variable("ZSTACK_SESSION_UUID", SESSION).fails(3);
    let told: Vec<Value> = errors(&done).iter().map(|error| json!([error["message"], error["code"]])).collect();
    assert_eq!(told, [json!(["a: busy", "SYS.1006"]), json!(["b: busy", "SYS.1006"])]);
}

#[test]
fn the_option_beats_the_environment_and_both_are_checked() {
    let home = Home::new();
    let run = |words: &[&str], value: &str| home.run(words).variable("ZSTACK_ERRORS", value);
    run(&["QueryZoen", "--errors", "text"], "json").fails(1).stderr_has("error: there is no API called QueryZoen");
    run(&["QueryZoen", "--errors", "text", "--errors", "json"], "text").fails(1).stderr_has("{\"error\": ");
    run(&["--version"], "xml")
        .fails(2)
        .stdout("")
        .stderr("error: ZSTACK_ERRORS: `xml` is neither text nor json\n  hint: `unset ZSTACK_ERRORS` does without\n");
    run(&["--errors", "json", "help", "errors"], "xml").succeeds().stdout_has("unknown-api").stderr("");
    run(&["--errors", "xml", "QueryZone"], "")
        .fails(2)
        .stderr_has("error: invalid value 'xml' for '--errors <FORMAT>'");
    let done = run(&["--errors", "xml", "QueryZone"], "json").fails(2);
    assert_eq!(error(&done, 2)["kind"], "option");
    home.run(["context", "set", "lab", "--url", "http://127.0.0.1:9/zstack", "errors=json"]).succeeds();
    assert_eq!(error(&run(&["QueryZoen"], "").fails(1), 1)["kind"], "unknown-api");
    run(&["QueryZoen"], "text").fails(1).stderr_has("error: there is no API");
    home.run(["context", "set", "lab", "errors=xml"]).fails(2).stderr_has("is not one of text, json");
    // Warnings and notices stay text.
    let home = Home::with_cloud();
    home.run(["--sandbox", "--errors", "json", "CreateZone", "name=a", "--no-wait"])
        .succeeds()
        .stderr_has("the job goes on");
}

#[test]
fn whoever_interrupts_gets_an_object_too() {
    let home = Home::with_cloud();
    let words = ["--sandbox", "--no-pager", "--errors", "json", "QueryZone", "--jq", "\"busy\", last(repeat(1))"];
    let terminal = Terminal::run(&home, 120, 24, env!("CARGO_BIN_EXE_zstack-cli"), &words);
    terminal.sees("\"busy\"");
    terminal.keys(CTRL_C);
    let (screen, code) = terminal.ends();
    assert_eq!(code, Some(130), "{screen}");
    assert!(
        screen.contains(r#"{"error": {"kind": "interrupted", "exitCode": 130, "message": "interrupted"}}"#),
        "{screen}"
    );
}
