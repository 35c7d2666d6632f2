//! The menu below the line: its items, its reaction to keys, and its layout.
//!
//! It is plain state without a terminal: [`super::keys`] passes keys to it, [`super::editor`] shows its rows.

use std::borrow::Cow;
use std::ops::Range;

use unicode_width::UnicodeWidthChar;

use crate::width::width as width_of;

use super::list::{ELLIPSIS, clean};

/// The number of spaces between two columns.
const GAP: usize = 2;

/// The width of the margin that holds the mark of the selected row.
const MARGIN: usize = 2;

/// A menu takes at most one in this many rows of the screen.
const SHARE: usize = 3;

/// The smallest number of rows that a menu takes, including the one with the position.
const FEWEST_ROWS: usize = 3;

/// The smallest useful width of a column beside the name.
const NARROWEST: usize = 6;

/// Erases the screen from the cursor to the end.
const ERASE_BELOW: &str = "\x1b[J";

/// A line and the cursor position in it, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) line: String,
    pub(super) cursor: usize,
}

impl Edit {
    /// Returns the line with the cursor at its end.
    pub(super) fn ending(line: impl Into<String>) -> Edit {
        let line = line.into();
        Edit { cursor: line.len(), line }
    }
}

/// An item of the menu. Its texts may hold any characters; they are cleaned when they are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Item {
    /// The name, the first column of the row.
    pub(super) name: String,
    /// The byte ranges of the name that match what was typed.
    pub(super) matched: Vec<Range<usize>>,
    /// The description.
    pub(super) about: String,
    /// The uuid, or another text that is cut before the others.
    pub(super) aside: String,
    /// The new line when the item is accepted.
    pub(super) edit: Edit,
}

/// Where the items of a menu come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Completion of the part of a word that starts at this byte of the line.
    Word(usize),
    /// The history.
    History,
}

/// The meaning of a key in an open menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Press {
    Next,
    /// Accepts the only item; with several, the same as `Next`.
    Tab,
    Previous,
    PageDown,
    PageUp,
    First,
    Last,
    Take,
    Leave,
}

/// The effect of a key on a menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The menu stays open, perhaps with another item selected.
    Stays,
    /// The menu closes and the line is replaced with this one.
    Becomes(Edit),
    /// The menu closes and the key has its usual meaning.
    Passes,
}

/// An open menu.
#[derive(Clone, Debug)]
pub(super) struct Menu {
    pub(super) source: Source,
    /// The line for which the items were found.
    pub(super) shown_for: Edit,
    items: Vec<Item>,
    note: Option<Cow<'static, str>>,
    /// The line when the menu was opened, to which Escape returns.
    before: Edit,
    chosen: usize,
    /// The index of the first item on the screen.
    top: usize,
    /// The number of items shown last, by which Page Up and Page Down move.
    page: usize,
}

/// The rows of a menu, plain and coloured. Both have the same width on the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) plain: String,
    pub(super) styled: String,
}

impl Menu {
    pub(super) fn new(source: Source, before: Edit, items: Vec<Item>, note: Option<Cow<'static, str>>) -> Menu {
        Menu { source, shown_for: before.clone(), items, note, before, chosen: 0, top: 0, page: 1 }
    }

    /// Replaces the items after the line has changed.
    pub(super) fn refill(&mut self, shown_for: Edit, items: Vec<Item>, note: Option<Cow<'static, str>>) {
        (self.shown_for, self.items, self.note) = (shown_for, items, note);
        (self.chosen, self.top) = (0, 0);
    }

