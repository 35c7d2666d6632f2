//! Values: enums, states and types, booleans, resources of the node, files.

use std::borrow::Cow;

use crate::catalog::references::{self, Reference};
use crate::catalog::{Catalog, Field, Inventory, Parameter, Type};
use crate::cli::{Lookup, Takes};
use crate::config::Setting;
use crate::render::Format;
use crate::syntax::join_list;

use super::candidate::{Candidate, CandidateKind, Group, Note};
use super::engine::{CandidateList, Expected};
use super::sources::{Fitting, Live, Sources};
use crate::secret::member_is_secret;

/// A value known without the node, and its meaning.
type FixedValue = (Cow<'static, str>, Cow<'static, str>);

/// The values that are allowed in one place.
#[derive(Default)]
pub(super) struct Values<'p> {
    /// Values known without the node.
    fixed: Vec<FixedValue>,
    /// The resources to which the value can refer.
    reference: Option<Reference>,
    /// What narrows those resources down to the ones that fit.
    fitting: Option<Fitting>,
    /// The query and the field whose distinct values on the node are offered.
    distinct: Option<(&'static str, &'static str)>,
    /// The inventory whose metrics are offered.
    metrics: Option<&'static str>,
    /// Whether the value is the name of a context.
    context: bool,
    /// The members of the list that are already typed.
    given: Vec<&'p str>,
    /// Whether the value is a list, so that more members may follow.
    several: bool,
}

impl Values<'_> {
    /// Adds the values to the candidates. The returned note says why some may be missing.
    pub(super) fn fill(&self, sources: &Sources<'_>, found: &mut CandidateList<'_>) -> Option<Note> {
        for (value, description) in self.fixed.iter().filter(|(value, _)| !self.given.contains(&value.as_ref())) {
            found.offer(value, || {
                let candidate = Candidate::new(value.clone(), CandidateKind::Value, Group::Values);
                self.finished(candidate.describe(sources.language.tell(description.clone())))
            });
        }
        if self.context {
            for context in sources.contexts {
                found.offer(context, || Candidate::new(context.clone(), CandidateKind::Value, Group::Values));
            }
        }
        if let Some((query, field)) = self.distinct {
            return self.fill_distinct(sources.live.values(query, field), found);
        }
        if let Some(inventory) = self.metrics {
            return self.fill_distinct(sources.live.metrics(inventory), found);
        }
        let reference = self.reference?;
        let fits = self.fitting.as_ref().map(|fitting| {
            let fitting = sources.live.fitting(reference.query, fitting, found.typed());
            self.fill_resources(fitting, reference, found)
        });
        match fits {
            Some(None) if found.best().is_some() => return Some(Note::Fitting),
            Some(Some(note @ (Note::Fetching | Note::More))) => return Some(note),
            _ => {}
        }
        // What was typed may name a resource that does not fit.
        let all = self.fill_resources(sources.live.lookup(reference.query, found.typed()), reference, found);
        all.or_else(|| fits.filter(|note| note.is_none() && found.best().is_some()).map(|_| Note::NothingFits))
    }

    /// Adds the node's resources.
    fn fill_resources(&self, resources: Live, reference: Reference, found: &mut CandidateList<'_>) -> Option<Note> {
        let (mut values, note) = match resources {
            Live::Ready(values) => (values, None),
            Live::Part(values) => (values, Some(Note::More)),
            Live::Pending => return Some(Note::Fetching),
            Live::Unavailable => return Some(Note::NoLiveValues),
        };
        values.sort_by_cached_key(|value| value.name.to_lowercase());
        for value in values {
            let (label, other) = match reference.by_name {
                true if self.several => (join_list([&value.name]), value.name.clone()),
                true => (value.name.clone(), value.name.clone()),
                false => (value.uuid.clone(), value.name.clone()),
            };
            let inserted = if reference.by_name { other.as_str() } else { label.as_str() };
            if inserted.is_empty() || self.given.contains(&inserted) {
                continue;
            }
            let told = if reference.by_name { value.uuid.clone() } else { value.name.clone() };
            found.offer_by(&label.clone(), Some(&other), || {
                self.finished(Candidate::new(label, CandidateKind::Value, Group::Values).describe(told).of(value))
            });
        }
        note
    }

    /// A member of a list may be followed by another one.
    fn finished(&self, candidate: Candidate) -> Candidate {
        if self.several { candidate.open("") } else { candidate }
    }

    /// Adds the distinct values of the node's rows that the catalog does not know.
    fn fill_distinct(&self, values: Live, found: &mut CandidateList<'_>) -> Option<Note> {
        let (values, note) = match values {
            Live::Ready(values) => (values, None),
            Live::Part(values) => (values, Some(Note::More)),
            Live::Pending => return Some(Note::Fetching),
            Live::Unavailable => return self.fixed.is_empty().then_some(Note::NoLiveValues),
        };
        for value in values {
            let known = self.fixed.iter().any(|(known, _)| *known == value.name);
            if !known && !value.name.is_empty() && !self.given.contains(&value.name.as_str()) {
                found.offer(&value.name.clone(), || {
                    let candidate = Candidate::new(value.name, CandidateKind::Value, Group::Values);
                    self.finished(candidate.describe(value.about))
                });
            }
        }
        note
    }
}

