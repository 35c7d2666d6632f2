//! The catalog compiled into the program; `build.rs` writes the table.

use super::index::{ApiEntry, Data, Entry};

include!(concat!(env!("OUT_DIR"), "/catalog_index.rs"));
