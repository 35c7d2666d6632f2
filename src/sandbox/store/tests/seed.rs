//! The cloud that a new sandbox begins with.

use std::collections::HashSet;

use super::super::model::{Kind, Model, Relation};
use super::super::{QueryRequest, Scalar, StoreError, Viewer};
use super::{conditions, reply, shared, store};
use crate::catalog::Catalog;

fn total(inventory: &str) -> i64 {
    let request = QueryRequest { count: true, ..QueryRequest::default() };
    reply(shared(), &format!("{inventory}Inventory"), &request)["total"].as_i64().expect("there is a total")
}

#[test]
fn the_cloud_has_what_an_operator_expects_of_one() {
    for (inventory, count) in
        [("Zone", 2), ("Cluster", 3), ("Host", 6), ("PrimaryStorage", 3), ("BackupStorage", 2), ("VmInstance", 25)]
    {
        assert_eq!(total(inventory), count, "{inventory}");
    }
    for inventory in [
        "Image",
        "L2Network",
        "L3Network",
        "IpRange",
        "Vip",
        "Eip",
        "SecurityGroup",
        "SecurityGroupRule",
        "LoadBalancer",
        "LoadBalancerListener",
        "InstanceOffering",
        "DiskOffering",
        "VmNic",
        "UsedIp",
        "Volume",
        "VolumeSnapshot",
        "VolumeSnapshotTree",
        "VolumeSnapshotGroup",
        "SystemTag",
        "UserTag",
        "TagPattern",
        "Account",
        "User",
        "Quota",
        "GlobalConfig",
        "LongJob",
        "Alarm",
        "ManagementNode",
        "SchedulerJob",
        "SchedulerTrigger",
        "PortForwardingRule",
        "VirtualRouterVm",
        "AffinityGroup",
        "EventSubscription",
    ] {
        assert!(total(inventory) > 0, "{inventory}");
    }
}

/// Columns that hold a uuid of something that is no resource.
const NO_RESOURCE: [&str; 1] = ["dataUuid"];

#[test]
fn every_uuid_leads_somewhere() {
    let store = store();
    let model = Model::new(Catalog::newest());
    store
        .transaction(|tx| -> Result<(), StoreError> {
            let mut uuids = HashSet::new();
            let tables: Vec<String> = super::super::schema::tables(tx.connection())?;
            for table in &tables {
                for row in tx.find_where(&format!("{table}Inventory"), &[])? {
                    uuids.extend(row.text("uuid").map(str::to_owned));
                }
            }
            let mut checked = 0;
            for table in &tables {
                let shape = model.shape(&format!("{table}Inventory")).expect("tables are named after inventories");
                for row in tx.find_where(shape.name, &[])? {
                    for (name, value) in
                        row.iter().filter(|(name, _)| name.ends_with("Uuid") || name.ends_with("Uuids"))
                    {
                        let Scalar::Text(text) = value else { continue };
                        let listed: Vec<String> = serde_json::from_str(text).unwrap_or_else(|_| vec![text.clone()]);
                        for uuid in listed.iter().filter(|_| !NO_RESOURCE.contains(&name)) {
                            let known = uuids.contains(uuid) || name == "monUuid";
                            assert!(known, "{table}: {name} {uuid} leads nowhere");
                            checked += 1;
                        }
                    }
                    // The catalog says where a relation leads, which must be the right kind of thing.
                    for (relation, _) in
                        shape.inventory.expanded.iter().filter(|(_, to)| to.foreign_key == Some("uuid"))
                    {
                        let Some(Relation::Join(join)) = model.relation(&shape, relation) else { continue };
                        if let Some(uuid) =
                            row.text(join.key).filter(|_| join.key != "uuid" && join.key != "resourceUuid")
                        {
                            let found = tx.get(join.inventory, uuid)?;
                            assert!(found.is_some(), "{table}: {relation} of {row:?} leads nowhere");
                            checked += 1;
                        }
                    }
                }
            }
            assert!(checked > 1000, "only {checked} references were checked");
            Ok(())
        })
        .expect("the store can be read");
}

