//! What terminals of usual widths show.

use crate::harness::Home;
use crate::terminal::Terminal;

/// The screen once a command has ended well at a terminal of so many columns.
fn screen(home: &Home, columns: u16, words: &[&str]) -> String {
    let terminal = Terminal::run(home, columns, 50, env!("CARGO_BIN_EXE_zstack-cli"), words);
    let (screen, code) = terminal.ends();
    assert_eq!(code, Some(0), "{screen}");
    screen
}

#[test]
fn addresses_dates_and_names_of_apis_are_whole_or_not_there() {
    let home = Home::with_cloud();
    for columns in [80, 100, 120, 200] {
        let hosts = screen(&home, columns, &["--sandbox", "--no-pager", "QueryHost"]);
        assert!(hosts.contains(" memory") && hosts.contains("/128 GiB"), "{hosts}");
        let left_out = hosts.contains("left out: managementIp");
        assert!(left_out || hosts.contains("172.20.11.11  "), "{hosts}");
        assert!(!hosts.contains('…') && hosts.contains("Disconnected"), "{hosts}");
        let zones = screen(&home, columns, &["--sandbox", "--no-pager", "QueryZone"]);
        assert!(zones.contains("left out: createDate") || zones.contains("2025-01-06 09:00"), "{zones}");
        assert!(!zones.contains('…'), "{zones}");
    }
    let machines = screen(&home, 80, &["--sandbox", "--no-pager", "QueryVmInstance"]);
    assert!(machines.contains("172.20.11.10 +2") && machines.contains("10.0.3.13, 10.0.0.11"), "{machines}");
    // Where there is space the host is named.
    let machines = screen(&home, 120, &["--sandbox", "--no-pager", "QueryVmInstance"]);
    assert!(machines.contains(" host-1  cluster-1\n"), "{machines}");
}

#[test]
fn what_is_said_below_a_table_fits_and_counts_the_rows() {
    let home = Home::with_cloud();
    let hosts = screen(&home, 80, &["--sandbox", "--no-pager", "QueryHost"]);
    // No name is broken at the edge.
    let said =
        "\nevery row: hypervisor KVM, cpu 32, arch x86_64\n(6 rows)\ncolumns left out: managementIp, cluster.name (";
    assert!(hosts.contains(said), "{hosts}");
    // Sorted by name.
    let names: Vec<&str> =
        hosts.lines().skip(2).map_while(|line| line.split_once("  ")).map(|(name, _)| name).collect();
    assert_eq!(names, ["host-1", "host-2", "host-3", "host-4", "host-5", "host-6"], "{hosts}");
    let ordered = screen(&home, 80, &["--sandbox", "--no-pager", "QueryHost", "sortBy=name", "sortDirection=desc"]);
    assert!(ordered.find("host-6") < ordered.find("host-1"), "{ordered}");
    let one = screen(&home, 80, &["--sandbox", "--no-pager", "QueryHost", "limit=1"]);
    assert!(!one.contains("row)") && !one.contains("rows)"), "{one}");
    let quiet = screen(&home, 80, &["--sandbox", "--no-pager", "-q", "QueryHost"]);
    assert!(!quiet.contains("rows)"), "{quiet}");
    home.run(["--sandbox", "QueryHost", "-o", "table"]).succeeds().stderr("");
}

#[test]
fn without_utf_8_tables_are_drawn_in_ascii() {
    let home = Home::with_cloud();
    let words = ["--sandbox", "--no-pager", "QueryVolume"];
    let size = (80, 50);
    let terminal = Terminal::run_with(&home, size, env!("CARGO_BIN_EXE_zstack-cli"), &words, &[("LC_ALL", "C")]);
    let (volumes, _) = terminal.ends();
    assert!(volumes.is_ascii() && volumes.contains("-----  ----"), "{volumes}");
    let unicode = screen(&home, 80, &words);
    assert!(unicode.contains('─'), "{unicode}");
}

#[test]
fn a_narrow_list_of_jobs_says_what_how_and_when() {
    let home = Home::with_cloud();
    let uuid = home.run(["--sandbox", "QueryVmInstance", "name=web-1", "-o", "value", "--columns", "uuid"]).succeeds();
    let argument = format!("uuid={}", uuid.out().trim());
    home.run(["--sandbox", "StopVmInstance", &argument]).succeeds();
    home.run(["--sandbox", "DestroyVmInstance", &argument]).succeeds();
    let jobs = screen(&home, 80, &["job"]);
    for part in [
        "  succeeded  StopVmInstance     web-1     ",
        // Its reply has no name; the other job has.
        "  succeeded  DestroyVmInstance  web-1     ",
        " s\n",
        "left out: submitted, ended",
    ] {
        assert!(jobs.contains(part), "no {part:?} in\n{jobs}");
    }
    // Moments are for programs, ages are not.
    home.run(["job"]).succeeds().stdout_has("submitted").never_shows("age");
}

#[test]
fn a_single_machine_shows_what_matters_first() {
    let home = Home::with_cloud();
    let machine = home.run(["--sandbox", "QueryVmInstance", "name=db-1", "-o", "table"]).succeeds().out();
    let fields: Vec<&str> = machine.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(fields[..6], ["name", "uuid", "state", "ip", "cpuNum", "memorySize"], "{machine}");
    assert!(machine.contains("| 10.0.3.13, 10.0.0.11\n") && fields.contains(&"zoneUuid"), "{machine}");
}

#[test]
fn an_action_says_who_it_was_and_how_it_is() {
    let home = Home::with_cloud();
    // Never through a pager, however small the terminal.
    let words = ["--sandbox", "CreateZone", "name=lab"];
    let variables = [("PAGER", "echo paged; cat")];
    let terminal = Terminal::run_with(&home, (80, 5), env!("CARGO_BIN_EXE_zstack-cli"), &words, &variables);
    let (screen, code) = terminal.ends();
    let lines: Vec<&str> = screen.lines().collect();
    assert_eq!((code, lines.len(), lines.first().copied()), (Some(0), 4, Some("name  | lab")), "{screen}");
    assert!(lines[1].starts_with("uuid  | ") && lines[2] == "state | Enabled" && lines[3].ends_with(" s)"), "{screen}");
    home.run(["--sandbox", "CreateZone", "name=lab", "-o", "table"]).succeeds().stdout_has("createDate").stderr("");
}

#[test]
fn rows_of_zql_print_as_any_other() {
    let home = Home::with_cloud();
    let run = |statement: &str| home.run(["--sandbox", "zql", statement, "-o", "table"]);
    let machines = run("query vminstance where state='Running' limit 2").succeeds();
    let header: Vec<String> =
        machines.out().lines().next().unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    assert_eq!(header[..6], ["name", "uuid", "state", "ip", "cpuNum", "memorySize"]);
    run("query vminstance.name,uuid limit 2").succeeds().stdout_has("name").never_shows("cpuNum");
    run("query vminstanc")
        .fails(1)
        .stderr("error: there is no ZQL entity called vminstanc\n  hint: did you mean `vminstance`?\n");
    let offered = home.run(["complete", "--", "zql \"query vminst"]).succeeds();
    offered.stdout_has("vminstance\tvalue\t");
}
