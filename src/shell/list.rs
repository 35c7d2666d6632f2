//! The list that Tab shows: grouped, in columns, never wider than the terminal.

use std::borrow::Cow;
use std::ops::Range;

use crate::json::escape_unprintable;
use crate::language::Language;
use crate::width::{cut, width};

use super::complete::{Candidate, Completion, Group};

/// The number of spaces between two columns.
const GAP: usize = 2;

/// The mark at the end of a text that was cut.
pub(super) const ELLIPSIS: &str = "…";

/// The smallest width that descriptions must have for candidates to be put in two columns.
const SHORTEST_DESCRIPTION: usize = 14;

/// The largest number of candidates of one group that are listed with descriptions. More are listed by their labels
/// only, in as many columns as fit. Uuids always keep their descriptions, as they say nothing alone.
const MOST_DESCRIBED: usize = 60;

/// The length of a uuid in characters.
const UUID: usize = 32;

/// Returns the rows of the list for a terminal of `width` columns. Without colour the rows are plain text.
pub(crate) fn rows(completion: &Completion, width: usize, colour: bool, language: Language) -> Vec<String> {
    // The last column stays free: some terminals wrap when it is written to.
    let width = width.saturating_sub(1).max(20);
    let mut rows = Vec::new();
    let mut groups: Vec<Group> = completion.candidates.iter().map(|candidate| candidate.group).collect();
    groups.sort_unstable();
    groups.dedup();
    for group in groups {
        if !rows.is_empty() {
            rows.push(String::new());
        }
        rows.push(style("1", &format!("[{}:]", language.say(group.heading())), colour));
        let members = completion.candidates.iter().filter(|candidate| candidate.group == group);
        let uuids = members.clone().all(|candidate| candidate.label.len() == UUID);
        let cells: Vec<Cell> = members.map(|candidate| Cell::of(completion, candidate, colour, language)).collect();
        rows.extend(columns(&cells, width, group == Group::Values && uuids));
    }
    if let Some(note) = completion.note {
        rows.push(style("2", &format!("({})", language.say(note.message())), colour));
    }
    rows
}

/// A candidate ready to be written to a row.
struct Cell {
    label: Text,
    mark: &'static str,
    description: String,
    /// The description with the matching part highlighted; `None` unless the description is what matched.
    highlighted: Option<String>,
    colour: bool,
}

/// A text and its width on the screen.
struct Text {
    text: String,
    width: usize,
}

impl Cell {
    fn of(completion: &Completion, candidate: &Candidate, colour: bool, language: Language) -> Cell {
        let mut text = highlighted(&candidate.label, &completion.matched(candidate), colour);
        text.push_str(candidate.suffix);
        let width = width(&clean(&candidate.label)) + candidate.suffix.len();
        let mark = if candidate.required { language.choose("required ", "必填 ") } else { "" };
        let matched = completion.matched_description(candidate);
        let description = (!matched.is_empty()).then(|| highlighted(&candidate.description, &matched, colour));
        let label = Text { text, width };
        Cell { label, mark, description: clean(&candidate.description).into_owned(), highlighted: description, colour }
    }

    /// Returns the width of what follows the label: the gap, the mark and the description.
    fn beside(&self) -> usize {
        match width(self.mark) + width(&self.description) {
            0 => 0,
            beside => beside + GAP,
        }
    }

    /// Appends the cell to a row: the label padded to `label` columns, the description in at most `rest`.
    fn write(&self, out: &mut String, label: usize, rest: usize) -> usize {
        out.push_str(&self.label.text);
        let mut used = self.label.width;
        let mark = cut(self.mark, rest.saturating_sub(GAP), ELLIPSIS);
        let description = cut(&self.description, rest.saturating_sub(GAP + width(&mark)), ELLIPSIS);
        if !(mark.is_empty() && description.is_empty()) {
            let gap = label.saturating_sub(used) + GAP;
            out.extend(std::iter::repeat_n(' ', gap));
            used += gap + width(&mark) + width(&description);
            out.push_str(&style("33", &mark, self.colour));
            match &self.highlighted {
                Some(whole) if description == self.description => out.push_str(whole),
                _ => out.push_str(&style("2", &description, self.colour)),
            }
        }
        used
    }
}

/// Arranges cells in as many columns as fit, ordered downwards.
fn columns(cells: &[Cell], width: usize, uuids: bool) -> Vec<String> {
    let label = cells.iter().map(|cell| cell.label.width).max().unwrap_or(0).min(width);
    let longest = cells.iter().map(Cell::beside).max().unwrap_or(0);
    if cells.len() > MOST_DESCRIBED && !uuids || longest == 0 {
        return plain_columns(cells, width);
    }
    // A dozen or fewer get a row each, with the whole description; more are put in two columns.
    let across = if cells.len() > 12 && label + SHORTEST_DESCRIPTION + GAP <= width / 2 { 2 } else { 1 };
    let cell_width = (width + GAP) / across - GAP;
    let beside = longest.min(cell_width.saturating_sub(label));
    let down = cells.len().div_ceil(across);
    rows_of(cells, down, |_| (label, beside, label + beside))
}

