//! The monitors of Ceph storages, given as `user:password@host:sshPort/?monPort=6789`.

use super::super::answer::Failure;
use super::super::ledger::new_uuid;
use super::super::store::{Row, Scalar};
use super::{Change, Handler};

/// The APIs of Ceph monitors.
pub(super) const WORK: &[(&str, Handler)] = &[
    ("AddMonToCephBackupStorage", add),
    ("AddMonToCephPrimaryStorage", add),
    ("RemoveMonFromCephBackupStorage", remove),
    ("RemoveMonFromCephPrimaryStorage", remove),
];

/// The inventory of a storage, that of its monitors, and the member that joins them.
fn kinds(api: &str) -> (&'static str, &'static str, &'static str) {
    if api.ends_with("PrimaryStorage") {
        ("CephPrimaryStorageInventory", "CephPrimaryStorageMonInventory", "primaryStorageUuid")
    } else {
        ("CephBackupStorageInventory", "CephBackupStorageMonInventory", "backupStorageUuid")
    }
}

fn add(change: &Change<'_>) -> Result<String, Failure> {
    let (storage, ..) = kinds(change.api.name);
    change.get(storage, change.text("uuid"))?;
    change.add_monitors(change.text("uuid"))?;
    change.reply(storage, change.text("uuid"))
}

fn remove(change: &Change<'_>) -> Result<String, Failure> {
    let (storage, monitor, joined) = kinds(change.api.name);
    let uuid = change.text("uuid");
    change.get(storage, uuid)?;
    for host in change.arguments.texts("monHostnames") {
        change.tx.delete_where(monitor, &[(joined, Scalar::from(uuid)), ("hostname", Scalar::from(host))])?;
    }
    if change.find(monitor, &[(joined, uuid)])?.is_empty() {
        return Err(Failure::refused(format!("the storage[uuid:{uuid}] would be left without a monitor")));
    }
    change.reply(storage, uuid)
}

impl Change<'_> {
    /// Stores the monitors of a storage.
    pub(super) fn add_monitors(&self, storage: &str) -> Result<(), Failure> {
        let (_, inventory, joined) = kinds(self.api.name);
        for url in self.arguments.texts("monUrls") {
            let monitor = Monitor::parse(url).ok_or_else(|| {
                // The address contains a password and is not printed.
                Failure::argument("field[monUrls] has an address that is not user:password@host[:port][/?monPort=port]")
            })?;
            if !self.find(inventory, &[(joined, storage), ("hostname", monitor.host)])?.is_empty() {
                return Err(Failure::argument(format!(
                    "the storage[uuid:{storage}] has a monitor on {} already",
                    monitor.host
                )));
            }
            let row = Row::new()
                .with("monUuid", new_uuid())
                .with(joined, storage)
                .with("hostname", monitor.host)
                .with("monAddr", monitor.host)
                .with("monPort", monitor.port)
                .with("sshPort", monitor.ssh_port)
                .with("sshUsername", monitor.user)
                .with("sshPassword", monitor.password)
                .with("status", "Connected")
                .with("createDate", self.now.to_stored())
                .with("lastOpDate", self.now.to_stored());
            self.tx.insert(inventory, &row)?;
        }
        Ok(())
    }
}

struct Monitor<'a> {
    user: &'a str,
    password: &'a str,
    host: &'a str,
    ssh_port: i64,
    port: i64,
}

impl Monitor<'_> {
    fn parse(url: &str) -> Option<Monitor<'_>> {
        // A password may contain `@`, a host cannot.
        let (login, rest) = url.rsplit_once('@')?;
        let (user, password) = login.split_once(':')?;
        let (place, query) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, ssh_port) = match place.split_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (place, 22),
        };
        let port = query.trim_start_matches('?').split('&').find_map(|pair| pair.strip_prefix("monPort="));
        let port = port.map_or(Some(6789), |port| port.parse().ok())?;
        (!host.is_empty() && !user.is_empty()).then_some(Monitor { user, password, host, ssh_port, port })
    }
}
