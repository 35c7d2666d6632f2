//! Structured values: JSON and Python literals.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| zstack_cli::properties::literal::check(text));
