//! Replies, in every format.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| zstack_cli::properties::reply::check(bytes));
