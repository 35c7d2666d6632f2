//! `more [N]`: earlier results.

use std::io::{self, Write};

use crate::json::{escape_unprintable, indent, terminal_safe};
use crate::results::{Kept, Record, Summary};

/// Lists results, one a line: number, `!` where it failed, the size of the reply, the command.
///
/// # Errors
/// When `out` cannot be written.
pub fn list(summaries: &[Summary], out: &mut dyn Write) -> io::Result<()> {
    let width = summaries.last().map_or(1, |last| last.number.to_string().len());
    for summary in summaries {
        let mark = if summary.success { ' ' } else { '!' };
        let command = summary.command.replace('\n', " ");
        let size = size(summary.size);
        writeln!(out, "{:>width$} {mark} {size:>9}  {}", summary.number, escape_unprintable(&command))?;
    }
    Ok(())
}

/// Shows a result: its reply, indented as JSON where it is that. What is said about it goes to `talk`.
///
/// # Errors
/// When `out` or `talk` cannot be written.
pub fn show(record: &Record, out: &mut dyn Write, talk: &mut dyn Write) -> io::Result<()> {
    let summary = &record.summary;
    let failed = if summary.success { "" } else { " (failed)" };
    writeln!(talk, "result {}{failed}: {}", summary.number, escape_unprintable(&summary.command))?;
    match &record.reply {
        Kept::Whole(text) => {
            let mut indented = Vec::new();
            indent(&mut indented, text.as_bytes(), 0);
            out.write_all(&terminal_safe(&indented))?;
            writeln!(out)
        }
        Kept::Text(text) => writeln!(out, "{}", escape_unprintable(text)),
        Kept::Start(text) => {
            writeln!(out, "{}", escape_unprintable(text))?;
            writeln!(talk, "({} were received; only the start is kept)", size(summary.size))
        }
    }
}

/// A count of bytes for people.
fn size(bytes: u64) -> String {
    let mut unit = 0;
    let mut shown = bytes;
    while shown >= 10 * 1024 && unit < 3 {
        shown /= 1024;
        unit += 1;
    }
    format!("{shown} {}", ["B", "KiB", "MiB", "GiB"][unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(number: u64, command: &str, success: bool, size: u64) -> Summary {
        Summary { number, command: command.into(), success, time: 0, size }
    }

    fn text(run: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        run(&mut out).expect("memory takes it");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn failed_results_are_marked() {
        let all = [summary(9, "QueryZone", true, 312), summary(10, "DeleteZone uuid=x\\\n", false, 41_000_000)];
        assert_eq!(text(|out| list(&all, out)), " 9       312 B  QueryZone\n10 !    39 MiB  DeleteZone uuid=x\\ \n");
    }

    #[test]
    fn a_result_is_shown_as_json() {
        let record = Record { summary: summary(1, "QueryZone", true, 9), reply: Kept::Whole("{\"a\":1.0E3}".into()) };
        assert_eq!(text(|out| show(&record, out, &mut io::sink())), "{\n    \"a\": 1.0E3\n}\n");
        let cut = Record { summary: summary(1, "QueryZone", false, 5 << 20), reply: Kept::Start("{\"a".into()) };
        assert_eq!(
            text(|talk| show(&cut, &mut io::sink(), talk)),
            "result 1 (failed): QueryZone\n(5120 KiB were received; only the start is kept)\n"
        );
    }
}
