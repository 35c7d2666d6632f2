//! Splitting a line into words as a POSIX shell does.

use std::iter::Peekable;
use std::ops::Range;
use std::str::CharIndices;

use super::variables::{Reference, Values, reference};

/// A word of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The word without its quotes and backslashes.
    pub text: String,
    /// Its position in the line, quotes included, in bytes.
    pub span: Range<usize>,
    /// For each byte of `text`, and for its end, the byte of the line that it comes from.
    origins: Vec<usize>,
    /// Whether its last character is a `;` outside quotes, which ends a command.
    pub(super) ends_command: bool,
}

impl Word {
    /// Whether the byte of `text` at this index was not typed in `line`, but comes from a variable.
    pub fn is_from_variable(&self, index: usize, line: &str) -> bool {
        let typed = self.origins.get(index).and_then(|at| line.as_bytes().get(*at));
        typed == Some(&b'$') && self.text.as_bytes().get(index) != Some(&b'$')
    }

    /// The range of the line that `range` of `text` comes from.
    pub fn span_of(&self, range: Range<usize>) -> Range<usize> {
        let at = |index: usize| self.origins.get(index).copied().unwrap_or(self.span.end);
        let start = at(range.start);
        // The byte after the last one, so that a quote which follows stays outside.
        let end = if range.is_empty() { start } else { at(range.end - 1) + 1 };
        start..end
    }

    /// The range of the line from byte `start` of `text` to the end of the word.
    pub fn span_from(&self, start: usize) -> Range<usize> {
        self.span_of(start..self.text.len()).start..self.span.end
    }

    /// Moves the word by `offset` bytes, into a longer line.
    pub fn shift(&mut self, offset: usize) {
        self.span = self.span.start + offset..self.span.end + offset;
        for origin in &mut self.origins {
            *origin += offset;
        }
    }

    /// A word without quotes at offset `start` of a line.
    pub fn plain(text: impl Into<String>, start: usize) -> Word {
        let text = text.into();
        let end = start + text.len();
        Word { span: start..end, origins: (start..=end).collect(), text, ends_command: false }
    }
}

/// The quote that a line left open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quote {
    /// `'`
    Single,
    /// `"`
    Double,
}

/// A line split as far as possible; unfinished text is reported and not an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lexed {
    /// The words, the last one perhaps unfinished.
    pub words: Vec<Word>,
    /// The quote that is still open at the end and where it was opened.
    pub open_quote: Option<(Quote, usize)>,
    /// Whether the line ends in a backslash that continues it.
    pub continues: bool,
    /// Where a comment starts.
    pub comment: Option<usize>,
    /// The first reference such as `$3` to a word that was not given, and where it stands.
    pub missing: Option<(usize, Range<usize>)>,
}

impl Lexed {
    /// Whether more text is needed before the line can be run.
    pub fn is_incomplete(&self) -> bool {
        self.open_quote.is_some() || self.continues
    }

    /// The words of a line that ends at that byte.
    ///
    /// # Errors
    /// Where the line is incomplete.
    pub fn into_words(self, end: usize) -> Result<Vec<Word>, LexError> {
        match self.open_quote {
            Some((_, at)) => Err(LexError::OpenQuote { at }),
            None if self.continues => Err(LexError::Unfinished { at: end - 1 }),
            None => match self.missing {
                Some((number, span)) => Err(LexError::MissingWord { number, span }),
                None => Ok(self.words),
            },
        }
    }
}

/// Why a line cannot be split.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LexError {
    /// A quote was opened and never closed.
    #[error("the quote is never closed")]
    OpenQuote {
        /// The byte where it was opened.
        at: usize,
    },
    /// The line ends in a backslash and nothing follows.
    #[error("the line ends in a backslash and nothing follows")]
    Unfinished {
        /// The byte offset of the backslash.
        at: usize,
    },
    /// An alias or a script was given too few words.
    #[error("${number} has no value: word {number} was not given")]
    MissingWord {
        /// The number of the word, from 1.
        number: usize,
        /// Where it is referred to.
        span: Range<usize>,
    },
}

impl LexError {
    /// The error of a part of a line, in the line where the part starts at that byte.
    pub fn shifted(mut self, offset: usize) -> LexError {
        match &mut self {
            LexError::OpenQuote { at } | LexError::Unfinished { at } => *at += offset,
            LexError::MissingWord { span, .. } => *span = span.start + offset..span.end + offset,
        }
        self
    }

    /// Where it is wrong, in bytes of the line.
    pub fn span(&self) -> Range<usize> {
        match self {
            LexError::OpenQuote { at } | LexError::Unfinished { at } => *at..*at + 1,
            LexError::MissingWord { span, .. } => span.clone(),
        }
    }
}

