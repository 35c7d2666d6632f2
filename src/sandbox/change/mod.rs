//! What calls change in the cloud.
//!
//! Most follow from an API's name and the catalog: a create fills the members of the result's inventory from
//! parameters of the same names, an update changes them, an attachment is a row of the reference that holds
//! both uuids. Tables say what the names do not: the states of virtual machines, what goes with what when
//! something is deleted, what else belongs to a new resource. What neither tells is not simulated.

mod account;
mod clone;
mod context;
mod create;
mod delete;
mod fill;
mod lifecycle;
mod network;
mod nic;
mod relate;
mod run;
mod storage;
mod subject;
mod tags;
mod update;
mod vm;
mod volume;

pub(super) use context::{Change, Handler};
pub(super) use subject::is_platforms;

use context::{References, scalar};
