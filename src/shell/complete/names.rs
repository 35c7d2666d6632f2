//! Names: own commands, APIs, parameters and options.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::catalog::candidates::{self, Candidates};
use crate::catalog::{Api, Catalog, Parameter, QueryParameter, Type, references};
use crate::cli::{self, Entry, Lookup};
use crate::config::Setting;
use crate::render;

use super::candidate::{Candidate, CandidateKind, Group, Note};
use super::cursor::{Argument, CursorPlace};
use super::engine::{CandidateList, Expected};
use super::sources::{Fitting, Given, LiveValue, Sources};
use super::{describe, structure, tags, values};
use crate::secret::{Secrecy, name_secrecy};
use crate::shell::topics::TOPICS;

/// Offers own commands and APIs, for the first word.
pub(super) fn commands(sources: &Sources<'_>, found: &mut CandidateList<'_>) {
    commands_below(cli::program(), found);
    for (name, line) in &sources.defined.aliases {
        alias(name, line, found);
    }
    apis(sources, found);
}

fn alias(name: &str, line: &str, found: &mut CandidateList<'_>) {
    found.offer(name, || {
        Candidate::new(name.to_owned(), CandidateKind::Command, Group::Commands).describe(line.to_owned())
    });
}

/// Offers the subcommands of a command, or the commands of the program.
pub(super) fn commands_below(group: Entry, found: &mut CandidateList<'_>) {
    for command in group.commands() {
        let make =
            || Candidate::new(command.name(), CandidateKind::Command, Group::Commands).describe(command.summary());
        found.offer(command.name(), make);
    }
}

fn apis(sources: &Sources<'_>, found: &mut CandidateList<'_>) {
    let catalog = sources.catalog;
    for api in catalog.api_names().filter(|api| !sources.offers.is_some_and(|offers| offers.lacks(*api))) {
        found.offer(api.as_str(), || {
            let told = catalog.api(api.as_str()).map(|api| describe::api(&api)).unwrap_or_default();
            let describe = newer(told, api.since(), catalog);
            Candidate::new(api.as_str(), CandidateKind::Api, Group::Apis).describe(describe)
        });
    }
}

/// Offers the REST paths with an HTTP method, described by their API; by the first one where several actions share a
/// path.
pub(super) fn paths(verb: &str, sources: &Sources<'_>, found: &mut CandidateList<'_>) {
    let mut seen = HashSet::new();
    let apis = sources.catalog.api_names().filter(|api| api.method().as_str().eq_ignore_ascii_case(verb));
    for api in apis.filter(|api| seen.insert(api.path())) {
        found.offer(api.path(), || {
            Candidate::new(api.path(), CandidateKind::Value, Group::Values).describe(api.as_str())
        });
    }
}

/// Offers the names that an argument of an own command refers to.
pub(super) fn lookup(lookup: Lookup, place: &CursorPlace, sources: &Sources<'_>, found: &mut CandidateList<'_>) {
    match lookup {
        Lookup::Api => apis(sources, found),
        Lookup::ApiOrInventory => {
            apis(sources, found);
            for name in sources.catalog.inventory_names() {
                found.put(name, CandidateKind::Value, Group::Values, "");
            }
        }
        Lookup::ApiOrTopic => {
            for topic in &TOPICS {
                found.put(topic.name, CandidateKind::Command, Group::Topics, topic.summary);
            }
            commands(sources, found);
        }
        Lookup::Setting => {
            for setting in Setting::of_shell() {
                found.put(setting.name(), CandidateKind::Param, Group::Parameters, setting.summary());
            }
        }
        Lookup::SettingValue => columns(place, sources.catalog, found),
        Lookup::Result | Lookup::Results => {
            for value in sources.kept.results() {
                found.offer(&value.name.clone(), || {
                    Candidate::new(value.name, CandidateKind::Value, Group::Values).describe(value.about)
                });
            }
        }
        Lookup::Job => jobs(place, sources, found),
        Lookup::CatalogVersion | Lookup::OtherCatalogVersion => versions(sources, found),
        Lookup::CatalogVersionOrAuto => {
            found.put("auto", CandidateKind::Value, Group::Values, "the version that the node has");
            versions(sources, found);
        }
        Lookup::Kind => {
            for (name, query) in sources.catalog.kind_names() {
                found.offer(&name.clone(), || {
                    let told = format!("listed by {query}");
                    Candidate::new(name, CandidateKind::Value, Group::Values).describe(told)
                });
            }
        }
        Lookup::Alias => {
            for (name, line) in &sources.defined.aliases {
                alias(name, line, found);
            }
        }
        Lookup::Variable => {
            let is_braced = place.word.text.contains("${");
            for name in &sources.defined.variables {
                let candidate = Candidate::new(name.clone(), CandidateKind::Value, Group::Values);
                found.offer(name, || if is_braced { candidate.open("}") } else { candidate });
            }
        }
        // `values`, `fields` and `filter` complete these.
        Lookup::Column
        | Lookup::Columns
        | Lookup::Context
        | Lookup::Contexts
        | Lookup::ContextKeys
        | Lookup::Filter
        | Lookup::Path
        | Lookup::Metric
        | Lookup::Resource => {}
    }
}

