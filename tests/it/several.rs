//! A query in several contexts at the same time.

use serde_json::json;

use crate::harness::{Home, Run};
use crate::node::{Node, Recorded, Reply};

const WEB: &str = "16a76fa529d2413d92d791487f7f27f7";

fn query(request: &Recorded) -> Vec<String> {
    request.query().into_iter().filter(|(name, _)| name == "q").map(|(_, value)| value).collect()
}

/// A node with hosts of these names; `fails` makes its queries fail.
fn node(hosts: &'static [&'static str], fails: bool) -> Node {
    Node::start(move |request| match request.path() {
        "/zstack/v1/accounts/login" => {
            Reply::ok(r#"{"inventory":{"uuid":"5e550000000000000000000000000new","accountUuid":"a"}}"#)
        }
        "/zstack/v1/hosts" if fails => Reply::error("SYS.1000", "out of order"),
        "/zstack/v1/hosts" if request.query().contains(&("count".to_owned(), "true".to_owned())) => {
            Reply::ok(format!(r#"{{"total":{}}}"#, hosts.len()))
        }
        "/zstack/v1/hosts" => {
            let row = |name: &&str| format!(r#"{{"uuid":"{WEB}","name":"{name}","status":"Connected","context":"x"}}"#);
            let rows: Vec<String> = hosts.iter().map(row).collect();
            Reply::ok(format!(r#"{{"inventories":[{}]}}"#, rows.join(",")))
        }
        "/zstack/v1/zones" => {
            Reply::ok(format!(r#"{{"inventories":[{{"uuid":"{}","name":"z"}}]}}"#, hosts[0].repeat(32)))
        }
        _ => Reply::ok(r#"{"inventories":[]}"#),
    })
}

/// A home with the contexts `lab` and `prod`, logged in.
pub(crate) fn home(lab: &Node, prod: &Node) -> Home {
    let home = Home::new();
    for (name, node) in [("lab", lab), ("prod", prod)] {
        let url = format!("http://127.0.0.1:{}/zstack", node.port);
        home.run(["context", "set", name, "--url", &url]).succeeds();
        home.run(["--context", name, "login"]).input("password").succeeds();
    }
    home
}

pub(crate) fn both(home: &Home, words: &[&str]) -> Run {
    home.run([&["--context", "lab,prod"], words].concat())
}

#[test]
fn the_rows_of_several_contexts_are_one_answer() {
    let (lab, prod) = (node(&["b", "c"], false), node(&["a"], false));
    let home = home(&lab, &prod);
    let columns = ["QueryHost", "--columns", "name,status", "-o"];
    let csv = "context,name,status\nlab,b,Connected\nlab,c,Connected\nprod,a,Connected\n";
    both(&home, &[&columns[..], &["csv"]].concat()).succeeds().stdout(csv).stderr("");
    let jsonl = "{\"context\":\"lab\",\"name\":\"b\"}\n{\"context\":\"lab\",\"name\":\"c\"}\n{\"context\":\"prod\",\"name\":\"a\"}\n";
    both(&home, &["QueryHost", "--columns", "name", "-o", "jsonl"]).succeeds().stdout(jsonl);
    let table = both(&home, &["QueryHost", "-o", "table"]).succeeds().out();
    assert!(table.starts_with("context  name "), "{table}");
    assert_eq!(table.matches("context").count(), 1, "{table}");
    let reply = both(&home, &["QueryHost"]).succeeds().json();
    assert_eq!((&reply["success"], &reply["inventories"][2]["context"]), (&json!(true), &json!("prod")));
    both(&home, &["QueryHost", "count=true", "-o", "csv"]).succeeds().stdout("context,total\nlab,2\nprod,1\n");
    both(&home, &["QueryHost", "-o", "value"]).succeeds().stdout("b\nc\na\n");
    // As an option of a line, too.
    home.run(["--errors", "json"]).input("QueryHost --context prod,lab -o value\n").succeeds().stdout("a\nb\nc\n");
}

#[test]
fn a_context_that_fails_is_told_and_the_others_are_printed() {
    let (lab, prod) = (node(&["b"], true), node(&["a"], false));
    let home = home(&lab, &prod);
    let done = both(&home, &["QueryHost", "-o", "json"]).fails(3);
    done.stderr("error: lab: out of order\n  code: SYS.1000 (failed)\n")
        .stdout_has("\"context\": \"prod\"")
        .never_shows("success");
    let done = both(&home, &["QueryHost", "-o", "csv", "--columns", "name", "--errors", "json"]).fails(3);
    let done = done.stdout("context,name\nprod,a\n");
    let error: serde_json::Value = serde_json::from_str(done.err().trim_end()).expect("one line");
    assert_eq!(
        (&error["error"]["message"], &error["error"]["code"]),
        (&json!("lab: out of order"), &json!("SYS.1000"))
    );
    home.run(["context", "set", "gone", "--url", "http://127.0.0.1:9/zstack"]).succeeds();
    let words = ["--context", "gone,prod", "QueryHost", "-o", "value"];
    home.run(words).fails(5).stdout("a\n").stderr_has("error: gone: ");
}

#[test]
fn names_are_those_of_each_context() {
    let (lab, prod) = (node(&["b"], false), node(&["a"], false));
    let home = home(&lab, &prod);
    both(&home, &["QueryHost", "zoneUuid=z", "-q", "-o", "value"]).succeeds().stdout("b\na\n");
    for (node, name) in [(&lab, "b"), (&prod, "a")] {
        let asked: Vec<Vec<String>> = node.calls()[1..].iter().map(query).collect();
        assert_eq!(asked, [vec!["name?=z".to_owned()], vec![format!("zoneUuid={}", name.repeat(32))]]);
    }
}

#[test]
fn only_reads_run_in_several_contexts() {
    let (lab, prod) = (node(&["b"], false), node(&["a"], false));
    let home = home(&lab, &prod);
    both(&home, &["CreateZone", "name=a"]).fails(2).stderr_has("CreateZone changes something, and only reads run");
    both(&home, &["login"]).fails(2).stderr_has("only a query or another read can run in several contexts");
    both(&home, &["QueryHost", "nme=a"])
        .fails(1)
        .stderr("error: QueryHost has no queryable field nme\n  hint: did you mean `name`?\n");
    home.run(["--context", "lab,prdo", "QueryHost"]).fails(2).stderr_has("prdo").stderr_has("prod");
    both(&home, &["--url", "http://127.0.0.1:9", "QueryHost"]).fails(2).stderr_has("another is named");
    both(&home, &["QueryHost", "--watch"]).fails(2).stderr_has("it repeats a query in one context");
    assert_eq!(lab.calls().len() + prod.calls().len(), 2, "the log-ins");
    let done = both(&home, &["QueryHost", "--dry-run"]).succeeds().stderr_has("context prod:\n");
    assert_eq!(done.out().matches("GET http").count(), 2);
    let done = home.run(["complete", "QueryHost --context lab,pr"]).succeeds();
    done.stdout("lab,prod\tvalue\t\n");
}

#[test]
fn the_environment_is_for_no_one_of_several_nodes() {
    let (lab, prod) = (node(&["b"], false), node(&["a"], false));
    let home = home(&lab, &prod);
    both(&home, &["QueryHost", "-q"]).variable("ZSTACK_SESSION_UUID", "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37").succeeds();
    let sent: Vec<Recorded> = [lab.calls(), prod.calls()].concat();
    assert!(
        sent.iter().all(|request| request.header("authorization") != Some("OAuth 5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37"))
    );
}
