//! Key bindings beyond those of the line editor: the menu, the suggestion, and the history.
//!
//! The editor passes each key to [`Keys`]. Whatever needs the catalog or the history is left on the [`EditorState`] as
//! a request, which the editor's completer handles: only the completer can reach both and replace the whole line.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustyline::{Cmd, ConditionalEventHandler, Event, EventContext, KeyCode, KeyEvent, Modifiers, RepeatCount};

use super::menu::{Edit, Menu, Outcome, Press, Source};

/// A request of a key that only the editor's completer can fulfil.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// Replace the line with this one.
    Put(Edit),
    /// Go to the next older or newer line that starts with what was typed.
    Walk { older: bool },
    /// Insert the last word of the previous line; when repeated, that of the line before.
    LastWord,
}

/// The user's position in the history.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    /// What was typed before the walk began.
    pub(super) typed: Edit,
    /// The history line shown now.
    pub(super) shown: String,
    /// Its index in the history.
    pub(super) index: usize,
}

/// The word of an earlier line that was inserted last.
#[derive(Clone, Debug)]
pub(super) struct LastWord {
    /// The line without it.
    pub(super) before: Edit,
    /// The line with it.
    pub(super) after: Edit,
    /// The history index of the line that the word is from.
    pub(super) index: usize,
}

/// The state through which keys and the editor's completer exchange requests and results.
#[derive(Debug, Default)]
pub(super) struct EditorState {
    /// The open menu.
    pub(super) menu: Option<Menu>,
    /// The rows of the menu on the screen, plain and coloured.
    pub(super) rows: Option<(String, String)>,
    /// The suggestion that can be accepted, and the line that it follows.
    pub(super) suggestion: Option<(String, String)>,
    pub(super) request: Option<Request>,
    /// The new line that the editor is to show.
    pub(super) edit: Option<Edit>,
    pub(super) walk: Option<Walk>,
    pub(super) last_word: Option<LastWord>,
    /// The line that is to be changed in the user's editor.
    pub(super) hand_over: Option<String>,
}

/// The state shared by keys and the editor. Only one thread uses it.
pub(super) type SharedState = Arc<Mutex<EditorState>>;

/// Locks the state.
pub(super) fn lock(state: &SharedState) -> MutexGuard<'_, EditorState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The handler of every key press.
pub(super) struct Keys(pub(super) SharedState);

/// The keys that open the line in the user's editor.
pub(super) const HAND_OVER: [KeyEvent; 2] =
    [KeyEvent(KeyCode::Char('X'), Modifiers::CTRL), KeyEvent(KeyCode::Char('E'), Modifiers::CTRL)];

impl ConditionalEventHandler for Keys {
    fn handle(&self, event: &Event, _: RepeatCount, _: bool, context: &EventContext<'_>) -> Option<Cmd> {
        let line = Edit { line: context.line().to_owned(), cursor: context.pos() };
        let state = &mut *lock(&self.0);
        if let Event::KeySeq(keys) = event
            && keys[..] == HAND_OVER
        {
            state.hand_over = Some(line.line);
            return Some(Cmd::AcceptLine);
        }
        let key = event.get(0)?;
        if state.menu.is_some()
            && let Some(command) = state.in_menu(key)
        {
            return Some(command);
        }
        state.at_line(key, line)
    }
}

impl EditorState {
    /// Leaves a request for the editor's completer.
    fn ask(&mut self, request: Request) -> Option<Cmd> {
        self.request = Some(request);
        Some(Cmd::Complete)
    }

    /// Handles a key while a menu is open; `None` where the key has its usual meaning.
    fn in_menu(&mut self, key: &KeyEvent) -> Option<Cmd> {
        let menu = self.menu.as_mut()?;
        let Some(press) = press(key, menu.source) else {
            if !edits(key) {
                // Any other key closes the menu. It does nothing else while rows are shown: they must be erased, and
                // most keys do not redraw the line.
                let had_items = !menu.is_empty();
                self.menu = None;
                return had_items.then_some(Cmd::Repaint);
            }
            return None;
        };
        match menu.press(press) {
            Outcome::Stays => Some(Cmd::Repaint),
            Outcome::Becomes(edit) => {
                self.menu = None;
                self.ask(Request::Put(edit))
            }
            Outcome::Passes => {
                self.menu = None;
                None
            }
        }
    }

