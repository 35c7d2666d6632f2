//! Auto-scaling groups: their templates. Groups do not grow.

use super::super::answer::Failure;
use super::{Change, Handler};

/// The APIs of auto-scaling groups with a handler of their own.
pub(super) const WORK: &[(&str, Handler)] = &[
    ("AttachAutoScalingTemplateToGroup", attach),
    ("DeleteAutoScalingTemplate", delete),
    ("DetachAutoScalingTemplateFromGroup", detach),
];

const GROUP: &str = "AutoScalingGroupInventory";
const TEMPLATE: &str = "AutoScalingTemplateInventory";
const TEMPLATES: (&str, &str) = (GROUP, "attachedTemplates");

fn attach(change: &Change<'_>) -> Result<String, Failure> {
    let (template, group) = (change.text("uuid"), change.text("groupUuid"));
    change.get(TEMPLATE, template)?;
    if !change.change_list(TEMPLATES, group, template, true)? {
        return Err(Failure::refused(format!("the template[uuid:{template}] is attached to the group already")));
    }
    change.reply(GROUP, group)
}

fn detach(change: &Change<'_>) -> Result<String, Failure> {
    let (template, group) = (change.text("templateUuid"), change.text("groupUuid"));
    if !change.change_list(TEMPLATES, group, template, false)? {
        return Err(Failure::refused(format!("the template[uuid:{template}] is not attached to the group")));
    }
    change.reply(GROUP, group)
}

fn delete(change: &Change<'_>) -> Result<String, Failure> {
    change.delete_tree(TEMPLATE, change.text("uuid"))?;
    Ok("{}".to_owned())
}
