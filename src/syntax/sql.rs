//! Reads SQL as far as needed to know which tables a statement names. SQLite parses it.

use std::borrow::Cow;
use std::ops::Range;

/// The kind of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A keyword or a name without quotes.
    Word,
    /// A name in double quotes, back quotes or square brackets.
    Quoted,
    /// Text in single quotes.
    Text,
    /// A number.
    Number,
    /// A symbol of one character.
    Symbol,
}

/// A word, text or symbol of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'s> {
    /// Its kind.
    pub kind: TokenKind,
    /// The text, including quotes.
    pub text: &'s str,
    /// Its offset in bytes.
    pub at: usize,
}

impl<'s> Token<'s> {
    /// Its range in bytes.
    pub fn span(&self) -> Range<usize> {
        self.at..self.at + self.text.len()
    }

    /// Whether it is that keyword, in any case.
    pub fn is(&self, keyword: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(keyword)
    }

    fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == TokenKind::Symbol && self.text == symbol
    }

    /// The name that it may be, without quotes.
    pub fn name(&self) -> Option<Cow<'s, str>> {
        match self.kind {
            TokenKind::Word => Some(Cow::Borrowed(self.text)),
            TokenKind::Quoted => {
                let mut inner = self.text.chars();
                let (open, _) = (inner.next()?, inner.next_back()?);
                let close = if open == '[' { ']' } else { open };
                Some(Cow::Owned(inner.as_str().replace(&format!("{close}{close}"), &close.to_string())))
            }
            _ => None,
        }
    }
}

/// The tokens of a text, without comments. Text that does not end reaches to the end.
pub fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let (kind, length) = match first {
            _ if rest.starts_with("--") => (None, rest.find('\n').unwrap_or(rest.len())),
            _ if rest.starts_with("/*") => (None, rest.find("*/").map_or(rest.len(), |end| end + 2)),
            '\'' => (Some(TokenKind::Text), quoted(rest, '\'')),
            '"' | '`' => (Some(TokenKind::Quoted), quoted(rest, first)),
            '[' => (Some(TokenKind::Quoted), quoted(rest, ']')),
            '0'..='9' => (Some(TokenKind::Number), word(rest)),
            _ if is_word_char(first) => (Some(TokenKind::Word), word(rest)),
            _ if first.is_whitespace() => (None, first.len_utf8()),
            _ => (Some(TokenKind::Symbol), first.len_utf8()),
        };
        found.extend(kind.map(|kind| Token { kind, text: &rest[..length], at }));
        at += length;
    }
    found
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

fn word(text: &str) -> usize {
    text.find(|c| !is_word_char(c)).unwrap_or(text.len())
}

/// The length of a text with its quotes; a doubled one stands for itself.
fn quoted(text: &str, close: char) -> usize {
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == close && chars.next_if(|(_, next)| *next == close).is_none() {
            return at + c.len_utf8();
        }
    }
    text.len()
}

/// A table that a statement names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableName<'s> {
    /// The name, without quotes.
    pub name: Cow<'s, str>,
    /// What its columns are qualified with: the alias, or the name.
    pub alias: Cow<'s, str>,
    /// The position of the name in bytes.
    pub span: Range<usize>,
}

/// Words behind a table that are no alias.
const AFTER_TABLES: [&str; 20] = [
    "left",
    "right",
    "inner",
    "outer",
    "cross",
    "natural",
    "full",
    "join",
    "on",
    "using",
    "where",
    "group",
    "order",
    "having",
    "limit",
    "union",
    "except",
    "intersect",
    "indexed",
    "window",
];

