//! The first step of completion: finds the word at the cursor, and what kind of text is expected there.
//!
//! It reads only the text and does not use the catalog.

use std::ops::Range;

use crate::syntax::{Operator, Quote, Word, is_bare_statement, is_name, lex};

use super::own;
use crate::cli::{self, Entry};
use crate::shell::redirect::filter_start;

/// The kind of text expected at the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Nothing can be completed: a comment, a filter, an escape sequence.
    Nothing,
    /// A word of the command: its name where `index` is 0, otherwise an argument.
    Word,
    /// The name of an option.
    Option,
    /// The value of this option.
    OptionValue(cli::Argument),
    /// The file of a redirection.
    File,
    /// A jq expression after `|`; the word is all of it up to the cursor.
    Filter,
}

/// The cursor position and the words around it.
#[derive(Clone, Debug)]
pub(crate) struct CursorPlace {
    /// The word at the cursor, up to the cursor; empty between words.
    pub(crate) word: Word,
    /// The quote that is open at the cursor.
    pub(crate) quote: Option<Quote>,
    /// The text of the line from the cursor to the end of that word.
    pub(crate) rest: String,
    /// The other words of the command, without options and redirections.
    pub(crate) others: Vec<Word>,
    /// How many of `others` come before the cursor.
    pub(crate) index: usize,
    /// What is expected at the cursor.
    pub(crate) wanted: Wanted,
}

/// Finds the word at the cursor. `cursor` is a byte offset; one inside a character is moved to its start.
pub(crate) fn place(line: &str, cursor: usize) -> CursorPlace {
    let cursor = (0..=cursor.min(line.len())).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
    let before = &line[..cursor];
    let mut lexed = lex(before);
    let in_word = lexed.open_quote.is_some() || !before.ends_with(char::is_whitespace) || lexed.continues;
    let current = match lexed.words.last() {
        Some(last) if last.span.end == cursor && in_word => lexed.words.pop(),
        _ => None,
    };
    let in_comment = lexed.comment.is_some_and(|at| !before[at..].contains('\n'));
    let word = current.unwrap_or_else(|| Word::plain("", cursor));

    let mut rest = String::new();
    let mut after = Vec::new();
    if cursor < line.len() && !in_comment {
        for other in lex(line).words {
            if other.span.start >= cursor {
                after.push(other);
            } else if other.span.start == word.span.start && other.span.end > cursor {
                rest = line[cursor..other.span.end].to_owned();
            }
        }
    }

    let quote = lexed.open_quote.map(|(quote, _)| quote);
    let mut place = CursorPlace { word, quote, rest, others: Vec::new(), index: 0, wanted: Wanted::Word };
    let wanted = place.sort_words(line, lexed.words, after);
    place.wanted = if in_comment || (lexed.continues && lexed.open_quote.is_none()) { Wanted::Nothing } else { wanted };
    if let Some(start) = filter_start(before).filter(|_| !in_comment) {
        let expression = before[start..].trim_start();
        place.word = Word::plain(expression, cursor - expression.len());
        place.quote = None;
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let end = line.as_bytes()[cursor..].iter().position(|byte| !is_name(byte)).map_or(line.len(), |at| cursor + at);
        place.rest = line[cursor..end].to_owned();
        place.wanted = Wanted::Filter;
    }
    // Behind `each` stands a line of its own.
    if place.wanted == Wanted::Word && place.index > 0 && place.others[0].text == "each" {
        place.others.remove(0);
        place.index -= 1;
    }
    place
}

impl CursorPlace {
    /// Removes options and redirections from the words, and returns what is expected at the cursor.
    fn sort_words(&mut self, line: &str, before: Vec<Word>, after: Vec<Word>) -> Wanted {
        let mut wanted = Wanted::Word;
        let mut options_end = false;
        for word in before {
            match wanted {
                Wanted::Nothing | Wanted::Filter => return wanted,
                Wanted::OptionValue(_) | Wanted::File => {
                    wanted = Wanted::Word;
                    continue;
                }
                Wanted::Word | Wanted::Option => {}
            }
            let may_redirect = !self.others.is_empty() && !is_bare_statement(&self.others, line);
            if let Some(redirection) = redirection(line, &word).filter(|_| may_redirect) {
                wanted = redirection;
            } else if word.text == "--" && !options_end {
                options_end = true;
            } else if word.text.starts_with('-') && !options_end {
                let option = command_after(&self.others).option(&word.text);
                if let Some(option) = option.filter(|option| option.takes_next_word()) {
                    wanted = Wanted::OptionValue(option);
                }
            } else {
                self.others.push(word);
            }
        }
        self.index = self.others.len();
        self.others.extend(after.into_iter().filter(|word| !word.text.starts_with('-')));
        match wanted {
            Wanted::Word if self.word.text.starts_with('-') && !options_end => {
                match self.word.text.split_once('=').and_then(|(name, _)| self.command().option(name)) {
                    Some(option) => Wanted::OptionValue(option),
                    None => Wanted::Option,
                }
            }
            Wanted::Word
                if self.index > 0
                    && redirection(line, &self.word).is_some()
                    && !is_bare_statement(&self.others[..self.index], line) =>
            {
                Wanted::Nothing
            }
            other => other,
        }
    }

