//! The prompt on a terminal: what only keys and a screen show.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};

use crate::harness::Home;
use crate::node::{Node, Recorded, Reply};
use crate::terminal::{
    ALT_DOT, ALT_F, CTRL_C, CTRL_D, CTRL_E, CTRL_G, CTRL_L, CTRL_R, CTRL_U, CTRL_X, DOWN, END, ENTER, ESCAPE,
    SHIFT_TAB, TAB, Terminal, UP,
};

const ZONE: &str = "928d495e5910427f9a07d957b95b678c";

/// A node with one zone, that takes any session.
fn node_with_a_zone() -> Node {
    Node::start(|request| {
        if request.method == "GET" {
            Reply::ok(format!(r#"{{"inventories":[{{"uuid":"{ZONE}","name":"存储-1"}}]}}"#))
        } else {
            Reply::ok("{}")
        }
    })
}

/// A shell on that node, with a session.
fn shell_on(home: &Home, node: &Node) -> Terminal {
    let options = node.options();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    Terminal::shell_with(home, &options, &[("ZSTACK_SESSION_UUID", "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37")])
}

fn deletions(node: &Node) -> Vec<Recorded> {
    node.requests().into_iter().filter(|request| request.method == "DELETE").collect()
}

#[test]
fn tab_completes_lists_and_never_garbles_the_line() {
    let home = Home::with_cloud();
    for columns in [80, 200] {
        let terminal =
            Terminal::run(&home, columns, 40, env!("CARGO_BIN_EXE_zstack-cli"), &["--sandbox", "--color", "never"]);
        terminal.prompt("admin@sandbox >>>");
        terminal.keys(&format!("QBS{TAB}"));
        terminal.row("admin@sandbox >>> QueryBackupStorage");
        terminal.keys(&format!("sta{TAB}"));
        for row in ["\n> state=", "\n  status=", "\n  start="] {
            terminal.sees(row);
        }
        terminal.row("admin@sandbox >>> QueryBackupStorage sta");
        // The menu follows what is typed, and goes where nothing is left to choose.
        terminal.keys("te");
        terminal.until_gone("status=");
        terminal.keys(&format!("=En{TAB}"));
        terminal.row("admin@sandbox >>> QueryBackupStorage state=Enabled");
        terminal.keys(CTRL_C);
        terminal.prompt("admin@sandbox >>>");
        terminal.keys(CTRL_D);
        assert_eq!(terminal.ends().1, Some(0));
    }
}

#[test]
fn tab_offers_what_the_node_holds_by_name() {
    let (home, node) = (Home::new(), node_with_a_zone());
    let terminal = shell_on(&home, &node);
    terminal.prompt("session >>>");
    terminal.keys(&format!("CreateCluster zoneUuid=存{TAB}"));
    terminal.row(&format!("session >>> CreateCluster zoneUuid={ZONE}"));
}

#[test]
fn values_of_fields_and_nics_come_from_the_node() {
    let home = Home::with_cloud();
    let shell = Terminal::shell(&home, &["--sandbox"]);
    shell.prompt("admin@sandbox >>>");
    shell.keys(&format!("QueryVmInstance platform={TAB}"));
    shell.sees("\n> Linux    24 rows");
    shell.sees("\n  Windows  1 row");
    shell.keys(&format!("{CTRL_G}{CTRL_U}DetachL3NetworkFromVm vmNicUuid=web-2{TAB}"));
    shell.ends_line("vmNicUuid=web-2");
    shell.sees("\n> 10.0.3.11 web-2");
}

#[test]
fn names_do_not_act_on_the_terminal() {
    let home = Home::new();
    let node = Node::start(|_| {
        let name = r"zo\u001b]52;c;aGk=\u0007ne\u202e\u00ad";
        Reply::ok(format!(r#"{{"inventories":[{{"uuid":"{ZONE}","name":"{name}"}}]}}"#))
    });
    let terminal = shell_on(&home, &node);
    terminal.prompt("session >>>");
    // A name that cannot be typed is shown beside its uuid, and never put into the line.
    terminal.keys(&format!("QueryZone name=zo{TAB}{TAB}"));
    terminal.row("session >>> QueryZone name=zo");
    terminal.keys(CTRL_C);
    terminal.prompt("session >>>");
    terminal.keys(&format!("CreateCluster zoneUuid={TAB}"));
    terminal.row(&format!("session >>> CreateCluster zoneUuid={ZONE}"));
    terminal.keys(CTRL_C);
    terminal.prompt("session >>>");
    for format in ["table", "csv", "tsv", "value", "json", "yaml", "jsonl"] {
        terminal.line(&format!("QueryZone fields=name -o {format} --columns name"));
        terminal.sees("u202e");
        terminal.keys(CTRL_L);
        terminal.until_gone("u202e");
    }
    let written = terminal.written();
    assert!(!written.contains("]52;c;aGk=\u{7}") && !written.contains(['\u{202e}', '\u{ad}']), "{written:?}");
    // A pipe gets what the node has.
    let done = home.run(node.call(&["QueryZone", "-o", "csv", "--columns", "name"]));
    let done = done.variable("ZSTACK_SESSION_UUID", "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37").succeeds();
    assert_eq!(done.out(), "name\nzo\u{1b}]52;c;aGk=\u{7}ne\u{202e}\u{ad}\n");
}

#[test]
fn programs_get_no_credentials() {
    let (home, node) = (Home::new(), node_with_a_zone());
    let options = node.options();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let variables = [
        ("ZSTACK_SESSION_UUID", "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37"),
        ("ZSTACK_PASSWORD", "hunter2"),
        ("ZSTACK_ACCESS_KEY_ID", "key"),
        ("ZSTACK_ACCESS_KEY_SECRET", "hunter3"),
        ("PAGER", "env > paged; cat > /dev/null"),
    ];
    let terminal = Terminal::shell_with(&home, &options, &variables);
    terminal.prompt("session >>>");
    terminal.line("QueryZone |! env > piped");
    terminal.prompt("session >>>");
    terminal.line("help QueryVmInstance");
    terminal.prompt("session >>>");
    for file in ["piped", "paged"] {
        let text = std::fs::read_to_string(home.path().join(file)).expect("the program ran");
        assert!(text.contains("LANG=") && !text.contains("ZSTACK_PASSWORD"), "{text}");
        assert!(!text.contains("hunter") && !text.contains("5d0c8a4f"), "{text}");
    }
}

#[test]
fn a_list_that_is_not_whole_completes_nothing() {
    let home = Home::with_cloud();
    home.run(["sandbox", "seed", "--vms", "1000"]).succeeds();
    let shell = Terminal::shell(&home, &["--sandbox"]);
    shell.prompt("admin@sandbox >>>");
    shell.keys("StopVmInstance uuid=");
    shell.ends_line("uuid=");
    shell.keys(TAB);
    shell.sees("1 of 200  there are more");
    shell.row("admin@sandbox >>> StopVmInstance uuid=");
}

#[test]
fn the_menu_is_walked_filtered_taken_and_left() {
    let home = Home::with_cloud();
    for columns in [80, 200] {
        let shell = Terminal::run(&home, columns, 24, env!("CARGO_BIN_EXE_zstack-cli"), &["--sandbox"]);
        shell.prompt("admin@sandbox >>>");
        // Keys that come at once go to the menu too.
        shell.keys(&format!("StopVmInstance uuid={TAB}{DOWN}{TAB}"));
        shell.sees("\n  3 of 20");
        shell.keys(&format!("{UP}{SHIFT_TAB}{SHIFT_TAB}"));
        shell.sees("\n  20 of 20");
        shell.keys("web-");
        shell.until_gone(" of 20");
        shell.row("admin@sandbox >>> StopVmInstance uuid=web-");
        shell.sees("> web-1");
        shell.keys(ESCAPE);
        shell.until_gone("web-");
        shell.row("admin@sandbox >>> StopVmInstance uuid=");
        shell.keys(&format!("web-{TAB}"));
        shell.sees("> web-1");
        shell.sees("\n  web-2  Running, 10.");
        shell.keys(&format!("{DOWN}{ENTER}"));
        shell.until_gone("> web-");
        shell.ends_line("3727a5f47bae4f5cba558d3d1801c26a");
        for leave in [CTRL_C, CTRL_G] {
            shell.keys(&format!("{CTRL_U}QueryHost sta"));
            shell.row("admin@sandbox >>> QueryHost sta");
            shell.keys(TAB);
            shell.sees("> state=");
            shell.keys(leave);
            shell.until_gone("> state=");
            shell.row("admin@sandbox >>> QueryHost sta");
        }
    }
}

#[test]
fn a_menu_follows_the_size_of_the_terminal() {
    let home = Home::with_cloud();
    let shell = Terminal::run(&home, 120, 24, env!("CARGO_BIN_EXE_zstack-cli"), &["--sandbox"]);
    shell.prompt("admin@sandbox >>>");
    shell.keys(&format!("QueryHost uuid={TAB}"));
    shell.sees("> host-1  Enabled, Connected, 172.20.11.11      07515c21ad85486b8ad60c599a48d9b9");
    shell.resize(60, 24);
    shell.until_gone("07515c21ad85486b8ad60c599a48d9b9");
    shell.sees("\n> host-1  Enabled, Co");
    shell.row("admin@sandbox >>> QueryHost uuid=");
}

#[test]
fn lines_typed_before_are_searched() {
    let home = Home::with_cloud();
    let shell = Terminal::shell(&home, &["--sandbox"]);
    for line in ["QueryZone count=true", "QueryHost count=true", "QueryZone limit=1 fields=name"] {
        shell.prompt("admin@sandbox >>>");
        shell.line(line);
    }
    shell.prompt("admin@sandbox >>>");
    // Up goes by what was typed, and Down comes back to it.
    shell.keys(&format!("QueryZ{UP}{UP}"));
    shell.row("admin@sandbox >>> QueryZone count=true");
    shell.keys(&format!("{DOWN}{DOWN}"));
    shell.row("admin@sandbox >>> QueryZ");
    // The grey text is taken word by word, or whole.
    shell.keys(ALT_F);
    shell.row("admin@sandbox >>> QueryZone");
    shell.keys(ALT_F);
    shell.row("admin@sandbox >>> QueryZone limit=1");
    shell.keys(END);
    shell.row("admin@sandbox >>> QueryZone limit=1 fields=name");
    shell.keys(&format!("{CTRL_U}QueryHost {ALT_DOT}"));
    shell.row("admin@sandbox >>> QueryHost fields=name");
    shell.keys(ALT_DOT);
    shell.row("admin@sandbox >>> QueryHost count=true");
    // All lines that hold the words are listed.
    shell.keys(&format!("{CTRL_U}{CTRL_R}zone true"));
    shell.sees("> QueryZone count=true");
    shell.keys(ENTER);
    shell.row("admin@sandbox >>> QueryZone count=true");
    shell.keys(&format!("{CTRL_U}{CTRL_R}nothing{ENTER}"));
    shell.sees("no line typed before has this");
    shell.keys(ESCAPE);
    shell.until_gone("no line");
    shell.prompt("admin@sandbox >>>");
}

#[test]
fn the_line_that_was_meant_is_proposed() {
    let home = Home::with_cloud();
    let shell = Terminal::shell(&home, &["--sandbox"]);
    shell.prompt("admin@sandbox >>>");
    shell.line("QueryVmInstance ip=10.0.0.10 fields=name");
    shell.sees("did you mean `vmNics.ip`?");
    shell.prompt("admin@sandbox >>>");
    shell.keys(END);
    shell.row("admin@sandbox >>> QueryVmInstance vmNics.ip=10.0.0.10 fields=name");
    shell.keys(ENTER);
    shell.sees("name | bastion");
    shell.prompt("admin@sandbox >>>");
    // What failed is never proposed, what succeeded is, in the next shell too.
    shell.keys(CTRL_D);
    shell.ends();
    let shell = Terminal::shell(&home, &["--sandbox"]);
    shell.prompt("admin@sandbox >>>");
    shell.keys("QueryVmInstance ");
    shell.sees("QueryVmInstance vmNics.ip=10.0.0.10 fields=name");
    shell.keys("ip=");
    shell.until_gone("10.0.0.10");
}

#[test]
fn a_line_is_edited_in_an_editor() {
    let home = Home::with_cloud();
    let editor = [("EDITOR", "sed -i s/limit=1/limit=2/")];
    let shell = Terminal::shell_with(&home, &["--sandbox"], &editor);
    shell.prompt("admin@sandbox >>>");
    shell.keys(&format!("QueryZone limit=1{CTRL_X}{CTRL_E}"));
    shell.row("admin@sandbox >>> QueryZone limit=2");
    shell.keys(CTRL_C);
    drop(shell);
    let shell = Terminal::shell_with(&home, &["--sandbox"], &[("EDITOR", "false")]);
    shell.prompt("admin@sandbox >>>");
    shell.keys(&format!("QueryZone{CTRL_X}{CTRL_E}"));
    shell.sees("warning: the line cannot be edited");
}

#[test]
fn an_open_bracket_goes_on_in_the_next_line() {
    let home = Home::with_cloud();
    let shell = Terminal::shell(&home, &["--sandbox"]);
    shell.prompt("admin@sandbox >>>");
    shell.keys(&format!("QueryZone name=zone-1 | [.inventories[]{ENTER}.name]{ENTER}"));
    shell.sees("[\n  \"zone-1\"\n]");
    shell.prompt("admin@sandbox >>>");
}

#[test]
fn ctrl_c_drops_the_line_and_ctrl_d_leaves() {
    let home = Home::with_cloud();
    let terminal = Terminal::shell(&home, &["--sandbox"]);
    terminal.prompt("admin@sandbox >>>");
    terminal.keys("DeleteZone uuid=x");
    terminal.row("admin@sandbox >>> DeleteZone uuid=x");
    terminal.keys(CTRL_C);
    terminal.prompt("admin@sandbox >>>");
    terminal.line("QueryZone name=zone-1 fields=name");
    terminal.sees("name | zone-1");
    terminal.prompt("admin@sandbox >>>");
    terminal.keys(CTRL_D);
    let (screen, code) = terminal.ends();
    assert_eq!(code, Some(0), "{screen}");
    let history = std::fs::read_to_string(home.path().join("state/history")).expect("a history");
    assert_eq!(history, "QueryZone name=zone-1 fields=name\n");
}

#[test]
fn ctrl_c_stops_waiting_for_an_answer() {
    let home = Home::new();
    let (release, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let (asked, was_asked) = mpsc::channel();
    let asked = Mutex::new(asked);
    let node = Node::start(move |_| {
        asked.lock().expect("no panic").send(()).expect("the test waits");
        // Answers when the test is over.
        let _ = gate.lock().expect("no panic").recv();
        Reply::Cut
    });
    let terminal = shell_on(&home, &node);
    terminal.prompt("session >>>");
    terminal.line("QueryZone");
    was_asked.recv().expect("the query is sent");
    terminal.keys(CTRL_C);
    terminal.sees("error: interrupted");
    terminal.prompt("session >>>");
    // The node is still busy, and Tab does not wait for it.
    terminal.keys(&format!("QueryZone name={TAB}"));
    terminal.sees("the node is being asked");
    drop(release);
}

#[test]
fn what_destroys_is_shown_by_name_and_asked_for() {
    let (home, node) = (Home::new(), node_with_a_zone());
    let terminal = shell_on(&home, &node);
    terminal.prompt("session >>>");
    terminal.line(&format!("DeleteZone uuid={ZONE}"));
    let screen = terminal.sees("Delete? [y/N]");
    assert!(screen.contains(&format!("uuid  {ZONE}  存储-1")), "{screen}");
    terminal.keys(&format!("n{ENTER}"));
    terminal.sees("error: not confirmed; nothing was sent");
    terminal.prompt("session >>>");
    terminal.line("set confirm strict");
    terminal.prompt("session >>>");
    terminal.line(&format!("DeleteZone uuid={ZONE}"));
    terminal.sees("Type 存储-1 to delete:");
    terminal.keys(CTRL_C);
    terminal.prompt("session >>>");
    assert_eq!(deletions(&node).len(), 0);
    terminal.line(&format!("DeleteZone uuid={ZONE}"));
    terminal.row("Type 存储-1 to delete:");
    terminal.keys(&format!("存储-1{ENTER}"));
    terminal.prompt("session >>>");
    assert_eq!(deletions(&node).len(), 1);
    terminal.line("set confirm off");
    terminal.prompt("session >>>");
    terminal.line(&format!("DeleteZone uuid={ZONE}"));
    terminal.prompt("session >>>");
    assert_eq!(deletions(&node).len(), 2);
    terminal.line("set confirm on");
    terminal.prompt("session >>>");
    terminal.keys(CTRL_L);
    terminal.until_gone("Delete? [y/N]");
    // What is only checked destroys nothing, and a deletion is one however it is written.
    terminal.line(&format!("DeleteZone uuid={ZONE} --validate"));
    terminal.sees("valid: the node would run it");
    terminal.prompt("session >>>");
    terminal.line(&format!("raw DELETE zones/{ZONE}"));
    let screen = terminal.sees("Delete? [y/N]");
    assert!(screen.contains(&format!("uuid  {ZONE}  存储-1")), "{screen}");
    terminal.keys(&format!("n{ENTER}"));
    terminal.sees("error: not confirmed; nothing was sent");
    assert_eq!(deletions(&node).len(), 3);
}

#[test]
fn a_context_may_be_strict_and_have_a_colour() {
    let (home, node) = (Home::new(), node_with_a_zone());
    let url = format!("http://127.0.0.1:{}/zstack", node.port);
    let words = ["context", "set", "prod", &format!("url={url}"), "confirm=strict", "prompt-color=red"];
    home.run(words).succeeds();
    home.run(["context", "use", "prod"]).succeeds();
    home.run(["context", "set", "prod", "prompt-color=loud"]).fails(2).stderr_has("prompt-color");
    let session = [("ZSTACK_SESSION_UUID", "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37")];
    let terminal = Terminal::shell_with(&home, &[], &session);
    terminal.prompt("session@prod >>>");
    terminal.line(&format!("DeleteZone uuid={ZONE}"));
    terminal.sees("Type 存储-1 to delete:");
    assert_eq!(deletions(&node).len(), 0);
}

#[test]
fn another_node_than_that_of_the_context_is_named_as_what_it_is() {
    let (home, node) = (Home::new(), node_with_a_zone());
    home.run(["context", "set", "prod", "--url", "http://prod.test/zstack"]).succeeds();
    let options = node.options();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let session = [("ZSTACK_SESSION_UUID", "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37")];
    let terminal = Terminal::shell_with(&home, &options, &session);
    terminal.prompt(&format!("session@127.0.0.1:{} >>>", node.port));
    terminal.line(&format!("DeleteZone uuid={ZONE}"));
    terminal.sees(&format!("DeleteZone in 127.0.0.1:{}:", node.port));
}

#[test]
fn a_strict_context_asks_about_single_commands_too() {
    let (home, node) = (Home::new(), node_with_a_zone());
    let url = format!("http://127.0.0.1:{}/zstack", node.port);
    home.run(["context", "set", "prod", "--url", &url, "confirm=strict"]).succeeds();
    let session = [("ZSTACK_SESSION_UUID", "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37")];
    let zone = format!("uuid={ZONE}");
    let terminal = Terminal::shell_with(&home, &["DeleteZone", &zone], &session);
    terminal.sees("Type 存储-1 to delete:");
    terminal.line("no");
    terminal.sees("not confirmed; nothing was sent");
    assert_eq!(terminal.ends().1, Some(1));
    assert_eq!(deletions(&node).len(), 0);
    // Where nobody can answer, nobody is asked.
    home.run(["DeleteZone", &zone, "--no-wait"]).variable(session[0].0, session[0].1).succeeds();
    assert_eq!(deletions(&node).len(), 1);
}

#[test]
fn an_expired_session_is_offered_anew_and_the_command_runs_once_more() {
    let home = Home::new();
    let expired = AtomicUsize::new(0);
    let node = Node::start(move |request| {
        let body = |uuid: &str| Reply::ok(format!(r#"{{"inventory":{{"uuid":"{uuid}","accountUuid":"a"}}}}"#));
        if request.path().ends_with("/accounts/login") {
            return body(if expired.load(Ordering::SeqCst) == 0 { "1111" } else { "2222" });
        }
        match request.header("authorization") {
            Some("OAuth 2222") => Reply::ok(r#"{"inventories":[{"uuid":"u","name":"zone-1"}]}"#),
            _ => {
                expired.fetch_add(1, Ordering::SeqCst);
                Reply::error("ID.1001", "invalid session")
            }
        }
    });
    home.run(node.call(&["login"])).variable("ZSTACK_PASSWORD", "hunter2").succeeds();
    let options = node.options();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let terminal = Terminal::shell(&home, &options);
    terminal.prompt("admin >>>");
    terminal.line("QueryZone");
    terminal.row(&format!("Log in to 127.0.0.1:{} as admin? [Y/n]", node.port));
    terminal.keys(ENTER);
    terminal.row("password of admin:");
    terminal.keys(&format!("hunter2{ENTER}"));
    terminal.sees("name | zone-1");
    terminal.prompt("admin >>>");
    let queries = node.requests().into_iter().filter(|request| request.method == "GET").count();
    assert_eq!(queries, 2);
}

#[test]
fn an_action_that_was_refused_for_its_session_keeps_its_uuid_after_the_log_in() {
    let home = Home::new();
    let (expired, accepted) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let node = Node::start(move |request| {
        let body = |uuid: &str| Reply::ok(format!(r#"{{"inventory":{{"uuid":"{uuid}","accountUuid":"a"}}}}"#));
        if request.path().ends_with("/accounts/login") {
            return body(if expired.load(Ordering::SeqCst) == 0 { "1111" } else { "2222" });
        }
        // Whoever asks for a job needs no session.
        if request.path().contains("/api-jobs/") {
            return match accepted.load(Ordering::SeqCst) {
                0 => Reply::Send(404, "unable to find the job".to_owned()),
                _ => Reply::ok(r#"{"inventory":{"uuid":"u","name":"lab"}}"#),
            };
        }
        if request.header("authorization") == Some("OAuth 2222") {
            accepted.fetch_add(1, Ordering::SeqCst);
            return Reply::Send(202, "{}".to_owned());
        }
        expired.fetch_add(1, Ordering::SeqCst);
        Reply::error("ID.1001", "invalid session")
    });
    home.run(node.call(&["login"])).variable("ZSTACK_PASSWORD", "hunter2").succeeds();
    let options = node.options();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let terminal = Terminal::shell(&home, &options);
    terminal.prompt("admin >>>");
    terminal.line("CreateZone name=lab");
    terminal.row(&format!("Log in to 127.0.0.1:{} as admin? [Y/n]", node.port));
    terminal.keys(ENTER);
    terminal.row("password of admin:");
    terminal.keys(&format!("hunter2{ENTER}"));
    terminal.sees("name | lab");
    terminal.prompt("admin >>>");
    // The next action has a uuid of its own.
    terminal.line("CreateZone name=lab");
    terminal.prompt("admin >>>");
    terminal.keys(CTRL_D);
    assert_eq!(terminal.ends().1, Some(0));
    let posts = node.requests().into_iter().filter(|request| request.method == "POST");
    let uuids: Vec<String> = posts.filter_map(|request| request.header("x-job-uuid").map(str::to_owned)).collect();
    assert_eq!(uuids.len(), 3, "{uuids:?}");
    assert!(uuids[0] == uuids[1] && uuids[1] != uuids[2], "{uuids:?}");
}

#[test]
fn a_captcha_is_shown_and_its_answer_sent_along() {
    const PICTURE: &str =
        "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEklEQVR4nGP4zwAE/0Ho////AB/uBftt3M6tAAAAAElFTkSuQmCC";
    let node = Node::start(|request| match request.path() {
        "/zstack/v1/login/control/captcha" => {
            Reply::ok(format!(r#"{{"captchaUuid":"c1","captcha":"data:image/png;base64,{PICTURE}"}}"#))
        }
        _ if request.json()["logInByAccount"]["verifyCode"] == "7G4k" => {
            Reply::ok(r#"{"inventory":{"uuid":"1111","accountUuid":"a"}}"#)
        }
        _ => Reply::error("LOGIN_CONTROL.1003", "wrong verification code"),
    });
    let home = Home::new();
    let options = node.call(&["login"]);
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let password = ("ZSTACK_PASSWORD", "hunter2");
    let terminal = Terminal::shell_with(&home, &options, &[password]);
    terminal.sees("▀▀\nWhat does the picture say, which is also in ");
    terminal.sees("captcha.png?");
    terminal.line("wrong");
    terminal.sees("? wrong\n▀▀\nWhat");
    terminal.line("7G4k");
    terminal.sees("logged in as admin");
    assert_eq!(terminal.ends().1, Some(0));
    assert_eq!(node.requests().last().expect("a log-in").json()["logInByAccount"]["captchaUuid"], "c1");
    assert!(!home.files().iter().any(|(path, _)| path.extension().is_some_and(|end| end == "png")));

    // A terminal without colours gets a file, and whoever presses Ctrl-C is not asked again.
    let terminal = Terminal::shell_with(&home, &options, &[password, ("NO_COLOR", "1")]);
    let question = terminal.sees("captcha.png say?");
    assert!(!question.contains('▀'));
    assert!(home.files().iter().any(|(path, _)| path.ends_with("captcha/captcha.png")));
    terminal.keys("\u{3}");
    let (screen, code) = terminal.ends();
    assert_eq!(code, Some(3), "{screen}");
    assert!(!home.files().iter().any(|(path, _)| path.extension().is_some_and(|end| end == "png")));
}

#[test]
fn results_are_at_hand_and_secrets_are_not() {
    let home = Home::with_cloud();
    let terminal = Terminal::shell(&home, &["--sandbox"]);
    terminal.prompt("admin@sandbox >>>");
    terminal.line("LogInByAccount accountName=admin password=hunter2");
    terminal.sees("error: ");
    terminal.prompt("admin@sandbox >>>");
    // Two lines at once: the second is kept while the first one runs.
    terminal.keys(&format!("QueryZone fields=name > zones.json{ENTER}QueryZone | .inventories | length{ENTER}"));
    terminal.sees("\n2\n");
    terminal.prompt("admin@sandbox >>>");
    terminal.keys(&format!("more{ENTER}"));
    let screen = terminal.sees("QueryZone fields=name > zones.json\n1 !");
    assert!(screen.contains("LogInByAccount accountName=admin password=******"), "{screen}");
    assert!(screen.lines().any(|row| row.starts_with("1 !")), "{screen}");
    terminal.prompt("admin@sandbox >>>");
    // Shown as anything else, and not kept once more.
    terminal.keys(&format!("more 2 -o json{ENTER}"));
    terminal.sees("\"success\": true");
    terminal.prompt("admin@sandbox >>>");
    terminal.keys(&format!("more 3 --jq '.inventories[0].name' -r{ENTER}"));
    terminal.sees("result 3: QueryZone | .inventories | length\nzone-1\n");
    terminal.prompt("admin@sandbox >>>");
    terminal.keys(&format!("more 3{ENTER}"));
    terminal.sees("name    uuid");
    terminal.prompt("admin@sandbox >>>");
    terminal.line("save 2 saved.json json_only");
    terminal.sees("saved saved.json");
    terminal.prompt("admin@sandbox >>>");
    for file in ["zones.json", "saved.json"] {
        let text = std::fs::read_to_string(home.path().join(file)).expect("it was written");
        assert!(text.contains("zone-2"), "{text}");
        serde_json::from_str::<serde_json::Value>(&text).expect("JSON");
    }
    terminal.keys(CTRL_D);
    terminal.ends();
    for (path, bytes) in home.files() {
        let holds = bytes.windows(7).any(|window| window == b"hunter2");
        assert!(!holds, "{} holds a password", path.display());
    }
}

#[test]
fn pasted_text_is_not_run_before_enter() {
    let home = Home::with_cloud();
    let terminal = Terminal::shell(&home, &["--sandbox"]);
    terminal.prompt("admin@sandbox >>>");
    terminal.keys("\u{1b}[200~QueryZone name=zone-1 \\\n fields=name\nQueryZone name=zone-2 fields=name\u{1b}[201~");
    terminal.sees("zone-2 fields=name");
    terminal.keys(ENTER);
    terminal.sees("name | zone-2");
    let screen = terminal.prompt("admin@sandbox >>>");
    assert!(screen.contains("name | zone-1"), "{screen}");
}

#[test]
fn the_terminal_is_left_as_it_was() {
    let home = Home::with_cloud();
    let script = format!("{} --sandbox; echo status $?; stty -a", env!("CARGO_BIN_EXE_zstack-cli"));
    for (keys, variables) in [(CTRL_D, &[][..]), (CTRL_D, &[("TERM", "dumb")]), ("exit\r", &[])] {
        let terminal = Terminal::script(&home, (80, 40), &script, variables);
        terminal.prompt("admin@sandbox >>>");
        terminal.line("QueryZone count=true");
        terminal.sees("2");
        terminal.prompt("admin@sandbox >>>");
        terminal.keys(keys);
        let screen = terminal.told();
        assert!(screen.contains("status 0"), "{screen}");
        let modes: Vec<&str> = screen.split_whitespace().collect();
        assert!(["icanon", "echo", "isig", "icrnl"].iter().all(|mode| modes.contains(mode)), "{screen}");
    }
}
