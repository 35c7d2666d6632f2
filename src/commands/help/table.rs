//! Aligned columns on pages.

use crate::width::width;

use super::Reader;

/// The width of pages.
const WIDTH: usize = 100;

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
        for (index, part) in
            wrap(&reader.cell(&row[N - 1]), WIDTH.saturating_sub(before).max(30)).into_iter().enumerate()
        {
            if index > 0 {
                line = " ".repeat(before);
            }
            line.push_str(&part);
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
}

/// Breaks text after `;` and `|`, so that a regular expression with spaces is not broken. Parts that are too long are
/// not broken either.
fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let clauses = text.split("; ").enumerate();
    let parts = clauses.flat_map(|(index, clause)| {
        let whole = clause.starts_with("matches ");
        let alternatives = clause.split(if whole { "\n" } else { " | " }).enumerate();
        alternatives.map(move |(nth, part)| match (index, nth) {
            (0, 0) => ("", "", part),
            (_, 0) => ("; ", ";", part),
            _ => (" | ", " |", part),
        })
    });
    for (joint, end, part) in parts {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if line.is_empty() || width(line) + joint.len() + width(part) <= room {
            line.push_str(joint);
            line.push_str(part);
        } else {
            line.push_str(end);
            lines.push(part.to_owned());
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
            ["Linux | Windows |", "Other;", "at most 9 characters"]
        );
        assert_eq!(
            wrap("at most 255 characters; matches ^(?! )[a | b]*$", 10),
            ["at most 255 characters;", "matches ^(?! )[a | b]*$"]
        );
        assert_eq!(wrap("", 10), [""]);
    }
}
