//! The nics of virtual machines and their addresses.

use super::super::answer::Failure;
use super::super::ledger::new_uuid;
use super::super::store::{Row, Scalar, TagKind};
use super::network::FreeAddress;
use super::{Change, Handler};

/// The APIs of nics with a handler of their own.
pub(super) const WORK: &[(&str, Handler)] = &[
    ("AttachL3NetworkToVm", attach_l3_network),
    ("ChangeVmNicNetwork", change_network),
    ("DeleteVmStaticIp", delete_static_ip),
    ("DetachL3NetworkFromVm", detach_l3_network),
    ("SetVmStaticIp", set_static_ip),
];

const VM: &str = "VmInstanceInventory";
const NIC: &str = "VmNicInventory";

fn attach_l3_network(change: &Change<'_>) -> Result<String, Failure> {
    let (vm, network) = (change.text("vmInstanceUuid"), change.text("l3NetworkUuid"));
    let row = change.get(VM, vm)?;
    let state = row.text("state").unwrap_or_default();
    if !matches!(state, "Running" | "Stopped") {
        return Err(Failure::refused(format!("cannot attach an L3 network to the vm[uuid:{vm}] in the state {state}")));
    }
    if change.routes(vm, network)? {
        change.add_nic_at(vm, network, &change.gateway_of(network)?)?;
    } else {
        change.add_nic(vm, network, change.arguments.text("staticIp"))?;
    }
    if row.get("defaultL3NetworkUuid").is_null() {
        change.update(VM, vm, Row::new().with("defaultL3NetworkUuid", network))?;
    }
    change.add_tags_of_call(VM, vm)?;
    change.reply(VM, vm)
}

fn detach_l3_network(change: &Change<'_>) -> Result<String, Failure> {
    let nic = change.get("VmNicInventory", change.text("vmNicUuid"))?;
    let vm = nic.text("vmInstanceUuid").unwrap_or_default();
    change.delete_tree("VmNicInventory", change.text("vmNicUuid"))?;
    let row = change.get(VM, vm)?;
    if row.text("defaultL3NetworkUuid") == nic.text("l3NetworkUuid") {
        let left = change.find("VmNicInventory", &[("vmInstanceUuid", vm)])?;
        let next = left.first().map_or(Scalar::Null, |nic| nic.get("l3NetworkUuid").clone());
        change.update(VM, vm, Row::new().with("defaultL3NetworkUuid", next))?;
    }
    change.reply(VM, vm)
}

/// Moves a nic to another L3 network, with a new address.
fn change_network(change: &Change<'_>) -> Result<String, Failure> {
    let (nic, network) = (change.text("vmNicUuid"), change.text("destL3NetworkUuid"));
    let row = change.get(NIC, nic)?;
    let vm = row.text("vmInstanceUuid").unwrap_or_default();
    let others = change.find(NIC, &[("vmInstanceUuid", vm)])?;
    if others.iter().any(|other| other.text("l3NetworkUuid") == Some(network)) {
        return Err(Failure::refused(format!("the vm[uuid:{vm}] has a nic on the L3 network[uuid:{network}] already")));
    }
    change.readdress(nic, network, change.arguments.text("staticIp"))?;
    let machine = change.get(VM, vm)?;
    if machine.get("defaultL3NetworkUuid") == row.get("l3NetworkUuid") {
        change.update(VM, vm, Row::new().with("defaultL3NetworkUuid", network))?;
    }
    change.reply(NIC, nic)
}

/// Sets the requested address of a nic.
fn set_static_ip(change: &Change<'_>) -> Result<String, Failure> {
    let (vm, network) = (change.text("vmInstanceUuid"), change.text("l3NetworkUuid"));
    let Some(ip) = change.arguments.text("ip") else {
        return Err(Failure::argument("field[ip] is null; the sandbox has IPv4 addresses only"));
    };
    let nics = change.find(NIC, &[("vmInstanceUuid", vm), ("l3NetworkUuid", network)])?;
    let nic = nics
        .first()
        .and_then(|nic| nic.text("uuid"))
        .ok_or_else(|| Failure::argument(format!("the vm[uuid:{vm}] has no nic on the L3 network[uuid:{network}]")))?;
    if nics.first().and_then(|nic| nic.text("ip")) != Some(ip) {
        change.readdress(nic, network, Some(ip))?;
    }
    change.forget_static_ip(vm, network)?;
    change.tx.add_tag(TagKind::System, vm, "VmInstanceVO", &format!("staticIp::{network}::{ip}"))?;
    Ok("{}".to_owned())
}

