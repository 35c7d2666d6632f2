//! Conditions: queryable fields, relations, operators, and the fields of `fields=` and `sortBy=`.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::catalog::references::{self, Reference};
use crate::catalog::{
    Api, Catalog, Field, FieldPath, Inventory, QueryParameter, QueryValue, TAG_FIELDS, Type, condition_fields,
};
use crate::syntax::Operator;

use super::candidate::{Candidate, CandidateKind, Group};
use super::cursor::{Argument, CursorPlace, name_length};
use super::engine::{CandidateList, Expected};
use super::names::newer;
use super::nested::Reached;
use super::query::rows;
use super::sources::Sources;
use super::{describe, nested, related, values};

/// Returns what is expected in an argument of a query.
pub(super) fn expected<'p>(api: Api, place: &'p CursorPlace, sources: &Sources<'_>) -> (usize, Expected<'p>) {
    let catalog = sources.catalog;
    let text = place.word.text.as_str();
    let arguments: Vec<Argument<'p>> = place.arguments().collect();
    let rows = || rows(catalog, &api, arguments.iter().copied());

    if let Some(argument) = Argument::split(text) {
        if argument.operator == Operator::Equal
            && let Some(parameter) = QueryParameter::from_name(argument.name)
        {
            return query_value(parameter, text, argument, rows(), catalog);
        }
        return condition_value(&api, text, argument, rows(), sources);
    }

    let length = name_length(text);
    if length < text.len() {
        let kind = rows().and_then(|rows| match catalog.field_path(&rows, &text[..length]) {
            Ok(FieldPath::Field { field, .. }) => Some(field.kind),
            _ => None,
        });
        return (length, Expected::Operator(kind));
    }
    let Some((path, _)) = text.rsplit_once('.') else {
        return (0, Expected::Condition { inventory: rows(), first: true, path: String::new() });
    };
    let mut inventory = rows();
    let mut written = String::with_capacity(path.len() + 1);
    for name in path.split('.') {
        let Some(here) = inventory else { return (path.len() + 1, Expected::Nothing(None)) };
        let name = as_written(&here, name);
        inventory = catalog.follow(&here, name).flatten();
        written.push_str(name);
        written.push('.');
    }
    let Some(inventory) = inventory else { return (path.len() + 1, Expected::Nothing(None)) };
    // A path typed in another case is corrected together with what follows it.
    let (start, path) = match text.starts_with(&written) {
        true => (path.len() + 1, String::new()),
        false => (0, written),
    };
    (start, Expected::Condition { inventory: Some(inventory), first: false, path })
}

/// Returns the name of a relation or alias in the catalog's spelling: an exact match, or else one that differs only in
/// case.
fn as_written<'n>(inventory: &Inventory, name: &'n str) -> &'n str {
    let mut known = inventory.expanded.keys().chain(inventory.aliases.keys());
    match known.clone().any(|known| *known == name) {
        true => name,
        false => known.find(|known| known.eq_ignore_ascii_case(name)).copied().unwrap_or(name),
    }
}

/// Returns what is expected as the value of `count=`, `fields=` and similar parameters.
fn query_value<'p>(
    parameter: QueryParameter,
    text: &'p str,
    argument: Argument<'p>,
    rows: Option<Inventory>,
    catalog: Catalog,
) -> (usize, Expected<'p>) {
    let start = argument.value_start;
    let several = match parameter.value() {
        QueryValue::Any => return (start, Expected::Nothing(None)),
        QueryValue::OneOf(values) => return (start, values::fixed(values)),
        QueryValue::Field => false,
        QueryValue::Fields => true,
    };
    let (mut start, given) = if several { values::last_of_list(text, start) } else { (start, Vec::new()) };
    // As in the original CLI, `sortBy=-name` is accepted.
    if parameter == QueryParameter::SortBy && text[start..].starts_with(['-', '+']) {
        start += 1;
    }
    let rows = rows.map(|inventory| Reached { start, inventory, relations: false });
    let rows = if several { rows.and_then(|rows| nested::descend(catalog, text, rows)) } else { rows };
    match rows {
        Some(Reached { start: last, mut inventory, relations }) => {
            let given = nested::given_below(&text[start..last], given);
            let fields = std::mem::take(&mut inventory.fields);
            inventory.fields = fields.into_iter().filter(|field| parameter.takes_field(&inventory, field)).collect();
            (last, Expected::Columns { inventory, given, several, relations })
        }
        None => (start, Expected::Nothing(None)),
    }
}