/// Splits a complete line into words.
///
/// # Errors
/// `OpenQuote` or `Unfinished` where the line is not complete.
pub fn split(line: &str) -> Result<Vec<Word>, LexError> {
    lex(line).into_words(line.len())
}

/// Splits a line as far as possible.
///
/// Spaces separate words. `'…'` keeps everything, `"…"` everything except `\` before `"`, `\`, `$`, a backtick or a
/// line end; outside quotes `\` keeps the next character. A backslash before a line end is removed with the line end.
/// `#` at the start of a word starts a comment that extends to the end of the line.
pub fn lex(line: &str) -> Lexed {
    take_apart(line, true, &())
}

/// Splits a line as [`lex`] does, with the values of its variables.
///
/// A value stays in its word, whatever it contains. Only a word that is nothing but `$*` becomes as many words as were
/// given.
pub fn lex_with_values(line: &str, values: &dyn Values) -> Lexed {
    let mut lexed = take_apart(line, true, values);
    let is_all = |word: &Word| matches!(&line[word.span.clone()], "$*" | "${*}");
    if let Some(given) = values.words().filter(|_| lexed.words.iter().any(is_all)) {
        let words = std::mem::take(&mut lexed.words);
        lexed.words =
            words.into_iter().flat_map(|word| if is_all(&word) { each_of(given, &word) } else { vec![word] }).collect();
    }
    lexed
}

/// The given words, each in the place of the word that stands for all of them.
fn each_of(given: &[String], all: &Word) -> Vec<Word> {
    let word = |text: &String| {
        let mut word = Word { text: String::new(), span: all.span.clone(), origins: Vec::new(), ends_command: false };
        word.put(text, &all.span);
        word.origins.push(all.span.end);
        word
    };
    given.iter().map(word).collect()
}

/// Takes a line apart as [`lex`] does, where the words of a comment count as words: whoever looks for something that
/// must not be kept looks there, too.
pub fn lex_with_comments(line: &str) -> Lexed {
    take_apart(line, false, &())
}

fn take_apart(line: &str, has_comments: bool, values: &dyn Values) -> Lexed {
    let mut lexed = Lexed { words: Vec::new(), open_quote: None, continues: false, comment: None, missing: None };
    let mut word: Option<Word> = None;
    let mut source = Source { line, chars: line.char_indices().peekable(), values, missing: None };

    while let Some((at, c)) = source.chars.next() {
        match c {
            '\\' => match source.chars.next() {
                None => lexed.continues = true,
                Some((_, '\n')) => {}
                Some((next, escaped)) => open(&mut word, at).push(escaped, next),
            },
            '$' if source.stand_in(open(&mut word, at), at) => {}
            '\'' | '"' => {
                let quote = if c == '\'' { Quote::Single } else { Quote::Double };
                let closed = source.quoted(open(&mut word, at), c);
                lexed.open_quote = (!closed).then_some((quote, at));
            }
            '#' if has_comments && word.is_none() => {
                lexed.comment = Some(at);
                while source.chars.next_if(|(_, next)| *next != '\n').is_some() {}
            }
            _ if c.is_whitespace() => close(word.take(), at, &mut lexed.words),
            _ => {
                let word = open(&mut word, at);
                word.push(c, at);
                word.ends_command = c == ';';
            }
        }
    }
    close(word, line.len(), &mut lexed.words);
    lexed.missing = source.missing;
    lexed
}

/// What is left of a line, with the values of its variables.
struct Source<'l> {
    line: &'l str,
    chars: Peekable<CharIndices<'l>>,
    values: &'l dyn Values,
    missing: Option<(usize, Range<usize>)>,
}

impl Source<'_> {
    /// Adds the value that a reference stands for whose `$` is at that byte. Returns whether there is one.
    fn stand_in(&mut self, word: &mut Word, at: usize) -> bool {
        let Some((name, length)) = reference(&self.line[at..]) else { return false };
        let span = at..at + length;
        let Some(value) = self.values.value(&name) else {
            if let (Reference::Word(number), Some(_)) = (name, self.values.words()) {
                self.missing.get_or_insert((number, span));
            }
            return false;
        };
        word.put(&value, &span);
        while self.chars.next_if(|(next, _)| *next < span.end).is_some() {}
        true
    }

    /// Adds the text in quotes, up to the closing `mark`. Returns whether there is one.
    fn quoted(&mut self, word: &mut Word, mark: char) -> bool {
        while let Some((at, c)) = self.chars.next() {
            if c == mark {
                return true;
            }
            if c == '\\' && mark == '"' {
                match self.chars.peek().copied() {
                    Some((_, '\n')) => {
                        self.chars.next();
                        continue;
                    }
                    Some((next, escaped @ ('"' | '\\' | '$' | '`'))) => {
                        self.chars.next();
                        word.push(escaped, next);
                        continue;
                    }
                    _ => {}
                }
            }
            if c == '$' && mark == '"' && self.stand_in(word, at) {
                continue;
            }
            word.push(c, at);
        }
        false
    }
}

