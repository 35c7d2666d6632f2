//! The commands of a line, which `;` separates, and the command within a `let` or an `alias`.

use std::ops::Range;

use super::lexer::{Word, lex};
use super::zql::VERBS;

/// A sign that ends a command's words: a pipe or a redirection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sign {
    /// `|`, `|!`, `>` or `>>`.
    pub text: &'static str,
    /// Its position in the line, in bytes.
    pub span: Range<usize>,
}

/// A line such as `let NAME = COMMAND` or `alias NAME = LINE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition<'l> {
    /// `let` or `alias`.
    pub keyword: &'l str,
    /// What is before the `=`.
    pub name: &'l str,
    /// The position of the name in the line, in bytes.
    pub name_span: Range<usize>,
    /// What is behind the `=`, without the spaces around it, as a position in the line.
    pub value: Range<usize>,
}

impl Definition<'_> {
    /// Whether it is a `let`.
    pub fn is_let(&self) -> bool {
        self.keyword == "let"
    }
}

/// The positions of a line's commands, in bytes: one more than there are separators, and some may be blank.
///
/// A `;` outside quotes that ends a word separates commands. In a filter one in brackets or quotes, or of a `def`, belongs
/// to it; behind `|!` each belongs to the program unless the name of an API follows. In a ZQL statement it separates
/// statements where the next word begins one.
pub fn commands(line: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    while let Some(end) = end_of_command(&line[start..]) {
        found.push(start..start + end);
        start += end + line[start + end..].bytes().take_while(|byte| *byte == b';').count();
    }
    found.push(start..line.len());
    found
}

/// The position of the last command of a line, which is that within a `let` or an `alias`.
pub fn last_command(line: &str) -> Range<usize> {
    command_at(line, line.len())
}

/// The position of the command at a byte of a line, which is that within a `let` or an `alias` behind its `=`.
pub fn command_at(line: &str, at: usize) -> Range<usize> {
    let found = commands(line).into_iter().rev().find(|range| range.start <= at).unwrap_or(0..line.len());
    let inner = definition(&line[found.clone()]).map_or(0, |definition| definition.value.start);
    if found.start + inner <= at { found.start + inner..found.end } else { found }
}

/// The byte of the first `;` that separates commands.
fn end_of_command(text: &str) -> Option<usize> {
    if !text.contains(';') {
        return None;
    }
    let inner = definition(text).map_or(0, |definition| definition.value.start);
    let rest = &text[inner..];
    let lexed = lex(rest);
    let pipe = first_sign(rest).filter(|sign| sign.text.starts_with('|'));
    let is_zql = lexed.words.first().is_some_and(|name| name.text == "zql");
    for (index, word) in lexed.words.iter().enumerate() {
        if let Some(pipe) = pipe.as_ref().filter(|pipe| pipe.span.start == word.span.start) {
            let from = pipe.span.end;
            return end_of_other(&rest[from..], pipe.text == "|").map(|end| inner + from + end);
        }
        let next = lexed.words.get(index + 1);
        let goes_on = is_zql && next.is_some_and(|next| VERBS.contains(&next.text.as_str()));
        if word.ends_command && !goes_on {
            let raw = &rest[word.span.clone()];
            return Some(inner + word.span.start + raw.trim_end_matches(';').len());
        }
    }
    None
}

