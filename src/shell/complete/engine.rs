//! From the cursor's place to ranked candidates.

use std::borrow::Cow;

use crate::catalog::{Api, Inventory, Type};
use crate::cli::{self, Entry, Lookup, Takes};
use crate::json::is_printable;

use super::candidate::{Candidate, CandidateKind, Completion, Group, Note};
use super::cursor::{self, CursorPlace, Wanted};
use super::rank::{Class, Fit, Pattern};
use super::sources::Sources;
use super::values::{self, Values};
use super::{common, fields, names, own, zql};

/// The most candidates that only fit fuzzily: more are noise.
const MOST_FUZZY: usize = 20;

/// What to fill in: the wanted kind of thing with what the catalog says about it.
pub(super) enum Expected<'p> {
    /// Nothing, perhaps for a reason worth telling.
    Nothing(Option<Note>),
    /// An own command or an API.
    Command,
    /// A command below this one, and what else may stand there.
    Group(Entry, Box<Expected<'p>>),
    /// Something to look up that is no value of an argument.
    Lookup(Lookup),
    /// A path of the catalog with this verb.
    Path(&'p str),
    /// A key of a context.
    Preferences,
    /// A parameter of an API that is no query.
    Parameter(Box<Api>),
    /// A field to begin a condition with; query parameters too where `first` is set.
    Condition {
        /// The inventory whose fields can follow; unknown for some queries.
        inventory: Option<Inventory>,
        /// Whether no expanded field stands before.
        first: bool,
        /// The path before it, where it is not typed as the catalog writes it; it is put right.
        path: String,
    },
    /// An operator for this field's type.
    Operator(Option<Type>),
    /// Fields for `fields=` and the like.
    Columns {
        /// The inventory whose fields they are.
        inventory: Inventory,
        /// The fields typed before.
        given: Vec<&'p str>,
        /// Whether several may be given.
        several: bool,
    },
    /// A value.
    Value(Values<'p>),
    /// A file in this folder.
    File(String),
    /// The name of an option.
    Option,
}

/// Says what could stand at `cursor` (in bytes) of `line`, best first.
pub fn complete(line: &str, cursor: usize, sources: &Sources<'_>) -> Completion {
    let place = cursor::place(line, cursor);
    let (start, expected) = expected(&place, sources);
    let typed = &place.word.text[start..];
    let mut found = CandidateList::new(typed);
    let mut note = fill(&expected, &place, sources, &mut found);
    if found.candidates.is_empty() && !typed.is_empty() {
        found.fuzzy = true;
        note = note.or(fill(&expected, &place, sources, &mut found));
    }
    let candidates = found.ranked();
    let (head, quote, span) = place.head(line, start);
    Completion { span, rest: place.rest.clone(), head, quote, typed: typed.to_owned(), candidates, note }
}

/// Where in the word the part begins that candidates replace, and what is expected there.
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
                takes => values::of_argument(takes, text, start),
            }
        }
        Wanted::File => values::file(text, 0),
        Wanted::Word => match place.name() {
            None => (0, Expected::Command),
            Some("zql") => zql::expected(place, sources.catalog),
            // `login` is the command; the API is called LogIn.
            Some(name) if own::find(name).is_some() => own_word(place),
            Some(name) => match sources.catalog.api_ignoring_case(name) {
                Some(api) if api.is_query => fields::expected(api, place, sources),
                Some(api) => names::argument(api, place, sources),
                None => (0, Expected::Nothing(None)),
            },
        },
    }
}

