//! `sql`, `inspect`, `events` and `top` in several contexts at the same time.

use crate::node::{Node, Recorded, Reply};
use crate::several::{both, home};

fn uuid(number: usize) -> String {
    format!("{number:032x}")
}

/// A node with one host and two VMs, all of whose uuids begin with a number of its own. `fails` names a path that fails
/// from the second page on, or at once if it ends in `!`.
fn node(own: usize, fails: &'static str) -> Node {
    Node::start(move |request: &Recorded| {
        let query = request.query();
        let after = query.iter().find_map(|(_, value)| value.strip_prefix("uuid>").map(str::to_owned));
        let counts = query.iter().any(|(name, value)| (name.as_str(), value.as_str()) == ("count", "true"));
        let limit = query.iter().find(|(name, _)| name == "limit").and_then(|(_, value)| value.parse().ok());
        let path = request.path().strip_prefix("/zstack/v1").unwrap_or_default();
        let host = own * 16;
        let rows = match path {
            _ if path == fails.trim_end_matches('!') && (after.is_some() || fails.ends_with('!')) => {
                return Reply::error("SYS.1000", "out of order");
            }
            "/accounts/login" => {
                return Reply::ok(
                    r#"{"inventory":{"uuid":"5e550000000000000000000000000new","accountUuid":"a"}}"#.to_owned(),
                );
            }
            "/hosts" => {
                vec![(host, format!(r#""name":"host-{own}","status":"Disconnected","managementIp":"10.0.0.1""#))]
            }
            "/vm-instances" => {
                (1..3).map(|vm| (host + vm, format!(r#""name":"vm-{own}-{vm}","hostUuid":"{}""#, uuid(host)))).collect()
            }
            "/zwatch/metrics/meta-data" => {
                return Reply::ok(
                    r#"{"metrics":[{"namespace":"ZStack/Host","name":"CPUUsedUtilization","labelNames":["HostUuid"]}]}"#
                        .to_owned(),
                );
            }
            "/zwatch/metrics" => {
                let point = format!(r#"{{"value":{own},"time":1741076400,"labels":{{"HostUuid":"{}"}}}}"#, uuid(host));
                return Reply::ok(format!(r#"{{"data":[{point}]}}"#));
            }
            "/zwatch/events" => {
                let event = |second: usize| format!(r#"{{"time":17410752{second}000,"name":"e-{own}"}}"#);
                return Reply::ok(format!(r#"{{"events":[{},{}]}}"#, event(10 + own), event(30 + own)));
            }
            "/management-nodes/ready" => return Reply::ok("{}".to_owned()),
            "/zwatch/alarm-histories" => return Reply::ok(r#"{"histories":[]}"#.to_owned()),
            "/zwatch/audits" => return Reply::ok(r#"{"audits":[]}"#.to_owned()),
            _ => return Reply::Send(404, "no api mapping to URL".to_owned()),
        };
        let rows = rows.into_iter().map(|(at, members)| (uuid(at), members));
        let rows = rows.filter(|(uuid, _)| after.as_ref().is_none_or(|after| uuid > after)).take(limit.unwrap_or(9));
        let rows: Vec<String> = rows.map(|(uuid, members)| format!(r#"{{"uuid":"{uuid}",{members}}}"#)).collect();
        Reply::ok(if counts {
            format!(r#"{{"total":{}}}"#, rows.len())
        } else {
            format!(r#"{{"inventories":[{}]}}"#, rows.join(","))
        })
    })
}

#[test]
fn a_statement_sees_the_rows_of_all_contexts() {
    let (lab, prod) = (node(1, ""), node(2, ""));
    let home = home(&lab, &prod);
    let sql = |statement: &str| both(&home, &["sql", statement, "-o", "csv"]).succeeds().stderr("").out();
    assert_eq!(sql("select context, name from host"), "context,name\nlab,host-1\nprod,host-2\n");
    assert_eq!(sql("select name from host order by name desc limit 1"), "context,name\nprod,host-2\n");
    assert_eq!(sql("select count(*) n from host"), "n\n2\n");
    let joined =
        "select h.context, h.name, count(*) n from vminstance v join host h on h.uuid = v.hostUuid group by 1, 2";
    assert_eq!(sql(joined), "context,name,n\nlab,host-1,2\nprod,host-2,2\n");
    assert!(sql("select * from host").starts_with("context,"));
    assert_eq!(sql("select h.name zone from host h order by h.name"), "context,zone\nlab,host-1\nprod,host-2\n");
    assert_eq!(sql("select name from host order by 1"), "name\nhost-1\nhost-2\n");
    let sent = prod.calls().len();
    assert_eq!(sql("select name from host where context = 'lab'"), "name\nhost-1\n");
    assert_eq!(prod.calls().len(), sent, "only the context that the statement names is asked");
    // Of one context the column is there, and no part of `*`.
    let one = |statement: &str| home.run(["--context", "lab", "sql", statement, "-o", "csv"]).succeeds().out();
    assert_eq!(one("select context, name from host"), "context,name\nlab,host-1\n");
    assert!(!one("select * from host").contains("context"));
}

#[test]
fn a_statement_goes_on_without_a_context_that_fails() {
    let (lab, prod) = (node(1, ""), node(2, "/hosts!"));
    let at_home = home(&lab, &prod);
    let told = "error: prod: out of order\n  code: SYS.1000 (failed)\n";
    // It began with the VMs of both: half of what belongs together would be wrong.
    let joined = "select v.context, count(*) n, count(h.uuid) hosts from vminstance v left join host h on h.uuid = v.hostUuid group by 1";
    both(&at_home, &["sql", joined, "-o", "csv"]).fails(3).stdout("context,n,hosts\nlab,2,2\n").stderr(told);
    both(&at_home, &["sql", "select name from host"]).fails(3).stderr(told).never_shows("success");
    home(&prod, &prod).run(["--context", "lab,prod", "sql", "select name from host"]).fails(3).stdout("");
    // What is wrong with the statement is told once.
    let done = both(&at_home, &["sql", "select nme from host"]).fails(1).stderr_has("error: no such column: nme");
    assert_eq!(done.err().matches("error: ").count(), 1);

    // After the first row it does not start anew.
    let (lab, prod) = (node(1, ""), node(2, "/vm-instances"));
    let words = ["sql", "select name from vminstance", "--page-size", "1", "-o", "csv"];
    let done = both(&home(&lab, &prod), &words).fails(3).stdout("context,name\nlab,vm-1-1\nlab,vm-1-2\nprod,vm-2-1\n");
    done.stderr("error: prod: a later page of the query failed\n  code: SYS.1000 (failed)\n");
}

#[test]
fn findings_say_in_which_context() {
    let (lab, prod) = (node(1, ""), node(2, ""));
    let home = home(&lab, &prod);
    let words = ["inspect", "host-disconnected", "-o", "csv", "--columns", "resource"];
    both(&home, &words).succeeds().stdout("context,resource\nlab,host-1\nprod,host-2\n").stderr("");
    let table = both(&home, &["inspect", "host-disconnected", "-o", "table"]).succeeds().out();
    assert!(table.starts_with("context  weight  check "), "{table}");
    let words = ["inspect", "host-disconnected", "license-ends", "--fail-on", "urgent", "-o", "json"];
    let done = both(&home, &words).fails(8).stderr_has("error: 2 of the findings are urgent");
    assert_eq!(done.json()["inventories"][1]["context"], "prod");
    done.stderr_has("lab: license-ends is left out: ").stderr_has("prod: license-ends is left out: ");
}

#[test]
fn what_happened_in_all_contexts_is_one_stream() {
    let (lab, prod) = (node(1, ""), node(2, ""));
    let home = home(&lab, &prod);
    let words = ["events", "--since", "520w", "-o", "csv", "--columns", "time,name"];
    both(&home, &words).succeeds().stdout(
        "context,time,name\nlab,2025-03-04T08:00:11Z,e-1\nprod,2025-03-04T08:00:12Z,e-2\n\
         lab,2025-03-04T08:00:31Z,e-1\nprod,2025-03-04T08:00:32Z,e-2\n",
    );
    let done = home.run(["--context", "lab,gone", "events"]).fails(2);
    done.stderr_has("gone");
}

#[test]
fn the_busiest_of_all_contexts_come_first() {
    let (lab, prod) = (node(1, ""), node(2, ""));
    let at_home = home(&lab, &prod);
    let words = ["top", "hosts", "-o", "csv", "--columns", "name,cpuPercent"];
    both(&at_home, &words).succeeds().stdout("context,name,cpuPercent\nprod,host-2,2.0\nlab,host-1,1.0\n");
    let (lab, prod) = (node(1, "/zwatch/metrics/meta-data!"), node(2, ""));
    let done = both(&home(&lab, &prod), &words).fails(3).stdout("context,name,cpuPercent\nprod,host-2,2.0\n");
    done.stderr("error: lab: out of order\n  code: SYS.1000 (failed)\n");
}
