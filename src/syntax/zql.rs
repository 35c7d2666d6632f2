//! Statements of ZQL (M4), read as far as it takes to know what their results hold. The rest is the node's business:
//! what is not understood here is sent as it is.

use std::ops::Range;

/// What statements begin with.
pub const VERBS: [&str; 5] = ["query", "count", "sum", "search", "getapi"];

/// Functions of what a query selects: `query distinct(zone.name)`.
pub const FUNCTIONS: [&str; 4] = ["distinct", "max", "min", "avg"];

/// The words of the language behind a statement's subject.
pub const KEYWORDS: [&str; 29] = [
    "where",
    "and",
    "or",
    "in",
    "not",
    "like",
    "is",
    "null",
    "has",
    "nothas",
    "restrict",
    "filter",
    "group",
    "order",
    "by",
    "asc",
    "desc",
    "groupCount",
    "limit",
    "offset",
    "return",
    "with",
    "total",
    "zwatch",
    "named",
    "as",
    "from",
    "true",
    "false",
];

/// A word, a string or a sign of a statement, and where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'s> {
    /// The text, of a string with its quotes.
    pub text: &'s str,
    /// Its offset in bytes.
    pub at: usize,
}

impl Token<'_> {
    /// Whether it is a word or number.
    pub fn is_word(&self) -> bool {
        self.text.starts_with(is_word_char)
    }

    /// Whether it is text in quotes.
    pub fn is_text(&self) -> bool {
        self.text.starts_with(['\'', '"'])
    }

    /// The bytes that it takes.
    pub fn span(&self) -> Range<usize> {
        self.at..self.at + self.text.len()
    }
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.')
}

/// The tokens of a text. Dots belong to words, and all other signs stand for themselves.
pub fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let length = match first {
            '\'' | '"' => text_length(rest, first),
            first if is_word_char(first) => rest.find(|c| !is_word_char(c)).unwrap_or(rest.len()),
            first => first.len_utf8(),
        };
        if !first.is_whitespace() {
            found.push(Token { text: &rest[..length], at });
        }
        at += length;
    }
    found
}

/// The length of a string with its quotes. A doubled quote ends one and begins another, which comes to the same here.
fn text_length(text: &str, quote: char) -> usize {
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        if c == '\\' {
            chars.next();
        } else if c == quote {
            return at + c.len_utf8();
        }
    }
    text.len()
}

/// What the rows of a result are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rows<'s> {
    /// Whole inventories.
    Whole,
    /// Inventories with these members, whatever else the node adds (R4).
    Members(Vec<&'s str>),
    /// Lists of values, which these are the names of: first what is summed by, then the sums.
    Sums(Vec<&'s str>),
    /// The greatest, least or average values of these members.
    Aggregates(Vec<&'s str>),
    /// Pairs of the values of these members and how many rows have them.
    Groups(Vec<&'s str>),
    /// A number, or what is not known here.
    Other,
}

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement<'s> {
    /// What it begins with.
    pub verb: &'s str,
    /// What it is about, as typed, and where that stands; none for a search.
    pub entity: Option<Token<'s>>,
    /// What its rows are.
    pub rows: Rows<'s>,
    /// What it asks for, with the members: `zone.name`.
    subject: &'s str,
    condition: Option<&'s str>,
    restriction: Option<&'s str>,
}

/// The statements of a text, which semicolons separate.
pub fn statements(text: &str) -> Vec<Statement<'_>> {
    let all = tokens(text);
    all.split(|token| token.text == ";").filter_map(|tokens| statement(text, tokens)).collect()
}

/// What a clause is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Clause {
    Where,
    Restrict,
    Group,
    With,
    /// One that changes nothing about what the rows are.
    Other,
}