    /// Whether the menu has no items.
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Handles a key.
    pub(super) fn press(&mut self, press: Press) -> Outcome {
        let last = self.items.len().saturating_sub(1);
        match press {
            Press::Leave => return Outcome::Becomes(self.before.clone()),
            // The search text of the history menu is not a command to accept.
            Press::Take if self.items.is_empty() && self.source == Source::History => {}
            Press::Take => {
                return self.items.get(self.chosen).map_or(Outcome::Passes, |item| Outcome::Becomes(item.edit.clone()));
            }
            // Tab accepts the only item.
            Press::Tab if self.items.len() == 1 => return self.press(Press::Take),
            _ if self.items.is_empty() => return Outcome::Passes,
            Press::Next | Press::Tab => self.chosen = if self.chosen == last { 0 } else { self.chosen + 1 },
            Press::Previous => self.chosen = if self.chosen == 0 { last } else { self.chosen - 1 },
            Press::PageDown => self.chosen = (self.chosen + self.page).min(last),
            Press::PageUp => self.chosen = self.chosen.saturating_sub(self.page),
            Press::First => self.chosen = 0,
            Press::Last => self.chosen = last,
        }
        Outcome::Stays
    }

    /// Returns the rows for a screen of `columns` and `lines`, of which the typed line takes `taken`. Each row starts
    /// with a line end.
    pub(super) fn rows(&mut self, columns: usize, lines: usize, taken: usize) -> Rows {
        // The last column stays free: some terminals wrap when it is written to.
        let columns = columns.saturating_sub(1);
        let most = (lines / SHARE).max(FEWEST_ROWS).min(lines.saturating_sub(taken).max(1));
        let tells_place = self.note.is_some() || self.items.len() > most;
        self.page = (most - usize::from(tells_place && most > 1)).clamp(1, self.items.len().max(1));
        let least_top = (self.chosen + 1).saturating_sub(self.page);
        self.top = self.top.clamp(least_top, self.chosen).min(self.items.len().saturating_sub(self.page));

        // Erases rows that a wider screen left below.
        let mut rows = Rows { plain: String::new(), styled: ERASE_BELOW.to_owned() };
        let shape = Shape::of(&self.items, columns);
        for (index, item) in self.items.iter().enumerate().skip(self.top).take(self.page) {
            shape.write(item, index == self.chosen, &mut rows);
        }
        if tells_place {
            let place = match self.items.len() {
                0 => String::new(),
                count => format!("{} of {count}", self.chosen + 1),
            };
            let gap = if place.is_empty() || self.note.is_none() { "" } else { "  " };
            let text = format!("{place}{gap}{}", self.note.as_deref().unwrap_or_default());
            let text = fit(&text, columns.saturating_sub(MARGIN));
            rows.plain.push_str(&format!("\n  {text}"));
            rows.styled.push_str(&format!("\n\x1b[2m  {text}\x1b[0m"));
        }
        rows
    }
}

/// The widths of the columns of a menu.
#[derive(Clone, Copy, Debug)]
struct Shape {
    columns: usize,
    name: usize,
    about: usize,
    aside: usize,
}

impl Shape {
    fn of(items: &[Item], columns: usize) -> Shape {
        let widest = |text: fn(&Item) -> &str| items.iter().map(|item| taken(&clean(text(item)))).max().unwrap_or(0);
        let (name, about, aside) = (widest(|item| &item.name), widest(|item| &item.about), widest(|item| &item.aside));
        let room = columns.saturating_sub(MARGIN);
        // Where not all fit, the uuid is cut first, but only until the description has half of the room beside the
        // name.
        let beside = |width: usize| if width == 0 { 0 } else { width + GAP };
        let name = name.min(room);
        let left = room - name;
        let shown = |width: usize, room: usize| match width.min(room.saturating_sub(GAP)) {
            cut if cut < NARROWEST.min(width) => 0,
            fits => fits,
        };
        let about = shown(about, left.saturating_sub(beside(aside)).max(left / 2));
        let aside = shown(aside, left - beside(about));
        Shape { columns, name, about, aside }
    }