    /// Returns the program's own command before the cursor, or the program itself.
    pub(super) fn command(&self) -> Entry {
        command_after(&self.others[..self.index])
    }

    /// Where the name of the variable begins that the cursor is in, in bytes of the word's text.
    pub(super) fn variable(&self, line: &str) -> Option<usize> {
        let sign = self.word.text.rfind('$')?;
        let start = sign + if self.word.text[sign..].starts_with("${") { 2 } else { 1 };
        let typed = &self.word.text[start..];
        let is_in_name = typed.is_empty() || is_name(typed);
        (is_in_name && self.head(line, start).1 != Some(Quote::Single)).then_some(start)
    }

    /// Returns the name of the command; `None` while the cursor is in it.
    pub(crate) fn name(&self) -> Option<&str> {
        if self.index == 0 { None } else { self.others.first().map(|word| word.text.as_str()) }
    }

    /// Returns the arguments except the one at the cursor.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = Argument<'_>> {
        self.others.iter().skip(1).filter_map(|word| Argument::split(&word.text))
    }

    /// Splits the word at byte `start` of its text. Returns the part before it as the line has it, the quote that is
    /// open there, and the byte range of the whole word in the line.
    pub(crate) fn head(&self, line: &str, start: usize) -> (String, Option<Quote>, Range<usize>) {
        let from = self.word.span.start;
        let to = self.word.span_of(start..start).start.max(from);
        let mut head = line[from..to].to_owned();
        let lexed = lex(&head);
        if lexed.continues {
            // An escaped character follows; its backslash belongs to it.
            head.pop();
        }
        (head, lexed.open_quote.map(|(quote, _)| quote), self.word.span.clone())
    }
}

/// Returns the program's own command that these words name, or the program itself.
fn command_after(words: &[Word]) -> Entry {
    let next = own::next_after(words.iter().map(|word| word.text.as_str()));
    next.map_or_else(cli::program, |next| next.command)
}

/// Returns what is expected after a word that starts a redirection.
fn redirection(line: &str, word: &Word) -> Option<Wanted> {
    let raw = &line[word.span.clone()];
    match raw {
        ">" | ">>" => Some(Wanted::File),
        _ if raw.starts_with('|') => Some(Wanted::Nothing),
        _ => None,
    }
}

/// An argument that may still be incomplete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Argument<'w> {
    /// The parameter or field path.
    pub(crate) name: &'w str,
    /// The operator.
    pub(crate) operator: Operator,
    /// Where the value starts, in bytes of the word's text.
    pub(crate) value_start: usize,
    /// The value as far as it is typed.
    pub(crate) value: &'w str,
}

