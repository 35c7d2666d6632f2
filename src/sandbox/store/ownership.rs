//! Visibility of rows for ordinary accounts (Q23).

use super::compile::Compiler;
use super::error::ServerError;
use super::model::InventoryModel;

/// Inventories with an owner, and the member with the uuid of the owned resource: the row itself or its parent. Others
/// belong to the cloud and are visible to everybody.
const OWNED: [(&str, &str); 42] = [
    ("AffinityGroupInventory", "uuid"),
    ("AlarmInventory", "uuid"),
    ("AutoScalingGroupInventory", "uuid"),
    ("CertificateInventory", "uuid"),
    ("DiskOfferingInventory", "uuid"),
    ("EipInventory", "uuid"),
    ("EventSubscriptionInventory", "uuid"),
    ("ImageBackupStorageRefInventory", "imageUuid"),
    ("ImageInventory", "uuid"),
    ("InstanceOfferingInventory", "uuid"),
    ("IpRangeInventory", "l3NetworkUuid"),
    ("L3NetworkDnsInventory", "l3NetworkUuid"),
    ("L3NetworkHostRouteInventory", "l3NetworkUuid"),
    ("L3NetworkInventory", "uuid"),
    ("LoadBalancerInventory", "uuid"),
    ("LoadBalancerListenerInventory", "loadBalancerUuid"),
    ("LoadBalancerListenerVmNicRefInventory", "vmNicUuid"),
    ("LoadBalancerServerGroupInventory", "loadBalancerUuid"),
    ("LongJobInventory", "uuid"),
    ("NetworkServiceL3NetworkRefInventory", "l3NetworkUuid"),
    ("PortForwardingRuleInventory", "uuid"),
    ("SchedulerJobInventory", "uuid"),
    ("SchedulerTriggerInventory", "uuid"),
    ("SecurityGroupInventory", "uuid"),
    ("SecurityGroupL3NetworkRefInventory", "securityGroupUuid"),
    ("SecurityGroupRuleInventory", "securityGroupUuid"),
    ("SshKeyPairInventory", "uuid"),
    ("SystemTagInventory", "resourceUuid"),
    ("TagPatternInventory", "uuid"),
    ("UsedIpInventory", "l3NetworkUuid"),
    ("UserTagInventory", "resourceUuid"),
    ("VipInventory", "uuid"),
    ("VipNetworkServicesRefInventory", "vipUuid"),
    ("VipPeerL3NetworkRefInventory", "vipUuid"),
    ("VmCdRomInventory", "vmInstanceUuid"),
    ("VmInstanceInventory", "uuid"),
    ("VmNicInventory", "vmInstanceUuid"),
    ("VmNicSecurityGroupRefInventory", "vmInstanceUuid"),
    ("VolumeInventory", "uuid"),
    ("VolumeSnapshotGroupInventory", "vmInstanceUuid"),
    ("VolumeSnapshotInventory", "uuid"),
    ("VolumeSnapshotTreeInventory", "volumeUuid"),
];

/// Inventories with a member that is the owner's account.
const OF_ACCOUNTS: [(&str, &[&str]); 7] = [
    ("AccountInventory", &["uuid"]),
    ("AccountResourceRefInventory", &["accountUuid"]),
    ("PolicyInventory", &["accountUuid"]),
    ("QuotaInventory", &["identityUuid"]),
    ("SharedResourceInventory", &["ownerAccountUuid", "receiverAccountUuid"]),
    ("UserGroupInventory", &["accountUuid"]),
    ("UserInventory", &["accountUuid"]),
];

/// The SQL condition for rows that the viewer may see; `None` if all are visible.
pub(super) fn filter(
    compiler: &mut Compiler<'_>,
    shape: &InventoryModel,
    alias: &str,
) -> Result<Option<String>, ServerError> {
    if compiler.viewer.is_admin {
        return Ok(None);
    }
    let account = compiler.viewer.account_uuid.clone();
    if let Some((_, columns)) = OF_ACCOUNTS.iter().find(|(inventory, _)| *inventory == shape.root) {
        let account = compiler.text(&account);
        let any: Vec<String> = columns.iter().map(|column| format!("{alias}.\"{column}\" = {account}")).collect();
        return Ok(Some(format!("({})", any.join(" OR "))));
    }
    let Some((_, column)) = OWNED.iter().find(|(inventory, _)| *inventory == shape.root) else { return Ok(None) };
    let mut sources = Vec::new();
    for (inventory, condition) in [
        ("AccountResourceRefInventory", "{alias}.accountUuid = {account}"),
        ("SharedResourceInventory", "({alias}.toPublic = 1 OR {alias}.receiverAccountUuid = {account})"),
    ] {
        let Some(shape) = compiler.model.shape(inventory) else { continue };
        let (source, inner) = compiler.source(&shape)?;
        let account = compiler.text(&account);
        let condition = condition.replace("{alias}", &inner).replace("{account}", &account);
        sources.push(format!("SELECT {inner}.resourceUuid FROM {source} WHERE {condition}"));
    }
    Ok(Some(format!("{alias}.\"{column}\" IN ({})", sources.join(" UNION ALL "))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn the_tables_name_inventories_and_members_that_exist() {
        let catalog = Catalog::newest();
        let owned = OWNED.iter().map(|(inventory, member)| (inventory, vec![*member]));
        for (inventory, members) in owned.chain(OF_ACCOUNTS.iter().map(|(name, members)| (name, members.to_vec()))) {
            let found = catalog.inventory(inventory).unwrap_or_else(|| panic!("no {inventory}"));
            assert!(members.iter().all(|member| found.field(member).is_some()), "{inventory}");
        }
    }
}
