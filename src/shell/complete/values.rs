//! Values: enums, states and types, booleans, resources of the node, files.

use std::borrow::Cow;

use crate::catalog::{Catalog, Field, Inventory, Parameter, Type};

use super::candidate::{Candidate, Group, Kind, Note};
use super::engine::{Shelf, Wish};
use super::options::{OUTPUTS, OptionValue};
use super::own::{PREFERENCES, SETTINGS};
use super::references::{self, Reference};
use super::sources::{Live, Sources};
use crate::secret::member_is_secret;

/// The values that may be given in one place.
#[derive(Default)]
pub(super) struct Values<'p> {
    /// Those that are always the same.
    fixed: Vec<(Cow<'static, str>, &'static str)>,
    /// The resources that it may name.
    reference: Option<Reference>,
    /// The query and the field whose values on the node it may be.
    distinct: Option<(&'static str, &'static str)>,
    /// Whether it is the name of a context.
    context: bool,
    /// The members of the list that are typed already.
    given: Vec<&'p str>,
    /// Whether more members of a list may follow.
    several: bool,
}

impl Values<'_> {
    /// Puts the values on the shelf; the note says why some may be missing.
    pub(super) fn fill(&self, sources: &Sources<'_>, shelf: &mut Shelf<'_>) -> Option<Note> {
        let finish = |candidate: Candidate| if self.several { candidate.open("") } else { candidate };
        for (value, description) in self.fixed.iter().filter(|(value, _)| !self.given.contains(&value.as_ref())) {
            shelf.offer(value, || {
                finish(Candidate::new(value.clone(), Kind::Value, Group::Values).describe(*description))
            });
        }
        if self.context {
            for context in sources.contexts {
                shelf.offer(context, || Candidate::new(context.clone(), Kind::Value, Group::Values));
            }
        }
        if let Some((query, field)) = self.distinct {
            return self.fill_distinct(sources.live.values(query, field), shelf);
        }
        let reference = self.reference?;
        let found = sources.live.lookup(reference.query, shelf.typed());
        let note = matches!(found, Live::Part(_)).then_some(Note::More);
        match found {
            Live::Pending => Some(Note::Fetching),
            Live::Unavailable => Some(Note::NoLiveValues),
            Live::Ready(mut values) | Live::Part(mut values) => {
                values.sort_by_cached_key(|value| value.name.to_lowercase());
                for value in values {
                    if reference.by_name && !value.name.is_empty() {
                        if !self.given.contains(&value.name.as_str()) {
                            let label = if self.several { list_member(&value.name) } else { value.name.clone() };
                            shelf.offer_by(&label.clone(), Some(&value.name.clone()), || {
                                let candidate = Candidate::new(label, Kind::Value, Group::Values);
                                finish(candidate.describe(value.uuid.clone()).of(value))
                            });
                        }
                    } else if !reference.by_name && !self.given.contains(&value.uuid.as_str()) {
                        shelf.offer_by(&value.uuid.clone(), Some(&value.name.clone()), || {
                            let candidate = Candidate::new(value.uuid.clone(), Kind::Value, Group::Values);
                            finish(candidate.describe(value.name.clone()).of(value))
                        });
                    }
                }
                note
            }
        }
    }
}

/// A text as a member of a list, in quotes where a comma would divide it.
fn list_member(text: &str) -> String {
    if text.contains(',') || text.starts_with('"') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

impl Values<'_> {
    /// Puts the values that rows of the node have on the shelf, beside those that the catalog knows.
    fn fill_distinct(&self, found: Live, shelf: &mut Shelf<'_>) -> Option<Note> {
        let (values, note) = match found {
            Live::Ready(values) => (values, None),
            Live::Part(values) => (values, Some(Note::More)),
            Live::Pending => return Some(Note::Fetching),
            Live::Unavailable => return self.fixed.is_empty().then_some(Note::NoLiveValues),
        };
        for value in values {
            let known = self.fixed.iter().any(|(known, _)| *known == value.name);
            if !known && !value.name.is_empty() && !self.given.contains(&value.name.as_str()) {
                shelf.offer(&value.name.clone(), || {
                    let candidate = Candidate::new(value.name, Kind::Value, Group::Values).describe(value.about);
                    if self.several { candidate.open("") } else { candidate }
                });
            }
        }
        note
    }
}

/// Whether the values of a field are worth asking the node for: text that many rows share.
fn is_shared(field: &Field) -> bool {
    let own = ["name", "uuid", "description"].contains(&field.name) || field.name.ends_with("Uuid");
    field.kind == Type::String && field.values.is_empty() && !own && !member_is_secret(field.name)
}

/// These values and no others.
pub(super) fn fixed<'p>(values: &'static [&'static str]) -> Wish<'p> {
    let fixed = values.iter().map(|value| (Cow::Borrowed(*value), "")).collect();
    Wish::Value(Values { fixed, ..Values::default() })
}

/// The values of a parameter.
pub(super) fn of_parameter<'p>(
    catalog: Catalog,
    parameter: &Parameter,
    reference: Option<Reference>,
    given: Vec<&'p str>,
    several: bool,
) -> Wish<'p> {
    let mut fixed: Vec<(Cow<'static, str>, &'static str)> =
        parameter.values.iter().map(|value| (value.clone(), "")).collect();
    if fixed.is_empty() {
        of_type(catalog, &parameter.kind, &mut fixed);
    }
    if fixed.is_empty() && parameter.name == "deleteMode" {
        fixed.push(("Permissive".into(), "checks may refuse"));
        fixed.push(("Enforcing".into(), "skips checks and ignores errors"));
    }
    if fixed.is_empty() && reference.is_none() {
        return Wish::Nothing(None);
    }
    Wish::Value(Values { fixed, reference, given, several, ..Values::default() })
}

