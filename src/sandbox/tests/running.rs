//! Starting, stopping, sharing and looking after sandboxes.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::mpsc::{channel, sync_channel};

use super::super::clock::UnixMillis;
use super::super::ledger::Ledger;
use super::harness::{Sandbox, ZONE};
use crate::sandbox::{Database, Edition, Error, Fault, FaultKind, Options, path, reset, seed, serve, start};

fn at(directory: &Path) -> Options {
    Options { database: Database::Directory(directory.to_owned()), ..Options::default() }
}

const LAB: &str = r#"{"params":{"name":"lab"}}"#;

#[test]
fn state_outlives_the_process_and_sessions_of_one_run_do_not() {
    let directory = tempfile::tempdir().expect("a directory");
    let first = Sandbox::with(at(directory.path()));
    assert_eq!(first.change("POST", "/zones", LAB).status, 200);
    let session = first.running.session_uuid().to_owned();
    drop(first);
    let second = Sandbox::with(at(directory.path()));
    assert_eq!(second.rows("/zones?q=name%3Dlab").len(), 1);
    assert_eq!(second.call_as(&session, "GET", "/zones", "").code(), "ID.1001");
    assert!(path(directory.path()).is_file());
}

#[test]
fn a_job_begun_by_one_process_is_ended_by_the_next() {
    let directory = tempfile::tempdir().expect("a directory");
    let first = Sandbox::with(Options { speed: 100.0, ..at(directory.path()) });
    let taken = first.call("POST", "/zones", LAB);
    assert_eq!(taken.status, 202);
    drop(first);
    let second = Sandbox::with(at(directory.path()));
    assert_eq!(second.finish(&taken).json()["inventory"]["name"], "lab");
    assert_eq!(second.rows("/zones?q=name%3Dlab").len(), 1, "the job ran once");
}

#[test]
fn a_big_deletion_that_was_broken_off_is_carried_on() {
    let directory = tempfile::tempdir().expect("a directory");
    seed(directory.path(), Some(3_000)).expect("machines");
    let first = Sandbox::with(Options { speed: 100.0, ..at(directory.path()) });
    let taken = first.call("DELETE", &format!("/zones/{ZONE}"), "");
    assert_eq!(taken.status, 202);
    drop(first);
    // The process that began it was killed.
    let ledger = Ledger::open(&directory.path().join("sessions.sqlite3")).expect("the ledger");
    let claimed = ledger.claim_job(UnixMillis(i64::MAX), |_| true).expect("a claim").expect("the job");
    assert_eq!(claimed.api, "DeleteZone");
    drop(ledger);
    let second = Sandbox::with(at(directory.path()));
    assert_eq!(second.finish(&taken).status, 200);
    assert!(second.rows(&format!("/zones?q=uuid%3D{ZONE}")).is_empty());
    let left = second.rows("/vm-instances");
    assert!(!left.is_empty() && left.iter().all(|vm| vm["zoneUuid"] != ZONE), "{}", left.len());
    for path in ["/vm-instances/nics", "/volumes?q=type%3DRoot"] {
        let orphans = second.rows(path);
        let owner = |row: &serde_json::Value| left.iter().any(|vm| vm["uuid"] == row["vmInstanceUuid"]);
        assert!(orphans.iter().all(owner), "{path}");
    }
}

#[test]
fn others_change_and_read_while_a_zone_is_deleted() {
    let directory = tempfile::tempdir().expect("a directory");
    seed(directory.path(), Some(6_000)).expect("machines");
    let sandbox = Sandbox::with(at(directory.path()));
    let taken = sandbox.call("DELETE", &format!("/zones/{ZONE}"), "");
    let made = sandbox.change("POST", "/zones", LAB);
    assert_eq!(made.status, 200, "{made:?}");
    assert_eq!(sandbox.rows("/zones?q=name%3Dlab").len(), 1);
    assert_eq!(sandbox.finish(&taken).status, 200);
    assert!(sandbox.rows(&format!("/vm-instances?q=zoneUuid%3D{ZONE}")).is_empty());
}

#[test]
fn two_processes_share_one_state() {
    let directory = tempfile::tempdir().expect("a directory");
    let (one, two) = (Sandbox::with(at(directory.path())), Sandbox::with(at(directory.path())));
    let taken = one.call("POST", "/zones", LAB);
    assert_eq!(two.finish(&taken).status, 200);
    assert_eq!(one.rows("/zones?q=name%3Dlab").len(), 1);
    // A session of one is good at the other.
    assert_eq!(two.call_as(one.running.session_uuid(), "GET", "/zones", "").status, 200);
}