/// Returns what is expected as the value of `--columns` and `--sort-by`, which starts at byte `start` of the word.
pub(super) fn of_columns<'p>(
    place: &'p CursorPlace,
    start: usize,
    several: bool,
    sources: &Sources<'_>,
) -> (usize, Expected<'p>) {
    let text = place.word.text.as_str();
    // Behind `set columns` the query follows other words.
    let api = place.others.iter().find_map(|name| sources.catalog.api_ignoring_case(&name.text));
    let arguments: Vec<Argument<'p>> = place.arguments().collect();
    let Some(inventory) = api.and_then(|api| rows(sources.catalog, &api, arguments.iter().copied())) else {
        return (start, Expected::Nothing(None));
    };
    let (mut start, given) = if several { values::last_of_list(text, start) } else { (start, Vec::new()) };
    // Skips a title, a `+` that adds the column, and a `-` that reverses the order.
    start = text[start..].find('=').map_or(start, |at| start + at + 1);
    if text[start..].starts_with(if several { '+' } else { '-' }) {
        start += 1;
    }
    match nested::descend(sources.catalog, text, Reached { start, inventory, relations: true }) {
        Some(Reached { start: last, inventory, relations }) => {
            let given = nested::given_below(&text[start..last], given);
            (last, Expected::Columns { inventory, given, several, relations })
        }
        None => (start, Expected::Nothing(None)),
    }
}

/// Returns what is expected as the value of a condition.
fn condition_value<'p>(
    api: &Api,
    text: &'p str,
    argument: Argument<'p>,
    rows: Option<Inventory>,
    sources: &Sources<'_>,
) -> (usize, Expected<'p>) {
    let catalog = sources.catalog;
    let start = argument.value_start;
    if argument.value.starts_with('@') && !argument.value.starts_with("@@") {
        return values::file(text, start + 1);
    }
    let found = rows.and_then(|rows| catalog.field_path(&rows, argument.name).ok());
    let Some(FieldPath::Field { inventory, field }) = found else {
        return (start, Expected::Nothing(None));
    };
    let several = matches!(argument.operator, Operator::In | Operator::NotIn);
    let (start, given) = if several { values::last_of_list(text, start) } else { (start, Vec::new()) };
    // A pattern with wildcards is not the name of a resource.
    let exact = !matches!(argument.operator, Operator::Like | Operator::NotLike);
    let query = if argument.name.contains('.') { None } else { Some(api.name) };
    let reference = references::of_field(catalog, &inventory, &field, query)
        .filter(|reference: &Reference| exact || (reference.by_name && !argument.value.contains('%')));
    (start, values::of_field(catalog, &inventory, &field, reference, given, several))
}