#[test]
fn figures_agree_with_what_they_count() {
    let store = store();
    for group in
        reply(&store, "VolumeSnapshotGroupInventory", &conditions(&[]))["inventories"].as_array().expect("a list")
    {
        let references = group["volumeSnapshotRefs"].as_array().expect("a list").len();
        assert_eq!(group["snapshotCount"].as_u64(), u64::try_from(references).ok(), "{}", group["name"]);
    }
    let addresses = reply(&store, "UsedIpInventory", &conditions(&[]));
    let addresses = addresses["inventories"].as_array().expect("a list");
    let unique: HashSet<&str> = addresses.iter().filter_map(|address| address["ip"].as_str()).collect();
    assert_eq!(unique.len(), addresses.len(), "an address is used twice");
    for host in reply(&store, "HostInventory", &conditions(&[]))["inventories"].as_array().expect("a list") {
        assert!(host["availableMemoryCapacity"].as_i64() > Some(0), "{}", host["name"]);
    }
}

#[test]
fn accounts_carry_the_hash_of_their_password_and_never_show_it() {
    let store = store();
    let accounts = store.query("AccountInventory", &conditions(&[]), &Viewer::admin()).expect("an answer");
    assert!(!accounts.contains("password") && !accounts.contains("b109f3bb"), "{accounts}");
    let hash = store
        .transaction(|tx| tx.get("AccountInventory", super::super::ADMIN_ACCOUNT))
        .expect("the store can be read")
        .expect("there is an administrator")
        .text("password")
        .map(str::to_owned)
        .expect("there is a password");
    assert!(hash.starts_with("b109f3bbbc244eb8") && hash.len() == 128);
}

#[test]
fn every_query_api_answers_and_knows_its_fields() {
    let store = store();
    let catalog = Catalog::newest();
    let mut answered = 0;
    for name in catalog.api_names().filter(|name| name.is_query()) {
        let api = catalog.api(name.as_str()).expect("an indexed API is found");
        let inventory = api.inventory.unwrap_or_default();
        let all = reply(&store, inventory, &conditions(&[]));
        assert!(all["inventories"].is_array() && all["schema"].is_object(), "{}", api.name);
        let counted = QueryRequest { count: true, ..QueryRequest::default() };
        // One query tells no total (R15).
        let is_counted = api.name != "QueryNetworkServiceProvider";
        assert_eq!(reply(&store, inventory, &counted)["total"].is_u64(), is_counted, "{}", api.name);
        if let Some(inventory) = catalog.inventory(inventory) {
            let shape = store.model().shape(inventory.name).expect("the store knows the inventory");
            let own = shape.members.iter().filter(|member| !member.unqueryable && !member.relation);
            // A boolean is compared with booleans and numbers only.
            let own =
                own.map(|member| format!("{}={}", member.name, if member.kind == Kind::Bool { "1" } else { "x" }));
            let related = inventory.expanded.keys().chain(inventory.aliases.keys());
            let related = related.filter(|relation| !inventory.is_broken(relation));
            let related = related.filter_map(|relation| {
                let target = catalog.follow(&inventory, relation).flatten().expect("relations lead to inventories");
                let field = target.fields.iter().find(|field| field.kind.is_scalar())?;
                Some(format!("{relation}.{}=0", field.name))
            });
            let texts = own.chain(related).collect();
            reply(&store, inventory.name, &QueryRequest { conditions: texts, ..QueryRequest::default() });
            let unknown = store.query(inventory.name, &conditions(&["noSuchField=x"]), &Viewer::admin());
            assert!(unknown.is_err(), "{}", api.name);
        }
        answered += 1;
    }
    assert_eq!(answered, 333);
}

#[test]
fn the_seed_can_be_put_back() {
    let store = store();
    let zone = "140ebc2fbdb74ae197323a69d432f25e";
    let count = |store: &super::Store| {
        store
            .transaction(|tx| -> Result<usize, StoreError> {
                let mut rows = 0;
                for table in super::super::schema::tables(tx.connection())? {
                    rows += tx.find_where(&format!("{table}Inventory"), &[])?.len();
                }
                Ok(rows)
            })
            .expect("the store can be read")
    };
    let before = count(&store);
    store.seed().expect("the seed is put back");
    assert_eq!(count(&store), before, "nothing was missing");
    let numa = [("category", Scalar::from("vm")), ("name", Scalar::from("numa"))];
    let off = super::super::Row::new().with("value", "false");
    store.transaction(|tx| tx.update_where("GlobalConfigInventory", &numa, &off)).expect("a setting is changed");
    store.seed().expect("the seed is put back");
    assert_eq!(count(&store), before, "a setting that was changed is there");
    store.transaction(|tx| tx.delete("ZoneInventory", zone)).expect("a zone is deleted");
    store.seed_vms(3).expect("rows are added");
    store.seed().expect("the seed is put back");
    // Their network has 11 rows: its VLAN, range, services and so on.
    assert_eq!(count(&store), before + 3 * 6 + 11, "the zone is back, the machines stay");
    store.reset().expect("the store is emptied");
    assert_eq!(count(&store), before);
}