/// The clause that begins with these tokens, and how many of them name it.
fn clause(tokens: &[Token<'_>]) -> Option<(Clause, usize)> {
    let word = |index: usize| tokens.get(index).map_or("", |token| token.text);
    Some(match (word(0), word(1)) {
        ("where", _) => (Clause::Where, 1),
        ("restrict", "by") => (Clause::Restrict, 2),
        ("group", "by") => (Clause::Group, 2),
        ("filter" | "order", "by") | ("return", "with") | ("named", "as") => (Clause::Other, 2),
        ("limit" | "offset", _) => (Clause::Other, 1),
        ("with", _) => (Clause::With, 1),
        _ => return None,
    })
}

/// The words of a list `a, b`, which may stand in parentheses.
fn listed<'s>(tokens: &[Token<'s>]) -> Vec<&'s str> {
    tokens.iter().filter(|token| token.is_word()).map(|token| token.text).collect()
}

fn statement<'s>(text: &'s str, tokens: &[Token<'s>]) -> Option<Statement<'s>> {
    let verb = tokens.first().filter(|token| token.is_word())?.text;
    let is = |known: &str| verb.eq_ignore_ascii_case(known);
    let mut found =
        Statement { verb, entity: None, rows: Rows::Other, subject: "", condition: None, restriction: None };
    if !["query", "count", "sum"].into_iter().any(is) {
        return Some(found);
    }
    let mut rest = &tokens[1..];
    let mut function = rest.first().map(|token| token.text).filter(|_| is("query") && rest.len() > 1);
    function = function.filter(|word| FUNCTIONS.contains(word) && clause(&rest[1..]).is_none());
    let behind = &rest[usize::from(function.is_some())..];

    // The subject goes to where the first clause begins.
    let end = clause_start(behind).unwrap_or(behind.len());
    let (subject, clauses) = behind.split_at(end);
    rest = clauses;
    let by = subject.iter().position(|token| token.text == "by").filter(|_| is("sum"));
    let (subject, by) = subject.split_at(by.unwrap_or(subject.len()));
    let mut names = listed(subject);
    let first = subject.iter().find(|token| token.is_word())?;
    let entity = first.text.split('.').next().unwrap_or_default();
    found.entity = Some(Token { text: entity, at: first.at });
    found.subject = span_of(text, subject);
    // Of `zone.name,uuid` the first member stands behind the entity, and others may, too.
    let member = |name: &'s str| name.strip_prefix(entity).and_then(|rest| rest.strip_prefix('.')).unwrap_or(name);
    names = names.into_iter().filter(|name| *name != entity).map(member).collect();

    let mut groups = Vec::new();
    while let Some((kind, length)) = clause(rest) {
        let body = &rest[length..];
        let (body, next) = body.split_at(clause_start(body).unwrap_or(body.len()));
        rest = next;
        match kind {
            Clause::Where => found.condition = Some(span_of(text, body)),
            Clause::Restrict => found.restriction = Some(span_of(text, body)),
            Clause::Group => groups = listed(body),
            Clause::With => {
                function = body.first().map(|token| token.text).filter(|word| FUNCTIONS.contains(word));
                if function.is_some() && names.is_empty() {
                    names = listed(body.get(1..).unwrap_or_default()).into_iter().map(member).collect();
                }
            }
            Clause::Other => {}
        }
    }
    let is_path = names.iter().chain(&groups).any(|name| name.contains('.'));
    found.rows = match function {
        _ if is_path => Rows::Other,
        _ if is("count") && groups.is_empty() => Rows::Other,
        _ if is("count") => Rows::Groups(groups),
        _ if is("sum") => Rows::Sums(by.iter().skip(1).map(|token| token.text).chain(names).collect()),
        Some(function) if function != "distinct" => Rows::Aggregates(names),
        _ if !groups.is_empty() => {
            names.extend(groups.into_iter().filter(|group| !names.contains(group)).collect::<Vec<_>>());
            Rows::Members(names)
        }
        _ if names.is_empty() => Rows::Whole,
        _ => Rows::Members(names),
    };
    Some(found)
}

/// Where the first clause begins outside of parentheses.
fn clause_start(tokens: &[Token<'_>]) -> Option<usize> {
    let mut depth = 0_usize;
    tokens.iter().enumerate().position(|(index, token)| {
        match token.text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && clause(&tokens[index..]).is_some()
    })
}

fn span_of<'s>(text: &'s str, tokens: &[Token<'s>]) -> &'s str {
    match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => &text[first.at..last.span().end],
        _ => "",
    }
}

impl Statement<'_> {
    /// The statement that counts the rows of one group, each of whose members is given as ZQL writes its value, or has
    /// none.
    pub fn count_of<'n>(&self, group: impl IntoIterator<Item = (&'n str, Option<String>)>) -> String {
        let mut wheres: Vec<String> = self.condition.iter().map(|condition| format!("({condition})")).collect();
        wheres.extend(group.into_iter().map(|(name, value)| match value {
            Some(value) => format!("({name} = {value})"),
            None => format!("({name} is null)"),
        }));
        let mut text = format!("count {}", self.subject);
        if !wheres.is_empty() {
            text.push_str(&format!(" where {}", wheres.join(" and ")));
        }
        if let Some(restriction) = self.restriction {
            text.push_str(&format!(" restrict by {restriction}"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_tell_what_their_rows_are() {
        for (text, expected) in [
            ("query zone", Rows::Whole),
            ("query zone where name='a;b.c' limit 1", Rows::Whole),
            ("query zone.name", Rows::Members(vec!["name"])),
            ("query zone.uuid, name where description is null", Rows::Members(vec!["uuid", "name"])),
            ("query distinct (zone.state)", Rows::Members(vec!["state"])),
            ("query distinct vminstance.state where cpuNum > 1", Rows::Members(vec!["state"])),
            ("query zone with distinct(name)", Rows::Members(vec!["name"])),
            ("query vminstance.state with distinct(state)", Rows::Members(vec!["state"])),
            ("query zone.state group by state order by state asc", Rows::Members(vec!["state"])),
            ("query zone group by state, type", Rows::Members(vec!["state", "type"])),
            ("query max(vminstance.cpuNum,memorySize)", Rows::Aggregates(vec!["cpuNum", "memorySize"])),
            ("count zone", Rows::Other),
            ("count vminstance where x=1 group by hostUuid,state limit 1", Rows::Groups(vec!["hostUuid", "state"])),
            (
                "sum vminstance.memorySize,cpuNum by hostUuid where uuid in (query vminstance.uuid where x = 1)",
                Rows::Sums(vec!["hostUuid", "memorySize", "cpuNum"]),
            ),
            ("query vminstance.host.name", Rows::Other),
            ("search 'x' from zone", Rows::Other),
            ("getapi uuid='x'", Rows::Other),
            ("query vm where uuid in (query volume.vmInstanceUuid where x group by y) limit 1", Rows::Whole),
            ("query vm restrict by (zone.uuid='x') return with (total) named as 'query zone.name'", Rows::Whole),
        ] {
            let read = statements(text);
            assert_eq!(read.iter().map(|statement| &statement.rows).collect::<Vec<_>>(), [&expected], "{text}");
        }
        let several = statements("query zone named as 'a;'; count zone;;sum");
        assert_eq!(several.iter().map(|statement| statement.verb).collect::<Vec<_>>(), ["query", "count"]);
        for text in ["", ";", "'", "query", "query '", "query (", "sum by", "query max(", "query é.ü where '\\"] {
            statements(text);
        }
    }

    #[test]
    fn a_group_can_be_counted_by_itself() {
        let text =
            "count vm.uuid where a=1 or b='x' restrict by (zone.uuid='z') group by hostUuid,state limit 1 named as 'n'";
        let group = [("hostUuid", None), ("state", Some("'Running'".to_owned()))];
        assert_eq!(
            statements(text)[0].count_of(group),
            "count vm.uuid where (a=1 or b='x') and (hostUuid is null) and (state = 'Running') restrict by (zone.uuid='z')"
        );
        assert_eq!(statements("count vm group by a")[0].count_of([("a", None)]), "count vm where (a is null)");
    }
}
