//! What is inside of virtual machines, their volumes and nics: passwords, the guest agent, limits of speed.

use serde_json::{Map, Value, json};

use super::super::answer::Failure;
use super::super::store::{Row, Scalar, TagKind};
use super::{Change, Handler};

/// The APIs of guests and limits. The reads are here too, since they read what these write.
pub(super) const WORK: &[(&str, Handler)] = &[
    ("ChangeVmPassword", change_password),
    ("DeleteNicQos", delete_limits),
    ("DeleteVmConsolePassword", set_console_password),
    ("DeleteVolumeQos", delete_limits),
    ("GetNicQos", limits),
    ("GetVmConsolePassword", console_password),
    ("GetVmGuestToolsInfo", guest_tools),
    ("GetVmQga", agent),
    ("GetVolumeQos", limits),
    ("SetNicQos", set_limits),
    ("SetVmConsolePassword", set_console_password),
    ("SetVmQga", set_agent),
    ("SetVolumeQos", set_limits),
];

const VM: &str = "VmInstanceInventory";
/// The system tag of virtual machines with the guest agent.
const AGENT: &str = "qemuga";
/// The prefix of the system tag with the version of the guest tools, and the version that is installed without one.
const TOOLS: (&str, &str) = ("GuestTools::", "2.1.0");

/// A limit of speed: the parameter that sets it, the name in the tag `qos::name=value,..`, and the member of replies.
type Limit = (&'static str, &'static str, &'static str);

const OF_VOLUMES: &[Limit] = &[
    ("volumeBandwidth", "total", "volumeBandwidth"),
    ("totalBandwidth", "total", "volumeBandwidth"),
    ("readBandwidth", "read", "volumeBandwidthRead"),
    ("writeBandwidth", "write", "volumeBandwidthWrite"),
    ("totalIOPS", "totalIops", "iopsTotal"),
    ("readIOPS", "readIops", "iopsRead"),
    ("writeIOPS", "writeIops", "iopsWrite"),
];
const OF_NICS: &[Limit] =
    &[("outboundBandwidth", "outbound", "outboundBandwidth"), ("inboundBandwidth", "inbound", "inboundBandwidth")];

fn change_password(change: &Change<'_>) -> Result<String, Failure> {
    let vm = change.text("uuid");
    if change.get(VM, vm)?.text("state") != Some("Running") {
        return Err(Failure::refused(format!("the vm[uuid:{vm}] is not running, its password cannot be changed")));
    }
    Ok("{}".to_owned())
}

fn set_console_password(change: &Change<'_>) -> Result<String, Failure> {
    let vm = change.text("uuid");
    change.get(VM, vm)?;
    let password = change.arguments.text("consolePassword").map_or(Scalar::Null, Scalar::from);
    change.update(VM, vm, Row::new().with("consolePassword", password))?;
    change.reply_of_result(VM, vm)
}

fn console_password(change: &Change<'_>) -> Result<String, Failure> {
    let vm = change.get(VM, change.text("uuid"))?;
    let mut reply = Map::new();
    reply.extend(vm.text("consolePassword").map(|password| ("password".to_owned(), password.into())));
    reply.insert("success".to_owned(), true.into());
    Ok(Value::Object(reply).to_string())
}

fn set_agent(change: &Change<'_>) -> Result<String, Failure> {
    let vm = change.text("uuid");
    change.get(VM, vm)?;
    let is_wanted = change.arguments.get("enable").and_then(Value::as_bool) == Some(true);
    match (is_wanted, change.has_tag(vm, AGENT)?) {
        (true, false) => drop(change.tx.add_tag(TagKind::System, vm, "VmInstanceVO", AGENT)?),
        (false, true) => change.remove_tags_from(vm, AGENT)?,
        _ => {}
    }
    Ok("{}".to_owned())
}

fn agent(change: &Change<'_>) -> Result<String, Failure> {
    change.get(VM, change.text("uuid"))?;
    Ok(json!({ "enable": change.has_tag(change.text("uuid"), AGENT)?, "success": true }).to_string())
}

fn guest_tools(change: &Change<'_>) -> Result<String, Failure> {
    let vm = change.get(VM, change.text("uuid"))?;
    if vm.text("state") != Some("Running") {
        return Ok(json!({ "status": "Not Connected", "features": {}, "success": true }).to_string());
    }
    let tags = change.find("SystemTagInventory", &[("resourceUuid", change.text("uuid"))])?;
    let version = tags.iter().filter_map(|row| row.text("tag")).find_map(|tag| tag.strip_prefix(TOOLS.0));
    let version = version.unwrap_or(TOOLS.1);
    let features = json!({ "qga": "Running", "zwatch": "Running" });
    Ok(json!({ "version": version, "status": "Running", "features": features, "success": true }).to_string())
}

impl Change<'_> {
    fn has_tag(&self, uuid: &str, tag: &str) -> Result<bool, Failure> {
        Ok(!self.find("SystemTagInventory", &[("resourceUuid", uuid), ("tag", tag)])?.is_empty())
    }

    /// The inventory and the limits of a call's resource.
    fn kind_of_limits(&self) -> (&'static str, &'static [Limit]) {
        if self.api.name.contains("Nic") { ("VmNicInventory", OF_NICS) } else { ("VolumeInventory", OF_VOLUMES) }
    }

    /// The limits of a resource by their names in its tag.
    fn limits_of(&self, uuid: &str) -> Result<Vec<(String, i64)>, Failure> {
        let tags = self.find("SystemTagInventory", &[("resourceUuid", uuid)])?;
        let found = tags.iter().filter_map(|row| row.text("tag")).find_map(|tag| tag.strip_prefix("qos::"));
        let pairs = found.unwrap_or_default().split(',').filter_map(|pair| pair.split_once('='));
        Ok(pairs.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect())
    }

    fn store_limits(&self, inventory: &str, uuid: &str, limits: &[(String, i64)]) -> Result<(), Failure> {
        self.remove_tags_from(uuid, "qos::")?;
        let text = limits.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(",");
        if !limits.is_empty() {
            self.tx.add_tag(TagKind::System, uuid, &self.resource_type(inventory), &format!("qos::{text}"))?;
        }
        if inventory == "VolumeInventory" {
            let qos = if limits.is_empty() { Scalar::Null } else { text.into() };
            self.update(inventory, uuid, Row::new().with("volumeQos", qos))?;
        }
        Ok(())
    }
}

