//! `zstack-cli`: the shell with which operators run a ZStack cloud.

pub mod catalog;
pub mod json;
pub mod plan;
pub mod render;
