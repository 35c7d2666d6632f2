//! Catalogs out of jars: what an import says, which node gets it, and what its APIs then are.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::harness::{Home, Run};
use crate::node::{Node, Recorded, Reply};

const UUID: &str = "1ab3b836a88342e1bbc1b1a17d092f0f";

fn jar(name: &str) -> String {
    format!("{}/tests/data/sdk/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn file_of(home: &Home, version: &str) -> PathBuf {
    home.path().join(format!("data/catalogs/{version}.json"))
}

/// A home with the SDK of 5.4.1.
fn imported() -> Home {
    let home = Home::new();
    home.run(["catalog", "import", &jar("sdk-5.4.1.jar")]).succeeds();
    home
}

/// A node of that version, whose jobs end at the first look.
fn node(version: &str) -> Node {
    let version = format!(r#"{{"version":"{version}"}}"#);
    Node::start(move |request| match request.path() {
        _ if String::from_utf8_lossy(&request.body).contains("getVersion") => Reply::ok(&version),
        _ if String::from_utf8_lossy(&request.body).contains("getSupportAPIs") => {
            Reply::ok(r#"{"supportApis":["APICreateGardenMsg","APIQueryZoneMsg","APIQueryHostMsg"]}"#)
        }
        path if path.starts_with("/zstack/v1/api-jobs/") => {
            Reply::ok(format!(r#"{{"inventory":{{"uuid":"{UUID}","name":"rose","state":"Growing"}}}}"#))
        }
        "/zstack/v1/gardens" if request.method == "POST" => Reply::Send(202, "{}".to_owned()),
        _ => Reply::ok(r#"{"inventories":[]}"#),
    })
}

fn with_session(home: &Home, node: &Node, words: &[&str]) -> Run {
    home.run(node.call(words)).variable("ZSTACK_SESSION_UUID", "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37")
}

fn last(node: &Node) -> Recorded {
    node.requests().last().cloned().expect("a request")
}

#[test]
fn an_import_says_what_it_found_and_keeps_it_for_its_user_alone() {
    let home = Home::new();
    let done = home.run(["catalog", "import", &jar("sdk-5.4.1.jar")]).succeeds();
    let path = file_of(&home, "5.4.1");
    let kept = path.display();
    let done = done.stdout(&format!(
        "ZStack 5.4.1: 8 APIs, 6 new, 1 changed; 3 inventories, 2 new\n\
         new: CreateGarden, DeleteGarden, GetGardenWeather, MoveGarden, QueryGarden, WaterGarden\n\
         changed: CreateZone\n\
         kept as {kept}\n"
    ));
    done.stderr_has("left out: PatchGardenAction (its verb is none that an API has)")
        .stderr_has("the jar does not tell how new inventories are related to others: GardenInventory");
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().expect("a folder"))), (0o600, 0o700));
    home.run(["-q", "catalog", "import", &jar("sdk-5.4.1.jar")]).succeeds().stderr("").stdout_has("replaced ");
    let versions = home.run(["catalog", "version"]).succeeds().out();
    assert!(versions.contains("\n5.4.2\n5.4.1\timported\n5.4.0\n"), "{versions}");
}

#[test]
fn the_version_is_said_where_no_name_says_it() {
    let home = Home::new();
    let import = |words: &[&str]| home.run([&["catalog", "import"], words].concat());
    import(&[&jar("newer.jar")])
        .fails(1)
        .stdout("")
        .stderr_has("its ZStack version is not known; say it with --version");
    for wrong in ["../5.4", "latest", ""] {
        import(&[&jar("newer.jar"), "--version", wrong]).fails(1).stdout("").stderr_has("is not a ZStack version");
    }
    import(&[&jar("newer.jar"), "--version", "5.4.1-h7"]).succeeds().stdout_has("ZStack 5.4.1-h7: 8 APIs");
    assert!(file_of(&home, "5.4.1-h7").exists());
    home.run(["catalog", "use", "5.4.1-h7"]).succeeds().stderr_has("ZStack 5.4.1-h7, imported from newer.jar, is used");
    home.run(["CreateGarden", "name=rose", &format!("zoneUuid={UUID}"), "--dry-run"]).succeeds();
}

#[test]
fn a_file_that_is_no_sdk_is_refused_and_leaves_nothing() {
    let home = Home::new();
    let whole = fs::read(jar("sdk-5.4.1.jar")).expect("the jar");
    let put = |name: &str, bytes: &[u8]| {
        let path = home.path().join(name);
        fs::write(&path, bytes).expect("it can be written");
        path.display().to_string()
    };
    for (file, reason) in [
        (put("sdk-1.1.jar", b"no jar at all"), "it is not a jar file"),
        (put("sdk-1.2.jar", b""), "it is empty"),
        (put("sdk-1.3.jar", &whole[..9000]), "it is cut short or damaged"),
        (jar("other-1.0.jar"), "it has no class of an API"),
    ] {
        let problem = format!("error: cannot import {file}: {reason}");
        home.run(["catalog", "import", &file]).fails(1).stdout("").stderr_has(&problem);
        let error = home.run(["catalog", "import", &file, "--errors", "json"]).fails(1).err();
        assert!(error.contains(r#""kind": "file", "exitCode": 1"#), "{error}");
    }
    home.run(["catalog", "import", "/no/such.jar"]).fails(1).stderr_has("error: cannot read /no/such.jar");
    home.run(["catalog", "import", "/dev/zero"]).fails(1).stderr_has("it holds more than an SDK does");
    assert!(!home.path().join("data/catalogs").exists());
}

#[test]
fn a_new_api_is_called_as_any_other() {
    let (home, node) = (imported(), node("5.4.1"));
    let zone = format!("zoneUuid={UUID}");
    let words = ["CreateGarden", "name=rose", &zone, "size=2G", "gatePassword=sesame", "-v"];
    let done = with_session(&home, &node, &words).succeeds().never_shows("sesame");
    assert_eq!(done.json()["inventory"]["state"], "Growing");
    let requests = node.requests();
    let came: Vec<String> = requests.iter().map(|request| format!("{} {}", request.method, request.path())).collect();
    assert_eq!(came[0], "POST /zstack/v1/gardens");
    assert!(came[1].starts_with("GET /zstack/v1/api-jobs/"), "{came:?}");
    let sent =
        serde_json::json!({"name": "rose", "zoneUuid": UUID, "size": 2_147_483_648_i64, "gatePassword": "sesame"});
    assert_eq!(requests[0].json()["params"], sent);
    with_session(&home, &node, &["QueryGarden", "state=Growing", "mainGardenerUuids=a"]).done();
    assert_eq!(last(&node).path(), "/zstack/v1/gardens");
    // What is wrong is said before anything is sent.
    let before = node.requests().len();
    with_session(&home, &node, &["CreateGarden", "name=rose"]).fails(1).stderr_has("needs zoneUuid");
    with_session(&home, &node, &["CreateGarden", "name=rose", &zone, "layout=Steep"])
        .fails(1)
        .stderr_has("Flat, Terraced");
    with_session(&home, &node, &["CreateGarden", "name=rose", &zone, "colour=red"]).fails(1).stderr_has("colour");
    with_session(&home, &node, &["QueryGarden", "stat=Growing"]).fails(1).stderr_has("did you mean `state`?");
    assert_eq!(node.requests().len(), before);
    assert!(home.run(["complete", "CreateGar"]).succeeds().out().starts_with("CreateGarden\tapi\t"));
    home.run(["complete", "CreateGarden lay"]).succeeds().stdout("layout=\tparam\tFlat | Terraced\n");
    home.run(["help", "CreateGarden"]).succeeds().stdout_has("at most 70000 characters");
    home.run(["catalog", "list", "waterg"]).succeeds().stdout("WaterGarden\tPUT\t/gardens/{uuid}/actions\n");
    home.run(["catalog", "show", "GardenInventory"]).succeeds().stdout_has("mainGardenerUuids");
}

#[test]
fn the_catalog_in_use_is_that_of_the_nodes_version() {
    let home = imported();
    let zone = ["CreateZone", "name=z", "climate=mild", "--dry-run"];
    let plain = ["CreateZone", "name=z", "--dry-run"];
    // Nothing is known of the node: what was imported last counts.
    let other = node("5.5.0");
    with_session(&home, &other, &zone).succeeds();
    with_session(&home, &other, &plain).fails(1).stderr_has("CreateZone needs climate");
    // It is of another version, for which the program's own catalog is the closer one.
    with_session(&home, &other, &["catalog", "sync", "-q"]).succeeds();
    with_session(&home, &other, &plain).succeeds();
    with_session(&home, &other, &zone).fails(1).stderr_has("climate");
    // An API that only the import has is found all the same.
    with_session(&home, &other, &["WaterGarden", &format!("uuid={UUID}"), "--dry-run"]).succeeds();
    let same = node("5.4.1");
    with_session(&home, &same, &["catalog", "sync", "-q"]).succeeds();
    with_session(&home, &same, &zone).succeeds();
    // By hand.
    home.run(["catalog", "use", "5.4.1"]).succeeds().stderr_has("imported from sdk-5.4.1.jar");
    with_session(&home, &other, &zone).succeeds();
    home.run(["catalog", "use", "5.4.0"]).succeeds();
    with_session(&home, &same, &plain).succeeds();
    // The sandbox is not of that version.
    home.run(["catalog", "use", "auto"]).succeeds();
    home.run(["--sandbox", "CreateZone", "name=z", "--dry-run"]).succeeds();
}

#[test]
fn a_log_in_works_with_a_catalog_that_does_not_have_it() {
    let home = imported();
    let session = format!(r#"{{"inventory":{{"uuid":"{UUID}","accountUuid":"{UUID}"}}}}"#);
    let node = Node::start(move |_| Reply::ok(&session));
    let words = node.call(&["LogInByAccount", "accountName=admin", "password=password"]);
    home.run(words).succeeds();
    assert_eq!(last(&node).path(), "/zstack/v1/accounts/login");
}

#[test]
fn what_an_import_changes_is_listed() {
    let home = imported();
    let rows = home.run(["catalog", "diff", "builtin:5.4.1", "5.4.1"]).succeeds().out();
    for row in [
        "new\tapi\tCreateGarden\n",
        "new\tparameter\tCreateZone.climate\n",
        "new\tinventory\tGardenInventory\n",
        "new\tfield\tZoneInventory.climate\n",
        "gone\tparameter\tCreateZone.isDefault\n",
    ] {
        assert!(rows.contains(row), "{row} is not in {rows}");
    }
    let back = home.run(["catalog", "diff", "5.4.1", "builtin:5.4.1"]).succeeds().out();
    assert!(back.contains("gone\tapi\tCreateGarden\n") && back.contains("new\tparameter\tCreateZone.isDefault\n"));
    home.run(["catalog", "diff", "5.4.1", "5.4.1"]).succeeds().stdout("");
    home.run(["catalog", "diff", "builtin:x", "5.4.1"]).fails(1).stderr_has("`x` is not a ZStack version");
}

#[test]
fn a_damaged_catalog_is_left_out_with_a_warning() {
    let home = imported();
    let path = file_of(&home, "5.4.1");
    let text = fs::read_to_string(&path).expect("the catalog");
    let warned = "warning: the imported catalog is left out:";
    for damage in
        [&text[..text.len() / 2], "", "{}\n", &text.replace("\"path\"", "\"pith\""), &text.replace("\"/", "\"")]
    {
        fs::write(&path, damage).expect("it can be written");
        home.run(["QueryZone", "--dry-run"]).succeeds().stderr_has(warned);
    }
    // One entry may be wrong without the others.
    fs::write(&path, text.replace("\"maxLength\":255,\"minLength\":2", "\"maxLength\":\"x\""))
        .expect("it can be written");
    home.run(["CreateGarden", "name=rose", "--dry-run"]).fails(1).stderr_has("CreateGarden");
    home.run(["WaterGarden", &format!("uuid={UUID}"), "--dry-run"]).succeeds();
    fs::write(&path, &text).expect("it can be written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("it can be set");
    home.run(["QueryZone", "--dry-run"]).succeeds().stderr_has(warned);
}
