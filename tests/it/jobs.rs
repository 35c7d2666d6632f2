//! Jobs: waiting, detaching, looking again, from any process.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::harness::Home;
use crate::node::{Node, Recorded, Reply};
use crate::served::Served;
use crate::terminal::Terminal;

const SESSION: &str = "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37";

fn is_poll(request: &Recorded) -> bool {
    request.path().starts_with("/zstack/v1/api-jobs/")
}

/// A node whose jobs never end.
fn slow_node() -> Node {
    Node::start(|_| Reply::Send(202, "{}".to_owned()))
}

fn only_job(home: &Home) -> String {
    let list = home.run(["job", "list"]).succeeds().json();
    let jobs = list["inventories"].as_array().expect("a list");
    assert_eq!(jobs.len(), 1, "{list}");
    jobs[0]["uuid"].as_str().expect("a uuid").to_owned()
}

#[test]
fn a_job_that_nobody_waits_for_is_found_again() {
    let served = Served::start(&["--speed", "20"]);
    let home = Home::new();
    served.log_in(&home);
    let done = served.run(&home, &["CreateZone", "name=lab", "--no-wait"]).succeeds();
    let uuid = done.json()["job"]["uuid"].as_str().expect("a uuid").to_owned();
    // No option says where: the journal knows.
    let done = home.run(["job", "wait", &uuid]).succeeds();
    assert_eq!(done.json()["inventory"]["name"], "lab");
    let done = home.run(["job", &uuid[..8], "-q"]).succeeds().stderr("");
    assert_eq!(done.json()["inventory"]["name"], "lab");
    let list = home.run(["job"]).succeeds().json();
    assert_eq!(list["inventories"][0]["state"], "succeeded");
    assert_eq!(list["inventories"][0]["api"], "CreateZone");
    assert_eq!(list["inventories"][0]["node"], served.url.as_str());
    served.run(&home, &["QueryZone", "name=lab", "count=true", "--jq", ".total"]).succeeds().stdout("1\n");
    assert!(served.home().files().len() > 1, "the node has a state of its own");
}

#[test]
fn a_failed_job_is_a_failure_also_when_it_is_looked_at_later() {
    let node = Node::start(|request| {
        if is_poll(request) { Reply::error("SYS.1006", "no space left") } else { Reply::Send(202, "{}".to_owned()) }
    });
    let home = Home::new();
    let run = |words: &[&str]| home.run(node.call(words)).variable("ZSTACK_SESSION_UUID", SESSION);
    run(&["CreateZone", "name=a", "--no-wait"]).succeeds();
    let uuid = only_job(&home);
    assert_eq!(home.run(["job", "list"]).succeeds().json()["inventories"][0]["state"], "submitted");
    for command in ["show", "wait"] {
        let done = home.run(["job", command, &uuid]).fails(3).stderr_has("error: no space left");
        assert_eq!(done.json()["error"]["code"], "SYS.1006");
    }
    assert_eq!(home.run(["job", "list"]).succeeds().json()["inventories"][0]["state"], "failed");
}

