//! The second step of completion: turns the cursor position into ranked candidates.

use std::borrow::Cow;

use crate::catalog::{Api, Inventory, Type};
use crate::cli::{self, Entry, Lookup, Takes};
use crate::json::is_printable;
use crate::syntax::command_at;

use super::candidate::{Candidate, CandidateKind, Completion, Group, Note};
use super::cursor::{self, CursorPlace, Wanted};
use super::rank::{Class, Fit, Pattern};
use super::sources::Sources;
use super::values::{self, Values};
use super::{common, fields, filter, names, own, sql, structure, tags, zql};

/// The largest number of fuzzy matches: more would be noise.
const MOST_FUZZY: usize = 20;

/// What is expected at the cursor, with the catalog entry that describes it.
pub(super) enum Expected<'p> {
    /// Nothing, perhaps with the reason.
    Nothing(Option<Note>),
    /// A command of the program, or an API.
    Command,
    /// A subcommand of this command, or what else may follow it.
    Group(Entry, Box<Expected<'p>>),
    /// A name to look up other than the value of an argument.
    Lookup(Lookup),
    /// A path of the REST API with this HTTP method.
    Path(&'p str),
    /// A key of a context.
    Preferences,
    /// A parameter of an API other than a query.
    Parameter(Box<Api>),
    /// A field at the start of a condition; where `first` is set, also a parameter of queries.
    Condition {
        /// The inventory whose fields can follow; `None` for queries whose rows are not described.
        inventory: Option<Inventory>,
        /// Whether no relation comes before it.
        first: bool,
        /// The path before it in the catalog's spelling; empty where it was typed that way.
        path: String,
    },
    /// An operator for a field of this type.
    Operator(Option<Type>),
    /// Fields for `fields=`, `--columns` and the like.
    Columns {
        /// The inventory that has the fields.
        inventory: Inventory,
        /// The fields that are already in the list.
        given: Vec<&'p str>,
        /// Whether the value is a list.
        several: bool,
        /// Whether relations may follow.
        relations: bool,
    },
    /// Members of the reply in a jq expression.
    Members(filter::Members),
    /// A part of a value of structure, at this place in it.
    Structure(structure::Place),
    /// A system tag, of these patterns.
    Tag(Vec<&'static str>),
    /// A value of an argument.
    Value(Values<'p>),
    /// A file in this folder.
    File(String),
    /// The name of an option.
    Option,
}

/// Returns the candidates for `line` with the cursor at byte `cursor`, best first.
pub fn complete(line: &str, cursor: usize, sources: &Sources<'_>) -> Completion {
    // Only the command at the cursor matters.
    let command = command_at(line, cursor);
    let mut completion =
        in_command(&line[command.clone()], cursor.clamp(command.start, command.end) - command.start, sources);
    completion.span = completion.span.start + command.start..completion.span.end + command.start;
    completion
}

fn in_command(line: &str, cursor: usize, sources: &Sources<'_>) -> Completion {
    let place = cursor::place(line, cursor);
    // Variables of a jq expression are jq's own.
    let is_open = !matches!(place.wanted, Wanted::Nothing | Wanted::Filter);
    let variable = place.variable(line).filter(|_| is_open && !sources.defined.variables.is_empty());
    let (start, expected) = match variable {
        Some(start) => (start, Expected::Lookup(Lookup::Variable)),
        None => expected(&place, sources),
    };
    let typed = &place.word.text[start..];
    let mut found = CandidateList::new(typed);
    let mut note = fill(&expected, &place, sources, &mut found);
    if found.candidates.is_empty() && !typed.is_empty() {
        found.fuzzy = true;
        note = note.or(fill(&expected, &place, sources, &mut found));
    }
    let mut candidates = found.ranked();
    // What describes a value comes from the node, as a rule.
    for candidate in candidates.iter_mut().filter(|candidate| candidate.kind != CandidateKind::Value) {
        candidate.description = sources.language.tell(std::mem::take(&mut candidate.description));
    }
    let (head, quote, span) = place.head(line, start);
    Completion { span, rest: place.rest.clone(), head, quote, typed: typed.to_owned(), candidates, note }
}

/// Returns the byte offset in the word at which the replaced part starts, and what is expected there.
fn expected<'p>(place: &'p CursorPlace, sources: &Sources<'_>) -> (usize, Expected<'p>) {
    let text = place.word.text.as_str();
    match place.wanted {
        Wanted::Nothing => (0, Expected::Nothing(None)),
        Wanted::Option => (0, Expected::Option),
        Wanted::OptionValue(option) => {
            let start = if text.starts_with('-') { text.find('=').map_or(0, |at| at + 1) } else { 0 };
            match option.takes() {
                Takes::Lookup(Lookup::Columns) => fields::of_columns(place, start, true, sources),
                Takes::Lookup(Lookup::Column) => fields::of_columns(place, start, false, sources),
                Takes::Lookup(Lookup::Filter) => filter::expected(place, start, sources.catalog),
                takes => values::of_argument(takes, text, start),
            }
        }
        Wanted::File => values::file(text, 0),
        Wanted::Filter => filter::expected(place, 0, sources.catalog),
        Wanted::Word => match place.name() {
            None => (0, Expected::Command),
            Some("sql") => sql::expected(place, sources.catalog),
            Some("zql") => zql::expected(place, sources.catalog),
            // `login` is the program's command; the API is called `LogIn`.
            Some(name) if own::find(name).is_some() => own_word(place, sources),
            Some(name) => match sources.catalog.api_ignoring_case(name) {
                Some(api) if api.is_query => fields::expected(api, place, sources),
                Some(api) => names::argument(api, place, sources),
                None => (0, Expected::Nothing(None)),
            },
        },
    }
}

/// Returns what is expected in an argument of one of the program's own commands.
fn own_word<'p>(place: &'p CursorPlace, sources: &Sources<'_>) -> (usize, Expected<'p>) {
    let before: Vec<&str> = place.others[..place.index].iter().map(|word| word.text.as_str()).collect();
    let last = before.last().copied().unwrap_or_default();
    let Some(next) = own::next_after(before.iter().copied()) else { return (0, Expected::Nothing(None)) };
    let (start, expected) = match next.takes {
        // After the first topic only subcommands of a command can follow.
        Takes::Lookup(Lookup::ApiOrTopic) if before.len() > 1 => {
            let command = cli::command_called(before[1..].iter().copied());
            (
                0,
                command.map_or(Expected::Nothing(None), |command| {
                    Expected::Group(command, Box::new(Expected::Nothing(None)))
                }),
            )
        }
        Takes::Lookup(Lookup::Resource) => (0, values::of_kind(sources.catalog, last)),
        Takes::Lookup(Lookup::Metric) => (0, values::of_metrics(sources.catalog, before[1], before[3..].to_vec())),
        Takes::Lookup(Lookup::SettingValue) => match before[1..] {
            ["columns"] => {
                let (start, _) = values::last_of_list(&place.word.text, 0);
                (start, Expected::Lookup(Lookup::SettingValue))
            }
            ["columns", _] => fields::of_columns(place, 0, true, sources),
            _ => (0, values::of_setting(last)),
        },
        Takes::Lookup(Lookup::Path) => (0, Expected::Path(last)),
        Takes::Lookup(Lookup::Results) => {
            let (start, _) = values::last_of_list(&place.word.text, 0);
            (start, Expected::Lookup(Lookup::Results))
        }
        Takes::Lookup(Lookup::ContextKeys) => values::of_preference(&place.word.text),
        takes => values::of_argument(takes, &place.word.text, 0),
    };
    match next.is_group {
        // Behind a `/` a path continues, and no command can follow.
        true if start == 0 => (0, Expected::Group(next.command, Box::new(expected))),
        _ => (start, expected),
    }
}

fn fill(
    expected: &Expected<'_>,
    place: &CursorPlace,
    sources: &Sources<'_>,
    found: &mut CandidateList<'_>,
) -> Option<Note> {
    match expected {
        Expected::Nothing(note) => return *note,
        Expected::Command => names::commands(sources, found),
        Expected::Path(verb) => names::paths(verb, sources, found),
        Expected::Preferences => names::preferences(place, found),
        Expected::Group(command, other) => {
            names::commands_below(*command, found);
            return fill(other, place, sources, found);
        }
        Expected::Lookup(lookup) => names::lookup(*lookup, place, sources, found),
        Expected::Parameter(api) => names::parameters(api, place, sources, found),
        Expected::Condition { inventory, first, path } => {
            fields::conditions(inventory.as_ref(), *first, path, (place, sources.catalog), found);
        }
        Expected::Operator(kind) => fields::operators(kind.as_ref(), found),
        Expected::Columns { inventory, given, several, relations } => {
            fields::columns(inventory, given, (*several, *relations), sources.catalog, found)
        }
        Expected::Members(members) => members.fill(found),
        Expected::Structure(place) => return place.fill(sources, found),
        Expected::Tag(patterns) => return tags::fill(patterns, place, sources, found),
        Expected::Value(values) => return values.fill(sources, found),
        Expected::File(folder) => values::files(folder, sources, found),
        Expected::Option => names::options(place, found),
    }
    None
}

/// Collects the candidates that match what was typed.
pub(super) struct CandidateList<'t> {
    pattern: Pattern<'t>,
    /// Whether to accept fuzzy matches, and only these.
    fuzzy: bool,
    /// The candidates. The number is the span of a fuzzy match in bytes, or the length of a related field's name.
    candidates: Vec<(usize, Candidate)>,
}