impl<'w> Argument<'w> {
    /// Splits `name operator value`; `None` where there is no operator yet.
    pub(crate) fn split(text: &'w str) -> Option<Argument<'w>> {
        let length = name_length(text);
        let (operator, typed) = match text.as_bytes()[length..] {
            [b'=', ..] => (Operator::Equal, 1),
            [b'!', b'=', ..] => (Operator::NotEqual, 2),
            [b'>', b'=', ..] => (Operator::GreaterOrEqual, 2),
            [b'>', ..] => (Operator::Greater, 1),
            [b'<', b'=', ..] => (Operator::LessOrEqual, 2),
            [b'<', ..] => (Operator::Less, 1),
            [b'?', b'=', ..] => (Operator::In, 2),
            [b'!', b'?', b'=', ..] => (Operator::NotIn, 3),
            [b'~', b'=', ..] => (Operator::Like, 2),
            [b'!', b'~', b'=', ..] => (Operator::NotLike, 3),
            _ => return None,
        };
        let value_start = length + typed;
        Some(Argument { name: &text[..length], operator, value_start, value: &text[value_start..] })
    }
}

/// Returns the length of the longest prefix of an argument that can be a name, in bytes.
pub(crate) fn name_length(text: &str) -> usize {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
    let plain = text.bytes().position(|byte| !is_plain(&byte)).unwrap_or(text.len());
    // Fast path: nearly all names are ASCII; only others are checked by character.
    match text.as_bytes().get(plain) {
        Some(byte) if !byte.is_ascii() => {
            text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')).unwrap_or(text.len())
        }
        _ => plain,
    }
}

/// Appends `label` and `suffix` to a word, quoted as needed. `open` is the quote that is open in the word.
pub(crate) fn quote(word: &mut String, label: &str, suffix: &str, open: Option<Quote>, finished: bool) {
    let unsafe_text = |c: char| c.is_whitespace() || c.is_control() || "'\"\\#|&;()$`".contains(c);
    match open {
        Some(Quote::Double) => {
            for c in label.chars().chain(suffix.chars()) {
                if matches!(c, '"' | '\\' | '$' | '`') {
                    word.push('\\');
                }
                word.push(c);
            }
            if finished {
                word.push('"');
            }
        }
        Some(Quote::Single) => {
            word.push_str(&label.replace('\'', r"'\''"));
            word.push_str(suffix);
            if finished {
                word.push('\'');
            }
        }
        None if label.contains(unsafe_text) => {
            word.push('\'');
            word.push_str(&label.replace('\'', r"'\''"));
            if finished || !suffix.is_empty() {
                word.push('\'');
            }
            word.push_str(suffix);
        }
        None => {
            word.push_str(label);
            word.push_str(suffix);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(marked: &str) -> (CursorPlace, String) {
        let cursor = marked.find('¦').expect("the line marks the cursor");
        let line = marked.replace('¦', "");
        (place(&line, cursor), line)
    }

    #[test]
    fn the_word_under_the_cursor_is_found() {
        for (marked, index, word, rest, wanted) in [
            ("¦", 0, "", "", Wanted::Word),
            ("Que¦", 0, "Que", "", Wanted::Word),
            ("Que¦ryZone", 0, "Que", "ryZone", Wanted::Word),
            ("  QueryZone ¦", 1, "", "", Wanted::Word),
            ("QueryZone name='a b¦", 1, "name=a b", "", Wanted::Word),
            ("QueryZone na¦ state=x", 1, "na", "", Wanted::Word),
            ("QueryZone ¦ state=x", 1, "", "", Wanted::Word),
            ("QueryZone ¦state=x", 1, "", "", Wanted::Word),
            ("QueryZone # na¦", 1, "", "", Wanted::Nothing),
            ("QueryZone \\¦", 1, "", "", Wanted::Nothing),
            ("QueryZone \\\n na¦", 1, "na", "", Wanted::Word),
            ("QueryZone > ou¦", 1, "ou", "", Wanted::File),
            ("QueryZone | .x¦", 1, ".x", "", Wanted::Filter),
            ("QueryZone | .x y¦z", 0, ".x y", "z", Wanted::Filter),
            ("QueryZone |! .x¦", 1, ".x", "", Wanted::Nothing),
            ("QueryZone | .x # .y¦", 0, "", "", Wanted::Nothing),
            ("-q QueryZone na¦", 1, "na", "", Wanted::Word),
            ("-o json Que¦", 0, "Que", "", Wanted::Word),
            ("-¦", 0, "-", "", Wanted::Option),
            ("QueryZone --out¦", 1, "--out", "", Wanted::Option),
            ("-- -x¦", 0, "-x", "", Wanted::Word),
        ] {
            let (place, _) = at(marked);
            let found = (place.index, place.word.text.as_str(), place.rest.as_str(), place.wanted);
            assert_eq!(found, (index, word, rest, wanted), "{marked}");
        }
        let (place, _) = at("-o js¦ QueryZone");
        assert!(matches!(place.wanted, Wanted::OptionValue(option) if option.names().any(|name| name == "--output")));
    }

    #[test]
    fn a_cursor_in_a_character_or_behind_the_line_is_no_trouble() {
        assert_eq!(place("Q é", 3).word.text, "");
        assert_eq!(place("Q", 99).word.text, "Q");
    }

    #[test]
    fn arguments_are_split_as_commands_are() {
        use crate::syntax::Command;
        for (typed, operator) in Operator::TYPED {
            for name in ["name", "vmNics.l3Network.name", "名", "__userTag__", "", "a-b"] {
                for value in ["", "x", "=", "null", "~=y"] {
                    let text = format!("{name}{typed}{value}");
                    let line = format!("Q '{text}'");
                    let read =
                        Command::parse(&line).ok().flatten().and_then(|command| command.arguments.into_iter().next());
                    let read = read.map(|it| (it.name, it.operator, it.value));
                    let split = Argument::split(&text).filter(|it| !it.name.is_empty());
                    let split = split.map(|it| (it.name.to_owned(), it.operator, it.value.to_owned()));
                    assert_eq!(split, read, "{text} {operator}");
                }
            }
        }
    }

    #[test]
    fn heads_keep_the_text_of_the_line() {
        for (marked, start, head, quote) in [
            ("X state=Ru¦", 6, "state=", None),
            ("X name=\"my v¦", 5, "name=\"", Some(Quote::Double)),
            ("X 'name=my v¦", 5, "'name=", Some(Quote::Single)),
            ("X name=\"¦", 5, "name=\"", Some(Quote::Double)),
            ("X name=\\ v¦", 5, "name=", None),
            ("X name=a\"b\",c¦", 8, "name=a\"b\",", None),
        ] {
            let (place, line) = at(marked);
            let found = place.head(&line, start);
            assert_eq!((found.0.as_str(), found.1), (head, quote), "{marked}");
        }
    }

    #[test]
    fn labels_are_quoted_where_they_must_be() {
        for (label, open, finished, expected) in [
            ("lab", None, true, "n=lab"),
            ("my vm", None, true, "n='my vm'"),
            ("my vm", None, false, "n='my vm"),
            ("it's", None, true, r"n='it'\''s'"),
            ("my vm", Some(Quote::Double), true, "n=my vm\""),
            ("a\"$b", Some(Quote::Double), true, "n=a\\\"\\$b\""),
        ] {
            let mut word = "n=".to_owned();
            quote(&mut word, label, "", open, finished);
            assert_eq!(word, expected);
        }
    }
}
