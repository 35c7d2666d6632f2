//! `history [COUNT]`: the commands typed before.

use std::io::{self, Write};

use crate::error::Error;
use crate::json::escape_unprintable;
use crate::session::Invocation;
use crate::shell::{Flow, last_entries};

/// Shows the commands typed before.
pub(super) fn run(cx: &mut Invocation<'_>, count: Option<usize>) -> Result<Flow, Error> {
    let path = cx.session.environment.folders()?.state.join("history");
    let entries = last_entries(&path, count.unwrap_or(usize::MAX))
        .map_err(|source| Error::Script { path: path.display().to_string(), source })?;
    cx.write(|out| Ok(list(&entries, out)?))?;
    Ok(Flow::Continue)
}

/// Lists commands, oldest first, each on a line that can be typed again.
///
/// # Errors
/// When `out` cannot be written.
fn list(commands: &[String], out: &mut dyn Write) -> io::Result<()> {
    for command in commands {
        // Line breaks of a command are kept; other control characters are escaped.
        for line in command.split('\n') {
            writeln!(out, "{}", escape_unprintable(line))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_stand_as_typed() {
        let mut out = Vec::new();
        list(&["QueryZone".into(), "CreateZone \\\n name=a".into()], &mut out).expect("memory takes it");
        assert_eq!(String::from_utf8(out).expect("text"), "QueryZone\nCreateZone \\\n name=a\n");
    }
}
