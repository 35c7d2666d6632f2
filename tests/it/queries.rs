//! Queries show what was asked for and what is true, also where a node does neither.

use crate::harness::{Home, Run};
use crate::node::{Node, Recorded, Reply};

fn run(node: &Node, words: &[&str]) -> Run {
    Home::new().run_once(node.call(words)).variable("ZSTACK_SESSION_UUID", "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37")
}

/// The conditions and common parameters of a request, as text.
fn asked(request: &Recorded) -> String {
    request.query().iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn uuid(number: u32) -> String {
    format!("{number:032x}")
}

/// A node with zones of which the second is the default one. With `fields=` it adds a false value.
fn zones() -> Node {
    Node::start(|request| {
        let asked: Vec<(String, String)> = request.query();
        let fields = asked.iter().find(|(name, _)| name == "fields").map(|(_, names)| names.clone());
        let rows: Vec<String> = (1..=3)
            .map(|number| {
                let uuid = uuid(number);
                match &fields {
                    Some(names) if names.contains("isDefault") => String::new(),
                    Some(_) => format!(r#"{{"name":"z{number}","uuid":"{uuid}","isDefault":false}}"#),
                    None => {
                        let is_default = number == 2;
                        format!(r#"{{"uuid":"{uuid}","name":"z{number}","state":"Enabled","isDefault":{is_default}}}"#)
                    }
                }
            })
            .collect();
        if rows[0].is_empty() {
            return Reply::error("SYS.1000", "Unknown property 'isDefault'");
        }
        Reply::ok(format!(r#"{{"schema":{{}},"inventories":[{}]}}"#, rows.join(",")))
    })
}

#[test]
fn a_date_may_be_told_by_how_long_ago_it_was() {
    let node = zones();
    run(&node, &["QueryZone", "createDate>-7d", "limit=3"]).succeeds();
    let of_query = |node: &Node| {
        let query = node.requests().into_iter().find(|request| request.path().ends_with("/zones"));
        asked(&query.expect("the query was sent"))
    };
    let sent = of_query(&node);
    let date = sent.split("createDate>").nth(1).and_then(|rest| rest.split('&').next()).expect("a condition");
    assert!(date.len() == 19 && date.starts_with("20") && date.contains(' '), "{sent}");
    run(&node, &["QueryZone", "createDate>-7y"]).fails(1).stderr_has("createDate must be a date");
    // The node compares digits: its clock decides, and between these two are 26 hours.
    let sent_in = |zone: &'static str| {
        let node = Node::start(move |request| match request.path().ends_with("/platform-timezone") {
            true => Reply::ok(format!(r#"{{"timezone":"{zone}"}}"#)),
            false => Reply::ok(r#"{"inventories":[]}"#),
        });
        run(&node, &["QueryZone", "createDate>-7d"]).succeeds();
        of_query(&node)
    };
    assert!(sent_in("Pacific/Kiritimati") > sent_in("Etc/GMT+12"));
}

#[test]
fn only_what_was_asked_for_is_shown() {
    let node = zones();
    let one = uuid(1);
    for words in [&["fields=uuid"][..], &["fields=uuid", "limit=3"], &["fields=uuid,", "replyWithCount=true"]] {
        let words = [&["QueryZone"], words, &["-o", "json"]].concat();
        let done = run(&node, &words).succeeds().never_shows("isDefault").never_shows("z1");
        assert_eq!(done.json()["inventories"][0], serde_json::json!({ "uuid": one }), "{words:?}");
    }
    let done = run(&node, &["QueryZone", "fields=name,uuid", "-o", "csv"]).succeeds();
    assert!(done.out().starts_with(&format!("name,uuid\nz1,{one}\n")), "{}", done.out());
    // Nor does a filter or a column see what the node made up.
    run(&node, &["QueryZone", "fields=name", "--columns", "isDefault", "-o", "csv"]).done().never_shows("false");
    run(&node, &["QueryZone", "fields=name", "-o", "jsonl", "--jq", ".inventories[0].isDefault"])
        .succeeds()
        .stdout("null\n");
    // The members come in the order in which they were asked for.
    run(&node, &["QueryZone", "fields=name,uuid", "-o", "jsonl", "limit=3"])
        .succeeds()
        .stdout_has(&format!("{{\"name\":\"z1\",\"uuid\":\"{one}\"}}\n"));
}

#[test]
fn what_the_node_cannot_select_is_selected_here() {
    let node = zones();
    run(&node, &["QueryZone", "fields=name,isDefault", "-o", "jsonl"]).succeeds().stdout(
        "{\"isDefault\":false,\"name\":\"z1\"}\n{\"isDefault\":true,\"name\":\"z2\"}\n{\"isDefault\":false,\"name\":\"z3\"}\n",
    );
    assert!(!asked(&node.requests()[0]).contains("fields"), "{:?}", node.requests());
}

#[test]
fn what_the_node_cannot_sort_by_is_sorted_here() {
    let statuses = ["Warning", "Normal", "Error", "Normal", "Abnormal"];
    let rows: Vec<String> = (1..)
        .zip(statuses)
        .map(|(number, status)| format!(r#"{{"uuid":"{}","name":"h{number}","cpuStatus":"{status}"}}"#, uuid(number)))
        .collect();
    let node = Node::start(move |request| {
        let asked = asked(request);
        if asked.contains("cpuStatus") {
            return Reply::error("SYS.1000", "ORDER BY");
        }
        // Two pages, which follow each other by key.
        let page = if asked.contains(&format!("q=uuid>{}", uuid(3))) { &rows[3..] } else { &rows[..3] };
        Reply::ok(format!(r#"{{"inventories":[{}]}}"#, page.join(",")))
    });
    let names = |words: &[&str]| {
        let done = run(&node, &[&["QueryHost", "--page-size", "3", "-o", "value", "fields=name"], words].concat());
        done.succeeds().out().replace('\n', " ")
    };
    assert_eq!(names(&["sortBy=cpuStatus"]), "h5 h3 h2 h4 h1 ");
    assert_eq!(names(&["sortBy=cpuStatus", "sortDirection=desc"]), "h1 h2 h4 h3 h5 ");
    assert_eq!(names(&["sortBy=-cpuStatus", "start=1", "limit=2"]), "h2 h4 ");
    assert_eq!(names(&["sortBy=cpuStatus", "limit=0"]), "");
    assert_eq!(names(&["sortBy=cpuStatus", "start=9"]), "");
    for request in node.requests() {
        let asked = asked(&request);
        assert!(asked.contains("sort=+uuid") && asked.contains("limit=3"), "{asked}");
        assert!(!asked.contains("start=") && !asked.contains("fields="), "{asked}");
    }
}

#[test]
fn conditions_that_a_node_fails_on_are_refused_with_advice() {
    let node = Node::start(|_| Reply::ok(r#"{"inventories":[]}"#));
    run(&node, &["QueryL3Network", "ipRanges=x"]).fails(1).stderr(
        "error: ipRanges leads to IpRangeInventory and is no field by itself\n  hint: name one of their fields: `ipRanges.name=`\n",
    );
    for words in [
        &["QueryVolumeSnapshot", "group.name=x"][..],
        &["QueryKvmHypervisorInfo", "resource.uuid=x"],
        &["QueryApplianceVm", "virtualRouterOffering.name=x"],
        &["QueryVirtualRouterVm", "virtualRouterOffering.name=x"],
        &["QueryLocalStorageResourceRef", "__systemTag__=x"],
    ] {
        let field = words[1].split(['.', '=']).next().expect("a field");
        run(&node, words)
            .fails(1)
            .stderr_has(&format!("error: the node fails on every query by {field} of "))
            .stderr_has("\n  hint: --no-check sends it all the same\n");
        assert_eq!(node.requests().len(), 0);
    }
    run(&node, &["QueryVolumeSnapshot", "group.name=x", "--no-check"]).succeeds();
    run(&node, &["QueryL3Network", "ipRanges.name=x"]).succeeds();
    let sent: Vec<String> = node.requests().iter().map(asked).collect();
    assert!(sent[0].starts_with("q=group.name=x&") && sent[1].starts_with("q=ipRanges.name=x&"), "{sent:?}");

    let offered = |line: &str| Home::new().run_once(["complete", "--", line]).succeeds();
    offered("QueryL3Network ipRanges.").stdout_has("ipRanges.name=\tfield\t");
    offered("QueryL3Network ipR").stdout_has("ipRanges.\texpanded\t");
    offered("QueryVolumeSnapshot g").stdout_has("groupUuid=").never_shows("group.");
    offered("QueryLocalStorageResourceRef __").stdout_has("__userTag__").never_shows("__systemTag__");
    offered("QueryVolumeSnapshot __").stdout_has("__systemTag__");
}

#[test]
fn rows_without_a_value_are_counted_where_the_node_does_not() {
    let node = Node::start(|request| {
        let zql = request.query().into_iter().find(|(name, _)| name == "zql").map(|(_, text)| text).unwrap_or_default();
        Reply::ok(if zql.contains("is null") {
            r#"{"results":[{"total":4}]}"#
        } else {
            r#"{"results":[{"inventoryCounts":[[{"hostUuid":"h1","isDefault":false},2],[{"isDefault":false},0]],"total":2}]}"#
        })
    });
    let done = run(&node, &["QueryVmInstance", "groupBy=hostUuid", "state=Running", "-o", "json"]).succeeds();
    let expected = serde_json::json!([{"hostUuid": "h1", "count": 2}, {"hostUuid": null, "count": 4}]);
    assert_eq!(done.json()["inventories"], expected);
    run(&node, &["zql", "count vminstance where state = 'Running' or x > 1 group by hostUuid", "-o", "csv"])
        .succeeds()
        .stdout("hostUuid,count\nh1,2\n,4\n");
    let done = run(&node, &["zql", "count vminstance group by hostUuid limit 5", "-o", "json"]).succeeds();
    let expected = serde_json::json!([{"inventoryCounts": [[{"hostUuid": "h1"}, 2], [{}, 4]], "total": 6}]);
    assert_eq!(done.json()["results"], expected);
    let sent: Vec<String> = node.requests().iter().map(asked).collect();
    assert_eq!(
        sent,
        [
            "zql=count vminstance where (state = 'Running') group by hostUuid",
            "zql=count vminstance where (state = 'Running') and (hostUuid is null)",
            "zql=count vminstance where state = 'Running' or x > 1 group by hostUuid",
            "zql=count vminstance where (state = 'Running' or x > 1) and (hostUuid is null)",
            "zql=count vminstance group by hostUuid limit 5",
            "zql=count vminstance where (hostUuid is null)",
        ]
    );
}

#[test]
fn null_of_a_tag_means_that_there_is_none() {
    let node = Node::start(|_| Reply::ok(r#"{"inventories":[]}"#));
    for (condition, sent) in [
        ("__userTag__=null", "q=__userTag__!~=%&"),
        ("__systemTag__=null", "q=__systemTag__!~=%&"),
        ("__userTag__!=null", "q=__userTag__ not null&"),
        ("conditions=__systemTag__=null", "q=__systemTag__!~=%&"),
    ] {
        run(&node, &["QueryZone", condition]).succeeds();
        let asked = asked(node.requests().last().expect("a request"));
        assert!(asked.starts_with(sent), "{condition}: {asked}");
    }
}

#[test]
fn a_query_whose_answers_have_no_total_is_counted() {
    let node = Node::start(|request| {
        let asked = asked(request);
        let rows = |from: u32, to: u32| {
            let rows: Vec<String> = (from..=to).map(|number| format!(r#"{{"uuid":"{}"}}"#, uuid(number))).collect();
            format!(r#"{{"schema":{{}},"inventories":[{}]}}"#, rows.join(","))
        };
        Reply::ok(match asked.as_str() {
            asked if asked.contains("count=true") => r#"{"schema":{}}"#.to_owned(),
            asked if asked.contains("limit=1&") => rows(1, 1),
            asked if asked.contains("q=uuid>") => rows(3, 3),
            _ => rows(1, 2),
        })
    });
    let query = |words: &[&str]| {
        let words = [&["QueryNetworkServiceProvider", "name!=x", "--page-size", "2"], words].concat();
        run(&node, &words).succeeds()
    };
    query(&["count=true", "-o", "value"]).stdout("3\n");
    let sent: Vec<String> = node.requests().iter().map(asked).collect();
    assert_eq!(
        sent,
        [
            "q=name!=x&count=true".to_owned(),
            "q=name!=x&limit=2&sort=+uuid&fields=uuid".to_owned(),
            format!("q=name!=x&q=uuid>{}&limit=2&sort=+uuid&fields=uuid", uuid(2)),
        ]
    );
    assert_eq!(query(&["replyWithCount=true", "-o", "json"]).json()["total"], 3);
    let done = query(&["replyWithCount=true", "limit=1", "-o", "json"]);
    assert_eq!((&done.json()["total"], done.json()["inventories"].as_array().map(Vec::len)), (&3.into(), Some(1)));
}

#[test]
fn a_query_that_is_accepted_as_a_job_is_none_of_the_node() {
    let node = Node::start(|request| match request.path() {
        "/zstack/v1/zones" => {
            let job = "http://x/zstack/v1/api-jobs/0b5c1de0c6f54a1f9b7d0a4f3d1c2b61";
            Reply::Send(202, format!(r#"{{"location":"{job}"}}"#))
        }
        _ => Reply::ok("{}"),
    });
    for words in [&["QueryZone"][..], &["QueryZone", "limit=1"], &["QueryZone", "count=true"]] {
        run(&node, words).fails(3).stdout("").stderr_has("error: the node has no API QueryZone");
    }
    assert!(node.requests().iter().all(|request| !request.path().contains("api-jobs")), "{:?}", node.requests());
}

/// A node that answers each statement with what a real one did.
fn zql(reply: &'static str) -> Node {
    Node::start(move |_| Reply::ok(format!(r#"{{"results":[{reply}]}}"#)))
}

#[test]
fn members_that_a_statement_did_not_name_are_left_out() {
    let zones = r#"{"inventories":[{"name":"to","isDefault":false},{"name":"dup","isDefault":false}]}"#;
    for statement in ["query zone.name", "query distinct(zone.name)", "query zone group by name"] {
        let node = zql(zones);
        let done = run(&node, &["zql", statement, "-o", "json"]).succeeds();
        assert_eq!(done.json()["results"][0]["inventories"][1], serde_json::json!({"name": "dup"}), "{statement}");
        run(&node, &["zql", statement, "-o", "table"]).succeeds().stdout("name\n----\nto\ndup\n");
    }
    let done = run(&zql(zones), &["ZQLQuery", "zql=query zone.name", "-o", "json"]).succeeds();
    done.never_shows("isDefault");
    let done = run(&zql(zones), &["zql", "query zone", "-o", "json"]).succeeds();
    assert_eq!(done.json()["results"][0]["inventories"][0]["isDefault"], false);
}

#[test]
fn aggregates_are_tables() {
    for (statement, reply, table, csv) in [
        (
            "query max(vminstance.cpuNum)",
            r#"{"inventoryAggregateFunctions":[[{"cpuNum":4},4]]}"#,
            "cpuNum | 4\n",
            "cpuNum\n4\n",
        ),
        (
            "sum vminstance.memorySize,cpuNum by hostUuid",
            r#"{"inventories":[["h1",9663676416,5],["h2",1073741824,1]]}"#,
            "hostUuid  memorySize  cpuNum\n--------  ----------  ------\nh1             9 GiB       5\nh2             1 GiB       1\n",
            "hostUuid,memorySize,cpuNum\nh1,9663676416,5\nh2,1073741824,1\n",
        ),
        (
            "count vminstance group by hostUuid,state order by groupCount desc",
            r#"{"inventoryCounts":[[{"hostUuid":"h1","state":"Running"},2],[{"hostUuid":"h2","state":"Running"},1]],"total":3}"#,
            "hostUuid  state    count\n--------  -------  -----\nh1        Running      2\nh2        Running      1\n\ntotal | 3\n",
            "hostUuid,state,count\nh1,Running,2\nh2,Running,1\n",
        ),
        ("count zone", r#"{"total":8}"#, "total | 8\n", "total\n8\n"),
    ] {
        let node = zql(reply);
        run(&node, &["zql", statement, "-o", "table"]).succeeds().stdout(table);
        run(&node, &["zql", statement, "-o", "csv"]).succeeds().stdout(csv);
        let done = run(&node, &["zql", statement, "-o", "json"]).succeeds();
        let sent: serde_json::Value = serde_json::from_str(reply).expect("JSON");
        assert_eq!(done.json()["results"][0], sent, "{statement}");
    }
}

#[test]
fn several_statements_are_told_apart() {
    let node = zql(
        r#"{"inventories":[{"name":"a","isDefault":false},{"name":"b","isDefault":false}],"name":"mine"},{"total":8,"name":"all"}"#,
    );
    let statement = "query zone.name named as 'mine'; count zone named as 'all'";
    run(&node, &["zql", statement, "-o", "table"]).succeeds().stdout("mine:\nname\n----\na\nb\n\nall:\ntotal | 8\n");
    assert_eq!(asked(&node.requests()[0]), format!("zql={statement}"));
    let node = zql(r#"{"inventories":[{"name":"a"},{"name":"b"}]},{"total":8}"#);
    run(&node, &["zql", "query l3network.name; count zone", "-o", "table"])
        .succeeds()
        .stdout("l3network:\nname\n----\na\nb\n\nzone:\ntotal | 8\n");
    let done = run(&node, &["zql", "query l3network.name; count zone", "-o", "json"]).succeeds();
    assert_eq!(done.json()["results"][1], serde_json::json!({"total": 8}));
}

#[test]
fn metrics_beside_rows_are_tables() {
    let node = zql(
        r#"{"inventories":[{"name":"a"},{"name":"b"}],"total":2,"returnWith":{"zwatch":[{"value":12.5,"time":1763730000,"labels":{"VMUuid":"1f6d","CPUNum":"0"}}]}}"#,
    );
    let statement = "query vminstance.name return with (total, zwatch{metricName='CPUUsedUtilization',period=10})";
    run(&node, &["zql", statement, "-o", "table"]).succeeds().stdout(
        "name\n----\na\nb\n\nzwatch:\nvalue  | 12.5\ntime   | 1763730000\nlabels | VMUuid=1f6d, CPUNum=0\n\ntotal | 2\n",
    );
    let done = run(&node, &["zql", statement, "-o", "json"]).succeeds();
    assert_eq!(done.json()["results"][0]["returnWith"]["zwatch"][0]["labels"]["CPUNum"], "0");
}

#[test]
fn statements_of_every_kind_are_sent_as_they_are() {
    let node = zql(r#"{"inventories":[]}"#);
    for statement in [
        "query distinct vminstance.state where cpuNum > 1",
        "query vminstance with distinct(name)",
        "query vminstance restrict by (zone.uuid = 'x', __systemTag__ = 'y') limit 1",
        "query vminstance where __systemTag__ has ('ha','inhibitHA') and __systemTag__ nothas ('x')",
        "query vminstance where uuid in (query volume.vmInstanceUuid where type='Root') filter by x:y",
        "search 'x' from zone, vminstance",
        "getapi uuid='x'",
        "query zone named as 'a;b'; query host",
    ] {
        run(&node, &["zql", statement]).succeeds();
        assert_eq!(asked(node.requests().last().expect("a request")), format!("zql={statement}"));
    }
    run(&node, &["zql", "query zone; count vminstanc"]).fails(1).stderr_has("hint: did you mean `vminstance`?");
    run(&node, &["zql", "query max(vminstanc.cpuNum)"]).fails(1).stderr_has("hint: did you mean `vminstance`?");
}
