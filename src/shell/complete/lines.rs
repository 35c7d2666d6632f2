//! The output of `zstack-cli complete LINE`.

use crate::json::is_unprintable;

use super::engine::complete;
use super::sources::Sources;

/// Returns the candidates at the end of `line`, best first, one per line: the completed word, the kind and a short
/// description, separated by tabs.
pub fn complete_lines(line: &str, sources: &Sources<'_>) -> String {
    let completion = complete(line, line.len(), sources);
    let mut out = String::new();
    for candidate in &completion.candidates {
        push_clean(&mut out, &completion.word(candidate));
        out.push('\t');
        out.push_str(candidate.kind.as_str());
        out.push('\t');
        if candidate.required {
            out.push_str("required, ");
        }
        push_clean(&mut out, &candidate.description);
        out.push('\n');
    }
    out
}

/// Appends text with a space in place of each unprintable character, line ends and tabs among them.
fn push_clean(out: &mut String, text: &str) {
    out.extend(text.chars().map(|c| if is_unprintable(c) { ' ' } else { c }));
}
