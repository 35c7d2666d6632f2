//! `sql`: answers are those of the rows, and the node is asked for what it can answer.

use rusqlite::Connection;
use rusqlite::types::Value as SqlValue;
use serde_json::Value;

use crate::harness::{Done, Home, Run};
use crate::node::{Node, Recorded, Reply};
use crate::terminal::{CTRL_C, Terminal};

fn run(node: &Node, words: &[&str]) -> Run {
    Home::new().run_once(node.call(words)).variable("ZSTACK_SESSION_UUID", "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37")
}

/// The rows of a reply.
fn rows(done: &Done) -> Vec<Value> {
    done.json()["inventories"].as_array().expect("rows").clone()
}

/// A database with the rows of some queries, which the program had no part in arranging.
fn database(home: &Home, tables: &[(&str, &str)]) -> Connection {
    let database = Connection::open_in_memory().expect("a database");
    for (table, query) in tables {
        let rows = rows(&home.run(["--sandbox", query]).succeeds());
        let mut names: Vec<String> = Vec::new();
        for name in rows.iter().flat_map(|row| row.as_object().expect("a row").keys()) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        let list = names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        database.execute(&format!("create table {table} ({list})"), []).expect("a table");
        let places = vec!["?"; names.len()].join(", ");
        let mut insert = database.prepare(&format!("insert into {table} values ({places})")).expect("a statement");
        for row in &rows {
            insert.execute(rusqlite::params_from_iter(names.iter().map(|name| value(&row[name])))).expect("a row");
        }
    }
    database
}

fn value(value: &Value) -> SqlValue {
    match value {
        Value::Null => SqlValue::Null,
        Value::Bool(truth) => SqlValue::Integer(i64::from(*truth)),
        Value::Number(number) => {
            let whole = number.as_f64().filter(|number| number.fract() == 0.0).map(|number| number as i64);
            whole.map_or(SqlValue::Real(number.as_f64().expect("a number")), SqlValue::Integer)
        }
        Value::String(text) => SqlValue::Text(date(text).unwrap_or_else(|| text.clone())),
        nested => SqlValue::Text(nested.to_string()),
    }
}

/// `Jan 6, 2025 9:00:00 AM` as `2025-01-06 09:00:00`.
fn date(text: &str) -> Option<String> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let words: Vec<&str> = text.split_whitespace().collect();
    let [month, day, year, time, half] = words[..] else { return None };
    let month = MONTHS.iter().position(|known| *known == month)? + 1;
    let day: u32 = day.strip_suffix(',')?.parse().ok()?;
    let (hour, rest) = time.split_once(':')?;
    let hour = hour.parse::<u32>().ok()? % 12 + if half == "PM" { 12 } else { 0 };
    Some(format!("{year}-{month:02}-{day:02} {hour:02}:{rest}"))
}