/// The values of an inventory's field.
pub(super) fn of_field<'p>(
    catalog: Catalog,
    inventory: &Inventory,
    field: &Field,
    reference: Option<Reference>,
    given: Vec<&'p str>,
    several: bool,
) -> Wish<'p> {
    let mut fixed: Vec<(Cow<'static, str>, &'static str)> =
        field.values.iter().map(|value| (Cow::Borrowed(*value), "")).collect();
    if fixed.is_empty() {
        of_type(catalog, &field.kind, &mut fixed);
    }
    if field.type_field {
        for (value, narrower) in catalog.specialisations(inventory) {
            match fixed.iter_mut().find(|(known, _)| known == value) {
                Some(known) => known.1 = narrower.name,
                None => fixed.push((value.into(), narrower.name)),
            }
        }
    }
    let shared = || references::of_inventory(catalog, inventory).map(|query| (query, field.name));
    let distinct = if reference.is_none() && is_shared(field) { shared() } else { None };
    if fixed.is_empty() && reference.is_none() && distinct.is_none() {
        return Wish::Nothing(None);
    }
    Wish::Value(Values { fixed, reference, distinct, given, several, ..Values::default() })
}

fn of_type(catalog: Catalog, kind: &Type, values: &mut Vec<(Cow<'static, str>, &'static str)>) {
    match kind {
        Type::Bool => values.extend([("true".into(), ""), ("false".into(), "")]),
        Type::List(Some(element)) => of_type(catalog, element, values),
        Type::Named(name) => {
            let members = catalog.enum_values(name).unwrap_or_default();
            values.extend(members.into_iter().map(|value| (value.into(), "")));
        }
        _ => {}
    }
}

/// The values of an option whose value begins at byte `start` of `text`.
pub(super) fn of_option<'p>(value: OptionValue, text: &'p str, start: usize) -> (usize, Wish<'p>) {
    let wish = match value {
        OptionValue::None | OptionValue::Any(_) | OptionValue::Columns | OptionValue::Column => Wish::Nothing(None),
        OptionValue::OneOf(_, values) => fixed(values),
        OptionValue::Context => Wish::Value(Values { context: true, ..Values::default() }),
        OptionValue::File => return file(text, start),
        OptionValue::Output => {
            let fixed = OUTPUTS.iter().map(|(name, summary)| (Cow::Borrowed(*name), *summary)).collect();
            Wish::Value(Values { fixed, ..Values::default() })
        }
    };
    (start, wish)
}

/// The values of a setting of the shell.
pub(super) fn of_setting<'p>(name: &str) -> Wish<'p> {
    match SETTINGS.iter().find(|setting| setting.name == name) {
        Some(setting) if setting.name == "output" => of_option(OptionValue::Output, "", 0).1,
        Some(setting) => fixed(setting.values),
        None => Wish::Nothing(None),
    }
}

/// A key of a context, or the value behind one.
pub(super) fn of_preference(text: &str) -> (usize, Wish<'_>) {
    let Some((key, _)) = text.split_once('=') else { return (0, Wish::Preferences) };
    let start = key.len() + 1;
    match PREFERENCES.iter().find(|setting| setting.name == key) {
        Some(setting) if setting.name == "output" => of_option(OptionValue::Output, text, start),
        Some(setting) if setting.name == "cacert" => file(text, start),
        Some(setting) if !setting.values.is_empty() => (start, fixed(setting.values)),
        _ => (start, Wish::Nothing(None)),
    }
}

/// Words of which several may follow each other.
pub(super) fn words<'p>(fixed: Vec<(Cow<'static, str>, &'static str)>) -> Wish<'p> {
    Wish::Value(Values { fixed, several: true, ..Values::default() })
}

/// The file whose path begins at byte `start` of `text`.
pub(super) fn file<'p>(text: &str, start: usize) -> (usize, Wish<'p>) {
    let folder = text[start..].rfind('/').map_or(0, |at| at + 1);
    (start + folder, Wish::File(text[start..start + folder].to_owned()))
}

/// The files of a folder; hidden ones once their dot is typed.
pub(super) fn files(folder: &str, sources: &Sources<'_>, shelf: &mut Shelf<'_>) {
    let mut entries = sources.files.list(folder);
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let hidden = shelf.typed().starts_with('.');
    for entry in entries.into_iter().filter(|entry| hidden || !entry.name.starts_with('.')) {
        shelf.offer(&entry.name.clone(), || {
            let candidate = Candidate::new(entry.name, Kind::Value, Group::Files);
            if entry.is_folder { candidate.open("/") } else { candidate }
        });
    }
}

/// Where the last member of a list begins, and the members before it.
pub(super) fn last_of_list(text: &str, start: usize) -> (usize, Vec<&str>) {
    match text[start..].rfind(',') {
        Some(at) => (start + at + 1, text[start..start + at].split(',').collect()),
        None => (start, Vec::new()),
    }
}