/// Offers the fields that a condition may start with, and the parameters of queries. `path` is put before each field.
pub(super) fn conditions(
    inventory: Option<&Inventory>,
    first: bool,
    path: &str,
    (place, catalog): (&CursorPlace, Catalog),
    found: &mut CandidateList<'_>,
) {
    let whole = |name: &'static str| match path {
        "" => Cow::Borrowed(name),
        path => Cow::Owned(format!("{path}{name}")),
    };
    if let Some(inventory) = inventory {
        for field in condition_fields(inventory) {
            let label = whole(field.name);
            found.offer(&label.clone(), || {
                Candidate::new(label, CandidateKind::Field, Group::Conditions)
                    .describe(describe(field, catalog))
                    .open("=")
            });
        }
        let typed = found.typed().rsplit('.').next().unwrap_or_default().to_owned();
        if let Some(field) = condition_fields(inventory).find(|field| field.name == typed) {
            whole_operators(field, path, found);
        }
    }
    for name in TAG_FIELDS.into_iter().filter(|name| inventory.is_none_or(|inventory| !inventory.is_broken(name))) {
        let label = whole(name);
        found.offer(&label.clone(), || {
            Candidate::new(label, CandidateKind::Field, Group::Conditions).describe("tag of the resource").open("=")
        });
    }
    if let Some(inventory) = inventory {
        for (name, target, since) in inventory.relations() {
            let label = whole(name);
            found.offer(&label.clone(), || {
                let describe = newer(describe::relation(target), since, catalog);
                Candidate::new(label, CandidateKind::Expanded, Group::Expanded).describe(describe).open(".")
            });
        }
    }
    if first {
        let given: HashSet<&str> = place.arguments().map(|argument| argument.name).collect();
        let missing = |parameter: &QueryParameter| !given.contains(parameter.name()) && parameter.is_taken(inventory);
        for parameter in QueryParameter::ALL.into_iter().filter(missing) {
            found.offer(parameter.name(), || {
                let candidate = Candidate::new(parameter.name(), CandidateKind::Param, Group::Parameters);
                candidate.describe(parameter.summary()).open("=")
            });
        }
    }
    if let Some(inventory) = inventory.filter(|_| first) {
        related::offer(inventory, catalog, found);
    }
}

/// Describes a field: its type and, where known, its values.
fn describe(field: &Field, catalog: Catalog) -> Cow<'static, str> {
    let values = match field.values.is_empty() {
        true => describe::value(field.name, &field.kind, references::of_name(catalog, field.name)),
        false => field.values.join(" | ").into(),
    };
    newer(values, field.since, catalog)
}

/// Offers the operators after a complete field, except the `=` that is already part of the field's candidate.
fn whole_operators(field: &Field, path: &str, found: &mut CandidateList<'_>) {
    for (typed, meaning) in operators_of(Some(&field.kind)).filter(|(typed, _)| *typed != "=") {
        let label = format!("{path}{}{typed}", field.name);
        found.offer(&label.clone(), || operator(label.into(), typed, meaning));
    }
}

/// Offers the operators that start with what is typed.
pub(super) fn operators(kind: Option<&Type>, found: &mut CandidateList<'_>) {
    for (typed, meaning) in operators_of(kind) {
        if typed.starts_with(found.typed()) {
            found.offer(typed, || operator(typed.into(), typed, meaning));
        }
    }
}

fn operator(label: Cow<'static, str>, typed: &str, meaning: &'static str) -> Candidate {
    let candidate = Candidate::new(label, CandidateKind::Operator, Group::Operators).describe(meaning);
    if typed.ends_with("null") { candidate } else { candidate.open("") }
}

/// Returns the operators that make sense for a type, with their meanings, the most likely first.
fn operators_of(kind: Option<&Type>) -> impl Iterator<Item = (&'static str, &'static str)> {
    const ALL: [(&str, &str); 12] = [
        ("=", "is"),
        ("!=", "is not"),
        ("~=", "is like; % any characters, _ one"),
        ("!~=", "is not like"),
        ("?=", "is one of a,b"),
        ("!?=", "is none of a,b"),
        (">", "is greater than"),
        (">=", "is at least"),
        ("<", "is less than"),
        ("<=", "is at most"),
        ("=null", "is not set"),
        ("!=null", "is set"),
    ];
    let is_bool = kind == Some(&Type::Bool);
    ALL.into_iter().filter(move |(typed, _)| !is_bool || matches!(*typed, "=" | "!=" | "=null" | "!=null"))
}

/// Offers the fields of an inventory for `fields=`, without those that are already in the list.
pub(super) fn columns(
    inventory: &Inventory,
    given: &[&str],
    (several, relations): (bool, bool),
    catalog: Catalog,
    found: &mut CandidateList<'_>,
) {
    for field in inventory.fields.iter().filter(|field| !given.contains(&field.name)) {
        found.offer(field.name, || {
            let candidate =
                Candidate::new(field.name, CandidateKind::Field, Group::Conditions).describe(describe(field, catalog));
            if several { candidate.open(",") } else { candidate }
        });
    }
    if several || relations {
        nested::offer(inventory, relations, found);
    }
}
