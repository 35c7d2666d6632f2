//! `table` and `wide`: aligned columns.
//!
//! The first rows are measured, then all are printed as they come: a table of any length takes the memory of
//! those first rows. Libraries that lay tables out want every row first, which is why this is drawn here.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;

use crate::json;

use super::cell::{self, Cell, is_uuid, width};
use super::error::Error;
use super::grid::{Grid, Sample};
use super::output::Output;
use super::rows::{RowWriter, Section};
use super::style::{PLAIN, Tone};
use super::vertical::{Blocks, block, title};
use super::view::{Border, Format, Shape, View};

/// How narrow a column of free text may become.
const NARROW: usize = 10;

/// Writes rows as an aligned table.
pub(super) struct Table<'a, 'o> {
    shape: &'a Shape,
    view: &'a View,
    out: &'a mut Output<'o>,
    lines: Lines,
    known: bool,
    single: bool,
    name: String,
    started: bool,
    sample: Sample,
    phase: Phase,
    cells: Vec<Cell>,
    hidden: Vec<String>,
}

/// What is known of the rows in print.
enum Phase {
    /// They are being measured.
    Measuring,
    /// They are printed in these columns.
    Rows(Grid, Layout),
    /// They do not fit, and are printed as blocks.
    Blocks(Grid),
}

impl<'a, 'o> Table<'a, 'o> {
    pub(super) fn new(shape: &'a Shape, view: &'a View, out: &'a mut Output<'o>) -> Table<'a, 'o> {
        Table {
            shape,
            view,
            out,
            lines: Lines::of(view),
            known: false,
            single: false,
            name: String::new(),
            started: false,
            sample: Sample::default(),
            phase: Phase::Measuring,
            cells: Vec::new(),
            hidden: Vec::new(),
        }
    }

    /// The titles of columns that were left out.
    pub(super) fn into_hidden(self) -> Vec<String> {
        self.hidden
    }

    fn measured(&mut self) -> Result<(), Error> {
        let sample = std::mem::take(&mut self.sample);
        let name = self.name.clone();
        let section = Section { name: &name, known: self.known, single: self.single };
        let unknown = Shape::default();
        let shape = if self.known { self.shape } else { &unknown };
        let mut grid = Grid::with_sample(&self.name, shape, self.view, &sample)?;
        let alone = self.single || sample.len() == 1 && self.view.format == Format::Table;
        if alone && sample.rows().all(|row| json::kind(row) == json::Kind::Map) {
            let mut blocks = Blocks::default();
            blocks.start(section, shape, self.view, &mut self.out.buffer);
            if self.view.columns.as_ref().is_some_and(|selection| !selection.added) {
                blocks.use_grid(grid, self.view);
            }
            if self.started {
                self.out.buffer.push(b'\n');
            }
            for row in sample.rows() {
                blocks.write(row, self.view, &mut self.out.buffer);
            }
            self.started = true;
            return Ok(());
        }
        if self.started {
            self.out.buffer.push(b'\n');
        }
        if !sample.rows().all(|row| json::kind(row) != json::Kind::Map) {
            title(section, false, self.view, &mut self.out.buffer);
        }
        self.started = true;
        let mut table: Vec<Vec<Cell>> = Vec::new();
        for row in sample.rows() {
            let mut cells = Vec::new();
            fill(&grid, row, self.view, &mut cells);
            table.push(cells);
        }
        match Layout::of(&grid, &table, self.view, &self.lines) {
            None => {
                for cells in table {
                    self.write_block(&grid, cells)?;
                }
                self.phase = Phase::Blocks(grid);
            }
            Some(layout) => {
                self.hidden.extend(grid.columns.drain(layout.widths.len()..).map(|column| column.title));
                if !grid.columns.is_empty() {
                    self.lines.top(&layout, &mut self.out.buffer);
                    if self.view.header {
                        let titles = grid.columns.iter().map(|column| Cell {
                            text: json::escape_unprintable(&column.title).into_owned(),
                            width: width(&json::escape_unprintable(&column.title)),
                            tone: self.view.colour.then_some(Tone::Heading),
                            number: false,
                        });
                        let titles: Vec<Cell> = titles.collect();
                        self.lines.row(&titles, &layout, false, &mut self.out.buffer);
                        self.lines.rule(&layout, &mut self.out.buffer);
                    }
                }
                for cells in table {
                    self.lines.row(&cells, &layout, self.view.wrap, &mut self.out.buffer);
                    self.out.row_done()?;
                }
                self.phase = Phase::Rows(grid, layout);
            }
        }
        Ok(())
    }

