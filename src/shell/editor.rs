//! What the line editor asks while a line is typed: completion, hints, colours, and whether it is complete.

use std::borrow::Cow;
use std::cell::RefCell;

use rustyline::completion::{Candidate as Listed, Completer};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hint, Hinter};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Changeset, Context, Helper};

use crate::catalog::{Api, Inventory};
use crate::syntax::lex;
use crate::width::{terminal_size, width};

use super::colours;
use super::complete::{Files, LiveValues, Sources, complete};
use super::hint;
use super::list;
use super::run::Known;

/// The editor's helper.
pub(super) struct Assistant<'a> {
    pub(super) known: Known,
    pub(super) live: &'a dyn LiveValues,
    pub(super) files: &'a dyn Files,
    pub(super) colour: bool,
    /// How wide the prompt is on the screen.
    pub(super) prompt_width: usize,
    /// What was decoded last: each key press asks for it.
    pub(super) decoded: RefCell<Option<Decoded>>,
}

/// An API with the inventory of its rows.
pub(super) struct Decoded {
    pub(super) api: Api,
    /// Where it is a query whose rows are described.
    pub(super) rows: Option<Inventory>,
}

impl Assistant<'_> {
    fn sources(&self) -> Sources<'_> {
        Sources {
            catalog: self.known.catalog,
            offers: self.known.offers.as_deref(),
            live: self.live,
            files: self.files,
            contexts: &self.known.contexts,
        }
    }

    /// Runs `look` on the API of that name, which is decoded once while a line is typed.
    pub(super) fn with_api<R>(&self, name: &str, look: impl FnOnce(&Decoded) -> R) -> Option<R> {
        let mut last = self.decoded.borrow_mut();
        if last.as_ref().is_none_or(|decoded| !decoded.api.name.eq_ignore_ascii_case(name)) {
            let catalog = self.known.catalog;
            *last = catalog.api_ignoring_case(name).map(|api| {
                let rows = api.inventory.and_then(|inventory| catalog.inventory(inventory));
                Decoded { api, rows }
            });
        }
        last.as_ref().map(look)
    }

    /// The rows that Tab lists for the end of `line`, as many as fit the screen.
    pub(super) fn rows(&self, line: &str) -> Vec<String> {
        let mut rows = list::rows(&complete(line, line.len(), &self.sources()), terminal_width(), self.colour);
        if let Some((_, height)) = terminal_size() {
            let most = height.saturating_sub(3).max(5);
            let more = rows.len().saturating_sub(most);
            if more > 0 {
                rows.truncate(most);
                rows.push(format!("({more} more rows; Tab shows them page by page, or type more of the name)"));
            }
        }
        rows
    }
}

/// The width of the terminal in columns.
pub(super) fn terminal_width() -> usize {
    terminal_size().map_or(80, |(width, _)| width)
}

/// How many rows a line takes up below its first, in a terminal of `width` columns.
fn rows_below_first(prompt_width: usize, line: &str, width: usize) -> usize {
    use unicode_width::UnicodeWidthChar;
    let (mut rows, mut column) = (0, prompt_width);
    for c in line.chars() {
        if c == '\n' {
            (rows, column) = (rows + 1, 0);
            continue;
        }
        let wide = if c == '\t' { TAB_STOP - column % TAB_STOP } else { c.width().unwrap_or(0) };
        column += wide;
        if column > width {
            (rows, column) = (rows + 1, wide);
        }
    }
    // A full row makes the cursor stand at the start of the next one.
    if column == width { rows + 1 } else { rows }
}

/// The distance of tab stops, as the editor has it.
const TAB_STOP: usize = 8;

/// One row of the list, or the text that is put into the line.
///
/// The editor prints candidates in columns of its own choosing. Giving it whole rows, each wider than half
/// the terminal, leaves the layout to us and the paging and redrawing to it.
pub(super) struct Row {
    shown: String,
    inserted: String,
}

impl Listed for Row {
    fn display(&self) -> &str {
        &self.shown
    }

    fn replacement(&self) -> &str {
        &self.inserted
    }
}

