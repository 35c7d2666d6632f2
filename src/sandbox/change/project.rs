//! Projects and their members, the virtual ids. A project has an account, which owns what is made in it.

use super::super::answer::Failure;
use super::super::ledger::new_uuid;
use super::super::store::Row;
use super::{Change, Handler, lists};

/// The APIs of projects with a handler of their own.
pub(super) const WORK: &[(&str, Handler)] = &[
    ("AddIAM2VirtualIDsToProject", add),
    ("AddIAM2VirtualIDsToProjects", add),
    ("GetIAM2ProjectsOfVirtualID", own),
    ("RemoveIAM2VirtualIDsFromProject", remove),
    ("RemoveIAM2VirtualIDsFromProjects", remove),
    ("UpdateIAM2VirtualID", update),
];

const PROJECT: &str = "IAM2ProjectInventory";
const VIRTUAL_ID: &str = "IAM2VirtualIDInventory";

fn add(change: &Change<'_>) -> Result<String, Failure> {
    change.change_members(true)
}

fn remove(change: &Change<'_>) -> Result<String, Failure> {
    change.change_members(false)
}

fn update(change: &Change<'_>) -> Result<String, Failure> {
    change.update_login(VIRTUAL_ID)
}

/// The projects of the virtual id that calls.
fn own(change: &Change<'_>) -> Result<String, Failure> {
    let caller = change.tx.get(VIRTUAL_ID, &change.caller.account)?.unwrap_or_default();
    let mut texts = Vec::new();
    for project in lists::uuids(&caller, "projectUuids") {
        texts.extend(change.tx.inventory_json(PROJECT, &project)?);
    }
    Ok(format!("{{\"inventories\":[{}]}}", texts.join(",")))
}

impl Change<'_> {
    fn change_members(&self, adds: bool) -> Result<String, Failure> {
        let projects = self.arguments.text("projectUuid").into_iter().chain(self.arguments.texts("projectUuids"));
        for project in projects {
            for id in self.arguments.texts("virtualIDUuids") {
                self.change_member(project, id, adds)?;
            }
        }
        Ok("{}".to_owned())
    }

    /// Makes a virtual id a member of a project, or no longer.
    pub(super) fn change_member(&self, project: &str, id: &str, adds: bool) -> Result<(), Failure> {
        self.change_list((PROJECT, "virtualIDUuids"), project, id, adds)?;
        self.change_list((VIRTUAL_ID, "projectUuids"), id, project, adds)?;
        Ok(())
    }

    /// Adds the account of a new project.
    pub(super) fn add_project_account(&self, project: &Row) -> Result<(), Failure> {
        let (uuid, now) = (new_uuid(), self.now.to_stored());
        let project_uuid = project.text("uuid").unwrap_or_default();
        let account = Row::new()
            .with("uuid", uuid.as_str())
            .with("name", format!("project-{}", project.text("name").unwrap_or_default()))
            .with("type", "Normal")
            .with("createDate", now.as_str())
            .with("lastOpDate", now);
        self.create("AccountInventory", account)?;
        let reference = Row::new().with("projectUuid", project_uuid).with("accountUuid", uuid.as_str());
        self.tx.insert("IAM2ProjectAccountRefInventory", &reference)?;
        self.update(PROJECT, project_uuid, Row::new().with("linkedAccountUuid", uuid))
    }
}