/// Whether it is worthwhile to ask the node for the values of a field: text that many rows share.
fn is_shared(field: &Field) -> bool {
    let own = ["name", "uuid", "description"].contains(&field.name) || field.name.ends_with("Uuid");
    field.kind == Type::String && field.values.is_empty() && !own && !member_is_secret(field.name)
}

/// Expects one of these values.
pub(super) fn fixed<'p>(values: &'static [&'static str]) -> Expected<'p> {
    let fixed = values.iter().map(|value| (Cow::Borrowed(*value), "".into())).collect();
    Expected::Value(Values { fixed, ..Values::default() })
}

/// Returns what is expected as the value of a parameter.
pub(super) fn of_parameter<'p>(
    catalog: Catalog,
    parameter: &Parameter,
    (reference, fitting): (Option<Reference>, Option<Fitting>),
    given: Vec<&'p str>,
    several: bool,
) -> Expected<'p> {
    let mut fixed: Vec<FixedValue> = parameter.values.iter().map(|value| (value.clone(), "".into())).collect();
    if fixed.is_empty() {
        of_type(catalog, &parameter.kind, &mut fixed);
    }
    if fixed.is_empty() && parameter.name == "deleteMode" {
        fixed.push(("Permissive".into(), "checks may refuse".into()));
        fixed.push(("Enforcing".into(), "skips checks and ignores errors".into()));
    }
    if fixed.is_empty() && reference.is_none() {
        return Expected::Nothing(None);
    }
    Expected::Value(Values { fixed, reference, fitting, given, several, ..Values::default() })
}

/// Returns what is expected as the value of an inventory's field.
pub(super) fn of_field<'p>(
    catalog: Catalog,
    inventory: &Inventory,
    field: &Field,
    reference: Option<Reference>,
    given: Vec<&'p str>,
    several: bool,
) -> Expected<'p> {
    let mut fixed: Vec<FixedValue> = field.values.iter().map(|value| (Cow::Borrowed(*value), "".into())).collect();
    if fixed.is_empty() {
        of_type(catalog, &field.kind, &mut fixed);
    }
    if field.type_field {
        for (value, narrower) in catalog.specialisations(inventory) {
            match fixed.iter_mut().find(|(known, _)| known == value) {
                Some(known) => known.1 = narrower.name.into(),
                None => fixed.push((value.into(), narrower.name.into())),
            }
        }
    }
    let shared = || references::of_inventory(catalog, inventory).map(|query| (query, field.name));
    let distinct = if reference.is_none() && is_shared(field) { shared() } else { None };
    if fixed.is_empty() && reference.is_none() && distinct.is_none() {
        return Expected::Nothing(None);
    }
    Expected::Value(Values { fixed, reference, distinct, given, several, ..Values::default() })
}

fn of_type(catalog: Catalog, kind: &Type, values: &mut Vec<FixedValue>) {
    match kind {
        Type::Bool => values.extend([("true".into(), "".into()), ("false".into(), "".into())]),
        Type::List(Some(element)) => of_type(catalog, element, values),
        Type::Named(name) => {
            let members = catalog.enum_values(name).unwrap_or_default();
            values.extend(members.into_iter().map(|value| (value.into(), "".into())));
        }
        _ => {}
    }
}