    fn write_block(&mut self, grid: &Grid, cells: Vec<Cell>) -> Result<(), Error> {
        if self.out.buffer.ends_with(b"\n") || self.out.is_started() {
            self.out.buffer.push(b'\n');
        }
        let lines: Vec<_> = grid.columns.iter().map(|column| column.title.clone()).zip(cells).collect();
        block(&lines, self.view, &mut self.out.buffer);
        self.out.row_done()
    }
}

fn fill(grid: &Grid, row: &[u8], view: &View, cells: &mut Vec<Cell>) {
    cells.resize_with(grid.columns.len(), Cell::default);
    let heads = grid.heads(row);
    for (column, cell) in grid.columns.iter().zip(cells) {
        cell::for_people(column, grid.value(column, row, &heads), view, cell);
    }
}

impl RowWriter for Table<'_, '_> {
    fn begin(&mut self, section: Section<'_>) -> Result<(), Error> {
        self.known = section.known;
        self.single = section.single;
        self.name = section.name.to_owned();
        self.phase = Phase::Measuring;
        Ok(())
    }

    fn row(&mut self, row: &[u8]) -> Result<(), Error> {
        match &self.phase {
            Phase::Measuring => {
                self.sample.push(row);
                if self.sample.is_full() { self.measured() } else { Ok(()) }
            }
            Phase::Rows(grid, layout) => {
                fill(grid, row, self.view, &mut self.cells);
                self.lines.row(&self.cells, layout, self.view.wrap, &mut self.out.buffer);
                self.out.row_done()
            }
            Phase::Blocks(_) => {
                let Phase::Blocks(grid) = std::mem::replace(&mut self.phase, Phase::Measuring) else { return Ok(()) };
                let mut cells = Vec::new();
                fill(&grid, row, self.view, &mut cells);
                let done = self.write_block(&grid, cells);
                self.phase = Phase::Blocks(grid);
                done
            }
        }
    }

    fn end(&mut self) -> Result<(), Error> {
        if matches!(self.phase, Phase::Measuring) {
            self.measured()?;
        }
        if let Phase::Rows(_, layout) = &self.phase {
            self.lines.bottom(layout, &mut self.out.buffer);
        }
        self.phase = Phase::Measuring;
        Ok(())
    }

    fn beside(&mut self, record: &[u8]) -> Result<(), Error> {
        if self.started {
            self.out.buffer.push(b'\n');
        }
        let mut blocks = Blocks::default();
        blocks.start(
            Section { name: "", known: false, single: true },
            &Shape::default(),
            self.view,
            &mut self.out.buffer,
        );
        blocks.write(record, self.view, &mut self.out.buffer);
        Ok(())
    }
}

/// How wide the columns are.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// The widths, in columns of a terminal. There may be fewer than columns: the last ones are left out.
    widths: Vec<usize>,
    /// Whether the column is aligned right.
    numbers: Vec<bool>,
    /// Whether what is wider is cut or wrapped; otherwise it sticks out.
    limited: bool,
}

impl Layout {
    /// A layout within the view's limit; `None` when a row would need more than two lines of it.
    fn of(grid: &Grid, rows: &[Vec<Cell>], view: &View, lines: &Lines) -> Option<Layout> {
        let mut natural = Vec::new();
        let mut floors = Vec::new();
        let mut numbers = Vec::new();
        for (index, column) in grid.columns.iter().enumerate() {
            let heading = if view.header { width(&column.title) } else { 0 };
            let mut widest = 0;
            let mut number = true;
            let mut filled = false;
            let mut whole = column.state;
            for cell in rows.iter().filter_map(|cells| cells.get(index)) {
                if cell.width == 0 {
                    continue;
                }
                widest = widest.max(cell.width);
                number &= cell.number;
                filled = true;
                whole |= is_uuid(&cell.text);
            }
            number &= filled;
            let wide = widest.max(heading).max(1);
            natural.push(wide);
            floors.push(if whole {
                wide
            } else if number {
                widest.max(heading.min(NARROW))
            } else {
                wide.min(NARROW)
            });
            numbers.push(number);
        }
        let Some(limit) = view.limit() else {
            return Some(Layout { widths: natural, numbers, limited: false });
        };
        let chosen = view.columns.as_ref().is_some_and(|selection| !selection.added);
        let mut count = natural.len();
        // Columns that nobody asked for make room, the least important ones first.
        if !chosen && view.format == Format::Table {
            while count > 2 && lines.total(&floors[..count]) > limit {
                count -= 1;
            }
        }
        if lines.total(&floors[..count]) > 2 * limit {
            return None;
        }
        let mut widths = natural[..count].to_vec();
        for index in (0..count).rev() {
            let excess = lines.total(&widths).saturating_sub(limit);
            let give = widths[index].saturating_sub(floors[index]);
            widths[index] -= give.min(excess);
        }
        numbers.truncate(count);
        Some(Layout { widths, numbers, limited: true })
    }
}