/// Offers columns for all queries, and where none is typed yet the queries that columns can be set for.
fn columns(place: &CursorPlace, catalog: Catalog, found: &mut CandidateList<'_>) {
    if !place.word.text.contains(',') {
        found.put("default", CandidateKind::Value, Group::Values, "the columns of each query");
        for api in catalog.api_names().filter(|api| api.is_query()) {
            found.put(api.as_str(), CandidateKind::Api, Group::Apis, "the columns of this query");
        }
    }
    let given: Vec<&str> = place.word.text.split(',').collect();
    for name in render::common_columns().into_iter().filter(|name| !given.contains(name)) {
        found.offer(name, || {
            let candidate = Candidate::new(name, CandidateKind::Field, Group::Conditions);
            candidate.describe("a column of many queries").open("")
        });
    }
}

/// Offers the jobs of the journal that the line does not name yet.
fn jobs(place: &CursorPlace, sources: &Sources<'_>, found: &mut CandidateList<'_>) {
    let is_given = |job: &LiveValue| place.others.iter().any(|word| word.text == job.uuid);
    for job in sources.kept.jobs().into_iter().filter(|job| !is_given(job)) {
        found.offer_by(&job.uuid.clone(), Some(&job.name.clone()), || {
            let told = format!("{}, {}", job.name, job.about);
            Candidate::new(job.uuid.clone(), CandidateKind::Value, Group::Values).describe(told).of(job)
        });
    }
}

/// Offers the ZStack versions whose catalogs are known, imported ones first.
fn versions(sources: &Sources<'_>, found: &mut CandidateList<'_>) {
    let imported = sources.kept.imported_versions();
    for version in &imported {
        found.offer(version, || {
            Candidate::new(version.clone(), CandidateKind::Value, Group::Values).describe("imported")
        });
    }
    for version in Catalog::versions().filter(|version| !imported.iter().any(|known| known == version)) {
        found.put(version, CandidateKind::Value, Group::Values, "");
    }
}

/// Offers the keys of a context that are not set in the line yet.
pub(super) fn preferences(place: &CursorPlace, found: &mut CandidateList<'_>) {
    let given: HashSet<&str> = place.others.iter().filter_map(|word| Some(word.text.split_once('=')?.0)).collect();
    for key in Setting::of_context().filter(|key| !given.contains(key.name())) {
        found.offer(key.name(), || {
            Candidate::new(key.name(), CandidateKind::Param, Group::Parameters).describe(key.summary()).open("=")
        });
    }
}

/// Returns what is expected in an argument of an API other than a query.
pub(super) fn argument<'p>(api: Api, place: &'p CursorPlace, sources: &Sources<'_>) -> (usize, Expected<'p>) {
    let text = place.word.text.as_str();
    let Some(argument) = Argument::split(text) else {
        return (0, Expected::Parameter(Box::new(api)));
    };
    let start = argument.value_start;
    let Some(parameter) = api.parameter(argument.name) else {
        return (start, Expected::Nothing(None));
    };
    if argument.value.starts_with('@') && !argument.value.starts_with("@@") {
        return values::file(text, start + 1);
    }
    if parameter.secret || name_secrecy(parameter.name) == Secrecy::Whole {
        return (start, Expected::Nothing(Some(Note::Secret)));
    }
    if structure::is_structure(&parameter.kind, sources.catalog) {
        // Without a quote the shell would take the quotes of JSON for its own.
        let is_begun = place.quote.is_some();
        let inside = if is_begun { argument.value } else { "" };
        let found = structure::place(inside, &parameter.kind, sources.catalog);
        let found = found.filter(|_| is_begun || argument.value.bytes().all(|byte| b"[{".contains(&byte)));
        return match found {
            Some(inside) => (start + inside.start(), Expected::Structure(inside)),
            None => (start, Expected::Nothing(None)),
        };
    }
    if parameter.name == "systemTags" {
        let (start, _) = values::last_of_list(text, start);
        let (start, patterns) = tags::at(text, start, tags::of_api(&api, sources.catalog));
        return (start, Expected::Tag(patterns));
    }
    let (start, given, several) = match parameter.kind {
        Type::List(_) => {
            let (start, given) = values::last_of_list(text, start);
            (start, given, true)
        }
        _ => (start, Vec::new(), false),
    };
    let reference = references::of_parameter(sources.catalog, &api, parameter);
    let fitting = reference.and_then(|_| fitting(&api, parameter, place, sources.catalog));
    (start, values::of_parameter(sources.catalog, parameter, (reference, fitting), given, several))
}

