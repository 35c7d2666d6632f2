//! `metrics`, `top` and `events`: what is asked of a node, and what is made of its answers.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::harness::{Home, Run};
use crate::node::{Node, Recorded, Reply};
use crate::served::Served;
use crate::terminal::Terminal;

const SESSION: &str = "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37";
const ONE: &str = "0a000000000000000000000000000001";
const TWO: &str = "0a000000000000000000000000000002";

/// What a node has for two hosts.
fn hosts(request: &Recorded) -> Reply {
    let query = request.query();
    let of = |name: &str| query.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str());
    let point = |uuid: &str, cpu: &str, time: i64, value: f64| {
        format!(r#"{{"value":{value},"time":{time},"labels":{{"HostUuid":"{uuid}"{cpu}}}}}"#)
    };
    match request.path().strip_prefix("/zstack/v1") {
        Some("/hosts") => Reply::ok(format!(
            r#"{{"inventories":[{{"uuid":"{ONE}","name":"host-1"}},{{"uuid":"{TWO}","name":"host-2"}}]}}"#
        )),
        Some("/zwatch/metrics/meta-data") => {
            let metric = |name: &str, labels: &str| {
                format!(r#"{{"namespace":"ZStack/Host","name":"{name}","labelNames":["HostUuid"{labels}]}}"#)
            };
            let metrics = [
                metric("CPUUsedUtilization", r#","CPUNum""#),
                metric("MemoryUsedInPercent", ""),
                metric("DiskAllReadBytes", ""),
                r#"{"namespace":"ZStack/VM","name":"CPUUsedUtilization","labelNames":["VMUuid"]}"#.to_owned(),
            ];
            Reply::ok(format!(r#"{{"metrics":[{}]}}"#, metrics.join(",")))
        }
        Some("/zwatch/metrics") => {
            let points = match of("metricName") {
                "CPUUsedUtilization" => vec![
                    point(ONE, r#","CPUNum":"0""#, 1_741_075_200, 10.0),
                    point(ONE, r#","CPUNum":"0""#, 1_741_076_400, 20.0),
                    point(ONE, r#","CPUNum":"1""#, 1_741_076_400, 40.0),
                    point(TWO, r#","CPUNum":"0""#, 1_741_076_400, 90.5),
                ],
                // In milliseconds, and not in order.
                "DiskAllReadBytes" => {
                    vec![point(ONE, "", 1_741_076_400_000, 2048.4), point(ONE, "", 1_741_075_200_000, 1024.0)]
                }
                _ => Vec::new(),
            };
            let wanted = of("labels").strip_prefix("HostUuid=").map(str::to_owned);
            let fits = |point: &String| wanted.as_ref().is_none_or(|uuid| point.contains(uuid.as_str()));
            let points: Vec<String> = points.into_iter().filter(fits).collect();
            Reply::ok(format!(r#"{{"data":[{}]}}"#, points.join(",")))
        }
        _ => Reply::Send(404, String::new()),
    }
}

fn run(node: &Node, words: &[&str]) -> Run {
    Home::new().run_once(node.call(words)).variable("ZSTACK_SESSION_UUID", SESSION)
}

fn metric_requests(node: &Node) -> Vec<Vec<(String, String)>> {
    let is_metric = |request: &Recorded| request.path().ends_with("/zwatch/metrics");
    node.calls().iter().filter(|request| is_metric(request)).map(Recorded::query).collect()
}

#[test]
fn a_metric_has_a_course_and_its_extremes() {
    let node = Node::start(hosts);
    let words = ["metrics", "host", "host-1", "cpuusedutilization", "DiskAllReadBytes", "-o", "table"];
    run(&node, &words).succeeds().stdout(
        "metric              labels    course                 minimum  average  maximum\n\
         ------------------  --------  ---------------------  -------  -------  -------\n\
         CPUUsedUtilization  CPUNum=0  =                   #   10.0 %   15.0 %   20.0 %\n\
         CPUUsedUtilization  CPUNum=1                      #   40.0 %   40.0 %   40.0 %\n\
         DiskAllReadBytes              -                   #    1 KiB  1.5 KiB    2 KiB\n",
    );
    let asked = metric_requests(&node);
    assert_eq!(asked.len(), 2, "one request a metric: {asked:?}");
    let has = |name: &str, value: &str| asked[0].contains(&(name.to_owned(), value.to_owned()));
    assert!(has("labels", &format!("HostUuid={ONE}")) && has("namespace", "ZStack/Host"), "{asked:?}");
    assert!(has("metricName", "CPUUsedUtilization") && has("offsetAheadOfCurrentTime", "3600"), "{asked:?}");
    let rows = run(&node, &["metrics", "hosts", ONE, "DiskAllReadBytes", "--since", "-2d"]).succeeds().json();
    let row = &rows["inventories"][0];
    assert_eq!((&row["minimum"], &row["last"]), (&1024.into(), &2048.4.into()));
    assert_eq!(row["points"][1], serde_json::json!({"time": 1_741_076_400, "value": 2048.4}));
    let asked = metric_requests(&node).pop().expect("a request");
    assert!(asked.contains(&("offsetAheadOfCurrentTime".to_owned(), "172800".to_owned())), "{asked:?}");
}

#[test]
fn metrics_that_are_not_there_are_said() {
    let node = Node::start(hosts);
    run(&node, &["metrics", "host", "-o", "value"])
        .succeeds()
        .stdout("CPUUsedUtilization\nDiskAllReadBytes\nMemoryUsedInPercent\n");
    run(&node, &["metrics", "host", "host-1", "CPUUsedUtilisation"])
        .fails(1)
        .stderr("error: there is no metric called CPUUsedUtilisation\n  hint: did you mean `CPUUsedUtilization`?\n");
    run(&node, &["metrics", "host", "host-1", "MemoryUsedInPercent", "-o", "csv"])
        .succeeds()
        .stderr("MemoryUsedInPercent of host-1: nothing was measured in the last 1h\n");
    run(&node, &["metrics", "zone"])
        .succeeds()
        .stderr("the node has no metrics of zone; it has those of ZStack/Host, ZStack/VM\n");
    run(&node, &["metrics", "host", "host-1", "CPUUsedUtilization", "--since", "soon"])
        .fails(2)
        .stderr_has("a time such as 30m, 12h, 7d or 2w is expected");
}

#[test]
fn top_asks_once_for_each_column_and_shows_the_busiest_first() {
    let node = Node::start(hosts);
    run(&node, &["top", "hosts", "-o", "csv"]).succeeds().stdout(&format!(
        "name,cpuPercent,memoryPercent,diskReadBytes,diskWriteBytes,networkInBytes,networkOutBytes,uuid\n\
         host-2,90.5,,,,,,{TWO}\nhost-1,30.0,,2048,,,,{ONE}\n"
    ));
    let asked = metric_requests(&node);
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert!(asked.iter().flatten().all(|(name, _)| name != "labels"), "{asked:?}");
    assert_eq!(node.calls().len(), 5, "the metrics, and one query for the names: {:?}", node.calls());
    run(&node, &["top", "hosts", "-o", "value", "--sort-by", "-diskReadBytes"]).succeeds().stdout("host-1\nhost-2\n");
    run(&node, &["top", "zones"]).fails(1).stderr_has("it is not one of hosts, vms");
}

#[test]
fn top_on_a_terminal_goes_on_until_q() {
    let home = Home::with_cloud();
    let terminal = Terminal::run(&home, 80, 24, env!("CARGO_BIN_EXE_zstack-cli"), &["--sandbox", "top", "vms"]);
    let screen = terminal.sees("web-1 ");
    assert!(screen.contains("top vms  every 5s") && screen.contains("netOut"), "{screen}");
    terminal.shows_other_screen(true);
    terminal.keys("q");
    terminal.shows_other_screen(false);
    assert_eq!(terminal.ends().1, Some(0));
}

/// What happened on a node; more with each look.
fn happenings(request: &Recorded, look: usize) -> Reply {
    let event = |second: u32| {
        format!(
            r#"{{"time":17410752{second}000,"name":"HostStatusChanged","namespace":"ZStack/Host","resourceId":"{ONE}","emergencyLevel":"Emergent","labels":{{"NewStatus":"Disconnected"}}}}"#
        )
    };
    match request.path().strip_prefix("/zstack/v1") {
        Some("/hosts") => Reply::ok(format!(r#"{{"inventories":[{{"uuid":"{ONE}","name":"host-1"}}]}}"#)),
        Some("/zwatch/events") if look == 0 => Reply::ok(format!(r#"{{"events":[{}]}}"#, event(30))),
        Some("/zwatch/events") => Reply::ok(format!(r#"{{"events":[{},{}]}}"#, event(50), event(30))),
        Some("/zwatch/alarm-histories") => Reply::ok(
            r#"{"histories":[{"time":1.74107521E12,"alarmName":"CPU high","alarmStatus":"OK","emergencyLevel":"Important","metricName":"CPUUsedUtilization","metricValue":12.0,"threshold":80.0,"comparisonOperator":"GreaterThan"}]}"#,
        ),
        Some("/zwatch/audits") => Reply::ok(
            r#"{"audits":[{"time":1741075240000,"apiName":"org.zstack.header.identity.APICreateAccountMsg","operator":"admin","requestDump":"{\"password\":\"hunter2\"}","success":false,"error":"{\"details\":\"no quota\"}"}]}"#,
        ),
        _ => Reply::Send(404, String::new()),
    }
}

#[test]
fn events_alarms_and_audits_are_one_stream() {
    let node = Node::start(|request| happenings(request, 0));
    run(&node, &["events", "--since", "520w", "-o", "table"]).succeeds().never_shows("hunter2").stdout(
        "time                  type   status    name               resource  details\n\
         --------------------  -----  --------  -----------------  --------  --------------------------\n\
         2025-03-04T08:00:10Z  alarm  OK        CPU high                     CPUUsedUtilization 12 > 80\n\
         2025-03-04T08:00:30Z  event  Emergent  HostStatusChanged  host-1    NewStatus=Disconnected\n\
         2025-03-04T08:00:40Z  audit  Failed    CreateAccount                by admin; no quota\n",
    );
    let start = |path: &str| {
        let calls = node.calls();
        let call = calls.iter().find(|call| call.path().ends_with(path)).expect("a call");
        let start = call.query().into_iter().find(|(name, _)| name == "startTime").expect("a start");
        start.1.len()
    };
    // Milliseconds, and seconds.
    assert_eq!((start("/events"), start("/alarm-histories"), start("/audits")), (13, 10, 13));
    let coloured = run(&node, &["events", "--since", "520w", "-o", "table", "--color", "always"]).succeeds().out();
    assert!(
        coloured.contains("\u{1b}[38;5;160mEmergent") && coloured.contains("\u{1b}[38;5;160mFailed"),
        "{coloured:?}"
    );
    let rows = run(&node, &["events", "--since", "520w"]).succeeds().never_shows("hunter2").json();
    assert_eq!(
        (&rows["inventories"][0]["emergencyLevel"], &rows["inventories"][0]["status"]),
        (&"Important".into(), &"OK".into())
    );
    // A node that takes the start for something else sends what is older, which is left out.
    run(&node, &["events", "-o", "csv", "--no-header"]).succeeds().stdout("");
}

#[test]
fn what_was_done_on_the_sandbox_is_among_them() {
    let home = Home::with_cloud();
    home.run(["--sandbox", "CreateAccount", "name=staff", "password=hunter2"]).succeeds();
    let table = home.run(["--sandbox", "events", "-o", "table"]).succeeds().never_shows("hunter2").out();
    // A new sandbox has something to show.
    assert!(table.contains("HostStatusChanged") && table.contains("Host disconnected"), "{table}");
    let audit = table.lines().last().expect("an audit");
    let words: Vec<&str> = audit.split_whitespace().skip(1).collect();
    assert_eq!(words, ["audit", "Succeeded", "CreateAccount", "staff", "by", "admin", "from", "127.0.0.1"]);
    home.run(["--sandbox", "GetAuditData"]).succeeds().never_shows("hunter2");
}

#[test]
fn what_a_node_does_not_offer_is_left_out_and_said() {
    let node = Node::start(|request| match request.path().ends_with("/audits") {
        true => Reply::error("SYS.1000", "operation denied"),
        false => happenings(request, 0),
    });
    run(&node, &["events", "--since", "520w", "-o", "value", "--columns", "name"])
        .succeeds()
        .stdout("CPU high\nHostStatusChanged\n")
        .stderr("warning: audits are left out: operation denied\n");
    let node = Node::start(|_| Reply::error("SYS.1000", "operation denied"));
    run(&node, &["events"]).fails(3).stderr_has("operation denied");
    let (open, home) = (Served::start(&["--edition", "open"]), Home::new());
    open.log_in(&home);
    for words in [&["events"][..], &["top", "hosts"], &["metrics", "vm"]] {
        open.run(&home, words).fails(3).stderr_has("error: the node (ZStack 5.2.1) has no API Get");
    }
}

#[test]
fn following_prints_what_is_new_once() {
    static LOOKS: AtomicUsize = AtomicUsize::new(0);
    let node = Node::start(|request| {
        // The third of the calls of a look.
        let look = LOOKS.fetch_add(usize::from(request.path().ends_with("/audits")), Ordering::SeqCst);
        // Whoever followed long enough is sent away.
        if look > 3 { Reply::error("SYS.1000", "enough") } else { happenings(request, look) }
    });
    let done = run(&node, &["events", "--since", "520w", "--watch=0.1", "--jq", ".inventories[].time", "-r"]).fails(3);
    done.stdout("2025-03-04T08:00:10Z\n2025-03-04T08:00:30Z\n2025-03-04T08:00:40Z\n2025-03-04T08:00:50Z\n");
}
