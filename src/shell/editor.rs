//! The callbacks of the line editor: completion, suggestions, highlighting, and whether a line is complete.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io;

use rustyline::completion::Completer;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hint, Hinter};
use rustyline::history::{History, SearchDirection};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Changeset, Context, Helper};

use crate::catalog::{Api, Inventory};
use crate::language::Language;
use crate::secret::mask_command;
use crate::syntax::lex;
use crate::width::{terminal_size, width};

use super::colours;
use super::complete::{Candidate, Completion, Files, Kept, LiveValue, LiveValues, Note, Sources, complete};
use super::hint;
use super::keys::{LastWord, Request, SharedState, Walk, lock};
use super::list;
use super::menu::{Edit, Item, Menu, Rows, Source};
use super::outcomes::Outcomes;
use super::run::Known;
use super::unfinished::is_unfinished;
use super::used::prefer;

/// The helper that the line editor calls.
pub(super) struct Assistant<'a> {
    pub(super) known: Known,
    pub(super) live: &'a dyn LiveValues,
    pub(super) files: &'a dyn Files,
    pub(super) kept: &'a dyn Kept,
    pub(super) colour: bool,
    /// The width of the prompt in columns.
    pub(super) prompt_width: usize,
    /// The API that was decoded last. It is cached because each key press asks for it.
    pub(super) decoded: RefCell<Option<Decoded>>,
    /// The state shared with [`super::keys`].
    pub(super) state: SharedState,
    /// The line suggested first: the correction of the line that was just run.
    pub(super) proposal: Option<String>,
    /// The context or node that commands go to.
    pub(super) place: String,
    /// Whether earlier lines succeeded, and where they ran.
    pub(super) outcomes: Outcomes,
    /// Opens a line in the user's editor and returns the changed text.
    pub(super) edit: &'a dyn Fn(&str) -> io::Result<String>,
}

/// An API with the inventory of its rows.
pub(super) struct Decoded {
    pub(super) api: Api,
    /// `None` unless the API is a query whose rows are described.
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
            kept: self.kept,
            language: self.known.language,
            defined: &self.known.defined,
        }
    }

    /// Runs `look` on the API of that name, decoded at most once while a line is typed.
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

    /// Returns the rows that Tab lists for the end of `line`, as many as fit the screen.
    pub(super) fn rows(&self, line: &str) -> Vec<String> {
        let mut rows = list::rows(
            &complete(line, line.len(), &self.sources()),
            terminal_width(),
            self.colour,
            self.known.language,
        );
        if let Some((_, height)) = terminal_size() {
            let most = height.saturating_sub(3).max(5);
            let more = rows.len().saturating_sub(most);
            if more > 0 {
                rows.truncate(most);
                rows.push(self.known.language.say(&format!("({more} more rows; type more of the name)")).into_owned());
            }
        }
        rows
    }
}

/// Returns the width of the terminal in columns.
pub(super) fn terminal_width() -> usize {
    terminal_size().map_or(80, |(width, _)| width)
}

/// Returns how many rows a line takes up below its first one, in a terminal of `width` columns.
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
    // After a full row the cursor is at the start of the next one.
    if column == width { rows + 1 } else { rows }
}

/// The distance between tab stops, in columns; the editor uses the same.
const TAB_STOP: usize = 8;

/// The largest number of history lines that a menu holds.
const MOST_LINES: usize = 1000;

impl Completer for Assistant<'_> {
    type Candidate = String;

    /// Computes the new line, which [`Completer::update`] then puts in: at a Tab, and where a key left a request. The
    /// editor calls that method and redraws the line when it gets exactly one candidate, whatever its text.
    fn complete(&self, line: &str, pos: usize, context: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let now = Edit { line: line.to_owned(), cursor: pos };
        let request = lock(&self.state).request.take();
        let edit = match request {
            Some(Request::Put(edit)) => Some(edit),
            Some(Request::Walk { older }) => self.walk(older, now, context.history()),
            Some(Request::LastWord) => self.last_word(now, context.history()),
            None => self.tab(now, context.history()),
        };
        let candidates = if edit.is_some() { vec![String::new()] } else { Vec::new() };
        lock(&self.state).edit = edit;
        Ok((pos, candidates))
    }

    fn update(&self, line: &mut rustyline::line_buffer::LineBuffer, _: usize, _: &str, changes: &mut Changeset) {
        match lock(&self.state).edit.take() {
            Some(edit) if edit.line != line.as_str() => line.update(&edit.line, edit.cursor, changes),
            Some(edit) => line.set_pos(edit.cursor),
            None => {}
        }
    }
}