#[test]
fn answers_are_those_of_sqlite_over_the_same_rows() {
    let home = Home::with_cloud();
    let tables = [
        ("vminstance", "QueryVmInstance"),
        ("host", "QueryHost"),
        ("volume", "QueryVolume"),
        ("vmnic", "QueryVmNic"),
        ("cluster", "QueryCluster"),
        ("zone", "QueryZone"),
        ("image", "QueryImage"),
    ];
    let database = database(&home, &tables);
    for statement in [
        "select h.name, count(*) vms, sum(v.memorySize) memory from vminstance v join host h on h.uuid = v.hostUuid \
         where v.state = 'Running' group by 1 order by 3 desc, 1",
        "select name, createDate from vminstance where createDate > '2025-02-01' order by createDate desc, name limit 7",
        "select name, state from vminstance order by cpuNum desc, uuid limit 5",
        "select name from vminstance order by createDate limit 4 offset 3",
        "select count(*) n from vminstance",
        "select count(*) n, count(hostUuid) h, min(createDate) a, max(lastOpDate) b from vminstance",
        "select name from vminstance where name like 'WEB%' or memorySize >= 17179869184 order by name",
        "select name from vminstance where name = 'web-1' or uuid like '1%' order by uuid",
        "select name from vminstance where name in ('web-1', 'Web-2', 'db-3', 'it''s') order by 1",
        "select name from vminstance where not name like 'web%' and hostUuid is not null order by 1",
        "select name from vminstance where hostUuid is null order by 1",
        "select name from vminstance where state != 'Running' and cpuNum between 1 and 2.5 order by 1",
        "select name from vminstance where name > 'db' and name <= 'web-2' order by name desc",
        "select h.name, (select count(*) from vminstance v where v.hostUuid = h.uuid) n from host h order by 1",
        "select h.name, count(v.uuid) n from host h left join vminstance v on v.hostUuid = h.uuid group by h.uuid order by 1",
        "with x as (select hostUuid, count(*) n from vminstance group by 1) \
         select x.n, h.name from x left join host h on h.uuid = x.hostUuid order by 1, 2",
        "select v.name, n.ip, h.name host, c.name cluster, z.name zone from vmnic n join vminstance v on v.uuid = n.vmInstanceUuid \
         left join host h on h.uuid = v.hostUuid join cluster c on c.uuid = v.clusterUuid join zone z on z.uuid = c.zoneUuid \
         order by n.ip, v.name",
        "select v.name from vminstance v where exists (select 1 from volume d where d.vmInstanceUuid = v.uuid and d.type = 'Data') \
         order by 1",
        "select v.name from vminstance v where v.imageUuid in (select uuid from image where name like '%e%') order by v.uuid",
        "select a.name a, b.name b from vminstance a join vminstance b on a.hostUuid = b.hostUuid and a.uuid < b.uuid \
         and a.createDate > b.createDate order by 1, 2",
        "select count(*) n from zone z, host h, cluster c where h.availableMemoryCapacity > c.uuid or 1",
        "select v.name, d.size from volume d join vminstance v on v.rootVolumeUuid = d.uuid where d.size > 1e10 order by 1",
        "select json_array_length(vmNics) n, count(*) m from vminstance group by 1 order by 1",
        "select v.name, json_extract(n.value, '$.ip') ip from vminstance v, json_each(v.vmNics) n order by 2, 1",
        "select isDefault, name from zone where isDefault = 1 or isDefault = false order by 2",
        "select state, count(*) n from vminstance group by state having n > 1 union all select 'hosts', count(*) from host order by 1",
        "select name from vminstance where cpuNum = 1 and memorySize * 2 > cpuNum order by 1 limit 3",
        "select distinct hypervisorType from host",
    ] {
        let ours = rows(&home.run(["--sandbox", "sql", statement]).succeeds());
        let mut prepared = database.prepare(statement).unwrap_or_else(|error| panic!("{error}: {statement}"));
        let names: Vec<String> = prepared.column_names().map(str::to_owned).collect();
        let mut found = prepared.query([]).expect("rows");
        let mut theirs = Vec::new();
        while let Some(row) = found.next().expect("a row") {
            theirs.push((0..names.len()).map(|at| row.get::<_, SqlValue>(at).expect("a value")).collect::<Vec<_>>());
        }
        let ours: Vec<Vec<SqlValue>> =
            ours.iter().map(|row| names.iter().map(|name| value(&row[name])).collect()).collect();
        assert_eq!(ours, theirs, "{statement}");
        assert!(!ours.is_empty(), "{statement}");
    }
}

fn uuid(number: usize) -> String {
    format!("{number:032x}")
}