/// What is expected in a word of an own command.
fn own_word(place: &CursorPlace) -> (usize, Expected<'_>) {
    let before: Vec<&str> = place.others[..place.index].iter().map(|word| word.text.as_str()).collect();
    let last = before.last().copied().unwrap_or_default();
    let Some(next) = own::next_after(before.iter().copied()) else { return (0, Expected::Nothing(None)) };
    let (start, expected) = match next.takes {
        // Behind the first subject only the words of a command go on.
        Takes::Lookup(Lookup::ApiOrTopic) if before.len() > 1 => {
            let command = cli::command_called(before[1..].iter().copied());
            (
                0,
                command.map_or(Expected::Nothing(None), |command| {
                    Expected::Group(command, Box::new(Expected::Nothing(None)))
                }),
            )
        }
        Takes::Lookup(Lookup::SettingValue) => (0, values::of_setting(last)),
        Takes::Lookup(Lookup::Path) => (0, Expected::Path(last)),
        Takes::Lookup(Lookup::ContextKeys) => values::of_preference(&place.word.text),
        takes => values::of_argument(takes, &place.word.text, 0),
    };
    match next.is_group {
        // A path goes on behind its last `/`, where no command can stand.
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
        Expected::Lookup(lookup) => names::lookup(*lookup, sources, found),
        Expected::Parameter(api) => names::parameters(api, place, sources.catalog, found),
        Expected::Condition { inventory, first, path } => {
            fields::conditions(inventory.as_ref(), *first, path, (place, sources.catalog), found);
        }
        Expected::Operator(kind) => fields::operators(kind.as_ref(), found),
        Expected::Columns { inventory, given, several } => {
            fields::columns(inventory, given, *several, sources.catalog, found)
        }
        Expected::Value(values) => return values.fill(sources, found),
        Expected::File(folder) => values::files(folder, sources, found),
        Expected::Option => names::options(place, found),
    }
    None
}

/// Where candidates are put while they are found: those that fit what was typed stay.
pub(super) struct CandidateList<'t> {
    pattern: Pattern<'t>,
    /// Whether fuzzy fits are taken, and no other.
    fuzzy: bool,
    /// The candidates and, for fuzzy ones, over how many bytes the fit spreads.
    candidates: Vec<(usize, Candidate)>,
}

impl<'t> CandidateList<'t> {
    fn new(typed: &'t str) -> CandidateList<'t> {
        CandidateList { pattern: Pattern::new(typed), fuzzy: false, candidates: Vec::new() }
    }

    /// What the candidates are compared with.
    pub(super) fn typed(&self) -> &str {
        self.pattern.typed()
    }

    /// Takes a candidate if its label fits; `make` is only called then.
    pub(super) fn offer(&mut self, label: &str, make: impl FnOnce() -> Candidate) {
        self.offer_by(label, None, make);
    }

    /// Takes a candidate if its label or another name of it fits.
    pub(super) fn offer_by(&mut self, label: &str, other: Option<&str>, make: impl FnOnce() -> Candidate) {
        let found = if self.fuzzy {
            let spread = |name: &str| self.pattern.fuzzy(name).map(|spread| (spread, Fit::Fuzzy));
            spread(label).or_else(|| other.and_then(spread))
        } else {
            let ours = self.pattern.fit(label);
            let theirs = other.and_then(|name| self.pattern.fit(name));
            ours.into_iter().chain(theirs).min().map(|fit| (0, fit))
        };
        // What acts on the terminal does so in the line as well; it cannot be typed, only be looked for otherwise.
        if let Some((spread, fit)) = found.filter(|_| is_printable(label)) {
            self.candidates.push((spread, Candidate { fit, ..make() }));
        }
    }

    /// How the best of the candidates so far fits.
    pub(super) fn best(&self) -> Option<Class> {
        self.candidates.iter().map(|(_, candidate)| candidate.fit.class()).min()
    }

    /// Takes a candidate that only a relation leads to; the least `spread` stands first.
    pub(super) fn put_related(&mut self, spread: usize, candidate: Candidate) {
        if !self.fuzzy {
            self.candidates.push((spread, Candidate { fit: Fit::Related, ..candidate }));
        }
    }

    /// A candidate with this label, when it fits.
    pub(super) fn put(&mut self, label: &'static str, kind: CandidateKind, group: Group, describe: &'static str) {
        self.offer(label, || Candidate::new(label, kind, group).describe(Cow::Borrowed(describe)));
    }

    /// The candidates, best first: by fit, then as they came, required ones and the commonest APIs before others.
    fn ranked(self) -> Vec<Candidate> {
        let mut candidates = self.candidates;
        let nothing_typed = self.pattern.is_empty();
        if candidates.iter().any(|(_, candidate)| candidate.fit.extends()) {
            // Who types a name's beginning is not abbreviating its humps.
            candidates.retain(|(_, candidate)| !matches!(candidate.fit, Fit::Humps | Fit::HumpsLeftOut));
        } else if candidates.iter().any(|(_, candidate)| candidate.fit == Fit::Humps) {
            candidates.retain(|(_, candidate)| candidate.fit != Fit::HumpsLeftOut);
        }
        candidates.sort_by_cached_key(|(spread, candidate)| {
            // Without anything typed all fit alike.
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