    /// Handles a key while no menu is open.
    fn at_line(&mut self, key: &KeyEvent, line: Edit) -> Option<Cmd> {
        let at_end = line.cursor == line.line.len();
        let suggestion =
            self.suggestion.as_ref().filter(|(of, _)| at_end && *of == line.line).map(|(_, rest)| rest.clone());
        let walking = self.walk.as_ref().is_some_and(|walk| walk.shown == line.line);
        let KeyEvent(code, modifiers) = *key;
        match (code, modifiers) {
            (KeyCode::Up, Modifiers::NONE) if walking || !line.line[..line.cursor].contains('\n') => {
                self.ask(Request::Walk { older: true })
            }
            (KeyCode::Down, Modifiers::NONE) if walking || !line.line[line.cursor..].contains('\n') => {
                self.ask(Request::Walk { older: false })
            }
            (KeyCode::Char('P'), Modifiers::CTRL) => self.ask(Request::Walk { older: true }),
            (KeyCode::Char('N'), Modifiers::CTRL) => self.ask(Request::Walk { older: false }),
            (KeyCode::Char('R'), Modifiers::CTRL) => {
                self.menu = Some(Menu::new(Source::History, line, Vec::new(), None));
                Some(Cmd::Repaint)
            }
            (KeyCode::Char('.' | '_'), Modifiers::ALT) => self.ask(Request::LastWord),
            (KeyCode::Char('F' | 'f'), Modifiers::ALT) | (KeyCode::Right, Modifiers::ALT | Modifiers::CTRL) => {
                let rest = suggestion?;
                self.ask(Request::Put(Edit::ending(line.line + first_word(&rest))))
            }
            (KeyCode::End | KeyCode::Right, Modifiers::NONE) | (KeyCode::Char('E' | 'F'), Modifiers::CTRL) => {
                let rest = suggestion?;
                self.ask(Request::Put(Edit::ending(line.line + &rest)))
            }
            _ => None,
        }
    }
}

/// Returns what a key does in a menu.
fn press(KeyEvent(code, modifiers): &KeyEvent, source: Source) -> Option<Press> {
    let in_history = source == Source::History;
    Some(match (*code, *modifiers) {
        (KeyCode::Tab, Modifiers::NONE) | (KeyCode::Char('I'), Modifiers::CTRL) => Press::Tab,
        (KeyCode::Down, Modifiers::NONE) | (KeyCode::Char('N'), Modifiers::CTRL) => Press::Next,
        (KeyCode::BackTab | KeyCode::Up, _) | (KeyCode::Char('P'), Modifiers::CTRL) => Press::Previous,
        // Ctrl-R again moves to the next older line, as in other shells.
        (KeyCode::Char('R'), Modifiers::CTRL) if in_history => Press::Next,
        (KeyCode::Char('S'), Modifiers::CTRL) if in_history => Press::Previous,
        (KeyCode::PageDown, Modifiers::NONE) => Press::PageDown,
        (KeyCode::PageUp, Modifiers::NONE) => Press::PageUp,
        (KeyCode::Home, Modifiers::NONE) => Press::First,
        (KeyCode::End, Modifiers::NONE) => Press::Last,
        (KeyCode::Enter, Modifiers::NONE) | (KeyCode::Char('M' | 'J'), Modifiers::CTRL) => Press::Take,
        (KeyCode::Esc, Modifiers::NONE) | (KeyCode::Char('C' | 'G'), Modifiers::CTRL) => Press::Leave,
        _ => return None,
    })
}

/// Whether a key changes the line, so that the open menu must be updated.
fn edits(KeyEvent(code, modifiers): &KeyEvent) -> bool {
    match *code {
        KeyCode::Char(_) if *modifiers == Modifiers::NONE || *modifiers == Modifiers::SHIFT => true,
        KeyCode::Char('H' | 'W' | 'U' | 'K' | 'D' | 'Y' | 'L' | 'Z' | '_') => *modifiers == Modifiers::CTRL,
        KeyCode::Backspace | KeyCode::Delete | KeyCode::BracketedPasteStart => true,
        _ => false,
    }
}

