//! Virtual machines and images that show while the job that creates them runs.

use serde_json::{Map, Value};

use super::super::answer::Failure;
use super::super::arguments::Arguments;
use super::super::ledger::new_uuid;
use super::super::store::{Row, Scalar};
use super::{Change, Handler};

/// What shows before it is complete: the API, its inventory, the member that tells, its value meanwhile and then.
const MADE: [(&str, &str, &str, [&str; 2]); 2] = [
    ("AddImage", "ImageInventory", "status", ["Downloading", "Ready"]),
    ("CreateVmInstance", "VmInstanceInventory", "state", ["Starting", "Running"]),
];

/// The argument of a job that tells that its resource shows already.
const MARK: &str = "sandboxShows";

fn made(api: &str) -> Option<&'static (&'static str, &'static str, &'static str, [&'static str; 2])> {
    MADE.iter().find(|(name, ..)| *name == api)
}

/// Chooses the uuid of a resource that will show while its job runs.
pub(in super::super) fn choose(api: &str, arguments: &mut Arguments) {
    if made(api).is_some() {
        if arguments.text("resourceUuid").is_none() {
            arguments.set("resourceUuid", new_uuid().into());
        }
        arguments.set(MARK, true.into());
    }
}

/// The arguments of a call as its caller gave them, but for the uuid of what shows.
pub(in super::super) fn without_mark(arguments: &Arguments) -> Map<String, Value> {
    let mut values = arguments.values().clone();
    values.remove(MARK);
    values
}

/// Whether the resource of a call shows while its job runs.
pub(super) fn shows(arguments: &Arguments) -> bool {
    arguments.get(MARK).is_some()
}

/// Creates the resource of a job, in the making.
pub(super) fn begin(change: &Change<'_>, work: Handler) -> Result<(), Failure> {
    let Some((_, inventory, member, [meanwhile, then])) = made(change.api.name) else { return Ok(()) };
    work(change)?;
    set(change, inventory, member, then, meanwhile)
}

/// Completes the resource of a job; `None` if it did not show before.
pub(super) fn finish(change: &Change<'_>) -> Result<Option<String>, Failure> {
    let Some((_, inventory, member, [meanwhile, then])) = made(change.api.name) else { return Ok(None) };
    if !shows(change.arguments) {
        return Ok(None);
    }
    let uuid = change.text("resourceUuid");
    change.get(inventory, uuid)?;
    set(change, inventory, member, meanwhile, then)?;
    Ok(Some(change.reply(inventory, uuid)?))
}

fn set(change: &Change<'_>, inventory: &str, member: &str, from: &str, to: &str) -> Result<(), Failure> {
    let uuid = change.text("resourceUuid");
    if change.get(inventory, uuid)?.text(member) == Some(from) {
        change.update(inventory, uuid, Row::new().with(member, to))?;
        if inventory == "ImageInventory" {
            let of_image = [("imageUuid", Scalar::from(uuid))];
            change.tx.update_where("ImageBackupStorageRefInventory", &of_image, &Row::new().with(member, to))?;
        }
    }
    Ok(())
}