/// Releases a static address; the nic keeps it for now.
fn delete_static_ip(change: &Change<'_>) -> Result<String, Failure> {
    change.forget_static_ip(change.text("vmInstanceUuid"), change.text("l3NetworkUuid"))?;
    Ok("{}".to_owned())
}

impl Change<'_> {
    /// Changes the address of a nic and of dependent records.
    fn readdress(&self, nic: &str, network: &str, wanted: Option<&str>) -> Result<(), Failure> {
        let address = self.free_address(network, wanted)?;
        self.tx.delete_where("UsedIpInventory", &[("vmNicUuid", Scalar::from(nic))])?;
        self.use_address(&address, network, Some(nic))?;
        let changes = Row::new()
            .with("l3NetworkUuid", network)
            .with("ip", address.ip.as_str())
            .with("netmask", address.range.get("netmask").clone())
            .with("gateway", address.range.get("gateway").clone());
        self.update(NIC, nic, changes)?;
        for inventory in ["EipInventory", "PortForwardingRuleInventory"] {
            let guest = Row::new().with("guestIp", address.ip.as_str());
            self.tx.update_where(inventory, &[("vmNicUuid", Scalar::from(nic))], &guest)?;
        }
        Ok(())
    }

    fn forget_static_ip(&self, vm: &str, network: &str) -> Result<(), Failure> {
        let prefix = format!("staticIp::{network}::");
        for row in self.find("SystemTagInventory", &[("resourceUuid", vm)])? {
            if row.text("tag").is_some_and(|tag| tag.starts_with(&prefix)) {
                self.tx.delete("SystemTagInventory", row.text("uuid").unwrap_or_default())?;
            }
        }
        Ok(())
    }

    /// The address in a system tag `staticIp::<L3 network>::<address>`.
    pub(super) fn static_ip(&self, network: &str) -> Option<&str> {
        let tags = self.arguments.texts("systemTags");
        tags.into_iter().find_map(|tag| tag.strip_prefix("staticIp::")?.strip_prefix(network)?.strip_prefix("::"))
    }

    /// Adds a nic with an address of an L3 network: the wanted one, or any.
    pub(super) fn add_nic(&self, vm: &str, network: &str, wanted: Option<&str>) -> Result<(), Failure> {
        self.add_nic_at(vm, network, &self.free_address(network, wanted)?)
    }

    fn add_nic_at(&self, vm: &str, network: &str, address: &FreeAddress) -> Result<(), Failure> {
        let others = self.find("VmNicInventory", &[("vmInstanceUuid", vm)])?;
        if others.iter().any(|nic| nic.text("l3NetworkUuid") == Some(network)) {
            return Err(Failure::refused(format!(
                "the vm[uuid:{vm}] has a nic on the L3 network[uuid:{network}] already"
            )));
        }
        let taken: Vec<i64> = others.iter().filter_map(|nic| nic.get("deviceId").as_integer()).collect();
        let device = (0..).find(|device| !taken.contains(device)).unwrap_or_default();
        let nic = new_uuid();
        self.use_address(address, network, Some(&nic))?;
        let now = self.now.to_stored();
        // The platform's locally administered prefix and the end of the uuid, which is unique enough.
        let mac = format!("fa:{}:{}:{}:{}:00", &nic[0..2], &nic[2..4], &nic[4..6], &nic[6..8]);
        let row = Row::new()
            .with("uuid", nic.as_str())
            .with("vmInstanceUuid", vm)
            .with("l3NetworkUuid", network)
            .with("ip", address.ip.as_str())
            .with("mac", mac)
            .with("hypervisorType", "KVM")
            .with("netmask", address.range.get("netmask").clone())
            .with("gateway", address.range.get("gateway").clone())
            .with("ipVersion", 4)
            .with("driverType", "virtio")
            .with("internalName", format!("vnic{}.{device}", &nic[8..12]))
            .with("deviceId", device)
            .with("type", "VNIC")
            .with("state", "enable")
            .with("createDate", now.as_str())
            .with("lastOpDate", now);
        self.insert("VmNicInventory", &row)
    }
}