impl Assistant<'_> {
    /// Handles Tab: inserts the common prefix of all candidates, or opens the menu when there is none to insert.
    fn tab(&self, now: Edit, history: &dyn History) -> Option<Edit> {
        self.live.wake();
        let completion = self.completion(&now, history);
        if let Some((word, finished)) = completion.extension() {
            let edit = placed(&completion, word, finished, &now);
            if edit != now {
                return Some(edit);
            }
        }
        let items = items(&completion, &now, self.known.language);
        if items.is_empty() && completion.note.is_none() {
            return None;
        }
        let note = self.note(&completion);
        lock(&self.state).menu = Some(Menu::new(Source::Word(part(&completion)), now.clone(), items, note));
        Some(now)
    }

    /// Returns the candidates at the cursor. Of equally good matches, those used lately come first.
    fn completion(&self, now: &Edit, history: &dyn History) -> Completion {
        let mut completion = complete(&now.line, now.cursor, &self.sources());
        prefer(&mut completion, &now.line, history, |line| !self.outcomes.failed(line));
        completion
    }

    /// Returns the remark on the candidates.
    fn note(&self, completion: &Completion) -> Option<Cow<'static, str>> {
        completion.note.map(|note| self.known.language.say(note.message()))
    }

    /// Returns the rows of the open menu for the current line. Closes a menu that has no items left for it.
    fn menu_rows(&self, now: &Edit, history: &dyn History) -> Option<Rows> {
        let mut menu = lock(&self.state).menu.take()?;
        match menu.source {
            Source::History if menu.shown_for != *now || menu.is_empty() => {
                let items = lines_with(&now.line, history);
                let note = items.is_empty().then(|| self.known.language.say("no line typed before has this"));
                menu.refill(now.clone(), items, note);
            }
            Source::Word(start) if menu.shown_for != *now => {
                let was_empty = menu.is_empty();
                let completion = self.completion(now, history);
                let items = items(&completion, now, self.known.language);
                let waits = completion.note == Some(Note::Fetching);
                if was_empty || part(&completion) != start || items.is_empty() && !waits {
                    return None;
                }
                menu.refill(now.clone(), items, self.note(&completion));
            }
            _ => {}
        }
        let (columns, lines) = terminal_size().unwrap_or((80, 24));
        let taken = rows_below_first(self.prompt_width, &now.line, columns) + 1;
        let rows = menu.rows(columns, lines, taken);
        lock(&self.state).menu = Some(menu);
        Some(rows)
    }

    /// Returns the next older or newer line that starts with what was typed. Past the newest one, returns the typed
    /// text.
    fn walk(&self, older: bool, now: Edit, history: &dyn History) -> Option<Edit> {
        let mut state = lock(&self.state);
        let walk = state.walk.take().filter(|walk| walk.shown == now.line);
        let (typed, index) = match &walk {
            Some(walk) => (walk.typed.clone(), walk.index),
            None if older => (now.clone(), history.len()),
            None => return None,
        };
        let begins = |at: &usize| {
            let entry = entry(history, *at)?;
            (entry.starts_with(&typed.line[..typed.cursor]) && entry != now.line).then(|| (*at, entry.into_owned()))
        };
        let found = match older {
            true => (0..index).rev().find_map(|at| begins(&at)),
            false => (index + 1..history.len()).find_map(|at| begins(&at)),
        };
        match found {
            Some((index, shown)) => {
                state.walk = Some(Walk { typed, shown: shown.clone(), index });
                Some(Edit::ending(shown))
            }
            None if older => {
                state.walk = walk;
                None
            }
            None => Some(typed),
        }
    }

    /// Inserts the last word of the previous line; when repeated, replaces it with that of the line before.
    fn last_word(&self, now: Edit, history: &dyn History) -> Option<Edit> {
        let mut state = lock(&self.state);
        let again = state.last_word.take().filter(|last| last.after == now);
        let (before, index) = again.map_or((now, history.len()), |last| (last.before, last.index));
        let found = (0..index).rev().find_map(|at| {
            let entry = entry(history, at)?;
            let word = lex(&entry).words.pop()?;
            Some((at, entry.get(word.span)?.to_owned()))
        });
        let (index, word) = found?;
        let mut after = before.clone();
        after.line.insert_str(before.cursor, &word);
        after.cursor += word.len();
        state.last_word = Some(LastWord { before, after: after.clone(), index });
        Some(after)
    }
}

