//! `history [COUNT]`: the commands typed before.

use std::io::{self, Write};

use crate::json::escape_unprintable;

/// Lists commands, oldest first, each on a line that can be typed again.
///
/// # Errors
/// When `out` cannot be written.
pub fn list(commands: &[String], out: &mut dyn Write) -> io::Result<()> {
    for command in commands {
        // A command of several lines stays several lines; other control characters never reach a terminal.
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