/// The byte of the first `;` behind a pipe that separates commands.
fn end_of_other(text: &str, is_jq: bool) -> Option<usize> {
    // The closing characters that are due, the innermost last.
    let mut due: Vec<char> = Vec::new();
    let mut definitions = 0usize;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let in_text = matches!(due.last(), Some('"' | '\''));
        match c {
            '\\' if due.last() != Some(&'\'') => {
                if let Some((_, '(')) = chars.next().filter(|_| is_jq && in_text) {
                    due.push(')');
                }
            }
            c if due.last() == Some(&c) => drop(due.pop()),
            _ if in_text => {}
            '"' | '\'' => due.push(c),
            '(' => due.push(')'),
            '[' => due.push(']'),
            '{' => due.push('}'),
            'd' if is_jq && due.is_empty() && is_word(text, at, "def") => definitions += 1,
            ';' if due.is_empty() => {
                let rest = text[at..].trim_start_matches(';');
                if definitions > 0 {
                    definitions -= 1;
                } else if rest.trim().is_empty() || rest.starts_with(char::is_whitespace) && (is_jq || names_api(rest))
                {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// Whether the first word of a text is written as the names of APIs are, and those of programs are not.
fn names_api(text: &str) -> bool {
    let word = text.split_whitespace().next().unwrap_or_default().trim_end_matches(';').as_bytes();
    let is_camel = matches!(word, [first, second, ..] if first.is_ascii_uppercase() && second.is_ascii_lowercase());
    is_camel && word.iter().all(u8::is_ascii_alphanumeric)
}

/// Whether a word of its own stands at that byte.
fn is_word(text: &str, at: usize, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$' || c == '.';
    let Some(rest) = text[at..].strip_prefix(word) else { return false };
    !text[..at].ends_with(is_part) && !rest.starts_with(is_part)
}

/// The first sign of a command that ends its words. A sign begins a word, so that the condition `size>10` and a value
/// with `|` are left alone.
pub fn first_sign(command: &str) -> Option<Sign> {
    let words = lex(command).words;
    let found = |word: &Word| {
        let raw = &command[word.span.clone()];
        let text = ["|!", "|", ">>", ">"].into_iter().find(|sign| raw.starts_with(sign))?;
        Some(Sign { text, span: word.span.start..word.span.start + text.len() })
    };
    if is_bare_statement(&words, command) {
        return None;
    }
    let skipped = if words.first().is_some_and(is_sql_or_zql) { 2 } else { 1 };
    words.iter().skip(skipped).find_map(found)
}

/// Whether words of a line are `sql` or `zql` with a query that is not quoted. SQL and ZQL use `>` between spaces as an
/// operator, so that signs count only behind a quoted query.
pub fn is_bare_statement(words: &[Word], line: &str) -> bool {
    let is_quoted = |query: &Word| line[query.span.clone()].starts_with(['\'', '"']);
    words.first().is_some_and(is_sql_or_zql) && !words.get(1).is_some_and(is_quoted)
}

fn is_sql_or_zql(name: &Word) -> bool {
    ["sql", "zql"].contains(&name.text.as_str())
}

/// Reads a command as a definition; `None` where it is another command, or has no `=`.
pub fn definition(command: &str) -> Option<Definition<'_>> {
    let start = command.len() - command.trim_start().len();
    let keyword = ["let", "alias"].into_iter().find(|keyword| command[start..].starts_with(keyword))?;
    let behind = start + keyword.len();
    let rest = command[behind..].trim_start_matches([' ', '\t']);
    let name_start = command.len() - rest.len();
    let name = &rest[..rest.find(|c: char| c.is_whitespace() || "='\"\\|>;#".contains(c))?];
    let value = rest[name.len()..].trim_start_matches([' ', '\t']).strip_prefix('=')?;
    let from = command.len() - value.trim_start().len();
    (name_start > behind && !name.is_empty()).then(|| Definition {
        keyword: &command[start..behind],
        name,
        name_span: name_start..name_start + name.len(),
        value: from..command.trim_end().len().max(from),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> Vec<&str> {
        commands(line).into_iter().map(|range| &line[range]).collect()
    }

    #[test]
    fn a_semicolon_that_ends_a_word_separates() {
        for (line, expected) in [
            ("QueryZone", &["QueryZone"][..]),
            ("QueryZone; QueryHost name=a;QueryX", &["QueryZone", " QueryHost name=a;QueryX"]),
            ("QueryZone ; QueryHost;", &["QueryZone ", " QueryHost", ""]),
            ("a;; b", &["a", " b"]),
            ("a 'x;' \"y;\" z\\; ';'", &["a 'x;' \"y;\" z\\; ';'"]),
            ("a 'x'; b # c; d", &["a 'x'", " b # c; d"]),
            ("a\\\n b; c", &["a\\\n b", " c"]),
            ("a > f; b >> g; c", &["a > f", " b >> g", " c"]),
            ("a 'open; b", &["a 'open; b"]),
            ("a | limit(3; .[]); b", &["a | limit(3; .[])", " b"]),
            ("a | \"\\(.x | join(\"; \"))\"; b", &["a | \"\\(.x | join(\"; \"))\"", " b"]),
            ("a | def f: .x; .y | f; b", &["a | def f: .x; .y | f", " b"]),
            ("a | .defx; b", &["a | .defx", " b"]),
            ("a |! while read x; do echo; done", &["a |! while read x; do echo; done"]),
            ("a |! (cat; QueryX); QueryZone", &["a |! (cat; QueryX)", " QueryZone"]),
            ("a |! sed 's/x; Query//'; QueryZone | .x; b", &["a |! sed 's/x; Query//'", " QueryZone | .x", " b"]),
            ("a |! X=1; B=2; wc;", &["a |! X=1; B=2; wc", ""]),
            ("zql query zone; count host; QueryZone", &["zql query zone; count host", " QueryZone"]),
            ("zql 'query zone' | .x; b", &["zql 'query zone' | .x", " b"]),
            ("let x = a | f(1; 2); b", &["let x = a | f(1; 2)", " b"]),
            ("let x = zql query zone where a > 1; b", &["let x = zql query zone where a > 1", " b"]),
        ] {
            assert_eq!(split(line), expected, "{line}");
        }
    }

    #[test]
    fn definitions_are_told_from_other_commands() {
        let read = |line: &str| {
            let found = definition(line)?;
            Some(format!("{} {}={}", found.keyword, found.name, &line[found.value.clone()]))
        };
        for (line, expected) in [
            (" let x = QueryZone | .a ", Some("let x=QueryZone | .a")),
            ("let x=QueryZone name=a", Some("let x=QueryZone name=a")),
            ("alias my-vms = 'A; B'", Some("alias my-vms='A; B'")),
            ("let x =", Some("let x=")),
            ("let x", None),
            ("let 'x = y'", None),
            ("letx = y", None),
            ("QueryZone let = x", None),
        ] {
            assert_eq!(read(line).as_deref(), expected, "{line}");
        }
    }
}