/// The current word, started here if there is none.
fn open(word: &mut Option<Word>, at: usize) -> &mut Word {
    // Large enough for most words, since reallocation is noticeable with each key press in a long line.
    let word = word.get_or_insert_with(|| Word {
        text: String::with_capacity(32),
        span: at..at,
        origins: Vec::with_capacity(33),
        ends_command: false,
    });
    word.ends_command = false;
    word
}

impl Word {
    /// Adds a character of the line.
    fn push(&mut self, c: char, at: usize) {
        self.text.push(c);
        self.origins.extend((0..c.len_utf8()).map(|offset| at + offset));
    }

    /// Adds a value for which the line has something else.
    fn put(&mut self, value: &str, span: &Range<usize>) {
        self.text.push_str(value);
        // So that a range which begins or ends in the value takes in all that stands for it.
        self.origins.extend((0..value.len()).map(|at| if at + 1 < value.len() { span.start } else { span.end - 1 }));
    }
}

fn close(word: Option<Word>, end: usize, words: &mut Vec<Word>) {
    if let Some(mut word) = word {
        word.span.end = end;
        word.origins.push(end);
        words.push(word);
    }
}

/// Quotes a word so that splitting returns it; a word without special characters is unchanged.
pub fn quote_word(word: &str) -> String {
    let safe = |c: char| c.is_alphanumeric() || "_-+=.,:/@%~?!<>[]{}^*".contains(c);
    if !word.is_empty() && word.chars().all(safe) {
        return word.to_owned();
    }
    // Only the value after `name=` is quoted, which is easier to read.
    if let Some((name, value)) = word.split_once('=')
        && !name.is_empty()
        && name.chars().all(safe)
    {
        return format!("{name}={}", quote_whole(value));
    }
    quote_whole(word)
}

fn quote_whole(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Vec<String> {
        split(line).expect("a complete line").into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn words_split_as_in_a_posix_shell() {
        for (line, expected) in [
            ("", vec![]),
            ("  QueryZone \t name=lab ", vec!["QueryZone", "name=lab"]),
            ("name='a b' \"c d\"e\\ f", vec!["name=a b", "c de f"]),
            (r#""a\"b\\c\nd$" 'a\b'"#, vec![r#"a"b\c\nd$"#, r"a\b"]),
            ("a '' \"\"", vec!["a", "", ""]),
            ("a # b c", vec!["a"]),
            ("a#b '#c' \\#d", vec!["a#b", "#c", "#d"]),
            ("a \\\n b\\\nc", vec!["a", "bc"]),
            ("# one\nb", vec!["b"]),
            ("name=存储 x=\u{1F600}", vec!["name=存储", "x=\u{1F600}"]),
            ("description='it'\\''s'", vec!["description=it's"]),
        ] {
            assert_eq!(texts(line), expected, "{line:?}");
        }
    }

    #[test]
    fn spans_lead_back_to_the_line() {
        let line = "Create name='a \"b'c x=\\é";
        let words = split(line).expect("a complete line");
        assert_eq!(&line[words[1].span.clone()], "name='a \"b'c");
        let at = words[1].text.find('b').expect("there is a b");
        assert_eq!(&line[words[1].span_of(at..at + 1)], "b");
        assert_eq!(&line[words[2].span_from(2)], "é");
        assert_eq!(&line[words[1].span_from(5)], "a \"b'c");
    }

    #[test]
    fn unfinished_lines_are_told_apart() {
        assert_eq!(split("a 'b"), Err(LexError::OpenQuote { at: 2 }));
        assert_eq!(split("a b\\"), Err(LexError::Unfinished { at: 3 }));
        let lexed = lex("a \"b c");
        assert_eq!(lexed.open_quote, Some((Quote::Double, 2)));
        assert_eq!(lexed.words[1].text, "b c");
        assert!(lexed.is_incomplete());
        assert!(lex("a \\").is_incomplete());
        assert!(!lex("a # '").is_incomplete());
        assert_eq!(lex_with_comments("a # b").words.len(), 3);
    }

    #[test]
    fn quoted_words_split_back_to_themselves() {
        for word in ["", "a", "a b", "it's", "name=it's #1", "#x", "x=$HOME", "a\\b", "n=\n", "=", "a b=c"] {
            assert_eq!(texts(&quote_word(word)), [word], "{word:?}");
        }
        assert_eq!(quote_word("name=a b"), "name='a b'");
        assert_eq!(quote_word("vmNics.ip~=10.%"), "vmNics.ip~=10.%");
    }
}