/// Returns a line of the history.
fn entry(history: &dyn History, index: usize) -> Option<Cow<'_, str>> {
    history.get(index, SearchDirection::Reverse).ok()?.map(|found| found.entry)
}

/// Returns the history lines that contain all words of a pattern, newest first.
fn lines_with(pattern: &str, history: &dyn History) -> Vec<Item> {
    // The search is case-sensitive only when the pattern has a capital letter.
    let has_capital = pattern.chars().any(char::is_uppercase);
    let words: Vec<&str> = pattern.split_whitespace().collect();
    let lines = (0..history.len()).rev().filter_map(|index| entry(history, index));
    let found = lines.filter_map(|line| {
        let seen = if has_capital { line.to_string() } else { line.to_ascii_lowercase() };
        let places: Option<Vec<usize>> = words.iter().map(|word| seen.find(word)).collect();
        let mut matched: Vec<_> = places?.into_iter().zip(&words).map(|(at, word)| at..at + word.len()).collect();
        matched.sort_by_key(|range| range.start);
        let name = mask_command(&line).replace('\n', " ");
        Some(Item { name, matched, edit: Edit::ending(line), ..Item::default() })
    });
    found.take(MOST_LINES).collect()
}

/// Returns the byte offset in the line at which the part that candidates replace starts.
fn part(completion: &Completion) -> usize {
    completion.span.start + completion.head.len()
}

/// Returns the menu items for a completion at the cursor of a line.
fn items(completion: &Completion, now: &Edit, language: Language) -> Vec<Item> {
    let item = |candidate: &Candidate| {
        let edit = placed(completion, completion.word(candidate), candidate.finished, now);
        if let Some(LiveValue { uuid, name, about }) = candidate.resource.clone() {
            let (name, aside) = if name.is_empty() { (uuid, String::new()) } else { (name, uuid) };
            return Item { matched: completion.matched_name(&name), name, about, aside, edit };
        }
        let required = match (candidate.required, candidate.description.is_empty()) {
            (false, _) => "",
            (true, false) => language.choose("required, ", "必填，"),
            (true, true) => language.choose("required", "必填"),
        };
        let about = format!("{required}{}", candidate.description);
        let name = format!("{}{}", candidate.label, candidate.suffix);
        Item { name, matched: completion.matched(candidate), about, aside: String::new(), edit }
    };
    completion.candidates.iter().map(item).collect()
}

/// Replaces the word at the cursor with `word`. A finished word is followed by a space.
fn placed(completion: &Completion, mut word: String, finished: bool, now: &Edit) -> Edit {
    let (start, end) = (completion.span.start, &completion.rest);
    let behind = &now.line[now.cursor..];
    // Text that already follows the cursor is not inserted twice.
    if !end.is_empty() && word.ends_with(end.as_str()) {
        word.truncate(word.len() - end.len());
    } else if finished && !behind.starts_with(char::is_whitespace) && end.is_empty() {
        word.push(' ');
    }
    let overlap = word.chars().last().filter(|c| end.starts_with(*c) && matches!(c, '=' | '.' | ','));
    if overlap.is_some() {
        word.pop();
    }
    let before = &now.line[..start];
    Edit { line: format!("{before}{word}{behind}"), cursor: before.len() + word.len() }
}

