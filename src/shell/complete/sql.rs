//! Statements in SQL: tables, columns and keywords.

use std::borrow::Cow;

use crate::catalog::references::listed;
use crate::catalog::{Catalog, Inventory, zql_entity};
use crate::syntax::sql::{TableName, Token, TokenKind, tables, tokens};

use super::cursor::CursorPlace;
use super::engine::Expected;
use super::values;

/// What a statement begins with.
const VERBS: [&str; 3] = ["select", "with", "explain"];

/// Keywords, and functions with their bracket.
const WORDS: [&str; 54] = [
    "from",
    "where",
    "and",
    "or",
    "not",
    "in",
    "like",
    "is",
    "null",
    "between",
    "exists",
    "join",
    "left",
    "on",
    "as",
    "group",
    "having",
    "order",
    "by",
    "asc",
    "desc",
    "limit",
    "offset",
    "distinct",
    "union",
    "all",
    "case",
    "when",
    "then",
    "else",
    "end",
    "select",
    "count(",
    "sum(",
    "avg(",
    "min(",
    "max(",
    "round(",
    "coalesce(",
    "group_concat(",
    "substr(",
    "upper(",
    "json_each(",
    "json_extract(",
    "datetime(",
    "lower(",
    "length(",
    "over(",
    "using(",
    "context",
    // The program's own functions.
    "now()",
    "ago(",
    "size(",
    "ip_number(",
];

/// Returns what is expected in a word of a `sql` line.
pub(super) fn expected<'p>(place: &'p CursorPlace, catalog: Catalog) -> (usize, Expected<'p>) {
    let text = place.word.text.as_str();
    let joined = |words: &[crate::syntax::Word]| words.iter().map(|word| format!("{} ", word.text)).collect::<String>();
    let typed = joined(&place.others[1..place.index]) + text;
    let mut before = tokens(&typed);
    let is_name = |token: &mut Token<'_>| token.span().end == typed.len() && token.kind != TokenKind::Symbol;
    let partial = before.pop_if(is_name);
    if partial.is_some_and(|token| !matches!(token.kind, TokenKind::Word | TokenKind::Quoted)) {
        return (text.len(), Expected::Nothing(None));
    }
    let partial = partial.map_or("", |token| token.text);
    let start = text.len().saturating_sub(partial.len());
    if before.iter().all(|token| token.is("explain")) {
        return (start, offered(VERBS.map(Cow::Borrowed)));
    }
    let place_of_name = typed.len() - partial.len();
    let with_name = format!("{}x", &typed[..place_of_name]);
    if tables(&tokens(&with_name)).iter().any(|table| table.span.start == place_of_name) {
        let mut names: Vec<String> = listed(catalog).into_iter().map(zql_entity).collect();
        names.sort_unstable();
        return (start, offered(names.into_iter().map(Cow::Owned)));
    }
    // Tables may be named behind the cursor.
    let whole = format!("{typed}{} {}", place.rest, joined(&place.others[place.index..]));
    let whole = tokens(&whole);
    let named = tables(&whole);
    let inventory = |table: &TableName<'_>| catalog.inventory(catalog.zql_inventory(&table.name)?);
    let qualifier = match &before[..] {
        [.., name, dot] if dot.text == "." => name.name(),
        _ => None,
    };
    if let Some(qualifier) = qualifier {
        let of = named.iter().filter(|table| table.alias.eq_ignore_ascii_case(&qualifier)).find_map(inventory);
        return (start, offered(of.iter().flat_map(columns)));
    }
    let inventories: Vec<Inventory> = named.iter().filter_map(inventory).collect();
    let aliases = named.iter().map(|table| Cow::Owned(format!("{}.", table.alias)));
    let mut names: Vec<Cow<'static, str>> = inventories.iter().flat_map(columns).chain(aliases).collect();
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    (start, offered(names.into_iter().chain(WORDS.map(Cow::Borrowed))))
}

fn columns(inventory: &Inventory) -> impl Iterator<Item = Cow<'static, str>> {
    inventory.fields.iter().map(|field| Cow::Borrowed(field.name)).collect::<Vec<_>>().into_iter()
}

fn offered<'p>(names: impl IntoIterator<Item = Cow<'static, str>>) -> Expected<'p> {
    values::words(names.into_iter().map(|name| (name, "")).collect())
}
