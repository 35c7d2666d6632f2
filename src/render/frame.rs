//! The widths of a table's columns, and the lines between them.

use std::borrow::Cow;

use crate::width::width;

use super::cell::{Cell, is_uuid};
use super::fit::{cut, cut_list, shortest_list, wrapped};
use super::grid::Grid;
use super::style::PLAIN;
use super::view::{Border, Format, View};

/// The minimum width of a column of free text.
const NARROW: usize = 10;

/// The width of the first column, which is mostly a name, below which less important columns are dropped.
const NAME: usize = 20;

/// Longer values are treated as free text.
const LONG_TEXT: usize = 64;

/// The width of a list of values below which less important columns are dropped.
const LONG_LIST: usize = 20;

/// How values of a column are shortened when the column is narrower than its widest cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shrinking {
    /// Not at all: half an address, date or API name is useless or misleading.
    Whole,
    /// Truncated at any place.
    Cut,
    /// Truncated after any value of a list.
    List,
}

/// The widths of the columns.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// The columns of the grid that are kept; what follows is of these.
    pub(super) kept: Vec<usize>,
    /// The widths, in columns of a terminal.
    pub(super) widths: Vec<usize>,
    /// Whether the column is aligned right.
    numbers: Vec<bool>,
    /// How wider cells are shortened.
    yields: Vec<Shrinking>,
    /// Whether the width is limited; otherwise wider cells overflow their column.
    limited: bool,
    /// The mark at the end of a truncated cell.
    ellipsis: &'static str,
}

impl Layout {
    /// A layout within the view's width limit; `None` when a row would need more than two lines.
    pub(super) fn of(grid: &Grid, rows: &[Vec<Cell>], view: &View, lines: &Lines) -> Option<Layout> {
        let mut natural = Vec::new();
        let mut floors = Vec::new();
        let mut numbers = Vec::new();
        let mut yields = Vec::new();
        for (index, column) in grid.columns.iter().enumerate() {
            let heading = if view.header { width(&column.title) } else { 0 };
            let mut widest = 0;
            let mut number = true;
            let mut filled = false;
            let mut uuids = false;
            let mut prose = column.is_text();
            for cell in rows.iter().filter_map(|cells| cells.get(index)) {
                if cell.width == 0 {
                    continue;
                }
                widest = widest.max(cell.width);
                number &= cell.number;
                filled = true;
                uuids |= is_uuid(&cell.text);
                prose |= cell.prose && !column.is_time();
            }
            number &= filled;
            // Markdown needs at least three dashes under a heading.
            let wide = widest.max(heading).max(if view.border == Some(Border::Markdown) { 3 } else { 1 });
            let yielding = if column.state || number || uuids {
                Shrinking::Whole
            } else if column.is_list() {
                Shrinking::List
            } else if prose || widest > LONG_TEXT {
                Shrinking::Cut
            } else {
                Shrinking::Whole
            };
            natural.push(wide);
            floors.push(match yielding {
                Shrinking::Whole => wide,
                Shrinking::Cut => wide.min(NARROW),
                Shrinking::List => {
                    let cells = rows.iter().filter_map(|cells| cells.get(index));
                    cells.map(|cell| shortest_list(&cell.text)).max().unwrap_or(1).max(heading)
                }
            });
            numbers.push(number);
            yields.push(yielding);
        }
        // A wide table is as wide as it is; the pager scrolls.
        let limit = if view.format == Format::Wide { view.max_width } else { view.limit() };
        let Some(limit) = limit else {
            let kept = (0..natural.len()).collect();
            return Some(Layout { kept, widths: natural, numbers, yields, limited: false, ellipsis: view.ellipsis() });
        };
        // The widths of columns below which less important columns are dropped.
        let mut worth = floors.clone();
        if let (Some(Shrinking::Cut), Some(first), Some(natural)) = (yields.first(), worth.first_mut(), natural.first())
        {
            *first = (*natural).min(NAME);
        }
        let mut kept: Vec<usize> = (0..natural.len()).collect();
        if view.format == Format::Table {
            kept = lines.fitting(grid, &worth, limit);
            let list = |index: usize| if yields[index] == Shrinking::List { natural[index].min(LONG_LIST) } else { 0 };
            let with_lists: Vec<usize> = (0..worth.len()).map(|index| list(index).max(worth[index])).collect();
            let others = lines.fitting(grid, &with_lists, limit);
            // A truncated list is better than a dropped one.
            if !kept.iter().any(|index| yields[*index] == Shrinking::List && !others.contains(index)) {
                kept = others;
                worth = with_lists;
            }
        }
        let of_kept = |all: &[usize]| -> Vec<usize> { kept.iter().map(|index| all[*index]).collect() };
        let (worth, floors, mut widths) = (of_kept(&worth), of_kept(&floors), of_kept(&natural));
        if lines.total(&floors) > 2 * limit {
            return None;
        }
        for least in [&worth, &floors] {
            for index in (0..widths.len()).rev() {
                let excess = lines.total(&widths).saturating_sub(limit);
                let give = widths[index].saturating_sub(least[index]);
                widths[index] -= give.min(excess);
            }
        }
        let numbers = kept.iter().map(|index| numbers[*index]).collect();
        let yields = kept.iter().map(|index| yields[*index]).collect();
        Some(Layout { kept, widths, numbers, yields, limited: true, ellipsis: view.ellipsis() })
    }