/// A cloud of 2,500 VMs on 40 hosts, whose node knows `uuid>`, lists of uuids, `limit` and `count`.
fn cloud() -> Node {
    Node::start(|request| {
        let vm = |number: usize| {
            let (uuid, host) = (uuid(number), uuid(number % 40));
            format!(r#"{{"uuid":"{uuid}","name":"vm-{number}","hostUuid":"{host}","state":"Running","memorySize":1}}"#)
        };
        let host = |number: usize| format!(r#"{{"uuid":"{}","name":"host-{number}"}}"#, uuid(number));
        let rows: Vec<String> = match request.path() {
            "/zstack/v1/vm-instances" => (0..2500).map(vm).collect(),
            "/zstack/v1/hosts" => (0..40).map(host).collect(),
            _ => return Reply::error("SYS.1000", "what?"),
        };
        let query = request.query();
        let asked = |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let condition = |start: &str| query.iter().find_map(|(_, value)| value.strip_prefix(start).map(str::to_owned));
        let after = condition("uuid>");
        let listed = condition("uuid?=").or(condition("uuid="));
        let limit = asked("limit").and_then(|limit| limit.parse().ok()).unwrap_or(1000);
        let is_asked = |row: &&String| {
            let uuid = &row[9..41];
            after.as_deref().is_none_or(|after| uuid > after)
                && listed.as_deref().is_none_or(|list| list.split(',').any(|one| one == uuid))
        };
        let found: Vec<String> = rows.iter().filter(is_asked).cloned().collect();
        match asked("count") {
            Some(_) => Reply::ok(format!(r#"{{"total":{}}}"#, found.len())),
            None => Reply::ok(format!(r#"{{"inventories":[{}]}}"#, found[..found.len().min(limit)].join(","))),
        }
    })
}

/// The decoded queries of the requests for a path.
fn asked(node: &Node, path: &str) -> Vec<String> {
    let pairs = |request: &Recorded| {
        request.query().iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    };
    node.requests().iter().filter(|request| request.path() == format!("/zstack/v1/{path}")).map(pairs).collect()
}

#[test]
fn a_join_fetches_the_inner_rows_by_lists() {
    let node = cloud();
    let statement =
        "select v.name, h.name host from vminstance v join host h on h.uuid = v.hostUuid where v.state = 'Running'";
    let done = run(&node, &["sql", statement, "-o", "csv"]).succeeds();
    let lines: Vec<String> = done.out().lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 2501);
    assert_eq!((&*lines[0], &*lines[1], &*lines[2500]), ("name,host", "vm-0,host-0", "vm-2499,host-19"));
    let vms = asked(&node, "vm-instances");
    assert_eq!(vms.len(), 3, "{vms:?}");
    assert_eq!(vms[0], "q=state=Running&limit=1000&sort=+uuid&fields=uuid,name,hostUuid,state");
    let hosts = asked(&node, "hosts");
    assert_eq!(hosts.len(), 1, "{hosts:?}");
    assert!(hosts[0].starts_with("q=uuid?=") && hosts[0].ends_with("&fields=uuid,name"), "{hosts:?}");
}

#[test]
fn the_requests_are_shown_as_curl_commands() {
    let node = cloud();
    let statement = "select v.name, h.name host from vminstance v join host h on h.uuid = v.hostUuid limit 1";
    let done = run(&node, &["-c", "sql", statement, "-o", "csv"]).succeeds().stdout("name,host\nvm-0,host-0\n");
    let shown = done.err();
    assert_eq!((shown.matches("curl -sS ").count(), shown.lines().count()), (2, 2), "without further pages: {shown}");
    done.stderr_has("/zstack/v1/hosts?q=uuid%3F%3D").never_shows("5d0c8a4f");
    run(&node, &["-c", "inspect", "host-disconnected", "-o", "csv"])
        .succeeds()
        .stderr_has("/zstack/v1/hosts?q=status%3D");
}

#[test]
fn a_terminal_shows_what_was_read_and_ctrl_c_ends_it() {
    let node = Node::start(|request| {
        if request.query().iter().any(|(_, value)| value.starts_with("uuid>")) {
            std::thread::sleep(std::time::Duration::from_secs(3600));
        }
        Reply::ok(format!(r#"{{"inventories":[{{"uuid":"{}","name":"a"}}]}}"#, uuid(1)))
    });
    let words = node.call(&["sql", "select count(distinct name) from vminstance", "--page-size", "1"]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let variables = [("ZSTACK_SESSION_UUID", "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37")];
    let program = env!("CARGO_BIN_EXE_zstack-cli");
    let terminal = Terminal::run_with(&Home::new(), (80, 24), program, &words, &variables);
    terminal.sees("rows read: 1 (Ctrl-C ends it)");
    terminal.keys(CTRL_C);
    let (screen, code) = terminal.ends();
    assert_eq!((screen.trim(), code), ("error: interrupted", Some(130)), "the line is cleared");
}

#[test]
fn a_terminal_shows_values_as_in_other_tables() {
    let home = Home::with_cloud();
    let program = env!("CARGO_BIN_EXE_zstack-cli");
    let table = |statement: &str| {
        let words = ["--sandbox", "--no-pager", "--color", "never", "sql", statement];
        Terminal::run(&home, 80, 24, program, &words).ends().0
    };
    let shown = table(
        "select name, memorySize, createDate, state, uuid, hostUuid from vminstance where name = 'web-1' or name = 'db-1'",
    );
    // Columns that were asked for are never left out.
    assert!(shown.starts_with("name   memorySize  createDate        state    uuid  "), "{shown}");
    assert!(shown.contains("4 GiB  2025-"), "{shown}");
    let shown = table("select * from vminstance limit 2");
    assert!(shown.contains("columns left out: "), "{shown}");
    assert!(table("select name from vminstance where name = 'x'").trim().ends_with("no rows"));
}

#[test]
fn columns_of_one_name_are_told_apart() {
    let node = cloud();
    let statement =
        "select v.name, h.name, upper(v.name) name from vminstance v join host h on h.uuid = v.hostUuid limit 1";
    run(&node, &["sql", statement, "-o", "csv"]).succeeds().stdout("name,h_name,name_2\nvm-0,host-0,VM-0\n");
}

#[test]
fn a_limit_stops_fetching() {
    let node = cloud();
    run(&node, &["sql", "select name from vminstance limit 5", "-o", "value"])
        .succeeds()
        .stdout("vm-0\nvm-1\nvm-2\nvm-3\nvm-4\n");
    assert_eq!(asked(&node, "vm-instances"), ["limit=5&fields=uuid,name"]);

    // What the node finds and SQLite leaves out is made up for.
    let node = cloud();
    run(
        &node,
        &["sql", "select count(*) from (select name from vminstance where name = 'vm-7' limit 5)", "-o", "value"],
    )
    .succeeds()
    .stdout("1\n");
    let vms = asked(&node, "vm-instances");
    assert_eq!(vms[0], "q=name=vm-7&limit=5&fields=uuid,name");
    assert!(vms[1].starts_with("q=name=vm-7&limit=1000&sort=+uuid&fields=uuid,name"), "{vms:?}");
}

#[test]
fn explain_shows_the_requests_and_sends_none() {
    let node = cloud();
    let statement = "explain select h.name, count(*) from vminstance v join host h on h.uuid = v.hostUuid group by 1";
    let expected = "\
step,request,sent
read v,\"GET /v1/vm-instances?limit=1000&sort=+uuid&fields=uuid,hostUuid\",page by page
look up h by uuid,\"GET /v1/hosts?q=uuid?=...&limit=1000&sort=+uuid&fields=uuid,name\",for lists of values from the other rows
use temp b-tree for group by,,
";
    run(&node, &["sql", statement, "-o", "csv"]).succeeds().stdout(expected);
    run(&node, &["sql", &statement[8..], "-o", "csv", "--dry-run"]).succeeds().stdout(expected);
    assert_eq!(node.requests().len(), 0);
}

#[test]
fn nothing_is_changed_and_errors_point_at_the_place() {
    let node = cloud();
    for (statement, told) in [
        ("delete from host", "only SELECT is possible, and WITH before it: nothing is changed, at character 1\n"),
        ("attach 'x' as y", "only SELECT is possible"),
        ("pragma user_version", "only SELECT is possible"),
        ("select * from pragma_database_list", "there is no table pragma_database_list, at character 15\n"),
        ("select load_extension('x')", "error: not authorized to use function: load_extension, at character 8\n"),
        ("with x as (select 1) delete from host", "table host may not be modified\n"),
        ("select 1; select 2", "only one statement is possible, at character 11\n"),
        ("select \"x\" from host", "no such column: \"x\""),
        (
            "select v.nme from vminstance v",
            "  select v.nme from vminstance v\n         ^^^^^\n  hint: did you mean `name`?\n",
        ),
        ("select 1 from hots", "  select 1 from hots\n                ^^^^\n  hint: did you mean `host`?\n"),
        ("select 1 from vm", "hint: did you mean `vminstance`?"),
        ("select from host", "near \"from\": syntax error, at character 8\n"),
        (
            "select name from vminstance where state = 'running'",
            "state: running is not allowed\n  hint: did you mean `Running`?\n",
        ),
        ("select ago('x')", "ago('x') is no time"),
        ("", "a SELECT is missing"),
    ] {
        run(&node, &["sql", statement]).fails(1).stdout("").stderr_has(told);
    }
    assert_eq!(node.requests().len(), 0);
}

#[test]
fn what_the_node_answers_is_told() {
    let node = Node::start(|request| match request.path() {
        "/zstack/v1/management-nodes/actions" => Reply::ok(r#"{"supportApis":[],"version":"4.8.0"}"#),
        _ => Reply::error("SYS.1000", "the database is gone"),
    });
    run(&node, &["sql", "select name from zone"]).fails(3).stdout("").stderr_has("the database is gone");
    let node = Node::start(|_| Reply::Cut);
    run(&node, &["sql", "select name from zone"]).fails(4).stdout("");
}

#[test]
fn statements_keep_their_quotes_at_the_prompt() {
    let home = Home::with_cloud();
    let lines = "sql select name from zone where name = 'it''s' or name > 'a' limit 1 -o csv\nsql \"select 'a' || 1 x\" -o csv\n";
    home.run(["--sandbox"]).input(lines).succeeds().stdout("name\nzone-1\nx\na1\n");
}