    fn write(&self, item: &Item, chosen: bool, rows: &mut Rows) {
        let name = fit(&clean(&item.name), self.name);
        let about = fit(&clean(&item.about), self.about);
        let aside = fit(&clean(&item.aside), self.aside);
        let pad = |text: &str, width: usize| " ".repeat(width.saturating_sub(taken(text)));
        let after_name = if self.about + self.aside == 0 { String::new() } else { pad(&name, self.name) };
        let gap = |width: usize| if width == 0 { "" } else { "  " };
        let about_gap = gap(self.about);
        let after_about = if self.aside == 0 { String::new() } else { pad(&about, self.about) };
        let aside_gap = gap(self.aside);
        let mark = if chosen { "> " } else { "  " };
        let plain = format!("{mark}{name}{after_name}{about_gap}{about}{after_about}{aside_gap}{aside}");
        let plain = plain.trim_end();
        rows.plain.push('\n');
        rows.plain.push_str(plain);
        rows.styled.push('\n');
        if chosen {
            // The whole row is highlighted, so that it is easy to find.
            let rest = self.columns.saturating_sub(taken(plain));
            rows.styled.push_str(&format!("\x1b[7m{plain}{}\x1b[0m", " ".repeat(rest)));
            // The plain row must have the same width.
            rows.plain.push_str(&" ".repeat(rest));
            return;
        }
        let whole = name == item.name;
        let name = if whole { in_relief(&name, &item.matched) } else { name };
        let dim = |text: &str| if text.is_empty() { String::new() } else { format!("\x1b[2m{text}\x1b[0m") };
        let styled = format!("{mark}{name}{after_name}{about_gap}{about}{after_about}{aside_gap}{}", dim(&aside));
        rows.styled.push_str(styled.trim_end());
    }
}

