//! User tags and system tags.

use serde_json::json;

use super::super::answer::Failure;
use super::super::checks;
use super::super::ledger::new_uuid;
use super::super::store::{Row, Scalar, TagKind};
use super::{Change, Handler};

/// The APIs of tags with a handler of their own.
pub(super) const WORK: &[(&str, Handler)] = &[
    ("AttachTagToResources", attach),
    ("CreateSystemTag", create_system_tag),
    ("CreateUserTag", create_user_tag),
    ("DeleteTag", delete),
    ("DeleteVmBootMode", delete_setting),
    ("DeleteVmHostname", delete_setting),
    ("DeleteVmInstanceHaLevel", delete_setting),
    ("DeleteVmSshKey", delete_setting),
    ("DetachTagFromResources", detach),
    ("SetVmBootMode", set),
    ("SetVmBootOrder", set),
    ("SetVmHostname", set),
    ("SetVmInstanceHaLevel", set),
    ("SetVmSshKey", set),
];

/// Settings of virtual machines stored as system tags: the suffix of their APIs' names, the prefix of the tag, and the
/// parameter.
const SETTINGS: [(&str, &str, &str); 5] = [
    ("VmBootMode", "bootMode::", "bootMode"),
    ("VmBootOrder", "bootOrder::", "bootOrder"),
    ("VmHostname", "hostname::", "hostname"),
    ("VmInstanceHaLevel", "ha::", "level"),
    ("VmSshKey", "sshkey::", "SshKey"),
];

/// Prefixes of the system tags that a node accepts when a resource is created (P8), in addition to those of existing
/// resources.
const KNOWN: [&str; 44] = [
    "additionalQmp",
    "aliyunebs",
    "allowbackup",
    "autoReleaseSpecReleatedPhysicalPciDevice",
    "bootMode::",
    "bootOrder::",
    "capability::",
    "cdroms::",
    "cleanTraffic",
    "cloud::init",
    "consolePassword::",
    "createWithoutCdRom::",
    "cdromList::",
    "cpuPin::",
    "driver::",
    "emulateHyperV::",
    "ephemeral::",
    "guestTools::",
    "ha",
    "hostname::",
    "instanceOffering",
    "ipv6",
    "kvmHiddenState::",
    "networkService::",
    "noVnc",
    "packer",
    "primaryStorage",
    "qemuga",
    "RDPEnable::",
    "remote",
    "resourceConfig::",
    "securityElementEnable::",
    "sshkey::",
    "staticIp::",
    "usbRedirect::",
    "userdata::",
    "usedIp",
    "VDIMonitorNumber::",
    "virtio",
    "vmConsoleMode::",
    "vmCpuPinning::",
    "vmPriority::",
    "volumeProvisioningStrategy::",
    "windows",
];

const KINDS: [(TagKind, &str); 2] = [(TagKind::System, "systemTags"), (TagKind::User, "userTags")];