/// What stands between, above and below cells.
pub(super) struct Lines {
    open: &'static str,
    between: &'static str,
    close: &'static str,
    /// Fill, left end, joint and right end of the lines above, below the header, and below.
    top: Option<[&'static str; 4]>,
    rule: Option<[&'static str; 4]>,
    bottom: Option<[&'static str; 4]>,
    /// Whether `|` in a cell must be escaped.
    markdown: bool,
}

impl Lines {
    fn of(view: &View) -> Lines {
        let bare = Lines { open: "", between: "  ", close: "", top: None, rule: None, bottom: None, markdown: false };
        match view.border {
            None if view.terminal => Lines { rule: Some(["─", "", "  ", ""]), ..bare },
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

    fn top(&self, layout: &Layout, out: &mut Vec<u8>) {
        line(self.top, layout, out);
    }

    fn rule(&self, layout: &Layout, out: &mut Vec<u8>) {
        line(self.rule, layout, out);
    }

    fn bottom(&self, layout: &Layout, out: &mut Vec<u8>) {
        line(self.bottom, layout, out);
    }

    fn row(&self, cells: &[Cell], layout: &Layout, wrap: bool, out: &mut Vec<u8>) {
        let too_wide = |(cell, width): (&Cell, &usize)| cell.width > *width;
        if wrap && layout.limited && cells.iter().zip(&layout.widths).any(too_wide) {
            let pieces: Vec<Vec<String>> =
                cells.iter().zip(&layout.widths).map(|(cell, width)| wrapped(&cell.text, *width)).collect();
            let height = pieces.iter().map(Vec::len).max().unwrap_or(1);
            for index in 0..height {
                let part = |(cell, pieces): (&Cell, &Vec<String>)| {
                    let text = pieces.get(index).cloned().unwrap_or_default();
                    Cell { width: width(&text), text, tone: cell.tone, number: cell.number }
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
            let mut text = Cow::Borrowed(cell.text.as_str());
            let mut taken = cell.width;
            if layout.limited && taken > room {
                text = Cow::Owned(cut(&text, room).into_owned());
                taken = width(&text);
            }
            if self.markdown && text.contains('|') {
                text = Cow::Owned(text.replace('|', "\\|"));
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
            if !layout.numbers[index] && !(index == last && self.close.is_empty()) {
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

/// Text within `room` columns: its beginning and `…`. A uuid is never cut.
pub(super) fn cut(text: &str, room: usize) -> Cow<'_, str> {
    if width(text) <= room || is_uuid(text) {
        return Cow::Borrowed(text);
    }
    let mut taken = 0;
    let mut end = 0;
    for (at, cluster) in text.grapheme_indices(true) {
        taken += width(cluster);
        if taken + 1 > room {
            break;
        }
        end = at + cluster.len();
    }
    Cow::Owned(format!("{}…", text[..end].trim_end()))
}

/// Text in lines of `room` columns, broken at blanks where there are some. A uuid is never broken.
pub(super) fn wrapped(text: &str, room: usize) -> Vec<String> {
    let room = room.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut taken = 0;
    for word in text.split_inclusive(' ') {
        let bare = word.trim_end_matches(' ');
        if taken > 0 && taken + width(bare) > room {
            lines.push(std::mem::take(&mut line));
            taken = 0;
        }
        if width(bare) <= room || is_uuid(bare.trim_end_matches(',')) {
            line.push_str(word);
            taken += width(word);
            continue;
        }
        for cluster in word.graphemes(true) {
            if taken > 0 && taken + width(cluster) > room {
                lines.push(std::mem::take(&mut line));
                taken = 0;
            }
            line.push_str(cluster);
            taken += width(cluster);
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    for line in &mut lines {
        line.truncate(line.trim_end_matches(' ').len());
    }
    lines
}
