//! Single resources, and the database as a file.

use std::fs;

use super::super::{Row, Scalar, Store, StoreError, TagKind};
use super::{conditions, names, refusal, reply, store};

fn in_store<T>(store: &Store, work: impl FnOnce(&super::super::Transaction<'_>) -> Result<T, StoreError>) -> T {
    store.transaction(work).expect("the change is made")
}

#[test]
fn resources_are_added_changed_and_removed() {
    let store = store();
    let zone = "0123456789ab4def8123456789abcdef";
    let row = Row::new().with("uuid", zone).with("name", "lab").with("isDefault", false).with("state", "Enabled");
    in_store(&store, |tx| tx.insert("ZoneInventory", &row));
    let kind = in_store(&store, |tx| tx.kind_of(zone));
    assert_eq!(kind.as_deref(), Some("ZoneInventory"));
    let found = in_store(&store, |tx| tx.get("ZoneInventory", zone)).expect("the zone is there");
    assert_eq!(found.text("name"), Some("lab"));
    assert_eq!(found.get("isDefault"), &Scalar::Bool(false));
    assert_eq!(found.text("createDate"), found.text("lastOpDate"));
    assert_eq!(found.text("createDate").map(str::len), Some("2025-03-04 14:12:01".len()));

    let renamed = Row::new().with("name", "rack 7").with("description", "it's <new>");
    assert!(in_store(&store, |tx| tx.update("ZoneInventory", zone, &renamed)));
    let json = in_store(&store, |tx| tx.inventory_json("ZoneInventory", zone)).expect("the zone is there");
    assert!(json.contains("\"name\":\"rack 7\"") && json.contains("\"isDefault\":false"), "{json}");
    assert!(json.contains("it\\u0027s \\u003cnew\\u003e"), "{json}");
    assert!(!in_store(&store, |tx| tx.update("ZoneInventory", "nowhere", &renamed)));

    assert!(in_store(&store, |tx| tx.delete("ZoneInventory", zone)));
    assert!(!in_store(&store, |tx| tx.delete("ZoneInventory", zone)));
    assert_eq!(in_store(&store, |tx| tx.kind_of(zone)), None);
}

#[test]
fn of_records_the_newest_are_kept() {
    let store = store();
    for number in 1..=5 {
        let row = Row::new().with("apiName", format!("call {number}"));
        in_store(&store, |tx| tx.append("AuditsInventory", &row, 3));
    }
    let kept = in_store(&store, |tx| tx.find_where("AuditsInventory", &[]));
    let kept: Vec<_> = kept.iter().map(|row| (row.get("id").as_integer(), row.text("apiName"))).collect();
    assert_eq!(kept, [(Some(3), Some("call 3")), (Some(4), Some("call 4")), (Some(5), Some("call 5"))]);
}

#[test]
fn a_change_that_fails_changes_nothing() {
    let store = store();
    let outcome = store.transaction(|tx| {
        tx.delete_where("ZoneInventory", &[])?;
        tx.insert("ZoneInventory", &Row::new().with("nmae", "lab"))
    });
    assert!(matches!(outcome, Err(StoreError::UnknownField { inventory: "ZoneInventory", .. })));
    assert_eq!(names(&reply(&store, "ZoneInventory", &conditions(&[]))).len(), 2);
    let twice = store
        .transaction(|tx| tx.insert("ZoneInventory", &Row::new().with("uuid", "140ebc2fbdb74ae197323a69d432f25e")));
    assert!(matches!(twice, Err(StoreError::Database(_))));
    let nowhere = store.transaction(|tx| tx.get("NowhereInventory", "x"));
    assert!(matches!(nowhere, Err(StoreError::UnknownInventory(_))));
}

#[test]
fn many_values_lead_to_few_and_to_many_resources() {
    const KIND: &str = "VolumeInventory";
    let wanted: Vec<String> = (0..60).map(|number| format!("disk-{number:02}-a")).collect();
    for present in [3, 60] {
        let store = Store::empty().expect("a store in memory");
        let left = in_store(&store, |tx| {
            for number in 0..present {
                // Texts are compared without regard to case.
                tx.insert(KIND, &Row::new().with("uuid", format!("DISK-{number:02}-A")).with("name", "there"))?;
            }
            tx.insert(KIND, &Row::new().with("uuid", "another"))?;
            assert_eq!(tx.texts_among(KIND, "uuid", ("uuid", &wanted), &[("name", "there")])?.len(), present);
            tx.update_among(KIND, ("uuid", &wanted), &Row::new().with("vmInstanceUuid", "disk-02-a"))?;
            assert_eq!(tx.find(KIND, "vmInstanceUuid", &Scalar::from("disk-02-a"))?.len(), present);
            tx.clear_among(KIND, ("vmInstanceUuid", &wanted))?;
            assert!(tx.texts(KIND, "vmInstanceUuid", &[])?.is_empty());
            tx.delete_among(KIND, ("uuid", &wanted))?;
            tx.texts(KIND, "uuid", &[])
        });
        assert_eq!(left, ["another"], "{present}");
    }
}

#[test]
fn special_inventories_live_among_the_general_ones() {
    let store = store();
    let ceph = "eed424abee694bcda5a5e414a61ea3d3";
    let special = in_store(&store, |tx| tx.special_inventory("BackupStorageInventory", ceph));
    assert_eq!(special.as_deref(), Some("CephBackupStorageInventory"));
    assert!(in_store(&store, |tx| tx.get("SftpBackupStorageInventory", ceph)).is_none());
    assert!(in_store(&store, |tx| tx.get("CephBackupStorageInventory", ceph)).is_some());
    let attached = in_store(&store, |tx| tx.find("BackupStorageZoneRefInventory", "backupStorageUuid", &ceph.into()));
    assert_eq!(attached.len(), 1);
    let removed = in_store(&store, |tx| {
        tx.delete_where("BackupStorageZoneRefInventory", &[("backupStorageUuid", Scalar::from(ceph))])
    });
    assert_eq!(removed, 1);
    let found = reply(&store, "BackupStorageInventory", &conditions(&["name=ceph-bs"]));
    assert_eq!(found["inventories"][0]["attachedZoneUuids"], serde_json::json!([]));
}

#[test]
fn a_family_gets_its_table_with_its_first_row() {
    let store = store();
    assert_eq!(names(&reply(&store, "VpcHaGroupInventory", &conditions(&["name=x"]))).len(), 0);
    in_store(&store, |tx| tx.insert("VpcHaGroupInventory", &Row::new().with("uuid", "g").with("name", "x")));
    assert_eq!(names(&reply(&store, "VpcHaGroupInventory", &conditions(&["name=x"]))), ["x"]);
}

#[test]
fn tags_and_owners() {
    let store = store();
    let zone = "195ae9157b9248e3889cc56cfd7d0f8d";
    in_store(&store, |tx| tx.add_tag(TagKind::User, zone, "ZoneVO", "far"));
    in_store(&store, |tx| tx.add_tag(TagKind::System, zone, "ZoneVO", "rack::7"));
    let far = conditions(&["__userTag__=far", "__systemTag__~=rack::%"]);
    assert_eq!(names(&reply(&store, "ZoneInventory", &far)), ["zone-2"]);
    in_store(&store, |tx| tx.remove_tags(zone));
    assert_eq!(names(&reply(&store, "ZoneInventory", &far)).len(), 0);

    in_store(&store, |tx| tx.set_owner(zone, "ZoneVO", "a"));
    in_store(&store, |tx| tx.set_owner(zone, "ZoneVO", "b"));
    assert_eq!(in_store(&store, |tx| tx.owner(zone)).as_deref(), Some("b"));
    in_store(&store, |tx| tx.remove_owner(zone));
    assert_eq!(in_store(&store, |tx| tx.owner(zone)), None);
}

#[test]
fn the_file_survives_and_is_shared() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("below").join("sandbox.db");
    let first = Store::open(&path).expect("the database is made");
    assert!(first.set_aside().is_none());
    let second = Store::open(&path).expect("the database is opened a second time");
    in_store(&first, |tx| tx.insert("ZoneInventory", &Row::new().with("uuid", "z").with("name", "lab")));
    assert_eq!(names(&reply(&second, "ZoneInventory", &conditions(&["name=lab"]))), ["lab"]);
    in_store(&second, |tx| tx.insert("VpcHaGroupInventory", &Row::new().with("uuid", "g").with("name", "x")));
    assert_eq!(names(&reply(&first, "VpcHaGroupInventory", &conditions(&[]))), ["x"]);
    drop((first, second));
    let again = Store::open(&path).expect("the database is opened again");
    assert_eq!(names(&reply(&again, "ZoneInventory", &conditions(&["name=lab"]))), ["lab"]);
}