/// Returns the first word of a text with the spaces before it.
fn first_word(text: &str) -> &str {
    let start = text.len() - text.trim_start().len();
    let end = text[start..].find(char::is_whitespace).map_or(text.len(), |at| start + at);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::menu::Item;

    fn key(code: KeyCode) -> KeyEvent {
        KeyEvent(code, Modifiers::NONE)
    }

    fn board_with_menu() -> EditorState {
        let item = |name: &str| Item { name: name.into(), edit: Edit::ending(name), ..Item::default() };
        let items = vec![item("QueryZone"), item("QueryHost")];
        EditorState { menu: Some(Menu::new(Source::Word(0), Edit::ending("Q"), items, None)), ..EditorState::default() }
    }

    #[test]
    fn an_open_menu_takes_its_keys() {
        let mut state = board_with_menu();
        assert_eq!(state.in_menu(&key(KeyCode::Down)), Some(Cmd::Repaint));
        assert_eq!(state.in_menu(&key(KeyCode::Enter)), Some(Cmd::Complete));
        assert_eq!(state.request, Some(Request::Put(Edit::ending("QueryHost"))));
        assert!(state.menu.is_none());
        for leave in [key(KeyCode::Esc), KeyEvent::ctrl('C'), KeyEvent::ctrl('G')] {
            let mut state = board_with_menu();
            assert_eq!(state.in_menu(&leave), Some(Cmd::Complete));
            assert_eq!(state.request, Some(Request::Put(Edit::ending("Q"))));
        }
    }

    #[test]
    fn a_menu_stays_while_the_line_is_typed_and_goes_for_other_keys() {
        let mut state = board_with_menu();
        assert_eq!(state.in_menu(&key(KeyCode::Char('u'))), None);
        assert!(state.menu.is_some());
        assert_eq!(state.in_menu(&key(KeyCode::Backspace)), None);
        assert!(state.menu.is_some());
        assert_eq!(state.in_menu(&key(KeyCode::Left)), Some(Cmd::Repaint));
        assert!(state.menu.is_none());
    }

    #[test]
    fn grey_text_is_taken_by_word_or_whole_and_only_at_the_end() {
        let take = |key: KeyEvent, cursor: usize| {
            let suggestion = ("QueryZone".to_owned(), " name=a  count=true".to_owned());
            let mut state = EditorState { suggestion: Some(suggestion), ..EditorState::default() };
            state.at_line(&key, Edit { line: "QueryZone".to_owned(), cursor })?;
            match state.request {
                Some(Request::Put(edit)) => Some(edit.line),
                _ => None,
            }
        };
        let alt_f = KeyEvent::alt('f');
        assert_eq!(take(alt_f, 9).as_deref(), Some("QueryZone name=a"));
        assert_eq!(take(KeyEvent(KeyCode::Right, Modifiers::CTRL), 9).as_deref(), Some("QueryZone name=a"));
        assert_eq!(take(key(KeyCode::End), 9).as_deref(), Some("QueryZone name=a  count=true"));
        assert_eq!(take(key(KeyCode::Right), 9).as_deref(), Some("QueryZone name=a  count=true"));
        assert_eq!(take(KeyEvent::ctrl('E'), 9).as_deref(), Some("QueryZone name=a  count=true"));
        assert_eq!(take(alt_f, 3), None);
        assert_eq!(take(key(KeyCode::End), 3), None);
        assert_eq!(first_word("  count=true"), "  count=true");
        assert_eq!(first_word(""), "");
    }

    #[test]
    fn up_walks_where_there_is_no_line_above() {
        let walks = |line: &str, cursor: usize| {
            let mut state = EditorState::default();
            state.at_line(&key(KeyCode::Up), Edit { line: line.to_owned(), cursor }).is_some()
        };
        assert!(walks("QueryZone", 3));
        assert!(walks("CreateZone \\\nname=a", 3));
        assert!(!walks("CreateZone \\\nname=a", 18));
    }
}
