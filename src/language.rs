//! The language of help, hints and questions: English, which is in the code, or Chinese, which is in `zh.txt`.
//!
//! The text file is read when something is said in Chinese, and not before.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

/// English and Chinese, a tab between them; `{}` stands for an inserted part, in the same order in both.
const CHINESE: &str = include_str!("language/zh.txt");

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(CHINESE));

/// A language that the user reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// The language of the code.
    #[default]
    English,
    /// Simplified Chinese.
    Chinese,
}

impl Language {
    /// The language of a locale, such as `zh_CN.UTF-8`: English unless it is Chinese.
    pub fn of_locale(name: &str) -> Language {
        let is_chinese = name.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("zh"));
        if is_chinese { Language::Chinese } else { Language::English }
    }

    /// The one of two texts that is in this language.
    pub fn choose<T>(self, english: T, chinese: T) -> T {
        match self {
            Language::English => english,
            Language::Chinese => chinese,
        }
    }

    /// An English text in this language; unchanged where the text file does not have it. Inserted parts stay as they
    /// are.
    pub fn say(self, english: &str) -> Cow<'_, str> {
        self.translation(english).unwrap_or(Cow::Borrowed(english))
    }

    /// As [`Language::say`], for a question: a space follows it.
    pub(crate) fn ask(self, english: &str) -> String {
        format!("{} ", self.say(english))
    }

    /// As [`Language::say`], for a description in a list.
    pub(crate) fn tell(self, english: Cow<'static, str>) -> Cow<'static, str> {
        self.translation(&english).unwrap_or(english)
    }

    /// As [`Language::say`], for each line of a text without its indentation.
    pub(crate) fn say_lines(self, english: &str) -> String {
        let line = |line: &str| {
            let text = line.trim_start();
            format!("{}{}", &line[..line.len() - text.len()], self.say(text))
        };
        english.split('\n').map(line).collect::<Vec<_>>().join("\n")
    }

    fn translation(self, english: &str) -> Option<Cow<'static, str>> {
        match self {
            Language::English => None,
            Language::Chinese => TABLE.find(english),
        }
    }
}

/// The text file as it is looked up.
struct Table {
    whole: HashMap<&'static str, &'static str>,
    /// Texts with inserted parts, as the parts around these; the most particular one first.
    patterns: Vec<(Vec<&'static str>, &'static str)>,
}

impl Table {
    fn read(text: &'static str) -> Table {
        let mut table = Table { whole: HashMap::new(), patterns: Vec::new() };
        for (english, chinese) in lines(text) {
            if english.contains("{}") {
                table.patterns.push((english.split("{}").collect(), chinese));
            } else {
                table.whole.insert(english, chinese);
            }
        }
        table.patterns.sort_by_key(|(pieces, _)| usize::MAX - pieces.iter().map(|piece| piece.len()).sum::<usize>());
        table
    }

    fn find(&self, english: &str) -> Option<Cow<'static, str>> {
        if let Some(chinese) = self.whole.get(english) {
            return Some(Cow::Borrowed(chinese));
        }
        self.patterns.iter().find_map(|(pieces, chinese)| {
            let parts = inserted(pieces, english)?;
            let mut pieces = chinese.split("{}");
            let first = pieces.next().unwrap_or_default().to_owned();
            let filled = pieces.zip(parts).fold(first, |text, (piece, part)| text + part + piece);
            Some(Cow::Owned(filled))
        })
    }
}

/// The entries of the text file.
fn lines(text: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t'))
}

/// What is inserted between the pieces of a text; `None` if it is another text.
fn inserted<'t>(pieces: &[&str], text: &'t str) -> Option<Vec<&'t str>> {
    let (first, rest) = pieces.split_first()?;
    let (last, between) = rest.split_last()?;
    let mut text = text.strip_prefix(first)?.strip_suffix(last)?;
    let mut parts = Vec::with_capacity(rest.len());
    for piece in between {
        let (part, after) = text.split_once(piece)?;
        parts.push(part);
        text = after;
    }
    parts.push(text);
    Some(parts)
}

#[cfg(test)]
mod tests;
