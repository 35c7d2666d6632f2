//! Members of the reply in a jq expression: `QueryZone | .inventories[].na`.

use std::borrow::Cow;

use crate::catalog::{Api, Catalog, Field, Inventory, Type};

use super::candidate::{Candidate, CandidateKind, Group};
use super::cursor::{Argument, CursorPlace};
use super::describe;
use super::engine::{CandidateList, Expected};
use super::query::rows;

/// The functions of jq whose argument is about each item of a list.
const OF_ITEMS: [&str; 6] = ["map", "sort_by", "group_by", "unique_by", "min_by", "max_by"];

/// A value in the reply, as far as its members are known.
enum Known {
    /// The reply: the names of its members and what they hold.
    Reply(Vec<(&'static str, Known)>),
    List(Box<Known>),
    Record(Box<Inventory>),
    Scalar,
}

/// The members that may follow at the end of an expression.
pub(super) struct Members {
    known: Known,
    /// What stands before the name of the first one: the point, where none is typed.
    point: &'static str,
}

/// Returns what is expected at the end of the jq expression that starts at byte `start` of the word.
pub(super) fn expected<'p>(place: &CursorPlace, start: usize, catalog: Catalog) -> (usize, Expected<'p>) {
    match at_end(&place.word.text[start..], place, catalog) {
        Some((at, members)) => (start + at, Expected::Members(members)),
        None => (start, Expected::Nothing(None)),
    }
}

/// Returns the byte at which the last name of an expression starts, and the members that it may be.
fn at_end(expression: &str, place: &CursorPlace, catalog: Catalog) -> Option<(usize, Members)> {
    let api = catalog.api_ignoring_case(&place.others.first()?.text)?;
    let arguments: Vec<Argument<'_>> = place.arguments().collect();
    let mut known = reply(&api, arguments.iter().copied(), catalog)?;
    let (before, last) = expression.rsplit_once('|').unwrap_or(("", expression));
    for step in before.split('|').map(|step| step.trim().trim_start_matches(['[', '(', ' '])) {
        let path = path_at_end(step).filter(|path| path.len() == step.len());
        known = follow(known, path.or_else(|| passed_on(step))?, catalog)?;
    }
    if last.trim().is_empty() {
        return Some((expression.len(), Members { known, point: "." }));
    }
    let path = path_at_end(last)?;
    let mut open: Vec<&str> = Vec::new();
    let outside = &last[..last.len() - path.len()];
    for (at, sign) in outside.char_indices().filter(|(_, c)| "()".contains(*c)) {
        match sign {
            '(' => open.push(outside[..at].trim_end()),
            _ => drop(open.pop()),
        }
    }
    for _ in open.iter().filter(|name| OF_ITEMS.iter().any(|function| name.ends_with(function))) {
        known = follow(known, ".[]", catalog)?;
    }
    let point = path.rfind('.')?;
    let known = follow(known, &path[..point], catalog)?;
    Some((expression.len() - path.len() + point + 1, Members { known, point: "" }))
}

/// The path that an expression ends with: `.inventories[].name`.
fn path_at_end(expression: &str) -> Option<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_.[]".contains(c);
    let start = expression.rfind(|c| !is_part(c)).map_or(0, |at| at + 1);
    let path = expression.get(start..)?.trim_start_matches('[');
    (path.starts_with('.') || path.is_empty() && expression.is_empty()).then_some(path)
}

/// The path of a step that hands on what it is given: `select(...)`.
fn passed_on(step: &str) -> Option<&'static str> {
    (step.starts_with("select(") && step.ends_with(')')).then_some(".")
}

/// What an API answers.
fn reply<'w>(api: &Api, arguments: impl Iterator<Item = Argument<'w>> + Clone, catalog: Catalog) -> Option<Known> {
    let members = match api.is_query {
        true => {
            let rows = Known::Record(Box::new(rows(catalog, api, arguments)?));
            vec![("inventories", Known::List(Box::new(rows))), ("total", Known::Scalar)]
        }
        false => {
            let members = api.result.iter();
            members.map(|member| (member.name, of_type(&Type::parse(member.type_name), catalog))).collect()
        }
    };
    Some(Known::Reply(members))
}

/// What a value of a type holds.
fn of_type(kind: &Type, catalog: Catalog) -> Known {
    match kind {
        Type::List(element) => {
            let item = element.as_ref().map_or(Known::Scalar, |element| of_type(element, catalog));
            Known::List(Box::new(item))
        }
        Type::Named(name) => {
            catalog.inventory(name).map_or(Known::Scalar, |inventory| Known::Record(Box::new(inventory)))
        }
        _ => Known::Scalar,
    }
}

/// Follows a path of members and brackets, which choose items of a list.
fn follow(mut known: Known, path: &str, catalog: Catalog) -> Option<Known> {
    for part in path.split('.') {
        let (name, brackets) = part.split_at(part.find('[').unwrap_or(part.len()));
        known = match known {
            known if name.is_empty() => known,
            Known::Reply(members) => members.into_iter().find(|(member, _)| *member == name)?.1,
            Known::Record(inventory) => of_type(&inventory.field(name)?.kind, catalog),
            Known::List(_) | Known::Scalar => return None,
        };
        for _ in brackets.matches('[') {
            let Known::List(item) = known else { return None };
            known = *item;
        }
    }
    Some(known)
}

impl Members {
    /// Adds the members.
    pub(super) fn fill(&self, found: &mut CandidateList<'_>) {
        match &self.known {
            Known::Reply(members) => {
                for (name, known) in members {
                    self.offer(name, matches!(known, Known::List(_)), "member of the reply".into(), found);
                }
            }
            Known::Record(inventory) => {
                for Field { name, kind, .. } in &inventory.fields {
                    self.offer(name, matches!(kind, Type::List(_)), describe::value(name, kind, None), found);
                }
            }
            Known::List(_) | Known::Scalar => {}
        }
    }

    fn offer(&self, name: &'static str, is_list: bool, told: Cow<'static, str>, found: &mut CandidateList<'_>) {
        let label = if self.point.is_empty() { name.into() } else { Cow::Owned(format!("{}{name}", self.point)) };
        found.offer(&label.clone(), || {
            let candidate = Candidate::new(label, CandidateKind::Field, Group::Conditions).describe(told);
            candidate.open(if is_list { "[]" } else { "" })
        });
    }
}