/// Returns what is expected as the value of an option or argument, which starts at byte `start` of `text`.
pub(super) fn of_argument(takes: Takes, text: &str, start: usize) -> (usize, Expected<'_>) {
    let expected = match takes {
        Takes::Any => Expected::Nothing(None),
        Takes::File => return file(text, start),
        Takes::OneOf(values) => {
            let fixed = values.into_iter().map(|(name, summary)| (name.into(), summary.into())).collect();
            Expected::Value(Values { fixed, ..Values::default() })
        }
        Takes::Lookup(Lookup::Contexts) => {
            let start = text.rfind(',').map_or(start, |at| at + 1);
            return (start, Expected::Value(Values { context: true, ..Values::default() }));
        }
        Takes::Lookup(Lookup::Context) => Expected::Value(Values { context: true, ..Values::default() }),
        Takes::Lookup(lookup) => Expected::Lookup(lookup),
    };
    (start, expected)
}

/// Expects a resource of a kind, by its name.
pub(super) fn of_kind<'p>(catalog: Catalog, kind: &str) -> Expected<'p> {
    let reference = catalog.kind(kind).map(|kind| {
        let by_name = kind.inventory.field("name").is_some();
        Reference { query: kind.query, by_name }
    });
    match reference {
        Some(reference) => Expected::Value(Values { reference: Some(reference), ..Values::default() }),
        None => Expected::Nothing(None),
    }
}

/// Returns the metrics of a kind, without those that are given.
pub(super) fn of_metrics<'p>(catalog: Catalog, kind: &str, given: Vec<&'p str>) -> Expected<'p> {
    let metrics = catalog.kind(kind).map(|kind| kind.inventory.name);
    Expected::Value(Values { metrics, given, ..Values::default() })
}

/// Returns what is expected as the value of a setting of the shell.
pub(super) fn of_setting<'p>(name: &str) -> Expected<'p> {
    match Setting::of_shell().find(|setting| setting.name() == name) {
        Some(setting) => described(setting, setting.shell_values()),
        None => Expected::Nothing(None),
    }
}

/// Returns what is expected in a `key=value` argument of a context.
pub(super) fn of_preference(text: &str) -> (usize, Expected<'_>) {
    let Some((key, _)) = text.split_once('=') else { return (0, Expected::Preferences) };
    let start = key.len() + 1;
    match Setting::of_name(key) {
        Some(setting) if setting.is_file() => file(text, start),
        Some(setting) => (start, described(setting, setting.values())),
        None => (start, Expected::Nothing(None)),
    }
}

/// Expects a value of a setting; output formats come with descriptions.
fn described<'p>(setting: Setting, values: &'static [&'static str]) -> Expected<'p> {
    match setting {
        Setting::Output => {
            let fixed = Format::ALL.map(|format| (format.name().into(), format.summary().into())).to_vec();
            Expected::Value(Values { fixed, ..Values::default() })
        }
        _ if values.is_empty() => Expected::Nothing(None),
        _ => fixed(values),
    }
}

/// Expects words of which several may follow each other.
pub(super) fn words<'p>(fixed: Vec<(Cow<'static, str>, &'static str)>) -> Expected<'p> {
    let fixed = fixed.into_iter().map(|(word, meaning)| (word, meaning.into())).collect();
    Expected::Value(Values { fixed, several: true, ..Values::default() })
}

/// Expects a file whose path starts at byte `start` of `text`.
pub(super) fn file<'p>(text: &str, start: usize) -> (usize, Expected<'p>) {
    let folder = text[start..].rfind('/').map_or(0, |at| at + 1);
    (start + folder, Expected::File(text[start..start + folder].to_owned()))
}

/// Offers the files of a folder; hidden ones only after a `.` is typed.
pub(super) fn files(folder: &str, sources: &Sources<'_>, found: &mut CandidateList<'_>) {
    let mut entries = sources.files.list(folder);
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let hidden = found.typed().starts_with('.');
    for entry in entries.into_iter().filter(|entry| hidden || !entry.name.starts_with('.')) {
        found.offer(&entry.name.clone(), || {
            let candidate = Candidate::new(entry.name, CandidateKind::Value, Group::Files);
            if entry.is_folder { candidate.open("/") } else { candidate }
        });
    }
}

/// Returns the byte offset of the last member of a list, and the members before it.
pub(super) fn last_of_list(text: &str, start: usize) -> (usize, Vec<&str>) {
    match text[start..].rfind(',') {
        Some(at) => (start + at + 1, text[start..start + at].split(',').collect()),
        None => (start, Vec::new()),
    }
}