#[test]
fn writers_at_the_same_time_wait_for_each_other() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("sandbox.db");
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let path = &path;
            scope.spawn(move || {
                let store = Store::open(path).expect("the database is opened or made");
                for number in 0..20 {
                    let uuid = format!("{writer}-{number}");
                    in_store(&store, |tx| tx.insert("ZoneInventory", &Row::new().with("uuid", uuid)));
                }
            });
        }
    });
    let store = Store::open(&path).expect("the database is opened");
    assert_eq!(names(&reply(&store, "ZoneInventory", &conditions(&[]))).len(), 2 + 80);
}

#[test]
fn a_damaged_database_is_set_aside_and_told_of() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("sandbox.db");
    for damage in ["text", "header", "middle"] {
        drop(Store::open(&path).expect("the database is made"));
        let mut bytes = fs::read(&path).expect("the file can be read");
        match damage {
            "text" => bytes = b"this is no database, whatever its name says".repeat(100),
            "header" => bytes[..64].fill(0xff),
            _ => bytes[4096..65536].fill(0xa5),
        }
        fs::write(&path, &bytes).expect("the file can be written");
        let store = Store::open(&path).expect("a fresh database takes its place");
        let aside = store.set_aside().expect("it is told where the damaged one is").to_owned();
        assert_eq!(fs::read(&aside).expect("the damaged file is kept"), bytes, "{damage}");
        assert_eq!(names(&reply(&store, "ZoneInventory", &conditions(&[]))).len(), 2, "{damage}");
        drop(store);
        assert!(Store::open(&path).expect("the fresh one is sound").set_aside().is_none(), "{damage}");
    }
}

