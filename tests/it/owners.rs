//! Files of somebody else are not used. Only the system's user can give files away, so others see nothing here.

use std::os::unix::fs::{chown, lchown, symlink};
use std::path::Path;

use crate::harness::Home;
use crate::node::{Node, Reply};
use crate::terminal::Terminal;

const SESSION: &str = "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37";

/// Nobody's uid.
const OTHER: Option<u32> = Some(12345);

fn may_give_away(path: &Path) -> bool {
    lchown(path, OTHER, None).and_then(|()| lchown(path, Some(0), None)).is_ok()
}

fn node() -> Node {
    Node::start(|request| match request.path().ends_with("/accounts/login") {
        true => Reply::ok(format!(r#"{{"inventory":{{"uuid":"{SESSION}","accountUuid":"a"}}}}"#)),
        false => Reply::ok(r#"{"inventories":[]}"#),
    })
}

#[test]
fn the_configuration_credentials_and_results_of_others_are_refused() {
    let (home, node) = (Home::new(), node());
    if !may_give_away(home.path()) {
        return;
    }
    let url = format!("http://127.0.0.1:{}/zstack", node.port);
    home.run(["context", "set", "a", "--url", &url]).succeeds();
    home.run(["login"]).variable("ZSTACK_PASSWORD", "hunter2").succeeds();
    home.run(["QueryZone"]).succeeds();
    let told = "belongs to another user (uid 12345)";
    let state = home.path().join("state");
    for (path, words, code) in [
        (home.path().join("config.toml"), &["QueryZone"][..], 2),
        (home.path().to_owned(), &["context", "list"], 2),
        (state.join("credentials"), &["QueryZone"], 2),
        (state.join("credentials/context-a.json"), &["QueryZone"], 2),
        (state.join("results"), &["more"], 1),
        (state.join("results/1.json"), &["more", "1"], 1),
    ] {
        let sent = node.requests().len();
        chown(&path, OTHER, None).expect("given away");
        home.run(words).fails(code).stderr_has(told).stderr_has(&path.display().to_string());
        assert_eq!(node.requests().len(), sent, "{}", path.display());
        chown(&path, Some(0), None).expect("given back");
        home.run(words).succeeds();
    }
    // What cannot be kept is no reason not to work.
    chown(state.join("results"), OTHER, None).expect("given away");
    home.run(["QueryZone"]).succeeds();
}

#[test]
fn links_of_others_are_not_followed() {
    let (home, elsewhere) = (Home::new(), Home::new());
    if !may_give_away(home.path()) {
        return;
    }
    let target = elsewhere.path().join("mine");
    std::fs::write(&target, "precious\n").expect("written");
    let state = home.path().join("state");
    std::fs::create_dir(&state).expect("a folder");
    for link in [state.join("history"), home.path().join("config.toml"), home.path().join("config.lock")] {
        symlink(&target, &link).expect("linked");
        lchown(&link, OTHER, None).expect("given away");
    }
    home.run(["context", "set", "a", "url=http://a"]).fails(2).stderr_has("belongs to another user");
    std::fs::remove_file(home.path().join("config.toml")).expect("removed");
    home.run(["context", "set", "a", "url=http://a"]).fails(2).stderr_has("belongs to another user");
    std::fs::remove_file(home.path().join("config.lock")).expect("removed");
    let terminal = Terminal::shell(&home, &["--url", "http://127.0.0.1:1/zstack"]);
    terminal.prompt("- >>>");
    terminal.line("set");
    terminal.sees("warning: the history of commands cannot be kept: it belongs to another user");
    terminal.prompt("- >>>");
    terminal.keys(crate::terminal::CTRL_D);
    terminal.ends();
    assert_eq!(std::fs::read_to_string(&target).expect("there"), "precious\n");
    // The home itself.
    let shared = elsewhere.path().join("home");
    symlink(home.path(), &shared).expect("linked");
    lchown(&shared, OTHER, None).expect("given away");
    let run = home.run(["context", "list"]).variable("ZSTACK_CLI_HOME", &shared.display().to_string());
    run.fails(2).stderr_has("belongs to another user");
}
