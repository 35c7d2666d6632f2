//! The rules of section 8, one by one.

use super::super::{QueryRequest, ServerError, Viewer};
use super::{column, conditions, names, refusal, reply, store};

/// The text of a 503 `SYS.1000`.
fn internal(error: ServerError) -> String {
    match error {
        ServerError::Failed { code: "SYS.1000", description: "An internal error happened in system", details } => {
            details
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn conditions_find_what_the_rules_say() {
    let store = store();
    let cases: [(&str, &[&str], &[&str]); 46] = [
        // Q2, Q3: blanks, empty values, null tests.
        ("Zone", &["name=zone-1"], &["zone-1"]),
        ("Zone", &[" name =zone-1"], &["zone-1"]),
        ("Zone", &["name= zone-1"], &[]),
        ("Zone", &["name==zone-1"], &["zone-1"]),
        ("Zone", &["name="], &[]),
        ("BackupStorage", &["description="], &["image-store"]),
        ("Zone", &["uuid!?="], &["zone-1", "zone-2"]),
        ("Cluster", &["description is null"], &["cluster-3"]),
        ("Cluster", &["description not null"], &["cluster-1", "cluster-2"]),
        ("Cluster", &["description=null"], &[]),
        // Q9: case, trailing spaces, null rows, LIKE on the whole value.
        ("Zone", &["name=ZONE-1  "], &["zone-1"]),
        ("Zone", &["uuid=140EBC2FBDB74AE197323A69D432F25E"], &["zone-1"]),
        ("Cluster", &["description!=databases"], &["cluster-1"]),
        ("Cluster", &["description!~=data%"], &["cluster-1"]),
        ("Cluster", &["description!?=databases,x"], &["cluster-1"]),
        ("Cluster", &["name~=CLUSTER-_"], &["cluster-1", "cluster-2", "cluster-3"]),
        ("Cluster", &["name~=cluster"], &[]),
        ("Cluster", &["name~=%-2"], &["cluster-2"]),
        ("Cluster", &["name?=cluster-1,CLUSTER-3"], &["cluster-1", "cluster-3"]),
        ("Cluster", &["name?=cluster-1, cluster-3"], &["cluster-1"]),
        ("Cluster", &["name>cluster-1", "name<=cluster-3"], &["cluster-2", "cluster-3"]),
        // Q8: all must hold, duplicates do no harm.
        ("Cluster", &["state=Enabled", "state=Enabled", "name=cluster-1"], &["cluster-1"]),
        // Q10: numbers and dates.
        ("InstanceOffering", &["cpuNum>=16"], &["xlarge"]),
        ("InstanceOffering", &["cpuNum=16 cores"], &["xlarge"]),
        ("InstanceOffering", &["cpuNum>many", "cpuNum<2"], &["tiny"]),
        ("InstanceOffering", &["cpuNum=many"], &[]),
        ("InstanceOffering", &["memorySize?=1073741824,34359738368"], &["tiny", "xlarge"]),
        ("BackupStorage", &["createDate<2019-01-01"], &["image-store"]),
        ("BackupStorage", &["createDate=2019-12-14 09:46:05"], &["ceph-bs"]),
        ("BackupStorage", &["createDate>Dec 14, 2019 9:46:05 AM"], &["ceph-bs", "image-store"]),
        ("BackupStorage", &["createDate=Dec 14, 2019 9:46:05 AM"], &[]),
        ("BackupStorage", &["createDate~=2018-%"], &["image-store"]),
        // Q11: booleans, and the list that finds the false rows.
        ("Zone", &["isDefault=true"], &["zone-1"]),
        ("Zone", &["isDefault!=true"], &["zone-2"]),
        ("Zone", &["isDefault?=true"], &["zone-2"]),
        ("Zone", &["isDefault?=1"], &["zone-1"]),
        // Q13: relations at any depth, aliases, hidden ones, lists of uuids.
        ("Zone", &["backupStorage.name=ceph-bs"], &["zone-2"]),
        ("Zone", &["backupStorageRef.backupStorage.name=ceph-bs"], &["zone-2"]),
        ("Zone", &["host.cluster.zone.name=zone-1"], &["zone-1"]),
        ("BackupStorage", &["attachedZoneUuids=140ebc2fbdb74ae197323a69d432f25e"], &["image-store"]),
        ("BackupStorage", &["zone.name~=zone-%", "zone.isDefault=false"], &["ceph-bs"]),
        // Q15: tags.
        ("BackupStorage", &["__systemTag__=remote"], &["ceph-bs"]),
        ("BackupStorage", &["__systemTag__!=remote"], &["image-store"]),
        ("Zone", &["backupStorage.__systemTag__!=remote"], &["zone-1"]),
        ("Zone", &["__userTag__ not null"], &["zone-1"]),
        ("Zone", &["__userTag__ is null"], &[]),
    ];
    for (inventory, texts, wanted) in cases {
        let found = reply(&store, &format!("{inventory}Inventory"), &conditions(texts));
        assert_eq!(names(&found), wanted, "{inventory} {texts:?}");
    }
}

#[test]
fn each_condition_on_a_list_may_be_met_by_another_member() {
    let store = store();
    // db-1 has a nic on each network; no nic is on both.
    let both = conditions(&["vmNics.l3Network.name=flat-net", "vmNics.l3Network.name=public-net"]);
    assert_eq!(names(&reply(&store, "VmInstanceInventory", &both)), ["db-1"]);
    // "Some nic with another ip": all machines with two nics or another address.
    let ip = reply(&store, "VmInstanceInventory", &conditions(&["name=web-1"]));
    let ip = ip["inventories"][0]["vmNics"][0]["ip"].as_str().expect("web-1 has an address").to_owned();
    let other = reply(&store, "VmInstanceInventory", &conditions(&[&format!("vmNics.ip!={ip}")]));
    assert!(!names(&other).contains(&"web-1".to_owned()));
    assert_eq!(names(&other).len(), 24);
}

#[test]
fn a_condition_on_the_type_field_turns_to_the_special_inventory() {
    let store = store();
    let unknown = refusal(&store, "HostInventory", &conditions(&["username=root"]));
    let text = internal(unknown);
    assert!(text.ends_with("inventory class[class org.zstack.header.host.HostInventory] not having field[username]"));
    let hosts = reply(&store, "HostInventory", &conditions(&["username=root", "hypervisorType=KVM"]));
    assert_eq!(names(&hosts).len(), 6);
    let mut request = conditions(&["type=L2VlanNetwork", "vlan=100"]);
    request.fields = Some("name,vlan".to_owned());
    let networks = reply(&store, "L2NetworkInventory", &request);
    assert_eq!(networks["inventories"], serde_json::json!([{"vlan": 100, "name": "l2-public"}]));
    let storages =
        reply(&store, "BackupStorageInventory", &conditions(&["type=ImageStoreBackupStorage", "sshPort=22"]));
    assert_eq!(names(&storages), ["image-store"]);
    // The special inventory's own query sees its rows only.
    assert_eq!(names(&reply(&store, "CephBackupStorageInventory", &conditions(&[]))), ["ceph-bs"]);
    assert_eq!(names(&reply(&store, "SftpBackupStorageInventory", &conditions(&[]))), [""; 0]);
}

#[test]
fn the_documented_backup_storages_carry_every_member() {
    let store = store();
    let storages = reply(&store, "BackupStorageInventory", &conditions(&["name=image-store"]));
    assert_eq!(
        storages["inventories"][0],
        serde_json::json!({
            "attachedZoneUuids": ["140ebc2fbdb74ae197323a69d432f25e"],
            "availableCapacity": 4_931_431_059_456_i64,
            "createDate": "Apr 11, 2018 2:50:54 PM",
            "description": "",
            "hostname": "172.20.1.115",
            "lastOpDate": "Dec 13, 2019 7:32:49 PM",
            "name": "image-store",
            "sshPort": 22,
            "state": "Enabled",
            "status": "Connected",
            "totalCapacity": 9_992_857_976_832_i64,
            "type": "ImageStoreBackupStorage",
            "url": "/zstack_imagestore",
            "username": "root",
            "uuid": "1ab3b836a88342e1bbc1b1a17d092f0f"
        })
    );
    let storages = reply(&store, "BackupStorageInventory", &conditions(&["type=Ceph"]));
    let ceph = &storages["inventories"][0];
    assert_eq!(ceph["poolName"], "bak-t-eed424abee694bcda5a5e414a61ea3d3");
    assert_eq!(ceph["poolAvailableCapacity"], 99_166_913_877_i64);
    assert_eq!(ceph["poolUsedCapacity"], 2_787_687_082_i64);
    assert_eq!(ceph["poolReplicatedSize"], 3);
    assert_eq!(
        ceph["mons"][2],
        serde_json::json!({
            "backupStorageUuid": "eed424abee694bcda5a5e414a61ea3d3",
            "createDate": "Dec 14, 2019 9:46:05 AM",
            "hostname": "172.24.247.108",
            "lastOpDate": "Dec 14, 2019 11:21:16 AM",
            "monAddr": "172.24.247.108",
            "monPort": 6789,
            "monUuid": "378826f5f690480983f39514e0b00f75",
            "sshPassword": "password",
            "sshPort": 22,
            "sshUsername": "root",
            "status": "Connected"
        })
    );
    assert_eq!(
        storages["schema"]["inventories[0].mons[2]"],
        "org.zstack.storage.ceph.backup.CephBackupStorageMonInventory"
    );
}

#[test]
fn pages_and_counts() {
    let store = store();
    let page = |limit: Option<&str>, start: Option<&str>| QueryRequest {
        limit: limit.map(str::to_owned),
        start: start.map(str::to_owned),
        sort: Some("+name".to_owned()),
        reply_with_count: true,
        ..QueryRequest::default()
    };
    let offerings = "InstanceOfferingInventory";
    let found = reply(&store, offerings, &page(Some("2"), Some("1")));
    assert_eq!(column(&found, "name"), ["medium", "router-offering"]);
    assert_eq!(found["total"], 6);
    assert_eq!(reply(&store, offerings, &page(Some("0"), None))["inventories"], serde_json::json!([]));
    let counted = reply(&store, offerings, &QueryRequest { count: true, ..conditions(&["cpuNum>4"]) });
    assert_eq!(counted, serde_json::json!({"total": 2, "schema": {}}));
    // Q16: what is no number is refused by the front end, what is negative by the parser.
    for (limit, start) in
        [(Some("ten"), None), (Some(""), None), (None, Some("1.5")), (Some("1 "), None), (Some("99999999999"), None)]
    {
        let error = refusal(&store, offerings, &page(limit, start));
        assert!(matches!(error, ServerError::Text { status: 400, .. }), "{limit:?} {start:?}");
    }
    internal(refusal(&store, offerings, &page(Some("-1"), None)));
    internal(refusal(&store, offerings, &page(None, Some("-1"))));
}

#[test]
fn without_a_limit_a_thousand_rows_come_silently() {
    let store = store();
    store.seed_vms(1200).expect("rows are added");
    let vms = "VmInstanceInventory";
    assert_eq!(column(&reply(&store, vms, &conditions(&[])), "name").len(), 1000);
    let all = QueryRequest { limit: Some("5000".to_owned()), ..QueryRequest::default() };
    assert_eq!(column(&reply(&store, vms, &all), "name").len(), 1225);
    let next = QueryRequest { start: Some("1000".to_owned()), ..QueryRequest::default() };
    assert_eq!(column(&reply(&store, vms, &next), "name").len(), 225);
    // Enough rows for the other way of following a relation.
    let related = QueryRequest { limit: Some("5000".to_owned()), ..conditions(&["vmNics.l3Network.category=Private"]) };
    assert_eq!(column(&reply(&store, vms, &related), "name").len(), 1224);
    let other = QueryRequest { limit: Some("5000".to_owned()), ..conditions(&["vmNics.ip!=10.64.0.36"]) };
    assert_eq!(column(&reply(&store, vms, &other), "name").len(), 1224);
}

#[test]
fn fields_are_stored_scalars_of_the_inventory_itself() {
    let store = store();
    let with = |fields: &str| QueryRequest { fields: Some(fields.to_owned()), ..QueryRequest::default() };
    let found = reply(&store, "ZoneInventory", &QueryRequest { sort: Some("-name".into()), ..with("uuid,name") });
    assert_eq!(
        found["inventories"],
        serde_json::json!([
            {"uuid": "195ae9157b9248e3889cc56cfd7d0f8d", "name": "zone-2", "isDefault": false},
            {"uuid": "140ebc2fbdb74ae197323a69d432f25e", "name": "zone-1", "isDefault": false}
        ])
    );
    assert_eq!(reply(&store, "ZoneInventory", &with("name,,"))["inventories"].as_array().map(Vec::len), Some(2));
    for (inventory, fields, named) in [
        ("Zone", "nmae", "nmae"),
        ("VmInstance", "vmNics", "vmNics"),
        ("VmInstance", "vmNics.ip", "vmNics.ip"),
        ("BackupStorage", "attachedZoneUuids", "attachedZoneUuids"),
        ("Host", "totalCpuCapacity", "totalCpuCapacity"),
        // R5: these are stored, and fail all the same.
        ("Zone", "isDefault", "isDefault"),
        ("Volume", "isShareable", "isShareable"),
        ("VolumeSnapshot", "groupUuid", "groupUuid"),
    ] {
        let text = internal(refusal(&store, &format!("{inventory}Inventory"), &with(fields)));
        assert!(text.ends_with(&format!("has no field[{named}]")), "{text}");
    }
    // Q20: empty fields are a parser's error about a text that the user never wrote.
    assert!(internal(refusal(&store, "ZoneInventory", &with(""))).contains("at line 1:"));
    // Q18: with fields both counts see only rows where the first field is not null.
    let clusters = "ClusterInventory";
    let counted =
        |fields: &str| reply(&store, clusters, &QueryRequest { count: true, ..with(fields) })["total"].clone();
    assert_eq!(counted("description,uuid"), 2);
    assert_eq!(counted("uuid,description"), 3);
    let page = reply(&store, clusters, &QueryRequest { reply_with_count: true, ..with("description,uuid") });
    assert_eq!(page["total"], 2);
    assert_eq!(page["inventories"].as_array().map(Vec::len), Some(3));
}

#[test]
fn sort_takes_one_stored_field() {
    let store = store();
    let sorted = |sort: &str| QueryRequest { sort: Some(sort.to_owned()), ..QueryRequest::default() };
    let clusters = "ClusterInventory";
    for (sort, wanted) in [
        ("+name", ["cluster-1", "cluster-2", "cluster-3"]),
        ("name", ["cluster-1", "cluster-2", "cluster-3"]),
        ("-name", ["cluster-3", "cluster-2", "cluster-1"]),
        ("+description", ["cluster-3", "cluster-2", "cluster-1"]),
    ] {
        assert_eq!(column(&reply(&store, clusters, &sorted(sort)), "name"), wanted, "{sort}");
    }
    assert_eq!(names(&reply(&store, "ZoneInventory", &sorted("-isDefault"))), ["zone-1", "zone-2"]);
    for sort in ["+nmae", "+zone.name", "+", "", "+name,uuid", "+availableCpuCapacity"] {
        internal(refusal(&store, if sort.contains("Cpu") { "HostInventory" } else { clusters }, &sorted(sort)));
    }
    let grouped = QueryRequest { group_by: Some("state".to_owned()), ..QueryRequest::default() };
    assert_eq!(names(&reply(&store, clusters, &grouped)).len(), 3);
}

#[test]
fn mistakes_are_answered_as_the_table_says() {
    let store = store();
    let zones = "ZoneInventory";
    for (text, end) in [
        ("nmae=lab", "inventory class[class org.zstack.header.zone.ZoneInventory] not having field[nmae]"),
        ("lab.name=x", "inventory class[class org.zstack.header.zone.ZoneInventory] have no expanded query[lab]"),
        ("host.nmae=x", "inventory class[class org.zstack.header.host.HostInventory] not having field[nmae]"),
        ("host.lab.name=x", "have no expanded query[lab]"),
        ("name=a!=b", "not having field[a]"),
        // R14: `name=state` compared with a text, and a boolean with what is none.
        ("name=state!=x", "unexpected AST node: ="),
        ("isDefault=nope", "[isDefault]: could not extract ResultSet"),
        // R9: the database has three bytes for a character.
        ("name=😀", "could not extract ResultSet"),
    ] {
        let text = internal(refusal(&store, zones, &conditions(&[text])));
        assert!(text.ends_with(end), "{text}");
    }
    // Q3, Q6, Z2: what does not parse.
    for text in ["name=it's", "name?=a,b'c", "limit=1", "host.limit=1", "name is not null", "na me=x", "naïve=x"] {
        let text = internal(refusal(&store, zones, &conditions(&[text])));
        assert!(text.contains("at line 1:"), "{text}");
    }
    // R6: a list of inventories is no value, and some relations are declared wrongly.
    for (inventory, text) in [
        ("VmInstance", "vmNics=x"),
        ("L3Network", "ipRanges is null"),
        ("VolumeSnapshot", "group.name=x"),
        ("LocalStorageResourceRef", "__systemTag__=x"),
    ] {
        let text = internal(refusal(&store, &format!("{inventory}Inventory"), &conditions(&[text])));
        assert!(text.ends_with("could not extract ResultSet"), "{text}");
    }
    for text in ["name", "=x", "name IS NULL"] {
        assert!(matches!(refusal(&store, zones, &conditions(&[text])), ServerError::Text { status: 400, .. }));
    }
    let filtered = |name: &str| QueryRequest { filter_name: Some(name.to_owned()), ..QueryRequest::default() };
    assert!(matches!(refusal(&store, zones, &filtered("x")), ServerError::Failed { code: "SYS.1007", .. }));
    internal(refusal(&store, zones, &filtered("x:y")));
}

#[test]
fn backslashes_escape_in_patterns_and_are_plain_elsewhere() {
    let store = store();
    store
        .transaction(|tx| -> Result<(), super::super::StoreError> {
            for name in ["a\\b", "50%", "50 of 100", "Büro"] {
                let row = super::super::Row::new().with("uuid", format!("{name}-uuid")).with("name", name);
                tx.insert("ZoneInventory", &row)?;
            }
            Ok(())
        })
        .expect("the rows are added");
    for (text, wanted) in [
        ("name=a\\b", "a\\b"),
        ("name~=a\\\\_", "a\\b"),
        ("name~=50\\%", "50%"),
        ("name?=a\\b,x", "a\\b"),
        ("name=BÜRO ", "Büro"),
        ("name~=bÜ%", "Büro"),
        ("name?=x,BÜRO", "Büro"),
    ] {
        assert_eq!(names(&reply(&store, "ZoneInventory", &conditions(&[text]))), [wanted], "{text}");
    }
    assert_eq!(names(&reply(&store, "ZoneInventory", &conditions(&["name~=50%"]))), ["50 of 100", "50%"]);
}

#[test]
fn other_accounts_see_their_own_and_shared_resources() {
    let store = store();
    let accounts = reply(&store, "AccountInventory", &conditions(&["name=dev-team"]));
    let viewer = Viewer { account_uuid: column(&accounts, "uuid").remove(0), is_admin: false };
    let seen = |inventory: &str, texts: &[&str]| {
        let text = store.query(inventory, &conditions(texts), &viewer).expect("the query is answered");
        names(&serde_json::from_str(&text).expect("the reply is JSON"))
    };
    assert_eq!(seen("VmInstanceInventory", &[]), ["dev-1", "dev-2", "dev-3", "dev-build", "dev-scratch"]);
    assert_eq!(seen("VmInstanceInventory", &["name=web-1"]), [""; 0]);
    assert_eq!(seen("L3NetworkInventory", &[]), ["flat-net", "public-net", "router-net"]);
    assert_eq!(seen("AccountInventory", &[]), ["dev-team"]);
    assert_eq!(seen("ZoneInventory", &[]), ["zone-1", "zone-2"]);
    assert_eq!(seen("UserInventory", &[]), ["alice", "bob"]);
}

#[test]
fn long_queries_are_answered() {
    let store = store();
    let many: Vec<String> = (0..350).map(|number| format!("vmNics.l3Network.zone.name!=zone-{number}")).collect();
    let request = QueryRequest { conditions: many, ..QueryRequest::default() };
    reply(&store, "VmInstanceInventory", &request);
    let list: Vec<String> = (0..2000).map(|number| format!("zone-{number}")).collect();
    let list = conditions(&[&format!("name?={}", list.join(","))]);
    assert_eq!(names(&reply(&store, "ZoneInventory", &list)), ["zone-1", "zone-2"]);
    let path = format!("{}name=x", "host.cluster.".repeat(40));
    internal(refusal(&store, "ZoneInventory", &conditions(&[&path])));
}

/// Keeps pieces apart, and stops after so many.
struct Kept(Vec<String>, usize);

impl super::super::Pieces for Kept {
    fn write(&mut self, piece: String) -> bool {
        self.0.push(piece);
        self.0.len() < self.1
    }
}

#[test]
fn a_long_reply_is_written_in_pieces_and_says_the_same() {
    let store = store();
    store.seed_vms(2_500).expect("rows are added");
    let all =
        QueryRequest { limit: Some("9999".to_owned()), sort: Some("+uuid".to_owned()), ..QueryRequest::default() };
    let mut kept = Kept(Vec::new(), usize::MAX);
    store.write_query("VmInstanceInventory", &all, &Viewer::admin(), &mut kept).expect("an answer");
    assert!(kept.0.len() > 4 && kept.0.iter().all(|piece| !piece.is_empty()), "{}", kept.0.len());
    let long: serde_json::Value = serde_json::from_str(&kept.0.concat()).expect("JSON");
    let rows = long["inventories"].as_array().expect("rows");
    assert_eq!(rows.len(), 2_525);
    for start in [0, 1_000, 2_000] {
        let page = QueryRequest { limit: Some("1000".to_owned()), start: Some(start.to_string()), ..all.clone() };
        let page = reply(&store, "VmInstanceInventory", &page);
        for (at, row) in page["inventories"].as_array().expect("rows").iter().enumerate() {
            assert_eq!(&rows[start + at], row);
            for path in ["", ".vmNics[0]", ".allVolumes[0]"] {
                let class = &page["schema"][format!("inventories[{at}]{path}")];
                assert_eq!(&long["schema"][format!("inventories[{}]{path}", start + at)], class);
            }
        }
    }
    // Nothing more is read for a client that has gone.
    let mut kept = Kept(Vec::new(), 2);
    store.write_query("VmInstanceInventory", &all, &Viewer::admin(), &mut kept).expect("an end");
    assert_eq!(kept.0.len(), 2);
}