/// The suggestion: grey text after the cursor.
pub(super) struct Suggestion {
    shown: String,
    inserted: Option<String>,
}

impl Hint for Suggestion {
    fn display(&self) -> &str {
        &self.shown
    }

    fn completion(&self) -> Option<&str> {
        self.inserted.as_deref()
    }
}

impl Hinter for Assistant<'_> {
    type Hint = Suggestion;

    fn hint(&self, line: &str, pos: usize, context: &Context<'_>) -> Option<Suggestion> {
        let now = Edit { line: line.to_owned(), cursor: pos };
        let menu = self.menu_rows(&now, context.history());
        let mut state = lock(&self.state);
        state.suggestion = None;
        state.rows = menu.map(|rows| (rows.plain, rows.styled));
        if let Some((plain, _)) = &state.rows {
            return Some(Suggestion { shown: plain.clone(), inserted: None });
        }
        drop(state);
        if pos < line.len() {
            return None;
        }
        if self.colour
            && let Some(rest) = self.proposal.as_ref().and_then(|proposal| proposal.strip_prefix(line))
            && !rest.is_empty()
        {
            return self.takeable(line, rest.to_owned());
        }
        if line.trim().is_empty() {
            return None;
        }
        if let Some(missing) =
            hint::missing(line, |name, look| self.with_api(name, |decoded| look(&decoded.api)).flatten())
        {
            // Without colour, brackets set the hint apart from the typed text.
            let missing = match missing.trim_start() {
                names if !self.colour => format!("{}({names})", &missing[..missing.len() - names.len()]),
                _ => missing,
            };
            return Some(Suggestion { shown: self.fitting(line, &missing)?, inserted: None });
        }
        // Without colour, a suggestion from the history would look like typed text.
        if !self.colour {
            return None;
        }
        // Lines that were run in this place come before others.
        let may = |entry: &str| !self.outcomes.failed(entry);
        let here = |entry: &str| may(entry) && self.outcomes.was_at(entry, &self.place);
        let rest = rest_from_history(line, context, here).or_else(|| rest_from_history(line, context, may))?;
        self.takeable(line, rest)
    }
}

impl Assistant<'_> {
    /// Returns a suggestion that the user can accept with a key.
    fn takeable(&self, line: &str, rest: String) -> Option<Suggestion> {
        let shown = self.fitting(line, &rest)?;
        lock(&self.state).suggestion = Some((line.to_owned(), rest.clone()));
        Some(Suggestion { shown, inserted: Some(rest) })
    }

    /// Returns as much of a hint as fits on the last row of the line, so that it never runs into the list below.
    fn fitting(&self, line: &str, hint: &str) -> Option<String> {
        let columns = terminal_width();
        let last = line.rsplit('\n').next().unwrap_or(line);
        let used = if last.len() == line.len() { self.prompt_width } else { 0 } + width(last);
        let room = columns.checked_sub(used % columns.max(1) + 1)?;
        hint::fitting(hint, room)
    }
}

/// Returns the rest of the newest history line that starts with `line` and that `may` be suggested.
fn rest_from_history(line: &str, context: &Context<'_>, may: impl Fn(&str) -> bool) -> Option<String> {
    let history = context.history();
    let mut start = history.len().checked_sub(1)?;
    loop {
        let found = history.starts_with(line, start, SearchDirection::Reverse).ok()??;
        // An equal line has no rest, but an older one may have.
        match found.entry.get(line.len()..) {
            Some(rest) if !rest.is_empty() && may(&found.entry) => {
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
        if let Some((_, styled)) = lock(&self.state).rows.as_ref().filter(|(plain, _)| plain == hint) {
            return Cow::Owned(styled.clone());
        }
        Cow::Owned(format!("\x1b[90m{hint}\x1b[0m"))
    }

    fn highlight_char(&self, _: &str, _: usize, kind: CmdKind) -> bool {
        kind != CmdKind::MoveCursor
    }
}

impl Validator for Assistant<'_> {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(if is_unfinished(context.input()) { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
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