impl Completer for Assistant<'_> {
    type Candidate = Row;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Row>)> {
        self.live.wake();
        let completion = complete(line, pos, &self.sources());
        let start = completion.span.start;
        if let Some((mut word, finished)) = completion.extension() {
            let end = &completion.rest;
            // Text that stands behind the cursor already is not put there twice.
            if !end.is_empty() && word.ends_with(end.as_str()) {
                word.truncate(word.len() - end.len());
            } else if finished && !line[pos..].starts_with(char::is_whitespace) && end.is_empty() {
                word.push(' ');
            }
            let overlap = word.chars().last().filter(|c| end.starts_with(*c) && matches!(c, '=' | '.' | ','));
            if overlap.is_some() {
                word.pop();
            }
            if word != line[start..pos] {
                return Ok((start, vec![Row { shown: String::new(), inserted: word }]));
            }
        }
        let width = terminal_width();
        let mut shown = list::rows(&completion, width, self.colour);
        if shown.is_empty() {
            return Ok((start, Vec::new()));
        }
        // A single candidate would be inserted instead of listed.
        if shown.len() == 1 {
            shown.push(String::new());
        }
        if let Some(first) = shown.first_mut() {
            let missing = (width / 2 + 1).saturating_sub(first.chars().count());
            first.extend(std::iter::repeat_n(' ', missing));
        }
        // After the list the editor clears as many rows above the cursor as the line took up below its first;
        // these are for it.
        let taken = rows_below_first(self.prompt_width, line, width);
        shown.extend(std::iter::repeat_n(String::new(), taken));
        let inserted = line[start..pos].to_owned();
        Ok((start, shown.into_iter().map(|shown| Row { shown, inserted: inserted.clone() }).collect()))
    }

    fn update(
        &self,
        line: &mut rustyline::line_buffer::LineBuffer,
        start: usize,
        elected: &str,
        changes: &mut Changeset,
    ) {
        let end = line.pos();
        line.replace(start..end, elected, changes);
    }
}

/// What stands grey behind the line.
pub(super) struct Ghost {
    shown: String,
    inserted: Option<String>,
}

impl Hint for Ghost {
    fn display(&self) -> &str {
        &self.shown
    }

    fn completion(&self) -> Option<&str> {
        self.inserted.as_deref()
    }
}

impl Hinter for Assistant<'_> {
    type Hint = Ghost;

    fn hint(&self, line: &str, pos: usize, context: &Context<'_>) -> Option<Ghost> {
        if pos < line.len() || line.trim().is_empty() {
            return None;
        }
        if let Some(missing) =
            hint::missing(line, |name, look| self.with_api(name, |decoded| look(&decoded.api)).flatten())
        {
            // Without colour brackets tell it from what was typed.
            let missing = match missing.trim_start() {
                names if !self.colour => format!("{}({names})", &missing[..missing.len() - names.len()]),
                _ => missing,
            };
            return Some(Ghost { shown: self.fitting(line, &missing)?, inserted: None });
        }
        // Without colour a rest from history could not be told from what was typed.
        if !self.colour {
            return None;
        }
        let rest = rest_from_history(line, context)?;
        Some(Ghost { shown: self.fitting(line, &rest)?, inserted: Some(rest) })
    }
}

impl Assistant<'_> {
    /// As much of a hint as fits on the last row of the line, so that the list below never meets it.
    fn fitting(&self, line: &str, hint: &str) -> Option<String> {
        let columns = terminal_width();
        let last = line.rsplit('\n').next().unwrap_or(line);
        let used = if last.len() == line.len() { self.prompt_width } else { 0 } + width(last);
        let room = columns.checked_sub(used % columns.max(1) + 1)?;
        hint::fitting(hint, room)
    }
}

fn rest_from_history(line: &str, context: &Context<'_>) -> Option<String> {
    use rustyline::history::SearchDirection;
    let history = context.history();
    let mut start = history.len().checked_sub(1)?;
    loop {
        let found = history.starts_with(line, start, SearchDirection::Reverse).ok()??;
        // An equal command has no rest; an older one may.
        match found.entry.get(line.len()..) {
            Some(rest) if !rest.is_empty() => {
                let open = found.entry.get(line.len()..hint::open_length(&found.entry))?;
                return Some(open.lines().next()?.to_owned());
            }
            _ => start = found.idx.checked_sub(1)?,
        }
    }
}

impl Highlighter for Assistant<'_> {
    fn highlight<'l>(&self, line: &'l str, pos: usize) -> Cow<'l, str> {
        Cow::Owned(colours::paint(line, pos, self))
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(format!("\x1b[90m{hint}\x1b[0m"))
    }

    fn highlight_char(&self, _: &str, _: usize, kind: CmdKind) -> bool {
        kind != CmdKind::MoveCursor
    }
}

impl Validator for Assistant<'_> {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let incomplete = lex(context.input()).is_incomplete();
        Ok(if incomplete { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}

impl Helper for Assistant<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_as_the_terminal_wraps() {
        for (prompt, line, width, expected) in [
            (5, "", 80, 0),
            (5, "abc", 10, 0),
            (5, "abcde", 10, 1),
            (5, "abcdef", 10, 1),
            (0, "存储存储存", 9, 1),
            (5, "a\nb\nc", 80, 2),
            (0, "\tabc", 10, 1),
        ] {
            assert_eq!(rows_below_first(prompt, line, width), expected, "{line:?}");
        }
    }
}
