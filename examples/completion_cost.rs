//! Completes one line without a node, so that the instructions which that takes can be counted:
//!
//! ```text
//! cargo build --release --example completion_cost
//! valgrind --tool=callgrind --toggle-collect='*measured*' target/release/examples/completion_cost 'QueryZone '
//! ```

use std::hint::black_box;
use std::process::ExitCode;

use zstack_cli::catalog::Catalog;
use zstack_cli::shell::complete::{Disk, NoLiveValues, Sources, complete};

/// Apart from `main`, so that a profiler can be switched on here.
#[inline(never)]
fn measured(line: &str, sources: &Sources<'_>) -> usize {
    let completion = complete(line, line.len(), sources);
    let extension = completion.extension().map_or(0, |(word, _)| word.len());
    completion.candidates.len() + extension
}

fn main() -> ExitCode {
    let line = std::env::args().nth(1).unwrap_or_default();
    let sources = Sources { catalog: Catalog::newest(), live: &NoLiveValues, files: &Disk, contexts: &[] };
    let found = black_box(measured(black_box(&line), &sources));
    if found > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
