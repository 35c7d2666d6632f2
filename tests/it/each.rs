//! `each`: a call for each row of a file.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Home, Run};
use crate::node::{Node, Recorded, Reply};

const SESSION: &str = "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37";
const WEB: &str = "16a76fa529d2413d92d791487f7f27f7";
const DB: &str = "1becb26d47a540dfbec38ee202695ba1";

fn write(home: &Home, name: &str, text: &str) {
    std::fs::write(home.path().join(name), text).expect("written");
}

/// The objects of a results file.
fn results(home: &Home, name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(home.path().join(name)).expect("results");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn name_of(request: &Recorded) -> String {
    request.json()["params"]["name"].as_str().expect("a name").to_owned()
}

fn is_poll(request: &Recorded) -> bool {
    request.path().contains("/api-jobs/")
}

fn job_of(request: &Recorded) -> String {
    let of_poll = || request.path().rsplit('/').next().map(str::to_owned);
    request.header("x-job-uuid").map(str::to_owned).or_else(of_poll).expect("a job")
}

/// A node that creates whatever it is asked for, except what `fails` says.
fn creates(fails: fn(&str) -> bool) -> Node {
    let names: Mutex<HashMap<String, String>> = Mutex::default();
    Node::start(move |request| {
        let mut names = names.lock().expect("no panic");
        if !is_poll(request) {
            names.insert(job_of(request), name_of(request));
            return Reply::Send(202, "{}".to_owned());
        }
        let name = &names[&job_of(request)];
        match fails(name) {
            true => Reply::error("SYS.1006", "no space left"),
            false => Reply::ok(format!(r#"{{"inventory":{{"uuid":"{}","name":"{name}"}}}}"#, job_of(request))),
        }
    })
}

fn run(home: &Home, node: &Node, words: &[&str]) -> Run {
    home.run(node.call(words)).variable("ZSTACK_SESSION_UUID", SESSION)
}

#[test]
fn values_are_text_and_nothing_in_them_is_interpreted() {
    let node = creates(|_| false);
    let home = Home::new();
    let value = "it's \"x\"; | > $HOME `id` -o csv\n@two\\";
    write(&home, "rows.csv", &format!("name,note\na,\"{}\"\nb,@/etc/passwd\n", value.replace('"', "\"\"")));
    let line = "CreateZone name={name} description={note}";
    let done = run(&home, &node, &["each", "--from", "rows.csv", line, "-o", "jsonl"]).succeeds();
    let told: Vec<Value> = node.calls().iter().map(|request| request.json()["params"]["description"].clone()).collect();
    assert_eq!(told, [json!(value), json!("@/etc/passwd")]);
    assert_eq!(done.out().lines().count(), 2);
    // The line may be words of its own, `{}` is the whole row, and other braces are text.
    let words = ["each", "-p", "2", "CreateZone", "name={}", "description={{}{\"a\":1}", "-o", "value"];
    let done = run(&home, &node, &words).input("x y\n\nz\n").succeeds();
    let bodies: Vec<Value> = node.calls()[2..].iter().map(|request| request.json()["params"].clone()).collect();
    assert!(bodies.contains(&json!({"name": "x y", "description": "{}{\"a\":1}"})), "{bodies:?}");
    assert_eq!(done.out().lines().filter(|line| line.len() == 32).count(), 2, "uuids");
    let rows = "{\"name\":\"j\",\"of\":{\"note\":\"n\"}}\n";
    let words = ["each", "CreateZone name={name} description={of.note}", "-q"];
    run(&home, &node, &words).input(rows).succeeds().stderr("");
    assert_eq!(node.calls()[4].json()["params"], json!({"name": "j", "description": "n"}));
}

#[test]
fn what_is_wrong_is_told_by_row_before_anything_is_sent() {
    let node = creates(|_| false);
    let home = Home::new();
    write(&home, "rows.csv", "name,size\na,1G\nb,many\nc,\n");
    let each = |line: &str| run(&home, &node, &["each", "--from", "rows.csv", line]);
    each("CreateZone name={nme}")
        .fails(1)
        .stderr_has("error: {nme}: there is no such column: the columns are name, size; did you mean {name}?");
    let line = "CreateDiskOffering name={name} diskSize={size}";
    let done = each(line).fails(1).stderr_has("error: row 2: diskSize").stderr_has("error: row 3: diskSize");
    assert!(!done.err().contains("row 1:") && done.err().ends_with("nothing was sent\n"), "{}", done.err());
    each("CreateZone name={name} > x").fails(1).stderr_has("a redirection stands behind the line");
    each("context list").fails(1).stderr_has("`each` calls APIs");
    run(&home, &node, &["each", "CreateZone name={name}"]).input("name\na,b\n").fails(1).stderr_has("row 1: it has 2");
    let words = ["each", "--from", "rows.csv", "--dry-run", "--results", "r", "CreateZone name={name}"];
    let done = run(&home, &node, &words).succeeds();
    assert_eq!(done.out().matches("POST ").count(), 3, "{}", done.out());
    assert!(!home.path().join("r").exists() && node.requests().is_empty());
}

#[test]
fn nothing_new_starts_after_a_failure_unless_told() {
    let node = creates(|name| name == "b");
    let home = Home::new();
    let each = |words: &[&str]| {
        let words = [&["each"][..], words].concat();
        run(&home, &node, &words)
    };
    write(&home, "rows", "a\nb\nc\n");
    let line = "CreateZone name={}";
    let done = each(&["--from", "rows", "--results", "r", line, "-o", "json"]).fails(3);
    done.stderr_has("error: row 2: no space left\n  code: SYS.1006 (failed)\n")
        .stderr_has("3 rows: 1 done, 1 failed, 1 not run")
        .never_shows("success");
    let written = results(&home, "r");
    assert_eq!(written.len(), 2, "{written:?}");
    assert_eq!((&written[0]["row"], &written[0]["exitCode"]), (&json!(1), &json!(0)));
    assert_eq!(written[0]["uuid"], written[0]["job"]);
    assert_eq!((&written[1]["line"], &written[1]["exitCode"]), (&json!("CreateZone name=b"), &json!(3)));
    assert_eq!(written[1]["error"]["code"], "SYS.1006");
    // What failed and what did not run are left.
    let words = ["--from", "rows", "--resume", "r", line, "-k", "--errors", "json", "-q", "-o", "value"];
    let done = each(&words).fails(3);
    let error: Value = serde_json::from_str(done.err().trim_end()).expect("one line of JSON");
    assert_eq!((&error["error"]["exitCode"], &error["error"]["kind"]), (&json!(3), &json!("api-failed")));
    assert_eq!(error["error"]["message"], "row 2: no space left");
    let names: Vec<String> = node.calls().iter().map(name_of).collect();
    assert_eq!(names, ["a", "b", "b", "c"]);
    assert_eq!(done.out().lines().count(), 1);
    assert_eq!(results(&home, "r").len(), 4);
    // Other rows, or another line, are no continuation.
    each(&["--from", "rows", "--resume", "r", "CreateZone name=x{}"])
        .fails(1)
        .stderr_has("--resume: row 1 was `CreateZone name=a`, and is now `CreateZone name=xa`");
    each(&["--from", "rows", "--results", "r", line]).fails(1).stderr_has("`--resume r` continues that run");
    assert_eq!(node.calls().len(), 4);
}

#[test]
fn secrets_of_rows_are_not_written() {
    let node = Node::start(|request| match is_poll(request) {
        true => Reply::error("SYS.1006", "weak password Hunter2-long"),
        false => Reply::Send(202, "{}".to_owned()),
    });
    let home = Home::new();
    write(&home, "rows.csv", "name,word\na,Hunter2-long\n");
    let line = "CreateUser name={name} password={word}";
    run(&home, &node, &["each", "--from", "rows.csv", "--results", "r", line]).fails(3).never_shows("Hunter2-long");
    let text = std::fs::read_to_string(home.path().join("r")).expect("results");
    assert!(text.contains("CreateUser name=a password=******") && !text.contains("Hunter2"), "{text}");
}

#[test]
fn the_names_of_all_rows_are_one_query() {
    let node = Node::start(|request| match request.method.as_str() {
        "GET" if request.path().ends_with("/vm-instances") => Reply::ok(format!(
            r#"{{"inventories":[{{"uuid":"{WEB}","name":"web-1"}},{{"uuid":"{DB}","name":"db-1"}}]}}"#
        )),
        _ => Reply::ok(r#"{"inventory":{"uuid":"1","name":"x"}}"#),
    });
    let home = Home::new();
    let words = ["each", "StopVmInstance uuid={}", "-o", "value"];
    run(&home, &node, &words).input("web-1\ndb-1\nweb-1\n").succeeds().stdout("1\n1\n1\n");
    let paths: Vec<String> = node.calls().iter().map(|request| request.path().to_owned()).collect();
    let stop = |uuid: &str| format!("/zstack/v1/vm-instances/{uuid}/actions");
    assert_eq!(paths, ["/zstack/v1/vm-instances".to_owned(), stop(WEB), stop(DB), stop(WEB)]);
    let count = node.calls().len();
    let done = run(&home, &node, &words).input("web-1\nnobody\n").fails(1);
    done.stderr_has("error: row 2: uuid: QueryVmInstance finds nothing called nobody");
    assert!(node.calls()[count..].iter().all(|request| request.method == "GET"));
}

#[test]
fn rows_of_queries_come_in_the_order_of_the_file() {
    let node = Node::start(|request| {
        let q = request.query().into_iter().find(|(name, _)| name == "q").expect("a condition").1;
        let name = q.trim_start_matches("name=").to_owned();
        if name == "slow" {
            std::thread::sleep(Duration::from_millis(100));
        }
        Reply::ok(format!(r#"{{"inventories":[{{"uuid":"1","name":"{name}"}},{{"uuid":"2","name":"{name}"}}]}}"#))
    });
    let home = Home::new();
    let words = ["each", "-p", "3", "QueryZone name={}", "-o", "csv", "--columns", "name,uuid"];
    let done = run(&home, &node, &words).input("slow\nb\nc\n").succeeds();
    done.stdout("name,uuid\nslow,1\nslow,2\nb,1\nb,2\nc,1\nc,2\n");
}

#[test]
fn several_threads_log_in_once() {
    let node = Node::start(|request| {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        if body.contains("logInByAccount") {
            return Reply::ok(r#"{"inventory":{"uuid":"5e550000000000000000000000000new","accountUuid":"a"}}"#);
        }
        match request.header("authorization") {
            _ if is_poll(request) => Reply::ok(r#"{"inventory":{"uuid":"1","name":"x"}}"#),
            Some("OAuth 5e550000000000000000000000000new") => Reply::Send(202, "{}".to_owned()),
            _ => Reply::error("ID.1001", "expired"),
        }
    });
    let home = Home::new();
    let rows: String = (0..20).map(|number| format!("zone-{number}\n")).collect();
    let words = node.call(&["each", "-p", "8", "CreateZone name={}"]);
    let done = home.run(words).variable("ZSTACK_PASSWORD", "password").input(rows).succeeds();
    done.stderr_has("20 rows: 20 done");
    let log_ins = node.calls().iter().filter(|one| String::from_utf8_lossy(&one.body).contains("logIn")).count();
    assert_eq!(log_ins, 1);
}

#[test]
fn after_kill_9_each_row_runs_exactly_once() {
    #[derive(Default)]
    struct Seen {
        /// The names of the actions that were run, by their jobs.
        run: HashMap<String, String>,
        /// The jobs of actions that were received and lost.
        lost: HashMap<String, String>,
    }
    let seen: Arc<Mutex<Seen>> = Arc::default();
    let killed = Arc::new(AtomicBool::new(false));
    let (of_node, is_after) = (Arc::clone(&seen), Arc::clone(&killed));
    let node = Node::start(move |request| {
        let mut seen = of_node.lock().expect("no panic");
        let (job, is_after) = (job_of(request), is_after.load(Ordering::SeqCst));
        if is_poll(request) {
            // Those that were run last do not end before the program is killed.
            return match seen.run.get(&job) {
                None => Reply::Send(404, "unable to find job".to_owned()),
                Some(name) if is_after || !["zone-16", "zone-17"].contains(&name.as_str()) => {
                    Reply::ok(format!(r#"{{"inventory":{{"uuid":"{job}","name":"{name}"}}}}"#))
                }
                Some(_) => Reply::Send(202, "{}".to_owned()),
            };
        }
        let name = name_of(request);
        if !is_after && name.as_str() >= "zone-18" {
            seen.lost.insert(job, name);
            return Reply::Silent;
        }
        assert!(seen.run.insert(job, name).is_none(), "it was sent twice");
        Reply::Send(202, "{}".to_owned())
    });
    let home = Home::new();
    write(&home, "rows", &(10..40).map(|number| format!("zone-{number}\n")).collect::<String>());
    let line = "CreateZone name={}";
    let mut child = run(&home, &node, &["each", "-p", "4", "--from", "rows", "--results", "r", line, "-q"]).start();
    // Two rows are lost, and two run.
    while seen.lock().expect("no panic").lost.len() < 2 {
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("a child of ours");
    child.wait().expect("it ended");
    killed.store(true, Ordering::SeqCst);

    let words = ["each", "-p", "4", "--from", "rows", "--resume", "r", line, "-o", "value"];
    run(&home, &node, &words).succeeds().stderr_has("30 rows: ").stderr_has("done before");
    let seen = seen.lock().expect("no panic");
    let mut names: Vec<&str> = seen.run.values().map(String::as_str).collect();
    names.sort_unstable();
    let expected: Vec<String> = (10..40).map(|number| format!("zone-{number}")).collect();
    assert_eq!(names, expected, "each row once");
    for (job, name) in &seen.lost {
        assert_eq!(seen.run.get(job), Some(name), "it was sent again under its uuid");
    }
    let written = results(&home, "r");
    let mut rows: Vec<i64> = written.iter().filter_map(|one| one["row"].as_i64()).collect();
    rows.sort_unstable();
    assert_eq!(rows, (1..=30).collect::<Vec<i64>>(), "one line for each row");
    assert!(written.iter().all(|one| one["exitCode"] == 0 && one["uuid"] == one["job"]), "{written:?}");
    run(&home, &node, &words).succeeds().stderr("30 rows: all done before\n");
}