/// Returns a text with the matching ranges in bold.
fn in_relief(text: &str, matched: &[Range<usize>]) -> String {
    let mut out = String::new();
    let mut at = 0;
    for range in matched {
        let (Some(before), Some(part)) = (text.get(at..range.start), text.get(range.clone())) else { break };
        out.push_str(&format!("{before}\x1b[1m{part}\x1b[0m"));
        at = range.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// Returns the width of a text as the editor counts it, character by character, but at least its width as a whole.
fn taken(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    text.chars().map(|c| c.width().unwrap_or(0)).sum::<usize>().max(width_of(text))
}

/// Returns a text cut to `room` columns.
fn fit(text: &str, room: usize) -> String {
    if taken(text) <= room {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = width_of(ELLIPSIS);
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > room {
            break;
        }
        out.push(c);
    }
    if room > 0 {
        out.push_str(ELLIPSIS);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(name: &str, about: &str, aside: &str) -> Item {
        let edit = Edit::ending(format!("X uuid={name}"));
        Item { name: name.into(), about: about.into(), aside: aside.into(), edit, ..Item::default() }
    }

    fn menu(items: Vec<Item>) -> Menu {
        Menu::new(Source::Word(2), Edit::ending("X uuid="), items, None)
    }

    fn many(count: usize) -> Menu {
        menu((1..=count).map(|n| item(&format!("vm-{n}"), "", "")).collect())
    }

    fn shown(menu: &mut Menu, columns: usize, lines: usize) -> Vec<String> {
        let rows = menu.rows(columns, lines, 1).plain;
        rows.split('\n').skip(1).map(|row| row.trim_end().to_owned()).collect()
    }

    #[test]
    fn keys_choose_take_and_leave() {
        let mut menu = many(3);
        let line = |name: &str| Outcome::Becomes(Edit::ending(format!("X uuid={name}")));
        for (presses, expected) in [
            (&[Press::Take][..], line("vm-1")),
            (&[Press::Next, Press::Take], line("vm-2")),
            (&[Press::Next, Press::Next, Press::Next, Press::Take], line("vm-2")),
            (&[Press::First, Press::Previous, Press::Take], line("vm-3")),
            (&[Press::Last, Press::Take], line("vm-3")),
            (&[Press::Next, Press::Leave], line("")),
        ] {
            let outcomes: Vec<Outcome> = presses.iter().map(|press| menu.press(*press)).collect();
            assert_eq!(outcomes.last(), Some(&expected), "{presses:?}");
            assert!(outcomes[..outcomes.len() - 1].iter().all(|outcome| *outcome == Outcome::Stays));
        }
    }

    #[test]
    fn a_menu_without_items_lets_keys_pass() {
        let mut menu = Menu::new(Source::Word(0), Edit::default(), Vec::new(), Some("a secret".into()));
        assert_eq!(menu.press(Press::Take), Outcome::Passes);
        assert_eq!(menu.press(Press::Next), Outcome::Passes);
        assert_eq!(shown(&mut menu, 80, 24), ["  a secret"]);
    }

    #[test]
    fn a_third_of_the_screen_scrolls_and_tells_the_place() {
        let mut menu = many(120);
        let rows = shown(&mut menu, 80, 24);
        assert_eq!(rows.len(), 8);
        assert_eq!((rows[0].as_str(), rows[6].as_str(), rows[7].as_str()), ("> vm-1", "  vm-7", "  1 of 120"));
        for _ in 0..8 {
            menu.press(Press::Next);
        }
        let rows = shown(&mut menu, 80, 24);
        assert_eq!((rows[0].as_str(), rows[6].as_str(), rows[7].as_str()), ("  vm-3", "> vm-9", "  9 of 120"));
        menu.press(Press::Previous);
        assert_eq!(shown(&mut menu, 80, 24)[5], "> vm-8");
        menu.press(Press::PageDown);
        assert_eq!(shown(&mut menu, 80, 24)[7], "  15 of 120");
        menu.press(Press::Last);
        let rows = shown(&mut menu, 80, 24);
        assert_eq!((rows[6].as_str(), rows[7].as_str()), ("> vm-120", "  120 of 120"));
        // After the screen has become smaller, the selected row is still visible.
        let rows = shown(&mut menu, 80, 9);
        assert_eq!(rows, ["  vm-119", "> vm-120", "  120 of 120"]);
    }

    #[test]
    fn few_rows_tell_no_place() {
        assert_eq!(shown(&mut many(2), 80, 24), ["> vm-1", "  vm-2"]);
    }

    #[test]
    fn columns_stand_below_each_other_and_never_wrap() {
        let uuid = "90ab7f5d1d934e9eb0a1d1f0aa11bb23";
        let items = || vec![item("存储机", "Running, 10.0.0.3", uuid), item("web", "Stopped", uuid)];
        let wide = shown(&mut menu(items()), 80, 24);
        assert_eq!(wide[0], format!("> 存储机  Running, 10.0.0.3  {uuid}"));
        assert_eq!(wide[1], format!("  web     Stopped            {uuid}"));
        for columns in [0, 1, 5, 10, 20, 40, 50, 80, 120, 200] {
            for row in shown(&mut menu(items()), columns, 24) {
                assert!(taken(&row) < columns.max(5), "{columns} {row:?}");
            }
        }
        assert_eq!(shown(&mut menu(items()), 50, 24)[0], format!("> 存储机  Running, 10.0.0.3  {}…", &uuid[..19]));
    }

    #[test]
    fn what_moves_the_cursor_is_not_written_and_colours_take_no_place() {
        let mut menu = menu(vec![item("a\u{1b}[2Jb\nc", "x\ty", "z"), item("d", "", "")]);
        let rows = menu.rows(80, 24, 1);
        assert_eq!(rows.plain.matches('\n').count(), 2);
        assert!(!rows.plain.contains(['\u{1b}', '\t']));
        let mut bare = rows.styled;
        for code in [ERASE_BELOW, "\x1b[7m", "\x1b[1m", "\x1b[2m", "\x1b[0m"] {
            bare = bare.replace(code, "");
        }
        assert_eq!(bare, rows.plain);
    }

    #[test]
    fn what_matches_stands_in_relief() {
        let matched = vec![0..1, 5..6];
        assert_eq!(in_relief("QueryZone", &matched), "\x1b[1mQ\x1b[0muery\x1b[1mZ\x1b[0mone");
        assert_eq!(in_relief("Q", &matched), "\x1b[1mQ\x1b[0m");
    }
}