#[test]
fn a_reset_brings_the_first_cloud_back_and_ends_sessions() {
    let directory = tempfile::tempdir().expect("a directory");
    let sandbox = Sandbox::with(at(directory.path()));
    assert_eq!(sandbox.change("POST", "/zones", LAB).status, 200);
    reset(directory.path()).expect("a reset");
    assert_eq!(sandbox.call("GET", "/zones", "").code(), "ID.1001");
    drop(sandbox);
    let fresh = Sandbox::with(at(directory.path()));
    assert_eq!(fresh.rows("/zones").len(), 2);
    let before = fresh.rows("/vm-instances").len();
    seed(directory.path(), Some(7)).expect("seven more");
    assert_eq!(fresh.rows("/vm-instances").len(), before + 7);
}

#[test]
fn damaged_databases_are_set_aside_and_told_of() {
    let directory = tempfile::tempdir().expect("a directory");
    drop(start(at(directory.path())).expect("a sandbox"));
    for file in ["cloud.sqlite3", "sessions.sqlite3"] {
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(directory.path().join(format!("{file}{suffix}")));
        }
        std::fs::write(directory.path().join(file), "this is no database, by any means").expect("a file");
    }
    let sandbox = Sandbox::with(at(directory.path()));
    assert_eq!(sandbox.running.set_aside().len(), 2, "{:?}", sandbox.running.set_aside());
    for file in sandbox.running.set_aside() {
        assert_eq!(std::fs::read_to_string(file).expect("the old file"), "this is no database, by any means");
    }
    assert_eq!(sandbox.rows("/zones").len(), 2);
}

#[test]
fn an_address_in_use_is_an_error_that_names_it() {
    let sandbox = Sandbox::new();
    let taken = Options { port: sandbox.running.address().port(), ..Options::default() };
    let error = start(taken).expect_err("the port is taken");
    assert!(matches!(error, Error::Listen { address, .. } if address == sandbox.running.address()), "{error}");
}

#[test]
fn serving_says_where_and_how_and_warns_when_others_can_reach_it() {
    let text = |options: Options| {
        let (stop, stopped) = channel::<()>();
        drop(stop);
        let mut out = Vec::new();
        serve(options, &mut out, &stopped).expect("a sandbox");
        String::from_utf8(out).expect("text")
    };
    let quiet = text(Options::default());
    assert!(quiet.contains("listening on http://127.0.0.1:") && quiet.contains("/zstack"), "{quiet}");
    assert!(quiet.contains("`admin`") && quiet.contains("`password`"), "{quiet}");
    assert!(!quiet.contains("warning"), "{quiet}");
    let open = text(Options { bind: IpAddr::V4(Ipv4Addr::UNSPECIFIED), ..Options::default() });
    assert!(open.contains("warning: others than this machine"), "{open}");
    let faulty = text(Options { faults: vec![Fault::of(FaultKind::Slow, "QueryZone")], ..Options::default() });
    assert!(faulty.contains("faults: slow:QueryZone"), "{faulty}");
    let version = Some("4.8.0".parse().expect("a version"));
    let older = text(Options { edition: Edition::Open, version, ..Options::default() });
    assert!(older.ends_with("  edition: open\n  version: 4.8.0\n"), "{older}");
    assert!(!faulty.contains("edition"), "{faulty}");
}

#[test]
fn serving_goes_on_until_it_is_told_to_stop() {
    let (stop, stopped) = sync_channel::<()>(0);
    let server = std::thread::spawn(move || serve(Options::default(), &mut Vec::new(), &stopped));
    // A channel without room hands over only when the server waits for it.
    stop.send(()).expect("the server waits");
    server.join().expect("the server ends").expect("without an error");
}

#[test]
fn nobody_else_can_read_the_databases() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().expect("a directory");
    let loose = directory.path().join("sessions.sqlite3");
    std::fs::write(&loose, "").expect("a file");
    std::fs::set_permissions(&loose, std::fs::Permissions::from_mode(0o644)).expect("permissions");
    let sandbox = Sandbox::with(at(directory.path()));
    assert_eq!(sandbox.rows("/zones").len(), 2);
    let mut seen = 0;
    for entry in std::fs::read_dir(directory.path()).expect("a directory") {
        let entry = entry.expect("an entry");
        let mode = entry.metadata().expect("metadata").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?} {mode:o}", entry.path());
        seen += 1;
    }
    assert!(seen >= 4, "the databases and what belongs to them: {seen}");
}
