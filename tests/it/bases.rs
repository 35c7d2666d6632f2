//! Nodes at the root of an address, or below `/zstack`, where the other was given.

use crate::harness::{Home, Run};
use crate::node::{Node, Recorded, Reply};

const SESSION: &str = "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37";

/// A node below that base; elsewhere something answers that is none.
fn node_below(base: &'static str, has_jobs: bool) -> Node {
    Node::start(move |request| {
        let Some(path) = request.path().strip_prefix(base).filter(|path| path.starts_with("/v1/")) else {
            return match base {
                // Without a context of its own the node takes the whole path for one of an API.
                "" => Reply::Send(404, format!("no api mapping to {}", request.path())),
                _ => Reply::Send(404, "<html>no such page</html>".to_owned()),
            };
        };
        match (request.method.as_str(), path) {
            (_, "/v1/accounts/login") => Reply::ok(format!(
                r#"{{"inventory":{{"uuid":"{SESSION}","accountUuid":"36c2","userUuid":"36c2","expiredDate":"x"}}}}"#
            )),
            ("POST", _) => Reply::ok(r#"{"inventory":{"uuid":"1f6d","name":"lab"}}"#),
            (_, path) if path.starts_with("/v1/api-jobs/") && !has_jobs => Reply::Send(404, "no such job".to_owned()),
            _ => Reply::ok(r#"{"inventories":[{"uuid":"1f6d","name":"lab"}]}"#),
        }
    })
}

fn run(home: &Home, address: &[&str], words: &[&str]) -> Run {
    home.run([address, words].concat()).variable("ZSTACK_SESSION_UUID", SESSION)
}

fn sent<'n>(requests: &'n [Recorded], method: &str) -> Vec<&'n str> {
    requests.iter().filter(|request| request.method == method).map(|request| request.path()).collect()
}

#[test]
fn a_node_is_found_the_other_way_and_called_there_from_then_on() {
    for (base, suffix) in [("", "zstack"), ("/zstack", "")] {
        let (home, node) = (Home::new(), node_below(base, false));
        let url = format!("http://127.0.0.1:{}/{suffix}", node.port);
        let address = ["--url", url.as_str()];
        let note =
            format!("the node answers at http://127.0.0.1:{}{base}, and is called there from now on\n", node.port);
        let query = ["QueryZone", "-o", "value"];
        run(&home, &address, &query).succeeds().stdout("lab\n").stderr(&note);
        let before = node.requests().len();
        run(&home, &address, &query).succeeds().stdout("lab\n").stderr("");
        let after: Vec<String> = node.requests()[before..].iter().map(|request| request.path().to_owned()).collect();
        assert_eq!(after, [format!("{base}/v1/zones")]);
        // What is remembered holds however the address is given.
        home.run(["context", "set", "lab", "--url", &url]).succeeds();
        run(&home, &["--context", "lab"], &["CreateZone", "name=a"]).succeeds().stderr("");
        let listed = home.run(["job", "list", "-o", "value", "--columns", "uuid,state"]).succeeds().out();
        let (uuid, state) = listed.trim_end().split_once(['\t', ' ']).expect("a job");
        assert_eq!(state, "succeeded");
        // The journal says where the job is.
        home.run(["job", uuid]).succeeds();
        assert_eq!(node.requests().pop().expect("a request").path(), format!("{base}/v1/api-jobs/{uuid}"));
    }
}

#[test]
fn a_node_that_is_asked_for_its_version_first_is_found_too() {
    let (home, node) = (Home::new(), node_below("/zstack", false));
    let address = format!("http://127.0.0.1:{}/", node.port);
    let words = ["CreateLdapBinding", "ldapUid=bob", "accountUuid=36c27e8ff05c4780bf6d2fa65700f22e"];
    run(&home, &["--url", &address], &words).succeeds().stderr_has("and is called there from now on");
    assert_eq!(sent(&node.requests(), "POST"), ["/zstack/v1/ldap/bindings"]);
}

#[test]
fn an_action_goes_to_the_other_base_only_where_it_surely_has_not_run() {
    for (base, suffix) in [("", "zstack"), ("/zstack", "")] {
        let (home, node) = (Home::new(), node_below(base, false));
        let address = format!("http://127.0.0.1:{}/{suffix}", node.port);
        run(&home, &["--url", &address], &["CreateZone", "name=a", "-o", "value"]).succeeds().stdout("lab\n");
        let requests = node.requests();
        let other = if base.is_empty() { "/zstack" } else { "" };
        assert_eq!(sent(&requests, "POST"), [format!("{other}/v1/zones"), format!("{base}/v1/zones")]);
        let uuids: Vec<_> = requests.iter().filter_map(|request| request.header("x-job-uuid")).collect();
        assert!(uuids.len() == 2 && uuids[0] == uuids[1], "{uuids:?}");
        let states = home.run(["job", "list", "-o", "value", "--columns", "state"]).succeeds().out();
        assert_eq!(states, "succeeded\n");
    }
    // What answered first has handed the action on: the node has its job.
    let (home, node) = (Home::new(), node_below("/zstack", true));
    let address = format!("http://127.0.0.1:{}/", node.port);
    let done = run(&home, &["--url", &address], &["CreateZone", "name=a"]).fails(4);
    done.stderr_has("hint: the node answers at http://127.0.0.1").stderr_has("look there before you repeat the action");
    assert_eq!(sent(&node.requests(), "POST"), ["/v1/zones"]);
}

#[test]
fn a_log_in_finds_the_node_too() {
    let (home, node) = (Home::new(), node_below("", false));
    let port = node.port.to_string();
    let address = ["-H", "127.0.0.1", "-p", &port];
    home.run([&address[..], &["login"]].concat()).input("x\n").succeeds().stderr_has("logged in as admin");
    home.run([&address[..], &["QueryZone", "-o", "value"]].concat()).succeeds().stdout("lab\n").stderr("");
    let last = node.requests().pop().expect("a request");
    assert_eq!(last.header("authorization"), Some(format!("OAuth {SESSION}").as_str()));
}

#[test]
fn an_address_without_a_node_is_said_to_be_one() {
    let node = Node::start(|_| Reply::Send(404, "<html>no such page</html>".to_owned()));
    let home = Home::new();
    let address = format!("http://127.0.0.1:{}", node.port);
    run(&home, &["--url", &address], &["QueryZone"]).fails(4).stderr_has("is this the address of a management node?");
    let other: Vec<String> = node.requests().iter().map(|request| request.path().to_owned()).collect();
    assert_eq!(other, ["/zstack/v1/zones", "/zstack/v1/management-nodes/ready", "/v1/management-nodes/ready"]);
}