/// The tables named behind FROM, JOIN and the commas of a FROM clause, without those that WITH defines.
pub fn tables<'s>(tokens: &[Token<'s>]) -> Vec<TableName<'s>> {
    let defined = defined(tokens);
    let mut found: Vec<TableName<'s>> = Vec::new();
    // Whether the text at each depth of parentheses is in a FROM clause.
    let mut clauses = vec![false];
    let mut expected = false;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at += 1;
        let here = clauses.last().copied().unwrap_or_default();
        let before = at.checked_sub(2).map(|before| &tokens[before]);
        if token.is_symbol("(") {
            clauses.push(expected);
        } else if token.is_symbol(")") {
            clauses.pop();
            expected = false;
        } else if token.is_symbol(",") {
            expected = here;
        } else if token.is("join") || (token.is("from") && !before.is_some_and(|word| word.is("distinct"))) {
            clauses.pop();
            clauses.push(true);
            expected = true;
        } else if ["select", "where", "group", "order", "having", "limit", "window", "union", "except", "intersect"]
            .iter()
            .any(|word| token.is(word))
        {
            clauses.pop();
            clauses.push(false);
            expected = false;
        } else if expected && let Some(mut name) = token.name() {
            expected = false;
            let mut span = token.span();
            if tokens.get(at).is_some_and(|next| next.is_symbol("."))
                && let Some(member) = tokens.get(at + 1)
            {
                (name, span) = (member.name().unwrap_or_default(), member.span());
                at += 2;
            }
            // A function that yields a table, or a table of the statement itself.
            let is_call = tokens.get(at).is_some_and(|next| next.is_symbol("("));
            if is_call || defined.iter().any(|defined| defined.eq_ignore_ascii_case(&name)) {
                continue;
            }
            at += usize::from(tokens.get(at).is_some_and(|next| next.is("as")));
            let alias = tokens.get(at).filter(|next| !AFTER_TABLES.iter().any(|word| next.is(word)));
            let alias = alias.and_then(Token::name);
            at += usize::from(alias.is_some());
            found.push(TableName { alias: alias.unwrap_or_else(|| name.clone()), name, span });
        }
    }
    found
}

/// The names that WITH defines: those before `AS (` and `AS MATERIALIZED (`.
fn defined<'s>(tokens: &[Token<'s>]) -> Vec<Cow<'s, str>> {
    let is_with = tokens.iter().any(|token| token.is("with"));
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate().filter(|_| is_with) {
        let mut behind = tokens[at + 1..].iter().skip_while(|next| next.is("not") || next.is("materialized"));
        if !token.is("as") || !behind.next().is_some_and(|next| next.is_symbol("(")) {
            continue;
        }
        let mut before = tokens[..at].iter().rev().peekable();
        if before.peek().is_some_and(|last| last.is_symbol(")")) {
            // The names of its columns.
            let _ = before.by_ref().find(|token| token.is_symbol("("));
        }
        found.extend(before.next().and_then(Token::name));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Vec<String> {
        let tables = tables(&tokens(text));
        tables.iter().map(|table| format!("{} {}", table.name, table.alias)).collect()
    }

    #[test]
    fn tables_are_found_wherever_they_are_named() {
        for (text, expected) in [
            ("select * from host", vec!["host host"]),
            ("select h.name from host h, zone as z where x in (1,2)", vec!["host h", "zone z"]),
            ("SELECT 1 FROM \"vmInstance\" v LEFT JOIN [host] ON f(v.a, v.b) = 1", vec!["vmInstance v", "host host"]),
            ("select (select count(*) from volume where a = b) from main.zone z", vec!["volume volume", "zone z"]),
            (
                "select * from (select uuid from image i) x join (host h, zone) on 1",
                vec!["image i", "host h", "zone zone"],
            ),
            ("select * from vminstance v, json_each(v.vmNics) n", vec!["vminstance v"]),
            (
                "with a as (select * from host), b(x, y) as not materialized (select 1) select * from a, B, zone",
                vec!["host host", "zone zone"],
            ),
            ("select 1 where a is not distinct from b -- from host\n/* from zone */", vec![]),
            ("select 'from host' from zone where name = 'it''s' group by 1", vec!["zone zone"]),
            ("select a from host union all select b from zone order by 1, 2", vec!["host host", "zone zone"]),
            ("select * from", vec![]),
            ("select ) from ( ' \" [", vec![]),
        ] {
            assert_eq!(named(text), expected, "{text}");
        }
    }

    #[test]
    fn tokens_have_places() {
        let text = "select \"a\"\"b\" <= 1.5e3 --x";
        let found: Vec<_> = tokens(text).iter().map(|token| (token.kind, token.text)).collect();
        assert_eq!(found[1], (TokenKind::Quoted, "\"a\"\"b\""));
        assert_eq!(tokens(text)[1].name().as_deref(), Some("a\"b"));
        assert!(tokens(text).iter().all(|token| &text[token.span()] == token.text));
    }
}
