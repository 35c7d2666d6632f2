//! ZQL statements: verbs, entities, members and keywords.

use std::borrow::Cow;

use crate::catalog::{Catalog, Inventory};
use crate::syntax::zql;

use super::cursor::CursorPlace;
use super::engine::Expected;
use super::values;

/// Words after which a member is expected.
const BEFORE_MEMBERS: [&str; 5] = ["where", "and", "or", "by", ","];

/// Returns what is expected in a word of a `zql` line.
pub(super) fn expected<'p>(place: &'p CursorPlace, catalog: Catalog) -> (usize, Expected<'p>) {
    let text = place.word.text.as_str();
    let mut typed: String = place.others[1..place.index].iter().map(|word| format!("{} ", word.text)).collect();
    typed.push_str(text);
    let mut tokens = zql::tokens(&typed);
    let unfinished = tokens.pop_if(|token| token.span().end == typed.len() && (token.is_word() || token.is_text()));
    if unfinished.is_some_and(|token| token.is_text()) {
        return (text.len(), Expected::Nothing(None));
    }
    let partial = unfinished.map_or("", |token| token.text);
    let begin = tokens.iter().rposition(|token| token.text == ";").map_or(0, |at| at + 1);
    let tokens = &tokens[begin..];
    let start = text.len().saturating_sub(partial.len());
    let words: Vec<&str> = tokens.iter().map(|token| token.text).collect();
    let is_rows = words.first().is_some_and(|verb| ["query", "count", "sum"].contains(verb));
    let is_subject = match words[..] {
        [_] => true,
        [_, function] => zql::FUNCTIONS.contains(&function),
        [_, function, "("] => zql::FUNCTIONS.contains(&function),
        _ => false,
    };
    if words.is_empty() {
        return (start, values::words(zql::VERBS.map(|verb| (Cow::Borrowed(verb), "")).to_vec()));
    }
    if is_rows && is_subject {
        return match partial.split_once('.') {
            Some((entity, member)) => {
                let inventory = catalog.zql_inventory(entity).and_then(|name| catalog.inventory(name));
                let offered = inventory.map(|inventory| members(&inventory)).unwrap_or_default();
                (text.len().saturating_sub(member.len()), values::words(offered))
            }
            None => (start, values::words(subjects(words[..] == ["query"], catalog))),
        };
    }
    let about =
        tokens.first().and_then(|first| zql::statements(&typed[first.at..]).pop()).and_then(|found| found.entity);
    let inventory = about.and_then(|entity| catalog.inventory(catalog.zql_inventory(entity.text)?));
    let last = words.last().copied().unwrap_or_default();
    let opens = last == "(" && words.iter().rev().nth(1).is_some_and(|before| BEFORE_MEMBERS.contains(before));
    match inventory {
        Some(inventory) if opens || BEFORE_MEMBERS.contains(&last) => {
            let (path, member) = partial.rsplit_once('.').unwrap_or(("", partial));
            let relations = path.split('.').filter(|name| !name.is_empty());
            let target = relations.into_iter().try_fold(inventory, |here, name| catalog.follow(&here, name).flatten());
            let offered = target.map(|target| conditions(&target)).unwrap_or_default();
            (text.len().saturating_sub(member.len()), values::words(offered))
        }
        _ => (start, values::words(zql::KEYWORDS.map(|word| (Cow::Borrowed(word), "")).to_vec())),
    }
}

type Offered = Vec<(Cow<'static, str>, &'static str)>;

/// Returns the entities that a statement can query.
fn subjects(with_functions: bool, catalog: Catalog) -> Offered {
    let mut names: Vec<String> = catalog.zql_entities().collect();
    names.sort_unstable();
    if with_functions {
        names.extend(zql::FUNCTIONS.map(|function| format!("{function}(")));
    }
    names.into_iter().map(|name| (Cow::Owned(name), "")).collect()
}

/// Returns the members that a statement can select.
fn members(inventory: &Inventory) -> Offered {
    let selectable = inventory.comparable().filter(|field| !inventory.unselectable.contains(&field.name));
    selectable.map(|field| (Cow::Borrowed(field.name), "")).collect()
}

/// Returns the members with which a condition can start.
fn conditions(inventory: &Inventory) -> Offered {
    let fields = inventory.comparable().map(|field| (Cow::Borrowed(field.name), ""));
    let relations = inventory.relations().map(|(name, target, _)| (Cow::Owned(format!("{name}.")), target));
    let tags = crate::catalog::TAG_FIELDS.into_iter().filter(|name| !inventory.is_broken(name));
    fields.chain(relations).chain(tags.map(|name| (Cow::Borrowed(name), ""))).collect()
}