/// Returns what narrows the resources of a parameter down to those that fit, with the values of the other arguments.
fn fitting(api: &Api, parameter: &Parameter, place: &CursorPlace, catalog: Catalog) -> Option<Fitting> {
    let typed = |name: &str| place.arguments().find(|other| other.name == name && !other.value.is_empty());
    let found = candidates::of_parameter(api.name, parameter.name, |name| Some(typed(name)?.value.to_owned()))?;
    let given = |value: &str| match value.strip_prefix('$') {
        Some(name) => {
            let query = api.parameter(name).and_then(|other| references::query_of_parameter(catalog, api, other));
            Given { value: typed(name).map(|other| other.value.to_owned()).unwrap_or_default(), query }
        }
        None => Given { value: value.to_owned(), query: None },
    };
    Some(match found {
        Candidates::Listed { api, member, arguments } => {
            let arguments = arguments.into_iter().map(|(name, value)| (name, given(value))).collect();
            Fitting::Listed { api, member, arguments }
        }
        Candidates::Rows(conditions) => {
            let split = conditions.into_iter().filter_map(Argument::split);
            Fitting::Rows(split.map(|it| (it.name, it.operator, given(it.value))).collect())
        }
    })
}

/// Whether `timeout=` is accepted besides the API's own parameters.
fn takes_timeout(api: &Api) -> bool {
    api.parameter("timeout").is_none()
}

/// Offers the parameters that are not given yet, required ones first.
pub(super) fn parameters(api: &Api, place: &CursorPlace, sources: &Sources<'_>, found: &mut CandidateList<'_>) {
    let catalog = sources.catalog;
    let given: HashSet<&str> = place.arguments().map(|argument| argument.name).collect();
    let missing = |parameter: &&Parameter| !given.contains(parameter.name);
    for parameter in api.parameters.iter().filter(missing) {
        found.offer(parameter.name, || {
            let mut candidate = Candidate::new(parameter.name, CandidateKind::Param, Group::Parameters);
            candidate.required = parameter.required;
            candidate.describe(newer(describe(sources, api, parameter), parameter.since, catalog)).open("=")
        });
    }
    if takes_timeout(api) && !given.contains("timeout") {
        found.offer("timeout", || {
            let candidate = Candidate::new("timeout", CandidateKind::Param, Group::Parameters);
            candidate.describe(QueryParameter::Timeout.summary()).open("=")
        });
    }
}

/// Adds the version to the description of something that the node is too old for.
pub(super) fn newer(describe: Cow<'static, str>, since: Option<&str>, catalog: Catalog) -> Cow<'static, str> {
    match since.filter(|since| catalog.lacks(Some(since))) {
        Some(since) => format!("{describe} (since {since})").into(),
        None => describe,
    }
}

/// Describes a parameter: its type and its allowed values.
fn describe(sources: &Sources<'_>, api: &Api, parameter: &Parameter) -> Cow<'static, str> {
    let language = sources.language;
    let note = sources.catalog.note(api.name, parameter.name).map(|note| language.choose(note.english, note.chinese));
    if !parameter.values.is_empty() {
        let values = parameter.values.join(" | ");
        return note.map_or(values.clone(), |note| format!("{values}; {note}")).into();
    }
    let query = references::query_of_parameter(sources.catalog, api, parameter);
    // The note says more than that it is a number or a text.
    let mut told = match note {
        Some(note) if query.is_none() => Cow::Borrowed(note),
        _ => language.tell(describe::value(parameter.name, &parameter.kind, query)),
    };
    let limits = match parameter.range {
        Some((least, i64::MAX)) => format!("at least {least}"),
        Some((least, greatest)) => format!("{least} to {greatest}"),
        None => String::new(),
    };
    let secret = if parameter.secret { "secret" } else { "" };
    for fact in [secret, &limits].into_iter().filter(|fact| !fact.is_empty()) {
        told = format!("{told}, {}", language.say(fact)).into();
    }
    match note.filter(|_| query.is_some()) {
        Some(note) => format!("{told}; {note}").into(),
        None => told,
    }
}

/// Offers the options of an own command and of the program.
pub(super) fn options(place: &CursorPlace, found: &mut CandidateList<'_>) {
    let own = place.others.first().map(|_| place.command()).filter(|command| command.name() != cli::program().name());
    for option in own.into_iter().flat_map(Entry::options).chain(cli::program().options()) {
        for name in option.names() {
            found.offer(&name.clone(), || {
                Candidate::new(name, CandidateKind::Param, Group::Options).describe(option.summary())
            });
        }
    }
    found.put("--", CandidateKind::Param, Group::Options, "End of the options");
}
