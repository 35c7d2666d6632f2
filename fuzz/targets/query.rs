//! Conditions: the planner's reading and the sandbox's.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| zstack_cli::properties::query::check(text));