#[test]
fn several_jobs_are_waited_for_and_each_one_reported() {
    let node = Node::start(|request| match (is_poll(request), request.method.as_str()) {
        (true, _) if request.path().ends_with('0') => Reply::Send(202, "{}".to_owned()),
        (true, _) if request.path().ends_with("aaaaaaaa") => Reply::ok(r#"{"inventory":{"uuid":"1f6d"}}"#),
        (true, _) if request.path().ends_with("bbbbbbbb") => Reply::error("SYS.1006", "no space left"),
        _ => Reply::Send(404, "unknown job".to_owned()),
    });
    let (good, bad, gone) = ("a".repeat(32), "b".repeat(32), "c".repeat(32));
    let home = Home::new();
    let done = home.run(node.call(&["job", "wait", &good, &bad, &gone])).fails(3);
    let rows = done.json()["inventories"].clone();
    let states: Vec<&str> = (0..3).map(|at| rows[at]["state"].as_str().expect("a state")).collect();
    assert_eq!(states, ["succeeded", "failed", "unknown"]);
    assert_eq!(rows[0]["result"]["inventory"]["uuid"], "1f6d");
    assert_eq!(rows[1]["error"]["code"], "SYS.1006");
    let done = done.stderr_has(&format!("error: job {bad}: no space left"));
    done.stderr_has(&format!("error: job {gone}: the outcome of the job is unknown"));
    home.run(node.call(&["job", "wait", &good, &gone])).fails(6);
}

#[test]
fn a_result_that_cannot_be_read_takes_no_other_outcome_away() {
    // Longer than what is looked at before the rest comes.
    let broken = format!(r#"{{"inventory":{{"pad":"{}"}}"#, "x".repeat(300_000));
    let node = Node::start(move |request| match request.path() {
        path if path.ends_with("aaaaaaaa") => Reply::ok(broken.clone()),
        path if path.ends_with("bbbbbbbb") => Reply::ok(r#"{"inventory":{"uuid":"1f6d"}}"#),
        _ => Reply::error("SYS.1006", "no space left"),
    });
    let (unreadable, good, bad) = ("a".repeat(32), "b".repeat(32), "c".repeat(32));
    let done = Home::new().run_once(node.call(&["job", "wait", &unreadable, &good, &bad])).fails(6);
    let rows = done.json()["inventories"].clone();
    let states: Vec<&str> = (0..3).map(|at| rows[at]["state"].as_str().expect("a state")).collect();
    assert_eq!(states, ["unknown", "succeeded", "failed"]);
    assert_eq!(rows[1]["result"]["inventory"]["uuid"], "1f6d");
    done.stderr_has(&format!(
        "error: job {unreadable}: the outcome of the job is unknown: the job has ended, and its result"
    ))
    .stderr_has("no space left");
}

#[test]
fn several_long_jobs_are_followed_to_their_ends() {
    let submitted = Mutex::new(Vec::new());
    let node = Node::start(move |request| {
        let job = |uuid: &str, state: &str, result: &str| {
            format!(r#"{{"uuid":"{uuid}","jobName":"APIAddImageMsg","state":"{state}","jobResult":{result}}}"#)
        };
        let (good, bad) = ("1".repeat(32), "2".repeat(32));
        match (request.method.as_str(), request.query().first().map(|(_, value)| value.as_str())) {
            ("GET", Some(asked)) if asked.ends_with(&good) => {
                let result = r#""{\"inventory\":{\"uuid\":\"1f6d\"}}""#;
                Reply::ok(format!(r#"{{"inventories":[{}]}}"#, job(&good, "Succeeded", result)))
            }
            ("GET", Some(_)) => {
                Reply::ok(format!(r#"{{"inventories":[{}]}}"#, job(&bad, "Failed", r#""{\"message\":\"no image\"}""#)))
            }
            ("GET", None) => {
                let is_good =
                    submitted.lock().expect("no panic").iter().any(|job: &String| request.path().ends_with(job));
                let uuid = if is_good { &good } else { &bad };
                Reply::ok(format!(r#"{{"inventory":{}}}"#, job(uuid, "Running", "null")))
            }
            _ => {
                if request.json()["params"]["name"] == "good" {
                    submitted
                        .lock()
                        .expect("no panic")
                        .push(request.header("x-job-uuid").expect("a job uuid").to_owned());
                }
                Reply::Send(202, "{}".to_owned())
            }
        }
    });
    let home = Home::new();
    let run = |words: &[&str]| home.run(node.call(words)).variable("ZSTACK_SESSION_UUID", SESSION);
    for name in ["name=good", "name=bad"] {
        run(&["--no-wait", "SubmitLongJob", name, "jobName=APIAddImageMsg", "jobData={}"]).succeeds();
    }
    let posts = node.requests();
    let [good, bad] = [&posts[0], &posts[1]].map(|post| post.header("x-job-uuid").expect("a job uuid").to_owned());
    let done = run(&["job", "wait", &good, &bad]).succeeds();
    assert_eq!(done.json()["inventories"][0]["result"]["inventory"]["state"], "Running", "nobody asked to follow");
    let done = run(&["--follow", "job", "wait", &good, &bad]).fails(3);
    let rows = done.json()["inventories"].clone();
    assert_eq!((&rows[0]["state"], &rows[0]["result"]["inventory"]["uuid"]), (&"succeeded".into(), &"1f6d".into()));
    assert_eq!((&rows[1]["state"], &rows[1]["error"]["message"]), (&"failed".into(), &"no image".into()));
    done.stderr(&format!("error: job {bad}: no image\n"));
}

#[test]
fn a_terminal_shows_how_several_jobs_stand() {
    let may_end = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&may_end);
    let node = Node::start(move |request| match request.path() {
        path if path.contains("task-progresses") => Reply::ok(
            r#"{"inventories":[{"type":"Progress","content":"42","time":1},{"type":"Task","content":"copying","time":1}]}"#,
        ),
        path if path.ends_with("aaaaaaaa") || flag.load(Ordering::Relaxed) => Reply::ok(r#"{"inventory":{}}"#),
        _ => Reply::Send(202, "{}".to_owned()),
    });
    let (done, slow) = ("a".repeat(32), "b".repeat(32));
    let words = node.call(&["job", "wait", &done, &slow, "-o", "value", "--columns", "state"]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let variables = [("ZSTACK_SESSION_UUID", SESSION)];
    let program = env!("CARGO_BIN_EXE_zstack-cli");
    let home = Home::new();
    let terminal = Terminal::run_with(&home, (100, 10), program, &words, &variables);
    let screen = terminal.sees("42%");
    assert!(screen.contains("1 of 2 ended  42%  copying  job bbbb"), "{screen}");
    may_end.store(true, Ordering::Relaxed);
    let (screen, code) = terminal.ends();
    assert_eq!((screen.trim(), code), ("succeeded\nsucceeded", Some(0)), "the line is cleared");
}

#[test]
fn a_long_job_that_nobody_may_ask_for_is_named() {
    let uuid = "6".repeat(32);
    let long_job = format!(r#"{{"inventory":{{"uuid":"{uuid}","jobName":"APIAddImageMsg","state":"Running"}}}}"#);
    let node = Node::start(move |request| match request.method.as_str() {
        "GET" if is_poll(request) => Reply::ok(long_job.clone()),
        "GET" => Reply::error("ID.1001", "expired"),
        _ => Reply::Send(202, "{}".to_owned()),
    });
    let run = Home::new().run_once(node.call(&["--follow", "SubmitLongJob", "jobName=APIAddImageMsg", "jobData={}"]));
    run.variable("ZSTACK_SESSION_UUID", SESSION).fails(5).stderr_has(&format!("`zstack-cli job {uuid}` looks at it"));
}

#[test]
fn a_journal_that_cannot_be_written_is_a_warning_and_the_action_is_sent() {
    let node = Node::start(|request| match is_poll(request) {
        true => Reply::ok(r#"{"inventory":{"uuid":"1f6d"}}"#),
        false => Reply::Send(202, "{}".to_owned()),
    });
    let home = Home::new();
    std::fs::create_dir_all(home.path().join("state")).expect("made");
    std::fs::write(home.path().join("state/jobs"), "in the way").expect("written");
    let run = home.run(node.call(&["-o", "value", "--columns", "uuid"])).variable("ZSTACK_SESSION_UUID", SESSION);
    let done = run.input("CreateZone name=a\nCreateZone name=b\n").succeeds().stdout("1f6d\n1f6d\n");
    let first = node.requests()[0].header("x-job-uuid").expect("a job uuid").to_owned();
    let warning = format!("warning: job {first} is not in the list of jobs: cannot write ");
    assert!(done.err().starts_with(&warning) && done.err().lines().count() == 1, "{}", done.err());
    let run = home.run(node.call(&["-q", "CreateZone", "name=c"])).variable("ZSTACK_SESSION_UUID", SESSION);
    run.succeeds().stderr("");
    // The sandbox has the same journal.
    home.run(["--sandbox", "CreateZone", "name=d"]).succeeds().stderr_has("is not in the list of jobs: cannot write ");
}

#[test]
fn a_result_that_cannot_be_read_is_told_at_once_with_its_job() {
    let node = Node::start(|request| match is_poll(request) {
        true => Reply::ok(r#"{"inventory":]}"#),
        false => Reply::Send(202, "{}".to_owned()),
    });
    let home = Home::new();
    let run = home.run(node.call(&["CreateZone", "name=a"])).variable("ZSTACK_SESSION_UUID", SESSION);
    let done = run.fails(6).stdout("").stderr_has("the job has ended, and its result cannot be read: ");
    done.stderr_has(&format!("job: {}", only_job(&home)));
}

#[test]
fn a_job_that_is_older_than_its_node_is_called_so() {
    let node = Node::start(|request| match request.path() {
        "/zstack/v1/management-nodes" => {
            // Long after the job.
            Reply::ok(r#"{"inventories":[{"uuid":"7f83","joinDate":"Mar 4, 2199 2:12:01 PM"}]}"#)
        }
        "/zstack/v1/management-nodes/platform-timezone" => Reply::ok(r#"{"timezone":"UTC","offset":"Z"}"#),
        _ if request.body == br#"{"getCurrentTime":{}}"# => Reply::ok("{}"),
        _ => Reply::Send(202, "{}".to_owned()),
    });
    let home = Home::new();
    let run = |words: &[&str]| home.run(node.call(words)).variable("ZSTACK_SESSION_UUID", SESSION);
    run(&["CreateZone", "name=a", "--no-wait"]).succeeds();
    let uuid = only_job(&home);
    let done = run(&["job", &uuid]).succeeds();
    assert_eq!(done.json()["inventory"]["state"], "running");
    done.stderr_has("warning: the node started on Mar 4, 2199 2:12:01 PM, after the job was submitted");
    // Whoever waits waits for nothing. A job of this minute is waited for.
    let journal = home.path().join("state/jobs/jobs.jsonl");
    let text = std::fs::read_to_string(&journal).expect("a journal");
    let at = text.split("\"at\":").nth(1).and_then(|rest| rest.split('}').next()).expect("a time");
    std::fs::write(&journal, text.replace(&format!("\"at\":{at}"), "\"at\":1700000000")).expect("written");
    let done = run(&["job", "wait", &uuid]).fails(6);
    done.stderr_has("the job probably died with the node before").stderr_has(&uuid);
}

#[test]
fn a_terminal_shows_what_a_silent_request_waits_for() {
    let may_end = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&may_end);
    let node = Node::start(move |_| {
        while !flag.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(10));
        }
        Reply::ok(r#"{"inventories":[{"uuid":"1f6d"}]}"#)
    });
    let words = node.call(&["QueryZone", "limit=1", "-o", "value", "--columns", "uuid"]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let variables = [("ZSTACK_SESSION_UUID", SESSION)];
    let program = env!("CARGO_BIN_EXE_zstack-cli");
    let terminal = Terminal::run_with(&Home::new(), (100, 10), program, &words, &variables);
    terminal.sees(&format!("no answer from 127.0.0.1:{} yet", node.port));
    may_end.store(true, Ordering::Relaxed);
    let (screen, code) = terminal.ends();
    assert_eq!((screen.trim(), code), ("1f6d", Some(0)), "the line is cleared");
}

#[test]
fn what_is_no_job_is_said() {
    let home = Home::new();
    home.run(["job", "list"]).succeeds().stderr("");
    home.run(["job", "show", "0b5c"]).fails(1).stderr("error: there is no job called 0b5c\n");
    let node = Node::start(|_| Reply::Send(404, "unknown job".to_owned()));
    let unknown = "0b5c1de0c6f54a1f9b7d0a4f3d1c2b61";
    home.run(node.call(&["job", unknown])).fails(6).stderr_has("no record of the job").stderr_has(unknown);
}

#[test]
fn the_wait_ends_at_the_limit_and_the_job_is_named() {
    let node = slow_node();
    let home = Home::new();
    let run = home.run(node.call(&["CreateZone", "name=a", "--timeout", "1"]));
    let done = run.variable("ZSTACK_SESSION_UUID", SESSION).fails(6).stdout("").stderr_has("the job still runs");
    let uuid = only_job(&home);
    done.stderr_has(&format!("`zstack-cli job {uuid}` looks again"));
    assert_eq!(node.requests()[0].header("x-api-timeout"), Some("1"));
    let done = home.run(["job", &uuid]).succeeds();
    assert_eq!(done.json()["inventory"]["state"], "running");
}

#[test]
fn a_silent_node_is_not_waited_for_beyond_the_limit() {
    let node = Node::start(|request| if is_poll(request) { Reply::Silent } else { Reply::Send(202, "{}".to_owned()) });
    let home = Home::new();
    let run = home.run(node.call(&["CreateZone", "name=a", "--timeout", "1"]));
    let done = run.variable("ZSTACK_SESSION_UUID", SESSION).fails(6).stderr_has("the node does not answer any more");
    done.never_shows("60 seconds").stderr_has(&only_job(&home));
}

#[test]
fn ctrl_c_stops_waiting_and_the_job_is_found_again() {
    let node = slow_node();
    let home = Home::new();
    // Once it polls it waits.
    let said = interrupted(&home, &node, is_poll);
    let uuid = only_job(&home);
    assert!(said.contains(&format!("not the job; `zstack-cli job {uuid}` looks again")), "{said}");
    let done = home.run(["job", &uuid]).succeeds();
    assert_eq!(done.json()["inventory"]["uuid"], uuid.as_str());
}

#[test]
fn an_action_that_a_web_page_answers_is_followed_or_called_unknown() {
    // The node carries everything out; a proxy loses the answer and, sometimes, hides the record.
    for (keeps_record, code) in [(true, 0), (false, 6)] {
        let node = Node::start(move |request| match (is_poll(request), keeps_record) {
            (true, true) => Reply::ok(r#"{"inventory":{"uuid":"1f6d"}}"#),
            (true, false) => Reply::Send(404, "unable to find job".to_owned()),
            _ => Reply::Send(500, "<html>Internal Server Error</html>".to_owned()),
        });
        let home = Home::new();
        let run = home.run(node.call(&["CreateZone", "name=a"])).variable("ZSTACK_SESSION_UUID", SESSION);
        let done = run.done().code(code);
        let sent = node.requests()[0].header("x-job-uuid").expect("a job uuid").to_owned();
        let list = home.run(["job", "list"]).succeeds().json();
        if keeps_record {
            assert_eq!(done.json()["inventory"]["uuid"], "1f6d");
            assert_eq!(list["inventories"][0]["state"], "succeeded");
        } else {
            done.stderr_has("the outcome of CreateZone is unknown").stderr_has(&format!("`zstack-cli job {sent}`"));
            assert_eq!(list["inventories"][0]["state"], "unknown");
        }
        assert_eq!(node.requests().iter().filter(|request| request.method == "POST").count(), 1);
    }
}

#[test]
fn a_session_that_ends_within_an_action_leaves_its_outcome_open() {
    let node = Node::start(|request| {
        if is_poll(request) {
            Reply::error("SYS.1000", r#"x.Exception: {\"code\":\"ID.1001\"}"#)
        } else {
            Reply::Send(202, "{}".to_owned())
        }
    });
    let home = Home::new();
    let run = home.run(node.call(&["CreateZone", "name=a"])).variable("ZSTACK_SESSION_UUID", SESSION);
    let done = run.fails(6).stderr_has("the outcome of CreateZone is unknown").stderr_has("inner code: ID.1001");
    let uuid = only_job(&home);
    done.stderr_has(&format!("job: {uuid}")).stderr_has("query the resource before you repeat the action");
    home.run(["job", &uuid]).done();
    assert_eq!(home.run(["job", "list"]).succeeds().json()["inventories"][0]["state"], "unknown");
}

#[test]
fn an_address_without_a_node_says_so_and_claims_nothing() {
    let node = Node::start(|_| Reply::Send(404, "<html>nginx</html>".to_owned()));
    let home = Home::new();
    let run = home.run(node.call(&["CreateZone", "name=a"])).variable("ZSTACK_SESSION_UUID", SESSION);
    let done = run.fails(4).stderr_has("not as a management node does: a web page");
    let uuid = only_job(&home);
    done.stderr_has("is this the address of a management node?").stderr_has(&uuid);
    assert_eq!(home.run(["job", "list"]).succeeds().json()["inventories"][0]["state"], "unknown");
}

/// What the program says when Ctrl-C is pressed once the node has received such a request.
fn interrupted(home: &Home, node: &Node, when: fn(&Recorded) -> bool) -> String {
    let mut run = home.run(node.call(&["CreateZone", "name=a"])).variable("ZSTACK_SESSION_UUID", SESSION);
    let child = run.start();
    for _ in 0..1000 {
        if node.requests().iter().any(when) {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.expect("kill runs").success());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130));
    assert!(output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).expect("text");
    assert!(said.contains("interrupted"), "{said}");
    said
}

#[test]
fn ctrl_c_before_the_answer_leaves_open_whether_there_is_a_job() {
    let node = Node::start(|_| Reply::Silent);
    let home = Home::new();
    let said = interrupted(&home, &node, |request| request.method == "POST");
    let uuid = only_job(&home);
    assert!(said.contains("whether it is carried out is unknown"), "{said}");
    assert!(said.contains(&format!("`zstack-cli job {uuid}` looks whether the node has it")), "{said}");
    assert_eq!(home.run(["job", "list"]).succeeds().json()["inventories"][0]["state"], "unknown");
}

#[test]
fn a_long_job_is_followed_and_its_result_unpacked() {
    let served = Served::start(&["--speed", "50"]);
    let home = Home::new();
    served.log_in(&home);
    let storage = served.run(&home, &["QueryBackupStorage", "limit=1", "fields=uuid", "-o", "value"]).succeeds().out();
    let data = format!(
        r#"jobData={{"name":"long","url":"http://h.test/x.qcow2","format":"qcow2","backupStorageUuids":["{}"]}}"#,
        storage.trim()
    );
    let words = ["SubmitLongJob", "jobName=APIAddImageMsg", &data];
    let done = served.run(&home, &[words[0], words[1], words[2], "--follow"]).succeeds();
    assert_eq!(done.json()["inventory"]["name"], "long");
    assert_eq!(done.json()["inventory"]["status"], "Ready");
    let done = served.run(&home, &words).succeeds();
    let uuid = done.json()["inventory"]["uuid"].as_str().expect("a uuid").to_owned();
    let done = served.run(&home, &["job", "wait", &uuid]).succeeds();
    assert_eq!(done.json()["inventory"]["name"], "long");
}

#[test]
fn a_long_job_that_fails_says_why() {
    let node = Node::start(|request| {
        let job = |state: &str, result: &str| {
            format!(r#"{{"uuid":"6c1e","jobName":"APIAddImageMsg","state":"{state}","jobResult":{result}}}"#)
        };
        match request.method.as_str() {
            "GET" if is_poll(request) => Reply::ok(format!(r#"{{"inventory":{}}}"#, job("Running", "null"))),
            "GET" => {
                let result = r#""{\"message\":\"no image\",\"cause\":{\"code\":\"SYS.1006\",\"details\":\"gone\"}}""#;
                Reply::ok(format!(r#"{{"inventories":[{}]}}"#, job("Failed", result)))
            }
            _ => Reply::Send(202, "{}".to_owned()),
        }
    });
    let run = Home::new().run_once(node.call(&["--follow", "SubmitLongJob", "jobName=APIAddImageMsg", "jobData={}"]));
    let done = run.variable("ZSTACK_SESSION_UUID", SESSION).fails(3);
    assert_eq!(done.json()["error"]["message"], "no image");
    done.stderr("error: no image\n  cause: SYS.1006: gone\n");
}

#[test]
fn a_script_that_waits_for_its_next_line_ends_when_it_is_told_to() {
    let node = Node::start(|_| Reply::ok(r#"{"inventories":[]}"#));
    let home = Home::new();
    let mut child = home.run(node.options()).variable("ZSTACK_SESSION_UUID", SESSION).start_open();
    let mut input = child.stdin.take().expect("an input");
    input.write_all(b"QueryZone limit=1 -o jsonl --jq .success\n").expect("written");
    let mut first = String::new();
    BufReader::new(child.stdout.take().expect("an output")).read_line(&mut first).expect("readable");
    assert_eq!(first, "true\n");
    tell(&child, "TERM");
    assert_eq!(child.wait().expect("it ends").signal(), Some(15));
}

/// Sends a signal.
fn tell(child: &Child, signal: &str) {
    let kill = Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status();
    assert!(kill.expect("kill runs").success());
}

#[test]
fn whoever_is_told_to_end_says_what_goes_on_and_closes_the_session() {
    for signal in ["TERM", "HUP"] {
        let node = Node::start(|request| match request.method.as_str() {
            "PUT" => Reply::ok(format!(r#"{{"inventory":{{"uuid":"{SESSION}","accountUuid":"a"}}}}"#)),
            "DELETE" => Reply::ok("{}"),
            _ => Reply::Send(202, "{}".to_owned()),
        });
        let home = Home::new();
        let child = home.run(node.call(&["CreateZone", "name=a"])).variable("ZSTACK_PASSWORD", "x").start();
        while !node.requests().iter().any(is_poll) {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        tell(&child, signal);
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(if signal == "TERM" { 143 } else { 129 }));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("this ends the waiting and not the job") && said.contains(&only_job(&home)), "{said}");
        let last = node.requests().pop().expect("a request");
        assert_eq!(
            (last.method.as_str(), last.path()),
            ("DELETE", &*format!("/zstack/v1/accounts/sessions/{SESSION}"))
        );
    }
}
