//! Calls against a server that answers in every way a node, a proxy or an accident can.

use crate::harness::Home;
use crate::node::{Node, Recorded, Reply};

const SESSION: &str = "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37";

fn with_session(node: &Node, words: &[&str]) -> crate::harness::Run {
    Home::new().run_once(node.call(words)).variable("ZSTACK_SESSION_UUID", SESSION)
}

#[test]
fn a_uuid_that_is_nearly_right_leads_to_the_right_one() {
    let home = Home::with_cloud();
    let hint = |words: &[&str]| {
        let done = home.run([&["--sandbox", "StopVmInstance"], words].concat()).fails(3);
        done.err().lines().last().unwrap_or_default().to_owned()
    };
    let uuid = home.run(["--sandbox", "QueryVmInstance", "name=web-1", "--columns", "uuid", "-o", "value"]).succeeds();
    let uuid = uuid.out().trim_end().to_owned();
    let near = format!("uuid={}{}", &uuid[..31], if uuid.ends_with('0') { '1' } else { '0' });
    assert_eq!(hint(&[&near]), format!("  hint: did you mean uuid={uuid} (web-1)?"));
    // A name that was sent as typed.
    let named = format!("  hint: `web-1` is a name; its uuid is meant: uuid={uuid}");
    assert_eq!(hint(&["uuid=web-1", "--no-check"]), named);
    assert!(hint(&["uuid=somethingelse", "--no-check"]).contains("names nothing"));
}

