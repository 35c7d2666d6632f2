//! The node over real sockets, with requests written by hand.

mod capacity;
mod changes;
mod faults;
mod harness;
mod long_jobs;
mod monitoring;
mod offer;
mod projects;
mod protocol;
mod reads;
mod running;
mod sessions;
mod settings;
mod sweep;