/// Arranges labels without descriptions in columns, each as wide as its longest label.
fn plain_columns(cells: &[Cell], width: usize) -> Vec<String> {
    let narrowest = cells.iter().map(|cell| cell.label.width).min().unwrap_or(0);
    let most = ((width + GAP) / (narrowest + GAP)).clamp(1, cells.len().max(1));
    let fitting = (1..=most).rev().find_map(|across| {
        let down = cells.len().div_ceil(across);
        let widths: Vec<usize> = cells
            .chunks(down.max(1))
            .map(|column| column.iter().map(|cell| cell.label.width).max().unwrap_or(0))
            .collect();
        let used = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
        (used <= width || across == 1).then_some((down, widths))
    });
    let (down, widths) = fitting.unwrap_or((cells.len(), vec![0]));
    rows_of(cells, down, |column| {
        let width = widths.get(column).copied().unwrap_or(0);
        (width, 0, width)
    })
}

/// Writes `down` rows. `shape` returns the widths of a column: of its labels, of its descriptions, and of both.
fn rows_of(cells: &[Cell], down: usize, shape: impl Fn(usize) -> (usize, usize, usize)) -> Vec<String> {
    let row = |row: usize| {
        let mut out = String::new();
        let mut missing = 0;
        for (column, cell) in cells.iter().skip(row).step_by(down.max(1)).enumerate() {
            let (label, beside, whole) = shape(column);
            out.extend(std::iter::repeat_n(' ', missing));
            missing = (whole + GAP).saturating_sub(cell.write(&mut out, label, beside));
        }
        out
    };
    (0..down).map(row).collect()
}

/// Returns a text with the matching ranges highlighted.
fn highlighted(text: &str, matched: &[Range<usize>], colour: bool) -> String {
    let mut out = String::new();
    let mut at = 0;
    for range in matched {
        out.push_str(&clean(&text[at..range.start]));
        out.push_str(&style("1;7", &clean(&text[range.clone()]), colour));
        at = range.end;
    }
    out.push_str(&clean(&text[at..]));
    out
}

/// Returns a text of a node or file system with control and invisible characters escaped.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    escape_unprintable(text)
}

fn style(code: &str, text: &str, colour: bool) -> String {
    if colour && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::super::complete::{Live, LiveValue, LiveValues, NoLiveValues, Sources, complete};
    use super::*;
    use crate::catalog::Catalog;

    fn list_from(line: &str, live: &dyn LiveValues, width: usize, colour: bool) -> Vec<String> {
        let sources = Sources { live, ..Sources::of_catalog(Catalog::newest()) };
        rows(&complete(line, line.len(), &sources), width, colour, Language::English)
    }

    #[test]
    fn candidates_are_grouped_as_in_the_original() {
        let rows = list_from("QueryZone ", &NoLiveValues, 80, false);
        let headings: Vec<&str> = rows.iter().map(String::as_str).filter(|row| row.starts_with('[')).collect();
        assert_eq!(headings, ["[Query conditions:]", "[Expanded fields:]", "[Parameters:]"]);
        assert!(rows.iter().any(|row| row.starts_with("state=") && row.contains("Enabled | Disabled")));
    }

    #[test]
    fn required_parameters_are_marked() {
        let rows = list_from("CreateZone ", &NoLiveValues, 80, false);
        assert!(rows[1].starts_with("name=") && rows[1].contains("required text"), "{rows:?}");
    }

    #[test]
    fn the_matching_part_is_highlighted() {
        let rows = list_from("QueryZon", &NoLiveValues, 80, true);
        assert!(rows[1].starts_with("\x1b[1;7mQueryZon\x1b[0me"), "{rows:?}");
    }

    #[test]
    fn no_row_is_wider_than_the_terminal() {
        struct Wide;
        impl LiveValues for Wide {
            fn lookup(&self, _: &str, _: &str) -> Live {
                let value = |n: usize| LiveValue {
                    uuid: format!("{n:032x}"),
                    name: "存储机".repeat(n),
                    ..LiveValue::default()
                };
                Live::Ready((0..30).map(value).collect())
            }
        }
        for width in [20, 40, 80, 120, 200] {
            for line in ["", "Query", "QueryVmInstance ", "CreateVmInstance hostUuid=", "QueryHost name="] {
                for row in list_from(line, &Wide, width, false) {
                    // A label alone may be wider than a tiny terminal; nothing is added after it then.
                    let alone = !row.contains("  ");
                    assert!(crate::width::width(&row) < width.max(21) || alone, "{width} {row:?}");
                }
            }
        }
    }

    #[test]
    fn many_values_keep_their_names_and_say_that_there_are_more() {
        struct Many;
        impl LiveValues for Many {
            fn lookup(&self, _: &str, _: &str) -> Live {
                let value = |n: usize| LiveValue {
                    uuid: format!("0{n:031x}"),
                    name: format!("vm-{n}"),
                    ..LiveValue::default()
                };
                Live::Part((0..200).map(value).collect())
            }
        }
        for line in ["StopVmInstance uuid=", "QueryVmInstance name="] {
            let sources = Sources { live: &Many, ..Sources::of_catalog(Catalog::newest()) };
            let completion = complete(line, line.len(), &sources);
            assert_eq!(completion.candidates.len(), 200);
            assert_eq!(completion.extension(), None, "{line}");
        }
        let rows = list_from("StopVmInstance uuid=", &Many, 80, false);
        assert!(rows.iter().any(|row| row.starts_with("000") && row.ends_with("  vm-199")), "{rows:?}");
        assert!(rows.last().is_some_and(|row| row.starts_with("(there are more")), "{rows:?}");
    }

    #[test]
    fn long_groups_use_the_width() {
        let narrow = list_from("", &NoLiveValues, 80, false).len();
        let wide = list_from("", &NoLiveValues, 200, false).len();
        assert!(wide < narrow, "{wide} {narrow}");
    }
}
