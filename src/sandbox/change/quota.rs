//! Quotas: how much of each kind of resource an account may own.

use super::super::answer::Failure;
use super::super::store::{Row, Scalar};
use super::Change;

/// A quota. Its names and defaults are also global configurations of the category `quota`.
struct Quota {
    name: &'static str,
    /// The general inventory that it counts.
    inventory: &'static str,
    /// The member that it sums up; none if it counts resources.
    sum: Option<&'static str>,
    /// A member, and whether only rows with one of these values count, or only those with others.
    only: Option<(&'static str, bool, &'static [&'static str])>,
}

/// The states in which a virtual machine does not run.
const AT_REST: &[&str] = &["Stopped", "Created", "Destroyed", "Destroying", "Expunging"];
const RUNS: Option<(&str, bool, &[&str])> = Some(("state", false, AT_REST));
const EXISTS: Option<(&str, bool, &[&str])> = Some(("status", false, &["Deleted"]));

const fn quota(
    name: &'static str,
    inventory: &'static str,
    sum: Option<&'static str>,
    only: Option<(&'static str, bool, &'static [&'static str])>,
) -> Quota {
    Quota { name, inventory, sum, only }
}

const VM: &str = "VmInstanceInventory";
const VOLUME: &str = "VolumeInventory";
const IMAGE: &str = "ImageInventory";

const QUOTAS: [Quota; 18] = [
    quota("vm.totalNum", VM, None, Some(("state", false, &["Destroyed", "Destroying", "Expunging"]))),
    quota("vm.num", VM, None, RUNS),
    quota("vm.cpuNum", VM, Some("cpuNum"), RUNS),
    quota("vm.memorySize", VM, Some("memorySize"), RUNS),
    quota("volume.data.num", VOLUME, None, Some(("type", true, &["Data"]))),
    quota("volume.capacity", VOLUME, Some("size"), EXISTS),
    quota("snapshot.volume.num", "VolumeSnapshotInventory", None, None),
    quota("image.num", IMAGE, None, EXISTS),
    quota("image.size", IMAGE, Some("size"), EXISTS),
    quota("l3.num", "L3NetworkInventory", None, None),
    quota("vxlan.num", "L2NetworkInventory", None, Some(("type", true, &["VxlanNetwork"]))),
    quota("securityGroup.num", "SecurityGroupInventory", None, None),
    quota("vip.num", "VipInventory", None, None),
    quota("eip.num", "EipInventory", None, None),
    quota("portForwarding.num", "PortForwardingRuleInventory", None, None),
    quota("loadBalancer.num", "LoadBalancerInventory", None, None),
    quota("listener.num", "LoadBalancerListenerInventory", None, None),
    quota("ssh_key_pair.num", "SshKeyPairInventory", None, None),
];

impl Quota {
    /// How much a row counts.
    fn amount(&self, row: &Row) -> i64 {
        let counts = self.only.is_none_or(|(field, wanted, values)| {
            row.text(field).is_some_and(|value| values.contains(&value)) == wanted
        });
        match self.sum {
            _ if !counts => 0,
            Some(field) => row.get(field).as_integer().unwrap_or_default(),
            None => 1,
        }
    }
}

impl Change<'_> {
    /// The used amount of a quota; `None` for quotas that are unknown.
    pub(in super::super) fn used_of_quota(&self, account: &str, name: &str) -> Result<Option<i64>, Failure> {
        let Some(quota) = QUOTAS.iter().find(|quota| quota.name == name) else { return Ok(None) };
        let fields: Vec<&str> = quota.only.iter().map(|(field, ..)| *field).chain(quota.sum).collect();
        let rows = self.tx.owned(account, quota.inventory, &fields)?;
        Ok(Some(rows.iter().map(|row| quota.amount(row)).sum()))
    }

    /// Fails if a resource of an ordinary account would exceed a quota after a change. `before` is null for a new one.
    pub(super) fn check_quotas(&self, inventory: &str, before: Option<&Row>, after: &Row) -> Result<(), Failure> {
        if self.caller.is_admin {
            return Ok(());
        }
        self.check_quotas_of(&self.caller.account, inventory, before, after)
    }

    /// The same for any account.
    pub(super) fn check_quotas_of(
        &self,
        account: &str,
        inventory: &str,
        before: Option<&Row>,
        after: &Row,
    ) -> Result<(), Failure> {
        let root = self.root(inventory);
        for quota in QUOTAS.iter().filter(|quota| quota.inventory == root) {
            let more = quota.amount(after) - before.map_or(0, |row| quota.amount(row));
            if more <= 0 {
                continue;
            }
            let name = quota.name;
            let found = self.find("QuotaInventory", &[("identityUuid", account), ("name", name)])?;
            let Some(most) = found.first().and_then(|row| row.get("value").as_integer()) else { continue };
            let used = self.used_of_quota(account, name)?.unwrap_or_default();
            if used.saturating_add(more) > most {
                return Err(Failure::new(
                    "ID.1003",
                    format!(
                        "quota exceeding. the resource owner(or target resource owner) account[uuid: {account}] exceeds \
                         a quota[name: {name}, value: {most}], current used: {used}, requested: {more}"
                    ),
                ));
            }
        }
        Ok(())
    }

    /// Gives a new account the quotas that the global configurations name.
    pub(super) fn add_quotas(&self, account: &str) -> Result<(), Failure> {
        for config in self.find("GlobalConfigInventory", &[("category", "quota")])? {
            let value: Option<i64> = config.text("value").and_then(|text| text.parse().ok());
            let (Some(name), Some(value)) = (config.text("name"), value) else { continue };
            let row = Row::new()
                .with("uuid", super::super::ledger::new_uuid())
                .with("name", name)
                .with("identityUuid", account)
                .with("identityType", "AccountVO")
                .with("value", Scalar::Integer(value))
                .with("createDate", self.now.to_stored())
                .with("lastOpDate", self.now.to_stored());
            self.tx.insert("QuotaInventory", &row)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn the_quotas_are_of_members_of_the_catalog() {
        for quota in QUOTAS {
            let inventory = Catalog::newest().inventory(quota.inventory).expect(quota.inventory);
            for field in quota.only.iter().map(|(field, ..)| *field).chain(quota.sum) {
                assert!(inventory.field(field).is_some(), "{} {field}", quota.name);
            }
        }
    }
}
