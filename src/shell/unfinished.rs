//! Whether a line continues: after an open quote, a backslash at its end, or an open bracket in SQL, ZQL and jq.

use crate::syntax::{Lexed, last_command, lex};

/// Whether more text is needed before the line can be run.
pub(super) fn is_unfinished(line: &str) -> bool {
    let line = &line[last_command(line)];
    let lexed = lex(line);
    lexed.is_incomplete() || bracketed(line, &lexed).is_some_and(has_open_bracket)
}

/// Returns the part of a line in which brackets must be paired: a statement or a jq filter. A value is not one, as
/// a line end within it would split it.
fn bracketed<'l>(line: &'l str, lexed: &Lexed) -> Option<&'l str> {
    let mut words = lexed.words.iter();
    let raw = |start: usize| line.get(start..);
    if let Some(pipe) = words.clone().skip(1).find(|word| raw(word.span.start).is_some_and(|it| it.starts_with('|'))) {
        return raw(pipe.span.start + 1).filter(|rest| !rest.starts_with('!'));
    }
    let name = words.find(|word| !word.text.starts_with('-'))?;
    if ["sql", "zql"].contains(&name.text.as_str()) { raw(name.span.end) } else { None }
}

/// Whether a bracket outside quotes is still open at the end.
fn has_open_bracket(text: &str) -> bool {
    let mut open = 0usize;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (_, '\\') => drop(chars.next()),
            (None, '"' | '\'') => quote = Some(c),
            (Some(mark), c) if mark == c => quote = None,
            (None, '(' | '[' | '{') => open += 1,
            (None, ')' | ']' | '}') => open = open.saturating_sub(1),
            _ => {}
        }
    }
    open > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_backslashes_and_brackets_go_on() {
        for (line, expected) in [
            ("QueryZone", false),
            ("QueryZone; zql query zone where (", true),
            ("let x = QueryZone | .a | f(", true),
            ("QueryZone | (.a; QueryZone", true),
            ("QueryZone name='a", true),
            ("QueryZone \\", true),
            ("zql query zone where (name = x", true),
            ("zql query zone where (name = x)", false),
            ("zql \"query zone where name = '('\"", false),
            ("zql \"query zone where (", true),
            ("QueryZone | {name: .a,", true),
            ("QueryZone | {name: .a}", false),
            ("QueryZone | .a == \"(\"", false),
            ("QueryZone |! grep '('", false),
            ("QueryZone |! (cat", false),
            ("CreateZone name=(", false),
            ("QueryZone name=a)", false),
        ] {
            assert_eq!(is_unfinished(line), expected, "{line}");
        }
    }
}
