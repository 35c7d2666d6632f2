//! Finding the resource of an API from its name and parameters.

use super::super::store::Transaction;
use super::Change;
use crate::catalog::{Api, Catalog};

/// Resources of the platform, which only the administrator may change.
const PLATFORMS: [&str; 18] = [
    "Zone",
    "Cluster",
    "Host",
    "KVMHost",
    "PrimaryStorage",
    "BackupStorage",
    "L2NoVlanNetwork",
    "L2VlanNetwork",
    "L2Network",
    "IpRange",
    "InstanceOffering",
    "DiskOffering",
    "Account",
    "Quota",
    "GlobalConfig",
    "IAM2Project",
    "IAM2VirtualID",
    "MigrateVm",
];

/// Resources outside of the cloud, which the sandbox cannot simulate.
const ELSEWHERE: [&str; 11] = [
    "/hybrid",
    "/aliyun",
    "/baremetal",
    "/vcenter",
    "/ldap",
    "/licen",
    "/v2v",
    "/appcenter",
    "/cloudformation",
    "/nas",
    "/primary-storage/nas",
];

/// Whether an API changes a resource of the platform.
pub(in super::super) fn is_platforms(api: &str) -> bool {
    // An account may change itself.
    api != "UpdateAccount"
        && !api.starts_with("Get")
        && PLATFORMS.iter().any(|noun| api.ends_with(noun) || api == format!("Change{noun}State"))
}

/// Whether an API needs such a resource.
pub(super) fn is_elsewhere(api: &Api) -> bool {
    ELSEWHERE.iter().any(|prefix| api.path.starts_with(prefix))
        || api.name.ends_with("FromRemote")
        || api.name.ends_with("Remote")
}

/// The inventory of that name, if it has a uuid.
pub(super) fn resource_inventory(catalog: Catalog, name: &str) -> Option<&'static str> {
    catalog.inventory(name).filter(|inventory| inventory.field("uuid").is_some()).map(|inventory| inventory.name)
}

/// Whether an API's name says that it makes something new.
pub(in super::super) fn creates(api: &str) -> bool {
    ["Add", "Clone", "Create"].iter().any(|verb| api.starts_with(verb))
}

/// The parameter with the uuid of an API's resource, and its inventory.
pub(in super::super) fn subject(catalog: Catalog, api: &Api) -> Option<(&'static str, &'static str)> {
    let parameter = api.parameter("uuid").or_else(|| {
        // `ChangeVmNicState` has `vmNicUuid`; if several uuids are required, it is ambiguous.
        let mut required =
            api.parameters.iter().filter(|parameter| parameter.required && parameter.name.ends_with("Uuid"));
        let first = required.next();
        first.filter(|_| required.next().is_none())
    })?;
    let by_resource = parameter.resource.map(|kind| format!("{kind}Inventory"));
    let by_reference = || {
        let query = catalog.api(parameter.reference?)?;
        query.inventory.map(str::to_owned)
    };
    let inventory = by_resource.or_else(by_reference)?;
    Some((parameter.name, resource_inventory(catalog, &inventory)?))
}

/// The inventory type of a reply's `inventory`.
pub(in super::super) fn result_inventory(catalog: Catalog, api: &Api) -> Option<&'static str> {
    let member = api.result.iter().find(|member| member.name == "inventory")?;
    resource_inventory(catalog, member.type_name)
}

impl Change<'_> {
    /// The general inventory of a family.
    pub(super) fn root(&self, inventory: &str) -> String {
        self.tx.root(inventory).map_or_else(|_| inventory.to_owned(), str::to_owned)
    }

    /// The resource type in tags and ownership: `VmInstanceVO`, of the general inventory.
    pub(in super::super) fn resource_type(&self, inventory: &str) -> String {
        let root = self.root(inventory);
        format!("{}VO", root.strip_suffix("Inventory").unwrap_or(&root))
    }
}

/// Whether an inventory has a stored member.
pub(super) fn has_field(tx: &Transaction<'_>, inventory: &str, field: &str) -> bool {
    tx.stored_fields(inventory).is_ok_and(|fields| fields.contains(&field))
}