#[test]
fn the_result_of_an_action_is_never_lost_to_a_wrong_filter() {
    let node = Node::start(|_| Reply::ok(r#"{"inventory":{"uuid":"1f6d","name":"lab"}}"#));
    let home = Home::new();
    let run = |words: &[&str]| home.run(node.call(words)).variable("ZSTACK_SESSION_UUID", "x");
    let wrong = run(&["CreateZone", "name=lab", "--columns", "nmae", "-o", "csv"]).fails(2).stdout("");
    wrong.stderr("error: no column nmae\n  hint: did you mean `name`?\n");
    assert!(node.requests().is_empty());
    let done = run(&["CreateZone", "name=lab", "--jq", ".inventory.name|tonumber"]).fails(1);
    assert_eq!(done.json()["inventory"]["uuid"], "1f6d");
    done.stderr_has("error: the action was sent, but its result cannot be shown as requested: ");
    assert_eq!(node.calls().len(), 1);
    // A job that nobody waits for is told whatever its result is to look like.
    let cloud = Home::with_cloud();
    for words in [&["--columns", "name", "-o", "csv"][..], &["--jq", ".inventory.name|tonumber"]] {
        let done = cloud.run([&["--sandbox", "CreateZone", "name=lab", "--no-wait"], words].concat()).done();
        let hint = done.err();
        let told = hint.split('`').nth(1).and_then(|command| command.rsplit(' ').next()).expect("a job");
        assert!(told.len() == 32 && done.out().contains(told), "{}\n{hint}", done.out());
    }
}

#[test]
fn text_that_the_database_may_not_store_is_warned_of_and_never_taken_for_an_action_that_did_not_run() {
    let node = Node::start(|request| match request.method.as_str() {
        "POST" => Reply::Send(202, "{}".to_owned()),
        _ if request.path().contains("/api-jobs/") => Reply::Send(404, "unable to find the job".to_owned()),
        _ => Reply::error("SYS.1000", "Incorrect string value"),
    });
    let done = with_session(&node, &["CreateZone", "name=lab", "description=\u{1f600}"]).fails(6);
    done.stderr_has("warning: the node's database may not store characters beyond U+FFFF, such as emoji\n")
        .stderr_has("the action may have been carried out\n  job: ");
    assert_eq!(node.requests().iter().filter(|request| request.method == "POST").count(), 1);
    let done = with_session(&node, &["QueryZone", "name~=\u{1f600}"]).fails(3);
    done.stderr_has("hint: the node's database may not compare characters beyond U+FFFF").never_shows("warning");
    with_session(&node, &["CreateZone", "name=a", "description=\u{e9}\u{4f60}"]).fails(6).never_shows("warning");
}

#[test]
fn the_node_checks_an_action_without_doing_it() {
    let node = Node::start(|request| match request.path() {
        path if path.contains("/api-jobs/") => Reply::ok("{}"),
        "/zstack/v1/zones" => Reply::Send(202, "{}".to_owned()),
        _ => Reply::error("SYS.1007", "no such zone"),
    });
    let home = Home::new();
    let run = |words: &[&str]| home.run(node.call(words)).variable("ZSTACK_SESSION_UUID", SESSION);
    let done = run(&["CreateZone", "name=lab", "systemTags=a::b", "--validate", "--no-wait"]).succeeds();
    done.stdout("").stderr("valid: the node would run it; nothing was done\n");
    let sent = node.requests()[0].json();
    assert_eq!(sent["params"]["systemTags"], serde_json::json!(["a::b", "ephemeral::validationOnly"]));
    run(&["DeleteZone", "uuid=1f6d0e5a8d4b4f60a1f3a1d1c7f0b2e4", "--validate"]).fails(3).stderr_has("no such zone");
    assert!(node.requests().last().expect("a request").target.ends_with("systemTags=ephemeral%3A%3AvalidationOnly"));
    // Nothing was done, so that no job was submitted.
    assert_eq!(run(&["job", "list", "-o", "json"]).succeeds().json()["inventories"], serde_json::json!([]));
    let sent = node.requests().len();
    for words in [&["QueryZone"][..], &["GetVersion"], &["LogOut"], &["zql", "query zone"]] {
        run(&[words, &["--validate"]].concat())
            .fails(2)
            .stderr_has("is not an asynchronous action, and a node can check no others");
    }
    run(&["CreateZone", "name=lab", "--validate", "--dry-run"]).succeeds().stdout_has("ephemeral::validationOnly");
    assert_eq!(node.requests().len(), sent);
    let node = Node::start(|_| Reply::ok(r#"{"inventory":{"uuid":"1f6d"}}"#));
    let done = with_session(&node, &["CreateZone", "name=lab", "--validate"]).succeeds();
    done.stdout_has("1f6d").stderr_has("warning: the node answered with a result");
}

#[test]
fn a_reply_that_is_cut_while_it_is_printed_is_told_as_a_failed_connection() {
    // More than what is looked at before anything is printed.
    let row = format!(r#"{{"uuid":"1f6d","name":"{}"}},"#, "x".repeat(1000));
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n";
    let text = format!("{head}{{\"inventories\":[{}", row.repeat(400));
    let node = Node::start(move |_| Reply::Raw(text.clone().into_bytes()));
    let done = with_session(&node, &["QueryZone", "limit=1000", "-o", "value", "--columns", "uuid"]).fails(4);
    let done = done.stdout_has("1f6d\n").stderr_has("error: the connection failed while the reply was read: the conn");
    done.never_shows("not what a management node sends");
}

/// What a curl command in the text says of headers, names in lower case.
fn headers_of_curl(text: &str) -> Vec<(String, String)> {
    let curl = text.lines().find(|line| line.starts_with("curl ")).expect("a curl command");
    let words = curl.split(" -H '").skip(1).filter_map(|rest| rest.split_once('\''));
    words
        .filter_map(|(word, _)| word.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect()
}

/// The headers of a request, without those that any transport adds.
fn own_headers(request: &Recorded) -> Vec<(String, String)> {
    let added = |name: &str| matches!(name, "host" | "content-length");
    request.headers.iter().filter(|(name, _)| !added(name)).cloned().collect()
}

#[test]
fn the_curl_example_is_the_request_that_is_sent() {
    let node = Node::start(|_| Reply::ok("{}"));
    for command in [&["CreateZone", "name=a", "--timeout", "90"][..], &["QueryZone", "limit=1"]] {
        let done = with_session(&node, &[command, &["-c", "-s"]].concat()).succeeds();
        let request = node.calls().last().expect("a request").clone();
        assert_eq!(headers_of_curl(&done.err()), own_headers(&request));
        assert!(done.err().contains(&request.target), "{}", done.err());
    }
    let sent = node.requests().len();
    let done = with_session(&node, &["QueryZone", "limit=1", "--dry-run", "-s"]).succeeds();
    let shown: Vec<(String, String)> = done
        .out()
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    assert_eq!(shown, own_headers(node.requests().last().expect("a request")));
    assert_eq!(node.requests().len(), sent, "a dry run sends nothing");
}

#[test]
fn a_query_is_printed_as_the_node_sent_it_with_sorted_members() {
    let node = Node::start(|_| {
        Reply::ok(
            r#"{"inventories":[{"uuid":"1f6d","name":"a \"quoted\" \\ name","size":1.073741824E9,"big":9223372036854775807,"none":null}],"schema":{"inventories[0]":"x"}}"#,
        )
    });
    with_session(&node, &["QueryZone", "limit=1"]).succeeds().stderr("").stdout(
        r#"{
    "inventories": [
        {
            "big": 9223372036854775807,
            "name": "a \"quoted\" \\ name",
            "none": null,
            "size": 1.073741824E9,
            "uuid": "1f6d"
        }
    ],
    "success": true
}
"#,
    );
    let request = &node.requests()[0];
    assert_eq!((request.method.as_str(), request.target.as_str()), ("GET", "/zstack/v1/zones?limit=1"));
    assert_eq!(request.header("authorization"), Some(format!("OAuth {SESSION}").as_str()));
}

#[test]
fn a_failed_api_is_json_on_stdout_and_readable_on_stderr() {
    let node = Node::start(|_| Reply::error("SYS.1006", "no space left"));
    let done = with_session(&node, &["QueryZone", "limit=1"]).fails(3);
    done.stderr("error: no space left\n  code: SYS.1006 (failed)\n").stdout(
        r#"{
    "error": {
        "code": "SYS.1006",
        "description": "failed",
        "details": "no space left"
    }
}
"#,
    );
    // Scripts search for that word.
    for format in ["json", "jsonl", "yaml"] {
        let done = with_session(&node, &["QueryZone", "limit=1", "-o", format]).fails(3).stdout_has("SYS.1006");
        assert!(!done.out().contains("success"), "{}", done.out());
    }
    with_session(&node, &["QueryZone", "limit=1", "-o", "csv"]).fails(3).stdout("");
}

#[test]
fn answers_that_are_none_are_told_apart_and_never_shown() {
    let page = "<html><body>secret page</body></html>";
    for (reply, said) in [
        (Reply::Send(200, page.to_owned()), "and not as a management node does: a web page"),
        (Reply::Send(502, page.to_owned()), "and not as a management node does: a web page"),
        (Reply::Send(200, String::new()), "an empty reply"),
        (Reply::Send(200, "OK".to_owned()), "text that is not a JSON object"),
        (Reply::Send(200, r#"{"inventories":[{"uuid":"1"#.to_owned()), "the reply is not what a management node sends"),
        (Reply::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"inventories\":[".to_vec()), "error: "),
        (Reply::Raw(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()), "error: "),
        (
            Reply::Raw(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/x\r\nContent-Length: 0\r\n\r\n".to_vec()),
            "redirects to http://127.0.0.1:1/x",
        ),
    ] {
        let node = Node::start(move |_| reply.clone());
        with_session(&node, &["QueryZone", "limit=1"]).fails(4).stdout("").stderr_has(said).never_shows("secret page");
    }
}

#[test]
fn a_node_that_is_not_there_is_one_sentence_and_a_hint() {
    Home::new()
        .run_once(["-H", "127.0.0.1", "-p", "1", "QueryZone"])
        .variable("ZSTACK_SESSION_UUID", SESSION)
        .fails(4)
        .stdout("")
        .stderr("error: cannot reach 127.0.0.1:1: the connection was refused\n  hint: check the address (-H, -p, --url), or try --sandbox\n");
}

#[test]
fn without_a_session_nothing_is_sent() {
    let node = Node::start(|_| Reply::ok("{}"));
    Home::new().run_once(node.call(&["QueryZone"])).fails(5).stdout("").stderr_has("nobody is logged in");
    assert!(node.requests().is_empty());
}

#[test]
fn an_expired_session_is_told_from_other_failures() {
    let node = Node::start(|_| Reply::error("ID.1001", "Session expired"));
    with_session(&node, &["QueryZone", "limit=1"]).fails(5).stderr_has("the session has expired");
}

#[test]
fn a_post_goes_out_once_though_the_connection_is_cut() {
    let node = Node::start(|request| match request.method.as_str() {
        "POST" => Reply::Cut,
        _ => Reply::ok(r#"{"inventory":{"uuid":"1f6d","name":"lab"}}"#),
    });
    let done = with_session(&node, &["CreateZone", "name=lab"]).succeeds();
    assert_eq!(done.json()["inventory"]["name"], "lab");
    let requests = node.requests();
    assert_eq!(requests.iter().filter(|request| request.method == "POST").count(), 1);
    let job = requests[0].header("x-job-uuid").expect("a job uuid").to_owned();
    assert_eq!(requests[1].path(), format!("/zstack/v1/api-jobs/{job}"));
}

#[test]
fn jobs_are_polled_on_our_own_base_wherever_the_location_leads() {
    // Another host, and another job, whose result is none of ours.
    let other = "0b5c1de0c6f54a1f9b7d0a4f3d1c2b61";
    let node = Node::start(move |request| match request.path().strip_prefix("/zstack/v1/api-jobs/") {
        None => {
            let location = format!("http://10.255.255.1:8080/zstack/v1/api-jobs/{other}");
            Reply::Send(202, format!(r#"{{"location":"{location}","apiTimeout":1800000}}"#))
        }
        Some(job) if job == other => Reply::ok(r#"{"inventory":{"uuid":"other"}}"#),
        Some(_) => Reply::ok(r#"{"inventory":{"uuid":"1f6d"}}"#),
    });
    let done = with_session(&node, &["CreateZone", "name=lab"]).succeeds();
    assert_eq!(done.json()["inventory"]["uuid"], "1f6d");
    assert_eq!(node.requests()[1].header("authorization"), None);
}

#[test]
fn a_query_that_finds_nothing_fails_only_when_asked_to() {
    let node = Node::start(|_| Reply::ok(r#"{"inventories":[]}"#));
    with_session(&node, &["QueryZone"]).succeeds().stdout("{\n    \"inventories\": [],\n    \"success\": true\n}\n");
    with_session(&node, &["QueryZone", "--fail-empty"]).fails(7).stderr("error: nothing found\n");
}

#[test]
fn the_chain_of_causes_is_told_from_the_outside_in() {
    let error = r#"{"error":{"code":"SYS.1002","description":"create failed","details":"cannot create the VM",
        "messages":{"message_en":"free some memory","message_cn":"x"},
        "cause":{"code":"HOST.1001","details":"no host has room",
            "causes":[{"code":"HOST.1","details":"host-1: 2 GiB left"},{"code":"HOST.2","details":"host-2: down"}]}}}"#;
    let node = Node::start(move |_| Reply::Send(503, error.to_owned()));
    with_session(&node, &["QueryZone", "limit=1", "-o", "csv"]).fails(3).stderr(
        "error: cannot create the VM\n  code: SYS.1002 (create failed)\n  advice: free some memory\n  \
         cause: HOST.1001: no host has room\n    cause: HOST.1: host-1: 2 GiB left\n    cause: HOST.2: host-2: down\n",
    );
}

#[test]
fn an_error_inside_an_internal_one_is_found() {
    let details = r#"org.zstack.X: {\"code\":\"ID.1006\",\"details\":\"too many\"}"#;
    let node = Node::start(move |_| Reply::error("SYS.1000", details));
    with_session(&node, &["QueryZone", "limit=1", "-o", "csv"]).fails(3).stderr_has("inner code: ID.1006");
}

#[test]
fn a_node_that_starts_is_told_from_a_wrong_address() {
    let node = Node::start(|request| match request.path() {
        "/zstack/v1/management-nodes/ready" => Reply::error("SYS.1010", "not ready"),
        _ => Reply::Send(404, "<html>Not Found</html>".to_owned()),
    });
    let done = with_session(&node, &["QueryZone"]).fails(4).stderr_has("is starting");
    done.stderr_has("hint: wait until IsReadyToGo succeeds");
    let node = Node::start(|_| Reply::Send(503, "<html>Service Unavailable</html>".to_owned()));
    with_session(&node, &["QueryZone"]).fails(4).stderr_has("hint: a node that is starting answers so");
}

#[test]
fn a_page_that_is_not_there_may_be_a_wrong_address() {
    for body in ["", "404 page not found"] {
        let node = Node::start(move |_| Reply::Send(404, body.to_owned()));
        for words in [["QueryZone", "limit=1"], ["CreateZone", "name=a"], ["GetVersion", "-q"]] {
            let done = with_session(&node, &words).fails(4).stderr_has("not as a management node does");
            done.stderr_has("is this the address of a management node?");
        }
    }
}
