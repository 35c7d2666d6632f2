//! Actions: changes to the cloud.
//!
//! Most are derived from an API's name and the catalog: a create fills members of the result's inventory from
//! parameters of the same names, an update changes them, an attachment is a row of the reference with both uuids.
//! Tables add what cannot be derived: states of virtual machines, cascades of deletions, dependent records of new
//! resources. Other APIs are not simulated.

mod account;
mod allocate;
mod clone;
mod context;
mod create;
mod delete;
mod fill;
mod guest;
mod lifecycle;
mod lists;
pub(super) mod making;
mod network;
mod nic;
mod platform;
mod project;
mod quota;
mod relate;
mod release;
mod run;
mod scaling;
mod sense;
mod storage;
mod subject;
mod tags;
mod update;
mod vm;
mod volume;
mod vpc;

pub(super) use context::{Change, Handler, Part};
pub(super) use lists::uuids;
pub(super) use run::{part_of, work_of};
pub(super) use subject::{creates, is_platforms, result_inventory, subject};

use context::scalar;
