//! Nodes of other versions and editions: what they lack, and how they take requests.

use crate::harness::{Home, Run};
use crate::node::{Node, Recorded, Reply};

const UUID: &str = "1ab3b836a88342e1bbc1b1a17d092f0f";

/// What a request asks a node of itself, if that is what it does.
fn asks(request: &Recorded) -> Option<&'static str> {
    let body = String::from_utf8_lossy(&request.body).into_owned();
    ["getVersion", "getSupportAPIs"].into_iter().find(|action| body.contains(action))
}

/// A node of that version with these APIs, which answers `reply` to all other requests.
fn node(version: &str, apis: &[&str], reply: Reply) -> Node {
    let messages: Vec<String> = apis.iter().map(|api| format!("\"API{api}Msg\"")).collect();
    let (version, apis) =
        (format!(r#"{{"version":"{version}"}}"#), format!(r#"{{"supportApis":[{}]}}"#, messages.join(",")));
    Node::start(move |request| match asks(request) {
        Some("getVersion") => Reply::ok(&version),
        Some(_) => Reply::ok(&apis),
        None if request.path().ends_with("/management-nodes/ready") => Reply::ok("{}"),
        None => reply.clone(),
    })
}

fn with_session(home: &Home, node: &Node, words: &[&str]) -> Run {
    home.run(node.call(words)).variable("ZSTACK_SESSION_UUID", "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37")
}

/// What was called, in short: what the node was asked of itself, else verb and path.
fn came(node: &Node) -> Vec<String> {
    let short = |request: &Recorded| match asks(request) {
        Some(action) => action.to_owned(),
        None => format!("{} {}", request.method, request.path()),
    };
    node.calls().iter().map(short).collect()
}

#[test]
fn an_api_that_another_would_run_for_is_not_sent_to_a_node_that_lacks_it() {
    let home = Home::new();
    let node = node("5.2.1", &["UpdateKVMHost", "QueryHost"], Reply::ok(r#"{"inventory":{}}"#));
    let words = ["ChangeHostPassword", &format!("hostUuid={UUID}"), "password=secret"];
    let error = "error: the node (ZStack 5.2.1) has no API ChangeHostPassword\n";
    with_session(&home, &node, &words).fails(3).stdout("").stderr_has(error);
    assert_eq!(came(&node), ["getVersion", "getSupportAPIs"]);
    // Under the same version it is not asked for its APIs again.
    with_session(&home, &node, &["QueryHostNetworkBonding"]).fails(3).stdout("").stderr_has("has no API QueryHost");
    assert_eq!(came(&node)[2..], ["getVersion"]);
    with_session(&home, &node, &[&words[..], &["--no-check"]].concat()).succeeds();
    assert_eq!(came(&node)[3..], [format!("PUT /zstack/v1/hosts/kvm/{UUID}/actions")]);
    // Nothing is asked for what cannot be taken for another API.
    with_session(&home, &node, &["QueryHost", "limit=1"]).done();
    assert_eq!(came(&node)[4..], ["GET /zstack/v1/hosts"]);
}

#[test]
fn completion_does_not_ask_what_the_node_has_said_before() {
    let home = Home::new();
    let found = format!(r#"{{"inventories":[{{"uuid":"{UUID}"}}]}}"#);
    let node = node("5.4.0", &["QueryHostNetworkBonding"], Reply::ok(found));
    with_session(&home, &node, &["QueryHostNetworkBonding", "limit=1"]).succeeds();
    assert_eq!(came(&node)[..2], ["getVersion", "getSupportAPIs"]);
    let line = format!("--url http://127.0.0.1:{}/zstack QueryHostNetworkBonding uuid=", node.port);
    let session = "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37";
    home.run(["complete", "--", &line]).variable("ZSTACK_SESSION_UUID", session).succeeds().stdout_has(UUID);
    let asked = came(&node)[3..].to_vec();
    assert!(!asked.is_empty() && asked.iter().all(|one| one.starts_with("GET ")), "{asked:?}");
}

#[test]
fn it_is_sent_to_a_node_that_has_it_also_after_an_upgrade() {
    let home = Home::new();
    let old = node("5.2.1", &["QueryHost"], Reply::ok("{}"));
    let words = ["ChangeHostPassword", &format!("hostUuid={UUID}"), "password=secret"];
    with_session(&home, &old, &words).fails(3).stdout("");
    let kept = home
        .files()
        .into_iter()
        .find(|(path, _)| path.starts_with(home.path().join("state/nodes")) && !path.ends_with(".lock"));
    let (path, text) = kept.expect("what the node said is kept");
    let text = String::from_utf8(text).expect("text").replace("5.2.1", "5.1.8");
    std::fs::write(path, text).expect("it can be written");
    with_session(&home, &old, &words).fails(3).stdout("");
    assert_eq!(came(&old), ["getVersion", "getSupportAPIs", "getVersion", "getSupportAPIs"]);
    let new = node("5.4.0", &["ChangeHostPassword"], Reply::ok("{}"));
    with_session(&home, &new, &words).succeeds();
    assert_eq!(came(&new)[2..], [format!("PUT /zstack/v1/hosts/kvm/{UUID}/actions")]);
}

#[test]
fn a_node_that_is_upgraded_while_a_batch_runs_gets_what_it_has_now() {
    let home = Home::new();
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let node = Node::start(move |request| {
        let Some(question) = asks(request) else { return Reply::ok("{}") };
        let is_old = asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 2;
        Reply::ok(match (question, is_old) {
            ("getVersion", true) => r#"{"version":"5.2.1"}"#,
            ("getVersion", false) => r#"{"version":"5.4.0"}"#,
            (_, true) => r#"{"supportApis":["APIQueryHostMsg"]}"#,
            (_, false) => r#"{"supportApis":["APIChangeHostPasswordMsg","APIQueryHostMsg"]}"#,
        })
    });
    let line = format!("ChangeHostPassword hostUuid={UUID} password=secret\n");
    let run = with_session(&home, &node, &["-k"]).input(line.repeat(2));
    run.fails(3).stderr_has("the node (ZStack 5.2.1) has no API ChangeHostPassword\n");
    let path = format!("PUT /zstack/v1/hosts/kvm/{UUID}/actions");
    assert_eq!(came(&node), ["getVersion", "getSupportAPIs", "getVersion", "getSupportAPIs", &path]);
}

#[test]
fn a_node_that_does_not_say_what_it_has_gets_queries_with_a_warning_and_no_actions() {
    let home = Home::new();
    let node = Node::start(|request| match asks(request) {
        Some("getVersion") => Reply::ok(r#"{"version":"4.8.0","success":true}"#),
        Some(_) => Reply::error("SYS.1000", "no"),
        None => Reply::ok(r#"{"inventories":[]}"#),
    });
    let words = ["ChangeHostPassword", &format!("hostUuid={UUID}"), "password=secret"];
    with_session(&home, &node, &words)
        .fails(3)
        .stdout("")
        .stderr_has("error: ChangeHostPassword was not sent: the node does not say whether it has this API")
        .stderr_has("--no-check");
    with_session(&home, &node, &["QueryHostNetworkBonding"])
        .succeeds()
        .stderr_has("warning: the node does not say whether it has QueryHostNetworkBonding");
    assert!(came(&node).iter().all(|request| !request.starts_with("PUT")), "{:?}", came(&node));
    assert!(came(&node).iter().any(|request| request.starts_with("GET")), "{:?}", came(&node));
}

#[test]
fn a_node_that_does_not_say_what_it_has_is_judged_by_its_version() {
    let home = Home::new();
    let node = |apis: &'static str| {
        Node::start(move |request| match asks(request) {
            Some("getVersion") => Reply::ok(r#"{"version":"4.3.8","success":true}"#),
            Some(_) => Reply::Send(200, apis.to_owned()),
            None => Reply::ok(r#"{"inventories":[]}"#),
        })
    };
    for apis in ["", "<html>", r#"{"supportApis":[]}"#, r#"{"supportApis":["junk"]}"#] {
        let node = node(apis);
        for newer in ["QueryL2PortGroupNetwork", "QuerySNSWeComEndpoint"] {
            let error = format!("error: the node (ZStack 4.3.8) has no API {newer}\n");
            with_session(&home, &node, &[newer]).fails(3).stdout("").stderr_has(&error);
        }
        assert!(came(&node).iter().all(|request| !request.contains(' ')), "{apis}: {:?}", came(&node));
        // No node of that version is without what is public and older.
        let words = ["GetVmsCapabilities", &format!("vmUuids={UUID}")];
        with_session(&home, &node, &words).succeeds().stderr("");
    }
}

#[test]
fn a_failure_of_an_api_that_the_node_does_not_list_is_said_to_be_that() {
    let home = Home::new();
    for reply in [
        Reply::Send(404, "no api mapping to /v1/v2v-conversion-hosts".to_owned()),
        Reply::Send(400, "the body has no action".to_owned()),
        Reply::error("PORTAL.1000", "no service for it"),
    ] {
        let node = node("5.2.1", &["QueryHost"], reply);
        with_session(&home, &node, &["QueryV2VConversionHost"])
            .fails(3)
            .stderr_has("error: the node (ZStack 5.2.1) has no API QueryV2VConversionHost\n");
    }
    // A path without an API of that verb fails as if the node had broken off (D2).
    let verbless = node("5.2.1", &["QueryHost"], Reply::Send(500, "No post API found for the path".to_owned()));
    let words = ["BatchSyncVolumeSize", &format!("clusterUuid={UUID}")];
    with_session(&home, &verbless, &words).fails(3).stderr_has("(ZStack 5.2.1) has no API BatchSyncVolumeSize\n");
    // What every node has fails for other reasons, and nothing more is asked.
    let node = node("5.2.1", &["QueryHost"], Reply::error("SYS.1006", "no"));
    with_session(&home, &node, &["CreateZone", "name=lab"]).fails(3).stderr_has("error: no\n");
    assert_eq!(came(&node), ["POST /zstack/v1/zones"]);
}

#[test]
fn requests_have_the_form_that_the_nodes_version_takes() {
    let home = Home::new();
    let words = ["CreateLdapBinding", "ldapUid=bob", &format!("accountUuid={UUID}")];
    for (version, key) in [("4.3.8", ""), ("4.6.21", ""), ("4.8.0", "params"), ("5.2.1", "params")] {
        let node = node(version, &["CreateLdapBinding"], Reply::ok("{}"));
        with_session(&home, &node, &words).succeeds();
        let body = node.calls().last().expect("a request").json();
        assert_eq!(body[key]["ldapUid"], "bob", "{version}: {body}");
    }
    // A check stays one in whatever form.
    let old = node("4.3.8", &["CreateLdapBinding"], Reply::ok("{}"));
    let checked: Vec<&str> = words.iter().copied().chain(["--validate"]).collect();
    with_session(&home, &old, &checked).succeeds().stderr_has("valid: the node would run it");
    let body = old.calls().last().expect("a request").json();
    assert_eq!(body[""]["systemTags"][0], "ephemeral::validationOnly", "{body}");
    let capabilities = ["GetVmsCapabilities", &format!("vmUuids={UUID}")];
    for (version, method) in [("4.8.0", "POST"), ("5.2.1", "GET")] {
        let node = node(version, &["GetVmsCapabilities"], Reply::ok("{}"));
        with_session(&home, &node, &capabilities).succeeds();
        assert_eq!(node.calls().last().expect("a request").method, method, "{version}");
    }
}

#[test]
fn a_context_or_catalog_use_says_the_version_and_the_node_is_not_asked() {
    let home = Home::new();
    let node = node("5.2.1", &[], Reply::ok("{}"));
    let url = format!("http://127.0.0.1:{}/zstack", node.port);
    home.run(["context", "set", "old", "--url", &url, "catalog=4.3.8"]).succeeds();
    let words = ["CreateLdapBinding", "ldapUid=bob", &format!("accountUuid={UUID}")];
    let call = || home.run(words).variable("ZSTACK_SESSION_UUID", UUID);
    call().succeeds();
    assert_eq!(node.calls().last().expect("a request").json()[""]["ldapUid"], "bob");
    home.run(["catalog", "use", "5.2.1"]).succeeds().stderr_has("the catalog of ZStack 5.2.1 is used for context old");
    call().succeeds();
    assert_eq!(node.calls().last().expect("a request").json()["params"]["ldapUid"], "bob");
    assert_eq!(node.calls().len(), 2);
    home.run(["catalog", "use", "auto"]).succeeds();
    call().succeeds();
    assert_eq!(came(&node)[2], "getVersion");
    home.run(["catalog", "use", "new"]).fails(1).stderr_has("catalog version");
    home.run(["context", "set", "old", "catalog=new"]).fails(2).stderr_has("not a ZStack version such as 4.8.0");
}

#[test]
fn what_is_newer_than_the_node_is_a_warning_and_a_mark() {
    let home = Home::new();
    let node = node("4.0.0", &["AddImage", "CreateZone"], Reply::ok(r#"{"inventories":[]}"#));
    let url = format!("http://127.0.0.1:{}/zstack", node.port);
    home.run(["context", "set", "lab", "--url", &url]).succeeds();
    let line =
        ["AddImage", "name=a", "url=http://x/y", "format=qcow2", "backupStorageUuids=", "virtio=true", "--no-check"];
    let run = |words: &[&str]| home.run(words).variable("ZSTACK_SESSION_UUID", UUID);
    // While the version is not known, nothing is asked for it, and nothing said.
    assert!(!run(&line).done().err().contains("virtio"));
    run(&["catalog", "sync"]).succeeds().stderr_has("the node is ZStack 4.0.0; it lacks");
    let before = node.calls().len();
    run(&line)
        .done()
        .stderr_has("warning: the node (ZStack 4.0.0) does not have virtio, which is new in ZStack 4.1.0\n");
    assert_eq!(node.calls().len(), before + 1);
    let offered = run(&["complete", "AddImage v"]).succeeds();
    offered.stdout_has("virtio=\tparam\twhether the guest has virtio drivers (since 4.1.0)\n");
    // What the node does not have is not offered.
    run(&["complete", "CreateZ"]).succeeds().stdout("CreateZone\tapi\tneeds name\n");
    run(&["complete", "QueryVmInst"]).succeeds().stdout("");
    run(&["help", "AddImage"]).succeeds().stdout_has("since 4.1.0, the node has 4.0.0");
}

#[test]
fn tab_never_asks_what_a_node_could_take_for_another_api() {
    let home = Home::new();
    let rows = format!(r#"{{"inventories":[{{"uuid":"{UUID}","name":"store"}}]}}"#);
    let offered = |apis: &[&str]| {
        let node = node("5.2.1", apis, Reply::ok(rows.clone()));
        let done = with_session(&home, &node, &["complete", "ReconnectImageStoreBackupStorage uuid="]).succeeds();
        (done.out().contains(UUID), came(&node).iter().any(|request| request.starts_with("GET")))
    };
    assert_eq!(offered(&["QueryBackupStorage"]), (false, false));
    assert_eq!(offered(&["QueryImageStoreBackupStorage"]), (true, true));
}

#[test]
fn the_catalog_tells_what_is_new() {
    let home = Home::new();
    let since = home.run(["catalog", "list", "--since", "5.5.0"]).succeeds();
    assert!(since.out().lines().any(|line| line.starts_with("GenerateHygonMdevDevices\t")), "{}", since.out());
    assert!(!since.out().contains("CreateZone\t"));
    let diff = home.run(["catalog", "diff", "4.6.21", "4.6.31"]).succeeds();
    diff.stdout_has("changed\trequest\tAttachDataVolumeToVm\n").stdout_has("new\tapi\t");
    let back = home.run(["catalog", "diff", "5.5.6", "5.5.0", "-o", "json"]).succeeds().json();
    assert!(
        back["inventories"].as_array().is_some_and(|rows| rows.iter().all(|row| row["change"] == "gone")),
        "{back}"
    );
    home.run(["catalog", "diff", "4.8.0", "new"]).fails(1).stdout("").stderr_has("`new` is not a ZStack version");
    let versions = home.run(["catalog", "version"]).succeeds();
    assert!(
        versions.out().starts_with("5.5.6\n5.5.0\n") && versions.out().ends_with("\n3.10.0\n"),
        "{}",
        versions.out()
    );
}
