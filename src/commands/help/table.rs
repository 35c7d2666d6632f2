//! Aligned columns on pages.

use crate::render::wrapped;
use crate::width::width;

use super::Reader;

/// The least room for the last column; with less it stands below the others.
const LEAST_ROOM: usize = 30;
/// How far it stands in there.
const BELOW: usize = 6;

/// Adds rows of aligned columns; the last one is in the reader's language, and wrapped.
pub(super) fn table<const N: usize>(out: &mut String, rows: Vec<[String; N]>, reader: Reader) {
    let mut widths = [0; N];
    for row in &rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(width(cell));
        }
    }
    // One very long name must not make the column too wide.
    let widths = widths.map(|width| width.min(40));
    let before: usize = widths[..N - 1].iter().map(|width| width + 2).sum::<usize>() + 2;
    for row in rows {
        let mut line = String::from("  ");
        for (column, cell) in row[..N - 1].iter().enumerate() {
            line.push_str(cell);
            let missing = (widths[column] + 2).saturating_sub(width(cell)).max(1);
            line.extend(std::iter::repeat_n(' ', missing));
        }
        let text = reader.cell(&row[N - 1]);
        let room = reader.width.saturating_sub(before);
        let is_below = room < LEAST_ROOM && width(&line) + width(&text) > reader.width;
        let (start, room) = if is_below { (BELOW, reader.width.saturating_sub(BELOW)) } else { (before, room) };
        if is_below {
            out.push_str(line.trim_end());
            out.push('\n');
            line = " ".repeat(start);
        }
        // A line that goes on ends in ` |`.
        for part in wrap(&text, room.max(LEAST_ROOM) - 2) {
            line.push_str(&part);
            out.push_str(line.trim_end());
            out.push('\n');
            line = " ".repeat(start);
        }
    }
}

/// Breaks text after `;` and `|`, and between words where the parts are too long. A regular expression is not broken.
fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let clauses = text.split("; ").enumerate();
    let parts = clauses.flat_map(|(index, clause)| {
        let whole = clause.starts_with("matches ");
        let alternatives = clause.split(if whole { "\n" } else { " | " }).enumerate();
        alternatives.map(move |(nth, part)| match (index, nth) {
            (0, 0) => ("", "", part, whole),
            (_, 0) => ("; ", ";", part, whole),
            _ => (" | ", " |", part, whole),
        })
    });
    for (joint, end, part, whole) in parts {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if width(line) + joint.len() + width(part) <= room {
            line.push_str(joint);
            line.push_str(part);
            continue;
        }
        line.push_str(end);
        if line.is_empty() {
            lines.pop();
        }
        match whole {
            true => lines.push(part.to_owned()),
            false => lines.extend(wrapped(part, room)),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_break_between_values_and_never_inside_a_pattern() {
        assert_eq!(
            wrap("Linux | Windows | Other; at most 9 characters", 16),
            ["Linux | Windows |", "Other;", "at most 9", "characters"]
        );
        assert_eq!(
            wrap("at most 255 characters; matches ^(?! )[a | b]*$", 22),
            ["at most 255 characters;", "matches ^(?! )[a | b]*$"]
        );
        assert_eq!(wrap("", 10), [""]);
    }
}