impl<'t> CandidateList<'t> {
    fn new(typed: &'t str) -> CandidateList<'t> {
        CandidateList { pattern: Pattern::new(typed), fuzzy: false, candidates: Vec::new() }
    }

    /// Returns the text that candidates are matched with.
    pub(super) fn typed(&self) -> &str {
        self.pattern.typed()
    }

    /// Adds a candidate if its label matches; `make` is only called then.
    pub(super) fn offer(&mut self, label: &str, make: impl FnOnce() -> Candidate) {
        self.offer_by(label, None, make);
    }

    /// Adds a candidate if its label or its other name matches.
    pub(super) fn offer_by(&mut self, label: &str, other: Option<&str>, make: impl FnOnce() -> Candidate) {
        let found = if self.fuzzy {
            let spread = |name: &str| self.pattern.fuzzy(name).map(|spread| (spread, Fit::Fuzzy));
            spread(label).or_else(|| other.and_then(spread))
        } else {
            let ours = self.pattern.fit(label);
            let theirs = other.and_then(|name| self.pattern.fit(name));
            ours.into_iter().chain(theirs).min().map(|fit| (0, fit))
        };
        // A label with unprintable characters would act on the terminal when it is inserted, so it is left out.
        if let Some((spread, fit)) = found.filter(|_| is_printable(label)) {
            self.candidates.push((spread, Candidate { fit, ..make() }));
        }
    }

    /// Returns the class of the best match so far.
    pub(super) fn best(&self) -> Option<Class> {
        self.candidates.iter().map(|(_, candidate)| candidate.fit.class()).min()
    }

    /// Adds a field that is only reachable through a relation; lower `spread` comes first.
    pub(super) fn put_related(&mut self, spread: usize, candidate: Candidate) {
        if !self.fuzzy {
            self.candidates.push((spread, Candidate { fit: Fit::Related, ..candidate }));
        }
    }

    /// Adds a candidate with this label if it matches.
    pub(super) fn put(&mut self, label: &'static str, kind: CandidateKind, group: Group, describe: &'static str) {
        self.offer(label, || Candidate::new(label, kind, group).describe(Cow::Borrowed(describe)));
    }

    /// Returns the candidates, best first: by match, then required parameters and common APIs before others, then by
    /// heading, then in the order in which they were added.
    fn ranked(self) -> Vec<Candidate> {
        let mut candidates = self.candidates;
        let nothing_typed = self.pattern.is_empty();
        if candidates.iter().any(|(_, candidate)| candidate.fit.extends()) {
            // Text that is the prefix of a name is not taken for CamelCase initials as well.
            candidates.retain(|(_, candidate)| !matches!(candidate.fit, Fit::Humps | Fit::HumpsLeftOut));
        } else if candidates.iter().any(|(_, candidate)| candidate.fit == Fit::Humps) {
            candidates.retain(|(_, candidate)| candidate.fit != Fit::HumpsLeftOut);
        }
        candidates.sort_by_cached_key(|(spread, candidate)| {
            // When nothing is typed, all candidates match equally well.
            let fit = if nothing_typed { Fit::Prefix } else { candidate.fit };
            let common =
                if candidate.kind == CandidateKind::Api { common::place(&candidate.label) } else { usize::MAX };
            (fit, *spread, !candidate.required, common, candidate.group)
        });
        if self.fuzzy {
            candidates.truncate(MOST_FUZZY);
        }
        candidates.into_iter().map(|(_, candidate)| candidate).collect()
    }
}
