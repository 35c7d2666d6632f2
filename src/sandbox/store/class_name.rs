//! The Java classes in `schema` of replies (N6).

/// Packages by prefix of an inventory's name; the longest prefix is used.
const PACKAGES: [(&str, &str); 39] = [
    ("Account", "org.zstack.header.identity"),
    ("ApplianceVm", "org.zstack.appliancevm"),
    ("BackupStorage", "org.zstack.header.storage.backup"),
    ("CephBackupStorage", "org.zstack.storage.ceph.backup"),
    ("CephPrimaryStorage", "org.zstack.storage.ceph.primary"),
    ("Cluster", "org.zstack.header.cluster"),
    ("DiskOffering", "org.zstack.header.configuration"),
    ("Eip", "org.zstack.network.service.eip"),
    ("GlobalConfig", "org.zstack.core.config"),
    ("Host", "org.zstack.header.host"),
    ("Image", "org.zstack.header.image"),
    ("ImageStoreBackupStorage", "org.zstack.storage.backup.imagestore"),
    ("InstanceOffering", "org.zstack.header.configuration"),
    ("IpRange", "org.zstack.header.network.l3"),
    ("KVMHost", "org.zstack.kvm"),
    ("L2", "org.zstack.header.network.l2"),
    ("L3", "org.zstack.header.network.l3"),
    ("LoadBalancer", "org.zstack.network.service.lb"),
    ("LocalStorage", "org.zstack.storage.primary.local"),
    ("LongJob", "org.zstack.header.longjob"),
    ("ManagementNode", "org.zstack.header.managementnode"),
    ("NetworkService", "org.zstack.header.network.service"),
    ("PortForwarding", "org.zstack.network.service.portforwarding"),
    ("PrimaryStorage", "org.zstack.header.storage.primary"),
    ("Quota", "org.zstack.header.identity"),
    ("SecurityGroup", "org.zstack.network.securitygroup"),
    ("SharedResource", "org.zstack.header.identity"),
    ("SftpBackupStorage", "org.zstack.storage.backup.sftp"),
    ("SystemTag", "org.zstack.header.tag"),
    ("TagPattern", "org.zstack.header.tag"),
    ("UsedIp", "org.zstack.header.network.l3"),
    ("User", "org.zstack.header.identity"),
    ("UserTag", "org.zstack.header.tag"),
    ("Vip", "org.zstack.network.service.vip"),
    ("VirtualRouter", "org.zstack.network.service.virtualrouter"),
    ("Vm", "org.zstack.header.vm"),
    ("Volume", "org.zstack.header.volume"),
    ("VolumeSnapshot", "org.zstack.header.storage.snapshot"),
    ("Zone", "org.zstack.header.zone"),
];

/// The class of an inventory: `org.zstack.header.zone.ZoneInventory`.
pub(in crate::sandbox) fn of(inventory: &str) -> String {
    let package = PACKAGES
        .iter()
        .filter(|(beginning, _)| inventory.starts_with(beginning))
        .max_by_key(|(beginning, _)| beginning.len());
    format!("{}.{inventory}", package.map_or("org.zstack.header", |(_, package)| package))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_longest_beginning_chooses_the_package() {
        assert_eq!(super::of("ZoneInventory"), "org.zstack.header.zone.ZoneInventory");
        assert_eq!(super::of("VolumeSnapshotInventory"), "org.zstack.header.storage.snapshot.VolumeSnapshotInventory");
        assert_eq!(super::of("AlarmInventory"), "org.zstack.header.AlarmInventory");
    }
}
