//! `save N[,N…] [FILE|DIR] [json_only]`: results as files.

use std::path::Path;

use crate::error::Error;
use crate::results;
use crate::session::Invocation;
use crate::shell::Flow;

/// Writes earlier results to files.
pub(super) fn run(
    cx: &mut Invocation<'_>,
    numbers: &str,
    target: Option<&Path>,
    json_only: bool,
) -> Result<Flow, Error> {
    let results = cx.session.results(cx.settings.view.secrets)?;
    for file in results::save(&results, numbers, target, json_only)? {
        cx.say(&format!("saved {}", file.display()));
    }
    Ok(Flow::Continue)
}
