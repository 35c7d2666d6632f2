//! What a client sees of the store: replies to queries on the seed.

use serde_json::Value as Json;

use super::{QueryRequest, ServerError, Store, Viewer};

fn store() -> Store {
    Store::in_memory().expect("the seed loads")
}

fn request(conditions: &[&str]) -> QueryRequest {
    QueryRequest { conditions: conditions.iter().map(|text| (*text).to_owned()).collect(), ..QueryRequest::default() }
}

fn reply(store: &Store, inventory: &str, request: &QueryRequest) -> Json {
    let text = store.query(inventory, request, &Viewer::admin()).expect("the query is answered");
    serde_json::from_str(&text).expect("the reply is JSON")
}

#[test]
fn smoke() {
    let s = store();
    let t = std::time::Instant::now();
    let r = reply(&s, "BackupStorageInventory", &request(&[]));
    eprintln!("{r:#}");
    eprintln!("{:#}", reply(&s, "VolumeSnapshotGroupInventory", &request(&["volumeSnapshot.volume.name=db-1-data"])));
    eprintln!(
        "{:#}",
        reply(&s, "VmInstanceInventory", &request(&["vmNics.l3Network.name=router-net"]))["inventories"][0]
    );
    eprintln!("{:?}", t.elapsed());
    for q in [
        "count vminstance",
        "count vminstance group by state order by groupCount desc",
        "sum vminstance.cpuNum,memorySize by hostUuid",
        "query max(vminstance.cpuNum)",
        "query cephbackupstorage return with (total)",
    ] {
        eprintln!("{}", s.zql(q, &Viewer::admin()).expect(q));
    }
}
