//! Reports: sections of wrapped lines, for people at a terminal.

use crate::json::escape_unprintable;
use crate::render::{Format, Tone, View, wrapped};
use crate::session::ViewSettings;

/// The width of lines where the terminal does not say.
const WIDTH: usize = 80;

/// A report that is being written.
pub(super) struct Report {
    text: String,
    width: usize,
    colour: bool,
}

/// Whether people read the result, and chose neither a format nor columns nor an order.
pub(super) fn wanted(settings: &ViewSettings, view: &View) -> bool {
    let is_plain = view.columns.is_none() && view.sort_by.is_none() && view.filter.is_none() && !view.summary;
    settings.output.is_none() && view.format == Format::Table && view.terminal && is_plain
}

impl Report {
    pub(super) fn new(view: &View) -> Report {
        Report { text: String::new(), width: view.max_width.or(view.width).unwrap_or(WIDTH), colour: view.colour }
    }

    /// Begins a section about so many things: `urgent vm-unknown`, `deleted Volume (3)`.
    pub(super) fn section(&mut self, tone: Tone, word: &str, name: &str, count: usize) {
        let count = if count == 1 { String::new() } else { format!(" ({count})") };
        self.text.push_str(&format!("{} {}{count}\n", tone.paint(word, self.colour), escape_unprintable(name)));
    }

    /// Adds a line to the section; what does not fit goes on farther in.
    pub(super) fn line(&mut self, text: &str) {
        for (nth, line) in wrapped(&escape_unprintable(text), self.width.saturating_sub(4)).iter().enumerate() {
            self.text.push_str(&format!("{}{line}\n", if nth > 0 { "    " } else { "  " }));
        }
    }

    /// Says how many things of the section are not told.
    pub(super) fn more(&mut self, count: usize) {
        if count > 0 {
            self.line(&format!("{count} more (-o wide shows all)"));
        }
    }

    /// Ends a section.
    pub(super) fn end(&mut self) {
        self.text.push('\n');
    }

    /// The report so far.
    pub(super) fn text(self) -> String {
        self.text
    }
}