impl Change<'_> {
    /// Attaches the tags of a call to the resource that it created or changed (P8).
    pub(super) fn add_tags_of_call(&self, inventory: &str, uuid: &str) -> Result<(), Failure> {
        let resource_type = self.resource_type(inventory);
        for (kind, parameter) in KINDS {
            for tag in self.arguments.texts(parameter) {
                // Ephemeral tags are options of the call and are not stored.
                if tag.starts_with("ephemeral::") {
                    continue;
                }
                if kind == TagKind::System && checks::is_create(self.api.name) {
                    self.check_system_tag(tag)?;
                }
                self.tx.add_tag(kind, uuid, &resource_type, tag)?;
            }
        }
        for pattern in self.arguments.texts("tagUuids") {
            self.tag_with(pattern, uuid, &resource_type)?;
        }
        Ok(())
    }

    fn check_system_tag(&self, tag: &str) -> Result<(), Failure> {
        let head = tag.split_once("::").map_or(tag, |(head, _)| head);
        let is_known = KNOWN.iter().any(|known| known.trim_end_matches("::") == head)
            || self
                .find("SystemTagInventory", &[])?
                .iter()
                .filter_map(|row| row.text("tag"))
                .any(|other| other.split_once("::").map_or(other, |(head, _)| head) == head);
        if is_known {
            Ok(())
        } else {
            Err(Failure::argument(format!("field[systemTags] has an unknown system tag[{tag}]")))
        }
    }

    /// Attaches a tag pattern to a resource.
    fn tag_with(&self, pattern: &str, uuid: &str, resource_type: &str) -> Result<String, Failure> {
        let row = self.get("TagPatternInventory", pattern)?;
        let tag = match row.text("type") {
            Some("withToken") => self.with_tokens(row.text("value").unwrap_or_default()),
            _ => row.text("name").unwrap_or_default().to_owned(),
        };
        let tag_uuid = new_uuid();
        let now = self.now.to_stored();
        let row = Row::new()
            .with("uuid", tag_uuid.as_str())
            .with("tagPatternUuid", pattern)
            .with("resourceUuid", uuid)
            .with("resourceType", resource_type)
            .with("tag", tag)
            .with("type", "User")
            .with("createDate", now.as_str())
            .with("lastOpDate", now);
        self.tx.insert("UserTagInventory", &row)?;
        Ok(tag_uuid)
    }

    /// The value of a tag pattern such as `owner::{name}` with the tokens of the call.
    fn with_tokens(&self, value: &str) -> String {
        let tokens = self.arguments.get("tokens").and_then(serde_json::Value::as_object);
        tokens.into_iter().flatten().fold(value.to_owned(), |text, (name, token)| {
            text.replace(&format!("{{{name}}}"), token.as_str().unwrap_or_default())
        })
    }

    /// The resource type of a uuid, as in tags.
    fn tagged_type(&self, uuid: &str) -> Result<String, Failure> {
        let kind = self.tx.kind_of(uuid)?;
        let kind = kind.ok_or_else(|| Failure::not_found(format!("there is no resource[uuid:{uuid}]")))?;
        Ok(self.resource_type(&kind))
    }

    fn create_tag(&self, kind: TagKind, inventory: &str) -> Result<String, Failure> {
        let uuid = self.text("resourceUuid");
        let resource_type = self.tagged_type(uuid)?;
        let tag = self.tx.add_tag(kind, uuid, &resource_type, self.text("tag"))?;
        self.reply(inventory, &tag)
    }

    fn setting(&self) -> Result<(&'static str, &'static str), Failure> {
        let found = SETTINGS.iter().find(|(end, ..)| self.api.name.ends_with(end));
        found.map(|(_, prefix, parameter)| (*prefix, *parameter)).ok_or_else(|| Failure::not_simulated(self.api.name))
    }

    /// Removes the system tags of a resource that begin with a text.
    pub(super) fn remove_tags_from(&self, resource: &str, prefix: &str) -> Result<(), Failure> {
        for row in self.find("SystemTagInventory", &[("resourceUuid", resource)])? {
            if row.text("tag").is_some_and(|tag| tag.starts_with(prefix)) {
                self.tx.delete("SystemTagInventory", row.text("uuid").unwrap_or_default())?;
            }
        }
        Ok(())
    }

    /// Sets the value of a system tag that a resource has once.
    pub(super) fn replace_tag(
        &self,
        resource: &str,
        resource_type: &str,
        prefix: &str,
        value: &str,
    ) -> Result<(), Failure> {
        self.remove_tags_from(resource, prefix)?;
        self.tx.add_tag(TagKind::System, resource, resource_type, &format!("{prefix}{value}"))?;
        Ok(())
    }
}

fn attach(change: &Change<'_>) -> Result<String, Failure> {
    let mut results = Vec::new();
    for uuid in change.arguments.texts("resourceUuids") {
        let resource_type = change.tagged_type(uuid)?;
        let tag = change.tag_with(change.text("tagUuid"), uuid, &resource_type)?;
        let inventory = change.tx.inventory_json("UserTagInventory", &tag)?;
        let inventory: serde_json::Value =
            inventory.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
        results.push(json!({ "inventory": inventory, "success": true }));
    }
    Ok(json!({ "results": results }).to_string())
}

fn detach(change: &Change<'_>) -> Result<String, Failure> {
    for uuid in change.arguments.texts("resourceUuids") {
        let condition =
            [("tagPatternUuid", Scalar::from(change.text("tagUuid"))), ("resourceUuid", Scalar::from(uuid))];
        change.tx.delete_where("UserTagInventory", &condition)?;
    }
    Ok("{}".to_owned())
}

fn create_user_tag(change: &Change<'_>) -> Result<String, Failure> {
    change.create_tag(TagKind::User, "UserTagInventory")
}

fn create_system_tag(change: &Change<'_>) -> Result<String, Failure> {
    change.check_system_tag(change.text("tag"))?;
    change.create_tag(TagKind::System, "SystemTagInventory")
}

/// Deletes a tag of either kind, or a tag pattern with its tags.
fn delete(change: &Change<'_>) -> Result<String, Failure> {
    let uuid = change.text("uuid");
    for inventory in ["UserTagInventory", "SystemTagInventory", "TagPatternInventory"] {
        if change.tx.get(inventory, uuid)?.is_some() {
            change.delete_tree(inventory, uuid)?;
        }
    }
    Ok("{}".to_owned())
}

fn set(change: &Change<'_>) -> Result<String, Failure> {
    const VM: &str = "VmInstanceInventory";
    let (prefix, parameter) = change.setting()?;
    let vm = change.text("uuid");
    change.get(VM, vm)?;
    let value = match change.arguments.text(parameter) {
        Some(text) => text.to_owned(),
        None => change.arguments.texts(parameter).join(","),
    };
    change.remove_tags_from(vm, prefix)?;
    // An empty list goes back to the default.
    if !value.is_empty() {
        change.replace_tag(vm, "VmInstanceVO", prefix, &value)?;
    }
    change.reply_of_result(VM, vm)
}

fn delete_setting(change: &Change<'_>) -> Result<String, Failure> {
    let (prefix, _) = change.setting()?;
    change.remove_tags_from(change.text("uuid"), prefix)?;
    Ok("{}".to_owned())
}