fn set_limits(change: &Change<'_>) -> Result<String, Failure> {
    let (inventory, names) = change.kind_of_limits();
    let uuid = change.text("uuid");
    change.get(inventory, uuid)?;
    let mut limits = change.limits_of(uuid)?;
    for (parameter, name, _) in names {
        let Some(value) = change.arguments.integer(parameter) else { continue };
        // With a mode, the bandwidth is that of reading or writing.
        let name = change.arguments.text("mode").filter(|_| *parameter == "volumeBandwidth").unwrap_or(name);
        limits.retain(|(other, _)| other != name);
        limits.push((name.to_owned(), value));
    }
    change.store_limits(inventory, uuid, &limits)?;
    change.reply_of_result(inventory, uuid)
}

fn delete_limits(change: &Change<'_>) -> Result<String, Failure> {
    let (inventory, _) = change.kind_of_limits();
    let uuid = change.text("uuid");
    change.get(inventory, uuid)?;
    let mut limits = change.limits_of(uuid)?;
    match change.arguments.text("mode").or_else(|| change.arguments.text("direction")) {
        Some(mode @ ("total" | "read" | "write" | "in" | "out")) => {
            limits.retain(|(name, _)| !name.starts_with(mode));
        }
        _ => limits.clear(),
    }
    change.store_limits(inventory, uuid, &limits)?;
    change.reply_of_result(inventory, uuid)
}

/// The limits of a resource; -1 where there is none.
fn limits(change: &Change<'_>) -> Result<String, Failure> {
    let (inventory, names) = change.kind_of_limits();
    let uuid = change.text("uuid");
    change.get(inventory, uuid)?;
    let limits = change.limits_of(uuid)?;
    let mut reply = Map::new();
    if inventory == "VolumeInventory" {
        reply.insert("volumeUuid".to_owned(), uuid.into());
    }
    for (_, name, member) in names {
        let value = limits.iter().find(|(other, _)| other == name).map_or(-1, |(_, value)| *value);
        reply.insert((*member).to_owned(), value.into());
    }
    reply.insert("success".to_owned(), true.into());
    Ok(Value::Object(reply).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn the_tables_name_parameters_and_members_of_the_catalog() {
        for (set, get, names) in [("SetVolumeQos", "GetVolumeQos", OF_VOLUMES), ("SetNicQos", "GetNicQos", OF_NICS)] {
            let [set, get] = [set, get].map(|name| Catalog::newest().api(name).expect("an API of the catalog"));
            for (parameter, _, member) in names {
                assert!(set.parameter(parameter).is_some(), "{parameter}");
                assert!(get.result.iter().any(|result| result.name == *member), "{member}");
            }
        }
    }
}