#[test]
fn damage_in_a_large_database_is_met_later_and_can_be_reset() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("sandbox.db");
    let store = Store::open(&path).expect("the database is made");
    store.seed_vms(5000).expect("rows are added");
    drop(store);
    let mut bytes = fs::read(&path).expect("the file can be read");
    assert!(bytes.len() > 10 << 20, "the file is too small for this test: {}", bytes.len());
    bytes[4 << 20..9 << 20].fill(0xa5);
    fs::write(&path, &bytes).expect("the file can be written");
    let store = Store::open(&path).expect("large files are not read whole");
    assert!(store.set_aside().is_none());
    let error = refusal(&store, "VmInstanceInventory", &conditions(&["guestOsType~=%x%"])).to_string();
    assert!(error.contains("malformed"), "{error}");
    store.reset().expect("the damaged file is replaced");
    let aside = store.set_aside().expect("it is told where the damaged one is");
    assert_eq!(fs::metadata(aside).expect("the damaged file is kept").len(), bytes.len() as u64);
    assert_eq!(names(&reply(&store, "ZoneInventory", &conditions(&[]))).len(), 2);
}

#[test]
fn only_the_owner_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("sandbox.db");
    let store = Store::open(&path).expect("the database is made");
    in_store(&store, |tx| tx.set_owner("195ae9157b9248e3889cc56cfd7d0f8d", "ZoneVO", "a"));
    for entry in fs::read_dir(directory.path()).expect("the directory can be read") {
        let entry = entry.expect("the directory can be read");
        let mode = entry.metadata().expect("the file is there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", entry.path().display());
    }
}

#[test]
fn a_database_of_another_layout_is_left_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("sandbox.db");
    let other = rusqlite::Connection::open(&path).expect("the file is made");
    other.pragma_update(None, "user_version", 99).expect("the number is set");
    drop(other);
    assert!(matches!(Store::open(&path), Err(StoreError::Layout { found: 99, .. })));
    assert!(matches!(Store::open(directory.path()), Err(StoreError::Database(_) | StoreError::File { .. })));
}