    /// The text of a cell in its column.
    fn fitted<'c>(&self, index: usize, cell: &'c Cell) -> Cow<'c, str> {
        let room = self.widths[index];
        if !self.limited || cell.width <= room || cell.number {
            return Cow::Borrowed(&cell.text);
        }
        match self.yields[index] {
            // A truncated number or address would be another number or address.
            Shrinking::Whole => Cow::Borrowed(&cell.text),
            Shrinking::Cut => cut(&cell.text, room, self.ellipsis),
            Shrinking::List => cut_list(&cell.text, room),
        }
    }
}

/// The lines and separators around cells.
pub(super) struct Lines {
    open: &'static str,
    between: &'static str,
    close: &'static str,
    /// Fill, left end, joint and right end of the lines at the top, below the header and at the bottom.
    top: Option<[&'static str; 4]>,
    rule: Option<[&'static str; 4]>,
    bottom: Option<[&'static str; 4]>,
    /// Whether `|` in a cell must be escaped.
    markdown: bool,
}

impl Lines {
    pub(super) fn of(view: &View) -> Lines {
        let bare = Lines { open: "", between: "  ", close: "", top: None, rule: None, bottom: None, markdown: false };
        match view.border {
            None if view.terminal && !view.ascii => Lines { rule: Some(["─", "", "  ", ""]), ..bare },
            None => Lines { rule: Some(["-", "", "  ", ""]), ..bare },
            Some(Border::None) => bare,
            Some(Border::Markdown) => Lines {
                open: "| ",
                between: " | ",
                close: " |",
                rule: Some(["-", "| ", " | ", " |"]),
                markdown: true,
                ..bare
            },
            Some(Border::Ascii) => {
                let line = Some(["-", "+-", "-+-", "-+"]);
                Lines { open: "| ", between: " | ", close: " |", top: line, rule: line, bottom: line, ..bare }
            }
            Some(Border::Unicode) => Lines {
                open: "│ ",
                between: " │ ",
                close: " │",
                top: Some(["─", "┌─", "─┬─", "─┐"]),
                rule: Some(["─", "├─", "─┼─", "─┤"]),
                bottom: Some(["─", "└─", "─┴─", "─┘"]),
                ..bare
            },
        }
    }

    /// The width of a line.
    fn total(&self, widths: &[usize]) -> usize {
        widths.iter().sum::<usize>()
            + width(self.open)
            + width(self.close)
            + width(self.between) * widths.len().saturating_sub(1)
    }

    /// The columns that fit, by their worth: those that were asked for, the first one, two at least, and each other
    /// one for which there is still space.
    fn fitting(&self, grid: &Grid, widths: &[usize], limit: usize) -> Vec<usize> {
        let mut by_worth: Vec<usize> = (0..widths.len()).collect();
        by_worth.sort_by_key(|index| grid.columns[*index].rank);
        let mut kept: Vec<usize> = Vec::new();
        for index in by_worth {
            kept.push(index);
            let all: Vec<usize> = kept.iter().map(|index| widths[*index]).collect();
            if grid.columns[index].rank > 1 && kept.len() > 2 && self.total(&all) > limit {
                kept.pop();
            }
        }
        kept.sort_unstable();
        kept
    }

    pub(super) fn top(&self, layout: &Layout, out: &mut Vec<u8>) {
        line(self.top, layout, out);
    }

    pub(super) fn rule(&self, layout: &Layout, out: &mut Vec<u8>) {
        line(self.rule, layout, out);
    }

    pub(super) fn bottom(&self, layout: &Layout, out: &mut Vec<u8>) {
        line(self.bottom, layout, out);
    }

    pub(super) fn row(&self, cells: &[Cell], layout: &Layout, wrap: bool, out: &mut Vec<u8>) {
        let too_wide = |(cell, width): (&Cell, &usize)| cell.width > *width;
        if wrap && layout.limited && cells.iter().zip(&layout.widths).any(too_wide) {
            let pieces: Vec<Vec<String>> =
                cells.iter().zip(&layout.widths).map(|(cell, width)| wrapped(&cell.text, *width)).collect();
            let height = pieces.iter().map(Vec::len).max().unwrap_or(1);
            for index in 0..height {
                let part = |(cell, pieces): (&Cell, &Vec<String>)| {
                    let text = pieces.get(index).cloned().unwrap_or_default();
                    Cell { width: width(&text), text, tone: cell.tone, number: cell.number, prose: cell.prose }
                };
                let line: Vec<Cell> = cells.iter().zip(&pieces).map(part).collect();
                self.line(&line, layout, out);
            }
        } else {
            self.line(cells, layout, out);
        }
    }

    fn line(&self, cells: &[Cell], layout: &Layout, out: &mut Vec<u8>) {
        out.extend_from_slice(self.open.as_bytes());
        let last = layout.widths.len().saturating_sub(1);
        for (index, (cell, &room)) in cells.iter().zip(&layout.widths).enumerate() {
            if index > 0 {
                out.extend_from_slice(self.between.as_bytes());
            }
            let mut text = layout.fitted(index, cell);
            let mut taken = if text.len() == cell.text.len() { cell.width } else { width(&text) };
            if self.markdown && text.contains('|') {
                text = Cow::Owned(text.replace('|', "\\|"));
                taken = width(&text);
            }
            let padding = room.saturating_sub(taken);
            if layout.numbers[index] {
                out.resize(out.len() + padding, b' ');
            }
            match cell.tone {
                Some(tone) if !text.is_empty() => {
                    out.extend_from_slice(tone.start().as_bytes());
                    out.extend_from_slice(text.as_bytes());
                    out.extend_from_slice(PLAIN.as_bytes());
                }
                _ => out.extend_from_slice(text.as_bytes()),
            }
            let ends_line = index == last && self.close.is_empty();
            if !(layout.numbers[index] || ends_line) {
                out.resize(out.len() + padding, b' ');
            }
        }
        out.extend_from_slice(self.close.as_bytes());
        if self.close.is_empty() {
            while out.last() == Some(&b' ') {
                out.pop();
            }
        }
        out.push(b'\n');
    }
}

fn line(parts: Option<[&'static str; 4]>, layout: &Layout, out: &mut Vec<u8>) {
    let Some([fill, open, joint, close]) = parts else { return };
    out.extend_from_slice(open.as_bytes());
    for (index, width) in layout.widths.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(joint.as_bytes());
        }
        for _ in 0..*width {
            out.extend_from_slice(fill.as_bytes());
        }
    }
    out.extend_from_slice(close.as_bytes());
    out.push(b'\n');
}