#[test]
fn many_machines_are_as_connected_as_few() {
    let store = store();
    store.seed_vms(6000).expect("rows are added");
    store.seed_vms(10).expect("rows are added to many");
    let request = conditions(&[
        "name=vm-005000",
        "vmNics.l3Network.zone.name=zone-1",
        "rootVolume.primaryStorage.name not null",
        "image.name not null",
        "cluster.host.name not null",
        "allVolumes.type=Root",
    ]);
    assert_eq!(super::names(&reply(&store, "VmInstanceInventory", &request)), ["vm-005000"]);
    let indexes: i64 = store
        .transaction(|tx| -> Result<i64, StoreError> {
            let sql = "SELECT count(*) FROM sqlite_master WHERE type = 'index' AND tbl_name = 'VmInstance'";
            Ok(tx.connection().query_row(sql, [], |row| row.get(0))?)
        })
        .expect("the store can be read");
    assert!(indexes > 10, "the indexes are back: {indexes}");
}

#[test]
fn seeded_machines_fit_their_hosts_networks_and_dates() {
    let store = store();
    store.seed_vms(4_100).expect("rows are added");
    let number = |sql: &str| -> i64 {
        store
            .transaction(|tx| -> Result<i64, StoreError> { Ok(tx.connection().query_row(sql, [], |row| row.get(0))?) })
            .expect("the store can be read")
    };
    assert_eq!(number("SELECT count(*) FROM L3Network WHERE name LIKE 'seed-net-%'"), 2);
    let seeded = "FROM VmInstance v JOIN VmNic n ON n.vmInstanceUuid = v.uuid JOIN UsedIp u ON u.vmNicUuid = n.uuid \
                  JOIN IpRange r ON r.uuid = u.ipRangeUuid JOIN Volume d ON d.uuid = v.rootVolumeUuid \
                  WHERE v.name LIKE 'vm-%'";
    assert_eq!(number(&format!("SELECT count(*) {seeded}")), 4_100);
    assert_eq!(number(&format!("SELECT count(DISTINCT u.ip) {seeded}")), 4_100, "an address is used twice");
    let fits = "u.ip = n.ip AND u.l3NetworkUuid = n.l3NetworkUuid AND r.l3NetworkUuid = n.l3NetworkUuid \
                AND n.gateway = r.gateway AND n.netmask = r.netmask AND instr(d.installPath, d.uuid) > 0 \
                AND d.createDate = v.createDate AND v.createDate > '2025-01-07' AND v.createDate <= datetime()";
    assert_eq!(number(&format!("SELECT count(*) {seeded} AND {fits}")), 4_100);
    let fullest =
        "SELECT max(vms) FROM (SELECT count(*) AS vms FROM VmInstance WHERE name LIKE 'vm-%' GROUP BY lastHostUuid)";
    assert!(number(fullest) <= 40);
    for range in
        reply(&store, "IpRangeInventory", &conditions(&["name~=seed-net-%"]))["inventories"].as_array().expect("rows")
    {
        let bound = |name: &str| {
            let text = range[name].as_str().expect("an address");
            u32::from(text.parse::<std::net::Ipv4Addr>().expect("an address"))
        };
        let uuid = range["uuid"].as_str().expect("a uuid");
        let of_range = format!("FROM UsedIp WHERE ipRangeUuid = '{uuid}'");
        assert!(number(&format!("SELECT min(ipInLong) {of_range}")) >= i64::from(bound("startIp")), "{range}");
        assert!(number(&format!("SELECT max(ipInLong) {of_range}")) < i64::from(bound("endIp")), "{range}");
    }
}
